-- Uploaded tables: previewed first, applied as a whole or not at all.

CREATE TABLE imports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_organisation_id BIGINT NOT NULL CONSTRAINT imports_owner_organisation_id_fkey REFERENCES organisations (id),
    kind TEXT NOT NULL CONSTRAINT imports_kind_check CHECK (kind IN ('experts', 'users', 'dispatch_ledger')),
    pool_id BIGINT CONSTRAINT imports_pool_id_fkey REFERENCES pools (id),
    programme_id BIGINT CONSTRAINT imports_programme_id_fkey REFERENCES programmes (id),
    file_name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    content BLOB NOT NULL,
    status TEXT NOT NULL CONSTRAINT imports_status_check CHECK (status IN ('previewed', 'applied', 'discarded')),
    row_count INTEGER NOT NULL,
    error_count INTEGER NOT NULL,
    errors TEXT NOT NULL,
    preview TEXT NOT NULL,
    created_by BIGINT CONSTRAINT imports_created_by_fkey REFERENCES users (id),
    applied_at TIMESTAMP,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT imports_applied_check CHECK (status <> 'applied' OR error_count = 0)
);
CREATE INDEX imports_owner_idx ON imports (owner_organisation_id, id);
