//! The `webhooks` section: one entry for each event that programs can be told of, all with the same thin body.

use serde_json::{Map, Value, json};

use crate::notifications::catalogue::{EventKind, Reach};

/// Every event that is sent to programs.
pub(super) fn section() -> Value {
    let published = EventKind::ALL.iter().copied().filter(|kind| kind.reach() != Reach::Personal);
    Value::Object(published.map(|kind| (kind.as_str().to_owned(), json!({"post": operation(kind)}))).collect::<Map<_, _>>())
}

fn operation(kind: EventKind) -> Value {
    let header = |name: &str, text: &str, example: &str, longest: u32| {
        json!({
            "name": name, "in": "header", "required": true, "description": text, "example": example,
            "schema": {"type": "string", "maxLength": longest},
        })
    };
    json!({
        "operationId": format!("on_{}", kind.as_str().replace('.', "_")),
        "tags": ["webhooks"],
        "summary": format!("{} / {}", kind.label_ja(), kind.meaning().trim().trim_end_matches('.')),
        "description": "登録したWebhookのURLへ送ります。署名はStandard Webhooks 1.0（HMAC-SHA256、`v1,`）です。2xxで受領とみなし、\
            410で停止、その他は約3日間送り直します。 / Sent to the registered addresses, signed after Standard Webhooks 1.0. A 2xx is \
            receipt, 410 switches the address off, anything else is tried again for about three days.",
        "security": [],
        "parameters": [
            header("webhook-id", "配信の番号。送り直しでも同じです / the same in every attempt", "msg_2mYqC7w", 100),
            header("webhook-timestamp", "送信時刻（UNIX秒） / seconds since 1970", "1780000000", 20),
            header("webhook-signature", "署名。空白区切り / signatures, separated by spaces", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=", 1000),
        ],
        "requestBody": {
            "required": true,
            "content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/WebhookEvent"},
                "example": {
                    "type": kind.as_str(), "timestamp": "2026-11-02T01:30:00Z",
                    "data": {"event_id": 1203, "organisation_id": 12, "entity_kind": "request", "entity_id": 345, "request_id": 345},
                },
            }},
        },
        "responses": {
            "204": {"description": "受け取った / received"},
            "410": {"description": "もう要らない。以後送らない / gone: nothing more is sent"},
        },
    })
}
