-- Saying "I am on it" is an entry each time: how often one person may on one request is bounded.
ALTER TABLE watches ADD COLUMN times INTEGER NOT NULL DEFAULT 1;  -- how often it was begun, prolonged or ended

PRAGMA user_version = 16;
