//! The one list of routes, from which both the server and the API document are made.

use std::collections::BTreeMap;

use actix_web::dev::ResourceDef;
use actix_web::{HttpRequest, HttpResponse, get, web};
use utoipa::OpenApi as _;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_actix_web::{AppExt as _, scope};

use super::openapi::{self, Frame};
use crate::error::{Error, ErrorCode};

/// Everything under `/api/v1`.
pub fn api(config: &mut ServiceConfig) {
    config
        .configure(crate::auth::api::configure)
        .configure(crate::auth::clients::configure)
        .configure(crate::organisations::api::configure)
        .configure(crate::pools::api::configure)
        .configure(crate::experts::api::configure)
        .configure(crate::requests::api::configure)
        .configure(crate::offers::api::configure)
        .configure(crate::dispatches::api::configure)
        .configure(crate::allocations::api::configure)
        .configure(crate::postings::api::configure)
        .configure(crate::settlements::api::configure)
        .configure(crate::statistics::api::configure)
        .configure(crate::imports::api::configure)
        .configure(crate::notifications::api::configure)
        .configure(crate::notifications::notice_api::configure)
        .configure(crate::notifications::template_api::configure)
        .configure(crate::webhooks::api::configure)
        .configure(crate::calendars::api::configure)
        .configure(crate::today::api::configure)
        .configure(crate::audit::api::configure);
}

/// The finished API document.
pub fn document() -> serde_json::Value {
    let (_, document) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(Frame::openapi())
        .configure(crate::ops::health::configure)
        .service(scope("/api/v1").configure(api))
        .split_for_parts();
    openapi::finish(&document)
}

/// The document as committed, which a test and `openapi --check` keep equal to [`document`]: making it anew at each start
/// would cost time and memory.
pub const DOCUMENT: &str = include_str!("../../openapi/openapi.json");

/// Which methods each path has.
#[derive(Debug)]
pub struct Known {
    paths: Vec<(ResourceDef, String)>,
}

impl Known {
    /// Reads the document.
    pub fn new() -> Self {
        #[derive(serde::Deserialize)]
        struct Paths {
            paths: BTreeMap<String, BTreeMap<String, serde::de::IgnoredAny>>,
        }
        let document: Paths = serde_json::from_str(DOCUMENT).unwrap_or_else(|_| Paths { paths: BTreeMap::new() });
        let paths = document
            .paths
            .iter()
            .map(|(path, item)| {
                let methods: Vec<String> = ["get", "post", "put", "patch", "delete"]
                    .iter()
                    .filter(|method| item.contains_key(**method))
                    .map(|method| method.to_ascii_uppercase())
                    .collect();
                (ResourceDef::new(path.as_str()), methods.join(", "))
            })
            .collect();
        Self { paths }
    }

    /// The methods a path has, if it is known at all. A path without parameters wins.
    fn allow(&self, path: &str) -> Option<&str> {
        let mut found: Vec<&str> =
            self.paths.iter().filter(|(def, _)| def.is_match(path)).map(|(_, allow)| allow.as_str()).collect();
        found.sort_by_key(|allow| allow.len());
        found.pop()
    }
}

impl Default for Known {
    fn default() -> Self {
        Self::new()
    }
}

/// What no route answers: 405 with `Allow` where only the method is wrong, else 404.
pub async fn fallback(request: HttpRequest, known: web::Data<Known>) -> Result<HttpResponse, Error> {
    match known.allow(request.path()) {
        Some(allow) => {
            let mut error = Error::new(ErrorCode::MethodNotAllowed)
                .detail(format!("使えるメソッド: {allow}"), format!("Allowed methods: {allow}"));
            error.allow = Some(allow.to_owned());
            Err(error)
        }
        None => Err(Error::not_found()),
    }
}

/// The API document.
#[get("/openapi.json")]
pub async fn openapi_json() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT)
}
