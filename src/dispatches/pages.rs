//! Pages of dispatches: the list with its filters; what else there is stands in the files beside it.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use serde::Deserialize;

use crate::auth::policy::ReadDispatches;
use crate::db::Conn;
use crate::dispatches::model::{DispatchStatus, ReportStatus};
use crate::dispatches::page_parts::{self, Tag};
use crate::dispatches::records;
use crate::dispatches::report_views::is_overdue;
use crate::dispatches::store::{self, Audience, DispatchFilter, DispatchSort};
use crate::dispatches::views::DispatchSummary;
use crate::dispatches::{page_calendar, page_dispatch, page_report, page_visit};
use crate::error::Error;
use crate::http::ListQuery;
use crate::ids::{DispatchId, ExpertId, OrganisationId, ProgrammeId};
use crate::requests::model::ActivityKind;
use crate::today::filter_pages;
use crate::web::choices::{Choice, Choices};
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::Tongue;

/// Registers the pages of dispatches and visits.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/dispatches", web::get().to(list))
        .configure(page_dispatch::configure)
        .configure(page_report::configure)
        .configure(page_visit::configure)
        .configure(page_calendar::configure);
}

/// What the list is narrowed by, as in the API.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    programme_id: Option<ProgrammeId>,
    fiscal_year: Option<i32>,
    status: Option<DispatchStatus>,
    activity_kind: Option<ActivityKind>,
    applicant_organisation_id: Option<OrganisationId>,
    expert_id: Option<ExpertId>,
    q: Option<String>,
    sort: Option<DispatchSort>,
    limit: Option<i64>,
    cursor: Option<String>,
}

impl Asked {
    /// The parameters that list and file share.
    fn kept(&self) -> Vec<(&'static str, String)> {
        let text = |value: &dyn ToString| value.to_string();
        [
            ("q", self.q.clone()),
            ("status", self.status.as_ref().map(|v| text(v))),
            ("fiscal_year", self.fiscal_year.as_ref().map(|v| text(v))),
            ("activity_kind", self.activity_kind.as_ref().map(|v| text(v))),
            ("programme_id", self.programme_id.as_ref().map(|v| text(v))),
            ("applicant_organisation_id", self.applicant_organisation_id.as_ref().map(|v| text(v))),
            ("expert_id", self.expert_id.as_ref().map(|v| text(v))),
            ("sort", self.sort.as_ref().map(|v| text(v))),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

struct Row {
    path: String,
    number: String,
    document_number: String,
    applicant: String,
    theme: String,
    experts: String,
    period: String,
    status: Tag,
    report: Option<(Tag, String)>,
    late: bool,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ tongue.t("派遣", "Dispatches") }}</h1>
{{ saved|safe }}<details class="filter"{% if narrowed %} open{% endif %}><summary>{{ tongue.t("絞り込み・並べ替え", "Filter and sort") }}</summary><form method="get" action="/dispatches">{% for (name, value) in hidden %}<input type="hidden" name="{{ name }}" value="{{ value }}">{% endfor %}
<div class="field"><label for="q">{{ tongue.t("番号・文書番号", "Number") }}</label><input type="search" id="q" name="q" maxlength="100" value="{{ q }}"></div>
{% for (name, label, options) in selects %}<div class="field"><label for="f-{{ name }}">{{ label }}</label>{{ options|safe }}</div>{% endfor %}
<p class="actions"><button type="submit">{{ tongue.t("絞り込む", "Apply") }}</button> <a href="/dispatches">{{ tongue.t("条件を消す", "Clear") }}</a></p></form></details>
<p>{% if tongue.english() %}{{ total }} dispatches{% else %}{{ total }}件{% endif %}{% if let Some(expert) = expert %}（{{ tongue.t("専門家：", "expert: ") }}{{ expert }}）{% endif %}</p>
{% if rows.is_empty() %}<p>{{ tongue.t("条件に合う派遣はありません。", "No dispatch matches.") }}</p>{% else %}
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("派遣の一覧", "Dispatches") }}"><table><thead><tr><th scope="col">{{ tongue.t("番号", "Number") }}</th><th scope="col">{{ tongue.t("申請団体・テーマ", "Applicant, theme") }}</th><th scope="col">{{ tongue.t("専門家", "Experts") }}</th><th scope="col">{{ tongue.t("派遣期間", "Period") }}</th><th scope="col">{{ tongue.t("状態", "State") }}</th><th scope="col">{{ tongue.t("実績報告", "Report") }}</th></tr></thead><tbody>
{% for row in rows %}<tr{% if row.late %} class="late"{% endif %}><td class="keep"><a href="{{ row.path }}">{{ row.number }}</a>{% if !row.document_number.is_empty() %}<br>{{ row.document_number }}{% endif %}</td><td>{{ row.applicant }}<br>{{ row.theme }}</td><td>{{ row.experts }}</td><td>{{ row.period }}</td><td>{{ row.status.html()|safe }}</td><td>{% if let Some((tag, when)) = row.report %}{{ tag.html()|safe }} {{ when }}{% endif %}</td></tr>{% endfor %}
</tbody></table></div>{% endif %}
<p class="actions">{% if let Some(next) = next %}<a class="button plain" href="{{ next }}" rel="next">{{ tongue.t("次の頁", "Next page") }}</a>{% endif %}<a href="{{ xlsx }}">{{ tongue.t("Excel（全件）", "Excel (all)") }}</a><a href="{{ csv }}">{{ tongue.t("CSV（全件）", "CSV (all)") }}</a></p>"#
)]
struct List {
    tongue: Tongue,
    saved: String,
    q: String,
    /// What narrows the list and has no field of its own.
    hidden: Vec<(&'static str, String)>,
    selects: Vec<(&'static str, String, String)>,
    narrowed: bool,
    total: i64,
    expert: Option<String>,
    rows: Vec<Row>,
    next: Option<String>,
    xlsx: String,
    csv: String,
}

fn row(view: &View, summary: DispatchSummary, today: NaiveDate) -> Row {
    let t = view.tongue;
    let report = summary.report_status.filter(|_| summary.status != DispatchStatus::Cancelled).map(|status| {
        let overdue = is_overdue(status, summary.report_due_on, today);
        let waiting = matches!(status, ReportStatus::Due | ReportStatus::Returned);
        let when = summary.report_due_on.filter(|_| waiting);
        let when = when.map(|due| format!("{}{}", t.t("期限 ", "due "), t.short_day(due))).unwrap_or_default();
        (page_parts::report_tag(status, overdue, t), when)
    });
    Row {
        path: format!("/dispatches/{}", summary.id),
        number: page_parts::number(summary.number.as_deref(), summary.activity_kind, t),
        late: is_overdue(summary.report_status.unwrap_or(ReportStatus::Approved), summary.report_due_on, today)
            && summary.status == DispatchStatus::Decided,
        document_number: summary.document_number,
        applicant: summary.applicant_name,
        theme: summary.theme,
        experts: summary.experts.iter().filter(|one| one.active).map(|one| one.name.as_str()).collect::<Vec<_>>().join("、"),
        period: page_parts::short_period(summary.period_from, summary.period_to, t),
        status: page_parts::dispatch_tag(summary.status, t),
        report,
    }
}

async fn list(page: Page<ReadDispatches>) -> Result<HttpResponse, Error> {
    let asked: Asked = page.query()?;
    page.show(move |conn, view| {
        let (t, today) = (view.tongue, view.ctx.today());
        let filter = DispatchFilter {
            programme_id: asked.programme_id,
            fiscal_year: asked.fiscal_year,
            status: asked.status,
            activity_kind: asked.activity_kind,
            applicant: asked.applicant_organisation_id,
            expert: asked.expert_id,
            q: asked.q.clone().filter(|q| !q.is_empty()),
        };
        let sort = asked.sort.unwrap_or(DispatchSort::UpdatedDesc);
        let list = ListQuery::new(asked.limit, asked.cursor.as_deref(), &("dispatches", &filter, sort))?;
        let lines = store::list(conn, Audience::of(&view.ctx), &filter, sort, &list)?;
        let total = store::count(conn, Audience::of(&view.ctx), &filter)?;
        let found = list.page(lines, |line| store::position(line, sort));
        let ids: Vec<DispatchId> = found.items.iter().map(|line| line.id).collect();
        let experts = records::experts_of(conn, &ids)?;
        let rows: Vec<DispatchSummary> = found.items.into_iter().map(|line| DispatchSummary::new(line, &experts)).collect();
        let expert = asked.expert_id.map(|id| {
            let known = experts.iter().find(|one| one.expert_id == id);
            known.map_or_else(|| format!("#{id}"), |one| one.name.clone())
        });
        let kept = asked.kept();
        let content = List {
            tongue: t,
            saved: filter_pages::beside(conn, view, "/dispatches", &kept)?,
            q: asked.q.clone().unwrap_or_default(),
            hidden: kept.iter().filter(|(name, _)| matches!(*name, "applicant_organisation_id" | "expert_id")).cloned().collect(),
            selects: selects(conn, view, &asked)?,
            narrowed: !kept.is_empty(),
            total,
            expert,
            rows: rows.into_iter().map(|summary| row(view, summary, today)).collect(),
            next: found.next_cursor.map(|cursor| page_parts::address("/dispatches", &kept, &[("cursor", &cursor)])),
            xlsx: page_parts::address("/files/dispatches", &kept, &[("format", "xlsx")]),
            csv: page_parts::address("/files/dispatches", &kept, &[("format", "csv")]),
        };
        Ok(Sheet::new(t.t("派遣", "Dispatches"), content))
    })
    .await
}

/// What an order is called.
fn order(t: Tongue, sort: DispatchSort) -> &'static str {
    let english = match sort {
        DispatchSort::UpdatedDesc => "latest change first",
        DispatchSort::Updated => "latest change last",
        DispatchSort::DecidedDesc => "latest decision first",
        DispatchSort::Decided => "latest decision last",
    };
    t.t(sort.label_ja(), english)
}

/// The fields of the filter that offer something.
fn selects(conn: &mut Conn, view: &View, asked: &Asked) -> Result<Vec<(&'static str, String, String)>, Error> {
    let t = view.tongue;
    let all = t.t("すべて", "All");
    let field = |name: &'static str, ja: &'static str, en: &'static str, options: &[Choice], value: &str| {
        let all = if name == "sort" { t.t("標準", "Default") } else { all };
        (name, t.t(ja, en).to_owned(), page_parts::select(&format!("f-{name}"), name, all, options, value))
    };
    let statuses: Vec<Choice> =
        DispatchStatus::ALL.iter().map(|s| (s.to_string(), page_parts::word(s.label_ja(), s.as_str(), t))).collect();
    let kinds: Vec<Choice> =
        ActivityKind::ALL.iter().map(|k| (k.to_string(), page_parts::word(k.label_ja(), k.as_str(), t))).collect();
    let orders: Vec<Choice> = DispatchSort::ALL.iter().map(|s| (s.to_string(), order(t, *s).to_owned())).collect();
    let this_year = crate::calendar::FiscalYear::of(view.ctx.today()).starting_year();
    let years: Vec<Choice> = (0..6).map(|back| this_year + 1 - back).map(|y| (y.to_string(), t.fiscal_year(y))).collect();
    let programmes = Choices::load(conn, &view.ctx, &["programme"])?;
    let chosen = |value: Option<String>| value.unwrap_or_default();
    let mut found = vec![
        field("status", "状態", "State", &statuses, &chosen(asked.status.map(|s| s.to_string()))),
        field("fiscal_year", "年度", "Fiscal year", &years, &chosen(asked.fiscal_year.map(|y| y.to_string()))),
        field("activity_kind", "活動の種類", "Kind", &kinds, &chosen(asked.activity_kind.map(|k| k.to_string()))),
    ];
    if let Some(options) = programmes.of("programme") {
        let value = chosen(asked.programme_id.map(|id| id.to_string()));
        found.push(field("programme_id", "事業", "Programme", options, &value));
    }
    found.push(field("sort", "並び順", "Order", &orders, &chosen(asked.sort.map(|s| s.to_string()))));
    Ok(found)
}
