//! Whether an expert can make a visit on a given day, and what room a period leaves.
//!
//! Times are half-open: work until 12:00 and work from 12:00 do not overlap.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate};

use crate::calendar::{FiscalYear, MINUTES_PER_DAY, month_range};

use super::input::{Candidate, Need, PlannedVisit};

/// A time of one day in minutes, the end not included.
type Span = (u32, u32);

/// Why a dated visit is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    BeforeAppointment,
    AfterAppointment,
    Leave,
    OutsideAvailability,
    Busy,
    MonthFull,
}

/// The visits that have a day.
pub(super) fn dated(need: &Need) -> impl Iterator<Item = (NaiveDate, &PlannedVisit)> {
    need.visits.iter().filter_map(|visit| visit.day.map(|day| (day, visit)))
}

/// Whether there are dated visits and each of them meets this obstacle (and perhaps others).
pub(super) fn all_blocked_by(need: &Need, candidate: &Candidate, obstacle: Obstacle) -> bool {
    all_dated(need, |day, visit| blocked_by(candidate, day, visit, obstacle))
}

/// Whether there are dated visits and none of them is possible, for whatever reasons.
pub(super) fn all_blocked(need: &Need, candidate: &Candidate) -> bool {
    all_dated(need, |day, visit| !possible(candidate, day, visit))
}

fn all_dated(need: &Need, blocked: impl Fn(NaiveDate, &PlannedVisit) -> bool) -> bool {
    let mut visits = dated(need).peekable();
    visits.peek().is_some() && visits.all(|(day, visit)| blocked(day, visit))
}

/// Whether nothing stands in the way of a visit on that day.
pub(super) fn possible(candidate: &Candidate, day: NaiveDate, visit: &PlannedVisit) -> bool {
    [
        Obstacle::BeforeAppointment,
        Obstacle::AfterAppointment,
        Obstacle::Leave,
        Obstacle::OutsideAvailability,
        Obstacle::Busy,
        Obstacle::MonthFull,
    ]
    .into_iter()
    .all(|obstacle| !blocked_by(candidate, day, visit, obstacle))
}

fn blocked_by(candidate: &Candidate, day: NaiveDate, visit: &PlannedVisit, obstacle: Obstacle) -> bool {
    match obstacle {
        Obstacle::BeforeAppointment => candidate.appointed_from.is_some_and(|from| day < from),
        Obstacle::AfterAppointment => candidate.appointed_to.is_some_and(|to| day > to),
        Obstacle::Leave => on_leave(candidate, day),
        Obstacle::OutsideAvailability => !fits(&windows(candidate, day), visit),
        Obstacle::Busy => {
            let open = windows(candidate, day);
            let free = subtract(&open, &held(candidate, day));
            match visit.start_minute {
                Some(start) => {
                    let (start, end) = span(start, visit.minutes);
                    held(candidate, day).iter().any(|(from, to)| *from < end && start < *to)
                }
                None => fits(&open, visit) && !fits(&free, visit),
            }
        }
        Obstacle::MonthFull => month_room(candidate, day.year(), day.month()) < visit.minutes.max(1),
    }
}

fn on_leave(candidate: &Candidate, day: NaiveDate) -> bool {
    candidate.leaves.iter().any(|(from, to)| (*from..=*to).contains(&day))
}

/// Whether every day of the period is a day of leave.
pub(super) fn leave_covers(candidate: &Candidate, from: NaiveDate, to: NaiveDate) -> bool {
    let mut leaves = candidate.leaves.clone();
    leaves.sort_unstable();
    let mut uncovered = from;
    for (start, end) in leaves {
        if start > uncovered {
            break;
        }
        if end >= to {
            return true;
        }
        if end >= uncovered {
            uncovered = end.checked_add_days(Days::new(1)).unwrap_or(end);
        }
    }
    false
}

fn span(start_minute: u16, minutes: u32) -> Span {
    let start = u32::from(start_minute);
    (start, start.saturating_add(minutes))
}

/// The times of a day at which the expert can work, in order and not touching each other.
fn windows(candidate: &Candidate, day: NaiveDate) -> Vec<Span> {
    let mut open: Vec<Span> = if candidate.weekly.is_empty() {
        vec![(0, u32::from(MINUTES_PER_DAY))]
    } else {
        let weekday = day.weekday().number_from_monday();
        candidate
            .weekly
            .iter()
            .filter(|window| u32::from(window.iso_weekday) == weekday)
            .map(|window| (u32::from(window.start_minute), u32::from(window.end_minute)))
            .collect()
    };
    let mut closed = Vec::new();
    for exception in candidate.exceptions.iter().filter(|e| e.day == day) {
        let time = (u32::from(exception.start_minute), u32::from(exception.end_minute));
        if exception.available {
            open.push(time);
        } else {
            closed.push(time);
        }
    }
    subtract(&merge(open), &closed)
}

fn held(candidate: &Candidate, day: NaiveDate) -> Vec<Span> {
    candidate
        .busy
        .iter()
        .filter(|slot| slot.day == day)
        .map(|slot| (u32::from(slot.start_minute), u32::from(slot.end_minute)))
        .collect()
}

fn fits(windows: &[Span], visit: &PlannedVisit) -> bool {
    match visit.start_minute {
        Some(start) => {
            let (start, end) = span(start, visit.minutes);
            windows.iter().any(|(from, to)| *from <= start && end <= *to)
        }
        None => windows.iter().any(|(from, to)| to.saturating_sub(*from) >= visit.minutes.max(1)),
    }
}

/// The same time in as few spans as possible, in order.
fn merge(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|(from, to)| from < to);
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for (from, to) in spans {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// The time of `spans` (in order, not touching) that lies in none of `taken`.
fn subtract(spans: &[Span], taken: &[Span]) -> Vec<Span> {
    let taken = merge(taken.to_vec());
    let mut left = Vec::new();
    for (from, to) in spans {
        let mut cursor = *from;
        for (start, end) in &taken {
            if *end <= cursor || *start >= *to {
                continue;
            }
            if *start > cursor {
                left.push((cursor, *start));
            }
            cursor = cursor.max(*end);
        }
        if cursor < *to {
            left.push((cursor, *to));
        }
    }
    left
}

/// Minutes left in a month; without an agreed limit as many as can be counted.
fn month_room(candidate: &Candidate, year: i32, month: u32) -> u32 {
    match candidate.month_capacity_minutes {
        None => u32::MAX,
        Some(capacity) => capacity.saturating_sub(month_minutes(candidate, year, month)),
    }
}

pub(super) fn month_minutes(candidate: &Candidate, year: i32, month: u32) -> u32 {
    candidate
        .month_loads
        .iter()
        .filter(|load| load.year == year && load.month == month)
        .fold(0, |sum, load| sum.saturating_add(load.minutes))
}

pub(super) fn year_minutes(candidate: &Candidate, year: FiscalYear) -> u32 {
    candidate.year_loads.iter().filter(|load| load.fiscal_year == year).fold(0, |sum, load| sum.saturating_add(load.minutes))
}

/// Months in which the work may fall: those of the period and of the dated visits, as year and month.
pub(super) fn months(need: &Need) -> BTreeSet<(i32, u32)> {
    let mut months: BTreeSet<_> = dated(need).map(|(day, _)| (day.year(), day.month())).collect();
    let mut day = need.period_from;
    while day <= need.period_to {
        months.insert((day.year(), day.month()));
        match month_range(day).1.succ_opt() {
            Some(next) => day = next,
            None => break,
        }
    }
    months
}

/// Fiscal years in which the work may fall.
pub(super) fn fiscal_years(need: &Need) -> BTreeSet<FiscalYear> {
    let mut years: BTreeSet<_> = dated(need).map(|(day, _)| FiscalYear::of(day)).collect();
    let mut year = FiscalYear::of(need.period_from);
    while year <= FiscalYear::of(need.period_to) {
        years.insert(year);
        year = year.next();
    }
    years
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_merge_and_subtract() {
        assert_eq!(merge(vec![(720, 1020), (540, 720), (5, 5), (1100, 1200)]), [(540, 1020), (1100, 1200)]);
        assert_eq!(subtract(&[(540, 1020)], &[(600, 660), (500, 550), (1000, 1100)]), [(550, 600), (660, 1000)]);
        assert_eq!(subtract(&[(540, 600)], &[(0, 1440)]), []);
    }
}
