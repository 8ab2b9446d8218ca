-- The ledger, and small named values. Conventions of all migrations: times are milliseconds since 1970 UTC, booleans are
-- 0 or 1, hashes are 32 bytes, ids are text that sorts by time of making. Rules live in C; the schema holds keys, checks
-- and uniqueness as a second fence. A file is never edited once released; it ends by raising user_version.
PRAGMA application_id = 1129531220;  -- "CSGT": tells our file from any other

CREATE TABLE named_values (
    name TEXT PRIMARY KEY,           -- "wall_high_water", "fence_number"
    number INTEGER,                  -- set by store_set_number
    text TEXT                        -- set by store_set_text
) STRICT, WITHOUT ROWID;

CREATE TABLE epochs (
    epoch INTEGER PRIMARY KEY CHECK (epoch >= 1 AND epoch < 4194304),  -- one log each; below 2^22 so that positions fit
    origin TEXT NOT NULL,            -- the log's name in its checkpoints
    began_at INTEGER NOT NULL        -- when its first entry could come
) STRICT;

CREATE TABLE entries (
    position INTEGER PRIMARY KEY,    -- epoch * 2^40 + seq: appended in order, read by range
    at INTEGER NOT NULL,             -- when it happened
    tenant TEXT NOT NULL,            -- whose
    type TEXT NOT NULL,              -- "request.submitted", "vote"
    request TEXT,                    -- NULL when it is about none
    grant_id TEXT,                   -- NULL when it is about none
    leaf BLOB NOT NULL CHECK (length(leaf) = 32),  -- RFC 6962 leaf hash of bytes
    bytes TEXT NOT NULL              -- the entry: canonical JSON
) STRICT;
CREATE INDEX entries_of_request ON entries (tenant, request) WHERE request IS NOT NULL;

CREATE TABLE nodes (
    epoch INTEGER NOT NULL,          -- whose tree
    level INTEGER NOT NULL CHECK (level > 0),  -- 0 would be leaves; multiples of 8 are kept
    number INTEGER NOT NULL,         -- index of the node within its level
    hash BLOB NOT NULL CHECK (length(hash) = 32),  -- of a perfect subtree, so it never changes
    PRIMARY KEY (epoch, level, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints (
    position INTEGER PRIMARY KEY,    -- epoch * 2^40 + size
    at INTEGER NOT NULL,             -- when it was signed
    root BLOB NOT NULL CHECK (length(root) = 32),  -- of the tree of that size
    note TEXT NOT NULL               -- the signed note
) STRICT;

CREATE TABLE policies (
    publication INTEGER PRIMARY KEY, -- raised each time a version is published; the highest is in force
    version TEXT NOT NULL UNIQUE,    -- hex
    files TEXT NOT NULL,             -- canonical JSON {name: text}, as they were
    published_at INTEGER NOT NULL,   -- when last
    published_by TEXT NOT NULL       -- principal id
) STRICT;

CREATE TRIGGER entries_keep BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entries_stay BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER nodes_keep BEFORE UPDATE ON nodes BEGIN SELECT RAISE(ABORT, 'nodes are append-only'); END;
CREATE TRIGGER nodes_stay BEFORE DELETE ON nodes BEGIN SELECT RAISE(ABORT, 'nodes are append-only'); END;
CREATE TRIGGER checkpoints_keep BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
CREATE TRIGGER checkpoints_stay BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;

PRAGMA user_version = 1;
