-- Undoes up.sql. Repeats stay in the outbox as mails like any other.
DROP TABLE mail_relay;
DROP TABLE undeliverable_addresses;
DROP TABLE delivery_attempts;
DROP INDEX outbox_messages_resend_idx;
DROP INDEX outbox_messages_recipient_idx;
DROP INDEX outbox_messages_parked_idx;
DROP INDEX outbox_messages_turn_idx;
DROP INDEX outbox_messages_sending_idx;
DROP INDEX outbox_messages_queued_idx;
CREATE INDEX outbox_messages_due_idx ON outbox_messages (status, next_attempt_at);
ALTER TABLE outbox_messages DROP COLUMN resend_of;
ALTER TABLE outbox_messages DROP COLUMN permanent;
