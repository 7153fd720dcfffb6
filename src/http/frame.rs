//! What every request passes through: a request id, one log line without personal data, security headers, and problem
//! documents in the client's language for every failure, the framework's own included.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};

use super::RequestIdHeader;
use super::rate::RateSlot;
use crate::app::App;
use crate::auth::secrets;
use crate::error::{Error, ErrorCode, Locale};

const REQUEST_ID: header::HeaderName = header::HeaderName::from_static("x-request-id");

/// What pages may load: nothing from elsewhere, nothing inline.
const POLICY: &str =
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// The browsable API document writes styles of its own.
const DOCS_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The middleware.
pub async fn frame(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let request_id = given_request_id(request.request()).or_else(|| secrets::short_name().ok()).unwrap_or_default();
    request.extensions_mut().insert(RequestIdHeader(request_id.clone()));
    let rates = RateSlot::default();
    request.extensions_mut().insert(rates.clone());
    let app = request.app_data::<web::Data<App>>().map(|app| app.clone().into_inner());
    let started = app.as_ref().map(|app| app.clock.now());
    let locale = locale(request.request());
    // The request must not be held while it is routed; handlers' errors come back as responses.
    let mut response = next.call(request).await?.map_into_boxed_body();
    log(&response, &request_id, started.zip(app.map(|app| app.clock.now())));
    let http_path = response.request().path().to_owned();
    if let Some(document) = problem(&response, locale, &request_id) {
        response = response.into_response(document);
    }
    let policy = if http_path.starts_with("/docs") { DOCS_POLICY } else { POLICY };
    let headers = response.headers_mut();
    if let Ok(value) = header::HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, value);
    }
    if let Some(standing) = rates.standing() {
        for (name, figure) in [
            ("x-ratelimit-limit", standing.limit),
            ("x-ratelimit-remaining", standing.remaining),
            ("x-ratelimit-reset", standing.reset_seconds),
        ] {
            headers.insert(header::HeaderName::from_static(name), figure.into());
        }
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("strict-transport-security", "max-age=31536000"),
        ("content-security-policy", policy),
        ("cache-control", "no-store"),
    ] {
        let name = header::HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, header::HeaderValue::from_static(value));
        }
    }
    Ok(response)
}

/// The language of the client.
pub fn locale(request: &HttpRequest) -> Locale {
    request
        .headers()
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .map_or(Locale::Ja, Locale::from_accept_language)
}

fn given_request_id(request: &HttpRequest) -> Option<String> {
    let text = request.headers().get(&REQUEST_ID)?.to_str().ok()?;
    let right = (8..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    right.then(|| text.to_owned())
}

/// The document that replaces a failed response, or nothing when it is already final.
fn problem(response: &ServiceResponse<BoxBody>, locale: Locale, request_id: &str) -> Option<HttpResponse> {
    let instance = response.request().path();
    if let Some(cause) = response.response().error() {
        if let Some(error) = cause.as_error::<Error>() {
            return Some(error.response(locale, Some(instance), Some(request_id)));
        }
        let status = response.status();
        return Some(of_status(status).caused_by(cause).response(locale, Some(instance), Some(request_id)));
    }
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    let ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| {
        value.as_bytes().starts_with(b"application/problem+json")
            || value.as_bytes().starts_with(b"text/html")
            || value.as_bytes().starts_with(b"application/json")
    });
    (is_error && !ours).then(|| of_status(response.status()).response(locale, Some(instance), Some(request_id)))
}

fn of_status(status: StatusCode) -> Error {
    Error::new(match status {
        StatusCode::NOT_FOUND => ErrorCode::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ErrorCode::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorCode::UnsupportedMediaType,
        status if status.is_client_error() => ErrorCode::MalformedRequest,
        _ => ErrorCode::Internal,
    })
}

/// One line a request: the route's pattern, never the address typed, no body, no name.
fn log(response: &ServiceResponse<BoxBody>, request_id: &str, times: Option<(crate::clock::UtcTime, crate::clock::UtcTime)>) {
    let request = response.request();
    let status = response.status().as_u16();
    let route = request.match_pattern().unwrap_or_else(|| "(none)".to_owned());
    let micros = times.map_or(0, |(from, to)| (to.naive() - from.naive()).num_microseconds().unwrap_or(0));
    if status >= 500 {
        let cause = response
            .response()
            .error()
            .and_then(|error| error.as_error::<Error>())
            .and_then(|error| error.source.clone())
            .unwrap_or_default();
        tracing::error!(request_id, method = %request.method(), route, status, duration_us = micros, cause, "request failed");
    } else {
        tracing::info!(request_id, method = %request.method(), route, status, duration_us = micros, "request");
    }
}
