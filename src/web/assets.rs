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

fn asset_of(name: &str, extension: &str, content: &'static str, media_type: &'static str) -> Asset {
    let hash: String = secrets::sha256(content.as_bytes()).chars().take(16).collect();
    Asset { path: format!("/assets/{name}-{hash}.{extension}"), content, media_type }
}

/// The style of all pages.
pub static STYLE: LazyLock<Asset> =
    LazyLock::new(|| asset_of("style", "css", include_str!("assets/style.css"), "text/css; charset=utf-8"));
/// What pages do beyond what they do without it.
pub static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| asset_of("pages", "js", include_str!("assets/pages.js"), "text/javascript; charset=utf-8"));
/// The sign of the service in a browser's tab.
pub static ICON: LazyLock<Asset> = LazyLock::new(|| asset_of("icon", "svg", include_str!("assets/icon.svg"), "image/svg+xml"));

/// Serves an asset.
pub async fn asset(name: web::Path<String>) -> Result<HttpResponse, Error> {
    let path = format!("/assets/{name}");
    let all = [&STYLE, &SCRIPT, &ICON];
    let asset = all.iter().find(|asset| asset.path == path).ok_or_else(Error::not_found)?;
    Ok(HttpResponse::Ok()
        .content_type(asset.media_type)
        .insert_header(("Cache-Control", "public, max-age=31536000, immutable"))
        .body(asset.content))
}
