//! Better plans nearby: some experts who ask for the same requests are freed, and their part is solved by itself.
//!
//! A part has a program of its own ([`super::master`]), which is small and often says at once that nothing better is there. Parts
//! grow as long as they can be solved, and shrink where they cannot (adaptive large neighbourhoods, Pisinger and Ropke 2007).

use super::branch::Manner;
use super::closing::{Closer, Dice, Meter, STEPS};
use super::master::Master;
use super::parts::Parts;
use super::portion::Portion;
use super::pricing::Goal;

/// So many parts in a row without a better plan are enough.
const IDLE: usize = 60;
/// Experts of the first part.
const FIRST: usize = 10;
/// The most work for a part.
const WORK: u64 = 40_000;

impl Closer<'_, '_> {
    /// Goes from part to part until the level comes to the `least` it can, or nothing has come of it for long.
    pub(super) fn around(&mut self, goal: &mut Goal, wanted: &[f64], least: i64, most: u64) {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        let (mut idle, mut many) = (0, FIRST);
        while idle < IDLE && goal.values[goal.level] > least && !self.over(most) {
            let free = self.company(&mut dice, many.min(self.parts.own.len()), wanted);
            let before = self.value;
            let solved = self.part(&free, goal.level, most);
            goal.values = self.value;
            let better = self.value < before;
            idle = if better { 0 } else { idle + 1 };
            many = if solved { (many + 1).min(self.parts.own.len()) } else { many.saturating_sub(2).max(4) };
            if solved && !better && free.len() == self.parts.own.len() {
                break;
            }
        }
    }

    /// Solves the part of some experts; whether that came to an end.
    fn part(&mut self, free: &[u32], level: usize, most: u64) -> bool {
        let portion = Portion::new(self.parts, &self.plan, free, &self.held);
        let parts = Parts::new(&portion.problem);
        let plan = portion.within(&self.plan);
        if !Master::fits(&parts, &plan) {
            return false;
        }
        let most = WORK.min(most.saturating_sub(self.used()));
        let mut meter = Meter { most, stop: self.meter.stop, steps: 0, stopped: false };
        let mut closer = Closer::new(&parts, plan, &mut meter);
        if self.held.quotas.is_some() {
            closer.held.quotas = Some(parts.counts(&closer.plan));
        }
        let before = closer.value;
        let solved = closer.branch(level, &mut None, most, Manner::Part).is_some_and(|(_, solved)| solved);
        let used = closer.used();
        if closer.value < before {
            let plan = portion.beyond(&closer.plan);
            let value = self.parts.problem.objective(&plan);
            self.offer(plan, value);
        }
        self.meter.steps += (used + 50) * STEPS;
        solved
    }

    /// So many experts who ask for the same requests; three in four because one has what the other is wanted for.
    fn company(&self, dice: &mut Dice, many: usize, wanted: &[f64]) -> Vec<u32> {
        let parts = self.parts;
        let mut has = vec![false; parts.cost.len()];
        self.plan.iter().for_each(|pair| has[*pair] = true);
        let matters = |pair: u32| has[pair as usize] || wanted[pair as usize] > 0.01;
        let mut free = vec![u32::try_from(dice.roll(parts.own.len())).unwrap_or(0)];
        let mut tries = 0;
        while free.len() < many && tries < 400 * many {
            tries += 1;
            let own = &parts.own[free[dice.roll(free.len())] as usize];
            if own.is_empty() {
                free[0] = u32::try_from(dice.roll(parts.own.len())).unwrap_or(0);
                continue;
            }
            let guided = dice.roll(4) > 0;
            let pair = own[dice.roll(own.len())];
            let (from, to) = parts.of_request[parts.request_of[pair as usize] as usize];
            let other = from + u32::try_from(dice.roll((to - from) as usize)).unwrap_or(0);
            let next = parts.expert_of[other as usize];
            if (!guided || (matters(pair) && matters(other))) && !free.contains(&next) {
                free.push(next);
            }
        }
        free.sort_unstable();
        free.dedup();
        free
    }
}
