-- Skill frameworks and experts.

CREATE TABLE skill_frameworks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    code TEXT NOT NULL,
    edition TEXT NOT NULL,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    highest_level INTEGER NOT NULL CONSTRAINT skill_frameworks_highest_level_check CHECK (highest_level BETWEEN 1 AND 10),
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT skill_frameworks_code_edition_key UNIQUE (code, edition)
);

CREATE TABLE skill_items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    framework_id BIGINT NOT NULL CONSTRAINT skill_items_framework_id_fkey REFERENCES skill_frameworks (id),
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    CONSTRAINT skill_items_framework_code_key UNIQUE (framework_id, code)
);

CREATE TABLE experts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pool_id BIGINT NOT NULL CONSTRAINT experts_pool_id_fkey REFERENCES pools (id),
    user_id BIGINT CONSTRAINT experts_user_id_fkey REFERENCES users (id),
    name TEXT NOT NULL CONSTRAINT experts_name_check CHECK (length(name) BETWEEN 1 AND 200),
    kana TEXT NOT NULL DEFAULT '',
    alternative_name TEXT NOT NULL DEFAULT '',
    search_key TEXT NOT NULL,
    affiliation_kind TEXT NOT NULL CONSTRAINT experts_affiliation_kind_check CHECK (affiliation_kind IN (
        'individual', 'sole_proprietor', 'company_employee', 'public_official', 'university_staff')),
    affiliation TEXT NOT NULL DEFAULT '',
    profile TEXT NOT NULL DEFAULT '',
    email TEXT NOT NULL CONSTRAINT experts_email_check CHECK (length(email) BETWEEN 3 AND 254),
    phone TEXT NOT NULL DEFAULT '',
    onsite BOOLEAN NOT NULL,
    online BOOLEAN NOT NULL,
    base_organisation_id BIGINT CONSTRAINT experts_base_organisation_id_fkey REFERENCES organisations (id),
    base_place TEXT NOT NULL DEFAULT '',
    languages TEXT NOT NULL DEFAULT 'ja',
    status TEXT NOT NULL CONSTRAINT experts_status_check CHECK (status IN ('registered', 'suspended', 'retired')),
    appointed_from DATE NOT NULL,
    appointed_to DATE,
    capacity_simultaneous INTEGER CONSTRAINT experts_capacity_simultaneous_check CHECK (capacity_simultaneous BETWEEN 1 AND 100),
    capacity_minutes_month INTEGER CONSTRAINT experts_capacity_minutes_month_check CHECK (capacity_minutes_month BETWEEN 0 AND 44640),
    capacity_minutes_year INTEGER CONSTRAINT experts_capacity_minutes_year_check CHECK (capacity_minutes_year BETWEEN 0 AND 527040),
    capacity_days_year INTEGER CONSTRAINT experts_capacity_days_year_check CHECK (capacity_days_year BETWEEN 0 AND 366),
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT experts_appointment_check CHECK (appointed_to IS NULL OR appointed_to > appointed_from),
    CONSTRAINT experts_mode_check CHECK (onsite OR online),
    CONSTRAINT experts_order_key UNIQUE (id, pool_id, kana)
);
CREATE INDEX experts_pool_kana_idx ON experts (pool_id, kana, id);
CREATE INDEX experts_user_idx ON experts (user_id);

CREATE TABLE expert_skills (
    expert_id BIGINT NOT NULL,
    -- The place in the list, kept by the database itself: those who hold a skill are found in the order of the list.
    pool_id BIGINT NOT NULL,
    kana TEXT NOT NULL,
    skill_item_id BIGINT NOT NULL CONSTRAINT expert_skills_skill_item_id_fkey REFERENCES skill_items (id),
    level INTEGER NOT NULL CONSTRAINT expert_skills_level_check CHECK (level BETWEEN 1 AND 10),
    verified BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (expert_id, skill_item_id),
    CONSTRAINT expert_skills_expert_fkey FOREIGN KEY (expert_id, pool_id, kana) REFERENCES experts (id, pool_id, kana) ON UPDATE CASCADE
);
CREATE INDEX expert_skills_order_idx ON expert_skills (skill_item_id, pool_id, kana, expert_id, level);
CREATE INDEX expert_skills_item_idx ON expert_skills (skill_item_id, level, expert_id);

CREATE TABLE expert_areas (
    expert_id BIGINT NOT NULL CONSTRAINT expert_areas_expert_id_fkey REFERENCES experts (id),
    organisation_id BIGINT NOT NULL CONSTRAINT expert_areas_organisation_id_fkey REFERENCES organisations (id),
    PRIMARY KEY (expert_id, organisation_id)
);

CREATE TABLE expert_weekly_slots (
    expert_id BIGINT NOT NULL CONSTRAINT expert_weekly_slots_expert_id_fkey REFERENCES experts (id),
    weekday INTEGER NOT NULL CONSTRAINT expert_weekly_slots_weekday_check CHECK (weekday BETWEEN 1 AND 7),
    start_minute INTEGER NOT NULL,
    end_minute INTEGER NOT NULL,
    PRIMARY KEY (expert_id, weekday, start_minute),
    CONSTRAINT expert_weekly_slots_minutes_check CHECK (start_minute >= 0 AND end_minute <= 1440 AND start_minute < end_minute)
);

-- Days away (leave, closed) or days free beyond the weekly pattern; both ends inclusive.
CREATE TABLE expert_exceptions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    expert_id BIGINT NOT NULL CONSTRAINT expert_exceptions_expert_id_fkey REFERENCES experts (id),
    kind TEXT NOT NULL CONSTRAINT expert_exceptions_kind_check CHECK (kind IN ('leave', 'unavailable', 'available')),
    first_day DATE NOT NULL,
    last_day DATE NOT NULL,
    start_minute INTEGER,
    end_minute INTEGER,
    note TEXT NOT NULL DEFAULT '',
    CONSTRAINT expert_exceptions_days_check CHECK (last_day >= first_day),
    CONSTRAINT expert_exceptions_minutes_check CHECK ((start_minute IS NULL AND end_minute IS NULL)
        OR (start_minute >= 0 AND end_minute <= 1440 AND start_minute < end_minute))
);
CREATE INDEX expert_exceptions_expert_idx ON expert_exceptions (expert_id, first_day);

CREATE TABLE expert_conflicts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    expert_id BIGINT NOT NULL CONSTRAINT expert_conflicts_expert_id_fkey REFERENCES experts (id),
    organisation_id BIGINT NOT NULL CONSTRAINT expert_conflicts_organisation_id_fkey REFERENCES organisations (id),
    reason TEXT NOT NULL,
    valid_from DATE NOT NULL,
    valid_to DATE,
    CONSTRAINT expert_conflicts_validity_check CHECK (valid_to IS NULL OR valid_to > valid_from)
);
CREATE INDEX expert_conflicts_expert_idx ON expert_conflicts (expert_id);
