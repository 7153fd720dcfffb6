-- Money: who pays, cost items and shares, budgets, settlements, claims, payments, documents. Rows are fixed once a
-- calculation has left `open`; what is corrected is another row.

-- How an expert is paid. Owner's eyes only.
CREATE TABLE expert_payment_profiles (
    expert_id BIGINT PRIMARY KEY CONSTRAINT expert_payment_profiles_expert_id_fkey REFERENCES experts (id),
    withholding_category TEXT NOT NULL CONSTRAINT expert_payment_profiles_category_check CHECK (withholding_category IN (
        'none', 'lecture', 'professional', 'salary')),
    fee_grade TEXT NOT NULL DEFAULT '',
    employer_organisation_id BIGINT CONSTRAINT expert_payment_profiles_employer_fkey REFERENCES organisations (id),
    invoice_number TEXT NOT NULL DEFAULT '',
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

-- How the bodies of a joint request divide what they bear, in versions. A version is never edited.
CREATE TABLE cost_agreements (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id BIGINT NOT NULL CONSTRAINT cost_agreements_request_id_fkey REFERENCES requests (id),
    number INTEGER NOT NULL CONSTRAINT cost_agreements_number_check CHECK (number >= 1),
    agreed_on DATE NOT NULL,
    terms TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL CONSTRAINT cost_agreements_status_check CHECK (status IN ('proposed', 'in_force', 'superseded')),
    proposed_by BIGINT CONSTRAINT cost_agreements_proposed_by_fkey REFERENCES users (id),
    frozen_at TIMESTAMP,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT cost_agreements_request_number_key UNIQUE (request_id, number)
);
CREATE UNIQUE INDEX cost_agreements_in_force_key ON cost_agreements (request_id) WHERE status = 'in_force';
CREATE UNIQUE INDEX cost_agreements_proposed_key ON cost_agreements (request_id) WHERE status = 'proposed';

CREATE TABLE cost_agreement_bodies (
    agreement_id BIGINT NOT NULL CONSTRAINT cost_agreement_bodies_agreement_id_fkey REFERENCES cost_agreements (id),
    organisation_id BIGINT NOT NULL CONSTRAINT cost_agreement_bodies_organisation_id_fkey REFERENCES organisations (id),
    is_lead BOOLEAN NOT NULL,
    figures TEXT NOT NULL,
    consented_at TIMESTAMP,
    consented_by BIGINT CONSTRAINT cost_agreement_bodies_consented_by_fkey REFERENCES users (id),
    PRIMARY KEY (agreement_id, organisation_id)
);
CREATE UNIQUE INDEX cost_agreement_bodies_lead_key ON cost_agreement_bodies (agreement_id) WHERE is_lead;
CREATE INDEX cost_agreement_bodies_organisation_idx ON cost_agreement_bodies (organisation_id);

-- Orders of service menus by single bodies.
CREATE TABLE menu_orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    programme_id BIGINT NOT NULL CONSTRAINT menu_orders_programme_id_fkey REFERENCES programmes (id),
    owner_organisation_id BIGINT NOT NULL CONSTRAINT menu_orders_owner_fkey REFERENCES organisations (id),
    organisation_id BIGINT NOT NULL CONSTRAINT menu_orders_organisation_id_fkey REFERENCES organisations (id),
    fiscal_year INTEGER NOT NULL CONSTRAINT menu_orders_fiscal_year_check CHECK (fiscal_year BETWEEN 2000 AND 2100),
    menu_code TEXT NOT NULL,
    menu_name TEXT NOT NULL,
    quantity INTEGER NOT NULL CONSTRAINT menu_orders_quantity_check CHECK (quantity BETWEEN 1 AND 1000),
    unit_price_yen BIGINT NOT NULL CONSTRAINT menu_orders_unit_price_check CHECK (unit_price_yen BETWEEN 0 AND 1000000000000),
    approximate BOOLEAN NOT NULL,
    tax_excluded BOOLEAN NOT NULL,
    tax_yen BIGINT NOT NULL CONSTRAINT menu_orders_tax_check CHECK (tax_yen BETWEEN 0 AND 1000000000000),
    amount_yen BIGINT NOT NULL CONSTRAINT menu_orders_amount_check CHECK (amount_yen = unit_price_yen * quantity + tax_yen),
    vendor_organisation_id BIGINT CONSTRAINT menu_orders_vendor_fkey REFERENCES organisations (id),
    contract_number TEXT NOT NULL DEFAULT '',
    contracted_on DATE,
    completed_on DATE,
    status TEXT NOT NULL CONSTRAINT menu_orders_status_check CHECK (status IN ('ordered', 'contracted', 'completed', 'cancelled')),
    note TEXT NOT NULL DEFAULT '',
    payer_rule TEXT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX menu_orders_programme_idx ON menu_orders (programme_id, fiscal_year);
CREATE INDEX menu_orders_organisation_idx ON menu_orders (organisation_id);

-- What one dispatch, one placed person's period, or one order comes to, from open to closed.
CREATE TABLE settlements (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    programme_id BIGINT NOT NULL CONSTRAINT settlements_programme_id_fkey REFERENCES programmes (id),
    owner_organisation_id BIGINT NOT NULL CONSTRAINT settlements_owner_fkey REFERENCES organisations (id),
    fiscal_year INTEGER NOT NULL CONSTRAINT settlements_fiscal_year_check CHECK (fiscal_year BETWEEN 2000 AND 2100),
    dispatch_id BIGINT CONSTRAINT settlements_dispatch_id_fkey REFERENCES dispatches (id),
    expert_id BIGINT CONSTRAINT settlements_expert_id_fkey REFERENCES experts (id),
    period_from DATE,
    period_to DATE,
    order_id BIGINT CONSTRAINT settlements_order_id_fkey REFERENCES menu_orders (id),
    status TEXT NOT NULL CONSTRAINT settlements_status_check CHECK (status IN (
        'open', 'calculated', 'confirmed', 'billed', 'paid', 'closed')),
    document_number TEXT NOT NULL DEFAULT '',
    confirmed_on DATE,
    confirmed_by BIGINT CONSTRAINT settlements_confirmed_by_fkey REFERENCES users (id),
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT settlements_dispatch_key UNIQUE (dispatch_id),
    CONSTRAINT settlements_order_key UNIQUE (order_id),
    CONSTRAINT settlements_posting_key UNIQUE (programme_id, expert_id, period_from),
    CONSTRAINT settlements_subject_check CHECK (
        (dispatch_id IS NOT NULL AND expert_id IS NULL AND order_id IS NULL)
        OR (dispatch_id IS NULL AND expert_id IS NOT NULL AND order_id IS NULL AND period_from IS NOT NULL AND period_to > period_from)
        OR (dispatch_id IS NULL AND expert_id IS NULL AND order_id IS NOT NULL))
);
CREATE INDEX settlements_owner_idx ON settlements (owner_organisation_id, fiscal_year, status);

CREATE TABLE cost_items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    programme_id BIGINT NOT NULL CONSTRAINT cost_items_programme_id_fkey REFERENCES programmes (id),
    owner_organisation_id BIGINT NOT NULL CONSTRAINT cost_items_owner_fkey REFERENCES organisations (id),
    fiscal_year INTEGER NOT NULL CONSTRAINT cost_items_fiscal_year_check CHECK (fiscal_year BETWEEN 2000 AND 2100),
    occurred_on DATE NOT NULL,
    dispatch_id BIGINT CONSTRAINT cost_items_dispatch_id_fkey REFERENCES dispatches (id),
    visit_id BIGINT CONSTRAINT cost_items_visit_id_fkey REFERENCES visits (id),
    expert_id BIGINT CONSTRAINT cost_items_expert_id_fkey REFERENCES experts (id),
    order_id BIGINT CONSTRAINT cost_items_order_id_fkey REFERENCES menu_orders (id),
    settlement_id BIGINT CONSTRAINT cost_items_settlement_id_fkey REFERENCES settlements (id),
    adjusts_id BIGINT CONSTRAINT cost_items_adjusts_id_fkey REFERENCES cost_items (id),
    component TEXT NOT NULL CONSTRAINT cost_items_component_check CHECK (component IN (
        'salary', 'allowance', 'social_insurance', 'retirement_allowance', 'honorarium', 'travel', 'lodging', 'overnight_allowance',
        'day_allowance', 'travel_package', 'vendor_fee', 'venue', 'materials', 'recruiting', 'other')),
    amount_yen BIGINT NOT NULL CONSTRAINT cost_items_amount_yen_check CHECK (
        amount_yen BETWEEN -1000000000000 AND 1000000000000 AND (amount_yen >= 0 OR adjusts_id IS NOT NULL)),
    paid_directly_yen BIGINT NOT NULL DEFAULT 0 CONSTRAINT cost_items_paid_directly_check CHECK (
        paid_directly_yen BETWEEN -1000000000000 AND 1000000000000 AND (paid_directly_yen >= 0 OR adjusts_id IS NOT NULL)),
    paid_minutes INTEGER CONSTRAINT cost_items_paid_minutes_check CHECK (paid_minutes BETWEEN 0 AND 1440),
    first_paid_by TEXT CONSTRAINT cost_items_first_paid_by_check CHECK (first_paid_by IN (
        'prefecture', 'host', 'sending_body', 'company', 'national_body', 'requester')),
    agreement_id BIGINT CONSTRAINT cost_items_agreement_id_fkey REFERENCES cost_agreements (id),
    payer_rule TEXT,
    undisclosed BOOLEAN NOT NULL DEFAULT FALSE,
    approximate BOOLEAN NOT NULL DEFAULT FALSE,
    explanation TEXT NOT NULL,
    status TEXT NOT NULL CONSTRAINT cost_items_status_check CHECK (status IN ('open', 'calculated')),
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT cost_items_subject_check CHECK (
        (dispatch_id IS NOT NULL AND order_id IS NULL) OR (dispatch_id IS NULL AND visit_id IS NULL AND (
            (order_id IS NOT NULL AND expert_id IS NULL) OR (order_id IS NULL AND expert_id IS NOT NULL))))
);
CREATE UNIQUE INDEX cost_items_visit_component_key ON cost_items (visit_id, component) WHERE adjusts_id IS NULL;
CREATE INDEX cost_items_dispatch_idx ON cost_items (dispatch_id);
CREATE INDEX cost_items_owner_idx ON cost_items (owner_organisation_id, fiscal_year);
CREATE INDEX cost_items_expert_idx ON cost_items (expert_id, occurred_on);
CREATE INDEX cost_items_settlement_idx ON cost_items (settlement_id) WHERE settlement_id IS NOT NULL;
CREATE INDEX cost_items_adjusts_idx ON cost_items (adjusts_id) WHERE adjusts_id IS NOT NULL;
CREATE INDEX cost_items_order_idx ON cost_items (order_id) WHERE order_id IS NOT NULL;

-- One payer's part of an item; an organisation is missing where the payer is not registered here (a ministry, a company).
CREATE TABLE cost_shares (
    cost_item_id BIGINT NOT NULL CONSTRAINT cost_shares_cost_item_id_fkey REFERENCES cost_items (id) DEFERRABLE INITIALLY DEFERRED,
    place INTEGER NOT NULL,
    organisation_id BIGINT CONSTRAINT cost_shares_organisation_id_fkey REFERENCES organisations (id),
    payer TEXT NOT NULL CONSTRAINT cost_shares_payer_check CHECK (payer IN (
        'prefecture', 'host', 'sending_body', 'company', 'national_body', 'requester')),
    amount_yen BIGINT NOT NULL CONSTRAINT cost_shares_amount_yen_check CHECK (amount_yen BETWEEN -1000000000000 AND 1000000000000),
    PRIMARY KEY (cost_item_id, place)
) WITHOUT ROWID;
CREATE INDEX cost_shares_organisation_idx ON cost_shares (organisation_id);

-- Money bound for requests and orders, append-only. `bound_yen` is what the year has bound after the entry.
CREATE TABLE budget_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    programme_id BIGINT NOT NULL CONSTRAINT budget_entries_programme_id_fkey REFERENCES programmes (id),
    fiscal_year INTEGER NOT NULL,
    request_id BIGINT CONSTRAINT budget_entries_request_id_fkey REFERENCES requests (id),
    order_id BIGINT CONSTRAINT budget_entries_order_id_fkey REFERENCES menu_orders (id),
    organisation_id BIGINT NOT NULL CONSTRAINT budget_entries_organisation_id_fkey REFERENCES organisations (id),
    kind TEXT NOT NULL CONSTRAINT budget_entries_kind_check CHECK (kind IN ('reserve', 'plan', 'commit', 'release')),
    delta_yen BIGINT NOT NULL,
    own_bound_yen BIGINT NOT NULL CONSTRAINT budget_entries_own_bound_check CHECK (own_bound_yen >= 0),
    bound_yen BIGINT NOT NULL CONSTRAINT budget_entries_bound_check CHECK (bound_yen >= 0),
    limit_yen BIGINT,
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT budget_entries_subject_check CHECK ((request_id IS NULL) <> (order_id IS NULL)),
    CONSTRAINT budget_entries_limit_check CHECK (limit_yen IS NULL OR delta_yen <= 0 OR kind = 'commit' OR bound_yen <= limit_yen)
);
CREATE INDEX budget_entries_year_idx ON budget_entries (programme_id, fiscal_year, id);
CREATE INDEX budget_entries_request_idx ON budget_entries (request_id);
CREATE INDEX budget_entries_order_idx ON budget_entries (order_id);

CREATE TABLE budget_warnings (
    programme_id BIGINT NOT NULL CONSTRAINT budget_warnings_programme_id_fkey REFERENCES programmes (id),
    fiscal_year INTEGER NOT NULL,
    percent INTEGER NOT NULL CONSTRAINT budget_warnings_percent_check CHECK (percent IN (80, 100)),
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (programme_id, fiscal_year, percent)
);

-- What one body owes another (負担金, 追給, 返納), in instalments.
CREATE TABLE claims (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    settlement_id BIGINT NOT NULL CONSTRAINT claims_settlement_id_fkey REFERENCES settlements (id),
    cost_item_id BIGINT CONSTRAINT claims_cost_item_id_fkey REFERENCES cost_items (id),
    owner_organisation_id BIGINT NOT NULL CONSTRAINT claims_owner_fkey REFERENCES organisations (id),
    number TEXT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT claims_kind_check CHECK (kind IN ('contribution', 'additional', 'repayment')),
    creditor_organisation_id BIGINT NOT NULL CONSTRAINT claims_creditor_fkey REFERENCES organisations (id),
    debtor_organisation_id BIGINT NOT NULL CONSTRAINT claims_debtor_fkey REFERENCES organisations (id),
    amount_yen BIGINT NOT NULL CONSTRAINT claims_amount_yen_check CHECK (amount_yen BETWEEN 1 AND 1000000000000),
    paid_yen BIGINT NOT NULL DEFAULT 0 CONSTRAINT claims_paid_yen_check CHECK (paid_yen BETWEEN 0 AND amount_yen),
    issued_on DATE NOT NULL,
    fiscal_year INTEGER NOT NULL,
    prior_year BOOLEAN NOT NULL DEFAULT FALSE,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT claims_parties_check CHECK (creditor_organisation_id <> debtor_organisation_id),
    CONSTRAINT claims_number_key UNIQUE (owner_organisation_id, number)
);
CREATE INDEX claims_settlement_idx ON claims (settlement_id);
CREATE INDEX claims_debtor_idx ON claims (debtor_organisation_id);
CREATE INDEX claims_creditor_idx ON claims (creditor_organisation_id);

CREATE TABLE claim_instalments (
    claim_id BIGINT NOT NULL CONSTRAINT claim_instalments_claim_id_fkey REFERENCES claims (id),
    number INTEGER NOT NULL CONSTRAINT claim_instalments_number_check CHECK (number BETWEEN 1 AND 12),
    due_on DATE NOT NULL,
    amount_yen BIGINT NOT NULL CONSTRAINT claim_instalments_amount_check CHECK (amount_yen >= 0),
    PRIMARY KEY (claim_id, number)
);

CREATE TABLE claim_payments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    claim_id BIGINT NOT NULL CONSTRAINT claim_payments_claim_id_fkey REFERENCES claims (id),
    paid_on DATE NOT NULL,
    amount_yen BIGINT NOT NULL CONSTRAINT claim_payments_amount_check CHECK (amount_yen BETWEEN 1 AND 1000000000000),
    note TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX claim_payments_claim_idx ON claim_payments (claim_id);

-- What an expert, or the company that sends one, is paid in one payment.
CREATE TABLE expert_payments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    settlement_id BIGINT NOT NULL CONSTRAINT expert_payments_settlement_id_fkey REFERENCES settlements (id),
    cost_item_id BIGINT CONSTRAINT expert_payments_cost_item_id_fkey REFERENCES cost_items (id),
    owner_organisation_id BIGINT NOT NULL CONSTRAINT expert_payments_owner_fkey REFERENCES organisations (id),
    expert_id BIGINT NOT NULL CONSTRAINT expert_payments_expert_id_fkey REFERENCES experts (id),
    payee_organisation_id BIGINT CONSTRAINT expert_payments_payee_fkey REFERENCES organisations (id),
    number TEXT NOT NULL,
    withholding_category TEXT NOT NULL CONSTRAINT expert_payments_category_check CHECK (withholding_category IN (
        'none', 'lecture', 'professional', 'salary')),
    honorarium_yen BIGINT NOT NULL,
    travel_yen BIGINT NOT NULL,
    withholding_yen BIGINT NOT NULL CONSTRAINT expert_payments_withholding_check CHECK (withholding_yen >= 0),
    net_yen BIGINT NOT NULL CONSTRAINT expert_payments_net_check CHECK (net_yen = honorarium_yen + travel_yen - withholding_yen),
    due_on DATE NOT NULL,
    paid_on DATE,
    fiscal_year INTEGER NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT expert_payments_number_key UNIQUE (owner_organisation_id, number)
);
CREATE INDEX expert_payments_settlement_idx ON expert_payments (settlement_id);
CREATE INDEX expert_payments_expert_idx ON expert_payments (expert_id, paid_on);

-- Months and fiscal years that take no more records. Month 0 is the whole year.
CREATE TABLE closed_periods (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_organisation_id BIGINT NOT NULL CONSTRAINT closed_periods_owner_fkey REFERENCES organisations (id),
    fiscal_year INTEGER NOT NULL CONSTRAINT closed_periods_fiscal_year_check CHECK (fiscal_year BETWEEN 2000 AND 2100),
    month INTEGER NOT NULL CONSTRAINT closed_periods_month_check CHECK (month BETWEEN 0 AND 12),
    closed_by BIGINT CONSTRAINT closed_periods_closed_by_fkey REFERENCES users (id),
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT closed_periods_key UNIQUE (owner_organisation_id, fiscal_year, month)
);

-- Papers as they were issued, byte for byte.
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_organisation_id BIGINT NOT NULL CONSTRAINT documents_owner_fkey REFERENCES organisations (id),
    kind TEXT NOT NULL CONSTRAINT documents_kind_check CHECK (kind IN (
        'cost_estimate', 'decision_notice', 'contribution_notice', 'payment_notice', 'municipal_statement', 'programme_settlement',
        'payment_record', 'budget_item_table', 'allocation_tax_estimate')),
    fiscal_year INTEGER NOT NULL,
    number TEXT NOT NULL,
    title TEXT NOT NULL,
    recipient_organisation_id BIGINT CONSTRAINT documents_recipient_fkey REFERENCES organisations (id),
    request_id BIGINT CONSTRAINT documents_request_id_fkey REFERENCES requests (id),
    dispatch_id BIGINT CONSTRAINT documents_dispatch_id_fkey REFERENCES dispatches (id),
    claim_id BIGINT CONSTRAINT documents_claim_id_fkey REFERENCES claims (id),
    payment_id BIGINT CONSTRAINT documents_payment_id_fkey REFERENCES expert_payments (id),
    programme_id BIGINT CONSTRAINT documents_programme_id_fkey REFERENCES programmes (id),
    html TEXT NOT NULL,
    sha256 TEXT NOT NULL CONSTRAINT documents_sha256_check CHECK (length(sha256) = 64),
    issued_by BIGINT CONSTRAINT documents_issued_by_fkey REFERENCES users (id),
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT documents_number_key UNIQUE (owner_organisation_id, kind, number)
);
CREATE INDEX documents_owner_idx ON documents (owner_organisation_id, id);
CREATE INDEX documents_recipient_idx ON documents (recipient_organisation_id, id);

-- Days on which a placed person worked, and extensions of a placement.
CREATE TABLE posting_days (
    posting_id BIGINT NOT NULL CONSTRAINT posting_days_posting_id_fkey REFERENCES postings (id),
    day DATE NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (posting_id, day)
);

CREATE TABLE posting_amendments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    posting_id BIGINT NOT NULL CONSTRAINT posting_amendments_posting_id_fkey REFERENCES postings (id),
    document_number TEXT NOT NULL DEFAULT '',
    old_to DATE NOT NULL,
    new_to DATE NOT NULL,
    reason TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT posting_amendments_extends_check CHECK (new_to > old_to)
);
CREATE INDEX posting_amendments_posting_idx ON posting_amendments (posting_id);

-- Shares are kept first and their item after them: when a calculated item comes, its shares must sum to it, and afterwards
-- neither changes.
CREATE TRIGGER cost_items_insert BEFORE INSERT ON cost_items WHEN NEW.status <> 'open' AND NEW.amount_yen <>
    (SELECT COALESCE(SUM(s.amount_yen), 0) FROM cost_shares s WHERE s.cost_item_id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: cost_items_shares_sum'); END;
CREATE TRIGGER cost_items_calculate BEFORE UPDATE OF status ON cost_items WHEN OLD.status = 'open' AND NEW.status <> 'open'
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: cost_items_shares_sum') WHERE NEW.amount_yen <>
        (SELECT COALESCE(SUM(s.amount_yen), 0) FROM cost_shares s WHERE s.cost_item_id = NEW.id);
END;
CREATE TRIGGER cost_items_fixed_update BEFORE UPDATE ON cost_items WHEN OLD.status <> 'open' AND (
    NEW.owner_organisation_id IS NOT OLD.owner_organisation_id OR NEW.programme_id IS NOT OLD.programme_id OR
    NEW.fiscal_year IS NOT OLD.fiscal_year OR NEW.occurred_on IS NOT OLD.occurred_on OR NEW.dispatch_id IS NOT
    OLD.dispatch_id OR NEW.visit_id IS NOT OLD.visit_id OR NEW.expert_id IS NOT OLD.expert_id OR NEW.order_id IS NOT
    OLD.order_id OR NEW.adjusts_id IS NOT OLD.adjusts_id OR NEW.component IS NOT OLD.component OR NEW.amount_yen IS NOT
    OLD.amount_yen OR NEW.paid_directly_yen IS NOT OLD.paid_directly_yen OR NEW.paid_minutes IS NOT OLD.paid_minutes OR
    NEW.first_paid_by IS NOT OLD.first_paid_by OR NEW.agreement_id IS NOT OLD.agreement_id OR NEW.payer_rule IS NOT
    OLD.payer_rule OR NEW.undisclosed IS NOT OLD.undisclosed OR NEW.approximate IS NOT OLD.approximate OR NEW.explanation
    IS NOT OLD.explanation OR NEW.status IS NOT OLD.status
    OR (OLD.settlement_id IS NOT NULL AND NEW.settlement_id IS NOT OLD.settlement_id))
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: cost_items_fixed'); END;
CREATE TRIGGER cost_items_fixed_delete BEFORE DELETE ON cost_items WHEN OLD.status <> 'open'
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: cost_items_fixed'); END;
CREATE TRIGGER cost_shares_fixed_insert BEFORE INSERT ON cost_shares
WHEN (SELECT status FROM cost_items WHERE id = NEW.cost_item_id) <> 'open'
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: cost_shares_fixed'); END;
CREATE TRIGGER cost_shares_fixed_update BEFORE UPDATE ON cost_shares
WHEN (SELECT status FROM cost_items WHERE id = OLD.cost_item_id) <> 'open' OR (SELECT status FROM cost_items WHERE id = NEW.cost_item_id) <> 'open'
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: cost_shares_fixed'); END;
CREATE TRIGGER cost_shares_fixed_delete BEFORE DELETE ON cost_shares
WHEN (SELECT status FROM cost_items WHERE id = OLD.cost_item_id) <> 'open'
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: cost_shares_fixed'); END;

CREATE TRIGGER budget_entries_fixed_update BEFORE UPDATE ON budget_entries
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: budget_entries_fixed'); END;
CREATE TRIGGER budget_entries_fixed_delete BEFORE DELETE ON budget_entries
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: budget_entries_fixed'); END;
CREATE TRIGGER documents_fixed_update BEFORE UPDATE ON documents
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: documents_fixed'); END;
CREATE TRIGGER documents_fixed_delete BEFORE DELETE ON documents
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: documents_fixed'); END;
-- What was recorded of money moved and of periods closed stays as it is.
CREATE TRIGGER claims_fixed BEFORE UPDATE ON claims WHEN NEW.settlement_id IS NOT OLD.settlement_id OR NEW.cost_item_id IS NOT OLD.cost_item_id OR NEW.owner_organisation_id IS
    NOT OLD.owner_organisation_id OR NEW.number IS NOT OLD.number OR NEW.kind IS NOT OLD.kind OR
    NEW.creditor_organisation_id IS NOT OLD.creditor_organisation_id OR NEW.debtor_organisation_id IS NOT
    OLD.debtor_organisation_id OR NEW.amount_yen IS NOT OLD.amount_yen OR NEW.issued_on IS NOT OLD.issued_on OR
    NEW.fiscal_year IS NOT OLD.fiscal_year OR NEW.prior_year IS NOT OLD.prior_year
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: money_records_fixed'); END;
CREATE TRIGGER expert_payments_fixed BEFORE UPDATE ON expert_payments WHEN OLD.paid_on IS NOT NULL OR NEW.settlement_id IS NOT OLD.settlement_id OR NEW.cost_item_id IS NOT OLD.cost_item_id OR NEW.owner_organisation_id IS
    NOT OLD.owner_organisation_id OR NEW.expert_id IS NOT OLD.expert_id OR NEW.payee_organisation_id IS NOT
    OLD.payee_organisation_id OR NEW.number IS NOT OLD.number OR NEW.withholding_category IS NOT OLD.withholding_category
    OR NEW.withholding_yen IS NOT OLD.withholding_yen OR NEW.honorarium_yen IS NOT OLD.honorarium_yen OR
    NEW.travel_yen IS NOT OLD.travel_yen OR NEW.due_on IS NOT OLD.due_on OR NEW.fiscal_year IS NOT OLD.fiscal_year
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: money_records_fixed'); END;
CREATE TRIGGER claim_instalments_fixed BEFORE UPDATE ON claim_instalments
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: money_records_fixed'); END;
CREATE TRIGGER claim_payments_fixed BEFORE UPDATE ON claim_payments
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: money_records_fixed'); END;
CREATE TRIGGER closed_periods_fixed BEFORE UPDATE ON closed_periods
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: money_records_fixed'); END;
CREATE TRIGGER claims_kept BEFORE DELETE ON claims
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: money_records_fixed'); END;
CREATE TRIGGER expert_payments_kept BEFORE DELETE ON expert_payments
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: money_records_fixed'); END;
CREATE TRIGGER claim_instalments_kept BEFORE DELETE ON claim_instalments
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: money_records_fixed'); END;
CREATE TRIGGER claim_payments_kept BEFORE DELETE ON claim_payments
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: money_records_fixed'); END;
CREATE TRIGGER closed_periods_kept BEFORE DELETE ON closed_periods
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: money_records_fixed'); END;
CREATE TRIGGER cost_agreements_kept BEFORE DELETE ON cost_agreements
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: money_records_fixed'); END;
CREATE TRIGGER cost_agreement_bodies_kept BEFORE DELETE ON cost_agreement_bodies
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: money_records_fixed'); END;

CREATE TRIGGER cost_agreements_fixed_update BEFORE UPDATE ON cost_agreements WHEN NEW.terms <> OLD.terms OR NEW.number <> OLD.number
    OR NEW.request_id <> OLD.request_id OR (OLD.frozen_at IS NOT NULL AND NEW.frozen_at IS NOT OLD.frozen_at)
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: cost_agreements_fixed'); END;
CREATE TRIGGER cost_agreement_bodies_fixed_update BEFORE UPDATE ON cost_agreement_bodies
WHEN NEW.organisation_id <> OLD.organisation_id OR NEW.is_lead <> OLD.is_lead
    OR (NEW.figures <> OLD.figures AND (SELECT frozen_at FROM cost_agreements WHERE id = OLD.agreement_id) IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: cost_agreements_fixed'); END;
