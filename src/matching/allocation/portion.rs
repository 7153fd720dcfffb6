//! A part of a problem: some experts are free, the others keep what they have in a plan.
//!
//! What the others have is taken out: their requests, and what they draw on together with the free ones. Every plan of the part
//! is one of the whole, and the differences between plans are the same in every level.

use std::collections::BTreeMap;

use super::parts::Parts;
use super::pricing::{Held, Status};
use super::problem::{Body, Limit, Problem};

/// A part of a problem.
#[derive(Debug)]
pub struct Portion {
    /// The part as a problem of its own.
    pub problem: Problem,
    /// The pair of the whole of each pair.
    whole: Vec<usize>,
    /// The pairs of the others.
    rest: Vec<usize>,
}

impl Portion {
    /// The part in which the experts that are named are free. What is closed is not in it.
    pub fn new(parts: &Parts<'_>, plan: &[usize], free: &[u32], held: &Held) -> Self {
        let problem = parts.problem;
        let is_free = |expert: u32| free.contains(&expert);
        let rest: Vec<usize> = plan.iter().copied().filter(|pair| !is_free(parts.expert_of[*pair])).collect();
        let mut served = vec![false; problem.requests.len()];
        let mut counts = vec![0_u32; problem.bodies.len()];
        let mut drawn: BTreeMap<u32, i64> = BTreeMap::new();
        for pair in &rest {
            let request = parts.request_of[*pair] as usize;
            served[request] = true;
            counts[parts.body_of[request] as usize] += 1;
            for (limit, amount) in parts.draws(u32::try_from(*pair).unwrap_or(0)) {
                if parts.owner[*limit as usize].is_none() {
                    *drawn.entry(*limit).or_insert(0) += amount;
                }
            }
        }
        let open =
            |pair: &u32| held.status[*pair as usize] != Status::Closed && !served[parts.request_of[*pair as usize] as usize];
        let mut pairs: Vec<u32> =
            free.iter().flat_map(|expert| parts.own[*expert as usize].iter().copied()).filter(open).collect();
        pairs.sort_unstable();
        let mut requests: Vec<u32> = pairs.iter().map(|pair| parts.request_of[*pair as usize]).collect();
        requests.dedup();
        let mut bodies: Vec<u32> = requests.iter().map(|request| parts.body_of[*request as usize]).collect();
        bodies.sort_unstable();
        bodies.dedup();
        let mut experts: Vec<u32> =
            free.iter().copied().chain(pairs.iter().flat_map(|pair| parts.others(*pair).iter().copied())).collect();
        experts.sort_unstable();
        experts.dedup();
        let mut limits: BTreeMap<u32, Vec<_>> = BTreeMap::new();
        for pair in &pairs {
            for (limit, amount) in parts.draws(*pair) {
                limits.entry(*limit).or_default().push((problem.pairs[*pair as usize].key(), *amount));
            }
        }
        let limit = |(number, uses): (u32, Vec<_>)| {
            let limit = &problem.limits[number as usize];
            let capacity = limit.capacity - drawn.get(&number).copied().unwrap_or(0);
            let sum: i64 = uses.iter().map(|(_, amount)| *amount).sum();
            (sum > capacity).then_some(Limit { kind: limit.kind, capacity, uses })
        };
        let body = |body: &u32| {
            let (one, already) = (&problem.bodies[*body as usize], counts[*body as usize]);
            Body {
                id: one.id,
                served: one.served + already,
                never_served: one.never_served && already == 0,
                small: one.small && already == 0,
            }
        };
        Self {
            problem: Problem {
                bodies: bodies.iter().map(body).collect(),
                experts: experts.iter().map(|expert| problem.experts[*expert as usize].clone()).collect(),
                requests: requests.iter().map(|request| problem.requests[*request as usize].clone()).collect(),
                pairs: pairs.iter().map(|pair| problem.pairs[*pair as usize].clone()).collect(),
                limits: limits.into_iter().filter_map(limit).collect(),
                band: problem.band,
                order: problem.order.clone(),
            },
            whole: pairs.iter().map(|pair| *pair as usize).collect(),
            rest,
        }
    }

    /// What a plan of the whole is in this part.
    pub fn within(&self, plan: &[usize]) -> Vec<usize> {
        plan.iter().filter_map(|pair| self.whole.binary_search(pair).ok()).collect()
    }

    /// A plan of the part as one of the whole.
    pub fn beyond(&self, plan: &[usize]) -> Vec<usize> {
        let mut all: Vec<usize> = self.rest.iter().copied().chain(plan.iter().map(|pair| self.whole[*pair])).collect();
        all.sort_unstable();
        all
    }
}
