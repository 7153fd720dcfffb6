//! Programs with a key: what their scopes open, and when the key stops.

use chrono::Duration;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::client::Answer;
use crate::support::flow;
use crate::support::world::World;

fn client_body(acts_as: &str, scopes: &[&str]) -> Value {
    json!({"name": "庁内データ連携", "acts_as": acts_as, "scopes": scopes, "expires_at": "2026-12-31T15:00:00Z"})
}

/// The client's id and key.
fn created(answer: &Answer) -> (i64, String) {
    let view = answer.ok(201);
    (view["client"]["id"].as_i64().unwrap(), view["key"].as_str().unwrap().to_owned())
}

on_both! {
    fn a_key_opens_what_its_scopes_and_its_role_both_allow(app) {
        let world = World::new(app);
        let request = flow::submitted(&world);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let keyed = |acts_as: &str, scopes: &[&str]| {
            app.with_token(&created(&world.coordinator.post("/api-clients", &client_body(acts_as, scopes))).1)
        };
        let reader = keyed("prefectural_coordinator", &["requests:read"]);
        let writer = keyed("prefectural_coordinator", &["pools:write", "experts:write"]);
        let auditor = keyed("auditor", &["requests:read", "statistics:read", "audit:read", "experts:read", "account:read"]);
        let statistics = format!("/statistics/dispatches?programme_id={}&from_fiscal_year=2026&to_fiscal_year=2026", world.programme);
        // (path, reader, writer, auditor)
        for (path, expected) in [
            ("/requests", [200, 403, 200]),
            (&format!("/requests/{request}"), [200, 403, 200]),
            ("/experts", [403, 403, 200]),
            (&format!("/experts/{expert}"), [403, 403, 200]),
            (statistics.as_str(), [403, 403, 200]),
            ("/audit-events", [403, 403, 200]),
            ("/auth/me", [403, 403, 200]),
            ("/auth/sessions", [403, 403, 403]),
            ("/users", [403, 403, 403]),
            ("/api-clients", [403, 403, 403]),
            ("/notifications", [403, 403, 403]),
        ] {
            let found = [&reader, &writer, &auditor].map(|client| client.get(path).status);
            assert_eq!(found, expected, "{path}");
        }
        let pool = json!({"name": "連携のプール", "expert_title": "専門家"});
        assert_eq!([&reader, &writer, &auditor].map(|client| client.post("/pools", &pool).status), [403, 201, 403]);
        assert_eq!(reader.post(&format!("/requests/{request}/messages"), &json!({"body": "x"})).problem(403), "forbidden");
        // Nobody gets a key to people, keys or sessions.
        assert_eq!(writer.post("/api-clients", &client_body("auditor", &["requests:read"])).problem(403), "forbidden");
        assert_eq!(auditor.post("/auth/logout", &json!({})).problem(403), "forbidden");
        assert_eq!(auditor.get("/auth/me").ok(200)["role"], "api_client");
        // What a program did is told as done by the program.
        let events = world.auditor.get("/audit-events?entity_kind=pool").ok(200);
        assert_eq!(events["items"][0]["actor_kind"], "api_client");
        assert!(events["items"][0]["actor_api_client_id"].is_i64());
    }
}

on_both! {
    fn a_key_stops_when_it_expires_is_replaced_or_is_revoked(app) {
        let world = World::new(app);
        let (id, first) = created(&world.coordinator.post("/api-clients", &client_body("auditor", &["requests:read"])));
        let path = format!("/api-clients/{id}");
        let opens = |key: &str| app.with_token(key).get("/requests").status;
        assert_eq!(opens(&first), 200);
        let (head, secret) = first.rsplit_once('_').unwrap();
        let another = if secret.starts_with('0') { "1" } else { "0" };
        assert_eq!(opens(&format!("{head}_{another}{}", &secret[1..])), 401);
        assert_eq!(opens(&format!("{first}x")), 401);
        let rotated = world.coordinator.verb(&path, "rotate", &json!({})).ok(200);
        let second = rotated["key"].as_str().unwrap().to_owned();
        assert_eq!((opens(&first), opens(&second)), (401, 200));
        app.set_time("2026-12-31T23:59:59+09:00");
        assert_eq!(opens(&second), 200);
        app.set_time("2027-01-01T00:00:00+09:00");
        assert_eq!(app.with_token(&second).get("/requests").problem(401), "unauthenticated");
        assert_eq!(world.coordinator.get(&path).ok(200)["status"], "expired");
        let rotated = world.coordinator.verb(&path, "rotate", &json!({"expires_at": "2027-06-30T15:00:00Z"})).ok(200);
        let third = rotated["key"].as_str().unwrap().to_owned();
        assert_eq!((opens(&second), opens(&third)), (401, 200));
        world.coordinator.verb(&path, "revoke", &json!({})).ok(200);
        assert_eq!(opens(&third), 401);
        assert_eq!(world.coordinator.verb(&path, "rotate", &json!({})).problem(409), "invalid_transition");
        assert_eq!(world.coordinator.verb(&path, "revoke", &json!({})).problem(409), "invalid_transition");
    }
}

on_both! {
    fn a_key_is_shown_once(app) {
        let world = World::new(app);
        let body = client_body("auditor", &["requests:read"]);
        let create = || world.coordinator.call("POST", "/api/v1/api-clients").json(&body).header("Idempotency-Key", "once").send();
        let (id, key) = created(&create());
        let secret = key.rsplit_once('_').unwrap().1;
        assert_eq!(create().problem(409), "secret_not_repeated");
        let path = format!("/api-clients/{id}");
        let etag = world.coordinator.get(&path).etag();
        let rotate = || {
            world.coordinator.call("POST", format!("/api/v1{path}/rotate")).json(&json!({}))
                .header("If-Match", &etag).header("Idempotency-Key", "twice").send()
        };
        let second = rotate().ok(200)["key"].as_str().unwrap().to_owned();
        assert_eq!(rotate().problem(409), "secret_not_repeated");
        assert_eq!(app.with_token(&second).get("/requests").status, 200, "the repeat changed nothing");
        let list = world.coordinator.get("/api-clients").ok(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        let shown = format!("{}{}{list}", world.coordinator.get(&path).text(), world.admin.get("/audit-events?limit=200").text());
        assert!(!shown.contains(secret) && !shown.contains(second.rsplit_once('_').unwrap().1));
    }
}

on_both! {
    fn keys_are_given_within_bounds(app) {
        let world = World::new(app);
        let wrong = |change: &dyn Fn(&mut Value)| {
            let mut body = client_body("auditor", &["requests:read"]);
            change(&mut body);
            let answer = world.coordinator.post("/api-clients", &body);
            assert_eq!(answer.problem(422), "validation_failed");
            answer.wrong()
        };
        assert_eq!(wrong(&|body| body["expires_at"] = json!("2026-04-06T01:00:00Z")), ["/expires_at out_of_range"]);
        assert_eq!(wrong(&|body| body["expires_at"] = json!("2027-04-08T01:00:00Z")), ["/expires_at out_of_range"]);
        assert_eq!(wrong(&|body| body["scopes"] = json!([])), ["/scopes required"]);
        assert_eq!(
            wrong(&|body| body["scopes"] = json!(["requests:read", "requests:read", "users:fly", "requests:write"])),
            ["/scopes/1 duplicate", "/scopes/2 unknown_value", "/scopes/3 not_for_role"]
        );
        for role in ["system_admin", "expert", "api_client", "municipal_approver"] {
            assert!(wrong(&|body| body["acts_as"] = json!(role)).contains(&"/acts_as role_not_for_kind".to_owned()), "{role}");
        }
        assert_eq!(wrong(&|body| body["organisation_id"] = json!(world.stranger_prefecture)), ["/organisation_id not_yours"]);
        assert_eq!(
            wrong(&|body| {
                body["organisation_id"] = json!(world.hamamatsu);
                body["acts_as"] = json!("prefectural_coordinator");
            }),
            ["/acts_as role_not_for_kind"]
        );
        // Another prefecture's keys are not there.
        let (id, _) = created(&world.stranger.post("/api-clients", &client_body("auditor", &["requests:read"])));
        assert_eq!(world.coordinator.get(&format!("/api-clients/{id}")).problem(404), "not_found");
        let blind = world.coordinator.call("POST", format!("/api/v1/api-clients/{id}/revoke")).json(&json!({})).header("If-Match", "\"1\"").send();
        assert_eq!(blind.problem(404), "not_found");
        assert_eq!(world.coordinator.get("/api-clients").ok(200)["items"], json!([]));
        // A key for a town reads what the town reads.
        let mut town = client_body("municipal_staff", &["requests:read"]);
        town["organisation_id"] = json!(world.hamamatsu);
        let (_, key) = created(&world.coordinator.post("/api-clients", &town));
        let request = flow::draft(&world);
        assert_eq!(app.with_token(&key).get(&format!("/requests/{request}")).status, 200);
        app.advance(Duration::days(1));
        town["organisation_id"] = json!(world.kosai);
        let (_, key) = created(&world.coordinator.post("/api-clients", &town));
        assert_eq!(app.with_token(&key).get(&format!("/requests/{request}")).problem(404), "not_found");
    }
}
