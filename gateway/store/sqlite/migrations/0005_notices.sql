-- The outbox: what must be told, committed with what happened.
CREATE TABLE notices (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL,                -- ntc_…
    tenant TEXT NOT NULL,            -- whose
    channel TEXT NOT NULL,           -- destination's name
    event TEXT NOT NULL,             -- "request.pending"
    request TEXT,                    -- req_…
    payload TEXT NOT NULL,           -- JSON
    attempts INTEGER NOT NULL,       -- as counted by the courier when it settles
    created_at INTEGER NOT NULL,     -- when
    due_at INTEGER NOT NULL,         -- not sent before
    leased_until INTEGER NOT NULL,   -- nobody else sends it before
    fence INTEGER NOT NULL,          -- raised by every lease and settlement
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'dead')),  -- only waiting ones are sent
    last_error TEXT,                 -- why the last attempt failed
    UNIQUE (tenant, id)
) STRICT;
CREATE INDEX notices_due ON notices (due_at) WHERE state = 'waiting';

PRAGMA user_version = 5;
