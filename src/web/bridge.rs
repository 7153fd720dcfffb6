//! The way of a form: `POST /do/…` carries what somebody typed to the operation of the same address under `/api/v1`, with the
//! session's cookie as credential, and leads on when it has succeeded (POST, redirect, GET). What was refused comes back
//! on the page it came from, with every wrong field named and nothing typed lost; whoever has been signed out meanwhile
//! signs in and finds the text again. `GET /files/…` hands out files, and addresses that no area has a page for are made
//! from the API document ([`super::generic`]).
//!
//! A form of another site, or without this session's own value, does nothing. The API itself accepts no cookie: only what
//! is put into a request here lets one count.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse, Url};
use actix_web::http::{Method, StatusCode, Uri, header};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use askama::Template;
use base64::Engine as _;
use futures_util::StreamExt as _;
use serde_json::Value;

use super::generic::{self, Kind};
use super::page::{Caller, Sheet, View, present, to_sign_in, trouble};
use super::shape::{Operation, SHAPE, Sort};
use super::tongue::{Tongue, esc};
use super::typed::{self, Typed};
use super::{session, values};
use crate::app::App;
use crate::auth::sessions;
use crate::db::Conn;
use crate::error::{Error, ErrorCode, Words};
use crate::http::PageSession;

/// Operations whose answer is shown instead of a page: what they tell is told once.
const TELLING: &[&str] = &[
    "create_api_client",
    "rotate_api_client",
    "create_calendar_feed",
    "create_webhook",
    "rotate_webhook_secret",
    "simulate_request",
    "test_webhook",
    "start_second_factor",
    "confirm_second_factor",
    "renew_recovery_codes",
];
/// How far a form may be larger than the body made of it: text in a form is written with `%`.
const FORM_FACTOR: usize = 4;
/// Most fields of a form: the largest have some hundreds.
const MOST_FIELDS: usize = 5_000;
/// How long a second press waits for the answer to the first, in steps of a quarter of a second.
const MOST_WAITS: u32 = 40;

type Answer = Result<ServiceResponse<BoxBody>, actix_web::Error>;

/// Already rendered content.
#[derive(Template)]
#[template(ext = "html", source = "{{ html|safe }}")]
struct Ready {
    html: String,
}

/// The middleware.
pub async fn bridge(request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Answer {
    let path = request.path().to_owned();
    let Some(app) = request.app_data::<Data<App>>().map(|app| Arc::clone(app)) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let posts = *request.method() == Method::POST;
    if posts && (path.starts_with("/do/") || path == "/resume") {
        return act(&app, request, &next).await;
    }
    if *request.method() == Method::GET && !for_programs(&path) {
        if let Some(target) = path.strip_prefix("/files/") {
            let target = format!("/{target}");
            return file(&app, request, &next, &target).await;
        }
        return page(&app, request, &next).await;
    }
    let answered = next.call(request).await?.map_into_boxed_body();
    Ok(if for_programs(&path) { answered } else { readable(&app, answered) })
}

fn for_programs(path: &str) -> bool {
    ["/api/", "/docs", "/assets/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/calendars/"]
        .iter()
        .any(|p| path.starts_with(p))
}

/// A page by its own route, or made from the API document.
async fn page(app: &Arc<App>, request: ServiceRequest, next: &Next<impl MessageBody + 'static>) -> Answer {
    let path = request.path().to_owned();
    let own = request.resource_map().has_resource(&path);
    match generic::kind(&path).filter(|_| !own) {
        Some(kind) => made(app, request, next, &path, kind).await,
        None => Ok(readable(app, next.call(request).await?.map_into_boxed_body())),
    }
}

/// A failure as a page, for browsers; programs that ask for something else get the problem document.
fn readable(app: &App, answered: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let browser = answered
        .request()
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if !browser {
        return answered;
    }
    let tongue = Tongue::of(answered.request());
    let page = match answered.response().error().map(|error| error.as_error::<Error>()) {
        Some(Some(error)) => trouble(app, tongue, None, error),
        Some(None) => trouble(app, tongue, None, &of_status(answered.status())),
        None => return answered,
    };
    let Ok(mut page) = page else { return answered };
    for name in [header::RETRY_AFTER, header::ALLOW] {
        if let Some(value) = answered.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    answered.into_response(page)
}

/// What a status of the frame means, which knows no errors of ours.
fn of_status(status: StatusCode) -> Error {
    match status {
        StatusCode::NOT_FOUND => Error::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => Error::new(ErrorCode::MethodNotAllowed),
        StatusCode::PAYLOAD_TOO_LARGE => Error::new(ErrorCode::TooLarge),
        status if status.is_client_error() => Error::new(ErrorCode::MalformedRequest),
        status => Error::internal(status),
    }
}

/// Turns a request to another address of this service.
fn turn(request: &mut ServiceRequest, method: Method, target: &str) -> Result<(), Error> {
    let uri: Uri = target.parse().map_err(|_| Error::not_found())?;
    request.match_info_mut().set(Url::new(uri.clone()));
    let head = request.head_mut();
    head.method = method;
    head.uri = uri;
    Ok(())
}

/// What an operation answered.
struct Told {
    request: HttpRequest,
    outcome: Result<Value, Error>,
    location: Option<String>,
}

/// Asks an operation and reads its JSON answer.
async fn ask(
    mut request: ServiceRequest,
    next: &Next<impl MessageBody + 'static>,
    method: Method,
    target: &str,
) -> Result<Told, actix_web::Error> {
    turn(&mut request, method, target)?;
    let answered = next.call(request).await?.map_into_boxed_body();
    let (request, response) = answered.into_parts();
    let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let failed = response.error().map(|error| match error.as_error::<Error>() {
        Some(error) => again(error),
        None => of_status(response.status()).caused_by(error),
    });
    if let Some(error) = failed {
        return Ok(Told { request, outcome: Err(error), location });
    }
    if !response.status().is_success() {
        return Ok(Told { request, outcome: Err(Error::internal(response.status())), location });
    }
    let bytes = to_bytes(response.into_body()).await.map_err(|_| Error::internal("the answer ended early"))?;
    let outcome = if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&bytes).map_err(Error::internal) };
    Ok(Told { request, outcome, location })
}

/// The same failure once more: it stays in the response it came with.
fn again(error: &Error) -> Error {
    let mut copy = Error::new(error.code);
    copy.detail.clone_from(&error.detail);
    copy.fields.clone_from(&error.fields);
    copy.state.clone_from(&error.state);
    copy.retry_after = error.retry_after;
    copy.source.clone_from(&error.source);
    copy
}

fn let_cookie_count(app: &App, request: &ServiceRequest) {
    let cookie = session::value(request.request(), app);
    if let Some(cookie) = cookie {
        let used_since = sessions::used_since(app, app.clock.now());
        request.extensions_mut().insert(PageSession { cookie, used_since });
    }
}

/// A condition of a list as the operation takes it: people type days and numbers in their own way.
fn condition(operation: &'static Operation, name: &str, value: String) -> String {
    let schema = operation.query.iter().find(|(known, _)| known == name).map(|(_, schema)| SHAPE.resolve(schema));
    let read = schema.and_then(|schema| match (schema.sort(), schema.format.as_deref()) {
        (Sort::Integer, _) => typed::whole_number(&value).map(|number| number.to_string()),
        (_, Some("date")) => crate::calendar::parse_japanese_date(&value).ok().map(|day| day.to_string()),
        _ => None,
    });
    read.unwrap_or(value)
}

/// A page made from the API document.
async fn made(
    app: &Arc<App>,
    request: ServiceRequest,
    next: &Next<impl MessageBody + 'static>,
    path: &str,
    kind: Kind,
) -> Answer {
    let caller = Caller::of(app, request.request());
    let status = request.extensions().get::<StatusCode>().copied().unwrap_or(StatusCode::OK);
    let_cookie_count(app, &request);
    let asked = match &kind {
        Kind::Read(operation) => {
            let kept: Vec<(String, String)> = form_urlencoded::parse(request.query_string().as_bytes())
                .filter(|(name, value)| name != "done" && name != "format" && !value.is_empty())
                .map(|(name, value)| (name.clone().into_owned(), condition(operation, &name, value.into_owned())))
                .collect();
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
            Some(format!("/api/v1{path}{}{query}", if query.is_empty() { "" } else { "?" }))
        }
        Kind::Fill { from, .. } => from.as_ref().map(|from| format!("/api/v1{from}")),
    };
    let (request, outcome) = match asked {
        Some(target) => {
            let told = ask(request, next, Method::GET, &target).await?;
            (told.request, told.outcome)
        }
        None => (request.into_parts().0, Ok(Value::Null)),
    };
    if caller.cookie.is_none() || matches!(&outcome, Err(error) if error.code == ErrorCode::Unauthenticated) {
        return Ok(ServiceResponse::new(request, to_sign_in(&caller.place)));
    }
    let path = path.to_owned();
    let drawn = move |conn: &mut Conn, view: &View| {
        let answer = outcome?;
        let (title, html) = match kind {
            Kind::Read(operation) => generic::read(conn, view, operation, &path, &answer)?,
            Kind::Fill { operation, path, .. } => {
                if let Some(permission) = operation.permission {
                    view.ctx.principal.require(permission)?;
                }
                generic::fill(conn, view, operation, &path, answer)?
            }
        };
        Ok(Sheet::new(title, Ready { html }))
    };
    let response = present(app, caller, status, drawn).await;
    Ok(settled(app, request, response))
}

/// An answer, or the failure in its place: it goes on through what logs it and protects every answer.
fn settled(app: &App, request: HttpRequest, outcome: Result<HttpResponse, Error>) -> ServiceResponse<BoxBody> {
    let response = outcome.unwrap_or_else(HttpResponse::from_error);
    readable(app, ServiceResponse::new(request, response))
}

/// A file: the API's answer as it is, unless it is data for programs.
async fn file(app: &Arc<App>, mut request: ServiceRequest, next: &Next<impl MessageBody + 'static>, target: &str) -> Answer {
    if session::value(request.request(), app).is_none() {
        let place = request.uri().to_string();
        return Ok(request.into_response(to_sign_in(&place)));
    }
    let_cookie_count(app, &request);
    let query = request.query_string().to_owned();
    let target = if query.is_empty() { format!("/api/v1{target}") } else { format!("/api/v1{target}?{query}") };
    let place = request.uri().to_string();
    turn(&mut request, Method::GET, &target)?;
    let answered = next.call(request).await?.map_into_boxed_body();
    if answered.status() == StatusCode::UNAUTHORIZED {
        return Ok(answered.into_response(to_sign_in(&place)));
    }
    let json =
        answered.headers().get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    if json {
        let (request, _) = answered.into_parts();
        let response = trouble(app, Tongue::of(&request), None, &Error::not_found())?;
        return Ok(ServiceResponse::new(request, response));
    }
    Ok(readable(app, answered))
}

/// What a form sends.
struct Sent {
    typed: Typed,
    method: Method,
    page: String,
    next: Option<String>,
    csrf: String,
    version: Option<String>,
    key: Option<String>,
}

impl Sent {
    fn of(path: String, values: Vec<(String, String)>) -> Self {
        let mut sent = Self {
            typed: Typed { path, values, ..Typed::default() },
            method: Method::POST,
            page: String::new(),
            next: None,
            csrf: String::new(),
            version: None,
            key: None,
        };
        let text = |name: &str| sent.typed.value(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let method = text("_method").and_then(|name| Method::from_bytes(name.as_bytes()).ok());
        let page = text("_page").filter(|place| is_local(place));
        let next = text("_next").filter(|place| is_local(place));
        let (csrf, version, key) = (text("csrf"), text("_version"), text("_key"));
        sent.method = method.unwrap_or(Method::POST);
        sent.page = page.unwrap_or_else(|| "/".to_owned());
        sent.next = next;
        sent.csrf = csrf.unwrap_or_default();
        sent.version = version;
        sent.key = key;
        sent
    }
}

/// Whether an address leads to a page of this service.
pub fn is_local(place: &str) -> bool {
    place.starts_with('/')
        && !place.starts_with("//")
        && !place.contains('\\')
        && !place.chars().any(char::is_control)
        && place.parse::<Uri>().is_ok()
        && !place.starts_with("/do/")
        && !for_programs(place)
}

/// Carries a form to its operation.
async fn act(app: &Arc<App>, mut request: ServiceRequest, next: &Next<impl MessageBody + 'static>) -> Answer {
    let tongue = Tongue::of(request.request());
    let path = request.path().strip_prefix("/do").map(str::to_owned);
    if let Err(error) = session::same_site(request.request(), app) {
        return Ok(settled(app, request.into_parts().0, Err(error)));
    }
    let cookie = session::value(request.request(), app);
    let alive = match cookie {
        None => None,
        Some(cookie) => {
            let (shared, now) = (Arc::clone(app), app.clock.now());
            match app.db.read(move |conn| session::signed_in(conn, Some(&cookie), &shared, now)).await {
                Ok(found) => found,
                Err(error) => return Ok(settled(app, request.into_parts().0, Err(error))),
            }
        }
    };
    let (values, resumes) = match collect(app, &mut request, alive.is_some()).await {
        Ok(values) => (values, path.is_none()),
        Err(error) => {
            let response = trouble(app, tongue, None, &error)?;
            return Ok(request.into_response(response));
        }
    };
    let path = path.or_else(|| values.iter().find(|(name, _)| name == "_to").map(|(_, to)| to.clone())).unwrap_or_default();
    let mut sent = Sent::of(path.clone(), values);
    let Some(operation) = SHAPE.at(&sent.method, &path) else {
        let response = trouble(app, tongue, None, &Error::not_found())?;
        return Ok(request.into_response(response));
    };
    sent.typed.operation.clone_from(&operation.id);
    // Before anything is read: whoever has been signed out keeps what was typed, however it was typed.
    let Some(signed_in) = alive else { return expired(app, request, sent, tongue) };
    let_cookie_count(app, &request);
    if resumes || sent.csrf != signed_in.csrf {
        sent.typed.resumed = true;
        return back(app, request.into_parts().0, next, sent, StatusCode::OK).await;
    }
    let read = match operation.body_schema().map(|schema| typed::read(schema, &sent.typed.values, sent.method == Method::POST)) {
        None => typed::Read { body: Value::Null, moved: BTreeMap::new() },
        Some(Ok(read)) => read,
        Some(Err(fields)) => {
            sent.typed.fields = fields;
            sent.typed.message = Some(ErrorCode::ValidationFailed.title());
            return back(app, request.into_parts().0, next, sent, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
    };
    let mut read = read;
    if sent.method == Method::PATCH {
        keep_changes(&mut read.body, sent.typed.value("_seen"));
    }
    let bytes = if read.body.is_null() { Bytes::new() } else { Bytes::from(read.body.to_string()) };
    let mut waits = 0;
    let told = loop {
        if let Err(error) = load(&mut request, &sent, bytes.clone()) {
            return Ok(settled(app, request.into_parts().0, Err(error)));
        }
        let told = ask(request, next, sent.method.clone(), &format!("/api/v1{path}")).await?;
        // The same button was pressed twice and the first press is under way: its answer is the answer.
        let under_way = matches!(&told.outcome, Err(error) if error.code == ErrorCode::RequestInFlight);
        if !under_way || waits == MOST_WAITS {
            break told;
        }
        waits += 1;
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        request = ServiceRequest::from_parts(told.request, Payload::None);
    };
    match told.outcome {
        Ok(answer) if TELLING.contains(&operation.id.as_str()) => {
            let caller = Caller::of(app, &told.request);
            let response = tell(app, caller, operation, answer, &sent).await;
            Ok(settled(app, told.request, response))
        }
        Ok(answer) => Ok(ServiceResponse::new(told.request, onward(operation, &sent, &answer, told.location.as_deref()))),
        // Whatever came of the first press, the page shows it.
        Err(error) if error.code == ErrorCode::RequestInFlight => {
            let place = HttpResponse::SeeOther().insert_header((header::LOCATION, sent.page.clone())).finish();
            Ok(ServiceResponse::new(told.request, place))
        }
        Err(error) if error.code == ErrorCode::Unauthenticated => {
            let request = ServiceRequest::from_parts(told.request, Payload::None);
            expired(app, request, sent, tongue)
        }
        Err(error) => {
            sent.typed.refused(&error, &read.moved);
            // A key belongs to one body; what is corrected is another.
            let status = error.code.status();
            back(app, told.request, next, sent, status).await
        }
    }
}

/// Of a change, only what differs from what the form was filled with: what nobody touched is not written, and asks for no
/// permission.
fn keep_changes(body: &mut Value, seen: Option<&str>) {
    let (Some(body), Some(seen)) = (body.as_object_mut(), seen.and_then(|text| serde_json::from_str::<Value>(text).ok())) else {
        return;
    };
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    body.retain(|name, value| {
        let before = seen.get(name).unwrap_or(&Value::Null);
        before != value && !(empty(before) && empty(value))
    });
}

/// Puts body, key and version into the request.
fn load(request: &mut ServiceRequest, sent: &Sent, bytes: Bytes) -> Result<(), Error> {
    let length = bytes.len();
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_LENGTH, length.into());
    let value = |text: &str| header::HeaderValue::from_str(text).map_err(|_| Error::new(ErrorCode::MalformedRequest));
    headers.remove(header::IF_MATCH);
    if let Some(version) = &sent.version {
        headers.insert(header::IF_MATCH, value(&format!("\"{version}\""))?);
    }
    if let Some(key) = sent.key.as_ref().filter(|_| sent.method == Method::POST) {
        headers.insert(header::HeaderName::from_static("idempotency-key"), value(key)?);
    }
    request.set_payload(Payload::Stream { payload: Box::pin(futures_util::stream::once(std::future::ready(Ok(bytes)))) });
    Ok(())
}

/// The page that follows a success.
fn onward(operation: &Operation, sent: &Sent, answer: &Value, location: Option<&str>) -> HttpResponse {
    let id = answer
        .get("id")
        .map(ToString::to_string)
        .or_else(|| location.and_then(|location| location.rsplit('/').next()).map(str::to_owned))
        .unwrap_or_default();
    let target = sent.next.clone().unwrap_or_else(|| sent.page.clone()).replace("{id}", &id);
    let (place, query) = target.split_once('?').unwrap_or((&target, ""));
    let kept: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name != "done")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).append_pair("done", &operation.id).finish();
    HttpResponse::SeeOther().insert_header((header::LOCATION, format!("{place}?{query}"))).finish()
}

/// Shows the page of a form again, with what was typed.
async fn back(
    app: &Arc<App>,
    request: HttpRequest,
    next: &Next<impl MessageBody + 'static>,
    sent: Sent,
    status: StatusCode,
) -> Answer {
    let page_address = sent.page.clone();
    let mut request = ServiceRequest::from_parts(request, Payload::None);
    request.extensions_mut().insert(Arc::new(sent.typed));
    request.extensions_mut().insert(status);
    turn(&mut request, Method::GET, &page_address)?;
    page(app, request, next).await
}

/// What an operation tells, on a page of its own.
async fn tell(
    app: &App,
    mut caller: Caller,
    operation: &'static Operation,
    answer: Value,
    sent: &Sent,
) -> Result<HttpResponse, Error> {
    caller.place.clone_from(&sent.page);
    let back = sent.next.as_deref().filter(|next| !next.contains('{')).unwrap_or(&sent.page).to_owned();
    let told = move |_: &mut Conn, view: &View| {
        let mut html = format!("<h1>{}</h1>", esc(operation.label(view.tongue)));
        if !operation.id.starts_with("simulate") && !operation.id.starts_with("test") {
            html.push_str(r#"<div class="notice"><p>"#);
            html.push_str(view.t(
                "秘密の値（鍵・アドレス）は、この画面でしか表示されません。安全な場所に控えてください。",
                "The secret (key or address) is shown on this page only. Keep it in a safe place.",
            ));
            html.push_str("</p></div>");
        }
        html.push_str(&values::facts_named(operation.answer.as_deref().unwrap_or_default(), &answer, view.tongue));
        if operation.id == "start_second_factor" {
            let address = answer.get("address").and_then(Value::as_str).unwrap_or_default();
            html.push_str(&crate::auth::account_pages::scan_and_confirm(view, address)?);
        }
        let back =
            format!(r#"<p class="actions"><a class="button plain" href="{}">{}</a></p>"#, esc(&back), view.t("戻る", "Back"));
        html.push_str(&back);
        Ok(Sheet::new(operation.label(view.tongue), Ready { html }))
    };
    present(app, caller, StatusCode::OK, told).await
}

/// Asks somebody whose session has ended to sign in, and keeps what was typed.
fn expired(app: &Arc<App>, request: ServiceRequest, sent: Sent, tongue: Tongue) -> Answer {
    let mut pending = form_urlencoded::Serializer::new(String::new());
    for (name, value) in sent
        .typed
        .values
        .iter()
        .filter(|(name, _)| !["csrf", "_to", "/content_base64"].contains(&&**name) && !name.contains("password"))
    {
        pending.append_pair(name, value);
    }
    pending.append_pair("_to", &sent.typed.path);
    let problem = Words::new(
        "しばらく操作がなかったため、サインアウトしました。入力した内容は残っています。サインインすると続けられます",
        "You were signed out because nothing was done for a while. What you typed is kept: sign in to go on",
    );
    let page = crate::auth::pages::ask_to_sign_in(app, tongue.0, &[tongue.words(&problem).to_owned()], &pending.finish())?;
    Ok(request.into_response(page))
}

/// Reads the fields of a form; an uploaded file becomes its name, kind and base64. Whoever is not signed in may send less: enough
/// for what was typed.
async fn collect(app: &App, request: &mut ServiceRequest, signed_in: bool) -> Result<Vec<(String, String)>, Error> {
    let most = app.config.limits.body_kib * 1024 * if signed_in { FORM_FACTOR } else { 1 };
    let too_large = || Error::new(ErrorCode::TooLarge);
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut payload = request.take_payload();
    if kind.starts_with("multipart/form-data") {
        let mut form = actix_multipart::Multipart::new(request.headers(), payload);
        let (mut values, mut taken) = (Vec::new(), 0);
        while let Some(field) = form.next().await {
            let mut field = field.map_err(|error| Error::new(ErrorCode::MalformedRequest).caused_by(error))?;
            let name = field.name().unwrap_or_default().to_owned();
            taken += name.len();
            if values.len() >= MOST_FIELDS {
                return Err(too_large());
            }
            let file = field.content_disposition().and_then(|disposition| disposition.get_filename()).map(str::to_owned);
            let media_type = field.content_type().map(ToString::to_string);
            let mut bytes = BytesMut::new();
            while let Some(chunk) = field.next().await {
                let chunk = chunk.map_err(|error| Error::new(ErrorCode::MalformedRequest).caused_by(error))?;
                taken += chunk.len();
                if taken > most {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&chunk);
            }
            match file {
                Some(file) => {
                    values.push((name, base64::engine::general_purpose::STANDARD.encode(&bytes)));
                    values.push(("/file_name".to_owned(), file));
                    values.push(("/media_type".to_owned(), media_type.unwrap_or_default()));
                }
                None => values.push((name, String::from_utf8_lossy(&bytes).into_owned())),
            }
        }
        return Ok(values);
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| Error::new(ErrorCode::MalformedRequest).caused_by(error))?;
        if bytes.len() + chunk.len() > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.iter().filter(|byte| **byte == b'&').count() >= MOST_FIELDS {
        return Err(too_large());
    }
    Ok(form_urlencoded::parse(&bytes).map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
}
