-- How a dataset goes on from the one delivered before it in its project line. Owner: kiban-journeys.

CREATE TABLE journeys_continuity (
    dataset TEXT PRIMARY KEY,
    earlier TEXT NOT NULL,
    at TEXT NOT NULL,
    persons_before BIGINT NOT NULL,
    stopped BIGINT NOT NULL,
    continued BIGINT NOT NULL,
    left_out BIGINT NOT NULL,
    added BIGINT NOT NULL
);
