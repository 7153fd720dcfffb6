//! A first look at the experts of a pool, by the database alone: standing, kind of work, required skills. In a large pool these
//! leave few, and only of these few the calendars, loads and ties are read.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::cut;
use crate::db::Conn;
use crate::db::schema::{expert_skills, experts};
use crate::error::Error;
use crate::experts::model::ExpertStatus;
use crate::ids::{ExpertId, PoolId, SkillItemId};
use crate::matching::{Asked, ExclusionCode, NeedMode, SkillNeed};

type Backend = <Conn as Connection>::Backend;

/// What the first look leaves.
#[derive(Debug, Clone)]
pub struct Screened {
    /// Who is worth a second look, by id.
    pub ids: Vec<ExpertId>,
    /// How many experts there are.
    pub total: u32,
    /// How many of them fail each condition of the first look, none left out.
    pub counts: Vec<(ExclusionCode, u32)>,
}

/// Takes the first look. Retired experts are left out, unless the applicant wished for one.
///
/// # Errors
/// The database's.
pub fn screen(conn: &mut Conn, pool: PoolId, asked: &Asked<'_>) -> Result<Screened, Error> {
    let wished: Vec<ExpertId> = asked.need.wished_experts.iter().copied().map(ExpertId).collect();
    let rows: Vec<(ExpertStatus, bool, bool, i64)> = experts::table
        .filter(experts::pool_id.eq(pool))
        .filter(experts::status.ne(ExpertStatus::Retired).or(experts::id.eq_any(wished.clone())))
        .group_by((experts::status, experts::onsite, experts::online))
        .select((experts::status, experts::onsite, experts::online, count_star()))
        .load(conn)?;
    let sum = |wanted: &dyn Fn(ExpertStatus, bool, bool) -> bool| {
        cut(rows.iter().filter(|(status, onsite, online, _)| wanted(*status, *onsite, *online)).map(|row| row.3).sum())
    };
    let lacks = |onsite: bool, online: bool| {
        (asked.need.mode != NeedMode::Online && !onsite) || (asked.need.mode != NeedMode::Onsite && !online)
    };
    let total = sum(&|_, _, _| true);
    let requirements = asked.skill_requirements();
    let mut holders = experts::table
        .filter(experts::pool_id.eq(pool))
        .filter(experts::status.ne(ExpertStatus::Retired).or(experts::id.eq_any(wished)))
        .select((experts::id, experts::status, experts::onsite, experts::online))
        .order(experts::id)
        .into_boxed();
    for condition in requirements.iter().filter_map(|alternatives| holding(pool, alternatives)) {
        holders = holders.filter(condition);
    }
    let holders: Vec<(ExpertId, ExpertStatus, bool, bool)> = holders.load(conn)?;
    let missing = total.saturating_sub(cut(i64::try_from(holders.len()).unwrap_or(i64::MAX)));
    let counts = vec![
        (ExclusionCode::NotRegistered, sum(&|status, _, _| status == ExpertStatus::Retired)),
        (ExclusionCode::Suspended, sum(&|status, _, _| status == ExpertStatus::Suspended)),
        (ExclusionCode::ModeNotOffered, sum(&|_, onsite, online| lacks(onsite, online))),
        (ExclusionCode::SkillsMissing, missing),
    ];
    let ids = holders
        .into_iter()
        .filter(|(_, status, onsite, online)| *status == ExpertStatus::Registered && !lacks(*onsite, *online))
        .map(|(id, ..)| id)
        .collect();
    Ok(Screened { ids, total, counts })
}

type Condition = Box<dyn BoxableExpression<experts::table, Backend, SqlType = Bool>>;

/// That an expert holds one of the alternatives.
fn holding(pool: PoolId, alternatives: &[&SkillNeed]) -> Option<Condition> {
    let one = |skill: &&SkillNeed| -> Condition {
        let level = expert_skills::table
            .filter(expert_skills::pool_id.eq(pool))
            .filter(expert_skills::skill_item_id.eq(SkillItemId(skill.skill_item_id)))
            .filter(expert_skills::level.ge(i32::from(skill.min_level)));
        if skill.verified_only {
            let verified = level.filter(expert_skills::verified.eq(true));
            Box::new(experts::id.eq_any(verified.select(expert_skills::expert_id)))
        } else {
            Box::new(experts::id.eq_any(level.select(expert_skills::expert_id)))
        }
    };
    alternatives.iter().map(one).reduce(|all, next| Box::new(all.or(next)))
}
