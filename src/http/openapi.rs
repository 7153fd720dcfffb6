//! The API document: what the routes declare, completed by what holds for every operation, so that no handler has to
//! repeat it. Owns the form of the document, never the meaning of an operation: that stands at its handler.
//!
//! - `operations`: security, headers, problem responses, what the permission table says;
//! - `schemas`: bounds, what null means, named variants of tagged unions;
//! - `examples`: an example for every body that has none of its own.
//!
//! Null and absent: an answer leaves a member out rather than sending null. A request may send null for a member that
//! may be absent, to the same effect; the document offers null only where it means something else (PATCH: clear it), and
//! the member's description says what.

mod examples;
mod operations;
mod schemas;
mod tags;
mod webhooks;

use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use crate::auth::policy;
use crate::error::{ErrorCode, Problem};

/// The methods an API path can have.
pub(super) const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The frame of the document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tasuki API",
        description = "自治体間で専門人材を共有するためのAPI。都道府県が人材プールと事業を運営し、市町村が派遣を申請し、\
            マッチング、派遣決定、実績報告、費用の分担、統計までを扱います。\n\n\
            Experts shared between Japanese municipalities: pools, requests, matching, dispatches, reports, cost shares, counts.\n\n\
            - 認証 / Credentials: `Authorization: Bearer <アクセストークン または APIキー>`\n\
            - エラー / Errors: RFC 9457 `application/problem+json`（`Accept-Language: en` で英語）。`code` の一覧は `x-problem-codes`\n\
            - 変更 / Changes: `If-Match` に直前の `ETag`、`POST` には `Idempotency-Key` を付けられます\n\
            - 一覧 / Lists: `next_cursor` を次の `cursor` に渡します（`Link` ヘッダーも同じ）。最後の頁にはありません\n\
            - 値のない項目 / No value: 応答では項目を省きます（`null` は返しません） / members without a value are left out, never null\n\
            - 年度 / Fiscal year: 始まる年の西暦（令和8年度 = 2026）。日時はRFC 3339、日は日本の暦日",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(name = "Tasuki", url = "https://tasuki.example/")
    ),
    components(schemas(Problem, crate::requests::list::RequestSort, crate::webhooks::payload::WebhookEvent,))
)]
pub struct Frame;

/// Adds what holds for every operation and returns the finished document.
pub fn finish(document: &Document) -> Value {
    let mut doc = serde_json::to_value(document).unwrap_or(Value::Null);
    doc["servers"] = json!([{
        "url": "/", "x-internal": false,
        "description": "この文書を返したサーバー。本番 (production)、検証 (staging)、手元 (local) のいずれも同じパスです。"
    }]);
    doc["components"]["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "アクセストークン（RFC8725に沿う署名方式固定のJWT、15分以内に失効）またはAPIキー（tsk_…）/ \
                An access token (a JWT that follows RFC8725: pinned algorithm, explicit type, 15 minutes at most) or an API key"}
    });
    schemas::name_variants(&mut doc);
    schemas::settle_null(&mut doc);
    doc["components"]["responses"] = operations::problem_responses();
    doc["components"]["parameters"] = operations::parameters();
    doc["components"]["headers"] = operations::headers();
    let mut seen: Vec<String> = Vec::new();
    let roots = doc["components"]["schemas"].clone();
    for_each_operation(&mut doc, |path, method, operation| {
        operations::complete(path, method, operation, &roots);
        for tag in operation["tags"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !seen.iter().any(|known| known == tag) {
                seen.push(tag.to_owned());
            }
        }
    });
    doc["webhooks"] = webhooks::section();
    if !seen.iter().any(|tag| tag == "webhooks") {
        seen.push("webhooks".to_owned());
    }
    seen.sort();
    doc["tags"] = seen.iter().map(|tag| json!({"name": tag, "description": tags::description(tag)})).collect();
    doc["x-permissions"] = policy::ALL
        .iter()
        .map(|row| {
            json!({
                "name": row.name, "scope": row.scope,
                "roles": row.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
            })
        })
        .collect();
    doc["x-problem-codes"] = ErrorCode::ALL
        .iter()
        .map(|code| {
            let title = code.title();
            json!({
                "code": code.code(), "status": code.status().as_u16(), "type": code.problem_type(),
                "title_ja": title.ja, "title_en": title.en,
            })
        })
        .collect();
    schemas::bound(&mut doc["components"]);
    schemas::bound(&mut doc["paths"]);
    examples::add(&mut doc);
    doc
}

/// The committed form: pretty, with a final line break.
pub fn to_text(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

fn for_each_operation(doc: &mut Value, mut visit: impl FnMut(&str, &str, &mut Value)) {
    for (path, item) in doc["paths"].as_object_mut().into_iter().flatten() {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method) {
                visit(path, method, operation);
            }
        }
    }
}

/// The name of the component schema that a schema refers to.
fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}
