-- How people look at requests: when they saw what, who is at it, and what a vote says about that.
ALTER TABLE requests ADD COLUMN show TEXT;         -- canonical JSON array: names of arguments shown first
ALTER TABLE requests ADD COLUMN challenge TEXT;    -- the same, of those that an approver retypes when critical
ALTER TABLE requests ADD COLUMN is_stranded INTEGER NOT NULL DEFAULT 0 CHECK (is_stranded IN (0, 1));  -- nobody may approve it
CREATE INDEX requests_near ON requests (tenant, near_key) WHERE state = 1;

ALTER TABLE votes ADD COLUMN dwell_ms INTEGER NOT NULL DEFAULT -1;       -- since its person saw the revision; -1: never said so
ALTER TABLE votes ADD COLUMN is_quick INTEGER NOT NULL DEFAULT 0 CHECK (is_quick IN (0, 1));        -- an approval faster than its risk allows
ALTER TABLE votes ADD COLUMN is_retyped INTEGER NOT NULL DEFAULT 0 CHECK (is_retyped IN (0, 1));    -- the challenge was retyped
ALTER TABLE votes ADD COLUMN is_over_budget INTEGER NOT NULL DEFAULT 0 CHECK (is_over_budget IN (0, 1));  -- of an hour's
CREATE INDEX votes_of_person ON votes (tenant, person, at);
CREATE INDEX votes_by_time ON votes (tenant, at);

CREATE TABLE views (
    row_id INTEGER PRIMARY KEY,      -- the order of looking
    tenant TEXT NOT NULL,            -- whose
    request TEXT NOT NULL,           -- req_…
    revision INTEGER NOT NULL,       -- which was shown
    person TEXT NOT NULL,            -- per_… to whom
    at INTEGER NOT NULL,             -- when first
    UNIQUE (tenant, request, revision, person)
) STRICT;

CREATE TABLE watches (
    row_id INTEGER PRIMARY KEY,      -- the order of beginning
    tenant TEXT NOT NULL,            -- whose
    request TEXT NOT NULL,           -- req_…
    person TEXT NOT NULL,            -- per_… who says they are at it
    person_name TEXT NOT NULL,       -- as it was then
    since_at INTEGER NOT NULL,       -- when they began
    until_at INTEGER NOT NULL,       -- over then, unless said again
    UNIQUE (tenant, request, person)
) STRICT;

PRAGMA user_version = 12;
