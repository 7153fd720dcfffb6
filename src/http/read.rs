//! The one way through a read: authenticate, load what is visible, check the permission, read the parameters, answer.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::rate::RateSlot;
use super::write::etag;
use super::{Credentials, Ctx, RequestIdHeader, Versioned, path_id};
use crate::app::App;
use crate::auth::policy::Permission;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};

/// A read that needs permission `P`.
pub struct Read<P> {
    pub(crate) app: Arc<App>,
    pub(crate) request: HttpRequest,
    permission: PhantomData<P>,
}

impl<P: 'static> FromRequest for Read<P> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match request.app_data::<web::Data<App>>() {
            Some(app) => Ok(Self { app: Arc::clone(app), request: request.clone(), permission: PhantomData }),
            None => Err(Error::internal("application state is missing")),
        })
    }
}

/// What a read answers with.
pub enum Answer<V> {
    /// A JSON view.
    Json(V),
    /// A JSON view of an object that has a version.
    Versioned(V, i64),
    /// A list and the cursor of its next page, which also goes to the `Link` header.
    List(V, Option<String>),
    /// A file to keep.
    File {
        /// Media type.
        media_type: String,
        /// Name shown to the person, any characters.
        name: String,
        /// The bytes.
        content: Vec<u8>,
    },
}

impl<P: Permission> Read<P> {
    /// The id in the path, as text that has yet to be parsed inside the checks.
    pub fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, Error> {
        path_id(&self.request, name)
    }

    /// Answers with what `work` makes of the query parameters. `work` does its own "not visible → 404" first.
    pub async fn run<Q, V, F>(self, work: F) -> Result<HttpResponse, Error>
    where
        Q: DeserializeOwned + Send + 'static,
        V: Serialize + Send + 'static,
        F: FnOnce(&mut Conn, &Ctx, Q) -> Result<Answer<V>, Error> + Send + 'static,
    {
        self.run_after(|_, _| Ok(()), move |conn, ctx, (), query| work(conn, ctx, query)).await
    }

    /// Answers about an object: `load` finds it (404 when not visible) before permission and parameters are looked at.
    pub async fn run_after<Q, O, V, L, F>(self, load: L, work: F) -> Result<HttpResponse, Error>
    where
        Q: DeserializeOwned + Send + 'static,
        V: Serialize + Send + 'static,
        O: 'static,
        L: FnOnce(&mut Conn, &Ctx) -> Result<O, Error> + Send + 'static,
        F: FnOnce(&mut Conn, &Ctx, O, Q) -> Result<Answer<V>, Error> + Send + 'static,
    {
        let Self { app, request, .. } = self;
        let now = app.clock.now();
        let credentials = Credentials::of(&request, &app, now)?;
        let query = request.query_string().to_owned();
        let (request_id, slot) = (request_id(&request), rate_slot(&request));
        let (database, app_in) = (app.db.clone(), Arc::clone(&app));
        let answer = database
            .read(move |conn| {
                let principal = credentials.principal(conn, now)?;
                let ctx = Ctx { app: app_in, principal, now, request_id };
                ctx.app.rates.check_and_note(&ctx.principal.key(), now, &slot)?;
                let object = load(conn, &ctx)?;
                ctx.principal.require(&P::INFO)?;
                let query = parse_query(&query)?;
                work(conn, &ctx, object, query)
            })
            .await?;
        respond(&request, answer)
    }

    /// Answers with one object that has a version.
    pub async fn object<O, V, L, F>(self, load: L, view: F) -> Result<HttpResponse, Error>
    where
        O: Versioned + 'static,
        V: Serialize + Send + 'static,
        L: FnOnce(&mut Conn, &Ctx) -> Result<O, Error> + Send + 'static,
        F: FnOnce(&mut Conn, &Ctx, O) -> Result<V, Error> + Send + 'static,
    {
        self.run_after(load, move |conn, ctx, object, _: NoQuery| {
            let version = object.version();
            view(conn, ctx, object).map(|view| Answer::Versioned(view, version))
        })
        .await
    }
}

/// No query parameters.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoQuery {}

/// Reads query parameters; an unknown or malformed one is named.
pub fn parse_query<Q: DeserializeOwned>(query: &str) -> Result<Q, Error> {
    let parser = serde_urlencoded::Deserializer::new(percent_encoding_pairs(query));
    serde_path_to_error::deserialize(parser).map_err(|error| {
        let name = error.path().to_string();
        let cause = error.into_inner().to_string();
        let parameter = if name == "." { quoted(&cause).unwrap_or_default() } else { name };
        Error::new(ErrorCode::UnknownParameter).field(
            parameter,
            "unknown_or_malformed",
            format!("使えないパラメーターです（{cause}）"),
            format!("Unknown or malformed parameter ({cause})"),
        )
    })
}

fn percent_encoding_pairs(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}

fn quoted(message: &str) -> Option<String> {
    message.split('`').nth(1).map(str::to_owned)
}

pub(crate) fn request_id(request: &HttpRequest) -> String {
    use actix_web::HttpMessage as _;
    request.extensions().get::<RequestIdHeader>().map(|id| id.0.clone()).unwrap_or_default()
}

pub(crate) fn rate_slot(request: &HttpRequest) -> RateSlot {
    use actix_web::HttpMessage as _;
    request.extensions().get::<RateSlot>().cloned().unwrap_or_default()
}

fn respond<V: Serialize>(request: &HttpRequest, answer: Answer<V>) -> Result<HttpResponse, Error> {
    let json = |value: &V| serde_json::to_vec(value).map_err(Error::internal);
    match answer {
        Answer::Json(value) => Ok(HttpResponse::Ok().content_type("application/json").body(json(&value)?)),
        Answer::Versioned(value, version) => {
            let tag = etag(version);
            Ok(HttpResponse::Ok().insert_header((header::ETAG, tag)).content_type("application/json").body(json(&value)?))
        }
        Answer::List(value, next) => {
            let mut response = HttpResponse::Ok();
            if let Some(next) = super::page::next_link(request.query_string(), next.as_deref()) {
                response.insert_header((header::LINK, format!("<{}?{next}>; rel=\"next\"", request.path())));
            }
            Ok(response.content_type("application/json").body(json(&value)?))
        }
        Answer::File { media_type, name, content } => Ok(HttpResponse::Ok()
            .content_type(media_type)
            .insert_header((header::CONTENT_DISPOSITION, attachment_header(&name)))
            .body(content)),
    }
}

/// `attachment` with an ASCII stand-in and the real name (RFC 6266, RFC 8187).
pub fn attachment_header(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' }).collect();
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}
