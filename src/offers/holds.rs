//! The visits that an acceptance leaves behind: held for the request until the dispatch is decided, or released. From
//! the decision on they belong to dispatches and this room does not touch them.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::model::OfferedVisit;
use super::store::OfferRow;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::dialect::insert_rows;
use crate::db::schema::{visit_participants, visits};
use crate::dispatches::model::{Party, VisitOrigin, VisitStatus};
use crate::error::Error;
use crate::ids::{OfferId, OrganisationId, RequestId, VisitId};
use crate::requests::store::RequestRow;

/// Holds the visits of an accepted offer. A dated visit blocks its time with the travel buffer (409 by the database when
/// the expert is booked then); one to be arranged loads the month in which the requested period begins. The caller holds
/// the expert's lock and has checked the load.
pub fn hold(
    conn: &mut Conn,
    request: &RequestRow,
    offer: &OfferRow,
    planned: &[OfferedVisit],
    buffer_minutes: i32,
    bodies: &BTreeSet<OrganisationId>,
    now: UtcTime,
) -> Result<Vec<VisitId>, Error> {
    let rows: Vec<_> = planned
        .iter()
        .map(|visit| {
            let (from, to) = visit.blocked(buffer_minutes).unzip();
            (
                visits::programme_id.eq(request.programme_id),
                visits::owner_organisation_id.eq(request.owner_organisation_id),
                visits::applicant_organisation_id.eq(request.applicant_organisation_id),
                visits::expert_id.eq(offer.expert_id),
                visits::request_id.eq(Some(request.id)),
                visits::offer_id.eq(Some(offer.id)),
                visits::origin.eq(VisitOrigin::Service),
                visits::activity_kind.eq(request.activity_kind),
                visits::status.eq(VisitStatus::Held),
                visits::day.eq(visit.day),
                visits::load_day.eq(visit.load_day(request.period_from)),
                visits::start_minute.eq(visit.start_minute),
                visits::planned_minutes.eq(visit.minutes),
                visits::blocked_from.eq(from),
                visits::blocked_to.eq(to),
                visits::mode.eq(visit.mode),
                visits::place.eq(&visit.place),
                visits::created_at.eq(now),
                visits::updated_at.eq(now),
            )
        })
        .collect();
    insert_rows!(conn, visits::table, rows)?;
    let ids: Vec<VisitId> = visits::table
        .filter(visits::offer_id.eq(offer.id))
        .filter(visits::status.eq(VisitStatus::Held))
        .order(visits::id)
        .select(visits::id)
        .load(conn)?;
    let rows: Vec<_> = ids
        .iter()
        .flat_map(|id| {
            bodies.iter().map(|body| (visit_participants::visit_id.eq(*id), visit_participants::organisation_id.eq(*body)))
        })
        .collect();
    insert_rows!(conn, visit_participants::table, rows)?;
    Ok(ids)
}

/// The offers of a request that still have held visits.
pub fn offers_holding(conn: &mut Conn, request: RequestId) -> Result<Vec<OfferId>, Error> {
    let ids: Vec<Option<OfferId>> = visits::table
        .filter(visits::request_id.eq(request))
        .filter(visits::status.eq(VisitStatus::Held))
        .filter(visits::offer_id.is_not_null())
        .select(visits::offer_id)
        .distinct()
        .load(conn)?;
    Ok(ids.into_iter().flatten().collect())
}

/// Releases what an offer still holds: the visits become `cancelled` for a party's reasons and block nothing any more.
/// Returns how many.
pub fn release(conn: &mut Conn, offer: OfferId, party: Party, reason: Option<&str>, now: UtcTime) -> Result<usize, Error> {
    Ok(diesel::update(visits::table.filter(visits::offer_id.eq(offer)).filter(visits::status.eq(VisitStatus::Held)))
        .set((
            visits::status.eq(VisitStatus::Cancelled),
            visits::cancelled_by_party.eq(Some(party)),
            visits::cancel_reason.eq(reason),
            visits::version.eq(visits::version + 1),
            visits::updated_at.eq(now),
        ))
        .execute(conn)?)
}
