ALTER TABLE organisations DROP COLUMN requires_second_factor;
DROP TABLE recovery_codes;
DROP TABLE second_factors;
