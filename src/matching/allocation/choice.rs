//! What is best for one expert alone at given prices: which of the own pairs, within places and the limits that are theirs.
//!
//! # Method
//! A table over the pairs left, the number taken and the amount left of one limit (the one that binds most pairs) gives what
//! can still be won at most; a search takes or leaves one pair after another and gives up where the table says that nothing
//! better can come. Without other limits the first way down is the best already. Amounts are rounded in the safe direction
//! where the table would be too large, and where the search would take too long the table's word is the answer: always a
//! number that no choice exceeds.

use super::parts::{Parts, divisor};
use super::pricing::Status;

/// Most cells of a table.
const CELLS: usize = 1 << 17;
/// Most pairs that are looked at in the search of one expert.
const NODES: u32 = 4_000;

/// A pair that may be worth it.
#[derive(Debug, Clone)]
struct Item {
    pair: u32,
    request: u32,
    profit: i64,
    /// What it takes of the limit of the table.
    amount: usize,
}

/// Room for the work, kept from one expert to the next.
#[derive(Debug, Default)]
pub struct Choice {
    items: Vec<Item>,
    /// `wins[i][count][left]`: the most that the items from `i` on can add, flat.
    wins: Vec<i64>,
    counts: usize,
    lefts: usize,
    /// What the next engagement costs, by how many there are.
    steps: Vec<i64>,
    /// What is left of each limit of the problem.
    left: Vec<i64>,
    requests: Vec<u32>,
    taken: Vec<u32>,
    /// What was chosen, and whether it is known to be the best.
    pub chosen: Vec<u32>,
    best: i64,
    nodes: u32,
    /// Cells and nodes so far: the work.
    pub work: u64,
    /// How many times there was something to choose.
    pub asked: u64,
}

/// What is asked of an expert.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Which expert.
    pub expert: usize,
    /// What each pair wins before the cost of load.
    pub profits: &'a [i64],
    /// Which pairs may or must be taken.
    pub status: &'a [Status],
    /// The price of a point of load.
    pub load: i64,
    /// A pair that is to be taken beside those that must.
    pub with: Option<u32>,
}

impl Choice {
    /// Room for a problem.
    pub fn new(parts: &Parts<'_>) -> Self {
        Self { left: parts.problem.limits.iter().map(|limit| limit.capacity).collect(), ..Self::default() }
    }

    /// The most that the expert's pairs can win, or a little more where that is too long a search; what must be taken is in it.
    /// `None`: what must be taken cannot be.
    pub fn best(&mut self, parts: &Parts<'_>, ask: Question<'_>) -> Option<i64> {
        self.chosen.clear();
        self.requests.clear();
        let must = |pair: &u32| ask.status[*pair as usize] == Status::Taken || ask.with == Some(*pair);
        let own = &parts.own[ask.expert];
        let forced: Vec<u32> = own.iter().copied().filter(must).collect();
        for pair in &forced {
            self.draw(parts, *pair, true);
            self.requests.push(parts.request_of[*pair as usize]);
        }
        let all = self.choose(parts, ask, &forced);
        for pair in &forced {
            self.draw(parts, *pair, false);
        }
        self.chosen.extend(forced);
        self.chosen.sort_unstable();
        all
    }

    fn draw(&mut self, parts: &Parts<'_>, pair: u32, takes: bool) {
        for (limit, amount) in parts.draws(pair) {
            self.left[*limit as usize] -= if takes { *amount } else { -*amount };
        }
    }

    fn fits(&self, parts: &Parts<'_>, pair: u32) -> bool {
        // Limits that several experts share are no concern of one.
        parts
            .draws(pair)
            .iter()
            .all(|(limit, amount)| parts.owner[*limit as usize].is_none() || self.left[*limit as usize] >= *amount)
    }

    fn choose(&mut self, parts: &Parts<'_>, ask: Question<'_>, forced: &[u32]) -> Option<i64> {
        let expert = &parts.problem.experts[ask.expert];
        let own = &parts.own[ask.expert];
        let places = usize::try_from(expert.places).unwrap_or(usize::MAX).min(own.len());
        let twice = self.requests.iter().enumerate().any(|(at, request)| self.requests[..at].contains(request));
        if forced.len() > places || twice {
            return None;
        }
        for pair in forced {
            if !parts
                .draws(*pair)
                .iter()
                .all(|(limit, _)| parts.owner[*limit as usize].is_none() || self.left[*limit as usize] >= 0)
            {
                return None;
            }
        }
        let already = i64::try_from(forced.len()).ok()?;
        let room = places - forced.len();
        let sure =
            forced.iter().map(|pair| ask.profits[*pair as usize]).sum::<i64>() - ask.load * parts.of_expert(ask.expert, already);
        self.steps.clear();
        self.steps.extend(
            (0..room)
                .zip(already..)
                .map(|(_, count)| ask.load * (parts.of_expert(ask.expert, count + 1) - parts.of_expert(ask.expert, count))),
        );
        let least = self.steps.iter().copied().min().unwrap_or(0);
        let mut items = std::mem::take(&mut self.items);
        items.clear();
        for pair in own {
            let (profit, request) = (ask.profits[*pair as usize], parts.request_of[*pair as usize]);
            let open = ask.status[*pair as usize] == Status::Open;
            if open && profit > least && !self.requests.contains(&request) && self.fits(parts, *pair) {
                items.push(Item { pair: *pair, request, profit, amount: 0 });
            }
        }
        items.sort_unstable_by_key(|item| (std::cmp::Reverse(item.profit), item.pair));
        self.items = items;
        if self.items.is_empty() || room == 0 {
            return Some(sure);
        }
        self.tabulate(parts, room, least);
        let table = self.win((0, 0, self.lefts - 1));
        self.best = 0;
        self.nodes = 0;
        self.taken.clear();
        self.walk(parts);
        self.search(parts, (0, 0, self.lefts - 1), 0);
        self.asked += 1;
        self.work += u64::from(self.nodes) + self.wins.len() as u64 / 4;
        Some(sure + if self.nodes > NODES { table.max(0) } else { self.best })
    }

    /// The table of what can still be won.
    fn tabulate(&mut self, parts: &Parts<'_>, room: usize, least: i64) {
        let bound = self.binding(parts);
        let mut lefts = 1;
        if let Some(limit) = bound {
            let amount_of =
                |pair: u32| parts.draws(pair).iter().find(|(number, _)| *number == limit).map_or(0, |(_, amount)| *amount);
            let unit = self.items.iter().fold(0, |so_far, item| divisor(so_far, amount_of(item.pair))).max(1);
            let units = self.left[limit as usize] / unit;
            // So many cells for amounts that the table stays small; amounts are rounded down, and so is what there is, which
            // lets too much through but nothing too little.
            let most = i64::try_from((CELLS / (self.items.len() + 1)).clamp(32, 1024)).unwrap_or(32);
            let coarse = units / most + 1;
            for item in &mut self.items {
                item.amount = usize::try_from(amount_of(item.pair) / unit / coarse).unwrap_or(usize::MAX);
            }
            lefts = usize::try_from(units / coarse).unwrap_or(0) + 1;
        }
        // How many can be taken at all.
        let mut amounts: Vec<usize> = self.items.iter().map(|item| item.amount).collect();
        amounts.sort_unstable();
        let mut sum = 0;
        let fit = amounts
            .iter()
            .take_while(|amount| {
                sum += **amount;
                sum < lefts
            })
            .count();
        let most = fit.min(room);
        let even = self.steps.iter().take(most).all(|step| *step == least);
        let cells = (self.items.len() + 1) * (most + 1) * lefts;
        // The count matters where places are short or engagements cost more and more; where the table would be too large, the
        // cheapest engagement stands for all.
        let counted = (!even || room < fit) && cells <= CELLS * 4;
        self.counts = if counted { most + 1 } else { 1 };
        self.lefts = lefts;
        let row = self.counts * lefts;
        self.wins.clear();
        self.wins.resize(row * (self.items.len() + 1), 0);
        for at in (0..self.items.len()).rev() {
            let (profit, amount) = (self.items[at].profit, self.items[at].amount);
            let (here, below) = self.wins[at * row..].split_at_mut(row);
            let below = &below[..row];
            for count in 0..self.counts {
                let base = count * lefts;
                let next = if counted { base + lefts } else { base };
                let open = amount < lefts && (!counted || count + 1 < self.counts);
                let split = if open { amount } else { lefts };
                here[base..base + split].copy_from_slice(&below[base..base + split]);
                if open {
                    let gain = profit - if counted { self.steps[count] } else { least };
                    for left in amount..lefts {
                        here[base + left] = below[base + left].max(gain + below[next + left - amount]);
                    }
                }
            }
        }
    }

    /// The limit of the expert that binds the most of the items.
    fn binding(&self, parts: &Parts<'_>) -> Option<u32> {
        let mut sums: std::collections::BTreeMap<u32, (i64, usize)> = std::collections::BTreeMap::new();
        for item in &self.items {
            for (limit, amount) in parts.draws(item.pair) {
                if parts.owner[*limit as usize].is_some() {
                    let sum = sums.entry(*limit).or_insert((0, 0));
                    *sum = (sum.0.saturating_add(*amount), sum.1 + 1);
                }
            }
        }
        let binds = sums.into_iter().filter(|(limit, (sum, _))| *sum > self.left[*limit as usize]);
        binds.max_by_key(|(limit, (_, count))| (*count, std::cmp::Reverse(*limit))).map(|(limit, _)| limit)
    }

    fn win(&self, (at, count, left): (usize, usize, usize)) -> i64 {
        self.wins[(at * self.counts + count.min(self.counts - 1)) * self.lefts + left]
    }

    /// Follows the table down once: a first choice, and without other limits the best.
    fn walk(&mut self, parts: &Parts<'_>) {
        let (mut spot, mut sum) = ((0, 0, self.lefts - 1), 0);
        for at in 0..self.items.len() {
            spot.0 = at;
            if let Some((next, gain)) = self.step(parts, spot)
                && gain + self.win(next) >= self.win((at + 1, spot.1, spot.2))
            {
                self.take(parts, at);
                (spot, sum) = (next, sum + gain);
                self.note(sum);
            }
        }
        while !self.taken.is_empty() {
            self.give_back(parts);
        }
    }

    /// Where taking an item leads, and what it adds; `None` where it does not fit.
    fn step(&self, parts: &Parts<'_>, (at, count, left): (usize, usize, usize)) -> Option<((usize, usize, usize), i64)> {
        let item = &self.items[at];
        let step = self.steps.get(count)?;
        if item.amount > left || self.requests.contains(&item.request) || !self.fits(parts, item.pair) {
            return None;
        }
        Some(((at + 1, count + 1, left - item.amount), item.profit - step))
    }

    fn take(&mut self, parts: &Parts<'_>, at: usize) {
        let (pair, request) = (self.items[at].pair, self.items[at].request);
        self.draw(parts, pair, true);
        self.requests.push(request);
        self.taken.push(pair);
    }

    fn give_back(&mut self, parts: &Parts<'_>) {
        if let Some(pair) = self.taken.pop() {
            self.requests.pop();
            self.draw(parts, pair, false);
        }
    }

    fn note(&mut self, sum: i64) {
        if sum > self.best {
            self.best = sum;
            self.chosen.clear();
            self.chosen.extend_from_slice(&self.taken);
        }
    }

    fn search(&mut self, parts: &Parts<'_>, (from, count, left): (usize, usize, usize), sum: i64) {
        for at in from..self.items.len() {
            let spot = (at, count, left);
            if sum + self.win(spot) <= self.best || self.nodes > NODES {
                return;
            }
            self.nodes += 1;
            if let Some((next, gain)) = self.step(parts, spot) {
                self.take(parts, at);
                self.note(sum + gain);
                if sum + gain + self.win(next) > self.best {
                    self.search(parts, next, sum + gain);
                }
                self.give_back(parts);
            }
        }
    }
}
