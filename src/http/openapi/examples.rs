//! An example for every body. A schema's own example comes first; for the others one is put together from the examples
//! of their members and, where a member has none, from a word that fits its name. Made-up people only.

use serde_json::{Map, Value, json};

use super::referred;

/// Deepest nesting that is worth showing.
const DEEPEST: usize = 8;

/// Values that say more than the first of an enum.
const TYPICAL: [&str; 4] = ["municipal_staff", "visit", "submitted", "planned"];

/// Adds examples to the bodies of requests and answers that have none, and to parameters.
pub(super) fn add(doc: &mut Value) {
    let schemas = doc["components"]["schemas"].clone();
    super::for_each_operation(doc, |_, _, operation| {
        if let Some(content) = operation.get_mut("requestBody").and_then(|body| body.get_mut("content")) {
            add_to_content(content, &schemas);
        }
        for response in operation["responses"].as_object_mut().into_iter().flat_map(|responses| responses.values_mut()) {
            if let Some(content) = response.get_mut("content") {
                add_to_content(content, &schemas);
            }
        }
    });
}

fn add_to_content(content: &mut Value, schemas: &Value) {
    for (media_type, form) in content.as_object_mut().into_iter().flatten() {
        let has_own = form.get("example").is_some() || form.get("examples").is_some();
        if !has_own && media_type == "application/json" {
            form["example"] = of(&form["schema"], "", schemas, 0);
        }
    }
}

/// An example that a schema admits.
fn of(schema: &Value, name: &str, schemas: &Value, depth: usize) -> Value {
    let own = schema.get("example").or_else(|| schema["examples"].get(0)).or_else(|| schema.get("const"));
    if let Some(own) = own {
        return own.clone();
    }
    if let Some(target) = referred(schema) {
        return of(&schemas[target], name, schemas, depth);
    }
    if let Some(values) = schema["enum"].as_array() {
        return values
            .iter()
            .find(|one| TYPICAL.iter().any(|word| *one == word))
            .or_else(|| values.first())
            .cloned()
            .unwrap_or_default();
    }
    if let Some(choice) = schema["oneOf"].as_array().and_then(|choices| choices.iter().find(|one| one["type"] != "null")) {
        return of(choice, name, schemas, depth);
    }
    let kind = match &schema["type"] {
        Value::Array(types) => types.iter().find(|one| *one != "null").and_then(Value::as_str),
        one => one.as_str(),
    };
    match kind {
        Some("object") => object(schema, schemas, depth),
        Some("array") => array(schema, name, schemas, depth),
        Some("integer" | "number") => {
            let at_least = schema["minimum"].as_i64().filter(|least| *least > 0).unwrap_or(1);
            json!(at_least.min(schema["maximum"].as_i64().unwrap_or(i64::MAX)))
        }
        Some("boolean") => json!(false),
        Some("string") => json!(text(schema, name)),
        _ => json!({}),
    }
}

/// The required members, and those optional ones that show an example of their own; where there is neither (a change of
/// whatever is given), all of them.
fn object(schema: &Value, schemas: &Value, depth: usize) -> Value {
    let required = schema["required"].as_array();
    let is_shown = |name: &str, member: &Value| {
        member.get("example").is_some() || required.is_some_and(|required| required.iter().any(|known| known == name))
    };
    let Some(members) = schema["properties"].as_object() else { return json!({}) };
    let all = !members.iter().any(|(name, member)| is_shown(name, member));
    let mut example = Map::new();
    for (name, member) in members.iter().filter(|(name, member)| all || is_shown(name, member)) {
        example.insert(name.clone(), of(member, name, schemas, depth + 1));
    }
    Value::Object(example)
}

fn array(schema: &Value, name: &str, schemas: &Value, depth: usize) -> Value {
    let least = schema["minItems"].as_u64().unwrap_or(0);
    if depth > DEEPEST && least == 0 {
        return json!([]);
    }
    let one = of(&schema["items"], singular(name), schemas, depth + 1);
    json!(vec![one; usize::try_from(least.max(1)).unwrap_or(1)])
}

fn singular(name: &str) -> &str {
    name.strip_suffix('s').unwrap_or(name)
}

fn text(schema: &Value, name: &str) -> String {
    let word = match schema["format"].as_str() {
        Some("date") => "2026-06-10",
        Some("date-time") => "2026-06-10T04:00:00Z",
        _ => word(name),
    };
    let longest = schema["maxLength"].as_u64().and_then(|longest| usize::try_from(longest).ok()).unwrap_or(usize::MAX);
    word.chars().take(longest).collect()
}

/// What a member of this name could say.
fn word(name: &str) -> &'static str {
    match name {
        "name" | "author_name" | "created_by" | "recipient_name" | "contact_name" => "静岡 花子",
        "kana" => "シズオカ ハナコ",
        "email" | "contact_email" | "recipient_address" => "dx@city.example.jp",
        "phone" | "contact_phone" => "000-0000-0000",
        "author_organisation_name" | "organisation_name" | "applicant_name" => "浜松市",
        "department" => "総務部デジタル推進課",
        "affiliation" => "見本大学",
        "place" | "base_place" => "市役所3階会議室",
        "theme" | "title" => "窓口業務の見直しと電子申請の導入",
        "background" => "来庁者の待ち時間が長く、手続の多くが紙で行われている。",
        "goal" => "待ち時間を3割減らし、主要な手続を電子申請に移す。",
        "audience" => "窓口担当課の職員",
        "equipment" => "プロジェクター、無線LAN",
        "budget_note" => "参加団体で等分する。",
        "description" | "profile" => "県内市町へICTの専門家を派遣します。",
        "expert_title" => "ICTエキスパート",
        "message" | "body" => "日程のご確認をお願いします。",
        "subject" => "【Tasuki】派遣の依頼があります",
        "note" | "answer_note" | "comment" => "午後の開始を希望します。",
        "reason" | "returned_reason" | "cancel_reason" | "conflict_override_reason" => "年度内の日程が合わないため",
        "content" => "窓口の動線と申請書の様式を確認した。",
        "result" => "様式を12種から7種に減らす案をまとめた。",
        "next_step" => "9月までに電子申請を試行する。",
        "source" => "県の公表資料",
        "edition" => "令和8年度版",
        "file_name" => "派遣実績.csv",
        "media_type" => "text/csv",
        "sha256" | "head" => "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "document_number" => "デ戦第123号",
        "lg_code" => "221309",
        "label" => "令和8年度",
        "column" => "団体コード",
        "detail" => "検査数字が合いません",
        "detail_en" => "The check digit is wrong",
        "code" => "malformed",
        "key" => "online",
        "request_id" => "5f0c1d2e3a4b5c6d",
        "warning" => "メールの中継が暗号化されていません（smtp.security = none）",
        "entity_kind" => "request",
        "operation" => "POST /requests/{id}/submit",
        "token" | "access_token" | "refresh_token" => "（この例では省略）",
        "content_base64" => "5Zui5L2T44Kz44O844OJCg==",
        "next_cursor" => "eyJrIjoiMSIsImkiOjEyLCJoIjoiMGExYjJjM2Q0ZTVmIn0",
        _ => "例",
    }
}
