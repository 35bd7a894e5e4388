-- Verifier keys of data holders, so that the deployment knows whose signature on a delivery counts.
-- Owner: kiban-journeys.

CREATE TABLE journeys_signing_key (
    organization TEXT PRIMARY KEY REFERENCES register_organization (id),
    public_key TEXT NOT NULL,
    since TEXT NOT NULL
);

-- Texts of the specifications that datasets were made with, by digest: a rebuild needs them.
CREATE TABLE journeys_specification (
    digest TEXT PRIMARY KEY,
    specification TEXT NOT NULL,
    at TEXT NOT NULL
);

-- The producer that runs the deployment: one row.
CREATE TABLE journeys_producer (
    organization TEXT PRIMARY KEY REFERENCES register_organization (id)
);
