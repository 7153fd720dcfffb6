//! What is to be planned: requests, experts, the pairs that are possible, and limits that several pairs share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many levels an objective has.
pub const LEVELS: usize = 9;

/// What a plan is judged by. A level counts only among plans that are equal in all levels before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AllocationLevel)]
pub enum Level {
    /// Assignments that must be kept and are.
    Kept,
    /// Bodies served for the first time.
    NeverServed,
    /// Small bodies served.
    Small,
    /// Requests served.
    Served,
    /// Evenness between bodies: the sum of squares of what each has had. Its minimum is leximin: nobody's lot can be bettered
    /// without making somebody who has no more worse off (Frank and Murota, Math. Prog. 2021).
    Spread,
    /// Fit in bands of so many points.
    Fit,
    /// Evenness between experts: the sum of squares of their loads. Where no limits are shared its minimum has the smallest worst
    /// load, then the smallest second (leximin); hours and calendars can make a plan with a smaller sum and a larger worst load.
    Load,
    /// Fit to the point.
    Score,
    /// Kilometres between base and place.
    Travel,
}

impl Pair {
    /// What names it.
    pub fn key(&self) -> PairKey {
        (self.request, self.expert, self.team)
    }

    /// The lead and the others.
    pub fn members(&self) -> impl Iterator<Item = i64> + '_ {
        std::iter::once(self.expert).chain(self.others.iter().copied())
    }
}

impl Level {
    /// The levels whose place is fixed.
    pub const FIRST: [Self; 4] = [Self::Kept, Self::NeverServed, Self::Small, Self::Served];
    /// The levels whose order a programme chooses, in the order where it does not.
    pub const CHOSEN: [Self; 5] = [Self::Spread, Self::Fit, Self::Load, Self::Score, Self::Travel];

    /// Whether more of it is better; the engine minimises the negative.
    pub fn is_gain(self) -> bool {
        !matches!(self, Self::Spread | Self::Load | Self::Travel)
    }
}

/// A body that asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// Id, unique.
    pub id: i64,
    /// Requests served so far in the time that is looked at.
    pub served: u32,
    /// Whether it has never been served at all.
    pub never_served: bool,
    /// Whether it counts as small.
    pub small: bool,
}

/// An expert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expert {
    /// Id, unique.
    pub id: i64,
    /// Engagements that count as load already.
    pub load: u32,
    /// Requests that can be taken on beside them.
    pub places: u32,
}

/// A request: served as a whole, by one pair, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Id, unique.
    pub id: i64,
    /// The body that asks.
    pub body: i64,
}

/// What names a pair: the request, the expert, and which of the expert's teams, 0 where the expert goes alone.
pub type PairKey = (i64, i64, u32);

/// A request and an expert, alone or at the head of a team, who can take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The request.
    pub request: i64,
    /// The expert, with a team its lead.
    pub expert: i64,
    /// Which of the lead's teams for this request; 0 where the expert goes alone.
    pub team: u32,
    /// The other members of the team. Each takes a place of theirs, and counts towards the load as the first engagement that
    /// the plan adds to what they have.
    pub others: Vec<i64>,
    /// Points of fit, 0 to 1000.
    pub score: u32,
    /// Kilometres between base and place.
    pub kilometres: u32,
    /// Whether it stands and must be kept if that can be.
    pub kept: bool,
}

/// What a limit is about, for people: the engine makes no difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AllocationLimitKind)]
pub enum LimitKind {
    /// Requests that an expert can take on.
    Places,
    /// Minutes of a week, month or fiscal year.
    Minutes,
    /// Days.
    Days,
    /// Times that overlap.
    Time,
    /// Requests of one series.
    Series,
    /// Money.
    Budget,
    /// Anything else.
    #[default]
    Other,
}

/// What several pairs draw on together: minutes of a month or year, an hour in a calendar, a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// What it is about.
    #[serde(default)]
    pub kind: LimitKind,
    /// How much there is.
    pub capacity: i64,
    /// Pairs, and how much each takes; positive.
    pub uses: Vec<(PairKey, i64)>,
}

/// Everything that is to be planned at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The bodies.
    pub bodies: Vec<Body>,
    /// The experts.
    pub experts: Vec<Expert>,
    /// The requests.
    pub requests: Vec<Request>,
    /// The pairs that are possible.
    pub pairs: Vec<Pair>,
    /// The limits.
    pub limits: Vec<Limit>,
    /// Points of a band of fit, from 1.
    pub band: u32,
    /// The order of the levels after the first four: each once.
    pub order: Vec<Level>,
}

/// Why a problem cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemError {
    /// An id is named twice, or one that does not exist.
    Ids(&'static str, i64),
    /// A pair is named twice.
    PairTwice(PairKey),
    /// A team names somebody twice.
    Team(PairKey),
    /// The order does not name each level once.
    Order,
    /// A figure leaves its range.
    Range(&'static str),
}

impl Problem {
    /// The levels in their order.
    pub fn levels(&self) -> [Level; LEVELS] {
        let mut levels = [Level::Kept; LEVELS];
        let chosen = Level::FIRST.iter().chain(&self.order);
        for (place, level) in levels.iter_mut().zip(chosen) {
            *place = *level;
        }
        levels
    }

    /// Puts everything into the order of ids, so that the order in which it was given does not matter, and looks at it.
    ///
    /// # Errors
    /// [`ProblemError`] with the first thing that is wrong.
    pub fn normalised(mut self) -> Result<Self, ProblemError> {
        const MOST: u32 = 1_000_000;
        self.bodies.sort_by_key(|body| body.id);
        self.experts.sort_by_key(|expert| expert.id);
        self.requests.sort_by_key(|request| request.id);
        self.pairs.sort_by_key(Pair::key);
        for pair in &mut self.pairs {
            pair.others.sort_unstable();
        }
        self.limits.extend(self.places_of_teams());
        for limit in &mut self.limits {
            limit.uses.sort_unstable();
        }
        self.limits.sort_by(|a, b| (&a.uses, a.capacity, a.kind).cmp(&(&b.uses, b.capacity, b.kind)));
        // A limit that all of its pairs together keep says nothing.
        self.limits
            .retain(|limit| limit.uses.iter().map(|(_, amount)| i128::from(*amount)).sum::<i128>() > i128::from(limit.capacity));
        self.limits.dedup_by(|a, b| (&a.uses, a.capacity) == (&b.uses, b.capacity));
        let mut order = self.order.clone();
        order.sort_unstable();
        let mut wanted = Level::CHOSEN.to_vec();
        wanted.sort_unstable();
        if order != wanted {
            return Err(ProblemError::Order);
        }
        let twice = |what: &'static str, ids: Vec<i64>| match ids.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(ProblemError::Ids(what, pair[0])),
            None => Ok(()),
        };
        twice("bodies", self.bodies.iter().map(|body| body.id).collect())?;
        twice("experts", self.experts.iter().map(|expert| expert.id).collect())?;
        twice("requests", self.requests.iter().map(|request| request.id).collect())?;
        if let Some(pair) = self.pairs.windows(2).find(|two| two[0].key() == two[1].key()) {
            return Err(ProblemError::PairTwice(pair[0].key()));
        }
        for request in &self.requests {
            if self.bodies.binary_search_by_key(&request.body, |body| body.id).is_err() {
                return Err(ProblemError::Ids("bodies", request.body));
            }
        }
        for pair in &self.pairs {
            if self.requests.binary_search_by_key(&pair.request, |request| request.id).is_err() {
                return Err(ProblemError::Ids("requests", pair.request));
            }
            for member in pair.members() {
                if self.experts.binary_search_by_key(&member, |expert| expert.id).is_err() {
                    return Err(ProblemError::Ids("experts", member));
                }
            }
            if pair.others.contains(&pair.expert) || pair.others.windows(2).any(|two| two[0] == two[1]) {
                return Err(ProblemError::Team(pair.key()));
            }
        }
        for limit in &self.limits {
            for (key, amount) in &limit.uses {
                if *amount <= 0 || *amount > 1 << 40 {
                    return Err(ProblemError::Range("limits"));
                }
                if self.pair(*key).is_none() {
                    return Err(ProblemError::Ids("pairs", key.0));
                }
            }
            if limit.capacity < 0 || limit.uses.windows(2).any(|two| two[0].0 == two[1].0) {
                return Err(ProblemError::Range("limits"));
            }
        }
        let high = self.pairs.iter().any(|pair| pair.score > 1000 || pair.kilometres > MOST)
            || self.experts.iter().any(|expert| expert.load > MOST)
            || self.bodies.iter().any(|body| body.served > MOST)
            || self.band == 0
            || self.pairs.len() > 5_000_000;
        if high { Err(ProblemError::Range("figures")) } else { Ok(self) }
    }

    /// The circulation counts the places of leads alone: who is a member of a team somewhere gets a limit of places as well.
    fn places_of_teams(&self) -> Vec<Limit> {
        let members: std::collections::BTreeSet<i64> = self.pairs.iter().flat_map(|pair| pair.others.iter().copied()).collect();
        let with_members = self.experts.iter().filter(|expert| members.contains(&expert.id));
        with_members
            .map(|expert| {
                let own = self.pairs.iter().filter(|pair| pair.members().any(|member| member == expert.id));
                Limit {
                    kind: LimitKind::Places,
                    capacity: i64::from(expert.places),
                    uses: own.map(|pair| (pair.key(), 1)).collect(),
                }
            })
            .collect()
    }

    /// The place of a pair among the pairs.
    pub fn pair(&self, key: PairKey) -> Option<usize> {
        self.pairs.binary_search_by_key(&key, Pair::key).ok()
    }

    /// What a pair adds to the level of load beyond its lead: a square's growth by one for each further member.
    pub fn load_of_others(&self, pair: &Pair) -> i64 {
        let load = |id: &i64| self.experts.binary_search_by_key(id, |expert| expert.id).map_or(0, |at| self.experts[at].load);
        pair.others.iter().map(|id| 2 * i64::from(load(id)) + 1).sum()
    }

    /// What a set of pairs comes to, level by level; less is better.
    pub fn objective(&self, plan: &[usize]) -> [i64; LEVELS] {
        let mut of_body: BTreeMap<i64, i64> = BTreeMap::new();
        let mut of_expert: BTreeMap<i64, i64> = BTreeMap::new();
        let (mut kept, mut fit, mut score, mut travel, mut load) = (0, 0, 0, 0, 0);
        for pair in plan.iter().map(|place| &self.pairs[*place]) {
            if let Ok(request) = self.requests.binary_search_by_key(&pair.request, |request| request.id) {
                *of_body.entry(self.requests[request].body).or_insert(0) += 1;
            }
            *of_expert.entry(pair.expert).or_insert(0) += 1;
            kept -= i64::from(pair.kept);
            fit -= i64::from(pair.score / self.band);
            score -= i64::from(pair.score);
            travel += i64::from(pair.kilometres);
            load += self.load_of_others(pair);
        }
        // What the squares grow by beyond what stands already.
        let grown = |before: u32, more: i64| more * (2 * i64::from(before) + more);
        let (mut never, mut small, mut spread) = (0, 0, 0);
        for body in &self.bodies {
            let more = of_body.get(&body.id).copied().unwrap_or(0);
            never -= i64::from(body.never_served && more > 0);
            small -= i64::from(body.small && more > 0);
            spread += grown(body.served, more);
        }
        for expert in &self.experts {
            load += grown(expert.load, of_expert.get(&expert.id).copied().unwrap_or(0));
        }
        let served = -(plan.len() as i64);
        self.levels().map(|level| match level {
            Level::Kept => kept,
            Level::NeverServed => never,
            Level::Small => small,
            Level::Served => served,
            Level::Spread => spread,
            Level::Fit => fit,
            Level::Load => load,
            Level::Score => score,
            Level::Travel => travel,
        })
    }

    /// The first thing that a set of pairs breaks, in words for a log; `None` where it breaks nothing.
    pub fn broken(&self, plan: &[usize]) -> Option<&'static str> {
        if plan.iter().any(|place| *place >= self.pairs.len()) || plan.windows(2).any(|two| two[0] >= two[1]) {
            return Some("the plan names pairs that do not exist, or not in order");
        }
        let mut requests = std::collections::BTreeSet::new();
        let mut places: BTreeMap<i64, u32> = BTreeMap::new();
        for pair in plan.iter().map(|place| &self.pairs[*place]) {
            if !requests.insert(pair.request) {
                return Some("a request is served twice");
            }
            for member in pair.members() {
                *places.entry(member).or_insert(0) += 1;
            }
        }
        if self.experts.iter().any(|expert| places.get(&expert.id).copied().unwrap_or(0) > expert.places) {
            return Some("an expert has more requests than places");
        }
        if (0..self.limits.len()).any(|limit| self.excess(limit, plan).is_some()) {
            return Some("a limit is exceeded");
        }
        None
    }

    /// The pairs of a plan that exceed a limit together, the largest first, none of which could be left out of the reason;
    /// `None` where the limit holds.
    pub fn excess(&self, limit: usize, plan: &[usize]) -> Option<Vec<usize>> {
        let limit = &self.limits[limit];
        let mut used: Vec<(i64, usize)> = limit
            .uses
            .iter()
            .filter_map(|(key, amount)| {
                let place = self.pair(*key)?;
                plan.binary_search(&place).ok().map(|_| (*amount, place))
            })
            .collect();
        let total: i64 = used.iter().map(|(amount, _)| *amount).sum();
        if total <= limit.capacity {
            return None;
        }
        used.sort_by_key(|(amount, place)| (std::cmp::Reverse(*amount), *place));
        let mut sum = 0;
        let mut cover = Vec::new();
        for (amount, place) in used {
            cover.push(place);
            sum += amount;
            if sum > limit.capacity {
                break;
            }
        }
        Some(cover)
    }
}
