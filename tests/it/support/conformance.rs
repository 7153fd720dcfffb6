//! Every answer that any test gets is compared with the API document: status, headers, media type, body. A body that was
//! accepted must be one that the document allows.

use std::sync::OnceLock;

use serde_json::Value;
use tasuki::http::routes;

use super::client::Answer;
use super::schema::{self, Unknown, resolve};

/// Headers that are documented wherever they are sent.
const DECLARED: [&str; 9] = [
    "ETag",
    "Location",
    "Link",
    "Retry-After",
    "Content-Disposition",
    "Idempotent-Replayed",
    "WWW-Authenticate",
    "X-RateLimit-Limit",
    "X-RateLimit-Reset",
];

/// The API document, made once.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(routes::document)
}

/// Panics when an answer is not what the document says. Paths and methods that it does not know are not judged.
#[track_caller]
pub fn check(method: &str, path: &str, sent: Option<&[u8]>, answer: &Answer) {
    let Some(operation) = operation(method, path) else { return };
    let document = document();
    let at = || format!("{method} {path} ({}) answered {}", operation["operationId"], answer.status);
    let response = &operation["responses"][answer.status.to_string()];
    assert!(!response.is_null(), "{}, which is not documented: {}", at(), answer.text());
    let response = resolve(document, response);
    let mut wrong = headers(document, response, answer);
    wrong.extend(body(document, response, answer));
    assert!(
        wrong.is_empty(),
        "{}, not as documented: {wrong:#?}\n{}",
        at(),
        answer.text().chars().take(3_000).collect::<String>()
    );
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    if let (200..300, Some(sent), false) = (answer.status, sent, schema.is_null()) {
        let mut sent: Value = serde_json::from_slice(sent).unwrap_or_else(|_| panic!("{}: no JSON was sent", at()));
        without_null(&mut sent);
        let wrong = schema::problems(document, schema, &sent, Unknown::AsDocumented);
        assert!(wrong.is_empty(), "{}, though the document does not allow the body: {wrong:#?}", at());
    }
}

fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        template.len() == path.len() && template.iter().zip(&path).all(|(part, given)| part.starts_with('{') || part == given)
    };
    let paths = document()["paths"].as_object().unwrap();
    let found = paths.iter().filter(|(template, _)| fits(template)).min_by_key(|(template, _)| template.matches('{').count());
    found.and_then(|(_, item)| item.get(method.to_ascii_lowercase()))
}

fn headers(document: &Value, response: &Value, answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    let declared = &response["headers"];
    for name in DECLARED {
        if answer.header(name).is_some() && declared.get(name).is_none() {
            wrong.push(format!("the header {name} is sent but not documented"));
        }
    }
    for (name, header) in declared.as_object().into_iter().flatten() {
        let required = resolve(document, header)["required"] == true;
        if required && answer.header(name).is_none() {
            wrong.push(format!("the header {name} is missing"));
        }
    }
    wrong
}

fn body(document: &Value, response: &Value, answer: &Answer) -> Vec<String> {
    let Some(content) = response["content"].as_object() else {
        return if answer.bytes.is_empty() { Vec::new() } else { vec!["there is a body".to_owned()] };
    };
    let media_type = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    match content.get(media_type) {
        None => vec![format!("its media type is {media_type:?}")],
        Some(form) if media_type.ends_with("json") => {
            schema::problems(document, &form["schema"], &answer.json(), Unknown::Refused)
        }
        Some(_) => Vec::new(),
    }
}

/// A null that means the same as absent is accepted, though the document does not offer it.
fn without_null(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}
