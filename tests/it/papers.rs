//! What a request would cost, and the papers that are issued: numbered, complete in themselves, printed again byte for byte.

use serde_json::{Value, json};
use tasuki::auth::policy::Role;

use crate::on_both;
use crate::support::client::Client;
use crate::support::flow;
use crate::support::tools::{number, sql};
use crate::support::world::{World, member, preset};

fn content(client: &Client, document: i64) -> String {
    let answer = client.get(&format!("/documents/{document}/content"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text().to_owned()
}

on_both! {
    fn a_hypothetical_request_is_priced_for_everybody_who_would_pay(app) {
        let world = World::new(app);
        let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
        rules["payers"] = json!([{"component": "honorarium", "rest": "host"}, {"component": "venue", "rest": "requester"}]);
        rules["budget_yen"] = json!(1);
        rules["allocation_tax"] = json!([{"label": "謝金", "components": ["honorarium"], "payer": "host", "numerator": 7, "denominator": 10,
            "source": "試験用の規則"}]);
        let programme = flow::programme(&world, "試算する事業", &rules);
        let path = format!("/programmes/{programme}/years/2026/simulate");
        let ask = |client: &Client, more: &Value| {
            let mut body = json!({"visits": 3, "minutes_per_visit": 240, "mode": "onsite", "bodies": [{"organisation_id": world.hamamatsu}]});
            for (key, value) in more.as_object().unwrap() {
                body[key] = value.clone();
            }
            client.post(&path, &body)
        };
        let one = ask(&world.hamamatsu_staff, &json!({"costs": [{"component": "venue", "amount_yen": 12_000}]})).ok(200).clone();
        assert_eq!((&one["total_yen"], &one["by_payer"]), (&json!(72_000), &json!([{"payer": "host", "amount_yen": 60_000}, {"payer": "requester", "amount_yen": 12_000}])));
        assert_eq!(one["allocation_tax"][0]["estimate_yen"], 42_000);
        assert_eq!(one.get("within_budget"), None, "the office's to know");
        assert_eq!(ask(&world.coordinator, &json!({})).ok(200)["within_budget"], true, "the hosts pay, not the programme");
        let joint = json!({"bodies": [{"organisation_id": world.hamamatsu, "fixed": 2}, {"organisation_id": world.kosai, "fixed": 1}],
            "terms": {"parts": [{"percent": 100, "basis": {"kind": "fixed"}}], "remainder": "largest_remainder"}});
        let shares: Vec<i64> = ask(&world.kosai_staff, &joint).ok(200)["shares"].as_array().unwrap().iter().map(|share| share["amount_yen"].as_i64().unwrap()).collect();
        // Each visit of 20,000 by 2:1 is 13,333 and 6,666 and a yen for the larger fraction: three times that.
        assert_eq!(shares, [39_999, 20_001]);
        assert_eq!(ask(&world.kosai_staff, &json!({"bodies": []})).wrong(), ["/bodies required"]);
        assert_eq!(ask(&world.kosai_staff, &json!({"visits": 0, "fee_yen": 5})).wrong(), ["/visits out_of_range", "/fee_yen by_table"]);
        let mut lacking = joint.clone();
        lacking["bodies"][1].as_object_mut().unwrap().remove("fixed");
        assert_eq!(ask(&world.kosai_staff, &lacking).wrong(), ["/terms/parts/0 missing_weight"]);
        assert_eq!(ask(&world.kosai_staff, &json!({"unknown": 1})).problem(400), "malformed_request");
        assert_eq!(ask(&world.stranger, &json!({})).problem(404), "not_found");
        assert_eq!(number(app, "SELECT COUNT(*) FROM requests"), 0);
        let kept = flow::programme(&world, "非公表の事業", &preset(&world.coordinator, "ehime_council_pool"));
        let hidden = world.hamamatsu_staff.post(&format!("/programmes/{kept}/years/2026/simulate"),
            &json!({"visits": 1, "minutes_per_visit": 60, "mode": "online", "bodies": [{"organisation_id": world.hamamatsu}], "fee_yen": 77_777}));
        assert_eq!(hidden.problem(403), "forbidden");
    }
}

on_both! {
    fn papers_are_numbered_and_printed_again_as_they_were(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let expert = flow::expert(&world, "見本 <太郎>", "expert@example.jp");
        office.put(&format!("/experts/{expert}/payment-profile"), &json!({"withholding_category": "lecture"})).ok(200);
        let issue = |body: &Value| office.post("/documents", body);
        let request = flow::submitted(&world);
        let estimate = flow::id(&issue(&json!({"kind": "cost_estimate", "request_id": request})), 201);
        let paper = content(&world.hamamatsu_staff, estimate);
        assert!(paper.contains("R8-E0001") && paper.contains("浜松市 御中") && paper.contains("40,000円") && paper.contains("令和8年"), "{paper}");
        assert_eq!(world.kosai_staff.get(&format!("/documents/{estimate}")).problem(404), "not_found");
        office.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
        let offer = flow::offer(&world, request, expert, &[flow::visit_on("2026-05-11"), flow::visit_on("2026-05-18")]);
        flow::accept_offer(&world, offer).ok(200);
        let dispatch = flow::decide(&world, request, offer);
        let decision = flow::id(&issue(&json!({"kind": "decision_notice", "dispatch_id": dispatch})), 201);
        let before = content(office, decision);
        assert!(before.contains("R8-0001") && before.contains("見本 &#60;太郎&#62;") && before.contains("令和8年5月18日"), "{before}");
        assert_eq!(issue(&json!({"kind": "decision_notice", "dispatch_id": dispatch})).problem(409), "duplicate", "it is printed again, not issued again");
        let visits = flow::visits_of(office, dispatch);
        office.verb(&format!("/dispatches/{dispatch}"), "amend", &json!({"reason": "日程の変更", "drop": [visits[1]]})).ok(200);
        let amended = flow::id(&issue(&json!({"kind": "decision_notice", "dispatch_id": dispatch})), 201);
        assert!(content(office, amended).contains("変更1"));
        assert_eq!(content(office, decision), before, "byte for byte, whatever happens later");
        sql(app, "UPDATE documents SET html = ''").unwrap_err();
        sql(app, "DELETE FROM documents").unwrap_err();

        app.set_time("2026-05-20T09:00:00+09:00");
        flow::record(&world.hamamatsu_staff, visits[0], 240).ok(200);
        office.post(&format!("/visits/{}/costs", visits[0]), &json!({"component": "venue", "amount_yen": 1_234, "note": "会議室"})).ok(201);
        let report = format!("/dispatches/{dispatch}/report");
        world.hamamatsu_staff.put(&report, &json!({"content": "助言", "result": "改善", "outcomes": []})).ok(200);
        for (client, verb) in [(&world.hamamatsu_staff, "submit"), (office, "approve")] {
            let answer = client.get(&report);
            let id = answer.ok(200)["id"].as_i64().unwrap();
            client.call("POST", format!("/api/v1/reports/{id}/{verb}")).json(&json!({})).header("If-Match", &answer.etag()).send().ok(200);
        }
        let settlement = format!("/settlements/{}", flow::id(&office.post("/settlements", &json!({"dispatch_id": dispatch})), 201));
        for (verb, body) in [("calculate", json!({})), ("confirm", json!({})), ("bill", json!({"due_on": ["2026-06-22"]}))] {
            office.verb(&settlement, verb, &body).ok(200);
        }
        let payment = office.get(&settlement).ok(200)["payments"][0]["id"].as_i64().unwrap();
        let notice = content(office, flow::id(&issue(&json!({"kind": "payment_notice", "payment_id": payment})), 201));
        assert!(notice.contains("17,958円") && notice.contains("△2,042円") && notice.contains("見本 &#60;太郎&#62; 様"), "{notice}");
        app.set_time("2026-06-30T09:00:00+09:00");
        office.verb(&format!("/expert-payments/{payment}"), "pay", &json!({"paid_on": "2026-06-22"})).ok(200);
        let year = json!({"programme_id": world.programme, "fiscal_year": 2026});
        let of = |kind: &str, more: &Value| {
            let mut body = year.clone();
            body["kind"] = json!(kind);
            for (key, value) in more.as_object().unwrap() {
                body[key] = value.clone();
            }
            let answer = issue(&body);
            content(office, flow::id(&answer, 201))
        };
        let town = json!({"organisation_id": world.hamamatsu});
        assert!(of("municipal_statement", &town).contains("1,234円"));
        let whole = of("programme_settlement", &json!({}));
        assert!(whole.contains("21,234円") && whole.contains("都道府県") && whole.contains("派遣先団体"), "{whole}");
        let items = of("budget_item_table", &json!({}));
        assert!(items.contains("報償費") && items.contains("使用料及び賃借料"), "{items}");
        assert!(of("allocation_tax_estimate", &town).contains("見込みであり"));
        let record = content(office, flow::id(&issue(&json!({"kind": "payment_record", "calendar_year": 2026})), 201));
        assert!(record.contains("20,000円") && record.contains("2,042円") && record.contains("不要"), "{record}");
        assert_eq!(issue(&json!({"kind": "municipal_statement"})).wrong(), ["/programme_id required", "/fiscal_year required", "/organisation_id required"]);
        assert_eq!(world.hamamatsu_staff.post("/documents", &json!({"kind": "payment_record", "calendar_year": 2026})).problem(403), "forbidden");
        assert_eq!(world.stranger.get("/documents").ok(200)["items"], json!([]));
        assert_eq!(world.hamamatsu_staff.get("/documents?kind=municipal_statement").ok(200)["items"].as_array().unwrap().len(), 1);
        let expert_user = member(app, "someone@example.jp", "別の専門家", world.prefecture, Role::Expert);
        assert_eq!(expert_user.get("/expert-payments").ok(200)["items"], json!([]));
    }
}

on_both! {
    fn the_fifth_day_is_told_once_and_a_term_ends_unless_it_is_amended(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let programme = flow::programme(&world, "企業からの専門人材", &preset(office, "nagai_company_placement"));
        let expert = flow::expert(&world, "会社 員", "employee@example.jp");
        let place = |from: &str, to: &str| office.post("/postings", &json!({"programme_id": programme, "expert_id": expert,
            "host_organisation_id": world.hamamatsu, "share_percent": 20, "valid_from": from, "valid_to": to, "legal_basis": "agreement"}));
        assert_eq!(place("2026-04-01", "2028-04-02").wrong(), ["/valid_to longest_months"]);
        let posting = format!("/postings/{}", flow::id(&place("2026-04-01", "2028-04-01"), 201));
        app.set_time("2026-06-30T09:00:00+09:00");
        let work = |client: &Client, day: &str| client.post(&format!("{posting}/days"), &json!({"day": day}));
        let told = || number(app, "SELECT COUNT(*) FROM outbox_messages WHERE event = 'posting.days_exceeded'");
        for (n, day) in ["2026-06-01", "2026-06-08", "2026-06-15", "2026-06-22"].into_iter().enumerate() {
            assert_eq!(work(&world.hamamatsu_staff, day).ok(201)["exceeded"], false, "day {n}");
        }
        assert_eq!(told(), 0);
        assert_eq!(work(&world.hamamatsu_staff, "2026-06-23").ok(201)["exceeded"], true);
        work(office, "2026-06-24").ok(201);
        assert_eq!(told(), 1, "the first day above is told, the next is not");
        assert_eq!(work(office, "2026-06-24").problem(409), "duplicate");
        assert_eq!(work(office, "2026-03-31").wrong(), ["/day outside_period"]);
        assert_eq!(work(office, "2026-07-01").wrong(), ["/day in_the_future"]);
        assert_eq!(work(&world.kosai_staff, "2026-06-25").problem(404), "not_found");
        let month = world.hamamatsu_staff.get(&format!("{posting}/days?month=2026-06-30")).ok(200).clone();
        assert_eq!((&month["agreed_days"], month["days"].as_array().unwrap().len()), (&json!(4), 6));
        // Beyond 24 months only by an amendment.
        assert_eq!(office.patch(&posting, &json!({"valid_to": "2028-10-01"})).wrong(), ["/valid_to longest_months"]);
        let extend = |to: &str, reason: &str| office.verb(&posting, "extend", &json!({"valid_to": to, "document_number": "協第9号", "reason": reason}));
        assert_eq!(extend("2028-04-01", "").wrong(), ["/valid_to not_later", "/reason required"]);
        assert_eq!(extend("2028-10-01", "協定の変更").ok(200)["valid_to"], "2028-10-01");
        assert_eq!(number(app, "SELECT COUNT(*) FROM posting_amendments"), 1);
        // The company pays the salary; what the month cost goes to nobody here but the company.
        app.set_time("2026-07-10T09:00:00+09:00");
        let cost = json!({"expert_id": expert, "month": "2026-06-01", "component": "salary", "amount_yen": 500_000});
        let items = office.post(&format!("/programmes/{programme}/placement-costs"), &cost).ok(201).clone();
        let payers: Vec<&str> = items["items"].as_array().unwrap().iter().map(|item| item["shares"][0]["payer"].as_str().unwrap()).collect();
        assert_eq!(payers, ["company", "company"]);
    }
}
