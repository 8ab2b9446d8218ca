-- What approvers changed before anybody voted on it again.
ALTER TABLE requests ADD COLUMN editor TEXT NOT NULL DEFAULT '';  -- per_… who made the current revision; '' as submitted

CREATE TABLE edits (
    row_id INTEGER PRIMARY KEY,      -- the order of editing
    tenant TEXT NOT NULL,            -- whose
    request TEXT NOT NULL,           -- req_…
    revision INTEGER NOT NULL,       -- the one it made
    person TEXT NOT NULL,            -- per_… who edited
    person_name TEXT NOT NULL,       -- as it was then
    reason TEXT,                     -- the person's words
    changes TEXT,                    -- canonical JSON array of {from, path, to}; NULL once erased
    former_action TEXT,              -- canonical JSON of the revision before; NULL once erased
    former_salt TEXT,                -- its salt; NULL once erased
    former_digest BLOB NOT NULL CHECK (length(former_digest) = 32),  -- its digest
    digest BLOB NOT NULL CHECK (length(digest) = 32),  -- of the revision it made
    at INTEGER NOT NULL,             -- when
    UNIQUE (tenant, request, revision)
) STRICT;

PRAGMA user_version = 9;
