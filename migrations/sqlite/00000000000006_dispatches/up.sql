-- Offers, decisions, visits, reports, evaluations, postings.

CREATE TABLE offers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id BIGINT NOT NULL CONSTRAINT offers_request_id_fkey REFERENCES requests (id),
    expert_id BIGINT NOT NULL CONSTRAINT offers_expert_id_fkey REFERENCES experts (id),
    rank INTEGER NOT NULL CONSTRAINT offers_rank_check CHECK (rank BETWEEN 1 AND 20),
    status TEXT NOT NULL CONSTRAINT offers_status_check CHECK (status IN (
        'queued', 'sent', 'dates_proposed', 'accepted', 'declined', 'expired', 'withdrawn')),
    message TEXT NOT NULL DEFAULT '',
    proposed_by BIGINT CONSTRAINT offers_proposed_by_fkey REFERENCES users (id),
    valid_hours INTEGER NOT NULL CONSTRAINT offers_valid_hours_check CHECK (valid_hours BETWEEN 1 AND 2160),
    sent_at TIMESTAMP,
    expires_at TIMESTAMP,
    answered_at TIMESTAMP,
    answered_via TEXT CONSTRAINT offers_answered_via_check CHECK (answered_via IN ('account', 'link', 'office')),
    answer_reason_code TEXT,
    answer_note TEXT NOT NULL DEFAULT '',
    token_hash TEXT CONSTRAINT offers_token_hash_key UNIQUE,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT offers_request_expert_rank_key UNIQUE (request_id, rank),
    CONSTRAINT offers_sent_check CHECK (status IN ('queued', 'withdrawn') OR (sent_at IS NOT NULL AND expires_at IS NOT NULL))
);
CREATE UNIQUE INDEX offers_open_key ON offers (request_id, expert_id) WHERE status IN ('queued', 'sent', 'dates_proposed', 'accepted');
CREATE INDEX offers_expert_idx ON offers (expert_id, status);
CREATE INDEX offers_due_idx ON offers (status, expires_at);

-- What an offer asks for: dated, or to be arranged with minutes only.
CREATE TABLE offer_visits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    offer_id BIGINT NOT NULL CONSTRAINT offer_visits_offer_id_fkey REFERENCES offers (id),
    position INTEGER NOT NULL,
    day DATE,
    start_minute INTEGER,
    minutes INTEGER NOT NULL CONSTRAINT offer_visits_minutes_check CHECK (minutes BETWEEN 15 AND 1440),
    mode TEXT NOT NULL CONSTRAINT offer_visits_mode_check CHECK (mode IN ('onsite', 'online', 'hybrid')),
    place TEXT NOT NULL DEFAULT '',
    proposed BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT offer_visits_offer_position_key UNIQUE (offer_id, proposed, position),
    CONSTRAINT offer_visits_time_check CHECK ((day IS NULL AND start_minute IS NULL)
        OR (day IS NOT NULL AND start_minute IS NOT NULL AND start_minute >= 0 AND start_minute + minutes <= 1440))
);

CREATE TABLE dispatches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id BIGINT NOT NULL CONSTRAINT dispatches_request_id_key UNIQUE CONSTRAINT dispatches_request_id_fkey REFERENCES requests (id),
    programme_id BIGINT NOT NULL CONSTRAINT dispatches_programme_id_fkey REFERENCES programmes (id),
    owner_organisation_id BIGINT NOT NULL CONSTRAINT dispatches_owner_organisation_id_fkey REFERENCES organisations (id),
    applicant_organisation_id BIGINT NOT NULL CONSTRAINT dispatches_applicant_organisation_id_fkey REFERENCES organisations (id),
    activity_kind TEXT NOT NULL,
    fiscal_year INTEGER NOT NULL,
    number TEXT,
    document_number TEXT NOT NULL DEFAULT '',
    decided_on DATE NOT NULL,
    decided_by BIGINT CONSTRAINT dispatches_decided_by_fkey REFERENCES users (id),
    period_from DATE NOT NULL,
    period_to DATE NOT NULL,
    status TEXT NOT NULL CONSTRAINT dispatches_status_check CHECK (status IN ('decided', 'completed', 'cancelled')),
    cancelled_by_party TEXT CONSTRAINT dispatches_cancelled_by_party_check CHECK (cancelled_by_party IN ('applicant', 'expert', 'prefecture', 'force_majeure')),
    cancelled_at TIMESTAMP,
    notice_days INTEGER,
    cancel_reason TEXT,
    amendment_number INTEGER NOT NULL DEFAULT 0,
    successor_id BIGINT CONSTRAINT dispatches_successor_id_fkey REFERENCES dispatches (id),
    rules TEXT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT dispatches_owner_fiscal_year_number_key UNIQUE (owner_organisation_id, fiscal_year, number),
    CONSTRAINT dispatches_period_check CHECK (period_to >= period_from),
    CONSTRAINT dispatches_number_check CHECK (number IS NOT NULL OR activity_kind = 'consultation'),
    CONSTRAINT dispatches_cancelled_check CHECK ((status = 'cancelled') = (cancelled_by_party IS NOT NULL))
);
CREATE INDEX dispatches_owner_idx ON dispatches (owner_organisation_id, updated_at, id);
CREATE INDEX dispatches_applicant_idx ON dispatches (applicant_organisation_id, updated_at, id);

CREATE TABLE dispatch_experts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dispatch_id BIGINT NOT NULL CONSTRAINT dispatch_experts_dispatch_id_fkey REFERENCES dispatches (id),
    expert_id BIGINT NOT NULL CONSTRAINT dispatch_experts_expert_id_fkey REFERENCES experts (id),
    offer_id BIGINT CONSTRAINT dispatch_experts_offer_id_fkey REFERENCES offers (id),
    active BOOLEAN NOT NULL DEFAULT TRUE,
    replaced_by_id BIGINT CONSTRAINT dispatch_experts_replaced_by_id_fkey REFERENCES experts (id),
    CONSTRAINT dispatch_experts_dispatch_expert_key UNIQUE (dispatch_id, expert_id)
);
CREATE INDEX dispatch_experts_expert_idx ON dispatch_experts (expert_id, active);

CREATE TABLE dispatch_amendments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dispatch_id BIGINT NOT NULL CONSTRAINT dispatch_amendments_dispatch_id_fkey REFERENCES dispatches (id),
    number INTEGER NOT NULL,
    kind TEXT NOT NULL CONSTRAINT dispatch_amendments_kind_check CHECK (kind IN ('change', 'expert_replacement', 'cancellation')),
    document_number TEXT NOT NULL DEFAULT '',
    old_value TEXT NOT NULL,
    new_value TEXT NOT NULL,
    reason TEXT NOT NULL,
    amended_on DATE NOT NULL,
    amended_by BIGINT CONSTRAINT dispatch_amendments_amended_by_fkey REFERENCES users (id),
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT dispatch_amendments_dispatch_number_key UNIQUE (dispatch_id, number)
);

-- A visit stores its JST day. load_day is the day (or, while to be arranged, the first day of the month) it loads.
-- blocked_from/blocked_to are UTC and include the travel buffer.
CREATE TABLE visits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    programme_id BIGINT NOT NULL CONSTRAINT visits_programme_id_fkey REFERENCES programmes (id),
    owner_organisation_id BIGINT NOT NULL CONSTRAINT visits_owner_organisation_id_fkey REFERENCES organisations (id),
    applicant_organisation_id BIGINT NOT NULL CONSTRAINT visits_applicant_organisation_id_fkey REFERENCES organisations (id),
    expert_id BIGINT NOT NULL CONSTRAINT visits_expert_id_fkey REFERENCES experts (id),
    request_id BIGINT CONSTRAINT visits_request_id_fkey REFERENCES requests (id),
    offer_id BIGINT CONSTRAINT visits_offer_id_fkey REFERENCES offers (id),
    dispatch_id BIGINT CONSTRAINT visits_dispatch_id_fkey REFERENCES dispatches (id),
    origin TEXT NOT NULL CONSTRAINT visits_origin_check CHECK (origin IN ('service', 'ledger')),
    activity_kind TEXT NOT NULL CONSTRAINT visits_activity_kind_check CHECK (activity_kind IN (
        'consultation', 'visit', 'training', 'model_project', 'community')),
    status TEXT NOT NULL CONSTRAINT visits_status_check CHECK (status IN (
        'held', 'planned', 'done', 'cancelled', 'no_show', 'rescheduled')),
    day DATE,
    load_day DATE NOT NULL,
    start_minute INTEGER,
    planned_minutes INTEGER NOT NULL CONSTRAINT visits_planned_minutes_check CHECK (planned_minutes BETWEEN 0 AND 1440),
    actual_minutes INTEGER CONSTRAINT visits_actual_minutes_check CHECK (actual_minutes BETWEEN 0 AND 1440),
    blocked_from TIMESTAMP,
    blocked_to TIMESTAMP,
    mode TEXT NOT NULL CONSTRAINT visits_mode_check CHECK (mode IN ('onsite', 'online', 'hybrid')),
    place TEXT NOT NULL DEFAULT '',
    attendees INTEGER CONSTRAINT visits_attendees_check CHECK (attendees BETWEEN 0 AND 100000),
    note TEXT NOT NULL DEFAULT '',
    cancelled_by_party TEXT CONSTRAINT visits_cancelled_by_party_check CHECK (cancelled_by_party IN ('applicant', 'expert', 'prefecture', 'force_majeure')),
    notice_days INTEGER,
    cancel_reason TEXT,
    rescheduled_to_id BIGINT CONSTRAINT visits_rescheduled_to_id_fkey REFERENCES visits (id),
    ledger_key TEXT CONSTRAINT visits_ledger_key_key UNIQUE,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT visits_day_check CHECK (day IS NULL OR day = load_day),
    CONSTRAINT visits_done_check CHECK (status <> 'done' OR (day IS NOT NULL AND actual_minutes IS NOT NULL)),
    CONSTRAINT visits_time_check CHECK (start_minute IS NULL OR (day IS NOT NULL AND start_minute >= 0 AND start_minute + planned_minutes <= 1440)),
    CONSTRAINT visits_blocked_check CHECK ((blocked_from IS NULL AND blocked_to IS NULL) OR blocked_from < blocked_to),
    CONSTRAINT visits_blocked_time_check CHECK (start_minute IS NULL OR blocked_from IS NOT NULL),
    CONSTRAINT visits_origin_links_check CHECK (origin = 'ledger' OR request_id IS NOT NULL)
);
CREATE INDEX visits_expert_load_idx ON visits (expert_id, load_day, status);
CREATE INDEX visits_programme_day_idx ON visits (programme_id, load_day, status);
CREATE INDEX visits_owner_day_idx ON visits (owner_organisation_id, load_day, id);
CREATE INDEX visits_applicant_day_idx ON visits (applicant_organisation_id, load_day, id);
CREATE INDEX visits_dispatch_idx ON visits (dispatch_id);
CREATE INDEX visits_request_idx ON visits (request_id);
CREATE INDEX visits_offer_idx ON visits (offer_id);

CREATE TABLE visit_participants (
    visit_id BIGINT NOT NULL CONSTRAINT visit_participants_visit_id_fkey REFERENCES visits (id),
    organisation_id BIGINT NOT NULL CONSTRAINT visit_participants_organisation_id_fkey REFERENCES organisations (id),
    PRIMARY KEY (visit_id, organisation_id)
);
CREATE INDEX visit_participants_organisation_idx ON visit_participants (organisation_id, visit_id);

CREATE TABLE reports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dispatch_id BIGINT NOT NULL CONSTRAINT reports_dispatch_id_key UNIQUE CONSTRAINT reports_dispatch_id_fkey REFERENCES dispatches (id),
    status TEXT NOT NULL CONSTRAINT reports_status_check CHECK (status IN ('due', 'submitted', 'returned', 'approved')),
    due_on DATE,
    content TEXT NOT NULL DEFAULT '',
    result TEXT NOT NULL DEFAULT '',
    next_step TEXT NOT NULL DEFAULT '',
    submitted_at TIMESTAMP,
    submitted_by BIGINT CONSTRAINT reports_submitted_by_fkey REFERENCES users (id),
    returned_reason TEXT,
    approved_at TIMESTAMP,
    approved_by BIGINT CONSTRAINT reports_approved_by_fkey REFERENCES users (id),
    reminded TEXT,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT reports_submitted_check CHECK (status = 'due' OR submitted_at IS NOT NULL)
);
CREATE INDEX reports_due_idx ON reports (status, due_on);

CREATE TABLE report_outcomes (
    report_id BIGINT NOT NULL CONSTRAINT report_outcomes_report_id_fkey REFERENCES reports (id),
    counter TEXT NOT NULL,
    amount INTEGER NOT NULL CONSTRAINT report_outcomes_amount_check CHECK (amount BETWEEN 0 AND 1000000),
    PRIMARY KEY (report_id, counter)
);

CREATE TABLE evaluations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dispatch_id BIGINT NOT NULL CONSTRAINT evaluations_dispatch_id_fkey REFERENCES dispatches (id),
    expert_id BIGINT NOT NULL CONSTRAINT evaluations_expert_id_fkey REFERENCES experts (id),
    score INTEGER NOT NULL CONSTRAINT evaluations_score_check CHECK (score BETWEEN 1 AND 5),
    comment TEXT NOT NULL DEFAULT '',
    created_by BIGINT CONSTRAINT evaluations_created_by_fkey REFERENCES users (id),
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT evaluations_dispatch_expert_key UNIQUE (dispatch_id, expert_id)
);

-- Long placements (配属): shares of one person never exceed 100 % on any day; valid_to is exclusive.
CREATE TABLE postings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    programme_id BIGINT NOT NULL CONSTRAINT postings_programme_id_fkey REFERENCES programmes (id),
    owner_organisation_id BIGINT NOT NULL CONSTRAINT postings_owner_organisation_id_fkey REFERENCES organisations (id),
    expert_id BIGINT NOT NULL CONSTRAINT postings_expert_id_fkey REFERENCES experts (id),
    host_organisation_id BIGINT NOT NULL CONSTRAINT postings_host_organisation_id_fkey REFERENCES organisations (id),
    share_percent INTEGER NOT NULL CONSTRAINT postings_share_percent_check CHECK (share_percent BETWEEN 1 AND 100),
    valid_from DATE NOT NULL,
    valid_to DATE NOT NULL,
    legal_basis TEXT NOT NULL CONSTRAINT postings_legal_basis_check CHECK (legal_basis IN (
        'staff_dispatch_art252_17', 'concurrent_appointment', 'agreement', 'other')),
    status TEXT NOT NULL CONSTRAINT postings_status_check CHECK (status IN ('active', 'cancelled')),
    note TEXT NOT NULL DEFAULT '',
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT postings_validity_check CHECK (valid_to > valid_from)
);
CREATE INDEX postings_expert_idx ON postings (expert_id, valid_from);
CREATE INDEX postings_host_idx ON postings (host_organisation_id, valid_from);

-- One expert is never in two places: held, planned and done visits with a time exclude each other, travel buffer included.
CREATE TRIGGER visits_no_overlap_insert BEFORE INSERT ON visits
WHEN NEW.blocked_from IS NOT NULL AND NEW.status IN ('held', 'planned', 'done')
BEGIN
    SELECT RAISE(ABORT, 'EXCLUDE constraint failed: visits_no_overlap') WHERE EXISTS (
        SELECT 1 FROM visits v WHERE v.expert_id = NEW.expert_id AND v.status IN ('held', 'planned', 'done')
           AND v.blocked_from < NEW.blocked_to AND v.blocked_to > NEW.blocked_from);
END;
CREATE TRIGGER visits_no_overlap_update BEFORE UPDATE ON visits
WHEN NEW.blocked_from IS NOT NULL AND NEW.status IN ('held', 'planned', 'done')
BEGIN
    SELECT RAISE(ABORT, 'EXCLUDE constraint failed: visits_no_overlap') WHERE EXISTS (
        SELECT 1 FROM visits v WHERE v.expert_id = NEW.expert_id AND v.id <> NEW.id AND v.status IN ('held', 'planned', 'done')
           AND v.blocked_from < NEW.blocked_to AND v.blocked_to > NEW.blocked_from);
END;
CREATE INDEX visits_blocked_idx ON visits (expert_id, blocked_from);

-- The sum of shares can only rise where a posting begins: checking every beginning inside the new row is enough.
CREATE TRIGGER postings_share_sum_insert BEFORE INSERT ON postings WHEN NEW.status = 'active'
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: postings_share_sum') WHERE EXISTS (
        SELECT 1 FROM (
            SELECT NEW.valid_from AS instant
            UNION SELECT p.valid_from FROM postings p
             WHERE p.expert_id = NEW.expert_id AND p.status = 'active'
               AND p.valid_from > NEW.valid_from AND p.valid_from < NEW.valid_to) instants
        WHERE NEW.share_percent + (
            SELECT COALESCE(SUM(q.share_percent), 0) FROM postings q
             WHERE q.expert_id = NEW.expert_id AND q.status = 'active'
               AND q.valid_from <= instants.instant AND q.valid_to > instants.instant) > 100);
END;
CREATE TRIGGER postings_share_sum_update BEFORE UPDATE ON postings WHEN NEW.status = 'active'
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: postings_share_sum') WHERE EXISTS (
        SELECT 1 FROM (
            SELECT NEW.valid_from AS instant
            UNION SELECT p.valid_from FROM postings p
             WHERE p.expert_id = NEW.expert_id AND p.status = 'active' AND p.id <> NEW.id
               AND p.valid_from > NEW.valid_from AND p.valid_from < NEW.valid_to) instants
        WHERE NEW.share_percent + (
            SELECT COALESCE(SUM(q.share_percent), 0) FROM postings q
             WHERE q.expert_id = NEW.expert_id AND q.status = 'active' AND q.id <> NEW.id
               AND q.valid_from <= instants.instant AND q.valid_to > instants.instant) > 100);
END;
