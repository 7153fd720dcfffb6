//! Mails about money: shares that are proposed and agreed, and what is billed. Facts only; the wording is that of the
//! notifications.

use super::agreement_store::Agreement;
use super::settlement_store::{ClaimKind, NewClaim, SettlementRow};
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::{ClaimId, OrganisationId};
use crate::notifications::catalogue::EventKind;
use crate::notifications::recipient::Recipient;
use crate::notifications::service::{Event, Told, publish};
use crate::notifications::template::{AgreementConcluded, AgreementProposed, BilledKind, Instalment, Notice, SettlementBilled};
use crate::organisations::people;
use crate::organisations::store as organisations;
use crate::requests::store::RequestRow;

fn link(row: &RequestRow) -> String {
    format!("/requests/{}", row.id)
}

fn event(kind: EventKind, row: &RequestRow, agreement: &Agreement) -> Event {
    Event::new(kind, row.owner_organisation_id, ("cost_agreement", agreement.row.id.0), agreement.row.number)
        .of_request(row.id)
        .concerning(agreement.bodies.iter().map(|body| body.organisation_id))
}

/// Names of the bodies of an agreement, and who is told: the staff of those named.
fn readers(
    conn: &mut Conn,
    ctx: &Ctx,
    agreement: &Agreement,
    who: &[OrganisationId],
) -> Result<(Vec<String>, Vec<Recipient>), Error> {
    let ids: Vec<OrganisationId> = agreement.bodies.iter().map(|body| body.organisation_id).collect();
    let names = organisations::find_many(conn, &ids)?.into_iter().map(|body| body.name).collect();
    let mut readers = Vec::new();
    for body in who {
        readers.extend(people::staff_of(conn, *body, ctx.today())?);
    }
    Ok((names, readers))
}

/// Asks the bodies that have not agreed yet.
pub(super) fn proposed(conn: &mut Conn, ctx: &Ctx, row: &RequestRow, agreement: &Agreement) -> Result<(), Error> {
    let waiting = agreement.waits_for();
    let (bodies, readers) = readers(conn, ctx, agreement, &waiting)?;
    let about = crate::requests::mails::about(conn, row)?;
    let told = readers
        .into_iter()
        .map(|to| {
            let notice = Notice::AgreementProposed(AgreementProposed {
                recipient: to.addressee(),
                request: about.clone(),
                number: agreement.row.number,
                proposed_by: ctx.principal.organisation_name.clone(),
                bodies: bodies.clone(),
                own_share: None,
                reason: Some(agreement.row.reason.clone()).filter(|reason| !reason.is_empty()),
                answer_by: None,
                link: link(row),
            });
            Told::new(to, notice)
        })
        .collect();
    publish(conn, ctx, &event(EventKind::AgreementProposed, row, agreement), told).map(drop)
}

/// Tells every body and the office that all have agreed.
pub(super) fn concluded(conn: &mut Conn, ctx: &Ctx, row: &RequestRow, agreement: &Agreement) -> Result<(), Error> {
    let all: Vec<OrganisationId> = agreement.bodies.iter().map(|body| body.organisation_id).collect();
    let (bodies, mut readers) = readers(conn, ctx, agreement, &all)?;
    readers.extend(people::coordinators_of(conn, row.owner_organisation_id, ctx.today())?);
    let about = crate::requests::mails::about(conn, row)?;
    let told = readers
        .into_iter()
        .map(|to| {
            let notice = Notice::AgreementConcluded(AgreementConcluded {
                recipient: to.addressee(),
                request: about.clone(),
                number: agreement.row.number,
                bodies: bodies.clone(),
                own_share: None,
                agreed_on: agreement.row.agreed_on,
                link: link(row),
            });
            Told::new(to, notice)
        })
        .collect();
    publish(conn, ctx, &event(EventKind::AgreementConcluded, row, agreement), told).map(drop)
}

/// What a claim is for, as mails name it.
pub(super) fn billed_kind(kind: ClaimKind) -> BilledKind {
    match kind {
        ClaimKind::Contribution => BilledKind::Contribution,
        ClaimKind::Additional => BilledKind::Additional,
        ClaimKind::Repayment => BilledKind::Repayment,
    }
}

/// Tells the debtor of a claim what is to be paid and when.
pub(super) fn billed(conn: &mut Conn, ctx: &Ctx, row: &SettlementRow, id: ClaimId, claim: &NewClaim) -> Result<(), Error> {
    let creditor = organisations::find(conn, claim.creditor)?.map(|body| body.name).unwrap_or_default();
    let programme = crate::pools::store::programme(conn, row.programme_id)?.name;
    let kind = billed_kind(claim.kind);
    let told = people::staff_of(conn, claim.debtor, ctx.today())?
        .into_iter()
        .map(|to| {
            let notice = Notice::SettlementBilled(SettlementBilled {
                recipient: to.addressee(),
                number: claim.number.clone(),
                kind,
                creditor: creditor.clone(),
                amount_yen: claim.amount,
                instalments: claim
                    .instalments
                    .iter()
                    .map(|(due_on, amount_yen)| Instalment { due_on: *due_on, amount_yen: *amount_yen })
                    .collect(),
                programme: Some(programme.clone()),
                subject: None,
                link: format!("/claims/{id}"),
            });
            Told::new(to, notice)
        })
        .collect();
    let event = Event::new(EventKind::SettlementBilled, claim.owner, ("claim", id.0), "issued")
        .concerning([claim.debtor, claim.creditor]);
    publish(conn, ctx, &event, told).map(drop)
}
