-- The addresses at which programs are told of events, what is sent to each, and every attempt.

CREATE TABLE webhook_endpoints (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation_id BIGINT NOT NULL CONSTRAINT webhook_endpoints_organisation_fkey REFERENCES organisations (id),
    url TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    events TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL CONSTRAINT webhook_endpoints_status_check CHECK (status IN ('active', 'disabled')),
    disabled_reason TEXT CONSTRAINT webhook_endpoints_reason_check CHECK (disabled_reason IN ('gone', 'failing', 'by_hand')),
    failing_since TIMESTAMP,
    paused_until TIMESTAMP,
    secret TEXT NOT NULL,
    previous_secret TEXT,
    previous_until TIMESTAMP,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT webhook_endpoints_disabled_check CHECK ((status = 'disabled') = (disabled_reason IS NOT NULL)),
    CONSTRAINT webhook_endpoints_previous_check CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
);
CREATE INDEX webhook_endpoints_organisation_idx ON webhook_endpoints (organisation_id, id);

CREATE TABLE webhook_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint_id BIGINT NOT NULL CONSTRAINT webhook_deliveries_endpoint_fkey REFERENCES webhook_endpoints (id),
    event_id BIGINT NOT NULL CONSTRAINT webhook_deliveries_event_fkey REFERENCES events (id),
    message_id TEXT NOT NULL CONSTRAINT webhook_deliveries_message_id_key UNIQUE,
    status TEXT NOT NULL CONSTRAINT webhook_deliveries_status_check CHECK (status IN ('queued', 'sending', 'delivered', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    first_attempt_at TIMESTAMP,
    next_attempt_at TIMESTAMP NOT NULL,
    claimed_until TIMESTAMP,
    delivered_at TIMESTAMP,
    last_status INTEGER,
    last_failure TEXT,
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT webhook_deliveries_endpoint_event_key UNIQUE (endpoint_id, event_id)
);
CREATE INDEX webhook_deliveries_due_idx ON webhook_deliveries (next_attempt_at) WHERE status IN ('queued', 'sending');
CREATE INDEX webhook_deliveries_endpoint_idx ON webhook_deliveries (endpoint_id, id);

CREATE TABLE webhook_attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery_id BIGINT NOT NULL CONSTRAINT webhook_attempts_delivery_fkey REFERENCES webhook_deliveries (id),
    attempted_at TIMESTAMP NOT NULL,
    status INTEGER,
    failure TEXT,
    milliseconds INTEGER NOT NULL,
    CONSTRAINT webhook_attempts_outcome_check CHECK ((status IS NULL) = (failure IS NOT NULL))
);
CREATE INDEX webhook_attempts_delivery_idx ON webhook_attempts (delivery_id, id);
