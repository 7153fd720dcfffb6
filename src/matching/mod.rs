//! Which expert fits a request, and why: a pure engine.
//!
//! The room owns the conditions an expert must meet ([`POLICIES`]), the score that orders those who do, and the words
//! that explain both. It ranks one request for a person who matches by hand; a plan for many requests at once can use
//! the same conditions and the same score. It knows neither database nor HTTP nor clock: the caller gathers the facts
//! ([`Need`], [`Candidate`]), and what is decided here binds nobody until an offer is made and accepted under lock.
//!
//! # Conditions
//! Each policy looks at one thing and gives a coded reason or none; an expert with any reason is excluded, with all of
//! its reasons listed. Wished dates can be negotiated, so a date excludes an expert only when *none* of the dated
//! visits is possible; the score tells how many are.
//!
//! # Score
//! An integer from 0 to 1000, the sum of six parts. What nobody asked for costs nobody points: a request that names no
//! skill, no wished expert or no date gives everyone the full part. Every division cuts.
//!
//! | part | max | points |
//! |---|---|---|
//! | skill | 400 | For each skill asked, of 100: 70 for meeting the level, 10 for each level above it up to two, 10 if it has been verified; held below the level 35 × level ÷ asked level; not held 0. Averaged with weight 2 for a required skill and 1 for a welcome one. |
//! | wish | 100 | All for the expert the applicant wished for most, 20 less for each place further down the list of wishes but never under 20, none for the others; all for everybody where the choice is left to the office. |
//! | date | 150 | The dated visits the expert can make, as a fraction of all dated visits. |
//! | travel | 150 | Great-circle distance between base and place in whole km: all up to 20 km, falling evenly to 0 at 400 km; half where either place is unknown; all for online work. |
//! | load | 150 | 75 × the part of the agreed capacity still free (the smaller of months and fiscal year; without an agreed limit all), and 75 × how far the minutes of the fiscal year lie below the highest among the eligible. |
//! | continuity | 50 | 10 for each past visit to the municipality, up to five. |
//!
//! Equal scores are ordered by expert id. The result depends on the set of candidates alone, not on their order.

pub mod allocation;
mod dates;
mod distance;
mod eligibility;
mod explain;
mod input;
mod score;

use std::collections::BTreeMap;

pub use distance::distance_metres;
pub use eligibility::{POLICIES, Policy, exclusions};
pub use explain::{Excluded, Exclusion, ExclusionCode, ExclusionCount, Ranked, ReasonParam, ScorePart, ScorePartCode};
pub use input::{
    AvailabilityException, BusySlot, Candidate, CandidateSkill, CandidateStatus, MonthLoad, Need, NeedMode, Place, PlannedVisit,
    ProgrammeLimit, SkillNeed, WeeklyWindow, YearLoad,
};
pub use score::MAX_SCORE;

/// Everything a person needs to choose: who can come, in order, and why the others cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    /// The eligible, best first.
    pub candidates: Vec<Ranked>,
    /// The others, in the order of their ids, each with all of its reasons.
    pub excluded: Vec<Excluded>,
    /// How many experts each reason excludes. An expert with two reasons counts under both, so these numbers do not
    /// add up to the number of excluded experts.
    pub exclusion_counts: BTreeMap<ExclusionCode, u32>,
}

impl Ranking {
    /// The counts as rows, most frequent first, equal ones in the order of the conditions.
    pub fn exclusion_count_rows(&self) -> Vec<ExclusionCount> {
        let mut rows: Vec<ExclusionCount> =
            self.exclusion_counts.iter().map(|(code, count)| ExclusionCount { code: *code, count: *count }).collect();
        rows.sort_by_key(|row| (std::cmp::Reverse(row.count), row.code));
        rows
    }
}

/// Ranks the candidates for one request. Each expert is to be given once.
pub fn rank(need: &Need, candidates: &[Candidate]) -> Ranking {
    let mut eligible = Vec::with_capacity(candidates.len());
    let mut excluded = Vec::new();
    let mut exclusion_counts = BTreeMap::new();
    for candidate in candidates {
        let reasons = exclusions(need, candidate);
        if reasons.is_empty() {
            eligible.push(candidate);
            continue;
        }
        for reason in &reasons {
            *exclusion_counts.entry(reason.code).or_insert(0) += 1;
        }
        excluded.push(Excluded { expert_id: candidate.expert_id, reasons });
    }
    excluded.sort_by_key(|entry| entry.expert_id);

    let field = score::Field::of(need, &eligible);
    let mut scored: Vec<_> =
        eligible.into_iter().map(|candidate| (candidate.expert_id, score::measure(need, candidate, &field))).collect();
    scored.sort_by_key(|(expert_id, measured)| (std::cmp::Reverse(score::total(measured)), *expert_id));
    let candidates = (1..)
        .zip(scored)
        .map(|(rank, (expert_id, measured))| Ranked {
            rank,
            expert_id,
            score: score::total(&measured),
            parts: measured.iter().map(explain::part).collect(),
        })
        .collect();
    Ranking { candidates, excluded, exclusion_counts }
}

#[cfg(test)]
mod tests;
