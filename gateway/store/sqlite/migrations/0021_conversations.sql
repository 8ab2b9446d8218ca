-- Where bots reach the conversations that channels name, as the service said last.
CREATE TABLE chat_conversations (
    service TEXT NOT NULL,           -- "teams"
    app TEXT NOT NULL,               -- which bot: the id of its application
    conversation TEXT NOT NULL,      -- "19:…@thread.tacv2"
    service_url TEXT NOT NULL,       -- https://… that teams_may_serve allowed; checked again before each use
    said_at INTEGER NOT NULL,        -- when
    PRIMARY KEY (service, app, conversation)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 21;
