DROP INDEX visits_day_idx;
ALTER TABLE allocation_runs DROP COLUMN refused;
DROP TABLE saved_filters;
