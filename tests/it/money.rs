//! Money from reservation to the closed year: budgets in order of arrival, agreements between bodies, settlements with
//! claims, payments and corrections, placements and orders.

use serde_json::{Value, json};
use tasuki::auth::policy::Role;

use crate::on_both;
use crate::support::client::{Answer, Client};
use crate::support::flow::{self, visit_on};
use crate::support::server::TestApp;
use crate::support::tools::{number, race, sql};
use crate::support::world::{World, member, preset};

/// A request of Hamamatsu for two visits of four hours (40,000 yen), submitted.
pub(crate) fn submitted(world: &World, programme: i64, more: &Value) -> String {
    let mut body = flow::request_body(world);
    body["programme_id"] = json!(programme);
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let request = format!("/requests/{}", flow::id(&world.hamamatsu_staff.post("/requests", &body), 201));
    world.hamamatsu_staff.verb(&request, "submit", &json!({})).ok(200);
    request
}

pub(crate) fn id_of(path: &str) -> i64 {
    path.rsplit('/').next().unwrap().parse().unwrap()
}

pub(crate) fn accept(world: &World, request: &str) -> Answer {
    world.coordinator.verb(request, "accept", &json!({}))
}

pub(crate) fn shizuoka(world: &World, change: &Value) -> Value {
    let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
    for (key, value) in change.as_object().unwrap() {
        rules[key] = value.clone();
    }
    rules
}

pub(crate) fn budget(world: &World, programme: i64) -> Value {
    world.coordinator.get(&format!("/programmes/{programme}/years/2026/budget")).ok(200).clone()
}

fn mails(app: &TestApp, event: &str) -> i64 {
    number(app, &format!("SELECT COUNT(*) FROM outbox_messages WHERE event = '{event}'"))
}

/// From an accepted request to a decided dispatch with visits of four hours on these days.
pub(crate) fn decided(world: &World, request: &str, expert: i64, days: &[&str]) -> (i64, Vec<i64>) {
    let visits: Vec<Value> = days.iter().map(|day| visit_on(day)).collect();
    let offer = flow::offer(world, id_of(request), expert, &visits);
    flow::accept_offer(world, offer).ok(200);
    let dispatch = flow::decide(world, id_of(request), offer);
    (dispatch, flow::visits_of(&world.coordinator, dispatch))
}

pub(crate) fn report_approved(world: &World, dispatch: i64) {
    let path = format!("/dispatches/{dispatch}/report");
    world.hamamatsu_staff.put(&path, &json!({"content": "助言を受けた。", "result": "改善した。", "outcomes": []})).ok(200);
    for (client, verb) in [(&world.hamamatsu_staff, "submit"), (&world.coordinator, "approve")] {
        let report = client.get(&path);
        let id = report.ok(200)["id"].as_i64().unwrap();
        client
            .call("POST", format!("/api/v1/reports/{id}/{verb}"))
            .json(&json!({}))
            .header("If-Match", &report.etag())
            .send()
            .ok(200);
    }
}

/// What is bound is the sum of the ledger, never below zero at any entry, whatever happened.
pub(crate) fn ledger_is_sound(app: &TestApp, programme: i64) {
    let sum = number(app, &format!("SELECT COALESCE(SUM(delta_yen), 0) FROM budget_entries WHERE programme_id = {programme}"));
    let last = number(
        app,
        &format!(
            "SELECT COALESCE((SELECT bound_yen FROM budget_entries WHERE programme_id = {programme} ORDER BY id DESC LIMIT 1), 0)"
        ),
    );
    assert_eq!(sum, last);
    assert_eq!(number(app, "SELECT COUNT(*) FROM budget_entries WHERE bound_yen < 0 OR own_bound_yen < 0"), 0);
}

on_both! {
    fn who_came_first_is_served_first_and_freed_money_goes_to_who_waits(app) {
        let world = World::new(app);
        let programme = flow::programme(&world, "先着の事業", &shizuoka(&world, &json!({"budget_yen": 80_000})));
        let requests: Vec<String> = (0..4).map(|_| submitted(&world, programme, &json!({}))).collect();
        assert_eq!(accept(&world, &requests[1]).problem(409), "earlier_request_waits");
        accept(&world, &requests[0]).ok(200);
        assert_eq!(mails(app, "budget.warning"), 0, "half the money");
        accept(&world, &requests[1]).ok(200);
        assert_eq!(mails(app, "budget.warning"), 2, "80 and 100 percent, one coordinator");
        assert_eq!(accept(&world, &requests[2]).problem(409), "budget_exceeded");
        world.coordinator.verb(&requests[2], "waitlist", &json!({"reason_code": "budget"})).ok(200);
        // The waiting one does not block a later one while the money does not reach for it; here it reaches for neither.
        assert_eq!(accept(&world, &requests[3]).problem(409), "budget_exceeded");
        assert_eq!(budget(&world, programme)["next_waiting_request_id"], Value::Null);
        world.hamamatsu_staff.verb(&requests[0], "withdraw", &json!({"reason_code": "plans_changed"})).ok(200);
        assert_eq!(mails(app, "budget.freed"), 1);
        assert_eq!(budget(&world, programme)["next_waiting_request_id"], json!(id_of(&requests[2])));
        assert_eq!(accept(&world, &requests[3]).problem(409), "earlier_request_waits");
        accept(&world, &requests[2]).ok(200);
        let shown = budget(&world, programme);
        assert_eq!((&shown["bound_yen"], &shown["left_yen"]), (&json!(80_000), &json!(0)));
        assert_eq!(shown["by_body"], json!([{"organisation_id": world.hamamatsu, "bound_yen": 80_000}]));
        assert_eq!(mails(app, "budget.warning"), 2, "once each");
        assert_eq!(world.hamamatsu_staff.get(&format!("/programmes/{programme}/years/2026/budget")).problem(403), "forbidden");
        ledger_is_sound(app, programme);
    }
}

on_both! {
    fn a_body_has_its_own_limit_and_batch_intake_may_choose(app) {
        let world = World::new(app);
        let rules = shizuoka(&world, &json!({"budget_yen": 1_000_000, "budget_per_body_yen": 40_000, "intake": "batch"}));
        let programme = flow::programme(&world, "一括審査の事業", &rules);
        let requests: Vec<String> = (0..2).map(|_| submitted(&world, programme, &json!({}))).collect();
        accept(&world, &requests[1]).ok(200);
        let refused = accept(&world, &requests[0]);
        assert_eq!(refused.problem(409), "budget_exceeded");
        assert!(refused.text().contains("この団体の予算"), "{}", refused.text());
    }
}

on_both! {
    fn every_change_of_a_plan_is_held_against_the_budget(app) {
        let world = World::new(app);
        let programme = flow::programme(&world, "予算を見る事業", &shizuoka(&world, &json!({"budget_yen": 45_000})));
        let request = submitted(&world, programme, &json!({}));
        accept(&world, &request).ok(200);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let (dispatch, visits) = decided(&world, &request, expert, &["2026-05-11", "2026-05-12"]);
        let path = format!("/dispatches/{dispatch}");
        let add = |minutes: i64| {
            let visit = json!({"day": "2026-05-13", "start_minute": 600, "minutes": minutes, "mode": "onsite", "place": "浜松市役所"});
            world.coordinator.verb(&path, "amend", &json!({"reason": "回数の追加", "add": [{"expert_id": expert, "visit": visit}]}))
        };
        assert_eq!(add(120).problem(409), "budget_exceeded");
        add(60).ok(200);
        assert_eq!(budget(&world, programme)["bound_yen"], 45_000);
        // A longer visit would cost more: neither by a new day nor by an amendment.
        let third = flow::visits_of(&world.coordinator, dispatch)[2];
        let longer = json!({"day": "2026-05-14", "start_minute": 600, "minutes": 120, "party": "applicant", "reason": "延長"});
        assert_eq!(world.coordinator.verb(&format!("/visits/{third}"), "reschedule", &longer).problem(409), "budget_exceeded");
        assert_eq!(number(app, "SELECT COUNT(*) FROM visits WHERE status = 'rescheduled'"), 0, "nothing changed");
        world.coordinator.verb(&format!("/visits/{third}"), "cancel", &json!({"party": "applicant", "reason": "取りやめ"})).ok(200);
        assert_eq!(budget(&world, programme)["bound_yen"], 40_000);
        // What was done is owed, even beyond the budget.
        app.set_time("2026-05-31T18:00:00+09:00");
        flow::record(&world.hamamatsu_staff, visits[0], 60).ok(200);
        assert_eq!(budget(&world, programme)["bound_yen"], 25_000);
        world.coordinator.post(&format!("/visits/{}/costs", visits[0]), &json!({"component": "travel", "amount_yen": 30_000})).ok(201);
        let shown = budget(&world, programme);
        assert_eq!((&shown["bound_yen"], &shown["left_yen"]), (&json!(55_000), &json!(-10_000)));
        world.coordinator.verb(&path, "cancel", &json!({"party": "prefecture", "reason_code": "other", "reason": "中止"})).ok(200);
        assert_eq!(budget(&world, programme)["bound_yen"], 35_000, "what was done stays");
        ledger_is_sound(app, programme);
        sql(app, "UPDATE budget_entries SET delta_yen = 0").unwrap_err();
        sql(app, "DELETE FROM budget_entries").unwrap_err();
    }
}

/// Three towns of 5,000, 4,000 and 3,000 people by the census.
fn census(app: &TestApp, world: &World) {
    for (body, people) in [(world.hamamatsu, 5_000), (world.kosai, 4_000), (world.fukuroi, 3_000)] {
        sql(app, &format!(
            "INSERT INTO populations (organisation_id, population, as_of, source) VALUES ({body}, {people}, '2020-10-01', '国勢調査')"
        )).unwrap();
    }
}

fn twenty_eighty() -> Value {
    json!({"agreed_on": "2026-04-20", "terms": {"parts": [{"percent": 20, "basis": {"kind": "equal"}},
        {"percent": 80, "basis": {"kind": "population", "source": "census", "as_of": "2025-04-01"}}], "remainder": "lead"}})
}

/// What each body bears in all cost items, corrections included.
pub(crate) fn borne(app: &TestApp, body: i64) -> i64 {
    number(app, &format!("SELECT CAST(COALESCE(SUM(amount_yen), 0) AS BIGINT) FROM cost_shares WHERE organisation_id = {body}"))
}

on_both! {
    fn joint_costs_follow_the_agreement_and_a_withdrawal_needs_new_consent(app) {
        let world = World::new(app);
        let fukuroi_staff = member(app, "staff@fukuroi.example.jp", "袋井 三郎", world.fukuroi, Role::MunicipalStaff);
        let rules = shizuoka(&world, &json!({"payers": [{"component": "honorarium", "rest": "host"}, {"component": "venue", "rest": "host"}]}));
        let programme = flow::programme(&world, "共同の事業", &rules);
        let request = submitted(&world, programme, &json!({"participant_organisation_ids": [world.kosai, world.fukuroi]}));
        let agreements = format!("{request}/agreements");
        let propose = |client: &Client, body: &Value| client.post(&agreements, body);
        // Percentages that do not sum to 100, bodies without population, unknown bodies: each with its place.
        let mut wrong = twenty_eighty();
        wrong["terms"]["parts"][0]["percent"] = json!(19);
        assert_eq!(propose(&world.hamamatsu_staff, &wrong).wrong(), ["/terms/parts percent_sum"]);
        let without = propose(&world.hamamatsu_staff, &twenty_eighty());
        assert_eq!(without.wrong(), ["/terms/parts/1 missing_weight"]);
        assert!(without.text().contains("浜松市、袋井市、湖西市"), "everybody without a figure is named: {}", without.text());
        census(app, &world);
        let mut unknown = twenty_eighty();
        unknown["figures"] = json!([{"organisation_id": world.outsider, "staff": 3}]);
        assert_eq!(propose(&world.hamamatsu_staff, &unknown).wrong(), ["/figures/0/organisation_id not_a_participant"]);
        let mut early = twenty_eighty();
        early["leaving_organisation_ids"] = json!([world.fukuroi]);
        assert_eq!(propose(&world.hamamatsu_staff, &early).wrong(), ["/leaving_organisation_ids before_decision"]);
        assert_eq!(propose(&world.kosai_staff, &twenty_eighty()).problem(403), "forbidden");
        assert_eq!(propose(&world.stranger, &twenty_eighty()).problem(404), "not_found");
        let first = propose(&world.hamamatsu_staff, &twenty_eighty()).ok(201);
        assert_eq!((&first["status"], &first["number"]), (&json!("proposed"), &json!(1)));
        let example: Vec<i64> = first["example"].as_array().unwrap().iter().map(|part| part["amount_yen"].as_i64().unwrap()).collect();
        // In the order of the codes: 浜松市 221309, 袋井市 222160, 湖西市 222216.
        assert_eq!((example.iter().sum::<i64>(), example), (1_000_000, vec![400_001, 266_666, 333_333]));
        let consent = |client: &Client, agreement: &Value| client.post(&format!("/agreements/{}/consent", agreement["id"]), &json!({}));
        for client in [&world.kosai_staff, &fukuroi_staff] {
            client.verb(&request, "consent", &json!({})).ok(200);
        }
        accept(&world, &request).ok(200);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let offer = flow::offer(&world, id_of(&request), expert, &[visit_on("2026-05-11"), visit_on("2026-05-12")]);
        flow::accept_offer(&world, offer).ok(200);
        let early = world.coordinator.verb(&request, "decide", &json!({"offer_ids": [offer]}));
        assert_eq!(early.problem(409), "agreement_pending");
        assert!(early.text().contains("湖西市") && early.text().contains("袋井市"), "{}", early.text());
        consent(&world.kosai_staff, &first).ok(200);
        assert_eq!(consent(&fukuroi_staff, &first).ok(200)["status"], "in_force");
        assert_eq!(consent(&fukuroi_staff, &first).problem(409), "invalid_transition");
        let dispatch = flow::decide(&world, id_of(&request), offer);
        let visits = flow::visits_of(&world.coordinator, dispatch);
        assert!(world.kosai_staff.get(&agreements).ok(200)["items"][0]["frozen_at"].is_string());
        sql(app, "UPDATE cost_agreement_bodies SET figures = '{}'").unwrap_err();
        sql(app, "UPDATE cost_agreements SET terms = '{}'").unwrap_err();
        // Later figures do not change what was agreed.
        sql(app, "UPDATE populations SET population = 1 WHERE source = '国勢調査'").unwrap();
        app.set_time("2026-05-31T18:00:00+09:00");
        flow::record(&world.hamamatsu_staff, visits[0], 240).ok(200);
        // 20,000 yen: 8,000 and a third of a yen, 6,666.67, 5,333.33; the yen that remain go to the lead.
        let now = || (borne(app, world.hamamatsu), borne(app, world.kosai), borne(app, world.fukuroi));
        assert_eq!(now(), (8_001, 6_666, 5_333));
        assert_eq!(world.kosai_staff.get(&format!("/dispatches/{dispatch}/costs")).ok(200)["totals"]["own_share_yen"], 6_666);

        // 袋井市 leaves: proposed with a reason, in force only with everybody's word, the old version stays.
        sql(app, "UPDATE populations SET population = 4000 WHERE source = '国勢調査'").unwrap();
        let mut leaving = twenty_eighty();
        leaving["leaving_organisation_ids"] = json!([world.fukuroi]);
        assert_eq!(propose(&world.coordinator, &leaving).wrong(), ["/reason required"]);
        leaving["reason"] = json!("袋井市の辞退");
        let second = propose(&world.hamamatsu_staff, &leaving).ok(201);
        assert_eq!(now(), (8_001, 6_666, 5_333), "nothing moves before everybody agrees");
        assert_eq!(fukuroi_staff.post(&format!("/agreements/{}/consent", second["id"]), &json!({})).problem(403), "forbidden");
        assert_eq!(consent(&world.kosai_staff, &second).ok(200)["status"], "in_force");
        assert_eq!(now(), (10_000, 10_000, 0));
        assert_eq!(number(app, "SELECT COUNT(*) FROM cost_items WHERE adjusts_id IS NOT NULL AND amount_yen = 0"), 1);
        let versions = world.coordinator.get(&agreements).ok(200).clone();
        let states: Vec<&str> = versions["items"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
        assert_eq!(states, ["in_force", "superseded"]);
        assert_eq!(versions["items"][1]["bodies"].as_array().unwrap().len(), 3);
        flow::record(&world.hamamatsu_staff, visits[1], 60).ok(200);
        assert_eq!(now(), (12_500, 12_500, 0));

        // Once the amount is final, the agreement is too.
        report_approved(&world, dispatch);
        let settlement = format!("/settlements/{}", flow::id(&world.coordinator.post("/settlements", &json!({"dispatch_id": dispatch})), 201));
        world.coordinator.verb(&settlement, "calculate", &json!({})).ok(200);
        world.coordinator.verb(&settlement, "confirm", &json!({})).ok(200);
        leaving["leaving_organisation_ids"] = json!([]);
        assert_eq!(propose(&world.hamamatsu_staff, &leaving).problem(409), "settlement_fixed");
        let seen = world.kosai_staff.get(&settlement).ok(200).clone();
        assert_eq!((&seen["own_share_yen"], seen.get("by_payer"), &seen["payments"]), (&json!(12_500), None, &json!([])));
        assert_eq!(world.outsider_staff.get(&settlement).problem(404), "not_found");
    }
}

/// A dispatch of one visit of so many minutes, reported and approved, with a settlement that is opened.
pub(crate) fn settled(app: &TestApp, world: &World, programme: i64, expert: i64, minutes: i64) -> (i64, i64, String) {
    let request = submitted(world, programme, &json!({"visit_count": 1}));
    accept(world, &request).ok(200);
    let (dispatch, visits) = decided(world, &request, expert, &["2026-05-11"]);
    app.set_time("2026-05-20T09:00:00+09:00");
    flow::record(&world.hamamatsu_staff, visits[0], minutes).ok(200);
    report_approved(world, dispatch);
    let settlement = flow::id(&world.coordinator.post("/settlements", &json!({"dispatch_id": dispatch})), 201);
    (dispatch, visits[0], format!("/settlements/{settlement}"))
}

on_both! {
    fn a_settlement_goes_from_open_to_closed_and_is_only_corrected(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let programme = flow::programme(&world, "精算する事業", &shizuoka(&world, &json!({})));
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let profile = format!("/experts/{expert}/payment-profile");
        assert_eq!(office.get(&profile).ok(200)["withholding_category"], "none");
        assert_eq!(office.put(&profile, &json!({"withholding_category": "lecture", "invoice_number": "1234"})).wrong(), ["/invoice_number malformed"]);
        office.put(&profile, &json!({"withholding_category": "lecture", "invoice_number": "T1234567890123"})).ok(200);
        assert_eq!(world.hamamatsu_staff.get(&profile).problem(403), "forbidden");

        // E7: three hours, later proven four: 15,000 becomes 20,000.
        let (dispatch, visit, settlement) = settled(app, &world, programme, expert, 180);
        assert_eq!(office.post("/settlements", &json!({"dispatch_id": dispatch})).problem(409), "duplicate");
        assert_eq!(office.post("/settlements", &json!({})).wrong(), ["/ one_subject"]);
        assert_eq!(world.hamamatsu_staff.post("/settlements", &json!({"dispatch_id": dispatch})).problem(403), "forbidden");
        assert_eq!(office.verb(&settlement, "confirm", &json!({})).problem(409), "invalid_transition");
        office.verb(&settlement, "calculate", &json!({})).ok(200);
        // What comes in between is not part of what was shown.
        office.post(&format!("/visits/{visit}/costs"), &json!({"component": "travel", "amount_yen": 3_480})).ok(201);
        assert_eq!(office.verb(&settlement, "confirm", &json!({})).problem(409), "invalid_transition");
        let calculated = office.verb(&settlement, "calculate", &json!({})).ok(200).clone();
        assert_eq!(calculated["amount_yen"], 18_480);
        office.verb(&settlement, "confirm", &json!({"document_number": "デ推第45号"})).ok(200);
        let late = office.post(&format!("/visits/{visit}/costs"), &json!({"component": "venue", "amount_yen": 1_000}));
        assert_eq!(late.problem(409), "settlement_fixed");
        // 20 May 2029 would be a Sunday; here 20 June 2026 is a Saturday and moves to Monday.
        let billed = office.verb(&settlement, "bill", &json!({"due_on": ["2026-06-20"]})).ok(200).clone();
        assert_eq!(billed["status"], "billed");
        let payment = billed["payments"][0].clone();
        // Travel paid to the person is part of the base: 10.21 % of 18,480 is 1,886.808.
        assert_eq!((&payment["honorarium_yen"], &payment["travel_yen"], &payment["withholding_yen"], &payment["net_yen"], &payment["due_on"]),
            (&json!(15_000), &json!(3_480), &json!(1_886), &json!(16_594), &json!("2026-06-22")));

        let honorarium = billed["items"].as_array().unwrap().iter().find(|item| item["component"] == "honorarium").unwrap()["id"].as_i64().unwrap();
        let adjust = |amount: i64, reason: &str| {
            office.verb(&settlement, "adjust", &json!({"cost_item_id": honorarium, "amount_yen": amount, "reason": reason}))
        };
        assert_eq!(adjust(15_000, "同額").wrong(), ["/amount_yen nothing_to_change"]);
        assert_eq!(adjust(-1, "").wrong(), ["/amount_yen out_of_range", "/reason required"]);
        let adjusted = adjust(20_000, "実績は4時間だった").ok(200).clone();
        assert_eq!(adjusted["amount_yen"], 23_480);
        let second = adjusted["payments"][1].clone();
        assert_eq!((&second["honorarium_yen"], &second["withholding_yen"], &second["net_yen"]), (&json!(5_000), &json!(510), &json!(4_490)));
        assert_eq!(adjusted["payments"][0], payment, "the original is untouched");
        let correction = adjusted["items"].as_array().unwrap().iter().find(|item| item["adjusts_id"] == honorarium).unwrap().clone();
        assert_eq!((&correction["amount_yen"], &correction["shares"][0]["amount_yen"]), (&json!(5_000), &json!(5_000)));
        let back = adjust(10_000, "実績は2時間だった").ok(200).clone();
        let third = back["payments"][2].clone();
        assert_eq!((&third["honorarium_yen"], &third["withholding_yen"], &third["net_yen"]), (&json!(-10_000), &json!(0), &json!(-10_000)));
        let again = office.verb(&settlement, "adjust", &json!({"cost_item_id": correction["id"], "amount_yen": 1, "reason": "x"}));
        assert_eq!(again.wrong(), ["/cost_item_id not_of_settlement"]);

        // Paid when everything is; closed with the year, once.
        let pay = |payment: &Value, day: &str| office.verb(&format!("/expert-payments/{}", payment["id"]), "pay", &json!({"paid_on": day}));
        assert_eq!(pay(&payment, "2026-12-31").wrong(), ["/paid_on in_the_future"]);
        app.set_time("2026-07-01T09:00:00+09:00");
        for one in [&payment, &second] {
            pay(one, "2026-06-22").ok(200);
        }
        assert_eq!(pay(&second, "2026-06-22").problem(409), "invalid_transition");
        assert_eq!(office.get(&settlement).ok(200)["status"], "billed");
        let close = |body: &Value| office.post("/closed-periods", body);
        app.set_time("2027-06-01T09:00:00+09:00");
        assert_eq!(close(&json!({"fiscal_year": 2026})).problem(409), "invalid_transition");
        pay(&third, "2026-06-30").ok(200);
        assert_eq!(office.get(&settlement).ok(200)["status"], "paid");
        assert_eq!(close(&json!({"fiscal_year": 2027})).wrong(), ["/fiscal_year not_over"]);
        close(&json!({"fiscal_year": 2026, "month": 5})).ok(201);
        close(&json!({"fiscal_year": 2026})).ok(201);
        assert_eq!(close(&json!({"fiscal_year": 2026})).problem(409), "duplicate");
        assert_eq!(office.get(&settlement).ok(200)["status"], "closed");
        // A correction after that is charged to the year of the correction, originals untouched.
        let prior = office.verb(&settlement, "adjust", &json!({"cost_item_id": honorarium, "amount_yen": 20_000, "reason": "再確認"})).ok(200).clone();
        let last = prior["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["fiscal_year"], &last["amount_yen"]), (&json!(2027), &json!(10_000)));
        let paid = prior["payments"].as_array().unwrap().last().unwrap().clone();
        app.set_time("2028-06-01T09:00:00+09:00");
        assert_eq!(close(&json!({"fiscal_year": 2027})).problem(409), "invalid_transition", "the correction is still to be paid");
        pay(&paid, "2027-06-01").ok(200);
        close(&json!({"fiscal_year": 2027})).ok(201);
        sql(app, &format!("UPDATE expert_payments SET paid_on = NULL WHERE id = {}", payment["id"])).unwrap_err();
        let statistics = |year: i32| office.get(&format!("/statistics/costs?programme_id={programme}&fiscal_year={year}")).ok(200).clone();
        assert_eq!((&statistics(2026)["total_yen"], &statistics(2027)["total_yen"]), (&json!(13_480), &json!(10_000)));
        assert_eq!(statistics(2026)["budget_items"], json!([{"number": 7, "label": "報償費", "amount_yen": 10_000}, {"number": 8, "label": "旅費", "amount_yen": 3_480}]));
    }
}

on_both! {
    fn a_company_is_paid_in_full_and_an_official_on_duty_nothing(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let programme = flow::programme(&world, "所属のある専門家", &shizuoka(&world, &json!({})));
        let company = flow::id(&office.post("/organisations", &json!({"kind": "company", "name": "見本システム株式会社"})), 201);
        let register = |kind: &str, email: &str| {
            let mut body = flow::expert_body(world.pool, "所属 太郎", email);
            (body["affiliation_kind"], body["affiliation"]) = (json!(kind), json!("見本"));
            flow::id(&office.post("/experts", &body), 201)
        };
        let employee = register("company_employee", "employee@example.jp");
        office.put(&format!("/experts/{employee}/payment-profile"), &json!({"withholding_category": "lecture", "employer_organisation_id": company})).ok(200);
        let bill = |settlement: &str| {
            office.verb(settlement, "calculate", &json!({})).ok(200);
            office.verb(settlement, "confirm", &json!({})).ok(200);
            office.verb(settlement, "bill", &json!({"due_on": ["2026-06-22"]})).ok(200).clone()
        };
        let (_, _, settlement) = settled(app, &world, programme, employee, 240);
        let paid = bill(&settlement)["payments"][0].clone();
        assert_eq!((&paid["withholding_yen"], &paid["net_yen"], &paid["payee_organisation_id"]), (&json!(0), &json!(20_000), &json!(company)));
        app.set_time("2026-04-20T09:00:00+09:00");
        let official = register("public_official", "official@example.jp");
        let (_, _, settlement) = settled(app, &world, programme, official, 240);
        let done = bill(&settlement);
        assert_eq!((&done["payments"], &done["status"], &done["amount_yen"]), (&json!([]), &json!("paid"), &json!(0)));
    }
}

on_both! {
    fn a_placed_person_is_prorated_by_days_and_the_hosts_reimburse(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let rules = preset(office, "hiroshima_posting");
        let programme = flow::programme(&world, "共通人材の配属", &rules);
        let expert = flow::expert(&world, "共通 人材", "common@example.jp");
        let place = |host: i64, share: i64, from: &str, to: &str| {
            office.post("/postings", &json!({"programme_id": programme, "expert_id": expert, "host_organisation_id": host,
                "share_percent": share, "valid_from": from, "valid_to": to, "legal_basis": "staff_dispatch_art252_17"})).ok(201);
        };
        // 60/40 becomes 50/50 in the middle of June.
        place(world.hamamatsu, 60, "2026-04-01", "2026-06-15");
        place(world.kosai, 40, "2026-04-01", "2026-06-15");
        place(world.hamamatsu, 50, "2026-06-15", "2027-04-01");
        place(world.kosai, 50, "2026-06-15", "2027-04-01");
        let enter = |month: &str, component: &str, amount: i64| {
            office.post(&format!("/programmes/{programme}/placement-costs"),
                &json!({"expert_id": expert, "month": month, "component": component, "amount_yen": amount}))
        };
        assert_eq!(enter("2026-06-01", "salary", 300_000).wrong(), ["/month not_over"]);
        app.set_time("2026-07-10T09:00:00+09:00");
        assert_eq!(enter("2026-06-02", "honorarium", -1).wrong(), ["/month not_first_day", "/amount_yen out_of_range", "/component not_of_a_placement"]);
        let parts = enter("2026-06-01", "salary", 300_000).ok(201).clone();
        let amounts: Vec<(i64, i64)> = parts["items"].as_array().unwrap().iter()
            .map(|item| (item["shares"][0]["organisation_id"].as_i64().unwrap(), item["amount_yen"].as_i64().unwrap())).collect();
        assert_eq!(amounts, [(world.hamamatsu, 164_000), (world.kosai, 136_000)]);
        assert_eq!(enter("2026-06-01", "salary", 300_000).problem(409), "duplicate");
        enter("2026-06-01", "retirement_allowance", 20_001).ok(201);
        assert_eq!(world.kosai_staff.get("/cost-items").ok(200)["items"].as_array().unwrap().len(), 1, "the own part alone");

        let settlement = json!({"placement": {"programme_id": programme, "expert_id": expert, "from": "2026-06-01", "to": "2026-07-01"}});
        let settlement = format!("/settlements/{}", flow::id(&office.post("/settlements", &settlement), 201));
        office.verb(&settlement, "calculate", &json!({})).ok(200);
        office.verb(&settlement, "confirm", &json!({})).ok(200);
        // Due 20 July 2026 is 海の日, a Monday: earlier by the rule, so Friday the 17th; fractions in the first of three.
        let bill = json!({"due_on": ["2026-07-20", "2026-08-20", "2026-09-20"], "closed_day": "earlier"});
        let billed = office.verb(&settlement, "bill", &bill).ok(200).clone();
        let claims = billed["claims"].as_array().unwrap();
        assert_eq!(claims.len(), 2);
        let of = |body: i64| claims.iter().find(|claim| claim["debtor_organisation_id"] == body).unwrap();
        assert_eq!((&of(world.hamamatsu)["amount_yen"], &of(world.hamamatsu)["creditor_organisation_id"], &of(world.hamamatsu)["kind"]),
            (&json!(164_000), &json!(world.prefecture), &json!("contribution")));
        assert_eq!(of(world.hamamatsu)["instalments"], json!([
            {"number": 1, "due_on": "2026-07-17", "amount_yen": 54_668}, {"number": 2, "due_on": "2026-08-20", "amount_yen": 54_666},
            {"number": 3, "due_on": "2026-09-18", "amount_yen": 54_666}]));
        let claim = format!("/claims/{}", of(world.hamamatsu)["id"]);
        assert_eq!(world.hamamatsu_staff.get(&claim).ok(200)["amount_yen"], 164_000);
        assert_eq!(world.kosai_staff.get(&claim).problem(404), "not_found");
        assert_eq!(world.kosai_staff.get(&settlement).ok(200)["claims"].as_array().unwrap().len(), 1);
        let notice = office.post("/documents", &json!({"kind": "contribution_notice", "claim_id": of(world.hamamatsu)["id"]})).ok(201).clone();
        let paper = world.hamamatsu_staff.get(&format!("/documents/{}/content", notice["id"]));
        for words in ["浜松市 御中", "54,668円", "令和8年7月17日", "164,000円"] {
            assert!(paper.text().contains(words), "{words} in {}", paper.text());
        }
        assert_eq!(world.kosai_staff.get(&format!("/documents/{}", notice["id"])).problem(404), "not_found");
        let pay = |amount: i64| office.verb(&claim, "pay", &json!({"paid_on": "2026-07-10", "amount_yen": amount}));
        assert_eq!(pay(164_001).wrong(), ["/amount_yen out_of_range"]);
        pay(54_668).ok(200);
        pay(109_332).ok(200);
        assert_eq!(pay(1).wrong(), ["/amount_yen already_paid"]);
        assert_eq!(world.hamamatsu_staff.verb(&claim, "pay", &json!({"paid_on": "2026-07-10", "amount_yen": 1})).problem(403), "forbidden");

        // A salary corrected downwards: the host gets back, as a claim against the prefecture.
        let item = billed["items"].as_array().unwrap().iter().find(|item| item["amount_yen"] == 164_000).unwrap()["id"].clone();
        let down = office.verb(&settlement, "adjust", &json!({"cost_item_id": item, "amount_yen": 160_000, "reason": "給与の遡及訂正"})).ok(200).clone();
        let repayment = down["claims"].as_array().unwrap().iter().find(|claim| claim["kind"] == "repayment").unwrap();
        assert_eq!((&repayment["amount_yen"], &repayment["debtor_organisation_id"], &repayment["creditor_organisation_id"]),
            (&json!(4_000), &json!(world.prefecture), &json!(world.hamamatsu)));
        assert_eq!(borne(app, world.hamamatsu), 160_000);
    }
}

on_both! {
    fn menus_are_ordered_contracted_and_half_subsidised(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let mut rules = preset(office, "osaka_menu_sharing");
        rules["budget_yen"] = json!(1_200_000);
        let programme = flow::programme(&world, "支援メニューの共同利用", &rules);
        let orders = format!("/programmes/{programme}/menu-orders");
        let order = |client: &Client, more: &Value| {
            let mut body = json!({"fiscal_year": 2026, "menu_code": "support", "quantity": 1});
            for (key, value) in more.as_object().unwrap() {
                body[key] = value.clone();
            }
            client.post(&orders, &body)
        };
        assert_eq!(order(&world.hamamatsu_staff, &json!({"menu_code": "none"})).wrong(), ["/menu_code unknown_menu", "/unit_price_yen required"]);
        assert_eq!(order(&world.hamamatsu_staff, &json!({"organisation_id": world.kosai})).wrong(), ["/organisation_id not_a_member"]);
        assert_eq!(order(&world.hamamatsu_staff, &json!({"unit_price_yen": 1})).wrong(), ["/unit_price_yen office_only"]);
        let first = order(&world.hamamatsu_staff, &json!({})).ok(201).clone();
        // About 1,091,000 without tax: 109,100 of tax on top, and the figure stays approximate.
        assert_eq!((&first["amount_yen"], &first["tax_yen"], &first["approximate"]), (&json!(1_200_100), &json!(109_100), &json!(true)));
        // Half of it is the prefecture's: 600,050 of 1,200,000 are bound, so a second does not fit by 100 yen.
        assert_eq!(budget(&world, programme)["bound_yen"], 600_050);
        assert_eq!(order(&world.kosai_staff, &json!({})).problem(409), "budget_exceeded");
        let path = format!("/menu-orders/{}", first["id"]);
        assert_eq!(world.kosai_staff.get(&path).problem(404), "not_found");
        let complete = |day: &str| world.hamamatsu_staff.verb(&path, "complete", &json!({"completed_on": day}));
        assert_eq!(complete("2026-05-01").problem(409), "invalid_transition");
        let contract = json!({"contracted_on": "2026-04-03", "contract_number": "契第12号", "unit_price_yen": 1_090_001});
        let contracted = world.hamamatsu_staff.verb(&path, "contract", &contract).ok(200).clone();
        assert_eq!((&contracted["approximate"], &contracted["amount_yen"]), (&json!(false), &json!(1_199_001)));
        assert_eq!(complete("2026-04-02").wrong(), ["/completed_on outside_fiscal_year"]);
        app.set_time("2026-11-30T18:00:00+09:00");
        complete("2026-11-30").ok(200);
        assert_eq!((borne(app, world.prefecture), borne(app, world.hamamatsu)), (599_500, 599_501));
        assert_eq!(budget(&world, programme)["bound_yen"], 599_500);
        let second = order(&world.kosai_staff, &json!({})).ok(201).clone();
        world.kosai_staff.verb(&format!("/menu-orders/{}", second["id"]), "cancel", &json!({"reason": "見直し"})).ok(200);
        assert_eq!(budget(&world, programme)["bound_yen"], 599_500);
        let settlement = format!("/settlements/{}", flow::id(&office.post("/settlements", &json!({"order_id": first["id"]})), 201));
        office.verb(&settlement, "calculate", &json!({})).ok(200);
        office.verb(&settlement, "confirm", &json!({})).ok(200);
        // The body pays the vendor and the prefecture its subsidy; nobody reimburses anybody through this system.
        let billed = office.verb(&settlement, "bill", &json!({"due_on": ["2026-12-28"]})).ok(200).clone();
        assert_eq!((&billed["status"], &billed["claims"]), (&json!("paid"), &json!([])));
        ledger_is_sound(app, programme);
    }
}

on_both! {
    fn trips_follow_the_rule_of_the_day_of_departure(app) {
        let world = World::new(app);
        let rule = json!({"valid_from": "2025-04-01", "source": "県職員旅費規程（令和7年4月改正）", "overnight_allowance": 2_400,
            "lodging": {"kind": "actual", "caps": [{"prefecture": "22", "amount": 9_000}]}, "package": true});
        let mut twice = shizuoka(&world, &json!({"travel_rules": [rule.clone(), rule.clone()]}));
        let programme = flow::id(&world.coordinator.post("/programmes", &json!({"pool_id": world.pool, "name": "旅費の事業"})), 201);
        let years = format!("/programmes/{programme}/years");
        assert_eq!(world.coordinator.post(&years, &json!({"fiscal_year": 2026, "rules": twice})).wrong(), ["/rules/travel_rules/1/valid_from overlapping_validity"]);
        twice["travel_rules"] = json!([rule]);
        twice["unknown"] = json!(1);
        assert_eq!(world.coordinator.post(&years, &json!({"fiscal_year": 2026, "rules": twice})).problem(400), "malformed_request");
        twice.as_object_mut().unwrap().remove("unknown");
        world.coordinator.post(&years, &json!({"fiscal_year": 2026, "rules": twice})).ok(201);
        let request = submitted(&world, programme, &json!({}));
        accept(&world, &request).ok(200);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let (dispatch, visits) = decided(&world, &request, expert, &["2026-05-11", "2026-05-18"]);
        app.set_time("2026-05-17T18:00:00+09:00");
        flow::record(&world.hamamatsu_staff, visits[0], 240).ok(200);
        let trip = |visit: i64, trip: &Value| world.coordinator.post(&format!("/visits/{visit}/trip"), &json!({"trip": trip}));
        let way = json!({"departs_on": "2026-05-10", "days": 2, "nights": 1, "stays_in": "22",
            "legs": [{"mode": "rail", "expense": {"yen": 6_140}}, {"mode": "rail", "expense": {"yen": 6_140, "paid_directly": true}}],
            "lodging": {"yen": 9_800}});
        assert_eq!(trip(visits[1], &way).problem(409), "invalid_transition");
        let mut old = way.clone();
        old["departs_on"] = json!("2025-03-31");
        assert_eq!(trip(visits[0], &old).wrong(), ["/trip/departs_on not_of_this_visit"]);
        let mut bad = way.clone();
        (bad["nights"], bad["days"]) = (json!(3), json!(0));
        assert_eq!(trip(visits[0], &bad).wrong(), ["/trip/days out_of_range", "/trip/nights out_of_range"]);
        let paid = trip(visits[0], &way).ok(201).clone();
        let amounts: Vec<(&str, i64, i64)> = paid["items"].as_array().unwrap().iter()
            .map(|item| (item["component"].as_str().unwrap(), item["amount_yen"].as_i64().unwrap(), item["paid_directly_yen"].as_i64().unwrap())).collect();
        assert_eq!(amounts, [("travel", 12_280, 6_140), ("lodging", 9_000, 0), ("overnight_allowance", 2_400, 0)]);
        assert_eq!(trip(visits[0], &way).problem(409), "duplicate");
        // E1: the expert cancels the day before; the room of 9,800 yen is not refunded, the rule would have paid 9,000.
        world.coordinator.verb(&format!("/visits/{}", visits[1]), "cancel", &json!({"party": "expert", "reason": "体調不良"})).ok(200);
        let mut lost = json!({"departs_on": "2026-05-17", "days": 2, "nights": 1, "stays_in": "22", "cancelled": true, "lodging": {"yen": 9_800}});
        assert_eq!(trip(visits[1], &lost).wrong(), ["/trip/lodging/not_refunded required"]);
        lost["lodging"]["not_refunded"] = json!(9_800);
        assert_eq!(trip(visits[1], &lost).ok(201)["items"][0]["amount_yen"], 9_000);
        assert_eq!(world.coordinator.get(&format!("/dispatches/{dispatch}/costs")).ok(200)["totals"]["amount_yen"], 20_000 + 23_680 + 9_000);
    }
}

on_both! {
    fn thirty_two_clients_at_one_settlement_leave_the_money_whole(app) {
        let world = World::new(app);
        let programme = flow::programme(&world, "競合を確かめる事業", &shizuoka(&world, &json!({"budget_yen": 1_000_000,
            "payers": [{"component": "honorarium", "portions": [{"kind": "ratio", "payer": "host", "numerator": 1, "denominator": 3}],
                "rest": "prefecture", "first_paid_by": "prefecture"}]})));
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let (dispatch, _, settlement) = settled(app, &world, programme, expert, 240);
        let item = world.coordinator.get(&format!("/dispatches/{dispatch}/costs")).ok(200)["items"][0]["id"].as_i64().unwrap();
        let answers = race(32, |n| {
            let client = world.coordinator.clone();
            (0..6)
                .map(|step| match (n + step) % 4 {
                    0 => client.verb(&settlement, "calculate", &json!({})),
                    1 => client.verb(&settlement, "confirm", &json!({})),
                    2 => client.verb(&settlement, "adjust", &json!({"cost_item_id": item, "amount_yen": 10_000 + i64::try_from(n).unwrap() * 100, "reason": "訂正"})),
                    _ if n == 5 => client.verb(&settlement, "bill", &json!({"due_on": ["2026-06-22"]})),
                    _ => client.verb(&format!("/dispatches/{dispatch}"), "cancel", &json!({"party": "prefecture", "reason_code": "other", "reason": "中止"})),
                })
                .collect::<Vec<Answer>>()
        });
        for answer in answers.iter().flatten() {
            assert!(matches!(answer.status, 200 | 409 | 412 | 422 | 428), "{}", answer.text());
        }
        assert_eq!(answers.iter().flatten().filter(|answer| answer.status == 200 && answer.json()["status"] == "confirmed" && answer.json()["items"].as_array().is_some_and(|items| items.len() == 1)).count().min(1), 1);
        assert_eq!(number(app, "SELECT COUNT(*) FROM settlements"), 1);
        // Every item's shares sum to it; parts of both sides sum to the corrected amount; the ledger says the same.
        assert_eq!(number(app, "SELECT COUNT(*) FROM cost_items i WHERE i.amount_yen <>
            (SELECT COALESCE(SUM(s.amount_yen), 0) FROM cost_shares s WHERE s.cost_item_id = i.id)"), 0);
        let total = number(app, "SELECT CAST(SUM(amount_yen) AS BIGINT) FROM cost_items");
        assert_eq!(borne(app, world.prefecture) + borne(app, world.hamamatsu), total);
        assert_eq!(borne(app, world.hamamatsu), total / 3);
        assert_eq!(budget(&world, programme)["bound_yen"], json!(total));
        ledger_is_sound(app, programme);
        // Claims and payments are for what stands: none twice.
        let view = world.coordinator.get(&settlement).ok(200).clone();
        if view["status"] == "billed" {
            let owed = number(app, "SELECT CAST(COALESCE(SUM(CASE WHEN kind = 'repayment' THEN -amount_yen ELSE amount_yen END), 0) AS BIGINT) FROM claims");
            assert_eq!(owed, borne(app, world.hamamatsu));
            assert_eq!(number(app, "SELECT CAST(SUM(honorarium_yen) AS BIGINT) FROM expert_payments"), total);
        }
    }
}

on_both! {
    fn whatever_happens_the_ledger_stays_within_the_budget_and_above_zero(app) {
        let world = World::new(app);
        let (office, staff) = (&world.coordinator, &world.hamamatsu_staff);
        let programme = flow::programme(&world, "乱択の事業", &shizuoka(&world, &json!({"budget_yen": 100_000, "intake": "batch"})));
        let cases: Vec<(String, i64)> = (0..5)
            .map(|n| (submitted(&world, programme, &json!({})), flow::expert(&world, "見本 太郎", &format!("walk{n}@example.jp"))))
            .collect();
        let reason = json!({"reason_code": "other", "reason": "乱択"});
        let mut dice: u64 = 20_261_125;
        let mut done = std::collections::BTreeMap::new();
        for step in 0..90 {
            if step == 60 {
                app.set_time("2026-05-20T09:00:00+09:00");
            }
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (request, expert) = &cases[usize::try_from((dice >> 33) % 5).unwrap()];
            let dispatch = number(app, &format!("SELECT COALESCE((SELECT id FROM dispatches WHERE request_id = {}), 0)", id_of(request)));
            let visit = number(app, &format!("SELECT COALESCE((SELECT MIN(id) FROM visits WHERE dispatch_id = {dispatch} AND status = 'planned'), 0)"));
            let (what, answer) = match (dice >> 40) % 9 {
                0 => ("waitlist", office.verb(request, "waitlist", &reason)),
                1 if step % 4 == 0 => ("withdraw", staff.verb(request, "withdraw", &reason)),
                2 | 3 => ("accept", accept(&world, request)),
                4 | 5 => {
                    let body = json!({"expert_id": expert, "visits": [visit_on("2026-05-11"), visit_on("2026-05-12")], "message": ""});
                    let offer = office.post(&format!("{request}/offers"), &body);
                    if offer.status == 201 {
                        let offer = offer.json()["id"].as_i64().unwrap();
                        flow::accept_offer(&world, offer);
                        ("decide", office.verb(request, "decide", &json!({"offer_ids": [offer]})))
                    } else {
                        ("offer", offer)
                    }
                }
                6 if visit > 0 && step >= 60 => ("record", flow::record(staff, visit, i64::try_from(60 + dice % 180).unwrap())),
                7 if dispatch > 0 => {
                    let visit = json!({"day": "2026-05-13", "start_minute": 600, "minutes": 240, "mode": "onsite", "place": ""});
                    let body = json!({"reason": "追加", "add": [{"expert_id": expert, "visit": visit}]});
                    ("amend", office.verb(&format!("/dispatches/{dispatch}"), "amend", &body))
                }
                8 if dispatch > 0 && step > 60 => {
                    let body = json!({"party": "prefecture", "reason_code": "other", "reason": "中止"});
                    ("cancel", office.verb(&format!("/dispatches/{dispatch}"), "cancel", &body))
                }
                _ => continue,
            };
            assert!(matches!(answer.status, 200 | 201 | 403 | 409 | 422), "{what}: {}", answer.text());
            if answer.status < 300 {
                *done.entry(what).or_insert(0) += 1;
            }
            ledger_is_sound(app, programme);
            let bound = budget(&world, programme)["bound_yen"].as_i64().unwrap();
            // What is bound is what the cases come to by themselves, never more than there is.
            let cases = number(app, &format!(
                "SELECT CAST(COALESCE((SELECT SUM(40000) FROM requests WHERE programme_id = {programme} AND status = 'accepted'), 0)
                    + COALESCE((SELECT SUM(20000) FROM visits v JOIN dispatches d ON d.id = v.dispatch_id
                        WHERE d.programme_id = {programme} AND v.status = 'planned'), 0)
                    + COALESCE((SELECT SUM(amount_yen) FROM cost_items WHERE programme_id = {programme}), 0) AS BIGINT)"));
            assert_eq!((bound, bound <= 100_000), (cases, true), "after {what}");
        }
        assert!(done.len() >= 4, "the walk does many things: {done:?}");
    }
}
