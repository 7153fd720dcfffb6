//! Decisions and what may happen to them: numbers, amendment, replacement, cancellation.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tasuki::auth::policy::Role;

use crate::on_both;
use crate::support::flow::{self, visit_on};
use crate::support::tools::{number, race, race_verbs};
use crate::support::world::{World, member, preset};

/// An accepted request with an accepted offer on a day.
fn ready(world: &World, expert: i64, day: &str) -> (i64, i64) {
    let request = flow::accepted(world);
    let offer = flow::offer(world, request, expert, &[visit_on(day)]);
    flow::accept_offer(world, offer).ok(200);
    (request, offer)
}

fn expert(world: &World) -> i64 {
    flow::expert(world, "見本 太郎", "expert@example.jp")
}

fn dispatch(world: &World, id: i64) -> Value {
    world.coordinator.get(&format!("/dispatches/{id}")).ok(200)
}

/// State, day and expert of every visit of a dispatch.
fn visits(world: &World, id: i64) -> Vec<(String, String, i64)> {
    let mut visits: Vec<(String, String, i64)> = dispatch(world, id)["visits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|visit| {
            let text = |name: &str| visit[name].as_str().unwrap_or("-").to_owned();
            (text("day"), text("status"), visit["expert_id"].as_i64().unwrap())
        })
        .collect();
    visits.sort();
    visits
}

on_both! {
    fn racing_decisions_are_numbered_without_gaps_or_repeats(app) {
        let world = World::new(app);
        let expert = expert(&world);
        let ready: Vec<(i64, i64)> = (1..=16).map(|n| ready(&world, expert, &format!("2026-05-{n:02}"))).collect();
        // A decision that is refused uses no number.
        let (request, offer) = ready[0];
        let outside = json!({"offer_ids": [offer], "period_from": "2026-05-10"});
        let refused = world.coordinator.verb(&format!("/requests/{request}"), "decide", &outside);
        assert_eq!((refused.problem(422).as_str(), refused.wrong()), ("rule_refused", vec!["/period_to visit_outside_period".to_owned()]));
        let etags: Vec<String> = ready.iter().map(|(request, _)| world.coordinator.get(&format!("/requests/{request}")).etag()).collect();
        let answers = race(16, |n| {
            let (request, offer) = ready[n];
            let call = world.coordinator.call("POST", format!("/api/v1/requests/{request}/decide"));
            call.json(&json!({"offer_ids": [offer]})).header("If-Match", &etags[n]).send()
        });
        let numbers: BTreeSet<String> = answers.iter().map(|answer| answer.ok(201)["number"].as_str().unwrap().to_owned()).collect();
        let expected: BTreeSet<String> = (1..=16).map(|n| format!("R8-{n:04}")).collect();
        assert_eq!(numbers, expected);
    }
}

on_both! {
    fn one_request_is_decided_once(app) {
        let world = World::new(app);
        let (request, offer) = ready(&world, expert(&world), "2026-05-11");
        let path = format!("/requests/{request}");
        let answers = race_verbs(&world.coordinator, &vec![path.clone(); 12], "decide", &json!({"offer_ids": [offer]}));
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert!(matches!(answer.status, 409 | 412), "{}", answer.text());
        }
        assert_eq!(number(app, "SELECT MAX(last_number) FROM document_numbers"), 1);
        assert_eq!(world.coordinator.verb(&path, "decide", &json!({"offer_ids": [offer]})).problem(409), "invalid_transition");
    }
}

on_both! {
    fn numbers_begin_anew_each_year_and_a_consultation_has_none(app) {
        let world = World::new(app);
        let expert = expert(&world);
        let decided = |changes: Value, day: &str| {
            let mut body = flow::request_body(&world);
            body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            let request = flow::id(&world.hamamatsu_staff.post("/requests", &body), 201);
            let path = format!("/requests/{request}");
            world.hamamatsu_staff.verb(&path, "submit", &json!({})).ok(200);
            world.coordinator.verb(&path, "accept", &json!({})).ok(200);
            let offer = flow::offer(&world, request, expert, &[visit_on(day)]);
            flow::accept_offer(&world, offer).ok(200);
            dispatch(&world, flow::decide(&world, request, offer))
        };
        assert_eq!(decided(json!({}), "2026-05-11")["number"], "R8-0001");
        assert_eq!(decided(json!({"activity_kind": "consultation"}), "2026-05-12").get("number"), None);
        let next = decided(json!({"period_from": "2027-04-01", "period_to": "2027-04-30"}), "2027-04-05");
        assert_eq!((&next["number"], &next["fiscal_year"]), (&json!("R9-0001"), &json!(2027)));
        assert_eq!(decided(json!({}), "2026-05-13")["number"], "R8-0002");
    }
}

on_both! {
    fn where_the_rules_want_it_another_person_decides(app) {
        let world = World::new(app);
        let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
        rules["decider_differs_from_proposer"] = json!(true);
        let year = format!("/programmes/{}/years/2026", world.programme);
        world.coordinator.put(&year, &json!({"rules": rules})).ok(200);
        let (request, offer) = ready(&world, expert(&world), "2026-05-11");
        let path = format!("/requests/{request}");
        let own = world.coordinator.verb(&path, "decide", &json!({"offer_ids": [offer]}));
        assert_eq!((own.problem(422).as_str(), own.wrong()), ("rule_refused", vec!["/offer_ids decider_differs_from_proposer".to_owned()]));
        let chief = member(app, "chief@pref.example.jp", "静岡 課長", world.prefecture, Role::PrefecturalCoordinator);
        let dispatch = flow::id(&chief.verb(&path, "decide", &json!({"offer_ids": [offer]})), 201);
        // Another expert in the place of one is a decision too.
        let second = flow::expert(&world, "見本 次郎", "second@example.jp");
        let offer = flow::offer(&world, request, second, &[visit_on("2026-05-12")]);
        flow::accept_offer(&world, offer).ok(200);
        let from = world.coordinator.get(&format!("/dispatches/{dispatch}")).ok(200)["experts"][0]["expert_id"].clone();
        let body = json!({"from_expert_id": from, "offer_id": offer, "reason": "体調不良のため"});
        let own = world.coordinator.verb(&format!("/dispatches/{dispatch}"), "replace-expert", &body);
        assert_eq!((own.problem(422).as_str(), own.wrong()), ("rule_refused", vec!["/offer_id decider_differs_from_proposer".to_owned()]));
        chief.verb(&format!("/dispatches/{dispatch}"), "replace-expert", &body).ok(200);
    }
}

on_both! {
    fn a_decision_needs_an_acceptance_and_a_period_of_one_year(app) {
        let world = World::new(app);
        let expert = expert(&world);
        let request = flow::accepted(&world);
        let path = format!("/requests/{request}");
        let offer = flow::offer(&world, request, expert, &[visit_on("2026-05-11")]);
        let early = world.coordinator.verb(&path, "decide", &json!({"offer_ids": [offer]}));
        assert_eq!(early.problem(409), "invalid_transition");
        assert!(!early.json()["allowed"].as_array().unwrap().contains(&json!("decide")), "{}", early.text());
        flow::accept_offer(&world, offer).ok(200);
        let wrong = |body: Value| {
            let answer = world.coordinator.verb(&path, "decide", &body);
            assert_eq!(answer.problem(422), "validation_failed");
            answer.wrong()
        };
        assert_eq!(wrong(json!({"offer_ids": []})), ["/offer_ids required"]);
        assert_eq!(wrong(json!({"offer_ids": [offer, offer]})), ["/offer_ids/1 duplicate"]);
        assert_eq!(wrong(json!({"offer_ids": [999_999]})), ["/offer_ids/0 not_accepted"]);
        assert_eq!(wrong(json!({"offer_ids": [offer], "period_to": "2026-04-30"})), ["/period_to before_start"]);
        assert_eq!(wrong(json!({"offer_ids": [offer], "period_to": "2027-04-01"})), ["/period_to period_crosses_fiscal_year"]);
        assert_eq!(wrong(json!({"offer_ids": [offer], "decided_on": "2026-04-07"})), ["/decided_on in_the_future"]);
        assert_eq!(wrong(json!({"offer_ids": [offer], "document_number": "第1号\r\nBcc: x"})), ["/document_number control_character"]);
        // The expert's leave that was entered meanwhile is looked at once more.
        let leave = json!({"weekly": [], "exceptions": [{"kind": "leave", "first_day": "2026-05-11", "last_day": "2026-05-11"}]});
        world.coordinator.put_at(&format!("/experts/{expert}"), "availability", &leave).ok(200);
        let on_leave = world.coordinator.verb(&path, "decide", &json!({"offer_ids": [offer]}));
        assert_eq!((on_leave.problem(422).as_str(), on_leave.wrong()), ("rule_refused", vec!["/offer_ids on_leave".to_owned()]));
        assert_eq!(number(app, "SELECT COUNT(*) FROM dispatches"), 0);
    }
}

on_both! {
    fn an_amendment_is_all_or_nothing_and_keeps_the_number(app) {
        let world = World::new(app);
        let expert = expert(&world);
        let d = flow::dispatched(&world, expert);
        let other = ready(&world, expert, "2026-05-25");
        let path = format!("/dispatches/{}", d.dispatch);
        let amend = |body: Value| world.coordinator.verb(&path, "amend", &body);
        let moved = |visit: i64, day: &str| json!({"visit_id": visit, "visit": visit_on(day)});
        assert_eq!(amend(json!({"reason": "x"})).wrong(), ["/ nothing_to_change"]);
        assert_eq!(amend(json!({"reason": " ", "drop": [d.visits[0], d.visits[0]]})).wrong(), ["/reason required", "/drop/1 duplicate"]);
        assert_eq!(amend(json!({"reason": "x", "move": [moved(d.visits[0], "2026-06-01")]})).wrong(), ["/move/0/visit/day outside_period"]);
        assert_eq!(amend(json!({"reason": "x", "period_to": "2026-05-17"})).wrong(), ["/period_to visit_outside_period"]);
        assert_eq!(amend(json!({"reason": "x", "add": [{"expert_id": 999_999, "visit": visit_on("2026-05-20")}]})).wrong(), ["/add/0/expert_id not_in_dispatch"]);
        // The second visit would fall on one held for another request: neither moves.
        let overlap = amend(json!({"reason": "x", "move": [moved(d.visits[0], "2026-05-20"), moved(d.visits[1], "2026-05-25")]}));
        assert_eq!(overlap.problem(409), "visit_overlap");
        assert_eq!(visits(&world, d.dispatch), [("2026-05-11".into(), "planned".into(), expert), ("2026-05-18".into(), "planned".into(), expert)]);
        // Two visits change places, a third is added, the period grows.
        amend(json!({
            "reason": "議会日程のため", "document_number": "電戦第145号", "period_to": "2026-06-30",
            "move": [moved(d.visits[0], "2026-05-18"), moved(d.visits[1], "2026-05-11")], "add": [{"expert_id": expert, "visit": visit_on("2026-06-15")}]
        })).ok(200);
        let after = dispatch(&world, d.dispatch);
        assert_eq!((&after["number"], &after["period_to"]), (&json!("R8-0001"), &json!("2026-06-30")));
        assert_eq!((&after["amendments"][0]["number"], &after["amendments"][0]["kind"], &after["amendments"][0]["document_number"]),
            (&json!(1), &json!("change"), &json!("電戦第145号")));
        assert_eq!(after["report"]["due_on"], "2026-06-22", "seven days after what is now the last visit");
        assert_eq!(number(app, &format!("SELECT COUNT(*) FROM visits WHERE id = {} AND day = '2026-05-18'", d.visits[0])), 1);
        assert!(app.mails_to("expert@example.jp").last().unwrap().mail.text.contains("議会日程のため"));
        amend(json!({"reason": "中止", "drop": [d.visits[1]]})).ok(200);
        assert_eq!(visits(&world, d.dispatch).iter().filter(|visit| visit.1 == "planned").count(), 2);
        assert!(flow::decide(&world, other.0, other.1) > d.dispatch);
    }
}

on_both! {
    fn an_amendment_keeps_to_the_limits_of_the_decision(app) {
        let world = World::new(app);
        let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
        rules["limits"] = json!([{"kind": "visits", "max": 2}]);
        let year = format!("/programmes/{}/years/2026", world.programme);
        world.coordinator.put(&year, &json!({"rules": rules})).ok(200);
        let expert = expert(&world);
        let d = flow::dispatched(&world, expert);
        let amend = |body: Value| world.coordinator.verb(&format!("/dispatches/{}", d.dispatch), "amend", &body);
        let more = json!({"expert_id": expert, "visit": visit_on("2026-05-25")});
        let answer = amend(json!({"reason": "追加", "add": [more.clone()]}));
        assert_eq!((answer.problem(422).as_str(), answer.wrong()), ("rule_refused", vec!["/visit_count visits".to_owned()]));
        amend(json!({"reason": "差替え", "add": [more], "drop": [d.visits[0]]})).ok(200);
    }
}

on_both! {
    fn a_replacement_keeps_to_once_a_year_for_the_same_theme_and_expert(app) {
        let world = World::new(app);
        let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
        rules["limits"] = json!([{"kind": "same_theme_and_expert", "max_per_year": 1}]);
        let year = format!("/programmes/{}/years/2026", world.programme);
        world.coordinator.put(&year, &json!({"rules": rules})).ok(200);
        let (first, second, third) = (
            expert(&world),
            flow::expert(&world, "見本 次郎", "second@example.jp"),
            flow::expert(&world, "見本 三郎", "third@example.jp"),
        );
        flow::dispatched_on(&world, second, &["2026-05-11"]);
        let d = flow::dispatched_on(&world, first, &["2026-05-18"]);
        let replace = |to: i64, day: &str| {
            let offer = flow::offer(&world, d.request, to, &[visit_on(day)]);
            flow::accept_offer(&world, offer).ok(200);
            let body = json!({"from_expert_id": first, "offer_id": offer, "reason": "体調不良のため"});
            world.coordinator.verb(&format!("/dispatches/{}", d.dispatch), "replace-expert", &body)
        };
        let refused = replace(second, "2026-05-19");
        assert_eq!((refused.problem(422).as_str(), refused.wrong()), ("rule_refused", vec!["/offer_id same_theme_and_expert".to_owned()]));
        replace(third, "2026-05-20").ok(200);
    }
}

on_both! {
    fn another_expert_takes_over_under_the_same_number(app) {
        let world = World::new(app);
        let first = expert(&world);
        let second = flow::expert(&world, "見本 次郎", "second@example.jp");
        let d = flow::dispatched_on(&world, first, &["2026-05-11", "2026-05-18", "2026-05-25"]);
        app.set_time("2026-05-12T09:00:00+09:00");
        flow::record(&world.hamamatsu_staff, d.visits[0], 240).ok(200);
        // The second expert is asked for another day; the last visit goes over as it stands.
        let offer = flow::offer(&world, d.request, second, &[visit_on("2026-05-19")]);
        let path = format!("/dispatches/{}", d.dispatch);
        let replace = |from: i64| world.coordinator.verb(&path, "replace-expert", &json!({"from_expert_id": from, "offer_id": offer, "reason": "体調不良のため"}));
        assert_eq!(replace(first).wrong(), ["/offer_id not_accepted"]);
        flow::accept_offer(&world, offer).ok(200);
        assert_eq!(replace(second).wrong(), ["/from_expert_id not_in_dispatch"]);
        let after = replace(first).ok(200);
        assert_eq!(after["number"], "R8-0001");
        let state = |day: &str, state: &str, expert: i64| (day.to_owned(), state.to_owned(), expert);
        assert_eq!(visits(&world, d.dispatch), [
            state("2026-05-11", "done", first), state("2026-05-18", "rescheduled", first), state("2026-05-19", "planned", second),
            state("2026-05-25", "planned", second),
        ]);
        assert_eq!((&after["experts"][0]["expert_id"], &after["experts"][1]["replaced_by_id"]), (&json!(second), &json!(second)));
        // Who went is free again; who goes is told everything, who went is told too.
        flow::accept_offer(&world, ready_offer(&world, first, "2026-05-25")).ok(200);
        assert!(app.mails_to("second@example.jp").last().unwrap().mail.text.contains("R8-0001"));
        assert!(app.mails_to("expert@example.jp").iter().any(|sent| sent.mail.text.contains("見本 次郎")));
    }
}

on_both! {
    fn who_takes_over_goes_within_the_decided_period(app) {
        let world = World::new(app);
        let first = expert(&world);
        let second = flow::expert(&world, "見本 次郎", "second@example.jp");
        let d = flow::dispatched(&world, first);
        let offer = flow::offer(&world, d.request, second, &[visit_on("2026-06-02")]);
        flow::accept_offer(&world, offer).ok(200);
        let body = json!({"from_expert_id": first, "offer_id": offer, "reason": "体調不良のため"});
        let refused = world.coordinator.verb(&format!("/dispatches/{}", d.dispatch), "replace-expert", &body);
        assert_eq!((refused.problem(422).as_str(), refused.wrong()), ("rule_refused", vec!["/offer_id visit_outside_period".to_owned()]));
        assert_eq!(visits(&world, d.dispatch).iter().filter(|visit| visit.2 == second).count(), 0);
    }
}

on_both! {
    fn a_substitute_is_asked_at_once_and_the_next_after_a_refusal(app) {
        let world = World::new(app);
        let first = expert(&world);
        let d = flow::dispatched(&world, first);
        let ask = |name: &str, email: &str| {
            let expert = flow::expert(&world, name, email);
            let body = json!({"expert_id": expert, "visits": [visit_on("2026-05-12")], "queue": true});
            world.coordinator.post(&format!("/requests/{}/offers", d.request), &body).ok(201)
        };
        // The one who is decided already keeps nobody waiting.
        let second = ask("見本 次郎", "second@example.jp");
        assert_eq!(second["status"], "sent");
        let third = ask("見本 三郎", "third@example.jp");
        assert_eq!(third["status"], "queued");
        world.coordinator.verb(&format!("/offers/{}", second["id"]), "decline", &json!({"reason_code": "schedule"})).ok(200);
        assert_eq!(world.coordinator.get(&format!("/offers/{}", third["id"])).ok(200)["status"], "sent");
    }
}

/// A sent offer for another request.
fn ready_offer(world: &World, expert: i64, day: &str) -> i64 {
    flow::offer(world, flow::accepted(world), expert, &[visit_on(day)])
}

on_both! {
    fn cancelling_keeps_what_was_done_and_tells_everybody(app) {
        let world = World::new(app);
        let expert = expert(&world);
        let d = flow::dispatched(&world, expert);
        app.set_time("2026-05-12T09:00:00+09:00");
        flow::record(&world.hamamatsu_staff, d.visits[0], 240).ok(200);
        let path = format!("/dispatches/{}", d.dispatch);
        let body = json!({"party": "applicant", "reason_code": "plans_changed", "reason": "庁内の計画変更のため"});
        assert_eq!(world.hamamatsu_staff.verb(&path, "cancel", &body).problem(403), "forbidden");
        let after = world.coordinator.verb(&path, "cancel", &body).ok(200);
        assert_eq!((&after["status"], &after["cancellation"]["party"], &after["cancellation"]["notice_days"]),
            (&json!("cancelled"), &json!("applicant"), &json!(6)));
        assert_eq!(visits(&world, d.dispatch).iter().map(|visit| visit.1.as_str()).collect::<Vec<_>>(), ["done", "cancelled"]);
        assert_eq!(world.coordinator.get(&format!("/requests/{}", d.request)).ok(200)["status"], "cancelled");
        let table = format!("/statistics/dispatches?programme_id={}&from_fiscal_year=2026&to_fiscal_year=2026", world.programme);
        assert_eq!(world.coordinator.get(&table).ok(200)["years"][0]["visits"], 1);
        assert_eq!(world.coordinator.get(&format!("{path}/costs")).ok(200)["totals"]["amount_yen"], 20_000);
        for address in ["expert@example.jp", "staff@hamamatsu.example.jp"] {
            assert!(app.mails_to(address).last().unwrap().mail.text.contains("庁内の計画変更のため"), "{address}");
        }
        let over = flow::dispatched_on(&world, expert, &["2026-05-13"]);
        app.set_time("2026-05-14T09:00:00+09:00");
        flow::record(&world.hamamatsu_staff, over.visits[0], 240).ok(200);
        assert_eq!(world.coordinator.verb(&format!("/dispatches/{}", over.dispatch), "cancel", &body).problem(409), "invalid_transition");
        let again = world.coordinator.verb(&path, "cancel", &body);
        assert_eq!((again.problem(409).as_str(), &again.json()["allowed"]), ("invalid_transition", &json!([])));
        assert_eq!(flow::record(&world.hamamatsu_staff, d.visits[1], 240).problem(409), "invalid_transition");
        // The expert is free on that day again, and no contact data is shown any more.
        flow::accept_offer(&world, ready_offer(&world, expert, "2026-05-18")).ok(200);
        assert_eq!(world.hamamatsu_staff.get(&path).ok(200)["experts"][0].get("email"), None);
    }
}

on_both! {
    fn contact_data_of_the_expert_appears_with_the_decision(app) {
        let world = World::new(app);
        let expert = expert(&world);
        let registration = format!("/experts/{expert}");
        assert!(!world.hamamatsu_staff.get(&registration).text().contains("expert@example.jp"));
        let d = flow::dispatched(&world, expert);
        let path = format!("/dispatches/{}", d.dispatch);
        assert_eq!(world.hamamatsu_staff.get(&path).ok(200)["experts"][0]["email"], "expert@example.jp");
        assert!(!world.kosai_staff.get(&registration).text().contains("expert@example.jp"), "a fellow member has no dispatch with the expert");
    }
}

on_both! {
    fn a_dispatch_names_the_one_that_carries_on(app) {
        let world = World::new(app);
        let expert = expert(&world);
        let (first, second) = (flow::dispatched(&world, expert), ready(&world, expert, "2026-05-25"));
        let second = flow::decide(&world, second.0, second.1);
        let path = |id: i64| format!("/dispatches/{id}");
        let name = |from: i64, to: i64| world.coordinator.patch(&path(from), &json!({"successor_id": to}));
        assert_eq!(name(first.dispatch, first.dispatch).wrong(), ["/successor_id not_a_successor"]);
        assert_eq!(name(first.dispatch, second).ok(200)["successor_id"], second);
        assert_eq!(name(second, first.dispatch).wrong(), ["/successor_id not_a_successor"], "no circle");
        // Named by mistake: null takes it back, absence leaves it.
        let patched = |body| world.coordinator.patch(&path(first.dispatch), &body).ok(200);
        assert_eq!(patched(json!({"document_number": "電戦第1号"}))["successor_id"], second);
        assert!(patched(json!({"successor_id": null})).get("successor_id").is_none());
        let number = world.coordinator.patch(&path(second), &json!({"document_number": "電戦第200号"})).ok(200);
        assert_eq!((&number["document_number"], &number["number"]), (&json!("電戦第200号"), &json!("R8-0002")));
    }
}
