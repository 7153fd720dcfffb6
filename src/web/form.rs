//! The form of an operation: its fields come from the API document, what was typed and what was wrong stand at each of
//! them and in a summary above. Sending it is [`super::bridge`]'s work.
//!
//! A form carries the page it stands on (`_page`), where to go when it has succeeded (`_next`), the version it was made
//! from (`_version`, `_seen`) and a key that lets it succeed once only, however often its button is pressed (`_key`).

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use super::choices::{self, Choices};
use super::page::View;
use super::shape::{Operation, SHAPE, Schema, Sort};
use super::tongue::{Tongue, esc};
use super::typed::Typed;
use super::{order, words};
use crate::auth::secrets;
use crate::db::Conn;
use crate::error::Error;

/// Blank rows offered below the rows of a list.
const BLANK_ROWS: usize = 3;
/// Lists whose order says something: the first is wished for most.
const RANKED: &[&str] = &["preferred_expert_ids"];
/// Texts that may be longer get several lines.
const ONE_LINE: u64 = 300;

/// A form.
#[derive(Debug)]
pub struct Form {
    operation: &'static Operation,
    path: String,
    tongue: Tongue,
    csrf: String,
    page: String,
    next: Option<String>,
    version: Option<i64>,
    current: Value,
    typed: Option<Arc<Typed>>,
    choices: Choices,
    key: String,
    prefix: String,
    shown: RefCell<BTreeSet<String>>,
}

/// One place of the form.
struct Spot<'a> {
    schema: &'static Schema,
    owner: Option<&'a str>,
    field: &'a str,
    pointer: String,
    required: bool,
    current: &'a Value,
    /// What the field is called for those who do not see the row it stands in.
    row: Option<usize>,
}

impl Form {
    /// The form of an operation on the object at `path` (below `/api/v1`), filled with what there is now.
    pub fn load(conn: &mut Conn, view: &View, id: &str, path: impl Into<String>, current: Value) -> Result<Self, Error> {
        let operation = SHAPE.operation(id).ok_or_else(|| Error::internal(format!("no operation {id}")))?;
        let choices = match operation.body_schema() {
            Some(schema) => Choices::of_body(conn, &view.ctx, schema)?,
            None => Choices::default(),
        };
        Self::new(view, id, path, current, choices)
    }

    /// The same with choices that were loaded before, for pages with several forms.
    pub fn new(view: &View, id: &str, path: impl Into<String>, current: Value, choices: Choices) -> Result<Self, Error> {
        let operation = SHAPE.operation(id).ok_or_else(|| Error::internal(format!("no operation {id}")))?;
        let path = path.into();
        let version = current.get("version").and_then(Value::as_i64);
        let typed = view.typed.clone().filter(|typed| typed.operation == operation.id && typed.path == path);
        let number: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let page = without_done(&view.place);
        Ok(Self {
            operation,
            prefix: format!("{}{number}", operation.id),
            path,
            tongue: view.tongue,
            csrf: view.csrf.clone(),
            page,
            next: None,
            version,
            current,
            typed,
            choices,
            key: secrets::short_name()?,
            shown: RefCell::default(),
        })
    }

    /// Where to go when it has succeeded; `{id}` stands for the new object's number. The page itself when not said.
    #[must_use]
    pub fn then(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// The version of the object that it changes, where what fills the form does not say.
    #[must_use]
    pub fn of_version(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }

    /// What a field offers, where the page knows better.
    pub fn choices_mut(&mut self) -> &mut Choices {
        &mut self.choices
    }

    /// Whether it comes back with what was wrong.
    pub fn refused(&self) -> bool {
        self.typed.is_some()
    }

    /// What the operation does.
    pub fn label(&self) -> &str {
        self.operation.label(self.tongue)
    }

    /// What was wrong, then the opening tag and what the form carries unseen.
    pub fn open(&self) -> String {
        let upload = self.operation.body_schema().is_some_and(|schema| schema.properties.contains_key("content_base64"));
        let mut out = self.summary();
        let _ = write!(
            out,
            r#"<form method="post" action="/do{}" class="fill"{}>"#,
            esc(&self.path),
            if upload { r#" enctype="multipart/form-data""# } else { "" }
        );
        out.push_str(&self.unseen());
        out
    }

    fn unseen(&self) -> String {
        let mut out = String::new();
        let mut hidden = |name: &str, value: &str| {
            let _ = write!(out, r#"<input type="hidden" name="{name}" value="{}">"#, esc(value));
        };
        hidden("csrf", &self.csrf);
        hidden("_page", &self.page);
        hidden("_key", &self.key);
        if self.operation.method != actix_web::http::Method::POST {
            hidden("_method", self.operation.method.as_str());
        }
        if let Some(next) = &self.next {
            hidden("_next", next);
        }
        if let Some(version) = self.version.filter(|_| self.operation.if_match) {
            hidden("_version", &version.to_string());
            if !self.operation.bare() && self.operation.method != actix_web::http::Method::POST {
                hidden("_seen", &self.seen().to_string());
            }
        }
        out
    }

    /// What the form was filled with, to tell later what somebody else has changed.
    fn seen(&self) -> Value {
        let Some(schema) = self.operation.body_schema() else { return Value::Null };
        let pairs = schema.properties.keys().filter_map(|name| Some((name.clone(), self.current.get(name)?.clone())));
        Value::Object(pairs.collect())
    }

    /// What was wrong, with links to the fields.
    fn summary(&self) -> String {
        let Some(typed) = &self.typed else { return String::new() };
        let t = self.tongue;
        if typed.resumed {
            return format!(
                r#"<div class="notice" role="alert"><p>{}</p></div>"#,
                t.t(
                    "サインインし直したため、まだ送信していません。入力した内容は残っています。確かめて、もう一度ボタンを押してください。",
                    "Nothing has been sent yet, because you had to sign in again. What you typed is still here: check it and press the button again."
                )
            );
        }
        let mut out = format!(
            r#"<div class="notice bad" role="alert" tabindex="-1" id="{}-problems"><h2>{}</h2>"#,
            self.prefix,
            t.t("送信できませんでした", "Not sent")
        );
        if let Some(message) = &typed.message {
            let _ = write!(out, "<p>{}</p>", esc(t.words(message)));
        }
        if !typed.fields.is_empty() {
            out.push_str("<ul>");
            for field in &typed.fields {
                let name = field.pointer.split('/').nth(1).unwrap_or_default();
                let detail = esc(t.words(&field.detail));
                if name.is_empty() {
                    let _ = write!(out, "<li>{detail}</li>");
                    continue;
                }
                let label = words::label(self.operation.body.as_deref(), name, t);
                let _ = write!(out, r##"<li><a href="#{}">{}</a>：{detail}</li>"##, self.target(&field.pointer), esc(&label));
            }
            out.push_str("</ul>");
        }
        if typed.stale {
            out.push_str(&self.changes(typed));
        }
        out.push_str("</div>");
        out
    }

    /// What somebody else changed since the form was made.
    fn changes(&self, typed: &Typed) -> String {
        let t = self.tongue;
        let before: Value = typed.value("_seen").and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
        let now = self.seen();
        let schema_name = self.operation.body.as_deref();
        let mut lines = String::new();
        for (name, value) in now.as_object().into_iter().flatten() {
            let old = before.get(name).unwrap_or(&Value::Null);
            if old != value && before.is_object() {
                let show = |value: &Value| super::values::plain(schema_name, name, value, t, &self.choices);
                let _ = write!(
                    lines,
                    "<li>{}：<del>{}</del> → <ins>{}</ins></li>",
                    esc(&words::label(schema_name, name, t)),
                    esc(&show(old)),
                    esc(&show(value))
                );
            }
        }
        let head = t.t(
            "ほかの人が変えた項目は次のとおりです。下の欄には、あなたの入力が残っています。このまま送信すると、あなたの入力で上書きします。",
            "Somebody else has changed the following. Your own input is still below; sending it again overwrites theirs.",
        );
        if lines.is_empty() { format!("<p>{head}</p>") } else { format!("<p>{head}</p><ul>{lines}</ul>") }
    }

    /// The fields that were not shown yet, in their natural order.
    pub fn rest(&self) -> String {
        let Some(schema) = self.operation.body_schema() else { return String::new() };
        let mut names: Vec<&str> = schema.properties.keys().map(String::as_str).collect();
        names.sort_by_key(|name| order::place(name));
        names.into_iter().filter(|name| !self.shown.borrow().contains(*name)).map(|name| self.field(name)).collect()
    }

    /// Leaves a field out of [`Form::rest`].
    pub fn without(&self, name: &str) -> &'static str {
        self.shown.borrow_mut().insert(name.to_owned());
        ""
    }

    /// A value that is sent without being shown.
    pub fn fixed(&self, name: &str, value: impl std::fmt::Display) -> String {
        self.without(name);
        format!(r#"<input type="hidden" name="/{name}" value="{}">"#, esc(&value.to_string()))
    }

    /// One field with its label, help and what was wrong with it.
    pub fn field(&self, name: &str) -> String {
        self.without(name);
        let Some(schema) = self.operation.body_schema() else { return String::new() };
        let Some(property) = schema.properties.get(name) else { return String::new() };
        let spot = Spot {
            schema: property,
            owner: self.operation.body.as_deref(),
            field: name,
            pointer: format!("/{name}"),
            required: schema.required.iter().any(|known| known == name),
            current: self.current.get(name).unwrap_or(&Value::Null),
            row: None,
        };
        self.spot(&spot)
    }

    /// Several fields.
    pub fn fields(&self, names: &[&str]) -> String {
        names.iter().map(|name| self.field(name)).collect()
    }

    /// The button, and the end.
    pub fn close(&self, label: &str) -> String {
        format!(r#"<p class="actions"><button type="submit">{}</button></p></form>"#, esc(label))
    }

    /// The whole form.
    pub fn whole(&self) -> String {
        format!("{}{}{}", self.open(), self.rest(), self.close(self.label()))
    }

    /// A form with nothing to fill in: a button.
    pub fn button(&self, label: &str, class: &str) -> String {
        format!(
            r#"{}<form method="post" action="/do{}" class="inline">{}<button type="submit" class="{class}">{}</button></form>"#,
            self.summary(),
            esc(&self.path),
            self.unseen(),
            esc(label)
        )
    }

    /// The id of what shows an error: entries of a list that has one field stand at this field.
    fn target(&self, pointer: &str) -> String {
        if let Some(variant) = pointer.strip_suffix("/@") {
            return format!("{}-kind", self.id(variant));
        }
        let name = pointer.split('/').nth(1).unwrap_or_default();
        let list = self.operation.body_schema().and_then(|schema| schema.properties.get(name)).is_some_and(has_one_field);
        if list { self.id(&format!("/{name}")) } else { self.id(pointer) }
    }

    /// The id of a field, for what a page draws itself.
    pub fn id(&self, pointer: &str) -> String {
        let tail: String = pointer.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
        format!("{}{tail}", self.prefix)
    }

    /// The value to show in a field: what was typed wins over what there is.
    fn text(&self, spot: &Spot<'_>) -> String {
        let Some(typed) = &self.typed else { return Self::shown(spot, spot.current) };
        let sent = typed.value(&spot.pointer).unwrap_or_default();
        // What this person left as it was is shown as somebody else has made it meanwhile, lest sending undoes their change.
        if typed.stale
            && let Some(before) = typed.value("_seen").and_then(|text| serde_json::from_str::<Value>(text).ok())
            && Self::shown(spot, before.pointer(&spot.pointer).unwrap_or(&Value::Null)) == sent
        {
            return Self::shown(spot, spot.current);
        }
        sent.to_owned()
    }

    /// A value as the field shows it.
    fn shown(spot: &Spot<'_>, value: &Value) -> String {
        let default = SHAPE.resolve(spot.schema).default.as_ref();
        match value {
            Value::Null => default.map(|value| as_text(spot.field, value)).unwrap_or_default(),
            value => match (SHAPE.resolve(spot.schema).format.as_deref(), value.as_str()) {
                (Some("date-time"), Some(text)) => local(text),
                _ => as_text(spot.field, value),
            },
        }
    }

    fn spot(&self, spot: &Spot<'_>) -> String {
        let schema = SHAPE.resolve(spot.schema);
        match schema.sort() {
            Sort::List => self.list(spot, schema),
            Sort::Object => self.object(spot, schema),
            Sort::Variants => self.variants(spot, schema),
            Sort::Boolean => self.tick(spot),
            _ => self.line(spot, schema),
        }
    }

    fn label_of(&self, spot: &Spot<'_>) -> String {
        words::label(spot.owner, spot.field, self.tongue)
    }

    /// What stands below the label: help and errors, and the attribute that ties them to the field.
    fn notes(&self, spot: &Spot<'_>) -> (String, String) {
        let id = self.id(&spot.pointer);
        let (mut out, mut described) = (String::new(), Vec::new());
        if let Some(help) = words::help(spot.owner, spot.field, self.tongue).filter(|_| spot.row.is_none_or(|row| row == 0)) {
            let _ = write!(out, r#"<p class="hint" id="{id}-help">{}</p>"#, esc(help));
            described.push(format!("{id}-help"));
        }
        let errors: Vec<String> =
            self.typed
                .iter()
                .flat_map(|typed| {
                    if has_one_field(spot.schema) { typed.errors_below(&spot.pointer) } else { typed.errors_at(&spot.pointer) }
                })
                .map(|field| esc(self.tongue.words(&field.detail)))
                .collect();
        if !errors.is_empty() {
            let _ = write!(out, r#"<p class="error" id="{id}-error">{}</p>"#, errors.join("<br>"));
            described.push(format!("{id}-error"));
        }
        let mut attributes = String::new();
        if !described.is_empty() {
            let _ = write!(attributes, r#" aria-describedby="{}""#, described.join(" "));
        }
        if !errors.is_empty() {
            attributes.push_str(r#" aria-invalid="true""#);
        }
        (out, attributes)
    }

    /// A must-fill mark that is also read aloud.
    fn mark(&self, required: bool) -> String {
        if required { format!(r#" <span class="must">{}</span>"#, self.tongue.t("必須", "required")) } else { String::new() }
    }

    fn line(&self, spot: &Spot<'_>, schema: &'static Schema) -> String {
        let id = self.id(&spot.pointer);
        let (notes, mut attributes) = self.notes(spot);
        let value = self.text(spot);
        let name = esc(&spot.pointer);
        let options = self.options(spot, schema);
        // An empty text may be a value; whether it is, the operation says.
        let fillable = schema.sort() != Sort::Text
            || schema.format.is_some()
            || options.is_some()
            || schema.min_length.is_some_and(|least| least > 0);
        let required = spot.required && spot.row.is_none() && fillable;
        let label = format!(r#"<label for="{id}">{}{}</label>"#, esc(&self.label_of(spot)), self.mark(required));
        if required {
            attributes.push_str(" required");
        }
        let input = if let Some(options) = options {
            let mut list = String::new();
            if !required || value.is_empty() {
                let _ = write!(list, r#"<option value="">{}</option>"#, self.tongue.t("選んでください", "Choose"));
            }
            if !value.is_empty() && !options.iter().any(|(known, _)| *known == value) {
                let _ = write!(list, r#"<option value="{0}" selected>{0}</option>"#, esc(&value));
            }
            for (known, words) in &options {
                let selected = if *known == value { " selected" } else { "" };
                let _ = write!(list, r#"<option value="{}"{selected}>{}</option>"#, esc(known), esc(words));
            }
            format!(r#"<select id="{id}" name="{name}"{attributes}>{list}</select>"#)
        } else {
            self.input(spot, schema, &id, &name, &value, &attributes)
        };
        format!(r#"<div class="field">{label}{notes}{input}</div>"#)
    }

    fn input(&self, spot: &Spot<'_>, schema: &Schema, id: &str, name: &str, value: &str, attributes: &str) -> String {
        let value = esc(value);
        let field = spot.field;
        if field == "content_base64" {
            return format!(r#"<input type="file" id="{id}" name="{name}"{attributes}>"#);
        }
        let longest = schema.max_length.map(|most| format!(r#" maxlength="{most}""#)).unwrap_or_default();
        match (schema.sort(), schema.format.as_deref()) {
            (Sort::Integer, _) if field.ends_with("_minute") && value != "24:00" => {
                format!(r#"<input type="time" id="{id}" name="{name}" value="{value}"{attributes}>"#)
            }
            (Sort::Integer | Sort::Number, _) => {
                format!(
                    r#"<input type="text" inputmode="numeric" class="number" id="{id}" name="{name}" value="{value}"{attributes} autocomplete="off">"#
                )
            }
            (_, Some("date")) => format!(r#"<input type="date" id="{id}" name="{name}" value="{value}"{attributes}>"#),
            (_, Some("date-time")) => {
                format!(r#"<input type="datetime-local" id="{id}" name="{name}" value="{value}"{attributes}>"#)
            }
            _ if field.contains("password") => {
                let kind = if field.starts_with("new") { "new-password" } else { "current-password" };
                format!(r#"<input type="password" id="{id}" name="{name}" autocomplete="{kind}"{attributes}>"#)
            }
            _ if field.ends_with("email") => {
                format!(r#"<input type="email" id="{id}" name="{name}" value="{value}"{longest}{attributes} autocomplete="off">"#)
            }
            _ if schema.max_length.is_none_or(|most| most > ONE_LINE) => {
                format!(r#"<textarea id="{id}" name="{name}"{longest}{attributes} rows="4">{value}</textarea>"#)
            }
            _ => {
                format!(r#"<input type="text" id="{id}" name="{name}" value="{value}"{longest}{attributes} autocomplete="off">"#)
            }
        }
    }

    /// What a field offers, if it offers something.
    fn options(&self, spot: &Spot<'_>, schema: &'static Schema) -> Option<Vec<choices::Choice>> {
        let words: Vec<choices::Choice> =
            schema.values().map(|value| (value.to_owned(), words::value(schema, value, self.tongue))).collect();
        if !words.is_empty() {
            return Some(words);
        }
        choices::kind_of(spot.field, spot.schema.name()).and_then(|kind| self.choices.of(kind)).map(<[_]>::to_vec)
    }

    fn tick(&self, spot: &Spot<'_>) -> String {
        let id = self.id(&spot.pointer);
        let (notes, attributes) = self.notes(spot);
        let name = esc(&spot.pointer);
        let checked = if self.text(spot) == "true" { " checked" } else { "" };
        format!(
            r#"<div class="field"><input type="hidden" name="{name}" value="false"><label class="choice"><input type="checkbox" id="{id}" name="{name}" value="true"{checked}{attributes}> <span>{}</span></label>{notes}</div>"#,
            esc(&self.label_of(spot))
        )
    }

    fn object(&self, spot: &Spot<'_>, schema: &'static Schema) -> String {
        let inner: String = self.members(schema, spot.schema.name(), &spot.pointer, spot.current, spot.row, spot.required);
        let (notes, _) = self.notes(spot);
        format!(
            r#"<fieldset id="{}"><legend>{}</legend>{notes}{inner}</fieldset>"#,
            self.id(&spot.pointer),
            esc(&self.label_of(spot))
        )
    }

    fn members(
        &self,
        schema: &'static Schema,
        owner: Option<&str>,
        pointer: &str,
        current: &Value,
        row: Option<usize>,
        required: bool,
    ) -> String {
        let mut names: Vec<&str> = schema.properties.keys().map(String::as_str).collect();
        names.sort_by_key(|name| order::place(name));
        names
            .into_iter()
            .filter_map(|name| {
                let property = schema.properties.get(name)?;
                let spot = Spot {
                    schema: property,
                    owner,
                    field: name,
                    pointer: format!("{pointer}/{name}"),
                    // What may be left out as a whole is not demanded by the browser.
                    required: required && schema.required.iter().any(|known| known == name),
                    current: current.get(name).unwrap_or(&Value::Null),
                    row,
                };
                Some(self.spot(&spot))
            })
            .collect()
    }

    fn list(&self, spot: &Spot<'_>, schema: &'static Schema) -> String {
        let Some(items) = schema.items.as_deref() else { return String::new() };
        let resolved = SHAPE.resolve(items);
        match resolved.sort() {
            Sort::Object | Sort::Variants => self.rows(spot, schema, items),
            _ => self.several(spot, items, resolved),
        }
    }

    /// Boxes to tick, or one entry a line.
    fn several(&self, spot: &Spot<'_>, items: &'static Schema, resolved: &'static Schema) -> String {
        let id = self.id(&spot.pointer);
        let name = esc(&spot.pointer);
        let (notes, attributes) = self.notes(spot);
        let chosen: Vec<String> = match &self.typed {
            Some(typed) => typed.all(&spot.pointer).into_iter().map(str::to_owned).collect(),
            None => spot.current.as_array().into_iter().flatten().map(|value| as_text(spot.field, value)).collect(),
        };
        let offered = Spot { schema: items, current: &Value::Null, pointer: spot.pointer.clone(), ..*spot };
        let Some(options) = self.options(&offered, resolved) else {
            return format!(
                r#"<div class="field"><label for="{id}">{}<span class="hint">{}</span></label>{notes}<textarea id="{id}" name="{name}" rows="3"{attributes}>{}</textarea></div>"#,
                esc(&self.label_of(spot)),
                self.tongue.t("（1行に1つ）", " (one a line)"),
                esc(&chosen.join("\n"))
            );
        };
        if RANKED.contains(&spot.field) {
            return self.ranked(spot, &chosen, &options);
        }
        // What is chosen comes first and as it was, also what is no longer offered: saving a form untouched changes nothing.
        let mut boxes = String::new();
        let mut offer = |value: &str, words: &str, checked: &str| {
            let _ = write!(
                boxes,
                r#"<label class="choice"><input type="checkbox" name="{name}" value="{}"{checked}> <span>{}</span></label>"#,
                esc(value),
                esc(words)
            );
        };
        for value in &chosen {
            offer(value, &label_in(&options, value), " checked");
        }
        for (value, words) in options.iter().filter(|(value, _)| !chosen.contains(value)) {
            offer(value, words, "");
        }
        let scroll = if options.len() > 12 { r#" class="boxes many" tabindex="0" role="group""# } else { r#" class="boxes""# };
        let group = if options.len() > 12 { format!(r#" aria-label="{}""#, esc(&self.label_of(spot))) } else { String::new() };
        format!(
            r#"<fieldset id="{id}"{attributes}><legend>{}</legend>{notes}<input type="hidden" name="{name}" value=""><div{scroll}{group}>{boxes}</div></fieldset>"#,
            esc(&self.label_of(spot))
        )
    }

    /// One choice after another, where their order says something.
    fn ranked(&self, spot: &Spot<'_>, chosen: &[String], options: &[choices::Choice]) -> String {
        let id = self.id(&spot.pointer);
        let (notes, attributes) = self.notes(spot);
        let most = SHAPE.resolve(spot.schema).max_items.and_then(|most| usize::try_from(most).ok()).unwrap_or(BLANK_ROWS);
        let mut lines = String::new();
        for place in 0..(chosen.len() + 1).max(BLANK_ROWS).min(most.max(chosen.len())) {
            let value = chosen.get(place);
            let mut list = format!(r#"<option value="">{}</option>"#, self.tongue.t("指定しない", "None"));
            if let Some(value) = value {
                let _ = write!(list, r#"<option value="{}" selected>{}</option>"#, esc(value), esc(&label_in(options, value)));
            }
            for (known, words) in options.iter().filter(|(known, _)| Some(known) != value) {
                let _ = write!(list, r#"<option value="{}">{}</option>"#, esc(known), esc(words));
            }
            let label = if self.tongue.english() { format!("Choice {}", place + 1) } else { format!("第{}希望", place + 1) };
            let _ = write!(
                lines,
                r#"<div class="field"><label for="{id}-{place}">{label}</label><select id="{id}-{place}" name="{}">{list}</select></div>"#,
                esc(&spot.pointer)
            );
        }
        format!(r#"<fieldset id="{id}"{attributes}><legend>{}</legend>{notes}{lines}</fieldset>"#, esc(&self.label_of(spot)))
    }

    /// Rows of fields, with some blank ones below.
    fn rows(&self, spot: &Spot<'_>, schema: &'static Schema, items: &'static Schema) -> String {
        let resolved = SHAPE.resolve(items);
        let have = match &self.typed {
            Some(typed) => (0..200).take_while(|index| typed.has(&format!("{}/{index}", spot.pointer))).count(),
            None => spot.current.as_array().map_or(0, Vec::len),
        };
        let most = schema.max_items.and_then(|most| usize::try_from(most).ok()).unwrap_or(200);
        let blank = if self.typed.is_some() && have > 0 { 0 } else { BLANK_ROWS };
        let (notes, _) = self.notes(spot);
        let label = self.label_of(spot);
        let name = esc(&spot.pointer);
        let mut out = format!(
            r#"<fieldset class="rows" id="{}"><legend>{}</legend>{notes}<input type="hidden" name="{name}" value="">"#,
            self.id(&spot.pointer),
            esc(&label)
        );
        for index in 0..(have + blank).min(most) {
            let pointer = format!("{}/{index}", spot.pointer);
            let current = spot.current.get(index).unwrap_or(&Value::Null);
            let inner = if resolved.sort() == Sort::Variants {
                let row = Spot {
                    schema: items,
                    pointer,
                    current,
                    row: Some(index),
                    owner: spot.owner,
                    field: spot.field,
                    required: false,
                };
                self.variants(&row, resolved)
            } else {
                let legend =
                    if self.tongue.english() { format!("{label} {}", index + 1) } else { format!("{label} {}件目", index + 1) };
                format!(
                    r#"<fieldset class="row" id="{}"><legend>{}</legend>{}</fieldset>"#,
                    self.id(&pointer),
                    esc(&legend),
                    self.members(resolved, items.name(), &pointer, current, Some(index), true)
                )
            };
            out.push_str(&inner);
        }
        let _ = write!(
            out,
            r#"<p class="hint">{}</p></fieldset>"#,
            self.tongue.t(
                "空欄の行は保存されません。足りないときは、いったん保存すると行が増えます。",
                "Blank rows are not kept. Save to get more rows."
            )
        );
        out
    }

    /// A choice of variants, each with its own fields.
    fn variants(&self, spot: &Spot<'_>, schema: &'static Schema) -> String {
        let Some((property, variants)) = schema.variants() else { return String::new() };
        let chosen = match &self.typed {
            Some(typed) => typed.value(&format!("{}/@", spot.pointer)).unwrap_or_default().to_owned(),
            None => spot.current.get(property).and_then(Value::as_str).unwrap_or_default().to_owned(),
        };
        let id = format!("{}-kind", self.id(&spot.pointer));
        let (mut options, mut parts) = (format!(r#"<option value="">{}</option>"#, self.tongue.t("なし", "None")), String::new());
        for (name, variant) in variants {
            let words = words::label(None, &format!("{}@{name}", spot.schema.name().unwrap_or_default()), self.tongue);
            let words = if words.contains('@') { words::label(None, name, self.tongue) } else { words };
            let here = name == chosen;
            let _ = write!(options, r#"<option value="{name}"{}>{}</option>"#, if here { " selected" } else { "" }, esc(&words));
            if variant.properties.len() > 1 {
                let current = if here { spot.current } else { &Value::Null };
                let mut members: Vec<&str> =
                    variant.properties.keys().map(String::as_str).filter(|name| *name != property).collect();
                members.sort_by_key(|name| order::place(name));
                let inner: String = members
                    .into_iter()
                    .filter_map(|field| {
                        let spot = Spot {
                            schema: variant.properties.get(field)?,
                            owner: None,
                            field,
                            pointer: format!("{}/@{name}/{field}", spot.pointer),
                            required: false,
                            current: current.get(field).unwrap_or(&Value::Null),
                            row: None,
                        };
                        Some(self.spot(&spot))
                    })
                    .collect();
                let _ = write!(
                    parts,
                    r#"<details{}><summary>{}</summary>{inner}</details>"#,
                    if here { " open" } else { "" },
                    esc(&words)
                );
            }
        }
        let (notes, attributes) = self.notes(spot);
        let label = match spot.row {
            Some(row) => format!("{} {}", self.label_of(spot), row + 1),
            None => self.label_of(spot),
        };
        format!(
            r#"<fieldset class="row" id="{}"><legend>{}</legend>{notes}<div class="field"><label for="{id}">{}</label><select id="{id}" name="{}/@"{attributes}>{options}</select></div>{parts}</fieldset>"#,
            self.id(&spot.pointer),
            esc(&label),
            self.tongue.t("種類", "Kind"),
            esc(&spot.pointer)
        )
    }
}

/// Whether a list has one field for all its entries: boxes to tick, or one entry a line.
fn has_one_field(schema: &'static Schema) -> bool {
    let items = SHAPE.resolve(schema).items.as_deref().map(|items| SHAPE.resolve(items).sort());
    items.is_some_and(|sort| !matches!(sort, Sort::Object | Sort::Variants))
}

/// What a choice is called; what is not offered any more has its number.
fn label_in(options: &[choices::Choice], value: &str) -> String {
    options.iter().find(|(known, _)| known == value).map_or_else(|| format!("#{value}"), |(_, words)| words.clone())
}

/// An address without what a form that succeeded has left there.
fn without_done(place: &str) -> String {
    let Some((path, query)) = place.split_once('?') else { return place.to_owned() };
    let kept = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "done");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// A value as a field shows it.
fn as_text(field: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if field.ends_with("_minute") => {
            number.as_i64().map_or_else(|| number.to_string(), |minute| format!("{:02}:{:02}", minute / 60, minute % 60))
        }
        other => other.to_string(),
    }
}

/// An instant as the clocks of Japan show it, for a field of day and time.
fn local(text: &str) -> String {
    chrono::DateTime::parse_from_rfc3339(text)
        .map(|at| crate::clock::UtcTime::new(at.to_utc()).jst().format("%Y-%m-%dT%H:%M").to_string())
        .unwrap_or_default()
}
