//! What the API takes for the verbs of a request.

use serde::Deserialize;
use utoipa::ToSchema;

use super::model::ReasonCode;
use crate::dispatches::model::Party;
use crate::ids::OrganisationId;

/// Nothing more to say.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestVerbBody {}

/// A reason, coded and in words.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason_code": "incomplete", "reason": "希望日と参加人数を記入してください。"}))]
pub struct RequestReasonBody {
    /// The coded reason.
    pub reason_code: ReasonCode,
    /// In words; needed for `other`.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub reason: String,
}

/// A word to the applicant, if there is one.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"comment": "6月中に候補の専門家をご連絡します。"}))]
pub struct AcceptRequestBody {
    /// A word to the applicant.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub comment: String,
}

/// Why a decided request does not take place, and on whose side that lies.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"party": "applicant", "reason_code": "plans_changed", "reason": "庁内の体制が変わったため。"}))]
pub struct CancelRequestBody {
    /// For whose reasons.
    pub party: Party,
    /// The coded reason.
    pub reason_code: ReasonCode,
    /// In words.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
}

/// Why the approver sends a request back to the staff.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "実施日は議会会期を避けてください。"}))]
pub struct SendBackRequestBody {
    /// In words.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
}

/// Consent to take part in a joint request, or its end.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentRequestBody {
    /// `false` takes the consent back; true when absent.
    pub agrees: Option<bool>,
    /// The body whose word the office records, for bodies without account; the own organisation when absent.
    pub organisation_id: Option<OrganisationId>,
}

/// Which year a copy is for.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyRequestBody {
    /// Starting year of the fiscal year into which the dates are moved; by default this year, or the next when the moved
    /// period would already be over.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: Option<i32>,
}
