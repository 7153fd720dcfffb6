-- Undoes up.sql, children first.
DROP TABLE document_numbers;
DROP TABLE job_leases;
DROP TABLE outbox_messages;
DROP TABLE idempotency_records;
DROP TABLE audit_seals;
DROP TABLE audit_events;
DROP FUNCTION refuse_change();
