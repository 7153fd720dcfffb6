//! What a plan has to keep beside calendars: what has been promised but not answered, the same theme, whole teams, and a person's
//! own changes.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::allocations::{accepted, expert, expert_of, level, path, planned, programme};
use crate::on_both;
use crate::support::client::Answer;
use crate::support::flow;
use crate::support::pages::Browser;
use crate::support::queries;
use crate::support::tools::{number, race, sql};
use crate::support::world::{World, preset};

fn unserved(run: &Value, request: i64) -> Value {
    let rows = run["result"]["unserved"].as_array().unwrap();
    rows.iter().find(|row| row["request_id"] == request).unwrap_or_else(|| panic!("{request} is served: {run:#}")).clone()
}

on_both! {
    fn the_same_expert_comes_for_the_same_theme_only_so_often(app) {
        let world = World::new(app);
        let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
        rules["limits"] = json!([{"kind": "same_theme_and_expert", "max_per_year": 1}]);
        let programme = flow::programme(&world, "同じ取組は一度の事業", &rules);
        let one = expert(&world, "one@example.jp", 9);
        let ask = |staff, theme| accepted(&world, staff, programme, theme, &json!([]));
        let (first, again) = (ask(&world.hamamatsu_staff, "窓口の見直し"), ask(&world.hamamatsu_staff, "窓口の 見直し"));
        let (other, elsewhere) = (ask(&world.hamamatsu_staff, "電子申請"), ask(&world.kosai_staff, "窓口の見直し"));
        let run = planned(app, &world, &json!({}));
        assert_eq!((level(&run, "served"), &run["result"]["optimal"]), (3, &json!(true)), "{run:#}");
        assert!(!expert_of(&run, other).is_null() && !expert_of(&run, elsewhere).is_null());
        let (served, left) = if expert_of(&run, first).is_null() { (again, first) } else { (first, again) };
        let why = unserved(&run, left);
        assert_eq!((&why["reason"], &why["blockers"][0]["kind"]), (&json!("limited"), &json!("series")), "{why:#}");
        assert_eq!(why["blockers"][0]["taken_by"], json!([served]));
        // The cheapest change: the one for the other.
        assert_eq!(why["change"]["moves"].as_array().unwrap().len(), 2, "{why:#}");
        let instance = world.coordinator.get(&format!("{}/instance", path(&run))).ok(200).clone();
        assert_eq!(instance["series"].as_array().unwrap().len(), 3, "{instance}");

        // What was promised counts before anybody has answered, and a second expert can go.
        world.coordinator.verb(&path(&run), "apply", &json!({"request_ids": [served]})).ok(200);
        let run = planned(app, &world, &json!({}));
        assert_eq!(level(&run, "served"), 2, "{run:#}");
        let why = unserved(&run, left);
        assert_eq!((&why["reason"], &why["exclusions"]), (&json!("impossible"), &json!([{"code": "impossible_series", "count": 1}])), "{why:#}");
        let two = expert(&world, "two@example.jp", 1);
        let run = planned(app, &world, &json!({}));
        assert_eq!((expert_of(&run, left), level(&run, "served")), (json!(two), 3));
        // A plan from before the offer is refused for what it touches; nobody is asked twice for the theme.
        world.coordinator.verb(&path(&run), "apply", &json!({})).ok(200);
        assert_eq!(number(app, &format!("SELECT COUNT(*) FROM offers WHERE expert_id = {one} AND request_id IN ({first}, {again})")), 1);
    }
}

on_both! {
    fn hours_that_wait_for_an_answer_are_not_promised_twice(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let programme = programme(&world);
        let only = expert(&world, "only@example.jp", 9);
        // A visit takes four hours; six are left of the year.
        sql(app, &format!("UPDATE experts SET capacity_minutes_year = 360 WHERE id = {only}")).unwrap();
        let day = json!([{"day": "2026-05-11", "start_minute": 600, "end_minute": 840}]);
        let first = accepted(&world, &world.hamamatsu_staff, programme, "一件目", &day);
        let second = accepted(&world, &world.kosai_staff, programme, "二件目", &json!([]));
        let early = planned(app, &world, &json!({"forbidden": [{"request_id": first, "expert_id": only}]}));
        assert_eq!(expert_of(&early, second), only);
        let offer = flow::offer(&world, first, only, &[json!({"day": "2026-05-11", "start_minute": 600, "minutes": 240, "mode": "onsite", "place": "本庁舎"})]);
        let run = planned(app, &world, &json!({}));
        let why = unserved(&run, second);
        assert_eq!((&why["reason"], &why["exclusions"][0]["code"]), (&json!("no_eligible_expert"), &json!("fiscal_year_capacity")), "{why:#}");
        // The plan from before the offer is not applied either.
        let late = office.verb(&path(&early), "apply", &json!({})).ok(200).clone();
        assert_eq!((&late["refused"][0]["request_id"], &late["refused"][0]["code"]), (&json!(second), &json!("changed_since")), "{late:#}");
        // With enough hours it is the time that is held: the same morning is planned on no other day for a second body.
        sql(app, &format!("UPDATE experts SET capacity_minutes_year = 6000 WHERE id = {only}")).unwrap();
        let third = accepted(&world, &world.kosai_staff, programme, "同じ日の午前", &day);
        let run = planned(app, &world, &json!({}));
        assert_eq!(unserved(&run, third)["exclusions"][0]["code"], "calendar_busy", "{run:#}");
        assert_eq!(expert_of(&run, second), only);
        // Declined: the hours and the day are free again.
        office.verb(&format!("/offers/{offer}"), "decline", &json!({"reason_code": "schedule"})).ok(200);
        let run = planned(app, &world, &json!({}));
        assert_eq!((expert_of(&run, second), expert_of(&run, third)), (json!(only), json!(only)), "{run:#}");
    }
}

on_both! {
    fn what_is_missing_of_a_team_is_planned_again(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let programme = programme(&world);
        let (one, two, three) = (expert(&world, "one@example.jp", 1), expert(&world, "two@example.jp", 1), expert(&world, "three@example.jp", 1));
        let mut body = flow::request_body(&world);
        for (key, value) in [("programme_id", json!(programme)), ("visit_count", json!(3)), ("experts_needed", json!(2)), ("rotation", json!(true))] {
            body[key] = value;
        }
        let request = flow::id(&world.hamamatsu_staff.post("/requests", &body), 201);
        world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        office.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
        let forbidden = json!([{"request_id": request, "expert_id": three}]);
        let run = planned(app, &world, &json!({"forbidden": forbidden}));
        // Half a team is no team, and more than the team is none either.
        let change = |run: &Value, body: &Value| office.verb(&path(run), "override", body);
        let alone = json!({"request_id": request, "expert_id": three, "reason": "手配済み"});
        assert_eq!(change(&run, &alone).wrong(), ["/other_expert_ids team_size"]);
        let three_of_them = json!({"request_id": request, "expert_id": three, "other_expert_ids": [one, two], "reason": "手配済み"});
        assert_eq!(change(&run, &three_of_them).wrong(), ["/other_expert_ids team_size"]);
        office.verb(&path(&run), "apply", &json!({})).ok(200);
        let offers = office.get(&format!("/requests/{request}/offers")).ok(200)["items"].as_array().unwrap().clone();
        let of = |expert: i64| offers.iter().find(|offer| offer["expert_id"] == expert).unwrap();
        assert_eq!((offers.len(), of(one)["visits"].as_array().unwrap().len()), (2, 2), "{offers:#?}");
        assert!(planned(app, &world, &json!({}))["assignments"].as_array().unwrap().is_empty(), "everybody has been asked");
        // The lead stays, the other declines: the one visit of the other is to be given to somebody else.
        flow::accept_offer(&world, of(one)["id"].as_i64().unwrap()).ok(200);
        office.verb(&format!("/offers/{}", of(two)["id"]), "decline", &json!({"reason_code": "schedule"})).ok(200);
        let again = planned(app, &world, &json!({}));
        assert_eq!((expert_of(&again, request), again["assignments"][0].get("others")), (json!(three), None), "{again:#}");
        let page = Browser::new(app, "coordinator@pref.example.jp").get(&format!("/allocations/{}", again["id"])).text();
        assert!(page.contains("いま：") && page.contains("承諾"), "who stands is named beside whom the plan adds");
        let applied = office.verb(&path(&again), "apply", &json!({})).ok(200).clone();
        assert_eq!(applied.get("refused"), None, "{applied:#}");
        let offers = office.get(&format!("/requests/{request}/offers")).ok(200)["items"].as_array().unwrap().clone();
        let new = offers.iter().find(|offer| offer["expert_id"] == three).unwrap();
        assert_eq!(new["visits"].as_array().unwrap().len(), 1, "{new:#}");
        // The earlier plan for two would make three of them.
        let late = planned(app, &world, &json!({}));
        assert!(late["assignments"].as_array().unwrap().is_empty());
    }
}

on_both! {
    fn candidates_for_the_rest_of_a_team_hold_what_is_missing(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let programme = programme(&world);
        let items = office.get("/skill-frameworks").ok(200)["items"][0]["items"].as_array().unwrap().clone();
        let item = |place: usize| items[place]["id"].as_i64().unwrap();
        let skilled = |email: &str, held: &[i64]| {
            let id = expert(&world, email, 3);
            let skills: Vec<Value> = held.iter().map(|item| json!({"skill_item_id": item, "level": 3, "verified": true})).collect();
            office.put_at(&format!("/experts/{id}"), "skills", &json!({"skills": skills})).ok(200);
            id
        };
        let (plans, builds) = (skilled("plans@example.jp", &[item(0)]), skilled("builds@example.jp", &[item(1)]));
        let also_plans = skilled("also@example.jp", &[item(0)]);
        let must = |item: i64| json!({"skill_item_id": item, "min_level": 1, "must": true});
        let mut body = flow::request_body(&world);
        for (key, value) in
            [("programme_id", json!(programme)), ("visit_count", json!(1)), ("experts_needed", json!(2)), ("required_skills", json!([must(item(0)), must(item(1))]))]
        {
            body[key] = value;
        }
        let request = flow::id(&world.hamamatsu_staff.post("/requests", &body), 201);
        world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        office.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
        let candidates = || {
            let page = office.get(&format!("/requests/{request}/candidates")).ok(200).clone();
            let mut ids: Vec<i64> = page["items"].as_array().unwrap().iter().map(|row| row["expert_id"].as_i64().unwrap()).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(candidates(), [plans, builds, also_plans]);
        let offer = flow::offer(&world, request, plans, &[flow::visit_on("2026-05-11")]);
        assert_eq!(candidates(), [builds], "the first skill is there");
        let missing = office.get(&format!("/requests/{request}/candidates/excluded")).ok(200).clone();
        assert!(missing["items"].as_array().unwrap().iter().any(|row| row["expert_id"] == also_plans), "{missing:#}");
        office.verb(&format!("/offers/{offer}"), "decline", &json!({"reason_code": "schedule"})).ok(200);
        assert_eq!(candidates(), [plans, builds, also_plans]);
    }
}

on_both! {
    fn a_run_that_fails_says_so_to_whoever_asked(app) {
        let world = World::new(app);
        let programme = programme(&world);
        expert(&world, "one@example.jp", 1);
        accepted(&world, &world.hamamatsu_staff, programme, "窓口の見直し", &json!([]));
        // Nobody can enter rules that are none; a hand in the database can.
        sql(app, "UPDATE programme_years SET rules = '[]'").unwrap();
        let run = flow::id(&world.coordinator.post(&format!("/pools/{}/allocations", world.pool), &json!({})), 201);
        assert!(tasuki::allocations::run::work_out_next(&app.app, &|| true).unwrap());
        let view = world.coordinator.get(&format!("/allocations/{run}")).ok(200).clone();
        assert_eq!((&view["status"], &view["failure"]["code"]), (&json!("failed"), &json!("internal")), "{view:#}");
        assert!(!view["failure"]["detail"].as_str().unwrap().contains("rules"), "no internals");
        let page = Browser::new(app, "coordinator@pref.example.jp").get(&format!("/allocations/{run}")).text();
        assert!(page.contains("計画を作れませんでした") && page.contains("システム管理者へ"), "{page}");
    }
}

on_both! {
    fn applying_a_plan_reads_the_facts_once_for_all_assignments(app) {
        let world = World::new(app);
        let programme = programme(&world);
        expert(&world, "one@example.jp", 50);
        for n in 0..6 {
            accepted(&world, &world.hamamatsu_staff, programme, &format!("相談{n}"), &json!([]));
        }
        let run = planned(app, &world, &json!({}));
        let ids: Vec<&Value> = run["assignments"].as_array().unwrap().iter().map(|row| &row["request_id"]).collect();
        let address = app.app.config.database.url.expose_secret().to_owned();
        let counted = |ids: &[&Value]| {
            let client = world.coordinator.alone();
            let body = json!({"request_ids": ids});
            let (answer, asked) = queries::asked(&address, || client.verb(&path(&run), "apply", &body));
            answer.ok(200);
            asked
        };
        let (one, four) = (counted(&ids[..1]), counted(&ids[1..5]));
        let each = (four.len() - one.len()) / 3;
        // What is looked at is read once for all; what is left is the offer itself, its event, audit and mail.
        assert!(each <= 32, "{each} statements for each further assignment: {four:#?}");
    }
}

on_both! {
    fn what_was_promised_since_leaves_less_to_apply(app) {
        let world = World::new(app);
        let programme = programme(&world);
        let only = expert(&world, "only@example.jp", 2);
        let (one, two) = (
            accepted(&world, &world.hamamatsu_staff, programme, "一件目", &json!([])),
            accepted(&world, &world.kosai_staff, programme, "二件目", &json!([])),
        );
        let run = planned(app, &world, &json!({}));
        assert_eq!((expert_of(&run, one), expert_of(&run, two)), (json!(only), json!(only)));
        let urgent = accepted(&world, &world.kosai_staff, programme, "急ぎの相談", &json!([]));
        flow::offer(&world, urgent, only, &[flow::visit_on("2026-05-11")]);
        // Two at a time were agreed, one is promised: of the two that were planned the first becomes an offer.
        let applied = world.coordinator.verb(&path(&run), "apply", &json!({})).ok(200).clone();
        let refused: Vec<&Value> = applied["refused"].as_array().unwrap().iter().map(|one| &one["request_id"]).collect();
        assert_eq!(refused, [&json!(two)], "{applied:#}");
        assert_eq!(number(app, "SELECT COUNT(*) FROM offers"), 2);
    }
}

on_both! {
    fn plans_applied_beside_offers_by_hand_wait_for_each_other(app) {
        let world = World::new(app);
        let programme = programme(&world);
        let experts: Vec<i64> = (0..4).map(|n| expert(&world, &format!("pool{n}@example.jp"), 4)).collect();
        let requests: Vec<i64> = (0..8)
            .map(|n| {
                let staff = if n % 2 == 0 { &world.hamamatsu_staff } else { &world.kosai_staff };
                accepted(&world, staff, programme, &format!("相談{n}"), &json!([]))
            })
            .collect();
        let runs: Vec<Value> = (0..4).map(|n| planned(app, &world, &json!({"band_points": 1 + n * 100}))).collect();
        let answers: Vec<Answer> = race(24, |n| {
            if n % 2 == 0 {
                return world.coordinator.verb(&path(&runs[n / 2 % 4]), "apply", &json!({}));
            }
            // Backwards through requests and experts: whoever locked in another order would stand still.
            let (request, expert) = (requests[7 - n / 2 % 8], experts[3 - n / 2 % 4]);
            world.coordinator.post(&format!("/requests/{request}/offers"), &json!({"expert_id": expert, "visits": [flow::visit_on("2026-05-11")]}))
        });
        for answer in &answers {
            assert!(matches!(answer.status, 200 | 201 | 409 | 412 | 422), "{}", answer.text());
        }
        let twice = "SELECT COUNT(*) FROM (SELECT request_id, expert_id FROM offers GROUP BY request_id, expert_id HAVING COUNT(*) > 1) AS twice";
        assert_eq!(number(app, twice), 0);
        assert_eq!(number(app, "SELECT COUNT(DISTINCT request_id) FROM offers"), 8);
    }
}

on_both! {
    fn who_joins_a_team_comes_on_the_day_that_was_arranged(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let programme = programme(&world);
        let (one, two) = (expert(&world, "one@example.jp", 3), expert(&world, "two@example.jp", 3));
        let other = accepted(&world, &world.kosai_staff, programme, "別の相談", &json!([]));
        let held = flow::offer(&world, other, two, &[flow::visit_on("2026-05-11")]);
        flow::accept_offer(&world, held).ok(200);
        // No day is wished for: the office arranges one with the first expert.
        let mut body = flow::request_body(&world);
        for (key, value) in [("programme_id", json!(programme)), ("visit_count", json!(1)), ("experts_needed", json!(2)), ("wished_dates", json!([]))] {
            body[key] = value;
        }
        let request = flow::id(&world.hamamatsu_staff.post("/requests", &body), 201);
        world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        office.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
        let offer = flow::offer(&world, request, one, &[flow::visit_on("2026-05-11")]);
        flow::accept_offer(&world, offer).ok(200);
        let run = planned(app, &world, &json!({}));
        assert_eq!(unserved(&run, request)["exclusions"][0]["code"], "calendar_busy", "{run:#}");
        // Somebody in the queue has been promised nothing, and is not asked once more.
        let three = expert(&world, "three@example.jp", 1);
        let queued = json!({"expert_id": three, "visits": [flow::visit_on("2026-05-18")], "queue": true});
        let waiting = accepted(&world, &world.kosai_staff, programme, "順番待ちのある相談", &json!([]));
        flow::offer(&world, waiting, one, &[flow::visit_on("2026-05-25")]);
        office.post(&format!("/requests/{waiting}/offers"), &queued).ok(201);
        let run = planned(app, &world, &json!({}));
        assert_eq!(expert_of(&run, request), three);
        office.verb(&path(&run), "apply", &json!({})).ok(200);
        let offers = office.get(&format!("/requests/{request}/offers")).ok(200)["items"].as_array().unwrap().clone();
        let joined = offers.iter().find(|offer| offer["expert_id"] == three).unwrap();
        assert_eq!((&joined["visits"][0]["day"], &joined["visits"][0]["start_minute"]), (&json!("2026-05-11"), &json!(600)), "{joined:#}");
    }
}
