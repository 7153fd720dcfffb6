//! What the API sends for statistics. Counts that add up are named `visits`, `minutes`, `…_yen`; parts that may overlap
//! are named participations; distinct counts (organisations, experts) are never summed.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::model::{CoverageBand, DispatchBreakdown};
use super::queries::Figures;
use crate::costs::{Component, Payer};
use crate::ids::{ExpertId, OrganisationId, PoolId, ProgrammeId};
use crate::requests::model::ActivityKind;

/// Counts of a set of visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct DispatchFigures {
    /// Distinct organisations that took part (団体).
    #[schema(minimum = 0, example = 34)]
    pub organisations: i64,
    /// Visits (回). A joint visit is one.
    #[schema(minimum = 0, example = 81)]
    pub visits: i64,
    /// Distinct experts (人).
    #[schema(minimum = 0, example = 18)]
    pub experts: i64,
    /// Minutes: actual ones of visits done, planned ones of visits ahead.
    #[schema(minimum = 0, example = 14_580)]
    pub minutes: i64,
}

impl From<Figures> for DispatchFigures {
    fn from(figures: Figures) -> Self {
        Self { organisations: figures.organisations, visits: figures.visits, experts: figures.experts, minutes: figures.minutes }
    }
}

/// The dispatch table of a programme.
#[derive(Debug, Serialize, ToSchema)]
pub struct DispatchStatistics {
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Its name.
    #[schema(max_length = 200, example = "ICTエキスパート派遣事業")]
    pub programme_name: String,
    /// Starting year of the first fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2019)]
    pub from_fiscal_year: i32,
    /// Starting year of the last fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2024)]
    pub to_fiscal_year: i32,
    /// Kinds of activity counted as dispatches.
    #[schema(max_items = 5)]
    pub activities: Vec<ActivityKind>,
    /// The day up to which visits count as held; later ones are expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<NaiveDate>,
    /// One row for each fiscal year, in order.
    #[schema(max_items = 30)]
    pub years: Vec<DispatchYear>,
    /// The whole period; organisations and experts are counted once, not added up.
    pub total: DispatchTotal,
    /// By what `parts` divide the visits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<DispatchBreakdown>,
    /// The parts, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 10_000)]
    pub parts: Option<Vec<DispatchPart>>,
}

/// A fiscal year of the dispatch table.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "fiscal_year": 2024, "label": "R6", "organisations": 35, "visits": 96, "experts": 13, "minutes": 17280,
    "is_estimate": true, "as_of": "2025-01-31", "expected": {"organisations": 9, "visits": 14, "experts": 6, "minutes": 2520},
    "consultations": {"organisations": 3, "visits": 5, "experts": 2, "minutes": 300}
}))]
pub struct DispatchYear {
    /// Starting year (R6 = 2024).
    #[schema(minimum = 2000, maximum = 2100)]
    pub fiscal_year: i32,
    /// Short name by era.
    #[schema(max_length = 10)]
    pub label: String,
    /// Distinct organisations that took part (団体).
    #[schema(minimum = 0)]
    pub organisations: i64,
    /// Visits (回): those done; in an estimate also those that lie after `as_of`.
    #[schema(minimum = 0)]
    pub visits: i64,
    /// Distinct experts (人).
    #[schema(minimum = 0)]
    pub experts: i64,
    /// Minutes of these visits.
    #[schema(minimum = 0)]
    pub minutes: i64,
    /// Whether the figures hold visits that lie after `as_of`.
    pub is_estimate: bool,
    /// The day of the estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<NaiveDate>,
    /// Visits decided and not held yet; they come on top of the figures. Absent when `as_of` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<DispatchFigures>,
    /// The part of the figures that lies after `as_of`. Present in estimates only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<DispatchFigures>,
    /// Consultations, counted apart.
    pub consultations: DispatchFigures,
}

/// The whole period of the dispatch table.
#[derive(Debug, Serialize, ToSchema)]
pub struct DispatchTotal {
    /// Distinct organisations of the whole period: not the sum of the years.
    #[schema(minimum = 0, example = 35)]
    pub organisations: i64,
    /// Visits: the sum of the years.
    #[schema(minimum = 0, example = 375)]
    pub visits: i64,
    /// Distinct experts of the whole period: not the sum of the years.
    #[schema(minimum = 0, example = 24)]
    pub experts: i64,
    /// Minutes: the sum of the years.
    #[schema(minimum = 0, example = 67_500)]
    pub minutes: i64,
    /// Whether a year of the period is an estimate.
    pub is_estimate: bool,
    /// Visits decided and not held yet; they come on top. Absent when `as_of` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<DispatchFigures>,
    /// The part of the figures that lies after `as_of`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<DispatchFigures>,
    /// Consultations, counted apart.
    pub consultations: DispatchFigures,
}

/// A part of a fiscal year's visits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "fiscal_year": 2024, "key": "12", "label": "浜松市", "lg_code": "221309",
    "participations": 7, "participation_minutes": 1260, "experts": 3
}))]
pub struct DispatchPart {
    /// Starting year (R6 = 2024).
    #[schema(minimum = 2000, maximum = 2100)]
    pub fiscal_year: i32,
    /// What the part is: an id, a month such as `2024-04`, a mode or a kind of activity.
    #[schema(max_length = 40)]
    pub key: String,
    /// The same for people.
    #[schema(max_length = 200)]
    pub label: String,
    /// Code of an organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 6)]
    pub lg_code: Option<String>,
    /// Visits, where the parts add up to the total (month, mode, activity).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub visits: Option<i64>,
    /// Minutes, where the parts add up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub minutes: Option<i64>,
    /// Participations (organisation, expert): one for each visit the part took part in, so that joint visits count for
    /// every participant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub participations: Option<i64>,
    /// Minutes of these participations.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub participation_minutes: Option<i64>,
    /// Distinct organisations; absent in a table by organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub organisations: Option<i64>,
    /// Distinct experts; absent in a table by expert.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub experts: Option<i64>,
}

/// The load of a pool's experts in a fiscal year.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkloadStatistics {
    /// The pool.
    pub pool_id: PoolId,
    /// The programme, when only its visits are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub programme_id: Option<ProgrammeId>,
    /// Starting year.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// Short name by era.
    #[schema(max_length = 10, example = "R8")]
    pub label: String,
    /// Every expert of the pool by reading; retired ones only where they have visits in the year.
    #[schema(max_items = 10_000)]
    pub experts: Vec<ExpertWorkload>,
}

/// One expert's load.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpertWorkload {
    /// The expert.
    pub expert_id: ExpertId,
    /// Name.
    #[schema(max_length = 200, example = "見本 太郎")]
    pub name: String,
    /// State of the registration.
    #[schema(max_length = 20, example = "registered")]
    pub status: String,
    /// Visits done.
    #[schema(minimum = 0, example = 12)]
    pub done_visits: i64,
    /// Their actual minutes.
    #[schema(minimum = 0, example = 2_160)]
    pub done_minutes: i64,
    /// Visits ahead: held for an accepted offer, or decided.
    #[schema(minimum = 0, example = 3)]
    pub planned_visits: i64,
    /// Their planned minutes.
    #[schema(minimum = 0, example = 540)]
    pub planned_minutes: i64,
    /// Days taken, done and ahead; a visit without a date takes one.
    #[schema(minimum = 0, example = 15)]
    pub days: i64,
    /// Minutes agreed for the year: the yearly limit, twelve monthly or fifty-two weekly ones, whichever is reached first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, example = 7_200)]
    pub capacity_minutes: Option<i64>,
    /// Days agreed for the year.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 366, example = 30)]
    pub capacity_days: Option<i32>,
    /// How much of the capacity is taken, in thousandths, by the measure nearest to its limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, example = 500)]
    pub capacity_taken_permille: Option<i64>,
    /// The months with visits, in order.
    #[schema(max_items = 12)]
    pub months: Vec<WorkloadStatisticsMonth>,
}

/// A month of an expert's load.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WorkloadStatisticsMonth {
    /// The month.
    #[schema(max_length = 7, pattern = "^[0-9]{4}-[0-9]{2}$", example = "2026-04")]
    pub month: String,
    /// Visits done.
    #[schema(minimum = 0)]
    pub done_visits: i64,
    /// Their actual minutes.
    #[schema(minimum = 0)]
    pub done_minutes: i64,
    /// Visits ahead.
    #[schema(minimum = 0)]
    pub planned_visits: i64,
    /// Their planned minutes.
    #[schema(minimum = 0)]
    pub planned_minutes: i64,
}

/// Which member municipalities a programme has reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoverageStatistics {
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Its name.
    #[schema(max_length = 200, example = "ICTエキスパート派遣事業")]
    pub programme_name: String,
    /// Starting year of the first fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2019)]
    pub from_fiscal_year: i32,
    /// Starting year of the last fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2024)]
    pub to_fiscal_year: i32,
    /// The day on which the pool's members and the populations are taken: the end of the period, or today.
    pub members_on: NaiveDate,
    /// All member municipalities.
    pub all: CoverageFigures,
    /// By size class, classes without members left out.
    #[schema(max_items = 6)]
    pub bands: Vec<CoverageBandView>,
    /// Every member municipality, by code.
    #[schema(max_items = 2_000)]
    pub organisations: Vec<CoverageOrganisation>,
}

/// How many municipalities were reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CoverageFigures {
    /// Municipalities.
    #[schema(minimum = 0, example = 35)]
    pub members: i64,
    /// Those with a visit in the period.
    #[schema(minimum = 0, example = 30)]
    pub served: i64,
    /// Those that had no visit at all before the period.
    #[schema(minimum = 0, example = 6)]
    pub never_served_before: i64,
    /// Those that had no visit at all until the end of the period.
    #[schema(minimum = 0, example = 2)]
    pub never_served: i64,
    /// Share with a visit in the period, in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1000, example = 857)]
    pub served_permille: Option<i64>,
    /// Share never served before the period, in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1000, example = 171)]
    pub never_served_before_permille: Option<i64>,
    /// Share never served until its end, in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1000, example = 57)]
    pub never_served_permille: Option<i64>,
}

/// A size class.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoverageBandView {
    /// The class.
    pub band: CoverageBand,
    /// The class in words.
    #[schema(max_length = 40, example = "1万人以上5万人未満")]
    pub label: String,
    /// Its municipalities.
    pub figures: CoverageFigures,
}

/// One member municipality.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoverageOrganisation {
    /// Id.
    pub organisation_id: OrganisationId,
    /// Code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 6, example = "221309")]
    pub lg_code: Option<String>,
    /// Name.
    #[schema(max_length = 200, example = "浜松市")]
    pub name: String,
    /// Inhabitants, where a figure is on record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub population: Option<i64>,
    /// The day of that figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub population_as_of: Option<NaiveDate>,
    /// Size class.
    pub band: CoverageBand,
    /// Participations in the period.
    #[schema(minimum = 0)]
    pub participations: i64,
    /// Fiscal year of the first visit ever; absent: never served.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1900, maximum = 2200)]
    pub first_served_fiscal_year: Option<i32>,
    /// Fiscal year of the last visit until the end of the period; absent: never served.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1900, maximum = 2200)]
    pub last_served_fiscal_year: Option<i32>,
}

/// What a programme's visits of a fiscal year cost and who pays.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostStatistics {
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Its name.
    #[schema(max_length = 200, example = "ICTエキスパート派遣事業")]
    pub programme_name: String,
    /// Starting year.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// Whether amounts were left out because they are not disclosed to the asking organisation.
    pub is_partial: bool,
    /// Whether some of it is reckoned from approximate figures (約).
    pub is_approximate: bool,
    /// Whether the programme keeps all its amounts from everybody but the pool's owner. Then no amount follows.
    pub amounts_undisclosed: bool,
    /// Yen of all items that are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -1_000_000_000_000_i64)]
    pub total_yen: Option<i64>,
    /// By component; adds up to the total.
    #[schema(max_items = 15)]
    pub components: Vec<CostComponentSum>,
    /// By item of the budget (節); adds up to the total.
    #[schema(max_items = 15)]
    pub budget_items: Vec<CostBudgetItemSum>,
    /// By payer; adds up to the total.
    #[schema(max_items = 6)]
    pub payers: Vec<CostPayerSum>,
    /// By who bears it: everybody for the pool's owner, where it adds up to the total; else the own organisation.
    #[schema(max_items = 10_000)]
    pub organisations: Vec<CostOrganisationSum>,
    /// Items whose shares are not fixed yet and that are in none of these sums. Shown to the pool's owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub open_items: Option<i64>,
}

/// Yen of a component.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostComponentSum {
    /// The component.
    pub component: Component,
    /// Its name.
    #[schema(max_length = 40, example = "謝金")]
    pub label: String,
    /// Yen.
    #[schema(minimum = -1_000_000_000_000_i64, example = 320_000)]
    pub amount_yen: i64,
}

/// Yen of an item of the budget (節).
#[derive(Debug, Serialize, ToSchema)]
pub struct CostBudgetItemSum {
    /// Its number since fiscal year 2020.
    #[schema(minimum = 1, maximum = 27, example = 7)]
    pub number: u8,
    /// Its name.
    #[schema(max_length = 40, example = "報償費")]
    pub label: String,
    /// Yen.
    #[schema(minimum = -1_000_000_000_000_i64, example = 320_000)]
    pub amount_yen: i64,
}

/// Yen of a payer.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostPayerSum {
    /// Who.
    pub payer: Payer,
    /// Its name.
    #[schema(max_length = 20, example = "都道府県")]
    pub label: String,
    /// Yen.
    #[schema(minimum = -1_000_000_000_000_i64, example = 240_000)]
    pub amount_yen: i64,
}

/// Yen that an organisation bears.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostOrganisationSum {
    /// Who.
    pub organisation_id: OrganisationId,
    /// Code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 6, example = "221309")]
    pub lg_code: Option<String>,
    /// Name.
    #[schema(max_length = 200, example = "浜松市")]
    pub name: String,
    /// Yen.
    #[schema(minimum = -1_000_000_000_000_i64, example = 80_000)]
    pub amount_yen: i64,
}
