//! A first look at the experts of a pool, by the database alone: standing, kind of work, required skills. In a large pool these
//! leave few, and only of these few the calendars, loads and ties are read.

use diesel::dsl::{And, Eq, LeftJoinQuerySource, exists};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{cut, level};
use crate::db::schema::{expert_skills, experts};
use crate::db::{Conn, Ids};
use crate::error::Error;
use crate::experts::model::{AffiliationKind, EmployerConsent, ExpertStatus};
use crate::ids::{ExpertId, OrganisationId, PoolId, SkillItemId};
use crate::matching::{Asked, CandidateSkill, ExclusionCode, Need, NeedMode, SkillNeed};

type Backend = <Conn as Connection>::Backend;
/// Experts, each beside the skill that leads: its index holds those who have it. Where none leads, no row stands beside an expert.
type Source = LeftJoinQuerySource<experts::table, expert_skills::table, Holds>;
type Holds = And<Eq<expert_skills::expert_id, experts::id>, Eq<expert_skills::skill_item_id, SkillItemId>>;
type Condition = Box<dyn BoxableExpression<Source, Backend, SqlType = Bool>>;

/// What the first look leaves.
#[derive(Debug, Clone)]
pub struct Screened {
    /// How many experts there are.
    pub total: u32,
    /// How many of them fail each condition of the first look, none left out.
    pub counts: Vec<(ExclusionCode, u32)>,
    /// Who is worth a second look, by id.
    pub(super) passed: Vec<Passed>,
}

/// An expert who is worth a second look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passed {
    pub(super) id: ExpertId,
    /// The skill asked for, where a single one is.
    pub(super) skill: Option<CandidateSkill>,
    /// Whether nothing in the registration but the month's limit bears on the request, so that it need not be read.
    pub(super) plain: bool,
    /// Most minutes a month.
    pub(super) month_minutes: Option<i32>,
    /// The body whose office is the place from which the expert travels.
    pub(super) base: Option<OrganisationId>,
}

/// Takes the first look. Retired experts are left out, unless the applicant wished for one.
///
/// # Errors
/// The database's.
pub(super) fn screen(conn: &mut Conn, pool: PoolId, asked: &Asked<'_>) -> Result<Screened, Error> {
    let need = asked.need;
    let standings = standings(conn, pool, need)?;
    let sum = |wanted: &dyn Fn(&Standing) -> bool| cut(standings.iter().filter(|one| wanted(one)).map(|one| one.count).sum());
    let lacks = |one: &Standing| (need.mode != NeedMode::Online && !one.onsite) || (need.mode != NeedMode::Onsite && !one.online);
    let total = sum(&|_| true);
    let (held, passed) = holders(conn, pool, asked)?;
    let counts = vec![
        (ExclusionCode::NotRegistered, sum(&|one| one.status == ExpertStatus::Retired)),
        (ExclusionCode::Suspended, sum(&|one| one.status == ExpertStatus::Suspended)),
        (ExclusionCode::ModeNotOffered, sum(&lacks)),
        (ExclusionCode::SkillsMissing, total.saturating_sub(u32::try_from(held).unwrap_or(u32::MAX))),
    ];
    Ok(Screened { total, counts, passed })
}

/// So many experts in one state who work in the same ways.
struct Standing {
    status: ExpertStatus,
    onsite: bool,
    online: bool,
    count: i64,
}

/// How the experts of the pool stand: all who are not retired, and of the retired those wished for. Each number is counted by
/// itself, which an index answers without sorting anything; nobody works in neither way.
fn standings(conn: &mut Conn, pool: PoolId, need: &Need) -> Result<Vec<Standing>, Error> {
    const WAYS: [(bool, bool); 3] = [(true, true), (true, false), (false, true)];
    macro_rules! count {
        ($status:expr, $way:expr) => {{
            let (onsite, online) = $way;
            experts::table
                .filter(experts::pool_id.eq(pool))
                .filter(experts::status.eq($status))
                .filter(experts::onsite.eq(onsite))
                .filter(experts::online.eq(online))
                .count()
                .single_value()
        }};
    }
    let [both, onsite, online] = WAYS;
    let (registered, suspended) = (ExpertStatus::Registered, ExpertStatus::Suspended);
    type Counts = (Option<i64>, Option<i64>, Option<i64>);
    let counts: (Counts, Counts) = diesel::select((
        (count!(registered, both), count!(registered, onsite), count!(registered, online)),
        (count!(suspended, both), count!(suspended, onsite), count!(suspended, online)),
    ))
    .get_result(conn)?;
    let of = |status: ExpertStatus, (both, onsite, online): Counts| {
        WAYS.into_iter().zip([both, onsite, online]).map(move |((onsite, online), count)| Standing {
            status,
            onsite,
            online,
            count: count.unwrap_or(0),
        })
    };
    let mut standings: Vec<Standing> = of(registered, counts.0).chain(of(suspended, counts.1)).collect();
    if !need.wished_experts.is_empty() {
        let wished = Ids::new(conn, need.wished_experts.iter().copied());
        let retired: Vec<(bool, bool)> = experts::table
            .filter(experts::pool_id.eq(pool))
            .filter(experts::status.eq(ExpertStatus::Retired))
            .filter(wished.among(experts::id))
            .select((experts::onsite, experts::online))
            .load(conn)?;
        standings.extend(retired.into_iter().map(|(onsite, online)| Standing {
            status: ExpertStatus::Retired,
            onsite,
            online,
            count: 1,
        }));
    }
    Ok(standings)
}

/// How many hold the required skills, and those of them who pass, by id.
fn holders(conn: &mut Conn, pool: PoolId, asked: &Asked<'_>) -> Result<(usize, Vec<Passed>), Error> {
    let need = asked.need;
    let requirements = asked.skill_requirements();
    let lead = requirements.iter().position(|alternatives| alternatives.len() == 1);
    let leading = lead.and_then(|place| requirements.get(place)?.first().copied());
    let item = leading.map_or(0, |skill| skill.skill_item_id);
    let beside = expert_skills::expert_id.eq(experts::id).and(expert_skills::skill_item_id.eq(SkillItemId(item)));
    let mut query = experts::table.left_join(expert_skills::table.on(beside)).into_boxed();
    if need.wished_experts.is_empty() {
        query = query.filter(experts::status.ne(ExpertStatus::Retired));
    } else {
        let wished = Ids::new(conn, need.wished_experts.iter().copied());
        query = query.filter(experts::status.ne(ExpertStatus::Retired).or(wished.among(experts::id)));
    }
    for (place, alternatives) in requirements.iter().enumerate() {
        if Some(place) != lead
            && let Some(condition) = alternatives.iter().map(|skill| holds(skill)).reduce(|all, next| Box::new(all.or(next)))
        {
            query = query.filter(condition);
        }
    }
    let (passes, plain) = (passes(need), plain(asked));
    let Some(leading) = leading else {
        // Nothing of the skill is asked for, so that the database leaves it out.
        let columns = (experts::id, passes, plain, experts::capacity_minutes_month, experts::base_organisation_id);
        let rows: Vec<(ExpertId, bool, bool, Option<i32>, Option<OrganisationId>)> =
            query.filter(experts::pool_id.eq(pool)).select(columns).load(conn)?;
        let held = rows.len();
        let passed = rows.into_iter().filter(|row| row.1);
        let mut passed: Vec<Passed> =
            passed.map(|(id, _, plain, month_minutes, base)| Passed { id, skill: None, plain, month_minutes, base }).collect();
        passed.sort_unstable_by_key(|one| one.id);
        return Ok((held, passed));
    };
    query = query
        .filter(expert_skills::pool_id.nullable().eq(pool))
        .filter(expert_skills::level.nullable().ge(i32::from(leading.min_level)));
    if leading.verified_only {
        query = query.filter(expert_skills::verified.nullable().eq(true));
    }
    let columns = (
        experts::id,
        expert_skills::level.nullable(),
        expert_skills::verified.nullable(),
        passes,
        plain,
        experts::capacity_minutes_month,
        experts::base_organisation_id,
    );
    type Row = (ExpertId, Option<i32>, Option<bool>, bool, bool, Option<i32>, Option<OrganisationId>);
    let rows: Vec<Row> = query.select(columns).load(conn)?;
    let held = rows.len();
    let alone = need.required.len() == 1;
    let mut passed: Vec<Passed> = rows
        .into_iter()
        .filter(|row| row.3)
        .map(|(id, held, verified, _, plain, month_minutes, base)| {
            let skill = CandidateSkill { skill_item_id: item, level: level(held.unwrap_or(0)), verified: verified == Some(true) };
            Passed { id, skill: alone.then_some(skill), plain, month_minutes, base }
        })
        .collect();
    passed.sort_unstable_by_key(|one| one.id);
    Ok((held, passed))
}

/// Registered, and works in the way asked for.
fn passes(need: &Need) -> Condition {
    let mut all: Condition = Box::new(experts::status.eq(ExpertStatus::Registered));
    if need.mode != NeedMode::Online {
        all = Box::new(all.and(experts::onsite.eq(true)));
    }
    if need.mode != NeedMode::Onsite {
        all = Box::new(all.and(experts::online.eq(true)));
    }
    all
}

/// That nothing in the registration stands in the way on any of the days in question, the month's limit aside.
fn plain(asked: &Asked<'_>) -> Condition {
    if !asked.need.languages.is_empty() {
        return Box::new(false.into_sql::<Bool>());
    }
    let (first, last) = asked.span();
    let appointed = experts::appointed_from
        .le(first)
        .and(experts::appointed_to.is_null().or(experts::appointed_to.gt(last)).assume_not_null());
    let unlimited = experts::capacity_simultaneous
        .is_null()
        .and(experts::capacity_minutes_week.is_null())
        .and(experts::capacity_minutes_year.is_null())
        .and(experts::capacity_days_year.is_null());
    let free = experts::employer_consent
        .eq(EmployerConsent::NotNeeded)
        .and(experts::affiliation_kind.ne(AffiliationKind::PublicOfficial));
    let all = appointed.and(unlimited).and(free);
    if asked.need.on_island { Box::new(all.and(experts::serves_islands.eq(true))) } else { Box::new(all) }
}

/// That an expert holds a skill, beside the one that leads.
fn holds(skill: &SkillNeed) -> Condition {
    let held = diesel::alias!(expert_skills as held);
    let level = held
        .filter(held.field(expert_skills::expert_id).eq(experts::id))
        .filter(held.field(expert_skills::skill_item_id).eq(SkillItemId(skill.skill_item_id)))
        .filter(held.field(expert_skills::level).ge(i32::from(skill.min_level)));
    if skill.verified_only {
        Box::new(exists(level.filter(held.field(expert_skills::verified).eq(true))))
    } else {
        Box::new(exists(level))
    }
}
