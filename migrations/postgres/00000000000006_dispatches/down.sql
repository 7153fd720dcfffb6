-- Undoes up.sql, children first.
DROP TABLE postings;
DROP TABLE evaluations;
DROP TABLE report_outcomes;
DROP TABLE reports;
DROP TABLE visit_participants;
DROP TABLE visits;
DROP TABLE dispatch_amendments;
DROP TABLE dispatch_experts;
DROP TABLE dispatches;
DROP TABLE offer_visits;
DROP TABLE offers;
DROP FUNCTION check_posting_shares();
