//! Papers from the same data as everything else: numbered, stored as issued, printed again byte for byte.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::document_store::{self, DocumentKind, DocumentRow, NewDocument, Reader};
use super::papers::{self, Subject};
use crate::auth::secrets;
use crate::calendar::{FiscalYear, wareki};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::dialect::next_document_number;
use crate::error::Error;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{ClaimId, DispatchId, DocumentId, ExpertPaymentId, OrganisationId, ProgrammeId, RequestId};

/// A document without its content.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentView {
    /// Id.
    pub id: DocumentId,
    /// What it is.
    pub kind: DocumentKind,
    /// Starting year of the fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// Number.
    #[schema(max_length = 100, example = "R8-C0003")]
    pub number: String,
    /// Title.
    #[schema(max_length = 200, example = "負担金納入通知書")]
    pub title: String,
    /// Who issued it.
    pub owner_organisation_id: OrganisationId,
    /// To whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_organisation_id: Option<OrganisationId>,
    /// SHA-256 of its content, which never changes.
    #[schema(min_length = 64, max_length = 64)]
    pub sha256: String,
    /// When it was issued.
    pub issued_at: UtcTime,
}

impl From<DocumentRow> for DocumentView {
    fn from(row: DocumentRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            fiscal_year: row.fiscal_year,
            number: row.number,
            title: row.title,
            owner_organisation_id: row.owner_organisation_id,
            recipient_organisation_id: row.recipient_organisation_id,
            sha256: row.sha256,
            issued_at: row.created_at,
        }
    }
}

/// A page of documents.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentPage {
    /// The newest first.
    #[schema(max_items = 200)]
    pub items: Vec<DocumentView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// A document to be issued. What it is about depends on its kind: a request (cost_estimate), a dispatch (decision_notice), a
/// claim (contribution_notice), a payment (payment_notice), a programme and fiscal year (the tables), with a body
/// (municipal_statement), or a calendar year (payment_record).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "programme_settlement", "programme_id": 3, "fiscal_year": 2026}))]
pub struct IssueDocumentBody {
    /// What it is.
    pub kind: DocumentKind,
    /// About which request.
    pub request_id: Option<RequestId>,
    /// About which dispatch.
    pub dispatch_id: Option<DispatchId>,
    /// About which claim.
    pub claim_id: Option<ClaimId>,
    /// About which payment.
    pub payment_id: Option<ExpertPaymentId>,
    /// About which programme.
    pub programme_id: Option<ProgrammeId>,
    /// About which fiscal year.
    #[schema(minimum = 2000, maximum = 2100)]
    pub fiscal_year: Option<i32>,
    /// About which calendar year.
    #[schema(minimum = 2000, maximum = 2100)]
    pub calendar_year: Option<i32>,
    /// About which body.
    pub organisation_id: Option<OrganisationId>,
}

fn letter(kind: DocumentKind) -> char {
    match kind {
        DocumentKind::CostEstimate => 'E',
        DocumentKind::DecisionNotice => 'D',
        DocumentKind::ContributionNotice => 'C',
        DocumentKind::PaymentNotice => 'P',
        DocumentKind::MunicipalStatement => 'M',
        DocumentKind::ProgrammeSettlement => 'S',
        DocumentKind::PaymentRecord => 'T',
        DocumentKind::BudgetItemTable => 'B',
        DocumentKind::AllocationTaxEstimate => 'A',
    }
}

/// Issues a document from the data as they are now. What claims, payments and decisions are numbered by is the number of
/// their notice too, so that each is issued once and printed again from what is stored.
pub fn issue(conn: &mut Conn, ctx: &Ctx, body: IssueDocumentBody) -> Result<Outcome<DocumentView>, Error> {
    let subject = subject(conn, ctx, &body)?;
    let owner = ctx.organisation();
    let year = FiscalYear::of(ctx.today());
    let mut made = papers::make(conn, ctx, body.kind, &subject)?;
    if made.paper.number.is_empty() {
        let running = next_document_number(conn, owner, body.kind.as_str(), year.starting_year())?;
        made.paper.number = super::billing::numbered(year, letter(body.kind), running);
    }
    made.paper.date = wareki(ctx.today());
    let from = crate::organisations::store::find(conn, owner)?.ok_or_else(Error::not_found)?;
    made.paper.from = from.name;
    made.paper.title = body.kind.label_ja().to_owned();
    let html = made.paper.html()?;
    let new = NewDocument {
        number: made.paper.number.clone(),
        title: made.paper.title.clone(),
        recipient: made.recipient,
        request: body.request_id,
        dispatch: body.dispatch_id,
        claim: body.claim_id,
        payment: body.payment_id,
        programme: body.programme_id,
        sha256: secrets::sha256(html.as_bytes()),
        html,
    };
    let id = document_store::insert(conn, owner, body.kind, year.starting_year(), &new, ctx.principal.user_id(), ctx.now)?;
    let row = document_store::visible(conn, &Reader::Body(owner), id)?;
    let audit = Audit::new("document", id.0, owner).created(
        json!({"kind": row.kind, "number": row.number, "recipient": row.recipient_organisation_id, "sha256": row.sha256}),
    );
    let location = format!("/api/v1/documents/{id}");
    Ok(Outcome { view: row.into(), audit, version: None, location: Some(location), secret: false })
}

/// What the document is about, after the body was looked at: 422 with the member that its kind needs.
fn subject(conn: &mut Conn, ctx: &Ctx, body: &IssueDocumentBody) -> Result<Subject, Error> {
    let mut fields = Fields::new();
    let mut need = |present: bool, pointer: &str| {
        fields.check(present, pointer, "required", "この文書に必要な項目です", "This kind of document needs it");
    };
    match body.kind {
        DocumentKind::CostEstimate => need(body.request_id.is_some(), "/request_id"),
        DocumentKind::DecisionNotice => need(body.dispatch_id.is_some(), "/dispatch_id"),
        DocumentKind::ContributionNotice => need(body.claim_id.is_some(), "/claim_id"),
        DocumentKind::PaymentNotice => need(body.payment_id.is_some(), "/payment_id"),
        DocumentKind::PaymentRecord => need(body.calendar_year.is_some(), "/calendar_year"),
        DocumentKind::MunicipalStatement => {
            need(body.programme_id.is_some(), "/programme_id");
            need(body.fiscal_year.is_some(), "/fiscal_year");
            need(body.organisation_id.is_some(), "/organisation_id");
        }
        DocumentKind::ProgrammeSettlement | DocumentKind::BudgetItemTable | DocumentKind::AllocationTaxEstimate => {
            need(body.programme_id.is_some(), "/programme_id");
            need(body.fiscal_year.is_some(), "/fiscal_year");
        }
    }
    fields.finish()?;
    match body.kind {
        DocumentKind::CostEstimate => {
            let id = body.request_id.ok_or_else(Error::not_found)?;
            Ok(Subject::Request(Box::new(crate::requests::store::owned(conn, ctx, id)?)))
        }
        DocumentKind::DecisionNotice => {
            let row = crate::dispatches::store::visible_dispatch(conn, ctx, body.dispatch_id.ok_or_else(Error::not_found)?)?;
            crate::dispatches::store::owner_only(ctx, &row)?;
            Ok(Subject::Dispatch(Box::new(row)))
        }
        DocumentKind::ContributionNotice => {
            let (claim, _) = super::billing::owned_claim(conn, ctx, body.claim_id.ok_or_else(Error::not_found)?)?;
            Ok(Subject::Claim(Box::new(claim)))
        }
        DocumentKind::PaymentNotice => {
            let (payment, _) = super::billing::owned_payment(conn, ctx, body.payment_id.ok_or_else(Error::not_found)?)?;
            Ok(Subject::Payment(Box::new(payment)))
        }
        DocumentKind::PaymentRecord => Ok(Subject::CalendarYear(body.calendar_year.ok_or_else(Error::not_found)?)),
        _ => {
            let programme = crate::pools::store::owned_programme(conn, ctx, body.programme_id.ok_or_else(Error::not_found)?)?;
            let year = body.fiscal_year.ok_or_else(Error::not_found)?;
            let year = crate::pools::store::year(conn, programme.id, year)?.ok_or_else(Error::not_found)?;
            Ok(Subject::Year(Box::new(programme), Box::new(year), body.organisation_id))
        }
    }
}
