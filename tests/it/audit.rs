//! Every write leaves one event; the events cannot be changed, and whoever changes them all the same is found out.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use serde_json::{Value, json};
use tasuki::audit::seal::{self, Verification};
use tasuki::db::dialect;
use tasuki::db::schema::{audit_events, audit_seals};
use tasuki::error::Error;

use crate::on_both;
use crate::support::client::{Answer, Client};
use crate::support::flow::{self, id, link_in_newest_mail};
use crate::support::server::TestApp;
use crate::support::world::{PASSWORD, World};

fn events(app: &TestApp) -> i64 {
    app.app.db.read_blocking(|conn| Ok(audit_events::table.count().get_result(conn)?)).unwrap()
}

/// Does something that must answer with `status` and leave exactly `expected` events.
#[track_caller]
fn leaving(app: &TestApp, expected: i64, status: u16, act: impl FnOnce() -> Answer) -> Answer {
    let before = events(app);
    let answer = act();
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(events(app) - before, expected, "{}", answer.text());
    answer
}

fn verb(client: &Client, path: &str, verb: &str, body: &Value) -> Answer {
    client.verb(path, verb, body)
}

on_both! {
    fn every_write_leaves_one_event(app) {
        let world = World::new(app);
        let (coordinator, staff) = (&world.coordinator, &world.hamamatsu_staff);
        let one = |status: u16, act: &dyn Fn() -> Answer| leaving(app, 1, status, act);
        let email = "staff@hamamatsu.example.jp";
        let anonymous = app.anonymous();

        // Sign-in and the own account.
        let tokens = one(200, &|| anonymous.post("/auth/token", &json!({"email": email, "password": PASSWORD}))).json();
        one(401, &|| anonymous.post("/auth/token", &json!({"email": email, "password": "ちがう合い言葉をいれてみます。"})));
        let renewed = one(200, &|| anonymous.post("/auth/refresh", &json!({"refresh_token": tokens["refresh_token"]}))).json();
        let session = app.with_token(renewed["access_token"].as_str().unwrap());
        let membership = session.get("/auth/me").json()["membership_id"].clone();
        one(200, &|| session.post("/auth/switch", &json!({"membership_id": membership})));
        one(200, &|| session.post("/auth/logout", &json!({})));
        let form = form_urlencoded::Serializer::new(String::new()).append_pair("email", email).append_pair("password", PASSWORD).finish();
        one(303, &|| anonymous.call("POST", "/sign-in").bytes("application/x-www-form-urlencoded", form.clone()).send());

        // Bodies, people, keys.
        one(201, &|| coordinator.post("/organisations", &json!({"kind": "npo", "name": "見本のNPO"})));
        let user = json!({"email": "new@example.jp", "name": "新人", "memberships": [{"organisation_id": world.hamamatsu, "role": "municipal_staff", "valid_from": "2026-04-01"}]});
        one(201, &|| coordinator.post("/users", &user));
        let token = link_in_newest_mail(app, "new@example.jp").split_once("token=").unwrap().1.to_owned();
        one(200, &|| anonymous.post("/auth/invitation/accept", &json!({"token": token, "password": PASSWORD})));
        one(202, &|| anonymous.post("/auth/password-reset", &json!({"email": "new@example.jp"})));
        let token = link_in_newest_mail(app, "new@example.jp").split_once("token=").unwrap().1.to_owned();
        one(200, &|| anonymous.post("/auth/password-reset/confirm", &json!({"token": token, "new_password": PASSWORD})));
        let key = json!({"name": "連携", "acts_as": "auditor", "scopes": ["requests:read"], "expires_at": "2026-12-31T15:00:00Z"});
        let client = one(201, &|| coordinator.post("/api-clients", &key)).json()["client"]["id"].as_i64().unwrap();
        one(200, &|| verb(coordinator, &format!("/api-clients/{client}"), "revoke", &json!({})));

        // Pools and experts.
        one(200, &|| coordinator.patch(&format!("/pools/{}", world.pool), &json!({"name": "ICTエキスパート派遣"})));
        let expert = id(&one(201, &|| coordinator.post("/experts", &flow::expert_body(world.pool, "見本 太郎", "expert@example.jp"))), 201);

        // The whole way of a request.
        let request = id(&one(201, &|| staff.post("/requests", &flow::request_body(&world))), 201);
        let path = format!("/requests/{request}");
        one(200, &|| staff.patch(&path, &json!({"theme": "窓口業務の見直しと電子申請"})));
        one(200, &|| verb(staff, &path, "submit", &json!({})));
        one(200, &|| verb(coordinator, &path, "accept", &json!({})));
        one(200, &|| coordinator.post(&format!("{path}/messages"), &json!({"body": "日程を調整します。"})));
        let offer = json!({"expert_id": expert, "visits": [flow::visit_on("2026-05-11")], "message": "ご検討をお願いします。"});
        one(201, &|| coordinator.post(&format!("{path}/offers"), &offer));
        let link = link_in_newest_mail(app, "expert@example.jp").split_once("token=").unwrap().1.to_owned();
        leaving(app, 0, 200, || anonymous.call("GET", format!("/offers/answer?token={link}")).send());
        let answer = format!("token={link}&answer=accept&note=");
        one(200, &|| anonymous.call("POST", "/offers/answer").bytes("application/x-www-form-urlencoded", answer.clone()).send());
        let offers = coordinator.get(&format!("{path}/offers")).ok(200);
        let decision = json!({"offer_ids": [offers["items"][0]["id"]]});
        let dispatch = id(&one(201, &|| verb(coordinator, &path, "decide", &decision)), 201);
        app.set_time("2026-05-12T09:00:00+09:00");
        let visit = flow::visits_of(coordinator, dispatch)[0];
        one(200, &|| flow::record(staff, visit, 240));
        let report = json!({"content": "内容", "result": "成果", "next_step": "次", "outcomes": []});
        one(200, &|| staff.put(&format!("/dispatches/{dispatch}/report"), &report));

        // Files.
        let file = json!({"kind": "experts", "pool_id": world.pool, "file_name": "experts.csv", "content_base64": "5rCP5ZCNCg=="});
        let import = id(&one(201, &|| coordinator.post("/imports", &file)), 201);
        one(200, &|| verb(coordinator, &format!("/imports/{import}"), "discard", &json!({})));

        // What is refused, replayed or only read leaves nothing.
        leaving(app, 0, 401, || anonymous.post("/auth/token", &json!({"email": "nobody@example.jp", "password": PASSWORD})));
        leaving(app, 0, 202, || anonymous.post("/auth/password-reset", &json!({"email": "nobody@example.jp"})));
        leaving(app, 0, 403, || staff.post("/pools", &json!({"name": "x", "expert_title": "x"})));
        leaving(app, 0, 404, || world.stranger.post(&format!("{path}/messages"), &json!({"body": "x"})));
        leaving(app, 0, 422, || coordinator.post("/experts", &flow::expert_body(world.pool, "", "expert")));
        leaving(app, 0, 409, || coordinator.verb(&path, "accept", &json!({})));
        let pool = json!({"name": "もう一つのプール", "expert_title": "専門家"});
        let create = || coordinator.call("POST", "/api/v1/pools").json(&pool).header("Idempotency-Key", "audit-1").send();
        leaving(app, 1, 201, create);
        leaving(app, 0, 201, create);
        leaving(app, 0, 200, || coordinator.get("/requests"));

        whole_events(app, &world, request);
    }
}

/// Each event tells who, for whom, and what, and no address or number of a person.
fn whole_events(app: &TestApp, world: &World, request: i64) {
    let list = world.auditor.get(&format!("/audit-events?entity_kind=request&entity_id={request}&limit=200")).ok(200);
    let items = list["items"].as_array().unwrap();
    let operations: Vec<&str> = items.iter().map(|event| event["operation"].as_str().unwrap()).collect();
    for expected in ["POST /requests", "PATCH /requests/{id}", "POST /requests/{id}/submit", "POST /requests/{id}/accept"] {
        assert!(operations.contains(&expected), "{operations:?}");
    }
    let submit = items.iter().find(|event| event["operation"] == "POST /requests/{id}/submit").unwrap();
    assert_eq!(
        (&submit["actor_kind"], &submit["actor_name"], &submit["organisation_id"]),
        (&json!("user"), &json!("浜松 太郎"), &json!(world.hamamatsu))
    );
    assert_eq!(submit["owner_organisation_id"], world.prefecture, "the pool owner's auditors see it");
    assert!(submit["old_value"] != submit["new_value"] && submit["membership_id"].is_i64());
    let invited = world.auditor.get("/audit-events?entity_kind=user&limit=200").ok(200);
    let invited = invited["items"].as_array().unwrap();
    assert!(
        invited.iter().any(|event| event["filed_for_organisation_id"] == world.hamamatsu),
        "done for the town by the prefecture"
    );
    let texts: Vec<(Option<String>, Option<String>)> = app
        .app
        .db
        .read_blocking(|conn| Ok(audit_events::table.select((audit_events::old_value, audit_events::new_value)).load(conn)?))
        .unwrap();
    for text in texts.into_iter().flat_map(|(old, new)| [old, new]).flatten() {
        assert!(!text.contains('@') && !text.contains("argon2"), "{text}");
    }
    let unmarked: i64 = app
        .app
        .db
        .read_blocking(|conn| Ok(audit_events::table.filter(audit_events::request_id.eq("")).count().get_result(conn)?))
        .unwrap();
    assert_eq!(unmarked, 0);
    // Other organisations' auditors see their own only.
    let foreign = world.stranger.get("/audit-events?limit=200").ok(200);
    assert!(
        foreign["items"].as_array().unwrap().iter().all(|event| event["organisation_id"] == world.stranger_prefecture),
        "{foreign:#}"
    );
}

on_both! {
    fn the_database_itself_refuses_to_change_events(app) {
        World::new(app);
        app.run_jobs();
        for sql in [
            "UPDATE audit_events SET reason = 'x'", "DELETE FROM audit_events", "UPDATE audit_seals SET hash = previous_hash",
            "DELETE FROM audit_seals", "DELETE FROM audit_events WHERE id = (SELECT MAX(id) FROM audit_events)", "TRUNCATE audit_events", "TRUNCATE audit_seals",
        ] {
            let outcome = app.app.db.write_blocking(|conn| Ok(conn.batch_execute(sql)?));
            assert!(outcome.is_err(), "{sql}");
        }
        let found = app.app.db.read_blocking(|conn| seal::verify(conn, None)).unwrap();
        assert!(found.findings.is_empty() && found.verified > 0 && found.unsealed == 0);
    }
}

/// What verification says after somebody with all rights has run these statements; then they are undone.
fn tampered(app: &TestApp, head: Option<&str>, statements: &[&str]) -> Verification {
    let mut found = None;
    let undone = app.app.db.write_blocking(|conn| {
        let triggers: &[&str] = if dialect::name(conn) == "sqlite" {
            &[
                "DROP TRIGGER audit_events_append_only_update",
                "DROP TRIGGER audit_events_append_only_delete",
                "DROP TRIGGER audit_seals_append_only_update",
                "DROP TRIGGER audit_seals_append_only_delete",
            ]
        } else {
            &["DROP TRIGGER audit_events_append_only ON audit_events", "DROP TRIGGER audit_seals_append_only ON audit_seals"]
        };
        for sql in triggers.iter().chain(statements) {
            if *sql == "SEAL AGAIN" {
                while seal::seal(conn)? > 0 {}
            } else {
                conn.batch_execute(sql)?;
            }
        }
        found = Some(seal::verify(conn, head)?);
        Err::<(), _>(Error::internal("undo"))
    });
    assert_eq!(undone.unwrap_err().source.as_deref(), Some("undo"));
    found.unwrap()
}

fn kinds(found: &Verification) -> Vec<(i64, &'static str)> {
    found.findings.iter().map(|finding| (finding.sequence, finding.kind)).collect()
}

on_both! {
    fn whoever_tampers_with_the_chain_is_found_out(app) {
        World::new(app);
        app.run_jobs();
        let clean = app.app.db.read_blocking(|conn| seal::verify(conn, None)).unwrap();
        let last = clean.verified;
        assert!(clean.findings.is_empty() && last >= 6, "{clean:?}");
        let head = clean.head.as_deref();
        assert!(app.app.db.read_blocking(|conn| seal::verify(conn, head)).unwrap().findings.is_empty());
        let first_event: i64 = app.app.db.read_blocking(|conn| Ok(audit_seals::table.find(3_i64).select(audit_seals::event_id).first(conn)?)).unwrap();
        let of = |sql: &str| sql.replace("{event}", &first_event.to_string()).replace("{last}", &last.to_string());

        // Any column of an event.
        for set in [
            "reason = 'x'", "operation = 'GET /x'", "actor_user_id = 999", "entity_id = 999", "new_value = NULL", "old_value = '{}'",
            "organisation_id = 999", "filed_for_organisation_id = 999", "owner_organisation_id = 999", "request_id = 'x'", "membership_id = 999",
            "occurred_at = '2020-01-01 00:00:00'", "entity_kind = 'x'", "actor_kind = 'system'", "actor_api_client_id = 1",
        ] {
            let found = tampered(app, None, &[&of(&format!("UPDATE audit_events SET {set} WHERE id = {{event}}"))]);
            assert_eq!(kinds(&found), [(3, "changed")], "{set}");
            assert_eq!(found.verified, last - 1);
        }
        let cases: [(&str, Vec<&str>, Vec<(i64, &str)>); 7] = [
            ("deleted event", vec!["DELETE FROM audit_events WHERE id = {event}"], vec![(3, "deleted")]),
            ("deleted seal", vec!["DELETE FROM audit_seals WHERE sequence = 3"], vec![(4, "cut")]),
            ("deleted seal and event", vec!["DELETE FROM audit_seals WHERE sequence = 3", "DELETE FROM audit_events WHERE id = {event}"], vec![(4, "cut")]),
            ("deleted beginning", vec!["DELETE FROM audit_seals WHERE sequence <= 2"], vec![(3, "cut")]),
            ("swapped hashes", vec![
                "UPDATE audit_seals SET hash = (SELECT hash FROM audit_seals s WHERE s.sequence = 4) || '' WHERE sequence = 3",
            ], vec![(3, "changed"), (4, "reordered")]),
            ("swapped events", vec![
                "UPDATE audit_seals SET event_id = -event_id WHERE sequence IN (3, 4)",
                "UPDATE audit_seals SET event_id = (SELECT -event_id FROM audit_seals s WHERE s.sequence = 7 - audit_seals.sequence) WHERE sequence = 3",
                "UPDATE audit_seals SET event_id = {event} WHERE sequence = 4",
            ], vec![(3, "changed"), (4, "changed")]),
            ("renumbered", vec!["UPDATE audit_seals SET sequence = sequence + 1000 WHERE sequence > 3"], (4..=last).map(|n| (n, "")).collect()),
        ];
        for (name, statements, expected) in cases {
            let statements: Vec<String> = statements.iter().map(|sql| of(sql)).collect();
            let found = tampered(app, None, &statements.iter().map(String::as_str).collect::<Vec<_>>());
            if name == "renumbered" {
                assert_eq!(kinds(&found)[0], (1004, "cut"));
                assert_eq!(found.findings.len(), expected.len() + 1, "{:?}", found.findings);
            } else {
                assert_eq!(kinds(&found), expected, "{name}");
            }
        }
        // A tail cut off cleanly, and a chain forged anew from the changed event on: the head noted elsewhere finds them.
        let cut = [
            of("DELETE FROM audit_events WHERE id = (SELECT event_id FROM audit_seals WHERE sequence = {last})"),
            of("DELETE FROM audit_seals WHERE sequence = {last}"),
        ];
        let cut: Vec<&str> = cut.iter().map(String::as_str).collect();
        assert!(tampered(app, None, &cut).findings.is_empty(), "nothing in the database tells");
        assert_eq!(kinds(&tampered(app, head, &cut)), [(last, "cut")]);
        let forged = [of("UPDATE audit_events SET reason = 'x' WHERE id = {event}"), "DELETE FROM audit_seals WHERE sequence >= 3".to_owned(), "SEAL AGAIN".to_owned()];
        let forged: Vec<&str> = forged.iter().map(String::as_str).collect();
        assert!(tampered(app, None, &forged).findings.is_empty());
        assert_eq!(kinds(&tampered(app, head, &forged)), [(last + 1, "cut")]);
        assert_eq!(kinds(&tampered(app, head, &["DELETE FROM audit_seals", "DELETE FROM audit_events"])), [(1, "cut")]);
    }
}

on_both! {
    fn the_unsealed_tail_is_told_and_sealed_by_the_job(app) {
        let world = World::new(app);
        app.run_jobs();
        let before = world.auditor.get("/audit-events/verification").ok(200);
        assert_eq!((&before["is_intact"], &before["unsealed"]), (&json!(true), &json!(0)));
        for n in 0..3 {
            world.coordinator.post("/pools", &json!({"name": format!("プール{n}"), "expert_title": "専門家"})).ok(201);
        }
        let tail = world.auditor.get("/audit-events/verification").ok(200);
        assert_eq!((&tail["is_intact"], &tail["unsealed"], &tail["head"]), (&json!(true), &json!(3), &before["head"]));
        let newest = world.auditor.get("/audit-events?limit=1").ok(200);
        assert!(newest["items"][0].get("sequence").is_none());
        // Two processes seal at the same time: one chain.
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| app.app.db.write_blocking(seal::seal).unwrap());
            }
        });
        let sealed = world.auditor.get(&format!("/audit-events/verification?expected_head={}", before["head"].as_str().unwrap())).ok(200);
        assert_eq!((&sealed["is_intact"], &sealed["unsealed"]), (&json!(true), &json!(0)), "a head noted earlier is still in the chain");
        assert_eq!(sealed["verified"].as_i64().unwrap(), before["verified"].as_i64().unwrap() + 3);
        let other = "0".repeat(64);
        let found = world.auditor.get(&format!("/audit-events/verification?expected_head={other}")).ok(200);
        assert_eq!((&found["is_intact"], &found["findings"][0]["kind"]), (&json!(false), &json!("cut")));
        assert_eq!(world.hamamatsu_staff.get("/audit-events/verification").problem(403), "forbidden");
        assert_eq!(world.auditor.get("/audit-events?from=2026-05-01&to=2026-04-01").problem(400), "unknown_parameter");
    }
}
