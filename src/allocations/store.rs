//! SQL of runs and their assignments.

use diesel::prelude::*;

use super::model::AllocationStatus;
use crate::clock::UtcTime;
use crate::db::dialect::insert_rows;
use crate::db::schema::{allocation_assignments, allocation_members, allocation_runs, experts, pools};
use crate::db::{Conn, Ids};
use crate::error::{Error, ErrorCode};
use crate::http::{ListQuery, Versioned};
use crate::ids::{AllocationId, ExpertId, OfferId, OrganisationId, PoolId, RequestId, UserId};

/// A run.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = allocation_runs)]
pub struct RunRow {
    /// Id.
    pub id: AllocationId,
    /// The pool.
    pub pool_id: PoolId,
    /// Its owner.
    pub owner_organisation_id: OrganisationId,
    /// State.
    pub status: AllocationStatus,
    /// How much is done, in percent.
    pub progress: i32,
    /// What was asked for, as JSON.
    pub options: String,
    /// What came out, as JSON; empty until there is a plan.
    pub result: String,
    /// A person's note.
    pub note: String,
    /// Version.
    pub version: i64,
    /// When it was asked for.
    pub created_at: UtcTime,
    /// Which assignments did not become offers when it was last applied, as JSON.
    pub refused: Option<String>,
    /// Why no plan could be made, as JSON.
    pub failure: Option<String>,
}

impl Versioned for RunRow {
    fn version(&self) -> i64 {
        self.version
    }
}

/// A further member of the team that an assignment names.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = allocation_members)]
pub struct MemberRow {
    /// The run.
    pub run_id: AllocationId,
    /// The request.
    pub request_id: RequestId,
    /// The place in the team, from 1; the lead stands in the assignment.
    pub position: i32,
    /// The expert.
    pub expert_id: ExpertId,
    /// The expert's version when it was planned.
    pub expert_version: Option<i64>,
    /// The offer that came of it.
    pub offer_id: Option<OfferId>,
}

/// One request of a run.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = allocation_assignments)]
pub struct AssignmentRow {
    /// The run.
    pub run_id: AllocationId,
    /// The request.
    pub request_id: RequestId,
    /// Who is to be asked; `None`: nobody.
    pub expert_id: Option<ExpertId>,
    /// Whom the plan names.
    pub planned_expert_id: Option<ExpertId>,
    /// The request's version when it was planned.
    pub request_version: i64,
    /// The expert's.
    pub expert_version: Option<i64>,
    /// Why a person put somebody else in the place; empty: nobody did.
    pub override_reason: String,
    /// The offer that came of it.
    pub offer_id: Option<OfferId>,
}

/// Adds a run that waits for the worker.
pub fn insert(
    conn: &mut Conn,
    (pool, owner): (PoolId, OrganisationId),
    (options, note): (&str, &str),
    by: Option<UserId>,
    now: UtcTime,
) -> Result<AllocationId, Error> {
    use allocation_runs as t;
    Ok(diesel::insert_into(t::table)
        .values((
            t::pool_id.eq(pool),
            t::owner_organisation_id.eq(owner),
            t::status.eq(AllocationStatus::Queued),
            t::options.eq(options),
            t::note.eq(note),
            t::created_by.eq(by),
            t::created_at.eq(now),
            t::updated_at.eq(now),
        ))
        .returning(t::id)
        .get_result(conn)?)
}

/// One run.
pub fn find(conn: &mut Conn, id: AllocationId) -> Result<Option<RunRow>, Error> {
    Ok(allocation_runs::table.find(id).select(RunRow::as_select()).first(conn).optional()?)
}

/// The instance and certificate of a run, as JSON.
pub fn certificate(conn: &mut Conn, id: AllocationId) -> Result<(String, String), Error> {
    Ok(allocation_runs::table.find(id).select((allocation_runs::problem, allocation_runs::certificate)).first(conn)?)
}

/// A run as lists show one: without what was asked for and what came out, which can be large.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = allocation_runs)]
pub struct RunLine {
    /// Id.
    pub id: AllocationId,
    /// The pool.
    pub pool_id: PoolId,
    /// State.
    pub status: AllocationStatus,
    /// How much is done, in percent.
    pub progress: i32,
    /// A person's note.
    pub note: String,
    /// When it was asked for.
    pub created_at: UtcTime,
}

/// A page of an owner's runs, the newest first.
pub fn list(conn: &mut Conn, owner: OrganisationId, pool: Option<PoolId>, page: &ListQuery) -> Result<Vec<RunLine>, Error> {
    let mut query = allocation_runs::table
        .filter(allocation_runs::owner_organisation_id.eq(owner))
        .order(allocation_runs::id.desc())
        .limit(page.fetch())
        .select(RunLine::as_select())
        .into_boxed();
    if let Some(pool) = pool {
        query = query.filter(allocation_runs::pool_id.eq(pool));
    }
    if let Some((_, id)) = page.after() {
        query = query.filter(allocation_runs::id.lt(AllocationId(id)));
    }
    Ok(query.load(conn)?)
}

/// The run that has waited longest.
pub fn next_queued(conn: &mut Conn) -> Result<Option<RunRow>, Error> {
    Ok(allocation_runs::table
        .filter(allocation_runs::status.eq(AllocationStatus::Queued))
        .order(allocation_runs::id)
        .select(RunRow::as_select())
        .first(conn)
        .optional()?)
}

/// Moves a run on. 412 if somebody else was first.
pub fn set_status(conn: &mut Conn, row: &RunRow, status: AllocationStatus, now: UtcTime) -> Result<i64, Error> {
    use allocation_runs as t;
    let version = row.version + 1;
    let moved = diesel::update(t::table.filter(t::id.eq(row.id)).filter(t::version.eq(row.version)))
        .set((t::status.eq(status), t::version.eq(version), t::updated_at.eq(now)))
        .execute(conn)?;
    if moved == 0 { Err(Error::new(ErrorCode::StaleVersion)) } else { Ok(version) }
}

/// Keeps which assignments did not become offers, in the place of what was kept before.
pub fn keep_refused(conn: &mut Conn, id: AllocationId, refused: Option<&str>) -> Result<(), Error> {
    diesel::update(allocation_runs::table.find(id)).set(allocation_runs::refused.eq(refused)).execute(conn)?;
    Ok(())
}

/// Marks a run that cannot be planned, with the reason as JSON, unless it was called off meanwhile.
pub fn fail(conn: &mut Conn, id: AllocationId, failure: &str, now: UtcTime) -> Result<(), Error> {
    use allocation_runs as t;
    diesel::update(t::table.filter(t::id.eq(id)).filter(t::status.eq(AllocationStatus::Queued)))
        .set((
            t::status.eq(AllocationStatus::Failed),
            t::failure.eq(failure),
            t::version.eq(t::version + 1),
            t::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes how far a run is; whether it still waits for its plan.
pub fn tell_progress(conn: &mut Conn, id: AllocationId, percent: i32) -> Result<bool, Error> {
    use allocation_runs as t;
    let told = diesel::update(t::table.filter(t::id.eq(id)).filter(t::status.eq(AllocationStatus::Queued)))
        .set(t::progress.eq(percent))
        .execute(conn)?;
    Ok(told == 1)
}

/// Keeps what came out of a run: instance, certificate and result as JSON, and the assignments with their teams.
pub fn keep(
    conn: &mut Conn,
    row: &RunRow,
    (instance, certificate, result): (&str, &str, &str),
    (assignments, members): (&[AssignmentRow], &[MemberRow]),
    now: UtcTime,
) -> Result<(), Error> {
    use allocation_runs as t;
    let kept = diesel::update(t::table.filter(t::id.eq(row.id)).filter(t::status.eq(AllocationStatus::Queued)))
        .set((
            t::status.eq(AllocationStatus::Planned),
            t::progress.eq(100),
            t::problem.eq(instance),
            t::certificate.eq(certificate),
            t::result.eq(result),
            t::version.eq(row.version + 1),
            t::updated_at.eq(now),
        ))
        .execute(conn)?;
    // Another process may have been as quick; one plan is kept.
    if kept == 1 {
        insert_rows!(conn, allocation_assignments::table, assignments)?;
        insert_rows!(conn, allocation_members::table, members)?;
    }
    Ok(())
}

/// The assignments of a run by request.
pub fn assignments(conn: &mut Conn, id: AllocationId) -> Result<Vec<AssignmentRow>, Error> {
    Ok(allocation_assignments::table
        .filter(allocation_assignments::run_id.eq(id))
        .order(allocation_assignments::request_id)
        .select(AssignmentRow::as_select())
        .load(conn)?)
}

/// Keeps an assignment as it stands now.
pub fn update_assignment(conn: &mut Conn, row: &AssignmentRow) -> Result<(), Error> {
    use allocation_assignments as t;
    diesel::update(t::table.find((row.run_id, row.request_id)))
        .set((
            t::expert_id.eq(row.expert_id),
            t::expert_version.eq(row.expert_version),
            t::override_reason.eq(&row.override_reason),
            t::offer_id.eq(row.offer_id),
        ))
        .execute(conn)?;
    Ok(())
}

/// The further members of the teams of a run, by request and position.
pub fn members(conn: &mut Conn, id: AllocationId) -> Result<Vec<MemberRow>, Error> {
    Ok(allocation_members::table
        .filter(allocation_members::run_id.eq(id))
        .order((allocation_members::request_id, allocation_members::position))
        .select(MemberRow::as_select())
        .load(conn)?)
}

/// Puts others in the place of a team's further members.
pub fn replace_members(conn: &mut Conn, run: AllocationId, request: RequestId, members: &[MemberRow]) -> Result<(), Error> {
    use allocation_members as t;
    diesel::delete(t::table.filter(t::run_id.eq(run)).filter(t::request_id.eq(request))).execute(conn)?;
    insert_rows!(conn, t::table, members)?;
    Ok(())
}

/// Keeps the offer that came of a member.
pub fn update_member(conn: &mut Conn, row: &MemberRow) -> Result<(), Error> {
    use allocation_members as t;
    diesel::update(t::table.find((row.run_id, row.request_id, row.position))).set(t::offer_id.eq(row.offer_id)).execute(conn)?;
    Ok(())
}

/// Pool and name of those of some experts who are registered in a pool of an owner.
pub fn owned_experts(conn: &mut Conn, owner: OrganisationId, ids: &[ExpertId]) -> Result<Vec<(ExpertId, PoolId, String)>, Error> {
    let ids = Ids::new(conn, ids.iter().map(|id| id.0));
    Ok(experts::table
        .inner_join(pools::table)
        .filter(pools::owner_organisation_id.eq(owner))
        .filter(ids.among(experts::id))
        .select((experts::id, experts::pool_id, experts::name))
        .load(conn)?)
}
