//! Joint requests: one body leads, the others agree before anything is accepted or decided.

use serde_json::json;

use super::children;
use super::detail;
use super::model::RequestVerb;
use super::store::{self, ParticipantRow, RequestRow};
use super::verb_views::ConsentRequestBody;
use super::views::RequestView;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};

/// A request and its bodies, for somebody who may speak for one of them: 404 when not visible, 403 for the lead (who
/// agrees by applying) and for anybody else but the office.
pub fn joined(conn: &mut Conn, ctx: &Ctx, id: crate::ids::RequestId) -> Result<(Vec<ParticipantRow>, RequestRow), Error> {
    let row = store::visible(conn, ctx, id)?;
    let participants = store::participants(conn, id)?;
    let owns = row.owner_organisation_id == ctx.organisation() && ctx.principal.is_coordinator();
    let takes_part = participants.iter().any(|body| !body.is_lead && body.organisation_id == ctx.organisation());
    store::allowed(owns || takes_part)?;
    Ok((participants, row))
}

/// Records that a body agrees to take part, or no longer does. Its own staff says so; the office can record the word of a
/// body for which nobody can sign in.
pub fn consent(
    conn: &mut Conn,
    ctx: &Ctx,
    (participants, row): (Vec<ParticipantRow>, RequestRow),
    body: ConsentRequestBody,
) -> Result<Outcome<RequestView>, Error> {
    row.status.after(RequestVerb::Consent)?;
    let who = body.organisation_id.unwrap_or_else(|| ctx.organisation());
    let mut fields = Fields::new();
    let participant = participants.iter().find(|participant| participant.organisation_id == who && !participant.is_lead);
    fields.check(
        participant.is_some(),
        "/organisation_id",
        "not_a_participant",
        "共同申請の参加団体を指定してください",
        "Must be a body that joined the request",
    );
    fields.finish()?;
    if who != ctx.organisation() {
        let owns = row.owner_organisation_id == ctx.organisation() && ctx.principal.is_coordinator();
        store::allowed(owns)?;
        if !children::with_account(conn, &[who], ctx.today())?.is_empty() {
            return Err(Error::new(ErrorCode::ValidationFailed).field(
                "/organisation_id",
                "has_account",
                "この団体には利用者がいるため、団体自身が同意してください",
                "The body has users of its own, who must agree themselves",
            ));
        }
    }
    let agrees = body.agrees.unwrap_or(true);
    let before = participant.is_some_and(|participant| participant.consented_at.is_some());
    children::set_consent(conn, row.id, who, agrees.then(|| (ctx.now, ctx.principal.user_id())))?;
    let row = store::touch(conn, &row, ctx.now)?;
    if agrees != before {
        super::mails::consented(conn, ctx, &row, who, agrees)?;
    }
    let audit = Audit::new("request", row.id.0, row.owner_organisation_id)
        .change(json!({"organisation_id": who, "agrees": before}), json!({"organisation_id": who, "agrees": agrees}))
        .for_body(who, ctx.organisation());
    let version = row.version;
    Ok(Outcome::changed(detail::view(conn, ctx, row)?, version, audit))
}
