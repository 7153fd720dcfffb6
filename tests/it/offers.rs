//! Offers: one after the other, by account, by link, by the clock; an answer counts once.

use serde_json::{Value, json};
use tasuki::auth::policy::Role;

use crate::on_both;
use crate::support::client::{Answer, Client};
use crate::support::flow::{self, link_in_newest_mail, visit_on};
use crate::support::server::TestApp;
use crate::support::tools::{number, race};
use crate::support::world::{World, sign_in, user};

/// A queued offer: waits for those before it.
fn queued(world: &World, request: i64, expert: i64, day: &str) -> i64 {
    let body = json!({"expert_id": expert, "visits": [visit_on(day)], "queue": true});
    flow::id(&world.coordinator.post(&format!("/requests/{request}/offers"), &body), 201)
}

fn status(world: &World, offer: i64) -> String {
    world.coordinator.get(&format!("/offers/{offer}")).ok(200)["status"].as_str().unwrap().to_owned()
}

fn experts(world: &World, count: usize) -> Vec<i64> {
    (1..=count).map(|n| flow::expert(world, &format!("見本 {n}"), &format!("expert{n}@example.jp"))).collect()
}

/// The expert's own account.
fn account(app: &TestApp, world: &World, expert: i64, email: &str) -> Client {
    let (id, _) = user(app, email, "見本 専門家", world.prefecture, Role::Expert);
    world.coordinator.patch(&format!("/experts/{expert}"), &json!({"user_id": id.0})).ok(200);
    sign_in(app, id)
}

/// The token in the newest mail to an address.
fn token(app: &TestApp, address: &str) -> String {
    link_in_newest_mail(app, address).split_once("token=").unwrap().1.to_owned()
}

fn answer(app: &TestApp, token: &str, body: &Value) -> Answer {
    app.anonymous().post(&format!("/offer-links/{token}/answer"), body)
}

on_both! {
    fn a_refusal_asks_the_next_in_line(app) {
        let world = World::new(app);
        let (request, experts) = (flow::accepted(&world), experts(&world, 3));
        let first = queued(&world, request, experts[0], "2026-05-11");
        let second = queued(&world, request, experts[1], "2026-05-12");
        let third = queued(&world, request, experts[2], "2026-05-13");
        assert_eq!([first, second, third].map(|offer| status(&world, offer)), ["sent", "queued", "queued"], "with nothing to wait for it goes out");
        assert!(app.mails_to("expert2@example.jp").is_empty(), "who waits knows nothing");
        world.coordinator.verb(&format!("/offers/{first}"), "decline", &json!({"reason_code": "schedule", "note": "出張"})).ok(200);
        assert_eq!([first, second, third].map(|offer| status(&world, offer)), ["declined", "sent", "queued"]);
        assert_eq!(app.mails_to("expert2@example.jp").len(), 1);
        let told = app.mails_to("coordinator@pref.example.jp");
        assert!(told.last().unwrap().mail.text.contains("見本 2"), "the office hears who is asked now");
        // Nobody else is asked once one goes; at the decision the rest is taken back.
        flow::accept_offer(&world, second).ok(200);
        flow::decide(&world, request, second);
        assert_eq!(status(&world, third), "withdrawn");
        assert!(app.mails_to("expert3@example.jp").is_empty());
    }
}

on_both! {
    fn the_line_follows_the_applicants_order_of_preference(app) {
        let world = World::new(app);
        let experts = experts(&world, 4);
        let mut body = flow::request_body(&world);
        body["preferred_expert_ids"] = json!([experts[3], experts[2]]);
        let request = flow::id(&world.hamamatsu_staff.post("/requests", &body), 201);
        world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        world.coordinator.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
        // Put in line as it came to mind; asked as the town wishes, and those it did not name last.
        let offers: Vec<i64> = (0..4).map(|n| queued(&world, request, experts[n], &format!("2026-05-1{}", n + 1))).collect();
        for next in [3, 2, 1] {
            let asked = offers.iter().find(|offer| status(&world, **offer) == "sent").unwrap();
            world.coordinator.verb(&format!("/offers/{asked}"), "decline", &json!({"reason_code": "schedule"})).ok(200);
            assert_eq!(status(&world, offers[next]), "sent", "{next}");
        }
    }
}

on_both! {
    fn the_clock_ends_an_offer_and_asks_the_next(app) {
        let world = World::new(app);
        let (request, experts) = (flow::accepted(&world), experts(&world, 3));
        let first = queued(&world, request, experts[0], "2026-06-15");
        let begun = queued(&world, request, experts[1], "2026-04-13");
        let third = queued(&world, request, experts[2], "2026-06-16");
        let old_link = token(app, "expert1@example.jp");
        // 168 hours by the rules: sent on 6 April at 10:00.
        app.set_time("2026-04-13T09:59:59+09:00");
        assert_eq!(app.run_jobs().expired_offers, 0);
        app.set_time("2026-04-13T10:00:00+09:00");
        let late = world.coordinator.verb(&format!("/offers/{first}"), "accept", &json!({}));
        assert_eq!(late.problem(409), "invalid_transition", "too late even before the job has come by");
        assert_eq!(late.json()["state"], "expired");
        assert_eq!(app.run_jobs().expired_offers, 1);
        // The second could not go any more: its visit begins now. It is passed over.
        assert_eq!([first, begun, third].map(|offer| status(&world, offer)), ["expired", "withdrawn", "sent"]);
        assert_eq!(app.mails_to("expert3@example.jp").len(), 1);
        assert_eq!(app.run_jobs().expired_offers, 0);
        assert_eq!(answer(app, &old_link, &json!({"answer": "accept"})).problem(409), "invalid_transition");
        let shown = app.anonymous().get(&format!("/offer-links/{old_link}")).ok(200);
        assert_eq!((&shown["status"], &shown["allowed"], shown.get("offer")), (&json!("expired"), &json!([]), None));
        // An offer never outlives the beginning of its first visit.
        let near = queued(&world, flow::accepted(&world), experts[0], "2026-04-14");
        let expires = world.coordinator.get(&format!("/offers/{near}")).ok(200)["expires_at"].as_str().unwrap().to_owned();
        assert!(expires.starts_with("2026-04-14T01:00:00"), "{expires}");
    }
}

on_both! {
    fn opening_a_link_changes_nothing_and_it_answers_once(app) {
        let world = World::new(app);
        let (request, experts) = (flow::accepted(&world), experts(&world, 1));
        let offer = flow::offer(&world, request, experts[0], &[visit_on("2026-05-11")]);
        let path = format!("/offers/{offer}");
        let etag = world.coordinator.get(&path).etag();
        let token = token(app, "expert1@example.jp");
        let (anonymous, page) = (app.anonymous(), format!("/offers/answer?token={token}"));
        for _ in 0..3 {
            anonymous.call("HEAD", page.clone()).send();
            let shown = anonymous.call("GET", page.clone()).send();
            assert_eq!(shown.status, 200);
            assert_eq!(shown.header("cache-control"), Some("no-store"));
        }
        let shown = anonymous.get(&format!("/offer-links/{token}")).ok(200);
        assert_eq!((&shown["offer"]["applicant_name"], &shown["allowed"]), (&json!("浜松市"), &json!(["accept", "decline", "propose-dates"])));
        assert!(!shown.to_string().contains("staff@hamamatsu"), "no contact data before the acceptance");
        assert_eq!(world.coordinator.get(&path).etag(), etag);
        for wrong in [json!({"answer": "accept", "reason_code": "schedule"}), json!({"answer": "decline"}), json!({"answer": "propose_dates"})] {
            assert_eq!(answer(app, &token, &wrong).problem(422), "validation_failed");
        }
        assert_eq!(world.coordinator.get(&path).etag(), etag);
        answer(app, &token, &json!({"answer": "accept", "note": "よろしくお願いします"})).ok(200);
        let again = answer(app, &token, &json!({"answer": "decline", "reason_code": "schedule"}));
        assert_eq!(again.problem(409), "invalid_transition");
        let view = world.coordinator.get(&path).ok(200);
        assert_eq!((&view["status"], &view["answered_via"], &view["answer_note"]), (&json!("accepted"), &json!("link"), &json!("よろしくお願いします")));
        let unknown = "x".repeat(43);
        for token in [unknown.as_str(), "short", &token.to_uppercase()] {
            assert_eq!(anonymous.get(&format!("/offer-links/{token}")).problem(404), "not_found");
        }
        // The token itself stands nowhere: only its hash does.
        assert_eq!(number(app, &format!("SELECT COUNT(*) FROM offers WHERE token_hash = '{token}'")), 0);
    }
}

on_both! {
    fn a_link_used_many_times_at_once_answers_once(app) {
        let world = World::new(app);
        let (request, experts) = (flow::accepted(&world), experts(&world, 1));
        flow::offer(&world, request, experts[0], &[visit_on("2026-05-11")]);
        let token = token(app, "expert1@example.jp");
        let answers = race(16, |n| {
            let body = if n % 2 == 0 { json!({"answer": "accept"}) } else { json!({"answer": "decline", "reason_code": "schedule"}) };
            answer(app, &token, &body)
        });
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(answer.problem(409), "invalid_transition");
        }
        assert_eq!(number(app, "SELECT COUNT(*) FROM audit_events WHERE operation LIKE '%offer-links%'"), 1, "one effect, one event");
    }
}

on_both! {
    fn other_dates_are_proposed_taken_and_accepted(app) {
        let world = World::new(app);
        let (request, experts) = (flow::accepted(&world), experts(&world, 2));
        let offer = flow::offer(&world, request, experts[0], &[visit_on("2026-05-11")]);
        let waiting = queued(&world, request, experts[1], "2026-05-12");
        let first = token(app, "expert1@example.jp");
        let proposal = |visits: Value| json!({"answer": "propose_dates", "visits": visits, "note": "この日なら可能です"});
        let wrong = answer(app, &first, &proposal(json!([visit_on("2026-04-01"), {"day": "2026-05-20", "minutes": 60, "mode": "online"}])));
        assert_eq!(wrong.wrong(), ["/visits/0/day in_the_past", "/visits/1/start_minute required"]);
        answer(app, &first, &proposal(json!([visit_on("2026-05-20"), {"minutes": 60, "mode": "online"}]))).ok(200);
        let path = format!("/offers/{offer}");
        let view = world.coordinator.get(&path).ok(200);
        assert_eq!((&view["status"], &view["visits"][0]["day"], &view["proposed_visits"][0]["day"]),
            (&json!("dates_proposed"), &json!("2026-05-11"), &json!("2026-05-20")));
        assert_eq!(view["allowed"], json!(["take-dates", "decline", "withdraw"]));
        assert_eq!(status(&world, waiting), "queued", "the queue waits while somebody still talks");
        assert_eq!(flow::accept_offer(&world, offer).problem(409), "invalid_transition");
        world.coordinator.verb(&path, "take-dates", &json!({"message": "ではその日程でお願いします。"})).ok(200);
        // The first link is spent; the mail that asks again carries another.
        assert_eq!(answer(app, &first, &json!({"answer": "accept"})).problem(404), "not_found");
        let second = token(app, "expert1@example.jp");
        assert_ne!(first, second);
        let accepted = answer(app, &second, &json!({"answer": "accept"})).ok(200);
        assert_eq!((&accepted["status"], &accepted["offer"]["visits"][0]["day"]), (&json!("accepted"), &json!("2026-05-20")));
        let load = |day: &str| number(app, &format!("SELECT COALESCE(SUM(planned_minutes), 0) FROM visits WHERE load_day = '{day}'"));
        assert_eq!((load("2026-05-11"), load("2026-05-20"), load("2026-05-01")), (0, 240, 60), "the undated one loads the month");
    }
}

on_both! {
    fn experts_answer_for_themselves_only(app) {
        let world = World::new(app);
        let (request, experts) = (flow::accepted(&world), experts(&world, 2));
        let (own, other) = (account(app, &world, experts[0], "own@example.jp"), account(app, &world, experts[1], "other@example.jp"));
        let offer = format!("/offers/{}", flow::offer(&world, request, experts[0], &[visit_on("2026-05-11")]));
        let queued = queued(&world, request, experts[1], "2026-05-12");
        assert_eq!(other.get(&offer).problem(404), "not_found");
        assert_eq!(other.get(&format!("/offers/{queued}")).problem(404), "not_found", "not asked yet");
        assert_eq!(other.get(&format!("/requests/{request}")).problem(404), "not_found");
        let seen = own.get(&format!("/requests/{request}")).ok(200);
        assert_eq!((seen.get("contact_email"), seen.get("preferred_experts"), seen.get("budget_note")), (None, None, None));
        assert_eq!(own.get(&format!("/requests/{request}/messages")).problem(403), "forbidden");
        assert_eq!(own.verb(&offer, "withdraw", &json!({"reason": "x"})).problem(403), "forbidden");
        own.verb(&offer, "accept", &json!({})).ok(200);
        assert_eq!(own.get(&offer).ok(200)["answered_via"], "account");
        assert_eq!(own.get(&format!("/requests/{request}")).ok(200)["contact_email"], "staff@hamamatsu.example.jp");
        assert_eq!(own.get("/offers").ok(200)["items"].as_array().unwrap().len(), 1);
        assert_eq!(world.hamamatsu_staff.get(&offer).status, 404, "whom the office asks is not the applicant's to see");
    }
}

on_both! {
    fn an_offer_is_refused_for_what_it_asks(app) {
        let world = World::new(app);
        let (request, experts) = (flow::accepted(&world), experts(&world, 1));
        let post = |changes: Value| {
            let mut body = json!({"expert_id": experts[0], "visits": [visit_on("2026-05-11")]});
            body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            world.coordinator.post(&format!("/requests/{request}/offers"), &body)
        };
        assert_eq!(post(json!({"visits": []})).wrong(), ["/visits required"]);
        assert_eq!(post(json!({"visits": [{"minutes": -5, "mode": "online"}]})).wrong(), ["/visits/0/minutes out_of_range"]);
        assert_eq!(post(json!({"visits": [visit_on("2026-05-11"), visit_on("2026-05-11")]})).wrong(), ["/visits/1/start_minute overlaps"]);
        assert_eq!(post(json!({"visits": [visit_on("2027-04-01")]})).wrong(), ["/visits/0/day outside_fiscal_year"]);
        assert_eq!(post(json!({"valid_hours": 0})).wrong(), ["/valid_hours out_of_range"]);
        assert_eq!(post(json!({"expert_id": 999_999})).wrong(), ["/expert_id not_in_pool"]);
        post(json!({})).ok(201);
        assert_eq!(post(json!({})).problem(409), "duplicate");
        let draft = flow::submitted(&world);
        let early = world.coordinator.post(&format!("/requests/{draft}/offers"), &json!({"expert_id": experts[0], "visits": [visit_on("2026-05-12")]}));
        assert_eq!(early.problem(409), "invalid_transition");
        assert!(early.json()["allowed"].as_array().unwrap().contains(&json!("accept")), "{}", early.text());
    }
}

on_both! {
    fn leave_and_conflicts_of_interest_keep_an_expert_from_work(app) {
        let world = World::new(app);
        let expert = experts(&world, 1)[0];
        let path = format!("/experts/{expert}");
        world
            .coordinator
            .put_at(&path, "conflicts", &json!({"items": [{"organisation_id": world.hamamatsu, "reason": "基幹系システムの受託者", "valid_from": "2026-04-01"}]}))
            .ok(200);
        let request = flow::accepted(&world);
        let post = |changes: Value| {
            let mut body = json!({"expert_id": expert, "visits": [visit_on("2026-05-11")]});
            body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            world.coordinator.post(&format!("/requests/{request}/offers"), &body)
        };
        let refused = post(json!({}));
        assert_eq!((refused.problem(422).as_str(), refused.wrong()), ("rule_refused", vec!["/expert_id conflict_of_interest".to_owned()]));
        let offer = flow::id(&post(json!({"conflict_override_reason": "ほかに対応できる専門家がいないため"})), 201);
        let events = world.auditor.get("/audit-events?limit=200").ok(200);
        assert!(events["items"].as_array().unwrap().iter().any(|event| event["reason"] == "ほかに対応できる専門家がいないため"), "{events:#}");
        // Leave that begins after the offer went out stops its acceptance.
        let leave = json!({"weekly": [], "exceptions": [{"kind": "leave", "first_day": "2026-05-10", "last_day": "2026-05-20"}]});
        world.coordinator.put_at(&path, "availability", &leave).ok(200);
        let accepted = flow::accept_offer(&world, offer);
        assert_eq!((accepted.problem(409).as_str(), accepted.wrong()), ("expert_unavailable", vec!["/visits/0 on_leave".to_owned()]));
    }
}
