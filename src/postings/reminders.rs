//! What the clock reminds of in placements: their end.

use chrono::{Days, NaiveDate};

use super::store::{self, PostingRow};
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::notifications::catalogue::EventKind;
use crate::notifications::deadlines::{DAYS_BEFORE, stage};
use crate::notifications::recipient::Recipient;
use crate::notifications::service::{Event, Told, publish, untold};
use crate::notifications::template::{Notice, PostingEnding, PostingReader};
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
        let office = people::coordinators_of(conn, row.owner_organisation_id, today)?;
        let mut readers: Vec<_> = office.into_iter().map(|to| (to, PostingReader::Office)).collect();
        let staff = people::staff_of(conn, row.host_organisation_id, today)?;
        readers.extend(staff.into_iter().map(|to| (to, PostingReader::Host)));
        if let Some(expert) = crate::experts::store::find(conn, row.expert_id)? {
            readers.push((expert.recipient(), PostingReader::Expert));
        }
        let letters = readers.into_iter().map(|(to, reader)| letter((to, reader), &row, &host, &name, today)).collect();
        publish(conn, ctx, &event, letters)?;
    }
    Ok(told)
}

fn letter((to, reader): (Recipient, PostingReader), row: &PostingRow, host: &str, expert: &str, today: NaiveDate) -> Told {
    let notice = Notice::PostingEnding(PostingEnding {
        recipient: to.addressee(),
        reader,
        expert: expert.to_owned(),
        host: host.to_owned(),
        last_day: row.valid_to.pred_opt().unwrap_or(row.valid_to),
        days_left: u32::try_from((row.valid_to - today).num_days()).unwrap_or(0),
        link: format!("/postings/{}", row.id),
    });
    Told::new(to, notice)
}
