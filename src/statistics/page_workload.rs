//! The heat map of workload: who is how busy in which month, against what was agreed.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::auth::policy::{ReadExperts, ReadWorkload, Role};
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::error::Error;
use crate::http::ListQuery;
use crate::ids::{ExpertId, PoolId, ProgrammeId};
use crate::pools::store as pools;
use crate::statistics::model::{Capacity, Years, permille};
use crate::statistics::pages::{Either, Nothing, export_links, hours, month_name};
use crate::statistics::service::{self, WorkloadOf};
use crate::statistics::views::ExpertWorkload;
use crate::statistics::{export, queries};
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::Tongue;

/// Most pools and programmes that the choice offers.
const MOST: i64 = 200;
/// Experts of one page of the tables.
const EXPERTS: usize = 200;

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/workload", web::get().to(workload));
}

/// Whose load, of which year.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    /// `pool-3` or `programme-5`: one choice of the form.
    of: Option<String>,
    pool_id: Option<PoolId>,
    programme_id: Option<ProgrammeId>,
    fiscal_year: Option<i32>,
    /// Which page of the experts, from 1.
    page: Option<usize>,
}

impl Chosen {
    fn of(&self) -> Result<Option<WorkloadOf>, Error> {
        if let Some(pool) = self.pool_id {
            return Ok(Some(WorkloadOf::Pool(pool)));
        }
        if let Some(programme) = self.programme_id {
            return Ok(Some(WorkloadOf::Programme(programme)));
        }
        let Some(of) = &self.of else { return Ok(None) };
        let number = |text: &str| text.parse::<i64>().map_err(|_| Error::not_found());
        if let Some(pool) = of.strip_prefix("pool-") {
            return Ok(Some(WorkloadOf::Pool(PoolId(number(pool)?))));
        }
        let programme = of.strip_prefix("programme-").ok_or_else(Error::not_found)?;
        Ok(Some(WorkloadOf::Programme(ProgrammeId(number(programme)?))))
    }
}

/// A month of an expert.
struct Cell {
    class: &'static str,
    share: Option<i64>,
    done: i64,
    planned: i64,
}

/// An expert.
struct Line {
    id: ExpertId,
    name: String,
    status: String,
    month_minutes: Option<i64>,
    capacity_minutes: Option<i64>,
    capacity_days: Option<i32>,
    cells: Vec<Cell>,
    done: i64,
    planned: i64,
    days: i64,
    taken: Option<i64>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<h1>{{ tongue.t("稼働状況", "Workload") }}{{ tongue.t("：", ": ") }}{{ name }} {{ tongue.fiscal_year(*year) }}</h1>
<form method="get" action="/workload" class="fill"><fieldset class="row"><legend>{{ tongue.t("対象と年度を選ぶ", "Choose what and when") }}</legend>
<div class="field"><label for="pick-of">{{ tongue.t("人材プールまたは事業", "Pool or programme") }}</label><select id="pick-of" name="of">{% for (group, entries) in choices %}<optgroup label="{{ group }}">{% for (value, label) in entries %}<option value="{{ value }}"{% if *value == chosen %} selected{% endif %}>{{ label }}</option>{% endfor %}</optgroup>{% endfor %}</select></div>
<div class="field"><label for="pick-year">{{ tongue.t("年度", "Fiscal year") }}</label><select id="pick-year" name="fiscal_year">{% for one in years %}<option value="{{ one }}"{% if *one == year %} selected{% endif %}>{{ tongue.fiscal_year(**one) }}</option>{% endfor %}</select></div>
<p class="actions"><button type="submit" class="plain">{{ tongue.t("表示する", "Show") }}</button></p></fieldset></form>
{% if count == 0 %}<p>{{ tongue.t("この人材プールに専門家はまだ登録されていません。", "No experts are registered in this pool yet.") }}</p>{% else %}
<p>{{ tongue.t("各月の実施と予定（決定済み・承諾済み）の合計が、その月の上限の何%にあたるかを示します。月の上限は、本人と合意した1か月の時間です。月の定めがないときは、週の時間の52倍の12分の1、または年の時間の12分の1です。", "Each cell shows what is done and planned (decided or accepted) in percent of the month's limit: what was agreed for a month; where nothing is agreed for months, 52 weeks or the year divided by twelve.") }}{% if of_programme %} {{ tongue.t("この事業の分だけを数えています。", "Only visits of this programme are counted.") }}{% endif %}</p>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("表の見方", "Legend") }}"><table class="heat"><caption>{{ tongue.t("表の見方", "Legend") }}</caption><tbody><tr><td class="h0">0% {{ tongue.t("空き", "free") }}</td><td class="h1">{{ tongue.t("1〜49% 余裕あり", "1–49 % room") }}</td><td class="h2">{{ tongue.t("50〜79% 標準", "50–79 % normal") }}</td><td class="h3">{{ tongue.t("80〜99% ほぼ上限", "80–99 % nearly full") }}</td><td class="h4">{{ tongue.t("100%以上 上限に到達", "100 % and more: full") }}</td><td>{{ tongue.t("時間だけの欄：上限の定めなし", "hours only: no limit agreed") }}</td></tr></tbody></table></div>
<h2>{{ tongue.t("専門家と月", "Experts and months") }}</h2>
{% if lines.len() < count %}<p class="hint">{% if tongue.english() %}Experts {{ first + 1 }} to {{ first + lines.len() }} of {{ count }}. The totals are those of all.{% else %}{{ count }}人のうち{{ first + 1 }}〜{{ first + lines.len() }}人目です。合計は全員の分です。{% endif %}</p>{% endif %}
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("専門家と月の表", "Table of experts and months") }}"><table class="heat"><thead><tr><th scope="col">{{ tongue.t("専門家", "Expert") }}</th>{% for month in months %}<th scope="col" class="n">{{ month }}</th>{% endfor %}<th scope="col" class="n">{{ tongue.t("年度の消化", "Of the year") }}</th></tr></thead><tbody>
{% for line in lines %}<tr><th scope="row">{% if links %}<a href="/experts/{{ line.id }}">{{ line.name }}</a>{% else %}{{ line.name }}{% endif %}{% if line.status == "suspended" %} <span class="tag">{{ tongue.t("一時停止中", "suspended") }}</span>{% endif %}</th>{% for cell in line.cells %}<td class="{{ cell.class }}">{% match cell.share %}{% when Some with (share) %}{% if *share == 0 %}0{% else %}{{ share }}%{% endif %}{% when None %}{% if cell.done + cell.planned > 0 %}{{ self::hours(cell.done + cell.planned) }}{{ tongue.t("時間", " h") }}{% else %}–{% endif %}{% endmatch %}</td>{% endfor %}<td class="{{ Self::class(*line.taken) }}">{% match line.taken %}{% when Some with (taken) %}{% if *taken == 0 %}0{% else %}{{ taken }}%{% endif %}{% when None %}–{% endmatch %}</td></tr>{% endfor %}
</tbody></table></div>
<h2>{{ tongue.t("年度の合計", "Totals of the year") }}</h2>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("年度の合計の表", "Table of totals") }}"><table><thead><tr><th scope="col">{{ tongue.t("専門家", "Expert") }}</th><th scope="col" class="n">{{ tongue.t("実施（時間）", "Done (h)") }}</th><th scope="col" class="n">{{ tongue.t("予定（時間）", "Planned (h)") }}</th><th scope="col" class="n">{{ tongue.t("月の上限（時間）", "Month's limit (h)") }}</th><th scope="col" class="n">{{ tongue.t("年の上限（時間）", "Year's limit (h)") }}</th><th scope="col" class="n">{{ tongue.t("日数", "Days") }}</th><th scope="col" class="n">{{ tongue.t("日数の上限", "Days' limit") }}</th></tr></thead><tbody>
{% for line in lines %}<tr><th scope="row">{{ line.name }}</th><td class="n">{{ self::hours(*line.done) }}</td><td class="n">{{ self::hours(*line.planned) }}</td><td class="n">{% match line.month_minutes %}{% when Some with (m) %}{{ self::hours(**m) }}{% when None %}{{ tongue.t("定めなし", "none") }}{% endmatch %}</td><td class="n">{% match line.capacity_minutes %}{% when Some with (m) %}{{ self::hours(**m) }}{% when None %}{{ tongue.t("定めなし", "none") }}{% endmatch %}</td><td class="n">{{ line.days }}</td><td class="n">{% match line.capacity_days %}{% when Some with (d) %}{{ d }}{% when None %}{{ tongue.t("定めなし", "none") }}{% endmatch %}</td></tr>{% endfor %}
</tbody><tfoot><tr><th scope="row">{{ tongue.t("計", "Total") }}（{{ count }}）</th><td class="n">{{ self::hours(*done) }}</td><td class="n">{{ self::hours(*planned) }}</td><td></td><td></td><td class="n">{{ days }}</td><td></td></tr></tfoot></table></div>
<details><summary>{{ tongue.t("月ごとの実施と予定の時間", "Hours done and planned, month by month") }}</summary>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("月ごとの時間の表", "Table of hours by month") }}"><table><caption>{{ tongue.t("実施＋予定（時間）", "done + planned (hours)") }}</caption><thead><tr><th scope="col">{{ tongue.t("専門家", "Expert") }}</th>{% for month in months %}<th scope="col" class="n">{{ month }}</th>{% endfor %}</tr></thead><tbody>
{% for line in lines %}<tr><th scope="row">{{ line.name }}</th>{% for cell in line.cells %}<td class="n">{% if cell.done + cell.planned > 0 %}{{ self::hours(*cell.done) }}+{{ self::hours(*cell.planned) }}{% else %}–{% endif %}</td>{% endfor %}</tr>{% endfor %}
</tbody></table></div></details>
<p class="actions">{% if let Some(link) = next %}<a class="button plain" href="{{ link }}" rel="next">{{ tongue.t("次の頁", "Next page") }}</a>{% endif %}{{ files|safe }}</p>{% endif %}"##
)]
struct Content {
    tongue: Tongue,
    name: String,
    year: i32,
    years: Vec<i32>,
    chosen: String,
    choices: Vec<(String, Vec<(String, String)>)>,
    of_programme: bool,
    links: bool,
    months: Vec<String>,
    /// The experts of this page, of how many, and how many stand before them.
    lines: Vec<Line>,
    count: usize,
    first: usize,
    next: Option<String>,
    done: i64,
    planned: i64,
    days: i64,
    files: String,
}

impl Content {
    fn class(share: Option<i64>) -> &'static str {
        class(share)
    }
}

/// The class of a share in percent.
fn class(share: Option<i64>) -> &'static str {
    match share {
        None | Some(i64::MIN..=0) => "h0",
        Some(1..=49) => "h1",
        Some(50..=79) => "h2",
        Some(80..=99) => "h3",
        Some(_) => "h4",
    }
}

/// Whole percent; what is not nothing is not shown as nothing, and what is not full not as full.
fn whole_percent(part: i64, whole: Option<i64>) -> Option<i64> {
    let whole = whole?;
    Some(match (permille(part, whole)? + 5) / 10 {
        0 if part > 0 => 1,
        100.. if part < whole => 99,
        share => share,
    })
}

/// What was agreed for a month, or a twelfth of what follows from weeks and year.
fn month_minutes(capacity: Capacity) -> Option<i64> {
    let month = capacity.minutes_month.map(i64::from);
    let week = capacity.minutes_week.map(|minutes| i64::from(minutes) * 52 / 12);
    let year = capacity.minutes_year.map(|minutes| i64::from(minutes) / 12);
    month.or_else(|| [week, year].into_iter().flatten().min())
}

async fn workload(page: Page<ReadWorkload>) -> Result<HttpResponse, Error> {
    let chosen: Chosen = page.query()?;
    page.show(move |conn, view| {
        let title = view.t("稼働状況", "Workload");
        let list = ListQuery::new(Some(MOST), None, &"workload")?;
        let mut pool_rows = pools::list_pools(conn, &view.ctx, &list)?;
        let mut programme_rows = pools::list_programmes(conn, &view.ctx, None, &list)?;
        if view.ctx.principal.acts_as != Role::Expert {
            // The load of experts is their office's to read, not that of other members.
            let me = view.ctx.organisation();
            pool_rows.retain(|(row, _)| row.owner_organisation_id == me);
            programme_rows.retain(|row| row.owner_organisation_id == me);
        }
        let Some(of) = chosen.of()?.or_else(|| pool_rows.first().map(|(row, _)| WorkloadOf::Pool(row.id))) else {
            return Ok(Sheet::new(title, Either::None(Nothing { tongue: view.tongue, title: title.to_owned() })));
        };
        let pools: Vec<(String, String)> =
            pool_rows.iter().map(|(row, _)| (format!("pool-{}", row.id), row.name.clone())).collect();
        let programmes: Vec<(String, String)> =
            programme_rows.iter().map(|row| (format!("programme-{}", row.id), row.name.clone())).collect();
        let choices = vec![
            (view.t("人材プール（全事業）", "Pools (all programmes)").to_owned(), pools),
            (view.t("事業", "Programmes").to_owned(), programmes),
        ];
        Ok(Sheet::new(title, Either::Some(Box::new(content(conn, view, of, &chosen, choices)?))))
    })
    .await
}

type Choices = Vec<(String, Vec<(String, String)>)>;

fn content(conn: &mut Conn, view: &View, of: WorkloadOf, asked: &Chosen, choices: Choices) -> Result<Content, Error> {
    let t = view.tongue;
    let now = FiscalYear::of(view.ctx.today()).starting_year();
    let year = asked.fiscal_year.unwrap_or(now);
    let years = Years::single(year)?;
    let stats = service::workload(conn, &view.ctx, of, years)?;
    let sum = |each: fn(&ExpertWorkload) -> i64| stats.experts.iter().map(each).sum::<i64>();
    let (done, planned, days) = (sum(|one| one.done_minutes), sum(|one| one.planned_minutes), sum(|one| one.days));
    let (count, page) = (stats.experts.len(), asked.page.unwrap_or(1).max(1));
    let first = (page - 1).saturating_mul(EXPERTS).min(count);
    let shown: Vec<ExpertWorkload> = stats.experts.into_iter().skip(first).take(EXPERTS).collect();
    let ids: Vec<ExpertId> = shown.iter().map(|expert| expert.expert_id).collect();
    let agreed = queries::pool_experts(conn, stats.pool_id, Some(&ids), export::LARGEST_EXPORT)?;
    let lines = lines(shown, &agreed, years);
    let (chosen, of_programme, query) = match of {
        WorkloadOf::Pool(id) => (format!("pool-{id}"), false, format!("pool_id={id}")),
        WorkloadOf::Programme(id) => (format!("programme-{id}"), true, format!("programme_id={id}")),
    };
    let name = choices.iter().flat_map(|(_, entries)| entries).find(|(value, _)| *value == chosen);
    let mut offered: Vec<i32> = (now - 9..=now + 1).rev().collect();
    if !offered.contains(&year) {
        offered.insert(0, year);
    }
    let next = (first + lines.len() < count).then(|| format!("/workload?of={chosen}&fiscal_year={year}&page={}", page + 1));
    Ok(Content {
        tongue: t,
        name: name.map(|(_, name)| name.clone()).unwrap_or_default(),
        year,
        years: offered,
        of_programme,
        links: view.may::<ReadExperts>(),
        months: years.months().map(|day| month_name(t, day)).collect(),
        done,
        planned,
        days,
        lines,
        count,
        first,
        next,
        files: export_links(t, "statistics/workload", &format!("{query}&fiscal_year={year}")),
        chosen,
        choices,
    })
}

fn lines(experts: Vec<ExpertWorkload>, agreed: &[queries::PoolExpert], years: Years) -> Vec<Line> {
    let keys: Vec<String> = years.months().map(|day| day.format("%Y-%m").to_string()).collect();
    experts
        .into_iter()
        .map(|expert| {
            let capacity = agreed.iter().find(|row| row.id == expert.expert_id).map(|row| row.capacity).unwrap_or_default();
            let month_minutes = month_minutes(capacity);
            let cells = keys
                .iter()
                .map(|key| {
                    let month = expert.months.iter().find(|month| month.month == *key);
                    let (done, planned) = month.map_or((0, 0), |month| (month.done_minutes, month.planned_minutes));
                    let share = whole_percent(done + planned, month_minutes);
                    Cell { class: class(share), share, done, planned }
                })
                .collect();
            let minutes = whole_percent(expert.done_minutes + expert.planned_minutes, expert.capacity_minutes);
            let days = whole_percent(expert.days, expert.capacity_days.map(i64::from));
            Line {
                id: expert.expert_id,
                name: expert.name,
                status: expert.status,
                month_minutes,
                capacity_minutes: expert.capacity_minutes,
                capacity_days: expert.capacity_days,
                cells,
                done: expert.done_minutes,
                planned: expert.planned_minutes,
                days: expert.days,
                // Of the measure that is nearest to its limit.
                taken: minutes.max(days),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_months_limit_is_what_was_agreed_or_a_twelfth() {
        assert_eq!(
            month_minutes(Capacity { minutes_month: Some(600), minutes_year: Some(1_200), ..Capacity::default() }),
            Some(600)
        );
        assert_eq!(month_minutes(Capacity { minutes_year: Some(1_200), ..Capacity::default() }), Some(100));
        assert_eq!(
            month_minutes(Capacity { minutes_week: Some(60), minutes_year: Some(6_000), ..Capacity::default() }),
            Some(260)
        );
        assert_eq!(month_minutes(Capacity::default()), None);
    }

    #[test]
    fn neither_nothing_nor_full_is_rounded_to() {
        assert_eq!(whole_percent(1, Some(10_000)), Some(1));
        assert_eq!(whole_percent(999, Some(1_000)), Some(99));
        assert_eq!(whole_percent(9_999, Some(10_000)), Some(99));
        assert_eq!(whole_percent(1_000, Some(1_000)), Some(100));
        assert_eq!(whole_percent(0, Some(100)), Some(0));
        assert_eq!(whole_percent(5, None), None);
        assert_eq!([0, 1, 49, 50, 80, 99, 100, 300].map(|s| class(Some(s))), ["h0", "h1", "h1", "h2", "h3", "h3", "h4", "h4"]);
    }
}
