//! SQL of agreements between the bodies of a joint request.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::UtcTime;
use crate::costs::{PopulationSource, SharingBasis, SharingBody, SharingTerms};
use crate::db::Conn;
use crate::db::schema::{cost_agreement_bodies, cost_agreements, populations};
use crate::error::Error;
use crate::http::Versioned;
use crate::ids::{CostAgreementId, OrganisationId, RequestId, UserId};

crate::text_enum! {
    /// Where a version of an agreement stands.
    pub enum AgreementStatus {
        /// Not every body has agreed.
        Proposed = "proposed", "協議中";
        /// Every body has agreed: shares follow it.
        InForce = "in_force", "合意済み";
        /// A later version took its place, or was proposed in its place.
        Superseded = "superseded", "旧版";
    }
}

/// What is known of a body in an agreement; what no part looks at may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreementFigures {
    /// The code (全国地方公共団体コード) as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 6, max_length = 6, nullable = false, example = "221309")]
    pub code: Option<String>,
    /// People by the count that the terms name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100_000_000, nullable = false)]
    pub population: Option<u64>,
    /// Staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000, nullable = false)]
    pub staff: Option<u64>,
    /// Participants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000, nullable = false)]
    pub participants: Option<u64>,
    /// Standard financial need (基準財政需要額), thousand yen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64, nullable = false)]
    pub fiscal_need: Option<u64>,
    /// Fixed proportion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64, nullable = false)]
    pub fixed: Option<u64>,
}

/// A version of an agreement.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = cost_agreements)]
pub struct AgreementRow {
    /// Id.
    pub id: CostAgreementId,
    /// The joint request.
    pub request_id: RequestId,
    /// Running number within the request.
    pub number: i32,
    /// The date it carries.
    pub agreed_on: NaiveDate,
    /// The terms as JSON.
    pub terms: String,
    /// Why it replaces the one before.
    pub reason: String,
    /// State.
    pub status: AgreementStatus,
    /// When figures and codes were frozen by the decision.
    pub frozen_at: Option<UtcTime>,
    /// Version.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
}

impl Versioned for AgreementRow {
    fn version(&self) -> i64 {
        self.version
    }
}

/// A body of an agreement.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = cost_agreement_bodies)]
pub struct AgreementBodyRow {
    /// The version.
    pub agreement_id: CostAgreementId,
    /// The body.
    pub organisation_id: OrganisationId,
    /// Whether it leads.
    pub is_lead: bool,
    /// What it is weighed by, as JSON.
    pub figures: String,
    /// When it agreed.
    pub consented_at: Option<UtcTime>,
}

/// A version with its bodies, the lead first.
#[derive(Debug, Clone)]
pub struct Agreement {
    /// The version.
    pub row: AgreementRow,
    /// Its bodies.
    pub bodies: Vec<AgreementBodyRow>,
}

impl Agreement {
    /// The terms.
    pub fn terms(&self) -> Result<SharingTerms, Error> {
        serde_json::from_str(&self.row.terms).map_err(Error::internal)
    }

    /// The bodies as the engine looks at them, without their use.
    pub fn sharing_bodies(&self) -> Result<Vec<SharingBody>, Error> {
        self.bodies.iter().map(|body| Ok(sharing_body(body.organisation_id, body.is_lead, &body.figures()?))).collect()
    }

    /// The bodies that have not agreed yet.
    pub fn waits_for(&self) -> Vec<OrganisationId> {
        self.bodies.iter().filter(|body| body.consented_at.is_none()).map(|body| body.organisation_id).collect()
    }
}

impl AgreementBodyRow {
    /// What it is weighed by.
    pub fn figures(&self) -> Result<AgreementFigures, Error> {
        serde_json::from_str(&self.figures).map_err(Error::internal)
    }
}

/// A body as the engine looks at it.
pub fn sharing_body(id: OrganisationId, is_lead: bool, figures: &AgreementFigures) -> SharingBody {
    SharingBody {
        id: id.0,
        code: figures.code.clone(),
        is_lead,
        population: figures.population,
        staff: figures.staff,
        participants: figures.participants,
        usage_minutes: None,
        usage_visits: None,
        fiscal_need: figures.fiscal_need,
        fixed: figures.fixed,
    }
}

fn with_bodies(conn: &mut Conn, rows: Vec<AgreementRow>) -> Result<Vec<Agreement>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<CostAgreementId> = rows.iter().map(|row| row.id).collect();
    let bodies: Vec<AgreementBodyRow> = cost_agreement_bodies::table
        .filter(cost_agreement_bodies::agreement_id.eq_any(&ids))
        .order((
            cost_agreement_bodies::agreement_id,
            cost_agreement_bodies::is_lead.desc(),
            cost_agreement_bodies::organisation_id,
        ))
        .select(AgreementBodyRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let bodies = bodies.iter().filter(|body| body.agreement_id == row.id).cloned().collect();
            Agreement { row, bodies }
        })
        .collect())
}

/// Every version of a request's agreement, the newest first.
pub fn of_request(conn: &mut Conn, request: RequestId) -> Result<Vec<Agreement>, Error> {
    let rows = cost_agreements::table
        .filter(cost_agreements::request_id.eq(request))
        .order(cost_agreements::number.desc())
        .select(AgreementRow::as_select())
        .load(conn)?;
    with_bodies(conn, rows)
}

/// The version that shares follow.
pub fn in_force(conn: &mut Conn, request: RequestId) -> Result<Option<Agreement>, Error> {
    let row = cost_agreements::table
        .filter(cost_agreements::request_id.eq(request))
        .filter(cost_agreements::status.eq(AgreementStatus::InForce))
        .select(AgreementRow::as_select())
        .load(conn)?;
    Ok(with_bodies(conn, row)?.pop())
}

/// One version.
pub fn find(conn: &mut Conn, id: CostAgreementId) -> Result<Option<Agreement>, Error> {
    let row = cost_agreements::table.find(id).select(AgreementRow::as_select()).load(conn)?;
    Ok(with_bodies(conn, row)?.pop())
}

/// A version to be proposed.
#[derive(Debug, Clone)]
pub struct NewAgreement<'a> {
    /// The joint request.
    pub request: RequestId,
    /// Running number within the request.
    pub number: i32,
    /// The date it carries.
    pub agreed_on: NaiveDate,
    /// The terms.
    pub terms: &'a SharingTerms,
    /// Why it replaces the one before.
    pub reason: &'a str,
    /// Who proposes it.
    pub by: Option<UserId>,
    /// Bodies: whether each leads, what it is weighed by, and when it agreed.
    pub bodies: Vec<(OrganisationId, bool, AgreementFigures, Option<UtcTime>)>,
}

/// Adds a version with its bodies.
pub fn insert(conn: &mut Conn, new: &NewAgreement<'_>, now: UtcTime) -> Result<CostAgreementId, Error> {
    let NewAgreement { request, number, agreed_on, terms, reason, by, bodies } = new;
    use cost_agreements as t;
    let id: CostAgreementId = diesel::insert_into(t::table)
        .values((
            t::request_id.eq(request),
            t::number.eq(number),
            t::agreed_on.eq(agreed_on),
            t::terms.eq(serde_json::to_string(terms).map_err(Error::internal)?),
            t::reason.eq(reason),
            t::status.eq(AgreementStatus::Proposed),
            t::proposed_by.eq(by),
            t::created_at.eq(now),
            t::updated_at.eq(now),
        ))
        .returning(t::id)
        .get_result(conn)?;
    for (body, is_lead, figures, consented_at) in bodies {
        diesel::insert_into(cost_agreement_bodies::table)
            .values((
                cost_agreement_bodies::agreement_id.eq(id),
                cost_agreement_bodies::organisation_id.eq(body),
                cost_agreement_bodies::is_lead.eq(is_lead),
                cost_agreement_bodies::figures.eq(serde_json::to_string(figures).map_err(Error::internal)?),
                cost_agreement_bodies::consented_at.eq(consented_at),
                cost_agreement_bodies::consented_by.eq(consented_at.and(*by)),
            ))
            .execute(conn)?;
    }
    Ok(id)
}

/// Moves a version; the one that was in force gives way first.
pub fn set_status(conn: &mut Conn, row: &AgreementRow, status: AgreementStatus, now: UtcTime) -> Result<i64, Error> {
    let version = row.version + 1;
    diesel::update(cost_agreements::table.find(row.id))
        .set((cost_agreements::status.eq(status), cost_agreements::version.eq(version), cost_agreements::updated_at.eq(now)))
        .execute(conn)?;
    Ok(version)
}

/// Freezes what a version is reckoned with.
pub fn freeze(conn: &mut Conn, id: CostAgreementId, now: UtcTime) -> Result<(), Error> {
    diesel::update(cost_agreements::table.find(id).filter(cost_agreements::frozen_at.is_null()))
        .set((cost_agreements::frozen_at.eq(now), cost_agreements::updated_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Notes that a body agrees.
pub fn set_consent(
    conn: &mut Conn,
    id: CostAgreementId,
    body: OrganisationId,
    by: Option<UserId>,
    now: UtcTime,
) -> Result<(), Error> {
    diesel::update(cost_agreement_bodies::table.find((id, body)))
        .set((cost_agreement_bodies::consented_at.eq(now), cost_agreement_bodies::consented_by.eq(by)))
        .execute(conn)?;
    Ok(())
}

/// The newest count of people of each body by the source and day that the terms name; they name one.
pub fn populations(conn: &mut Conn, ids: &[OrganisationId], terms: &SharingTerms) -> Result<Vec<(OrganisationId, u64)>, Error> {
    let asked = terms.parts.iter().chain(terms.groups.iter().flat_map(|group| &group.parts)).find_map(|part| match part.basis {
        SharingBasis::Population { source, as_of } => Some((source, as_of)),
        _ => None,
    });
    let Some((source, as_of)) = asked else { return Ok(Vec::new()) };
    let words = match source {
        PopulationSource::ResidentRegister => "%住民基本台帳%",
        PopulationSource::Census => "%国勢調査%",
    };
    let rows: Vec<(OrganisationId, i64)> = populations::table
        .filter(populations::organisation_id.eq_any(ids))
        .filter(populations::as_of.le(as_of))
        .filter(populations::source.like(words))
        // A count cut to thousands divides no money.
        .filter(populations::rounded_to.le(1))
        .order((populations::organisation_id, populations::as_of.desc()))
        .select((populations::organisation_id, populations::population))
        .load(conn)?;
    let mut newest: Vec<(OrganisationId, u64)> = Vec::new();
    for (id, people) in rows {
        if newest.last().is_none_or(|(last, _)| *last != id) {
            newest.push((id, u64::try_from(people).map_err(Error::internal)?));
        }
    }
    Ok(newest)
}

/// The bodies of a request as a programme's own terms look at them, the lead first.
pub fn bodies_of_request(conn: &mut Conn, request: RequestId, terms: &SharingTerms) -> Result<Vec<SharingBody>, Error> {
    let participants = crate::requests::store::participants(conn, request)?;
    let ids: Vec<OrganisationId> = participants.iter().map(|body| body.organisation_id).collect();
    let people = populations(conn, &ids, terms)?;
    let rows = crate::organisations::store::find_many(conn, &ids)?;
    Ok(participants
        .into_iter()
        .map(|body| {
            let id = body.organisation_id;
            let figures = AgreementFigures {
                code: rows.iter().find(|row| row.id == id).and_then(|row| row.lg_code.clone()),
                population: people.iter().find(|(other, _)| *other == id).map(|(_, people)| *people),
                ..AgreementFigures::default()
            };
            sharing_body(id, body.is_lead, &figures)
        })
        .collect())
}
