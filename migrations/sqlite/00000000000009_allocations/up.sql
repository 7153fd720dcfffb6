-- Plan-wide allocation: runs of the solver over a pool's open requests, and what came of each assignment.

CREATE TABLE allocation_runs (
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
CREATE INDEX allocation_runs_owner_idx ON allocation_runs (owner_organisation_id, id);
CREATE INDEX allocation_runs_queued_idx ON allocation_runs (id) WHERE status = 'queued';

-- One request of a run: who was planned, who a person put in the place, and the offer that came of it.
CREATE TABLE allocation_assignments (
    run_id BIGINT NOT NULL CONSTRAINT allocation_assignments_run_id_fkey REFERENCES allocation_runs (id),
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
CREATE INDEX allocation_assignments_request_idx ON allocation_assignments (request_id);
