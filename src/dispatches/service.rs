//! What every use case of a dispatch shares, small changes, and calling a dispatch off.

use serde_json::json;

use super::model::{AmendmentKind, DispatchVerb, Party, VisitStatus, notice_days, report_due_on};
use super::notices;
use super::records::{self, NewAmendment};
use super::report_store;
use super::report_views::is_overdue;
use super::store::{self, DispatchExpertRow, DispatchRow};
use super::views::{
    AmendmentView, CancelDispatchBody, DispatchCancellation, DispatchView, DispatchedExpertView, ReportState, UpdateDispatchBody,
};
use super::visit_store::{self, VisitRow};
use super::visit_views::{VisitNames, VisitView};
use crate::auth::policy::{Permission as _, ReadCosts, Role};
use crate::db::Conn;
use crate::db::dialect::{Lockable, lock_row};
use crate::error::Error;
use crate::experts::model::{ExceptionKind, ExpertStatus};
use crate::experts::store::ExpertRow;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{ExpertId, VisitId};
use crate::offers::model::{ExpertStanding, OfferedVisit};
use crate::requests::model::{RequestStatus, RequestVerb};
use crate::requests::store::RequestRow;
use crate::settlements::budget_store::BudgetEntryKind;

/// The request of a dispatch.
pub(super) fn request_of(conn: &mut Conn, dispatch: &DispatchRow) -> Result<RequestRow, Error> {
    crate::requests::store::find(conn, dispatch.request_id)?
        .ok_or_else(|| Error::internal("the request of a dispatch is missing"))
}

/// Locks the programme's year, the first in the order of locks, before its limits or its money are looked at.
pub fn lock_year(conn: &mut Conn, dispatch: &DispatchRow) -> Result<(), Error> {
    if let Some(year) = crate::pools::store::year(conn, dispatch.programme_id, dispatch.fiscal_year)? {
        lock_row(conn, Lockable::ProgrammeYear, year.id.0)?;
    }
    Ok(())
}

/// Brings what the dispatch has bound of its year's money up to date; 409 when a plan wants more than there is.
pub(super) fn bind(conn: &mut Conn, ctx: &Ctx, dispatch: &DispatchRow, kind: BudgetEntryKind) -> Result<(), Error> {
    crate::settlements::budget::bind(conn, ctx, dispatch.request_id, &dispatch.rules()?, kind)
}

/// Locks an expert and reads the registration as it is from then on.
pub(super) fn locked_expert(conn: &mut Conn, id: ExpertId) -> Result<ExpertRow, Error> {
    lock_row(conn, Lockable::Expert, id.0)?;
    crate::experts::store::find(conn, id)?.ok_or_else(|| Error::internal("the expert of a visit is missing"))
}

/// 422 naming the visits that the expert's registration, appointment or leave rules out.
pub(super) fn require_standing(
    conn: &mut Conn,
    expert: &ExpertRow,
    visits: &[VisitRow],
    period: (chrono::NaiveDate, chrono::NaiveDate),
    pointer: &str,
) -> Result<(), Error> {
    let standing = ExpertStanding {
        registered: expert.status == ExpertStatus::Registered,
        appointed_from: expert.appointed_from,
        appointed_to: expert.appointed_to,
        leaves: crate::experts::store::exceptions(conn, expert.id)?
            .into_iter()
            .filter(|exception| exception.kind == ExceptionKind::Leave)
            .map(|exception| (exception.first_day, exception.last_day))
            .collect(),
    };
    let planned: Vec<OfferedVisit> = visits
        .iter()
        .map(|visit| OfferedVisit {
            day: visit.day,
            start_minute: visit.start_minute,
            minutes: visit.planned_minutes,
            mode: visit.mode,
            place: visit.place.clone(),
        })
        .collect();
    let mut fields = Fields::new();
    for (place, hindrance) in standing.hindrances(&planned, period) {
        let (ja, en) = hindrance.words();
        let day = place.and_then(|i| visits.get(i)).and_then(|visit| visit.day);
        let (ja, en) = match day {
            Some(day) => (format!("{}（{day}）: {ja}", expert.name), format!("{} ({day}): {en}", expert.name)),
            None => (format!("{}: {ja}", expert.name), format!("{}: {en}", expert.name)),
        };
        fields.wrong(pointer, hindrance.code(), ja, en);
    }
    fields.finish_as(crate::error::ErrorCode::RuleRefused)
}

/// Sets the last day of the report from the visits as they are now. Called after every change to them.
pub(super) fn refresh_report(conn: &mut Conn, ctx: &Ctx, dispatch: &DispatchRow, visits: &[VisitRow]) -> Result<(), Error> {
    let due_days = dispatch.rules()?.report_due_days;
    let due_on = report_due_on(visits.iter().map(|visit| (visit.status, visit.day)), dispatch.period_to, due_days);
    report_store::set_due(conn, dispatch.id, due_on, ctx.now)
}

/// The dispatch with everything that belongs to it, as the principal sees it.
pub fn view_of(conn: &mut Conn, ctx: &Ctx, row: &DispatchRow) -> Result<DispatchView, Error> {
    let request = request_of(conn, row)?;
    let programme = crate::pools::store::programme(conn, row.programme_id)?;
    let applicant =
        crate::organisations::store::find(conn, row.applicant_organisation_id)?.map(|body| body.name).unwrap_or_default();
    let bodies: Vec<_> =
        crate::requests::store::participants(conn, row.request_id)?.into_iter().map(|body| body.organisation_id).collect();
    let experts = records::experts_of(conn, &[row.id])?;
    let visits = visit_store::of_dispatch(conn, row.id)?;
    let ids: Vec<VisitId> = visits.iter().map(|visit| visit.id).collect();
    let enrolled = visit_store::participants(conn, &ids)?;
    let report = report_store::of_dispatch(conn, row.id)?;
    let amendments = records::amendments_of(conn, row.id)?;
    let may_see_costs = ctx.principal.may(&ReadCosts::INFO);
    let costs = if may_see_costs { Some(crate::settlements::service::totals(conn, ctx, row)?) } else { None };
    let names =
        |visit: &VisitRow| experts.iter().find(|expert| expert.expert_id == visit.expert_id).map_or("", |e| e.name.as_str());
    let visit_views = visits
        .iter()
        .map(|visit| {
            let names = VisitNames { expert: names(visit), applicant: &applicant, theme: &request.theme };
            VisitView::new(visit, names, &enrolled)
        })
        .collect();
    Ok(DispatchView {
        id: row.id,
        request_id: row.request_id,
        programme_id: row.programme_id,
        programme_name: programme.name,
        owner_organisation_id: row.owner_organisation_id,
        applicant_organisation_id: row.applicant_organisation_id,
        applicant_name: applicant.clone(),
        participant_ids: bodies,
        theme: request.theme.clone(),
        activity_kind: row.activity_kind,
        fiscal_year: row.fiscal_year,
        number: row.number.clone(),
        document_number: row.document_number.clone(),
        decided_on: row.decided_on,
        decided_by: row.decided_by,
        period_from: row.period_from,
        period_to: row.period_to,
        status: row.status,
        allowed: row.status.verbs(),
        cancellation: row.cancelled_by_party.zip(row.cancelled_at).map(|(party, cancelled_at)| DispatchCancellation {
            party,
            cancelled_at,
            notice_days: row.notice_days,
            reason: row.cancel_reason.clone().unwrap_or_default(),
        }),
        successor_id: row.successor_id,
        experts: experts.iter().map(|expert| expert_view(ctx, row, expert)).collect(),
        visits: visit_views,
        report: Some(ReportState {
            id: report.id,
            status: report.status,
            due_on: report.due_on,
            overdue: is_overdue(report.status, report.due_on, ctx.today()),
        }),
        amendments: amendments
            .into_iter()
            .map(|row| {
                Ok(AmendmentView {
                    number: row.number,
                    kind: row.kind,
                    document_number: row.document_number,
                    old: serde_json::from_str(&row.old_value).map_err(Error::internal)?,
                    new: serde_json::from_str(&row.new_value).map_err(Error::internal)?,
                    reason: row.reason,
                    amended_on: row.amended_on,
                    amended_by: row.amended_by,
                })
            })
            .collect::<Result<_, Error>>()?,
        costs,
        version: row.version,
        updated_at: row.updated_at,
    })
}

/// Contact data goes to the office always, to the expert's own eyes, and to the bodies that take part while the expert
/// goes and the dispatch stands.
fn expert_view(ctx: &Ctx, row: &DispatchRow, expert: &DispatchExpertRow) -> DispatchedExpertView {
    let shown = match ctx.principal.acts_as {
        Role::Expert => ctx.principal.expert_ids.contains(&expert.expert_id),
        _ => store::is_owner(ctx, row) || (expert.active && row.status != super::model::DispatchStatus::Cancelled),
    };
    DispatchedExpertView {
        expert_id: expert.expert_id,
        name: expert.name.clone(),
        affiliation: expert.affiliation.clone(),
        active: expert.active,
        replaced_by_id: expert.replaced_by_id,
        email: shown.then(|| expert.email.clone()),
        phone: Some(expert.phone.clone()).filter(|phone| shown && !phone.is_empty()),
    }
}

/// Changes the 文書番号 or names the dispatch that carries the work on.
pub fn update_dispatch(
    conn: &mut Conn,
    ctx: &Ctx,
    row: DispatchRow,
    body: UpdateDispatchBody,
) -> Result<Outcome<DispatchView>, Error> {
    let mut fields = Fields::new();
    let old = json!({"document_number": row.document_number, "successor_id": row.successor_id});
    let mut row = row;
    if let Some(number) = body.document_number {
        fields.optional_line("/document_number", &number, 100);
        row.document_number = number;
    }
    if let Some(successor) = body.successor_id {
        let right = match successor {
            None => true,
            Some(next) if next == row.id => false,
            Some(next) => store::find(conn, next)?
                .is_some_and(|next| next.owner_organisation_id == row.owner_organisation_id && next.successor_id != Some(row.id)),
        };
        fields.check(
            right,
            "/successor_id",
            "not_a_successor",
            "自団体のほかの派遣を指定してください",
            "Must be another dispatch of the same owner",
        );
        row.successor_id = successor;
    }
    fields.finish()?;
    let row = records::update_dispatch(conn, &row, ctx.now)?;
    let audit = Audit::new("dispatch", row.id.0, row.owner_organisation_id)
        .change(old, json!({"document_number": row.document_number, "successor_id": row.successor_id}));
    Ok(Outcome::changed(view_of(conn, ctx, &row)?, row.version, audit))
}

/// Calls a dispatch off (中止): its planned visits are cancelled, what was done stays done, its request is cancelled too,
/// all parties are told.
pub fn cancel_dispatch(
    conn: &mut Conn,
    ctx: &Ctx,
    row: DispatchRow,
    body: CancelDispatchBody,
) -> Result<Outcome<DispatchView>, Error> {
    row.status.after(DispatchVerb::Cancel)?;
    lock_year(conn, &row)?;
    let mut fields = Fields::new();
    fields.check(!body.reason.trim().is_empty(), "/reason", "required", "理由を入力してください", "Give the reason");
    fields.text("/reason", &body.reason, 2000);
    fields.finish()?;
    lock_row(conn, Lockable::Request, row.request_id.0)?;
    let request = request_of(conn, &row)?;
    let status = request.status.after(RequestVerb::Cancel)?;
    let old = json!({"status": row.status, "request_status": request.status});
    let row = call_off(conn, ctx, row, &request, body.party, &body.reason)?;
    let reason = Some((body.reason_code, body.reason.as_str()));
    crate::requests::store::set_status(conn, &request, status, reason, ctx.now)?;
    let audit = Audit::new("dispatch", row.id.0, row.owner_organisation_id)
        .change(
            old,
            json!({
                "status": row.status, "request_status": RequestStatus::Cancelled, "party": body.party,
                "reason_code": body.reason_code, "notice_days": row.notice_days,
            }),
        )
        .because(body.reason);
    Ok(Outcome::changed(view_of(conn, ctx, &row)?, row.version, audit))
}

/// Calls off the dispatch of a request that is being cancelled, for the caller that moves the request itself and holds its
/// lock. Leaves no audit event of its own. Does nothing where no dispatch stands.
pub fn cancel_for_request(conn: &mut Conn, ctx: &Ctx, request: &RequestRow, party: Party, reason: &str) -> Result<(), Error> {
    let Some(row) = store::of_request(conn, request.id)? else { return Ok(()) };
    row.status.after(DispatchVerb::Cancel)?;
    call_off(conn, ctx, row, request, party, reason).map(drop)
}

fn call_off(
    conn: &mut Conn,
    ctx: &Ctx,
    row: DispatchRow,
    request: &RequestRow,
    party: Party,
    reason: &str,
) -> Result<DispatchRow, Error> {
    let visits = visit_store::of_dispatch(conn, row.id)?;
    let is = |status| visits.iter().any(|visit| visit.status == status);
    if is(VisitStatus::Done) && !is(VisitStatus::Planned) {
        return Err(Error::transition(row.status.as_str(), Vec::new())
            .detail("すべての訪問が終わっているため中止できません", "Every visit is over: there is nothing left to call off"));
    }
    let planned: Vec<VisitRow> = visits.into_iter().filter(|visit| visit.status == VisitStatus::Planned).collect();
    let notice = notice_days(ctx.today(), planned.iter().map(|visit| visit.day));
    visit_store::cancel_planned(conn, &planned, Some(party), reason, ctx.today(), ctx.now)?;
    crate::offers::service::withdraw_open(conn, ctx, request)?;
    let amendment = NewAmendment {
        kind: AmendmentKind::Cancellation,
        document_number: "",
        old: json!({"status": row.status}),
        new: json!({
            "status": "cancelled", "party": party, "notice_days": notice,
            "visits": planned.iter().map(|visit| visit.id).collect::<Vec<_>>(),
        }),
        reason,
    };
    records::insert_amendment(conn, ctx, &row, &amendment)?;
    let mut row = records::cancelled(row, party, reason, notice, ctx.now);
    row.amendment_number += 1;
    let row = records::update_dispatch(conn, &row, ctx.now)?;
    let visits = visit_store::of_dispatch(conn, row.id)?;
    refresh_report(conn, ctx, &row, &visits)?;
    bind(conn, ctx, &row, BudgetEntryKind::Release)?;
    notices::cancelled(conn, ctx, &row, request, party, reason)?;
    Ok(row)
}
