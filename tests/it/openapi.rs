//! The API document: the committed file is the one the routes give, and every operation has what a client relies on.
//! That the service answers as documented is checked at every answer that any test gets (`support::conformance`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tasuki::error::ErrorCode;
use tasuki::http::openapi;
use tasuki::requests::media;

use crate::support::conformance::document;
use crate::support::schema::{self, Unknown, resolve};

const FILE: &str = "openapi/openapi.json";

struct Operation {
    id: &'static str,
    method: &'static str,
    path: &'static str,
    object: &'static Value,
}

fn operations() -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document()["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            if let Some(object) = item.get(method) {
                found.push(Operation { id: object["operationId"].as_str().unwrap(), method, path, object });
            }
        }
    }
    assert!(found.len() > 100, "the document has only {} operations", found.len());
    found
}

/// All that is wrong at once, so that one run tells everything.
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
}

/// Visits every object of the document that is no example, with its place.
fn walk(value: &'static Value, place: &str, visit: &mut impl FnMut(&'static serde_json::Map<String, Value>, &str)) {
    match value {
        Value::Object(object) => {
            visit(object, place);
            for (key, inner) in object {
                if !matches!(key.as_str(), "example" | "examples" | "default" | "enum") {
                    walk(inner, &format!("{place}/{key}"), visit);
                }
            }
        }
        Value::Array(list) => list.iter().enumerate().for_each(|(i, inner)| walk(inner, &format!("{place}/{i}"), visit)),
        _ => {}
    }
}

#[test]
fn the_committed_file_is_the_generated_document() {
    let committed = std::fs::read_to_string(FILE).unwrap_or_default();
    let generated = openapi::to_text(document());
    let first = committed.lines().zip(generated.lines()).position(|(old, new)| old != new).map_or(0, |line| line + 1);
    assert!(
        committed == generated,
        "{FILE} is not what the routes give (first difference at line {first}). If the change is meant:\n  \
         cargo run -- openapi --write\nand tell clients in openapi/CHANGES.md."
    );
}

#[test]
fn every_operation_says_what_it_is_and_who_may_call_it() {
    let mut wrong = Vec::new();
    let mut ids = BTreeSet::new();
    for Operation { id, method, path, object } in operations() {
        let mut need = |right: bool, what: &str| {
            if !right {
                wrong.push(format!("{id} ({method} {path}): {what}"));
            }
        };
        need(ids.insert(id), "the id is used twice");
        need(id.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "the id is not in snake_case");
        let summary = object["summary"].as_str().unwrap_or_default();
        let bilingual = summary.split_once(" / ").is_some_and(|(ja, en)| !ja.is_ascii() && en.is_ascii());
        need(bilingual, "the summary is not 日本語 / English");
        need(!object["description"].as_str().unwrap_or_default().is_empty(), "no description");
        let tags: Vec<&str> = object["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
        let described = |tag: &&str| document()["tags"].as_array().unwrap().iter().any(|known| known["name"] == **tag);
        need(tags.len() == 1 && tags.iter().all(described), "not exactly one described tag");
        let public = object["x-permission"] == "public";
        let security = object["security"].as_array().unwrap();
        need(security.is_empty() == public, "security and x-permission disagree");
        for parameter in object["parameters"].as_array().into_iter().flatten() {
            let parameter = resolve(document(), parameter);
            let described = !parameter["description"].as_str().unwrap_or_default().is_empty();
            need(described, &format!("{} is not described", parameter["name"]));
        }
    }
    assert_none(&wrong);
}

#[test]
fn every_operation_declares_its_answers() {
    let mut wrong = Vec::new();
    for Operation { id, method, path, object } in operations() {
        let mut need = |right: bool, what: &str| {
            if !right {
                wrong.push(format!("{id} ({method} {path}): {what}"));
            }
        };
        let responses = object["responses"].as_object().unwrap();
        let successes: Vec<&String> = responses.keys().filter(|status| status.starts_with('2')).collect();
        need(successes.len() == 1, "not exactly one success");
        let is_api = path.starts_with("/api/");
        let signed_in = object["x-permission"] != "public";
        let mut expected = vec!["400", "500"];
        if is_api {
            expected.extend(["404", "429", "503"]);
        }
        if signed_in {
            expected.extend(["401", "403"]);
        }
        if is_api && method != "get" {
            expected.extend(["409", "413", "415", "422"]);
        }
        for status in expected {
            let problem = resolve(document(), &responses[status]);
            need(problem["content"].get("application/problem+json").is_some(), &format!("no problem document for {status}"));
        }
        let success = &responses[successes[0]];
        need(success["description"].as_str().is_some_and(|text| !text.is_ascii()), "the success is not described in Japanese");
        if successes[0] == "201" {
            need(success["headers"].get("Location").is_some(), "201 without Location");
            let versioned =
                resolve(document(), &success["content"]["application/json"]["schema"])["properties"].get("version").is_some();
            need(
                success["headers"].get("ETag").is_some() || !versioned,
                "201 without ETag, though what was created has a version",
            );
        }
        let schema = resolve(document(), &success["content"]["application/json"]["schema"]);
        if schema["properties"].get("next_cursor").is_some() {
            need(success["headers"].get("Link").is_some(), "a list without Link");
        }
        let matches_version = object["parameters"]
            .as_array()
            .is_some_and(|list| list.iter().any(|one| one["$ref"] == "#/components/parameters/IfMatch"));
        need(matches_version == responses.contains_key("412"), "If-Match without 412");
        need(matches_version == responses.contains_key("428"), "If-Match without 428");
    }
    assert_none(&wrong);
}

#[test]
fn every_body_has_an_example_that_its_schema_admits() {
    let mut wrong = Vec::new();
    let mut japanese = 0;
    let mut check = |at: String, form: &'static Value| {
        if form["schema"]["format"] == "binary" || resolve(document(), &form["schema"])["format"] == "binary" {
            return;
        }
        match form.get("example") {
            None => wrong.push(format!("{at}: no example")),
            Some(example) => {
                japanese += usize::from(!example.to_string().is_ascii());
                for problem in schema::problems(document(), &form["schema"], example, Unknown::Refused) {
                    wrong.push(format!("{at}: {problem}"));
                }
            }
        }
    };
    for Operation { id, object, .. } in operations() {
        for (media_type, form) in object["requestBody"]["content"].as_object().into_iter().flatten() {
            check(format!("{id}, request, {media_type}"), form);
        }
        for (status, response) in object["responses"].as_object().unwrap() {
            for (media_type, form) in resolve(document(), response)["content"].as_object().into_iter().flatten() {
                check(format!("{id}, {status}, {media_type}"), form);
            }
        }
    }
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        if let Some(example) = schema.get("example").filter(|_| schema["format"] != "binary") {
            for problem in schema::problems(document(), schema, example, Unknown::Refused) {
                wrong.push(format!("{name}: {problem}"));
            }
        }
    }
    assert_none(&wrong);
    assert!(japanese > 200, "only {japanese} examples are in Japanese");
}

#[test]
fn everything_is_bounded_and_bodies_refuse_unknown_members() {
    let mut wrong = Vec::new();
    walk(document(), "", &mut |object, place| {
        let is = |name: &str| match object.get("type") {
            Some(Value::String(one)) => one == name,
            Some(Value::Array(some)) => some.iter().any(|one| one == name),
            _ => false,
        };
        let has = |keyword: &str| object.contains_key(keyword);
        if is("string") && !has("maxLength") && !has("enum") && place != "/components/securitySchemes/bearer" {
            wrong.push(format!("{place}: a text without bound"));
        }
        if is("array") && !has("maxItems") {
            wrong.push(format!("{place}: a list without bound"));
        }
        if (is("integer") || is("number")) && !(has("minimum") && has("maximum")) {
            wrong.push(format!("{place}: a number without bounds"));
        }
    });
    for Operation { id, object, .. } in operations() {
        for form in object["requestBody"]["content"].as_object().into_iter().flat_map(|content| content.values()) {
            let schema = resolve(document(), &form["schema"]);
            if schema["additionalProperties"] != false {
                wrong.push(format!("{id}: the body takes unknown members"));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn schemas_have_names_that_generated_clients_can_use() {
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    let mut wrong = Vec::new();
    for name in schemas.keys() {
        let pascal = name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric());
        if !pascal || name.ends_with(|c: char| c.is_ascii_digit()) {
            wrong.push(format!("{name}: no name for a class"));
        }
    }
    walk(document(), "", &mut |object, place| {
        if let Some(reference) = object.get("$ref").and_then(Value::as_str)
            && document().pointer(reference.trim_start_matches('#')).is_none()
        {
            wrong.push(format!("{place}: {reference} leads nowhere"));
        }
        let anonymous = object.get("type").is_some_and(|kind| kind == "object")
            && object.contains_key("properties")
            && place.strip_prefix("/components/schemas/").is_none_or(|name| name.contains('/'));
        if anonymous {
            wrong.push(format!("{place}: an object without a name"));
        }
        if let Some(choices) = object.get("oneOf").and_then(Value::as_array) {
            let named: Vec<&Value> = choices.iter().filter(|choice| choice["type"] != "null").collect();
            let with_null = named.len() < choices.len();
            if !named.iter().all(|choice| choice.get("$ref").is_some()) {
                wrong.push(format!("{place}: a choice without a name"));
            }
            if !with_null && !object.contains_key("discriminator") {
                wrong.push(format!("{place}: choices without a discriminator"));
            }
        }
    });
    for union in ["FeeTable", "Limit"] {
        for (tag, reference) in schemas[union]["discriminator"]["mapping"].as_object().unwrap() {
            let variant = document().pointer(reference.as_str().unwrap().trim_start_matches('#')).unwrap();
            assert_eq!(variant["properties"]["kind"]["enum"], serde_json::json!([tag]));
        }
    }
    assert_none(&wrong);
}

#[test]
fn answers_never_promise_null() {
    let mut wrong = Vec::new();
    let mut open: Vec<(String, &'static Value)> = Vec::new();
    for Operation { id, object, .. } in operations() {
        for response in object["responses"].as_object().unwrap().values() {
            for form in resolve(document(), response)["content"].as_object().into_iter().flat_map(|content| content.values()) {
                open.push((id.to_owned(), &form["schema"]));
            }
        }
    }
    let mut seen = BTreeSet::new();
    while let Some((at, schema)) = open.pop() {
        walk(schema, &at, &mut |object, place| {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str)
                && seen.insert(reference)
            {
                open.push((reference.to_owned(), document().pointer(reference.trim_start_matches('#')).unwrap()));
            }
            let null = match object.get("type") {
                Some(Value::String(one)) => one == "null",
                Some(Value::Array(some)) => some.iter().any(|one| one == "null"),
                _ => false,
            };
            if null {
                wrong.push(place.to_owned());
            }
        });
    }
    assert_none(&wrong);
}

#[test]
fn every_problem_code_is_documented() {
    let listed: BTreeMap<&str, &Value> =
        document()["x-problem-codes"].as_array().unwrap().iter().map(|row| (row["code"].as_str().unwrap(), row)).collect();
    assert_eq!(listed.len(), ErrorCode::ALL.len());
    for code in ErrorCode::ALL {
        let row = listed.get(code.code()).unwrap_or_else(|| panic!("{} is not listed", code.code()));
        assert_eq!(row["status"], code.status().as_u16());
        assert_eq!(row["title_ja"], code.title().ja.as_ref());
        assert_eq!(row["title_en"], code.title().en.as_ref());
        assert_eq!(row["type"], code.problem_type());
        // 405 and 406 belong to no operation: they say that there is none.
        let status = code.status().as_u16();
        if !matches!(status, 405 | 406) {
            let response = &document()["components"]["responses"][format!("Problem{status}")];
            let words = response["description"].as_str().unwrap_or_else(|| panic!("no response for {status}"));
            assert!(words.contains(&format!("`{}`", code.code())), "{status} does not list {}", code.code());
        }
    }
}

#[test]
fn an_attachment_comes_back_as_one_of_the_kinds_that_may_be_attached() {
    let operation = operations().into_iter().find(|operation| operation.id == "download_request_attachment").unwrap();
    let documented: BTreeSet<&str> =
        operation.object["responses"]["200"]["content"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(documented, media::KINDS.iter().map(|kind| kind.media_type).collect());
}
