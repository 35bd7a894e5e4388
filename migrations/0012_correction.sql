-- Corrections of persons that holders sent, and the datasets they touch. Rows are only added.
-- Owner: kiban-register (register_correction), kiban-journeys (journeys_correction_dataset).

CREATE TABLE register_correction (
    -- Order in which they were applied.
    no BIGINT PRIMARY KEY,
    holder TEXT NOT NULL REFERENCES register_organization (id),
    delivery TEXT NOT NULL,
    -- SHA-256 of the row: the same row sent again is applied once
    digest TEXT NOT NULL,
    -- same_person, two_persons, wrong_patient
    kind TEXT NOT NULL,
    -- Opaque keyed ids; the holder's own numbers are not kept.
    from_source TEXT NOT NULL,
    to_source TEXT NOT NULL,
    -- Keyed hashes by which a stop of the one refuses the other's data too (same_person).
    from_hash TEXT NOT NULL,
    to_hash TEXT NOT NULL,
    -- The delivery it is about, if it is about one.
    about_delivery TEXT,
    made_on TEXT NOT NULL,
    reason TEXT NOT NULL,
    applied_at TEXT NOT NULL,
    UNIQUE (holder, digest)
);

CREATE TABLE journeys_correction_dataset (
    correction BIGINT NOT NULL REFERENCES register_correction (no),
    dataset TEXT NOT NULL,
    -- Rows of the two persons in the snapshot that the dataset was made of, under its regime.
    rows BIGINT NOT NULL,
    PRIMARY KEY (correction, dataset)
);
