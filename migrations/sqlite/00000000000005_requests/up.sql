-- Dispatch requests (派遣申請), joint applicants, messages, attachments.

CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    programme_id BIGINT NOT NULL CONSTRAINT requests_programme_id_fkey REFERENCES programmes (id),
    fiscal_year INTEGER NOT NULL,
    owner_organisation_id BIGINT NOT NULL CONSTRAINT requests_owner_organisation_id_fkey REFERENCES organisations (id),
    applicant_organisation_id BIGINT NOT NULL CONSTRAINT requests_applicant_organisation_id_fkey REFERENCES organisations (id),
    filed_by_organisation_id BIGINT NOT NULL CONSTRAINT requests_filed_by_organisation_id_fkey REFERENCES organisations (id),
    filed_by_user_id BIGINT CONSTRAINT requests_filed_by_user_id_fkey REFERENCES users (id),
    origin TEXT NOT NULL CONSTRAINT requests_origin_check CHECK (origin IN ('requested', 'offered')),
    activity_kind TEXT NOT NULL CONSTRAINT requests_activity_kind_check CHECK (activity_kind IN (
        'consultation', 'visit', 'training', 'model_project', 'community')),
    theme TEXT NOT NULL CONSTRAINT requests_theme_check CHECK (length(theme) BETWEEN 1 AND 200),
    theme_key TEXT NOT NULL,
    background TEXT NOT NULL DEFAULT '',
    goal TEXT NOT NULL DEFAULT '',
    mode TEXT NOT NULL CONSTRAINT requests_mode_check CHECK (mode IN ('onsite', 'online', 'hybrid')),
    period_from DATE NOT NULL,
    period_to DATE NOT NULL,
    visit_count INTEGER NOT NULL CONSTRAINT requests_visit_count_check CHECK (visit_count BETWEEN 1 AND 100),
    minutes_per_visit INTEGER NOT NULL CONSTRAINT requests_minutes_per_visit_check CHECK (minutes_per_visit BETWEEN 15 AND 1440),
    place TEXT NOT NULL DEFAULT '',
    audience TEXT NOT NULL DEFAULT '',
    audience_count INTEGER CONSTRAINT requests_audience_count_check CHECK (audience_count BETWEEN 0 AND 100000),
    equipment TEXT NOT NULL DEFAULT '',
    department TEXT NOT NULL DEFAULT '',
    contact_name TEXT NOT NULL DEFAULT '',
    contact_email TEXT NOT NULL DEFAULT '',
    contact_phone TEXT NOT NULL DEFAULT '',
    leave_to_office BOOLEAN NOT NULL DEFAULT TRUE,
    budget_note TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL CONSTRAINT requests_status_check CHECK (status IN (
        'draft', 'awaiting_approval', 'submitted', 'returned', 'accepted', 'waitlisted', 'rejected', 'withdrawn', 'decided', 'cancelled')),
    status_reason_code TEXT,
    status_reason TEXT,
    submitted_at TIMESTAMP,
    copied_from_id BIGINT CONSTRAINT requests_copied_from_id_fkey REFERENCES requests (id),
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT requests_period_check CHECK (period_to >= period_from),
    CONSTRAINT requests_submitted_check CHECK (status IN ('draft', 'awaiting_approval', 'withdrawn') OR submitted_at IS NOT NULL)
);
CREATE INDEX requests_owner_updated_idx ON requests (owner_organisation_id, updated_at, id);
CREATE INDEX requests_applicant_updated_idx ON requests (applicant_organisation_id, updated_at, id);
CREATE INDEX requests_programme_idx ON requests (programme_id, fiscal_year, status);
CREATE INDEX requests_programme_status_idx ON requests (programme_id, status, updated_at, id);

CREATE TABLE request_wished_dates (
    request_id BIGINT NOT NULL CONSTRAINT request_wished_dates_request_id_fkey REFERENCES requests (id),
    rank INTEGER NOT NULL CONSTRAINT request_wished_dates_rank_check CHECK (rank BETWEEN 1 AND 20),
    day DATE NOT NULL,
    start_minute INTEGER,
    end_minute INTEGER,
    PRIMARY KEY (request_id, rank),
    CONSTRAINT request_wished_dates_minutes_check CHECK ((start_minute IS NULL AND end_minute IS NULL)
        OR (start_minute >= 0 AND end_minute <= 1440 AND start_minute < end_minute))
);

CREATE TABLE request_skills (
    request_id BIGINT NOT NULL CONSTRAINT request_skills_request_id_fkey REFERENCES requests (id),
    skill_item_id BIGINT NOT NULL CONSTRAINT request_skills_skill_item_id_fkey REFERENCES skill_items (id),
    min_level INTEGER NOT NULL CONSTRAINT request_skills_min_level_check CHECK (min_level BETWEEN 1 AND 10),
    must BOOLEAN NOT NULL,
    PRIMARY KEY (request_id, skill_item_id)
);

-- The applicant's own order of preferred experts.
CREATE TABLE request_preferences (
    request_id BIGINT NOT NULL CONSTRAINT request_preferences_request_id_fkey REFERENCES requests (id),
    rank INTEGER NOT NULL CONSTRAINT request_preferences_rank_check CHECK (rank BETWEEN 1 AND 20),
    expert_id BIGINT NOT NULL CONSTRAINT request_preferences_expert_id_fkey REFERENCES experts (id),
    PRIMARY KEY (request_id, rank),
    CONSTRAINT request_preferences_request_expert_key UNIQUE (request_id, expert_id)
);

CREATE TABLE request_participants (
    request_id BIGINT NOT NULL CONSTRAINT request_participants_request_id_fkey REFERENCES requests (id),
    organisation_id BIGINT NOT NULL CONSTRAINT request_participants_organisation_id_fkey REFERENCES organisations (id),
    is_lead BOOLEAN NOT NULL,
    consented_at TIMESTAMP,
    consented_by BIGINT CONSTRAINT request_participants_consented_by_fkey REFERENCES users (id),
    PRIMARY KEY (request_id, organisation_id)
);
CREATE UNIQUE INDEX request_participants_lead_key ON request_participants (request_id) WHERE is_lead;
CREATE INDEX request_participants_organisation_idx ON request_participants (organisation_id, request_id);

CREATE TABLE request_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id BIGINT NOT NULL CONSTRAINT request_messages_request_id_fkey REFERENCES requests (id),
    author_user_id BIGINT CONSTRAINT request_messages_author_user_id_fkey REFERENCES users (id),
    author_organisation_id BIGINT NOT NULL CONSTRAINT request_messages_author_organisation_id_fkey REFERENCES organisations (id),
    body TEXT NOT NULL CONSTRAINT request_messages_body_check CHECK (length(body) BETWEEN 1 AND 10000),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX request_messages_request_idx ON request_messages (request_id, id);

CREATE TABLE attachments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id BIGINT NOT NULL CONSTRAINT attachments_request_id_fkey REFERENCES requests (id),
    file_name TEXT NOT NULL CONSTRAINT attachments_file_name_check CHECK (length(file_name) BETWEEN 1 AND 255),
    media_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL CONSTRAINT attachments_size_bytes_check CHECK (size_bytes BETWEEN 1 AND 5242880),
    sha256 TEXT NOT NULL,
    content BLOB NOT NULL,
    uploaded_by BIGINT CONSTRAINT attachments_uploaded_by_fkey REFERENCES users (id),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX attachments_request_idx ON attachments (request_id, id);
