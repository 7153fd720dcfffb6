//! The filters that a person keeps: beside each list, and all of them on one page.

use std::fmt::Write as _;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::{Value, json};

use super::filter_store::{self as store, SavedFilterRow};
use super::filters::conditions;
use crate::auth::policy::OwnAccount;
use crate::db::Conn;
use crate::error::Error;
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::page::{Page, Sheet, View};
use crate::web::shape::{Operation, SHAPE, Schema};
use crate::web::tongue::{Tongue, esc};
use crate::web::words;

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/saved-filters", web::get().to(show));
}

fn link(row: &SavedFilterRow) -> String {
    format!("{}?{}", row.page, row.query)
}

/// What the person has kept for a list, and a way to keep the conditions that are set now.
pub fn beside<N: AsRef<str>>(conn: &mut Conn, view: &View, page: &str, set: &[(N, String)]) -> Result<String, Error> {
    let Some(user) = view.ctx.principal.user_id() else { return Ok(String::new()) };
    let set = conditions(&form_urlencoded::Serializer::new(String::new()).extend_pairs(set).finish());
    let rows = store::list(conn, user, Some(page))?;
    let mut out = String::new();
    if !rows.is_empty() {
        let label = view.t("自分で残した条件", "Filters kept by yourself");
        let _ = write!(out, r#"<nav class="main" aria-label="{label}"><ul>"#);
        for row in &rows {
            let here = if row.query == set { r#" aria-current="true""# } else { "" };
            let _ = write!(out, r#"<li><a href="{}"{here}>{}</a></li>"#, esc(&link(row)), esc(&row.name));
        }
        let _ = write!(out, r#"<li><a href="/saved-filters">{}</a></li></ul></nav>"#, view.t("整理する", "Tidy up"));
    }
    if !set.is_empty() && !rows.iter().any(|row| row.query == set) {
        let form = Form::new(view, "save_filter", "/saved-filters", Value::Null, Choices::default())?;
        let open = if form.refused() { " open" } else { "" };
        let _ = write!(
            out,
            r#"<details class="filter"{open}><summary>{}</summary>{}{}{}{}{}</details>"#,
            view.t("この条件を名前を付けて残す", "Keep this filter under a name"),
            form.open(),
            form.fixed("page", page),
            form.fixed("query", &set),
            form.field("name"),
            form.close(view.t("残す", "Keep"))
        );
    }
    Ok(out)
}

struct Line {
    href: String,
    name: String,
    list: String,
    conditions: String,
    remove: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ tongue.t("残した条件", "Filters kept") }}</h1>
<p>{{ tongue.t("一覧を絞り込んだときに名前を付けて残した条件です。自分だけに見えます。", "Filters of lists that you have kept under a name; nobody else sees them.") }}</p>
{% if lines.is_empty() %}<p>{{ tongue.t("まだありません。申請などの一覧を絞り込むと、その条件を残せます。", "None yet. Filter a list, such as that of requests, to keep its filter.") }}</p>
{% else %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("残した条件", "Filters kept") }}"><table><thead><tr><th scope="col">{{ tongue.t("名前", "Name") }}</th><th scope="col">{{ tongue.t("一覧", "List") }}</th><th scope="col">{{ tongue.t("条件", "Conditions") }}</th><th scope="col">{{ tongue.t("操作", "Action") }}</th></tr></thead><tbody>
{% for line in lines %}<tr><th scope="row"><a href="{{ line.href }}">{{ line.name }}</a></th><td>{{ line.list }}</td><td>{{ line.conditions }}</td><td>{{ line.remove|safe }}</td></tr>{% endfor %}</tbody></table></div>{% endif %}"#
)]
struct Kept {
    tongue: Tongue,
    lines: Vec<Line>,
}

/// The conditions in words: what each is called, and its value where that is a word of its own.
fn in_words(t: Tongue, row: &SavedFilterRow) -> String {
    let list = SHAPE.at(&Method::GET, &row.page);
    let said = |name: &str, value: &str| {
        let schema = list.and_then(|list| words_of(list, name));
        let words = |one: &str| match schema {
            Some(schema) if schema.values().any(|known| known == one) => words::value(schema, one, t),
            _ => one.to_owned(),
        };
        let values: Vec<String> = value.split(',').map(words).collect();
        format!("{}：{}", words::label(None, name, t), values.join(t.t("・", ", ")))
    };
    let all: Vec<String> = form_urlencoded::parse(row.query.as_bytes()).map(|(name, value)| said(&name, &value)).collect();
    all.join(t.t("、", "; "))
}

/// What says the words of a condition's values: the condition itself, or the member of the same name in the rows of the list,
/// where the condition takes several values as one text.
fn words_of(list: &'static Operation, name: &str) -> Option<&'static Schema> {
    let (_, condition) = list.query.iter().find(|(known, _)| known == name)?;
    let condition = SHAPE.resolve(condition);
    if condition.values().next().is_some() {
        return Some(condition);
    }
    let rows = SHAPE.schema(list.answer.as_deref()?)?.properties.get("items")?;
    let row = SHAPE.resolve(rows.items.as_deref()?);
    Some(SHAPE.resolve(row.properties.get(name)?))
}

async fn show(page: Page<OwnAccount>) -> Result<HttpResponse, Error> {
    page.show(|conn, view| {
        let t = view.tongue;
        let Some(user) = view.ctx.principal.user_id() else { return Err(Error::not_found()) };
        let line = |row: SavedFilterRow| {
            let path = format!("/saved-filters/{}/remove", row.id);
            let form = Form::new(view, "remove_saved_filter", path, json!({}), Choices::default())?;
            let removes = if t.english() { format!("Remove “{}”", row.name) } else { format!("「{}」を消す", row.name) };
            Ok(Line {
                href: link(&row),
                list: SHAPE.at(&Method::GET, &row.page).map(|list| list.label(t).to_owned()).unwrap_or_default(),
                conditions: in_words(t, &row),
                remove: form.button(&removes, "plain"),
                name: row.name,
            })
        };
        let lines = store::list(conn, user, None)?.into_iter().map(line).collect::<Result<Vec<Line>, Error>>()?;
        Ok(Sheet::new(view.t("残した条件", "Filters kept"), Kept { tongue: t, lines }))
    })
    .await
}
