//! What forms promise: nothing typed is lost, nothing happens twice, nobody's change is overwritten unseen, no other site
//! acts in a person's name.

use chrono::Duration;
use serde_json::json;

use crate::on_both;
use crate::support::flow;
use crate::support::pages::{Browser, form};
use crate::support::world::World;

const STAFF: &str = "staff@hamamatsu.example.jp";
const OFFICE: &str = "coordinator@pref.example.jp";

on_both! {
    fn what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(app) {
        let world = World::new(app);
        let staff = Browser::new(app, STAFF);
        let page = staff.get("/programmes");
        assert!(page.status == 200 && page.text().contains("事業"), "{}", page.text());
        let request = flow::draft(&world);
        let edit = staff.get(&format!("/requests/{request}/edit"));
        let filled = form(&edit.text(), &format!("/do/requests/{request}"));
        assert_eq!((filled.value("/theme"), filled.value("_method"), filled.value("/period_from")), ("窓口業務の見直し", "PATCH", "2026-05-01"));
        // A date that is none and a number that is none are told at once, in the form, with all that was typed.
        let typed = filled.clone().with("/theme", "新しい\"テーマ\"<b>").with("/period_from", "R8.13.1").with("/visit_count", "二");
        let refused = staff.submit(&typed);
        assert_eq!(refused.status, 422, "{}", refused.text());
        let html = refused.text();
        let again = form(&html, &format!("/do/requests/{request}"));
        assert_eq!((again.value("/theme"), again.value("/period_from"), again.value("/visit_count")), ("新しい\"テーマ\"<b>", "R8.13.1", "二"));
        assert!(html.contains("日付で入力してください") && html.contains("数字で入力してください") && !html.contains("<b>"), "{html}");
        assert_eq!(html.matches("aria-invalid=\"true\"").count(), 2, "{html}");
        // What the operation itself finds wrong stands at the field too.
        let refused = staff.submit(&filled.clone().with("/theme", "").with("/period_to", "令和8年4月1日"));
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("aria-invalid=\"true\"") && refused.text().contains("令和8年4月1日"), "{}", refused.text());
        assert_eq!(world.hamamatsu_staff.get(&format!("/requests/{request}")).ok(200)["theme"], "窓口業務の見直し");
        // And then it is right: POST, redirect, GET.
        let done = staff.submit(&filled.with("/theme", "電子申請を広げる").with("/period_from", "令和8年5月2日"));
        let shown = staff.follow(&done);
        assert!(shown.text().contains("電子申請を広げる") && shown.text().contains("完了しました"), "{}", shown.text());
        let now = world.hamamatsu_staff.get(&format!("/requests/{request}")).ok(200);
        assert_eq!((now["theme"].as_str(), now["period_from"].as_str()), (Some("電子申請を広げる"), Some("2026-05-02")));
    }
}

on_both! {
    fn a_button_pressed_twice_acts_once(app) {
        let world = World::new(app);
        let office = Browser::new(app, OFFICE);
        let page = office.get("/programmes/new");
        let filled = form(&page.text(), "/do/programmes").with("/pool_id", &world.pool.to_string()).with("/name", "二度押し事業");
        let (first, second) = (office.submit(&filled), office.submit(&filled));
        assert_eq!((first.status, second.status), (303, 303));
        assert_eq!(first.header("location"), second.header("location"), "both lead to the one that was made");
        let named = world.coordinator.get("/programmes?limit=200").ok(200);
        let count = named["items"].as_array().unwrap().iter().filter(|row| row["name"] == "二度押し事業").count();
        assert_eq!(count, 1);
        // So does a verb.
        let request = flow::submitted(&world);
        let page = office.get(&format!("/requests/{request}/accept"));
        let accept = form(&page.text(), &format!("/do/requests/{request}/accept"));
        assert_eq!((office.submit(&accept).status, office.submit(&accept).status), (303, 303));
        // The page of somebody who came too late says what the state is instead of doing it again.
        let late = office.submit(&accept.with("_key", "another-key-of-another-page"));
        assert!(late.status == 412 || late.status == 409, "{}", late.status);
        assert!(late.text().contains("送信できませんでした"), "{}", late.text());
    }
}

on_both! {
    fn two_editors_see_each_other(app) {
        let world = World::new(app);
        let request = flow::draft(&world);
        let (one, other) = (Browser::new(app, STAFF), Browser::new(app, STAFF));
        let action = format!("/do/requests/{request}");
        let page = |browser: &Browser| form(&browser.get(&format!("/requests/{request}/edit")).text(), &action);
        let (mine, theirs) = (page(&one), page(&other));
        assert_eq!(other.submit(&theirs.with("/place", "浜松市防災学習センター")).status, 303);
        let stale = one.submit(&mine.with("/theme", "わたしのテーマ"));
        assert_eq!(stale.status, 412, "{}", stale.text());
        let html = stale.text();
        assert!(html.contains("浜松市防災学習センター") && html.contains("<del>浜松市役所</del>"), "{html}");
        let again = form(&html, &action);
        assert_eq!(again.value("/theme"), "わたしのテーマ", "what I typed is still there");
        // Whoever has seen it may go on; what was not touched stays as the other left it.
        assert_eq!(again.value("/place"), "浜松市防災学習センター", "untouched by me, it is theirs");
        assert_eq!(one.submit(&again).status, 303);
        let now = world.hamamatsu_staff.get(&format!("/requests/{request}")).ok(200);
        assert_eq!((now["theme"].as_str(), now["place"].as_str()), (Some("わたしのテーマ"), Some("浜松市防災学習センター")));
    }
}

on_both! {
    fn an_ended_session_loses_no_text(app) {
        let world = World::new(app);
        let request = flow::draft(&world);
        let staff = Browser::new(app, STAFF);
        let action = format!("/do/requests/{request}");
        let long = "長い時間をかけて書いた文。".repeat(230);
        let filled = form(&staff.get(&format!("/requests/{request}/edit")).text(), &action)
            .with("/theme", "長い時間をかけて書いた文")
            .with("/background", &long)
            .with("/visit_count", "三");
        crate::support::tools::sql(app, "UPDATE sessions SET ended_at = '2026-04-01 00:00:00' WHERE kind = 'web'").unwrap();
        let asked = staff.submit(&filled);
        assert_eq!(asked.status, 401);
        assert!(asked.text().contains("入力した内容は残っています"), "{}", asked.text());
        let sign_in = form(&asked.text(), "/sign-in");
        let back = staff.submit(&sign_in.with("email", STAFF).with("password", crate::support::world::PASSWORD));
        assert_eq!(back.status, 200, "{}", back.text());
        let cookie = back.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let signed_in = Browser::with_cookie(app, &cookie);
        let resumed = signed_in.submit(&form(&back.text(), "/resume"));
        assert_eq!(resumed.status, 200, "{}", resumed.text());
        let again = form(&resumed.text(), &action);
        assert_eq!((again.value("/theme"), again.value("/background"), again.value("/visit_count")), ("長い時間をかけて書いた文", &*long, "三"));
        let again = again.with("/visit_count", "3");
        assert!(resumed.text().contains("まだ送信していません"));
        assert_eq!(world.hamamatsu_staff.get(&format!("/requests/{request}")).ok(200)["theme"], "窓口業務の見直し", "nothing was sent yet");
        assert_eq!(signed_in.submit(&again).status, 303);
        assert_eq!(world.hamamatsu_staff.get(&format!("/requests/{request}")).ok(200)["theme"], "長い時間をかけて書いた文");
    }
}

on_both! {
    fn who_leaves_the_desk_is_signed_out_and_who_works_is_not(app) {
        let world = World::new(app);
        let request = flow::draft(&world);
        let (staff, idle) = (Browser::new(app, STAFF), Browser::new(app, STAFF));
        let page = format!("/requests/{request}/edit");
        let filled = form(&idle.get(&page).text(), &format!("/do/requests/{request}")).with("/theme", "席を外す前に書いた文");
        for _ in 0..3 {
            app.advance(Duration::minutes(50));
            assert_eq!(staff.get(&page).status, 200, "an hour begins anew with each page");
        }
        let turned = idle.get(&page);
        assert_eq!(turned.status, 303);
        assert!(turned.header("location").unwrap().starts_with("/sign-in?next="));
        let asked = idle.submit(&filled);
        assert_eq!(asked.status, 401);
        assert!(asked.text().contains("入力した内容は残っています"), "{}", asked.text());
        app.advance(Duration::minutes(61));
        assert_eq!(staff.get(&page).status, 303);
    }
}

on_both! {
    fn saving_a_form_as_it_is_changes_nothing(app) {
        let world = World::new(app);
        let names = ["三番 花子", "一番 太郎", "二番 次郎"];
        let experts: Vec<i64> = names.iter().enumerate().map(|(n, name)| flow::expert(&world, name, &format!("e{n}@example.jp"))).collect();
        // A body outside the pools has an interest, experts are wished for in an order of their own.
        let mut body = flow::request_body(&world);
        body["leave_to_office"] = json!(false);
        body["preferred_expert_ids"] = json!([experts[2], experts[0], experts[1]]);
        body["interested_organisation_ids"] = json!([world.outsider]);
        let staff = &world.hamamatsu_staff;
        let request = flow::id(&staff.post("/requests", &body), 201);
        let before = staff.get(&format!("/requests/{request}")).ok(200);
        let browser = Browser::new(app, STAFF);
        let filled = form(&browser.get(&format!("/requests/{request}/edit")).text(), &format!("/do/requests/{request}"));
        assert_eq!(browser.submit(&filled.with("/contact_phone", "053-457-9999")).status, 303);
        let after = staff.get(&format!("/requests/{request}")).ok(200);
        assert_eq!(after["contact_phone"], "053-457-9999");
        for same in ["preferred_experts", "interested_organisations", "leave_to_office", "participants"] {
            assert_eq!(before[same], after[same], "{same}");
        }
        let order: Vec<&serde_json::Value> = after["preferred_experts"].as_array().unwrap().iter().map(|one| &one["expert_id"]).collect();
        assert_eq!(order, [&json!(experts[2]), &json!(experts[0]), &json!(experts[1])]);
    }
}

on_both! {
    fn a_form_of_one_body_is_not_sent_for_another(app) {
        let world = World::new(app);
        let staff = Browser::new(app, STAFF);
        let new = form(&staff.get("/requests/new").text(), "/do/requests");
        crate::support::tools::sql(
            app,
            &format!(
                "INSERT INTO memberships (user_id, organisation_id, role, valid_from, created_at, updated_at)
                 SELECT id, {}, 'municipal_staff', '2026-01-01', '2026-01-01 00:00:00', '2026-01-01 00:00:00' FROM users WHERE email = '{STAFF}'",
                world.prefecture
            ),
        )
        .unwrap();
        crate::support::tools::sql(app, "UPDATE sessions SET membership_id = (SELECT MAX(id) FROM memberships) WHERE kind = 'web'").unwrap();
        let asked = staff.submit(&new.with("/theme", "前の所属で書いた申請"));
        assert_eq!(asked.status, 200, "{}", asked.text());
        assert!(asked.text().contains("まだ送信していません") && asked.text().contains("前の所属で書いた申請"), "{}", asked.text());
        // Signing out works from a page made before the change.
        let left = staff.send("/sign-out", &[("csrf".to_owned(), "of-an-earlier-session".to_owned())]);
        assert_eq!((left.status, left.header("location")), (303, Some("/sign-in")));
        assert_eq!(staff.get("/account").status, 303);
    }
}

on_both! {
    fn what_is_sent_to_harm_harms_nobody(app) {
        let _ = World::new(app);
        let staff = Browser::new(app, STAFF);
        let fields = |name: &str, count: usize| vec![(name.to_owned(), "x".to_owned()); count];
        // Neither signed in nor not: nesting without end, fields without end, bytes without end.
        for browser in [&staff, &Browser::with_cookie(app, "tasuki=unknown")] {
            let deep = browser.send("/do/requests", &fields(&"/".repeat(200_000), 1));
            assert!(deep.status < 500, "{}", deep.status);
            let many = browser.send("/do/requests", &fields("a", 6_000));
            assert_eq!(many.status, 413);
            assert!(many.text().contains("データが大きすぎます"), "{}", many.text());
        }
        let long = Browser::with_cookie(app, "tasuki=unknown").send("/do/requests", &[("/theme".to_owned(), "x".repeat(8 << 20))]);
        assert_eq!(long.status, 413);
        assert_eq!(staff.get("/account").status, 200, "the service goes on");
    }
}

on_both! {
    fn a_filter_is_kept_under_a_name_and_is_nobody_elses(app) {
        let world = World::new(app);
        let _ = flow::draft(&world);
        let (staff, office) = (Browser::new(app, STAFF), Browser::new(app, OFFICE));
        assert!(!staff.get("/requests").text().contains("/do/saved-filters"), "without conditions there is nothing to keep");
        let narrowed = "/requests?stage=draft&stage=returned&q=%E7%AA%93%E5%8F%A3";
        let keep = form(&staff.get(narrowed).text(), "/do/saved-filters");
        let refused = staff.submit(&keep.clone().with("/name", ""));
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("入力してください"), "{}", refused.text());
        assert_eq!(staff.submit(&keep.with("/name", "窓口の下書き")).status, 303);
        let list = staff.get("/requests").text();
        let href = "/requests?stage=draft%2Creturned&amp;q=%E7%AA%93%E5%8F%A3";
        assert!(list.contains(&format!(r#"<a href="{href}">窓口の下書き</a>"#)), "{list}");
        let there = staff.get(&href.replace("&amp;", "&")).text();
        assert!(there.contains(r#"aria-current="true">窓口の下書き"#) && !there.contains("/do/saved-filters"), "{there}");
        assert!(there.contains("窓口業務の見直し"), "it shows what it found before");
        assert!(!office.get("/requests").text().contains("窓口の下書き"));

        // The same name again holds other conditions; what is no list and what the list does not know is refused.
        let client = &world.hamamatsu_staff;
        let body = |page: &str, query: &str| json!({"page": page, "name": "窓口の下書き", "query": query});
        let again = client.post("/saved-filters", &body("/requests", "stage=draft&cursor=x&limit=3")).ok(200);
        assert_eq!(again["query"], "stage=draft");
        assert_eq!(client.get("/saved-filters?page=/requests").ok(200)["items"].as_array().unwrap().len(), 1);
        for (page, query, pointer) in [
            ("/requests/1", "stage=draft", "/page"),
            ("//evil.example", "stage=draft", "/page"),
            ("/requests", "colour=red", "/query"),
            ("/requests", "cursor=x", "/query"),
        ] {
            let answer = client.post("/saved-filters", &body(page, query));
            assert_eq!(answer.problem(422), "validation_failed");
            assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{page} {query}");
        }
        let id = again["id"].as_i64().unwrap();
        assert_eq!(world.coordinator.post(&format!("/saved-filters/{id}/remove"), &json!({})).problem(404), "not_found");
        let all = staff.get("/saved-filters").text();
        assert!(all.contains("進み具合：下書き"), "{all}");
        assert_eq!(staff.submit(&form(&all, &format!("/do/saved-filters/{id}/remove"))).status, 303);
        assert!(!staff.get("/requests").text().contains("窓口の下書き"));
    }
}

on_both! {
    fn nobody_else_sends_a_form(app) {
        let world = World::new(app);
        let request = flow::draft(&world);
        let staff = Browser::new(app, STAFF);
        let action = format!("/do/requests/{request}/submit");
        let page = staff.get(&format!("/requests/{request}"));
        let button = form(&page.text(), &action);
        let body = |fields: &[(String, String)]| form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let cookie = Browser::new(app, STAFF);
        for (name, value) in [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")] {
            let answer = app.anonymous().call("POST", &action).bytes("application/x-www-form-urlencoded", body(&button.fields)).header(name, value).send();
            assert_eq!(answer.status, 403, "{name}");
        }
        // Without the session's own value nothing is done: the page is shown again.
        let without = cookie.submit(&button.clone().with("csrf", "0000"));
        assert_eq!(without.status, 200);
        assert_eq!(world.hamamatsu_staff.get(&format!("/requests/{request}")).ok(200)["status"], "draft");
        // Nothing changes by opening an address, and the way of forms is no way to the API's answers.
        for path in [action.as_str(), "/files/requests", "/files/auth/me", "/do/requests"] {
            let answer = staff.get(path);
            assert!(answer.status == 404 || answer.status == 405, "{path}: {}", answer.status);
            assert!(!answer.header("content-type").unwrap().contains("application/json"), "{path}");
        }
        // Where a form leads is a page of this service.
        for next in ["//evil.example/", "https://evil.example/", "/\\evil.example", "/do/auth/logout"] {
            let answer = staff.submit(&form(&staff.get("/notification-preferences").text(), "/notification-preferences").with("_next", next));
            assert!(!answer.header("location").unwrap_or_default().contains("evil"), "{next}");
        }
        let sent = staff.submit(&button.with("_next", "//evil.example/"));
        assert!(sent.header("location").unwrap().starts_with("/requests/"), "{:?}", sent.header("location"));
    }
}

on_both! {
    fn files_are_what_the_api_gives(app) {
        let world = World::new(app);
        flow::submitted(&world);
        let office = Browser::new(app, OFFICE);
        let page = office.get("/files/requests?format=csv&stage=submitted");
        let api = world.coordinator.get("/requests?format=csv&stage=submitted");
        assert_eq!((page.status, page.header("content-type"), &page.bytes), (200, api.header("content-type"), &api.bytes));
        assert_eq!(app.anonymous().call("GET", "/files/requests?format=csv").send().status, 303, "who is not signed in signs in");
        let uploaded = flow::draft(&world);
        let boundary = "BOUNDARY";
        let staff = Browser::new(app, STAFF);
        let html = staff.get(&format!("/requests/{uploaded}/attachments/new")).text();
        let filled = form(&html, &format!("/do/requests/{uploaded}/attachments"));
        let mut body = String::new();
        for (name, value) in &filled.fields {
            body.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
        }
        body.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"/content_base64\"; filename=\"資料.txt\"\r\nContent-Type: text/plain\r\n\r\nこんにちは\r\n--{boundary}--\r\n"));
        let answer = staff.upload(&filled.action, boundary, body);
        assert_eq!(answer.status, 303, "{}", answer.text());
        let list = world.hamamatsu_staff.get(&format!("/requests/{uploaded}/attachments")).ok(200);
        assert_eq!((list["items"][0]["file_name"].as_str(), list["items"][0]["size_bytes"].as_i64()), (Some("資料.txt"), Some(15)));
    }
}

on_both! {
    fn the_language_is_chosen_and_kept(app) {
        World::new(app);
        let staff = Browser::new(app, STAFF);
        let japanese = staff.get("/menu").text();
        assert!(japanese.contains("lang=\"ja\"") && japanese.contains("すべてのページ"));
        let chosen = staff.submit(&form(&japanese, "/language"));
        assert_eq!((chosen.status, chosen.header("location")), (303, Some("/menu")));
        let language = chosen.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let both = Browser::with_cookie(app, &format!("{}; {language}", staff.cookie()));
        let english = both.get("/menu").text();
        assert!(english.contains("lang=\"en\"") && english.contains("All pages"), "{english}");
        assert!(both.get("/requests").text().contains("Requests"));
    }
}

on_both! {
    fn people_move_on_the_first_of_april(app) {
        let world = World::new(app);
        let staff_request = flow::draft(&world);
        let people = world.coordinator.get("/users?limit=200").ok(200);
        let id = |email: &str| {
            people["items"].as_array().unwrap().iter().find(|person| person["email"] == email).unwrap()["id"].as_i64().unwrap()
        };
        let leaver = id(STAFF);
        crate::support::world::user(app, "next@hamamatsu.example.jp", "次の 担当", world.kosai, tasuki::auth::policy::Role::MunicipalStaff);
        let successor = {
            let people = world.coordinator.get("/users?q=next").ok(200);
            people["items"][0]["id"].as_i64().unwrap()
        };
        let on = app.app.clock.now().jst_day() + Duration::days(1);
        let wrong = world.coordinator.post("/users/hand-over", &json!({"on": on, "items": [{"user_id": leaver, "successor_id": leaver}]}));
        assert_eq!(wrong.problem(422), "validation_failed");
        // By the page, as the office does it.
        let office = Browser::new(app, OFFICE);
        let filled = form(&office.get("/users/hand-over").text(), "/do/users/hand-over")
            .with("/on", &on.to_string())
            .with("/items/0/user_id", &leaver.to_string())
            .with("/items/0/successor_id", &successor.to_string());
        let done = office.submit(&filled);
        assert_eq!(done.status, 303, "{}", done.text());
        let request = world.coordinator.get(&format!("/requests/{staff_request}"));
        assert_eq!(request.status, 404, "a draft is its writers' alone");
        let person = world.coordinator.get(&format!("/users/{successor}")).ok(200);
        let given = person["memberships"].as_array().unwrap().iter().find(|m| m["organisation_id"] == world.hamamatsu).unwrap();
        assert_eq!(given["valid_from"], on.to_string());
        let ended = world.coordinator.get(&format!("/users/{leaver}")).ok(200);
        assert!(ended["memberships"].as_array().unwrap().iter().all(|m| m["valid_to"] == on.to_string()), "{ended}");
        let contact = world.hamamatsu_staff.get(&format!("/requests/{staff_request}")).ok(200);
        assert_eq!(contact["contact_email"], "next@hamamatsu.example.jp");
    }
}
