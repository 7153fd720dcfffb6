//! Use cases of activity reports (実績報告書): writing, handing in, sending back, approving, reminding.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use serde_json::json;

use super::model::{DispatchVerb, REMIND_DAYS_BEFORE, ReportVerb, VisitStatus, reminder};
use super::notices;
use super::records;
use super::report_store::{self, ReportRow};
use super::report_views::{ApproveReportBody, ReportView, ReturnReportBody, SubmitReportBody, WriteReportBody};
use super::store::{self, DispatchRow};
use super::visit_store::{self, VisitRow};
use crate::db::Conn;
use crate::error::Error;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{DispatchId, ReportId};
use crate::notifications::catalogue::EventKind;

/// The report of a visible dispatch.
pub fn visible_of(conn: &mut Conn, ctx: &Ctx, id: DispatchId) -> Result<(DispatchRow, ReportRow), Error> {
    let dispatch = store::visible_dispatch(conn, ctx, id)?;
    let report = report_store::of_dispatch(conn, dispatch.id)?;
    Ok((dispatch, report))
}

/// A report that the principal's organisation writes (the applicant, or the office for a body without account): 404 when
/// not visible, 403 when only visible.
pub fn written_by(conn: &mut Conn, ctx: &Ctx, id: ReportId) -> Result<(DispatchRow, ReportRow), Error> {
    let (dispatch, report) = report_store::visible(conn, ctx, id)?;
    may_write(ctx, &dispatch)?;
    Ok((dispatch, report))
}

/// Like [`written_by`], by the dispatch.
pub fn written_of(conn: &mut Conn, ctx: &Ctx, id: DispatchId) -> Result<(DispatchRow, ReportRow), Error> {
    let (dispatch, report) = visible_of(conn, ctx, id)?;
    may_write(ctx, &dispatch)?;
    Ok((dispatch, report))
}

fn may_write(ctx: &Ctx, dispatch: &DispatchRow) -> Result<(), Error> {
    if ctx.organisation() == dispatch.applicant_organisation_id { Ok(()) } else { store::owner_only(ctx, dispatch) }
}

/// A report that the principal reviews as the owner's office: 404 when not visible, 403 when only visible.
pub fn reviewed_by(conn: &mut Conn, ctx: &Ctx, id: ReportId) -> Result<(DispatchRow, ReportRow), Error> {
    let (dispatch, report) = report_store::visible(conn, ctx, id)?;
    store::owner_only(ctx, &dispatch)?;
    Ok((dispatch, report))
}

/// The report with the programme's counters.
pub fn view_of(conn: &mut Conn, ctx: &Ctx, dispatch: &DispatchRow, report: ReportRow) -> Result<ReportView, Error> {
    let amounts = report_store::outcomes(conn, report.id)?;
    Ok(ReportView::new(report, &dispatch.rules()?.outcome_counters, &amounts, ctx.today()))
}

fn audit(ctx: &Ctx, dispatch: &DispatchRow, report: &ReportRow) -> Audit {
    Audit::new("report", report.id.0, dispatch.owner_organisation_id)
        .for_body(dispatch.applicant_organisation_id, ctx.organisation())
}

/// Replaces the text and the numbers. Only counters that the dispatch's rules name can be filled in.
pub fn write(
    conn: &mut Conn,
    ctx: &Ctx,
    (dispatch, report): (DispatchRow, ReportRow),
    body: WriteReportBody,
) -> Result<Outcome<ReportView>, Error> {
    let status = report.status.after(ReportVerb::Write)?;
    let counters = dispatch.rules()?.outcome_counters;
    let mut fields = Fields::new();
    fields.text("/content", &body.content, 10_000);
    fields.text("/result", &body.result, 10_000);
    fields.text("/next_step", &body.next_step, 10_000);
    fields.at_most("/outcomes", body.outcomes.len(), 20);
    let mut amounts: BTreeMap<String, i32> = BTreeMap::new();
    for (i, outcome) in body.outcomes.iter().enumerate() {
        let pointer = format!("/outcomes/{i}");
        fields.within(&format!("{pointer}/amount"), i64::from(outcome.amount), 0, 1_000_000);
        fields.check(
            counters.iter().any(|counter| counter.code == outcome.counter),
            format!("{pointer}/counter"),
            "unknown_counter",
            "この事業の成果指標のコードを指定してください",
            "Must be the code of one of the programme's counters",
        );
        let twice = amounts.insert(outcome.counter.clone(), outcome.amount).is_some();
        fields.check(!twice, format!("{pointer}/counter"), "duplicate", "同じ指標が重なっています", "The counter is given twice");
    }
    fields.finish()?;
    let before = report_store::outcomes(conn, report.id)?;
    let mut row = report;
    row.status = status;
    row.content = body.content;
    row.result = body.result;
    row.next_step = body.next_step;
    let row = report_store::update(conn, &row, ctx.now)?;
    report_store::set_outcomes(conn, row.id, &amounts)?;
    let audit = audit(ctx, &dispatch, &row).change(json!({"outcomes": before}), json!({"outcomes": amounts}));
    let version = row.version;
    Ok(Outcome::changed(view_of(conn, ctx, &dispatch, row)?, version, audit))
}

/// 409 while a visit is still ahead: a report tells what happened.
fn require_all_over(conn: &mut Conn, dispatch: &DispatchRow, report: &ReportRow) -> Result<Vec<VisitRow>, Error> {
    let visits = visit_store::of_dispatch(conn, dispatch.id)?;
    let ahead = visits.iter().filter(|visit| visit.status.is_ahead()).count();
    if ahead > 0 {
        return Err(Error::transition(report.status.as_str(), vec![ReportVerb::Write.as_str()]).detail(
            format!("実績が記録されていない訪問が{ahead}回あります。すべての訪問の終了後に提出できます"),
            format!("{ahead} visit(s) are still ahead; a report can be handed in when all are over"),
        ));
    }
    Ok(visits)
}

/// Hands the report in.
pub fn submit(
    conn: &mut Conn,
    ctx: &Ctx,
    (dispatch, report): (DispatchRow, ReportRow),
    _: SubmitReportBody,
) -> Result<Outcome<ReportView>, Error> {
    let status = report.status.after(ReportVerb::Submit)?;
    require_all_over(conn, &dispatch, &report)?;
    let mut fields = Fields::new();
    fields.check(
        !report.content.trim().is_empty(),
        "/content",
        "required",
        "活動内容を入力してから提出してください",
        "Write what was done first",
    );
    fields.finish()?;
    let mut row = report.clone();
    row.status = status;
    row.submitted_at = Some(ctx.now);
    row.submitted_by = ctx.principal.user_id();
    row.returned_reason = None;
    let last = last_done(&visit_store::of_dispatch(conn, dispatch.id)?);
    notices::report_submitted(conn, ctx, &dispatch, &report, last)?;
    changed(conn, ctx, &dispatch, &report, row, None)
}

/// Sends the report back for correction and tells the applicant.
pub fn send_back(
    conn: &mut Conn,
    ctx: &Ctx,
    (dispatch, report): (DispatchRow, ReportRow),
    body: ReturnReportBody,
) -> Result<Outcome<ReportView>, Error> {
    let status = report.status.after(ReportVerb::Return)?;
    let mut fields = Fields::new();
    fields.check(!body.reason.trim().is_empty(), "/reason", "required", "理由を入力してください", "Give the reason");
    fields.text("/reason", &body.reason, 2000);
    fields.finish()?;
    let mut row = report.clone();
    row.status = status;
    row.returned_reason = Some(body.reason.clone());
    let outcome = changed(conn, ctx, &dispatch, &report, row, Some(body.reason))?;
    let row = report_store::of_dispatch(conn, dispatch.id)?;
    let last = last_done(&visit_store::of_dispatch(conn, dispatch.id)?);
    notices::report_returned(conn, ctx, &dispatch, &row, last)?;
    Ok(outcome)
}

fn last_done(visits: &[VisitRow]) -> Option<NaiveDate> {
    visits.iter().filter(|visit| visit.status == VisitStatus::Done).filter_map(|visit| visit.day).max()
}

/// Approves the report; the dispatch is then complete.
pub fn approve(
    conn: &mut Conn,
    ctx: &Ctx,
    (dispatch, report): (DispatchRow, ReportRow),
    _: ApproveReportBody,
) -> Result<Outcome<ReportView>, Error> {
    let status = report.status.after(ReportVerb::Approve)?;
    require_all_over(conn, &dispatch, &report)?;
    let mut row = report.clone();
    row.status = status;
    row.approved_at = Some(ctx.now);
    row.approved_by = ctx.principal.user_id();
    // A dispatch that was called off after some visits is reported on and stays called off.
    if let Ok(completed) = dispatch.status.after(DispatchVerb::Complete) {
        let mut done = dispatch.clone();
        done.status = completed;
        records::update_dispatch(conn, &done, ctx.now)?;
    }
    notices::for_programs(conn, ctx, &dispatch, EventKind::ReportApproved, &report.version.to_string())?;
    changed(conn, ctx, &dispatch, &report, row, None)
}

fn changed(
    conn: &mut Conn,
    ctx: &Ctx,
    dispatch: &DispatchRow,
    before: &ReportRow,
    row: ReportRow,
    reason: Option<String>,
) -> Result<Outcome<ReportView>, Error> {
    let row = report_store::update(conn, &row, ctx.now)?;
    let mut audit = audit(ctx, dispatch, &row).change(json!({"status": before.status}), json!({"status": row.status}));
    audit.reason = reason;
    let version = row.version;
    Ok(Outcome::changed(view_of(conn, ctx, dispatch, row)?, version, audit))
}

/// A report that its applicant is to be reminded of.
#[derive(Debug, Clone)]
pub struct DueReport {
    /// The report.
    pub report: ReportRow,
    /// Its dispatch: owner, applicant and number.
    pub dispatch: DispatchRow,
    /// Last day.
    pub due_on: NaiveDate,
    /// Days late; 0 while there is time.
    pub overdue_days: u32,
    /// Makes two reminders the same: one before the last day, then one for each week of delay.
    pub stage: String,
}

impl DueReport {
    /// What is kept of the reminder, so that it goes out once.
    fn mark(&self) -> String {
        format!("{}:{}", self.due_on, self.stage)
    }
}

/// The reports to remind of on a day (due within two days, or overdue) whose reminder of that stage has not gone out.
pub fn due_for_reminder(conn: &mut Conn, today: NaiveDate) -> Result<Vec<DueReport>, Error> {
    let ahead = Days::new(u64::try_from(REMIND_DAYS_BEFORE).unwrap_or(0));
    let until = today.checked_add_days(ahead).unwrap_or(today);
    Ok(report_store::not_in_until(conn, until)?
        .into_iter()
        .filter_map(|(report, dispatch)| {
            let due_on = report.due_on?;
            let said = reminder(due_on, today)?;
            Some(DueReport { report, dispatch, due_on, overdue_days: said.overdue_days(), stage: said.stage() })
        })
        .filter(|due| due.report.reminded.as_ref() != Some(&due.mark()))
        .collect())
}

/// Reminds the applicants of reports that are due soon or overdue, each once for a stage; returns how many mails were
/// written.
pub fn remind(conn: &mut Conn, ctx: &Ctx) -> Result<usize, Error> {
    let mut mails = 0;
    for due in due_for_reminder(conn, ctx.today())? {
        mails += notices::report_due(conn, ctx, &due.dispatch, due.due_on, due.overdue_days, &due.stage)?;
        report_store::set_reminded(conn, due.report.id, &due.mark())?;
    }
    Ok(mails)
}
