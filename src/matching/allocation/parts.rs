//! A problem taken apart: what belongs to one expert alone, what to one body alone, and what ties them together.
//!
//! Places, load, minutes, overlapping times belong to one expert; how often a body is served to one body. Requests tie bodies
//! to experts, and a few limits (budgets, places of members of teams) tie experts to each other.

use super::problem::{LEVELS, Level, Problem};

/// The parts of a problem, all by place instead of id.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The problem.
    pub problem: &'a Problem,
    /// The levels in their order.
    pub levels: [Level; LEVELS],
    /// The place of the level of load.
    pub load: usize,
    /// Request of each pair.
    pub request_of: Vec<u32>,
    /// Lead expert of each pair.
    pub expert_of: Vec<u32>,
    /// Body of each request.
    pub body_of: Vec<u32>,
    /// Pairs of each expert as lead.
    pub own: Vec<Vec<u32>>,
    /// The pairs of each request: the first, and the one after the last.
    pub of_request: Vec<(u32, u32)>,
    /// Requests of each body.
    pub of_body: Vec<Vec<u32>>,
    /// What each pair adds to each level by itself.
    pub cost: Vec<[i64; LEVELS]>,
    /// The one expert whose pairs alone draw on a limit.
    pub owner: Vec<Option<u32>>,
    /// Limits on which pairs of several experts draw.
    pub shared: Vec<u32>,
    /// The members beside the lead of each pair that has any.
    others: std::collections::BTreeMap<u32, Vec<u32>>,
    draws_from: Vec<u32>,
    draws: Vec<(u32, i64)>,
}

impl<'a> Parts<'a> {
    /// Takes a problem apart.
    pub fn new(problem: &'a Problem) -> Self {
        let levels = problem.levels();
        let body_of: Vec<u32> =
            problem.requests.iter().map(|request| place(&problem.bodies, request.body, |body| body.id)).collect();
        let mut of_body = vec![Vec::new(); problem.bodies.len()];
        for (request, body) in (0_u32..).zip(&body_of) {
            of_body[*body as usize].push(request);
        }
        let (mut request_of, mut expert_of) = (Vec::new(), Vec::new());
        let mut own = vec![Vec::new(); problem.experts.len()];
        let mut of_request = vec![(0, 0); problem.requests.len()];
        let mut cost = Vec::with_capacity(problem.pairs.len());
        for (number, pair) in (0_u32..).zip(&problem.pairs) {
            let request = place(&problem.requests, pair.request, |request| request.id);
            let expert = place(&problem.experts, pair.expert, |expert| expert.id);
            let range: &mut (u32, u32) = &mut of_request[request as usize];
            *range = (if range.1 == 0 { number } else { range.0 }, number + 1);
            own[expert as usize].push(number);
            request_of.push(request);
            expert_of.push(expert);
            cost.push(levels.map(|level| match level {
                Level::Kept => -i64::from(pair.kept),
                Level::Fit => -i64::from(pair.score / problem.band),
                Level::Score => -i64::from(pair.score),
                Level::Travel => i64::from(pair.kilometres),
                Level::Load => problem.load_of_others(pair),
                _ => 0,
            }));
        }
        let mut each: Vec<Vec<(u32, i64)>> = vec![Vec::new(); problem.pairs.len()];
        let (mut owner, mut shared) = (Vec::new(), Vec::new());
        for (number, limit) in (0_u32..).zip(&problem.limits) {
            let mut experts = Vec::new();
            for (key, amount) in &limit.uses {
                if let Some(pair) = problem.pair(*key) {
                    each[pair].push((number, *amount));
                    experts.push(expert_of[pair]);
                }
            }
            let one = experts.first().copied().filter(|first| experts.iter().all(|expert| expert == first));
            if one.is_none() {
                shared.push(number);
            }
            owner.push(one);
        }
        let member = |id: &i64| place(&problem.experts, *id, |expert| expert.id);
        let teams = (0_u32..).zip(&problem.pairs).filter(|(_, pair)| !pair.others.is_empty());
        let others = teams.map(|(number, pair)| (number, pair.others.iter().map(member).collect())).collect();
        let mut draws_from = vec![0];
        let mut draws = Vec::new();
        for mut one in each {
            draws.append(&mut one);
            draws_from.push(u32::try_from(draws.len()).unwrap_or(u32::MAX));
        }
        let load = levels.iter().position(|level| *level == Level::Load).unwrap_or(0);
        Self {
            problem,
            levels,
            load,
            request_of,
            expert_of,
            body_of,
            own,
            of_request,
            of_body,
            cost,
            owner,
            shared,
            others,
            draws_from,
            draws,
        }
    }

    /// The limits on which a pair draws, and how much.
    pub fn draws(&self, pair: u32) -> &[(u32, i64)] {
        &self.draws[self.draws_from[pair as usize] as usize..self.draws_from[pair as usize + 1] as usize]
    }

    /// The members beside the lead.
    pub fn others(&self, pair: u32) -> &[u32] {
        self.others.get(&pair).map_or(&[], Vec::as_slice)
    }

    /// The pairs of a request.
    pub fn pairs_of(&self, request: u32) -> std::ops::Range<u32> {
        let (from, to) = self.of_request[request as usize];
        from..to
    }

    /// What a body that is served so often in the plan adds to a level.
    pub fn of_body(&self, body: usize, level: usize, count: i64) -> i64 {
        let body = &self.problem.bodies[body];
        match self.levels[level] {
            Level::NeverServed => -i64::from(body.never_served && count > 0),
            Level::Small => -i64::from(body.small && count > 0),
            Level::Served => -count,
            Level::Spread => count * (2 * i64::from(body.served) + count),
            _ => 0,
        }
    }

    /// What an expert who leads so often in the plan adds to the level of load.
    pub fn of_expert(&self, expert: usize, count: i64) -> i64 {
        count * (2 * i64::from(self.problem.experts[expert].load) + count)
    }

    /// How often a plan serves each body.
    pub fn counts(&self, plan: &[usize]) -> Vec<i64> {
        let mut counts = vec![0; self.of_body.len()];
        for pair in plan {
            counts[self.body_of[self.request_of[*pair] as usize] as usize] += 1;
        }
        counts
    }

    /// Whether a level depends on nothing but how often each body is served.
    pub fn counted(&self, level: usize) -> bool {
        matches!(self.levels[level], Level::NeverServed | Level::Small | Level::Served | Level::Spread)
    }

    /// What no plan comes to less than in a level, whatever the other levels are.
    pub fn floor(&self, level: usize) -> i64 {
        let least = |body: usize| {
            (0..).take(self.of_body[body].len() + 1).map(|count| self.of_body(body, level, count)).min().unwrap_or(0)
        };
        let bodies: i64 = (0..self.of_body.len()).map(least).sum();
        let cheapest = |(from, to): &(u32, u32)| self.cost[*from as usize..*to as usize].iter().map(|cost| cost[level]).min();
        let requests: i64 = self.of_request.iter().map(|range| cheapest(range).unwrap_or(0).min(0)).sum();
        bodies + requests
    }

    /// What is common to all plans of a level, once the number of requests served is fixed: they differ by multiples of this.
    /// A square is odd where its root is, so that sums of squares change in steps of two.
    pub fn step(&self, level: usize) -> i64 {
        if self.levels[..level].iter().all(|before| *before != Level::Served) {
            return 1;
        }
        let alone = self.problem.pairs.iter().all(|pair| pair.others.is_empty());
        let linear = |costs: &mut dyn Iterator<Item = i64>| {
            let first = costs.next().unwrap_or(0);
            costs.fold(0, |so_far, cost| divisor(so_far, cost - first)).max(1)
        };
        match self.levels[level] {
            Level::Spread => 2,
            Level::Load if alone => 2,
            Level::Fit | Level::Score | Level::Travel => linear(&mut self.cost.iter().map(|cost| cost[level])),
            _ => 1,
        }
    }
}

fn place<T>(all: &[T], id: i64, key: impl Fn(&T) -> i64) -> u32 {
    all.binary_search_by_key(&id, key).ok().and_then(|at| u32::try_from(at).ok()).unwrap_or(0)
}

/// The greatest common divisor.
pub(super) fn divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.abs(), b.abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
