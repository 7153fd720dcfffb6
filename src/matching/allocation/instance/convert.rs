//! From an instance to the problem the engine plans.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::errors::{InstanceError, Mistakes};
use super::overlap::{Timed, close, groups};
use super::{DAY, Instance, InstanceEdge, InstanceExpert, InstanceRequest, look};
use crate::matching::allocation::problem::{Body, Expert, Level, Limit, LimitKind, Pair, Problem, ProblemError, Request};

/// An instance as the engine takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// The problem, in order: the order of the instance's lists does not show.
    pub problem: Problem,
    /// Edges that can never be chosen, by request, expert and team.
    pub dropped: Vec<DroppedEdge>,
}

/// Why an edge can never be chosen. Of several reasons for one member the first in this order is named, of several members the
/// one with the smallest id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// Two visits of the request that a member comes to overlap.
    OwnVisitsOverlap,
    /// A visit, with its buffer, overlaps time already held.
    Busy,
    /// The visits of a day are longer than what the time already held leaves of it.
    DayFull,
    /// The visits are longer than what is left of a capacity.
    Capacity,
    /// The visits take more days than are left.
    Days,
    /// A member has taken as many requests of the series as it allows.
    Series,
    /// It costs more than is left of the budget.
    Budget,
}

impl DropReason {
    /// The code as documents spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnVisitsOverlap => "own_visits_overlap",
            Self::Busy => "busy",
            Self::DayFull => "day_full",
            Self::Capacity => "capacity",
            Self::Days => "days",
            Self::Series => "series",
            Self::Budget => "budget",
        }
    }
}

/// An edge that can never be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DroppedEdge {
    /// The request.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub request: i64,
    /// The expert.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub expert: i64,
    /// The team; absent or 0: the expert alone.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    #[schema(minimum = 0, maximum = 4_294_967_295_u32, default = 0)]
    pub team: u32,
    /// Why.
    pub reason: DropReason,
    /// Whose time it is about; absent with a budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub member: Option<i64>,
}

impl Instance {
    /// The problem of this instance.
    ///
    /// # Errors
    /// Every mistake there is.
    pub fn problem(&self) -> Result<Problem, Vec<InstanceError>> {
        self.convert().map(|conversion| conversion.problem)
    }

    /// The problem of this instance, and the edges that were left out because they can never be chosen.
    ///
    /// # Errors
    /// Every mistake there is.
    pub fn convert(&self) -> Result<Conversion, Vec<InstanceError>> {
        let mut mistakes = Mistakes::default();
        look::look(self, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(mistakes.into_vec());
        }
        let facts = Facts::new(self);
        let mut dropped = Vec::new();
        let mut chosen = Vec::with_capacity(self.edges.len());
        for (at, edge) in self.edges.iter().enumerate() {
            match facts.impossible(edge) {
                Some((reason, member)) => {
                    dropped.push(DroppedEdge { request: edge.request, expert: edge.expert, team: edge.team, reason, member })
                }
                None => chosen.push(at),
            }
        }
        dropped.sort_unstable();
        let order = match self.objective.order.as_slice() {
            [] => Level::CHOSEN.to_vec(),
            order => order.to_vec(),
        };
        let problem = Problem {
            bodies: self.bodies.iter().map(body).collect(),
            experts: self.experts.iter().map(|one| Expert { id: one.id, load: one.load, places: one.places }).collect(),
            requests: self.requests.iter().map(|one| Request { id: one.id, body: one.body }).collect(),
            pairs: chosen.iter().map(|at| pair(&self.edges[*at])).collect(),
            limits: facts.limits(&chosen),
            band: self.objective.band_points,
            order,
        };
        match problem.normalised() {
            Ok(problem) => Ok(Conversion { problem, dropped }),
            Err(error) => Err(vec![not_a_problem(&error)]),
        }
    }
}

/// [`look`] leaves nothing for the engine to refuse; should it do so all the same, that is said and not hidden.
fn not_a_problem(error: &ProblemError) -> InstanceError {
    InstanceError {
        pointer: String::new(),
        code: "problem",
        ja: format!("計算できる形になりません（{error:?}）"),
        en: format!("the engine refuses it ({error:?})"),
    }
}

fn body(one: &super::InstanceBody) -> Body {
    Body { id: one.id, served: one.served, never_served: one.never_served, small: one.small }
}

fn pair(edge: &InstanceEdge) -> Pair {
    Pair {
        request: edge.request,
        expert: edge.expert,
        team: edge.team,
        others: edge.others.clone(),
        score: edge.score,
        kilometres: edge.kilometres,
        kept: edge.kept,
    }
}

/// The instance, looked up by id, and the time that is held, by day.
struct Facts<'a> {
    instance: &'a Instance,
    requests: BTreeMap<i64, &'a InstanceRequest>,
    experts: BTreeMap<i64, &'a InstanceExpert>,
    budgets: BTreeMap<i64, i64>,
    series: BTreeMap<i64, i64>,
    /// By expert and day: stretches of time held, in order and apart, in minutes counted over all days.
    held: BTreeMap<(i64, NaiveDate), Vec<(i64, i64)>>,
}

/// Minutes before a day, counted over all days.
fn before(day: NaiveDate) -> i64 {
    i64::from(day.num_days_from_ce()) * i64::from(DAY)
}

impl<'a> Facts<'a> {
    fn new(instance: &'a Instance) -> Self {
        let mut held: BTreeMap<(i64, NaiveDate), Vec<(i64, i64)>> = BTreeMap::new();
        for expert in &instance.experts {
            for busy in &expert.busy {
                let at = |minute: u32| before(busy.day) + i64::from(minute);
                held.entry((expert.id, busy.day)).or_default().push((at(busy.start_minute), at(busy.end_minute)));
            }
        }
        for stretches in held.values_mut() {
            stretches.sort_unstable();
            let mut apart: Vec<(i64, i64)> = Vec::with_capacity(stretches.len());
            for (start, end) in stretches.iter().copied() {
                match apart.last_mut() {
                    Some(last) if start <= last.1 => last.1 = last.1.max(end),
                    _ => apart.push((start, end)),
                }
            }
            *stretches = apart;
        }
        Self {
            instance,
            requests: instance.requests.iter().map(|request| (request.id, request)).collect(),
            experts: instance.experts.iter().map(|expert| (expert.id, expert)).collect(),
            budgets: instance.budgets.iter().map(|budget| (budget.id, yen(budget.yen))).collect(),
            series: instance.series.iter().map(|series| (series.id, i64::from(series.most))).collect(),
            held,
        }
    }

    fn held(&self, expert: i64, day: NaiveDate) -> &[(i64, i64)] {
        self.held.get(&(expert, day)).map_or(&[], Vec::as_slice)
    }

    /// How many requests of a series an expert can still take.
    fn left_of_series(&self, expert: &InstanceExpert, series: i64) -> i64 {
        let before = expert.taken.iter().find(|before| before.series == series).map_or(0, |before| i64::from(before.requests));
        (self.series.get(&series).copied().unwrap_or(0) - before).max(0)
    }

    /// Minutes of a day that are not held.
    fn left_of(&self, expert: i64, day: NaiveDate) -> i64 {
        i64::from(DAY) - self.held(expert, day).iter().map(|(start, end)| end - start).sum::<i64>()
    }

    fn impossible(&self, edge: &InstanceEdge) -> Option<(DropReason, Option<i64>)> {
        let members = edge.members().enumerate().filter_map(|(place, member)| {
            let part = Part { facts: self, edge, request: self.requests.get(&edge.request)?, member, place };
            part.impossible().map(|reason| (member, reason))
        });
        if let Some((member, reason)) = members.min() {
            return Some((reason, Some(member)));
        }
        let cost = yen(edge.cost_yen.unwrap_or(0));
        let beyond = edge.budgets.iter().filter_map(|budget| self.budgets.get(budget)).any(|left| cost > *left);
        beyond.then_some((DropReason::Budget, None))
    }

    /// The limits of the edges that can be chosen.
    fn limits(&self, chosen: &[usize]) -> Vec<Limit> {
        let mut parts: BTreeMap<i64, Vec<(usize, Part<'_>)>> = BTreeMap::new();
        let mut draws: BTreeMap<i64, Vec<(usize, i64)>> = BTreeMap::new();
        for at in chosen {
            let edge = &self.instance.edges[*at];
            let Some(request) = self.requests.get(&edge.request) else { continue };
            for (place, member) in edge.members().enumerate() {
                parts.entry(member).or_default().push((*at, Part { facts: self, edge, request, member, place }));
            }
            for budget in &edge.budgets {
                draws.entry(*budget).or_default().push((*at, yen(edge.cost_yen.unwrap_or(0))));
            }
        }
        let mut limits = Vec::new();
        for (budget, draws) in draws {
            self.limit(&mut limits, LimitKind::Budget, self.budgets.get(&budget).copied().unwrap_or(0), draws);
        }
        for (member, parts) in parts {
            let Some(expert) = self.experts.get(&member) else { continue };
            for left in &expert.capacities {
                let uses = parts.iter().map(|(at, part)| (*at, part.minutes_between(left.from, left.to))).collect();
                self.limit(&mut limits, LimitKind::Minutes, i64::from(left.minutes), uses);
            }
            for left in &expert.days {
                let uses = parts.iter().map(|(at, part)| (*at, part.days_between(left.from, left.to))).collect();
                self.limit(&mut limits, LimitKind::Days, i64::from(left.days), uses);
            }
            let mut alike: BTreeMap<i64, Vec<(usize, i64)>> = BTreeMap::new();
            for (at, part) in &parts {
                if let Some(series) = part.request.series {
                    alike.entry(series).or_default().push((*at, 1));
                }
            }
            for (series, uses) in alike {
                self.limit(&mut limits, LimitKind::Series, self.left_of_series(expert, series), uses);
            }
            let mut by_day: BTreeMap<NaiveDate, (bool, Vec<(usize, i64)>)> = BTreeMap::new();
            let mut timed = Vec::new();
            for (at, part) in &parts {
                for (day, minutes) in part.minutes_of_days() {
                    by_day.entry(day).or_default().1.push((*at, minutes));
                }
                for day in part.days_without_start() {
                    by_day.entry(day).or_default().0 = true;
                }
                timed.extend(part.timed().map(|(start, end)| Timed {
                    edge: *at,
                    request: part.request.id,
                    start,
                    end,
                    buffer: i64::from(part.request.buffer_minutes),
                }));
            }
            for (day, (_, uses)) in by_day.into_iter().filter(|(_, (open, _))| *open) {
                // Where all visits have a start, those that do not overlap fit into the day.
                self.limit(&mut limits, LimitKind::Time, self.left_of(member, day), uses);
            }
            for group in groups(&timed) {
                self.limit(&mut limits, LimitKind::Time, 1, group.into_iter().map(|at| (at, 1)).collect());
            }
        }
        limits
    }

    fn limit(&self, limits: &mut Vec<Limit>, kind: LimitKind, capacity: i64, mut uses: Vec<(usize, i64)>) {
        uses.retain(|(_, amount)| *amount > 0);
        // What all edges together keep is no limit, and most are none: they need not be remembered.
        if uses.iter().map(|(_, amount)| i128::from(*amount)).sum::<i128>() > i128::from(capacity) {
            let key = |at: usize| self.instance.edges[at].key();
            limits.push(Limit { kind, capacity, uses: uses.into_iter().map(|(at, amount)| (key(at), amount)).collect() });
        }
    }
}

/// What an edge asks of one of its members.
struct Part<'a> {
    facts: &'a Facts<'a>,
    edge: &'a InstanceEdge,
    request: &'a InstanceRequest,
    member: i64,
    /// Which of the members, the lead being 0.
    place: usize,
}

impl Part<'_> {
    fn visits(&self) -> impl Iterator<Item = (&super::InstanceVisit, u32)> {
        self.edge.visits_of(self.request, self.place)
    }

    /// Minutes of the visits that certainly fall between two days.
    fn minutes_between(&self, from: NaiveDate, to: NaiveDate) -> i64 {
        let (first, last) = (self.request.period_from, self.request.period_to);
        let falls = |day: Option<NaiveDate>| day.map_or(from <= first && last <= to, |day| from <= day && day <= to);
        self.visits().filter(|(visit, _)| falls(visit.day)).map(|(_, minutes)| i64::from(minutes)).sum()
    }

    /// Distinct days of visits between two days, a visit without one as a day of its own where it certainly falls between them.
    fn days_between(&self, from: NaiveDate, to: NaiveDate) -> i64 {
        let mut days: Vec<NaiveDate> =
            self.visits().filter_map(|(visit, _)| visit.day).filter(|day| from <= *day && *day <= to).collect();
        days.sort_unstable();
        days.dedup();
        let certain = from <= self.request.period_from && self.request.period_to <= to;
        let undated = self.visits().filter(|(visit, _)| certain && visit.day.is_none()).count();
        i64::try_from(days.len() + undated).unwrap_or(i64::MAX)
    }

    /// Minutes the visits hold of each day.
    fn minutes_of_days(&self) -> BTreeMap<NaiveDate, i64> {
        let mut days = BTreeMap::new();
        for (day, minutes) in self.visits().filter_map(|(visit, _)| visit.day.map(|day| (day, visit.minutes))) {
            *days.entry(day).or_insert(0) += i64::from(minutes);
        }
        days
    }

    /// Days with a visit that has no start.
    fn days_without_start(&self) -> impl Iterator<Item = NaiveDate> {
        let open = self.visits().filter(|(visit, _)| visit.start_minute.is_none() && visit.minutes > 0);
        open.filter_map(|(visit, _)| visit.day)
    }

    /// The visits with a start, in minutes counted over all days.
    fn timed(&self) -> impl Iterator<Item = (i64, i64)> {
        self.visits().filter(|(visit, _)| visit.minutes > 0).filter_map(|(visit, _)| {
            let start = before(visit.day?) + i64::from(visit.start_minute?);
            Some((start, start + i64::from(visit.minutes)))
        })
    }

    fn impossible(&self) -> Option<DropReason> {
        let mut timed: Vec<(i64, i64)> = self.timed().collect();
        timed.sort_unstable();
        if timed.windows(2).any(|two| close(two[0], two[1], 0)) {
            return Some(DropReason::OwnVisitsOverlap);
        }
        if self.overlaps_held() {
            return Some(DropReason::Busy);
        }
        if self.minutes_of_days().iter().any(|(day, minutes)| *minutes > self.facts.left_of(self.member, *day)) {
            return Some(DropReason::DayFull);
        }
        let expert = self.facts.experts.get(&self.member)?;
        if expert.capacities.iter().any(|left| self.minutes_between(left.from, left.to) > i64::from(left.minutes)) {
            return Some(DropReason::Capacity);
        }
        let too_long = expert.days.iter().any(|left| self.days_between(left.from, left.to) > i64::from(left.days));
        if too_long {
            return Some(DropReason::Days);
        }
        let full = self.request.series.is_some_and(|series| self.facts.left_of_series(expert, series) < 1);
        full.then_some(DropReason::Series)
    }

    fn overlaps_held(&self) -> bool {
        let buffer = i64::from(self.request.buffer_minutes);
        let timed = self.visits().filter(|(visit, _)| visit.minutes > 0).filter_map(|(visit, _)| {
            let (day, start) = (visit.day?, visit.start_minute?);
            let start = before(day) + i64::from(start);
            Some((day, (start, start + i64::from(visit.minutes))))
        });
        // A buffer reaches into the days beside at most.
        timed.into_iter().any(|(day, stretch)| {
            let days = [day.pred_opt(), Some(day), day.succ_opt()].into_iter().flatten();
            days.into_iter().any(|day| self.facts.held(self.member, day).iter().any(|held| close(*held, stretch, buffer)))
        })
    }
}

/// Yen, which are at most 10^12 once looked at.
fn yen(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

/// SHA-256 of the problem's JSON in hexadecimal: the same for all instances that ask the same, whatever their order and names.
pub fn problem_sha256(problem: &Problem) -> String {
    struct Hashing(Sha256);
    impl Write for Hashing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashing = Hashing(Sha256::new());
    // Neither the hash nor plain structs can fail to be written.
    if serde_json::to_writer(&mut hashing, problem).is_err() {
        return String::new();
    }
    hashing.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
