//! From a plan to its report.

use std::collections::{BTreeMap, BTreeSet};

use super::alternatives::{Alternative, Alternatives};
use super::{
    AllocationReport, ReportAssignment, ReportCertificate, ReportChange, ReportFormat, ReportMove, ReportReason, ReportTaker,
    ReportUnserved, differences, figures, gap, levels,
};
use crate::matching::allocation::check::check;
use crate::matching::allocation::flow::FlowError;
use crate::matching::allocation::instance::{Conversion, Instance, problem_sha256};
use crate::matching::allocation::network::{Change, Model};
use crate::matching::allocation::parts::Parts;
use crate::matching::allocation::problem::{Pair, Problem};
use crate::matching::allocation::search::{Planned, greedy};

/// Most changes that are looked for; further requests that nobody takes get a reason alone.
pub const MOST_CHANGES: usize = 1_000;

/// How a report is made.
#[derive(Debug, Clone, Copy)]
pub struct Making<'a> {
    /// The program and its version.
    pub engine: &'a str,
    /// Whether a clock stopped the search.
    pub by_clock: bool,
    /// Whether the certificate goes into the report.
    pub with_certificate: bool,
}

/// Why there is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MakingError {
    /// Figures are too large.
    Flow(FlowError),
    /// The checker refuses the plan.
    Refused(&'static str),
}

/// The report of a plan for an instance; what it says is proved is what the checker says.
///
/// # Errors
/// [`MakingError`] where the plan is not one of this problem.
pub fn report(
    instance: &Instance,
    conversion: &Conversion,
    planned: &Planned,
    making: Making<'_>,
) -> Result<AllocationReport, MakingError> {
    let problem = &conversion.problem;
    let verdict = check(problem, planned).map_err(MakingError::Refused)?;
    let assignment = |place: &usize| {
        let pair = &problem.pairs[*place];
        ReportAssignment { request: pair.request, expert: pair.expert, team: pair.team, others: pair.others.clone() }
    };
    Ok(AllocationReport {
        format: ReportFormat::V1,
        engine: Some(making.engine.to_owned()),
        instance_sha256: Some(problem_sha256(problem)),
        assignments: planned.plan.iter().map(assignment).collect(),
        levels: levels(problem, &verdict),
        optimal: Some(verdict.is_optimal()),
        proved_levels: u32::try_from(verdict.proved).ok(),
        gap: gap(problem, &verdict),
        solves: Some(planned.solves),
        stopped: Some(planned.stopped),
        reproducible: Some(!making.by_clock),
        greedy: figures(problem, &problem.objective(&greedy(problem))),
        unserved: unserved(instance, conversion, planned)?,
        impossible_edges: conversion.dropped.clone(),
        certificate: making.with_certificate.then(|| ReportCertificate { cases: planned.cases.clone() }),
    })
}

fn unserved(instance: &Instance, conversion: &Conversion, planned: &Planned) -> Result<Vec<ReportUnserved>, MakingError> {
    let problem = &conversion.problem;
    let served: BTreeSet<i64> = planned.plan.iter().map(|pair| problem.pairs[*pair].request).collect();
    let open: Vec<i64> = problem.requests.iter().map(|request| request.id).filter(|id| !served.contains(id)).collect();
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let asked: BTreeSet<i64> = instance.edges.iter().map(|edge| edge.request).collect();
    let mut of_request: BTreeMap<i64, Vec<&Pair>> = BTreeMap::new();
    for pair in &problem.pairs {
        of_request.entry(pair.request).or_default().push(pair);
    }
    let places: BTreeMap<i64, u32> = problem.experts.iter().map(|expert| (expert.id, expert.places)).collect();
    let has_places = |pair: &&Pair| pair.members().all(|member| places.get(&member).is_some_and(|places| *places > 0));
    let closed = planned.closed.clone().unwrap_or_default();
    let model = Model::new(problem, &closed);
    let (base, solution) = model.solve().map_err(MakingError::Flow)?;
    let parts = Parts::new(problem);
    let mut alternatives = Alternatives::new(&parts, planned, &model, (&base, &solution));
    let changes = Changes { problem, full: full(problem, &planned.plan) };
    let mut left = MOST_CHANGES;
    let mut told = Vec::with_capacity(open.len());
    for request in open {
        let pairs = of_request.get(&request).map_or(&[][..], Vec::as_slice);
        let reason = if !asked.contains(&request) {
            ReportReason::NoEdge
        } else if pairs.is_empty() {
            ReportReason::ImpossibleEdges
        } else if !pairs.iter().any(has_places) {
            ReportReason::NoPlaces
        } else {
            let change =
                if left > 0 { alternatives.to_serve(request).map(|alternative| changes.told(&alternative)) } else { None };
            left = left.saturating_sub(1);
            let reason = changes.reason(pairs);
            told.push(ReportUnserved { request, reason, change });
            continue;
        };
        told.push(ReportUnserved { request, reason, change: None });
    }
    Ok(told)
}

struct Changes<'a> {
    problem: &'a Problem,
    /// Experts without places left.
    full: BTreeSet<i64>,
}

impl Changes<'_> {
    fn told(&self, alternative: &Alternative) -> ReportChange {
        let levels = differences(self.problem, &alternative.change.levels);
        ReportChange { moves: self.moves(&alternative.change), levels, cheapest: alternative.cheapest }
    }

    fn moves(&self, change: &Change) -> Vec<ReportMove> {
        let mut moves: BTreeMap<i64, (Option<ReportTaker>, Option<ReportTaker>)> = BTreeMap::new();
        let taker = |pair: &Pair| Some(ReportTaker { expert: pair.expert, team: pair.team });
        for pair in change.removed.iter().map(|pair| &self.problem.pairs[*pair]) {
            moves.entry(pair.request).or_default().0 = taker(pair);
        }
        for pair in change.added.iter().map(|pair| &self.problem.pairs[*pair]) {
            moves.entry(pair.request).or_default().1 = taker(pair);
        }
        moves.into_iter().map(|(request, (from, to))| ReportMove { request, from, to }).collect()
    }

    /// Whether others have the places, or something that is shared is used up: where an edge has places left, they do not
    /// keep anybody from it.
    fn reason(&self, pairs: &[&Pair]) -> ReportReason {
        let is_full = |pair: &&Pair| pair.members().any(|member| self.full.contains(&member));
        if pairs.iter().all(is_full) { ReportReason::CapacityTaken } else { ReportReason::Limited }
    }
}

/// Experts whose places the plan takes up.
fn full(problem: &Problem, plan: &[usize]) -> BTreeSet<i64> {
    let mut taken: BTreeMap<i64, u32> = BTreeMap::new();
    for pair in plan.iter().map(|pair| &problem.pairs[*pair]) {
        for member in pair.members() {
            *taken.entry(member).or_insert(0) += 1;
        }
    }
    let full = problem.experts.iter().filter(|expert| taken.get(&expert.id).copied().unwrap_or(0) >= expert.places);
    full.map(|expert| expert.id).collect()
}
