//! What the clock reminds of in experts: appointments and pauses that end, loads near their limit.

use chrono::{Days, NaiveDate};
use diesel::prelude::*;

use super::limits::{self, Limit, NearLimit};
use super::model::{ExceptionKind, ExpertStatus};
use crate::db::Conn;
use crate::db::schema::{expert_exceptions, experts, pools};
use crate::error::{Error, Locale};
use crate::http::Ctx;
use crate::ids::{ExpertId, OrganisationId, UserId};
use crate::notifications::catalogue::EventKind;
use crate::notifications::deadlines::{DAYS_BEFORE, stage};
use crate::notifications::recipient::Recipient;
use crate::notifications::service::{Event, Told, publish, untold};
use crate::notifications::template::{AppointmentEnding, LoadLimit, Notice, PauseEnding, Workload};
use crate::organisations::people;

/// Days before the end of a pause at which it is told.
const PAUSE_DAYS_BEFORE: i64 = 3;
/// A pause shorter than this many days needs no reminder.
const SHORTEST_PAUSE: i64 = 7;

/// An expert with the end of something.
#[derive(Debug, Clone, Queryable)]
struct Ending {
    expert: ExpertId,
    name: String,
    email: String,
    user_id: Option<UserId>,
    owner: OrganisationId,
    /// First day that no longer counts (appointment), or the last that does (pause).
    day: NaiveDate,
}

impl Ending {
    fn person(&self) -> Recipient {
        Recipient::person(&self.email, &self.name, "", Locale::Ja).with_account(self.user_id)
    }

    fn event(&self, kind: EventKind, mark: String) -> Event {
        Event::new(kind, self.owner, ("expert", self.expert.0), mark)
    }
}

/// Tells expert and office of appointments that end in 14 and in 3 days, each once. Returns how many, at most `most`.
pub fn appointments_ending(conn: &mut Conn, ctx: &Ctx, most: usize) -> Result<usize, Error> {
    let today = ctx.today();
    let until = today.checked_add_days(Days::new(DAYS_BEFORE.iter().copied().max().unwrap_or(0).unsigned_abs())).unwrap_or(today);
    let rows: Vec<Ending> = experts::table
        .inner_join(pools::table)
        .filter(experts::status.ne(ExpertStatus::Retired))
        .filter(experts::appointed_to.gt(today))
        .filter(experts::appointed_to.le(until))
        .order(experts::id)
        .select((
            experts::id,
            experts::name,
            experts::email,
            experts::user_id,
            pools::owner_organisation_id,
            experts::appointed_to.assume_not_null(),
        ))
        .load(conn)?;
    let due = rows
        .into_iter()
        .filter_map(|row| {
            let days = stage(today, row.day)?;
            Some((row.event(EventKind::AppointmentEnding, format!("{}:{days}", row.day)), row))
        })
        .collect();
    let due = untold(conn, due, most)?;
    tell(conn, ctx, due, |to, row, own| {
        let last_day = row.day.pred_opt().unwrap_or(row.day);
        appointment(to, row, last_day, today, own)
    })
}

/// Tells expert and office of pauses of a week or more that end within three days, each once.
pub fn pauses_ending(conn: &mut Conn, ctx: &Ctx, most: usize) -> Result<usize, Error> {
    let today = ctx.today();
    let until = today.checked_add_days(Days::new(PAUSE_DAYS_BEFORE.unsigned_abs())).unwrap_or(today);
    let rows: Vec<(Ending, NaiveDate)> = expert_exceptions::table
        .inner_join(experts::table.inner_join(pools::table))
        .filter(expert_exceptions::kind.eq(ExceptionKind::Leave))
        .filter(expert_exceptions::last_day.ge(today))
        .filter(expert_exceptions::last_day.le(until))
        .filter(experts::status.ne(ExpertStatus::Retired))
        .order(expert_exceptions::id)
        .select((
            (
                experts::id,
                experts::name,
                experts::email,
                experts::user_id,
                pools::owner_organisation_id,
                expert_exceptions::last_day,
            ),
            expert_exceptions::first_day,
        ))
        .load(conn)?;
    let due = rows
        .into_iter()
        .filter(|(row, first)| (row.day - *first).num_days() + 1 >= SHORTEST_PAUSE)
        .map(|(row, _)| (row.event(EventKind::PauseEnding, row.day.to_string()), row))
        .collect();
    let due = untold(conn, due, most)?;
    tell(conn, ctx, due, pause)
}

/// Tells each to the office and to the expert; the last argument of `letter` says whether the reader is the expert.
fn tell(
    conn: &mut Conn,
    ctx: &Ctx,
    due: Vec<(Event, Ending)>,
    letter: impl Fn(Recipient, &Ending, bool) -> Told,
) -> Result<usize, Error> {
    let told = due.len();
    for (event, row) in due {
        let office = people::coordinators_of(conn, row.owner, ctx.today())?;
        let mut letters: Vec<Told> = office.into_iter().map(|to| letter(to, &row, false)).collect();
        letters.push(letter(row.person(), &row, true));
        publish(conn, ctx, &event, letters)?;
    }
    Ok(told)
}

/// Tells expert and office of loads that have reached 80 % and 100 % of what is agreed for a month or the year, each once.
pub fn workloads(conn: &mut Conn, ctx: &Ctx, most: usize) -> Result<usize, Error> {
    let near = limits::near(conn, None, ctx.today(), limits::NEAR_PERCENT)?;
    let due = near
        .into_iter()
        .map(|near| {
            let kind = if near.percent() >= 100 { EventKind::WorkloadReached } else { EventKind::WorkloadNearLimit };
            (Event::new(kind, near.owner, ("expert", near.expert.0), near.limit.mark()), near)
        })
        .collect();
    let due = untold(conn, due, most)?;
    let told = due.len();
    for (event, near) in due {
        let office = people::coordinators_of(conn, near.owner, ctx.today())?;
        let mut letters: Vec<Told> = office.into_iter().map(|to| workload(to, &near, false)).collect();
        let person = Recipient::person(&near.email, &near.name, "", Locale::Ja).with_account(near.user_id);
        letters.push(workload(person, &near, true));
        publish(conn, ctx, &event, letters)?;
    }
    Ok(told)
}

fn appointment(to: Recipient, row: &Ending, last_day: NaiveDate, today: NaiveDate, own: bool) -> Told {
    let notice = Notice::AppointmentEnding(AppointmentEnding {
        recipient: to.addressee(),
        expert: row.name.clone(),
        own,
        last_day,
        days_left: u32::try_from((row.day - today).num_days()).unwrap_or(0),
        link: format!("/experts/{}", row.expert),
    });
    Told::new(to, notice)
}

fn pause(to: Recipient, row: &Ending, own: bool) -> Told {
    let notice = Notice::PauseEnding(PauseEnding {
        recipient: to.addressee(),
        expert: row.name.clone(),
        own,
        last_day: row.day,
        link: format!("/experts/{}", row.expert),
    });
    Told::new(to, notice)
}

fn workload(to: Recipient, near: &NearLimit, own: bool) -> Told {
    let load = Workload {
        recipient: to.addressee(),
        expert: near.name.clone(),
        own,
        limit: match near.limit {
            Limit::MonthMinutes(first) => LoadLimit::MonthMinutes(first),
            Limit::YearMinutes(year) => LoadLimit::YearMinutes(year),
            Limit::YearDays(year) => LoadLimit::YearDays(year),
        },
        used: near.used,
        agreed: near.agreed,
        link: format!("/experts/{}", near.expert),
    };
    let notice = if near.percent() >= 100 { Notice::WorkloadReached(load) } else { Notice::WorkloadNearLimit(load) };
    Told::new(to, notice)
}
