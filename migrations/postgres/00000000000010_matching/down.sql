-- Undoes up.sql, children first. A cancelled run becomes one that failed: the earlier release knows no other word for it.
DROP TABLE allocation_members;
UPDATE allocation_runs SET status = 'failed', result = '' WHERE status = 'cancelled';
ALTER TABLE allocation_runs DROP CONSTRAINT allocation_runs_result_check;
ALTER TABLE allocation_runs ADD CONSTRAINT allocation_runs_result_check CHECK ((status IN ('queued', 'failed')) = (result = ''));
ALTER TABLE allocation_runs DROP CONSTRAINT allocation_runs_status_check;
ALTER TABLE allocation_runs ADD CONSTRAINT allocation_runs_status_check CHECK (status IN ('queued', 'planned', 'failed', 'applied'));
ALTER TABLE allocation_runs DROP COLUMN progress;

ALTER TABLE expert_conflicts DROP COLUMN kind;
ALTER TABLE experts DROP COLUMN employer_consent_until;
ALTER TABLE experts DROP COLUMN employer_consent;
ALTER TABLE experts DROP COLUMN capacity_minutes_week;
ALTER TABLE experts DROP COLUMN serves_islands;
DROP TABLE request_interests;
ALTER TABLE request_skills DROP COLUMN verified_only;
ALTER TABLE request_skills DROP COLUMN alternative_group;
ALTER TABLE requests DROP COLUMN rotation;
ALTER TABLE requests DROP COLUMN experts_needed;
ALTER TABLE requests DROP COLUMN languages;
ALTER TABLE requests DROP COLUMN on_island;
