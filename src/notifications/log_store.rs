//! SQL of the log of deliveries and of the addresses that mail does not reach, as coordinators see them.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::outcome::DeliveryOutcome;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{delivery_attempts as attempts, outbox_messages as outbox, undeliverable_addresses as undeliverable};
use crate::error::Error;
use crate::http::ListQuery;
use crate::ids::{DeliveryAttemptId, OrganisationId, OutboxMessageId, UndeliverableAddressId};

/// One attempt.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = attempts)]
pub struct AttemptRow {
    /// Id.
    pub id: DeliveryAttemptId,
    /// When the answer came.
    pub attempted_at: UtcTime,
    /// Who tried.
    pub worker: String,
    /// How it ended.
    pub outcome: DeliveryOutcome,
    /// Reply code.
    pub code: Option<i32>,
    /// Words of the relay.
    pub detail: String,
}

/// A page of the attempts of one mail, newest first.
pub fn attempts_of(conn: &mut Conn, message: OutboxMessageId, list: &ListQuery) -> Result<Vec<AttemptRow>, Error> {
    let mut query = attempts::table
        .filter(attempts::outbox_message_id.eq(message))
        .order(attempts::id.desc())
        .limit(list.fetch())
        .select(AttemptRow::as_select())
        .into_boxed();
    if let Some((_, id)) = list.after() {
        query = query.filter(attempts::id.lt(DeliveryAttemptId(id)));
    }
    Ok(query.load(conn)?)
}

/// An address that was refused for good.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = undeliverable)]
pub struct AddressRow {
    /// Id.
    pub id: UndeliverableAddressId,
    /// The address.
    pub address: String,
    /// First refused.
    pub since: UtcTime,
    /// Last refused.
    pub last_refused_at: UtcTime,
    /// How often.
    pub refusals: i32,
    /// Last reply code.
    pub code: Option<i32>,
    /// Last words of the relay.
    pub detail: String,
}

/// Addresses that refused a mail of `$owner`: whom others write to is their business.
macro_rules! known_to {
    ($owner:expr) => {
        exists(
            attempts::table
                .inner_join(outbox::table)
                .filter(outbox::owner_organisation_id.eq($owner.0))
                .filter(outbox::recipient_address.eq(undeliverable::address))
                .filter(attempts::outcome.eq(DeliveryOutcome::RecipientRefused)),
        )
    };
}

/// A page of the addresses that mail of an organisation does not reach, newest first.
pub fn undeliverable(conn: &mut Conn, owner: OrganisationId, list: &ListQuery) -> Result<Vec<AddressRow>, Error> {
    let mut query = undeliverable::table
        .filter(known_to!(owner))
        .order(undeliverable::id.desc())
        .limit(list.fetch())
        .select(AddressRow::as_select())
        .into_boxed();
    if let Some((_, id)) = list.after() {
        query = query.filter(undeliverable::id.lt(UndeliverableAddressId(id)));
    }
    Ok(query.load(conn)?)
}

/// One of them.
pub fn find_undeliverable(conn: &mut Conn, owner: OrganisationId, id: UndeliverableAddressId) -> Result<AddressRow, Error> {
    Ok(undeliverable::table
        .filter(undeliverable::id.eq(id))
        .filter(known_to!(owner))
        .select(AddressRow::as_select())
        .first(conn)?)
}

/// Takes the mark off an address.
pub fn clear(conn: &mut Conn, id: UndeliverableAddressId) -> Result<(), Error> {
    diesel::delete(undeliverable::table.find(id)).execute(conn)?;
    Ok(())
}
