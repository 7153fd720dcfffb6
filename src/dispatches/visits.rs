//! Use cases of one visit: arranging its day, recording what happened, calling it off, a party that did not come, another
//! day in its place.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::amend::require_limits;
use super::model::{DispatchStatus, Party, VisitOrigin, VisitStatus, VisitVerb, blocked, lies_within, notice_days};
use super::notices::{self, Amended, Item};
use super::service::{bind, lock_year, locked_expert, refresh_report, request_of, require_standing};
use super::store::{self, DispatchRow};
use super::visit_store::{self, NewVisit, VisitFilter, VisitRow};
use super::visit_views::{ArrangeVisitBody, CancelVisitBody, NoShowVisitBody, RecordVisitBody, RescheduleVisitBody, VisitView};
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::experts::load::check_capacity;
use crate::experts::store::ExpertRow;
use crate::http::{Audit, Ctx, Fields, ListQuery, Outcome};
use crate::ids::VisitId;
use crate::notifications::catalogue::EventKind;
use crate::requests::model::Mode;
use crate::settlements::budget_store::BudgetEntryKind;
use crate::settlements::service::Worked;

/// Shortest visit, in minutes.
const SHORTEST: i64 = 15;
/// Minutes of a day.
const DAY: i64 = 1440;

/// A visit that the principal's organisation works on, with its dispatch: 404 when not visible, 403 when only visible.
pub fn worked_on(conn: &mut Conn, ctx: &Ctx, id: VisitId) -> Result<(DispatchRow, VisitRow), Error> {
    let visit = visit_store::visible_visit(conn, ctx, id)?;
    let Some(dispatch) = visit.dispatch_id else {
        if visit.origin == VisitOrigin::Ledger {
            return Err(Error::new(ErrorCode::Forbidden).detail(
                "過年度の台帳から取り込んだ訪問は変更できません",
                "Visits taken over from an earlier ledger stay as they are",
            ));
        }
        return Err(Error::new(ErrorCode::Forbidden).detail(
            "派遣決定前の仮押さえです。決定後に操作できます",
            "The time is only held for an accepted offer; there is no dispatch to work on yet",
        ));
    };
    let dispatch = store::find(conn, dispatch)?.ok_or_else(Error::not_found)?;
    if ctx.organisation() != dispatch.applicant_organisation_id {
        store::owner_only(ctx, &dispatch)?;
    }
    // The first lock: whatever becomes of the visit changes what the year has bound.
    lock_year(conn, &dispatch)?;
    Ok((dispatch, visit))
}

/// A visit as the principal sees it.
pub fn view_of(conn: &mut Conn, ctx: &Ctx, id: VisitId) -> Result<VisitView, Error> {
    let filter = VisitFilter { id: Some(id), ..VisitFilter::default() };
    let list = ListQuery::new(Some(1), None, &"visit")?;
    let line = visit_store::list(conn, store::Audience::of(ctx), &filter, &list)?.pop().ok_or_else(Error::not_found)?;
    let enrolled = visit_store::participants(conn, &[id])?;
    Ok(VisitView::of_line(&line, &enrolled))
}

/// 409 unless dispatch and visit allow the verb; the visit's state after it.
fn allowed(dispatch: &DispatchRow, visit: &VisitRow, verb: VisitVerb) -> Result<VisitStatus, Error> {
    if dispatch.status != DispatchStatus::Decided {
        return Err(Error::transition(dispatch.status.as_str(), Vec::new()).detail(
            format!("派遣が「{}」のため訪問を変更できません", dispatch.status.label_ja()),
            format!("The dispatch is {}: its visits stay as they are", dispatch.status),
        ));
    }
    visit.status.after(visit.dated(), verb)
}

/// When and how a visit shall take place.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// The day and the minute at which it begins; `None`: to be arranged.
    pub(super) start: Option<(NaiveDate, i32)>,
    /// Minutes planned.
    pub(super) minutes: i32,
    /// How it takes place.
    pub(super) mode: Mode,
    /// Where.
    pub(super) place: String,
}

/// Notes what is wrong with a slot of a dispatch, under `pointer`.
pub(super) fn check_slot(fields: &mut Fields, pointer: &str, slot: &Slot, dispatch: &DispatchRow) -> Result<(), Error> {
    let at = |name: &str| format!("{pointer}/{name}");
    fields.within(&at("minutes"), i64::from(slot.minutes), SHORTEST, DAY);
    fields.optional_line(&at("place"), &slot.place, 200);
    if let Some((day, start)) = slot.start {
        fields.within(&at("start_minute"), i64::from(start), 0, DAY - 1);
        fields.check(
            i64::from(start) + i64::from(slot.minutes) <= DAY,
            at("minutes"),
            "beyond_midnight",
            "日付をまたぐ訪問は指定できません",
            "Must end on the same day",
        );
        if !lies_within(day, dispatch.period_from, dispatch.period_to, dispatch.year()?) {
            fields.wrong(
                at("day"),
                "outside_period",
                format!(
                    "派遣期間（{}～{}、{}年度内）の日付にしてください",
                    dispatch.period_from, dispatch.period_to, dispatch.fiscal_year
                ),
                format!(
                    "Must lie in the period of the dispatch ({} to {}, fiscal year {})",
                    dispatch.period_from, dispatch.period_to, dispatch.fiscal_year
                ),
            );
        }
    }
    Ok(())
}

/// Puts a visit into a slot: day, load, blocked time.
pub(super) fn place(visit: &mut VisitRow, slot: &Slot, dispatch: &DispatchRow, buffer_minutes: i32) {
    let day = slot.start.map(|(day, _)| day);
    let time = slot.start.map(|(day, start)| blocked(day, start, slot.minutes, slot.mode, buffer_minutes));
    visit.day = day;
    visit.load_day = super::model::load_day(day, dispatch.period_from);
    visit.start_minute = slot.start.map(|(_, start)| start);
    visit.planned_minutes = slot.minutes;
    visit.blocked_from = time.map(|time| time.0);
    visit.blocked_to = time.map(|time| time.1);
    visit.mode = slot.mode;
    visit.place.clone_from(&slot.place);
}

/// 409 or 422 unless the expert, whose lock is taken here, can carry the visit as it shall be.
fn can_go(conn: &mut Conn, dispatch: &DispatchRow, visit: &VisitRow) -> Result<ExpertRow, Error> {
    let expert = locked_expert(conn, visit.expert_id)?;
    let period = (dispatch.period_from, dispatch.period_to);
    require_standing(conn, &expert, std::slice::from_ref(visit), period, "/day")?;
    check_capacity(conn, &expert, dispatch.request_id, &[visit.load()])?;
    Ok(expert)
}

fn facts(visit: &VisitRow) -> Value {
    json!({
        "status": visit.status, "day": visit.day, "start_minute": visit.start_minute, "planned_minutes": visit.planned_minutes,
        "mode": visit.mode,
    })
}

fn audit(ctx: &Ctx, dispatch: &DispatchRow, visit: &VisitRow) -> Audit {
    Audit::new("visit", visit.id.0, dispatch.owner_organisation_id)
        .for_body(dispatch.applicant_organisation_id, ctx.organisation())
}

/// Gives a day and time to a visit that had none.
pub fn arrange(
    conn: &mut Conn,
    ctx: &Ctx,
    (dispatch, visit): (DispatchRow, VisitRow),
    body: ArrangeVisitBody,
) -> Result<Outcome<VisitView>, Error> {
    allowed(&dispatch, &visit, VisitVerb::Arrange)?;
    let slot = Slot {
        start: Some((body.day, body.start_minute)),
        minutes: body.minutes.unwrap_or(visit.planned_minutes),
        mode: body.mode.unwrap_or(visit.mode),
        place: body.place.unwrap_or_else(|| visit.place.clone()),
    };
    let mut fields = Fields::new();
    check_slot(&mut fields, "", &slot, &dispatch)?;
    fields.finish()?;
    let mut after = visit.clone();
    place(&mut after, &slot, &dispatch, dispatch.rules()?.travel_buffer_minutes);
    visit_store::set_aside(conn, &[visit.id])?;
    can_go(conn, &dispatch, &after)?;
    let version = visit_store::update(conn, &after, ctx.now)?;
    tell_change(conn, ctx, &dispatch, &visit, &after, None, &format!("visit{}:{version}", visit.id))?;
    let audit = audit(ctx, &dispatch, &visit).change(facts(&visit), facts(&after));
    Ok(Outcome::changed(view_of(conn, ctx, visit.id)?, version, audit))
}

/// Puts a visit on another day in the place of one: the old one stays on record as rescheduled.
pub fn reschedule(
    conn: &mut Conn,
    ctx: &Ctx,
    (dispatch, visit): (DispatchRow, VisitRow),
    body: RescheduleVisitBody,
) -> Result<Outcome<VisitView>, Error> {
    let status = allowed(&dispatch, &visit, VisitVerb::Reschedule)?;
    let request_id = visit.request_id.ok_or_else(|| Error::internal("a visit of a dispatch without request"))?;
    let slot = Slot {
        start: Some((body.day, body.start_minute)),
        minutes: body.minutes.unwrap_or(visit.planned_minutes),
        mode: body.mode.unwrap_or(visit.mode),
        place: body.place.unwrap_or_else(|| visit.place.clone()),
    };
    let mut fields = Fields::new();
    check_slot(&mut fields, "", &slot, &dispatch)?;
    check_reason(&mut fields, &body.reason);
    check_party(&mut fields, ctx, &dispatch, body.party);
    fields.finish()?;
    let mut after = visit.clone();
    place(&mut after, &slot, &dispatch, dispatch.rules()?.travel_buffer_minutes);
    visit_store::set_aside(conn, &[visit.id])?;
    can_go(conn, &dispatch, &after)?;
    let new = NewVisit {
        programme_id: visit.programme_id,
        owner_organisation_id: visit.owner_organisation_id,
        applicant_organisation_id: visit.applicant_organisation_id,
        expert_id: visit.expert_id,
        request_id,
        offer_id: visit.offer_id,
        dispatch_id: visit.dispatch_id,
        activity_kind: visit.activity_kind,
        status: VisitStatus::Planned,
        day: after.day,
        load_day: after.load_day,
        start_minute: after.start_minute,
        planned_minutes: after.planned_minutes,
        blocked: after.blocked_from.zip(after.blocked_to),
        mode: after.mode,
        place: after.place.clone(),
    };
    let id = visit_store::insert(conn, &new, ctx.now)?;
    let bodies: Vec<_> = visit_store::participants(conn, &[visit.id])?.into_iter().map(|(_, body)| body).collect();
    visit_store::set_participants(conn, id, &bodies)?;
    let mut old = visit.clone();
    old.status = status;
    old.rescheduled_to_id = Some(id);
    old.cancelled_by_party = Some(body.party);
    old.notice_days = notice_days(ctx.today(), [visit.day]);
    old.cancel_reason = Some(body.reason.clone());
    visit_store::update(conn, &old, ctx.now)?;
    tell_change(conn, ctx, &dispatch, &visit, &after, Some(&body.reason), &format!("visit{id}"))?;
    let audit = audit(ctx, &dispatch, &visit)
        .change(facts(&visit), json!({
            "status": old.status, "rescheduled_to_id": id, "day": after.day, "start_minute": after.start_minute, "party": body.party,
            "notice_days": old.notice_days,
        }))
        .because(body.reason);
    let view = view_of(conn, ctx, id)?;
    let version = view.version;
    Ok(Outcome::created(view, version, format!("/api/v1/visits/{id}"), audit))
}

fn tell_change(
    conn: &mut Conn,
    ctx: &Ctx,
    dispatch: &DispatchRow,
    before: &VisitRow,
    after: &VisitRow,
    reason: Option<&str>,
    key: &str,
) -> Result<(), Error> {
    let visits = visit_store::of_dispatch(conn, dispatch.id)?;
    refresh_report(conn, ctx, dispatch, &visits)?;
    let request = request_of(conn, dispatch)?;
    let parties = notices::parties(conn, ctx, dispatch, &request)?;
    require_limits(conn, ctx, dispatch, &request, &visits)?;
    bind(conn, ctx, dispatch, BudgetEntryKind::Plan)?;
    let items = [Item::visit(Some(before), Some(after))];
    let was = [(before.id, before.expert_id)];
    let told = Amended { items: &items, reason, visits: &visits, before: &was, also: &[], newcomer: None, key: key.to_owned() };
    notices::amended(conn, ctx, dispatch, &parties, &told)
}

fn check_reason(fields: &mut Fields, reason: &str) {
    fields.check(!reason.trim().is_empty(), "/reason", "required", "理由を入力してください", "Give the reason");
    fields.text("/reason", reason, 2000);
}

/// A body tells for itself and for what nobody could help; the expert's and the office's reasons are the office's to tell.
fn check_party(fields: &mut Fields, ctx: &Ctx, dispatch: &DispatchRow, party: Party) {
    let right = store::is_owner(ctx, dispatch) || matches!(party, Party::Applicant | Party::ForceMajeure);
    fields.check(
        right,
        "/party",
        "office_only",
        "専門家・事務局の都合は事務局が記録します",
        "The expert's and the office's reasons are recorded by the office",
    );
}

/// Writes down what happened: the visit is done and its honorarium is calculated. What is recorded stays.
pub fn record(
    conn: &mut Conn,
    ctx: &Ctx,
    (dispatch, visit): (DispatchRow, VisitRow),
    body: RecordVisitBody,
) -> Result<Outcome<VisitView>, Error> {
    let status = allowed(&dispatch, &visit, VisitVerb::Record)?;
    let mut fields = Fields::new();
    check_day_has_come(&mut fields, ctx, &visit);
    fields.within("/actual_minutes", i64::from(body.actual_minutes), 1, DAY);
    if let Some(attendees) = body.attendees {
        fields.within("/attendees", i64::from(attendees), 0, 100_000);
    }
    fields.text("/note", &body.note, 5000);
    let worked = worked(&mut fields, &body);
    if let Some(bodies) = &body.participant_ids {
        check_bodies(conn, &mut fields, &dispatch, &visit, bodies)?;
    }
    fields.finish()?;
    let mut after = visit.clone();
    after.status = status;
    after.actual_minutes = Some(body.actual_minutes);
    after.attendees = body.attendees;
    after.mode = body.mode.unwrap_or(visit.mode);
    after.note = body.note;
    let version = visit_store::update(conn, &after, ctx.now)?;
    if let Some(mut bodies) = body.participant_ids {
        bodies.sort_unstable();
        bodies.dedup();
        visit_store::set_participants(conn, visit.id, &bodies)?;
    }
    // The amount stands in the cost item; the event is also read where amounts are not disclosed.
    crate::settlements::service::calculate_for_visit(conn, ctx, &dispatch, &after, &worked)?;
    bind(conn, ctx, &dispatch, BudgetEntryKind::Commit)?;
    let visits = visit_store::of_dispatch(conn, dispatch.id)?;
    refresh_report(conn, ctx, &dispatch, &visits)?;
    notices::for_programs(conn, ctx, &dispatch, EventKind::VisitRecorded, &format!("{}:{version}", visit.id))?;
    let audit = audit(ctx, &dispatch, &visit).change(
        facts(&visit),
        json!({
            "status": after.status, "actual_minutes": after.actual_minutes, "attendees": after.attendees, "mode": after.mode,
        }),
    );
    Ok(Outcome::changed(view_of(conn, ctx, visit.id)?, version, audit))
}

/// What a fee table may look at beside the minutes.
fn worked(fields: &mut Fields, body: &RecordVisitBody) -> Worked {
    let parts = [
        ("/travel_minutes", body.travel_minutes),
        ("/waiting_minutes", body.waiting_minutes),
        ("/break_minutes", body.break_minutes),
    ];
    for (pointer, minutes) in parts {
        fields.within(pointer, i64::from(minutes.unwrap_or(0)), 0, i64::from(body.actual_minutes.clamp(0, 1440)));
    }
    fields.within("/distance_km", i64::from(body.distance_km.unwrap_or(0)), 0, 5000);
    let of = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
    Worked {
        travel_minutes: of(body.travel_minutes).unwrap_or(0),
        waiting_minutes: of(body.waiting_minutes).unwrap_or(0),
        break_minutes: of(body.break_minutes).unwrap_or(0),
        distance_km: of(body.distance_km),
    }
}

fn check_day_has_come(fields: &mut Fields, ctx: &Ctx, visit: &VisitRow) {
    fields.check(
        visit.day.is_some_and(|day| day <= ctx.today()),
        "/",
        "before_visit_day",
        "訪問日より前に記録することはできません",
        "Cannot be recorded before the day of the visit",
    );
}

/// The bodies must take part in the request or belong to the pool on the day (joint training open to all members).
fn check_bodies(
    conn: &mut Conn,
    fields: &mut Fields,
    dispatch: &DispatchRow,
    visit: &VisitRow,
    bodies: &[crate::ids::OrganisationId],
) -> Result<(), Error> {
    fields.check(!bodies.is_empty(), "/participant_ids", "required", "1団体以上を指定してください", "Name at least one");
    fields.at_most("/participant_ids", bodies.len(), 500);
    let mut known: Vec<_> =
        crate::requests::store::participants(conn, dispatch.request_id)?.into_iter().map(|body| body.organisation_id).collect();
    known.push(dispatch.applicant_organisation_id);
    if let (false, Some(day)) = (bodies.iter().all(|body| known.contains(body)), visit.day) {
        let pool = crate::pools::store::programme(conn, dispatch.programme_id)?.pool_id;
        known.extend(crate::pools::store::member_ids_on(conn, pool, day)?);
    }
    for (i, body) in bodies.iter().enumerate() {
        fields.check(
            known.contains(body),
            format!("/participant_ids/{i}"),
            "does_not_take_part",
            "この申請の参加団体または人材プールの会員を指定してください",
            "Must take part in the request or belong to the pool",
        );
    }
    Ok(())
}

/// Calls one visit off. The count of visits does not change: what did not take place was never counted.
pub fn cancel(
    conn: &mut Conn,
    ctx: &Ctx,
    (dispatch, visit): (DispatchRow, VisitRow),
    body: CancelVisitBody,
) -> Result<Outcome<VisitView>, Error> {
    let status = allowed(&dispatch, &visit, VisitVerb::Cancel)?;
    let mut fields = Fields::new();
    check_reason(&mut fields, &body.reason);
    check_party(&mut fields, ctx, &dispatch, body.party);
    fields.finish()?;
    let mut after = visit.clone();
    after.status = status;
    after.cancelled_by_party = Some(body.party);
    after.notice_days = notice_days(ctx.today(), [visit.day]);
    after.cancel_reason = Some(body.reason.clone());
    let version = visit_store::update(conn, &after, ctx.now)?;
    after.version = version;
    let visits = visit_store::of_dispatch(conn, dispatch.id)?;
    refresh_report(conn, ctx, &dispatch, &visits)?;
    let request = request_of(conn, &dispatch)?;
    bind(conn, ctx, &dispatch, BudgetEntryKind::Release)?;
    notices::visit_cancelled(conn, ctx, &dispatch, &request, &after, body.party, &body.reason)?;
    let audit = audit(ctx, &dispatch, &visit)
        .change(facts(&visit), json!({"status": after.status, "party": body.party, "notice_days": after.notice_days}))
        .because(body.reason);
    Ok(Outcome::changed(view_of(conn, ctx, visit.id)?, version, audit))
}

/// What people are told of a visit to which one side did not come.
fn absence(party: Party, note: &str) -> String {
    let who = match party {
        Party::Expert => "当日、専門家が訪問できず、実施されませんでした。",
        _ => "当日、受入れ側が対応できず、実施されませんでした。",
    };
    if note.trim().is_empty() { who.to_owned() } else { format!("{who}\n{note}") }
}

/// Notes that the day came and a party did not.
pub fn no_show(
    conn: &mut Conn,
    ctx: &Ctx,
    (dispatch, visit): (DispatchRow, VisitRow),
    body: NoShowVisitBody,
) -> Result<Outcome<VisitView>, Error> {
    let status = allowed(&dispatch, &visit, VisitVerb::NoShow)?;
    let mut fields = Fields::new();
    check_day_has_come(&mut fields, ctx, &visit);
    fields.text("/note", &body.note, 2000);
    fields.check(
        matches!(body.party, Party::Applicant | Party::Expert),
        "/party",
        "not_a_visitor",
        "来なかった側（申請団体または専門家）を指定してください",
        "Must be the applicant or the expert",
    );
    fields.finish()?;
    let mut after = visit.clone();
    after.status = status;
    after.cancelled_by_party = Some(body.party);
    after.notice_days = Some(0);
    after.note = body.note;
    let version = visit_store::update(conn, &after, ctx.now)?;
    let visits = visit_store::of_dispatch(conn, dispatch.id)?;
    refresh_report(conn, ctx, &dispatch, &visits)?;
    let request = request_of(conn, &dispatch)?;
    bind(conn, ctx, &dispatch, BudgetEntryKind::Release)?;
    notices::visit_cancelled(conn, ctx, &dispatch, &request, &visit, body.party, &absence(body.party, &after.note))?;
    let audit = audit(ctx, &dispatch, &visit).change(facts(&visit), json!({"status": after.status, "party": body.party}));
    Ok(Outcome::changed(view_of(conn, ctx, visit.id)?, version, audit))
}
