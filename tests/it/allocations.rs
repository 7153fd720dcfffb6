//! Plans of all open requests at once: the best there is, proved, explained, and applied as offers.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::client::{Answer, Client};
use crate::support::flow;
use crate::support::server::TestApp;
use crate::support::tools::{number, race, sql};
use crate::support::world::{World, preset};

/// An accepted request of a body with one visit, perhaps with a wished date.
pub fn accepted(world: &World, staff: &Client, programme: i64, theme: &str, wished: &Value) -> i64 {
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

pub fn programme(world: &World) -> i64 {
    let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
    rules["limits"] = json!([]);
    flow::programme(world, "割当てを計画する事業", &rules)
}

/// An expert who takes so many requests at a time.
pub fn expert(world: &World, email: &str, at_a_time: i64) -> i64 {
    let mut body = flow::expert_body(world.pool, "見本 太郎", email);
    body["capacity_simultaneous"] = json!(at_a_time);
    flow::id(&world.coordinator.post("/experts", &body), 201)
}

/// Asks for a plan and lets the worker make it.
pub fn planned(app: &TestApp, world: &World, options: &Value) -> Value {
    let run = flow::id(&world.coordinator.post(&format!("/pools/{}/allocations", world.pool), options), 201);
    app.run_jobs();
    let view = world.coordinator.get(&format!("/allocations/{run}")).ok(200).clone();
    assert_eq!(view["status"], "planned", "{view}");
    view
}

pub fn path(run: &Value) -> String {
    format!("/allocations/{}", run["id"])
}

pub fn level(run: &Value, name: &str) -> i64 {
    let levels = run["result"]["levels"].as_array().unwrap();
    levels.iter().find(|level| level["level"] == name).unwrap()["value"].as_i64().unwrap()
}

pub fn expert_of(run: &Value, request: i64) -> Value {
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
        assert_eq!(office.get(&path(&other)).ok(200)["refused"], late["refused"], "the run keeps what was refused");
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
        assert_eq!((unserved.len(), &unserved[0]["reason"]), (1, &json!("window")));
        let blocker = &unserved[0]["blockers"][0];
        assert_eq!((&blocker["kind"], &blocker["expert_id"], blocker["taken_by"].as_array().unwrap().len()), (&json!("time"), &json!(busy), 1), "{blocker}");
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
            ["/band_points out_of_range", "/most_solves out_of_range", "/level_order not_each_once", "/pins/0 forbidden_too", "/pins/0/request_id unknown_request",
                "/pins/0/expert_id unknown_expert", "/forbidden/0/request_id unknown_request", "/forbidden/0/expert_id unknown_expert", "/programme_ids/0 not_of_pool"]);
        assert_eq!(ask(&json!({"places": [{"expert_id": 999_999}]})).wrong(), ["/places/0/expert_id unknown_expert"]);
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

on_both! {
    fn a_team_shares_the_visits_and_each_member_is_asked(app) {
        let world = World::new(app);
        let programme = programme(&world);
        let items = {
            let frameworks = world.coordinator.get("/skill-frameworks").ok(200);
            let items = frameworks["items"][0]["items"].as_array().unwrap().clone();
            [items[0]["id"].as_i64().unwrap(), items[1]["id"].as_i64().unwrap()]
        };
        let skilled = |email: &str, item: i64| {
            let mut body = flow::expert_body(world.pool, "見本 花子", email);
            body["capacity_simultaneous"] = json!(1);
            let id = flow::id(&world.coordinator.post("/experts", &body), 201);
            let skills = json!({"skills": [{"skill_item_id": item, "level": 3, "verified": true}]});
            world.coordinator.put_at(&format!("/experts/{id}"), "skills", &skills).ok(200);
            id
        };
        let (one, two, also) = (skilled("one@example.jp", items[0]), skilled("two@example.jp", items[1]), skilled("also@example.jp", items[0]));
        let mut body = flow::request_body(&world);
        for (key, value) in [
            ("programme_id", json!(programme)), ("visit_count", json!(3)), ("experts_needed", json!(2)), ("rotation", json!(true)),
            ("required_skills", json!([{"skill_item_id": items[0], "min_level": 1, "must": true}, {"skill_item_id": items[1], "min_level": 1, "must": true}])),
        ] {
            body[key] = value;
        }
        let request = flow::id(&world.hamamatsu_staff.post("/requests", &body), 201);
        world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        world.coordinator.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
        let alone = accepted(&world, &world.kosai_staff, programme, "一人でよい相談", &json!([]));
        let run = planned(app, &world, &json!({}));
        assert_eq!((level(&run, "served"), &run["result"]["optimal"]), (2, &json!(true)), "{run:#}");
        let row = run["assignments"].as_array().unwrap().iter().find(|row| row["request_id"] == request).unwrap().clone();
        let mut team = vec![row["expert_id"].as_i64().unwrap(), row["others"][0]["expert_id"].as_i64().unwrap()];
        assert_eq!(row["others"].as_array().unwrap().len(), 1);
        team.sort_unstable();
        // Whoever holds the second skill is in the team; the third expert is left for the other request.
        assert!(team == [one, two] || team == [two, also], "{team:?}");
        let third = expert_of(&run, alone).as_i64().unwrap();
        assert!(!team.contains(&third));
        let applied = world.coordinator.verb(&path(&run), "apply", &json!({})).ok(200).clone();
        assert_eq!((&applied["status"], applied.get("refused")), (&json!("applied"), None), "{applied:#}");
        let offers = world.coordinator.get(&format!("/requests/{request}/offers")).ok(200).clone();
        let visits: Vec<usize> = offers["items"].as_array().unwrap().iter().map(|offer| offer["visits"].as_array().unwrap().len()).collect();
        assert_eq!(visits.iter().sum::<usize>(), 3, "{offers:#}");
        assert_eq!((visits.len(), visits[0]), (2, 2), "the lead takes the first and the third visit");
        let row = applied["assignments"].as_array().unwrap().iter().find(|row| row["request_id"] == request).unwrap();
        assert!(row["offer_id"].is_i64() && row["others"][0]["offer_id"].is_i64(), "{row}");
        let again = world.coordinator.verb(&path(&run), "apply", &json!({})).ok(200).clone();
        assert_eq!((again.get("refused"), number(app, "SELECT COUNT(*) FROM offers")), (None, 3));
    }
}

on_both! {
    fn a_budget_decides_whom_the_waiting_list_lets_in(app) {
        let world = World::new(app);
        let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
        // A visit of four hours costs 20,000 yen; the budget reaches for three of them.
        rules["limits"] = json!([]);
        rules["budget_yen"] = json!(60_000);
        rules["intake"] = json!("batch");
        let programme = flow::programme(&world, "予算のある事業", &rules);
        expert(&world, "free@example.jp", 9);
        let taken = accepted(&world, &world.hamamatsu_staff, programme, "受理済みの相談", &json!([]));
        let waiting: Vec<i64> = ["二件目", "三件目", "四件目"].iter().map(|theme| {
            let mut body = flow::request_body(&world);
            for (key, value) in [("programme_id", json!(programme)), ("theme", json!(theme)), ("visit_count", json!(1))] {
                body[key] = value;
            }
            let request = flow::id(&world.kosai_staff.post("/requests", &body), 201);
            world.kosai_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
            request
        }).collect();
        world.coordinator.verb(&format!("/requests/{}", waiting[0]), "waitlist", &json!({"reason_code": "budget"})).ok(200);
        let plain = planned(app, &world, &json!({}));
        assert_eq!((level(&plain, "served"), plain["assignments"].as_array().unwrap().len()), (1, 1));
        let run = planned(app, &world, &json!({"include_waitlisted": true}));
        assert_eq!((level(&run, "served"), run["assignments"].as_array().unwrap().len()), (2, 2), "{run:#}");
        // What if the two others were accepted as well: 40,000 yen are left for three.
        let run = planned(app, &world, &json!({"include_waitlisted": true, "add_request_ids": waiting[1..]}));
        assert_eq!((level(&run, "served"), &run["result"]["optimal"]), (3, &json!(true)), "{run:#}");
        let unserved = &run["result"]["unserved"][0];
        assert_eq!((&unserved["reason"], &unserved["blockers"][0]["kind"]), (&json!("budget"), &json!("budget")), "{unserved:#}");
        assert!(!expert_of(&run, taken).is_null());
        // Nothing but an accepted request becomes an offer.
        let applied = world.coordinator.verb(&path(&run), "apply", &json!({})).ok(200).clone();
        assert_eq!(number(app, "SELECT COUNT(*) FROM offers"), 1);
        let refused: Vec<&Value> = applied["refused"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
        assert_eq!(refused, [&json!("invalid_transition"); 2], "{applied:#}");
        let wrong = world.coordinator.post(&format!("/pools/{}/allocations", world.pool), &json!({"add_request_ids": [taken], "further_pool_ids": [world.pool]}));
        assert_eq!(wrong.wrong(), ["/further_pool_ids/0 not_a_further_pool", "/add_request_ids/0 not_waiting"]);
    }
}

on_both! {
    fn a_run_can_be_called_off_and_several_pools_are_planned_together(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let programme_here = programme(&world);
        expert(&world, "here@example.jp", 1);
        let here = accepted(&world, &world.hamamatsu_staff, programme_here, "こちらの相談", &json!([]));
        let pool = flow::id(&office.post("/pools", &json!({"name": "もう一つの人材プール", "expert_title": "専門家"})), 201);
        office.post(&format!("/pools/{pool}/members"), &json!({"organisation_ids": [world.kosai], "valid_from": "2026-04-01"})).ok(200);
        let there = flow::id(&office.post("/experts", &flow::expert_body(pool, "もう一人", "there@example.jp")), 201);
        let programme_there = flow::id(&office.post("/programmes", &json!({"pool_id": pool, "name": "もう一つの事業"})), 201);
        let mut rules = preset(office, "shizuoka_ict_expert");
        rules["limits"] = json!([]);
        office.post(&format!("/programmes/{programme_there}/years"), &json!({"fiscal_year": 2026, "rules": rules})).ok(201);
        let elsewhere = accepted(&world, &world.kosai_staff, programme_there, "あちらの相談", &json!([]));
        let run = planned(app, &world, &json!({"further_pool_ids": [pool]}));
        assert_eq!((level(&run, "served"), &run["progress"]), (2, &json!(100)), "{run:#}");
        assert_eq!(expert_of(&run, elsewhere), there);
        assert!(!expert_of(&run, here).is_null());

        let waiting = flow::id(&office.post(&format!("/pools/{}/allocations", world.pool), &json!({})), 201);
        assert_eq!(office.get(&format!("/allocations/{waiting}")).ok(200)["progress"], 0);
        let gone = office.verb(&format!("/allocations/{waiting}"), "cancel", &json!({})).ok(200).clone();
        assert_eq!(gone["status"], "cancelled");
        app.run_jobs();
        assert_eq!(office.get(&format!("/allocations/{waiting}")).ok(200)["status"], "cancelled");
        assert_eq!(office.verb(&path(&run), "cancel", &json!({})).problem(409), "invalid_transition");
        assert_eq!(office.verb(&format!("/allocations/{waiting}"), "apply", &json!({})).problem(409), "invalid_transition");
    }
}

on_both! {
    fn anybody_can_check_a_plan_outside_with_the_program_alone(app) {
        let world = World::new(app);
        let programme = programme(&world);
        expert(&world, "one@example.jp", 1);
        expert(&world, "two@example.jp", 2);
        for (n, staff) in [&world.hamamatsu_staff, &world.kosai_staff, &world.kosai_staff, &world.hamamatsu_staff].into_iter().enumerate() {
            accepted(&world, staff, programme, &format!("相談{n}"), &json!([]));
        }
        let run = planned(app, &world, &json!({}));
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &Value| {
            let path = folder.path().join(name);
            std::fs::write(&path, content.to_string()).unwrap();
            path
        };
        let instance = world.coordinator.get(&format!("{}/instance", path(&run))).ok(200).clone();
        let report = world.coordinator.get(&format!("{}/report", path(&run))).ok(200).clone();
        assert!(!instance.to_string().contains("見本"), "no names leave with it");
        let (given, made) = (file("instance.json", &instance), file("report.json", &report));
        let tasuki = |arguments: &[&std::ffi::OsStr]| {
            std::process::Command::new(env!("CARGO_BIN_EXE_tasuki")).arg("allocate").args(arguments).output().unwrap()
        };
        let checked = tasuki(&["--check".as_ref(), given.as_os_str(), made.as_os_str()]);
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        let again = tasuki(&["--json".as_ref(), given.as_os_str()]);
        let again: Value = serde_json::from_slice(&again.stdout).unwrap();
        assert_eq!((&again["levels"], &again["assignments"]), (&report["levels"], &report["assignments"]));
        let mut wrong = report.clone();
        wrong["assignments"].as_array_mut().unwrap().pop();
        let refused = tasuki(&["--check".as_ref(), given.as_os_str(), file("wrong.json", &wrong).as_os_str()]);
        assert_eq!(refused.status.code(), Some(1));
        assert_eq!(world.kosai_staff.get(&format!("{}/instance", path(&run))).status, 404);
    }
}

on_both! {
    fn who_declined_is_not_asked_again_and_a_full_expert_can_be_assumed_free(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let programme = programme(&world);
        let (one, two) = (expert(&world, "one@example.jp", 1), expert(&world, "two@example.jp", 1));
        let request = accepted(&world, &world.hamamatsu_staff, programme, "窓口の相談", &json!([]));
        let offer = flow::offer(&world, request, one, &[flow::visit_on("2026-05-11")]);
        office.verb(&format!("/offers/{offer}"), "decline", &json!({"reason_code": "schedule"})).ok(200);
        let run = planned(app, &world, &json!({}));
        assert_eq!(expert_of(&run, request), two);
        let forbidden = json!([{"request_id": request, "expert_id": two}]);
        let nobody = planned(app, &world, &json!({"forbidden": forbidden}));
        let unserved = &nobody["result"]["unserved"][0];
        assert!(unserved["exclusions"].as_array().unwrap().contains(&json!({"code": "already_declined", "count": 1})), "{unserved:#}");
        // A person may ask again, knowingly.
        let pinned = planned(app, &world, &json!({"pins": [{"request_id": request, "expert_id": one}]}));
        assert_eq!((expert_of(&pinned, request), pinned["result"].get("pins_not_possible")), (json!(one), None));
        let off = expert(&world, "off@example.jp", 1);
        sql(app, &format!("UPDATE experts SET status = 'suspended' WHERE id = {off}")).unwrap();
        let suspended = json!([{"request_id": request, "expert_id": off}]);
        let without = planned(app, &world, &json!({"pins": suspended}));
        assert_eq!(without["result"]["pins_not_possible"], suspended);

        // The other takes it and is full; another request finds nobody, unless it is assumed that there is room.
        office.verb(&path(&run), "apply", &json!({})).ok(200);
        flow::accept_offer(&world, office.get(&format!("/requests/{request}/offers")).ok(200)["items"].as_array().unwrap().iter()
            .find(|offer| offer["expert_id"] == two).unwrap()["id"].as_i64().unwrap()).ok(200);
        sql(app, &format!("UPDATE experts SET status = 'suspended' WHERE id = {one}")).unwrap();
        let next = accepted(&world, &world.kosai_staff, programme, "次の相談", &json!([]));
        let full = planned(app, &world, &json!({}));
        assert!(expert_of(&full, next).is_null());
        let free = planned(app, &world, &json!({"places": [{"expert_id": two, "places": 1}]}));
        assert_eq!(expert_of(&free, next), two);
        // It was only assumed: nobody is asked beyond what was agreed.
        let applied = office.verb(&path(&free), "apply", &json!({})).ok(200).clone();
        assert_eq!(applied["refused"][0]["code"], "changed_since", "{applied:#}");
    }
}

on_both! {
    fn a_team_that_comes_together_comes_on_days_that_suit_everybody(app) {
        let world = World::new(app);
        let programme = programme(&world);
        let (one, two) = (expert(&world, "one@example.jp", 3), expert(&world, "two@example.jp", 3));
        // One is away on the first wished day.
        let away = json!({"weekly": [], "exceptions": [{"kind": "leave", "first_day": "2026-05-11", "last_day": "2026-05-11"}]});
        world.coordinator.put_at(&format!("/experts/{one}"), "availability", &away).ok(200);
        let on = |day: &str| json!({"day": day, "start_minute": 600, "end_minute": 840});
        let mut body = flow::request_body(&world);
        for (key, value) in [
            ("programme_id", json!(programme)), ("visit_count", json!(1)), ("experts_needed", json!(2)),
            ("wished_dates", json!([on("2026-05-11"), on("2026-05-12")])),
        ] {
            body[key] = value;
        }
        let request = flow::id(&world.hamamatsu_staff.post("/requests", &body), 201);
        world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        world.coordinator.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
        let run = planned(app, &world, &json!({}));
        let applied = world.coordinator.verb(&path(&run), "apply", &json!({})).ok(200).clone();
        assert_eq!(applied.get("refused"), None, "{applied:#}");
        let offers = world.coordinator.get(&format!("/requests/{request}/offers")).ok(200).clone();
        let days: Vec<&Value> = offers["items"].as_array().unwrap().iter().map(|offer| &offer["visits"][0]["day"]).collect();
        assert_eq!(days, [&json!("2026-05-12"); 2], "{offers:#}");
        let asked: Vec<&Value> = offers["items"].as_array().unwrap().iter().map(|offer| &offer["expert_id"]).collect();
        assert!(asked.contains(&&json!(one)) && asked.contains(&&json!(two)));
    }
}
