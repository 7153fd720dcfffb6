//! Who is asking: loaded in one query at each request, from the database and never from what the client claims.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::policy::{OwnAccount, Permission as _, PermissionInfo, Role};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{api_clients, experts, memberships, organisations, second_factors, sessions, users};
use crate::error::{Error, ErrorCode};
use crate::ids::{ApiClientId, ExpertId, MembershipId, OrganisationId, SessionId, UserId};
use crate::organisations::model::OrganisationKind;

/// What kind of actor an audit event names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in person.
    User {
        /// The person.
        user_id: UserId,
        /// The sign-in.
        session_id: SessionId,
        /// The membership that is active in it.
        membership_id: MembershipId,
    },
    /// A program with a key.
    ApiClient(ApiClientId),
    /// The holder of a one-time link.
    Link,
    /// The service itself (jobs).
    System,
    /// An operator at the command line.
    Command,
}

/// The asking party with everything that decides what it may see and do.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Who.
    pub actor: Actor,
    /// Displayed name.
    pub name: String,
    /// The organisation acted for.
    pub organisation_id: OrganisationId,
    /// Its kind.
    pub organisation_kind: OrganisationKind,
    /// Its name.
    pub organisation_name: String,
    /// The prefecture it lies in (itself, for a prefecture).
    pub prefecture_id: Option<OrganisationId>,
    /// The role shown: `api_client` for programs.
    pub role: Role,
    /// The role whose rights count.
    pub acts_as: Role,
    /// For programs: the scopes granted.
    pub scopes: Option<Vec<String>>,
    /// For experts: their registrations, one for each pool.
    pub expert_ids: Vec<ExpertId>,
    /// The organisation demands a second factor and the person has none: nothing but the own account is open.
    pub lacks_second_factor: bool,
}

impl Principal {
    /// The service itself, for jobs and commands.
    pub fn internal(actor: Actor, organisation_id: OrganisationId) -> Self {
        Self {
            actor,
            name: "tasuki".to_owned(),
            organisation_id,
            organisation_kind: OrganisationKind::Prefecture,
            organisation_name: String::new(),
            prefecture_id: Some(organisation_id),
            role: Role::PrefecturalCoordinator,
            acts_as: Role::PrefecturalCoordinator,
            scopes: None,
            expert_ids: Vec::new(),
            lacks_second_factor: false,
        }
    }

    /// 403 unless the role (and, for programs, the scope) has the permission.
    pub fn require(&self, permission: &PermissionInfo) -> Result<(), Error> {
        if self.may(permission) {
            return Ok(());
        }
        let refused = Error::new(ErrorCode::Forbidden);
        Err(if self.lacks_second_factor {
            refused.detail(
                "所属団体が2段階認証を必須としています。「アカウント」のページで設定してください",
                "Your organisation demands a second factor: set it up on the page of your account",
            )
        } else {
            refused
        })
    }

    /// Whether the role (and, for programs, the scope) has the permission.
    pub fn may(&self, permission: &PermissionInfo) -> bool {
        permission.allows(self.acts_as)
            && (!self.lacks_second_factor || permission.name == OwnAccount::INFO.name)
            && self
                .scopes
                .as_ref()
                .is_none_or(|scopes| !permission.scope.is_empty() && scopes.iter().any(|scope| scope == permission.scope))
    }

    /// The person, when there is one.
    pub fn user_id(&self) -> Option<UserId> {
        match self.actor {
            Actor::User { user_id, .. } => Some(user_id),
            _ => None,
        }
    }

    /// The key under which idempotency records and rate limits are kept.
    pub fn key(&self) -> String {
        match &self.actor {
            Actor::User { user_id, membership_id, .. } => format!("user:{user_id}:{membership_id}"),
            Actor::ApiClient(id) => format!("client:{id}"),
            Actor::Link => "link".to_owned(),
            Actor::System => "system".to_owned(),
            Actor::Command => "command".to_owned(),
        }
    }

    /// Works for the body that owns pools.
    pub fn is_coordinator(&self) -> bool {
        self.acts_as == Role::PrefecturalCoordinator
    }
}

fn unauthenticated() -> Error {
    Error::new(ErrorCode::Unauthenticated)
}

type OrganisationColumns = (OrganisationId, OrganisationKind, String, Option<OrganisationId>);

fn assemble(
    actor: Actor,
    name: String,
    (organisation_id, organisation_kind, organisation_name, prefecture_id): OrganisationColumns,
    role: Role,
) -> Principal {
    let prefecture_id = if organisation_kind == OrganisationKind::Prefecture { Some(organisation_id) } else { prefecture_id };
    Principal {
        actor,
        name,
        organisation_id,
        organisation_kind,
        organisation_name,
        prefecture_id,
        role,
        acts_as: role,
        scopes: None,
        expert_ids: Vec::new(),
        lacks_second_factor: false,
    }
}

/// The principal of a session that is open, whose person is active and whose membership counts today.
pub fn of_session(conn: &mut Conn, session_id: SessionId, now: UtcTime) -> Result<Principal, Error> {
    let today = now.jst_day();
    type Demand = (bool, Option<UtcTime>);
    type Row = (UserId, String, MembershipId, Role, NaiveDate, Option<NaiveDate>, OrganisationColumns, Option<ExpertId>, Demand);
    let rows: Vec<Row> = sessions::table
        .inner_join(users::table)
        .inner_join(memberships::table.on(memberships::id.eq(sessions::membership_id)))
        .inner_join(organisations::table.on(organisations::id.eq(memberships::organisation_id)))
        .left_join(experts::table.on(experts::user_id.eq(users::id.nullable()).and(memberships::role.eq(Role::Expert))))
        .left_join(second_factors::table.on(second_factors::user_id.eq(users::id)))
        .filter(sessions::id.eq(session_id))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(users::status.eq("active"))
        .select((
            users::id,
            users::name,
            memberships::id,
            memberships::role,
            memberships::valid_from,
            memberships::valid_to,
            (organisations::id, organisations::kind, organisations::name, organisations::prefecture_id),
            experts::id.nullable(),
            (organisations::requires_second_factor, second_factors::confirmed_at.nullable()),
        ))
        .order(experts::id)
        .load(conn)?;
    let expert_ids = rows.iter().filter_map(|row| row.7).collect();
    let Some((user_id, name, membership_id, role, from, to, organisation, _, (demanded, confirmed))) = rows.into_iter().next()
    else {
        return Err(unauthenticated());
    };
    if from > today || to.is_some_and(|to| to <= today) {
        return Err(unauthenticated());
    }
    let mut principal = assemble(Actor::User { user_id, session_id, membership_id }, name, organisation, role);
    principal.expert_ids = expert_ids;
    principal.lacks_second_factor = demanded && confirmed.is_none();
    Ok(principal)
}

/// The principal of an API key; the caller compares the hash.
pub fn of_api_key(conn: &mut Conn, key_prefix: &str, key_hash: &str, now: UtcTime) -> Result<Principal, Error> {
    type Row = (ApiClientId, String, Role, String, String, OrganisationColumns);
    let row: Option<Row> = api_clients::table
        .inner_join(organisations::table)
        .filter(api_clients::key_prefix.eq(key_prefix))
        .filter(api_clients::revoked_at.is_null())
        .filter(api_clients::expires_at.gt(now))
        .select((
            api_clients::id,
            api_clients::name,
            api_clients::acts_as,
            api_clients::scopes,
            api_clients::key_hash,
            (organisations::id, organisations::kind, organisations::name, organisations::prefecture_id),
        ))
        .first(conn)
        .optional()?;
    let (id, name, acts_as, scopes, stored, organisation) = row.ok_or_else(unauthenticated)?;
    if !super::secrets::same(&stored, key_hash) {
        return Err(unauthenticated());
    }
    let mut principal = assemble(Actor::ApiClient(id), name, organisation, acts_as);
    principal.role = Role::ApiClient;
    principal.scopes = Some(scopes.split(' ').map(str::to_owned).collect());
    Ok(principal)
}
