//! The API document as pages need it: which operations there are, what their bodies hold, what the words of an enum are
//! called. Read once from the committed document, without its examples and answers. Owns no words of its own.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use serde::Deserialize;

use super::tongue::Tongue;
use crate::auth::policy::{self, PermissionInfo};

/// One schema.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Schema {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(rename = "type")]
    kind: Kind,
    /// `date`, `date-time`, …
    pub format: Option<String>,
    description: Option<String>,
    #[serde(rename = "enum")]
    values: Vec<serde_json::Value>,
    /// Members of an object.
    pub properties: BTreeMap<String, Schema>,
    /// Members that must be there.
    pub required: Vec<String>,
    /// What a list holds.
    pub items: Option<Box<Schema>>,
    #[serde(rename = "oneOf")]
    one_of: Vec<Schema>,
    discriminator: Option<Discriminator>,
    /// Least value.
    pub minimum: Option<f64>,
    /// Greatest value.
    pub maximum: Option<f64>,
    /// Longest text.
    #[serde(rename = "maxLength")]
    pub max_length: Option<u64>,
    /// Shortest text.
    #[serde(rename = "minLength")]
    pub min_length: Option<u64>,
    /// Most entries of a list.
    #[serde(rename = "maxItems")]
    pub max_items: Option<u64>,
    /// What holds when nothing is given.
    pub default: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Discriminator {
    #[serde(rename = "propertyName")]
    property: String,
    mapping: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Kind {
    One(String),
    Several(Vec<String>),
    #[default]
    Unsaid,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Members by name.
    Object,
    /// Entries in order.
    List,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// Yes or no.
    Boolean,
    /// Text, days and enums.
    Text,
    /// One of several named variants.
    Variants,
}

impl Schema {
    /// The name of the component it refers to, null beside it or not.
    pub fn name(&self) -> Option<&str> {
        let reference = self.reference.as_deref().or_else(|| self.one_of.iter().find_map(|one| one.reference.as_deref()));
        reference.filter(|_| self.discriminator.is_none())?.strip_prefix("#/components/schemas/")
    }

    /// Whether null is a value.
    pub fn nullable(&self) -> bool {
        let null = |schema: &Self| matches!(&schema.kind, Kind::One(kind) if kind == "null");
        self.one_of.iter().any(null) || matches!(&self.kind, Kind::Several(kinds) if kinds.iter().any(|kind| kind == "null"))
    }

    /// What its values are; of a resolved schema.
    pub fn sort(&self) -> Sort {
        if self.discriminator.is_some() {
            return Sort::Variants;
        }
        let kind = match &self.kind {
            Kind::One(kind) => kind.as_str(),
            Kind::Several(kinds) => kinds.iter().map(String::as_str).find(|kind| *kind != "null").unwrap_or_default(),
            Kind::Unsaid => "",
        };
        match kind {
            "array" => Sort::List,
            "integer" => Sort::Integer,
            "number" => Sort::Number,
            "boolean" => Sort::Boolean,
            "string" => Sort::Text,
            _ => Sort::Object,
        }
    }

    /// The values of an enum.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter_map(serde_json::Value::as_str)
    }

    /// What one value of an enum is called: the document's description says it in both languages.
    pub fn value_label(&self, value: &str, tongue: Tongue) -> Option<String> {
        let marker = format!("- `{value}`: ");
        let line = self.description.as_deref()?.lines().find_map(|line| line.strip_prefix(marker.as_str()))?;
        let (ja, _) = line.split_once(" / ").unwrap_or((line, line));
        Some(if tongue.english() { english(value) } else { ja.to_owned() })
    }

    /// The member that names the variant, and the variants by its value.
    pub fn variants(&self) -> Option<(&str, impl Iterator<Item = (&str, &'static Schema)>)> {
        let found = self.discriminator.as_ref()?;
        let variants = found.mapping.iter().filter_map(|(value, reference)| {
            let schema = SHAPE.schema(reference.strip_prefix("#/components/schemas/")?)?;
            Some((value.as_str(), schema))
        });
        Some((&found.property, variants))
    }
}

/// The stable text of a value says it shortest; what it means is for help.
fn english(value: &str) -> String {
    let mut text = value.replace(['_', '-'], " ");
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// Its name.
    pub id: String,
    /// Method.
    pub method: Method,
    /// Path below `/api/v1`, with `{…}`.
    pub path: String,
    ja: String,
    en: String,
    /// Who may.
    pub permission: Option<&'static PermissionInfo>,
    /// Whether it needs the version of the object.
    pub if_match: bool,
    /// The schema of its body.
    pub body: Option<String>,
    /// The schema of its JSON answer.
    pub answer: Option<String>,
    /// Query parameters.
    pub query: Vec<(String, Schema)>,
}

impl Operation {
    /// What it does, in the words of the API document.
    pub fn label(&self, tongue: Tongue) -> &str {
        tongue.t(&self.ja, &self.en)
    }

    /// The schema of its body.
    pub fn body_schema(&self) -> Option<&'static Schema> {
        SHAPE.schema(self.body.as_deref()?)
    }

    /// Whether a person has nothing to fill in.
    pub fn bare(&self) -> bool {
        self.body_schema().is_none_or(|schema| schema.properties.is_empty())
    }
}

/// The document.
#[derive(Debug, Default)]
pub struct Shape {
    operations: Vec<(ResourceDef, Operation)>,
    schemas: BTreeMap<String, Schema>,
}

/// The document, read once.
pub static SHAPE: LazyLock<Shape> = LazyLock::new(|| Shape::read(crate::http::routes::DOCUMENT));

impl Shape {
    fn read(text: &str) -> Self {
        #[derive(Deserialize)]
        struct Document {
            paths: BTreeMap<String, BTreeMap<String, Entry>>,
            components: Components,
        }
        #[derive(Deserialize)]
        struct Components {
            schemas: BTreeMap<String, Schema>,
        }
        #[derive(Deserialize)]
        struct Entry {
            #[serde(rename = "operationId")]
            id: String,
            #[serde(default)]
            summary: String,
            #[serde(rename = "x-permission")]
            permission: Option<String>,
            #[serde(default)]
            parameters: Vec<Parameter>,
            #[serde(rename = "requestBody")]
            body: Option<Content>,
            #[serde(default)]
            responses: BTreeMap<String, Content>,
        }
        #[derive(Deserialize)]
        struct Parameter {
            #[serde(rename = "$ref")]
            reference: Option<String>,
            #[serde(default)]
            name: String,
            #[serde(rename = "in", default)]
            place: String,
            schema: Option<Schema>,
        }
        #[derive(Deserialize)]
        struct Content {
            #[serde(default)]
            content: BTreeMap<String, Media>,
        }
        #[derive(Deserialize)]
        struct Media {
            schema: Option<Schema>,
        }
        let json = |content: &Content| -> Option<String> {
            content.content.get("application/json")?.schema.as_ref()?.name().map(str::to_owned)
        };
        let Ok(document) = serde_json::from_str::<Document>(text) else { return Self::default() };
        let mut operations = Vec::new();
        for (path, item) in document.paths {
            let Some(short) = path.strip_prefix("/api/v1") else { continue };
            for (method, entry) in item {
                let Ok(method) = Method::from_bytes(method.to_ascii_uppercase().as_bytes()) else { continue };
                let (ja, en) = entry.summary.split_once(" / ").unwrap_or((&entry.summary, &entry.summary));
                let answer = entry.responses.iter().filter(|(status, _)| status.starts_with('2')).find_map(|(_, c)| json(c));
                let if_match = entry.parameters.iter().any(|p| p.reference.as_deref().is_some_and(|r| r.ends_with("/IfMatch")));
                let query = entry.parameters.into_iter().filter(|p| p.place == "query");
                let operation = Operation {
                    id: entry.id,
                    method,
                    path: short.to_owned(),
                    ja: ja.to_owned(),
                    en: en.trim_end_matches('.').to_owned(),
                    permission: entry.permission.and_then(|name| policy::ALL.iter().find(|row| row.name == name)),
                    if_match,
                    body: entry.body.as_ref().and_then(&json),
                    answer,
                    query: query.filter_map(|p| Some((p.name, p.schema?))).collect(),
                };
                operations.push((ResourceDef::new(short), operation));
            }
        }
        // A path without parameters wins over one with.
        operations.sort_by_key(|(_, operation)| operation.path.matches('{').count());
        Self { operations, schemas: document.components.schemas }
    }

    /// A schema by name.
    pub fn schema(&'static self, name: &str) -> Option<&'static Schema> {
        self.schemas.get(name)
    }

    /// Every named schema.
    pub fn schemas(&'static self) -> impl Iterator<Item = (&'static str, &'static Schema)> {
        self.schemas.iter().map(|(name, schema)| (name.as_str(), schema))
    }

    /// What a schema refers to, or itself.
    pub fn resolve(&'static self, schema: &'static Schema) -> &'static Schema {
        schema.name().and_then(|name| self.schema(name)).unwrap_or(schema)
    }

    /// The operation of a method at a path below `/api/v1`.
    pub fn at(&'static self, method: &Method, path: &str) -> Option<&'static Operation> {
        self.operations.iter().find(|(def, operation)| operation.method == *method && def.is_match(path)).map(|(_, o)| o)
    }

    /// An operation by its name.
    pub fn operation(&'static self, id: &str) -> Option<&'static Operation> {
        self.operations.iter().map(|(_, operation)| operation).find(|operation| operation.id == id)
    }

    /// The operations directly below an object's path, such as its verbs and lists.
    pub fn below(&'static self, path: &str) -> impl Iterator<Item = &'static Operation> {
        let path = path.trim_end_matches('/').to_owned();
        self.operations.iter().map(|(_, operation)| operation).filter(move |operation| {
            operation.path.strip_prefix(&path).and_then(|rest| rest.strip_prefix('/')).is_some_and(|rest| !rest.contains('/'))
        })
    }

    /// Every operation.
    pub fn all(&'static self) -> impl Iterator<Item = &'static Operation> {
        self.operations.iter().map(|(_, operation)| operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Locale;

    #[test]
    fn knows_operations_bodies_and_words() {
        let accept = SHAPE.at(&Method::POST, "/requests/12/accept").unwrap();
        assert_eq!((accept.id.as_str(), accept.if_match), ("accept_request", true));
        assert_eq!(accept.permission.map(|row| row.name), Some("review_requests"));
        assert_eq!(accept.label(Tongue(Locale::Ja)), "受理する");
        assert!(SHAPE.at(&Method::GET, "/requests/12/accept").is_none());
        assert_eq!(SHAPE.at(&Method::GET, "/programmes/presets").unwrap().id, "list_presets");
        let body = SHAPE.operation("create_request").unwrap().body_schema().unwrap();
        assert_eq!(SHAPE.resolve(&body.properties["mode"]).sort(), Sort::Text);
        let status = SHAPE.schema("OfferStatus").unwrap();
        assert_eq!(status.value_label("sent", Tongue(Locale::Ja)).as_deref(), Some("回答待ち"));
        assert_eq!(SHAPE.schema("FeeTable").unwrap().sort(), Sort::Variants);
    }
}
