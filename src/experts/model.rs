//! States of a registration, and the rules of capacity and of the calendar an expert declares.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::calendar::{FiscalYear, month_range, week_range};
use crate::error::Error;
use crate::http::Fields;

/// Most windows in an expert's ordinary week.
pub const MOST_WEEKLY_WINDOWS: usize = 70;
/// Most exceptions to an expert's ordinary week.
pub const MOST_EXCEPTIONS: usize = 500;
/// Minutes in a day.
const DAY_MINUTES: i32 = 1440;

crate::text_enum! {
    /// In which standing an expert takes part; it decides withholding tax and who is paid.
    pub enum AffiliationKind {
        /// A private person.
        Individual = "individual", "個人";
        /// 個人事業主.
        SoleProprietor = "sole_proprietor", "個人事業主";
        /// Sent by a company.
        CompanyEmployee = "company_employee", "企業等の社員";
        /// Official of the state or of a municipality.
        PublicOfficial = "public_official", "公務員";
        /// Staff of a university.
        UniversityStaff = "university_staff", "大学教職員";
    }
}

crate::text_enum! {
    /// The state of a registration.
    pub enum ExpertStatus {
        /// May be offered work.
        Registered = "registered", "登録中";
        /// No new work for now; what is agreed stands.
        Suspended = "suspended", "一時停止";
        /// No longer an expert of the pool; history stays.
        Retired = "retired", "登録終了";
    }
}

crate::text_enum! {
    /// What can be done to a registration.
    pub enum ExpertVerb {
        /// No new work for now.
        Suspend = "suspend", "一時停止";
        /// Back to work.
        Resume = "resume", "再開";
        /// End for good.
        Retire = "retire", "登録終了";
    }
}

/// The state table. Errors, buttons and documentation follow from it.
pub const TRANSITIONS: &[(ExpertStatus, ExpertVerb, ExpertStatus)] = {
    use ExpertStatus as S;
    use ExpertVerb as V;
    &[
        (S::Registered, V::Suspend, S::Suspended),
        (S::Suspended, V::Resume, S::Registered),
        (S::Registered, V::Retire, S::Retired),
        (S::Suspended, V::Retire, S::Retired),
    ]
};

impl ExpertStatus {
    /// The state after a verb, or 409 with the verbs that are allowed.
    pub fn after(self, verb: ExpertVerb) -> Result<Self, Error> {
        TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == verb)
            .map(|(_, _, to)| *to)
            .ok_or_else(|| Error::transition(self.as_str(), self.verbs().iter().map(|verb| verb.as_str()).collect()))
    }

    /// The verbs allowed in this state.
    pub fn verbs(self) -> Vec<ExpertVerb> {
        TRANSITIONS.iter().filter(|(from, ..)| *from == self).map(|(_, verb, _)| *verb).collect()
    }
}

crate::text_enum! {
    /// How a period differs from the ordinary week.
    pub enum ExceptionKind {
        /// Away for whole days (休止).
        Leave = "leave", "休止";
        /// Not available, for whole days or for a time of each day.
        Unavailable = "unavailable", "不可";
        /// Available beyond the ordinary week, for whole days or for a time of each day.
        Available = "available", "可";
    }
}

crate::text_enum! {
    /// Whether an employer permits the work beside the main one (兼業・副業の許可).
    pub enum EmployerConsent {
        /// Nobody has to permit it.
        NotNeeded = "not_needed", "不要";
        /// Has to be asked for, and has not been given yet.
        Pending = "pending", "未取得";
        /// Given, perhaps until a day.
        Given = "given", "取得済み";
    }
}

crate::text_enum! {
    /// Why an expert does not work for a body.
    pub enum ConflictKind {
        /// Interests of the expert would bear on the work: employer, client, bidder.
        Interest = "interest", "利害関係";
        /// The expert does not want to.
        RefusedByExpert = "refused_by_expert", "専門家の希望";
        /// The body does not want this expert.
        RefusedByBody = "refused_by_body", "団体の希望";
    }
}

/// Most languages that are declared or asked for.
pub const MOST_LANGUAGES: usize = 10;

/// Notes every language that is no code of ISO 639: two or three small letters.
pub fn check_languages<S: AsRef<str>>(codes: &[S], fields: &mut Fields) {
    fields.at_most("/languages", codes.len(), MOST_LANGUAGES);
    for (i, code) in codes.iter().map(AsRef::as_ref).enumerate() {
        let right = (2..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase());
        fields.check(
            right,
            format!("/languages/{i}"),
            "malformed",
            "ja、enのような言語コードにしてください",
            "Use language codes such as ja and en",
        );
    }
}

/// The codes in a text as it is stored: comma-separated, none when empty.
pub fn languages_in(stored: &str) -> Vec<String> {
    stored.split(',').filter(|code| !code.is_empty()).map(str::to_owned).collect()
}

/// What an expert has agreed to do at most; what is absent is not limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capacity {
    /// Engagements going on at a time.
    pub simultaneous: Option<i32>,
    /// Minutes in a calendar week, Monday to Sunday, as permits of side jobs say. Only visits with a date count.
    pub minutes_week: Option<i32>,
    /// Minutes in a calendar month.
    pub minutes_month: Option<i32>,
    /// Minutes in a fiscal year.
    pub minutes_year: Option<i32>,
    /// Days in a fiscal year.
    pub days_year: Option<i32>,
}

impl Capacity {
    /// Values outside what a week, a month or a year can hold.
    pub fn validate(&self, fields: &mut Fields) {
        for (name, value, min, max) in [
            ("/capacity_simultaneous", self.simultaneous, 1, 100),
            ("/capacity_minutes_week", self.minutes_week, 0, 10_080),
            ("/capacity_minutes_month", self.minutes_month, 0, 44_640),
            ("/capacity_minutes_year", self.minutes_year, 0, 527_040),
            ("/capacity_days_year", self.days_year, 0, 366),
        ] {
            if let Some(value) = value {
                fields.within(name, i64::from(value), min, max);
            }
        }
    }

    /// Whether no limit at all is agreed.
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }
}

/// One visit as it loads an expert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadEntry {
    /// The day, or the first day of the month while the date is to be arranged.
    pub load_day: NaiveDate,
    /// Whether the day is fixed.
    pub dated: bool,
    /// Minutes done, else planned.
    pub minutes: i64,
}

/// The limit that further visits would break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapacityProblem {
    /// More engagements at a time than agreed.
    Simultaneous {
        /// The agreed number.
        limit: i32,
    },
    /// More minutes in a week than agreed.
    WeekMinutes {
        /// Monday of the week.
        monday: NaiveDate,
        /// The agreed minutes.
        limit: i32,
        /// What there would be.
        total: i64,
    },
    /// More minutes in a month than agreed.
    MonthMinutes {
        /// First day of the month.
        month: NaiveDate,
        /// The agreed minutes.
        limit: i32,
        /// What there would be.
        total: i64,
    },
    /// More minutes in a fiscal year than agreed.
    YearMinutes {
        /// The fiscal year.
        year: FiscalYear,
        /// The agreed minutes.
        limit: i32,
        /// What there would be.
        total: i64,
    },
    /// More days in a fiscal year than agreed.
    YearDays {
        /// The fiscal year.
        year: FiscalYear,
        /// The agreed days.
        limit: i32,
        /// What there would be.
        total: usize,
    },
}

/// The first limit that `added` visits would break on top of `existing` ones. Only weeks, months and years that get
/// something added are looked at: a load that already exceeds a lowered limit elsewhere stands. A visit whose day is yet
/// to be arranged belongs to no week.
pub fn capacity_problem(capacity: &Capacity, existing: &[LoadEntry], added: &[LoadEntry]) -> Option<CapacityProblem> {
    let all = || existing.iter().chain(added);
    if let Some(limit) = capacity.minutes_week {
        let monday_of = |entry: &LoadEntry| entry.dated.then(|| week_range(entry.load_day).0);
        let weeks: BTreeSet<NaiveDate> = added.iter().filter_map(monday_of).collect();
        for monday in weeks {
            let total: i64 = all().filter(|entry| monday_of(entry) == Some(monday)).map(|entry| entry.minutes).sum();
            if total > i64::from(limit) {
                return Some(CapacityProblem::WeekMinutes { monday, limit, total });
            }
        }
    }
    if let Some(limit) = capacity.minutes_month {
        let months: BTreeSet<NaiveDate> = added.iter().map(|entry| month_range(entry.load_day).0).collect();
        for month in months {
            let total: i64 = all().filter(|entry| month_range(entry.load_day).0 == month).map(|entry| entry.minutes).sum();
            if total > i64::from(limit) {
                return Some(CapacityProblem::MonthMinutes { month, limit, total });
            }
        }
    }
    let years: BTreeSet<FiscalYear> = added.iter().map(|entry| FiscalYear::of(entry.load_day)).collect();
    for year in years {
        let of_year = || all().filter(|entry| year.contains(entry.load_day));
        if let Some(limit) = capacity.minutes_year {
            let total: i64 = of_year().map(|entry| entry.minutes).sum();
            if total > i64::from(limit) {
                return Some(CapacityProblem::YearMinutes { year, limit, total });
            }
        }
        if let Some(limit) = capacity.days_year {
            let total = days(of_year());
            if i64::try_from(total).unwrap_or(i64::MAX) > i64::from(limit) {
                return Some(CapacityProblem::YearDays { year, limit, total });
            }
        }
    }
    None
}

/// Days of work: fixed days once each, and one for every visit that has yet to be arranged.
pub fn days<'a>(entries: impl Iterator<Item = &'a LoadEntry>) -> usize {
    let mut fixed = BTreeSet::new();
    let mut open = 0;
    for entry in entries {
        if entry.dated {
            fixed.insert(entry.load_day);
        } else {
            open += 1;
        }
    }
    fixed.len() + open
}

/// A time of every week at which an expert can work, as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// 1 Monday to 7 Sunday (ISO 8601).
    pub weekday: i32,
    /// Beginning, in minutes of the day.
    pub start_minute: i32,
    /// End, in minutes of the day; not included.
    pub end_minute: i32,
}

/// Notes every window that lies outside a day or overlaps one before it.
pub fn check_windows(windows: &[Window], fields: &mut Fields) {
    fields.at_most("/weekly", windows.len(), MOST_WEEKLY_WINDOWS);
    for (i, window) in windows.iter().enumerate() {
        let at = |part: &str| format!("/weekly/{i}/{part}");
        fields.within(&at("weekday"), i64::from(window.weekday), 1, 7);
        check_minutes(&format!("/weekly/{i}"), window.start_minute, window.end_minute, fields);
        let overlaps = windows.iter().take(i).any(|earlier| {
            earlier.weekday == window.weekday
                && earlier.start_minute < window.end_minute
                && window.start_minute < earlier.end_minute
        });
        fields.check(
            !overlaps,
            at("start_minute"),
            "overlap",
            "同じ曜日の時間帯が重なっています",
            "Overlaps another window of the same day",
        );
    }
}

/// A period that differs from the ordinary week, as declared; both days belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exception<'a> {
    /// How it differs.
    pub kind: ExceptionKind,
    /// First day.
    pub first_day: NaiveDate,
    /// Last day.
    pub last_day: NaiveDate,
    /// The time of each day; the whole day when absent.
    pub minutes: (Option<i32>, Option<i32>),
    /// A remark.
    pub note: &'a str,
}

/// Notes every exception that runs backwards, is too long, or gives half a time.
pub fn check_exceptions(exceptions: &[Exception<'_>], fields: &mut Fields) {
    fields.at_most("/exceptions", exceptions.len(), MOST_EXCEPTIONS);
    for (i, exception) in exceptions.iter().enumerate() {
        let base = format!("/exceptions/{i}");
        fields.period(&format!("{base}/last_day"), exception.first_day, exception.last_day);
        fields.check(
            (exception.last_day - exception.first_day).num_days() <= 3660,
            format!("{base}/last_day"),
            "too_long",
            "10年以内の期間にしてください",
            "At most ten years",
        );
        fields.optional_line(&format!("{base}/note"), exception.note, 200);
        match exception.minutes {
            (None, None) => {}
            (Some(start), Some(end)) => {
                check_minutes(&base, start, end, fields);
                fields.check(
                    exception.kind != ExceptionKind::Leave,
                    format!("{base}/start_minute"),
                    "whole_days_only",
                    "休止は日単位で指定してください",
                    "Leave is given in whole days",
                );
            }
            _ => fields.wrong(
                format!("{base}/end_minute"),
                "both_or_neither",
                "開始と終了の両方を指定してください",
                "Give both times or neither",
            ),
        }
    }
}

fn check_minutes(base: &str, start: i32, end: i32, fields: &mut Fields) {
    fields.within(&format!("{base}/start_minute"), i64::from(start), 0, i64::from(DAY_MINUTES) - 1);
    fields.within(&format!("{base}/end_minute"), i64::from(end), 1, i64::from(DAY_MINUTES));
    fields.check(
        end > start,
        format!("{base}/end_minute"),
        "before_start",
        "終了は開始より後にしてください",
        "The end must be after the start",
    );
}

/// Part of a limit that is used, in whole percent, cut; over 100 when the limit was lowered later. A limit of nothing
/// is used up by anything.
pub fn share_percent(used: i64, limit: i64) -> i64 {
    match limit {
        ..=0 if used == 0 => 0,
        ..=0 => 100,
        _ => used.saturating_mul(100) / limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(if month < 4 { 2027 } else { 2026 }, month, day).unwrap()
    }

    fn entry(load_day: NaiveDate, minutes: i64) -> LoadEntry {
        LoadEntry { load_day, dated: true, minutes }
    }

    #[test]
    fn a_registration_moves_only_along_the_table() {
        for (from, verb, to) in TRANSITIONS {
            assert_eq!(from.after(*verb).unwrap(), *to);
        }
        let refused = ExpertStatus::Retired.after(ExpertVerb::Resume).unwrap_err();
        assert_eq!(refused.failure().state.unwrap().allowed, Vec::<&str>::new());
        let refused = ExpertStatus::Registered.after(ExpertVerb::Resume).unwrap_err();
        assert_eq!(refused.failure().state.unwrap().allowed, ["suspend", "retire"]);
    }

    #[test]
    fn the_week_runs_from_monday_to_sunday() {
        let capacity = Capacity { minutes_week: Some(480), ..Capacity::default() };
        // 11 May 2026 is a Monday.
        let existing = [entry(day(5, 11), 300), entry(day(5, 18), 480)];
        assert_eq!(capacity_problem(&capacity, &existing, &[entry(day(5, 17), 180)]), None, "Sunday of the week");
        assert_eq!(
            capacity_problem(&capacity, &existing, &[entry(day(5, 17), 181)]),
            Some(CapacityProblem::WeekMinutes { monday: day(5, 11), limit: 480, total: 481 })
        );
        assert_eq!(capacity_problem(&capacity, &existing, &[entry(day(5, 10), 480)]), None, "Sunday of the week before");
        let full_elsewhere = [entry(day(5, 18), 9_000)];
        assert_eq!(capacity_problem(&capacity, &full_elsewhere, &[entry(day(5, 11), 480)]), None);
    }

    #[test]
    fn a_week_goes_on_over_the_end_of_a_month_and_of_the_fiscal_year() {
        let capacity = Capacity { minutes_week: Some(480), ..Capacity::default() };
        // 29 March 2027 is a Monday, 4 April a Sunday.
        let april = NaiveDate::from_ymd_opt(2027, 4, 4).unwrap();
        assert_eq!(
            capacity_problem(&capacity, &[entry(day(3, 29), 300)], &[entry(april, 240)]),
            Some(CapacityProblem::WeekMinutes { monday: day(3, 29), limit: 480, total: 540 })
        );
    }

    #[test]
    fn a_visit_without_date_belongs_to_no_week() {
        let capacity = Capacity { minutes_week: Some(480), ..Capacity::default() };
        let open = LoadEntry { dated: false, ..entry(day(5, 1), 900) };
        assert_eq!(capacity_problem(&capacity, &[], &[open]), None);
        assert_eq!(capacity_problem(&capacity, &[open], &[entry(day(5, 1), 480)]), None);
    }

    #[test]
    fn a_language_is_a_code_of_two_or_three_letters() {
        let wrong = |codes: &[&str]| {
            let mut fields = Fields::new();
            check_languages(codes, &mut fields);
            fields.finish().err().map(|e| e.fields.iter().map(|f| f.pointer.clone()).collect::<Vec<_>>()).unwrap_or_default()
        };
        assert!(wrong(&[]).is_empty());
        assert!(wrong(&["ja", "en", "ain"]).is_empty());
        assert_eq!(wrong(&["ja", "", "JA", "日本", "ja,en"]), ["/languages/1", "/languages/2", "/languages/3", "/languages/4"]);
        assert_eq!(languages_in("ja,en"), ["ja", "en"]);
        assert!(languages_in("").is_empty());
    }

    #[test]
    fn the_month_is_full_to_the_minute() {
        let capacity = Capacity { minutes_month: Some(600), ..Capacity::default() };
        let existing = [entry(day(5, 1), 400), entry(day(6, 1), 600)];
        assert_eq!(capacity_problem(&capacity, &existing, &[entry(day(5, 31), 200)]), None);
        assert_eq!(
            capacity_problem(&capacity, &existing, &[entry(day(5, 31), 201)]),
            Some(CapacityProblem::MonthMinutes { month: day(5, 1), limit: 600, total: 601 })
        );
        let full_elsewhere = [entry(day(6, 1), 9_000)];
        assert_eq!(capacity_problem(&capacity, &full_elsewhere, &[entry(day(5, 2), 600)]), None);
    }

    #[test]
    fn the_fiscal_year_ends_on_31_march() {
        let capacity = Capacity { minutes_year: Some(600), ..Capacity::default() };
        let existing = [entry(day(4, 1), 500)];
        assert_eq!(
            capacity_problem(&capacity, &existing, &[entry(day(3, 31), 101)]),
            Some(CapacityProblem::YearMinutes { year: FiscalYear::of(day(4, 1)), limit: 600, total: 601 })
        );
        let next_year = NaiveDate::from_ymd_opt(2027, 4, 1).unwrap();
        assert_eq!(capacity_problem(&capacity, &existing, &[entry(next_year, 600)]), None);
    }

    #[test]
    fn a_day_counts_once_and_a_visit_without_date_counts_apart() {
        let capacity = Capacity { days_year: Some(2), ..Capacity::default() };
        let twice = [entry(day(5, 7), 60), entry(day(5, 7), 60)];
        assert_eq!(capacity_problem(&capacity, &twice, &[entry(day(5, 8), 60)]), None);
        let open = LoadEntry { dated: false, ..entry(day(5, 1), 60) };
        assert_eq!(
            capacity_problem(&capacity, &twice, &[open, open]),
            Some(CapacityProblem::YearDays { year: FiscalYear::of(day(5, 1)), limit: 2, total: 3 })
        );
    }

    #[test]
    fn windows_of_a_weekday_touch_but_do_not_overlap() {
        let window = |weekday, start_minute, end_minute| Window { weekday, start_minute, end_minute };
        let wrong = |windows: &[Window]| {
            let mut fields = Fields::new();
            check_windows(windows, &mut fields);
            fields.finish().err().map(|e| e.fields.iter().map(|f| f.code).collect::<Vec<_>>()).unwrap_or_default()
        };
        assert!(wrong(&[window(1, 540, 720), window(1, 720, 1020), window(2, 600, 700)]).is_empty());
        assert_eq!(wrong(&[window(1, 540, 721), window(1, 720, 1020)]), ["overlap"]);
        assert_eq!(wrong(&[window(8, 0, 60)]), ["out_of_range"]);
        assert_eq!(wrong(&[window(7, 60, 60)]), ["before_start"]);
    }

    #[test]
    fn leave_is_in_whole_days_and_times_come_in_pairs() {
        let exception = |kind, minutes| Exception { kind, first_day: day(5, 1), last_day: day(5, 1), minutes, note: "" };
        let wrong = |exception: Exception<'_>| {
            let mut fields = Fields::new();
            check_exceptions(&[exception], &mut fields);
            fields.finish().err().map(|e| e.fields[0].code)
        };
        assert_eq!(wrong(exception(ExceptionKind::Leave, (None, None))), None);
        assert_eq!(wrong(exception(ExceptionKind::Unavailable, (Some(540), Some(720)))), None);
        assert_eq!(wrong(exception(ExceptionKind::Leave, (Some(540), Some(720)))), Some("whole_days_only"));
        assert_eq!(wrong(exception(ExceptionKind::Available, (Some(540), None))), Some("both_or_neither"));
        let backwards = Exception { first_day: day(5, 2), ..exception(ExceptionKind::Leave, (None, None)) };
        assert_eq!(wrong(backwards), Some("before_start"));
    }

    #[test]
    fn the_share_of_a_limit_is_cut_to_whole_percent() {
        assert_eq!(share_percent(199, 200), 99);
        assert_eq!(share_percent(300, 200), 150);
        assert_eq!(share_percent(0, 0), 0);
        assert_eq!(share_percent(1, 0), 100);
    }
}
