-- Changes of notices, letters that came back, imports of a predecessor's register.
-- Owner: kiban-register (register_*), kiban-journeys (journeys_*). Persons are opaque keyed ids.

-- What a version of a notice changes against the one before, and when persons and ministers were told.
CREATE TABLE register_notice_change (
    holder TEXT NOT NULL REFERENCES register_organization (id),
    regime TEXT NOT NULL,
    from_version TEXT NOT NULL,
    to_version TEXT NOT NULL,
    effective_from TEXT NOT NULL,
    -- the heaviest class of the changed items
    class TEXT NOT NULL CHECK (class IN ('none', 'without_delay', 'beforehand', 'new_notice')),
    -- numbers of the statutory items, by commas
    items TEXT NOT NULL,
    persons_told_on TEXT,
    ministers_told_on TEXT,
    reference TEXT,
    PRIMARY KEY (holder, regime, to_version)
);

-- A notice whose letter came back counts for nothing. A stop removes the rows of its persons.
CREATE TABLE register_notice_return (
    person_source TEXT NOT NULL,
    holder TEXT NOT NULL REFERENCES register_organization (id),
    regime TEXT NOT NULL,
    notice_version TEXT NOT NULL,
    notified_on TEXT NOT NULL,
    returned_on TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (person_source, regime, notice_version, notified_on)
);

CREATE INDEX register_notice_return_holder ON register_notice_return (holder);

-- One file of a predecessor's register; its id comes from its digest, so that the same file is the same import.
CREATE TABLE journeys_register_import (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    begun_at TEXT NOT NULL,
    -- persons with a notice before it, by regime
    before52 BIGINT NOT NULL,
    before57 BIGINT NOT NULL,
    -- rows of persons in a batch
    batch_rows BIGINT NOT NULL,
    ended_at TEXT
);

-- A batch is committed whole or not at all; its counts are those of the reconciliation report.
CREATE TABLE journeys_register_import_batch (
    import TEXT NOT NULL REFERENCES journeys_register_import (id),
    batch_no BIGINT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (import, batch_no)
);
