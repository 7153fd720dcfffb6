//! Writing the one event of a write, inside its transaction.

use diesel::prelude::*;

use crate::auth::principal::Actor;
use crate::db::Conn;
use crate::db::schema::audit_events;
use crate::error::Error;
use crate::http::{Audit, Ctx};

/// Adds the event. `operation` is the route or the job's name.
pub fn record(conn: &mut Conn, ctx: &Ctx, operation: &str, audit: &Audit) -> Result<(), Error> {
    let (kind, user, client, membership) = match &ctx.principal.actor {
        Actor::User { user_id, membership_id, .. } => ("user", Some(user_id.0), None, Some(membership_id.0)),
        Actor::ApiClient(id) => ("api_client", None, Some(id.0), None),
        Actor::Link => ("link", None, None, None),
        Actor::System => ("system", None, None, None),
        Actor::Command => ("command", None, None, None),
    };
    let text = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string);
    diesel::insert_into(audit_events::table)
        .values((
            audit_events::occurred_at.eq(ctx.now),
            audit_events::operation.eq(operation),
            audit_events::actor_kind.eq(kind),
            audit_events::actor_user_id.eq(user),
            audit_events::actor_api_client_id.eq(client),
            audit_events::membership_id.eq(membership),
            audit_events::organisation_id.eq(Some(ctx.organisation().0)),
            audit_events::filed_for_organisation_id.eq(audit.filed_for.map(|id| id.0)),
            audit_events::entity_kind.eq(audit.entity),
            audit_events::entity_id.eq(audit.entity_id),
            audit_events::owner_organisation_id.eq(audit.owner.map(|id| id.0)),
            audit_events::old_value.eq(text(&audit.old)),
            audit_events::new_value.eq(text(&audit.new)),
            audit_events::reason.eq(audit.reason.as_deref()),
            audit_events::request_id.eq(&ctx.request_id),
        ))
        .execute(conn)?;
    Ok(())
}
