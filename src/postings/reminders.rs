//! What the clock reminds of in placements: their end.

use chrono::Days;

use super::store::{self, PostingRow};
use crate::db::Conn;
use crate::error::{Error, Locale};
use crate::http::Ctx;
use crate::notifications::catalogue::EventKind;
use crate::notifications::deadlines::{DAYS_BEFORE, stage};
use crate::notifications::recipient::Recipient;
use crate::notifications::service::{Event, Told, publish, untold};
use crate::notifications::template::Notice;
use crate::organisations::people;

/// Tells office, host and the placed person of placements that end in 14 and in 3 days, each once. Returns how many, at most
/// `most`.
pub fn ending(conn: &mut Conn, ctx: &Ctx, most: usize) -> Result<usize, Error> {
    let today = ctx.today();
    let until = today.checked_add_days(Days::new(DAYS_BEFORE.iter().copied().max().unwrap_or(0).unsigned_abs())).unwrap_or(today);
    let due: Vec<(Event, PostingRow)> = store::ending_between(conn, today, until)?
        .into_iter()
        .filter_map(|row| {
            let mark = format!("{}:{}", row.valid_to, stage(today, row.valid_to)?);
            let event = Event::new(EventKind::PostingEnding, row.owner_organisation_id, ("posting", row.id.0), mark)
                .concerning([row.host_organisation_id]);
            Some((event, row))
        })
        .collect();
    let due = untold(conn, due, most)?;
    let told = due.len();
    for (event, row) in due {
        let (_, host, name) = store::names(conn, &[row.id])?.into_iter().next().ok_or_else(Error::not_found)?;
        let mut readers = people::coordinators_of(conn, row.owner_organisation_id, today)?;
        readers.extend(people::staff_of(conn, row.host_organisation_id, today)?);
        if let Some(expert) = crate::experts::store::find(conn, row.expert_id)? {
            readers.push(Recipient::person(&expert.email, &expert.name, "", Locale::Ja).with_account(expert.user_id));
        }
        let letters = readers.into_iter().map(|to| letter(to, &row, &host, &name)).collect();
        publish(conn, ctx, &event, letters)?;
    }
    Ok(told)
}

// STUB
fn letter(to: Recipient, row: &PostingRow, host: &str, name: &str) -> Told {
    let _ = (row, host, name);
    let notice = Notice::TestMail { recipient: to.addressee(), requested_at: chrono::DateTime::<chrono::Utc>::MIN_UTC };
    Told::new(to, notice)
}
