-- Applications, committee, decisions, contracts, findings, approvals.
-- Owner: kiban-release. States are the fold of their steps; nothing is updated but a finding's decision.

CREATE TABLE release_application (
    application TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    applicant TEXT NOT NULL,
    product TEXT NOT NULL CHECK (product IN ('anonymized', 'pseudonymized'))
);

-- What was applied for, one row per version.
CREATE TABLE release_content (
    application TEXT NOT NULL REFERENCES release_application (application),
    version BIGINT NOT NULL,
    content TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (application, version)
);

CREATE TABLE release_step (
    application TEXT NOT NULL REFERENCES release_application (application),
    seq BIGINT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    step TEXT NOT NULL,
    PRIMARY KEY (application, seq)
);

-- The committee's roster, whole, one row per version.
CREATE TABLE release_roster (
    version BIGINT PRIMARY KEY,
    at TEXT NOT NULL,
    members TEXT NOT NULL
);

CREATE TABLE release_session (
    session TEXT PRIMARY KEY,
    application TEXT NOT NULL REFERENCES release_application (application),
    roster BIGINT NOT NULL REFERENCES release_roster (version),
    held_on TEXT NOT NULL,
    minutes TEXT NOT NULL,
    outcome TEXT NOT NULL
);

CREATE TABLE release_contract (
    contract TEXT PRIMARY KEY,
    application TEXT NOT NULL REFERENCES release_application (application),
    terms TEXT NOT NULL,
    digest TEXT NOT NULL
);

CREATE TABLE release_contract_step (
    contract TEXT NOT NULL REFERENCES release_contract (contract),
    seq BIGINT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    step TEXT NOT NULL,
    PRIMARY KEY (contract, seq)
);

-- A produced dataset: its signed manifest.
CREATE TABLE release_dataset (
    dataset TEXT PRIMARY KEY,
    application TEXT NOT NULL REFERENCES release_application (application),
    at TEXT NOT NULL,
    manifest TEXT NOT NULL,
    digest TEXT NOT NULL
);

CREATE TABLE release_finding (
    -- a finding's id is stable over the datasets of a project line, its decision is per dataset
    dataset TEXT NOT NULL,
    finding TEXT NOT NULL,
    facts TEXT NOT NULL,
    decision TEXT CHECK (decision IN ('keep', 'coarsen', 'drop')),
    reason TEXT,
    actor TEXT,
    at TEXT,
    CHECK ((decision IS NULL AND reason IS NULL AND actor IS NULL AND at IS NULL)
        OR (decision IS NOT NULL AND reason IS NOT NULL AND actor IS NOT NULL AND at IS NOT NULL)),
    PRIMARY KEY (dataset, finding)
);

CREATE TABLE release_approval (
    dataset TEXT NOT NULL REFERENCES release_dataset (dataset),
    seq BIGINT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    -- digest of the manifest that was approved
    digest TEXT NOT NULL,
    PRIMARY KEY (dataset, seq)
);
