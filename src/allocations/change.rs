//! What people make of a plan: somebody else in a place, with the reason, and offers of what stands.

use std::collections::BTreeMap;

use diesel::Connection as _;
use serde_json::json;

use super::facts;
use super::model::AllocationStatus;
use super::service::{require_planned, view};
use super::standing::{Standing, alike};
use super::store::{self, AssignmentRow, MemberRow, RunRow};
use super::views::{AllocationView, ApplyAllocationBody, KeptFailure, KeptRefusal, OverrideAllocationBody};
use crate::db::Conn;
use crate::db::dialect::{Lockable, lock_row};
use crate::error::{Error, ErrorCode};
use crate::experts::candidates::PoolFacts;
use crate::experts::store::ExpertRow;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{ExpertId, OfferId, RequestId};
use crate::matching::{self, Asked, Candidate};
use crate::offers::views::{CreateOfferBody, OfferVisitBody};

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
    // Some without others would be half a team; to ask one alone there is the request's own page.
    if let (Some(request), Some(_)) = (&request, body.expert_id) {
        let there = crate::offers::store::standing(conn, &[request.id])?.len();
        let wanted = usize::try_from(request.experts_needed).unwrap_or(1).saturating_sub(there);
        let given = 1 + body.other_expert_ids.len();
        if given != wanted {
            fields.wrong(
                "/other_expert_ids",
                "team_size",
                format!("この申請に必要な専門家はあと{wanted}名です（{given}名が指定されています）"),
                format!("The request needs {wanted} more experts; {given} are named"),
            );
        }
    }
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
                let KeptFailure { code, ja, en } = KeptFailure::of(error);
                refused.push(KeptRefusal { request_id: assignment.request_id, code, ja, en });
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
    let standing_of: Vec<ExpertId> = crate::offers::store::of_request(conn, request.id)?
        .into_iter()
        .filter(|offer| offer.status.stands())
        .map(|offer| offer.expert_id)
        .collect();
    let all = i32::try_from(standing_of.len() + team.len()).unwrap_or(i32::MAX);
    if all > request.experts_needed || ids.iter().any(|id| standing_of.contains(id)) {
        return Err(Error::rule(
            "already_asked",
            "/request_ids",
            "この申請についてはすでに専門家に依頼しています",
            "An expert has already been asked for this request",
        ));
    }
    // Whoever was there when it was planned has declined since.
    if all < request.experts_needed {
        return Err(changed_since());
    }
    let need = crate::requests::service::need_of(conn, &request)?;
    let pool = crate::pools::store::programme(conn, request.programme_id)?.pool_id;
    let mut in_order = ids.clone();
    in_order.sort_unstable();
    for expert in in_order {
        lock_row(conn, Lockable::Expert, expert.0)?;
    }
    let everybody: Vec<ExpertId> = ids.iter().chain(&standing_of).copied().collect();
    let mut known = PoolFacts::load(conn, pool, std::slice::from_ref(&need), Some(&everybody))?;
    // Whoever has been asked meanwhile may say yes.
    let standing = Standing::load(conn, &[pool], Some(&everybody))?;
    known.change(|candidate| standing.put(candidate));
    let candidates = known.for_need(&need);
    let need = standing.remainder(request.id, &need, candidates).ok_or_else(changed_since)?;
    let asked = Asked::of(&need);
    let members: Vec<&Candidate> = ids
        .iter()
        .map(|id| candidates.iter().find(|candidate| candidate.expert_id == id.0).ok_or_else(changed_since))
        .collect::<Result<_, _>>()?;
    // What a person has put in place knowingly is left to the offer's own conditions.
    if assignment.override_reason.is_empty() {
        let alike = alike(&need);
        for member in &members {
            let taken = member.simultaneous.saturating_add(standing.waiting(member.expert_id));
            let full = member.simultaneous_capacity.is_some_and(|capacity| taken >= capacity);
            let often = alike.as_ref().map_or(0, |alike| standing.alike(member.expert_id, alike));
            let too_often = member.programme_limit.is_some_and(|limit| limit.used.saturating_add(often) >= limit.limit);
            if full || too_often || !matching::is_eligible(&asked, member) {
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
            .filter(|(number, _)| !need.rotation || number % ids.len() == turn)
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
