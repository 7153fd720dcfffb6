//! What the API sends and takes for agreements on sharing.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::agreement_store::{Agreement, AgreementFigures, AgreementStatus};
use crate::clock::UtcTime;
use crate::costs::SharingTerms;
use crate::error::Error;
use crate::ids::{CostAgreementId, OrganisationId, RequestId};

/// A version of an agreement.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostAgreementView {
    /// Id.
    pub id: CostAgreementId,
    /// The joint request.
    pub request_id: RequestId,
    /// Running number within the request.
    #[schema(minimum = 1, maximum = 1000, example = 1)]
    pub number: i32,
    /// The date it carries.
    pub agreed_on: NaiveDate,
    /// State.
    pub status: AgreementStatus,
    /// The terms.
    pub terms: SharingTerms,
    /// The bodies, the lead first.
    #[schema(max_items = 500)]
    pub bodies: Vec<CostAgreementBody>,
    /// Why it replaces the one before.
    #[schema(max_length = 2000)]
    pub reason: String,
    /// When figures and codes were frozen by the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frozen_at: Option<UtcTime>,
    /// What 1,000,000 yen would come to, body by body: the agreement in numbers.
    #[schema(max_items = 500)]
    pub example: Vec<AgreementExample>,
    /// Version, for `If-Match`.
    #[schema(minimum = 1)]
    pub version: i64,
}

/// A body of an agreement.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostAgreementBody {
    /// The body.
    pub organisation_id: OrganisationId,
    /// Whether it leads.
    pub is_lead: bool,
    /// What it is weighed by.
    pub figures: AgreementFigures,
    /// When it agreed; absent: not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consented_at: Option<UtcTime>,
}

/// A body's part of 1,000,000 yen.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgreementExample {
    /// The body.
    pub organisation_id: OrganisationId,
    /// Yen.
    #[schema(minimum = 0, maximum = 1_000_000, example = 333_334)]
    pub amount_yen: i64,
}

impl CostAgreementView {
    /// A version as it stands.
    pub fn new(agreement: &Agreement, example: Vec<AgreementExample>) -> Result<Self, Error> {
        let row = &agreement.row;
        Ok(Self {
            id: row.id,
            request_id: row.request_id,
            number: row.number,
            agreed_on: row.agreed_on,
            status: row.status,
            terms: agreement.terms()?,
            bodies: agreement
                .bodies
                .iter()
                .map(|body| {
                    Ok(CostAgreementBody {
                        organisation_id: body.organisation_id,
                        is_lead: body.is_lead,
                        figures: body.figures()?,
                        consented_at: body.consented_at,
                    })
                })
                .collect::<Result<_, Error>>()?,
            reason: row.reason.clone(),
            frozen_at: row.frozen_at,
            example,
            version: row.version,
        })
    }
}

/// Every version of a request's agreement.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostAgreementList {
    /// The newest first.
    #[schema(max_items = 1000)]
    pub items: Vec<CostAgreementView>,
}

/// An agreement that is proposed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"agreed_on": "2026-04-20", "terms": {"parts": [{"percent": 20, "basis": {"kind": "equal"}},
    {"percent": 80, "basis": {"kind": "population", "source": "resident_register", "as_of": "2026-01-01"}}], "remainder": "lead"}}))]
pub struct CreateAgreementBody {
    /// The date it carries.
    pub agreed_on: NaiveDate,
    /// The terms.
    pub terms: SharingTerms,
    /// Figures of bodies that nobody but they knows (staff, participants, fiscal need, fixed proportions), and counts of people
    /// that are not registered here; codes and registered counts are looked up.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub figures: Vec<AgreementBodyFigures>,
    /// The bodies that no longer share, once the request is decided.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub leaving_organisation_ids: Vec<OrganisationId>,
    /// Why, when it replaces one that was in force.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub reason: String,
}

/// A body's own figures.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreementBodyFigures {
    /// The body.
    pub organisation_id: OrganisationId,
    /// People by the count that the terms name, where it is not registered here or was published since.
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub population: Option<u64>,
    /// Staff.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub staff: Option<u64>,
    /// Participants.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub participants: Option<u64>,
    /// Standard financial need, thousand yen.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    pub fiscal_need: Option<u64>,
    /// Fixed proportion.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    pub fixed: Option<u64>,
}

/// A body agrees to a version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct ConsentAgreementBody {
    /// The body whose word the office records, where it has no users of its own; absent: the own organisation.
    pub organisation_id: Option<OrganisationId>,
}
