-- Why no plan could be made of a run, as JSON; absent: it did not fail, or before there were reasons.

ALTER TABLE allocation_runs ADD COLUMN failure TEXT;
