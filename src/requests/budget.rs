//! The programme's money for a year, as far as accepting a request needs it: an estimate of what a request will cost
//! and what is already bound. Amounts proper are made by `settlements`.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::model::RequestStatus;
use super::store::RequestRow;
use crate::costs::{FeeError, FeeTable, Yen, fee};
use crate::db::Conn;
use crate::db::schema::{cost_items, dispatches, requests, visits};
use crate::error::{Error, ErrorCode};
use crate::ids::{ProgrammeId, RequestId};
use crate::pools::rules::ProgrammeRules;

/// What so many visits of so many minutes will cost by the fee table. Travel is not known yet and counts as nothing; so
/// does a fee whose table is not disclosed.
pub fn estimate(table: &FeeTable, visits: i32, minutes: i32) -> Result<Yen, Error> {
    let minutes = u32::try_from(minutes).map_err(Error::internal)?;
    match fee(table, minutes) {
        Ok(one) => one.amount.checked_mul(i64::from(visits)).map_err(Error::internal),
        Err(FeeError::AmountMustBeEntered) => Ok(Yen::ZERO),
        Err(error) => Err(Error::internal(error)),
    }
}

/// 409 when the budget does not reach for `more` beside what is bound. Exactly the budget is enough.
pub fn check(budget: Yen, bound: Yen, more: Yen) -> Result<(), Error> {
    let sum = bound.checked_add(more).map_err(Error::internal)?;
    if sum <= budget {
        return Ok(());
    }
    let left = budget.checked_sub(bound).map_err(Error::internal)?.max(Yen::ZERO);
    Err(Error::new(ErrorCode::BudgetExceeded).detail(
        format!("この申請の見込額{more}に対し、予算の残りは{left}です。補欠とすることができます"),
        format!(
            "The request is estimated at {} yen and {} yen are left; it can be put on the waiting list",
            more.get(),
            left.get()
        ),
    ))
}

/// What the programme's year has bound: the estimates of accepted requests, the planned visits of decided ones, and the
/// cost items that exist. `except` leaves one request out. The caller holds the lock of the programme's year.
pub fn bound(
    conn: &mut Conn,
    programme: ProgrammeId,
    fiscal_year: i32,
    rules: &ProgrammeRules,
    except: RequestId,
) -> Result<Yen, Error> {
    let accepted: Vec<(i32, i32)> = requests::table
        .filter(requests::programme_id.eq(programme))
        .filter(requests::fiscal_year.eq(fiscal_year))
        .filter(requests::status.eq(RequestStatus::Accepted))
        .filter(requests::id.ne(except))
        .select((requests::visit_count, requests::minutes_per_visit))
        .load(conn)?;
    let planned: Vec<i32> = visits::table
        .inner_join(dispatches::table)
        .filter(dispatches::programme_id.eq(programme))
        .filter(dispatches::fiscal_year.eq(fiscal_year))
        .filter(dispatches::request_id.ne(except))
        .filter(visits::status.eq_any(["held", "planned"]))
        .select(visits::planned_minutes)
        .load(conn)?;
    let entered: i64 = cost_items::table
        .inner_join(dispatches::table)
        .filter(dispatches::programme_id.eq(programme))
        .filter(dispatches::fiscal_year.eq(fiscal_year))
        .filter(dispatches::request_id.ne(except))
        .select(sql::<BigInt>("CAST(COALESCE(SUM(cost_items.amount_yen), 0) AS BIGINT)"))
        .get_result(conn)?;
    let estimates = accepted
        .into_iter()
        .chain(planned.into_iter().map(|minutes| (1, minutes)))
        .map(|(visits, minutes)| estimate(&rules.fee_table, visits, minutes))
        .collect::<Result<Vec<Yen>, Error>>()?;
    let entered = Yen::new(entered).map_err(Error::internal)?;
    Yen::sum(estimates.into_iter().chain([entered])).map_err(Error::internal)
}

/// 409 when the programme limits its year's money and it does not reach for this request: for the visits that are planned
/// where there are any (their minutes), else for what was asked for. The caller holds the lock of the programme's year.
pub fn reserve(conn: &mut Conn, request: &RequestRow, rules: &ProgrammeRules, planned: &[i32]) -> Result<(), Error> {
    let Some(budget) = rules.budget_yen else { return Ok(()) };
    let more = if planned.is_empty() {
        estimate(&rules.fee_table, request.visit_count, request.minutes_per_visit)?
    } else {
        let visits = planned.iter().map(|minutes| estimate(&rules.fee_table, 1, *minutes)).collect::<Result<Vec<_>, _>>()?;
        Yen::sum(visits).map_err(Error::internal)?
    };
    let bound = bound(conn, request.programme_id, request.fiscal_year, rules, request.id)?;
    check(budget, bound, more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::costs::{FlatFee, PartUnitRounding};

    fn yen(amount: i64) -> Yen {
        Yen::new(amount).unwrap()
    }

    fn table() -> FeeTable {
        FeeTable::Timed {
            unit_minutes: 60,
            rate: yen(5_000),
            part_unit: PartUnitRounding::FloorToUnit,
            flat_from: Some(FlatFee { from_minutes: 240, amount: yen(20_000) }),
        }
    }

    #[test]
    fn the_estimate_is_the_fee_of_each_visit_times_the_visits() {
        assert_eq!(estimate(&table(), 3, 120).unwrap(), yen(30_000));
        assert_eq!(estimate(&table(), 2, 240).unwrap(), yen(40_000));
        assert_eq!(estimate(&FeeTable::None {}, 100, 1440).unwrap(), Yen::ZERO);
        assert_eq!(estimate(&FeeTable::Undisclosed {}, 3, 120).unwrap(), Yen::ZERO);
    }

    #[test]
    fn the_last_yen_can_be_used_and_no_more() {
        assert!(check(yen(100_000), yen(70_000), yen(30_000)).is_ok());
        let refused = check(yen(100_000), yen(70_001), yen(30_000)).unwrap_err();
        assert_eq!(refused.code, ErrorCode::BudgetExceeded);
        assert!(refused.failure().detail.unwrap().ja.contains("補欠"));
    }
}
