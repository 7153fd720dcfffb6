-- Organisations, people and how they sign in.

CREATE TABLE organisations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CONSTRAINT organisations_kind_check CHECK (kind IN (
        'prefecture', 'city', 'special_ward', 'town', 'village', 'board_of_education', 'school', 'university',
        'npo', 'partial_association', 'wide_area_union', 'council', 'company', 'national_body')),
    lg_code TEXT CONSTRAINT organisations_lg_code_check CHECK (lg_code IS NULL OR length(lg_code) = 6),
    prefecture_id BIGINT CONSTRAINT organisations_prefecture_id_fkey REFERENCES organisations (id),
    parent_id BIGINT CONSTRAINT organisations_parent_id_fkey REFERENCES organisations (id),
    name TEXT NOT NULL CONSTRAINT organisations_name_check CHECK (length(name) BETWEEN 1 AND 200),
    kana TEXT NOT NULL DEFAULT '',
    search_key TEXT NOT NULL,
    latitude_e6 INTEGER,
    longitude_e6 INTEGER,
    contact_email TEXT,
    requires_approval BOOLEAN NOT NULL DEFAULT FALSE,
    valid_from DATE,
    valid_to DATE,
    successor_id BIGINT CONSTRAINT organisations_successor_id_fkey REFERENCES organisations (id),
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT organisations_validity_check CHECK (valid_to IS NULL OR valid_from IS NULL OR valid_to > valid_from)
);
CREATE UNIQUE INDEX organisations_lg_code_key ON organisations (lg_code) WHERE lg_code IS NOT NULL AND valid_to IS NULL;
CREATE INDEX organisations_prefecture_idx ON organisations (prefecture_id);
CREATE INDEX organisations_parent_idx ON organisations (parent_id);

CREATE TABLE populations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation_id BIGINT NOT NULL CONSTRAINT populations_organisation_id_fkey REFERENCES organisations (id),
    population BIGINT NOT NULL CONSTRAINT populations_population_check CHECK (population >= 0),
    rounded_to INTEGER NOT NULL DEFAULT 1 CONSTRAINT populations_rounded_to_check CHECK (rounded_to >= 1),
    as_of DATE NOT NULL,
    source TEXT NOT NULL,
    CONSTRAINT populations_organisation_id_as_of_key UNIQUE (organisation_id, as_of)
);

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL CONSTRAINT users_email_key UNIQUE CONSTRAINT users_email_check CHECK (length(email) BETWEEN 3 AND 254),
    name TEXT NOT NULL CONSTRAINT users_name_check CHECK (length(name) BETWEEN 1 AND 200),
    kana TEXT NOT NULL DEFAULT '',
    locale TEXT NOT NULL DEFAULT 'ja' CONSTRAINT users_locale_check CHECK (locale IN ('ja', 'en')),
    status TEXT NOT NULL CONSTRAINT users_status_check CHECK (status IN ('invited', 'active', 'disabled')),
    password_hash TEXT,
    failed_sign_ins INTEGER NOT NULL DEFAULT 0,
    locked_until TIMESTAMP,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT users_active_password_check CHECK (status <> 'active' OR password_hash IS NOT NULL)
);

-- A membership counts from 00:00 JST of valid_from until 00:00 JST of valid_to (exclusive).
CREATE TABLE memberships (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL CONSTRAINT memberships_user_id_fkey REFERENCES users (id),
    organisation_id BIGINT NOT NULL CONSTRAINT memberships_organisation_id_fkey REFERENCES organisations (id),
    role TEXT NOT NULL CONSTRAINT memberships_role_check CHECK (role IN (
        'system_admin', 'prefectural_coordinator', 'municipal_staff', 'municipal_approver', 'expert', 'auditor')),
    valid_from DATE NOT NULL,
    valid_to DATE,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT memberships_user_organisation_role_from_key UNIQUE (user_id, organisation_id, role, valid_from),
    CONSTRAINT memberships_validity_check CHECK (valid_to IS NULL OR valid_to > valid_from)
);
CREATE INDEX memberships_organisation_idx ON memberships (organisation_id);

CREATE TABLE user_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL CONSTRAINT user_tokens_user_id_fkey REFERENCES users (id),
    kind TEXT NOT NULL CONSTRAINT user_tokens_kind_check CHECK (kind IN ('invitation', 'password_reset')),
    token_hash TEXT NOT NULL CONSTRAINT user_tokens_token_hash_key UNIQUE,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX user_tokens_user_idx ON user_tokens (user_id);

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL CONSTRAINT sessions_user_id_fkey REFERENCES users (id),
    membership_id BIGINT NOT NULL CONSTRAINT sessions_membership_id_fkey REFERENCES memberships (id),
    kind TEXT NOT NULL CONSTRAINT sessions_kind_check CHECK (kind IN ('token', 'web')),
    cookie_hash TEXT CONSTRAINT sessions_cookie_hash_key UNIQUE,
    user_agent TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    end_reason TEXT
);
CREATE INDEX sessions_user_idx ON sessions (user_id);

CREATE TABLE refresh_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id BIGINT NOT NULL CONSTRAINT refresh_tokens_session_id_fkey REFERENCES sessions (id),
    token_hash TEXT NOT NULL CONSTRAINT refresh_tokens_token_hash_key UNIQUE,
    created_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP
);
CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (session_id);

CREATE TABLE api_clients (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation_id BIGINT NOT NULL CONSTRAINT api_clients_organisation_id_fkey REFERENCES organisations (id),
    name TEXT NOT NULL CONSTRAINT api_clients_name_check CHECK (length(name) BETWEEN 1 AND 200),
    acts_as TEXT NOT NULL CONSTRAINT api_clients_acts_as_check CHECK (acts_as IN (
        'prefectural_coordinator', 'municipal_staff', 'auditor')),
    scopes TEXT NOT NULL,
    key_prefix TEXT NOT NULL CONSTRAINT api_clients_key_prefix_key UNIQUE,
    key_hash TEXT NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP,
    created_by BIGINT CONSTRAINT api_clients_created_by_fkey REFERENCES users (id),
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX api_clients_organisation_idx ON api_clients (organisation_id);
