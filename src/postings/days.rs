//! Days worked by a placed person, and extensions of a placement beyond its term.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::model::{PostingStatus, PostingVerb};
use super::news;
use super::service::{self, Plan};
use super::store::{self, PostingRow};
use super::views::PostingView;
use crate::calendar::{month_range, wareki};
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::PostingId;
use crate::notifications::catalogue::EventKind;
use crate::notifications::service::{Event, Told, publish};
use crate::notifications::template::{Notice, PostingStep};
use crate::organisations::people;
use crate::pools::store as pools;

/// A day on which a placed person worked at the host.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"day": "2026-06-04", "note": "システム更改の打合せ"}))]
pub struct RecordPostingDayBody {
    /// The day.
    pub day: NaiveDate,
    /// What was done.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub note: String,
}

/// The days of a month on which a placed person worked.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostingDays {
    /// The placement.
    pub posting_id: PostingId,
    /// First day of the month.
    pub month: NaiveDate,
    /// The days recorded.
    #[schema(max_items = 31)]
    pub days: Vec<NaiveDate>,
    /// Days a month that are agreed; absent: not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 31, example = 4)]
    pub agreed_days: Option<i32>,
    /// Whether more days are recorded than agreed: a warning, nothing is refused.
    pub exceeded: bool,
}

/// A placement goes on beyond its term.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"valid_to": "2029-04-01", "document_number": "デ推第88号", "reason": "協定の変更による延長"}))]
pub struct ExtendPostingBody {
    /// First day that no longer counts.
    pub valid_to: NaiveDate,
    /// The office's own 文書番号 of the amended agreement.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub document_number: String,
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
}

fn agreed(conn: &mut Conn, row: &PostingRow, day: NaiveDate) -> Result<Option<i32>, Error> {
    let year = crate::calendar::FiscalYear::of(day).starting_year();
    let rules = pools::year(conn, row.programme_id, year)?.and_then(|year| year.rules.postings);
    Ok(rules.and_then(|rules| rules.days_a_month))
}

/// The month of a placement as the API shows it.
pub fn month(conn: &mut Conn, row: &PostingRow, day: NaiveDate) -> Result<PostingDays, Error> {
    let days = store::days_of(conn, row.id, day)?;
    let agreed_days = agreed(conn, row, day)?;
    let count = i32::try_from(days.len()).map_err(Error::internal)?;
    Ok(PostingDays {
        posting_id: row.id,
        month: month_range(day).0,
        days,
        agreed_days,
        exceeded: agreed_days.is_some_and(|agreed| count > agreed),
    })
}

/// Records a day. The first day above what is agreed for a month is told to the office, once.
pub fn record(conn: &mut Conn, ctx: &Ctx, row: PostingRow, body: RecordPostingDayBody) -> Result<Outcome<PostingDays>, Error> {
    let mut fields = Fields::new();
    fields.text("/note", &body.note, 1000);
    fields.check(
        row.status == PostingStatus::Active && row.period().contains(body.day),
        "/day",
        "outside_period",
        "配属の期間内の日付にしてください",
        "Must lie in the placement's period",
    );
    fields.check(body.day <= ctx.today(), "/day", "in_the_future", "今日以前の日付にしてください", "Must not lie in the future");
    fields.finish()?;
    crate::db::dialect::claim(conn, &format!("days of posting {}", row.id))?;
    store::insert_day(conn, row.id, body.day, &body.note, ctx.now)?;
    let view = month(conn, &row, body.day)?;
    if let Some(agreed) = view.agreed_days
        && view.exceeded
    {
        warn(conn, ctx, &row, view.month, agreed)?;
    }
    let audit = Audit::new("posting", row.id.0, row.owner_organisation_id)
        .created(json!({"day": body.day, "days_in_month": view.days.len(), "exceeded": view.exceeded}))
        .for_body(row.host_organisation_id, ctx.organisation());
    let location = format!("/api/v1/postings/{}/days?month={}", row.id, view.month);
    Ok(Outcome { view, audit, version: None, location: Some(location), secret: false })
}

fn warn(conn: &mut Conn, ctx: &Ctx, row: &PostingRow, month: NaiveDate, agreed: i32) -> Result<(), Error> {
    let (_, host, expert) = store::names(conn, &[row.id])?.into_iter().next().ok_or_else(Error::not_found)?;
    let mut told = Vec::new();
    for to in people::coordinators_of(conn, row.owner_organisation_id, ctx.today())? {
        let notice = Notice::PostingDaysExceeded {
            recipient: to.addressee(),
            expert: expert.clone(),
            host: host.clone(),
            month,
            agreed_days: agreed,
            link: format!("/postings/{}", row.id),
        };
        told.push(Told::new(to, notice));
    }
    // A month is told once.
    let event = Event::new(EventKind::PostingDaysExceeded, row.owner_organisation_id, ("posting", row.id.0), month)
        .concerning([row.host_organisation_id]);
    publish(conn, ctx, &event, told).map(drop)
}

/// Lets a placement go on beyond its term, and beyond the longest that the rules allow: that takes an amendment, which is
/// kept with its reason. Shares, places and the appointment are looked at as for every placement.
pub fn extend(conn: &mut Conn, ctx: &Ctx, posting: PostingRow, body: ExtendPostingBody) -> Result<Outcome<PostingView>, Error> {
    posting.status.after(PostingVerb::Extend)?;
    let mut fields = Fields::new();
    if body.valid_to <= posting.valid_to {
        fields.wrong(
            "/valid_to",
            "not_later",
            format!("現在の終期（{}）より後の日付にしてください", wareki(posting.valid_to)),
            format!("Must be after the present end ({})", posting.valid_to),
        );
    }
    fields.optional_line("/document_number", &body.document_number, 100);
    fields.check(!body.reason.trim().is_empty(), "/reason", "required", "理由を入力してください", "Give the reason");
    fields.text("/reason", &body.reason, 2000);
    fields.finish()?;
    let mut row = posting.clone();
    row.valid_to = body.valid_to;
    let programme = pools::programme(conn, row.programme_id)?;
    Plan::of(&row, &programme).check_beyond_term(conn)?;
    store::insert_amendment(conn, &posting, (row.valid_to, &body.document_number, &body.reason), ctx.now)?;
    let row = store::update(conn, &row, ctx.now)?;
    news::tell(conn, ctx, &row, PostingStep::Changed)?;
    let audit = Audit::new("posting", row.id.0, row.owner_organisation_id)
        .change(json!({"valid_to": posting.valid_to}), json!({"valid_to": row.valid_to, "document_number": body.document_number}))
        .because(body.reason);
    let version = row.version;
    Ok(Outcome::changed(service::view(conn, row)?, version, audit))
}

/// A placement whose days the principal records: the owner's office or the host; 404 when not visible, 403 when only
/// visible.
pub fn recordable(conn: &mut Conn, ctx: &Ctx, id: PostingId) -> Result<PostingRow, Error> {
    let row = store::visible(conn, ctx, id)?;
    let me = ctx.organisation();
    if row.owner_organisation_id == me || row.host_organisation_id == me {
        Ok(row)
    } else {
        Err(Error::new(ErrorCode::Forbidden))
    }
}
