//! The statistics page: dispatches by month, mode and body, which municipalities were reached, what it cost. Every number
//! comes from the same use case as the API and the files.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use serde::Deserialize;

use crate::auth::policy::{ReadCosts, ReadStatistics};
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::dispatches::page_parts::word;
use crate::error::Error;
use crate::http::ListQuery;
use crate::ids::ProgrammeId;
use crate::pools::store::{self as pools, ProgrammeRow};
use crate::requests::model::Mode;
use crate::statistics::model::{DispatchBreakdown, Years, activities};
use crate::statistics::queries::DispatchScope;
use crate::statistics::service;
use crate::statistics::views::{CostStatistics, CoverageFigures, CoverageStatistics, DispatchPart, DispatchStatistics};
use crate::web::charts::{Chart, Series};
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::{Tongue, grouped};

/// Most programmes that the choice offers.
const MOST_PROGRAMMES: i64 = 200;
/// Years before this one that the choice offers.
const YEARS_BACK: i32 = 9;
/// Years of the table over time.
const YEARS_SHOWN: i32 = 5;

/// Registers the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/statistics", web::get().to(statistics));
}

/// Which programme and which year.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    programme_id: Option<ProgrammeId>,
    fiscal_year: Option<i32>,
}

/// The programme and the year of a page, and what else could be chosen.
#[derive(Debug)]
pub struct Picked {
    /// The programme; none where the person sees none.
    pub programme: Option<ProgrammeRow>,
    /// The year.
    pub year: i32,
    /// All programmes.
    pub programmes: Vec<ProgrammeRow>,
}

impl Picked {
    /// What was asked for, or the first programme and the running year.
    pub fn load(conn: &mut Conn, view: &View, chosen: &Chosen) -> Result<Self, Error> {
        let list = ListQuery::new(Some(MOST_PROGRAMMES), None, &"programmes")?;
        let mut programmes = pools::list_programmes(conn, &view.ctx, None, &list)?;
        programmes.truncate(usize::try_from(MOST_PROGRAMMES).unwrap_or(usize::MAX));
        let programme = match chosen.programme_id {
            Some(id) => Some(pools::visible_programme(conn, &view.ctx, id)?.0),
            None => programmes.first().cloned(),
        };
        let year = chosen.fiscal_year.unwrap_or_else(|| FiscalYear::of(view.ctx.today()).starting_year());
        Years::single(year)?;
        Ok(Self { programme, year, programmes })
    }

    /// The years that can be chosen, newest first.
    pub fn years(&self, today: NaiveDate) -> Vec<i32> {
        let now = FiscalYear::of(today).starting_year();
        let mut years: Vec<i32> = (now - YEARS_BACK..=now + 1).rev().collect();
        if !years.contains(&self.year) {
            years.insert(0, self.year);
        }
        years
    }

    /// The form that chooses programme and year.
    pub fn form(&self, view: &View, action: &'static str) -> Result<String, Error> {
        let form = PickForm {
            tongue: view.tongue,
            action,
            programme: self.programme.as_ref().map_or(0, |row| row.id.0),
            year: self.year,
            years: self.years(view.ctx.today()),
            programmes: &self.programmes,
        };
        form.render().map_err(Error::internal)
    }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<form method="get" action="{{ action }}" class="fill"><fieldset class="row"><legend>{{ tongue.t("事業と年度を選ぶ", "Choose programme and year") }}</legend>
<div class="field"><label for="pick-programme">{{ tongue.t("事業", "Programme") }}</label><select id="pick-programme" name="programme_id">{% for row in programmes %}<option value="{{ row.id }}"{% if row.id.0 == programme %} selected{% endif %}>{{ row.name }}</option>{% endfor %}</select></div>
<div class="field"><label for="pick-year">{{ tongue.t("年度", "Fiscal year") }}</label><select id="pick-year" name="fiscal_year">{% for one in years %}<option value="{{ one }}"{% if *one == year %} selected{% endif %}>{{ tongue.fiscal_year(**one) }}</option>{% endfor %}</select></div>
<p class="actions"><button type="submit" class="plain">{{ tongue.t("表示する", "Show") }}</button></p></fieldset></form>"#
)]
struct PickForm<'a> {
    tongue: Tongue,
    action: &'static str,
    programme: i64,
    year: i32,
    years: Vec<i32>,
    programmes: &'a [ProgrammeRow],
}

/// Where a page has nothing to show because the person sees no programme.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ title }}</h1><p>{{ tongue.t("ご覧いただける事業が、まだありません。", "There is no programme for you to see yet.") }}</p>"#
)]
pub struct Nothing {
    /// Language.
    pub tongue: Tongue,
    /// Heading.
    pub title: String,
}

/// A month as tables head it: 4月.
pub fn month_name(tongue: Tongue, day: NaiveDate) -> String {
    if tongue.english() { day.format("%b").to_string() } else { format!("{}月", chrono::Datelike::month(&day)) }
}

/// Thousandths as a percentage with one decimal.
pub fn percent(permille: Option<i64>) -> String {
    permille.map_or_else(|| "–".to_owned(), |share| format!("{}.{}%", share / 10, share % 10))
}

/// Minutes as hours with one decimal.
pub fn hours(minutes: i64) -> String {
    let tenths = (minutes.saturating_mul(10) + 30).div_euclid(60);
    format!("{}.{}", grouped(tenths.div_euclid(10)), tenths.rem_euclid(10))
}

struct Month {
    name: String,
    part: Option<DispatchPart>,
}

struct Row {
    label: String,
    part: DispatchPart,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<h1>{{ tongue.t("統計", "Statistics") }}{{ tongue.t("：", ": ") }}{{ by_month.programme_name }} {{ tongue.fiscal_year(*year) }}</h1>
{{ form|safe }}
<ul class="cards">
<li><span class="figure">{{ by_month.total.visits }}</span> {{ tongue.t("回（実施した派遣）", "visits held") }}</li>
<li><span class="figure">{{ by_month.total.organisations }}</span> {{ tongue.t("団体", "bodies") }}</li>
<li><span class="figure">{{ by_month.total.experts }}</span> {{ tongue.t("人（専門家）", "experts") }}</li>
<li><span class="figure">{{ self::hours(*by_month.total.minutes) }}</span> {{ tongue.t("時間", "hours") }}</li>
{% if let Some(planned) = by_month.total.planned %}<li><span class="figure">{{ planned.visits }}</span> {{ tongue.t("回（決定済み・これから）", "visits decided, still ahead") }}</li>{% endif %}
<li><span class="figure">{{ by_month.total.consultations.visits }}</span> {{ tongue.t("件（相談。派遣とは別に集計）", "consultations, counted apart") }}</li>
</ul>
<nav aria-label="{{ tongue.t("このページの内容", "On this page") }}"><p class="actions"><a href="#month">{{ tongue.t("月別", "By month") }}</a> <a href="#mode">{{ tongue.t("形態・活動別", "By mode and kind") }}</a> <a href="#years">{{ tongue.t("年度の推移", "Over the years") }}</a> <a href="#reach">{{ tongue.t("市町村の利用", "Municipalities reached") }}</a>{% if costs.is_some() %}<a href="#cost">{{ tongue.t("費用と負担", "Costs and payers") }}</a>{% endif %}</p></nav>
<h2 id="month">{{ tongue.t("月別の派遣", "Dispatches by month") }}</h2>
<div class="columns"><figure>{{ month_chart|safe }}<figcaption>{{ tongue.t("実施した訪問の回数。合同の訪問は1回と数えます。", "Visits held. A joint visit counts once.") }}</figcaption></figure>
<div><div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("月別の派遣の表", "Table of dispatches by month") }}"><table><thead><tr><th scope="col">{{ tongue.t("月", "Month") }}</th><th scope="col" class="n">{{ tongue.t("回数", "Visits") }}</th><th scope="col" class="n">{{ tongue.t("時間", "Hours") }}</th><th scope="col" class="n">{{ tongue.t("団体", "Bodies") }}</th><th scope="col" class="n">{{ tongue.t("専門家", "Experts") }}</th></tr></thead><tbody>
{% for month in months %}<tr><th scope="row">{{ month.name }}</th>{% match month.part %}{% when Some with (part) %}<td class="n">{{ part.visits.unwrap_or(0) }}</td><td class="n">{{ self::hours(part.minutes.unwrap_or(0)) }}</td><td class="n">{{ part.organisations.unwrap_or(0) }}</td><td class="n">{{ part.experts.unwrap_or(0) }}</td>{% when None %}<td class="n">0</td><td class="n">0.0</td><td class="n">0</td><td class="n">0</td>{% endmatch %}</tr>{% endfor %}
</tbody><tfoot><tr><th scope="row">{{ tongue.t("年度計", "Year") }}</th><td class="n">{{ by_month.total.visits }}</td><td class="n">{{ self::hours(*by_month.total.minutes) }}</td><td class="n">{{ by_month.total.organisations }}</td><td class="n">{{ by_month.total.experts }}</td></tr></tfoot></table></div>
<p class="hint">{{ tongue.t("団体と専門家は、年度を通じて一つ（一人）と数えるため、月の合計とは一致しません。", "Bodies and experts are counted once in the year, so their months do not add up to it.") }}</p>{{ Self::files(tongue, "dispatches", span.as_str(), "&by=month")|safe }}</div></div>
<h2 id="mode">{{ tongue.t("形態別・活動区分別", "By mode and kind of activity") }}</h2>
<div class="columns"><div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("形態別・活動区分別の表", "Table by mode and kind") }}"><table><thead><tr><th scope="col">{{ tongue.t("区分", "Part") }}</th><th scope="col" class="n">{{ tongue.t("回数", "Visits") }}</th><th scope="col" class="n">{{ tongue.t("時間", "Hours") }}</th><th scope="col" class="n">{{ tongue.t("団体", "Bodies") }}</th><th scope="col" class="n">{{ tongue.t("専門家", "Experts") }}</th></tr></thead>
{% for (head, rows) in parts %}<tbody><tr><th scope="rowgroup" colspan="5">{{ head }}</th></tr>{% for row in rows %}<tr><th scope="row">{{ row.label }}</th><td class="n">{{ row.part.visits.unwrap_or(0) }}</td><td class="n">{{ self::hours(row.part.minutes.unwrap_or(0)) }}</td><td class="n">{{ row.part.organisations.unwrap_or(0) }}</td><td class="n">{{ row.part.experts.unwrap_or(0) }}</td></tr>{% endfor %}{% if rows.is_empty() %}<tr><td colspan="5">{{ tongue.t("実施した派遣はありません。", "No visits were held.") }}</td></tr>{% endif %}</tbody>{% endfor %}</table></div>
<div><p>{{ tongue.t("団体別・専門家別などの表", "Further tables") }}</p><ul><li>{{ tongue.t("形態別", "By mode") }} {{ Self::links(tongue, "dispatches", span.as_str(), "&by=mode")|safe }}</li><li>{{ tongue.t("活動区分別", "By kind") }} {{ Self::links(tongue, "dispatches", span.as_str(), "&by=activity")|safe }}</li><li>{{ tongue.t("団体別", "By body") }} {{ Self::links(tongue, "dispatches", span.as_str(), "&by=organisation")|safe }}</li><li>{{ tongue.t("専門家別", "By expert") }} {{ Self::links(tongue, "dispatches", span.as_str(), "&by=expert")|safe }}</li></ul></div></div>
<h2 id="years">{{ tongue.t("年度の推移", "Over the years") }}</h2>
<div class="columns"><figure>{{ years_chart|safe }}<figcaption>{{ tongue.t("年度ごとの回数と団体数。", "Visits and bodies of each year.") }}</figcaption></figure>
<div><div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("年度の推移の表", "Table over the years") }}"><table><thead><tr><th scope="col">{{ tongue.t("年度", "Year") }}</th><th scope="col" class="n">{{ tongue.t("団体", "Bodies") }}</th><th scope="col" class="n">{{ tongue.t("回数", "Visits") }}</th><th scope="col" class="n">{{ tongue.t("専門家", "Experts") }}</th><th scope="col" class="n">{{ tongue.t("時間", "Hours") }}</th></tr></thead><tbody>
{% for row in trend.years %}<tr><th scope="row">{{ tongue.fiscal_year(*row.fiscal_year) }}</th><td class="n">{{ row.organisations }}</td><td class="n">{{ row.visits }}</td><td class="n">{{ row.experts }}</td><td class="n">{{ self::hours(*row.minutes) }}</td></tr>{% endfor %}
</tbody></table></div>{{ Self::files(tongue, "dispatches", trend_span.as_str(), "")|safe }}</div></div>
<h2 id="reach">{{ tongue.t("市町村の利用状況", "Municipalities reached") }}</h2>
<p>{{ tongue.t("会員市町村", "Of") }} {{ coverage.all.members }}{{ tongue.t("のうち、この年度に利用したのは", " member municipalities") }} <strong>{{ coverage.all.served }}</strong>{{ tongue.t("（", " used it in this year (") }}{{ self::percent(*coverage.all.served_permille) }}{{ tongue.t("）。年度末までに一度も利用がないのは", "); never until the end of the year: ") }} <strong>{{ coverage.all.never_served }}</strong>{{ tongue.t("です。", ".") }} <span class="hint">{{ tongue.t("会員と人口は", "Members and populations as of ") }}{{ tongue.day(*coverage.members_on) }}{{ tongue.t("現在。", ".") }}</span></p>
<div class="columns"><figure>{{ reach_chart|safe }}</figure><div><div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("人口規模別の利用の表", "Table by population") }}"><table><thead><tr><th scope="col">{{ tongue.t("人口規模", "Population") }}</th><th scope="col" class="n">{{ tongue.t("会員", "Members") }}</th><th scope="col" class="n">{{ tongue.t("利用", "Served") }}</th><th scope="col" class="n">{{ tongue.t("利用率", "Share") }}</th><th scope="col" class="n">{{ tongue.t("利用なし", "Never") }}</th></tr></thead><tbody>
{% for (label, figures) in bands %}<tr><th scope="row">{{ label }}</th><td class="n">{{ figures.members }}</td><td class="n">{{ figures.served }}</td><td class="n">{{ self::percent(*figures.served_permille) }}</td><td class="n">{{ figures.never_served }}</td></tr>{% endfor %}
</tbody><tfoot><tr><th scope="row">{{ tongue.t("計", "Total") }}</th><td class="n">{{ coverage.all.members }}</td><td class="n">{{ coverage.all.served }}</td><td class="n">{{ self::percent(*coverage.all.served_permille) }}</td><td class="n">{{ coverage.all.never_served }}</td></tr></tfoot></table></div>{{ Self::files(tongue, "coverage", span.as_str(), "")|safe }}</div></div>
{% if !never.is_empty() %}<h3>{{ tongue.t("年度末までに一度も利用のない市町村", "Never served until the end of the year") }}</h3><ul class="boxes">{% for (name, population) in never %}<li>{{ name }}{% if let Some(population) = population %} <span class="hint">{{ self::grouped(**population) }}{{ tongue.t("人", " people") }}</span>{% endif %}</li>{% endfor %}</ul>{% endif %}
{% if let Some(costs) = costs %}<h2 id="cost">{{ tongue.t("費用と負担", "Costs and payers") }}</h2>
{% if costs.amounts_undisclosed && costs.total_yen.is_none() %}<p class="notice">{{ tongue.t("この事業は金額を公開していません。", "This programme does not disclose amounts.") }}</p>{% else %}
{% if costs.is_partial %}<p class="hint">{{ tongue.t("公開されていない費用は含みません。", "Costs that are not disclosed are left out.") }}</p>{% endif %}{% if costs.is_approximate %}<p class="hint">{{ tongue.t("概数（約）から計算した額を含みます。", "Some of it is reckoned from approximate figures.") }}</p>{% endif %}{% if let Some(open) = costs.open_items %}{% if *open > 0 %}<p class="notice warn">{{ tongue.t("負担がまだ確定していない費用が", "Items whose shares are not fixed yet, in none of these sums: ") }}{{ open }}{{ tongue.t("件あり、下の合計に含みません。", ".") }}</p>{% endif %}{% endif %}
{% if costs.components.is_empty() %}<p>{{ tongue.t("確定した費用はまだありません。", "No costs are fixed yet.") }}</p>{% else %}<div class="columns"><figure>{{ cost_chart|safe }}<figcaption>{{ tongue.t("誰が負担するか（確定した費用）。", "Who pays (fixed costs).") }}</figcaption></figure><div>
{% for (head, rows) in money %}<div class="scroll" tabindex="0" role="region" aria-label="{{ head }}"><table><thead><tr><th scope="col">{{ head }}</th><th scope="col" class="n">{{ tongue.t("金額", "Amount") }}</th></tr></thead><tbody>{% for (label, yen) in rows %}<tr><th scope="row">{{ label }}</th><td class="n">{{ tongue.yen(**yen) }}</td></tr>{% endfor %}</tbody>{% if let Some(total) = costs.total_yen %}<tfoot><tr><th scope="row">{{ tongue.t("計", "Total") }}</th><td class="n">{{ tongue.yen(**total) }}</td></tr></tfoot>{% endif %}</table></div>{% endfor %}
</div></div>
{% if !costs.organisations.is_empty() %}<details><summary>{{ tongue.t("団体別の負担", "By body that bears it") }}（{{ costs.organisations.len() }}）</summary><div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("団体別の負担の表", "Table by body") }}"><table><thead><tr><th scope="col">{{ tongue.t("団体", "Body") }}</th><th scope="col" class="n">{{ tongue.t("負担", "Bears") }}</th></tr></thead><tbody>{% for row in costs.organisations %}<tr><th scope="row">{{ row.name }}</th><td class="n">{{ tongue.yen(*row.amount_yen) }}</td></tr>{% endfor %}</tbody></table></div></details>{% endif %}{% endif %}
<p class="actions"><a href="/year-end?programme_id={{ costs.programme_id }}&amp;fiscal_year={{ costs.fiscal_year }}">{{ tongue.t("年度末の集計（派遣ごと）を見る", "Year-end table, dispatch by dispatch") }}</a>{{ Self::links(tongue, "costs", cost_span.as_str(), "")|safe }}</p>{% endif %}{% endif %}"##
)]
struct Content {
    tongue: Tongue,
    form: String,
    year: i32,
    span: String,
    trend_span: String,
    cost_span: String,
    by_month: DispatchStatistics,
    months: Vec<Month>,
    month_chart: String,
    parts: Vec<(String, Vec<Row>)>,
    trend: DispatchStatistics,
    years_chart: String,
    coverage: CoverageStatistics,
    bands: Vec<(String, CoverageFigures)>,
    never: Vec<(String, Option<i64>)>,
    reach_chart: String,
    costs: Option<CostStatistics>,
    cost_chart: String,
    money: Vec<(String, Vec<(String, i64)>)>,
}

impl Content {
    /// The links to the files of a table.
    fn links(tongue: &Tongue, table: &str, query: &str, more: &str) -> String {
        export_links(*tongue, &format!("statistics/{table}"), &format!("{query}{more}"))
    }

    fn files(tongue: &Tongue, table: &str, query: &str, more: &str) -> String {
        format!(r#"<p class="actions">{}</p>"#, Self::links(tongue, table, query, more))
    }
}

/// Links to the files of a table: Excel and CSV. `query` is written by pages, never by people.
pub fn export_links(tongue: Tongue, path: &str, query: &str) -> String {
    let query = query.replace('&', "&amp;");
    let words = tongue.t("ファイル：", "Files: ");
    format!(
        r#"<span class="hint">{words}</span> <a href="/files/{path}?{query}&amp;format=xlsx">Excel</a> <a href="/files/{path}?{query}&amp;format=csv">CSV</a>"#
    )
}

async fn statistics(page: Page<ReadStatistics>) -> Result<HttpResponse, Error> {
    let chosen: Chosen = page.query()?;
    page.show(move |conn, view| {
        let picked = Picked::load(conn, view, &chosen)?;
        let title = view.t("統計", "Statistics");
        let Some(programme) = &picked.programme else {
            return Ok(Sheet::new(title, Either::None(Nothing { tongue: view.tongue, title: title.to_owned() })));
        };
        let form = picked.form(view, "/statistics")?;
        Ok(Sheet::new(title, Either::Some(Box::new(content(conn, view, programme.id, picked.year, form)?))))
    })
    .await
}

/// A page, or that there is nothing.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% match self %}{% when Self::Some with (content) %}{{ content|safe }}{% when Self::None with (nothing) %}{{ nothing|safe }}{% endmatch %}"#
)]
pub enum Either<T: Template> {
    /// A page.
    Some(Box<T>),
    /// Nothing.
    None(Nothing),
}

fn content(conn: &mut Conn, view: &View, programme: ProgrammeId, year: i32, form: String) -> Result<Content, Error> {
    let t = view.tongue;
    let years = Years::single(year)?;
    let scope =
        |years| -> Result<DispatchScope, Error> { Ok(DispatchScope { programme, years, kinds: activities(None)?, as_of: None }) };
    let mut by_month = service::dispatches(conn, &view.ctx, scope(years)?, Some(DispatchBreakdown::Month))?;
    let modes = service::dispatches(conn, &view.ctx, scope(years)?, Some(DispatchBreakdown::Mode))?;
    let kinds = service::dispatches(conn, &view.ctx, scope(years)?, Some(DispatchBreakdown::Activity))?;
    let first = (year + 1 - YEARS_SHOWN).max(2000);
    let trend = service::dispatches(conn, &view.ctx, scope(Years::new(first, year)?)?, None)?;
    let coverage = service::coverage(conn, &view.ctx, programme, years, &activities(None)?)?;
    let costs = if view.may::<ReadCosts>() { Some(service::costs(conn, &view.ctx, programme, years, None)?) } else { None };
    let mut found = by_month.parts.take().unwrap_or_default();
    let months: Vec<Month> = years
        .months()
        .map(|day| {
            let key = day.format("%Y-%m").to_string();
            let place = found.iter().position(|part| part.key == key);
            Month { name: month_name(t, day), part: place.map(|place| found.swap_remove(place)) }
        })
        .collect();
    let rows = |parts: Option<Vec<DispatchPart>>, name: fn(&str) -> Option<&'static str>| -> Vec<Row> {
        let parts = parts.unwrap_or_default().into_iter();
        parts
            .map(|part| {
                let english = if t.english() { name(&part.key) } else { None };
                Row { label: english.map_or_else(|| part.label.clone(), |code| code.replace('_', " ")), part }
            })
            .collect()
    };
    let parts = vec![
        (t.t("形態", "Mode").to_owned(), rows(modes.parts, |key| key.parse::<Mode>().ok().map(Mode::as_str))),
        (
            t.t("活動区分", "Kind of activity").to_owned(),
            rows(kinds.parts, |key| key.parse::<crate::requests::model::ActivityKind>().ok().map(|kind| kind.as_str())),
        ),
    ];
    let bands: Vec<(String, CoverageFigures)> =
        coverage.bands.iter().map(|band| (word(&band.label, band.band.as_str(), t), band.figures)).collect();
    let never = coverage
        .organisations
        .iter()
        .filter(|body| body.first_served_fiscal_year.is_none())
        .map(|body| (body.name.clone(), body.population))
        .collect();
    let money = costs.as_ref().map_or_else(Vec::new, |costs| money(t, costs));
    Ok(Content {
        tongue: t,
        form,
        year,
        span: format!("programme_id={programme}&from_fiscal_year={year}&to_fiscal_year={year}"),
        trend_span: format!("programme_id={programme}&from_fiscal_year={first}&to_fiscal_year={year}"),
        cost_span: format!("programme_id={programme}&fiscal_year={year}"),
        month_chart: month_chart(t, &months),
        months,
        parts,
        years_chart: years_chart(t, &trend),
        trend,
        reach_chart: reach_chart(t, &bands),
        bands,
        never,
        coverage,
        cost_chart: cost_chart(t, &money),
        costs,
        money,
        by_month,
    })
}

/// The tables of the costs, each of which adds up to the total.
fn money(t: Tongue, costs: &CostStatistics) -> Vec<(String, Vec<(String, i64)>)> {
    let payers = costs.payers.iter().map(|row| (word(&row.label, row.payer.as_str(), t), row.amount_yen)).collect();
    let components =
        costs.components.iter().map(|row| (t.t(&row.label, row.component.label_en()).to_owned(), row.amount_yen)).collect();
    let items = costs.budget_items.iter().map(|row| (format!("{} {}", row.number, row.label), row.amount_yen)).collect();
    vec![
        (t.t("負担する者", "Who pays").to_owned(), payers),
        (t.t("費目", "Component").to_owned(), components),
        (t.t("予算の節", "Item of the budget").to_owned(), items),
    ]
}

fn month_chart(t: Tongue, months: &[Month]) -> String {
    Chart {
        id: "chart-month".to_owned(),
        title: t.t("月別の派遣回数", "Visits by month").to_owned(),
        about: String::new(),
        unit: t.t("回", "visits").to_owned(),
        labels: months.iter().map(|month| month.name.clone()).collect(),
        series: vec![Series::new(
            t.t("回数", "Visits"),
            months.iter().map(|month| month.part.as_ref().and_then(|part| part.visits).unwrap_or(0)).collect(),
        )],
    }
    .grouped()
}

fn years_chart(t: Tongue, trend: &DispatchStatistics) -> String {
    Chart {
        id: "chart-years".to_owned(),
        title: t.t("年度ごとの回数と団体数", "Visits and bodies by year").to_owned(),
        about: String::new(),
        unit: String::new(),
        labels: trend.years.iter().map(|year| year.label.clone()).collect(),
        series: vec![
            Series::new(t.t("回数", "Visits"), trend.years.iter().map(|year| year.visits).collect()),
            Series::new(t.t("団体", "Bodies"), trend.years.iter().map(|year| year.organisations).collect()),
        ],
    }
    .lines()
}

fn reach_chart(t: Tongue, bands: &[(String, CoverageFigures)]) -> String {
    let each = |of: fn(&CoverageFigures) -> i64| bands.iter().map(|(_, figures)| of(figures)).collect::<Vec<i64>>();
    Chart {
        id: "chart-reach".to_owned(),
        title: t.t("人口規模別の利用", "Municipalities reached by population").to_owned(),
        about: String::new(),
        unit: t.t("市町村", "bodies").to_owned(),
        labels: bands.iter().map(|(label, _)| label.replace("万人以上", "万〜").replace("万人未満", "万未満")).collect(),
        series: vec![
            Series::new(t.t("この年度に利用", "Served in this year"), each(|f| f.served)),
            Series::new(t.t("以前に利用", "Served before"), each(|f| f.members - f.served - f.never_served)),
            Series::new(t.t("一度も利用なし", "Never served"), each(|f| f.never_served)),
        ],
    }
    .stacked()
}

fn cost_chart(t: Tongue, money: &[(String, Vec<(String, i64)>)]) -> String {
    let Some((head, rows)) = money.first() else { return String::new() };
    Chart {
        id: "chart-cost".to_owned(),
        title: head.clone(),
        about: String::new(),
        unit: t.t("円", "yen").to_owned(),
        labels: rows.iter().map(|(label, _)| label.clone()).collect(),
        series: vec![Series::new(t.t("金額", "Amount"), rows.iter().map(|(_, yen)| *yen).collect())],
    }
    .grouped()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_hours_have_one_decimal() {
        assert_eq!(percent(Some(857)), "85.7%");
        assert_eq!(percent(None), "–");
        assert_eq!(hours(90), "1.5");
        assert_eq!(hours(100), "1.7");
        assert_eq!(hours(72_000), "1,200.0");
    }
}
