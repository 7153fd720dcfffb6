//! What other areas ask about requests.

use std::collections::HashMap;

use super::model::{Mode, Progress};
use super::rules::Mix;
use super::store::{self, RequestRow, WishedDateRow};
use super::{facts, list, rules};
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::{ExpertId, RequestId};
use crate::matching::{Need, NeedMode, Place, PlannedVisit, SkillNeed};
use crate::organisations::model::OrganisationKind;
use crate::organisations::store::{self as bodies, OrganisationRow};
use crate::settlements::budget;
use crate::settlements::budget_store::BudgetEntryKind;

/// What the stages of these requests are computed from; one query for all. Requests that do not exist are missing.
pub fn progress(conn: &mut Conn, ids: &[RequestId]) -> Result<HashMap<RequestId, Progress>, Error> {
    list::progress(conn, ids)
}

/// What a request needs, for matching. The place is the applicant's office or, for a school or the like that has none on
/// record, the office of the body it belongs to.
pub fn need_of(conn: &mut Conn, request: &RequestRow) -> Result<Need, Error> {
    let applicant = bodies::find(conn, request.applicant_organisation_id)?.ok_or_else(Error::not_found)?;
    let parent = match applicant.parent_id {
        Some(id) if place(&applicant).is_none() => bodies::find(conn, id)?,
        _ => None,
    };
    let prefecture = if applicant.kind == OrganisationKind::Prefecture { Some(applicant.id) } else { applicant.prefecture_id };
    let wished_experts =
        if request.leave_to_office { Vec::new() } else { store::preferences(conn, request.id)?.iter().map(|id| id.0).collect() };
    Ok(Need {
        request_id: request.id.0,
        required: store::skills(conn, request.id)?
            .into_iter()
            .map(|skill| SkillNeed {
                skill_item_id: skill.skill_item_id.0,
                name: skill.name,
                min_level: u8::try_from(skill.min_level).unwrap_or(u8::MAX),
                must: skill.must,
            })
            .collect(),
        mode: match request.mode {
            Mode::Onsite => NeedMode::Onsite,
            Mode::Online => NeedMode::Online,
            Mode::Hybrid => NeedMode::Hybrid,
        },
        visits: visits_needed(request.visit_count, request.minutes_per_visit, &store::wished_dates(conn, request.id)?),
        period_from: request.period_from,
        period_to: request.period_to,
        site: place(&applicant).or_else(|| parent.as_ref().and_then(place)),
        municipality_id: request.applicant_organisation_id.0,
        prefecture_id: prefecture.unwrap_or(request.owner_organisation_id).0,
        wished_experts,
        conflict_org_ids: store::participants(conn, request.id)?.iter().map(|body| body.organisation_id.0).collect(),
    })
}

fn place(body: &OrganisationRow) -> Option<Place> {
    Some(Place { latitude_micro: body.latitude_e6?, longitude_micro: body.longitude_e6? })
}

/// One visit for each that is asked for, dated in the order of the wishes; a wish that leaves more room than the visit
/// needs means any time of that day. Wishes beyond that number are alternatives:
/// they are days to look at but bring no work of their own, so they last no time.
fn visits_needed(visit_count: i32, minutes: i32, wished: &[WishedDateRow]) -> Vec<PlannedVisit> {
    let count = usize::try_from(visit_count).unwrap_or(0);
    let exact = |wish: &WishedDateRow| match (wish.start_minute, wish.end_minute) {
        (Some(start), Some(end)) if end - start <= minutes => u16::try_from(start).ok(),
        _ => None,
    };
    let minutes = u32::try_from(minutes).unwrap_or(0);
    let dated = wished.iter().enumerate().map(|(i, wish)| PlannedVisit {
        day: Some(wish.day),
        start_minute: exact(wish),
        minutes: if i < count { minutes } else { 0 },
    });
    let open = std::iter::repeat_n(PlannedVisit { day: None, start_minute: None, minutes }, count.saturating_sub(wished.len()));
    dated.chain(open).collect()
}

/// Looks once more at what may have changed since the request was accepted: the consent of every body that takes part,
/// the programme's limits against the visits as they are planned, and the budget. To be called before a dispatch is
/// decided; takes the locks of the programme's year and of the request.
pub fn check_before_decision(conn: &mut Conn, ctx: &Ctx, request: &RequestRow) -> Result<(), Error> {
    let facts = facts::load_locked(conn, ctx, request)?;
    let planned = store::planned_visits(conn, request.id)?;
    budget::bind(conn, ctx, request.id, &facts.year.rules, BudgetEntryKind::Plan)?;
    facts.require_consents(request)?;
    crate::settlements::agreements::freeze_before_decision(conn, ctx, request)?;
    let mix = if planned.is_empty() { facts::asked(request) } else { Mix::planned(&planned) };
    rules::check(rules::ON_ACCEPT, &facts.case(ctx, request, mix, request.submitted_at.unwrap_or(ctx.now)))
}

/// 422 when the programme lets another expert serve the same theme of the same body no more in this fiscal year. The caller
/// holds the lock of the programme's year.
pub fn check_replacement(conn: &mut Conn, request: &RequestRow, expert: ExpertId, pointer: &str) -> Result<(), Error> {
    let year = crate::pools::store::year(conn, request.programme_id, request.fiscal_year)?.ok_or_else(Error::not_found)?;
    let others = facts::counting(conn, request, &year)?;
    match rules::same_theme_and_expert(&year.rules, &request.theme_key, expert, &others, pointer) {
        Some(refusal) => Err(Error::rule(refusal.rule, refusal.pointer, refusal.ja, refusal.en)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(rank: i32, start_minute: Option<i32>) -> WishedDateRow {
        let day = chrono::NaiveDate::from_ymd_opt(2026, 6, rank.unsigned_abs()).unwrap();
        WishedDateRow { rank, day, start_minute, end_minute: start_minute.map(|start| start + 120) }
    }

    #[test]
    fn wishes_date_the_visits_in_their_order_and_the_rest_is_to_be_arranged() {
        let visits = visits_needed(3, 120, &[wish(1, Some(600)), wish(2, None)]);
        let seen: Vec<(bool, Option<u16>, u32)> = visits.iter().map(|v| (v.day.is_some(), v.start_minute, v.minutes)).collect();
        assert_eq!(seen, [(true, Some(600), 120), (true, None, 120), (false, None, 120)]);
    }

    #[test]
    fn alternatives_bring_no_load_of_their_own() {
        let visits = visits_needed(1, 120, &[wish(1, None), wish(2, None), wish(3, None)]);
        assert_eq!(visits.len(), 3);
        assert_eq!(visits.iter().map(|v| v.minutes).sum::<u32>(), 120);
    }
}
