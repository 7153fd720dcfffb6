//! Lists of the finance section: the settlements and the claims between bodies; and a payment to an expert.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use serde_json::json;

use crate::auth::policy::{ManageCosts, ReadCosts, ReadExpertPayments};
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::dispatches::store::{self as dispatches, Audience};
use crate::error::{Error, ErrorCode};
use crate::http::ListQuery;
use crate::ids::{ClaimId, DispatchId, DocumentId, ExpertId, ExpertPaymentId, OrganisationId, ProgrammeId, SettlementId};
use crate::settlements::billing;
use crate::settlements::document_store::{self, Reader};
use crate::settlements::pages::{ClaimLine, Names, Way, beside, by_number, claim_line, issue, next_due};
use crate::settlements::settlement_store::{self, SettlementFilter, SettlementStatus};
use crate::settlements::settlement_views::{ExpertPaymentView, claim_views, payment_view};
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::{Tongue, grouped};

/// Most programmes that the filter offers, and most claims of a page.
const MOST: i64 = 200;

/// Registers the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/settlements", web::get().to(settlements))
        .route("/claims", web::get().to(claims))
        .route("/expert-payments/{id:[0-9]+}", web::get().to(payment));
}

/// Filters of the list of settlements.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    programme_id: Option<ProgrammeId>,
    fiscal_year: Option<i32>,
    status: Option<SettlementStatus>,
    dispatch_id: Option<DispatchId>,
    cursor: Option<String>,
}

struct Row {
    id: SettlementId,
    subject: String,
    programme: String,
    year: i32,
    state: &'static str,
    done: bool,
    confirmed_on: Option<chrono::NaiveDate>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<h1>{{ tongue.t("精算", "Settlements") }}</h1>
<p>{{ tongue.t("派遣などの費用を計算し、額を確定し、請求と支払を通知するまでの一覧です。", "Costs of dispatches and the like: calculated, made final, billed.") }} <a href="/year-end">{{ tongue.t("まだ始めていない精算は、年度末の集計にあります。", "Those not opened yet stand in the year-end table.") }}</a></p>
<form method="get" action="/settlements" class="fill"><fieldset class="row"><legend>{{ tongue.t("絞り込み", "Filter") }}</legend><div class="field"><label for="pick-programme">{{ tongue.t("事業", "Programme") }}</label><select id="pick-programme" name="programme_id"><option value="">{{ tongue.t("すべて", "All") }}</option>{% for (id, name) in programmes %}<option value="{{ id }}"{% if id.0 == programme %} selected{% endif %}>{{ name }}</option>{% endfor %}</select></div><div class="field"><label for="pick-year">{{ tongue.t("年度", "Fiscal year") }}</label><select id="pick-year" name="fiscal_year"><option value="">{{ tongue.t("すべて", "All") }}</option>{% for one in years %}<option value="{{ one }}"{% if *one == year %} selected{% endif %}>{{ tongue.fiscal_year(**one) }}</option>{% endfor %}</select></div><div class="field"><label for="pick-status">{{ tongue.t("状態", "State") }}</label><select id="pick-status" name="status"><option value="">{{ tongue.t("すべて", "All") }}</option>{% for one in SettlementStatus::ALL %}<option value="{{ one }}"{% if one.as_str() == status %} selected{% endif %}>{{ tongue.t(one.label_ja(), one.as_str()) }}</option>{% endfor %}</select></div><p class="actions"><button type="submit" class="plain">{{ tongue.t("絞り込む", "Apply") }}</button></p></fieldset></form>
{% if rows.is_empty() %}<p>{{ tongue.t("精算はまだありません。", "There are no settlements.") }}</p>{% else %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("精算の一覧", "List of settlements") }}"><table><thead><tr><th scope="col">{{ tongue.t("対象", "What") }}</th><th scope="col">{{ tongue.t("事業", "Programme") }}</th><th scope="col">{{ tongue.t("年度", "Year") }}</th><th scope="col">{{ tongue.t("状態", "State") }}</th><th scope="col">{{ tongue.t("額の確定日", "Final since") }}</th></tr></thead><tbody>
{% for row in rows %}<tr><th scope="row"><a href="/settlements/{{ row.id }}">{{ row.subject }}</a></th><td>{{ row.programme }}</td><td>{{ tongue.fiscal_year(*row.year) }}</td><td><span class="tag{% if row.done %} good{% endif %}">{{ row.state }}</span></td><td>{% if let Some(day) = row.confirmed_on %}{{ tongue.day(**day) }}{% else %}–{% endif %}</td></tr>{% endfor %}
</tbody></table></div>{% if let Some(link) = next %}<p class="actions"><a class="button plain" href="{{ link }}" rel="next">{{ tongue.t("次の頁", "Next page") }}</a></p>{% endif %}{% endif %}"##
)]
struct Settlements {
    tongue: Tongue,
    programmes: Vec<(ProgrammeId, String)>,
    programme: i64,
    years: Vec<i32>,
    year: i32,
    status: &'static str,
    rows: Vec<Row>,
    next: Option<String>,
}

async fn settlements(page: Page<ReadCosts>) -> Result<HttpResponse, Error> {
    let asked: Filter = page.query()?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let filter = SettlementFilter {
            id: None,
            programme_id: asked.programme_id,
            fiscal_year: asked.fiscal_year,
            status: asked.status,
            dispatch_id: asked.dispatch_id,
        };
        let list = ListQuery::new(Some(100), asked.cursor.as_deref(), &format!("settlements {filter:?}"))?;
        let found = settlement_store::list(conn, &Audience::of(&view.ctx), &filter, &list)?;
        let found = list.page(found, |row| (String::new(), row.id.0));
        let first = ListQuery::new(Some(MOST), None, &"programmes")?;
        let programmes: Vec<(ProgrammeId, String)> = crate::pools::store::list_programmes(conn, &view.ctx, None, &first)?
            .into_iter()
            .map(|row| (row.id, row.name))
            .collect();
        let experts: Vec<ExpertId> = found.items.iter().filter_map(|row| row.expert_id).collect();
        let names = Names::load(conn, &[], &experts)?;
        let settled: Vec<DispatchId> = found.items.iter().filter_map(|row| row.dispatch_id).collect();
        let dispatches: BTreeMap<DispatchId, String> = dispatches::titles(conn, Audience::of(&view.ctx), &settled)?
            .into_iter()
            .map(|(id, number, applicant)| {
                let number = number.unwrap_or_else(|| t.t("相談", "consultation").to_owned());
                (id, format!("{number} {applicant}"))
            })
            .collect();
        let rows = found
            .items
            .iter()
            .map(|row| {
                let programme = programmes.iter().find(|(id, _)| *id == row.programme_id);
                let dispatch = row.dispatch_id.map(|id| dispatches.get(&id).cloned().unwrap_or_else(|| by_number(t, id)));
                Row {
                    id: row.id,
                    subject: dispatch.unwrap_or_else(|| beside(t, row, &names)),
                    programme: programme.map(|(_, name)| name.clone()).unwrap_or_default(),
                    year: row.fiscal_year,
                    state: t.t(row.status.label_ja(), row.status.as_str()),
                    done: matches!(row.status, SettlementStatus::Paid | SettlementStatus::Closed),
                    confirmed_on: row.confirmed_on,
                }
            })
            .collect();
        let now = FiscalYear::of(view.ctx.today()).starting_year();
        let mut next = form_urlencoded::Serializer::new(String::new());
        let given = [
            ("programme_id", asked.programme_id.map(|id| id.to_string())),
            ("fiscal_year", asked.fiscal_year.map(|year| year.to_string())),
            ("status", asked.status.map(|status| status.as_str().to_owned())),
            ("dispatch_id", asked.dispatch_id.map(|id| id.to_string())),
        ];
        for (name, value) in given.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            next.append_pair(name, &value);
        }
        let content = Settlements {
            tongue: t,
            programme: asked.programme_id.map_or(0, |id| id.0),
            programmes,
            years: (now - 9..=now + 1).rev().collect(),
            year: asked.fiscal_year.unwrap_or(0),
            status: asked.status.map_or("", SettlementStatus::as_str),
            rows,
            next: found.next_cursor.map(|cursor| format!("/settlements?{}", next.append_pair("cursor", &cursor).finish())),
        };
        Ok(Sheet::new(t.t("精算", "Settlements"), content))
    })
    .await
}

/// Filters of the list of claims.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimFilter {
    fiscal_year: Option<i32>,
    open: Option<bool>,
    cursor: Option<String>,
    pay: Option<ClaimId>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<h1>{{ tongue.t("団体間の請求", "Claims between bodies") }}</h1>
<p>{{ tongue.t("負担金などとして、どの団体がどの団体にいくら納めるか、いくら納めたかの一覧です。", "What bodies owe each other, what is paid and what is open.") }}</p>
<form method="get" action="/claims" class="fill"><fieldset class="row"><legend>{{ tongue.t("絞り込み", "Filter") }}</legend><div class="field"><label for="pick-year">{{ tongue.t("年度", "Fiscal year") }}</label><select id="pick-year" name="fiscal_year"><option value="">{{ tongue.t("すべて", "All") }}</option>{% for one in years %}<option value="{{ one }}"{% if *one == year %} selected{% endif %}>{{ tongue.fiscal_year(**one) }}</option>{% endfor %}</select></div><div class="field"><label for="pick-open">{{ tongue.t("納付", "Payment") }}</label><select id="pick-open" name="open"><option value="">{{ tongue.t("すべて", "All") }}</option><option value="true"{% if open == "true" %} selected{% endif %}>{{ tongue.t("残りがある", "still open") }}</option><option value="false"{% if open == "false" %} selected{% endif %}>{{ tongue.t("納付済み", "paid") }}</option></select></div><p class="actions"><button type="submit" class="plain">{{ tongue.t("絞り込む", "Apply") }}</button></p></fieldset></form>
{% if !pay.is_empty() %}<section id="pay"><h2>{{ tongue.t("納付を記録する", "Record a payment") }}{{ tongue.t("：", ": ") }}{{ paying }}</h2>{{ pay|safe }}</section>{% endif %}
{% if lines.is_empty() %}<p>{{ tongue.t("請求はありません。", "There are no claims.") }}</p>{% else %}
{% for sum in sums %}<ul class="cards" aria-label="{{ sum.label }}"><li><span class="figure">{{ tongue.yen(*sum.claimed) }}</span> {{ sum.label }}{{ tongue.t("の請求額", ": claimed") }}</li><li><span class="figure">{{ tongue.yen(*sum.paid) }}</span> {{ tongue.t("納付済み", "paid") }}</li><li{% if sum.late > 0 %} class="late"{% endif %}><span class="figure">{{ tongue.yen(*sum.open) }}</span> {{ tongue.t("残り", "open") }}{% if sum.late > 0 %}{{ tongue.t("（期限超過 ", " (overdue: ") }}{{ sum.late }}{{ tongue.t("件）", ")") }}{% endif %}</li></ul>{% endfor %}{% if next.is_some() %}<p class="hint">{{ tongue.t("上の合計は、この頁の分です。", "These sums are those of this page.") }}</p>{% endif %}
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("請求の一覧", "List of claims") }}"><table><thead><tr><th scope="col">{{ tongue.t("番号", "Number") }}</th><th scope="col">{{ tongue.t("種類", "Kind") }}</th><th scope="col">{{ tongue.t("納める団体", "Who owes") }}</th><th scope="col">{{ tongue.t("受け取る団体", "To whom") }}</th><th scope="col">{{ tongue.t("発行日", "Issued") }}</th><th scope="col" class="n">{{ tongue.t("請求額", "Amount") }}</th><th scope="col" class="n">{{ tongue.t("納付済み", "Paid") }}</th><th scope="col" class="n">{{ tongue.t("残り", "Open") }}</th><th scope="col">{{ tongue.t("次の納期限", "Next due") }}</th><th scope="col">{{ tongue.t("通知書・納付", "Paper, payment") }}</th></tr></thead><tbody>
{% for line in lines %}<tr{% if line.late %} class="late"{% endif %}><th scope="row"><a href="/claims/{{ line.claim.id }}">{{ line.claim.number }}</a></th><td>{{ tongue.t(line.claim.kind.label_ja(), line.claim.kind.as_str()) }}{% if line.claim.prior_year %} <span class="tag">{{ tongue.t("過年度", "earlier year") }}</span>{% endif %}</td><td>{{ names.body(line.claim.debtor_organisation_id) }}</td><td>{{ names.body(line.claim.creditor_organisation_id) }}</td><td>{{ tongue.day(*line.claim.issued_on) }}</td><td class="n">{{ self::grouped(*line.claim.amount_yen) }}</td><td class="n">{{ self::grouped(*line.claim.paid_yen) }}</td><td class="n">{{ self::grouped(*line.open) }}</td><td>{% match line.next %}{% when Some with ((day, _)) %}{{ tongue.day(**day) }}{% if line.late %} <span class="tag bad">{{ tongue.t("期限超過", "overdue") }}</span>{% endif %}{% when None %}{{ tongue.t("納付済み", "paid") }}{% endmatch %}</td><td><div class="verbs"><a href="/settlements/{{ line.claim.settlement_id }}">{{ tongue.t("精算", "Settlement") }}</a>{% if let Some(id) = line.document %}<a href="/documents/{{ id }}">{{ tongue.t("通知書", "Paper") }}</a>{% endif %}{{ line.issue|safe }}{% if line.pay %}<a href="/claims?pay={{ line.claim.id }}#pay">{{ tongue.t("納付を記録", "Record payment") }}</a>{% endif %}</div></td></tr>{% endfor %}
</tbody><tfoot>{% for sum in sums %}<tr><th scope="row" colspan="5">{{ sum.label }}{{ tongue.t("の計（円）", ": total (yen)") }}</th><td class="n">{{ self::grouped(*sum.claimed) }}</td><td class="n">{{ self::grouped(*sum.paid) }}</td><td class="n">{{ self::grouped(*sum.open) }}</td><td></td><td></td></tr>{% endfor %}</tfoot></table></div>
{% if let Some(link) = next %}<p class="actions"><a class="button plain" href="{{ link }}" rel="next">{{ tongue.t("次の頁", "Next page") }}</a></p>{% endif %}{% endif %}"##
)]
struct Claims {
    tongue: Tongue,
    years: Vec<i32>,
    year: i32,
    open: &'static str,
    names: Names,
    lines: Vec<ClaimLine>,
    sums: Vec<Sum>,
    next: Option<String>,
    pay: String,
    paying: String,
}

/// What the claims come to that go one way: what a body is to be paid does not lessen what it has to pay.
struct Sum {
    label: &'static str,
    claimed: i64,
    paid: i64,
    open: i64,
    late: usize,
}

fn sums(view: &View, lines: &[ClaimLine]) -> Vec<Sum> {
    let me = view.ctx.organisation();
    let mut found: BTreeMap<Way, Sum> = BTreeMap::new();
    for line in lines {
        let way = Way::of(me, line.claim.debtor_organisation_id, line.claim.creditor_organisation_id);
        let sum =
            found.entry(way).or_insert_with(|| Sum { label: way.label(view.tongue), claimed: 0, paid: 0, open: 0, late: 0 });
        sum.claimed += line.claim.amount_yen;
        sum.paid += line.claim.paid_yen;
        sum.open += line.open;
        sum.late += usize::from(line.late);
    }
    found.into_values().collect()
}

async fn claims(page: Page<ReadCosts>) -> Result<HttpResponse, Error> {
    let filter: ClaimFilter = page.query()?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let scope = format!("claims {:?} {:?}", filter.fiscal_year, filter.open);
        let list = ListQuery::new(Some(MOST), filter.cursor.as_deref(), &scope)?;
        let me = view.ctx.organisation();
        let rows = settlement_store::list_claims(conn, me, filter.fiscal_year, filter.open, &list)?;
        let rows = list.page(rows, |row| (String::new(), row.id.0));
        let cursor = rows.next_cursor.clone();
        let may = view.may::<ManageCosts>();
        let own: Vec<ClaimId> = rows.items.iter().filter(|row| row.owner_organisation_id == me).map(|row| row.id).collect();
        let mut bodies: Vec<OrganisationId> =
            rows.items.iter().flat_map(|row| [row.creditor_organisation_id, row.debtor_organisation_id]).collect();
        bodies.sort_unstable();
        bodies.dedup();
        let names = Names::load(conn, &bodies, &[])?;
        let shown: Vec<ClaimId> = rows.items.iter().map(|row| row.id).collect();
        let notices = document_store::notices(conn, &Reader::of(&view.ctx), &shown, &[])?;
        let mut lines = Vec::new();
        for claim in claim_views(conn, rows.items)? {
            let own = own.contains(&claim.id);
            lines.push(claim_line(view, claim, &notices, may && own)?);
        }
        let (pay, paying) = match filter.pay.filter(|_| may) {
            Some(id) => pay_form(conn, view, id)?,
            None => (String::new(), String::new()),
        };
        let now = FiscalYear::of(view.ctx.today()).starting_year();
        let mut next = form_urlencoded::Serializer::new(String::new());
        if let Some(year) = filter.fiscal_year {
            next.append_pair("fiscal_year", &year.to_string());
        }
        if let Some(open) = filter.open {
            next.append_pair("open", &open.to_string());
        }
        let content = Claims {
            tongue: t,
            years: (now - 9..=now + 1).rev().collect(),
            year: filter.fiscal_year.unwrap_or(0),
            open: filter.open.map_or("", |open| if open { "true" } else { "false" }),
            names,
            sums: sums(view, &lines),
            lines,
            next: cursor.map(|cursor| format!("/claims?{}", next.append_pair("cursor", &cursor).finish())),
            pay,
            paying,
        };
        Ok(Sheet::new(t.t("団体間の請求", "Claims"), content))
    })
    .await
}

/// The form that records a payment of a claim, filled with what is due next.
fn pay_form(conn: &mut Conn, view: &View, id: ClaimId) -> Result<(String, String), Error> {
    let row = billing::visible_claim(conn, &view.ctx, id)?;
    if row.owner_organisation_id != view.ctx.organisation() {
        return Err(Error::new(ErrorCode::Forbidden));
    }
    let Some(claim) = claim_views(conn, vec![row])?.pop() else { return Err(Error::not_found()) };
    let due = next_due(&claim).map_or(claim.amount_yen - claim.paid_yen, |(_, yen)| yen);
    if due <= 0 {
        return Ok((String::new(), String::new()));
    }
    let current = json!({"version": claim.version, "paid_on": view.ctx.today(), "amount_yen": due});
    let form = Form::new(view, "pay_claim", format!("/claims/{id}/pay"), current, Choices::default())?.then("/claims");
    let html =
        format!("{}{}{}", form.open(), form.fields(&["paid_on", "amount_yen", "note"]), form.close(view.t("記録する", "Record")));
    Ok((html, claim.number))
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/expert-payments">{{ tongue.t("専門家への支払", "Expert payments") }}</a></li></ol></nav>
<h1>{{ tongue.t("専門家への支払", "Payment to an expert") }}{{ tongue.t("：", ": ") }}{{ row.number }}</h1>
<p>{% match row.paid_on %}{% when Some with (day) %}<span class="tag good">{{ tongue.t("支払済み", "paid") }}</span> {{ tongue.day(**day) }}{% when None %}<span class="tag warn">{{ tongue.t("未払い", "not paid yet") }}</span> {{ tongue.t("支払期限", "due") }} {{ tongue.day(*row.due_on) }}{% endmatch %}</p>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("支払額の計算", "How the amount came about") }}"><table><tbody><tr><th scope="row">{{ tongue.t("謝金", "Honorarium") }}</th><td class="n">{{ tongue.yen(*row.honorarium_yen) }}</td></tr><tr><th scope="row">{{ tongue.t("旅費（本人に支払う分）", "Travel paid to the person") }}</th><td class="n">{{ tongue.yen(*row.travel_yen) }}</td></tr><tr><th scope="row">{{ tongue.t("源泉徴収税額（所得税・復興特別所得税）", "Withheld income tax") }}</th><td class="n">{% if row.withholding_yen == 0 %}{{ tongue.yen(0) }}{% else %}−{{ tongue.yen(*row.withholding_yen) }}{% endif %}</td></tr></tbody><tfoot><tr><th scope="row">{{ tongue.t("差引支払額", "Paid out") }}</th><td class="n">{{ tongue.yen(*row.net_yen) }}</td></tr></tfoot></table></div>
<dl class="facts"><dt>{{ tongue.t("専門家", "Expert") }}</dt><dd>{{ names.expert(row.expert_id) }}</dd>{% if let Some(payee) = row.payee_organisation_id %}<dt>{{ tongue.t("支払先", "Payee") }}</dt><dd>{{ names.body(payee) }}</dd>{% endif %}<dt>{{ tongue.t("源泉徴収の区分", "Withholding") }}</dt><dd>{{ tongue.t(row.withholding_category.label_ja(), row.withholding_category.as_str()) }}</dd>{% if owner %}<dt>{{ tongue.t("精算", "Settlement") }}</dt><dd><a href="/settlements/{{ row.settlement_id }}">{{ tongue.t("精算", "Settlement ") }}{{ row.settlement_id }}</a></dd>{% endif %}</dl>
{% if !pay.is_empty() %}<section id="pay"><h2>{{ tongue.t("支払を記録する", "Record the payment") }}</h2>{{ pay|safe }}</section>{% endif %}
<p class="actions">{% if let Some(id) = document %}<a href="/documents/{{ id }}">{{ tongue.t("支払通知書を見る", "Notice of payment") }}</a>{% endif %}{{ issue|safe }}</p>"##
)]
struct Payment {
    tongue: Tongue,
    row: ExpertPaymentView,
    owner: bool,
    names: Names,
    document: Option<DocumentId>,
    issue: String,
    pay: String,
}

async fn payment(page: Page<ReadExpertPayments>) -> Result<HttpResponse, Error> {
    let id = page.id::<ExpertPaymentId>("id")?;
    page.show(move |conn, view| {
        let row = billing::visible_payment(conn, &view.ctx, id)?;
        let may = view.may::<ManageCosts>() && row.owner_organisation_id == view.ctx.organisation();
        let owner = view.may::<ReadCosts>();
        let row = payment_view(&row);
        let bodies: Vec<OrganisationId> = row.payee_organisation_id.into_iter().collect();
        let names = Names::load(conn, &bodies, &[row.expert_id])?;
        let document = document_store::notices(conn, &Reader::of(&view.ctx), &[], &[id])?.of_payment(id);
        let t = view.tongue;
        let issue = match document {
            None if may => issue(view, "payment_notice", "payment_id", id.0, t.t("支払通知書を発行", "Issue the notice"))?,
            _ => String::new(),
        };
        let pay = if may && row.paid_on.is_none() {
            let current = json!({"version": row.version, "paid_on": view.ctx.today()});
            let path = format!("/expert-payments/{id}");
            let form = Form::new(view, "pay_expert", format!("{path}/pay"), current, Choices::default())?.then(path);
            format!("{}{}{}", form.open(), form.rest(), form.close(t.t("記録する", "Record")))
        } else {
            String::new()
        };
        let title = format!("{}{}", t.t("専門家への支払：", "Payment: "), row.number);
        Ok(Sheet::new(title, Payment { tongue: t, row, owner, names, document, issue, pay }).narrow())
    })
    .await
}
