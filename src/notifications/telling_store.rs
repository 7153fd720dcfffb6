//! SQL of what is still to be told.

use chrono::Duration;
use diesel::prelude::*;

use super::catalogue::EventKind;
use crate::clock::UtcTime;
use crate::db::schema::{event_tellings as tellings, events};
use crate::db::{Conn, dialect};
use crate::error::Error;
use crate::ids::{EventId, OrganisationId, RequestId};

/// What one process at a time does: the order in which things happened is the order in which people learn of them.
const KEY: &str = "event_tellings";

/// Keeps to whom an event is to be told, with the facts.
pub fn keep(conn: &mut Conn, event: EventId, told: &str, now: UtcTime) -> Result<(), Error> {
    diesel::insert_into(tellings::table)
        .values((tellings::event_id.eq(event), tellings::told.eq(told), tellings::not_before.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// An event that is still to be told.
#[derive(Debug, Clone, Queryable)]
pub struct Waiting {
    /// The event.
    pub event: EventId,
    /// What happened.
    pub kind: EventKind,
    /// What makes it the same event.
    pub key: String,
    /// Whose affair it is.
    pub owner: OrganisationId,
    /// Kind of object.
    pub entity_kind: String,
    /// The object.
    pub entity_id: i64,
    /// The request it belongs to.
    pub request: Option<RequestId>,
    /// When it happened.
    pub at: UtcTime,
    /// To whom, and the facts, as stored.
    pub told: String,
    /// Attempts that failed.
    pub attempts: i32,
}

/// Whether anything is to be told now.
pub fn anything_due(conn: &mut Conn, now: UtcTime) -> Result<bool, Error> {
    let due = tellings::table.filter(tellings::not_before.le(now));
    Ok(diesel::select(diesel::dsl::exists(due)).get_result(conn)?)
}

/// What is to be told now, at most `most` events, the oldest first, or the one that is named; nothing while another process
/// tells.
pub fn due(conn: &mut Conn, now: UtcTime, only: Option<EventId>, most: i64) -> Result<Vec<Waiting>, Error> {
    if !dialect::try_claim(conn, KEY)? {
        return Ok(Vec::new());
    }
    let mut due = tellings::table.inner_join(events::table).filter(tellings::not_before.le(now)).into_boxed();
    if let Some(only) = only {
        due = due.filter(tellings::event_id.eq(only));
    }
    Ok(due
        .order(tellings::event_id)
        .limit(most)
        .select((
            tellings::event_id,
            events::kind,
            events::dedupe_key,
            events::owner_organisation_id,
            events::entity_kind,
            events::entity_id,
            events::request_id,
            events::occurred_at,
            tellings::told,
            tellings::attempts,
        ))
        .load(conn)?)
}

/// The events that are to be told now, at most `most`, the oldest first, each with the attempts that failed.
pub fn next(conn: &mut Conn, now: UtcTime, most: i64) -> Result<Vec<(EventId, i32)>, Error> {
    let due = tellings::table.filter(tellings::not_before.le(now)).order(tellings::event_id).limit(most);
    Ok(due.select((tellings::event_id, tellings::attempts)).load(conn)?)
}

/// Notes that events have been told.
pub fn forget(conn: &mut Conn, told: &[EventId]) -> Result<(), Error> {
    diesel::delete(tellings::table.filter(tellings::event_id.eq_any(told))).execute(conn)?;
    Ok(())
}

/// Notes that an event could not be told, and leaves it alone for a while.
pub fn put_off(conn: &mut Conn, event: EventId, until: UtcTime) -> Result<(), Error> {
    diesel::update(tellings::table.find(event))
        .set((tellings::attempts.eq(tellings::attempts + 1), tellings::not_before.eq(until)))
        .execute(conn)?;
    Ok(())
}

/// The oldest event that is still to be told, and how many could not be told when it was tried.
pub fn backlog(conn: &mut Conn) -> Result<(Option<UtcTime>, i64), Error> {
    let oldest =
        tellings::table.inner_join(events::table).order(tellings::event_id).select(events::occurred_at).first(conn).optional()?;
    let failed = tellings::table.filter(tellings::attempts.gt(0)).count().get_result(conn)?;
    Ok((oldest, failed))
}

/// How long an event that could not be told `attempts` times is left alone: a minute, then twice as long each time, an hour
/// at most.
pub fn pause(attempts: i32) -> Duration {
    Duration::minutes(1_i64.checked_shl(attempts.unsigned_abs()).unwrap_or(60).clamp(1, 60))
}

#[cfg(test)]
mod tests {
    use super::pause;

    #[test]
    fn an_hour_is_the_longest_pause() {
        let minutes: Vec<i64> =
            [0, 1, 5, 6, 30, 64, i32::MAX].into_iter().map(|attempts| pause(attempts).num_minutes()).collect();
        assert_eq!(minutes, [1, 2, 32, 60, 60, 60, 60]);
    }
}
