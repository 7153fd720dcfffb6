//! `serve`, `worker`, `demo`.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;
use secrecy::SecretString;

use super::{Failure, application};
use crate::app::App;
use crate::auth::secrets;
use crate::clock::Clock;
use crate::config::{Config, LogConfig, LogFormat};
use crate::db::migrations::{self, SchemaState};
use crate::demo;
use crate::http::server;
use crate::jobs::worker::Worker;
use crate::notifications::transport::Mailer;
use crate::ops::telemetry;

pub(super) fn serve(config: Config) -> Result<(), Failure> {
    config.check_for_serving().map_err(|problem| Failure(problem.to_string()))?;
    telemetry::start(&config.log);
    for warning in config.warnings() {
        tracing::warn!(warning, "configuration");
    }
    let app = application(config)?;
    require_current_schema(&app)?;
    let listener = listen(&app.config.listen)?;
    let worker = if app.config.worker.enabled { Some(Worker::start(&app)?) } else { None };
    let outcome = run_server(&app, listener);
    if let Some(worker) = worker {
        worker.stop();
    }
    outcome
}

pub(super) fn worker(mut config: Config) -> Result<(), Failure> {
    // A worker looks at few rows, again and again: what it mapped of the database would only count as its memory.
    config.database.mapped_mib = 0;
    telemetry::start(&config.log);
    let app = application(config)?;
    require_current_schema(&app)?;
    let worker = Worker::start(&app)?;
    let outcome = actix_web::rt::System::new().block_on(stop_signal());
    worker.stop();
    outcome
}

pub(super) fn demo(port: u16, data: Option<PathBuf>, today: Option<NaiveDate>) -> Result<(), Failure> {
    telemetry::start(&LogConfig { format: LogFormat::Text, level: "warn".to_owned() });
    let name = secrets::short_name()?;
    let (folder, temporary) = match data {
        Some(folder) => (folder, false),
        None => (std::env::temp_dir().join(format!("tasuki-demo-{name}")), true),
    };
    std::fs::create_dir_all(&folder).map_err(|e| Failure(format!("{}: {e}", folder.display())))?;
    let listener = listen(&format!("127.0.0.1:{port}"))?;
    let address = listener.local_addr().map_err(|e| Failure(e.to_string()))?;
    let mut config = Config { base_url: format!("http://{address}"), ..Config::default() };
    config.database.url = SecretString::from(format!("sqlite:{}", folder.join("demo.db").display()));
    config.auth.signing_key = SecretString::from(secrets::generate()?);
    config.worker.poll_seconds = 1;
    let clock = today.map_or_else(Clock::system, Clock::shifted_to);
    let (mailer, _) = Mailer::memory();
    let app = App::new(config, clock, Some(mailer), true)?;
    demo::prepare(&app)?;
    print!("{}", demo::welcome(&app));
    let worker = Worker::start(&app)?;
    let outcome = run_server(&app, listener);
    worker.stop();
    if temporary {
        let _ = std::fs::remove_dir_all(&folder);
    }
    outcome
}

fn listen(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).map_err(|e| Failure(format!("cannot listen on {address}: {e}")))
}

fn require_current_schema(app: &Arc<App>) -> Result<(), Failure> {
    match app.db.read_blocking(migrations::state)? {
        SchemaState::Current => Ok(()),
        SchemaState::Behind(missing) => Err(Failure(format!("{missing} migrations have not run: run `tasuki migrate` first"))),
        SchemaState::Ahead => Err(Failure("the database belongs to a newer release".to_owned())),
    }
}

fn run_server(app: &Arc<App>, listener: TcpListener) -> Result<(), Failure> {
    actix_web::rt::System::new().block_on(async {
        let server = server::start(app, listener)?;
        let handle = server.handle();
        actix_web::rt::spawn(async move {
            if stop_signal().await.is_ok() {
                handle.stop(true).await;
            }
        });
        server.await.map_err(|e| Failure(e.to_string()))
    })
}

async fn stop_signal() -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let fail = |e: std::io::Error| Failure(e.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(fail)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(fail)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
