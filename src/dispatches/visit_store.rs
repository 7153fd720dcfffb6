//! SQL of visits and the bodies that take part in them.

use chrono::NaiveDate;
use diesel::dsl::exists;
use diesel::prelude::*;

use super::model::{Party, VisitOrigin, VisitStatus};
use super::store::Audience;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::dialect::insert_rows;
use crate::db::schema::{
    dispatch_experts, dispatches, experts, organisations, programmes, request_participants, requests, visit_participants, visits,
};
use crate::error::{Error, ErrorCode};
use crate::experts::model::LoadEntry;
use crate::http::{Ctx, ListQuery, Versioned};
use crate::ids::{DispatchId, ExpertId, OfferId, OrganisationId, PoolId, ProgrammeId, RequestId, VisitId};
use crate::requests::model::{ActivityKind, Mode};

/// A visit (回).
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = visits)]
pub struct VisitRow {
    /// Id.
    pub id: VisitId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Whose office runs it.
    pub owner_organisation_id: OrganisationId,
    /// The body that applied; of an earlier ledger, the one that received the visit, the first of several.
    pub applicant_organisation_id: OrganisationId,
    /// Who goes.
    pub expert_id: ExpertId,
    /// The request; absent for visits of an earlier ledger.
    pub request_id: Option<RequestId>,
    /// The offer by which the expert agreed.
    pub offer_id: Option<OfferId>,
    /// The dispatch, once decided.
    pub dispatch_id: Option<DispatchId>,
    /// Where the record comes from.
    pub origin: VisitOrigin,
    /// Kind of activity.
    pub activity_kind: ActivityKind,
    /// State.
    pub status: VisitStatus,
    /// The Japanese day; absent while it is to be arranged.
    pub day: Option<NaiveDate>,
    /// The day it loads: its own, or the first of the month in which the period begins.
    pub load_day: NaiveDate,
    /// Minute of the day at which it begins, in Japan.
    pub start_minute: Option<i32>,
    /// Minutes planned.
    pub planned_minutes: i32,
    /// Minutes of the activity itself, once done.
    pub actual_minutes: Option<i32>,
    /// From when the expert is not free, travel included.
    pub blocked_from: Option<UtcTime>,
    /// Until when.
    pub blocked_to: Option<UtcTime>,
    /// How it takes place.
    pub mode: Mode,
    /// Where, as typed.
    pub place: String,
    /// People who came.
    pub attendees: Option<i32>,
    /// What happened, as typed.
    pub note: String,
    /// Whose reasons called it off, or who did not come.
    pub cancelled_by_party: Option<Party>,
    /// Days between the word and the visit.
    pub notice_days: Option<i32>,
    /// Why, as typed.
    pub cancel_reason: Option<String>,
    /// The visit that took its place.
    pub rescheduled_to_id: Option<VisitId>,
    /// Version.
    pub version: i64,
}

impl Versioned for VisitRow {
    fn version(&self) -> i64 {
        self.version
    }
}

impl VisitRow {
    /// Whether it has its day.
    pub fn dated(&self) -> bool {
        self.day.is_some()
    }

    /// What it adds to the expert's load as long as it is ahead.
    pub fn load(&self) -> LoadEntry {
        LoadEntry { load_day: self.load_day, dated: self.dated(), minutes: i64::from(self.planned_minutes) }
    }
}

/// A visit with the names people know it by.
#[derive(Debug, Clone)]
pub struct VisitLine {
    /// The visit.
    pub visit: VisitRow,
    /// Name of the expert.
    pub expert_name: String,
    /// Name of the body that applied.
    pub applicant_name: String,
    /// Theme of the request; empty for visits of an earlier ledger.
    pub theme: String,
    /// When the visit last changed.
    pub updated_at: UtcTime,
}

/// What the list of visits can be narrowed by.
#[derive(Debug, Clone, Default)]
pub struct VisitFilter {
    /// Only of programmes of this pool.
    pub pool_id: Option<PoolId>,
    /// Only of this programme.
    pub programme_id: Option<ProgrammeId>,
    /// Only of this dispatch.
    pub dispatch_id: Option<DispatchId>,
    /// Only of this expert.
    pub expert_id: Option<ExpertId>,
    /// First day; visits to be arranged count with the first day of their month.
    pub from: Option<NaiveDate>,
    /// Last day, inclusive.
    pub to: Option<NaiveDate>,
    /// Only in these states.
    pub statuses: Vec<VisitStatus>,
    /// Only of this mode.
    pub mode: Option<Mode>,
    /// Only this one.
    pub id: Option<VisitId>,
}

macro_rules! narrowed {
    ($query:expr, $audience:expr, $filter:expr) => {{
        let concerns = |me: OrganisationId| {
            visits::applicant_organisation_id
                .eq(me)
                .or(exists(
                    request_participants::table
                        .filter(request_participants::request_id.nullable().eq(visits::request_id))
                        .filter(request_participants::organisation_id.eq(me)),
                ))
                .or(exists(
                    visit_participants::table
                        .filter(visit_participants::visit_id.eq(visits::id))
                        .filter(visit_participants::organisation_id.eq(me)),
                ))
        };
        // Time that is only held is the office's and the expert's affair until the dispatch is decided.
        let settled = || visits::dispatch_id.is_not_null().or(visits::origin.eq(VisitOrigin::Ledger));
        let mut query = match $audience {
            Audience::Expert(ids) => $query.filter(
                visits::expert_id.eq_any(ids.clone()).or(exists(
                    dispatch_experts::table
                        .filter(dispatch_experts::dispatch_id.nullable().eq(visits::dispatch_id))
                        .filter(dispatch_experts::expert_id.eq_any(ids)),
                )),
            ),
            Audience::Owner(me) => $query.filter(visits::owner_organisation_id.eq(me).or(settled().and(concerns(me)))),
            Audience::Body(me) => $query.filter(settled().and(concerns(me))),
        };
        let filter: &VisitFilter = $filter;
        if let Some(pool) = filter.pool_id {
            let own = programmes::table.filter(programmes::pool_id.eq(pool)).select(programmes::id);
            query = query.filter(visits::programme_id.eq_any(own));
        }
        if let Some(programme) = filter.programme_id {
            query = query.filter(visits::programme_id.eq(programme));
        }
        if let Some(dispatch) = filter.dispatch_id {
            query = query.filter(visits::dispatch_id.eq(dispatch));
        }
        if let Some(expert) = filter.expert_id {
            query = query.filter(visits::expert_id.eq(expert));
        }
        if let Some(from) = filter.from {
            query = query.filter(visits::load_day.ge(from));
        }
        if let Some(to) = filter.to {
            query = query.filter(visits::load_day.le(to));
        }
        if !filter.statuses.is_empty() {
            query = query.filter(visits::status.eq_any(filter.statuses.clone()));
        }
        if let Some(mode) = filter.mode {
            query = query.filter(visits::mode.eq(mode));
        }
        if let Some(id) = filter.id {
            query = query.filter(visits::id.eq(id));
        }
        query
    }};
}

type Columns = (VisitRow, String, String, Option<String>, UtcTime);

/// A page of the visits the audience sees, by day: those of an earlier ledger too, so that the list holds what the
/// statistics count; the owner's office also sees time that is only held.
pub fn list(conn: &mut Conn, audience: Audience, filter: &VisitFilter, page: &ListQuery) -> Result<Vec<VisitLine>, Error> {
    let query = visits::table
        .inner_join(experts::table)
        .inner_join(organisations::table.on(organisations::id.eq(visits::applicant_organisation_id)))
        .left_join(requests::table)
        .select((VisitRow::as_select(), experts::name, organisations::name, requests::theme.nullable(), visits::updated_at))
        .order((visits::load_day, visits::id))
        .limit(page.fetch())
        .into_boxed();
    let mut query = narrowed!(query, audience, filter);
    if let Some((key, id)) = page.after_parsed::<NaiveDate>()? {
        query = query.filter(visits::load_day.gt(key).or(visits::load_day.eq(key).and(visits::id.gt(VisitId(id)))));
    }
    let rows: Vec<Columns> = query.load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(visit, expert_name, applicant_name, theme, updated_at)| VisitLine {
            visit,
            expert_name,
            applicant_name,
            theme: theme.unwrap_or_default(),
            updated_at,
        })
        .collect())
}

/// How many visits the same list holds in all.
pub fn count(conn: &mut Conn, audience: Audience, filter: &VisitFilter) -> Result<i64, Error> {
    let query = visits::table.select(diesel::dsl::count_star()).into_boxed();
    Ok(narrowed!(query, audience, filter).first(conn)?)
}

/// A visit the principal sees, or 404.
pub fn visible_visit(conn: &mut Conn, ctx: &Ctx, id: VisitId) -> Result<VisitRow, Error> {
    let filter = VisitFilter { id: Some(id), ..VisitFilter::default() };
    let query = visits::table.select(VisitRow::as_select()).into_boxed();
    Ok(narrowed!(query, Audience::of(ctx), &filter).first(conn)?)
}

/// A visit whatever the visibility (for services that checked another object).
pub fn find(conn: &mut Conn, id: VisitId) -> Result<Option<VisitRow>, Error> {
    Ok(visits::table.find(id).select(VisitRow::as_select()).first(conn).optional()?)
}

/// The visits of a dispatch by day.
pub fn of_dispatch(conn: &mut Conn, dispatch: DispatchId) -> Result<Vec<VisitRow>, Error> {
    Ok(visits::table
        .filter(visits::dispatch_id.eq(dispatch))
        .order((visits::load_day, visits::start_minute, visits::id))
        .select(VisitRow::as_select())
        .load(conn)?)
}

/// The visits that accepted offers hold.
pub fn held_by(conn: &mut Conn, offers: &[OfferId]) -> Result<Vec<VisitRow>, Error> {
    Ok(visits::table
        .filter(visits::offer_id.eq_any(offers))
        .filter(visits::status.eq(VisitStatus::Held))
        .order((visits::load_day, visits::start_minute, visits::id))
        .select(VisitRow::as_select())
        .load(conn)?)
}

/// Turns the time that accepted offers hold into planned visits of a dispatch; those that are still to be arranged load
/// `undated`, the month in which its period begins.
pub fn plan_held(
    conn: &mut Conn,
    offers: &[OfferId],
    dispatch: DispatchId,
    undated: NaiveDate,
    now: UtcTime,
) -> Result<usize, Error> {
    diesel::update(
        visits::table
            .filter(visits::offer_id.eq_any(offers))
            .filter(visits::status.eq(VisitStatus::Held))
            .filter(visits::day.is_null())
            .filter(visits::load_day.ne(undated)),
    )
    .set(visits::load_day.eq(undated))
    .execute(conn)?;
    Ok(diesel::update(visits::table.filter(visits::offer_id.eq_any(offers)).filter(visits::status.eq(VisitStatus::Held)))
        .set((
            visits::dispatch_id.eq(dispatch),
            visits::status.eq(VisitStatus::Planned),
            visits::version.eq(visits::version + 1),
            visits::updated_at.eq(now),
        ))
        .execute(conn)?)
}

/// A visit to add.
#[derive(Debug, Clone)]
pub struct NewVisit {
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Whose office runs it.
    pub owner_organisation_id: OrganisationId,
    /// The body that applied.
    pub applicant_organisation_id: OrganisationId,
    /// Who goes.
    pub expert_id: ExpertId,
    /// The request.
    pub request_id: RequestId,
    /// The offer by which the expert agreed.
    pub offer_id: Option<OfferId>,
    /// The dispatch.
    pub dispatch_id: Option<DispatchId>,
    /// Kind of activity.
    pub activity_kind: ActivityKind,
    /// State.
    pub status: VisitStatus,
    /// The day, if it is arranged.
    pub day: Option<NaiveDate>,
    /// The day it loads.
    pub load_day: NaiveDate,
    /// Minute of the day at which it begins.
    pub start_minute: Option<i32>,
    /// Minutes planned.
    pub planned_minutes: i32,
    /// The time kept free.
    pub blocked: Option<(UtcTime, UtcTime)>,
    /// How it takes place.
    pub mode: Mode,
    /// Where.
    pub place: String,
}

/// Adds a visit; 409 when the expert is already booked at that time.
pub fn insert(conn: &mut Conn, new: &NewVisit, now: UtcTime) -> Result<VisitId, Error> {
    Ok(diesel::insert_into(visits::table)
        .values((
            visits::programme_id.eq(new.programme_id),
            visits::owner_organisation_id.eq(new.owner_organisation_id),
            visits::applicant_organisation_id.eq(new.applicant_organisation_id),
            visits::expert_id.eq(new.expert_id),
            visits::request_id.eq(new.request_id),
            visits::offer_id.eq(new.offer_id),
            visits::dispatch_id.eq(new.dispatch_id),
            visits::origin.eq(VisitOrigin::Service),
            visits::activity_kind.eq(new.activity_kind),
            visits::status.eq(new.status),
            visits::day.eq(new.day),
            visits::load_day.eq(new.load_day),
            visits::start_minute.eq(new.start_minute),
            visits::planned_minutes.eq(new.planned_minutes),
            visits::blocked_from.eq(new.blocked.map(|time| time.0)),
            visits::blocked_to.eq(new.blocked.map(|time| time.1)),
            visits::mode.eq(new.mode),
            visits::place.eq(&new.place),
            visits::created_at.eq(now),
            visits::updated_at.eq(now),
        ))
        .returning(visits::id)
        .get_result(conn)?)
}

/// Writes what can change of a visit; the version rises. 412 when somebody else was first, 409 when the expert is
/// already booked at that time.
pub fn update(conn: &mut Conn, row: &VisitRow, now: UtcTime) -> Result<i64, Error> {
    diesel::update(visits::table.find(row.id).filter(visits::version.eq(row.version)))
        .set((
            (
                visits::expert_id.eq(row.expert_id),
                visits::status.eq(row.status),
                visits::day.eq(row.day),
                visits::load_day.eq(row.load_day),
                visits::start_minute.eq(row.start_minute),
                visits::planned_minutes.eq(row.planned_minutes),
                visits::actual_minutes.eq(row.actual_minutes),
                visits::blocked_from.eq(row.blocked_from),
                visits::blocked_to.eq(row.blocked_to),
            ),
            (
                visits::mode.eq(row.mode),
                visits::place.eq(&row.place),
                visits::attendees.eq(row.attendees),
                visits::note.eq(&row.note),
                visits::cancelled_by_party.eq(row.cancelled_by_party),
                visits::notice_days.eq(row.notice_days),
                visits::cancel_reason.eq(&row.cancel_reason),
                visits::rescheduled_to_id.eq(row.rescheduled_to_id),
                visits::version.eq(visits::version + 1),
                visits::updated_at.eq(now),
            ),
        ))
        .returning(visits::version)
        .get_result(conn)
        .optional()?
        .ok_or_else(|| Error::new(ErrorCode::StaleVersion))
}

/// Takes planned visits out of their expert's load for the rest of the transaction, so that the load can be checked
/// as it will be; the caller writes each of them afterwards.
pub fn set_aside(conn: &mut Conn, ids: &[VisitId]) -> Result<(), Error> {
    diesel::update(visits::table.filter(visits::id.eq_any(ids)).filter(visits::status.eq(VisitStatus::Planned)))
        .set(visits::status.eq(VisitStatus::Rescheduled))
        .execute(conn)?;
    Ok(())
}

/// Calls off planned visits, each with its own notice days. `party` is absent when an amendment drops them.
pub fn cancel_planned(
    conn: &mut Conn,
    planned: &[VisitRow],
    party: Option<Party>,
    reason: &str,
    today: NaiveDate,
    now: UtcTime,
) -> Result<(), Error> {
    for row in planned {
        let mut row = row.clone();
        row.status = VisitStatus::Cancelled;
        row.cancelled_by_party = party;
        row.notice_days = super::model::notice_days(today, [row.day]);
        row.cancel_reason = Some(reason.to_owned());
        update(conn, &row, now)?;
    }
    Ok(())
}

/// The bodies that take part in visits.
pub fn participants(conn: &mut Conn, ids: &[VisitId]) -> Result<Vec<(VisitId, OrganisationId)>, Error> {
    Ok(visit_participants::table
        .filter(visit_participants::visit_id.eq_any(ids))
        .order((visit_participants::visit_id, visit_participants::organisation_id))
        .select((visit_participants::visit_id, visit_participants::organisation_id))
        .load(conn)?)
}

/// Adds the bodies of the request to the visits of its dispatch that have none yet.
pub fn enrol_participants(conn: &mut Conn, dispatch: DispatchId) -> Result<(), Error> {
    let enrolled = diesel::alias!(visit_participants as enrolled);
    let rows = visits::table
        .inner_join(request_participants::table.on(request_participants::request_id.nullable().eq(visits::request_id)))
        .filter(visits::dispatch_id.eq(dispatch))
        .filter(diesel::dsl::not(exists(enrolled.filter(enrolled.field(visit_participants::visit_id).eq(visits::id)))))
        .select((visits::id, request_participants::organisation_id));
    diesel::insert_into(visit_participants::table)
        .values(rows)
        .into_columns((visit_participants::visit_id, visit_participants::organisation_id))
        .execute(conn)?;
    Ok(())
}

/// Replaces the bodies of a visit.
pub fn set_participants(conn: &mut Conn, visit: VisitId, bodies: &[OrganisationId]) -> Result<(), Error> {
    diesel::delete(visit_participants::table.filter(visit_participants::visit_id.eq(visit))).execute(conn)?;
    let rows: Vec<_> = bodies
        .iter()
        .map(|body| (visit_participants::visit_id.eq(visit), visit_participants::organisation_id.eq(*body)))
        .collect();
    insert_rows!(conn, visit_participants::table, rows)?;
    Ok(())
}

/// Planned visits of a programme's decided dispatches in a fiscal year: expert, minutes and rules are what a budget
/// still has to bear.
pub fn planned_of_year(
    conn: &mut Conn,
    programme: ProgrammeId,
    fiscal_year: i32,
) -> Result<Vec<(ExpertId, i32, DispatchId)>, Error> {
    Ok(visits::table
        .inner_join(dispatches::table)
        .filter(dispatches::programme_id.eq(programme))
        .filter(dispatches::fiscal_year.eq(fiscal_year))
        .filter(visits::status.eq(VisitStatus::Planned))
        .select((visits::expert_id, visits::planned_minutes, dispatches::id))
        .load(conn)?)
}
