DROP INDEX visits_expert_request_idx;
DROP INDEX visits_expert_load_idx;
CREATE INDEX visits_expert_load_idx ON visits (expert_id, load_day, status);
DROP INDEX expert_conflicts_organisation_idx;
DROP INDEX expert_skills_holders_idx;
DROP INDEX experts_standing_idx;
