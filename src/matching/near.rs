//! Near misses: the smallest changes to a request, or to what was agreed with experts, that would bring somebody in. They are
//! computed by holding every excluded expert against the changed request, never guessed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::asked::Asked;
use super::eligibility::{self, Reasons};
use super::explain::ExclusionCode;
use super::input::{Candidate, Need, NeedMode, PlannedVisit};

/// One thing that would have to change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Relaxation {
    /// The applicant is content with what experts claim of a skill.
    #[schema(title = "RelaxationSkillClaimed")]
    SkillClaimed {
        /// The skills.
        #[schema(max_items = 20)]
        skill_item_ids: Vec<i64>,
    },
    /// The applicant is content with one level less of a skill.
    #[schema(title = "RelaxationLevelLower")]
    LevelLower {
        /// The skills.
        #[schema(max_items = 20)]
        skill_item_ids: Vec<i64>,
    },
    /// The applicant takes a required skill, with its alternatives, as welcome only.
    #[schema(title = "RelaxationSkillWelcome")]
    SkillWelcome {
        /// The skills.
        #[schema(max_items = 20)]
        skill_item_ids: Vec<i64>,
    },
    /// The applicant lets the work be done online.
    #[schema(title = "RelaxationOnline")]
    Online,
    /// The applicant lets the dates be arranged within the period.
    #[schema(title = "RelaxationOtherDates")]
    OtherDates,
    /// The applicant does without a language.
    #[schema(title = "RelaxationLanguages")]
    Languages,
    /// The expert goes beyond the usual area, or to an island, for once.
    #[schema(title = "RelaxationArea")]
    Area,
    /// The employer consents.
    #[schema(title = "RelaxationConsent")]
    Consent,
    /// The expert takes on more than was agreed.
    #[schema(title = "RelaxationCapacity")]
    Capacity,
}

impl Relaxation {
    /// The bluntest change of the same thing: whoever asks less strictly for a skill could as well not require it.
    fn at_its_plainest(&self) -> Self {
        match self {
            Self::SkillClaimed { skill_item_ids } | Self::LevelLower { skill_item_ids } => {
                Self::SkillWelcome { skill_item_ids: skill_item_ids.clone() }
            }
            other => other.clone(),
        }
    }
}

/// A set of changes, none of which could be left out, and how many experts they bring in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// What would have to change, all of it together.
    pub relaxations: Vec<Relaxation>,
    /// The experts who could come then, by id.
    pub expert_ids: Vec<i64>,
}

/// Sets of more changes than this are no near miss.
const MOST_CHANGES: usize = 3;

/// Sets that are tried: the smallest, and of these the ones that most experts want.
const MOST_TRIED: usize = 200;

/// The smallest changes that would bring in experts who cannot come as it is: fewest changes first, then most experts. A set is
/// left out where a part of it, or the same with a milder change, brings in the same experts. At most `most` sets.
pub fn near_misses(need: &Need, candidates: &[Candidate], most: usize) -> Vec<NearMiss> {
    let asked = Asked::of(need);
    let excluded: Vec<(&Candidate, Reasons)> = candidates
        .iter()
        .map(|candidate| (candidate, eligibility::reasons(&asked, candidate)))
        .filter(|(_, reasons)| !reasons.is_empty())
        .collect();
    let mut sets: BTreeMap<Vec<Relaxation>, u32> = BTreeMap::new();
    for (candidate, reasons) in &excluded {
        for set in wanted(&asked, candidate, *reasons).into_iter().filter(|set| set.len() <= MOST_CHANGES) {
            *sets.entry(set).or_insert(0) += 1;
        }
    }
    // Each set is tried on everybody, so only those that are wanted most are.
    let mut sets: Vec<(Vec<Relaxation>, u32)> = sets.into_iter().collect();
    sets.sort_by_key(|(set, wanted)| (set.len(), std::cmp::Reverse(*wanted)));
    sets.truncate(MOST_TRIED);
    let sets = sets.into_iter().map(|(set, _)| set);
    let mut found: Vec<NearMiss> = sets
        .map(|relaxations| {
            let (changed, waived) = relaxed(need, &relaxations);
            let changed = Asked::of(&changed);
            let comes = |candidate: &Candidate| eligibility::reasons(&changed, candidate).without(waived).is_empty();
            let mut expert_ids: Vec<i64> = excluded.iter().filter(|(one, _)| comes(one)).map(|(one, _)| one.expert_id).collect();
            expert_ids.sort_unstable();
            NearMiss { relaxations, expert_ids }
        })
        .filter(|miss| !miss.expert_ids.is_empty())
        .collect();
    found.sort_by(|a, b| {
        (a.relaxations.len(), std::cmp::Reverse(a.expert_ids.len()), &a.relaxations).cmp(&(
            b.relaxations.len(),
            std::cmp::Reverse(b.expert_ids.len()),
            &b.relaxations,
        ))
    });
    let mut kept: Vec<NearMiss> = Vec::new();
    for miss in found {
        let asks_more = |one: &Relaxation| miss.relaxations.contains(one) || miss.relaxations.contains(&one.at_its_plainest());
        let beaten = kept.iter().any(|smaller| {
            smaller.relaxations.iter().all(asks_more)
                && miss.expert_ids.iter().all(|id| smaller.expert_ids.binary_search(id).is_ok())
        });
        if !beaten && kept.len() < most {
            kept.push(miss);
        }
    }
    kept
}

/// Sets of changes that would each do away with all reasons of one expert; none where a reason cannot be helped. A missing skill
/// can be asked for less strictly in several ways, so there may be more than one set.
fn wanted(asked: &Asked<'_>, candidate: &Candidate, reasons: Reasons) -> Vec<Vec<Relaxation>> {
    use ExclusionCode as C;
    let mut sets: Vec<BTreeSet<Relaxation>> = vec![BTreeSet::new()];
    for code in reasons.codes() {
        let ways: Vec<Vec<Relaxation>> = match code {
            C::NotRegistered | C::Suspended | C::ConflictOfInterest | C::Refused | C::ProgrammeLimit => return Vec::new(),
            C::AppointmentNotStarted
            | C::AppointmentEnded
            | C::OnLeave
            | C::OutsideAvailability
            | C::CalendarBusy
            | C::NoDatePossible => vec![vec![Relaxation::OtherDates]],
            C::ModeNotOffered => vec![vec![Relaxation::Online]],
            C::OutsideArea | C::IslandNotServed => vec![vec![Relaxation::Area], vec![Relaxation::Online]],
            C::LanguageMissing => vec![vec![Relaxation::Languages]],
            C::EmployerConsent => vec![vec![Relaxation::Consent]],
            C::WeekCapacity | C::MonthCapacity => vec![vec![Relaxation::OtherDates], vec![Relaxation::Capacity]],
            C::FiscalYearCapacity | C::FiscalYearDays | C::SimultaneousCapacity => vec![vec![Relaxation::Capacity]],
            C::SkillsMissing => skills(asked, candidate),
        };
        sets = sets
            .into_iter()
            .flat_map(|set| ways.iter().map(move |way| set.iter().cloned().chain(way.iter().cloned()).collect()))
            .collect();
    }
    sets.into_iter().map(|set| set.into_iter().collect()).collect()
}

/// For every missing skill the mildest change that would do, and beside it taking the skill as welcome only.
fn skills(asked: &Asked<'_>, candidate: &Candidate) -> Vec<Vec<Relaxation>> {
    let required = &asked.need.required;
    let missing: Vec<&Vec<usize>> = eligibility::missing_skills(asked, candidate).collect();
    let ids = |places: &[usize]| -> Vec<i64> {
        places.iter().filter_map(|place| required.get(*place)).map(|skill| skill.skill_item_id).collect()
    };
    let mild = missing.iter().map(|places| {
        let skill_item_ids = ids(places);
        let held = |change: fn(u8) -> u8, claimed: bool| {
            places.iter().filter_map(|place| required.get(*place)).any(|asked| {
                candidate.skills.iter().any(|skill| {
                    skill.skill_item_id == asked.skill_item_id
                        && skill.level >= change(asked.min_level)
                        && (claimed || skill.verified || !asked.verified_only)
                })
            })
        };
        if held(|level| level, true) {
            Relaxation::SkillClaimed { skill_item_ids }
        } else if held(|level| level.saturating_sub(1).max(1), false) {
            Relaxation::LevelLower { skill_item_ids }
        } else {
            Relaxation::SkillWelcome { skill_item_ids }
        }
    });
    let mild: Vec<Relaxation> = mild.collect();
    let plain: Vec<Relaxation> = missing.iter().map(|places| Relaxation::SkillWelcome { skill_item_ids: ids(places) }).collect();
    if mild == plain { vec![plain] } else { vec![mild, plain] }
}

/// The request with changes, and the reasons that no longer count since experts or employers give way.
fn relaxed(need: &Need, relaxations: &[Relaxation]) -> (Need, Reasons) {
    use ExclusionCode as C;
    let mut changed = need.clone();
    let mut waived = Reasons::default();
    for relaxation in relaxations {
        match relaxation {
            Relaxation::SkillWelcome { skill_item_ids } => {
                let skills = changed.required.iter_mut().filter(|skill| skill_item_ids.contains(&skill.skill_item_id));
                skills.for_each(|skill| skill.must = false);
            }
            Relaxation::SkillClaimed { skill_item_ids } => {
                let skills = changed.required.iter_mut().filter(|skill| skill_item_ids.contains(&skill.skill_item_id));
                skills.for_each(|skill| skill.verified_only = false);
            }
            Relaxation::LevelLower { skill_item_ids } => {
                let skills = changed.required.iter_mut().filter(|skill| skill_item_ids.contains(&skill.skill_item_id));
                skills.for_each(|skill| skill.min_level = skill.min_level.saturating_sub(1).max(1));
            }
            Relaxation::Online => changed.mode = NeedMode::Online,
            Relaxation::OtherDates => {
                // Alternatives beyond the number of visits last no time and are not needed any more.
                changed.visits.retain(|visit| visit.minutes > 0);
                for visit in &mut changed.visits {
                    *visit = PlannedVisit { day: None, start_minute: None, minutes: visit.minutes };
                }
            }
            Relaxation::Languages => changed.languages.clear(),
            Relaxation::Area => waived = waived.with(C::OutsideArea).with(C::IslandNotServed),
            Relaxation::Consent => waived = waived.with(C::EmployerConsent),
            Relaxation::Capacity => {
                waived = waived
                    .with(C::WeekCapacity)
                    .with(C::MonthCapacity)
                    .with(C::FiscalYearCapacity)
                    .with(C::FiscalYearDays)
                    .with(C::SimultaneousCapacity);
            }
        }
    }
    (changed, waived)
}
