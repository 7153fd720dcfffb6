-- Undoes up.sql, children first.
DROP TABLE imports;
