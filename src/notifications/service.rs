//! Telling what happened, in the transaction of the change: the event once, a delivery to each webhook that wants it, and
//! who is to learn of it with which facts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::calendars::CalendarEntry;
use super::catalogue::{EventKind, Reach};
use super::recipient::Recipient;
use super::template::{Brand, Notice};
use super::{notice_store, telling_store};
use crate::app::App;
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::{OrganisationId, RequestId};

/// Keys asked for in one statement.
const KEYS_AT_ONCE: usize = 500;

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// The organisation whose affair it is: its coordinators see the mails in their outbox.
    pub owner: OrganisationId,
    /// The object it happened to.
    pub entity: (&'static str, i64),
    /// The request it belongs to: what is told of one request forms one thread.
    pub request: Option<RequestId>,
    /// Other bodies concerned, whose webhooks learn of it even where nobody of theirs is written to.
    pub bodies: Vec<OrganisationId>,
    /// What makes it the same event, beside kind and object: a version, a threshold. What happened once is told once.
    pub mark: String,
}

impl Event {
    /// An event about one object; `mark` tells it from others of the same kind about it.
    pub fn new(kind: EventKind, owner: OrganisationId, entity: (&'static str, i64), mark: impl ToString) -> Self {
        Self { kind, owner, entity, request: None, bodies: Vec::new(), mark: mark.to_string() }
    }

    /// The same, as part of a request's story.
    #[must_use]
    pub fn of_request(mut self, request: RequestId) -> Self {
        self.request = Some(request);
        self
    }

    /// The same, concerning other bodies too.
    #[must_use]
    pub fn concerning(mut self, bodies: impl IntoIterator<Item = OrganisationId>) -> Self {
        self.bodies.extend(bodies);
        self
    }

    /// The key under which it is kept once.
    pub fn key(&self) -> String {
        format!("{}:{}:{}:{}", self.kind, self.entity.0, self.entity.1, self.mark)
    }
}

/// What one recipient is told of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Who.
    pub to: Recipient,
    /// What, in words.
    pub notice: Notice,
    /// Calendar entries that go with the mail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendars: Vec<CalendarEntry>,
}

impl Told {
    /// Words alone.
    pub fn new(to: Recipient, notice: Notice) -> Self {
        Self { to, notice, calendars: Vec::new() }
    }
}

/// The words every mail shares.
pub fn brand(app: &App) -> Brand {
    Brand {
        service_name: app.config.service_name.clone(),
        subject_prefix: app.config.mail.subject_prefix.clone(),
        sender_organisation: app.config.smtp.from_name.clone(),
        base_url: app.config.base_url.clone(),
    }
}

/// The domain of message identifiers and calendar entries: that of the sender's address.
pub fn domain(app: &App) -> &str {
    app.config.smtp.from_address.rsplit('@').next().unwrap_or_default()
}

/// Tells an event. `false`: it has been told before, and nobody is told again.
///
/// Kept with the change are the event, its deliveries to webhooks, and to whom it is to be told with which facts; mails and
/// notices are made of that right after the commit ([`super::telling`]), so that a change does not wait for them. No address
/// is told twice.
pub fn publish(conn: &mut Conn, ctx: &Ctx, event: &Event, told: Vec<Told>) -> Result<bool, Error> {
    let Some(id) = notice_store::insert_event(conn, event, &event.key(), ctx.now)? else { return Ok(false) };
    if event.kind.reach() != Reach::Personal {
        let mut bodies: BTreeSet<OrganisationId> = event.bodies.iter().copied().collect();
        bodies.insert(event.owner);
        bodies.extend(told.iter().filter_map(|told| told.to.organisation_id));
        crate::webhooks::service::fan_out(conn, ctx, event, id, &bodies)?;
    }
    let mut addresses: BTreeSet<String> = BTreeSet::new();
    let told: Vec<Told> = told
        .into_iter()
        .filter(|told| !told.to.address.is_empty() && addresses.insert(told.to.address.to_ascii_lowercase()))
        .collect();
    if !told.is_empty() {
        telling_store::keep(conn, id, &serde_json::to_string(&told).map_err(Error::internal)?, ctx.now)?;
    }
    Ok(true)
}

/// Of things that are due, those whose event has not been told yet, at most `most`.
pub fn untold<T>(conn: &mut Conn, due: Vec<(Event, T)>, most: usize) -> Result<Vec<(Event, T)>, Error> {
    let mut left = Vec::new();
    let mut due = due.into_iter().peekable();
    while due.peek().is_some() && left.len() < most {
        let some: Vec<(Event, T)> = due.by_ref().take(KEYS_AT_ONCE).collect();
        let keys: Vec<String> = some.iter().map(|(event, _)| event.key()).collect();
        let told: BTreeSet<String> = notice_store::told(conn, &keys)?.into_iter().collect();
        left.extend(some.into_iter().zip(keys).filter(|(_, key)| !told.contains(key)).map(|(due, _)| due));
    }
    left.truncate(most);
    Ok(left)
}
