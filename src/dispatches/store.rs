//! SQL of dispatches, their experts and amendments, and who sees a dispatch.

use chrono::NaiveDate;
use diesel::dsl::exists;
use diesel::prelude::*;

use super::model::{AmendmentKind, DispatchStatus, Party, ReportStatus};
use crate::auth::policy::Role;
use crate::calendar::FiscalYear;
use crate::clock::UtcTime;
use crate::db::schema::{
    dispatch_amendments, dispatch_experts, dispatches, organisations, programmes, reports, request_participants, requests, visits,
};
use crate::db::{Conn, Ids};
use crate::error::{Error, ErrorCode};
use crate::http::{Ctx, ListQuery, Versioned};
use crate::ids::{DispatchId, ExpertId, OrganisationId, PoolId, ProgrammeId, RequestId, UserId};
use crate::pools::rules::ProgrammeRules;
use crate::requests::model::ActivityKind;

/// A dispatch (派遣決定).
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = dispatches)]
pub struct DispatchRow {
    /// Id.
    pub id: DispatchId,
    /// The request it decides.
    pub request_id: RequestId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Owner of the pool: it decides and pays the prefecture's share.
    pub owner_organisation_id: OrganisationId,
    /// The body that applied; with joint applicants the lead.
    pub applicant_organisation_id: OrganisationId,
    /// Kind of activity; a consultation has no number.
    pub activity_kind: ActivityKind,
    /// Starting year of the fiscal year in which every visit lies.
    pub fiscal_year: i32,
    /// Number as `R8-0012`, unique for owner and fiscal year.
    pub number: Option<String>,
    /// The office's own 文書番号, as typed.
    pub document_number: String,
    /// Day of the decision.
    pub decided_on: NaiveDate,
    /// Who decided, when it was a person.
    pub decided_by: Option<UserId>,
    /// First day on which a visit can take place.
    pub period_from: NaiveDate,
    /// Last day, inclusive.
    pub period_to: NaiveDate,
    /// State.
    pub status: DispatchStatus,
    /// For whose reasons it was called off.
    pub cancelled_by_party: Option<Party>,
    /// When.
    pub cancelled_at: Option<UtcTime>,
    /// Days between the word and the first visit called off.
    pub notice_days: Option<i32>,
    /// Why, as typed.
    pub cancel_reason: Option<String>,
    /// How many amendments there are.
    pub amendment_number: i32,
    /// The dispatch that carries the work on.
    pub successor_id: Option<DispatchId>,
    /// The programme's rules as they were at the decision.
    pub rules: String,
    /// Version.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

impl Versioned for DispatchRow {
    fn version(&self) -> i64 {
        self.version
    }
}

impl DispatchRow {
    /// The rules it was decided under; later changes of the programme do not reach it.
    pub fn rules(&self) -> Result<ProgrammeRules, Error> {
        serde_json::from_str(&self.rules).map_err(Error::internal)
    }

    /// The fiscal year of its visits.
    pub fn year(&self) -> Result<FiscalYear, Error> {
        FiscalYear::new(self.fiscal_year).map_err(Error::internal)
    }
}

/// A decision to write.
#[derive(Debug, Clone)]
pub struct NewDispatch<'a> {
    /// The request.
    pub request_id: RequestId,
    /// Its programme.
    pub programme_id: ProgrammeId,
    /// Owner of the pool.
    pub owner: OrganisationId,
    /// Applicant.
    pub applicant: OrganisationId,
    /// Kind of activity.
    pub activity_kind: ActivityKind,
    /// Fiscal year.
    pub fiscal_year: FiscalYear,
    /// Number; none for a consultation.
    pub number: Option<String>,
    /// 文書番号.
    pub document_number: &'a str,
    /// Day of the decision.
    pub decided_on: NaiveDate,
    /// Who decided.
    pub decided_by: Option<UserId>,
    /// Period.
    pub period: (NaiveDate, NaiveDate),
    /// The rules to keep with it.
    pub rules: &'a ProgrammeRules,
}

/// An expert of a dispatch.
#[derive(Debug, Clone, Queryable)]
pub struct DispatchExpertRow {
    /// The dispatch.
    pub dispatch_id: DispatchId,
    /// The expert.
    pub expert_id: ExpertId,
    /// Name as registered.
    pub name: String,
    /// Where the expert works.
    pub affiliation: String,
    /// Mail address.
    pub email: String,
    /// The account, if there is one.
    pub user_id: Option<UserId>,
    /// Telephone.
    pub phone: String,
    /// Whether the expert still goes.
    pub active: bool,
    /// Who took over.
    pub replaced_by_id: Option<ExpertId>,
}

/// An amendment of a dispatch.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = dispatch_amendments)]
pub struct AmendmentRow {
    /// Running number within the dispatch, from 1.
    pub number: i32,
    /// What it changed.
    pub kind: AmendmentKind,
    /// 文書番号 of the amendment.
    pub document_number: String,
    /// Before, as JSON.
    pub old_value: String,
    /// After, as JSON.
    pub new_value: String,
    /// Why, as typed.
    pub reason: String,
    /// Day of the amendment.
    pub amended_on: NaiveDate,
    /// Who.
    pub amended_by: Option<UserId>,
}

/// Whose eyes a dispatch is seen with.
#[derive(Debug, Clone)]
pub enum Audience {
    /// An expert: the dispatches the expert belongs or belonged to.
    Expert(Vec<ExpertId>),
    /// The owner's office: everything of its pools, and what the organisation itself applied for or takes part in.
    Owner(OrganisationId),
    /// A body's staff: what it applied for or takes part in.
    Body(OrganisationId),
}

impl Audience {
    /// The principal's eyes.
    pub fn of(ctx: &Ctx) -> Self {
        match ctx.principal.acts_as {
            Role::Expert => Self::Expert(ctx.principal.expert_ids.clone()),
            Role::PrefecturalCoordinator | Role::Auditor => Self::Owner(ctx.organisation()),
            _ => Self::Body(ctx.organisation()),
        }
    }
}

/// Narrows a boxed query over `dispatches` to what the audience sees.
macro_rules! seen_by {
    ($query:expr, $audience:expr) => {{
        let takes_part = |me: OrganisationId| {
            exists(
                request_participants::table
                    .filter(request_participants::request_id.eq(dispatches::request_id))
                    .filter(request_participants::organisation_id.eq(me)),
            )
        };
        match $audience {
            Audience::Expert(ids) => $query.filter(exists(
                dispatch_experts::table
                    .filter(dispatch_experts::dispatch_id.eq(dispatches::id))
                    .filter(dispatch_experts::expert_id.eq_any(ids)),
            )),
            Audience::Owner(me) => $query.filter(
                dispatches::owner_organisation_id.eq(me).or(dispatches::applicant_organisation_id.eq(me)).or(takes_part(me)),
            ),
            Audience::Body(me) => $query.filter(dispatches::applicant_organisation_id.eq(me).or(takes_part(me))),
        }
    }};
}
pub(crate) use seen_by;

/// A dispatch the principal sees, or 404: the owner's office, the applicant and participating bodies, its experts.
pub fn visible_dispatch(conn: &mut Conn, ctx: &Ctx, id: DispatchId) -> Result<DispatchRow, Error> {
    let query = dispatches::table.filter(dispatches::id.eq(id)).select(DispatchRow::as_select()).into_boxed();
    Ok(seen_by!(query, Audience::of(ctx)).first(conn)?)
}

/// A dispatch of the principal's own pool: 404 when not visible, 403 when only visible.
pub fn owned_dispatch(conn: &mut Conn, ctx: &Ctx, id: DispatchId) -> Result<DispatchRow, Error> {
    let row = visible_dispatch(conn, ctx, id)?;
    owner_only(ctx, &row)?;
    Ok(row)
}

/// A dispatch that the principal's organisation runs or applied for: 404 when not visible, 403 when only visible.
pub fn worked_on(conn: &mut Conn, ctx: &Ctx, id: DispatchId) -> Result<DispatchRow, Error> {
    let row = visible_dispatch(conn, ctx, id)?;
    if ctx.organisation() == row.applicant_organisation_id {
        return Ok(row);
    }
    owner_only(ctx, &row)?;
    Ok(row)
}

/// 403 unless the principal's organisation owns the pool.
pub fn owner_only(ctx: &Ctx, row: &DispatchRow) -> Result<(), Error> {
    if is_owner(ctx, row) { Ok(()) } else { Err(Error::new(ErrorCode::Forbidden)) }
}

/// Whether the principal looks with the owner's eyes.
pub fn is_owner(ctx: &Ctx, row: &DispatchRow) -> bool {
    matches!(Audience::of(ctx), Audience::Owner(me) if me == row.owner_organisation_id)
}

/// A dispatch whatever the visibility (for services that checked another object).
pub fn find(conn: &mut Conn, id: DispatchId) -> Result<Option<DispatchRow>, Error> {
    Ok(dispatches::table.find(id).select(DispatchRow::as_select()).first(conn).optional()?)
}

/// The dispatch of a request, if it is decided.
pub fn of_request(conn: &mut Conn, request: RequestId) -> Result<Option<DispatchRow>, Error> {
    Ok(dispatches::table.filter(dispatches::request_id.eq(request)).select(DispatchRow::as_select()).first(conn).optional()?)
}

/// What the list of dispatches can be narrowed by.
#[derive(Debug, Clone, Default)]
pub struct DispatchFilter {
    /// Only of this programme.
    pub programme_id: Option<ProgrammeId>,
    /// Only of the fiscal year that starts in this year.
    pub fiscal_year: Option<i32>,
    /// Only in this state.
    pub status: Option<DispatchStatus>,
    /// Only of this kind of activity.
    pub activity_kind: Option<ActivityKind>,
    /// Only applied for by this body.
    pub applicant: Option<OrganisationId>,
    /// Only with this expert, now or before.
    pub expert: Option<ExpertId>,
    /// Only whose number begins so, or whose 文書番号 contains it.
    pub q: Option<String>,
}

crate::text_enum! {
    /// The order of the list of dispatches.
    pub enum DispatchSort {
        /// Changed last first.
        UpdatedDesc = "-updated_at", "更新の新しい順";
        /// Changed first first.
        Updated = "updated_at", "更新の古い順";
        /// Decided last first.
        DecidedDesc = "-decided_on", "決定の新しい順";
        /// Decided first first.
        Decided = "decided_on", "決定の古い順";
    }
}

/// A line of the list of dispatches.
#[derive(Debug, Clone, Queryable)]
pub struct DispatchLine {
    /// Id.
    pub id: DispatchId,
    /// The request.
    pub request_id: RequestId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// Applicant.
    pub applicant_organisation_id: OrganisationId,
    /// Its name.
    pub applicant_name: String,
    /// Theme of the request.
    pub theme: String,
    /// Kind of activity.
    pub activity_kind: ActivityKind,
    /// Fiscal year.
    pub fiscal_year: i32,
    /// Number.
    pub number: Option<String>,
    /// 文書番号.
    pub document_number: String,
    /// Day of the decision.
    pub decided_on: NaiveDate,
    /// Period.
    pub period_from: NaiveDate,
    /// Last day.
    pub period_to: NaiveDate,
    /// State.
    pub status: DispatchStatus,
    /// Where its report stands.
    pub report_status: Option<ReportStatus>,
    /// Last day for the report.
    pub report_due_on: Option<NaiveDate>,
    /// Version.
    pub version: i64,
    /// Changed.
    pub updated_at: UtcTime,
}

macro_rules! filtered {
    ($query:expr, $audience:expr, $filter:expr) => {{
        let mut query = seen_by!($query, $audience);
        let filter: &DispatchFilter = $filter;
        if let Some(programme) = filter.programme_id {
            query = query.filter(dispatches::programme_id.eq(programme));
        }
        if let Some(year) = filter.fiscal_year {
            query = query.filter(dispatches::fiscal_year.eq(year));
        }
        if let Some(status) = filter.status {
            query = query.filter(dispatches::status.eq(status));
        }
        if let Some(kind) = filter.activity_kind {
            query = query.filter(dispatches::activity_kind.eq(kind));
        }
        if let Some(applicant) = filter.applicant {
            query = query.filter(dispatches::applicant_organisation_id.eq(applicant));
        }
        if let Some(expert) = filter.expert {
            query = query.filter(exists(
                dispatch_experts::table
                    .filter(dispatch_experts::dispatch_id.eq(dispatches::id))
                    .filter(dispatch_experts::expert_id.eq(expert)),
            ));
        }
        if let Some(q) = &filter.q {
            let text = crate::text::like_pattern(q);
            query = query.filter(
                dispatches::document_number
                    .like(format!("%{text}%"))
                    .escape('\\')
                    .or(dispatches::number.like(format!("{text}%")).escape('\\')),
            );
        }
        query
    }};
}

/// A page of the dispatches the audience sees.
pub fn list(
    conn: &mut Conn,
    audience: Audience,
    filter: &DispatchFilter,
    sort: DispatchSort,
    page: &ListQuery,
) -> Result<Vec<DispatchLine>, Error> {
    let query = dispatches::table
        .inner_join(requests::table)
        .inner_join(organisations::table.on(organisations::id.eq(dispatches::applicant_organisation_id)))
        .left_join(reports::table)
        .select((
            dispatches::id,
            dispatches::request_id,
            dispatches::programme_id,
            dispatches::owner_organisation_id,
            dispatches::applicant_organisation_id,
            organisations::name,
            requests::theme,
            dispatches::activity_kind,
            dispatches::fiscal_year,
            dispatches::number,
            dispatches::document_number,
            dispatches::decided_on,
            dispatches::period_from,
            dispatches::period_to,
            dispatches::status,
            reports::status.nullable(),
            reports::due_on.nullable(),
            dispatches::version,
            dispatches::updated_at,
        ))
        .limit(page.fetch())
        .into_boxed();
    let query = filtered!(query, audience, filter);
    let query = match sort {
        DispatchSort::Updated => query.order((dispatches::updated_at.asc(), dispatches::id.asc())),
        DispatchSort::UpdatedDesc => query.order((dispatches::updated_at.desc(), dispatches::id.desc())),
        DispatchSort::Decided => query.order((dispatches::decided_on.asc(), dispatches::id.asc())),
        DispatchSort::DecidedDesc => query.order((dispatches::decided_on.desc(), dispatches::id.desc())),
    };
    let query = match sort {
        DispatchSort::Updated | DispatchSort::UpdatedDesc => match page.after_parsed::<chrono::NaiveDateTime>()? {
            None => query,
            Some((key, id)) => {
                let (key, id) = (UtcTime::from_naive(key), DispatchId(id));
                let tie = dispatches::updated_at.eq(key);
                if sort == DispatchSort::Updated {
                    query.filter(dispatches::updated_at.gt(key).or(tie.and(dispatches::id.gt(id))))
                } else {
                    query.filter(dispatches::updated_at.lt(key).or(tie.and(dispatches::id.lt(id))))
                }
            }
        },
        DispatchSort::Decided | DispatchSort::DecidedDesc => match page.after_parsed::<NaiveDate>()? {
            None => query,
            Some((key, id)) => {
                let id = DispatchId(id);
                let tie = dispatches::decided_on.eq(key);
                if sort == DispatchSort::Decided {
                    query.filter(dispatches::decided_on.gt(key).or(tie.and(dispatches::id.gt(id))))
                } else {
                    query.filter(dispatches::decided_on.lt(key).or(tie.and(dispatches::id.lt(id))))
                }
            }
        },
    };
    Ok(query.load(conn)?)
}

/// Where a line stands in an order, for the cursor.
pub fn position(line: &DispatchLine, sort: DispatchSort) -> (String, i64) {
    let key = match sort {
        DispatchSort::Updated | DispatchSort::UpdatedDesc => format!("{:?}", line.updated_at.naive()),
        DispatchSort::Decided | DispatchSort::DecidedDesc => line.decided_on.to_string(),
    };
    (key, line.id.0)
}

/// How many dispatches the same list holds in all.
pub fn count(conn: &mut Conn, audience: Audience, filter: &DispatchFilter) -> Result<i64, Error> {
    let query = dispatches::table.select(diesel::dsl::count_star()).into_boxed();
    Ok(filtered!(query, audience, filter).first(conn)?)
}

/// Body and fiscal year of the dispatches of some pools that were not called off, with their number.
pub fn served_bodies(conn: &mut Conn, pools: &[PoolId]) -> Result<Vec<(OrganisationId, i32, i64)>, Error> {
    Ok(dispatches::table
        .inner_join(programmes::table)
        .filter(programmes::pool_id.eq_any(pools))
        .filter(dispatches::status.ne("cancelled"))
        .group_by((dispatches::applicant_organisation_id, dispatches::fiscal_year))
        .select((dispatches::applicant_organisation_id, dispatches::fiscal_year, diesel::dsl::count_star()))
        .load(conn)?)
}

/// The dispatches of a programme's year that were not called off and of which something was done.
pub fn worked_in(conn: &mut Conn, programme: ProgrammeId, fiscal_year: i32) -> Result<Vec<DispatchRow>, Error> {
    let done = visits::table.filter(visits::dispatch_id.eq(dispatches::id.nullable())).filter(visits::status.eq("done"));
    Ok(dispatches::table
        .filter(dispatches::programme_id.eq(programme))
        .filter(dispatches::fiscal_year.eq(fiscal_year))
        .filter(diesel::dsl::exists(done))
        .order(dispatches::id)
        .select(DispatchRow::as_select())
        .load(conn)?)
}

/// Number and name of the applicant of those of some dispatches that the audience sees.
pub fn titles(
    conn: &mut Conn,
    audience: Audience,
    ids: &[DispatchId],
) -> Result<Vec<(DispatchId, Option<String>, String)>, Error> {
    let ids = Ids::new(conn, ids.iter().map(|id| id.0));
    let query = dispatches::table
        .inner_join(organisations::table.on(organisations::id.eq(dispatches::applicant_organisation_id)))
        .filter(ids.among(dispatches::id))
        .select((dispatches::id, dispatches::number, organisations::name))
        .into_boxed();
    Ok(seen_by!(query, audience).load(conn)?)
}
