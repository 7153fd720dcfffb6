DROP TABLE event_tellings;
