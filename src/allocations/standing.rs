//! Offers that stand: a plan reckons as if everybody who has been asked said yes.
//!
//! What an expert has accepted counts as work everywhere. What waits for an answer counts here alone: the same hours are not
//! promised twice while nobody has said no.

use std::collections::BTreeMap;

use crate::db::Conn;
use crate::error::Error;
use crate::experts::candidates;
use crate::ids::{ExpertId, OfferId, PoolId, ProgrammeId, RequestId};
use crate::matching::{self, Candidate, Need, PlannedVisit, Present};
use crate::offers::model::{OfferStatus, OfferedVisit};
use crate::offers::store::{self, StandingOffer};
use crate::requests::store::RequestRow;

/// Requests of one body for one theme in one fiscal year of a programme: programme, year, body, theme.
pub(super) type Alike = (i64, i32, i64, String);

/// That of a request, where the programme limits how often the same expert may come for the same theme.
pub(super) fn alike(need: &Need) -> Option<Alike> {
    let same = need.same_theme.as_ref()?;
    Some((same.programme_id, same.fiscal_year, need.municipality_id, same.theme.clone()))
}

/// What stands with the experts of some pools.
#[derive(Debug, Default)]
pub(super) struct Standing {
    of: BTreeMap<i64, Vec<Asked>>,
}

/// One offer that stands with an expert.
#[derive(Debug)]
pub(super) struct Asked {
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
    pub(super) fn load(conn: &mut Conn, pools: &[PoolId], only: Option<&[ExpertId]>) -> Result<Self, Error> {
        let offers = store::undecided(conn, pools, only)?;
        if offers.is_empty() {
            return Ok(Self::default());
        }
        let mut visits: BTreeMap<OfferId, Vec<OfferedVisit>> = BTreeMap::new();
        let proposed = |id: OfferId| offers.iter().any(|one| one.id == id && one.status == OfferStatus::DatesProposed);
        for row in store::visits_undecided(conn, pools, only)? {
            if row.proposed == proposed(row.offer_id) {
                visits.entry(row.offer_id).or_default().push((&row).into());
            }
        }
        let mut years: Vec<(ProgrammeId, i32)> = offers.iter().map(|offer| (offer.programme_id, offer.fiscal_year)).collect();
        years.sort_unstable();
        years.dedup();
        let years = crate::pools::store::years_of(conn, &years)?;
        let mut of: BTreeMap<i64, Vec<Asked>> = BTreeMap::new();
        for offer in offers {
            let year = years.iter().find(|year| (year.programme_id, year.fiscal_year) == (offer.programme_id, offer.fiscal_year));
            let buffer_minutes = year.map_or(0, |year| year.rules.travel_buffer_minutes);
            let visits = visits.remove(&offer.id).unwrap_or_default();
            of.entry(offer.expert_id.0).or_default().push(Asked { offer, visits, buffer_minutes });
        }
        Ok(Self { of })
    }

    fn of(&self, expert: i64) -> &[Asked] {
        self.of.get(&expert).map_or(&[], Vec::as_slice)
    }

    /// What stands for a request: who, and the visits that fall to each.
    pub(super) fn of_request(&self, request: RequestId) -> Vec<(i64, Vec<PlannedVisit>)> {
        let all = self.of.values().flatten().filter(|asked| asked.offer.request_id == request);
        // Who has agreed comes first: those days are settled.
        let mut all: Vec<&Asked> = all.collect();
        all.sort_by_key(|asked| (asked.offer.waits(), asked.offer.id));
        let planned = |visit: &OfferedVisit| PlannedVisit {
            day: visit.day,
            start_minute: visit.start_minute.and_then(|start| u16::try_from(start).ok()),
            minutes: u32::try_from(visit.minutes).unwrap_or(0),
        };
        all.into_iter().map(|asked| (asked.offer.expert_id.0, asked.visits.iter().map(planned).collect())).collect()
    }

    /// What a request still needs beside those with whom an offer stands; `None`: nobody more.
    pub(super) fn remainder(&self, request: RequestId, need: &Need, candidates: &[Candidate]) -> Option<Need> {
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
    pub(super) fn waiting(&self, expert: i64) -> u32 {
        let waiting = self.of(expert).iter().filter(|asked| asked.offer.waits()).count();
        u32::try_from(waiting).unwrap_or(u32::MAX)
    }

    /// How many of the offers that are not yet decided upon are for requests that are alike.
    pub(super) fn alike(&self, expert: i64, alike: &Alike) -> u32 {
        let count = self.of(expert).iter().filter(|asked| asked.offer.alike() == *alike).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Adds to a candidate's load and calendar what waits for an answer. Visits without a start hold no time.
    pub(super) fn put(&self, candidate: &mut Candidate) {
        for asked in self.of(candidate.expert_id).iter().filter(|asked| asked.offer.waits()) {
            asked.put(candidate);
        }
    }

    /// Adds an offer that has just been sent.
    pub(super) fn promise(
        &mut self,
        request: &RequestRow,
        (expert, id): (ExpertId, OfferId),
        visits: Vec<OfferedVisit>,
        buffer_minutes: u32,
    ) -> &Asked {
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
        of.push(Asked { offer, visits, buffer_minutes });
        &of[place]
    }
}

impl Asked {
    /// Adds it to a candidate's load and calendar.
    pub(super) fn put(&self, candidate: &mut Candidate) {
        candidates::weigh(candidate, self.visits.iter().map(|visit| visit.load(self.offer.period_from)));
        candidates::hold(candidate, self.visits.iter().filter_map(|visit| visit.blocked(self.buffer_minutes)));
    }
}

impl StandingOffer {
    /// Whether the answer, or the office's to a proposal, is still to come.
    fn waits(&self) -> bool {
        self.status != OfferStatus::Accepted
    }

    fn alike(&self) -> Alike {
        (self.programme_id.0, self.fiscal_year, self.applicant_organisation_id.0, self.theme_key.clone())
    }
}
