//! Evaluations of experts' work: written by the applicant, read by the pool's owner alone.

use serde_json::json;

use super::records;
use super::report_store;
use super::report_views::{CreateEvaluationBody, EvaluationView};
use super::store::{self, DispatchRow};
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::DispatchId;

/// A dispatch that the principal's organisation applied for: 404 when not visible, 403 when only visible.
pub fn evaluated_by(conn: &mut Conn, ctx: &Ctx, id: DispatchId) -> Result<DispatchRow, Error> {
    let row = store::visible_dispatch(conn, ctx, id)?;
    if row.applicant_organisation_id == ctx.organisation() { Ok(row) } else { Err(Error::new(ErrorCode::Forbidden)) }
}

/// Keeps an evaluation of an expert who has done a visit of the dispatch; one for each expert.
pub fn create(
    conn: &mut Conn,
    ctx: &Ctx,
    dispatch: DispatchRow,
    body: CreateEvaluationBody,
) -> Result<Outcome<EvaluationView>, Error> {
    let experts = records::experts_of(conn, &[dispatch.id])?;
    let belongs = experts.iter().any(|expert| expert.expert_id == body.expert_id);
    if belongs && !report_store::has_done_visit(conn, dispatch.id, body.expert_id)? {
        return Err(Error::transition(dispatch.status.as_str(), Vec::new())
            .detail("専門家の訪問が1回以上終わってから評価できます", "An expert can be evaluated after a visit is done"));
    }
    let mut fields = Fields::new();
    fields.check(
        belongs,
        "/expert_id",
        "not_in_dispatch",
        "この派遣の専門家を指定してください",
        "Must be an expert of the dispatch",
    );
    fields.within("/score", i64::from(body.score), 1, 5);
    fields.text("/comment", &body.comment, 5000);
    fields.finish()?;
    let by = ctx.principal.user_id();
    let id = report_store::insert_evaluation(conn, dispatch.id, body.expert_id, body.score, &body.comment, by, ctx.now)?;
    let audit = Audit::new("evaluation", id, dispatch.owner_organisation_id)
        // What was found stays with the owner; the event is also read by the body that evaluates.
        .created(json!({"dispatch_id": dispatch.id, "expert_id": body.expert_id}));
    let view = EvaluationView {
        id,
        dispatch_id: dispatch.id,
        expert_id: body.expert_id,
        score: body.score,
        comment: body.comment,
        created_by: by.map(|_| ctx.principal.name.clone()),
        created_at: ctx.now,
    };
    let location = format!("/api/v1/dispatches/{}/evaluations", dispatch.id);
    Ok(Outcome { view, audit, version: None, location: Some(location), secret: false })
}
