-- Sign-in: the list of notified handlers with their training (owner: kiban-register), invitations and passkeys
-- (owner: kiban-journeys). A passkey is a public key; no secret of a person is kept.

CREATE TABLE register_handler (
    -- the number by which the ministers know the person
    number TEXT PRIMARY KEY,
    organization TEXT NOT NULL REFERENCES register_organization (id),
    notified_on TEXT NOT NULL,
    ended_on TEXT
);

CREATE TABLE register_training (
    handler TEXT NOT NULL REFERENCES register_handler (number),
    completed_on TEXT NOT NULL,
    course TEXT NOT NULL,
    PRIMARY KEY (handler, completed_on)
);

-- At most one open invitation per account; a new one replaces it, a used one goes.
CREATE TABLE journeys_invitation (
    account TEXT PRIMARY KEY REFERENCES register_account (id),
    -- SHA-256 of the one-time code
    code_digest TEXT NOT NULL UNIQUE,
    invited_by TEXT NOT NULL,
    invited_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
);

CREATE TABLE journeys_passkey (
    -- id of the credential, hexadecimal
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES register_account (id),
    -- public key (COSE), hexadecimal
    public_key TEXT NOT NULL,
    -- signature counter last seen; 0: the authenticator has none
    counter BIGINT NOT NULL,
    -- 1: may be copied to other devices of the person
    backup_eligible BIGINT NOT NULL,
    enrolled_at TEXT NOT NULL,
    last_used_at TEXT,
    revoked_at TEXT,
    -- lost, replaced, suspect
    revoked_why TEXT
);

CREATE INDEX journeys_passkey_account ON journeys_passkey (account);
