//! SQL of events, notices and how people want to be told.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::catalogue::{EventKind, MailChoice, Topic};
use super::service::Event;
use super::template::Locale;
use crate::clock::UtcTime;
use crate::db::schema::{events, notices, notification_preferences as preferences, users};
use crate::db::{Conn, Ids, dialect};
use crate::error::Error;
use crate::http::ListQuery;
use crate::ids::{EventId, NoticeId, OrganisationId, RequestId, UserId};
use crate::organisations::model::Language;

/// Keeps an event, or nothing when the same one is there already.
pub fn insert_event(conn: &mut Conn, event: &Event, key: &str, now: UtcTime) -> Result<Option<EventId>, Error> {
    let row = (
        events::kind.eq(event.kind),
        events::dedupe_key.eq(key),
        events::owner_organisation_id.eq(event.owner),
        events::entity_kind.eq(event.entity.0),
        events::entity_id.eq(event.entity.1),
        events::request_id.eq(event.request),
        events::occurred_at.eq(now),
    );
    let kept: Vec<EventId> = dialect::insert_new_returning!(conn, events::table, row, events::id)?;
    Ok(kept.into_iter().next())
}

/// Which of these events have been told.
pub fn told(conn: &mut Conn, keys: &[String]) -> Result<Vec<String>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    Ok(events::table.filter(events::dedupe_key.eq_any(keys)).select(events::dedupe_key).load(conn)?)
}

/// Rows of one statement at most.
const AT_ONCE: usize = 500;

/// A notice to add.
#[derive(Debug)]
pub struct NewNotice {
    /// Of what.
    pub event: EventId,
    /// To whom.
    pub user: UserId,
    /// For which body.
    pub organisation: Option<OrganisationId>,
    /// One line.
    pub title: String,
    /// The page it leads to.
    pub path: Option<String>,
    /// How the mail about it goes.
    pub mail: MailChoice,
    /// When it is told: whoever reads notices up to an instant misses none that is told later.
    pub at: UtcTime,
}

/// Adds notices, many with one statement.
pub fn insert(conn: &mut Conn, new: &[NewNotice]) -> Result<(), Error> {
    // A statement takes so many values at most.
    new.chunks(AT_ONCE).try_for_each(|some| insert_some(conn, some))
}

fn insert_some(conn: &mut Conn, new: &[NewNotice]) -> Result<(), Error> {
    let rows: Vec<_> = new
        .iter()
        .map(|new| {
            (
                notices::event_id.eq(new.event),
                notices::user_id.eq(new.user),
                notices::organisation_id.eq(new.organisation),
                notices::title.eq(&new.title),
                notices::path.eq(new.path.as_deref()),
                notices::mail.eq(new.mail),
                notices::created_at.eq(new.at),
            )
        })
        .collect();
    dialect::insert_rows!(conn, notices::table, rows)?;
    Ok(())
}

/// A notice with its event.
#[derive(Debug, Clone, Queryable)]
pub struct NoticeRow {
    /// Id.
    pub id: NoticeId,
    /// What happened.
    pub kind: EventKind,
    /// Kind of object.
    pub entity_kind: String,
    /// The object.
    pub entity_id: i64,
    /// The request it belongs to.
    pub request_id: Option<RequestId>,
    /// For which body.
    pub organisation_id: Option<OrganisationId>,
    /// One line.
    pub title: String,
    /// The page it leads to.
    pub path: Option<String>,
    /// When it happened.
    pub created_at: UtcTime,
    /// When it was read.
    pub read_at: Option<UtcTime>,
}

macro_rules! notice_columns {
    () => {
        (
            notices::id,
            events::kind,
            events::entity_kind,
            events::entity_id,
            events::request_id,
            notices::organisation_id,
            notices::title,
            notices::path,
            notices::created_at,
            notices::read_at,
        )
    };
}

/// A page of a person's notices, newest first.
pub fn list(conn: &mut Conn, user: UserId, unread: Option<bool>, list: &ListQuery) -> Result<Vec<NoticeRow>, Error> {
    let mut query = notices::table
        .inner_join(events::table)
        .filter(notices::user_id.eq(user))
        .order(notices::id.desc())
        .limit(list.fetch())
        .select(notice_columns!())
        .into_boxed();
    match unread {
        Some(true) => query = query.filter(notices::read_at.is_null()),
        Some(false) => query = query.filter(notices::read_at.is_not_null()),
        None => {}
    }
    if let Some((_, id)) = list.after() {
        query = query.filter(notices::id.lt(NoticeId(id)));
    }
    Ok(query.load(conn)?)
}

/// How many notices a person has not read.
pub fn unread(conn: &mut Conn, user: UserId) -> Result<i64, Error> {
    Ok(notices::table.filter(notices::user_id.eq(user)).filter(notices::read_at.is_null()).count().get_result(conn)?)
}

/// One of a person's own notices, or 404.
pub fn find(conn: &mut Conn, user: UserId, id: NoticeId) -> Result<NoticeRow, Error> {
    Ok(notices::table
        .inner_join(events::table)
        .filter(notices::id.eq(id))
        .filter(notices::user_id.eq(user))
        .select(notice_columns!())
        .first(conn)?)
}

/// Marks a person's notices as read, up to and including one; returns how many were unread.
pub fn mark_read(conn: &mut Conn, user: UserId, which: Read, now: UtcTime) -> Result<usize, Error> {
    let unread = notices::table.filter(notices::user_id.eq(user)).filter(notices::read_at.is_null());
    let read = notices::read_at.eq(now);
    Ok(match which {
        Read::One(id) => diesel::update(unread.filter(notices::id.eq(id))).set(read).execute(conn)?,
        Read::UpTo(id) => diesel::update(unread.filter(notices::id.le(id))).set(read).execute(conn)?,
    })
}

/// Which notices were read.
#[derive(Debug, Clone, Copy)]
pub enum Read {
    /// One.
    One(NoticeId),
    /// This one and all before it.
    UpTo(NoticeId),
}

/// How people want to be told about each topic, where they have chosen.
pub fn choices(conn: &mut Conn, users: &[UserId]) -> Result<BTreeMap<(UserId, Topic), MailChoice>, Error> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let users = Ids::new(conn, users.iter().map(|user| user.0));
    let rows: Vec<(UserId, Topic, MailChoice)> = preferences::table
        .filter(users.among(preferences::user_id))
        .select((preferences::user_id, preferences::topic, preferences::mail))
        .load(conn)?;
    Ok(rows.into_iter().map(|(user, topic, mail)| ((user, topic), mail)).collect())
}

/// The languages of accounts.
pub fn languages(conn: &mut Conn, users: &[UserId]) -> Result<BTreeMap<UserId, Locale>, Error> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let users = Ids::new(conn, users.iter().map(|user| user.0));
    let rows: Vec<(UserId, Language)> =
        users::table.filter(users.among(users::id)).select((users::id, users::locale)).load(conn)?;
    Ok(rows.into_iter().map(|(user, language)| (user, language.into())).collect())
}

/// What a person has chosen, by topic.
pub fn choices_of(conn: &mut Conn, user: UserId) -> Result<BTreeMap<Topic, MailChoice>, Error> {
    let rows: Vec<(Topic, MailChoice)> =
        preferences::table.filter(preferences::user_id.eq(user)).select((preferences::topic, preferences::mail)).load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Keeps what a person has chosen, instead of everything before.
pub fn choose(conn: &mut Conn, user: UserId, chosen: &BTreeMap<Topic, MailChoice>, now: UtcTime) -> Result<(), Error> {
    diesel::delete(preferences::table.filter(preferences::user_id.eq(user))).execute(conn)?;
    let rows: Vec<_> = chosen
        .iter()
        .map(|(topic, mail)| {
            (
                preferences::user_id.eq(user),
                preferences::topic.eq(*topic),
                preferences::mail.eq(*mail),
                preferences::updated_at.eq(now),
            )
        })
        .collect();
    dialect::insert_rows!(conn, preferences::table, rows)?;
    Ok(())
}

/// People whose digest is not written yet, with what it is to hold: notices kept before `before`, oldest first.
pub fn due_for_digest(conn: &mut Conn, before: UtcTime, people: i64) -> Result<Vec<(UserId, NoticeRow)>, Error> {
    let ids: Vec<UserId> = notices::table
        .filter(notices::mail.eq(MailChoice::Digest))
        .filter(notices::digested_at.is_null())
        .filter(notices::created_at.lt(before))
        .select(notices::user_id)
        .distinct()
        .order(notices::user_id)
        .limit(people)
        .load(conn)?;
    Ok(notices::table
        .inner_join(events::table)
        .filter(notices::user_id.eq_any(ids))
        .filter(notices::mail.eq(MailChoice::Digest))
        .filter(notices::digested_at.is_null())
        .filter(notices::created_at.lt(before))
        .order((notices::user_id, notices::id))
        .select((notices::user_id, notice_columns!()))
        .load(conn)?)
}

/// Notes that notices have gone into a digest.
pub fn mark_digested(conn: &mut Conn, ids: &[NoticeId], now: UtcTime) -> Result<(), Error> {
    diesel::update(notices::table.filter(notices::id.eq_any(ids))).set(notices::digested_at.eq(now)).execute(conn)?;
    Ok(())
}
