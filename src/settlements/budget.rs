//! The money of a programme's year: what is bound for each request and order, in a ledger that only grows. Every change
//! of a case brings what it has bound up to date; more than the budget is refused, but for what is owed already.
//!
//! The caller holds the lock of the programme's year, the first in the order of locks.

use std::collections::BTreeMap;

use super::budget_store::{self, BudgetEntryKind, BudgetSubject, Waiting};
use super::model;
use crate::costs::{Component, Yen};
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::Ctx;
use crate::ids::{CostItemId, OrganisationId, ProgrammeId, RequestId};
use crate::notifications::catalogue::EventKind;
use crate::notifications::service::{Event, Told, publish};
use crate::notifications::template::Notice;
use crate::organisations::people;
use crate::pools::rules::{Intake, ProgrammeRules};
use crate::pools::store::YearRow;
use crate::requests::model::RequestStatus;
use crate::requests::store::RequestRow;

/// Percent of a budget at which the office is told, once each.
const WARN_AT: [i32; 2] = [80, 100];

/// Fees that a request will bring: each member of a team is paid for each visit, unless they take the visits in turn.
fn fees(visit_count: i32, experts_needed: i32, rotation: bool) -> i32 {
    if rotation { visit_count } else { visit_count.saturating_mul(experts_needed.max(1)) }
}

/// What a request as it was asked will cost the programme.
///
/// # Errors
/// As [`expected`].
pub fn expected_of(rules: &ProgrammeRules, row: &RequestRow) -> Result<Yen, Error> {
    expected(rules, fees(row.visit_count, row.experts_needed, row.rotation), row.minutes_per_visit)
}

fn expected_of_waiting(rules: &ProgrammeRules, row: &Waiting) -> Result<Yen, Error> {
    expected(rules, fees(row.visit_count, row.experts_needed, row.rotation), row.minutes_per_visit)
}

/// What so many visits of so many minutes will cost the programme by its fee table. Travel is not known yet and counts as
/// nothing; so does a fee that has to be entered and has no cap.
pub fn expected(rules: &ProgrammeRules, visits: i32, minutes: i32) -> Result<Yen, Error> {
    let Some(one) = model::expected_fee(rules, minutes, None)? else { return Ok(Yen::ZERO) };
    let laid_out = model::laid_out(rules, Component::Honorarium, one)?;
    laid_out.checked_mul(i64::from(visits)).map_err(Error::internal)
}

/// What a budget of a programme's year leaves: of the whole or, with a body, of what is kept for each body. Never below nothing.
pub fn left(conn: &mut Conn, year: &YearRow, budget: Yen, body: Option<OrganisationId>) -> Result<u64, Error> {
    let bound = match body {
        Some(body) => budget_store::bound_of_body(conn, year.programme_id, year.fiscal_year, body)?,
        None => budget_store::bound(conn, year.programme_id, year.fiscal_year)?,
    };
    Ok(u64::try_from(budget.get().saturating_sub(bound)).unwrap_or(0))
}

/// Brings what a request has bound up to date: its estimate once accepted, its plan and actual costs once decided.
pub fn bind(conn: &mut Conn, ctx: &Ctx, request: RequestId, rules: &ProgrammeRules, kind: BudgetEntryKind) -> Result<(), Error> {
    let row = crate::requests::store::find(conn, request)?.ok_or_else(Error::not_found)?;
    let target = target(conn, &row, rules)?;
    let year = (row.programme_id, row.fiscal_year);
    let book = Book { year, owner: row.owner_organisation_id, body: row.applicant_organisation_id, rules };
    book.set(conn, ctx, BudgetSubject::Request(request), target, kind)
}

/// What a request binds as it stands.
fn target(conn: &mut Conn, row: &RequestRow, rules: &ProgrammeRules) -> Result<Yen, Error> {
    let spent = budget_store::spent(conn, row.id)?;
    let planned = budget_store::planned_visits(conn, row.id)?;
    let decided = row.status == RequestStatus::Decided || !planned.is_empty() || !spent.is_empty();
    if row.status == RequestStatus::Accepted && !decided {
        return expected_of(rules, row);
    }
    let mut parts = Vec::new();
    for visit in planned {
        if let Some(fee) = model::fee_of(rules, visit.minutes, visit.fee_grade.as_deref(), visit.is_official())? {
            parts.push(model::laid_out(rules, Component::Honorarium, fee)?);
        }
    }
    // An item and its corrections are one amount, and each amount is divided by itself, caps and all.
    let mut items: BTreeMap<CostItemId, (Component, i64)> = BTreeMap::new();
    for (item, component, yen) in spent {
        let sum = &mut items.entry(item).or_insert((component, 0)).1;
        *sum = sum.saturating_add(yen);
    }
    for (component, yen) in items.into_values() {
        parts.push(model::laid_out(rules, component, Yen::new(yen.max(0)).map_err(Error::internal)?)?);
    }
    Yen::sum(parts).map_err(Error::internal)
}

/// The ledger of a programme's year, open at one body's page.
#[derive(Debug, Clone, Copy)]
pub struct Book<'a> {
    /// Programme and fiscal year.
    pub year: (ProgrammeId, i32),
    /// Owner of the pool.
    pub owner: OrganisationId,
    /// The body that applied or ordered.
    pub body: OrganisationId,
    /// The rules that hold for the case.
    pub rules: &'a ProgrammeRules,
}

impl Book<'_> {
    /// Binds so much for a request or order in the place of what it had.
    ///
    /// # Errors
    /// 409 `budget_exceeded` when more is wanted than the programme's or the body's budget leaves; never for actual costs,
    /// which are owed.
    pub fn set(
        &self,
        conn: &mut Conn,
        ctx: &Ctx,
        subject: BudgetSubject,
        target: Yen,
        kind: BudgetEntryKind,
    ) -> Result<(), Error> {
        let own = budget_store::own_bound(conn, subject)?;
        let delta = target.get() - own;
        if delta == 0 {
            return Ok(());
        }
        let (programme, year) = self.year;
        let before = budget_store::bound(conn, programme, year)?;
        // The budget is that of the year as it is now: a decision keeps its rules, but nobody keeps money for it.
        let rules = crate::pools::store::year(conn, programme, year)?.map(|row| row.rules);
        let limit = rules.as_ref().and_then(|rules| rules.budget_yen);
        if delta > 0 && kind != BudgetEntryKind::Commit {
            check(limit, before, delta, "programme")?;
            if let Some(each) = rules.as_ref().and_then(|rules| rules.budget_per_body_yen) {
                let of_body = budget_store::bound_of_body(conn, programme, year, self.body)?;
                check(Some(each), of_body, delta, "body")?;
            }
        }
        let after = before + delta;
        let kind = if delta < 0 && kind == BudgetEntryKind::Reserve { BudgetEntryKind::Release } else { kind };
        let bounds = (target.get(), after);
        let limit_yen = limit.map(Yen::get);
        budget_store::append(conn, self.year, subject, self.body, kind, delta, bounds, limit_yen, ctx.now)?;
        let Some(limit) = limit else { return Ok(()) };
        if delta > 0 {
            return self.warn(conn, ctx, limit, after);
        }
        self.offer_freed(conn, ctx, limit, after)
    }

    fn warn(&self, conn: &mut Conn, ctx: &Ctx, limit: Yen, bound: i64) -> Result<(), Error> {
        let (programme, year) = self.year;
        for percent in WARN_AT {
            let reached = i128::from(bound) * 100 >= i128::from(limit.get()) * i128::from(percent);
            if reached && budget_store::warn_once(conn, programme, year, percent, ctx.now)? {
                let name = crate::pools::store::programme(conn, programme)?.name;
                let mut told = Vec::new();
                for to in people::coordinators_of(conn, self.owner, ctx.today())? {
                    let notice = Notice::BudgetWarning {
                        recipient: to.addressee(),
                        programme: name.clone(),
                        fiscal_year: year,
                        percent,
                        budget_yen: limit.get(),
                        bound_yen: bound,
                        link: format!("/programmes/{programme}/years/{year}/budget"),
                    };
                    told.push(Told::new(to, notice));
                }
                let mark = format!("{year}:{percent}");
                let event = Event::new(EventKind::BudgetWarning, self.owner, ("programme", programme.0), mark);
                publish(conn, ctx, &event, told)?;
            }
        }
        Ok(())
    }

    /// Tells the office of the request that is next in line once money is free for it; a person accepts it or not.
    fn offer_freed(&self, conn: &mut Conn, ctx: &Ctx, limit: Yen, bound: i64) -> Result<(), Error> {
        let (programme, year) = self.year;
        let Some(next) = next_waiting(conn, self.year, self.rules, limit.get() - bound)? else { return Ok(()) };
        let name = crate::pools::store::programme(conn, programme)?.name;
        let applicant = crate::organisations::store::find(conn, next.applicant_organisation_id)?.map(|body| body.name);
        let mut told = Vec::new();
        for to in people::coordinators_of(conn, self.owner, ctx.today())? {
            let notice = Notice::BudgetFreed {
                recipient: to.addressee(),
                programme: name.clone(),
                fiscal_year: year,
                free_yen: limit.get() - bound,
                applicant: applicant.clone().unwrap_or_default(),
                title: next.theme.clone(),
                link: format!("/requests/{}", next.id),
            };
            told.push(Told::new(to, notice));
        }
        let mark = format!("{year}:{bound}");
        let event = Event::new(EventKind::BudgetFreed, self.owner, ("request", next.id.0), mark).of_request(next.id);
        publish(conn, ctx, &event, told).map(drop)
    }
}

/// A programme's year of which much is bound.
#[derive(Debug, Clone)]
pub struct NearBudget {
    /// The programme.
    pub programme: ProgrammeId,
    /// Its name.
    pub name: String,
    /// The budget.
    pub budget: Yen,
    /// What is bound.
    pub bound_yen: i64,
}

/// The programmes of an owner of whose money of the year 80 % or more is bound.
pub fn near(conn: &mut Conn, owner: OrganisationId, year: i32) -> Result<Vec<NearBudget>, Error> {
    let years = crate::pools::store::owned_years(conn, owner, year)?;
    let programmes: Vec<ProgrammeId> = years.iter().map(|(row, _)| row.programme_id).collect();
    let bound: std::collections::BTreeMap<ProgrammeId, i64> =
        budget_store::bound_in_year(conn, &programmes, year)?.into_iter().collect();
    let least = WARN_AT.iter().min().copied().unwrap_or(100);
    Ok(years
        .into_iter()
        .filter_map(|(row, name)| {
            let budget = row.rules.budget_yen.filter(|budget| budget.get() > 0)?;
            let bound_yen = bound.get(&row.programme_id).copied().unwrap_or(0);
            let reached = i128::from(bound_yen) * 100 >= i128::from(budget.get()) * i128::from(least);
            reached.then_some(NearBudget { programme: row.programme_id, name, budget, bound_yen })
        })
        .collect())
}

/// 409 when a limit does not reach for `more` beside what is bound. Exactly the limit is enough.
fn check(limit: Option<Yen>, bound: i64, more: i64, whose: &str) -> Result<(), Error> {
    let Some(limit) = limit else { return Ok(()) };
    if bound.saturating_add(more) <= limit.get() {
        return Ok(());
    }
    let left = Yen::new((limit.get() - bound).max(0)).map_err(Error::internal)?;
    let more = Yen::new(more).map_err(Error::internal)?;
    let (ja, en) = if whose == "body" { ("この団体の予算", "the body's budget") } else { ("予算", "the budget") };
    Err(Error::new(ErrorCode::BudgetExceeded).detail(
        format!("見込額{more}に対し、{ja}の残りは{left}です。補欠とすることができます"),
        format!(
            "{} yen are needed and {} yen are left in {en}; a request can be put on the waiting list",
            more.get(),
            left.get()
        ),
    ))
}

/// The first request on the waiting list for which so many yen reach.
pub fn next_waiting(
    conn: &mut Conn,
    (programme, year): (ProgrammeId, i32),
    rules: &ProgrammeRules,
    free: i64,
) -> Result<Option<Waiting>, Error> {
    for row in budget_store::waiting(conn, programme, year)? {
        if row.status == RequestStatus::Waitlisted && expected_of_waiting(rules, &row)?.get() <= free {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// 409 when a request that arrived earlier is still to be looked at, or waits although the money reaches for it: where the
/// year's money is limited and goes to those who come first, nobody is passed over.
pub fn check_order(conn: &mut Conn, request: &RequestRow, rules: &ProgrammeRules) -> Result<(), Error> {
    let Some(limit) = rules.budget_yen.filter(|_| rules.intake == Intake::FirstCome) else { return Ok(()) };
    let arrived = (request.submitted_at, request.id);
    let free = limit.get() - budget_store::bound(conn, request.programme_id, request.fiscal_year)?;
    for other in budget_store::waiting(conn, request.programme_id, request.fiscal_year)? {
        if other.id == request.id || (other.submitted_at, other.id) > arrived {
            continue;
        }
        let fits = expected_of_waiting(rules, &other)?.get() <= free;
        if other.status == RequestStatus::Submitted || fits {
            return Err(Error::new(ErrorCode::EarlierRequestWaits).detail(
                format!("先に提出された申請（ID {}）があります。先着順のため、先にその申請を審査してください", other.id),
                format!("Request {} arrived earlier and is still to be decided on: first come, first served", other.id),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::costs::{FeeTable, Payer, PayerRule};

    fn yen(amount: i64) -> Yen {
        Yen::new(amount).unwrap()
    }

    #[test]
    fn the_estimate_is_what_the_programme_pays_of_each_visit_times_the_visits() {
        let mut rules = crate::pools::presets::all().unwrap().remove(0).rules;
        assert_eq!(expected(&rules, 3, 120).unwrap(), yen(30_000));
        assert_eq!(expected(&rules, 2, 240).unwrap(), yen(40_000));
        rules.payers = vec![PayerRule::ratio(Component::Honorarium, Payer::Prefecture, 1, 2, Payer::Host)];
        assert_eq!(expected(&rules, 2, 240).unwrap(), yen(20_000));
        for table in [FeeTable::None {}, FeeTable::Undisclosed {}] {
            rules.fee_table = table;
            assert_eq!(expected(&rules, 100, 1440).unwrap(), Yen::ZERO);
        }
    }

    #[test]
    fn the_last_yen_can_be_used_and_no_more() {
        assert!(check(Some(yen(100_000)), 70_000, 30_000, "programme").is_ok());
        let refused = check(Some(yen(100_000)), 70_001, 30_000, "programme").unwrap_err();
        assert_eq!(refused.code, ErrorCode::BudgetExceeded);
        assert!(refused.failure().detail.unwrap().ja.contains("補欠"));
        assert!(check(None, i64::MAX, 1, "programme").is_ok());
    }
}
