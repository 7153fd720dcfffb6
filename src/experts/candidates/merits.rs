//! Earlier work of experts, which decides about no condition and only about points: visits with the same skills, visits to the
//! same municipality, answers to offers.

use std::collections::{BTreeSet, HashMap};

use super::queries::{self, Query};
use super::{Span, cut};
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::error::Error;
use crate::matching::{Merits, Need};

/// Of how many fiscal years the work and the answers count as evidence: that of the request and those before it.
const YEARS_OF_EVIDENCE: i32 = 3;

/// What experts have done, for some requests.
#[derive(Debug)]
pub(super) struct Record {
    /// Visits done by municipality and expert.
    past_visits: HashMap<i64, HashMap<i64, u32>>,
    /// Visits done: fiscal year, expert, request.
    done: Vec<(i32, i64, i64, u32)>,
    /// Skills asked for by the requests of `done`.
    skills_of: HashMap<i64, Vec<i64>>,
    /// Offers that ended: fiscal year, expert, whether answered, how many.
    answers: Vec<(i32, i64, bool, u32)>,
}

impl Record {
    pub(super) fn load(conn: &mut Conn, query: &Query, needs: &[Need]) -> Result<Self, Error> {
        let municipalities: BTreeSet<i64> = needs.iter().map(|need| need.municipality_id).collect();
        let mut past_visits: HashMap<i64, HashMap<i64, u32>> = HashMap::new();
        for (municipality, id, count) in query.past_visits(conn, &municipalities)? {
            past_visits.entry(municipality.0).or_default().insert(id.0, cut(count));
        }
        let since = FiscalYear::of(Span::of(needs).first).starting_year() - (YEARS_OF_EVIDENCE - 1);
        let done = query.done(conn, since)?;
        let asked: BTreeSet<i64> = needs.iter().flat_map(|need| &need.required).map(|skill| skill.skill_item_id).collect();
        let skills_of = queries::skills_of(conn, &done.iter().map(|(_, _, request, _)| *request).collect(), &asked)?;
        Ok(Self { past_visits, done, skills_of, answers: query.answers(conn, since)? })
    }

    /// What counts for a request, by expert; who is not there has done nothing.
    pub(super) fn of(&self, need: &Need) -> HashMap<i64, Merits> {
        let year = FiscalYear::of(need.period_from).starting_year();
        let of_late = |of: i32| (year - (YEARS_OF_EVIDENCE - 1)..=year).contains(&of);
        let asked: Vec<i64> = need.required.iter().map(|skill| skill.skill_item_id).collect();
        let mut merits: HashMap<i64, Merits> = HashMap::new();
        for (_, expert, request, visits) in self.done.iter().filter(|(of, ..)| of_late(*of)) {
            let alike = asked.is_empty()
                || self.skills_of.get(request).is_some_and(|skills| skills.iter().any(|skill| asked.contains(skill)));
            if alike {
                merits.entry(*expert).or_default().evidence_visits += visits;
            }
        }
        for (_, expert, answered, count) in self.answers.iter().filter(|(of, ..)| of_late(*of)) {
            let sum = &mut merits.entry(*expert).or_default().answers;
            sum.asked += count;
            sum.answered += if *answered { *count } else { 0 };
        }
        for (expert, visits) in self.past_visits.get(&need.municipality_id).into_iter().flatten() {
            merits.entry(*expert).or_default().past_visits_with_municipality = *visits;
        }
        merits
    }
}
