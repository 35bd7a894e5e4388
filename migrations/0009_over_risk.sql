-- Datasets that were made and must not be released: a limit of the specification is not kept.
-- Owner: kiban-journeys.

CREATE TABLE journeys_over_risk (
    dataset TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    -- One sentence per limit, Japanese, separated by line feeds; figures and names of the specification, no values.
    reasons TEXT NOT NULL
);
