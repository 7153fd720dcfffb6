-- Undoes up.sql, children first.
DROP TABLE expert_conflicts;
DROP TABLE expert_exceptions;
DROP TABLE expert_weekly_slots;
DROP TABLE expert_areas;
DROP TABLE expert_skills;
DROP TABLE experts;
DROP TABLE skill_items;
DROP TABLE skill_frameworks;
