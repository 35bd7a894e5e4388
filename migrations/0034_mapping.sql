-- What local codes mean: masters that the operator brought, and the acts of the mapping bench. Rows are only added.
-- Owner: kiban-intake.

-- A code master. Its bytes are under masters/<id>.age, sealed, never changed.
CREATE TABLE intake_master (
    -- Order of import; of one layout the newest counts.
    no BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    -- jlac10, hot, disease …
    layout TEXT NOT NULL,
    edition TEXT NOT NULL,
    -- Where it came from and under which terms.
    source TEXT NOT NULL,
    -- SHA-256 of the plain bytes
    digest TEXT NOT NULL,
    entries BIGINT NOT NULL,
    dropped BIGINT NOT NULL,
    -- JSON: how often each rule was broken
    defects TEXT NOT NULL,
    imported_at TEXT NOT NULL,
    account TEXT NOT NULL
);

CREATE TABLE intake_mapping_act (
    -- The version of the set after this act.
    no BIGINT PRIMARY KEY,
    at TEXT NOT NULL,
    -- One line of JSON; see kiban-codes, mapping.
    act TEXT NOT NULL
);
