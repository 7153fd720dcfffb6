//! Requests by somebody who is not signed in: sign-in itself, password links, one-time links. They pass no permission;
//! what they share with every other write is the transaction, its one audit event and the answer kept for a repeat.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::read::{parse_query, request_id};
use super::write::{Key, Replay, Stored};
use super::{Audit, Ctx};
use crate::app::App;
use crate::auth::principal::{Actor, Principal};
use crate::auth::secrets;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::ids::OrganisationId;

/// A request that needs no credentials.
pub struct Public {
    app: Arc<App>,
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for Public {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(match request.app_data::<web::Data<App>>() {
            Some(app) => Ok(Self { app: Arc::clone(app), request: request.clone(), payload: payload.take() }),
            None => Err(Error::internal("application state is missing")),
        })
    }
}

impl Public {
    /// Reads the body and answers with what `work` makes of it, under the status of a success. A request that repeats an
    /// `Idempotency-Key` gets the answer it had, before any attempt is counted or password hashed.
    pub async fn answer<B, T, F, R>(self, status: StatusCode, work: F) -> Result<HttpResponse, Error>
    where
        B: DeserializeOwned,
        T: Serialize,
        F: FnOnce(Call, B) -> R,
        R: Future<Output = Result<T, Error>>,
    {
        let Self { app, request, payload } = self;
        let bytes = super::body::read(&request, payload, app.config.limits.body_kib * 1024).await?;
        let body = super::body::parse(&bytes)?;
        let mut call = Call::new(app, &request);
        call.status = status;
        let key = request.headers().get("Idempotency-Key").map(|value| value.to_str().unwrap_or_default());
        call.key = Key::of(&call.app, &call.operation, key, request.path(), &bytes)?;
        // Nobody is signed in whose keys they could be: who knows the link, or else the whole request, is its sender.
        let scope =
            if request.match_info().is_empty() { call.key.as_ref().map(|key| key.request_hash().to_owned()) } else { None };
        let scope = scope.unwrap_or_else(|| secrets::sha256(request.path().as_bytes()));
        call.key_scope = format!("public:{scope}");
        if let Some(answer) = call.repeated().await? {
            return Ok(answer);
        }
        let stored = Stored {
            status: status.as_u16(),
            body: json(&work(call, body).await?)?,
            location: None,
            etag: None,
            replayed: false,
        };
        Ok(stored.into_response())
    }

    /// Reads the query parameters.
    pub fn query<Q: DeserializeOwned>(self) -> Result<(Call, Q), Error> {
        let query = parse_query(self.request.query_string())?;
        Ok((Call::new(self.app, &self.request), query))
    }
}

/// What is known of a request whose sender is not.
#[derive(Debug, Clone)]
pub struct Call {
    /// The application.
    pub app: Arc<App>,
    /// The instant of the operation.
    pub now: UtcTime,
    /// The id in the log and in audit events.
    pub request_id: String,
    /// Method and route, as audit events name them.
    pub operation: String,
    /// What the client calls itself.
    pub user_agent: String,
    key: Option<Key>,
    key_scope: String,
    status: StatusCode,
}

/// The body of an answer; a unit has none.
fn json<T: Serialize>(value: &T) -> Result<Option<String>, Error> {
    let body = serde_json::to_string(value).map_err(Error::internal)?;
    Ok(Some(body).filter(|body| body != "null"))
}

/// What a public write did.
#[derive(Debug)]
pub struct Done<T> {
    /// The answer.
    pub value: T,
    /// Who did what, for the one audit event; `None` only when nothing was written.
    pub event: Option<(Ctx, Audit)>,
    refused: bool,
}

impl<T> Done<T> {
    /// Something was written.
    pub fn with(value: T, ctx: Ctx, audit: Audit) -> Self {
        Self { value, event: Some((ctx, audit)), refused: false }
    }

    /// Something was written although the answer is a refusal, which a repeat does not get to see again.
    pub fn refused(value: T, ctx: Ctx, audit: Audit) -> Self {
        Self { value, event: Some((ctx, audit)), refused: true }
    }

    /// Nothing was written.
    pub fn nothing(value: T) -> Self {
        Self { value, event: None, refused: false }
    }
}

impl Call {
    /// What a request tells of itself.
    pub fn new(app: Arc<App>, request: &HttpRequest) -> Self {
        let pattern = request.match_pattern().unwrap_or_default();
        let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self {
            now: app.clock.now(),
            request_id: request_id(request),
            operation: format!("{} {}", request.method(), pattern.strip_prefix("/api/v1").unwrap_or(&pattern)),
            user_agent: user_agent.chars().take(200).collect(),
            key: None,
            key_scope: String::new(),
            status: StatusCode::OK,
            app,
        }
    }

    /// The context in which a principal acts.
    pub fn ctx(&self, principal: Principal) -> Ctx {
        Ctx { app: Arc::clone(&self.app), principal, now: self.now, request_id: self.request_id.clone() }
    }

    /// The context in which the holder of a link acts, towards an organisation.
    pub fn by_link(&self, organisation: OrganisationId) -> Ctx {
        self.ctx(Principal::internal(Actor::Link, organisation))
    }

    /// The context in which the service itself acts, towards an organisation.
    pub fn by_service(&self, organisation: OrganisationId) -> Ctx {
        self.ctx(Principal::internal(Actor::System, organisation))
    }

    /// Counts an attempt for `what` on `subject` (an address, a token); 429 beyond `most` a minute. The subject is
    /// kept as a hash.
    pub fn limit(&self, what: &str, subject: &str, most: u32) -> Result<(), Error> {
        self.app.rates.check_at_most(&format!("{what}:{}", secrets::sha256(subject.as_bytes())), most, self.now)
    }

    /// Runs a query.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn, &Self) -> Result<T, Error> + Send + 'static,
    {
        let call = self.clone();
        self.app.db.read(move |conn| work(conn, &call)).await
    }

    /// The answer that a request with the same key had; 409 when its answer held a secret.
    async fn repeated(&self) -> Result<Option<HttpResponse>, Error> {
        let Some(key) = self.key.clone() else { return Ok(None) };
        let (scope, now) = (self.key_scope.clone(), self.now);
        let found = self.app.db.read(move |conn| Replay::look_up(conn, scope, &key, now)).await?;
        Ok(match found {
            Replay::Done(stored) => Some(stored.into_response()),
            Replay::New(_) => None,
        })
    }

    /// Runs a transaction and keeps its audit event. `work` may run more than once. The answer holds a secret: a repeat with
    /// the same key is told so and has no effect.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut Conn, &Self) -> Result<Done<T>, Error> + Send + 'static,
    {
        self.in_transaction(work, true, |_| Ok(None)).await
    }

    /// The same for an answer without a secret, which a repeat with the same key gets once more.
    pub async fn write_kept<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Serialize + Send + 'static,
        F: Fn(&mut Conn, &Self) -> Result<Done<T>, Error> + Send + 'static,
    {
        self.in_transaction(work, false, json).await
    }

    async fn in_transaction<T, F, K>(&self, work: F, secret: bool, kept: K) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut Conn, &Self) -> Result<Done<T>, Error> + Send + 'static,
        K: Fn(&T) -> Result<Option<String>, Error> + Send + 'static,
    {
        let call = self.clone();
        self.app
            .db
            .write(move |conn| {
                let record = match &call.key {
                    Some(key) => match Replay::begin(conn, call.key_scope.clone(), key, call.now)? {
                        Replay::New(record) => Some(record),
                        // Another one with the same key came in between: its answer is there for the next try.
                        Replay::Done(_) => return Err(Error::new(ErrorCode::RequestInFlight)),
                    },
                    None => None,
                };
                let done = work(conn, &call)?;
                if let Some((ctx, audit)) = &done.event {
                    crate::audit::service::record(conn, ctx, &call.operation, audit)?;
                }
                if let Some(record) = record.filter(|_| !done.refused) {
                    // An empty answer is kept as one: no text at all stands for a secret.
                    let body = kept(&done.value)?.or_else(|| (!secret).then(String::new));
                    let stored = Stored { status: call.status.as_u16(), body, location: None, etag: None, replayed: false };
                    record.keep(conn, &stored, secret, call.now)?;
                }
                Ok(done.value)
            })
            .await
    }
}
