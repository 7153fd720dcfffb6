//! Values of the API as pages show them: days in 令和, money with commas, lengths in hours, the words of enums, links to
//! what is named. Tables and facts of any object follow from the API document.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::choices::{self, Choices};
use super::shape::{SHAPE, Schema, Sort};
use super::tongue::{Tongue, esc, grouped};
use super::{order, words};
use crate::clock::UtcTime;

/// Columns of a table that nobody chose.
const MOST_COLUMNS: usize = 9;

/// Where the objects of a kind of id have their pages.
fn place_of(schema: Option<&str>, field: &str) -> Option<&'static str> {
    Some(match schema {
        Some("RequestId") => "/requests",
        Some("OfferId") => "/offers",
        Some("DispatchId") => "/dispatches",
        Some("VisitId") => "/visits",
        Some("ExpertId") => "/experts",
        Some("ProgrammeId") => "/programmes",
        Some("PoolId") => "/pools",
        Some("OrganisationId") => "/organisations",
        Some("SettlementId") => "/settlements",
        Some("ClaimId") => "/claims",
        Some("DocumentId") => "/documents",
        Some("ExpertPaymentId") => "/expert-payments",
        Some("MenuOrderId") => "/menu-orders",
        Some("PostingId") => "/postings",
        Some("ImportId") => "/imports",
        Some("AllocationId") => "/allocations",
        Some("SkillFrameworkId") => "/skill-frameworks",
        Some("WebhookEndpointId") => "/webhooks",
        Some("ApiClientId") => "/api-clients",
        Some("OutboxMessageId") => "/notifications",
        _ if field.ends_with("organisation_id") => "/organisations",
        _ if field.ends_with("expert_id") => "/experts",
        _ if field.ends_with("request_id") => "/requests",
        _ if field.ends_with("programme_id") => "/programmes",
        _ if field.ends_with("dispatch_id") => "/dispatches",
        _ => return None,
    })
}

/// A value as plain text.
pub fn plain(owner: Option<&str>, field: &str, value: &Value, tongue: Tongue, choices: &Choices) -> String {
    let schema = owner.and_then(|name| SHAPE.schema(name)).and_then(|schema| schema.properties.get(field));
    match value {
        Value::Array(list) => {
            let parts: Vec<String> = list.iter().map(|entry| plain(owner, field, entry, tongue, choices)).collect();
            parts.join("、")
        }
        Value::Number(number) => choices::kind_of(field, schema.and_then(Schema::name))
            .and_then(|kind| choices.label(kind, &number.to_string()))
            .map_or_else(|| scalar(schema, field, value, tongue), str::to_owned),
        Value::Object(members) => {
            let parts: Vec<String> = members.iter().map(|(name, value)| plain(None, name, value, tongue, choices)).collect();
            parts.join(" ")
        }
        other => scalar(schema, field, other, tongue),
    }
}

/// A single value as text.
pub fn scalar(schema: Option<&'static Schema>, field: &str, value: &Value, tongue: Tongue) -> String {
    let resolved = schema.map(|schema| SHAPE.resolve(schema));
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => tongue.yes_no(*yes).to_owned(),
        Value::Number(number) => match number.as_i64() {
            Some(n) if field.ends_with("_yen") => tongue.yen(n),
            Some(n) if field == "minutes" || field.ends_with("_minutes") || field.starts_with("minutes_") => tongue.minutes(n),
            Some(n) if field.ends_with("_minute") => tongue.time(i32::try_from(n).unwrap_or_default()),
            Some(n) if field == "fiscal_year" => tongue.fiscal_year(i32::try_from(n).unwrap_or_default()),
            Some(n) if field.ends_with("_permille") => format!("{}.{}%", n / 10, (n % 10).abs()),
            Some(n) if field.ends_with("_percent") => format!("{n}%"),
            Some(n) if field.ends_with("_id") || field == "id" || field.ends_with("year") => n.to_string(),
            Some(n) => grouped(n),
            None => number.to_string(),
        },
        Value::String(text) => {
            if let Ok(day) = text.parse::<chrono::NaiveDate>() {
                return tongue.day(day);
            }
            if let (20..=35, Ok(at)) = (text.len(), chrono::DateTime::parse_from_rfc3339(text)) {
                return tongue.instant(UtcTime::new(at.to_utc()));
            }
            match resolved {
                Some(resolved) if resolved.values().next().is_some() => words::value(resolved, text, tongue),
                _ => text.clone(),
            }
        }
        other => other.to_string(),
    }
}

/// The name that goes with an id: `expert_name` for `expert_id`.
fn name_beside<'a>(field: &str, beside: &'a Map<String, Value>) -> Option<&'a str> {
    let stem = field.strip_suffix("_id")?;
    let short = stem.strip_suffix("_organisation").unwrap_or(stem);
    [format!("{stem}_name"), format!("{short}_name"), format!("{stem}_number"), format!("{stem}_theme")]
        .iter()
        .find_map(|name| beside.get(name).and_then(Value::as_str))
}

/// Whether a field only says the name of an id beside it.
fn named_elsewhere(field: &str, beside: &dyn Fn(&str) -> bool) -> bool {
    field.strip_suffix("_name").is_some_and(|stem| beside(&format!("{stem}_id")) || beside(&format!("{stem}_organisation_id")))
}

/// A single value as HTML, with a link where it names an object that has a page.
fn cell(owner: Option<&'static Schema>, field: &str, value: &Value, beside: &Map<String, Value>, tongue: Tongue) -> String {
    let schema = owner.and_then(|schema| schema.properties.get(field));
    if let (Value::Number(id), Some(place)) = (value, place_of(schema.and_then(Schema::name), field)) {
        let id = id.to_string();
        let text = name_beside(field, beside).map_or_else(|| format!("#{id}"), str::to_owned);
        return format!(r#"<a href="{place}/{id}">{}</a>"#, esc(&text));
    }
    match value {
        Value::Array(list) => {
            let item = schema.map(|schema| SHAPE.resolve(schema)).and_then(|schema| schema.items.as_deref());
            let parts: Vec<String> = list
                .iter()
                .map(|entry| match (entry, place_of(item.and_then(Schema::name), field)) {
                    (Value::Number(id), Some(place)) => format!(r##"<a href="{place}/{id}">#{id}</a>"##),
                    (Value::Object(members), _) => esc(&short(members, tongue)),
                    _ => esc(&scalar(item, field, entry, tongue)),
                })
                .collect();
            parts.join("、")
        }
        Value::Object(members) => esc(&short(members, tongue)),
        other => esc(&scalar(schema, field, other, tongue)).replace('\n', "<br>"),
    }
}

/// What an object within a list is called, in short.
fn short(members: &Map<String, Value>, tongue: Tongue) -> String {
    for name in ["name", "number", "label", "title", "theme", "file_name", "code"] {
        if let Some(text) = members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()) {
            return text.to_owned();
        }
    }
    if let Some((_, Value::String(text))) = members.iter().find(|(name, _)| name.ends_with("_name")) {
        return text.clone();
    }
    let parts: Vec<String> =
        members.iter().filter(|(_, v)| !v.is_object() && !v.is_array()).map(|(n, v)| scalar(None, n, v, tongue)).collect();
    parts.join(" ")
}

/// Fields that are for programs.
fn unseen(field: &str) -> bool {
    matches!(field, "id" | "version" | "allowed" | "next_cursor")
}

fn numeric(field: &str, schema: Option<&'static Schema>) -> bool {
    let schema = schema.map(|schema| SHAPE.resolve(schema));
    let counts = schema.is_some_and(|schema| matches!(schema.sort(), Sort::Integer | Sort::Number));
    counts && !field.ends_with("_id") && field != "fiscal_year" && !field.ends_with("_minute")
}

/// An object as facts, its lists as tables below. `level` is that of the headings.
pub fn facts(schema: Option<&'static Schema>, value: &Value, tongue: Tongue, level: usize) -> String {
    let Some(members) = value.as_object() else { return String::new() };
    let owner = schema.and_then(|schema| schema.name()).map(str::to_owned);
    let schema = schema.map(|schema| SHAPE.resolve(schema));
    facts_of(owner.as_deref(), schema, members, tongue, level)
}

/// The same for the answer named so.
pub fn facts_named(name: &str, value: &Value, tongue: Tongue) -> String {
    let Some(members) = value.as_object() else { return String::new() };
    facts_of(Some(name), SHAPE.schema(name), members, tongue, 2)
}

fn facts_of(
    owner: Option<&str>,
    schema: Option<&'static Schema>,
    members: &Map<String, Value>,
    tongue: Tongue,
    level: usize,
) -> String {
    let mut names: Vec<&String> = members.keys().filter(|name| !unseen(name)).collect();
    names.sort_by_key(|name| order::place(name));
    let (mut list, mut below) = (String::new(), String::new());
    for name in names {
        let Some(value) = members.get(name) else { continue };
        let property = schema.and_then(|schema| schema.properties.get(name));
        let label = esc(&words::label(owner, name, tongue));
        let heading = level.min(6);
        match value {
            Value::Array(rows) if rows.iter().any(Value::is_object) => {
                let item = property.map(|p| SHAPE.resolve(p)).and_then(|p| p.items.as_deref());
                let _ = write!(below, "<h{heading}>{label}</h{heading}>{}", table(item, rows, tongue, &label, None));
            }
            Value::Object(inner) if !inner.is_empty() => {
                let _ = write!(below, "<h{heading}>{label}</h{heading}>{}", facts(property, value, tongue, level + 1));
            }
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            Value::Array(list) if list.is_empty() => {}
            // Who it was is for the audit trail, unless the answer names them.
            Value::Number(_) if property.and_then(Schema::name) == Some("UserId") => {}
            _ if named_elsewhere(name, &|other| members.contains_key(other)) => {}
            _ => {
                let _ = write!(list, "<dt>{label}</dt><dd>{}</dd>", cell(schema, name, value, members, tongue));
            }
        }
    }
    let list = if list.is_empty() { String::new() } else { format!(r#"<dl class="facts">{list}</dl>"#) };
    format!("{list}{below}")
}

/// Rows as a table. `link` is the address of a row's page without its id.
pub fn table(item: Option<&'static Schema>, rows: &[Value], tongue: Tongue, caption: &str, link: Option<&str>) -> String {
    if rows.is_empty() {
        return format!("<p>{}</p>", tongue.t("ありません。", "None."));
    }
    let owner = item.and_then(|item| item.name()).map(str::to_owned);
    let schema = item.map(|item| SHAPE.resolve(item));
    let mut names: Vec<&String> = Vec::new();
    for row in rows {
        for name in row.as_object().into_iter().flat_map(Map::keys) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let known = names.clone();
    let shown = |name: &str| {
        !unseen(name)
            && !named_elsewhere(name, &|other| known.iter().any(|name| *name == other))
            && !matches!(name, "created_at" | "updated_at" | "description" | "profile" | "background" | "goal")
            && rows
                .iter()
                .any(|row| row.get(name).is_some_and(|value| !value.is_null() && *value != Value::String(String::new())))
    };
    names.retain(|name| shown(name));
    names.sort_by_key(|name| order::place(name));
    names.truncate(MOST_COLUMNS);
    // Where the list itself has no pages of its rows, they have theirs elsewhere: the offers of a request are offers.
    let kind = schema.and_then(|schema| schema.properties.get("id")).and_then(Schema::name);
    let link = link.or_else(|| place_of(kind, ""));
    let mut out = format!(r#"<div class="scroll" tabindex="0" role="region" aria-label="{0}"><table><thead><tr>"#, esc(caption));
    for name in &names {
        let property = schema.and_then(|schema| schema.properties.get(*name));
        let class = if numeric(name, property) { r#" class="n""# } else { "" };
        let _ = write!(out, r#"<th scope="col"{class}>{}</th>"#, esc(&words::label(owner.as_deref(), name, tongue)));
    }
    out.push_str("</tr></thead><tbody>");
    let lead = names.iter().position(|name| {
        let name = name.as_str();
        matches!(name, "number" | "document_number" | "name" | "title" | "theme" | "file_name" | "subject")
    });
    for row in rows {
        let Some(members) = row.as_object() else { continue };
        out.push_str("<tr>");
        let target = link.and_then(|link| members.get("id").map(|id| format!("{link}/{id}")));
        for (index, name) in names.iter().enumerate() {
            let value = members.get(*name).unwrap_or(&Value::Null);
            let property = schema.and_then(|schema| schema.properties.get(*name));
            let class = if numeric(name, property) { r#" class="n""# } else { "" };
            let mut text = cell(schema, name, value, members, tongue);
            if let Some(target) = target.as_ref().filter(|_| lead.unwrap_or(0) == index) {
                let plain = scalar(property, name, value, tongue);
                let plain = if plain.is_empty() {
                    format!("#{}", members.get("id").map(ToString::to_string).unwrap_or_default())
                } else {
                    plain
                };
                text = format!(r#"<a href="{target}">{}</a>"#, esc(&plain));
            }
            let _ = write!(out, "<td{class}>{text}</td>");
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    out
}
