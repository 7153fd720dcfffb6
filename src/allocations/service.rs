//! Use cases of runs as they are read: a run with its plan, compared with another, looked at again by the checker, handed on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::model::AllocationStatus;
use super::store::{self, AssignmentRow, RunRow};
use super::views::{
    AllocationComparison, AllocationMove, AllocationResult, AllocationVerification, AllocationView, AssignedMember,
    AssignmentView, CancelAllocationBody, KeptFailure, KeptRefusal, LevelChange,
};
use crate::db::Conn;
use crate::db::dialect;
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Outcome};
use crate::ids::{AllocationId, ExpertId, RequestId};
use crate::matching::allocation::check::check;
use crate::matching::allocation::instance::Instance;
use crate::matching::allocation::problem::Level;
use crate::matching::allocation::report::{self, AllocationReport, Making};
use crate::matching::allocation::search::Planned;
use crate::requests::store::RequestRow;

/// A run of the principal's own pool: 404 when not visible.
pub fn owned(conn: &mut Conn, ctx: &Ctx, id: AllocationId) -> Result<RunRow, Error> {
    store::find(conn, id)?.filter(|run| run.owner_organisation_id == ctx.organisation()).ok_or_else(Error::not_found)
}

/// As [`owned`], for one writer at a time.
pub fn locked(conn: &mut Conn, ctx: &Ctx, id: AllocationId) -> Result<RunRow, Error> {
    owned(conn, ctx, id)?;
    dialect::claim(conn, &format!("allocation {id}"))?;
    owned(conn, ctx, id)
}

/// Calls off a run that has no plan yet. The worker stops at its next look.
pub fn cancel(conn: &mut Conn, ctx: &Ctx, row: RunRow, _: CancelAllocationBody) -> Result<Outcome<AllocationView>, Error> {
    if row.status != AllocationStatus::Queued {
        return Err(Error::transition(row.status.as_str(), Vec::new())
            .detail("計算待ち・計算中の計画のみ取り消せます", "Only a run that has no plan yet can be cancelled"));
    }
    let version = store::set_status(conn, &row, AllocationStatus::Cancelled, ctx.now)?;
    let audit = Audit::new("allocation", row.id.0, row.owner_organisation_id)
        .change(json!({"status": row.status}), json!({"status": AllocationStatus::Cancelled}));
    let row = store::find(conn, row.id)?.ok_or_else(Error::not_found)?;
    Ok(Outcome::changed(view(conn, &row)?, version, audit))
}

/// Which assignments did not become offers when a run was last applied.
pub fn refused_of(row: &RunRow) -> Result<Vec<KeptRefusal>, Error> {
    match &row.refused {
        Some(refused) => serde_json::from_str(refused).map_err(Error::internal),
        None => Ok(Vec::new()),
    }
}

/// Why no plan could be made.
pub fn failure_of(row: &RunRow) -> Result<Option<KeptFailure>, Error> {
    row.failure.as_deref().map(serde_json::from_str).transpose().map_err(Error::internal)
}

/// A run with its plan.
pub fn view(conn: &mut Conn, row: &RunRow) -> Result<AllocationView, Error> {
    let rows = store::assignments(conn, row.id)?;
    let requests: BTreeMap<i64, RequestRow> =
        crate::requests::store::find_many(conn, &ids(&rows))?.into_iter().map(|request| (request.id.0, request)).collect();
    let bodies: Vec<_> = requests.values().map(|request| request.applicant_organisation_id).collect();
    let bodies: BTreeMap<i64, String> =
        crate::organisations::store::find_many(conn, &bodies)?.into_iter().map(|body| (body.id.0, body.name)).collect();
    let members = store::members(conn, row.id)?;
    let experts: Vec<ExpertId> =
        rows.iter().filter_map(|row| row.expert_id).chain(members.iter().map(|member| member.expert_id)).collect();
    let experts: BTreeMap<i64, String> =
        crate::experts::store::find_many(conn, &experts)?.into_iter().map(|expert| (expert.id.0, expert.name)).collect();
    let assignments = rows
        .into_iter()
        .filter_map(|assignment| {
            let request = requests.get(&assignment.request_id.0)?;
            let overridden = !assignment.override_reason.is_empty();
            Some(AssignmentView {
                request_id: assignment.request_id,
                applicant: bodies.get(&request.applicant_organisation_id.0).cloned().unwrap_or_default(),
                theme: request.theme.clone(),
                expert_id: assignment.expert_id,
                expert_name: assignment.expert_id.and_then(|id| experts.get(&id.0).cloned()),
                others: members
                    .iter()
                    .filter(|member| member.request_id == assignment.request_id)
                    .map(|member| AssignedMember {
                        expert_id: member.expert_id,
                        name: experts.get(&member.expert_id.0).cloned().unwrap_or_default(),
                        offer_id: member.offer_id,
                    })
                    .collect(),
                planned_expert_id: assignment.planned_expert_id.filter(|_| overridden),
                override_reason: Some(assignment.override_reason).filter(|_| overridden),
                offer_id: assignment.offer_id,
            })
        })
        .collect();
    Ok(AllocationView {
        id: row.id,
        pool_id: row.pool_id,
        owner_organisation_id: row.owner_organisation_id,
        status: row.status,
        progress: row.progress,
        options: serde_json::from_str(&row.options).map_err(Error::internal)?,
        result: result_of(row)?,
        assignments,
        refused: refused_of(row)?.into_iter().map(Into::into).collect(),
        failure: failure_of(row)?.map(Into::into),
        version: row.version,
        created_at: row.created_at,
    })
}

fn ids(rows: &[AssignmentRow]) -> Vec<RequestId> {
    rows.iter().map(|row| row.request_id).collect()
}

fn result_of(row: &RunRow) -> Result<Option<AllocationResult>, Error> {
    if row.result.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(&row.result).map(Some).map_err(Error::internal)
}

/// 409 while there is no plan.
pub(super) fn require_planned(row: &RunRow) -> Result<(), Error> {
    match row.status {
        AllocationStatus::Planned | AllocationStatus::Applied => Ok(()),
        AllocationStatus::Queued | AllocationStatus::Failed | AllocationStatus::Cancelled => {
            Err(Error::transition(row.status.as_str(), Vec::new()).detail("計画がまだありません", "There is no plan yet"))
        }
    }
}

/// 404 while there is no plan to read.
fn require_plan(row: &RunRow) -> Result<(), Error> {
    require_planned(row).map_err(|_| Error::not_found())
}

/// Who takes which request, a team's lead and its other members.
fn taken(conn: &mut Conn, run: AllocationId) -> Result<BTreeMap<i64, (Option<ExpertId>, Vec<ExpertId>)>, Error> {
    let mut taken: BTreeMap<i64, (Option<ExpertId>, Vec<ExpertId>)> =
        store::assignments(conn, run)?.into_iter().map(|one| (one.request_id.0, (one.expert_id, Vec::new()))).collect();
    for member in store::members(conn, run)? {
        if let Some((_, others)) = taken.get_mut(&member.request_id.0) {
            others.push(member.expert_id);
        }
    }
    Ok(taken)
}

/// What another plan of the same pool does otherwise.
pub fn compare(conn: &mut Conn, ctx: &Ctx, row: &RunRow, with: AllocationId) -> Result<AllocationComparison, Error> {
    let other = owned(conn, ctx, with).ok().filter(|other| other.pool_id == row.pool_id).ok_or_else(|| {
        Error::new(ErrorCode::ValidationFailed).field(
            "/with",
            "not_found",
            "同じ人材プールの計画を指定してください",
            "Must be a run of the same pool",
        )
    })?;
    require_plan(row)?;
    require_plan(&other)?;
    let (mine, theirs) = (result_of(row)?, result_of(&other)?);
    let value = |result: &Option<AllocationResult>, level: Level| -> i64 {
        let levels = result.iter().flat_map(|result| &result.levels);
        levels.filter(|one| one.level == level).map(|one| one.value).sum()
    };
    let levels = mine
        .iter()
        .flat_map(|result| &result.levels)
        .map(|one| LevelChange { level: one.level, by: value(&theirs, one.level) - one.value });
    let (from, to) = (taken(conn, row.id)?, taken(conn, other.id)?);
    let requests: BTreeSet<i64> = from.keys().chain(to.keys()).copied().collect();
    let moves = requests.into_iter().filter_map(|request| {
        let (before, after) = (from.get(&request).cloned().unwrap_or_default(), to.get(&request).cloned().unwrap_or_default());
        (before != after).then_some(AllocationMove {
            request_id: RequestId(request),
            from_expert_id: before.0,
            from_other_ids: before.1,
            to_expert_id: after.0,
            to_other_ids: after.1,
        })
    });
    Ok(AllocationComparison { levels: levels.filter(|one| one.by != 0).collect(), moves: moves.collect() })
}

/// Has the checker look again at plan and proof as they are kept, without solver or database.
pub fn verify(conn: &mut Conn, row: &RunRow) -> Result<AllocationVerification, Error> {
    require_plan(row)?;
    let (instance, planned) = kept(conn, row)?;
    let problem = instance.problem().map_err(|mistakes| Error::internal(format!("{mistakes:?}")))?;
    let cases = planned.cases.len();
    Ok(match check(&problem, &planned) {
        Ok(verdict) => AllocationVerification {
            holds: true,
            problem: None,
            proved_levels: verdict.proved,
            proved_within_counts: verdict.within,
            cases,
        },
        Err(wrong) => AllocationVerification {
            holds: false,
            problem: Some(wrong.to_owned()),
            proved_levels: 0,
            proved_within_counts: 0,
            cases,
        },
    })
}

fn kept(conn: &mut Conn, row: &RunRow) -> Result<(Instance, Planned), Error> {
    let (instance, certificate) = store::certificate(conn, row.id)?;
    let instance = serde_json::from_str(&instance).map_err(Error::internal)?;
    Ok((instance, serde_json::from_str(&certificate).map_err(Error::internal)?))
}

/// What was planned, in the documented form: `tasuki allocate` reads it, and so can everybody else. Without names.
pub fn instance(conn: &mut Conn, row: &RunRow) -> Result<Instance, Error> {
    require_plan(row)?;
    Ok(kept(conn, row)?.0)
}

/// What came out, with the certificate, in the documented form: `tasuki allocate --check` takes it beside the instance.
pub fn report(conn: &mut Conn, row: &RunRow) -> Result<AllocationReport, Error> {
    require_plan(row)?;
    let (instance, planned) = kept(conn, row)?;
    let conversion = instance.convert().map_err(|mistakes| Error::internal(format!("{mistakes:?}")))?;
    let by_clock = result_of(row)?.is_some_and(|result| !result.reproducible);
    let making = Making { engine: crate::cli::ENGINE, by_clock, with_certificate: true };
    report::report(&instance, &conversion, &planned, making).map_err(|error| Error::internal(format!("{error:?}")))
}
