-- Reference tables of the quality grid's validation: who came is compared with them when somebody looks. Rows are only added.
-- Owner: kiban-intake.

CREATE TABLE intake_reference (
    -- Order in which they were set.
    no BIGINT PRIMARY KEY,
    -- One holder; empty: all that have none of their own.
    holder TEXT NOT NULL,
    set_at TEXT NOT NULL,
    -- JSON: persons by class, source, owner, who set it
    reference TEXT NOT NULL
);
