-- How often what happened, for rules that read `history`.
CREATE TABLE history (
    row_id INTEGER PRIMARY KEY,      -- looked over in turn, to forget what no window reaches
    series BLOB NOT NULL UNIQUE CHECK (length(series) = 32),  -- of what is counted: keyed hash, never leaves the store
    at INTEGER NOT NULL,             -- when something was last counted
    counts BLOB NOT NULL             -- requests/history.h
) STRICT;

CREATE TABLE history_kinds (
    parts INTEGER PRIMARY KEY CHECK (parts BETWEEN 1 AND 31),  -- set of enum policy_history_part that rules in force read
    since_at INTEGER NOT NULL,       -- what happened from then on is counted as it happens
    cursor INTEGER NOT NULL          -- older requests still to be counted are below this row; 0: none, -1: not begun
) STRICT;

PRAGMA user_version = 8;
