-- Passkeys, second factors, and what was used once: challenges, recovery codes.
CREATE TABLE passkeys (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL UNIQUE,         -- pky_…
    tenant TEXT NOT NULL,            -- whose
    person TEXT NOT NULL,            -- per_…
    label TEXT NOT NULL,             -- what its person calls it
    credential TEXT NOT NULL UNIQUE, -- the authenticator's id, base64url; a removed one stays taken
    key TEXT NOT NULL,               -- COSE key, base64url
    rp_id TEXT NOT NULL,             -- the host name it belongs to
    sign_count INTEGER NOT NULL,     -- highest seen; 0 where the authenticator does not count
    is_synced INTEGER NOT NULL CHECK (is_synced IN (0, 1)),  -- may be copied to other devices
    is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),  -- 0: an older copy of the store was put back
    created_at INTEGER NOT NULL,     -- when
    trusted_at INTEGER NOT NULL,     -- serves votes that need a passkey from then on
    used_at INTEGER NOT NULL,        -- 0: never yet
    removed_at INTEGER NOT NULL      -- 0 while registered
) STRICT;
CREATE INDEX passkeys_of_person ON passkeys (person);

CREATE TABLE used_challenges (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),  -- SHA-256 of what was answered
    expires_at INTEGER NOT NULL      -- forgotten then: it is refused as too old
) STRICT, WITHOUT ROWID;
CREATE INDEX used_challenges_by_end ON used_challenges (expires_at);

CREATE TABLE totp (
    person TEXT PRIMARY KEY,         -- per_…
    tenant TEXT NOT NULL,            -- whose
    secret TEXT NOT NULL,            -- base32
    is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),  -- 0: no code of it was shown yet
    last_step INTEGER NOT NULL,      -- of the last code taken: none is taken twice
    created_at INTEGER NOT NULL      -- when
) STRICT;

CREATE TABLE recovery_codes (
    person TEXT NOT NULL,            -- per_…
    hash BLOB NOT NULL CHECK (length(hash) = 32),  -- SHA-256 of the code; a used one is deleted
    PRIMARY KEY (person, hash)
) STRICT, WITHOUT ROWID;

ALTER TABLE sessions ADD COLUMN step_up INTEGER NOT NULL DEFAULT 0 CHECK (step_up BETWEEN 0 AND 3);  -- enum step_up: the last proof beyond the cookie
ALTER TABLE sessions ADD COLUMN stepped_up_at INTEGER NOT NULL DEFAULT 0;  -- when it was given

PRAGMA user_version = 7;
