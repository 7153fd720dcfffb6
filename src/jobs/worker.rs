//! The rounds of the worker.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::app::App;
use crate::audit::seal;
use crate::auth::principal::Actor;
use crate::auth::secrets;
use crate::db::{Conn, dialect};
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::OrganisationId;
use crate::notifications::worker::send_batch;

/// How long a process keeps a periodic job to itself.
const LEASE_SECONDS: i64 = 120;

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Offers that expired.
    pub expired_offers: usize,
    /// Plans worked out.
    pub allocations: usize,
    /// Reminders written.
    pub reminders: usize,
    /// Audit events sealed.
    pub sealed: usize,
    /// Mails handled.
    pub mails: usize,
}

/// Does everything that is due now, once. Errors of one job do not stop the others; the first is returned.
pub fn run_due(app: &Arc<App>, name: &str) -> Result<Round, Error> {
    let mut round = Round::default();
    let mut first_error = None;
    let mut note = |result: Result<(), Error>| {
        if let Err(error) = result {
            tracing::error!(%error, "background work failed");
            first_error.get_or_insert(error);
        }
    };
    note(leased(app, name, "offers.expire", |ctx| {
        round.expired_offers = app.db.write_blocking(|conn| crate::offers::jobs::expire_due(conn, ctx))?;
        Ok(())
    }));
    note(leased(app, name, "allocations.plan", |_| {
        round.allocations = crate::allocations::service::work_out_queued(app)?;
        Ok(())
    }));
    note(leased(app, name, "reports.remind", |ctx| {
        round.reminders = app.db.write_blocking(|conn| super::reminders::remind_reports(conn, ctx))?;
        Ok(())
    }));
    note(leased(app, name, "idempotency.forget", |ctx| {
        app.db.write_blocking(|conn| crate::http::write::forget_old_records(conn, ctx.now)).map(drop)
    }));
    note(hourly(app, "statistics.refresh", |conn| Ok(dialect::refresh_statistics(conn)?)));
    note((|| {
        loop {
            let sealed = app.db.write_blocking(seal::seal)?;
            round.sealed += sealed;
            if sealed == 0 {
                return Ok(());
            }
        }
    })());
    note((|| {
        loop {
            let batch = send_batch(app, name)?;
            round.mails += batch.handled;
            if !batch.go_on {
                return Ok(());
            }
        }
    })());
    match first_error {
        Some(error) => Err(error),
        None => Ok(round),
    }
}

fn leased(app: &Arc<App>, owner: &str, job: &str, work: impl FnOnce(&Ctx) -> Result<(), Error>) -> Result<(), Error> {
    let now = app.clock.now();
    let until = now.plus(chrono::Duration::seconds(LEASE_SECONDS));
    if !app.db.write_blocking(|conn| Ok(dialect::take_lease(conn, job, owner, now, until)?))? {
        return Ok(());
    }
    work(&Ctx::internal(app, Actor::System, OrganisationId(0), &format!("job-{job}")))
}

/// Does something about once an hour, whichever process comes first.
fn hourly(app: &Arc<App>, job: &str, mut work: impl FnMut(&mut Conn) -> Result<(), Error>) -> Result<(), Error> {
    let now = app.clock.now();
    // A name of its own for each time: not even the process that did it last may do it again before the hour is over.
    let (turn, until) = (now.to_string(), now.plus(chrono::Duration::hours(1)));
    app.db.write_blocking(|conn| if dialect::take_lease(conn, job, &turn, now, until)? { work(conn) } else { Ok(()) })
}

/// A worker thread that can be stopped.
#[derive(Debug)]
pub struct Worker {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread that works until [`Worker::stop`].
    pub fn start(app: &Arc<App>) -> Result<Self, Error> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let (app, stopped) = (Arc::clone(app), Arc::clone(&stop));
        let name = format!("worker-{}", secrets::short_name()?);
        let pause = Duration::from_secs(app.config.worker.poll_seconds.max(1));
        let thread = std::thread::Builder::new()
            .name("worker".to_owned())
            .spawn(move || {
                loop {
                    // Errors are logged where they happen; the next round tries again.
                    let _ = run_due(&app, &name);
                    let (flag, condition) = &*stopped;
                    let guard = flag.lock().unwrap_or_else(PoisonError::into_inner);
                    let (guard, _) =
                        condition.wait_timeout_while(guard, pause, |stop| !*stop).unwrap_or_else(PoisonError::into_inner);
                    if *guard {
                        return;
                    }
                }
            })
            .map_err(Error::internal)?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Lets the current round finish and ends the thread.
    pub fn stop(mut self) {
        let (flag, condition) = &*self.stop;
        *flag.lock().unwrap_or_else(PoisonError::into_inner) = true;
        condition.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
