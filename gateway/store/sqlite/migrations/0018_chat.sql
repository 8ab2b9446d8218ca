-- Accounts at chat services that are people's, and the codes by which they are linked.
CREATE TABLE chat_links (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL UNIQUE,         -- chl_…
    tenant TEXT NOT NULL,            -- whose
    person TEXT NOT NULL,            -- per_… who acts by it
    service TEXT NOT NULL,           -- "slack"
    account TEXT NOT NULL,           -- ids of the service, never a name: "E…/T…/U…"
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),  -- of both: one account is one person's
    created_at INTEGER NOT NULL      -- when
) STRICT;
CREATE INDEX chat_links_of_person ON chat_links (person);

CREATE TABLE chat_codes (
    person TEXT PRIMARY KEY,         -- per_… who made it; one at a time
    tenant TEXT NOT NULL,            -- whose
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),  -- SHA-256 of the code
    expires_at INTEGER NOT NULL      -- not good from then on
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 18;
