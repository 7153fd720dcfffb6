//! The documented form in which an allocation is handed over: facts as people have them, from which the limits are derived.
//!
//! # What a set of edges has to keep
//! - A request is taken by one edge at most.
//! - Nobody takes more edges than places; the lead of a team and its others take one place each.
//! - *Who comes*: without rotation every member comes to every visit; with rotation visit `i` goes to member `i mod n`, the
//!   lead being member 0 and the others following as they are listed. What follows looks only at the visits one comes to.
//! - *Capacity*: the minutes of the visits that certainly fall between its days: those with a day between them, and those
//!   without one where the whole period of the request lies between them. `minutes` of the edge stand in for the visits' own.
//! - *Days*: the distinct days of dated visits between its days, and a day for each visit without one where the whole period of
//!   the request lies between them; counted for each request by itself: two requests on one day are two days.
//! - *Time*: visits with a start do not overlap those of another request, nor time already held, and between them lies the
//!   larger of the two buffers (beside time already held: the request's own). Visits of one request need no buffer between
//!   them, but one member cannot be at two of them at once.
//! - *Day*: the minutes of all visits of a day, with a start or without, and the time already held that day come to no more
//!   than 1440.
//! - *Series*: of the requests of one series nobody takes more than its number, what was taken before counted in.
//! - *Budget*: the costs of the edges that draw on it come to no more than what is left.
//!
//! An edge that breaks one of these alone can never be chosen: it is left out of the problem and named ([`DroppedEdge`]).
//!
//! # What is not modelled
//! - Where a visit without a start lies in its day, so whether one gap is long enough for it, and its buffer.
//! - When visits without a day take place: they count towards a capacity, and towards days, only where that is certain.
//! - Travel between places beyond the buffer; visits over midnight (given as two); visits at the same time that one expert
//!   could take together.
//! - Taking a part of a request, or a visit now and another later by somebody who is not named in the edge.
//! - Minutes or costs that differ between the members of one edge, or that depend on what else is chosen.
//!
//! Days are calendar days of the place where the visits are; minutes of a day run from 0 to 1440, the midnight that ends it.
//! The order of the lists means nothing, but for visits and others where members take the visits in turn.

mod convert;
mod errors;
mod look;
mod overlap;
mod read;

#[cfg(test)]
pub(super) mod tests;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use convert::{Conversion, DropReason, DroppedEdge, problem_sha256};
pub use errors::{InstanceError, Mistakes};
pub use read::{read, strict_day};

use super::problem::Level;

/// Largest id: what a number in JSON keeps exactly (2^53 − 1).
pub const MOST_ID: i64 = 9_007_199_254_740_991;
/// Most edges.
pub const MOST_EDGES: usize = 5_000_000;
/// Most bodies, experts, requests or budgets.
pub const MOST_ENTRIES: usize = 1_000_000;
/// Most visits of a request, members of a team beside its lead, or capacities of an expert.
pub const MOST_PARTS: usize = 1_000;
/// Most budgets that one edge draws on.
pub const MOST_BUDGETS: usize = 10;
/// Most series of which one expert has taken requests before.
pub const MOST_TAKEN: usize = 100_000;
/// Most entries of time already held by one expert.
pub const MOST_BUSY: usize = 100_000;
/// Most minutes of a visit, kilometres, loads, places and requests served.
pub const MOST_COUNT: u32 = 1_000_000;
/// Most minutes left of a capacity.
pub const MOST_CAPACITY: u32 = 100_000_000;
/// Most yen.
pub const MOST_YEN: u64 = 1_000_000_000_000;
/// Most characters of a name.
pub const MOST_NAME: usize = 200;
/// Minutes of a day.
pub const DAY: u32 = 1440;

/// The format and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum InstanceFormat {
    /// The first version.
    #[serde(rename = "tasuki-allocation/1")]
    V1,
}

/// Everything that is to be allocated at once: who asks for what, who could take it, and what there is left of everybody's time
/// and of the money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// The format and its version.
    pub format: InstanceFormat,
    /// How plans are compared.
    #[serde(default)]
    pub objective: InstanceObjective,
    /// The bodies that ask.
    #[schema(max_items = 1_000_000)]
    pub bodies: Vec<InstanceBody>,
    /// The experts.
    #[schema(max_items = 1_000_000)]
    pub experts: Vec<InstanceExpert>,
    /// The requests.
    #[schema(max_items = 1_000_000)]
    pub requests: Vec<InstanceRequest>,
    /// Who could take which request: what may be chosen.
    #[schema(max_items = 5_000_000)]
    pub edges: Vec<InstanceEdge>,
    /// Money that edges draw on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1_000_000)]
    pub budgets: Vec<InstanceBudget>,
    /// Requests that are alike, of which one expert takes only so many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1_000_000)]
    pub series: Vec<InstanceSeries>,
}

/// How plans are compared: level by level, first those whose place is fixed (must-keep, never served, small, served), then the
/// others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceObjective {
    /// Points of a band of fit: within a band other levels decide.
    #[serde(default = "band_points")]
    #[schema(minimum = 1, maximum = 1000, default = 50)]
    pub band_points: u32,
    /// The order of spread, fit, load, score and travel: each once; empty: in that order.
    #[serde(default)]
    #[schema(max_items = 5)]
    pub order: Vec<Level>,
}

fn band_points() -> u32 {
    50
}

impl Default for InstanceObjective {
    fn default() -> Self {
        Self { band_points: band_points(), order: Vec::new() }
    }
}

/// A body that asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceBody {
    /// Id, unique among the bodies.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub id: i64,
    /// Requests served so far in the time that is looked at.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub served: u32,
    /// Whether it has never been served at all.
    pub never_served: bool,
    /// Whether it counts as small.
    pub small: bool,
    /// A name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub name: Option<String>,
}

/// An expert, and what is left of the time that was agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceExpert {
    /// Id, unique among the experts.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub id: i64,
    /// A name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub name: Option<String>,
    /// Engagements that count as load already.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub load: u32,
    /// Requests that can be taken on beside them.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub places: u32,
    /// Minutes left between two days: of a month, a week, a fiscal year.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1_000)]
    pub capacities: Vec<CapacityLeft>,
    /// Days left between two days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1_000)]
    pub days: Vec<DaysLeft>,
    /// Time already held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100_000)]
    pub busy: Vec<BusyTime>,
    /// What was taken of series before; nothing of those that are not named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100_000)]
    pub taken: Vec<TakenBefore>,
}

/// How many requests of a series an expert has taken before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakenBefore {
    /// The series.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub series: i64,
    /// How many.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub requests: u32,
}

/// What is left of an agreed capacity between two days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CapacityLeft {
    /// First day, 1900 to 2199.
    #[serde(deserialize_with = "read::day")]
    pub from: NaiveDate,
    /// Last day, 1900 to 2199.
    #[serde(deserialize_with = "read::day")]
    pub to: NaiveDate,
    /// Minutes left.
    #[schema(minimum = 0, maximum = 100_000_000)]
    pub minutes: u32,
}

/// How many days are left between two days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DaysLeft {
    /// First day, 1900 to 2199.
    #[serde(deserialize_with = "read::day")]
    pub from: NaiveDate,
    /// Last day, 1900 to 2199.
    #[serde(deserialize_with = "read::day")]
    pub to: NaiveDate,
    /// Days left.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub days: u32,
}

/// Time of a day that is already held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BusyTime {
    /// The day, 1900 to 2199.
    #[serde(deserialize_with = "read::day")]
    pub day: NaiveDate,
    /// Its beginning in minutes of the day.
    #[schema(minimum = 0, maximum = 1439)]
    pub start_minute: u32,
    /// Its end in minutes of the day, after the beginning.
    #[schema(minimum = 1, maximum = 1440)]
    pub end_minute: u32,
}

/// A request: taken as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceRequest {
    /// Id, unique among the requests.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub id: i64,
    /// The body that asks.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub body: i64,
    /// A name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub name: Option<String>,
    /// The visits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1_000)]
    pub visits: Vec<InstanceVisit>,
    /// First day of the period in which all visits lie, 1900 to 2199.
    #[serde(deserialize_with = "read::day")]
    pub period_from: NaiveDate,
    /// Last day of the period, 1900 to 2199.
    #[serde(deserialize_with = "read::day")]
    pub period_to: NaiveDate,
    /// Minutes kept free before and after each visit with a start: the way there and back.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1440, default = 0)]
    pub buffer_minutes: u32,
    /// The series it belongs to; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub series: Option<i64>,
}

/// A visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceVisit {
    /// The day, within the period of the request; absent: to be arranged within it.
    #[serde(default, deserialize_with = "read::optional_day", skip_serializing_if = "Option::is_none")]
    pub day: Option<NaiveDate>,
    /// When it starts in minutes of the day; absent: at any time. Only with a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1439)]
    pub start_minute: Option<u32>,
    /// How long it lasts in minutes; with a day it ends with that day. 0: not known, it takes no time.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub minutes: u32,
}

/// An expert, alone or at the head of a team, who could take a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceEdge {
    /// The request.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub request: i64,
    /// The expert, with a team its lead.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub expert: i64,
    /// Points of fit.
    #[schema(minimum = 0, maximum = 1000)]
    pub score: u32,
    /// Kilometres between base and place.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub kilometres: u32,
    /// Whether it stands and must be kept if that can be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(default = false)]
    pub kept: bool,
    /// Which of the lead's teams for this request, from 1; absent or 0 where the expert goes alone.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schema(minimum = 0, maximum = 4_294_967_295_u32, default = 0)]
    pub team: u32,
    /// The other members of the team.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<MemberId>, max_items = 1_000)]
    pub others: Vec<i64>,
    /// Whether the members take the visits in turn: visit `i` goes to member `i mod n`, the lead being member 0; otherwise each
    /// member comes to every visit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(default = false)]
    pub rotation: bool,
    /// The visits as these members would make them, as many as the request has, such as without a day where they could not make
    /// the day that is wished; absent: those of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 1_000)]
    pub visits: Option<Vec<InstanceVisit>>,
    /// Minutes that count towards capacities instead of the visits' own, one for each visit of the request in its order, such
    /// as with travel that counts as work. The calendar is still held for the visits' own minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<CountedMinutes>>, max_items = 1_000)]
    pub minutes: Option<Vec<u32>>,
    /// What it costs in yen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub cost_yen: Option<u64>,
    /// The budgets the cost draws on, such as that of a programme and what it keeps for each body; none: the cost is for people
    /// to read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<BudgetId>, max_items = 10)]
    pub budgets: Vec<i64>,
}

/// The id of an expert, as schemas show it within a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = i64, minimum = 1, maximum = 9_007_199_254_740_991_i64)]
pub struct MemberId(pub i64);

/// The id of a budget, as schemas show it within a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = i64, minimum = 1, maximum = 9_007_199_254_740_991_i64)]
pub struct BudgetId(pub i64);

/// Minutes that count towards a capacity, as schemas show them within a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = u32, minimum = 0, maximum = 1_000_000)]
pub struct CountedMinutes(pub u32);

/// What is left of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceBudget {
    /// Id, unique among the budgets.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub id: i64,
    /// Yen left.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub yen: u64,
}

/// Requests that are alike: those of one body for one theme in one fiscal year, say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceSeries {
    /// Id, unique among the series.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub id: i64,
    /// How many of them one expert takes at most.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub most: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl InstanceEdge {
    /// What names it: request, expert, team.
    pub fn key(&self) -> super::problem::PairKey {
        (self.request, self.expert, self.team)
    }

    /// The lead and the others, in the order in which they take turns.
    pub fn members(&self) -> impl Iterator<Item = i64> + '_ {
        std::iter::once(self.expert).chain(self.others.iter().copied())
    }

    /// The visits that the member at a place comes to, each with the minutes that count towards a capacity.
    pub fn visits_of<'a>(
        &'a self,
        request: &'a InstanceRequest,
        place: usize,
    ) -> impl Iterator<Item = (&'a InstanceVisit, u32)> + 'a {
        let turns = if self.rotation { self.others.len() + 1 } else { 1 };
        let first = if self.rotation { place } else { 0 };
        let counted = move |at: usize, visit: &InstanceVisit| {
            self.minutes.as_ref().and_then(|minutes| minutes.get(at)).copied().unwrap_or(visit.minutes)
        };
        let visits = self.visits.as_ref().unwrap_or(&request.visits);
        visits.iter().enumerate().skip(first).step_by(turns).map(move |(at, visit)| (visit, counted(at, visit)))
    }
}
