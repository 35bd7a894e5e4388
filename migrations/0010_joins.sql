-- Whether a dataset joins with one that was approved for release before it.
-- Owner: kiban-journeys.

CREATE TABLE journeys_joins (
    dataset TEXT NOT NULL,
    -- The dataset approved earlier.
    other TEXT NOT NULL,
    at TEXT NOT NULL,
    -- Figures as JSON; names of columns and counts, no values.
    figures TEXT NOT NULL,
    -- 1: the dataset must not be released.
    exceeded BIGINT NOT NULL,
    PRIMARY KEY (dataset, other)
);
