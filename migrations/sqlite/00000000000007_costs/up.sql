-- Cost items of visits and who pays them. Rows are fixed once a calculation has left `open`.

CREATE TABLE cost_items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dispatch_id BIGINT NOT NULL CONSTRAINT cost_items_dispatch_id_fkey REFERENCES dispatches (id),
    visit_id BIGINT NOT NULL CONSTRAINT cost_items_visit_id_fkey REFERENCES visits (id),
    component TEXT NOT NULL CONSTRAINT cost_items_component_check CHECK (component IN (
        'honorarium', 'travel', 'venue', 'materials', 'other')),
    amount_yen BIGINT NOT NULL CONSTRAINT cost_items_amount_yen_check CHECK (amount_yen BETWEEN 0 AND 1000000000000),
    undisclosed BOOLEAN NOT NULL DEFAULT FALSE,
    explanation TEXT NOT NULL,
    status TEXT NOT NULL CONSTRAINT cost_items_status_check CHECK (status IN ('open', 'calculated')),
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT cost_items_visit_component_key UNIQUE (visit_id, component)
);
CREATE INDEX cost_items_dispatch_idx ON cost_items (dispatch_id);

CREATE TABLE cost_shares (
    cost_item_id BIGINT NOT NULL CONSTRAINT cost_shares_cost_item_id_fkey REFERENCES cost_items (id),
    organisation_id BIGINT NOT NULL CONSTRAINT cost_shares_organisation_id_fkey REFERENCES organisations (id),
    payer TEXT NOT NULL CONSTRAINT cost_shares_payer_check CHECK (payer IN ('prefecture', 'municipality')),
    amount_yen BIGINT NOT NULL CONSTRAINT cost_shares_amount_yen_check CHECK (amount_yen BETWEEN 0 AND 1000000000000),
    PRIMARY KEY (cost_item_id, payer, organisation_id)
);
CREATE INDEX cost_shares_organisation_idx ON cost_shares (organisation_id);

CREATE TRIGGER cost_items_insert BEFORE INSERT ON cost_items WHEN NEW.status <> 'open' AND NEW.amount_yen <> 0
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: cost_items_shares_sum'); END;
CREATE TRIGGER cost_items_calculate BEFORE UPDATE ON cost_items WHEN OLD.status = 'open' AND NEW.status <> 'open'
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: cost_items_shares_sum') WHERE NEW.amount_yen <>
        (SELECT COALESCE(SUM(s.amount_yen), 0) FROM cost_shares s WHERE s.cost_item_id = NEW.id);
END;
CREATE TRIGGER cost_items_fixed_update BEFORE UPDATE ON cost_items WHEN OLD.status <> 'open' AND (
    NEW.amount_yen <> OLD.amount_yen OR NEW.component <> OLD.component OR NEW.visit_id <> OLD.visit_id
    OR NEW.dispatch_id <> OLD.dispatch_id OR NEW.status <> OLD.status OR NEW.undisclosed <> OLD.undisclosed)
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
