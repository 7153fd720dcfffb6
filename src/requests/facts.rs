//! Gathers what the policies of a programme look at, under the lock of the programme's year.

use super::model::{Mode, RequestStatus};
use super::rules::{self, Body, Case, Membership, Mix, Other};
use super::store::{self, ParticipantRow, RequestRow};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::dialect::{self, Lockable};
use crate::error::{Error, ErrorCode};
use crate::http::{Ctx, Fields};
use crate::ids::{ExpertId, OrganisationId};
use crate::organisations::model::OrganisationKind;
use crate::organisations::store::{self as bodies, OrganisationRow};
use crate::pools::rules::Limit;
use crate::pools::store::YearRow;

/// What is known of a request and of its programme's year.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The rules.
    pub year: YearRow,
    /// The applicant.
    pub applicant: OrganisationRow,
    /// Who takes part, the lead first.
    pub participants: Vec<ParticipantRow>,
    standing: Membership,
    others: Vec<(OrganisationKind, Membership)>,
    /// Names of the other bodies, in the order of `participants`.
    names: Vec<String>,
    experts: Vec<ExpertId>,
    counting: Vec<Other>,
}

/// What decides a body's standing.
fn body(row: &OrganisationRow) -> Body {
    let prefecture = if row.kind == OrganisationKind::Prefecture { Some(row.id) } else { row.prefecture_id };
    Body { id: row.id, kind: row.kind, parent: row.parent_id, prefecture }
}

/// How a body stands to a pool today.
pub fn standing(
    conn: &mut Conn,
    ctx: &Ctx,
    pool: crate::ids::PoolId,
    owner: OrganisationId,
    id: OrganisationId,
) -> Result<Membership, Error> {
    let rows = bodies::find_many(conn, &[owner, id])?;
    let members = crate::pools::store::member_ids_on(conn, pool, ctx.today())?;
    let find = |id: OrganisationId| rows.iter().find(|row| row.id == id).map(body).ok_or_else(Error::not_found);
    Ok(rules::membership(&find(id)?, &find(owner)?, &members))
}

/// Locks the programme's year and the request, and gathers the facts. Refuses when the year has no rules.
pub fn load_locked(conn: &mut Conn, ctx: &Ctx, row: &RequestRow) -> Result<Facts, Error> {
    facts(conn, ctx, row, true)
}

/// The same to look at: nothing is locked, so nothing may be decided by it.
pub fn load(conn: &mut Conn, ctx: &Ctx, row: &RequestRow) -> Result<Facts, Error> {
    facts(conn, ctx, row, false)
}

fn facts(conn: &mut Conn, ctx: &Ctx, row: &RequestRow, locked: bool) -> Result<Facts, Error> {
    let programme = crate::pools::store::programme(conn, row.programme_id)?;
    let year = crate::pools::service::rules_on(conn, programme.id, row.period_from, "/period_from")?;
    if locked {
        dialect::lock_row(conn, Lockable::ProgrammeYear, year.id.0)?;
        dialect::lock_row(conn, Lockable::Request, row.id.0)?;
    }
    let participants = store::participants(conn, row.id)?;
    let mut ids = vec![row.owner_organisation_id, row.applicant_organisation_id];
    ids.extend(participants.iter().map(|participant| participant.organisation_id));
    let rows = bodies::find_many(conn, &ids)?;
    let members = crate::pools::store::member_ids_on(conn, programme.pool_id, ctx.today())?;
    let find = |id: OrganisationId| rows.iter().find(|row| row.id == id).ok_or_else(Error::not_found);
    let owner = body(find(row.owner_organisation_id)?);
    let applicant = find(row.applicant_organisation_id)?.clone();
    let standing = rules::membership(&body(&applicant), &owner, &members);
    let others = participants
        .iter()
        .filter(|participant| !participant.is_lead)
        .map(|participant| {
            let other = find(participant.organisation_id)?;
            Ok(((other.kind, rules::membership(&body(other), &owner, &members)), other.name.clone()))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let (others, names) = others.into_iter().unzip();
    let experts = store::experts_of(conn, &[row.id])?.into_iter().map(|(_, expert)| expert).collect();
    let counting = counting(conn, row, &year)?;
    Ok(Facts { year, applicant, participants, standing, others, names, experts, counting })
}

/// The other requests of the year, with their experts where the theme is the same; loaded only if a limit asks.
pub(super) fn counting(conn: &mut Conn, row: &RequestRow, year: &YearRow) -> Result<Vec<Other>, Error> {
    let same_theme = year.rules.limits.iter().any(|limit| matches!(limit, Limit::SameThemeAndExpert { .. }));
    let per_year = year.rules.limits.iter().any(|limit| matches!(limit, Limit::RequestsPerYear { .. }));
    if !same_theme && !per_year {
        return Ok(Vec::new());
    }
    let beside = store::counting_beside(conn, row)?;
    let ids: Vec<_> = beside.iter().filter(|(_, theme)| same_theme && *theme == row.theme_key).map(|(id, _)| *id).collect();
    let experts = if ids.is_empty() { Vec::new() } else { store::experts_of(conn, &ids)? };
    Ok(beside
        .into_iter()
        .map(|(id, theme_key)| Other {
            theme_key,
            experts: experts.iter().filter(|(request, _)| *request == id).map(|(_, expert)| *expert).collect(),
        })
        .collect())
}

impl Facts {
    /// The case that the policies look at. `arrives_at` is when the request reached the office.
    pub fn case<'a>(&'a self, ctx: &Ctx, row: &RequestRow, mix: Mix, arrives_at: UtcTime) -> Case<'a> {
        Case {
            rules: &self.year.rules,
            origin: row.origin,
            applicant_kind: self.applicant.kind,
            membership: self.standing,
            participants: self.others.clone(),
            activity_kind: row.activity_kind,
            period_from: row.period_from,
            period_to: row.period_to,
            mix,
            arrives_at,
            today: ctx.today(),
            filed_by_owner: row.filed_by_organisation_id == row.owner_organisation_id,
            theme_key: row.theme_key.clone(),
            experts: self.experts.clone(),
            others: self.counting.clone(),
        }
    }

    /// 422 unless every body that takes part has agreed: nobody is bound to a joint request that it does not know. What
    /// the prefecture opens itself invites its participants and binds them to nothing.
    pub fn require_consents(&self, row: &RequestRow) -> Result<(), Error> {
        if row.origin == super::model::Origin::Offered {
            return Ok(());
        }
        let mut fields = Fields::new();
        let others = self.participants.iter().filter(|participant| !participant.is_lead);
        for (i, (participant, name)) in others.zip(&self.names).enumerate() {
            if participant.consented_at.is_none() {
                fields.wrong(
                    format!("/participant_organisation_ids/{i}"),
                    "participants_consent",
                    format!("{name}の同意がまだありません"),
                    format!("{name} has not agreed to take part yet"),
                );
            }
        }
        fields.finish_as(ErrorCode::RuleRefused)
    }
}

/// What a request asks for or, once visits are planned, what they are.
pub fn mix(conn: &mut Conn, row: &RequestRow) -> Result<Mix, Error> {
    let planned = if row.status == RequestStatus::Accepted { store::planned_visits(conn, row.id)? } else { Vec::new() };
    Ok(if planned.is_empty() { asked(row) } else { Mix::planned(&planned) })
}

/// What a request asks for.
pub fn asked(row: &RequestRow) -> Mix {
    Mix::asked(row.mode, row.visit_count, row.minutes_per_visit)
}

/// A planned visit as the limits look at it: day, mode, minutes.
pub type PlannedVisit = (Option<chrono::NaiveDate>, Mode, i32);
