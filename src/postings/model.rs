//! States of a placement, and the rules that hold at every instant: shares of a person, places of a host, length.
//!
//! Periods are half-open: `valid_to` is the first day that no longer counts, so one placement can end and the next begin
//! on the same day.

use chrono::{Months, NaiveDate};

use crate::error::Error;

crate::text_enum! {
    /// On what a placement rests.
    pub enum LegalBasis {
        /// 地方自治法第252条の17: dispatch of staff between local governments.
        StaffDispatch = "staff_dispatch_art252_17", "職員の派遣（地方自治法第252条の17）";
        /// Concurrent appointment (併任).
        ConcurrentAppointment = "concurrent_appointment", "併任";
        /// An agreement between the bodies.
        Agreement = "agreement", "協定";
        /// Something else; the note says what.
        Other = "other", "その他";
    }
}

crate::text_enum! {
    /// The state of a placement; whether it is running follows from its days.
    pub enum PostingStatus {
        /// Counts from its first day to its end.
        Active = "active", "有効";
        /// Never counts; kept for the record.
        Cancelled = "cancelled", "取消し";
    }
}

crate::text_enum! {
    /// What can be done to a placement.
    pub enum PostingVerb {
        /// Change days, share, basis or note.
        Edit = "edit", "変更";
        /// Let it go on beyond its term, by an amendment.
        Extend = "extend", "延長";
        /// Cancel it as a whole; to end it early, change its end.
        Cancel = "cancel", "取消し";
    }
}

/// The state table. Errors, buttons and documentation follow from it.
pub const TRANSITIONS: &[(PostingStatus, PostingVerb, PostingStatus)] = &[
    (PostingStatus::Active, PostingVerb::Edit, PostingStatus::Active),
    (PostingStatus::Active, PostingVerb::Extend, PostingStatus::Active),
    (PostingStatus::Active, PostingVerb::Cancel, PostingStatus::Cancelled),
];

impl PostingStatus {
    /// The state after a verb, or 409 with the verbs that are allowed.
    pub fn after(self, verb: PostingVerb) -> Result<Self, Error> {
        TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == verb)
            .map(|(_, _, to)| *to)
            .ok_or_else(|| Error::transition(self.as_str(), self.verbs().iter().map(|verb| verb.as_str()).collect()))
    }

    /// The verbs allowed in this state.
    pub fn verbs(self) -> Vec<PostingVerb> {
        TRANSITIONS.iter().filter(|(from, ..)| *from == self).map(|(_, verb, _)| *verb).collect()
    }
}

/// A period whose end does not belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// First day.
    pub from: NaiveDate,
    /// First day that no longer counts.
    pub to: NaiveDate,
}

impl Period {
    /// Whether a day belongs to it.
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.from <= day && day < self.to
    }

    /// Whether the two have a day in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

/// The first day on which the shares of a person would exceed 100 %, and the sum on that day. A sum can only rise where
/// a placement begins, so only beginnings are looked at.
pub fn share_exceeded(new: Period, share: i32, others: &[(Period, i32)]) -> Option<(NaiveDate, i32)> {
    beginnings(new, others.iter().map(|(period, _)| *period)).into_iter().find_map(|day| {
        let sum =
            others.iter().filter(|(period, _)| period.contains(day)).fold(share, |sum, (_, other)| sum.saturating_add(*other));
        (sum > 100).then_some((day, sum))
    })
}

/// The first day on which a host would have more people than places, and how many. `others` are the placements of
/// people with that host; somebody placed twice counts once.
pub fn places_exceeded(new: Period, expert: i64, others: &[(Period, i64)], places: i32) -> Option<(NaiveDate, usize)> {
    beginnings(new, others.iter().map(|(period, _)| *period)).into_iter().find_map(|day| {
        let mut people: Vec<i64> = others.iter().filter(|(period, _)| period.contains(day)).map(|(_, person)| *person).collect();
        people.push(expert);
        people.sort_unstable();
        people.dedup();
        (i64::try_from(people.len()).unwrap_or(i64::MAX) > i64::from(places)).then_some((day, people.len()))
    })
}

/// The first day of the new period and every day inside it on which another begins, in order.
fn beginnings(new: Period, others: impl Iterator<Item = Period>) -> Vec<NaiveDate> {
    let mut days: Vec<NaiveDate> = others.map(|period| period.from).filter(|day| new.contains(*day)).collect();
    days.push(new.from);
    days.sort_unstable();
    days.dedup();
    days
}

/// Whether a placement is longer than so many months. From 31 January, one month ends with February.
pub fn longer_than(period: Period, months: i32) -> bool {
    let months = Months::new(u32::try_from(months).unwrap_or(0));
    period.from.checked_add_months(months).is_some_and(|latest| period.to > latest)
}

/// Whether memberships (first day, end not included) cover every day of a period between them.
pub fn covered(period: Period, memberships: &[(NaiveDate, Option<NaiveDate>)]) -> bool {
    let mut memberships = memberships.to_vec();
    memberships.sort_unstable_by_key(|(from, _)| *from);
    let mut uncovered = period.from;
    for (from, to) in memberships {
        if from > uncovered {
            return false;
        }
        match to {
            None => return true,
            Some(to) => uncovered = uncovered.max(to),
        }
        if uncovered >= period.to {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn period(from: (i32, u32, u32), to: (i32, u32, u32)) -> Period {
        Period { from: day(from.0, from.1, from.2), to: day(to.0, to.1, to.2) }
    }

    #[test]
    fn a_cancelled_placement_stays_cancelled() {
        assert_eq!(PostingStatus::Active.after(PostingVerb::Cancel).unwrap(), PostingStatus::Cancelled);
        assert!(PostingStatus::Cancelled.after(PostingVerb::Edit).is_err());
        assert!(PostingStatus::Cancelled.verbs().is_empty());
    }

    #[test]
    fn shares_of_a_person_never_exceed_100_percent() {
        let new = period((2026, 4, 1), (2027, 4, 1));
        let first_half = (period((2025, 10, 1), (2026, 10, 1)), 50);
        let second_half = (period((2026, 10, 1), (2027, 10, 1)), 60);
        assert_eq!(share_exceeded(new, 40, &[first_half, second_half]), None);
        assert_eq!(share_exceeded(new, 50, &[first_half, second_half]), Some((day(2026, 10, 1), 110)));
        assert_eq!(share_exceeded(new, 51, &[first_half]), Some((day(2026, 4, 1), 101)));
        let before = (period((2025, 4, 1), (2026, 4, 1)), 100);
        assert_eq!(share_exceeded(new, 100, &[before]), None);
    }

    #[test]
    fn a_host_has_no_more_people_than_places_on_any_day() {
        let new = period((2026, 4, 1), (2027, 4, 1));
        let others = [
            (period((2026, 4, 1), (2026, 10, 1)), 1),
            (period((2026, 10, 1), (2027, 4, 1)), 2),
            (period((2026, 11, 1), (2027, 4, 1)), 3),
        ];
        assert_eq!(places_exceeded(new, 9, &others[..2], 2), None);
        assert_eq!(places_exceeded(new, 9, &others, 2), Some((day(2026, 11, 1), 3)));
        assert_eq!(places_exceeded(new, 3, &others, 2), None);
    }

    #[test]
    fn length_is_counted_in_calendar_months() {
        assert!(!longer_than(period((2026, 4, 1), (2029, 4, 1)), 36));
        assert!(longer_than(period((2026, 4, 1), (2029, 4, 2)), 36));
        assert!(!longer_than(period((2026, 1, 31), (2026, 2, 28)), 1));
    }

    #[test]
    fn memberships_cover_a_period_without_a_gap() {
        let new = period((2026, 4, 1), (2027, 4, 1));
        assert!(covered(new, &[(day(2020, 4, 1), None)]));
        assert!(covered(new, &[(day(2026, 10, 1), Some(day(2027, 4, 1))), (day(2020, 4, 1), Some(day(2026, 10, 1)))]));
        assert!(!covered(new, &[(day(2020, 4, 1), Some(day(2026, 9, 30))), (day(2026, 10, 1), None)]));
        assert!(!covered(new, &[(day(2026, 4, 2), None)]));
        assert!(!covered(new, &[]));
    }
}
