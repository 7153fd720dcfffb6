//! Pages that follow from the API document alone: the page of an API address is the same address without `/api/v1`. A list
//! with its filters, an object with what can be done to it, the form of every operation. Areas give a page of their own
//! to what people work in every day; these serve the rest, so that nothing the API can do is out of a person's reach.

use std::fmt::Write as _;

use actix_web::http::Method;
use serde_json::Value;

use super::choices::{self, Choices};
use super::form::Form;
use super::page::View;
use super::shape::{Operation, SHAPE, Schema, Sort};
use super::tongue::{Tongue, esc};
use super::{order, values, words};
use crate::db::Conn;
use crate::error::Error;
use crate::today::filter_pages;

/// What an address below `/api/v1` is as a page.
#[derive(Debug, Clone)]
pub enum Kind {
    /// What a GET answers.
    Read(&'static Operation),
    /// The form of an operation that changes something; `base` is the object it is filled from.
    Fill {
        /// The operation.
        operation: &'static Operation,
        /// Where it is sent.
        path: String,
        /// The address whose answer fills the form.
        from: Option<String>,
    },
}

/// Operations whose pages are made by hand, or that are for programs.
const NOT_PAGES: &[&str] = &[
    "create_token",
    "refresh_token",
    "logout",
    "accept_invitation",
    "request_password_reset",
    "reset_password",
    "answer_link_offer",
    "get_link_offer",
    "read_calendar",
    "get_me",
];

/// The page of an address.
pub fn kind(path: &str) -> Option<Kind> {
    let allowed = |operation: &&'static Operation| !NOT_PAGES.contains(&operation.id.as_str());
    if let Some(base) = path.strip_suffix("/new")
        && let Some(operation) = SHAPE.at(&Method::POST, base).filter(allowed)
    {
        return Some(Kind::Fill { operation, path: base.to_owned(), from: None });
    }
    // `/users/hand-over` is a verb, not the person called so.
    let literal = SHAPE.at(&Method::POST, path).is_some_and(|operation| operation.path == path);
    if let Some(operation) = SHAPE.at(&Method::GET, path).filter(allowed)
        && operation.answer.is_some()
        && (!literal || operation.path == path)
    {
        return Some(Kind::Read(operation));
    }
    if let Some(base) = path.strip_suffix("/edit") {
        let operation = SHAPE.at(&Method::PATCH, base).or_else(|| SHAPE.at(&Method::PUT, base)).filter(allowed)?;
        let from = SHAPE.at(&Method::GET, base).map(|_| base.to_owned()).or_else(|| parent(base));
        return Some(Kind::Fill { operation, path: base.to_owned(), from });
    }
    let operation = SHAPE.at(&Method::POST, path).filter(allowed)?;
    Some(Kind::Fill { operation, path: path.to_owned(), from: parent(path) })
}

/// The nearest object above an address that can be read.
fn parent(path: &str) -> Option<String> {
    let mut path = path;
    while let Some((above, _)) = path.rsplit_once('/') {
        if SHAPE.at(&Method::GET, above).is_some_and(|operation| operation.path.ends_with('}') && operation.answer.is_some()) {
            return Some(above.to_owned());
        }
        path = above;
    }
    None
}

fn may(view: &View, operation: &Operation) -> bool {
    operation.permission.is_none_or(|permission| view.ctx.principal.may(permission))
}

/// What an object is called, for headings.
pub fn name_of(value: &Value) -> Option<String> {
    ["number", "name", "title", "theme", "file_name", "subject"]
        .iter()
        .find_map(|field| value.get(field).and_then(Value::as_str).filter(|text| !text.is_empty()))
        .map(str::to_owned)
}

/// A list or an object.
pub fn read(
    conn: &mut Conn,
    view: &View,
    operation: &'static Operation,
    path: &str,
    answer: &Value,
) -> Result<(String, String), Error> {
    let t = view.tongue;
    let title = operation.label(t).to_owned();
    let rows = operation.answer.as_deref().and_then(|name| SHAPE.schema(name)).and_then(|schema| {
        let items = schema.properties.get("items")?;
        Some((items.items.as_deref()?, answer.get("items")?.as_array()?))
    });
    let Some((item, rows)) = rows else {
        let name = operation.answer.as_deref().unwrap_or_default();
        let heading = name_of(answer).map_or_else(|| title.clone(), |name| format!("{title}：{name}"));
        let mut out = format!("{}<h1>{}</h1>", crumbs(path, t), esc(&heading));
        out.push_str(&actions(conn, view, path, answer)?);
        out.push_str(&values::facts_named(name, answer, t));
        out.push_str(&below(view, path));
        return Ok((heading, out));
    };
    let mut out = format!("{}<h1>{}</h1>", crumbs(path, t), esc(&title));
    let create = SHAPE.at(&Method::POST, path).filter(|operation| may(view, operation));
    if let Some(create) = create {
        let _ = write!(out, r#"<p class="actions"><a class="button" href="{path}/new">{}</a></p>"#, esc(create.label(t)));
    }
    out.push_str(&filters(conn, view, operation, path)?);
    if operation.path == path && !operation.query.is_empty() {
        let query = view.place.split_once('?').map_or("", |(_, query)| query);
        let set: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        out.push_str(&filter_pages::beside(conn, view, path, &set)?);
    }
    let link = SHAPE.at(&Method::GET, &format!("{path}/1")).filter(|operation| operation.path.ends_with('}')).map(|_| path);
    out.push_str(&values::table(Some(item), rows, t, &title, link));
    out.push_str(&foot(view, operation, path, answer));
    Ok((title, out))
}

/// Where the page stands: the lists and objects above it.
fn crumbs(path: &str, t: Tongue) -> String {
    let mut parts = Vec::new();
    let mut at = path;
    while let Some((above, _)) = at.rsplit_once('/') {
        if let Some(operation) = SHAPE.at(&Method::GET, above) {
            let label = operation.label(t);
            let number = above.rsplit('/').next().filter(|last| last.chars().all(|c| c.is_ascii_digit()));
            let label = number.map_or_else(|| label.to_owned(), |number| format!("{label} {number}"));
            parts.push(format!(r#"<li><a href="{}">{}</a></li>"#, esc(above), esc(&label)));
        }
        at = above;
    }
    if parts.is_empty() {
        return String::new();
    }
    parts.reverse();
    format!(r#"<nav class="crumbs" aria-label="{}"><ol>{}</ol></nav>"#, t.t("現在地", "You are here"), parts.concat())
}

/// What can be done to an object now: what its state allows, or where it says nothing, what the person may.
pub fn actions(conn: &mut Conn, view: &View, path: &str, answer: &Value) -> Result<String, Error> {
    let t = view.tongue;
    let mut out = String::new();
    let allowed: Option<Vec<&str>> =
        answer.get("allowed").and_then(Value::as_array).map(|verbs| verbs.iter().filter_map(Value::as_str).collect());
    let has_edit = SHAPE.at(&Method::PATCH, path).or_else(|| SHAPE.at(&Method::PUT, path));
    if let Some(edit) = has_edit.filter(|edit| may(view, edit)) {
        // Where the state table knows a verb for writing, it decides.
        let known = SHAPE.at(&Method::GET, path).and_then(|operation| SHAPE.schema(operation.answer.as_deref()?));
        let verbs = known.and_then(|schema| SHAPE.resolve(schema.properties.get("allowed")?).items.as_deref());
        let verb = verbs.and_then(|items| SHAPE.resolve(items).values().find(|value| matches!(*value, "edit" | "write")));
        let can = verb.is_none_or(|verb| allowed.as_ref().is_some_and(|allowed| allowed.contains(&verb)));
        if can && !edit.bare() {
            let _ = write!(out, r#"<a class="button plain" href="{path}/edit">{}</a>"#, esc(edit.label(t)));
        }
    }
    for operation in SHAPE.below(&pattern(path)).filter(|operation| operation.method == Method::POST && may(view, operation)) {
        let verb = operation.path.rsplit('/').next().unwrap_or_default();
        let is_list = SHAPE.at(&Method::GET, &format!("{path}/{verb}")).is_some();
        if is_list || allowed.as_ref().is_some_and(|verbs| !verbs.contains(&verb)) {
            continue;
        }
        let there = format!("{path}/{verb}");
        if operation.bare() {
            let form = Form::new(view, &operation.id, &there, answer.clone(), Choices::default())?;
            out.push_str(&form.button(operation.label(t), "plain"));
        } else {
            let _ = write!(out, r#"<a class="button plain" href="{there}">{}</a>"#, esc(operation.label(t)));
        }
    }
    if SHAPE.at(&Method::DELETE, path).is_some_and(|operation| may(view, operation)) {
        let id = SHAPE.at(&Method::DELETE, path).map(|operation| operation.id.clone()).unwrap_or_default();
        let form = Form::new(view, &id, path, answer.clone(), Choices::default())?
            .then(path.rsplit_once('/').map_or("/", |(above, _)| above));
        out.push_str(&form.button(t.t("削除する", "Delete"), "plain"));
    }
    let _ = conn;
    Ok(if out.is_empty() {
        out
    } else {
        format!(r#"<div class="verbs" role="group" aria-label="{}">{out}</div>"#, t.t("できること", "What can be done"))
    })
}

/// The pattern that the document has for an address.
fn pattern(path: &str) -> String {
    SHAPE.at(&Method::GET, path).map_or_else(|| path.to_owned(), |operation| operation.path.clone())
}

/// The lists and further facts below an object.
fn below(view: &View, path: &str) -> String {
    let t = view.tongue;
    let mut out = String::new();
    for operation in SHAPE.below(&pattern(path)).filter(|operation| operation.method == Method::GET && may(view, operation)) {
        let last = operation.path.rsplit('/').next().unwrap_or_default();
        if last.starts_with('{') {
            continue;
        }
        let (target, label) = (format!("{path}/{last}"), operation.label(t));
        let target = if operation.answer.is_some() { target } else { format!("/files{target}") };
        let _ = write!(out, r#"<li><a href="{target}">{}</a></li>"#, esc(label));
    }
    if out.is_empty() { out } else { format!("<h2>{}</h2><ul>{out}</ul>", t.t("関連するページ", "Related pages")) }
}

/// The filters of a list as a form.
fn filters(conn: &mut Conn, view: &View, operation: &'static Operation, path: &str) -> Result<String, Error> {
    let t = view.tongue;
    let query = view.place.split_once('?').map_or("", |(_, query)| query);
    let given: Vec<(String, String)> =
        form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let shown: Vec<&(String, Schema)> =
        operation.query.iter().filter(|(name, _)| !matches!(name.as_str(), "cursor" | "limit" | "format" | "total")).collect();
    if shown.is_empty() {
        return Ok(String::new());
    }
    let kinds: Vec<&'static str> = shown.iter().filter_map(|(name, schema)| choices::kind_of(name, schema.name())).collect();
    let choices = Choices::load(conn, &view.ctx, &kinds)?;
    let mut fields = String::new();
    let mut names = shown;
    names.sort_by_key(|(name, _)| order::place(name));
    for (name, schema) in names {
        let resolved = SHAPE.resolve(schema);
        let value = given.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default();
        let label = words::label(None, name, t);
        let words: Vec<choices::Choice> = match resolved.sort() {
            Sort::Boolean => {
                vec![("true".to_owned(), t.yes_no(true).to_owned()), ("false".to_owned(), t.yes_no(false).to_owned())]
            }
            _ => resolved.values().map(|value| (value.to_owned(), words::value(resolved, value, t))).collect(),
        };
        let options = if words.is_empty() {
            choices::kind_of(name, schema.name()).and_then(|kind| choices.of(kind)).map(<[_]>::to_vec)
        } else {
            Some(words)
        };
        let input = match options {
            Some(options) => {
                let list: String = options
                    .iter()
                    .map(|(known, words)| {
                        let selected = if known == value { " selected" } else { "" };
                        format!(r#"<option value="{}"{selected}>{}</option>"#, esc(known), esc(words))
                    })
                    .collect();
                format!(
                    r#"<select id="q-{name}" name="{name}"><option value="">{}</option>{list}</select>"#,
                    t.t("すべて", "All")
                )
            }
            None => {
                let kind = if resolved.format.as_deref() == Some("date") { "date" } else { "text" };
                format!(r#"<input type="{kind}" id="q-{name}" name="{name}" value="{}">"#, esc(value))
            }
        };
        let _ = write!(fields, r#"<div class="field"><label for="q-{name}">{}</label>{input}</div>"#, esc(&label));
    }
    let open = if given.iter().any(|(name, value)| !value.is_empty() && !matches!(name.as_str(), "cursor" | "done")) {
        " open"
    } else {
        ""
    };
    Ok(format!(
        r#"<details class="filter"{open}><summary>{}</summary><form method="get" action="{path}">{fields}<p class="actions"><button type="submit">{}</button> <a href="{path}">{}</a></p></form></details>"#,
        t.t("絞り込み", "Filter"),
        t.t("絞り込む", "Apply"),
        t.t("条件を消す", "Clear")
    ))
}

/// The next page and the files of a list: the same rows as on the screen.
fn foot(view: &View, operation: &Operation, path: &str, answer: &Value) -> String {
    let t = view.tongue;
    let query = view.place.split_once('?').map_or("", |(_, query)| query);
    let mut kept = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes())
        .filter(|(name, value)| !matches!(&**name, "cursor" | "done" | "format") && !value.is_empty())
    {
        kept.append_pair(&name, &value);
    }
    let kept = kept.finish();
    let with = |more: &str| if kept.is_empty() { format!("?{more}") } else { format!("?{kept}&{more}") };
    let mut out = String::new();
    if let Some(cursor) = answer.get("next_cursor").and_then(Value::as_str) {
        let _ = write!(
            out,
            r#"<a class="button plain" href="{path}{}" rel="next">{}</a>"#,
            esc(&with(&format!("cursor={cursor}"))),
            t.t("次の頁", "Next page")
        );
    }
    if operation.query.iter().any(|(name, _)| name == "format") {
        for (format, label) in [("xlsx", t.t("Excel（全件）", "Excel (all)")), ("csv", t.t("CSV（全件）", "CSV (all)"))] {
            let _ = write!(out, r#"<a href="/files{path}{}">{label}</a>"#, esc(&with(&format!("format={format}"))));
        }
    }
    if out.is_empty() { out } else { format!(r#"<p class="actions">{out}</p>"#) }
}

/// The page of an operation's form.
pub fn fill(
    conn: &mut Conn,
    view: &View,
    operation: &'static Operation,
    path: &str,
    current: Value,
) -> Result<(String, String), Error> {
    let t = view.tongue;
    let title = operation.label(t).to_owned();
    let subject = name_of(&current);
    let heading = subject.map_or_else(|| title.clone(), |name| format!("{title}：{name}"));
    let back = parent(path).or_else(|| SHAPE.at(&Method::GET, path).map(|_| path.to_owned()));
    let created =
        operation.method == Method::POST && SHAPE.at(&Method::GET, &format!("{path}/1")).is_some_and(|o| o.path.ends_with('}'));
    // What fills the form of a verb is only its version: the object's own fields mean something else there.
    let values = if operation.method == Method::POST {
        let mut only = serde_json::Map::new();
        if let Some(version) = current.get("version") {
            only.insert("version".to_owned(), version.clone());
        }
        Value::Object(only)
    } else {
        current
    };
    let mut form = Form::load(conn, view, &operation.id, path, values)?;
    if created {
        form = form.then(format!("{path}/{{id}}"));
    } else if operation.id == "copy_request" {
        form = form.then("/requests/{id}/edit");
    } else if let Some(back) = &back {
        form = form.then(back.clone());
    }
    let mut out = format!("{}<h1>{}</h1>", crumbs(path, t), esc(&heading));
    out.push_str(&form.whole());
    if let Some(back) = back {
        let _ = write!(out, r#"<p><a href="{}">{}</a></p>"#, esc(&back), t.t("やめて戻る", "Back without changing anything"));
    }
    Ok((heading, out))
}
