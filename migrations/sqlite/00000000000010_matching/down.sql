-- Undoes up.sql, children first. A cancelled run becomes one that failed: the earlier release knows no other word for it.
DROP TABLE allocation_members;
CREATE TABLE allocation_runs_old (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pool_id BIGINT NOT NULL CONSTRAINT allocation_runs_pool_id_fkey REFERENCES pools (id),
    owner_organisation_id BIGINT NOT NULL CONSTRAINT allocation_runs_owner_fkey REFERENCES organisations (id),
    status TEXT NOT NULL CONSTRAINT allocation_runs_status_check CHECK (status IN ('queued', 'planned', 'failed', 'applied')),
    options TEXT NOT NULL,
    problem TEXT NOT NULL DEFAULT '',
    certificate TEXT NOT NULL DEFAULT '',
    result TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    created_by BIGINT CONSTRAINT allocation_runs_created_by_fkey REFERENCES users (id),
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT allocation_runs_result_check CHECK ((status IN ('queued', 'failed')) = (result = ''))
);
INSERT INTO allocation_runs_old (id, pool_id, owner_organisation_id, status, options, problem, certificate, result, note, created_by,
    version, created_at, updated_at)
SELECT id, pool_id, owner_organisation_id, CASE WHEN status = 'cancelled' THEN 'failed' ELSE status END, options, problem, certificate,
    CASE WHEN status = 'cancelled' THEN '' ELSE result END, note, created_by, version, created_at, updated_at
FROM allocation_runs ORDER BY id;
CREATE TABLE allocation_assignments_old (
    run_id BIGINT NOT NULL CONSTRAINT allocation_assignments_run_id_fkey REFERENCES allocation_runs_old (id),
    request_id BIGINT NOT NULL CONSTRAINT allocation_assignments_request_id_fkey REFERENCES requests (id),
    expert_id BIGINT CONSTRAINT allocation_assignments_expert_id_fkey REFERENCES experts (id),
    planned_expert_id BIGINT CONSTRAINT allocation_assignments_planned_expert_fkey REFERENCES experts (id),
    request_version BIGINT NOT NULL,
    expert_version BIGINT,
    override_reason TEXT NOT NULL DEFAULT '',
    offer_id BIGINT CONSTRAINT allocation_assignments_offer_id_fkey REFERENCES offers (id),
    PRIMARY KEY (run_id, request_id),
    CONSTRAINT allocation_assignments_offer_key UNIQUE (offer_id),
    CONSTRAINT allocation_assignments_override_check CHECK (
        override_reason <> '' OR expert_id = planned_expert_id OR (expert_id IS NULL AND planned_expert_id IS NULL)),
    CONSTRAINT allocation_assignments_offered_check CHECK (offer_id IS NULL OR expert_id IS NOT NULL)
);
INSERT INTO allocation_assignments_old (run_id, request_id, expert_id, planned_expert_id, request_version, expert_version,
    override_reason, offer_id)
SELECT run_id, request_id, expert_id, planned_expert_id, request_version, expert_version, override_reason, offer_id
FROM allocation_assignments;
DROP TABLE allocation_assignments;
DROP TABLE allocation_runs;
ALTER TABLE allocation_runs_old RENAME TO allocation_runs;
ALTER TABLE allocation_assignments_old RENAME TO allocation_assignments;
CREATE INDEX allocation_runs_owner_idx ON allocation_runs (owner_organisation_id, id);
CREATE INDEX allocation_runs_queued_idx ON allocation_runs (id) WHERE status = 'queued';
CREATE INDEX allocation_assignments_request_idx ON allocation_assignments (request_id);

ALTER TABLE expert_conflicts DROP COLUMN kind;
ALTER TABLE experts DROP COLUMN employer_consent_until;
ALTER TABLE experts DROP COLUMN employer_consent;
ALTER TABLE experts DROP COLUMN capacity_minutes_week;
ALTER TABLE experts DROP COLUMN serves_islands;
DROP TABLE request_interests;
ALTER TABLE request_skills DROP COLUMN verified_only;
ALTER TABLE request_skills DROP COLUMN alternative_group;
-- The check of the rotation names the number of experts.
ALTER TABLE requests DROP COLUMN rotation;
ALTER TABLE requests DROP COLUMN experts_needed;
ALTER TABLE requests DROP COLUMN languages;
ALTER TABLE requests DROP COLUMN on_island;
