//! Putting an office's day together.

use super::views::{TodayItem, TodayPart, TodaySection, TodayView};
use crate::calendar::{FiscalYear, week_range};
use crate::db::Conn;
use crate::dispatches::model::{ReportStatus, VisitStatus};
use crate::dispatches::report_store::{self, ReportFilter, ReportLine};
use crate::dispatches::store::Audience;
use crate::dispatches::visit_store::{self, VisitFilter};
use crate::error::Error;
use crate::experts::limits::{self, Limit};
use crate::http::{Ctx, ListQuery};
use crate::notifications::{notice_store, store as outbox};
use crate::offers::store::{self as offers, OfferFilter, Scope};
use crate::requests::list::{self as requests, RequestFilter, RequestSort};
use crate::requests::model::Stage;
use crate::settlements::budget;

/// Items shown of each part.
const SHOWN: i64 = 10;

/// The day of the office that asks.
pub fn of(conn: &mut Conn, ctx: &Ctx) -> Result<TodayView, Error> {
    let unread_notices = match ctx.principal.user_id() {
        Some(user) => notice_store::unread(conn, user)?,
        None => 0,
    };
    let parts = TodayPart::ALL.iter().map(|part| section(conn, ctx, *part)).collect::<Result<_, _>>()?;
    Ok(TodayView { day: ctx.today(), unread_notices, parts })
}

fn section(conn: &mut Conn, ctx: &Ctx, part: TodayPart) -> Result<TodaySection, Error> {
    let (count, items, path) = match part {
        TodayPart::RequestsToReview => at_stage(conn, ctx, Stage::Submitted)?,
        TodayPart::CandidatesToPropose => at_stage(conn, ctx, Stage::Matching)?,
        TodayPart::DecisionsToMake => at_stage(conn, ctx, Stage::AwaitingDecision)?,
        TodayPart::OffersUnanswered => unanswered(conn, ctx)?,
        TodayPart::VisitsThisWeek => this_week(conn, ctx)?,
        TodayPart::ReportsOverdue => {
            let filter = ReportFilter { overdue: Some((true, ctx.today())), ..ReportFilter::default() };
            reports(conn, ctx, &filter, "overdue=true")?
        }
        TodayPart::ReportsToReview => {
            let filter = ReportFilter { status: Some(ReportStatus::Submitted), ..ReportFilter::default() };
            reports(conn, ctx, &filter, "status=submitted")?
        }
        TodayPart::ExpertsNearLimit => experts(conn, ctx)?,
        TodayPart::BudgetsNearLimit => budgets(conn, ctx)?,
        TodayPart::MailsParked => {
            (outbox::parked(conn, ctx.organisation())?, Vec::new(), "/api/v1/notifications?status=parked".to_owned())
        }
    };
    Ok(TodaySection { part, label: part.label_ja().to_owned(), count, items, path })
}

type Part = (i64, Vec<TodayItem>, String);

fn item(kind: &str, id: i64, title: impl Into<String>, detail: impl Into<String>, path: String) -> TodayItem {
    TodayItem {
        entity_kind: kind.to_owned(),
        entity_id: id,
        title: title.into(),
        detail: detail.into(),
        at: None,
        day: None,
        percent: None,
        path,
    }
}

fn first_page() -> Result<ListQuery, Error> {
    ListQuery::new(Some(SHOWN), None, &())
}

/// Requests at a stage, those that have waited longest first.
fn at_stage(conn: &mut Conn, ctx: &Ctx, stage: Stage) -> Result<Part, Error> {
    let filter = RequestFilter { stages: vec![stage], ..RequestFilter::default() };
    let page = first_page()?;
    let rows = page.page(requests::list(conn, ctx, &filter, RequestSort::Updated, &page, false)?, |_| Default::default()).items;
    let items = rows
        .into_iter()
        .map(|listed| TodayItem {
            at: Some(listed.row.updated_at),
            ..item("request", listed.row.id.0, listed.row.theme, listed.applicant_name, format!("/requests/{}", listed.row.id))
        })
        .collect();
    Ok((requests::total(conn, ctx, &filter)?, items, format!("/api/v1/requests?stage={stage}&sort=updated_at")))
}

fn unanswered(conn: &mut Conn, ctx: &Ctx) -> Result<Part, Error> {
    let filter = OfferFilter { statuses: offers::WAITING.to_vec(), ..OfferFilter::all(Scope::Owner(ctx.organisation())) };
    let items = offers::soonest_to_end(conn, ctx.organisation(), SHOWN)?
        .into_iter()
        .map(|row| TodayItem {
            at: row.offer.expires_at,
            ..item("offer", row.offer.id.0, row.theme, row.expert_name, format!("/requests/{}", row.offer.request_id))
        })
        .collect();
    let states: Vec<&str> = offers::WAITING.iter().map(|status| status.as_str()).collect();
    Ok((offers::count(conn, &filter)?, items, format!("/api/v1/offers?status={}", states.join(","))))
}

fn this_week(conn: &mut Conn, ctx: &Ctx) -> Result<Part, Error> {
    let (from, to) = week_range(ctx.today());
    let filter = VisitFilter {
        from: Some(from),
        to: Some(to),
        statuses: vec![VisitStatus::Held, VisitStatus::Planned],
        ..VisitFilter::default()
    };
    let page = first_page()?;
    let rows = page.page(visit_store::list(conn, Audience::of(ctx), &filter, &page)?, |_| Default::default()).items;
    let items = rows
        .into_iter()
        .map(|line| {
            let path = match (line.visit.dispatch_id, line.visit.request_id) {
                (Some(dispatch), _) => format!("/dispatches/{dispatch}"),
                (None, Some(request)) => format!("/requests/{request}"),
                (None, None) => format!("/visits/{}", line.visit.id),
            };
            TodayItem {
                day: line.visit.day,
                ..item("visit", line.visit.id.0, line.theme, format!("{}、{}", line.applicant_name, line.expert_name), path)
            }
        })
        .collect();
    let path = format!("/api/v1/visits?from={from}&to={to}&status=held,planned");
    Ok((visit_store::count(conn, Audience::of(ctx), &filter)?, items, path))
}

fn reports(conn: &mut Conn, ctx: &Ctx, filter: &ReportFilter, query: &str) -> Result<Part, Error> {
    let page = first_page()?;
    let rows = page.page(report_store::list(conn, Audience::of(ctx), filter, &page)?, |_| Default::default()).items;
    let items = rows
        .into_iter()
        .map(|line: ReportLine| TodayItem {
            day: line.due_on,
            ..item("report", line.id.0, line.theme, line.applicant_name, format!("/dispatches/{}/report", line.dispatch_id))
        })
        .collect();
    Ok((report_store::count(conn, Audience::of(ctx), filter)?, items, format!("/api/v1/reports?{query}")))
}

fn experts(conn: &mut Conn, ctx: &Ctx) -> Result<Part, Error> {
    let near = limits::near(conn, Some(ctx.organisation()), ctx.today(), limits::NEAR_PERCENT)?;
    let count = i64::try_from(near.len()).unwrap_or(i64::MAX);
    let items = near
        .into_iter()
        .take(usize::try_from(SHOWN).unwrap_or(usize::MAX))
        .map(|near| {
            let detail = match near.limit {
                Limit::MonthMinutes(first) => {
                    format!("{}: {} / {} 分", first.format("%Y-%m"), near.used, near.agreed)
                }
                Limit::YearMinutes(_) => format!("年度: {} / {} 分", near.used, near.agreed),
                Limit::YearDays(_) => format!("年度: {} / {} 日", near.used, near.agreed),
            };
            TodayItem {
                percent: Some(near.percent()),
                ..item("expert", near.expert.0, near.name, detail, format!("/experts/{}", near.expert))
            }
        })
        .collect();
    Ok((count, items, format!("/api/v1/statistics/workload?fiscal_year={}", FiscalYear::of(ctx.today()).starting_year())))
}

fn budgets(conn: &mut Conn, ctx: &Ctx) -> Result<Part, Error> {
    let year = FiscalYear::of(ctx.today()).starting_year();
    let near = budget::near(conn, ctx.organisation(), year)?;
    let count = i64::try_from(near.len()).unwrap_or(i64::MAX);
    let items = near
        .into_iter()
        .take(usize::try_from(SHOWN).unwrap_or(usize::MAX))
        .map(|near| {
            let percent = i64::try_from(i128::from(near.bound_yen) * 100 / i128::from(near.budget.get().max(1))).ok();
            let path = format!("/programmes/{}/years/{year}/budget", near.programme);
            let detail = format!("{} / {} 円", near.bound_yen, near.budget.get());
            TodayItem { percent, ..item("programme", near.programme.0, near.name, detail, path) }
        })
        .collect();
    Ok((count, items, "/api/v1/programmes".to_owned()))
}
