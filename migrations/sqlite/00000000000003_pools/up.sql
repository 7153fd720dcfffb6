-- Pools, their members, programmes and the yearly rules.

CREATE TABLE pools (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_organisation_id BIGINT NOT NULL CONSTRAINT pools_owner_organisation_id_fkey REFERENCES organisations (id),
    name TEXT NOT NULL CONSTRAINT pools_name_check CHECK (length(name) BETWEEN 1 AND 200),
    expert_title TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT pools_owner_name_key UNIQUE (owner_organisation_id, name)
);

CREATE TABLE pool_members (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pool_id BIGINT NOT NULL CONSTRAINT pool_members_pool_id_fkey REFERENCES pools (id),
    organisation_id BIGINT NOT NULL CONSTRAINT pool_members_organisation_id_fkey REFERENCES organisations (id),
    valid_from DATE NOT NULL,
    valid_to DATE,
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT pool_members_pool_organisation_from_key UNIQUE (pool_id, organisation_id, valid_from),
    CONSTRAINT pool_members_validity_check CHECK (valid_to IS NULL OR valid_to > valid_from)
);
CREATE INDEX pool_members_organisation_idx ON pool_members (organisation_id);

CREATE TABLE programmes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pool_id BIGINT NOT NULL CONSTRAINT programmes_pool_id_fkey REFERENCES pools (id),
    name TEXT NOT NULL CONSTRAINT programmes_name_check CHECK (length(name) BETWEEN 1 AND 200),
    description TEXT NOT NULL DEFAULT '',
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT programmes_pool_name_key UNIQUE (pool_id, name)
);

CREATE TABLE programme_years (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    programme_id BIGINT NOT NULL CONSTRAINT programme_years_programme_id_fkey REFERENCES programmes (id),
    fiscal_year INTEGER NOT NULL CONSTRAINT programme_years_fiscal_year_check CHECK (fiscal_year BETWEEN 2000 AND 2100),
    rules TEXT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT programme_years_programme_fiscal_year_key UNIQUE (programme_id, fiscal_year)
);
