//! Submitting a request, with the municipality's own approval in between where it asks for one.

use serde_json::json;

use super::detail::{self, RequestStateView};
use super::facts::{self, Facts};
use super::mails;
use super::model::{Origin, ReasonCode, RequestStatus, RequestVerb};
use super::rules;
use super::store::{self, RequestRow};
use super::verb_views::{RequestVerbBody, SendBackRequestBody};
use crate::auth::policy::Role;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::Error;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::settlements::budget;
use crate::settlements::budget_store::BudgetEntryKind;

/// The event of a change of state; `filed_for` names the applicant when its own side acts through another body.
pub(super) fn moved(row: &RequestRow, from: RequestStatus) -> Audit {
    Audit::new("request", row.id.0, row.owner_organisation_id).change(json!({"status": from}), json!({"status": row.status}))
}

/// Looks at every rule of the programme's fiscal year and refuses with all that are broken. A correction is measured by
/// when the request first arrived: it was the office that sent it back.
fn checked(conn: &mut Conn, ctx: &Ctx, row: &RequestRow) -> Result<(Facts, UtcTime), Error> {
    let facts = facts::load_locked(conn, ctx, row)?;
    let arrived = row.submitted_at.unwrap_or(ctx.now);
    rules::check(rules::ON_SUBMIT, &facts.case(ctx, row, facts::asked(row), arrived))?;
    Ok((facts, arrived))
}

/// Submits: to the own approver when the applicant asks for one and its staff submits, otherwise to the office; what the
/// prefecture opens itself is accepted at once.
pub fn submit(conn: &mut Conn, ctx: &Ctx, row: RequestRow, _: RequestVerbBody) -> Result<Outcome<RequestStateView>, Error> {
    let from = row.status;
    let ordinary = from.after(RequestVerb::Submit)?;
    let (facts, arrived) = checked(conn, ctx, &row)?;
    let by_staff = ctx.principal.acts_as == Role::MunicipalStaff && row.applicant_organisation_id == ctx.organisation();
    let (status, submitted_at) = if row.origin == Origin::Offered {
        (RequestStatus::Accepted, Some(arrived))
    } else if by_staff && facts.applicant.requires_approval {
        (RequestStatus::AwaitingApproval, row.submitted_at)
    } else {
        (ordinary, Some(arrived))
    };
    let resubmitted = row.submitted_at.is_some();
    let row = store::set_submitted(conn, &row, status, submitted_at, ctx.now)?;
    if status == RequestStatus::Accepted {
        budget::bind(conn, ctx, row.id, &facts.year.rules, BudgetEntryKind::Reserve)?;
    }
    match status {
        RequestStatus::AwaitingApproval => mails::awaiting_approval(conn, ctx, &row)?,
        RequestStatus::Accepted => mails::to_applicants(conn, ctx, &row, mails::News::Accepted(""))?,
        _ => {
            mails::submitted(conn, ctx, &row, resubmitted)?;
            mails::consent_wanted(conn, ctx, &row)?;
        }
    }
    let audit = moved(&row, from).for_body(row.applicant_organisation_id, ctx.organisation());
    Ok(Outcome::changed(detail::state(ctx, &row), row.version, audit))
}

/// The approver agrees: only now the request reaches the office, and the rules are asked for this instant.
pub fn approve(conn: &mut Conn, ctx: &Ctx, row: RequestRow, _: RequestVerbBody) -> Result<Outcome<RequestStateView>, Error> {
    let from = row.status;
    let status = from.after(RequestVerb::Approve)?;
    let (_, arrived) = checked(conn, ctx, &row)?;
    let resubmitted = row.submitted_at.is_some();
    let row = store::set_submitted(conn, &row, status, Some(arrived), ctx.now)?;
    mails::submitted(conn, ctx, &row, resubmitted)?;
    mails::consent_wanted(conn, ctx, &row)?;
    let audit = moved(&row, from);
    Ok(Outcome::changed(detail::state(ctx, &row), row.version, audit))
}

/// The approver sends the request back to the own staff.
pub fn send_back(
    conn: &mut Conn,
    ctx: &Ctx,
    row: RequestRow,
    body: SendBackRequestBody,
) -> Result<Outcome<RequestStateView>, Error> {
    let from = row.status;
    let status = from.after(RequestVerb::SendBack)?;
    let mut fields = Fields::new();
    super::review::check_words(&mut fields, &body.reason, true);
    fields.finish()?;
    let row = store::set_status(conn, &row, status, Some((ReasonCode::Incomplete, &body.reason)), ctx.now)?;
    mails::sent_back(conn, ctx, &row, &body.reason)?;
    let audit = moved(&row, from).because(body.reason);
    Ok(Outcome::changed(detail::state(ctx, &row), row.version, audit))
}
