//! Months and fiscal years that are closed: they take no more costs, corrections or payments.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::period_store;
use super::settlement_store::{self, SettlementStatus};
use crate::calendar::FiscalYear;
use crate::clock::UtcTime;
use crate::db::{Conn, dialect};
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::OrganisationId;
use crate::notifications::catalogue::EventKind;
use crate::notifications::service::{Event, publish};

/// The month that stands for the whole year.
const WHOLE_YEAR: i32 = 0;

/// A period that takes no more records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClosedPeriodView {
    /// Starting year of the fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// The month; absent: the whole year.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 12, example = 5)]
    pub month: Option<i32>,
    /// When it was closed.
    pub closed_at: UtcTime,
}

/// The periods that an owner has closed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosedPeriodList {
    /// The newest year first.
    #[schema(max_items = 1300)]
    pub items: Vec<ClosedPeriodView>,
}

/// A period to close.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"fiscal_year": 2026, "month": 5}))]
pub struct ClosePeriodBody {
    /// Starting year of the fiscal year.
    #[schema(minimum = 2000, maximum = 2100)]
    pub fiscal_year: i32,
    /// The month; absent: the whole year.
    #[schema(minimum = 1, maximum = 12)]
    pub month: Option<i32>,
}

/// The periods that an owner has closed, the newest year first.
pub fn list(conn: &mut Conn, owner: OrganisationId) -> Result<Vec<ClosedPeriodView>, Error> {
    let rows = period_store::list(conn, owner)?;
    Ok(rows
        .into_iter()
        .map(|(fiscal_year, month, closed_at)| ClosedPeriodView {
            fiscal_year,
            month: Some(month).filter(|month| *month != WHOLE_YEAR),
            closed_at,
        })
        .collect())
}

/// What those who record under an owner share, and who closes a period has alone.
fn closing_key(owner: OrganisationId) -> String {
    format!("close {owner}")
}

/// 409 when a fiscal year as a whole takes no more records; nobody closes it before the transaction ends.
pub fn require_year_open(conn: &mut Conn, owner: OrganisationId, fiscal_year: i32) -> Result<(), Error> {
    dialect::claim_shared(conn, &closing_key(owner))?;
    match year_is_closed(conn, owner, fiscal_year)? {
        true => Err(Error::new(ErrorCode::PeriodClosed)
            .detail(format!("{fiscal_year}年度は締め切られています"), format!("Fiscal year {fiscal_year} is closed"))),
        false => Ok(()),
    }
}

/// Whether a fiscal year as a whole is closed.
pub fn year_is_closed(conn: &mut Conn, owner: OrganisationId, fiscal_year: i32) -> Result<bool, Error> {
    Ok(period_store::first_closed(conn, owner, fiscal_year, &[WHOLE_YEAR])?.is_some())
}

/// 409 when the fiscal year, or the month of the day, takes no more records.
pub fn require_open(conn: &mut Conn, owner: OrganisationId, fiscal_year: i32, day: NaiveDate) -> Result<(), Error> {
    // A day after the year's end (a correction before its cash closes) falls in no month of it.
    let month = match FiscalYear::of(day).starting_year() == fiscal_year {
        true => i32::try_from(day.month()).map_err(Error::internal)?,
        false => WHOLE_YEAR,
    };
    dialect::claim_shared(conn, &closing_key(owner))?;
    let closed = period_store::first_closed(conn, owner, fiscal_year, &[WHOLE_YEAR, month])?;
    let Some(closed) = closed else { return Ok(()) };
    let (ja, en) = if closed == WHOLE_YEAR {
        (format!("{fiscal_year}年度は締め切られています"), format!("Fiscal year {fiscal_year} is closed"))
    } else {
        (
            format!("{fiscal_year}年度の{closed}月は締め切られています"),
            format!("Month {closed} of fiscal year {fiscal_year} is closed"),
        )
    };
    Err(Error::new(ErrorCode::PeriodClosed).detail(ja, en))
}

/// Closes a month that is over, or a fiscal year whose settlements are all paid; a year closes its settlements with it.
pub fn close(conn: &mut Conn, ctx: &Ctx, body: ClosePeriodBody) -> Result<Outcome<ClosedPeriodView>, Error> {
    let owner = ctx.organisation();
    dialect::claim(conn, &closing_key(owner))?;
    let mut fields = Fields::new();
    fields.within("/fiscal_year", i64::from(body.fiscal_year), i64::from(FiscalYear::MIN), i64::from(FiscalYear::MAX));
    if let Some(month) = body.month {
        fields.within("/month", i64::from(month), 1, 12);
    }
    fields.finish()?;
    let year = FiscalYear::new(body.fiscal_year).map_err(Error::internal)?;
    let last = match body.month {
        None => year.last_day(),
        Some(month) => {
            let calendar_year = if month >= 4 { body.fiscal_year } else { body.fiscal_year + 1 };
            let first = NaiveDate::from_ymd_opt(calendar_year, u32::try_from(month).map_err(Error::internal)?, 1);
            crate::calendar::month_range(first.ok_or_else(|| Error::internal("month"))?).1
        }
    };
    let pointer = if body.month.is_some() { "/month" } else { "/fiscal_year" };
    fields = Fields::new();
    fields.check(last < ctx.today(), pointer, "not_over", "終了した期間を指定してください", "The period is not over yet");
    fields.finish()?;
    let mut closed = 0;
    if body.month.is_none() {
        let unpaid =
            settlement_store::count_not_in(conn, owner, body.fiscal_year, &[SettlementStatus::Paid, SettlementStatus::Closed])?;
        if unpaid > 0 {
            return Err(Error::new(ErrorCode::InvalidTransition).detail(
                format!("支払いの終わっていない精算が{unpaid}件あります（現金の出納は{}まで）", year.closing_day()),
                format!("{unpaid} settlements are not paid yet (cash until {})", year.closing_day()),
            ));
        }
        let open = settlement_store::count_unpaid(conn, owner, body.fiscal_year)?;
        if open > 0 {
            return Err(Error::new(ErrorCode::InvalidTransition).detail(
                format!("この年度に属する未払の負担金・支払（過年度の追給・返納を含む）が{open}件あります"),
                format!("{open} claims or payments of this year are not paid yet, corrections of earlier years included"),
            ));
        }
        let unsettled = settlement_store::count_unsettled(conn, owner, body.fiscal_year)?;
        if unsettled > 0 {
            return Err(Error::new(ErrorCode::InvalidTransition).detail(
                format!("どの精算にも入っていない費用が{unsettled}件あります。精算してから締め切ってください"),
                format!("{unsettled} costs of this year are in no settlement: settle them first"),
            ));
        }
        closed = settlement_store::close_year(conn, owner, body.fiscal_year, ctx.now)?;
    }
    let month = body.month.unwrap_or(WHOLE_YEAR);
    let id = period_store::insert(conn, owner, (body.fiscal_year, month), ctx.principal.user_id(), ctx.now)?;
    if body.month.is_none() {
        let event = Event::new(EventKind::SettlementClosed, owner, ("closed_period", id), body.fiscal_year);
        publish(conn, ctx, &event, Vec::new())?;
    }
    let audit = Audit::new("closed_period", id, owner)
        .created(json!({"fiscal_year": body.fiscal_year, "month": body.month, "settlements_closed": closed}));
    let view = ClosedPeriodView { fiscal_year: body.fiscal_year, month: body.month, closed_at: ctx.now };
    Ok(Outcome { view, audit, version: None, location: Some("/api/v1/closed-periods".to_owned()), secret: false })
}
