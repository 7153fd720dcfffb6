//! Published schemes as rule documents to start from. The only place where a scheme's name stands; every figure is one
//! that its source publishes, and what is not published is left for the operator to enter.

mod national;
mod prefectures;
#[cfg(test)]
mod tests;

use serde::Serialize;
use utoipa::ToSchema;

use super::matching::MatchingRules;
use super::rules::{Intake, ProgrammeRules};
use crate::costs::{Component, FeeTable, Payer, PayerRule, Yen};
use crate::error::Error;
use crate::organisations::model::OrganisationKind as Kind;
use crate::requests::model::ActivityKind as Activity;

/// A scheme to start from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Preset {
    /// Stable code.
    #[schema(max_length = 40, example = "shizuoka_ict_expert")]
    pub code: String,
    /// Name in Japanese.
    #[schema(max_length = 200)]
    pub name: String,
    /// What experts are called in it.
    #[schema(max_length = 100)]
    pub expert_title: String,
    /// Where the figures come from, and what the operator still has to enter.
    #[schema(max_length = 2000)]
    pub source: String,
    /// Figures the scheme publishes beside its rules.
    #[schema(max_items = 30)]
    pub figures: Vec<PublishedFigure>,
    /// The rules.
    pub rules: ProgrammeRules,
}

/// A figure as it is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PublishedFigure {
    /// What it is.
    #[schema(max_length = 200, example = "運営費（支援メニュー23件）")]
    pub label: String,
    /// Yen.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, example = 25_088_000)]
    pub yen: i64,
    /// Whether it is published as approximate (約).
    pub approximate: bool,
    /// Whether it is without consumption tax (税抜).
    pub tax_excluded: bool,
}

impl PublishedFigure {
    fn exact(label: &str, yen: i64) -> Self {
        Self { label: label.to_owned(), yen, approximate: false, tax_excluded: true }
    }

    fn about(label: &str, yen: i64) -> Self {
        Self { approximate: true, ..Self::exact(label, yen) }
    }
}

const MUNICIPAL: [Kind; 4] = [Kind::City, Kind::SpecialWard, Kind::Town, Kind::Village];

fn kinds(more: &[Kind]) -> Vec<Kind> {
    MUNICIPAL.iter().chain(more).copied().collect()
}

fn all_by(payer: Payer, components: &[Component]) -> Vec<PayerRule> {
    components.iter().map(|component| PayerRule::all(*component, payer)).collect()
}

fn yen(amount: i64) -> Result<Yen, Error> {
    Yen::new(amount).map_err(Error::internal)
}

/// The prefecture pays experts and travel, the host the venue and materials; no limits, no fee.
fn base() -> ProgrammeRules {
    ProgrammeRules {
        applicant_kinds: kinds(&[]),
        activity_kinds: vec![Activity::Consultation, Activity::Visit, Activity::Training],
        windows: Vec::new(),
        limits: Vec::new(),
        fee_table: FeeTable::None {},
        payers: [
            all_by(Payer::Prefecture, &[Component::Honorarium, Component::Travel]),
            all_by(Payer::Host, &[Component::Venue, Component::Materials]),
        ]
        .concat(),
        sharing: None,
        travel_rules: Vec::new(),
        report_due_days: 7,
        outcome_counters: Vec::new(),
        budget_yen: None,
        budget_per_body_yen: None,
        intake: Intake::FirstCome,
        travel_buffer_minutes: 60,
        offer_valid_hours: 168,
        decider_differs_from_proposer: false,
        amounts_undisclosed: false,
        menus: Vec::new(),
        allocation_tax: Vec::new(),
        postings: None,
        survey: None,
        matching: MatchingRules::default(),
    }
}

/// All presets.
pub fn all() -> Result<Vec<Preset>, Error> {
    Ok([prefectures::presets()?, national::presets()?].concat())
}
