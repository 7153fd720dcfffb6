//! Calendars: each visit is one entry for ever, in mails, as a file and in feeds that can be revoked.

use serde_json::json;
use tasuki::auth::policy::Role;

use crate::on_both;
use crate::support::client::{Answer, Client};
use crate::support::flow;
use crate::support::server::TestApp;
use crate::support::world::{World, sign_in, user};

/// A property's values, unfolded.
fn values(calendar: &str, name: &str) -> Vec<String> {
    let whole = calendar.replace("\r\n ", "");
    whole.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix([':', ';']).map(str::to_owned)).collect()
}

/// The calendar files of the newest mail to an address.
fn files(app: &TestApp, address: &str) -> Vec<String> {
    app.mails_to(address).last().unwrap().mail.calendars.iter().map(|entry| entry.text.clone()).collect()
}

fn fetch(app: &TestApp, url: &str) -> Answer {
    let path = url.strip_prefix(&app.base).unwrap().to_owned();
    app.anonymous().call("GET", path).send()
}

fn text(answer: &Answer) -> String {
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.bytes.clone()).unwrap()
}

fn feed(client: &Client, body: &serde_json::Value) -> (String, String) {
    let made = client.post("/calendar-feeds", body).ok(200);
    (format!("/calendar-feeds/{}", made["feed"]["id"]), made["url"].as_str().unwrap().to_owned())
}

on_both! {
    fn a_visit_is_one_entry_that_is_changed_and_taken_out(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let dispatched = flow::dispatched_on(&world, expert, &["2026-05-11"]);
        let visit = flow::visits_of(&world.coordinator, dispatched.dispatch)[0];
        let invited = files(app, "expert@example.jp");
        assert_eq!(invited.len(), 1);
        assert_eq!(values(&invited[0], "METHOD"), ["REQUEST"]);
        assert_eq!(values(&invited[0], "UID"), [format!("visit-{visit}@pref.example.jp")]);
        assert_eq!(values(&invited[0], "DTSTART"), ["20260511T010000Z"], "10:00 in Japan");
        let downloaded = text(&world.hamamatsu_staff.get(&format!("/visits/{visit}/calendar")));
        assert_eq!(values(&downloaded, "UID"), values(&invited[0], "UID"));
        assert_eq!(world.outsider_staff.get(&format!("/visits/{visit}/calendar")).problem(404), "not_found");
        let sequence = |calendar: &str| values(calendar, "SEQUENCE")[0].parse::<i64>().unwrap();
        // Called off: the same entry, a higher number.
        world
            .coordinator
            .verb(&format!("/visits/{visit}"), "cancel", &json!({"party": "applicant", "reason": "庁舎の停電のため"}))
            .ok(200);
        let off = files(app, "expert@example.jp");
        assert_eq!((values(&off[0], "METHOD"), values(&off[0], "STATUS")), (vec!["CANCEL".to_owned()], vec!["CANCELLED".to_owned()]));
        assert_eq!(values(&off[0], "UID"), values(&invited[0], "UID"));
        assert!(sequence(&off[0]) > sequence(&invited[0]));
    }
}

on_both! {
    fn a_moved_visit_takes_the_old_entry_out_and_puts_the_new_one_in(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let dispatched = flow::dispatched_on(&world, expert, &["2026-05-11"]);
        let visit = flow::visits_of(&world.coordinator, dispatched.dispatch)[0];
        let moved = world.coordinator.verb(
            &format!("/visits/{visit}"),
            "reschedule",
            &json!({"day": "2026-05-18", "start_minute": 600, "party": "applicant", "reason": "会場の都合"}),
        );
        let new = moved.ok(201)["id"].as_i64().unwrap();
        let files = files(app, "expert@example.jp");
        let told: Vec<(String, String)> = files.iter().map(|file| (values(file, "METHOD")[0].clone(), values(file, "UID")[0].clone())).collect();
        assert_eq!(
            told,
            [
                ("CANCEL".to_owned(), format!("visit-{visit}@pref.example.jp")),
                ("REQUEST".to_owned(), format!("visit-{new}@pref.example.jp"))
            ]
        );
    }
}

on_both! {
    fn a_feed_shows_what_its_owner_may_see_until_it_is_revoked(app) {
        let world = World::new(app);
        let (mine, other) = (flow::expert(&world, "見本 太郎", "expert@example.jp"), flow::expert(&world, "見本 次郎", "second@example.jp"));
        flow::dispatched_on(&world, mine, &["2026-05-11"]);
        flow::dispatched_on(&world, other, &["2026-05-12"]);
        let (id, _) = user(app, "expert@example.jp", "見本 太郎", world.prefecture, Role::Expert);
        world.coordinator.patch(&format!("/experts/{mine}"), &json!({"user_id": id.0})).ok(200);
        let expert = sign_in(app, id);
        let (path, url) = feed(&expert, &json!({}));
        assert_eq!(values(&text(&fetch(app, &url)), "DTSTART"), ["20260511T010000Z"], "the own visits only");
        let (_, whole) = feed(&world.coordinator, &json!({"pool_id": world.pool}));
        assert_eq!(values(&text(&fetch(app, &whole)), "DTSTART").len(), 2);
        assert_eq!(values(&text(&fetch(app, &feed(&world.hamamatsu_staff, &json!({})).1)), "DTSTART").len(), 2);
        assert_eq!(values(&text(&fetch(app, &feed(&world.outsider_staff, &json!({})).1)), "DTSTART").len(), 0);
        assert!(text(&fetch(app, &format!("{url}.ics"))).starts_with("BEGIN:VCALENDAR"), "programs like the ending");
        // Whole pools are for those who run them.
        assert_eq!(world.hamamatsu_staff.post("/calendar-feeds", &json!({"pool_id": world.pool})).problem(403), "forbidden");
        assert_eq!(world.stranger.post("/calendar-feeds", &json!({"pool_id": world.pool})).problem(404), "not_found");
        // The address is a secret: shown once, revocable, and nobody else's business.
        assert!(!expert.get("/calendar-feeds").ok(200).to_string().contains(url.rsplit('/').next().unwrap()));
        assert_eq!(world.coordinator.post(&format!("{path}/revoke"), &json!({})).problem(404), "not_found");
        expert.post(&format!("{path}/revoke"), &json!({})).ok(200);
        assert_eq!(fetch(app, &url).problem(404), "not_found");
        assert_eq!(fetch(app, &format!("{}/api/v1/calendars/{}", app.base, "0".repeat(48))).problem(404), "not_found");
    }
}

on_both! {
    fn a_feed_ends_with_the_membership_it_reads_with(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        flow::dispatched_on(&world, expert, &["2026-05-11"]);
        let (id, membership) = user(app, "leaving@hamamatsu.example.jp", "浜松 一郎", world.hamamatsu, Role::MunicipalStaff);
        let staff = sign_in(app, id);
        let (_, url) = feed(&staff, &json!({}));
        assert_eq!(values(&text(&fetch(app, &url)), "DTSTART").len(), 1);
        let person = format!("/users/{}", id.0);
        let etag = world.coordinator.get(&person).etag();
        world
            .coordinator
            .call("PATCH", format!("/api/v1{person}/memberships/{}", membership.0))
            .json(&json!({"valid_to": "2026-04-06"}))
            .header("If-Match", &etag)
            .send()
            .ok(200);
        assert_eq!(fetch(app, &url).problem(404), "not_found");
    }
}
