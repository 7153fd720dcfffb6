-- Secret addresses at which calendar programs fetch visits.

CREATE TABLE calendar_feeds (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL CONSTRAINT calendar_feeds_user_fkey REFERENCES users (id),
    membership_id BIGINT NOT NULL CONSTRAINT calendar_feeds_membership_fkey REFERENCES memberships (id),
    pool_id BIGINT CONSTRAINT calendar_feeds_pool_fkey REFERENCES pools (id),
    name TEXT NOT NULL,
    token_hash TEXT NOT NULL CONSTRAINT calendar_feeds_token_hash_key UNIQUE,
    created_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP
);
CREATE INDEX calendar_feeds_user_idx ON calendar_feeds (user_id, id);
