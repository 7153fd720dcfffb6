//! The one list of routes, from which both the server and the API document are made.

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
        .configure(crate::postings::api::configure)
        .configure(crate::settlements::api::configure)
        .configure(crate::statistics::api::configure)
        .configure(crate::imports::api::configure)
        .configure(crate::notifications::api::configure)
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

/// What the server shares between requests beside the application: the document and which methods each path has.
#[derive(Debug)]
pub struct Known {
    /// The document as served.
    pub text: String,
    paths: Vec<(ResourceDef, String)>,
}

impl Known {
    /// Reads the document.
    pub fn new() -> Self {
        let document = document();
        let mut paths = Vec::new();
        if let Some(items) = document["paths"].as_object() {
            for (path, item) in items {
                let methods: Vec<String> = ["get", "post", "put", "patch", "delete"]
                    .iter()
                    .filter(|method| item.get(**method).is_some())
                    .map(|method| method.to_ascii_uppercase())
                    .collect();
                paths.push((ResourceDef::new(path.as_str()), methods.join(", ")));
            }
        }
        Self { text: document.to_string(), paths }
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
pub async fn openapi_json(known: web::Data<Known>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(known.text.clone())
}
