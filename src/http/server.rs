//! Starting and stopping the HTTP server.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App as ActixApp, HttpServer, web};
use utoipa_actix_web::{AppExt as _, scope};

use super::frame;
use super::routes::{self, Known};
use crate::app::App;
use crate::error::Error;

/// Threads for database work of each HTTP worker: more would only queue at the connections.
const BLOCKING_THREADS: usize = 4;

/// A server that listens on `listener` and runs until it is stopped; requests in flight are finished first.
pub fn start(app: &Arc<App>, listener: TcpListener) -> Result<Server, Error> {
    let known = web::Data::new(Known::new());
    let data: web::Data<App> = web::Data::from(Arc::clone(app));
    let workers = match app.config.http_workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        fixed => fixed,
    };
    let server = HttpServer::new(move || {
        let (service, _) = ActixApp::new()
            .app_data(data.clone())
            .app_data(known.clone())
            .into_utoipa_app()
            .configure(crate::ops::health::configure)
            .service(scope("/api/v1").configure(routes::api))
            .split_for_parts();
        service
            .service(routes::openapi_json)
            .configure(crate::web::configure)
            .service(web::redirect("/docs", "/docs/"))
            .service(
                utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}")
                    .config(utoipa_swagger_ui::Config::from("/openapi.json").validator_url("none")),
            )
            .default_service(web::to(routes::fallback))
            .wrap(from_fn(crate::web::bridge::bridge))
            .wrap(Compress::default())
            .wrap(from_fn(frame::frame))
    })
    .workers(workers)
    .worker_max_blocking_threads(BLOCKING_THREADS)
    .client_request_timeout(Duration::from_secs(15))
    .keep_alive(Duration::from_secs(30))
    .shutdown_timeout(20)
    .disable_signals()
    .listen(listener)
    .map_err(Error::internal)?
    .run();
    Ok(server)
}
