//! The API document: what the routes declare, completed by what holds for every operation (security, problem
//! responses, idempotency and precondition headers), so that no handler has to repeat it.

use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use crate::auth::policy;
use crate::error::Problem;

/// The frame of the document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tasuki API",
        description = "自治体間で専門人材を共有するためのAPI。都道府県が人材プールと事業を運営し、市町村が派遣を申請し、\
            マッチング、派遣決定、実績報告、費用の分担、統計までを扱います。\n\n\
            Experts shared between Japanese municipalities: pools, requests, matching, dispatches, reports, cost shares, counts.\n\n\
            - 認証: `Authorization: Bearer <アクセストークン または APIキー>`\n\
            - エラー: RFC 9457 `application/problem+json`（`Accept-Language: en` で英語）\n\
            - 変更: `If-Match` に直前の `ETag`、`POST` には `Idempotency-Key` を付けられます",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(name = "Tasuki", url = "https://tasuki.example/")
    ),
    components(schemas(Problem)),
    servers((url = "/", description = "このサーバー"))
)]
pub struct Frame;

/// Operations that need no credentials.
const PUBLIC: &[&str] = &[
    "create_token", "refresh_token", "request_password_reset", "reset_password", "accept_invitation",
    "get_link_offer", "answer_link_offer", "health", "readiness",
];

/// Adds what holds for every operation and returns the finished document.
pub fn finish(document: &Document) -> Value {
    let mut doc = serde_json::to_value(document).unwrap_or(Value::Null);
    doc["components"]["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "アクセストークン（15分以内に失効）またはAPIキー（tsk_…）"}
    });
    doc["components"]["responses"] = responses();
    doc["components"]["parameters"] = json!({
        "IdempotencyKey": {"name": "Idempotency-Key", "in": "header", "required": false,
            "description": "同じ値で再送すると、処理は一度だけ行われ同じ応答が返ります（24時間）。",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}, "example": "b1f7c2aa-request-1"},
        "IfMatch": {"name": "If-Match", "in": "header", "required": true,
            "description": "直前に取得したETag。ほかの人が先に更新していれば412。",
            "schema": {"type": "string", "maxLength": 64, "pattern": "^\"[0-9]+\"(, ?\"[0-9]+\")*$"}, "example": "\"3\""}
    });
    let mut tags: Vec<String> = Vec::new();
    if let Some(paths) = doc["paths"].as_object_mut() {
        for item in paths.values_mut() {
            for method in ["get", "post", "put", "patch", "delete"] {
                if let Some(operation) = item.get_mut(method) {
                    complete(operation, method);
                    for tag in operation["tags"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                        if !tags.iter().any(|known| known == tag) {
                            tags.push(tag.to_owned());
                        }
                    }
                }
            }
        }
    }
    tags.sort();
    doc["tags"] = tags.iter().map(|tag| json!({"name": tag, "description": tag_description(tag)})).collect();
    doc["x-permissions"] = policy::ALL
        .iter()
        .map(|row| json!({
            "name": row.name, "scope": row.scope,
            "roles": row.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
        }))
        .collect();
    bound(&mut doc["components"]["schemas"]);
    doc
}

/// The committed form: pretty, with a final line break.
pub fn to_text(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

fn complete(operation: &mut Value, method: &str) {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let public = PUBLIC.contains(&id.as_str());
    operation["security"] = if public { json!([]) } else { json!([{"bearer": []}]) };
    let needs_version = operation["x-if-match"].as_bool().unwrap_or(false);
    if let Some(object) = operation.as_object_mut() {
        object.remove("x-if-match");
        let parameters = object.entry("parameters").or_insert_with(|| json!([]));
        if let Some(list) = parameters.as_array_mut() {
            if method == "post" && !public {
                list.push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
            }
            if needs_version {
                list.push(json!({"$ref": "#/components/parameters/IfMatch"}));
            }
            if list.is_empty() {
                object.remove("parameters");
            }
        }
    }
    let mut statuses = vec!["400", "429", "500", "503"];
    if !public {
        statuses.extend(["401", "403"]);
    } else if matches!(id.as_str(), "create_token" | "refresh_token") {
        statuses.push("401");
    }
    statuses.push("404");
    if method != "get" {
        statuses.extend(["409", "413", "415", "422"]);
    }
    if needs_version {
        statuses.extend(["412", "428"]);
    }
    for status in statuses {
        if operation["responses"].get(status).is_none() {
            operation["responses"][status] = json!({"$ref": format!("#/components/responses/Problem{status}")});
        }
    }
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.sort_keys();
        for (status, response) in responses.iter_mut() {
            if status.starts_with('2') {
                let headers = response.as_object_mut().map(|r| r.entry("headers").or_insert_with(|| json!({})));
                if let Some(headers) = headers {
                    headers["X-Request-Id"] = json!({"description": "ログと対応する番号", "schema": {"type": "string", "maxLength": 64}});
                    if needs_version {
                        headers["ETag"] = json!({"description": "版", "schema": {"type": "string", "maxLength": 64}});
                    }
                }
            }
        }
    }
}

fn responses() -> Value {
    let mut all = serde_json::Map::new();
    for (status, ja) in [
        ("400", "形式の誤り"), ("401", "サインインが必要"), ("403", "権限がない"), ("404", "存在しない、または見えない"),
        ("409", "現在の状態と両立しない"), ("412", "ほかの人が先に更新した"), ("413", "大きすぎる"), ("415", "形式が受け付けられない"),
        ("422", "値または事業の要件の誤り"), ("428", "If-Matchが必要"), ("429", "回数の上限"), ("500", "サーバーの問題"), ("503", "一時的に処理できない"),
    ] {
        let mut response = json!({"description": ja, "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}});
        if matches!(status, "429" | "503") {
            response["headers"] = json!({"Retry-After": {"description": "待つ秒数", "schema": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 3600}}});
        }
        all.insert(format!("Problem{status}"), response);
    }
    Value::Object(all)
}

/// Gives every string and array that has no bound of its own the widest one the service ever accepts or sends.
fn bound(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let is = |name: &str| match object.get("type") {
                Some(Value::String(t)) => t == name,
                Some(Value::Array(list)) => list.iter().any(|t| t == name),
                _ => false,
            };
            let (string, array, integer) = (is("string"), is("array"), is("integer"));
            if string && !object.contains_key("maxLength") && !object.contains_key("enum") && !object.contains_key("const") {
                let format = object.get("format").and_then(Value::as_str).unwrap_or_default();
                let longest = match format { "date" => 10, "date-time" => 40, _ => 20_000 };
                object.insert("maxLength".to_owned(), json!(longest));
            }
            if array && !object.contains_key("maxItems") {
                object.insert("maxItems".to_owned(), json!(10_000));
            }
            if integer {
                let int32 = object.get("format").and_then(Value::as_str) == Some("int32");
                let largest = if int32 { i64::from(i32::MAX) } else { crate::ids::LARGEST_ID };
                object.entry("maximum").or_insert_with(|| json!(largest));
                object.entry("minimum").or_insert_with(|| json!(if int32 { i64::from(i32::MIN) } else { -largest }));
                object.entry("format").or_insert_with(|| json!("int64"));
            }
            for (key, value) in object.iter_mut() {
                if !matches!(key.as_str(), "example" | "examples" | "default" | "enum" | "const") {
                    bound(value);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(bound),
        _ => {}
    }
}

fn tag_description(tag: &str) -> &'static str {
    match tag {
        "auth" => "サインイン、セッション、所属の切替え",
        "api-clients" => "プログラムからの利用（APIキー）",
        "organisations" => "団体",
        "users" => "利用者と所属",
        "pools" => "人材プール",
        "programmes" => "事業と年度ごとの規則",
        "experts" => "専門家",
        "skill-frameworks" => "スキル標準",
        "requests" => "派遣申請",
        "offers" => "専門家への依頼",
        "dispatches" => "派遣決定",
        "visits" => "訪問（回）",
        "postings" => "配属",
        "reports" => "実績報告",
        "cost-items" => "費用と負担",
        "statistics" => "統計",
        "notifications" => "通知",
        "audit-events" => "監査記録",
        "imports" => "取込み",
        "exports" => "書出し",
        _ => "運用",
    }
}
