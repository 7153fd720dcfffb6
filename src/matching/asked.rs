//! A request with everything that is derived from it once, so that each expert costs little.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::dates;
use super::input::{Candidate, Need, PlannedVisit, SkillNeed};
use crate::calendar::FiscalYear;

/// A request, ready to be held against many experts.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The request.
    pub need: &'a Need,
    /// The visits that have a day.
    pub(super) dated: Vec<(NaiveDate, PlannedVisit)>,
    /// Months in which the work may fall: those of the period and of the dated visits, as year and month.
    pub(super) months: Vec<(i32, u32)>,
    /// Fiscal years in which the work may fall.
    pub(super) years: Vec<FiscalYear>,
    /// First and last day on which work may fall.
    pub(super) span: (NaiveDate, NaiveDate),
    /// Minutes that one expert has to have at least: all visits or, where a team takes turns, an even share of them.
    pub(super) minutes: u64,
    /// Minutes of the longest visit.
    pub(super) longest: u32,
    /// Days that one expert has to have at least.
    pub(super) days: u32,
    /// The required skills, each with its alternatives, by their places in the list of the request.
    pub(super) requirements: Vec<Vec<usize>>,
}

impl<'a> Asked<'a> {
    /// Derives what follows from a request.
    pub fn of(need: &'a Need) -> Self {
        let dated: Vec<(NaiveDate, PlannedVisit)> =
            need.visits.iter().filter_map(|visit| visit.day.map(|day| (day, *visit))).collect();
        let first = dated.iter().map(|(day, _)| *day).min().map_or(need.period_from, |day| day.min(need.period_from));
        let last = dated.iter().map(|(day, _)| *day).max().map_or(need.period_to, |day| day.max(need.period_to));
        let sharing = if need.rotation { u64::from(need.experts_needed.max(1)) } else { 1 };
        let all: u64 = need.visits.iter().map(|visit| u64::from(visit.minutes)).sum();
        // Wishes beyond the number of visits last no time; what has a day of its own is a day.
        let mut days: Vec<Option<NaiveDate>> =
            need.visits.iter().filter(|visit| visit.minutes > 0).map(|visit| visit.day).collect();
        days.sort_unstable();
        let undated = days.iter().filter(|day| day.is_none()).count();
        days.dedup();
        let days = u64::try_from(undated + days.iter().flatten().count()).unwrap_or(u64::MAX) / sharing;
        let mut groups: BTreeMap<(Option<u8>, usize), Vec<usize>> = BTreeMap::new();
        for (place, skill) in need.required.iter().enumerate().filter(|(_, skill)| skill.must) {
            // A skill without a group is a group of its own.
            let own = if skill.alternative_group.is_some() { 0 } else { place };
            groups.entry((skill.alternative_group, own)).or_default().push(place);
        }
        let mut requirements: Vec<Vec<usize>> = groups.into_values().collect();
        requirements.sort_unstable();
        Self {
            need,
            months: dates::months(need, &dated),
            years: dates::fiscal_years(need, &dated),
            span: (first, last),
            minutes: (all / sharing).max(1),
            longest: need.visits.iter().map(|visit| visit.minutes).max().unwrap_or(0),
            days: u32::try_from(days).unwrap_or(u32::MAX).max(1),
            dated,
            requirements,
        }
    }

    /// The required skills with their alternatives that everybody must hold who comes into question. Of a team nobody has to
    /// hold all of them: then they stand there as alternatives of one another.
    pub fn skill_requirements(&self) -> Vec<Vec<&SkillNeed>> {
        let skills = |places: &[usize]| places.iter().filter_map(|place| self.need.required.get(*place)).collect::<Vec<_>>();
        let all: Vec<Vec<&SkillNeed>> = self.requirements.iter().map(|places| skills(places)).collect();
        if self.is_team() && !all.is_empty() { vec![all.into_iter().flatten().collect()] } else { all }
    }

    /// The first and the last day on which work may fall.
    pub fn span(&self) -> (NaiveDate, NaiveDate) {
        self.span
    }

    /// How many required skills there are, alternatives as one.
    pub fn requirement_count(&self) -> usize {
        self.requirements.len()
    }

    /// The visits as these experts could make them: as many of the wished days as are possible, in the order of the wishes, each
    /// wish for one visit, and the others without a day. Who come together need the same days; where a team takes turns, visit `i`
    /// is for member `i mod n`.
    pub fn visits_of(&self, members: &[&Candidate]) -> Vec<PlannedVisit> {
        let lengths = self.need.visits.iter().map(|visit| visit.minutes).filter(|minutes| *minutes > 0);
        let mut wishes: Vec<&(NaiveDate, PlannedVisit)> = self.dated.iter().collect();
        lengths
            .enumerate()
            .map(|(number, minutes)| {
                let comes = |place: usize| !self.need.rotation || place == number % members.len().max(1);
                let fits = |(day, visit): &(NaiveDate, PlannedVisit)| {
                    let visit = PlannedVisit { minutes, ..*visit };
                    let mut coming = members.iter().enumerate().filter(|(place, _)| comes(*place));
                    coming.all(|(_, member)| dates::possible(self, member, *day, &visit))
                };
                match wishes.iter().position(|wish| fits(wish)) {
                    Some(place) => PlannedVisit { minutes, ..wishes.remove(place).1 },
                    None => PlannedVisit { day: None, start_minute: None, minutes },
                }
            })
            .collect()
    }

    /// Whether several experts go together: then they must hold the required skills together, and each of them one.
    pub(super) fn is_team(&self) -> bool {
        self.need.experts_needed > 1
    }
}
