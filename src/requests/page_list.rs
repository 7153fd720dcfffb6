//! The list of requests as a page: the sets that people look at every day, filters, totals, files. The same filter object
//! as the API's list.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use serde::Deserialize;

use super::api::several;
use super::page_words::{address, brief, parameters, said, stage_tag};
use crate::auth::policy::{FileRequests, ReadRequests, Role};
use crate::error::{Error, ErrorCode};
use crate::http::read::parse_query;
use crate::http::{Fields, ListQuery};
use crate::ids::{OrganisationId, ProgrammeId};
use crate::requests::detail;
use crate::requests::list::{self, RequestFilter, RequestSort};
use crate::requests::model::{ActivityKind, Stage};
use crate::today::filter_pages;
use crate::web::choices::{Choice, Choices};
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::{Tongue, grouped};

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/requests", web::get().to(show));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListParams {
    programme_id: Option<ProgrammeId>,
    fiscal_year: Option<i32>,
    status: Option<String>,
    stage: Option<String>,
    applicant_organisation_id: Option<OrganisationId>,
    activity_kind: Option<ActivityKind>,
    q: Option<String>,
    submitted_from: Option<NaiveDate>,
    submitted_to: Option<NaiveDate>,
    sort: Option<RequestSort>,
    cursor: Option<String>,
}

impl ListParams {
    /// The filter; 400 where a state or a stage is none, as in the API.
    fn filter(&self) -> Result<RequestFilter, Error> {
        let mut fields = Fields::new();
        let filter = RequestFilter {
            programme_id: self.programme_id,
            fiscal_year: self.fiscal_year,
            statuses: several("status", self.status.as_deref(), &mut fields),
            stages: several("stage", self.stage.as_deref(), &mut fields),
            applicant: self.applicant_organisation_id,
            activity_kind: self.activity_kind,
            theme: self.q.clone(),
            submitted_from: self.submitted_from,
            submitted_to: self.submitted_to,
        };
        fields.finish_as(ErrorCode::UnknownParameter)?;
        Ok(filter)
    }
}

/// A set of stages that is looked at often: what it is called and which it holds.
type Set = (&'static str, &'static str, &'static [Stage]);

const OF_OFFICE: &[Set] = &[
    ("審査待ち", "To review", &[Stage::Submitted]),
    ("候補者選定", "To match", &[Stage::Matching]),
    ("打診中", "Offered", &[Stage::Offered]),
    ("決定待ち", "To decide", &[Stage::AwaitingDecision]),
    ("日程調整・実施中", "Under way", &[Stage::Scheduled, Stage::InProgress]),
    ("報告待ち", "Reports", &[Stage::AwaitingReport, Stage::Reported]),
    ("補欠・差戻し", "Waitlisted, returned", &[Stage::Waitlisted, Stage::Returned]),
    ("すべて", "All", &[]),
];

const OF_BODY: &[Set] = &[
    ("下書き・差戻し", "To finish", &[Stage::Draft, Stage::Returned]),
    ("承認待ち", "To approve", &[Stage::AwaitingApproval]),
    (
        "審査・調整中",
        "With the office",
        &[Stage::Submitted, Stage::Waitlisted, Stage::Matching, Stage::Offered, Stage::AwaitingDecision],
    ),
    ("派遣予定・派遣中", "Under way", &[Stage::Scheduled, Stage::InProgress]),
    ("報告待ち", "Report due", &[Stage::AwaitingReport]),
    ("すべて", "All", &[]),
];

struct Line {
    id: i64,
    theme: String,
    applicant: String,
    programme: String,
    kind: String,
    stage: String,
    period: String,
    work: String,
    submitted: String,
    updated: String,
}

struct Options {
    name: &'static str,
    label: &'static str,
    list: Vec<(String, String, bool)>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<h1>{{ tongue.t("申請", "Requests") }}</h1>
{% if may_file %}<p class="actions"><a class="button" href="/requests/new">{% if office %}{{ tongue.t("申請を代行入力する", "File for a body") }}{% else %}{{ tongue.t("新しい申請を書く", "Write a request") }}{% endif %}</a></p>{% endif %}
{% if !sets.is_empty() %}<nav class="main" aria-label="{{ tongue.t("よく使う絞り込み", "Sets in daily use") }}"><ul>{% for (label, href, here) in sets %}<li><a href="{{ href }}"{% if *here %} aria-current="true"{% endif %}>{{ label }}</a></li>{% endfor %}</ul></nav>{% endif %}
{{ saved|safe }}<details class="filter"{% if narrowed %} open{% endif %}><summary>{{ tongue.t("条件を指定して絞り込む", "Filter") }}</summary><form method="get" action="/requests">
<div class="field"><label for="q-q">{{ tongue.t("テーマに含む語", "Words in the theme") }}</label><input type="search" id="q-q" name="q" value="{{ q }}" maxlength="200"></div>
{% for select in selects %}<div class="field"><label for="q-{{ select.name }}">{{ select.label }}</label><select id="q-{{ select.name }}" name="{{ select.name }}">{% if select.name != "sort" %}<option value="">{{ tongue.t("すべて", "All") }}</option>{% endif %}{% for (value, words, chosen) in select.list %}<option value="{{ value }}"{% if *chosen %} selected{% endif %}>{{ words }}</option>{% endfor %}</select></div>{% endfor %}
<div class="field"><label for="q-from">{{ tongue.t("申請日（から）", "Submitted from") }}</label><input type="date" id="q-from" name="submitted_from" value="{{ from }}"></div>
<div class="field"><label for="q-to">{{ tongue.t("申請日（まで）", "Submitted until") }}</label><input type="date" id="q-to" name="submitted_to" value="{{ to }}"></div>
<div class="actions" role="group" aria-labelledby="q-stages"><strong id="q-stages">{{ tongue.t("段階（複数選べます）", "Stages (several)") }}</strong>{% for (value, words, chosen) in stages %}<label class="choice"><input type="checkbox" name="stage" value="{{ value }}"{% if *chosen %} checked{% endif %}> <span>{{ words }}</span></label>{% endfor %}</div>
<p class="actions"><button type="submit">{{ tongue.t("絞り込む", "Apply") }}</button> <a href="/requests">{{ tongue.t("条件を消す", "Clear") }}</a></p></form></details>
<p role="status">{{ summary }}</p>
{% if lines.is_empty() %}<p>{{ tongue.t("この条件に合う申請はありません。", "No request matches.") }}{% if narrowed %} <a href="/requests">{{ tongue.t("すべての申請を見る", "See all requests") }}</a>{% endif %}</p>
{% else %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("申請の一覧", "List of requests") }}"><table><thead><tr><th scope="col" class="n">{{ tongue.t("番号", "No.") }}</th><th scope="col">{{ tongue.t("テーマ", "Theme") }}</th><th scope="col">{{ tongue.t("申請団体", "Applicant") }}</th><th scope="col">{{ tongue.t("段階", "Stage") }}</th><th scope="col">{{ tongue.t("希望期間", "Period") }}</th><th scope="col">{{ tongue.t("支援の量", "Work") }}</th><th scope="col">{{ tongue.t("申請日", "Submitted") }}</th><th scope="col">{{ tongue.t("更新日", "Updated") }}</th>{% if programmes > 1 %}<th scope="col">{{ tongue.t("事業", "Programme") }}</th>{% endif %}</tr></thead><tbody>
{% for line in lines %}<tr><td class="n">{{ line.id }}</td><td><a href="/requests/{{ line.id }}">{{ line.theme }}</a></td><td>{{ line.applicant }}</td><td>{{ line.stage|safe }}</td><td>{{ line.period }}</td><td>{{ line.kind }} {{ line.work }}</td><td>{{ line.submitted }}</td><td>{{ line.updated }}</td>{% if programmes > 1 %}<td>{{ line.programme }}</td>{% endif %}</tr>{% endfor %}
</tbody></table></div>
<p class="actions">{% if let Some(href) = next %}<a class="button plain" href="{{ href }}" rel="next">{{ tongue.t("次の頁", "Next page") }}</a>{% endif %}<a href="{{ xlsx }}">{{ tongue.t("Excel（全件）", "Excel (all)") }}</a><a href="{{ csv }}">{{ tongue.t("CSV（全件）", "CSV (all)") }}</a></p>{% endif %}"##
)]
struct List {
    tongue: Tongue,
    may_file: bool,
    office: bool,
    sets: Vec<(&'static str, String, bool)>,
    saved: String,
    narrowed: bool,
    programmes: usize,
    q: String,
    from: String,
    to: String,
    selects: Vec<Options>,
    stages: Vec<(&'static str, String, bool)>,
    summary: String,
    lines: Vec<Line>,
    next: Option<String>,
    xlsx: String,
    csv: String,
}

/// Which of the choices is chosen.
fn marked(list: &[Choice], chosen: Option<String>) -> Vec<(String, String, bool)> {
    list.iter().map(|(value, words)| (value.clone(), words.clone(), chosen.as_ref() == Some(value))).collect()
}

fn selects(view: &View, params: &ListParams, sort: RequestSort, choices: &Choices) -> Vec<Options> {
    let t = view.tongue;
    let this_year = crate::calendar::FiscalYear::of(view.ctx.today()).starting_year();
    let first = params.fiscal_year.map_or(this_year - 5, |year| year.min(this_year - 5));
    let years: Vec<Choice> = (first..=this_year + 1).rev().map(|year| (year.to_string(), t.fiscal_year(year))).collect();
    let kinds: Vec<Choice> =
        ActivityKind::ALL.iter().map(|kind| (kind.as_str().to_owned(), said(t, kind.label_ja(), kind.as_str()))).collect();
    let sorts: Vec<Choice> = RequestSort::ALL
        .iter()
        .map(|sort| {
            let en = match sort {
                RequestSort::UpdatedDescending => "Latest change first",
                RequestSort::Updated => "Latest change last",
                RequestSort::IdDescending => "Newest first",
                RequestSort::Id => "Oldest first",
            };
            (sort.as_str().to_owned(), view.t(sort.label_ja(), en).to_owned())
        })
        .collect();
    let label = |ja: &'static str, en: &'static str| if t.english() { en } else { ja };
    let of = |kind: &str| choices.of(kind).map(<[Choice]>::to_vec).unwrap_or_default();
    vec![
        Options {
            name: "applicant_organisation_id",
            label: label("申請団体", "Applicant"),
            list: marked(&of("organisation"), params.applicant_organisation_id.map(|id| id.to_string())),
        },
        Options {
            name: "programme_id",
            label: label("事業", "Programme"),
            list: marked(&of("programme"), params.programme_id.map(|id| id.to_string())),
        },
        Options {
            name: "fiscal_year",
            label: label("年度", "Fiscal year"),
            list: marked(&years, params.fiscal_year.map(|year| year.to_string())),
        },
        Options {
            name: "activity_kind",
            label: label("活動の種類", "Kind of activity"),
            list: marked(&kinds, params.activity_kind.map(|kind| kind.to_string())),
        },
        Options { name: "sort", label: label("並び順", "Order"), list: marked(&sorts, Some(sort.to_string())) },
    ]
}

fn sets(view: &View, stages: &[Stage], narrowed_otherwise: bool) -> Vec<(&'static str, String, bool)> {
    let known = match view.ctx.principal.acts_as {
        Role::PrefecturalCoordinator | Role::Auditor => OF_OFFICE,
        Role::Expert => &[],
        _ => OF_BODY,
    };
    known
        .iter()
        .map(|(ja, en, set)| {
            let words: Vec<&str> = set.iter().map(|stage| stage.as_str()).collect();
            let href = if set.is_empty() { "/requests".to_owned() } else { format!("/requests?stage={}", words.join(",")) };
            let here = !narrowed_otherwise && set.len() == stages.len() && set.iter().all(|stage| stages.contains(stage));
            (if view.tongue.english() { *en } else { *ja }, href, here)
        })
        .collect()
}

async fn show(page: Page<ReadRequests>) -> Result<HttpResponse, Error> {
    page.show(|conn, view| {
        let t = view.tongue;
        let given = parameters(&view.place, &["stage", "status"]);
        let params: ListParams = parse_query(address("", &given).trim_start_matches('?'))?;
        let (filter, sort) = (params.filter()?, params.sort.unwrap_or(RequestSort::UpdatedDescending));
        let query = ListQuery::new(None, params.cursor.as_deref(), &("requests", &filter, sort))?;
        let rows = query.page(list::list(conn, &view.ctx, &filter, sort, &query, true)?, |row| list::position(sort, row));
        let total = list::total(conn, &view.ctx, &filter)?;
        let choices = Choices::load(conn, &view.ctx, &["organisation", "programme"])?;
        let next = rows.next_cursor;
        let lines: Vec<Line> = rows
            .items
            .into_iter()
            .map(detail::summary)
            .map(|row| Line {
                id: row.id.0,
                theme: row.theme,
                applicant: row.applicant_name,
                programme: choices.label("programme", &row.programme_id.to_string()).unwrap_or_default().to_owned(),
                kind: said(t, row.activity_kind.label_ja(), row.activity_kind.as_str()),
                stage: stage_tag(t, row.stage),
                period: format!("{}〜{}", brief(t, row.period_from), brief(t, row.period_to)),
                work: format!("{}×{}{}", t.minutes(i64::from(row.minutes_per_visit)), row.visit_count, t.t("回", "")),
                submitted: row.submitted_at.map(|at| brief(t, at.jst_day())).unwrap_or_default(),
                updated: brief(t, row.updated_at.jst_day()),
            })
            .collect();
        let kept: Vec<(String, String)> = given.into_iter().filter(|(name, _)| name != "cursor").collect();
        let with = |path: &str, name: &str, value: &str| {
            let mut all = kept.clone();
            all.push((name.to_owned(), value.to_owned()));
            address(path, &all)
        };
        let narrowed_otherwise = kept.iter().any(|(name, _)| name != "stage" && name != "sort");
        let shown = i64::try_from(lines.len()).unwrap_or_default();
        let summary = if t.english() {
            format!(
                "{} request(s){}",
                grouped(total),
                if shown < total { format!(", {shown} on this page") } else { String::new() }
            )
        } else {
            format!("{}件{}", grouped(total), if shown < total { format!("（このうち{shown}件を表示）") } else { String::new() })
        };
        let content = List {
            tongue: t,
            may_file: view.may::<FileRequests>(),
            office: view.ctx.principal.is_coordinator(),
            sets: sets(view, &filter.stages, narrowed_otherwise),
            saved: filter_pages::beside(conn, view, "/requests", &kept)?,
            narrowed: narrowed_otherwise,
            programmes: choices.of("programme").map_or(0, <[Choice]>::len),
            q: params.q.clone().unwrap_or_default(),
            from: params.submitted_from.map(|day| day.to_string()).unwrap_or_default(),
            to: params.submitted_to.map(|day| day.to_string()).unwrap_or_default(),
            selects: selects(view, &params, sort, &choices),
            stages: Stage::ALL
                .iter()
                .map(|stage| (stage.as_str(), said(t, stage.label_ja(), stage.as_str()), filter.stages.contains(stage)))
                .collect(),
            summary,
            lines,
            next: next.map(|cursor| with("/requests", "cursor", &cursor)),
            xlsx: with("/files/requests", "format", "xlsx"),
            csv: with("/files/requests", "format", "csv"),
        };
        Ok(Sheet::new(view.t("申請", "Requests"), content))
    })
    .await
}
