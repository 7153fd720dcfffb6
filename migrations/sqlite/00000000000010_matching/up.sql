-- What matching has to know beyond skills, days and places: islands, languages, teams, alternatives between skills, bodies with
-- an interest in the outcome, permits of employers, weekly limits, and plans that are worked out step by step.

ALTER TABLE requests ADD COLUMN on_island BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE requests ADD COLUMN languages TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN experts_needed INTEGER NOT NULL DEFAULT 1
    CONSTRAINT requests_experts_needed_check CHECK (experts_needed BETWEEN 1 AND 5);
ALTER TABLE requests ADD COLUMN rotation BOOLEAN NOT NULL DEFAULT FALSE
    CONSTRAINT requests_rotation_check CHECK (NOT rotation OR experts_needed > 1);

-- Required skills of one request with the same number are alternatives: one of them is enough.
ALTER TABLE request_skills ADD COLUMN alternative_group INTEGER
    CONSTRAINT request_skills_alternative_group_check CHECK (alternative_group BETWEEN 1 AND 20);
ALTER TABLE request_skills ADD COLUMN verified_only BOOLEAN NOT NULL DEFAULT FALSE;

-- Bodies with an interest in the outcome, such as bidders.
CREATE TABLE request_interests (
    request_id BIGINT NOT NULL CONSTRAINT request_interests_request_id_fkey REFERENCES requests (id),
    organisation_id BIGINT NOT NULL CONSTRAINT request_interests_organisation_id_fkey REFERENCES organisations (id),
    PRIMARY KEY (request_id, organisation_id)
);

ALTER TABLE experts ADD COLUMN serves_islands BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE experts ADD COLUMN capacity_minutes_week INTEGER
    CONSTRAINT experts_capacity_minutes_week_check CHECK (capacity_minutes_week BETWEEN 0 AND 10080);
ALTER TABLE experts ADD COLUMN employer_consent TEXT NOT NULL DEFAULT 'not_needed'
    CONSTRAINT experts_employer_consent_check CHECK (employer_consent IN ('not_needed', 'pending', 'given'));
ALTER TABLE experts ADD COLUMN employer_consent_until DATE
    CONSTRAINT experts_employer_consent_until_check CHECK (employer_consent_until IS NULL OR employer_consent = 'given');

ALTER TABLE expert_conflicts ADD COLUMN kind TEXT NOT NULL DEFAULT 'interest'
    CONSTRAINT expert_conflicts_kind_check CHECK (kind IN ('interest', 'refused_by_expert', 'refused_by_body'));

-- A run can be cancelled and says how far it is. SQLite cannot change a check, so the table is made anew; its child too, or
-- dropping the old one would break the references.
CREATE TABLE allocation_runs_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pool_id BIGINT NOT NULL CONSTRAINT allocation_runs_pool_id_fkey REFERENCES pools (id),
    owner_organisation_id BIGINT NOT NULL CONSTRAINT allocation_runs_owner_fkey REFERENCES organisations (id),
    status TEXT NOT NULL CONSTRAINT allocation_runs_status_check CHECK (status IN (
        'queued', 'planned', 'failed', 'applied', 'cancelled')),
    progress INTEGER NOT NULL DEFAULT 0 CONSTRAINT allocation_runs_progress_check CHECK (progress BETWEEN 0 AND 100),
    options TEXT NOT NULL,
    problem TEXT NOT NULL DEFAULT '',
    certificate TEXT NOT NULL DEFAULT '',
    result TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    created_by BIGINT CONSTRAINT allocation_runs_created_by_fkey REFERENCES users (id),
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT allocation_runs_result_check CHECK (status = 'cancelled' OR (status IN ('queued', 'failed')) = (result = ''))
);
INSERT INTO allocation_runs_new (id, pool_id, owner_organisation_id, status, progress, options, problem, certificate, result, note,
    created_by, version, created_at, updated_at)
SELECT id, pool_id, owner_organisation_id, status, CASE WHEN status IN ('planned', 'applied') THEN 100 ELSE 0 END, options, problem,
    certificate, result, note, created_by, version, created_at, updated_at
FROM allocation_runs ORDER BY id;
CREATE TABLE allocation_assignments_new (
    run_id BIGINT NOT NULL CONSTRAINT allocation_assignments_run_id_fkey REFERENCES allocation_runs_new (id),
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
INSERT INTO allocation_assignments_new (run_id, request_id, expert_id, planned_expert_id, request_version, expert_version,
    override_reason, offer_id)
SELECT run_id, request_id, expert_id, planned_expert_id, request_version, expert_version, override_reason, offer_id
FROM allocation_assignments;
DROP TABLE allocation_assignments;
DROP TABLE allocation_runs;
-- The references of the child follow the new name.
ALTER TABLE allocation_runs_new RENAME TO allocation_runs;
ALTER TABLE allocation_assignments_new RENAME TO allocation_assignments;
CREATE INDEX allocation_runs_owner_idx ON allocation_runs (owner_organisation_id, id);
CREATE INDEX allocation_runs_queued_idx ON allocation_runs (id) WHERE status = 'queued';
CREATE INDEX allocation_assignments_request_idx ON allocation_assignments (request_id);

-- The further members of the teams that a plan names; the lead stands in the assignment.
CREATE TABLE allocation_members (
    run_id BIGINT NOT NULL,
    request_id BIGINT NOT NULL,
    position INTEGER NOT NULL CONSTRAINT allocation_members_position_check CHECK (position BETWEEN 1 AND 4),
    expert_id BIGINT NOT NULL CONSTRAINT allocation_members_expert_id_fkey REFERENCES experts (id),
    expert_version BIGINT,
    offer_id BIGINT CONSTRAINT allocation_members_offer_id_fkey REFERENCES offers (id),
    PRIMARY KEY (run_id, request_id, position),
    CONSTRAINT allocation_members_expert_key UNIQUE (run_id, request_id, expert_id),
    CONSTRAINT allocation_members_offer_key UNIQUE (offer_id),
    CONSTRAINT allocation_members_assignment_fkey FOREIGN KEY (run_id, request_id)
        REFERENCES allocation_assignments (run_id, request_id)
);
