//! Long placements: a person's shares and a host's places hold on every day.

use serde_json::{Value, json};
use tasuki::error::ErrorCode;

use crate::on_both;
use crate::support::client::Answer;
use crate::support::flow;
use crate::support::tools::{number, race, sql};
use crate::support::world::{World, preset};

/// A programme of placements: two places with each host.
fn programme(world: &World) -> i64 {
    flow::programme(world, "共通人材の配属", &preset(&world.coordinator, "hiroshima_posting"))
}

fn body(programme: i64, expert: i64, host: i64, share: i32, from: &str, to: &str) -> Value {
    json!({"programme_id": programme, "expert_id": expert, "host_organisation_id": host, "share_percent": share, "valid_from": from,
        "valid_to": to, "legal_basis": "staff_dispatch_art252_17"})
}

on_both! {
    fn shares_of_a_person_never_exceed_the_whole(app) {
        let world = World::new(app);
        let programme = programme(&world);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let place = |host: i64, share: i32, from: &str, to: &str| world.coordinator.post("/postings", &body(programme, expert, host, share, from, to));
        let first = flow::id(&place(world.hamamatsu, 60, "2026-04-01", "2027-04-01"), 201);
        let over = |answer: Answer| {
            assert_eq!(answer.problem(409), "posting_share_exceeded");
            answer.wrong()
        };
        assert_eq!(over(place(world.kosai, 41, "2027-03-31", "2027-05-01")), ["/share_percent postings_share_sum"]);
        // From the day on which the first has ended, all is free.
        place(world.kosai, 100, "2027-04-01", "2028-04-01").ok(201);
        place(world.kosai, 40, "2026-10-01", "2027-04-01").ok(201);
        let path = format!("/postings/{first}");
        assert_eq!(over(world.coordinator.patch(&path, &json!({"share_percent": 61}))), ["/share_percent postings_share_sum"]);
        assert_eq!(over(world.coordinator.patch(&path, &json!({"valid_to": "2027-04-02"}))), ["/share_percent postings_share_sum"]);
        world.coordinator.patch(&path, &json!({"share_percent": 61, "valid_to": "2026-10-01"})).ok(200);
        for share in [0, 101, -50] {
            assert_eq!(place(world.fukuroi, share, "2030-04-01", "2031-04-01").wrong(), ["/share_percent out_of_range"]);
        }
        assert_eq!(place(world.fukuroi, 10, "2026-05-01", "2026-05-01").wrong(), ["/valid_to before_start"]);
        // What is cancelled leaves its room to others.
        world.coordinator.verb(&path, "cancel", &json!({"reason": "受入団体の都合"})).ok(200);
        place(world.fukuroi, 100, "2026-04-01", "2026-10-01").ok(201);
        assert_eq!(world.coordinator.verb(&path, "cancel", &json!({"reason": "再度"})).problem(409), "invalid_transition");
    }
}

on_both! {
    fn the_database_itself_refuses_more_than_the_whole(app) {
        let world = World::new(app);
        let programme = programme(&world);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        world.coordinator.post("/postings", &body(programme, expert, world.hamamatsu, 60, "2026-04-01", "2027-04-01")).ok(201);
        world.coordinator.post("/postings", &body(programme, expert, world.kosai, 40, "2026-10-01", "2026-12-01")).ok(201);
        let copy = |share: i32, from: &str, to: &str, status: &str| sql(app, &format!(
            "INSERT INTO postings (programme_id, owner_organisation_id, expert_id, host_organisation_id, share_percent, valid_from, valid_to,
                legal_basis, status, created_at, updated_at)
             SELECT programme_id, owner_organisation_id, expert_id, host_organisation_id, {share}, '{from}', '{to}', legal_basis, '{status}',
                created_at, updated_at FROM postings WHERE share_percent = 60 AND valid_from = '2026-04-01'"));
        // The sum is over in the middle of the new row only.
        assert_eq!(copy(1, "2026-04-01", "2027-04-01", "active").unwrap_err().code, ErrorCode::PostingShareExceeded);
        copy(40, "2026-04-01", "2026-10-01", "active").unwrap();
        copy(100, "2026-04-01", "2027-04-01", "cancelled").unwrap();
        for change in ["UPDATE postings SET status = 'active' WHERE share_percent = 100", "UPDATE postings SET share_percent = 61 WHERE share_percent = 60",
            "UPDATE postings SET valid_to = '2026-10-02' WHERE share_percent = 40 AND valid_from = '2026-04-01'"] {
            assert_eq!(sql(app, change).unwrap_err().code, ErrorCode::PostingShareExceeded, "{change}");
        }
    }
}

on_both! {
    fn a_host_has_no_more_people_than_places(app) {
        let world = World::new(app);
        let programme = programme(&world);
        let experts: Vec<i64> = (0..3).map(|n| flow::expert(&world, &format!("見本 {n}"), &format!("expert{n}@example.jp"))).collect();
        let place = |expert: usize, share: i32, from: &str, to: &str| {
            world.coordinator.post("/postings", &body(programme, experts[expert], world.hamamatsu, share, from, to))
        };
        place(0, 50, "2026-04-01", "2027-04-01").ok(201);
        // The same person twice takes one place.
        place(0, 50, "2026-06-01", "2027-04-01").ok(201);
        place(1, 100, "2026-04-01", "2026-10-01").ok(201);
        let third = place(2, 100, "2026-09-30", "2027-04-01");
        assert_eq!((third.problem(409).as_str(), third.wrong()), ("posting_places_exceeded", vec!["/host_organisation_id places_per_host".to_owned()]));
        place(2, 100, "2026-10-01", "2027-04-01").ok(201);
        let on = |day: &str| world.coordinator.get(&format!("/postings?programme_id={programme}&on={day}")).ok(200)["counts"].clone();
        assert_eq!(on("2026-09-30"), json!({"on": "2026-09-30", "postings": 3, "hosts": 1, "experts": 2}));
        assert_eq!(on("2027-04-01"), json!({"on": "2027-04-01", "postings": 0, "hosts": 0, "experts": 0}));
    }
}

on_both! {
    fn of_many_racing_for_the_rest_of_a_person_one_wins(app) {
        let world = World::new(app);
        let programme = programme(&world);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let hosts = [world.hamamatsu, world.kosai, world.fukuroi];
        let answers = race(16, |n| {
            let body = body(programme, expert, hosts[n % 3], 60, "2026-04-01", "2027-04-01");
            world.coordinator.clone().post("/postings", &body)
        });
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(answer.problem(409), "posting_share_exceeded");
        }
        assert_eq!(number(app, "SELECT SUM(share_percent) FROM postings"), 60);
    }
}

on_both! {
    fn people_and_hosts_belong_to_the_pool_throughout(app) {
        let world = World::new(app);
        let programme = programme(&world);
        let mut limited = flow::expert_body(world.pool, "期限 花子", "limited@example.jp");
        limited["appointed_to"] = json!("2027-04-01");
        let limited = flow::id(&world.coordinator.post("/experts", &limited), 201);
        let place = |host: i64, from: &str, to: &str| world.coordinator.post("/postings", &body(programme, limited, host, 50, from, to));
        assert_eq!(place(world.outsider, "2026-04-01", "2027-04-01").wrong(), ["/host_organisation_id not_a_member"]);
        assert_eq!(place(world.hamamatsu, "2026-04-01", "2027-04-02").wrong(), ["/valid_to outside_appointment"]);
        let other = world.coordinator.post("/postings", &body(world.programme, limited, world.hamamatsu, 50, "2026-04-01", "2027-04-01"));
        assert_eq!((other.problem(422).as_str(), other.wrong()), ("rule_refused", vec!["/programme_id postings".to_owned()]));
        let posting = format!("/postings/{}", flow::id(&place(world.hamamatsu, "2026-04-01", "2027-04-01"), 201));
        assert_eq!(world.hamamatsu_staff.get(&posting).ok(200)["share_percent"], 50);
        for client in [&world.kosai_staff, &world.outsider_staff, &world.stranger] {
            assert_eq!(client.get(&posting).problem(404), "not_found");
        }
        assert_eq!(world.hamamatsu_staff.verb(&posting, "cancel", &json!({"reason": "x"})).problem(403), "forbidden");
    }
}
