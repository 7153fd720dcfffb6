//! REST: how experts are paid.

use actix_web::{HttpResponse, get, put};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::profile_store::{self, ProfileRow};
use crate::auth::policy::{ManageCosts, ReadExpertPayments};
use crate::costs::WithholdingCategory;
use crate::db::Conn;
use crate::error::Error;
use crate::experts::store::ExpertRow;
use crate::http::{Audit, Ctx, Fields, Outcome, Read, Versioned, Write};
use crate::ids::{ExpertId, OrganisationId};

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config.service(get_payment_profile).service(replace_payment_profile);
}

/// How an expert is paid. My Number is not kept here, and must not be entered.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentProfileView {
    /// The expert.
    pub expert_id: ExpertId,
    /// Under what payments are withheld from; a person chooses it.
    pub withholding_category: WithholdingCategory,
    /// Grade in fee tables; empty: none.
    #[schema(max_length = 40, example = "professor")]
    pub fee_grade: String,
    /// Who employs the expert, where that body or company is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_organisation_id: Option<OrganisationId>,
    /// Number of the qualified invoice issuer (適格請求書発行事業者); empty: none.
    #[schema(max_length = 14, example = "T1234567890123")]
    pub invoice_number: String,
    /// Version, for `If-Match`; 0 while nothing is kept.
    #[schema(minimum = 0)]
    pub version: i64,
}

impl From<ProfileRow> for PaymentProfileView {
    fn from(row: ProfileRow) -> Self {
        Self {
            expert_id: row.expert_id,
            withholding_category: row.withholding_category,
            fee_grade: row.fee_grade,
            employer_organisation_id: row.employer_organisation_id,
            invoice_number: row.invoice_number,
            version: row.version,
        }
    }
}

/// How an expert is to be paid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"withholding_category": "lecture", "fee_grade": "", "invoice_number": ""}))]
pub struct ReplacePaymentProfileBody {
    /// Under what payments are withheld from.
    pub withholding_category: WithholdingCategory,
    /// Grade in fee tables.
    #[serde(default)]
    #[schema(max_length = 40)]
    pub fee_grade: String,
    /// Who employs the expert.
    pub employer_organisation_id: Option<OrganisationId>,
    /// T and 13 digits; empty: none.
    #[serde(default)]
    #[schema(max_length = 14)]
    pub invoice_number: String,
}

fn current(conn: &mut Conn, id: ExpertId) -> Result<ProfileRow, Error> {
    Ok(profile_store::find(conn, id)?.unwrap_or_else(|| ProfileRow::unset(id)))
}

/// 専門家の支払情報 / How an expert is paid: for the owner's office and the expert.
#[utoipa::path(tag = "experts", params(("id" = ExpertId, Path)), extensions(("x-permission" = json!("read_expert_payments"))),
    responses((status = 200, description = "支払情報", body = PaymentProfileView)))]
#[get("/experts/{id}/payment-profile")]
async fn get_payment_profile(read: Read<ReadExpertPayments>) -> Result<HttpResponse, Error> {
    let id = read.id::<ExpertId>("id");
    read.object(
        move |conn, ctx| {
            let expert = crate::experts::store::owned_or_self(conn, ctx, id?)?;
            current(conn, expert.id)
        },
        |_, _, row| Ok(PaymentProfileView::from(row)),
    )
    .await
}

/// An expert and the profile that is to be replaced.
struct Seen(ExpertRow, ProfileRow);

impl Versioned for Seen {
    fn version(&self) -> i64 {
        self.1.version
    }
}

/// 専門家の支払情報を改める / Replaces how an expert is paid.
#[utoipa::path(tag = "experts", params(("id" = ExpertId, Path)), request_body = ReplacePaymentProfileBody,
    extensions(("x-permission" = json!("manage_costs")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "改めた", body = PaymentProfileView)))]
#[put("/experts/{id}/payment-profile")]
async fn replace_payment_profile(write: Write<ManageCosts>) -> Result<HttpResponse, Error> {
    let id = write.id::<ExpertId>("id").ok();
    write
        .change(
            move |conn, ctx| {
                let expert = crate::experts::store::owned(conn, ctx, id.ok_or_else(Error::not_found)?)?;
                let row = current(conn, expert.id)?;
                Ok(Seen(expert, row))
            },
            |conn, ctx, Seen(expert, row), body| replace(conn, ctx, &expert, row, body),
        )
        .await
}

fn replace(
    conn: &mut Conn,
    ctx: &Ctx,
    expert: &ExpertRow,
    row: ProfileRow,
    body: ReplacePaymentProfileBody,
) -> Result<Outcome<PaymentProfileView>, Error> {
    let mut fields = Fields::new();
    fields.optional_line("/fee_grade", &body.fee_grade, 40);
    let number = &body.invoice_number;
    let digits = number.strip_prefix('T').is_some_and(|rest| rest.len() == 13 && rest.chars().all(|c| c.is_ascii_digit()));
    fields.check(
        number.is_empty() || digits,
        "/invoice_number",
        "malformed",
        "Tと13桁の数字で入力してください",
        "Must be T and 13 digits",
    );
    if let Some(employer) = body.employer_organisation_id {
        let found = crate::organisations::store::find(conn, employer)?.is_some();
        fields.check(
            found,
            "/employer_organisation_id",
            "not_found",
            "登録されている団体を指定してください",
            "Must be registered",
        );
    }
    fields.finish()?;
    let old = json!({"withholding_category": row.withholding_category, "fee_grade": row.fee_grade,
        "employer_organisation_id": row.employer_organisation_id});
    let new = ProfileRow {
        withholding_category: body.withholding_category,
        fee_grade: body.fee_grade,
        employer_organisation_id: body.employer_organisation_id,
        invoice_number: body.invoice_number,
        ..row
    };
    let version = profile_store::keep(conn, &new, ctx.now)?;
    let audit = Audit::new("expert", expert.id.0, ctx.organisation()).change(
        old,
        json!({"withholding_category": new.withholding_category, "fee_grade": new.fee_grade,
            "employer_organisation_id": new.employer_organisation_id}),
    );
    Ok(Outcome::changed(ProfileRow { version, ..new }.into(), version, audit))
}
