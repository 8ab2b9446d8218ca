-- Requests, votes, denials, idempotency keys. The indexes on what is pending are partial, so that they stay as small as
-- what is pending; a query uses them only when it repeats their WHERE.
CREATE TABLE requests (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL,                -- req_…
    tenant TEXT NOT NULL,            -- whose
    caller TEXT NOT NULL,            -- cal_…: who asked
    caller_name TEXT NOT NULL,       -- as it was then
    agent TEXT NOT NULL,             -- agt_…: for whom
    agent_name TEXT NOT NULL,        -- as it was then
    state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),  -- enum request_state
    reason INTEGER NOT NULL,         -- enum request_reason
    version INTEGER NOT NULL,        -- raised by every change: compare-and-set
    revision INTEGER NOT NULL,       -- raised by every edit
    risk INTEGER NOT NULL,           -- enum policy_risk
    verdict INTEGER NOT NULL,        -- enum policy_verdict at submission
    subject TEXT NOT NULL,           -- canonical JSON
    subject_key TEXT NOT NULL,       -- type/id
    action TEXT,                     -- canonical JSON with arguments; NULL once erased
    action_name TEXT NOT NULL,       -- the name within action
    resource TEXT NOT NULL,          -- canonical JSON
    resource_key TEXT NOT NULL,      -- type/id
    context TEXT,                    -- canonical JSON, the members that count
    audience TEXT NOT NULL,          -- '' when none was asked
    why TEXT,                        -- the agent's words, untrusted
    trace TEXT,                      -- W3C traceparent
    salt TEXT,                       -- of this revision's digest; NULL once erased
    digest BLOB NOT NULL CHECK (length(digest) = 32),          -- what is bound
    match_key BLOB NOT NULL CHECK (length(match_key) = 32),    -- finds exact repeats
    effect_key BLOB NOT NULL CHECK (length(effect_key) = 32),  -- finds open effects
    near_key BLOB NOT NULL CHECK (length(near_key) = 32),      -- finds near repeats
    requirements TEXT,               -- what must be met; NULL when nothing
    grant_settings TEXT,             -- what a grant would be made with
    explanation TEXT,                -- canonical JSON: why policy decided so
    message TEXT,                    -- the deciding rule's
    policy TEXT,                     -- version, hex
    allows_self_approval INTEGER NOT NULL CHECK (allows_self_approval IN (0, 1)),  -- by its subject and the agent's owner
    parties TEXT NOT NULL,           -- who may not approve: ids with one space between
    near_denials INTEGER NOT NULL,   -- counted at submission
    created_at INTEGER NOT NULL,     -- when it was submitted
    asked_at INTEGER NOT NULL,       -- rung times count from here; moves by frozen time
    settled_at INTEGER NOT NULL,     -- frozen time before this is accounted for
    timeout_at INTEGER NOT NULL,     -- 0 when not pending
    due_at INTEGER NOT NULL,         -- next rung or timeout; 0 when nothing is due or the clock is stopped
    ended_at INTEGER NOT NULL,       -- 0 while pending
    ended_by TEXT,                   -- per_…
    grant_id TEXT NOT NULL,          -- grt_…, '' when none
    UNIQUE (tenant, id)              -- every look-up names the tenant
) STRICT;
CREATE INDEX requests_due ON requests (due_at) WHERE state = 1;
CREATE INDEX requests_pending ON requests (state) WHERE state = 1;
CREATE INDEX requests_match ON requests (tenant, caller, match_key) WHERE state = 1;
-- Approved requests are most of all requests: a filter on them finds enough in order of id.
CREATE INDEX requests_by_state ON requests (tenant, state, id) WHERE state <> 2;
CREATE INDEX requests_by_caller ON requests (tenant, caller, id);
CREATE INDEX requests_by_agent ON requests (tenant, agent, id);

CREATE TABLE votes (
    row_id INTEGER PRIMARY KEY,      -- the order in which they came
    id TEXT NOT NULL,                -- vot_…
    tenant TEXT NOT NULL,            -- whose
    request TEXT NOT NULL,           -- req_…
    person TEXT NOT NULL,            -- per_…
    person_name TEXT NOT NULL,       -- as it was then
    revision INTEGER NOT NULL,       -- which revision it was cast on
    digest BLOB NOT NULL CHECK (length(digest) = 32),  -- what the person saw
    approves INTEGER NOT NULL CHECK (approves IN (0, 1)),  -- 0: denies
    is_late INTEGER NOT NULL CHECK (is_late IN (0, 1)),  -- came after the end, changed nothing
    assurance INTEGER NOT NULL,      -- enum assurance: what the vote proves
    via TEXT NOT NULL,               -- "token", "session"
    reason TEXT,                     -- the person's words
    at INTEGER NOT NULL,             -- when it was cast
    UNIQUE (request, id)
) STRICT;
CREATE TRIGGER votes_keep BEFORE UPDATE ON votes BEGIN SELECT RAISE(ABORT, 'votes are append-only'); END;
CREATE TRIGGER votes_stay BEFORE DELETE ON votes BEGIN SELECT RAISE(ABORT, 'votes are append-only'); END;

CREATE TABLE denials (
    row_id INTEGER PRIMARY KEY,      -- grows with time: forgotten from the front
    tenant TEXT NOT NULL,            -- whose
    match_key BLOB NOT NULL CHECK (length(match_key) = 32),  -- of what was denied
    near_key BLOB NOT NULL CHECK (length(near_key) = 32),  -- of what was denied
    request TEXT NOT NULL,           -- req_…: the one a person denied
    at INTEGER NOT NULL              -- when it was denied
) STRICT;
CREATE INDEX denials_match ON denials (tenant, match_key, at);
CREATE INDEX denials_near ON denials (tenant, near_key, at);

CREATE TABLE idempotency_keys (
    row_id INTEGER PRIMARY KEY,      -- grows with time: looked over in turn
    tenant TEXT NOT NULL,            -- whose
    caller TEXT NOT NULL,            -- cal_…
    name TEXT NOT NULL,              -- the Idempotency-Key sent
    request TEXT NOT NULL,           -- req_…: what it made
    body BLOB NOT NULL CHECK (length(body) = 32),  -- SHA-256 of what was asked with it
    at INTEGER NOT NULL,             -- when it was sent
    UNIQUE (tenant, caller, name)
) STRICT;

PRAGMA user_version = 3;
