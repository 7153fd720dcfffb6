//! Mails about dispatches, visits and reports to those whom they concern. Facts only; the wording is that of the
//! notifications. Each mail is a row of the transaction it tells about.

use chrono::NaiveDate;

use super::model::{Party, VisitStatus};
use super::records;
use super::report_store::ReportRow;
use super::store::{DispatchExpertRow, DispatchRow};
use super::visit_store::VisitRow;
use crate::calendar::{jst_to_utc, wareki};
use crate::calendars::entries::{self, About};
use crate::db::Conn;
use crate::error::{Error, Locale};
use crate::http::Ctx;
use crate::ids::{ExpertId, VisitId};
use crate::notifications::calendars::CalendarMethod;
use crate::notifications::catalogue::EventKind;
use crate::notifications::recipient::Recipient;
use crate::notifications::service::{Event, Told, publish};
use crate::notifications::template::{
    Both, Change, DecisionReader, DispatchRef, Notice, PlannedVisit, ReportSubmitted, SurveyDue,
};
use crate::organisations::people;
use crate::requests::store::RequestRow;

/// Most calendar files of one mail; a dispatch of more visits is read in the service, or by a feed.
const MOST_ENTRIES: usize = 20;

/// Everybody who is told about a dispatch, and what is said of it in every mail.
#[derive(Debug, Clone)]
pub struct Parties {
    about: DispatchRef,
    applicant: Vec<Recipient>,
    bodies: Vec<Recipient>,
    experts: Vec<DispatchExpertRow>,
    office: Vec<Recipient>,
}

/// Finds everybody who is told: the staff and section mailboxes of the applicant and of every participating body, the
/// experts, and the owner's office unless it acts itself.
pub fn parties(conn: &mut Conn, ctx: &Ctx, row: &DispatchRow, request: &RequestRow) -> Result<Parties, Error> {
    let experts = records::experts_of(conn, &[row.id])?;
    let about = about(conn, row, request, &experts)?;
    let today = ctx.today();
    let lead = row.applicant_organisation_id;
    let mut applicant = people::staff_of(conn, lead, today)?;
    let contact = &request.contact_email;
    if !contact.is_empty() && !applicant.iter().any(|known| known.address.eq_ignore_ascii_case(contact)) {
        applicant.push(Recipient::person(contact, &request.contact_name, &about.applicant, Locale::Ja));
    }
    let mut bodies = Vec::new();
    for body in crate::requests::store::participants(conn, request.id)? {
        if body.organisation_id != lead {
            bodies.extend(people::staff_of(conn, body.organisation_id, today)?);
        }
    }
    let owner = row.owner_organisation_id;
    let office = if ctx.organisation() == owner { Vec::new() } else { people::coordinators_of(conn, owner, today)? };
    Ok(Parties { about, applicant, bodies, experts, office })
}

fn about(conn: &mut Conn, row: &DispatchRow, request: &RequestRow, experts: &[DispatchExpertRow]) -> Result<DispatchRef, Error> {
    let programme = crate::pools::store::programme(conn, row.programme_id)?.name;
    let applicant = crate::organisations::store::find(conn, row.applicant_organisation_id)?.map(|body| body.name);
    Ok(DispatchRef {
        // A consultation has no number; its kind stands in the place where people look for one.
        number: row.number.clone().unwrap_or_else(|| row.activity_kind.label_ja().to_owned()),
        document_number: Some(row.document_number.clone()).filter(|text| !text.is_empty()),
        programme: Some(programme),
        applicant: applicant.unwrap_or_default(),
        title: request.theme.clone(),
        experts: experts.iter().filter(|expert| expert.active).map(|expert| expert.name.clone()).collect(),
    })
}

/// A visit as mails state it.
pub fn planned(visit: &VisitRow) -> PlannedVisit {
    let start = visit.day.zip(visit.start_minute.and_then(|minute| u16::try_from(minute).ok()));
    PlannedVisit {
        starts_at: start.map(|(day, minute)| jst_to_utc(day, minute).and_utc()),
        minutes: u32::try_from(visit.planned_minutes).ok(),
        mode: Some(visit.mode),
        place: Some(visit.place.clone()).filter(|place| !place.is_empty()),
    }
}

fn ahead(visits: &[VisitRow], of: Option<ExpertId>) -> Vec<PlannedVisit> {
    visits
        .iter()
        .filter(|visit| visit.status.is_ahead() && of.is_none_or(|expert| visit.expert_id == expert))
        .map(planned)
        .collect()
}

fn link(row: &DispatchRow) -> String {
    format!("/dispatches/{}", row.id)
}

fn person(expert: &DispatchExpertRow) -> Recipient {
    Recipient::person(&expert.email, &expert.name, "", Locale::Ja).with_account(expert.user_id)
}

/// Tells an event of a dispatch; `mark` tells it from others of its kind.
fn post(conn: &mut Conn, ctx: &Ctx, row: &DispatchRow, kind: EventKind, mark: &str, told: Vec<Told>) -> Result<(), Error> {
    let event = Event::new(kind, row.owner_organisation_id, ("dispatch", row.id.0), mark)
        .of_request(row.request_id)
        .concerning([row.applicant_organisation_id]);
    publish(conn, ctx, &event, told).map(drop)
}

/// Whom a mail goes to, and whose visits it lists: `None` lists all.
type Reader = (Recipient, Option<ExpertId>);

impl Parties {
    /// The name of an expert of the dispatch.
    pub fn name_of(&self, expert: ExpertId) -> &str {
        self.experts.iter().find(|row| row.expert_id == expert).map_or("", |row| row.name.as_str())
    }

    /// A letter with the calendar files of its reader: to enter or change the visits that are ahead, to take out those
    /// that were ahead and no longer concern the reader.
    fn with_entries(&self, ctx: &Ctx, told: Told, of: Option<ExpertId>, visits: &[VisitRow], before: &[Ahead]) -> Told {
        let concerns = |expert: ExpertId| of.is_none_or(|reader| reader == expert);
        let goes = |visit: &VisitRow| visit.status.is_ahead() && concerns(visit.expert_id);
        let now = visits.iter().filter(|visit| goes(visit)).map(|visit| (visit, CalendarMethod::Request));
        let was = |visit: &VisitRow| before.iter().any(|(id, expert)| *id == visit.id && concerns(*expert));
        let gone = visits.iter().filter(|visit| was(visit) && !goes(visit)).map(|visit| (visit, CalendarMethod::Cancel));
        self.with_files(ctx, told, gone.chain(now))
    }

    fn with_files<'a>(&self, ctx: &Ctx, mut told: Told, visits: impl Iterator<Item = (&'a VisitRow, CalendarMethod)>) -> Told {
        for (visit, method) in visits.take(MOST_ENTRIES) {
            let about = About {
                theme: &self.about.title,
                host: &self.about.applicant,
                expert: self.name_of(visit.expert_id),
                number: Some(self.about.number.as_str()).filter(|number| !number.is_empty()),
            };
            told.calendars.extend(entries::for_mail(&ctx.app, visit, about, (method, &told.to), ctx.now));
        }
        told
    }

    fn everybody(&self, also: &[ExpertId]) -> Vec<Reader> {
        let bodies = self.applicant.iter().chain(&self.bodies).chain(&self.office).map(|to| (to.clone(), None));
        let experts = self
            .experts
            .iter()
            .filter(|expert| expert.active || also.contains(&expert.expert_id))
            .map(|expert| (person(expert), Some(expert.expert_id)));
        bodies.chain(experts).collect()
    }
}

/// Tells the decision (派遣決定通知) to the applicant, the participating bodies and each expert. A consultation needs no
/// notice, and none is sent.
pub fn decided(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &DispatchRow,
    request: &RequestRow,
    visits: &[VisitRow],
    report_days: i32,
) -> Result<(), Error> {
    if row.number.is_none() {
        return Ok(());
    }
    let parties = parties(conn, ctx, row, request)?;
    let mut readers: Vec<(Recipient, Option<ExpertId>, DecisionReader)> = Vec::new();
    readers.extend(parties.applicant.iter().map(|to| (to.clone(), None, DecisionReader::Applicant)));
    readers.extend(parties.bodies.iter().map(|to| (to.clone(), None, DecisionReader::ParticipatingBody)));
    for expert in &parties.experts {
        readers.push((person(expert), Some(expert.expert_id), DecisionReader::Expert));
    }
    let told = readers
        .into_iter()
        .map(|(to, of, reader)| {
            let notice = decision(&parties, row, &to, reader, ahead(visits, of), report_days);
            parties.with_entries(ctx, Told::new(to, notice), of, visits, &[])
        })
        .collect();
    post(conn, ctx, row, EventKind::DispatchDecided, &row.version.to_string(), told)
}

fn decision(
    parties: &Parties,
    row: &DispatchRow,
    to: &Recipient,
    reader: DecisionReader,
    visits: Vec<PlannedVisit>,
    report_days: i32,
) -> Notice {
    Notice::DecisionNotice {
        recipient: to.addressee(),
        reader,
        dispatch: parties.about.clone(),
        decided_on: row.decided_on,
        visits,
        report_within_days: u32::try_from(report_days).ok(),
        link: link(row),
    }
}

/// One item of an amendment in both languages.
#[derive(Debug, Clone)]
pub struct Item {
    /// What changed.
    pub name: (&'static str, &'static str),
    /// How it was, in both languages.
    pub before: Option<(String, String)>,
    /// How it is now.
    pub after: Option<(String, String)>,
}

impl Item {
    /// A visit that was added, moved or dropped.
    pub fn visit(before: Option<&VisitRow>, after: Option<&VisitRow>) -> Self {
        Self { name: ("日程", "Visit"), before: before.map(when), after: after.map(when) }
    }

    /// The period.
    pub fn period(before: (NaiveDate, NaiveDate), after: (NaiveDate, NaiveDate)) -> Self {
        let text =
            |(from, to): (NaiveDate, NaiveDate)| (format!("{}から{}まで", wareki(from), wareki(to)), format!("{from} to {to}"));
        Self { name: ("派遣期間", "Period"), before: Some(text(before)), after: Some(text(after)) }
    }

    /// The expert.
    pub fn expert(before: &str, after: &str) -> Self {
        let text = |name: &str| (name.to_owned(), name.to_owned());
        Self { name: ("専門家", "Expert"), before: Some(text(before)), after: Some(text(after)) }
    }

    fn change(&self) -> Change {
        let both = |(ja, en): &(String, String)| Both { ja: ja.clone(), en: en.clone() };
        Change {
            item: Both { ja: self.name.0.to_owned(), en: self.name.1.to_owned() },
            before: self.before.as_ref().map(both),
            after: self.after.as_ref().map(both),
        }
    }
}

/// When a visit takes place, in both languages.
fn when(visit: &VisitRow) -> (String, String) {
    let minutes = visit.planned_minutes;
    match (visit.day, visit.start_minute) {
        (Some(day), Some(start)) => (
            format!("{} {}:{:02}（{minutes}分、{}）", wareki(day), start / 60, start % 60, visit.mode.label_ja()),
            format!("{day} {}:{:02} JST ({minutes} min, {})", start / 60, start % 60, visit.mode),
        ),
        _ => (
            format!("日程調整中（{minutes}分、{}）", visit.mode.label_ja()),
            format!("to be arranged ({minutes} min, {})", visit.mode),
        ),
    }
}

/// A visit that was ahead, and the expert who was to go.
pub type Ahead = (VisitId, ExpertId);

/// The visits that are ahead, as a change is to be compared with.
pub fn still_ahead(visits: &[VisitRow]) -> Vec<Ahead> {
    visits.iter().filter(|visit| visit.status.is_ahead()).map(|visit| (visit.id, visit.expert_id)).collect()
}

/// What is told about a change.
#[derive(Debug)]
pub struct Amended<'a> {
    /// What changed.
    pub items: &'a [Item],
    /// Why, as typed.
    pub reason: Option<&'a str>,
    /// All visits as they are now.
    pub visits: &'a [VisitRow],
    /// The visits that were ahead before, with who was to go.
    pub before: &'a [Ahead],
    /// Experts who are told although they go no more.
    pub also: &'a [ExpertId],
    /// The expert who takes over, to whom the whole is told as it was decided, and the days within which is reported.
    pub newcomer: Option<(ExpertId, i32)>,
    /// What makes it the same mail.
    pub key: String,
}

/// Tells a change (変更決定) to all parties.
pub fn amended(conn: &mut Conn, ctx: &Ctx, row: &DispatchRow, parties: &Parties, told: &Amended<'_>) -> Result<(), Error> {
    let mut letters = Vec::new();
    for (to, of) in parties.everybody(told.also) {
        if let Some((newcomer, report_days)) = told.newcomer
            && of == Some(newcomer)
        {
            let notice = decision(parties, row, &to, DecisionReader::Expert, ahead(told.visits, of), report_days);
            letters.push(parties.with_entries(ctx, Told::new(to, notice), of, told.visits, told.before));
            continue;
        }
        let notice = Notice::DispatchAmended {
            recipient: to.addressee(),
            dispatch: parties.about.clone(),
            amended_on: ctx.today(),
            changes: told.items.iter().map(Item::change).collect(),
            reason: told.reason.map(str::to_owned),
            visits: ahead(told.visits, of),
            link: link(row),
        };
        letters.push(parties.with_entries(ctx, Told::new(to, notice), of, told.visits, told.before));
    }
    post(conn, ctx, row, EventKind::DispatchAmended, &told.key, letters)
}

/// Tells all parties that the dispatch is called off.
pub fn cancelled(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &DispatchRow,
    request: &RequestRow,
    party: Party,
    reason: &str,
) -> Result<(), Error> {
    let parties = parties(conn, ctx, row, request)?;
    // What was done stays in everybody's calendar.
    let visits: Vec<VisitRow> = super::visit_store::of_dispatch(conn, row.id)?
        .into_iter()
        .filter(|visit| visit.status == VisitStatus::Cancelled)
        .collect();
    let mut told = Vec::new();
    for (to, of) in parties.everybody(&[]) {
        let notice = Notice::DispatchCancelled {
            recipient: to.addressee(),
            dispatch: parties.about.clone(),
            cancelled_on: ctx.today(),
            cancelled_by: Some(party.into()),
            reason: Some(reason.to_owned()),
            link: link(row),
        };
        let own = visits.iter().filter(|visit| of.is_none_or(|expert| visit.expert_id == expert));
        told.push(parties.with_files(ctx, Told::new(to, notice), own.map(|visit| (visit, CalendarMethod::Cancel))));
    }
    post(conn, ctx, row, EventKind::DispatchCancelled, &row.version.to_string(), told)
}

/// Tells all parties that one visit does not take place; of the experts only the one who would have gone.
pub fn visit_cancelled(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &DispatchRow,
    request: &RequestRow,
    visit: &VisitRow,
    party: Party,
    reason: &str,
) -> Result<(), Error> {
    let parties = parties(conn, ctx, row, request)?;
    let mut told = Vec::new();
    for (to, of) in parties.everybody(&[visit.expert_id]) {
        if of.is_some_and(|expert| expert != visit.expert_id) {
            continue;
        }
        let notice = Notice::VisitCancelled {
            recipient: to.addressee(),
            dispatch: parties.about.clone(),
            visit: planned(visit),
            cancelled_by: Some(party.into()),
            reason: Some(reason.to_owned()),
            link: link(row),
        };
        // Who did not come is told too, but the day stays in the calendars.
        let off = (visit.status == VisitStatus::Cancelled).then_some((visit, CalendarMethod::Cancel));
        told.push(parties.with_files(ctx, Told::new(to, notice), off.into_iter()));
    }
    post(conn, ctx, row, EventKind::VisitCancelled, &format!("visit{}", visit.id), told)
}

fn report_link(row: &DispatchRow) -> String {
    format!("/dispatches/{}/report", row.id)
}

/// Tells the applicant that the report is to be corrected.
pub fn report_returned(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &DispatchRow,
    report: &ReportRow,
    last_visit: Option<NaiveDate>,
) -> Result<(), Error> {
    let Some((about, readers)) = reporters(conn, ctx, row)? else { return Ok(()) };
    let mut told = Vec::new();
    for to in readers {
        let notice = Notice::ReportReturned {
            recipient: to.addressee(),
            dispatch: about.clone(),
            visit_on: last_visit,
            reason: report.returned_reason.clone(),
            correct_by: None,
            link: report_link(row),
        };
        told.push(Told::new(to, notice));
    }
    post(conn, ctx, row, EventKind::ReportReturned, &report.version.to_string(), told)
}

/// Reminds the applicant of the report; returns to how many. `stage` makes two reminders the same.
pub fn report_due(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &DispatchRow,
    due_on: NaiveDate,
    overdue_days: u32,
    stage: &str,
) -> Result<usize, Error> {
    let Some((about, readers)) = reporters(conn, ctx, row)? else { return Ok(0) };
    let count = readers.len();
    let mut told = Vec::new();
    for to in readers {
        let notice = Notice::ReportReminder {
            recipient: to.addressee(),
            dispatch: about.clone(),
            visit_on: None,
            due_on,
            overdue_days,
            link: report_link(row),
        };
        told.push(Told::new(to, notice));
    }
    let kind = if overdue_days == 0 { EventKind::ReportDue } else { EventKind::ReportOverdue };
    post(conn, ctx, row, kind, &format!("{due_on}:{stage}"), told)?;
    Ok(count)
}

/// Who reports on a dispatch: the applicant's staff; for a body without account the office, which files for it.
fn reporters(conn: &mut Conn, ctx: &Ctx, row: &DispatchRow) -> Result<Option<(DispatchRef, Vec<Recipient>)>, Error> {
    let Some(request) = crate::requests::store::find(conn, row.request_id)? else { return Ok(None) };
    let experts = records::experts_of(conn, &[row.id])?;
    let about = about(conn, row, &request, &experts)?;
    let mut readers = people::staff_of(conn, row.applicant_organisation_id, ctx.today())?;
    let contact = &request.contact_email;
    if !contact.is_empty() && !readers.iter().any(|known| known.address.eq_ignore_ascii_case(contact)) {
        readers.push(Recipient::person(contact, &request.contact_name, &about.applicant, Locale::Ja));
    }
    if readers.is_empty() {
        readers = people::coordinators_of(conn, row.owner_organisation_id, ctx.today())?;
    }
    Ok(Some((about, readers)))
}

/// Asks the body what became of the work, in the year after.
pub fn survey(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &DispatchRow,
    event: &Event,
    answer_by: Option<NaiveDate>,
    instructions: &str,
) -> Result<(), Error> {
    let Some((about, readers)) = reporters(conn, ctx, row)? else { return Ok(()) };
    let told = readers
        .into_iter()
        .map(|to| {
            let notice = Notice::SurveyDue(SurveyDue {
                recipient: to.addressee(),
                dispatch: about.clone(),
                answer_by,
                instructions: Some(instructions.to_owned()).filter(|text| !text.is_empty()),
                link: link(row),
            });
            Told::new(to, notice)
        })
        .collect();
    publish(conn, ctx, event, told).map(drop)
}

/// Tells the office that the report is in.
pub fn report_submitted(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &DispatchRow,
    report: &ReportRow,
    visit_on: Option<NaiveDate>,
) -> Result<(), Error> {
    let Some((about, _)) = reporters(conn, ctx, row)? else { return Ok(()) };
    let told = people::coordinators_of(conn, row.owner_organisation_id, ctx.today())?
        .into_iter()
        .map(|to| {
            let notice = Notice::ReportSubmitted(ReportSubmitted {
                recipient: to.addressee(),
                dispatch: about.clone(),
                visit_on,
                resubmitted: report.returned_reason.is_some(),
                check_by: None,
                link: report_link(row),
            });
            Told::new(to, notice)
        })
        .collect();
    post(conn, ctx, row, EventKind::ReportSubmitted, &(report.version + 1).to_string(), told)
}

/// Tells programs something of a dispatch of which nobody needs a mail.
pub fn for_programs(conn: &mut Conn, ctx: &Ctx, row: &DispatchRow, kind: EventKind, mark: &str) -> Result<(), Error> {
    post(conn, ctx, row, kind, mark, Vec::new())
}
