//! The conditions an expert must meet to be ranked: a list of small policies, each a pure function of the request and
//! the expert that returns its reason or none.
//!
//! A policy excludes only on certain knowledge. Capacity is checked by conditions that any plan would have to meet (the
//! period as a whole leaves too little, no month holds the longest visit); the binding check is made when an offer is
//! accepted, under lock.

use chrono::NaiveDate;

use crate::calendar::wareki;

use super::dates::{self, Obstacle};
use super::explain::{Exclusion, ExclusionCode};
use super::input::{Candidate, CandidateStatus, Need, NeedMode, SkillNeed};

/// One condition: `None` if the expert meets it, else the reason for exclusion.
pub type Policy = fn(&Need, &Candidate) -> Option<Exclusion>;

/// Every condition, in the order in which reasons are listed.
pub const POLICIES: &[Policy] = &[
    registered,
    not_suspended,
    appointment_begun,
    appointment_not_over,
    no_conflict_of_interest,
    programme_limit_left,
    mode_offered,
    area_served,
    required_skills_held,
    not_on_leave,
    within_availability,
    calendar_free,
    some_date_possible,
    month_capacity_left,
    year_capacity_left,
    simultaneous_capacity_left,
];

/// Every reason why this expert cannot be ranked for this request; empty for the eligible.
pub fn exclusions(need: &Need, candidate: &Candidate) -> Vec<Exclusion> {
    POLICIES.iter().filter_map(|policy| policy(need, candidate)).collect()
}

fn registered(_: &Need, candidate: &Candidate) -> Option<Exclusion> {
    (candidate.status == CandidateStatus::NotRegistered).then(|| {
        Exclusion::new(ExclusionCode::NotRegistered, "専門人材として登録されていません。", "The expert is not registered.")
    })
}

fn not_suspended(_: &Need, candidate: &Candidate) -> Option<Exclusion> {
    (candidate.status == CandidateStatus::Suspended)
        .then(|| Exclusion::new(ExclusionCode::Suspended, "登録が停止されています。", "The registration is suspended."))
}

fn appointment_begun(need: &Need, candidate: &Candidate) -> Option<Exclusion> {
    let from = candidate.appointed_from?;
    let too_early = need.period_to < from || dates::all_blocked_by(need, candidate, Obstacle::BeforeAppointment);
    too_early.then(|| {
        Exclusion::new(
            ExclusionCode::AppointmentNotStarted,
            format!("委嘱期間が{}からのため、希望時期に対応できません。", wareki(from)),
            format!("The appointment starts only on {from}."),
        )
        .with("appointed_from", from)
    })
}

fn appointment_not_over(need: &Need, candidate: &Candidate) -> Option<Exclusion> {
    let to = candidate.appointed_to?;
    let too_late = need.period_from > to || dates::all_blocked_by(need, candidate, Obstacle::AfterAppointment);
    too_late.then(|| {
        Exclusion::new(
            ExclusionCode::AppointmentEnded,
            format!("委嘱期間が{}で終了するため、希望時期に対応できません。", wareki(to)),
            format!("The appointment ends on {to}."),
        )
        .with("appointed_to", to)
    })
}

/// The applicant itself or anybody with an interest in the outcome is among those the expert must not judge.
fn no_conflict_of_interest(need: &Need, candidate: &Candidate) -> Option<Exclusion> {
    let mut orgs: Vec<i64> = candidate
        .conflict_org_ids
        .iter()
        .copied()
        .filter(|org| *org == need.municipality_id || need.conflict_org_ids.contains(org))
        .collect();
    if orgs.is_empty() {
        return None;
    }
    orgs.sort_unstable();
    orgs.dedup();
    Some(
        Exclusion::new(
            ExclusionCode::ConflictOfInterest,
            format!("利益相反のおそれがある団体が{}件あります。", orgs.len()),
            format!("A conflict of interest with {} organisation(s).", orgs.len()),
        )
        .with("organisation_ids", ids(orgs)),
    )
}

fn programme_limit_left(_: &Need, candidate: &Candidate) -> Option<Exclusion> {
    let rule = candidate.programme_limit?;
    (rule.used >= rule.limit).then(|| {
        Exclusion::new(
            ExclusionCode::ProgrammeLimit,
            format!("同じ団体への派遣は年度内{}回までで、すでに{}回あります。", rule.limit, rule.used),
            format!("The programme allows {} dispatch(es) to the same body a fiscal year; {} exist.", rule.limit, rule.used),
        )
        .with("limit", rule.limit)
        .with("used", rule.used)
    })
}

fn mode_offered(need: &Need, candidate: &Candidate) -> Option<Exclusion> {
    let onsite = need.mode != NeedMode::Online && !candidate.onsite;
    let online = need.mode != NeedMode::Onsite && !candidate.online;
    let (lacking, ja, en) = match (onsite, online) {
        (false, false) => return None,
        (true, false) => ("onsite", "訪問", "on-site work"),
        (false, true) => ("online", "オンライン", "online work"),
        (true, true) => ("onsite,online", "訪問・オンライン", "on-site or online work"),
    };
    Some(
        Exclusion::new(
            ExclusionCode::ModeNotOffered,
            format!("{ja}での対応ができません。"),
            format!("The expert does not offer {en}."),
        )
        .with("modes", lacking),
    )
}

/// Areas say where an expert travels, so they do not bind online work.
fn area_served(need: &Need, candidate: &Candidate) -> Option<Exclusion> {
    let served = need.mode == NeedMode::Online
        || candidate.areas.is_empty()
        || candidate.areas.iter().any(|area| *area == need.municipality_id || *area == need.prefecture_id);
    (!served).then(|| {
        Exclusion::new(
            ExclusionCode::OutsideArea,
            "訪問できる地域に含まれていません。",
            "The place is outside the areas the expert travels to.",
        )
        .with("municipality_id", need.municipality_id)
    })
}

fn required_skills_held(need: &Need, candidate: &Candidate) -> Option<Exclusion> {
    /// Names beyond this many are only counted, so that the text stays readable.
    const NAMED: usize = 5;
    let missing: Vec<&SkillNeed> = need.required.iter().filter(|skill| skill.must && !holds(candidate, skill)).collect();
    if missing.is_empty() {
        return None;
    }
    let named = |text: fn(&SkillNeed) -> String, separator: &str| {
        let texts: Vec<String> = missing.iter().take(NAMED).map(|skill| text(skill)).collect();
        texts.join(separator)
    };
    let ja = named(|skill| format!("{}（レベル{}以上）", skill.name, skill.min_level), "、");
    let en = named(|skill| format!("{} (level {} or above)", skill.name, skill.min_level), ", ");
    let more = missing.len().saturating_sub(NAMED);
    let (more_ja, more_en) =
        if more == 0 { (String::new(), String::new()) } else { (format!("ほか{more}件"), format!(" and {more} more")) };
    Some(
        Exclusion::new(
            ExclusionCode::SkillsMissing,
            format!("必須スキルを満たしていません：{ja}{more_ja}"),
            format!("Required skills are missing: {en}{more_en}"),
        )
        .with("skill_item_ids", ids(missing.iter().map(|skill| skill.skill_item_id))),
    )
}

fn holds(candidate: &Candidate, need: &SkillNeed) -> bool {
    candidate.skills.iter().any(|skill| skill.skill_item_id == need.skill_item_id && skill.level >= need.min_level)
}

fn not_on_leave(need: &Need, candidate: &Candidate) -> Option<Exclusion> {
    let away = dates::leave_covers(candidate, need.period_from, need.period_to)
        || dates::all_blocked_by(need, candidate, Obstacle::Leave);
    away.then(|| {
        Exclusion::new(ExclusionCode::OnLeave, "希望時期は休止期間中です。", "The expert is on leave at the time.")
            .with("days", wished_days(need))
    })
}

fn within_availability(need: &Need, candidate: &Candidate) -> Option<Exclusion> {
    dates::all_blocked_by(need, candidate, Obstacle::OutsideAvailability).then(|| {
        Exclusion::new(
            ExclusionCode::OutsideAvailability,
            "希望日時はいずれも対応可能な曜日・時間帯の外です。",
            "Every wished date is outside the expert's available hours.",
        )
        .with("days", wished_days(need))
    })
}

fn calendar_free(need: &Need, candidate: &Candidate) -> Option<Exclusion> {
    dates::all_blocked_by(need, candidate, Obstacle::Busy).then(|| {
        Exclusion::new(
            ExclusionCode::CalendarBusy,
            "希望日時はいずれも他の予定（移動時間を含む）と重なります。",
            "Every wished date overlaps other engagements, travel included.",
        )
        .with("days", wished_days(need))
    })
}

/// Each date is blocked, but not all by the same thing; where one thing blocks them all, its own reason says so.
fn some_date_possible(need: &Need, candidate: &Candidate) -> Option<Exclusion> {
    let one_reason = [
        Obstacle::BeforeAppointment,
        Obstacle::AfterAppointment,
        Obstacle::Leave,
        Obstacle::OutsideAvailability,
        Obstacle::Busy,
        Obstacle::MonthFull,
    ];
    let mixed = dates::all_blocked(need, candidate)
        && !one_reason.into_iter().any(|obstacle| dates::all_blocked_by(need, candidate, obstacle));
    mixed.then(|| {
        Exclusion::new(
            ExclusionCode::NoDatePossible,
            "委嘱期間・休止・対応時間・予定・月の上限により、対応できる希望日がありません。",
            "Appointment, leave, hours, engagements and monthly limits together leave no wished date.",
        )
        .with("days", wished_days(need))
    })
}

fn month_capacity_left(need: &Need, candidate: &Candidate) -> Option<Exclusion> {
    let capacity = candidate.month_capacity_minutes?;
    let rooms: Vec<u32> = dates::months(need)
        .into_iter()
        .map(|(year, month)| capacity.saturating_sub(dates::month_minutes(candidate, year, month)))
        .collect();
    let full = !has_room(need, &rooms) || dates::all_blocked_by(need, candidate, Obstacle::MonthFull);
    full.then(|| {
        let (left, needed) = (sum(&rooms), minutes_needed(need));
        Exclusion::new(
            ExclusionCode::MonthCapacity,
            format!("月の上限{capacity}分に対し、希望時期の残りは計{left}分です（必要{needed}分）。"),
            format!("Of {capacity} minutes a month, {left} are left in the period in all; {needed} are needed."),
        )
        .with("capacity_minutes", capacity)
        .with("left_minutes", left)
        .with("needed_minutes", needed)
    })
}

fn year_capacity_left(need: &Need, candidate: &Candidate) -> Option<Exclusion> {
    let capacity = candidate.year_capacity_minutes?;
    let rooms: Vec<u32> =
        dates::fiscal_years(need).into_iter().map(|year| capacity.saturating_sub(dates::year_minutes(candidate, year))).collect();
    (!has_room(need, &rooms)).then(|| {
        let (left, needed) = (sum(&rooms), minutes_needed(need));
        Exclusion::new(
            ExclusionCode::FiscalYearCapacity,
            format!("年度の上限{capacity}分に対し、残りは{left}分です（必要{needed}分）。"),
            format!("Of {capacity} minutes a fiscal year, {left} are left; {needed} are needed."),
        )
        .with("capacity_minutes", capacity)
        .with("left_minutes", left)
        .with("needed_minutes", needed)
    })
}

fn simultaneous_capacity_left(_: &Need, candidate: &Candidate) -> Option<Exclusion> {
    let capacity = candidate.simultaneous_capacity?;
    (candidate.simultaneous >= capacity).then(|| {
        Exclusion::new(
            ExclusionCode::SimultaneousCapacity,
            format!("同時に担当できる派遣は{capacity}件までで、現在{}件です。", candidate.simultaneous),
            format!("At most {capacity} dispatches at a time; there are {} now.", candidate.simultaneous),
        )
        .with("capacity", capacity)
        .with("current", candidate.simultaneous)
    })
}

/// Whether the months or years have room for the visits: enough minutes in all, and one of them enough for the longest
/// visit. A request that names no visit needs at least a minute.
fn has_room(need: &Need, rooms: &[u32]) -> bool {
    let longest = need.visits.iter().map(|visit| visit.minutes).max();
    let largest_room = rooms.iter().copied().max().unwrap_or(0);
    sum(rooms) >= minutes_needed(need) && largest_room >= longest.unwrap_or(0)
}

fn minutes_needed(need: &Need) -> u64 {
    let all: u64 = need.visits.iter().map(|visit| u64::from(visit.minutes)).sum();
    all.max(1)
}

fn sum(rooms: &[u32]) -> u64 {
    rooms.iter().copied().map(u64::from).sum()
}

fn wished_days(need: &Need) -> String {
    let mut days: Vec<NaiveDate> = dates::dated(need).map(|(day, _)| day).collect();
    days.sort_unstable();
    days.dedup();
    let days: Vec<String> = days.iter().map(NaiveDate::to_string).collect();
    days.join(",")
}

fn ids(ids: impl IntoIterator<Item = i64>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    ids.join(",")
}
