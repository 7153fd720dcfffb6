//! Telling the office of addresses that mail cannot reach.

use super::catalogue::EventKind;
use super::service::{Event, Told, publish, untold};
use super::store::{self, MessageRow};
use super::template::{MailUndeliverable, Notice};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::OrganisationId;
use crate::organisations::people;

/// Days for which a refused mail is looked at.
const DAYS_BACK: i64 = 30;

/// Tells the coordinators of each mail that was refused for good, once. A mail that tells so and is refused itself is not
/// told of: two dead addresses must not write to each other for ever. Returns how many, at most `most`.
pub fn tell(conn: &mut Conn, ctx: &Ctx, most: usize) -> Result<usize, Error> {
    let since: UtcTime = ctx.now.plus(-chrono::Duration::days(DAYS_BACK));
    let due = store::refused_since(conn, since)?
        .into_iter()
        .filter(|row| row.event != EventKind::MailUndeliverable.as_str())
        .filter_map(|row| {
            let owner = OrganisationId(row.owner_organisation_id?);
            Some((Event::new(EventKind::MailUndeliverable, owner, ("notification", row.id.0), row.attempts), row))
        })
        .collect();
    let due = untold(conn, due, most)?;
    let told = due.len();
    for (event, row) in due {
        let readers = people::coordinators_of(conn, event.owner, ctx.today())?;
        let letters = readers
            .into_iter()
            .filter(|to| !to.address.eq_ignore_ascii_case(&row.recipient_address))
            .map(|to| letter(to, &row))
            .collect();
        publish(conn, ctx, &event, letters)?;
    }
    Ok(told)
}

fn letter(to: super::recipient::Recipient, row: &MessageRow) -> Told {
    let notice = Notice::MailUndeliverable(MailUndeliverable {
        recipient: to.addressee(),
        name: row.recipient_name.clone(),
        address: row.recipient_address.clone(),
        subject: row.subject.clone(),
        answer: row.last_error.clone(),
        link: format!("/notifications/{}", row.id),
    });
    Told::new(to, notice)
}
