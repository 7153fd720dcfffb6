//! From what happened to the mails and notices of it, right after the change is committed. What is told is made of what was
//! kept with the change and of nothing newer, in a transaction of its own: each event is told wholly and once, whatever
//! happens in between.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::catalogue::{MailChoice, Reach, Topic};
use super::message::message_id_for;
use super::notice_store::{self, NewNotice};
use super::service::{Told, brand, domain};
use super::store::{self, NewMessage};
use super::telling_store::{self, Waiting, pause};
use super::template::{RenderedMail, render};
use crate::app::App;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::ids::{EventId, UserId};

/// Events told in one transaction.
const AT_ONCE: i64 = 50;

/// Tells everything that is due, as long as `go_on` says so; how many events. An event that cannot be told is put off and
/// does not keep the others.
pub fn tell_due(app: &App, go_on: &dyn Fn() -> bool) -> Result<usize, Error> {
    let mut told = 0;
    while go_on() && app.db.read_blocking(|conn| telling_store::anything_due(conn, app.clock.now()))? {
        let some = match app.db.write_quietly(|conn| tell_some(conn, app, None)) {
            Ok(some) => some,
            Err(error) if error.code == ErrorCode::Unavailable => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "events could not be told together; each is tried alone");
                tell_each(app)?
            }
        };
        if some == 0 {
            break;
        }
        told += some;
    }
    Ok(told)
}

/// Tells some events, or the one that is named, in one transaction; how many were looked at.
fn tell_some(conn: &mut Conn, app: &App, only: Option<EventId>) -> Result<usize, Error> {
    let now = app.clock.now();
    let due = telling_store::due(conn, now, only, AT_ONCE)?;
    let mut readable: Vec<(&Waiting, Vec<Told>)> = Vec::new();
    for waiting in &due {
        match serde_json::from_str(&waiting.told) {
            Ok(told) => readable.push((waiting, told)),
            Err(error) => put_off(conn, app, waiting, &error.to_string())?,
        }
    }
    let users: BTreeSet<UserId> = readable.iter().flat_map(|(_, told)| told).filter_map(|told| told.to.user_id).collect();
    let users: Vec<UserId> = users.into_iter().collect();
    let chosen = notice_store::choices(conn, &users)?;
    let languages = notice_store::languages(conn, &users)?;
    let (mut messages, mut notices) = (Vec::new(), Vec::new());
    let mut done: Vec<EventId> = Vec::new();
    for (waiting, mut told) in readable {
        // Whoever has an account is told in its language, in whatever role.
        for to in told.iter_mut().map(|told| &mut told.to) {
            if let Some(language) = to.user_id.and_then(|user| languages.get(&user)) {
                to.locale = *language;
            }
        }
        // A text that cannot be written must not end the worker.
        match catch_unwind(AssertUnwindSafe(|| write(app, waiting, told, &chosen))) {
            Ok(Ok((mails, lines))) => {
                messages.extend(mails);
                notices.extend(lines);
                done.push(waiting.event);
            }
            Ok(Err(error)) => put_off(conn, app, waiting, &error.to_string())?,
            Err(_) => put_off(conn, app, waiting, "writing it ended in a panic")?,
        }
    }
    tracing::debug!(events = due.len(), mails = messages.len(), notices = notices.len(), "telling");
    store::insert(conn, &messages)?;
    notice_store::insert(conn, &notices)?;
    telling_store::forget(conn, &done)?;
    Ok(due.len())
}

/// Tells what is due one by one, and puts off what the database refuses. Where it does not answer, nothing is put off.
fn tell_each(app: &App) -> Result<usize, Error> {
    let next = app.db.read_blocking(|conn| telling_store::next(conn, app.clock.now(), AT_ONCE))?;
    let mut told = 0;
    for (event, attempts) in next {
        match app.db.write_quietly(|conn| tell_some(conn, app, Some(event))) {
            Ok(some) => told += some,
            Err(error) if error.code == ErrorCode::Unavailable => return Err(error),
            Err(error) => {
                tracing::error!(event = event.0, %error, "an event could not be told");
                let until = app.clock.now().plus(pause(attempts));
                app.db.write_quietly(|conn| telling_store::put_off(conn, event, until))?;
                told += 1;
            }
        }
    }
    Ok(told)
}

fn put_off(conn: &mut Conn, app: &App, waiting: &Waiting, problem: &str) -> Result<(), Error> {
    tracing::error!(event = waiting.event.0, kind = %waiting.kind, problem, "an event could not be told");
    telling_store::put_off(conn, waiting.event, app.clock.now().plus(pause(waiting.attempts)))
}

/// The mails and notices of one event. Who has chosen a digest or no mail gets the notice alone, unless the event is one that
/// always comes by mail ([`Reach::Always`]).
fn write(
    app: &App,
    waiting: &Waiting,
    told: Vec<Told>,
    chosen: &BTreeMap<(UserId, Topic), MailChoice>,
) -> Result<(Vec<NewMessage>, Vec<NewNotice>), Error> {
    let (reach, topic, brand, now) = (waiting.kind.reach(), waiting.kind.topic(), brand(app), app.clock.now());
    let (mut messages, mut notices) = (Vec::new(), Vec::<NewNotice>::new());
    for told in told {
        let rendered = render(&told.notice, told.to.locale, &brand);
        let choice = told.to.user_id.filter(|_| reach == Reach::AsChosen).and_then(|user| chosen.get(&(user, topic)).copied());
        let mail = choice.unwrap_or(MailChoice::Immediate);
        if let Some(user) = told.to.user_id.filter(|_| reach != Reach::Personal)
            && !notices.iter().any(|known| known.user == user)
        {
            let (title, path) = (rendered.title.clone(), rendered.path.clone());
            let organisation = told.to.organisation_id;
            notices.push(NewNotice { event: waiting.event, user, organisation, title, path, mail, at: now });
        }
        if mail == MailChoice::Immediate {
            messages.push(message(app, waiting, told, rendered)?);
        }
    }
    Ok((messages, notices))
}

fn message(app: &App, waiting: &Waiting, told: Told, rendered: RenderedMail) -> Result<NewMessage, Error> {
    let dedupe_key = format!("{}:{}", waiting.key, told.to.address.to_ascii_lowercase());
    let domain = domain(app);
    let thread = match waiting.request {
        Some(request) => format!("request:{request}"),
        None => format!("{}:{}", waiting.entity_kind, waiting.entity_id),
    };
    let calendars =
        if told.calendars.is_empty() { None } else { Some(serde_json::to_string(&told.calendars).map_err(Error::internal)?) };
    Ok(NewMessage {
        event: waiting.kind,
        message_id: message_id_for(&dedupe_key, domain),
        thread_id: message_id_for(&thread, domain),
        dedupe_key,
        owner: waiting.owner,
        entity: (waiting.entity_kind.clone(), waiting.entity_id),
        recipient_address: told.to.address,
        recipient_name: told.to.name,
        secret: secret_in(&rendered.text, &app.config.base_url).map(str::to_owned),
        subject: rendered.subject,
        body: rendered.text,
        locale: told.to.locale,
        calendars,
        at: waiting.at,
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
    use super::super::recipient::Recipient;
    use super::super::template::samples;
    use super::*;
    use crate::error::Locale;

    #[test]
    fn finds_the_token_of_a_link_and_nothing_else() {
        let base = "https://x.example";
        let text = "事務局より: https://evil.example/?token=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n次のリンクから\nhttps://x.example/offers/answer?token=abcdefghijklmnopqrstuvwxyz-_12\n回答";
        assert_eq!(secret_in(text, base), Some("abcdefghijklmnopqrstuvwxyz-_12"));
        assert_eq!(secret_in("https://x.example/requests/12", base), None);
    }

    #[test]
    fn every_notice_comes_back_as_it_was_kept() {
        for (n, notice) in samples().into_iter().enumerate() {
            let locale = if n % 2 == 0 { Locale::Ja } else { Locale::En };
            let to = Recipient::person("hanako@city.example.jp", "鈴木 花子", "静岡市", locale).with_account(UserId(7));
            let told = vec![Told::new(to, notice)];
            let back: Vec<Told> = serde_json::from_str(&serde_json::to_string(&told).unwrap()).unwrap();
            assert_eq!(back, told);
        }
    }
}
