-- AuthZEN: denials that may be asked about, and what was asked for (ARAP tasks).
CREATE TABLE evaluations (
    row_id INTEGER PRIMARY KEY,      -- the order of evaluating
    id TEXT NOT NULL UNIQUE,         -- evl_…, as in its entry
    tenant TEXT NOT NULL,            -- whose
    caller TEXT NOT NULL,            -- cal_… that had it evaluated, and alone may ask about it
    binding BLOB NOT NULL CHECK (length(binding) = 32),  -- ARAP binding_hash over what was evaluated
    members TEXT NOT NULL,           -- canonical JSON array: the context members that count
    expires_at INTEGER NOT NULL,     -- nothing may be asked about it from then on
    task TEXT NOT NULL               -- arq_… made of it; '' before
) STRICT;
CREATE INDEX evaluations_by_end ON evaluations (expires_at);

CREATE TABLE tasks (
    row_id INTEGER PRIMARY KEY,      -- the order of asking
    id TEXT NOT NULL UNIQUE,         -- arq_…
    tenant TEXT NOT NULL,            -- whose
    caller TEXT NOT NULL,            -- cal_… that asked
    is_bulk INTEGER NOT NULL CHECK (is_bulk IN (0, 1)),  -- 1: asked for as `items`
    created_at INTEGER NOT NULL      -- when
) STRICT;

CREATE TABLE task_requests (
    task TEXT NOT NULL,              -- arq_…
    tenant TEXT NOT NULL,            -- whose
    number INTEGER NOT NULL,         -- place in the submission, from 0
    request TEXT NOT NULL,           -- req_…
    PRIMARY KEY (task, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_requests_by_request ON task_requests (request);

PRAGMA user_version = 10;
