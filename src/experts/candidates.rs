//! Everything the matching engine has to know about the experts of a pool, for one request, in a bounded number of
//! queries however many experts there are. Decides nothing itself.

use std::collections::{BTreeSet, HashMap};

use chrono::{Datelike as _, Days, NaiveDate};
use diesel::prelude::*;

use super::load::{self, AHEAD, LOADING};
use super::model::{ExceptionKind, ExpertStatus};
use super::store::{ExceptionRow, ExpertRow};
use crate::calendar::{FiscalYear, MINUTES_PER_DAY, jst_day, jst_minute, jst_to_utc, month_range};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{
    dispatch_experts, dispatches, expert_areas, expert_conflicts, expert_exceptions, expert_skills, expert_weekly_slots, experts,
    organisations, requests, visit_participants, visits,
};
use crate::error::Error;
use crate::ids::{ExpertId, OrganisationId, PoolId, ProgrammeId, RequestId, SkillItemId};
use crate::matching::{
    AvailabilityException, BusySlot, Candidate, CandidateSkill, CandidateStatus, MonthLoad, Need, Place, ProgrammeLimit,
    WeeklyWindow, YearLoad,
};
use crate::pools::rules::Limit;
use crate::text;

/// The experts of a pool as candidates for a request, by id. Retired experts are left out, unless the applicant wished
/// for one: then the reason shows.
pub fn load(conn: &mut Conn, pool: PoolId, need: &Need) -> Result<Vec<Candidate>, Error> {
    let span = Span::of(need);
    let wished: Vec<ExpertId> = need.wished_experts.iter().copied().map(ExpertId).collect();
    let rows: Vec<(ExpertRow, Option<i32>, Option<i32>)> = experts::table
        .left_join(organisations::table)
        .filter(experts::pool_id.eq(pool))
        .filter(experts::status.ne(ExpertStatus::Retired).or(experts::id.eq_any(wished)))
        .order(experts::id)
        .select((ExpertRow::as_select(), organisations::latitude_e6.nullable(), organisations::longitude_e6.nullable()))
        .load(conn)?;
    let mut candidates: Vec<Candidate> =
        rows.into_iter().map(|(row, latitude, longitude)| base(&row, latitude, longitude)).collect();
    let index: HashMap<i64, usize> = candidates.iter().enumerate().map(|(i, candidate)| (candidate.expert_id, i)).collect();
    let mut of = |id: ExpertId, change: &mut dyn FnMut(&mut Candidate)| {
        if let Some(candidate) = index.get(&id.0).and_then(|i| candidates.get_mut(*i)) {
            change(candidate);
        }
    };

    for (id, skill) in skills(conn, pool, need)? {
        of(id, &mut |candidate| candidate.skills.push(skill));
    }
    let areas: Vec<(ExpertId, OrganisationId)> = expert_areas::table
        .inner_join(experts::table)
        .filter(experts::pool_id.eq(pool))
        .select((expert_areas::expert_id, expert_areas::organisation_id))
        .load(conn)?;
    for (id, area) in areas {
        of(id, &mut |candidate| candidate.areas.push(area.0));
    }
    for (id, window) in weekly(conn, pool)? {
        of(id, &mut |candidate| candidate.weekly.push(window));
    }
    for row in exceptions(conn, pool, &span)? {
        of(row.expert_id, &mut |candidate| add_exception(candidate, &row, &span.days));
    }
    for (id, organisation) in conflicts(conn, pool, &span)? {
        of(id, &mut |candidate| candidate.conflict_org_ids.push(organisation.0));
    }
    for (id, slot) in busy(conn, pool, &span)? {
        of(id, &mut |candidate| candidate.busy.push(slot));
    }
    let (from, to) = (FiscalYear::of(span.first).first_day(), FiscalYear::of(span.last).last_day());
    for row in load::minutes_by_month_in_pool(conn, pool, from, to)? {
        of(row.expert_id, &mut |candidate| add_load(candidate, row.month, row.minutes()));
    }
    for (id, count) in engagements(conn, pool, need.request_id)? {
        of(id, &mut |candidate| candidate.simultaneous = count);
    }
    for (id, count) in past_visits(conn, pool, OrganisationId(need.municipality_id))? {
        of(id, &mut |candidate| candidate.past_visits_with_municipality = count);
    }
    if let Some((limit, used)) = limits(conn, need)? {
        for candidate in &mut candidates {
            let used = used.get(&ExpertId(candidate.expert_id)).copied().unwrap_or(0);
            candidate.programme_limit = Some(ProgrammeLimit { used, limit });
        }
    }
    Ok(candidates)
}

/// The days that bear on a request: its period widened to all dated visits, and those days themselves.
struct Span {
    first: NaiveDate,
    last: NaiveDate,
    days: BTreeSet<NaiveDate>,
}

impl Span {
    fn of(need: &Need) -> Self {
        let days: BTreeSet<NaiveDate> = need.visits.iter().filter_map(|visit| visit.day).collect();
        let first = days.first().map_or(need.period_from, |day| need.period_from.min(*day));
        let last = days.last().map_or(need.period_to, |day| need.period_to.max(*day));
        Self { first, last, days }
    }
}

fn cut(value: i64) -> u32 {
    u32::try_from(value.max(0)).unwrap_or(u32::MAX)
}

fn minute(value: i32) -> u16 {
    u16::try_from(value.clamp(0, i32::from(MINUTES_PER_DAY))).unwrap_or(MINUTES_PER_DAY)
}

fn level(value: i32) -> u8 {
    u8::try_from(value.clamp(0, 255)).unwrap_or(u8::MAX)
}

fn base(row: &ExpertRow, latitude: Option<i32>, longitude: Option<i32>) -> Candidate {
    Candidate {
        expert_id: row.id.0,
        status: match row.status {
            ExpertStatus::Registered => CandidateStatus::Registered,
            ExpertStatus::Suspended => CandidateStatus::Suspended,
            ExpertStatus::Retired => CandidateStatus::NotRegistered,
        },
        skills: Vec::new(),
        onsite: row.onsite,
        online: row.online,
        areas: Vec::new(),
        base: latitude.zip(longitude).map(|(latitude_micro, longitude_micro)| Place { latitude_micro, longitude_micro }),
        appointed_from: Some(row.appointed_from),
        // The engine counts the last day in, the registration names the day after it.
        appointed_to: row.appointed_to.map(|end| end.checked_sub_days(Days::new(1)).unwrap_or(end)),
        leaves: Vec::new(),
        weekly: Vec::new(),
        exceptions: Vec::new(),
        busy: Vec::new(),
        month_loads: Vec::new(),
        month_capacity_minutes: row.capacity_minutes_month.map(|minutes| cut(i64::from(minutes))),
        year_loads: Vec::new(),
        year_capacity_minutes: row.capacity_minutes_year.map(|minutes| cut(i64::from(minutes))),
        simultaneous: 0,
        simultaneous_capacity: row.capacity_simultaneous.map(|count| cut(i64::from(count))),
        conflict_org_ids: Vec::new(),
        past_visits_with_municipality: 0,
        programme_limit: None,
    }
}

/// Only the skills asked for: others bear on nothing.
fn skills(conn: &mut Conn, pool: PoolId, need: &Need) -> Result<Vec<(ExpertId, CandidateSkill)>, Error> {
    let asked: Vec<SkillItemId> = need.required.iter().map(|skill| SkillItemId(skill.skill_item_id)).collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(ExpertId, SkillItemId, i32, bool)> = expert_skills::table
        .inner_join(experts::table)
        .filter(experts::pool_id.eq(pool))
        .filter(expert_skills::skill_item_id.eq_any(asked))
        .order((expert_skills::expert_id, expert_skills::skill_item_id))
        .select((expert_skills::expert_id, expert_skills::skill_item_id, expert_skills::level, expert_skills::verified))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, item, held, verified)| (id, CandidateSkill { skill_item_id: item.0, level: level(held), verified }))
        .collect())
}

fn weekly(conn: &mut Conn, pool: PoolId) -> Result<Vec<(ExpertId, WeeklyWindow)>, Error> {
    let rows: Vec<(ExpertId, i32, i32, i32)> = expert_weekly_slots::table
        .inner_join(experts::table)
        .filter(experts::pool_id.eq(pool))
        .select(expert_weekly_slots::all_columns)
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, weekday, start, end)| {
            (id, WeeklyWindow { iso_weekday: level(weekday), start_minute: minute(start), end_minute: minute(end) })
        })
        .collect())
}

fn exceptions(conn: &mut Conn, pool: PoolId, span: &Span) -> Result<Vec<ExceptionRow>, Error> {
    Ok(expert_exceptions::table
        .inner_join(experts::table)
        .filter(experts::pool_id.eq(pool))
        .filter(expert_exceptions::first_day.le(span.last))
        .filter(expert_exceptions::last_day.ge(span.first))
        .order((expert_exceptions::expert_id, expert_exceptions::first_day, expert_exceptions::id))
        .select((
            expert_exceptions::expert_id,
            expert_exceptions::kind,
            expert_exceptions::first_day,
            expert_exceptions::last_day,
            expert_exceptions::start_minute,
            expert_exceptions::end_minute,
            expert_exceptions::note,
        ))
        .load(conn)?)
}

/// Leave keeps its period, since it bars undated visits too; the other exceptions only bear on the wished days.
fn add_exception(candidate: &mut Candidate, row: &ExceptionRow, days: &BTreeSet<NaiveDate>) {
    if row.kind == ExceptionKind::Leave {
        candidate.leaves.push((row.first_day, row.last_day));
        return;
    }
    let (start_minute, end_minute) = match (row.start_minute, row.end_minute) {
        (Some(start), Some(end)) => (minute(start), minute(end)),
        _ => (0, MINUTES_PER_DAY),
    };
    let available = row.kind == ExceptionKind::Available;
    for day in days.range(row.first_day..=row.last_day) {
        candidate.exceptions.push(AvailabilityException { day: *day, available, start_minute, end_minute });
    }
}

fn conflicts(conn: &mut Conn, pool: PoolId, span: &Span) -> Result<Vec<(ExpertId, OrganisationId)>, Error> {
    Ok(expert_conflicts::table
        .inner_join(experts::table)
        .filter(experts::pool_id.eq(pool))
        .filter(expert_conflicts::valid_from.le(span.last))
        .filter(expert_conflicts::valid_to.is_null().or(expert_conflicts::valid_to.gt(span.first)))
        .select((expert_conflicts::expert_id, expert_conflicts::organisation_id))
        .distinct()
        .load(conn)?)
}

/// Time held on the wished days. A request that names no day needs none.
fn busy(conn: &mut Conn, pool: PoolId, span: &Span) -> Result<Vec<(ExpertId, BusySlot)>, Error> {
    let (Some(first), Some(last)) = (span.days.first(), span.days.last()) else { return Ok(Vec::new()) };
    let from = UtcTime::from_naive(jst_to_utc(*first, 0));
    let to = UtcTime::from_naive(jst_to_utc(*last, MINUTES_PER_DAY));
    let rows: Vec<(ExpertId, UtcTime, UtcTime)> = visits::table
        .inner_join(experts::table)
        .filter(experts::pool_id.eq(pool))
        .filter(visits::status.eq_any(LOADING))
        .filter(visits::blocked_from.lt(to))
        .filter(visits::blocked_to.gt(from))
        .select((visits::expert_id, visits::blocked_from.assume_not_null(), visits::blocked_to.assume_not_null()))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .flat_map(|(id, from, to)| slots(from, to).into_iter().map(move |slot| (id, slot)))
        .filter(|(_, slot)| span.days.contains(&slot.day))
        .collect())
}

/// A time from one instant to another, cut at each midnight in Japan.
fn slots(from: UtcTime, to: UtcTime) -> Vec<BusySlot> {
    let (first, last) = (jst_day(from.naive()), jst_day(to.naive()));
    first
        .iter_days()
        .take_while(|day| *day <= last)
        .map(|day| BusySlot {
            day,
            start_minute: if day == first { jst_minute(from.naive()) } else { 0 },
            end_minute: if day == last { jst_minute(to.naive()) } else { MINUTES_PER_DAY },
        })
        .filter(|slot| slot.start_minute < slot.end_minute)
        .collect()
}

fn add_load(candidate: &mut Candidate, month: NaiveDate, minutes: i64) {
    let minutes = cut(minutes);
    candidate.month_loads.push(MonthLoad { year: month.year(), month: month.month(), minutes });
    let fiscal_year = FiscalYear::of(month_range(month).0);
    match candidate.year_loads.iter_mut().find(|load| load.fiscal_year == fiscal_year) {
        Some(load) => load.minutes = load.minutes.saturating_add(minutes),
        None => candidate.year_loads.push(YearLoad { fiscal_year, minutes }),
    }
}

/// Engagements going on for each expert, this request not among them.
fn engagements(conn: &mut Conn, pool: PoolId, request: i64) -> Result<HashMap<ExpertId, u32>, Error> {
    let rows: Vec<(ExpertId, Option<RequestId>)> = visits::table
        .inner_join(experts::table)
        .filter(experts::pool_id.eq(pool))
        .filter(visits::status.eq_any(AHEAD))
        .filter(visits::request_id.is_not_null())
        .filter(visits::request_id.ne(RequestId(request)))
        .select((visits::expert_id, visits::request_id))
        .distinct()
        .load(conn)?;
    let mut counts = HashMap::new();
    for (id, _) in rows {
        *counts.entry(id).or_insert(0) += 1;
    }
    Ok(counts)
}

fn past_visits(conn: &mut Conn, pool: PoolId, municipality: OrganisationId) -> Result<Vec<(ExpertId, u32)>, Error> {
    let rows: Vec<(ExpertId, i64)> = visits::table
        .inner_join(experts::table)
        .inner_join(visit_participants::table.on(visit_participants::visit_id.eq(visits::id)))
        .filter(visit_participants::organisation_id.eq(municipality))
        .filter(experts::pool_id.eq(pool))
        .filter(visits::status.eq("done"))
        .group_by(visits::expert_id)
        .select((visits::expert_id, diesel::dsl::count_star()))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, count)| (id, cut(count))).collect())
}

/// How often the same body may have the same expert for the same theme in the year, and how often each expert has been
/// sent already; nothing where the programme has no such rule.
fn limits(conn: &mut Conn, need: &Need) -> Result<Option<(u32, HashMap<ExpertId, u32>)>, Error> {
    let row: Option<(ProgrammeId, i32, String)> = requests::table
        .find(RequestId(need.request_id))
        .select((requests::programme_id, requests::fiscal_year, requests::theme))
        .first(conn)
        .optional()?;
    let Some((programme, year, theme)) = row else { return Ok(None) };
    let Some(rules) = crate::pools::store::year(conn, programme, year)? else { return Ok(None) };
    let limit = rules.rules.limits.iter().find_map(|limit| match limit {
        Limit::SameThemeAndExpert { max_per_year } => Some(*max_per_year),
        _ => None,
    });
    let Some(limit) = limit else { return Ok(None) };
    let rows: Vec<(ExpertId, String)> = dispatch_experts::table
        .inner_join(dispatches::table.inner_join(requests::table))
        .filter(dispatches::programme_id.eq(programme))
        .filter(dispatches::fiscal_year.eq(year))
        .filter(dispatches::applicant_organisation_id.eq(OrganisationId(need.municipality_id)))
        .filter(dispatches::request_id.ne(RequestId(need.request_id)))
        .filter(dispatches::status.ne("cancelled"))
        .filter(dispatch_experts::active.eq(true))
        .select((dispatch_experts::expert_id, requests::theme))
        .load(conn)?;
    let theme = text::fold(&theme);
    let mut used = HashMap::new();
    for (id, _) in rows.into_iter().filter(|(_, other)| text::fold(other) == theme) {
        *used.entry(id).or_insert(0) += 1;
    }
    Ok(Some((cut(i64::from(limit)), used)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_time_is_cut_at_midnight_in_japan() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 5, d).unwrap();
        let at = |d, minute| UtcTime::from_naive(jst_to_utc(day(d), minute));
        let slot = |d, start_minute, end_minute| BusySlot { day: day(d), start_minute, end_minute };
        assert_eq!(slots(at(7, 600), at(7, 720)), [slot(7, 600, 720)]);
        assert_eq!(slots(at(7, 1380), at(8, 60)), [slot(7, 1380, 1440), slot(8, 0, 60)]);
        assert_eq!(slots(at(7, 1380), at(7, 1440)), [slot(7, 1380, 1440)]);
    }

    #[test]
    fn exceptions_are_spread_over_the_wished_days_only() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 5, d).unwrap();
        let row = |kind, minutes: Option<(i32, i32)>| ExceptionRow {
            expert_id: ExpertId(1),
            kind,
            first_day: day(1),
            last_day: day(20),
            start_minute: minutes.map(|m| m.0),
            end_minute: minutes.map(|m| m.1),
            note: String::new(),
        };
        let days = BTreeSet::from([day(7), day(21)]);
        let mut candidate = blank();
        add_exception(&mut candidate, &row(ExceptionKind::Leave, None), &days);
        add_exception(&mut candidate, &row(ExceptionKind::Unavailable, Some((540, 720))), &days);
        add_exception(&mut candidate, &row(ExceptionKind::Available, None), &days);
        assert_eq!(candidate.leaves, [(day(1), day(20))]);
        assert_eq!(
            candidate.exceptions,
            [
                AvailabilityException { day: day(7), available: false, start_minute: 540, end_minute: 720 },
                AvailabilityException { day: day(7), available: true, start_minute: 0, end_minute: 1440 },
            ]
        );
    }

    #[test]
    fn months_add_up_to_their_fiscal_year() {
        let mut candidate = blank();
        for (year, month, minutes) in [(2026, 4, 100), (2027, 3, 200), (2027, 4, 400)] {
            add_load(&mut candidate, NaiveDate::from_ymd_opt(year, month, 1).unwrap(), minutes);
        }
        let years: Vec<(i32, u32)> =
            candidate.year_loads.iter().map(|load| (load.fiscal_year.starting_year(), load.minutes)).collect();
        assert_eq!(years, [(2026, 300), (2027, 400)]);
        assert_eq!(candidate.month_loads.len(), 3);
    }

    fn blank() -> Candidate {
        Candidate {
            expert_id: 1,
            status: CandidateStatus::Registered,
            skills: Vec::new(),
            onsite: true,
            online: true,
            areas: Vec::new(),
            base: None,
            appointed_from: None,
            appointed_to: None,
            leaves: Vec::new(),
            weekly: Vec::new(),
            exceptions: Vec::new(),
            busy: Vec::new(),
            month_loads: Vec::new(),
            month_capacity_minutes: None,
            year_loads: Vec::new(),
            year_capacity_minutes: None,
            simultaneous: 0,
            simultaneous_capacity: None,
            conflict_org_ids: Vec::new(),
            past_visits_with_municipality: 0,
            programme_limit: None,
        }
    }
}
