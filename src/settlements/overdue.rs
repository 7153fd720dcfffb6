//! What the clock reminds of in claims: those not paid in time.

use chrono::NaiveDate;

use super::mails::billed_kind;
use super::settlement_store::{self as store, ClaimRow, OverdueClaim};
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::notifications::catalogue::EventKind;
use crate::notifications::recipient::Recipient;
use crate::notifications::service::{Event, Told, publish, untold};
use crate::notifications::template::{ClaimOverdue, Notice};
use crate::organisations::{people, store as organisations};

/// Days after the due day at which those concerned are told, the shortest first.
const DAYS_AFTER: [i64; 2] = [1, 30];

/// Which of [`DAYS_AFTER`] is reached for what was due on a day. Who was not told in time (the service stood still) is told of
/// the latest one only.
fn stage(today: NaiveDate, due_on: NaiveDate) -> Option<i64> {
    let days = (today - due_on).num_days();
    DAYS_AFTER.iter().copied().filter(|after| days >= *after).max()
}

/// Tells debtor and creditor of claims of which a part is not paid on the day after it was due, and thirty days after, each
/// once. Returns how many, at most `most`.
///
/// # Errors
/// The database's.
pub fn remind(conn: &mut Conn, ctx: &Ctx, most: usize) -> Result<usize, Error> {
    let today = ctx.today();
    let due: Vec<(Event, OverdueClaim)> = store::overdue(conn, today)?
        .into_iter()
        .filter_map(|found| {
            let mark = format!("{}:{}", found.due_on, stage(today, found.due_on)?);
            let ClaimRow { id, owner_organisation_id: owner, debtor_organisation_id, creditor_organisation_id, .. } = found.claim;
            let event = Event::new(EventKind::ClaimOverdue, owner, ("claim", id.0), mark)
                .concerning([debtor_organisation_id, creditor_organisation_id]);
            Some((event, found))
        })
        .collect();
    let due = untold(conn, due, most)?;
    let told = due.len();
    for (event, found) in due {
        tell(conn, ctx, &event, &found)?;
    }
    Ok(told)
}

fn tell(conn: &mut Conn, ctx: &Ctx, event: &Event, found: &OverdueClaim) -> Result<(), Error> {
    let claim = &found.claim;
    let (debtor, creditor) = (claim.debtor_organisation_id, claim.creditor_organisation_id);
    let names = organisations::find_many(conn, &[debtor, creditor])?;
    let name = |id| names.iter().find(|body| body.id == id).map(|body| body.name.clone()).unwrap_or_default();
    let letter = |to: Recipient, own: bool| {
        let notice = Notice::ClaimOverdue(ClaimOverdue {
            recipient: to.addressee(),
            own,
            kind: billed_kind(claim.kind),
            number: claim.number.clone(),
            debtor: name(debtor),
            creditor: name(creditor),
            unpaid_yen: found.unpaid_yen,
            due_on: found.due_on,
            link: format!("/claims/{}", claim.id),
        });
        Told::new(to, notice)
    };
    let payers = people::staff_of(conn, debtor, ctx.today())?;
    let payees = people::staff_of(conn, creditor, ctx.today())?;
    let told = payers.into_iter().map(|to| letter(to, true)).chain(payees.into_iter().map(|to| letter(to, false))).collect();
    publish(conn, ctx, event, told).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_due_day_itself_is_in_time() {
        let day = |n: u32| NaiveDate::from_ymd_opt(2026, 11, n).unwrap();
        let due = NaiveDate::from_ymd_opt(2026, 10, 31).unwrap();
        assert_eq!([due, day(1), day(29), day(30)].map(|today| stage(today, due)), [None, Some(1), Some(1), Some(30)]);
    }
}
