//! The numbers: they add up where they are said to, are counted once where they are said to, and a file says what the
//! screen says.

use std::io::Cursor;

use base64::Engine as _;
use calamine::{Data, Reader as _};
use serde_json::{Value, json};

use crate::on_both;
use crate::support::client::Client;
use crate::support::flow::{self, id};
use crate::support::world::{World, preset};

/// Two years of visits: a joint one, a consultation, two at one day, one planned, one on each edge of a fiscal year.
const LEDGER: &str = "\
年度,日付,団体コード,専門家氏名,時間（分）,形態,区分,状態,番号\r\n\
R5,2023-05-10,221309,甲 一郎,120,現地,,実施,\r\n\
R5,2024-03-31,010006,甲 一郎,60,オンライン,,実施,\r\n\
R6,2024-04-01,221309,甲 一郎,240,現地,,実施,\r\n\
R6,2024-04-30,221309、222216,甲 一郎,180,オンライン,研修,実施,\r\n\
R6,2024-06-15,222216,乙 二郎,60,現地,,実施,1\r\n\
R6,2024-06-15,222216,乙 二郎,60,現地,,実施,2\r\n\
R6,2025-01-10,222160,乙 二郎,30,オンライン,相談,実施,\r\n\
R6,2025-02-20,221309,甲 一郎,120,現地,,予定,\r\n\
R6,2025-03-31,221309,=丙 三郎,300,現地,,実施,\r\n\
R7,2025-04-01,222216,=丙 三郎,90,現地,,実施,\r\n";

fn with_ledger(world: &World) {
    let content = base64::engine::general_purpose::STANDARD.encode(LEDGER);
    let upload =
        json!({"kind": "dispatch_ledger", "programme_id": world.programme, "file_name": "台帳.csv", "content_base64": content});
    let answer = world.coordinator.post("/imports", &upload);
    assert_eq!(answer.ok(201)["errors"], json!([]));
    let import = id(&answer, 201);
    world.coordinator.verb(&format!("/imports/{import}"), "apply", &json!({})).ok(200);
}

fn dispatches(client: &Client, programme: i64, query: &str) -> Value {
    client.get(&format!("/statistics/dispatches?programme_id={programme}&{query}")).ok(200)
}

/// 団体, 回, 人, minutes.
fn figures(row: &Value) -> [i64; 4] {
    ["organisations", "visits", "experts", "minutes"]
        .map(|name| row[name].as_i64().unwrap_or_else(|| panic!("no {name} in {row:#}")))
}

fn parts(table: &Value, column: &str) -> Vec<(String, i64)> {
    table["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["label"].as_str().unwrap().to_owned(), part[column].as_i64().unwrap()))
        .collect()
}

fn named(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

on_both! {
    fn the_dispatch_table_adds_up(app) {
        let world = World::new(app);
        with_ledger(&world);
        let year = "from_fiscal_year=2024&to_fiscal_year=2024";
        let table = dispatches(&world.coordinator, world.programme, "from_fiscal_year=2023&to_fiscal_year=2025");
        let years = table["years"].as_array().unwrap();
        assert_eq!(years.iter().map(figures).collect::<Vec<_>>(), [[2, 2, 1, 180], [2, 5, 3, 840], [1, 1, 1, 90]], "{table:#}");
        assert_eq!(figures(&table["total"]), [3, 8, 3, 1110], "bodies and people are counted once, visits and minutes add up");
        assert_eq!(figures(&years[1]["consultations"]), [1, 1, 1, 30], "counted apart");
        assert_eq!(figures(&years[1]["planned"]), [1, 1, 1, 120], "on top");
        assert_eq!(years.iter().filter(|year| year["is_estimate"] == true).count(), 0);
        // Whoever is a member of the pool sees the same table; others see none.
        assert_eq!(dispatches(&world.hamamatsu_staff, world.programme, "from_fiscal_year=2023&to_fiscal_year=2025"), table);
        for other in [&world.outsider_staff, &world.stranger] {
            assert_eq!(other.get(&format!("/statistics/dispatches?programme_id={}&{year}", world.programme)).problem(404), "not_found");
        }

        // Months, modes and kinds add up to the visits.
        for by in ["month", "mode", "activity"] {
            let table = dispatches(&world.coordinator, world.programme, &format!("from_fiscal_year=2023&to_fiscal_year=2025&by={by}"));
            let sum = |column: &str| parts(&table, column).iter().map(|(_, count)| count).sum::<i64>();
            assert_eq!((sum("visits"), sum("minutes")), (8, 1110), "{by}");
        }
        let by = |by: &str| dispatches(&world.coordinator, world.programme, &format!("{year}&by={by}"));
        assert_eq!(parts(&by("month"), "visits"), named(&[("2024-04", 2), ("2024-06", 2), ("2025-03", 1)]));
        assert_eq!(parts(&by("mode"), "visits"), named(&[("現地", 4), ("オンライン", 1)]));
        // By body and by expert they are participations, and say so.
        let bodies = by("organisation");
        assert_eq!(parts(&bodies, "participations"), named(&[("浜松市", 3), ("湖西市", 3)]), "the joint visit counts for both");
        assert_eq!(parts(&bodies, "participation_minutes"), named(&[("浜松市", 720), ("湖西市", 300)]));
        assert!(bodies["parts"].as_array().unwrap().iter().all(|part| part.get("visits").is_none()));
        let experts = by("expert");
        let mut found = parts(&experts, "participations");
        found.sort();
        assert_eq!(found, named(&[("=丙 三郎", 1), ("乙 二郎", 2), ("甲 一郎", 2)]));

        // What counts as a dispatch can be named.
        assert_eq!(figures(&dispatches(&world.coordinator, world.programme, &format!("{year}&activity=consultation"))["years"][0]), [1, 1, 1, 30]);
        assert_eq!(figures(&dispatches(&world.coordinator, world.programme, &format!("{year}&activity=training"))["years"][0]), [2, 1, 1, 180]);
        for wrong in ["activity=dance", "by=colour", "as_of=yesterday", "as_of=2026-04-07", "format=pdf"] {
            assert_eq!(world.coordinator.get(&format!("/statistics/dispatches?programme_id={}&{year}&{wrong}", world.programme)).problem(400), "unknown_parameter", "{wrong}");
        }
        let reversed = world.coordinator.get(&format!("/statistics/dispatches?programme_id={}&from_fiscal_year=2025&to_fiscal_year=2024", world.programme));
        assert_eq!(reversed.wrong(), ["to_fiscal_year before_start"]);
    }
}

on_both! {
    fn an_estimate_counts_what_was_held_and_what_lies_ahead(app) {
        let world = World::new(app);
        with_ledger(&world);
        let year = |as_of: &str| dispatches(&world.coordinator, world.programme, &format!("from_fiscal_year=2024&to_fiscal_year=2024&as_of={as_of}"))["years"][0].clone();
        let january = year("2025-01-31");
        assert_eq!((figures(&january), &january["is_estimate"], &january["as_of"]), ([2, 6, 3, 960], &json!(true), &json!("2025-01-31")));
        assert_eq!(figures(&january["expected"]), [1, 2, 2, 420], "20 February and 31 March");
        assert!(january.get("planned").is_none());
        // The day itself has been; a visit planned for it and not held is no longer expected.
        assert_eq!(figures(&year("2025-02-19"))[1], 6);
        assert_eq!(figures(&year("2025-02-20"))[1], 5);
        let last = year("2025-03-31");
        assert_eq!((figures(&last), &last["is_estimate"]), ([2, 5, 3, 840], &json!(false)));
        assert!(last.get("expected").is_none());
    }
}

on_both! {
    fn coverage_tells_who_was_never_served(app) {
        let world = World::new(app);
        with_ledger(&world);
        let coverage = |query: &str| world.coordinator.get(&format!("/statistics/coverage?programme_id={}&{query}", world.programme)).ok(200);
        let table = coverage("from_fiscal_year=2024&to_fiscal_year=2024");
        let all = |table: &Value| ["members", "served", "never_served_before", "never_served"].map(|name| table["all"][name].as_i64().unwrap());
        assert_eq!(all(&table), [3, 2, 2, 1], "{table:#}");
        assert_eq!(table["all"]["never_served_permille"], 333);
        let of = |code: &str| table["organisations"].as_array().unwrap().iter().find(|row| row["lg_code"] == code).unwrap().clone();
        assert_eq!((&of("221309")["participations"], &of("221309")["first_served_fiscal_year"]), (&json!(3), &json!(2023)));
        assert_eq!((&of("222216")["first_served_fiscal_year"], &of("222216")["last_served_fiscal_year"]), (&json!(2024), &json!(2024)), "of R7 this table does not know");
        assert!(of("222160").get("first_served_fiscal_year").is_none(), "a consultation is no dispatch");
        assert_eq!(all(&coverage("from_fiscal_year=2024&to_fiscal_year=2024&activity=visit,training,consultation")), [3, 3, 2, 0]);
        let bands = table["bands"].as_array().unwrap();
        assert_eq!(bands.iter().map(|band| band["figures"]["members"].as_i64().unwrap()).sum::<i64>(), 3);
        // A body that joined later is no member of the year.
        world.coordinator.post(&format!("/pools/{}/members", world.pool), &json!({"organisation_ids": [world.outsider], "valid_from": "2025-04-01"})).ok(200);
        assert_eq!(all(&coverage("from_fiscal_year=2024&to_fiscal_year=2024"))[0], 3);
        assert_eq!(all(&coverage("from_fiscal_year=2025&to_fiscal_year=2025"))[0], 4);
    }
}

on_both! {
    fn workload_is_told_against_what_was_agreed(app) {
        let world = World::new(app);
        let mut body = flow::expert_body(world.pool, "見本 太郎", "expert@example.jp");
        body["capacity_minutes_year"] = json!(1200);
        let expert = id(&world.coordinator.post("/experts", &body), 201);
        flow::expert(&world, "見本 次郎", "idle@example.jp");
        let dispatched = flow::dispatched(&world, expert);
        let of = |client: &Client, expert: i64| {
            let table = client.get(&format!("/statistics/workload?pool_id={}&fiscal_year=2026", world.pool)).ok(200);
            table["experts"].as_array().unwrap().iter().find(|row| row["expert_id"] == expert).unwrap().clone()
        };
        let row = of(&world.coordinator, expert);
        assert_eq!((&row["planned_visits"], &row["planned_minutes"], &row["done_visits"]), (&json!(2), &json!(480), &json!(0)), "{row:#}");
        assert_eq!((&row["capacity_minutes"], &row["capacity_taken_permille"]), (&json!(1200), &json!(400)));
        app.set_time("2026-05-12T09:00:00+09:00");
        flow::record(&world.hamamatsu_staff, dispatched.visits[0], 300).ok(200);
        let row = of(&world.coordinator, expert);
        assert_eq!((&row["planned_minutes"], &row["done_minutes"], &row["days"]), (&json!(240), &json!(300), &json!(2)));
        assert_eq!(row["capacity_taken_permille"], 450);
        assert_eq!(row["months"].as_array().unwrap().iter().map(|month| month["month"].as_str().unwrap()).collect::<Vec<_>>(), ["2026-05"]);
        // The dispatch table counts the same visits.
        let table = dispatches(&world.coordinator, world.programme, "from_fiscal_year=2026&to_fiscal_year=2026");
        assert_eq!((figures(&table["years"][0]), figures(&table["years"][0]["planned"])), ([1, 1, 1, 300], [1, 1, 1, 240]));
        // The load of people is for the office; whom it concerns sees the own.
        let path = format!("/statistics/workload?pool_id={}&fiscal_year=2026", world.pool);
        assert_eq!(world.hamamatsu_staff.get(&path).problem(403), "forbidden");
        assert_eq!(world.stranger.get(&path).problem(404), "not_found");
        assert_eq!(world.coordinator.get("/statistics/workload?fiscal_year=2026").problem(400), "unknown_parameter");
    }
}

/// The records of a CSV file, its byte order mark checked and taken off.
fn csv(bytes: &[u8]) -> Vec<Vec<String>> {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or_else(|| panic!("no byte order mark"));
    assert!(text.ends_with(b"\r\n"));
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text);
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The cells of a workbook's first sheet.
fn workbook(bytes: &[u8]) -> Vec<Vec<Data>> {
    let mut book: calamine::Xlsx<_> = calamine::Xlsx::new(Cursor::new(bytes.to_vec())).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    range.rows().map(<[Data]>::to_vec).collect()
}

on_both! {
    fn list_total_statistic_and_file_agree(app) {
        let world = World::new(app);
        with_ledger(&world);
        let client = &world.coordinator;
        let list = format!("/visits?programme_id={}&from=2024-04-01&to=2025-03-31&status=done", world.programme);
        let page = client.get(&format!("{list}&limit=2&total=true")).ok(200);
        let table = dispatches(client, world.programme, "from_fiscal_year=2024&to_fiscal_year=2024&activity=visit,training,consultation,model_project,community");
        let file = client.get(&format!("{list}&format=csv"));
        let records = csv(&file.bytes);
        let book = workbook(&client.get(&format!("{list}&format=xlsx")).bytes);
        assert_eq!(page["total"], 6);
        assert_eq!((page["items"].as_array().unwrap().len(), figures(&table["years"][0])[1]), (2, 6));
        assert_eq!((records.len() - 1, book.len() - 1), (6, 6), "one row for each, and the headings");
        assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
        assert!(file.header("content-disposition").unwrap().starts_with("attachment; "));
        let minutes = |heading: &str| records[0].iter().position(|cell| cell.contains(heading)).unwrap();
        let column = minutes("実績");
        assert_eq!(records[1..].iter().map(|row| row[column].parse::<i64>().unwrap()).sum::<i64>(), figures(&table["years"][0])[3]);
        // Following the pages finds each visit once.
        let mut found = Vec::new();
        let mut path = format!("{list}&limit=2");
        loop {
            let page = client.get(&path).ok(200);
            found.extend(page["items"].as_array().unwrap().iter().map(|visit| visit["id"].as_i64().unwrap()));
            match page["next_cursor"].as_str() {
                Some(next) => path = format!("{list}&limit=2&cursor={next}"),
                None => break,
            }
        }
        let mut distinct = found.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!((found.len(), distinct.len()), (6, 6));
        assert_eq!(client.get(&format!("{list}&limit=2&format=csv")).problem(400), "unknown_parameter");
        // A town exports what it sees, not what the office sees.
        let own = csv(&world.hamamatsu_staff.get(&format!("{list}&format=csv")).bytes).len() - 1;
        assert_eq!(own as u64, world.hamamatsu_staff.get(&format!("{list}&total=true")).ok(200)["total"].as_u64().unwrap());
        assert!(own < 6);
    }
}

on_both! {
    fn files_open_in_a_spreadsheet_without_surprises(app) {
        let world = World::new(app);
        with_ledger(&world);
        let client = &world.coordinator;
        let path = |query: &str| format!("/statistics/dispatches?programme_id={}&from_fiscal_year=2023&to_fiscal_year=2024&{query}", world.programme);
        let bodies = client.get(&path("by=organisation&format=csv"));
        let name = bodies.header("content-disposition").unwrap();
        assert!(name.contains("filename*=UTF-8''%E6%B4%BE%E9%81%A3"), "{name}");
        let records = csv(&bodies.bytes);
        let code = records[0].iter().position(|cell| cell == "団体コード").unwrap();
        assert!(records.iter().any(|row| row[code] == "010006"), "{records:?}");
        let book = workbook(&client.get(&path("by=organisation&format=xlsx")).bytes);
        assert!(book.iter().any(|row| row[code] == Data::String("010006".to_owned())), "a code is text: {book:?}");
        let column = records[0].iter().position(|cell| cell.starts_with("参加回数")).unwrap();
        assert!(book[1..].iter().all(|row| matches!(row[column], Data::Int(_) | Data::Float(_))), "a count is a number");
        assert_eq!(records.len(), book.len());
        // A name that looks like a formula stays a name.
        let experts = csv(&client.get(&path("by=expert&format=csv")).bytes);
        assert!(experts.iter().flatten().any(|cell| cell == "'=丙 三郎"), "{experts:?}");
        assert!(experts.iter().flatten().all(|cell| !cell.starts_with('=')));
        let book = workbook(&client.get(&path("by=expert&format=xlsx")).bytes);
        assert!(book.iter().flatten().any(|cell| matches!(cell, Data::String(text) if text.ends_with("=丙 三郎"))), "{book:?}");
        // Every table has both forms, with the same number of rows.
        for table in [
            path("by=month&"),
            path(""),
            format!("/statistics/coverage?programme_id={}&from_fiscal_year=2024&to_fiscal_year=2024&", world.programme),
            format!("/statistics/workload?pool_id={}&fiscal_year=2024&", world.pool),
            format!("/statistics/costs?programme_id={}&fiscal_year=2024&", world.programme),
            format!("/experts?pool_id={}&", world.pool),
            "/requests?".to_owned(),
            "/dispatches?".to_owned(),
            "/cost-items?".to_owned(),
        ] {
            let text = csv(&client.get(&format!("{table}format=csv")).bytes);
            let book = workbook(&client.get(&format!("{table}format=xlsx")).bytes);
            assert_eq!(text.len(), book.len(), "{table}");
            assert!(text[0].len() > 2 && text.iter().all(|row| row.len() == text[0].len()), "{table}: {text:?}");
        }
    }
}

on_both! {
    fn an_estimate_holds_what_is_still_to_be_arranged(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let mut body = flow::request_body(&world);
        (body["period_from"], body["period_to"]) = (json!("2026-05-01"), json!("2026-10-31"));
        let request = id(&world.hamamatsu_staff.post("/requests", &body), 201);
        world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        world.coordinator.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
        let visits = [flow::visit_on("2026-05-11"), json!({"minutes": 120, "mode": "onsite"})];
        let offer = flow::offer(&world, request, expert, &visits);
        flow::accept_offer(&world, offer).ok(200);
        let dispatch = flow::decide(&world, request, offer);
        app.set_time("2027-03-31T18:00:00+09:00");
        let dated = flow::visits_of(&world.coordinator, dispatch)[1];
        flow::record(&world.hamamatsu_staff, dated, 240).ok(200);
        let expected = |as_of: &str| {
            let table = dispatches(&world.coordinator, world.programme, &format!("from_fiscal_year=2026&to_fiscal_year=2026&as_of={as_of}"));
            figures(&table["years"][0])[1]
        };
        // Held on 11 May; the other one may still take place until its dispatch ends.
        assert_eq!(["2026-05-12", "2026-09-30", "2026-10-30", "2026-10-31"].map(expected), [2, 2, 2, 1]);
    }
}

on_both! {
    fn the_lists_of_the_areas_are_handed_out_as_files(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        flow::dispatched(&world, expert);
        let posting = json!({
            "programme_id": flow::programme(&world, "共通人材の配属", &preset(&world.coordinator, "hiroshima_posting")),
            "expert_id": expert, "host_organisation_id": world.kosai, "share_percent": 20,
            "valid_from": "2026-07-01", "valid_to": "2027-04-01", "legal_basis": "agreement",
        });
        world.coordinator.post("/postings", &posting).ok(201);
        with_ledger(&world);
        let key = json!({"name": "連携", "acts_as": "auditor", "scopes": ["requests:read"], "expires_at": "2026-12-31T15:00:00Z"});
        world.coordinator.post("/api-clients", &key).ok(201);
        for (path, cell) in [
            ("/reports", "浜松市"), ("/organisations?kinds=city&q=%E6%B9%96%E8%A5%BF", "222216"), ("/users?q=hamamatsu", "staff@hamamatsu.example.jp"),
            ("/postings", "湖西市"), ("/experts", "見本 太郎"), ("/requests", "窓口業務の見直し"), ("/dispatches", "R8-0001"), ("/visits", "2026-05-11"),
            ("/offers", "見本 太郎"), ("/pools", "ICTエキスパート"), ("/programmes", "共通人材の配属"), ("/imports", "台帳.csv"),
            ("/notifications", "expert@example.jp"), ("/audit-events", "POST /requests/{id}/decide"), ("/api-clients", "連携"),
        ] {
            let separator = if path.contains('?') { '&' } else { '?' };
            let shown = world.coordinator.get(&format!("{path}{separator}limit=200")).ok(200)["items"].as_array().unwrap().len();
            let file = world.coordinator.get(&format!("{path}{separator}format=csv"));
            let rows = csv(&file.bytes);
            assert_eq!((file.status, rows.len() - 1), (200, shown), "{path}");
            assert!(rows[1..].iter().flatten().any(|text| text.contains(cell)), "{path}: {rows:?}");
            let book = workbook(&world.coordinator.get(&format!("{path}{separator}format=xlsx")).bytes);
            assert_eq!(book.len() - 1, shown, "{path}");
            let wrong = world.coordinator.get(&format!("{path}{separator}format=csv&limit=2"));
            assert_eq!(wrong.problem(400), "unknown_parameter", "{path}");
        }
    }
}
