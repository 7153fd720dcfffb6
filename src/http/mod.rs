//! HTTP as every area needs it: the one way through a read and through a write, problem documents, paging, the API
//! document. Owns no business rule and no table.
//!
//! Order of checks everywhere: 401, 404, 403, 400, replay, 428, 412, 409, 422.

pub mod body;
pub mod frame;
pub mod openapi;
pub mod page;
pub mod public;
pub mod rate;
pub mod read;
pub mod routes;
pub mod server;
pub mod validate;
pub mod write;

use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpMessage as _, HttpRequest};

pub use body::nullable;
pub use page::{ListQuery, Page};
pub use read::Read;
pub use validate::Fields;
pub use write::{Audit, Outcome, Versioned, Write};

use crate::app::App;
use crate::auth::principal::{self, Principal};
use crate::auth::{secrets, sessions};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::ids::{OrganisationId, SessionId};

/// What every use case is given beside the connection: who asks, when, and under which request id.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// The application: configuration, mailer, keys.
    pub app: Arc<App>,
    /// Who asks.
    pub principal: Principal,
    /// The instant of the operation.
    pub now: UtcTime,
    /// The id in the log and in audit events.
    pub request_id: String,
}

impl Ctx {
    /// Today in Japan.
    pub fn today(&self) -> chrono::NaiveDate {
        self.now.jst_day()
    }

    /// The organisation acted for.
    pub fn organisation(&self) -> OrganisationId {
        self.principal.organisation_id
    }

    /// A context for work that no request asked for.
    pub fn internal(
        app: &Arc<App>,
        actor: crate::auth::principal::Actor,
        organisation: OrganisationId,
        request_id: &str,
    ) -> Self {
        Self {
            app: Arc::clone(app),
            principal: Principal::internal(actor, organisation),
            now: app.clock.now(),
            request_id: request_id.to_owned(),
        }
    }
}

/// The id of a request, put there by [`frame`].
#[derive(Debug, Clone)]
pub struct RequestIdHeader(pub String);

/// The cookie of a page's session, put into a request by the pages' own middleware alone: the API itself takes no cookie.
#[derive(Debug, Clone)]
pub struct PageSession {
    /// The cookie.
    pub cookie: String,
    /// A session that has not been used since then counts no longer.
    pub used_since: UtcTime,
}

/// What an `Authorization` header holds, before the database is asked.
#[derive(Debug, Clone)]
pub(crate) enum Credentials {
    /// The cookie of a page.
    Page(PageSession),
    /// A verified access token's session.
    Session(SessionId),
    /// An API key: its public prefix and the hash of the whole.
    ApiKey {
        /// Public part.
        prefix: String,
        /// Hash of the whole key.
        hash: String,
    },
}

impl Credentials {
    /// Reads `Authorization: Bearer …`: an access token, or an API key (`tsk_<prefix>_<secret>`). Cookies do not count.
    pub(crate) fn of(request: &HttpRequest, app: &App, now: UtcTime) -> Result<Self, Error> {
        let missing = || Error::new(ErrorCode::Unauthenticated);
        if let Some(page) = request.extensions().get::<PageSession>() {
            return Ok(Self::Page(page.clone()));
        }
        let value = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).ok_or_else(missing)?;
        let token = value.strip_prefix("Bearer ").ok_or_else(missing)?.trim();
        if let Some(rest) = token.strip_prefix("tsk_") {
            let (prefix, _) = rest.split_once('_').ok_or_else(missing)?;
            return Ok(Self::ApiKey { prefix: prefix.to_owned(), hash: secrets::sha256(token.as_bytes()) });
        }
        app.keys.verify(token, now).map(Self::Session)
    }

    /// Loads the principal in one query.
    pub(crate) fn principal(&self, conn: &mut Conn, now: UtcTime) -> Result<Principal, Error> {
        match self {
            Self::Page(page) => {
                let session = sessions::of_cookie(conn, &page.cookie, page.used_since, now)?;
                let session = session.ok_or_else(|| Error::new(ErrorCode::Unauthenticated))?;
                principal::of_session(conn, session.id, now)
            }
            Self::Session(id) => principal::of_session(conn, *id, now),
            Self::ApiKey { prefix, hash } => principal::of_api_key(conn, prefix, hash, now),
        }
    }
}

/// The id in the path. A malformed one is answered like an unknown one.
/// An id in the path, or 404.
pub fn path_id<T: std::str::FromStr>(request: &HttpRequest, name: &str) -> Result<T, Error> {
    request.match_info().get(name).and_then(|text| text.parse().ok()).ok_or_else(Error::not_found)
}
