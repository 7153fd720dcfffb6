//! Does a value fit a schema of the API document? Only the keywords that the document uses are known here; another one is
//! a failure, so that nothing goes unchecked unnoticed. Patterns are left to the linters, which check every example.

use serde_json::{Map, Value};

const KNOWN: [&str; 22] = [
    "$ref",
    "type",
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "items",
    "properties",
    "required",
    "additionalProperties",
    "oneOf",
    "discriminator",
    "description",
    "example",
    "examples",
    "default",
    "title",
];

/// Whether members that the schema does not name are wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// What the service sends is documented.
    Refused,
    /// As the schema says.
    AsDocumented,
}

/// What is wrong with the value, each with its place.
pub fn problems(document: &Value, schema: &Value, value: &Value, unknown: Unknown) -> Vec<String> {
    let mut found = Vec::new();
    Check { document, unknown }.value(schema, value, "", &mut found);
    found
}

/// The target of a local reference.
pub fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        None => value,
        Some(reference) => {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("not local: {reference}"));
            document.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
        }
    }
}

struct Check<'a> {
    document: &'a Value,
    unknown: Unknown,
}

impl Check<'_> {
    fn value(&self, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
        let keywords = schema.as_object().unwrap_or_else(|| panic!("{place}: no schema but {schema}"));
        for keyword in keywords.keys().filter(|keyword| !keyword.starts_with("x-")) {
            assert!(KNOWN.contains(&keyword.as_str()), "{place}: unknown keyword {keyword}");
        }
        if schema.get("$ref").is_some() {
            return self.value(resolve(self.document, schema), value, place, found);
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            return self.choice(choices, value, place, found);
        }
        if let Some(values) = schema["enum"].as_array()
            && !values.contains(value)
        {
            found.push(format!("{place}: {value} is none of {values:?}"));
        }
        match (value, &schema["type"]) {
            (_, Value::Null) => {}
            (value, types) if !is_of(value, types) => found.push(format!("{place}: {value} is not of type {types}")),
            (Value::String(text), _) => text_problems(schema, text, place, found),
            (Value::Number(number), _) => {
                let number = number.as_f64().unwrap();
                if schema["minimum"].as_f64().is_some_and(|least| number < least)
                    || schema["maximum"].as_f64().is_some_and(|most| number > most)
                {
                    found.push(format!("{place}: {number} is out of bounds"));
                }
            }
            (Value::Array(items), _) => self.list(schema, items, place, found),
            (Value::Object(members), _) => self.object(schema, members, place, found),
            _ => {}
        }
    }

    fn choice(&self, choices: &[Value], value: &Value, place: &str, found: &mut Vec<String>) {
        let tried: Vec<Vec<String>> = choices
            .iter()
            .map(|choice| {
                let mut wrong = Vec::new();
                self.value(choice, value, place, &mut wrong);
                wrong
            })
            .collect();
        let fitting = tried.iter().filter(|wrong| wrong.is_empty()).count();
        if fitting != 1 {
            found.push(format!("{place}: {value} fits {fitting} choices instead of one: {tried:?}"));
        }
    }

    fn list(&self, schema: &Value, items: &[Value], place: &str, found: &mut Vec<String>) {
        if !within(items.len(), &schema["minItems"], &schema["maxItems"]) {
            found.push(format!("{place}: {} items", items.len()));
        }
        for (i, item) in items.iter().enumerate() {
            self.value(&schema["items"], item, &format!("{place}/{i}"), found);
        }
    }

    fn object(&self, schema: &Value, members: &Map<String, Value>, place: &str, found: &mut Vec<String>) {
        for required in schema["required"].as_array().into_iter().flatten() {
            let name = required.as_str().unwrap();
            if !members.contains_key(name) {
                found.push(format!("{place}: {name} is missing"));
            }
        }
        for (name, member) in members {
            match schema["properties"].get(name) {
                Some(inner) => self.value(inner, member, &format!("{place}/{name}"), found),
                None if schema["additionalProperties"] == false => found.push(format!("{place}: {name} is not allowed")),
                None if self.unknown == Unknown::Refused && schema.get("properties").is_some() => {
                    found.push(format!("{place}: {name} is not documented"));
                }
                None => {}
            }
        }
    }
}

fn is_of(value: &Value, types: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("unknown type {other}"),
    };
    match types {
        Value::String(one) => is(one),
        Value::Array(some) => some.iter().any(|one| is(one.as_str().unwrap())),
        other => panic!("type: {other}"),
    }
}

fn text_problems(schema: &Value, text: &str, place: &str, found: &mut Vec<String>) {
    if !within(text.chars().count(), &schema["minLength"], &schema["maxLength"]) {
        found.push(format!("{place}: {} characters", text.chars().count()));
    }
    let formed = match schema["format"].as_str() {
        Some("date") => text.parse::<chrono::NaiveDate>().is_ok(),
        Some("date-time") => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        Some("uri-reference" | "binary") | None => true,
        Some(other) => panic!("{place}: unknown format {other}"),
    };
    if !formed {
        found.push(format!("{place}: {text:?} is no {}", schema["format"]));
    }
}

fn within(count: usize, least: &Value, most: &Value) -> bool {
    let count = count as u64;
    least.as_u64().is_none_or(|least| count >= least) && most.as_u64().is_none_or(|most| count <= most)
}
