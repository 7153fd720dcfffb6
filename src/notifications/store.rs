//! SQL of the outbox.

use diesel::prelude::*;

use super::catalogue::EventKind;
use crate::clock::UtcTime;
use crate::db::schema::outbox_messages as outbox;
use crate::db::{Conn, dialect};
use crate::error::{Error, Locale};
use crate::http::ListQuery;
use crate::ids::{OrganisationId, OutboxMessageId};

/// Rows of one statement at most.
const AT_ONCE: usize = 500;

/// A message to add.
#[derive(Debug)]
pub struct NewMessage {
    /// Event name.
    pub event: EventKind,
    /// Fixed Message-ID.
    pub message_id: String,
    /// What makes it the same mail.
    pub dedupe_key: String,
    /// Whose outbox.
    pub owner: OrganisationId,
    /// The object.
    pub entity: (String, i64),
    /// To.
    pub recipient_address: String,
    /// Name.
    pub recipient_name: String,
    /// Subject.
    pub subject: String,
    /// Text.
    pub body: String,
    /// Token to strike out after sending.
    pub secret: Option<String>,
    /// Thread.
    pub thread_id: String,
    /// Calendar entries, as they are stored.
    pub calendars: Option<String>,
    /// Language of the text.
    pub locale: Locale,
    /// When it happened; it may be sent from then on.
    pub at: UtcTime,
}

/// Adds messages, many with one statement. Their keys must be new: they are, when the event they tell of is.
pub fn insert(conn: &mut Conn, new: &[NewMessage]) -> Result<(), Error> {
    // A statement takes so many values at most.
    new.chunks(AT_ONCE).try_for_each(|some| insert_some(conn, some))
}

fn insert_some(conn: &mut Conn, new: &[NewMessage]) -> Result<(), Error> {
    let rows: Vec<_> = new
        .iter()
        .map(|new| {
            (
                outbox::event.eq(new.event.as_str()),
                outbox::dedupe_key.eq(&new.dedupe_key),
                outbox::message_id.eq(&new.message_id),
                outbox::owner_organisation_id.eq(Some(new.owner.0)),
                outbox::entity_kind.eq(Some(new.entity.0.as_str())),
                outbox::entity_id.eq(Some(new.entity.1)),
                outbox::recipient_address.eq(&new.recipient_address),
                outbox::recipient_name.eq(&new.recipient_name),
                outbox::subject.eq(&new.subject),
                outbox::body.eq(&new.body),
                outbox::secret.eq(new.secret.as_deref()),
                outbox::thread_id.eq(Some(new.thread_id.as_str())),
                outbox::calendars.eq(new.calendars.as_deref()),
                outbox::locale.eq(match new.locale {
                    Locale::Ja => "ja",
                    Locale::En => "en",
                }),
                outbox::is_digest.eq(new.event == EventKind::Digest),
                outbox::status.eq("queued"),
                outbox::next_attempt_at.eq(new.at),
                outbox::created_at.eq(new.at),
            )
        })
        .collect();
    dialect::insert_rows!(conn, outbox::table, rows)?;
    Ok(())
}

/// A message as it is sent.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub struct DueMessage {
    /// Id.
    pub id: OutboxMessageId,
    /// Fixed Message-ID.
    pub message_id: String,
    /// To.
    pub recipient_address: String,
    /// Name.
    pub recipient_name: String,
    /// Subject.
    pub subject: String,
    /// Text.
    pub body: String,
    /// Token to strike out.
    pub secret: Option<String>,
    /// Thread.
    pub thread_id: Option<String>,
    /// Attempts so far.
    pub attempts: i32,
    /// Written.
    pub created_at: UtcTime,
    /// Calendar entries, as they are stored.
    pub calendars: Option<String>,
    /// Language of the text: `ja` or `en`.
    pub locale: String,
    /// Whether it is a digest.
    pub is_digest: bool,
}

/// A message as the coordinator sees it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub struct MessageRow {
    /// Id.
    pub id: OutboxMessageId,
    /// Event name.
    pub event: String,
    /// Kind of object.
    pub entity_kind: Option<String>,
    /// The object.
    pub entity_id: Option<i64>,
    /// To.
    pub recipient_address: String,
    /// Name.
    pub recipient_name: String,
    /// Subject.
    pub subject: String,
    /// Text; a one-time link is struck out once sent.
    pub body: String,
    /// Token, while not sent.
    pub secret: Option<String>,
    /// `queued`, `sending`, `sent`, `parked`.
    pub status: String,
    /// Attempts so far.
    pub attempts: i32,
    /// Not before.
    pub next_attempt_at: UtcTime,
    /// Last answer of the relay.
    pub last_error: Option<String>,
    /// Sent.
    pub sent_at: Option<UtcTime>,
    /// Written.
    pub created_at: UtcTime,
    /// Whose outbox.
    pub owner_organisation_id: Option<i64>,
    /// Parked because it was refused for good; trying again is of no use before something has changed.
    pub permanent: bool,
    /// The mail it repeats.
    pub resend_of: Option<OutboxMessageId>,
}

/// What a list of the outbox leaves.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Only in this state.
    pub status: Option<&'static str>,
    /// Only to this address, as it was written.
    pub recipient: Option<String>,
    /// Only those that were refused for good, or only the others.
    pub permanent: Option<bool>,
}

/// A page of an organisation's outbox, newest first.
pub fn list(conn: &mut Conn, owner: OrganisationId, filters: &Filters, list: &ListQuery) -> Result<Vec<MessageRow>, Error> {
    let mut query = outbox::table
        .filter(outbox::owner_organisation_id.eq(owner.0))
        .order(outbox::id.desc())
        .limit(list.fetch())
        .select(MessageRow::as_select())
        .into_boxed();
    if let Some(status) = filters.status {
        query = query.filter(outbox::status.eq(status));
    }
    if let Some(recipient) = &filters.recipient {
        query = query.filter(outbox::recipient_address.eq(recipient.clone()));
    }
    if let Some(permanent) = filters.permanent {
        query = query.filter(outbox::permanent.eq(permanent));
    }
    if let Some((_, id)) = list.after() {
        query = query.filter(outbox::id.lt(OutboxMessageId(id)));
    }
    Ok(query.load(conn)?)
}

/// One message of an organisation's outbox.
pub fn find(conn: &mut Conn, owner: OrganisationId, id: OutboxMessageId) -> Result<MessageRow, Error> {
    Ok(outbox::table
        .filter(outbox::id.eq(id))
        .filter(outbox::owner_organisation_id.eq(owner.0))
        .select(MessageRow::as_select())
        .first(conn)?)
}

/// Puts a parked message back into the queue, with all its attempts before it again.
pub fn requeue(conn: &mut Conn, id: OutboxMessageId, now: UtcTime) -> Result<(), Error> {
    diesel::update(outbox::table.find(id))
        .set((outbox::status.eq("queued"), outbox::attempts.eq(0), outbox::next_attempt_at.eq(now), outbox::permanent.eq(false)))
        .execute(conn)?;
    Ok(())
}

/// How many of an organisation's mails have been given up.
pub fn parked(conn: &mut Conn, owner: OrganisationId) -> Result<i64, Error> {
    Ok(outbox::table
        .filter(outbox::owner_organisation_id.eq(owner.0))
        .filter(outbox::status.eq("parked"))
        .count()
        .get_result(conn)?)
}

/// Writes the same mail once more, with another subject, text and identifier; how many repeats there are already decides the
/// identifier, so that two who ask at the same moment write one.
pub fn repeat(
    conn: &mut Conn,
    of: &MessageRow,
    subject: &str,
    body: &str,
    message_id: impl FnOnce(&str) -> String,
    now: UtcTime,
) -> Result<MessageRow, Error> {
    let before: i64 = outbox::table.filter(outbox::resend_of.eq(of.id)).count().get_result(conn)?;
    let dedupe_key = format!("resend:{}:{}", of.id, before + 1);
    let (thread_id, calendars, locale): (Option<String>, Option<String>, String) =
        outbox::table.find(of.id).select((outbox::thread_id, outbox::calendars, outbox::locale)).first(conn)?;
    let row = (
        outbox::event.eq(&of.event),
        outbox::dedupe_key.eq(&dedupe_key),
        outbox::message_id.eq(message_id(&dedupe_key)),
        outbox::owner_organisation_id.eq(of.owner_organisation_id),
        outbox::entity_kind.eq(&of.entity_kind),
        outbox::entity_id.eq(of.entity_id),
        outbox::recipient_address.eq(&of.recipient_address),
        outbox::recipient_name.eq(&of.recipient_name),
        outbox::subject.eq(subject),
        outbox::body.eq(body),
        outbox::secret.eq(&of.secret),
        outbox::thread_id.eq(thread_id),
        outbox::status.eq("queued"),
        outbox::next_attempt_at.eq(now),
        outbox::created_at.eq(now),
        outbox::resend_of.eq(of.id),
        outbox::calendars.eq(calendars),
        outbox::locale.eq(locale),
    );
    dialect::insert_new!(conn, outbox::table, row)?;
    Ok(outbox::table.filter(outbox::dedupe_key.eq(&dedupe_key)).select(MessageRow::as_select()).first(conn)?)
}

/// The newest messages of all organisations, for the demo's mailbox.
pub fn newest(conn: &mut Conn, most: i64) -> Result<Vec<MessageRow>, Error> {
    Ok(outbox::table.order(outbox::id.desc()).limit(most).select(MessageRow::as_select()).load(conn)?)
}

/// When the oldest message that should have left was due, and how many are parked.
pub fn backlog(conn: &mut Conn) -> Result<(Option<UtcTime>, i64), Error> {
    let oldest: Option<UtcTime> = outbox::table
        .filter(outbox::status.eq_any(["queued", "sending"]))
        .order(outbox::created_at)
        .select(outbox::created_at)
        .first(conn)
        .optional()?;
    let parked = outbox::table.filter(outbox::status.eq("parked")).count().get_result(conn)?;
    Ok((oldest, parked))
}

/// The mails that were refused for good since an instant, oldest first.
pub fn refused_since(conn: &mut Conn, since: UtcTime) -> Result<Vec<MessageRow>, Error> {
    Ok(outbox::table
        .filter(outbox::status.eq("parked"))
        .filter(outbox::permanent.eq(true))
        .filter(outbox::created_at.ge(since))
        .order(outbox::id)
        .select(MessageRow::as_select())
        .load(conn)?)
}
