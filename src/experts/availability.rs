//! When an expert can work: the ordinary week and its exceptions, kept by the expert or by the office.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::model::{self, Exception, ExceptionKind, Window};
use super::store::{self, ExceptionRow, ExpertRow, WeeklyRow};
use super::unavailable;
use crate::db::Conn;
use crate::error::Error;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::ExpertId;
use crate::pools::store as pools_store;

/// When an expert can work.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpertAvailabilityView {
    /// The expert.
    pub expert_id: ExpertId,
    /// The ordinary week; none is by arrangement at any time.
    #[schema(max_items = 70)]
    pub weekly: Vec<WeeklyWindowBody>,
    /// Periods that differ.
    #[schema(max_items = 500)]
    pub exceptions: Vec<AvailabilityExceptionBody>,
    /// Version of the expert, as in `ETag`.
    pub version: i64,
}

/// The whole availability of an expert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"weekly": [{"weekday": 2, "start_minute": 540, "end_minute": 1020}],
    "exceptions": [{"kind": "leave", "first_day": "2026-08-10", "last_day": "2026-08-16"}]}))]
pub struct ReplaceExpertAvailabilityBody {
    /// The ordinary week; none is by arrangement at any time.
    #[schema(max_items = 70)]
    pub weekly: Vec<WeeklyWindowBody>,
    /// Periods that differ; what is not listed is removed.
    #[schema(max_items = 500)]
    pub exceptions: Vec<AvailabilityExceptionBody>,
}

/// A time of every week.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WeeklyWindowBody {
    /// 1 Monday to 7 Sunday (ISO 8601).
    #[schema(minimum = 1, maximum = 7, example = 2)]
    pub weekday: i32,
    /// Beginning in minutes of the Japanese day.
    #[schema(minimum = 0, maximum = 1439, example = 540)]
    pub start_minute: i32,
    /// End in minutes of the Japanese day, not included.
    #[schema(minimum = 1, maximum = 1440, example = 1020)]
    pub end_minute: i32,
}

/// A period that differs from the ordinary week; both days belong to it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AvailabilityExceptionBody {
    /// How it differs.
    pub kind: ExceptionKind,
    /// First day.
    pub first_day: NaiveDate,
    /// Last day.
    pub last_day: NaiveDate,
    /// Beginning in minutes of each day; the whole day when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1439, nullable = false)]
    pub start_minute: Option<i32>,
    /// End in minutes of each day, not included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1440, nullable = false)]
    pub end_minute: Option<i32>,
    /// Remark; for the pool's owner and the expert.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 200)]
    pub note: String,
}

/// The availability of an expert; remarks only where everything may be seen.
pub fn view(conn: &mut Conn, expert: &ExpertRow, with_notes: bool) -> Result<ExpertAvailabilityView, Error> {
    let weekly = store::weekly(conn, expert.id)?
        .into_iter()
        .map(|row| WeeklyWindowBody { weekday: row.weekday, start_minute: row.start_minute, end_minute: row.end_minute })
        .collect();
    let exceptions = store::exceptions(conn, expert.id)?
        .into_iter()
        .map(|row| AvailabilityExceptionBody {
            kind: row.kind,
            first_day: row.first_day,
            last_day: row.last_day,
            start_minute: row.start_minute,
            end_minute: row.end_minute,
            note: if with_notes { row.note } else { String::new() },
        })
        .collect();
    Ok(ExpertAvailabilityView { expert_id: expert.id, weekly, exceptions, version: expert.version })
}

/// Replaces the availability of an expert. Visits already agreed stand.
pub fn replace(
    conn: &mut Conn,
    ctx: &Ctx,
    expert: ExpertRow,
    body: ReplaceExpertAvailabilityBody,
) -> Result<Outcome<ExpertAvailabilityView>, Error> {
    let mut fields = Fields::new();
    let windows: Vec<Window> = body
        .weekly
        .iter()
        .map(|window| Window { weekday: window.weekday, start_minute: window.start_minute, end_minute: window.end_minute })
        .collect();
    model::check_windows(&windows, &mut fields);
    let exceptions: Vec<Exception<'_>> = body
        .exceptions
        .iter()
        .map(|row| Exception {
            kind: row.kind,
            first_day: row.first_day,
            last_day: row.last_day,
            minutes: (row.start_minute, row.end_minute),
            note: &row.note,
        })
        .collect();
    model::check_exceptions(&exceptions, &mut fields);
    fields.finish()?;

    let old = (store::weekly(conn, expert.id)?, store::exceptions(conn, expert.id)?);
    let weekly: Vec<WeeklyRow> = windows
        .iter()
        .map(|window| WeeklyRow {
            expert_id: expert.id,
            weekday: window.weekday,
            start_minute: window.start_minute,
            end_minute: window.end_minute,
        })
        .collect();
    let rows: Vec<ExceptionRow> = body
        .exceptions
        .iter()
        .map(|row| ExceptionRow {
            expert_id: expert.id,
            kind: row.kind,
            first_day: row.first_day,
            last_day: row.last_day,
            start_minute: row.start_minute,
            end_minute: row.end_minute,
            note: row.note.clone(),
        })
        .collect();
    store::replace_availability(conn, expert.id, &weekly, &rows)?;
    let owner = pools_store::pool(conn, expert.pool_id)?.owner_organisation_id;
    let row = store::touch(conn, &expert, ctx.now)?;
    unavailable::entered(conn, ctx, &row, owner, (&old.1, &rows))?;
    let audit = Audit::new("expert", row.id.0, owner).change(summary(&old.0, &old.1), summary(&weekly, &rows));
    let view =
        ExpertAvailabilityView { expert_id: row.id, weekly: body.weekly, exceptions: body.exceptions, version: row.version };
    Ok(Outcome::changed(view, row.version, audit))
}

/// What an audit event keeps: times and days, no remarks.
fn summary(weekly: &[WeeklyRow], exceptions: &[ExceptionRow]) -> serde_json::Value {
    let weekly: Vec<_> = weekly.iter().map(|row| json!([row.weekday, row.start_minute, row.end_minute])).collect();
    let exceptions: Vec<_> =
        exceptions.iter().map(|row| json!([row.kind, row.first_day, row.last_day, row.start_minute, row.end_minute])).collect();
    json!({"weekly": weekly, "exceptions": exceptions})
}
