//! Files: looked at first, taken whole or not at all, and refused when they are broken.

use std::io::{Cursor, Write as _};

use base64::Engine as _;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::client::{Answer, Client};
use crate::support::flow::{self, id, link_in_newest_mail};
use crate::support::world::{PASSWORD, World};

fn upload(client: &Client, kind: &str, target: (&str, i64), name: &str, content: &[u8]) -> Answer {
    let mut body =
        json!({"kind": kind, "file_name": name, "content_base64": base64::engine::general_purpose::STANDARD.encode(content)});
    if !target.0.is_empty() {
        body[target.0] = json!(target.1);
    }
    client.post("/imports", &body)
}

fn experts(world: &World, content: &str) -> Answer {
    upload(&world.coordinator, "experts", ("pool_id", world.pool), "専門家.csv", content.as_bytes())
}

fn users(world: &World, content: &str) -> Answer {
    upload(&world.coordinator, "users", ("", 0), "利用者.csv", content.as_bytes())
}

fn ledger(world: &World, content: &str) -> Answer {
    upload(&world.coordinator, "dispatch_ledger", ("programme_id", world.programme), "台帳.csv", content.as_bytes())
}

fn apply(client: &Client, answer: &Answer) -> Answer {
    client.verb(&format!("/imports/{}", id(answer, 201)), "apply", &json!({}))
}

/// `line column code` of what is wrong.
fn problems(preview: &Value) -> Vec<String> {
    let errors = preview["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| format!("{} {} {}", error["line"], error["column"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect()
}

fn count(client: &Client, list: &str) -> usize {
    client.get(list).ok(200)["items"].as_array().unwrap().len()
}

const EXPERTS: &str = "氏名,フリガナ,メール,所属区分,現地/オンライン,委嘱開始,委嘱終了,備考\r\n";
const USERS: &str = "メール,氏名,団体コード,役割,開始日,終了日\r\n";
const LEDGER: &str = "年度,日付,団体コード,専門家氏名,時間（分）,形態\r\n";

on_both! {
    fn a_list_of_experts_is_looked_at_and_then_taken_whole(app) {
        let world = World::new(app);
        flow::expert(&world, "見本 先", "taken@example.jp");
        let wrong = experts(&world, &format!(
            "{EXPERTS}髙橋 𠮷江,タカハシ,a@example.jp,個人,両方,R8.4.1,R9.3.31,x\r\n,,b@example.jp,個人,両方,2026-04-01,,\r\n見本,,bad,宇宙人,両方,2026-02-30,,\r\n見本,,taken@example.jp,個人,両方,R8.4.1,,\r\n見本,,A@example.jp,個人,現地,R8.4.1,,\r\n"
        ));
        let preview = wrong.ok(201);
        assert_eq!((&preview["row_count"], &preview["status"], &preview["allowed"]), (&json!(5), &json!("previewed"), &json!(["discard"])), "{preview:#}");
        assert_eq!(
            problems(&preview),
            ["3 氏名 required", "4 メール not_an_address", "4 所属区分 unknown_value", "4 委嘱開始 no_such_day", "5 メール already_registered", "6 メール repeated_row"]
        );
        assert_eq!(preview["ignored_columns"], json!(["備考"]));
        assert_eq!(apply(&world.coordinator, &wrong).problem(409), "invalid_transition");
        assert_eq!(count(&world.coordinator, "/experts"), 1, "nothing was taken");

        // As Excel in Japan saves it: Windows-31J.
        let text = format!("{EXPERTS}髙橋 吉江,タカハシ ヨシエ,a@example.jp,個人,両方,R8.4.1,R9.3.31,\r\n見本 次郎,ミホン,b@example.jp,会社員,オンライン,2026/4/1,,\r\n");
        let (bytes, _, failed) = encoding_rs::SHIFT_JIS.encode(&text);
        assert!(!failed);
        let right = upload(&world.coordinator, "experts", ("pool_id", world.pool), "専門家.csv", &bytes);
        let preview = right.ok(201);
        assert_eq!((&preview["error_count"], preview["preview"].as_array().unwrap().len()), (&json!(0), 2), "{preview:#}");
        assert_eq!(count(&world.coordinator, "/experts"), 1, "a preview writes nothing");
        assert_eq!(apply(&world.coordinator, &right).ok(200)["status"], "applied");
        let list = world.coordinator.get("/experts").ok(200);
        let found = list["items"].as_array().unwrap().iter().find(|row| row["name"] == "髙橋 吉江").unwrap_or_else(|| panic!("{list:#}"));
        let expert = world.coordinator.get(&format!("/experts/{}", found["id"])).ok(200);
        assert_eq!((&expert["onsite"], &expert["online"], &expert["appointed_to"]), (&json!(true), &json!(true), &json!("2027-04-01")), "the last day still counts");
        assert_eq!(apply(&world.coordinator, &right).problem(409), "invalid_transition");
        let discarded = world.coordinator.verb(&format!("/imports/{}", id(&wrong, 201)), "discard", &json!({})).ok(200);
        assert_eq!(discarded["status"], "discarded");
    }
}

on_both! {
    fn what_changed_since_the_preview_stops_the_whole_file(app) {
        let world = World::new(app);
        let file = experts(&world, &format!("{EXPERTS}見本 甲,,a@example.jp,個人,両方,R8.4.1,,\r\n見本 乙,,b@example.jp,個人,両方,R8.4.1,,\r\n"));
        assert_eq!(file.ok(201)["error_count"], 0);
        flow::expert(&world, "見本 先", "b@example.jp");
        let refused = apply(&world.coordinator, &file);
        assert_eq!(refused.problem(422), "validation_failed");
        assert_eq!(refused.wrong(), ["/rows/3/メール row"]);
        assert_eq!(count(&world.coordinator, "/experts"), 1, "not even the right row");
        let after = world.coordinator.get(&format!("/imports/{}", id(&file, 201))).ok(200);
        assert_eq!(after["status"], "previewed");
    }
}

on_both! {
    fn of_parallel_applications_one_succeeds(app) {
        let world = World::new(app);
        let file = users(&world, &format!("{USERS}a@example.jp,鈴木 花子,221309,市町村担当者,R8.4.1,\r\n"));
        let path = format!("/imports/{}", id(&file, 201));
        let etag = world.coordinator.get(&path).etag();
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..6)
                .map(|_| scope.spawn(|| world.coordinator.call("POST", format!("/api/v1{path}/apply")).json(&json!({})).header("If-Match", &etag).send().status))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 409 | 412)), "{statuses:?}");
        assert_eq!(app.mails_to("a@example.jp").len(), 1);
    }
}

on_both! {
    fn a_list_of_people_invites_them(app) {
        let world = World::new(app);
        let wrong = users(&world, &format!(
            "{USERS}staff@hamamatsu.example.jp,浜松 太郎,221309,市町村担当者,R8.4.1,\r\na@example.jp,鈴木,221308,市町村担当者,R8.4.1,\r\nb@example.jp,佐藤,380008,監査担当者,R8.4.1,\r\nc@example.jp,田中,221309,都道府県コーディネーター,R8.4.1,\r\nd@example.jp,山田,220001,システム管理者,R8.4.1,\r\ne@example.jp,高橋,221309,市町村担当者,R8.4.1,R8.3.1\r\n"
        ));
        let preview = wrong.ok(201);
        assert_eq!(
            problems(&preview),
            ["2 メール already_registered", "3 団体コード lg_code_check_digit", "4 団体コード not_yours", "5 役割 role_not_for_kind", "6 役割 role_not_for_kind", "7 終了日 before_start"]
        );
        let right = users(&world, &format!("{USERS}a@example.jp,鈴木 花子,221309,市町村担当者,R8.4.1,R9.3.31\r\na@example.jp,鈴木 花子,222216,市町村担当者,R8.4.1,\r\nb@example.jp,佐藤 次郎,221309,市町村承認者,R8.4.1,\r\n"));
        assert_eq!(right.ok(201)["notes"], json!(["2人に招待メールを送ります。"]));
        assert!(app.mails_to("a@example.jp").is_empty(), "a preview mails nobody");
        apply(&world.coordinator, &right).ok(200);
        assert_eq!((app.mails_to("a@example.jp").len(), app.mails_to("b@example.jp").len()), (1, 1));
        let token = link_in_newest_mail(app, "a@example.jp").split_once("token=").unwrap().1.to_owned();
        app.anonymous().post("/auth/invitation/accept", &json!({"token": token, "password": PASSWORD})).ok(200);
        let tokens = app.anonymous().post("/auth/token", &json!({"email": "a@example.jp", "password": PASSWORD})).ok(200);
        let me = app.with_token(tokens["access_token"].as_str().unwrap()).get("/auth/me").ok(200);
        assert_eq!(me["memberships"].as_array().unwrap().len(), 2);
    }
}

on_both! {
    fn a_ledger_row_is_taken_once(app) {
        let world = World::new(app);
        let row = "R6,2024-05-10,221309,見本 甲,240,現地\r\n";
        let wrong = ledger(&world, &format!(
            "{LEDGER}{row}{row}R5,2024-05-11,221309,見本 甲,240,現地\r\nR6,2024-05-12,221308,見本 甲,240,現地\r\nR6,2024-05-13,221309,見本 甲,0,現地\r\nR6,2024-05-14,221309,見本 甲,240,徒歩\r\nR8,2026-05-14,221309,見本 甲,240,現地\r\n令和6年度,令和6年5月15日,221309,,240,現地\r\n"
        ));
        assert_eq!(
            problems(&wrong.ok(201)),
            ["3 日付 repeated_row", "4 年度 fiscal_year_mismatch", "5 団体コード lg_code_check_digit", "6 時間（分） out_of_range", "7 形態 unknown_value", "8 状態 not_yet", "9 専門家氏名 required"]
        );
        let right = ledger(&world, &format!("{LEDGER}{row}"));
        assert_eq!(right.ok(201)["error_count"], 0);
        apply(&world.coordinator, &right).ok(200);
        let again = ledger(&world, &format!("{LEDGER}{row}"));
        assert_eq!(again.ok(201)["error_count"], 1, "the same visit is known again");
        assert_eq!(apply(&world.coordinator, &again).problem(409), "invalid_transition");
        let table = world.coordinator.get(&format!("/statistics/dispatches?programme_id={}&from_fiscal_year=2024&to_fiscal_year=2024", world.programme)).ok(200);
        assert_eq!(table["years"][0]["visits"], 1);
    }
}

on_both! {
    fn a_plan_of_last_years_ledger_comes_true(app) {
        let world = World::new(app);
        let file = |state: &str, minutes: i32| {
            let text = format!("年度,日付,団体コード,専門家氏名,時間（分）,形態,状態\r\nR7,2026-03-20,221309,見本 甲,{minutes},現地,{state}\r\n");
            upload(&world.coordinator, "dispatch_ledger", ("programme_id", world.programme), "台帳.csv", text.as_bytes())
        };
        apply(&world.coordinator, &file("予定", 240)).ok(200);
        assert_eq!(file("予定", 240).ok(201)["error_count"], 1, "the plan itself is known");
        apply(&world.coordinator, &file("実施", 180)).ok(200);
        assert_eq!(file("実施", 180).ok(201)["error_count"], 1, "and so is what was done");
        let table = world.coordinator.get(&format!("/statistics/dispatches?programme_id={}&from_fiscal_year=2025&to_fiscal_year=2025", world.programme)).ok(200);
        let year = &table["years"][0];
        assert_eq!((&year["visits"], &year["minutes"], &year["planned"]["visits"]), (&json!(1), &json!(180), &json!(0)));
    }
}

on_both! {
    fn whoever_may_not_write_by_hand_may_not_by_file(app) {
        let world = World::new(app);
        let content = format!("{EXPERTS}見本 甲,,a@example.jp,個人,両方,R8.4.1,,\r\n");
        let file = |client: &Client, kind: &str, target: (&str, i64)| upload(client, kind, target, "file.csv", content.as_bytes());
        assert_eq!(file(&world.stranger, "experts", ("pool_id", world.pool)).wrong(), ["/pool_id not_yours"]);
        assert_eq!(file(&world.stranger, "dispatch_ledger", ("programme_id", world.programme)).wrong(), ["/programme_id not_yours"]);
        assert_eq!(file(&world.coordinator, "users", ("pool_id", world.pool)).wrong(), ["/pool_id not_for_kind"]);
        assert_eq!(file(&world.hamamatsu_staff, "experts", ("pool_id", world.pool)).problem(403), "forbidden");
        let own = id(&file(&world.coordinator, "experts", ("pool_id", world.pool)), 201);
        assert_eq!(world.stranger.get(&format!("/imports/{own}")).problem(404), "not_found");
        assert_eq!(count(&world.stranger, "/imports"), 0);
        // A program with the scope for files alone invites nobody: no scope opens people.
        let key = json!({"name": "連携", "acts_as": "prefectural_coordinator", "scopes": ["imports:write"], "expires_at": "2026-12-31T15:00:00Z"});
        let key = world.coordinator.post("/api-clients", &key).ok(201)["key"].as_str().unwrap().to_owned();
        let people = format!("{USERS}a@example.jp,鈴木 花子,221309,市町村担当者,R8.4.1,\r\n");
        assert_eq!(upload(&app.with_token(&key), "users", ("", 0), "利用者.csv", people.as_bytes()).problem(403), "forbidden");
        assert_eq!(file(&app.with_token(&key), "experts", ("pool_id", world.pool)).problem(403), "forbidden");
    }
}

/// A workbook whose one part unpacks to far more than it packs.
fn bomb() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    zip.start_file("xl/worksheets/sheet1.xml", options).unwrap();
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..80 {
        zip.write_all(&zeros).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

on_both! {
    fn a_broken_file_is_refused_and_changes_nothing(app) {
        let world = World::new(app);
        let deep = bomb();
        assert!(deep.len() < 200_000);
        let cases: [(&str, &[u8], &str); 8] = [
            ("nul.csv", "氏名,メール\r\n見\0本,a@example.jp\r\n".as_bytes(), "nul_byte"),
            ("binary.csv", b"\x82\xa0\xff\xfd\xfe,x\r\n\x81\r\n", "unknown_encoding"),
            ("quote.csv", "氏名,メール\r\n\"見本,a@example.jp\r\n".as_bytes(), "bad_csv"),
            ("empty.csv", b"\r\n \r\n", "empty_file"),
            ("twice.csv", "氏名,氏名\r\n見本,見本\r\n".as_bytes(), "duplicate_header"),
            ("bomb.xlsx", &deep, "file_too_large"),
            ("torn.xlsx", &deep[..deep.len() / 2], "bad_xlsx"),
            ("fake.xlsx", "氏名,メール\r\n見本,a@example.jp\r\n".as_bytes(), "bad_xlsx"),
        ];
        for (name, content, code) in cases {
            let answer = upload(&world.coordinator, "experts", ("pool_id", world.pool), name, content);
            assert_eq!(answer.problem(422), "validation_failed", "{name}");
            assert_eq!(answer.wrong(), [format!("/content_base64 {code}")], "{name}");
        }
        let not_base64 = json!({"kind": "users", "file_name": "x.csv", "content_base64": "これはBase64ではない"});
        assert_eq!(world.coordinator.post("/imports", &not_base64).wrong(), ["/content_base64 not_base64"]);
        let many: String = (0..2_001).map(|n| format!("見本 {n},,p{n}@example.jp,個人,両方,R8.4.1,,\r\n")).collect();
        assert_eq!(experts(&world, &format!("{EXPERTS}{many}")).wrong(), ["/content_base64 too_many_rows"]);
        let large = vec![b'x'; (5 << 20) + 1];
        assert_eq!(upload(&world.coordinator, "experts", ("pool_id", world.pool), "large.csv", &large).wrong(), ["/content_base64 file_too_large"]);
        assert_eq!(count(&world.coordinator, "/imports"), 0);
        assert_eq!(count(&world.coordinator, "/experts"), 0);
        // A file without the columns it needs is kept, so that its owner sees what is missing.
        let columns = experts(&world, "名前,アドレス\r\n見本,a@example.jp\r\n").ok(201);
        assert!(problems(&columns).iter().all(|problem| problem.ends_with("missing_column")) && columns["error_count"].as_i64().unwrap() >= 4, "{columns:#}");
    }
}
