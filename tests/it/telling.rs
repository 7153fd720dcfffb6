//! What happened is told from what was kept with the change: wholly, once, in order, and whatever becomes of one event keeps no
//! other.

use chrono::Duration;
use serde_json::{Value, json};
use tasuki::auth::principal::Actor;
use tasuki::http::Ctx;
use tasuki::ids::OrganisationId;
use tasuki::notifications::catalogue::EventKind;
use tasuki::notifications::recipient::Recipient;
use tasuki::notifications::service::{Event, Told, publish};
use tasuki::notifications::telling::tell_due;
use tasuki::notifications::template::{Notice, RequestRef};

use crate::on_both;
use crate::support::flow;
use crate::support::server::TestApp;
use crate::support::tools::{number, race, sql};
use crate::support::world::World;

const OFFICE: &str = "office@pref.example.jp";

/// Something happens for each of these words, and nobody has been told yet.
fn happen<'a>(app: &TestApp, world: &World, words: impl IntoIterator<Item = &'a str> + Clone) {
    let owner = OrganisationId(world.prefecture);
    let ctx = Ctx::internal(&app.app, Actor::System, owner, "test");
    app.app
        .db
        .write_blocking(|conn| {
            for word in words.clone() {
                let to = Recipient::section(OFFICE, "静岡県").of_body(owner);
                let request = RequestRef {
                    number: None,
                    document_number: None,
                    programme: None,
                    applicant: "浜松市".to_owned(),
                    joint_applicants: Vec::new(),
                    title: word.to_owned(),
                };
                let notice = Notice::RequestAwaitingApproval {
                    recipient: to.addressee(),
                    request,
                    filed_by: None,
                    link: "/requests/1".to_owned(),
                };
                let event = Event::new(EventKind::RequestAwaitingApproval, owner, ("request", 1), word);
                assert!(publish(conn, &ctx, &event, vec![Told::new(to.clone(), notice.clone())])?);
                assert!(!publish(conn, &ctx, &event, vec![Told::new(to, notice)])?, "the same event is kept once");
            }
            Ok(())
        })
        .unwrap();
}

/// The words of the mails that were sent, in their order.
fn told(app: &TestApp, words: &[&str]) -> Vec<String> {
    let mails = app.mails_to(OFFICE);
    mails.iter().map(|sent| words.iter().find(|word| sent.mail.text.contains(**word)).unwrap_or(&"?").to_string()).collect()
}

fn waiting(app: &TestApp) -> i64 {
    number(app, "SELECT COUNT(*) FROM event_tellings")
}

fn ready(app: &TestApp) -> Value {
    app.anonymous().call("GET", "/readyz").send().ok(200)
}

/// Spoils what was kept of the event with this word.
fn spoil(app: &TestApp, word: &str, told: &str) {
    let event = format!("(SELECT id FROM events WHERE dedupe_key LIKE '%:{word}')");
    sql(app, &format!("UPDATE event_tellings SET told = {told} WHERE event_id = {event}")).unwrap();
}

on_both! {
    fn what_cannot_be_read_waits_and_keeps_nothing_else(app) {
        let world = World::new(app);
        let words = ["第一の件", "第二の件", "第三の件"];
        happen(app, &world, words);
        spoil(app, "第二の件", "'[{\"to\": \"in a form of tomorrow\"}]'");
        assert_eq!(tell_due(&app.app, &|| true).unwrap(), 3);
        assert_eq!(told(app, &words), ["第一の件", "第三の件"]);
        app.advance(Duration::seconds(59));
        let view = ready(app);
        assert!(view["warnings"].to_string().contains("1 events could not be told"), "{view}");
        assert_eq!(view["outbox_age_seconds"], 59, "what waits to be told waits to be sent");
        // A later version can read it: it is tried again by itself, but not before its time.
        spoil(app, "第二の件", "'[]'");
        assert_eq!(tell_due(&app.app, &|| true).unwrap(), 0);
        app.advance(Duration::seconds(1));
        assert_eq!(tell_due(&app.app, &|| true).unwrap(), 1);
        assert_eq!(waiting(app), 0);
        let view = ready(app);
        assert!(!view["warnings"].to_string().contains("could not be told"), "{view}");
    }
}

on_both! {
    fn what_the_database_refuses_waits_and_keeps_nothing_else(app) {
        let world = World::new(app);
        let words = ["第一の件", "第二の件", "第三の件"];
        happen(app, &world, words);
        // Nobody has this account.
        spoil(app, "第一の件", "replace(told, '\"user_id\":null', '\"user_id\":999999')");
        tell_due(&app.app, &|| true).unwrap();
        assert_eq!(told(app, &words), ["第二の件", "第三の件"]);
        assert_eq!(number(app, "SELECT COUNT(*) FROM event_tellings WHERE attempts = 1"), 1);
    }
}

on_both! {
    fn many_tell_at_once_and_everything_is_told_once_in_order(app) {
        let world = World::new(app);
        let words: Vec<String> = (100..300).map(|n| format!("第{n}号の件")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        happen(app, &world, words.iter().copied());
        race(4, |_| tell_due(&app.app, &|| true).unwrap());
        // Who finds another at it leaves the rest to the other, who may just have ended.
        tell_due(&app.app, &|| true).unwrap();
        assert_eq!(waiting(app), 0);
        assert_eq!(told(app, &words), words);
    }
}

on_both! {
    fn a_change_keeps_what_is_to_be_told_and_does_not_wait_for_it(app) {
        let world = World::new(app);
        let request = flow::draft(&world);
        let made = || number(app, "SELECT COUNT(*) FROM outbox_messages") + number(app, "SELECT COUNT(*) FROM notices");
        let before = made();
        world.hamamatsu_staff.alone().verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        assert_eq!((waiting(app), made()), (1, before));
        assert_eq!(tell_due(&app.app, &|| true).unwrap(), 1);
        assert_eq!((waiting(app), made()), (0, before + 2), "a mail and a notice for the coordinator");
        assert_eq!(app.mails_to("coordinator@pref.example.jp").len(), 1);
    }
}

on_both! {
    fn what_is_told_after_the_digest_of_its_day_stands_in_the_next(app) {
        let world = World::new(app);
        let topics = json!({"topics": [{"topic": "requests", "mail": "digest"}]});
        world.coordinator.post("/notification-preferences", &topics).ok(200);
        let submit = |theme: &str| {
            let mut body = flow::request_body(&world);
            body["theme"] = json!(theme);
            let request = flow::id(&world.hamamatsu_staff.post("/requests", &body), 201);
            world.hamamatsu_staff.alone().verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        };
        let digests = || -> Vec<String> {
            let mails = app.mails_to("coordinator@pref.example.jp").into_iter().map(|sent| sent.mail.text);
            mails.filter(|text| text.contains("のお知らせは")).collect()
        };
        app.set_time("2026-04-07T07:50:00+09:00");
        submit("早い申請");
        tell_due(&app.app, &|| true).unwrap();
        app.set_time("2026-04-07T07:59:00+09:00");
        submit("遅い申請");
        // The digest is written before the other has been told.
        app.set_time("2026-04-07T08:05:00+09:00");
        app.run_jobs();
        let first = digests();
        assert!(first.len() == 1 && first[0].contains("1件") && waiting(app) == 0, "{first:?}");
        app.set_time("2026-04-08T08:20:00+09:00");
        app.run_jobs();
        let both = digests();
        assert!(both.len() == 2 && both[1].contains("1件"), "{both:?}");
    }
}

on_both! {
    fn an_event_for_thousands_is_told(app) {
        let world = World::new(app);
        let owner = OrganisationId(world.prefecture);
        let ctx = Ctx::internal(&app.app, Actor::System, owner, "test");
        app.app
            .db
            .write_blocking(|conn| {
                let told = (0..4_000).map(|n| {
                    let to = Recipient::section(format!("office-{n}@example.jp"), "浜松市");
                    let notice = Notice::TestMail { recipient: to.addressee(), requested_at: ctx.now.instant() };
                    Told::new(to, notice)
                });
                let event = Event::new(EventKind::WindowClosing, owner, ("programme", 1), "x");
                publish(conn, &ctx, &event, told.collect())
            })
            .unwrap();
        assert_eq!(tell_due(&app.app, &|| true).unwrap(), 1);
        assert_eq!(number(app, "SELECT COUNT(*) FROM outbox_messages"), 4_000);
    }
}
