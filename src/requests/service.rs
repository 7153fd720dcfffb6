//! What other areas ask about requests.

use std::collections::HashMap;

use super::model::Progress;
use super::rules::Mix;
use super::store::{self, RequestRow};
use super::{facts, list, rules};

pub use super::needs::{need_of, needs_of};
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::{ExpertId, RequestId};
use crate::settlements::budget;
use crate::settlements::budget_store::BudgetEntryKind;

/// What the stages of these requests are computed from; one query for all. Requests that do not exist are missing.
pub fn progress(conn: &mut Conn, ids: &[RequestId]) -> Result<HashMap<RequestId, Progress>, Error> {
    list::progress(conn, ids)
}

/// Looks once more at what may have changed since the request was accepted: the consent of every body that takes part,
/// the programme's limits against the visits as they are planned, and the budget. To be called before a dispatch is
/// decided; takes the locks of the programme's year and of the request.
pub fn check_before_decision(conn: &mut Conn, ctx: &Ctx, request: &RequestRow) -> Result<(), Error> {
    let facts = facts::load_locked(conn, ctx, request)?;
    let planned = store::planned_visits(conn, request.id)?;
    budget::bind(conn, ctx, request.id, &facts.year.rules, BudgetEntryKind::Plan)?;
    facts.require_consents(request)?;
    crate::settlements::agreements::freeze_before_decision(conn, ctx, request)?;
    let mix = if planned.is_empty() { facts::asked(request) } else { Mix::planned(&planned) };
    rules::check(rules::ON_ACCEPT, &facts.case(ctx, request, mix, request.submitted_at.unwrap_or(ctx.now)))
}

/// 422 when the programme lets another expert serve the same theme of the same body no more in this fiscal year. The caller
/// holds the lock of the programme's year.
pub fn check_replacement(conn: &mut Conn, request: &RequestRow, expert: ExpertId, pointer: &str) -> Result<(), Error> {
    let year = crate::pools::store::year(conn, request.programme_id, request.fiscal_year)?.ok_or_else(Error::not_found)?;
    let others = facts::counting(conn, request, &year)?;
    match rules::same_theme_and_expert(&year.rules, &request.theme_key, expert, &others, pointer) {
        Some(refusal) => Err(Error::rule(refusal.rule, refusal.pointer, refusal.ja, refusal.en)),
        None => Ok(()),
    }
}
