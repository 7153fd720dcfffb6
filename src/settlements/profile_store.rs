//! SQL of how experts are paid.

use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::costs::WithholdingCategory;
use crate::db::Conn;
use crate::db::schema::expert_payment_profiles;
use crate::error::Error;
use crate::http::Versioned;
use crate::ids::{ExpertId, OrganisationId};

/// How an expert is paid.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = expert_payment_profiles)]
pub struct ProfileRow {
    /// The expert.
    pub expert_id: ExpertId,
    /// Under what payments are withheld from; a person chose it.
    pub withholding_category: WithholdingCategory,
    /// Grade in fee tables; empty: none.
    pub fee_grade: String,
    /// Who employs the expert.
    pub employer_organisation_id: Option<OrganisationId>,
    /// Number of the qualified invoice issuer (適格請求書発行事業者): T and 13 digits; empty: none.
    pub invoice_number: String,
    /// Version; 0 while nothing is kept.
    pub version: i64,
}

impl Versioned for ProfileRow {
    fn version(&self) -> i64 {
        self.version
    }
}

impl ProfileRow {
    /// What holds while nothing is kept: nothing is withheld until a person has chosen.
    pub fn unset(expert_id: ExpertId) -> Self {
        Self {
            expert_id,
            withholding_category: WithholdingCategory::None,
            fee_grade: String::new(),
            employer_organisation_id: None,
            invoice_number: String::new(),
            version: 0,
        }
    }
}

/// An expert's profile, if there is one.
pub fn find(conn: &mut Conn, expert: ExpertId) -> Result<Option<ProfileRow>, Error> {
    Ok(expert_payment_profiles::table.find(expert).select(ProfileRow::as_select()).first(conn).optional()?)
}

/// Keeps a profile in the place of the one before.
pub fn keep(conn: &mut Conn, row: &ProfileRow, now: UtcTime) -> Result<i64, Error> {
    use expert_payment_profiles as t;
    let version = row.version + 1;
    if row.version == 0 {
        diesel::insert_into(t::table)
            .values((
                t::expert_id.eq(row.expert_id),
                t::withholding_category.eq(row.withholding_category),
                t::fee_grade.eq(&row.fee_grade),
                t::employer_organisation_id.eq(row.employer_organisation_id),
                t::invoice_number.eq(&row.invoice_number),
                t::created_at.eq(now),
                t::updated_at.eq(now),
            ))
            .execute(conn)?;
    } else {
        diesel::update(t::table.find(row.expert_id))
            .set((
                t::withholding_category.eq(row.withholding_category),
                t::fee_grade.eq(&row.fee_grade),
                t::employer_organisation_id.eq(row.employer_organisation_id),
                t::invoice_number.eq(&row.invoice_number),
                t::version.eq(version),
                t::updated_at.eq(now),
            ))
            .execute(conn)?;
    }
    Ok(version)
}
