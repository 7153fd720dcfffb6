//! The one way through a write: authenticate, find the object, check the permission, read the body, replay a repeated
//! request, compare versions, do the work, keep one audit event and the answer, commit. All in one transaction.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::Mutex;

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use diesel::prelude::*;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::read::{rate_slot, request_id};
use super::{Credentials, Ctx, path_id};
use crate::app::App;
use crate::auth::policy::Permission;
use crate::auth::secrets;
use crate::clock::UtcTime;
use crate::db::schema::idempotency_records;
use crate::db::{Conn, dialect};
use crate::error::{Error, ErrorCode};
use crate::ids::OrganisationId;

/// An object whose version guards it against lost updates.
pub trait Versioned {
    /// The version now; each change adds one.
    fn version(&self) -> i64;
}

/// An object found together with what it belongs to.
impl<A, B: Versioned> Versioned for (A, B) {
    fn version(&self) -> i64 {
        self.1.version()
    }
}

/// What an audit event says about a change. The actor, time and request id are added on the way.
#[derive(Debug, Clone)]
pub struct Audit {
    /// Kind of object, singular, such as `request`.
    pub entity: &'static str,
    /// Its id.
    pub entity_id: Option<i64>,
    /// The organisation whose auditors see the event: the pool owner, or the organisation itself.
    pub owner: Option<OrganisationId>,
    /// The body for which it was done, when that is not the actor's own.
    pub filed_for: Option<OrganisationId>,
    /// Before, as far as it changed. No personal contact data, no secrets.
    pub old: Option<serde_json::Value>,
    /// After.
    pub new: Option<serde_json::Value>,
    /// Why, where a reason was given.
    pub reason: Option<String>,
}

impl Audit {
    /// An event about one object.
    pub fn new(entity: &'static str, id: i64, owner: OrganisationId) -> Self {
        Self { entity, entity_id: Some(id), owner: Some(owner), filed_for: None, old: None, new: None, reason: None }
    }

    /// Before and after.
    #[must_use]
    pub fn change(mut self, old: serde_json::Value, new: serde_json::Value) -> Self {
        self.old = Some(old);
        self.new = Some(new);
        self
    }

    /// What was created.
    #[must_use]
    pub fn created(mut self, new: serde_json::Value) -> Self {
        self.new = Some(new);
        self
    }

    /// Why.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// For whom, when the actor acts for another body.
    #[must_use]
    pub fn for_body(mut self, body: OrganisationId, actor: OrganisationId) -> Self {
        self.filed_for = (body != actor).then_some(body);
        self
    }
}

/// The result of a use case: what to show and the one audit event it leaves.
#[derive(Debug)]
pub struct Outcome<V> {
    /// The view.
    pub view: V,
    /// The one audit event.
    pub audit: Audit,
    /// New version of the object shown, for `ETag`.
    pub version: Option<i64>,
    /// Path of a created object.
    pub location: Option<String>,
    /// Answers with a secret are not kept for replay.
    pub secret: bool,
}

impl<V> Outcome<V> {
    /// A change to an object that now has `version`.
    pub fn changed(view: V, version: i64, audit: Audit) -> Self {
        Self { view, audit, version: Some(version), location: None, secret: false }
    }

    /// A new object under `location`.
    pub fn created(view: V, version: i64, location: String, audit: Audit) -> Self {
        Self { view, audit, version: Some(version), location: Some(location), secret: false }
    }

    /// Something done that has no version of its own.
    pub fn done(view: V, audit: Audit) -> Self {
        Self { view, audit, version: None, location: None, secret: false }
    }

    /// Marks the answer as holding a secret.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// The strong entity tag of a version.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// A write that needs permission `P`.
pub struct Write<P> {
    app: Arc<App>,
    request: HttpRequest,
    payload: Payload,
    permission: PhantomData<P>,
}

impl<P: 'static> FromRequest for Write<P> {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        std::future::ready(match request.app_data::<web::Data<App>>() {
            Some(app) => {
                Ok(Self { app: Arc::clone(app), request: request.clone(), payload: payload.take(), permission: PhantomData })
            }
            None => Err(Error::internal("application state is missing")),
        })
    }
}

pub(super) struct Stored {
    pub(super) status: u16,
    pub(super) body: Option<String>,
    pub(super) location: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) replayed: bool,
}

impl<P: Permission> Write<P> {
    /// The id in the path.
    pub fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, Error> {
        path_id(&self.request, name)
    }

    /// Creates something that has no parent in the path.
    pub async fn create<B, V, F>(self, act: F) -> Result<HttpResponse, Error>
    where
        B: DeserializeOwned + Send + 'static,
        V: Serialize + 'static,
        F: Fn(&mut Conn, &Ctx, B) -> Result<Outcome<V>, Error> + Send + 'static,
    {
        self.run(|_, _| Ok(()), |(): &()| None, move |conn, ctx, (), body| act(conn, ctx, body)).await
    }

    /// Adds something under an object that must be visible; the object's version does not matter.
    pub async fn under<O, B, V, L, F>(self, load: L, act: F) -> Result<HttpResponse, Error>
    where
        O: 'static,
        B: DeserializeOwned + Send + 'static,
        V: Serialize + 'static,
        L: Fn(&mut Conn, &Ctx) -> Result<O, Error> + Send + 'static,
        F: Fn(&mut Conn, &Ctx, O, B) -> Result<Outcome<V>, Error> + Send + 'static,
    {
        self.run(load, |_: &O| None, act).await
    }

    /// Changes an object: `If-Match` with its version is required.
    pub async fn change<O, B, V, L, F>(self, load: L, act: F) -> Result<HttpResponse, Error>
    where
        O: Versioned + 'static,
        B: DeserializeOwned + Send + 'static,
        V: Serialize + 'static,
        L: Fn(&mut Conn, &Ctx) -> Result<O, Error> + Send + 'static,
        F: Fn(&mut Conn, &Ctx, O, B) -> Result<Outcome<V>, Error> + Send + 'static,
    {
        self.run(load, |object: &O| Some(object.version()), act).await
    }

    async fn run<O, B, V, L, N, F>(self, load: L, version: N, act: F) -> Result<HttpResponse, Error>
    where
        O: 'static,
        B: DeserializeOwned + Send + 'static,
        V: Serialize + 'static,
        L: Fn(&mut Conn, &Ctx) -> Result<O, Error> + Send + 'static,
        N: Fn(&O) -> Option<i64> + Send + 'static,
        F: Fn(&mut Conn, &Ctx, O, B) -> Result<Outcome<V>, Error> + Send + 'static,
    {
        let Self { app, request, payload, .. } = self;
        let now = app.clock.now();
        let credentials = Credentials::of(&request, &app, now)?;
        let body = super::body::read(&request, payload, app.config.limits.body_kib * 1024).await;
        let head = Head::of(&request);
        let (request_id, slot) = (request_id(&request), rate_slot(&request));
        let database = app.db.clone();
        let body = Mutex::new(body);
        let stored = database
            .write(move |conn| {
                let principal = credentials.principal(conn, now)?;
                let ctx = Ctx { app: Arc::clone(&app), principal, now, request_id: request_id.clone() };
                ctx.app.rates.check_and_note(&ctx.principal.key(), now, &slot)?;
                let object = load(conn, &ctx)?;
                ctx.principal.require(&P::INFO)?;
                let bytes = {
                    let mut slot = body.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    match &mut *slot {
                        Ok(bytes) => bytes.clone(),
                        Err(error) => return Err(std::mem::replace(error, Error::new(ErrorCode::MalformedRequest))),
                    }
                };
                let parsed: B = super::body::parse(&bytes)?;
                let replay = match head.key(&ctx.app, &bytes)? {
                    Some(key) => Some(Replay::begin(conn, ctx.principal.key(), &key, now)?),
                    None => None,
                };
                if let Some(Replay::Done(stored)) = replay {
                    return Ok(stored);
                }
                if let Some(version) = version(&object) {
                    head.check_version(version)?;
                }
                let outcome = act(conn, &ctx, object, parsed)?;
                crate::audit::service::record(conn, &ctx, head.operation.as_str(), &outcome.audit)?;
                let stored = Stored {
                    status: if outcome.location.is_some() { 201 } else { 200 },
                    body: Some(serde_json::to_string(&outcome.view).map_err(Error::internal)?),
                    location: outcome.location,
                    etag: outcome.version.map(etag),
                    replayed: false,
                };
                if let Some(Replay::New(new)) = replay {
                    new.keep(conn, &stored, outcome.secret, now)?;
                }
                Ok(stored)
            })
            .await?;
        Ok(stored.into_response())
    }
}

impl Stored {
    pub(super) fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK));
        if let Some(location) = self.location {
            response.insert_header((header::LOCATION, location));
        }
        if let Some(tag) = self.etag {
            response.insert_header((header::ETAG, tag));
        }
        if self.replayed {
            response.insert_header(("Idempotent-Replayed", "true"));
        }
        match self.body.filter(|body| !body.is_empty()) {
            Some(body) => response.content_type("application/json").body(body),
            None => response.finish(),
        }
    }
}

/// The headers that steer a write.
struct Head {
    operation: String,
    method_is_post: bool,
    path: String,
    idempotency_key: Option<String>,
    if_match: Option<String>,
}

impl Head {
    fn of(request: &HttpRequest) -> Self {
        let text = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let pattern = request.match_pattern().unwrap_or_default();
        Self {
            operation: format!("{} {}", request.method(), pattern.strip_prefix("/api/v1").unwrap_or(&pattern)),
            method_is_post: request.method() == actix_web::http::Method::POST,
            path: request.path().to_owned(),
            idempotency_key: text("Idempotency-Key"),
            if_match: text("If-Match"),
        }
    }

    fn key(&self, app: &App, body: &[u8]) -> Result<Option<Key>, Error> {
        let key = self.idempotency_key.as_deref().filter(|_| self.method_is_post);
        Key::of(app, &self.operation, key, &self.path, body)
    }

    fn check_version(&self, version: i64) -> Result<(), Error> {
        let Some(expected) = &self.if_match else {
            return Err(Error::new(ErrorCode::PreconditionRequired).detail(
                "変更にはIf-Matchヘッダーが必要です。直前に取得したETagの値を指定してください",
                "A change needs an If-Match header with the ETag last read",
            ));
        };
        if expected.split(',').any(|tag| tag.trim() == etag(version)) {
            return Ok(());
        }
        Err(Error::new(ErrorCode::StaleVersion).detail(
            format!("ほかの人が先に更新しました（現在の版は{version}）。最新の内容を確認してからやり直してください"),
            format!("Somebody else changed it first (the version is now {version}); read it again and retry"),
        ))
    }
}

/// The `Idempotency-Key` of a POST and what it stands for.
#[derive(Debug, Clone)]
pub(super) struct Key {
    operation: String,
    key: String,
    request_hash: String,
}

impl Key {
    /// Reads the key of a POST; `None` when it carries none. The hash says which request it was: path and body.
    pub(super) fn of(app: &App, operation: &str, key: Option<&str>, path: &str, body: &[u8]) -> Result<Option<Self>, Error> {
        let Some(key) = key else { return Ok(None) };
        if key.is_empty() || key.len() > 255 || !key.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Error::new(ErrorCode::MalformedRequest).field(
                "Idempotency-Key",
                "malformed",
                "1～255文字の英数字記号にしてください",
                "Use 1 to 255 visible ASCII characters",
            ));
        }
        // Keyed: a body may hold a password, and a plain hash of it could be guessed faster than the password's own.
        let mut hashed = app.config.auth.signing_key.expose_secret().as_bytes().to_vec();
        hashed.extend_from_slice(path.as_bytes());
        hashed.push(b'\n');
        hashed.extend_from_slice(body);
        Ok(Some(Self { operation: operation.to_owned(), key: key.to_owned(), request_hash: secrets::sha256(&hashed) }))
    }

    /// The hash of path and body.
    pub(super) fn request_hash(&self) -> &str {
        &self.request_hash
    }
}

/// What a key means: a new request, or one that was answered already.
pub(super) enum Replay {
    New(NewRecord),
    Done(Stored),
}

/// A record still to be kept.
pub(super) struct NewRecord {
    principal: String,
    key: Key,
    replaces_old: bool,
}

impl Replay {
    pub(super) fn begin(conn: &mut Conn, principal: String, key: &Key, now: UtcTime) -> Result<Self, Error> {
        if !dialect::try_claim(conn, &format!("{principal} {} {}", key.operation, key.key))? {
            return Err(Error::new(ErrorCode::RequestInFlight));
        }
        Self::look_up(conn, principal, key, now)
    }

    /// What a key means by what is kept, without taking it: for a look before work that is not of the transaction.
    pub(super) fn look_up(conn: &mut Conn, principal: String, key: &Key, now: UtcTime) -> Result<Self, Error> {
        type Row = (String, i32, Option<String>, Option<String>, Option<String>, UtcTime);
        let row: Option<Row> = idempotency_records::table
            .find((&principal, &key.operation, &key.key))
            .select((
                idempotency_records::request_hash,
                idempotency_records::status,
                idempotency_records::body,
                idempotency_records::location,
                idempotency_records::etag,
                idempotency_records::created_at,
            ))
            .first(conn)
            .optional()?;
        match row {
            None => Ok(Self::New(NewRecord { principal, key: key.clone(), replaces_old: false })),
            Some((.., created_at)) if created_at.plus(chrono::Duration::hours(24)) <= now => {
                Ok(Self::New(NewRecord { principal, key: key.clone(), replaces_old: true }))
            }
            Some((hash, ..)) if hash != key.request_hash => Err(Error::new(ErrorCode::KeyReused)),
            Some((_, _, None, ..)) => Err(Error::new(ErrorCode::SecretNotRepeated)),
            Some((_, status, body, location, etag, _)) => {
                Ok(Self::Done(Stored { status: u16::try_from(status).unwrap_or(200), body, location, etag, replayed: true }))
            }
        }
    }
}

impl NewRecord {
    /// Keeps the answer in the transaction of the effect, in the place of one that is older than a day; the body of an
    /// answer with a secret is not kept.
    pub(super) fn keep(&self, conn: &mut Conn, stored: &Stored, secret: bool, now: UtcTime) -> Result<(), Error> {
        let Key { operation, key, request_hash } = &self.key;
        if self.replaces_old {
            diesel::delete(idempotency_records::table.find((&self.principal, operation, key))).execute(conn)?;
        }
        diesel::insert_into(idempotency_records::table)
            .values((
                idempotency_records::principal.eq(&self.principal),
                idempotency_records::operation.eq(operation),
                idempotency_records::idempotency_key.eq(key),
                idempotency_records::request_hash.eq(request_hash),
                idempotency_records::status.eq(i32::from(stored.status)),
                idempotency_records::body.eq(if secret { None } else { stored.body.as_deref() }),
                idempotency_records::location.eq(stored.location.as_deref()),
                idempotency_records::etag.eq(stored.etag.as_deref()),
                idempotency_records::created_at.eq(now),
            ))
            .execute(conn)?;
        Ok(())
    }
}

/// Forgets idempotency records that are older than a day.
pub fn forget_old_records(conn: &mut Conn, now: UtcTime) -> Result<usize, Error> {
    let old = now.plus(chrono::Duration::hours(-24));
    Ok(diesel::delete(idempotency_records::table.filter(idempotency_records::created_at.lt(old))).execute(conn)?)
}
