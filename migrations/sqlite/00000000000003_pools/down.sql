-- Undoes up.sql, children first.
DROP TABLE programme_years;
DROP TABLE programmes;
DROP TABLE pool_members;
DROP TABLE pools;
