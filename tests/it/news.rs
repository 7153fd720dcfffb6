//! Who is told of changes to an account, a placement and a calendar, and of a claim that was not paid.

use serde_json::json;

use crate::on_both;
use crate::support::flow::{self, visit_on};
use crate::support::server::TestApp;
use crate::support::world::{PASSWORD, World, preset};

const EXPERT: &str = "expert@example.jp";
const OFFICE: &str = "coordinator@pref.example.jp";
const STAFF: &str = "staff@hamamatsu.example.jp";

/// The texts of the mails to somebody that hold some words.
fn said(app: &TestApp, to: &str, words: &str) -> Vec<String> {
    app.mails_to(to).into_iter().map(|sent| sent.mail.text).filter(|text| text.contains(words)).collect()
}

on_both! {
    fn changes_to_an_account_are_told_to_its_person_alone(app) {
        let world = World::new(app);
        let new = json!({"current_password": PASSWORD, "new_password": "あたらしくて長い合い言葉です。"});
        world.hamamatsu_staff.post("/auth/password", &new).ok(200);
        let mails = said(app, STAFF, "パスワードが変更されました。");
        assert_eq!(mails.len(), 1);
        assert!(mails[0].contains("\n変更日時：令和8年4月6日") && !mails[0].contains("変更した人"), "{}", mails[0]);
        assert!(mails[0].contains("心当たりがないとき"), "{}", mails[0]);
        assert!(said(app, OFFICE, "パスワードが変更").is_empty());
        assert_eq!(world.hamamatsu_staff.get("/notices").ok(200)["items"], json!([]), "no notice beside it: who came in would see it first");
        // Another address: the one before is told, by whom as well.
        let users = world.coordinator.get("/users?limit=50").ok(200);
        let user = users["items"].as_array().unwrap().iter().find(|user| user["email"] == STAFF).unwrap().clone();
        let path = format!("/users/{}", user["id"]);
        world.coordinator.patch(&path, &json!({"name": "別の 名前"})).ok(200);
        world.coordinator.patch(&path, &json!({"email": "new@hamamatsu.example.jp"})).ok(200);
        let mails = said(app, STAFF, "メールアドレスが変更されました");
        assert_eq!(mails.len(), 1);
        assert!(mails[0].contains("変更した人：静岡 花子"), "{}", mails[0]);
        assert!(app.mails_to("new@hamamatsu.example.jp").is_empty());
    }
}

on_both! {
    fn a_placement_is_told_to_host_and_person_when_it_is_made_changed_and_cancelled(app) {
        let world = World::new(app);
        let programme = flow::programme(&world, "共通人材の配属", &preset(&world.coordinator, "hiroshima_posting"));
        let expert = flow::expert(&world, "見本 太郎", EXPERT);
        let place = json!({"programme_id": programme, "expert_id": expert, "host_organisation_id": world.hamamatsu, "share_percent": 60,
            "valid_from": "2026-05-01", "valid_to": "2027-04-01", "legal_basis": "staff_dispatch_art252_17"});
        let posting = format!("/postings/{}", flow::id(&world.coordinator.post("/postings", &place), 201));
        let host = said(app, STAFF, "見本 太郎氏の浜松市への配属が決まりました。");
        assert_eq!(host.len(), 1);
        assert!(host[0].contains("\n最初の日：令和8年5月1日") && host[0].contains("\n最終日：令和9年3月31日") && host[0].contains("60%"), "{}", host[0]);
        assert_eq!(said(app, EXPERT, "あなたの浜松市への配属が決まりました。").len(), 1);
        world.coordinator.patch(&posting, &json!({"note": "庁内での呼び名は別"})).ok(200);
        assert!(said(app, STAFF, "配属が変更されました").is_empty(), "a remark changes nothing for them");
        world.coordinator.patch(&posting, &json!({"share_percent": 50})).ok(200);
        assert_eq!((said(app, STAFF, "配属が変更されました").len(), said(app, EXPERT, "配属が変更されました").len()), (1, 1));
        world.coordinator.verb(&posting, "cancel", &json!({"reason": "本人の都合"})).ok(200);
        let mails = said(app, EXPERT, "配属は取り消されました");
        assert!(mails.len() == 1 && !mails[0].contains("本人の都合"), "why is the office's own affair: {mails:?}");
        let events: Vec<String> = world.hamamatsu_staff.get("/notices").ok(200)["items"].as_array().unwrap().iter()
            .map(|notice| notice["event"].as_str().unwrap().to_owned()).collect();
        assert_eq!(events, ["posting.cancelled", "posting.changed", "posting.decided"]);
    }
}

on_both! {
    fn visits_that_an_expert_can_no_longer_keep_are_told_to_the_office_once(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", EXPERT);
        flow::dispatched_on(&world, expert, &["2026-05-11", "2026-05-18"]);
        let away = |exceptions: serde_json::Value| {
            let path = format!("/experts/{expert}");
            world.coordinator.put_at(&path, "availability", &json!({"weekly": [], "exceptions": exceptions})).ok(200);
        };
        let told = || said(app, OFFICE, "予定された訪問");
        let other = json!({"kind": "leave", "first_day": "2026-05-12", "last_day": "2026-05-17"});
        let leave = json!({"kind": "leave", "first_day": "2026-05-18", "last_day": "2026-05-20"});
        away(json!([other]));
        assert!(told().is_empty(), "no visit falls into it");
        away(json!([other, leave]));
        assert_eq!(told().len(), 1);
        assert!(told()[0].contains("予定された訪問1回と重なりました") && told()[0].contains("令和8年5月18日") && told()[0].contains("浜松市"), "{}", told()[0]);
        assert!(!told()[0].contains("令和8年5月11日"), "{}", told()[0]);
        // What is known already is not told again with other days.
        away(json!([leave, {"kind": "unavailable", "first_day": "2026-06-01", "last_day": "2026-06-02"}]));
        assert_eq!(told().len(), 1);
        // For a time of the day.
        let begins = visit_on("2026-05-11")["start_minute"].as_i64().unwrap();
        let part = |from: i64, to: i64| json!({"kind": "unavailable", "first_day": "2026-05-11", "last_day": "2026-05-11", "start_minute": from, "end_minute": to});
        away(json!([leave, part(0, begins)]));
        assert_eq!(told().len(), 1, "it ends when the visit begins");
        away(json!([leave, part(0, begins + 1)]));
        assert_eq!(told().len(), 2);
        // What was promised and is not decided yet counts as well.
        let promised = flow::accepted(&world);
        let offer = flow::offer(&world, promised, expert, &[visit_on("2026-05-25")]);
        flow::accept_offer(&world, offer).ok(200);
        away(json!([leave, part(0, begins + 1), {"kind": "leave", "first_day": "2026-05-25", "last_day": "2026-05-25"}]));
        assert_eq!(told().len(), 3);
        assert!(told()[2].contains("令和8年5月25日"), "{}", told()[2]);
        world.coordinator.verb(&format!("/experts/{expert}"), "suspend", &json!({"reason": "事情により"})).ok(200);
        let mails = said(app, OFFICE, "登録が一時停止となりました。予定された訪問が3回あります。");
        assert_eq!(mails.len(), 1);
    }
}

on_both! {
    fn a_claim_not_paid_in_time_is_told_the_day_after_and_thirty_days_after(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let programme = flow::programme(&world, "共通人材の配属", &preset(office, "hiroshima_posting"));
        let expert = flow::expert(&world, "見本 太郎", EXPERT);
        office.post("/postings", &json!({"programme_id": programme, "expert_id": expert, "host_organisation_id": world.hamamatsu,
            "share_percent": 100, "valid_from": "2026-04-01", "valid_to": "2027-04-01", "legal_basis": "staff_dispatch_art252_17"})).ok(201);
        app.set_time("2026-07-10T09:00:00+09:00");
        office.post(&format!("/programmes/{programme}/placement-costs"),
            &json!({"expert_id": expert, "month": "2026-06-01", "component": "salary", "amount_yen": 300_000})).ok(201);
        let placement = json!({"programme_id": programme, "expert_id": expert, "from": "2026-06-01", "to": "2026-07-01"});
        let settlement = format!("/settlements/{}", flow::id(&office.post("/settlements", &json!({"placement": placement})), 201));
        office.verb(&settlement, "calculate", &json!({})).ok(200);
        office.verb(&settlement, "confirm", &json!({})).ok(200);
        let billed = office.verb(&settlement, "bill", &json!({"due_on": ["2026-07-31", "2026-08-31", "2026-09-30"]})).ok(200);
        let claim = format!("/claims/{}", billed["claims"][0]["id"]);
        let told = |to: &str| said(app, to, "期限を過ぎても入金済みになっていません。");
        let on = |time: &str| {
            app.set_time(time);
            for _ in 0..2 {
                app.advance(chrono::Duration::minutes(11));
                app.run_jobs();
            }
        };
        on("2026-07-31T22:00:00+09:00");
        assert!(told(STAFF).is_empty(), "the due day is in time");
        on("2026-08-01T09:00:00+09:00");
        let mails = told(STAFF);
        assert_eq!((mails.len(), told(OFFICE).len()), (1, 1));
        assert!(mails[0].starts_with("静岡県への負担金100,000円が、"), "{}", mails[0]);
        assert!(mails[0].contains("支払期限：令和8年7月31日"), "{}", mails[0]);
        assert!(told(OFFICE)[0].starts_with("浜松市からの負担金100,000円が、"), "{}", told(OFFICE)[0]);
        on("2026-08-29T09:00:00+09:00");
        assert_eq!(told(STAFF).len(), 1);
        on("2026-08-30T09:00:00+09:00");
        assert_eq!(told(STAFF).len(), 2, "thirty days after");
        // A part paid: what was due first is done, and the next one is spoken of in its time, by what is left of it.
        office.verb(&claim, "pay", &json!({"paid_on": "2026-08-30", "amount_yen": 150_000})).ok(200);
        on("2026-08-31T20:00:00+09:00");
        assert_eq!(told(STAFF).len(), 2);
        on("2026-09-01T09:00:00+09:00");
        let mails = told(STAFF);
        assert!(mails.len() == 3 && mails[2].contains("負担金50,000円") && mails[2].contains("令和8年8月31日"), "{}", mails[2]);
        office.verb(&claim, "pay", &json!({"paid_on": "2026-09-01", "amount_yen": 150_000})).ok(200);
        on("2026-12-01T09:00:00+09:00");
        assert_eq!(told(STAFF).len(), 3);
    }
}

on_both! {
    fn an_expert_with_an_account_is_told_in_its_language(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", EXPERT);
        let (user, _) = crate::support::world::user(app, "account@example.jp", "見本 太郎", world.prefecture, tasuki::auth::policy::Role::Expert);
        world.coordinator.patch(&format!("/experts/{expert}"), &json!({"user_id": user.0})).ok(200);
        world.coordinator.patch(&format!("/users/{}", user.0), &json!({"locale": "en"})).ok(200);
        let case = flow::dispatched(&world, expert);
        assert_eq!(said(app, EXPERT, "What to do: ").len(), 2, "the offer and the decision: {:#?}", said(app, EXPERT, ""));
        let move_it = json!({"reason": "会場の都合", "move": [{"visit_id": case.visits[0], "visit": visit_on("2026-05-19")}]});
        world.coordinator.verb(&format!("/dispatches/{}", case.dispatch), "amend", &move_it).ok(200);
        let mails = said(app, EXPERT, "Check the changes below.");
        assert_eq!(mails.len(), 1);
        assert!(mails[0].contains("Visit: 2026-05-") && !mails[0].contains("日程"), "the change is in English as well: {}", mails[0]);
        assert_eq!(said(app, STAFF, "日程：").len(), 1, "the others keep theirs");
    }
}
