ALTER TABLE allocation_runs DROP COLUMN refused;
DROP TABLE saved_filters;
