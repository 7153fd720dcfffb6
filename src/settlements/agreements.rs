//! Use cases of agreements: proposed by the lead or the office, in force once every body agrees, frozen by the decision.
//! After the decision another version can take its place, again only when every body agrees; what was shared by then is
//! shared anew by corrections, and the old version stays on record.

use std::collections::BTreeMap;

use serde_json::json;

use super::agreement_store::{self, Agreement, AgreementFigures, AgreementStatus, NewAgreement};
use super::agreement_views::{AgreementExample, ConsentAgreementBody, CostAgreementView, CreateAgreementBody};
use super::parties::prepare;
use crate::costs::{Sharing, SharingBody, SharingError, Yen};
use crate::db::Conn;
use crate::db::dialect::{Lockable, lock_row};
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{CostAgreementId, OrganisationId, RequestId};
use crate::requests::model::RequestStatus;
use crate::requests::store::{self as requests, RequestRow};

/// The amount by which views show an agreement in numbers.
const EXAMPLE_YEN: i64 = 1_000_000;

/// A request whose agreement the principal may propose: the office or the lead.
pub fn proposable(conn: &mut Conn, ctx: &Ctx, id: RequestId) -> Result<RequestRow, Error> {
    let row = requests::visible(conn, ctx, id)?;
    let office = row.owner_organisation_id == ctx.organisation() && ctx.principal.is_coordinator();
    requests::allowed(office || row.is_written_by(ctx.organisation()))?;
    Ok(row)
}

/// A version with its request, for somebody who may speak for one of its bodies.
pub fn consentable(conn: &mut Conn, ctx: &Ctx, id: CostAgreementId) -> Result<(Agreement, RequestRow), Error> {
    let agreement = agreement_store::find(conn, id)?.ok_or_else(Error::not_found)?;
    let row = requests::visible(conn, ctx, agreement.row.request_id)?;
    let office = row.owner_organisation_id == ctx.organisation() && ctx.principal.is_coordinator();
    let takes_part = agreement.bodies.iter().any(|body| body.organisation_id == ctx.organisation());
    requests::allowed(office || takes_part)?;
    Ok((agreement, row))
}

/// A version as the API shows it.
pub fn view(agreement: &Agreement) -> Result<CostAgreementView, Error> {
    let terms = agreement.terms()?;
    let mut bodies = agreement.sharing_bodies()?;
    if terms.by_usage() {
        // Nothing is known of use beforehand: the example takes it as even.
        for body in &mut bodies {
            (body.usage_minutes, body.usage_visits) = (Some(1), Some(1));
        }
    }
    let example = Yen::new(EXAMPLE_YEN).map_err(Error::internal)?;
    let split = prepare(&terms, &bodies)?.split(example).map_err(Error::internal)?;
    let example = split
        .shares()
        .iter()
        .map(|(body, share)| AgreementExample { organisation_id: OrganisationId(*body), amount_yen: share.get() })
        .collect();
    CostAgreementView::new(agreement, example)
}

/// Locks the year's money, then the request: a version that comes into force moves shares.
fn lock(conn: &mut Conn, row: &RequestRow) -> Result<(), Error> {
    if let Some(year) = crate::pools::store::year(conn, row.programme_id, row.fiscal_year)? {
        lock_row(conn, Lockable::ProgrammeYear, year.id.0)?;
    }
    lock_row(conn, Lockable::Request, row.id.0)?;
    Ok(())
}

/// Proposes a version. It takes the place of another proposal; the one in force stays until every body has agreed.
pub fn propose(
    conn: &mut Conn,
    ctx: &Ctx,
    row: RequestRow,
    body: CreateAgreementBody,
) -> Result<Outcome<CostAgreementView>, Error> {
    lock(conn, &row)?;
    let decided = row.status == RequestStatus::Decided;
    let open = matches!(
        row.status,
        RequestStatus::Draft
            | RequestStatus::AwaitingApproval
            | RequestStatus::Submitted
            | RequestStatus::Returned
            | RequestStatus::Accepted
            | RequestStatus::Waitlisted
            | RequestStatus::Decided
    );
    if !open {
        return Err(Error::transition(row.status.as_str(), Vec::new())
            .detail("終了した申請の負担割合は変更できません", "The request is over: its shares stay as they are"));
    }
    let versions = agreement_store::of_request(conn, row.id)?;
    if decided {
        let dispatch = crate::dispatches::store::of_request(conn, row.id)?;
        if let Some(dispatch) = dispatch {
            super::lifecycle::require_not_final(conn, dispatch.id)?;
        }
    }
    let (bodies, figures) = checked(conn, &row, &body, decided)?;
    let number = versions.iter().map(|version| version.row.number).max().unwrap_or(0) + 1;
    for version in versions.iter().filter(|version| version.row.status == AgreementStatus::Proposed) {
        agreement_store::set_status(conn, &version.row, AgreementStatus::Superseded, ctx.now)?;
    }
    let me = ctx.organisation();
    // Who proposes agrees; so does the lead, for whom the office files.
    let rows: Vec<_> = bodies
        .iter()
        .zip(figures)
        .map(|(body, figures)| {
            let id = OrganisationId(body.id);
            (id, body.is_lead, figures, (id == me).then_some(ctx.now))
        })
        .collect();
    let new = NewAgreement {
        request: row.id,
        number,
        agreed_on: body.agreed_on,
        terms: &body.terms,
        reason: &body.reason,
        by: ctx.principal.user_id(),
        bodies: rows,
    };
    let id = agreement_store::insert(conn, &new, ctx.now)?;
    let audit = Audit::new("cost_agreement", id.0, row.owner_organisation_id)
        .created(json!({"request_id": row.id, "number": number, "terms": body.terms, "agreed_on": body.agreed_on}))
        .for_body(row.applicant_organisation_id, me);
    let agreement = in_force_if_agreed(conn, ctx, &row, id)?;
    if agreement.row.status == AgreementStatus::Proposed {
        super::mails::proposed(conn, ctx, &row, &agreement)?;
    }
    let view = view(&agreement)?;
    let location = format!("/api/v1/requests/{}/agreements", row.id);
    let version = view.version;
    Ok(Outcome::created(view, version, location, audit))
}

/// The bodies that share, and what each is weighed by, after every value was looked at.
fn checked(
    conn: &mut Conn,
    row: &RequestRow,
    body: &CreateAgreementBody,
    decided: bool,
) -> Result<(Vec<SharingBody>, Vec<AgreementFigures>), Error> {
    let mut fields = Fields::new();
    fields.text("/reason", &body.reason, 2000);
    for problem in body.terms.validate() {
        fields.wrong(format!("/terms{}", problem.pointer()), problem.code(), problem.to_string(), problem.detail_en());
    }
    let mut bodies = agreement_store::bodies_of_request(conn, row.id, &body.terms)?;
    for (i, leaving) in body.leaving_organisation_ids.iter().enumerate() {
        let pointer = format!("/leaving_organisation_ids/{i}");
        let found = bodies.iter().any(|other| other.id == leaving.0 && !other.is_lead);
        fields.check(
            found,
            pointer,
            "not_a_participant",
            "幹事団体以外の参加団体を指定してください",
            "Must take part and not lead",
        );
    }
    fields.check(
        decided || body.leaving_organisation_ids.is_empty(),
        "/leaving_organisation_ids",
        "before_decision",
        "決定前は、申請の参加団体を変更してください",
        "Before the decision, change who takes part in the request",
    );
    fields.check(
        !decided || !body.reason.trim().is_empty(),
        "/reason",
        "required",
        "決定後の変更には理由を入力してください",
        "Say why it changes after the decision",
    );
    for (i, own) in body.figures.iter().enumerate() {
        let known = bodies.iter().any(|other| other.id == own.organisation_id.0);
        let pointer = format!("/figures/{i}/organisation_id");
        fields.check(known, pointer.clone(), "not_a_participant", "参加団体を指定してください", "Must take part");
        let repeated = body.figures.iter().take(i).any(|other| other.organisation_id == own.organisation_id);
        fields.check(!repeated, pointer, "duplicate", "同じ団体が重なっています", "The body is named twice");
    }
    fields.finish()?;
    bodies.retain(|other| !body.leaving_organisation_ids.contains(&OrganisationId(other.id)));
    let mut figures = Vec::with_capacity(bodies.len());
    for other in &mut bodies {
        if let Some(own) = body.figures.iter().find(|own| own.organisation_id.0 == other.id) {
            other.population = own.population.or(other.population);
            other.staff = own.staff;
            other.participants = own.participants;
            other.fiscal_need = own.fiscal_need;
            other.fixed = own.fixed;
        }
        figures.push(AgreementFigures {
            code: other.code.clone(),
            population: other.population,
            staff: other.staff,
            participants: other.participants,
            fiscal_need: other.fiscal_need,
            fixed: other.fixed,
        });
    }
    let mut trial = bodies.clone();
    for other in &mut trial {
        (other.usage_minutes, other.usage_visits) = (Some(1), Some(1));
    }
    // Every body that lacks a figure is named, not only the first.
    let mut fields = Fields::new();
    let mut missing: BTreeMap<String, Vec<OrganisationId>> = BTreeMap::new();
    while let Err(problem) = Sharing::prepare(&body.terms, &trial) {
        let SharingError::MissingWeight(pointer, id) = problem else {
            let pointer = format!("/terms{}", problem.pointer());
            fields.wrong(pointer, problem.code(), problem.to_string(), problem.detail_en());
            break;
        };
        missing.entry(pointer).or_default().push(OrganisationId(id));
        for other in trial.iter_mut().filter(|other| other.id == id) {
            for figure in
                [&mut other.population, &mut other.staff, &mut other.participants, &mut other.fiscal_need, &mut other.fixed]
            {
                *figure = figure.or(Some(1));
            }
        }
    }
    for (pointer, ids) in missing {
        let rows = crate::organisations::store::find_many(conn, &ids)?;
        let names: Vec<&str> =
            ids.iter().filter_map(|id| rows.iter().find(|row| row.id == *id)).map(|row| row.name.as_str()).collect();
        fields.wrong(
            format!("/terms{pointer}"),
            "missing_weight",
            format!("この割の算定基礎がない団体: {}", names.join("、")),
            format!("Bodies without a figure for this part: {}", names.join(", ")),
        );
    }
    fields.finish()?;
    Ok((bodies, figures))
}

/// A body agrees to a proposed version. With the last word the version comes into force.
pub fn consent(
    conn: &mut Conn,
    ctx: &Ctx,
    (seen, row): (Agreement, RequestRow),
    body: ConsentAgreementBody,
) -> Result<Outcome<CostAgreementView>, Error> {
    lock(conn, &row)?;
    let seen = agreement_store::find(conn, seen.row.id)?.ok_or_else(Error::not_found)?;
    if seen.row.status != AgreementStatus::Proposed {
        return Err(Error::transition(seen.row.status.as_str(), Vec::new())
            .detail("協議中の版ではありません", "This version is not proposed any more"));
    }
    let who = body.organisation_id.unwrap_or_else(|| ctx.organisation());
    let mut fields = Fields::new();
    fields.check(
        seen.bodies.iter().any(|other| other.organisation_id == who),
        "/organisation_id",
        "not_a_participant",
        "この合意の団体を指定してください",
        "Must be a body of the agreement",
    );
    fields.finish()?;
    if who != ctx.organisation() {
        let office = row.owner_organisation_id == ctx.organisation() && ctx.principal.is_coordinator();
        requests::allowed(office)?;
        if !crate::requests::children::with_account(conn, &[who], ctx.today())?.is_empty() {
            return Err(Error::new(ErrorCode::ValidationFailed).field(
                "/organisation_id",
                "has_account",
                "この団体には利用者がいるため、団体自身が同意してください",
                "The body has users of its own, who must agree themselves",
            ));
        }
    }
    agreement_store::set_consent(conn, seen.row.id, who, ctx.principal.user_id(), ctx.now)?;
    let agreement = in_force_if_agreed(conn, ctx, &row, seen.row.id)?;
    let audit = Audit::new("cost_agreement", seen.row.id.0, row.owner_organisation_id)
        .change(json!({"status": seen.row.status}), json!({"status": agreement.row.status, "consented": who}))
        .for_body(who, ctx.organisation());
    let view = view(&agreement)?;
    Ok(Outcome { view, audit, version: None, location: None, secret: false })
}

/// Brings a version into force once every body has agreed; after the decision what was shared by then is shared anew.
fn in_force_if_agreed(conn: &mut Conn, ctx: &Ctx, row: &RequestRow, id: CostAgreementId) -> Result<Agreement, Error> {
    let agreement = agreement_store::find(conn, id)?.ok_or_else(Error::not_found)?;
    if !agreement.waits_for().is_empty() {
        agreement_store::set_status(conn, &agreement.row, AgreementStatus::Proposed, ctx.now)?;
        return agreement_store::find(conn, id)?.ok_or_else(Error::not_found);
    }
    if let Some(old) = agreement_store::in_force(conn, row.id)? {
        agreement_store::set_status(conn, &old.row, AgreementStatus::Superseded, ctx.now)?;
    }
    agreement_store::set_status(conn, &agreement.row, AgreementStatus::InForce, ctx.now)?;
    if let Some(dispatch) = crate::dispatches::store::of_request(conn, row.id)? {
        // Between the proposal and the last word the amount may have become final.
        super::lifecycle::require_not_final(conn, dispatch.id)?;
        agreement_store::freeze(conn, id, ctx.now)?;
        super::adjustments::share_anew(conn, ctx, &dispatch)?;
    }
    let agreement = agreement_store::find(conn, id)?.ok_or_else(Error::not_found)?;
    super::mails::concluded(conn, ctx, row, &agreement)?;
    Ok(agreement)
}

/// Freezes the agreement of a request that is being decided; 409 while a proposed one waits for a body.
pub fn freeze_before_decision(conn: &mut Conn, ctx: &Ctx, request: &RequestRow) -> Result<(), Error> {
    let versions = agreement_store::of_request(conn, request.id)?;
    if let Some(pending) = versions.iter().find(|version| version.row.status == AgreementStatus::Proposed) {
        let names = crate::organisations::store::find_many(conn, &pending.waits_for())?;
        let names: Vec<String> = names.into_iter().map(|body| body.name).collect();
        return Err(Error::new(ErrorCode::AgreementPending).detail(
            format!("負担割合への同意がまだない団体: {}", names.join("、")),
            format!("Bodies that have not agreed on the shares: {}", names.join(", ")),
        ));
    }
    if let Some(agreed) = versions.iter().find(|version| version.row.status == AgreementStatus::InForce) {
        let shares = crate::requests::store::participants(conn, request.id)?;
        let same = shares.iter().all(|body| agreed.bodies.iter().any(|other| other.organisation_id == body.organisation_id))
            && shares.len() == agreed.bodies.len();
        if !same {
            return Err(Error::new(ErrorCode::AgreementPending).detail(
                "参加団体が変わったため、負担割合をあらためて合意してください",
                "Who takes part has changed since: agree on the shares again",
            ));
        }
        agreement_store::freeze(conn, agreed.row.id, ctx.now)?;
        return Ok(());
    }
    freeze_terms_of_programme(conn, ctx, request)
}

/// Where nothing of their own is agreed, the bodies share by the programme's terms, to which they applied: the figures of the
/// day of the decision are kept as the first version.
fn freeze_terms_of_programme(conn: &mut Conn, ctx: &Ctx, request: &RequestRow) -> Result<(), Error> {
    let year = crate::pools::store::year(conn, request.programme_id, request.fiscal_year)?;
    let Some(terms) = year.and_then(|year| year.rules.sharing) else { return Ok(()) };
    let bodies = agreement_store::bodies_of_request(conn, request.id, &terms)?;
    if bodies.len() < 2 {
        return Ok(());
    }
    let mut trial = bodies.clone();
    for body in &mut trial {
        (body.usage_minutes, body.usage_visits) = (Some(1), Some(1));
    }
    if let Err(problem) = Sharing::prepare(&terms, &trial) {
        return Err(Error::new(ErrorCode::AgreementPending).detail(
            format!("事業の負担割合を計算できません（{problem}）。算定基礎を添えて負担割合を合意してください"),
            format!("The programme's terms cannot be reckoned ({}): agree on the shares with the figures", problem.detail_en()),
        ));
    }
    let figures = |body: &SharingBody| AgreementFigures {
        code: body.code.clone(),
        population: body.population,
        staff: body.staff,
        participants: body.participants,
        fiscal_need: body.fiscal_need,
        fixed: body.fixed,
    };
    let new = NewAgreement {
        request: request.id,
        number: agreement_store::of_request(conn, request.id)?.first().map_or(1, |newest| newest.row.number + 1),
        agreed_on: ctx.today(),
        terms: &terms,
        reason: "事業の規則による負担割合",
        by: None,
        bodies: bodies.iter().map(|body| (OrganisationId(body.id), body.is_lead, figures(body), Some(ctx.now))).collect(),
    };
    let id = agreement_store::insert(conn, &new, ctx.now)?;
    let kept = agreement_store::find(conn, id)?.ok_or_else(Error::not_found)?;
    agreement_store::set_status(conn, &kept.row, AgreementStatus::InForce, ctx.now)?;
    agreement_store::freeze(conn, id, ctx.now)
}
