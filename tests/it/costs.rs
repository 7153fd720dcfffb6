//! What a visit costs, who pays it, and that no yen can be changed afterwards or seen by those from whom it is kept.

use serde_json::{Value, json};
use tasuki::auth::policy::Role;
use tasuki::error::ErrorCode;

use crate::on_both;
use crate::support::flow::{self, visit_on};
use crate::support::tools::{number, sql};
use crate::support::world::{World, member, preset};

/// A decided dispatch of a new programme with these rules, with visits on 11, 12, … May.
fn dispatched_under(world: &World, rules: &Value, visits: usize) -> (i64, Vec<i64>) {
    let programme = flow::programme(world, "費用を確かめる事業", rules);
    let mut body = flow::request_body(world);
    (body["programme_id"], body["visit_count"]) = (json!(programme), json!(visits));
    let request = flow::id(&world.hamamatsu_staff.post("/requests", &body), 201);
    let path = format!("/requests/{request}");
    world.hamamatsu_staff.verb(&path, "submit", &json!({})).ok(200);
    world.coordinator.verb(&path, "accept", &json!({})).ok(200);
    let expert = flow::expert(world, "見本 太郎", "expert@example.jp");
    let planned: Vec<Value> = (0..visits).map(|n| visit_on(&format!("2026-05-{:02}", 11 + n))).collect();
    let offer = flow::offer(world, request, expert, &planned);
    flow::accept_offer(world, offer).ok(200);
    let dispatch = flow::decide(world, request, offer);
    (dispatch, flow::visits_of(&world.coordinator, dispatch))
}

on_both! {
    fn the_fee_follows_the_table_by_the_minute(app) {
        let world = World::new(app);
        let minutes_and_yen = [(240, 20_000), (600, 20_000), (239, 15_000), (180, 15_000), (179, 10_000), (60, 5_000), (59, 0)];
        let (dispatch, visits) = dispatched_under(&world, &preset(&world.coordinator, "shizuoka_ict_expert"), minutes_and_yen.len());
        app.set_time("2026-05-31T18:00:00+09:00");
        for (visit, (minutes, _)) in visits.iter().zip(minutes_and_yen) {
            flow::record(&world.hamamatsu_staff, *visit, minutes).ok(200);
        }
        let costs = world.coordinator.get(&format!("/dispatches/{dispatch}/costs")).ok(200);
        let found: Vec<i64> = costs["items"].as_array().unwrap().iter().map(|item| item["amount_yen"].as_i64().unwrap()).collect();
        assert_eq!(found, minutes_and_yen.map(|(_, yen)| yen));
        assert_eq!((&costs["totals"]["amount_yen"], &costs["totals"]["by_payer"]),
            (&json!(85_000), &json!([{"payer": "prefecture", "amount_yen": 85_000}])));
        let own = world.hamamatsu_staff.get(&format!("/dispatches/{dispatch}/costs")).ok(200);
        assert_eq!((&own["totals"]["amount_yen"], &own["totals"]["own_share_yen"], own["totals"].get("by_payer")),
            (&json!(85_000), &json!(0), None));
    }
}

on_both! {
    fn shares_by_ratio_sum_to_the_yen(app) {
        let world = World::new(app);
        let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
        rules["payers"] = json!([
            {"component": "honorarium", "portions": [{"kind": "ratio", "payer": "host", "numerator": 1, "denominator": 3}], "rest": "prefecture"},
            {"component": "travel", "portions": [{"kind": "ratio", "payer": "host", "numerator": 1, "denominator": 2}], "rest": "prefecture"}
        ]);
        let (dispatch, visits) = dispatched_under(&world, &rules, 2);
        app.set_time("2026-05-31T18:00:00+09:00");
        flow::record(&world.hamamatsu_staff, visits[0], 240).ok(200);
        let travel = |amount: i64| world.coordinator.post(&format!("/visits/{}/costs", visits[0]), &json!({"component": "travel", "amount_yen": amount, "note": "静岡―浜松 往復"}));
        assert_eq!(travel(-1).wrong(), ["/amount_yen out_of_range"]);
        assert_eq!(travel(1_000_000_000_001).wrong(), ["/amount_yen out_of_range"]);
        travel(3_481).ok(201);
        assert_eq!(travel(100).problem(409), "duplicate", "what is calculated is fixed");
        assert_eq!(world.hamamatsu_staff.post(&format!("/visits/{}/costs", visits[0]), &json!({"component": "venue", "amount_yen": 1})).problem(403), "forbidden");
        let early = world.coordinator.post(&format!("/visits/{}/costs", visits[1]), &json!({"component": "travel", "amount_yen": 1}));
        assert_eq!(early.problem(409), "invalid_transition");
        let by_hand = world.coordinator.post(&format!("/visits/{}/costs", visits[0]), &json!({"component": "honorarium", "amount_yen": 1}));
        assert!(matches!(by_hand.status, 409 | 422), "{}", by_hand.text());
        // 20,000 by 2:1 is 13,333 and 6,666 and a yen; 3,481 by halves is 1,740 each and a yen: the prefecture bears both.
        let costs = |client: &crate::support::client::Client| client.get(&format!("/dispatches/{dispatch}/costs")).ok(200);
        let totals = costs(&world.coordinator)["totals"].clone();
        let by_payer = json!([{"payer": "prefecture", "amount_yen": 15_075}, {"payer": "host", "amount_yen": 8_406}]);
        assert_eq!((&totals["amount_yen"], &totals["by_payer"]), (&json!(23_481), &by_payer));
        let own = costs(&world.hamamatsu_staff);
        assert_eq!(own["totals"]["own_share_yen"], 8_406);
        assert_eq!(own["items"][0]["shares"], json!([{"organisation_id": world.hamamatsu, "payer": "host", "amount_yen": 6_666}]));
    }
}

on_both! {
    fn the_database_keeps_a_calculation_from_being_changed(app) {
        let world = World::new(app);
        let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
        rules["payers"] = json!([{"component": "honorarium",
            "portions": [{"kind": "ratio", "payer": "host", "numerator": 1, "denominator": 2}], "rest": "prefecture"}]);
        let (_, visits) = dispatched_under(&world, &rules, 2);
        app.set_time("2026-05-31T18:00:00+09:00");
        flow::record(&world.hamamatsu_staff, visits[0], 240).ok(200);
        let before = number(app, "SELECT SUM(amount_yen) FROM cost_shares");
        for tampering in [
            "UPDATE cost_items SET amount_yen = 30000",
            "UPDATE cost_items SET status = 'open'",
            "UPDATE cost_items SET undisclosed = TRUE",
            "DELETE FROM cost_items",
            "UPDATE cost_shares SET amount_yen = amount_yen + 1",
            "UPDATE cost_items SET fiscal_year = fiscal_year + 1",
            "UPDATE cost_items SET first_paid_by = 'host'",
            "DELETE FROM cost_shares WHERE payer = 'host'",
            "INSERT INTO cost_shares (cost_item_id, place, organisation_id, payer, amount_yen) SELECT cost_item_id, 9, organisation_id, 'prefecture', 1
                FROM cost_shares WHERE payer = 'host'",
        ] {
            let refused = sql(app, tampering).unwrap_err();
            assert!(matches!(refused.code, ErrorCode::ValidationFailed | ErrorCode::StillReferenced | ErrorCode::Internal), "{tampering}: {refused}");
        }
        assert_eq!((number(app, "SELECT SUM(amount_yen) FROM cost_shares"), number(app, "SELECT SUM(amount_yen) FROM cost_items")), (before, before));
        // A sum that does not add up never leaves `open`, whichever way it is tried.
        let open = format!("INSERT INTO cost_items (programme_id, owner_organisation_id, fiscal_year, occurred_on, dispatch_id, visit_id, component,
                amount_yen, explanation, status, created_at, updated_at)
            SELECT programme_id, owner_organisation_id, fiscal_year, occurred_on, dispatch_id, {}, 'travel', 1000, '', 'open', created_at, updated_at
                FROM cost_items", visits[1]);
        sql(app, &open.replace("'open'", "'calculated'")).unwrap_err();
        sql(app, &open).unwrap();
        let share = |amount: i32| format!("INSERT INTO cost_shares (cost_item_id, place, organisation_id, payer, amount_yen)
            SELECT id, 0, {}, 'prefecture', {amount} FROM cost_items WHERE component = 'travel'", world.prefecture);
        sql(app, &share(999)).unwrap();
        let calculate = "UPDATE cost_items SET status = 'calculated' WHERE component = 'travel'";
        sql(app, calculate).unwrap_err();
        sql(app, "UPDATE cost_shares SET amount_yen = 1000 WHERE amount_yen = 999").unwrap();
        sql(app, calculate).unwrap();
        sql(app, "UPDATE cost_shares SET amount_yen = 999 WHERE amount_yen = 1000").unwrap_err();
    }
}

on_both! {
    fn a_fee_table_that_is_kept_never_reaches_a_member(app) {
        let world = World::new(app);
        let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
        rules["amounts_undisclosed"] = json!(true);
        rules["fee_table"] = json!({"kind": "timed", "unit_minutes": 60, "rate": 7_321, "part_unit": "floor_to_unit"});
        rules["budget_yen"] = json!(6_813_457);
        let (dispatch, visits) = dispatched_under(&world, &rules, 1);
        app.set_time("2026-05-31T18:00:00+09:00");
        flow::record(&world.hamamatsu_staff, visits[0], 120).ok(200);
        let body = json!({"expert_id": 1, "score": 2, "comment": "やや不満"});
        world.hamamatsu_staff.post(&format!("/dispatches/{dispatch}/evaluations"), &body).ok(201);
        let auditor = member(app, "auditor@hamamatsu.example.jp", "浜松 監査", world.hamamatsu, Role::Auditor);
        let programme = world.coordinator.get(&format!("/dispatches/{dispatch}")).ok(200)["programme_id"].as_i64().unwrap();
        let years = format!("/programmes/{programme}/years");
        assert_eq!(world.coordinator.get(&format!("{years}/2026")).ok(200)["rules"]["budget_yen"], 6_813_457);
        assert!(auditor.get("/audit-events").ok(200)["items"].as_array().unwrap().iter().any(|event| event["entity_kind"] == "evaluation"));
        for place in [years.clone(), format!("{years}/2026"), format!("/dispatches/{dispatch}/costs"), "/audit-events?limit=200".to_owned()] {
            for client in [&world.hamamatsu_staff, &auditor] {
                let text = client.get(&place).text();
                for secret in ["7321", "14642", "6813457", "\"score\""] {
                    assert!(!text.contains(secret), "{place} tells {secret}: {text}");
                }
            }
        }
    }
}

on_both! {
    fn amounts_that_are_kept_never_reach_a_member(app) {
        let world = World::new(app);
        let (dispatch, visits) = dispatched_under(&world, &preset(&world.coordinator, "ehime_council_pool"), 1);
        app.set_time("2026-05-31T18:00:00+09:00");
        flow::record(&world.hamamatsu_staff, visits[0], 240).ok(200);
        let enter = |component: &str, amount: i64| {
            let body = json!({"component": component, "amount_yen": amount, "note": format!("実費{amount}円")});
            world.coordinator.post(&format!("/visits/{}/costs", visits[0]), &body).ok(201)
        };
        enter("honorarium", 73_421);
        enter("venue", 68_113);
        let request = world.coordinator.get(&format!("/dispatches/{dispatch}")).ok(200)["request_id"].as_i64().unwrap();
        let costs = format!("/dispatches/{dispatch}/costs");
        assert_eq!(world.coordinator.get(&costs).ok(200)["totals"]["amount_yen"], 141_534);
        let shown = world.hamamatsu_staff.get(&costs).ok(200);
        assert_eq!((&shown["totals"]["amounts_undisclosed"], shown["totals"].get("amount_yen"), shown["items"][0].get("amount_yen")), (&json!(true), None, None));
        let programme = world.coordinator.get(&format!("/dispatches/{dispatch}")).ok(200)["programme_id"].as_i64().unwrap();
        for place in [
            costs, format!("/dispatches/{dispatch}"), format!("/visits/{}", visits[0]), format!("/requests/{request}"),
            format!("/requests/{request}/cost-estimate"), "/cost-items".to_owned(), "/cost-items?format=csv".to_owned(), "/visits?format=csv".to_owned(),
            "/dispatches?format=csv".to_owned(), format!("/programmes/{programme}/years/2026"),
            format!("/statistics/costs?programme_id={programme}&fiscal_year=2026"),
        ] {
            let answer = world.hamamatsu_staff.get(&place);
            assert!(matches!(answer.status, 200 | 403 | 404), "{place}: {}", answer.text());
            for secret in ["73421", "73,421", "68113", "68,113", "141534", "141,534"] {
                assert!(!answer.text().contains(secret), "{place} tells {secret}: {}", answer.text());
            }
        }
        for sent in app.mails_to("staff@hamamatsu.example.jp") {
            assert!(!sent.mail.text.contains("73,421") && !sent.mail.text.contains("73421"), "{}", sent.mail.text);
        }
    }
}
