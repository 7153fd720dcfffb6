//! SQL of issued documents. A row is written once and never changed.

use diesel::dsl::exists;
use diesel::prelude::*;

use crate::auth::policy::Role;
use crate::clock::UtcTime;
use crate::db::schema::{dispatches, documents, expert_payments, request_participants};
use crate::db::{Conn, Ids};
use crate::error::Error;
use crate::http::{Ctx, ListQuery};
use crate::ids::{ClaimId, DispatchId, DocumentId, ExpertId, ExpertPaymentId, OrganisationId, ProgrammeId, RequestId, UserId};

crate::text_enum! {
    /// What a document is.
    pub enum DocumentKind {
        /// What a request will presumably cost whom, before it is approved.
        CostEstimate = "cost_estimate", "費用見積書";
        /// The decision with everybody's share.
        DecisionNotice = "decision_notice", "派遣決定通知書";
        /// What a body has to pay to another.
        ContributionNotice = "contribution_notice", "負担金納入通知書";
        /// What an expert is paid.
        PaymentNotice = "payment_notice", "支払通知書";
        /// Everything a body bears in a programme's year.
        MunicipalStatement = "municipal_statement", "負担額明細書";
        /// A programme's year as a whole.
        ProgrammeSettlement = "programme_settlement", "事業精算書";
        /// Payments by payee in a calendar year, for the tax office.
        PaymentRecord = "payment_record", "支払調書集計表";
        /// A programme's year by item of the budget.
        BudgetItemTable = "budget_item_table", "節別集計表";
        /// What the special allocation tax presumably returns.
        AllocationTaxEstimate = "allocation_tax_estimate", "特別交付税措置見込額調書";
    }
}

/// A document without its content.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = documents)]
pub struct DocumentRow {
    /// Id.
    pub id: DocumentId,
    /// Who issued it.
    pub owner_organisation_id: OrganisationId,
    /// What it is.
    pub kind: DocumentKind,
    /// Starting year of the fiscal year.
    pub fiscal_year: i32,
    /// Number.
    pub number: String,
    /// Title.
    pub title: String,
    /// To whom.
    pub recipient_organisation_id: Option<OrganisationId>,
    /// Hash of its content.
    pub sha256: String,
    /// When it was issued.
    pub created_at: UtcTime,
}

/// A document to be kept.
#[derive(Debug, Clone, Default)]
pub struct NewDocument {
    /// Number.
    pub number: String,
    /// Title.
    pub title: String,
    /// To whom.
    pub recipient: Option<OrganisationId>,
    /// About which request.
    pub request: Option<RequestId>,
    /// About which dispatch.
    pub dispatch: Option<DispatchId>,
    /// About which claim.
    pub claim: Option<ClaimId>,
    /// About which payment.
    pub payment: Option<ExpertPaymentId>,
    /// About which programme.
    pub programme: Option<ProgrammeId>,
    /// The paper.
    pub html: String,
    /// Hash of the paper.
    pub sha256: String,
}

/// Keeps a document; a second one of the same kind and number is refused by the database (409).
pub fn insert(
    conn: &mut Conn,
    owner: OrganisationId,
    kind: DocumentKind,
    fiscal_year: i32,
    new: &NewDocument,
    by: Option<UserId>,
    now: UtcTime,
) -> Result<DocumentId, Error> {
    use documents as t;
    Ok(diesel::insert_into(t::table)
        .values((
            t::owner_organisation_id.eq(owner),
            t::kind.eq(kind),
            t::fiscal_year.eq(fiscal_year),
            t::number.eq(&new.number),
            t::title.eq(&new.title),
            t::recipient_organisation_id.eq(new.recipient),
            t::request_id.eq(new.request),
            t::dispatch_id.eq(new.dispatch),
            t::claim_id.eq(new.claim),
            t::payment_id.eq(new.payment),
            t::programme_id.eq(new.programme),
            t::html.eq(&new.html),
            t::sha256.eq(&new.sha256),
            t::issued_by.eq(by),
            t::created_at.eq(now),
        ))
        .returning(t::id)
        .get_result(conn)?)
}

/// With whose eyes documents are looked at.
#[derive(Debug, Clone)]
pub enum Reader {
    /// A body: what it issued or received, and decisions on requests in which it takes part.
    Body(OrganisationId),
    /// An expert: the own notices of payment.
    Expert(Vec<ExpertId>),
}

impl Reader {
    /// The principal's.
    pub fn of(ctx: &Ctx) -> Self {
        match ctx.principal.acts_as {
            Role::Expert => Self::Expert(ctx.principal.expert_ids.clone()),
            _ => Self::Body(ctx.organisation()),
        }
    }
}

/// Narrows a query of documents to what a reader sees.
macro_rules! seen_by {
    ($query:expr, $reader:expr) => {{
        let query = $query;
        match $reader {
            Reader::Body(me) => {
                let takes_part = dispatches::table
                    .inner_join(request_participants::table.on(request_participants::request_id.eq(dispatches::request_id)))
                    .filter(dispatches::id.nullable().eq(documents::dispatch_id))
                    .filter(request_participants::organisation_id.eq(*me));
                query.filter(
                    documents::owner_organisation_id
                        .eq(*me)
                        .or(documents::recipient_organisation_id.eq(*me))
                        .or(documents::kind.eq(DocumentKind::DecisionNotice).and(exists(takes_part))),
                )
            }
            Reader::Expert(ids) => query.filter(exists(
                expert_payments::table
                    .filter(expert_payments::id.nullable().eq(documents::payment_id))
                    .filter(expert_payments::expert_id.eq_any(ids.clone())),
            )),
        }
    }};
}

/// A document that a reader sees.
pub fn visible(conn: &mut Conn, reader: &Reader, id: DocumentId) -> Result<DocumentRow, Error> {
    let query = documents::table.filter(documents::id.eq(id)).select(DocumentRow::as_select()).into_boxed();
    seen_by!(query, reader).first(conn).optional()?.ok_or_else(Error::not_found)
}

/// The paper as it was issued.
pub fn html(conn: &mut Conn, id: DocumentId) -> Result<String, Error> {
    Ok(documents::table.find(id).select(documents::html).first(conn)?)
}

/// A page of the documents that a reader sees.
pub fn list(
    conn: &mut Conn,
    reader: &Reader,
    kind: Option<DocumentKind>,
    year: Option<i32>,
    page: &ListQuery,
) -> Result<Vec<DocumentRow>, Error> {
    let query = documents::table.order(documents::id.desc()).limit(page.fetch()).select(DocumentRow::as_select()).into_boxed();
    let mut query = seen_by!(query, reader);
    if let Some(kind) = kind {
        query = query.filter(documents::kind.eq(kind));
    }
    if let Some(year) = year {
        query = query.filter(documents::fiscal_year.eq(year));
    }
    if let Some((_, id)) = page.after() {
        query = query.filter(documents::id.lt(DocumentId(id)));
    }
    Ok(query.load(conn)?)
}

/// Which documents tell of which claims and payments, the newest first.
#[derive(Debug, Clone, Default)]
pub struct Notices(Vec<(DocumentId, Option<ClaimId>, Option<ExpertPaymentId>)>);

impl Notices {
    /// The document that tells of a claim.
    pub fn of_claim(&self, id: ClaimId) -> Option<DocumentId> {
        self.0.iter().find(|(_, claim, _)| *claim == Some(id)).map(|(document, ..)| *document)
    }

    /// The document that tells of a payment.
    pub fn of_payment(&self, id: ExpertPaymentId) -> Option<DocumentId> {
        self.0.iter().find(|(.., payment)| *payment == Some(id)).map(|(document, ..)| *document)
    }
}

/// The documents about some claims and payments, as far as a reader sees them.
pub fn notices(conn: &mut Conn, reader: &Reader, claims: &[ClaimId], payments: &[ExpertPaymentId]) -> Result<Notices, Error> {
    if claims.is_empty() && payments.is_empty() {
        return Ok(Notices::default());
    }
    let claims = Ids::new(conn, claims.iter().map(|id| id.0));
    let payments = Ids::new(conn, payments.iter().map(|id| id.0));
    // Each is looked for only where there is one: absent is neither among the ids nor not.
    let of_claim = documents::claim_id.is_not_null().and(claims.among(documents::claim_id));
    let of_payment = documents::payment_id.is_not_null().and(payments.among(documents::payment_id));
    let query = documents::table
        .filter(of_claim.or(of_payment))
        .order(documents::id.desc())
        .select((documents::id, documents::claim_id, documents::payment_id))
        .into_boxed();
    Ok(Notices(seen_by!(query, reader).load(conn)?))
}
