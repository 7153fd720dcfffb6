//! Signing in, renewing, switching and ending sessions, and what an access token must look like.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use diesel::prelude::*;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tasuki::auth::policy::Role;
use tasuki::auth::secrets;
use tasuki::auth::tokens::TokenKeys;
use tasuki::db::schema::{memberships, sessions, users};
use tasuki::ids::{OrganisationId, SessionId, UserId};

use crate::on_both;
use crate::support::client::{Answer, Client};
use crate::support::server::TestApp;
use crate::support::world::{PASSWORD, World, body, user};

fn sign_in(app: &TestApp, email: &str, password: &str) -> Answer {
    app.anonymous().post("/auth/token", &json!({"email": email, "password": password}))
}

/// Signed in through the API: the client and its refresh token.
fn signed_in(app: &TestApp, email: &str) -> (Client, String) {
    let tokens = sign_in(app, email, PASSWORD).ok(200);
    (app.with_token(tokens["access_token"].as_str().unwrap()), tokens["refresh_token"].as_str().unwrap().to_owned())
}

fn refresh(app: &TestApp, token: &str) -> Answer {
    app.anonymous().post("/auth/refresh", &json!({"refresh_token": token}))
}

/// A problem document without what differs from request to request.
fn without_request(answer: &Answer) -> Value {
    let mut problem = answer.json();
    problem.as_object_mut().unwrap().remove("request_id");
    problem
}

/// A staff member of Hamamatsu.
fn staff(app: &TestApp) -> UserId {
    user(app, "staff@hamamatsu.example.jp", "浜松 太郎", body(app, "221309"), Role::MunicipalStaff).0
}

on_both! {
    fn a_session_lives_by_short_tokens(app) {
        staff(app);
        let tokens = sign_in(app, " Staff@Hamamatsu.example.jp", PASSWORD).ok(200);
        assert_eq!((&tokens["token_type"], &tokens["expires_in"], &tokens["role"]), (&json!("Bearer"), &json!(900), &json!("municipal_staff")));
        let client = app.with_token(tokens["access_token"].as_str().unwrap());
        assert_eq!(client.get("/auth/me").ok(200)["name"], "浜松 太郎");
        app.advance(Duration::seconds(899));
        client.get("/auth/me").ok(200);
        app.advance(Duration::seconds(1));
        assert_eq!(client.get("/auth/me").problem(401), "unauthenticated");
        let renewed = refresh(app, tokens["refresh_token"].as_str().unwrap()).ok(200);
        assert_eq!(renewed["session_id"], tokens["session_id"]);
        app.with_token(renewed["access_token"].as_str().unwrap()).get("/auth/me").ok(200);
        // The session itself ends after fourteen days, however often it was renewed.
        app.advance(Duration::days(14));
        assert_eq!(refresh(app, renewed["refresh_token"].as_str().unwrap()).problem(401), "unauthenticated");
    }
}

on_both! {
    fn whoever_may_not_sign_in_gets_the_same_answer(app) {
        staff(app);
        let hamamatsu = body(app, "221309");
        let disabled = user(app, "disabled@example.jp", "停止 中", hamamatsu, Role::MunicipalStaff).0;
        let invited = user(app, "invited@example.jp", "招待 中", hamamatsu, Role::MunicipalStaff).0;
        let left = user(app, "left@example.jp", "異動 済", hamamatsu, Role::MunicipalStaff).0;
        app.app
            .db
            .write_blocking(|conn| {
                diesel::update(users::table.find(disabled)).set(users::status.eq("disabled")).execute(conn)?;
                diesel::update(users::table.find(invited))
                    .set((users::status.eq("invited"), users::password_hash.eq(None::<String>)))
                    .execute(conn)?;
                diesel::update(memberships::table.filter(memberships::user_id.eq(left)))
                    .set(memberships::valid_to.eq(chrono::NaiveDate::from_ymd_opt(2026, 4, 1)))
                    .execute(conn)?;
                Ok(())
            })
            .unwrap();
        let attempts = [
            ("nobody@example.jp", PASSWORD),
            ("staff@hamamatsu.example.jp", "まちがった長い長い合い言葉です"),
            ("disabled@example.jp", PASSWORD),
            ("invited@example.jp", PASSWORD),
            ("left@example.jp", PASSWORD),
            ("", ""),
        ];
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let threads: Vec<_> = attempts.iter().map(|(email, password)| scope.spawn(|| sign_in(app, email, password))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (answer, (email, _)) in answers.iter().zip(attempts) {
            assert_eq!(answer.problem(401), "invalid_credentials", "{email}");
            assert_eq!(without_request(answer), without_request(&answers[0]), "{email}");
        }
    }
}

on_both! {
    fn five_wrong_passwords_lock_the_account_until_the_clock_releases_it(app) {
        let id = staff(app);
        let email = "staff@hamamatsu.example.jp";
        // Guesses made at once are all counted, and none beyond the fifth is checked at all.
        std::thread::scope(|scope| {
            for n in 0..8 {
                scope.spawn(move || sign_in(app, email, &format!("まちがった合い言葉その{n}です。")).problem(401));
            }
        });
        let failures = || app.app.db.read_blocking(|conn| Ok(users::table.find(id).select(users::failed_sign_ins).first::<i32>(conn)?)).unwrap();
        assert_eq!(failures(), 5);
        assert_eq!(sign_in(app, email, PASSWORD).problem(401), "invalid_credentials");
        app.advance(Duration::seconds(59));
        assert_eq!(sign_in(app, email, PASSWORD).problem(401), "invalid_credentials");
        app.advance(Duration::seconds(1));
        // One more wrong one: the wait doubles.
        sign_in(app, email, "まちがった合い言葉です。").problem(401);
        app.advance(Duration::seconds(119));
        sign_in(app, email, PASSWORD).problem(401);
        app.advance(Duration::seconds(1));
        sign_in(app, email, PASSWORD).ok(200);
        assert_eq!(failures(), 0);
    }
}

on_both! {
    fn attempts_at_one_address_are_limited_whether_it_exists_or_not(app) {
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..24).map(|_| scope.spawn(|| sign_in(app, "nobody@example.jp", "合い言葉").status)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 4, "{statuses:?}");
        let refused = sign_in(app, "NOBODY@example.jp", "合い言葉");
        assert_eq!(refused.problem(429), "too_many_requests");
        assert!(refused.header("retry-after").is_some());
        sign_in(app, "somebody-else@example.jp", "合い言葉").problem(401);
    }
}

on_both! {
    fn a_refresh_token_used_twice_ends_the_session(app) {
        staff(app);
        let (client, first) = signed_in(app, "staff@hamamatsu.example.jp");
        let second = refresh(app, &first).ok(200)["refresh_token"].as_str().unwrap().to_owned();
        assert_ne!(first, second);
        client.get("/auth/me").ok(200);
        assert_eq!(refresh(app, &first).problem(401), "unauthenticated");
        // Whoever of the two was the thief: neither goes on.
        assert_eq!(refresh(app, &second).problem(401), "unauthenticated");
        assert_eq!(client.get("/auth/me").problem(401), "unauthenticated");
        assert_eq!(refresh(app, "no-such-token").problem(401), "unauthenticated");
        let reason: Option<String> = app.app.db.read_blocking(|conn| Ok(sessions::table.select(sessions::end_reason).first(conn)?)).unwrap();
        assert_eq!(reason.as_deref(), Some("refresh_token_reused"));
    }
}

on_both! {
    fn of_two_parallel_renewals_one_succeeds_and_the_session_ends(app) {
        staff(app);
        let (client, token) = signed_in(app, "staff@hamamatsu.example.jp");
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| refresh(app, &token))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
        assert_eq!(client.get("/auth/me").problem(401), "unauthenticated");
        let renewed = answers.iter().find(|answer| answer.status == 200).unwrap().json();
        assert_eq!(refresh(app, renewed["refresh_token"].as_str().unwrap()).status, 401);
    }
}

on_both! {
    fn sessions_are_listed_and_ended(app) {
        staff(app);
        user(app, "other@hamamatsu.example.jp", "浜松 花子", body(app, "221309"), Role::MunicipalStaff);
        let (here, _) = signed_in(app, "staff@hamamatsu.example.jp");
        let (elsewhere, token) = signed_in(app, "staff@hamamatsu.example.jp");
        let (other, _) = signed_in(app, "other@hamamatsu.example.jp");
        let list = here.get("/auth/sessions").ok(200)["items"].as_array().unwrap().clone();
        assert_eq!(list.len(), 2, "only the own ones");
        assert_eq!(list.iter().map(|row| row["is_current"].as_bool().unwrap()).collect::<Vec<_>>(), [false, true], "newest first");
        let theirs = other.get("/auth/sessions").ok(200)["items"][0]["id"].clone();
        assert_eq!(here.post(&format!("/auth/sessions/{theirs}/end"), &json!({})).problem(404), "not_found");
        other.get("/auth/me").ok(200);
        let ended = here.post(&format!("/auth/sessions/{}/end", list[0]["id"]), &json!({})).ok(200);
        assert_eq!(ended["ended_sessions"], 1);
        assert_eq!(elsewhere.get("/auth/me").problem(401), "unauthenticated");
        assert_eq!(refresh(app, &token).problem(401), "unauthenticated");
        assert_eq!(here.get("/auth/sessions").ok(200)["items"].as_array().unwrap().len(), 1);
        here.post("/auth/logout", &json!({})).ok(200);
        assert_eq!(here.get("/auth/me").problem(401), "unauthenticated");
        assert_eq!(here.post("/auth/logout", &json!({})).problem(401), "unauthenticated");
    }
}

on_both! {
    fn switching_changes_what_one_may_do_at_once(app) {
        let id = staff(app);
        let prefecture = body(app, "220001");
        let now = app.app.clock.now();
        let add = |organisation: i64, role: Role, from: &str| -> i64 {
            let from: chrono::NaiveDate = from.parse().unwrap();
            app.app
                .db
                .write_blocking(|conn| {
                    Ok(diesel::insert_into(memberships::table)
                        .values((
                            memberships::user_id.eq(id), memberships::organisation_id.eq(OrganisationId(organisation)), memberships::role.eq(role),
                            memberships::valid_from.eq(from), memberships::created_at.eq(now), memberships::updated_at.eq(now),
                        ))
                        .returning(memberships::id)
                        .get_result(conn)?)
                })
                .unwrap()
        };
        let coordinator = add(prefecture, Role::PrefecturalCoordinator, "2026-04-01");
        let future = add(prefecture, Role::Auditor, "2026-05-01");
        let (_, theirs) = user(app, "other@example.jp", "他人", prefecture, Role::Auditor);
        let (client, _) = signed_in(app, "staff@hamamatsu.example.jp");
        assert_eq!(client.get("/auth/me").ok(200)["role"], "municipal_staff", "the oldest membership to begin with");
        let pool = json!({"name": "プール", "expert_title": "専門家"});
        assert_eq!(client.post("/pools", &pool).problem(403), "forbidden");
        let me = client.post("/auth/switch", &json!({"membership_id": coordinator})).ok(200);
        assert_eq!((&me["role"], &me["organisation_id"]), (&json!("prefectural_coordinator"), &json!(prefecture)));
        assert_eq!(me["memberships"].as_array().unwrap().len(), 2, "the future one does not count yet");
        client.post("/pools", &pool).ok(201);
        for other in [future, theirs.0, 999_999] {
            let refused = client.post("/auth/switch", &json!({"membership_id": other}));
            assert_eq!(refused.problem(422), "validation_failed");
            assert_eq!(refused.wrong(), ["/membership_id not_yours"]);
        }
        let tokens = app.anonymous().post("/auth/token", &json!({"email": "staff@hamamatsu.example.jp", "password": PASSWORD, "membership_id": coordinator}));
        assert_eq!(tokens.ok(200)["role"], "prefectural_coordinator");
        let refused = app.anonymous().post("/auth/token", &json!({"email": "staff@hamamatsu.example.jp", "password": PASSWORD, "membership_id": future}));
        assert_eq!(refused.problem(401), "invalid_credentials");
    }
}

on_both! {
    fn a_membership_ends_at_midnight_in_japan(app) {
        let world = World::new(app);
        let me = world.hamamatsu_staff.get("/auth/me").ok(200);
        let (person, membership) = (me["user_id"].as_i64().unwrap(), me["membership_id"].as_i64().unwrap());
        let path = format!("/users/{person}");
        let end = |valid_to: &str| {
            let etag = world.coordinator.get(&path).etag();
            world.coordinator.call("PATCH", format!("/api/v1{path}/memberships/{membership}"))
                .json(&json!({"valid_to": valid_to})).header("If-Match", &etag).send()
        };
        end("2026-05-01").ok(200);
        app.set_time("2026-04-30T23:59:59.999999+09:00");
        world.hamamatsu_staff.get("/requests").ok(200);
        app.set_time("2026-05-01T00:00:00+09:00");
        assert_eq!(world.hamamatsu_staff.get("/requests").problem(401), "unauthenticated");
        assert_eq!(sign_in(app, "staff@hamamatsu.example.jp", PASSWORD).problem(401), "invalid_credentials");
        // Prolonged, it counts again at once; ended today, it stops at the next request.
        end("2026-06-01").ok(200);
        world.hamamatsu_staff.get("/requests").ok(200);
        end("2026-05-01").ok(200);
        assert_eq!(world.hamamatsu_staff.get("/requests").problem(401), "unauthenticated");
    }
}

on_both! {
    fn a_demotion_counts_from_the_next_request_on(app) {
        let world = World::new(app);
        let me = world.coordinator.get("/auth/me").ok(200);
        let path = format!("/users/{}", me["user_id"]);
        let pool = json!({"name": "別のプール", "expert_title": "専門家"});
        world.coordinator.post("/pools", &pool).ok(201);
        world.admin.post(&format!("{path}/memberships"), &json!({"organisation_id": world.prefecture, "role": "auditor", "valid_from": "2026-04-06"})).ok(200);
        let auditor = world.coordinator.get("/auth/me").ok(200)["memberships"][1]["id"].clone();
        world.coordinator.post("/auth/switch", &json!({"membership_id": auditor})).ok(200);
        assert_eq!(world.coordinator.post("/pools", &json!({"name": "もう一つ", "expert_title": "専門家"})).problem(403), "forbidden");
        let etag = world.admin.get(&path).etag();
        world.admin.call("PATCH", format!("/api/v1{path}/memberships/{}", me["membership_id"]))
            .json(&json!({"valid_to": "2026-04-06"})).header("If-Match", &etag).send().ok(200);
        let refused = world.coordinator.post("/auth/switch", &json!({"membership_id": me["membership_id"]}));
        assert_eq!(refused.wrong(), ["/membership_id not_yours"]);
        // Disabled, the person is out with every session.
        let etag = world.admin.get(&path).etag();
        world.admin.call("POST", format!("/api/v1{path}/disable")).json(&json!({})).header("If-Match", &etag).send().ok(200);
        assert_eq!(world.coordinator.get("/auth/me").problem(401), "unauthenticated");
    }
}

on_both! {
    fn the_own_password_is_changed_by_who_knows_it(app) {
        staff(app);
        let (here, _) = signed_in(app, "staff@hamamatsu.example.jp");
        let (elsewhere, _) = signed_in(app, "staff@hamamatsu.example.jp");
        let change = |present: &str, new: &str| here.post("/auth/password", &json!({"current_password": present, "new_password": new}));
        let new = "あたらしい長い合い言葉です。";
        assert!(new.chars().count() < 15);
        assert_eq!(change(PASSWORD, new).wrong(), ["/new_password too_short"]);
        let new = "あたらしくて長い合い言葉です。";
        assert_eq!(change("ちがう合い言葉をいれてみます。", new).wrong(), ["/current_password wrong"]);
        assert_eq!(change(PASSWORD, new).ok(200)["ended_sessions"], 1);
        here.get("/auth/me").ok(200);
        assert_eq!(elsewhere.get("/auth/me").problem(401), "unauthenticated");
        assert_eq!(sign_in(app, "staff@hamamatsu.example.jp", PASSWORD).problem(401), "invalid_credentials");
        sign_in(app, "staff@hamamatsu.example.jp", new).ok(200);
        // A stolen access token does not serve to guess the password.
        for _ in 0..2 {
            change("ちがう合い言葉をいれてみます。", new).problem(422);
        }
        assert_eq!(change("ちがう合い言葉をいれてみます。", new).problem(429), "too_many_requests");
    }
}

/// A signed token, its parts as given.
fn forged(algorithm: jsonwebtoken::Algorithm, secret: &[u8], header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let key = jsonwebtoken::EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, algorithm).unwrap();
    format!("{signed}.{signature}")
}

on_both! {
    fn a_token_that_is_not_ours_is_refused_whatever_is_wrong_with_it(app) {
        use jsonwebtoken::Algorithm::{HS256, HS384, HS512};
        let id = staff(app);
        let tokens = sign_in(app, "staff@hamamatsu.example.jp", PASSWORD).ok(200);
        let (session, refresh_token) = (tokens["session_id"].to_string(), tokens["refresh_token"].as_str().unwrap());
        let secret = app.app.config.auth.signing_key.expose_secret().as_bytes().to_vec();
        let kid: String = secrets::sha256(&secret).chars().take(16).collect();
        let now = app.app.clock.now().instant().timestamp();
        let header = json!({"typ": "at+jwt", "alg": "HS256", "kid": kid});
        let claims = json!({"iss": "tasuki", "aud": "tasuki-api", "sub": session, "iat": now, "nbf": now, "exp": now + 900});
        let with = |value: &Value, name: &str, new: Value| {
            let mut value = value.clone();
            value[name] = new;
            value
        };
        let without = |value: &Value, name: &str| {
            let mut value = value.clone();
            value.as_object_mut().unwrap().remove(name);
            value
        };
        let sign = |header: &Value, claims: &Value| forged(HS256, &secret, header, claims);
        let right = sign(&header, &claims);
        app.with_token(&right).get("/auth/me").ok(200);
        let (signed, signature) = right.rsplit_once('.').unwrap();
        let mut vectors = vec![
            ("alg none", format!("{}.{}.", URL_SAFE_NO_PAD.encode(with(&header, "alg", json!("none")).to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))),
            ("no signature", format!("{signed}.")),
            ("another payload", format!("{}.{}.{signature}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(with(&claims, "sub", json!("1")).to_string() + " "))),
            ("another algorithm", forged(HS512, &secret, &with(&header, "alg", json!("HS512")), &claims)),
            ("an algorithm that the header does not tell", forged(HS384, &secret, &header, &claims)),
            ("another key", forged(HS256, b"another-key-of-more-than-32-characters", &header, &claims)),
            ("another type", sign(&with(&header, "typ", json!("JWT")), &claims)),
            ("no type", sign(&without(&header, "typ"), &claims)),
            ("unknown key id", sign(&with(&header, "kid", json!("0123456789abcdef")), &claims)),
            ("no key id", sign(&without(&header, "kid"), &claims)),
            ("expired", sign(&header, &with(&claims, "exp", json!(now)))),
            ("not yet valid", sign(&header, &with(&claims, "nbf", json!(now + 60)))),
            ("another issuer", sign(&header, &with(&claims, "iss", json!("other")))),
            ("another audience", sign(&header, &with(&claims, "aud", json!("other-api")))),
            ("a session that is not there", sign(&header, &with(&claims, "sub", json!("999999")))),
            ("no session", sign(&header, &with(&claims, "sub", json!("admin")))),
            ("5 KB", sign(&header, &with(&claims, "padding", json!("x".repeat(5_000))))),
            ("a refresh token", refresh_token.to_owned()),
            ("the id of a person", id.to_string()),
            ("nothing", String::new()),
            ("an API key that is none", "tsk_0123456789ab".to_owned()),
            ("an unknown API key", format!("tsk_0123456789ab_{}", secrets::generate().unwrap())),
        ];
        for name in ["iss", "aud", "sub", "nbf", "exp", "iat"] {
            vectors.push((name, sign(&header, &without(&claims, name))));
        }
        let expected = without_request(&app.anonymous().get("/auth/me"));
        for (name, token) in &vectors {
            let answer = app.with_token(token).get("/auth/me");
            assert_eq!(answer.problem(401), "unauthenticated", "{name}");
            assert_eq!(without_request(&answer), expected, "{name}");
        }
        // Credentials elsewhere than in the header do not count.
        let elsewhere = app.anonymous().call("GET", "/api/v1/auth/me").header("Cookie", &format!("tasuki={right}")).send();
        assert_eq!(elsewhere.problem(401), "unauthenticated");
        assert_eq!(app.anonymous().get(&format!("/auth/me?access_token={right}")).problem(401), "unauthenticated");
        let basic = app.anonymous().call("GET", "/api/v1/auth/me").header("Authorization", &format!("Basic {right}")).send();
        assert_eq!(basic.problem(401), "unauthenticated");
    }
}

#[test]
fn while_keys_are_exchanged_tokens_of_both_work() {
    let mut config = tasuki::config::AuthConfig {
        signing_key: SecretString::from("first-key-of-more-than-32-characters"),
        ..Default::default()
    };
    let now = crate::support::server::start_of_tests();
    let (old, _) = TokenKeys::new(&config).issue(SessionId(7), now).unwrap();
    config.previous_signing_key = config.signing_key.clone();
    config.signing_key = SecretString::from("second-key-of-more-than-32-characters");
    let keys = TokenKeys::new(&config);
    assert_eq!(keys.verify(&old, now).unwrap(), SessionId(7));
    let (new, _) = keys.issue(SessionId(8), now).unwrap();
    assert_eq!(keys.verify(&new, now).unwrap(), SessionId(8));
    config.previous_signing_key = SecretString::from("");
    assert!(TokenKeys::new(&config).verify(&old, now).is_err());
}
