//! SQL of settlements, claims and payments.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Date, Nullable};

use crate::clock::UtcTime;
use crate::costs::WithholdingCategory;
use crate::db::Conn;
use crate::db::dialect::insert_rows;
use crate::db::schema::{
    claim_instalments, claim_payments, claims, cost_items, cost_shares, dispatches, expert_payments, request_participants,
    settlements,
};
use crate::dispatches::store::Audience;
use crate::error::Error;
use crate::http::{ListQuery, Versioned};
use crate::ids::{
    ClaimId, CostItemId, DispatchId, ExpertId, ExpertPaymentId, MenuOrderId, OrganisationId, ProgrammeId, SettlementId, UserId,
};

crate::text_enum! {
    /// Where a settlement stands.
    pub enum SettlementStatus {
        /// Opened; costs still come in.
        Open = "open", "作成中";
        /// Its costs are gathered and shown to the parties.
        Calculated = "calculated", "計算済み";
        /// The amount is final (額の確定).
        Confirmed = "confirmed", "額の確定";
        /// Claims and payments are issued.
        Billed = "billed", "請求・支払通知済み";
        /// Everything is paid.
        Paid = "paid", "支払済み";
        /// Its fiscal year is closed.
        Closed = "closed", "締切済み";
    }
}

crate::text_enum! {
    /// Why one body owes another.
    pub enum ClaimKind {
        /// Its share of what another paid at first (負担金).
        Contribution = "contribution", "負担金";
        /// More, after a correction (追給).
        Additional = "additional", "追給";
        /// What was paid too much goes back (返納).
        Repayment = "repayment", "返納";
    }
}

/// A settlement.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = settlements)]
pub struct SettlementRow {
    /// Id.
    pub id: SettlementId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// Starting year of the fiscal year.
    pub fiscal_year: i32,
    /// The dispatch it settles.
    pub dispatch_id: Option<DispatchId>,
    /// The placed person whose period it settles.
    pub expert_id: Option<ExpertId>,
    /// First day of that period.
    pub period_from: Option<NaiveDate>,
    /// First day after it.
    pub period_to: Option<NaiveDate>,
    /// The order it settles.
    pub order_id: Option<MenuOrderId>,
    /// State.
    pub status: SettlementStatus,
    /// The office's own 文書番号.
    pub document_number: String,
    /// The day on which the amount became final.
    pub confirmed_on: Option<NaiveDate>,
    /// Version.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
}

impl Versioned for SettlementRow {
    fn version(&self) -> i64 {
        self.version
    }
}

/// A claim.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = claims)]
pub struct ClaimRow {
    /// Id.
    pub id: ClaimId,
    /// The settlement.
    pub settlement_id: SettlementId,
    /// The correction it follows from.
    pub cost_item_id: Option<CostItemId>,
    /// Owner of the pool, under whose numbers it is issued.
    pub owner_organisation_id: OrganisationId,
    /// Number.
    pub number: String,
    /// Why.
    pub kind: ClaimKind,
    /// Who gets the money.
    pub creditor_organisation_id: OrganisationId,
    /// Who owes it.
    pub debtor_organisation_id: OrganisationId,
    /// Yen.
    pub amount_yen: i64,
    /// Yen paid by now.
    pub paid_yen: i64,
    /// The day on which it was issued.
    pub issued_on: NaiveDate,
    /// Starting year of the fiscal year to which it belongs.
    pub fiscal_year: i32,
    /// Whether it belongs to costs of an earlier year (過年度).
    pub prior_year: bool,
    /// Version.
    pub version: i64,
    /// When it was issued.
    pub created_at: UtcTime,
}

impl Versioned for ClaimRow {
    fn version(&self) -> i64 {
        self.version
    }
}

/// A payment to an expert or to the company that sends one.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = expert_payments)]
pub struct ExpertPaymentRow {
    /// Id.
    pub id: ExpertPaymentId,
    /// The settlement.
    pub settlement_id: SettlementId,
    /// The correction it follows from.
    pub cost_item_id: Option<CostItemId>,
    /// Who pays.
    pub owner_organisation_id: OrganisationId,
    /// The expert.
    pub expert_id: ExpertId,
    /// The company that is paid in the expert's place.
    pub payee_organisation_id: Option<OrganisationId>,
    /// Number.
    pub number: String,
    /// Under what it is withheld from.
    pub withholding_category: WithholdingCategory,
    /// Yen of honorarium; below zero: to be paid back.
    pub honorarium_yen: i64,
    /// Yen of travel paid to the person.
    pub travel_yen: i64,
    /// Yen withheld.
    pub withholding_yen: i64,
    /// Yen paid out.
    pub net_yen: i64,
    /// Until when.
    pub due_on: NaiveDate,
    /// When it was paid.
    pub paid_on: Option<NaiveDate>,
    /// Starting year of the fiscal year.
    pub fiscal_year: i32,
    /// Version.
    pub version: i64,
}

impl Versioned for ExpertPaymentRow {
    fn version(&self) -> i64 {
        self.version
    }
}

/// What a settlement settles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A dispatch.
    Dispatch(DispatchId),
    /// A placed person's period; the end does not belong to it.
    Placement(ExpertId, NaiveDate, NaiveDate),
    /// An order.
    Order(MenuOrderId),
}

impl SettlementRow {
    /// What it settles.
    pub fn subject(&self) -> Result<Subject, Error> {
        match (self.dispatch_id, self.expert_id, self.period_from, self.period_to, self.order_id) {
            (Some(id), ..) => Ok(Subject::Dispatch(id)),
            (None, Some(expert), Some(from), Some(to), None) => Ok(Subject::Placement(expert, from, to)),
            (None, None, _, _, Some(order)) => Ok(Subject::Order(order)),
            _ => Err(Error::internal("a settlement of nothing")),
        }
    }
}

/// Opens a settlement; a second one for the same subject is refused by the database (409).
pub fn insert(
    conn: &mut Conn,
    (programme, owner, fiscal_year): (ProgrammeId, OrganisationId, i32),
    subject: Subject,
    now: UtcTime,
) -> Result<SettlementId, Error> {
    use settlements as t;
    let (dispatch, expert, from, to, order) = match subject {
        Subject::Dispatch(id) => (Some(id), None, None, None, None),
        Subject::Placement(expert, from, to) => (None, Some(expert), Some(from), Some(to), None),
        Subject::Order(id) => (None, None, None, None, Some(id)),
    };
    Ok(diesel::insert_into(t::table)
        .values((
            t::programme_id.eq(programme),
            t::owner_organisation_id.eq(owner),
            t::fiscal_year.eq(fiscal_year),
            t::dispatch_id.eq(dispatch),
            t::expert_id.eq(expert),
            t::period_from.eq(from),
            t::period_to.eq(to),
            t::order_id.eq(order),
            t::status.eq(SettlementStatus::Open),
            t::created_at.eq(now),
            t::updated_at.eq(now),
        ))
        .returning(t::id)
        .get_result(conn)?)
}

/// One settlement.
pub fn find(conn: &mut Conn, id: SettlementId) -> Result<Option<SettlementRow>, Error> {
    Ok(settlements::table.find(id).select(SettlementRow::as_select()).first(conn).optional()?)
}

/// The settlement of a dispatch.
pub fn of_dispatch(conn: &mut Conn, dispatch: DispatchId) -> Result<Option<SettlementRow>, Error> {
    Ok(settlements::table
        .filter(settlements::dispatch_id.eq(dispatch))
        .select(SettlementRow::as_select())
        .first(conn)
        .optional()?)
}

/// Keeps state, numbers and days of a settlement.
pub fn update(conn: &mut Conn, row: &SettlementRow, by: Option<UserId>, now: UtcTime) -> Result<i64, Error> {
    use settlements as t;
    let version = row.version + 1;
    let changed = diesel::update(t::table.find(row.id).filter(t::version.eq(row.version)))
        .set((
            t::status.eq(row.status),
            t::document_number.eq(&row.document_number),
            t::confirmed_on.eq(row.confirmed_on),
            t::version.eq(version),
            t::updated_at.eq(now),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Err(Error::new(crate::error::ErrorCode::StaleVersion));
    }
    if row.status == SettlementStatus::Confirmed && by.is_some() {
        diesel::update(t::table.find(row.id)).set(t::confirmed_by.eq(by)).execute(conn)?;
    }
    Ok(version)
}

/// Takes in every cost of the subject that no settlement has yet.
pub fn take_in(conn: &mut Conn, row: &SettlementRow) -> Result<usize, Error> {
    use cost_items as t;
    let set = t::settlement_id.eq(row.id);
    Ok(match row.subject()? {
        Subject::Dispatch(id) => {
            diesel::update(t::table.filter(t::dispatch_id.eq(id)).filter(t::settlement_id.is_null())).set(set).execute(conn)?
        }
        Subject::Order(id) => {
            diesel::update(t::table.filter(t::order_id.eq(id)).filter(t::settlement_id.is_null())).set(set).execute(conn)?
        }
        Subject::Placement(expert, from, to) => diesel::update(
            t::table
                .filter(t::programme_id.eq(row.programme_id))
                .filter(t::expert_id.eq(expert))
                .filter(t::dispatch_id.is_null())
                .filter(t::order_id.is_null())
                .filter(t::occurred_on.ge(from))
                .filter(t::occurred_on.lt(to))
                .filter(t::settlement_id.is_null()),
        )
        .set(set)
        .execute(conn)?,
    })
}

/// Whether the settlement of a placed person's period that a day lies in is final.
pub fn final_placement(conn: &mut Conn, programme: ProgrammeId, expert: ExpertId, day: NaiveDate) -> Result<bool, Error> {
    let found: i64 = settlements::table
        .filter(settlements::programme_id.eq(programme))
        .filter(settlements::expert_id.eq(expert))
        .filter(settlements::period_from.le(day))
        .filter(settlements::period_to.gt(day))
        .filter(diesel::dsl::not(settlements::status.eq_any([SettlementStatus::Open, SettlementStatus::Calculated])))
        .count()
        .get_result(conn)?;
    Ok(found > 0)
}

/// How many costs of an owner's fiscal year no settlement has taken in; those of nothing leave nothing to settle.
pub fn count_unsettled(conn: &mut Conn, owner: OrganisationId, year: i32) -> Result<i64, Error> {
    Ok(cost_items::table
        .filter(cost_items::owner_organisation_id.eq(owner))
        .filter(cost_items::fiscal_year.eq(year))
        .filter(cost_items::settlement_id.is_null())
        .filter(cost_items::amount_yen.ne(0))
        .count()
        .get_result(conn)?)
}

/// How many settlements of an owner's fiscal year stand elsewhere than at one of some states.
pub fn count_not_in(conn: &mut Conn, owner: OrganisationId, year: i32, states: &[SettlementStatus]) -> Result<i64, Error> {
    Ok(settlements::table
        .filter(settlements::owner_organisation_id.eq(owner))
        .filter(settlements::fiscal_year.eq(year))
        .filter(diesel::dsl::not(settlements::status.eq_any(states)))
        .count()
        .get_result(conn)?)
}

/// How many claims and payments that belong to an owner's fiscal year are not paid.
pub fn count_unpaid(conn: &mut Conn, owner: OrganisationId, year: i32) -> Result<i64, Error> {
    let claims: i64 = claims::table
        .filter(claims::owner_organisation_id.eq(owner))
        .filter(claims::fiscal_year.eq(year))
        .filter(claims::paid_yen.lt(claims::amount_yen))
        .count()
        .get_result(conn)?;
    let payments: i64 = expert_payments::table
        .filter(expert_payments::owner_organisation_id.eq(owner))
        .filter(expert_payments::fiscal_year.eq(year))
        .filter(expert_payments::paid_on.is_null())
        .count()
        .get_result(conn)?;
    Ok(claims + payments)
}

/// Closes the paid settlements of an owner's fiscal year.
pub fn close_year(conn: &mut Conn, owner: OrganisationId, year: i32, now: UtcTime) -> Result<usize, Error> {
    Ok(diesel::update(
        settlements::table
            .filter(settlements::owner_organisation_id.eq(owner))
            .filter(settlements::fiscal_year.eq(year))
            .filter(settlements::status.eq(SettlementStatus::Paid)),
    )
    .set((
        settlements::status.eq(SettlementStatus::Closed),
        settlements::version.eq(settlements::version + 1),
        settlements::updated_at.eq(now),
    ))
    .execute(conn)?)
}

/// What the list of settlements can be narrowed by.
#[derive(Debug, Clone, Default)]
pub struct SettlementFilter {
    /// Only this one.
    pub id: Option<SettlementId>,
    /// Only of this programme.
    pub programme_id: Option<ProgrammeId>,
    /// Only of this fiscal year.
    pub fiscal_year: Option<i32>,
    /// Only in this state.
    pub status: Option<SettlementStatus>,
    /// Only of this dispatch.
    pub dispatch_id: Option<DispatchId>,
}

/// A page of the settlements that an audience sees: an owner its own, a body those in which it bears a part or whose
/// dispatch it belongs to.
pub fn list(
    conn: &mut Conn,
    audience: &Audience,
    filter: &SettlementFilter,
    page: &ListQuery,
) -> Result<Vec<SettlementRow>, Error> {
    use diesel::dsl::exists;
    let mut query =
        settlements::table.select(SettlementRow::as_select()).order(settlements::id.desc()).limit(page.fetch()).into_boxed();
    match audience {
        Audience::Owner(me) | Audience::Body(me) => {
            query = query.filter(
                settlements::owner_organisation_id
                    .eq(*me)
                    .or(exists(
                        cost_items::table
                            .inner_join(cost_shares::table)
                            .filter(cost_items::settlement_id.eq(settlements::id.nullable()))
                            .filter(cost_shares::organisation_id.eq(*me)),
                    ))
                    .or(exists(
                        dispatches::table.filter(dispatches::id.nullable().eq(settlements::dispatch_id)).filter(
                            dispatches::applicant_organisation_id.eq(*me).or(exists(
                                request_participants::table
                                    .filter(request_participants::request_id.eq(dispatches::request_id))
                                    .filter(request_participants::organisation_id.eq(*me)),
                            )),
                        ),
                    )),
            );
        }
        Audience::Expert(_) => query = query.filter(settlements::id.eq(SettlementId(0))),
    }
    if let Some(id) = filter.id {
        query = query.filter(settlements::id.eq(id));
    }
    if let Some(programme) = filter.programme_id {
        query = query.filter(settlements::programme_id.eq(programme));
    }
    if let Some(year) = filter.fiscal_year {
        query = query.filter(settlements::fiscal_year.eq(year));
    }
    if let Some(status) = filter.status {
        query = query.filter(settlements::status.eq(status));
    }
    if let Some(dispatch) = filter.dispatch_id {
        query = query.filter(settlements::dispatch_id.eq(dispatch));
    }
    if let Some((_, id)) = page.after() {
        query = query.filter(settlements::id.lt(SettlementId(id)));
    }
    Ok(query.load(conn)?)
}

/// A claim to be issued.
#[derive(Debug, Clone)]
pub struct NewClaim {
    /// The settlement.
    pub settlement: SettlementId,
    /// The correction it follows from.
    pub cost_item: Option<CostItemId>,
    /// Under whose numbers.
    pub owner: OrganisationId,
    /// Number.
    pub number: String,
    /// Why.
    pub kind: ClaimKind,
    /// Who gets the money.
    pub creditor: OrganisationId,
    /// Who owes it.
    pub debtor: OrganisationId,
    /// Yen.
    pub amount: i64,
    /// The day on which it is issued.
    pub issued_on: NaiveDate,
    /// To which year it belongs.
    pub fiscal_year: i32,
    /// Whether it belongs to costs of an earlier year.
    pub prior_year: bool,
    /// Days and yen of the instalments; they sum to the amount.
    pub instalments: Vec<(NaiveDate, i64)>,
}

/// Issues a claim with its instalments.
pub fn insert_claim(conn: &mut Conn, new: &NewClaim, now: UtcTime) -> Result<ClaimId, Error> {
    use claims as t;
    if new.instalments.iter().map(|(_, yen)| yen).sum::<i64>() != new.amount {
        return Err(Error::internal("instalments do not sum to the claim"));
    }
    let id: ClaimId = diesel::insert_into(t::table)
        .values((
            t::settlement_id.eq(new.settlement),
            t::cost_item_id.eq(new.cost_item),
            t::owner_organisation_id.eq(new.owner),
            t::number.eq(&new.number),
            t::kind.eq(new.kind),
            t::creditor_organisation_id.eq(new.creditor),
            t::debtor_organisation_id.eq(new.debtor),
            t::amount_yen.eq(new.amount),
            t::issued_on.eq(new.issued_on),
            t::fiscal_year.eq(new.fiscal_year),
            t::prior_year.eq(new.prior_year),
            t::created_at.eq(now),
            t::updated_at.eq(now),
        ))
        .returning(t::id)
        .get_result(conn)?;
    let rows: Vec<_> = (1_i32..)
        .zip(&new.instalments)
        .map(|(number, (due_on, yen))| {
            (
                claim_instalments::claim_id.eq(id),
                claim_instalments::number.eq(number),
                claim_instalments::due_on.eq(*due_on),
                claim_instalments::amount_yen.eq(*yen),
            )
        })
        .collect();
    insert_rows!(conn, claim_instalments::table, &rows)?;
    Ok(id)
}

/// The claims of settlements.
pub fn claims_of(conn: &mut Conn, ids: &[SettlementId]) -> Result<Vec<ClaimRow>, Error> {
    Ok(claims::table.filter(claims::settlement_id.eq_any(ids)).order(claims::id).select(ClaimRow::as_select()).load(conn)?)
}

/// One claim.
pub fn claim(conn: &mut Conn, id: ClaimId) -> Result<Option<ClaimRow>, Error> {
    Ok(claims::table.find(id).select(ClaimRow::as_select()).first(conn).optional()?)
}

/// A page of the claims that an organisation issued, owes or is owed.
pub fn list_claims(
    conn: &mut Conn,
    me: OrganisationId,
    year: Option<i32>,
    open: Option<bool>,
    page: &ListQuery,
) -> Result<Vec<ClaimRow>, Error> {
    let mut query = claims::table
        .select(ClaimRow::as_select())
        .filter(
            claims::owner_organisation_id
                .eq(me)
                .or(claims::debtor_organisation_id.eq(me))
                .or(claims::creditor_organisation_id.eq(me)),
        )
        .order(claims::id.desc())
        .limit(page.fetch())
        .into_boxed();
    if let Some(year) = year {
        query = query.filter(claims::fiscal_year.eq(year));
    }
    match open {
        Some(true) => query = query.filter(claims::paid_yen.lt(claims::amount_yen)),
        Some(false) => query = query.filter(claims::paid_yen.eq(claims::amount_yen)),
        None => {}
    }
    if let Some((_, id)) = page.after() {
        query = query.filter(claims::id.lt(ClaimId(id)));
    }
    Ok(query.load(conn)?)
}

/// Number, day and yen of the instalments of claims.
pub fn instalments(conn: &mut Conn, ids: &[ClaimId]) -> Result<Vec<(ClaimId, i32, NaiveDate, i64)>, Error> {
    Ok(claim_instalments::table
        .filter(claim_instalments::claim_id.eq_any(ids))
        .order((claim_instalments::claim_id, claim_instalments::number))
        .select((
            claim_instalments::claim_id,
            claim_instalments::number,
            claim_instalments::due_on,
            claim_instalments::amount_yen,
        ))
        .load(conn)?)
}

/// Day, yen and note of the payments of claims.
pub fn payments(conn: &mut Conn, ids: &[ClaimId]) -> Result<Vec<(ClaimId, NaiveDate, i64, String)>, Error> {
    Ok(claim_payments::table
        .filter(claim_payments::claim_id.eq_any(ids))
        .order((claim_payments::claim_id, claim_payments::id))
        .select((claim_payments::claim_id, claim_payments::paid_on, claim_payments::amount_yen, claim_payments::note))
        .load(conn)?)
}

/// Records a payment of a claim; the database refuses more than is owed.
pub fn pay_claim(
    conn: &mut Conn,
    row: &ClaimRow,
    (paid_on, yen, note): (NaiveDate, i64, &str),
    now: UtcTime,
) -> Result<i64, Error> {
    let version = row.version + 1;
    diesel::insert_into(claim_payments::table)
        .values((
            claim_payments::claim_id.eq(row.id),
            claim_payments::paid_on.eq(paid_on),
            claim_payments::amount_yen.eq(yen),
            claim_payments::note.eq(note),
            claim_payments::created_at.eq(now),
        ))
        .execute(conn)?;
    let changed = diesel::update(claims::table.find(row.id).filter(claims::version.eq(row.version)))
        .set((claims::paid_yen.eq(row.paid_yen + yen), claims::version.eq(version), claims::updated_at.eq(now)))
        .execute(conn)?;
    if changed == 0 {
        return Err(Error::new(crate::error::ErrorCode::StaleVersion));
    }
    Ok(version)
}

/// A payment to an expert to be issued.
#[derive(Debug, Clone)]
pub struct NewExpertPayment {
    /// The settlement.
    pub settlement: SettlementId,
    /// The correction it follows from.
    pub cost_item: Option<CostItemId>,
    /// Who pays.
    pub owner: OrganisationId,
    /// The expert.
    pub expert: ExpertId,
    /// The company that is paid in the expert's place.
    pub payee: Option<OrganisationId>,
    /// Number.
    pub number: String,
    /// Under what it is withheld from.
    pub category: WithholdingCategory,
    /// Yen of honorarium.
    pub honorarium: i64,
    /// Yen of travel paid to the person.
    pub travel: i64,
    /// Yen withheld.
    pub withholding: i64,
    /// Until when.
    pub due_on: NaiveDate,
    /// To which year it belongs.
    pub fiscal_year: i32,
}

/// Issues a payment to an expert.
pub fn insert_payment(conn: &mut Conn, new: &NewExpertPayment, now: UtcTime) -> Result<ExpertPaymentId, Error> {
    use expert_payments as t;
    Ok(diesel::insert_into(t::table)
        .values((
            t::settlement_id.eq(new.settlement),
            t::cost_item_id.eq(new.cost_item),
            t::owner_organisation_id.eq(new.owner),
            t::expert_id.eq(new.expert),
            t::payee_organisation_id.eq(new.payee),
            t::number.eq(&new.number),
            t::withholding_category.eq(new.category),
            t::honorarium_yen.eq(new.honorarium),
            t::travel_yen.eq(new.travel),
            t::withholding_yen.eq(new.withholding),
            t::net_yen.eq(new.honorarium + new.travel - new.withholding),
            t::due_on.eq(new.due_on),
            t::fiscal_year.eq(new.fiscal_year),
            t::created_at.eq(now),
            t::updated_at.eq(now),
        ))
        .returning(t::id)
        .get_result(conn)?)
}

/// The payments of settlements.
pub fn payments_of(conn: &mut Conn, ids: &[SettlementId]) -> Result<Vec<ExpertPaymentRow>, Error> {
    Ok(expert_payments::table
        .filter(expert_payments::settlement_id.eq_any(ids))
        .order(expert_payments::id)
        .select(ExpertPaymentRow::as_select())
        .load(conn)?)
}

/// One payment.
pub fn payment(conn: &mut Conn, id: ExpertPaymentId) -> Result<Option<ExpertPaymentRow>, Error> {
    Ok(expert_payments::table.find(id).select(ExpertPaymentRow::as_select()).first(conn).optional()?)
}

/// Notes when a payment was made.
pub fn set_paid(conn: &mut Conn, row: &ExpertPaymentRow, paid_on: NaiveDate, now: UtcTime) -> Result<i64, Error> {
    let version = row.version + 1;
    diesel::update(expert_payments::table.find(row.id))
        .set((expert_payments::paid_on.eq(paid_on), expert_payments::version.eq(version), expert_payments::updated_at.eq(now)))
        .execute(conn)?;
    Ok(version)
}

/// A page of payments: an owner's own, an expert's own.
pub fn list_payments(
    conn: &mut Conn,
    owner: Option<OrganisationId>,
    experts: &[ExpertId],
    calendar_year: Option<(NaiveDate, NaiveDate)>,
    page: &ListQuery,
) -> Result<Vec<ExpertPaymentRow>, Error> {
    let mut query = expert_payments::table
        .select(ExpertPaymentRow::as_select())
        .order(expert_payments::id.desc())
        .limit(page.fetch())
        .into_boxed();
    query = match owner {
        Some(owner) => query.filter(expert_payments::owner_organisation_id.eq(owner)),
        None => query.filter(expert_payments::expert_id.eq_any(experts.to_vec())),
    };
    if let Some((from, to)) = calendar_year {
        query = query.filter(expert_payments::paid_on.between(from, to));
    }
    if let Some((_, id)) = page.after() {
        query = query.filter(expert_payments::id.lt(ExpertPaymentId(id)));
    }
    Ok(query.load(conn)?)
}

/// Everything an owner paid to experts between two days, both included.
pub fn paid_between(
    conn: &mut Conn,
    owner: OrganisationId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<ExpertPaymentRow>, Error> {
    Ok(expert_payments::table
        .filter(expert_payments::owner_organisation_id.eq(owner))
        .filter(expert_payments::paid_on.between(from, to))
        .order(expert_payments::id)
        .select(ExpertPaymentRow::as_select())
        .load(conn)?)
}

/// The day on which the first instalment that is not paid in full is due.
const DUE: &str = "(SELECT MIN(i.due_on) FROM claim_instalments i WHERE i.claim_id = claims.id AND \
    (SELECT SUM(j.amount_yen) FROM claim_instalments j WHERE j.claim_id = i.claim_id AND j.number <= i.number) > claims.paid_yen)";

/// A claim of which a part was due and is not paid.
#[derive(Debug, Clone)]
pub struct OverdueClaim {
    /// The claim.
    pub claim: ClaimRow,
    /// The day on which the first part that is not paid in full was due.
    pub due_on: NaiveDate,
    /// Yen due by now and not paid.
    pub unpaid_yen: i64,
}

/// The claims of which something was due before a day and is not paid, oldest first.
pub fn overdue(conn: &mut Conn, today: NaiveDate) -> Result<Vec<OverdueClaim>, Error> {
    let rows: Vec<(ClaimRow, Option<NaiveDate>)> = claims::table
        .filter(claims::paid_yen.lt(claims::amount_yen))
        .filter(sql::<Nullable<Date>>(DUE).lt(today))
        .order(claims::id)
        .select((ClaimRow::as_select(), sql::<Nullable<Date>>(DUE)))
        .load(conn)?;
    let ids: Vec<ClaimId> = rows.iter().map(|(claim, _)| claim.id).collect();
    let mut due: HashMap<ClaimId, i64> = HashMap::new();
    for some in ids.chunks(500) {
        let parts: Vec<(ClaimId, i64)> = claim_instalments::table
            .filter(claim_instalments::claim_id.eq_any(some))
            .filter(claim_instalments::due_on.lt(today))
            .select((claim_instalments::claim_id, claim_instalments::amount_yen))
            .load(conn)?;
        for (claim, yen) in parts {
            *due.entry(claim).or_insert(0) += yen;
        }
    }
    Ok(rows
        .into_iter()
        .filter_map(|(claim, due_on)| {
            let unpaid_yen = due.get(&claim.id).copied().unwrap_or(0) - claim.paid_yen;
            Some(OverdueClaim { due_on: due_on?, unpaid_yen, claim })
        })
        .collect())
}

/// The claims that a body has yet to pay, at most so many, those that fall due first; each with the day on which the first
/// instalment that is not paid in full is due.
pub fn owed(conn: &mut Conn, debtor: OrganisationId, most: i64) -> Result<Vec<(ClaimRow, Option<NaiveDate>)>, Error> {
    Ok(claims::table
        .filter(claims::debtor_organisation_id.eq(debtor))
        .filter(claims::paid_yen.lt(claims::amount_yen))
        .order((sql::<Nullable<Date>>(DUE), claims::id))
        .limit(most)
        .select((ClaimRow::as_select(), sql::<Nullable<Date>>(DUE)))
        .load(conn)?)
}

/// How many claims a body has yet to pay.
pub fn count_owed(conn: &mut Conn, debtor: OrganisationId) -> Result<i64, Error> {
    Ok(claims::table
        .filter(claims::debtor_organisation_id.eq(debtor))
        .filter(claims::paid_yen.lt(claims::amount_yen))
        .count()
        .get_result(conn)?)
}
