//! The daily digest: one mail a day with what each person chose to be told so.

use super::catalogue::EventKind;
use super::notice_store::{self, NoticeRow};
use super::recipient::Recipient;
use super::service::{Event, Told, publish};
use super::template::Notice;
use crate::calendar::jst_to_utc;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::{NoticeId, UserId};
use crate::organisations::people;

/// Writes the digests that are due, of at most `most` people; how many were written. Everything that was told before today's
/// hour goes into today's digest; before that hour nothing is due.
pub fn write_due(conn: &mut Conn, ctx: &Ctx, most: usize) -> Result<usize, Error> {
    let hour = u16::from(ctx.app.config.mail.digest_hour);
    let today = ctx.today();
    let cut = UtcTime::from_naive(jst_to_utc(today, hour * 60));
    if ctx.now < cut {
        return Ok(0);
    }
    let rows = notice_store::due_for_digest(conn, cut, i64::try_from(most).unwrap_or(i64::MAX))?;
    let mut written = 0;
    for of_one in rows.chunk_by(|a, b| a.0 == b.0) {
        let Some((user, _)) = of_one.first() else { continue };
        let items: Vec<&NoticeRow> = of_one.iter().map(|(_, row)| row).collect();
        write(conn, ctx, *user, &items)?;
        let ids: Vec<NoticeId> = items.iter().map(|row| row.id).collect();
        notice_store::mark_digested(conn, &ids, ctx.now)?;
        written += 1;
    }
    Ok(written)
}

// STUB
fn write(conn: &mut Conn, ctx: &Ctx, user: UserId, items: &[&NoticeRow]) -> Result<(), Error> {
    let Some(person) = people::find(conn, user)? else { return Ok(()) };
    let Some(home) = people::home(conn, user)? else { return Ok(()) };
    let _ = items;
    let to = Recipient::person(person.email, person.name, "", person.locale.into());
    let notice = Notice::TestMail { recipient: to.addressee(), requested_at: ctx.now.instant() };
    let owner = people::outbox_of(conn, home)?;
    let event = Event::new(EventKind::Digest, owner, ("user", user.0), ctx.today());
    publish(conn, ctx, &event, vec![Told::new(to, notice)]).map(drop)
}
