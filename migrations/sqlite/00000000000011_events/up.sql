-- What happened, who is told of it, and how each person wants to be told.

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    dedupe_key TEXT NOT NULL CONSTRAINT events_dedupe_key_key UNIQUE,
    owner_organisation_id BIGINT NOT NULL CONSTRAINT events_owner_fkey REFERENCES organisations (id),
    entity_kind TEXT NOT NULL,
    entity_id BIGINT NOT NULL,
    request_id BIGINT CONSTRAINT events_request_fkey REFERENCES requests (id),
    occurred_at TIMESTAMP NOT NULL
);
CREATE INDEX events_occurred_idx ON events (occurred_at);

CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id BIGINT NOT NULL CONSTRAINT notices_event_fkey REFERENCES events (id),
    user_id BIGINT NOT NULL CONSTRAINT notices_user_fkey REFERENCES users (id),
    organisation_id BIGINT CONSTRAINT notices_organisation_fkey REFERENCES organisations (id),
    title TEXT NOT NULL,
    path TEXT,
    mail TEXT NOT NULL CONSTRAINT notices_mail_check CHECK (mail IN ('immediate', 'digest', 'none')),
    created_at TIMESTAMP NOT NULL,
    read_at TIMESTAMP,
    digested_at TIMESTAMP,
    CONSTRAINT notices_event_user_key UNIQUE (event_id, user_id),
    CONSTRAINT notices_digested_check CHECK (digested_at IS NULL OR mail = 'digest')
);
CREATE INDEX notices_unread_idx ON notices (user_id, id) WHERE read_at IS NULL;
CREATE INDEX notices_user_idx ON notices (user_id, id);
CREATE INDEX notices_digest_idx ON notices (user_id, id) WHERE mail = 'digest' AND digested_at IS NULL;

CREATE TABLE notification_preferences (
    user_id BIGINT NOT NULL CONSTRAINT notification_preferences_user_fkey REFERENCES users (id),
    topic TEXT NOT NULL,
    mail TEXT NOT NULL CONSTRAINT notification_preferences_mail_check CHECK (mail IN ('immediate', 'digest', 'none')),
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, topic)
);

-- The calendar entries that go with a mail: a JSON list of {method, file_name, text}.
ALTER TABLE outbox_messages ADD COLUMN calendars TEXT;
ALTER TABLE outbox_messages ADD COLUMN locale TEXT NOT NULL DEFAULT 'ja' CONSTRAINT outbox_messages_locale_check CHECK (locale IN ('ja', 'en'));
-- A digest is the only mail that can be unsubscribed from.
ALTER TABLE outbox_messages ADD COLUMN is_digest BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TRIGGER events_append_only BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: events_append_only'); END;
