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

-- A run can be cancelled and says how far it is.
ALTER TABLE allocation_runs ADD COLUMN progress INTEGER NOT NULL DEFAULT 0
    CONSTRAINT allocation_runs_progress_check CHECK (progress BETWEEN 0 AND 100);
UPDATE allocation_runs SET progress = 100 WHERE status IN ('planned', 'applied');
ALTER TABLE allocation_runs DROP CONSTRAINT allocation_runs_status_check;
ALTER TABLE allocation_runs ADD CONSTRAINT allocation_runs_status_check CHECK (status IN (
    'queued', 'planned', 'failed', 'applied', 'cancelled'));
ALTER TABLE allocation_runs DROP CONSTRAINT allocation_runs_result_check;
ALTER TABLE allocation_runs ADD CONSTRAINT allocation_runs_result_check CHECK (
    status = 'cancelled' OR (status IN ('queued', 'failed')) = (result = ''));

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
