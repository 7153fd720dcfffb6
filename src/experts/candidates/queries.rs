//! The SQL behind the facts.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use diesel::prelude::*;

use super::{level, minute};
use crate::calendar::{FiscalYear, MINUTES_PER_DAY, jst_to_utc};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{
    dispatch_experts, dispatches, expert_areas, expert_conflicts, expert_exceptions, expert_skills, expert_weekly_slots, experts,
    offers, organisations, request_skills, requests, visit_participants, visits,
};
use crate::error::Error;
use crate::experts::load::{AHEAD, LOADING};
use crate::experts::model::{self, ExpertStatus};
use crate::experts::store::{ExceptionRow, ExpertRow};
use crate::ids::{ExpertId, OrganisationId, PoolId, ProgrammeId, RequestId, SkillItemId};
use crate::matching::{CandidateSkill, Conflict, ConflictKind, WeeklyWindow};

/// A visit that loads: expert, day of load, day, state, planned and actual minutes.
pub(super) type LoadColumns = (ExpertId, NaiveDate, Option<NaiveDate>, String, i32, Option<i32>);

/// Whose facts are asked for.
pub(super) struct Query<'a> {
    pub(super) pool: PoolId,
    /// Only these experts of the pool.
    pub(super) only: Option<&'a [ExpertId]>,
}

/// Narrows a query that has `experts` in it to the pool and, where ids are given, to these. The ids are those of `experts`: a
/// database that is given them of the other table goes through the whole pool first.
macro_rules! of_pool {
    ($query:ident, $self:ident) => {{
        let narrowed = $query.filter(experts::pool_id.eq($self.pool)).into_boxed();
        match $self.only {
            Some(ids) => narrowed.filter(experts::id.eq_any(ids)),
            None => narrowed,
        }
    }};
}

impl Query<'_> {
    /// The experts by id, with the place of their base.
    pub(super) fn experts(
        &self,
        conn: &mut Conn,
        wished: &[ExpertId],
    ) -> Result<Vec<(ExpertRow, Option<i32>, Option<i32>)>, Error> {
        let all = experts::table
            .left_join(organisations::table)
            .filter(experts::status.ne(ExpertStatus::Retired).or(experts::id.eq_any(wished.to_vec())));
        Ok(of_pool!(all, self)
            .order(experts::id)
            .select((ExpertRow::as_select(), organisations::latitude_e6.nullable(), organisations::longitude_e6.nullable()))
            .load(conn)?)
    }

    /// Only the skills asked for: others bear on nothing.
    pub(super) fn skills(&self, conn: &mut Conn, asked: &BTreeSet<i64>) -> Result<Vec<(ExpertId, CandidateSkill)>, Error> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let asked: Vec<SkillItemId> = asked.iter().copied().map(SkillItemId).collect();
        let all = expert_skills::table.inner_join(experts::table).filter(expert_skills::skill_item_id.eq_any(asked));
        let rows: Vec<(ExpertId, SkillItemId, i32, bool)> = of_pool!(all, self)
            .order((expert_skills::expert_id, expert_skills::skill_item_id))
            .select((expert_skills::expert_id, expert_skills::skill_item_id, expert_skills::level, expert_skills::verified))
            .load(conn)?;
        Ok(rows
            .into_iter()
            .map(|(id, item, held, verified)| (id, CandidateSkill { skill_item_id: item.0, level: level(held), verified }))
            .collect())
    }

    pub(super) fn areas(&self, conn: &mut Conn) -> Result<Vec<(ExpertId, OrganisationId)>, Error> {
        let all = expert_areas::table.inner_join(experts::table);
        Ok(of_pool!(all, self).select((expert_areas::expert_id, expert_areas::organisation_id)).load(conn)?)
    }

    pub(super) fn weekly(&self, conn: &mut Conn) -> Result<Vec<(ExpertId, WeeklyWindow)>, Error> {
        let all = expert_weekly_slots::table.inner_join(experts::table);
        let rows: Vec<(ExpertId, i32, i32, i32)> = of_pool!(all, self).select(expert_weekly_slots::all_columns).load(conn)?;
        Ok(rows
            .into_iter()
            .map(|(id, weekday, start, end)| {
                (id, WeeklyWindow { iso_weekday: level(weekday), start_minute: minute(start), end_minute: minute(end) })
            })
            .collect())
    }

    pub(super) fn exceptions(&self, conn: &mut Conn, (from, to): (NaiveDate, NaiveDate)) -> Result<Vec<ExceptionRow>, Error> {
        let all = expert_exceptions::table
            .inner_join(experts::table)
            .filter(expert_exceptions::first_day.le(to))
            .filter(expert_exceptions::last_day.ge(from));
        Ok(of_pool!(all, self)
            .order((expert_exceptions::expert_id, expert_exceptions::first_day, expert_exceptions::id))
            .select((
                expert_exceptions::expert_id,
                expert_exceptions::kind,
                expert_exceptions::first_day,
                expert_exceptions::last_day,
                expert_exceptions::start_minute,
                expert_exceptions::end_minute,
                expert_exceptions::note,
            ))
            .load(conn)?)
    }

    pub(super) fn conflicts(
        &self,
        conn: &mut Conn,
        (from, to): (NaiveDate, NaiveDate),
    ) -> Result<Vec<(ExpertId, Conflict)>, Error> {
        type Row = (ExpertId, OrganisationId, model::ConflictKind, NaiveDate, Option<NaiveDate>);
        let all = expert_conflicts::table
            .inner_join(experts::table)
            .filter(expert_conflicts::valid_from.le(to))
            .filter(expert_conflicts::valid_to.is_null().or(expert_conflicts::valid_to.gt(from)));
        let rows: Vec<Row> = of_pool!(all, self)
            .order((expert_conflicts::expert_id, expert_conflicts::id))
            .select((
                expert_conflicts::expert_id,
                expert_conflicts::organisation_id,
                expert_conflicts::kind,
                expert_conflicts::valid_from,
                expert_conflicts::valid_to,
            ))
            .load(conn)?;
        Ok(rows
            .into_iter()
            .map(|(id, organisation, kind, from, to)| {
                let kind = match kind {
                    model::ConflictKind::Interest => ConflictKind::Interest,
                    model::ConflictKind::RefusedByExpert => ConflictKind::RefusedByExpert,
                    model::ConflictKind::RefusedByBody => ConflictKind::RefusedByBody,
                };
                (id, Conflict { organisation_id: organisation.0, kind, from, to })
            })
            .collect())
    }

    /// Time held between the first and the last of the wished days. Who names no day needs none.
    pub(super) fn busy(&self, conn: &mut Conn, days: &BTreeSet<NaiveDate>) -> Result<Vec<(ExpertId, UtcTime, UtcTime)>, Error> {
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
        let from = UtcTime::from_naive(jst_to_utc(*first, 0));
        let to = UtcTime::from_naive(jst_to_utc(*last, MINUTES_PER_DAY));
        let all = visits::table
            .inner_join(experts::table)
            .filter(visits::status.eq_any(LOADING))
            .filter(visits::blocked_from.lt(to))
            .filter(visits::blocked_to.gt(from));
        Ok(of_pool!(all, self)
            .select((visits::expert_id, visits::blocked_from.assume_not_null(), visits::blocked_to.assume_not_null()))
            .load(conn)?)
    }

    /// The visits that load between two days, both included.
    pub(super) fn loads(&self, conn: &mut Conn, (from, to): (NaiveDate, NaiveDate)) -> Result<Vec<LoadColumns>, Error> {
        let all = visits::table
            .inner_join(experts::table)
            .filter(visits::load_day.ge(from))
            .filter(visits::load_day.le(to))
            .filter(visits::status.eq_any(LOADING));
        Ok(of_pool!(all, self)
            .select((
                visits::expert_id,
                visits::load_day,
                visits::day,
                visits::status,
                visits::planned_minutes,
                visits::actual_minutes,
            ))
            .load(conn)?)
    }

    /// Requests with visits ahead, by expert.
    pub(super) fn engagements(&self, conn: &mut Conn) -> Result<Vec<(ExpertId, RequestId)>, Error> {
        let all = visits::table
            .inner_join(experts::table)
            .filter(visits::status.eq_any(AHEAD))
            .filter(visits::request_id.is_not_null());
        Ok(of_pool!(all, self).select((visits::expert_id, visits::request_id.assume_not_null())).distinct().load(conn)?)
    }

    /// Visits done for municipalities, by expert.
    pub(super) fn past_visits(
        &self,
        conn: &mut Conn,
        municipalities: &BTreeSet<i64>,
    ) -> Result<Vec<(OrganisationId, ExpertId, i64)>, Error> {
        let municipalities: Vec<OrganisationId> = municipalities.iter().copied().map(OrganisationId).collect();
        let all = visits::table
            .inner_join(experts::table)
            .inner_join(visit_participants::table.on(visit_participants::visit_id.eq(visits::id)))
            .filter(visit_participants::organisation_id.eq_any(municipalities))
            .filter(visits::status.eq("done"));
        let rows: Vec<(OrganisationId, ExpertId)> =
            of_pool!(all, self).select((visit_participants::organisation_id, visits::expert_id)).load(conn)?;
        let mut counts: HashMap<(OrganisationId, ExpertId), i64> = HashMap::new();
        for key in rows {
            *counts.entry(key).or_insert(0) += 1;
        }
        Ok(counts.into_iter().map(|((body, expert), count)| (body, expert, count)).collect())
    }

    /// Visits done since the beginning of a fiscal year: fiscal year, expert, request, how many.
    pub(super) fn done(&self, conn: &mut Conn, since: i32) -> Result<Vec<(i32, i64, i64, u32)>, Error> {
        let all = visits::table
            .inner_join(experts::table)
            .filter(visits::status.eq("done"))
            .filter(visits::request_id.is_not_null())
            .filter(visits::load_day.ge(first_day(since)?));
        let rows: Vec<(ExpertId, RequestId, NaiveDate)> =
            of_pool!(all, self).select((visits::expert_id, visits::request_id.assume_not_null(), visits::load_day)).load(conn)?;
        let mut counts: HashMap<(i32, i64, i64), u32> = HashMap::new();
        for (expert, request, day) in rows {
            *counts.entry((FiscalYear::of(day).starting_year(), expert.0, request.0)).or_insert(0) += 1;
        }
        Ok(counts.into_iter().map(|((year, expert, request), count)| (year, expert, request, count)).collect())
    }

    /// Which of the skills the requests of [`Self::done`] asked for.
    pub(super) fn skills_of_done(
        &self,
        conn: &mut Conn,
        since: i32,
        asked: &BTreeSet<i64>,
    ) -> Result<HashMap<i64, Vec<i64>>, Error> {
        let asked: Vec<SkillItemId> = asked.iter().copied().map(SkillItemId).collect();
        let all = visits::table
            .inner_join(experts::table)
            .inner_join(request_skills::table.on(request_skills::request_id.nullable().eq(visits::request_id)))
            .filter(visits::status.eq("done"))
            .filter(visits::load_day.ge(first_day(since)?))
            .filter(request_skills::skill_item_id.eq_any(asked));
        let rows: Vec<(RequestId, SkillItemId)> =
            of_pool!(all, self).select((request_skills::request_id, request_skills::skill_item_id)).distinct().load(conn)?;
        let mut skills: HashMap<i64, Vec<i64>> = HashMap::new();
        for (request, skill) in rows {
            skills.entry(request.0).or_default().push(skill.0);
        }
        Ok(skills)
    }

    /// Offers that ended with an answer or by running out, since the beginning of a fiscal year: fiscal year, expert, whether
    /// answered, how many. One that was withdrawn says nothing about the expert.
    pub(super) fn answers(&self, conn: &mut Conn, since: i32) -> Result<Vec<(i32, i64, bool, u32)>, Error> {
        let from = UtcTime::from_naive(jst_to_utc(first_day(since)?, 0));
        let all = offers::table
            .inner_join(experts::table)
            .filter(offers::status.eq_any(["accepted", "declined", "expired"]))
            .filter(offers::sent_at.ge(from));
        let rows: Vec<(ExpertId, String, UtcTime)> =
            of_pool!(all, self).select((offers::expert_id, offers::status, offers::sent_at.assume_not_null())).load(conn)?;
        let mut counts: HashMap<(i32, i64, bool), u32> = HashMap::new();
        for (expert, status, sent_at) in rows {
            let year = FiscalYear::of(crate::calendar::jst_day(sent_at.naive())).starting_year();
            *counts.entry((year, expert.0, status != "expired")).or_insert(0) += 1;
        }
        Ok(counts.into_iter().map(|((year, expert, answered), count)| (year, expert, answered, count)).collect())
    }
}

fn first_day(year: i32) -> Result<NaiveDate, Error> {
    Ok(FiscalYear::new(year.max(2000)).map_err(Error::internal)?.first_day())
}

/// What a request is about.
pub(super) struct Theme {
    pub(super) request: RequestId,
    pub(super) programme: ProgrammeId,
    pub(super) year: i32,
    pub(super) applicant: OrganisationId,
    pub(super) theme_key: String,
}

/// What requests are about.
pub(super) fn themes(conn: &mut Conn, ids: &[RequestId]) -> Result<Vec<Theme>, Error> {
    let rows: Vec<(RequestId, ProgrammeId, i32, OrganisationId, String)> = requests::table
        .filter(requests::id.eq_any(ids))
        .select((
            requests::id,
            requests::programme_id,
            requests::fiscal_year,
            requests::applicant_organisation_id,
            requests::theme_key,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(request, programme, year, applicant, theme_key)| Theme { request, programme, year, applicant, theme_key })
        .collect())
}

/// An expert who was sent.
pub(super) struct Sent {
    pub(super) expert: ExpertId,
    pub(super) request: RequestId,
    pub(super) programme: ProgrammeId,
    pub(super) year: i32,
    pub(super) applicant: OrganisationId,
    pub(super) theme_key: String,
}

/// Who was sent in programmes and their fiscal years, dispatches that were called off not among them.
pub(super) fn sent(conn: &mut Conn, years: &[(ProgrammeId, i32)]) -> Result<Vec<Sent>, Error> {
    let (programmes, fiscal_years): (Vec<ProgrammeId>, Vec<i32>) = years.iter().copied().unzip();
    let rows: Vec<(ExpertId, RequestId, ProgrammeId, i32, OrganisationId, String)> = dispatch_experts::table
        .inner_join(dispatches::table.inner_join(requests::table))
        .filter(dispatches::programme_id.eq_any(programmes))
        .filter(dispatches::fiscal_year.eq_any(fiscal_years))
        .filter(dispatches::status.ne("cancelled"))
        .filter(dispatch_experts::active.eq(true))
        .select((
            dispatch_experts::expert_id,
            dispatches::request_id.assume_not_null(),
            dispatches::programme_id,
            dispatches::fiscal_year,
            dispatches::applicant_organisation_id,
            requests::theme_key,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(expert, request, programme, year, applicant, theme_key)| Sent {
            expert,
            request,
            programme,
            year,
            applicant,
            theme_key,
        })
        .collect())
}
