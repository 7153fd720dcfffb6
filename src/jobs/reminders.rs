//! Reminders by the clock. Each area says what is due; that nothing is told twice is kept by the event's key, whatever
//! restarts and however many workers there are.

use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;

/// Looks for what is due and tells at most so many; says how many were told.
pub type Reminder = fn(&mut Conn, &Ctx, usize) -> Result<usize, Error>;

/// Events told in one transaction; the job comes back for the rest.
pub const BATCH: usize = 50;

/// Every reminder, with the name of its job and how many minutes lie between two looks.
pub const ALL: &[(&str, i64, Reminder)] = &[
    ("remind.offers", 1, crate::offers::jobs::remind_expiring),
    ("remind.requests", 10, crate::requests::reminders::unanswered),
    ("remind.windows", 10, crate::pools::reminders::windows_closing),
    ("remind.appointments", 10, crate::experts::reminders::appointments_ending),
    ("remind.pauses", 10, crate::experts::reminders::pauses_ending),
    ("remind.workloads", 10, crate::experts::reminders::workloads),
    ("remind.postings", 10, crate::postings::reminders::ending),
    ("remind.undeliverable", 1, crate::notifications::undeliverable::tell),
    ("remind.claims", 10, crate::settlements::overdue::remind),
    ("remind.surveys", 10, crate::dispatches::surveys::due),
];

/// Reminds applicants of reports that are due soon or overdue; returns how many mails were written.
pub fn remind_reports(conn: &mut Conn, ctx: &Ctx) -> Result<usize, Error> {
    crate::dispatches::reports::remind(conn, ctx)
}
