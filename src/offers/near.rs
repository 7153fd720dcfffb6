//! What would bring somebody in for a request that nobody, or hardly anybody, can take; and the other way round, which waiting
//! requests suit an expert. Reads and computes; binds nobody.

use chrono::{Months, NaiveDate};
use serde::Serialize;
use utoipa::ToSchema;

use crate::calendar::{FiscalYear, month_range};
use crate::db::Conn;
use crate::error::Error;
use crate::experts::candidates::PoolFacts;
use crate::experts::store::ExpertRow;
use crate::http::Ctx;
use crate::ids::{ExpertId, OrganisationId, PoolId, RequestId};
use crate::matching::{self, NearMiss, Need, PlannedVisit, Relaxation, ScorePart};
use crate::requests::store::RequestRow;

/// Sets of changes shown.
const MOST_SETS: usize = 20;
/// Months ahead that are looked at.
const MONTHS_AHEAD: u32 = 6;
/// Further pools that are looked at.
const MOST_POOLS: usize = 20;
/// Experts named with a set of changes.
const MOST_NAMED: usize = 20;

/// What would bring in experts who cannot take a request as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct NearMissView {
    /// How many experts can take it as it is.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub eligible_count: usize,
    /// The smallest sets of changes, fewest changes first, then most experts. Each was tried on every expert of the pool.
    #[schema(max_items = 20)]
    pub changes: Vec<NearMissSet>,
    /// The next month in which further experts could come, with dates to be arranged; absent: none within six months and the
    /// fiscal year.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub later: Option<LaterPeriod>,
    /// Further pools of the same owner in which somebody could take the request.
    #[schema(max_items = 20)]
    pub other_pools: Vec<OtherPool>,
}

/// Changes that bring in somebody together, none of which could be left out.
#[derive(Debug, Serialize, ToSchema)]
pub struct NearMissSet {
    /// The changes.
    #[schema(min_items = 1, max_items = 3)]
    pub relaxations: Vec<Relaxation>,
    /// The changes in Japanese.
    #[schema(max_length = 5000, example = "「データ利活用」を必須から歓迎に変える")]
    pub detail_ja: String,
    /// The changes in English.
    #[schema(max_length = 5000, example = "take “データ利活用” as welcome instead of required")]
    pub detail_en: String,
    /// How many experts could come then who cannot now.
    #[schema(minimum = 1, maximum = 1_000_000, example = 4)]
    pub count: usize,
    /// The first of them, by id.
    #[schema(min_items = 1, max_items = 20)]
    pub expert_ids: Vec<ExpertId>,
}

/// A later time for the whole request.
#[derive(Debug, Serialize, ToSchema)]
pub struct LaterPeriod {
    /// First day.
    pub period_from: NaiveDate,
    /// Last day; the period is as long as the one that was asked for.
    pub period_to: NaiveDate,
    /// How many experts could come then who cannot now, nor with other dates in the period that was asked for.
    #[schema(minimum = 1, maximum = 1_000_000, example = 2)]
    pub count: usize,
}

/// A pool in which somebody could take the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct OtherPool {
    /// The pool.
    pub pool_id: PoolId,
    /// Its name.
    #[schema(max_length = 200)]
    pub name: String,
    /// How many.
    #[schema(minimum = 1, maximum = 1_000_000, example = 3)]
    pub count: usize,
}

/// What would bring in further experts for a request.
///
/// # Errors
/// The database's.
pub fn near_misses(conn: &mut Conn, ctx: &Ctx, request: &RequestRow) -> Result<NearMissView, Error> {
    let pool = crate::pools::store::programme(conn, request.programme_id)?.pool_id;
    let need = super::standing::needed(conn, request, pool)?;
    let candidates = PoolFacts::load(conn, pool, std::slice::from_ref(&need), None)?.for_need(&need).to_vec();
    let eligible = ids_of(&need, &candidates);
    let open = moved(&need, need.period_from, need.period_to);
    let with_other_dates = ids_of(&open, &candidates);
    let changes = matching::near_misses(&need, &candidates, MOST_SETS).into_iter().map(|miss| set(&need, miss)).collect();
    let known = |id: &i64| eligible.binary_search(id).is_ok() || with_other_dates.binary_search(id).is_ok();
    let mut later = None;
    let year_end = FiscalYear::of(need.period_from).last_day();
    for (from, to) in later_periods(need.period_from, need.period_to).filter(|(_, to)| *to <= year_end) {
        let moved = moved(&need, from, to);
        let count = ctx.app.experts.eligible(conn, pool, &moved, ctx.today())?.iter().filter(|expert| !known(&expert.0)).count();
        if count > 0 {
            later = Some(LaterPeriod { period_from: from, period_to: to, count });
            break;
        }
    }
    let mut other_pools = Vec::new();
    for (id, name) in crate::pools::store::other_pools(conn, request.owner_organisation_id, pool, MOST_POOLS)? {
        let count = ctx.app.experts.eligible(conn, id, &need, ctx.today())?.len();
        if count > 0 {
            other_pools.push(OtherPool { pool_id: id, name, count });
        }
    }
    Ok(NearMissView { eligible_count: eligible.len(), changes, later, other_pools })
}

fn ids_of(need: &Need, candidates: &[matching::Candidate]) -> Vec<i64> {
    let asked = matching::Asked::of(need);
    let eligible = candidates.iter().filter(|candidate| matching::is_eligible(&asked, candidate));
    let mut ids: Vec<i64> = eligible.map(|candidate| candidate.expert_id).collect();
    ids.sort_unstable();
    ids
}

/// The same request in another period, its dates to be arranged.
fn moved(need: &Need, period_from: NaiveDate, period_to: NaiveDate) -> Need {
    let visits = need.visits.iter().filter(|visit| visit.minutes > 0);
    let visits = visits.map(|visit| PlannedVisit { day: None, start_minute: None, minutes: visit.minutes }).collect();
    Need { period_from, period_to, visits, ..need.clone() }
}

/// Periods as long as the given one that begin on the first days of the months that follow.
fn later_periods(from: NaiveDate, to: NaiveDate) -> impl Iterator<Item = (NaiveDate, NaiveDate)> {
    let long = to.signed_duration_since(from);
    (1..=MONTHS_AHEAD).filter_map(move |ahead| {
        let first = month_range(from).0.checked_add_months(Months::new(ahead))?;
        Some((first, first.checked_add_signed(long)?))
    })
}

fn set(need: &Need, miss: NearMiss) -> NearMissSet {
    let (ja, en): (Vec<String>, Vec<String>) = miss.relaxations.iter().map(|one| words(need, one)).unzip();
    NearMissSet {
        relaxations: miss.relaxations,
        detail_ja: ja.join("、"),
        detail_en: en.join("; "),
        count: miss.expert_ids.len(),
        expert_ids: miss.expert_ids.into_iter().take(MOST_NAMED).map(ExpertId).collect(),
    }
}

fn words(need: &Need, relaxation: &Relaxation) -> (String, String) {
    let names = |ids: &[i64]| -> (String, String) {
        let skills = need.required.iter().filter(|skill| ids.contains(&skill.skill_item_id));
        let names: Vec<&str> = skills.map(|skill| skill.name.as_str()).collect();
        (format!("「{}」", names.join("」または「")), format!("“{}”", names.join("” or “")))
    };
    let plain = |ja: &str, en: &str| (ja.to_owned(), en.to_owned());
    match relaxation {
        Relaxation::SkillWelcome { skill_item_ids } => {
            let (ja, en) = names(skill_item_ids);
            (format!("{ja}を必須から歓迎に変える"), format!("take {en} as welcome instead of required"))
        }
        Relaxation::SkillClaimed { skill_item_ids } => {
            let (ja, en) = names(skill_item_ids);
            (format!("{ja}は自己申告でもよいことにする"), format!("accept {en} as claimed, without verification"))
        }
        Relaxation::LevelLower { skill_item_ids } => {
            let (ja, en) = names(skill_item_ids);
            (format!("{ja}のレベルを1つ下げる"), format!("ask for one level less of {en}"))
        }
        Relaxation::Online => plain("オンラインで実施する", "do it online"),
        Relaxation::OtherDates => plain("希望期間の中で日程を調整する", "arrange the dates within the period"),
        Relaxation::Languages => plain("言語の条件を外す", "do without the languages asked for"),
        Relaxation::Area => {
            plain("通常の訪問地域の外への訪問を専門家に相談する", "ask the expert to go beyond the usual area for once")
        }
        Relaxation::Consent => plain("勤務先の許可を得てもらう", "have the employer's consent obtained"),
        Relaxation::Capacity => plain("稼働枠の拡大を専門家に相談する", "ask the expert to take on more than was agreed"),
    }
}

/// A waiting request that an expert could take.
#[derive(Debug, Serialize, ToSchema)]
pub struct FittingRequest {
    /// The request.
    pub request_id: RequestId,
    /// The body that asks.
    #[schema(max_length = 200)]
    pub applicant: String,
    /// Its theme.
    #[schema(max_length = 200)]
    pub theme: String,
    /// First day of the period.
    pub period_from: NaiveDate,
    /// Last day of the period.
    pub period_to: NaiveDate,
    /// The expert's score for it.
    #[schema(minimum = 0, maximum = 1000, example = 780)]
    pub score: u32,
    /// The expert's place among those who can take it, 1 the best.
    #[schema(minimum = 1, maximum = 1_000_000, example = 1)]
    pub rank: u32,
    /// How many can take it.
    #[schema(minimum = 1, maximum = 1_000_000, example = 3)]
    pub eligible_count: usize,
    /// The parts of the score, always all eight in the same order.
    #[schema(min_items = 8, max_items = 8)]
    pub parts: Vec<ScorePart>,
}

/// The waiting requests that an expert could take, best fit first.
#[derive(Debug, Serialize, ToSchema)]
pub struct FittingRequests {
    /// The requests: accepted ones for which nobody has been asked, best score first; at most 100.
    #[schema(max_items = 100)]
    pub items: Vec<FittingRequest>,
    /// How many requests wait in the pool.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub waiting_count: usize,
}

/// Requests shown.
const MOST_REQUESTS: usize = 100;
/// Requests that the expert could take and for which the others are looked at as well, those that came first.
const MOST_LOOKED_AT: usize = 300;

/// Which waiting requests suit an expert: "recommended fit" the other way round.
///
/// # Errors
/// The database's.
pub fn fitting_requests(conn: &mut Conn, expert: &ExpertRow) -> Result<FittingRequests, Error> {
    let waiting = crate::requests::store::waiting_for_experts(conn, expert.pool_id, &[])?;
    let waiting_count = waiting.len();
    let needs = crate::requests::service::needs_of(conn, &waiting)?;
    let gone = crate::offers::store::refused_or_expired(conn, expert.pool_id)?;
    // First what the expert alone could take; only for that the others are looked at.
    let mut own = PoolFacts::load(conn, expert.pool_id, &needs, Some(&[expert.id]))?;
    let (waiting, needs): (Vec<RequestRow>, Vec<Need>) = waiting
        .into_iter()
        .zip(needs)
        .filter(|(request, need)| {
            let could = own.for_need(need).first().is_some_and(|own| matching::is_eligible(&matching::Asked::of(need), own));
            could && !gone.contains(&(request.id, expert.id))
        })
        .take(MOST_LOOKED_AT)
        .unzip();
    let mut facts = PoolFacts::load(conn, expert.pool_id, &needs, None)?;
    let mut found: Vec<(RequestRow, matching::Ranked, usize)> = Vec::new();
    for (request, need) in waiting.into_iter().zip(&needs) {
        let ranking = matching::rank(need, facts.for_need(need));
        let eligible_count = ranking.eligible_count;
        let own = ranking.candidates.into_iter().find(|ranked| ranked.expert_id == expert.id.0);
        found.extend(own.map(|ranked| (request, ranked, eligible_count)));
    }
    found.sort_by_key(|(request, ranked, _)| (std::cmp::Reverse(ranked.score), request.id));
    found.truncate(MOST_REQUESTS);
    let bodies: Vec<OrganisationId> = found.iter().map(|(request, ..)| request.applicant_organisation_id).collect();
    let bodies = crate::organisations::store::find_many(conn, &bodies)?;
    let items = found
        .into_iter()
        .map(|(request, ranked, eligible_count)| FittingRequest {
            request_id: request.id,
            applicant: bodies
                .iter()
                .find(|body| body.id == request.applicant_organisation_id)
                .map(|body| body.name.clone())
                .unwrap_or_default(),
            theme: request.theme,
            period_from: request.period_from,
            period_to: request.period_to,
            score: ranked.score,
            rank: ranked.rank,
            eligible_count,
            parts: ranked.parts(),
        })
        .collect();
    Ok(FittingRequests { items, waiting_count })
}
