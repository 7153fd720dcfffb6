//! What the API sends and takes for runs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{AllocationStatus, UnservedReason};
use super::store::RunLine;
use crate::clock::UtcTime;
use crate::error::Error;
use crate::ids::{AllocationId, ExpertId, OfferId, OrganisationId, PoolId, ProgrammeId, RequestId};
use crate::matching::allocation::problem::{Level, LimitKind};

/// A request with an expert, named by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedPair {
    /// The request.
    pub request_id: RequestId,
    /// The expert.
    pub expert_id: ExpertId,
}

/// What if an expert had another capacity than agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssumedPlaces {
    /// The expert.
    pub expert_id: ExpertId,
    /// Further requests to take on at most in this plan; absent: as agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1000, nullable = false)]
    pub places: Option<u32>,
    /// Minutes more in each week, month and fiscal year than agreed.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 100_000)]
    pub extra_minutes: u32,
}

fn solves() -> u32 {
    3_000
}

/// What is to be planned, and how plans are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"pins": [{"request_id": 12, "expert_id": 5}], "small_population": 10_000, "note": "前期分"}))]
pub struct AllocationOptions {
    /// Further pools of the same owner that are planned together with this one; experts stay with the requests of their pool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub further_pool_ids: Vec<PoolId>,
    /// Only requests of these programmes of the pools; empty: all.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub programme_ids: Vec<ProgrammeId>,
    /// Plan requests on the waiting list as well, as far as their programme's budget reaches for them.
    #[serde(default)]
    pub include_waitlisted: bool,
    /// What if: requests that are submitted or on the waiting list, planned as if they had been accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub add_request_ids: Vec<RequestId>,
    /// The order of the levels after must-keep, never served, small, and served: each of spread, fit, load, score and travel once;
    /// empty: as the programme says (with several, that with the smallest number).
    #[serde(default)]
    #[schema(max_items = 5)]
    pub level_order: Vec<Level>,
    /// Points of a band of fit; absent: as the programme says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000, nullable = false)]
    pub band_points: Option<u32>,
    /// Bodies with fewer people go before others; absent: as the programme says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100_000_000, nullable = false)]
    pub small_population: Option<i64>,
    /// Assignments that must be kept wherever that can be.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub pins: Vec<NamedPair>,
    /// Assignments that must not be.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub forbidden: Vec<NamedPair>,
    /// Other capacities than those agreed: what if.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub places: Vec<AssumedPlaces>,
    /// Circulations solved at most: the work after which the search stops and tells the gap. A plan with hours for 200 requests
    /// and 60 experts takes about a second for 700; where many limits bind, the last levels are proved with 100,000 and more.
    #[serde(default = "solves")]
    #[schema(minimum = 1, maximum = 1_000_000, default = 3000)]
    pub most_solves: u32,
    /// Seconds after which the search stops all the same; the plan then depends on the machine, and says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 3600, nullable = false)]
    pub time_limit_seconds: Option<u32>,
    /// A note.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub note: String,
}

impl AllocationOptions {
    /// The experts who must be kept for a request.
    pub fn pinned(&self, request: i64) -> BTreeSet<i64> {
        self.pins.iter().filter(|pair| pair.request_id.0 == request).map(|pair| pair.expert_id.0).collect()
    }

    /// The experts who must not take a request.
    pub fn forbidden(&self, request: i64) -> BTreeSet<i64> {
        self.forbidden.iter().filter(|pair| pair.request_id.0 == request).map(|pair| pair.expert_id.0).collect()
    }

    /// What is assumed of an expert.
    pub fn assumed(&self, expert: i64) -> Option<&AssumedPlaces> {
        self.places.iter().find(|one| one.expert_id.0 == expert)
    }
}

/// How plans are compared, after the programme's rules have been looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AllocationObjective)]
pub struct Objective {
    /// The order of the levels that can be chosen.
    #[schema(min_items = 5, max_items = 5)]
    pub level_order: Vec<Level>,
    /// Points of a band of fit.
    #[schema(minimum = 1, maximum = 1000)]
    pub band_points: u32,
    /// Bodies with fewer people go before others; absent: size does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100_000_000, nullable = false)]
    pub small_population: Option<i64>,
}

/// One level of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LevelResult {
    /// The level.
    pub level: Level,
    /// What the plan comes to: a number for kept, never_served, small and served; points for fit (bands) and score; sums of
    /// squares for spread and load; kilometres for travel.
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64)]
    pub value: i64,
    /// What no plan that is equal in all levels before can beat; absent after the first level that is not proved, since plans
    /// that are better there may be anything here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, nullable = false)]
    pub bound: Option<i64>,
    /// Whether the checker has proved this level, and all before it, to be the best there is.
    pub proved: bool,
    /// Whether it has proved them to be the best there is among the plans that serve each body as often as this one.
    #[serde(default)]
    pub proved_within_counts: bool,
}

/// A part of a change: who takes a request instead of whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AllocationMove {
    /// The request.
    pub request_id: RequestId,
    /// Who had it, of a team its lead; absent: nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_expert_id: Option<ExpertId>,
    /// The other members of the team that had it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 4)]
    pub from_other_ids: Vec<ExpertId>,
    /// Who would take it, of a team its lead; absent: nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_expert_id: Option<ExpertId>,
    /// The other members of the team that would take it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 4)]
    pub to_other_ids: Vec<ExpertId>,
}

/// The cheapest change of its kind, and what it costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AllocationChange {
    /// What would change hands.
    #[schema(max_items = 1000)]
    pub moves: Vec<AllocationMove>,
    /// What each level that changes would change by, in its own unit.
    #[schema(max_items = 9)]
    pub levels: Vec<LevelChange>,
    /// Whether it is proved that no change is cheaper.
    pub exact: bool,
}

/// By how much a level changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LevelChange {
    /// The level.
    pub level: Level,
    /// By how much; below zero is less.
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64)]
    pub by: i64,
}

/// How many experts one reason keeps from a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyCount {
    /// The reason.
    #[schema(min_length = 1, max_length = 100, example = "skills_missing")]
    pub code: String,
    /// How many experts.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub count: u32,
}

impl PolicyCount {
    /// A count of a reason.
    pub fn new(code: &str, count: u32) -> Self {
        Self { code: code.to_owned(), count }
    }
}

/// A request that the plan does not serve, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnservedRequest {
    /// The request.
    pub request_id: RequestId,
    /// Why.
    pub reason: UnservedReason,
    /// The reason in Japanese.
    #[schema(max_length = 200)]
    pub reason_label: String,
    /// How many experts fail which condition, most frequent first; `already_declined` says how many declined it or let an offer run out; those that begin with `impossible_` say how many who meet
    /// all of them could not take it even in an empty plan, and why.
    #[schema(max_items = 40)]
    pub exclusions: Vec<PolicyCount>,
    /// What keeps those who could take it from it, up to ten.
    #[schema(max_items = 10)]
    pub blockers: Vec<Blocker>,
    /// The cheapest change that would serve it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<AllocationChange>,
}

/// Why one of those who could take a request does not: by whom the capacity is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AllocationBlocker)]
pub struct Blocker {
    /// Whose capacity it is; absent with a budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expert_id: Option<ExpertId>,
    /// What is used up.
    pub kind: LimitKind,
    /// How much of it is left: places, minutes, days, yen.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub left: i64,
    /// How much the request needs.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    pub needed: i64,
    /// The requests that have it, up to ten.
    #[schema(max_items = 10)]
    pub taken_by: Vec<RequestId>,
}

/// What a level costs the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LevelPrice {
    /// The level that counts more.
    pub level: Level,
    /// The level after it.
    pub next: Level,
    /// By how much the next would change if the level did not count at all.
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64)]
    pub by: i64,
    /// Whether this holds exactly; otherwise without the limits that several requests share.
    pub exact: bool,
}

/// How bodies of a size fare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AllocationPopulationBand)]
pub struct PopulationBand {
    /// From so many people on; absent: their number is not on record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100_000_000, nullable = false)]
    pub least: Option<i64>,
    /// Below so many people; absent: no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100_000_000, nullable = false)]
    pub below: Option<i64>,
    /// Bodies that ask.
    #[schema(minimum = 1, maximum = 100_000)]
    pub bodies: u32,
    /// Of these, served in the fiscal year before the plan.
    #[schema(minimum = 0, maximum = 100_000)]
    pub served_before: u32,
    /// And with it.
    #[schema(minimum = 0, maximum = 100_000)]
    pub served_after: u32,
    /// Their requests.
    #[schema(minimum = 0, maximum = 100_000)]
    pub requests: u32,
    /// Of these, served by the plan.
    #[schema(minimum = 0, maximum = 100_000)]
    pub requests_served: u32,
}

/// Why an assignment is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssignmentFacts {
    /// The request.
    pub request_id: RequestId,
    /// Points of fit.
    #[schema(minimum = 0, maximum = 1000)]
    pub score: u32,
    /// Kilometres between base and place.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub kilometres: u32,
    /// Whether it had to be kept.
    pub pinned: bool,
    /// How many other experts, or teams, could take the request at all; absent in plans made before this was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub other_choices: Option<u32>,
    /// What the plan would be with somebody else for this request; absent: nobody else could take it, or no change was found that
    /// keeps every limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_choice: Option<AllocationChange>,
}

/// How even a plan is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AllocationFairness {
    /// Requests planned.
    #[schema(minimum = 0, maximum = 100_000)]
    pub requests: u32,
    /// Of these, served.
    #[schema(minimum = 0, maximum = 100_000)]
    pub served: u32,
    /// Bodies that ask and have never been served.
    #[schema(minimum = 0, maximum = 100_000)]
    pub never_served_bodies: u32,
    /// Of these, served now.
    #[schema(minimum = 0, maximum = 100_000)]
    pub never_served_reached: u32,
    /// By population of the bodies, smallest first, those without a figure last.
    #[serde(default)]
    #[schema(max_items = 6)]
    pub by_population: Vec<PopulationBand>,
    /// Smallest and largest load of an expert before the plan.
    pub load_before: LoadRange,
    /// And with it.
    pub load_after: LoadRange,
}

/// Loads of experts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoadRange {
    /// The smallest.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub least: u32,
    /// The largest.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub most: u32,
    /// Gini coefficient in thousandths: 0 is even.
    #[schema(minimum = 0, maximum = 1000)]
    pub gini_permille: u32,
}

/// What came out of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AllocationResult {
    /// How plans were compared.
    pub objective: Objective,
    /// The levels in their order.
    #[schema(max_items = 9)]
    pub levels: Vec<LevelResult>,
    /// Whether every level is proved by the checker.
    pub optimal: bool,
    /// How far the first level that is not proved may be from the best, in thousandths of its value; absent: all are proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64, nullable = false)]
    pub gap_permille: Option<i64>,
    /// What each level costs the next, where it costs something.
    #[schema(max_items = 8)]
    pub prices: Vec<LevelPrice>,
    /// What taking one request after another would have come to, level by level.
    #[schema(max_items = 9)]
    pub greedy: Vec<LevelChange>,
    /// Circulations solved.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub solves: u32,
    /// Whether the search stopped on counted work before it was over.
    pub stopped: bool,
    /// Whether the same facts give the same plan on every machine; not so where a clock stopped the search.
    pub reproducible: bool,
    /// SHA-256 of the problem that was solved.
    #[schema(min_length = 64, max_length = 64)]
    pub problem_sha256: String,
    /// Assignments that were to be kept, and cannot be: the expert fails a condition or is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub pins_not_possible: Vec<NamedPair>,
    /// Why each assignment is what it is.
    #[schema(max_items = 100_000)]
    pub assignments: Vec<AssignmentFacts>,
    /// What is not served.
    #[schema(max_items = 100_000)]
    pub unserved: Vec<UnservedRequest>,
    /// How even the plan is.
    pub fairness: AllocationFairness,
}

/// A request of a run and who is to be asked.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AssignmentView {
    /// The request.
    pub request_id: RequestId,
    /// The body that asks.
    #[schema(max_length = 200)]
    pub applicant: String,
    /// Its theme.
    #[schema(max_length = 200)]
    pub theme: String,
    /// Who is to be asked, of a team the lead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expert_id: Option<ExpertId>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub expert_name: Option<String>,
    /// The other members of the team.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 4)]
    pub others: Vec<AssignedMember>,
    /// Whom the plan names, where a person put somebody else in the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_expert_id: Option<ExpertId>,
    /// Why a person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000)]
    pub override_reason: Option<String>,
    /// The offer that came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer_id: Option<OfferId>,
}

/// A further member of a team that is to be asked.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AssignedMember {
    /// The expert.
    pub expert_id: ExpertId,
    /// Name.
    #[schema(max_length = 200)]
    pub name: String,
    /// The offer that came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer_id: Option<OfferId>,
}

/// A run with its plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllocationView {
    /// Id.
    pub id: AllocationId,
    /// The pool.
    pub pool_id: PoolId,
    /// Its owner.
    pub owner_organisation_id: OrganisationId,
    /// State.
    pub status: AllocationStatus,
    /// How far the search is at most, in percent: 100 when there is a plan.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: i32,
    /// What was asked for.
    pub options: AllocationOptions,
    /// What came out; absent until there is a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<AllocationResult>,
    /// Who is to be asked for what.
    #[schema(max_items = 100_000)]
    pub assignments: Vec<AssignmentView>,
    /// Assignments that could not become offers when the plan was applied, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100_000)]
    pub refused: Vec<RefusedAssignment>,
    /// Why no plan could be made; only of a run that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<AllocationFailure>,
    /// Version, for `If-Match`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was asked for.
    pub created_at: UtcTime,
}

/// Why no plan could be made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AllocationFailure {
    /// Stable code of the problem.
    #[schema(max_length = 100, example = "too_large")]
    pub code: String,
    /// Why, and what to do.
    #[schema(max_length = 2000)]
    pub detail: String,
}

/// What kept something from being done, as a run keeps it: in both languages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptFailure {
    /// Stable code of the problem.
    pub code: String,
    /// Why, in Japanese.
    pub ja: String,
    /// Why, in English.
    pub en: String,
}

impl KeptFailure {
    /// The first thing that an error names; of one that is nobody's business, that it happened.
    pub fn of(error: Error) -> Self {
        let failure = error.failure();
        if failure.code.status().is_server_error() {
            return Self {
                code: failure.code.code().to_owned(),
                ja: "計算中に予期しない誤りが起きました。計画の番号を添えてシステム管理者へお知らせください".to_owned(),
                en: "Something unexpected happened: tell the administrator, with the number of the plan".to_owned(),
            };
        }
        let field = failure.fields.into_iter().next();
        let code = field.as_ref().map_or_else(|| failure.code.code(), |field| field.code).to_owned();
        let words = field.map(|field| field.detail).or(failure.detail).unwrap_or_else(|| failure.code.title());
        Self { code, ja: words.ja.into_owned(), en: words.en.into_owned() }
    }
}

impl From<KeptFailure> for AllocationFailure {
    fn from(kept: KeptFailure) -> Self {
        Self { code: kept.code, detail: kept.ja }
    }
}

/// An assignment that did not become an offer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RefusedAssignment {
    /// The request.
    pub request_id: RequestId,
    /// Stable code of the problem.
    #[schema(max_length = 100, example = "changed_since")]
    pub code: String,
    /// Why.
    #[schema(max_length = 2000)]
    pub detail: String,
}

/// [`RefusedAssignment`] as a run keeps it: in both languages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptRefusal {
    /// The request.
    pub request_id: RequestId,
    /// Stable code of the problem.
    pub code: String,
    /// Why, in Japanese.
    pub ja: String,
    /// Why, in English.
    pub en: String,
}

impl From<KeptRefusal> for RefusedAssignment {
    fn from(kept: KeptRefusal) -> Self {
        Self { request_id: kept.request_id, code: kept.code, detail: kept.ja }
    }
}

/// A run in the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllocationSummary {
    /// Id.
    pub id: AllocationId,
    /// The pool.
    pub pool_id: PoolId,
    /// State.
    pub status: AllocationStatus,
    /// How far the search is at most, in percent.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: i32,
    /// A note.
    #[schema(max_length = 1000)]
    pub note: String,
    /// When it was asked for.
    pub created_at: UtcTime,
}

impl From<RunLine> for AllocationSummary {
    fn from(row: RunLine) -> Self {
        Self {
            id: row.id,
            pool_id: row.pool_id,
            status: row.status,
            progress: row.progress,
            note: row.note,
            created_at: row.created_at,
        }
    }
}

/// A page of runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllocationPage {
    /// The newest first.
    #[schema(max_items = 200)]
    pub items: Vec<AllocationSummary>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// Two plans of one pool side by side.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllocationComparison {
    /// What the other plan's levels come to, less this one's.
    #[schema(max_items = 9)]
    pub levels: Vec<LevelChange>,
    /// The requests that the plans treat differently: from this one to the other.
    #[schema(max_items = 100_000)]
    pub moves: Vec<AllocationMove>,
}

/// What the checker says of a plan as it is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllocationVerification {
    /// Whether plan and proof hold.
    pub holds: bool,
    /// What is wrong with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub problem: Option<String>,
    /// How many levels are proved, from the first.
    #[schema(minimum = 0, maximum = 9)]
    pub proved_levels: usize,
    /// How many are proved, from the first, among the plans that serve each body as often as this one.
    #[schema(minimum = 0, maximum = 9)]
    pub proved_within_counts: usize,
    /// Cases of the search that were looked at.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub cases: usize,
}

/// Somebody else is put in a place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"request_id": 12, "expert_id": 7, "reason": "前年度からの継続支援のため"}))]
pub struct OverrideAllocationBody {
    /// The request.
    pub request_id: RequestId,
    /// Who is to be asked, of a team the lead; absent: nobody.
    pub expert_id: Option<ExpertId>,
    /// The other members of the team.
    #[serde(default)]
    #[schema(max_items = 4)]
    pub other_expert_ids: Vec<ExpertId>,
    /// Why.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
}

/// A run is called off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct CancelAllocationBody {}

/// Assignments become offers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct ApplyAllocationBody {
    /// Only these requests; absent: all that are not offered yet.
    #[schema(max_items = 10_000)]
    pub request_ids: Option<Vec<RequestId>>,
    /// A word to the experts.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub message: String,
}
