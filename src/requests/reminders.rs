//! What the clock reminds of in requests: those to which nothing has happened.

use super::mails;
use super::store;
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::notifications::catalogue::EventKind;
use crate::notifications::service::{Event, Told, publish, untold};
use crate::organisations::people;

/// Tells the office of requests that have waited for review for the configured days without a step; once for each wait.
/// Returns how many, at most `most`.
pub fn unanswered(conn: &mut Conn, ctx: &Ctx, most: usize) -> Result<usize, Error> {
    let days = i64::from(ctx.app.config.reminders.unanswered_days);
    let before = ctx.now.plus(-chrono::Duration::days(days));
    let due = store::untouched_since(conn, before)?
        .into_iter()
        .map(|row| {
            let event = Event::new(EventKind::RequestUnanswered, row.owner_organisation_id, ("request", row.id.0), row.version);
            (event.of_request(row.id).concerning([row.applicant_organisation_id]), row)
        })
        .collect();
    let due = untold(conn, due, most)?;
    let told = due.len();
    for (event, row) in due {
        let office = people::coordinators_of(conn, row.owner_organisation_id, ctx.today())?;
        let about = mails::about(conn, &row)?;
        let letters: Vec<Told> = office.into_iter().map(|to| mails::unanswered(to, &row, about.clone(), ctx.now)).collect();
        publish(conn, ctx, &event, letters)?;
    }
    Ok(told)
}
