//! Sending what is in the outbox: claim, send, note. Senders, each with a connection of its own, take mails from a desk;
//! one recorder notes in one transaction whatever they have done meanwhile and claims as many more, so that no sender waits
//! for the disk and only one commit lies between the relay's acceptance and our note. A crash in between repeats a mail with
//! the same Message-ID once its lease has run out; nothing is ever lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration as StdDuration;

use chrono::Duration;

use super::delivery_store as store;
use super::desk::{Closing, Desk, Taken};
use super::outcome::Tried;
use super::outgoing::outgoing;
use super::pace::Pace;
use super::store::DueMessage;
use super::transport::{FailureKind, Mailer, SendFailure};
use crate::app::App;
use crate::clock::UtcTime;
use crate::error::Error;
use crate::ids::OutboxMessageId;

/// How long a claimed message is left to its worker, who prolongs it while it works: also the longest a mail waits after its
/// worker has died.
const LEASE: Duration = Duration::seconds(120);
/// How old a lease gets before it is prolonged.
const PROLONGED_AFTER: Duration = Duration::seconds(40);
/// Most messages that lie on the desk. A crash leaves as many to their leases, so there are only as many as needed.
const LARGEST_DESK: usize = 256;
/// How often the recorder looks at its leases when nothing is reported.
const TICK: StdDuration = StdDuration::from_secs(1);
/// How often in a row a database that fails is tried again before the outcomes are given up (and the mails repeated).
const MOST_FAILURES: u32 = 30;

/// What a sender reports.
enum Report {
    /// The relay has answered, or could not.
    Tried(Tried),
    /// The claim had run out before anything was sent.
    Expired(OutboxMessageId),
    /// No session with the relay: the mail has not been tried, and this sender ends.
    NoSession(DueMessage, SendFailure),
}

/// Sends everything that is due, as long as `go_on` says so and the relay can be reached; returns how many mails were sent
/// or refused.
pub fn send_due(app: &App, worker: &str, go_on: &dyn Fn() -> bool) -> Result<usize, Error> {
    let Some(mailer) = &app.mailer else { return Ok(0) };
    let now = app.clock.now();
    if !app.db.read_blocking(|conn| store::anything_due(conn, now))? {
        return Ok(0);
    }
    let lost = app.db.write_blocking(|conn| store::take_back(conn, now))?;
    if lost > 0 {
        tracing::warn!(mails = lost, "a worker ended without noting what became of its mails; they are sent again");
    }
    let senders = mailer.at_once(app.config.worker.mail_connections);
    let desk = Desk::new(now.plus(LEASE));
    let mut recorder = Recorder {
        app,
        worker,
        desk: &desk,
        pace: Pace::per_minute(app.config.smtp.max_per_minute),
        senders,
        depth: senders * 2,
        out: 0,
        tried: Vec::new(),
        untried: Vec::new(),
        unreachable: None,
        prolonged: now,
        handled: 0,
    };
    recorder.commit(go_on())?;
    if recorder.out == 0 {
        return Ok(0);
    }
    let (report, reports) = channel();
    std::thread::scope(|scope| {
        let _closing = Closing(&desk);
        for _ in 0..senders {
            let (desk, report) = (&desk, report.clone());
            scope.spawn(move || send_from(app, mailer, desk, &report));
        }
        recorder.run(&reports, go_on)
    })?;
    Ok(recorder.handled)
}

/// What a sender does until the desk is closed, or the relay is gone.
fn send_from(app: &App, mailer: &Mailer, desk: &Desk, report: &Sender<Report>) {
    while let Some(taken) = desk.take(&app.clock) {
        let message = match taken {
            Taken::Good(message) => message,
            Taken::Expired(message) => {
                // The process was stopped for long, or the database did not answer.
                let _ = report.send(Report::Expired(message.id));
                continue;
            }
        };
        let mail = outgoing(app, &message);
        // A mail that makes a library panic is parked like one that cannot be composed; the others go on.
        let result = catch_unwind(AssertUnwindSafe(|| mailer.send(&mail))).unwrap_or_else(|_| {
            Err(SendFailure {
                kind: FailureKind::Unbuildable,
                code: None,
                detail: "sending this mail ended in a panic".to_owned(),
                outcome_unknown: true,
                recipient_refused: false,
                mail_tried: true,
            })
        });
        let gone = matches!(&result, Err(failure) if failure.kind == FailureKind::Unreachable);
        let said = match result {
            Err(failure) if gone && !failure.mail_tried => Report::NoSession(message, failure),
            result => Report::Tried(Tried { message, at: app.clock.now(), result }),
        };
        if report.send(said).is_err() || gone {
            return;
        }
    }
}

/// The one who writes.
struct Recorder<'a> {
    app: &'a App,
    worker: &'a str,
    desk: &'a Desk,
    pace: Option<Pace>,
    /// Senders that still have, or may get, a session.
    senders: usize,
    /// How many mails should lie on the desk: doubled whenever the senders found it empty.
    depth: usize,
    /// Mails on the desk or with a sender.
    out: usize,
    tried: Vec<Tried>,
    untried: Vec<OutboxMessageId>,
    /// Why there is no session, once the last sender has ended.
    unreachable: Option<String>,
    prolonged: UtcTime,
    handled: usize,
}

impl Recorder<'_> {
    fn run(&mut self, reports: &Receiver<Report>, go_on: &dyn Fn() -> bool) -> Result<(), Error> {
        let mut failures = 0;
        while self.out > 0 || !self.tried.is_empty() || !self.untried.is_empty() {
            match reports.recv_timeout(TICK) {
                Ok(report) => {
                    self.note(report);
                    while let Ok(report) = reports.try_recv() {
                        self.note(report);
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            let going = go_on() && self.senders > 0 && failures == 0;
            if !going {
                let left = self.desk.clear();
                self.out -= left.len();
                self.untried.extend(left.iter().map(|message| message.id));
            }
            match self.commit(going) {
                Ok(()) => failures = 0,
                Err(error) if failures < MOST_FAILURES => {
                    failures += 1;
                    tracing::warn!(%error, mails = self.tried.len(), "what became of mails could not be noted yet");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn note(&mut self, report: Report) {
        match report {
            Report::Tried(tried) => {
                self.out -= 1;
                if let Err(failure) = &tried.result {
                    let attempts = tried.message.attempts + 1;
                    tracing::warn!(message = tried.message.id.0, attempts, detail = failure.detail, "mail not sent");
                    if failure.kind == FailureKind::Unreachable {
                        self.sender_ended(&failure.detail);
                    }
                }
                self.tried.push(tried);
            }
            Report::Expired(id) => {
                self.out -= 1;
                self.untried.push(id);
            }
            Report::NoSession(message, failure) => {
                self.sender_ended(&failure.detail);
                // Where the relay merely bears fewer connections than we wanted, the others go on with it.
                self.desk.put([message]);
            }
        }
    }

    fn sender_ended(&mut self, detail: &str) {
        self.senders = self.senders.saturating_sub(1);
        if self.senders == 0 {
            self.unreachable = Some(detail.to_owned());
        }
    }

    /// Notes what is known, puts back what was not tried, and claims more if `claiming`: one transaction.
    fn commit(&mut self, claiming: bool) -> Result<(), Error> {
        let (app, worker) = (self.app, self.worker);
        let now = app.clock.now();
        let until = now.plus(LEASE);
        let lying = self.desk.len();
        if lying == 0 && self.out > 0 && self.depth < LARGEST_DESK {
            self.depth = (self.depth * 2).min(LARGEST_DESK);
        }
        let wanted = if claiming { self.depth.saturating_sub(lying) } else { 0 };
        let prolonging = now >= self.prolonged.plus(PROLONGED_AFTER);
        let idle = self.tried.is_empty() && self.untried.is_empty() && self.unreachable.is_none();
        if idle && wanted == 0 && !prolonging {
            return Ok(());
        }
        let reason = self.unreachable.as_deref();
        tracing::debug!(tried = self.tried.len(), wanted, "noting and claiming");
        let claimed = app.db.write_blocking(|conn| {
            store::settle(conn, worker, &self.tried, now, app.demo)?;
            store::put_back(conn, worker, &self.untried, reason)?;
            if reason.is_some() {
                store::pause(conn, now)?;
            }
            if prolonging {
                store::renew(conn, worker, until)?;
            }
            store::claim(conn, worker, now, until, wanted, self.pace)
        })?;
        tracing::debug!(claimed = claimed.len(), "noted and claimed");
        if let Some(detail) = self.unreachable.take() {
            tracing::warn!(detail, "the mail relay cannot be reached; mail waits");
        }
        self.handled += self.tried.len();
        self.tried.clear();
        self.untried.clear();
        if prolonging {
            self.prolonged = now;
            let expired = self.desk.prolong(now, until);
            self.out -= expired.len();
            self.untried.extend(expired.iter().map(|message| message.id));
        }
        self.out += claimed.len();
        self.desk.put(claimed);
        Ok(())
    }
}
