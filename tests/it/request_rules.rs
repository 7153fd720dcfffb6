//! What a programme's rules make of a request: windows, years, limits, budget, approval, consent, origin.

use serde_json::{Value, json};
use tasuki::auth::policy::Role;

use crate::on_both;
use crate::support::client::Answer;
use crate::support::flow::{self, visit_on};
use crate::support::tools::{number, race_verbs};
use crate::support::world::{World, member, preset};

fn request_with(world: &World, changes: &Value) -> Value {
    let mut body = flow::request_body(world);
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// A draft of Hamamatsu with some members replaced.
fn draft_with(world: &World, changes: &Value) -> String {
    format!("/requests/{}", flow::id(&world.hamamatsu_staff.post("/requests", &request_with(world, changes)), 201))
}

fn submit(world: &World, request: &str) -> Answer {
    world.hamamatsu_staff.verb(request, "submit", &json!({}))
}

/// The rules that refused, each with its pointer.
#[track_caller]
fn refused(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.problem(422), "rule_refused");
    answer.wrong()
}

on_both! {
    fn the_window_closes_to_the_second_and_the_draft_stays(app) {
        let world = World::new(app);
        let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
        rules["windows"] = json!([
            {"opens_at": "2026-04-01T09:00:00+09:00", "closes_at": "2026-04-30T15:00:00+09:00"},
            {"opens_at": "2026-09-01T00:00:00Z", "closes_at": "2026-09-30T06:00:00Z"}
        ]);
        let programme = flow::programme(&world, "締切のある事業", &rules);
        let of = json!({"programme_id": programme, "period_to": "2027-03-31"});
        let (early, late) = (draft_with(&world, &of), draft_with(&world, &of));
        app.set_time("2026-04-30T14:59:59+09:00");
        submit(&world, &early).ok(200);
        app.set_time("2026-04-30T15:00:00+09:00");
        let answer = submit(&world, &late);
        assert_eq!(refused(&answer), ["/submitted_at intake_window"]);
        let detail = answer.json()["errors"][0]["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("2026-04-30 15:00") && detail.contains("2026-09-01 09:00"), "{detail}");
        assert_eq!(world.hamamatsu_staff.get(&late).ok(200)["status"], "draft");
        app.set_time("2026-09-01T08:59:59+09:00");
        assert_eq!(submit(&world, &late).status, 422);
        app.set_time("2026-09-01T09:00:00+09:00");
        submit(&world, &late).ok(200);
        // A correction that the office asked for is not late.
        world.coordinator.verb(&late, "return-for-correction", &json!({"reason_code": "incomplete", "reason": "人数を記入してください"})).ok(200);
        app.set_time("2026-10-05T09:00:00+09:00");
        submit(&world, &late).ok(200);
    }
}

on_both! {
    fn a_period_stays_in_one_fiscal_year_and_lies_ahead(app) {
        let world = World::new(app);
        let crossing = draft_with(&world, &json!({"period_from": "2027-03-01", "period_to": "2027-04-01"}));
        let answer = submit(&world, &crossing);
        assert_eq!(refused(&answer), ["/period_to period_crosses_fiscal_year"]);
        assert!(answer.text().contains("令和8年度") && answer.text().contains("2件に分けて"), "{}", answer.text());
        submit(&world, &draft_with(&world, &json!({"period_from": "2027-03-01", "period_to": "2027-03-31"}))).ok(200);
        let over = draft_with(&world, &json!({"period_from": "2026-04-01", "period_to": "2026-04-05"}));
        assert_eq!(refused(&submit(&world, &over)), ["/period_to period_is_over"]);
        let no_rules = draft_with(&world, &json!({"period_from": "2028-05-01", "period_to": "2028-05-31"}));
        assert_eq!(submit(&world, &no_rules).status, 422);
    }
}

on_both! {
    fn the_limits_of_the_ministrys_advisors(app) {
        let world = World::new(app);
        let programme = flow::programme(&world, "地域情報化アドバイザー", &preset(&world.coordinator, "mic_regional_advisor"));
        let ask = |changes: Value| {
            let mut body = json!({"programme_id": programme});
            body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            draft_with(&world, &body)
        };
        let onsite = |days: i32| submit(&world, &ask(json!({"visit_count": days, "theme": format!("現地{days}日")})));
        onsite(3).ok(200);
        assert_eq!(refused(&onsite(4)), ["/visit_count onsite_days"]);
        let online = |minutes: i32| {
            submit(&world, &ask(json!({"mode": "online", "visit_count": 1, "minutes_per_visit": minutes, "theme": format!("遠隔{minutes}分")})))
        };
        online(600).ok(200);
        assert_eq!(refused(&online(601)), ["/minutes_per_visit online_minutes"]);
        // The same theme, however it is typed, with the same expert once a year.
        let (one, two) = (flow::expert(&world, "見本 一", "one@example.jp"), flow::expert(&world, "見本 二", "two@example.jp"));
        let with = |theme: &str, expert: i64| ask(json!({"theme": theme, "visit_count": 1, "preferred_expert_ids": [expert]}));
        let first = with("ＤＸ ガバナンス", one);
        submit(&world, &first).ok(200);
        let again = with("DXガバナンス", one);
        assert_eq!(refused(&submit(&world, &again)), ["/preferred_expert_ids/0 same_theme_and_expert"]);
        submit(&world, &with("DXガバナンス", two)).ok(200);
        submit(&world, &with("別の取組", one)).ok(200);
        // What was taken back does not count.
        world.hamamatsu_staff.verb(&first, "withdraw", &json!({"reason_code": "plans_changed"})).ok(200);
        submit(&world, &again).ok(200);
    }
}

on_both! {
    fn only_bodies_that_may_apply_are_heard(app) {
        let world = World::new(app);
        let outsider = world.outsider_staff.post("/requests", &flow::request_body(&world));
        assert_eq!(outsider.problem(422), "validation_failed");
        assert_eq!(outsider.wrong(), ["/programme_id unknown_reference"]);
        // A programme of others is as unknown as one that does not exist.
        let unknown = world.outsider_staff.post("/requests", &request_with(&world, &json!({"programme_id": 999_999})));
        assert_eq!(outsider.json()["errors"], unknown.json()["errors"]);
        // The prefecture itself is no body that may apply for it.
        let own = flow::id(&world.coordinator.post("/requests", &flow::request_body(&world)), 201);
        let answer = world.coordinator.verb(&format!("/requests/{own}"), "submit", &json!({}));
        assert_eq!(refused(&answer), ["/applicant_organisation_id applicant_kind"]);
        let kind = draft_with(&world, &json!({"activity_kind": "community"}));
        assert_eq!(refused(&submit(&world, &kind)), ["/activity_kind activity_kind"]);
    }
}

/// A programme with so much money, and so many requests of 40,000 yen each that wait for their acceptance.
fn submitted_under_budget(world: &World, budget: i64, count: usize, intake: &str) -> Vec<String> {
    let mut rules = preset(&world.coordinator, "shizuoka_ict_expert");
    rules["budget_yen"] = json!(budget);
    rules["intake"] = json!(intake);
    let programme = flow::programme(world, "予算のある事業", &rules);
    (0..count)
        .map(|_| {
            let request = draft_with(world, &json!({"programme_id": programme}));
            submit(world, &request).ok(200);
            request
        })
        .collect()
}

on_both! {
    fn of_32_racing_for_the_budget_as_many_win_as_it_pays(app) {
        let world = World::new(app);
        let requests = submitted_under_budget(&world, 79_999, 32, "batch");
        let answers = race_verbs(&world.coordinator, &requests, "accept", &json!({}));
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(answer.problem(409), "budget_exceeded");
        }
        assert_eq!(number(app, "SELECT COUNT(*) FROM requests WHERE status = 'accepted'"), 1);
    }
}

on_both! {
    fn money_that_is_given_back_can_be_used_again(app) {
        let world = World::new(app);
        let requests = submitted_under_budget(&world, 80_000, 3, "first_come");
        let accept = |n: usize| world.coordinator.verb(&requests[n], "accept", &json!({}));
        accept(0).ok(200);
        accept(1).ok(200);
        let answer = accept(2);
        assert_eq!(answer.problem(409), "budget_exceeded");
        assert!(answer.text().contains("補欠"), "{}", answer.text());
        let waiting = world.coordinator.verb(&requests[2], "waitlist", &json!({"reason_code": "budget"})).ok(200);
        assert_eq!((&waiting["status"], &waiting["waiting_position"]), (&json!("waitlisted"), &json!(1)));
        world.hamamatsu_staff.verb(&requests[0], "withdraw", &json!({"reason_code": "plans_changed"})).ok(200);
        accept(2).ok(200);
    }
}

on_both! {
    fn a_body_that_wants_it_approves_before_the_office_hears(app) {
        let world = World::new(app);
        let body = format!("/organisations/{}", world.hamamatsu);
        world.coordinator.patch(&body, &json!({"requires_approval": true})).ok(200);
        let approver = member(app, "approver@hamamatsu.example.jp", "浜松 課長", world.hamamatsu, Role::MunicipalApprover);
        let fellow = member(app, "approver@kosai.example.jp", "湖西 課長", world.kosai, Role::MunicipalApprover);
        let request = draft_with(&world, &json!({}));
        assert_eq!(submit(&world, &request).ok(200)["status"], "awaiting_approval");
        assert_eq!(app.mails_to("approver@hamamatsu.example.jp").len(), 1);
        assert!(app.mails_to("coordinator@pref.example.jp").is_empty(), "the office does not hear of it yet");
        assert_eq!(world.hamamatsu_staff.verb(&request, "approve", &json!({})).problem(403), "forbidden");
        assert_eq!(fellow.get(&request).problem(404), "not_found");
        // Until then it is the body's own affair.
        assert_eq!(world.coordinator.get(&request).problem(404), "not_found");
        assert_eq!(world.auditor.get("/requests?total=true").ok(200)["total"], 0);
        approver.verb(&request, "send-back", &json!({"reason": "議会の会期を避けてください。"})).ok(200);
        assert_eq!(world.hamamatsu_staff.get(&request).ok(200)["status"], "draft");
        submit(&world, &request).ok(200);
        let approved = approver.verb(&request, "approve", &json!({})).ok(200);
        assert_eq!((&approved["status"], approved["submitted_at"].is_string()), (&json!("submitted"), true));
        assert_eq!(app.mails_to("coordinator@pref.example.jp").len(), 1);
        assert_eq!(world.auditor.get("/requests?total=true").ok(200)["total"], 1);
        // The approver's own request needs no second person: desks of one.
        let own = flow::id(&approver.post("/requests", &flow::request_body(&world)), 201);
        assert_eq!(approver.verb(&format!("/requests/{own}"), "submit", &json!({})).ok(200)["status"], "submitted");
    }
}

on_both! {
    fn the_office_files_for_a_body_without_account(app) {
        let world = World::new(app);
        let body = json!({"kind": "school", "name": "浜松市立見本小学校", "parent_id": world.hamamatsu, "prefecture_id": world.prefecture});
        let school = flow::id(&world.coordinator.post("/organisations", &body), 201);
        let stranger = world.hamamatsu_staff.post("/requests", &request_with(&world, &json!({"applicant_organisation_id": school})));
        assert_eq!(stranger.wrong(), ["/applicant_organisation_id not_yours"]);
        let filed = request_with(&world, &json!({"applicant_organisation_id": school, "contact_email": "school@example.jp"}));
        let request = format!("/requests/{}", flow::id(&world.coordinator.post("/requests", &filed), 201));
        world.coordinator.verb(&request, "submit", &json!({})).ok(200);
        world.coordinator.verb(&request, "accept", &json!({"comment": "候補者を選定します。"})).ok(200);
        let view = world.coordinator.get(&request).ok(200);
        assert_eq!((&view["applicant_organisation_id"], &view["filed_by_organisation_id"]), (&json!(school), &json!(world.prefecture)));
        assert_eq!(app.mails_to("school@example.jp").len(), 1, "the person in charge is told");
        let events = world.auditor.get("/audit-events?limit=200").ok(200);
        let filed_for = events["items"].as_array().unwrap().iter().filter(|event| event["filed_for_organisation_id"] == school).count();
        assert!(filed_for >= 2, "{events:#}");
    }
}

on_both! {
    fn a_joint_request_binds_nobody_who_has_not_agreed(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let request = draft_with(&world, &json!({"participant_organisation_ids": [world.kosai, world.fukuroi]}));
        submit(&world, &request).ok(200);
        let asked = app.mails_to("staff@kosai.example.jp");
        assert!(asked.len() == 1 && asked[0].mail.text.contains("同意") && asked[0].mail.text.contains(&request), "{asked:?}");
        world.kosai_staff.verb(&request, "consent", &json!({})).ok(200);
        let early = world.coordinator.verb(&request, "accept", &json!({}));
        assert_eq!(refused(&early), ["/participant_organisation_ids/0 participants_consent"]);
        assert!(early.text().contains("袋井市の同意がまだありません"), "{}", early.text());
        // The office gives the word of a body without account, and only of such a body.
        let for_kosai = world.coordinator.verb(&request, "consent", &json!({"organisation_id": world.kosai, "agrees": false}));
        assert_eq!(for_kosai.wrong(), ["/organisation_id has_account"]);
        world.coordinator.verb(&request, "consent", &json!({"organisation_id": world.fukuroi})).ok(200);
        world.coordinator.verb(&request, "accept", &json!({})).ok(200);
        assert_eq!(app.mails_to("staff@kosai.example.jp").len(), 2, "the acceptance is told to those who agreed");
        // Taken back after the acceptance, it stops the decision.
        let id: i64 = request.rsplit('/').next().unwrap().parse().unwrap();
        let offer = flow::offer(&world, id, expert, &[visit_on("2026-05-11")]);
        flow::accept_offer(&world, offer).ok(200);
        world.kosai_staff.verb(&request, "consent", &json!({"agrees": false})).ok(200);
        let decide = || world.coordinator.verb(&request, "decide", &json!({"offer_ids": [offer]}));
        assert_eq!(refused(&decide()), ["/participant_organisation_ids/1 participants_consent"]);
        assert_eq!(world.coordinator.get(&request).ok(200)["status"], "accepted", "nothing of the refused decision stays");
        world.kosai_staff.verb(&request, "consent", &json!({})).ok(200);
        assert_eq!(flow::id(&decide(), 201) > 0, world.kosai_staff.get(&request).ok(200)["status"] == "decided");
    }
}

on_both! {
    fn a_change_of_what_was_agreed_asks_again(app) {
        let world = World::new(app);
        let request = draft_with(&world, &json!({"participant_organisation_ids": [world.kosai]}));
        world.kosai_staff.verb(&request, "consent", &json!({})).ok(200);
        let consented = |client: &Answer| client.ok(200)["participants"][1]["consented_at"].is_string();
        assert!(consented(&world.hamamatsu_staff.patch(&request, &json!({"background": "待ち時間が1時間を超える。"}))));
        for change in [json!({"visit_count": 3}), json!({"on_island": true}), json!({"experts_needed": 2}), json!({"rotation": true})] {
            world.kosai_staff.verb(&request, "consent", &json!({})).ok(200);
            assert!(!consented(&world.hamamatsu_staff.patch(&request, &change)), "{change}");
        }
    }
}

on_both! {
    fn the_prefecture_opens_a_training_for_many(app) {
        let world = World::new(app);
        let open = json!({
            "origin": "offered", "activity_kind": "training", "theme": "生成AI研修", "participant_organisation_ids": [world.hamamatsu, world.kosai],
            "visit_count": 1
        });
        let by_a_town = world.hamamatsu_staff.post("/requests", &request_with(&world, &open));
        assert!(by_a_town.wrong().contains(&"/origin not_yours".to_owned()), "{}", by_a_town.text());
        let request = flow::id(&world.coordinator.post("/requests", &request_with(&world, &open)), 201);
        let path = format!("/requests/{request}");
        // Its own event needs no review: it is accepted at once, and nobody has to agree to an invitation.
        assert_eq!(world.coordinator.verb(&path, "submit", &json!({})).ok(200)["status"], "accepted");
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let offer = flow::offer(&world, request, expert, &[visit_on("2026-05-11")]);
        flow::accept_offer(&world, offer).ok(200);
        let dispatch = flow::decide(&world, request, offer);
        let visit = flow::visits_of(&world.kosai_staff, dispatch)[0];
        app.set_time("2026-05-12T09:00:00+09:00");
        // Those who came: also a member that was not invited, never a body outside the pool.
        let record = |bodies: Value| {
            let body = json!({"actual_minutes": 240, "attendees": 60, "participant_ids": bodies});
            world.coordinator.verb(&format!("/visits/{visit}"), "record", &body)
        };
        assert_eq!(record(json!([world.kosai, world.outsider])).wrong(), ["/participant_ids/1 does_not_take_part"]);
        record(json!([world.hamamatsu, world.kosai, world.fukuroi])).ok(200);
        let table = world
            .coordinator
            .get(&format!("/statistics/dispatches?programme_id={}&from_fiscal_year=2026&to_fiscal_year=2026", world.programme))
            .ok(200);
        assert_eq!((&table["years"][0]["organisations"], &table["years"][0]["visits"]), (&json!(3), &json!(1)), "{table:#}");
    }
}

on_both! {
    fn last_years_request_is_copied_into_this_year(app) {
        app.set_time("2025-04-10T10:00:00+09:00");
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let request = draft_with(&world, &json!({
            "period_from": "2025-06-01", "period_to": "2026-03-31", "wished_dates": [{"day": "2025-06-10", "start_minute": 600, "end_minute": 840}],
            "preferred_expert_ids": [expert], "participant_organisation_ids": [world.kosai]
        }));
        submit(&world, &request).ok(200);
        app.set_time("2026-04-06T10:00:00+09:00");
        let copy = copied(&world, &request);
        assert_eq!((&copy["period_from"], &copy["period_to"], &copy["fiscal_year"]), (&json!("2026-06-01"), &json!("2027-03-31"), &json!(2026)));
        assert_eq!((&copy["status"], &copy["theme"]), (&json!("draft"), &json!("窓口業務の見直し")));
        assert_eq!(copy["wished_dates"], json!([{"day": "2026-06-10", "start_minute": 600, "end_minute": 840}]));
        assert_eq!(copy["preferred_experts"][0]["expert_id"], expert);
        assert!(copy["participants"][1]["consented_at"].is_null(), "who joins agrees anew");
        assert_eq!(world.kosai_staff.post(&format!("{request}/copy"), &json!({})).problem(403), "forbidden");
        assert_eq!(world.stranger.post(&format!("{request}/copy"), &json!({})).problem(404), "not_found");
        // An expert who has left is not wished for any more.
        world.coordinator.verb(&format!("/experts/{expert}"), "retire", &json!({"reason": "本人の申出"})).ok(200);
        let copy = copied(&world, &request);
        assert_eq!((&copy["preferred_experts"], &copy["leave_to_office"]), (&json!([]), &json!(true)));
    }
}

fn copied(world: &World, request: &str) -> Value {
    world.hamamatsu_staff.post(&format!("{request}/copy"), &json!({})).ok(201)
}
