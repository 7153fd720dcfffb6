//! What must hold of money when things change late: corrections, closed periods, agreements after the fact, clients that
//! act at once, and statements that reach around the service.

use serde_json::{Value, json};

use crate::money::{accept, borne, budget, decided, id_of, ledger_is_sound, report_approved, settled, shizuoka, submitted};
use crate::on_both;
use crate::support::client::Answer;
use crate::support::flow::{self, visit_on};
use crate::support::tools::{number, race, sql};
use crate::support::world::{World, preset};

/// A settlement of an object, final.
fn confirmed(world: &World, subject: &Value) -> String {
    let settlement = format!("/settlements/{}", flow::id(&world.coordinator.post("/settlements", subject), 201));
    world.coordinator.verb(&settlement, "calculate", &json!({})).ok(200);
    world.coordinator.verb(&settlement, "confirm", &json!({})).ok(200);
    settlement
}

on_both! {
    fn thirty_two_acceptances_at_once_never_bind_more_than_there_is(app) {
        let world = World::new(app);
        let rules = shizuoka(&world, &json!({"budget_yen": 250_000, "intake": "batch"}));
        let programme = flow::programme(&world, "同時の承認", &rules);
        let requests: Vec<String> = (0..32).map(|_| submitted(&world, programme, &json!({}))).collect();
        let answers = race(32, |n| accept(&world, &requests[n]));
        // 40,000 yen each: six fit, and the rest are told so.
        let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(200), count(409)), (6, 26));
        for refused in answers.iter().filter(|answer| answer.status == 409) {
            assert_eq!(refused.problem(409), "budget_exceeded");
        }
        assert_eq!(budget(&world, programme)["bound_yen"], 240_000);
        ledger_is_sound(app, programme);
    }
}

on_both! {
    fn recording_entering_and_cancelling_at_once_leave_one_story(app) {
        let world = World::new(app);
        let rules = shizuoka(&world, &json!({"budget_yen": 1_000_000}));
        let programme = flow::programme(&world, "競合する記録", &rules);
        let request = submitted(&world, programme, &json!({}));
        accept(&world, &request).ok(200);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let (dispatch, visits) = decided(&world, &request, expert, &["2026-05-11", "2026-05-18"]);
        app.set_time("2026-05-20T09:00:00+09:00");
        flow::record(&world.hamamatsu_staff, visits[0], 240).ok(200);
        let cancel = json!({"party": "prefecture", "reason_code": "other", "reason": "中止"});
        let answers = race(32, |n| match n % 3 {
            0 => flow::record(&world.hamamatsu_staff, visits[1], 240),
            1 => world.coordinator.verb(&format!("/dispatches/{dispatch}"), "cancel", &cancel),
            _ => world.coordinator.post(&format!("/visits/{}/costs", visits[0]), &json!({"component": "venue", "amount_yen": 5_000})),
        });
        for answer in &answers {
            assert!(matches!(answer.status, 200 | 201 | 409 | 412 | 422), "{}", answer.text());
        }
        let won = |kind: usize| answers.iter().enumerate().filter(|(n, answer)| n % 3 == kind && answer.status < 300).count();
        assert!(won(0) <= 1 && won(1) <= 1 && won(2) == 1, "{} {} {}", won(0), won(1), won(2));
        let second = i64::from(won(0) == 1) * 20_000;
        assert_eq!(number(app, "SELECT CAST(SUM(amount_yen) AS BIGINT) FROM cost_items"), 25_000 + second);
        ledger_is_sound(app, programme);
    }
}

on_both! {
    fn counts_of_people_can_come_with_the_agreement_and_programme_terms_are_frozen_by_the_decision(app) {
        let world = World::new(app);
        let terms = json!({"parts": [{"percent": 100, "basis": {"kind": "population", "source": "census", "as_of": "2025-10-01"}}], "remainder": "lead"});
        let payers = json!([{"component": "honorarium", "rest": "host"}]);
        let rules = shizuoka(&world, &json!({"payers": payers, "sharing": terms}));
        let programme = flow::programme(&world, "規則による負担", &rules);
        let joint = json!({"participant_organisation_ids": [world.kosai], "visit_count": 1});
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let agreed = |request: &str| {
            world.kosai_staff.verb(request, "consent", &json!({})).ok(200);
            accept(&world, request).ok(200);
        };
        let offered = |request: &str, day: &str| {
            let offer = flow::offer(&world, id_of(request), expert, &[visit_on(day)]);
            flow::accept_offer(&world, offer).ok(200);
            offer
        };
        // Nobody has registered a count: the decision says what is missing; the bodies agree on the figures themselves.
        let first = submitted(&world, programme, &joint);
        agreed(&first);
        let offer = offered(&first, "2026-05-11");
        let decide = |request: &str, offer: i64| world.coordinator.verb(request, "decide", &json!({"offer_ids": [offer]}));
        assert_eq!(decide(&first, offer).problem(409), "agreement_pending");
        let figures = json!([{"organisation_id": world.hamamatsu, "population": 3}, {"organisation_id": world.kosai, "population": 1}]);
        let mut mixed = terms.clone();
        mixed["parts"] = json!([{"percent": 50, "basis": {"kind": "population", "source": "census", "as_of": "2025-10-01"}},
            {"percent": 50, "basis": {"kind": "population", "source": "resident_register", "as_of": "2026-01-01"}}]);
        let propose = |terms: &Value| {
            world.hamamatsu_staff.post(&format!("{first}/agreements"), &json!({"agreed_on": "2026-04-20", "terms": terms, "figures": figures}))
        };
        assert_eq!(propose(&mixed).wrong(), ["/terms/parts/1/basis mixed_populations"]);
        let version = propose(&terms).ok(201).clone();
        world.kosai_staff.post(&format!("/agreements/{}/consent", version["id"]), &json!({})).ok(200);
        let dispatch = flow::decide(&world, id_of(&first), offer);

        // With counts registered, the decision keeps them: what is published later moves nobody's share.
        for (body, people) in [(world.hamamatsu, 1_000), (world.kosai, 3_000)] {
            sql(app, &format!("INSERT INTO populations (organisation_id, population, as_of, source) VALUES ({body}, {people}, '2020-10-01', '国勢調査')")).unwrap();
        }
        let second = submitted(&world, programme, &joint);
        agreed(&second);
        let offer = offered(&second, "2026-05-12");
        let other = flow::decide(&world, id_of(&second), offer);
        let kept = world.coordinator.get(&format!("{second}/agreements")).ok(200).clone();
        assert_eq!((&kept["items"][0]["status"], &kept["items"][0]["bodies"][1]["figures"]["population"]), (&json!("in_force"), &json!(3_000)));
        sql(app, "UPDATE populations SET population = 9000 WHERE source = '国勢調査'").unwrap();
        app.set_time("2026-05-20T09:00:00+09:00");
        for dispatch in [dispatch, other] {
            let visit = flow::visits_of(&world.coordinator, dispatch)[0];
            flow::record(&world.hamamatsu_staff, visit, 240).ok(200);
        }
        assert_eq!((borne(app, world.hamamatsu), borne(app, world.kosai)), (15_000 + 5_000, 5_000 + 15_000));
    }
}

on_both! {
    fn the_last_word_on_an_agreement_comes_too_late_once_the_amount_is_final(app) {
        let world = World::new(app);
        let rules = shizuoka(&world, &json!({"payers": [{"component": "honorarium", "rest": "host", "first_paid_by": "prefecture"}]}));
        let programme = flow::programme(&world, "遅れた同意", &rules);
        let request = submitted(&world, programme, &json!({"participant_organisation_ids": [world.kosai], "visit_count": 1}));
        world.kosai_staff.verb(&request, "consent", &json!({})).ok(200);
        accept(&world, &request).ok(200);
        let equal = json!({"agreed_on": "2026-04-20", "reason": "見直し", "terms": {"parts": [{"percent": 100, "basis": {"kind": "equal"}}], "remainder": "lead"}});
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let (dispatch, visits) = decided(&world, &request, expert, &["2026-05-11"]);
        app.set_time("2026-05-20T09:00:00+09:00");
        flow::record(&world.hamamatsu_staff, visits[0], 240).ok(200);
        let version = world.hamamatsu_staff.post(&format!("{request}/agreements"), &equal).ok(201).clone();
        report_approved(&world, dispatch);
        confirmed(&world, &json!({"dispatch_id": dispatch}));
        let late = world.kosai_staff.post(&format!("/agreements/{}/consent", version["id"]), &json!({}));
        assert_eq!(late.problem(409), "settlement_fixed");
        assert_eq!((borne(app, world.hamamatsu), borne(app, world.kosai)), (20_000, 0));
        assert_eq!(number(app, "SELECT COUNT(*) FROM cost_items WHERE adjusts_id IS NOT NULL"), 0);
    }
}

on_both! {
    fn rules_that_change_later_do_not_reach_what_was_ordered_or_placed(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let replace = |programme: i64, rules: &Value| {
            let path = format!("/programmes/{programme}/years/2026");
            office.put(&path, &json!({"rules": rules})).ok(200);
        };
        // An order keeps the subsidy of its day.
        let mut rules = preset(office, "osaka_menu_sharing");
        let programme = flow::programme(&world, "支援メニュー", &rules);
        let order = world.hamamatsu_staff.post(&format!("/programmes/{programme}/menu-orders"), &json!({"fiscal_year": 2026, "menu_code": "support", "quantity": 1})).ok(201).clone();
        let path = format!("/menu-orders/{}", order["id"]);
        world.hamamatsu_staff.verb(&path, "contract", &json!({"contracted_on": "2026-04-03", "contract_number": "契1", "unit_price_yen": 1_000_000})).ok(200);
        rules["payers"] = json!([{"component": "vendor_fee", "portions": [{"kind": "ratio", "payer": "prefecture", "numerator": 1, "denominator": 3}], "rest": "host"}]);
        replace(programme, &rules);
        app.set_time("2026-07-10T09:00:00+09:00");
        world.hamamatsu_staff.verb(&path, "complete", &json!({"completed_on": "2026-07-01"})).ok(200);
        assert_eq!((borne(app, world.prefecture), borne(app, world.hamamatsu)), (550_000, 550_000));
        let settlement = confirmed(&world, &json!({"order_id": order["id"]}));
        let item = office.get(&settlement).ok(200)["items"][0]["id"].clone();
        office.verb(&settlement, "adjust", &json!({"cost_item_id": item, "amount_yen": 1_100_100, "reason": "検査による"})).ok(200);
        assert_eq!((borne(app, world.prefecture), borne(app, world.hamamatsu)), (550_050, 550_050));
        assert_eq!(budget(&world, programme)["bound_yen"], 550_050, "the ledger follows the correction");

        // Half a month without a host stays with the company, also when it is corrected.
        let rules = preset(office, "regional_revitalizer");
        let programme = flow::programme(&world, "企業人", &rules);
        let expert = flow::expert(&world, "企業 人", "company@example.jp");
        office.post("/postings", &json!({"programme_id": programme, "expert_id": expert, "host_organisation_id": world.kosai, "share_percent": 100,
            "valid_from": "2026-06-16", "valid_to": "2027-04-01", "legal_basis": "agreement"})).ok(201);
        let before = borne(app, world.prefecture);
        let parts = office.post(&format!("/programmes/{programme}/placement-costs"),
            &json!({"expert_id": expert, "month": "2026-06-01", "component": "salary", "amount_yen": 200_000})).ok(201).clone();
        assert_eq!(parts["items"].as_array().unwrap().len(), 2);
        let idle = parts["items"].as_array().unwrap().iter().find(|item| item["shares"][0]["payer"] == "company").unwrap()["id"].clone();
        let placement = json!({"placement": {"programme_id": programme, "expert_id": expert, "from": "2026-06-01", "to": "2026-07-01"}});
        let settlement = confirmed(&world, &placement);
        office.verb(&settlement, "adjust", &json!({"cost_item_id": idle, "amount_yen": 110_000, "reason": "訂正"})).ok(200);
        assert_eq!(borne(app, world.prefecture), before, "nothing falls to the prefecture");
        let late = office.post(&format!("/programmes/{programme}/placement-costs"), &json!({"expert_id": expert, "month": "2026-06-01", "component": "allowance", "amount_yen": 1}));
        assert_eq!(late.problem(409), "settlement_fixed");
    }
}

on_both! {
    fn what_was_paid_directly_stays_out_of_payments_when_it_is_corrected(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let programme = flow::programme(&world, "直接払い", &shizuoka(&world, &json!({})));
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let (dispatch, visit, settlement) = settled(app, &world, programme, expert, 240);
        office.post(&format!("/visits/{visit}/costs"), &json!({"component": "travel", "amount_yen": 30_000, "paid_directly_yen": 30_000})).ok(201);
        office.verb(&settlement, "calculate", &json!({})).ok(200);
        office.verb(&settlement, "confirm", &json!({})).ok(200);
        let billed = office.verb(&settlement, "bill", &json!({"due_on": ["2026-06-22"]})).ok(200).clone();
        assert_eq!((&billed["payments"][0]["travel_yen"], &billed["payments"][0]["honorarium_yen"]), (&json!(0), &json!(20_000)));
        let item = number(app, "SELECT id FROM cost_items WHERE component = 'travel'");
        let adjust = |more: &Value| {
            let mut body = json!({"cost_item_id": item, "reason": "訂正"});
            for (key, value) in more.as_object().unwrap() {
                body[key] = value.clone();
            }
            office.verb(&settlement, "adjust", &body)
        };
        assert_eq!(adjust(&json!({"amount_yen": 1, "paid_directly_yen": 2})).wrong(), ["/paid_directly_yen out_of_range"]);
        assert_eq!(adjust(&json!({"amount_yen": 1, "adjusted_on": "2026-05-19"})).wrong(), ["/adjusted_on before_start"]);
        assert_eq!(adjust(&json!({"amount_yen": 25_000})).ok(200)["payments"].as_array().unwrap().len(), 1, "the carrier pays back");
        // 2,000 yen more that the person laid out.
        let more = adjust(&json!({"amount_yen": 27_000, "paid_directly_yen": 25_000})).ok(200).clone();
        assert_eq!((more["payments"].as_array().unwrap().len(), &more["payments"][1]["travel_yen"]), (2, &json!(2_000)));
        assert_eq!(office.get(&format!("/dispatches/{dispatch}/costs")).ok(200)["totals"]["amount_yen"], 47_000);
        // An official on duty gets no honorarium by way of a correction either.
        sql(app, &format!("UPDATE experts SET affiliation_kind = 'public_official' WHERE id = {expert}")).unwrap();
        let fee = number(app, "SELECT id FROM cost_items WHERE component = 'honorarium'");
        let refused = office.verb(&settlement, "adjust", &json!({"cost_item_id": fee, "amount_yen": 15_000, "reason": "訂正"}));
        assert_eq!(refused.wrong(), ["/amount_yen official_on_duty"]);
    }
}

on_both! {
    fn months_and_years_close_over_nothing_that_is_still_to_be_settled(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let programme = flow::programme(&world, "締める事業", &shizuoka(&world, &json!({})));
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let (_, visit, settlement) = settled(app, &world, programme, expert, 240);
        let other = submitted(&world, programme, &json!({"visit_count": 1}));
        accept(&world, &other).ok(200);
        let second = flow::expert(&world, "見本 次郎", "second@example.jp");
        let (unsettled, visits) = decided(&world, &other, second, &["2026-05-22"]);
        app.set_time("2026-06-10T09:00:00+09:00");
        flow::record(&world.hamamatsu_staff, visits[0], 240).ok(200);
        report_approved(&world, unsettled);
        for month in [4, 5] {
            office.post("/closed-periods", &json!({"fiscal_year": 2026, "month": month})).ok(201);
        }
        let cost = office.post(&format!("/visits/{visit}/costs"), &json!({"component": "venue", "amount_yen": 5_000}));
        assert_eq!(cost.problem(409), "period_closed");
        assert!(cost.text().contains("5月"), "{}", cost.text());
        for step in ["calculate", "confirm"] {
            office.verb(&settlement, step, &json!({})).ok(200);
        }
        let billed = office.verb(&settlement, "bill", &json!({"due_on": ["2026-06-22"]})).ok(200).clone();
        let pay = |view: &Value, index: usize, day: &str| office.verb(&format!("/expert-payments/{}", view["payments"][index]["id"]), "pay", &json!({"paid_on": day}));
        assert_eq!(pay(&billed, 0, "2001-01-01").wrong(), ["/paid_on before_start"]);
        pay(&billed, 0, "2026-06-10").ok(200);

        // In April the year before is corrected while its cash is open, whatever of its own April is closed.
        app.set_time("2027-04-10T09:00:00+09:00");
        let item = billed["items"][0]["id"].clone();
        let corrected = office.verb(&settlement, "adjust", &json!({"cost_item_id": item, "amount_yen": 15_000, "reason": "訂正"})).ok(200).clone();
        assert_eq!(number(app, "SELECT COUNT(*) FROM cost_items WHERE adjusts_id IS NOT NULL AND fiscal_year = 2026"), 1);
        pay(&corrected, 1, "2027-04-10").ok(200);
        let close = || office.post("/closed-periods", &json!({"fiscal_year": 2026}));
        let refused = close();
        assert_eq!(refused.problem(409), "invalid_transition");
        assert!(refused.text().contains("どの精算にも入っていない費用が1件"), "{}", refused.text());
        let settlement = confirmed(&world, &json!({"dispatch_id": unsettled}));
        let billed = office.verb(&settlement, "bill", &json!({"due_on": ["2027-04-20"]})).ok(200).clone();
        pay(&billed, 0, "2027-04-10").ok(200);
        close().ok(201);
        assert_eq!(close().problem(409), "duplicate");
        assert_eq!(office.post("/settlements", &json!({"dispatch_id": unsettled})).status, 409);
    }
}

on_both! {
    fn caps_hold_for_each_visit_and_the_ledger_with_them(app) {
        let world = World::new(app);
        let capped = json!([{"component": "honorarium", "portions": [{"kind": "ratio", "payer": "prefecture", "numerator": 1, "denominator": 2, "cap": 8_000}], "rest": "host"}]);
        let programme = flow::programme(&world, "上限のある負担", &shizuoka(&world, &json!({"budget_yen": 100_000, "payers": capped})));
        let request = submitted(&world, programme, &json!({}));
        accept(&world, &request).ok(200);
        assert_eq!(budget(&world, programme)["bound_yen"], 16_000);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let (_, visits) = decided(&world, &request, expert, &["2026-05-11", "2026-05-18"]);
        app.set_time("2026-05-20T09:00:00+09:00");
        for visit in visits {
            flow::record(&world.hamamatsu_staff, visit, 240).ok(200);
        }
        assert_eq!((borne(app, world.prefecture), &budget(&world, programme)["bound_yen"]), (16_000, &json!(16_000)));

        // A fee still to be agreed counts with its cap; an official on duty with nothing once that is who comes.
        let agreed = json!({"kind": "agreed", "cap": 50_000});
        let programme = flow::programme(&world, "協議による謝金", &shizuoka(&world, &json!({"budget_yen": 120_000, "fee_table": agreed})));
        let first = submitted(&world, programme, &json!({}));
        accept(&world, &first).ok(200);
        assert_eq!(budget(&world, programme)["bound_yen"], 100_000);
        let official = flow::expert(&world, "県 職員", "official@example.jp");
        sql(app, &format!("UPDATE experts SET affiliation_kind = 'public_official' WHERE id = {official}")).unwrap();
        decided(&world, &first, official, &["2026-05-25", "2026-05-26"]);
        assert_eq!(budget(&world, programme)["bound_yen"], 0);
    }
}

on_both! {
    fn statements_that_reach_around_the_service_are_refused(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let rules = shizuoka(&world, &json!({"payers": [{"component": "honorarium", "rest": "host", "first_paid_by": "prefecture"}]}));
        let programme = flow::programme(&world, "守られる記録", &rules);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let (_, _, settlement) = settled(app, &world, programme, expert, 240);
        for step in ["calculate", "confirm"] {
            office.verb(&settlement, step, &json!({})).ok(200);
        }
        let billed = office.verb(&settlement, "bill", &json!({"due_on": ["2026-06-22"]})).ok(200).clone();
        office.verb(&format!("/claims/{}", billed["claims"][0]["id"]), "pay", &json!({"paid_on": "2026-05-20", "amount_yen": 1_000})).ok(200);
        office.post("/closed-periods", &json!({"fiscal_year": 2026, "month": 4})).ok(201);
        let refused: Vec<&str> = [
            "UPDATE cost_items SET amount_yen = amount_yen + 1",
            "UPDATE cost_items SET explanation = ''",
            "UPDATE cost_items SET settlement_id = NULL",
            "UPDATE cost_items SET status = 'open'",
            "DELETE FROM cost_items",
            "UPDATE cost_shares SET amount_yen = amount_yen + 1",
            "UPDATE cost_shares SET cost_item_id = 999999",
            "DELETE FROM cost_shares",
            "INSERT INTO cost_shares (cost_item_id, place, payer, amount_yen) SELECT id, 99, 'prefecture', 0 FROM cost_items",
            "INSERT INTO cost_items (programme_id, owner_organisation_id, fiscal_year, occurred_on, dispatch_id, component, amount_yen, explanation, status, created_at, updated_at)
                SELECT programme_id, owner_organisation_id, fiscal_year, occurred_on, dispatch_id, 'venue', 1, '', 'calculated', created_at, updated_at FROM cost_items",
            "UPDATE claims SET amount_yen = amount_yen + 1",
            "UPDATE claims SET paid_yen = amount_yen + 1",
            "DELETE FROM claims",
            "UPDATE claim_instalments SET due_on = '2030-01-01'",
            "UPDATE claim_payments SET amount_yen = 1",
            "DELETE FROM claim_payments",
            "UPDATE expert_payments SET honorarium_yen = 1, net_yen = 1",
            "DELETE FROM expert_payments",
            "DELETE FROM closed_periods",
            "UPDATE budget_entries SET delta_yen = 0",
        ]
        .into_iter()
        .filter(|statement| sql(app, statement).is_ok())
        .collect();
        assert_eq!(refused, Vec::<&str>::new(), "these went through");
        assert_eq!(borne(app, world.hamamatsu), 20_000);
    }
}

on_both! {
    fn the_body_that_applied_is_paid_back_by_those_that_share(app) {
        let world = World::new(app);
        let rules = shizuoka(&world, &json!({"payers": [{"component": "honorarium", "rest": "host", "first_paid_by": "host"}]}));
        let programme = flow::programme(&world, "幹事が立て替える事業", &rules);
        let request = submitted(&world, programme, &json!({"participant_organisation_ids": [world.kosai], "visit_count": 1}));
        world.kosai_staff.verb(&request, "consent", &json!({})).ok(200);
        let equal = json!({"agreed_on": "2026-04-20", "terms": {"parts": [{"percent": 100, "basis": {"kind": "equal"}}], "remainder": "lead"}});
        let version = world.hamamatsu_staff.post(&format!("{request}/agreements"), &equal).ok(201).clone();
        world.kosai_staff.post(&format!("/agreements/{}/consent", version["id"]), &json!({})).ok(200);
        accept(&world, &request).ok(200);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let (dispatch, visits) = decided(&world, &request, expert, &["2026-05-11"]);
        let notice = world.coordinator.post("/documents", &json!({"kind": "decision_notice", "dispatch_id": dispatch})).ok(201).clone();
        let content = |reader: &crate::support::client::Client| -> Answer { reader.get(&format!("/documents/{}/content", notice["id"])) };
        assert!(content(&world.kosai_staff).text().contains("湖西市"), "who shares reads the decision too");
        assert_eq!(content(&world.outsider_staff).problem(404), "not_found");
        app.set_time("2026-05-20T09:00:00+09:00");
        flow::record(&world.hamamatsu_staff, visits[0], 240).ok(200);
        report_approved(&world, dispatch);
        let settlement = confirmed(&world, &json!({"dispatch_id": dispatch}));
        let billed = world.coordinator.verb(&settlement, "bill", &json!({"due_on": ["2026-06-22"]})).ok(200).clone();
        let claims: Vec<(&Value, &Value, &Value)> = billed["claims"].as_array().unwrap().iter()
            .map(|claim| (&claim["debtor_organisation_id"], &claim["creditor_organisation_id"], &claim["amount_yen"])).collect();
        assert_eq!(claims, [(&json!(world.kosai), &json!(world.hamamatsu), &json!(10_000))]);
        assert_eq!(billed["status"], "billed");
    }
}
