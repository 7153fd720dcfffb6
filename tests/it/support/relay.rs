//! A server that hands its mail to a scripted relay, and what the tests of mail ask of it.

use std::time::Duration;

use serde_json::{Value, json};
use tasuki::config::Config;
use tasuki::error::Locale;
use tasuki::ids::OrganisationId;
use tasuki::notifications::catalogue::EventKind;
use tasuki::notifications::message::message_id_for;
use tasuki::notifications::store::{self, NewMessage};
use tasuki::notifications::transport::{Mailer, SmtpSecurity, SmtpSettings};

use super::client::{Answer, Client};
use super::database::Fresh;
use super::server::TestApp;
use super::smtp::ReceivedMail;
use super::world::body;

/// The settings for a relay on loopback.
pub fn settings(port: u16, security: SmtpSecurity) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        security,
        username: None,
        password: None,
        ca_file: None,
        timeout: Duration::from_secs(30),
        bounce_address: None,
        max_per_connection: 0,
    }
}

/// A server that hands its mail to the relay at this port, with other settings where `change` makes them.
pub fn relayed(fresh: Fresh, port: u16, security: SmtpSecurity, change: impl FnOnce(&mut SmtpSettings, &mut Config)) -> TestApp {
    let mut settings = settings(port, security);
    TestApp::configured(fresh, |config| {
        change(&mut settings, config);
        Some(Mailer::smtp(settings).unwrap())
    })
}

/// Runs a test on both databases, each with its own relay.
#[macro_export]
macro_rules! on_both_with_relay {
    (fn $name:ident($app:ident, $sink:ident, $coordinator:ident) $body:block) => {
        $crate::on_both_with_relay! { |_, _| {}, fn $name($app, $sink, $coordinator) $body }
    };
    ($change:expr, fn $name:ident($app:ident, $sink:ident, $coordinator:ident) $body:block) => {
        mod $name {
            #[allow(unused_imports, reason = "shared by all generated tests")]
            use super::*;

            fn test(
                $app: &$crate::support::server::TestApp,
                $sink: &$crate::support::smtp::SmtpSink,
                $coordinator: &$crate::support::client::Client,
            ) $body

            fn run(fresh: $crate::support::database::Fresh) {
                use tasuki::notifications::transport::SmtpSecurity;
                let sink = $crate::support::smtp::SmtpSink::start();
                let app = $crate::support::relay::relayed(fresh, sink.port(), SmtpSecurity::None, $change);
                let coordinator = $crate::support::relay::coordinator(&app);
                test(&app, &sink, &coordinator);
            }

            #[test]
            fn sqlite() {
                run($crate::support::database::sqlite());
            }

            #[test]
            fn postgres() {
                if let Some(fresh) = $crate::support::database::postgres() {
                    run(fresh);
                }
            }
        }
    };
}

/// The coordinator whose outbox the tests look at.
pub fn coordinator(app: &TestApp) -> Client {
    use tasuki::auth::policy::Role;
    super::world::member(app, "coordinator@pref.example.jp", "静岡 花子", body(app, "220001"), Role::PrefecturalCoordinator)
}

/// Invites somebody, which writes one mail; the person's path.
pub fn invite(app: &TestApp, coordinator: &Client, email: &str) -> String {
    let membership = json!({"organisation_id": body(app, "221309"), "role": "municipal_staff", "valid_from": "2026-04-01"});
    let answer = coordinator.post("/users", &json!({"email": email, "name": "鈴木 花子", "memberships": [membership]}));
    format!("/users/{}", answer.ok(201)["id"])
}

pub fn resend(coordinator: &Client, person: &str) -> Answer {
    coordinator.verb(person, "resend-invitation", &json!({}))
}

/// Writes mails without a link into the coordinator's outbox, as a use case would: addresses and subjects.
pub fn enqueue<'a>(app: &TestApp, mails: impl IntoIterator<Item = (&'a str, &'a str)> + Clone) {
    let (owner, now) = (OrganisationId(body(app, "220001")), app.app.clock.now());
    app.app
        .db
        .write_blocking(|conn| {
            for (to, subject) in mails.clone() {
                let key = format!("test:{subject}:{to}");
                let new = NewMessage {
                    event: EventKind::RequestSubmitted,
                    message_id: message_id_for(&key, "pref.example.jp"),
                    dedupe_key: key,
                    owner,
                    entity: ("request".to_owned(), 1),
                    recipient_address: to.to_owned(),
                    recipient_name: "鈴木 花子".to_owned(),
                    subject: subject.to_owned(),
                    body: "依頼が届きました。\n\nhttps://tasuki.example.jp/requests/1\n".to_owned(),
                    secret: None,
                    thread_id: "<thread@pref.example.jp>".to_owned(),
                    calendars: None,
                    locale: Locale::Ja,
                    at: now,
                };
                store::insert(conn, &[new])?;
            }
            Ok(())
        })
        .unwrap();
}

pub fn addresses(mails: &[ReceivedMail]) -> Vec<&str> {
    mails.iter().map(|mail| mail.envelope_to[0].as_str()).collect()
}

pub fn outbox(coordinator: &Client, status: &str) -> Vec<Value> {
    coordinator.get(&format!("/notifications?limit=200&status={status}")).ok(200)["items"].as_array().unwrap().clone()
}
