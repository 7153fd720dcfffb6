//! Requests: what may be written, who sees it, what each state allows.

use serde_json::{Value, json};
use tasuki::auth::policy::Role;

use crate::on_both;
use crate::support::client::{Answer, Client};
use crate::support::flow;
use crate::support::server::TestApp;
use crate::support::tools::race;
use crate::support::world::{World, member};

/// The ordinary body with some members replaced.
fn body_with(world: &World, changes: &Value) -> Value {
    let mut body = flow::request_body(world);
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn reason() -> Value {
    json!({"reason_code": "other", "reason": "確認のため"})
}

/// A problem without what differs from answer to answer.
fn comparable(answer: &Answer) -> Value {
    let mut problem = answer.json();
    for name in ["request_id", "instance"] {
        problem.as_object_mut().unwrap().remove(name);
    }
    problem
}

on_both! {
    fn wrong_values_are_all_named_at_once_and_nothing_is_kept(app) {
        let world = World::new(app);
        let staff = &world.hamamatsu_staff;
        let wrong = staff.post("/requests", &body_with(&world, &json!({
            "period_from": "2026-06-30", "period_to": "2026-06-01", "minutes_per_visit": -60, "visit_count": 101, "audience_count": -1,
            "theme": "", "contact_email": "no address", "preferred_expert_ids": [999_999], "required_skills":
            [{"skill_item_id": 999_999, "min_level": 1, "must": true}], "participant_organisation_ids": [world.hamamatsu],
            "wished_dates": [{"day": "2026-07-01", "start_minute": 700, "end_minute": 600}, {"day": "2026-06-10", "start_minute": 600}]
        })));
        assert_eq!(wrong.problem(422), "validation_failed");
        let mut found = wrong.wrong();
        found.sort();
        assert_eq!(found, [
            "/audience_count out_of_range",
            "/contact_email not_an_address",
            "/minutes_per_visit out_of_range",
            "/participant_organisation_ids/0 is_lead",
            "/period_to before_start",
            "/preferred_expert_ids/0 unknown_reference",
            "/required_skills/0/skill_item_id unknown_reference",
            "/theme required",
            "/visit_count out_of_range",
            "/wished_dates/0/day outside_period",
            "/wished_dates/0/end_minute before_start",
            "/wished_dates/1/day outside_period",
            "/wished_dates/1/end_minute required",
        ]);
        for minutes in [0, 14, 1441, 2_000_000_000] {
            let answer = staff.post("/requests", &body_with(&world, &json!({"minutes_per_visit": minutes})));
            assert_eq!((answer.problem(422).as_str(), answer.wrong()), ("validation_failed", vec!["/minutes_per_visit out_of_range".to_owned()]));
        }
        for (minutes, status) in [(json!(3.5), 400), (json!("120"), 400), (json!(10_000_000_000_i64), 400)] {
            let answer = staff.post("/requests", &body_with(&world, &json!({"minutes_per_visit": minutes})));
            assert_eq!((answer.problem(status).as_str(), answer.wrong()), ("malformed_request", vec!["/minutes_per_visit malformed".to_owned()]));
        }
        assert_eq!(staff.post("/requests", &body_with(&world, &json!({"period_from": "2026-02-30"}))).wrong(), ["/period_from malformed"]);
        assert_eq!(staff.get("/requests").ok(200)["items"], json!([]));
    }
}

on_both! {
    fn a_draft_is_not_changed_into_something_wrong(app) {
        let world = World::new(app);
        let request = format!("/requests/{}", flow::draft(&world));
        let reversed = world.hamamatsu_staff.patch(&request, &json!({"period_to": "2026-04-30"}));
        assert_eq!(reversed.problem(422), "validation_failed");
        assert_eq!(reversed.wrong(), ["/period_to before_start"]);
        let view = world.hamamatsu_staff.patch(&request, &json!({"period_to": "2026-06-30", "visit_count": 3})).ok(200);
        assert_eq!((&view["period_to"], &view["visit_count"], &view["theme"]), (&json!("2026-06-30"), &json!(3), &json!("窓口業務の見直し")));
    }
}

on_both! {
    fn texts_are_kept_exactly_as_typed_or_refused_by_the_character(app) {
        let world = World::new(app);
        let staff = &world.hamamatsu_staff;
        // A supplementary ideograph, a variation sequence, two compatibility ideographs and a decomposed kana.
        let name = "髙𠮷 葛\u{E0100}\u{FA19}\u{F92A} が\u{3099}";
        let id = flow::id(&staff.post("/requests", &body_with(&world, &json!({"contact_name": name, "theme": name}))), 201);
        let view = staff.get(&format!("/requests/{id}")).ok(200);
        assert_eq!((view["contact_name"].as_str(), view["theme"].as_str()), (Some(name), Some(name)));
        // Found by any shape of the same characters.
        let found = staff.get("/requests?q=%E9%AB%99%F0%A0%AE%B7%E3%80%80%E8%91%9B%E7%A5%9E").ok(200);
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
        let refused = |text: &str| {
            let answer = staff.post("/requests", &body_with(&world, &json!({"contact_name": text})));
            assert_eq!(answer.problem(422), "validation_failed");
            (answer.wrong().remove(0), answer.json()["errors"][0]["detail"].as_str().unwrap().to_owned())
        };
        for text in ["浜松\r\nBcc: x@example.jp", "浜松\n太郎", "浜松\0", "浜松\u{2028}太郎"] {
            assert_eq!(refused(text).0, "/contact_name control_character", "{text:?}");
        }
        let (code, detail) = refused("浜松\u{E123}太郎");
        assert_eq!(code, "/contact_name private_use_character");
        assert!(detail.contains("U+E123"), "{detail}");
        assert_eq!(refused("浜松\u{202E}太郎").0, "/contact_name bidi_control");
    }
}

on_both! {
    fn a_text_of_a_megabyte_is_refused_wherever_it_stands(app) {
        let world = World::new(app);
        let huge = "あ".repeat(350_000);
        for member in ["theme", "background", "contact_name", "budget_note", "contact_email"] {
            let answer = world.hamamatsu_staff.post("/requests", &body_with(&world, &json!({ member: huge })));
            assert!(matches!(answer.status, 413 | 422), "{member}: {}", answer.text());
            assert!(answer.bytes.len() < 5_000, "the problem does not repeat the text");
        }
        assert_eq!(world.hamamatsu_staff.get("/requests").ok(200)["items"], json!([]));
        let question = format!("/requests?q={}", "a".repeat(10_000));
        assert_eq!(world.hamamatsu_staff.get(&question).problem(400), "unknown_parameter");
    }
}

on_both! {
    fn filters_of_the_list_know_their_values(app) {
        let world = World::new(app);
        flow::submitted(&world);
        let client = &world.coordinator;
        for (query, parameter) in [
            ("status=submitted,unknown", "status unknown_value"),
            ("stage=matching,nowhere", "stage unknown_value"),
            ("submitted_from=2026-05-01&submitted_to=2026-04-01", "submitted_to before_start"),
        ] {
            let answer = client.get(&format!("/requests?{query}"));
            assert_eq!(answer.problem(400), "unknown_parameter");
            assert_eq!(answer.wrong(), [parameter]);
        }
        for query in ["activity_kind=party", "fiscal_year=next", "colour=red", "sort=colour"] {
            assert_eq!(client.get(&format!("/requests?{query}")).problem(400), "unknown_parameter");
        }
        let count = |query: &str| client.get(&format!("/requests?total=true&{query}")).ok(200)["total"].as_i64().unwrap();
        assert_eq!(
            [count("status=submitted,accepted"), count("stage=matching"), count("submitted_to=2026-04-05"), count("submitted_from=2026-04-06")],
            [1, 0, 0, 1]
        );
    }
}

on_both! {
    fn a_forbidden_step_is_refused_with_the_steps_that_are_allowed(app) {
        let world = World::new(app);
        let request = format!("/requests/{}", flow::draft(&world));
        let refused = |client: &Client, verb: &str, body: &Value| {
            let answer = client.verb(&request, verb, body);
            assert_eq!(answer.problem(409), "invalid_transition");
            let problem = answer.json();
            (problem["state"].as_str().unwrap().to_owned(), problem["allowed"].clone())
        };
        let (office, staff) = (&world.coordinator, &world.hamamatsu_staff);
        staff.verb(&request, "submit", &json!({})).ok(200);
        let allowed = json!(["consent", "return-for-correction", "accept", "waitlist", "reject", "withdraw"]);
        assert_eq!(refused(staff, "submit", &json!({})), ("submitted".to_owned(), allowed));
        assert_eq!(refused(office, "cancel", &json!({"party": "applicant", "reason_code": "other", "reason": "x"})).0, "submitted");
        office.verb(&request, "return-for-correction", &json!({"reason_code": "incomplete", "reason": "人数を記入してください"})).ok(200);
        assert_eq!(refused(office, "accept", &json!({})), ("returned".to_owned(), json!(["edit", "consent", "submit", "withdraw"])));
        let view = staff.get(&request).ok(200);
        assert_eq!((&view["reason_code"], &view["reason"]), (&json!("incomplete"), &json!("人数を記入してください")));
        staff.verb(&request, "submit", &json!({})).ok(200);
        office.verb(&request, "waitlist", &json!({"reason_code": "budget"})).ok(200);
        office.verb(&request, "reject", &reason()).ok(200);
        assert_eq!(refused(staff, "withdraw", &reason()), ("rejected".to_owned(), json!([])));
        assert_eq!(refused(office, "decide", &json!({"offer_ids": [1]})).0, "rejected");
        let edit = staff.patch(&request, &json!({"theme": "新しい題"}));
        assert_eq!(edit.problem(409), "invalid_transition");
    }
}

on_both! {
    fn a_reason_is_asked_for_where_one_is_needed(app) {
        let world = World::new(app);
        let request = format!("/requests/{}", flow::submitted(&world));
        let wrong = |verb: &str, body: Value| {
            let answer = world.coordinator.verb(&request, verb, &body);
            assert_eq!(answer.problem(422), "validation_failed");
            answer.wrong()
        };
        assert_eq!(wrong("return-for-correction", json!({"reason_code": "incomplete"})), ["/reason required"]);
        assert_eq!(wrong("reject", json!({"reason_code": "other", "reason": "　"})), ["/reason required"]);
        assert_eq!(world.coordinator.verb(&request, "reject", &json!({"reason_code": "mood"})).problem(400), "malformed_request");
        world.coordinator.verb(&request, "reject", &json!({"reason_code": "out_of_scope"})).ok(200);
    }
}

on_both! {
    fn of_two_who_edit_the_second_is_told(app) {
        let world = World::new(app);
        let request = format!("/requests/{}", flow::draft(&world));
        let etag = world.hamamatsu_staff.get(&request).etag();
        let answers = race(8, |n| {
            let client = world.hamamatsu_staff.clone();
            client.call("PATCH", format!("/api/v1{request}")).json(&json!({"theme": format!("題{n}")})).header("If-Match", &etag).send()
        });
        let winner: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(winner.len(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(answer.problem(412), "stale_version");
        }
        assert_eq!(world.hamamatsu_staff.get(&request).ok(200)["theme"], winner[0].json()["theme"]);
        let unconditional = world.hamamatsu_staff.post(&format!("{request}/submit"), &json!({}));
        assert_eq!(unconditional.problem(428), "precondition_required");
    }
}

/// Those to whom Hamamatsu's request does not exist: a fellow member, the same prefecture, a stranger, an expert who was not
/// asked.
fn outsiders(app: &TestApp, world: &World) -> Vec<Client> {
    vec![
        world.kosai_staff.clone(),
        world.outsider_staff.clone(),
        world.stranger.clone(),
        member(app, "unasked@example.jp", "未依頼", world.prefecture, Role::Expert),
    ]
}

on_both! {
    fn an_object_of_others_looks_exactly_like_one_that_does_not_exist(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let dispatched = flow::dispatched(&world, expert);
        let report = world.coordinator.get(&format!("/dispatches/{}/report", dispatched.dispatch)).ok(200)["id"].as_i64().unwrap();
        let paths = |request: i64, offer: i64, dispatch: i64, visit: i64, report: i64| {
            vec![
                ("GET", format!("/requests/{request}")),
                ("GET", format!("/requests/{request}/messages")),
                ("GET", format!("/requests/{request}/attachments")),
                ("PATCH", format!("/requests/{request}")),
                ("POST", format!("/requests/{request}/withdraw")),
                ("POST", format!("/requests/{request}/messages")),
                ("GET", format!("/offers/{offer}")),
                ("POST", format!("/offers/{offer}/accept")),
                ("GET", format!("/dispatches/{dispatch}")),
                ("GET", format!("/dispatches/{dispatch}/costs")),
                ("POST", format!("/dispatches/{dispatch}/cancel")),
                ("GET", format!("/visits/{visit}")),
                ("POST", format!("/visits/{visit}/record")),
                ("POST", format!("/reports/{report}/submit")),
            ]
        };
        let real = paths(dispatched.request, dispatched.offer, dispatched.dispatch, dispatched.visits[0], report);
        let unknown = paths(999_999, 999_999, 999_999, 999_999, 999_999);
        for client in outsiders(app, &world) {
            for ((method, path), (_, nowhere)) in real.iter().zip(&unknown) {
                let ask = |path: &str| client.call(method, format!("/api/v1{path}")).json(&json!({})).header("If-Match", "\"1\"").send();
                let answer = ask(path);
                assert_eq!(answer.problem(404), "not_found", "{method} {path}");
                assert_eq!(comparable(&answer), comparable(&ask(nowhere)), "{method} {path}");
            }
            for list in ["/requests", "/dispatches", "/visits", "/reports"] {
                assert_eq!(client.get(list).ok(200)["items"], json!([]), "{list}");
            }
        }
    }
}

on_both! {
    fn everybody_is_told_what_they_can_do_and_nothing_else(app) {
        let world = World::new(app);
        let joint = body_with(&world, &json!({"participant_organisation_ids": [world.kosai]}));
        let request = format!("/requests/{}", flow::id(&world.hamamatsu_staff.post("/requests", &joint), 201));
        assert_eq!(world.kosai_staff.get(&request).ok(200)["allowed"], json!(["consent"]));
        assert_eq!(world.kosai_staff.verb(&request, "submit", &json!({})).problem(403), "forbidden");
        world.hamamatsu_staff.verb(&request, "submit", &json!({})).ok(200);
        assert_eq!(world.auditor.get(&request).ok(200)["allowed"], json!([]));
        let verbs = &world.coordinator.get(&request).ok(200)["allowed"];
        assert_eq!(*verbs, json!(["consent", "return-for-correction", "accept", "waitlist", "reject"]));
        assert_eq!(world.coordinator.verb(&request, "withdraw", &reason()).problem(403), "forbidden");
    }
}
