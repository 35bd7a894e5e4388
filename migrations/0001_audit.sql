-- The audit log: events, the hashes of their Merkle tree, and one signed checkpoint per event.
-- Owner: kiban-audit. TEXT, BIGINT and DOUBLE PRECISION only, so that SQLite and PostgreSQL agree.

CREATE TABLE audit_event (
    event_index BIGINT PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    organization TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- canonical JSON: the bytes the leaf hash covers
    event TEXT NOT NULL,
    -- SHA-256(0x00 || event), base64
    leaf_hash TEXT NOT NULL
);

CREATE INDEX audit_event_subject ON audit_event (subject);
CREATE INDEX audit_event_kind ON audit_event (kind);

-- Hashes of complete subtrees by their stored hash index (tlog).
CREATE TABLE audit_node (
    node_index BIGINT PRIMARY KEY,
    hash TEXT NOT NULL
);

CREATE TABLE audit_checkpoint (
    tree_size BIGINT PRIMARY KEY,
    -- signed note: origin, size, root
    note TEXT NOT NULL
);
