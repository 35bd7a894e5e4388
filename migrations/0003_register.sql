-- The register: organizations, certifications, entrustment, filings, notices, accounts, stop requests.
-- Owner: kiban-register. Dates are ISO texts; structured values are JSON texts.

CREATE TABLE register_organization (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    representative TEXT NOT NULL,
    added_at TEXT NOT NULL
);

CREATE TABLE register_certification (
    id TEXT PRIMARY KEY,
    organization TEXT NOT NULL REFERENCES register_organization (id),
    kind TEXT NOT NULL
);

CREATE INDEX register_certification_organization ON register_certification (organization);

-- The history of a certification, one row a step.
CREATE TABLE register_certification_step (
    certification TEXT NOT NULL REFERENCES register_certification (id),
    step_no BIGINT NOT NULL,
    step TEXT NOT NULL,
    PRIMARY KEY (certification, step_no)
);

-- Edges of the entrustment graph; each names the producer whose data it is about and its permission.
CREATE TABLE register_entrustment (
    producer TEXT NOT NULL REFERENCES register_organization (id),
    entruster TEXT NOT NULL REFERENCES register_organization (id),
    trustee TEXT NOT NULL REFERENCES register_organization (id),
    permitted_on TEXT NOT NULL,
    evidence TEXT NOT NULL,
    ended_on TEXT,
    PRIMARY KEY (producer, entruster, trustee, permitted_on)
);

CREATE TABLE register_filing (
    id TEXT PRIMARY KEY,
    holder TEXT NOT NULL REFERENCES register_organization (id),
    regime TEXT NOT NULL,
    filing_number TEXT NOT NULL,
    filed_on TEXT NOT NULL,
    effective_from TEXT NOT NULL,
    ended_on TEXT,
    wait_days BIGINT,
    publication TEXT
);

CREATE INDEX register_filing_holder ON register_filing (holder);

CREATE TABLE register_notice_version (
    id TEXT PRIMARY KEY,
    holder TEXT NOT NULL REFERENCES register_organization (id),
    regime TEXT NOT NULL,
    version TEXT NOT NULL,
    effective_from TEXT NOT NULL,
    items TEXT NOT NULL,
    kinds TEXT NOT NULL,
    UNIQUE (holder, regime, version)
);

-- What the producer verified of how a holder acquired its data.
CREATE TABLE register_acquisition (
    holder TEXT NOT NULL REFERENCES register_organization (id),
    check_no BIGINT NOT NULL,
    checked_on TEXT NOT NULL,
    method TEXT NOT NULL,
    evidence TEXT NOT NULL,
    lawful BIGINT NOT NULL,
    PRIMARY KEY (holder, check_no)
);

CREATE TABLE register_account (
    id TEXT PRIMARY KEY,
    organization TEXT NOT NULL REFERENCES register_organization (id),
    employer TEXT NOT NULL,
    handler TEXT,
    roles TEXT NOT NULL,
    active_from TEXT NOT NULL,
    ended_on TEXT
);

-- Stop requests. The person is an opaque keyed id; the holder's own number is not kept.
CREATE TABLE register_stop (
    id TEXT PRIMARY KEY,
    stop_no BIGINT NOT NULL UNIQUE,
    holder TEXT NOT NULL REFERENCES register_organization (id),
    receipt_number TEXT NOT NULL,
    requested_on TEXT NOT NULL,
    requester TEXT NOT NULL,
    evidence TEXT NOT NULL,
    scope TEXT NOT NULL,
    regimes BIGINT NOT NULL,
    received_at TEXT NOT NULL,
    closed_at TEXT,
    proof TEXT,
    UNIQUE (holder, receipt_number)
);

CREATE TABLE register_stop_person (
    stop TEXT NOT NULL REFERENCES register_stop (id),
    person_source TEXT NOT NULL,
    PRIMARY KEY (stop, person_source)
);

CREATE INDEX register_stop_person_source ON register_stop_person (person_source);

-- One row per store that must acknowledge; open until acknowledged_at is set.
CREATE TABLE register_stop_store (
    stop TEXT NOT NULL REFERENCES register_stop (id),
    store TEXT NOT NULL,
    acknowledged_at TEXT,
    counts TEXT,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (stop, store)
);

-- Keyed hashes by which data sent again after a stop are refused.
CREATE TABLE register_suppression (
    stop TEXT NOT NULL REFERENCES register_stop (id),
    hash TEXT NOT NULL,
    scope TEXT NOT NULL,
    regimes BIGINT NOT NULL,
    requested_on TEXT NOT NULL,
    PRIMARY KEY (stop, hash)
);

CREATE INDEX register_suppression_hash ON register_suppression (hash);
