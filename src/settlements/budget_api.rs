//! REST: the money of a programme's year.

use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::budget;
use super::budget_store::{self, BudgetEntryKind, BudgetEntryRow};
use crate::auth::policy::ReadBudgets;
use crate::clock::UtcTime;
use crate::costs::Yen;
use crate::error::Error;
use crate::http::read::{Answer, NoQuery};
use crate::http::{ListQuery, Read};
use crate::ids::{MenuOrderId, OrganisationId, ProgrammeId, RequestId};

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config.service(get_budget).service(list_budget_entries);
}

/// What a programme's year has bound of its budget.
#[derive(Debug, Serialize, ToSchema)]
pub struct BudgetView {
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Starting year of the fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// The budget; absent: not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, example = 3_000_000)]
    pub budget_yen: Option<i64>,
    /// Most for one body; absent: not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub budget_per_body_yen: Option<i64>,
    /// Bound for accepted, decided and done work.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, example = 2_400_000)]
    pub bound_yen: i64,
    /// What is left; below zero when actual costs exceed the budget. Absent where it is not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, example = 600_000)]
    pub left_yen: Option<i64>,
    /// Bound by body.
    #[schema(max_items = 2000)]
    pub by_body: Vec<BudgetOfBody>,
    /// The warnings that were given.
    #[schema(max_items = 2)]
    pub warnings: Vec<BudgetWarningView>,
    /// The first request on the waiting list for which the money reaches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_waiting_request_id: Option<RequestId>,
}

/// What one body has bound.
#[derive(Debug, Serialize, ToSchema)]
pub struct BudgetOfBody {
    /// The body.
    pub organisation_id: OrganisationId,
    /// Yen.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub bound_yen: i64,
}

/// A warning that was given once.
#[derive(Debug, Serialize, ToSchema)]
pub struct BudgetWarningView {
    /// Percent of the budget that was reached.
    #[schema(minimum = 80, maximum = 100, example = 80)]
    pub percent: i32,
    /// When.
    pub given_at: UtcTime,
}

/// An entry of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct BudgetEntryView {
    /// Running number.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub id: i64,
    /// The request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// The order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<MenuOrderId>,
    /// The body that applied or ordered.
    pub organisation_id: OrganisationId,
    /// Why.
    pub kind: BudgetEntryKind,
    /// Yen bound more, or less.
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64)]
    pub delta_yen: i64,
    /// Yen bound for the same request or order after it.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub own_bound_yen: i64,
    /// Yen bound in the year after it.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub bound_yen: i64,
    /// When.
    pub created_at: UtcTime,
}

impl From<BudgetEntryRow> for BudgetEntryView {
    fn from(row: BudgetEntryRow) -> Self {
        Self {
            id: row.id,
            request_id: row.request_id,
            order_id: row.order_id,
            organisation_id: row.organisation_id,
            kind: row.kind,
            delta_yen: row.delta_yen,
            own_bound_yen: row.own_bound_yen,
            bound_yen: row.bound_yen,
            created_at: row.created_at,
        }
    }
}

/// A page of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct BudgetEntryPage {
    /// The newest first.
    #[schema(max_items = 200)]
    pub items: Vec<BudgetEntryView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// 年度の予算の状況 / What a programme's year has bound of its budget.
#[utoipa::path(tag = "programmes", params(("id" = ProgrammeId, Path), ("fiscal_year" = i32, Path, minimum = 2000, maximum = 2100)),
    extensions(("x-permission" = json!("read_budgets"))),
    responses((status = 200, description = "予算の状況", body = BudgetView)))]
#[get("/programmes/{id}/years/{fiscal_year}/budget")]
async fn get_budget(read: Read<ReadBudgets>) -> Result<HttpResponse, Error> {
    let id = read.id::<ProgrammeId>("id");
    let year = read.id::<i32>("fiscal_year");
    read.run_after(
        move |conn, ctx| {
            let programme = crate::pools::store::owned_programme(conn, ctx, id?)?;
            crate::pools::store::year(conn, programme.id, year?)?.ok_or_else(Error::not_found)
        },
        |conn, _, row, _: NoQuery| {
            let year = (row.programme_id, row.fiscal_year);
            let bound = budget_store::bound(conn, year.0, year.1)?;
            let limit = row.rules.budget_yen.map(Yen::get);
            let next = match limit {
                Some(limit) => budget::next_waiting(conn, year, &row.rules, limit - bound)?,
                None => None,
            };
            Ok(Answer::Json(BudgetView {
                programme_id: year.0,
                fiscal_year: year.1,
                budget_yen: limit,
                budget_per_body_yen: row.rules.budget_per_body_yen.map(Yen::get),
                bound_yen: bound,
                left_yen: limit.map(|limit| limit - bound),
                by_body: budget_store::by_body(conn, year.0, year.1)?
                    .into_iter()
                    .map(|(organisation_id, bound_yen)| BudgetOfBody { organisation_id, bound_yen })
                    .collect(),
                warnings: budget_store::warnings(conn, year.0, year.1)?
                    .into_iter()
                    .map(|(percent, given_at)| BudgetWarningView { percent, given_at })
                    .collect(),
                next_waiting_request_id: next.map(|request| request.id),
            }))
        },
    )
    .await
}

/// Paging of the ledger.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BudgetEntryParams {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// 予算の台帳 / Every change of what a programme's year has bound.
#[utoipa::path(tag = "programmes", params(("id" = ProgrammeId, Path), ("fiscal_year" = i32, Path, minimum = 2000, maximum = 2100),
    BudgetEntryParams), extensions(("x-permission" = json!("read_budgets"))),
    responses((status = 200, description = "新しい順", body = BudgetEntryPage)))]
#[get("/programmes/{id}/years/{fiscal_year}/budget-entries")]
async fn list_budget_entries(read: Read<ReadBudgets>) -> Result<HttpResponse, Error> {
    let id = read.id::<ProgrammeId>("id");
    let year = read.id::<i32>("fiscal_year");
    read.run_after(
        move |conn, ctx| {
            let programme = crate::pools::store::owned_programme(conn, ctx, id?)?;
            crate::pools::store::year(conn, programme.id, year?)?.ok_or_else(Error::not_found)
        },
        |conn, _, row, params: BudgetEntryParams| {
            let scope = format!("budget-entries {} {}", row.programme_id, row.fiscal_year);
            let list = ListQuery::new(params.limit, params.cursor.as_deref(), &scope)?;
            let rows = budget_store::entries(conn, row.programme_id, row.fiscal_year, &list)?;
            let page = list.page(rows, |row| (String::new(), row.id));
            let next = page.next_cursor.clone();
            let items = page.items.into_iter().map(BudgetEntryView::from).collect();
            Ok(Answer::List(BudgetEntryPage { items, next_cursor: page.next_cursor }, next))
        },
    )
    .await
}
