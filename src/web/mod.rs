//! What the pages share: layout, style, session cookie, protection of forms, the words of fields and values, and the pages
//! that follow from the API document alone. The pages that people work in every day stay in their areas.

pub mod assets;
pub mod bridge;
pub mod charts;
pub mod choices;
pub mod desk;
pub mod form;
pub mod generic;
pub mod labels;
pub mod layout;
pub mod nav;
pub mod order;
pub mod page;
pub mod paper;
pub mod session;
pub mod shape;
pub mod tongue;
pub mod typed;
pub mod values;
pub mod words;

use actix_web::web::{self, ServiceConfig};

/// Registers pages and assets.
pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/assets/{name}", web::get().to(assets::asset))
        .configure(crate::notifications::pages::configure)
        .configure(crate::notifications::notice_pages::configure)
        .configure(crate::auth::pages::configure)
        .configure(crate::offers::pages::configure)
        .configure(crate::offers::candidate_pages::configure)
        .configure(crate::offers::decide_pages::configure)
        .configure(crate::offers::desk_pages::configure)
        .configure(crate::requests::pages::configure)
        .configure(crate::dispatches::pages::configure)
        .configure(crate::experts::pages::configure)
        .configure(crate::statistics::pages::configure)
        .configure(crate::statistics::page_workload::configure)
        .configure(crate::statistics::page_year_end::configure)
        .configure(crate::allocations::pages::configure)
        .configure(crate::settlements::pages::configure)
        .configure(crate::pools::pages::configure)
        .configure(desk::configure)
        .configure(crate::today::filter_pages::configure)
        .configure(crate::today::pages::configure);
}
