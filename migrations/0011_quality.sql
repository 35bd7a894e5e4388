-- Thresholds of the quality grid: who answers for how many defects, why, since when. Rows are only added.
-- Owner: kiban-intake.

CREATE TABLE intake_quality_threshold (
    -- Order in which they were set.
    no BIGINT PRIMARY KEY,
    set_at TEXT NOT NULL,
    -- JSON: scope, limit, owner, reason, who set it
    threshold TEXT NOT NULL
);
