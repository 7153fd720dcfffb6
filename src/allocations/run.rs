//! Working out a run in the background: facts, plan, proof and reasons, kept at once or not at all.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::facts;
use super::results;
use super::store::{self, AssignmentRow, MemberRow, RunRow};
use super::views::{AllocationOptions, KeptFailure};
use crate::app::App;
use crate::auth::principal::Actor;
use crate::error::{Error, ErrorCode};
use crate::http::Ctx;
use crate::ids::ExpertId;
use crate::matching::allocation::flow::FlowError;
use crate::matching::allocation::instance::problem_sha256;
use crate::matching::allocation::problem::Pair;
use crate::matching::allocation::search::plan_with;

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
        // A database that does not answer now says nothing about the run: it waits for another time.
        Ok(Err(error)) if error.code == ErrorCode::Unavailable => return Err(error),
        Ok(Err(error)) => Some(error),
        Err(_) => Some(Error::internal("planning panicked")),
    };
    if let Some(error) = failed {
        tracing::error!(%error, run = run.id.0, "a run of the allocation failed");
        let failure = serde_json::to_string(&KeptFailure::of(error)).map_err(Error::internal)?;
        app.db.write_blocking(|conn| store::fail(conn, run.id, &failure, ctx.now))?;
    }
    Ok(true)
}

fn not_planned(error: FlowError) -> Error {
    match error {
        FlowError::TooLarge => Error::rule(
            "too_large",
            "",
            "数値が大きすぎて正確に計算できません。対象の事業や人材プールを分けて計画してください",
            "The figures are too large to be computed exactly: plan fewer programmes or pools at once",
        ),
        FlowError::NoSuchNode => Error::internal(format!("{error:?}")),
    }
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
    let planned = plan_with(problem, options.most_solves, &|| watch.stops()).map_err(not_planned)?;
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
