-- People, agents, callers, their credentials, freezes. Small tables.
CREATE TABLE people (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL UNIQUE,         -- per_…
    tenant TEXT NOT NULL,            -- whose
    name TEXT NOT NULL,              -- unique in the tenant
    display TEXT,                    -- what cards and pages show; NULL: the name
    is_admin INTEGER NOT NULL CHECK (is_admin IN (0, 1)),  -- manages; approves nothing by being admin
    is_auditor INTEGER NOT NULL CHECK (is_auditor IN (0, 1)),  -- reads all of the tenant
    is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),  -- 0: may do nothing
    created_at INTEGER NOT NULL,     -- when
    disabled_at INTEGER NOT NULL,    -- 0 while enabled
    UNIQUE (tenant, name)
) STRICT;

CREATE TABLE person_subjects (
    tenant TEXT NOT NULL,            -- whose
    subject_key TEXT NOT NULL COLLATE NOCASE,  -- type/id; ASCII case does not make another person
    person TEXT NOT NULL,            -- per_…
    PRIMARY KEY (tenant, subject_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_subjects_of_person ON person_subjects (person);

CREATE TABLE members (
    tenant TEXT NOT NULL,            -- whose
    group_name TEXT NOT NULL,        -- a group is its members
    person TEXT NOT NULL,            -- per_…
    PRIMARY KEY (tenant, group_name, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_of_person ON members (tenant, person);

CREATE TABLE agents (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL UNIQUE,         -- agt_…
    tenant TEXT NOT NULL,            -- whose
    name TEXT NOT NULL,              -- unique in the tenant
    owner TEXT NOT NULL,             -- per_…, '' when none is registered
    is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),  -- 0: may do nothing
    created_at INTEGER NOT NULL,     -- when
    UNIQUE (tenant, name)
) STRICT;

CREATE TABLE callers (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL UNIQUE,         -- cal_…
    tenant TEXT NOT NULL,            -- whose
    name TEXT NOT NULL,              -- unique in the tenant
    is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),  -- 0: may do nothing
    created_at INTEGER NOT NULL,     -- when
    UNIQUE (tenant, name)
) STRICT;

CREATE TABLE caller_lists (
    caller TEXT NOT NULL,            -- cal_…
    list TEXT NOT NULL CHECK (list IN ('agent', 'audience', 'subject')),  -- which of its three lists
    place INTEGER NOT NULL,          -- order within the list
    entry TEXT NOT NULL,             -- agent id, audience, or glob over type/id
    PRIMARY KEY (caller, list, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE credentials (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL UNIQUE,         -- key_… or tok_…
    tenant TEXT NOT NULL,            -- whose
    kind INTEGER NOT NULL CHECK (kind > 0),  -- enum credential_kind
    owner TEXT NOT NULL,             -- cal_… or per_…
    hash BLOB NOT NULL CHECK (length(hash) = 32),  -- SHA-256 of the whole secret text
    label TEXT,                      -- what its owner calls it
    is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),  -- 0: may do nothing
    disabled_reason TEXT,            -- NULL while enabled
    created_at INTEGER NOT NULL,     -- when
    expires_at INTEGER NOT NULL,     -- 0: never
    UNIQUE (kind, hash)
) STRICT;
CREATE INDEX credentials_of_owner ON credentials (owner);

CREATE TABLE freezes (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL UNIQUE,         -- frz_…
    scope INTEGER NOT NULL CHECK (scope BETWEEN 1 AND 4),  -- enum freeze_scope
    tenant TEXT NOT NULL,            -- '' for everything
    target TEXT NOT NULL,            -- agent id or action glob; '' otherwise
    reason TEXT NOT NULL,            -- the admin's words
    frozen_by TEXT NOT NULL,         -- principal id
    since_at INTEGER NOT NULL,       -- when it began
    until_at INTEGER NOT NULL,       -- 0 while in force
    thawed_by TEXT                   -- principal id
) STRICT;
CREATE INDEX freezes_by_end ON freezes (until_at);

PRAGMA user_version = 2;
