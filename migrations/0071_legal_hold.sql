-- Records that may not be destroyed for now, whatever their clock says (a court, an inspection, a complaint).
-- Owner: kiban-journeys. Rows are only added, but for the end of a hold.
CREATE TABLE journeys_legal_hold (
    kind TEXT NOT NULL,
    -- id of the record, as the list of records names it
    record TEXT NOT NULL,
    since TEXT NOT NULL,
    reason TEXT NOT NULL,
    reference TEXT NOT NULL,
    account TEXT NOT NULL,
    ended_at TEXT,
    ended_by TEXT,
    PRIMARY KEY (kind, record, since)
);
