//! Experts are never in two places and never over what they agreed to, whoever asks and however many at once.

use serde_json::{Value, json};
use tasuki::error::ErrorCode;

use crate::on_both;
use crate::support::client::Answer;
use crate::support::flow::{self, visit_on};
use crate::support::tools::{number, race, race_verbs, sql};
use crate::support::world::World;

/// An expert who agreed to limits such as `{"capacity_minutes_month": 480}`.
fn limited_expert(world: &World, limits: &Value) -> i64 {
    let mut body = flow::expert_body(world.pool, "上限 花子", "limited@example.jp");
    for (name, value) in limits.as_object().unwrap() {
        body[name] = value.clone();
    }
    flow::id(&world.coordinator.post("/experts", &body), 201)
}

fn visit_at(day: &str, start_minute: i32, minutes: i32, mode: &str) -> Value {
    json!({"day": day, "start_minute": start_minute, "minutes": minutes, "mode": mode})
}

/// A sent offer for a request of its own.
fn offered(world: &World, expert: i64, visits: &[Value]) -> i64 {
    flow::offer(world, flow::accepted(world), expert, visits)
}

/// The codes of what was wrong, after checking that the load was the reason.
#[track_caller]
fn over_capacity(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.problem(409), "capacity_exceeded");
    answer.wrong()
}

/// How many answers were 200, after checking that all others were 409 with one of these codes.
#[track_caller]
fn winners(answers: &[Answer], codes: &[&str]) -> usize {
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert!(codes.contains(&answer.problem(409).as_str()), "{}", answer.text());
    }
    answers.iter().filter(|answer| answer.status == 200).count()
}

on_both! {
    fn an_overlap_with_the_way_to_another_visit_is_refused(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        // 10:00 to 14:00 on site blocks 9:00 to 15:00.
        let first = offered(&world, expert, &[visit_on("2026-05-11")]);
        let too_near = offered(&world, expert, &[visit_at("2026-05-11", 930, 60, "onsite")]);
        let online = offered(&world, expert, &[visit_at("2026-05-11", 900, 30, "online")]);
        flow::accept_offer(&world, first).ok(200);
        let refused = flow::accept_offer(&world, too_near);
        assert_eq!(refused.problem(409), "visit_overlap");
        let offer = world.coordinator.get(&format!("/offers/{too_near}")).ok(200);
        assert_eq!(offer["status"], "sent", "a refused acceptance leaves the offer open");
        assert_eq!(number(app, &format!("SELECT COUNT(*) FROM visits WHERE offer_id = {too_near}")), 0);
        // Online work right after the way home is possible.
        flow::accept_offer(&world, online).ok(200);
        // What is given back is free again.
        for offer in [first, online] {
            world.coordinator.verb(&format!("/offers/{offer}"), "withdraw", &json!({"reason": "日程の変更"})).ok(200);
        }
        flow::accept_offer(&world, too_near).ok(200);
    }
}

on_both! {
    fn the_database_itself_refuses_an_overlap(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let offer = offered(&world, expert, &[visit_on("2026-05-11")]);
        flow::accept_offer(&world, offer).ok(200);
        let copy = |status: &str, from: &str, to: &str| {
            sql(app, &format!(
                "INSERT INTO visits (programme_id, owner_organisation_id, applicant_organisation_id, expert_id, request_id, origin, activity_kind, status, day, load_day, start_minute,
                    planned_minutes, blocked_from, blocked_to, mode, created_at, updated_at)
                 SELECT programme_id, owner_organisation_id, applicant_organisation_id, expert_id, request_id, origin, activity_kind, '{status}', day, load_day, 900, 60,
                    '2026-05-11 {from}', '2026-05-11 {to}', mode, created_at, updated_at FROM visits WHERE offer_id = {offer}",
            ))
        };
        // 9:00 to 15:00 in Japan is 0:00 to 6:00 UTC.
        for status in ["held", "planned"] {
            assert_eq!(copy(status, "05:59:59", "07:00:00").unwrap_err().code, ErrorCode::VisitOverlap, "{status}");
        }
        copy("cancelled", "05:59:59", "07:00:00").unwrap();
        let revived = sql(app, "UPDATE visits SET status = 'planned' WHERE status = 'cancelled'");
        assert_eq!(revived.unwrap_err().code, ErrorCode::VisitOverlap);
        copy("planned", "06:00:00", "07:00:00").unwrap();
    }
}

on_both! {
    fn each_agreed_limit_is_named_when_it_is_reached(app) {
        let world = World::new(app);
        let expert = limited_expert(&world, &json!({"capacity_minutes_month": 480, "capacity_minutes_year": 700}));
        let both = offered(&world, expert, &[visit_on("2026-05-11"), visit_on("2026-05-18")]);
        flow::accept_offer(&world, both).ok(200);
        // A visit that is still to be arranged loads the month in which the period begins.
        let undated = offered(&world, expert, &[json!({"minutes": 15, "mode": "online"})]);
        assert_eq!(over_capacity(&flow::accept_offer(&world, undated)), ["/visits capacity_minutes_month"]);
        let june = offered(&world, expert, &[visit_on("2026-06-08")]);
        assert_eq!(over_capacity(&flow::accept_offer(&world, june)), ["/visits capacity_minutes_year"]);
        let fits = offered(&world, expert, &[visit_at("2026-06-08", 600, 220, "onsite")]);
        flow::accept_offer(&world, fits).ok(200);
    }
}

on_both! {
    fn days_of_a_fiscal_year_are_counted_once_each(app) {
        let world = World::new(app);
        let expert = limited_expert(&world, &json!({"capacity_days_year": 2}));
        // Two visits of one day, also of the first day of a month, are one day.
        let morning = offered(&world, expert, &[visit_at("2026-06-01", 540, 60, "online"), visit_at("2026-06-01", 660, 60, "online")]);
        flow::accept_offer(&world, morning).ok(200);
        let afternoon = offered(&world, expert, &[visit_at("2026-06-01", 840, 60, "online"), visit_on("2026-06-15")]);
        flow::accept_offer(&world, afternoon).ok(200);
        let third = offered(&world, expert, &[visit_on("2027-03-31")]);
        assert_eq!(over_capacity(&flow::accept_offer(&world, third)), ["/visits capacity_days_year"]);
        let open = offered(&world, expert, &[json!({"minutes": 60, "mode": "online"})]);
        assert_eq!(over_capacity(&flow::accept_offer(&world, open)), ["/visits capacity_days_year"]);
    }
}

on_both! {
    fn only_so_many_engagements_go_on_at_a_time(app) {
        let world = World::new(app);
        let expert = limited_expert(&world, &json!({"capacity_simultaneous": 1}));
        let first = flow::dispatched(&world, expert);
        let second = offered(&world, expert, &[visit_on("2026-06-08")]);
        assert_eq!(over_capacity(&flow::accept_offer(&world, second)), ["/visits capacity_simultaneous"]);
        // Once the visits of the first are over, there is room.
        app.set_time("2026-05-19T09:00:00+09:00");
        for visit in &first.visits {
            flow::record(&world.hamamatsu_staff, *visit, 240).ok(200);
        }
        let third = offered(&world, expert, &[visit_on("2026-06-08")]);
        flow::accept_offer(&world, third).ok(200);
    }
}

on_both! {
    fn of_32_racing_for_the_last_slot_one_wins(app) {
        let world = World::new(app);
        let expert = limited_expert(&world, &json!({"capacity_minutes_month": 480}));
        let offers: Vec<String> =
            (0..33).map(|n| format!("/offers/{}", offered(&world, expert, &[visit_on(&format!("2026-{:02}-{:02}", 5 + n / 31, n % 31 + 1))]))).collect();
        // Those in June do not compete for May.
        let (june, may): (Vec<_>, Vec<_>) = (offers[31..].to_vec(), offers[..31].to_vec());
        world.coordinator.verb(&may[0], "accept", &json!({})).ok(200);
        let answers = race_verbs(&world.coordinator, &[&may[1..], &june[..]].concat(), "accept", &json!({}));
        assert_eq!(winners(&answers[..30], &["capacity_exceeded"]), 1);
        assert_eq!(winners(&answers[30..], &["capacity_exceeded"]), 2);
        let held = |month: &str| number(app, &format!("SELECT COALESCE(SUM(planned_minutes), 0) FROM visits WHERE expert_id = {expert}
            AND status = 'held' AND CAST(load_day AS TEXT) LIKE '2026-{month}-%'"));
        assert_eq!((held("05"), held("06")), (480, 480));
    }
}

on_both! {
    fn of_many_racing_for_the_same_hour_one_wins(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let offers: Vec<String> =
            (0..12).map(|n| format!("/offers/{}", offered(&world, expert, &[visit_at("2026-05-11", 600 + n * 15, 120, "onsite")]))).collect();
        let answers = race_verbs(&world.coordinator, &offers, "accept", &json!({}));
        assert_eq!(winners(&answers, &["visit_overlap"]), 1);
        assert_eq!(number(app, "SELECT COUNT(*) FROM visits WHERE status = 'held'"), 1);
    }
}

on_both! {
    fn changes_of_one_visit_at_the_same_moment_do_not_overwrite_each_other(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let dispatched = flow::dispatched(&world, expert);
        let visit = format!("/visits/{}", dispatched.visits[0]);
        let etag = world.coordinator.get(&visit).etag();
        let answers = race(16, |n| {
            let body = json!({"day": format!("2026-05-{:02}", 20 + n % 10), "start_minute": 600, "party": "applicant", "reason": "行事のため"});
            let client = world.coordinator.clone();
            client.call("POST", format!("/api/v1{visit}/reschedule")).json(&body).header("If-Match", &etag).send()
        });
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert!(matches!(answer.status, 409 | 412), "{}", answer.text());
        }
        assert_eq!(number(app, &format!("SELECT COUNT(*) FROM visits WHERE dispatch_id = {} AND status = 'planned'", dispatched.dispatch)), 2);
    }
}
