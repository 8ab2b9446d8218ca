-- What people chose about being told: quiet hours of their own, and channels that leave them alone.
CREATE TABLE choices (
    tenant TEXT NOT NULL,               -- whose
    person TEXT NOT NULL,               -- per_…
    quiet_hours TEXT NOT NULL,          -- as they wrote it: "22:00-07:00 +01:00"; '' for none
    muted TEXT NOT NULL,                -- names of channels, each between spaces; '' for none
    accepts_silence INTEGER NOT NULL,   -- 1: told of nothing anywhere, critical risk included
    changed_at INTEGER NOT NULL,        -- when
    PRIMARY KEY (tenant, person)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 24;
