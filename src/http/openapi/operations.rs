//! What every operation has: security, the headers of the one way through reads and writes, problem responses, and a
//! description that says who may call it.

use serde_json::{Map, Value, json};

use super::referred;
use crate::auth::policy;
use crate::error::ErrorCode;

const STATUSES: [(u16, &str); 13] = [
    (400, "形式の誤り / Malformed"),
    (401, "サインインが必要 / Sign-in is required"),
    (403, "権限がない / Not permitted"),
    (404, "存在しない、または見えない / Not there, or not visible"),
    (409, "現在の状態と両立しない / Against the present state"),
    (412, "ほかの人が先に更新した / Somebody else changed it first"),
    (413, "大きすぎる / Too large"),
    (415, "Content-Typeが受け付けられない / Content type not accepted"),
    (422, "値または事業の要件の誤り / Wrong values, or a rule of the programme"),
    (428, "If-Matchが必要 / If-Match is required"),
    (429, "回数の上限 / Too many requests"),
    (500, "サーバーの問題 / Failure of the server"),
    (503, "一時的に処理できない / Not available right now"),
];

/// Public operations that judge credentials.
const SIGN_IN: [&str; 2] = ["create_token", "refresh_token"];

/// The problem responses, one for each status, each listing the codes it can carry.
pub(super) fn problem_responses() -> Value {
    let mut all = Map::new();
    for (status, words) in STATUSES {
        let codes: Vec<String> = ErrorCode::ALL
            .iter()
            .filter(|code| code.status().as_u16() == status)
            .map(|code| format!("- `{}`: {}", code.code(), code.title().ja))
            .collect();
        let mut headers = Map::new();
        headers.insert("X-Request-Id".to_owned(), header("RequestId"));
        if status < 500 {
            add_rate_limit(&mut headers);
        }
        if matches!(status, 429 | 503) {
            headers.insert("Retry-After".to_owned(), header("RetryAfter"));
        }
        if status == 401 {
            headers.insert("WWW-Authenticate".to_owned(), header("WwwAuthenticate"));
        }
        all.insert(
            format!("Problem{status}"),
            json!({
                "description": format!("{words}\n\n{}", codes.join("\n")),
                "headers": headers,
                "content": {"application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"}, "example": problem_example(status),
                }},
            }),
        );
    }
    Value::Object(all)
}

/// A document that really has this status, in the table's own words.
fn problem_example(status: u16) -> Value {
    let Some(code) = ErrorCode::ALL.iter().find(|code| code.status().as_u16() == status) else { return Value::Null };
    let title = code.title();
    let mut example = json!({
        "type": code.problem_type(), "code": code.code(), "title": title.ja, "status": status, "detail": title.ja,
        "instance": "/api/v1/requests/12", "request_id": "5f0c1d2e3a4b5c6d", "errors": [],
    });
    match status {
        400 => example["errors"] = json!([{"pointer": "/period_to", "code": "malformed", "detail": "形式が正しくありません"}]),
        409 => {
            example["state"] = json!("draft");
            example["allowed"] = json!(["submit", "withdraw"]);
        }
        422 => {
            example["errors"] =
                json!([{"pointer": "/period_to", "code": "before_start", "detail": "終了日は開始日以後にしてください"}]);
        }
        _ => {}
    }
    example
}

/// Headers that a client may or must send.
pub(super) fn parameters() -> Value {
    json!({
        "IdempotencyKey": {"name": "Idempotency-Key", "in": "header", "required": false,
            "description": "同じ値で再送すると、処理は一度だけ行われ同じ応答が返ります（24時間）。別の内容なら422、処理中なら409。/ \
                Repeating a request with the same key has one effect and one answer for 24 hours.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}, "example": "b1f7c2aa-request-1"},
        "IfMatch": {"name": "If-Match", "in": "header", "required": true,
            "description": "直前に取得したETag。ほかの人が先に更新していれば412。/ The ETag last read; 412 when somebody else was first.",
            "schema": {"type": "string", "maxLength": 64, "pattern": "^\"[0-9]+\"(, ?\"[0-9]+\")*$"}, "example": "\"3\""}
    })
}

/// Headers of answers. A header that is not marked as required can be missing.
pub(super) fn headers() -> Value {
    let count = json!({"type": "integer", "format": "int32", "minimum": 0, "maximum": 1_000_000});
    json!({
        "RequestId": {"description": "ログと対応する番号 / The id in the log", "required": true,
            "schema": {"type": "string", "maxLength": 64, "pattern": "^[A-Za-z0-9-]+$"}, "example": "5f0c1d2e3a4b5c6d"},
        "ETag": {"description": "版。変更の `If-Match` に使います / The version, for `If-Match`", "required": false,
            "schema": {"type": "string", "maxLength": 64, "pattern": "^\"[0-9]+\"$"}, "example": "\"3\""},
        "Location": {"description": "作られたもののパス / The path of what was created", "required": true,
            "schema": {"type": "string", "format": "uri-reference", "maxLength": 500}, "example": "/api/v1/requests/12"},
        "Link": {"description": "次の頁（RFC 8288）。最後の頁にはありません / The next page; absent at the end",
            "schema": {"type": "string", "maxLength": 4000}, "example": "</api/v1/requests?limit=50&cursor=eyJrIjoi…>; rel=\"next\""},
        "ContentDisposition": {"description": "保存するときの名前（RFC 6266） / The file's name", "required": true,
            "schema": {"type": "string", "maxLength": 4000}, "example": "attachment; filename=\"_.csv\"; filename*=UTF-8''%E6%B4%BE%E9%81%A3.csv"},
        "IdempotentReplayed": {"description": "`true`: 同じIdempotency-Keyの前回の応答 / The answer of the first request with this key",
            "schema": {"type": "string", "enum": ["true"]}, "example": "true"},
        "RetryAfter": {"description": "待つ秒数 / Seconds to wait",
            "schema": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 3600}, "example": 30},
        "WwwAuthenticate": {"description": "認証の方式 / How to authenticate", "required": true,
            "schema": {"type": "string", "maxLength": 100}, "example": "Bearer"},
        "RateLimitLimit": {"description": "1分間に送れる回数 / Requests a minute", "schema": count, "example": 600},
        "RateLimitRemaining": {"description": "この1分間の残り / Requests left in this minute", "schema": count, "example": 583},
        "RateLimitReset": {"description": "回数が戻るまでの秒数 / Seconds until the count starts anew", "schema": count, "example": 41}
    })
}

fn header(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

/// Sent to whoever is signed in; attempts without sign-in are counted for their subject and not told.
fn add_rate_limit(headers: &mut Map<String, Value>) {
    for (name, component) in [
        ("X-RateLimit-Limit", "RateLimitLimit"),
        ("X-RateLimit-Remaining", "RateLimitRemaining"),
        ("X-RateLimit-Reset", "RateLimitReset"),
    ] {
        headers.insert(name.to_owned(), header(component));
    }
}

/// Adds to one operation what its path, method and extensions imply.
pub(super) fn complete(path: &str, method: &str, operation: &mut Value, schemas: &Value) {
    let is_api = path.starts_with("/api/");
    let permission = operation["x-permission"].as_str().unwrap_or_default().to_owned();
    let public = permission == "public";
    let needs_version = operation["x-if-match"].as_bool().unwrap_or(false);
    // What some operations create is never changed and has no version.
    let unversioned = operation["x-unversioned"] == true;
    operation["security"] = if public { json!([]) } else { json!([{"bearer": []}]) };
    describe(operation, &permission, needs_version);
    if let Some(object) = operation.as_object_mut() {
        object.remove("x-if-match");
        object.remove("x-unversioned");
        let parameters = object.entry("parameters").or_insert_with(|| json!([]));
        if let Some(list) = parameters.as_array_mut() {
            for parameter in list.iter_mut() {
                describe_parameter(parameter);
            }
            if method == "post" {
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
    for status in statuses(operation, is_api, method, public, needs_version) {
        let status = status.to_string();
        if operation["responses"].get(&status).is_none() {
            operation["responses"][&status] = json!({"$ref": format!("#/components/responses/Problem{status}")});
        }
    }
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.sort_keys();
        for (status, response) in responses.iter_mut().filter(|(_, response)| response.get("$ref").is_none()) {
            let mut own = success_headers(status, response, method, is_api, needs_version, schemas);
            if unversioned {
                own.remove("ETag");
            }
            if let Some(response) = response.as_object_mut() {
                response.insert("headers".to_owned(), Value::Object(own));
            }
        }
    }
}

fn statuses(operation: &Value, is_api: bool, method: &str, public: bool, needs_version: bool) -> Vec<u16> {
    if !is_api {
        return vec![400, 500];
    }
    let mut statuses = vec![400, 404, 429, 500, 503];
    if !public {
        statuses.extend([401, 403]);
    } else if operation["operationId"].as_str().is_some_and(|id| SIGN_IN.contains(&id)) {
        statuses.push(401);
    }
    if method != "get" {
        statuses.extend([409, 413, 415, 422]);
    }
    if needs_version {
        statuses.extend([412, 428]);
    }
    statuses
}

fn success_headers(
    status: &str,
    response: &Value,
    method: &str,
    is_api: bool,
    needs_version: bool,
    schemas: &Value,
) -> Map<String, Value> {
    let mut headers = Map::new();
    headers.insert("X-Request-Id".to_owned(), header("RequestId"));
    if is_api {
        add_rate_limit(&mut headers);
    }
    if !status.starts_with('2') {
        return headers;
    }
    let content = &response["content"];
    let members = referred(&content["application/json"]["schema"]).map(|name| &schemas[name]["properties"]);
    let has = |member: &str| members.is_some_and(|members| members.get(member).is_some());
    if status == "201" {
        headers.insert("Location".to_owned(), header("Location"));
    }
    if status == "201" || needs_version || has("version") {
        headers.insert("ETag".to_owned(), header("ETag"));
    }
    if has("next_cursor") {
        headers.insert("Link".to_owned(), header("Link"));
    }
    if method == "post" {
        headers.insert("Idempotent-Replayed".to_owned(), header("IdempotentReplayed"));
    }
    let is_file = content.as_object().is_some_and(|content| content.keys().any(|media_type| media_type != "application/json"));
    if is_file {
        let mut disposition = json!({"$ref": "#/components/headers/ContentDisposition"});
        if content.get("application/json").is_some() {
            // Only the file forms of the answer have a name.
            disposition = headers_of_files();
        }
        headers.insert("Content-Disposition".to_owned(), disposition);
    }
    headers
}

fn headers_of_files() -> Value {
    let mut header = headers()["ContentDisposition"].clone();
    header["required"] = json!(false);
    header
}

/// Who may call it and what it needs, in both languages, after what the handler says.
fn describe(operation: &mut Value, permission: &str, needs_version: bool) {
    let mut parts: Vec<String> = Vec::new();
    if let Some(own) = operation["description"].as_str() {
        parts.push(own.trim().to_owned());
    }
    match policy::ALL.iter().find(|row| row.name == permission) {
        None => parts.push("サインインは要りません。/ No sign-in is needed.".to_owned()),
        Some(row) => {
            let ja: Vec<&str> = row.roles.iter().map(|role| role.label_ja()).collect();
            let en: Vec<&str> = row.roles.iter().map(|role| role.as_str()).collect();
            parts.push(format!("使える人: {} / For: {}", ja.join("、"), en.join(", ")));
            parts.push(match row.scope {
                "" => "APIクライアントには許しません。/ Not for API clients.".to_owned(),
                scope => format!("APIクライアントのスコープ / Scope of an API client: `{scope}`"),
            });
        }
    }
    if needs_version {
        parts.push("`If-Match` が必要です。/ `If-Match` is required.".to_owned());
    }
    operation["description"] = json!(parts.join("\n\n"));
}

/// Path parameters that are ids say so.
fn describe_parameter(parameter: &mut Value) {
    if parameter["in"] == "path" && parameter.get("description").is_none() {
        let words = match parameter["name"].as_str().unwrap_or_default() {
            "fiscal_year" => "年度（始まる年の西暦） / Fiscal year, its starting year",
            _ => "番号 / Id",
        };
        parameter["description"] = json!(words);
    }
}
