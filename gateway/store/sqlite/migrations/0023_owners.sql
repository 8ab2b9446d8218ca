-- What the owner of an account is told of: browsers they have signed in with, and where they were told before.
CREATE TABLE browsers (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    tenant TEXT NOT NULL,            -- whose
    person TEXT NOT NULL,            -- per_… who signed in with it
    hash BLOB NOT NULL CHECK (length(hash) = 32),  -- SHA-256 of the cookie it keeps
    seen_at INTEGER NOT NULL,        -- when they signed in with it last
    UNIQUE (person, hash)
) STRICT;
CREATE INDEX browsers_of_hash ON browsers (hash);

CREATE TABLE former_addresses (
    row_id INTEGER PRIMARY KEY,      -- the order of being replaced
    tenant TEXT NOT NULL,            -- whose
    person TEXT NOT NULL,            -- per_…
    kind TEXT NOT NULL,              -- of the channels it is for: "mail"
    address TEXT NOT NULL,           -- as that kind writes it
    replaced_at INTEGER NOT NULL     -- when another, or none, took its place
) STRICT;
CREATE INDEX former_addresses_of_person ON former_addresses (person, kind);

CREATE INDEX notices_of_account ON notices (recipient, event, created_at) WHERE request IS NULL;

PRAGMA user_version = 23;
