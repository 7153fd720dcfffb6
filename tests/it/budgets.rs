//! How many statements a request sends to the database: bounded, and the same for few rows as for many.
//!
//! The principal is loaded with one. Beside it a list asks at most three, a plain write at most eight. The steps of a case
//! (submission, acceptance, offer, decision) look at the rules of many rooms and tell many people: each has a bound of its
//! own here, which is what it needs today and may only fall.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::client::{Answer, Client};
use crate::support::flow;
use crate::support::queries;
use crate::support::server::TestApp;
use crate::support::world::World;

/// Beside the principal.
const LIST: usize = 3;
const PLAIN_WRITE: usize = 8;
/// An event: itself, the endpoints that listen, and who is to learn of it, however many they are.
const TOLD: usize = 3;

/// The answer, and the statements beside the one for the principal.
#[track_caller]
fn asking(app: &TestApp, act: impl FnOnce() -> Answer) -> (Answer, Vec<String>) {
    let (answer, asked) = queries::asked(app.app.config.database.url.expose_secret(), act);
    assert!(answer.status < 300, "{}", answer.text());
    assert!(asked.first().is_some_and(|first| first.contains("memberships")), "the principal comes first: {asked:?}");
    assert_eq!(asked.iter().filter(|text| text.contains("sessions") && text.contains("memberships")).count(), 1, "{asked:?}");
    (answer, asked.into_iter().skip(1).collect())
}

/// Rows that the steps of a case lock before they check a limit: SQLite, which has one writer at a time, need not.
fn locks(app: &TestApp) -> usize {
    if app.app.config.database.url.expose_secret().starts_with("sqlite") { 0 } else { 5 }
}

/// Does a step that may ask at most so many; what it answers and how many it asked.
#[track_caller]
fn within(app: &TestApp, most: usize, name: &str, act: impl FnOnce() -> Answer) -> (Value, usize) {
    let (answer, asked) = asking(app, act);
    let most = if most > PLAIN_WRITE { most + locks(app) } else { most };
    let count = asked.len();
    assert!(count <= most, "{name} asks {count} times, at most {most} are allowed: {asked:#?}");
    (answer.json(), count)
}

#[track_caller]
fn verb(app: &TestApp, most: usize, client: &Client, path: &str, verb: &str, body: &Value) -> (Value, usize) {
    let etag = client.get(path).etag();
    let call = || client.call("POST", format!("/api/v1{path}/{verb}")).json(body).header("If-Match", &etag).send();
    within(app, most, verb, call)
}

on_both! {
    fn lists_ask_three_times_at_most_however_long_they_are(app) {
        let world = World::new(app);
        let lists = |dispatch: i64, request: i64| {
            [
                "/experts?limit=50".to_owned(), format!("/experts?pool_id={}&total=true", world.pool), "/requests".to_owned(), "/requests?total=true".to_owned(),
                "/dispatches".to_owned(), "/visits".to_owned(), format!("/visits?dispatch_id={dispatch}&total=true"), "/reports".to_owned(),
                "/organisations".to_owned(), "/users".to_owned(), "/pools".to_owned(), "/programmes".to_owned(), "/postings".to_owned(),
                "/audit-events".to_owned(), "/api-clients".to_owned(), "/imports".to_owned(), "/notifications".to_owned(),
                format!("/requests/{request}/offers"), format!("/requests/{request}/messages"), "/skill-frameworks".to_owned(),
            ]
        };
        let expert = flow::expert(&world, "見本 太郎", "taro@example.jp");
        let first = flow::dispatched(&world, expert);
        let measure = || -> Vec<usize> {
            lists(first.dispatch, first.request).iter().map(|path| within(app, LIST, path, || world.coordinator.get(path)).1).collect()
        };
        let few = measure();
        for n in 0..4 {
            let name = format!("多数 {n}郎");
            let expert = flow::expert(&world, &name, &format!("n{n}@example.jp"));
            flow::dispatched(&world, expert);
        }
        assert_eq!(measure(), few, "more rows, not more statements");
    }
}

on_both! {
    fn objects_are_shown_with_a_fixed_number_of_statements(app) {
        let world = World::new(app);
        let counts = |days: &[&str], n: usize| -> Vec<usize> {
            let expert = flow::expert(&world, &format!("見本 {n}郎"), &format!("n{n}@example.jp"));
            let case = flow::dispatched_on(&world, expert, days);
            // What has changed for it since is looked up before; that is as much as was changed.
            world.coordinator.get(&format!("/requests/{}/candidates", case.request)).ok(200);
            let objects = [
                (6, format!("/requests/{}", case.request)), (4, format!("/experts/{expert}")), (11, format!("/dispatches/{}", case.dispatch)),
                (3, format!("/visits/{}", case.visits[0])), (12, format!("/requests/{}/candidates", case.request)),
            ];
            objects.iter().map(|(most, path)| within(app, *most, path, || world.coordinator.get(path)).1).collect()
        };
        let one = counts(&["2026-05-11"], 0);
        let many = counts(&["2026-05-11", "2026-05-12", "2026-05-13", "2026-05-14", "2026-05-15", "2026-05-18"], 1);
        assert_eq!(many, one);
    }
}

on_both! {
    fn plain_writes_ask_eight_times_at_most(app) {
        let world = World::new(app);
        let client = &world.coordinator;
        let write = |name: &str, act: &dyn Fn() -> Answer| within(app, PLAIN_WRITE, name, act).0["id"].as_i64();
        let expert = write("register an expert", &|| client.post("/experts", &flow::expert_body(world.pool, "見本 太郎", "taro@example.jp"))).unwrap();
        let etag = client.get(&format!("/experts/{expert}")).etag();
        write("change an expert", &|| {
            client.call("PATCH", format!("/api/v1/experts/{expert}")).json(&json!({"profile": "x"})).header("If-Match", &etag).send()
        });
        write("found a pool", &|| client.post("/pools", &json!({"name": "別のプール", "expert_title": "専門家"})));
        write("found a programme", &|| client.post("/programmes", &json!({"pool_id": world.pool, "name": "別の事業"})));
        write("add a body", &|| client.post("/organisations", &json!({"kind": "npo", "name": "見本のNPO"})));
        // A key makes a repeat harmless, and costs looking for it and keeping it.
        write("with a key", &|| {
            client.call("POST", "/api/v1/organisations").json(&json!({"kind": "npo", "name": "別のNPO"})).header("Idempotency-Key", "once").send()
        });
    }
}

on_both! {
    fn the_steps_of_a_case_ask_as_often_for_many_visits_as_for_one(app) {
        let world = World::new(app);
        let (coordinator, staff) = (&world.coordinator, &world.hamamatsu_staff);
        let steps = |days: &[&str], n: usize| -> Vec<usize> {
            let expert = flow::expert(&world, &format!("見本 {n}郎"), &format!("n{n}@example.jp"));
            let (request, draft) = within(app, 14, "draft", || staff.post("/requests", &flow::request_body(&world)));
            let path = format!("/requests/{}", request["id"]);
            let submit = verb(app, 18 + 2 * TOLD, staff, &path, "submit", &json!({})).1;
            let accept = verb(app, 24 + TOLD, coordinator, &path, "accept", &json!({})).1;
            let visits: Vec<Value> = days.iter().map(|day| flow::visit_on(day)).collect();
            let body = json!({"expert_id": expert, "visits": visits, "message": "ご検討をお願いします。"});
            let (offer, offered) = within(app, 20 + TOLD, "offer", || coordinator.post(&format!("{path}/offers"), &body));
            let agree = verb(app, 21 + TOLD, coordinator, &format!("/offers/{}", offer["id"]), "accept", &json!({})).1;
            let (dispatch, decide) = verb(app, 58 + TOLD, coordinator, &path, "decide", &json!({"offer_ids": [offer["id"]]}));
            let visits = flow::visits_of(coordinator, dispatch["id"].as_i64().unwrap());
            let last = format!("/visits/{}", visits[visits.len() - 1]);
            let cancel = verb(app, 26 + TOLD, coordinator, &last, "cancel", &json!({"party": "applicant", "reason": "日程の変更"})).1;
            vec![draft, submit, accept, offered, agree, decide, cancel]
        };
        // More than was asked for, so that the plan binds more money in both.
        let three = steps(&["2026-05-11", "2026-05-12", "2026-05-25"], 0);
        let many = steps(&["2026-05-13", "2026-05-14", "2026-05-15", "2026-05-18", "2026-05-19", "2026-05-20"], 1);
        assert_eq!(many, three);
    }
}
