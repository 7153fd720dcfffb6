//! The plain overview: what waits for the person who is signed in.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::layout::{Message, Page};
use super::session;
use crate::app::App;
use crate::error::Error;

/// Registers the page.
pub fn configure(config: &mut ServiceConfig) {
    config.route("/", web::get().to(overview));
}

use actix_web::web::ServiceConfig;

async fn overview(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Error> {
    let now = app.clock.now();
    let cookie = session::value(&request, &app);
    let found = app.db.read(move |conn| session::signed_in(conn, cookie.as_deref(), now)).await?;
    let Some((principal, csrf)) = found else {
        return Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, "/sign-in")).finish());
    };
    Page::of("概要", &principal, &csrf).render(&app, &Message { heading: "概要", text: "", link: None })
}
