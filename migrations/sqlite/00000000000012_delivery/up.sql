-- Delivery of mail: the log of attempts, addresses that do not exist, the relay's pauses and limits, repeats.
ALTER TABLE outbox_messages ADD COLUMN permanent BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE outbox_messages ADD COLUMN resend_of BIGINT CONSTRAINT outbox_messages_resend_of_fkey REFERENCES outbox_messages (id);
-- What waits is found by indexes that hold nothing else: whatever has been sent in ten years costs a claim nothing.
DROP INDEX outbox_messages_due_idx;
CREATE INDEX outbox_messages_queued_idx ON outbox_messages (next_attempt_at, id) WHERE status = 'queued';
CREATE INDEX outbox_messages_sending_idx ON outbox_messages (claimed_until) WHERE status = 'sending';
CREATE INDEX outbox_messages_turn_idx ON outbox_messages (recipient_address, id) WHERE status IN ('queued', 'sending');
CREATE INDEX outbox_messages_parked_idx ON outbox_messages (owner_organisation_id, id) WHERE status = 'parked';
CREATE INDEX outbox_messages_recipient_idx ON outbox_messages (owner_organisation_id, recipient_address, id);
CREATE INDEX outbox_messages_resend_idx ON outbox_messages (resend_of) WHERE resend_of IS NOT NULL;

CREATE TABLE delivery_attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    outbox_message_id BIGINT NOT NULL CONSTRAINT delivery_attempts_message_fkey REFERENCES outbox_messages (id),
    attempted_at TIMESTAMP NOT NULL,
    worker TEXT NOT NULL,
    outcome TEXT NOT NULL CONSTRAINT delivery_attempts_outcome_check
        CHECK (outcome IN ('sent', 'deferred', 'refused', 'recipient_refused', 'unbuildable', 'unknown')),
    code INTEGER,
    detail TEXT NOT NULL DEFAULT ''
);
CREATE INDEX delivery_attempts_message_idx ON delivery_attempts (outbox_message_id, id);
CREATE TRIGGER delivery_attempts_append_only_update BEFORE UPDATE ON delivery_attempts
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: delivery_attempts_append_only'); END;
CREATE TRIGGER delivery_attempts_append_only_delete BEFORE DELETE ON delivery_attempts
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: delivery_attempts_append_only'); END;

CREATE TABLE undeliverable_addresses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT NOT NULL CONSTRAINT undeliverable_addresses_address_key UNIQUE,
    since TIMESTAMP NOT NULL,
    last_refused_at TIMESTAMP NOT NULL,
    refusals INTEGER NOT NULL DEFAULT 1 CONSTRAINT undeliverable_addresses_refusals_check CHECK (refusals > 0),
    code INTEGER,
    detail TEXT NOT NULL DEFAULT ''
);

-- One row: what all processes must know of the relay together.
CREATE TABLE mail_relay (
    id INTEGER PRIMARY KEY CONSTRAINT mail_relay_single_check CHECK (id = 1),
    paused_until TIMESTAMP,
    pauses INTEGER NOT NULL DEFAULT 0,
    slots_until TIMESTAMP
);
INSERT INTO mail_relay (id) VALUES (1);
