-- Recipients' keys, delivery records, erasures. Owner: kiban-deliver. Rows are added, never changed.

CREATE TABLE deliver_key (
    organization TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at TEXT NOT NULL,
    -- age recipient
    public_key TEXT NOT NULL,
    PRIMARY KEY (organization, seq)
);

-- The delivery record: who, what, when, to whom, on which basis, under which key.
CREATE TABLE deliver_delivery (
    dataset TEXT PRIMARY KEY REFERENCES release_dataset (dataset),
    application TEXT NOT NULL,
    contract TEXT NOT NULL REFERENCES release_contract (contract),
    recipient TEXT NOT NULL,
    product TEXT NOT NULL CHECK (product IN ('anonymized', 'pseudonymized')),
    route TEXT NOT NULL CHECK (route IN ('sealed_transfer', 'producer_environment', 'sealed_medium')),
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    public_key TEXT NOT NULL,
    package_sha256 TEXT NOT NULL,
    package_bytes BIGINT NOT NULL,
    manifest_sha256 TEXT NOT NULL,
    payload TEXT NOT NULL,
    -- signed note for the recipient
    notice TEXT NOT NULL
);

CREATE TABLE deliver_erasure (
    dataset TEXT PRIMARY KEY REFERENCES deliver_delivery (dataset),
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL
);
