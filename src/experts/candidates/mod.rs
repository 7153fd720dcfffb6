//! Everything the matching engine has to know about the experts of a pool, for one request or for many, in a bounded number
//! of queries however many there are of either. Decides nothing itself.

mod limits;
mod memory;
mod queries;
mod work;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Datelike as _, Days, NaiveDate};

use limits::Limits;
pub use memory::{Chosen, Memory};
use work::Work;

use super::model::{AffiliationKind, EmployerConsent, ExceptionKind, ExpertStatus, LoadEntry, languages_in};
use super::store::ExceptionRow;
use crate::calendar::{FiscalYear, MINUTES_PER_DAY, jst_day, jst_minute, month_range, week_range};
use crate::clock::UtcTime;
use crate::db::{Conn, Ids};
use crate::error::Error;
use crate::ids::{ExpertId, OrganisationId, PoolId};
use crate::matching::{
    Answers, AvailabilityException, BusySlot, Candidate, CandidateStatus, Consent, MonthLoad, Need, NeedMode, Place, WeekLoad,
    YearDays, YearLoad,
};
use queries::{FactRow, LoadColumns, Query};

/// The experts of a pool with all that bears on some requests. What depends on a request is put in by [`Self::for_need`].
#[derive(Debug)]
pub struct PoolFacts {
    /// By id.
    candidates: Vec<Candidate>,
    /// What each of them has done and has to do, in the same order.
    work: Vec<Work>,
    /// The skills that requests asked for, for which somebody has worked.
    skills_of: HashMap<i64, Vec<i64>>,
    limits: Limits,
}

impl PoolFacts {
    /// Gathers the facts for these requests: of all experts of the pool or, where ids are given, of these alone. Retired experts
    /// are left out, unless an applicant wished for one: then the reason shows.
    ///
    /// # Errors
    /// The database's.
    pub fn load(conn: &mut Conn, pool: PoolId, needs: &[Need], only: Option<&[ExpertId]>) -> Result<Self, Error> {
        let mut facts = Self::within(conn, pool, &Scope::of(needs), only)?;
        facts.limits = Limits::load(conn, needs)?;
        Ok(facts)
    }

    /// Gathers what a scope holds; no limits of programmes.
    fn within(conn: &mut Conn, pool: PoolId, scope: &Scope, only: Option<&[ExpertId]>) -> Result<Self, Error> {
        let query = Query { pool, only: only.map(|ids| Ids::new(conn, ids.iter().map(|id| id.0))) };
        let rows = query.experts(conn, scope.wished.as_deref())?;
        let places = queries::places(conn, &rows.iter().filter_map(|row| row.base_organisation_id).collect())?;
        let mut candidates: Vec<Candidate> = rows.into_iter().map(|row| base(&row, &places)).collect();
        for (id, skill) in query.skills(conn, scope.skills.as_ref())? {
            with(&mut candidates, id, |candidate| candidate.skills.push(skill));
        }
        let mut work = Work::load(conn, &query, scope)?;
        restrain(conn, &query, scope, &mut candidates, &mut work)?;
        let work: Vec<Work> = candidates.iter().map(|candidate| work.remove(&candidate.expert_id).unwrap_or_default()).collect();
        let done: BTreeSet<i64> = work.iter().flat_map(Work::requests).collect();
        let skills_of = queries::skills_of(conn, &done, scope.skills.as_ref())?;
        Ok(Self { candidates, work, skills_of, limits: Limits::default() })
    }

    /// Changes every candidate, for what is only assumed.
    pub fn change(&mut self, change: impl FnMut(&mut Candidate)) {
        self.candidates.iter_mut().for_each(change);
    }

    /// The candidates for one of the requests, by id.
    pub fn for_need(&mut self, need: &Need) -> &[Candidate] {
        let days = wished_days(need);
        for (candidate, work) in self.candidates.iter_mut().zip(&self.work) {
            put(candidate, work, need, &days);
            candidate.programme_limit = self.limits.of(need, candidate.expert_id);
            candidate.learn(work.merits(need, &self.skills_of));
        }
        &self.candidates
    }
}

/// The days that a request names.
fn wished_days(need: &Need) -> BTreeSet<NaiveDate> {
    need.visits.iter().filter_map(|visit| visit.day).collect()
}

/// What depends on the request: engagements for others than this count, and exceptions bear on its days alone.
fn put(candidate: &mut Candidate, work: &Work, need: &Need, days: &BTreeSet<NaiveDate>) {
    candidate.simultaneous = work.engaged_beside(need.request_id);
    candidate.exceptions.clear();
    if !days.is_empty() {
        work.exceptions.iter().for_each(|row| add_exception(candidate, row, days));
    }
}

/// Changes one of some candidates that are in the order of their ids; who is not among them is passed over.
fn with(candidates: &mut [Candidate], id: ExpertId, change: impl FnOnce(&mut Candidate)) {
    let place = candidates.binary_search_by_key(&id.0, |candidate| candidate.expert_id);
    if let Some(candidate) = place.ok().and_then(|place| candidates.get_mut(place)) {
        change(candidate);
    }
}

/// Of what facts are gathered. Nothing chosen is everything.
#[derive(Debug)]
struct Scope {
    /// The days that bear on it.
    span: Span,
    /// Skills.
    skills: Option<BTreeSet<i64>>,
    /// Where experts go: that binds no online work.
    areas: bool,
    /// Bodies with which there may be conflicts.
    bodies: Option<BTreeSet<i64>>,
    /// Municipalities that were visited.
    municipalities: Option<BTreeSet<i64>>,
    /// Retired experts who are to be there.
    wished: Option<Vec<ExpertId>>,
}

impl Scope {
    /// What bears on some requests.
    fn of(needs: &[Need]) -> Self {
        let bodies = needs
            .iter()
            .flat_map(|need| need.conflict_org_ids.iter().copied().chain(need.parent_id).chain([need.municipality_id]))
            .collect();
        Self {
            span: Span::of(needs),
            skills: Some(needs.iter().flat_map(|need| &need.required).map(|skill| skill.skill_item_id).collect()),
            areas: needs.iter().any(|need| need.mode != NeedMode::Online),
            bodies: Some(bodies),
            municipalities: Some(needs.iter().map(|need| need.municipality_id).collect()),
            wished: Some(needs.iter().flat_map(|need| &need.wished_experts).copied().map(ExpertId).collect()),
        }
    }

    /// What bears on any request whose work falls between two days.
    fn whole(first: NaiveDate, last: NaiveDate) -> Self {
        Self {
            span: Span { first, last, days: None },
            skills: None,
            areas: true,
            bodies: None,
            municipalities: None,
            wished: None,
        }
    }
}

/// What can stand in an expert's way beside the registration itself: areas, calendar, conflicts, load. Only what bears on the
/// scope is read: areas bind no online work, and the calendar bears on wished days.
fn restrain(
    conn: &mut Conn,
    query: &Query,
    scope: &Scope,
    candidates: &mut [Candidate],
    work: &mut HashMap<i64, Work>,
) -> Result<(), Error> {
    let span = &scope.span;
    if scope.areas {
        for (id, area) in query.areas(conn)? {
            with(candidates, id, |candidate| candidate.areas.push(area.0));
        }
    }
    if let Some((first, last)) = span.calendar() {
        for (id, window) in query.weekly(conn)? {
            with(candidates, id, |candidate| candidate.weekly.push(window));
        }
        for (id, from, to) in query.busy(conn, (first, last))? {
            let slots = slots(from, to).into_iter().filter(|slot| span.names(slot.day));
            with(candidates, id, |candidate| candidate.busy.extend(slots));
        }
    }
    for row in query.exceptions(conn, (span.first, span.last))? {
        if row.kind == ExceptionKind::Leave {
            with(candidates, row.expert_id, |candidate| candidate.leaves.push((row.first_day, row.last_day)));
        } else {
            work.entry(row.expert_id.0).or_default().exceptions.push(row);
        }
    }
    for (id, conflict) in query.conflicts(conn, scope.bodies.as_ref(), (span.first, span.last))? {
        with(candidates, id, |candidate| candidate.conflicts.push(conflict));
    }
    for (id, load) in loads(query.loads(conn, span.loading())?) {
        with(candidates, id, |candidate| load.put(candidate));
    }
    Ok(())
}

/// The days that bear on requests: their periods widened to all dated visits, and those days themselves.
#[derive(Debug)]
struct Span {
    first: NaiveDate,
    last: NaiveDate,
    /// `None`: any day between.
    days: Option<BTreeSet<NaiveDate>>,
}

impl Span {
    fn of(needs: &[Need]) -> Self {
        let days: BTreeSet<NaiveDate> = needs.iter().flat_map(|need| &need.visits).filter_map(|visit| visit.day).collect();
        let first = needs.iter().map(|need| need.period_from).chain(days.first().copied()).min().unwrap_or_default();
        let last = needs.iter().map(|need| need.period_to).chain(days.last().copied()).max().unwrap_or_default();
        Self { first, last, days: Some(days) }
    }

    /// The first and the last day on which calendars matter; none where no day is named.
    fn calendar(&self) -> Option<(NaiveDate, NaiveDate)> {
        match &self.days {
            Some(days) => days.first().copied().zip(days.last().copied()),
            None => Some((self.first, self.last)),
        }
    }

    /// Whether a day matters.
    fn names(&self, day: NaiveDate) -> bool {
        self.days.as_ref().is_none_or(|days| days.contains(&day))
    }

    /// The days whose load matters: whole fiscal years, and the weeks that go on over their ends.
    fn loading(&self) -> (NaiveDate, NaiveDate) {
        let (from, to) = (FiscalYear::of(self.first).first_day(), FiscalYear::of(self.last).last_day());
        (from.min(week_range(self.first).0), to.max(week_range(self.last).1))
    }
}

pub(super) fn cut(value: i64) -> u32 {
    u32::try_from(value.max(0)).unwrap_or(u32::MAX)
}

pub(super) fn minute(value: i32) -> u16 {
    u16::try_from(value.clamp(0, i32::from(MINUTES_PER_DAY))).unwrap_or(MINUTES_PER_DAY)
}

pub(super) fn level(value: i32) -> u8 {
    u8::try_from(value.clamp(0, 255)).unwrap_or(u8::MAX)
}

fn agreed(value: Option<i32>) -> Option<u32> {
    value.map(|value| cut(i64::from(value)))
}

fn base(row: &FactRow, places: &HashMap<OrganisationId, Place>) -> Candidate {
    Candidate {
        status: match row.status {
            ExpertStatus::Registered => CandidateStatus::Registered,
            ExpertStatus::Suspended => CandidateStatus::Suspended,
            ExpertStatus::Retired => CandidateStatus::NotRegistered,
        },
        onsite: row.onsite,
        online: row.online,
        base: row.base_organisation_id.and_then(|body| places.get(&body)).copied(),
        appointed_from: Some(row.appointed_from),
        // The engine counts the last day in, the registration names the day after it.
        appointed_to: row.appointed_to.map(|end| end.checked_sub_days(Days::new(1)).unwrap_or(end)),
        month_capacity_minutes: agreed(row.capacity_minutes_month),
        year_capacity_minutes: agreed(row.capacity_minutes_year),
        simultaneous_capacity: agreed(row.capacity_simultaneous),
        week_capacity_minutes: agreed(row.capacity_minutes_week),
        year_capacity_days: agreed(row.capacity_days_year),
        languages: languages_in(&row.languages),
        serves_islands: row.serves_islands,
        consent: match row.employer_consent {
            EmployerConsent::NotNeeded => Consent::NotNeeded,
            EmployerConsent::Pending => Consent::Pending,
            EmployerConsent::Given => Consent::Given(row.employer_consent_until),
        },
        own_body: (row.affiliation_kind == AffiliationKind::PublicOfficial)
            .then_some(row.base_organisation_id)
            .flatten()
            .map(|body| body.0),
        ..unhindered(row.id)
    }
}

/// An expert with whose registration nothing is in the way of anything.
fn unhindered(id: ExpertId) -> Candidate {
    Candidate {
        expert_id: id.0,
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
        week_loads: Vec::new(),
        week_capacity_minutes: None,
        year_days: Vec::new(),
        year_capacity_days: None,
        languages: Vec::new(),
        serves_islands: true,
        consent: Consent::NotNeeded,
        own_body: None,
        conflicts: Vec::new(),
        evidence_visits: 0,
        answers: Answers::default(),
        past_visits_with_municipality: 0,
        programme_limit: None,
    }
}

/// An exception other than leave, on the wished days; leave keeps its period, since it bars undated visits too.
fn add_exception(candidate: &mut Candidate, row: &ExceptionRow, days: &BTreeSet<NaiveDate>) {
    let (start_minute, end_minute) = match (row.start_minute, row.end_minute) {
        (Some(start), Some(end)) => (minute(start), minute(end)),
        _ => (0, MINUTES_PER_DAY),
    };
    let available = row.kind == ExceptionKind::Available;
    for day in days.range(row.first_day..=row.last_day) {
        candidate.exceptions.push(AvailabilityException { day: *day, available, start_minute, end_minute });
    }
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

/// What one expert has to do, by month, week and fiscal year.
#[derive(Debug, Default, PartialEq, Eq)]
struct Load {
    months: BTreeMap<(i32, u32), u32>,
    weeks: BTreeMap<NaiveDate, u32>,
    years: BTreeMap<FiscalYear, u32>,
    days: BTreeMap<FiscalYear, BTreeSet<NaiveDate>>,
    undated: BTreeMap<FiscalYear, u32>,
}

impl Load {
    /// A visit without date loads the month and the year in which it is wished, and no week.
    fn add(&mut self, load_day: NaiveDate, dated: bool, minutes: u32) {
        let month = month_range(load_day).0;
        let year = FiscalYear::of(load_day);
        let add = |sum: &mut u32| *sum = sum.saturating_add(minutes);
        add(self.months.entry((month.year(), month.month())).or_insert(0));
        add(self.years.entry(year).or_insert(0));
        if dated {
            add(self.weeks.entry(week_range(load_day).0).or_insert(0));
            self.days.entry(year).or_default().insert(load_day);
        } else {
            *self.undated.entry(year).or_insert(0) += 1;
        }
    }

    fn put(&self, candidate: &mut Candidate) {
        candidate.month_loads.extend(self.months.iter().map(|((year, month), minutes)| MonthLoad {
            year: *year,
            month: *month,
            minutes: *minutes,
        }));
        candidate.week_loads.extend(self.weeks.iter().map(|(monday, minutes)| WeekLoad { monday: *monday, minutes: *minutes }));
        candidate.year_loads.extend(self.years.iter().map(|(year, minutes)| YearLoad { fiscal_year: *year, minutes: *minutes }));
        candidate.year_days.extend(self.years.keys().map(|year| {
            let dated = self.days.get(year).map_or(0, |days| u32::try_from(days.len()).unwrap_or(u32::MAX));
            YearDays { fiscal_year: *year, days: dated.saturating_add(self.undated.get(year).copied().unwrap_or(0)) }
        }));
    }
}

/// Adds visits to a candidate's load. A day on which there is a visit already counts once more.
pub fn weigh(candidate: &mut Candidate, visits: impl Iterator<Item = LoadEntry>) {
    let mut load = Load::default();
    for visit in visits {
        load.add(visit.load_day, visit.dated, cut(visit.minutes));
    }
    load.put(candidate);
}

/// Adds time held, from one instant to another, to a candidate's calendar.
pub fn hold(candidate: &mut Candidate, held: impl Iterator<Item = (UtcTime, UtcTime)>) {
    candidate.busy.extend(held.flat_map(|(from, to)| slots(from, to)));
}

fn loads(rows: Vec<LoadColumns>) -> HashMap<ExpertId, Load> {
    let mut loads: HashMap<ExpertId, Load> = HashMap::new();
    for (id, load_day, dated, minutes) in rows {
        loads.entry(id).or_default().add(load_day.into(), dated, cut(i64::from(minutes)));
    }
    loads
}

#[cfg(test)]
mod tests;
