//! SQL of sending: claims, leases, outcomes, the log of attempts, addresses that do not exist, the relay.

use chrono::Duration;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::outcome::{DeliveryOutcome, Standing, Tried, after_failures, relay_pause};
use super::pace::Pace;
use super::store::DueMessage;
use crate::clock::UtcTime;
use crate::db::dialect::{self, Lockable};
use crate::db::schema::{delivery_attempts, mail_relay, outbox_messages as outbox, undeliverable_addresses as undeliverable};
use crate::db::{Conn, LOST_RACE};
use crate::error::Error;
use crate::ids::OutboxMessageId;

/// Most messages whose worker is gone that are taken back at once.
const TAKEN_BACK: i64 = 500;
/// What a message says once its one-time token has been struck out.
pub const STRUCK_OUT: &str = "（送信済み）";

/// What the log and the coordinator are told of a mail whose worker is gone.
const LOST: &str = "the worker ended before it noted what became of the mail";

/// The only row of the relay.
const RELAY: i64 = 1;

/// States are written out in these conditions: only then does a database know that an index over nothing but the waiting
/// messages will do.
fn literal(condition: &str) -> diesel::expression::SqlLiteral<Bool> {
    diesel::dsl::sql::<Bool>(condition)
}

/// Whether there is anything to send, or to take back, at `now`.
pub fn anything_due(conn: &mut Conn, now: UtcTime) -> Result<bool, Error> {
    if paused_until(conn)?.is_some_and(|until| until > now) {
        return Ok(false);
    }
    let queued: Option<OutboxMessageId> = outbox::table
        .filter(literal("outbox_messages.status = 'queued'"))
        .filter(outbox::next_attempt_at.le(now))
        .order(outbox::next_attempt_at)
        .select(outbox::id)
        .first(conn)
        .optional()?;
    if queued.is_some() {
        return Ok(true);
    }
    let lost: Option<OutboxMessageId> = outbox::table
        .filter(literal("outbox_messages.status = 'sending'"))
        .filter(outbox::claimed_until.lt(now))
        .select(outbox::id)
        .first(conn)
        .optional()?;
    Ok(lost.is_some())
}

/// Until when all mail waits because the relay cannot be reached.
pub fn paused_until(conn: &mut Conn) -> Result<Option<UtcTime>, Error> {
    Ok(mail_relay::table.find(RELAY).select(mail_relay::paused_until).first(conn)?)
}

/// Claims messages that are due for `worker` until `until`: the oldest of each recipient that has none on its way, so that
/// order is kept, and no more than the pace allows.
pub fn claim(
    conn: &mut Conn,
    worker: &str,
    now: UtcTime,
    until: UtcTime,
    most: usize,
    pace: Option<Pace>,
) -> Result<Vec<DueMessage>, Error> {
    let mut most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut slots_until = None;
    if let Some(pace) = pace {
        dialect::lock_row(conn, Lockable::MailRelay, RELAY)?;
        slots_until = mail_relay::table.find(RELAY).select(mail_relay::slots_until).first(conn)?;
        most = most.min(pace.free(slots_until, now));
    }
    if most <= 0 || paused_until(conn)?.is_some_and(|until| until > now) {
        return Ok(Vec::new());
    }
    let earlier = diesel::alias!(outbox as earlier);
    let due = outbox::table
        .filter(literal("outbox_messages.status = 'queued'"))
        .filter(outbox::next_attempt_at.le(now))
        .filter(diesel::dsl::not(diesel::dsl::exists(
            earlier
                .filter(earlier.field(outbox::recipient_address).eq(outbox::recipient_address))
                .filter(earlier.field(outbox::id).lt(outbox::id))
                .filter(literal("earlier.status IN ('queued', 'sending')")),
        )))
        .order((outbox::next_attempt_at, outbox::id))
        .limit(most)
        .select(outbox::id);
    let due: Vec<OutboxMessageId> = dialect::load_unlocked!(conn, due)?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(pace) = pace {
        let taken = i64::try_from(due.len()).unwrap_or(i64::MAX);
        diesel::update(mail_relay::table.find(RELAY))
            .set(mail_relay::slots_until.eq(pace.take(slots_until, now, taken)))
            .execute(conn)?;
    }
    diesel::update(outbox::table.filter(outbox::id.eq_any(&due)))
        .set((outbox::status.eq("sending"), outbox::claimed_by.eq(worker), outbox::claimed_until.eq(until)))
        .execute(conn)?;
    Ok(outbox::table
        .filter(outbox::id.eq_any(&due))
        .order((outbox::next_attempt_at, outbox::id))
        .select(DueMessage::as_select())
        .load(conn)?)
}

/// Prolongs the lease of everything that `worker` has claimed.
pub fn renew(conn: &mut Conn, worker: &str, until: UtcTime) -> Result<(), Error> {
    diesel::update(outbox::table.filter(literal("outbox_messages.status = 'sending'")).filter(outbox::claimed_by.eq(worker)))
        .set(outbox::claimed_until.eq(until))
        .execute(conn)?;
    Ok(())
}

/// Puts messages back that `worker` has claimed and not tried; that is no attempt. `reason`: why they were not.
pub fn put_back(conn: &mut Conn, worker: &str, untried: &[OutboxMessageId], reason: Option<&str>) -> Result<(), Error> {
    if untried.is_empty() {
        return Ok(());
    }
    let ours = outbox::id.eq_any(untried).and(outbox::status.eq("sending")).and(outbox::claimed_by.eq(worker));
    diesel::update(outbox::table.filter(ours))
        .set((outbox::status.eq("queued"), outbox::claimed_by.eq(None::<String>), outbox::claimed_until.eq(None::<UtcTime>)))
        .execute(conn)?;
    if let Some(reason) = reason {
        diesel::update(outbox::table.filter(outbox::id.eq_any(untried)).filter(outbox::status.eq("queued")))
            .set(outbox::last_error.eq(reason))
            .execute(conn)?;
    }
    Ok(())
}

/// Takes back messages whose worker has let its lease run out: nobody knows whether the relay has them. The lease was the
/// pause before the repeat; whoever has failed before waits longer, and one after another, so that a mail that kills its
/// worker does not take the same neighbours with it each time. Returns how many there were.
pub fn take_back(conn: &mut Conn, now: UtcTime) -> Result<usize, Error> {
    let lost = outbox::table
        .filter(literal("outbox_messages.status = 'sending'"))
        .filter(outbox::claimed_until.lt(now))
        .order(outbox::id)
        .limit(TAKEN_BACK)
        .select((outbox::id, outbox::attempts, outbox::claimed_by));
    let lost: Vec<(OutboxMessageId, i32, Option<String>)> = dialect::load_unlocked!(conn, lost)?;
    for (position, (id, attempts, _)) in (0_i64..).zip(&lost) {
        let standing = match after_failures(attempts + 1, now.plus(Duration::seconds(position))) {
            Standing::Queued(_) if *attempts == 0 => Standing::Queued(now),
            other => other,
        };
        set_standing(conn, *id, standing, Some(LOST), now)?;
    }
    let rows: Vec<_> = lost
        .iter()
        .map(|(id, _, worker)| {
            (
                delivery_attempts::outbox_message_id.eq(*id),
                delivery_attempts::attempted_at.eq(now),
                delivery_attempts::worker.eq(worker.as_deref().unwrap_or_default()),
                delivery_attempts::outcome.eq(DeliveryOutcome::Unknown),
                delivery_attempts::detail.eq(LOST),
            )
        })
        .collect();
    dialect::insert_rows!(conn, delivery_attempts::table, &rows)?;
    Ok(lost.len())
}

fn set_standing(
    conn: &mut Conn,
    id: OutboxMessageId,
    standing: Standing,
    error: Option<&str>,
    now: UtcTime,
) -> Result<(), Error> {
    let (status, next, permanent) = match standing {
        Standing::Sent => ("sent", now, false),
        Standing::Queued(next) => ("queued", next, false),
        Standing::Parked { permanent } => ("parked", now, permanent),
    };
    diesel::update(outbox::table.find(id))
        .set((
            outbox::status.eq(status),
            outbox::attempts.eq(outbox::attempts + 1),
            outbox::next_attempt_at.eq(next),
            outbox::permanent.eq(permanent),
            outbox::last_error.eq(error),
            outbox::claimed_by.eq(None::<String>),
            outbox::claimed_until.eq(None::<UtcTime>),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes what became of mails that were tried: their state, the log, the addresses, the relay. One-time tokens of sent mails
/// are struck out unless `keep_secrets` (demo).
pub fn settle(conn: &mut Conn, worker: &str, tried: &[Tried], now: UtcTime, keep_secrets: bool) -> Result<(), Error> {
    let (sent, failed): (Vec<&Tried>, Vec<&Tried>) = tried.iter().partition(|tried| tried.result.is_ok());
    settle_sent(conn, &sent, keep_secrets)?;
    for tried in &failed {
        // Only what is still ours: a mail that another worker has sent meanwhile stays sent.
        let ours: Option<OutboxMessageId> = outbox::table
            .filter(outbox::id.eq(tried.message.id))
            .filter(outbox::status.eq("sending"))
            .filter(outbox::claimed_by.eq(worker))
            .select(outbox::id)
            .first(conn)
            .optional()?;
        if let Some(id) = ours {
            set_standing(conn, id, tried.standing(), Some(tried.said().1), now)?;
        }
    }
    let rows: Vec<_> = tried
        .iter()
        .map(|tried| {
            let (code, detail) = tried.said();
            (
                delivery_attempts::outbox_message_id.eq(tried.message.id),
                delivery_attempts::attempted_at.eq(tried.at),
                delivery_attempts::worker.eq(worker),
                delivery_attempts::outcome.eq(tried.outcome()),
                delivery_attempts::code.eq(code.map(i32::from)),
                delivery_attempts::detail.eq(detail),
            )
        })
        .collect();
    dialect::insert_rows!(conn, delivery_attempts::table, &rows)?;
    mark_addresses(conn, &sent, &failed)?;
    if !sent.is_empty() {
        diesel::update(mail_relay::table.find(RELAY).filter(mail_relay::pauses.gt(0)).filter(mail_relay::paused_until.le(now)))
            .set((mail_relay::pauses.eq(0), mail_relay::paused_until.eq(None::<UtcTime>)))
            .execute(conn)?;
    }
    Ok(())
}

/// What the relay took is sent, whoever holds the claim by now.
fn settle_sent(conn: &mut Conn, sent: &[&Tried], keep_secrets: bool) -> Result<(), Error> {
    let Some(last) = sent.iter().map(|tried| tried.at).max() else { return Ok(()) };
    let ids: Vec<OutboxMessageId> = sent.iter().map(|tried| tried.message.id).collect();
    diesel::update(outbox::table.filter(outbox::id.eq_any(&ids)))
        .set((
            outbox::status.eq("sent"),
            outbox::attempts.eq(outbox::attempts + 1),
            outbox::sent_at.eq(last),
            outbox::permanent.eq(false),
            outbox::claimed_by.eq(None::<String>),
            outbox::claimed_until.eq(None::<UtcTime>),
            outbox::last_error.eq(None::<String>),
        ))
        .execute(conn)?;
    for message in sent.iter().map(|tried| &tried.message) {
        let Some(secret) = &message.secret else { continue };
        let body = if keep_secrets { message.body.clone() } else { message.body.replace(secret.as_str(), STRUCK_OUT) };
        diesel::update(outbox::table.find(message.id))
            .set((outbox::body.eq(body), outbox::secret.eq(None::<String>)))
            .execute(conn)?;
    }
    Ok(())
}

/// Marks the addresses that do not exist and clears those that a mail has reached.
fn mark_addresses(conn: &mut Conn, sent: &[&Tried], failed: &[&Tried]) -> Result<(), Error> {
    let reached: Vec<&str> = sent.iter().map(|tried| tried.message.recipient_address.as_str()).collect();
    if !reached.is_empty() {
        diesel::delete(undeliverable::table.filter(undeliverable::address.eq_any(&reached))).execute(conn)?;
    }
    for tried in failed.iter().filter(|tried| tried.outcome() == DeliveryOutcome::RecipientRefused) {
        let address = tried.message.recipient_address.as_str();
        let (code, detail) = tried.said();
        let said = (
            undeliverable::last_refused_at.eq(tried.at),
            undeliverable::code.eq(code.map(i32::from)),
            undeliverable::detail.eq(detail),
        );
        let known = diesel::update(undeliverable::table.filter(undeliverable::address.eq(address)))
            .set((said, undeliverable::refusals.eq(undeliverable::refusals + 1)))
            .execute(conn)?;
        if known == 0 {
            let row = (undeliverable::address.eq(address), undeliverable::since.eq(tried.at), said.0, said.1, said.2);
            if dialect::insert_new!(conn, undeliverable::table, row)? == 0 {
                // Another worker has marked it at this moment; once more, and the update finds it.
                return Err(Error::internal("an address was marked by two at once").caused_by(LOST_RACE));
            }
        }
    }
    Ok(())
}

/// Lets all mail wait because the relay cannot be reached: longer each time in a row.
pub fn pause(conn: &mut Conn, now: UtcTime) -> Result<UtcTime, Error> {
    dialect::lock_row(conn, Lockable::MailRelay, RELAY)?;
    let (until, pauses): (Option<UtcTime>, i32) =
        mail_relay::table.find(RELAY).select((mail_relay::paused_until, mail_relay::pauses)).first(conn)?;
    if let Some(until) = until.filter(|until| *until > now) {
        return Ok(until);
    }
    let pauses = pauses.saturating_add(1);
    let until = now.plus(relay_pause(pauses));
    diesel::update(mail_relay::table.find(RELAY))
        .set((mail_relay::pauses.eq(pauses), mail_relay::paused_until.eq(Some(until))))
        .execute(conn)?;
    Ok(until)
}
