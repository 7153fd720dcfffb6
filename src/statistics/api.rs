//! REST: statistics, as JSON, CSV or xlsx.

use actix_web::{HttpResponse, get};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::export::{self, ExportFile, ExportFormat};
use super::model::{DispatchBreakdown, Years, activities};
use super::queries::DispatchScope;
use super::service::{self, WorkloadOf};
use super::tables;
use super::views::{CostStatistics, CoverageStatistics, DispatchStatistics, WorkloadStatistics};
use crate::auth::policy::{ReadCosts, ReadStatistics, ReadWorkload};
use crate::error::{Error, ErrorCode};
use crate::http::Read;
use crate::ids::{PoolId, ProgrammeId};

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config.service(dispatch_statistics).service(workload_statistics).service(coverage_statistics).service(cost_statistics);
}

/// What the dispatch table counts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DispatchStatisticsParams {
    /// The programme.
    programme_id: ProgrammeId,
    /// Starting year of the first fiscal year (R1 = 2019).
    #[param(minimum = 2000, maximum = 2100, example = 2019)]
    from_fiscal_year: i32,
    /// Starting year of the last fiscal year, at most 29 later.
    #[param(minimum = 2000, maximum = 2100, example = 2024)]
    to_fiscal_year: i32,
    /// The day up to which visits count as held; planned visits after it are added and the year is marked as an estimate.
    as_of: Option<NaiveDate>,
    /// Kinds of activity to count, comma-separated; all but `consultation` when absent.
    #[param(max_length = 200, example = "visit,training")]
    activity: Option<String>,
    /// By what to divide the visits.
    #[param(inline)]
    by: Option<DispatchBreakdown>,
    /// JSON, or a file.
    #[param(inline)]
    format: Option<ExportFormat>,
}

/// 派遣実績（団体数・回数・専門家数） / Dispatch counts by fiscal year.
#[utoipa::path(tag = "statistics", params(DispatchStatisticsParams), extensions(("x-permission" = json!("read_statistics"))),
    responses((status = 200, description = "年度ごとの団体数・回数・専門家数", content(
        (DispatchStatistics = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/statistics/dispatches")]
async fn dispatch_statistics(read: Read<ReadStatistics>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: DispatchStatisticsParams| {
        if params.as_of.is_some_and(|day| day > ctx.today()) {
            return Err(Error::new(ErrorCode::UnknownParameter).field(
                "as_of",
                "in_the_future",
                "今日以前の日付にしてください",
                "Must not lie in the future",
            ));
        }
        let scope = DispatchScope {
            programme: params.programme_id,
            years: Years::new(params.from_fiscal_year, params.to_fiscal_year)?,
            kinds: activities(params.activity.as_deref())?,
            as_of: params.as_of,
        };
        let view = service::dispatches(conn, ctx, scope, params.by)?;
        let kind = params.by.map_or("年度別", DispatchBreakdown::label_ja);
        let name = format!("派遣実績_{kind}_{}", tables::span(view.from_fiscal_year, view.to_fiscal_year));
        export::answer(params.format, view, &name, tables::dispatches)
    })
    .await
}

/// Whose load is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WorkloadStatisticsParams {
    /// All programmes of this pool; name either a pool or a programme.
    pool_id: Option<PoolId>,
    /// Visits of this programme only.
    programme_id: Option<ProgrammeId>,
    /// Starting year (R8 = 2026).
    #[param(minimum = 2000, maximum = 2100, example = 2026)]
    fiscal_year: i32,
    /// JSON, or a file.
    #[param(inline)]
    format: Option<ExportFormat>,
}

/// 専門家の稼働状況 / Load of the experts against what they agreed to give.
#[utoipa::path(tag = "statistics", params(WorkloadStatisticsParams), extensions(("x-permission" = json!("read_workload"))),
    responses((status = 200, description = "専門家ごとの実施・予定と上限", content(
        (WorkloadStatistics = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/statistics/workload")]
async fn workload_statistics(read: Read<ReadWorkload>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: WorkloadStatisticsParams| {
        let years = Years::single(params.fiscal_year)?;
        let of = match (params.pool_id, params.programme_id) {
            (Some(pool), None) => WorkloadOf::Pool(pool),
            (None, Some(programme)) => WorkloadOf::Programme(programme),
            _ => {
                return Err(Error::new(ErrorCode::UnknownParameter).field(
                    "pool_id",
                    "choose_one",
                    "pool_idとprogramme_idのどちらか一方を指定してください",
                    "Name either pool_id or programme_id",
                ));
            }
        };
        let view = service::workload(conn, ctx, of, years)?;
        let name = format!("専門家の稼働_{}", view.label);
        export::answer(params.format, view, &name, tables::workload)
    })
    .await
}

/// Which programme and which years.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CoverageStatisticsParams {
    /// The programme.
    programme_id: ProgrammeId,
    /// Starting year of the first fiscal year (R1 = 2019).
    #[param(minimum = 2000, maximum = 2100, example = 2019)]
    from_fiscal_year: i32,
    /// Starting year of the last fiscal year, at most 29 later.
    #[param(minimum = 2000, maximum = 2100, example = 2024)]
    to_fiscal_year: i32,
    /// Kinds of activity that count as being served, comma-separated; all but `consultation` when absent.
    #[param(max_length = 200, example = "visit,training")]
    activity: Option<String>,
    /// JSON, or a file.
    #[param(inline)]
    format: Option<ExportFormat>,
}

/// 会員市町村の利用状況 / Member municipalities served and never served.
#[utoipa::path(tag = "statistics", params(CoverageStatisticsParams), extensions(("x-permission" = json!("read_statistics"))),
    responses((status = 200, description = "利用・未利用の市町村", content(
        (CoverageStatistics = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/statistics/coverage")]
async fn coverage_statistics(read: Read<ReadStatistics>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: CoverageStatisticsParams| {
        let years = Years::new(params.from_fiscal_year, params.to_fiscal_year)?;
        let kinds = activities(params.activity.as_deref())?;
        let view = service::coverage(conn, ctx, params.programme_id, years, &kinds)?;
        let name = format!("利用状況_{}", tables::span(view.from_fiscal_year, view.to_fiscal_year));
        export::answer(params.format, view, &name, tables::coverage)
    })
    .await
}

/// Which programme and which year.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CostStatisticsParams {
    /// The programme.
    programme_id: ProgrammeId,
    /// Starting year (R8 = 2026).
    #[param(minimum = 2000, maximum = 2100, example = 2026)]
    fiscal_year: i32,
    /// The calendar year instead, January to December, by the day of the work.
    #[param(minimum = 2000, maximum = 2100, example = 2026)]
    calendar_year: Option<i32>,
    /// JSON, or a file.
    #[param(inline)]
    format: Option<ExportFormat>,
}

/// 費用と負担 / Costs by component, payer and organisation.
#[utoipa::path(tag = "statistics", params(CostStatisticsParams), extensions(("x-permission" = json!("read_costs"))),
    responses((status = 200, description = "費目別・負担者別の金額", content(
        (CostStatistics = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/statistics/costs")]
async fn cost_statistics(read: Read<ReadCosts>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: CostStatisticsParams| {
        let years = Years::single(params.fiscal_year)?;
        if let Some(year) = params.calendar_year {
            Years::single(year)?;
        }
        let view = service::costs(conn, ctx, params.programme_id, years, params.calendar_year)?;
        let name = format!("費用_{}", tables::span(view.fiscal_year, view.fiscal_year));
        export::answer(params.format, view, &name, tables::costs)
    })
    .await
}
