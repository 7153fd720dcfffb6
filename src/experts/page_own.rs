//! What experts see of themselves: their hours and load, and what is registered of them.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use serde::Deserialize;

use crate::auth::policy::{ManageExperts, ReadWorkload};
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::dispatches::model::VisitStatus;
use crate::dispatches::store::Audience;
use crate::dispatches::visit_store::{self, VisitFilter, VisitLine};
use crate::error::{Error, ErrorCode};
use crate::experts::page_expert::{self, Fact};
use crate::experts::page_parts;
use crate::experts::service;
use crate::experts::store::{self, ExpertRow};
use crate::experts::views::{ExpertView, Sight};
use crate::experts::workload::{self, ExpertWorkloadView};
use crate::http::ListQuery;
use crate::ids::ExpertId;
use crate::pools::store as pools_store;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::Tongue;

/// Visits ahead that the page of hours names.
const NEXT_VISITS: i64 = 10;
/// Visits of the year so far among which those without a day are looked for.
const SO_FAR: i64 = 200;

/// Registers the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/my-workload", web::get().to(hours)).route("/my-profile", web::get().to(profile));
}

/// The choice of one of several registrations, and of a year.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Which of the own registrations.
    pub expert_id: Option<ExpertId>,
    /// Of which fiscal year.
    pub fiscal_year: Option<i32>,
}

/// Links to the same page of the other registrations.
pub type Others = Vec<(String, String, bool)>;

/// The registration that is meant, with the others beside it; nothing where the person has none.
pub fn own(conn: &mut Conn, view: &View, asked: Option<ExpertId>, path: &str) -> Result<Option<(ExpertRow, Others)>, Error> {
    let ids = &view.ctx.principal.expert_ids;
    let Some(id) = asked.or_else(|| ids.first().copied()) else { return Ok(None) };
    if !ids.contains(&id) {
        return Err(Error::new(ErrorCode::NotFound));
    }
    let rows = store::find_many(conn, ids)?;
    let mut others = Vec::new();
    if rows.len() > 1 {
        let pools = store::pool_names(conn, ids)?;
        for row in &rows {
            let pool = pools.iter().find(|(own, _)| *own == row.id).map(|(_, name)| name.clone()).unwrap_or_default();
            others.push((format!("{path}?expert_id={}", row.id), pool, row.id == id));
        }
    }
    let row = rows.into_iter().find(|row| row.id == id).ok_or_else(Error::not_found)?;
    Ok(Some((row, others)))
}

/// For people who are no experts.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ title }}</h1><p>{{ tongue.t("このアカウントには、専門家としての登録がありません。", "This account has no registration as an expert.") }}</p><p><a href="/experts">{{ tongue.t("専門家の一覧へ", "To the experts") }}</a></p>"#
)]
struct Nobody {
    tongue: Tongue,
    title: &'static str,
}

/// What was rendered already.
#[derive(Template)]
#[template(ext = "html", source = "{{ html|safe }}")]
pub struct Ready {
    /// The page.
    pub html: String,
}

/// What somebody without a registration reads.
pub fn nobody(view: &View, title: &'static str) -> Result<Sheet<Ready>, Error> {
    let html = Nobody { tongue: view.tongue, title }.render().map_err(Error::internal)?;
    Ok(Sheet::new(title, Ready { html }).narrow())
}

struct Month {
    name: String,
    visits: i64,
    done: String,
    planned: String,
    bar: String,
    here: bool,
}

struct Next {
    path: String,
    when: String,
    body: String,
    place: String,
    status: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ tongue.t("稼働時間", "My hours") }}　{{ year }}</h1>
{{ others|safe }}
<p class="verbs"><a class="button plain" href="{{ before.0 }}">‹ {{ before.1 }}</a><a class="button plain" href="{{ after.0 }}">{{ after.1 }} ›</a><a href="/calendar">{{ tongue.t("予定表", "Calendar") }}</a></p>
{{ load|safe }}
{% if !next.is_empty() %}<h2>{{ tongue.t("これからの訪問", "Visits ahead") }}</h2><ul>{% for visit in next %}<li><a href="{{ visit.path }}">{{ visit.when }}　{{ visit.body }}</a>　{{ visit.place }} {{ visit.status|safe }}</li>{% endfor %}</ul>{% endif %}
<h2>{{ tongue.t("月ごと", "By month") }}</h2>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("月ごとの稼働", "Load by month") }}"><table><thead><tr><th scope="col">{{ tongue.t("月", "Month") }}</th><th scope="col" class="n">{{ tongue.t("回数", "Visits") }}</th><th scope="col" class="n">{{ tongue.t("実施", "Done") }}</th><th scope="col" class="n">{{ tongue.t("予定", "Ahead") }}</th><th scope="col">{{ tongue.t("月の上限との比", "Of the month's limit") }}</th></tr></thead><tbody>
{% for month in months %}<tr{% if month.here %} class="fresh"{% endif %}><th scope="row">{{ month.name }}{% if month.here %} <span class="tag">{{ tongue.t("今月", "now") }}</span>{% endif %}</th><td class="n">{{ month.visits }}</td><td class="n">{{ month.done }}</td><td class="n">{{ month.planned }}</td><td>{{ month.bar|safe }}</td></tr>{% endfor %}
</tbody><tfoot><tr><th scope="row">{{ tongue.t("計", "Total") }}</th><td class="n">{{ total.0 }}</td><td class="n">{{ total.1 }}</td><td class="n">{{ total.2 }}</td><td></td></tr></tfoot></table></div>"#
)]
struct Hours {
    tongue: Tongue,
    year: String,
    others: String,
    before: (String, String),
    after: (String, String),
    load: String,
    next: Vec<Next>,
    months: Vec<Month>,
    total: (i64, String, String),
}

/// The registrations to choose from, as links.
pub fn others_html(others: &Others, tongue: Tongue) -> String {
    if others.is_empty() {
        return String::new();
    }
    let links: Vec<String> = others
        .iter()
        .map(|(path, name, here)| {
            let current = if *here { r#" aria-current="page""# } else { "" };
            let name = crate::web::tongue::esc(name);
            format!(r#"<a class="button plain" href="{path}"{current}>{name}{}</a>"#, if *here { " ✓" } else { "" })
        })
        .collect();
    format!(r#"<nav class="verbs" aria-label="{}">{}</nav>"#, tongue.t("登録先の人材プール", "Pool"), links.concat())
}

fn month_row(view: &View, month: &workload::WorkloadMonth) -> Month {
    let t = view.tongue;
    let day: Option<NaiveDate> = format!("{}-01", month.month).parse().ok();
    let name = day.map_or_else(
        || month.month.clone(),
        |day| if t.english() { day.format("%b %Y").to_string() } else { t.day(day).trim_end_matches("1日").to_owned() },
    );
    let used = month.planned_minutes + month.done_minutes;
    Month {
        name,
        visits: month.visits,
        done: t.minutes(month.done_minutes),
        planned: t.minutes(month.planned_minutes),
        bar: month.capacity_minutes.map(|limit| page_parts::share(used, i64::from(limit))).unwrap_or_default(),
        here: view.ctx.today().format("%Y-%m").to_string() == month.month,
    }
}

/// The visits that still want a day although what a list from today on looks at lies behind: one without a day counts on the
/// first of the month in which its period begins, and no period leaves its fiscal year. `filter` says the rest.
pub fn to_arrange(conn: &mut Conn, view: &View, filter: &VisitFilter) -> Result<Vec<VisitLine>, Error> {
    let today = view.ctx.today();
    let so_far = VisitFilter { from: Some(FiscalYear::of(today).first_day()), to: today.pred_opt(), ..filter.clone() };
    let list = ListQuery::new(Some(SO_FAR), None, &"visits to arrange")?;
    let lines = visit_store::list(conn, Audience::of(&view.ctx), &so_far, &list)?;
    Ok(lines.into_iter().filter(|line| !line.visit.dated()).collect())
}

fn next_visits(conn: &mut Conn, view: &View, expert: ExpertId) -> Result<Vec<Next>, Error> {
    let t = view.tongue;
    let filter = VisitFilter {
        expert_id: Some(expert),
        from: Some(view.ctx.today()),
        statuses: vec![VisitStatus::Held, VisitStatus::Planned],
        ..VisitFilter::default()
    };
    let list = ListQuery::new(Some(NEXT_VISITS), None, &"next visits")?;
    let mut lines = to_arrange(conn, view, &filter)?;
    lines.extend(visit_store::list(conn, Audience::of(&view.ctx), &filter, &list)?);
    let most = usize::try_from(NEXT_VISITS).unwrap_or(10);
    Ok(lines
        .iter()
        .take(most)
        .map(|line| {
            let visit = &line.visit;
            let day = visit.day.map_or_else(|| t.t("日程調整中", "to be arranged").to_owned(), |day| t.day_of_week(day));
            let time = visit.start_minute.map(|start| format!(" {}〜{}", t.time(start), t.time(start + visit.planned_minutes)));
            let mode = page_parts::word(visit.mode.label_ja(), visit.mode.as_str(), t);
            let class = if visit.status == VisitStatus::Held { " warn" } else { "" };
            let word = page_parts::word(visit.status.label_ja(), visit.status.as_str(), t);
            Next {
                path: format!("/visits/{}", visit.id),
                when: format!("{day}{}", time.unwrap_or_default()),
                body: line.applicant_name.clone(),
                place: format!("{mode} {}", visit.place).trim_end().to_owned(),
                status: format!(r#"<span class="tag{class}">{word}</span>"#),
            }
        })
        .collect())
}

async fn hours(page: Page<ReadWorkload>) -> Result<HttpResponse, Error> {
    let asked: Asked = page.query()?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let title = if t.english() { "My hours" } else { "稼働時間" };
        let Some((row, others)) = own(conn, view, asked.expert_id, "/my-workload")? else { return nobody(view, title) };
        let this_year = FiscalYear::of(view.ctx.today());
        let year = asked.fiscal_year.and_then(|year| FiscalYear::new(year).ok()).unwrap_or(this_year);
        let found: ExpertWorkloadView = workload::of(conn, &row, year)?;
        let to = |year: FiscalYear| {
            let number = year.starting_year();
            (format!("/my-workload?expert_id={}&fiscal_year={number}", row.id), t.fiscal_year(number))
        };
        let content = Hours {
            tongue: t,
            year: t.fiscal_year(year.starting_year()),
            others: others_html(&others, t),
            before: to(year.previous()),
            after: to(year.next()),
            load: page_expert::load(view, &found),
            next: if year == this_year { next_visits(conn, view, row.id)? } else { Vec::new() },
            months: found.months.iter().map(|month| month_row(view, month)).collect(),
            total: (found.visits, t.minutes(found.done_minutes), t.minutes(found.planned_minutes)),
        };
        let html = content.render().map_err(Error::internal)?;
        Ok(Sheet::new(title, Ready { html }))
    })
    .await
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ tongue.t("登録内容", "My profile") }}　{{ expert.name }} {{ status|safe }}</h1>
{{ others|safe }}
<p class="notice">{{ tell }}</p>
{% if !expert.kana.is_empty() %}<p class="hint">{{ expert.kana }}</p>{% endif %}
{% for line in expert.profile.lines() %}<p>{{ line }}</p>{% endfor %}
<dl class="facts">{% for (term, text) in facts %}<dt>{{ term }}</dt><dd>{{ text }}</dd>{% endfor %}</dl>
<h2>{{ tongue.t("スキル", "Skills") }}</h2>{{ skills|safe }}
<h2>{{ tongue.t("自分で変えられるもの", "What you can change yourself") }}</h2>
<ul><li><a href="/my-availability{{ which }}">{{ tongue.t("対応できる日時", "Availability") }}</a></li><li><a href="/notification-preferences">{{ tongue.t("お知らせの受け取り方", "How to be told") }}</a></li><li><a href="/account">{{ tongue.t("パスワード・2段階認証", "Password, second factor") }}</a></li></ul>
<h2>{{ tongue.t("関連するページ", "Related pages") }}</h2>
<ul><li><a href="/experts/{{ expert.id }}/conflicts">{{ tongue.t("利益相反の団体", "Conflicts of interest") }}</a></li><li><a href="/experts/{{ expert.id }}/payment-profile">{{ tongue.t("支払先・源泉の情報", "Payment profile") }}</a></li><li><a href="/my-workload{{ which }}">{{ tongue.t("稼働時間", "My hours") }}</a></li></ul>"#
)]
struct Profile {
    tongue: Tongue,
    others: String,
    which: String,
    expert: ExpertView,
    status: String,
    tell: String,
    facts: Vec<Fact>,
    skills: String,
}

async fn profile(page: Page<ReadWorkload>) -> Result<HttpResponse, Error> {
    let asked: Asked = page.query()?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let title = if t.english() { "My profile" } else { "登録内容" };
        let Some((row, others)) = own(conn, view, asked.expert_id, "/my-profile")? else { return nobody(view, title) };
        // Of several registrations the pages it leads to show this one too.
        let which = if others.is_empty() { String::new() } else { format!("?expert_id={}", row.id) };
        let pool = pools_store::pool(conn, row.pool_id)?;
        let office = crate::organisations::store::find(conn, pool.owner_organisation_id)?.map(|body| body.name).unwrap_or_default();
        let expert = service::view(conn, row, Sight::Own)?;
        let tell = if view.may::<ManageExperts>() {
            t.t("登録内容は、専門家のページから変更できます。", "Change it on the page of the expert.").to_owned()
        } else if t.english() {
            format!("Registered in “{}”. Only the office ({office}) can change this: tell it what is wrong or has changed.", pool.name)
        } else {
            format!("「{}」の登録内容です。変更できるのは事務局（{office}）です。誤りや変わったことがあれば、事務局へお知らせください。", pool.name)
        };
        let content = Profile {
            tongue: t,
            others: others_html(&others, t),
            which,
            status: page_parts::status_tag(expert.status, t),
            tell,
            facts: page_expert::facts(conn, view, &expert)?,
            skills: page_expert::skills(view, &expert),
            expert,
        };
        let html = content.render().map_err(Error::internal)?;
        Ok(Sheet::new(title, Ready { html }).narrow())
    })
    .await
}
