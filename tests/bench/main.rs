//! Figures of money as ratios in one run: settling a fiscal year of 50,000 visits with joint shares against a plain batched
//! insert of as many rows in the same database, and the engine alone. Bounded by its sizes; it stops what it started.
//!
//! `cargo bench --bench settle [-- --visits 50000]`, with PostgreSQL where `TASUKI_BENCH_POSTGRES_URL` names a throw-away
//! database.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use secrecy::SecretString;
use tasuki::app::App;
use tasuki::clock::Clock;
use tasuki::config::Config;
use tasuki::costs::{
    Component, Payer, PayerRule, PopulationSource, Sharing, SharingBasis, SharingBody, SharingPart, SharingRemainder,
    SharingTerms, Yen,
};
use tasuki::db::{Conn, migrations};
use tasuki::ids::{DispatchId, ExpertId, OrganisationId, ProgrammeId, VisitId};
use tasuki::organisations::seed;
use tasuki::pools::presets;
use tasuki::pools::rules::ProgrammeRules;
use tasuki::settlements::parties::{Parties, Share};
use tasuki::settlements::store::{self, NewCostItem};

/// Bodies that share, on average.
const BODIES: i64 = 4;
/// Visits of one dispatch.
const VISITS_PER_DISPATCH: usize = 100;
/// Items written in one transaction.
const BATCH: usize = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let visits = arguments
        .iter()
        .position(|argument| argument == "--visits")
        .and_then(|position| arguments.get(position + 1))
        .map_or(50_000, |text| text.parse::<usize>().unwrap().min(200_000));
    engine();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("settle.db");
    measure("SQLite", &format!("sqlite://{}", file.display()), visits);
    match std::env::var("TASUKI_BENCH_POSTGRES_URL") {
        Ok(url) => measure("PostgreSQL", &url, visits),
        Err(_) => println!("PostgreSQL: not measured (TASUKI_BENCH_POSTGRES_URL is not set)"),
    }
    println!("peak memory of this process: {} MB", peak_megabytes());
}

/// The most memory this process has had, by the kernel's count.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn terms() -> SharingTerms {
    let as_of = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    let population = SharingBasis::Population { source: PopulationSource::ResidentRegister, as_of };
    SharingTerms {
        parts: vec![SharingPart { percent: 20, basis: SharingBasis::Equal {} }, SharingPart { percent: 80, basis: population }],
        remainder: SharingRemainder::Lead,
        groups: Vec::new(),
    }
}

fn sharing(first: i64) -> Sharing {
    let bodies: Vec<SharingBody> = (0..BODIES)
        .map(|n| SharingBody {
            id: first + n,
            code: Some(format!("{:06}", first + n)),
            is_lead: n == 0,
            population: Some(u64::try_from(31_847 + n * 7_919).unwrap()),
            ..SharingBody::default()
        })
        .collect();
    Sharing::prepare(&terms(), &bodies).unwrap()
}

/// Shares a second on one core: amounts of everyday size among four bodies.
fn engine() {
    let sharing = sharing(1);
    let (start, mut shares, mut sum) = (Instant::now(), 0_u64, 0_i64);
    let mut amount = 1_i64;
    while start.elapsed() < Duration::from_secs(2) {
        for _ in 0..1_000 {
            amount = (amount * 7_919 + 13) % 100_003;
            let split = sharing.split(Yen::new(amount).unwrap()).unwrap();
            shares += split.shares().len() as u64;
            sum += split.shares()[0].1.get();
        }
    }
    let each_second = shares as f64 / start.elapsed().as_secs_f64();
    println!("engine alone: {:.2} million shares a second on one core (check sum {sum})", each_second / 1e6);
}

fn rules() -> ProgrammeRules {
    let mut rules = presets::all().unwrap().remove(0).rules;
    rules.payers = vec![PayerRule::all(Component::Honorarium, Payer::Host), PayerRule::all(Component::Travel, Payer::Host)];
    rules
}

fn measure(name: &str, url: &str, visits: usize) {
    let mut config = Config::default();
    config.database.url = SecretString::from(url.to_owned());
    config.auth.signing_key = SecretString::from("0123456789abcdef0123456789abcdef-settle".to_owned());
    let app = App::new(config, Clock::system(), None, false).unwrap();
    app.db.read_blocking(migrations::apply).unwrap();
    app.db.write_blocking(|conn| seed::load_built_in(conn, app.clock.now()).map(drop)).unwrap();
    fill(&app, visits);
    // Both ways in turns, so that neither has the warmer cache.
    let plain = timed(|| plain(&app, visits));
    let settled = timed(|| settle(&app, visits));
    let rows = visits * 2 * (1 + usize::try_from(BODIES).unwrap());
    println!(
        "{name}: {rows} rows ({} of shares): plain batched insert {:.1} s, settling {:.1} s, ratio {:.2}",
        visits * 2 * usize::try_from(BODIES).unwrap(),
        plain.as_secs_f64(),
        settled.as_secs_f64(),
        settled.as_secs_f64() / plain.as_secs_f64()
    );
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// A programme's year of so many visits that are done.
fn fill(app: &App, visits: usize) {
    let at = "'2026-04-01 00:00:00', '2026-04-01 00:00:00'";
    let rules = serde_json::to_string(&rules()).unwrap().replace('\'', "''");
    let run = |statement: &str| app.db.write_blocking(|conn| Ok(conn.batch_execute(statement)?)).unwrap();
    run(&format!(
        "INSERT INTO pools (owner_organisation_id, name, expert_title, created_at, updated_at) VALUES (1, '測定', '専門家', {at})"
    ));
    run(&format!("INSERT INTO programmes (pool_id, name, created_at, updated_at) VALUES (1, '測定', {at})"));
    run(&format!(
        "INSERT INTO programme_years (programme_id, fiscal_year, rules, created_at, updated_at) VALUES (1, 2026, '{rules}', {at})"
    ));
    run(&format!(
        "INSERT INTO experts (pool_id, name, search_key, affiliation_kind, email, onsite, online, status, appointed_from, created_at, updated_at)
         VALUES (1, '測定', '測定', 'individual', 'measure@example.jp', TRUE, TRUE, 'registered', '2020-04-01', {at})"
    ));
    let dispatches = visits.div_ceil(VISITS_PER_DISPATCH);
    for first in (1..=dispatches).step_by(200) {
        let rows: Vec<String> = (first..(first + 200).min(dispatches + 1))
            .map(|n| {
                format!(
                    "({n}, 1, 2026, 1, {body}, {body}, 'requested', 'visit', '測定', 'key{n}', '', '', 'onsite', '2026-04-01', '2027-03-31', 100, 240,
                     '', '', '', '', '', '', TRUE, 'decided', '2026-04-01 00:00:00', {at})",
                    body = 10 + n % 80
                )
            })
            .collect();
        run(&format!(
            "INSERT INTO requests (id, programme_id, fiscal_year, owner_organisation_id, applicant_organisation_id, filed_by_organisation_id, origin,
                activity_kind, theme, theme_key, background, goal, mode, period_from, period_to, visit_count, minutes_per_visit, place, audience,
                equipment, department, contact_name, contact_email, leave_to_office, status, submitted_at, created_at, updated_at) VALUES {}",
            rows.join(", ")
        ));
        let rows: Vec<String> = (first..(first + 200).min(dispatches + 1))
            .map(|n| {
                format!("({n}, {n}, 1, 1, {}, 'visit', 2026, 'R8-{n}', '2026-04-01', '2026-04-01', '2027-03-31', 'decided', '{{}}', {at})", 10 + n % 80)
            })
            .collect();
        run(&format!(
            "INSERT INTO dispatches (id, request_id, programme_id, owner_organisation_id, applicant_organisation_id, activity_kind, fiscal_year, number,
                decided_on, period_from, period_to, status, rules, created_at, updated_at) VALUES {}",
            rows.join(", ")
        ));
    }
    for first in (1..=visits).step_by(500) {
        let rows: Vec<String> = (first..(first + 500).min(visits + 1))
            .map(|n| {
                let dispatch = (n - 1) / VISITS_PER_DISPATCH + 1;
                format!(
                    "({n}, 1, 1, {}, 1, {dispatch}, {dispatch}, 'service', 'visit', 'done', '2026-06-01', '2026-06-01', 240, 240, 'onsite', {at})",
                    10 + dispatch % 80
                )
            })
            .collect();
        run(&format!(
            "INSERT INTO visits (id, programme_id, owner_organisation_id, applicant_organisation_id, expert_id, request_id, dispatch_id, origin, activity_kind,
                status, day, load_day, planned_minutes, actual_minutes, mode, created_at, updated_at) VALUES {}",
            rows.join(", ")
        ));
    }
    run(
        "CREATE TABLE plain_items (id BIGINT PRIMARY KEY, programme_id BIGINT NOT NULL, owner_organisation_id BIGINT NOT NULL,
            fiscal_year INTEGER NOT NULL, occurred_on DATE NOT NULL, dispatch_id BIGINT, visit_id BIGINT, expert_id BIGINT, component TEXT NOT NULL,
            amount_yen BIGINT NOT NULL, explanation TEXT NOT NULL, status TEXT NOT NULL, created_at TIMESTAMP NOT NULL);
         CREATE TABLE plain_shares (cost_item_id BIGINT NOT NULL, place INTEGER NOT NULL, organisation_id BIGINT, payer TEXT NOT NULL,
            amount_yen BIGINT NOT NULL, PRIMARY KEY (cost_item_id, place));
         CREATE INDEX plain_shares_organisation_idx ON plain_shares (organisation_id);",
    );
}

/// As many rows of the same content, in batches, without rules, triggers or the engine.
fn plain(app: &App, visits: usize) {
    let items: Vec<usize> = (0..visits * 2).collect();
    for batch in items.chunks(BATCH) {
        app.db
            .write_blocking(|conn| {
                for some in batch.chunks(400) {
                    let rows: Vec<String> = some
                        .iter()
                        .map(|n| {
                            let component = if n % 2 == 0 { "honorarium" } else { "travel" };
                            format!("({n}, 1, 1, 2026, '2026-06-01', {}, {}, 1, '{component}', 20000, '実績240分は240分以上のため1回20,000円', 'calculated', '2026-06-01 00:00:00')", n / 200 + 1, n / 2 + 1)
                        })
                        .collect();
                    conn.batch_execute(&format!("INSERT INTO plain_items VALUES {}", rows.join(", ")))?;
                    let rows: Vec<String> = some
                        .iter()
                        .flat_map(|n| (0..BODIES).map(move |place| format!("({n}, {place}, {}, 'host', 5000)", 10 + place)))
                        .collect();
                    conn.batch_execute(&format!("INSERT INTO plain_shares VALUES {}", rows.join(", ")))?;
                }
                Ok(())
            })
            .unwrap();
    }
}

/// Every visit's honorarium and travel divided by agreement and kept, as the service keeps them.
fn settle(app: &App, visits: usize) {
    let rules = rules();
    let day = chrono::NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
    let now = app.clock.now();
    let numbers: Vec<usize> = (0..visits).collect();
    for batch in numbers.chunks(BATCH / 2) {
        app.db
            .write_blocking(|conn: &mut Conn| {
                let mut items: Vec<(NewCostItem<'_>, Vec<Share>)> = Vec::with_capacity(BATCH);
                let mut parties: Option<(usize, Parties)> = None;
                for n in batch {
                    let dispatch = n / VISITS_PER_DISPATCH;
                    if parties.as_ref().is_none_or(|(known, _)| *known != dispatch) {
                        let first = 10 + i64::try_from(dispatch % 80).unwrap();
                        let single = Parties::single(OrganisationId(1), OrganisationId(first), None);
                        parties = Some((dispatch, Parties { sharing: Some((sharing(first), None)), ..single }));
                    }
                    let (_, who) = parties.as_ref().unwrap();
                    for (component, yen) in
                        [(Component::Honorarium, 20_000), (Component::Travel, 3_481 + i64::try_from(n % 97).unwrap())]
                    {
                        let amount = Yen::new(yen).unwrap();
                        let shares = who.divide(&rules, component, amount)?;
                        items.push((
                            NewCostItem {
                                programme: ProgrammeId(1),
                                owner: OrganisationId(1),
                                fiscal_year: 2026,
                                occurred_on: day,
                                dispatch: Some(DispatchId(i64::try_from(dispatch).unwrap() + 1)),
                                visit: Some(VisitId(i64::try_from(*n).unwrap() + 1)),
                                expert: Some(ExpertId(1)),
                                order: None,
                                settlement: None,
                                adjusts: None,
                                component,
                                amount,
                                paid_directly: 0,
                                paid_minutes: None,
                                first_paid_by: None,
                                agreement: None,
                                payer_rule: None,
                                undisclosed: false,
                                approximate: false,
                                explanation: "実績240分は240分以上のため1回20,000円",
                            },
                            shares,
                        ));
                    }
                }
                store::insert_many(conn, &items, now).map(drop)
            })
            .unwrap();
    }
}
