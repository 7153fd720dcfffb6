//! The score in numbers; the module documentation of `matching` states the formula. Integers only, every division cuts.

use super::asked::Asked;
use super::dates::{self, DayFit};
use super::distance::kilometres;
use super::input::{Answers, Candidate, Need, NeedMode, SkillNeed};
use super::weights::Weights;

/// How many parts a score has.
pub(super) const PARTS: usize = 8;

/// What each place further down the list of wishes costs of the whole part, in fifths.
const WISH_FIFTHS: u32 = 5;
/// Visits from which on experience is full: with the skills asked for, and with the municipality.
const FULL_VISITS: u32 = 5;

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
    Evidence {
        visits: u32,
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
    Response {
        asked: u32,
        answered: u32,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Field {
    /// The most minutes any of them has in the fiscal year or years of the request.
    most_minutes: u32,
}

impl Field {
    /// Takes the minutes of one more eligible expert.
    pub(super) fn take(&mut self, minutes: u32) {
        self.most_minutes = self.most_minutes.max(minutes);
    }
}

/// All parts, in the order in which they are shown.
pub(super) fn measure(asked: &Asked<'_>, candidate: &Candidate, days: &DayFit, field: &Field) -> [Measured; PARTS] {
    let weights = &asked.need.weights;
    [
        skill(asked, candidate, weights.skill),
        evidence(candidate, weights.evidence),
        wish(asked.need, candidate, weights.wish),
        date(days, weights.date),
        travel(asked.need, candidate, weights.travel),
        load(asked, candidate, field, weights.load),
        continuity(candidate, weights.continuity),
        response(candidate, weights.response),
    ]
}

pub(super) fn total(parts: &[Measured]) -> u32 {
    parts.iter().map(|part| part.points).sum()
}

/// Required skills count double. Of alternatives the one that fits best counts, as one skill.
fn skill(asked: &Asked<'_>, candidate: &Candidate, max: u32) -> Measured {
    let required = &asked.need.required;
    let (mut earned, mut possible) = (0_u64, 0_u64);
    let (mut count, mut met, mut deeper, mut verified) = (0, 0, 0, 0);
    let mut add = |weight: u64, fit: SkillFit| {
        earned += weight * u64::from(fit.percent);
        possible += weight * 100;
        count += 1;
        met += usize::from(fit.met);
        deeper += usize::from(fit.deeper);
        verified += usize::from(fit.verified);
    };
    for places in &asked.requirements {
        let fits = places.iter().filter_map(|place| required.get(*place)).map(|skill| skill_fit(skill, candidate));
        if let Some(best) = fits.max_by_key(|fit| (fit.met, fit.percent)) {
            add(2, best);
        }
    }
    for skill in required.iter().filter(|skill| !skill.must) {
        add(1, skill_fit(skill, candidate));
    }
    Measured { points: portion(max, earned, possible), max, facts: Facts::Skill { asked: count, met, deeper, verified } }
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
        .filter(|skill| skill.skill_item_id == asked.skill_item_id && (skill.verified || !asked.verified_only))
        .max_by_key(|skill| (skill.level, skill.verified));
    let Some(held) = held else {
        return SkillFit { percent: 0, met: false, deeper: false, verified: false };
    };
    let (level, min_level) = (u32::from(held.level), u32::from(asked.min_level));
    SkillFit {
        percent: skill_percent(asked, held.level, held.verified),
        met: level >= min_level,
        deeper: level > min_level,
        verified: level >= min_level && held.verified,
    }
}

/// What holding a skill is worth, of 100.
pub(super) fn skill_percent(asked: &SkillNeed, level: u8, verified: bool) -> u32 {
    if asked.verified_only && !verified {
        return 0;
    }
    let (level, min_level) = (u32::from(level), u32::from(asked.min_level));
    match level.checked_sub(min_level) {
        None => 35 * level / min_level,
        Some(above) => 70 + 10 * above.min(2) + if verified { 10 } else { 0 },
    }
}

/// Points of the parts that depend on the candidate alone: evidence, continuity, response.
pub(super) fn known_points(weights: &Weights, (evidence, past): (u8, u8), (asked, answered): (u16, u16)) -> u32 {
    let of_visits = |max: u32, visits: u8| portion(max, u64::from(visits), u64::from(FULL_VISITS));
    of_visits(weights.evidence, evidence)
        + of_visits(weights.continuity, past)
        + portion(weights.response, u64::from(answered), u64::from(asked))
}

/// Points for a way of so many kilometres.
pub(super) fn travel_points(km: u32, max: u32) -> u32 {
    portion(max, u64::from(FAR_KM.saturating_sub(km.max(NEAR_KM))), u64::from(FAR_KM - NEAR_KM))
}

/// The most points for load that so many minutes allow: as if the agreed capacity were all free.
pub(super) fn load_at_most(max: u32, own_minutes: u32, field: &Field) -> u32 {
    max / 2 + even_points(max, own_minutes, field)
}

fn even_points(max: u32, own_minutes: u32, field: &Field) -> u32 {
    portion(max - max / 2, u64::from(field.most_minutes.saturating_sub(own_minutes)), u64::from(field.most_minutes))
}

fn evidence(candidate: &Candidate, max: u32) -> Measured {
    let visits = candidate.evidence_visits;
    Measured { points: portion(max, u64::from(visits), u64::from(FULL_VISITS)), max, facts: Facts::Evidence { visits } }
}

fn wish(need: &Need, candidate: &Candidate, max: u32) -> Measured {
    let place = (0..).zip(&need.wished_experts).find(|(_, wished)| **wished == candidate.expert_id);
    let (fifths, fact) = match place {
        _ if need.wished_experts.is_empty() => (WISH_FIFTHS, WishFact::LeftToOffice),
        Some((place, _)) => (WISH_FIFTHS.saturating_sub(place).max(1), WishFact::Wished(place + 1)),
        None => (0, WishFact::OtherWished),
    };
    Measured { points: portion(max, u64::from(fifths), u64::from(WISH_FIFTHS)), max, facts: Facts::Wish(fact) }
}

fn date(days: &DayFit, max: u32) -> Measured {
    let (dated, possible) = days.counts();
    Measured { points: portion(max, u64::from(possible), u64::from(dated)), max, facts: Facts::Date { dated, possible } }
}

fn travel(need: &Need, candidate: &Candidate, max: u32) -> Measured {
    let (points, fact) = if need.mode == NeedMode::Online {
        (max, TravelFact::Online)
    } else if let (Some(base), Some(site)) = (candidate.base, need.site) {
        let km = kilometres(base, site);
        (travel_points(km, max), TravelFact::Kilometres(km))
    } else {
        (max / 2, TravelFact::Unknown)
    };
    Measured { points, max, facts: Facts::Travel(fact) }
}

fn load(asked: &Asked<'_>, candidate: &Candidate, field: &Field, max: u32) -> Measured {
    let own_minutes = minutes_of_the_years(asked, candidate);
    let free_permille = free_permille(asked, candidate);
    // An odd weight gives the larger half to evenness.
    let free = portion(max / 2, u64::from(free_permille.unwrap_or(1000)), 1000);
    Measured {
        points: free + even_points(max, own_minutes, field),
        max,
        facts: Facts::Load { free_permille, own_minutes, most_minutes: field.most_minutes },
    }
}

pub(super) fn minutes_of_the_years(asked: &Asked<'_>, candidate: &Candidate) -> u32 {
    asked.years.iter().fold(0, |sum: u32, year| sum.saturating_add(dates::year_minutes(candidate, *year)))
}

/// The smaller of the free parts of month and fiscal-year capacity.
fn free_permille(asked: &Asked<'_>, candidate: &Candidate) -> Option<u32> {
    let months = candidate.month_capacity_minutes.map(|capacity| {
        let used = asked.months.iter().map(|(year, month)| dates::month_minutes(candidate, *year, *month));
        free_part(capacity, used)
    });
    let years = candidate.year_capacity_minutes.map(|capacity| {
        let used = asked.years.iter().map(|year| dates::year_minutes(candidate, *year));
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

fn continuity(candidate: &Candidate, max: u32) -> Measured {
    let visits = candidate.past_visits_with_municipality;
    Measured { points: portion(max, u64::from(visits), u64::from(FULL_VISITS)), max, facts: Facts::Continuity { visits } }
}

/// Whoever was never asked loses nothing: newcomers must be able to come in.
fn response(candidate: &Candidate, max: u32) -> Measured {
    let Answers { asked, answered } = candidate.answers;
    Measured { points: portion(max, u64::from(answered), u64::from(asked)), max, facts: Facts::Response { asked, answered } }
}

/// `max × part ÷ whole`, cut; all of it if there is nothing to divide by, since then nothing was asked.
fn portion(max: u32, part: u64, whole: u64) -> u32 {
    if whole == 0 {
        return max;
    }
    u32::try_from(u64::from(max) * part.min(whole) / whole).unwrap_or(max)
}
