//! Telling host and person what became of a placement.

use super::store::{self, PostingRow};
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::notifications::catalogue::EventKind;
use crate::notifications::service::{Event, Told, publish};
use crate::notifications::template::{Notice, PostingNews, PostingReader, PostingStep};
use crate::organisations::people;

/// Tells the host and the placed person. Why is kept in the audit trail and told to nobody.
///
/// # Errors
/// The database's.
pub(super) fn tell(conn: &mut Conn, ctx: &Ctx, row: &PostingRow, step: PostingStep) -> Result<(), Error> {
    let (_, host, name) = store::names(conn, &[row.id])?.into_iter().next().ok_or_else(Error::not_found)?;
    let staff = people::staff_of(conn, row.host_organisation_id, ctx.today())?;
    let mut readers: Vec<_> = staff.into_iter().map(|to| (to, PostingReader::Host)).collect();
    if let Some(expert) = crate::experts::store::find(conn, row.expert_id)? {
        readers.push((expert.recipient(), PostingReader::Expert));
    }
    let (kind, as_notice): (EventKind, fn(PostingNews) -> Notice) = match step {
        PostingStep::Decided => (EventKind::PostingDecided, Notice::PostingDecided),
        PostingStep::Changed => (EventKind::PostingChanged, Notice::PostingChanged),
        PostingStep::Cancelled => (EventKind::PostingCancelled, Notice::PostingCancelled),
    };
    let told = readers
        .into_iter()
        .map(|(to, reader)| {
            let news = PostingNews {
                recipient: to.addressee(),
                reader,
                step,
                expert: name.clone(),
                host: host.clone(),
                from: row.valid_from,
                last_day: row.valid_to.pred_opt().unwrap_or(row.valid_to),
                share_percent: row.share_percent,
                link: format!("/postings/{}", row.id),
            };
            Told::new(to, as_notice(news))
        })
        .collect();
    let event =
        Event::new(kind, row.owner_organisation_id, ("posting", row.id.0), row.version).concerning([row.host_organisation_id]);
    publish(conn, ctx, &event, told).map(drop)
}
