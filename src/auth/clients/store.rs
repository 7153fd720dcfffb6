//! SQL of API clients.

use diesel::prelude::*;

use super::views::ApiClientStatus;
use crate::auth::policy::Role;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{api_clients, organisations};
use crate::error::Error;
use crate::http::{Ctx, ListQuery, Versioned};
use crate::ids::{ApiClientId, OrganisationId, UserId};
use crate::organisations::reach::{Reach, SELF_ADMINISTERED};

/// An API client.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = api_clients)]
pub struct ApiClientRow {
    /// Id.
    pub id: ApiClientId,
    /// For whom it acts.
    pub organisation_id: OrganisationId,
    /// Name.
    pub name: String,
    /// The role whose rights it has.
    pub acts_as: Role,
    /// Scopes, separated by single spaces.
    pub scopes: String,
    /// Public part of the key.
    pub key_prefix: String,
    /// Until when.
    pub expires_at: UtcTime,
    /// When it was revoked.
    pub revoked_at: Option<UtcTime>,
    /// Who created it.
    pub created_by: Option<UserId>,
    /// Version.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

impl ApiClientRow {
    /// Whether the key works at an instant.
    pub fn status(&self, now: UtcTime) -> ApiClientStatus {
        if self.revoked_at.is_some() {
            ApiClientStatus::Revoked
        } else if self.expires_at <= now {
            ApiClientStatus::Expired
        } else {
            ApiClientStatus::Active
        }
    }
}

impl Versioned for ApiClientRow {
    fn version(&self) -> i64 {
        self.version
    }
}

/// A page of the clients of organisations within reach, by id.
pub fn list(
    conn: &mut Conn,
    reach: &Reach,
    organisation: Option<OrganisationId>,
    list: &ListQuery,
) -> Result<Vec<ApiClientRow>, Error> {
    let mut query = api_clients::table
        .inner_join(organisations::table)
        .order(api_clients::id)
        .limit(list.fetch())
        .select(ApiClientRow::as_select())
        .into_boxed();
    if let Reach::Within { own, run_by, prefecture } = *reach {
        query = query.filter(
            organisations::parent_id
                .eq(run_by)
                .or(organisations::id.eq(own))
                .or(organisations::prefecture_id.eq(prefecture).and(organisations::kind.ne_all(SELF_ADMINISTERED))),
        );
    }
    if let Some(id) = organisation {
        query = query.filter(api_clients::organisation_id.eq(id));
    }
    if let Some((_, id)) = list.after() {
        query = query.filter(api_clients::id.gt(ApiClientId(id)));
    }
    Ok(query.load(conn)?)
}

/// A client of an organisation within reach, or 404.
pub fn visible(conn: &mut Conn, ctx: &Ctx, id: ApiClientId) -> Result<ApiClientRow, Error> {
    let row: ApiClientRow = api_clients::table.find(id).select(ApiClientRow::as_select()).first(conn)?;
    let body = crate::organisations::store::find(conn, row.organisation_id)?.ok_or_else(Error::not_found)?;
    if Reach::of(&ctx.principal).covers(body.place()) { Ok(row) } else { Err(Error::not_found()) }
}

/// A client to add.
#[derive(Debug)]
pub struct NewApiClient<'a> {
    /// For whom it acts.
    pub organisation_id: OrganisationId,
    /// Name.
    pub name: &'a str,
    /// The role whose rights it has.
    pub acts_as: Role,
    /// Scopes, separated by single spaces.
    pub scopes: &'a str,
    /// Public part of the key.
    pub key_prefix: &'a str,
    /// Hash of the whole key.
    pub key_hash: &'a str,
    /// Until when.
    pub expires_at: UtcTime,
    /// Who creates it.
    pub created_by: Option<UserId>,
}

/// Adds a client.
pub fn insert(conn: &mut Conn, new: &NewApiClient<'_>, now: UtcTime) -> Result<ApiClientRow, Error> {
    let id: ApiClientId = diesel::insert_into(api_clients::table)
        .values((
            api_clients::organisation_id.eq(new.organisation_id),
            api_clients::name.eq(new.name),
            api_clients::acts_as.eq(new.acts_as),
            api_clients::scopes.eq(new.scopes),
            api_clients::key_prefix.eq(new.key_prefix),
            api_clients::key_hash.eq(new.key_hash),
            api_clients::expires_at.eq(new.expires_at),
            api_clients::created_by.eq(new.created_by),
            api_clients::created_at.eq(now),
            api_clients::updated_at.eq(now),
        ))
        .returning(api_clients::id)
        .get_result(conn)?;
    Ok(api_clients::table.find(id).select(ApiClientRow::as_select()).first(conn)?)
}

/// Replaces the key; the version rises.
pub fn replace_key(
    conn: &mut Conn,
    id: ApiClientId,
    key_prefix: &str,
    key_hash: &str,
    expires_at: UtcTime,
    now: UtcTime,
) -> Result<ApiClientRow, Error> {
    diesel::update(api_clients::table.find(id))
        .set((
            api_clients::key_prefix.eq(key_prefix),
            api_clients::key_hash.eq(key_hash),
            api_clients::expires_at.eq(expires_at),
            api_clients::version.eq(api_clients::version + 1),
            api_clients::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(api_clients::table.find(id).select(ApiClientRow::as_select()).first(conn)?)
}

/// Revokes; the version rises.
pub fn revoke(conn: &mut Conn, id: ApiClientId, now: UtcTime) -> Result<ApiClientRow, Error> {
    diesel::update(api_clients::table.find(id))
        .set((
            api_clients::revoked_at.eq(now),
            api_clients::version.eq(api_clients::version + 1),
            api_clients::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(api_clients::table.find(id).select(ApiClientRow::as_select()).first(conn)?)
}
