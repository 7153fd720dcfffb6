//! Prefectures, municipalities and other bodies: what is built in, what a code list changes, who may add and change.

use serde_json::{Value, json};
use tasuki::auth::policy::Role;
use tasuki::imports::table::{TableLimits, read_table};
use tasuki::organisations::import::{Report, import_organisations};

use crate::on_both;
use crate::support::client::Client;
use crate::support::flow::{self, id};
use crate::support::server::TestApp;
use crate::support::world::{World, body, member};

fn bodies(client: &Client, query: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("/organisations?limit=200&{query}{cursor}")).ok(200);
        found.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

fn codes(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["lg_code"].as_str().unwrap()).collect()
}

on_both! {
    fn the_built_in_bodies_are_complete(app) {
        let client = member(app, "admin@example.jp", "管理", body(app, "220001"), Role::SystemAdmin);
        let prefectures = bodies(&client, "kinds=prefecture");
        assert_eq!(prefectures.len(), 47);
        let list = codes(&prefectures);
        assert_eq!((list[0], list[46]), ("010006", "470007"), "leading zeros are kept, order is by code");
        for (code, municipalities) in [("220001", 35), ("340006", 23), ("380008", 20), ("270008", 43)] {
            let found = bodies(&client, &format!("kinds=city,town,village,special_ward&prefecture_id={}", body(app, code)));
            assert_eq!(found.len(), municipalities, "{code}");
            let mut sorted = codes(&found);
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), municipalities, "{code}");
            assert!(found.iter().all(|row| row["kana"] != "" && row["latitude"].is_f64() && row["longitude"].is_f64()), "{code}");
        }
        let hamamatsu = &bodies(&client, "lg_code=221309")[0];
        assert_eq!((&hamamatsu["name"], &hamamatsu["kana"], &hamamatsu["kind"]), (&json!("浜松市"), &json!("はままつし"), &json!("city")));
        for typed in ["はままつ", "ﾊﾏﾏﾂ", "ハママツ", "浜松"] {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", typed).finish();
            assert_eq!(codes(&bodies(&client, &query)), ["221309"], "{typed}");
        }
        assert!(bodies(&client, "q=%25").is_empty(), "a percent sign is a character, not a pattern");
        assert_eq!(client.get("/organisations?kinds=kingdom").problem(400), "unknown_parameter");
        assert!(bodies(&client, "lg_code=221308").is_empty());
    }
}

/// A line of the ministry's list.
fn line(code: &str, prefecture: &str, name: &str, prefecture_kana: &str, kana: &str) -> String {
    format!("{code},{prefecture},{name},{prefecture_kana},{kana}\r\n")
}

/// The list as a municipal desk sends it on: Windows-31J, without the zeros that a spreadsheet drops.
fn code_list(lines: &[String]) -> Vec<u8> {
    let text =
        format!("団体コード,都道府県名（漢字）,市区町村名（漢字）,都道府県名（カナ）,市区町村名（カナ）\r\n{}", lines.concat());
    let (bytes, _, failed) = encoding_rs::SHIFT_JIS.encode(&text);
    assert!(!failed);
    bytes.into_owned()
}

fn import(app: &TestApp, file: &[u8], dry_run: bool) -> Report {
    let table = read_table(file, "code.csv", &TableLimits::default()).unwrap();
    let now = app.app.clock.now();
    app.app.db.write_blocking(|conn| import_organisations(conn, now, &table, dry_run)).unwrap()
}

on_both! {
    fn a_code_list_adds_and_renames_and_never_closes(app) {
        let client = member(app, "admin@example.jp", "管理", body(app, "220001"), Role::SystemAdmin);
        let before = bodies(&client, "").len();
        let lines = [
            line("10006", "北海道", "", "ﾎｯｶｲﾄﾞｳ", ""),
            line("11002", "北海道", "札幌市", "ﾎｯｶｲﾄﾞｳ", "ｻｯﾎﾟﾛｼ"),
            line("11011", "北海道", "札幌市中央区", "ﾎｯｶｲﾄﾞｳ", "ｻｯﾎﾟﾛｼﾁｭｳｵｳｸ"),
            line("012025", "北海道", "函館市", "ﾎｯｶｲﾄﾞｳ", "ﾊｺﾀﾞﾃｼ"),
            line("222216", "静岡県", "湖西新市", "ｼｽﾞｵｶｹﾝ", "ｺｻｲｼﾝｼ"),
        ];
        let file = code_list(&lines);
        let dry = import(app, &file, true);
        assert!(!dry.applied);
        assert_eq!(dry.errors, []);
        assert_eq!(dry.added.iter().map(|body| (body.lg_code.as_str(), body.name.as_str())).collect::<Vec<_>>(), [("011002", "札幌市"), ("012025", "函館市")]);
        assert_eq!(dry.changed.iter().map(|body| (body.old_name.as_str(), body.new_name.as_str())).collect::<Vec<_>>(), [("湖西市", "湖西新市")]);
        assert_eq!(dry.unchanged, 1, "北海道");
        assert_eq!(dry.skipped.iter().map(|row| (row.lg_code.as_str(), row.reason)).collect::<Vec<_>>(), [("011011", "ward_of_designated_city")]);
        // Every other body of the two prefectures is told to be missing.
        assert_eq!(dry.missing.len(), 35, "静岡県 and 34 municipalities");
        assert!(dry.missing.iter().any(|body| body.lg_code == "221309"));
        assert_eq!(bodies(&client, "").len(), before, "a dry run changes nothing");
        let done = import(app, &file, false);
        assert!(done.applied);
        assert_eq!((done.added.len(), done.missing.len()), (2, 35));
        let sapporo = &bodies(&client, "lg_code=011002")[0];
        assert_eq!((&sapporo["kana"], &sapporo["prefecture_id"]), (&json!("さっぽろし"), &json!(body(app, "010006"))));
        assert_eq!(bodies(&client, "lg_code=222216")[0]["name"], "湖西新市");
        assert!(bodies(&client, "lg_code=221309")[0].get("valid_to").is_none(), "missing, but not closed");
        assert_eq!(bodies(&client, "").len(), before + 2);
        // Once more: nothing to do.
        let again = import(app, &file, false);
        assert_eq!((again.added.len(), again.changed.len(), again.unchanged), (0, 0, 4));
    }
}

on_both! {
    fn a_list_with_a_wrong_row_changes_nothing(app) {
        let client = member(app, "admin@example.jp", "管理", body(app, "220001"), Role::SystemAdmin);
        let before = bodies(&client, "").len();
        let file = code_list(&[
            line("11002", "北海道", "札幌市", "ﾎｯｶｲﾄﾞｳ", "ｻｯﾎﾟﾛｼ"),
            line("012026", "北海道", "函館市", "ﾎｯｶｲﾄﾞｳ", "ﾊｺﾀﾞﾃｼ"),
            line("990001", "どこか県", "", "ﾄﾞｺｶｹﾝ", ""),
            line("1100x", "北海道", "小樽市", "ﾎｯｶｲﾄﾞｳ", "ｵﾀﾙｼ"),
            line("11002", "北海道", "札幌市", "ﾎｯｶｲﾄﾞｳ", "ｻｯﾎﾟﾛｼ"),
        ]);
        let report = import(app, &file, false);
        assert!(!report.applied);
        let errors: Vec<(usize, &str)> = report.errors.iter().map(|row| (row.line, row.code)).collect();
        assert_eq!(errors, [(3, "lg_code_check_digit"), (4, "lg_code_unknown_prefecture"), (5, "lg_code_not_digits"), (6, "duplicate_code")]);
        assert_eq!(bodies(&client, "").len(), before);
    }
}

on_both! {
    fn bodies_without_a_code_are_registered_in_the_own_prefecture(app) {
        let world = World::new(app);
        let coordinator = &world.coordinator;
        for (kind, parent) in [("school", Some(world.hamamatsu)), ("npo", None), ("board_of_education", Some(world.kosai)), ("council", None), ("partial_association", None)] {
            let mut new = json!({"kind": kind, "name": format!("見本{kind}"), "kana": "みほん"});
            if let Some(parent) = parent {
                new["parent_id"] = json!(parent);
            }
            let answer = coordinator.post("/organisations", &new);
            let created = answer.ok(201);
            assert_eq!(created["prefecture_id"], world.prefecture, "{kind}");
            assert!(created.get("lg_code").is_none());
            assert_eq!(answer.header("location"), Some(format!("/api/v1/organisations/{}", created["id"]).as_str()));
            let parent = if kind == "council" { Some(world.prefecture) } else { parent };
            assert_eq!(created.get("parent_id").and_then(Value::as_i64), parent, "{kind}");
        }
        let wrong = |body: &Value| {
            let answer = coordinator.post("/organisations", body);
            assert_eq!(answer.problem(422), "validation_failed");
            answer.wrong()
        };
        assert_eq!(wrong(&json!({"kind": "city", "name": "新市"})), ["/kind has_code"]);
        assert_eq!(wrong(&json!({"kind": "npo", "name": "よそ", "prefecture_id": world.stranger_prefecture})), ["/prefecture_id not_yours"]);
        assert_eq!(wrong(&json!({"kind": "school", "name": "よそ", "parent_id": world.stranger_prefecture})), ["/parent_id not_yours"]);
        assert_eq!(wrong(&json!({"kind": "school", "name": "", "contact_email": "x"})), ["/name required", "/contact_email not_an_address"]);
        assert_eq!(wrong(&json!({"kind": "school", "name": "学\u{202e}校"})), ["/name bidi_control"]);
        assert_eq!(coordinator.post("/organisations", &json!({"kind": "school", "name": "学校", "lg_code": "221309"})).problem(400), "malformed_request");
        assert_eq!(world.hamamatsu_staff.post("/organisations", &json!({"kind": "npo", "name": "市のNPO"})).problem(403), "forbidden");
        // Whoever runs the installation may do so anywhere.
        let elsewhere = world.admin.post("/organisations", &json!({"kind": "npo", "name": "愛媛のNPO", "prefecture_id": world.stranger_prefecture}));
        let npo = id(&elsewhere, 201);
        assert_eq!(coordinator.patch(&format!("/organisations/{npo}"), &json!({"name": "改名"})).problem(403), "forbidden");
        world.stranger.patch(&format!("/organisations/{npo}"), &json!({"name": "改名"})).ok(200);
    }
}

on_both! {
    fn a_body_is_changed_by_who_administers_it(app) {
        let world = World::new(app);
        let hamamatsu = format!("/organisations/{}", world.hamamatsu);
        let etag = world.coordinator.get(&hamamatsu).etag();
        let changed = world.coordinator.patch(&hamamatsu, &json!({"contact_email": "dx@city.hamamatsu.example.jp", "requires_approval": true})).ok(200);
        assert_eq!((&changed["contact_email"], &changed["requires_approval"]), (&json!("dx@city.hamamatsu.example.jp"), &json!(true)));
        let stale = world.coordinator.call("PATCH", format!("/api/v1{hamamatsu}")).json(&json!({"requires_approval": false})).header("If-Match", &etag).send();
        assert_eq!(stale.problem(412), "stale_version");
        // The section mailbox is for the body itself and who administers it.
        assert!(world.hamamatsu_staff.get(&hamamatsu).ok(200).get("contact_email").is_some());
        for other in [&world.kosai_staff, &world.stranger] {
            assert!(other.get(&hamamatsu).ok(200).get("contact_email").is_none());
        }
        assert_eq!(world.stranger.patch(&hamamatsu, &json!({"name": "改名"})).problem(403), "forbidden");
        assert_eq!(world.hamamatsu_staff.patch(&hamamatsu, &json!({"name": "改名"})).problem(403), "forbidden");
        assert_eq!(world.coordinator.get("/organisations/999999").problem(404), "not_found");
        // The section mailbox gets a copy of what the staff gets.
        world.coordinator.patch(&hamamatsu, &json!({"requires_approval": false})).ok(200);
        flow::accepted(&world);
        let copies: Vec<String> = app.mails_to("dx@city.hamamatsu.example.jp").into_iter().map(|sent| sent.mail.subject).collect();
        let originals: Vec<String> = app.mails_to("staff@hamamatsu.example.jp").into_iter().map(|sent| sent.mail.subject).collect();
        assert!(!copies.is_empty() && copies == originals, "{copies:?} {originals:?}");
        let cleared = world.coordinator.patch(&hamamatsu, &json!({"contact_email": null})).ok(200);
        assert!(cleared.get("contact_email").is_none());
    }
}

on_both! {
    fn a_merger_is_recorded_by_a_system_administrator(app) {
        let world = World::new(app);
        let kosai = format!("/organisations/{}", world.kosai);
        let end = json!({"valid_to": "2027-01-01", "successor_id": world.hamamatsu});
        assert_eq!(world.coordinator.patch(&kosai, &end).problem(403), "forbidden");
        assert_eq!(world.admin.patch(&kosai, &json!({"successor_id": world.hamamatsu})).wrong(), ["/valid_to required"]);
        assert_eq!(world.admin.patch(&kosai, &json!({"valid_to": "2027-01-01", "successor_id": world.kosai})).wrong(), ["/successor_id not_a_successor"]);
        world.admin.patch(&kosai, &end).ok(200);
        let on = |day: &str| bodies(&world.admin, &format!("lg_code=222216&on={day}")).len();
        assert_eq!((on("2026-12-31"), on("2027-01-01")), (1, 0));
        assert_eq!(world.admin.patch(&format!("/organisations/{}", world.hamamatsu), &json!({"valid_to": "2027-02-01", "successor_id": world.kosai})).wrong(), ["/successor_id not_a_successor"]);
        // A closed body stays closed when a list names it.
        app.set_time("2027-01-02T09:00:00+09:00");
        let report = import(app, &code_list(&[line("222216", "静岡県", "湖西市", "ｼｽﾞｵｶｹﾝ", "ｺｻｲｼ")]), false);
        assert_eq!(report.skipped.iter().map(|row| row.reason).collect::<Vec<_>>(), ["closed"]);
        assert_eq!(on("2027-01-02"), 0);
    }
}
