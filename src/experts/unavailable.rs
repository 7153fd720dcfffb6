//! Telling the office of visits ahead that an expert can no longer keep. Moves no visit: the office asks and decides.

use std::collections::BTreeSet;

use super::model::ExceptionKind;
use super::store::{self, ExceptionRow, ExpertRow, VisitAhead};
use crate::calendar::MINUTES_PER_DAY;
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::{OrganisationId, VisitId};
use crate::notifications::catalogue::EventKind;
use crate::notifications::service::{Event, Told, publish};
use crate::notifications::template::{ExpertUnavailable, Notice, UnavailableCause, VisitInQuestion};
use crate::organisations::people;

/// Whether a visit falls into a time in which the expert is not there.
fn meets(visit: &VisitAhead, row: &ExceptionRow) -> bool {
    if !visit.day.is_some_and(|day| (row.first_day..=row.last_day).contains(&day)) {
        return false;
    }
    let whole = (0, i32::from(MINUTES_PER_DAY));
    let away = match row.kind {
        ExceptionKind::Leave => whole,
        ExceptionKind::Unavailable => row.start_minute.zip(row.end_minute).unwrap_or(whole),
        ExceptionKind::Available => return false,
    };
    match visit.start_minute {
        Some(start) => start < away.1 && away.0 < start.saturating_add(visit.minutes),
        // At what time is still open: only a whole day bars it.
        None => away == whole,
    }
}

fn hindered(visits: &[VisitAhead], rows: &[ExceptionRow]) -> BTreeSet<VisitId> {
    visits.iter().filter(|visit| rows.iter().any(|row| meets(visit, row))).map(|visit| visit.id).collect()
}

/// Tells the office of visits that the availability just entered makes impossible, and the one before did not.
///
/// # Errors
/// The database's.
pub(super) fn entered(
    conn: &mut Conn,
    ctx: &Ctx,
    expert: &ExpertRow,
    owner: OrganisationId,
    (before, after): (&[ExceptionRow], &[ExceptionRow]),
) -> Result<(), Error> {
    if after.iter().all(|row| row.kind == ExceptionKind::Available) {
        return Ok(());
    }
    let ahead = store::visits_from(conn, expert.id, ctx.today())?;
    let (known, now) = (hindered(&ahead, before), hindered(&ahead, after));
    let new: Vec<VisitAhead> = ahead.into_iter().filter(|visit| now.contains(&visit.id) && !known.contains(&visit.id)).collect();
    tell(conn, ctx, expert, owner, UnavailableCause::Calendar, new)
}

/// Tells the office of all visits ahead of an expert whose registration was suspended.
///
/// # Errors
/// The database's.
pub(super) fn suspended(conn: &mut Conn, ctx: &Ctx, expert: &ExpertRow, owner: OrganisationId) -> Result<(), Error> {
    let ahead = store::visits_from(conn, expert.id, ctx.today())?;
    tell(conn, ctx, expert, owner, UnavailableCause::Suspended, ahead)
}

fn tell(
    conn: &mut Conn,
    ctx: &Ctx,
    expert: &ExpertRow,
    owner: OrganisationId,
    cause: UnavailableCause,
    visits: Vec<VisitAhead>,
) -> Result<(), Error> {
    if visits.is_empty() {
        return Ok(());
    }
    let visits: Vec<VisitInQuestion> =
        visits.into_iter().map(|visit| VisitInQuestion { day: visit.day, applicant: visit.applicant }).collect();
    let told = people::coordinators_of(conn, owner, ctx.today())?
        .into_iter()
        .map(|to| {
            let notice = Notice::ExpertUnavailable(ExpertUnavailable {
                recipient: to.addressee(),
                expert: expert.name.clone(),
                cause,
                visits: visits.clone(),
                link: format!("/experts/{}", expert.id),
            });
            Told::new(to, notice)
        })
        .collect();
    let event = Event::new(EventKind::ExpertUnavailable, owner, ("expert", expert.id.0), expert.version);
    publish(conn, ctx, &event, told).map(drop)
}
