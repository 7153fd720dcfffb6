//! Embedded assets under names that carry their hash, so that browsers may keep them forever.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};

use crate::auth::secrets;
use crate::error::Error;

/// An asset.
pub struct Asset {
    /// Address with hash.
    pub path: String,
    content: &'static str,
    media_type: &'static str,
}

/// The style of all pages.
pub static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("assets/style.css");
    let hash: String = secrets::sha256(content.as_bytes()).chars().take(16).collect();
    Asset { path: format!("/assets/style-{hash}.css"), content, media_type: "text/css; charset=utf-8" }
});

/// Serves an asset.
pub async fn asset(name: web::Path<String>) -> Result<HttpResponse, Error> {
    let asset = &*STYLE;
    if asset.path != format!("/assets/{name}") {
        return Err(Error::not_found());
    }
    Ok(HttpResponse::Ok()
        .content_type(asset.media_type)
        .insert_header(("Cache-Control", "public, max-age=31536000, immutable"))
        .body(asset.content))
}
