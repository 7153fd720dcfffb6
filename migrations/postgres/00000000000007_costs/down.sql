-- Undoes up.sql, children first.
DROP TABLE cost_shares;
DROP TABLE cost_items;
DROP FUNCTION guard_cost_items();
DROP FUNCTION guard_cost_shares();
