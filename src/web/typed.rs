//! What somebody typed into a form, read as the body of an operation. A field's name is the JSON pointer of its value, so
//! that what the operation finds wrong leads back to the field. Blank is "not given"; a blank row of a list is no row.
//! Days may be typed as people write them (R8.4.1, 令和8年4月1日), times as 9:30, numbers with commas and in full width.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::shape::{SHAPE, Schema, Sort};
use crate::calendar;
use crate::error::{Error, ErrorCode, FieldError, Words};

/// What was typed and what was wrong with it, on the way back to its form.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// The operation it was meant for.
    pub operation: String,
    /// Path of the object below `/api/v1`.
    pub path: String,
    /// Names and values as they were sent.
    pub values: Vec<(String, String)>,
    /// What was wrong, field by field.
    pub fields: Vec<FieldError>,
    /// What was wrong as a whole.
    pub message: Option<Words>,
    /// Whether somebody else changed the object meanwhile.
    pub stale: bool,
    /// Whether the person had to sign in again before it could be sent.
    pub resumed: bool,
}

impl Typed {
    /// The value of a field, if the form had it.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a field.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.values.iter().filter(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str()).collect()
    }

    /// Whether it holds anything below a pointer.
    pub fn has(&self, pointer: &str) -> bool {
        self.values.iter().any(|(name, _)| name == pointer || name.strip_prefix(pointer).is_some_and(|r| r.starts_with('/')))
    }

    /// What is wrong at exactly this field.
    pub fn errors_at(&self, pointer: &str) -> Vec<&FieldError> {
        self.fields.iter().filter(|field| field.pointer == pointer).collect()
    }

    /// What is wrong at this field or at an entry of it.
    pub fn errors_below(&self, pointer: &str) -> Vec<&FieldError> {
        let below = |field: &&FieldError| {
            field.pointer == pointer || field.pointer.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/'))
        };
        self.fields.iter().filter(below).collect()
    }

    /// What an operation said about it.
    pub fn refused(&mut self, error: &Error, moved: &BTreeMap<String, String>) {
        self.stale = error.code == ErrorCode::StaleVersion;
        self.fields = error
            .fields
            .iter()
            .map(|field| FieldError { pointer: back(&field.pointer, moved), code: field.code, detail: field.detail.clone() })
            .collect();
        self.message = Some(error.detail.clone().unwrap_or_else(|| error.code.title()));
    }
}

/// The field of a pointer: rows that were left blank are not counted by the operation.
fn back(pointer: &str, moved: &BTreeMap<String, String>) -> String {
    let best =
        moved.iter().filter(|(to, _)| pointer == *to || pointer.starts_with(&format!("{to}/"))).max_by_key(|(to, _)| to.len());
    match best {
        Some((to, from)) => format!("{from}{}", &pointer[to.len()..]),
        None => pointer.to_owned(),
    }
}

/// Deepest pointer that is read: no body of the API is deeper, and what nests without end would exhaust the stack.
const MOST_PARTS: usize = 16;

/// A body read from a form.
#[derive(Debug)]
pub struct Read {
    /// The body.
    pub body: Value,
    /// Where rows went, for [`Typed::refused`]: pointer in the body to pointer in the form.
    pub moved: BTreeMap<String, String>,
}

#[derive(Default, Debug)]
struct Node {
    values: Vec<String>,
    children: BTreeMap<String, Node>,
}

impl Node {
    fn put(&mut self, pointer: &str, value: &str) {
        let mut node = self;
        for part in pointer.split('/').skip(1) {
            node = node.children.entry(part.to_owned()).or_default();
        }
        node.values.push(value.to_owned());
    }

    fn last(&self) -> &str {
        self.values.last().map(String::as_str).unwrap_or_default()
    }

    /// Nothing in it that a person entered: unticked boxes count as nothing.
    fn blank(&self) -> bool {
        self.values.iter().all(|value| value.trim().is_empty() || value == "false") && self.children.values().all(Self::blank)
    }
}

struct Reader {
    creates: bool,
    fields: Vec<FieldError>,
    moved: BTreeMap<String, String>,
}

/// Reads a body; every field that cannot be read is named. Where something is made or done (POST), a list in which nothing was
/// chosen is not given; where something is changed, it empties what there was.
pub fn read(schema: &'static Schema, values: &[(String, String)], creates: bool) -> Result<Read, Vec<FieldError>> {
    let mut root = Node::default();
    for (name, value) in values.iter().filter(|(name, _)| name.starts_with('/') && name.matches('/').count() <= MOST_PARTS) {
        root.put(name, value);
    }
    let mut reader = Reader { creates, fields: Vec::new(), moved: BTreeMap::new() };
    let body = reader.object(SHAPE.resolve(schema), &root, "", "");
    if reader.fields.is_empty() { Ok(Read { body: Value::Object(body), moved: reader.moved }) } else { Err(reader.fields) }
}

impl Reader {
    fn wrong(&mut self, pointer: &str, code: &'static str, ja: &'static str, en: &'static str) {
        self.fields.push(FieldError { pointer: pointer.to_owned(), code, detail: Words::new(ja, en) });
    }

    fn object(&mut self, schema: &'static Schema, node: &Node, from: &str, to: &str) -> Map<String, Value> {
        let mut body = Map::new();
        for (name, property) in &schema.properties {
            let Some(child) = node.children.get(name) else { continue };
            let required = schema.required.iter().any(|known| known == name);
            let (from, to) = (format!("{from}/{name}"), format!("{to}/{name}"));
            let value = self.value(property, child, &from, &to, required);
            let chosen_nothing = value.as_ref().and_then(Value::as_array).is_some_and(Vec::is_empty);
            if let Some(value) = value.filter(|_| required || !self.creates || !chosen_nothing) {
                body.insert(name.clone(), value);
            }
        }
        body
    }

    fn value(&mut self, schema: &'static Schema, node: &Node, from: &str, to: &str, required: bool) -> Option<Value> {
        let nullable = schema.nullable();
        let schema = SHAPE.resolve(schema);
        match schema.sort() {
            Sort::Object if schema.properties.is_empty() => serde_json::from_str(node.last()).ok(),
            Sort::Object => {
                if node.blank() && !required {
                    return nullable.then_some(Value::Null);
                }
                Some(Value::Object(self.object(schema, node, from, to)))
            }
            Sort::Variants => self.variant(schema, node, from, to, required),
            Sort::List => Some(self.list(schema, node, from, to)),
            _ => self.scalar(schema, node.last(), from, required, nullable || schema.nullable()),
        }
    }

    /// The chosen variant: its name under `@`, its members under `@name`.
    fn variant(&mut self, schema: &'static Schema, node: &Node, from: &str, to: &str, required: bool) -> Option<Value> {
        let chosen = node.children.get("@").map(Node::last).unwrap_or_default();
        let (property, mut variants) = schema.variants()?;
        let Some((name, variant)) = variants.find(|(name, _)| *name == chosen) else {
            if required {
                self.wrong(&format!("{from}/@"), "required", "選んでください", "Choose one");
            }
            return None;
        };
        let place = format!("@{name}");
        let empty = Node::default();
        let inner = node.children.get(&place).unwrap_or(&empty);
        self.moved.insert(to.to_owned(), format!("{from}/{place}"));
        let mut body = self.object(variant, inner, &format!("{from}/{place}"), to);
        body.insert(property.to_owned(), json!(name));
        Some(Value::Object(body))
    }

    fn list(&mut self, schema: &'static Schema, node: &Node, from: &str, to: &str) -> Value {
        let Some(items) = schema.items.as_deref() else { return json!([]) };
        let mut list = Vec::new();
        // Ticked boxes, or one entry a line.
        for text in node.values.iter().flat_map(|value| value.split(['\n', '\r'])).map(str::trim).filter(|t| !t.is_empty()) {
            let resolved = SHAPE.resolve(items);
            if let Some(value) = self.scalar(resolved, text, from, true, false) {
                list.push(value);
            }
        }
        let mut rows: Vec<(usize, &Node)> =
            node.children.iter().filter_map(|(name, child)| Some((name.parse().ok()?, child))).collect();
        rows.sort_by_key(|(index, _)| *index);
        for (index, row) in rows.into_iter().filter(|(_, row)| !row.blank()) {
            let (from, to) = (format!("{from}/{index}"), format!("{to}/{}", list.len()));
            if from != to {
                self.moved.insert(to.clone(), from.clone());
            }
            if let Some(value) = self.value(items, row, &from, &to, true) {
                list.push(value);
            }
        }
        Value::Array(list)
    }

    fn scalar(&mut self, schema: &'static Schema, typed: &str, from: &str, required: bool, nullable: bool) -> Option<Value> {
        let text = typed.trim();
        let sort = schema.sort();
        if text.is_empty() && sort != Sort::Boolean {
            // An empty text is a text; the operation says whether it may be.
            let plain_text = sort == Sort::Text && schema.format.is_none() && schema.values().next().is_none();
            if plain_text && !nullable {
                return Some(json!(""));
            }
            if required {
                self.wrong(from, "required", "入力してください", "Must not be empty");
                return None;
            }
            return nullable.then_some(Value::Null);
        }
        match sort {
            Sort::Boolean => Some(json!(text == "true" || text == "on")),
            Sort::Integer => {
                let number = whole_number(text);
                if number.is_none() {
                    self.wrong(
                        from,
                        "not_a_number",
                        "数字で入力してください（時刻は 9:30 の形）",
                        "Enter a number (a time as 9:30)",
                    );
                }
                number.map(|number| json!(number))
            }
            Sort::Number => {
                let number: Option<f64> = narrow(text).replace(',', "").parse().ok().filter(|n: &f64| n.is_finite());
                if number.is_none() {
                    self.wrong(from, "not_a_number", "数字で入力してください", "Enter a number");
                }
                number.map(|number| json!(number))
            }
            _ => match schema.format.as_deref() {
                Some("date") => {
                    let day = calendar::parse_japanese_date(text).ok();
                    if day.is_none() {
                        self.wrong(
                            from,
                            "not_a_date",
                            "日付で入力してください（例: 2026-04-01、R8.4.1、令和8年4月1日）",
                            "Enter a date such as 2026-04-01",
                        );
                    }
                    day.map(|day| json!(day))
                }
                Some("date-time") => {
                    let instant = instant(text);
                    if instant.is_none() {
                        self.wrong(from, "not_an_instant", "日付と時刻で入力してください", "Enter a date and a time");
                    }
                    instant.map(|instant| json!(instant))
                }
                // Browsers send line breaks as CR LF.
                _ => Some(json!(typed.replace("\r\n", "\n").trim_end())),
            },
        }
    }
}

/// Full-width digits and signs as ASCII.
fn narrow(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '！'..='～' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            '−' | '―' | 'ー' => '-',
            c => c,
        })
        .collect()
}

/// A number, or a time of day in minutes.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    let text = narrow(text).replace(',', "");
    if let Some((hours, minutes)) = text.split_once(':') {
        let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.split(':').next()?.parse().ok()?);
        return ((0..=24).contains(&hours) && (0..60).contains(&minutes)).then(|| hours * 60 + minutes);
    }
    text.trim_end_matches(['円', '分', '人', '回']).trim().parse().ok()
}

/// `2026-04-01T09:30` by the clocks of Japan, or a full RFC 3339 instant.
fn instant(text: &str) -> Option<String> {
    if chrono::DateTime::parse_from_rfc3339(text).is_ok() {
        return Some(text.to_owned());
    }
    let (day, time) = text.split_once(['T', ' '])?;
    let day = calendar::parse_japanese_date(day).ok()?;
    let minutes = whole_number(time).filter(|_| time.contains(':'))?;
    Some(format!("{day}T{:02}:{:02}:00+09:00", minutes / 60, minutes % 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(id: &str) -> &'static Schema {
        SHAPE.operation(id).unwrap().body_schema().unwrap()
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn reads_what_people_type() {
        let typed = pairs(&[
            ("/theme", "窓口"),
            ("/background", "一行目\r\n二行目"),
            ("/period_from", "R8.6.1"),
            ("/minutes_per_visit", "２時間"),
        ]);
        let wrong = read(body("create_request"), &typed, false).unwrap_err();
        assert_eq!(wrong.iter().map(|f| f.pointer.as_str()).collect::<Vec<_>>(), ["/minutes_per_visit"]);
        let typed = pairs(&[
            ("/period_from", "令和8年6月1日"),
            ("/background", "一行目\r\n二行目"),
            ("/minutes_per_visit", "１２０"),
            ("/leave_to_office", "false"),
            ("/leave_to_office", "true"),
            ("/wished_dates/0/day", ""),
            ("/wished_dates/1/day", "2026-06-10"),
            ("/wished_dates/1/start_minute", "13:30"),
            ("/participant_organisation_ids", ""),
            ("/languages", "英語\r\n中国語"),
        ]);
        let found = read(body("create_request"), &typed, false).unwrap();
        assert_eq!(found.body["period_from"], "2026-06-01");
        assert_eq!(found.body["background"], "一行目\n二行目");
        assert_eq!(found.body["minutes_per_visit"], 120);
        assert_eq!(found.body["leave_to_office"], true);
        assert_eq!(found.body["wished_dates"], json!([{"day": "2026-06-10", "start_minute": 810}]));
        assert_eq!(found.body["participant_organisation_ids"], json!([]));
        assert_eq!(found.body["languages"], json!(["英語", "中国語"]));
        // The blank row before it is not counted by the operation; its complaint finds the row all the same.
        assert_eq!(back("/wished_dates/0/day", &found.moved), "/wished_dates/1/day");
    }

    #[test]
    fn reads_the_chosen_variant_alone() {
        let typed = pairs(&[
            ("/fiscal_year", "2026"),
            ("/rules/fee_table/@", "per_visit"),
            ("/rules/fee_table/@timed/yen_per_unit", "junk"),
            ("/rules/fee_table/@per_visit/yen", "12,000"),
        ]);
        let found = read(body("create_programme_year"), &typed, true).unwrap();
        assert_eq!(found.body["rules"]["fee_table"]["kind"], "per_visit");
        assert_eq!(back("/rules/fee_table/yen", &found.moved), "/rules/fee_table/@per_visit/yen");
    }

    proptest::proptest! {
        #[test]
        fn nothing_typed_makes_it_panic(names in proptest::collection::vec("(/[a-z_0-9@]{0,12}){1,4}", 0..8), value in ".{0,40}") {
            let typed: Vec<_> = names.into_iter().map(|name| (name, value.clone())).collect();
            for id in ["create_request", "create_programme_year", "create_allocation", "choose_notifications"] {
                let _ = read(body(id), &typed, id.starts_with("create")).map(|found| found.body.to_string());
            }
        }
    }
}
