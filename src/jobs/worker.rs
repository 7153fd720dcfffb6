//! The rounds of the worker.

use std::cell::Cell;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::reminders::{BATCH, Reminder};
use crate::app::App;
use crate::audit::seal;
use crate::auth::principal::Actor;
use crate::auth::secrets;
use crate::db::{Conn, dialect};
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::OrganisationId;
use crate::notifications::digest;
use crate::notifications::telling::tell_due;
use crate::notifications::worker::send_due;
use crate::webhooks::delivery::deliver_due;

/// The job of planning.
const PLANNING: &str = "allocations.plan";

/// Changes to experts that are kept for processes which have not looked at them yet.
const CHANGES_KEPT: i64 = 20_000;

/// How long a process keeps a periodic job to itself.
const LEASE_SECONDS: i64 = 120;

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Offers that expired.
    pub expired_offers: usize,
    /// Reminders written.
    pub reminders: usize,
    /// Audit events sealed.
    pub sealed: usize,
    /// Mails handled.
    pub mails: usize,
}

/// Does everything that is due now, once, mail included. Errors of one job do not stop the others; the first is returned.
pub fn run_due(app: &Arc<App>, name: &str) -> Result<Round, Error> {
    let round = run_periodic(app, name);
    tell_due(app, &|| true)?;
    let mails = send_due(app, name, &|| true)?;
    Ok(Round { mails, ..round? })
}

/// Does everything but telling and mail.
fn run_periodic(app: &Arc<App>, name: &str) -> Result<Round, Error> {
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
    note(leased(app, name, "reports.remind", |ctx| {
        round.reminders = app.db.write_blocking(|conn| super::reminders::remind_reports(conn, ctx))?;
        Ok(())
    }));
    for (job, minutes, remind) in super::reminders::ALL {
        note(remind_due(app, job, *minutes, *remind).map(|told| round.reminders += told));
    }
    note(digest_due(app).map(|written| round.reminders += written));
    note(leased(app, name, "idempotency.forget", |ctx| {
        app.db.write_blocking(|conn| crate::http::write::forget_old_records(conn, ctx.now)).map(drop)
    }));
    note(every(app, "experts.forget_changes", 60, |conn| Ok(dialect::forget_expert_changes(conn, CHANGES_KEPT)?)).map(drop));
    note(every(app, "statistics.refresh", 60, |conn| Ok(dialect::refresh_statistics(conn)?)).map(drop));
    note((|| {
        loop {
            let sealed = app.db.write_blocking(seal::seal)?;
            round.sealed += sealed;
            if sealed == 0 {
                return Ok(());
            }
        }
    })());
    match first_error {
        Some(error) => Err(error),
        None => Ok(round),
    }
}

/// Works out every plan that waits, one after another, and returns how many; apart from the other work, since a plan takes its
/// time and mail must not wait for it. `go_on` is asked whether to.
pub fn plan_due(app: &Arc<App>, name: &str, go_on: &dyn Fn() -> bool) -> Result<usize, Error> {
    let mut planned = 0;
    loop {
        let mut worked = false;
        leased(app, name, PLANNING, |_| {
            // Kept for as long as the plan takes: whoever else comes by finds it taken.
            let renewed = Cell::new(Instant::now());
            let keep = || {
                if renewed.get().elapsed() > Duration::from_secs(LEASE_SECONDS.unsigned_abs() / 4) {
                    renewed.set(Instant::now());
                    let now = app.clock.now();
                    let until = now.plus(chrono::Duration::seconds(LEASE_SECONDS));
                    if let Err(error) = app.db.write_blocking(|conn| Ok(dialect::take_lease(conn, PLANNING, name, now, until)?)) {
                        tracing::warn!(%error, "the lease of the planning could not be renewed");
                    }
                }
                go_on()
            };
            worked = crate::allocations::run::work_out_next(app, &keep)?;
            Ok(())
        })?;
        if !worked || !go_on() {
            return Ok(planned);
        }
        planned += 1;
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

/// Does something about once in so many minutes, whichever process comes first; whether this one did.
fn every(app: &Arc<App>, job: &str, minutes: i64, mut work: impl FnMut(&mut Conn) -> Result<(), Error>) -> Result<bool, Error> {
    let now = app.clock.now();
    // A name of its own for each time: not even the process that did it last may do it again before its time.
    let (turn, until) = (now.to_string(), now.plus(chrono::Duration::minutes(minutes)));
    app.db.write_blocking(|conn| {
        let mine = dialect::take_lease(conn, job, &turn, now, until)?;
        if mine {
            work(conn)?;
        }
        Ok(mine)
    })
}

/// Tells what a reminder finds due, a batch in each transaction; how many.
fn remind_due(app: &Arc<App>, job: &str, minutes: i64, remind: Reminder) -> Result<usize, Error> {
    if !every(app, job, minutes, |_| Ok(()))? {
        return Ok(0);
    }
    let ctx = Ctx::internal(app, Actor::System, OrganisationId(0), &format!("job-{job}"));
    let mut told = 0;
    loop {
        let some = app.db.write_blocking(|conn| remind(conn, &ctx, BATCH))?;
        told += some;
        if some < BATCH {
            return Ok(told);
        }
    }
}

/// Writes the digests of the day from its hour on; how many.
fn digest_due(app: &Arc<App>) -> Result<usize, Error> {
    if !every(app, "notices.digest", 10, |_| Ok(()))? {
        return Ok(0);
    }
    let ctx = Ctx::internal(app, Actor::System, OrganisationId(0), "job-notices.digest");
    let mut written = 0;
    loop {
        let some = app.db.write_blocking(|conn| digest::write_due(conn, &ctx, BATCH))?;
        written += some;
        if some == 0 {
            return Ok(written);
        }
    }
}

/// What a thread repeats; it is told how to ask whether to go on.
type Work = fn(&Arc<App>, &str, &dyn Fn() -> bool);

/// The worker's threads, which can be stopped.
#[derive(Debug)]
pub struct Worker {
    app: Arc<App>,
    stop: Arc<(Mutex<bool>, Condvar)>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Worker {
    /// Starts threads that work until [`Worker::stop`]: one for what is soon done, one that tells what happened as soon as it
    /// is committed, one for mail (a relay may be slow), one for plans, one for webhooks.
    pub fn start(app: &Arc<App>) -> Result<Self, Error> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let name = format!("worker-{}", secrets::short_name()?);
        // Errors are logged where they happen; the next round tries again.
        let rounds: Work = |app, name, _| drop(run_periodic(app, name));
        let mail: Work = |app, name, go_on| {
            if let Err(error) = send_due(app, name, go_on) {
                tracing::error!(%error, "mail could not be sent");
            }
        };
        let plans: Work = |app, name, go_on| drop(plan_due(app, name, go_on));
        let hooks: Work = |app, _, go_on| {
            if let Err(error) = deliver_due(app, go_on) {
                tracing::error!(%error, "webhooks could not be delivered");
            }
        };
        let mut threads = Vec::new();
        for (thread, work) in [("worker", rounds), ("mail", mail), ("planner", plans), ("webhooks", hooks)] {
            let (app, stop, name) = (Arc::clone(app), Arc::clone(&stop), name.clone());
            let spawned = std::thread::Builder::new()
                .name(thread.to_owned())
                .spawn(move || repeat(&app, &name, &stop, work))
                .map_err(Error::internal)?;
            threads.push(spawned);
        }
        let (told, stopped) = (Arc::clone(app), Arc::clone(&stop));
        let teller = std::thread::Builder::new().name("teller".to_owned()).spawn(move || tell(&told, &stopped));
        threads.push(teller.map_err(Error::internal)?);
        Ok(Self { app: Arc::clone(app), stop, threads })
    }

    /// Lets the current round finish, breaks a plan off, and ends the threads.
    pub fn stop(mut self) {
        let (flag, condition) = &*self.stop;
        *flag.lock().unwrap_or_else(PoisonError::into_inner) = true;
        condition.notify_all();
        self.app.db.committed().ring();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn pause(app: &App) -> Duration {
    Duration::from_secs(app.config.worker.poll_seconds.max(1))
}

/// Tells what happened whenever this process has committed something, and now and then what others have.
fn tell(app: &App, (stop, _): &(Mutex<bool>, Condvar)) {
    let go_on = || !*stop.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let heard = app.db.committed().rung();
        if !go_on() {
            return;
        }
        if let Err(error) = tell_due(app, &go_on) {
            tracing::error!(%error, "what happened could not be told");
        }
        app.db.committed().wait(heard, pause(app));
    }
}

/// Works, pauses, and works again until it is told to stop.
fn repeat(app: &Arc<App>, name: &str, stop: &(Mutex<bool>, Condvar), work: Work) {
    let pause = pause(app);
    let (flag, condition) = stop;
    loop {
        work(app, name, &|| !*flag.lock().unwrap_or_else(PoisonError::into_inner));
        let guard = flag.lock().unwrap_or_else(PoisonError::into_inner);
        let (guard, _) = condition.wait_timeout_while(guard, pause, |stop| !*stop).unwrap_or_else(PoisonError::into_inner);
        if *guard {
            return;
        }
    }
}
