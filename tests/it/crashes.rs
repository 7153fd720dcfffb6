//! SIGKILL of the real program at random moments: no mail that was acknowledged is lost, and one is sent twice only when the
//! kill fell between the relay's acceptance and our note of it, and then under the same Message-ID.
//!
//! The moments are counted, not timed: a kill falls at the n-th thing that happens, where every step of every SMTP session and
//! every line of the program's log is a thing. Leases and waits of the dead are over because the test moves their time back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Duration;
use diesel::prelude::*;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tasuki::auth::policy::Role;
use tasuki::clock::Clock;
use tasuki::db::schema::outbox_messages as outbox;
use tasuki::notifications::telling::tell_due;
use tasuki::notifications::transport::{Mailer, SmtpSecurity};
use tasuki::notifications::worker::send_due;

use crate::support::database::{self, Fresh};
use crate::support::relay::{enqueue, settings};
use crate::support::server::TestApp;
use crate::support::smtp::SmtpSink;
use crate::support::tools::{number, sql};
use crate::support::world::{body, token, user};

/// Kills on each of the two databases.
fn kills() -> usize {
    if std::env::var_os("TEST_FULL").is_some() { 500 } else { 30 }
}

/// The same numbers in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides).unwrap()
    }
}

/// A process that is killed at the n-th thing that happens.
#[derive(Default)]
struct Victim {
    child: Mutex<Option<Child>>,
    happened: AtomicUsize,
    killed_at: AtomicUsize,
}

impl Victim {
    fn tick(&self) {
        let happened = self.happened.fetch_add(1, Ordering::SeqCst) + 1;
        // From then on everything kills: the count may have passed the moment while it was set.
        if self.is_armed() && happened >= self.killed_at.load(Ordering::SeqCst) {
            self.kill();
        }
    }

    /// The kill falls at the n-th thing from now on.
    fn arm(&self, n: usize) {
        self.killed_at.store(self.happened.load(Ordering::SeqCst) + n, Ordering::SeqCst);
    }

    fn is_armed(&self) -> bool {
        self.killed_at.load(Ordering::SeqCst) > 0
    }

    fn kill(&self) {
        if let Some(child) = &mut *self.child.lock().unwrap_or_else(PoisonError::into_inner) {
            child.kill().unwrap();
        }
    }
}

fn server(app: &TestApp, relay: u16, address: SocketAddr) -> Command {
    let config = &app.app.config;
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki"));
    command.arg("serve").env_clear().stderr(Stdio::piped());
    for (name, value) in [
        ("DATABASE__URL", config.database.url.expose_secret()),
        ("AUTH__SIGNING_KEY", config.auth.signing_key.expose_secret()),
        // What is sent holds the service's own address.
        ("BASE_URL", config.base_url.as_str()),
        ("LISTEN", address.to_string().as_str()),
        ("SMTP__HOST", "127.0.0.1"),
        ("SMTP__PORT", relay.to_string().as_str()),
        ("SMTP__SECURITY", "none"),
        ("SMTP__FROM_ADDRESS", config.smtp.from_address.as_str()),
        ("SMTP__FROM_NAME", config.smtp.from_name.as_str()),
        ("WORKER__POLL_SECONDS", "1"),
        ("LOG__LEVEL", "tasuki=debug"),
    ] {
        command.env(format!("TASUKI_{name}"), value);
    }
    command
}

/// Invites people until the server is gone; returns those whose invitation it acknowledged. The first acknowledgement
/// arms the kill where nothing has yet.
fn invite_until_killed(
    victim: &Victim,
    moment: usize,
    address: SocketAddr,
    token: &str,
    body_of: &dyn Fn(usize) -> Value,
) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let gone = || match &mut *victim.child.lock().unwrap() {
        Some(child) => child.try_wait().unwrap().is_some(),
        None => true,
    };
    for n in 0.. {
        let body = body_of(n);
        let email = body["email"].as_str().unwrap().to_owned();
        let body = body.to_string();
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(address)?;
            write!(
                stream,
                "POST /api/v1/users HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
                 Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        match ask() {
            Ok(answer) if answer.starts_with("HTTP/1.1 201") => {
                acknowledged.push(email);
                if !victim.is_armed() {
                    victim.arm(moment);
                }
            }
            Ok(answer) if answer.starts_with("HTTP/1.1 4") => {
                victim.kill();
                panic!("{answer}");
            }
            Ok(_) => {}
            Err(_) => std::thread::yield_now(),
        }
        if gone() {
            break;
        }
    }
    acknowledged
}

/// State of each mail, by its Message-ID.
fn states(app: &TestApp) -> BTreeMap<String, String> {
    let rows: Vec<(String, String)> =
        app.app.db.read_blocking(|conn| Ok(outbox::table.select((outbox::message_id, outbox::status)).load(conn)?)).unwrap();
    rows.into_iter().collect()
}

fn campaign(name: &str, fresh: Fresh, seed: u64) {
    let victim = Arc::new(Victim::default());
    let watched = Arc::clone(&victim);
    let sink = SmtpSink::watched(move || watched.tick());
    let relay = sink.port();
    let app = TestApp::with_relay(fresh, Mailer::smtp(settings(relay, SmtpSecurity::None)).unwrap());
    // The program has the machine's time.
    app.app.clock.set(Clock::system().now());
    let (person, _) = user(&app, "coordinator@pref.example.jp", "静岡 花子", body(&app, "220001"), Role::PrefecturalCoordinator);
    let (token, organisation) = (token(&app, person), body(&app, "221309"));

    let mut dice = Dice(seed);
    let mut acknowledged: BTreeSet<String> = BTreeSet::new();
    let (mut noted, mut received): (BTreeSet<String>, usize) = (BTreeSet::new(), 0);
    let mut untold = 0;
    // How often each mail was accepted without a note of it surviving.
    let mut open: BTreeMap<String, usize> = BTreeMap::new();
    for round in 0..kills() {
        // In turns: a full outbox that is sent from the first moment, and mails that come in one by one.
        let (full, moment) = (round % 2 == 0, 1 + dice.roll(120));
        victim.happened.store(0, Ordering::SeqCst);
        victim.killed_at.store(if full { moment } else { 0 }, Ordering::SeqCst);
        if full {
            let subjects: Vec<String> = (0..2).map(|n| format!("第{round}-{n}報")).collect();
            let people: Vec<String> = (0..8).map(|n| format!("person-{n}@example.jp")).collect();
            let mails: Vec<(&str, &str)> =
                subjects.iter().flat_map(|subject| people.iter().map(move |to| (to.as_str(), subject.as_str()))).collect();
            enqueue(&app, mails);
        }
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let invitation = |n: usize| {
            let membership = json!({"organisation_id": organisation, "role": "municipal_staff", "valid_from": "2026-04-01"});
            json!({"email": format!("guest-{round}-{n}@example.jp"), "name": "鈴木 花子", "memberships": [membership]})
        };
        let mut child = server(&app, relay, address).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        *victim.child.lock().unwrap() = Some(child);
        std::thread::scope(|scope| {
            let inviting = scope.spawn(|| invite_until_killed(&victim, moment, address, &token, &invitation));
            // The log ends when the process does.
            lines.lines().map_while(Result::ok).for_each(|_| victim.tick());
            victim.child.lock().unwrap().as_mut().unwrap().wait().unwrap();
            acknowledged.extend(inviting.join().unwrap());
        });
        sink.wait_until_alone();
        let (mails, states) = (sink.messages(), states(&app));
        for mail in &mails[received..] {
            let id = mail.header("Message-ID").to_owned();
            assert!(!noted.contains(&id), "{id} was noted as sent and sent again");
            if states[&id] != "sent" {
                *open.entry(id).or_default() += 1;
            }
        }
        untold += number(&app, "SELECT COUNT(*) FROM event_tellings");
        received = mails.len();
        noted = states.into_iter().filter(|(_, state)| state == "sent").map(|(id, _)| id).collect();
        sql(&app, "UPDATE outbox_messages SET claimed_until = '2026-01-01 00:00:00' WHERE status = 'sending'").unwrap();
        sql(&app, "UPDATE outbox_messages SET next_attempt_at = '2026-01-01 00:00:00' WHERE status = 'queued'").unwrap();
    }
    // What is left leaves with a worker that nobody kills.
    app.app.clock.set(Clock::system().now());
    tell_due(&app.app, &|| true).unwrap();
    for _ in 0..48 {
        send_due(&app.app, "last", &|| true).unwrap();
        app.advance(Duration::hours(1));
    }
    let mut receipts: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for mail in sink.messages() {
        receipts.entry(mail.header("Message-ID").to_owned()).or_default().push(mail.raw);
    }
    for (id, state) in states(&app) {
        assert_eq!(state, "sent", "{id}");
        let copies = receipts.get(&id).map_or(0, Vec::len);
        let bound = 1 + open.get(&id).copied().unwrap_or(0);
        assert!((1..=bound).contains(&copies), "{id} arrived {copies} times; {bound} at most can be explained by kills");
        assert!(receipts[&id].windows(2).all(|pair| pair[0] == pair[1]), "a repeat is the same byte for byte");
    }
    let reached: BTreeSet<String> = sink.messages().iter().map(|mail| mail.envelope_to[0].clone()).collect();
    assert!(!acknowledged.is_empty(), "the server lived long enough to be asked");
    let lost: Vec<&String> = acknowledged.difference(&reached).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let duplicates: usize = receipts.values().map(|copies| copies.len() - 1).sum();
    // Past the capture of the test's output: the count is a result, not a message of failure.
    let told = format!(
        "{name}: {} kills, {} mails ({} invitations acknowledged meanwhile), 0 lost, {duplicates} sent twice, each with its \
         Message-ID, after {} acceptances whose note did not survive; {untold} times a kill left an event still to be told\n",
        kills(),
        receipts.len(),
        acknowledged.len(),
        open.values().sum::<usize>(),
    );
    std::io::stderr().write_all(told.as_bytes()).unwrap();
}

#[test]
fn sqlite() {
    campaign("SQLite", database::sqlite(), 20_260_406);
}

#[test]
fn postgres() {
    if let Some(fresh) = database::postgres() {
        campaign("PostgreSQL", fresh, 20_260_407);
    }
}
