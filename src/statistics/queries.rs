//! SQL of counts, workload and coverage: everything is counted from visits and their participants at the moment of
//! asking. Years and months are ranges on a visit's day, so that both databases count alike; the fragments written as
//! text hold nothing but dates, years and the product's own words.

use chrono::NaiveDate;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable};

use super::model::{Capacity, Years, month_number};
use crate::db::Conn;
use crate::db::schema::{experts, organisations, pool_members, visit_participants, visits};
use crate::error::Error;
use crate::ids::{ExpertId, OrganisationId, PoolId, ProgrammeId};
use crate::organisations::model::OrganisationKind;
use crate::requests::model::{ActivityKind, Mode};

/// Counts of one set of visits. Distinct counts of several sets must never be added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Visits (回); adds up.
    pub visits: i64,
    /// Distinct experts (人).
    pub experts: i64,
    /// Minutes: actual ones where the visit is done, else planned ones; adds up.
    pub minutes: i64,
    /// Distinct participating organisations (団体).
    pub organisations: i64,
}

/// The three sets that a cell of the dispatch table counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// The table's own figures: visits done and, in an estimate, those that lie after its day.
    pub main: Figures,
    /// Visits planned; in an estimate the part of `main` that lies after its day.
    pub ahead: Figures,
    /// Consultations, counted like `main` but apart from it.
    pub consultations: Figures,
}

/// Which visits a dispatch table counts.
#[derive(Debug, Clone)]
pub struct DispatchScope {
    /// The programme.
    pub programme: ProgrammeId,
    /// The fiscal years.
    pub years: Years,
    /// Kinds of activity counted as dispatches.
    pub kinds: Vec<ActivityKind>,
    /// The last day whose visits count as held; later ones are expected. Absent: what is done.
    pub as_of: Option<NaiveDate>,
}

/// How the visits of a scope are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Division {
    /// Not at all: one row for the whole period.
    Whole,
    /// By fiscal year.
    Year,
    /// By fiscal year and month; the key is [`month_number`].
    Month,
    /// By fiscal year and mode; the key is the position in [`Mode::ALL`].
    Mode,
    /// By fiscal year and kind of activity; the key is the position in [`ActivityKind::ALL`].
    Activity,
    /// By fiscal year and expert; the key is the id.
    Expert,
    /// By fiscal year and participating organisation; the key is the id. A joint visit appears once for each.
    Organisation,
}

/// One row: starting year (0 for the whole period), key, counts.
pub type CountedRow = (i32, i64, Counted);

/// The SQL conditions of the three sets.
struct Sets {
    main: String,
    ahead: String,
    consultations: String,
}

impl Sets {
    fn of(scope: &DispatchScope) -> Self {
        let kinds = scope.kinds.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(", ");
        let (counted, ahead) = match scope.as_of {
            None => ("visits.status = 'done'".to_owned(), "visits.status = 'planned'".to_owned()),
            Some(day) => {
                // What is still to be arranged can take place until its dispatch ends.
                let later = format!(
                    "(visits.load_day > '{day}' OR (visits.day IS NULL AND EXISTS \
                     (SELECT 1 FROM dispatches d WHERE d.id = visits.dispatch_id AND d.period_to > '{day}')))"
                );
                (format!("(visits.status = 'done' OR {later})"), later)
            }
        };
        Self {
            main: format!("visits.activity_kind IN ({kinds}) AND {counted}"),
            ahead: format!("visits.activity_kind IN ({kinds}) AND {ahead}"),
            consultations: format!("visits.activity_kind = 'consultation' AND {counted}"),
        }
    }
}

/// `CASE` that names the bucket a day falls into; `starts` are the first days of the buckets in order.
pub(crate) fn bucket(starts: &[(NaiveDate, i64)]) -> String {
    match starts {
        [] => "0".to_owned(),
        [(_, label)] => label.to_string(),
        _ => {
            let (before, after) = starts.split_at(starts.len() / 2);
            let turn = after.first().map(|(day, _)| *day).unwrap_or_default();
            format!("CASE WHEN visits.load_day < '{turn}' THEN {} ELSE {} END", bucket(before), bucket(after))
        }
    }
}

/// `CASE` that turns a word of the product into its position.
fn position(column: &str, words: &[&str]) -> String {
    let cases: String = words.iter().enumerate().map(|(i, word)| format!(" WHEN '{word}' THEN {i}")).collect();
    format!("CASE {column}{cases} ELSE -1 END")
}

fn year_bucket(years: Years) -> String {
    bucket(&years.iter().map(|year| (year.first_day(), i64::from(year.starting_year()))).collect::<Vec<_>>())
}

pub(crate) fn as_bigint(expression: &str) -> String {
    format!("CAST({expression} AS BIGINT)")
}

impl Division {
    /// The expressions of year and key.
    fn expressions(self, years: Years) -> (String, String) {
        let key = match self {
            Self::Whole | Self::Year => "visits.programme_id".to_owned(),
            Self::Month => bucket(&years.months().map(|day| (day, month_number(day))).collect::<Vec<_>>()),
            Self::Mode => position("visits.mode", &Mode::ALL.iter().map(|mode| mode.as_str()).collect::<Vec<_>>()),
            Self::Activity => {
                position("visits.activity_kind", &ActivityKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>())
            }
            Self::Expert => "visits.expert_id".to_owned(),
            Self::Organisation => "visit_participants.organisation_id".to_owned(),
        };
        let year = if self == Self::Whole { "visits.programme_id".to_owned() } else { year_bucket(years) };
        (as_bigint(&year), as_bigint(&key))
    }
}

fn count(set: &str) -> String {
    format!("COUNT(CASE WHEN {set} THEN 1 END)")
}

fn distinct(set: &str, column: &str) -> String {
    format!("COUNT(DISTINCT CASE WHEN {set} THEN {column} END)")
}

fn sum(set: &str, column: &str) -> String {
    as_bigint(&format!("COALESCE(SUM(CASE WHEN {set} THEN {column} END), 0)"))
}

pub(crate) const MINUTES: &str = "CASE WHEN visits.status = 'done' THEN COALESCE(visits.actual_minutes, visits.planned_minutes) ELSE visits.planned_minutes END";

/// Visits, experts and minutes of the three sets, then the organisations, in the order of `figures`.
macro_rules! columns {
    ($year:expr, $key:expr, $sets:expr, |$set:ident| [$($column:expr),+]) => {{
        let of = |$set: &str| [$($column),+];
        let [[a, b, c], [d, e, f], [g, h, i]] = [of(&$sets.main), of(&$sets.ahead), of(&$sets.consultations)];
        (
            sql::<BigInt>($year), sql::<BigInt>($key),
            sql::<BigInt>(&a), sql::<BigInt>(&b), sql::<BigInt>(&c),
            sql::<BigInt>(&d), sql::<BigInt>(&e), sql::<BigInt>(&f),
            sql::<BigInt>(&g), sql::<BigInt>(&h), sql::<BigInt>(&i),
        )
    }};
}

type Raw = (i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64);

/// The counts of a scope, divided. Rows in which nothing was counted are left out. Two queries, one for a division by
/// organisation.
pub fn dispatch_counts(conn: &mut Conn, scope: &DispatchScope, division: Division) -> Result<Vec<CountedRow>, Error> {
    let sets = Sets::of(scope);
    let (year, key) = division.expressions(scope.years);
    let within = |status: [&'static str; 2]| {
        visits::programme_id
            .eq(scope.programme)
            .and(visits::load_day.between(scope.years.first_day(), scope.years.last_day()))
            .and(visits::status.eq_any(status))
    };
    let select = columns!(&year, &key, sets, |set| [count(set), distinct(set, "visits.expert_id"), sum(set, MINUTES)]);
    let raw: Vec<Raw> = if division == Division::Organisation {
        visits::table
            .inner_join(visit_participants::table)
            .filter(within(["done", "planned"]))
            .group_by((sql::<BigInt>(&year), sql::<BigInt>(&key)))
            .select(select)
            .load(conn)?
    } else {
        visits::table
            .filter(within(["done", "planned"]))
            .group_by((sql::<BigInt>(&year), sql::<BigInt>(&key)))
            .select(select)
            .load(conn)?
    };
    let mut rows: Vec<CountedRow> = raw.into_iter().map(|row| named(row, division)).collect();
    if division == Division::Organisation {
        for (_, _, counted) in &mut rows {
            for figures in [&mut counted.main, &mut counted.ahead, &mut counted.consultations] {
                figures.organisations = i64::from(figures.visits > 0);
            }
        }
    } else {
        let select = (
            sql::<BigInt>(&year),
            sql::<BigInt>(&key),
            sql::<BigInt>(&distinct(&sets.main, "visit_participants.organisation_id")),
            sql::<BigInt>(&distinct(&sets.ahead, "visit_participants.organisation_id")),
            sql::<BigInt>(&distinct(&sets.consultations, "visit_participants.organisation_id")),
        );
        let bodies: Vec<(i64, i64, i64, i64, i64)> = visits::table
            .inner_join(visit_participants::table)
            .filter(within(["done", "planned"]))
            .group_by((sql::<BigInt>(&year), sql::<BigInt>(&key)))
            .select(select)
            .load(conn)?;
        for (year, key, main, ahead, consultations) in bodies {
            let year = starting_year(year, division);
            if let Some((_, _, counted)) = rows.iter_mut().find(|(y, k, _)| (*y, *k) == (year, key)) {
                counted.main.organisations = main;
                counted.ahead.organisations = ahead;
                counted.consultations.organisations = consultations;
            }
        }
    }
    rows.retain(|(_, _, counted)| *counted != Counted::default());
    rows.sort_unstable_by_key(|(year, key, _)| (*year, *key));
    Ok(rows)
}

fn starting_year(year: i64, division: Division) -> i32 {
    if division == Division::Whole { 0 } else { i32::try_from(year).unwrap_or_default() }
}

fn named((year, key, a, b, c, d, e, f, g, h, i): Raw, division: Division) -> CountedRow {
    let figures = |visits, experts, minutes| Figures { visits, experts, minutes, organisations: 0 };
    let counted = Counted { main: figures(a, b, c), ahead: figures(d, e, f), consultations: figures(g, h, i) };
    (starting_year(year, division), key, counted)
}

/// Names of experts, by id.
pub fn expert_names(conn: &mut Conn, ids: &[ExpertId]) -> Result<Vec<(ExpertId, String, String)>, Error> {
    Ok(experts::table
        .filter(experts::id.eq_any(ids))
        .order((experts::kana, experts::id))
        .select((experts::id, experts::name, experts::kana))
        .load(conn)?)
}

/// Codes and names of organisations, in the order of papers: by code, those without one last.
pub fn organisation_names(
    conn: &mut Conn,
    ids: &[OrganisationId],
) -> Result<Vec<(OrganisationId, Option<String>, String)>, Error> {
    let mut rows: Vec<(OrganisationId, Option<String>, String)> = organisations::table
        .filter(organisations::id.eq_any(ids))
        .order((organisations::name, organisations::id))
        .select((organisations::id, organisations::lg_code, organisations::name))
        .load(conn)?;
    rows.sort_by(|a, b| (a.1.is_none(), &a.1).cmp(&(b.1.is_none(), &b.1)));
    Ok(rows)
}

/// An expert of a pool as the workload table shows it.
#[derive(Debug, Clone)]
pub struct PoolExpert {
    /// Id.
    pub id: ExpertId,
    /// Name.
    pub name: String,
    /// Reading.
    pub kana: String,
    /// State of the registration.
    pub status: String,
    /// Agreed limits.
    pub capacity: Capacity,
}

/// The experts of a pool by reading, at most `most`; with `only`, just these.
pub fn pool_experts(conn: &mut Conn, pool: PoolId, only: Option<&[ExpertId]>, most: i64) -> Result<Vec<PoolExpert>, Error> {
    type Row = (ExpertId, String, String, String, Option<i32>, Option<i32>, Option<i32>, Option<i32>);
    let mut query = experts::table
        .filter(experts::pool_id.eq(pool))
        .order((experts::kana, experts::id))
        .limit(most)
        .select((
            experts::id,
            experts::name,
            experts::kana,
            experts::status,
            experts::capacity_minutes_week,
            experts::capacity_minutes_month,
            experts::capacity_minutes_year,
            experts::capacity_days_year,
        ))
        .into_boxed();
    if let Some(ids) = only {
        query = query.filter(experts::id.eq_any(ids.to_vec()));
    }
    let rows: Vec<Row> = query.load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, name, kana, status, minutes_week, minutes_month, minutes_year, days_year)| PoolExpert {
            id,
            name,
            kana,
            status,
            capacity: Capacity { minutes_week, minutes_month, minutes_year, days_year },
        })
        .collect())
}

/// An expert's load in a month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MonthLoad {
    /// The expert.
    pub expert: i64,
    /// The month, see [`month_number`].
    pub month: i64,
    /// Visits done.
    pub done_visits: i64,
    /// Their actual minutes.
    pub done_minutes: i64,
    /// Visits ahead: held for an accepted offer, or decided.
    pub planned_visits: i64,
    /// Their planned minutes.
    pub planned_minutes: i64,
    /// Days taken; a visit without a date takes one.
    pub days: i64,
}

/// The load of a pool's experts by month, of one programme or of all.
pub fn workload(
    conn: &mut Conn,
    pool: PoolId,
    programme: Option<ProgrammeId>,
    only: Option<&[ExpertId]>,
    years: Years,
) -> Result<Vec<MonthLoad>, Error> {
    let month = as_bigint(&bucket(&years.months().map(|day| (day, month_number(day))).collect::<Vec<_>>()));
    let (done, ahead) = ("visits.status = 'done'", "visits.status IN ('held', 'planned')");
    let mut query = visits::table
        .inner_join(experts::table)
        .filter(experts::pool_id.eq(pool))
        .filter(visits::load_day.between(years.first_day(), years.last_day()))
        .filter(visits::status.eq_any(["held", "planned", "done"]))
        .group_by((sql::<BigInt>("visits.expert_id"), sql::<BigInt>(&month)))
        .select((
            sql::<BigInt>("visits.expert_id"),
            sql::<BigInt>(&month),
            sql::<BigInt>(&count(done)),
            sql::<BigInt>(&sum(done, MINUTES)),
            sql::<BigInt>(&count(ahead)),
            sql::<BigInt>(&sum(ahead, MINUTES)),
            sql::<BigInt>("COUNT(DISTINCT visits.day) + COUNT(CASE WHEN visits.day IS NULL THEN 1 END)"),
        ))
        .into_boxed();
    if let Some(programme) = programme {
        query = query.filter(visits::programme_id.eq(programme));
    }
    if let Some(ids) = only {
        query = query.filter(visits::expert_id.eq_any(ids.to_vec()));
    }
    let rows: Vec<(i64, i64, i64, i64, i64, i64, i64)> = query.load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(expert, month, done_visits, done_minutes, planned_visits, planned_minutes, days)| MonthLoad {
            expert,
            month,
            done_visits,
            done_minutes,
            planned_visits,
            planned_minutes,
            days,
        })
        .collect())
}

/// The municipalities that are members of a pool on a day, by code.
pub fn member_municipalities(
    conn: &mut Conn,
    pool: PoolId,
    day: NaiveDate,
) -> Result<Vec<(OrganisationId, Option<String>, String)>, Error> {
    Ok(pool_members::table
        .inner_join(organisations::table)
        .filter(pool_members::pool_id.eq(pool))
        .filter(pool_members::valid_from.le(day))
        .filter(pool_members::valid_to.is_null().or(pool_members::valid_to.gt(day)))
        .filter(organisations::kind.eq_any([
            OrganisationKind::City,
            OrganisationKind::SpecialWard,
            OrganisationKind::Town,
            OrganisationKind::Village,
        ]))
        .order((organisations::lg_code, organisations::id))
        .select((organisations::id, organisations::lg_code, organisations::name))
        .distinct()
        .load(conn)?)
}

/// When an organisation was served by a programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// The organisation.
    pub organisation: OrganisationId,
    /// Day of the first visit done.
    pub first: Option<NaiveDate>,
    /// Day of the last visit done, not after the period.
    pub last: Option<NaiveDate>,
    /// Participations in the period.
    pub participations: i64,
}

/// First and last visit done of every organisation up to the end of the period, and its participations within it.
pub fn services(conn: &mut Conn, programme: ProgrammeId, kinds: &[ActivityKind], years: Years) -> Result<Vec<Service>, Error> {
    let within = format!("visits.load_day >= '{}'", years.first_day());
    let rows: Vec<(OrganisationId, Option<NaiveDate>, Option<NaiveDate>, i64)> = visits::table
        .inner_join(visit_participants::table)
        .filter(visits::programme_id.eq(programme))
        .filter(visits::load_day.le(years.last_day()))
        .filter(visits::status.eq("done"))
        .filter(visits::activity_kind.eq_any(kinds))
        .group_by(visit_participants::organisation_id)
        .select((
            visit_participants::organisation_id,
            sql::<Nullable<Date>>("MIN(visits.load_day)"),
            sql::<Nullable<Date>>("MAX(visits.load_day)"),
            sql::<BigInt>(&count(&within)),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(organisation, first, last, participations)| Service { organisation, first, last, participations })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_finds_its_bucket_by_halving() {
        let years = Years::new(2019, 2021).unwrap();
        assert_eq!(
            year_bucket(years),
            "CASE WHEN visits.load_day < '2020-04-01' THEN 2019 ELSE CASE WHEN visits.load_day < '2021-04-01' THEN 2020 ELSE 2021 END END"
        );
        assert_eq!(year_bucket(Years::single(2024).unwrap()), "2024");
    }

    #[test]
    fn an_estimate_counts_what_is_done_and_what_lies_after_its_day() {
        let scope = DispatchScope {
            programme: ProgrammeId(1),
            years: Years::single(2024).unwrap(),
            kinds: vec![ActivityKind::Visit, ActivityKind::Training],
            as_of: NaiveDate::from_ymd_opt(2025, 1, 31),
        };
        let sets = Sets::of(&scope);
        assert_eq!(
            sets.main,
            "visits.activity_kind IN ('visit', 'training') AND (visits.status = 'done' OR \
             (visits.load_day > '2025-01-31' OR (visits.day IS NULL AND EXISTS (SELECT 1 FROM dispatches d WHERE d.id = visits.dispatch_id AND d.period_to > '2025-01-31'))))"
        );
        let plain = Sets::of(&DispatchScope { as_of: None, ..scope });
        assert_eq!(plain.consultations, "visits.activity_kind = 'consultation' AND visits.status = 'done'");
    }
}
