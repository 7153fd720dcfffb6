//! Looks for good prices: steps along the average of what is left over or missing, in whole numbers.
//!
//! A request that is chosen too often gets cheaper, one on which a body counts in vain dearer. Rows that swing are moved less
//! (as in Duchi, Hazan and Singer, JMLR 2011), steps get shorter from round to round, and the mean of the last prices is tried
//! as well, which is mostly the best. The average of what was chosen tells how much each pair is wanted and guides the search.

use super::pricing::{Goal, Held, NEVER, Pricer, Prices, SCALE};

/// One, where shares are whole numbers.
pub const WHOLE: i64 = 1 << 14;
/// No price goes beyond this.
const MOST: i64 = 1 << 40;
/// Prices are moved in finer parts than they are told.
const FINE: i64 = 1 << 8;

/// Prices with the best bound so far.
#[derive(Debug, Clone)]
pub struct Ascent {
    /// The best prices.
    pub prices: Prices,
    /// Their bound, in parts of a unit.
    pub bound: i64,
    /// How much each pair is wanted, of [`WHOLE`].
    pub wanted: Vec<i32>,
    spot: Vec<i64>,
    mean: Vec<i64>,
    drift: Vec<i64>,
    swing: Vec<i64>,
    rounds: u32,
}

/// How far prices go.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    /// How many rounds.
    pub rounds: u32,
    /// The first step, in parts of what a pair can add to the level at most.
    pub part: i64,
    /// How many times the step is halved on the way.
    pub halvings: i64,
}

impl Ascent {
    /// Starts from prices.
    pub fn new(pricer: &mut Pricer<'_>, goal: &Goal, held: &Held, prices: Prices) -> Option<Self> {
        let bound = pricer.bound(goal, &prices, held)?;
        let mut wanted = vec![0_i32; pricer.parts.cost.len()];
        for pair in &pricer.chosen {
            wanted[*pair as usize] = WHOLE as i32;
        }
        let drift: Vec<i64> = vec![0; prices.requests.len() + prices.limits.len() + prices.weights.len()];
        let mut ascent = Self {
            prices,
            bound,
            wanted,
            spot: Vec::new(),
            mean: Vec::new(),
            swing: vec![WHOLE * WHOLE; drift.len()],
            drift,
            rounds: 0,
        };
        ascent.restart();
        Some(ascent)
    }

    /// The next steps start at the best prices.
    pub fn restart(&mut self) {
        let all = self.prices.requests.iter().chain(&self.prices.limits).chain(&self.prices.weights);
        self.spot = all.map(|price| price * FINE).collect();
        self.mean.clone_from(&self.spot);
        self.drift.fill(0);
    }

    /// Goes on until the bound reaches `enough` (in units, rounded up) or the rounds are over; `each` is called after every
    /// round and may end it. Whether it was reached.
    pub fn run(
        &mut self,
        pricer: &mut Pricer<'_>,
        (goal, held, scales): (&Goal, &Held, &Scales),
        course: Course,
        enough: &dyn Fn(i64) -> bool,
        each: &mut dyn FnMut(&mut Pricer<'_>, &Self) -> bool,
    ) -> bool {
        let mut step = SCALE * FINE * scales.level / course.part.max(1);
        for _ in 0..course.rounds {
            if enough(self.bound) {
                return true;
            }
            self.round(pricer, (goal, held, scales), step.max(1));
            step -= step * course.halvings * 7 / (10 * i64::from(course.rounds.max(1)));
            if !each(pricer, self) {
                break;
            }
        }
        enough(self.bound)
    }

    fn round(&mut self, pricer: &mut Pricer<'_>, (goal, held, scales): (&Goal, &Held, &Scales), step: i64) {
        self.rounds += 1;
        let prices = self.told(&self.spot);
        if !self.look(pricer, (goal, held), prices) {
            self.restart();
            return;
        }
        let found = slope(pricer, goal, held);
        for pair in &pricer.chosen {
            self.wanted[*pair as usize] += (WHOLE / 16) as i32;
        }
        for wanted in &mut self.wanted {
            *wanted -= (*wanted + 8) >> 4;
        }
        let (requests, limits) = (self.prices.requests.len(), self.prices.limits.len());
        for (row, found) in found.into_iter().enumerate() {
            let scale = scales.rows[row];
            let slope = (found.clamp(-MOST, MOST) * WHOLE / scale).clamp(-MOST / 64, MOST / 64);
            self.drift[row] += (slope - self.drift[row]) / 5;
            let capped = slope.clamp(-WHOLE << 8, WHOLE << 8);
            self.swing[row] += (capped * capped - self.swing[row]) / 20;
            let least = if row < requests { WHOLE * 3 / 10 } else { WHOLE };
            let swing = i64::try_from(self.swing[row].max(0).unsigned_abs().isqrt()).unwrap_or(least).max(least);
            let far = i128::from(step) * i128::from(self.drift[row]) / (i128::from(swing) * i128::from(scale));
            let low = if (requests..requests + limits).contains(&row) { 0 } else { -MOST };
            let spot = (self.spot[row] + i64::try_from(far).unwrap_or(0)).clamp(low, MOST);
            self.spot[row] = spot;
            self.mean[row] += (spot - self.mean[row]) / 16;
        }
        if self.rounds.is_multiple_of(8) {
            let prices = self.told(&self.mean);
            self.look(pricer, (goal, held), prices);
        }
    }

    /// Looks at prices; whether they have a bound.
    fn look(&mut self, pricer: &mut Pricer<'_>, (goal, held): (&Goal, &Held), prices: Prices) -> bool {
        let Some(bound) = pricer.bound(goal, &prices, held) else { return false };
        if bound > self.bound {
            (self.prices, self.bound) = (prices, bound);
        }
        bound < NEVER
    }

    fn told(&self, fine: &[i64]) -> Prices {
        let (requests, limits) = (self.prices.requests.len(), self.prices.limits.len());
        let of = |rows: &[i64]| rows.iter().map(|price| (price + FINE / 2).div_euclid(FINE)).collect::<Vec<_>>();
        let (requests, limits, weights) =
            (of(&fine[..requests]), of(&fine[requests..requests + limits]), of(&fine[requests + limits..]));
        Prices { requests, limits, weights }
    }
}

/// Prices to start from: those of the level before, or what each request takes of the limits that bind it, whichever is better
/// at the best of a few rates.
pub fn first_prices(pricer: &mut Pricer<'_>, goal: &Goal, held: &Held, from: Option<&Prices>) -> Option<Prices> {
    let fresh = best_rate(pricer, goal, held, None);
    let followed = from.and_then(|from| best_rate(pricer, goal, held, Some(from)));
    match (fresh, followed) {
        (Some(fresh), Some(followed)) => Some(if fresh.0 > followed.0 { fresh.1 } else { followed.1 }),
        (one, other) => one.or(other).map(|(_, prices)| prices),
    }
}

fn best_rate(pricer: &mut Pricer<'_>, goal: &Goal, held: &Held, from: Option<&Prices>) -> Option<(i64, Prices)> {
    let parts = pricer.parts;
    let mut base =
        Prices { requests: vec![0; parts.of_request.len()], limits: vec![0; parts.shared.len()], weights: vec![0; goal.level] };
    match from {
        // The prices of the level before, at a higher rate the rarer its units are.
        Some(from) => {
            base.requests.clone_from(&from.requests);
            base.limits.clone_from(&from.limits);
            // Levels between that are fixed by the counts need no weight.
            let weights = from.weights.iter().copied().chain(std::iter::once(SCALE));
            base.weights.iter_mut().zip(weights).for_each(|(weight, from)| *weight = from);
        }
        None => {
            // Of each expert the limit that holds the most pairs: hours of the year, most of the time.
            let main: Vec<Option<u32>> = main_limits(parts);
            let mut sums = vec![0_i128; parts.of_request.len()];
            for (pair, (request, expert)) in (0_u32..).zip(parts.request_of.iter().zip(&parts.expert_of)) {
                let drawn = parts.draws(pair).iter().find(|(limit, _)| Some(*limit) == main[*expert as usize]);
                sums[*request as usize] += drawn.map_or(0, |(_, amount)| i128::from(*amount));
            }
            for (sum, (from, to)) in sums.iter_mut().zip(&parts.of_request) {
                *sum = *sum * 1024 / i128::from((to - from).max(1));
            }
            let most = sums.iter().copied().max().unwrap_or(0).max(1);
            for (price, sum) in base.requests.iter_mut().zip(sums) {
                *price = i64::try_from(sum * i128::from(SCALE) / most).unwrap_or(0);
            }
        }
    }
    let mut best: Option<(i64, Prices)> = None;
    for power in -8..=12_i64 {
        if power < 0 && from.is_some() {
            continue;
        }
        // Rates of 2^-6 to 2^6 in steps of a half.
        let rate = |price: i64| {
            let whole = i128::from(price) << 6;
            let half = if power.rem_euclid(2) == 1 { whole * 181 / 128 } else { whole };
            i64::try_from((half >> 12) << (power.div_euclid(2) + 6)).unwrap_or(0)
        };
        let of = |prices: &[i64]| prices.iter().map(|price| rate(*price).clamp(-MOST, MOST)).collect::<Vec<_>>();
        let mut prices = Prices { requests: of(&base.requests), limits: of(&base.limits), weights: of(&base.weights) };
        if from.is_none() {
            prices.weights.fill(SCALE);
        }
        for offset in [false, true] {
            if offset {
                // What the second best pair costs: a price at which somebody takes the request.
                for (price, (from, to)) in prices.requests.iter_mut().zip(&parts.of_request) {
                    let mut costs: Vec<i64> =
                        parts.cost[*from as usize..*to as usize].iter().map(|cost| cost[goal.level]).collect();
                    costs.sort_unstable();
                    *price += costs.get(1).or(costs.first()).map_or(0, |cost| cost * SCALE);
                }
            }
            if let Some(bound) = pricer.bound(goal, &prices, held)
                && best.as_ref().is_none_or(|(so_far, _)| bound > *so_far)
            {
                best = Some((bound, prices.clone()));
            }
        }
    }
    best
}

/// Of each expert the limit on which the most pairs draw.
fn main_limits(parts: &super::parts::Parts<'_>) -> Vec<Option<u32>> {
    let mut main: Vec<Option<u32>> = vec![None; parts.own.len()];
    for (number, owner) in (0_u32..).zip(&parts.owner) {
        let Some(owner) = owner else { continue };
        let uses = |limit: u32| parts.problem.limits[limit as usize].uses.len();
        let main = &mut main[*owner as usize];
        if main.is_none_or(|so_far| uses(number) > uses(so_far)) {
            *main = Some(number);
        }
    }
    main
}

/// How large things are: steps are as long in all rows.
pub struct Scales {
    rows: Vec<i64>,
    level: i64,
}

impl Scales {
    /// Of a goal.
    pub fn new(parts: &super::parts::Parts<'_>, goal: &Goal) -> Self {
        let mut rows = vec![1; parts.of_request.len()];
        rows.extend(parts.shared.iter().map(|limit| {
            let limit = &parts.problem.limits[*limit as usize];
            limit.uses.iter().map(|(_, amount)| *amount).max().unwrap_or(1).max(1)
        }));
        let size = |level: usize| {
            // What choosing another pair of the same request changes, on average.
            let spread = |(from, to): &(u32, u32)| {
                let costs = parts.cost[*from as usize..*to as usize].iter().map(|cost| cost[level]);
                costs.clone().max().unwrap_or(0) - costs.min().unwrap_or(0)
            };
            let pairs = parts.of_request.iter().map(spread).sum::<i64>() / (parts.of_request.len().max(1) as i64);
            let bodies = (0..parts.of_body.len()).map(|body| {
                let asks = i64::try_from(parts.of_body[body].len()).unwrap_or(0);
                (parts.of_body(body, level, asks) - parts.of_body(body, level, (asks - 1).max(0))).abs()
            });
            let load = |expert: usize| parts.of_expert(expert, 2) - parts.of_expert(expert, 1);
            let experts = if level == parts.load { (0..parts.own.len()).map(load).max().unwrap_or(0) } else { 0 };
            pairs.max(bodies.max().unwrap_or(0)).max(experts).max(1)
        };
        rows.extend((0..goal.level).map(size));
        Self { rows, level: size(goal.level) }
    }
}

/// What is left over or missing in what was chosen, row by row.
pub fn slope(pricer: &Pricer<'_>, goal: &Goal, held: &Held) -> Vec<i64> {
    let parts = pricer.parts;
    let mut rows: Vec<i64> = pricer.counted.iter().map(|counted| i64::from(*counted)).collect();
    for pair in &pricer.chosen {
        rows[parts.request_of[*pair as usize] as usize] -= 1;
    }
    for (request, row) in rows.iter_mut().enumerate() {
        if held.taken[request] {
            *row = 0;
        }
    }
    let first = rows.len();
    rows.extend(parts.shared.iter().map(|limit| -parts.problem.limits[*limit as usize].capacity));
    if !parts.shared.is_empty() {
        for pair in &pricer.chosen {
            for (limit, amount) in parts.draws(*pair) {
                if let Ok(at) = parts.shared.binary_search(limit) {
                    rows[first + at] += amount;
                }
            }
        }
    }
    rows.extend((0..goal.level).map(|level| pricer.totals[level] - goal.values[level]));
    rows
}
