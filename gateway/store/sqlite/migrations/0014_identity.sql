-- What a caller proved, whom it speaks for beyond its registration, and who holds a grant.
ALTER TABLE callers ADD COLUMN keeps_unverified INTEGER NOT NULL DEFAULT 0 CHECK (keeps_unverified IN (0, 1));  -- 1: agents and subjects beyond its lists are kept, marked
ALTER TABLE requests ADD COLUMN identity TEXT NOT NULL DEFAULT '';  -- what the caller proved to be: a SPIFFE ID, or issuer and sub; '' with an API key
ALTER TABLE requests ADD COLUMN act TEXT NOT NULL DEFAULT '';  -- canonical JSON list of who acts for whom (RFC 8693), '' when none
ALTER TABLE requests ADD COLUMN unverified TEXT NOT NULL DEFAULT '';  -- of agent and subject those beyond the registration, one space between
ALTER TABLE requests ADD COLUMN confirmation TEXT NOT NULL DEFAULT '';  -- the key the caller showed: jkt:… or x5t#S256:…; '' none
ALTER TABLE grants ADD COLUMN confirmation TEXT NOT NULL DEFAULT '';  -- the key its holder must show; '' none

PRAGMA user_version = 14;
