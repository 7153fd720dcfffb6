//! The score in numbers; the module documentation of `matching` states the formula. Integers only, every division cuts.

use super::dates;
use super::distance::distance_metres;
use super::input::{Candidate, Need, NeedMode, SkillNeed};

/// The highest score.
pub const MAX_SCORE: u32 = SKILL + WISH + DATE + TRAVEL + LOAD + CONTINUITY;

const SKILL: u32 = 400;
const WISH: u32 = 100;
/// What each place further down the list of wishes costs.
const WISH_STEP: u32 = 20;
const DATE: u32 = 150;
const TRAVEL: u32 = 150;
const LOAD: u32 = 150;
const CONTINUITY: u32 = 50;

/// Up to here travel costs no points, in km: within reach by local train or car.
const NEAR_KM: u32 = 20;
/// From here on it costs all of them, in km: beyond a day trip in most of the country.
const FAR_KM: u32 = 400;

/// A part's points with the facts they rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) points: u32,
    pub(super) max: u32,
    pub(super) facts: Facts,
}

/// What a part's points rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Facts {
    Skill {
        asked: usize,
        met: usize,
        deeper: usize,
        verified: usize,
    },
    Wish(WishFact),
    Date {
        dated: u32,
        possible: u32,
    },
    Travel(TravelFact),
    Load {
        /// Thousandths of the agreed capacity still free; `None` without an agreed limit.
        free_permille: Option<u32>,
        own_minutes: u32,
        most_minutes: u32,
    },
    Continuity {
        visits: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WishFact {
    LeftToOffice,
    /// The place in the list of wishes, 1 the first.
    Wished(u32),
    OtherWished,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TravelFact {
    Online,
    Unknown,
    Kilometres(u32),
}

/// What a score needs to know of the other eligible experts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    /// The most minutes any of them has in the fiscal year or years of the request.
    most_minutes: u32,
}

impl Field {
    pub(super) fn of(need: &Need, eligible: &[&Candidate]) -> Self {
        let most = eligible.iter().map(|candidate| minutes_of_the_year(need, candidate)).max();
        Self { most_minutes: most.unwrap_or(0) }
    }
}

/// All parts, in the order in which they are shown.
pub(super) fn measure(need: &Need, candidate: &Candidate, field: &Field) -> [Measured; 6] {
    [
        skill(need, candidate),
        wish(need, candidate),
        date(need, candidate),
        travel(need, candidate),
        load(need, candidate, field),
        continuity(candidate),
    ]
}

pub(super) fn total(parts: &[Measured]) -> u32 {
    parts.iter().map(|part| part.points).sum()
}

fn skill(need: &Need, candidate: &Candidate) -> Measured {
    let (mut earned, mut possible) = (0_u64, 0_u64);
    let (mut met, mut deeper, mut verified) = (0, 0, 0);
    for asked in &need.required {
        let weight = if asked.must { 2 } else { 1 };
        let fit = skill_fit(asked, candidate);
        earned += weight * u64::from(fit.percent);
        possible += weight * 100;
        met += usize::from(fit.met);
        deeper += usize::from(fit.deeper);
        verified += usize::from(fit.verified);
    }
    Measured {
        points: portion(SKILL, earned, possible),
        max: SKILL,
        facts: Facts::Skill { asked: need.required.len(), met, deeper, verified },
    }
}

struct SkillFit {
    percent: u32,
    met: bool,
    deeper: bool,
    verified: bool,
}

fn skill_fit(asked: &SkillNeed, candidate: &Candidate) -> SkillFit {
    let held = candidate
        .skills
        .iter()
        .filter(|skill| skill.skill_item_id == asked.skill_item_id)
        .max_by_key(|skill| (skill.level, skill.verified));
    let Some(held) = held else {
        return SkillFit { percent: 0, met: false, deeper: false, verified: false };
    };
    let (level, min_level) = (u32::from(held.level), u32::from(asked.min_level));
    if level < min_level {
        return SkillFit { percent: 35 * level / min_level, met: false, deeper: false, verified: false };
    }
    let above = level - min_level;
    SkillFit {
        percent: 70 + 10 * above.min(2) + if held.verified { 10 } else { 0 },
        met: true,
        deeper: above > 0,
        verified: held.verified,
    }
}

fn wish(need: &Need, candidate: &Candidate) -> Measured {
    let place = (0..).zip(&need.wished_experts).find(|(_, wished)| **wished == candidate.expert_id);
    let (points, fact) = match place {
        _ if need.wished_experts.is_empty() => (WISH, WishFact::LeftToOffice),
        Some((place, _)) => (WISH.saturating_sub(WISH_STEP * place).max(WISH_STEP), WishFact::Wished(place + 1)),
        None => (0, WishFact::OtherWished),
    };
    Measured { points, max: WISH, facts: Facts::Wish(fact) }
}

fn date(need: &Need, candidate: &Candidate) -> Measured {
    let (mut dated, mut possible) = (0_u32, 0_u32);
    for (day, visit) in dates::dated(need) {
        dated += 1;
        possible += u32::from(dates::possible(candidate, day, visit));
    }
    Measured { points: portion(DATE, u64::from(possible), u64::from(dated)), max: DATE, facts: Facts::Date { dated, possible } }
}

fn travel(need: &Need, candidate: &Candidate) -> Measured {
    let (points, fact) = if need.mode == NeedMode::Online {
        (TRAVEL, TravelFact::Online)
    } else if let (Some(base), Some(site)) = (candidate.base, need.site) {
        let km = (distance_metres(base, site) + 500) / 1000;
        let left = FAR_KM.saturating_sub(km.max(NEAR_KM));
        let points = portion(TRAVEL, u64::from(left), u64::from(FAR_KM - NEAR_KM));
        (points, TravelFact::Kilometres(km))
    } else {
        (TRAVEL / 2, TravelFact::Unknown)
    };
    Measured { points, max: TRAVEL, facts: Facts::Travel(fact) }
}

fn load(need: &Need, candidate: &Candidate, field: &Field) -> Measured {
    let own_minutes = minutes_of_the_year(need, candidate);
    let free_permille = free_permille(need, candidate);
    let free = portion(LOAD / 2, u64::from(free_permille.unwrap_or(1000)), 1000);
    let below = field.most_minutes.saturating_sub(own_minutes);
    let even = portion(LOAD / 2, u64::from(below), u64::from(field.most_minutes));
    Measured {
        points: free + even,
        max: LOAD,
        facts: Facts::Load { free_permille, own_minutes, most_minutes: field.most_minutes },
    }
}

fn minutes_of_the_year(need: &Need, candidate: &Candidate) -> u32 {
    dates::fiscal_years(need).into_iter().fold(0, |sum: u32, year| sum.saturating_add(dates::year_minutes(candidate, year)))
}

/// The smaller of the free parts of month and fiscal-year capacity.
fn free_permille(need: &Need, candidate: &Candidate) -> Option<u32> {
    let months = candidate.month_capacity_minutes.map(|capacity| {
        let used = dates::months(need).into_iter().map(|(year, month)| dates::month_minutes(candidate, year, month));
        free_part(capacity, used)
    });
    let years = candidate.year_capacity_minutes.map(|capacity| {
        let used = dates::fiscal_years(need).into_iter().map(|year| dates::year_minutes(candidate, year));
        free_part(capacity, used)
    });
    months.into_iter().chain(years).min()
}

/// Thousandths of a capacity that recurs each month or year and is still free over all of them.
fn free_part(capacity: u32, used: impl Iterator<Item = u32>) -> u32 {
    let (mut free, mut whole) = (0_u64, 0_u64);
    for used in used {
        free += u64::from(capacity.saturating_sub(used));
        whole += u64::from(capacity);
    }
    if whole == 0 {
        return 0;
    }
    portion(1000, free, whole)
}

fn continuity(candidate: &Candidate) -> Measured {
    let visits = candidate.past_visits_with_municipality;
    Measured { points: 10 * visits.min(CONTINUITY / 10), max: CONTINUITY, facts: Facts::Continuity { visits } }
}

/// `max × part ÷ whole`, cut; all of it if there is nothing to divide by, since then nothing was asked.
fn portion(max: u32, part: u64, whole: u64) -> u32 {
    if whole == 0 {
        return max;
    }
    u32::try_from(u64::from(max) * part.min(whole) / whole).unwrap_or(max)
}
