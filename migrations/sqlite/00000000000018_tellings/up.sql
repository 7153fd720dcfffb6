-- What is still to be told of an event: to whom, and the facts. A row lives from the change it belongs to until its mails and
-- notices are written, a moment later; what cannot be written is tried again and again.

CREATE TABLE event_tellings (
    event_id INTEGER PRIMARY KEY CONSTRAINT event_tellings_event_fkey REFERENCES events (id),
    told TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0 CONSTRAINT event_tellings_attempts_check CHECK (attempts >= 0),
    not_before TIMESTAMP NOT NULL
);
