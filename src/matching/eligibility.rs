//! The conditions an expert must meet to be ranked: a list of small policies, each a pure function of the request and
//! the expert that says yes or no; [`super::wording`] puts a no into words.
//!
//! A policy excludes only on certain knowledge. Capacity is checked by conditions that any plan would have to meet (the
//! period as a whole leaves too little, no month holds the longest visit); the binding check is made when an offer is
//! accepted, under lock.

use super::asked::Asked;
use super::dates::{self, DayFit, Obstacle};
use super::explain::{Exclusion, ExclusionCode};
use super::input::{Candidate, CandidateStatus, Conflict, ConflictKind, Consent, NeedMode, SkillNeed};
use super::wording;

/// One condition.
pub struct Policy {
    /// The reason that a failing expert is given.
    pub code: ExclusionCode,
    /// Whether the expert fails it.
    pub blocks: Blocks,
}

/// Whether an expert fails a condition: by the request, the expert, and how the expert stands to the request's days.
pub type Blocks = fn(&Asked<'_>, &Candidate, &DayFit) -> bool;

const fn policy(code: ExclusionCode, blocks: Blocks) -> Policy {
    Policy { code, blocks }
}

/// Every condition, in the order in which reasons are listed.
pub const POLICIES: &[Policy] = &[
    policy(ExclusionCode::NotRegistered, |_, candidate, _| candidate.status == CandidateStatus::NotRegistered),
    policy(ExclusionCode::Suspended, |_, candidate, _| candidate.status == CandidateStatus::Suspended),
    policy(ExclusionCode::AppointmentNotStarted, appointment_not_begun),
    policy(ExclusionCode::AppointmentEnded, appointment_over),
    policy(ExclusionCode::ConflictOfInterest, |asked, candidate, _| conflicts(asked, candidate).next().is_some()),
    policy(ExclusionCode::Refused, |asked, candidate, _| refusals(asked, candidate).next().is_some()),
    policy(ExclusionCode::ProgrammeLimit, |_, candidate, _| {
        candidate.programme_limit.is_some_and(|rule| rule.used >= rule.limit)
    }),
    policy(ExclusionCode::ModeNotOffered, |asked, candidate, _| lacking_modes(asked, candidate) != (false, false)),
    policy(ExclusionCode::OutsideArea, outside_area),
    policy(ExclusionCode::IslandNotServed, island_not_served),
    policy(ExclusionCode::LanguageMissing, |asked, candidate, _| missing_languages(asked, candidate).next().is_some()),
    policy(ExclusionCode::SkillsMissing, |asked, candidate, _| skills_missing(asked, candidate)),
    policy(ExclusionCode::EmployerConsent, consent_missing),
    policy(ExclusionCode::OnLeave, on_leave),
    policy(ExclusionCode::OutsideAvailability, |_, _, days| days.all_meet(Obstacle::OutsideAvailability)),
    policy(ExclusionCode::CalendarBusy, |_, _, days| days.all_meet(Obstacle::Busy)),
    policy(ExclusionCode::NoDatePossible, |_, _, days| days.none_for_several_reasons()),
    policy(ExclusionCode::WeekCapacity, week_full),
    policy(ExclusionCode::MonthCapacity, month_full),
    policy(ExclusionCode::FiscalYearCapacity, year_full),
    policy(ExclusionCode::FiscalYearDays, year_days_full),
    policy(ExclusionCode::SimultaneousCapacity, |_, candidate, _| {
        candidate.simultaneous_capacity.is_some_and(|capacity| candidate.simultaneous >= capacity)
    }),
];

/// The reasons that keep an expert from a request, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Reasons(u32);

impl Reasons {
    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The codes, in the order of the conditions.
    pub fn codes(self) -> impl Iterator<Item = ExclusionCode> {
        POLICIES.iter().map(|policy| policy.code).filter(move |code| self.contains(*code))
    }

    /// Whether a reason is among them.
    pub fn contains(self, code: ExclusionCode) -> bool {
        self.0 & (1 << code as u32) != 0
    }

    /// These and one more.
    #[must_use]
    pub fn with(self, code: ExclusionCode) -> Self {
        Self(self.0 | 1 << code as u32)
    }

    /// Those that are not among others.
    #[must_use]
    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }
}

/// Every reason why this expert cannot be ranked for this request; none for the eligible.
pub fn reasons(asked: &Asked<'_>, candidate: &Candidate) -> Reasons {
    reasons_with(asked, candidate, &DayFit::of(asked, candidate))
}

pub(super) fn reasons_with(asked: &Asked<'_>, candidate: &Candidate, days: &DayFit) -> Reasons {
    POLICIES
        .iter()
        .filter(|policy| (policy.blocks)(asked, candidate, days))
        .fold(Reasons::default(), |reasons, policy| reasons.with(policy.code))
}

/// Whether an expert meets every condition.
pub fn is_eligible(asked: &Asked<'_>, candidate: &Candidate) -> bool {
    eligible_days(asked, candidate, false).is_some()
}

/// How an eligible expert stands to the request's days; `None`: not eligible. Of those whose skills are known to do, skills are
/// not looked at again.
pub(super) fn eligible_days(asked: &Asked<'_>, candidate: &Candidate, skilled: bool) -> Option<DayFit> {
    // What excludes most is looked at first.
    if candidate.status != CandidateStatus::Registered || (!skilled && skills_missing(asked, candidate)) {
        return None;
    }
    let days = DayFit::of(asked, candidate);
    let mut rest = POLICIES.iter().filter(|policy| policy.code != ExclusionCode::SkillsMissing);
    (!rest.any(|policy| (policy.blocks)(asked, candidate, &days))).then_some(days)
}

/// Every reason in words.
pub fn exclusions(asked: &Asked<'_>, candidate: &Candidate) -> Vec<Exclusion> {
    reasons(asked, candidate).codes().map(|code| wording::words(code, asked, candidate)).collect()
}

fn appointment_not_begun(asked: &Asked<'_>, candidate: &Candidate, days: &DayFit) -> bool {
    candidate.appointed_from.is_some_and(|from| asked.need.period_to < from || days.all_meet(Obstacle::BeforeAppointment))
}

fn appointment_over(asked: &Asked<'_>, candidate: &Candidate, days: &DayFit) -> bool {
    candidate.appointed_to.is_some_and(|to| asked.need.period_from > to || days.all_meet(Obstacle::AfterAppointment))
}

fn in_force<'a>(asked: &'a Asked<'_>, candidate: &'a Candidate) -> impl Iterator<Item = &'a Conflict> {
    let (first, last) = asked.span;
    candidate.conflicts.iter().filter(move |conflict| conflict.from <= last && conflict.to.is_none_or(|to| to > first))
}

/// The applicant itself, or anybody with an interest in the outcome, whom the expert must not judge; the body of whose staff
/// the expert is.
pub(super) fn conflicts<'a>(asked: &'a Asked<'_>, candidate: &'a Candidate) -> impl Iterator<Item = i64> + 'a {
    let need = asked.need;
    let concerned = |body: i64| need.is_applicant(body) || need.conflict_org_ids.contains(&body);
    let own = candidate.own_body.filter(move |own| concerned(*own));
    let declared = in_force(asked, candidate)
        .filter(|conflict| conflict.kind == ConflictKind::Interest)
        .map(|conflict| conflict.organisation_id)
        .filter(move |org| concerned(*org));
    own.into_iter().chain(declared)
}

/// Refusals between the expert and the applicant. Others who are merely interested do not matter here.
pub(super) fn refusals<'a>(asked: &'a Asked<'_>, candidate: &'a Candidate) -> impl Iterator<Item = ConflictKind> + 'a {
    in_force(asked, candidate)
        .filter(|conflict| conflict.kind != ConflictKind::Interest && asked.need.is_applicant(conflict.organisation_id))
        .map(|conflict| conflict.kind)
}

/// Whether work on site, and whether work online, is asked for and not offered.
pub(super) fn lacking_modes(asked: &Asked<'_>, candidate: &Candidate) -> (bool, bool) {
    let mode = asked.need.mode;
    (mode != NeedMode::Online && !candidate.onsite, mode != NeedMode::Onsite && !candidate.online)
}

/// Areas say where an expert travels, so they do not bind online work.
fn outside_area(asked: &Asked<'_>, candidate: &Candidate, _: &DayFit) -> bool {
    let need = asked.need;
    need.mode != NeedMode::Online
        && !candidate.areas.is_empty()
        && !candidate.areas.iter().any(|area| need.is_applicant(*area) || *area == need.prefecture_id)
}

fn island_not_served(asked: &Asked<'_>, candidate: &Candidate, _: &DayFit) -> bool {
    asked.need.on_island && asked.need.mode != NeedMode::Online && !candidate.serves_islands
}

pub(super) fn missing_languages<'a>(asked: &'a Asked<'_>, candidate: &'a Candidate) -> impl Iterator<Item = &'a String> {
    asked.need.languages.iter().filter(|language| !candidate.languages.contains(language))
}

/// The required skills that the expert does not hold, each with its alternatives.
pub(super) fn missing_skills<'a>(asked: &'a Asked<'_>, candidate: &'a Candidate) -> impl Iterator<Item = &'a Vec<usize>> {
    let required = &asked.need.required;
    asked
        .requirements
        .iter()
        .filter(move |places| !places.iter().any(|place| required.get(*place).is_some_and(|skill| holds(candidate, skill))))
}

/// Whoever goes alone holds every required skill; a member of a team one of them, if any is required.
fn skills_missing(asked: &Asked<'_>, candidate: &Candidate) -> bool {
    let mut missing = missing_skills(asked, candidate);
    if asked.is_team() { missing.count() == asked.requirements.len().max(1) } else { missing.next().is_some() }
}

/// Whether a skill is held at the level, and confirmed where that is asked for.
pub(super) fn holds(candidate: &Candidate, need: &SkillNeed) -> bool {
    candidate.skills.iter().any(|skill| {
        skill.skill_item_id == need.skill_item_id && skill.level >= need.min_level && (skill.verified || !need.verified_only)
    })
}

/// The permit has to last until the period begins at least; which days it allows is looked at when dates are agreed.
fn consent_missing(asked: &Asked<'_>, candidate: &Candidate, _: &DayFit) -> bool {
    match candidate.consent {
        Consent::NotNeeded | Consent::Given(None) => false,
        Consent::Pending => true,
        Consent::Given(Some(until)) => {
            until < asked.need.period_from || (!asked.dated.is_empty() && asked.dated.iter().all(|(day, _)| *day > until))
        }
    }
}

fn on_leave(asked: &Asked<'_>, candidate: &Candidate, days: &DayFit) -> bool {
    !candidate.leaves.is_empty()
        && (days.all_meet(Obstacle::Leave) || dates::leave_covers(candidate, asked.need.period_from, asked.need.period_to))
}

/// A week never holds the longest visit, or no wished date lies in a week with room. Where days are to be arranged, which
/// weeks are full does not matter.
fn week_full(asked: &Asked<'_>, candidate: &Candidate, days: &DayFit) -> bool {
    candidate.week_capacity_minutes.is_some_and(|capacity| capacity < asked.longest.max(1) || days.all_meet(Obstacle::WeekFull))
}

/// What the months leave of an agreed capacity, month by month.
pub(super) fn month_rooms<'a>(asked: &'a Asked<'_>, candidate: &'a Candidate, capacity: u32) -> impl Iterator<Item = u32> + 'a {
    asked.months.iter().map(move |(year, month)| capacity.saturating_sub(dates::month_minutes(candidate, *year, *month)))
}

/// What the fiscal years leave of an agreed capacity, year by year.
pub(super) fn year_rooms<'a>(asked: &'a Asked<'_>, candidate: &'a Candidate, capacity: u32) -> impl Iterator<Item = u32> + 'a {
    asked.years.iter().map(move |year| capacity.saturating_sub(dates::year_minutes(candidate, *year)))
}

fn month_full(asked: &Asked<'_>, candidate: &Candidate, days: &DayFit) -> bool {
    candidate
        .month_capacity_minutes
        .is_some_and(|capacity| days.all_meet(Obstacle::MonthFull) || !has_room(asked, month_rooms(asked, candidate, capacity)))
}

fn year_full(asked: &Asked<'_>, candidate: &Candidate, _: &DayFit) -> bool {
    candidate.year_capacity_minutes.is_some_and(|capacity| !has_room(asked, year_rooms(asked, candidate, capacity)))
}

fn year_days_full(asked: &Asked<'_>, candidate: &Candidate, _: &DayFit) -> bool {
    candidate.year_capacity_days.is_some_and(|capacity| days_left(asked, candidate, capacity) < u64::from(asked.days))
}

/// Days that the fiscal years of the request leave in all.
pub(super) fn days_left(asked: &Asked<'_>, candidate: &Candidate, capacity: u32) -> u64 {
    asked.years.iter().map(|year| u64::from(capacity.saturating_sub(dates::year_days(candidate, *year)))).sum()
}

/// Whether the months or years have room for the visits: enough minutes in all, and one of them enough for the longest
/// visit. A request that names no visit needs at least a minute.
fn has_room(asked: &Asked<'_>, rooms: impl Iterator<Item = u32>) -> bool {
    let (sum, largest) = rooms.fold((0_u64, 0), |(sum, largest), room| (sum + u64::from(room), room.max(largest)));
    sum >= asked.minutes && largest >= asked.longest
}

/// Whether an expert holds one of the alternatives of a requirement, by its place among [`Asked::requirement_count`].
pub fn meets(asked: &Asked<'_>, candidate: &Candidate, requirement: usize) -> bool {
    let skills = asked.requirements.get(requirement).into_iter().flatten();
    skills.filter_map(|place| asked.need.required.get(*place)).any(|skill| holds(candidate, skill))
}

/// Whether experts together hold every required skill.
pub fn covers(asked: &Asked<'_>, together: &[&Candidate]) -> bool {
    (0..asked.requirement_count()).all(|requirement| together.iter().any(|candidate| meets(asked, candidate, requirement)))
}
