-- Who signs in through an organization's own provider (OpenID Connect). Owner: kiban-journeys.

-- An identity of a provider stands for one account, bound by the security officer; nothing is bound by signing in.
CREATE TABLE journeys_provider_account (
    issuer TEXT NOT NULL,
    -- the provider's own name of the person: opaque, never shown
    subject TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES register_account (id),
    bound_at TEXT NOT NULL,
    bound_by TEXT NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE INDEX journeys_provider_account_account ON journeys_provider_account (account);
