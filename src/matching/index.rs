//! Experts in memory, for ranking one request after another among many: those who hold the skills are found by lists, and of
//! these only the ones that could still be among the best are looked at in full.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::asked::Asked;
use super::dates::DayFit;
use super::distance::{Place, Unit, at_least};
use super::eligibility::eligible_days;
use super::explain::Ranked;
use super::input::{Candidate, NeedMode, SkillNeed};
use super::score::{self, Field};

/// An index of candidates by the skills they hold.
#[derive(Debug, Clone, Default)]
pub struct Index {
    holders: HashMap<i64, Vec<Holder>>,
    cards: Vec<Card>,
}

/// Who holds a skill how well.
#[derive(Debug, Clone, Copy)]
struct Holder {
    place: u32,
    level: u8,
    verified: bool,
}

/// What is known of a candidate whatever is asked, small and side by side: enough to say how many points there can be at most.
#[derive(Debug, Clone, Copy)]
struct Card {
    base: Unit,
    minutes: u32,
    /// The fiscal year of the minutes, by its first calendar year; 0 where there are none.
    year: u16,
    asked: u16,
    answered: u16,
    evidence: u8,
    past: u8,
    has_base: bool,
    /// Minutes of several years: they are not here.
    several_years: bool,
}

impl Card {
    fn of(candidate: &Candidate) -> Self {
        let load = candidate.year_loads.first();
        let few = |count: u32| u8::try_from(count).unwrap_or(u8::MAX);
        // Answers that are too many to keep count as all.
        let answers = u16::try_from(candidate.answers.asked).ok().zip(u16::try_from(candidate.answers.answered).ok());
        let (asked, answered) = answers.unwrap_or((0, 0));
        Self {
            base: candidate.base.map_or([0; 3], Place::unit),
            minutes: load.map_or(0, |load| load.minutes),
            year: load.and_then(|load| u16::try_from(load.fiscal_year.starting_year()).ok()).unwrap_or(0),
            asked,
            answered,
            evidence: few(candidate.evidence_visits),
            past: few(candidate.past_visits_with_municipality),
            has_base: candidate.base.is_some(),
            several_years: candidate.year_loads.len() > 1,
        }
    }
}

impl Index {
    /// Reads the candidates.
    pub fn of(candidates: &[Candidate]) -> Self {
        let mut holders: HashMap<i64, Vec<Holder>> = HashMap::new();
        for (place, candidate) in (0..).zip(candidates) {
            for skill in &candidate.skills {
                let holder = Holder { place, level: skill.level, verified: skill.verified };
                holders.entry(skill.skill_item_id).or_default().push(holder);
            }
        }
        Self { holders, cards: candidates.iter().map(Card::of).collect() }
    }

    /// The best candidates for a request, no more than `most`: those of [`super::rank`]. The candidates are those the index was
    /// made of.
    pub fn top(&self, asked: &Asked<'_>, candidates: &[Candidate], most: usize) -> Vec<Ranked> {
        let places = self.holding_all(asked).unwrap_or_else(|| (0..).take(candidates.len()).collect());
        let looked_at = places.iter().filter_map(|place| self.cards.get(*place as usize).map(|card| (*place, card)));
        let looked_at: Vec<(u32, &Card)> = looked_at.collect();
        let at = |place: u32| candidates.get(place as usize);
        let years: Vec<u16> = asked.years.iter().filter_map(|year| u16::try_from(year.starting_year()).ok()).collect();
        let own = |place: u32, card: &Card| {
            if card.several_years {
                return at(place).map_or(0, |candidate| score::minutes_of_the_years(asked, candidate));
            }
            if years.contains(&card.year) { card.minutes } else { 0 }
        };
        // The highest load among the eligible is a measure for everybody: whoever has most minutes and is eligible sets it.
        let mut by_minutes: BinaryHeap<(u32, Reverse<u32>)> =
            looked_at.iter().map(|(place, card)| (own(*place, card), Reverse(*place))).collect();
        let mut field = Field::default();
        let mut barred = vec![false; candidates.len()];
        let mut anybody = false;
        while let Some((_, Reverse(place))) = by_minutes.pop() {
            let Some(candidate) = at(place) else { continue };
            if eligible_days(asked, candidate, true).is_some() {
                anybody = true;
                field.take(score::minutes_of_the_years(asked, candidate));
                break;
            }
            if let Some(barred) = barred.get_mut(place as usize) {
                *barred = true;
            }
        }
        if !anybody {
            return Vec::new();
        }
        let (earned, possible) = self.skill_percents(asked, candidates.len());
        let weights = &asked.need.weights;
        let site = asked.need.site.map(Place::unit);
        let bound = |place: u32, card: &Card| {
            // Held by several alternatives is no more than all.
            let earned = earned.get(place as usize).copied().unwrap_or(0).min(possible);
            let skill = (weights.skill * earned).checked_div(possible).unwrap_or(weights.skill);
            let travel = match (asked.need.mode, site) {
                (NeedMode::Online, _) => weights.travel,
                (_, Some(site)) if card.has_base => score::travel_points(at_least(card.base, site), weights.travel),
                _ => weights.travel / 2,
            };
            let known = score::known_points(weights, (card.evidence, card.past), (card.asked, card.answered));
            skill + travel + known + weights.wish + weights.date + score::load_at_most(weights.load, own(place, card), &field)
        };
        let mut open: BinaryHeap<(u32, Reverse<u32>)> =
            looked_at.iter().map(|(place, card)| (bound(*place, card), Reverse(*place))).collect();
        // The best so far, the worst of them on top.
        let mut best: BinaryHeap<(Reverse<u32>, i64, u32, usize)> = BinaryHeap::with_capacity(most.min(looked_at.len()) + 1);
        let mut found: Vec<DayFit> = Vec::new();
        while let Some((bound, Reverse(place))) = open.pop() {
            let full = best.len() >= most;
            if most == 0 || (full && best.peek().is_some_and(|(Reverse(worst), ..)| bound < *worst)) {
                break;
            }
            let Some(candidate) = at(place) else { continue };
            if barred.get(place as usize) == Some(&true) {
                continue;
            }
            let Some(fit) = eligible_days(asked, candidate, true) else { continue };
            let total = score::total(&score::measure(asked, candidate, &fit, &field));
            if full && best.peek().is_some_and(|worst| (worst.0, worst.1) < (Reverse(total), candidate.expert_id)) {
                continue;
            }
            best.push((Reverse(total), candidate.expert_id, place, found.len()));
            found.push(fit);
            if best.len() > most {
                best.pop();
            }
        }
        let ranked = best
            .into_sorted_vec()
            .into_iter()
            .filter_map(|(Reverse(score), expert_id, place, fit)| Some((score, expert_id, at(place)?, found.get(fit)?)));
        (1..)
            .zip(ranked)
            .map(|(rank, (score, expert_id, candidate, fit))| Ranked {
                rank,
                expert_id,
                score,
                measured: score::measure(asked, candidate, fit, &field),
            })
            .collect()
    }

    /// What each candidate earns for skills by place, of how much; where there are alternatives, no less than there is.
    fn skill_percents(&self, asked: &Asked<'_>, count: usize) -> (Vec<u32>, u32) {
        let required = &asked.need.required;
        let mut earned = vec![0_u32; count];
        let mut add = |skill: &SkillNeed, weight: u32| {
            for holder in self.holders.get(&skill.skill_item_id).into_iter().flatten() {
                if let Some(sum) = earned.get_mut(holder.place as usize) {
                    *sum += weight * score::skill_percent(skill, holder.level, holder.verified);
                }
            }
        };
        let mut possible = 0;
        for places in &asked.requirements {
            possible += 200;
            places.iter().filter_map(|place| required.get(*place)).for_each(|skill| add(skill, 2));
        }
        for skill in required.iter().filter(|skill| !skill.must) {
            possible += 100;
            add(skill, 1);
        }
        (earned, possible)
    }

    /// Who holds the required skills, by their places in order; `None`: none is required.
    pub fn holding_all(&self, asked: &Asked<'_>) -> Option<Vec<u32>> {
        let mut lists: Vec<Vec<u32>> =
            asked.skill_requirements().iter().map(|alternatives| self.holding_one(alternatives)).collect();
        lists.sort_by_key(Vec::len);
        let mut lists = lists.into_iter();
        let mut places = lists.next()?;
        for list in lists {
            places.retain(|place| list.binary_search(place).is_ok());
        }
        Some(places)
    }

    fn holding_one(&self, alternatives: &[&SkillNeed]) -> Vec<u32> {
        let holding = |skill: &&SkillNeed| {
            let (min_level, verified_only) = (skill.min_level, skill.verified_only);
            let enough = move |holder: &&Holder| holder.level >= min_level && (holder.verified || !verified_only);
            let holders = self.holders.get(&skill.skill_item_id).map_or(&[][..], Vec::as_slice);
            holders.iter().filter(enough).map(|holder| holder.place)
        };
        let mut places: Vec<u32> = alternatives.iter().flat_map(holding).collect();
        if alternatives.len() > 1 {
            places.sort_unstable();
        }
        places.dedup();
        places
    }
}
