-- The lake's catalog: which file belongs to which table from which snapshot to which.
-- Owner: kiban-lake. TEXT, BIGINT and DOUBLE PRECISION only, so that SQLite and PostgreSQL agree.

CREATE TABLE lake_snapshot (
    snapshot BIGINT PRIMARY KEY,
    -- append, replace, erase
    kind TEXT NOT NULL,
    made_at TEXT NOT NULL
);

-- A row is never removed: an erased file keeps its digest, so that the events stay verifiable.
CREATE TABLE lake_file (
    file_id TEXT PRIMARY KEY,
    table_name TEXT NOT NULL,
    path TEXT NOT NULL UNIQUE,
    schema_version BIGINT NOT NULL,
    -- hash bucket of the persons in it, and of how many
    bucket BIGINT NOT NULL,
    bucket_count BIGINT NOT NULL,
    -- SHA-256 of the sealed bytes, hexadecimal
    digest TEXT NOT NULL,
    row_count BIGINT NOT NULL,
    byte_count BIGINT NOT NULL,
    -- the snapshot whose transaction wrote this row
    added_snapshot BIGINT NOT NULL REFERENCES lake_snapshot (snapshot),
    -- part of snapshots begin <= s < end; a file rewritten by an erasure takes over both
    begin_snapshot BIGINT NOT NULL,
    end_snapshot BIGINT,
    -- the snapshot whose transaction took it out of every snapshot; its bytes are removed
    erased_snapshot BIGINT,
    erased_at TEXT
);

CREATE INDEX lake_file_table ON lake_file (table_name, begin_snapshot);
CREATE INDEX lake_file_added ON lake_file (added_snapshot);

CREATE TABLE lake_container (
    file_id TEXT PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    segment_count BIGINT NOT NULL,
    -- persons with segments in it, each with a key when it was added
    person_count BIGINT NOT NULL,
    byte_count BIGINT NOT NULL,
    added_snapshot BIGINT NOT NULL REFERENCES lake_snapshot (snapshot),
    -- set when the last person's key of this container was destroyed
    erased_snapshot BIGINT,
    erased_at TEXT
);

-- The key of one person's segments in one container, wrapped. Deleting the row shreds the segments.
CREATE TABLE lake_person_key (
    person TEXT NOT NULL,
    file_id TEXT NOT NULL REFERENCES lake_container (file_id),
    key_id TEXT NOT NULL,
    wrapped TEXT NOT NULL,
    PRIMARY KEY (person, file_id)
);

CREATE INDEX lake_person_key_file ON lake_person_key (file_id);

-- Named secrets (pseudonym domains, person sources, suppression list), wrapped.
CREATE TABLE lake_secret (
    name TEXT PRIMARY KEY,
    key_id TEXT NOT NULL,
    wrapped TEXT NOT NULL
);
