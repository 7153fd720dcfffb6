//! Visits: arranged, recorded, called off, missed, moved; each counts once and in its own fiscal year.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::client::Answer;
use crate::support::flow::{self, visit_on};
use crate::support::world::{World, preset};

fn verb(world: &World, visit: i64, verb: &str, body: &Value) -> Answer {
    world.hamamatsu_staff.verb(&format!("/visits/{visit}"), verb, body)
}

fn counted(world: &World, year: i32) -> i64 {
    let table = format!("/statistics/dispatches?programme_id={}&from_fiscal_year={year}&to_fiscal_year={year}", world.programme);
    world.coordinator.get(&table).ok(200)["years"][0]["visits"].as_i64().unwrap()
}

fn expert(world: &World) -> i64 {
    flow::expert(world, "見本 太郎", "expert@example.jp")
}

on_both! {
    fn what_happened_is_recorded_once_and_not_before_its_day(app) {
        let world = World::new(app);
        let d = flow::dispatched(&world, expert(&world));
        let visit = d.visits[0];
        app.set_time("2026-05-10T23:59:59+09:00");
        assert_eq!(flow::record(&world.hamamatsu_staff, visit, 240).wrong(), ["/ before_visit_day"]);
        app.set_time("2026-05-11T00:00:00+09:00");
        for minutes in [-240, 0, 1441] {
            assert_eq!(flow::record(&world.hamamatsu_staff, visit, minutes).wrong(), ["/actual_minutes out_of_range"]);
        }
        let attendees = verb(&world, visit, "record", &json!({"actual_minutes": 240, "attendees": -1, "note": "\u{0}"}));
        assert_eq!(attendees.wrong(), ["/attendees out_of_range", "/note control_character"]);
        let done = verb(&world, visit, "record", &json!({"actual_minutes": 250, "attendees": 12, "mode": "hybrid", "note": "業務を\r\n整理した"})).ok(200);
        assert_eq!((&done["status"], &done["mode"], &done["planned_minutes"], &done["actual_minutes"]),
            (&json!("done"), &json!("hybrid"), &json!(240), &json!(250)));
        let again = flow::record(&world.hamamatsu_staff, visit, 240);
        assert_eq!((again.problem(409).as_str(), &again.json()["allowed"]), ("invalid_transition", &json!([])));
        assert_eq!(counted(&world, 2026), 1, "only what is done counts");
    }
}

on_both! {
    fn a_visit_without_day_is_arranged_first(app) {
        let world = World::new(app);
        let expert = expert(&world);
        let request = flow::accepted(&world);
        let offer = flow::offer(&world, request, expert, &[visit_on("2026-05-11"), json!({"minutes": 120, "mode": "onsite"})]);
        flow::accept_offer(&world, offer).ok(200);
        let dispatch = flow::decide(&world, request, offer);
        let open = world.coordinator.get(&format!("/visits?dispatch_id={dispatch}")).ok(200)["items"][0].clone();
        assert_eq!((&open["to_be_arranged"], &open["allowed"]), (&json!(true), &json!(["arrange", "cancel"])));
        let visit = open["id"].as_i64().unwrap();
        let early = flow::record(&world.hamamatsu_staff, visit, 120);
        assert_eq!((early.problem(409).as_str(), &early.json()["allowed"]), ("invalid_transition", &json!(["arrange", "cancel"])));
        let arrange = |day: &str, start: i32| verb(&world, visit, "arrange", &json!({"day": day, "start_minute": start}));
        assert_eq!(arrange("2026-06-01", 600).wrong(), ["/day outside_period"]);
        assert_eq!(arrange("2026-05-20", 1400).wrong(), ["/minutes beyond_midnight"]);
        assert_eq!(arrange("2026-05-11", 900).problem(409), "visit_overlap", "the way between two places is needed");
        arrange("2026-05-11", 960).ok(200);
        assert_eq!(arrange("2026-05-12", 600).problem(409), "invalid_transition");
        assert!(app.mails_to("expert@example.jp").last().unwrap().mail.text.contains("16:00"));
    }
}

on_both! {
    fn a_visit_is_not_moved_beyond_the_limits_of_the_programme(app) {
        let world = World::new(app);
        let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
        rules["limits"].as_array_mut().unwrap().push(json!({"kind": "minutes_per_visit", "max": 240}));
        world.coordinator.put(&format!("/programmes/{}/years/2026", world.programme), &json!({"rules": rules})).ok(200);
        let d = flow::dispatched(&world, expert(&world));
        let body = |minutes: i32| json!({"day": "2026-05-20", "start_minute": 600, "minutes": minutes, "party": "applicant", "reason": "議会のため"});
        let long = verb(&world, d.visits[0], "reschedule", &body(241));
        assert_eq!((long.problem(422).as_str(), long.wrong()), ("rule_refused", vec!["/minutes_per_visit minutes_per_visit".to_owned()]));
        verb(&world, d.visits[0], "reschedule", &body(240)).ok(201);
    }
}

on_both! {
    fn a_visit_belongs_to_the_fiscal_year_of_its_japanese_day(app) {
        let world = World::new(app);
        let expert = expert(&world);
        let mut body = flow::request_body(&world);
        (body["period_from"], body["period_to"]) = (json!("2027-03-01"), json!("2027-03-31"));
        let request = flow::id(&world.hamamatsu_staff.post("/requests", &body), 201);
        world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
        world.coordinator.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
        // 31 March, half past eight in the morning: still 30 March in UTC; late in the evening: almost April.
        let visits = [("2027-03-31", 30, 15), ("2027-03-31", 1410, 30)]
            .map(|(day, start, minutes)| json!({"day": day, "start_minute": start, "minutes": minutes, "mode": "online"}));
        let offer = flow::offer(&world, request, expert, &visits);
        flow::accept_offer(&world, offer).ok(200);
        let dispatch = flow::decide(&world, request, offer);
        app.set_time("2027-04-01T09:00:00+09:00");
        for visit in flow::visits_of(&world.coordinator, dispatch) {
            flow::record(&world.hamamatsu_staff, visit, 30).ok(200);
        }
        assert_eq!((counted(&world, 2026), counted(&world, 2027)), (2, 0));
    }
}

on_both! {
    fn a_visit_is_called_off_or_missed_and_does_not_count(app) {
        let world = World::new(app);
        let d = flow::dispatched(&world, expert(&world));
        // Whose reasons they were: a body tells for itself, the rest is the office's to tell.
        let cancel = |party: &str| json!({"party": party, "reason": "台風のため"});
        assert_eq!(verb(&world, d.visits[0], "cancel", &cancel("expert")).wrong(), ["/party office_only"]);
        let off = verb(&world, d.visits[0], "cancel", &cancel("force_majeure")).ok(200);
        assert_eq!((&off["status"], &off["notice_days"], &off["cancelled_by_party"]), (&json!("cancelled"), &json!(35), &json!("force_majeure")));
        assert_eq!(verb(&world, d.visits[1], "no-show", &json!({"party": "expert"})).wrong(), ["/ before_visit_day"]);
        app.set_time("2026-05-18T18:00:00+09:00");
        assert_eq!(verb(&world, d.visits[1], "no-show", &json!({"party": "prefecture"})).wrong(), ["/party not_a_visitor"]);
        let missed = verb(&world, d.visits[1], "no-show", &json!({"party": "applicant", "note": "担当者が不在"})).ok(200);
        assert_eq!((&missed["status"], &missed["allowed"]), (&json!("no_show"), &json!([])));
        assert_eq!(counted(&world, 2026), 0);
        assert_eq!(world.coordinator.get(&format!("/dispatches/{}/costs", d.dispatch)).ok(200)["totals"]["items"], 0);
    }
}

on_both! {
    fn another_day_is_another_visit_and_the_old_one_stays_on_record(app) {
        let world = World::new(app);
        let expert = expert(&world);
        let d = flow::dispatched(&world, expert);
        let to = |day: &str| json!({"day": day, "start_minute": 600, "party": "applicant", "reason": "議会日程の変更のため"});
        assert_eq!(verb(&world, d.visits[0], "reschedule", &to("2026-06-01")).wrong(), ["/day outside_period"]);
        assert_eq!(verb(&world, d.visits[0], "reschedule", &to("2026-05-18")).problem(409), "visit_overlap");
        // An hour later on the same day: its own old time is no obstacle.
        let new = verb(&world, d.visits[0], "reschedule", &json!({"day": "2026-05-11", "start_minute": 660, "party": "applicant", "reason": "会議のため"}));
        let id = flow::id(&new, 201);
        let old = world.hamamatsu_staff.get(&format!("/visits/{}", d.visits[0])).ok(200);
        assert_eq!((&old["status"], &old["rescheduled_to_id"], &old["notice_days"]), (&json!("rescheduled"), &json!(id), &json!(35)));
        assert_eq!(verb(&world, d.visits[0], "record", &json!({"actual_minutes": 240})).problem(409), "invalid_transition");
        verb(&world, id, "reschedule", &to("2026-05-29")).ok(201);
        let report = world.coordinator.get(&format!("/dispatches/{}/report", d.dispatch)).ok(200);
        assert_eq!(report["due_on"], "2026-06-05", "the report is due after what is now the last visit");
        // The old time is free for others.
        let offer = flow::offer(&world, flow::accepted(&world), expert, &[visit_on("2026-05-11")]);
        flow::accept_offer(&world, offer).ok(200);
    }
}

on_both! {
    fn lists_of_visits_know_their_filters(app) {
        let world = World::new(app);
        let d = flow::dispatched(&world, expert(&world));
        let client = &world.hamamatsu_staff;
        for (query, wrong) in [("status=planned,someday", "status unknown_value"), ("from=2026-05-31&to=2026-05-01", "to before_start")] {
            let answer = client.get(&format!("/visits?{query}"));
            assert_eq!((answer.problem(400).as_str(), answer.wrong()), ("unknown_parameter", vec![wrong.to_owned()]));
        }
        assert_eq!(client.get("/visits?status=").problem(400), "unknown_parameter");
        let listed = |query: &str| client.get(&format!("/visits?{query}")).ok(200)["items"].as_array().unwrap().len();
        assert_eq!([listed("status=planned"), listed("status=done,held"), listed("from=2026-05-12"), listed("to=2026-05-11&mode=onsite")], [2, 0, 1, 1]);
        assert_eq!(listed(&format!("dispatch_id={}", d.dispatch)), 2);
    }
}
