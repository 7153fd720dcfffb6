//! The steps of a dispatch, each through the API, for tests that are about a later one.

use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::server::TestApp;
use super::world::World;

/// The id in an answer.
#[track_caller]
pub fn id(answer: &Answer, status: u16) -> i64 {
    answer.ok(status)["id"].as_i64().unwrap()
}

/// What a new expert is registered with.
pub fn expert_body(pool: i64, name: &str, email: &str) -> Value {
    json!({
        "pool_id": pool, "name": name, "kana": "センモン カ", "affiliation_kind": "individual", "email": email,
        "onsite": true, "online": true, "appointed_from": "2020-04-01"
    })
}

/// Registers an expert without limits.
pub fn expert(world: &World, name: &str, email: &str) -> i64 {
    id(&world.coordinator.post("/experts", &expert_body(world.pool, name, email)), 201)
}

/// Another programme of the pool, with these rules in 2026 and 2027.
pub fn programme(world: &World, name: &str, rules: &Value) -> i64 {
    let programme = id(&world.coordinator.post("/programmes", &json!({"pool_id": world.pool, "name": name})), 201);
    for year in [2026, 2027] {
        let body = json!({"fiscal_year": year, "rules": rules});
        world.coordinator.post(&format!("/programmes/{programme}/years"), &body).ok(201);
    }
    programme
}

/// What a request for two visits in May 2026 looks like.
pub fn request_body(world: &World) -> Value {
    json!({
        "programme_id": world.programme, "activity_kind": "visit", "theme": "窓口業務の見直し", "background": "来庁者の待ち時間が長い",
        "goal": "電子申請を広げる", "mode": "onsite", "period_from": "2026-05-01", "period_to": "2026-05-31",
        "visit_count": 2, "minutes_per_visit": 240, "place": "浜松市役所", "audience": "窓口担当者", "audience_count": 12,
        "department": "デジタル推進課", "contact_name": "浜松 太郎", "contact_email": "staff@hamamatsu.example.jp"
    })
}

/// A draft of Hamamatsu.
pub fn draft(world: &World) -> i64 {
    id(&world.hamamatsu_staff.post("/requests", &request_body(world)), 201)
}

/// Submitted by Hamamatsu.
pub fn submitted(world: &World) -> i64 {
    let request = draft(world);
    world.hamamatsu_staff.verb(&format!("/requests/{request}"), "submit", &json!({})).ok(200);
    request
}

/// Accepted by the coordinator.
pub fn accepted(world: &World) -> i64 {
    let request = submitted(world);
    world.coordinator.verb(&format!("/requests/{request}"), "accept", &json!({})).ok(200);
    request
}

/// A visit at 10:00 on a day, four hours.
pub fn visit_on(day: &str) -> Value {
    json!({"day": day, "start_minute": 600, "minutes": 240, "mode": "onsite", "place": "浜松市役所"})
}

/// An offer for these visits.
pub fn offer(world: &World, request: i64, expert: i64, visits: &[Value]) -> i64 {
    let body = json!({"expert_id": expert, "visits": visits, "message": "ご検討をお願いします。"});
    id(&world.coordinator.post(&format!("/requests/{request}/offers"), &body), 201)
}

/// Accepted by the office on the expert's word.
pub fn accept_offer(world: &World, offer: i64) -> Answer {
    world.coordinator.verb(&format!("/offers/{offer}"), "accept", &json!({}))
}

/// Decided for one offer; the dispatch's id.
pub fn decide(world: &World, request: i64, offer: i64) -> i64 {
    id(&world.coordinator.verb(&format!("/requests/{request}"), "decide", &json!({"offer_ids": [offer]})), 201)
}

/// A dispatch of one expert with visits on 11 and 18 May 2026.
pub struct Dispatched {
    pub request: i64,
    pub offer: i64,
    pub dispatch: i64,
    pub visits: Vec<i64>,
}

/// The whole way to a decision.
pub fn dispatched(world: &World, expert: i64) -> Dispatched {
    dispatched_on(world, expert, &["2026-05-11", "2026-05-18"])
}

/// The whole way to a decision, on these days.
pub fn dispatched_on(world: &World, expert: i64, days: &[&str]) -> Dispatched {
    let request = accepted(world);
    let visits: Vec<Value> = days.iter().map(|day| visit_on(day)).collect();
    let offer = offer(world, request, expert, &visits);
    accept_offer(world, offer).ok(200);
    let dispatch = decide(world, request, offer);
    let visits = visits_of(&world.coordinator, dispatch);
    Dispatched { request, offer, dispatch, visits }
}

/// The visits of a dispatch in order of their day.
pub fn visits_of(client: &Client, dispatch: i64) -> Vec<i64> {
    let list = client.get(&format!("/visits?dispatch_id={dispatch}")).ok(200);
    list["items"].as_array().unwrap().iter().map(|visit| visit["id"].as_i64().unwrap()).collect()
}

/// Records a visit as done.
pub fn record(client: &Client, visit: i64, minutes: i64) -> Answer {
    client.verb(&format!("/visits/{visit}"), "record", &json!({"actual_minutes": minutes, "attendees": 10}))
}

/// The link in the newest mail to an address.
pub fn link_in_newest_mail(app: &TestApp, address: &str) -> String {
    let mails = app.mails_to(address);
    let text = &mails.last().unwrap_or_else(|| panic!("no mail to {address}")).mail.text;
    text.lines().find(|line| line.contains("token=")).unwrap_or_else(|| panic!("no link in:\n{text}")).trim().to_owned()
}
