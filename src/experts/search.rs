//! Finding experts: one statement for a page, whatever is asked for, and one for its skills. Conditions on children
//! (skills, calendar, load) are sub-selects, so that nothing but the page is read.

use chrono::{DateTime, Datelike as _, NaiveDate};
use diesel::dsl::{And, Eq, LeftJoinOn, LeftJoinQuerySource, exists, not};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date};

use super::model::{AffiliationKind, ExceptionKind, ExpertStatus};
use crate::auth::policy::Role;
use crate::calendar::{FiscalYear, month_range};
use crate::clock::UtcTime;
use crate::db::schema::{
    expert_areas, expert_exceptions, expert_skills, expert_weekly_slots, experts, organisations, pool_members, pools,
};
use crate::db::{Conn, Day};
use crate::error::{Error, ErrorCode};
use crate::http::{Ctx, ListQuery};
use crate::ids::{ExpertId, OrganisationId, PoolId, SkillItemId};
use crate::pools::store as pools_store;
use crate::requests::model::Mode;
use crate::text;

type Backend = <Conn as Connection>::Backend;
/// Experts, each beside the skill that leads the search: where it is given, its index holds those who have it in the order
/// of the list; where none is, no row stands beside an expert and the database leaves the join out.
type Source = LeftJoinQuerySource<experts::table, expert_skills::table, Holds>;
type Holds = And<Eq<expert_skills::expert_id, experts::id>, Eq<expert_skills::skill_item_id, SkillItemId>>;
type Condition = Box<dyn BoxableExpression<Source, Backend, SqlType = Bool>>;

crate::text_enum! {
    /// Order of the expert list.
    pub enum ExpertSort {
        /// By reading.
        Kana = "kana", "五十音順";
        /// By reading, backwards.
        KanaDescending = "-kana", "五十音の逆順";
        /// By number.
        Id = "id", "番号順";
        /// Last changed first.
        Newest = "-updated_at", "更新の新しい順";
    }
}

/// A skill asked for, with the lowest level that will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkillTerm {
    /// The item.
    pub item: SkillItemId,
    /// The lowest level.
    pub level: i32,
}

/// What is looked for. Everything that is set must hold.
#[derive(Debug, Clone)]
pub struct ExpertFilter {
    /// In this pool.
    pub pool_id: Option<PoolId>,
    /// Folded words that all stand in the searched text.
    pub terms: Vec<String>,
    /// Skills that are all held.
    pub skills_all: Vec<SkillTerm>,
    /// Skills of which one is held; none asks for nothing.
    pub skills_any: Vec<SkillTerm>,
    /// Works in this mode.
    pub mode: Option<Mode>,
    /// In one of these states; none is any.
    pub statuses: Vec<ExpertStatus>,
    /// Travels to this body.
    pub area: Option<OrganisationId>,
    /// Appointed, registered and not away throughout this period, with some time in it that no visit takes.
    pub available: Option<(NaiveDate, NaiveDate)>,
    /// So many minutes are left in the month that begins on this day and in its fiscal year.
    pub remaining: Option<(i64, NaiveDate)>,
    /// Order.
    pub sort: ExpertSort,
}

impl ExpertFilter {
    /// Everybody who is seen, in the order of their reading.
    pub fn anybody() -> Self {
        Self {
            pool_id: None,
            terms: Vec::new(),
            skills_all: Vec::new(),
            skills_any: Vec::new(),
            mode: None,
            statuses: Vec::new(),
            area: None,
            available: None,
            remaining: None,
            sort: ExpertSort::Kana,
        }
    }

    /// The first of the skills that are all asked for.
    fn leading(&self) -> Option<SkillTerm> {
        self.skills_all.first().copied()
    }
}

/// An expert as lists show one.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = experts)]
#[expect(missing_docs, reason = "columns of ExpertRow")]
pub struct SummaryRow {
    pub id: ExpertId,
    pub pool_id: PoolId,
    pub name: String,
    pub kana: String,
    pub alternative_name: String,
    pub affiliation_kind: AffiliationKind,
    pub affiliation: String,
    pub onsite: bool,
    pub online: bool,
    pub base_organisation_id: Option<OrganisationId>,
    pub base_place: String,
    pub status: ExpertStatus,
    #[diesel(deserialize_as = Day)]
    pub appointed_from: NaiveDate,
    pub appointed_to: Option<NaiveDate>,
    pub updated_at: UtcTime,
}

/// Where a row stands in an order, for the cursor.
pub fn position(sort: ExpertSort, row: &SummaryRow) -> (String, i64) {
    let key = match sort {
        ExpertSort::Kana | ExpertSort::KanaDescending => row.kana.clone(),
        ExpertSort::Id => String::new(),
        ExpertSort::Newest => row.updated_at.instant().timestamp_micros().to_string(),
    };
    (key, row.id.0)
}

/// A page of the experts that the principal sees.
pub fn list(
    conn: &mut Conn,
    ctx: &Ctx,
    filter: &ExpertFilter,
    list: &ListQuery,
    counted: bool,
) -> Result<Vec<SummaryRow>, Error> {
    let pool = match filter.pool_id {
        Some(pool) => Some(pool),
        // Rows of one pool are read in the order of its index; a count reads them all anyway.
        None if counted || ctx.principal.acts_as == Role::Expert => None,
        None => match pools_store::visible_pool_ids(conn, ctx)?.as_slice() {
            [] => return Ok(Vec::new()),
            [(only, _)] => Some(*only),
            _ => None,
        },
    };
    let leading = filter.leading();
    let mut query = beside(leading).select(SummaryRow::as_select()).limit(list.fetch()).into_boxed();
    for condition in conditions(ctx, filter) {
        query = query.filter(condition);
    }
    if let Some(pool) = pool {
        query = query.filter(experts::pool_id.eq(pool));
        if leading.is_some() {
            query = query.filter(expert_skills::pool_id.nullable().eq(pool));
        }
    }
    // The key is bounded twice: the first bound lets the index find the place, the second breaks ties.
    query = match filter.sort {
        // The same order, written for the table whose index leads.
        ExpertSort::Kana if leading.is_some() => {
            let (kana_key, id_key) = (expert_skills::kana.nullable(), expert_skills::expert_id.nullable());
            if let Some((kana, id)) = list.after() {
                let kana = kana.to_owned();
                query = query.filter(kana_key.ge(kana.clone())).filter(kana_key.gt(kana).or(id_key.gt(ExpertId(id))));
            }
            query.order((kana_key.asc(), id_key.asc()))
        }
        ExpertSort::Kana => {
            if let Some((kana, id)) = list.after() {
                let kana = kana.to_owned();
                query =
                    query.filter(experts::kana.ge(kana.clone())).filter(experts::kana.gt(kana).or(experts::id.gt(ExpertId(id))));
            }
            query.order((experts::kana.asc(), experts::id.asc()))
        }
        ExpertSort::KanaDescending => {
            if let Some((kana, id)) = list.after() {
                let kana = kana.to_owned();
                query =
                    query.filter(experts::kana.le(kana.clone())).filter(experts::kana.lt(kana).or(experts::id.lt(ExpertId(id))));
            }
            query.order((experts::kana.desc(), experts::id.desc()))
        }
        ExpertSort::Id => {
            if let Some((_, id)) = list.after() {
                query = query.filter(experts::id.gt(ExpertId(id)));
            }
            query.order(experts::id.asc())
        }
        ExpertSort::Newest => {
            if let Some((micros, id)) = list.after_parsed::<i64>()? {
                let instant = DateTime::from_timestamp_micros(micros).ok_or_else(|| Error::new(ErrorCode::InvalidCursor))?;
                let instant = UtcTime::new(instant);
                query = query
                    .filter(experts::updated_at.le(instant))
                    .filter(experts::updated_at.lt(instant).or(experts::id.lt(ExpertId(id))));
            }
            query.order((experts::updated_at.desc(), experts::id.desc()))
        }
    };
    Ok(query.load(conn)?)
}

/// How many experts match, over all pages.
pub fn total(conn: &mut Conn, ctx: &Ctx, filter: &ExpertFilter) -> Result<i64, Error> {
    let mut query = beside(filter.leading()).select(diesel::dsl::count_star()).into_boxed();
    for condition in conditions(ctx, filter) {
        query = query.filter(condition);
    }
    if let Some(pool) = filter.pool_id {
        query = query.filter(experts::pool_id.eq(pool));
    }
    Ok(query.get_result(conn)?)
}

/// Experts beside the leading skill, or beside nothing.
fn beside(leading: Option<SkillTerm>) -> LeftJoinOn<experts::table, expert_skills::table, Holds> {
    let item = leading.map_or(SkillItemId(0), |term| term.item);
    experts::table
        .left_join(expert_skills::table.on(expert_skills::expert_id.eq(experts::id).and(expert_skills::skill_item_id.eq(item))))
}

/// Everything but the order and the place in it.
fn conditions(ctx: &Ctx, filter: &ExpertFilter) -> Vec<Condition> {
    let mut all: Vec<Condition> = vec![visible(ctx)];
    for term in &filter.terms {
        all.push(Box::new(experts::search_key.like(format!("%{}%", text::like_pattern(term))).escape('\\')));
    }
    if let Some(term) = filter.leading() {
        all.push(Box::new(expert_skills::level.nullable().ge(term.level).assume_not_null()));
    }
    all.extend(filter.skills_all.iter().skip(1).map(|term| holds(*term)));
    all.extend(filter.skills_any.iter().map(|term| holds(*term)).reduce(either));
    match filter.mode {
        None => {}
        Some(Mode::Onsite) => all.push(Box::new(experts::onsite.eq(true))),
        Some(Mode::Online) => all.push(Box::new(experts::online.eq(true))),
        Some(Mode::Hybrid) => all.push(Box::new(experts::onsite.eq(true).and(experts::online.eq(true)))),
    }
    let statuses = filter.statuses.iter().map(|status| Box::new(experts::status.eq(*status)) as Condition).reduce(either);
    all.extend(statuses);
    if let Some(area) = filter.area {
        all.push(serves(area));
    }
    if let Some((from, to)) = filter.available {
        all.extend(available(from, to));
    }
    if let Some((minutes, month)) = filter.remaining {
        all.push(remaining("experts.capacity_minutes_month", minutes, month, month_range(month).1));
        let year = FiscalYear::of(month);
        all.push(remaining("experts.capacity_minutes_year", minutes, year.first_day(), year.last_day()));
    }
    all
}

fn either(one: Condition, other: Condition) -> Condition {
    Box::new(one.or(other))
}

/// The pools that the organisation runs or belongs to today; experts see their own registrations.
fn visible(ctx: &Ctx) -> Condition {
    if ctx.principal.acts_as == Role::Expert {
        return Box::new(experts::id.eq_any(ctx.principal.expert_ids.clone()));
    }
    let (me, today) = (ctx.organisation(), ctx.today());
    let own = pools::table.filter(pools::owner_organisation_id.eq(me)).select(pools::id);
    let joined = pool_members::table
        .filter(pool_members::organisation_id.eq(me))
        .filter(pool_members::valid_from.le(today))
        .filter(pool_members::valid_to.is_null().or(pool_members::valid_to.gt(today)))
        .select(pool_members::pool_id);
    Box::new(experts::pool_id.eq_any(own).or(experts::pool_id.eq_any(joined)))
}

/// Asked for each row in the order of the list: a page is full long before everybody who holds the skill was looked at.
fn holds(term: SkillTerm) -> Condition {
    let held = diesel::alias!(expert_skills as held);
    Box::new(exists(
        held.filter(held.field(expert_skills::expert_id).eq(experts::id))
            .filter(held.field(expert_skills::skill_item_id).eq(term.item))
            .filter(held.field(expert_skills::level).ge(term.level)),
    ))
}

fn serves(area: OrganisationId) -> Condition {
    let prefecture =
        organisations::table.filter(organisations::id.eq(area)).select(organisations::prefecture_id.assume_not_null());
    let anywhere = not(exists(expert_areas::table.filter(expert_areas::expert_id.eq(experts::id))));
    let named = exists(
        expert_areas::table
            .filter(expert_areas::expert_id.eq(experts::id))
            .filter(expert_areas::organisation_id.eq(area).or(expert_areas::organisation_id.eq_any(prefecture))),
    );
    Box::new(anywhere.or(named))
}

fn available(from: NaiveDate, to: NaiveDate) -> Vec<Condition> {
    let mut all: Vec<Condition> = vec![
        Box::new(experts::status.eq(ExpertStatus::Registered)),
        Box::new(experts::appointed_from.le(from)),
        Box::new(experts::appointed_to.is_null().or(experts::appointed_to.gt(to)).assume_not_null()),
        Box::new(not(exists(
            expert_exceptions::table
                .filter(expert_exceptions::expert_id.eq(experts::id))
                .filter(expert_exceptions::kind.ne(ExceptionKind::Available))
                .filter(expert_exceptions::start_minute.is_null())
                .filter(expert_exceptions::first_day.le(from))
                .filter(expert_exceptions::last_day.ge(to)),
        ))),
    ];
    let days = weekdays(from, to);
    if days.len() < 7 {
        // Whoever declares no week works by arrangement at any time; from a whole week on every window recurs.
        let any_time = not(exists(expert_weekly_slots::table.filter(expert_weekly_slots::expert_id.eq(experts::id))));
        let weekly = exists(
            expert_weekly_slots::table
                .filter(expert_weekly_slots::expert_id.eq(experts::id))
                .filter(expert_weekly_slots::weekday.eq_any(days)),
        );
        let extra = exists(
            expert_exceptions::table
                .filter(expert_exceptions::expert_id.eq(experts::id))
                .filter(expert_exceptions::kind.eq(ExceptionKind::Available))
                .filter(expert_exceptions::first_day.le(to))
                .filter(expert_exceptions::last_day.ge(from)),
        );
        all.push(Box::new(any_time.or(weekly).or(extra)));
    }
    all.push(has_free_time(from, to));
    all
}

/// The minutes of the week that fall into the period exceed those of the visits held and planned in it. Whoever declares no
/// week, or is free besides it, is taken only when every day of the period has a visit.
fn has_free_time(from: NaiveDate, to: NaiveDate) -> Condition {
    let days = (to - from).num_days().saturating_add(1);
    let by_weekday = weekday_counts(from, days).map(|(weekday, count)| format!("WHEN {weekday} THEN {count} ")).concat();
    let booked = "FROM visits v WHERE v.expert_id = experts.id AND v.status IN ('held', 'planned') AND v.day >= ";
    Box::new(
        diesel::dsl::sql::<Bool>(&format!(
            "(NOT EXISTS (SELECT 1 {booked}"
        ))
        .bind::<Date, _>(from)
        .sql(" AND v.day <= ")
        .bind::<Date, _>(to)
        .sql(&format!(
            ") OR COALESCE((SELECT SUM((s.end_minute - s.start_minute) * (CASE s.weekday {by_weekday}ELSE 0 END)) \
             FROM expert_weekly_slots s WHERE s.expert_id = experts.id), 0) > (SELECT COALESCE(SUM(v.planned_minutes), 0) {booked}"
        ))
        .bind::<Date, _>(from)
        .sql(" AND v.day <= ")
        .bind::<Date, _>(to)
        .sql(
            ") OR ((NOT EXISTS (SELECT 1 FROM expert_weekly_slots s WHERE s.expert_id = experts.id) \
             OR EXISTS (SELECT 1 FROM expert_exceptions x WHERE x.expert_id = experts.id AND x.kind = 'available' AND x.first_day <= ",
        )
        .bind::<Date, _>(to)
        .sql(" AND x.last_day >= ")
        .bind::<Date, _>(from)
        .sql(&format!(")) AND {days} > (SELECT COUNT(DISTINCT v.day) {booked}"))
        .bind::<Date, _>(from)
        .sql(" AND v.day <= ")
        .bind::<Date, _>(to)
        .sql(")))"),
    )
}

/// How often each weekday (1 Monday to 7 Sunday) occurs in so many days from a day on.
fn weekday_counts(from: NaiveDate, days: i64) -> [(i64, i64); 7] {
    let first = i64::from(from.weekday().num_days_from_monday());
    std::array::from_fn(|i| {
        let weekday = i64::try_from(i).unwrap_or(0);
        let offset = (weekday - first).rem_euclid(7);
        (weekday + 1, (days - offset + 6).div_euclid(7).max(0))
    })
}

/// The weekdays (1 Monday to 7 Sunday) that occur in a period.
fn weekdays(from: NaiveDate, to: NaiveDate) -> Vec<i32> {
    let mut days: Vec<i32> = from
        .iter_days()
        .take(7)
        .take_while(|day| *day <= to)
        .filter_map(|day| i32::try_from(day.weekday().number_from_monday()).ok())
        .collect();
    days.sort_unstable();
    days
}

/// What counts as load is the rule of [`super::load`].
fn remaining(capacity: &'static str, minutes: i64, from: NaiveDate, to: NaiveDate) -> Condition {
    Box::new(
        diesel::dsl::sql::<Bool>(&format!(
            "({capacity} IS NULL OR {capacity} - (SELECT COALESCE(SUM(CASE WHEN v.status = 'done' THEN v.actual_minutes \
             ELSE v.planned_minutes END), 0) FROM visits v WHERE v.expert_id = experts.id \
             AND v.status IN ('held', 'planned', 'done') AND v.load_day >= "
        ))
        .bind::<Date, _>(from)
        .sql(" AND v.load_day <= ")
        .bind::<Date, _>(to)
        .sql(") >= ")
        .bind::<BigInt, _>(minutes)
        .sql(")"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_a_period_is_counted_under_its_weekday() {
        let friday = NaiveDate::from_ymd_opt(2026, 5, 8).unwrap();
        for days in 1..40 {
            let counted = weekday_counts(friday, days);
            for (weekday, count) in counted {
                let seen = friday.iter_days().take(usize::try_from(days).unwrap());
                let seen = seen.filter(|day| i64::from(day.weekday().number_from_monday()) == weekday).count();
                assert_eq!(count, i64::try_from(seen).unwrap(), "{days} days, weekday {weekday}");
            }
        }
    }

    #[test]
    fn a_period_has_the_weekdays_of_its_days() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 5, d).unwrap();
        assert_eq!(weekdays(day(8), day(8)), [5]);
        assert_eq!(weekdays(day(9), day(11)), [1, 6, 7]);
        assert_eq!(weekdays(day(1), day(31)), [1, 2, 3, 4, 5, 6, 7]);
    }
}
