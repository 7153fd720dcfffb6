//! Reminders by the clock, each once: the outbox refuses a second mail with the same key.

use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;

/// Reminds applicants of reports that are due soon or overdue; returns how many mails were written.
pub fn remind_reports(conn: &mut Conn, ctx: &Ctx) -> Result<usize, Error> {
    crate::dispatches::reports::remind(conn, ctx)
}
