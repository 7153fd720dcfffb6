-- Filters of lists that people keep under a name of their own.

CREATE TABLE saved_filters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL CONSTRAINT saved_filters_user_fkey REFERENCES users (id),
    page TEXT NOT NULL CONSTRAINT saved_filters_page_check CHECK (length(page) BETWEEN 2 AND 100),
    name TEXT NOT NULL CONSTRAINT saved_filters_name_check CHECK (length(name) BETWEEN 1 AND 60),
    query TEXT NOT NULL CONSTRAINT saved_filters_query_check CHECK (length(query) BETWEEN 1 AND 2000),
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT saved_filters_name_key UNIQUE (user_id, page, name)
);

-- Which assignments did not become offers when a plan was last applied, and why, as JSON; absent: all did.

ALTER TABLE allocation_runs ADD COLUMN refused TEXT;

-- Lists of visits are in the order of their days, whoever looks at them.
CREATE INDEX visits_day_idx ON visits (load_day, id);
