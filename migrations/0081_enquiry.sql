-- Datasets that a user handed to a regulator, the regulator's enquiries about rows, and their answers. Owner:
-- kiban-journeys.

CREATE TABLE journeys_submission (
    id TEXT PRIMARY KEY,
    dataset TEXT NOT NULL REFERENCES deliver_delivery (dataset),
    regulator TEXT NOT NULL,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    purpose TEXT NOT NULL,
    -- digest of the payload: that of the delivery
    payload TEXT NOT NULL,
    -- digest and bytes of the package sealed to the regulator
    package TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    UNIQUE (dataset, regulator)
);

CREATE TABLE journeys_enquiry (
    id TEXT PRIMARY KEY,
    submission TEXT NOT NULL REFERENCES journeys_submission (id),
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    question TEXT NOT NULL
);

-- A row asked for: table of the submitted dataset and number of the row in it, from 1.
CREATE TABLE journeys_enquiry_row (
    enquiry TEXT NOT NULL REFERENCES journeys_enquiry (id),
    no BIGINT NOT NULL,
    dataset_table TEXT NOT NULL,
    dataset_row BIGINT NOT NULL,
    PRIMARY KEY (enquiry, no),
    UNIQUE (enquiry, dataset_table, dataset_row)
);

-- Who agreed to open: two different people.
CREATE TABLE journeys_enquiry_seat (
    enquiry TEXT NOT NULL REFERENCES journeys_enquiry (id),
    seat BIGINT NOT NULL,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    PRIMARY KEY (enquiry, seat),
    UNIQUE (enquiry, account)
);

-- The answer: its pack is sealed beside the database and goes when it expires.
CREATE TABLE journeys_enquiry_answer (
    enquiry TEXT PRIMARY KEY REFERENCES journeys_enquiry (id),
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    digest TEXT NOT NULL,
    -- last day on which it can be read
    last_day TEXT NOT NULL
);

-- A holder whose charts must be looked at.
CREATE TABLE journeys_enquiry_holder (
    enquiry TEXT NOT NULL REFERENCES journeys_enquiry (id),
    holder TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (enquiry, holder)
);
