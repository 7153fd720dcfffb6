//! What an office has to do today agrees with the lists it is taken from.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::client::Client;
use crate::support::flow::{self, visit_on};
use crate::support::world::World;

fn today(office: &Client) -> Value {
    office.get("/today").ok(200)
}

fn part<'a>(today: &'a Value, name: &str) -> &'a Value {
    today["parts"].as_array().unwrap().iter().find(|part| part["part"] == name).unwrap()
}

/// How many the list holds that a part names.
fn in_list(office: &Client, part: &Value) -> usize {
    let path = part["path"].as_str().unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    office.get(&path).ok(200)["items"].as_array().unwrap().len()
}

on_both! {
    fn every_step_of_a_request_stands_in_its_part(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let empty = today(office);
        assert_eq!(empty["day"], "2026-04-06");
        assert!(empty["parts"].as_array().unwrap().iter().all(|part| part["count"] == 0), "{empty:#}");
        let request = flow::draft(&world);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let path = format!("/requests/{request}");
        let stands_in = |name: &str, kind: &str, id: i64| {
            let today = today(office);
            for listed in ["requests_to_review", "candidates_to_propose", "offers_unanswered", "decisions_to_make"] {
                assert_eq!(part(&today, listed)["count"], i64::from(listed == name), "{listed} while {name}: {today:#}");
            }
            let found = part(&today, name);
            assert_eq!((&found["items"][0]["entity_kind"], &found["items"][0]["entity_id"]), (&json!(kind), &json!(id)));
            assert_eq!(in_list(office, found), 1, "the list says the same");
        };
        world.hamamatsu_staff.verb(&path, "submit", &json!({})).ok(200);
        stands_in("requests_to_review", "request", request);
        office.verb(&path, "accept", &json!({})).ok(200);
        stands_in("candidates_to_propose", "request", request);
        let offer = flow::offer(&world, request, expert, &[visit_on("2026-05-13")]);
        stands_in("offers_unanswered", "offer", offer);
        flow::accept_offer(&world, offer).ok(200);
        stands_in("decisions_to_make", "request", request);
        let dispatch = flow::decide(&world, request, offer);
        app.set_time("2026-05-11T10:00:00+09:00");
        let now = today(office);
        let week = part(&now, "visits_this_week");
        assert_eq!((&week["count"], &week["items"][0]["day"]), (&json!(1), &json!("2026-05-13")));
        assert_eq!(week["items"][0]["path"], format!("/dispatches/{dispatch}"));
        assert_eq!(in_list(office, week), 1);
        assert!(now["unread_notices"].as_i64().unwrap() > 0);
        // Another office has nothing of it.
        assert!(today(&world.stranger)["parts"].as_array().unwrap().iter().all(|part| part["count"] == 0));
        assert_eq!(world.hamamatsu_staff.get("/today").problem(403), "forbidden");
    }
}

on_both! {
    fn an_overdue_report_and_a_full_expert_stand_in_their_parts(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        office.patch(&format!("/experts/{expert}"), &json!({"capacity_minutes_month": 300})).ok(200);
        let request = flow::accepted(&world);
        let offer = flow::offer(&world, request, expert, &[visit_on("2026-05-13")]);
        flow::accept_offer(&world, offer).ok(200);
        let dispatch = flow::decide(&world, request, offer);
        let near = today(office);
        let near = part(&near, "experts_near_limit");
        assert_eq!((&near["count"], &near["items"][0]["percent"]), (&json!(1), &json!(80)), "{near:#}");
        assert_eq!(near["items"][0]["entity_id"], expert);
        app.set_time("2026-05-14T10:00:00+09:00");
        let visit = flow::visits_of(office, dispatch)[0];
        flow::record(office, visit, 240).ok(200);
        assert_eq!(part(&today(office), "reports_overdue")["count"], 0);
        app.set_time("2026-06-30T10:00:00+09:00");
        let late = today(office);
        let late = part(&late, "reports_overdue");
        assert_eq!((&late["count"], in_list(office, late)), (&json!(1), 1), "{late:#}");
        assert_eq!(late["items"][0]["path"], format!("/dispatches/{dispatch}/report"));
    }
}
