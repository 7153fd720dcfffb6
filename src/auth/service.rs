//! Use cases without sign-in: opening and renewing a session, forgotten passwords, invitations. Whoever is not known
//! gets the same answer as whoever is, after the same time.

use std::future::Future;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::principal::{self, Principal};
use super::sessions::{self, Carrier, Opened, Renewal, SignInRow, TokenKind};
use super::views::{
    AcceptInvitationBody, CreateTokenBody, PasswordSetView, RefreshTokenBody, RequestPasswordResetBody, ResetPasswordBody,
    TokenView,
};
use super::{changes, hashing, passwords, second_factor, secrets};
use crate::clock::UtcTime;
use crate::db::{Conn, dialect};
use crate::error::{Error, ErrorCode};
use crate::http::public::{Call, Done};
use crate::http::{Audit, Fields};
use crate::ids::{MembershipId, SessionId};
use crate::notifications::catalogue::EventKind;
use crate::notifications::recipient::Recipient;
use crate::notifications::service::{Event, Told, publish};
use crate::notifications::template::{AccountChange, Notice, OneTimeLink};
use crate::organisations::model::UserStatus;
use crate::organisations::people;

/// Attempts to sign in to one account in a minute.
const SIGN_INS_A_MINUTE: u32 = 20;
/// Mails about a forgotten password to one address in a minute.
const RESETS_A_MINUTE: u32 = 3;
/// Tries of one mailed token in a minute.
const TOKEN_TRIES_A_MINUTE: u32 = 20;
/// Answers that could tell who exists come no sooner than this after the request.
const EVEN_TIME: Duration = Duration::from_millis(250);

/// A session that was just opened.
#[derive(Debug)]
pub struct SignedIn {
    /// The session and its secret.
    pub opened: Opened,
    /// Who acts in it.
    pub principal: Principal,
}

/// Signs in with a password and answers with tokens.
pub async fn sign_in(call: Call, body: CreateTokenBody) -> Result<TokenView, Error> {
    let SignedIn { opened, principal } =
        open_session(&call, &body.email, &body.password, body.code.as_deref(), body.membership_id, Carrier::Token).await?;
    tokens(&call, &principal, opened.session_id, opened.secret, opened.expires_at)
}

/// Opens a session with a password, for the API or the pages.
pub async fn open_session(
    call: &Call,
    email: &str,
    password: &SecretString,
    code: Option<&str>,
    wanted: Option<MembershipId>,
    carrier: Carrier,
) -> Result<SignedIn, Error> {
    let address = sessions::normal_address(email);
    call.limit("sign-in", &address, SIGN_INS_A_MINUTE)?;
    evened_unless_right(try_to_open(call, address, password, code, wanted, carrier)).await
}

/// Lets a failure wait, so that its time does not tell what failed.
async fn evened_unless_right<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let even = tokio::time::sleep(EVEN_TIME);
    let result = work.await;
    if result.is_err() {
        even.await;
    }
    result
}

async fn try_to_open(
    call: &Call,
    address: String,
    password: &SecretString,
    code: Option<&str>,
    wanted: Option<MembershipId>,
    carrier: Carrier,
) -> Result<SignedIn, Error> {
    let refuse = || Error::new(ErrorCode::InvalidCredentials);
    let looked_up = address.clone();
    let row = call.read(move |conn, _| sessions::find_for_sign_in(conn, &looked_up)).await?;
    let right = hashing::check(row.clone(), password.expose_secret().to_owned(), call.now).await?;
    let Some(checked) = row else { return Err(refuse()) };
    let code = code.map(str::trim).filter(|code| !code.is_empty()).map(str::to_owned);
    call.write(move |conn, call| {
        // Guesses at one account take turns from here, so that many at once are all counted.
        dialect::claim(conn, &format!("sign-in {}", checked.id))?;
        let row = sessions::find_for_sign_in(conn, &address)?.ok_or_else(refuse)?;
        if !row.is_open(call.now) || row.password_hash != checked.password_hash {
            return Err(refuse());
        }
        if !right {
            return count_failure(conn, call, &row, Refusal::Password);
        }
        if second_factor::is_set_up(conn, row.id)? {
            let Some(code) = &code else {
                return Ok(Done::nothing(Err(Refusal::NoCode)));
            };
            if !second_factor::accept(conn, &call.app, row.id, code, call.now)? {
                return count_failure(conn, call, &row, Refusal::Code);
            }
        }
        open(conn, call, &row, wanted, carrier)
    })
    .await?
    .map_err(Refusal::error)
}

/// Why nobody is signed in.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    Password,
    NoCode,
    Code,
}

impl Refusal {
    fn error(self) -> Error {
        match self {
            Self::Password => Error::new(ErrorCode::InvalidCredentials),
            Self::NoCode => Error::new(ErrorCode::SecondFactorRequired),
            Self::Code => Error::new(ErrorCode::SecondFactorRequired).field(
                "/code",
                "wrong",
                "確認コードが違うか、すでに使われています。新しいコードを入力してください",
                "The code is wrong or was used before; enter a new one",
            ),
        }
    }
}

/// Goes on after the password with a code: `challenge` says that the password was right, see [`second_factor::challenge`].
pub async fn open_with_code(call: &Call, challenge: &str, code: &str) -> Result<SignedIn, Error> {
    call.limit("sign-in-code", challenge.split('.').next().unwrap_or_default(), SIGN_INS_A_MINUTE)?;
    evened_unless_right(try_code(call, challenge.to_owned(), code.to_owned())).await
}

async fn try_code(call: &Call, challenge: String, code: String) -> Result<SignedIn, Error> {
    let refuse = || Error::new(ErrorCode::InvalidCredentials);
    let user = second_factor::challenged(&challenge).ok_or_else(refuse)?;
    call.write(move |conn, call| {
        dialect::claim(conn, &format!("sign-in {user}"))?;
        let row = sessions::find_for_code(conn, user)?.filter(|row| row.is_open(call.now)).ok_or_else(refuse)?;
        let hash = row.password_hash.as_deref().unwrap_or_default();
        if !second_factor::is_challenge(&call.app, &challenge, user, hash, call.now) {
            return Err(refuse());
        }
        if !second_factor::accept(conn, &call.app, user, &code, call.now)? {
            return count_failure(conn, call, &row, Refusal::Code);
        }
        open(conn, call, &row, None, Carrier::Cookie)
    })
    .await?
    .map_err(Refusal::error)
}

/// The challenge of somebody whose password was right, for the page that asks for the code.
pub async fn challenge(call: &Call, email: &str) -> Result<String, Error> {
    let address = sessions::normal_address(email);
    call.read(move |conn, call| {
        let row = sessions::find_for_sign_in(conn, &address)?.ok_or_else(Error::not_found)?;
        Ok(second_factor::challenge(&call.app, row.id, row.password_hash.as_deref().unwrap_or_default(), call.now))
    })
    .await
}

fn open(
    conn: &mut Conn,
    call: &Call,
    row: &SignInRow,
    wanted: Option<MembershipId>,
    carrier: Carrier,
) -> Result<Done<Result<SignedIn, Refusal>>, Error> {
    let (opened, _) = sessions::open(conn, &call.app, row.id, wanted, carrier, &call.user_agent, call.now)?;
    let principal = principal::of_session(conn, opened.session_id, call.now)?;
    let kind = if carrier == Carrier::Token { "token" } else { "web" };
    let audit = Audit::new("session", opened.session_id.0, principal.organisation_id)
        .created(json!({"user_id": row.id, "membership_id": opened.membership_id, "kind": kind}));
    let ctx = call.ctx(principal.clone());
    Ok(Done::with(Ok(SignedIn { opened, principal }), ctx, audit))
}

fn count_failure(
    conn: &mut Conn,
    call: &Call,
    row: &SignInRow,
    refusal: Refusal,
) -> Result<Done<Result<SignedIn, Refusal>>, Error> {
    let Some(home) = people::home(conn, row.id)? else { return Err(Error::new(ErrorCode::InvalidCredentials)) };
    sessions::note_failure(conn, row, call.now)?;
    let audit = Audit::new("user", row.id.0, home)
        .change(
            json!({"failed_sign_ins": row.failed_sign_ins}),
            json!({"failed_sign_ins": row.failed_sign_ins.saturating_add(1)}),
        )
        .because(if matches!(refusal, Refusal::Password) { "wrong_password" } else { "wrong_code" });
    Ok(Done::refused(Err(refusal), call.by_service(home), audit))
}

fn tokens(
    call: &Call,
    principal: &Principal,
    session_id: SessionId,
    refresh_token: String,
    until: UtcTime,
) -> Result<TokenView, Error> {
    let (access_token, expires_in) = call.app.keys.issue(session_id, call.now)?;
    Ok(TokenView {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in,
        refresh_token,
        session_expires_at: until,
        session_id,
        organisation_id: principal.organisation_id,
        role: principal.role,
    })
}

/// Renews a session. A token that was used before means that somebody holds a copy: the session ends for both.
pub async fn refresh(call: Call, body: RefreshTokenBody) -> Result<TokenView, Error> {
    let token = body.refresh_token;
    let renewed = call
        .write(move |conn, call| match sessions::renew(conn, token.expose_secret(), call.now)? {
            Renewal::Renewed { session_id, secret, expires_at, .. } => {
                let principal = principal::of_session(conn, session_id, call.now)?;
                call.app.rates.check(&principal.key(), call.now)?;
                let audit = Audit::new("session", session_id.0, principal.organisation_id).created(json!({"renewed": true}));
                let view = tokens(call, &principal, session_id, secret, expires_at)?;
                Ok(Done::with(Some(view), call.ctx(principal), audit))
            }
            Renewal::Reused(session_id) => {
                let organisation = sessions::organisation_of(conn, session_id)?;
                let audit = Audit::new("session", session_id.0, organisation)
                    .change(json!({"open": true}), json!({"open": false}))
                    .because("refresh_token_reused");
                Ok(Done::refused(None, call.by_link(organisation), audit))
            }
        })
        .await?;
    renewed.ok_or_else(|| Error::new(ErrorCode::Unauthenticated))
}

/// Mails a link for a new password, if the address belongs to an account that is not disabled.
pub async fn request_reset(call: Call, body: RequestPasswordResetBody) -> Result<(), Error> {
    let address = sessions::normal_address(&body.email);
    let mut fields = Fields::new();
    fields.email("/email", &address);
    fields.finish()?;
    call.limit("password-reset", &address, RESETS_A_MINUTE)?;
    let even = tokio::time::sleep(EVEN_TIME);
    let outcome = call.write_kept(move |conn, call| send_reset(conn, call, &address)).await;
    even.await;
    outcome
}

fn send_reset(conn: &mut Conn, call: &Call, address: &str) -> Result<Done<()>, Error> {
    let user = people::find_by_email(conn, address)?.filter(|user| user.status != UserStatus::Disabled);
    let Some(user) = user else { return Ok(Done::nothing(())) };
    let Some(home) = people::home(conn, user.id)? else { return Ok(Done::nothing(())) };
    let (secret, expires_at) = sessions::issue_token(conn, user.id, TokenKind::PasswordReset, call.now)?;
    let to = Recipient::person(&user.email, &user.name, "", user.locale.into());
    let notice = Notice::PasswordReset {
        recipient: to.addressee(),
        link: OneTimeLink::new(format!("/password-reset?token={secret}")),
        expires_at: expires_at.instant(),
    };
    let mark: String = secrets::sha256(secret.as_bytes()).chars().take(16).collect();
    let ctx = call.by_service(home);
    let owner = people::outbox_of(conn, home)?;
    let event = Event::new(EventKind::PasswordResetRequested, owner, ("user", user.id.0), mark);
    publish(conn, &ctx, &event, vec![Told::new(to, notice)])?;
    let audit = Audit::new("user", user.id.0, home).created(json!({"password_reset": "mailed"}));
    Ok(Done::with((), ctx, audit))
}

/// Sets a new password with a mailed link.
pub async fn reset_password(call: Call, body: ResetPasswordBody) -> Result<PasswordSetView, Error> {
    set_by_link(call, TokenKind::PasswordReset, body.token, body.new_password, "/new_password").await
}

/// Sets the first password with a mailed invitation.
pub async fn accept_invitation(call: Call, body: AcceptInvitationBody) -> Result<PasswordSetView, Error> {
    set_by_link(call, TokenKind::Invitation, body.token, body.password, "/password").await
}

async fn set_by_link(
    call: Call,
    kind: TokenKind,
    token: SecretString,
    password: SecretString,
    pointer: &'static str,
) -> Result<PasswordSetView, Error> {
    call.limit("mailed-token", token.expose_secret(), TOKEN_TRIES_A_MINUTE)?;
    let asked = token.clone();
    let owner = call.read(move |conn, call| sessions::token_owner(conn, kind, asked.expose_secret(), call.now)).await?;
    check_new_password(pointer, password.expose_secret(), &owner.email, &owner.name)?;
    let hash = hashing::hash(password.expose_secret().to_owned()).await?;
    let email = owner.email;
    call.write_kept(move |conn, call| {
        let user = sessions::set_password(conn, kind, token.expose_secret(), &hash, call.now)?;
        let home = people::home(conn, user)?.ok_or_else(Error::not_found)?;
        let audit = Audit::new("user", user.0, home).created(
            json!({"password": "set", "by": if kind == TokenKind::Invitation { "invitation" } else { "password_reset" }}),
        );
        let ctx = call.by_link(home);
        if kind == TokenKind::PasswordReset {
            changes::tell_own(conn, &ctx, user, AccountChange::PasswordReset)?;
        }
        Ok(Done::with(PasswordSetView { email: email.clone() }, ctx, audit))
    })
    .await
}

/// 422 with what is wrong with a new password.
pub(super) fn check_new_password(pointer: &str, password: &str, email: &str, name: &str) -> Result<(), Error> {
    let local = email.split('@').next().unwrap_or_default();
    match passwords::problem(password, &[email, local, name]) {
        None => Ok(()),
        Some((code, words)) => Err(Error::new(ErrorCode::ValidationFailed).field(pointer, code, words.ja, words.en)),
    }
}
