//! What the process remembers of experts is what the database holds: after each change that bears on matching, whoever made it,
//! the answer is that of one who reads everything anew, and that of the plain ranking.

use std::sync::mpsc::channel;

use serde_json::{Value, json};
use tasuki::db::dialect;
use tasuki::experts::candidates::{Memory, PoolFacts};
use tasuki::ids::{PoolId, RequestId};
use tasuki::matching::{self, ExclusionCode};
use tasuki::requests::{service, store};

use crate::on_both;
use crate::support::flow::{self, visit_on};
use crate::support::server::TestApp;
use crate::support::tools::sql;
use crate::support::world::World;

/// Counted over everybody; all other reasons over those who meet these.
const FIRST: [ExclusionCode; 4] =
    [ExclusionCode::NotRegistered, ExclusionCode::Suspended, ExclusionCode::ModeNotOffered, ExclusionCode::SkillsMissing];

/// Holds what is remembered against what is read anew, for some requests; how many can take each.
#[track_caller]
fn same(app: &TestApp, world: &World, requests: &[i64], after: &str) -> Vec<usize> {
    let (pool, today) = (PoolId(world.pool), app.app.clock.now().jst_day());
    app.app
        .db
        .read_blocking(|conn| {
            let mut eligible = Vec::new();
            for request in requests {
                let row = store::find(conn, RequestId(*request))?.unwrap();
                let need = service::need_of(conn, &row)?;
                let remembered = app.app.experts.choose(conn, pool, &need, today, 100)?;
                let anew = Memory::default().choose(conn, pool, &need, today, 100)?;
                assert_eq!(remembered.ranking, anew.ranking, "after {after}");
                assert_eq!((remembered.total, &remembered.counts), (anew.total, &anew.counts), "after {after}");
                let ids = app.app.experts.eligible(conn, pool, &need, today)?;
                assert_eq!(ids.len(), remembered.ranking.eligible_count);
                let plain =
                    matching::rank(&need, PoolFacts::load(conn, pool, std::slice::from_ref(&need), None)?.for_need(&need));
                assert_eq!(plain.candidates, remembered.ranking.candidates, "after {after}");
                assert_eq!(plain.candidates.len() + plain.excluded.len(), remembered.total, "after {after}");
                let beyond = plain.excluded.iter().filter(|(_, reasons)| !FIRST.iter().any(|code| reasons.contains(*code)));
                let beyond: Vec<_> = beyond.copied().collect();
                assert_eq!(beyond, remembered.ranking.excluded, "after {after}");
                for (code, count) in remembered.counts {
                    assert_eq!(
                        plain.excluded.iter().filter(|(_, reasons)| reasons.contains(code)).count(),
                        count,
                        "{code:?} after {after}"
                    );
                }
                eligible.push(remembered.ranking.eligible_count);
            }
            Ok(eligible)
        })
        .unwrap()
}

fn request(world: &World, changes: &Value) -> i64 {
    let mut body = flow::request_body(world);
    changes.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
    let request = flow::id(&world.hamamatsu_staff.post("/requests", &body), 201);
    world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
    world.coordinator.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
    request
}

on_both! {
    fn every_change_that_bears_on_matching_is_seen(app) {
        let world = World::new(app);
        let office = &world.coordinator;
        let items: Vec<i64> = office.get("/skill-frameworks").ok(200)["items"][0]["items"].as_array().unwrap().iter()
            .take(2).map(|item| item["id"].as_i64().unwrap()).collect();
        let experts: Vec<i64> = (0..5).map(|n| flow::expert(&world, &format!("専門家{n}"), &format!("e{n}@example.jp"))).collect();
        let skilled = |expert: i64, item: i64, level: i64| {
            let skills = json!({"skills": [{"skill_item_id": item, "level": level, "verified": true}]});
            office.put_at(&format!("/experts/{expert}"), "skills", &skills).ok(200);
        };
        experts.iter().for_each(|expert| skilled(*expert, items[0], 2));
        let asks = json!([{"skill_item_id": items[0], "min_level": 2, "must": true}]);
        let wishes = |days: &[&str]| -> Value { days.iter().map(|day| json!({"day": day, "start_minute": 600, "end_minute": 840})).collect() };
        let requests = [
            request(&world, &json!({"required_skills": asks, "wished_dates": wishes(&["2026-05-11", "2026-05-18"])})),
            request(&world, &json!({"mode": "online", "theme": "電子申請"})),
            request(&world, &json!({"required_skills": asks, "theme": "研修", "preferred_expert_ids": [experts[4]]})),
            // Beyond the years that are remembered.
            request(&world, &json!({"theme": "将来の計画", "visit_count": 1})),
        ];
        sql(app, &format!("UPDATE requests SET period_from = '2031-05-01', period_to = '2031-05-31' WHERE id = {}", requests[3])).unwrap();
        let same = |after: &str| same(app, &world, &requests, after);
        assert_eq!(same("the beginning")[..3], [5, 5, 5]);
        let path = |n: usize| format!("/experts/{}", experts[n]);

        skilled(experts[0], items[0], 1);
        assert_eq!(same("another level")[..3], [4, 5, 4]);
        skilled(experts[0], items[1], 3);
        same("another skill");
        skilled(experts[0], items[0], 4);
        assert_eq!(same("a skill again")[..3], [5, 5, 5]);
        let new = flow::expert(&world, "新しい 専門家", "new@example.jp");
        same("somebody new");
        skilled(new, items[0], 5);
        assert_eq!(same("somebody new with the skill")[..3], [6, 6, 6]);
        office.patch(&path(0), &json!({"onsite": false})).ok(200);
        same("another kind of work");
        office.patch(&path(0), &json!({"onsite": true, "capacity_minutes_month": 60})).ok(200);
        same("a limit");
        office.patch(&path(1), &json!({"area_ids": [world.kosai]})).ok(200);
        assert_eq!(same("an area")[0], 4);
        let away = |from: &str, to: &str, kind: &str| json!({"weekly": [{"weekday": 1, "start_minute": 540, "end_minute": 1020}],
            "exceptions": [{"kind": kind, "first_day": from, "last_day": to}]});
        office.put_at(&path(2), "availability", &away("2026-05-01", "2026-05-31", "leave")).ok(200);
        assert_eq!(same("leave")[0], 3);
        office.put_at(&path(2), "availability", &away("2026-05-11", "2026-05-11", "unavailable")).ok(200);
        assert_eq!(same("a day away")[0], 4);
        let conflict = json!({"items": [{"organisation_id": world.hamamatsu, "reason": "x", "valid_from": "2026-04-01", "kind": "interest"}]});
        office.put_at(&path(3), "conflicts", &conflict).ok(200);
        assert_eq!(same("a conflict")[0], 3);
        office.put_at(&path(3), "conflicts", &json!({"items": []})).ok(200);
        same("no conflict any more");
        office.verb(&path(3), "suspend", &json!({"reason": "x"})).ok(200);
        same("a suspension");
        office.verb(&path(3), "resume", &json!({"reason": "x"})).ok(200);
        office.verb(&path(4), "retire", &json!({"reason": "x"})).ok(200);
        same("a retirement of one who was wished for");

        // Work: asked, accepted, decided, done.
        let work = flow::accepted(&world);
        let offer = flow::offer(&world, work, new, &[visit_on("2026-05-11"), visit_on("2026-05-18")]);
        same("an offer");
        flow::accept_offer(&world, offer).ok(200);
        same("time held");
        let dispatch = flow::decide(&world, work, offer);
        same("a decision");
        app.set_time("2026-05-12T09:00:00+09:00");
        let visits = flow::visits_of(office, dispatch);
        flow::record(&world.hamamatsu_staff, visits[0], 200).ok(200);
        same("a visit done");
        office.verb(&format!("/visits/{}", visits[1]), "cancel", &json!({"party": "applicant", "reason": "x"})).ok(200);
        same("a visit called off");
        let other = flow::accepted(&world);
        let declined = flow::offer(&world, other, experts[3], &[visit_on("2026-05-25"), visit_on("2026-05-26")]);
        office.verb(&format!("/offers/{declined}"), "decline", &json!({"reason_code": "schedule"})).ok(200);
        same("a refusal");

        // By hand, past the program.
        sql(app, &format!("INSERT INTO visit_participants (visit_id, organisation_id) VALUES ({}, {})", visits[0], world.kosai)).unwrap();
        same("another body at a visit");
        sql(app, &format!("UPDATE visit_participants SET organisation_id = {} WHERE organisation_id = {}", world.fukuroi, world.kosai)).unwrap();
        same("again another");
        sql(app, &format!("INSERT INTO request_skills (request_id, skill_item_id, min_level, must) VALUES ({work}, {}, 1, TRUE)", items[0])).unwrap();
        same("another skill of work that was done");
        sql(app, &format!("DELETE FROM request_skills WHERE request_id = {work}")).unwrap();
        same("one skill less of work that was done");
        office.patch(&path(0), &json!({"base_organisation_id": world.kosai})).ok(200);
        same("another base");
        sql(app, &format!("UPDATE organisations SET latitude_e6 = 43000000, longitude_e6 = 141000000 WHERE id = {}", world.kosai)).unwrap();
        same("an office that moved");
        // The worker forgets changes, of which nobody here has looked at the last ones.
        skilled(experts[1], items[0], 5);
        let forget = |kept: i64| app.app.db.write_blocking(|conn| Ok(dialect::forget_expert_changes(conn, kept)?)).unwrap();
        forget(0);
        same("changes that were forgotten before anybody looked");
        skilled(experts[1], items[0], 4);
        forget(1_000);
        same("changes of which none had to be forgotten");
        // As after a restore into a cluster whose transactions are counted from the beginning.
        if app.app.db.read_blocking(|conn| Ok(dialect::name(conn) == "postgresql")).unwrap() {
            sql(app, "UPDATE expert_changes SET xid = 4000000000000000").unwrap();
            sql(app, "UPDATE expert_changes_forgotten SET upto = 3000000000000000").unwrap();
        }
        same("a restore");
        skilled(experts[1], items[0], 3);
        same("a change after it");
        forget(1);
        skilled(experts[2], items[0], 5);
        forget(0);
        same("forgetting after it");
        app.set_time("2027-04-02T09:00:00+09:00");
        same("another fiscal year");
    }
}

on_both! {
    fn what_is_committed_late_is_seen_late_and_not_missed(app) {
        let world = World::new(app);
        let early = flow::expert(&world, "先 専門家", "early@example.jp");
        let late = flow::expert(&world, "後 専門家", "late@example.jp");
        let request = [request(&world, &json!({"theme": "電子申請"}))];
        assert_eq!(same(app, &world, &request, "the beginning"), [2]);
        let suspend = |expert: i64| format!("UPDATE experts SET status = 'suspended' WHERE id = {expert}");
        let (written, is_written) = channel();
        let (go, may_go) = channel::<()>();
        std::thread::scope(|scope| {
            // Changed first, committed last.
            let (app, slow) = (&app, suspend(early));
            scope.spawn(move || {
                app.app
                    .db
                    .write_blocking(|conn| {
                        use diesel::connection::SimpleConnection as _;
                        conn.batch_execute(&slow)?;
                        written.send(()).unwrap();
                        may_go.recv().unwrap();
                        Ok(())
                    })
                    .unwrap();
            });
            is_written.recv().unwrap();
            assert_eq!(same(app, &world, &request, "a change that is not committed"), [2]);
            // SQLite has one writer at a time.
            let postgres = app.app.db.read_blocking(|conn| Ok(tasuki::db::dialect::name(conn) == "postgresql")).unwrap();
            if postgres {
                sql(app, &suspend(late)).unwrap();
                assert_eq!(same(app, &world, &request, "a change that came later and was committed first"), [1]);
                assert_eq!(same(app, &world, &request, "nothing more"), [1]);
            }
            go.send(()).unwrap();
        });
        sql(app, &suspend(late)).unwrap();
        assert_eq!(same(app, &world, &request, "everything"), [0]);
    }
}
