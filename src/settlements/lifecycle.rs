//! The life of a settlement: opened, calculated once the work is over, final (額の確定), billed, paid, closed with its year.

use serde_json::json;

use super::settlement_store::{self, SettlementRow, SettlementStatus, Subject};
use super::settlement_views::{ConfirmSettlementBody, CreateSettlementBody, SettlementVerbBody, SettlementView};
use super::{periods, store};
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::db::dialect;
use crate::dispatches::model::{ReportStatus, VisitStatus};
use crate::dispatches::store::Audience;
use crate::dispatches::{report_store, visit_store};
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, ListQuery, Outcome};
use crate::ids::{DispatchId, OrganisationId, ProgrammeId, SettlementId};

crate::text_enum! {
    /// What can be done to a settlement.
    pub enum SettlementVerb {
        /// Gather the costs of the work that is over.
        Calculate = "calculate", "計算";
        /// Make the amount final.
        Confirm = "confirm", "額の確定";
        /// Issue claims and payments.
        Bill = "bill", "請求・支払通知";
        /// Correct a final amount.
        Adjust = "adjust", "追給・返納";
    }
}

/// The state table. What is paid and closed follows from payments and the close of the year.
pub const TRANSITIONS: &[(SettlementStatus, SettlementVerb, SettlementStatus)] = &[
    (SettlementStatus::Open, SettlementVerb::Calculate, SettlementStatus::Calculated),
    (SettlementStatus::Calculated, SettlementVerb::Calculate, SettlementStatus::Calculated),
    (SettlementStatus::Calculated, SettlementVerb::Confirm, SettlementStatus::Confirmed),
    (SettlementStatus::Confirmed, SettlementVerb::Adjust, SettlementStatus::Confirmed),
    (SettlementStatus::Confirmed, SettlementVerb::Bill, SettlementStatus::Billed),
    (SettlementStatus::Billed, SettlementVerb::Adjust, SettlementStatus::Billed),
    (SettlementStatus::Paid, SettlementVerb::Adjust, SettlementStatus::Billed),
    (SettlementStatus::Closed, SettlementVerb::Adjust, SettlementStatus::Closed),
];

impl SettlementStatus {
    /// The state after a verb, or 409 with the verbs that are allowed.
    pub fn after(self, verb: SettlementVerb) -> Result<Self, Error> {
        TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == verb)
            .map(|(_, _, to)| *to)
            .ok_or_else(|| Error::transition(self.as_str(), self.verbs().iter().map(|verb| verb.as_str()).collect()))
    }

    /// The verbs allowed in this state.
    pub fn verbs(self) -> Vec<SettlementVerb> {
        TRANSITIONS.iter().filter(|(from, ..)| *from == self).map(|(_, verb, _)| *verb).collect()
    }

    /// Whether the amount is final, so that only corrections change it.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Open | Self::Calculated)
    }
}

/// 409 once the settlement of a dispatch is final.
pub fn require_not_final(conn: &mut Conn, dispatch: DispatchId) -> Result<(), Error> {
    match settlement_store::of_dispatch(conn, dispatch)? {
        Some(row) if row.status.is_final() => Err(Error::new(ErrorCode::SettlementFixed)),
        _ => Ok(()),
    }
}

/// A settlement that the principal sees: 404 when not visible.
pub fn visible(conn: &mut Conn, ctx: &Ctx, id: SettlementId) -> Result<SettlementRow, Error> {
    let filter = settlement_store::SettlementFilter { id: Some(id), ..Default::default() };
    let page = ListQuery::new(Some(1), None, &"settlement")?;
    settlement_store::list(conn, &Audience::of(ctx), &filter, &page)?.pop().ok_or_else(Error::not_found)
}

/// A settlement of the principal's own pool, locked: 404 when not visible, 403 when only visible.
pub fn owned(conn: &mut Conn, ctx: &Ctx, id: SettlementId) -> Result<SettlementRow, Error> {
    let seen = visible(conn, ctx, id)?;
    if seen.owner_organisation_id != ctx.organisation() {
        return Err(Error::new(ErrorCode::Forbidden));
    }
    lock(conn, &seen)
}

/// Locks the year's money, then the settlement: what is confirmed, corrected and called off at once takes turns.
pub fn lock(conn: &mut Conn, seen: &SettlementRow) -> Result<SettlementRow, Error> {
    if let Some(year) = crate::pools::store::year(conn, seen.programme_id, seen.fiscal_year)? {
        dialect::lock_row(conn, dialect::Lockable::ProgrammeYear, year.id.0)?;
    }
    dialect::claim(conn, &format!("settlement {}", seen.id))?;
    settlement_store::find(conn, seen.id)?.ok_or_else(Error::not_found)
}

fn audit(row: &SettlementRow) -> Audit {
    Audit::new("settlement", row.id.0, row.owner_organisation_id)
}

/// Opens a settlement of a dispatch, of a placed person's period, or of an order.
pub fn open(conn: &mut Conn, ctx: &Ctx, body: CreateSettlementBody) -> Result<Outcome<SettlementView>, Error> {
    let me = ctx.organisation();
    let mut fields = Fields::new();
    let found = subject(conn, ctx, &body, &mut fields)?;
    fields.finish()?;
    let Some(((programme, owner, year), subject)) = found else { return Err(Error::internal("no subject")) };
    if owner != me {
        return Err(Error::new(ErrorCode::Forbidden));
    }
    periods::require_year_open(conn, owner, year)?;
    let id = settlement_store::insert(conn, (programme, owner, year), subject, ctx.now)?;
    let row = settlement_store::find(conn, id)?.ok_or_else(Error::not_found)?;
    let audit =
        audit(&row).created(json!({"dispatch_id": row.dispatch_id, "expert_id": row.expert_id, "order_id": row.order_id}));
    let view = super::settlement_views::view(conn, ctx, &row)?;
    Ok(Outcome::created(view, row.version, format!("/api/v1/settlements/{id}"), audit))
}

type Found = ((ProgrammeId, OrganisationId, i32), Subject);

fn subject(conn: &mut Conn, ctx: &Ctx, body: &CreateSettlementBody, fields: &mut Fields) -> Result<Option<Found>, Error> {
    let named = [body.dispatch_id.is_some(), body.placement.is_some(), body.order_id.is_some()];
    if named.iter().filter(|named| **named).count() != 1 {
        fields.wrong(
            "/",
            "one_subject",
            "派遣、配属の期間、注文のいずれか1つを指定してください",
            "Name exactly one: a dispatch, a placement's period, or an order",
        );
        return Ok(None);
    }
    if let Some(id) = body.dispatch_id {
        let seen = crate::dispatches::store::visible_dispatch(conn, ctx, id);
        let Ok(row) = seen else {
            fields.wrong("/dispatch_id", "not_found", "見える派遣を指定してください", "Must be a dispatch one sees");
            return Ok(None);
        };
        return Ok(Some(((row.programme_id, row.owner_organisation_id, row.fiscal_year), Subject::Dispatch(id))));
    }
    if let Some(id) = body.order_id {
        let Some(order) = super::menu_store::find(conn, id)?.filter(|order| order.owner_organisation_id == ctx.organisation())
        else {
            fields.wrong(
                "/order_id",
                "not_found",
                "自団体の事業の注文を指定してください",
                "Must be an order of an own programme",
            );
            return Ok(None);
        };
        return Ok(Some(((order.programme_id, order.owner_organisation_id, order.fiscal_year), Subject::Order(id))));
    }
    let Some(placement) = &body.placement else { return Ok(None) };
    fields.validity("/placement/to", placement.from, Some(placement.to));
    let year = FiscalYear::of(placement.from);
    let last = placement.to.pred_opt().unwrap_or(placement.to);
    fields.check(
        year.contains(last),
        "/placement/to",
        "period_crosses_fiscal_year",
        "1つの年度の中の期間を指定してください",
        "Must stay within one fiscal year",
    );
    let owner = crate::pools::store::visible_programme(conn, ctx, placement.programme_id).ok();
    let Some((programme, _)) = owner else {
        fields.wrong("/placement/programme_id", "not_found", "見える事業を指定してください", "Must be a programme one sees");
        return Ok(None);
    };
    let subject = Subject::Placement(placement.expert_id, placement.from, placement.to);
    Ok(Some(((programme.id, programme.owner_organisation_id, year.starting_year()), subject)))
}

/// 409 naming what is still ahead of a dispatch: visits, or its report.
fn require_work_over(conn: &mut Conn, dispatch: DispatchId) -> Result<(), Error> {
    let visits = visit_store::of_dispatch(conn, dispatch)?;
    let ahead = visits.iter().filter(|visit| matches!(visit.status, VisitStatus::Held | VisitStatus::Planned)).count();
    if ahead > 0 {
        return Err(Error::new(ErrorCode::InvalidTransition).detail(
            format!("実績が記録されていない訪問が{ahead}件あります"),
            format!("{ahead} visits are still to be recorded"),
        ));
    }
    let done = visits.iter().any(|visit| visit.status == VisitStatus::Done);
    let report = report_store::of_dispatch(conn, dispatch)?;
    if done && report.status != ReportStatus::Approved {
        return Err(Error::new(ErrorCode::InvalidTransition).detail(
            format!("実績報告書が「{}」です。承認後に計算できます", report.status.label_ja()),
            format!("The report is {}; the amount is calculated once it is approved", report.status),
        ));
    }
    Ok(())
}

/// Gathers the costs of work that is over: every visit recorded and the report approved, the order completed.
pub fn calculate(
    conn: &mut Conn,
    ctx: &Ctx,
    row: SettlementRow,
    _: SettlementVerbBody,
) -> Result<Outcome<SettlementView>, Error> {
    let before = row.status;
    let mut row = row;
    row.status = before.after(SettlementVerb::Calculate)?;
    match row.subject()? {
        Subject::Dispatch(id) => require_work_over(conn, id)?,
        Subject::Order(id) => super::menus::require_completed(conn, id)?,
        Subject::Placement(_, _, to) => {
            if to > ctx.today() {
                return Err(Error::new(ErrorCode::InvalidTransition)
                    .detail("期間が終わってから計算できます", "The period is not over yet"));
            }
        }
    }
    settlement_store::take_in(conn, &row)?;
    finish(conn, ctx, row, before, None)
}

/// Makes the amount final (額の確定). From now on originals stay and corrections are added.
pub fn confirm(
    conn: &mut Conn,
    ctx: &Ctx,
    row: SettlementRow,
    body: ConfirmSettlementBody,
) -> Result<Outcome<SettlementView>, Error> {
    let before = row.status;
    let mut row = row;
    row.status = before.after(SettlementVerb::Confirm)?;
    let day = body.confirmed_on.unwrap_or_else(|| ctx.today());
    let mut fields = Fields::new();
    fields.optional_line("/document_number", &body.document_number, 100);
    fields.check(
        day <= ctx.today(),
        "/confirmed_on",
        "in_the_future",
        "今日以前の日付にしてください",
        "Must not lie in the future",
    );
    fields.finish()?;
    // A cost entered after the calculation is not part of what was shown to the parties.
    if settlement_store::take_in(conn, &row)? > 0 {
        return Err(Error::new(ErrorCode::InvalidTransition)
            .detail("計算の後に費用が入力されています。もう一度計算してください", "Costs were entered since: calculate again"));
    }
    row.confirmed_on = Some(day);
    row.document_number = body.document_number;
    finish(conn, ctx, row, before, ctx.principal.user_id())
}

/// Keeps a settlement in its new state.
pub(super) fn finish(
    conn: &mut Conn,
    ctx: &Ctx,
    mut row: SettlementRow,
    before: SettlementStatus,
    by: Option<crate::ids::UserId>,
) -> Result<Outcome<SettlementView>, Error> {
    row.version = settlement_store::update(conn, &row, by, ctx.now)?;
    let (items, _) = store::for_settlement(conn, row.id)?;
    let total: i64 = items.iter().map(|item| item.amount_yen).sum();
    let audit = audit(&row).change(
        json!({"status": before}),
        json!({"status": row.status, "items": items.len(), "total_yen": total, "confirmed_on": row.confirmed_on}),
    );
    let view = super::settlement_views::view(conn, ctx, &row)?;
    Ok(Outcome::changed(view, row.version, audit))
}
