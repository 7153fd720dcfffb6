//! The experts of a pool in memory, so that a request is held against thousands of them without reading them again. What has changed
//! since, the database itself has noted (`expert_changes`), and only that is looked up anew: what is answered here is what the
//! database holds.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;

use super::limits::Limits;
use super::work::Work;
use super::{PoolFacts, Scope, put, wished_days};
use crate::calendar::FiscalYear;
use crate::db::{Conn, dialect};
use crate::error::Error;
use crate::ids::{ExpertId, PoolId};
use crate::matching::{self, Asked, Candidate, CandidateStatus, ExclusionCode, Index, Need, NeedMode, Ranking};

/// Pools that are kept at most.
const MOST_POOLS: usize = 16;
/// Experts looked up anew at most; where more have changed, everybody is.
const MOST_ANEW: usize = 500;

/// What a process remembers of the experts of pools.
#[derive(Debug, Default)]
pub struct Memory {
    pools: Mutex<HashMap<PoolId, Arc<Mutex<Option<Remembered>>>>>,
}

/// Who can take a request.
#[derive(Debug)]
pub struct Chosen {
    /// The best, and of those who meet the first conditions the others with their reasons.
    pub ranking: Ranking,
    /// How many experts there are.
    pub total: usize,
    /// How many of them fail each of the first conditions: standing, kind of work, skills.
    pub counts: Vec<(ExclusionCode, usize)>,
}

impl Memory {
    /// The best experts of a pool for a request, at most so many. Retired ones are left out, unless the applicant wished for one.
    ///
    /// # Errors
    /// The database's.
    pub fn choose(&self, conn: &mut Conn, pool: PoolId, need: &Need, today: NaiveDate, most: usize) -> Result<Chosen, Error> {
        self.with(conn, pool, need, today, |conn, known| known.choose(conn, need, most))
    }

    /// Who of a pool can take a request, by id.
    ///
    /// # Errors
    /// The database's.
    pub fn eligible(&self, conn: &mut Conn, pool: PoolId, need: &Need, today: NaiveDate) -> Result<Vec<ExpertId>, Error> {
        self.with(conn, pool, need, today, |conn, known| {
            let asked = Asked::of(need);
            let places = known.looked_at(conn, &asked)?.places;
            let candidates = places.iter().filter_map(|place| known.facts.candidates.get(*place));
            let eligible = candidates.filter(|candidate| matching::is_eligible(&asked, candidate));
            Ok(eligible.map(|candidate| ExpertId(candidate.expert_id)).collect())
        })
    }

    /// Works on what is known of a pool, as new as the database. Others wait meanwhile.
    fn with<T>(
        &self,
        conn: &mut Conn,
        pool: PoolId,
        need: &Need,
        today: NaiveDate,
        work: impl FnOnce(&mut Conn, &mut Known) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let span = span(today);
        let (first, last) = Asked::of(need).span();
        if first < span.0 || last > span.1 {
            // Work of other years is asked for too seldom to be remembered.
            let facts = PoolFacts::load(conn, pool, std::slice::from_ref(need), None)?;
            return work(conn, &mut Known::of(facts));
        }
        let of_pool = {
            let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
            if pools.len() >= MOST_POOLS && !pools.contains_key(&pool) {
                pools.clear();
            }
            Arc::clone(pools.entry(pool).or_default())
        };
        let mut held = of_pool.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out while it is worked on: what an error leaves half done is not remembered.
        let mut remembered = match held.take().filter(|remembered| remembered.span == span) {
            Some(remembered) => remembered.refreshed(conn, pool)?,
            None => Remembered::new(conn, pool, span)?,
        };
        let done = work(conn, &mut remembered.known)?;
        *held = Some(remembered);
        Ok(done)
    }
}

/// The days for which facts are remembered: the fiscal years before, now and next.
fn span(today: NaiveDate) -> (NaiveDate, NaiveDate) {
    let year = FiscalYear::of(today);
    (year.previous().first_day(), year.next().last_day())
}

/// What is remembered of a pool.
#[derive(Debug)]
struct Remembered {
    span: (NaiveDate, NaiveDate),
    known: Known,
    /// Up to where changes are known.
    upto: i64,
    /// Changes that are known beyond.
    applied: HashSet<i64>,
}

impl Remembered {
    fn new(conn: &mut Conn, pool: PoolId, span: (NaiveDate, NaiveDate)) -> Result<Self, Error> {
        // First the point, then the facts: what changes between comes again, what was there before need not.
        let upto = dialect::expert_changes(conn, i64::MAX)?.upto;
        let applied = dialect::expert_changes(conn, upto)?.since.into_iter().map(|(id, _)| id).collect();
        let facts = PoolFacts::within(conn, pool, &Scope::whole(span.0, span.1), None)?;
        Ok(Self { span, known: Known::of(facts), upto, applied })
    }

    /// The same with what has changed since.
    fn refreshed(mut self, conn: &mut Conn, pool: PoolId) -> Result<Self, Error> {
        let changes = dialect::expert_changes(conn, self.upto)?;
        if changes.upto < self.upto {
            // A reader that began before the one who looked last.
            return Ok(self);
        }
        let new = || changes.since.iter().filter(|(id, _)| !self.applied.contains(id)).map(|(_, expert)| *expert);
        let experts: BTreeSet<i64> = new().flatten().collect();
        if changes.forgotten || new().any(|expert| expert.is_none()) || experts.len() > MOST_ANEW {
            return Self::new(conn, pool, self.span);
        }
        if !experts.is_empty() {
            let ids: Vec<ExpertId> = experts.iter().copied().map(ExpertId).collect();
            let (first, last) = self.span;
            let fresh = PoolFacts::within(conn, pool, &Scope::whole(first, last), Some(&ids))?;
            self.known.replace(&experts, fresh);
        }
        self.upto = changes.upto;
        self.applied = changes.since.into_iter().map(|(id, _)| id).collect();
        Ok(self)
    }
}

/// The facts of a pool with what finds experts among them.
#[derive(Debug)]
struct Known {
    facts: PoolFacts,
    index: Index,
    /// How each stands, side by side.
    standings: Vec<Standing>,
}

#[derive(Debug, Clone, Copy)]
struct Standing {
    status: CandidateStatus,
    onsite: bool,
    online: bool,
}

impl Standing {
    fn of(candidate: &Candidate) -> Self {
        Self { status: candidate.status, onsite: candidate.onsite, online: candidate.online }
    }

    fn lacks_mode(self, mode: NeedMode) -> bool {
        (mode != NeedMode::Online && !self.onsite) || (mode != NeedMode::Onsite && !self.online)
    }
}

impl Known {
    fn of(facts: PoolFacts) -> Self {
        let index = Index::of(&facts.candidates);
        let standings = facts.candidates.iter().map(Standing::of).collect();
        Self { facts, index, standings }
    }

    /// Takes what is new of some experts in place of what was known of them; who is not there is gone.
    fn replace(&mut self, experts: &BTreeSet<i64>, fresh: PoolFacts) {
        let facts = &mut self.facts;
        for request in fresh.work.iter().flat_map(Work::requests) {
            facts.skills_of.remove(&request);
        }
        facts.skills_of.extend(fresh.skills_of);
        let known = std::mem::take(&mut facts.candidates).into_iter().zip(std::mem::take(&mut facts.work));
        let mut all: Vec<(Candidate, Work)> = known.filter(|(candidate, _)| !experts.contains(&candidate.expert_id)).collect();
        all.extend(fresh.candidates.into_iter().zip(fresh.work));
        all.sort_by_key(|(candidate, _)| candidate.expert_id);
        (facts.candidates, facts.work) = all.into_iter().unzip();
        self.index = Index::of(&self.facts.candidates);
        self.standings = self.facts.candidates.iter().map(Standing::of).collect();
    }

    /// Holds everybody against the first conditions, and puts in what depends on the request for those who meet them.
    fn looked_at(&mut self, conn: &mut Conn, asked: &Asked<'_>) -> Result<LookedAt, Error> {
        let need = asked.need;
        // Retired experts are there for those who wished for them.
        let wished: Vec<usize> = need
            .wished_experts
            .iter()
            .filter_map(|id| self.facts.candidates.binary_search_by_key(id, |candidate| candidate.expert_id).ok())
            .collect();
        let listed = |place: usize, one: &Standing| one.status != CandidateStatus::NotRegistered || wished.contains(&place);
        let (mut total, mut retired, mut suspended, mut other_mode) = (0, 0, 0, 0);
        for (_, one) in self.standings.iter().enumerate().filter(|(place, one)| listed(*place, one)) {
            total += 1;
            retired += usize::from(one.status == CandidateStatus::NotRegistered);
            suspended += usize::from(one.status == CandidateStatus::Suspended);
            other_mode += usize::from(one.lacks_mode(need.mode));
        }
        let holders: Vec<usize> = match self.index.holding_all(asked) {
            Some(places) => places.into_iter().filter_map(|place| usize::try_from(place).ok()).collect(),
            None => (0..self.standings.len()).collect(),
        };
        let (mut held, mut places) = (0, Vec::with_capacity(holders.len()));
        for place in holders {
            let Some(one) = self.standings.get(place).filter(|one| listed(place, one)) else { continue };
            held += 1;
            if one.status == CandidateStatus::Registered && !one.lacks_mode(need.mode) {
                places.push(place);
            }
        }
        let counts = vec![
            (ExclusionCode::NotRegistered, retired),
            (ExclusionCode::Suspended, suspended),
            (ExclusionCode::ModeNotOffered, other_mode),
            (ExclusionCode::SkillsMissing, total - held),
        ];
        let limits = Limits::load(conn, std::slice::from_ref(need))?;
        let days = wished_days(need);
        let PoolFacts { candidates, work, skills_of, .. } = &mut self.facts;
        for place in &places {
            if let Some((candidate, work)) = candidates.get_mut(*place).zip(work.get(*place)) {
                put(candidate, work, need, &days);
                candidate.programme_limit = limits.of(need, candidate.expert_id);
                candidate.learn(work.merits(need, skills_of));
            }
        }
        Ok(LookedAt { total, counts, places })
    }

    fn choose(&mut self, conn: &mut Conn, need: &Need, most: usize) -> Result<Chosen, Error> {
        let LookedAt { total, counts, places } = self.looked_at(conn, &Asked::of(need))?;
        let ranking = matching::best(need, &self.facts.candidates, places.into_iter(), most);
        Ok(Chosen { ranking, total, counts })
    }
}

/// What the first conditions say.
struct LookedAt {
    /// How many experts there are.
    total: usize,
    /// How many of them fail each.
    counts: Vec<(ExclusionCode, usize)>,
    /// Where those stand who meet them all.
    places: Vec<usize>,
}
