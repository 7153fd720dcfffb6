//! The page of a settlement: its costs to the yen, who bears them, what is claimed and paid, and what comes next. Claims and
//! payments have pages of their own in [`crate::settlements::page_claims`].

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::auth::policy::{ManageCosts, ReadCosts, ReadExperts};
use crate::costs::Payer;
use crate::db::Conn;
use crate::dispatches::page_parts::{seen, word};
use crate::dispatches::store as dispatches;
use crate::error::Error;
use crate::ids::{ClaimId, DispatchId, DocumentId, ExpertId, ExpertPaymentId, OrganisationId, SettlementId};
use crate::settlements::document_store::{self, Notices, Reader};
use crate::settlements::lifecycle::{self, SettlementVerb};
use crate::settlements::menus;
use crate::settlements::model::CostStatus;
use crate::settlements::settlement_store::{SettlementRow, SettlementStatus};
use crate::settlements::settlement_views::{ClaimView, ExpertPaymentView, SettlementView, view as settlement_view};
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::generic;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::{Tongue, esc, grouped};

/// Registers the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/settlements/{id:[0-9]+}", web::get().to(settlement)).configure(crate::settlements::page_claims::configure);
}

/// What bodies and experts are called.
#[derive(Debug, Default)]
pub(crate) struct Names {
    bodies: BTreeMap<i64, String>,
    experts: BTreeMap<i64, String>,
}

impl Names {
    pub(crate) fn load(conn: &mut Conn, bodies: &[OrganisationId], experts: &[ExpertId]) -> Result<Self, Error> {
        let bodies = crate::organisations::store::find_many(conn, bodies)?;
        let experts = crate::experts::store::names(conn, experts)?;
        Ok(Self {
            bodies: bodies.into_iter().map(|row| (row.id.0, row.name)).collect(),
            experts: experts.into_iter().map(|row| (row.id.0, row.name)).collect(),
        })
    }

    pub(crate) fn body(&self, id: &OrganisationId) -> String {
        self.bodies.get(&id.0).cloned().unwrap_or_else(|| format!("#{id}"))
    }

    pub(crate) fn expert(&self, id: &ExpertId) -> String {
        self.experts.get(&id.0).cloned().unwrap_or_else(|| format!("#{id}"))
    }
}

/// A cost item as a line.
struct ItemRow {
    day: NaiveDate,
    about: &'static str,
    expert: String,
    explanation: String,
    correction: bool,
    open: bool,
    yen: Option<i64>,
    parts: Vec<i64>,
}

/// A claim with the paper that tells of it.
pub(crate) struct ClaimLine {
    pub(crate) claim: ClaimView,
    /// Yen not paid yet.
    pub(crate) open: i64,
    pub(crate) late: bool,
    /// The next due day, and what is open of it.
    pub(crate) next: Option<(NaiveDate, i64)>,
    pub(crate) document: Option<DocumentId>,
    /// The button that issues the paper.
    pub(crate) issue: String,
    /// Whether a payment can be recorded.
    pub(crate) pay: bool,
}

/// Which way the money of a claim goes, seen from one body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// To the body.
    In,
    /// From the body.
    Out,
    /// Between others, whose affairs the body settles.
    Beside,
}

impl Way {
    pub(crate) fn of(me: OrganisationId, debtor: OrganisationId, creditor: OrganisationId) -> Self {
        if creditor == me {
            Self::In
        } else if debtor == me {
            Self::Out
        } else {
            Self::Beside
        }
    }

    pub(crate) fn label(self, t: Tongue) -> &'static str {
        match self {
            Self::In => t.t("受け取る分", "To receive"),
            Self::Out => t.t("納める分", "To pay"),
            Self::Beside => t.t("ほかの団体の間", "Between others"),
        }
    }
}

/// A payment with the paper that tells of it.
struct PaymentLine {
    payment: ExpertPaymentView,
    document: Option<DocumentId>,
    issue: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/settlements">{{ tongue.t("精算", "Settlements") }}</a></li></ol></nav>
<h1>{{ tongue.t("精算", "Settlement") }}{{ tongue.t("：", ": ") }}{{ subject }}</h1>
<ol class="steps" aria-label="{{ tongue.t("精算の段階", "Stages of the settlement") }}">{% for (label, class, here) in steps %}<li class="{{ class }}"{% if *here %} aria-current="step"{% endif %}>{{ label }}</li>{% endfor %}</ol>
<dl class="facts"><dt>{{ tongue.t("対象", "What") }}</dt><dd>{% match link %}{% when Some with (link) %}<a href="{{ link }}">{{ subject }}</a>{% when None %}{{ subject }}{% endmatch %}</dd><dt>{{ tongue.t("事業・年度", "Programme and year") }}</dt><dd>{% match programme %}{% when Some with (name) %}<a href="/programmes/{{ row.programme_id }}">{{ name }}</a> <a href="/year-end?programme_id={{ row.programme_id }}&amp;fiscal_year={{ row.fiscal_year }}">{{ tongue.fiscal_year(*row.fiscal_year) }}</a>{% when None %}{{ tongue.fiscal_year(*row.fiscal_year) }}{% endmatch %}</dd>{% if !row.document_number.is_empty() %}<dt>{{ tongue.t("文書番号", "Document number") }}</dt><dd>{{ row.document_number }}</dd>{% endif %}{% if let Some(day) = row.confirmed_on %}<dt>{{ tongue.t("額の確定日", "Final since") }}</dt><dd>{{ tongue.day(**day) }}</dd>{% endif %}<dt>{{ tongue.t("費用の合計", "Costs in all") }}</dt><dd>{% match row.amount_yen %}{% when Some with (yen) %}<strong>{{ tongue.yen(**yen) }}</strong>{% when None %}{{ tongue.t("公開されていません", "not disclosed") }}{% endmatch %}</dd>{% if let Some(yen) = row.own_share_yen %}<dt>{{ tongue.t("ご所属の団体の負担", "Your organisation bears") }}</dt><dd>{{ tongue.yen(**yen) }}</dd>{% endif %}</dl>
{% if row.partial %}<p class="notice">{{ tongue.t("公開されていない金額は含みません。", "Amounts that are not disclosed are left out.") }}</p>{% endif %}
{% if !next_form.is_empty() %}<h2>{{ tongue.t("次にすること", "What comes next") }}{{ tongue.t("：", ": ") }}{{ next_label }}</h2><p class="hint">{{ next_help }}</p>{{ next_form|safe }}{% endif %}
{% if !actions.is_empty() %}<details><summary>{{ tongue.t("そのほかにできること", "What else can be done") }}</summary>{{ actions|safe }}</details>{% endif %}
<h2>{{ tongue.t("費用の明細", "Costs") }}（{{ items.len() }}）</h2>
{% if items.is_empty() %}<p>{{ tongue.t("費用はまだありません。", "There are no costs yet.") }}</p>{% else %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("費用の明細の表", "Table of costs") }}"><table><thead><tr><th scope="col">{{ tongue.t("日", "Day") }}</th><th scope="col">{{ tongue.t("費目", "Kind") }}</th><th scope="col">{{ tongue.t("専門家", "Expert") }}</th><th scope="col">{{ tongue.t("計算", "How it came about") }}</th><th scope="col" class="n">{{ tongue.t("金額", "Amount") }}</th>{% for payer in payers %}<th scope="col" class="n">{{ self::word(payer.label_ja(), payer.as_str(), *tongue) }}</th>{% endfor %}</tr></thead><tbody>
{% for item in items %}<tr><td>{{ tongue.short_day(*item.day) }}</td><th scope="row">{{ item.about }}{% if item.correction %} <span class="tag warn">{{ tongue.t("追給・返納", "correction") }}</span>{% endif %}{% if item.open %} <span class="tag">{{ tongue.t("計算中", "open") }}</span>{% endif %}</th><td>{{ item.expert }}</td><td>{{ item.explanation }}</td><td class="n">{% match item.yen %}{% when Some with (yen) %}{{ self::grouped(**yen) }}{% when None %}{{ tongue.t("非公開", "not disclosed") }}{% endmatch %}</td>{% for part in item.parts %}<td class="n">{{ self::grouped(**part) }}</td>{% endfor %}</tr>{% endfor %}
</tbody><tfoot><tr><th scope="row" colspan="4">{{ tongue.t("合計（円）", "Total (yen)") }}</th><td class="n">{{ self::grouped(*total) }}</td>{% for part in totals %}<td class="n">{{ self::grouped(**part) }}</td>{% endfor %}</tr></tfoot></table></div>{% if owner %}<p class="hint">{% if shares_add_up %}{{ tongue.t("負担の合計は、費用の合計と1円まで一致しています。", "The shares add up to the costs, to the yen.") }}{% else %}{{ tongue.t("負担の合計が費用の合計と一致していません。計算し直してください。", "The shares do not add up to the costs: calculate again.") }}{% endif %}</p>{% endif %}{% endif %}
{% if !shares.is_empty() %}<h3>{{ tongue.t("団体ごとの負担", "Who bears how much") }}</h3><div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("団体ごとの負担の表", "Table of shares") }}"><table><thead><tr><th scope="col">{{ tongue.t("団体", "Body") }}</th><th scope="col">{{ tongue.t("立場", "As") }}</th><th scope="col" class="n">{{ tongue.t("負担（円）", "Bears (yen)") }}</th></tr></thead><tbody>{% for (body, payer, yen) in shares %}<tr><th scope="row">{{ body }}</th><td>{{ self::word(payer.label_ja(), payer.as_str(), *tongue) }}</td><td class="n">{{ self::grouped(**yen) }}</td></tr>{% endfor %}</tbody></table></div>{% endif %}
<h2>{{ tongue.t("団体間の請求", "Claims between bodies") }}（{{ claims.len() }}）</h2>
{% if claims.is_empty() %}<p>{{ tongue.t("請求はありません。", "There are no claims.") }}{% if row.status == SettlementStatus::Open || row.status == SettlementStatus::Calculated || row.status == SettlementStatus::Confirmed %} {{ tongue.t("請求は、額を確定したあとの「請求・支払通知」で発行されます。", "They are issued with the bill after the amount is final.") }}{% endif %}</p>{% else %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("請求の表", "Table of claims") }}"><table><thead><tr><th scope="col">{{ tongue.t("番号", "Number") }}</th><th scope="col">{{ tongue.t("種類", "Kind") }}</th><th scope="col">{{ tongue.t("納める団体", "Who owes") }}</th><th scope="col">{{ tongue.t("受け取る団体", "To whom") }}</th><th scope="col" class="n">{{ tongue.t("請求額", "Amount") }}</th><th scope="col" class="n">{{ tongue.t("納付済み", "Paid") }}</th><th scope="col" class="n">{{ tongue.t("残り", "Open") }}</th><th scope="col">{{ tongue.t("納期限", "Due") }}</th><th scope="col">{{ tongue.t("通知書・納付", "Paper, payment") }}</th></tr></thead><tbody>
{% for line in claims %}<tr{% if line.late %} class="late"{% endif %}><th scope="row"><a href="/claims/{{ line.claim.id }}">{{ line.claim.number }}</a></th><td>{{ tongue.t(line.claim.kind.label_ja(), line.claim.kind.as_str()) }}</td><td>{{ names.body(line.claim.debtor_organisation_id) }}</td><td>{{ names.body(line.claim.creditor_organisation_id) }}</td><td class="n">{{ self::grouped(*line.claim.amount_yen) }}</td><td class="n">{{ self::grouped(*line.claim.paid_yen) }}</td><td class="n">{{ self::grouped(*line.open) }}</td><td>{% match line.next %}{% when Some with ((day, yen)) %}{{ tongue.day(**day) }}{% if line.claim.instalments.len() > 1 %} <span class="hint">{{ tongue.yen(**yen) }}</span>{% endif %}{% if line.late %} <span class="tag bad">{{ tongue.t("期限超過", "overdue") }}</span>{% endif %}{% when None %}{{ tongue.t("納付済み", "paid") }}{% endmatch %}</td><td><div class="verbs">{% if let Some(id) = line.document %}<a href="/documents/{{ id }}">{{ tongue.t("通知書", "Paper") }}</a>{% endif %}{{ line.issue|safe }}{% if line.pay %}<a href="/claims?pay={{ line.claim.id }}#pay">{{ tongue.t("納付を記録", "Record payment") }}</a>{% endif %}</div></td></tr>{% endfor %}
</tbody></table></div>{% endif %}
{% if owner %}<h2>{{ tongue.t("専門家への支払", "Payments to experts") }}（{{ payments.len() }}）</h2>
{% if payments.is_empty() %}<p>{{ tongue.t("支払はありません。", "There are no payments.") }}</p>{% else %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("支払の表", "Table of payments") }}"><table><thead><tr><th scope="col">{{ tongue.t("番号", "Number") }}</th><th scope="col">{{ tongue.t("専門家", "Expert") }}</th><th scope="col" class="n">{{ tongue.t("謝金", "Honorarium") }}</th><th scope="col" class="n">{{ tongue.t("旅費", "Travel") }}</th><th scope="col" class="n">{{ tongue.t("源泉徴収", "Withheld") }}</th><th scope="col" class="n">{{ tongue.t("差引支払額", "Net") }}</th><th scope="col">{{ tongue.t("支払期限", "Due") }}</th><th scope="col">{{ tongue.t("支払日", "Paid on") }}</th><th scope="col">{{ tongue.t("通知書", "Paper") }}</th></tr></thead><tbody>
{% for line in payments %}<tr><th scope="row"><a href="/expert-payments/{{ line.payment.id }}">{{ line.payment.number }}</a></th><td>{{ names.expert(line.payment.expert_id) }}{% if let Some(payee) = line.payment.payee_organisation_id %}<br><span class="hint">{{ names.body(payee) }}{{ tongue.t("へ支払", " is paid") }}</span>{% endif %}</td><td class="n">{{ self::grouped(*line.payment.honorarium_yen) }}</td><td class="n">{{ self::grouped(*line.payment.travel_yen) }}</td><td class="n">{{ self::grouped(*line.payment.withholding_yen) }}</td><td class="n">{{ self::grouped(*line.payment.net_yen) }}</td><td>{{ tongue.day(*line.payment.due_on) }}</td><td>{% match line.payment.paid_on %}{% when Some with (day) %}{{ tongue.day(**day) }}{% when None %}{% if may %}<a href="/expert-payments/{{ line.payment.id }}#pay">{{ tongue.t("支払を記録", "Record payment") }}</a>{% else %}{{ tongue.t("未払い", "not paid yet") }}{% endif %}{% endmatch %}</td><td><div class="verbs">{% if let Some(id) = line.document %}<a href="/documents/{{ id }}">{{ tongue.t("通知書", "Paper") }}</a>{% endif %}{{ line.issue|safe }}</div></td></tr>{% endfor %}
</tbody></table></div>{% endif %}{% endif %}"##
)]
struct Settlement {
    tongue: Tongue,
    row: SettlementView,
    owner: bool,
    /// Whether the person settles here.
    may: bool,
    subject: String,
    link: Option<String>,
    /// Its name, where the person sees the programme.
    programme: Option<String>,
    steps: Vec<(&'static str, &'static str, bool)>,
    next_label: &'static str,
    next_help: &'static str,
    next_form: String,
    actions: String,
    names: Names,
    items: Vec<ItemRow>,
    payers: Vec<Payer>,
    total: i64,
    totals: Vec<i64>,
    shares_add_up: bool,
    shares: Vec<(String, Payer, i64)>,
    claims: Vec<ClaimLine>,
    payments: Vec<PaymentLine>,
}

async fn settlement(page: Page<ReadCosts>) -> Result<HttpResponse, Error> {
    let id = page.id::<SettlementId>("id")?;
    page.show(move |conn, view| {
        let row = lifecycle::visible(conn, &view.ctx, id)?;
        let shown = settlement_view(conn, &view.ctx, &row)?;
        let content = content(conn, view, &row, shown)?;
        let title = format!("{}{}{}", view.t("精算", "Settlement"), view.t("：", ": "), content.subject);
        Ok(Sheet::new(title, content))
    })
    .await
}

fn content(conn: &mut Conn, view: &View, row: &SettlementRow, shown: SettlementView) -> Result<Settlement, Error> {
    let t = view.tongue;
    let owner = row.owner_organisation_id == view.ctx.organisation();
    let names = names(conn, &shown)?;
    let (subject, link) = subject(conn, view, row, &names)?;
    let programme = seen(crate::pools::store::visible_programme(conn, &view.ctx, row.programme_id))?.map(|(row, _)| row.name);
    let may = owner && view.may::<ManageCosts>();
    let mut json = serde_json::to_value(&shown).map_err(Error::internal)?;
    let next = if may { shown.verbs.iter().copied().find(|verb| is_next(shown.status, *verb)) } else { None };
    let (next_label, next_help, next_form) = match next {
        Some(verb) => next_step(conn, view, &shown, verb)?,
        None => ("", "", String::new()),
    };
    json["allowed"] =
        json!(if may { shown.verbs.iter().filter(|verb| Some(**verb) != next).collect::<Vec<_>>() } else { Vec::new() });
    let actions = generic::actions(conn, view, &format!("/settlements/{}", row.id), &json)?;
    let claims: Vec<ClaimId> = shown.claims.iter().map(|claim| claim.id).collect();
    let payments: Vec<ExpertPaymentId> = shown.payments.iter().map(|payment| payment.id).collect();
    let notices = document_store::notices(conn, &Reader::of(&view.ctx), &claims, &payments)?;
    let payers: Vec<Payer> = Payer::ALL
        .iter()
        .copied()
        .filter(|payer| shown.items.iter().flat_map(|item| &item.shares).any(|share| share.payer == *payer))
        .collect();
    let items: Vec<ItemRow> = shown
        .items
        .iter()
        .map(|item| ItemRow {
            day: item.occurred_on,
            about: t.t(item.component.label_ja(), item.component.label_en()),
            expert: item.expert_id.as_ref().map(|id| names.expert(id)).unwrap_or_default(),
            explanation: item.explanation.clone().unwrap_or_default(),
            correction: item.adjusts_id.is_some(),
            open: item.status == CostStatus::Open,
            yen: item.amount_yen,
            parts: payers
                .iter()
                .map(|payer| item.shares.iter().filter(|share| share.payer == *payer).map(|share| share.amount_yen).sum())
                .collect(),
        })
        .collect();
    let total = items.iter().filter_map(|item| item.yen).sum();
    let totals: Vec<i64> = (0..payers.len()).map(|place| items.iter().filter_map(|item| item.parts.get(place)).sum()).collect();
    let mut by_body: BTreeMap<(Payer, Option<OrganisationId>), i64> = BTreeMap::new();
    for share in shown.items.iter().flat_map(|item| &item.shares) {
        *by_body.entry((share.payer, share.organisation_id)).or_insert(0) += share.amount_yen;
    }
    let shares = by_body
        .into_iter()
        .map(|((payer, body), yen)| {
            let unknown = t.t("（登録のない負担者）", "(not registered here)").to_owned();
            (body.as_ref().map_or(unknown, |id| names.body(id)), payer, yen)
        })
        .collect();
    let mut shown = shown;
    let mut lines = Vec::new();
    for claim in shown.claims.drain(..) {
        lines.push(claim_line(view, claim, &notices, may)?);
    }
    let mut payments = Vec::new();
    for payment in shown.payments.drain(..) {
        let document = notices.of_payment(payment.id);
        let issue = if may && document.is_none() {
            issue(view, "payment_notice", "payment_id", payment.id.0, t.t("通知書を発行", "Issue"))?
        } else {
            String::new()
        };
        payments.push(PaymentLine { payment, document, issue });
    }
    Ok(Settlement {
        tongue: t,
        owner,
        may,
        subject,
        link,
        programme,
        steps: steps(t, shown.status),
        next_label,
        next_help,
        next_form,
        actions,
        names,
        shares_add_up: totals.iter().sum::<i64>() == total,
        items,
        payers,
        total,
        totals,
        shares,
        claims: lines,
        payments,
        row: shown,
    })
}

/// The bodies and experts that a settlement names.
fn names(conn: &mut Conn, shown: &SettlementView) -> Result<Names, Error> {
    let mut bodies: Vec<OrganisationId> =
        shown.items.iter().flat_map(|item| &item.shares).filter_map(|share| share.organisation_id).collect();
    bodies.extend(shown.claims.iter().flat_map(|claim| [claim.creditor_organisation_id, claim.debtor_organisation_id]));
    bodies.extend(shown.payments.iter().filter_map(|payment| payment.payee_organisation_id));
    let mut experts: Vec<ExpertId> = shown.items.iter().filter_map(|item| item.expert_id).collect();
    experts.extend(shown.payments.iter().map(|payment| payment.expert_id));
    experts.extend(shown.expert_id);
    bodies.sort_unstable();
    bodies.dedup();
    experts.sort_unstable();
    experts.dedup();
    Names::load(conn, &bodies, &experts)
}

/// What is settled, in words, and its page, where it opens to the person: a body that only bears a part may see neither.
fn subject(conn: &mut Conn, view: &View, row: &SettlementRow, names: &Names) -> Result<(String, Option<String>), Error> {
    let (t, ctx) = (view.tongue, &view.ctx);
    if let Some(id) = row.dispatch_id {
        let Some(dispatch) = seen(dispatches::visible_dispatch(conn, ctx, id))? else { return Ok((by_number(t, id), None)) };
        let body = crate::organisations::store::find(conn, dispatch.applicant_organisation_id)?.map(|row| row.name);
        let number = dispatch.number.unwrap_or_else(|| t.t("相談", "consultation").to_owned());
        return Ok((format!("{number} {}", body.unwrap_or_default()), Some(format!("/dispatches/{id}"))));
    }
    let link = match (row.order_id, row.expert_id) {
        (Some(id), _) => seen(menus::visible(conn, ctx, id))?.map(|_| format!("/menu-orders/{id}")),
        (None, Some(id)) if view.may::<ReadExperts>() => {
            seen(crate::experts::store::visible(conn, ctx, id))?.map(|_| format!("/experts/{id}"))
        }
        _ => None,
    };
    Ok((beside(t, row, names), link))
}

/// A dispatch that the person does not see.
pub(crate) fn by_number(t: Tongue, id: DispatchId) -> String {
    format!("{} #{id}", t.t("派遣", "dispatch"))
}

/// What is settled beside dispatches: an order, or a placed person's period.
pub(crate) fn beside(t: Tongue, row: &SettlementRow, names: &Names) -> String {
    if let Some(id) = row.order_id {
        return format!("{}{id}", t.t("メニュー注文", "menu order "));
    }
    let who = row.expert_id.as_ref().map(|id| names.expert(id)).unwrap_or_default();
    match (row.period_from, row.period_to.and_then(|day| day.pred_opt())) {
        (Some(from), Some(to)) => format!("{who} {}", t.period(from, to)),
        _ => who,
    }
}

/// The stages with their class and whether it is the one reached.
fn steps(t: Tongue, status: SettlementStatus) -> Vec<(&'static str, &'static str, bool)> {
    let reached = SettlementStatus::ALL.iter().position(|known| *known == status).unwrap_or(0);
    SettlementStatus::ALL
        .iter()
        .enumerate()
        .map(|(place, stage)| {
            (t.t(stage.label_ja(), stage.as_str()), if place < reached { "past" } else { "" }, place == reached)
        })
        .collect()
}

/// Whether a verb leads on, rather than doing the same again or correcting.
fn is_next(status: SettlementStatus, verb: SettlementVerb) -> bool {
    matches!(
        (status, verb),
        (SettlementStatus::Open, SettlementVerb::Calculate)
            | (SettlementStatus::Calculated, SettlementVerb::Confirm)
            | (SettlementStatus::Confirmed, SettlementVerb::Bill)
    )
}

/// The form of the verb that leads on.
fn next_step(
    conn: &mut Conn,
    view: &View,
    shown: &SettlementView,
    verb: SettlementVerb,
) -> Result<(&'static str, &'static str, String), Error> {
    let t = view.tongue;
    let path = format!("/settlements/{}", shown.id);
    let (id, help) = match verb {
        SettlementVerb::Calculate => (
            "calculate_settlement",
            t.t(
                "終わった仕事の費用を集めて計算します。何度でもやり直せます。",
                "Gathers the costs of work that is over. It can be done again.",
            ),
        ),
        SettlementVerb::Confirm => (
            "confirm_settlement",
            t.t(
                "確定すると、金額は変えられません。以後の訂正は追給・返納として記録します。",
                "Once final, amounts do not change; corrections are recorded as such.",
            ),
        ),
        SettlementVerb::Bill => (
            "bill_settlement",
            t.t(
                "団体への請求と専門家への支払を発行します。納期限を複数入れると等分の分割になり、端数は初回に含めます。",
                "Issues claims and payments. Several due days make equal instalments; fractions are in the first.",
            ),
        ),
        SettlementVerb::Adjust => ("adjust_settlement", ""),
    };
    let today = view.ctx.today();
    let current = match verb {
        SettlementVerb::Confirm => {
            json!({"version": shown.version, "confirmed_on": today, "document_number": shown.document_number})
        }
        SettlementVerb::Bill => json!({"version": shown.version, "issued_on": today, "due_on": [today + chrono::Days::new(30)]}),
        _ => json!({"version": shown.version}),
    };
    let form = Form::load(conn, view, id, format!("{path}/{verb}"), current)?.then(path);
    let label = t.t(verb.label_ja(), verb.as_str());
    let html = if matches!(verb, SettlementVerb::Calculate) {
        format!(r#"<div class="verbs">{}</div>"#, form.button(t.t("計算する", "Calculate"), ""))
    } else {
        format!("{}{}{}", form.open(), form.rest(), form.close(label))
    };
    Ok((label, help, html))
}

/// A button that issues a document.
pub(crate) fn issue(view: &View, kind: &str, about: &str, id: i64, label: &str) -> Result<String, Error> {
    let form = Form::new(view, "issue_document", "/documents", Value::Null, Choices::default())?.then("/documents/{id}");
    let open = form.open().replace(r#" class="fill""#, r#" class="inline""#);
    let hidden = format!("{}{}", form.fixed("kind", kind), form.fixed(about, id));
    Ok(format!(r#"{open}{hidden}<button type="submit" class="quiet">{}</button></form>"#, esc(label)))
}

pub(crate) fn claim_line(view: &View, claim: ClaimView, notices: &Notices, may: bool) -> Result<ClaimLine, Error> {
    let document = notices.of_claim(claim.id);
    let issue = if may && document.is_none() {
        issue(view, "contribution_notice", "claim_id", claim.id.0, view.t("通知書を発行", "Issue"))?
    } else {
        String::new()
    };
    let open = claim.amount_yen - claim.paid_yen;
    let next = next_due(&claim);
    let late = next.is_some_and(|(day, _)| day < view.ctx.today());
    Ok(ClaimLine { open, late, next, document, issue, pay: may && open > 0, claim })
}

/// The first instalment that is not paid in full yet: its day and what of it is open.
pub(crate) fn next_due(claim: &ClaimView) -> Option<(NaiveDate, i64)> {
    let mut paid = claim.paid_yen;
    for part in &claim.instalments {
        if paid < part.amount_yen {
            return Some((part.due_on, part.amount_yen - paid));
        }
        paid -= part.amount_yen;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClaimId;
    use crate::settlements::settlement_store::ClaimKind;
    use crate::settlements::settlement_views::InstalmentView;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 5, day).unwrap()
    }

    #[test]
    fn the_next_due_day_is_that_of_the_first_instalment_not_paid_in_full() {
        let part = |number, on, amount_yen| InstalmentView { number, due_on: day(on), amount_yen };
        let claim = |paid_yen| ClaimView {
            id: ClaimId(1),
            settlement_id: SettlementId(1),
            number: "R8-C0001".to_owned(),
            kind: ClaimKind::Contribution,
            creditor_organisation_id: OrganisationId(1),
            debtor_organisation_id: OrganisationId(2),
            amount_yen: 100,
            paid_yen,
            issued_on: day(1),
            fiscal_year: 2026,
            prior_year: false,
            instalments: vec![part(1, 10, 60), part(2, 20, 40)],
            payments: Vec::new(),
            version: 1,
        };
        assert_eq!(next_due(&claim(0)), Some((day(10), 60)));
        assert_eq!(next_due(&claim(70)), Some((day(20), 30)));
        assert_eq!(next_due(&claim(100)), None);
    }

    #[test]
    fn only_what_leads_on_is_next() {
        assert!(is_next(SettlementStatus::Calculated, SettlementVerb::Confirm));
        assert!(!is_next(SettlementStatus::Calculated, SettlementVerb::Calculate));
        assert!(!is_next(SettlementStatus::Billed, SettlementVerb::Adjust));
    }
}
