//! Draining queued mail to a relay on loopback, against a bare lettre loop with as many connections: rates as a ratio in one
//! run, in turns, and the memory of the process that drains. `cargo bench --bench drain [-- --mails 10000 --connections 2
//! --sent 100000 --processes 1]`, with PostgreSQL where `TASUKI_BENCH_POSTGRES_URL` names a throw-away database.
//!
//! The drain is the real program (`tasuki worker`): it claims, builds, hands over and notes every mail. The bare loop builds the
//! same mails with the library and sends them on connections that stay open, and keeps nothing. `--sent` mails of former years
//! lie in the outbox before the drain begins. The clock runs from the first `MAIL` to the last acceptance.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use lettre::Message;
use lettre::message::MultiPart;
use lettre::transport::smtp::client::SmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use secrecy::SecretString;
use tasuki::app::App;
use tasuki::clock::Clock;
use tasuki::config::Config;
use tasuki::db::{Conn, migrations};
use tasuki::error::Locale;
use tasuki::ids::OrganisationId;
use tasuki::notifications::catalogue::EventKind;
use tasuki::notifications::html::html;
use tasuki::notifications::message::{OutgoingMail, message_id_for};
use tasuki::notifications::store::{self, NewMessage};
use tasuki::notifications::transport::{Mailer, SmtpSecurity, SmtpSettings};
use tasuki::organisations::seed;

/// What the mails are called.
const SUBJECT: &str = "【たすき】派遣の日程が決まりました";
/// Turns each side takes.
const TURNS: usize = 3;
/// Mails to each person.
const EACH: usize = 4;
/// Longest wait for one drain.
const DEADLINE: Duration = Duration::from_secs(600);

#[derive(Clone, Copy)]
struct Size {
    mails: usize,
    connections: usize,
    processes: usize,
    sent: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, default: usize| {
        let position = arguments.iter().position(|argument| argument == name);
        position.and_then(|position| arguments.get(position + 1)).map_or(default, |text| text.parse().unwrap())
    };
    let size = Size {
        mails: number("--mails", 10_000),
        connections: number("--connections", 2),
        processes: number("--processes", 1),
        sent: number("--sent", 100_000),
    };
    let port = || u16::try_from(number("--port", 0)).unwrap();
    match arguments.iter().find(|argument| ["--bare", "--prompt"].contains(&argument.as_str())).map(String::as_str) {
        Some("--bare") => return bare(port(), size),
        Some(_) => return prompt(port(), size),
        None => {}
    }
    let folder = tempfile::tempdir().unwrap();
    measure("SQLite", &format!("sqlite:{}", folder.path().join("drain.db").display()), size);
    match std::env::var("TASUKI_BENCH_POSTGRES_URL") {
        Ok(url) => measure("PostgreSQL", &url, size),
        Err(_) => println!("PostgreSQL: not measured (TASUKI_BENCH_POSTGRES_URL is not set)"),
    }
}

/// What a mail says: as long as a real one, in Japanese.
fn text(n: usize) -> String {
    let line = "○○町 企画課 御中　専門家派遣の日程が決まりました。次の内容をご確認のうえ、期限までにご回答ください。\n";
    format!("{}\nhttps://tasuki.example.jp/requests/{n}\n\n{}", line.repeat(3), line.repeat(8))
}

fn address(n: usize) -> String {
    format!("person-{}@town.example.jp", n / EACH)
}

fn measure(name: &str, url: &str, size: Size) {
    let app = prepare(url, size);
    let sink = Sink::start();
    let (mut ours, mut plain, mut swift, mut peak) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for turn in 0..TURNS {
        for (which, rates) in [("--bare", &mut plain), ("--prompt", &mut swift)] {
            // The library's own connection waits for the other side's acknowledgement in each mail: fewer will do.
            let mails = if which == "--bare" { size.mails.div_ceil(10) } else { size.mails };
            sink.begin(mails);
            let loops = Ended(vec![
                Command::new(std::env::current_exe().unwrap())
                    .args([which, "--port", &sink.port.to_string(), "--mails", &mails.to_string()])
                    .args(["--connections", &(size.connections * size.processes).to_string()])
                    .spawn()
                    .unwrap(),
            ]);
            rates.push(sink.rate());
            drop(loops);
        }

        fill(&app, turn, size.mails);
        sink.begin(size.mails);
        let mut workers = Ended((0..size.processes).map(|_| worker(url, sink.port, size)).collect());
        ours.push(sink.rate());
        peak = peak.max(workers.0.iter().map(|child| peak_megabytes(child.id())).max().unwrap());
        workers.stop();
        let left: i64 = app.db.read_blocking(|conn| count(conn, "status <> 'sent'")).unwrap();
        assert_eq!(left, 0, "everything is noted once the worker has stopped");
    }
    let best = |rates: &[f64]| rates.iter().copied().fold(0.0, f64::max);
    let (ours, plain, swift) = (best(&ours), best(&plain), best(&swift));
    println!(
        "{name}: {} mails beside {} of former years, {} process(es) of {} connection(s)\n  drain {ours:>8.0}/s   bare lettre {plain:>8.0}/s   \
         the same loop on connections that send at once {swift:>8.0}/s\n  ratio {:.0} % and {:.0} %; peak memory of a worker {peak} MB",
        size.mails,
        size.sent,
        size.processes,
        size.connections,
        100.0 * ours / plain,
        100.0 * ours / swift,
    );
}

fn prepare(url: &str, size: Size) -> Arc<App> {
    let mut config = Config::default();
    config.database.url = SecretString::from(url.to_owned());
    config.database.statement_timeout_ms = 600_000;
    let app = App::new(config, Clock::system(), None, false).unwrap();
    app.db.read_blocking(migrations::apply).unwrap();
    let now = app.clock.now();
    app.db.write_blocking(|conn| seed::load_built_in(conn, now)).unwrap();
    fill(&app, usize::MAX, size.sent);
    execute(&app, "UPDATE outbox_messages SET status = 'sent', attempts = 1, sent_at = created_at");
    // What a server's own upkeep does by itself after a while.
    match app.db.read_blocking(|conn| Ok(matches!(conn, Conn::Postgres(_)))).unwrap() {
        true => vacuum(&app),
        false => execute(&app, "ANALYZE"),
    }
    app
}

/// Not in a transaction.
fn vacuum(app: &App) {
    app.db.read_blocking(|conn| Ok(conn.batch_execute("VACUUM ANALYZE outbox_messages")?)).unwrap();
}

fn execute(app: &App, statement: &str) {
    app.db.write_blocking(|conn| Ok(conn.batch_execute(statement)?)).unwrap();
}

fn count(conn: &mut Conn, condition: &str) -> Result<i64, tasuki::error::Error> {
    use diesel::RunQueryDsl as _;
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    let row: Row = diesel::sql_query(format!("SELECT COUNT(*) AS n FROM outbox_messages WHERE {condition}")).get_result(conn)?;
    Ok(row.n)
}

fn fill(app: &App, turn: usize, mails: usize) {
    for from in (0..mails).step_by(1_000) {
        let now = app.clock.now();
        app.db
            .write_blocking(|conn| {
                for n in from..(from + 1_000).min(mails) {
                    let key = format!("{turn}:{n}");
                    let (to, body) = (address(n), text(n));
                    let new = NewMessage {
                        event: EventKind::RequestSubmitted,
                        message_id: message_id_for(&key, "pref.example.jp"),
                        dedupe_key: key,
                        owner: OrganisationId(1),
                        entity: ("request".to_owned(), 1),
                        recipient_address: to,
                        recipient_name: "企画課 御中".to_owned(),
                        subject: SUBJECT.to_owned(),
                        body,
                        secret: None,
                        thread_id: "<thread@pref.example.jp>".to_owned(),
                        calendars: None,
                        locale: Locale::Ja,
                        at: now,
                    };
                    store::insert(conn, &[new])?;
                }
                Ok(())
            })
            .unwrap();
    }
}

fn worker(url: &str, port: u16, size: Size) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tasuki"))
        .arg("worker")
        .env_clear()
        .env("TASUKI_DATABASE__URL", url)
        .env("TASUKI_SMTP__HOST", "127.0.0.1")
        .env("TASUKI_SMTP__PORT", port.to_string())
        .env("TASUKI_SMTP__SECURITY", "none")
        .env("TASUKI_SMTP__FROM_ADDRESS", "tasuki@pref.example.jp")
        .env("TASUKI_WORKER__POLL_SECONDS", "1")
        .env("TASUKI_WORKER__MAIL_CONNECTIONS", size.connections.to_string())
        .env("TASUKI_LOG__LEVEL", "warn")
        .spawn()
        .unwrap()
}

/// Processes that end with the measurement, however it ends.
struct Ended(Vec<Child>);

impl Ended {
    /// As an operator stops them: what they have begun is noted.
    fn stop(&mut self) {
        for child in &self.0 {
            Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        }
        for child in &mut self.0 {
            child.wait().unwrap();
        }
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The most memory a process has had, by the kernel's count.
fn peak_megabytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// The loop that keeps nothing.
fn bare(port: u16, size: Size) {
    let page = html(SUBJECT, &text(0), Locale::Ja, "https://tasuki.example.jp");
    let next = Mutex::new(0..size.mails);
    std::thread::scope(|scope| {
        for _ in 0..size.connections {
            scope.spawn(|| {
                let hello = ClientId::default();
                let address = ("127.0.0.1", port);
                let mut connection = SmtpConnection::connect(address, Some(Duration::from_secs(30)), &hello, None, None).unwrap();
                loop {
                    let Some(n) = next.lock().unwrap().next() else { break };
                    let message = Message::builder()
                        .message_id(Some(message_id_for(&format!("bare:{n}"), "pref.example.jp")))
                        .from("たすき <tasuki@pref.example.jp>".parse().unwrap())
                        .to(format!("企画課 御中 <{}>", self::address(n)).parse().unwrap())
                        .subject(SUBJECT)
                        .multipart(MultiPart::alternative_plain_html(text(n), page.clone()))
                        .unwrap();
                    connection.send(message.envelope(), &message.formatted()).unwrap();
                }
                connection.quit().unwrap();
            });
        }
    });
}

fn mail(n: usize, message_id: String) -> OutgoingMail {
    let text = text(n);
    OutgoingMail {
        message_id,
        from_address: "tasuki@pref.example.jp".to_owned(),
        from_name: "たすき".to_owned(),
        envelope_from: None,
        to_address: address(n),
        to_name: Some("企画課 御中".to_owned()),
        subject: SUBJECT.to_owned(),
        html: Some(html(SUBJECT, &text, Locale::Ja, "https://tasuki.example.jp")),
        text,
        calendars: Vec::new(),
        unsubscribe: None,
        in_reply_to: None,
        references: None,
        date: Clock::system().now().instant(),
    }
}

/// The same loop on this program's own connections, which do not wait for acknowledgements (`TCP_NODELAY`): what the network
/// alone would allow.
fn prompt(port: u16, size: Size) {
    let mailer = Mailer::smtp(SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        security: SmtpSecurity::None,
        username: None,
        password: None,
        ca_file: None,
        timeout: Duration::from_secs(30),
        bounce_address: None,
        max_per_connection: 0,
    })
    .unwrap();
    let next = Mutex::new(0..size.mails);
    std::thread::scope(|scope| {
        for _ in 0..size.connections {
            scope.spawn(|| {
                loop {
                    let Some(n) = next.lock().unwrap().next() else { break };
                    let id = message_id_for(&format!("prompt:{n}"), "pref.example.jp");
                    mailer.send(&mail(n, id)).unwrap();
                }
            });
        }
    });
}

#[derive(Default)]
struct Arrived {
    ids: HashSet<String>,
    wanted: usize,
    began: Option<Instant>,
    ended: Option<Instant>,
    repeated: usize,
}

/// A relay that takes everything and counts.
struct Sink {
    port: u16,
    arrived: Arc<(Mutex<Arrived>, Condvar)>,
}

impl Sink {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let arrived = Arc::new((Mutex::new(Arrived::default()), Condvar::new()));
        let shared = Arc::clone(&arrived);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // Whoever leaves without a goodbye ends only its own thread.
                std::thread::spawn(move || drop(serve(&stream, &shared)));
            }
        });
        Self { port, arrived }
    }

    fn begin(&self, wanted: usize) {
        *self.arrived.0.lock().unwrap() = Arrived { wanted, ..Arrived::default() };
    }

    /// Waits for all mails; how many came in a second.
    fn rate(&self) -> f64 {
        let (state, ended) = &*self.arrived;
        let (state, waited) = ended.wait_timeout_while(state.lock().unwrap(), DEADLINE, |state| state.ended.is_none()).unwrap();
        assert!(!waited.timed_out(), "{} of {} mails came", state.ids.len(), state.wanted);
        assert_eq!(state.repeated, 0, "each mail once");
        state.wanted as f64 / (state.ended.unwrap() - state.began.unwrap()).as_secs_f64()
    }
}

fn serve(stream: &TcpStream, shared: &(Mutex<Arrived>, Condvar)) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut input, mut out) = (BufReader::with_capacity(64 * 1024, stream), stream);
    out.write_all(b"220 sink\r\n")?;
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.get(..4) {
            Some("EHLO") => out.write_all(b"250-sink\r\n250 8BITMIME\r\n")?,
            Some("MAIL") => {
                shared.0.lock().unwrap().began.get_or_insert_with(Instant::now);
                out.write_all(b"250 ok\r\n")?;
            }
            Some("DATA") => {
                out.write_all(b"354 go on\r\n")?;
                let mut id = String::new();
                loop {
                    line.clear();
                    if input.read_line(&mut line)? == 0 {
                        return Ok(());
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    if id.is_empty() && line.starts_with("Message-ID:") {
                        id.clone_from(&line);
                    }
                }
                {
                    let mut state = shared.0.lock().unwrap();
                    if !state.ids.insert(id) {
                        state.repeated += 1;
                    }
                    if state.ids.len() == state.wanted {
                        state.ended = Some(Instant::now());
                        shared.1.notify_all();
                    }
                }
                out.write_all(b"250 taken\r\n")?;
            }
            Some("QUIT") => return out.write_all(b"221 bye\r\n"),
            _ => out.write_all(b"250 ok\r\n")?,
        }
    }
}
