//! Webhooks: each event once to every endpoint that wants it, signed, tried for three days, and nowhere it must not go.

use chrono::Duration;
use serde_json::{Value, json};
use tasuki::webhooks::schedule::{MOST_ATTEMPTS, wait_after};

use crate::on_both;
use crate::support::client::Client;
use crate::support::flow;
use crate::support::receiver::{Receiver, Request, answer};
use crate::support::world::World;

fn taken() -> crate::support::receiver::Reply {
    answer(204, "")
}

/// An endpoint at a receiver; its path and secret.
fn endpoint(client: &Client, receiver: &Receiver, events: &[&str]) -> (String, String) {
    let view = client
        .post("/webhooks", &json!({"url": receiver.url("http", "127.0.0.1"), "description": "予定表", "events": events}))
        .ok(201);
    (format!("/webhooks/{}", view["endpoint"]["id"]), view["secret"].as_str().unwrap().to_owned())
}

fn submit(world: &World) -> i64 {
    let request = flow::draft(world);
    world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
    request
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn deliveries(client: &Client, path: &str) -> Vec<Value> {
    client.get(&format!("{path}/deliveries")).ok(200)["items"].as_array().unwrap().clone()
}

on_both! {
    fn an_event_goes_signed_and_thin_to_those_who_want_it(app) {
        let world = World::new(app);
        let receiver = Receiver::start("127.0.0.1", false, vec![taken(), taken()]);
        let (path, secret) = endpoint(&world.coordinator, &receiver, &["request.submitted"]);
        assert!(secret.starts_with("whsec_"));
        assert!(!world.coordinator.get(&path).ok(200).to_string().contains("whsec_"), "shown once");
        let request = submit(&world);
        world.coordinator.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
        app.run_jobs();
        let came = receiver.inbox.try_recv().unwrap();
        assert_eq!(body(&came)["type"], "request.submitted");
        assert_eq!((&body(&came)["data"]["entity_kind"], &body(&came)["data"]["entity_id"]), (&json!("request"), &json!(request)));
        assert!(!String::from_utf8_lossy(&came.body).contains("浜松"), "nothing personal, no text");
        assert!(came.header("webhook-signature").unwrap().starts_with("v1,"));
        assert!(receiver.inbox.try_recv().is_err(), "what is not wanted is not sent");
        let delivery = &deliveries(&world.coordinator, &path)[0];
        assert_eq!((&delivery["status"], &delivery["attempts"], &delivery["last_status"]), (&json!("delivered"), &json!(1), &json!(204)));
        assert_eq!(delivery["message_id"], came.header("webhook-id").unwrap());
        // The bodies concerned hear of it too, by their own endpoints; strangers see nothing.
        assert_eq!(world.stranger.get(&path).problem(404), "not_found");
        let detail = world.coordinator.get(&format!("/webhook-deliveries/{}", delivery["id"])).ok(200);
        assert_eq!(detail["attempts"].as_array().unwrap().len(), 1);
        assert_eq!(world.stranger.get(&format!("/webhook-deliveries/{}", delivery["id"])).problem(404), "not_found");
    }
}

on_both! {
    fn the_applicant_has_endpoints_of_its_own_and_others_hear_nothing(app) {
        let world = World::new(app);
        let hamamatsu = Receiver::start("127.0.0.1", false, vec![taken(), taken()]);
        let kosai = Receiver::start("127.0.0.1", false, vec![taken()]);
        endpoint(&world.hamamatsu_staff, &hamamatsu, &[]);
        endpoint(&world.kosai_staff, &kosai, &[]);
        submit(&world);
        app.run_jobs();
        assert_eq!(body(&hamamatsu.inbox.try_recv().unwrap())["type"], "request.submitted");
        assert!(kosai.inbox.try_recv().is_err());
    }
}

on_both! {
    fn a_failing_receiver_is_tried_by_the_schedule_and_then_left(app) {
        let world = World::new(app);
        let mut replies = vec![answer(500, ""), answer(302, "Location: http://127.0.0.1/elsewhere\r\n")];
        replies.extend((2..MOST_ATTEMPTS).map(|_| answer(404, "")));
        let receiver = Receiver::start("127.0.0.1", false, replies);
        let (path, _) = endpoint(&world.coordinator, &receiver, &["request.submitted"]);
        submit(&world);
        let id = deliveries(&world.coordinator, &path)[0]["id"].as_i64().unwrap();
        let mut ids = Vec::new();
        for attempt in 1..=MOST_ATTEMPTS {
            app.run_jobs();
            ids.push(receiver.inbox.try_recv().unwrap().header("webhook-id").unwrap().to_owned());
            app.run_jobs();
            assert!(receiver.inbox.try_recv().is_err(), "not before its time (attempt {attempt})");
            if let Some(wait) = wait_after(attempt, id.unsigned_abs()) {
                app.advance(wait - Duration::seconds(1));
                app.run_jobs();
                assert!(receiver.inbox.try_recv().is_err(), "a second too early (attempt {attempt})");
                app.advance(Duration::seconds(1));
            }
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "the same message every time");
        let delivery = &deliveries(&world.coordinator, &path)[0];
        assert_eq!((&delivery["status"], &delivery["last_status"]), (&json!("failed"), &json!(404)));
        assert!(world.coordinator.get(&path).ok(200)["failing_since"].is_string());
    }
}

on_both! {
    fn who_answers_gone_is_told_no_more_and_its_people_hear_of_it(app) {
        let world = World::new(app);
        let receiver = Receiver::start("127.0.0.1", false, vec![answer(410, ""), taken()]);
        let (path, _) = endpoint(&world.coordinator, &receiver, &["request.submitted"]);
        submit(&world);
        app.run_jobs();
        receiver.inbox.try_recv().unwrap();
        let view = world.coordinator.get(&path).ok(200);
        assert_eq!((&view["status"], &view["disabled_reason"]), (&json!("disabled"), &json!("gone")));
        let told = app.mails_to("coordinator@pref.example.jp");
        assert!(told.iter().any(|sent| sent.mail.text.contains("410")), "{:?}", told.last().map(|sent| &sent.mail.text));
        submit(&world);
        app.run_jobs();
        assert!(receiver.inbox.try_recv().is_err());
        assert_eq!(world.coordinator.post(&format!("{path}/test"), &json!({})).problem(409), "invalid_transition");
        // Switched on again, what was given up is sent again.
        world.coordinator.verb(&path, "enable", &json!({})).ok(200);
        let id = deliveries(&world.coordinator, &path)[0]["id"].as_i64().unwrap();
        let again = world.coordinator.post(&format!("/webhook-deliveries/{id}/replay"), &json!({})).ok(200);
        assert_eq!(again["status"], "queued");
        app.run_jobs();
        let came = receiver.inbox.try_recv().unwrap();
        assert_eq!(came.header("webhook-id").unwrap(), again["message_id"]);
    }
}

on_both! {
    fn two_secrets_sign_while_they_are_exchanged(app) {
        let world = World::new(app);
        let receiver = Receiver::start("127.0.0.1", false, vec![taken(), taken(), taken()]);
        let (path, before) = endpoint(&world.coordinator, &receiver, &[]);
        let signatures = || {
            world.coordinator.post(&format!("{path}/test"), &json!({})).ok(200);
            app.run_jobs();
            let came = receiver.inbox.try_recv().unwrap();
            assert_eq!(body(&came)["type"], "webhook.test");
            came.header("webhook-signature").unwrap().split(' ').count()
        };
        assert_eq!(signatures(), 1);
        let rotated = world.coordinator.verb(&path, "rotate-secret", &json!({})).ok(200);
        assert_ne!(rotated["secret"].as_str().unwrap(), before);
        assert_eq!(signatures(), 2);
        app.advance(Duration::hours(24));
        assert_eq!(signatures(), 1, "after a day the one before signs no more");
    }
}

on_both! {
    fn addresses_that_must_not_be_called_are_refused_when_typed(app) {
        let world = World::new(app);
        for (url, code) in [
            ("https://10.0.0.1/hook", "url_address_refused"),
            ("https://169.254.169.254/latest/meta-data", "url_address_refused"),
            ("https://[::1]/hook", "url_address_refused"),
            ("https://user:pw@hooks.example.jp/", "url_user_info"),
            ("https://hooks.example.jp/#x", "url_fragment"),
            ("ftp://hooks.example.jp:8443/", "url_malformed"),
            ("hooks", "url_malformed"),
        ] {
            let refused = world.coordinator.post("/webhooks", &json!({"url": url}));
            assert_eq!(refused.problem(422), "validation_failed", "{url}");
            let codes: Vec<Value> = refused.json()["errors"].as_array().unwrap().iter().map(|error| error["code"].clone()).collect();
            assert!(codes.contains(&json!(code)), "{url}: {codes:?}");
        }
        let personal = world.coordinator.post("/webhooks", &json!({"url": "https://hooks.example.jp:8443/", "events": ["account.invited"]}));
        assert_eq!(personal.json()["errors"][0]["code"], "not_published");
        assert_eq!(world.coordinator.get("/webhooks").ok(200)["items"], json!([]));
    }
}

on_both! {
    fn an_endpoint_can_be_changed_and_taken_away(app) {
        let world = World::new(app);
        let receiver = Receiver::start("127.0.0.1", false, vec![taken()]);
        let (path, _) = endpoint(&world.coordinator, &receiver, &[]);
        let changed = world.coordinator.patch(&path, &json!({"events": ["offer.sent"], "description": "打診だけ"})).ok(200);
        assert_eq!((&changed["events"], &changed["description"]), (&json!(["offer.sent"]), &json!("打診だけ")));
        submit(&world);
        app.run_jobs();
        assert!(receiver.inbox.try_recv().is_err());
        let etag = world.coordinator.get(&path).etag();
        let stale = world.coordinator.call("DELETE", format!("/api/v1{path}")).header("If-Match", "\"1\"").send();
        assert_eq!(stale.problem(412), "stale_version");
        world.coordinator.call("DELETE", format!("/api/v1{path}")).header("If-Match", &etag).send().ok(200);
        assert_eq!(world.coordinator.get(&path).problem(404), "not_found");
    }
}
