//! The editor of when an expert can work: the ordinary week and its exceptions, for the expert and for the office.

use std::fmt::Write as _;

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::auth::policy::{ManageAvailability, ReadExperts, ReadWorkload};
use crate::db::Conn;
use crate::error::Error;
use crate::experts::availability::{self, ExpertAvailabilityView};
use crate::experts::page_own::{self, Asked, Ready};
use crate::experts::page_parts;
use crate::experts::store::{self, ExpertRow};
use crate::ids::ExpertId;
use crate::pools::store::Standing;
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::{Tongue, esc};

/// Blank rows below those of the week.
const BLANK_ROWS: usize = 3;
/// What the form is sent to.
const OPERATION: &str = "replace_expert_availability";
/// Rows of a week that nobody has filled in yet.
const FIRST_ROWS: usize = 5;

/// Registers the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/my-availability", web::get().to(own)).route("/experts/{id:[0-9]+}/availability", web::get().to(of_expert));
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{{ crumbs|safe }}<h1>{{ title }}</h1>
{{ others|safe }}
<p>{{ tongue.t("ここで示した日時は、打診の候補日に使われます。すでに決まっている訪問は変わりません。", "Offers are made for these times. Visits already agreed stand.") }}</p>
<div class="columns"><div>{% if form.is_empty() %}{{ week|safe }}{% else %}{{ form|safe }}{% endif %}</div>
{% if !form.is_empty() %}<aside aria-label="{{ tongue.t("いまの登録", "As it is now") }}"><h2>{{ tongue.t("いまの登録", "As it is now") }}</h2>{{ week|safe }}</aside>{% endif %}</div>"#
)]
struct Editor {
    tongue: Tongue,
    crumbs: String,
    title: String,
    others: String,
    week: String,
    form: String,
}

fn editor(
    conn: &mut Conn,
    view: &View,
    row: &ExpertRow,
    (title, crumbs, others): (String, String, String),
    (notes, may_change): (bool, bool),
) -> Result<Sheet<Ready>, Error> {
    let times = availability::view(conn, row, notes)?;
    let form = if may_change && view.may::<ManageAvailability>() { form(view, row.id, &times)? } else { String::new() };
    let week = page_parts::week(&times, view.ctx.today(), view.tongue);
    let content = Editor { tongue: view.tongue, crumbs, title: title.clone(), others, week, form };
    Ok(Sheet::new(title, Ready { html: content.render().map_err(Error::internal)? }))
}

async fn own(page: Page<ReadWorkload>) -> Result<HttpResponse, Error> {
    let asked: Asked = page.query()?;
    page.show(move |conn, view| {
        let title = if view.tongue.english() { "My availability" } else { "対応できる日時" };
        let Some((row, others)) = page_own::own(conn, view, asked.expert_id, "/my-availability")? else {
            return page_own::nobody(view, title);
        };
        let others = page_own::others_html(&others, view.tongue);
        editor(conn, view, &row, (title.to_owned(), String::new(), others), (true, true))
    })
    .await
}

async fn of_expert(page: Page<ReadExperts>) -> Result<HttpResponse, Error> {
    let id = page.id::<ExpertId>("id")?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let (row, standing) = store::visible(conn, &view.ctx, id)?;
        let crumbs = format!(
            r#"<nav class="crumbs" aria-label="{}"><ol><li><a href="/experts">{}</a></li><li><a href="/experts/{id}">{}</a></li><li>{}</li></ol></nav>"#,
            t.t("現在地", "You are here"),
            t.t("専門家", "Experts"),
            esc(&row.name),
            t.t("対応できる日時", "Availability")
        );
        let title = format!("{}　{}", t.t("対応できる日時", "Availability"), row.name);
        let near = standing != Standing::Member;
        editor(conn, view, &row, (title, crumbs, String::new()), (near, near))
    })
    .await
}

/// A row of the week: what is there, or what was typed and refused.
struct Row {
    weekday: String,
    start: String,
    end: String,
}

fn clock(minute: i32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn form(view: &View, id: ExpertId, times: &ExpertAvailabilityView) -> Result<String, Error> {
    let t = view.tongue;
    let current = serde_json::to_value(times).map_err(Error::internal)?;
    let form = Form::new(view, OPERATION, format!("/experts/{id}/availability"), current, Choices::default())?;
    let typed = view.typed.as_ref().filter(|_| form.refused());
    let mut rows: Vec<Row> = match typed {
        Some(typed) => {
            let value = |index: usize, name: &str| typed.value(&format!("/weekly/{index}/{name}")).unwrap_or_default().to_owned();
            (0..200)
                .take_while(|index| typed.has(&format!("/weekly/{index}")))
                .map(|index| Row {
                    weekday: value(index, "weekday"),
                    start: value(index, "start_minute"),
                    end: value(index, "end_minute"),
                })
                .collect()
        }
        None => times
            .weekly
            .iter()
            .map(|one| Row { weekday: one.weekday.to_string(), start: clock(one.start_minute), end: clock(one.end_minute) })
            .collect(),
    };
    if typed.is_none() {
        let blank = if rows.is_empty() { FIRST_ROWS } else { BLANK_ROWS };
        rows.extend((0..blank).map(|_| Row { weekday: String::new(), start: String::new(), end: String::new() }));
    }
    let mut body = String::new();
    for (index, row) in rows.iter().enumerate() {
        body.push_str(&week_row(view, &form, id, index, row));
    }
    form.without("weekly");
    let wrong = typed.is_some_and(|typed| typed.has("/exceptions/0"));
    Ok(format!(
        r#"{}<h2>{}</h2><p class="hint">{}</p><input type="hidden" name="/weekly" value=""><div class="scroll" tabindex="0" role="region" aria-label="{}"><table><thead><tr><th scope="col">{}</th><th scope="col">{}</th><th scope="col">{}</th></tr></thead><tbody>{body}</tbody></table></div><h2>{}</h2><p class="hint">{}</p><details{}><summary>{}</summary>{}</details>{}"#,
        form.open(),
        t.t("ふだんの1週間", "The ordinary week"),
        t.t(
            "曜日ごとに、対応できる時間を入れます。同じ曜日を2行に分けてもかまいません。やめるときは、その行の曜日と時刻をすべて空にします。1行もなければ「そのつど調整」になります。",
            "One row for each time you can work; a weekday may have several. To remove a row, clear all its fields. No rows: by arrangement."
        ),
        t.t("ふだんの1週間", "The ordinary week"),
        t.t("曜日", "Weekday"),
        t.t("から", "From"),
        t.t("まで", "Until"),
        t.t("休みや例外", "Leave and exceptions"),
        t.t(
            "休暇（休止）、来られない日（不可）、ふだん以外に対応できる日（可）を入れます。時刻を空にすると終日です。",
            "Leave, days you cannot work, days you can work besides. Without times: the whole day."
        ),
        if times.exceptions.is_empty() && !wrong { "" } else { " open" },
        t.t("休みや例外を入れる・直す", "Enter or change leave and exceptions"),
        form.field("exceptions"),
        form.close(t.t("保存する", "Save"))
    ))
}

fn week_row(view: &View, form: &Form, id: ExpertId, index: usize, row: &Row) -> String {
    let (t, path) = (view.tongue, format!("/experts/{id}/availability"));
    let typed = view.typed.as_ref().filter(|_| form.refused());
    let pointer = |name: &str| format!("/weekly/{index}/{name}");
    let wrong = |pointer: &str| -> String {
        let words: Vec<String> =
            typed.iter().flat_map(|typed| typed.errors_at(pointer)).map(|error| esc(t.words(&error.detail))).collect();
        if words.is_empty() { String::new() } else { format!(r#"<p class="error">{}</p>"#, words.join("<br>")) }
    };
    let number = index + 1;
    let (weekday, start, end) = (pointer("weekday"), pointer("start_minute"), pointer("end_minute"));
    let mut days = format!(r#"<option value="">{}</option>"#, t.t("―", "–"));
    for day in 1..=7 {
        let selected = if row.weekday == day.to_string() { " selected" } else { "" };
        let _ = write!(days, r#"<option value="{day}"{selected}>{}</option>"#, page_parts::weekday(day, t));
    }
    let time = |name: &str, value: &str, label: &str| {
        let kind = if value == "24:00" { "text" } else { "time" };
        let id = page_parts::field_id(OPERATION, &path, name);
        format!(
            r#"<input type="{kind}" id="{id}" name="{name}" value="{}" aria-label="{number}{} {label}">{}"#,
            esc(value),
            t.t("行目", ":"),
            wrong(name)
        )
    };
    format!(
        r#"<tr id="{}"><td><select id="{}" name="{weekday}" aria-label="{number}{} {}">{days}</select>{}{}</td><td>{}</td><td>{}</td></tr>"#,
        page_parts::field_id(OPERATION, &path, &format!("/weekly/{index}")),
        page_parts::field_id(OPERATION, &path, &weekday),
        t.t("行目", ":"),
        t.t("曜日", "weekday"),
        wrong(&weekday),
        wrong(&format!("/weekly/{index}")),
        time(&start, &row.start, t.t("開始", "from")),
        time(&end, &row.end, t.t("終了", "until"))
    )
}
