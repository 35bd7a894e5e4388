-- The log of persons, the review of pairs, answers of the insured-number history.
-- Owner: kiban-register (register_*), kiban-journeys (journeys_*). Sources and persons are opaque keyed ids.

CREATE TABLE register_link_event (
    -- One run.
    step BIGINT NOT NULL,
    no BIGINT NOT NULL,
    at TEXT NOT NULL,
    change TEXT NOT NULL CHECK (change IN ('created', 'joined', 'merged', 'split', 'moved', 'erased')),
    person TEXT NOT NULL,
    from_person TEXT,
    -- how many sources when it happened
    sources BIGINT NOT NULL,
    PRIMARY KEY (step, no)
);

-- Sources of an event. Rows of erased sources go.
CREATE TABLE register_link_member (
    step BIGINT NOT NULL,
    no BIGINT NOT NULL,
    person_source TEXT NOT NULL,
    PRIMARY KEY (step, no, person_source)
);

CREATE INDEX register_link_member_source ON register_link_member (person_source);

-- Two sources of which the insured-number history says that they are one person.
CREATE TABLE register_link_history (
    a_source TEXT NOT NULL,
    b_source TEXT NOT NULL,
    answered_on TEXT NOT NULL,
    -- SHA-256 of the answer's file
    digest TEXT NOT NULL,
    PRIMARY KEY (a_source, b_source)
);

-- Datasets that a change of persons touches: to be made anew.
CREATE TABLE journeys_link_dataset (
    step BIGINT NOT NULL,
    dataset TEXT NOT NULL,
    -- rows of the sources that changed persons
    rows BIGINT NOT NULL,
    PRIMARY KEY (step, dataset)
);

-- A pair to be looked at by two readers, by a third if they disagree.
CREATE TABLE journeys_link_case (
    id TEXT PRIMARY KEY,
    a_source TEXT NOT NULL,
    b_source TEXT NOT NULL,
    score DOUBLE PRECISION NOT NULL,
    information DOUBLE PRECISION NOT NULL,
    effect BIGINT NOT NULL,
    priority DOUBLE PRECISION NOT NULL,
    opened_at TEXT NOT NULL,
    -- same, different, unsettled; none while it is open
    outcome TEXT,
    closed_at TEXT,
    undone_at TEXT,
    undone_by TEXT,
    undone_why TEXT,
    UNIQUE (a_source, b_source, opened_at)
);

CREATE TABLE journeys_link_answer (
    link_case TEXT NOT NULL REFERENCES journeys_link_case (id) ON DELETE CASCADE,
    reader BIGINT NOT NULL CHECK (reader BETWEEN 1 AND 3),
    account TEXT NOT NULL,
    answer TEXT NOT NULL CHECK (answer IN ('same', 'different', 'unsure')),
    reason TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (link_case, reader),
    UNIQUE (link_case, account)
);
