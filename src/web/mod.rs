//! What the pages share: layout, style, session cookie, protection of forms. The pages themselves stay in their areas.

pub mod assets;
pub mod layout;
pub mod overview;
pub mod paper;
pub mod session;

use actix_web::web::{self, ServiceConfig};

/// Registers pages and assets.
pub fn configure(config: &mut ServiceConfig) {
    // Mails name objects by their own address; until those have pages, the overview shows where they stand.
    for place in [
        "/requests/{rest:.*}",
        "/dispatches/{rest:.*}",
        "/experts/{rest:.*}",
        "/programmes/{rest:.*}",
        "/postings/{rest:.*}",
        "/claims/{rest:.*}",
        "/webhooks/{rest:.*}",
        "/notifications/{rest:.*}",
        "/offers",
        "/offers/{id:[0-9]+}",
    ] {
        config.route(place, web::get().to(overview::overview));
    }
    config
        .route("/assets/{name}", web::get().to(assets::asset))
        .configure(crate::notifications::pages::configure)
        .configure(crate::notifications::notice_pages::configure)
        .configure(crate::auth::pages::configure)
        .configure(crate::offers::pages::configure)
        .configure(overview::configure);
}
