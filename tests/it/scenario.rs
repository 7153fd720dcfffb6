//! The whole job, driven over HTTP with mail read from a real SMTP server: pool, experts, requests, an offer accepted by
//! the link in the mail, decision, visits, report, costs, table. Six fiscal years enter as a ledger; the statistics
//! equal the table that Shizuoka publishes for R1 to R6.

use base64::Engine as _;
use serde_json::{Value, json};
use tasuki::auth::policy::Role;
use tasuki::notifications::transport::{Mailer, SmtpSecurity, SmtpSettings};

use crate::support::database::{self, Fresh};
use crate::support::flow::{self, expert_body, id, visit_on};
use crate::support::server::TestApp;
use crate::support::smtp::SmtpSink;
use crate::support::world::{World, member};

/// 団体, 回, 人 for R1 to R6 as published; R6 is an estimate as of 31 January 2025.
const PUBLISHED: [(i32, i64, i64, i64); 6] =
    [(2019, 17, 37, 7), (2020, 14, 43, 7), (2021, 22, 59, 10), (2022, 22, 59, 14), (2023, 34, 81, 18), (2024, 35, 96, 13)];

#[test]
fn sqlite() {
    run(database::sqlite());
}

#[test]
fn postgres() {
    if let Some(fresh) = database::postgres() {
        run(fresh);
    }
}

fn run(fresh: Fresh) {
    let sink = SmtpSink::start();
    let mailer = Mailer::smtp(SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port: sink.port(),
        security: SmtpSecurity::None,
        username: None,
        password: None,
        ca_file: None,
        timeout: std::time::Duration::from_secs(30),
        bounce_address: None,
        max_per_connection: 0,
    })
    .unwrap();
    let app = TestApp::with_relay(fresh, mailer);
    let world = World::new(&app);
    past_years(&world);
    this_year(&app, &world, &sink);
}

/// The ledger of six years, as CSV with Japanese headings.
fn ledger(bodies: &[String]) -> String {
    let mut csv = String::from("年度,日付,団体コード,専門家氏名,時間（分）,形態,状態\r\n");
    for (year, organisations, visits, experts) in PUBLISHED {
        for n in 0..visits {
            // Days spread over the year; of R6, what lies after January 2025 was still planned.
            let first = chrono::NaiveDate::from_ymd_opt(year, 4, 1).unwrap();
            let day = first + chrono::Duration::days(n * 360 / visits);
            let planned = year == 2024 && day > chrono::NaiveDate::from_ymd_opt(2025, 1, 31).unwrap();
            let body = &bodies[usize::try_from(n % organisations).unwrap()];
            let state = if planned { "予定" } else { "実施" };
            csv.push_str(&format!("R{},{day},{body},見本専門家{},240,現地,{state}\r\n", year - 2018, n % experts));
        }
    }
    csv
}

fn past_years(world: &World) {
    let client = &world.coordinator;
    let list = client.get(&format!("/organisations?prefecture_id={}&kinds=city,town&limit=200", world.prefecture)).ok(200);
    let bodies: Vec<String> =
        list["items"].as_array().unwrap().iter().map(|body| body["lg_code"].as_str().unwrap().to_owned()).collect();
    assert_eq!(bodies.len(), 35, "every municipality of Shizuoka");
    let members: Vec<&Value> = list["items"].as_array().unwrap().iter().map(|body| &body["id"]).collect();
    let joined: Vec<Value> = client.get(&format!("/pools/{}/members", world.pool)).ok(200)["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["organisation_id"].clone())
        .collect();
    let new: Vec<&Value> = members.into_iter().filter(|id| !joined.contains(id)).collect();
    client.post(&format!("/pools/{}/members", world.pool), &json!({"organisation_ids": new, "valid_from": "2019-04-01"})).ok(200);

    let content = base64::engine::general_purpose::STANDARD.encode(ledger(&bodies));
    let upload =
        json!({"kind": "dispatch_ledger", "programme_id": world.programme, "file_name": "台帳.csv", "content_base64": content});
    let import = client.post("/imports", &upload);
    let preview = import.ok(201);
    assert_eq!(preview["error_count"], 0, "{preview:#}");
    assert_eq!(preview["row_count"], 375);
    let import = id(&import, 201);
    client.verb(&format!("/imports/{import}"), "apply", &json!({})).ok(200);
    // The same file again names its rows and doubles nothing.
    let again = client.post("/imports", &upload).ok(201);
    assert_eq!(again["error_count"], 375);

    let table = client
        .get(&format!(
            "/statistics/dispatches?programme_id={}&from_fiscal_year=2019&to_fiscal_year=2024&as_of=2025-01-31",
            world.programme
        ))
        .ok(200);
    let found: Vec<(i64, i64, i64, i64, bool)> = table["years"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["fiscal_year"].as_i64().unwrap(),
                row["organisations"].as_i64().unwrap(),
                row["visits"].as_i64().unwrap(),
                row["experts"].as_i64().unwrap(),
                row["is_estimate"].as_bool().unwrap(),
            )
        })
        .collect();
    let published: Vec<(i64, i64, i64, i64, bool)> =
        PUBLISHED.iter().map(|(year, o, v, e)| (i64::from(*year), *o, *v, *e, *year == 2024)).collect();
    assert_eq!(found, published);
}

fn this_year(app: &TestApp, world: &World, sink: &SmtpSink) {
    let coordinator = &world.coordinator;
    // An expert with skills, found by search.
    let frameworks = coordinator.get("/skill-frameworks").ok(200);
    let producer = frameworks["items"][0]["items"][0]["id"].as_i64().unwrap();
    let expert = id(&coordinator.post("/experts", &expert_body(world.pool, "髙橋 𠮷江", "takahashi@example.jp")), 201);
    coordinator
        .put_at(
            &format!("/experts/{expert}"),
            "skills",
            &json!({"skills": [{"skill_item_id": producer, "level": 3, "verified": true}]}),
        )
        .ok(200);
    let second = id(&coordinator.post("/experts", &expert_body(world.pool, "見本 次郎", "second@example.jp")), 201);
    let found = coordinator.get(&format!("/experts?pool_id={}&skills_all={producer}:3", world.pool)).ok(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(found["items"][0]["name"], "髙橋 𠮷江", "stored exactly as typed");

    // A request that needs the skill, joint with another town.
    let mut body = flow::request_body(world);
    body["required_skills"] = json!([{"skill_item_id": producer, "min_level": 2, "must": true}]);
    body["participant_organisation_ids"] = json!([world.kosai]);
    let request = id(&world.hamamatsu_staff.post("/requests", &body), 201);
    let path = format!("/requests/{request}");
    world.hamamatsu_staff.verb(&path, "submit", &json!({})).ok(200);
    world.kosai_staff.verb(&path, "consent", &json!({})).ok(200);
    let forbidden = coordinator.verb(&path, "withdraw", &json!({"reason_code": "other", "reason": "x"}));
    assert!(forbidden.status >= 400);
    coordinator.verb(&path, "accept", &json!({"comment": "候補者を選定します。"})).ok(200);

    // The one with the skill ranks; the other is excluded and told why.
    let candidates = coordinator.get(&format!("{path}/candidates")).ok(200);
    assert_eq!(candidates["items"].as_array().unwrap().len(), 1, "{candidates:#}");
    assert_eq!(candidates["items"][0]["expert_id"], expert);
    let excluded = coordinator.get(&format!("{path}/candidates/excluded")).ok(200);
    assert!(excluded["items"].as_array().unwrap().iter().any(|row| row["expert_id"] == second), "{excluded:#}");

    // The offer goes out by mail; opening the link accepts nothing, its button does.
    let offer = flow::offer(world, request, expert, &[visit_on("2026-05-11"), visit_on("2026-05-18")]);
    app.run_jobs();
    let mail =
        sink.messages().into_iter().rfind(|mail| mail.envelope_to == ["takahashi@example.jp"]).expect("the offer was mailed");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    let link = mail.link().to_owned();
    let (base, rest) = link.split_once("/offers/answer?token=").unwrap();
    assert_eq!(base, app.base);
    let anonymous = app.anonymous();
    let page = anonymous.call("GET", format!("/offers/answer?token={rest}")).send();
    assert_eq!(page.status, 200);
    assert!(page.text().contains("窓口業務の見直し") && page.text().contains("浜松市"), "{}", page.text());
    assert_eq!(coordinator.get(&format!("/offers/{offer}")).ok(200)["status"], "sent");
    let answer = anonymous
        .call("POST", "/offers/answer")
        .bytes("application/x-www-form-urlencoded", format!("token={rest}&answer=accept&note="))
        .send();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(coordinator.get(&format!("/offers/{offer}")).ok(200)["status"], "accepted");

    // Decision: a number, and notices to all parties.
    let dispatch = id(&coordinator.verb(&path, "decide", &json!({"offer_ids": [offer], "document_number": "デ戦第123号"})), 201);
    let decided = coordinator.get(&format!("/dispatches/{dispatch}")).ok(200);
    assert_eq!(decided["number"], "R8-0001");
    app.run_jobs();
    let told: Vec<String> =
        sink.messages().into_iter().filter(|mail| mail.text.contains("R8-0001")).flat_map(|mail| mail.envelope_to).collect();
    for address in ["takahashi@example.jp", "staff@hamamatsu.example.jp", "staff@kosai.example.jp"] {
        assert!(told.iter().any(|to| to == address), "{address} was not told: {told:?}");
    }

    // Two visits of four hours and of three: 20,000 and 15,000 yen, all paid by the prefecture.
    let visits = flow::visits_of(coordinator, dispatch);
    let early = flow::record(&world.hamamatsu_staff, visits[0], 240);
    assert_eq!(early.status, 422, "a visit is not recorded before its day: {}", early.text());
    app.set_time("2026-05-19T09:00:00+09:00");
    flow::record(&world.hamamatsu_staff, visits[0], 240).ok(200);
    flow::record(&world.hamamatsu_staff, visits[1], 180).ok(200);
    let costs = world.hamamatsu_staff.get(&format!("/dispatches/{dispatch}/costs")).ok(200);
    assert_eq!(costs["totals"]["amount_yen"], 35_000, "{costs:#}");

    // The report, returned once, approved.
    let report = format!("/dispatches/{dispatch}/report");
    world
        .hamamatsu_staff
        .put(&report, &json!({"content": "窓口の動線を見直した。", "result": "待ち時間が3割減った。", "next_step": "電子申請を広げる。", "outcomes": []}))
        .ok(200);
    let report_id = world.hamamatsu_staff.get(&report).ok(200)["id"].as_i64().unwrap();
    let etag = world.hamamatsu_staff.get(&report).etag();
    let verb = |client: &crate::support::client::Client, verb: &str, body: &Value, etag: &str| {
        client.call("POST", format!("/api/v1/reports/{report_id}/{verb}")).json(body).header("If-Match", etag).send()
    };
    verb(&world.hamamatsu_staff, "submit", &json!({}), &etag).ok(200);
    let etag = coordinator.get(&report).etag();
    verb(coordinator, "approve", &json!({}), &etag).ok(200);
    assert_eq!(coordinator.get(&path).ok(200)["stage"], "completed");

    // The table of the year counts it: two bodies, two visits, one expert.
    let table = coordinator
        .get(&format!("/statistics/dispatches?programme_id={}&from_fiscal_year=2026&to_fiscal_year=2026", world.programme))
        .ok(200);
    let row = &table["years"][0];
    assert_eq!((&row["organisations"], &row["visits"], &row["experts"]), (&json!(2), &json!(2), &json!(1)), "{table:#}");

    // The auditor proves it.
    app.run_jobs();
    let auditor = member(app, "auditor2@pref.example.jp", "監査 二郎", world.prefecture, Role::Auditor);
    let verification = auditor.get("/audit-events/verification").ok(200);
    assert_eq!(verification["findings"], json!([]), "{verification:#}");
}
