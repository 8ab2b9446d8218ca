-- The outbox: what must be told, committed with what happened.
CREATE TABLE notices (
    row_id INTEGER PRIMARY KEY,
    id TEXT NOT NULL,                -- ntc_…
    tenant TEXT NOT NULL,
    channel TEXT NOT NULL,           -- destination's name
    event TEXT NOT NULL,             -- "request.pending"
    request TEXT,                    -- req_…
    payload TEXT NOT NULL,           -- JSON
    attempts INTEGER NOT NULL,       -- as counted by the courier when it settles
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,         -- not sent before
    leased_until INTEGER NOT NULL,   -- nobody else sends it before
    fence INTEGER NOT NULL,          -- raised by every lease and settlement
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'dead')),
    last_error TEXT,
    UNIQUE (tenant, id)
) STRICT;
CREATE INDEX notices_due ON notices (due_at) WHERE state = 'waiting';

PRAGMA user_version = 5;
