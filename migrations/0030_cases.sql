-- What people write in a case: messages, declarations of interest, votes before they are opened, requests of patients
-- on their way to a holder's desk; and the figures of a processing run. Owner: kiban-journeys.

CREATE TABLE journeys_message (
    application TEXT NOT NULL REFERENCES release_application (application),
    seq BIGINT NOT NULL,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    organization TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (application, seq)
);

-- A member's declaration on one content of an application; a later one replaces it while nobody has closed the votes.
CREATE TABLE journeys_interest (
    application TEXT NOT NULL REFERENCES release_application (application),
    content TEXT NOT NULL,
    account TEXT NOT NULL,
    at TEXT NOT NULL,
    -- 1: the member has an interest and is recused.
    has_interest BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (application, content, account)
);

-- One vote per member and content. The event holds a digest over salt and vote, not the vote.
CREATE TABLE journeys_ballot (
    application TEXT NOT NULL REFERENCES release_application (application),
    content TEXT NOT NULL,
    account TEXT NOT NULL,
    at TEXT NOT NULL,
    salt TEXT NOT NULL,
    ballot TEXT NOT NULL,
    PRIMARY KEY (application, content, account)
);

-- The member who presides closed the votes: from here they are open to the secretariat.
CREATE TABLE journeys_closing (
    application TEXT NOT NULL REFERENCES release_application (application),
    content TEXT NOT NULL,
    account TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (application, content)
);

-- A request to stop, from the public page to the desk of the holder. What the person wrote is sealed and goes with the
-- desk's answer.
CREATE TABLE journeys_stop_request (
    id TEXT PRIMARY KEY,
    -- SHA-256 of the number that the person holds
    number_digest TEXT NOT NULL UNIQUE,
    holder TEXT NOT NULL REFERENCES register_organization (id),
    asked_at TEXT NOT NULL,
    requester TEXT NOT NULL,
    regimes BIGINT NOT NULL,
    -- 1: the person agreed to get the receipt in electronic form.
    electronic BIGINT NOT NULL,
    -- age, hexadecimal; empty once answered
    sealed TEXT NOT NULL,
    answered_at TEXT,
    -- the stop on the register, or why the desk declined
    stop TEXT REFERENCES register_stop (id),
    declined TEXT
);

CREATE INDEX journeys_stop_request_holder ON journeys_stop_request (holder, asked_at);

-- The newest run of a dataset: figures for those who examine, approve and advise. No values.
CREATE TABLE journeys_report (
    dataset TEXT PRIMARY KEY,
    application TEXT NOT NULL REFERENCES release_application (application),
    at TEXT NOT NULL,
    specification TEXT NOT NULL,
    risk TEXT NOT NULL,
    changes TEXT NOT NULL
);

-- Academia, company or both, for the public list of projects.
CREATE TABLE journeys_user_class (
    organization TEXT PRIMARY KEY REFERENCES register_organization (id),
    class TEXT NOT NULL
);
