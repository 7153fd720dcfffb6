//! Use cases of runs: asked for, worked out in the background, overridden with a reason, applied as offers.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::Connection as _;
use serde_json::json;

use super::facts;
use super::model::AllocationStatus;
use super::results;
use super::store::{self, AssignmentRow, MemberRow, RunRow};
use super::views::{
    AllocationComparison, AllocationMove, AllocationOptions, AllocationResult, AllocationVerification, AllocationView,
    ApplyAllocationBody, AssignedMember, AssignmentView, CancelAllocationBody, KeptRefusal, LevelChange, NamedPair,
    OverrideAllocationBody,
};
use crate::app::App;
use crate::auth::principal::Actor;
use crate::db::Conn;
use crate::db::dialect::{self, Lockable, lock_row};
use crate::error::{Error, ErrorCode};
use crate::experts::candidates::PoolFacts;
use crate::experts::store::ExpertRow;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{AllocationId, ExpertId, OfferId, OrganisationId, PoolId, ProgrammeId, RequestId};
use crate::matching::allocation::check::check;
use crate::matching::allocation::instance::{Instance, problem_sha256};
use crate::matching::allocation::problem::{Level, Pair};
use crate::matching::allocation::report::{self, AllocationReport, Making};
use crate::matching::allocation::search::{Planned, plan_with};
use crate::matching::{self, Asked, Candidate};
use crate::offers::views::{CreateOfferBody, OfferVisitBody};
use crate::pools::matching::is_order;
use crate::pools::store::PoolRow;
use crate::requests::model::RequestStatus;
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
    if let Some(band) = body.band_points {
        fields.within("/band_points", i64::from(band), 1, 1_000);
    }
    fields.within("/most_solves", i64::from(body.most_solves), 1, 10_000);
    if let Some(seconds) = body.time_limit_seconds {
        fields.within("/time_limit_seconds", i64::from(seconds), 1, 3_600);
    }
    fields.text("/note", &body.note, 1_000);
    if let Some(small) = body.small_population {
        fields.within("/small_population", small, 1, 100_000_000);
    }
    fields.check(
        body.level_order.is_empty() || is_order(&body.level_order),
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
    for (i, assumed) in body.places.iter().enumerate() {
        fields.within(&format!("/places/{i}/extra_minutes"), i64::from(assumed.extra_minutes), 0, 100_000);
        if let Some(places) = assumed.places {
            fields.within(&format!("/places/{i}/places"), i64::from(places), 0, 1_000);
        }
    }
    let pools = check_pools(conn, ctx, &mut fields, &pool, &body.further_pool_ids)?;
    let mut programmes = Vec::new();
    for pool in &pools {
        programmes.extend(crate::pools::store::programmes_of(conn, *pool)?);
    }
    check_added(conn, &mut fields, &programmes, &body.add_request_ids)?;
    check_named(conn, &mut fields, pool.owner_organisation_id, &pools, &body)?;
    for (i, id) in body.programme_ids.iter().enumerate() {
        fields.check(
            programmes.iter().any(|programme| programme == id),
            format!("/programme_ids/{i}"),
            "not_of_pool",
            "計画する人材プールの事業を指定してください",
            "Must be a programme of the pools that are planned",
        );
    }
    fields.finish()?;
    let options = serde_json::to_string(&body).map_err(Error::internal)?;
    let id =
        store::insert(conn, (pool.id, pool.owner_organisation_id), (&options, &body.note), ctx.principal.user_id(), ctx.now)?;
    let row = store::find(conn, id)?.ok_or_else(Error::not_found)?;
    let audit = Audit::new("allocation", id.0, row.owner_organisation_id).created(json!({"pool_id": pool.id, "options": body}));
    let view = view(conn, &row)?;
    Ok(Outcome::created(view, row.version, format!("/api/v1/allocations/{id}"), audit))
}

/// The pools of a run: each once, and all of the same owner.
fn check_pools(
    conn: &mut Conn,
    ctx: &Ctx,
    fields: &mut Fields,
    pool: &PoolRow,
    further: &[PoolId],
) -> Result<Vec<PoolId>, Error> {
    fields.at_most("/further_pool_ids", further.len(), 20);
    let mut pools = vec![pool.id];
    for (i, id) in further.iter().take(20).enumerate() {
        let own = crate::pools::store::owned_pool(conn, ctx, *id)
            .is_ok_and(|row| row.owner_organisation_id == pool.owner_organisation_id);
        fields.check(
            own && !pools.contains(id),
            format!("/further_pool_ids/{i}"),
            "not_a_further_pool",
            "同じ団体が所有する別の人材プールを1回ずつ指定してください",
            "Name other pools of the same owner, each once",
        );
        pools.push(*id);
    }
    Ok(pools)
}

/// Requests that are added must wait for acceptance in a programme that is planned.
fn check_added(conn: &mut Conn, fields: &mut Fields, programmes: &[ProgrammeId], added: &[RequestId]) -> Result<(), Error> {
    fields.at_most("/add_request_ids", added.len(), 1_000);
    if added.is_empty() || added.len() > 1_000 {
        return Ok(());
    }
    let known = crate::requests::store::find_many(conn, added)?;
    for (i, id) in added.iter().enumerate() {
        let waits = known.iter().any(|row| {
            row.id == *id
                && programmes.contains(&row.programme_id)
                && matches!(row.status, RequestStatus::Submitted | RequestStatus::Waitlisted)
        });
        fields.check(
            waits,
            format!("/add_request_ids/{i}"),
            "not_waiting",
            "計画する事業の、提出済みまたは補欠の申請を指定してください",
            "Must be a submitted or wait-listed request of a programme that is planned",
        );
    }
    Ok(())
}

/// Experts named by hand must belong to the pools that are planned, and requests must have reached the pools' owner: what else
/// there is under a number, the office is not to learn.
fn check_named(
    conn: &mut Conn,
    fields: &mut Fields,
    owner: OrganisationId,
    pools: &[PoolId],
    body: &AllocationOptions,
) -> Result<(), Error> {
    let lists = [("pins", &body.pins), ("forbidden", &body.forbidden)];
    let pairs: Vec<&NamedPair> = lists.iter().flat_map(|(_, pairs)| pairs.iter().take(1_000)).collect();
    let places = body.places.iter().take(1_000).map(|place| place.expert_id);
    let experts: Vec<ExpertId> = pairs.iter().map(|pair| pair.expert_id).chain(places).collect();
    if experts.is_empty() {
        return Ok(());
    }
    let requests: Vec<RequestId> = pairs.iter().map(|pair| pair.request_id).collect();
    let requests = crate::requests::store::find_many(conn, &requests)?;
    let is_own =
        |id: RequestId| requests.iter().any(|row| row.id == id && row.owner_organisation_id == owner && row.has_reached_office());
    let known: BTreeSet<ExpertId> = store::owned_experts(conn, owner, &experts)?
        .into_iter()
        .filter(|(_, pool, _)| pools.contains(pool))
        .map(|(id, ..)| id)
        .collect();
    for (name, pairs) in lists {
        for (i, pair) in pairs.iter().enumerate().take(1_000) {
            fields.check(
                is_own(pair.request_id),
                format!("/{name}/{i}/request_id"),
                "unknown_request",
                "自団体の事業への申請を指定してください",
                "Must be a request to a programme of your own",
            );
            known_expert(fields, known.contains(&pair.expert_id), format!("/{name}/{i}/expert_id"));
        }
    }
    for (i, place) in body.places.iter().enumerate().take(1_000) {
        known_expert(fields, known.contains(&place.expert_id), format!("/places/{i}/expert_id"));
    }
    Ok(())
}

fn known_expert(fields: &mut Fields, known: bool, pointer: String) {
    fields.check(
        known,
        pointer,
        "unknown_expert",
        "計画する人材プールの専門家を指定してください",
        "Must be an expert of the pools that are planned",
    );
}

/// Works out the run that waits longest; whether there was one. `go_on` is asked now and then whether to: a run that was broken
/// off waits for another time.
///
/// # Errors
/// What keeps the database from answering; a run that cannot be planned is marked.
pub fn work_out_next(app: &Arc<App>, go_on: &dyn Fn() -> bool) -> Result<bool, Error> {
    let Some(run) = app.db.read_blocking(store::next_queued)? else { return Ok(false) };
    let ctx = Ctx::internal(app, Actor::System, run.owner_organisation_id, "job-allocations");
    // Whatever happens in one run, the next is planned.
    let planned = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| plan(app, &ctx, &run, go_on)));
    let failed = match planned {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(_) => Some(Error::internal("planning panicked")),
    };
    if let Some(error) = failed {
        tracing::error!(%error, run = run.id.0, "a run of the allocation failed");
        app.db.write_blocking(|conn| store::fail(conn, run.id, ctx.now))?;
    }
    Ok(true)
}

/// Gathers the facts, plans, explains and keeps. Between circulations it looks whether the run was cancelled or its time is up,
/// and says how far it is.
fn plan(app: &Arc<App>, ctx: &Ctx, run: &RunRow, go_on: &dyn Fn() -> bool) -> Result<(), Error> {
    let options: AllocationOptions = serde_json::from_str(&run.options).map_err(Error::internal)?;
    let mut pools = vec![run.pool_id];
    pools.extend(&options.further_pool_ids);
    let facts = app.db.read_blocking(|conn| facts::load(conn, ctx, &pools, &options))?;
    let problem = &facts.conversion.problem;
    let watch = Watch::new(app, run, &options, go_on);
    let planned =
        plan_with(problem, options.most_solves, &|| watch.stops()).map_err(|error| Error::internal(format!("{error:?}")))?;
    if watch.cancelled.get() || !go_on() {
        return Ok(());
    }
    let by_clock = planned.stopped && watch.late.get();
    let result = results::explain(&facts, &planned, by_clock, problem_sha256(problem))?;
    let instance = serde_json::to_string(&facts.instance).map_err(Error::internal)?;
    let certificate = serde_json::to_string(&planned).map_err(Error::internal)?;
    let result = serde_json::to_string(&result).map_err(Error::internal)?;
    let taken: BTreeMap<i64, &Pair> =
        planned.plan.iter().map(|place| &problem.pairs[*place]).map(|pair| (pair.request, pair)).collect();
    let version = |id: i64| facts.expert_versions.get(&id).copied();
    let mut members = Vec::new();
    let assignments: Vec<AssignmentRow> = facts
        .requests
        .values()
        .map(|request| {
            let pair = taken.get(&request.id.0);
            let expert = pair.map(|pair| pair.expert);
            let others = pair.map_or(&[][..], |pair| pair.others.as_slice());
            members.extend((1..).zip(others).map(|(position, other)| MemberRow {
                run_id: run.id,
                request_id: request.id,
                position,
                expert_id: ExpertId(*other),
                expert_version: version(*other),
                offer_id: None,
            }));
            AssignmentRow {
                run_id: run.id,
                request_id: request.id,
                expert_id: expert.map(ExpertId),
                planned_expert_id: expert.map(ExpertId),
                request_version: request.version,
                expert_version: expert.and_then(version),
                override_reason: String::new(),
                offer_id: None,
            }
        })
        .collect();
    app.db.write_blocking(|conn| store::keep(conn, run, (&instance, &certificate, &result), (&assignments, &members), ctx.now))
}

/// What a search asks about while it works.
struct Watch<'a> {
    app: &'a Arc<App>,
    run: &'a RunRow,
    go_on: &'a dyn Fn() -> bool,
    most_solves: u32,
    until: Option<Instant>,
    asked: Cell<u32>,
    told: Cell<Instant>,
    cancelled: Cell<bool>,
    late: Cell<bool>,
}

/// How often a run says how far it is, and hears whether it was called off.
const TELL_EVERY: Duration = Duration::from_secs(1);

impl<'a> Watch<'a> {
    fn new(app: &'a Arc<App>, run: &'a RunRow, options: &AllocationOptions, go_on: &'a dyn Fn() -> bool) -> Self {
        let limit = options.time_limit_seconds.map(|seconds| Duration::from_secs(u64::from(seconds)));
        let now = Instant::now();
        Self {
            app,
            run,
            go_on,
            most_solves: options.most_solves.max(1),
            until: limit.and_then(|limit| now.checked_add(limit)),
            asked: Cell::new(0),
            told: Cell::new(now),
            cancelled: Cell::new(false),
            late: Cell::new(false),
        }
    }

    /// Whether the search is to stop. A database that does not answer now is asked again later.
    fn stops(&self) -> bool {
        let asked = self.asked.get().saturating_add(1);
        self.asked.set(asked);
        self.late.set(self.until.is_some_and(|until| Instant::now() >= until));
        if self.told.get().elapsed() >= TELL_EVERY {
            self.told.set(Instant::now());
            let share = u64::from(asked.min(self.most_solves)) * 95 / u64::from(self.most_solves);
            let (id, percent) = (self.run.id, i32::try_from(share).unwrap_or(0));
            match self.app.db.write_blocking(|conn| store::tell_progress(conn, id, percent)) {
                Ok(going_on) => self.cancelled.set(!going_on),
                Err(error) => tracing::warn!(%error, run = id.0, "the progress of a run could not be told"),
            }
        }
        self.cancelled.get() || self.late.get() || !(self.go_on)()
    }
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
        AllocationStatus::Queued | AllocationStatus::Failed | AllocationStatus::Cancelled => {
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
    let request = match &found {
        Some(assignment) => crate::requests::store::find(conn, assignment.request_id)?,
        None => None,
    };
    let pool = match &request {
        Some(request) => crate::pools::store::programme(conn, request.programme_id)?.pool_id,
        None => row.pool_id,
    };
    let expert = match body.expert_id {
        Some(id) => crate::experts::store::find(conn, id)?.filter(|expert| expert.pool_id == pool),
        None => None,
    };
    let mut others: Vec<ExpertRow> = Vec::new();
    let mut fields = Fields::new();
    fields.at_most("/other_expert_ids", body.other_expert_ids.len(), 4);
    for (i, id) in body.other_expert_ids.iter().take(4).enumerate() {
        let found = crate::experts::store::find(conn, *id)?.filter(|expert| expert.pool_id == pool);
        let twice = body.expert_id == Some(*id) || others.iter().any(|other| other.id == *id);
        fields.check(
            found.is_some() && !twice && body.expert_id.is_some(),
            format!("/other_expert_ids/{i}"),
            "not_in_pool",
            "この人材プールの別の専門家を1回ずつ指定してください",
            "Must be other experts of the pool, each once",
        );
        others.extend(found);
    }
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
    if assignment_members_offered(conn, &assignment)? {
        return Err(Error::new(ErrorCode::InvalidTransition)
            .detail("すでに依頼を作成した申請です", "An offer was already made from this assignment"));
    }
    let before = assignment.expert_id;
    assignment.expert_id = body.expert_id;
    assignment.expert_version = expert.map(|expert| expert.version);
    assignment.override_reason.clone_from(&body.reason);
    store::update_assignment(conn, &assignment)?;
    let others: Vec<MemberRow> = (1..)
        .zip(&others)
        .map(|(position, other)| MemberRow {
            run_id: row.id,
            request_id: body.request_id,
            position,
            expert_id: other.id,
            expert_version: Some(other.version),
            offer_id: None,
        })
        .collect();
    store::replace_members(conn, row.id, body.request_id, &others)?;
    let version = store::set_status(conn, &row, row.status, ctx.now)?;
    let audit = Audit::new("allocation", row.id.0, row.owner_organisation_id)
        .change(
            json!({"request_id": body.request_id, "expert_id": before}),
            json!({"request_id": body.request_id, "expert_id": body.expert_id, "other_expert_ids": body.other_expert_ids}),
        )
        .because(body.reason);
    let row = store::find(conn, row.id)?.ok_or_else(Error::not_found)?;
    Ok(Outcome::changed(view(conn, &row)?, version, audit))
}

/// Whether a member of an assignment's team has been asked already.
fn assignment_members_offered(conn: &mut Conn, assignment: &AssignmentRow) -> Result<bool, Error> {
    let members = store::members(conn, assignment.run_id)?;
    Ok(members.iter().any(|member| member.request_id == assignment.request_id && member.offer_id.is_some()))
}

/// Makes an offer from each assignment, under the lock of its request. What has changed since the plan was made is left out,
/// and so is what an offer refuses; the answer says which and why, and so does the run until it is applied again.
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
    let members = store::members(conn, row.id)?;
    let (mut refused, mut offered) = (Vec::new(), Vec::new());
    for mut assignment in
        rows.into_iter().filter(|one| one.offer_id.is_none() && one.expert_id.is_some() && wanted(one.request_id))
    {
        // What one offer refuses must leave nothing behind, and must not stop the others.
        let mut team: Vec<MemberRow> =
            members.iter().filter(|member| member.request_id == assignment.request_id).cloned().collect();
        let made = conn.transaction(|conn| offer(conn, ctx, &mut assignment, &mut team, &body.message));
        match made {
            Ok(made) => {
                let offers = made
                    .into_iter()
                    .map(|(expert, offer)| json!({"request_id": assignment.request_id, "expert_id": expert, "offer_id": offer}));
                offered.extend(offers);
            }
            Err(error) if error.code.status().is_server_error() => return Err(error),
            Err(error) => {
                let failure = error.failure();
                let field = failure.fields.into_iter().next();
                let code = field.as_ref().map_or_else(|| failure.code.code(), |field| field.code);
                let words = field.map(|field| field.detail).or(failure.detail).unwrap_or_else(|| failure.code.title());
                refused.push(KeptRefusal {
                    request_id: assignment.request_id,
                    code: code.to_owned(),
                    ja: words.ja.into_owned(),
                    en: words.en.into_owned(),
                });
            }
        }
    }
    let status = if offered.is_empty() { row.status } else { AllocationStatus::Applied };
    let version = store::set_status(conn, &row, status, ctx.now)?;
    let kept = if refused.is_empty() { None } else { Some(serde_json::to_string(&refused).map_err(Error::internal)?) };
    store::keep_refused(conn, row.id, kept.as_deref())?;
    let audit = Audit::new("allocation", row.id.0, row.owner_organisation_id).change(
        json!({"status": row.status}),
        json!({"status": status, "offers": offered, "refused": refused.iter().map(|one| one.request_id).collect::<Vec<_>>()}),
    );
    let row = store::find(conn, row.id)?.ok_or_else(Error::not_found)?;
    Ok(Outcome::changed(view(conn, &row)?, version, audit))
}

fn changed_since() -> Error {
    Error::rule(
        "changed_since",
        "/request_ids",
        "計画の作成後に申請または専門家の情報が変わっています。計画を作り直してください",
        "The request or the expert has changed since the plan was made: plan again",
    )
}

/// One offer for each member of the assignment, all or none of them.
fn offer(
    conn: &mut Conn,
    ctx: &Ctx,
    assignment: &mut AssignmentRow,
    others: &mut [MemberRow],
    message: &str,
) -> Result<Vec<(ExpertId, OfferId)>, Error> {
    let Some(lead) = assignment.expert_id else { return Err(Error::not_found()) };
    lock_row(conn, Lockable::Request, assignment.request_id.0)?;
    let request = crate::requests::store::find(conn, assignment.request_id)?.ok_or_else(Error::not_found)?;
    let mut team = vec![(lead, assignment.expert_version)];
    team.extend(others.iter().map(|other| (other.expert_id, other.expert_version)));
    let ids: Vec<ExpertId> = team.iter().map(|(id, _)| *id).collect();
    let now: BTreeMap<ExpertId, i64> =
        crate::experts::store::find_many(conn, &ids)?.into_iter().map(|expert| (expert.id, expert.version)).collect();
    if request.version != assignment.request_version || team.iter().any(|(id, version)| now.get(id).copied() != *version) {
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
    let pool = crate::pools::store::programme(conn, request.programme_id)?.pool_id;
    let mut in_order = ids.clone();
    in_order.sort_unstable();
    for expert in in_order {
        lock_row(conn, Lockable::Expert, expert.0)?;
    }
    let mut known = PoolFacts::load(conn, pool, std::slice::from_ref(&need), Some(&ids))?;
    let asked = Asked::of(&need);
    let candidates = known.for_need(&need);
    let members: Vec<&Candidate> = ids
        .iter()
        .map(|id| candidates.iter().find(|candidate| candidate.expert_id == id.0).ok_or_else(changed_since))
        .collect::<Result<_, _>>()?;
    // What a person has put in place knowingly is left to the offer's own conditions.
    if assignment.override_reason.is_empty() {
        let outstanding = crate::offers::store::waiting_by_expert(conn, &[pool])?;
        for member in &members {
            let asked_already = outstanding.iter().find(|(id, _)| id.0 == member.expert_id).map_or(0, |(_, count)| *count);
            let taken = i64::from(member.simultaneous).saturating_add(asked_already);
            let full = member.simultaneous_capacity.is_some_and(|capacity| taken >= i64::from(capacity));
            if full || !matching::is_eligible(&asked, member) {
                return Err(changed_since());
            }
        }
    }
    let visits = asked.visits_of(&members);
    let mut made = Vec::with_capacity(ids.len());
    for (turn, expert) in ids.iter().enumerate() {
        let visits = visits
            .iter()
            .enumerate()
            .filter(|(number, _)| !request.rotation || number % ids.len() == turn)
            .map(|(_, visit)| {
                let fixed = facts::fixed(visit);
                Ok(OfferVisitBody {
                    day: fixed.map(|(day, _)| day),
                    start_minute: fixed.map(|(_, start)| i32::from(start)),
                    minutes: i32::try_from(visit.minutes).map_err(Error::internal)?,
                    mode: request.mode,
                    place: request.place.clone(),
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        // A team larger than the number of visits has members whose turn does not come.
        if visits.is_empty() {
            continue;
        }
        let body = CreateOfferBody {
            expert_id: *expert,
            visits,
            message: message.to_owned(),
            valid_hours: None,
            queue: false,
            conflict_override_reason: None,
        };
        let outcome = crate::offers::service::create(conn, ctx, request.clone(), body)?;
        crate::audit::service::record(conn, ctx, "apply_allocation", &outcome.audit)?;
        made.push((*expert, outcome.view.id));
    }
    for (expert, id) in &made {
        match others.iter_mut().find(|other| other.expert_id == *expert) {
            Some(other) => {
                other.offer_id = Some(*id);
                store::update_member(conn, other)?;
            }
            None => assignment.offer_id = Some(*id),
        }
    }
    store::update_assignment(conn, assignment)?;
    Ok(made)
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
        Ok(verdict) => AllocationVerification { holds: true, problem: None, proved_levels: verdict.proved, cases },
        Err(wrong) => AllocationVerification { holds: false, problem: Some(wrong.to_owned()), proved_levels: 0, cases },
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
