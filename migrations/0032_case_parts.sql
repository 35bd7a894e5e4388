-- Parts of a case: files, what is still being written, quotes, proofs of erasure; and the register of incidents.
-- Owner: kiban-journeys.

-- A file of an application. Its bytes are under attachments/<id>.age, sealed, never changed.
CREATE TABLE journeys_attachment (
    id TEXT PRIMARY KEY,
    application TEXT NOT NULL REFERENCES release_application (application),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    size BIGINT NOT NULL,
    -- SHA-256 of the plain bytes
    digest TEXT NOT NULL,
    added_at TEXT NOT NULL,
    account TEXT NOT NULL,
    removed_at TEXT
);

CREATE INDEX journeys_attachment_application ON journeys_attachment (application, added_at);

-- What somebody is still writing on a version of an application.
CREATE TABLE journeys_working_copy (
    application TEXT PRIMARY KEY REFERENCES release_application (application),
    version BIGINT NOT NULL,
    kept_at TEXT NOT NULL,
    account TEXT NOT NULL,
    content TEXT NOT NULL
);

CREATE TABLE journeys_quote (
    application TEXT NOT NULL REFERENCES release_application (application),
    seq BIGINT NOT NULL,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    yen BIGINT NOT NULL,
    days BIGINT NOT NULL,
    PRIMARY KEY (application, seq)
);

-- A proof of erasure that a user handed in; the newest counts. The file is kept as an attachment is.
CREATE TABLE journeys_erasure_proof (
    dataset TEXT NOT NULL REFERENCES deliver_delivery (dataset),
    seq BIGINT NOT NULL,
    file TEXT NOT NULL,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    method TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    -- checked: sent back with a reason, or closed
    sent_back_at TEXT,
    sent_back_why TEXT,
    closed_at TEXT,
    closed_by TEXT,
    PRIMARY KEY (dataset, seq)
);

CREATE TABLE journeys_incident (
    id TEXT PRIMARY KEY,
    recorded_at TEXT NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    noticed_on TEXT NOT NULL,
    -- 1: a wrongful purpose is feared
    malicious BIGINT NOT NULL,
    dataset TEXT,
    summary TEXT NOT NULL
);

CREATE TABLE journeys_incident_stage (
    incident TEXT NOT NULL REFERENCES journeys_incident (id),
    stage TEXT NOT NULL CHECK (stage IN ('prompt', 'full', 'closed')),
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (incident, stage)
);
