//! Candidates for a request: the ranking of the matching engine, page by page, with names. Binds nobody and writes nothing.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::Conn;
use crate::error::Error;
use crate::experts::candidates::{Chosen, PoolFacts};
use crate::experts::model::AffiliationKind;
use crate::experts::store::NameRow;
use crate::http::{Ctx, ListQuery, Page};
use crate::ids::{ExpertId, PoolId};
use crate::matching::{self, Asked, Exclusion, ExclusionCount, Ranked, ScorePart};
use crate::requests::store::RequestRow;

use super::model::OfferStatus;
use super::standing;
use super::store::{self, OfferRow};

/// An expert who can take the request, with place, score and the score's parts.
#[derive(Debug, Serialize, ToSchema)]
pub struct CandidateView {
    /// Place in the order, 1 the best; no two share one.
    #[schema(minimum = 1, maximum = 1_000_000, example = 1)]
    pub rank: u32,
    /// The expert.
    pub expert_id: ExpertId,
    /// Name.
    #[schema(max_length = 200, example = "山田 太郎")]
    pub name: String,
    /// Kind of affiliation.
    pub affiliation_kind: AffiliationKind,
    /// Where the expert works.
    #[schema(max_length = 200)]
    pub affiliation: String,
    /// The sum of the parts' points.
    #[schema(minimum = 0, maximum = 1000, example = 780)]
    pub score: u32,
    /// The parts, always all eight in the same order.
    #[schema(min_items = 8, max_items = 8)]
    pub parts: Vec<ScorePart>,
    /// Where the latest offer to this expert for this request stands; absent: never asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub offer_status: Option<OfferStatus>,
}

/// A page of candidates, best first, and why the others are not among them.
#[derive(Debug, Serialize, ToSchema)]
pub struct CandidatePage {
    /// The candidates.
    #[schema(max_items = 200)]
    pub items: Vec<CandidateView>,
    /// How many experts can take the request in all.
    #[schema(minimum = 0, maximum = 1_000_000, example = 12)]
    pub eligible_count: usize,
    /// How many cannot.
    #[schema(minimum = 0, maximum = 1_000_000, example = 28)]
    pub excluded_count: usize,
    /// How many experts each reason excludes, most frequent first; those with several reasons count under each. Standing, kind
    /// of work and skills are counted over the whole pool, the other reasons over those who meet these.
    #[schema(max_items = 22)]
    pub exclusion_counts: Vec<ExclusionCount>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, nullable = false)]
    pub next_cursor: Option<String>,
}

/// An expert who cannot take the request, with every reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExcludedView {
    /// The expert.
    pub expert_id: ExpertId,
    /// Name.
    #[schema(max_length = 200, example = "鈴木 花子")]
    pub name: String,
    /// The reasons, at least one.
    #[schema(min_items = 1, max_items = 22)]
    pub reasons: Vec<Exclusion>,
}

/// A page of excluded experts in the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExcludedPage {
    /// The experts.
    #[schema(max_items = 200)]
    pub items: Vec<ExcludedView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, nullable = false)]
    pub next_cursor: Option<String>,
}

fn pool_of(conn: &mut Conn, request: &RequestRow) -> Result<PoolId, Error> {
    Ok(crate::pools::store::programme(conn, request.programme_id)?.pool_id)
}

/// A page of the eligible, best first; of a team of which a part is there already, those who suit what is left.
pub fn page(conn: &mut Conn, ctx: &Ctx, request: &RequestRow, list: &ListQuery) -> Result<CandidatePage, Error> {
    let pool = pool_of(conn, request)?;
    let need = standing::needed(conn, request, pool)?;
    let after = list.after_parsed::<u32>()?.map_or(0, |(rank, _)| rank);
    // One row more than the page shows tells whether there is a next page.
    let fetch = usize::try_from(list.fetch()).unwrap_or(usize::MAX);
    let most = fetch.saturating_add(usize::try_from(after).unwrap_or(usize::MAX));
    let Chosen { ranking, total, counts: first } = ctx.app.experts.choose(conn, pool, &need, ctx.today(), most)?;
    let mut counts = ranking.exclusion_counts();
    let first = first.into_iter().filter(|(_, count)| *count > 0);
    counts.extend(first.map(|(code, count)| (code, u32::try_from(count).unwrap_or(u32::MAX))));
    let mut exclusion_counts: Vec<ExclusionCount> =
        counts.into_iter().map(|(code, count)| ExclusionCount { code, count }).collect();
    exclusion_counts.sort_by_key(|row| (std::cmp::Reverse(row.count), row.code));
    let eligible_count = ranking.eligible_count;
    let excluded_count = total.saturating_sub(eligible_count);
    let rows: Vec<Ranked> = ranking.candidates.into_iter().filter(|ranked| ranked.rank > after).collect();
    let Page { items, next_cursor } = list.page(rows, |ranked| (ranked.rank.to_string(), ranked.expert_id));
    let ids: Vec<ExpertId> = items.iter().map(|ranked| ExpertId(ranked.expert_id)).collect();
    let names = crate::experts::store::names(conn, &ids)?;
    let mut experts: HashMap<ExpertId, NameRow> = names.into_iter().map(|row| (row.id, row)).collect();
    let offers = store::of_request(conn, request.id)?;
    let items = items.iter().filter_map(|ranked| view(ranked, &mut experts, &offers)).collect();
    Ok(CandidatePage { items, eligible_count, excluded_count, exclusion_counts, next_cursor })
}

fn view(ranked: &Ranked, experts: &mut HashMap<ExpertId, NameRow>, offers: &[OfferRow]) -> Option<CandidateView> {
    let expert = experts.remove(&ExpertId(ranked.expert_id))?;
    Some(CandidateView {
        rank: ranked.rank,
        expert_id: expert.id,
        name: expert.name,
        affiliation_kind: expert.affiliation_kind,
        affiliation: expert.affiliation,
        score: ranked.score,
        parts: ranked.parts(),
        offer_status: offers.iter().rev().find(|offer| offer.expert_id == expert.id).map(|offer| offer.status),
    })
}

/// A page of the excluded, by id, each with every reason. The pool is looked through some experts at a time until the page is
/// full, so that a large pool costs no more than a small one.
pub fn excluded_page(conn: &mut Conn, request: &RequestRow, list: &ListQuery) -> Result<ExcludedPage, Error> {
    let pool = pool_of(conn, request)?;
    let need = standing::needed(conn, request, pool)?;
    let asked = Asked::of(&need);
    let wished: Vec<ExpertId> = need.wished_experts.iter().copied().map(ExpertId).collect();
    let mut after = ExpertId(list.after().map_or(0, |(_, id)| id));
    let mut rows: Vec<ExcludedView> = Vec::new();
    let enough = usize::try_from(list.fetch()).unwrap_or(usize::MAX);
    while rows.len() < enough {
        let experts = crate::experts::store::some_of_pool(conn, pool, &wished, after, list.fetch().max(100))?;
        let Some(last) = experts.last().map(|expert| expert.id) else { break };
        after = last;
        let ids: Vec<ExpertId> = experts.iter().map(|expert| expert.id).collect();
        let mut facts = PoolFacts::load(conn, pool, std::slice::from_ref(&need), Some(&ids))?;
        for (expert, candidate) in experts.into_iter().zip(facts.for_need(&need)) {
            let reasons = matching::exclusions(&asked, candidate);
            if !reasons.is_empty() && rows.len() < enough {
                rows.push(ExcludedView { expert_id: expert.id, name: expert.name, reasons });
            }
        }
    }
    let Page { items, next_cursor } = list.page(rows, |excluded| (String::new(), excluded.expert_id.0));
    Ok(ExcludedPage { items, next_cursor })
}
