//! Closes the gap between plan and bound, level by level: prices, plans along what prices want, pairs closed by the bound, and a
//! search over the rest.

use super::ascent::{Ascent, Course, Scales, WHOLE, first_prices};
use super::branch::Manner;
use super::improve::Draft;
use super::master::Master;
use super::parts::Parts;
use super::pricing::{Goal, Held, NEVER, Pricer, Prices, Status};
use super::problem::LEVELS;
use super::tree::{Node, Tree};

/// The work that is left, and who may end it.
pub struct Meter<'a> {
    /// Experts that may be asked for their best choice.
    pub most: u64,
    /// Asked now and then; the search ends when it says so.
    pub stop: &'a dyn Fn() -> bool,
    /// Changes of drafts so far.
    pub steps: u64,
    /// Whether the work was ended before it was done.
    pub stopped: bool,
}

/// So many changes of a draft are as much work as asking one expert.
pub(super) const STEPS: u64 = 256;
/// Rounds for the first prices of a level.
const ROUNDS: u32 = 300;

/// Works on the levels of one problem.
pub struct Closer<'a, 'm> {
    pub(super) parts: &'a Parts<'a>,
    pub(super) pricer: Pricer<'a>,
    pub(super) meter: &'m mut Meter<'m>,
    /// What is closed for good.
    pub(super) held: Held,
    /// The best plan so far.
    pub plan: Vec<usize>,
    /// What it comes to.
    pub value: [i64; LEVELS],
}

impl<'a, 'm> Closer<'a, 'm> {
    /// Starts from a plan that keeps every limit.
    pub fn new(parts: &'a Parts<'a>, plan: Vec<usize>, meter: &'m mut Meter<'m>) -> Self {
        let value = parts.problem.objective(&plan);
        Self { parts, pricer: Pricer::new(parts), meter, held: Held::new(parts), plan, value }
    }

    /// Work that was done.
    pub fn used(&self) -> u64 {
        self.pricer.asked() + self.meter.steps / STEPS
    }

    pub(super) fn over(&mut self, most: u64) -> bool {
        let over = self.used() > most.min(self.meter.most) || (self.meter.stop)();
        self.meter.stopped |= over;
        over
    }

    /// Proves and improves, level by level; `bound` is what is known of all levels, and is raised. What proves the levels, in
    /// order, from the first that is not known already.
    pub fn run(&mut self, bound: &mut [i64; LEVELS]) -> Vec<Tree> {
        let whole = self.meter.most;
        // The rest is for what is proved within the counts of bodies; a program hardly proves more within them than without.
        self.meter.most = whole / 5 * if Master::fits(self.parts, &self.plan) { 4 } else { 3 };
        let mut trees = Vec::new();
        let mut from: Option<Prices> = None;
        let mut master = None;
        let mut open = false;
        for level in 0..LEVELS {
            if self.value[..=level] == bound[..=level] || (open && !self.parts.counted(level)) {
                continue;
            }
            let left = self.meter.most.saturating_sub(self.used());
            let most = self.used() + if open { left / 4 } else { left / 5 * 3 };
            if self.over(most) {
                break;
            }
            let Some((tree, prices)) = self.any_level(level, (&mut master, from.as_ref()), most, open) else { break };
            if !open {
                let goal = Goal { level, values: self.value };
                let step = self.parts.step(level);
                let Some(found) = tree.bound(&mut self.pricer, &goal, &mut self.held, step) else { break };
                if found > bound[level] {
                    bound[level] = found;
                    (level + 1..LEVELS).for_each(|after| bound[after] = self.parts.floor(after));
                }
                open = found < self.value[level];
                if !open {
                    tree.close(&mut self.pricer, &goal, &mut self.held, step);
                }
                trees.push(tree);
            }
            from = prices;
        }
        self.meter.most = whole;
        trees
    }

    /// The same among the plans that serve each body as often as the plan does: what proves the levels that do not depend on
    /// this alone, in order.
    pub fn run_within(&mut self) -> Vec<Tree> {
        self.held = Held::new(self.parts);
        self.held.quotas = Some(self.parts.counts(&self.plan));
        let mut trees = Vec::new();
        let mut from: Option<Prices> = None;
        let mut master = None;
        let mut open = false;
        for level in (0..LEVELS).filter(|level| !self.parts.counted(*level)) {
            let left = self.meter.most.saturating_sub(self.used());
            let most = self.used() + if open { left / 4 } else { left / 5 * 3 };
            if self.over(most) {
                break;
            }
            let Some((tree, prices)) = self.any_level(level, (&mut master, from.as_ref()), most, open) else { break };
            if !open {
                let goal = Goal { level, values: self.value };
                let step = self.parts.step(level);
                open = tree.bound(&mut self.pricer, &goal, &mut self.held, step) != Some(self.value[level]);
                if !open {
                    tree.close(&mut self.pricer, &goal, &mut self.held, step);
                }
                trees.push(tree);
            }
            from = prices;
        }
        trees
    }

    /// Takes a plan over if it is better.
    pub(super) fn offer(&mut self, plan: Vec<usize>, value: [i64; LEVELS]) -> bool {
        let better = value < self.value && self.held.quotas.as_ref().is_none_or(|quotas| *quotas == self.parts.counts(&plan));
        if better {
            (self.plan, self.value) = (plan, value);
        }
        better
    }

    /// One level: with prices from a linear program where that is small enough.
    fn any_level(
        &mut self,
        level: usize,
        (master, from): (&mut Option<Master<'a>>, Option<&Prices>),
        most: u64,
        open: bool,
    ) -> Option<(Tree, Option<Prices>)> {
        if Master::fits(self.parts, &self.plan) {
            let manner = if open { Manner::Plans } else { Manner::Whole };
            return self.branch(level, master, most, manner).map(|(tree, _)| (tree, None));
        }
        self.level(level, from, most, open).map(|(tree, prices)| (tree, Some(prices)))
    }

    /// One level, with prices from steps.
    fn level(&mut self, level: usize, from: Option<&Prices>, most: u64, open: bool) -> Option<(Tree, Prices)> {
        let mut goal = Goal { level, values: self.value };
        let step = self.parts.step(level);
        let scales = Scales::new(self.parts, &goal);
        let prices = first_prices(&mut self.pricer, &goal, &self.held, from)?;
        let mut ascent = Ascent::new(&mut self.pricer, &goal, &self.held, prices)?;
        // Prices get less than half of the work, so that there is some left for plans.
        let affordable = most.saturating_sub(self.used()) * 2 / 5 / (self.parts.own.len() as u64 + 1);
        let rounds = u32::try_from(affordable).unwrap_or(ROUNDS).clamp(24, ROUNDS);
        for round in 0..6 {
            let target = goal.values[goal.level];
            let enough = move |bound: i64| goal.rounded(bound, step) >= target;
            let course = Course {
                rounds: if round == 0 { rounds } else { rounds / 4 },
                part: if round == 0 { 20 } else { 200 },
                halvings: if round == 0 { 9 } else { 5 },
            };
            let spent = most.saturating_sub(self.meter.steps / STEPS);
            let go_on = &mut |pricer: &mut Pricer<'_>, _: &Ascent| pricer.asked() < spent;
            if ascent.run(&mut self.pricer, (&goal, &self.held, &scales), course, &enough, go_on) || self.over(most) {
                break;
            }
            let plan = self.dive(&goal, &scales, &ascent, 6 + 10 * round);
            let value = self.parts.problem.objective(&plan);
            if self.offer(plan, value) {
                goal.values = self.value;
            } else if round > 0 {
                break;
            }
            ascent.restart();
        }
        let root = ascent.prices.clone();
        let mut tree = Tree { level, nodes: Vec::new() };
        if Master::suits(self.parts, &self.plan) {
            let wanted: Vec<f64> = ascent.wanted.iter().map(|wanted| f64::from(*wanted) / WHOLE as f64).collect();
            let used = self.used();
            let most = used + most.saturating_sub(used) / 4 * 3;
            let least = goal.rounded(ascent.bound, step);
            self.around(&mut goal, &wanted, least, most);
        } else {
            self.neighbours(&mut goal, step, &scales, &ascent, most);
        }
        if open {
            return Some((tree, root));
        }
        self.search((&mut tree, false), goal, step, &scales, ascent, most);
        Some((tree, root))
    }

    /// Large neighbourhoods: a few experts who share requests are freed, the others keep what they have, and the small rest is
    /// searched. Ends when the bound is reached, or nothing has come of it for long.
    fn neighbours(&mut self, goal: &mut Goal, step: i64, scales: &Scales, ascent: &Ascent, most: u64) {
        let parts = self.parts;
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        let mut idle = 0;
        let start = self.used();
        let most = start + most.saturating_sub(start) * 3 / 4;
        while idle < 150 && !self.over(most) && goal.rounded(ascent.bound, step) < goal.values[goal.level] {
            let mark = self.held.mark();
            self.free_some(&mut dice, (parts.own.len() / 4).clamp(2, 8) + idle / 16);
            let before = self.value;
            let mut tree = Tree { level: goal.level, nodes: Vec::new() };
            let most = most.min(self.used() + 4_000);
            let mut from = ascent.clone();
            from.restart();
            let was = self.meter.stopped;
            self.search((&mut tree, true), *goal, step, scales, from, most);
            self.meter.stopped = was;
            self.held.back(parts, mark);
            idle = if self.value < before { 0 } else { idle + 1 };
            goal.values = self.value;
        }
    }

    /// Frees so many experts around a few requests; the pairs of the others stay as they are in the plan.
    fn free_some(&mut self, dice: &mut Dice, many: usize) {
        let parts = self.parts;
        let mut free = vec![false; parts.own.len()];
        let mut left = many.min(parts.own.len());
        for _ in 0..many * 4 {
            let request = dice.roll(parts.of_request.len());
            let (from, to) = parts.of_request[request];
            if to == from {
                continue;
            }
            for _ in 0..4 {
                let pair = from as usize + dice.roll((to - from) as usize);
                let free = &mut free[parts.expert_of[pair] as usize];
                if !*free && left > 0 {
                    *free = true;
                    left -= 1;
                }
            }
        }
        let mut stays = vec![false; parts.cost.len()];
        for pair in &self.plan {
            stays[*pair] = !free[parts.expert_of[*pair] as usize];
        }
        for (pair, stays) in (0..u32::try_from(parts.cost.len()).unwrap_or(0)).zip(&stays) {
            if *stays {
                self.held.take(parts, pair);
            } else if !free[parts.expert_of[pair as usize] as usize] {
                self.held.close(parts, pair);
            }
        }
    }

    /// Takes what is wanted most, lets the prices settle, and goes on until everything is decided: a plan, made better at the end.
    fn dive(&mut self, goal: &Goal, scales: &Scales, start: &Ascent, fine: usize) -> Vec<usize> {
        let parts = self.parts;
        let mark = self.held.mark();
        let mut ascent = start.clone();
        let mut draft = Draft::new(parts, &[]);
        loop {
            let few = |pair: &u32| {
                self.held.status[*pair as usize] == Status::Open
                    && ascent.wanted[*pair as usize] > (WHOLE / 8) as i32
                    && draft.takes(*pair)
            };
            let mut wanted: Vec<u32> = (0..u32::try_from(parts.cost.len()).unwrap_or(0)).filter(few).collect();
            wanted.sort_unstable_by_key(|pair| (std::cmp::Reverse(ascent.wanted[*pair as usize]), *pair));
            if wanted.is_empty() {
                break;
            }
            let few = wanted.len() / fine + 1;
            for (at, pair) in wanted.into_iter().enumerate() {
                let sure = i64::from(ascent.wanted[pair as usize]) > WHOLE * 9 / 10;
                if (at < few || sure) && draft.takes(pair) {
                    draft.add(pair);
                    self.held.take(parts, pair);
                }
            }
            let prices = ascent.prices.clone();
            let Some(mut next) = Ascent::new(&mut self.pricer, goal, &self.held, prices) else { break };
            if next.bound >= NEVER {
                break;
            }
            next.wanted = std::mem::take(&mut ascent.wanted);
            ascent = next;
            let course = Course { rounds: 12, part: 200, halvings: 2 };
            ascent.run(&mut self.pricer, (goal, &self.held, scales), course, &|_| false, &mut |_, _| true);
        }
        self.held.back(parts, mark);
        self.finish(draft, start, 1_000_000)
    }

    /// Fills a draft up by what is wanted, and makes it better.
    fn finish(&mut self, mut draft: Draft<'a>, wanted: &Ascent, steps: u64) -> Vec<usize> {
        let open = |pair: &u32| self.held.status[*pair as usize] == Status::Open;
        let mut order: Vec<u32> = (0..u32::try_from(self.parts.cost.len()).unwrap_or(0)).filter(open).collect();
        order.sort_unstable_by_key(|pair| (std::cmp::Reverse(wanted.wanted[*pair as usize]), *pair));
        draft.fill(order.into_iter());
        draft.improve(1, steps, |request| !self.held.taken[request as usize] && self.held.open[request as usize] > 0);
        self.meter.steps += draft.steps;
        draft.plan()
    }

    /// Searches the cases of a level, what is taken first; a case is left when its bound reaches the value of the best plan.
    fn search(&mut self, (tree, small): (&mut Tree, bool), mut goal: Goal, step: i64, scales: &Scales, root: Ascent, most: u64) {
        let parts = self.parts;
        let start = self.held.mark();
        struct Task {
            decided: Option<(u32, bool)>,
            from: Ascent,
            mark: usize,
        }
        let mut tasks = vec![Task { decided: None, from: root, mark: start }];
        let mut over = false;
        while let Some(task) = tasks.pop() {
            self.held.back(parts, task.mark);
            match task.decided {
                Some((pair, true)) => self.held.take(parts, pair),
                Some((pair, false)) => self.held.close(parts, pair),
                None => {}
            }
            let target = goal.values[goal.level];
            let enough = move |bound: i64| goal.rounded(bound, step) >= target;
            let first = task.decided.is_none() && !small;
            let wanted = task.from.wanted;
            let Some(mut ascent) = Ascent::new(&mut self.pricer, &goal, &self.held, task.from.prices) else { return };
            if enough(ascent.bound) && !first {
                tree.nodes.push(Node { prices: None, split: None });
                continue;
            }
            over = over || self.over(most);
            ascent.wanted = wanted;
            let before = ascent.bound;
            if !over && !first {
                let course = Course { rounds: 40, part: 400, halvings: 3 };
                ascent.run(&mut self.pricer, (&goal, &self.held, scales), course, &enough, &mut |_, _| true);
            }
            let prices = (first || ascent.bound > before).then(|| ascent.prices.clone());
            if over || enough(ascent.bound) {
                tree.nodes.push(Node { prices, split: None });
                continue;
            }
            // Nothing is closed by prices that are not told.
            if let (Some(prices), Some(bound)) = (&prices, self.pricer.bound(&goal, &ascent.prices, &self.held)) {
                self.pricer.close_dear(prices, &mut self.held, bound, enough);
            }
            let plan = self.complete(&ascent);
            let value = parts.problem.objective(&plan);
            if self.offer(plan, value) {
                goal.values = self.value;
                if small {
                    break;
                }
            }
            let open = |pair: &u32| self.held.status[*pair as usize] == Status::Open;
            let doubt = |pair: &u32| (i64::from(ascent.wanted[*pair as usize]) - WHOLE * 6 / 10).abs();
            let split = (0..u32::try_from(parts.cost.len()).unwrap_or(0)).filter(open).min_by_key(|pair| (doubt(pair), *pair));
            tree.nodes.push(Node { prices, split: split.map(|pair| pair as usize) });
            if let Some(pair) = split {
                let mark = self.held.mark();
                tasks.push(Task { decided: Some((pair, false)), from: ascent.clone(), mark });
                tasks.push(Task { decided: Some((pair, true)), from: ascent, mark });
            }
        }
        self.held.back(parts, start);
    }

    /// A plan with what is taken, and beside it what is wanted.
    fn complete(&mut self, ascent: &Ascent) -> Vec<usize> {
        let mut draft = Draft::new(self.parts, &[]);
        let taken = (0..u32::try_from(self.parts.cost.len()).unwrap_or(0))
            .filter(|pair| self.held.status[*pair as usize] == Status::Taken);
        draft.fill(taken);
        self.finish(draft, ascent, 20_000)
    }
}

/// Numbers that look like chance and are the same every time.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides.max(1)
    }
}
