//! States and rules of an offer: no database, no HTTP, the present is passed in.

use chrono::{Duration, NaiveDate};

use crate::calendar::{self, FiscalYear};
use crate::clock::UtcTime;
use crate::dispatches::model as dispatches;
use crate::error::Error;
use crate::experts::model::LoadEntry;
use crate::http::Fields;
use crate::requests::model::Mode;

/// Most offers a request can have in all, answered ones included: the ranks of the database.
pub const MOST_OFFERS: i32 = 20;
/// Most visits one offer lists.
pub const MOST_VISITS: usize = 100;
/// Longest an offer can stay open, in hours (90 days).
pub const LONGEST_VALIDITY_HOURS: i32 = 2160;
/// Shortest visit, in minutes.
pub const SHORTEST_VISIT_MINUTES: i32 = 15;
/// Minutes of a day.
const DAY_MINUTES: i32 = 1440;

crate::text_enum! {
    /// Where an offer stands.
    pub enum OfferStatus {
        /// Waits until the offers before it have been declined or have expired; the expert knows nothing of it.
        Queued = "queued", "順番待ち";
        /// The expert has been asked and can answer until it expires.
        Sent = "sent", "回答待ち";
        /// The expert would go on other dates; the coordinator is next.
        DatesProposed = "dates_proposed", "別日程の提案あり";
        /// The expert goes (承諾): the visits are held.
        Accepted = "accepted", "承諾";
        /// The expert does not go (辞退).
        Declined = "declined", "辞退";
        /// Not answered in time.
        Expired = "expired", "期限切れ";
        /// Taken back by the office.
        Withdrawn = "withdrawn", "取消し";
    }
}

crate::text_enum! {
    /// What can be done to an offer.
    pub enum OfferVerb {
        /// The office sends an offer that waits in the queue.
        Send = "send", "送付";
        /// The expert goes.
        Accept = "accept", "承諾";
        /// The expert does not go.
        Decline = "decline", "辞退";
        /// The expert would go on other dates.
        ProposeDates = "propose-dates", "別日程を提案";
        /// The office takes the proposed dates and asks again with them.
        TakeDates = "take-dates", "提案された日程で再依頼";
        /// The office takes the offer back.
        Withdraw = "withdraw", "取消し";
        /// Its time is over. The clock does this, nobody can ask for it.
        Expire = "expire", "期限切れ";
    }
}

/// The state table. Errors, buttons and documentation follow from it.
pub const TRANSITIONS: &[(OfferStatus, OfferVerb, OfferStatus)] = {
    use OfferStatus as S;
    use OfferVerb as V;
    &[
        (S::Queued, V::Send, S::Sent),
        (S::Queued, V::Withdraw, S::Withdrawn),
        (S::Sent, V::Accept, S::Accepted),
        (S::Sent, V::Decline, S::Declined),
        (S::Sent, V::ProposeDates, S::DatesProposed),
        (S::Sent, V::Withdraw, S::Withdrawn),
        (S::Sent, V::Expire, S::Expired),
        (S::DatesProposed, V::TakeDates, S::Sent),
        (S::DatesProposed, V::Decline, S::Declined),
        (S::DatesProposed, V::Withdraw, S::Withdrawn),
        (S::Accepted, V::Withdraw, S::Withdrawn),
    ]
};

impl OfferStatus {
    /// The state after a verb, or 409 with the verbs that are allowed.
    pub fn after(self, verb: OfferVerb) -> Result<Self, Error> {
        TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == verb)
            .map(|(_, _, to)| *to)
            .ok_or_else(|| Error::transition(self.as_str(), self.verbs().iter().map(|verb| verb.as_str()).collect()))
    }

    /// The verbs somebody can ask for in this state.
    pub fn verbs(self) -> Vec<OfferVerb> {
        TRANSITIONS.iter().filter(|(from, by, _)| *from == self && *by != OfferVerb::Expire).map(|(_, verb, _)| *verb).collect()
    }

    /// Whether somebody still has to act: the expert (sent) or the coordinator (other dates proposed). While one offer
    /// of a request is open, its queue waits.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Sent | Self::DatesProposed)
    }

    /// Whether it still counts for its request: waiting, open or accepted. An expert has at most one such offer for a
    /// request.
    pub fn stands(self) -> bool {
        self.is_open() || matches!(self, Self::Queued | Self::Accepted)
    }

    /// The state at an instant: what was sent and not answered in time is over, whether or not the job that writes it
    /// down has come by.
    pub fn at(self, expires_at: Option<UtcTime>, now: UtcTime) -> Self {
        if self == Self::Sent && expires_at.is_some_and(|end| end <= now) { Self::Expired } else { self }
    }
}

crate::text_enum! {
    /// How an answer arrived.
    pub enum AnsweredVia {
        /// By the expert, signed in.
        Account = "account", "本人（アカウント）";
        /// By the one-time link in the mail.
        Link = "link", "本人（メールのリンク）";
        /// By the office on the expert's word, such as a telephone call.
        Office = "office", "事務局の代理入力";
    }
}

crate::text_enum! {
    /// Why an expert does not go.
    pub enum DeclineReason {
        /// The dates do not suit.
        Schedule = "schedule", "日程が合わない";
        /// Too much other work.
        Workload = "workload", "業務多忙";
        /// Not the expert's field.
        OutOfField = "out_of_field", "専門分野が異なる";
        /// Too far, or the way is too long.
        Travel = "travel", "移動が難しい";
        /// A conflict of interest with the applicant or a bidder.
        ConflictOfInterest = "conflict_of_interest", "利益相反のおそれ";
        /// Illness, family and the like; no more need be said.
        Personal = "personal", "一身上の都合";
        /// Something else; the note may say what.
        Other = "other", "その他";
    }
}

/// A visit an offer asks for, or an expert proposes instead. Dated (day and start) or to be arranged (neither).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedVisit {
    /// The Japanese day; `None`: to be arranged within the requested period.
    pub day: Option<NaiveDate>,
    /// When it begins, in minutes of the day; given exactly when the day is.
    pub start_minute: Option<i32>,
    /// How long it lasts, in minutes.
    pub minutes: i32,
    /// How it takes place.
    pub mode: Mode,
    /// Where, as typed.
    pub place: String,
}

impl OfferedVisit {
    /// When it begins; `None` while it is to be arranged.
    pub fn starts_at(&self) -> Option<UtcTime> {
        let minute = u16::try_from(self.start_minute?).ok()?;
        Some(UtcTime::from_naive(calendar::jst_to_utc(self.day?, minute)))
    }

    /// The day whose month and fiscal year it loads: its own, or the first of the month in which the period begins.
    pub fn load_day(&self, period_from: NaiveDate) -> NaiveDate {
        dispatches::load_day(self.day, period_from)
    }

    /// What it adds to the expert's load.
    pub fn load(&self, period_from: NaiveDate) -> LoadEntry {
        LoadEntry { load_day: self.load_day(period_from), dated: self.day.is_some(), minutes: i64::from(self.minutes) }
    }

    /// The time kept free for it, with the programme's travel buffer; `None` while it is to be arranged.
    pub fn blocked(&self, buffer_minutes: i32) -> Option<(UtcTime, UtcTime)> {
        let (day, start) = (self.day?, self.start_minute?);
        Some(dispatches::blocked(day, start, self.minutes, self.mode, buffer_minutes))
    }
}

/// What the visits of an offer are held against.
#[derive(Debug, Clone, Copy)]
pub struct VisitFrame {
    /// The request's fiscal year: a visit in another year needs its own request.
    pub fiscal_year: FiscalYear,
    /// Minutes kept free before and after a visit on site.
    pub buffer_minutes: i32,
    /// The present.
    pub now: UtcTime,
}

/// Notes everything that is wrong with a list of visits: none or too many, length, a start without day or the other way
/// round, beyond midnight, in the past, in another fiscal year, overlapping each other with the travel between them.
pub fn check_visits(fields: &mut Fields, pointer: &str, visits: &[OfferedVisit], frame: &VisitFrame) {
    fields.check(!visits.is_empty(), pointer, "required", "訪問を1回以上指定してください", "Name at least one visit");
    fields.at_most(pointer, visits.len(), MOST_VISITS);
    for (i, visit) in visits.iter().take(MOST_VISITS).enumerate() {
        let at = |name: &str| format!("{pointer}/{i}/{name}");
        fields.within(&at("minutes"), i64::from(visit.minutes), i64::from(SHORTEST_VISIT_MINUTES), i64::from(DAY_MINUTES));
        fields.optional_line(&at("place"), &visit.place, 200);
        match (visit.day, visit.start_minute) {
            (None, None) => continue,
            (None, Some(_)) => {
                fields.wrong(at("day"), "required", "開始時刻を指定するときは日付も必要です", "A start needs a day");
                continue;
            }
            (Some(_), None) => {
                fields.wrong(
                    at("start_minute"),
                    "required",
                    "日付を指定するときは開始時刻も必要です（日程調整中とする場合は日付を省いてください）",
                    "A day needs a start; leave out the day for a visit that is to be arranged",
                );
                continue;
            }
            (Some(day), Some(start)) => {
                fields.check(
                    frame.fiscal_year.contains(day),
                    at("day"),
                    "outside_fiscal_year",
                    "申請の年度内の日付にしてください",
                    "Must lie in the request's fiscal year",
                );
                fields.within(&at("start_minute"), i64::from(start), 0, i64::from(DAY_MINUTES - 1));
                if (0..DAY_MINUTES).contains(&start) && (SHORTEST_VISIT_MINUTES..=DAY_MINUTES).contains(&visit.minutes) {
                    fields.check(
                        start + visit.minutes <= DAY_MINUTES,
                        at("minutes"),
                        "beyond_midnight",
                        "日付をまたぐ訪問は指定できません",
                        "Must end on the same day",
                    );
                    fields.check(
                        visit.starts_at().is_some_and(|start| start > frame.now),
                        at("day"),
                        "in_the_past",
                        "これからの日時にしてください",
                        "Must lie ahead",
                    );
                }
            }
        }
    }
    if !fields.is_right() {
        return;
    }
    for (i, later) in overlapping(visits, frame.buffer_minutes) {
        fields.wrong(
            format!("{pointer}/{later}/start_minute"),
            "overlaps",
            format!("{}件目の訪問と時間（移動時間を含む）が重なっています", i + 1),
            format!("Overlaps visit {} (travel time included)", i + 1),
        );
    }
}

/// The pairs of visits (earlier in the list, later in the list) whose blocked times overlap: the database would never
/// let one expert hold both.
fn overlapping(visits: &[OfferedVisit], buffer_minutes: i32) -> Vec<(usize, usize)> {
    let mut times: Vec<(UtcTime, UtcTime, usize)> = visits
        .iter()
        .enumerate()
        .filter_map(|(i, visit)| visit.blocked(buffer_minutes).map(|(from, to)| (from, to, i)))
        .collect();
    times.sort();
    let mut pairs = Vec::new();
    // The one that reaches furthest so far is the one a later beginning can fall into.
    let mut reach: Option<(UtcTime, usize)> = None;
    for (from, to, i) in times {
        if let Some((end, other)) = reach
            && from < end
        {
            pairs.push((other.min(i), other.max(i)));
        }
        if reach.is_none_or(|(end, _)| to > end) {
            reach = Some((to, i));
        }
    }
    pairs
}

/// When an offer sent now ends: after its hours, but not after the first dated visit has begun. `None`: a dated visit has
/// already begun, so it cannot be asked for any more.
pub fn expiry(now: UtcTime, valid_hours: i32, visits: &[OfferedVisit]) -> Option<UtcTime> {
    let by_hours = now.plus(Duration::hours(i64::from(valid_hours)));
    match visits.iter().filter_map(OfferedVisit::starts_at).min() {
        Some(first) if first <= now => None,
        Some(first) => Some(by_hours.min(first)),
        None => Some(by_hours),
    }
}

/// What keeps an expert from certain visits, whatever the calendar says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// Suspended or retired.
    NotRegistered,
    /// Outside the appointment (委嘱期間).
    NotAppointed,
    /// On leave (休止).
    OnLeave,
}

impl Hindrance {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotRegistered => "not_registered",
            Self::NotAppointed => "not_appointed",
            Self::OnLeave => "on_leave",
        }
    }

    /// What is the matter, in Japanese and English.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NotRegistered => ("専門家の登録が有効ではありません", "The expert is not registered (any more)"),
            Self::NotAppointed => ("専門家の委嘱期間外です", "Outside the expert's appointment"),
            Self::OnLeave => ("専門家の休止期間中です", "The expert is on leave"),
        }
    }
}

/// An expert's standing as far as it can hinder a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpertStanding {
    /// Registered, neither suspended nor retired.
    pub registered: bool,
    /// First day of the appointment.
    pub appointed_from: NaiveDate,
    /// First day after the appointment; `None`: open.
    pub appointed_to: Option<NaiveDate>,
    /// Leave, both days inclusive.
    pub leaves: Vec<(NaiveDate, NaiveDate)>,
}

impl ExpertStanding {
    fn appointed_on(&self, day: NaiveDate) -> bool {
        day >= self.appointed_from && self.appointed_to.is_none_or(|to| day < to)
    }

    fn on_leave(&self, day: NaiveDate) -> bool {
        self.leaves.iter().any(|(first, last)| (*first..=*last).contains(&day))
    }

    /// What hinders which visit (its place in the list; `None`: any visit at all). A dated visit needs its day; one to
    /// be arranged needs some day of the period that is appointed and free of leave.
    pub fn hindrances(&self, visits: &[OfferedVisit], period: (NaiveDate, NaiveDate)) -> Vec<(Option<usize>, Hindrance)> {
        if !self.registered {
            return vec![(None, Hindrance::NotRegistered)];
        }
        let mut found = Vec::new();
        for (i, visit) in visits.iter().enumerate() {
            let hindrance = match visit.day {
                Some(day) if !self.appointed_on(day) => Some(Hindrance::NotAppointed),
                Some(day) if self.on_leave(day) => Some(Hindrance::OnLeave),
                Some(_) => None,
                None => self.period_hindrance(period),
            };
            found.extend(hindrance.map(|hindrance| (Some(i), hindrance)));
        }
        found
    }

    fn period_hindrance(&self, (from, to): (NaiveDate, NaiveDate)) -> Option<Hindrance> {
        let mut appointed = from.iter_days().take_while(|day| *day <= to).filter(|day| self.appointed_on(*day)).peekable();
        if appointed.peek().is_none() {
            return Some(Hindrance::NotAppointed);
        }
        appointed.all(|day| self.on_leave(day)).then_some(Hindrance::OnLeave)
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
