//! The second factor of signing in: setting it up, checking a code, recovery codes, taking it away. The secret is sealed
//! under a key derived from the configuration's signing key and bound to its owner; a copy of the database signs nobody in.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use diesel::prelude::*;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::principal::Actor;
use super::second_factor_views::{
    RecoveryCodesView, SecondFactorCodeBody, SecondFactorPasswordBody, SecondFactorSecretView, SecondFactorView,
};
use super::{changes, hashing, secrets, totp};
use crate::app::App;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{organisations, recovery_codes, second_factors, users};
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Outcome};
use crate::ids::{OrganisationId, UserId};
use crate::notifications::template::AccountChange;

/// Recovery codes given at once.
const RECOVERY_CODES: usize = 10;
/// Tries of a code or password in a minute by somebody who is signed in.
const TRIES_A_MINUTE: u32 = 5;
/// Seconds within which the code follows the password.
const CHALLENGE_SECONDS: i64 = 300;

fn key(app: &App) -> Result<RandomizedNonceKey, Error> {
    let mut material = b"second factor:".to_vec();
    material.extend_from_slice(app.config.auth.signing_key.expose_secret().as_bytes());
    RandomizedNonceKey::new(&AES_256_GCM, &Sha256::digest(&material)).map_err(Error::internal)
}

fn seal(app: &App, user: UserId, secret: &[u8]) -> Result<String, Error> {
    let mut bytes = secret.to_vec();
    let nonce = key(app)?.seal_in_place_append_tag(Aad::from(user.0.to_be_bytes()), &mut bytes).map_err(Error::internal)?;
    Ok(BASE64.encode([nonce.as_ref().as_slice(), &bytes].concat()))
}

fn unseal(app: &App, user: UserId, sealed: &str) -> Result<Vec<u8>, Error> {
    let broken = || Error::internal("a second factor's secret does not open: has the signing key been changed?");
    let bytes = BASE64.decode(sealed).map_err(|_| broken())?;
    let (nonce, body) = bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(broken)?;
    let mut body = body.to_vec();
    let opened = key(app)?
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(user.0.to_be_bytes()), &mut body)
        .map_err(|_| broken())?;
    Ok(opened.to_vec())
}

struct Factor {
    secret: Vec<u8>,
    confirmed: bool,
    last_step: i64,
}

fn find(conn: &mut Conn, app: &App, user: UserId) -> Result<Option<Factor>, Error> {
    let row: Option<(String, Option<UtcTime>, i64)> = second_factors::table
        .find(user)
        .select((second_factors::sealed_secret, second_factors::confirmed_at, second_factors::last_step))
        .first(conn)
        .optional()?;
    row.map(|(sealed, confirmed_at, last_step)| {
        Ok(Factor { secret: unseal(app, user, &sealed)?, confirmed: confirmed_at.is_some(), last_step })
    })
    .transpose()
}

/// Whether somebody has set a second factor up.
pub fn is_set_up(conn: &mut Conn, user: UserId) -> Result<bool, Error> {
    let found = second_factors::table.find(user).filter(second_factors::confirmed_at.is_not_null());
    Ok(diesel::select(diesel::dsl::exists(found)).get_result(conn)?)
}

/// Uses a code of the authenticator or a recovery code; each counts once, also when two sign-ins use it at the same time.
pub fn accept(conn: &mut Conn, app: &App, user: UserId, typed: &str, now: UtcTime) -> Result<bool, Error> {
    let Some(factor) = find(conn, app, user)?.filter(|factor| factor.confirmed) else { return Ok(false) };
    if let Some(step) = totp::matching_step(&factor.secret, typed, now, factor.last_step) {
        let taken = diesel::update(second_factors::table.find(user).filter(second_factors::last_step.lt(step)))
            .set(second_factors::last_step.eq(step))
            .execute(conn)?;
        return Ok(taken == 1);
    }
    let plain = totp::plain_recovery_code(typed);
    if plain.len() != 16 {
        return Ok(false);
    }
    let unused = recovery_codes::table
        .filter(recovery_codes::user_id.eq(user))
        .filter(recovery_codes::code_hash.eq(secrets::sha256(plain.as_bytes())))
        .filter(recovery_codes::used_at.is_null());
    Ok(diesel::update(unused).set(recovery_codes::used_at.eq(now)).execute(conn)? == 1)
}

/// Between password and code: a signed word that the password of this person was right, for five minutes and this password.
pub fn challenge(app: &App, user: UserId, password_hash: &str, now: UtcTime) -> String {
    let until = now.instant().timestamp() + CHALLENGE_SECONDS;
    format!("{user}.{until}.{}", mac(app, user, until, password_hash))
}

fn mac(app: &App, user: UserId, until: i64, password_hash: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, app.config.auth.signing_key.expose_secret().as_bytes());
    secrets::hex(hmac::sign(&key, format!("second factor challenge\n{user}\n{until}\n{password_hash}").as_bytes()).as_ref())
}

/// Whose challenge it is, before it is believed.
pub fn challenged(challenge: &str) -> Option<UserId> {
    challenge.split('.').next()?.parse().ok()
}

/// Whether a challenge is real, not too old, and of the password that holds now.
pub fn is_challenge(app: &App, challenge: &str, user: UserId, password_hash: &str, now: UtcTime) -> bool {
    let mut parts = challenge.split('.').skip(1);
    let (Some(until), Some(given)) = (parts.next().and_then(|text| text.parse::<i64>().ok()), parts.next()) else { return false };
    until >= now.instant().timestamp() && secrets::same(given, &mac(app, user, until, password_hash))
}

fn own(ctx: &Ctx) -> Result<UserId, Error> {
    match ctx.principal.actor {
        Actor::User { user_id, .. } => Ok(user_id),
        _ => Err(Error::new(ErrorCode::Forbidden)),
    }
}

fn wrong(pointer: &str, ja: &'static str, en: &'static str) -> Error {
    Error::new(ErrorCode::ValidationFailed).field(pointer.to_owned(), "wrong", ja, en)
}

fn check_password(conn: &mut Conn, ctx: &Ctx, user: UserId, password: &SecretString) -> Result<(), Error> {
    ctx.app.rates.check_at_most(&format!("own-password:{user}"), TRIES_A_MINUTE, ctx.now)?;
    let stored: Option<String> = users::table.find(user).select(users::password_hash).first(conn)?;
    if hashing::verify(password.expose_secret(), stored.as_deref()) {
        Ok(())
    } else {
        Err(wrong("/password", "パスワードが正しくありません", "The password is wrong"))
    }
}

fn demanded(conn: &mut Conn, organisation: OrganisationId) -> Result<bool, Error> {
    Ok(organisations::table.find(organisation).select(organisations::requires_second_factor).first(conn)?)
}

/// Where the own second factor stands.
pub fn view(conn: &mut Conn, ctx: &Ctx) -> Result<SecondFactorView, Error> {
    let user = own(ctx)?;
    let confirmed: Option<Option<UtcTime>> =
        second_factors::table.find(user).select(second_factors::confirmed_at).first(conn).optional()?;
    let left: i64 = recovery_codes::table
        .filter(recovery_codes::user_id.eq(user))
        .filter(recovery_codes::used_at.is_null())
        .count()
        .get_result(conn)?;
    Ok(SecondFactorView {
        started: confirmed == Some(None),
        set_up: confirmed.flatten().is_some(),
        demanded: demanded(conn, ctx.organisation())?,
        recovery_codes_left: left,
    })
}

/// Begins to set it up: a new secret, which counts once a code of it has been typed.
pub fn start(conn: &mut Conn, ctx: &Ctx, body: SecondFactorPasswordBody) -> Result<Outcome<SecondFactorSecretView>, Error> {
    let user = own(ctx)?;
    check_password(conn, ctx, user, &body.password)?;
    if is_set_up(conn, user)? {
        return Err(Error::new(ErrorCode::Duplicate)
            .detail("2段階認証は設定済みです。変えるときは、いったん解除してください", "It is set up already; remove it first"));
    }
    let secret = totp::generate()?;
    diesel::delete(second_factors::table.find(user)).execute(conn)?;
    diesel::insert_into(second_factors::table)
        .values((
            second_factors::user_id.eq(user),
            second_factors::sealed_secret.eq(seal(&ctx.app, user, &secret)?),
            second_factors::last_step.eq(0),
            second_factors::created_at.eq(ctx.now),
        ))
        .execute(conn)?;
    let email: String = users::table.find(user).select(users::email).first(conn)?;
    let view = SecondFactorSecretView {
        secret: totp::base32(&secret),
        address: totp::address(&secret, &ctx.app.config.service_name, &email),
    };
    let audit = Audit::new("user", user.0, ctx.organisation()).created(json!({"second_factor": "started"}));
    Ok(Outcome::done(view, audit).secret())
}

/// Sets it up with the first code; answers with the recovery codes.
pub fn confirm(conn: &mut Conn, ctx: &Ctx, body: SecondFactorCodeBody) -> Result<Outcome<RecoveryCodesView>, Error> {
    let user = own(ctx)?;
    ctx.app.rates.check_at_most(&format!("own-code:{user}"), TRIES_A_MINUTE, ctx.now)?;
    let factor = find(conn, &ctx.app, user)?.filter(|factor| !factor.confirmed).ok_or_else(Error::not_found)?;
    let step = totp::matching_step(&factor.secret, &body.code, ctx.now, factor.last_step).ok_or_else(|| {
        wrong(
            "/code",
            "確認コードが違います。認証アプリの新しい6桁を入力してください",
            "Wrong code; enter the six digits shown now",
        )
    })?;
    diesel::update(second_factors::table.find(user))
        .set((second_factors::confirmed_at.eq(ctx.now), second_factors::last_step.eq(step)))
        .execute(conn)?;
    changes::tell_own(conn, ctx, user, AccountChange::SecondFactorOn)?;
    let audit =
        Audit::new("user", user.0, ctx.organisation()).change(json!({"second_factor": false}), json!({"second_factor": true}));
    Ok(Outcome::done(new_codes(conn, user)?, audit).secret())
}

fn new_codes(conn: &mut Conn, user: UserId) -> Result<RecoveryCodesView, Error> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user))).execute(conn)?;
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| totp::recovery_code()).collect::<Result<_, _>>()?;
    for code in &codes {
        let hash = secrets::sha256(totp::plain_recovery_code(code).as_bytes());
        diesel::insert_into(recovery_codes::table)
            .values((recovery_codes::user_id.eq(user), recovery_codes::code_hash.eq(hash)))
            .execute(conn)?;
    }
    Ok(RecoveryCodesView { codes })
}

/// New recovery codes; the old ones stop working.
pub fn renew_codes(conn: &mut Conn, ctx: &Ctx, body: SecondFactorCodeBody) -> Result<Outcome<RecoveryCodesView>, Error> {
    let user = own(ctx)?;
    ctx.app.rates.check_at_most(&format!("own-code:{user}"), TRIES_A_MINUTE, ctx.now)?;
    if !accept(conn, &ctx.app, user, &body.code, ctx.now)? {
        return Err(wrong("/code", "確認コードが違います", "Wrong code"));
    }
    changes::tell_own(conn, ctx, user, AccountChange::RecoveryCodes)?;
    let audit = Audit::new("user", user.0, ctx.organisation()).created(json!({"recovery_codes": RECOVERY_CODES}));
    Ok(Outcome::done(new_codes(conn, user)?, audit).secret())
}

/// Takes it away.
pub fn remove(conn: &mut Conn, ctx: &Ctx, body: SecondFactorPasswordBody) -> Result<Outcome<SecondFactorView>, Error> {
    let user = own(ctx)?;
    check_password(conn, ctx, user, &body.password)?;
    if demanded(conn, ctx.organisation())? {
        return Err(Error::new(ErrorCode::SecondFactorDemanded));
    }
    let confirmed = is_set_up(conn, user)?;
    forget(conn, user)?;
    if confirmed {
        changes::tell_own(conn, ctx, user, AccountChange::SecondFactorOff)?;
    }
    let audit =
        Audit::new("user", user.0, ctx.organisation()).change(json!({"second_factor": true}), json!({"second_factor": false}));
    Ok(Outcome::done(view(conn, ctx)?, audit))
}

/// Takes somebody's second factor away, recovery codes and all.
pub fn forget(conn: &mut Conn, user: UserId) -> Result<(), Error> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user))).execute(conn)?;
    diesel::delete(second_factors::table.find(user)).execute(conn)?;
    Ok(())
}
