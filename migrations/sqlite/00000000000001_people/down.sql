-- Undoes up.sql, children first.
DROP TABLE api_clients;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE user_tokens;
DROP TABLE memberships;
DROP TABLE users;
DROP TABLE populations;
DROP TABLE organisations;
