-- Changes that one admin began and another has to make too.
CREATE TABLE proposals (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL UNIQUE,         -- prp_…
    tenant TEXT NOT NULL,            -- whose
    proposer TEXT NOT NULL,          -- per_…: who began it
    method TEXT NOT NULL,            -- of the call it is
    path TEXT NOT NULL,              -- of the call it is
    what TEXT NOT NULL,              -- the route, without names
    body TEXT,                       -- as it was sent; NULL: none
    hash BLOB NOT NULL CHECK (length(hash) = 32),  -- of method, path and body: what must be the same
    state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),  -- enum proposal_state
    created_at INTEGER NOT NULL,     -- when
    expires_at INTEGER NOT NULL,     -- good for nothing then
    decided_by TEXT                  -- per_…, who made it too or took it back; NULL while open
) STRICT;
CREATE INDEX proposals_open ON proposals (tenant, hash) WHERE state = 1;

PRAGMA user_version = 15;
