//! Use cases of runs: asked for, worked out in the background, overridden with a reason, applied as offers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use diesel::Connection as _;
use serde_json::json;

use super::facts;
use super::model::AllocationStatus;
use super::results;
use super::store::{self, AssignmentRow, RunRow};
use super::views::{
    AllocationComparison, AllocationMove, AllocationOptions, AllocationResult, AllocationVerification, AllocationView,
    ApplyAllocationBody, AssignmentView, LevelChange, OverrideAllocationBody, RefusedAssignment,
};
use crate::app::App;
use crate::auth::principal::Actor;
use crate::auth::secrets;
use crate::db::Conn;
use crate::db::dialect::{self, Lockable, lock_row};
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{AllocationId, ExpertId, RequestId};
use crate::matching::allocation::check::check;
use crate::matching::allocation::problem::{Level, Problem};
use crate::matching::allocation::search::Planned;
use crate::offers::views::{CreateOfferBody, OfferVisitBody};
use crate::pools::store::PoolRow;
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

/// Asks for a run; the background worker plans it.
pub fn create(conn: &mut Conn, ctx: &Ctx, pool: PoolRow, body: AllocationOptions) -> Result<Outcome<AllocationView>, Error> {
    let mut fields = Fields::new();
    fields.within("/band_points", i64::from(body.band_points), 1, 1_000);
    fields.within("/most_solves", i64::from(body.most_solves), 1, 10_000);
    fields.text("/note", &body.note, 1_000);
    if let Some(small) = body.small_population {
        fields.within("/small_population", small, 1, 100_000_000);
    }
    let chosen: BTreeSet<Level> = body.order().into_iter().collect();
    fields.check(
        chosen == BTreeSet::from(Level::CHOSEN) && body.order().len() == Level::CHOSEN.len(),
        "/level_order",
        "not_each_once",
        "spread・fit・load・score・travelを1回ずつ並べてください",
        "Must name spread, fit, load, score and travel once each",
    );
    for (name, pairs) in [("pins", &body.pins), ("forbidden", &body.forbidden)] {
        fields.at_most(&format!("/{name}"), pairs.len(), 1_000);
    }
    fields.at_most("/places", body.places.len(), 1_000);
    for (i, pair) in body.pins.iter().enumerate() {
        let both = body.forbidden.contains(pair);
        let twice = body.pins.iter().take(i).any(|other| other.request_id == pair.request_id);
        fields.check(!both, format!("/pins/{i}"), "forbidden_too", "固定と除外の両方に指定されています", "Is forbidden as well");
        fields.check(
            !twice,
            format!("/pins/{i}/request_id"),
            "duplicate",
            "同じ申請が重なっています",
            "The request is named twice",
        );
    }
    let programmes = crate::pools::store::programmes_of(conn, pool.id)?;
    for (i, id) in body.programme_ids.iter().enumerate() {
        fields.check(
            programmes.iter().any(|programme| programme == id),
            format!("/programme_ids/{i}"),
            "not_of_pool",
            "この人材プールの事業を指定してください",
            "Must be a programme of the pool",
        );
    }
    fields.finish()?;
    let options = serde_json::to_string(&body).map_err(Error::internal)?;
    let id =
        store::insert(conn, (pool.id, pool.owner_organisation_id), (&options, &body.note), ctx.principal.user_id(), ctx.now)?;
    let row = store::find(conn, id)?.ok_or_else(Error::not_found)?;
    let audit = Audit::new("allocation", id.0, row.owner_organisation_id).created(json!({"pool_id": pool.id, "options": body}));
    let view = view(conn, &row, Vec::new())?;
    Ok(Outcome::created(view, row.version, format!("/api/v1/allocations/{id}"), audit))
}

/// Works out every run that waits. Returns how many.
///
/// # Errors
/// What keeps the database from answering; a run that cannot be planned is marked and does not stop the others.
pub fn work_out_queued(app: &Arc<App>) -> Result<usize, Error> {
    let mut done = 0;
    while let Some(run) = app.db.read_blocking(store::next_queued)? {
        let ctx = Ctx::internal(app, Actor::System, run.owner_organisation_id, "job-allocations");
        match plan(app, &ctx, &run) {
            Ok(()) => {}
            Err(error) => {
                tracing::error!(%error, run = run.id.0, "a run of the allocation failed");
                app.db.write_blocking(|conn| store::set_status(conn, &run, AllocationStatus::Failed, ctx.now).map(drop))?;
            }
        }
        done += 1;
    }
    Ok(done)
}

fn plan(app: &Arc<App>, ctx: &Ctx, run: &RunRow) -> Result<(), Error> {
    let options: AllocationOptions = serde_json::from_str(&run.options).map_err(Error::internal)?;
    let facts = app.db.read_blocking(|conn| facts::load(conn, ctx, run.pool_id, &options))?;
    let problem = serde_json::to_string(&facts.problem).map_err(Error::internal)?;
    let (planned, result) = results::work_out(&facts, options.most_solves, secrets::sha256(problem.as_bytes()))?;
    let certificate = serde_json::to_string(&planned).map_err(Error::internal)?;
    let result = serde_json::to_string(&result).map_err(Error::internal)?;
    let taken: BTreeMap<i64, i64> =
        planned.plan.iter().map(|place| (facts.problem.pairs[*place].request, facts.problem.pairs[*place].expert)).collect();
    let assignments: Vec<AssignmentRow> = facts
        .requests
        .values()
        .map(|request| {
            let expert = taken.get(&request.id.0).copied();
            AssignmentRow {
                run_id: run.id,
                request_id: request.id,
                expert_id: expert.map(ExpertId),
                planned_expert_id: expert.map(ExpertId),
                request_version: request.version,
                expert_version: expert.and_then(|id| facts.expert_versions.get(&id).copied()),
                override_reason: String::new(),
                offer_id: None,
            }
        })
        .collect();
    app.db.write_blocking(|conn| store::keep(conn, run, (&problem, &certificate, &result), &assignments, ctx.now))
}

/// A run with its plan.
pub fn view(conn: &mut Conn, row: &RunRow, refused: Vec<RefusedAssignment>) -> Result<AllocationView, Error> {
    let rows = store::assignments(conn, row.id)?;
    let requests: BTreeMap<i64, RequestRow> =
        crate::requests::store::find_many(conn, &ids(&rows))?.into_iter().map(|request| (request.id.0, request)).collect();
    let bodies: Vec<_> = requests.values().map(|request| request.applicant_organisation_id).collect();
    let bodies: BTreeMap<i64, String> =
        crate::organisations::store::find_many(conn, &bodies)?.into_iter().map(|body| (body.id.0, body.name)).collect();
    let experts: Vec<ExpertId> = rows.iter().filter_map(|row| row.expert_id).collect();
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
        options: serde_json::from_str(&row.options).map_err(Error::internal)?,
        result: result_of(row)?,
        assignments,
        refused,
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
fn require_planned(row: &RunRow) -> Result<(), Error> {
    match row.status {
        AllocationStatus::Planned | AllocationStatus::Applied => Ok(()),
        AllocationStatus::Queued | AllocationStatus::Failed => {
            Err(Error::transition(row.status.as_str(), Vec::new()).detail("計画がまだありません", "There is no plan yet"))
        }
    }
}

/// 404 while there is no plan to read.
fn require_plan(row: &RunRow) -> Result<(), Error> {
    require_planned(row).map_err(|_| Error::not_found())
}

/// Puts somebody else, or nobody, in the place of whom the plan names; the reason is kept and audited.
pub fn override_assignment(
    conn: &mut Conn,
    ctx: &Ctx,
    row: RunRow,
    body: OverrideAllocationBody,
) -> Result<Outcome<AllocationView>, Error> {
    require_planned(&row)?;
    let found = store::assignments(conn, row.id)?.into_iter().find(|one| one.request_id == body.request_id);
    let expert = match body.expert_id {
        Some(id) => crate::experts::store::find(conn, id)?.filter(|expert| expert.pool_id == row.pool_id),
        None => None,
    };
    let mut fields = Fields::new();
    fields.check(
        found.is_some(),
        "/request_id",
        "not_of_run",
        "この計画の申請を指定してください",
        "Must be a request of this run",
    );
    fields.check(
        body.expert_id.is_none() || expert.is_some(),
        "/expert_id",
        "not_in_pool",
        "この人材プールの専門家を指定してください",
        "Must be an expert of the pool",
    );
    fields.check(!body.reason.trim().is_empty(), "/reason", "required", "理由を入力してください", "Give the reason");
    fields.text("/reason", &body.reason, 1_000);
    fields.finish()?;
    let Some(mut assignment) = found else { return Err(Error::not_found()) };
    if assignment.offer_id.is_some() {
        return Err(Error::new(ErrorCode::InvalidTransition)
            .detail("すでに依頼を作成した申請です", "An offer was already made from this assignment"));
    }
    let before = assignment.expert_id;
    assignment.expert_id = body.expert_id;
    assignment.expert_version = expert.map(|expert| expert.version);
    assignment.override_reason.clone_from(&body.reason);
    store::update_assignment(conn, &assignment)?;
    let version = store::set_status(conn, &row, row.status, ctx.now)?;
    let audit = Audit::new("allocation", row.id.0, row.owner_organisation_id)
        .change(
            json!({"request_id": body.request_id, "expert_id": before}),
            json!({"request_id": body.request_id, "expert_id": body.expert_id}),
        )
        .because(body.reason);
    let row = store::find(conn, row.id)?.ok_or_else(Error::not_found)?;
    Ok(Outcome::changed(view(conn, &row, Vec::new())?, version, audit))
}

/// Makes an offer from each assignment, under the lock of its request. What has changed since the plan was made is left out,
/// and so is what an offer refuses; the answer says which and why.
pub fn apply(conn: &mut Conn, ctx: &Ctx, row: RunRow, body: ApplyAllocationBody) -> Result<Outcome<AllocationView>, Error> {
    require_planned(&row)?;
    let rows = store::assignments(conn, row.id)?;
    let mut fields = Fields::new();
    fields.text("/message", &body.message, 2_000);
    for (i, id) in body.request_ids.iter().flatten().enumerate() {
        fields.check(
            rows.iter().any(|one| one.request_id == *id && one.expert_id.is_some()),
            format!("/request_ids/{i}"),
            "not_assigned",
            "この計画で専門家を割り当てた申請を指定してください",
            "Must be a request that this run assigns",
        );
    }
    fields.finish()?;
    let wanted = |id: RequestId| body.request_ids.as_ref().is_none_or(|only| only.contains(&id));
    let (mut refused, mut offered) = (Vec::new(), Vec::new());
    for mut assignment in
        rows.into_iter().filter(|one| one.offer_id.is_none() && one.expert_id.is_some() && wanted(one.request_id))
    {
        // What one offer refuses must leave nothing behind, and must not stop the others.
        let made = conn.transaction(|conn| offer(conn, ctx, &mut assignment, &body.message));
        match made {
            Ok(id) => {
                offered.push(json!({"request_id": assignment.request_id, "expert_id": assignment.expert_id, "offer_id": id}))
            }
            Err(error) if error.code.status().is_server_error() => return Err(error),
            Err(error) => {
                let failure = error.failure();
                let words = failure.fields.first().map(|field| field.detail.ja.clone());
                let detail = words.or_else(|| failure.detail.as_ref().map(|words| words.ja.clone()));
                let code = failure.fields.first().map_or_else(|| failure.code.code().to_owned(), |field| field.code.to_string());
                refused.push(RefusedAssignment {
                    request_id: assignment.request_id,
                    code,
                    detail: detail.unwrap_or_default().into_owned(),
                });
            }
        }
    }
    let status = if offered.is_empty() { row.status } else { AllocationStatus::Applied };
    let version = store::set_status(conn, &row, status, ctx.now)?;
    let audit = Audit::new("allocation", row.id.0, row.owner_organisation_id).change(
        json!({"status": row.status}),
        json!({"status": status, "offers": offered, "refused": refused.iter().map(|one| one.request_id).collect::<Vec<_>>()}),
    );
    let row = store::find(conn, row.id)?.ok_or_else(Error::not_found)?;
    Ok(Outcome::changed(view(conn, &row, refused)?, version, audit))
}

fn changed_since() -> Error {
    Error::rule(
        "changed_since",
        "/request_ids",
        "計画の作成後に申請または専門家の情報が変わっています。計画を作り直してください",
        "The request or the expert has changed since the plan was made: plan again",
    )
}

fn offer(conn: &mut Conn, ctx: &Ctx, assignment: &mut AssignmentRow, message: &str) -> Result<crate::ids::OfferId, Error> {
    let Some(expert) = assignment.expert_id else { return Err(Error::not_found()) };
    lock_row(conn, Lockable::Request, assignment.request_id.0)?;
    let request = crate::requests::store::find(conn, assignment.request_id)?.ok_or_else(Error::not_found)?;
    let version = crate::experts::store::find(conn, expert)?.map(|found| found.version);
    if request.version != assignment.request_version || version != assignment.expert_version {
        return Err(changed_since());
    }
    if crate::offers::store::of_request(conn, request.id)?.iter().any(|offer| offer.status.stands()) {
        return Err(Error::rule(
            "already_asked",
            "/request_ids",
            "この申請についてはすでに専門家に依頼しています",
            "An expert has already been asked for this request",
        ));
    }
    let need = crate::requests::service::need_of(conn, &request)?;
    let visits = need
        .visits
        .iter()
        .filter(|visit| visit.minutes > 0)
        .map(|visit| {
            Ok(OfferVisitBody {
                day: visit.start_minute.and(visit.day),
                start_minute: visit.day.and(visit.start_minute).map(i32::from),
                minutes: i32::try_from(visit.minutes).map_err(Error::internal)?,
                mode: request.mode,
                place: request.place.clone(),
            })
        })
        .collect::<Result<_, Error>>()?;
    let body = CreateOfferBody {
        expert_id: expert,
        visits,
        message: message.to_owned(),
        valid_hours: None,
        queue: false,
        conflict_override_reason: None,
    };
    let outcome = crate::offers::service::create(conn, ctx, request, body)?;
    crate::audit::service::record(conn, ctx, "apply_allocation", &outcome.audit)?;
    assignment.offer_id = Some(outcome.view.id);
    store::update_assignment(conn, assignment)?;
    Ok(outcome.view.id)
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
    let taken = |rows: Vec<AssignmentRow>| -> BTreeMap<i64, Option<ExpertId>> {
        rows.into_iter().map(|one| (one.request_id.0, one.expert_id)).collect()
    };
    let (from, to) = (taken(store::assignments(conn, row.id)?), taken(store::assignments(conn, other.id)?));
    let requests: BTreeSet<i64> = from.keys().chain(to.keys()).copied().collect();
    let moves = requests.into_iter().filter_map(|request| {
        let (before, after) = (from.get(&request).copied().flatten(), to.get(&request).copied().flatten());
        (before != after).then_some(AllocationMove {
            request_id: RequestId(request),
            from_expert_id: before,
            to_expert_id: after,
        })
    });
    Ok(AllocationComparison { levels: levels.filter(|one| one.by != 0).collect(), moves: moves.collect() })
}

/// Has the checker look again at plan and proof as they are kept, without solver or database.
pub fn verify(conn: &mut Conn, row: &RunRow) -> Result<AllocationVerification, Error> {
    require_plan(row)?;
    let (problem, certificate) = store::certificate(conn, row.id)?;
    let problem: Problem = serde_json::from_str(&problem).map_err(Error::internal)?;
    let planned: Planned = serde_json::from_str(&certificate).map_err(Error::internal)?;
    let cases = planned.cases.len();
    Ok(match check(&problem, &planned) {
        Ok(verdict) => AllocationVerification { holds: true, problem: None, proved_levels: verdict.proved, cases },
        Err(wrong) => AllocationVerification { holds: false, problem: Some(wrong.to_owned()), proved_levels: 0, cases },
    })
}
