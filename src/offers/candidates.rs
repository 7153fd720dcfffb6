//! Candidates for a request: the ranking of the matching engine, page by page, with names. Binds nobody and writes nothing.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::Conn;
use crate::error::Error;
use crate::experts::model::AffiliationKind;
use crate::experts::store::ExpertRow;
use crate::http::{ListQuery, Page};
use crate::ids::ExpertId;
use crate::matching::{self, Excluded, Exclusion, ExclusionCount, Ranked, Ranking, ScorePart};
use crate::requests::store::RequestRow;

use super::model::OfferStatus;
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
    /// The parts, always all six in the same order.
    #[schema(min_items = 6, max_items = 6)]
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
    /// How many experts each reason excludes, most frequent first; those with several reasons count under each.
    #[schema(max_items = 16)]
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
    #[schema(min_items = 1, max_items = 16)]
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

/// Ranks the pool's experts for a request.
pub fn ranking(conn: &mut Conn, request: &RequestRow) -> Result<Ranking, Error> {
    let pool = crate::pools::store::programme(conn, request.programme_id)?.pool_id;
    let need = crate::requests::service::need_of(conn, request)?;
    let candidates = crate::experts::candidates::load(conn, pool, &need)?;
    Ok(matching::rank(&need, &candidates))
}

fn names(conn: &mut Conn, ids: &[ExpertId]) -> Result<HashMap<ExpertId, ExpertRow>, Error> {
    Ok(crate::experts::store::find_many(conn, ids)?.into_iter().map(|row| (row.id, row)).collect())
}

/// A page of the eligible, best first.
pub fn page(conn: &mut Conn, request: &RequestRow, list: &ListQuery) -> Result<CandidatePage, Error> {
    let ranking = ranking(conn, request)?;
    let exclusion_counts = ranking.exclusion_count_rows();
    let (eligible_count, excluded_count) = (ranking.candidates.len(), ranking.excluded.len());
    let after = list.after_parsed::<u32>()?.map_or(0, |(rank, _)| rank);
    let rows: Vec<Ranked> = cut(ranking.candidates.into_iter().filter(|ranked| ranked.rank > after), list);
    let Page { items, next_cursor } = list.page(rows, |ranked| (ranked.rank.to_string(), ranked.expert_id));
    let ids: Vec<ExpertId> = items.iter().map(|ranked| ExpertId(ranked.expert_id)).collect();
    let mut experts = names(conn, &ids)?;
    let offers = store::of_request(conn, request.id)?;
    let items = items.into_iter().filter_map(|ranked| view(ranked, &mut experts, &offers)).collect();
    Ok(CandidatePage { items, eligible_count, excluded_count, exclusion_counts, next_cursor })
}

fn view(ranked: Ranked, experts: &mut HashMap<ExpertId, ExpertRow>, offers: &[OfferRow]) -> Option<CandidateView> {
    let expert = experts.remove(&ExpertId(ranked.expert_id))?;
    Some(CandidateView {
        rank: ranked.rank,
        expert_id: expert.id,
        name: expert.name,
        affiliation_kind: expert.affiliation_kind,
        affiliation: expert.affiliation,
        score: ranked.score,
        parts: ranked.parts,
        offer_status: offers.iter().rev().find(|offer| offer.expert_id == expert.id).map(|offer| offer.status),
    })
}

/// A page of the excluded, by id.
pub fn excluded_page(conn: &mut Conn, request: &RequestRow, list: &ListQuery) -> Result<ExcludedPage, Error> {
    let after = list.after().map_or(0, |(_, id)| id);
    let rows: Vec<Excluded> =
        cut(ranking(conn, request)?.excluded.into_iter().filter(|excluded| excluded.expert_id > after), list);
    let Page { items, next_cursor } = list.page(rows, |excluded| (String::new(), excluded.expert_id));
    let ids: Vec<ExpertId> = items.iter().map(|excluded| ExpertId(excluded.expert_id)).collect();
    let mut experts = names(conn, &ids)?;
    let items = items
        .into_iter()
        .filter_map(|excluded| {
            let expert = experts.remove(&ExpertId(excluded.expert_id))?;
            Some(ExcludedView { expert_id: expert.id, name: expert.name, reasons: excluded.reasons })
        })
        .collect();
    Ok(ExcludedPage { items, next_cursor })
}

/// One row more than the page shows tells whether there is a next page.
fn cut<R>(rows: impl Iterator<Item = R>, list: &ListQuery) -> Vec<R> {
    rows.take(usize::try_from(list.fetch()).unwrap_or(usize::MAX)).collect()
}
