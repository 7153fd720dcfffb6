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
    fn a_week_from_monday_to_sunday_is_full_to_the_minute(app) {
        let world = World::new(app);
        let expert = limited_expert(&world, &json!({"capacity_minutes_week": 300}));
        // 11 May is a Monday.
        let monday = offered(&world, expert, &[visit_on("2026-05-11")]);
        flow::accept_offer(&world, monday).ok(200);
        let sunday = |minutes| offered(&world, expert, &[visit_at("2026-05-17", 600, minutes, "online")]);
        let too_long = flow::accept_offer(&world, sunday(61));
        assert_eq!(over_capacity(&too_long), ["/visits capacity_minutes_week"]);
        assert!(too_long.text().contains("令和8年5月11日からの1週間の上限300分に対し301分"), "{}", too_long.text());
        flow::accept_offer(&world, sunday(60)).ok(200);
        let next = offered(&world, expert, &[visit_on("2026-05-18")]);
        flow::accept_offer(&world, next).ok(200);
        // A visit that is still to be arranged belongs to no week.
        let undated = json!({"minutes": 240, "mode": "online"});
        flow::accept_offer(&world, offered(&world, expert, &[undated.clone(), undated])).ok(200);
        // So is the last week of a fiscal year, of which 29 March 2027 is the Monday.
        let march = offered(&world, expert, &[visit_on("2027-03-29")]);
        flow::accept_offer(&world, march).ok(200);
        let march = offered(&world, expert, &[visit_at("2027-03-31", 600, 90, "online")]);
        assert_eq!(over_capacity(&flow::accept_offer(&world, march)), ["/visits capacity_minutes_week"]);
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
            (0..33).map(|n| format!("/offers/{}", offered(&world, expert, &[visit_at(&format!("2026-05-{:02}", n % 31 + 1), 480 + n / 31 * 480, 240, "online")]))).collect();
        // Room for two: one is taken, 32 want the other.
        world.coordinator.verb(&offers[0], "accept", &json!({})).ok(200);
        let answers = race_verbs(&world.coordinator, &offers[1..], "accept", &json!({}));
        assert_eq!((answers.len(), winners(&answers, &["capacity_exceeded"])), (32, 1));
        assert_eq!(number(app, "SELECT SUM(planned_minutes) FROM visits WHERE status = 'held'"), 480);
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

on_both! {
    fn the_search_finds_by_everything_it_offers(app) {
        let world = World::new(app);
        let register = |n: usize, change: &Value| {
            let mut body = flow::expert_body(world.pool, &format!("探索 {n}郎"), &format!("s{n}@example.jp"));
            body["kana"] = json!(["アオキ", "イトウ", "ウエノ", "エンドウ", "オオタ"][n]);
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            flow::id(&world.coordinator.post("/experts", &body), 201)
        };
        let ids = [
            register(0, &json!({"profile": "ｸﾗｳﾄﾞ移行とセキュリティ", "online": false})),
            register(1, &json!({"profile": "データ分析", "onsite": false})),
            register(2, &json!({"affiliation": "クラウド研究所", "capacity_minutes_month": 300})),
            register(3, &json!({"appointed_to": "2026-06-01"})),
            register(4, &json!({})),
        ];
        let items: Vec<i64> = world.coordinator.get("/skill-frameworks").ok(200)["items"].as_array().unwrap().iter()
            .flat_map(|framework| framework["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap())).take(3).collect();
        for (n, skills) in [(0, vec![(0, 3), (1, 1)]), (1, vec![(0, 1)]), (2, vec![(1, 3), (2, 2)]), (4, vec![(0, 2), (1, 2)])] {
            let skills: Vec<Value> = skills.iter().map(|(item, level)| json!({"skill_item_id": items[*item], "level": level})).collect();
            let path = format!("/experts/{}", ids[n]);
            world.coordinator.put_at(&path, "skills", &json!({"skills": skills})).ok(200);
        }
        let found = |query: &str| -> Vec<usize> {
            let page = world.coordinator.get(&format!("/experts?pool_id={}&total=true&{query}", world.pool)).ok(200);
            let list: Vec<usize> = page["items"].as_array().unwrap().iter()
                .filter_map(|row| ids.iter().position(|id| row["id"] == *id)).collect();
            assert_eq!(page["total"].as_u64(), Some(list.len() as u64), "{query}: the total counts what is listed");
            list
        };
        let (a, b, c) = (items[0], items[1], items[2]);
        assert_eq!(found("sort=kana"), [0, 1, 2, 3, 4]);
        assert_eq!(found("sort=-kana"), [4, 3, 2, 1, 0]);
        assert_eq!(found("sort=id"), [0, 1, 2, 3, 4]);
        assert_eq!(found(&format!("skills_all={a}")), [0, 1, 4]);
        assert_eq!(found(&format!("skills_all={a}:2")), [0, 4]);
        assert_eq!(found(&format!("skills_all={a}:2,{b}")), [0, 4]);
        assert_eq!(found(&format!("skills_all={a}:2,{b}:2")), [4]);
        assert_eq!(found(&format!("skills_all={b}&sort=-kana")), [4, 2, 0]);
        assert_eq!(found(&format!("skills_any={a}:3,{c}")), [0, 2]);
        assert_eq!(found(&format!("skills_all={b}&skills_any={a}:3,{c}:3")), [0]);
        // Kana, width and case do not matter; several words must all be found.
        assert_eq!(found("q=%E3%81%8F%E3%82%89%E3%81%86%E3%81%A9"), [0, 2], "くらうど");
        assert_eq!(found("q=%EF%BE%83%EF%BE%9E%EF%BD%B0%EF%BE%80"), [1], "ﾃﾞｰﾀ");
        assert_eq!(found("q=%E3%82%AF%E3%83%A9%E3%82%A6%E3%83%89+%E7%A0%94%E7%A9%B6"), [2], "クラウド 研究");
        assert_eq!(found("q=%25"), [0_usize; 0], "a sign of the pattern is searched as it is");
        assert_eq!(found("mode=online"), [1, 2, 3, 4]);
        assert_eq!(found("mode=onsite"), [0, 2, 3, 4]);
        assert_eq!(found("mode=hybrid"), [2, 3, 4]);
        assert_eq!(found("available_from=2026-05-11&available_to=2026-05-29"), [0, 1, 2, 3, 4]);
        assert_eq!(found("available_from=2026-05-25&available_to=2026-06-05"), [0, 1, 2, 4], "an appointment that ends");
        assert_eq!(found("min_remaining_minutes=240&month=2026-05"), [0, 1, 2, 3, 4]);
        let offer = offered(&world, ids[2], &[visit_at("2026-05-11", 600, 120, "online")]);
        flow::accept_offer(&world, offer).ok(200);
        assert_eq!(found("min_remaining_minutes=240&month=2026-05"), [0, 1, 3, 4], "what is held counts");
        assert_eq!(found("min_remaining_minutes=240&month=2026-06"), [0, 1, 2, 3, 4]);
        // 11 May is a Monday. Who works by arrangement is taken on a day with a visit; who has declared a week, only when
        // visits fill its hours.
        assert_eq!(found("available_from=2026-05-11&available_to=2026-05-11"), [0, 1, 3, 4], "a visit on the only day");
        assert_eq!(found("available_from=2026-05-11&available_to=2026-05-12"), [0, 1, 2, 3, 4]);
        let week = |start: i64, end: i64| {
            let body = json!({"weekly": [{"weekday": 1, "start_minute": start, "end_minute": end}], "exceptions": []});
            world.coordinator.put_at(&format!("/experts/{}", ids[2]), "availability", &body).ok(200);
        };
        week(600, 780);
        assert_eq!(found("available_from=2026-05-11&available_to=2026-05-12"), [0, 1, 2, 3, 4], "an hour is left on Monday");
        week(600, 720);
        assert_eq!(found("available_from=2026-05-11&available_to=2026-05-12"), [0, 1, 3, 4], "the Monday is full");
        assert_eq!(found("available_from=2026-05-11&available_to=2026-05-18"), [0, 1, 2, 3, 4], "the next one is not");
        // Page by page everybody is seen once, in the order of the list, also where a skill leads.
        for query in ["sort=kana".to_owned(), "sort=-kana".to_owned(), format!("skills_all={a}")] {
            let first = format!("/experts?pool_id={}&limit=2&{query}", world.pool);
            let (mut seen, mut path) = (Vec::new(), first.clone());
            loop {
                let page = world.coordinator.get(&path).ok(200);
                seen.extend(page["items"].as_array().unwrap().iter().filter_map(|row| ids.iter().position(|id| row["id"] == *id)));
                match page["next_cursor"].as_str() {
                    Some(next) => path = format!("{first}&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(seen, found(&query), "{query}");
        }
        // A new reading moves the expert in the list of those who hold the skill too.
        world.coordinator.patch(&format!("/experts/{}", ids[0]), &json!({"kana": "ワダ"})).ok(200);
        assert_eq!(found(&format!("skills_all={a}")), [1, 4, 0]);
    }
}
