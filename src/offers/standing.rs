//! Offers that stand while no dispatch has been decided: what they promise of an expert's time, and what they leave a request to
//! need.
//!
//! What an expert has accepted counts as work everywhere. What waits for an answer counts here alone: a plan reckons as if
//! everybody who has been asked said yes, so that the same hours are not promised twice. One request by itself is ranked without.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{OfferStatus, OfferedVisit};
use super::store::{self, StandingOffer};
use crate::db::Conn;
use crate::error::Error;
use crate::experts::candidates::{self, PoolFacts};
use crate::ids::{ExpertId, OfferId, PoolId, ProgrammeId, RequestId};
use crate::matching::{self, Candidate, Need, PlannedVisit, Present};
use crate::requests::model::RequestStatus;
use crate::requests::store::RequestRow;

/// Requests of one body for one theme in one fiscal year of a programme: programme, year, body, theme.
pub type Alike = (i64, i32, i64, String);

/// That of a request, where the programme limits how often the same expert may come for the same theme.
pub fn alike(need: &Need) -> Option<Alike> {
    let same = need.same_theme.as_ref()?;
    Some((same.programme_id, same.fiscal_year, need.municipality_id, same.theme.clone()))
}

/// What a request that waits for its decision needs now: all it asks for or, where a part of its team is there already, what is
/// left.
///
/// # Errors
/// The database's.
pub fn needed(conn: &mut Conn, request: &RequestRow, pool: PoolId) -> Result<Need, Error> {
    let need = crate::requests::service::need_of(conn, request)?;
    if request.experts_needed < 2 || request.status != RequestStatus::Accepted {
        return Ok(need);
    }
    let there: Vec<ExpertId> = store::standing(conn, &[request.id])?.into_iter().map(|(_, expert, _)| expert).collect();
    if there.is_empty() {
        return Ok(need);
    }
    let standing = Standing::load(conn, &[pool], Some(&there))?;
    let mut facts = PoolFacts::load(conn, pool, std::slice::from_ref(&need), Some(&there))?;
    let left = standing.remainder(request.id, &need, facts.for_need(&need));
    Ok(left.unwrap_or(need))
}

/// How many experts a request still needs: nobody from the queue counts as asked.
///
/// # Errors
/// The database's.
pub fn experts_missing(conn: &mut Conn, request: &RequestRow) -> Result<usize, Error> {
    let standing = store::standing(conn, &[request.id])?;
    let there = standing.iter().filter(|(_, _, status)| *status != OfferStatus::Queued).count();
    Ok(usize::try_from(request.experts_needed).unwrap_or(1).saturating_sub(there))
}

/// What stands with the experts of some pools.
#[derive(Debug, Default)]
pub struct Standing {
    of: BTreeMap<i64, Vec<Promised>>,
}

/// One offer that stands with an expert.
#[derive(Debug)]
pub struct Promised {
    offer: StandingOffer,
    /// The visits it comes to if it is accepted as things are: those that the expert proposed, where that was the answer.
    visits: Vec<OfferedVisit>,
    buffer_minutes: i32,
}

impl Standing {
    /// Reads it: of all experts of the pools, or of some.
    ///
    /// # Errors
    /// The database's.
    pub fn load(conn: &mut Conn, pools: &[PoolId], only: Option<&[ExpertId]>) -> Result<Self, Error> {
        let offers = store::undecided(conn, pools, only)?;
        if offers.is_empty() {
            return Ok(Self::default());
        }
        let mut visits: BTreeMap<OfferId, Vec<OfferedVisit>> = BTreeMap::new();
        let changed = offers.iter().filter(|one| one.status == OfferStatus::DatesProposed);
        let changed: BTreeSet<OfferId> = changed.map(|one| one.id).collect();
        for row in store::visits_undecided(conn, pools, only)? {
            if row.proposed == changed.contains(&row.offer_id) {
                visits.entry(row.offer_id).or_default().push((&row).into());
            }
        }
        let mut years: Vec<(ProgrammeId, i32)> = offers.iter().map(|offer| (offer.programme_id, offer.fiscal_year)).collect();
        years.sort_unstable();
        years.dedup();
        let years = crate::pools::store::years_of(conn, &years)?;
        let mut of: BTreeMap<i64, Vec<Promised>> = BTreeMap::new();
        for offer in offers {
            let year = years.iter().find(|year| (year.programme_id, year.fiscal_year) == (offer.programme_id, offer.fiscal_year));
            let buffer_minutes = year.map_or(0, |year| year.rules.travel_buffer_minutes);
            let visits = visits.remove(&offer.id).unwrap_or_default();
            of.entry(offer.expert_id.0).or_default().push(Promised { offer, visits, buffer_minutes });
        }
        Ok(Self { of })
    }

    fn of(&self, expert: i64) -> &[Promised] {
        self.of.get(&expert).map_or(&[], Vec::as_slice)
    }

    /// Everybody with whom an offer for a request stands, those in the queue among them: none of them is asked once more.
    pub fn asked(&self, request: RequestId) -> BTreeSet<i64> {
        let all = self.of.values().flatten().filter(|promised| promised.offer.request_id == request);
        all.map(|promised| promised.offer.expert_id.0).collect()
    }

    /// A need that reaches to the days that have been arranged for the request: what is looked up for it holds for them too.
    pub fn reaching(&self, request: RequestId, need: &Need) -> Need {
        let arranged = self.of_request(request).into_iter().flat_map(|(_, visits)| visits).filter(|visit| visit.day.is_some());
        let mut reaching = need.clone();
        reaching.visits.extend(arranged.map(|visit| PlannedVisit { minutes: 0, ..visit }));
        reaching
    }

    /// Who has been asked for a request or has agreed, and the visits that fall to each; nobody from the queue.
    pub fn of_request(&self, request: RequestId) -> Vec<(i64, Vec<PlannedVisit>)> {
        let is_there =
            |promised: &&Promised| promised.offer.request_id == request && promised.offer.status != OfferStatus::Queued;
        let all = self.of.values().flatten().filter(is_there);
        // Who has agreed comes first: those days are settled.
        let mut all: Vec<&Promised> = all.collect();
        all.sort_by_key(|promised| (promised.offer.waits(), promised.offer.id));
        let planned = |visit: &OfferedVisit| PlannedVisit {
            day: visit.day,
            start_minute: visit.start_minute.and_then(|start| u16::try_from(start).ok()),
            minutes: u32::try_from(visit.minutes).unwrap_or(0),
        };
        all.into_iter().map(|promised| (promised.offer.expert_id.0, promised.visits.iter().map(planned).collect())).collect()
    }

    /// What a request still needs beside those with whom an offer stands; `None`: nobody more.
    pub fn remainder(&self, request: RequestId, need: &Need, candidates: &[Candidate]) -> Option<Need> {
        let there = self.of_request(request);
        if there.is_empty() {
            return Some(need.clone());
        }
        let find = |id: i64| candidates.iter().find(|candidate| candidate.expert_id == id);
        let present: Vec<Present<'_>> =
            there.iter().map(|(expert, visits)| Present { candidate: find(*expert), visits: visits.as_slice() }).collect();
        matching::remainder(need, &present)
    }

    /// How many offers wait with an expert for an answer.
    pub fn waiting(&self, expert: i64) -> u32 {
        let waiting = self.of(expert).iter().filter(|promised| promised.offer.waits()).count();
        u32::try_from(waiting).unwrap_or(u32::MAX)
    }

    /// How many of the offers that are not yet decided upon are for requests that are alike.
    pub fn alike(&self, expert: i64, alike: &Alike) -> u32 {
        let counts = |promised: &&Promised| promised.offer.status != OfferStatus::Queued && promised.offer.alike() == *alike;
        let count = self.of(expert).iter().filter(counts).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Adds to a candidate's load and calendar what waits for an answer. Visits without a start hold no time.
    pub fn put(&self, candidate: &mut Candidate) {
        for promised in self.of(candidate.expert_id).iter().filter(|promised| promised.offer.waits()) {
            promised.put(candidate);
        }
    }

    /// Adds an offer that has just been sent.
    pub fn promise(
        &mut self,
        request: &RequestRow,
        (expert, id): (ExpertId, OfferId),
        visits: Vec<OfferedVisit>,
        buffer_minutes: u32,
    ) -> &Promised {
        let offer = StandingOffer {
            id,
            request_id: request.id,
            expert_id: expert,
            status: OfferStatus::Sent,
            programme_id: request.programme_id,
            fiscal_year: request.fiscal_year,
            applicant_organisation_id: request.applicant_organisation_id,
            theme_key: request.theme_key.clone(),
            period_from: request.period_from,
        };
        let buffer_minutes = i32::try_from(buffer_minutes).unwrap_or(i32::MAX);
        let of = self.of.entry(expert.0).or_default();
        let place = of.len();
        of.push(Promised { offer, visits, buffer_minutes });
        &of[place]
    }
}

impl Promised {
    /// Adds it to a candidate's load and calendar.
    pub fn put(&self, candidate: &mut Candidate) {
        candidates::weigh(candidate, self.visits.iter().map(|visit| visit.load(self.offer.period_from)));
        candidates::hold(candidate, self.visits.iter().filter_map(|visit| visit.blocked(self.buffer_minutes)));
    }
}

impl StandingOffer {
    /// Whether the answer, or the office's to a proposal, is still to come. Who is only in the queue has not been asked: nothing
    /// is promised unless those before say no.
    fn waits(&self) -> bool {
        !matches!(self.status, OfferStatus::Accepted | OfferStatus::Queued)
    }

    fn alike(&self) -> Alike {
        (self.programme_id.0, self.fiscal_year, self.applicant_organisation_id.0, self.theme_key.clone())
    }
}
