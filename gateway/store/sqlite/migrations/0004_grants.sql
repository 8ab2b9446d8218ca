-- Grants: one to a request, redeemed once.
CREATE TABLE grants (
    row_id INTEGER PRIMARY KEY,      -- the order of making
    id TEXT NOT NULL,                -- grt_…
    tenant TEXT NOT NULL,            -- whose
    request TEXT NOT NULL UNIQUE,    -- req_…: one request issues one grant
    caller TEXT NOT NULL,            -- cal_…: the holder
    agent TEXT NOT NULL,             -- agt_…
    state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7),  -- enum grant_state
    version INTEGER NOT NULL,        -- raised by every change: compare-and-set
    epoch INTEGER NOT NULL,          -- of the store when it was issued
    digest BLOB NOT NULL CHECK (length(digest) = 32),          -- what it permits
    effect_key BLOB NOT NULL CHECK (length(effect_key) = 32),  -- what stays closed until its effect is known
    audience TEXT NOT NULL,          -- '' when the caller itself
    is_bearer INTEGER NOT NULL CHECK (is_bearer IN (0, 1)),    -- the holder cannot be proved
    ttl_ms INTEGER NOT NULL,         -- of a token
    issued_at INTEGER NOT NULL,      -- when the request was approved
    claim_until INTEGER NOT NULL,    -- no token is minted after
    mint_count INTEGER NOT NULL,     -- tokens minted so far
    token TEXT NOT NULL,             -- jti of the newest token, '' before the first
    token_issued_at INTEGER NOT NULL,  -- of the newest token
    token_expires_at INTEGER NOT NULL,  -- of the newest token
    redeemed_at INTEGER NOT NULL,    -- 0 before
    redeemer TEXT NOT NULL,          -- cal_…, '' before
    fence INTEGER NOT NULL,          -- epoch * 2^40 + n, 0 before
    effect_due_at INTEGER NOT NULL,  -- when a missing report makes the effect unknown
    effect_at INTEGER NOT NULL,      -- when it was reported, 0 before
    effect_summary TEXT,             -- the redeemer's words
    effect_digest TEXT,              -- of the result, as reported
    resolved_by TEXT NOT NULL,       -- per_… who resolved an unknown effect, '' before
    ended_at INTEGER NOT NULL,       -- lapsed or revoked, 0 before
    ended_reason TEXT,               -- "frozen", "approver_disabled"
    due_at INTEGER NOT NULL,         -- claim window or effect deadline, 0 when nothing is due
    UNIQUE (tenant, id)              -- every look-up names the tenant
) STRICT;
CREATE INDEX grants_due ON grants (due_at) WHERE due_at > 0;
CREATE INDEX grants_issued ON grants (id) WHERE state = 1;

CREATE TABLE redemptions (
    fence INTEGER PRIMARY KEY,       -- a fence is handed out once
    grant_id TEXT NOT NULL UNIQUE,   -- a grant is redeemed once
    at INTEGER NOT NULL              -- when it was redeemed
) STRICT;
CREATE TRIGGER redemptions_keep BEFORE UPDATE ON redemptions
BEGIN SELECT RAISE(ABORT, 'redemptions are append-only'); END;
CREATE TRIGGER redemptions_stay BEFORE DELETE ON redemptions
BEGIN SELECT RAISE(ABORT, 'redemptions are append-only'); END;

CREATE TABLE grant_approvers (
    grant_id TEXT NOT NULL,          -- grt_…
    person TEXT NOT NULL,            -- per_… whose vote was counted for it
    PRIMARY KEY (grant_id, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE open_effects (
    tenant TEXT NOT NULL,            -- whose
    effect_key BLOB NOT NULL CHECK (length(effect_key) = 32),  -- as in grants
    grant_id TEXT NOT NULL,          -- grt_… redeemed and not yet known to have succeeded or failed
    PRIMARY KEY (tenant, effect_key, grant_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX open_effects_of_grant ON open_effects (grant_id);

PRAGMA user_version = 4;
