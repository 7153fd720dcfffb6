//! Whether an expert can make a visit on a given day, and what room a period leaves.
//!
//! Times are half-open: work until 12:00 and work from 12:00 do not overlap.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate};

use crate::calendar::{FiscalYear, MINUTES_PER_DAY, month_range, week_range};

use super::asked::Asked;
use super::input::{Candidate, Need, NeedMode, PlannedVisit};

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
    WeekFull,
}

/// How an expert stands to the dated visits of a request, looked at once for all conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayFit {
    /// The obstacles that each of the dated visits meets, as bits.
    shared: u8,
    dated: u32,
    possible: u32,
}

impl DayFit {
    /// Looks at every dated visit.
    pub(super) fn of(asked: &Asked<'_>, candidate: &Candidate) -> Self {
        let (mut shared, mut possible) = (u8::MAX, 0);
        for (day, visit) in &asked.dated {
            // A wish beyond the number of visits stands in for one of them and lasts as long.
            let minutes = if visit.minutes == 0 { asked.longest } else { visit.minutes };
            let met = obstacles(asked, candidate, *day, &PlannedVisit { minutes, ..*visit });
            shared &= met;
            possible += u32::from(met == 0);
        }
        Self { shared, dated: u32::try_from(asked.dated.len()).unwrap_or(u32::MAX), possible }
    }

    /// Whether there are dated visits and each of them meets this obstacle (and perhaps others).
    pub(super) fn all_meet(&self, obstacle: Obstacle) -> bool {
        self.dated > 0 && self.shared & obstacle.bit() != 0
    }

    /// Whether there are dated visits and none of them is possible, though no single obstacle stands before them all.
    pub(super) fn none_for_several_reasons(&self) -> bool {
        self.dated > 0 && self.possible == 0 && self.shared == 0
    }

    /// How many visits are dated, and how many of these are possible.
    pub(super) fn counts(&self) -> (u32, u32) {
        (self.dated, self.possible)
    }
}

impl Obstacle {
    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Whether nothing stands in the way of a visit on that day.
pub(super) fn possible(asked: &Asked<'_>, candidate: &Candidate, day: NaiveDate, visit: &PlannedVisit) -> bool {
    obstacles(asked, candidate, day, visit) == 0
}

/// The obstacles that a visit on that day meets, as bits.
fn obstacles(asked: &Asked<'_>, candidate: &Candidate, day: NaiveDate, visit: &PlannedVisit) -> u8 {
    let bit = |met: bool, obstacle: Obstacle| if met { obstacle.bit() } else { 0 };
    let week_full = candidate.week_capacity_minutes.is_some_and(|capacity| {
        let monday = week_range(day).0;
        let used = candidate.week_loads.iter().filter(|load| load.monday == monday);
        let used = used.fold(0, |sum: u32, load| sum.saturating_add(load.minutes));
        capacity.saturating_sub(used) < visit.minutes.max(1)
    });
    bit(candidate.appointed_from.is_some_and(|from| day < from), Obstacle::BeforeAppointment)
        | bit(candidate.appointed_to.is_some_and(|to| day > to), Obstacle::AfterAppointment)
        | bit(on_leave(candidate, day), Obstacle::Leave)
        | bit(outside_availability(candidate, day, visit), Obstacle::OutsideAvailability)
        | bit(busy(asked, candidate, day, visit), Obstacle::Busy)
        | bit(month_room(candidate, day.year(), day.month()) < visit.minutes.max(1), Obstacle::MonthFull)
        | bit(week_full, Obstacle::WeekFull)
}

fn outside_availability(candidate: &Candidate, day: NaiveDate, visit: &PlannedVisit) -> bool {
    // By arrangement at any time, and no day that differs: most experts on most days.
    if candidate.weekly.is_empty() && candidate.exceptions.is_empty() {
        return !fits(&[(0, u32::from(MINUTES_PER_DAY))], visit);
    }
    !fits(&windows(candidate, day), visit)
}

fn busy(asked: &Asked<'_>, candidate: &Candidate, day: NaiveDate, visit: &PlannedVisit) -> bool {
    let mut held = held(candidate, day, buffer(asked.need)).peekable();
    if held.peek().is_none() {
        return false;
    }
    match visit.start_minute {
        Some(start) => {
            let (start, end) = span(start, visit.minutes);
            held.any(|(from, to)| from < end && start < to)
        }
        None => {
            let open = windows(candidate, day);
            fits(&open, visit) && !fits(&subtract(&open, &held.collect::<Vec<_>>()), visit)
        }
    }
}

/// What a visit keeps free before and after itself. Time already held has its own in it.
fn buffer(need: &Need) -> u32 {
    if need.mode == NeedMode::Online { 0 } else { need.buffer_minutes }
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

/// The times of a day at which no visit can take place: what is held, widened by what the visit itself keeps free.
fn held(candidate: &Candidate, day: NaiveDate, buffer: u32) -> impl Iterator<Item = Span> + '_ {
    candidate
        .busy
        .iter()
        .filter(move |slot| slot.day == day)
        .map(move |slot| (u32::from(slot.start_minute).saturating_sub(buffer), u32::from(slot.end_minute).saturating_add(buffer)))
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

/// Days with visits in a fiscal year.
pub(super) fn year_days(candidate: &Candidate, year: FiscalYear) -> u32 {
    candidate.year_days.iter().filter(|days| days.fiscal_year == year).fold(0, |sum, days| sum.saturating_add(days.days))
}

/// Months in which the work may fall: those of the period and of the dated visits, as year and month, in order.
pub(super) fn months(need: &Need, dated: &[(NaiveDate, PlannedVisit)]) -> Vec<(i32, u32)> {
    let mut months: BTreeSet<_> = dated.iter().map(|(day, _)| (day.year(), day.month())).collect();
    let mut day = need.period_from;
    while day <= need.period_to {
        months.insert((day.year(), day.month()));
        match month_range(day).1.succ_opt() {
            Some(next) => day = next,
            None => break,
        }
    }
    months.into_iter().collect()
}

/// Fiscal years in which the work may fall, in order.
pub(super) fn fiscal_years(need: &Need, dated: &[(NaiveDate, PlannedVisit)]) -> Vec<FiscalYear> {
    let mut years: BTreeSet<_> = dated.iter().map(|(day, _)| FiscalYear::of(*day)).collect();
    let mut year = FiscalYear::of(need.period_from);
    while year <= FiscalYear::of(need.period_to) {
        years.insert(year);
        year = year.next();
    }
    years.into_iter().collect()
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
