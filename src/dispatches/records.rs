//! SQL that writes dispatches, and their experts and amendments.

use diesel::prelude::*;

use super::model::{AmendmentKind, DispatchStatus, Party};
use super::store::{AmendmentRow, DispatchExpertRow, DispatchRow, NewDispatch};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{dispatch_amendments, dispatch_experts, dispatches, experts};
use crate::error::{Error, ErrorCode};
use crate::http::Ctx;
use crate::ids::{DispatchId, ExpertId, OfferId};

/// Writes a decision.
pub fn insert_dispatch(conn: &mut Conn, new: &NewDispatch<'_>, now: UtcTime) -> Result<DispatchRow, Error> {
    let rules = serde_json::to_string(new.rules).map_err(Error::internal)?;
    Ok(diesel::insert_into(dispatches::table)
        .values((
            dispatches::request_id.eq(new.request_id),
            dispatches::programme_id.eq(new.programme_id),
            dispatches::owner_organisation_id.eq(new.owner),
            dispatches::applicant_organisation_id.eq(new.applicant),
            dispatches::activity_kind.eq(new.activity_kind),
            dispatches::fiscal_year.eq(new.fiscal_year.starting_year()),
            dispatches::number.eq(&new.number),
            dispatches::document_number.eq(new.document_number),
            dispatches::decided_on.eq(new.decided_on),
            dispatches::decided_by.eq(new.decided_by),
            dispatches::period_from.eq(new.period.0),
            dispatches::period_to.eq(new.period.1),
            dispatches::status.eq(DispatchStatus::Decided),
            dispatches::rules.eq(rules),
            dispatches::created_at.eq(now),
            dispatches::updated_at.eq(now),
        ))
        .returning(dispatches::all_columns)
        .get_result(conn)?)
}

/// Writes what can change of a dispatch; the version rises. 412 when somebody else was first.
pub fn update_dispatch(conn: &mut Conn, row: &DispatchRow, now: UtcTime) -> Result<DispatchRow, Error> {
    diesel::update(dispatches::table.find(row.id).filter(dispatches::version.eq(row.version)))
        .set((
            dispatches::document_number.eq(&row.document_number),
            dispatches::period_from.eq(row.period_from),
            dispatches::period_to.eq(row.period_to),
            dispatches::status.eq(row.status),
            dispatches::cancelled_by_party.eq(row.cancelled_by_party),
            dispatches::cancelled_at.eq(row.cancelled_at),
            dispatches::notice_days.eq(row.notice_days),
            dispatches::cancel_reason.eq(&row.cancel_reason),
            dispatches::amendment_number.eq(row.amendment_number),
            dispatches::successor_id.eq(row.successor_id),
            dispatches::version.eq(dispatches::version + 1),
            dispatches::updated_at.eq(now),
        ))
        .returning(dispatches::all_columns)
        .get_result(conn)
        .optional()?
        .ok_or_else(|| Error::new(ErrorCode::StaleVersion))
}

/// The experts of dispatches, those who still go first.
pub fn experts_of(conn: &mut Conn, dispatches: &[DispatchId]) -> Result<Vec<DispatchExpertRow>, Error> {
    Ok(dispatch_experts::table
        .inner_join(experts::table.on(experts::id.eq(dispatch_experts::expert_id)))
        .filter(dispatch_experts::dispatch_id.eq_any(dispatches))
        .order((dispatch_experts::dispatch_id, dispatch_experts::active.desc(), dispatch_experts::id))
        .select((
            dispatch_experts::dispatch_id,
            dispatch_experts::expert_id,
            experts::name,
            experts::affiliation,
            experts::email,
            experts::user_id,
            experts::phone,
            dispatch_experts::active,
            dispatch_experts::replaced_by_id,
        ))
        .load(conn)?)
}

/// Adds an expert, or brings back one who had been replaced.
pub fn add_expert(conn: &mut Conn, dispatch: DispatchId, expert: ExpertId, offer: OfferId) -> Result<(), Error> {
    let back = diesel::update(
        dispatch_experts::table.filter(dispatch_experts::dispatch_id.eq(dispatch)).filter(dispatch_experts::expert_id.eq(expert)),
    )
    .set((
        dispatch_experts::active.eq(true),
        dispatch_experts::offer_id.eq(offer),
        dispatch_experts::replaced_by_id.eq(None::<ExpertId>),
    ))
    .execute(conn)?;
    if back == 0 {
        diesel::insert_into(dispatch_experts::table)
            .values((
                dispatch_experts::dispatch_id.eq(dispatch),
                dispatch_experts::expert_id.eq(expert),
                dispatch_experts::offer_id.eq(offer),
                dispatch_experts::active.eq(true),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Notes that an expert goes no more and who took over.
pub fn replace_expert(conn: &mut Conn, dispatch: DispatchId, from: ExpertId, to: ExpertId) -> Result<(), Error> {
    diesel::update(
        dispatch_experts::table.filter(dispatch_experts::dispatch_id.eq(dispatch)).filter(dispatch_experts::expert_id.eq(from)),
    )
    .set((dispatch_experts::active.eq(false), dispatch_experts::replaced_by_id.eq(to)))
    .execute(conn)?;
    Ok(())
}

/// The amendments of a dispatch in their order.
pub fn amendments_of(conn: &mut Conn, dispatch: DispatchId) -> Result<Vec<AmendmentRow>, Error> {
    Ok(dispatch_amendments::table
        .filter(dispatch_amendments::dispatch_id.eq(dispatch))
        .order(dispatch_amendments::number)
        .select(AmendmentRow::as_select())
        .load(conn)?)
}

/// What an amendment keeps.
#[derive(Debug, Clone)]
pub struct NewAmendment<'a> {
    /// What it changes.
    pub kind: AmendmentKind,
    /// 文書番号.
    pub document_number: &'a str,
    /// Before.
    pub old: serde_json::Value,
    /// After.
    pub new: serde_json::Value,
    /// Why.
    pub reason: &'a str,
}

/// Adds an amendment under the next number of the dispatch.
pub fn insert_amendment(conn: &mut Conn, ctx: &Ctx, row: &DispatchRow, new: &NewAmendment<'_>) -> Result<(), Error> {
    diesel::insert_into(dispatch_amendments::table)
        .values((
            dispatch_amendments::dispatch_id.eq(row.id),
            dispatch_amendments::number.eq(row.amendment_number + 1),
            dispatch_amendments::kind.eq(new.kind),
            dispatch_amendments::document_number.eq(new.document_number),
            dispatch_amendments::old_value.eq(new.old.to_string()),
            dispatch_amendments::new_value.eq(new.new.to_string()),
            dispatch_amendments::reason.eq(new.reason),
            dispatch_amendments::amended_on.eq(ctx.today()),
            dispatch_amendments::amended_by.eq(ctx.principal.user_id()),
            dispatch_amendments::created_at.eq(ctx.now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Marks a dispatch as called off.
pub fn cancelled(mut row: DispatchRow, party: Party, reason: &str, notice_days: Option<i32>, now: UtcTime) -> DispatchRow {
    row.status = DispatchStatus::Cancelled;
    row.cancelled_by_party = Some(party);
    row.cancelled_at = Some(now);
    row.notice_days = notice_days;
    row.cancel_reason = Some(reason.to_owned());
    row
}
