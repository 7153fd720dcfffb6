ALTER TABLE outbox_messages DROP COLUMN is_digest;
ALTER TABLE outbox_messages DROP COLUMN locale;
ALTER TABLE outbox_messages DROP COLUMN calendars;
DROP TABLE notification_preferences;
DROP TABLE notices;
DROP TABLE events;
