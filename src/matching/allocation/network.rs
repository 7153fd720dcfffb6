//! The problem without its limits as a circulation: base → bodies → requests → experts → base.

use super::flow::{Arc, FlowError, Network, Path, Residual, Solution};
use super::problem::{LEVELS, Level, Problem};

/// The network of a problem, and which arc stands for what.
#[derive(Debug, Clone)]
pub struct Model<'a> {
    /// The problem.
    pub problem: &'a Problem,
    /// The circulation.
    pub network: Network<LEVELS>,
    /// The arc to the first request; the others follow in order. The arcs of the pairs come first of all.
    first_request: usize,
}

/// The base, to which everything returns.
const BASE: u32 = 0;

impl<'a> Model<'a> {
    /// The network in which some pairs are closed.
    pub fn new(problem: &'a Problem, closed: &[usize]) -> Self {
        let levels = problem.levels();
        let at = |wanted: Level| levels.iter().position(|level| *level == wanted).unwrap_or(0);
        let (kept, never, small, served) = (at(Level::Kept), at(Level::NeverServed), at(Level::Small), at(Level::Served));
        let (spread, fit, load, score, travel) =
            (at(Level::Spread), at(Level::Fit), at(Level::Load), at(Level::Score), at(Level::Travel));
        let (bodies, requests) = (problem.bodies.len(), problem.requests.len());
        let node = |place: usize| u32::try_from(place + 1).unwrap_or(u32::MAX);
        let mut asks = vec![0_u32; bodies];
        let body_of: Vec<usize> = problem
            .requests
            .iter()
            .map(|request| problem.bodies.binary_search_by_key(&request.body, |body| body.id).unwrap_or(0))
            .collect();
        for body in &body_of {
            asks[*body] += 1;
        }
        let mut pairs_of = vec![0_u32; problem.experts.len()];
        let mut arcs = Vec::new();
        for (place, pair) in problem.pairs.iter().enumerate() {
            let request = problem.requests.binary_search_by_key(&pair.request, |request| request.id).unwrap_or(0);
            let expert = problem.experts.binary_search_by_key(&pair.expert, |expert| expert.id).unwrap_or(0);
            pairs_of[expert] += 1;
            let mut cost = [0_i64; LEVELS];
            cost[kept] = -i64::from(pair.kept);
            cost[fit] = -i64::from(pair.score / problem.band);
            cost[score] = -i64::from(pair.score);
            cost[travel] = i64::from(pair.kilometres);
            cost[load] = problem.load_of_others(pair);
            let capacity = u32::from(closed.binary_search(&place).is_err());
            arcs.push(Arc { from: node(bodies + request), to: node(bodies + requests + expert), capacity, cost });
        }
        for (place, body) in problem.bodies.iter().enumerate() {
            for more in 1..=asks[place] {
                let mut cost = [0_i64; LEVELS];
                cost[never] = -i64::from(body.never_served && more == 1);
                cost[small] = -i64::from(body.small && more == 1);
                cost[served] = -1;
                cost[spread] = 2 * (i64::from(body.served) + i64::from(more)) - 1;
                arcs.push(Arc { from: BASE, to: node(place), capacity: 1, cost });
            }
        }
        let first_request = arcs.len();
        for (place, body) in body_of.iter().enumerate() {
            arcs.push(Arc { from: node(*body), to: node(bodies + place), capacity: 1, cost: [0; LEVELS] });
        }
        for (place, expert) in problem.experts.iter().enumerate() {
            for more in 1..=expert.places.min(pairs_of[place]) {
                let mut cost = [0_i64; LEVELS];
                cost[load] = 2 * (i64::from(expert.load) + i64::from(more)) - 1;
                arcs.push(Arc { from: node(bodies + requests + place), to: BASE, capacity: 1, cost });
            }
        }
        let nodes = u32::try_from(1 + bodies + requests + problem.experts.len()).unwrap_or(u32::MAX);
        Self { problem, network: Network { nodes, arcs }, first_request }
    }

    /// The best plan without limits, in the order of the pairs, and what proves it.
    ///
    /// # Errors
    /// [`FlowError`] when costs are too large.
    pub fn solve(&self) -> Result<(Vec<usize>, Solution), FlowError> {
        let solution = self.network.solve()?;
        Ok((self.plan(&solution.flow), solution))
    }

    fn plan(&self, flow: &[u32]) -> Vec<usize> {
        (0..self.problem.pairs.len()).filter(|place| flow[*place] > 0).collect()
    }

    /// A solution of this model, ready to be asked what a change of it would cost.
    pub fn explorer<'s>(&'s self, solution: &'s Solution) -> Explorer<'s> {
        Explorer { model: self, residual: Residual::new(&self.network, solution) }
    }

    /// The arc that leads from its body to a request.
    fn request_arc(&self, request: usize) -> usize {
        self.first_request + request
    }
}

/// Answers what a change of the best plan would cost: one shortest path each.
pub struct Explorer<'a> {
    model: &'a Model<'a>,
    residual: Residual<'a, LEVELS>,
}

impl Explorer<'_> {
    /// What would have to give way for a request that is not served. `None`: nothing could serve it.
    pub fn to_serve(&self, request: i64) -> Option<Change> {
        let problem = self.model.problem;
        let place = problem.requests.binary_search_by_key(&request, |request| request.id).ok()?;
        let arc = &self.model.network.arcs[self.model.request_arc(place)];
        Some(self.change(self.residual.cheapest_path((arc.to, arc.from), &[])?))
    }

    /// What the plan would be without one of its pairs, if the pair's request is still to be served: the second choice. `None`:
    /// there is no second choice.
    pub fn without(&self, pair: usize) -> Option<Change> {
        let problem = self.model.problem;
        let place = problem.requests.binary_search_by_key(&problem.pairs[pair].request, |request| request.id).ok()?;
        let arc = &self.model.network.arcs[pair];
        let path = self.residual.cheapest_path((arc.from, arc.to), &[pair, self.model.request_arc(place)])?;
        let mut change = self.change(path);
        for (sum, cost) in change.levels.iter_mut().zip(&arc.cost) {
            *sum -= cost;
        }
        change.removed.push(pair);
        change.removed.sort_unstable();
        Some(change)
    }

    fn change(&self, path: Path<LEVELS>) -> Change {
        let pairs = |grows: bool| -> Vec<usize> {
            let pairs = path.arcs.iter().filter(|(arc, up)| *up == grows && *arc < self.model.problem.pairs.len());
            let mut pairs: Vec<usize> = pairs.map(|(arc, _)| *arc).collect();
            pairs.sort_unstable();
            pairs
        };
        Change { levels: path.change, added: pairs(true), removed: pairs(false) }
    }
}

/// A change of a plan: the cheapest of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it changes, level by level; above zero is worse.
    pub levels: [i64; LEVELS],
    /// Pairs that come in.
    pub added: Vec<usize>,
    /// Pairs that give way.
    pub removed: Vec<usize>,
}
