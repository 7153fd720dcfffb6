//! The pages for signing in and out and choosing a password, and what every answer tells a browser.

use serde_json::json;

use crate::on_both;
use crate::support::client::{Answer, Client};
use crate::support::flow::link_in_newest_mail;
use crate::support::server::TestApp;
use crate::support::world::{PASSWORD, World};

const FORM: &str = "application/x-www-form-urlencoded";
const EMAIL: &str = "staff@hamamatsu.example.jp";

fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// What a browser sends from the service's own pages.
fn submit(app: &TestApp, path: &str, pairs: &[(&str, &str)]) -> Answer {
    app.anonymous()
        .call("POST", path)
        .bytes(FORM, form(pairs))
        .header("Origin", &app.base)
        .header("Sec-Fetch-Site", "same-origin")
        .send()
}

/// The cookie of a fresh sign-in, as `name=value`.
fn signed_in(app: &TestApp) -> String {
    let answer = submit(app, "/sign-in", &[("email", EMAIL), ("password", PASSWORD)]);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{}", answer.text());
    let cookie = answer.header("set-cookie").unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    for wanted in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(attributes.contains(wanted), "{cookie}");
    }
    pair.to_owned()
}

fn page(client: &Client, cookie: &str, path: &str) -> Answer {
    client.call("GET", path).header("Cookie", cookie).send()
}

/// The hidden value of a page's form.
fn hidden(html: &str, name: &str) -> String {
    let start = html.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name} in {html}"));
    html[start..].split('"').nth(3).unwrap().to_owned()
}

on_both! {
    fn signing_in_and_out_by_the_pages(app) {
        World::new(app);
        let anonymous = app.anonymous();
        assert_eq!(anonymous.call("GET", "/").send().header("location"), Some("/sign-in"));
        let wrong = submit(app, "/sign-in", &[("email", EMAIL), ("password", "ちがう長い長い合い言葉です。")]);
        assert_eq!(wrong.status, 401);
        assert!(wrong.text().contains("メールアドレスまたはパスワードが正しくありません") && wrong.text().contains(EMAIL), "{}", wrong.text());
        assert!(wrong.header("set-cookie").is_none());
        let cookie = signed_in(app);
        let overview = page(&anonymous, &cookie, "/");
        assert_eq!(overview.status, 200);
        assert!(overview.text().contains("浜松 太郎") && overview.text().contains("浜松市"), "{}", overview.text());
        // The cookie is no credential of the API, neither as cookie nor as token.
        assert_eq!(page(&anonymous, &cookie, "/api/v1/auth/me").problem(401), "unauthenticated");
        let value = cookie.split_once('=').unwrap().1;
        assert_eq!(app.with_token(value).get("/auth/me").problem(401), "unauthenticated");
        assert_eq!(anonymous.post("/auth/refresh", &json!({"refresh_token": value})).problem(401), "unauthenticated");
        // Another site signs nobody out; afterwards the cookie is worth nothing.
        let sign_out = |origin: &str| {
            let csrf = hidden(&overview.text(), "csrf");
            anonymous.call("POST", "/sign-out").bytes(FORM, form(&[("csrf", &csrf)])).header("Cookie", &cookie).header("Origin", origin).send()
        };
        assert_eq!(sign_out("https://elsewhere.example").problem(403), "forbidden");
        assert_eq!(page(&anonymous, &cookie, "/").status, 200);
        let out = sign_out(&app.base);
        assert_eq!((out.status, out.header("location")), (303, Some("/sign-in")));
        assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
        assert_eq!(page(&anonymous, &cookie, "/").header("location"), Some("/sign-in"));
    }
}

on_both! {
    fn forms_from_other_sites_are_refused(app) {
        World::new(app);
        let cookie = signed_in(app);
        let csrf = hidden(&page(&app.anonymous(), &cookie, "/").text(), "csrf");
        let token = "x".repeat(43);
        for (path, fields) in [
            ("/sign-in", vec![("email", EMAIL), ("password", PASSWORD)]),
            ("/sign-out", vec![("csrf", csrf.as_str())]),
            ("/forgotten-password", vec![("email", EMAIL)]),
            ("/password-reset", vec![("token", token.as_str()), ("password", PASSWORD)]),
            ("/invitations", vec![("token", token.as_str()), ("password", PASSWORD)]),
        ] {
            for (name, value) in [
                ("Origin", "https://evil.example"), ("Origin", "http://127.0.0.1:1"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"),
            ] {
                let answer = app.anonymous().call("POST", path).bytes(FORM, form(&fields)).header("Cookie", &cookie).header(name, value).send();
                assert_eq!(answer.problem(403), "forbidden", "{path} {name} {value}");
                assert!(answer.header("set-cookie").is_none(), "{path}");
            }
        }
        assert_eq!(page(&app.anonymous(), &cookie, "/").status, 200, "still signed in");
        assert!(app.mails_to(EMAIL).is_empty());
    }
}

on_both! {
    fn a_password_is_chosen_by_the_pages(app) {
        World::new(app);
        let asked = submit(app, "/forgotten-password", &[("email", EMAIL)]);
        let unknown = submit(app, "/forgotten-password", &[("email", "nobody@example.jp")]);
        assert_eq!((asked.status, asked.text()), (unknown.status, unknown.text()), "the page does not tell who exists");
        let link = link_in_newest_mail(app, EMAIL);
        let path = link.strip_prefix(&app.base).unwrap();
        let html = app.anonymous().call("GET", path).send().text();
        let token = hidden(&html, "token");
        let short = submit(app, "/password-reset", &[("token", &token), ("password", "みじかい")]);
        assert_eq!(short.status, 422);
        assert!(short.text().contains("15文字以上にしてください") && hidden(&short.text(), "token") == token, "{}", short.text());
        assert!(!short.text().contains("みじかい"), "a password never comes back");
        let new = "よく眠る猫は三匹いる庭の縁側で";
        let done = submit(app, "/password-reset", &[("token", &token), ("password", new)]);
        assert_eq!(done.status, 200);
        assert!(done.text().contains("パスワードを設定しました"));
        let again = submit(app, "/password-reset", &[("token", &token), ("password", new)]);
        assert_eq!(again.status, 422);
        assert!(again.text().contains("リンクの期限が切れているか、すでに使われています"));
        assert_eq!(submit(app, "/sign-in", &[("email", EMAIL), ("password", new)]).status, 303);
        // What a link or a form says is text, never markup.
        let markup = "\"><script>alert(1)</script>";
        for page in [
            app.anonymous().call("GET", format!("/invitations?{}", form(&[("token", markup)]))).send(),
            submit(app, "/invitations", &[("token", markup), ("password", new)]),
            submit(app, "/sign-in", &[("email", markup), ("password", new)]),
        ] {
            assert!(!page.text().contains("<script>") && !page.text().contains("alert(1)</"), "{}", page.text());
        }
    }
}

on_both! {
    fn every_answer_carries_the_headers_that_protect_a_browser(app) {
        let world = World::new(app);
        let anonymous = app.anonymous();
        let cookie = signed_in(app);
        let html = anonymous.call("GET", "/sign-in").send();
        assert_eq!(html.header("content-type"), Some("text/html; charset=utf-8"));
        let style = html.text().split("href=\"").find(|part| part.starts_with("/assets/")).unwrap().split('"').next().unwrap().to_owned();
        let asset = anonymous.call("GET", style).send();
        assert_eq!((asset.status, asset.header("cache-control")), (200, Some("public, max-age=31536000, immutable")));
        for (name, answer) in [
            ("page", html),
            ("overview", page(&anonymous, &cookie, "/")),
            ("asset", asset),
            ("api", world.coordinator.get("/auth/me")),
            ("problem", anonymous.get("/auth/me")),
            ("unknown page", anonymous.call("GET", "/nowhere").send()),
            ("document", anonymous.call("GET", "/openapi.json").send()),
            ("export", world.coordinator.get("/experts?format=csv")),
        ] {
            for (header, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-opener-policy", "same-origin"),
                ("strict-transport-security", "max-age=31536000"),
            ] {
                assert_eq!(answer.header(header), Some(value), "{name}: {header}");
            }
            let policy = answer.header("content-security-policy").unwrap();
            assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{name}: {policy}");
            assert!(answer.header("x-request-id").is_some_and(|id| id.len() >= 8), "{name}");
            assert!(answer.header("access-control-allow-origin").is_none(), "{name}");
            if name != "asset" {
                assert_eq!(answer.header("cache-control"), Some("no-store"), "{name}");
            }
        }
        // The demo's mailbox exists in the demo only.
        assert_eq!(anonymous.call("GET", "/mailbox").send().problem(404), "not_found");
    }
}
