//! Telling what happened, in the transaction of the change: the event once, and for everybody concerned a mail, a notice in
//! the service and a delivery to each webhook that wants it.

use std::collections::{BTreeMap, BTreeSet};

use super::calendars::CalendarEntry;
use super::catalogue::{EventKind, MailChoice, Reach};
use super::message::message_id_for;
use super::notice_store::{self, NewNotice};
use super::recipient::Recipient;
use super::store::{self, NewMessage};
use super::template::{Brand, Notice, RenderedMail, render};
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
#[derive(Debug, Clone)]
pub struct Told {
    /// Who.
    pub to: Recipient,
    /// What, in words.
    pub notice: Notice,
    /// Calendar entries that go with the mail.
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
/// No address and no person is told twice; who has chosen a digest or no mail gets the notice alone, unless the event is
/// one that always comes by mail ([`Reach::Always`]).
pub fn publish(conn: &mut Conn, ctx: &Ctx, event: &Event, told: Vec<Told>) -> Result<bool, Error> {
    let key = event.key();
    let Some(id) = notice_store::insert_event(conn, event, &key, ctx.now)? else { return Ok(false) };
    let reach = event.kind.reach();
    let mut bodies: BTreeSet<OrganisationId> = event.bodies.iter().copied().collect();
    bodies.insert(event.owner);
    bodies.extend(told.iter().filter_map(|told| told.to.organisation_id));
    let users: Vec<_> = told.iter().filter_map(|told| told.to.user_id).collect();
    let chosen = match reach {
        Reach::AsChosen if !users.is_empty() => notice_store::choices(conn, &users, event.kind.topic())?,
        _ => BTreeMap::new(),
    };
    let brand = brand(&ctx.app);
    let mut addresses: BTreeSet<String> = BTreeSet::new();
    let (mut messages, mut notices) = (Vec::new(), Vec::<NewNotice>::new());
    for told in told {
        let address = told.to.address.to_ascii_lowercase();
        if address.is_empty() || !addresses.insert(address.clone()) {
            continue;
        }
        let rendered = render(&told.notice, told.to.locale, &brand);
        let mail = told.to.user_id.and_then(|user| chosen.get(&user).copied()).unwrap_or(MailChoice::Immediate);
        if let Some(user) = told.to.user_id.filter(|_| reach != Reach::Personal)
            && !notices.iter().any(|known| known.user == user)
        {
            let (title, path) = (rendered.title.clone(), rendered.path.clone());
            notices.push(NewNotice { event: id, user, organisation: told.to.organisation_id, title, path, mail });
        }
        if mail == MailChoice::Immediate {
            messages.push(message(ctx, event, &key, &address, told, rendered)?);
        }
    }
    store::insert(conn, &messages, ctx.now)?;
    notice_store::insert(conn, &notices, ctx.now)?;
    if reach != Reach::Personal {
        crate::webhooks::service::fan_out(conn, ctx, event, id, &bodies)?;
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

fn message(ctx: &Ctx, event: &Event, key: &str, address: &str, told: Told, rendered: RenderedMail) -> Result<NewMessage, Error> {
    let dedupe_key = format!("{key}:{address}");
    let domain = domain(&ctx.app);
    let thread = match event.request {
        Some(request) => format!("request:{request}"),
        None => format!("{}:{}", event.entity.0, event.entity.1),
    };
    let calendars =
        if told.calendars.is_empty() { None } else { Some(serde_json::to_string(&told.calendars).map_err(Error::internal)?) };
    Ok(NewMessage {
        event: event.kind,
        message_id: message_id_for(&dedupe_key, domain),
        thread_id: message_id_for(&thread, domain),
        dedupe_key,
        owner: event.owner,
        entity: event.entity,
        recipient_address: told.to.address,
        recipient_name: told.to.name,
        secret: secret_in(&rendered.text, &ctx.app.config.base_url).map(str::to_owned),
        subject: rendered.subject,
        body: rendered.text,
        locale: told.to.locale,
        calendars,
    })
}

/// The one-time token in a text, so that it can be struck out once the mail has left. It stands in a line that is one of
/// the service's own addresses; what people wrote does not count.
fn secret_in<'a>(text: &'a str, base_url: &str) -> Option<&'a str> {
    text.lines().map(str::trim).filter(|line| line.starts_with(base_url)).find_map(|line| {
        let (_, token) = line.split_once("token=")?;
        let formed = token.len() >= 20 && token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        formed.then_some(token)
    })
}

#[cfg(test)]
mod tests {
    use super::secret_in;

    #[test]
    fn finds_the_token_of_a_link_and_nothing_else() {
        let base = "https://x.example";
        let text = "事務局より: https://evil.example/?token=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n次のリンクから\nhttps://x.example/offers/answer?token=abcdefghijklmnopqrstuvwxyz-_12\n回答";
        assert_eq!(secret_in(text, base), Some("abcdefghijklmnopqrstuvwxyz-_12"));
        assert_eq!(secret_in("https://x.example/requests/12", base), None);
    }
}
