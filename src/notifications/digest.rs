//! The daily digest: one mail a day with what each person chose to be told so.

use super::catalogue::{EventKind, Topic};
use super::notice_store::{self, NoticeRow};
use super::outgoing::PREFERENCES_PATH;
use super::recipient::Recipient;
use super::service::{Event, Told, publish};
use super::template::{Digest, DigestGroup, DigestItem, Notice};
use crate::calendar::jst_to_utc;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::{Error, Locale};
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

fn write(conn: &mut Conn, ctx: &Ctx, user: UserId, items: &[&NoticeRow]) -> Result<(), Error> {
    let Some(person) = people::find(conn, user)? else { return Ok(()) };
    let Some(home) = people::home(conn, user)? else { return Ok(()) };
    let locale: Locale = person.locale.into();
    let to = Recipient::person(person.email, person.name, "", locale).with_account(user);
    let mut groups: Vec<(Topic, DigestGroup)> = Vec::new();
    for row in items {
        let topic = row.kind.topic();
        let item = DigestItem { title: row.title.clone(), link: row.path.clone() };
        match groups.iter_mut().find(|(known, _)| *known == topic) {
            Some((_, group)) => group.items.push(item),
            None => groups.push((topic, DigestGroup { label: topic.label(locale).to_owned(), items: vec![item] })),
        }
    }
    let notice = Notice::Digest(Digest {
        recipient: to.addressee(),
        day: ctx.today(),
        groups: groups.into_iter().map(|(_, group)| group).collect(),
        link: "/notices".to_owned(),
        settings_link: PREFERENCES_PATH.to_owned(),
    });
    let owner = people::outbox_of(conn, home)?;
    let event = Event::new(EventKind::Digest, owner, ("user", user.0), ctx.today());
    publish(conn, ctx, &event, vec![Told::new(to, notice)]).map(drop)
}
