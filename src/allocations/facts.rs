//! The facts of a run: waiting requests, who may take them with which score, what is left of everybody's time and of the money.
//! They become an instance of the documented form, the same that `tasuki allocate` reads.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::teams;
use super::views::{AllocationOptions, NamedPair, Objective};
use crate::calendar::{FiscalYear, MINUTES_PER_DAY, month_range, week_range};
use crate::db::Conn;
use crate::error::Error;
use crate::experts::candidates::PoolFacts;
use crate::http::Ctx;
use crate::ids::{ExpertId, OrganisationId, PoolId, ProgrammeId};
use crate::matching::allocation::instance::{
    BusyTime, CapacityLeft, Conversion, DaysLeft, Instance, InstanceBody, InstanceBudget, InstanceEdge, InstanceExpert,
    InstanceFormat, InstanceObjective, InstanceRequest, InstanceSeries, InstanceVisit, TakenBefore,
};
use crate::matching::allocation::problem::Level;
use crate::matching::{self, Asked, Candidate, ExclusionCount, Need, NeedMode, PlannedVisit, kilometres};
use crate::offers::standing::{Alike, Standing, alike};
use crate::pools::store::YearRow;
use crate::requests::model::RequestStatus;
use crate::requests::store::RequestRow;

/// What a run looks at.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The instance.
    pub instance: Instance,
    /// What the engine makes of it.
    pub conversion: Conversion,
    /// How plans are compared, as it was resolved.
    pub objective: Objective,
    /// The requests.
    pub requests: BTreeMap<i64, RequestRow>,
    /// Versions of the experts.
    pub expert_versions: BTreeMap<i64, i64>,
    /// Why experts cannot take a request, by request.
    pub exclusions: BTreeMap<i64, Vec<ExclusionCount>>,
    /// Requests whose experts were all closed by hand.
    pub forbidden: BTreeSet<i64>,
    /// How many who could take a request have declined it or let an offer run out.
    pub declined: BTreeMap<i64, u32>,
    /// Assignments that were to be kept, and for which the instance has nothing to choose.
    pub pins_not_possible: Vec<NamedPair>,
    /// People of the bodies, where a figure is on record.
    pub populations: BTreeMap<i64, i64>,
}

/// Experts of one request that the engine chooses among, the best by score; beside them those who are pinned.
const MOST_EDGES_OF_A_REQUEST: usize = 200;

/// Gathers the facts.
///
/// # Errors
/// 422 where a request that was named cannot be planned; an internal error where facts contradict each other.
pub fn load(conn: &mut Conn, ctx: &Ctx, pools: &[PoolId], options: &AllocationOptions) -> Result<Facts, Error> {
    let mut gathered = Gathered { standing: Standing::load(conn, pools, None)?, ..Gathered::default() };
    for pool in pools {
        let rows = waiting(conn, *pool, options, &gathered.standing)?;
        gathered.pool(conn, *pool, rows, options)?;
    }
    let years = years(conn, &gathered.requests)?;
    let objective = objective(&years, options);
    gathered.budgets(conn, &years)?;
    let bodies = gathered.bodies();
    // The year whose requests are planned; with several, the first.
    let today = FiscalYear::of(ctx.today()).starting_year();
    let year = gathered.requests.values().map(|row| row.fiscal_year).min().unwrap_or(today);
    let people = crate::organisations::store::populations_on(conn, &bodies, ctx.today())?;
    let populations: BTreeMap<i64, i64> =
        people.into_iter().map(|figure| (figure.organisation_id.0, figure.population)).collect();
    let ids: Vec<ExpertId> = gathered.takers.keys().copied().map(ExpertId).collect();
    let mut expert_versions = BTreeMap::new();
    for row in crate::experts::store::find_many(conn, &ids)? {
        expert_versions.insert(row.id.0, row.version);
    }
    let instance = Instance {
        format: InstanceFormat::V1,
        objective: InstanceObjective { band_points: objective.band_points, order: objective.level_order.clone() },
        bodies: served_bodies(conn, year, pools, &bodies, &populations, objective.small_population)?,
        experts: gathered.takers.iter().map(|(id, taker)| taker.expert(*id, &gathered.standing, options)).collect(),
        requests: gathered.instance_requests,
        edges: gathered.edges,
        budgets: gathered.budgets,
        series: gathered.series.values().map(|(id, most)| InstanceSeries { id: *id, most: *most }).collect(),
    };
    let conversion = instance.convert().map_err(|mistakes| Error::internal(format!("{mistakes:?}")))?;
    let possible = |pin: &&NamedPair| {
        let pairs = conversion.problem.pairs.iter().filter(|pair| pair.request == pin.request_id.0);
        pairs.into_iter().any(|pair| pair.members().any(|member| member == pin.expert_id.0))
    };
    let pins_not_possible = options.pins.iter().filter(|pin| !possible(pin)).cloned().collect();
    Ok(Facts {
        pins_not_possible,
        instance,
        conversion,
        objective,
        requests: gathered.requests,
        expert_versions,
        exclusions: gathered.exclusions,
        forbidden: gathered.forbidden,
        declined: gathered.declined,
        populations,
    })
}

/// The requests of a pool that are to be planned: accepted ones for which nobody has been asked, or not as many as are needed, and
/// beside them those that the options add as if they had been accepted.
fn waiting(conn: &mut Conn, pool: PoolId, options: &AllocationOptions, standing: &Standing) -> Result<Vec<RequestRow>, Error> {
    let mut rows = crate::requests::store::waiting_for_experts(conn, pool, &options.programme_ids)?;
    let teams = crate::requests::store::teams_asked(conn, pool, &options.programme_ids)?;
    let is_short =
        |row: &RequestRow| i32::try_from(standing.of_request(row.id).len()).is_ok_and(|there| there < row.experts_needed);
    rows.extend(teams.into_iter().filter(is_short));
    rows.sort_by_key(|row| row.id);
    if options.include_waitlisted || !options.add_request_ids.is_empty() {
        let more = crate::requests::store::not_yet_accepted(conn, pool, &options.programme_ids)?;
        rows.extend(more.into_iter().filter(|row| {
            options.add_request_ids.contains(&row.id) || (options.include_waitlisted && row.status == RequestStatus::Waitlisted)
        }));
        rows.sort_by_key(|row| row.id);
    }
    Ok(rows)
}

fn years(conn: &mut Conn, requests: &BTreeMap<i64, RequestRow>) -> Result<Vec<YearRow>, Error> {
    let wanted: BTreeSet<(ProgrammeId, i32)> = requests.values().map(|row| (row.programme_id, row.fiscal_year)).collect();
    let mut years = crate::pools::store::years_of(conn, &wanted.into_iter().collect::<Vec<_>>())?;
    years.sort_by_key(|year| (year.programme_id, year.fiscal_year));
    Ok(years)
}

/// What was asked for; where nothing was, the rules of the programme with the smallest number.
fn objective(years: &[YearRow], options: &AllocationOptions) -> Objective {
    let rules = years.first().map(|year| year.rules.matching.clone()).unwrap_or_default();
    let order = match (options.level_order.is_empty(), rules.level_order.is_empty()) {
        (false, _) => options.level_order.clone(),
        (true, false) => rules.level_order,
        (true, true) => Level::CHOSEN.to_vec(),
    };
    Objective {
        level_order: order,
        band_points: options.band_points.unwrap_or(rules.band_points),
        small_population: options.small_population.or(rules.small_population),
    }
}

fn served_bodies(
    conn: &mut Conn,
    year: i32,
    pools: &[PoolId],
    ids: &[OrganisationId],
    populations: &BTreeMap<i64, i64>,
    small: Option<i64>,
) -> Result<Vec<InstanceBody>, Error> {
    let served = crate::dispatches::store::served_bodies(conn, pools)?;
    let mut of_year: BTreeMap<OrganisationId, i64> = BTreeMap::new();
    let mut ever: BTreeSet<OrganisationId> = BTreeSet::new();
    for (body, of, count) in served {
        ever.insert(body);
        if of == year {
            *of_year.entry(body).or_insert(0) += count;
        }
    }
    Ok(ids
        .iter()
        .map(|id| InstanceBody {
            id: id.0,
            served: u32::try_from(of_year.get(id).copied().unwrap_or(0)).unwrap_or(u32::MAX),
            never_served: !ever.contains(id),
            small: small.zip(populations.get(&id.0)).is_some_and(|(small, people)| *people < small),
            name: None,
        })
        .collect())
}

#[derive(Default)]
struct Gathered {
    standing: Standing,
    /// Requests that are alike: the number they have in the instance, and how many of them one expert takes at most.
    series: BTreeMap<Alike, (i64, u32)>,
    requests: BTreeMap<i64, RequestRow>,
    instance_requests: Vec<InstanceRequest>,
    edges: Vec<InstanceEdge>,
    budgets: Vec<InstanceBudget>,
    exclusions: BTreeMap<i64, Vec<ExclusionCount>>,
    forbidden: BTreeSet<i64>,
    declined: BTreeMap<i64, u32>,
    takers: BTreeMap<i64, Taker>,
}

impl Gathered {
    fn pool(&mut self, conn: &mut Conn, pool: PoolId, rows: Vec<RequestRow>, options: &AllocationOptions) -> Result<(), Error> {
        let needs = crate::requests::service::needs_of(conn, &rows)?;
        if needs.is_empty() {
            return Ok(());
        }
        let reaching: Vec<Need> = rows.iter().zip(&needs).map(|(row, need)| self.standing.reaching(row.id, need)).collect();
        let mut facts = PoolFacts::load(conn, pool, &reaching, None)?;
        facts.change(|candidate| {
            assume(candidate, options);
            self.standing.put(candidate);
        });
        let gone = crate::offers::store::refused_or_expired(conn, pool)?;
        for (row, need) in rows.into_iter().zip(&needs) {
            let gone: BTreeSet<i64> = gone.iter().filter(|(request, _)| *request == row.id).map(|(_, expert)| expert.0).collect();
            let there = self.standing.asked(row.id);
            if let Some(left) = self.standing.remainder(row.id, need, facts.for_need(need)) {
                self.request(row, &left, facts.for_need(&left), (&gone, &there), options);
            }
        }
        Ok(())
    }

    fn request(
        &mut self,
        row: RequestRow,
        need: &Need,
        candidates: &[Candidate],
        (gone, there): (&BTreeSet<i64>, &BTreeSet<i64>),
        options: &AllocationOptions,
    ) {
        let id = row.id.0;
        let series = self.series_of(need);
        let ranking = matching::rank(need, candidates);
        let asked = Asked::of(need);
        let pinned: BTreeSet<i64> = options.pinned(id);
        let forbidden: BTreeSet<i64> = options.forbidden(id);
        // Whoever declined, or let an offer run out, is not asked again unless a person says so.
        let out = |expert: i64| {
            forbidden.contains(&expert) || there.contains(&expert) || (gone.contains(&expert) && !pinned.contains(&expert))
        };
        let edges: Vec<InstanceEdge> = if need.experts_needed > 1 {
            teams::edges(need, &ranking, candidates, out, |expert| pinned.contains(&expert))
        } else {
            let alone = ranking.candidates.iter().filter(|ranked| !out(ranked.expert_id)).enumerate();
            let kept = alone.filter(|(place, ranked)| *place < MOST_EDGES_OF_A_REQUEST || pinned.contains(&ranked.expert_id));
            kept.filter_map(|(_, ranked)| {
                let candidate = find(candidates, ranked.expert_id)?;
                let visits = Some(visits_of(&asked, &[candidate]));
                Some(InstanceEdge { visits, ..edge(need, ranked.expert_id, ranked.score, way(need, candidate)) })
            })
            .collect()
        };
        let mut edges = edges;
        if !there.is_empty() && !need.rotation {
            // The others come on these days: whoever joins them comes on all of them.
            let dated = |visits: &[InstanceVisit]| visits.iter().filter(|visit| visit.day.is_some()).count();
            let arranged = need.visits.iter().filter(|visit| visit.day.is_some() && visit.minutes > 0).count();
            edges.retain(|edge| edge.visits.as_deref().map_or(0, dated) >= arranged);
        }
        if edges.is_empty() && ranking.eligible_count > 0 && !forbidden.is_empty() {
            self.forbidden.insert(id);
        }
        let declined = ranking.candidates.iter().filter(|ranked| gone.contains(&ranked.expert_id)).count();
        if declined > 0 {
            self.declined.insert(id, u32::try_from(declined).unwrap_or(u32::MAX));
        }
        for mut edge in edges {
            edge.kept = std::iter::once(&edge.expert).chain(&edge.others).any(|expert| pinned.contains(expert));
            for member in std::iter::once(&edge.expert).chain(&edge.others) {
                if let Some(candidate) = find(candidates, *member) {
                    let taker = self.takers.entry(*member).or_insert_with(|| Taker::new(candidate));
                    taker.take(need, candidate);
                    if let Some((number, alike)) = &series {
                        let before = candidate.programme_limit.map_or(0, |limit| limit.used);
                        taker.taken.insert(*number, before.saturating_add(self.standing.alike(*member, alike)));
                    }
                }
            }
            self.edges.push(edge);
        }
        self.exclusions.insert(id, ranking.exclusion_count_rows());
        self.instance_requests.push(InstanceRequest {
            id,
            body: row.applicant_organisation_id.0,
            name: None,
            visits: visits(need),
            period_from: need.visits.iter().filter_map(|visit| visit.day).fold(need.period_from, NaiveDate::min),
            period_to: need.visits.iter().filter_map(|visit| visit.day).fold(need.period_to, NaiveDate::max),
            buffer_minutes: if need.mode == NeedMode::Online { 0 } else { need.buffer_minutes.min(1440) },
            series: series.map(|(number, _)| number),
        });
        self.requests.insert(id, row);
    }

    /// The requests to which this one is alike, and their number in the instance.
    fn series_of(&mut self, need: &Need) -> Option<(i64, Alike)> {
        let alike = alike(need)?;
        let most = need.same_theme.as_ref()?.most;
        let next = i64::try_from(self.series.len()).ok()? + 1;
        let (number, _) = *self.series.entry(alike.clone()).or_insert((next, most));
        Some((number, alike))
    }

    fn bodies(&self) -> Vec<OrganisationId> {
        let ids: BTreeSet<OrganisationId> = self.requests.values().map(|row| row.applicant_organisation_id).collect();
        ids.into_iter().collect()
    }

    /// What requests that are not accepted yet would bind: of the programme's budget, and of what it keeps for each body. What an
    /// accepted request costs is bound already.
    fn budgets(&mut self, conn: &mut Conn, years: &[YearRow]) -> Result<(), Error> {
        let mut draws: BTreeMap<i64, (Vec<i64>, u64)> = BTreeMap::new();
        let mut next = 1;
        for year in years {
            let pending: Vec<&RequestRow> = self
                .requests
                .values()
                .filter(|row| (row.programme_id, row.fiscal_year) == (year.programme_id, year.fiscal_year))
                .filter(|row| row.status != RequestStatus::Accepted)
                .collect();
            if pending.is_empty() || (year.rules.budget_yen.is_none() && year.rules.budget_per_body_yen.is_none()) {
                continue;
            }
            let mut of_body: BTreeMap<i64, i64> = BTreeMap::new();
            let whole = match year.rules.budget_yen {
                Some(budget) => {
                    let left = crate::settlements::budget::left(conn, year, budget, None)?;
                    self.budgets.push(InstanceBudget { id: next, yen: left });
                    next += 1;
                    Some(next - 1)
                }
                None => None,
            };
            for row in pending {
                let cost = crate::settlements::budget::expected_of(&year.rules, row)?;
                let mut from: Vec<i64> = whole.into_iter().collect();
                if let Some(budget) = year.rules.budget_per_body_yen {
                    let body = row.applicant_organisation_id;
                    let id = match of_body.get(&body.0) {
                        Some(id) => *id,
                        None => {
                            let left = crate::settlements::budget::left(conn, year, budget, Some(body))?;
                            self.budgets.push(InstanceBudget { id: next, yen: left });
                            of_body.insert(body.0, next);
                            next += 1;
                            next - 1
                        }
                    };
                    from.push(id);
                }
                draws.insert(row.id.0, (from, u64::try_from(cost.get()).unwrap_or(0)));
            }
        }
        for edge in &mut self.edges {
            if let Some((from, yen)) = draws.get(&edge.request) {
                edge.cost_yen = Some(*yen);
                edge.budgets.clone_from(from);
            }
        }
        Ok(())
    }
}

fn find(candidates: &[Candidate], id: i64) -> Option<&Candidate> {
    candidates.binary_search_by_key(&id, |candidate| candidate.expert_id).ok().and_then(|place| candidates.get(place))
}

/// Kilometres between base and place; none online, or where either is unknown.
pub(super) fn way(need: &Need, candidate: &Candidate) -> u32 {
    match (candidate.base, need.site) {
        (Some(base), Some(site)) if need.mode != NeedMode::Online => kilometres(base, site),
        _ => 0,
    }
}

pub(super) fn edge(need: &Need, expert: i64, score: u32, kilometres: u32) -> InstanceEdge {
    InstanceEdge {
        request: need.request_id,
        expert,
        score,
        kilometres,
        kept: false,
        team: 0,
        others: Vec::new(),
        rotation: false,
        minutes: None,
        cost_yen: None,
        budgets: Vec::new(),
        visits: None,
    }
}

/// The visits of a request, whoever makes them.
fn visits(need: &Need) -> Vec<InstanceVisit> {
    let lengths = need.visits.iter().map(|visit| visit.minutes).filter(|minutes| *minutes > 0);
    lengths.map(|minutes| InstanceVisit { day: None, start_minute: None, minutes }).collect()
}

/// The visits as these members would be asked to make them.
pub(super) fn visits_of(asked: &Asked<'_>, members: &[&Candidate]) -> Vec<InstanceVisit> {
    let visits = asked.visits_of(members).into_iter().map(|visit| {
        let fixed = fixed(&visit);
        InstanceVisit {
            day: fixed.map(|(day, _)| day),
            start_minute: fixed.map(|(_, start)| u32::from(start)),
            minutes: visit.minutes,
        }
    });
    visits.collect()
}

/// Day and start of a visit that an offer names: a day alone is still to be arranged, and nothing ends after midnight.
pub(super) fn fixed(visit: &PlannedVisit) -> Option<(NaiveDate, u16)> {
    visit.day.zip(visit.start_minute).filter(|(_, start)| u32::from(*start) + visit.minutes <= u32::from(MINUTES_PER_DAY))
}

/// What is assumed of an expert instead of what was agreed.
fn assume(candidate: &mut Candidate, options: &AllocationOptions) {
    let Some(assumed) = options.assumed(candidate.expert_id) else { return };
    if assumed.places.is_some() {
        // The places themselves are the engine's to count.
        candidate.simultaneous_capacity = None;
    }
    for capacity in
        [&mut candidate.week_capacity_minutes, &mut candidate.month_capacity_minutes, &mut candidate.year_capacity_minutes]
    {
        *capacity = capacity.map(|minutes| minutes.saturating_add(assumed.extra_minutes));
    }
}

/// An expert who could take something, and the months, weeks and years in which that could be.
struct Taker {
    candidate: Candidate,
    requests: u32,
    months: BTreeSet<NaiveDate>,
    weeks: BTreeSet<NaiveDate>,
    years: BTreeSet<FiscalYear>,
    engaged: u32,
    /// Requests of each series that were taken before, or may be by saying yes.
    taken: BTreeMap<i64, u32>,
}

impl Taker {
    fn new(candidate: &Candidate) -> Self {
        Self {
            candidate: candidate.clone(),
            requests: 0,
            months: BTreeSet::new(),
            weeks: BTreeSet::new(),
            years: BTreeSet::new(),
            engaged: 0,
            taken: BTreeMap::new(),
        }
    }

    fn take(&mut self, need: &Need, candidate: &Candidate) {
        self.requests += 1;
        // What is going on already counts without the request itself; the most of all is what there is.
        self.engaged = self.engaged.max(candidate.simultaneous);
        let days = need.visits.iter().filter_map(|visit| visit.day).chain([need.period_from, need.period_to]);
        for day in days {
            self.months.insert(month_range(day).0);
            self.weeks.insert(week_range(day).0);
            self.years.insert(FiscalYear::of(day));
        }
    }

    fn expert(&self, id: i64, standing: &Standing, options: &AllocationOptions) -> InstanceExpert {
        let candidate = &self.candidate;
        let load = self.engaged.saturating_add(standing.waiting(id));
        let places = match options.assumed(id).and_then(|assumed| assumed.places) {
            Some(places) => places,
            None => candidate.simultaneous_capacity.map_or(self.requests, |most| most.saturating_sub(load)),
        };
        let mut capacities = Vec::new();
        let mut left = |(from, to): (NaiveDate, NaiveDate), capacity: Option<u32>, used: u32| {
            if let Some(capacity) = capacity {
                let minutes = capacity.saturating_sub(used);
                capacities.push(CapacityLeft { from, to, minutes });
            }
        };
        for year in &self.years {
            let used = candidate.year_loads.iter().filter(|load| load.fiscal_year == *year).map(|load| load.minutes).sum();
            left((year.first_day(), year.last_day()), candidate.year_capacity_minutes, used);
        }
        for month in &self.months {
            use chrono::Datelike as _;
            let own = |load: &&matching::MonthLoad| (load.year, load.month) == (month.year(), month.month());
            let used = candidate.month_loads.iter().filter(own).map(|load| load.minutes).sum();
            left(month_range(*month), candidate.month_capacity_minutes, used);
        }
        for monday in &self.weeks {
            let used = candidate.week_loads.iter().filter(|load| load.monday == *monday).map(|load| load.minutes).sum();
            left(week_range(*monday), candidate.week_capacity_minutes, used);
        }
        let days = candidate.year_capacity_days.map(|capacity| {
            let of = |year: &FiscalYear| {
                let used: u32 = candidate.year_days.iter().filter(|days| days.fiscal_year == *year).map(|days| days.days).sum();
                DaysLeft { from: year.first_day(), to: year.last_day(), days: capacity.saturating_sub(used) }
            };
            self.years.iter().map(of).collect()
        });
        let busy = candidate
            .busy
            .iter()
            .map(|slot| BusyTime {
                day: slot.day,
                start_minute: u32::from(slot.start_minute),
                end_minute: u32::from(slot.end_minute),
            })
            .collect();
        let taken = self.taken.iter().filter(|(_, requests)| **requests > 0);
        let taken = taken.map(|(series, requests)| TakenBefore { series: *series, requests: *requests }).collect();
        InstanceExpert { id, name: None, load, places, capacities, days: days.unwrap_or_default(), busy, taken }
    }
}
