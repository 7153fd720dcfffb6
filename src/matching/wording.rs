//! The wording of exclusions. Codes and parameters are for programs, the details for people; the wording may improve, the
//! codes stay.

use chrono::NaiveDate;

use super::asked::Asked;
use super::eligibility::{
    conflicts, days_left, lacking_modes, missing_languages, missing_skills, month_rooms, refusals, year_rooms,
};
use super::explain::{Exclusion, ExclusionCode};
use super::input::{Candidate, ConflictKind, Consent, SkillNeed};
use crate::calendar::wareki;

/// A reason in words. To be asked for reasons that hold.
pub(super) fn words(code: ExclusionCode, asked: &Asked<'_>, candidate: &Candidate) -> Exclusion {
    use ExclusionCode as C;
    let plain = |ja: &str, en: &str| Exclusion::new(code, ja, en);
    match code {
        C::NotRegistered => plain("専門人材として登録されていません。", "The expert is not registered."),
        C::Suspended => plain("登録が停止されています。", "The registration is suspended."),
        C::AppointmentNotStarted => dated(code, candidate.appointed_from, "appointed_from", |ja, en| {
            (format!("委嘱期間が{ja}からのため、希望時期に対応できません。"), format!("The appointment starts only on {en}."))
        }),
        C::AppointmentEnded => dated(code, candidate.appointed_to, "appointed_to", |ja, en| {
            (format!("委嘱期間が{ja}で終了するため、希望時期に対応できません。"), format!("The appointment ends on {en}."))
        }),
        C::ConflictOfInterest => conflict(asked, candidate),
        C::Refused => refused(asked, candidate),
        C::ProgrammeLimit => {
            let (used, limit) = candidate.programme_limit.map_or((0, 0), |rule| (rule.used, rule.limit));
            Exclusion::new(
                code,
                format!("同じ団体への派遣は年度内{limit}回までで、すでに{used}回あります。"),
                format!("The programme allows {limit} dispatch(es) to the same body a fiscal year; {used} exist."),
            )
            .with("limit", limit)
            .with("used", used)
        }
        C::ModeNotOffered => modes(asked, candidate),
        C::OutsideArea => plain("訪問できる地域に含まれていません。", "The place is outside the areas the expert travels to.")
            .with("municipality_id", asked.need.municipality_id),
        C::IslandNotServed => plain("離島への訪問には対応していません。", "The expert does not travel to remote islands."),
        C::LanguageMissing => {
            let missing: Vec<&str> = missing_languages(asked, candidate).map(String::as_str).collect();
            let missing = missing.join(",");
            Exclusion::new(
                code,
                format!("必要な言語に対応していません：{missing}"),
                format!("The expert does not speak: {missing}"),
            )
            .with("languages", missing)
        }
        C::SkillsMissing => skills(asked, candidate),
        C::EmployerConsent => consent(candidate),
        C::OnLeave => plain("希望時期は休止期間中です。", "The expert is on leave at the time.").with("days", wished_days(asked)),
        C::OutsideAvailability => plain(
            "希望日時はいずれも対応可能な曜日・時間帯の外です。",
            "Every wished date is outside the expert's available hours.",
        )
        .with("days", wished_days(asked)),
        C::CalendarBusy => plain(
            "希望日時はいずれも他の予定（移動時間を含む）と重なります。",
            "Every wished date overlaps other engagements, travel included.",
        )
        .with("days", wished_days(asked)),
        C::NoDatePossible => plain(
            "委嘱期間・休止・対応時間・予定・月や週の上限により、対応できる希望日がありません。",
            "Appointment, leave, hours, engagements and limits of months and weeks together leave no wished date.",
        )
        .with("days", wished_days(asked)),
        C::WeekCapacity | C::MonthCapacity | C::FiscalYearCapacity | C::FiscalYearDays => capacity(code, asked, candidate),
        C::SimultaneousCapacity => {
            let (capacity, current) = (candidate.simultaneous_capacity.unwrap_or(0), candidate.simultaneous);
            Exclusion::new(
                code,
                format!("同時に担当できる派遣は{capacity}件までで、現在{current}件です。"),
                format!("At most {capacity} dispatches at a time; there are {current} now."),
            )
            .with("capacity", capacity)
            .with("current", current)
        }
    }
}

fn dated(
    code: ExclusionCode,
    day: Option<NaiveDate>,
    name: &'static str,
    text: impl Fn(String, String) -> (String, String),
) -> Exclusion {
    let (ja, en) = text(day.map(wareki).unwrap_or_default(), day.map(|day| day.to_string()).unwrap_or_default());
    let exclusion = Exclusion::new(code, ja, en);
    match day {
        Some(day) => exclusion.with(name, day),
        None => exclusion,
    }
}

fn conflict(asked: &Asked<'_>, candidate: &Candidate) -> Exclusion {
    let mut orgs: Vec<i64> = conflicts(asked, candidate).collect();
    orgs.sort_unstable();
    orgs.dedup();
    Exclusion::new(
        ExclusionCode::ConflictOfInterest,
        format!("利益相反のおそれがある団体が{}件あります。", orgs.len()),
        format!("A conflict of interest with {} organisation(s).", orgs.len()),
    )
    .with("organisation_ids", ids(orgs))
}

fn refused(asked: &Asked<'_>, candidate: &Candidate) -> Exclusion {
    let by_expert = refusals(asked, candidate).any(|kind| kind == ConflictKind::RefusedByExpert);
    let (ja, en, by) = if by_expert {
        ("専門人材がこの団体への派遣を希望していません。", "The expert does not wish to work for this body.", "expert")
    } else {
        ("この団体がこの専門人材の派遣を希望していません。", "This body does not wish for this expert.", "body")
    };
    Exclusion::new(ExclusionCode::Refused, ja, en).with("refused_by", by)
}

fn modes(asked: &Asked<'_>, candidate: &Candidate) -> Exclusion {
    let (lacking, ja, en) = match lacking_modes(asked, candidate) {
        (true, false) => ("onsite", "訪問", "on-site work"),
        (false, true) => ("online", "オンライン", "online work"),
        _ => ("onsite,online", "訪問・オンライン", "on-site or online work"),
    };
    Exclusion::new(
        ExclusionCode::ModeNotOffered,
        format!("{ja}での対応ができません。"),
        format!("The expert does not offer {en}."),
    )
    .with("modes", lacking)
}

fn skills(asked: &Asked<'_>, candidate: &Candidate) -> Exclusion {
    /// Names beyond this many are only counted, so that the text stays readable.
    const NAMED: usize = 5;
    let required = &asked.need.required;
    let missing: Vec<Vec<&SkillNeed>> =
        missing_skills(asked, candidate).map(|places| places.iter().filter_map(|place| required.get(*place)).collect()).collect();
    let named = |one: fn(&SkillNeed) -> String, or: &str, separator: &str| {
        let texts = missing.iter().take(NAMED).map(|skills| skills.iter().map(|skill| one(skill)).collect::<Vec<_>>().join(or));
        texts.collect::<Vec<_>>().join(separator)
    };
    let ja = named(
        |skill| {
            let confirmed = if skill.verified_only { "・確認済みに限る" } else { "" };
            format!("{}（レベル{}以上{confirmed}）", skill.name, skill.min_level)
        },
        "または",
        "、",
    );
    let en = named(
        |skill| {
            let confirmed = if skill.verified_only { ", verified" } else { "" };
            format!("{} (level {} or above{confirmed})", skill.name, skill.min_level)
        },
        " or ",
        ", ",
    );
    let more = missing.len().saturating_sub(NAMED);
    let (more_ja, more_en) =
        if more == 0 { (String::new(), String::new()) } else { (format!("ほか{more}件"), format!(" and {more} more")) };
    let (whole_ja, whole_en) = if asked.is_team() {
        ("必須スキルのいずれも満たしていません", "None of the required skills is held")
    } else {
        ("必須スキルを満たしていません", "Required skills are missing")
    };
    Exclusion::new(ExclusionCode::SkillsMissing, format!("{whole_ja}：{ja}{more_ja}"), format!("{whole_en}: {en}{more_en}"))
        .with("skill_item_ids", ids(missing.iter().flatten().map(|skill| skill.skill_item_id)))
}

fn consent(candidate: &Candidate) -> Exclusion {
    match candidate.consent {
        Consent::Given(Some(until)) => Exclusion::new(
            ExclusionCode::EmployerConsent,
            format!("勤務先の兼業・副業の許可が{}までです。", wareki(until)),
            format!("The employer's consent ends on {until}."),
        )
        .with("until", until),
        _ => Exclusion::new(
            ExclusionCode::EmployerConsent,
            "勤務先の兼業・副業の許可がまだありません。",
            "The employer has not consented yet.",
        ),
    }
}

fn capacity(code: ExclusionCode, asked: &Asked<'_>, candidate: &Candidate) -> Exclusion {
    let needed = asked.minutes;
    match code {
        ExclusionCode::WeekCapacity => {
            let capacity = candidate.week_capacity_minutes.unwrap_or(0);
            Exclusion::new(
                code,
                format!("1週間の上限{capacity}分を超えます（1回{}分）。", asked.longest),
                format!("More than the {capacity} minutes a week that are agreed (a visit takes {}).", asked.longest),
            )
            .with("capacity_minutes", capacity)
            .with("needed_minutes", asked.longest)
        }
        ExclusionCode::MonthCapacity => {
            let capacity = candidate.month_capacity_minutes.unwrap_or(0);
            let left: u64 = month_rooms(asked, candidate, capacity).map(u64::from).sum();
            Exclusion::new(
                code,
                format!("月の上限{capacity}分に対し、希望時期の残りは計{left}分です（必要{needed}分）。"),
                format!("Of {capacity} minutes a month, {left} are left in the period in all; {needed} are needed."),
            )
            .with("capacity_minutes", capacity)
            .with("left_minutes", left)
            .with("needed_minutes", needed)
        }
        ExclusionCode::FiscalYearDays => {
            let capacity = candidate.year_capacity_days.unwrap_or(0);
            let left = days_left(asked, candidate, capacity);
            Exclusion::new(
                code,
                format!("年度の上限{capacity}日に対し、残りは{left}日です（必要{}日）。", asked.days),
                format!("Of {capacity} days a fiscal year, {left} are left; {} are needed.", asked.days),
            )
            .with("capacity_days", capacity)
            .with("left_days", left)
            .with("needed_days", asked.days)
        }
        _ => {
            let capacity = candidate.year_capacity_minutes.unwrap_or(0);
            let left: u64 = year_rooms(asked, candidate, capacity).map(u64::from).sum();
            Exclusion::new(
                code,
                format!("年度の上限{capacity}分に対し、残りは{left}分です（必要{needed}分）。"),
                format!("Of {capacity} minutes a fiscal year, {left} are left; {needed} are needed."),
            )
            .with("capacity_minutes", capacity)
            .with("left_minutes", left)
            .with("needed_minutes", needed)
        }
    }
}

fn wished_days(asked: &Asked<'_>) -> String {
    let mut days: Vec<NaiveDate> = asked.dated.iter().map(|(day, _)| *day).collect();
    days.sort_unstable();
    days.dedup();
    let days: Vec<String> = days.iter().map(NaiveDate::to_string).collect();
    days.join(",")
}

fn ids(ids: impl IntoIterator<Item = i64>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    ids.join(",")
}
