//! What holds for every schema: bounds, null only where it means something, names for the variants of tagged unions.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{METHODS, referred};

/// Longest text the service ever sends or takes where a member has no bound of its own.
const LONGEST_TEXT: u32 = 20_000;
/// Longest list the service ever sends or takes where a member has no bound of its own.
const LONGEST_LIST: u32 = 10_000;

/// Whether a schema is of a JSON type, alone or with others.
fn is(schema: &Map<String, Value>, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(list)) => list.iter().any(|one| one == name),
        _ => false,
    }
}

/// Visits every schema below a value, itself included, but no example.
fn walk(value: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(object);
            for (key, inner) in object.iter_mut() {
                if !matches!(key.as_str(), "example" | "examples" | "default" | "enum" | "const") {
                    walk(inner, visit);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| walk(inner, visit)),
        _ => {}
    }
}

/// Gives every text, list and number that has no bound of its own the widest one the service ever accepts or sends.
pub(super) fn bound(part: &mut Value) {
    walk(part, &mut |schema| {
        if is(schema, "string") && !["maxLength", "enum", "const"].iter().any(|bound| schema.contains_key(*bound)) {
            let longest = match schema.get("format").and_then(Value::as_str).unwrap_or_default() {
                "date" => 10,
                "date-time" => 40,
                _ => LONGEST_TEXT,
            };
            schema.insert("maxLength".to_owned(), json!(longest));
        }
        if is(schema, "array") && !schema.contains_key("maxItems") {
            schema.insert("maxItems".to_owned(), json!(LONGEST_LIST));
        }
        if is(schema, "integer") {
            let int32 = schema.get("format").and_then(Value::as_str) == Some("int32");
            let largest = if int32 { i64::from(i32::MAX) } else { crate::ids::LARGEST_ID };
            schema.entry("maximum").or_insert_with(|| json!(largest));
            schema.entry("minimum").or_insert_with(|| json!(if int32 { i64::from(i32::MIN) } else { -largest }));
            schema.entry("format").or_insert_with(|| json!("int64"));
        }
    });
}

/// Takes null away wherever it would mean the same as absent: in answers and parameters everywhere, in bodies unless the
/// member's description says what null means.
pub(super) fn settle_null(doc: &mut Value) {
    let answered = reachable(doc, |operation| operation["responses"].clone());
    if let Some(schemas) = doc["components"]["schemas"].as_object_mut() {
        for (name, schema) in schemas {
            let only_sent = !answered.contains(name);
            walk(schema, &mut |object| {
                let required: Vec<Value> = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
                for (member, inner) in object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
                    let is_required = required.iter().any(|known| known == member);
                    if !(is_required || only_sent && explains_null(inner)) {
                        without_null(inner);
                    }
                }
            });
        }
    }
    super::for_each_operation(doc, |_, _, operation| {
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            without_null(&mut parameter["schema"]);
        }
    });
}

/// Whether the description of a member tells what null does, as in "null clears".
fn explains_null(member: &Value) -> bool {
    let in_reference =
        || member["oneOf"].as_array().into_iter().flatten().filter_map(|one| one["description"].as_str()).any(says_null);
    member["description"].as_str().is_some_and(says_null) || in_reference()
}

fn says_null(text: &str) -> bool {
    text.contains("null")
}

/// `type: [x, null]` becomes `type: x`; `oneOf: [ref, null]` becomes the reference.
fn without_null(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|one| one != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            object.insert("type".to_owned(), one);
        }
    }
    let Some(Value::Array(choices)) = object.get_mut("oneOf") else { return };
    let before = choices.len();
    choices.retain(|one| one["type"] != "null");
    if choices.len() < before && choices.len() == 1 {
        let only = choices.remove(0);
        object.remove("oneOf");
        if let Value::Object(only) = only {
            object.extend(only);
        }
    }
}

/// The component schemas that a part of the operations leads to.
fn reachable(doc: &Value, part: impl Fn(&Value) -> Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<Value> = doc["paths"]
        .as_object()
        .into_iter()
        .flat_map(|paths| paths.values())
        .flat_map(|item| METHODS.iter().filter_map(|method| item.get(*method)))
        .map(part)
        .collect();
    while let Some(mut value) = open.pop() {
        walk(&mut value, &mut |object| {
            if let Some(name) = object.get("$ref").and_then(|_| referred(&Value::Object(object.clone())).map(str::to_owned))
                && found.insert(name.clone())
            {
                open.push(doc["components"]["schemas"][&name].clone());
            }
        });
    }
    found
}

/// Gives each variant of a tagged union a schema of its own, named by its `title` (or by union and tag), and the union a
/// discriminator: generated clients then have classes with names instead of numbers. The unions that the API takes
/// refuse unknown members, and so do their variants.
pub(super) fn name_variants(doc: &mut Value) {
    let Some(schemas) = doc["components"]["schemas"].as_object_mut() else { return };
    let mut named: Vec<(String, Value)> = Vec::new();
    for (union, schema) in schemas.iter_mut() {
        let Some(variants) = schema["oneOf"].as_array().filter(|variants| variants.iter().all(|v| v["type"] == "object")) else {
            continue;
        };
        let mut mapping = Map::new();
        let mut references = Vec::new();
        let mut property = None;
        for variant in variants {
            let Some((tag, value)) = tag_of(variant) else { break };
            property = Some(tag.clone());
            let name = variant["title"].as_str().map_or_else(|| format!("{union}{}", pascal(&value)), str::to_owned);
            let reference = format!("#/components/schemas/{name}");
            mapping.insert(value, json!(reference));
            references.push(json!({"$ref": reference}));
            let mut own = variant.clone();
            if let Some(own) = own.as_object_mut() {
                own.remove("title");
                own.insert("additionalProperties".to_owned(), json!(false));
                if let Some(required) = own.get_mut("required").and_then(Value::as_array_mut) {
                    required.sort_by_key(|member| *member != tag);
                }
            }
            named.push((name, own));
        }
        if let (Some(tag), true) = (property, references.len() == variants.len()) {
            schema["discriminator"] = json!({"propertyName": tag, "mapping": mapping});
            schema["oneOf"] = json!(references);
        }
    }
    schemas.extend(named);
    schemas.sort_keys();
}

/// The member of a variant that has one fixed text, and that text.
fn tag_of(variant: &Value) -> Option<(String, String)> {
    variant["properties"].as_object()?.iter().find_map(|(name, schema)| match schema["enum"].as_array()?.as_slice() {
        [Value::String(only)] => Some((name.clone(), only.clone())),
        _ => None,
    })
}

fn pascal(text: &str) -> String {
    text.split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
        })
        .collect()
}
