//! Notices: what happened is told once, to whom it concerns, in the way each has chosen.

use diesel::prelude::*;
use serde_json::{Value, json};
use tasuki::db::schema::events;

use crate::on_both;
use crate::support::client::Client;
use crate::support::flow::{self, visit_on};
use crate::support::server::TestApp;
use crate::support::world::{World, sign_in};

fn notices(of: &Client, query: &str) -> Value {
    of.get(&format!("/notices{query}")).ok(200)
}

fn events_of(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["event"].as_str().unwrap().to_owned()).collect()
}

fn choose(who: &Client, topics: &[(&str, &str)]) -> Value {
    let topics: Vec<Value> = topics.iter().map(|(topic, mail)| json!({"topic": topic, "mail": mail})).collect();
    who.post("/notification-preferences", &json!({"topics": topics})).ok(200)
}

/// How often each event was kept.
fn kept(app: &TestApp, kind: &str) -> i64 {
    let kind = kind.to_owned();
    app.app.db.write_blocking(move |conn| Ok(events::table.filter(events::kind.eq(&kind)).count().get_result(conn)?)).unwrap()
}

on_both! {
    fn a_request_is_told_to_the_office_in_the_service_and_by_mail(app) {
        let world = World::new(app);
        let request = flow::draft(&world);
        world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        let page = notices(&world.coordinator, "");
        let notice = &page["items"][0];
        assert_eq!((&notice["event"], &notice["topic"]), (&json!("request.submitted"), &json!("requests")));
        assert_eq!((&notice["path"], &notice["request_id"]), (&json!(format!("/requests/{request}")), &json!(request)));
        let title = notice["title"].as_str().unwrap();
        assert!(!title.starts_with('【') && !title.is_empty(), "{title}");
        assert_eq!(app.mails_to("coordinator@pref.example.jp").len(), 1);
        assert_eq!(page["unread"], 1);
        assert_eq!(notices(&world.hamamatsu_staff, "")["items"], json!([]), "who did it is not told");
        // Read, it is read; the next one is new.
        let id = notice["id"].as_i64().unwrap();
        let read = world.coordinator.post(&format!("/notices/{id}/read"), &json!({})).ok(200);
        assert_eq!(read, json!({"marked": 1, "unread": 0}));
        assert_eq!(world.coordinator.post(&format!("/notices/{id}/read"), &json!({})).ok(200)["marked"], 0);
        assert_eq!(notices(&world.coordinator, "?unread=true")["items"], json!([]));
        assert_eq!(notices(&world.coordinator, "?unread=false")["items"][0]["id"], id);
        // Nobody reads another's.
        assert_eq!(world.hamamatsu_staff.post(&format!("/notices/{id}/read"), &json!({})).problem(404), "not_found");
    }
}

on_both! {
    fn everything_up_to_a_notice_is_read_at_once_and_no_more(app) {
        let world = World::new(app);
        for _ in 0..3 {
            let request = flow::draft(&world);
            world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        }
        let page = notices(&world.coordinator, "?limit=2");
        assert_eq!((page["items"].as_array().unwrap().len(), &page["unread"]), (2, &json!(3)));
        let next = notices(&world.coordinator, &format!("?limit=2&cursor={}", page["next_cursor"].as_str().unwrap()));
        assert_eq!(next["items"].as_array().unwrap().len(), 1);
        let middle = page["items"][1]["id"].as_i64().unwrap();
        assert_eq!(world.coordinator.post("/notices/read", &json!({"up_to": middle})).ok(200), json!({"marked": 2, "unread": 1}));
        assert_eq!(notices(&world.coordinator, "?unread=true")["items"][0]["id"], page["items"][0]["id"]);
    }
}

on_both! {
    fn each_person_chooses_how_mail_comes(app) {
        let world = World::new(app);
        let shown = world.coordinator.get("/notification-preferences").ok(200);
        assert!(shown["topics"].as_array().unwrap().iter().all(|choice| choice["mail"] == "immediate"));
        assert_eq!(shown["always_by_mail"], json!(["offer.sent", "offer.expiring"]));
        let chosen = choose(&world.coordinator, &[("requests", "none"), ("messages", "digest")]);
        assert_eq!(chosen["topics"].as_array().unwrap().iter().filter(|choice| choice["mail"] != "immediate").count(), 2);
        let request = flow::draft(&world);
        world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        assert!(app.mails_to("coordinator@pref.example.jp").is_empty(), "no mail about requests");
        assert_eq!(events_of(&notices(&world.coordinator, "")), ["request.submitted"], "but the notice stands");
        // What was left out comes at once again.
        choose(&world.coordinator, &[]);
        let request = flow::draft(&world);
        world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        assert_eq!(app.mails_to("coordinator@pref.example.jp").len(), 1);
        let twice = world.coordinator.post(
            "/notification-preferences",
            &json!({"topics": [{"topic": "requests", "mail": "none"}, {"topic": "requests", "mail": "digest"}]}),
        );
        assert_eq!(twice.problem(422), "validation_failed");
        assert_eq!(twice.json()["errors"][0]["pointer"], "/topics/1/topic");
    }
}

on_both! {
    fn an_offer_always_comes_by_mail_whatever_the_expert_has_chosen(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let (id, _) = crate::support::world::user(app, "expert@example.jp", "見本 太郎", world.prefecture, tasuki::auth::policy::Role::Expert);
        world.coordinator.patch(&format!("/experts/{expert}"), &json!({"user_id": id.0})).ok(200);
        let account = sign_in(app, id);
        choose(&account, &[("offers", "none"), ("dispatches", "none")]);
        let request = flow::accepted(&world);
        let offer = flow::offer(&world, request, expert, &[visit_on("2026-05-11")]);
        assert_eq!(app.mails_to("expert@example.jp").len(), 1, "the link is in the mail and nowhere else");
        assert_eq!(events_of(&notices(&account, "")), ["offer.sent"]);
        assert!(!notices(&account, "").to_string().contains("token="), "no one-time link in a notice");
        flow::accept_offer(&world, offer).ok(200);
        flow::decide(&world, request, offer);
        assert_eq!(events_of(&notices(&account, "")), ["dispatch.decided", "offer.sent"]);
        assert_eq!(app.mails_to("expert@example.jp").len(), 1);
    }
}

on_both! {
    fn a_program_has_no_notices(app) {
        let world = World::new(app);
        let client = world.coordinator.post(
            "/api-clients",
            &json!({"name": "連携", "acts_as": "prefectural_coordinator", "scopes": ["requests:read"], "expires_at": "2026-12-31T15:00:00Z"}),
        );
        let key = client.ok(201)["key"].as_str().unwrap().to_owned();
        let program = app.with_token(&key);
        assert_eq!(program.get("/notices").problem(403), "forbidden");
        assert_eq!(kept(app, "request.submitted"), 0);
    }
}
