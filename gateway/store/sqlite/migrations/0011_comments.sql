-- What approvers ask and agents answer.
ALTER TABLE requests ADD COLUMN comment_count INTEGER NOT NULL DEFAULT 0;   -- of both sides
ALTER TABLE requests ADD COLUMN question_count INTEGER NOT NULL DEFAULT 0;  -- of people
ALTER TABLE requests ADD COLUMN question TEXT NOT NULL DEFAULT '';          -- cmt_… that waits for an answer; '' when none

CREATE TABLE comments (
    row_id INTEGER PRIMARY KEY,      -- the order in which they came
    id TEXT NOT NULL,                -- cmt_…
    tenant TEXT NOT NULL,            -- whose
    request TEXT NOT NULL,           -- req_…
    revision INTEGER NOT NULL,       -- which was current then
    author TEXT NOT NULL,            -- per_… who asks, cal_… who answers
    author_name TEXT NOT NULL,       -- as it was then; of the agent where it answers
    text TEXT,                       -- their words, untrusted; NULL once erased
    at INTEGER NOT NULL,             -- when
    UNIQUE (tenant, id)
) STRICT;
CREATE INDEX comments_of_request ON comments (tenant, request);

PRAGMA user_version = 11;
