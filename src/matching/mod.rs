//! Which expert fits a request, and why: a pure engine.
//!
//! The room owns the conditions an expert must meet ([`POLICIES`]), the score that orders those who do, the words that
//! explain both, and what would have to change for others to come in ([`near_misses`]). It ranks one request for a person who
//! matches by hand; a plan for many requests at once ([`allocation`]) uses the same conditions and the same score. It knows
//! neither database nor HTTP nor clock: the caller gathers the facts ([`Need`], [`Candidate`]), and what is decided here binds
//! nobody until an offer is made and accepted under lock.
//!
//! # Conditions
//! Each policy looks at one thing and says yes or no; an expert with any no is excluded, with all of the reasons listed. Wished
//! dates can be negotiated, so a date excludes an expert only when *none* of the dated visits is possible; the score tells how
//! many are. Of a team each member must hold one of the required skills, and all members together every one.
//!
//! # Score
//! An integer from 0 to 1000, the sum of eight parts. A programme chooses what each weighs within published bounds
//! ([`Weights`]); the table shows the weights where it does not. What nobody asked for costs nobody points: a request that names
//! no skill, no wished expert or no date gives everyone the full part. Every division cuts.
//!
//! | part | max | of the part |
//! |---|---|---|
//! | skill | 350 | For each skill asked, of 100: 70 for meeting the level, 10 for each level above it up to two, 10 if it has been verified; held below the level 35 × level ÷ asked level; not held 0. Averaged with weight 2 for a required skill and 1 for a welcome one; of alternatives the best counts. |
//! | evidence | 50 | Visits done in this fiscal year and the two before for requests that asked for one of the same skills (any visit where none is asked for): a fifth each, up to five. |
//! | wish | 100 | All for the expert the applicant wished for most, a fifth less for each place further down the list of wishes but never under a fifth, none for the others; all for everybody where the choice is left to the office. |
//! | date | 140 | The dated visits the expert can make, as a fraction of all dated visits. |
//! | travel | 140 | Great-circle distance between base and place in whole km: all up to 20 km, falling evenly to 0 at 400 km; half where either place is unknown; all for online work. |
//! | load | 140 | Half by the part of the agreed capacity still free (the smaller of months and fiscal year; without an agreed limit all), half by how far the minutes of the fiscal year lie below the highest among the eligible. |
//! | continuity | 40 | A fifth for each past visit to the municipality, up to five. |
//! | response | 40 | Offers of the same three fiscal years answered in time, whatever the answer, as a fraction of those that ended, withdrawn ones not among them; all for those who were never asked. |
//!
//! Equal scores are ordered by expert id. The result depends on the set of candidates alone, not on their order.

pub mod allocation;
mod asked;
mod dates;
mod distance;
mod eligibility;
mod explain;
mod index;
mod input;
mod near;
mod remainder;
mod score;
mod weights;
mod wording;

use std::cmp::Reverse;
use std::collections::BTreeMap;

pub use asked::Asked;
pub use dates::DayFit;
pub use distance::{Place, kilometres};
use eligibility::reasons_with;
pub use eligibility::{Blocks, POLICIES, Policy, Reasons, covers, exclusions, is_eligible, meets, reasons};
pub use explain::{Exclusion, ExclusionCode, ExclusionCount, Ranked, ReasonParam, ScorePart, ScorePartCode};
pub use index::Index;
pub use input::{
    Answers, AvailabilityException, BusySlot, Candidate, CandidateSkill, CandidateStatus, Conflict, ConflictKind, Consent,
    Merits, MonthLoad, Need, NeedMode, PlannedVisit, ProgrammeLimit, SameTheme, SkillNeed, WeekLoad, WeeklyWindow, YearDays,
    YearLoad,
};
pub use near::{NearMiss, Relaxation, near_misses};
pub use remainder::{Present, remainder};
pub use weights::{MAX_SCORE, OutOfBounds, Weights};

/// Everything a person needs to choose: who can come, in order, and why the others cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    /// The eligible, best first; no more of them than were asked for.
    pub candidates: Vec<Ranked>,
    /// How many are eligible.
    pub eligible_count: usize,
    /// The others, in the order of their ids, each with all of its reasons.
    pub excluded: Vec<(i64, Reasons)>,
}

impl Ranking {
    /// How many experts each reason excludes. An expert with two reasons counts under both, so these numbers do not
    /// add up to the number of excluded experts.
    pub fn exclusion_counts(&self) -> BTreeMap<ExclusionCode, u32> {
        let mut counts = BTreeMap::new();
        for code in self.excluded.iter().flat_map(|(_, reasons)| reasons.codes()) {
            *counts.entry(code).or_insert(0) += 1;
        }
        counts
    }

    /// The counts as rows, most frequent first, equal ones in the order of the conditions.
    pub fn exclusion_count_rows(&self) -> Vec<ExclusionCount> {
        let mut rows: Vec<ExclusionCount> =
            self.exclusion_counts().into_iter().map(|(code, count)| ExclusionCount { code, count }).collect();
        rows.sort_by_key(|row| (Reverse(row.count), row.code));
        rows
    }
}

/// Ranks the candidates for one request. Each expert is to be given once.
pub fn rank(need: &Need, candidates: &[Candidate]) -> Ranking {
    best(need, candidates, 0..candidates.len(), usize::MAX)
}

/// Ranks the candidates at some places as if there were no others, and leaves off after the best `most`.
pub fn best(need: &Need, candidates: &[Candidate], places: impl Iterator<Item = usize>, most: usize) -> Ranking {
    let asked = Asked::of(need);
    let (eligible, excluded) = split(&asked, candidates, places);
    let eligible: Vec<(&Candidate, DayFit)> =
        eligible.into_iter().filter_map(|(place, days)| Some((candidates.get(place)?, days))).collect();
    let mut field = score::Field::default();
    for (candidate, _) in &eligible {
        field.take(score::minutes_of_the_years(&asked, candidate));
    }
    let measured = |(candidate, days): &(&Candidate, DayFit)| score::measure(&asked, candidate, days, &field);
    let mut scored: Vec<(Reverse<u32>, i64, usize)> = eligible
        .iter()
        .enumerate()
        .map(|(number, one)| (Reverse(score::total(&measured(one))), one.0.expert_id, number))
        .collect();
    if most < scored.len() {
        scored.select_nth_unstable(most);
        scored.truncate(most);
    }
    scored.sort_unstable();
    let candidates = (1..)
        .zip(scored)
        .filter_map(|(rank, (Reverse(score), expert_id, number))| {
            Some(Ranked { rank, expert_id, score, measured: measured(eligible.get(number)?) })
        })
        .collect();
    Ranking { candidates, eligible_count: eligible.len(), excluded }
}

/// Of the candidates at some places the eligible, by their places, and the others by id with their reasons.
fn split(
    asked: &Asked<'_>,
    candidates: &[Candidate],
    places: impl Iterator<Item = usize>,
) -> (Vec<(usize, DayFit)>, Vec<(i64, Reasons)>) {
    let (mut eligible, mut excluded) = (Vec::new(), Vec::new());
    for (place, candidate) in places.filter_map(|place| Some((place, candidates.get(place)?))) {
        let days = DayFit::of(asked, candidate);
        let reasons = reasons_with(asked, candidate, &days);
        if reasons.is_empty() {
            eligible.push((place, days));
        } else {
            excluded.push((candidate.expert_id, reasons));
        }
    }
    excluded.sort_unstable_by_key(|(expert_id, _)| *expert_id);
    (eligible, excluded)
}

#[cfg(test)]
mod tests;
