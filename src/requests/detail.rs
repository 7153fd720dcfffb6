//! The views of requests: what whom is shown, and what whom can do.

use serde::Serialize;
use utoipa::ToSchema;

use super::children::{self, Bodies};
use super::list::ListedRequest;
use super::model::{Progress, ReasonCode, RequestStatus, RequestVerb, Stage, stage};
use super::service;
use super::store::{self, RequestRow};
use super::views::{ParticipantView, PreferredExpertView, RequestSkillView, RequestSummary, RequestView};
use crate::auth::policy::{
    ApproveRequests, ConsentRequests, DecideDispatches, FileRequests, Permission as _, ReviewRequests, Role,
};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::Error;
use crate::experts::model::languages_in;
use crate::http::Ctx;
use crate::ids::RequestId;

/// Where a request stands after a verb.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestStateView {
    /// The request.
    pub id: RequestId,
    /// The stored state.
    pub status: RequestStatus,
    /// Where it stands for people.
    pub stage: Stage,
    /// What the asking party can do now.
    #[schema(max_items = 20)]
    pub allowed: Vec<RequestVerb>,
    /// The coded reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<ReasonCode>,
    /// The reason in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub reason: Option<String>,
    /// When it first reached the office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<UtcTime>,
    /// Place on the waiting list, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub waiting_position: Option<i64>,
    /// Version, as in `ETag`.
    pub version: i64,
}

/// What the principal can do to a request now. `takes_part`: its organisation is one of the other bodies of it.
pub fn verbs_for(ctx: &Ctx, row: &RequestRow, takes_part: bool) -> Vec<RequestVerb> {
    let (principal, me) = (&ctx.principal, ctx.organisation());
    let writes = row.is_written_by(me) && principal.may(&FileRequests::INFO);
    let owns = row.owner_organisation_id == me && principal.is_coordinator();
    let may = |verb: &RequestVerb| match verb {
        RequestVerb::Edit | RequestVerb::Submit | RequestVerb::Withdraw => writes,
        RequestVerb::Approve | RequestVerb::SendBack => {
            row.applicant_organisation_id == me && principal.may(&ApproveRequests::INFO)
        }
        RequestVerb::Consent => (takes_part || owns) && principal.may(&ConsentRequests::INFO),
        RequestVerb::ReturnForCorrection
        | RequestVerb::Accept
        | RequestVerb::Waitlist
        | RequestVerb::Reject
        | RequestVerb::Cancel => owns && principal.may(&ReviewRequests::INFO),
        RequestVerb::Decide => owns && principal.may(&DecideDispatches::INFO),
    };
    row.status.verbs().into_iter().filter(may).collect()
}

/// Where a request stands after a verb. No verb of this room leaves offers or visits open, so the stage follows from the
/// state alone.
pub fn state(ctx: &Ctx, row: &RequestRow) -> RequestStateView {
    RequestStateView {
        id: row.id,
        status: row.status,
        stage: stage(row.status, Progress::default()),
        allowed: verbs_for(ctx, row, false),
        reason_code: row.status_reason_code,
        reason: row.status_reason.clone(),
        submitted_at: row.submitted_at,
        waiting_position: None,
        version: row.version,
    }
}

/// A row of the list.
pub fn summary(listed: ListedRequest) -> RequestSummary {
    let ListedRequest { row, applicant_name, progress } = listed;
    RequestSummary {
        id: row.id,
        programme_id: row.programme_id,
        fiscal_year: row.fiscal_year,
        applicant_organisation_id: row.applicant_organisation_id,
        applicant_name,
        origin: row.origin,
        activity_kind: row.activity_kind,
        stage: stage(row.status, progress),
        theme: row.theme,
        mode: row.mode,
        period_from: row.period_from,
        period_to: row.period_to,
        visit_count: row.visit_count,
        minutes_per_visit: row.minutes_per_visit,
        status: row.status,
        submitted_at: row.submitted_at,
        updated_at: row.updated_at,
    }
}

/// The whole request as the principal may see it.
pub fn view(conn: &mut Conn, ctx: &Ctx, row: RequestRow) -> Result<RequestView, Error> {
    let id = row.id;
    let expert = ctx.principal.acts_as == Role::Expert;
    let shows_contact = !expert || store::has_accepted(conn, id, &ctx.principal.expert_ids)?;
    let progress = if row.status.is_under_way() {
        service::progress(conn, &[id])?.remove(&id).unwrap_or_default()
    } else {
        Progress::default()
    };
    let Bodies { participants: bodies, interested } = children::bodies(conn, id)?;
    let takes_part = bodies.iter().any(|(body, _)| !body.is_lead && body.organisation_id == ctx.organisation());
    let applicant_name = bodies.iter().find(|(body, _)| body.is_lead).map(|(_, name)| name.clone()).unwrap_or_default();
    let preferred = if expert { None } else { Some(children::named_preferences(conn, id)?) };
    // Bodies that only take part may be the interested ones, or work for them.
    let applies_or_owns = !expert && (row.is_written_by(ctx.organisation()) || row.owner_organisation_id == ctx.organisation());
    let contact = |text: &String| Some(text.clone()).filter(|text| shows_contact && !text.is_empty());
    Ok(RequestView {
        id,
        programme_id: row.programme_id,
        fiscal_year: row.fiscal_year,
        owner_organisation_id: row.owner_organisation_id,
        applicant_organisation_id: row.applicant_organisation_id,
        applicant_name,
        filed_by_organisation_id: Some(row.filed_by_organisation_id).filter(|filer| *filer != row.applicant_organisation_id),
        filed_by_user_id: row.filed_by_user_id.filter(|_| !expert),
        origin: row.origin,
        activity_kind: row.activity_kind,
        contact_email: contact(&row.contact_email),
        contact_phone: contact(&row.contact_phone),
        allowed: verbs_for(ctx, &row, takes_part),
        stage: stage(row.status, progress),
        theme: row.theme,
        background: row.background,
        goal: row.goal,
        mode: row.mode,
        period_from: row.period_from,
        period_to: row.period_to,
        visit_count: row.visit_count,
        minutes_per_visit: row.minutes_per_visit,
        place: row.place,
        audience: row.audience,
        audience_count: row.audience_count,
        equipment: row.equipment,
        department: row.department,
        contact_name: row.contact_name,
        leave_to_office: row.leave_to_office,
        preferred_experts: preferred
            .map(|list| list.into_iter().map(|(expert_id, name)| PreferredExpertView { expert_id, name }).collect()),
        wished_dates: store::wished_dates(conn, id)?.into_iter().map(Into::into).collect(),
        required_skills: store::skills(conn, id)?
            .into_iter()
            .map(|skill| RequestSkillView {
                skill_item_id: skill.skill_item_id,
                name: skill.name,
                min_level: skill.min_level,
                must: skill.must,
                alternative_group: skill.alternative_group,
                verified_only: skill.verified_only,
            })
            .collect(),
        participants: bodies
            .into_iter()
            .map(|(body, name)| ParticipantView {
                organisation_id: body.organisation_id,
                name,
                is_lead: body.is_lead,
                consented_at: body.consented_at,
            })
            .collect(),
        budget_note: Some(row.budget_note).filter(|_| !expert),
        on_island: row.on_island,
        languages: languages_in(&row.languages),
        experts_needed: row.experts_needed,
        rotation: row.rotation,
        interested_organisation_ids: applies_or_owns.then_some(interested),
        status: row.status,
        reason_code: row.status_reason_code.filter(|_| !expert),
        reason: row.status_reason.filter(|_| !expert),
        submitted_at: row.submitted_at,
        copied_from_id: row.copied_from_id.filter(|_| !expert),
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
