//! SQL of endpoints, deliveries and attempts.

use chrono::Duration;
use diesel::prelude::*;

use super::model::{DeliveryStatus, DisabledReason, EndpointStatus, EventFilter};
use crate::clock::UtcTime;
use crate::db::schema::{events, webhook_attempts as attempts, webhook_deliveries as deliveries, webhook_endpoints as endpoints};
use crate::db::{Conn, dialect};
use crate::error::{Error, ErrorCode};
use crate::http::{ListQuery, Versioned};
use crate::ids::{EventId, OrganisationId, RequestId, WebhookDeliveryId, WebhookEndpointId};
use crate::notifications::catalogue::EventKind;

/// An endpoint.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = endpoints)]
pub struct EndpointRow {
    /// Id.
    pub id: WebhookEndpointId,
    /// Whose.
    pub organisation_id: OrganisationId,
    /// Where.
    pub url: String,
    /// What for, as typed.
    pub description: String,
    /// The events wanted, as stored.
    pub events: String,
    /// Whether it is told.
    pub status: EndpointStatus,
    /// Why not.
    pub disabled_reason: Option<DisabledReason>,
    /// Since when it has done nothing but fail.
    pub failing_since: Option<UtcTime>,
    /// Until when it asked to be left alone.
    pub paused_until: Option<UtcTime>,
    /// The sealed secret.
    pub secret: String,
    /// The sealed secret before.
    pub previous_secret: Option<String>,
    /// Until when the one before signs too.
    pub previous_until: Option<UtcTime>,
    /// Version.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

impl Versioned for EndpointRow {
    fn version(&self) -> i64 {
        self.version
    }
}

impl EndpointRow {
    /// The events wanted.
    pub fn filter(&self) -> EventFilter {
        EventFilter::parse(&self.events)
    }
}

/// Adds an endpoint, still without a secret; its id.
pub fn insert(
    conn: &mut Conn,
    organisation: OrganisationId,
    (url, description, filter): (&str, &str, &EventFilter),
    now: UtcTime,
) -> Result<WebhookEndpointId, Error> {
    Ok(diesel::insert_into(endpoints::table)
        .values((
            endpoints::organisation_id.eq(organisation),
            endpoints::url.eq(url),
            endpoints::description.eq(description),
            endpoints::events.eq(filter.stored()),
            endpoints::status.eq(EndpointStatus::Active),
            endpoints::secret.eq(""),
            endpoints::created_at.eq(now),
            endpoints::updated_at.eq(now),
        ))
        .returning(endpoints::id)
        .get_result(conn)?)
}

/// Keeps a sealed secret; the one before signs on until `overlap`, where there is one.
pub fn set_secret(conn: &mut Conn, id: WebhookEndpointId, sealed: &str, before: Option<(&str, UtcTime)>) -> Result<(), Error> {
    diesel::update(endpoints::table.find(id))
        .set((
            endpoints::secret.eq(sealed),
            endpoints::previous_secret.eq(before.map(|before| before.0)),
            endpoints::previous_until.eq(before.map(|before| before.1)),
        ))
        .execute(conn)?;
    Ok(())
}

/// How many endpoints an organisation has.
pub fn count(conn: &mut Conn, organisation: OrganisationId) -> Result<i64, Error> {
    Ok(endpoints::table.filter(endpoints::organisation_id.eq(organisation)).count().get_result(conn)?)
}

/// A page of an organisation's endpoints.
pub fn list(conn: &mut Conn, organisation: OrganisationId, list: &ListQuery) -> Result<Vec<EndpointRow>, Error> {
    let mut query = endpoints::table
        .filter(endpoints::organisation_id.eq(organisation))
        .order(endpoints::id)
        .limit(list.fetch())
        .select(EndpointRow::as_select())
        .into_boxed();
    if let Some((_, id)) = list.after() {
        query = query.filter(endpoints::id.gt(WebhookEndpointId(id)));
    }
    Ok(query.load(conn)?)
}

/// One endpoint of an organisation, or 404.
pub fn find(conn: &mut Conn, organisation: OrganisationId, id: WebhookEndpointId) -> Result<EndpointRow, Error> {
    Ok(endpoints::table
        .filter(endpoints::id.eq(id))
        .filter(endpoints::organisation_id.eq(organisation))
        .select(EndpointRow::as_select())
        .first(conn)?)
}

/// Writes what a person can change, and whether it is told; the version rises.
pub fn update(conn: &mut Conn, row: &EndpointRow, now: UtcTime) -> Result<EndpointRow, Error> {
    diesel::update(endpoints::table.filter(endpoints::id.eq(row.id)).filter(endpoints::version.eq(row.version)))
        .set((
            endpoints::url.eq(&row.url),
            endpoints::description.eq(&row.description),
            endpoints::events.eq(&row.events),
            endpoints::status.eq(row.status),
            endpoints::disabled_reason.eq(row.disabled_reason),
            endpoints::failing_since.eq(row.failing_since),
            endpoints::paused_until.eq(row.paused_until),
            endpoints::version.eq(endpoints::version + 1),
            endpoints::updated_at.eq(now),
        ))
        .returning(endpoints::all_columns)
        .get_result(conn)
        .optional()?
        .ok_or_else(|| Error::new(ErrorCode::StaleVersion))
}

/// Takes an endpoint away with everything that was or would be sent to it.
pub fn delete(conn: &mut Conn, id: WebhookEndpointId) -> Result<(), Error> {
    let own = deliveries::table.filter(deliveries::endpoint_id.eq(id)).select(deliveries::id);
    diesel::delete(attempts::table.filter(attempts::delivery_id.eq_any(own))).execute(conn)?;
    diesel::delete(deliveries::table.filter(deliveries::endpoint_id.eq(id))).execute(conn)?;
    diesel::delete(endpoints::table.find(id)).execute(conn)?;
    Ok(())
}

/// The endpoints of organisations that are told, with what they want.
pub fn listening(conn: &mut Conn, organisations: &[OrganisationId]) -> Result<Vec<(WebhookEndpointId, String)>, Error> {
    Ok(endpoints::table
        .filter(endpoints::organisation_id.eq_any(organisations))
        .filter(endpoints::status.eq(EndpointStatus::Active))
        .order(endpoints::id)
        .select((endpoints::id, endpoints::events))
        .load(conn)?)
}

/// Puts an event into the queues of endpoints, each under its own message id.
pub fn enqueue(conn: &mut Conn, event: EventId, to: &[(WebhookEndpointId, String)], now: UtcTime) -> Result<(), Error> {
    let rows: Vec<_> = to
        .iter()
        .map(|(endpoint, message)| {
            (
                deliveries::endpoint_id.eq(*endpoint),
                deliveries::event_id.eq(event),
                deliveries::message_id.eq(message),
                deliveries::status.eq(DeliveryStatus::Queued),
                deliveries::next_attempt_at.eq(now),
                deliveries::created_at.eq(now),
            )
        })
        .collect();
    dialect::insert_rows!(conn, deliveries::table, rows)?;
    Ok(())
}

/// A delivery with its event, as it is sent and shown.
#[derive(Debug, Clone, Queryable)]
pub struct DeliveryRow {
    /// Id.
    pub id: WebhookDeliveryId,
    /// To where.
    pub endpoint_id: WebhookEndpointId,
    /// The header `webhook-id`, the same in every attempt.
    pub message_id: String,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Attempts so far, since it was last queued by a person.
    pub attempts: i32,
    /// The first of them.
    pub first_attempt_at: Option<UtcTime>,
    /// Not before.
    pub next_attempt_at: UtcTime,
    /// When the receiver took it.
    pub delivered_at: Option<UtcTime>,
    /// HTTP status of the last attempt.
    pub last_status: Option<i32>,
    /// Why the last attempt had no answer.
    pub last_failure: Option<String>,
    /// Queued.
    pub created_at: UtcTime,
    /// The event.
    pub event_id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub occurred_at: UtcTime,
    /// Whose affair.
    pub owner_organisation_id: OrganisationId,
    /// Kind of object.
    pub entity_kind: String,
    /// The object.
    pub entity_id: i64,
    /// The request it belongs to.
    pub request_id: Option<RequestId>,
}

macro_rules! delivery_columns {
    () => {
        (
            deliveries::id,
            deliveries::endpoint_id,
            deliveries::message_id,
            deliveries::status,
            deliveries::attempts,
            deliveries::first_attempt_at,
            deliveries::next_attempt_at,
            deliveries::delivered_at,
            deliveries::last_status,
            deliveries::last_failure,
            deliveries::created_at,
            events::id,
            events::kind,
            events::occurred_at,
            events::owner_organisation_id,
            events::entity_kind,
            events::entity_id,
            events::request_id,
        )
    };
}

/// A page of what was or is to be sent to an endpoint, newest first.
pub fn list_deliveries(
    conn: &mut Conn,
    endpoint: WebhookEndpointId,
    status: Option<DeliveryStatus>,
    list: &ListQuery,
) -> Result<Vec<DeliveryRow>, Error> {
    let mut query = deliveries::table
        .inner_join(events::table)
        .filter(deliveries::endpoint_id.eq(endpoint))
        .order(deliveries::id.desc())
        .limit(list.fetch())
        .select(delivery_columns!())
        .into_boxed();
    if let Some(status) = status {
        query = query.filter(deliveries::status.eq(status));
    }
    if let Some((_, id)) = list.after() {
        query = query.filter(deliveries::id.lt(WebhookDeliveryId(id)));
    }
    Ok(query.load(conn)?)
}

/// One delivery to an organisation's endpoint, or 404.
pub fn find_delivery(conn: &mut Conn, organisation: OrganisationId, id: WebhookDeliveryId) -> Result<DeliveryRow, Error> {
    Ok(deliveries::table
        .inner_join(events::table)
        .inner_join(endpoints::table)
        .filter(deliveries::id.eq(id))
        .filter(endpoints::organisation_id.eq(organisation))
        .select(delivery_columns!())
        .first(conn)?)
}

/// An attempt of a delivery.
#[derive(Debug, Clone, Queryable)]
pub struct AttemptRow {
    /// When it ended.
    pub attempted_at: UtcTime,
    /// HTTP status, where there was an answer.
    pub status: Option<i32>,
    /// Why there was none.
    pub failure: Option<String>,
    /// How long it took.
    pub milliseconds: i32,
}

/// Most attempts shown of a delivery.
pub const MOST_ATTEMPTS_SHOWN: i64 = 200;

/// The attempts of a delivery, newest first.
pub fn attempts_of(conn: &mut Conn, id: WebhookDeliveryId) -> Result<Vec<AttemptRow>, Error> {
    Ok(attempts::table
        .filter(attempts::delivery_id.eq(id))
        .order(attempts::id.desc())
        .limit(MOST_ATTEMPTS_SHOWN)
        .select((attempts::attempted_at, attempts::status, attempts::failure, attempts::milliseconds))
        .load(conn)?)
}

/// Claims deliveries that are due to endpoints that are told and want to be, until `lease` has passed; each with its
/// endpoint.
pub fn claim(conn: &mut Conn, now: UtcTime, lease: Duration, most: i64) -> Result<Vec<(DeliveryRow, EndpointRow)>, Error> {
    dialect::claim(conn, "webhooks-claim")?;
    let due: Vec<WebhookDeliveryId> = deliveries::table
        .inner_join(endpoints::table)
        .filter(
            deliveries::status
                .eq(DeliveryStatus::Queued)
                .and(deliveries::next_attempt_at.le(now))
                .or(deliveries::status.eq(DeliveryStatus::Sending).and(deliveries::claimed_until.lt(now))),
        )
        .filter(endpoints::status.eq(EndpointStatus::Active))
        .filter(endpoints::paused_until.is_null().or(endpoints::paused_until.le(now)))
        .order((deliveries::next_attempt_at, deliveries::id))
        .limit(most)
        .select(deliveries::id)
        .load(conn)?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    diesel::update(deliveries::table.filter(deliveries::id.eq_any(&due)))
        .set((
            deliveries::status.eq(DeliveryStatus::Sending),
            deliveries::claimed_until.eq(now.plus(lease)),
            deliveries::attempts.eq(deliveries::attempts + 1),
        ))
        .execute(conn)?;
    diesel::update(deliveries::table.filter(deliveries::id.eq_any(&due)).filter(deliveries::first_attempt_at.is_null()))
        .set(deliveries::first_attempt_at.eq(now))
        .execute(conn)?;
    Ok(deliveries::table
        .inner_join(events::table)
        .inner_join(endpoints::table)
        .filter(deliveries::id.eq_any(&due))
        .order(deliveries::id)
        .select((delivery_columns!(), EndpointRow::as_select()))
        .load(conn)?)
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// HTTP status, where there was an answer.
    pub status: Option<i32>,
    /// Why there was none.
    pub failure: Option<&'a str>,
    /// How long it took.
    pub milliseconds: i32,
    /// Where the delivery stands now.
    pub now_is: DeliveryStatus,
    /// When it is attempted again, where it is queued.
    pub next: Option<UtcTime>,
}

/// Whether a delivery is still there: its endpoint may have been deleted while it was attempted.
pub fn exists(conn: &mut Conn, id: WebhookDeliveryId) -> Result<bool, Error> {
    Ok(diesel::select(diesel::dsl::exists(deliveries::table.find(id))).get_result(conn)?)
}

/// Takes back that a delivery was attempted: what went wrong was none of the receiver's fault.
pub fn untry(conn: &mut Conn, id: WebhookDeliveryId) -> Result<(), Error> {
    diesel::update(deliveries::table.find(id)).set(deliveries::attempts.eq(deliveries::attempts - 1)).execute(conn)?;
    Ok(())
}

/// Notes an attempt.
pub fn finish(conn: &mut Conn, id: WebhookDeliveryId, outcome: Outcome<'_>, now: UtcTime) -> Result<(), Error> {
    diesel::insert_into(attempts::table)
        .values((
            attempts::delivery_id.eq(id),
            attempts::attempted_at.eq(now),
            attempts::status.eq(outcome.status),
            attempts::failure.eq(outcome.failure),
            attempts::milliseconds.eq(outcome.milliseconds),
        ))
        .execute(conn)?;
    let delivered = (outcome.now_is == DeliveryStatus::Delivered).then_some(now);
    diesel::update(deliveries::table.find(id))
        .set((
            deliveries::status.eq(outcome.now_is),
            deliveries::next_attempt_at.eq(outcome.next.unwrap_or(now)),
            deliveries::claimed_until.eq(None::<UtcTime>),
            deliveries::delivered_at.eq(delivered),
            deliveries::last_status.eq(outcome.status),
            deliveries::last_failure.eq(outcome.failure),
        ))
        .execute(conn)?;
    Ok(())
}

/// How an endpoint fares now, and nobody changes it meanwhile; nothing when it is gone or off.
pub fn health(conn: &mut Conn, id: WebhookEndpointId) -> Result<Option<(Option<UtcTime>, Option<UtcTime>)>, Error> {
    // Touching the row locks it on PostgreSQL; on SQLite the write lock is already held.
    let still =
        diesel::update(endpoints::table.filter(endpoints::id.eq(id)).filter(endpoints::status.eq(EndpointStatus::Active)))
            .set(endpoints::version.eq(endpoints::version))
            .execute(conn)?;
    if still == 0 {
        return Ok(None);
    }
    Ok(endpoints::table.find(id).select((endpoints::failing_since, endpoints::paused_until)).first(conn).optional()?)
}

/// Notes since when an endpoint fails (`None`: it does not), and until when it asked to be left alone. The version stays:
/// nobody's change is lost by it.
pub fn set_health(
    conn: &mut Conn,
    id: WebhookEndpointId,
    failing_since: Option<UtcTime>,
    paused_until: Option<UtcTime>,
) -> Result<(), Error> {
    diesel::update(endpoints::table.find(id))
        .set((endpoints::failing_since.eq(failing_since), endpoints::paused_until.eq(paused_until)))
        .execute(conn)?;
    Ok(())
}

/// Switches an endpoint off; `false`: it was off already.
pub fn disable(conn: &mut Conn, id: WebhookEndpointId, reason: DisabledReason, now: UtcTime) -> Result<bool, Error> {
    let changed =
        diesel::update(endpoints::table.filter(endpoints::id.eq(id)).filter(endpoints::status.eq(EndpointStatus::Active)))
            .set((
                endpoints::status.eq(EndpointStatus::Disabled),
                endpoints::disabled_reason.eq(reason),
                endpoints::version.eq(endpoints::version + 1),
                endpoints::updated_at.eq(now),
            ))
            .execute(conn)?;
    Ok(changed > 0)
}

/// Gives up what waits for an endpoint that is told no more; it can be replayed.
pub fn give_up(conn: &mut Conn, endpoint: WebhookEndpointId) -> Result<(), Error> {
    diesel::update(
        deliveries::table.filter(deliveries::endpoint_id.eq(endpoint)).filter(deliveries::status.eq(DeliveryStatus::Queued)),
    )
    .set(deliveries::status.eq(DeliveryStatus::Failed))
    .execute(conn)?;
    Ok(())
}

/// Which deliveries are sent again.
#[derive(Debug, Clone, Copy)]
pub enum Replay {
    /// One.
    One(WebhookDeliveryId),
    /// Everything to an endpoint queued at an instant or later; only what was given up, or all.
    Since(WebhookEndpointId, UtcTime, bool),
}

/// Queues deliveries again under their own message ids, with all their attempts before them; how many.
pub fn replay(conn: &mut Conn, which: Replay, now: UtcTime) -> Result<usize, Error> {
    let over = [DeliveryStatus::Delivered, DeliveryStatus::Failed];
    let again = (
        deliveries::status.eq(DeliveryStatus::Queued),
        deliveries::attempts.eq(0),
        deliveries::first_attempt_at.eq(None::<UtcTime>),
        deliveries::next_attempt_at.eq(now),
        deliveries::delivered_at.eq(None::<UtcTime>),
    );
    Ok(match which {
        Replay::One(id) => {
            diesel::update(deliveries::table.filter(deliveries::id.eq(id)).filter(deliveries::status.eq_any(over)))
                .set(again)
                .execute(conn)?
        }
        Replay::Since(endpoint, since, only_failed) => {
            let states = if only_failed { vec![DeliveryStatus::Failed] } else { over.to_vec() };
            diesel::update(
                deliveries::table
                    .filter(deliveries::endpoint_id.eq(endpoint))
                    .filter(deliveries::created_at.ge(since))
                    .filter(deliveries::status.eq_any(states)),
            )
            .set(again)
            .execute(conn)?
        }
    })
}

/// How many deliveries to an endpoint have been given up.
pub fn undelivered(conn: &mut Conn, endpoint: WebhookEndpointId) -> Result<u32, Error> {
    let count: i64 = deliveries::table
        .filter(deliveries::endpoint_id.eq(endpoint))
        .filter(deliveries::status.eq(DeliveryStatus::Failed))
        .count()
        .get_result(conn)?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}
