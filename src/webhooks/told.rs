//! Telling people about their webhooks.

use super::model::DisabledReason;
use super::store::EndpointRow;
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::notifications::catalogue::EventKind;
use crate::notifications::service::{Event, Told, publish};
use crate::notifications::template::Notice;
use crate::organisations::people;

/// Tells an organisation's people that an endpoint was switched off.
pub(super) fn disabled(conn: &mut Conn, ctx: &Ctx, endpoint: &EndpointRow, reason: DisabledReason) -> Result<(), Error> {
    let event =
        Event::new(EventKind::WebhookDisabled, endpoint.organisation_id, ("webhook", endpoint.id.0), format!("{}:{reason}", ctx.now));
    let told = people::staff_of(conn, endpoint.organisation_id, ctx.today())?
        .into_iter()
        .map(|to| {
            let notice = Notice::TestMail { recipient: to.addressee(), requested_at: ctx.now.instant() };
            Told::new(to, notice)
        })
        .collect();
    publish(conn, ctx, &event, told).map(drop)
}
