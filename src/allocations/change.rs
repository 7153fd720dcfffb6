//! What people make of a plan: somebody else in a place, with the reason.

use serde_json::json;

use super::service::{require_planned, view};
use super::store::{self, AssignmentRow, MemberRow, RunRow};
use super::views::{AllocationView, OverrideAllocationBody};
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::experts::store::ExpertRow;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::offers::standing::experts_missing;

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
        let wanted = experts_missing(conn, request)?;
        let given = 1 + body.other_expert_ids.len();
        if given != wanted {
            let (ja, en) = match wanted {
                0 => ("すでに必要な人数に打診しています".to_owned(), "As many as are needed have been asked already".to_owned()),
                _ => (
                    format!("この申請に必要な専門家はあと{wanted}名です（{given}名が指定されています）"),
                    format!("Experts still needed: {wanted}; named: {given}"),
                ),
            };
            fields.wrong("/other_expert_ids", "team_size", ja, en);
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
