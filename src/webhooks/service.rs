//! Endpoints and what is queued for them.

use std::collections::BTreeSet;

use chrono::Duration;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::hooks::Hooks;
use super::model::{DeliveryStatus, DisabledReason, EndpointStatus, EventFilter, MOST_ENDPOINTS, OVERLAP_HOURS};
use super::sign::{MessageId, Secret};
use super::store::{self, DeliveryRow, EndpointRow, Replay};
use super::target::{Target, TargetProblem};
use super::views::{
    CreateWebhookBody, ReplayWebhookBody, RotateWebhookBody, UpdateWebhookBody, WebhookAttemptView, WebhookDeliveryDetail,
    WebhookDeliveryView, WebhookEndpointView, WebhookReplayed, WebhookSecretView,
};
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::read::NoQuery;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{EventId, OrganisationId, WebhookEndpointId};
use crate::notifications::catalogue::{EventKind, Reach};
use crate::notifications::notice_store;
use crate::notifications::service::Event;

/// Puts a delivery of an event into the queue of each endpoint of the bodies concerned that wants it.
pub fn fan_out(conn: &mut Conn, ctx: &Ctx, event: &Event, id: EventId, bodies: &BTreeSet<OrganisationId>) -> Result<(), Error> {
    if ctx.app.webhooks.is_none() {
        return Ok(());
    }
    let bodies: Vec<OrganisationId> = bodies.iter().copied().collect();
    let mut to = Vec::new();
    for (endpoint, filter) in store::listening(conn, &bodies)? {
        if EventFilter::parse(&filter).wants(event.kind) {
            to.push((endpoint, message_id()?));
        }
    }
    store::enqueue(conn, id, &to, ctx.now)
}

fn message_id() -> Result<String, Error> {
    Ok(MessageId::generate().map_err(Error::internal)?.as_str().to_owned())
}

/// 409 where the operator has not set webhooks up.
fn hooks(ctx: &Ctx) -> Result<&Hooks, Error> {
    ctx.app.webhooks.as_ref().ok_or_else(|| Error::new(ErrorCode::WebhooksNotConfigured))
}

fn about(row: &EndpointRow) -> Audit {
    Audit::new("webhook", row.id.0, row.organisation_id)
}

/// What an audit event says of an endpoint. The path of an address may hold the receiver's own secret.
fn facts(hooks: &Hooks, row: &EndpointRow) -> serde_json::Value {
    let place = Target::parse(&row.url, &hooks.rules).map_or_else(|_| "(refused)".to_owned(), |target| target.origin());
    json!({
        "address": place, "description": row.description, "events": row.events, "status": row.status,
        "disabled_reason": row.disabled_reason,
    })
}

/// Checks an address; the form in which it is kept.
fn checked_url(fields: &mut Fields, hooks: &Hooks, url: &str) -> String {
    match Target::parse(url, &hooks.rules) {
        Ok(target) => target.as_str().to_owned(),
        Err(problems) => {
            for problem in problems {
                let (ja, en) = words(problem);
                fields.wrong("/url", problem.code(), ja, en);
            }
            String::new()
        }
    }
}

fn words(problem: TargetProblem) -> (&'static str, &'static str) {
    match problem {
        TargetProblem::Malformed => {
            ("https://ホスト名/… の形のURLにしてください", "Must be an address of the form https://host/…")
        }
        TargetProblem::TooLong => ("2048バイト以内にしてください", "At most 2048 bytes"),
        TargetProblem::Character => {
            ("空白、制御文字、円記号（\\）は使えません", "Spaces, control characters and backslashes are not allowed")
        }
        TargetProblem::HttpsRequired => ("httpsのURLにしてください", "Must be https"),
        TargetProblem::UserInfo => ("ユーザー名やパスワードは含められません", "Must hold no user name or password"),
        TargetProblem::Fragment => ("#以降は含められません", "Must hold no fragment"),
        TargetProblem::Port => ("このポートには送れません（運用者の設定）", "The operator does not allow this port"),
        TargetProblem::HostName => ("ホスト名が正しくありません", "The host name is not usable"),
        TargetProblem::Address(_) => (
            "組織内部や予約済みのアドレスには送れません。必要なら運用者が許可します",
            "Private and reserved addresses are refused unless the operator allows them",
        ),
    }
}

fn checked_events(fields: &mut Fields, events: &[EventKind]) -> EventFilter {
    fields.at_most("/events", events.len(), 100);
    for (at, kind) in events.iter().enumerate() {
        fields.check(
            kind.reach() != Reach::Personal,
            format!("/events/{at}"),
            "not_published",
            "本人だけに送る種類です。Webhookでは送りません",
            "This event is personal and never sent to programs",
        );
    }
    EventFilter::new(events.iter().copied())
}

/// Registers an endpoint; its secret is in the answer and nowhere else.
pub fn create(conn: &mut Conn, ctx: &Ctx, body: CreateWebhookBody) -> Result<Outcome<WebhookSecretView>, Error> {
    let hooks = hooks(ctx)?;
    let mut fields = Fields::new();
    let url = checked_url(&mut fields, hooks, &body.url);
    fields.optional_line("/description", &body.description, 200);
    let filter = checked_events(&mut fields, &body.events);
    fields.finish()?;
    let organisation = ctx.organisation();
    if store::count(conn, organisation)? >= MOST_ENDPOINTS {
        return Err(Error::new(ErrorCode::Duplicate).detail(
            format!("Webhookは1団体{MOST_ENDPOINTS}件までです"),
            format!("An organisation has at most {MOST_ENDPOINTS} endpoints"),
        ));
    }
    let id = store::insert(conn, organisation, (&url, &body.description, &filter), ctx.now)?;
    let secret = Secret::generate().map_err(Error::internal)?;
    store::set_secret(conn, id, &hooks.vault.seal(id.0, &secret).map_err(Error::internal)?, None)?;
    let row = store::find(conn, organisation, id)?;
    let audit = about(&row).created(facts(hooks, &row));
    let (location, version) = (format!("/api/v1/webhooks/{id}"), row.version);
    Ok(Outcome::created(with_secret(row, &secret, ctx), version, location, audit).secret())
}

fn with_secret(row: EndpointRow, secret: &Secret, ctx: &Ctx) -> WebhookSecretView {
    WebhookSecretView { endpoint: WebhookEndpointView::new(row, ctx.now), secret: secret.reveal().expose_secret().to_owned() }
}

/// Changes address, purpose or filter.
pub fn update(
    conn: &mut Conn,
    ctx: &Ctx,
    before: EndpointRow,
    body: UpdateWebhookBody,
) -> Result<Outcome<WebhookEndpointView>, Error> {
    let hooks = hooks(ctx)?;
    let mut fields = Fields::new();
    let mut row = before.clone();
    if let Some(url) = body.url {
        row.url = checked_url(&mut fields, hooks, &url);
    }
    if let Some(description) = body.description {
        fields.optional_line("/description", &description, 200);
        row.description = description;
    }
    if let Some(events) = body.events {
        row.events = checked_events(&mut fields, &events).stored();
    }
    fields.finish()?;
    changed(conn, ctx, hooks, &before, &row)
}

fn changed(
    conn: &mut Conn,
    ctx: &Ctx,
    hooks: &Hooks,
    before: &EndpointRow,
    row: &EndpointRow,
) -> Result<Outcome<WebhookEndpointView>, Error> {
    let row = store::update(conn, row, ctx.now)?;
    let audit = about(&row).change(facts(hooks, before), facts(hooks, &row));
    let version = row.version;
    Ok(Outcome::changed(WebhookEndpointView::new(row, ctx.now), version, audit))
}

/// Switches an endpoint on again; what was given up meanwhile can be replayed.
pub fn enable(conn: &mut Conn, ctx: &Ctx, before: EndpointRow, _: NoQuery) -> Result<Outcome<WebhookEndpointView>, Error> {
    if before.status == EndpointStatus::Active {
        return Err(Error::transition(before.status.as_str(), vec!["disable"]));
    }
    let row = EndpointRow {
        status: EndpointStatus::Active,
        disabled_reason: None,
        failing_since: None,
        paused_until: None,
        ..before.clone()
    };
    changed(conn, ctx, hooks(ctx)?, &before, &row)
}

/// Switches an endpoint off; what waits is given up.
pub fn disable(conn: &mut Conn, ctx: &Ctx, before: EndpointRow, _: NoQuery) -> Result<Outcome<WebhookEndpointView>, Error> {
    if before.status == EndpointStatus::Disabled {
        return Err(Error::transition(before.status.as_str(), vec!["enable"]));
    }
    let row = EndpointRow { status: EndpointStatus::Disabled, disabled_reason: Some(DisabledReason::ByHand), ..before.clone() };
    let outcome = changed(conn, ctx, hooks(ctx)?, &before, &row)?;
    store::give_up(conn, before.id)?;
    Ok(outcome)
}

/// Takes an endpoint away with its deliveries; the audit event stays.
pub fn delete(conn: &mut Conn, ctx: &Ctx, row: EndpointRow, _: NoQuery) -> Result<Outcome<WebhookEndpointView>, Error> {
    store::delete(conn, row.id)?;
    let audit = about(&row).change(facts(hooks(ctx)?, &row), json!({"deleted": true}));
    Ok(Outcome::done(WebhookEndpointView::new(row, ctx.now), audit))
}

/// Gives an endpoint a new secret; for a time the one before signs too, so that the receiver can change over.
pub fn rotate(
    conn: &mut Conn,
    ctx: &Ctx,
    before: EndpointRow,
    body: RotateWebhookBody,
) -> Result<Outcome<WebhookSecretView>, Error> {
    let hooks = hooks(ctx)?;
    let overlap = body.overlap_hours.unwrap_or(OVERLAP_HOURS);
    let mut fields = Fields::new();
    fields.within("/overlap_hours", overlap, 0, 168);
    fields.finish()?;
    let secret = Secret::generate().map_err(Error::internal)?;
    let sealed = hooks.vault.seal(before.id.0, &secret).map_err(Error::internal)?;
    let until = ctx.now.plus(Duration::hours(overlap));
    store::set_secret(conn, before.id, &sealed, (overlap > 0).then_some((before.secret.as_str(), until)))?;
    let row = store::update(conn, &before, ctx.now)?;
    let row = store::find(conn, row.organisation_id, row.id)?;
    let audit = about(&row).change(json!({"secret": "before"}), json!({"secret": "new", "before_signs_until": until}));
    let version = row.version;
    Ok(Outcome::changed(with_secret(row, &secret, ctx), version, audit).secret())
}

/// Sends a test event to one endpoint.
pub fn test(conn: &mut Conn, ctx: &Ctx, row: EndpointRow, _: NoQuery) -> Result<Outcome<WebhookDeliveryView>, Error> {
    hooks(ctx)?;
    if row.status == EndpointStatus::Disabled {
        return Err(Error::transition(row.status.as_str(), vec!["enable"]));
    }
    let message = message_id()?;
    let event = Event::new(EventKind::WebhookTest, row.organisation_id, ("webhook", row.id.0), &message);
    let id = notice_store::insert_event(conn, &event, &event.key(), ctx.now)?
        .ok_or_else(|| Error::internal("a random message id was there already"))?;
    store::enqueue(conn, id, &[(row.id, message)], ctx.now)?;
    let page = crate::http::ListQuery::new(Some(1), None, &())?;
    let delivery = store::list_deliveries(conn, row.id, None, &page)?.into_iter().next().ok_or_else(Error::not_found)?;
    let audit = about(&row).created(json!({"test": delivery.id}));
    Ok(Outcome::done(delivery.into(), audit))
}

/// Sends one delivery again, under its own message id.
pub fn replay_one(conn: &mut Conn, ctx: &Ctx, row: DeliveryRow, _: NoQuery) -> Result<Outcome<WebhookDeliveryView>, Error> {
    let endpoint = told(conn, ctx, row.endpoint_id)?;
    if store::replay(conn, Replay::One(row.id), ctx.now)? == 0 {
        return Err(Error::transition(row.status.as_str(), Vec::new()));
    }
    let audit =
        about(&endpoint).change(json!({"delivery": row.id, "status": row.status}), json!({"status": DeliveryStatus::Queued}));
    Ok(Outcome::done(store::find_delivery(conn, ctx.organisation(), row.id)?.into(), audit))
}

/// Sends what was queued for an endpoint since an instant again.
pub fn replay_since(
    conn: &mut Conn,
    ctx: &Ctx,
    row: EndpointRow,
    body: ReplayWebhookBody,
) -> Result<Outcome<WebhookReplayed>, Error> {
    told(conn, ctx, row.id)?;
    let queued = store::replay(conn, Replay::Since(row.id, body.since, !body.received_too), ctx.now)?;
    let audit =
        about(&row).created(json!({"replayed_since": body.since, "received_too": body.received_too, "deliveries": queued}));
    Ok(Outcome::done(WebhookReplayed { queued }, audit))
}

/// The own endpoint, which must be told: what is sent again would only wait otherwise.
fn told(conn: &mut Conn, ctx: &Ctx, id: WebhookEndpointId) -> Result<EndpointRow, Error> {
    let row = store::find(conn, ctx.organisation(), id)?;
    match row.status {
        EndpointStatus::Active => Ok(row),
        EndpointStatus::Disabled => Err(Error::transition(row.status.as_str(), vec!["enable"])),
    }
}

/// A delivery with its attempts.
pub fn detail(conn: &mut Conn, row: DeliveryRow) -> Result<WebhookDeliveryDetail, Error> {
    let attempts = store::attempts_of(conn, row.id)?.into_iter().map(WebhookAttemptView::from).collect();
    Ok(WebhookDeliveryDetail { delivery: row.into(), attempts })
}
