//! SQL of feeds.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::auth::policy::Role;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{calendar_feeds as feeds, experts, memberships, users};
use crate::error::Error;
use crate::http::ListQuery;
use crate::ids::{CalendarFeedId, ExpertId, MembershipId, OrganisationId, PoolId, UserId};
use crate::organisations::model::UserStatus;

/// A feed.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = feeds)]
pub struct FeedRow {
    /// Id.
    pub id: CalendarFeedId,
    /// Whose.
    pub user_id: UserId,
    /// The membership with whose rights it reads.
    pub membership_id: MembershipId,
    /// Of one pool only; absent: what concerns the person.
    pub pool_id: Option<PoolId>,
    /// What the calendar is called.
    pub name: String,
    /// Created.
    pub created_at: UtcTime,
    /// Revoked.
    pub revoked_at: Option<UtcTime>,
}

/// Adds a feed.
pub fn insert(
    conn: &mut Conn,
    (user, membership): (UserId, MembershipId),
    pool: Option<PoolId>,
    name: &str,
    token_hash: &str,
    now: UtcTime,
) -> Result<FeedRow, Error> {
    Ok(diesel::insert_into(feeds::table)
        .values((
            feeds::user_id.eq(user),
            feeds::membership_id.eq(membership),
            feeds::pool_id.eq(pool),
            feeds::name.eq(name),
            feeds::token_hash.eq(token_hash),
            feeds::created_at.eq(now),
        ))
        .returning((
            feeds::id,
            feeds::user_id,
            feeds::membership_id,
            feeds::pool_id,
            feeds::name,
            feeds::created_at,
            feeds::revoked_at,
        ))
        .get_result(conn)?)
}

/// How many feeds of a person are not revoked.
pub fn count_open(conn: &mut Conn, user: UserId) -> Result<i64, Error> {
    Ok(feeds::table.filter(feeds::user_id.eq(user)).filter(feeds::revoked_at.is_null()).count().get_result(conn)?)
}

/// A page of a person's feeds, newest first.
pub fn list(conn: &mut Conn, user: UserId, list: &ListQuery) -> Result<Vec<FeedRow>, Error> {
    let mut query = feeds::table
        .filter(feeds::user_id.eq(user))
        .order(feeds::id.desc())
        .limit(list.fetch())
        .select(FeedRow::as_select())
        .into_boxed();
    if let Some((_, id)) = list.after() {
        query = query.filter(feeds::id.lt(CalendarFeedId(id)));
    }
    Ok(query.load(conn)?)
}

/// One of a person's feeds, or 404.
pub fn find(conn: &mut Conn, user: UserId, id: CalendarFeedId) -> Result<FeedRow, Error> {
    Ok(feeds::table.filter(feeds::id.eq(id)).filter(feeds::user_id.eq(user)).select(FeedRow::as_select()).first(conn)?)
}

/// Ends a feed for good; `false`: it had ended.
pub fn revoke(conn: &mut Conn, id: CalendarFeedId, now: UtcTime) -> Result<bool, Error> {
    let ended = diesel::update(feeds::table.filter(feeds::id.eq(id)).filter(feeds::revoked_at.is_null()))
        .set(feeds::revoked_at.eq(now))
        .execute(conn)?;
    Ok(ended > 0)
}

/// A feed that may be read, with the rights it has now.
#[derive(Debug, Clone)]
pub struct OpenFeed {
    /// The feed.
    pub feed: FeedRow,
    /// The role of its membership.
    pub role: Role,
    /// The organisation of its membership.
    pub organisation_id: OrganisationId,
    /// For experts: their registrations.
    pub expert_ids: Vec<ExpertId>,
}

/// The feed of a token that is not revoked and whose membership and person still count; 404 otherwise.
pub fn open(conn: &mut Conn, token_hash: &str, today: NaiveDate) -> Result<OpenFeed, Error> {
    let (feed, role, organisation_id): (FeedRow, Role, OrganisationId) = feeds::table
        .inner_join(memberships::table)
        .inner_join(users::table)
        .filter(feeds::token_hash.eq(token_hash))
        .filter(feeds::revoked_at.is_null())
        .filter(users::status.eq(UserStatus::Active))
        .filter(memberships::valid_from.le(today))
        .filter(memberships::valid_to.is_null().or(memberships::valid_to.gt(today)))
        .select((FeedRow::as_select(), memberships::role, memberships::organisation_id))
        .first(conn)?;
    let expert_ids = if role == Role::Expert {
        experts::table.filter(experts::user_id.eq(feed.user_id)).order(experts::id).select(experts::id).load(conn)?
    } else {
        Vec::new()
    };
    Ok(OpenFeed { feed, role, organisation_id, expert_ids })
}
