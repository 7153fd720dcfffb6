-- The second factor of signing in: a secret sealed under a key of the configuration, the last code used, recovery codes
-- as hashes. An organisation may demand it of its people.

CREATE TABLE second_factors (
    user_id BIGINT PRIMARY KEY CONSTRAINT second_factors_user_id_fkey REFERENCES users (id),
    sealed_secret TEXT NOT NULL,
    confirmed_at TIMESTAMP,
    last_step BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE recovery_codes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL CONSTRAINT recovery_codes_user_id_fkey REFERENCES second_factors (user_id) ON DELETE CASCADE,
    code_hash TEXT NOT NULL CONSTRAINT recovery_codes_hash_check CHECK (length(code_hash) = 64),
    used_at TIMESTAMP,
    CONSTRAINT recovery_codes_key UNIQUE (user_id, code_hash)
);

ALTER TABLE organisations ADD COLUMN requires_second_factor BOOLEAN NOT NULL DEFAULT FALSE;
