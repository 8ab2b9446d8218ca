-- How people sign in: passwords, sessions, and the links that let somebody set a first password.
CREATE TABLE passwords (
    person TEXT PRIMARY KEY,         -- per_…
    tenant TEXT NOT NULL,            -- whose
    hash TEXT NOT NULL,              -- argon2id with its salt and parameters
    is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),  -- 0: an older copy of the store was put back
    set_at INTEGER NOT NULL          -- when it was chosen
) STRICT;

CREATE TABLE sessions (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL UNIQUE,         -- ses_…
    tenant TEXT NOT NULL,            -- whose
    person TEXT NOT NULL,            -- per_…
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),  -- SHA-256 of the cookie's secret
    created_at INTEGER NOT NULL,     -- when the person signed in
    seen_at INTEGER NOT NULL,        -- last used, to the minute
    expires_at INTEGER NOT NULL      -- over then however much it is used
) STRICT;
CREATE INDEX sessions_of_person ON sessions (person);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE links (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL UNIQUE,         -- lnk_…
    tenant TEXT NOT NULL,            -- whose
    kind INTEGER NOT NULL CHECK (kind IN (1, 2)),  -- enum link_kind
    person TEXT NOT NULL,            -- per_… who may enrol; '' for a set-up link
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),  -- SHA-256 of the secret
    created_at INTEGER NOT NULL,     -- when
    expires_at INTEGER NOT NULL,     -- good for nothing then; a used one is deleted
    UNIQUE (tenant, kind, person)
) STRICT;

PRAGMA user_version = 6;
