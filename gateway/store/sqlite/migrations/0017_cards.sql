-- Cards: what stands on channels about a request, changed as the request changes. The outbox is made
-- anew: notices about one card are sent one after the other, and one that tells nothing new is stale.
CREATE TABLE outbox (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL,                -- ntc_…
    tenant TEXT NOT NULL,            -- whose
    channel TEXT NOT NULL,           -- destination's name
    event TEXT NOT NULL,             -- "request.pending"
    request TEXT,                    -- req_…
    recipient TEXT NOT NULL,         -- of a card: per_… or an address; '' for the whole channel
    line TEXT NOT NULL,              -- of one card: sent in order of making; '' when order does not matter
    payload TEXT NOT NULL,           -- JSON; '' of a card: composed when it leaves
    attempts INTEGER NOT NULL,       -- as counted by the courier when it settles
    created_at INTEGER NOT NULL,     -- when
    due_at INTEGER NOT NULL,         -- not sent before
    leased_until INTEGER NOT NULL,   -- nobody else sends it before
    fence INTEGER NOT NULL,          -- raised by every lease and settlement
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'dead', 'stale')),  -- only waiting ones are sent
    last_error TEXT,                 -- why the last attempt failed
    settled_at INTEGER NOT NULL,     -- when the last attempt was over; 0 before the first
    answer TEXT,                     -- what the other side said to it, made visible and cut
    UNIQUE (tenant, id)
) STRICT;
INSERT INTO outbox SELECT row_id, id, tenant, channel, event, request, '', '', payload, attempts, created_at, due_at, leased_until, fence, state, last_error, 0, NULL FROM notices;
DROP TABLE notices;
ALTER TABLE outbox RENAME TO notices;
CREATE INDEX notices_due ON notices (due_at) WHERE state = 'waiting';
CREATE INDEX notices_line ON notices (line, row_id) WHERE state = 'waiting' AND line <> '';
CREATE INDEX notices_of_request ON notices (tenant, request);

CREATE TABLE cards (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    tenant TEXT NOT NULL,            -- whose
    request TEXT NOT NULL,           -- req_…
    channel TEXT NOT NULL,           -- where
    recipient TEXT NOT NULL,         -- per_… or an address; '' for the whole channel
    state TEXT NOT NULL CHECK (state IN ('wanted', 'posting', 'posted')),  -- posting: it may stand there or not
    address TEXT,                    -- JSON: how to change it; NULL when it cannot be
    revision INTEGER NOT NULL,       -- shown last; 0 before it was posted
    version INTEGER NOT NULL,        -- of the request as shown last
    moment TEXT NOT NULL,            -- why it was sent or changed last
    changed_at INTEGER NOT NULL,     -- when it was posted or changed last; 0 before
    UNIQUE (tenant, request, channel, recipient)
) STRICT;

CREATE TABLE person_addresses (
    tenant TEXT NOT NULL,            -- whose
    person TEXT NOT NULL,            -- per_…
    kind TEXT NOT NULL,              -- of the channels it is for: "mail"
    address TEXT NOT NULL,           -- as that kind writes it
    PRIMARY KEY (tenant, person, kind)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX person_of_address ON person_addresses (tenant, kind, address);

PRAGMA user_version = 17;
