//! The SQL behind the facts.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use diesel::dsl::case_when;
use diesel::prelude::*;

use super::{level, minute};
use crate::calendar::{FiscalYear, MINUTES_PER_DAY, jst_to_utc};
use crate::clock::UtcTime;
use crate::db::schema::{
    dispatch_experts, dispatches, expert_areas, expert_conflicts, expert_exceptions, expert_skills, expert_weekly_slots, experts,
    offers, organisations, request_skills, requests, visit_participants, visits,
};
use crate::db::{Conn, Day, Ids};
use crate::error::Error;
use crate::experts::load::{AHEAD, LOADING};
use crate::experts::model::{self, AffiliationKind, EmployerConsent, ExpertStatus};
use crate::experts::store::ExceptionRow;
use crate::ids::{ExpertId, OrganisationId, PoolId, ProgrammeId, RequestId, SkillItemId};
use crate::matching::{CandidateSkill, Conflict, ConflictKind, Place, WeeklyWindow};

/// A visit that loads: expert, day of load, whether that is its day, minutes.
pub(super) type LoadColumns = (ExpertId, Day, bool, i32);

/// Whose facts are asked for.
pub(super) struct Query {
    pub(super) pool: PoolId,
    /// Only these experts of the pool.
    pub(super) only: Option<Ids>,
}

/// Narrows a query to experts of the pool: all of them or, where ids are given, these.
macro_rules! of_pool {
    ($query:ident, $expert:expr, $self:ident) => {{
        let all = $query.into_boxed();
        match &$self.only {
            Some(ids) => all.filter(ids.among($expert)),
            None => all.filter($expert.eq_any(experts::table.filter(experts::pool_id.eq($self.pool)).select(experts::id))),
        }
    }};
}

/// That a visit is in one of the states of [`LOADING`].
macro_rules! loading {
    () => {{
        let [held, planned, done] = LOADING;
        visits::status.eq(held).or(visits::status.eq(planned)).or(visits::status.eq(done))
    }};
}

/// What matching has to know of a registration.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = experts)]
pub(super) struct FactRow {
    pub(super) id: ExpertId,
    pub(super) affiliation_kind: AffiliationKind,
    pub(super) onsite: bool,
    pub(super) online: bool,
    pub(super) base_organisation_id: Option<OrganisationId>,
    pub(super) languages: String,
    pub(super) status: ExpertStatus,
    #[diesel(deserialize_as = Day)]
    pub(super) appointed_from: NaiveDate,
    pub(super) appointed_to: Option<NaiveDate>,
    pub(super) capacity_simultaneous: Option<i32>,
    pub(super) capacity_minutes_month: Option<i32>,
    pub(super) capacity_minutes_year: Option<i32>,
    pub(super) capacity_days_year: Option<i32>,
    pub(super) serves_islands: bool,
    pub(super) capacity_minutes_week: Option<i32>,
    pub(super) employer_consent: EmployerConsent,
    pub(super) employer_consent_until: Option<NaiveDate>,
}

impl Query {
    /// The experts by id. Of the retired ones those who are named, or all.
    pub(super) fn experts(&self, conn: &mut Conn, wished: Option<&[ExpertId]>) -> Result<Vec<FactRow>, Error> {
        let mut all = experts::table.into_boxed();
        if let Some(wished) = wished {
            let wished = Ids::new(conn, wished.iter().map(|id| id.0));
            all = all.filter(experts::status.ne(ExpertStatus::Retired).or(wished.among(experts::id)));
        }
        let all = match &self.only {
            Some(ids) => all.filter(experts::pool_id.eq(self.pool)).filter(ids.among(experts::id)),
            None => all.filter(experts::pool_id.eq(self.pool)),
        };
        Ok(all.order(experts::id).select(FactRow::as_select()).load(conn)?)
    }

    /// Only the skills asked for: others bear on nothing.
    pub(super) fn skills(
        &self,
        conn: &mut Conn,
        asked: Option<&BTreeSet<i64>>,
    ) -> Result<Vec<(ExpertId, CandidateSkill)>, Error> {
        let all = expert_skills::table.filter(expert_skills::pool_id.eq(self.pool));
        let mut all = of_pool!(all, expert_skills::expert_id, self);
        if let Some(asked) = asked {
            if asked.is_empty() {
                return Ok(Vec::new());
            }
            all = all.filter(Ids::new(conn, asked.iter().copied()).among(expert_skills::skill_item_id));
        }
        let rows: Vec<(ExpertId, SkillItemId, i32, bool)> = all
            .order((expert_skills::expert_id, expert_skills::skill_item_id))
            .select((expert_skills::expert_id, expert_skills::skill_item_id, expert_skills::level, expert_skills::verified))
            .load(conn)?;
        Ok(rows
            .into_iter()
            .map(|(id, item, held, verified)| (id, CandidateSkill { skill_item_id: item.0, level: level(held), verified }))
            .collect())
    }

    pub(super) fn areas(&self, conn: &mut Conn) -> Result<Vec<(ExpertId, OrganisationId)>, Error> {
        let all = expert_areas::table;
        Ok(of_pool!(all, expert_areas::expert_id, self)
            .select((expert_areas::expert_id, expert_areas::organisation_id))
            .load(conn)?)
    }

    pub(super) fn weekly(&self, conn: &mut Conn) -> Result<Vec<(ExpertId, WeeklyWindow)>, Error> {
        let all = expert_weekly_slots::table;
        let rows: Vec<(ExpertId, i32, i32, i32)> =
            of_pool!(all, expert_weekly_slots::expert_id, self).select(expert_weekly_slots::all_columns).load(conn)?;
        Ok(rows
            .into_iter()
            .map(|(id, weekday, start, end)| {
                (id, WeeklyWindow { iso_weekday: level(weekday), start_minute: minute(start), end_minute: minute(end) })
            })
            .collect())
    }

    pub(super) fn exceptions(&self, conn: &mut Conn, (from, to): (NaiveDate, NaiveDate)) -> Result<Vec<ExceptionRow>, Error> {
        let all =
            expert_exceptions::table.filter(expert_exceptions::first_day.le(to)).filter(expert_exceptions::last_day.ge(from));
        Ok(of_pool!(all, expert_exceptions::expert_id, self)
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

    /// Conflicts with some bodies between two days; those with others bear on nothing.
    pub(super) fn conflicts(
        &self,
        conn: &mut Conn,
        bodies: Option<&BTreeSet<i64>>,
        (from, to): (NaiveDate, NaiveDate),
    ) -> Result<Vec<(ExpertId, Conflict)>, Error> {
        type Row = (ExpertId, OrganisationId, model::ConflictKind, NaiveDate, Option<NaiveDate>);
        let all = expert_conflicts::table;
        let mut all = match bodies {
            // Few have any with these, whoever is asked for.
            Some(_) => all.into_boxed(),
            None => of_pool!(all, expert_conflicts::expert_id, self),
        };
        if let Some(bodies) = bodies {
            all = all.filter(Ids::new(conn, bodies.iter().copied()).among(expert_conflicts::organisation_id));
        }
        let rows: Vec<Row> = all
            .filter(expert_conflicts::valid_from.le(to))
            .filter(expert_conflicts::valid_to.is_null().or(expert_conflicts::valid_to.gt(from)))
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

    /// Time held between two days, both included.
    pub(super) fn busy(
        &self,
        conn: &mut Conn,
        (first, last): (NaiveDate, NaiveDate),
    ) -> Result<Vec<(ExpertId, UtcTime, UtcTime)>, Error> {
        let from = UtcTime::from_naive(jst_to_utc(first, 0));
        let to = UtcTime::from_naive(jst_to_utc(last, MINUTES_PER_DAY));
        let all = visits::table.filter(loading!()).filter(visits::blocked_from.lt(to)).filter(visits::blocked_to.gt(from));
        Ok(of_pool!(all, visits::expert_id, self)
            .select((visits::expert_id, visits::blocked_from.assume_not_null(), visits::blocked_to.assume_not_null()))
            .load(conn)?)
    }

    /// The visits that load between two days, both included.
    pub(super) fn loads(&self, conn: &mut Conn, (from, to): (NaiveDate, NaiveDate)) -> Result<Vec<LoadColumns>, Error> {
        let all = visits::table.filter(visits::load_day.ge(from)).filter(visits::load_day.le(to)).filter(loading!());
        let done = visits::status.eq("done").and(visits::actual_minutes.is_not_null());
        let minutes = case_when(done, visits::actual_minutes.assume_not_null()).otherwise(visits::planned_minutes);
        Ok(of_pool!(all, visits::expert_id, self)
            .select((visits::expert_id, visits::load_day, visits::day.is_not_null(), minutes))
            .load(conn)?)
    }

    /// Requests with visits ahead, by expert.
    pub(super) fn engagements(&self, conn: &mut Conn) -> Result<Vec<(ExpertId, RequestId)>, Error> {
        let [held, planned] = AHEAD;
        let all =
            visits::table.filter(visits::status.eq(held).or(visits::status.eq(planned))).filter(visits::request_id.is_not_null());
        Ok(of_pool!(all, visits::expert_id, self)
            .select((visits::expert_id, visits::request_id.assume_not_null()))
            .distinct()
            .load(conn)?)
    }

    /// Visits done for municipalities, by expert.
    pub(super) fn past_visits(
        &self,
        conn: &mut Conn,
        municipalities: Option<&BTreeSet<i64>>,
    ) -> Result<Vec<(OrganisationId, ExpertId, i64)>, Error> {
        let all = visits::table
            .inner_join(visit_participants::table.on(visit_participants::visit_id.eq(visits::id)))
            .filter(visits::status.eq("done"));
        let mut all = of_pool!(all, visits::expert_id, self);
        if let Some(municipalities) = municipalities {
            all = all.filter(Ids::new(conn, municipalities.iter().copied()).among(visit_participants::organisation_id));
        }
        let rows: Vec<(OrganisationId, ExpertId)> =
            all.select((visit_participants::organisation_id, visits::expert_id)).load(conn)?;
        let mut counts: HashMap<(OrganisationId, ExpertId), i64> = HashMap::new();
        for key in rows {
            *counts.entry(key).or_insert(0) += 1;
        }
        Ok(counts.into_iter().map(|((body, expert), count)| (body, expert, count)).collect())
    }

    /// Visits done since the beginning of a fiscal year: fiscal year, expert, request, how many.
    pub(super) fn done(&self, conn: &mut Conn, since: i32) -> Result<Vec<(i32, i64, i64, u32)>, Error> {
        let all = visits::table
            .filter(visits::status.eq("done"))
            .filter(visits::request_id.is_not_null())
            .filter(visits::load_day.ge(first_day(since)?));
        let rows: Vec<(ExpertId, RequestId, Day)> = of_pool!(all, visits::expert_id, self)
            .select((visits::expert_id, visits::request_id.assume_not_null(), visits::load_day))
            .load(conn)?;
        let mut counts: HashMap<(i32, i64, i64), u32> = HashMap::new();
        for (expert, request, day) in rows {
            *counts.entry((FiscalYear::of(day.into()).starting_year(), expert.0, request.0)).or_insert(0) += 1;
        }
        Ok(counts.into_iter().map(|((year, expert, request), count)| (year, expert, request, count)).collect())
    }

    /// Offers that ended with an answer or by running out, since the beginning of a fiscal year: fiscal year, expert, whether
    /// answered, how many. One that was withdrawn says nothing about the expert.
    pub(super) fn answers(&self, conn: &mut Conn, since: i32) -> Result<Vec<(i32, i64, bool, u32)>, Error> {
        let from = UtcTime::from_naive(jst_to_utc(first_day(since)?, 0));
        let ended = offers::status.eq("accepted").or(offers::status.eq("declined")).or(offers::status.eq("expired"));
        let all = offers::table.filter(ended).filter(offers::sent_at.ge(from));
        let rows: Vec<(ExpertId, String, UtcTime)> = of_pool!(all, offers::expert_id, self)
            .select((offers::expert_id, offers::status, offers::sent_at.assume_not_null()))
            .load(conn)?;
        let mut counts: HashMap<(i32, i64, bool), u32> = HashMap::new();
        for (expert, status, sent_at) in rows {
            let year = FiscalYear::of(crate::calendar::jst_day(sent_at.naive())).starting_year();
            *counts.entry((year, expert.0, status != "expired")).or_insert(0) += 1;
        }
        Ok(counts.into_iter().map(|((year, expert, answered), count)| (year, expert, answered, count)).collect())
    }
}

/// Which skills requests asked for: of some, or all.
pub(super) fn skills_of(
    conn: &mut Conn,
    requests: &BTreeSet<i64>,
    asked: Option<&BTreeSet<i64>>,
) -> Result<HashMap<i64, Vec<i64>>, Error> {
    let mut skills: HashMap<i64, Vec<i64>> = HashMap::new();
    if requests.is_empty() || asked.is_some_and(BTreeSet::is_empty) {
        return Ok(skills);
    }
    let requests = Ids::new(conn, requests.iter().copied());
    let mut all = request_skills::table.filter(requests.among(request_skills::request_id)).into_boxed();
    if let Some(asked) = asked {
        all = all.filter(Ids::new(conn, asked.iter().copied()).among(request_skills::skill_item_id));
    }
    let rows: Vec<(RequestId, SkillItemId)> =
        all.select((request_skills::request_id, request_skills::skill_item_id)).load(conn)?;
    for (request, skill) in rows {
        skills.entry(request.0).or_default().push(skill.0);
    }
    Ok(skills)
}

/// Where the offices of some bodies are, as far as that is known.
pub(super) fn places(conn: &mut Conn, bodies: &BTreeSet<OrganisationId>) -> Result<HashMap<OrganisationId, Place>, Error> {
    if bodies.is_empty() {
        return Ok(HashMap::new());
    }
    let bodies = Ids::new(conn, bodies.iter().map(|id| id.0));
    let rows: Vec<(OrganisationId, Option<i32>, Option<i32>)> = organisations::table
        .filter(bodies.among(organisations::id))
        .select((organisations::id, organisations::latitude_e6, organisations::longitude_e6))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(id, latitude, longitude)| Some((id, Place::new(latitude?, longitude?)))).collect())
}

fn first_day(year: i32) -> Result<NaiveDate, Error> {
    Ok(FiscalYear::new(year.max(2000)).map_err(Error::internal)?.first_day())
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

/// Who was sent to some bodies in programmes and their fiscal years, dispatches that were called off not among them.
pub(super) fn sent(
    conn: &mut Conn,
    years: &[(ProgrammeId, i32)],
    applicants: impl Iterator<Item = OrganisationId>,
) -> Result<Vec<Sent>, Error> {
    let programmes = Ids::new(conn, years.iter().map(|(programme, _)| programme.0));
    let fiscal_years = Ids::new(conn, years.iter().map(|(_, year)| i64::from(*year)));
    let applicants = Ids::new(conn, applicants.map(|id| id.0));
    let rows: Vec<(ExpertId, RequestId, ProgrammeId, i32, OrganisationId, String)> = dispatch_experts::table
        .inner_join(dispatches::table.inner_join(requests::table))
        .filter(programmes.among(dispatches::programme_id))
        .filter(fiscal_years.among(dispatches::fiscal_year))
        .filter(applicants.among(dispatches::applicant_organisation_id))
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
