//! The year-end table for auditors and the finance section: each dispatch with visits, costs, who pays, what is claimed and
//! paid. It is put together from the lists of dispatches, visits, cost items, settlements, claims and payments, and told
//! beside the statistics, so that everybody sees whether they agree.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::Value;

use crate::auth::policy::{ManageCosts, ReadCosts};
use crate::costs::{Component, Payer};
use crate::db::Conn;
use crate::dispatches::model::{DispatchStatus, VisitStatus};
use crate::dispatches::page_parts::word;
use crate::dispatches::store::{self as dispatches, Audience, DispatchFilter, DispatchSort};
use crate::dispatches::visit_store::{self, VisitFilter};
use crate::error::Error;
use crate::ids::{DispatchId, OrganisationId, ProgrammeId, SettlementId};
use crate::pools::store::{self as pools, Standing};
use crate::requests::model::ActivityKind;
use crate::settlements::model::CostStatus;
use crate::settlements::pages::Way;
use crate::settlements::settlement_store::{self, ClaimRow, SettlementFilter, SettlementRow};
use crate::settlements::store::{self as costs, CostFilter};
use crate::settlements::views::{CostEyes, CostItemView};
use crate::statistics::export::{self, ExportFormat};
use crate::statistics::model::{Years, activities};
use crate::statistics::pages::{Chosen, Either, Nothing, Picked, export_links, hours};
use crate::statistics::queries::DispatchScope;
use crate::statistics::service;
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::{Tongue, grouped};

/// Most buttons that open a settlement on one page.
const MOST_BUTTONS: usize = 200;

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/year-end", web::get().to(year_end));
}

/// Kinds of cost that share a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Honorarium,
    Travel,
    Vendor,
    Staff,
    Other,
}

impl Group {
    fn of(component: Component) -> Self {
        match component {
            Component::Honorarium => Self::Honorarium,
            Component::VendorFee => Self::Vendor,
            Component::Salary | Component::Allowance | Component::SocialInsurance | Component::RetirementAllowance => Self::Staff,
            component if component.is_travel() => Self::Travel,
            _ => Self::Other,
        }
    }

    fn label(self, t: Tongue) -> &'static str {
        match self {
            Self::Honorarium => t.t("謝金", "Honorarium"),
            Self::Travel => t.t("旅費", "Travel"),
            Self::Vendor => t.t("委託料", "Contracts"),
            Self::Staff => t.t("人件費", "Staff"),
            Self::Other => t.t("その他", "Other"),
        }
    }
}

/// A line of the table, or what all of them come to.
#[derive(Debug, Clone, Default)]
struct Line {
    link: Option<String>,
    dispatch: Option<DispatchId>,
    start: String,
    number: String,
    body: String,
    about: String,
    experts: Vec<String>,
    visits: i64,
    consultations: i64,
    minutes: i64,
    by_group: BTreeMap<Group, i64>,
    by_payer: BTreeMap<Payer, i64>,
    yen: i64,
    open_items: i64,
    hidden: bool,
    settlement: Option<(SettlementId, &'static str)>,
    /// Yen claimed, and yen of it paid.
    by_way: BTreeMap<Way, (i64, i64)>,
}

impl Line {
    fn add(&mut self, other: &Self) {
        self.visits += other.visits;
        self.consultations += other.consultations;
        self.minutes += other.minutes;
        self.yen += other.yen;
        self.open_items += other.open_items;
        self.hidden |= other.hidden;
        for (way, (claimed, paid)) in &other.by_way {
            let sum = self.by_way.entry(*way).or_default();
            *sum = (sum.0 + claimed, sum.1 + paid);
        }
        for (group, yen) in &other.by_group {
            *self.by_group.entry(*group).or_insert(0) += yen;
        }
        for (payer, yen) in &other.by_payer {
            *self.by_payer.entry(*payer).or_insert(0) += yen;
        }
    }

    fn take_in(&mut self, item: &CostItemView) {
        let Some(yen) = item.amount_yen else {
            self.hidden = true;
            return;
        };
        if item.status != CostStatus::Calculated {
            self.open_items += 1;
            return;
        }
        self.yen += yen;
        *self.by_group.entry(Group::of(item.component)).or_insert(0) += yen;
        for share in &item.shares {
            *self.by_payer.entry(share.payer).or_insert(0) += share.amount_yen;
        }
    }

    fn group(&self, group: &Group) -> String {
        grouped(self.by_group.get(group).copied().unwrap_or(0))
    }

    fn payer(&self, payer: &Payer) -> String {
        grouped(self.by_payer.get(payer).copied().unwrap_or(0))
    }

    fn claimed(&self, way: &Way) -> String {
        grouped(self.by_way.get(way).map_or(0, |(claimed, _)| *claimed))
    }

    fn paid(&self, way: &Way) -> String {
        grouped(self.by_way.get(way).map_or(0, |(_, paid)| *paid))
    }
}

/// Two numbers that must be the same.
struct Check {
    what: &'static str,
    here: String,
    source: &'static str,
    link: String,
    there: String,
    holds: bool,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<h1>{{ tongue.t("年度末の集計", "Year-end table") }}{{ tongue.t("：", ": ") }}{{ programme }} {{ tongue.fiscal_year(*year) }}</h1>
{{ form|safe }}
<p>{{ tongue.t("派遣ごとに、実施・費用・負担・請求・納付を一行にまとめました。金額の単位は円です。", "One line for each dispatch: visits, costs, who pays, what is claimed and paid. Amounts in yen.") }}{% if !owner %} {{ tongue.t("ご所属の団体に関わるものだけを示しています。", "Only what concerns your organisation is shown.") }}{% endif %} <span class="hint">{{ tongue.t("作成", "As of ") }}{{ tongue.t("：", "") }}{{ tongue.instant(*now) }}{% if today_in_year %}{{ tongue.t("（年度の途中のため、確定していません）", " (the year is not over: figures will still change)") }}{% endif %}</span></p>
{% if total.hidden %}<p class="notice">{{ tongue.t("公開されていない金額は含みません。", "Amounts that are not disclosed are left out.") }}</p>{% endif %}{% if total.open_items > 0 %}<p class="notice warn">{{ tongue.t("負担の確定していない費用が", "Cost items whose shares are not fixed yet, and that are not counted: ") }}{{ total.open_items }}{{ tongue.t("件あり、合計に含みません。", ".") }}</p>{% endif %}
<h2>{{ tongue.t("派遣ごとの内訳", "Dispatch by dispatch") }}（{{ lines.len() }}）</h2>
{% if lines.is_empty() %}<p>{{ tongue.t("この年度の派遣も費用も、まだありません。", "There are no dispatches or costs in this year yet.") }}</p>{% else %}
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("派遣ごとの内訳の表", "Table of dispatches") }}"><table><thead>
<tr><th scope="col" rowspan="2">{{ tongue.t("決定番号", "Number") }}</th><th scope="col" rowspan="2">{{ tongue.t("団体・内容", "Body and work") }}</th><th scope="col" rowspan="2">{{ tongue.t("専門家", "Experts") }}</th><th scope="colgroup" colspan="2">{{ tongue.t("実施", "Done") }}</th><th scope="colgroup" colspan="{{ groups.len() + 1 }}">{{ tongue.t("費用", "Costs") }}</th>{% if !payers.is_empty() %}<th scope="colgroup" colspan="{{ payers.len() }}">{{ tongue.t("負担する者", "Who pays") }}</th>{% endif %}<th scope="col" rowspan="2">{{ tongue.t("精算", "Settled") }}</th>{% for way in ways %}<th scope="colgroup" colspan="2">{{ tongue.t("団体間の請求：", "Claims: ") }}{{ way.label(*tongue) }}</th>{% endfor %}</tr>
<tr><th scope="col" class="n">{{ tongue.t("回", "Visits") }}</th><th scope="col" class="n">{{ tongue.t("時間", "Hours") }}</th>{% for group in groups %}<th scope="col" class="n">{{ group.label(*tongue) }}</th>{% endfor %}<th scope="col" class="n">{{ tongue.t("計", "Total") }}</th>{% for payer in payers %}<th scope="col" class="n">{{ self::word(payer.label_ja(), payer.as_str(), *tongue) }}</th>{% endfor %}{% for _ in ways %}<th scope="col" class="n">{{ tongue.t("請求", "Claimed") }}</th><th scope="col" class="n">{{ tongue.t("納付", "Paid") }}</th>{% endfor %}</tr></thead><tbody>
{% for line in lines %}<tr><th scope="row">{% if let Some(link) = line.link %}<a href="{{ link }}">{{ line.number }}</a>{% else %}{{ line.number }}{% endif %}</th><td>{{ line.body }}{% if !line.about.is_empty() %}<br><span class="hint">{{ line.about }}</span>{% endif %}</td><td>{{ line.experts.join(tongue.t("、", ", ")) }}</td><td class="n">{{ line.visits }}</td><td class="n">{{ self::hours(*line.minutes) }}</td>{% for group in groups %}<td class="n">{{ line.group(group) }}</td>{% endfor %}<td class="n">{{ self::grouped(*line.yen) }}</td>{% for payer in payers %}<td class="n">{{ line.payer(payer) }}</td>{% endfor %}<td>{% if let Some((id, state)) = line.settlement %}<a href="/settlements/{{ id }}">{{ state }}</a>{% else if line.yen != 0 %}{{ tongue.t("未作成", "not opened") }}{{ line.start|safe }}{% else %}–{% endif %}</td>{% for way in ways %}<td class="n">{{ line.claimed(way) }}</td><td class="n">{{ line.paid(way) }}</td>{% endfor %}</tr>{% endfor %}
</tbody><tfoot><tr><th scope="row" colspan="3">{{ tongue.t("合計", "Total") }}</th><td class="n">{{ total.visits }}</td><td class="n">{{ self::hours(*total.minutes) }}</td>{% for group in groups %}<td class="n">{{ total.group(group) }}</td>{% endfor %}<td class="n">{{ self::grouped(*total.yen) }}</td>{% for payer in payers %}<td class="n">{{ total.payer(payer) }}</td>{% endfor %}<td></td>{% for way in ways %}<td class="n">{{ total.claimed(way) }}</td><td class="n">{{ total.paid(way) }}</td>{% endfor %}</tr></tfoot></table></div>
<h2>{{ tongue.t("団体ごとの集計", "By body") }}</h2>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("団体ごとの集計の表", "Table by body") }}"><table><thead><tr><th scope="col">{{ tongue.t("団体", "Body") }}</th><th scope="col" class="n">{{ tongue.t("派遣", "Dispatches") }}</th><th scope="col" class="n">{{ tongue.t("回数", "Visits") }}</th><th scope="col" class="n">{{ tongue.t("時間", "Hours") }}</th><th scope="col" class="n">{{ tongue.t("費用の計", "Costs") }}</th>{% for way in ways %}<th scope="col" class="n">{{ way.label(*tongue) }}{{ tongue.t("：請求", ": claimed") }}</th><th scope="col" class="n">{{ way.label(*tongue) }}{{ tongue.t("：納付", ": paid") }}</th>{% endfor %}</tr></thead><tbody>
{% for (count, line) in bodies %}<tr><th scope="row">{{ line.body }}</th><td class="n">{{ count }}</td><td class="n">{{ line.visits }}</td><td class="n">{{ self::hours(*line.minutes) }}</td><td class="n">{{ self::grouped(*line.yen) }}</td>{% for way in ways %}<td class="n">{{ line.claimed(way) }}</td><td class="n">{{ line.paid(way) }}</td>{% endfor %}</tr>{% endfor %}
</tbody><tfoot><tr><th scope="row">{{ tongue.t("合計", "Total") }}</th><td class="n">{{ lines.len() }}</td><td class="n">{{ total.visits }}</td><td class="n">{{ self::hours(*total.minutes) }}</td><td class="n">{{ self::grouped(*total.yen) }}</td>{% for way in ways %}<td class="n">{{ total.claimed(way) }}</td><td class="n">{{ total.paid(way) }}</td>{% endfor %}</tr></tfoot></table></div>{% endif %}
{% if let Some((count, net, withheld, paid)) = payments %}<p>{{ tongue.t("専門家への支払：", "Paid to experts: ") }}<a href="/expert-payments">{{ count }}{{ tongue.t("件", "") }}</a>{{ tongue.t("、差引支払額 ", ", net ") }}{{ tongue.yen(**net) }}{{ tongue.t("、源泉徴収 ", ", withheld ") }}{{ tongue.yen(**withheld) }}{{ tongue.t("、うち支払済み ", ", of the net paid by now ") }}{{ tongue.yen(**paid) }}</p>{% endif %}
<h2>{{ tongue.t("突き合わせ", "Do the figures agree?") }}</h2>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("突き合わせの表", "Table of checks") }}"><table><thead><tr><th scope="col">{{ tongue.t("項目", "What") }}</th><th scope="col" class="n">{{ tongue.t("この表", "Here") }}</th><th scope="col">{{ tongue.t("相手", "Source") }}</th><th scope="col" class="n">{{ tongue.t("相手の値", "There") }}</th><th scope="col">{{ tongue.t("結果", "Result") }}</th></tr></thead><tbody>
{% for check in checks %}<tr><th scope="row">{{ check.what }}</th><td class="n">{{ check.here }}</td><td>{% if check.link.is_empty() %}{{ check.source }}{% else %}<a href="{{ check.link }}">{{ check.source }}</a>{% endif %}</td><td class="n">{{ check.there }}</td><td>{% if check.holds %}<span class="tag good">{{ tongue.t("一致", "agrees") }}</span>{% else %}<span class="tag bad">{{ tongue.t("不一致", "differs") }}</span>{% endif %}</td></tr>{% endfor %}
</tbody></table></div>
{% if !owner %}<p class="hint">{{ tongue.t("統計は事業全体の回数です。この表はご所属の団体に関わるものだけなので、回数は比べていません。", "Statistics count the whole programme, this table only what concerns you; visits are therefore not compared.") }}</p>{% endif %}
<h2>{{ tongue.t("もとになる一覧とファイル", "Sources and files") }}</h2>
<ul>
<li><a href="/dispatches?programme_id={{ programme_id }}&amp;fiscal_year={{ year }}">{{ tongue.t("派遣", "Dispatches") }}</a> {{ Self::files(tongue, "dispatches", *programme_id, *year)|safe }}</li>
<li><a href="/visits?programme_id={{ programme_id }}&amp;from={{ first_day }}&amp;to={{ last_day }}">{{ tongue.t("訪問の一覧", "Visits") }}</a> {{ visit_files|safe }}</li>
<li><a href="/cost-items?fiscal_year={{ year }}">{{ tongue.t("費用の明細（全事業）", "Cost items (all programmes)") }}</a> {{ item_files|safe }}</li>
<li><a href="/settlements?programme_id={{ programme_id }}&amp;fiscal_year={{ year }}">{{ tongue.t("精算", "Settlements") }}</a>{{ tongue.t("、", ", ") }}<a href="/claims?fiscal_year={{ year }}">{{ tongue.t("請求", "Claims") }}</a></li>
<li><a href="/statistics?programme_id={{ programme_id }}&amp;fiscal_year={{ year }}">{{ tongue.t("統計", "Statistics") }}</a>{{ tongue.t("（費用と負担）", " (costs)") }} {{ Self::files(tongue, "statistics/costs", *programme_id, *year)|safe }}</li>
{% if owner %}<li><a href="/documents?fiscal_year={{ year }}">{{ tongue.t("発行した文書（事業精算書・節別集計表・負担額明細書）", "Issued documents (settlement of the programme, budget items, statements)") }}</a></li>{% endif %}
</ul>"##
)]
struct Content {
    tongue: Tongue,
    form: String,
    programme: String,
    programme_id: ProgrammeId,
    year: i32,
    first_day: String,
    last_day: String,
    now: crate::clock::UtcTime,
    today_in_year: bool,
    owner: bool,
    groups: Vec<Group>,
    payers: Vec<Payer>,
    ways: Vec<Way>,
    lines: Vec<Line>,
    total: Line,
    bodies: Vec<(usize, Line)>,
    payments: Option<(usize, i64, i64, i64)>,
    checks: Vec<Check>,
    visit_files: String,
    item_files: String,
}

impl Content {
    fn files(tongue: &Tongue, path: &str, programme: ProgrammeId, year: i32) -> String {
        export_links(*tongue, path, &format!("programme_id={programme}&fiscal_year={year}"))
    }
}

async fn year_end(page: Page<ReadCosts>) -> Result<HttpResponse, Error> {
    let chosen: Chosen = page.query()?;
    page.show(move |conn, view| {
        let picked = Picked::load(conn, view, &chosen)?;
        let title = view.t("年度末の集計", "Year-end table");
        let Some(programme) = &picked.programme else {
            return Ok(Sheet::new(title, Either::None(Nothing { tongue: view.tongue, title: title.to_owned() })));
        };
        let form = picked.form(view, "/year-end")?;
        let content = content(conn, view, (programme.id, &programme.name), picked.year, form)?;
        Ok(Sheet::new(title, Either::Some(Box::new(content))))
    })
    .await
}

/// Where a line belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Dispatch(DispatchId),
    /// Visits of an earlier ledger, by body.
    Ledger(OrganisationId),
    /// Costs of orders and placed persons, by settlement.
    Beside(Option<SettlementId>),
}

struct Sources {
    lines: BTreeMap<Key, Line>,
    settlements: Vec<SettlementRow>,
}

fn content(conn: &mut Conn, view: &View, programme: (ProgrammeId, &str), year: i32, form: String) -> Result<Content, Error> {
    let (t, ctx) = (view.tongue, &view.ctx);
    let (id, name) = programme;
    let years = Years::single(year)?;
    let owner = pools::visible_programme(conn, ctx, id)?.1 == Standing::Owner;
    let Sources { mut lines, settlements } = work(conn, view, id, years)?;
    for item in items(conn, view, id, year, owner)? {
        let key = item.dispatch_id.map_or(Key::Beside(item.settlement_id), Key::Dispatch);
        let line = lines.entry(key).or_insert_with(|| Line {
            number: t.t("派遣以外", "Other").to_owned(),
            body: t.t("メニュー・配属などの費用", "Menus, placements and the like").to_owned(),
            ..Line::default()
        });
        line.take_in(&item);
    }
    let ids: Vec<SettlementId> = settlements.iter().map(|row| row.id).collect();
    let mut claims = settlement_store::claims_of(conn, &ids)?;
    let me = ctx.organisation();
    claims.retain(|claim| owner || claim.debtor_organisation_id == me || claim.creditor_organisation_id == me);
    for row in &settlements {
        let key = row.dispatch_id.map_or(Key::Beside(Some(row.id)), Key::Dispatch);
        let Some(line) = lines.get_mut(&key) else { continue };
        line.settlement = Some((row.id, t.t(row.status.label_ja(), row.status.as_str())));
        for claim in claims.iter().filter(|claim| claim.settlement_id == row.id) {
            let way = Way::of(me, claim.debtor_organisation_id, claim.creditor_organisation_id);
            let sum = line.by_way.entry(way).or_default();
            *sum = (sum.0 + claim.amount_yen, sum.1 + claim.paid_yen);
        }
    }
    let mut lines: Vec<Line> = lines.into_values().collect();
    if owner {
        start(view, &mut lines)?;
    }
    let mut total = Line::default();
    lines.iter().for_each(|line| total.add(line));
    let payments = if owner {
        let rows = settlement_store::payments_of(conn, &ids)?;
        let paid = rows.iter().filter(|row| row.paid_on.is_some()).map(|row| row.net_yen).sum();
        Some((rows.len(), rows.iter().map(|row| row.net_yen).sum(), rows.iter().map(|row| row.withholding_yen).sum(), paid))
    } else {
        None
    };
    let checks = checks(conn, view, (id, years, owner), &total, &claims)?;
    let visits = format!("programme_id={id}&from={}&to={}", years.first_day(), years.last_day());
    Ok(Content {
        tongue: t,
        form,
        programme: name.to_owned(),
        programme_id: id,
        year,
        first_day: years.first_day().to_string(),
        last_day: years.last_day().to_string(),
        now: ctx.now,
        today_in_year: ctx.today() <= years.last_day(),
        owner,
        groups: total.by_group.keys().copied().collect(),
        payers: total.by_payer.keys().copied().collect(),
        ways: total.by_way.keys().copied().collect(),
        bodies: by_body(&lines),
        lines,
        total,
        payments,
        checks,
        visit_files: export_links(t, "visits", &visits),
        item_files: export_links(t, "cost-items", &format!("fiscal_year={year}")),
    })
}

/// The theme, and the state where the dispatch is not over.
fn about(t: Tongue, theme: &str, status: DispatchStatus) -> String {
    if status == DispatchStatus::Completed {
        return theme.to_owned();
    }
    format!("{theme}{}{}{}", t.t("（", " ("), t.t(status.label_ja(), status.as_str()), t.t("）", ")"))
}

/// Buttons that open the settlements which are missing, for the office.
fn start(view: &View, lines: &mut [Line]) -> Result<(), Error> {
    if !view.may::<ManageCosts>() {
        return Ok(());
    }
    let missing = lines.iter_mut().filter(|line| line.settlement.is_none() && line.yen != 0).take(MOST_BUTTONS);
    for line in missing {
        let Some(dispatch) = line.dispatch else { continue };
        let form =
            Form::new(view, "create_settlement", "/settlements", Value::Null, Choices::default())?.then("/settlements/{id}");
        line.start = format!(
            r#"{}{}<button type="submit" class="quiet">{}</button></form>"#,
            form.open(),
            form.fixed("dispatch_id", dispatch),
            view.t("精算を始める", "Open it")
        );
    }
    Ok(())
}

/// The dispatches of the year with the visits done, and the settlements.
fn work(conn: &mut Conn, view: &View, programme: ProgrammeId, years: Years) -> Result<Sources, Error> {
    let (t, ctx) = (view.tongue, &view.ctx);
    let year = years.from().starting_year();
    let all = export::list_query(Some(ExportFormat::Csv), None, None, &"year-end")?;
    let filter = DispatchFilter { programme_id: Some(programme), fiscal_year: Some(year), ..DispatchFilter::default() };
    let mut lines: BTreeMap<Key, Line> = BTreeMap::new();
    // A table that ended somewhere would be wrong: with more rows than a file holds there is none.
    for row in export::complete(dispatches::list(conn, Audience::of(ctx), &filter, DispatchSort::Decided, &all)?)? {
        let line = Line {
            link: Some(format!("/dispatches/{}", row.id)),
            number: row.number.unwrap_or_else(|| t.t("相談", "consultation").to_owned()),
            body: row.applicant_name,
            about: about(t, &row.theme, row.status),
            dispatch: Some(row.id),
            ..Line::default()
        };
        lines.insert(Key::Dispatch(row.id), line);
    }
    let filter = VisitFilter {
        programme_id: Some(programme),
        from: Some(years.first_day()),
        to: Some(years.last_day()),
        statuses: vec![VisitStatus::Done],
        ..VisitFilter::default()
    };
    for row in export::complete(visit_store::list(conn, Audience::of(ctx), &filter, &all)?)? {
        let key = row.visit.dispatch_id.map_or(Key::Ledger(row.visit.applicant_organisation_id), Key::Dispatch);
        let line = lines.entry(key).or_insert_with(|| Line {
            number: t.t("台帳", "Ledger").to_owned(),
            body: row.applicant_name.clone(),
            about: t.t("以前の台帳から取り込んだ訪問", "Visits of an earlier ledger").to_owned(),
            ..Line::default()
        });
        if !line.experts.contains(&row.expert_name) {
            line.experts.push(row.expert_name);
        }
        line.visits += 1;
        line.consultations += i64::from(row.visit.activity_kind == ActivityKind::Consultation);
        line.minutes += i64::from(row.visit.actual_minutes.unwrap_or(0));
    }
    let filter = SettlementFilter { programme_id: Some(programme), fiscal_year: Some(year), ..SettlementFilter::default() };
    let settlements = export::complete(settlement_store::list(conn, &Audience::of(ctx), &filter, &all)?)?;
    Ok(Sources { lines, settlements })
}

/// The cost items of the year as the person sees them.
fn items(conn: &mut Conn, view: &View, programme: ProgrammeId, year: i32, owner: bool) -> Result<Vec<CostItemView>, Error> {
    let ctx = &view.ctx;
    let (rows, shares) = if owner {
        costs::for_year(conn, programme, year)?
    } else {
        let all = export::list_query(Some(ExportFormat::Csv), None, None, &"year-end")?;
        let filter = CostFilter { fiscal_year: Some(year), ..CostFilter::default() };
        let mut rows = export::complete(costs::list(conn, Audience::of(ctx), &filter, &all)?)?;
        rows.retain(|row| row.programme_id == programme);
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let shares = costs::shares_of(conn, &ids)?;
        (rows, shares)
    };
    let eyes = CostEyes { organisation: ctx.organisation(), is_owner: owner };
    Ok(rows.iter().map(|row| CostItemView::new(row, &shares, eyes)).collect())
}

fn by_body(lines: &[Line]) -> Vec<(usize, Line)> {
    let mut bodies: Vec<(usize, Line)> = Vec::new();
    for line in lines {
        let place = bodies.iter().position(|(_, body)| body.body == line.body).unwrap_or_else(|| {
            bodies.push((0, Line { body: line.body.clone(), ..Line::default() }));
            bodies.len() - 1
        });
        if let Some((count, body)) = bodies.get_mut(place) {
            *count += 1;
            body.add(line);
        }
    }
    bodies
}

/// The same figures from elsewhere.
fn checks(
    conn: &mut Conn,
    view: &View,
    (programme, years, owner): (ProgrammeId, Years, bool),
    total: &Line,
    claims: &[ClaimRow],
) -> Result<Vec<Check>, Error> {
    let (t, ctx) = (view.tongue, &view.ctx);
    let year = years.from().starting_year();
    let place = format!("/statistics?programme_id={programme}&fiscal_year={year}");
    let mut found = Vec::new();
    let mut check = |what, here: i64, source, link: String, there: i64| {
        found.push(Check { what, here: grouped(here), source, link, there: grouped(there), holds: here == there });
    };
    if owner {
        let scope = DispatchScope { programme, years, kinds: activities(None)?, as_of: None };
        let counted = service::dispatches(conn, ctx, scope, None)?.total;
        let (dispatches, consultations) = (total.visits - total.consultations, total.consultations);
        let statistics = t.t("統計（派遣）", "Statistics (dispatches)");
        check(
            t.t("実施回数（相談を除く）", "Visits (without consultations)"),
            dispatches,
            statistics,
            format!("{place}#month"),
            counted.visits,
        );
        check(
            t.t("相談の件数", "Consultations"),
            consultations,
            t.t("統計（相談）", "Statistics (consultations)"),
            place.clone(),
            counted.consultations.visits,
        );
        let money = service::costs(conn, ctx, programme, years, None)?;
        let statistics = t.t("統計（費用と負担）", "Statistics (costs)");
        check(t.t("費用の合計", "Costs"), total.yen, statistics, format!("{place}#cost"), money.total_yen.unwrap_or(0));
        let (shares, source) = (total.by_payer.values().sum(), t.t("この表の費用の合計", "Costs of this table"));
        check(t.t("負担の合計", "Sum of who pays"), shares, source, String::new(), total.yen);
    }
    // The list of claims is by the year of the claim: what was issued later for this year's work is counted apart.
    let all = export::list_query(Some(ExportFormat::Csv), None, None, &"year-end")?;
    let listed = export::complete(settlement_store::list_claims(conn, ctx.organisation(), Some(year), None, &all)?)?;
    let own = |claim: &&ClaimRow| claims.iter().any(|known| known.id == claim.id);
    let in_list: i64 = listed.iter().filter(own).map(|claim| claim.amount_yen).sum();
    let later: i64 = claims.iter().filter(|claim| claim.fiscal_year != year).map(|claim| claim.amount_yen).sum();
    let paid: i64 = listed.iter().filter(own).map(|claim| claim.paid_yen).sum();
    let paid_later: i64 = claims.iter().filter(|claim| claim.fiscal_year != year).map(|claim| claim.paid_yen).sum();
    let list = format!("/claims?fiscal_year={year}");
    let source = t.t("請求の一覧（この事業分、過年度の請求を加算）", "List of claims (this programme, later claims added)");
    let (all_claimed, all_paid) = total.by_way.values().fold((0_i64, 0_i64), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    check(t.t("請求額", "Claimed"), all_claimed, source, list.clone(), in_list + later);
    check(t.t("納付額", "Paid"), all_paid, source, list, paid + paid_later);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_add_up_to_the_lines() {
        let line = |body: &str, yen| Line { body: body.to_owned(), yen, visits: 1, ..Line::default() };
        let bodies = by_body(&[line("い", 1), line("ろ", 2), line("い", 4)]);
        let seen: Vec<_> = bodies.iter().map(|(count, line)| (*count, line.body.as_str(), line.yen, line.visits)).collect();
        assert_eq!(seen, [(2, "い", 5, 2), (1, "ろ", 2, 1)]);
    }

    #[test]
    fn every_kind_of_cost_has_its_column() {
        assert_eq!(Group::of(Component::Lodging), Group::Travel);
        assert_eq!(Group::of(Component::Salary), Group::Staff);
        assert_eq!(Group::of(Component::Venue), Group::Other);
    }
}
