DROP TABLE allocation_assignments;
DROP TABLE allocation_runs;
