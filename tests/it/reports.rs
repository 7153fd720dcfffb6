//! Reports and evaluations: what came of it, in words and numbers, by its day, and who reads what.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::client::{Answer, Client};
use crate::support::flow::{self, visit_on};
use crate::support::server::TestApp;
use crate::support::world::{World, preset};

fn expert(world: &World) -> i64 {
    flow::expert(world, "見本 太郎", "expert@example.jp")
}

/// A dispatch whose two visits are done, on the day after the second.
fn done(app: &TestApp, world: &World, expert: i64) -> i64 {
    let d = flow::dispatched(world, expert);
    app.set_time("2026-05-19T09:00:00+09:00");
    for visit in d.visits {
        flow::record(&world.hamamatsu_staff, visit, 240).ok(200);
    }
    d.dispatch
}

fn report_path(dispatch: i64) -> String {
    format!("/dispatches/{dispatch}/report")
}

fn write(client: &Client, dispatch: i64, outcomes: &Value) -> Answer {
    let body =
        json!({"content": "窓口の動線を見直した。\n2回の打合せを行った。", "result": "待ち時間が減った。", "outcomes": outcomes});
    client.put(&report_path(dispatch), &body)
}

/// A verb of the report of a dispatch.
fn verb(client: &Client, dispatch: i64, verb: &str, body: &Value) -> Answer {
    let report = client.get(&report_path(dispatch));
    let id = report.ok(200)["id"].as_i64().unwrap();
    client.call("POST", format!("/api/v1/reports/{id}/{verb}")).json(body).header("If-Match", &report.etag()).send()
}

on_both! {
    fn what_came_of_it_is_counted_by_the_programmes_counters(app) {
        let world = World::new(app);
        let programme = flow::programme(&world, "複業アドバイザー", &preset(&world.coordinator, "side_job_advisors"));
        let mut body = flow::request_body(&world);
        body["programme_id"] = json!(programme);
        let request = flow::id(&world.hamamatsu_staff.post("/requests", &body), 201);
        world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        world.coordinator.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
        let offer = flow::offer(&world, request, expert(&world), &[visit_on("2026-05-11")]);
        flow::accept_offer(&world, offer).ok(200);
        let dispatch = flow::decide(&world, request, offer);
        let staff = &world.hamamatsu_staff;
        let wrong = write(staff, dispatch, &json!([
            {"counter": "meetings", "amount": -1}, {"counter": "meetings", "amount": 7}, {"counter": "smiles", "amount": 3}
        ]));
        assert_eq!(wrong.problem(422), "validation_failed");
        assert_eq!(wrong.wrong(), ["/outcomes/0/amount out_of_range", "/outcomes/1/counter duplicate", "/outcomes/2/counter unknown_counter"]);
        let written = write(staff, dispatch, &json!([
            {"counter": "ideas", "amount": 173}, {"counter": "meetings", "amount": 7}, {"counter": "issues", "amount": 84}
        ])).ok(200);
        assert_eq!(written["outcomes"], json!([
            {"counter": "meetings", "label": "会議", "amount": 7}, {"counter": "issues", "label": "抽出した課題", "amount": 84},
            {"counter": "ideas", "label": "解決アイデア", "amount": 173}
        ]));
        // Writing again replaces: nothing is entered any more.
        let emptied = write(staff, dispatch, &json!([])).ok(200);
        assert_eq!(emptied["outcomes"][0].get("amount"), None);
    }
}

on_both! {
    fn a_report_is_handed_in_returned_and_approved(app) {
        let world = World::new(app);
        let d = flow::dispatched(&world, expert(&world));
        let (staff, office, dispatch) = (&world.hamamatsu_staff, &world.coordinator, d.dispatch);
        write(staff, dispatch, &json!([])).ok(200);
        let early = verb(staff, dispatch, "submit", &json!({}));
        assert_eq!((early.problem(409).as_str(), &early.json()["allowed"]), ("invalid_transition", &json!(["write"])));
        app.set_time("2026-05-19T09:00:00+09:00");
        for visit in &d.visits {
            flow::record(staff, *visit, 240).ok(200);
        }
        let stage = || office.get(&format!("/requests/{}", d.request)).ok(200)["stage"].as_str().unwrap().to_owned();
        assert_eq!(stage(), "awaiting_report");
        staff.put(&report_path(dispatch), &json!({"content": " "})).ok(422);
        staff.put(&report_path(dispatch), &json!({"result": "結果"})).ok(200);
        assert_eq!(verb(staff, dispatch, "submit", &json!({})).wrong(), ["/content required"]);
        write(staff, dispatch, &json!([])).ok(200);
        verb(staff, dispatch, "submit", &json!({})).ok(200);
        assert_eq!(stage(), "reported");
        assert_eq!(write(staff, dispatch, &json!([])).problem(409), "invalid_transition");
        assert_eq!(verb(staff, dispatch, "approve", &json!({})).problem(403), "forbidden");
        assert_eq!(verb(office, dispatch, "return", &json!({"reason": ""})).wrong(), ["/reason required"]);
        verb(office, dispatch, "return", &json!({"reason": "参加者数を記載してください"})).ok(200);
        assert!(app.mails_to("staff@hamamatsu.example.jp").last().unwrap().mail.text.contains("参加者数を記載してください"));
        write(staff, dispatch, &json!([])).ok(200);
        verb(staff, dispatch, "submit", &json!({})).ok(200);
        verb(office, dispatch, "approve", &json!({})).ok(200);
        assert_eq!(stage(), "completed");
        let path = format!("/dispatches/{dispatch}");
        assert_eq!(office.get(&path).ok(200)["status"], "completed");
        let late = office.verb(&path, "amend", &json!({"reason": "x", "drop": [d.visits[0]]}));
        assert_eq!((late.problem(409).as_str(), &late.json()["allowed"]), ("invalid_transition", &json!([])));
    }
}

on_both! {
    fn overdue_reports_are_listed_and_reminded_of_once_a_stage(app) {
        let world = World::new(app);
        let dispatch = done(app, &world, expert(&world));
        let staff = "staff@hamamatsu.example.jp";
        let overdue = |client: &Client, wanted: bool| client.get(&format!("/reports?overdue={wanted}")).ok(200)["items"].as_array().unwrap().len();
        let reminders = || app.mails_to(staff).iter().filter(|sent| sent.mail.subject.contains("報告")).count();
        // Done on 18 May, due on the 25th, by the rule of seven days.
        app.set_time("2026-05-22T23:00:00+09:00");
        assert_eq!((overdue(&world.coordinator, true), reminders()), (0, 0));
        app.set_time("2026-05-23T09:00:00+09:00");
        assert_eq!((app.run_jobs().reminders, reminders()), (1, 1));
        app.set_time("2026-05-25T23:59:59+09:00");
        assert_eq!((overdue(&world.coordinator, true), overdue(&world.coordinator, false), reminders()), (0, 1, 1));
        app.set_time("2026-05-26T00:00:00+09:00");
        assert_eq!((overdue(&world.coordinator, true), overdue(&world.hamamatsu_staff, true), overdue(&world.kosai_staff, true)), (1, 1, 0));
        assert_eq!(reminders(), 2);
        for _ in 0..3 {
            app.advance(chrono::Duration::days(1));
            assert_eq!(app.run_jobs().reminders, 0);
        }
        app.set_time("2026-06-02T09:00:00+09:00");
        assert_eq!(reminders(), 3, "a week later once more");
        write(&world.hamamatsu_staff, dispatch, &json!([])).ok(200);
        verb(&world.hamamatsu_staff, dispatch, "submit", &json!({})).ok(200);
        app.set_time("2026-07-01T09:00:00+09:00");
        assert_eq!((overdue(&world.coordinator, true), reminders()), (0, 3));
    }
}

on_both! {
    fn an_evaluation_is_read_by_the_owner_of_the_pool_alone(app) {
        let world = World::new(app);
        let expert = expert(&world);
        let d = flow::dispatched(&world, expert);
        let path = format!("/dispatches/{}/evaluations", d.dispatch);
        let evaluate = |client: &Client, score: i32| client.post(&path, &json!({"expert_id": expert, "score": score, "comment": "説明が丁寧だった"}));
        assert_eq!(evaluate(&world.hamamatsu_staff, 5).problem(409), "invalid_transition", "not before the work");
        app.set_time("2026-05-12T09:00:00+09:00");
        flow::record(&world.hamamatsu_staff, d.visits[0], 240).ok(200);
        assert_eq!(evaluate(&world.hamamatsu_staff, 6).wrong(), ["/score out_of_range"]);
        let unknown = world.hamamatsu_staff.post(&path, &json!({"expert_id": expert + 999, "score": 3}));
        assert_eq!(unknown.wrong(), ["/expert_id not_in_dispatch"]);
        evaluate(&world.hamamatsu_staff, 5).ok(201);
        assert_eq!(evaluate(&world.hamamatsu_staff, 4).problem(409), "duplicate");
        assert_eq!(evaluate(&world.coordinator, 4).problem(403), "forbidden");
        assert_eq!(evaluate(&world.kosai_staff, 4).problem(404), "not_found");
        for reader in [&world.coordinator, &world.auditor] {
            assert_eq!(reader.get(&path).ok(200)["items"][0]["comment"], "説明が丁寧だった");
        }
        assert_eq!(world.hamamatsu_staff.get(&path).problem(403), "forbidden");
        for client in [&world.kosai_staff, &world.stranger] {
            assert_eq!(client.get(&path).problem(404), "not_found");
        }
        let everything = [format!("/dispatches/{}", d.dispatch), format!("/experts/{expert}"), format!("/visits/{}", d.visits[0])];
        for place in everything {
            assert!(!world.hamamatsu_staff.get(&place).text().contains("説明が丁寧だった"), "{place}");
        }
    }
}
