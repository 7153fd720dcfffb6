//! What the clock reminds of: each threshold once, whoever looks and however often.

use chrono::Duration;
use diesel::prelude::*;
use serde_json::{Value, json};
use tasuki::db::schema::events;
use tasuki::jobs::worker::run_due;

use crate::on_both;
use crate::support::flow::{self, visit_on};
use crate::support::server::TestApp;
use crate::support::tools::race;
use crate::support::world::{World, preset};

/// How often each event of a kind was kept, by its mark.
fn marks(app: &TestApp, kind: &str) -> Vec<String> {
    let kind = kind.to_owned();
    let keys: Vec<String> = app
        .app
        .db
        .read_blocking(move |conn| {
            Ok(events::table.filter(events::kind.eq(&kind)).order(events::id).select(events::dedupe_key).load(conn)?)
        })
        .unwrap();
    keys.into_iter().map(|key| key.splitn(4, ':').nth(3).unwrap().to_owned()).collect()
}

/// Looks again and again, as the worker would.
fn look(app: &TestApp) {
    for _ in 0..3 {
        app.advance(Duration::minutes(11));
        app.run_jobs();
    }
}

/// Many workers at once after a restart.
fn look_with_many(app: &TestApp) {
    app.advance(Duration::minutes(11));
    race(4, |n| run_due(&app.app, &format!("worker-{n}")).unwrap());
}

fn told(app: &TestApp, address: &str, words: &str) -> usize {
    app.mails_to(address).iter().filter(|sent| sent.mail.text.contains(words) || sent.mail.subject.contains(words)).count()
}

on_both! {
    fn an_offer_that_ends_soon_is_told_once(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let request = flow::accepted(&world);
        flow::offer(&world, request, expert, &[visit_on("2026-05-11")]);
        // 168 hours from 6 April, 10:00.
        app.set_time("2026-04-12T09:00:00+09:00");
        look(app);
        assert!(marks(app, "offer.expiring").is_empty(), "more than a day is left");
        app.set_time("2026-04-12T10:00:00+09:00");
        look_with_many(app);
        look(app);
        assert_eq!(marks(app, "offer.expiring").len(), 1);
        assert_eq!(app.mails_to("expert@example.jp").len(), 2, "the question and one reminder");
        let thread: Vec<_> = app.mails_to("expert@example.jp").iter().map(|sent| sent.mail.references.clone()).collect();
        assert_eq!(thread[0], thread[1], "in one thread, so that the link is found");
    }
}

on_both! {
    fn a_request_that_waits_is_told_once_for_each_wait(app) {
        let world = World::new(app);
        let request = flow::draft(&world);
        let path = format!("/requests/{request}");
        world.hamamatsu_staff.verb(&path, "submit", &json!({})).ok(200);
        app.set_time("2026-04-11T09:00:00+09:00");
        look(app);
        assert!(marks(app, "request.unanswered").is_empty());
        app.set_time("2026-04-11T10:00:00+09:00");
        look_with_many(app);
        app.set_time("2026-04-20T10:00:00+09:00");
        look(app);
        assert_eq!(marks(app, "request.unanswered").len(), 1);
        // Returned and submitted again, it waits anew.
        world.coordinator.verb(&path, "return-for-correction", &json!({"reason_code": "incomplete", "reason": "人数を記入してください"})).ok(200);
        world.hamamatsu_staff.verb(&path, "submit", &json!({})).ok(200);
        app.set_time("2026-04-26T10:00:00+09:00");
        look(app);
        assert_eq!(marks(app, "request.unanswered").len(), 2);
    }
}

on_both! {
    fn an_appointment_is_told_fourteen_and_three_days_before_its_end(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        world.coordinator.patch(&format!("/experts/{expert}"), &json!({"appointed_to": "2026-05-01"})).ok(200);
        for (time, count) in [
            ("2026-04-16T10:00:00+09:00", 0),
            ("2026-04-17T10:00:00+09:00", 1),
            ("2026-04-27T10:00:00+09:00", 1),
            ("2026-04-28T10:00:00+09:00", 2),
            ("2026-05-01T10:00:00+09:00", 2),
        ] {
            app.set_time(time);
            look_with_many(app);
            assert_eq!(marks(app, "appointment.ending").len(), count, "{time}");
        }
        assert_eq!(marks(app, "appointment.ending"), ["2026-05-01:14", "2026-05-01:3"]);
        assert_eq!(app.mails_to("expert@example.jp").len(), 2);
    }
}

on_both! {
    fn a_service_that_stood_still_speaks_of_the_nearest_threshold_only(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        world.coordinator.patch(&format!("/experts/{expert}"), &json!({"appointed_to": "2026-05-01"})).ok(200);
        app.set_time("2026-04-29T10:00:00+09:00");
        look(app);
        assert_eq!(marks(app, "appointment.ending"), ["2026-05-01:3"]);
    }
}

on_both! {
    fn a_pause_is_told_before_it_ends(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let leave = json!({"weekly": [], "exceptions": [{"kind": "leave", "first_day": "2026-04-10", "last_day": "2026-04-30"}]});
        world.coordinator.put_at(&format!("/experts/{expert}"), "availability", &leave).ok(200);
        app.set_time("2026-04-26T10:00:00+09:00");
        look(app);
        assert!(marks(app, "pause.ending").is_empty());
        app.set_time("2026-04-27T10:00:00+09:00");
        look_with_many(app);
        look(app);
        assert_eq!(marks(app, "pause.ending"), ["2026-04-30"]);
    }
}

on_both! {
    fn a_load_is_told_at_eighty_and_at_a_hundred_percent(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        world.coordinator.patch(&format!("/experts/{expert}"), &json!({"capacity_minutes_month": 480})).ok(200);
        flow::dispatched_on(&world, expert, &["2026-05-11"]);
        look(app);
        assert!(marks(app, "workload.near_limit").is_empty(), "half of it");
        world.coordinator.patch(&format!("/experts/{expert}"), &json!({"capacity_minutes_month": 300})).ok(200);
        look_with_many(app);
        look(app);
        assert_eq!(marks(app, "workload.near_limit"), ["month-2026-05"]);
        world.coordinator.patch(&format!("/experts/{expert}"), &json!({"capacity_minutes_month": 240})).ok(200);
        look(app);
        assert_eq!((marks(app, "workload.near_limit").len(), marks(app, "workload.reached")), (1, vec!["month-2026-05".to_owned()]));
        let words: Vec<String> = app.mails_to("expert@example.jp").iter().map(|sent| sent.mail.subject.clone()).collect();
        assert_eq!(words.len(), 4, "offer, decision and two of the load: {words:?}");
    }
}

on_both! {
    fn a_window_is_told_to_those_who_may_apply_before_it_closes(app) {
        let world = World::new(app);
        let mut rules = preset(&world.coordinator, "mic_regional_advisor");
        rules["windows"] = json!([{"opens_at": "2026-04-01T00:00:00+09:00", "closes_at": "2026-04-30T17:00:00+09:00"}]);
        flow::programme(&world, "募集のある事業", &rules);
        app.set_time("2026-04-23T16:00:00+09:00");
        look(app);
        assert!(marks(app, "window.closing").is_empty());
        app.set_time("2026-04-23T17:00:00+09:00");
        look_with_many(app);
        look(app);
        assert_eq!(marks(app, "window.closing").len(), 1);
        assert_eq!(told(app, "staff@hamamatsu.example.jp", "募集のある事業"), 1);
        assert_eq!(told(app, "staff@oyama.example.jp", "募集のある事業"), 0, "no member of the pool");
    }
}

on_both! {
    fn a_survey_is_asked_for_in_the_year_after(app) {
        let world = World::new(app);
        let mut rules = preset(&world.coordinator, "mic_regional_advisor");
        assert_eq!((&rules["survey"]["month"], &rules["survey"]["day"]), (&json!(4), &json!(1)), "翌年度に調査");
        rules["survey"] = json!({"month": 5, "day": 10, "due_days": 20, "instructions": "調査票を返送してください。"});
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let dispatched = flow::dispatched_on(&world, expert, &["2026-05-11"]);
        let programme = world.programme;
        let before: Value = world.coordinator.get(&format!("/programmes/{programme}/years/2026")).ok(200);
        let mut own = before["rules"].clone();
        own["survey"] = rules["survey"].clone();
        world.coordinator.put(&format!("/programmes/{programme}/years/2026"), &json!({"rules": own})).ok(200);
        app.set_time("2026-05-12T10:00:00+09:00");
        flow::record(&world.coordinator, dispatched.visits[0], 240).ok(200);
        app.set_time("2027-05-09T10:00:00+09:00");
        look(app);
        assert!(marks(app, "survey.due").is_empty());
        app.set_time("2027-05-10T10:00:00+09:00");
        look_with_many(app);
        look(app);
        assert_eq!(marks(app, "survey.due"), ["2027"]);
    }
}

on_both! {
    fn a_digest_holds_the_day_before_and_comes_once(app) {
        let world = World::new(app);
        world
            .coordinator
            .post("/notification-preferences", &json!({"topics": [{"topic": "requests", "mail": "digest"}]}))
            .ok(200);
        for _ in 0..2 {
            let request = flow::draft(&world);
            world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        }
        look(app);
        assert!(app.mails_to("coordinator@pref.example.jp").is_empty(), "not before the hour");
        app.set_time("2026-04-07T07:59:00+09:00");
        app.run_jobs();
        assert!(app.mails_to("coordinator@pref.example.jp").is_empty());
        app.set_time("2026-04-07T08:10:00+09:00");
        look_with_many(app);
        look(app);
        let digests = app.mails_to("coordinator@pref.example.jp");
        assert_eq!(digests.len(), 1);
        let text = &digests[0].mail.text;
        assert_eq!(text.matches("/requests/").count(), 2, "{text}");
        assert!(digests[0].mail.unsubscribe.is_some(), "a digest says how it is ended");
        app.set_time("2026-04-08T08:10:00+09:00");
        look(app);
        assert_eq!(app.mails_to("coordinator@pref.example.jp").len(), 1, "nothing new, no mail");
    }
}
