//! Sessions: opening by password, renewing by a rotating refresh token, switching the membership, ending.

use chrono::{Duration, NaiveDate};
use diesel::prelude::*;

use super::policy::Role;
use super::{passwords, secrets};
use crate::app::App;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{memberships, organisations, refresh_tokens, sessions, user_tokens, users};
use crate::error::{Error, ErrorCode};
use crate::ids::{MembershipId, OrganisationId, SessionId, UserId};

/// Wrong passwords in a row before the account waits.
const FREE_ATTEMPTS: i32 = 5;
/// Longest wait after wrong passwords.
const LONGEST_WAIT_MINUTES: i64 = 15;

/// What sign-in needs to know of a person.
#[derive(Debug, Clone, Queryable)]
pub struct SignInRow {
    /// The person.
    pub id: UserId,
    /// Displayed name.
    pub name: String,
    /// `invited`, `active`, `disabled`.
    pub status: String,
    /// PHC string.
    pub password_hash: Option<String>,
    /// Wrong passwords in a row.
    pub failed_sign_ins: i32,
    /// No sign-in before this.
    pub locked_until: Option<UtcTime>,
}

impl SignInRow {
    /// Whether a right password would be accepted now.
    pub fn is_open(&self, now: UtcTime) -> bool {
        self.status == "active" && self.locked_until.is_none_or(|until| until <= now)
    }
}

/// A membership as the person sees it.
#[derive(Debug, Clone, Queryable)]
pub struct MembershipRow {
    /// Id.
    pub id: MembershipId,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// Its name.
    pub organisation_name: String,
    /// The role.
    pub role: Role,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day on which it no longer counts.
    pub valid_to: Option<NaiveDate>,
}

/// An open session and the secrets that go with it, shown once.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The session.
    pub session_id: SessionId,
    /// The active membership.
    pub membership_id: MembershipId,
    /// Refresh token (API) or cookie value (pages).
    pub secret: String,
    /// Until when the session can be renewed.
    pub expires_at: UtcTime,
}

/// Addresses are compared without regard to case.
pub fn normal_address(address: &str) -> String {
    address.trim().to_ascii_lowercase()
}

/// The person with an address.
pub fn find_for_sign_in(conn: &mut Conn, address: &str) -> Result<Option<SignInRow>, Error> {
    Ok(users::table
        .filter(users::email.eq(normal_address(address)))
        .select((users::id, users::name, users::status, users::password_hash, users::failed_sign_ins, users::locked_until))
        .first(conn)
        .optional()?)
}

/// The person with an id.
pub fn find_for_code(conn: &mut Conn, user: UserId) -> Result<Option<SignInRow>, Error> {
    Ok(users::table
        .find(user)
        .select((users::id, users::name, users::status, users::password_hash, users::failed_sign_ins, users::locked_until))
        .first(conn)
        .optional()?)
}

/// Checks a password off the event loop and off the database. The answer is the same for unknown, disabled and locked
/// accounts and for wrong passwords.
pub fn check_password(row: Option<&SignInRow>, password: &str, now: UtcTime) -> bool {
    let usable = row.filter(|row| row.is_open(now));
    passwords::verify(password, usable.and_then(|row| row.password_hash.as_deref()))
}

/// Counts a wrong password; after five in a row the account waits 1, 2, 4 … up to 15 minutes.
pub fn note_failure(conn: &mut Conn, row: &SignInRow, now: UtcTime) -> Result<(), Error> {
    let failures = row.failed_sign_ins.saturating_add(1);
    let locked_until = (failures >= FREE_ATTEMPTS).then(|| {
        let minutes = 1_i64 << (failures - FREE_ATTEMPTS).min(5);
        now.plus(Duration::minutes(minutes.min(LONGEST_WAIT_MINUTES)))
    });
    diesel::update(users::table.find(row.id))
        .set((users::failed_sign_ins.eq(failures), users::locked_until.eq(locked_until)))
        .execute(conn)?;
    Ok(())
}

/// The memberships that count on a day, oldest first.
pub fn memberships_on(conn: &mut Conn, user: UserId, day: NaiveDate) -> Result<Vec<MembershipRow>, Error> {
    Ok(memberships::table
        .inner_join(organisations::table)
        .filter(memberships::user_id.eq(user))
        .filter(memberships::valid_from.le(day))
        .filter(memberships::valid_to.is_null().or(memberships::valid_to.gt(day)))
        .order(memberships::id)
        .select((
            memberships::id,
            organisations::id,
            organisations::name,
            memberships::role,
            memberships::valid_from,
            memberships::valid_to,
        ))
        .load(conn)?)
}

/// How a session is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// Access and refresh tokens.
    Token,
    /// A cookie of the pages.
    Cookie,
}

/// Opens a session with one of the memberships that count today.
pub fn open(
    conn: &mut Conn,
    app: &App,
    user: UserId,
    wanted: Option<MembershipId>,
    carrier: Carrier,
    user_agent: &str,
    now: UtcTime,
) -> Result<(Opened, Vec<MembershipRow>), Error> {
    let memberships = memberships_on(conn, user, now.jst_day())?;
    let membership = match wanted {
        None => memberships.first(),
        Some(id) => memberships.iter().find(|membership| membership.id == id),
    };
    let membership_id = membership.map(|membership| membership.id).ok_or_else(|| Error::new(ErrorCode::InvalidCredentials))?;
    let secret = secrets::generate()?;
    let hash = secrets::sha256(secret.as_bytes());
    let expires_at = now.plus(Duration::days(app.config.auth.refresh_token_days));
    let session_id: SessionId = diesel::insert_into(sessions::table)
        .values((
            sessions::user_id.eq(user),
            sessions::membership_id.eq(membership_id),
            sessions::kind.eq(if carrier == Carrier::Token { "token" } else { "web" }),
            sessions::cookie_hash.eq((carrier == Carrier::Cookie).then_some(hash.as_str())),
            sessions::user_agent.eq(user_agent.chars().filter(|c| !c.is_control()).take(200).collect::<String>()),
            sessions::created_at.eq(now),
            sessions::last_used_at.eq(now),
            sessions::expires_at.eq(expires_at),
        ))
        .returning(sessions::id)
        .get_result(conn)?;
    if carrier == Carrier::Token {
        add_refresh_token(conn, session_id, &hash, now)?;
    }
    diesel::update(users::table.find(user))
        .set((users::failed_sign_ins.eq(0), users::locked_until.eq(None::<UtcTime>)))
        .execute(conn)?;
    Ok((Opened { session_id, membership_id, secret, expires_at }, memberships))
}

fn add_refresh_token(conn: &mut Conn, session: SessionId, hash: &str, now: UtcTime) -> Result<(), Error> {
    diesel::insert_into(refresh_tokens::table)
        .values((refresh_tokens::session_id.eq(session), refresh_tokens::token_hash.eq(hash), refresh_tokens::created_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// What came of a refresh token.
#[derive(Debug)]
pub enum Renewal {
    /// A new refresh token for the session.
    Renewed {
        /// The session.
        session_id: SessionId,
        /// Whose it is.
        user_id: UserId,
        /// The next refresh token.
        secret: String,
        /// Until when.
        expires_at: UtcTime,
    },
    /// The token had been used before: somebody else holds a copy, so the session was ended.
    Reused(SessionId),
}

/// Exchanges a refresh token, once.
pub fn renew(conn: &mut Conn, token: &str, now: UtcTime) -> Result<Renewal, Error> {
    let refuse = || Error::new(ErrorCode::Unauthenticated);
    let hash = secrets::sha256(token.as_bytes());
    type Row = (i64, Option<UtcTime>, SessionId, UserId, UtcTime, Option<UtcTime>);
    let (id, used_at, session_id, user_id, expires_at, ended_at): Row = refresh_tokens::table
        .inner_join(sessions::table)
        .filter(refresh_tokens::token_hash.eq(&hash))
        .select((
            refresh_tokens::id,
            refresh_tokens::used_at,
            sessions::id,
            sessions::user_id,
            sessions::expires_at,
            sessions::ended_at,
        ))
        .first(conn)
        .optional()?
        .ok_or_else(refuse)?;
    if ended_at.is_some() || expires_at <= now {
        return Err(refuse());
    }
    let taken = diesel::update(refresh_tokens::table.filter(refresh_tokens::id.eq(id)).filter(refresh_tokens::used_at.is_null()))
        .set(refresh_tokens::used_at.eq(now))
        .execute(conn)?;
    if used_at.is_some() || taken == 0 {
        end(conn, session_id, "refresh_token_reused", now)?;
        return Ok(Renewal::Reused(session_id));
    }
    let secret = secrets::generate()?;
    add_refresh_token(conn, session_id, &secrets::sha256(secret.as_bytes()), now)?;
    diesel::update(sessions::table.find(session_id)).set(sessions::last_used_at.eq(now)).execute(conn)?;
    Ok(Renewal::Renewed { session_id, user_id, secret, expires_at })
}

/// Ends a session; ending it twice changes nothing.
pub fn end(conn: &mut Conn, session: SessionId, reason: &str, now: UtcTime) -> Result<usize, Error> {
    Ok(diesel::update(sessions::table.filter(sessions::id.eq(session)).filter(sessions::ended_at.is_null()))
        .set((sessions::ended_at.eq(now), sessions::end_reason.eq(reason)))
        .execute(conn)?)
}

/// Ends all sessions of a person.
pub fn end_all(conn: &mut Conn, user: UserId, reason: &str, now: UtcTime) -> Result<usize, Error> {
    Ok(diesel::update(sessions::table.filter(sessions::user_id.eq(user)).filter(sessions::ended_at.is_null()))
        .set((sessions::ended_at.eq(now), sessions::end_reason.eq(reason)))
        .execute(conn)?)
}

/// Ends all sessions of a person but one.
pub fn end_others(conn: &mut Conn, user: UserId, kept: SessionId, reason: &str, now: UtcTime) -> Result<usize, Error> {
    Ok(diesel::update(
        sessions::table.filter(sessions::user_id.eq(user)).filter(sessions::id.ne(kept)).filter(sessions::ended_at.is_null()),
    )
    .set((sessions::ended_at.eq(now), sessions::end_reason.eq(reason)))
    .execute(conn)?)
}

/// The organisation acted for in a session, open or not.
pub fn organisation_of(conn: &mut Conn, session: SessionId) -> Result<OrganisationId, Error> {
    Ok(sessions::table
        .inner_join(memberships::table.on(memberships::id.eq(sessions::membership_id)))
        .filter(sessions::id.eq(session))
        .select(memberships::organisation_id)
        .first(conn)?)
}

/// How often the use of pages is noted at most: each page would be a write otherwise.
const NOTED_EVERY: Duration = Duration::minutes(1);

/// A session of the pages that has not been used since then counts no longer.
pub fn used_since(app: &App, now: UtcTime) -> UtcTime {
    now.plus(Duration::minutes(-app.config.auth.idle_minutes))
}

/// An open session of the pages.
#[derive(Debug, Clone, Copy)]
pub struct CookieSession {
    /// Which.
    pub id: SessionId,
    /// When a page of it was last asked for, as far as that was noted.
    last_used_at: UtcTime,
}

impl CookieSession {
    /// Whether its use should be noted again.
    pub fn is_to_be_noted(&self, now: UtcTime) -> bool {
        self.last_used_at.plus(NOTED_EVERY) <= now
    }
}

/// The session of a cookie, if it is open and has been used since an instant.
pub fn of_cookie(conn: &mut Conn, cookie: &str, used_since: UtcTime, now: UtcTime) -> Result<Option<CookieSession>, Error> {
    let row: Option<(SessionId, UtcTime)> = sessions::table
        .filter(sessions::cookie_hash.eq(secrets::sha256(cookie.as_bytes())))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::last_used_at.gt(used_since))
        .select((sessions::id, sessions::last_used_at))
        .first(conn)
        .optional()?;
    Ok(row.map(|(id, last_used_at)| CookieSession { id, last_used_at }))
}

/// Notes that a page was asked for.
pub fn note_use(conn: &mut Conn, session: SessionId, now: UtcTime) -> Result<(), Error> {
    let earlier = sessions::table.filter(sessions::id.eq(session)).filter(sessions::last_used_at.lt(now));
    diesel::update(earlier).set(sessions::last_used_at.eq(now)).execute(conn)?;
    Ok(())
}

/// A session as its owner sees it.
#[derive(Debug, Clone, Queryable)]
pub struct SessionRow {
    /// Id.
    pub id: SessionId,
    /// `token` or `web`.
    pub kind: String,
    /// What the client called itself.
    pub user_agent: String,
    /// Opened.
    pub created_at: UtcTime,
    /// Last renewed.
    pub last_used_at: UtcTime,
    /// Until when.
    pub expires_at: UtcTime,
}

/// The open sessions of a person, newest first; those of the pages only if they have been used since an instant.
pub fn list_open(conn: &mut Conn, user: UserId, used_since: UtcTime, now: UtcTime) -> Result<Vec<SessionRow>, Error> {
    Ok(sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::kind.ne("web").or(sessions::last_used_at.gt(used_since)))
        .order(sessions::id.desc())
        .select((
            sessions::id,
            sessions::kind,
            sessions::user_agent,
            sessions::created_at,
            sessions::last_used_at,
            sessions::expires_at,
        ))
        .limit(200)
        .load(conn)?)
}

/// Makes another of the person's memberships the active one of a session.
pub fn switch(conn: &mut Conn, session: SessionId, user: UserId, to: MembershipId, now: UtcTime) -> Result<MembershipRow, Error> {
    let membership =
        memberships_on(conn, user, now.jst_day())?.into_iter().find(|membership| membership.id == to).ok_or_else(|| {
            Error::new(ErrorCode::ValidationFailed).field(
                "/membership_id",
                "not_yours",
                "現在有効な自分の所属を指定してください",
                "Must be one of your memberships that count today",
            )
        })?;
    diesel::update(sessions::table.find(session)).set(sessions::membership_id.eq(to)).execute(conn)?;
    Ok(membership)
}

/// What a mailed token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Setting the first password, within 7 days.
    Invitation,
    /// Setting a new password, within 60 minutes.
    PasswordReset,
}

impl TokenKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::PasswordReset => "password_reset",
        }
    }

    /// How long it works.
    pub fn lifetime(self) -> Duration {
        match self {
            Self::Invitation => Duration::days(7),
            Self::PasswordReset => Duration::minutes(60),
        }
    }
}

/// Makes a one-time token; older ones of the same kind stop working.
pub fn issue_token(conn: &mut Conn, user: UserId, kind: TokenKind, now: UtcTime) -> Result<(String, UtcTime), Error> {
    diesel::update(
        user_tokens::table
            .filter(user_tokens::user_id.eq(user))
            .filter(user_tokens::kind.eq(kind.as_str()))
            .filter(user_tokens::used_at.is_null()),
    )
    .set(user_tokens::used_at.eq(now))
    .execute(conn)?;
    let secret = secrets::generate()?;
    let expires_at = now.plus(kind.lifetime());
    diesel::insert_into(user_tokens::table)
        .values((
            user_tokens::user_id.eq(user),
            user_tokens::kind.eq(kind.as_str()),
            user_tokens::token_hash.eq(secrets::sha256(secret.as_bytes())),
            user_tokens::expires_at.eq(expires_at),
            user_tokens::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok((secret, expires_at))
}

/// Makes every mailed token of a person useless.
pub fn void_tokens(conn: &mut Conn, user: UserId, now: UtcTime) -> Result<(), Error> {
    diesel::update(user_tokens::table.filter(user_tokens::user_id.eq(user)).filter(user_tokens::used_at.is_null()))
        .set(user_tokens::used_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Whom a mailed token belongs to.
#[derive(Debug, Clone, Queryable)]
pub struct TokenOwner {
    token_id: i64,
    /// The person.
    pub user_id: UserId,
    /// Mail address.
    pub email: String,
    /// Displayed name.
    pub name: String,
    expires_at: UtcTime,
    status: String,
}

/// The owner of a mailed token that still works; unknown, used and expired ones get the same answer.
pub fn token_owner(conn: &mut Conn, kind: TokenKind, token: &str, now: UtcTime) -> Result<TokenOwner, Error> {
    let row: Option<TokenOwner> = user_tokens::table
        .inner_join(users::table)
        .filter(user_tokens::token_hash.eq(secrets::sha256(token.as_bytes())))
        .filter(user_tokens::kind.eq(kind.as_str()))
        .filter(user_tokens::used_at.is_null())
        .select((user_tokens::id, users::id, users::email, users::name, user_tokens::expires_at, users::status))
        .first(conn)
        .optional()?;
    row.filter(|row| row.expires_at > now && row.status != "disabled").ok_or_else(not_usable)
}

fn not_usable() -> Error {
    Error::new(ErrorCode::ValidationFailed).field(
        "/token",
        "not_usable",
        "リンクの期限が切れているか、すでに使われています。もう一度手続きをしてください",
        "The link has expired or was used before; please start again",
    )
}

/// Uses a mailed token to set a password; every session of the person and every other token ends.
pub fn set_password(conn: &mut Conn, kind: TokenKind, token: &str, password_hash: &str, now: UtcTime) -> Result<UserId, Error> {
    let owner = token_owner(conn, kind, token, now)?;
    let taken =
        diesel::update(user_tokens::table.filter(user_tokens::id.eq(owner.token_id)).filter(user_tokens::used_at.is_null()))
            .set(user_tokens::used_at.eq(now))
            .execute(conn)?;
    if taken == 0 {
        return Err(not_usable());
    }
    replace_password(conn, owner.user_id, password_hash, now)?;
    end_all(conn, owner.user_id, "password_changed", now)?;
    Ok(owner.user_id)
}

/// Writes a new password; the account becomes active, waits end and mailed tokens stop working.
pub fn replace_password(conn: &mut Conn, user: UserId, password_hash: &str, now: UtcTime) -> Result<(), Error> {
    diesel::update(users::table.find(user))
        .set((
            users::password_hash.eq(password_hash),
            users::status.eq("active"),
            users::failed_sign_ins.eq(0),
            users::locked_until.eq(None::<UtcTime>),
            users::version.eq(users::version + 1),
            users::updated_at.eq(now),
        ))
        .execute(conn)?;
    void_tokens(conn, user, now)
}
