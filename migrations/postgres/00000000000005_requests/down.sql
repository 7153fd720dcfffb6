-- Undoes up.sql, children first.
DROP TABLE attachments;
DROP TABLE request_messages;
DROP TABLE request_participants;
DROP TABLE request_preferences;
DROP TABLE request_skills;
DROP TABLE request_wished_dates;
DROP TABLE requests;
