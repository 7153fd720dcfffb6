//! People: invitation and forgotten password by mail, and how far a coordinator's hand reaches.

use chrono::Duration;
use diesel::prelude::*;
use serde_json::{Value, json};
use tasuki::auth::policy::Role;
use tasuki::db::schema::{outbox_messages, users};

use crate::on_both;
use crate::support::client::{Answer, Client};
use crate::support::flow::{id, link_in_newest_mail};
use crate::support::server::TestApp;
use crate::support::world::{PASSWORD, World, member};

const NEW_PASSWORD: &str = "よく眠る猫は三匹いる庭の縁側で";

fn invitation(organisation: i64, email: &str, role: &str) -> Value {
    json!({"email": email, "name": "鈴木 花子", "kana": "すずき はなこ",
        "memberships": [{"organisation_id": organisation, "role": role, "valid_from": "2026-04-01"}]})
}

fn token_of(link: &str) -> String {
    link.split_once("token=").unwrap().1.to_owned()
}

fn accept(app: &TestApp, token: &str, password: &str) -> Answer {
    app.anonymous().post("/auth/invitation/accept", &json!({"token": token, "password": password}))
}

fn sign_in(app: &TestApp, email: &str, password: &str) -> Answer {
    app.anonymous().post("/auth/token", &json!({"email": email, "password": password}))
}

fn reset(app: &TestApp, token: &str, password: &str) -> Answer {
    app.anonymous().post("/auth/password-reset/confirm", &json!({"token": token, "new_password": password}))
}

fn forgot(app: &TestApp, email: &str) -> Answer {
    app.anonymous().post("/auth/password-reset", &json!({"email": email}))
}

fn verb(client: &Client, path: &str, verb: &str) -> Answer {
    client.verb(path, verb, &json!({}))
}

on_both! {
    fn an_invited_person_chooses_a_password_by_the_mailed_link(app) {
        let world = World::new(app);
        let created = world.coordinator.post("/users", &invitation(world.hamamatsu, "Suzuki@Hamamatsu.example.jp", "municipal_staff"));
        let person = id(&created, 201);
        assert_eq!((&created.json()["status"], &created.json()["email"]), (&json!("invited"), &json!("suzuki@hamamatsu.example.jp")));
        let link = link_in_newest_mail(app, "suzuki@hamamatsu.example.jp");
        let mail = app.mails_to("suzuki@hamamatsu.example.jp").pop().unwrap().mail;
        assert!(mail.text.contains("鈴木 花子") && mail.text.contains("浜松市") && mail.text.contains("静岡 花子"), "{}", mail.text);
        assert!(link.starts_with(&format!("{}/invitations?token=", app.base)));
        let token = token_of(&link);
        // A mail scanner that opens the link uses nothing up.
        let page = app.anonymous().call("GET", link.strip_prefix(&app.base).unwrap()).send();
        assert_eq!(page.status, 200);
        assert!(page.text().contains(&token));
        assert_eq!(accept(app, &token, "短い合い言葉").wrong(), ["/password too_short"]);
        assert_eq!(accept(app, &token, "suzuki@hamamatsu.example.jp").wrong(), ["/password too_common"]);
        assert_eq!(reset(app, &token, NEW_PASSWORD).wrong(), ["/token not_usable"], "an invitation resets nothing");
        assert_eq!(accept(app, &token, NEW_PASSWORD).ok(200)["email"], "suzuki@hamamatsu.example.jp");
        assert_eq!(accept(app, &token, NEW_PASSWORD).wrong(), ["/token not_usable"]);
        let tokens = sign_in(app, "suzuki@hamamatsu.example.jp", NEW_PASSWORD).ok(200);
        let me = app.with_token(tokens["access_token"].as_str().unwrap()).get("/auth/me").ok(200);
        assert_eq!((&me["organisation_name"], &me["role"]), (&json!("浜松市"), &json!("municipal_staff")));
        assert_eq!(world.coordinator.get(&format!("/users/{person}")).ok(200)["status"], "active");
    }
}

on_both! {
    fn an_invitation_ends_after_seven_days_and_can_be_sent_again(app) {
        let world = World::new(app);
        let person = id(&world.coordinator.post("/users", &invitation(world.hamamatsu, "suzuki@example.jp", "municipal_staff")), 201);
        let path = format!("/users/{person}");
        let first = token_of(&link_in_newest_mail(app, "suzuki@example.jp"));
        app.advance(Duration::days(7));
        assert_eq!(accept(app, &first, NEW_PASSWORD).wrong(), ["/token not_usable"]);
        verb(&world.coordinator, &path, "resend-invitation").ok(200);
        let second = token_of(&link_in_newest_mail(app, "suzuki@example.jp"));
        verb(&world.coordinator, &path, "resend-invitation").ok(200);
        let third = token_of(&link_in_newest_mail(app, "suzuki@example.jp"));
        assert!(first != second && second != third);
        assert_eq!(accept(app, &second, NEW_PASSWORD).wrong(), ["/token not_usable"], "only the newest link works");
        // Disabled, the link is dead; enabled again, the person is invited anew.
        verb(&world.coordinator, &path, "disable").ok(200);
        assert_eq!(accept(app, &third, NEW_PASSWORD).wrong(), ["/token not_usable"]);
        assert_eq!(verb(&world.coordinator, &path, "resend-invitation").problem(409), "invalid_transition");
        assert_eq!(verb(&world.coordinator, &path, "enable").ok(200)["status"], "invited");
        let fourth = token_of(&link_in_newest_mail(app, "suzuki@example.jp"));
        app.advance(Duration::days(7) - Duration::seconds(1));
        accept(app, &fourth, NEW_PASSWORD).ok(200);
        assert_eq!(verb(&world.coordinator, &path, "resend-invitation").problem(409), "invalid_transition");
    }
}

on_both! {
    fn a_forgotten_password_is_reset_once_by_mail(app) {
        let world = World::new(app);
        let email = "staff@hamamatsu.example.jp";
        let session = sign_in(app, email, PASSWORD).ok(200);
        let client = app.with_token(session["access_token"].as_str().unwrap());
        let known = forgot(app, email);
        let unknown = forgot(app, "nobody@example.jp");
        assert_eq!((known.status, known.bytes.len()), (202, 0));
        assert_eq!((unknown.status, unknown.bytes.len()), (202, 0));
        assert!(app.mails_to("nobody@example.jp").is_empty());
        let old = token_of(&link_in_newest_mail(app, email));
        forgot(app, email);
        let token = token_of(&link_in_newest_mail(app, email));
        assert_eq!(reset(app, &old, NEW_PASSWORD).wrong(), ["/token not_usable"], "only the newest link works");
        client.get("/auth/me").ok(200);
        reset(app, &token, NEW_PASSWORD).ok(200);
        assert_eq!(client.get("/auth/me").problem(401), "unauthenticated");
        assert_eq!(world.hamamatsu_staff.get("/auth/me").problem(401), "unauthenticated", "every session ended");
        assert_eq!(reset(app, &token, NEW_PASSWORD).wrong(), ["/token not_usable"]);
        assert_eq!(sign_in(app, email, PASSWORD).problem(401), "invalid_credentials");
        sign_in(app, email, NEW_PASSWORD).ok(200);
        // The third link of this minute is mailed, the fourth is not; after an hour a link is useless.
        forgot(app, email);
        let late = token_of(&link_in_newest_mail(app, email));
        assert_eq!(forgot(app, email).problem(429), "too_many_requests");
        app.advance(Duration::minutes(60));
        assert_eq!(reset(app, &late, NEW_PASSWORD).wrong(), ["/token not_usable"]);
        assert_eq!(forgot(app, "no address\r\nBcc: x@example.jp").problem(422), "validation_failed");
    }
}

on_both! {
    fn of_parallel_uses_of_a_link_one_succeeds(app) {
        World::new(app);
        let email = "staff@hamamatsu.example.jp";
        forgot(app, email);
        let token = token_of(&link_in_newest_mail(app, email));
        let passwords: Vec<String> = (0..32).map(|n| format!("よく眠る猫は庭の縁側に{n}匹いる")).collect();
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let threads: Vec<_> = passwords.iter().map(|password| scope.spawn(|| reset(app, &token, password).status)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 422 | 429)), "{statuses:?}");
        let winner = statuses.iter().position(|status| *status == 200).unwrap();
        sign_in(app, email, &passwords[winner]).ok(200);
    }
}

on_both! {
    fn one_time_links_are_kept_nowhere(app) {
        let world = World::new(app);
        world.coordinator.post("/users", &invitation(world.hamamatsu, "suzuki@example.jp", "municipal_staff")).ok(201);
        forgot(app, "staff@hamamatsu.example.jp");
        let waiting = world.coordinator.get("/notifications").ok(200);
        let waiting = waiting["items"].as_array().unwrap();
        let tokens = [
            token_of(&link_in_newest_mail(app, "suzuki@example.jp")),
            token_of(&link_in_newest_mail(app, "staff@hamamatsu.example.jp")),
        ];
        let stored: Vec<(String, Option<String>)> = app
            .app
            .db
            .read_blocking(|conn| Ok(outbox_messages::table.select((outbox_messages::body, outbox_messages::secret)).load(conn)?))
            .unwrap();
        assert_eq!(stored.len(), 2);
        let audit = world.admin.get("/audit-events?limit=200").text();
        for token in &tokens {
            assert!(!waiting.iter().any(|mail| mail["body"].as_str().unwrap().contains(token)), "shown while it waited");
            assert!(stored.iter().all(|(body, secret)| !body.contains(token) && secret.is_none()), "kept after it left");
            assert!(!audit.contains(token));
        }
        assert!(stored.iter().all(|(body, _)| body.contains("（送信済み）")));
        let person = world.coordinator.get("/users?q=suzuki").text();
        assert!(!person.contains("password") && !person.contains("hash"), "{person}");
    }
}

on_both! {
    fn a_coordinators_hand_ends_at_the_prefecture(app) {
        let world = World::new(app);
        let coordinator = &world.coordinator;
        let wrong = |body: &Value| {
            let answer = coordinator.post("/users", body);
            assert_eq!(answer.problem(422), "validation_failed");
            answer.wrong()
        };
        assert_eq!(wrong(&invitation(world.prefecture, "a@example.jp", "system_admin")), ["/memberships/0/role not_grantable"]);
        assert_eq!(wrong(&invitation(world.stranger_prefecture, "a@example.jp", "auditor")), ["/memberships/0/organisation_id not_yours"]);
        assert_eq!(wrong(&invitation(world.hamamatsu, "a@example.jp", "prefectural_coordinator")), ["/memberships/0/role role_not_for_kind"]);
        assert_eq!(wrong(&invitation(world.hamamatsu, "a@example.jp", "api_client")), ["/memberships/0/role role_not_for_kind"]);
        let mut twice = invitation(world.hamamatsu, "a@example.jp", "municipal_staff");
        let again = twice["memberships"][0].clone();
        twice["memberships"].as_array_mut().unwrap().push(again);
        assert_eq!(wrong(&twice), ["/memberships/1 already_member"]);
        let mut reversed = invitation(world.hamamatsu, "a@example.jp", "municipal_staff");
        reversed["memberships"][0]["valid_to"] = json!("2026-04-01");
        assert_eq!(wrong(&reversed).len(), 1);
        let mut header = invitation(world.hamamatsu, "a@example.jp", "municipal_staff");
        header["name"] = json!("鈴木\r\nBcc: x@example.jp");
        assert_eq!(wrong(&header), ["/name control_character"]);
        assert!(app.mails_to("a@example.jp").is_empty(), "a refused invitation is not mailed");

        // People of another prefecture are not there at all.
        let stranger = world.stranger.get("/auth/me").ok(200)["user_id"].clone();
        let path = format!("/users/{stranger}");
        assert_eq!(coordinator.get(&path).problem(404), "not_found");
        let blind = coordinator.call("POST", format!("/api/v1{path}/disable")).json(&json!({})).header("If-Match", "\"1\"").send();
        assert_eq!(blind.problem(404), "not_found");
        let list = coordinator.get("/users?limit=200").text();
        assert!(list.contains("staff@kosai.example.jp") && !list.contains("ehime"), "{list}");
        // A system administrator of the own prefecture is seen, but nobody's to disable or end; nor is oneself.
        let admin = format!("/users/{}", world.admin.get("/auth/me").ok(200)["user_id"]);
        assert_eq!(verb(coordinator, &admin, "disable").problem(403), "forbidden");
        let membership = world.admin.get("/auth/me").ok(200)["membership_id"].clone();
        let etag = coordinator.get(&admin).etag();
        let ended = coordinator.call("PATCH", format!("/api/v1{admin}/memberships/{membership}"))
            .json(&json!({"valid_to": "2026-04-06"})).header("If-Match", &etag).send();
        assert_eq!(ended.problem(403), "forbidden");
        let me = format!("/users/{}", coordinator.get("/auth/me").ok(200)["user_id"]);
        assert_eq!(verb(coordinator, &me, "disable").problem(403), "forbidden");
        // Somebody who also works elsewhere keeps the account; only the membership here is ours.
        let both = member(app, "both@example.jp", "兼務 者", world.kosai, Role::MunicipalStaff);
        let both = format!("/users/{}", both.get("/auth/me").ok(200)["user_id"]);
        world.admin.post(&format!("{both}/memberships"), &json!({"organisation_id": world.stranger_prefecture, "role": "auditor", "valid_from": "2026-04-01"})).ok(200);
        let seen = coordinator.get(&both).ok(200);
        assert_eq!(seen["memberships"].as_array().unwrap().len(), 1, "memberships elsewhere are not shown");
        assert_eq!(verb(coordinator, &both, "disable").problem(403), "forbidden");
    }
}

on_both! {
    fn an_address_belongs_to_one_account(app) {
        let world = World::new(app);
        let body = invitation(world.hamamatsu, "suzuki@example.jp", "municipal_staff");
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| world.coordinator.post("/users", &body))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409]);
        for answer in answers.iter().filter(|answer| answer.status == 409) {
            assert_eq!(answer.problem(409), "duplicate");
            assert!(answer.wrong()[0].starts_with("/email "), "{}", answer.text());
        }
        assert_eq!(app.mails_to("suzuki@example.jp").len(), 1);
        let person = format!("/users/{}", answers.iter().find(|answer| answer.status == 201).unwrap().json()["id"]);
        assert_eq!(world.coordinator.patch(&person, &json!({"email": "STAFF@hamamatsu.example.jp"})).problem(409), "duplicate");
        // A new address makes links to the old one useless; the name stays as typed.
        let token = token_of(&link_in_newest_mail(app, "suzuki@example.jp"));
        let changed = world.coordinator.patch(&person, &json!({"email": "suzuki2@example.jp", "name": "髙橋　𠮷江"})).ok(200);
        assert_eq!(changed["name"], "髙橋　𠮷江");
        assert_eq!(accept(app, &token, NEW_PASSWORD).wrong(), ["/token not_usable"]);
    }
}

on_both! {
    fn a_disabled_person_is_out_at_once_and_can_come_back(app) {
        let world = World::new(app);
        let person = format!("/users/{}", world.kosai_staff.get("/auth/me").ok(200)["user_id"]);
        let etag = world.coordinator.get(&person).etag();
        assert_eq!(verb(&world.coordinator, &person, "disable").ok(200)["status"], "disabled");
        assert_eq!(world.kosai_staff.get("/auth/me").problem(401), "unauthenticated");
        assert_eq!(sign_in(app, "staff@kosai.example.jp", PASSWORD).problem(401), "invalid_credentials");
        forgot(app, "staff@kosai.example.jp");
        assert!(app.mails_to("staff@kosai.example.jp").is_empty());
        let stale = world.coordinator.call("POST", format!("/api/v1{person}/enable")).json(&json!({})).header("If-Match", &etag).send();
        assert_eq!(stale.problem(412), "stale_version");
        let refused = verb(&world.coordinator, &person, "disable");
        assert_eq!(refused.problem(409), "invalid_transition");
        assert_eq!(refused.json()["allowed"], json!(["enable"]), "{}", refused.text());
        verb(&world.coordinator, &person, "enable").ok(200);
        assert_eq!(world.kosai_staff.get("/auth/me").problem(401), "unauthenticated", "ended sessions stay ended");
        sign_in(app, "staff@kosai.example.jp", PASSWORD).ok(200);
        let failures: i32 = app.app.db.read_blocking(|conn| {
            Ok(users::table.filter(users::email.eq("staff@kosai.example.jp")).select(users::failed_sign_ins).first(conn)?)
        }).unwrap();
        assert_eq!(failures, 0);
    }
}
