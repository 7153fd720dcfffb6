//! Telling people about their webhooks.

use super::model::DisabledReason;
use super::schedule;
use super::store::EndpointRow;
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::notifications::catalogue::EventKind;
use crate::notifications::service::{Event, Told, publish};
use crate::notifications::template::{Notice, WebhookCause, WebhookDisabled};
use crate::organisations::people;

/// Tells an organisation's people that an endpoint was switched off.
pub(super) fn disabled(conn: &mut Conn, ctx: &Ctx, endpoint: &EndpointRow, reason: DisabledReason) -> Result<(), Error> {
    let event = Event::new(
        EventKind::WebhookDisabled,
        endpoint.organisation_id,
        ("webhook", endpoint.id.0),
        format!("{}:{reason}", ctx.now),
    );
    let place = endpoint.url.split('/').nth(2).unwrap_or_default().to_owned();
    let undelivered = super::store::undelivered(conn, endpoint.id)?;
    let cause = match reason {
        DisabledReason::Gone => WebhookCause::Gone,
        DisabledReason::Failing | DisabledReason::ByHand => {
            WebhookCause::Failing(u32::try_from(schedule::DEAD_AFTER.num_days()).unwrap_or(0))
        }
    };
    let told = people::staff_of(conn, endpoint.organisation_id, ctx.today())?
        .into_iter()
        .map(|to| {
            let notice = Notice::WebhookDisabled(WebhookDisabled {
                recipient: to.addressee(),
                name: endpoint.description.clone(),
                host: place.clone(),
                cause,
                disabled_at: ctx.now.instant(),
                last_answer: None,
                undelivered,
                link: format!("/webhooks/{}", endpoint.id),
            });
            Told::new(to, notice)
        })
        .collect();
    publish(conn, ctx, &event, told).map(drop)
}
