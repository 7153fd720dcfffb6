//! What an expert has to do before and after a request's visits, by month and fiscal year, for candidates side by side.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};

use crate::calendar::{FiscalYear, month_range};
use crate::db::Conn;
use crate::error::Error;
use crate::experts::{load, store};
use crate::ids::ExpertId;
use crate::requests::store::{self as requests, RequestRow};
use crate::web::tongue::Tongue;

/// Months shown at most.
const MONTHS: usize = 3;

/// A month or the year: what it is called, and each expert's load before and after.
pub type LoadRow = (String, Vec<String>);

/// Among how many experts the visits of a request are divided: where a team takes turns, each does an even share.
fn sharing(request: &RequestRow) -> i64 {
    if request.rotation { i64::from(request.experts_needed.max(1)) } else { 1 }
}

/// The minutes that the visits of a request add, by the first day of the month: on the wished days in their order, the
/// others in the month in which the period begins.
fn added(conn: &mut Conn, request: &RequestRow) -> Result<BTreeMap<NaiveDate, i64>, Error> {
    let wished = requests::wished_dates(conn, request.id)?;
    let mut days = wished.iter().map(|wish| wish.day);
    let mut months = BTreeMap::new();
    for _ in 0..request.visit_count {
        let day = days.next().unwrap_or(request.period_from);
        *months.entry(month_range(day).0).or_insert(0) += i64::from(request.minutes_per_visit);
    }
    Ok(months)
}

/// The load of some experts before and after, in their order. Those who have accepted have their visits for the request
/// already: what is left without them is what they had before.
///
/// # Errors
/// The database's.
pub fn rows(
    conn: &mut Conn,
    t: Tongue,
    request: &RequestRow,
    ids: &[ExpertId],
    accepted: &[ExpertId],
) -> Result<Vec<LoadRow>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let added = added(conn, request)?;
    let year = FiscalYear::of(request.period_from);
    let experts = store::find_many(conn, ids)?;
    let loads = load::minutes_by_month(conn, ids, year.first_day(), year.last_day())?;
    let already = load::minutes_for_request(conn, request.id, accepted, year.first_day(), year.last_day())?;
    let of = |loads: &[load::LoadRow], id: ExpertId, month: Option<NaiveDate>| -> i64 {
        let own = loads.iter().filter(|load| load.expert_id == id && month.is_none_or(|month| load.month == month));
        own.map(load::LoadRow::minutes).sum()
    };
    let cells = |month: Option<NaiveDate>, more: i64| -> Vec<String> {
        ids.iter()
            .map(|id| {
                let now = of(&loads, *id, month);
                let goes = already.iter().any(|load| load.expert_id == *id);
                let (before, after) = if goes { (now - of(&already, *id, month), now) } else { (now, now + more) };
                let most = experts.iter().find(|expert| expert.id == *id).and_then(|expert| {
                    if month.is_some() { expert.capacity_minutes_month } else { expert.capacity_minutes_year }
                });
                let most = match most {
                    Some(most) if t.english() => format!(" (most {})", t.minutes(i64::from(most))),
                    Some(most) => format!("（上限{}）", t.minutes(i64::from(most))),
                    None => t.t("（上限なし）", " (no limit)").to_owned(),
                };
                format!("{} → {}{most}", t.minutes(before), t.minutes(after))
            })
            .collect()
    };
    let label = |month: NaiveDate| {
        if t.english() { format!("Load in {}", month.format("%B")) } else { format!("{}月の稼働", month.month()) }
    };
    let parts = sharing(request);
    let mut found: Vec<LoadRow> =
        added.iter().take(MONTHS).map(|(month, more)| (label(*month), cells(Some(*month), more / parts))).collect();
    let name =
        if t.english() { format!("Load in {}", t.fiscal_year(year.starting_year())) } else { "年度の稼働".to_owned() };
    found.push((name, cells(None, added.values().sum::<i64>() / parts)));
    Ok(found)
}
