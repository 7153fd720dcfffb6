//! Changes of a decision (変更決定): visits added, moved or dropped, another period. All of an amendment or nothing; the
//! number stays, the amendment is kept beside it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::model::{AmendmentKind, DispatchVerb, ReportStatus, VisitStatus, lies_within, load_day, within_one_year};
use super::notices::{self, Amended, Item};
use super::records::{self, NewAmendment};
use super::report_store;
use super::service::{bind, lock_year, locked_expert, refresh_report, request_of, require_standing, view_of};
use super::store::DispatchRow;
use super::views::{AmendDispatchBody, DispatchView};
use super::visit_store::{self, NewVisit, VisitRow};
use super::visit_views::PlannedVisitBody;
use super::visits::{Slot, check_slot, place};
use crate::db::Conn;
use crate::db::dialect::{Lockable, lock_row};
use crate::error::Error;
use crate::experts::load::check_capacity;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{ExpertId, VisitId};
use crate::requests::rules::{Case, Membership, Mix, ON_ACCEPT, check};
use crate::requests::store::RequestRow;
use crate::settlements::budget_store::BudgetEntryKind;

/// What an amendment comes to, after every value was looked at.
struct Plan {
    /// The dispatch with its new period.
    row: DispatchRow,
    /// Planned visits before and after.
    moved: Vec<(VisitRow, VisitRow)>,
    /// Planned visits that do not take place.
    dropped: Vec<VisitRow>,
    /// Visits to add, as they would be.
    added: Vec<VisitRow>,
}

/// 409 once the report is in: what it tells of must not change under it.
pub(super) fn require_report_open(conn: &mut Conn, row: &DispatchRow) -> Result<(), Error> {
    let report = report_store::of_dispatch(conn, row.id)?;
    if matches!(report.status, ReportStatus::Due | ReportStatus::Returned) {
        return Ok(());
    }
    Err(Error::transition(row.status.as_str(), vec![DispatchVerb::Cancel.as_str()]).detail(
        "実績報告書が提出されているため変更できません。変更する場合は報告書を差し戻してください",
        "The report is in; return it for correction first",
    ))
}

/// Amends a dispatch.
pub fn amend(conn: &mut Conn, ctx: &Ctx, before: DispatchRow, body: AmendDispatchBody) -> Result<Outcome<DispatchView>, Error> {
    before.status.after(DispatchVerb::Amend)?;
    lock_year(conn, &before)?;
    lock_row(conn, Lockable::Request, before.request_id.0)?;
    require_report_open(conn, &before)?;
    crate::settlements::lifecycle::require_not_final(conn, before.id)?;
    let visits = visit_store::of_dispatch(conn, before.id)?;
    let were_ahead = notices::still_ahead(&visits);
    let plan = plan(conn, &before, &visits, &body)?;
    let request = request_of(conn, &before)?;
    carry_out(conn, ctx, &plan, &request, &body.reason)?;

    let (old, new) = facts(&before, &plan);
    let amendment = NewAmendment {
        kind: AmendmentKind::Change,
        document_number: &body.document_number,
        old: old.clone(),
        new: new.clone(),
        reason: &body.reason,
    };
    records::insert_amendment(conn, ctx, &before, &amendment)?;
    let mut row = plan.row.clone();
    row.amendment_number += 1;
    let row = records::update_dispatch(conn, &row, ctx.now)?;
    let visits = visit_store::of_dispatch(conn, row.id)?;
    require_limits(conn, ctx, &row, &request, &visits)?;
    bind(conn, ctx, &row, BudgetEntryKind::Plan)?;
    refresh_report(conn, ctx, &row, &visits)?;
    let parties = notices::parties(conn, ctx, &row, &request)?;
    let items = items(&before, &plan);
    let told = Amended {
        items: &items,
        reason: Some(&body.reason),
        visits: &visits,
        before: &were_ahead,
        also: &[],
        newcomer: None,
        key: format!("amendment{}", row.amendment_number),
    };
    notices::amended(conn, ctx, &row, &parties, &told)?;
    let audit = Audit::new("dispatch", row.id.0, row.owner_organisation_id).change(old, new).because(body.reason);
    Ok(Outcome::changed(view_of(conn, ctx, &row)?, row.version, audit))
}

fn slot(fields: &mut Fields, pointer: &str, body: &PlannedVisitBody, row: &DispatchRow) -> Result<Slot, Error> {
    let both = body.day.is_some() == body.start_minute.is_some();
    fields.check(
        both,
        format!("{pointer}/start_minute"),
        "required",
        "日付と開始時刻は両方指定するか、両方省いてください（省いた場合は日程調整中）",
        "Give day and start together, or neither",
    );
    let slot = Slot { start: body.day.zip(body.start_minute), minutes: body.minutes, mode: body.mode, place: body.place.clone() };
    check_slot(fields, pointer, &slot, row)?;
    Ok(slot)
}

fn plan(conn: &mut Conn, before: &DispatchRow, visits: &[VisitRow], body: &AmendDispatchBody) -> Result<Plan, Error> {
    let mut fields = Fields::new();
    fields.check(!body.reason.trim().is_empty(), "/reason", "required", "理由を入力してください", "Give the reason");
    fields.text("/reason", &body.reason, 2000);
    fields.optional_line("/document_number", &body.document_number, 100);
    fields.at_most("/add", body.add.len(), 100);
    fields.at_most("/move", body.moved.len(), 100);
    fields.at_most("/drop", body.drop.len(), 100);
    let changes = !(body.add.is_empty() && body.moved.is_empty() && body.drop.is_empty());
    fields.check(
        changes || body.period_from.is_some() || body.period_to.is_some(),
        "/",
        "nothing_to_change",
        "変更する内容を指定してください",
        "Say what is to change",
    );
    let mut row = before.clone();
    row.period_from = body.period_from.unwrap_or(before.period_from);
    row.period_to = body.period_to.unwrap_or(before.period_to);
    fields.period("/period_to", row.period_from, row.period_to);
    let year = before.year()?;
    fields.check(
        row.period_to < row.period_from || (within_one_year(row.period_from, row.period_to) && year.contains(row.period_from)),
        "/period_to",
        "period_crosses_fiscal_year",
        "派遣期間は決定の年度内にしてください。翌年度の分は別の申請が必要です",
        "Must stay in the fiscal year of the decision",
    );

    let rules = before.rules()?;
    let mut touched: BTreeSet<VisitId> = BTreeSet::new();
    let mut find = |fields: &mut Fields, pointer: String, id: VisitId| -> Option<VisitRow> {
        let found = visits.iter().find(|visit| visit.id == id && visit.status == VisitStatus::Planned);
        fields.check(
            found.is_some(),
            pointer.clone(),
            "not_planned",
            "この派遣の予定されている訪問を指定してください",
            "Must be a planned visit of the dispatch",
        );
        fields.check(touched.insert(id), pointer, "duplicate", "同じ訪問が重なっています", "The visit is named twice");
        found.cloned()
    };
    let mut moved = Vec::new();
    for (i, wanted) in body.moved.iter().enumerate() {
        let found = find(&mut fields, format!("/move/{i}/visit_id"), wanted.visit_id);
        let slot = slot(&mut fields, &format!("/move/{i}/visit"), &wanted.visit, &row)?;
        if let Some(visit) = found {
            let mut after = visit.clone();
            place(&mut after, &slot, &row, rules.travel_buffer_minutes);
            moved.push((visit, after));
        }
    }
    let mut dropped = Vec::new();
    for (i, id) in body.drop.iter().enumerate() {
        dropped.extend(find(&mut fields, format!("/drop/{i}"), *id));
    }
    let experts = records::experts_of(conn, &[before.id])?;
    let mut added = Vec::new();
    for (i, wanted) in body.add.iter().enumerate() {
        let goes = experts.iter().any(|expert| expert.active && expert.expert_id == wanted.expert_id);
        fields.check(
            goes,
            format!("/add/{i}/expert_id"),
            "not_in_dispatch",
            "この派遣の専門家を指定してください",
            "Must be an expert of the dispatch",
        );
        let slot = slot(&mut fields, &format!("/add/{i}/visit"), &wanted.visit, &row)?;
        added.push(new_visit(&row, wanted.expert_id, &slot, rules.travel_buffer_minutes));
    }
    for visit in
        visits.iter().filter(|visit| matches!(visit.status, VisitStatus::Planned | VisitStatus::Done | VisitStatus::NoShow))
    {
        if touched.contains(&visit.id) {
            continue;
        }
        if let Some(day) = visit.day
            && !lies_within(day, row.period_from, row.period_to, year)
        {
            fields.wrong(
                "/period_to",
                "visit_outside_period",
                format!("{day}の訪問が派遣期間の外になります"),
                format!("The visit of {day} would lie outside the period"),
            );
        }
        // What is still to be arranged loads the month in which the period begins.
        if visit.status == VisitStatus::Planned && visit.day.is_none() && visit.load_day != load_day(None, row.period_from) {
            let mut after = visit.clone();
            after.load_day = load_day(None, row.period_from);
            moved.push((visit.clone(), after));
        }
    }
    fields.finish()?;
    Ok(Plan { row, moved, dropped, added })
}

fn new_visit(row: &DispatchRow, expert_id: ExpertId, slot: &Slot, buffer_minutes: i32) -> VisitRow {
    let mut visit = VisitRow {
        id: VisitId(0),
        programme_id: row.programme_id,
        owner_organisation_id: row.owner_organisation_id,
        applicant_organisation_id: row.applicant_organisation_id,
        expert_id,
        request_id: Some(row.request_id),
        offer_id: None,
        dispatch_id: Some(row.id),
        origin: super::model::VisitOrigin::Service,
        activity_kind: row.activity_kind,
        status: VisitStatus::Planned,
        day: None,
        load_day: row.period_from,
        start_minute: None,
        planned_minutes: slot.minutes,
        actual_minutes: None,
        blocked_from: None,
        blocked_to: None,
        mode: slot.mode,
        place: String::new(),
        attendees: None,
        note: String::new(),
        cancelled_by_party: None,
        notice_days: None,
        cancel_reason: None,
        rescheduled_to_id: None,
        version: 1,
    };
    place(&mut visit, slot, row, buffer_minutes);
    visit
}

/// Writes the visits. Those that move are set aside first, so that two can change places and the load is checked as it
/// will be. Experts are locked in the order of their ids.
fn carry_out(conn: &mut Conn, ctx: &Ctx, plan: &Plan, request: &RequestRow, reason: &str) -> Result<(), Error> {
    visit_store::cancel_planned(conn, &plan.dropped, None, reason, ctx.today(), ctx.now)?;
    let ids: Vec<VisitId> = plan.moved.iter().map(|(before, _)| before.id).collect();
    visit_store::set_aside(conn, &ids)?;
    let mut by_expert: BTreeMap<ExpertId, Vec<VisitRow>> = BTreeMap::new();
    for visit in plan.moved.iter().map(|(_, after)| after).chain(&plan.added) {
        by_expert.entry(visit.expert_id).or_default().push(visit.clone());
    }
    for (id, visits) in by_expert {
        let expert = locked_expert(conn, id)?;
        require_standing(conn, &expert, &visits, (plan.row.period_from, plan.row.period_to), "/")?;
        let load: Vec<_> = visits.iter().map(VisitRow::load).collect();
        check_capacity(conn, &expert, request.id, &load)?;
    }
    for (_, after) in &plan.moved {
        visit_store::update(conn, after, ctx.now)?;
    }
    for visit in &plan.added {
        let new = NewVisit {
            programme_id: visit.programme_id,
            owner_organisation_id: visit.owner_organisation_id,
            applicant_organisation_id: visit.applicant_organisation_id,
            expert_id: visit.expert_id,
            request_id: request.id,
            offer_id: None,
            dispatch_id: visit.dispatch_id,
            activity_kind: visit.activity_kind,
            status: VisitStatus::Planned,
            day: visit.day,
            load_day: visit.load_day,
            start_minute: visit.start_minute,
            planned_minutes: visit.planned_minutes,
            blocked: visit.blocked_from.zip(visit.blocked_to),
            mode: visit.mode,
            place: visit.place.clone(),
        };
        visit_store::insert(conn, &new, ctx.now)?;
    }
    if !plan.added.is_empty() {
        visit_store::enrol_participants(conn, plan.row.id)?;
    }
    Ok(())
}

/// 422 when the visits as they are now go beyond what the rules of the decision allow one request.
pub(super) fn require_limits(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &DispatchRow,
    request: &RequestRow,
    visits: &[VisitRow],
) -> Result<(), Error> {
    let applicant =
        crate::organisations::store::find(conn, row.applicant_organisation_id)?.ok_or_else(|| Error::internal("applicant"))?;
    let rules = row.rules()?;
    let counted: Vec<_> = visits
        .iter()
        .filter(|visit| VisitStatus::LOADING.contains(&visit.status))
        .map(|visit| (visit.day, visit.mode, visit.planned_minutes))
        .collect();
    let case = Case {
        rules: &rules,
        origin: request.origin,
        applicant_kind: applicant.kind,
        membership: Membership::Member,
        participants: Vec::new(),
        activity_kind: request.activity_kind,
        period_from: row.period_from,
        period_to: row.period_to,
        mix: Mix::planned(&counted),
        arrives_at: request.submitted_at.unwrap_or(ctx.now),
        today: ctx.today(),
        filed_by_owner: true,
        theme_key: request.theme_key.clone(),
        // What a body may have in a year was decided with the dispatch; an amendment adds no dispatch.
        experts: Vec::new(),
        others: Vec::new(),
    };
    check(ON_ACCEPT, &case)
}

fn of_visit(visit: &VisitRow) -> Value {
    json!({
        "id": visit.id, "expert_id": visit.expert_id, "day": visit.day, "start_minute": visit.start_minute,
        "minutes": visit.planned_minutes, "mode": visit.mode,
    })
}

fn facts(before: &DispatchRow, plan: &Plan) -> (Value, Value) {
    let period = |row: &DispatchRow| json!([row.period_from, row.period_to]);
    let old: Vec<Value> = plan.moved.iter().map(|(visit, _)| visit).chain(&plan.dropped).map(of_visit).collect();
    let moved: Vec<Value> = plan.moved.iter().map(|(_, visit)| of_visit(visit)).collect();
    let added: Vec<Value> = plan
        .added
        .iter()
        .map(|visit| {
            json!({
                "expert_id": visit.expert_id, "day": visit.day, "start_minute": visit.start_minute, "minutes": visit.planned_minutes,
                "mode": visit.mode,
            })
        })
        .collect();
    let dropped: Vec<VisitId> = plan.dropped.iter().map(|visit| visit.id).collect();
    (
        json!({"period": period(before), "visits": old}),
        json!({"period": period(&plan.row), "moved": moved, "added": added, "dropped": dropped}),
    )
}

fn items(before: &DispatchRow, plan: &Plan) -> Vec<Item> {
    let mut items = Vec::new();
    let (old, new) = ((before.period_from, before.period_to), (plan.row.period_from, plan.row.period_to));
    if old != new {
        items.push(Item::period(old, new));
    }
    let visible = plan
        .moved
        .iter()
        .filter(|(before, after)| before.day.is_some() || after.day.is_some() || before.planned_minutes != after.planned_minutes);
    items.extend(visible.map(|(before, after)| Item::visit(Some(before), Some(after))));
    items.extend(plan.dropped.iter().map(|visit| Item::visit(Some(visit), None)));
    items.extend(plan.added.iter().map(|visit| Item::visit(None, Some(visit))));
    items
}
