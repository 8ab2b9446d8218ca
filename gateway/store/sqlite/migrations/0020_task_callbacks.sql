-- Callbacks of tasks: where the caller that asked wants to be told of the end.
ALTER TABLE tasks ADD COLUMN callback TEXT NOT NULL DEFAULT '';          -- URL; '' when it wants none
ALTER TABLE tasks ADD COLUMN callback_channel TEXT NOT NULL DEFAULT '';  -- the channel that allowed it
ALTER TABLE tasks ADD COLUMN callback_events TEXT NOT NULL DEFAULT '';   -- ends that are told, each between spaces
ALTER TABLE tasks ADD COLUMN callback_state TEXT;                        -- the caller's own, given back

PRAGMA user_version = 20;
