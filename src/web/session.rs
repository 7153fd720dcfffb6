//! The session of the pages: a cookie of its own kind that the API never accepts, and the checks that keep other sites
//! from acting in a person's name.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::http::header;

use crate::app::App;
use crate::auth::principal::{self, Actor, Principal};
use crate::auth::sessions::CookieSession;
use crate::auth::{secrets, sessions};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};

/// `__Host-` needs https; the demo and development run without.
fn cookie_name(app: &App) -> &'static str {
    if app.config.base_url.starts_with("https://") { "__Host-tasuki" } else { "tasuki" }
}

/// The cookie that carries a session.
pub fn cookie(app: &App, value: &str) -> Cookie<'static> {
    Cookie::build(cookie_name(app), value.to_owned())
        .path("/")
        .http_only(true)
        .secure(app.config.base_url.starts_with("https://"))
        .same_site(SameSite::Lax)
        .finish()
}

/// The cookie that removes it.
pub fn removal(app: &App) -> Cookie<'static> {
    let mut cookie = cookie(app, "");
    cookie.set_max_age(time::Duration::ZERO);
    cookie
}

/// What the browser sent as session.
pub fn value(request: &HttpRequest, app: &App) -> Option<String> {
    request.cookie(cookie_name(app)).map(|cookie| cookie.value().to_owned()).filter(|value| !value.is_empty())
}

/// Who is signed in.
pub struct SignedIn {
    /// The person.
    pub principal: Principal,
    /// The value that this session's forms must carry.
    pub csrf: String,
    /// The session.
    pub session: CookieSession,
}

/// Who is signed in, if anybody is and has not been idle for too long.
pub fn signed_in(conn: &mut Conn, cookie: Option<&str>, app: &App, now: UtcTime) -> Result<Option<SignedIn>, Error> {
    let Some(cookie) = cookie else { return Ok(None) };
    let Some(session) = sessions::of_cookie(conn, cookie, sessions::used_since(app, now), now)? else { return Ok(None) };
    match principal::of_session(conn, session.id, now) {
        Ok(principal) => Ok(Some(SignedIn { csrf: csrf(cookie, &principal), principal, session })),
        Err(error) if error.code == ErrorCode::Unauthenticated => Ok(None),
        Err(error) => Err(error),
    }
}

/// The value that forms of a session carry. It changes with the membership: a form that was made for one body is not sent
/// for another.
fn csrf(cookie: &str, principal: &Principal) -> String {
    let membership = match principal.actor {
        Actor::User { membership_id, .. } => membership_id.0,
        _ => 0,
    };
    secrets::sha256(format!("form:{cookie}:{membership}").as_bytes())
}

/// 403 when a form was sent from another site.
pub fn same_site(request: &HttpRequest, app: &App) -> Result<(), Error> {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let foreign_fetch = text("Sec-Fetch-Site").is_some_and(|site| site != "same-origin" && site != "none");
    let foreign_origin = text(header::ORIGIN.as_str()).is_some_and(|origin| origin != app.config.base_url && origin != "null");
    if foreign_fetch || foreign_origin { Err(Error::new(ErrorCode::Forbidden)) } else { Ok(()) }
}
