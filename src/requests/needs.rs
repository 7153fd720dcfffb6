//! What requests need, for matching: read for many requests at once in a bounded number of queries.

use std::collections::HashMap;

use diesel::prelude::*;

use super::children::WishedDateRow;
use super::model::Mode;
use super::store::RequestRow;
use crate::db::schema::{
    request_interests, request_participants, request_preferences, request_skills, request_wished_dates, skill_items,
};
use crate::db::{Conn, Ids};
use crate::error::Error;
use crate::experts::model::languages_in;
use crate::ids::{ExpertId, OrganisationId, ProgrammeId, RequestId};
use crate::matching::{Need, NeedMode, Place, PlannedVisit, SameTheme, SkillNeed, Weights};
use crate::organisations::model::OrganisationKind;
use crate::organisations::store::{self as bodies, OrganisationRow};
use crate::pools::rules::{Limit, ProgrammeRules};
use crate::pools::store::YearRow;

/// What one request needs.
///
/// # Errors
/// 404 when the applicant does not exist any more; the database's.
pub fn need_of(conn: &mut Conn, request: &RequestRow) -> Result<Need, Error> {
    needs_of(conn, std::slice::from_ref(request))?.pop().ok_or_else(Error::not_found)
}

/// What requests need, in their order. The place is the applicant's office or, for a school or the like that has none on
/// record, the office of the body it belongs to. Weights and buffer are those of the programme's year; a year without rules
/// has the weights of the product and no buffer.
///
/// # Errors
/// 404 when an applicant does not exist any more; the database's.
pub fn needs_of(conn: &mut Conn, requests: &[RequestRow]) -> Result<Vec<Need>, Error> {
    let ids: Vec<RequestId> = requests.iter().map(|request| request.id).collect();
    let lists = Lists::load(conn, &ids)?;
    let applicants = applicants(conn, requests)?;
    let years = years(conn, requests)?;
    requests
        .iter()
        .map(|request| {
            let applicant = applicants.get(&request.applicant_organisation_id).ok_or_else(Error::not_found)?;
            let parent = applicant.parent_id.and_then(|id| applicants.get(&id));
            let prefecture =
                if applicant.kind == OrganisationKind::Prefecture { Some(applicant.id) } else { applicant.prefecture_id };
            let rules = years.get(&(request.programme_id, request.fiscal_year)).map(|year| &year.rules);
            let mut conflict_org_ids = lists.bodies(request.id);
            conflict_org_ids.sort_unstable();
            conflict_org_ids.dedup();
            Ok(Need {
                request_id: request.id.0,
                required: lists.skills.get(&request.id).cloned().unwrap_or_default(),
                mode: match request.mode {
                    Mode::Onsite => NeedMode::Onsite,
                    Mode::Online => NeedMode::Online,
                    Mode::Hybrid => NeedMode::Hybrid,
                },
                visits: visits_needed(request.visit_count, request.minutes_per_visit, lists.dates(request.id)),
                period_from: request.period_from,
                period_to: request.period_to,
                site: place(applicant).or_else(|| parent.and_then(place)),
                municipality_id: request.applicant_organisation_id.0,
                parent_id: applicant.parent_id.map(|id| id.0),
                prefecture_id: prefecture.unwrap_or(request.owner_organisation_id).0,
                wished_experts: if request.leave_to_office { Vec::new() } else { lists.wishes(request.id) },
                conflict_org_ids,
                on_island: request.on_island,
                languages: languages_in(&request.languages),
                experts_needed: u32::try_from(request.experts_needed).unwrap_or(1),
                rotation: request.rotation,
                buffer_minutes: rules.map_or(0, |rules| u32::try_from(rules.travel_buffer_minutes).unwrap_or(0)),
                same_theme: rules.and_then(|rules| same_theme(request, rules)),
                weights: rules.map_or_else(Weights::default, |rules| rules.matching.weights),
            })
        })
        .collect()
}

fn same_theme(request: &RequestRow, rules: &ProgrammeRules) -> Option<SameTheme> {
    let most = rules.limits.iter().find_map(|limit| match limit {
        Limit::SameThemeAndExpert { max_per_year } => Some(*max_per_year),
        _ => None,
    })?;
    Some(SameTheme {
        programme_id: request.programme_id.0,
        fiscal_year: request.fiscal_year,
        theme: request.theme_key.clone(),
        most: u32::try_from(most).unwrap_or(0),
    })
}

fn applicants(conn: &mut Conn, requests: &[RequestRow]) -> Result<HashMap<OrganisationId, OrganisationRow>, Error> {
    let mut ids: Vec<OrganisationId> = requests.iter().map(|request| request.applicant_organisation_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found: HashMap<OrganisationId, OrganisationRow> =
        bodies::find_many(conn, &ids)?.into_iter().map(|body| (body.id, body)).collect();
    let mut parents: Vec<OrganisationId> = found
        .values()
        .filter(|body| place(body).is_none())
        .filter_map(|body| body.parent_id)
        .filter(|id| !found.contains_key(id))
        .collect();
    parents.sort_unstable();
    parents.dedup();
    if !parents.is_empty() {
        found.extend(bodies::find_many(conn, &parents)?.into_iter().map(|body| (body.id, body)));
    }
    Ok(found)
}

fn years(conn: &mut Conn, requests: &[RequestRow]) -> Result<HashMap<(ProgrammeId, i32), YearRow>, Error> {
    let mut wanted: Vec<(ProgrammeId, i32)> =
        requests.iter().map(|request| (request.programme_id, request.fiscal_year)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let found = crate::pools::store::years_of(conn, &wanted)?;
    Ok(found.into_iter().map(|year| ((year.programme_id, year.fiscal_year), year)).collect())
}

fn place(body: &OrganisationRow) -> Option<Place> {
    Some(Place::new(body.latitude_e6?, body.longitude_e6?))
}

/// What hangs on the requests.
struct Lists {
    skills: HashMap<RequestId, Vec<SkillNeed>>,
    dates: HashMap<RequestId, Vec<WishedDateRow>>,
    wishes: HashMap<RequestId, Vec<i64>>,
    participants: HashMap<RequestId, Vec<i64>>,
    interests: HashMap<RequestId, Vec<i64>>,
}

impl Lists {
    fn load(conn: &mut Conn, ids: &[RequestId]) -> Result<Self, Error> {
        let ids = &Ids::new(conn, ids.iter().map(|id| id.0));
        let participants: Vec<(RequestId, OrganisationId)> = request_participants::table
            .filter(ids.among(request_participants::request_id))
            .select((request_participants::request_id, request_participants::organisation_id))
            .load(conn)?;
        let interests: Vec<(RequestId, OrganisationId)> = request_interests::table
            .filter(ids.among(request_interests::request_id))
            .select((request_interests::request_id, request_interests::organisation_id))
            .load(conn)?;
        let wishes: Vec<(RequestId, ExpertId)> = request_preferences::table
            .filter(ids.among(request_preferences::request_id))
            .order((request_preferences::request_id, request_preferences::rank))
            .select((request_preferences::request_id, request_preferences::expert_id))
            .load(conn)?;
        let dates: Vec<(RequestId, WishedDateRow)> = request_wished_dates::table
            .filter(ids.among(request_wished_dates::request_id))
            .order((request_wished_dates::request_id, request_wished_dates::rank))
            .select((
                request_wished_dates::request_id,
                (
                    request_wished_dates::rank,
                    request_wished_dates::day,
                    request_wished_dates::start_minute,
                    request_wished_dates::end_minute,
                ),
            ))
            .load(conn)?;
        Ok(Self {
            skills: by_request(skills(conn, ids)?),
            dates: by_request(dates),
            wishes: by_request(wishes.into_iter().map(|(id, expert)| (id, expert.0)).collect()),
            participants: by_request(participants.into_iter().map(|(id, body)| (id, body.0)).collect()),
            interests: by_request(interests.into_iter().map(|(id, body)| (id, body.0)).collect()),
        })
    }

    fn dates(&self, id: RequestId) -> &[WishedDateRow] {
        self.dates.get(&id).map_or(&[], Vec::as_slice)
    }

    fn wishes(&self, id: RequestId) -> Vec<i64> {
        self.wishes.get(&id).cloned().unwrap_or_default()
    }

    /// Whoever takes part or has an interest.
    fn bodies(&self, id: RequestId) -> Vec<i64> {
        [&self.participants, &self.interests].into_iter().filter_map(|lists| lists.get(&id)).flatten().copied().collect()
    }
}

fn skills(conn: &mut Conn, ids: &Ids) -> Result<Vec<(RequestId, SkillNeed)>, Error> {
    type Row = (RequestId, i64, String, i32, bool, Option<i32>, bool);
    let rows: Vec<Row> = request_skills::table
        .inner_join(skill_items::table)
        .filter(ids.among(request_skills::request_id))
        .order((request_skills::request_id, request_skills::must.desc(), skill_items::position, request_skills::skill_item_id))
        .select((
            request_skills::request_id,
            request_skills::skill_item_id,
            skill_items::name,
            request_skills::min_level,
            request_skills::must,
            request_skills::alternative_group,
            request_skills::verified_only,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, skill_item_id, name, min_level, must, group, verified_only)| {
            let min_level = u8::try_from(min_level).unwrap_or(u8::MAX);
            let alternative_group = group.and_then(|group| u8::try_from(group).ok());
            (id, SkillNeed { skill_item_id, name, min_level, must, alternative_group, verified_only })
        })
        .collect())
}

fn by_request<T>(rows: Vec<(RequestId, T)>) -> HashMap<RequestId, Vec<T>> {
    let mut lists: HashMap<RequestId, Vec<T>> = HashMap::new();
    for (id, row) in rows {
        lists.entry(id).or_default().push(row);
    }
    lists
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
