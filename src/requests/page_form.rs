//! Writing a request on one page: what it is about, what is needed, when, with whom, who pays, whom to ask. A new one can
//! begin as a copy of an earlier one. Saving keeps a draft; submitting happens on the request's page.

use std::fmt::Write as _;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::{Value, json};

use super::page_words::{brief, said, stage_tag};
use crate::auth::account;
use crate::auth::policy::FileRequests;
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::error::Error;
use crate::http::ListQuery;
use crate::ids::{ProgrammeId, RequestId};
use crate::pools::rules::{Limit, ProgrammeRules};
use crate::pools::store as pools;
use crate::requests::list::{self, RequestFilter, RequestSort};
use crate::requests::model::RequestVerb;
use crate::requests::views::RequestView;
use crate::requests::{detail, store};
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::{Tongue, esc};

/// Earlier requests offered to copy.
const COPIES: i64 = 10;
/// Most programmes whose rules are told.
const PROGRAMMES: i64 = 20;

/// Registers the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/requests/new", web::get().to(create)).route("/requests/{id:[0-9]+}/edit", web::get().to(edit));
}

/// A programme with what it is for.
struct Programme {
    id: ProgrammeId,
    name: String,
    description: String,
    facts: Vec<(&'static str, String)>,
}

/// An earlier request that can be copied.
struct Earlier {
    id: i64,
    theme: String,
    stage: String,
    period: String,
    button: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/requests">{{ tongue.t("申請", "Requests") }}</a></li>{% if let Some((id, theme)) = of %}<li><a href="/requests/{{ id }}">{{ theme }}</a></li>{% endif %}</ol></nav>
<h1>{{ title }}</h1>
{% if of.is_none() %}<p>{{ tongue.t("「必須」の欄とテーマを埋めれば、下書きとして保存できます。提出は、保存した後に内容を確かめてから行います。", "The required fields and a theme are enough for a draft. You submit it afterwards, on its page.") }}</p>{% endif %}
{% if !reason.is_empty() %}<div class="notice warn"><p><strong>{{ tongue.t("直すところ", "To correct") }}</strong>：{{ reason }}</p></div>{% endif %}
{% if !earlier.is_empty() %}<details><summary>{{ tongue.t("前の申請を写して作る（昨年度と同じ内容など）", "Begin as a copy of an earlier request") }}</summary>
<p class="hint">{{ tongue.t("日付は今年度に移して写します。写した後に、内容を直せます。", "Dates are moved to this year; everything can be changed afterwards.") }}</p>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("前の申請", "Earlier requests") }}"><table><thead><tr><th scope="col">{{ tongue.t("テーマ", "Theme") }}</th><th scope="col">{{ tongue.t("期間", "Period") }}</th><th scope="col">{{ tongue.t("段階", "Stage") }}</th><th scope="col">{{ tongue.t("操作", "Action") }}</th></tr></thead><tbody>
{% for line in earlier %}<tr><td><a href="/requests/{{ line.id }}">{{ line.theme }}</a></td><td>{{ line.period }}</td><td>{{ line.stage|safe }}</td><td>{{ line.button|safe }}</td></tr>{% endfor %}</tbody></table></div></details>{% endif %}
{% if !programmes.is_empty() %}<details><summary>{{ tongue.t("事業の内容と条件を見る", "What the programmes are for") }}</summary>{% for programme in programmes %}<h2>{{ programme.name }}</h2>{% if !programme.description.is_empty() %}<p>{{ programme.description }}</p>{% endif %}<dl class="facts">{% for (label, value) in programme.facts %}<dt>{{ label }}</dt><dd>{{ value }}</dd>{% endfor %}</dl>{% endfor %}</details>{% endif %}
{{ form|safe }}
<p><a href="{{ back }}">{{ tongue.t("やめて戻る", "Back without changing anything") }}</a></p>"##
)]
struct Write {
    tongue: Tongue,
    title: String,
    of: Option<(RequestId, String)>,
    reason: String,
    earlier: Vec<Earlier>,
    programmes: Vec<Programme>,
    form: String,
    back: String,
}

async fn create(page: Page<FileRequests>) -> Result<HttpResponse, Error> {
    page.show(|conn, view| {
        let office = view.ctx.principal.is_coordinator();
        let current = if office {
            json!({})
        } else {
            let email = account::me(conn, &view.ctx)?.email;
            json!({"contact_name": view.ctx.principal.name, "contact_email": email})
        };
        let programmes = programmes(conn, view)?;
        let mut current = current;
        if let ([only], Some(members)) = (programmes.as_slice(), current.as_object_mut()) {
            members.insert("programme_id".to_owned(), json!(only.id));
        }
        let form = Form::load(conn, view, "create_request", "/requests", current.clone())?.then("/requests/{id}");
        let content = Write {
            tongue: view.tongue,
            title: view.t("新しい申請", "New request").to_owned(),
            of: None,
            reason: String::new(),
            earlier: if office { Vec::new() } else { earlier(conn, view)? },
            programmes,
            form: sections(view.tongue, &form, &current, true, office, view.t("下書きを保存する", "Save the draft")),
            back: "/requests".to_owned(),
        };
        Ok(Sheet::new(view.t("新しい申請", "New request"), content).narrow())
    })
    .await
}

async fn edit(page: Page<FileRequests>) -> Result<HttpResponse, Error> {
    let id = page.id::<RequestId>("id")?;
    page.show(move |conn, view| {
        let row = store::written(conn, &view.ctx, id)?;
        row.status.after(RequestVerb::Edit)?;
        let request = detail::view(conn, &view.ctx, row)?;
        let current = as_body(&request)?;
        let form =
            Form::load(conn, view, "update_request", format!("/requests/{id}"), current.clone())?.then(format!("/requests/{id}"));
        let title = view.t("申請の内容を直す", "Edit the request").to_owned();
        let content = Write {
            tongue: view.tongue,
            title: title.clone(),
            reason: request.reason.clone().unwrap_or_default(),
            earlier: Vec::new(),
            programmes: Vec::new(),
            form: sections(view.tongue, &form, &current, false, false, view.t("変更を保存する", "Save")),
            back: format!("/requests/{id}"),
            of: Some((id, request.theme)),
        };
        Ok(Sheet::new(title, content).narrow())
    })
    .await
}

/// A request as the body of its change: the same fields, the lists as they are written.
fn as_body(request: &RequestView) -> Result<Value, Error> {
    let mut body = serde_json::to_value(request).map_err(Error::internal)?;
    let skills: Vec<Value> = request
        .required_skills
        .iter()
        .map(|skill| {
            let mut one = json!({"skill_item_id": skill.skill_item_id, "min_level": skill.min_level, "must": skill.must,
                "verified_only": skill.verified_only});
            if let (Some(group), Some(members)) = (skill.alternative_group, one.as_object_mut()) {
                members.insert("alternative_group".to_owned(), json!(group));
            }
            one
        })
        .collect();
    let others: Vec<_> = request.participants.iter().filter(|body| !body.is_lead).map(|body| body.organisation_id).collect();
    let preferred: Vec<_> = request.preferred_experts.iter().flatten().map(|expert| expert.expert_id).collect();
    if let Some(members) = body.as_object_mut() {
        members.insert("required_skills".to_owned(), json!(skills));
        members.insert("participant_organisation_ids".to_owned(), json!(others));
        members.insert("preferred_expert_ids".to_owned(), json!(preferred));
    }
    Ok(body)
}

/// A section of the form; one that few need is folded away until it holds something.
struct Section {
    title: (&'static str, &'static str),
    hint: (&'static str, &'static str),
    fields: &'static [&'static str],
    folded: bool,
}

const fn section(
    title: (&'static str, &'static str),
    hint: (&'static str, &'static str),
    fields: &'static [&'static str],
) -> Section {
    Section { title, hint, fields, folded: false }
}

const fn folded(
    title: (&'static str, &'static str),
    hint: (&'static str, &'static str),
    fields: &'static [&'static str],
) -> Section {
    Section { title, hint, fields, folded: true }
}

const SECTIONS: &[Section] = &[
    section(("相談したいこと", "What it is about"), ("", ""), &["activity_kind", "theme", "background", "goal"]),
    section(
        ("希望の日程と場所", "When and where"),
        ("日時が決まっていなければ、期間だけで申請できます。", "The period alone will do if no date is fixed yet."),
        &["period_from", "period_to", "visit_count", "minutes_per_visit", "mode", "place", "on_island", "wished_dates"],
    ),
    section(("参加者", "Audience"), ("", ""), &["audience", "audience_count", "equipment"]),
    section(("担当者連絡先", "Contact"), ("", ""), &["department", "contact_name", "contact_email", "contact_phone"]),
    folded(
        ("必要なスキル・希望する専門家", "Skills and preferred experts"),
        (
            "空欄のままでかまいません。専門家を選ばなければ、事務局が内容から選びます（事務局一任）。",
            "May stay empty: unless you name an expert, the office chooses.",
        ),
        &["required_skills", "preferred_expert_ids", "languages", "experts_needed", "rotation"],
    ),
    folded(
        ("共同で申請する団体・費用の分け方", "Joint applicants and shares of the cost"),
        (
            "単独の申請では空欄にします。選んだ団体には、提出後に同意をお願いします。",
            "Empty for a request of your own. The bodies you choose are asked to agree after submission.",
        ),
        &["participant_organisation_ids", "budget_note"],
    ),
    folded(("利害関係のある団体", "Bodies with an interest in the outcome"), ("", ""), &["interested_organisation_ids"]),
];

/// Whether a request holds anything in some fields.
fn holds(current: &Value, fields: &[&str]) -> bool {
    fields.iter().any(|field| match current.get(*field) {
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Bool(yes)) => *yes,
        Some(Value::Number(number)) => number.as_i64() != Some(1),
        _ => false,
    })
}

/// The sections of the form; what no section names comes last, so that no field is lost. Whether the choice is left to the
/// office follows from whether an expert is named.
fn sections(t: Tongue, form: &Form, current: &Value, new: bool, office: bool, save: &str) -> String {
    let mut out = form.open();
    form.without("leave_to_office");
    if new {
        let _ = write!(out, "<h2>{}</h2>", t.t("事業を選ぶ", "Programme"));
        out.push_str(&form.field("programme_id"));
        if office {
            let hint = t.t(
                "団体に代わって入力するときは、その団体を選びます。空欄のときは自団体の申請になります。",
                "Choose the body for which you file it; empty: your own.",
            );
            let _ = write!(out, r#"<p class="hint">{}</p>"#, esc(hint));
            out.push_str(&form.fields(&["applicant_organisation_id", "origin"]));
        }
    }
    form.without("applicant_organisation_id");
    form.without("origin");
    for part in SECTIONS {
        let (title, hint) = (esc(t.t(part.title.0, part.title.1)), t.t(part.hint.0, part.hint.1));
        let hint = if hint.is_empty() { String::new() } else { format!(r#"<p class="hint">{}</p>"#, esc(hint)) };
        let fields = form.fields(part.fields);
        let _ = if part.folded {
            let open = if form.refused() || holds(current, part.fields) { " open" } else { "" };
            let optional = t.t("（任意）", " (optional)");
            write!(out, "<details{open}><summary>{title}{optional}</summary>{hint}{fields}</details>")
        } else {
            write!(out, "<h2>{title}</h2>{hint}{fields}")
        };
    }
    out.push_str(&form.rest());
    out.push_str(&form.close(save));
    out
}

/// The latest requests of the own body, to copy.
fn earlier(conn: &mut Conn, view: &View) -> Result<Vec<Earlier>, Error> {
    let t = view.tongue;
    let filter = RequestFilter { applicant: Some(view.ctx.organisation()), ..RequestFilter::default() };
    let query = ListQuery::new(Some(COPIES), None, &"copies")?;
    let sort = RequestSort::IdDescending;
    let rows = query.page(list::list(conn, &view.ctx, &filter, sort, &query, false)?, |row| list::position(sort, row));
    rows.items
        .into_iter()
        .map(detail::summary)
        .map(|row| {
            let form = Form::new(view, "copy_request", format!("/requests/{}/copy", row.id), json!({}), Choices::default())?
                .then("/requests/{id}/edit");
            Ok(Earlier {
                id: row.id.0,
                stage: stage_tag(t, row.stage),
                period: format!("{}〜{}", brief(t, row.period_from), brief(t, row.period_to)),
                button: form.button(t.t("これを写して作る", "Copy this"), "quiet"),
                theme: row.theme,
            })
        })
        .collect()
}

/// The programmes with what this fiscal year's rules allow.
fn programmes(conn: &mut Conn, view: &View) -> Result<Vec<Programme>, Error> {
    let year = FiscalYear::of(view.ctx.today()).starting_year();
    let query = ListQuery::new(Some(PROGRAMMES), None, &"programmes")?;
    let rows = pools::list_programmes(conn, &view.ctx, None, &query)?;
    let wanted: Vec<(ProgrammeId, i32)> = rows.iter().map(|row| (row.id, year)).collect();
    let years = pools::years_of(conn, &wanted)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let rules = years.iter().find(|year| year.programme_id == row.id).map(|year| &year.rules);
            Programme {
                id: row.id,
                name: row.name,
                description: row.description,
                facts: rules.map_or_else(Vec::new, |rules| rules_in_words(view.tongue, rules)),
            }
        })
        .collect())
}

pub(crate) fn rules_in_words(t: Tongue, rules: &ProgrammeRules) -> Vec<(&'static str, String)> {
    let pick = |ja: &'static str, en: &'static str| if t.english() { en } else { ja };
    let comma = t.t("、", ", ");
    let join = |words: Vec<String>| words.join(comma);
    let windows: Vec<String> = rules
        .windows
        .iter()
        .map(|window| format!("{}{}{}", t.instant(window.opens_at), t.t("から", " to "), t.instant(window.closes_at)))
        .collect();
    let limits: Vec<String> = rules.limits.iter().map(|limit| limit_in_words(t, limit)).collect();
    let mut facts = vec![
        (
            pick("申請できる団体", "For"),
            join(rules.applicant_kinds.iter().map(|kind| said(t, kind.label_ja(), kind.as_str())).collect()),
        ),
        (
            pick("支援の種類", "Kinds"),
            join(rules.activity_kinds.iter().map(|kind| said(t, kind.label_ja(), kind.as_str())).collect()),
        ),
        (pick("受付期間", "Intake"), if windows.is_empty() { t.t("随時", "all year").to_owned() } else { windows.join("\n") }),
    ];
    if !limits.is_empty() {
        facts.push((pick("上限", "Limits"), limits.join("\n")));
    }
    facts.push((
        pick("報告の期限", "Report due"),
        if t.english() {
            format!("{} days after the last visit", rules.report_due_days)
        } else {
            format!("最後の訪問から{}日以内", rules.report_due_days)
        },
    ));
    facts
}

fn limit_in_words(t: Tongue, limit: &Limit) -> String {
    let (ja, en) = match limit {
        Limit::OnsiteDays { max } => (format!("現地での支援は1件{max}日まで"), format!("{max} days on site a request")),
        Limit::OnlineMinutes { max } => {
            let long = t.minutes(i64::from(*max));
            (format!("オンラインのみの支援は1件{long}まで"), format!("{long} for a request that is online only"))
        }
        Limit::SameThemeAndExpert { max_per_year } => (
            format!("同じ取組に同じ専門家は年度内{max_per_year}件まで"),
            format!("the same expert for the same theme {max_per_year} time(s) a year"),
        ),
        Limit::Visits { max } => (format!("1件{max}回まで"), format!("{max} visits a request")),
        Limit::MinutesPerVisit { max } => {
            let long = t.minutes(i64::from(*max));
            (format!("1回{long}まで"), format!("{long} a visit"))
        }
        Limit::RequestsPerYear { max } => (format!("1団体あたり年度内{max}件まで"), format!("{max} requests of one body a year")),
    };
    if t.english() { en } else { ja }
}
