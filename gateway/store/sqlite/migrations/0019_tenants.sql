-- Who shares this gateway without knowing of each other.
CREATE TABLE tenants (
    name TEXT PRIMARY KEY,           -- what rows name in their column `tenant`
    created_at INTEGER NOT NULL      -- when; 0: with the store
) STRICT, WITHOUT ROWID;
INSERT INTO tenants (name, created_at) VALUES ('default', 0);

PRAGMA user_version = 19;
