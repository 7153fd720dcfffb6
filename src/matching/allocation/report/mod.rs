//! A result as it is handed on, and how anybody's result is looked at.
//!
//! A report names who takes what, what that comes to level by level, and what is proved. Only `format` and `assignments` must
//! be there: results of other programs can be checked as well. What a report claims counts for nothing by itself; [`check_report`]
//! recomputes it.
//!
//! Levels are shown as people read them: what is gained is counted upwards, squares and kilometres are to be small.

pub mod alternatives;
mod check;
pub mod ledger;
mod make;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use check::{Basis, Verified, check_report};
pub use make::{Making, MakingError, report};

use super::check::Verdict;
use super::instance::{DroppedEdge, InstanceError, MemberId, read};
use super::problem::{LEVELS, Level, Problem};
use super::search::Case;

/// The format and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ReportFormat {
    /// The first version.
    #[serde(rename = "tasuki-allocation-report/1")]
    V1,
}

/// Who takes which request, what that comes to, and what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllocationReport {
    /// The format and its version.
    pub format: ReportFormat,
    /// The program and its version, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, example = "tasuki 0.1.0")]
    pub engine: Option<String>,
    /// SHA-256 of the problem's canonical JSON in hexadecimal: the same for all instances that ask the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 64, max_length = 64)]
    pub instance_sha256: Option<String>,
    /// Who takes which request.
    #[schema(max_items = 1_000_000)]
    pub assignments: Vec<ReportAssignment>,
    /// What it comes to, all levels in their order; empty: nothing is claimed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 9)]
    pub levels: Vec<ReportLevel>,
    /// Whether every level is proved to be the best there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimal: Option<bool>,
    /// How many levels, from the first, are proved to be the best there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 9)]
    pub proved_levels: Option<u32>,
    /// How far the first level that is not proved may be from the best; absent where all are proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<ReportGap>,
    /// Circulations solved: the work that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 4_294_967_295_u32)]
    pub solves: Option<u32>,
    /// Whether the search stopped before it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<bool>,
    /// Whether the same instance gives the same result on every machine; not so where a clock stopped the search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reproducible: Option<bool>,
    /// What taking one request after another comes to, for comparison.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 9)]
    pub greedy: Vec<LevelFigure>,
    /// Requests that nobody takes, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1_000_000)]
    pub unserved: Vec<ReportUnserved>,
    /// Edges of the instance that can never be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 5_000_000)]
    pub impossible_edges: Vec<DroppedEdge>,
    /// What proves the levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<ReportCertificate>,
}

/// A request and who takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportAssignment {
    /// The request.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub request: i64,
    /// The expert, with a team its lead.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub expert: i64,
    /// The team; absent or 0: the expert alone.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schema(minimum = 0, maximum = 4_294_967_295_u32, default = 0)]
    pub team: u32,
    /// The other members of the team; absent: those the instance names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<MemberId>, max_items = 1_000)]
    pub others: Vec<i64>,
}

/// What a plan comes to on one level, and what is proved of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportLevel {
    /// The level.
    pub level: Level,
    /// What the plan comes to: a number for kept, never_served, small and served; bands for fit and points for score; sums of
    /// squares for spread and load; kilometres for travel.
    #[schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub value: i64,
    /// What no plan that is equal in all levels before can beat; absent after the first level that is not proved, since plans
    /// that are better there may be anything here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub bound: Option<i64>,
    /// Whether this level, and all before it, are proved to be the best there is.
    #[serde(default)]
    pub proved: bool,
    /// Whether they are proved to be the best there is among the plans that serve each body as often as this one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(default = false)]
    pub proved_within_counts: bool,
}

/// How far a level may be from the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportGap {
    /// The first level that is not proved.
    pub level: Level,
    /// Distance between value and bound in thousandths of the value (of one where the value is nothing), rounded up.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub permille: i64,
}

/// A figure of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelFigure {
    /// The level.
    pub level: Level,
    /// The figure, in the unit of the level.
    #[schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub value: i64,
}

/// Why nobody takes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportReason {
    /// The instance has no edge for it.
    NoEdge,
    /// All of its edges can never be chosen.
    ImpossibleEdges,
    /// In every edge that is left somebody has no places.
    NoPlaces,
    /// Those who could take it are taken by others.
    CapacityTaken,
    /// What several requests share is used up: minutes, days, times or a budget.
    Limited,
}

/// A request that nobody takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportUnserved {
    /// The request.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub request: i64,
    /// Why.
    pub reason: ReportReason,
    /// The cheapest change of the plan that would serve it; absent where none is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ReportChange>,
}

/// A change of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportChange {
    /// Who would take which request instead of whom.
    #[schema(max_items = 1_000_000)]
    pub moves: Vec<ReportMove>,
    /// By how much each level changes that does.
    #[schema(max_items = 9)]
    pub levels: Vec<LevelFigure>,
    /// Whether it is proved that no change is cheaper.
    pub cheapest: bool,
}

/// A request that changes hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportMove {
    /// The request.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub request: i64,
    /// Who has it; absent: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ReportTaker>,
    /// Who would take it; absent: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<ReportTaker>,
}

/// An expert, alone or at the head of a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportTaker {
    /// The expert.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub expert: i64,
    /// The team; absent or 0: the expert alone.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schema(minimum = 0, maximum = 4_294_967_295_u32, default = 0)]
    pub team: u32,
}

/// What proves the levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportCertificate {
    /// The cases of the search, the first being the whole: what bounds each, or into which it splits. Pairs, limits and nodes
    /// are named by their places in the canonical problem. Their form is the engine's own.
    #[schema(value_type = Vec<Object>, max_items = 10_000_000)]
    pub cases: Vec<Case>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl AllocationReport {
    /// Reads a report from JSON.
    ///
    /// # Errors
    /// Everything that does not have the documented form.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Vec<InstanceError>> {
        read(bytes, super::schema::report)
    }
}

/// A level's value as people read it: what is gained is counted upwards.
pub fn shown(level: Level, value: i64) -> i64 {
    if level.is_gain() { -value } else { value }
}

/// Values and what is proved of them, as people read them.
fn levels(problem: &Problem, verdict: &Verdict) -> Vec<ReportLevel> {
    let figures = verdict.value.iter().zip(&verdict.bound).enumerate();
    problem
        .levels()
        .into_iter()
        .zip(figures)
        .map(|(level, (place, (value, bound)))| ReportLevel {
            level,
            value: shown(level, *value),
            bound: (place <= verdict.proved).then(|| shown(level, *bound)),
            proved: place < verdict.proved,
            proved_within_counts: place < verdict.within,
        })
        .collect()
}

/// How far the first level that is not proved may be from the best, in thousandths of its value (of one where that is nothing);
/// `None`: all are proved. Rounded up: nothing that is open may look closed.
pub fn gap_permille(verdict: &Verdict) -> Option<i64> {
    let (value, bound) = (verdict.value.get(verdict.proved)?, verdict.bound.get(verdict.proved)?);
    let apart = (i128::from(*value) - i128::from(*bound)).abs() * 1000;
    let whole = i128::from(*value).abs().max(1);
    Some(i64::try_from((apart + whole - 1) / whole).unwrap_or(i64::MAX))
}

fn gap(problem: &Problem, verdict: &Verdict) -> Option<ReportGap> {
    Some(ReportGap { level: *problem.levels().get(verdict.proved)?, permille: gap_permille(verdict)? })
}

fn figures(problem: &Problem, values: &[i64; LEVELS]) -> Vec<LevelFigure> {
    let all = problem.levels().into_iter().zip(values);
    all.map(|(level, value)| LevelFigure { level, value: shown(level, *value) }).collect()
}

/// By how much the levels differ that do.
fn differences(problem: &Problem, by: &[i64; LEVELS]) -> Vec<LevelFigure> {
    figures(problem, by).into_iter().filter(|figure| figure.value != 0).collect()
}
