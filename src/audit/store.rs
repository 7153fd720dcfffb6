//! SQL that reads audit events. They are written by [`super::service`] alone.

use diesel::prelude::*;

use super::seal::AuditRow;
use crate::auth::policy::Role;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{audit_events, audit_seals, users};
use crate::error::Error;
use crate::http::{Ctx, ListQuery};
use crate::ids::UserId;

/// Filters of the list.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// About this kind of object.
    pub entity_kind: Option<String>,
    /// About the object with this id.
    pub entity_id: Option<i64>,
    /// By this person.
    pub actor_user_id: Option<UserId>,
    /// At or after this instant.
    pub from: Option<UtcTime>,
    /// Before this instant.
    pub before: Option<UtcTime>,
}

/// An event with the name of the person and its place in the chain.
pub type EventRow = (AuditRow, Option<String>, Option<i64>);

/// A page of the visible events, newest first: system administrators see all, everybody else those that concern the
/// own organisation or were done for it.
pub fn list(conn: &mut Conn, ctx: &Ctx, filter: &AuditFilter, list: &ListQuery) -> Result<Vec<EventRow>, Error> {
    let mut query = audit_events::table
        .left_join(users::table.on(users::id.nullable().eq(audit_events::actor_user_id)))
        .left_join(audit_seals::table.on(audit_seals::event_id.eq(audit_events::id)))
        .order(audit_events::id.desc())
        .limit(list.fetch())
        .select((AuditRow::as_select(), users::name.nullable(), audit_seals::sequence.nullable()))
        .into_boxed();
    if ctx.principal.acts_as != Role::SystemAdmin {
        let own = ctx.organisation().0;
        query = query.filter(audit_events::owner_organisation_id.eq(own).or(audit_events::organisation_id.eq(own)));
    }
    if let Some(kind) = &filter.entity_kind {
        query = query.filter(audit_events::entity_kind.eq(kind.clone()));
    }
    if let Some(id) = filter.entity_id {
        query = query.filter(audit_events::entity_id.eq(id));
    }
    if let Some(user) = filter.actor_user_id {
        query = query.filter(audit_events::actor_user_id.eq(user.0));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit_events::occurred_at.ge(from));
    }
    if let Some(before) = filter.before {
        query = query.filter(audit_events::occurred_at.lt(before));
    }
    if let Some((_, id)) = list.after() {
        query = query.filter(audit_events::id.lt(id));
    }
    Ok(query.load(conn)?)
}
