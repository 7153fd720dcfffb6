//! The second factor: each code once, recovery codes, an organisation that demands it, and sign-in in two steps.

use chrono::Duration;
use serde_json::json;
use tasuki::auth::totp;

use crate::on_both;
use crate::support::client::Answer;
use crate::support::pages::{Browser, form};
use crate::support::server::TestApp;
use crate::support::world::{PASSWORD, World};

const STAFF: &str = "staff@hamamatsu.example.jp";

/// What the authenticator shows now for a secret in base 32.
fn code(app: &TestApp, secret: &str) -> String {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in secret.chars() {
        buffer = (buffer << 5) | u32::try_from(letters.find(letter).unwrap()).unwrap();
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 0xff).unwrap());
        }
    }
    format!("{:06}", totp::code(&bytes, totp::step_of(app.app.clock.now())))
}

fn sign_in(app: &TestApp, code: Option<&str>) -> Answer {
    let mut body = json!({"email": STAFF, "password": PASSWORD});
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    app.anonymous().post("/auth/token", &body)
}

fn set_up(app: &TestApp, world: &World) -> (String, Vec<String>) {
    let staff = &world.hamamatsu_staff;
    let wrong = staff.post("/auth/second-factor", &json!({"password": "ちがう"}));
    assert_eq!(wrong.problem(422), "validation_failed");
    let started = staff.post("/auth/second-factor", &json!({"password": PASSWORD})).ok(200);
    let secret = started["secret"].as_str().unwrap().to_owned();
    assert!(started["address"].as_str().unwrap().starts_with("otpauth://totp/"));
    assert_eq!(sign_in(app, None).status, 200, "it counts only once it is confirmed");
    assert_eq!(staff.post("/auth/second-factor/confirm", &json!({"code": "000000"})).problem(422), "validation_failed");
    let confirmed = staff.post("/auth/second-factor/confirm", &json!({"code": code(app, &secret)})).ok(200);
    let told = app.mails_to(STAFF);
    assert!(told.last().is_some_and(|sent| sent.mail.text.starts_with("二段階認証が設定されました。")), "{told:?}");
    let codes = confirmed["codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    (secret, codes)
}

on_both! {
    fn signing_in_asks_for_a_code_and_takes_each_once(app) {
        let world = World::new(app);
        let (secret, codes) = set_up(app, &world);
        assert_eq!(codes.len(), 10);
        assert_eq!(sign_in(app, None).problem(401), "second_factor_required");
        assert_eq!(sign_in(app, Some("12345")).problem(401), "second_factor_required");
        // The code that confirmed it has been used; the next one signs in, once.
        let used = code(app, &secret);
        assert_eq!(sign_in(app, Some(&used)).problem(401), "second_factor_required");
        app.advance(Duration::seconds(31));
        let now = code(app, &secret);
        assert_eq!(sign_in(app, Some(&now)).status, 200);
        assert_eq!(sign_in(app, Some(&now)).problem(401), "second_factor_required");
        // A recovery code signs in once, however it is typed.
        app.advance(Duration::minutes(20));
        assert_eq!(sign_in(app, Some(&codes[0].to_uppercase().replace('-', " "))).status, 200);
        assert_eq!(sign_in(app, Some(&codes[0])).problem(401), "second_factor_required");
        let view = world.hamamatsu_staff.get("/auth/second-factor").ok(200);
        assert_eq!((view["set_up"].as_bool(), view["recovery_codes_left"].as_i64()), (Some(true), Some(9)));
        // The office takes it away from somebody who has lost everything; the sessions end with it.
        let people = world.coordinator.get("/users?q=staff@hamamatsu").ok(200);
        let path = format!("/users/{}", people["items"][0]["id"]);
        world.coordinator.verb(&path, "reset-second-factor", &json!({})).ok(200);
        let told = app.mails_to(STAFF).pop().unwrap().mail.text;
        assert!(told.starts_with("利用者の管理者が二段階認証を解除しました。") && told.contains("変更した人：静岡 花子"), "{told}");
        assert_eq!(world.hamamatsu_staff.get("/auth/me").problem(401), "unauthenticated");
        assert_eq!(sign_in(app, None).status, 200);
        // Nothing of it lies readable in the database.
        let (left, right) = (&secret, &codes[1]);
        let readable = format!(
            "SELECT (SELECT COUNT(*) FROM second_factors WHERE sealed_secret LIKE '%{left}%')
                + (SELECT COUNT(*) FROM recovery_codes WHERE code_hash LIKE '%{right}%') AS n"
        );
        assert_eq!(crate::support::tools::number(app, &readable), 0);
    }
}

on_both! {
    fn wrong_codes_lock_as_wrong_passwords_do(app) {
        let world = World::new(app);
        let (secret, _) = set_up(app, &world);
        app.advance(Duration::minutes(2));
        for _ in 0..5 {
            assert_eq!(sign_in(app, Some("000000")).status, 401);
        }
        assert_eq!(sign_in(app, Some(&code(app, &secret))).problem(401), "invalid_credentials", "the account waits");
        app.advance(Duration::minutes(5));
        assert_eq!(sign_in(app, Some(&code(app, &secret))).status, 200);
    }
}

on_both! {
    fn the_pages_ask_in_two_steps(app) {
        let world = World::new(app);
        let (secret, _) = set_up(app, &world);
        let browser = Browser::with_cookie(app, "none=none");
        let first = form(&browser.get("/sign-in?next=/requests").text(), "/sign-in");
        let asked = browser.submit(&first.with("email", STAFF).with("password", PASSWORD));
        assert!(asked.status == 200 && asked.header("set-cookie").is_none(), "{}", asked.text());
        let second = form(&asked.text(), "/sign-in");
        assert!(!asked.text().contains(PASSWORD));
        let wrong = browser.submit(&second.clone().with("code", "000000"));
        assert_eq!(wrong.status, 401);
        assert!(wrong.text().contains("確認コードが違う"), "{}", wrong.text());
        app.advance(Duration::seconds(31));
        let forged = second.clone().with("challenge", &second.value("challenge").replacen('.', ".9", 1)).with("code", &code(app, &secret));
        assert_eq!(browser.submit(&forged).status, 401);
        let right = browser.submit(&second.clone().with("code", &code(app, &secret)));
        assert_eq!((right.status, right.header("location")), (303, Some("/requests")), "{}", right.text());
        app.advance(Duration::minutes(6));
        let old = browser.submit(&second.with("code", &code(app, &secret)));
        assert_eq!(old.status, 401, "the word that the password was right holds for five minutes");
    }
}

on_both! {
    fn an_organisation_may_demand_it(app) {
        let world = World::new(app);
        let staff = Browser::new(app, STAFF);
        assert_eq!(staff.get("/requests").status, 200);
        world.coordinator.patch(&format!("/organisations/{}", world.hamamatsu), &json!({"requires_second_factor": true})).ok(200);
        assert_eq!(world.hamamatsu_staff.get("/requests").problem(403), "forbidden");
        let refused = staff.get("/requests");
        assert!(refused.status == 403 && refused.text().contains("2段階認証"), "{}", refused.text());
        // The own account is open, and from there it is set up by the pages alone.
        let account = staff.get("/account");
        assert_eq!(account.status, 200, "{}", account.text());
        let shown = staff.submit(&form(&account.text(), "/do/auth/second-factor").with("/password", PASSWORD));
        assert!(shown.status == 200 && shown.text().contains("<svg "), "{}", shown.text());
        let secret = shown.text().split("<dd>").map(|part| part.split('<').next().unwrap().to_owned()).find(|text| text.len() == 32).unwrap();
        let confirm = form(&shown.text(), "/do/auth/second-factor/confirm");
        let wrong = staff.submit(&confirm.clone().with("/code", "000000"));
        assert_eq!(wrong.status, 422);
        let codes = staff.submit(&confirm.with("/code", &code(app, &secret)));
        assert!(codes.status == 200 && codes.text().contains("この画面でしか表示されません"), "{}", codes.text());
        assert_eq!(staff.get("/requests").status, 200);
        let removed = world.hamamatsu_staff.post("/auth/second-factor/remove", &json!({"password": PASSWORD}));
        assert_eq!(removed.problem(409), "second_factor_demanded");
    }
}
