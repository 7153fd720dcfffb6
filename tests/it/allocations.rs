//! Plans of all open requests at once: the best there is, proved, explained, and applied as offers.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::client::{Answer, Client};
use crate::support::flow;
use crate::support::server::TestApp;
use crate::support::tools::{number, race, sql};
use crate::support::world::{World, preset};

/// An accepted request of a body with one visit, perhaps with a wished date.
fn accepted(world: &World, staff: &Client, programme: i64, theme: &str, wished: &Value) -> i64 {
    let mut body = flow::request_body(world);
    for (key, value) in
        [("programme_id", json!(programme)), ("theme", json!(theme)), ("visit_count", json!(1)), ("wished_dates", wished.clone())]
    {
        body[key] = value;
    }
    let request = flow::id(&staff.post("/requests", &body), 201);
    staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
    world.coordinator.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
    request
}

fn programme(world: &World) -> i64 {
    let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
    rules["limits"] = json!([]);
    flow::programme(world, "割当てを計画する事業", &rules)
}

/// An expert who takes so many requests at a time.
fn expert(world: &World, email: &str, at_a_time: i64) -> i64 {
    let mut body = flow::expert_body(world.pool, "見本 太郎", email);
    body["capacity_simultaneous"] = json!(at_a_time);
    flow::id(&world.coordinator.post("/experts", &body), 201)
}

/// Asks for a plan and lets the worker make it.
fn planned(app: &TestApp, world: &World, options: &Value) -> Value {
    let run = flow::id(&world.coordinator.post(&format!("/pools/{}/allocations", world.pool), options), 201);
    app.run_jobs();
    let view = world.coordinator.get(&format!("/allocations/{run}")).ok(200).clone();
    assert_eq!(view["status"], "planned", "{view}");
    view
}

fn path(run: &Value) -> String {
    format!("/allocations/{}", run["id"])
}

fn level(run: &Value, name: &str) -> i64 {
    let levels = run["result"]["levels"].as_array().unwrap();
    levels.iter().find(|level| level["level"] == name).unwrap()["value"].as_i64().unwrap()
}

fn expert_of(run: &Value, request: i64) -> Value {
    let rows = run["assignments"].as_array().unwrap();
    rows.iter().find(|row| row["request_id"] == request).unwrap()["expert_id"].clone()
}

on_both! {
    fn a_plan_serves_who_was_never_served_explains_itself_and_becomes_offers(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let programme = programme(&world);
        let (first, second) = (expert(&world, "first@example.jp", 2), expert(&world, "second@example.jp", 1));
        // Hamamatsu has been served before: two requests of it and one of Kosai compete for two places.
        let before = accepted(&world, &world.hamamatsu_staff, programme, "前年の相談", &json!([]));
        let offer = flow::offer(&world, before, first, &[flow::visit_on("2026-05-11")]);
        flow::accept_offer(&world, offer).ok(200);
        flow::decide(&world, before, offer);
        let (one, two) = (
            accepted(&world, &world.hamamatsu_staff, programme, "窓口の見直し", &json!([])),
            accepted(&world, &world.hamamatsu_staff, programme, "情報セキュリティ", &json!([])),
        );
        let never = accepted(&world, &world.kosai_staff, programme, "電子申請", &json!([]));
        let run = planned(app, &world, &json!({"note": "前期分"}));
        assert_eq!(run["result"]["optimal"], true, "{run}");
        assert_eq!((level(&run, "never_served"), level(&run, "served")), (1, 2));
        assert!(!expert_of(&run, never).is_null());
        let unserved = run["result"]["unserved"].as_array().unwrap();
        assert_eq!((unserved.len(), &unserved[0]["reason"]), (1, &json!("capacity_taken")));
        // Serving it would cost the other request of Hamamatsu its place, and nothing above that changes.
        let left = unserved[0]["request_id"].as_i64().unwrap();
        let served = if left == one { two } else { one };
        let change = &unserved[0]["change"];
        assert!(change["moves"].as_array().unwrap().iter().any(|step| step["request_id"] == served && step.get("to_expert_id").is_none()), "{change}");
        assert!(change["levels"].as_array().unwrap().iter().all(|level| level["level"] != "never_served" && level["level"] != "served"), "{change}");
        assert_eq!((&run["result"]["fairness"]["never_served_bodies"], &run["result"]["fairness"]["never_served_reached"]), (&json!(1), &json!(1)));
        let proof = office.get(&format!("{}/verification", path(&run))).ok(200).clone();
        assert_eq!((&proof["holds"], &proof["proved_levels"]), (&json!(true), &json!(9)));
        assert_eq!(office.get(&path(&run)).ok(200)["options"]["note"], "前期分");
        assert_eq!(world.hamamatsu_staff.get(&path(&run)).problem(404), "not_found");
        assert_eq!(world.stranger.get(&path(&run)).problem(404), "not_found");

        // What if: the same expert is closed for Kosai, the other cannot be had, so nobody is left for it.
        let forbidden = json!([{"request_id": never, "expert_id": first}, {"request_id": never, "expert_id": second}]);
        let other = planned(app, &world, &json!({"forbidden": forbidden, "places": [{"expert_id": second, "places": 2}]}));
        assert_eq!((level(&other, "served"), level(&other, "never_served")), (2, 0));
        let reasons: Vec<&Value> = other["result"]["unserved"].as_array().unwrap().iter().map(|one| &one["reason"]).collect();
        assert_eq!(reasons, [&json!("forbidden")]);
        let difference = office.get(&format!("{}/comparison?with={}", path(&run), other["id"])).ok(200).clone();
        assert!(difference["levels"].as_array().unwrap().contains(&json!({"level": "never_served", "by": -1})), "{difference}");
        assert!(difference["moves"].as_array().unwrap().iter().any(|step| step["request_id"] == never), "{difference}");

        // A person puts nobody in a place, with a reason; the rest becomes offers.
        let change = |body: &Value| office.verb(&path(&run), "override", body);
        assert_eq!(change(&json!({"request_id": served, "expert_id": 999_999, "reason": " "})).wrong(), ["/expert_id not_in_pool", "/reason required"]);
        let changed = change(&json!({"request_id": served, "reason": "先方の都合により次回に送る"})).ok(200).clone();
        assert!(expert_of(&changed, served).is_null());
        let applied = office.verb(&path(&run), "apply", &json!({})).ok(200).clone();
        assert_eq!((&applied["status"], applied.get("refused")), (&json!("applied"), None));
        let offers = office.get(&format!("/requests/{never}/offers")).ok(200).clone();
        assert_eq!((offers["items"].as_array().unwrap().len(), &offers["items"][0]["status"]), (1, &json!("sent")));
        assert_eq!(number(app, "SELECT COUNT(*) FROM dispatches"), 1, "a plan decides nothing");
        assert_eq!(number(app, "SELECT COUNT(*) FROM audit_events WHERE operation = 'apply_allocation' AND entity_kind = 'offer'"), 1);
        assert_eq!(change(&json!({"request_id": never, "reason": "x"})).problem(409), "invalid_transition");

        // The other plan still names Kosai's rival; whatever has changed since is refused and the rest goes on.
        sql(app, &format!("UPDATE requests SET version = version + 1 WHERE id = {one}")).unwrap();
        let late = office.verb(&path(&other), "apply", &json!({})).ok(200).clone();
        let refused: Vec<(&Value, &Value)> = late["refused"].as_array().unwrap().iter().map(|one| (&one["request_id"], &one["code"])).collect();
        assert_eq!(refused, [(&json!(one), &json!("changed_since"))]);
        assert_eq!(number(app, &format!("SELECT COUNT(*) FROM offers WHERE request_id = {two}")), 1);
    }
}

on_both! {
    fn calendars_and_minutes_bind_and_are_named(app) {
        let world = World::new(app);
        let programme = programme(&world);
        let busy = expert(&world, "busy@example.jp", 9);
        world.coordinator.get(&format!("/experts/{busy}")).ok(200);
        let at = |minute: i64| json!([{"day": "2026-05-11", "start_minute": minute, "end_minute": minute + 240}]);
        accepted(&world, &world.hamamatsu_staff, programme, "午前", &at(540));
        accepted(&world, &world.kosai_staff, programme, "重なる午前", &at(600));
        accepted(&world, &world.kosai_staff, programme, "午後", &at(840));
        let run = planned(app, &world, &json!({}));
        assert_eq!((level(&run, "served"), &run["result"]["optimal"]), (2, &json!(true)), "{run}");
        let unserved = run["result"]["unserved"].as_array().unwrap();
        assert_eq!((unserved.len(), &unserved[0]["reason"]), (1, &json!("limited")));
        assert_eq!(world.coordinator.get(&format!("{}/verification", path(&run))).ok(200)["holds"], true);
        // Four hours of the year are left: one of the three.
        sql(app, &format!("UPDATE experts SET capacity_minutes_year = 300 WHERE id = {busy}")).unwrap();
        let run = planned(app, &world, &json!({}));
        assert_eq!((level(&run, "served"), &run["result"]["optimal"]), (1, &json!(true)), "{run}");
        // Nobody: no expert who could, with the condition that fails.
        sql(app, &format!("UPDATE experts SET status = 'suspended' WHERE id = {busy}")).unwrap();
        let run = planned(app, &world, &json!({}));
        let unserved = run["result"]["unserved"].as_array().unwrap();
        assert_eq!((unserved.len(), &unserved[0]["reason"]), (3, &json!("no_eligible_expert")));
        assert!(unserved[0]["exclusions"].as_array().unwrap().contains(&json!({"code": "suspended", "count": 1})), "{}", unserved[0]);
        // A proof that was tampered with does not hold.
        sql(app, &format!("UPDATE allocation_runs SET certificate = REPLACE(certificate, '\"plan\":[]', '\"plan\":[7]') WHERE id = {}", run["id"])).unwrap();
        assert_eq!(world.coordinator.get(&format!("{}/verification", path(&run))).ok(200)["holds"], false);
    }
}

on_both! {
    fn what_is_asked_for_is_looked_at(app) {
        let world = World::new(app);
        let ask = |body: &Value| world.coordinator.post(&format!("/pools/{}/allocations", world.pool), body);
        let pair = json!({"request_id": 1, "expert_id": 1});
        assert_eq!(ask(&json!({"band_points": 0, "most_solves": 0, "level_order": ["fit"], "pins": [pair], "forbidden": [pair], "programme_ids": [999_999]})).wrong(),
            ["/band_points out_of_range", "/most_solves out_of_range", "/level_order not_each_once", "/pins/0 forbidden_too", "/programme_ids/0 not_of_pool"]);
        assert_eq!(ask(&json!({"level_order": ["fast"]})).problem(400), "malformed_request");
        assert_eq!(world.kosai_staff.post(&format!("/pools/{}/allocations", world.pool), &json!({})).problem(403), "forbidden");
        let run = flow::id(&ask(&json!({})), 201);
        let early = world.coordinator.verb(&format!("/allocations/{run}"), "apply", &json!({}));
        assert_eq!(early.problem(409), "invalid_transition");
        app.run_jobs();
        assert_eq!(world.coordinator.get(&format!("/allocations/{run}")).ok(200)["result"]["optimal"], true, "nothing to plan is planned best");
    }
}

on_both! {
    fn thirty_two_coordinators_applying_overlapping_plans_ask_each_request_once(app) {
        let world = World::new(app);
        let programme = programme(&world);
        for n in 0..3 {
            expert(&world, &format!("pool{n}@example.jp"), 3);
        }
        for n in 0..6 {
            let staff = if n % 2 == 0 { &world.hamamatsu_staff } else { &world.kosai_staff };
            accepted(&world, staff, programme, &format!("相談{n}"), &json!([]));
        }
        let runs: Vec<Value> = (0..4).map(|n| planned(app, &world, &json!({"band_points": 1 + n * 100}))).collect();
        let answers: Vec<Answer> = race(32, |n| world.coordinator.verb(&path(&runs[n % 4]), "apply", &json!({})));
        for answer in &answers {
            assert!(matches!(answer.status, 200 | 412), "{}", answer.text());
        }
        assert_eq!(number(app, "SELECT COUNT(*) FROM offers"), 6);
        assert_eq!(number(app, "SELECT COUNT(*) FROM (SELECT request_id FROM offers GROUP BY request_id HAVING COUNT(*) > 1) AS twice"), 0);
        assert_eq!(number(app, "SELECT COUNT(*) FROM (SELECT expert_id FROM offers GROUP BY expert_id HAVING COUNT(*) > 3) AS over"), 0);
    }
}
