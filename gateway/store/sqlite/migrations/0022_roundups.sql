-- Round-ups: many prompts to one destination that leave as one message. The outbox is made anew: what
-- may leave next is found by an index however much waits, and a notice may have gone in a round-up.
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
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'dead', 'stale', 'gathered')),  -- only waiting ones are sent
    last_error TEXT,                 -- why the last attempt failed
    settled_at INTEGER NOT NULL,     -- when the last attempt was over; 0 before the first
    answer TEXT,                     -- what the other side said to it, made visible and cut
    roundup TEXT,                    -- rnd_…: which it went in (state gathered), or which it tells; NULL: none
    gathering INTEGER NOT NULL,      -- 1: left for a round-up until due_at
    is_behind INTEGER NOT NULL,      -- 1: another waits before it in its line
    lane TEXT NOT NULL AS (CASE event WHEN 'channel.test' THEN '' ELSE channel END) VIRTUAL,  -- held up together
    ready_at INTEGER NOT NULL AS (max(due_at, leased_until)) VIRTUAL,  -- not leased before
    UNIQUE (tenant, id)
) STRICT;
INSERT INTO outbox (row_id, id, tenant, channel, event, request, recipient, line, payload, attempts, created_at, due_at, leased_until, fence, state, last_error, settled_at, answer, gathering, is_behind) SELECT row_id, id, tenant, channel, event, request, recipient, line, payload, attempts, created_at, due_at, leased_until, fence, state, last_error, settled_at, answer, 0, state = 'waiting' AND line <> '' AND EXISTS (SELECT 1 FROM notices AS earlier WHERE earlier.state = 'waiting' AND earlier.line <> '' AND earlier.line = notices.line AND earlier.row_id < notices.row_id) FROM notices;
DROP TABLE notices;
ALTER TABLE outbox RENAME TO notices;
CREATE INDEX notices_ready ON notices (lane, ready_at) WHERE state = 'waiting' AND is_behind = 0;
CREATE INDEX notices_place ON notices (channel, recipient, due_at) WHERE state = 'waiting' AND is_behind = 0;
CREATE INDEX notices_line ON notices (line, row_id) WHERE state = 'waiting' AND line <> '';
CREATE INDEX notices_of_request ON notices (tenant, request);

CREATE TABLE roundups (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL,                -- rnd_…
    tenant TEXT NOT NULL,            -- whose
    channel TEXT NOT NULL,           -- where
    recipient TEXT NOT NULL,         -- per_… or an address; '' for the whole channel
    state TEXT NOT NULL CHECK (state IN ('wanted', 'posting', 'posted')),  -- posting: it may stand there or not
    address TEXT,                    -- JSON: how to change it; NULL when it cannot be
    version INTEGER NOT NULL,        -- raised when something of it changes
    shown INTEGER NOT NULL,          -- the version that was shown last; 0 before it was posted
    created_at INTEGER NOT NULL,     -- when it was gathered
    changed_at INTEGER NOT NULL,     -- when it was posted or changed last; 0 before
    UNIQUE (tenant, id)
) STRICT;
CREATE INDEX roundups_of_place ON roundups (tenant, channel, recipient, created_at);

ALTER TABLE cards ADD COLUMN told_at INTEGER NOT NULL DEFAULT 0;  -- when it was first sent on its own; 0 before
ALTER TABLE cards ADD COLUMN roundup TEXT;                        -- rnd_…: it stands there; NULL: on its own
CREATE INDEX cards_told ON cards (tenant, channel, recipient, told_at) WHERE told_at > 0;
CREATE INDEX cards_of_roundup ON cards (tenant, roundup) WHERE roundup IS NOT NULL;

PRAGMA user_version = 22;
