//! What the office decides about a request, and how the applicant takes it back.

use super::detail::{self, RequestStateView};
use super::facts;
use super::mails::{self, News};
use super::model::{ReasonCode, RequestStatus, RequestVerb};
use super::rules;
use super::store::{self, RequestRow};
use super::submit::moved;
use super::verb_views::{AcceptRequestBody, CancelRequestBody, RequestReasonBody};
use crate::db::Conn;
use crate::db::dialect::{self, Lockable};
use crate::error::Error;
use crate::http::{Ctx, Fields, Outcome};
use crate::notifications::catalogue::EventKind;
use crate::notifications::service::{Event, publish};
use crate::settlements::budget;
use crate::settlements::budget_store::BudgetEntryKind;

/// A reason in words: at most 2,000 characters, and there when it has to be.
pub(super) fn check_words(fields: &mut Fields, reason: &str, required: bool) {
    if required && reason.trim().is_empty() {
        fields.wrong("/reason", "required", "理由を入力してください", "Say why");
    } else {
        fields.text("/reason", reason, 2000);
    }
}

/// A coded reason; `other` says nothing without words, and a correction needs to know what to correct.
pub(super) fn check_reason(body: &RequestReasonBody, words_needed: bool) -> Result<(), Error> {
    let mut fields = Fields::new();
    check_words(&mut fields, &body.reason, words_needed || body.reason_code == ReasonCode::Other);
    fields.finish()
}

fn audit_reason(body: &RequestReasonBody) -> String {
    if body.reason.is_empty() { body.reason_code.to_string() } else { format!("{}: {}", body.reason_code, body.reason) }
}

/// Moves a request for a reason. Work that was under way is closed first: offers are taken back, held visits released.
fn end(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &RequestRow,
    status: RequestStatus,
    body: &RequestReasonBody,
) -> Result<RequestRow, Error> {
    if row.status != RequestStatus::Accepted {
        dialect::lock_row(conn, Lockable::Request, row.id.0)?;
        return store::set_status(conn, row, status, Some((body.reason_code, &body.reason)), ctx.now);
    }
    let year = crate::pools::store::year(conn, row.programme_id, row.fiscal_year)?.ok_or_else(Error::not_found)?;
    dialect::lock_row(conn, Lockable::ProgrammeYear, year.id.0)?;
    dialect::lock_row(conn, Lockable::Request, row.id.0)?;
    crate::offers::service::withdraw_open(conn, ctx, row)?;
    let row = store::set_status(conn, row, status, Some((body.reason_code, &body.reason)), ctx.now)?;
    budget::bind(conn, ctx, row.id, &year.rules, BudgetEntryKind::Release)?;
    Ok(row)
}

fn outcome(ctx: &Ctx, row: &RequestRow, from: RequestStatus, reason: Option<String>) -> Outcome<RequestStateView> {
    let audit = moved(row, from);
    let audit = match reason {
        Some(reason) => audit.because(reason),
        None => audit,
    };
    Outcome::changed(detail::state(ctx, row), row.version, audit)
}

/// Sends a request back for correction (差戻し).
pub fn return_for_correction(
    conn: &mut Conn,
    ctx: &Ctx,
    row: RequestRow,
    body: RequestReasonBody,
) -> Result<Outcome<RequestStateView>, Error> {
    let from = row.status;
    let status = from.after(RequestVerb::ReturnForCorrection)?;
    check_reason(&body, true)?;
    let row = end(conn, ctx, &row, status, &body)?;
    mails::to_applicants(conn, ctx, &row, News::Returned(&body.reason))?;
    Ok(outcome(ctx, &row, from, Some(audit_reason(&body))))
}

/// Accepts a request: the consents are there, the limits are kept, the budget reaches. All three are looked at under the
/// lock of the programme's year, so that of two requests for the last yen one is accepted.
pub fn accept(conn: &mut Conn, ctx: &Ctx, row: RequestRow, body: AcceptRequestBody) -> Result<Outcome<RequestStateView>, Error> {
    let from = row.status;
    let status = from.after(RequestVerb::Accept)?;
    let mut fields = Fields::new();
    fields.text("/comment", &body.comment, 2000);
    let facts = facts::load_locked(conn, ctx, &row)?;
    budget::check_order(conn, &row, &facts.year.rules)?;
    fields.finish()?;
    facts.require_consents(&row)?;
    rules::check(rules::ON_ACCEPT, &facts.case(ctx, &row, facts::asked(&row), row.submitted_at.unwrap_or(ctx.now)))?;
    let row = store::set_status(conn, &row, status, None, ctx.now)?;
    budget::bind(conn, ctx, row.id, &facts.year.rules, BudgetEntryKind::Reserve)?;
    mails::to_applicants(conn, ctx, &row, News::Accepted(&body.comment))?;
    Ok(outcome(ctx, &row, from, None))
}

/// Puts a request on the waiting list (補欠), which is in the order of arrival.
pub fn waitlist(
    conn: &mut Conn,
    ctx: &Ctx,
    row: RequestRow,
    body: RequestReasonBody,
) -> Result<Outcome<RequestStateView>, Error> {
    let from = row.status;
    let status = from.after(RequestVerb::Waitlist)?;
    check_reason(&body, false)?;
    let row = end(conn, ctx, &row, status, &body)?;
    let position = store::waiting_before(conn, &row)? + 1;
    mails::to_applicants(conn, ctx, &row, News::Waitlisted(position, &body.reason))?;
    let mut outcome = outcome(ctx, &row, from, Some(audit_reason(&body)));
    outcome.view.waiting_position = Some(position);
    Ok(outcome)
}

/// Refuses a request (不採択).
pub fn reject(conn: &mut Conn, ctx: &Ctx, row: RequestRow, body: RequestReasonBody) -> Result<Outcome<RequestStateView>, Error> {
    let from = row.status;
    let status = from.after(RequestVerb::Reject)?;
    check_reason(&body, false)?;
    let row = end(conn, ctx, &row, status, &body)?;
    mails::to_applicants(conn, ctx, &row, News::Rejected(body.reason_code, &body.reason))?;
    Ok(outcome(ctx, &row, from, Some(audit_reason(&body))))
}

/// Cancels a decided request (中止) together with its dispatch: planned visits are called off and all parties told.
pub fn cancel(conn: &mut Conn, ctx: &Ctx, row: RequestRow, body: CancelRequestBody) -> Result<Outcome<RequestStateView>, Error> {
    let from = row.status;
    let status = from.after(RequestVerb::Cancel)?;
    let mut fields = Fields::new();
    check_words(&mut fields, &body.reason, true);
    fields.finish()?;
    if let Some(year) = crate::pools::store::year(conn, row.programme_id, row.fiscal_year)? {
        dialect::lock_row(conn, Lockable::ProgrammeYear, year.id.0)?;
    }
    dialect::lock_row(conn, Lockable::Request, row.id.0)?;
    crate::dispatches::service::cancel_for_request(conn, ctx, &row, body.party, &body.reason)?;
    let row = store::set_status(conn, &row, status, Some((body.reason_code, &body.reason)), ctx.now)?;
    // People have been told of their dispatch; programs that follow the request learn where it ended.
    let event = Event::new(EventKind::RequestCancelled, row.owner_organisation_id, ("request", row.id.0), row.version)
        .of_request(row.id)
        .concerning([row.applicant_organisation_id]);
    publish(conn, ctx, &event, Vec::new())?;
    let mut outcome = outcome(ctx, &row, from, Some(format!("{}: {}", body.reason_code, body.reason)));
    outcome.audit.new = Some(serde_json::json!({"status": row.status, "party": body.party}));
    Ok(outcome)
}

/// The applicant takes a request back before the decision (取下げ). The office is told of what had reached it.
pub fn withdraw(
    conn: &mut Conn,
    ctx: &Ctx,
    row: RequestRow,
    body: RequestReasonBody,
) -> Result<Outcome<RequestStateView>, Error> {
    let from = row.status;
    let status = from.after(RequestVerb::Withdraw)?;
    check_reason(&body, false)?;
    let row = end(conn, ctx, &row, status, &body)?;
    if row.submitted_at.is_some() {
        mails::withdrawn(conn, ctx, &row, body.reason_code, &body.reason)?;
    }
    let mut outcome = outcome(ctx, &row, from, Some(audit_reason(&body)));
    outcome.audit = outcome.audit.for_body(row.applicant_organisation_id, ctx.organisation());
    Ok(outcome)
}
