//! Experts whose load has come near what was agreed: one question for reminders and for the office's list of today, so that
//! both say the same.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use super::load::LOADING;
use super::model::{ExpertStatus, share_percent};
use crate::calendar::{FiscalYear, month_range};
use crate::db::Conn;
use crate::db::schema::{experts, pools, visits};
use crate::error::Error;
use crate::ids::{ExpertId, OrganisationId, UserId};
use crate::statistics::model::{Years, month_number};
use crate::statistics::queries::{MINUTES, as_bigint, bucket};

/// Percent of a limit from which an expert is near it.
pub const NEAR_PERCENT: u8 = 80;

/// Which limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Minutes of a month, named by its first day.
    MonthMinutes(NaiveDate),
    /// Minutes of a fiscal year.
    YearMinutes(i32),
    /// Days of a fiscal year.
    YearDays(i32),
}

impl Limit {
    /// A stable name, such as `month-2026-11`.
    pub fn mark(self) -> String {
        match self {
            Self::MonthMinutes(first) => format!("month-{}", first.format("%Y-%m")),
            Self::YearMinutes(year) => format!("year-minutes-{year}"),
            Self::YearDays(year) => format!("year-days-{year}"),
        }
    }
}

/// An expert near a limit.
#[derive(Debug, Clone)]
pub struct NearLimit {
    /// Who.
    pub expert: ExpertId,
    /// Name.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// The account.
    pub user_id: Option<UserId>,
    /// Whose pool.
    pub owner: OrganisationId,
    /// Which limit.
    pub limit: Limit,
    /// Minutes or days done and ahead.
    pub used: i64,
    /// Minutes or days agreed.
    pub agreed: i64,
}

impl NearLimit {
    /// The load in percent of what was agreed, cut.
    pub fn percent(&self) -> i64 {
        share_percent(self.used, self.agreed)
    }
}

/// The experts whose load of this or a later month of the fiscal year, or of the whole year, has reached `percent` of what
/// was agreed; of one owner's pools, or of all. The fullest first.
pub fn near(conn: &mut Conn, owner: Option<OrganisationId>, today: NaiveDate, percent: u8) -> Result<Vec<NearLimit>, Error> {
    let year = FiscalYear::of(today);
    let label = year.starting_year();
    let this_month = month_range(today).0;
    let months: BTreeMap<i64, NaiveDate> =
        Years::single(label)?.months().filter(|first| *first >= this_month).map(|first| (month_number(first), first)).collect();
    let starts: Vec<(NaiveDate, i64)> = months.iter().map(|(number, first)| (*first, *number)).collect();
    let minutes = as_bigint(&format!("SUM({MINUTES})"));
    let days = "COUNT(DISTINCT visits.day) + COUNT(CASE WHEN visits.day IS NULL THEN 1 END)".to_owned();
    let whole_year = (year.first_day(), year.last_day());
    let mut found: Vec<(ExpertId, Limit, i64, i64)> = Vec::new();
    for (month, first) in
        reached(conn, owner, (this_month, year.last_day()), &bucket(&starts), &minutes, "capacity_minutes_month", percent)?
            .into_iter()
            .filter_map(|row| Some((row, *months.get(&row.1)?)))
    {
        found.push((ExpertId(month.0), Limit::MonthMinutes(first), month.2, month.3));
    }
    for row in reached(conn, owner, whole_year, "0", &minutes, "capacity_minutes_year", percent)? {
        found.push((ExpertId(row.0), Limit::YearMinutes(label), row.2, row.3));
    }
    for row in reached(conn, owner, whole_year, "0", &days, "capacity_days_year", percent)? {
        found.push((ExpertId(row.0), Limit::YearDays(label), row.2, row.3));
    }
    let ids: Vec<ExpertId> = found.iter().map(|row| row.0).collect();
    type Named = (ExpertId, String, String, Option<UserId>, OrganisationId);
    let names: Vec<Named> = experts::table
        .inner_join(pools::table)
        .filter(experts::id.eq_any(ids))
        .select((experts::id, experts::name, experts::email, experts::user_id, pools::owner_organisation_id))
        .load(conn)?;
    let names: BTreeMap<ExpertId, Named> = names.into_iter().map(|named| (named.0, named)).collect();
    let mut near: Vec<NearLimit> = found
        .into_iter()
        .filter_map(|(id, limit, used, agreed)| {
            let (expert, name, email, user_id, owner) = names.get(&id)?.clone();
            Some(NearLimit { expert, name, email, user_id, owner, limit, used, agreed })
        })
        .collect();
    near.sort_by_key(|near| (std::cmp::Reverse(near.percent()), near.expert, near.limit));
    Ok(near)
}

/// Expert, bucket, load and limit where the load has reached so many percent of the limit.
fn reached(
    conn: &mut Conn,
    owner: Option<OrganisationId>,
    (from, to): (NaiveDate, NaiveDate),
    bucket: &str,
    load: &str,
    limit: &str,
    percent: u8,
) -> Result<Vec<(i64, i64, i64, i64)>, Error> {
    let bucket = as_bigint(bucket);
    let limit = as_bigint(&format!("MAX(experts.{limit})"));
    let query = visits::table
        .inner_join(experts::table.inner_join(pools::table))
        .filter(visits::load_day.between(from, to))
        .filter(visits::status.eq_any(LOADING))
        .filter(experts::status.ne(ExpertStatus::Retired))
        .group_by((sql::<BigInt>("visits.expert_id"), sql::<BigInt>(&bucket)))
        .having(sql::<Bool>(&format!("{limit} > 0 AND ({load}) * 100 >= {limit} * {percent}")))
        .select((sql::<BigInt>("visits.expert_id"), sql::<BigInt>(&bucket), sql::<BigInt>(load), sql::<BigInt>(&limit)));
    Ok(match owner {
        Some(owner) => query.filter(pools::owner_organisation_id.eq(owner)).load(conn)?,
        None => query.load(conn)?,
    })
}
