//! What telling adds to the write it belongs to: one request of the demo world is submitted again and again, in turns to an
//! office with people and a mailbox and to one with nobody. What differs is what is kept for telling; how long it takes a worker
//! to make the mails and notices of it, after the answer, is said beside it.
//!
//! `cargo bench --bench enqueue [-- --writes 400]`, with PostgreSQL where `TASUKI_BENCH_POSTGRES_URL` names a throw-away
//! database.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::RunQueryDsl as _;
use diesel::connection::SimpleConnection as _;
use secrecy::SecretString;
use tasuki::app::App;
use tasuki::auth::principal::Actor;
use tasuki::clock::Clock;
use tasuki::config::Config;
use tasuki::demo;
use tasuki::http::Ctx;
use tasuki::ids::RequestId;
use tasuki::notifications::telling::tell_due;
use tasuki::notifications::transport::Mailer;
use tasuki::requests::{store, submit};

/// Writes of one turn.
const TURN: usize = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let position = arguments.iter().position(|argument| argument == "--writes");
    let writes = position.and_then(|position| arguments.get(position + 1)).map_or(400, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    measure("SQLite", &format!("sqlite:{}", folder.path().join("enqueue.db").display()), writes);
    match std::env::var("TASUKI_BENCH_POSTGRES_URL") {
        Ok(url) => measure("PostgreSQL", &url, writes),
        Err(_) => println!("PostgreSQL: not measured (TASUKI_BENCH_POSTGRES_URL is not set)"),
    }
}

#[derive(diesel::QueryableByName)]
struct Found {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

fn number(app: &App, query: &str) -> i64 {
    app.db.read_blocking(|conn| Ok(diesel::sql_query(query).get_result::<Found>(conn)?.n)).unwrap()
}

fn execute(app: &App, statement: &str) {
    app.db.write_blocking(|conn| Ok(conn.batch_execute(statement)?)).unwrap();
}

fn measure(name: &str, url: &str, writes: usize) {
    let mut config = Config::default();
    config.database.url = SecretString::from(url.to_owned());
    config.auth.signing_key = SecretString::from("0123456789abcdef0123456789abcdef-bench");
    let app = App::new(config, Clock::system(), Some(Mailer::memory().0), true).unwrap();
    demo::prepare(&app).unwrap();
    // A request whose body has no approver of its own, so that submitting it tells the office.
    let request = number(
        &app,
        "SELECT MIN(r.id) AS n FROM requests r WHERE r.status = 'submitted' AND NOT EXISTS (SELECT 1 FROM memberships m
         WHERE m.organisation_id = r.applicant_organisation_id AND m.role = 'municipal_approver')",
    );
    let owner = number(&app, &format!("SELECT owner_organisation_id AS n FROM requests WHERE id = {request}"));
    let office = format!("SELECT user_id FROM memberships WHERE organisation_id = {owner}");
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let mut telling = Duration::ZERO;
    tell_due(&app, &|| true).unwrap();
    let before = number(&app, "SELECT COUNT(*) AS n FROM outbox_messages");
    for _ in 0..writes.div_ceil(TURN) {
        execute(
            &app,
            &format!(
                "UPDATE users SET status = 'active' WHERE id IN ({office});
                 UPDATE organisations SET contact_email = 'haken@pref.example.jp' WHERE id = {owner}"
            ),
        );
        turn(&app, request, &mut with);
        let begun = Instant::now();
        assert_eq!(tell_due(&app, &|| true).unwrap(), TURN);
        telling += begun.elapsed();
        execute(
            &app,
            &format!(
                "UPDATE users SET status = 'disabled' WHERE id IN ({office});
                 UPDATE organisations SET contact_email = NULL WHERE id = {owner}"
            ),
        );
        turn(&app, request, &mut without);
    }
    let mails = number(&app, "SELECT COUNT(*) AS n FROM outbox_messages") - before;
    let (with, without) = (median(&mut with), median(&mut without));
    println!(
        "{name}: submitting a request takes {with:.2?} with {} mails each and {without:.2?} with none: telling adds {:.1} %; \
         a worker makes the mails and notices of one in {:.2?} afterwards",
        mails / i64::try_from(writes.div_ceil(TURN) * TURN).unwrap(),
        (with.as_secs_f64() / without.as_secs_f64() - 1.0) * 100.0,
        telling / u32::try_from(writes.div_ceil(TURN) * TURN).unwrap(),
    );
}

fn turn(app: &Arc<App>, request: i64, times: &mut Vec<Duration>) {
    for _ in 0..TURN {
        execute(app, &format!("UPDATE requests SET status = 'draft' WHERE id = {request}"));
        let begun = Instant::now();
        app.db
            .write_blocking(|conn| {
                let row = store::find(conn, RequestId(request))?.unwrap();
                let ctx = Ctx::internal(app, Actor::System, row.applicant_organisation_id, "bench");
                let outcome = submit::submit(conn, &ctx, row, serde_json::from_str("{}").unwrap())?;
                tasuki::audit::service::record(conn, &ctx, "bench", &outcome.audit)
            })
            .unwrap();
        times.push(begun.elapsed());
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
