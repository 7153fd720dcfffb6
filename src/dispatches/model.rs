//! States and rules of dispatches, visits and reports. Knows neither database nor clock: today is handed in.

use chrono::{Days, NaiveDate};

use crate::calendar::{FiscalYear, MINUTES_PER_DAY, jst_to_utc};
use crate::clock::UtcTime;
use crate::error::Error;
use crate::notifications::template::CancelParty;
use crate::requests::model::Mode;

crate::text_enum! {
    /// Where a dispatch (派遣決定) stands.
    pub enum DispatchStatus {
        /// Decided; visits are ahead or the report is not approved yet.
        Decided = "decided", "派遣決定";
        /// The report is approved.
        Completed = "completed", "完了";
        /// Called off; visits that were done stay done.
        Cancelled = "cancelled", "中止";
    }
}

crate::text_enum! {
    /// What can be done to a dispatch.
    pub enum DispatchVerb {
        /// Change visits or the period (変更決定).
        Amend = "amend", "変更決定";
        /// Put another expert in the place of one, under the same number.
        ReplaceExpert = "replace-expert", "専門家の交代";
        /// Call off what has not been done yet.
        Cancel = "cancel", "中止";
        /// The report is approved.
        Complete = "complete", "完了";
    }
}

/// The state table of dispatches.
pub const DISPATCH_TRANSITIONS: &[(DispatchStatus, DispatchVerb, DispatchStatus)] = {
    use DispatchStatus as S;
    use DispatchVerb as V;
    &[
        (S::Decided, V::Amend, S::Decided),
        (S::Decided, V::ReplaceExpert, S::Decided),
        (S::Decided, V::Cancel, S::Cancelled),
        (S::Decided, V::Complete, S::Completed),
    ]
};

impl DispatchStatus {
    /// The state after a verb, or 409 with the verbs that are allowed.
    pub fn after(self, verb: DispatchVerb) -> Result<Self, Error> {
        DISPATCH_TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == verb)
            .map(|(_, _, to)| *to)
            .ok_or_else(|| Error::transition(self.as_str(), self.verbs().iter().map(|verb| verb.as_str()).collect()))
    }

    /// The verbs allowed in this state.
    pub fn verbs(self) -> Vec<DispatchVerb> {
        DISPATCH_TRANSITIONS.iter().filter(|(from, ..)| *from == self).map(|(_, verb, _)| *verb).collect()
    }
}

crate::text_enum! {
    /// Where a visit (回) stands.
    pub enum VisitStatus {
        /// Time the expert keeps free by accepting an offer; the decision is still to come.
        Held = "held", "仮押さえ";
        /// Decided.
        Planned = "planned", "予定";
        /// It took place; counts as one visit (回).
        Done = "done", "実施済み";
        /// It does not take place.
        Cancelled = "cancelled", "中止";
        /// Its day came, a party did not.
        NoShow = "no_show", "不参";
        /// Another visit took its place.
        Rescheduled = "rescheduled", "日程変更";
    }
}

impl VisitStatus {
    /// The states in which a visit loads its expert and keeps its time.
    pub const LOADING: &[Self] = &[Self::Held, Self::Planned, Self::Done];

    /// Whether the visit is still to come.
    pub fn is_ahead(self) -> bool {
        matches!(self, Self::Held | Self::Planned)
    }
}

crate::text_enum! {
    /// What can be done to a visit.
    pub enum VisitVerb {
        /// Give a day and time to a visit that has none.
        Arrange = "arrange", "日程を決める";
        /// Write down what happened.
        Record = "record", "実績を記録する";
        /// Call it off.
        Cancel = "cancel", "中止";
        /// A party did not come.
        NoShow = "no-show", "不参";
        /// Put another visit on another day in its place.
        Reschedule = "reschedule", "日程変更";
    }
}

/// The state table of visits; the middle column says whether the visit has its day.
pub const VISIT_TRANSITIONS: &[(VisitStatus, bool, VisitVerb, VisitStatus)] = {
    use VisitStatus as S;
    use VisitVerb as V;
    &[
        (S::Planned, false, V::Arrange, S::Planned),
        (S::Planned, false, V::Cancel, S::Cancelled),
        (S::Planned, true, V::Record, S::Done),
        (S::Planned, true, V::Cancel, S::Cancelled),
        (S::Planned, true, V::NoShow, S::NoShow),
        (S::Planned, true, V::Reschedule, S::Rescheduled),
    ]
};

impl VisitStatus {
    /// The state after a verb, or 409 with the verbs that are allowed. `dated`: the visit has its day.
    pub fn after(self, dated: bool, verb: VisitVerb) -> Result<Self, Error> {
        VISIT_TRANSITIONS
            .iter()
            .find(|(from, has_day, by, _)| *from == self && *has_day == dated && *by == verb)
            .map(|(_, _, _, to)| *to)
            .ok_or_else(|| Error::transition(self.as_str(), self.verbs(dated).iter().map(|verb| verb.as_str()).collect()))
    }

    /// The verbs allowed in this state.
    pub fn verbs(self, dated: bool) -> Vec<VisitVerb> {
        VISIT_TRANSITIONS
            .iter()
            .filter(|(from, has_day, ..)| *from == self && *has_day == dated)
            .map(|(_, _, verb, _)| *verb)
            .collect()
    }
}

crate::text_enum! {
    /// Where a report (実績報告書) stands.
    pub enum ReportStatus {
        /// To be written.
        Due = "due", "未提出";
        /// Waits for approval.
        Submitted = "submitted", "提出済み";
        /// Sent back for correction.
        Returned = "returned", "差戻し";
        /// Approved.
        Approved = "approved", "承認済み";
    }
}

crate::text_enum! {
    /// What can be done to a report.
    pub enum ReportVerb {
        /// Write or change the text and the outcomes.
        Write = "write", "編集";
        /// Hand it in.
        Submit = "submit", "提出";
        /// Send it back for correction.
        Return = "return", "差戻し";
        /// Approve it.
        Approve = "approve", "承認";
    }
}

/// The state table of reports.
pub const REPORT_TRANSITIONS: &[(ReportStatus, ReportVerb, ReportStatus)] = {
    use ReportStatus as S;
    use ReportVerb as V;
    &[
        (S::Due, V::Write, S::Due),
        (S::Returned, V::Write, S::Returned),
        (S::Due, V::Submit, S::Submitted),
        (S::Returned, V::Submit, S::Submitted),
        (S::Submitted, V::Return, S::Returned),
        (S::Submitted, V::Approve, S::Approved),
    ]
};

impl ReportStatus {
    /// The state after a verb, or 409 with the verbs that are allowed.
    pub fn after(self, verb: ReportVerb) -> Result<Self, Error> {
        REPORT_TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == verb)
            .map(|(_, _, to)| *to)
            .ok_or_else(|| Error::transition(self.as_str(), self.verbs().iter().map(|verb| verb.as_str()).collect()))
    }

    /// The verbs allowed in this state.
    pub fn verbs(self) -> Vec<ReportVerb> {
        REPORT_TRANSITIONS.iter().filter(|(from, ..)| *from == self).map(|(_, verb, _)| *verb).collect()
    }
}

crate::text_enum! {
    /// Whose reasons ended something.
    pub enum Party {
        /// The body that applied.
        Applicant = "applicant", "申請団体";
        /// The expert.
        Expert = "expert", "専門家";
        /// The office that runs the programme.
        Prefecture = "prefecture", "事務局";
        /// Nobody's: weather, disaster and the like.
        ForceMajeure = "force_majeure", "天候・災害等";
    }
}

impl From<Party> for CancelParty {
    fn from(party: Party) -> Self {
        match party {
            Party::Applicant => Self::Applicant,
            Party::Expert => Self::Expert,
            Party::Prefecture => Self::Coordinator,
            Party::ForceMajeure => Self::Circumstances,
        }
    }
}

crate::text_enum! {
    /// What an amendment changed.
    pub enum AmendmentKind {
        /// Visits or the period (変更決定).
        Change = "change", "変更決定";
        /// The expert.
        ExpertReplacement = "expert_replacement", "専門家の交代";
        /// The dispatch was called off.
        Cancellation = "cancellation", "中止";
    }
}

crate::text_enum! {
    /// Where the record of a visit comes from.
    pub enum VisitOrigin {
        /// Planned and recorded in this service.
        Service = "service", "本システム";
        /// Taken over from an earlier ledger.
        Ledger = "ledger", "台帳取込";
    }
}

/// The number of a decision as people write it: `R8-0012`, the era year of the fiscal year and a running number.
pub fn decision_number(year: FiscalYear, running: i32) -> String {
    format!("{}-{running:04}", year.short())
}

/// The time an expert cannot be booked otherwise, in UTC. The travel buffer lies before and after visits on site (and
/// hybrid ones, for which the expert travels too), never around online ones.
pub fn blocked(day: NaiveDate, start_minute: i32, minutes: i32, mode: Mode, buffer_minutes: i32) -> (UtcTime, UtcTime) {
    let buffer = chrono::Duration::minutes(if mode == Mode::Online { 0 } else { i64::from(buffer_minutes.max(0)) });
    let begin = u16::try_from(start_minute.max(0)).unwrap_or(MINUTES_PER_DAY).min(MINUTES_PER_DAY);
    let start = UtcTime::from_naive(jst_to_utc(day, begin));
    // A visit without length would exclude nothing, and the database wants a true range.
    let end = start.plus(chrono::Duration::minutes(i64::from(minutes.max(1))));
    (start.plus(-buffer), end.plus(buffer))
}

/// The last day for the report: so many days after the last visit that is not called off. A visit without a day yet can
/// take place until the period ends. `None` when no visit is left.
pub fn report_due_on(
    visits: impl IntoIterator<Item = (VisitStatus, Option<NaiveDate>)>,
    period_to: NaiveDate,
    due_days: i32,
) -> Option<NaiveDate> {
    visits
        .into_iter()
        .filter(|(status, _)| {
            matches!(status, VisitStatus::Held | VisitStatus::Planned | VisitStatus::Done | VisitStatus::NoShow)
        })
        .map(|(_, day)| day.unwrap_or(period_to))
        .max()
        .and_then(|last| last.checked_add_days(Days::new(u64::try_from(due_days).unwrap_or(0))))
}

/// Days between the word and the first visit that it calls off; 0 on the day itself or later. `None` when no visit that
/// is called off had its day.
pub fn notice_days(today: NaiveDate, days: impl IntoIterator<Item = Option<NaiveDate>>) -> Option<i32> {
    let first = days.into_iter().flatten().min()?;
    i32::try_from((first - today).num_days().max(0)).ok()
}

/// Whether a visit's day belongs to the decision: inside its period and its fiscal year.
pub fn lies_within(day: NaiveDate, period_from: NaiveDate, period_to: NaiveDate, year: FiscalYear) -> bool {
    period_from <= day && day <= period_to && year.contains(day)
}

/// Whether a period lies inside one fiscal year: a decision never crosses 31 March.
pub fn within_one_year(period_from: NaiveDate, period_to: NaiveDate) -> bool {
    FiscalYear::of(period_from) == FiscalYear::of(period_to)
}

/// The day a visit loads: its own, or while it is to be arranged the first of the month in which the period begins.
pub fn load_day(day: Option<NaiveDate>, period_from: NaiveDate) -> NaiveDate {
    day.unwrap_or_else(|| crate::calendar::month_range(period_from).0)
}

/// What is said about a report that is not in yet, on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reminder {
    /// The last day is near.
    Soon,
    /// So many days late.
    Overdue(u32),
}

/// Days before the last day on which the first reminder goes out.
pub const REMIND_DAYS_BEFORE: i64 = 2;

/// Whether a report is to be reminded of on a day: from two days before the last day on, and from the day after it on
/// once a week.
pub fn reminder(due_on: NaiveDate, today: NaiveDate) -> Option<Reminder> {
    let late = (today - due_on).num_days();
    match u32::try_from(late) {
        Ok(0) => Some(Reminder::Soon),
        Ok(days) => Some(Reminder::Overdue(days)),
        Err(_) => (late >= -REMIND_DAYS_BEFORE).then_some(Reminder::Soon),
    }
}

impl Reminder {
    /// What makes two reminders the same: one before the last day, then one for each week of delay.
    pub fn stage(self) -> String {
        match self {
            Self::Soon => "soon".to_owned(),
            Self::Overdue(days) => format!("overdue{}", days.saturating_sub(1) / 7),
        }
    }

    /// Days late, 0 while there is time.
    pub fn overdue_days(self) -> u32 {
        match self {
            Self::Soon => 0,
            Self::Overdue(days) => days,
        }
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
