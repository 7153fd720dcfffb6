//! A real server in process, on loopback, with a fixed clock.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use tasuki::app::App;
use tasuki::clock::{Clock, UtcTime};
use tasuki::config::Config;
use tasuki::http::server;
use tasuki::jobs::worker::{Round, plan_due, run_due};
use tasuki::notifications::transport::{Mailer, Sent};
use tasuki::webhooks::delivery::deliver_due;

use super::client::Client;
use super::database::{self, Fresh};
use super::queries;

/// The server, its application and the mail it sent.
pub struct TestApp {
    pub app: Arc<App>,
    pub base: String,
    pub sent: Arc<Mutex<Vec<Sent>>>,
    handle: actix_web::dev::ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
    _database: Fresh,
}

/// 2026-04-06 (Monday) 10:00 in Japan.
pub fn start_of_tests() -> UtcTime {
    at("2026-04-06T10:00:00+09:00")
}

/// An instant from RFC 3339.
pub fn at(text: &str) -> UtcTime {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).unwrap()
}

impl TestApp {
    pub fn sqlite() -> Self {
        Self::configured(database::sqlite(), |_| None)
    }

    pub fn postgres() -> Option<Self> {
        database::postgres().map(|fresh| Self::configured(fresh, |_| None))
    }

    /// A server that hands its mail to a relay instead of keeping it in memory.
    pub fn with_relay(fresh: Fresh, mailer: Mailer) -> Self {
        Self::configured(fresh, |_| Some(mailer))
    }

    /// A server with a changed configuration, and a relay if `change` names one.
    pub fn configured(fresh: Fresh, change: impl FnOnce(&mut Config) -> Option<Mailer>) -> Self {
        queries::listen();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut config = Config { base_url: base.clone(), http_workers: 2, ..Config::default() };
        config.database.url = SecretString::from(fresh.url());
        config.auth.signing_key = SecretString::from("0123456789abcdef0123456789abcdef-tests");
        config.limits.requests_per_minute = 100_000;
        // A race of many on a slow machine queues at one row; that is no time-out.
        config.database.statement_timeout_ms = 60_000;
        // Receivers of webhooks stand on loopback, at any port.
        config.webhooks.key = SecretString::from("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
        config.webhooks.allow = vec!["127.0.0.0/8".to_owned()];
        config.webhooks.http_inside = true;
        config.webhooks.ports = (1024..=u16::MAX).collect();
        config.smtp.from_address = "tasuki@pref.example.jp".to_owned();
        config.smtp.from_name = "静岡県デジタル戦略課".to_owned();
        // One after another, so that a scripted relay meets the mails in order; tests of several say so.
        config.worker.mail_connections = 1;
        let relay = change(&mut config);
        let (memory, sent) = Mailer::memory();
        let clock = Clock::fixed(start_of_tests());
        let app = App::new(config, clock, Some(relay.unwrap_or(memory)), false).unwrap();
        let (send, receive) = std::sync::mpsc::channel();
        let served = Arc::clone(&app);
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = server::start(&served, listener).unwrap();
                send.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        let handle = receive.recv().unwrap();
        Self { app, base, sent, handle, thread: Some(thread), _database: fresh }
    }

    /// A client without credentials.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.base, None, &self.app)
    }

    /// A client with an access token or API key.
    pub fn with_token(&self, token: &str) -> Client {
        Client::new(&self.base, Some(token.to_owned()), &self.app)
    }

    /// Moves the clock to an instant such as `2026-05-01T09:00:00+09:00`.
    pub fn set_time(&self, text: &str) {
        self.app.clock.set(at(text));
    }

    /// Moves the clock on.
    pub fn advance(&self, duration: chrono::Duration) {
        let now = self.app.clock.now();
        self.app.clock.set(now.plus(duration));
    }

    /// Does all background work that is due.
    pub fn run_jobs(&self) -> Round {
        let round = run_due(&self.app, "test-worker").unwrap();
        plan_due(&self.app, "test-worker", &|| true).unwrap();
        deliver_due(&self.app, &|| true).unwrap();
        round
    }

    /// Sends what is due and returns the mails to an address, oldest first.
    pub fn mails_to(&self, address: &str) -> Vec<Sent> {
        self.run_jobs();
        self.sent.lock().unwrap().iter().filter(|sent| sent.mail.to_address == address).cloned().collect()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
