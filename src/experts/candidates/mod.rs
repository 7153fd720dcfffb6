//! Everything the matching engine has to know about the experts of a pool, for one request or for many, in a bounded number
//! of queries however many there are of either. Decides nothing itself.

mod look;
mod merits;
mod queries;
mod screen;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Datelike as _, Days, NaiveDate};

pub use look::{eligible, look, merits};
use merits::Record;
pub use screen::Screened;

use super::model::{AffiliationKind, EmployerConsent, ExceptionKind, ExpertStatus, languages_in};
use super::store::ExceptionRow;
use crate::calendar::{FiscalYear, MINUTES_PER_DAY, jst_day, jst_minute, month_range, week_range};
use crate::clock::UtcTime;
use crate::db::{Conn, Ids};
use crate::error::Error;
use crate::ids::{ExpertId, OrganisationId, PoolId, ProgrammeId, RequestId};
use crate::matching::{
    Answers, AvailabilityException, BusySlot, Candidate, CandidateStatus, Consent, MonthLoad, Need, NeedMode, Place,
    ProgrammeLimit, WeekLoad, YearDays, YearLoad,
};
use queries::{FactRow, LoadColumns, Query};

/// The experts of a pool with all that bears on some requests. What depends on a request is put in by [`Self::for_need`].
#[derive(Debug)]
pub struct PoolFacts {
    candidates: Vec<Candidate>,
    engagements: Engagements,
    record: Record,
    limits: Limits,
}

impl PoolFacts {
    /// Gathers the facts for these requests: of all experts of the pool or, where ids are given, of these alone. Retired experts
    /// are left out, unless an applicant wished for one: then the reason shows.
    ///
    /// # Errors
    /// The database's.
    pub fn load(conn: &mut Conn, pool: PoolId, needs: &[Need], only: Option<&[ExpertId]>) -> Result<Self, Error> {
        let query = Query { pool, only: only.map(|ids| Ids::new(conn, ids.iter().map(|id| id.0))) };
        let wished: Vec<ExpertId> = needs.iter().flat_map(|need| &need.wished_experts).copied().map(ExpertId).collect();
        let rows = query.experts(conn, &wished)?;
        let places = queries::places(conn, &rows.iter().filter_map(|row| row.base_organisation_id).collect())?;
        let mut candidates: Vec<Candidate> = rows.into_iter().map(|row| base(&row, &places)).collect();
        let asked: BTreeSet<i64> = needs.iter().flat_map(|need| &need.required).map(|skill| skill.skill_item_id).collect();
        for (id, skill) in query.skills(conn, &asked)? {
            with(&mut candidates, id, |candidate| candidate.skills.push(skill));
        }
        restrain(conn, &query, needs, &mut candidates)?;
        Ok(Self {
            candidates,
            engagements: Engagements::load(conn, &query)?,
            record: Record::load(conn, &query, needs)?,
            limits: Limits::load(conn, needs)?,
        })
    }

    /// Changes every candidate, for what is only assumed.
    pub fn change(&mut self, change: impl FnMut(&mut Candidate)) {
        self.candidates.iter_mut().for_each(change);
    }

    /// The candidates for one of the requests, by id.
    pub fn for_need(&mut self, need: &Need) -> &[Candidate] {
        self.engagements.put(need, &mut self.candidates);
        self.limits.put(need, &mut self.candidates);
        let merits = self.record.of(need);
        for candidate in &mut self.candidates {
            candidate.learn(merits.get(&candidate.expert_id).copied().unwrap_or_default());
        }
        &self.candidates
    }
}

/// Changes one of some candidates that are in the order of their ids; who is not among them is passed over.
fn with(candidates: &mut [Candidate], id: ExpertId, change: impl FnOnce(&mut Candidate)) {
    let place = candidates.binary_search_by_key(&id.0, |candidate| candidate.expert_id);
    if let Some(candidate) = place.ok().and_then(|place| candidates.get_mut(place)) {
        change(candidate);
    }
}

/// What can stand in an expert's way beside the registration itself: areas, calendar, conflicts, load. Only what bears on the
/// requests is read: areas bind no online work, and the calendar bears on wished days.
fn restrain(conn: &mut Conn, query: &Query, needs: &[Need], candidates: &mut [Candidate]) -> Result<(), Error> {
    let span = Span::of(needs);
    if needs.iter().any(|need| need.mode != NeedMode::Online) {
        for (id, area) in query.areas(conn)? {
            with(candidates, id, |candidate| candidate.areas.push(area.0));
        }
    }
    if !span.days.is_empty() {
        for (id, window) in query.weekly(conn)? {
            with(candidates, id, |candidate| candidate.weekly.push(window));
        }
        for (id, from, to) in query.busy(conn, &span.days)? {
            let slots = slots(from, to).into_iter().filter(|slot| span.days.contains(&slot.day));
            with(candidates, id, |candidate| candidate.busy.extend(slots));
        }
    }
    for row in query.exceptions(conn, (span.first, span.last))? {
        with(candidates, row.expert_id, |candidate| add_exception(candidate, &row, &span.days));
    }
    let bodies =
        needs.iter().flat_map(|need| need.conflict_org_ids.iter().copied().chain(need.parent_id).chain([need.municipality_id]));
    for (id, conflict) in query.conflicts(conn, &bodies.collect(), (span.first, span.last))? {
        with(candidates, id, |candidate| candidate.conflicts.push(conflict));
    }
    for (id, load) in loads(query.loads(conn, span.loading())?) {
        with(candidates, id, |candidate| load.put(candidate));
    }
    Ok(())
}

/// For each expert the requests with visits ahead.
#[derive(Debug, Default)]
struct Engagements(HashMap<i64, BTreeSet<i64>>);

impl Engagements {
    fn load(conn: &mut Conn, query: &Query) -> Result<Self, Error> {
        let mut found = Self::default();
        for (id, request) in query.engagements(conn)? {
            found.0.entry(id.0).or_default().insert(request.0);
        }
        Ok(found)
    }

    /// Those for other requests than this count.
    fn put(&self, need: &Need, candidates: &mut [Candidate]) {
        for candidate in candidates {
            let going_on = self.0.get(&candidate.expert_id);
            let own = going_on.is_some_and(|requests| requests.contains(&need.request_id));
            let count = going_on.map_or(0, BTreeSet::len) - usize::from(own);
            candidate.simultaneous = u32::try_from(count).unwrap_or(u32::MAX);
        }
    }
}

/// The days that bear on requests: their periods widened to all dated visits, and those days themselves.
struct Span {
    first: NaiveDate,
    last: NaiveDate,
    days: BTreeSet<NaiveDate>,
}

impl Span {
    fn of(needs: &[Need]) -> Self {
        let days: BTreeSet<NaiveDate> = needs.iter().flat_map(|need| &need.visits).filter_map(|visit| visit.day).collect();
        let first = needs.iter().map(|need| need.period_from).chain(days.first().copied()).min().unwrap_or_default();
        let last = needs.iter().map(|need| need.period_to).chain(days.last().copied()).max().unwrap_or_default();
        Self { first, last, days }
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

fn loads(rows: Vec<LoadColumns>) -> HashMap<ExpertId, Load> {
    let mut loads: HashMap<ExpertId, Load> = HashMap::new();
    for (id, load_day, dated, minutes) in rows {
        loads.entry(id).or_default().add(load_day.into(), dated, cut(i64::from(minutes)));
    }
    loads
}

/// The programmes' limits for one expert and one body, where they have one; by request.
#[derive(Debug)]
struct Limits(HashMap<i64, Limit>);

/// The programme's limit for a request: how often the same body may have the same expert for the same theme in the year, and how
/// often each expert has been sent already.
#[derive(Debug)]
struct Limit {
    most: u32,
    used: HashMap<i64, u32>,
}

impl Limits {
    fn load(conn: &mut Conn, needs: &[Need]) -> Result<Self, Error> {
        let ids: Vec<RequestId> = needs.iter().map(|need| RequestId(need.request_id)).collect();
        let requests = queries::themes(conn, &ids)?;
        let mut wanted: Vec<(ProgrammeId, i32)> = requests.iter().map(|request| (request.programme, request.year)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut most: HashMap<(ProgrammeId, i32), u32> = HashMap::new();
        for year in crate::pools::store::years_of(conn, &wanted)? {
            let limit = year.rules.limits.iter().find_map(|limit| match limit {
                crate::pools::rules::Limit::SameThemeAndExpert { max_per_year } => Some(*max_per_year),
                _ => None,
            });
            if let Some(limit) = limit {
                most.insert((year.programme_id, year.fiscal_year), cut(i64::from(limit)));
            }
        }
        let mut found = HashMap::new();
        if most.is_empty() {
            return Ok(Self(found));
        }
        let keys: Vec<(ProgrammeId, i32)> = most.keys().copied().collect();
        let sent = queries::sent(conn, &keys, requests.iter().map(|request| request.applicant))?;
        for request in requests {
            let Some(most) = most.get(&(request.programme, request.year)) else { continue };
            let mut used: HashMap<i64, u32> = HashMap::new();
            let alike = sent.iter().filter(|other| {
                (other.programme, other.year, other.applicant) == (request.programme, request.year, request.applicant)
                    && other.theme_key == request.theme_key
                    && other.request != request.request
            });
            for other in alike {
                *used.entry(other.expert.0).or_insert(0) += 1;
            }
            found.insert(request.request.0, Limit { most: *most, used });
        }
        Ok(Self(found))
    }

    fn put(&self, need: &Need, candidates: &mut [Candidate]) {
        let limit = self.0.get(&need.request_id);
        for candidate in candidates {
            candidate.programme_limit = limit.map(|limit| ProgrammeLimit {
                used: limit.used.get(&candidate.expert_id).copied().unwrap_or(0),
                limit: limit.most,
            });
        }
    }
}

#[cfg(test)]
mod tests;
