//! Load figures as ratios in one run: real endpoints of a release build against a bare actix endpoint that returns the
//! same bytes. Loopback only, bounded in time; it stops what it started by its process id.
//!
//! `cargo bench --bench load [-- --seconds 5 --experts 10000 --visits 100000 --requests 20000]`; with `--keep FILE` it only makes
//! the data, for a service that is looked at otherwise (`tests/browser/pace.mjs`).

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]

mod client;
mod data;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use actix_web::{App as ActixApp, HttpResponse, HttpServer, web};
use client::{Figures, load};
use data::{Size, fill};
use secrecy::SecretString;
use tasuki::app::App;
use tasuki::clock::Clock;
use tasuki::config::Config;
use tasuki::db::migrations;
use tasuki::experts::frameworks;
use tasuki::organisations::seed;

const KEY: &str = "0123456789abcdef0123456789abcdef-load";
const CONNECTIONS: usize = 16;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(position) = arguments.iter().position(|argument| argument == "--bare") {
        bare(&arguments[position + 1]);
        return;
    }
    let number = |name: &str, default: usize| {
        arguments
            .iter()
            .position(|argument| argument == name)
            .and_then(|position| arguments.get(position + 1))
            .map_or(default, |text| text.parse().unwrap())
    };
    let seconds = number("--seconds", 5).min(60);
    let size = Size {
        experts: number("--experts", 10_000),
        visits: number("--visits", 100_000),
        requests: number("--requests", 20_000),
    };
    let keep = arguments.iter().position(|argument| argument == "--keep").map(|place| arguments[place + 1].as_str());
    run(Duration::from_secs(seconds as u64), size, keep);
}

/// A process that is ended when the measurement ends, however it ends.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(time: Duration, size: Size, keep: Option<&str>) {
    let folder = tempfile::TempDir::new().unwrap();
    let url = keep.map_or_else(|| format!("sqlite:{}", folder.path().join("load.db").display()), |file| format!("sqlite:{file}"));
    let mut config = Config::default();
    config.database.url = SecretString::from(url.clone());
    config.auth.signing_key = SecretString::from(KEY);
    let app = App::new(config, Clock::system(), None, false).unwrap();
    let now = app.clock.now();
    let started = Instant::now();
    app.db.read_blocking(migrations::apply).unwrap();
    let made = app
        .db
        .write_blocking(|conn| {
            seed::load_built_in(conn, now)?;
            frameworks::load_built_in(conn, now)?;
            fill(conn, &app, size, now)
        })
        .unwrap();
    app.db.write_blocking(|conn| Ok(tasuki::db::dialect::refresh_statistics(conn)?)).unwrap();
    let (token, _) = app.keys.issue(made.session, now).unwrap();
    println!(
        "data: {} experts, {} visits, {} requests in {:.1} s",
        size.experts,
        size.visits,
        size.requests,
        started.elapsed().as_secs_f64()
    );
    drop(app);
    if let Some(file) = keep {
        println!("kept in {file}; signing key {KEY}");
        return;
    }

    let port = free_port();
    let started = Instant::now();
    let server = Ended(
        Command::new(env!("CARGO_BIN_EXE_tasuki"))
            .arg("serve")
            .env("TASUKI_DATABASE__URL", &url)
            .env("TASUKI_AUTH__SIGNING_KEY", KEY)
            .env("TASUKI_LISTEN", format!("127.0.0.1:{port}"))
            .env("TASUKI_LIMITS__REQUESTS_PER_MINUTE", "100000000")
            .env("TASUKI_LOG__LEVEL", "error")
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap(),
    );
    let ready = loop {
        if client::get(port, "/readyz", None).is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200")) {
            break started.elapsed();
        }
        assert!(started.elapsed() < Duration::from_secs(30), "the server does not become ready");
        std::thread::sleep(Duration::from_millis(1));
    };
    println!("ready after {:.0} ms; resident {} MiB", ready.as_secs_f64() * 1000.0, resident(server.0.id()));

    let experts =
        format!("/api/v1/experts?pool_id={}&skills_all={}:2&mode=online&status=registered&limit=20", made.pool, made.skill);
    let search = experts.clone();
    let requests = format!("/api/v1/requests?programme_id={}&status=submitted&limit=50", made.programme);
    let cases = [("expert search (3 filters, 20 rows)", experts), ("request list (50 rows)", requests)];
    for (name, path) in cases {
        let answer = client::get(port, &path, Some(&token)).unwrap();
        let body = client::body(&answer).to_vec();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{name}: {}", String::from_utf8_lossy(&answer));
        let file = folder.path().join("body.json");
        std::fs::write(&file, &body).unwrap();
        let (bare, bare_port) = start_bare(&file);
        // Alternate, so that a noisy moment meets both.
        let mut real_runs = Vec::new();
        let mut bare_runs = Vec::new();
        for _ in 0..3 {
            bare_runs.push(load(bare_port, "/", None, CONNECTIONS, time / 3));
            real_runs.push(load(port, &path, Some(&token), CONNECTIONS, time / 3));
        }
        drop(bare);
        let (real, bare) = (Figures::merge(real_runs), Figures::merge(bare_runs));
        println!(
            "{name}: {} bytes\n  real {:>8.0}/s p50 {:.2} ms p99 {:.2} ms  errors {}\n  bare {:>8.0}/s p50 {:.2} ms p99 {:.2} ms\n  ratio {:.1} % of bare; p99 {:.1} x bare",
            body.len(),
            real.per_second,
            real.p50,
            real.p99,
            real.errors,
            bare.per_second,
            bare.p50,
            bare.p99,
            100.0 * real.per_second / bare.per_second,
            real.p99 / bare.p99,
        );
    }
    let candidates = format!("/api/v1/requests/{}/candidates?limit=20", made.request);
    compare(port, &token, ("ranked candidates", &candidates), ("plain search of the same filters", &search), time);
    println!("resident after load {} MiB", resident(server.0.id()));
}

/// How much longer one request takes than another, one at a time, in turns.
fn compare(port: u16, token: &str, (name, path): (&str, &str), (other, beside): (&str, &str), time: Duration) {
    let begun = Instant::now();
    let answer = client::get(port, path, Some(token)).unwrap();
    let first = begun.elapsed();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{name}: {}", String::from_utf8_lossy(&answer));
    let (mut own, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        plain.push(load(port, beside, Some(token), 1, time / 3));
        own.push(load(port, path, Some(token), 1, time / 3));
    }
    let (own, plain) = (Figures::merge(own), Figures::merge(plain));
    println!(
        "{name}: first {first:.0?}, then p50 {:.2} ms p99 {:.2} ms; {other}: p50 {:.2} ms p99 {:.2} ms; ratio {:.2} (p50)",
        own.p50,
        own.p99,
        plain.p50,
        plain.p99,
        own.p50 / plain.p50,
    );
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Resident memory of a process in MiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// This program again, as the bare server of one body.
fn start_bare(file: &Path) -> (Ended, u16) {
    let mut child =
        Command::new(std::env::current_exe().unwrap()).arg("--bare").arg(file).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Ended(child), line.trim().parse().unwrap())
}

fn bare(file: &str) {
    let body = web::Bytes::from(std::fs::read(file).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    actix_web::rt::System::new().block_on(async move {
        HttpServer::new(move || {
            let body = body.clone();
            ActixApp::new().default_service(web::to(move || {
                let body = body.clone();
                async move { HttpResponse::Ok().content_type("application/json").body(body) }
            }))
        })
        .listen(listener)
        .unwrap()
        .run()
        .await
        .unwrap();
    });
}
