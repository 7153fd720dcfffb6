//! Who bears an amount by name: payers become the organisations behind them, hosts divide by their agreement.

use std::collections::BTreeMap;

use super::agreement_store;
use crate::costs::{Component, Payer, PayerRule, PayerSplit, Sharing, SharingBody, SharingTerms, Yen};
use crate::db::Conn;
use crate::dispatches::store::DispatchRow;
use crate::dispatches::visit_store::{self, VisitRow};
use crate::error::{Error, ErrorCode};
use crate::ids::{CostAgreementId, ExpertId, OrganisationId};
use crate::pools::rules::ProgrammeRules;

/// One party's part of an amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// As what.
    pub payer: Payer,
    /// Who; `None` where the payer is not registered here (a ministry, a company).
    pub organisation: Option<OrganisationId>,
    /// Yen; below zero in corrections only.
    pub amount: Yen,
}

/// Everybody who can bear a part.
#[derive(Debug, Clone)]
pub struct Parties {
    /// Owner of the pool.
    pub owner: OrganisationId,
    /// The body that applied; it bears the hosts' part alone where nothing else is agreed.
    pub applicant: OrganisationId,
    /// Who employs the person.
    pub employer: Option<OrganisationId>,
    /// How the hosts divide, and by which agreement.
    pub sharing: Option<(Sharing, Option<CostAgreementId>)>,
}

impl Parties {
    /// An owner and a single host.
    pub fn single(owner: OrganisationId, host: OrganisationId, employer: Option<OrganisationId>) -> Self {
        Self { owner, applicant: host, employer, sharing: None }
    }

    /// The parties of a dispatch, for costs of a visit where one is named. Terms by use look at the bodies that take part in
    /// that visit, else at all visits of the dispatch that are done.
    pub fn of_dispatch(
        conn: &mut Conn,
        dispatch: &DispatchRow,
        rules: &ProgrammeRules,
        visit: Option<&VisitRow>,
    ) -> Result<Self, Error> {
        let expert = visit.map(|visit| visit.expert_id);
        let employer = expert.map(|expert| employer(conn, expert)).transpose()?.flatten();
        let sharing = match agreement_store::in_force(conn, dispatch.request_id)? {
            Some(agreement) => {
                let terms = agreement.terms()?;
                let mut bodies = agreement.sharing_bodies()?;
                add_usage(conn, &terms, &mut bodies, dispatch, visit)?;
                Some((prepare(&terms, &bodies)?, Some(agreement.row.id)))
            }
            None => match &rules.sharing {
                Some(terms) => {
                    let mut bodies = agreement_store::bodies_of_request(conn, dispatch.request_id, terms)?;
                    if bodies.len() < 2 {
                        None
                    } else {
                        add_usage(conn, terms, &mut bodies, dispatch, visit)?;
                        Some((prepare(terms, &bodies)?, None))
                    }
                }
                None => None,
            },
        };
        Ok(Self { owner: dispatch.owner_organisation_id, applicant: dispatch.applicant_organisation_id, employer, sharing })
    }

    /// The agreement behind the hosts' division.
    pub fn agreement(&self) -> Option<CostAgreementId> {
        self.sharing.as_ref().and_then(|(_, agreement)| *agreement)
    }

    /// An amount divided among everybody who bears a part of it. The parts sum to the amount; nobody is named twice.
    pub fn divide(&self, rules: &ProgrammeRules, component: Component, amount: Yen) -> Result<Vec<Share>, Error> {
        self.divide_by(&rules.payer_rule(component), amount)
    }

    /// As [`Self::divide`], by one rule.
    pub fn divide_by(&self, rule: &PayerRule, amount: Yen) -> Result<Vec<Share>, Error> {
        let split = PayerSplit::divide(amount, rule).map_err(Error::internal)?;
        let mut parts: BTreeMap<(Payer, Option<OrganisationId>), Yen> = BTreeMap::new();
        let mut add = |payer: Payer, organisation: Option<OrganisationId>, part: Yen| -> Result<(), Error> {
            if part != Yen::ZERO {
                let sum = parts.entry((payer, organisation)).or_insert(Yen::ZERO);
                *sum = sum.checked_add(part).map_err(Error::internal)?;
            }
            Ok(())
        };
        for (payer, part) in split.parts() {
            match (payer, &self.sharing) {
                (Payer::Host, Some((sharing, _))) => {
                    let bodies = sharing.split(*part).map_err(Error::internal)?;
                    for (body, share) in bodies.shares() {
                        add(Payer::Host, Some(OrganisationId(*body)), *share)?;
                    }
                    add(Payer::Prefecture, Some(self.owner), bodies.to_prefecture())?;
                }
                (Payer::Host | Payer::Requester, _) => add(*payer, Some(self.applicant), *part)?,
                (Payer::Prefecture, _) => add(*payer, Some(self.owner), *part)?,
                (Payer::SendingBody | Payer::Company, _) => add(*payer, self.employer, *part)?,
                (Payer::NationalBody, _) => add(*payer, None, *part)?,
            }
        }
        Ok(parts.into_iter().map(|((payer, organisation), amount)| Share { payer, organisation, amount }).collect())
    }
}

/// Who employs an expert, where the payment profile names a registered body.
pub fn employer(conn: &mut Conn, expert: ExpertId) -> Result<Option<OrganisationId>, Error> {
    Ok(super::profile_store::find(conn, expert)?.and_then(|profile| profile.employer_organisation_id))
}

/// Terms and bodies made ready; 422 with the place in the terms where they do not fit.
pub fn prepare(terms: &SharingTerms, bodies: &[SharingBody]) -> Result<Sharing, Error> {
    Sharing::prepare(terms, bodies).map_err(|problem| {
        Error::new(ErrorCode::ValidationFailed).field(
            format!("/terms{}", problem.pointer()),
            problem.code(),
            problem.to_string(),
            problem.detail_en(),
        )
    })
}

fn add_usage(
    conn: &mut Conn,
    terms: &SharingTerms,
    bodies: &mut [SharingBody],
    dispatch: &DispatchRow,
    visit: Option<&VisitRow>,
) -> Result<(), Error> {
    if !terms.by_usage() {
        return Ok(());
    }
    let visits: Vec<VisitRow> = match visit {
        Some(visit) => vec![visit.clone()],
        None => visit_store::of_dispatch(conn, dispatch.id)?,
    };
    let ids: Vec<_> = visits.iter().map(|visit| visit.id).collect();
    let enrolled = visit_store::participants(conn, &ids)?;
    for body in bodies {
        let (mut minutes, mut count) = (0_u64, 0_u64);
        for visit in &visits {
            if enrolled.contains(&(visit.id, OrganisationId(body.id))) {
                minutes += u64::try_from(visit.actual_minutes.unwrap_or(visit.planned_minutes)).map_err(Error::internal)?;
                count += 1;
            }
        }
        body.usage_minutes = Some(minutes);
        body.usage_visits = Some(count);
    }
    Ok(())
}
