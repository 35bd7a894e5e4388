-- Recall of a provided dataset: who holds a copy, what each was asked, and the proofs that came. Owner: kiban-journeys.

CREATE TABLE journeys_recall (
    id TEXT PRIMARY KEY,
    dataset TEXT NOT NULL UNIQUE REFERENCES deliver_delivery (dataset),
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- last day of the answers
    due TEXT NOT NULL,
    closed_at TEXT
);

-- A holder of a copy and why it has one.
CREATE TABLE journeys_recall_task (
    recall TEXT NOT NULL REFERENCES journeys_recall (id),
    organization TEXT NOT NULL,
    copy TEXT NOT NULL CHECK (copy IN ('user', 'joint_user', 'trustee', 'environment')),
    PRIMARY KEY (recall, organization)
);

-- A proof that a copy is erased; the newest counts. The file is kept as an attachment is.
CREATE TABLE journeys_recall_proof (
    recall TEXT NOT NULL REFERENCES journeys_recall (id),
    organization TEXT NOT NULL,
    seq BIGINT NOT NULL,
    file TEXT NOT NULL,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    method TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    checked_at TEXT,
    checked_by TEXT,
    -- 1: accepted; 0: sent back
    accepted BIGINT,
    why TEXT,
    PRIMARY KEY (recall, organization, seq)
);
