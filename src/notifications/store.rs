//! SQL of the outbox.

use chrono::Duration;
use diesel::prelude::*;

use super::catalogue::EventKind;
use crate::clock::UtcTime;
use crate::db::schema::outbox_messages as outbox;
use crate::db::{Conn, dialect};
use crate::error::{Error, Locale};
use crate::http::ListQuery;
use crate::ids::{OrganisationId, OutboxMessageId};

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
    pub entity: (&'static str, i64),
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
}

/// Adds messages with one statement. Their keys must be new: they are, when the event they tell of is.
pub fn insert(conn: &mut Conn, new: &[NewMessage], now: UtcTime) -> Result<(), Error> {
    let rows: Vec<_> = new
        .iter()
        .map(|new| {
            (
                outbox::event.eq(new.event.as_str()),
                outbox::dedupe_key.eq(&new.dedupe_key),
                outbox::message_id.eq(&new.message_id),
                outbox::owner_organisation_id.eq(Some(new.owner.0)),
                outbox::entity_kind.eq(Some(new.entity.0)),
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
                outbox::next_attempt_at.eq(now),
                outbox::created_at.eq(now),
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

/// Claims messages that are due, at most one for each recipient so that order is kept, until `lease` has passed.
pub fn claim(conn: &mut Conn, worker: &str, now: UtcTime, lease: Duration, most: i64) -> Result<Vec<DueMessage>, Error> {
    dialect::claim(conn, "outbox-claim")?;
    let earlier = diesel::alias!(outbox as earlier);
    let due: Vec<OutboxMessageId> = outbox::table
        .filter(
            outbox::status
                .eq("queued")
                .and(outbox::next_attempt_at.le(now))
                .or(outbox::status.eq("sending").and(outbox::claimed_until.lt(now))),
        )
        .filter(diesel::dsl::not(diesel::dsl::exists(
            earlier
                .filter(earlier.field(outbox::recipient_address).eq(outbox::recipient_address))
                .filter(earlier.field(outbox::id).lt(outbox::id))
                .filter(earlier.field(outbox::status).eq_any(["queued", "sending"])),
        )))
        .order(outbox::id)
        .limit(most)
        .select(outbox::id)
        .load(conn)?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    diesel::update(outbox::table.filter(outbox::id.eq_any(&due)))
        .set((
            outbox::status.eq("sending"),
            outbox::claimed_by.eq(worker),
            outbox::claimed_until.eq(now.plus(lease)),
            outbox::attempts.eq(outbox::attempts + 1),
        ))
        .execute(conn)?;
    Ok(outbox::table.filter(outbox::id.eq_any(&due)).order(outbox::id).select(DueMessage::as_select()).load(conn)?)
}

/// Notes that the relay took a message; its one-time token is struck out unless `keep_secret` (demo).
pub fn mark_sent(conn: &mut Conn, message: &DueMessage, now: UtcTime, keep_secret: bool) -> Result<(), Error> {
    let body = match &message.secret {
        Some(secret) if !keep_secret => message.body.replace(secret.as_str(), "（送信済み）"),
        _ => message.body.clone(),
    };
    diesel::update(outbox::table.find(message.id))
        .set((
            outbox::status.eq("sent"),
            outbox::sent_at.eq(now),
            outbox::body.eq(body),
            outbox::secret.eq(None::<String>),
            outbox::claimed_by.eq(None::<String>),
            outbox::claimed_until.eq(None::<UtcTime>),
            outbox::last_error.eq(None::<String>),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes a failure: try again at `next`, or park when there is no next time.
pub fn mark_failed(conn: &mut Conn, id: OutboxMessageId, error: &str, next: Option<UtcTime>, now: UtcTime) -> Result<(), Error> {
    diesel::update(outbox::table.find(id))
        .set((
            outbox::status.eq(if next.is_some() { "queued" } else { "parked" }),
            outbox::next_attempt_at.eq(next.unwrap_or(now)),
            outbox::last_error.eq(error),
            outbox::claimed_by.eq(None::<String>),
            outbox::claimed_until.eq(None::<UtcTime>),
        ))
        .execute(conn)?;
    Ok(())
}

/// Puts back claimed messages that were not tried because the relay could not be reached, and lets everything that
/// waits rest until `until`. That is no attempt of any message.
pub fn postpone(conn: &mut Conn, untried: &[OutboxMessageId], error: &str, until: UtcTime) -> Result<(), Error> {
    diesel::update(outbox::table.filter(outbox::id.eq_any(untried)))
        .set((
            outbox::status.eq("queued"),
            outbox::attempts.eq(outbox::attempts - 1),
            outbox::next_attempt_at.eq(until),
            outbox::last_error.eq(error),
            outbox::claimed_by.eq(None::<String>),
            outbox::claimed_until.eq(None::<UtcTime>),
        ))
        .execute(conn)?;
    diesel::update(outbox::table.filter(outbox::status.eq("queued")).filter(outbox::next_attempt_at.lt(until)))
        .set(outbox::next_attempt_at.eq(until))
        .execute(conn)?;
    Ok(())
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
}

/// A page of an organisation's outbox, newest first.
pub fn list(conn: &mut Conn, owner: OrganisationId, status: Option<&str>, list: &ListQuery) -> Result<Vec<MessageRow>, Error> {
    let mut query = outbox::table
        .filter(outbox::owner_organisation_id.eq(owner.0))
        .order(outbox::id.desc())
        .limit(list.fetch())
        .select(MessageRow::as_select())
        .into_boxed();
    if let Some(status) = status {
        query = query.filter(outbox::status.eq(status.to_owned()));
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
        .set((outbox::status.eq("queued"), outbox::attempts.eq(0), outbox::next_attempt_at.eq(now)))
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
