-- Deliveries received, and the record of each receipt.
-- Owner: kiban-intake. TEXT, BIGINT and DOUBLE PRECISION only, so that SQLite and PostgreSQL agree.

CREATE TABLE intake_delivery (
    id TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    -- SHA-256 of the sealed file: the same bytes are received once
    sealed_sha256 TEXT NOT NULL UNIQUE,
    sealed_bytes BIGINT NOT NULL,
    -- SHA-256 of the signed list of files
    files_sha256 TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('received', 'receipted')),
    sealed_at TEXT NOT NULL,
    received_at TEXT NOT NULL,
    -- the holder's signed manifest
    manifest TEXT NOT NULL,
    -- JSON: counts by reason
    counts TEXT NOT NULL,
    -- JSON: the report the holder can read
    report TEXT NOT NULL,
    -- the producer's signed receipt; empty until issued
    receipt TEXT NOT NULL DEFAULT '',
    CHECK ((state = 'receipted') = (receipt <> ''))
);

CREATE INDEX intake_delivery_holder ON intake_delivery (holder, received_at);

-- What the producer verified at each receipt (retained three years).
CREATE TABLE intake_receipt_record (
    delivery TEXT PRIMARY KEY REFERENCES intake_delivery (id),
    verified_at TEXT NOT NULL,
    holder_name TEXT NOT NULL,
    holder_address TEXT NOT NULL,
    representative TEXT NOT NULL,
    acquisition TEXT NOT NULL,
    persons BIGINT NOT NULL,
    -- JSON: names of the tables of which rows were kept
    items TEXT NOT NULL
);
