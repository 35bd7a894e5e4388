-- Tracks of the review, conditions tracked to closure, reminders. Owner: kiban-journeys.

-- The newest counts; without one it is a meeting.
CREATE TABLE journeys_track (
    application TEXT NOT NULL REFERENCES release_application (application),
    seq BIGINT NOT NULL,
    track TEXT NOT NULL CHECK (track IN ('meeting', 'paper', 'expedited')),
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    PRIMARY KEY (application, seq)
);

-- A condition of a decision that is fulfilled; the condition's text is in the decision's step.
CREATE TABLE journeys_condition (
    application TEXT NOT NULL REFERENCES release_application (application),
    -- digest of the condition's text
    condition TEXT NOT NULL,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (application, condition)
);

-- Mail to be sent: to whom, about which case by its number alone.
CREATE TABLE journeys_outbox (
    id TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('reminder', 'escalation')),
    -- number of the case
    about TEXT NOT NULL,
    -- since when the step waits
    since TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (account, level, about, since)
);
