//! The documented forms as JSON Schema 2020-12, derived from the types that read and write them, and what they say against a
//! document.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::instance::{Instance, Mistakes, strict_day};
use super::report::AllocationReport;

/// A small instance with a team, a budget, times that exclude each other, and a request that nobody can take.
pub const EXAMPLE: &str = include_str!("../../../openapi/allocation-instance.example.json");

/// The files and what is in them: the schema of instances and that of reports.
pub fn schemas() -> [(&'static str, Value); 2] {
    [("allocation-instance.schema.json", instance()), ("allocation-report.schema.json", report())]
}

/// The schema of an instance.
pub fn instance() -> Value {
    document::<Instance>("allocation-instance", "Allocation instance (tasuki-allocation/1)")
}

/// The schema of a report.
pub fn report() -> Value {
    document::<AllocationReport>("allocation-report", "Allocation report (tasuki-allocation-report/1)")
}

fn document<T: ToSchema>(name: &str, title: &str) -> Value {
    let mut parts: Vec<(String, RefOr<Schema>)> = Vec::new();
    T::schemas(&mut parts);
    let mut definitions: Vec<(String, Value)> =
        parts.into_iter().map(|(name, part)| (name, settled(serde_json::to_value(part).unwrap_or(Value::Null)))).collect();
    // A document is the same whatever order the types were found in.
    definitions.sort_by(|a, b| a.0.cmp(&b.0));
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("$id".to_owned(), json!(format!("https://tasuki.example/schemas/{name}.schema.json")));
    schema.insert("title".to_owned(), json!(title));
    if let Value::Object(own) = settled(serde_json::to_value(T::schema()).unwrap_or(Value::Null)) {
        schema.extend(own);
    }
    schema.insert("$defs".to_owned(), Value::Object(definitions.into_iter().collect()));
    Value::Object(schema)
}

/// References lead to the document's own definitions, and formats of numbers, which say less than the bounds, are left out.
fn settled(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(name, member)| name != "format" || !matches!(member.as_str(), Some("int32" | "int64")))
                .map(|(name, member)| match member {
                    Value::String(text) if name == "$ref" => {
                        (name, Value::String(text.replace("#/components/schemas/", "#/$defs/")))
                    }
                    Value::String(text) if name == "description" => (name, Value::String(text.replace('\n', " "))),
                    member => (name, settled(member)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(settled).collect()),
        other => other,
    }
}

/// Notes everything a schema of this module says against a document.
pub fn mistakes(schema: &Value, document: &Value, found: &mut Mistakes) {
    against(schema, schema, document, &mut String::new(), found);
}

fn against(root: &Value, schema: &Value, value: &Value, pointer: &mut String, found: &mut Mistakes) {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let target = name.strip_prefix('#').and_then(|path| root.pointer(path));
        return target.map_or((), |target| against(root, target, value, pointer, found));
    }
    if let Some(variants) = schema.get("oneOf").and_then(Value::as_array) {
        // A part that may be null: null, or what the other variant says.
        let other = variants.iter().find(|variant| variant.get("type").and_then(Value::as_str) != Some("null"));
        return match other {
            Some(other) if !value.is_null() => against(root, other, value, pointer, found),
            _ => {}
        };
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
        let list = allowed.join(", ");
        return found.add(
            pointer.as_str(),
            "not_allowed",
            format!("次のいずれかにしてください: {list}"),
            format!("one of {list}"),
        );
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|wanted| is_of(value, wanted)) {
        let wanted = types.iter().find(|wanted| **wanted != "null").copied().unwrap_or("null");
        return found.add(pointer.as_str(), "type", format!("{}にしてください", in_japanese(wanted)), format!("type {wanted}"));
    }
    match value {
        Value::Number(_) => number(schema, value, pointer, found),
        Value::String(text) => string(schema, text, pointer, found),
        Value::Array(items) => {
            if let Some(most) = schema.get("maxItems").and_then(Value::as_u64)
                && items.len() as u64 > most
            {
                found.add(pointer.as_str(), "too_many", format!("{most}件までにしてください"), format!("at most {most} entries"));
            }
            if let Some(item) = schema.get("items") {
                for (at, value) in items.iter().enumerate() {
                    below(pointer, &at.to_string(), |pointer| against(root, item, value, pointer, found));
                }
            }
        }
        Value::Object(members) => object(root, schema, members, pointer, found),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Looks at a member, one step further down.
fn below(pointer: &mut String, step: &str, look: impl FnOnce(&mut String)) {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
    look(pointer);
    pointer.truncate(length);
}

fn object(root: &Value, schema: &Value, members: &Map<String, Value>, pointer: &mut String, found: &mut Mistakes) {
    let Some(known) = schema.get("properties").and_then(Value::as_object) else { return };
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(name) {
            below(pointer, name, |at| found.add(at.as_str(), "missing", "この項目を書いてください", "this member is required"));
        }
    }
    for (name, value) in members {
        below(pointer, name, |pointer| match known.get(name) {
            Some(schema) => against(root, schema, value, pointer, found),
            None => {
                let names = known.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                found.add(
                    pointer.as_str(),
                    "unknown_member",
                    format!("ない項目です。書けるのは {names} です"),
                    format!("there is no such member; there are {names}"),
                );
            }
        });
    }
}

fn number(schema: &Value, value: &Value, pointer: &str, found: &mut Mistakes) {
    let bound = |name: &str| schema.get(name).and_then(as_integer);
    let (least, most) = (bound("minimum"), bound("maximum"));
    let number = as_integer(value);
    let within = number.is_some_and(|number| least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most));
    if !within {
        let shown = |bound: Option<i128>| bound.map_or_else(|| "…".to_owned(), |bound| bound.to_string());
        let (least, most) = (shown(least), shown(most));
        found.add(
            pointer,
            "out_of_range",
            format!("{least}以上{most}以下の整数にしてください（{value}）"),
            format!("an integer from {least} to {most}, not {value}"),
        );
    }
}

/// An integer as serde takes it: written without a fraction.
fn as_integer(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

fn string(schema: &Value, text: &str, pointer: &str, found: &mut Mistakes) {
    if let Some(most) = schema.get("maxLength").and_then(Value::as_u64)
        && text.chars().count() as u64 > most
    {
        found.add(pointer, "too_long", format!("{most}字以内にしてください"), format!("at most {most} characters"));
    }
    let is_date = schema.get("format").and_then(Value::as_str) == Some("date");
    if is_date && strict_day(text).is_none() {
        found.add(pointer, "day", "2026-04-01のような暦にある日にしてください", "a day that exists, like 2026-04-01");
    }
}

fn is_of(value: &Value, wanted: &str) -> bool {
    match wanted {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => as_integer(value).is_some(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn in_japanese(wanted: &str) -> &'static str {
    match wanted {
        "null" => "null",
        "boolean" => "trueかfalse",
        "integer" | "number" => "整数",
        "string" => "文字列",
        "array" => "配列",
        _ => "オブジェクト",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both forms with every member present, however deep.
    fn full() -> [(Value, Value); 2] {
        let mut document: Value = serde_json::from_str(EXAMPLE).unwrap();
        document["edges"][4]["minutes"] = json!([1, 2, 3]);
        document["edges"][4]["kept"] = json!(true);
        let taker = json!({"expert": 11, "team": 1});
        let figures = json!([{"level": "served", "value": 3}]);
        let report = json!({
            "format": "tasuki-allocation-report/1",
            "engine": "x",
            "instance_sha256": "0".repeat(64),
            "assignments": [{"request": 1, "expert": 2, "team": 1, "others": [3]}],
            "levels": [{"level": "kept", "value": 1, "bound": 1, "proved": true, "proved_within_counts": true}],
            "optimal": false,
            "proved_levels": 1,
            "gap": {"level": "small", "permille": 4},
            "solves": 1,
            "stopped": false,
            "reproducible": true,
            "greedy": figures,
            "unserved": [{"request": 4, "reason": "capacity_taken", "change": {
                "moves": [{"request": 4, "from": taker, "to": taker}], "levels": figures, "cheapest": true
            }}],
            "impossible_edges": [{"request": 1, "expert": 2, "team": 3, "reason": "busy", "member": 2}],
            "certificate": {"cases": []},
        });
        [(instance(), document), (self::report(), report)]
    }

    fn members(root: &Value, schema: &Value, value: &Value, seen: &mut std::collections::BTreeMap<String, Vec<String>>) {
        let target = |reference: &Value| reference.as_str().and_then(|name| root.pointer(name.strip_prefix('#')?));
        if let Some(target) = schema.get("$ref").and_then(target) {
            return members(root, target, value, seen);
        }
        if let Some(variants) = schema["oneOf"].as_array() {
            return variants.iter().for_each(|variant| members(root, variant, value, seen));
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| members(root, &schema["items"], item, seen)),
            Value::Object(given) => {
                let Some(known) = schema["properties"].as_object() else { return };
                let left =
                    seen.entry(known.keys().cloned().collect::<Vec<_>>().join(",")).or_insert(known.keys().cloned().collect());
                left.retain(|name| !given.contains_key(name));
                for (name, value) in given {
                    members(root, known.get(name).unwrap_or_else(|| panic!("{name}")), value, seen);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn every_member_is_in_the_schema_and_read_and_written() {
        for (schema, document) in full() {
            let mut found = Mistakes::default();
            mistakes(&schema, &document, &mut found);
            assert!(found.is_empty(), "{found:?}");
            let bytes = document.to_string().into_bytes();
            let written = match Instance::from_json(&bytes) {
                Ok(instance) => serde_json::to_value(instance).unwrap(),
                Err(_) => serde_json::to_value(AllocationReport::from_json(&bytes).unwrap()).unwrap(),
            };
            let mut seen = std::collections::BTreeMap::new();
            members(&schema, &schema, &written, &mut seen);
            for (all, left) in seen {
                assert!(left.is_empty(), "{left:?} of {all} are never written");
            }
        }
    }

    fn each<'a>(value: &'a Value, look: &mut dyn FnMut(&'a Map<String, Value>)) {
        match value {
            Value::Object(members) => {
                look(members);
                members.values().for_each(|member| each(member, look));
            }
            Value::Array(items) => items.iter().for_each(|item| each(item, look)),
            _ => {}
        }
    }

    #[test]
    fn everything_is_bounded_described_and_closed() {
        for (name, schema) in schemas() {
            each(&schema, &mut |one| {
                let is = |wanted: &str| match one.get("type") {
                    Some(Value::String(found)) => found == wanted,
                    Some(Value::Array(found)) => found.iter().any(|found| found == wanted),
                    _ => false,
                };
                assert!(!is("integer") || one.contains_key("minimum") && one.contains_key("maximum"), "{name} {one:?}");
                assert!(!is("array") || one.contains_key("maxItems"), "{name} {one:?}");
                if let (true, Some(Value::Object(properties))) = (is("object"), one.get("properties")) {
                    assert_eq!(one.get("additionalProperties"), Some(&json!(false)), "{name} {one:?}");
                    assert!(one.contains_key("description"), "{name} {one:?}");
                    // A part that may be null says it with its other variant.
                    let described = |property: &Value| property.to_string().contains("\"description\"");
                    assert!(properties.values().all(described), "{name} {properties:?}");
                }
                if let Some(reference) = one.get("$ref").and_then(Value::as_str) {
                    assert!(schema.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{name} {reference}");
                }
            });
        }
    }
}
