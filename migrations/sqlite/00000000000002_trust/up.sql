-- What must not be lost: audit events and their seals, idempotency records, the outbox, leases, document numbers.

CREATE TABLE audit_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    occurred_at TIMESTAMP NOT NULL,
    operation TEXT NOT NULL,
    actor_kind TEXT NOT NULL CONSTRAINT audit_events_actor_kind_check CHECK (actor_kind IN ('user', 'api_client', 'link', 'system', 'command')),
    actor_user_id BIGINT,
    actor_api_client_id BIGINT,
    membership_id BIGINT,
    organisation_id BIGINT,
    filed_for_organisation_id BIGINT,
    entity_kind TEXT NOT NULL,
    entity_id BIGINT,
    owner_organisation_id BIGINT,
    old_value TEXT,
    new_value TEXT,
    reason TEXT,
    request_id TEXT NOT NULL
);
CREATE INDEX audit_events_entity_idx ON audit_events (entity_kind, entity_id);
CREATE INDEX audit_events_owner_idx ON audit_events (owner_organisation_id, id);
CREATE INDEX audit_events_organisation_idx ON audit_events (organisation_id, id);

CREATE TABLE audit_seals (
    sequence BIGINT PRIMARY KEY,
    event_id BIGINT NOT NULL CONSTRAINT audit_seals_event_id_key UNIQUE,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);

CREATE TABLE idempotency_records (
    principal TEXT NOT NULL,
    operation TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT,
    location TEXT,
    etag TEXT,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (principal, operation, idempotency_key)
);
CREATE INDEX idempotency_records_created_idx ON idempotency_records (created_at);

CREATE TABLE outbox_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    dedupe_key TEXT NOT NULL CONSTRAINT outbox_messages_dedupe_key_key UNIQUE,
    message_id TEXT NOT NULL CONSTRAINT outbox_messages_message_id_key UNIQUE,
    owner_organisation_id BIGINT CONSTRAINT outbox_messages_owner_fkey REFERENCES organisations (id),
    entity_kind TEXT,
    entity_id BIGINT,
    recipient_address TEXT NOT NULL,
    recipient_name TEXT NOT NULL DEFAULT '',
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    secret TEXT,
    thread_id TEXT,
    status TEXT NOT NULL CONSTRAINT outbox_messages_status_check CHECK (status IN ('queued', 'sending', 'sent', 'parked')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at TIMESTAMP NOT NULL,
    claimed_by TEXT,
    claimed_until TIMESTAMP,
    last_error TEXT,
    sent_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX outbox_messages_due_idx ON outbox_messages (status, next_attempt_at);
CREATE INDEX outbox_messages_owner_idx ON outbox_messages (owner_organisation_id, id);

CREATE TABLE job_leases (
    name TEXT PRIMARY KEY,
    claimed_by TEXT NOT NULL,
    claimed_until TIMESTAMP NOT NULL,
    last_run_at TIMESTAMP
);

CREATE TABLE document_numbers (
    owner_organisation_id BIGINT NOT NULL CONSTRAINT document_numbers_owner_fkey REFERENCES organisations (id),
    kind TEXT NOT NULL,
    fiscal_year INTEGER NOT NULL,
    last_number INTEGER NOT NULL CONSTRAINT document_numbers_last_number_check CHECK (last_number >= 1),
    PRIMARY KEY (owner_organisation_id, kind, fiscal_year)
);

CREATE TRIGGER audit_events_append_only_update BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: audit_events_append_only'); END;
CREATE TRIGGER audit_events_append_only_delete BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: audit_events_append_only'); END;
CREATE TRIGGER audit_seals_append_only_update BEFORE UPDATE ON audit_seals
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: audit_seals_append_only'); END;
CREATE TRIGGER audit_seals_append_only_delete BEFORE DELETE ON audit_seals
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: audit_seals_append_only'); END;
