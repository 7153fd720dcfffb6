//! What experts have done and have to do, as it counts for a request.

use std::collections::{BTreeSet, HashMap};

use super::queries::Query;
use super::{Scope, cut};
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::error::Error;
use crate::experts::store::ExceptionRow;
use crate::matching::{Merits, Need};

/// Of how many fiscal years the work and the answers count as evidence: that of the request and those before it.
const YEARS_OF_EVIDENCE: i32 = 3;

/// The work of one expert.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Requests with visits ahead.
    engaged: BTreeSet<i64>,
    /// Times that differ from the ordinary week, leave not among them.
    pub(super) exceptions: Vec<ExceptionRow>,
    /// Visits done by municipality.
    past_visits: Vec<(i64, u32)>,
    /// Visits done: fiscal year, request, how many.
    done: Vec<(i32, i64, u32)>,
    /// Offers that ended: fiscal year, whether answered, how many.
    answers: Vec<(i32, bool, u32)>,
}

impl Work {
    /// That of all whom the query is about, by id; exceptions come from elsewhere.
    pub(super) fn load(conn: &mut Conn, query: &Query, scope: &Scope) -> Result<HashMap<i64, Self>, Error> {
        let mut found: HashMap<i64, Self> = HashMap::new();
        for (id, request) in query.engagements(conn)? {
            found.entry(id.0).or_default().engaged.insert(request.0);
        }
        for (municipality, id, count) in query.past_visits(conn, scope.municipalities.as_ref())? {
            found.entry(id.0).or_default().past_visits.push((municipality.0, cut(count)));
        }
        let since = FiscalYear::of(scope.span.first).starting_year() - (YEARS_OF_EVIDENCE - 1);
        for (year, id, request, count) in query.done(conn, since)? {
            found.entry(id).or_default().done.push((year, request, count));
        }
        for (year, id, answered, count) in query.answers(conn, since)? {
            found.entry(id).or_default().answers.push((year, answered, count));
        }
        Ok(found)
    }

    /// The requests for which visits were done.
    pub(super) fn requests(&self) -> impl Iterator<Item = i64> {
        self.done.iter().map(|(_, request, _)| *request)
    }

    /// For how many requests other than one there are visits ahead.
    pub(super) fn engaged_beside(&self, request: i64) -> u32 {
        let count = self.engaged.len() - usize::from(self.engaged.contains(&request));
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// What counts for a request; `skills_of` says what the requests of the work asked for.
    pub(super) fn merits(&self, need: &Need, skills_of: &HashMap<i64, Vec<i64>>) -> Merits {
        let year = FiscalYear::of(need.period_from).starting_year();
        let of_late = |of: i32| (year - (YEARS_OF_EVIDENCE - 1)..=year).contains(&of);
        let asked = |skill: &i64| need.required.iter().any(|required| required.skill_item_id == *skill);
        let alike = |request: &i64| need.required.is_empty() || skills_of.get(request).is_some_and(|all| all.iter().any(asked));
        let mut merits = Merits::default();
        for (_, request, visits) in self.done.iter().filter(|(of, ..)| of_late(*of)) {
            if alike(request) {
                merits.evidence_visits += visits;
            }
        }
        for (_, answered, count) in self.answers.iter().filter(|(of, ..)| of_late(*of)) {
            merits.answers.asked += count;
            merits.answers.answered += if *answered { *count } else { 0 };
        }
        let there = self.past_visits.iter().find(|(municipality, _)| *municipality == need.municipality_id);
        merits.past_visits_with_municipality = there.map_or(0, |(_, visits)| *visits);
        merits
    }
}
