//! Ranking for one request: conditions, weights, near misses, and the waiting requests that suit an expert.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::flow;
use crate::support::tools::sql;
use crate::support::world::{World, preset};

fn skill_items(world: &World, count: usize) -> Vec<i64> {
    let frameworks = world.coordinator.get("/skill-frameworks").ok(200);
    let items = frameworks["items"][0]["items"].as_array().unwrap();
    items.iter().take(count).map(|item| item["id"].as_i64().unwrap()).collect()
}

fn with(mut body: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn expert(world: &World, name: &str, changes: &Value) -> i64 {
    registered(world, &with(flow::expert_body(world.pool, name, &format!("{name}@example.jp")), changes))
}

/// Registers an expert with the skills that stand in the body.
fn registered(world: &World, body: &Value) -> i64 {
    let mut body = body.clone();
    let skills = body.as_object_mut().unwrap().remove("skills");
    let id = flow::id(&world.coordinator.post("/experts", &body), 201);
    if let Some(skills) = skills {
        world.coordinator.put_at(&format!("/experts/{id}"), "skills", &json!({"skills": skills})).ok(200);
    }
    id
}

/// An accepted request of Hamamatsu.
fn request(world: &World, changes: &Value) -> i64 {
    let staff = &world.hamamatsu_staff;
    let request = flow::id(&staff.post("/requests", &with(flow::request_body(world), changes)), 201);
    staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
    world.coordinator.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
    request
}

fn ids(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|item| item["expert_id"].as_i64().unwrap()).collect()
}

fn count_of(page: &Value, code: &str) -> Option<i64> {
    page["exclusion_counts"].as_array().unwrap().iter().find(|row| row["code"] == code)?["count"].as_i64()
}

fn reasons(world: &World, request: i64, expert: i64) -> Vec<String> {
    let page = world.coordinator.get(&format!("/requests/{request}/candidates/excluded?limit=200")).ok(200);
    let rows = page["items"].as_array().unwrap();
    let row = rows.iter().find(|row| row["expert_id"] == expert);
    let codes = row.into_iter().flat_map(|row| row["reasons"].as_array().unwrap());
    codes.map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    fn every_condition_that_is_kept_is_looked_at(app) {
        let world = World::new(app);
        let items = skill_items(&world, 3);
        let skilled = |level: i64, verified: bool| json!([{"skill_item_id": items[0], "level": level, "verified": verified}]);
        let fit = expert(&world, "fit", &json!({"skills": skilled(3, true), "languages": ["ja", "en"]}));
        let claimed = expert(&world, "claimed", &json!({"skills": skilled(3, false), "languages": ["ja", "en"]}));
        let silent = expert(&world, "silent", &json!({"skills": skilled(3, true)}));
        let ashore = expert(&world, "ashore", &json!({"skills": skilled(3, true), "languages": ["ja", "en"], "serves_islands": false}));
        let waiting = expert(&world, "waiting", &json!({"skills": skilled(3, true), "languages": ["ja", "en"], "employer_consent": "pending"}));
        let short = expert(&world, "short", &json!({"skills": skilled(3, true), "languages": ["ja", "en"], "capacity_minutes_week": 120}));
        let refusing = expert(&world, "refusing", &json!({"skills": skilled(3, true), "languages": ["ja", "en"]}));
        let bidder = expert(&world, "bidder", &json!({"skills": skilled(3, true), "languages": ["ja", "en"]}));
        let own = expert(&world, "own", &json!({"skills": skilled(3, true), "languages": ["ja", "en"], "affiliation_kind": "public_official", "base_organisation_id": world.hamamatsu}));
        let conflict = |expert: i64, organisation: i64, kind: &str| {
            let list = json!({"items": [{"organisation_id": organisation, "reason": "x", "valid_from": "2026-04-01", "kind": kind}]});
            world.coordinator.put_at(&format!("/experts/{expert}"), "conflicts", &list).ok(200);
        };
        conflict(refusing, world.hamamatsu, "refused_by_body");
        conflict(bidder, world.outsider, "interest");
        let request = request(&world, &json!({
            "on_island": true, "languages": ["en"], "interested_organisation_ids": [world.outsider],
            "required_skills": [{"skill_item_id": items[0], "min_level": 2, "must": true, "verified_only": true}]
        }));
        let page = world.coordinator.get(&format!("/requests/{request}/candidates")).ok(200);
        assert_eq!(ids(&page), [fit], "{page:#}");
        assert_eq!((&page["eligible_count"], &page["excluded_count"]), (&json!(1), &json!(8)));
        for (expert, code) in [
            (claimed, "skills_missing"), (silent, "language_missing"), (ashore, "island_not_served"), (waiting, "employer_consent"),
            (short, "week_capacity"), (refusing, "refused"), (bidder, "conflict_of_interest"), (own, "conflict_of_interest"),
        ] {
            assert_eq!(reasons(&world, request, expert), [code]);
        }
        assert_eq!([count_of(&page, "skills_missing"), count_of(&page, "conflict_of_interest"), count_of(&page, "suspended")], [Some(1), Some(2), None]);
        // Whoever refuses, or has an interest, is not asked by hand either without a reason.
        for expert in [refusing, bidder] {
            let body = json!({"expert_id": expert, "visits": [flow::visit_on("2026-05-11")]});
            assert_eq!(world.coordinator.post(&format!("/requests/{request}/offers"), &body).wrong(), ["/expert_id conflict_of_interest"]);
        }
        // The list of the excluded goes on over pages of any size.
        let mut seen = Vec::new();
        let mut next = format!("/requests/{request}/candidates/excluded?limit=3");
        loop {
            let page = world.coordinator.get(&next).ok(200);
            seen.extend(ids(&page));
            match page.get("next_cursor") {
                Some(cursor) => next = format!("/requests/{request}/candidates/excluded?limit=3&cursor={}", cursor.as_str().unwrap()),
                None => break,
            }
        }
        assert_eq!(seen, [claimed, silent, ashore, waiting, short, refusing, bidder, own]);
    }
}

on_both! {
    fn a_programme_says_what_the_parts_weigh(app) {
        let world = World::new(app);
        let rules = preset(&world.coordinator, "shizuoka_ict_expert");
        let weights = |changes: &Value| {
            let base = json!({"skill": 350, "evidence": 50, "wish": 100, "date": 140, "travel": 140, "load": 140, "continuity": 40, "response": 40});
            with(rules.clone(), &json!({"limits": [], "matching": {"weights": with(base, changes)}}))
        };
        let programme = flow::id(&world.coordinator.post("/programmes", &json!({"pool_id": world.pool, "name": "配点を変える事業"})), 201);
        let set = |rules: &Value| world.coordinator.post(&format!("/programmes/{programme}/years"), &json!({"fiscal_year": 2026, "rules": rules}));
        assert_eq!(
            set(&weights(&json!({"load": 0, "skill": 700}))).wrong(),
            ["/rules/matching/weights/skill out_of_range", "/rules/matching/weights/load out_of_range", "/rules/matching/weights not_a_thousand"]
        );
        let order = with(rules.clone(), &json!({"matching": {"level_order": ["fit", "fit", "load", "score", "travel"], "band_points": 0}}));
        assert_eq!(set(&order).wrong(), ["/rules/matching/level_order not_an_order", "/rules/matching/band_points out_of_range"]);
        set(&weights(&json!({"wish": 200, "continuity": 0, "response": 0, "evidence": 30}))).ok(201);
        let (first, second) = (expert(&world, "first", &json!({})), expert(&world, "second", &json!({})));
        let request = request(&world, &json!({"programme_id": programme, "leave_to_office": false, "preferred_expert_ids": [second]}));
        let page = world.coordinator.get(&format!("/requests/{request}/candidates")).ok(200);
        assert_eq!(ids(&page), [second, first]);
        let parts = page["items"][0]["parts"].as_array().unwrap();
        let maxima: Vec<i64> = parts.iter().map(|part| part["max"].as_i64().unwrap()).collect();
        assert_eq!((parts.len(), maxima.iter().sum::<i64>(), &parts[2]["code"], maxima[2]), (8, 1000, &json!("wish"), 200));
        let points: i64 = parts.iter().map(|part| part["points"].as_i64().unwrap()).sum();
        assert_eq!(page["items"][0]["score"], points);
    }
}

on_both! {
    fn near_misses_say_what_would_bring_somebody_in(app) {
        let world = World::new(app);
        let items = skill_items(&world, 2);
        let skill = |item: i64, level: i64| json!({"skill_item_id": item, "level": level, "verified": false});
        let both = json!([skill(items[0], 3), skill(items[1], 2)]);
        let lacking: Vec<i64> = ["a", "b"].iter().map(|name| expert(&world, name, &json!({"skills": [skill(items[0], 3)]}))).collect();
        let low = expert(&world, "low", &json!({"skills": [skill(items[0], 3), skill(items[1], 1)]}));
        let online = expert(&world, "online", &json!({"skills": both, "onsite": false}));
        let later = expert(&world, "later", &json!({"skills": both, "appointed_from": "2026-07-05"}));
        let request = request(&world, &json!({"required_skills": [
            {"skill_item_id": items[0], "min_level": 2, "must": true}, {"skill_item_id": items[1], "min_level": 2, "must": true}
        ]}));
        // Somebody in another pool of the same office could.
        let pool = flow::id(&world.coordinator.post("/pools", &json!({"name": "隣の人材プール", "expert_title": "専門家"})), 201);
        let neighbour = with(flow::expert_body(pool, "隣人", "neighbour@example.jp"), &json!({"skills": both}));
        registered(&world, &neighbour);
        let view = world.coordinator.get(&format!("/requests/{request}/candidates/near-misses")).ok(200);
        assert_eq!(view["eligible_count"], 0);
        let sets: Vec<(Vec<&str>, Vec<i64>)> = view["changes"].as_array().unwrap().iter().map(|set| {
            let kinds = set["relaxations"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
            (kinds, set["expert_ids"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect())
        }).collect();
        assert_eq!(sets, [
            (vec!["skill_welcome"], [lacking.clone(), vec![low]].concat()),
            (vec!["level_lower"], vec![low]),
            (vec!["online"], vec![online]),
        ], "{view:#}");
        let first = &view["changes"][0];
        assert!(first["detail_ja"].as_str().unwrap().ends_with("を必須から歓迎に変える") && first["count"] == 3, "{first}");
        // Two months later the appointment has begun.
        assert_eq!((&view["later"]["period_from"], &view["later"]["count"]), (&json!("2026-07-01"), &json!(1)), "{view:#}");
        assert_eq!(view["other_pools"], json!([{"pool_id": pool, "name": "隣の人材プール", "count": 1}]));
        assert!(!sets.iter().any(|(_, ids)| ids.contains(&later)));
        assert_eq!(world.hamamatsu_staff.get(&format!("/requests/{request}/candidates/near-misses")).status, 403);
    }
}

on_both! {
    fn waiting_requests_are_found_for_an_expert_who_is_free(app) {
        let world = World::new(app);
        let items = skill_items(&world, 2);
        let skill = |item: i64| json!([{"skill_item_id": item, "level": 3, "verified": true}]);
        let (free, other) = (expert(&world, "free", &json!({"skills": skill(items[0])})), expert(&world, "other", &json!({"skills": skill(items[1])})));
        let asks = |theme: &str, item: i64| {
            request(&world, &json!({"theme": theme, "required_skills": [{"skill_item_id": item, "min_level": 1, "must": true}]}))
        };
        let (fits, not, open) = (asks("合う相談", items[0]), asks("合わない相談", items[1]), request(&world, &json!({"theme": "分野を問わない相談"})));
        let found = world.coordinator.get(&format!("/experts/{free}/fitting-requests")).ok(200);
        let rows: Vec<(i64, i64, i64)> = found["items"].as_array().unwrap().iter()
            .map(|row| (row["request_id"].as_i64().unwrap(), row["rank"].as_i64().unwrap(), row["eligible_count"].as_i64().unwrap())).collect();
        assert!(rows.contains(&(fits, 1, 1)) && rows.iter().any(|row| row.0 == open && row.2 == 2) && !rows.iter().any(|row| row.0 == not), "{found:#}");
        assert_eq!(found["waiting_count"], 3);
        // The score is that of the request's own list.
        let list = world.coordinator.get(&format!("/requests/{open}/candidates")).ok(200);
        let own = list["items"].as_array().unwrap().iter().find(|row| row["expert_id"] == free).unwrap();
        let row = found["items"].as_array().unwrap().iter().find(|row| row["request_id"] == open).unwrap();
        assert_eq!((&row["score"], &row["parts"]), (&own["score"], &own["parts"]));
        flow::offer(&world, fits, free, &[flow::visit_on("2026-05-11")]);
        assert_eq!(world.coordinator.get(&format!("/experts/{free}/fitting-requests")).ok(200)["waiting_count"], 2);
        sql(app, &format!("UPDATE experts SET status = 'suspended' WHERE id = {other}")).unwrap();
        assert_eq!(world.coordinator.get(&format!("/experts/{other}/fitting-requests")).ok(200)["items"], json!([]));
        assert_eq!(world.kosai_staff.get(&format!("/experts/{free}/fitting-requests")).status, 403);
    }
}

on_both! {
    fn work_done_and_answers_given_count(app) {
        let world = World::new(app);
        let items = skill_items(&world, 1);
        let skills = json!([{"skill_item_id": items[0], "level": 3, "verified": true}]);
        let (seasoned, fresh) = (expert(&world, "seasoned", &json!({"skills": skills})), expert(&world, "fresh", &json!({"skills": skills})));
        let asks = json!({"required_skills": [{"skill_item_id": items[0], "min_level": 1, "must": true}]});
        let before = request(&world, &asks);
        let offer = flow::offer(&world, before, seasoned, &[flow::visit_on("2026-05-11")]);
        flow::accept_offer(&world, offer).ok(200);
        let dispatch = flow::decide(&world, before, offer);
        app.set_time("2026-05-12T09:00:00+09:00");
        flow::record(&world.coordinator, flow::visits_of(&world.coordinator, dispatch)[0], 240).ok(200);
        let next = request(&world, &with(asks, &json!({"theme": "続きの相談", "period_from": "2026-06-01", "period_to": "2026-06-30"})));
        let page = world.coordinator.get(&format!("/requests/{next}/candidates")).ok(200);
        let part = |expert: i64, code: &str| {
            let row = page["items"].as_array().unwrap().iter().find(|row| row["expert_id"] == expert).unwrap();
            row["parts"].as_array().unwrap().iter().find(|part| part["code"] == code).unwrap().clone()
        };
        assert_eq!((&part(seasoned, "evidence")["points"], &part(fresh, "evidence")["points"]), (&json!(10), &json!(0)));
        assert_eq!((&part(seasoned, "response")["points"], &part(fresh, "response")["points"]), (&json!(40), &json!(40)));
        assert_eq!(part(seasoned, "response")["detail_ja"], "依頼1件中1件に期限内に回答（過去3年度）");
        assert!(part(fresh, "load")["points"].as_i64() > part(seasoned, "load")["points"].as_i64());
    }
}
