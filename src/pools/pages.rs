//! Pages of programmes: a programme with the rules of its years in words and what is left of its budget, and the form of a
//! new year that starts from a published scheme or from the year before.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::policy::{ManagePools, ReadBudgets, ReadPools, ReadStatistics};
use crate::calendar::FiscalYear;
use crate::costs::{FeeTable, PayerRule, Portion, Yen};
use crate::dispatches::page_parts::word;
use crate::error::Error;
use crate::ids::ProgrammeId;
use crate::pools::presets;
use crate::pools::rules::{Intake, ProgrammeRules};
use crate::pools::store::{self, Standing};
use crate::pools::views::{ProgrammeView, ProgrammeYearView};
use crate::requests::page_form::rules_in_words;
use crate::settlements::budget_store;
use crate::web::form::Form;
use crate::web::generic;
use crate::web::page::{Page, Sheet};
use crate::web::tongue::Tongue;
use crate::web::values;

/// Width of a full bar of money, in its own units.
const BAR: i64 = 160;

/// Registers the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/programmes/{id:[0-9]+}", web::get().to(programme))
        .route("/programmes/{id:[0-9]+}/years/new", web::get().to(new_year));
}

/// What is bound of a year's budget.
struct Money {
    budget: Option<i64>,
    bound: i64,
    bar: String,
}

struct Year {
    year: i32,
    now: bool,
    /// Whether its rules stand open on the page.
    open: bool,
    fee: String,
    facts: Vec<(&'static str, String)>,
    all: String,
    money: Option<Money>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/programmes">{{ tongue.t("事業", "Programmes") }}</a></li></ol></nav>
<h1>{{ row.name }}</h1>
<p><a href="/pools/{{ row.pool_id }}">{{ pool }}</a>{{ tongue.t("から派遣します。", " is where its experts come from.") }}{% if !owner %} {{ tongue.t("運営：", "Run by ") }}{{ owner_name }}{% endif %}</p>
{% if !row.description.is_empty() %}<p>{{ row.description }}</p>{% endif %}
<p class="actions">{% if counted %}<a href="/statistics?programme_id={{ row.id }}">{{ tongue.t("統計", "Statistics") }}</a>{% endif %}<a href="/requests?programme_id={{ row.id }}">{{ tongue.t("申請", "Requests") }}</a><a href="/dispatches?programme_id={{ row.id }}">{{ tongue.t("派遣", "Dispatches") }}</a>{% if money %}<a href="/year-end?programme_id={{ row.id }}">{{ tongue.t("年度末の集計", "Year-end table") }}</a>{% endif %}</p>
{{ actions|safe }}
{% if years.is_empty() %}<div class="notice warn"><p>{{ tongue.t("年度の規則がまだありません。規則を定めるまで、申請を受け付けられません。", "No year has rules yet: requests cannot be taken until there are.") }}</p></div>{% endif %}
{% if !years.is_empty() %}<h2>{{ tongue.t("年度", "Years") }}</h2><div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("年度の表", "Table of years") }}"><table><thead><tr><th scope="col">{{ tongue.t("年度", "Year") }}</th><th scope="col">{{ tongue.t("謝金", "Honorarium") }}</th>{% if money %}<th scope="col" class="n">{{ tongue.t("予算", "Budget") }}</th><th scope="col" class="n">{{ tongue.t("使用・確保", "Bound") }}</th><th scope="col" class="n">{{ tongue.t("残り", "Left") }}</th><th scope="col">{{ tongue.t("割合", "Share") }}</th><th scope="col">{{ tongue.t("くわしく", "More") }}</th>{% endif %}</tr></thead><tbody>
{% for year in years %}<tr><th scope="row"><a href="#y{{ year.year }}">{{ tongue.fiscal_year(*year.year) }}</a>{% if year.now %} <span class="tag good">{{ tongue.t("今年度", "this year") }}</span>{% endif %}</th><td>{{ year.fee }}</td>{% if money %}{% match year.money %}{% when Some with (money) %}<td class="n">{% match money.budget %}{% when Some with (budget) %}{{ tongue.yen(**budget) }}{% when None %}{{ tongue.t("上限なし", "no limit") }}{% endmatch %}</td><td class="n">{{ tongue.yen(*money.bound) }}</td><td class="n">{% match money.budget %}{% when Some with (budget) %}{{ tongue.yen(*budget - money.bound) }}{% when None %}–{% endmatch %}</td><td>{% match money.budget %}{% when Some with (budget) %}{{ Self::share(*money.bound, **budget) }} {{ money.bar|safe }}{% when None %}–{% endmatch %}</td><td><div class="verbs"><a href="/programmes/{{ row.id }}/years/{{ year.year }}/budget">{{ tongue.t("予算の状況", "Budget") }}</a> <a href="/programmes/{{ row.id }}/years/{{ year.year }}/budget-entries">{{ tongue.t("台帳", "Ledger") }}</a></div></td>{% when None %}<td></td><td></td><td></td><td></td><td></td>{% endmatch %}{% endif %}</tr>{% endfor %}
</tbody></table></div>{% endif %}
{% for year in years %}{% if year.open %}<h2 id="y{{ year.year }}">{{ tongue.fiscal_year(*year.year) }}{{ tongue.t("の規則", ": rules") }}{% if year.now %} <span class="tag good">{{ tongue.t("今年度", "this year") }}</span>{% endif %}</h2>{% else %}<details id="y{{ year.year }}"><summary>{{ tongue.fiscal_year(*year.year) }}{{ tongue.t("の規則", ": rules") }}</summary>{% endif %}
<dl class="facts">{% for (label, value) in year.facts %}<dt>{{ label }}</dt><dd>{{ value }}</dd>{% endfor %}</dl>
<details><summary>{{ tongue.t("すべての規則を見る", "All rules") }}</summary>{{ year.all|safe }}</details>
{% if manage %}<p class="actions"><a class="button plain" href="/programmes/{{ row.id }}/years/{{ year.year }}/edit">{{ tongue.t("規則を改める", "Change the rules") }}</a><a href="/programmes/{{ row.id }}/years/{{ year.year }}/simulate">{{ tongue.t("費用を試算する", "Price a request") }}</a></p>{% endif %}{% if !year.open %}</details>{% endif %}{% endfor %}
{% if manage %}<h2>{{ tongue.t("年度の規則を定める", "Rules of a new year") }}</h2><form method="get" action="/programmes/{{ row.id }}/years/new" class="fill"><fieldset class="row"><legend>{{ tongue.t("何をもとにするか選ぶ", "Choose what to start from") }}</legend><div class="field"><label for="from">{{ tongue.t("もとにする規則", "Start from") }}</label><select id="from" name="from">{% if !years.is_empty() %}<optgroup label="{{ tongue.t("この事業の年度", "Years of this programme") }}">{% for year in years %}<option value="year:{{ year.year }}">{{ tongue.fiscal_year(*year.year) }}{{ tongue.t("の規則を引き継ぐ", ": take its rules over") }}</option>{% endfor %}</optgroup>{% endif %}<optgroup label="{{ tongue.t("公表されている事業", "Published schemes") }}">{% for (code, name) in presets %}<option value="preset:{{ code }}">{{ name }}</option>{% endfor %}</optgroup></select></div><p class="actions"><button type="submit" class="plain">{{ tongue.t("規則の入力へ進む", "Go on to the rules") }}</button></p></fieldset></form>{% endif %}"##
)]
struct Programme {
    tongue: Tongue,
    row: ProgrammeView,
    pool: String,
    owner: bool,
    owner_name: String,
    manage: bool,
    money: bool,
    counted: bool,
    actions: String,
    presets: Vec<(String, String)>,
    years: Vec<Year>,
}

impl Programme {
    fn share(part: i64, whole: i64) -> String {
        share(part, whole)
    }
}

/// A share in whole percent.
fn share(part: i64, whole: i64) -> String {
    if whole <= 0 { "–".to_owned() } else { format!("{}%", part.saturating_mul(100) / whole) }
}

async fn programme(page: Page<ReadPools>) -> Result<HttpResponse, Error> {
    let id = page.id::<ProgrammeId>("id")?;
    page.show(move |conn, view| {
        let (row, standing) = store::visible_programme(conn, &view.ctx, id)?;
        let owner = standing == Standing::Owner;
        let pool = store::pool(conn, row.pool_id)?.name;
        let owner_name = if owner {
            String::new()
        } else {
            crate::organisations::store::find(conn, row.owner_organisation_id)?.map(|body| body.name).unwrap_or_default()
        };
        let row = ProgrammeView::from(row);
        let title = row.name.clone();
        let json = serde_json::to_value(&row).map_err(Error::internal)?;
        let manage = owner && view.may::<ManagePools>();
        let actions = if manage { generic::actions(conn, view, &format!("/programmes/{id}"), &json)? } else { String::new() };
        let money = owner && view.may::<ReadBudgets>();
        let now = FiscalYear::of(view.ctx.today()).starting_year();
        let mut years = Vec::new();
        let bound = if money { budget_store::bound_by_year(conn, id)? } else { Vec::new() };
        for (place, year) in store::years(conn, id)?.into_iter().enumerate() {
            let year = ProgrammeYearView::seen(year, standing);
            let money = money.then(|| money_of(view.tongue, &year, &bound));
            let rules = serde_json::to_value(&year.rules).map_err(Error::internal)?;
            years.push(Year {
                year: year.fiscal_year,
                now: year.fiscal_year == now,
                open: year.fiscal_year == now || (place == 0 && year.fiscal_year < now),
                fee: fee_words(view.tongue, &year.rules.fee_table),
                facts: summary(view.tongue, &year.rules),
                all: values::facts_named("ProgrammeRules", &rules, view.tongue),
                money,
            });
        }
        let presets =
            if manage { presets::all()?.into_iter().map(|preset| (preset.code, preset.name)).collect() } else { Vec::new() };
        let content = Programme {
            tongue: view.tongue,
            row,
            pool,
            owner,
            owner_name,
            manage,
            money,
            counted: view.may::<ReadStatistics>(),
            actions,
            presets,
            years,
        };
        Ok(Sheet::new(title, content))
    })
    .await
}

/// What is bound of a year's budget; `bound`: what is bound in each year.
fn money_of(t: Tongue, year: &ProgrammeYearView, bound: &[(i32, i64)]) -> Money {
    let bound = bound.iter().find(|(known, _)| *known == year.fiscal_year).map_or(0, |(_, yen)| *yen);
    let budget = year.rules.budget_yen.map(Yen::get);
    let bar = budget.map(|budget| bar(t, year.fiscal_year, bound, budget)).unwrap_or_default();
    Money { budget, bound, bar }
}

/// How much of a budget is bound, as a bar; the figures stand beside it.
fn bar(t: Tongue, year: i32, bound: i64, budget: i64) -> String {
    let width =
        if budget <= 0 { 0 } else { (i128::from(bound) * i128::from(BAR) / i128::from(budget)).clamp(0, i128::from(BAR)) };
    let colour = if bound > budget { "#a8071a" } else { "#17407a" };
    let title = t.t("予算の使用・確保の割合", "How much of the budget is bound");
    format!(
        r##"<svg class="chart" role="img" aria-labelledby="bar-{year}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} 18" width="{}" height="18"><title id="bar-{year}">{title} {}</title><rect x="1" y="2" width="{BAR}" height="14" fill="#fff" stroke="#767676"/><rect x="1" y="2" width="{width}" height="14" fill="{colour}"/></svg>"##,
        BAR + 2,
        BAR + 2,
        share(bound, budget)
    )
}

/// The rules that people ask for first, in words: what applicants are told, and what the office goes by.
fn summary(t: Tongue, rules: &ProgrammeRules) -> Vec<(&'static str, String)> {
    let mut out = rules_in_words(t, rules);
    let intake = match rules.intake {
        Intake::FirstCome => t.t("先着順", "first come"),
        Intake::Batch => t.t("締切後に一括審査", "reviewed together after the close"),
    };
    out.push((t.t("申請の扱い", "Requests are taken"), intake.to_owned()));
    out.push((t.t("謝金", "Honorarium"), fee_words(t, &rules.fee_table)));
    let payers: Vec<String> = rules.payers.iter().map(|rule| payer_words(t, rule)).collect();
    out.push((
        t.t("費用の負担", "Who pays"),
        if payers.is_empty() { t.t("都道府県が負担", "the prefecture").to_owned() } else { payers.join("\n") },
    ));
    if let Some(most) = rules.budget_per_body_yen {
        out.push((t.t("1団体の上限", "Most for one body"), t.yen(most.get())));
    }
    out.push((t.t("打診の回答期限", "Answer to an offer"), format!("{}{}", rules.offer_valid_hours, t.t("時間", " hours"))));
    if rules.decider_differs_from_proposer {
        out.push((
            t.t("決定", "Decision"),
            t.t("打診した人と別の人が決定", "by another person than who made the offer").to_owned(),
        ));
    }
    if !rules.menus.is_empty() {
        out.push((t.t("支援メニュー", "Service menus"), format!("{}{}", rules.menus.len(), t.t("件", ""))));
    }
    if rules.amounts_undisclosed {
        out.push((t.t("金額の公開", "Amounts"), t.t("運営団体のほかには示しません", "shown to the owner only").to_owned()));
    }
    out
}

fn fee_words(t: Tongue, table: &FeeTable) -> String {
    match table {
        FeeTable::None {} => t.t("支払いません", "none").to_owned(),
        FeeTable::Undisclosed {} => t.t("非公表（回ごとに入力）", "not published; entered for each visit").to_owned(),
        FeeTable::Agreed { cap } => match cap {
            Some(cap) => format!("{}{}", t.t("回ごとに合意、上限", "agreed for each visit, at most "), t.yen(cap.get())),
            None => t.t("回ごとに合意", "agreed for each visit").to_owned(),
        },
        FeeTable::PerVisit { amount } => format!("{}{}", t.t("1回", "a visit "), t.yen(amount.get())),
        FeeTable::Timed { unit_minutes, rate, flat_from, grades, daily_cap, .. } => {
            let mut parts = vec![format!("{}{}{}", t.minutes(i64::from(*unit_minutes)), t.t("につき", ": "), t.yen(rate.get()))];
            if let Some(flat) = flat_from {
                let from = t.minutes(i64::from(flat.from_minutes));
                parts.push(format!(
                    "{}{}{}",
                    t.t(&format!("{from}以上は1回"), &format!("{from} and more: ")),
                    t.yen(flat.amount.get()),
                    t.t("", " a visit")
                ));
            }
            if let Some(cap) = daily_cap {
                parts.push(format!("{}{}", t.t("1日の上限", "at most a day "), t.yen(cap.get())));
            }
            if !grades.is_empty() {
                parts.push(t.t("区分ごとの単価あり", "rates by grade").to_owned());
            }
            parts.join(t.t("、", ", "))
        }
    }
}

fn payer_words(t: Tongue, rule: &PayerRule) -> String {
    let component = t.t(rule.component.label_ja(), rule.component.label_en());
    let rest = word(rule.rest.label_ja(), rule.rest.as_str(), t);
    let mut parts: Vec<String> = rule
        .portions
        .iter()
        .map(|portion| {
            let payer = portion.payer();
            let payer = word(payer.label_ja(), payer.as_str(), t);
            match portion {
                Portion::Ratio { numerator, denominator, .. } => format!("{payer} {numerator}/{denominator}"),
                Portion::Fixed { amount, .. } => format!("{payer} {}", t.yen(amount.get())),
                Portion::Tier { .. } => format!("{payer}{}", t.t("（段階による）", " (by steps)")),
            }
        })
        .collect();
    parts.push(if parts.is_empty() { rest } else { format!("{}{rest}", t.t("残りは", "rest ")) });
    let first = rule.first_paid_by.map_or_else(String::new, |payer| {
        format!("{}{}{}", t.t("（", " ("), word(payer.label_ja(), payer.as_str(), t), t.t("が立て替え）", " pays first)"))
    });
    format!("{component}{}{}{first}", t.t("：", ": "), parts.join(t.t("、", ", ")))
}

/// What the rules of a new year start from: `preset:CODE` or `year:2026`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    from: Option<String>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/programmes">{{ tongue.t("事業", "Programmes") }}</a></li><li><a href="/programmes/{{ id }}">{{ name }}</a></li></ol></nav>
<h1>{{ tongue.t("年度の規則を定める", "Rules of a new year") }}{{ tongue.t("：", ": ") }}{{ name }}</h1>
{% if !origin.is_empty() %}<div class="notice"><p><strong>{{ tongue.t("もとにした規則：", "Started from: ") }}{{ origin }}</strong></p>{% if !source.is_empty() %}<p>{{ source }}</p>{% endif %}{% if !figures.is_empty() %}<ul>{% for line in figures %}<li>{{ line }}</li>{% endfor %}</ul>{% endif %}<p>{{ tongue.t("下の欄はその写しです。確かめて、必要なところを直してから定めてください。", "The fields below are a copy of it. Check them and change what is different here.") }}</p></div>{% endif %}
<h2>{{ tongue.t("要約", "In short") }}</h2>{% if facts.is_empty() %}<p>{{ tongue.t("規則は空です。", "The rules are empty.") }}</p>{% else %}<dl class="facts">{% for (label, value) in facts %}<dt>{{ label }}</dt><dd>{{ value }}</dd>{% endfor %}</dl>{% endif %}
<h2>{{ tongue.t("規則", "Rules") }}</h2>{{ form|safe }}"##
)]
struct NewYear {
    tongue: Tongue,
    id: ProgrammeId,
    name: String,
    origin: String,
    source: String,
    figures: Vec<String>,
    facts: Vec<(&'static str, String)>,
    form: String,
}

async fn new_year(page: Page<ManagePools>) -> Result<HttpResponse, Error> {
    let id = page.id::<ProgrammeId>("id")?;
    let start: Start = page.query()?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let row = store::owned_programme(conn, &view.ctx, id)?;
        let years = store::years(conn, id)?;
        let now = FiscalYear::of(view.ctx.today()).starting_year();
        // The year after the newest; this year for a programme that has none.
        let next = years.first().map_or(now, |year| year.fiscal_year + 1);
        let (mut origin, mut source, mut figures) = (String::new(), String::new(), Vec::new());
        let mut rules: Option<ProgrammeRules> = None;
        match start.from.as_deref().and_then(|from| from.split_once(':')) {
            Some(("preset", code)) => {
                let preset = presets::all()?.into_iter().find(|preset| preset.code == code).ok_or_else(Error::not_found)?;
                figures = preset.figures.iter().map(|figure| {
                    let about = if figure.approximate { t.t("約", "about ") } else { "" };
                    let tax = if figure.tax_excluded { t.t("（税抜）", " (without tax)") } else { "" };
                    format!("{}{}{about}{}{tax}", figure.label, t.t("：", ": "), t.yen(figure.yen))
                }).collect();
                (origin, source, rules) = (preset.name, preset.source, Some(preset.rules));
            }
            Some(("year", year)) => {
                let year: i32 = year.parse().map_err(|_| Error::not_found())?;
                let found = years.into_iter().find(|known| known.fiscal_year == year).ok_or_else(Error::not_found)?;
                origin = format!("{}{}", t.fiscal_year(year), t.t("の規則", ""));
                if !found.rules.windows.is_empty() {
                    source = t.t(
                        "受付期間は前の年度の日付のままです。新しい年度の日付に直してください。",
                        "The periods in which requests are taken still have last year's days: put in those of the new year.",
                    ).to_owned();
                }
                rules = Some(found.rules);
            }
            _ => {}
        }
        let current = json!({"fiscal_year": next, "rules": rules.as_ref().map_or(Ok(Value::Null), serde_json::to_value).map_err(Error::internal)?});
        let form = Form::load(conn, view, "create_programme_year", format!("/programmes/{id}/years"), current)?
            .then(format!("/programmes/{id}"));
        let content = NewYear {
            tongue: t,
            id,
            name: row.name,
            origin,
            source,
            figures,
            facts: rules.as_ref().map_or_else(Vec::new, |rules| summary(t, rules)),
            form: format!("{}{}{}", form.open(), form.rest(), form.close(t.t("この規則で定める", "Set these rules"))),
        };
        Ok(Sheet::new(t.t("年度の規則を定める", "Rules of a new year"), content))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_has_a_summary() {
        for preset in presets::all().unwrap() {
            let facts = summary(Tongue::default(), &preset.rules);
            assert!(
                facts.len() >= 8 && facts.iter().all(|(label, value)| !label.is_empty() && !value.is_empty()),
                "{}",
                preset.code
            );
        }
    }

    #[test]
    fn a_bar_never_leaves_its_frame() {
        for (bound, budget) in [(0, 0), (5, 10), (i64::MAX, 1), (-5, 10)] {
            let svg = bar(Tongue::default(), 2026, bound, budget);
            assert!(svg.contains("role=\"img\"") && !svg.contains("width=\"-"), "{svg}");
        }
    }
}
