//! Use cases of the own account: who am I, switching the membership, sessions, changing the password.

use diesel::prelude::*;
use secrecy::ExposeSecret;
use serde_json::json;

use super::policy;
use super::principal::{self, Actor};
use super::service::check_new_password;
use super::sessions::{self, SessionRow};
use super::views::{
    ChangePasswordBody, EndedSessionsView, MeView, OwnMembershipView, SessionList, SessionView, SwitchMembershipBody,
};
use super::{changes, hashing};
use crate::db::Conn;
use crate::db::schema::users;
use crate::error::{Error, ErrorCode};
use crate::http::read::NoQuery;
use crate::http::{Audit, Ctx, Outcome};
use crate::ids::{MembershipId, SessionId, UserId};
use crate::notifications::template::AccountChange;
use crate::organisations::people;

/// Tries of the own password in a minute: a stolen access token must not serve to guess it.
const PASSWORD_TRIES_A_MINUTE: u32 = 5;

/// The person and session asking; programs have neither and may not.
fn signed_in(ctx: &Ctx) -> Result<(UserId, SessionId, MembershipId), Error> {
    match ctx.principal.actor {
        Actor::User { user_id, session_id, membership_id } => Ok((user_id, session_id, membership_id)),
        _ => Err(Error::new(ErrorCode::Forbidden)),
    }
}

/// Who is asking and what they may do.
pub fn me(conn: &mut Conn, ctx: &Ctx) -> Result<MeView, Error> {
    let principal = &ctx.principal;
    let mut view = MeView {
        user_id: None,
        api_client_id: None,
        name: principal.name.clone(),
        email: None,
        locale: None,
        organisation_id: principal.organisation_id,
        organisation_name: principal.organisation_name.clone(),
        organisation_kind: principal.organisation_kind,
        prefecture_id: principal.prefecture_id,
        role: principal.role,
        acts_as: principal.acts_as,
        membership_id: None,
        session_id: None,
        memberships: Vec::new(),
        expert_ids: principal.expert_ids.clone(),
        permissions: policy::ALL.iter().filter(|row| principal.may(row)).map(|row| row.name.to_owned()).collect(),
    };
    match principal.actor {
        Actor::User { user_id, session_id, membership_id } => {
            let user = people::find(conn, user_id)?.ok_or_else(Error::not_found)?;
            view.user_id = Some(user_id);
            view.email = Some(user.email);
            view.locale = Some(user.locale);
            view.session_id = Some(session_id);
            view.membership_id = Some(membership_id);
            view.memberships = sessions::memberships_on(conn, user_id, ctx.today())?
                .into_iter()
                .map(|row| OwnMembershipView::new(row, Some(membership_id)))
                .collect();
        }
        Actor::ApiClient(id) => view.api_client_id = Some(id),
        Actor::Link | Actor::System | Actor::Command => {}
    }
    Ok(view)
}

/// Makes another membership the active one of the session. The access token stays: it names the session only.
pub fn switch(conn: &mut Conn, ctx: &Ctx, body: SwitchMembershipBody) -> Result<Outcome<MeView>, Error> {
    let (user, session, before) = signed_in(ctx)?;
    let membership = sessions::switch(conn, session, user, body.membership_id, ctx.now)?;
    let audit = Audit::new("session", session.0, membership.organisation_id)
        .change(json!({"membership_id": before}), json!({"membership_id": membership.id}));
    let switched = Ctx { principal: principal::of_session(conn, session, ctx.now)?, ..ctx.clone() };
    Ok(Outcome::done(me(conn, &switched)?, audit))
}

/// Ends the session of the request.
pub fn sign_out(conn: &mut Conn, ctx: &Ctx, _: NoQuery) -> Result<Outcome<EndedSessionsView>, Error> {
    let (_, session, _) = signed_in(ctx)?;
    end(conn, ctx, session, "signed_out")
}

fn end(conn: &mut Conn, ctx: &Ctx, session: SessionId, reason: &str) -> Result<Outcome<EndedSessionsView>, Error> {
    let ended = sessions::end(conn, session, reason, ctx.now)?;
    let audit = Audit::new("session", session.0, ctx.organisation())
        .change(json!({"open": true}), json!({"open": false}))
        .because(reason);
    Ok(Outcome::done(EndedSessionsView { ended_sessions: i64::try_from(ended).unwrap_or(i64::MAX) }, audit))
}

/// The own open sessions.
pub fn list_sessions(conn: &mut Conn, ctx: &Ctx) -> Result<SessionList, Error> {
    let (user, current, _) = signed_in(ctx)?;
    let used_since = sessions::used_since(&ctx.app, ctx.now);
    let items = sessions::list_open(conn, user, used_since, ctx.now)?
        .into_iter()
        .map(|row| SessionView::new(row, Some(current)))
        .collect();
    Ok(SessionList { items })
}

/// One of the own open sessions, or 404.
pub fn own_session(conn: &mut Conn, ctx: &Ctx, id: SessionId) -> Result<SessionRow, Error> {
    let user = ctx.principal.user_id().ok_or_else(Error::not_found)?;
    let used_since = sessions::used_since(&ctx.app, ctx.now);
    sessions::list_open(conn, user, used_since, ctx.now)?.into_iter().find(|row| row.id == id).ok_or_else(Error::not_found)
}

/// Ends one of the own sessions.
pub fn end_session(conn: &mut Conn, ctx: &Ctx, session: SessionRow, _: NoQuery) -> Result<Outcome<EndedSessionsView>, Error> {
    end(conn, ctx, session.id, "ended_by_owner")
}

/// Changes the own password; every other session ends.
pub fn change_password(conn: &mut Conn, ctx: &Ctx, body: ChangePasswordBody) -> Result<Outcome<EndedSessionsView>, Error> {
    let (user, session, _) = signed_in(ctx)?;
    ctx.app.rates.check_at_most(&format!("own-password:{user}"), PASSWORD_TRIES_A_MINUTE, ctx.now)?;
    let (stored, email, name): (Option<String>, String, String) =
        users::table.find(user).select((users::password_hash, users::email, users::name)).first(conn)?;
    let new = body.new_password.expose_secret();
    check_new_password("/new_password", new, &email, &name)?;
    let Some(hash) = hashing::exchange(body.current_password.expose_secret(), stored.as_deref(), new)? else {
        return Err(Error::new(ErrorCode::ValidationFailed).field(
            "/current_password",
            "wrong",
            "現在のパスワードが正しくありません",
            "The present password is wrong",
        ));
    };
    sessions::replace_password(conn, user, &hash, ctx.now)?;
    let ended = sessions::end_others(conn, user, session, "password_changed", ctx.now)?;
    changes::tell_own(conn, ctx, user, AccountChange::PasswordChanged)?;
    let audit = Audit::new("user", user.0, ctx.organisation()).created(json!({"password": "set", "ended_sessions": ended}));
    Ok(Outcome::done(EndedSessionsView { ended_sessions: i64::try_from(ended).unwrap_or(i64::MAX) }, audit))
}
