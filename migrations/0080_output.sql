-- Outputs: files that somebody who works in the producer's environment wants to take out, and their blind check. Owner:
-- kiban-journeys.

CREATE TABLE journeys_output (
    id TEXT PRIMARY KEY,
    dataset TEXT NOT NULL REFERENCES deliver_delivery (dataset),
    organization TEXT NOT NULL,
    title TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('checking', 'returned', 'released', 'refused')),
    asked_at TEXT NOT NULL,
    -- since when the turn is where it is
    turned_at TEXT NOT NULL
);

-- A version of an output: the file (kept as an attachment is), what it is, and what our own look at it found.
CREATE TABLE journeys_output_version (
    output TEXT NOT NULL REFERENCES journeys_output (id),
    no BIGINT NOT NULL,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    file TEXT NOT NULL,
    name TEXT NOT NULL,
    size BIGINT NOT NULL,
    digest TEXT NOT NULL,
    context TEXT NOT NULL,
    -- why it is asked for although something was found; empty: nothing is asked
    exception TEXT NOT NULL,
    -- what was found, as JSON
    marks TEXT NOT NULL,
    PRIMARY KEY (output, no)
);

-- A checker's vote on a version.
CREATE TABLE journeys_output_vote (
    output TEXT NOT NULL,
    no BIGINT NOT NULL,
    seat BIGINT NOT NULL,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('release', 'return', 'refuse')),
    reason TEXT NOT NULL,
    PRIMARY KEY (output, no, seat),
    UNIQUE (output, no, account),
    FOREIGN KEY (output, no) REFERENCES journeys_output_version (output, no)
);
