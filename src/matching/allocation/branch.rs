//! The plans and cases of a level where its prices come from a linear program.
//!
//! # Method
//! The program of the whole gives the bound, and says how much of each pair it wants. Plans come from taking what is wanted most
//! and solving again, and from parts of the plan that are solved by themselves ([`super::around`]). What then is open is split
//! on one of the pairs of which the program wants about a half, the one whose two sides promise the most: taken, or closed; the case of the least bound goes on first, of those the
//! deepest (branch and price: Barnhart and others, Operations Research 1998).

use super::closing::{Closer, STEPS};
use super::improve::Draft;
use super::master::Master;
use super::pricing::{Goal, NEVER, Prices, Status};
use super::tree::{Node, Tree};

/// Cases of a part.
const CASES_OF_A_PART: u32 = 40;
/// Rounds of questions for the whole, and for a case.
const ROUNDS: (u32, u32) = (400, 30);

/// How fine the dives are: the share of what is wanted that is taken at once. The later ones where no plan came of the others.
const DIVES: [usize; 5] = [16, 48, 32, 96, 8];
/// Pairs of which the one that promises the most is split.
const CANDIDATES: usize = 8;
/// Cases of a level at most: a certificate is kept and read as a whole.
const MOST_CASES: usize = 40_000;

/// How a level is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Plans, and cases until it is proved.
    Whole,
    /// Plans alone: a level before it is not proved.
    Plans,
    /// It is a part of something larger: no part of it is looked at by itself, and there are few cases.
    Part,
}

/// A case of a level.
#[derive(Default)]
struct Case {
    above: Option<usize>,
    decided: Option<(u32, bool)>,
    /// What its prices close.
    closed: Vec<u32>,
    prices: Option<Prices>,
    bound: i64,
    depth: u32,
    split: Option<(u32, [usize; 2])>,
}

impl<'a> Closer<'a, '_> {
    /// Looks for the best plan of a level and what proves it; whether it came to an end.
    pub(super) fn branch(
        &mut self,
        level: usize,
        master: &mut Option<Master<'a>>,
        most: u64,
        manner: Manner,
    ) -> Option<(Tree, bool)> {
        let step = self.parts.step(level);
        let mut goal = Goal { level, values: self.value };
        let mut program = match master.take() {
            Some(before) => before.renewed(goal, &self.held),
            None => Master::new(self.parts, goal),
        };
        let plan: Vec<u32> = self.plan.iter().filter_map(|pair| u32::try_from(*pair).ok()).collect();
        program.add_all(&plan);
        let start = self.held.mark();
        let mut cases = vec![Case { bound: -NEVER, ..Case::default() }];
        let mut open = vec![0_usize];
        let mut looked = 0;
        while let Some(at) = open.pop() {
            let target = goal.values[level];
            let enough = move |bound: i64| goal.rounded(bound, step) >= target;
            if enough(cases[at].bound) {
                continue;
            }
            let over = match manner {
                Manner::Whole => self.over(most) || cases.len() > MOST_CASES,
                Manner::Plans => true,
                Manner::Part => looked > CASES_OF_A_PART || self.over(most),
            };
            if looked > 0 && over {
                open.push(at);
                break;
            }
            self.held.back(self.parts, start);
            let from = self.replay(&cases, at);
            // The whole has prices in any case.
            if let Some(only) = self.held.only(self.parts, &goal).filter(|_| looked > 0) {
                if only < NEVER {
                    let taken = |place: &usize| self.held.status[*place] == Status::Taken;
                    let plan = (0..self.held.status.len()).filter(taken).collect();
                    self.offer_at(plan, &mut goal);
                }
                cases[at].bound = cases[at].bound.max(only);
                continue;
            }
            let rounds = (if looked == 0 { ROUNDS.0 } else { ROUNDS.1 }, looked == 0);
            let Some(found) = self.price(&mut program, from.as_ref(), rounds, most, &enough) else {
                self.held.back(self.parts, start);
                return None;
            };
            looked += 1;
            let raised = from.is_none() || found.bound > cases[at].bound;
            cases[at].bound = cases[at].bound.max(found.bound);
            cases[at].prices = raised.then(|| found.prices.clone());
            if enough(found.bound) {
                continue;
            }
            let wanted = program.wanted();
            let plan = self.complete_wanted(&wanted);
            self.offer_at(plan, &mut goal);
            if looked == 1 {
                let least = goal.rounded(found.bound, step);
                let dives: &[usize] = if manner == Manner::Part { &DIVES[..1] } else { &DIVES };
                let mut taken = 0;
                for (at, fine) in dives.iter().enumerate() {
                    if goal.values[level] <= least || (at > 1 && taken > 0) || self.over(most) {
                        break;
                    }
                    let plan = self.dive_wanted(&mut program, (&found.prices, &wanted), *fine, most);
                    taken += usize::from(self.offer_at(plan, &mut goal));
                }
                if manner != Manner::Part {
                    let used = self.used();
                    self.around(&mut goal, &wanted, least, used + most.saturating_sub(used) / 3 * 2);
                }
            }
            let target = goal.values[level];
            let enough = move |bound: i64| goal.rounded(bound, step) >= target;
            if enough(found.bound) {
                continue;
            }
            if raised {
                let mark = self.held.mark();
                if let Some(bound) = self.pricer.bound(&goal, &found.prices, &self.held) {
                    self.pricer.close_dear(&found.prices, &mut self.held, bound, enough);
                }
                cases[at].closed = self.held.since(mark);
            }
            let doubt = |pair: usize| (wanted[pair] - 0.6).abs();
            let may = |pair: &usize| self.held.status[*pair] == Status::Open;
            let mut few: Vec<usize> = (0..wanted.len()).filter(may).collect();
            few.sort_by(|a, b| doubt(*a).total_cmp(&doubt(*b)).then(a.cmp(b)));
            few.truncate(if manner == Manner::Whole { CANDIDATES } else { 1 });
            let Some(split) = self.splits_best(&mut program, &few) else {
                // Nothing is left to decide.
                continue;
            };
            let (bound, depth, first) = (cases[at].bound, cases[at].depth + 1, cases.len());
            cases.extend([true, false].map(|takes| Case {
                above: Some(at),
                decided: Some((split, takes)),
                bound,
                depth,
                ..Case::default()
            }));
            cases[at].split = Some((split, [first, first + 1]));
            open.extend([first + 1, first]);
            open.sort_by_key(|case| (std::cmp::Reverse(goal.rounded(cases[*case].bound, step)), cases[*case].depth));
            program.shrink();
        }
        self.held.back(self.parts, start);
        *master = Some(program);
        Some((Tree { level, nodes: nodes(&mut cases) }, open.is_empty()))
    }

    /// Decides what a case and those above it decide; the prices it starts from.
    fn replay(&mut self, cases: &[Case], at: usize) -> Option<Prices> {
        let mut path = vec![at];
        while let Some(above) = path.last().and_then(|at| cases[*at].above) {
            path.push(above);
        }
        let mut prices = None;
        for case in path.iter().rev().map(|at| &cases[*at]) {
            match case.decided {
                Some((pair, true)) => self.held.take(self.parts, pair),
                Some((pair, false)) => self.held.close(self.parts, pair),
                None => {}
            }
            case.closed.iter().for_each(|pair| self.held.close(self.parts, *pair));
            prices = case.prices.as_ref().or(prices);
        }
        prices.cloned()
    }

    /// Lets the program look for prices, and counts the work.
    fn price(
        &mut self,
        program: &mut Master<'a>,
        from: Option<&Prices>,
        (rounds, exact): (u32, bool),
        most: u64,
        enough: &dyn Fn(i64) -> bool,
    ) -> Option<super::master::Found> {
        let before = program.work();
        let work = most.saturating_sub(self.used()).saturating_mul(STEPS);
        let found = program.run(&mut self.pricer, &self.held, from, (rounds, work, exact), (enough, self.meter.stop));
        self.meter.steps += program.work() - before;
        found
    }

    /// The pair whose two cases promise the most: where one of them says little the other has to say much.
    fn splits_best(&mut self, program: &mut Master<'a>, few: &[usize]) -> Option<u32> {
        let few: Vec<u32> = few.iter().filter_map(|pair| u32::try_from(*pair).ok()).collect();
        if few.len() < 2 {
            return few.first().copied();
        }
        let before = program.work();
        let mut best: Option<(f64, u32)> = None;
        for pair in few {
            let [taken, closed] = [true, false].map(|takes| program.outlook(pair, takes).max(1e-3));
            if best.is_none_or(|(so_far, _)| taken * closed > so_far) {
                best = Some((taken * closed, pair));
            }
        }
        self.meter.steps += program.work() - before;
        best.map(|(_, pair)| pair)
    }

    fn offer_at(&mut self, plan: Vec<usize>, goal: &mut Goal) -> bool {
        let value = self.parts.problem.objective(&plan);
        let better = self.offer(plan, value);
        if better {
            goal.values = self.value;
        }
        better
    }

    /// Takes what the program wants most, solves again, and goes on until everything is decided: a plan.
    fn dive_wanted(&mut self, program: &mut Master<'a>, from: (&Prices, &[f64]), fine: usize, most: u64) -> Vec<usize> {
        let parts = self.parts;
        let mark = self.held.mark();
        let mut draft = Draft::new(parts, &[]);
        let (mut prices, mut wanted) = (from.0.clone(), from.1.to_vec());
        loop {
            let may = |pair: &u32| {
                let at = *pair as usize;
                self.held.status[at] == Status::Open && wanted[at] > 0.01 && draft.takes(*pair)
            };
            let mut order: Vec<u32> = (0..u32::try_from(wanted.len()).unwrap_or(0)).filter(may).collect();
            if order.is_empty() || self.over(most) {
                break;
            }
            order.sort_by(|a, b| wanted[*b as usize].total_cmp(&wanted[*a as usize]).then(a.cmp(b)));
            let few = order.len() / fine + 1;
            let mut doubtful = 0;
            for pair in order {
                let sure = wanted[pair as usize] > 0.999;
                if (sure || doubtful < few) && draft.takes(pair) {
                    draft.add(pair);
                    self.held.take(parts, pair);
                    doubtful += usize::from(!sure);
                }
            }
            let Some(found) = self.price(program, Some(&prices), (8, true), most, &|_| false) else { break };
            if found.bound >= NEVER {
                break;
            }
            (prices, wanted) = (found.prices, program.wanted());
        }
        self.held.back(parts, mark);
        self.filled(draft, &wanted, 1_000_000)
    }

    /// A plan with what is taken, and beside it what the program wants.
    fn complete_wanted(&mut self, wanted: &[f64]) -> Vec<usize> {
        let mut draft = Draft::new(self.parts, &[]);
        let taken = |pair: &u32| self.held.status[*pair as usize] == Status::Taken;
        draft.fill((0..u32::try_from(wanted.len()).unwrap_or(0)).filter(taken));
        self.filled(draft, wanted, 20_000)
    }

    fn filled(&mut self, mut draft: Draft<'a>, wanted: &[f64], steps: u64) -> Vec<usize> {
        let open = |pair: &u32| self.held.status[*pair as usize] == Status::Open;
        let mut order: Vec<u32> = (0..u32::try_from(wanted.len()).unwrap_or(0)).filter(open).collect();
        order.sort_by(|a, b| wanted[*b as usize].total_cmp(&wanted[*a as usize]).then(a.cmp(b)));
        draft.fill(order.into_iter());
        draft.improve(1, steps, |request| !self.held.taken[request as usize] && self.held.open[request as usize] > 0);
        self.meter.steps += draft.steps;
        draft.plan()
    }
}

/// The cases in the order of the certificate.
fn nodes(cases: &mut [Case]) -> Vec<Node> {
    let mut nodes = Vec::with_capacity(cases.len());
    let mut waiting = vec![0];
    while let Some(at) = waiting.pop() {
        let split = cases[at].split;
        nodes.push(Node { prices: cases[at].prices.take(), split: split.map(|(pair, _)| pair as usize) });
        if let Some((_, [taken, closed])) = split {
            waiting.extend([closed, taken]);
        }
    }
    nodes
}
