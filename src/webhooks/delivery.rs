//! Attempting what is due: claim, call, note. A crash between the receiver's answer and our note repeats one delivery under
//! the same message id; nothing is ever lost.

use std::sync::Arc;
use std::time::Instant;

use chrono::Duration;
use serde_json::json;

use super::hooks::Hooks;
use super::model::{DeliveryStatus, DisabledReason};
use super::payload::WebhookEvent;
use super::schedule::{self, Attempted, NO_ANSWER, Next, Verdict};
use super::sign::{MessageId, Secret, sign};
use super::store::{self, DeliveryRow, EndpointRow, Outcome};
use super::target::Target;
use super::told;
use crate::app::App;
use crate::auth::principal::Actor;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::Error;
use crate::http::{Audit, Ctx};

/// The name under which the worker stands in the audit log.
pub const DELIVER_JOB: &str = "job deliver-webhooks";
/// How long a claimed delivery is left to its worker: far longer than the longest attempt.
const LEASE_MINUTES: i64 = 10;
/// How long a delivery rests that failed for a reason of the operator's own.
const OUR_PAUSE_MINUTES: i64 = 5;
/// Deliveries attempted side by side, so that a slow receiver does not hold up the others.
const SIDE_BY_SIDE: i64 = 8;

/// Attempts everything that is due until nothing is, or `go_on` says no; how many attempts were made.
pub fn deliver_due(app: &Arc<App>, go_on: &dyn Fn() -> bool) -> Result<usize, Error> {
    let Some(hooks) = &app.webhooks else { return Ok(0) };
    let mut attempted = 0;
    while go_on() {
        let now = app.clock.now();
        let due = app.db.write_blocking(|conn| store::claim(conn, now, Duration::minutes(LEASE_MINUTES), SIDE_BY_SIDE))?;
        if due.is_empty() {
            break;
        }
        attempted += due.len();
        let results: Vec<Result<(), Error>> = std::thread::scope(|scope| {
            let threads: Vec<_> = due
                .iter()
                .map(|(delivery, endpoint)| {
                    let work = move || attempt(app, hooks, delivery, endpoint);
                    std::thread::Builder::new().name("webhook".to_owned()).spawn_scoped(scope, work).map_err(Error::internal)
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread?.join().unwrap_or_else(|_| Err(Error::internal("an attempt panicked"))))
                .collect()
        });
        results.into_iter().collect::<Result<(), Error>>()?;
    }
    Ok(attempted)
}

/// What an attempt came to.
struct Came {
    status: Option<i32>,
    failure: Option<&'static str>,
    verdict: Verdict,
    /// The fault lies with the operator: it says nothing about the receiver.
    ours: bool,
}

impl Came {
    fn no_answer(code: &'static str, ours: bool) -> Self {
        Self { status: None, failure: Some(code), verdict: NO_ANSWER, ours }
    }
}

fn attempt(app: &Arc<App>, hooks: &Hooks, delivery: &DeliveryRow, endpoint: &EndpointRow) -> Result<(), Error> {
    let begun = Instant::now();
    let came = call(app, hooks, delivery, endpoint)?;
    let milliseconds = i32::try_from(begun.elapsed().as_millis()).unwrap_or(i32::MAX);
    let now = app.clock.now();
    let scheduled = schedule::next(
        came.verdict,
        Attempted {
            attempt: u32::try_from(delivery.attempts).unwrap_or(u32::MAX),
            seed: delivery.id.0.unsigned_abs(),
            first_at: delivery.first_attempt_at.unwrap_or(now).instant(),
            now: now.instant(),
        },
    );
    let next = if came.ours { Next::RetryAt(now.plus(Duration::minutes(OUR_PAUSE_MINUTES)).instant()) } else { scheduled };
    tracing::debug!(delivery = delivery.id.0, status = came.status, failure = came.failure, "webhook attempted");
    app.db.write_blocking(|conn| note(conn, app, delivery, endpoint, &came, (next, milliseconds), now))
}

fn call(app: &App, hooks: &Hooks, delivery: &DeliveryRow, endpoint: &EndpointRow) -> Result<Came, Error> {
    // The operator may have closed what was open when the endpoint was registered.
    let Ok(target) = Target::parse(&endpoint.url, &hooks.rules) else { return Ok(Came::no_answer("address_refused", false)) };
    let now = app.clock.now();
    let mut secrets: Vec<Secret> = Vec::new();
    let sealed = [Some(&endpoint.secret), endpoint.previous_secret.as_ref().filter(|_| endpoint.previous_until > Some(now))];
    for sealed in sealed.into_iter().flatten() {
        match hooks.vault.open(endpoint.id.0, sealed) {
            Ok(secret) => secrets.push(secret),
            Err(problem) => {
                tracing::error!(endpoint = endpoint.id.0, %problem, "a webhook's secret cannot be opened");
                return Ok(Came::no_answer("secret_unreadable", true));
            }
        }
    }
    let body = serde_json::to_vec(&WebhookEvent::of(delivery)).map_err(Error::internal)?;
    let id = MessageId::parse(&delivery.message_id).map_err(Error::internal)?;
    let headers = sign(&id, now.instant().timestamp(), &body, &secrets).map_err(Error::internal)?;
    Ok(match hooks.dialler.post(&target, &headers, &body) {
        Ok(answer) => Came {
            status: Some(i32::from(answer.status)),
            failure: None,
            ours: false,
            verdict: schedule::judge(answer.status, answer.retry_after.as_deref(), app.clock.now().instant()),
        },
        Err(failure) => Came::no_answer(failure.code(), failure.is_ours()),
    })
}

fn note(
    conn: &mut Conn,
    app: &Arc<App>,
    delivery: &DeliveryRow,
    endpoint: &EndpointRow,
    came: &Came,
    (next, milliseconds): (Next, i32),
    now: UtcTime,
) -> Result<(), Error> {
    let (now_is, again) = match next {
        Next::Delivered => (DeliveryStatus::Delivered, None),
        Next::DisableEndpoint | Next::GiveUp => (DeliveryStatus::Failed, None),
        Next::RetryAt(at) => (DeliveryStatus::Queued, Some(UtcTime::new(at))),
    };
    if !store::exists(conn, delivery.id)? {
        return Ok(());
    }
    let outcome = Outcome { status: came.status, failure: came.failure, milliseconds, now_is, next: again };
    store::finish(conn, delivery.id, outcome, now)?;
    if came.ours {
        return store::untry(conn, delivery.id);
    }
    // As it is now: what was attempted side by side may have changed it.
    let Some((was_failing, was_paused)) = store::health(conn, endpoint.id)? else { return Ok(()) };
    let failing_since = match next {
        Next::Delivered => None,
        _ => Some(was_failing.unwrap_or(now)),
    };
    let paused_until = match came.verdict {
        Verdict::Failed { retry_after: Some(wait), overloaded: true } => was_paused.max(Some(now.plus(wait))),
        _ => was_paused,
    };
    if (failing_since, paused_until) != (was_failing, was_paused) {
        store::set_health(conn, endpoint.id, failing_since, paused_until)?;
    }
    let reason = match next {
        Next::DisableEndpoint => Some(DisabledReason::Gone),
        _ => failing_since.filter(|since| schedule::is_dead(since.instant(), now.instant())).map(|_| DisabledReason::Failing),
    };
    match reason {
        Some(reason) => switch_off(conn, app, endpoint, reason, now),
        None => Ok(()),
    }
}

/// Switches an endpoint off, gives up what waits for it, and tells its people; what was given up can be replayed.
fn switch_off(
    conn: &mut Conn,
    app: &Arc<App>,
    endpoint: &EndpointRow,
    reason: DisabledReason,
    now: UtcTime,
) -> Result<(), Error> {
    if !store::disable(conn, endpoint.id, reason, now)? {
        return Ok(());
    }
    store::give_up(conn, endpoint.id)?;
    let ctx = Ctx { now, ..Ctx::internal(app, Actor::System, endpoint.organisation_id, DELIVER_JOB) };
    let audit = Audit::new("webhook", endpoint.id.0, endpoint.organisation_id)
        .change(json!({"status": "active"}), json!({"status": "disabled", "disabled_reason": reason}));
    crate::audit::service::record(conn, &ctx, DELIVER_JOB, &audit)?;
    told::disabled(conn, &ctx, endpoint, reason)
}
