//! What matching asks of requests and knows of experts: kept as it is given, shown to whom it concerns, refused when wrong.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::flow;
use crate::support::world::World;

/// So many skill items of one framework.
fn skill_items(world: &World, count: usize) -> Vec<i64> {
    let frameworks = world.coordinator.get("/skill-frameworks").ok(200);
    let items = frameworks["items"][0]["items"].as_array().unwrap();
    items.iter().take(count).map(|item| item["id"].as_i64().unwrap()).collect()
}

fn changed(mut body: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn request_with(world: &World, changes: &Value) -> Value {
    changed(flow::request_body(world), changes)
}

fn skill(view: &Value, item: i64) -> &Value {
    view["required_skills"].as_array().unwrap().iter().find(|skill| skill["skill_item_id"] == item).unwrap()
}

fn interested(view: &Value) -> Option<Vec<i64>> {
    Some(view.get("interested_organisation_ids")?.as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect())
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list
}

on_both! {
    fn a_request_keeps_what_it_asks_of_those_who_come(app) {
        let world = World::new(app);
        let (staff, items) = (&world.hamamatsu_staff, skill_items(&world, 3));
        let plain = staff.get(&format!("/requests/{}", flow::draft(&world))).ok(200);
        assert_eq!(
            (&plain["on_island"], &plain["languages"], &plain["experts_needed"], &plain["rotation"]),
            (&json!(false), &json!([]), &json!(1), &json!(false))
        );
        assert_eq!(interested(&plain), Some(Vec::new()));
        let asked = request_with(&world, &json!({
            "on_island": true, "languages": ["ja", "en"], "experts_needed": 3, "rotation": true,
            "interested_organisation_ids": [world.outsider, world.fukuroi], "participant_organisation_ids": [world.kosai],
            "required_skills": [
                {"skill_item_id": items[0], "min_level": 2, "must": true, "alternative_group": 1, "verified_only": true},
                {"skill_item_id": items[1], "min_level": 1, "must": true, "alternative_group": 1},
                {"skill_item_id": items[2], "min_level": 1, "must": false}
            ]
        }));
        let request = format!("/requests/{}", flow::id(&staff.post("/requests", &asked), 201));
        let everything = |view: &Value| {
            assert_eq!(
                (&view["on_island"], &view["languages"], &view["experts_needed"], &view["rotation"]),
                (&json!(true), &json!(["ja", "en"]), &json!(3), &json!(true))
            );
            assert_eq!(interested(view), Some(sorted(vec![world.outsider, world.fukuroi])));
            let demand = |item| {
                let skill = skill(view, item);
                (skill["must"].as_bool().unwrap(), skill["alternative_group"].as_i64(), skill["verified_only"].as_bool().unwrap())
            };
            assert_eq!([demand(items[0]), demand(items[1]), demand(items[2])],
                [(true, Some(1), true), (true, Some(1), false), (false, None, false)]);
        };
        everything(&staff.get(&request).ok(200));
        // What a change does not name stays.
        everything(&staff.patch(&request, &json!({"background": "島の診療所と結びたい。"})).ok(200));
        let joined = world.kosai_staff.get(&request).ok(200);
        assert_eq!((interested(&joined), &joined["experts_needed"]), (None, &json!(3)), "who only takes part sees no names of others");
        staff.verb(&request, "submit", &json!({})).ok(200);
        everything(&world.coordinator.get(&request).ok(200));
        everything(&world.auditor.get(&request).ok(200));
        // Next year's request begins with the same demands.
        let copy = staff.post(&format!("{request}/copy"), &json!({"fiscal_year": 2027})).ok(201);
        assert_eq!(copy["fiscal_year"], 2027);
        everything(&copy);
        let copy = format!("/requests/{}", copy["id"]);
        assert_eq!(staff.patch(&copy, &json!({"experts_needed": 1})).wrong(), ["/rotation needs_team"]);
        let view = staff
            .patch(&copy, &json!({"on_island": false, "languages": [], "experts_needed": 1, "rotation": false, "interested_organisation_ids": []}))
            .ok(200);
        assert_eq!(
            (&view["on_island"], &view["languages"], &view["experts_needed"], &view["rotation"]),
            (&json!(false), &json!([]), &json!(1), &json!(false))
        );
        assert_eq!(interested(&view), Some(Vec::new()));
    }
}

on_both! {
    fn a_request_is_refused_for_demands_that_make_no_sense(app) {
        let world = World::new(app);
        let items = skill_items(&world, 3);
        let wrong = |changes: &Value| {
            let answer = world.hamamatsu_staff.post("/requests", &request_with(&world, changes));
            assert_eq!(answer.problem(422), "validation_failed");
            sorted(answer.wrong())
        };
        assert_eq!(
            wrong(&json!({
                "languages": ["ja", "English", ""], "experts_needed": 6, "interested_organisation_ids": [999_999, world.fukuroi, world.fukuroi],
                "required_skills": [
                    {"skill_item_id": items[0], "min_level": 1, "must": false, "alternative_group": 1},
                    {"skill_item_id": items[1], "min_level": 1, "must": true, "alternative_group": 21},
                    {"skill_item_id": items[2], "min_level": 1, "must": false, "verified_only": true}
                ]
            })),
            [
                "/experts_needed out_of_range",
                "/interested_organisation_ids/0 unknown_reference",
                "/interested_organisation_ids/2 duplicate",
                "/languages/1 malformed",
                "/languages/2 malformed",
                "/required_skills/0/alternative_group needs_must",
                "/required_skills/1/alternative_group out_of_range",
                "/required_skills/2/verified_only needs_must",
            ]
        );
        assert_eq!(wrong(&json!({"rotation": true})), ["/rotation needs_team"]);
        assert_eq!(wrong(&json!({"experts_needed": 0})), ["/experts_needed out_of_range"]);
        assert_eq!(wrong(&json!({"languages": vec!["ja"; 11]})), ["/languages too_many"]);
        let many: Vec<i64> = (1..=51).collect();
        assert_eq!(wrong(&json!({"interested_organisation_ids": many})), ["/interested_organisation_ids too_many"]);
        let two = json!({"experts_needed": 2, "rotation": true});
        world.hamamatsu_staff.post("/requests", &request_with(&world, &two)).ok(201);
    }
}

on_both! {
    fn an_expert_keeps_islands_weeks_and_the_permit_of_the_employer(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let register = |email: &str, changes: &Value| {
            office.post("/experts", &changed(flow::expert_body(world.pool, "見本 花子", email), changes))
        };
        let plain = register("plain@example.jp", &json!({})).ok(201);
        assert_eq!((&plain["serves_islands"], &plain["employer_consent"]), (&json!(true), &json!("not_needed")));
        assert_eq!((plain.get("capacity_minutes_week"), plain.get("employer_consent_until")), (None, None));
        let side_job = json!({
            "serves_islands": false, "capacity_minutes_week": 480, "employer_consent": "given", "employer_consent_until": "2026-09-30"
        });
        let expert = format!("/experts/{}", flow::id(&register("side@example.jp", &side_job), 201));
        let view = office.get(&expert).ok(200);
        for (name, value) in side_job.as_object().unwrap() {
            assert_eq!(&view[name], value, "{name}");
        }
        assert_eq!(office.get(&format!("{expert}/workload?fiscal_year=2026")).ok(200)["capacity_minutes_week"], 480);
        let seen = world.hamamatsu_staff.get(&expert).ok(200);
        assert_eq!((&seen["serves_islands"], &seen["capacity_minutes_week"]), (&json!(false), &json!(480)));
        assert_eq!((seen.get("employer_consent"), seen.get("employer_consent_until")), (None, None), "an affair of expert and office");
        // A permit that is asked for anew has no last day.
        let pending = office.patch(&expert, &json!({"employer_consent": "pending"}));
        assert_eq!((pending.problem(422).as_str(), pending.wrong()), ("validation_failed", vec!["/employer_consent_until needs_consent".to_owned()]));
        let cleared = json!({"employer_consent": "pending", "employer_consent_until": null, "capacity_minutes_week": null, "serves_islands": true});
        let view = office.patch(&expert, &cleared).ok(200);
        assert_eq!((&view["employer_consent"], &view["serves_islands"]), (&json!("pending"), &json!(true)));
        assert_eq!((view.get("employer_consent_until"), view.get("capacity_minutes_week")), (None, None));
        let wrong = register("wrong@example.jp", &json!({"capacity_minutes_week": 10_081, "employer_consent_until": "2026-09-30"}));
        assert_eq!(sorted(wrong.wrong()), ["/capacity_minutes_week out_of_range", "/employer_consent_until needs_consent"]);
        assert_eq!(register("wrong@example.jp", &json!({"employer_consent": "perhaps"})).problem(400), "malformed_request");
    }
}

on_both! {
    fn a_conflict_says_whose_it_is(app) {
        let world = World::new(app);
        let expert = format!("/experts/{}", flow::expert(&world, "見本 太郎", "expert@example.jp"));
        let conflict = |body: i64, kind: &str| json!({"organisation_id": body, "kind": kind, "reason": "本人の申出", "valid_from": "2026-04-01"});
        let without = json!({"organisation_id": world.fukuroi, "reason": "受託者", "valid_from": "2026-04-02"});
        let items = json!({"items": [conflict(world.hamamatsu, "refused_by_body"), conflict(world.kosai, "refused_by_expert"), without]});
        world.coordinator.put_at(&expert, "conflicts", &items).ok(200);
        let list = world.coordinator.get(&format!("{expert}/conflicts")).ok(200);
        let kinds: Vec<(i64, &str)> = list["items"].as_array().unwrap().iter()
            .map(|item| (item["organisation_id"].as_i64().unwrap(), item["kind"].as_str().unwrap())).collect();
        assert_eq!(kinds, [(world.hamamatsu, "refused_by_body"), (world.kosai, "refused_by_expert"), (world.fukuroi, "interest")]);
        let unknown = json!({"items": [conflict(world.hamamatsu, "rumour")]});
        assert_eq!(world.coordinator.put_at(&expert, "conflicts", &unknown).problem(400), "malformed_request");
    }
}
