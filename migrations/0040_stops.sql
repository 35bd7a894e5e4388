-- Stops: withdrawals, datasets and backups that a stop concerns, stores that are switched off.
-- Owner: kiban-register (register_*), kiban-journeys (journeys_*). Rows are only added, but for what became of a dataset or
-- backup and whether a store is on.

-- A stop that the person (or who asked) took back. The stop itself stays on the register.
CREATE TABLE register_stop_withdrawal (
    stop TEXT PRIMARY KEY REFERENCES register_stop (id),
    withdrawn_on TEXT NOT NULL,
    -- number of the holder's document of the withdrawal
    receipt_number TEXT NOT NULL,
    requester TEXT NOT NULL,
    evidence TEXT NOT NULL,
    recorded_at TEXT NOT NULL
);

-- Datasets that hold rows of the persons of a stop, as they stood when it was received.
CREATE TABLE journeys_stop_dataset (
    stop TEXT NOT NULL REFERENCES register_stop (id),
    dataset TEXT NOT NULL,
    -- open until the store answers; then withdrawn (never handed over), package_erased, handed_over
    state TEXT NOT NULL CHECK (state IN ('open', 'withdrawn', 'package_erased', 'handed_over')),
    PRIMARY KEY (stop, dataset)
);

-- A store that does not answer for now; no row: it answers.
CREATE TABLE journeys_store_off (
    store TEXT PRIMARY KEY,
    since TEXT NOT NULL,
    account TEXT NOT NULL,
    reason TEXT NOT NULL
);

CREATE TABLE journeys_backup (
    id TEXT PRIMARY KEY,
    made_at TEXT NOT NULL,
    -- the newest stop whose erasure it may lack is above this number
    stop_watermark BIGINT NOT NULL,
    place TEXT NOT NULL,
    keep_until TEXT NOT NULL,
    destroyed_at TEXT
);
