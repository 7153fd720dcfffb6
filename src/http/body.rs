//! Reading a JSON body: size, type, syntax; the first wrong place is named by its JSON pointer.

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::error::{Error, ErrorCode};

/// Deepest nesting accepted; the parser itself stops at 128.
const DEEPEST: usize = 32;

/// Collects the body up to `limit` bytes. An absent body reads as `{}`.
pub async fn read(request: &HttpRequest, mut payload: Payload, limit: usize) -> Result<Bytes, Error> {
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok());
    let too_large = || {
        Error::new(ErrorCode::TooLarge).detail(
            format!("本文は{}KiB以内にしてください", limit / 1024),
            format!("The body may have at most {} KiB", limit / 1024),
        )
    };
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|e| Error::new(ErrorCode::MalformedRequest).caused_by(e))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence != "application/json" && essence != "application/merge-patch+json" {
        return Err(Error::new(ErrorCode::UnsupportedMediaType)
            .detail("Content-Typeはapplication/jsonにしてください", "Use Content-Type: application/json"));
    }
    Ok(body.freeze())
}

/// Parses the body; unknown and wrongly typed members are refused with their pointer.
pub fn parse<B: DeserializeOwned>(bytes: &[u8]) -> Result<B, Error> {
    let malformed =
        |pointer: String, ja: String, en: String| Error::new(ErrorCode::MalformedRequest).field(pointer, "malformed", ja, en);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        malformed(
            "/".to_owned(),
            format!("UTF-8として読めません（{}バイト目）", error.valid_up_to()),
            format!("Not UTF-8 (at byte {})", error.valid_up_to()),
        )
    })?;
    if too_deep(text) {
        return Err(malformed("/".to_owned(), "入れ子が深すぎます".to_owned(), "Nested too deeply".to_owned()));
    }
    let mut parser = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut parser).map_err(|error| {
        let pointer = pointer(&error.path().to_string());
        let cause = error.into_inner().to_string();
        malformed(pointer, format!("形式が正しくありません（{cause}）"), format!("Malformed ({cause})"))
    })?;
    parser.end().map_err(|error| {
        malformed("/".to_owned(), format!("余分な文字があります（{error}）"), format!("Trailing characters ({error})"))
    })?;
    Ok(value)
}

fn too_deep(text: &str) -> bool {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest > DEEPEST
}

/// `visits[0].minutes` → `/visits/0/minutes`.
fn pointer(path: &str) -> String {
    if path == "." {
        return "/".to_owned();
    }
    format!("/{}", path.replace('[', "/").replace(']', "").replace('.', "/").replace("//", "/"))
}

/// Tells a value that is null (clear it) from one that is absent (leave it).
pub fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
