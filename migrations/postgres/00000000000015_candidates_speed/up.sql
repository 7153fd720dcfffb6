-- Ranking candidates looks at everybody who holds the skills: what it asks of each is answered by an index alone.

CREATE INDEX experts_standing_idx ON experts (pool_id, status, onsite, online);
CREATE INDEX expert_skills_holders_idx ON expert_skills (skill_item_id, pool_id, level, expert_id, verified);
CREATE INDEX expert_conflicts_organisation_idx ON expert_conflicts (organisation_id, expert_id);

-- The same order as before, with what a visit weighs.
DROP INDEX visits_expert_load_idx;
CREATE INDEX visits_expert_load_idx ON visits (expert_id, load_day, status, planned_minutes, actual_minutes, day);

-- Visits for requests: those ahead are engagements, those done are evidence.
CREATE INDEX visits_expert_request_idx ON visits (expert_id, request_id, status, load_day) WHERE request_id IS NOT NULL;
