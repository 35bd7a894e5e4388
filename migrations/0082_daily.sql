-- Days on which the daily work of the served process is done. Owner: kiban-journeys.

CREATE TABLE journeys_daily (
    day TEXT PRIMARY KEY,
    at TEXT NOT NULL
);
