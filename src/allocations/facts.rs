//! The facts of a run: open requests, who may take them with which score, places, calendars and limits.

use std::collections::BTreeMap;

use super::store;
use super::views::AllocationOptions;
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::{ExpertId, PoolId};
use crate::matching::allocation::problem::{Body, Expert, Limit, Pair, Problem, Request};
use crate::matching::{self, Candidate, ExclusionCount, Need, NeedMode, distance_metres};
use crate::requests::store::RequestRow;

/// What a run looks at.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The problem, in order.
    pub problem: Problem,
    /// The requests.
    pub requests: BTreeMap<i64, RequestRow>,
    /// Versions of the experts.
    pub expert_versions: BTreeMap<i64, i64>,
    /// Why experts cannot take a request, by request.
    pub exclusions: BTreeMap<i64, Vec<ExclusionCount>>,
    /// Requests whose experts were all closed by hand.
    pub forbidden: Vec<i64>,
}

/// Gathers the facts.
///
/// # Errors
/// An internal error where they contradict each other.
pub fn load(conn: &mut Conn, ctx: &Ctx, pool: PoolId, options: &AllocationOptions) -> Result<Facts, Error> {
    let rows = store::open_requests(conn, pool, &options.programme_ids)?;
    let mut facts = Facts {
        problem: Problem { band: options.band_points, order: options.order(), ..Problem::default() },
        requests: BTreeMap::new(),
        expert_versions: BTreeMap::new(),
        exclusions: BTreeMap::new(),
        forbidden: Vec::new(),
    };
    let open_offers: BTreeMap<i64, i64> =
        store::open_offers(conn, pool)?.into_iter().map(|(expert, count)| (expert.0, count)).collect();
    let mut takers: BTreeMap<i64, Taker> = BTreeMap::new();
    for row in rows {
        let id = row.id.0;
        let need = crate::requests::service::need_of(conn, &row)?;
        let candidates = crate::experts::candidates::load(conn, pool, &need)?;
        let ranking = matching::rank(&need, &candidates);
        let by_id: BTreeMap<i64, &Candidate> = candidates.iter().map(|one| (one.expert_id, one)).collect();
        let mut eligible = 0;
        for ranked in &ranking.candidates {
            eligible += 1;
            let expert = ranked.expert_id;
            if options.forbids(id, expert) {
                continue;
            }
            let Some(candidate) = by_id.get(&expert) else { continue };
            let kilometres = match (candidate.base, need.site) {
                (Some(base), Some(site)) if need.mode != NeedMode::Online => distance_metres(base, site) / 1_000,
                _ => 0,
            };
            facts.problem.pairs.push(Pair {
                request: id,
                expert,
                score: ranked.score,
                kilometres,
                kept: options.pins(id, expert),
            });
            takers.entry(expert).or_insert_with(|| Taker::new(candidate)).requests.push((id, need.clone()));
        }
        if eligible > 0 && !facts.problem.pairs.iter().any(|pair| pair.request == id) {
            facts.forbidden.push(id);
        }
        facts.exclusions.insert(id, ranking.exclusion_count_rows());
        facts.problem.requests.push(Request { id, body: row.applicant_organisation_id.0 });
        facts.requests.insert(id, row);
    }
    bodies(conn, ctx, pool, options, &mut facts)?;
    let ids: Vec<ExpertId> = takers.keys().copied().map(ExpertId).collect();
    for row in crate::experts::store::find_many(conn, &ids)? {
        facts.expert_versions.insert(row.id.0, row.version);
    }
    for (id, taker) in takers {
        let asked = u32::try_from(open_offers.get(&id).copied().unwrap_or(0)).unwrap_or(u32::MAX);
        let own = u32::try_from(taker.requests.len()).unwrap_or(u32::MAX);
        let places = match options.places(id) {
            Some(places) => places,
            None => taker.places.map_or(own, |places| places.saturating_sub(asked)),
        };
        facts.problem.experts.push(Expert { id, load: taker.load.saturating_add(asked), places });
        facts.problem.limits.extend(taker.limits(id));
    }
    facts.problem = facts.problem.normalised().map_err(|problem| Error::internal(format!("{problem:?}")))?;
    Ok(facts)
}

fn bodies(conn: &mut Conn, ctx: &Ctx, pool: PoolId, options: &AllocationOptions, facts: &mut Facts) -> Result<(), Error> {
    let mut ids: Vec<_> = facts.requests.values().map(|row| row.applicant_organisation_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let year = FiscalYear::of(ctx.today()).starting_year();
    let served = store::served(conn, pool)?;
    let people = match options.small_population {
        Some(_) => crate::organisations::store::populations_on(conn, &ids, ctx.today())?,
        None => Vec::new(),
    };
    for id in ids {
        let of_body = || served.iter().filter(|(body, ..)| *body == id);
        let this_year: i64 = of_body().filter(|(_, of, _)| *of == year).map(|(.., count)| count).sum();
        let population = people.iter().find(|figure| figure.organisation_id == id).map(|figure| figure.population);
        facts.problem.bodies.push(Body {
            id: id.0,
            served: u32::try_from(this_year).unwrap_or(u32::MAX),
            never_served: of_body().next().is_none(),
            small: options.small_population.zip(population).is_some_and(|(small, people)| people < small),
        });
    }
    Ok(())
}

/// An expert with the requests that could be taken.
struct Taker {
    load: u32,
    places: Option<u32>,
    month_capacity: Option<u32>,
    year_capacity: Option<u32>,
    months: BTreeMap<(i32, u32), u32>,
    years: BTreeMap<i32, u32>,
    requests: Vec<(i64, Need)>,
}

impl Taker {
    fn new(candidate: &Candidate) -> Self {
        Self {
            load: candidate.simultaneous,
            places: candidate.simultaneous_capacity.map(|most| most.saturating_sub(candidate.simultaneous)),
            month_capacity: candidate.month_capacity_minutes,
            year_capacity: candidate.year_capacity_minutes,
            months: candidate.month_loads.iter().map(|load| ((load.year, load.month), load.minutes)).collect(),
            years: candidate.year_loads.iter().map(|load| (load.fiscal_year.starting_year(), load.minutes)).collect(),
            requests: Vec::new(),
        }
    }

    /// Minutes of the fiscal year and of single months, and times of which only one can be kept.
    fn limits(&self, expert: i64) -> Vec<Limit> {
        use chrono::Datelike as _;
        let mut years: BTreeMap<i32, Vec<((i64, i64), i64)>> = BTreeMap::new();
        let mut months: BTreeMap<(i32, u32), Vec<((i64, i64), i64)>> = BTreeMap::new();
        for (request, need) in &self.requests {
            let all: i64 = need.visits.iter().map(|visit| i64::from(visit.minutes)).sum();
            if all > 0 {
                let year = FiscalYear::of(need.period_from).starting_year();
                years.entry(year).or_default().push(((*request, expert), all));
            }
            let mut by_month: BTreeMap<(i32, u32), i64> = BTreeMap::new();
            for (day, minutes) in need.visits.iter().filter_map(|visit| visit.day.map(|day| (day, visit.minutes))) {
                *by_month.entry((day.year(), day.month())).or_insert(0) += i64::from(minutes);
            }
            for (month, minutes) in by_month.into_iter().filter(|(_, minutes)| *minutes > 0) {
                months.entry(month).or_default().push(((*request, expert), minutes));
            }
        }
        let mut limits = Vec::new();
        let mut limit = |capacity: Option<u32>, used: u32, uses: Vec<((i64, i64), i64)>| {
            let Some(capacity) = capacity.map(|most| i64::from(most.saturating_sub(used))) else { return };
            if uses.iter().map(|(_, minutes)| *minutes).sum::<i64>() > capacity {
                limits.push(Limit { capacity, uses });
            }
        };
        for (year, uses) in years {
            limit(self.year_capacity, self.years.get(&year).copied().unwrap_or(0), uses);
        }
        for (month, uses) in months {
            limit(self.month_capacity, self.months.get(&month).copied().unwrap_or(0), uses);
        }
        for (place, (one, need)) in self.requests.iter().enumerate() {
            for (other, others) in &self.requests[place + 1..] {
                if overlap(need, others) {
                    limits.push(Limit { capacity: 1, uses: vec![((*one, expert), 1), ((*other, expert), 1)] });
                }
            }
        }
        limits
    }
}

/// Whether two requests want visits at the same time of the same day; a visit that can be at any time leaves room for another.
fn overlap(one: &Need, other: &Need) -> bool {
    let fixed = |need: &Need| -> Vec<(chrono::NaiveDate, u32, u32)> {
        let visits = need.visits.iter().filter(|visit| visit.minutes > 0);
        visits
            .filter_map(|visit| {
                let (day, start) = (visit.day?, u32::from(visit.start_minute?));
                Some((day, start, start + visit.minutes))
            })
            .collect()
    };
    let others = fixed(other);
    fixed(one).iter().any(|(day, from, to)| others.iter().any(|(other, start, end)| day == other && from < end && start < to))
}
