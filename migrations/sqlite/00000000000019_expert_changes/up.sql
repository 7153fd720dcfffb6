-- Whose facts changed: what a process remembers of experts, it looks up again for those named here. Written by the database itself,
-- so that no way of changing something can forget it.

CREATE TABLE expert_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Absent: everybody's.
    expert_id BIGINT,
    -- On PostgreSQL the transaction; here they come one after another.
    xid BIGINT NOT NULL DEFAULT 0
);

-- Up to where changes were forgotten: whoever knows no more than this reads everything anew.
CREATE TABLE expert_changes_forgotten (
    only_row INTEGER PRIMARY KEY CONSTRAINT expert_changes_forgotten_check CHECK (only_row = 1),
    upto BIGINT NOT NULL
);
INSERT INTO expert_changes_forgotten (only_row, upto) VALUES (1, 0);

CREATE TRIGGER experts_added AFTER INSERT ON experts
BEGIN INSERT INTO expert_changes (expert_id) VALUES (NEW.id); END;
CREATE TRIGGER experts_changed AFTER UPDATE ON experts
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.id); END;
CREATE TRIGGER experts_removed AFTER DELETE ON experts
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.id); END;
CREATE TRIGGER expert_skills_added AFTER INSERT ON expert_skills
BEGIN INSERT INTO expert_changes (expert_id) VALUES (NEW.expert_id); END;
CREATE TRIGGER expert_skills_changed AFTER UPDATE ON expert_skills
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.expert_id); INSERT INTO expert_changes (expert_id) SELECT NEW.expert_id WHERE NEW.expert_id <> OLD.expert_id; END;
CREATE TRIGGER expert_skills_removed AFTER DELETE ON expert_skills
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.expert_id); END;
CREATE TRIGGER expert_areas_added AFTER INSERT ON expert_areas
BEGIN INSERT INTO expert_changes (expert_id) VALUES (NEW.expert_id); END;
CREATE TRIGGER expert_areas_changed AFTER UPDATE ON expert_areas
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.expert_id); INSERT INTO expert_changes (expert_id) SELECT NEW.expert_id WHERE NEW.expert_id <> OLD.expert_id; END;
CREATE TRIGGER expert_areas_removed AFTER DELETE ON expert_areas
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.expert_id); END;
CREATE TRIGGER expert_weekly_slots_added AFTER INSERT ON expert_weekly_slots
BEGIN INSERT INTO expert_changes (expert_id) VALUES (NEW.expert_id); END;
CREATE TRIGGER expert_weekly_slots_changed AFTER UPDATE ON expert_weekly_slots
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.expert_id); INSERT INTO expert_changes (expert_id) SELECT NEW.expert_id WHERE NEW.expert_id <> OLD.expert_id; END;
CREATE TRIGGER expert_weekly_slots_removed AFTER DELETE ON expert_weekly_slots
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.expert_id); END;
CREATE TRIGGER expert_exceptions_added AFTER INSERT ON expert_exceptions
BEGIN INSERT INTO expert_changes (expert_id) VALUES (NEW.expert_id); END;
CREATE TRIGGER expert_exceptions_changed AFTER UPDATE ON expert_exceptions
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.expert_id); INSERT INTO expert_changes (expert_id) SELECT NEW.expert_id WHERE NEW.expert_id <> OLD.expert_id; END;
CREATE TRIGGER expert_exceptions_removed AFTER DELETE ON expert_exceptions
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.expert_id); END;
CREATE TRIGGER expert_conflicts_added AFTER INSERT ON expert_conflicts
BEGIN INSERT INTO expert_changes (expert_id) VALUES (NEW.expert_id); END;
CREATE TRIGGER expert_conflicts_changed AFTER UPDATE ON expert_conflicts
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.expert_id); INSERT INTO expert_changes (expert_id) SELECT NEW.expert_id WHERE NEW.expert_id <> OLD.expert_id; END;
CREATE TRIGGER expert_conflicts_removed AFTER DELETE ON expert_conflicts
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.expert_id); END;
CREATE TRIGGER visits_added AFTER INSERT ON visits
BEGIN INSERT INTO expert_changes (expert_id) VALUES (NEW.expert_id); END;
CREATE TRIGGER visits_changed AFTER UPDATE ON visits
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.expert_id); INSERT INTO expert_changes (expert_id) SELECT NEW.expert_id WHERE NEW.expert_id <> OLD.expert_id; END;
CREATE TRIGGER visits_removed AFTER DELETE ON visits
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.expert_id); END;
CREATE TRIGGER offers_added AFTER INSERT ON offers
BEGIN INSERT INTO expert_changes (expert_id) VALUES (NEW.expert_id); END;
CREATE TRIGGER offers_changed AFTER UPDATE ON offers
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.expert_id); INSERT INTO expert_changes (expert_id) SELECT NEW.expert_id WHERE NEW.expert_id <> OLD.expert_id; END;
CREATE TRIGGER offers_removed AFTER DELETE ON offers
BEGIN INSERT INTO expert_changes (expert_id) VALUES (OLD.expert_id); END;
CREATE TRIGGER visit_participants_added AFTER INSERT ON visit_participants
BEGIN INSERT INTO expert_changes (expert_id) SELECT expert_id FROM visits WHERE id = NEW.visit_id; END;
CREATE TRIGGER visit_participants_changed AFTER UPDATE ON visit_participants
BEGIN INSERT INTO expert_changes (expert_id) SELECT expert_id FROM visits WHERE id = OLD.visit_id; INSERT INTO expert_changes (expert_id) SELECT expert_id FROM visits WHERE id = NEW.visit_id; END;
CREATE TRIGGER visit_participants_removed AFTER DELETE ON visit_participants
BEGIN INSERT INTO expert_changes (expert_id) SELECT expert_id FROM visits WHERE id = OLD.visit_id; END;
CREATE TRIGGER request_skills_added AFTER INSERT ON request_skills
BEGIN INSERT INTO expert_changes (expert_id) SELECT DISTINCT expert_id FROM visits WHERE request_id = NEW.request_id; END;
CREATE TRIGGER request_skills_changed AFTER UPDATE ON request_skills
BEGIN INSERT INTO expert_changes (expert_id) SELECT DISTINCT expert_id FROM visits WHERE request_id = OLD.request_id; INSERT INTO expert_changes (expert_id) SELECT DISTINCT expert_id FROM visits WHERE request_id = NEW.request_id; END;
CREATE TRIGGER request_skills_removed AFTER DELETE ON request_skills
BEGIN INSERT INTO expert_changes (expert_id) SELECT DISTINCT expert_id FROM visits WHERE request_id = OLD.request_id; END;
CREATE TRIGGER organisations_moved AFTER UPDATE OF latitude_e6, longitude_e6 ON organisations
WHEN OLD.latitude_e6 IS NOT NEW.latitude_e6 OR OLD.longitude_e6 IS NOT NEW.longitude_e6
BEGIN INSERT INTO expert_changes (expert_id) VALUES (NULL); END;
