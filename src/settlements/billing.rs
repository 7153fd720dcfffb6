//! Claims between bodies and payments to experts, from final amounts.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::json;

use super::agreement_store;
use super::lifecycle::{self, SettlementVerb};
use super::periods;
use super::profile_store::{self, ProfileRow};
use super::settlement_store::{
    self, ClaimKind, ClaimRow, ExpertPaymentRow, NewClaim, NewExpertPayment, SettlementRow, SettlementStatus, Subject,
};
use super::settlement_views::{
    BillSettlementBody, ClaimView, ClosedDay, ExpertPaymentView, PayClaimBody, PayExpertBody, SettlementView, claim_views,
    payment_view,
};
use super::store::{self, CostItemRow, CostShareRow};
use crate::auth::policy::Role;
use crate::calendar::FiscalYear;
use crate::costs::{Component, Payer, SharingRemainder, WithholdingCategory, Yen, instalments, withhold};
use crate::db::Conn;
use crate::db::dialect::next_document_number;
use crate::error::{Error, ErrorCode};
use crate::experts::model::AffiliationKind;
use crate::holidays::business_day;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{ClaimId, CostItemId, ExpertId, ExpertPaymentId, OrganisationId};

/// When claims and payments are issued and due.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The day on which they are issued.
    pub issued_on: NaiveDate,
    /// The days on which instalments are due, rising; moved off closed days.
    pub due: Vec<NaiveDate>,
    /// Whether a closed day moves to the open day before it.
    pub earlier: bool,
}

impl Terms {
    fn days(&self) -> Vec<NaiveDate> {
        self.due.iter().map(|day| business_day(*day, self.earlier)).collect()
    }

    fn last(&self) -> NaiveDate {
        self.days().last().copied().unwrap_or(self.issued_on)
    }
}

/// A running number with a letter for its kind, as `R8-C0012`.
pub fn numbered(year: FiscalYear, letter: char, running: i32) -> String {
    format!("{}-{letter}{running:04}", year.short())
}

/// Who stands behind a payer of an item.
fn organisation_of(
    payer: Payer,
    item: &CostItemRow,
    shares: &[CostShareRow],
    employer: Option<OrganisationId>,
    lead: Option<OrganisationId>,
) -> Option<OrganisationId> {
    match payer {
        Payer::Prefecture => Some(item.owner_organisation_id),
        Payer::SendingBody | Payer::Company => employer,
        Payer::NationalBody => None,
        // Of several hosts the one that applied for all.
        Payer::Host | Payer::Requester => lead.or_else(|| {
            shares
                .iter()
                .find(|share| share.cost_item_id == item.id && share.payer == payer)
                .and_then(|share| share.organisation_id)
        }),
    }
}

/// Who owes whom how much for items that one party pays at first: debtor, creditor, yen; below zero the other way.
pub(super) fn owed(
    conn: &mut Conn,
    row: &SettlementRow,
    items: &[CostItemRow],
    shares: &[CostShareRow],
) -> Result<BTreeMap<(OrganisationId, OrganisationId), i64>, Error> {
    let lead = match row.subject()? {
        Subject::Dispatch(id) => crate::dispatches::store::find(conn, id)?.map(|dispatch| dispatch.applicant_organisation_id),
        Subject::Order(id) => super::menu_store::find(conn, id)?.map(|order| order.organisation_id),
        Subject::Placement(..) => None,
    };
    let mut employers: BTreeMap<ExpertId, Option<OrganisationId>> = BTreeMap::new();
    let mut sums = BTreeMap::new();
    for item in items {
        let Some(first) = item.first_paid_by else { continue };
        let employer = match item.expert_id {
            Some(expert) => match employers.get(&expert) {
                Some(found) => *found,
                None => {
                    let found = super::parties::employer(conn, expert)?;
                    employers.insert(expert, found);
                    found
                }
            },
            None => None,
        };
        let Some(creditor) = organisation_of(first, item, shares, employer, lead) else { continue };
        for share in shares.iter().filter(|share| share.cost_item_id == item.id) {
            if let Some(debtor) = share.organisation_id.filter(|debtor| *debtor != creditor) {
                *sums.entry((debtor, creditor)).or_insert(0_i64) += share.amount_yen;
            }
        }
    }
    Ok(sums)
}

/// What of the lead's part is paid in the first instalment alone, where the agreement says so: the yen that remained.
fn first_alone(conn: &mut Conn, items: &[CostItemRow], shares: &[CostShareRow], debtor: OrganisationId) -> Result<i64, Error> {
    let mut sum = 0;
    for item in items {
        let Some(agreement) = item.agreement_id else { continue };
        let Some(agreement) = agreement_store::find(conn, agreement)? else { continue };
        let terms = agreement.terms()?;
        let leads = agreement.bodies.iter().any(|body| body.is_lead && body.organisation_id == debtor);
        if !leads || terms.remainder != SharingRemainder::FirstInstalment || terms.by_usage() {
            continue;
        }
        let of_hosts: i64 = shares
            .iter()
            .filter(|share| share.cost_item_id == item.id && share.payer == Payer::Host)
            .map(|share| share.amount_yen)
            .sum();
        let of_hosts = Yen::new(of_hosts.max(0)).map_err(Error::internal)?;
        let sharing = super::parties::prepare(&terms, &agreement.sharing_bodies()?)?;
        sum += sharing.split(of_hosts).map_err(Error::internal)?.first_instalment().get();
    }
    Ok(sum)
}

/// Issues what one body owes another.
#[expect(clippy::too_many_arguments, reason = "the parts of a claim")]
fn issue_claim(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &SettlementRow,
    cost_item: Option<CostItemId>,
    (debtor, creditor, yen): (OrganisationId, OrganisationId, i64),
    alone: i64,
    terms: &Terms,
    correction_of: Option<i32>,
) -> Result<ClaimId, Error> {
    let year = FiscalYear::of(terms.issued_on);
    let settled = FiscalYear::new(row.fiscal_year).map_err(Error::internal)?;
    // A correction belongs to the year to which its cost is charged; what is billed late, to the year of the bill.
    let late = if terms.issued_on > settled.closing_day() { year } else { settled };
    let charged = correction_of.unwrap_or_else(|| late.starting_year());
    let (prior_year, corrects) = (charged != row.fiscal_year, correction_of.is_some());
    let (kind, debtor, creditor) = match (yen > 0, corrects) {
        (true, false) => (ClaimKind::Contribution, debtor, creditor),
        (true, true) => (ClaimKind::Additional, debtor, creditor),
        (false, _) => (ClaimKind::Repayment, creditor, debtor),
    };
    let amount = Yen::new(yen.abs()).map_err(Error::internal)?;
    let days = terms.days();
    let count = u32::try_from(days.len()).map_err(Error::internal)?;
    let alone = Yen::new(if yen > 0 { alone.min(yen) } else { 0 }).map_err(Error::internal)?;
    let parts = instalments(amount, count, alone).map_err(Error::internal)?;
    let running = next_document_number(conn, row.owner_organisation_id, "claim", year.starting_year())?;
    let claim = NewClaim {
        settlement: row.id,
        cost_item,
        owner: row.owner_organisation_id,
        number: numbered(year, 'C', running),
        kind,
        creditor,
        debtor,
        amount: amount.get(),
        issued_on: terms.issued_on,
        fiscal_year: charged,
        prior_year,
        instalments: days.into_iter().zip(parts.into_iter().map(Yen::get)).collect(),
    };
    let id = settlement_store::insert_claim(conn, &claim, ctx.now)?;
    super::mails::billed(conn, ctx, row, id, &claim)?;
    Ok(id)
}

/// Yen of an item that the pool's owner pays out.
fn paid_by_owner(item: &CostItemRow, shares: &[CostShareRow]) -> i64 {
    match item.first_paid_by {
        Some(Payer::Prefecture) => item.amount_yen,
        Some(_) => 0,
        None => shares
            .iter()
            .filter(|share| share.cost_item_id == item.id && share.payer == Payer::Prefecture)
            .map(|share| share.amount_yen)
            .sum(),
    }
}

/// What an expert gets: honorarium, and travel that is not paid to the carrier directly.
#[derive(Debug, Clone, Copy, Default)]
struct Due {
    honorarium: i64,
    travel: i64,
}

fn due_to_experts(items: &[CostItemRow], shares: &[CostShareRow]) -> BTreeMap<ExpertId, Due> {
    let mut due: BTreeMap<ExpertId, Due> = BTreeMap::new();
    for item in items {
        let Some(expert) = item.expert_id else { continue };
        let yen = paid_by_owner(item, shares);
        if item.component == Component::Honorarium {
            due.entry(expert).or_default().honorarium += yen;
        } else if item.component.is_travel() {
            due.entry(expert).or_default().travel += yen - item.paid_directly_yen.clamp(yen.min(0), yen.max(0));
        }
    }
    due.retain(|_, due| due.honorarium != 0 || due.travel != 0);
    due
}

/// Issues a payment to an expert. A company is paid in full; an individual loses what is withheld from this payment by
/// itself. Less than nothing is to be paid back, and nothing is withheld from it.
fn issue_payment(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &SettlementRow,
    correction: Option<(CostItemId, i32)>,
    (expert, due): (ExpertId, Due),
    terms: &Terms,
) -> Result<ExpertPaymentId, Error> {
    let found = crate::experts::store::find(conn, expert)?.ok_or_else(|| Error::internal("the expert of a cost is missing"))?;
    let profile = profile_store::find(conn, expert)?.unwrap_or_else(|| ProfileRow::unset(expert));
    let company = found.affiliation_kind == AffiliationKind::CompanyEmployee;
    let category = if company { WithholdingCategory::None } else { profile.withholding_category };
    let due_on = terms.last();
    let base = Yen::new((due.honorarium + due.travel).max(0)).map_err(Error::internal)?;
    let withheld = withhold(base, category, due_on).map_err(Error::internal)?;
    let year = FiscalYear::of(terms.issued_on);
    let running = next_document_number(conn, row.owner_organisation_id, "payment", year.starting_year())?;
    let payment = NewExpertPayment {
        settlement: row.id,
        cost_item: correction.map(|(item, _)| item),
        owner: row.owner_organisation_id,
        expert,
        payee: profile.employer_organisation_id.filter(|_| company),
        number: numbered(year, 'P', running),
        category,
        honorarium: due.honorarium,
        travel: due.travel,
        withholding: withheld.tax.get(),
        due_on,
        fiscal_year: correction.map_or(row.fiscal_year, |(_, charged)| charged),
    };
    settlement_store::insert_payment(conn, &payment, ctx.now)
}

/// Issues claims and payments for everything that is final. Where nobody owes anybody, the settlement is paid at once.
pub fn bill(conn: &mut Conn, ctx: &Ctx, row: SettlementRow, body: BillSettlementBody) -> Result<Outcome<SettlementView>, Error> {
    let before = row.status;
    let mut row = row;
    row.status = before.after(SettlementVerb::Bill)?;
    let terms = terms(ctx, &row, &body)?;
    let (items, shares) = store::for_settlement(conn, row.id)?;
    let mut issued = 0_usize;
    for ((debtor, creditor), yen) in owed(conn, &row, &items, &shares)? {
        if yen != 0 {
            let alone = first_alone(conn, &items, &shares, debtor)?;
            issue_claim(conn, ctx, &row, None, (debtor, creditor, yen), alone, &terms, None)?;
            issued += 1;
        }
    }
    for due in due_to_experts(&items, &shares) {
        issue_payment(conn, ctx, &row, None, due, &terms)?;
        issued += 1;
    }
    if issued == 0 {
        row.status = SettlementStatus::Paid;
    }
    lifecycle::finish(conn, ctx, row, before, None)
}

fn terms(ctx: &Ctx, row: &SettlementRow, body: &BillSettlementBody) -> Result<Terms, Error> {
    let issued_on = body.issued_on.unwrap_or_else(|| ctx.today());
    let mut fields = Fields::new();
    fields.check(
        !body.due_on.is_empty() && body.due_on.len() <= 12,
        "/due_on",
        "required",
        "納期限を1～12回分指定してください",
        "Name 1 to 12 days",
    );
    fields.check(
        body.due_on.is_sorted_by(|a, b| a < b),
        "/due_on",
        "not_rising",
        "納期限は早い順に、重ならないように指定してください",
        "Must rise",
    );
    for (i, day) in body.due_on.iter().enumerate() {
        let right = *day >= issued_on;
        fields.check(right, format!("/due_on/{i}"), "before_start", "発行日以降にしてください", "Must not precede the issue");
    }
    fields.check(
        row.confirmed_on.is_none_or(|confirmed| issued_on >= confirmed),
        "/issued_on",
        "before_start",
        "額の確定の日以降にしてください",
        "Must not precede the day on which the amount became final",
    );
    fields.check(
        issued_on <= ctx.today(),
        "/issued_on",
        "in_the_future",
        "今日以前の日付にしてください",
        "Must not lie in the future",
    );
    fields.finish()?;
    Ok(Terms { issued_on, due: body.due_on.clone(), earlier: body.closed_day == Some(ClosedDay::Earlier) })
}

/// Issues what follows from one correction: claims, repayments, and another payment to the expert.
pub fn issue_for_correction(conn: &mut Conn, ctx: &Ctx, row: &SettlementRow, id: CostItemId, terms: &Terms) -> Result<(), Error> {
    let Some((item, shares)) = store::item(conn, id)? else { return Err(Error::not_found()) };
    let charged = item.fiscal_year;
    let items = [item];
    for ((debtor, creditor), yen) in owed(conn, row, &items, &shares)? {
        if yen != 0 {
            issue_claim(conn, ctx, row, Some(id), (debtor, creditor, yen), 0, terms, Some(charged))?;
        }
    }
    for due in due_to_experts(&items, &shares) {
        issue_payment(conn, ctx, row, Some((id, charged)), due, terms)?;
    }
    Ok(())
}

/// A claim that concerns the principal's organisation: who issued it, owes it, is owed it.
pub fn visible_claim(conn: &mut Conn, ctx: &Ctx, id: ClaimId) -> Result<ClaimRow, Error> {
    let me = ctx.organisation();
    settlement_store::claim(conn, id)?
        .filter(|row| [row.owner_organisation_id, row.debtor_organisation_id, row.creditor_organisation_id].contains(&me))
        .filter(|_| ctx.principal.acts_as != Role::Expert)
        .ok_or_else(Error::not_found)
}

/// A payment of the principal's own office, or to the principal as the expert.
pub fn visible_payment(conn: &mut Conn, ctx: &Ctx, id: ExpertPaymentId) -> Result<ExpertPaymentRow, Error> {
    let expert = ctx.principal.acts_as == Role::Expert;
    settlement_store::payment(conn, id)?
        .filter(|row| match expert {
            true => ctx.principal.expert_ids.contains(&row.expert_id),
            false => row.owner_organisation_id == ctx.organisation(),
        })
        .ok_or_else(Error::not_found)
}

/// A claim of the principal's own settlement, locked.
pub fn owned_claim(conn: &mut Conn, ctx: &Ctx, id: ClaimId) -> Result<(ClaimRow, SettlementRow), Error> {
    let claim = visible_claim(conn, ctx, id)?;
    if claim.owner_organisation_id != ctx.organisation() {
        return Err(Error::new(ErrorCode::Forbidden));
    }
    let row = lifecycle::owned(conn, ctx, claim.settlement_id)?;
    let claim = settlement_store::claim(conn, id)?.ok_or_else(Error::not_found)?;
    Ok((claim, row))
}

/// A payment of the principal's own settlement, locked.
pub fn owned_payment(conn: &mut Conn, ctx: &Ctx, id: ExpertPaymentId) -> Result<(ExpertPaymentRow, SettlementRow), Error> {
    let payment = visible_payment(conn, ctx, id)?;
    let row = lifecycle::owned(conn, ctx, payment.settlement_id)?;
    let payment = settlement_store::payment(conn, id)?.ok_or_else(Error::not_found)?;
    Ok((payment, row))
}

fn check_paid_on(
    conn: &mut Conn,
    ctx: &Ctx,
    (owner, year): (OrganisationId, i32),
    issued_on: Option<NaiveDate>,
    day: NaiveDate,
    fields: &mut Fields,
) -> Result<(), Error> {
    fields.check(day <= ctx.today(), "/paid_on", "in_the_future", "今日以前の日付にしてください", "Must not lie in the future");
    fields.check(
        issued_on.is_none_or(|issued| day >= issued),
        "/paid_on",
        "before_start",
        "発行日以降の日付にしてください",
        "Must not precede the issue",
    );
    periods::require_year_open(conn, owner, year)
}

/// Records a payment of a claim. With the last one the settlement is paid.
pub fn pay_claim(conn: &mut Conn, ctx: &Ctx, claim: ClaimRow, body: PayClaimBody) -> Result<Outcome<ClaimView>, Error> {
    let mut fields = Fields::new();
    let left = claim.amount_yen - claim.paid_yen;
    fields.within("/amount_yen", body.amount_yen, 1, left.max(1));
    fields.check(left > 0, "/amount_yen", "already_paid", "全額支払済みです", "Everything is paid");
    fields.text("/note", &body.note, 500);
    let year = (claim.owner_organisation_id, claim.fiscal_year);
    check_paid_on(conn, ctx, year, Some(claim.issued_on), body.paid_on, &mut fields)?;
    fields.finish()?;
    settlement_store::pay_claim(conn, &claim, (body.paid_on, body.amount_yen, &body.note), ctx.now)?;
    settle_if_paid(conn, ctx, claim.settlement_id)?;
    let claim = settlement_store::claim(conn, claim.id)?.ok_or_else(Error::not_found)?;
    let audit = Audit::new("claim", claim.id.0, claim.owner_organisation_id).change(
        json!({"paid_yen": claim.paid_yen - body.amount_yen}),
        json!({"paid_yen": claim.paid_yen, "paid_on": body.paid_on}),
    );
    let version = claim.version;
    let view = claim_views(conn, vec![claim])?.pop().ok_or_else(Error::not_found)?;
    Ok(Outcome::changed(view, version, audit))
}

/// Records when an expert was paid, or paid back.
pub fn pay_expert(
    conn: &mut Conn,
    ctx: &Ctx,
    payment: ExpertPaymentRow,
    body: PayExpertBody,
) -> Result<Outcome<ExpertPaymentView>, Error> {
    if payment.paid_on.is_some() {
        return Err(Error::new(ErrorCode::InvalidTransition).detail("支払済みです", "It is paid already"));
    }
    let mut fields = Fields::new();
    let year = (payment.owner_organisation_id, payment.fiscal_year);
    let confirmed_on = settlement_store::find(conn, payment.settlement_id)?.and_then(|row| row.confirmed_on);
    check_paid_on(conn, ctx, year, confirmed_on, body.paid_on, &mut fields)?;
    fields.finish()?;
    let version = settlement_store::set_paid(conn, &payment, body.paid_on, ctx.now)?;
    settle_if_paid(conn, ctx, payment.settlement_id)?;
    let audit = Audit::new("expert_payment", payment.id.0, payment.owner_organisation_id)
        .change(json!({"paid_on": null}), json!({"paid_on": body.paid_on, "net_yen": payment.net_yen}));
    let payment = settlement_store::payment(conn, payment.id)?.ok_or_else(Error::not_found)?;
    Ok(Outcome::changed(payment_view(&payment), version, audit))
}

/// Moves a billed settlement on once every claim and every payment of it is paid.
pub(super) fn settle_if_paid(conn: &mut Conn, ctx: &Ctx, id: crate::ids::SettlementId) -> Result<(), Error> {
    let mut row = settlement_store::find(conn, id)?.ok_or_else(Error::not_found)?;
    let claims = settlement_store::claims_of(conn, &[id])?;
    let payments = settlement_store::payments_of(conn, &[id])?;
    let done =
        claims.iter().all(|claim| claim.paid_yen == claim.amount_yen) && payments.iter().all(|payment| payment.paid_on.is_some());
    if row.status == SettlementStatus::Billed && done {
        row.status = SettlementStatus::Paid;
        settlement_store::update(conn, &row, None, ctx.now)?;
    }
    Ok(())
}
