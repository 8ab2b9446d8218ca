-- What rules read of history when a request was asked, so that the same question has the same answer later.
ALTER TABLE requests ADD COLUMN history_read TEXT;  -- operations/history.c; NULL when nothing was read

PRAGMA user_version = 13;
