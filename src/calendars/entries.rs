//! A visit as a calendar entry.

use crate::app::App;
use crate::calendar::{jst_to_utc, wareki};
use crate::clock::UtcTime;
use crate::dispatches::model::VisitStatus;
use crate::dispatches::visit_store::{VisitLine, VisitRow};
use crate::notifications::calendars::{CalendarEntry, CalendarMethod};
use crate::notifications::ics::{Event, Person, Status, When, invitation, visit_uid};
use crate::notifications::recipient::Recipient;
use crate::notifications::service::domain;

/// What is known of a visit beside its row.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Theme of the request; empty for visits of an earlier ledger.
    pub theme: &'a str,
    /// The body that is visited.
    pub host: &'a str,
    /// Who goes.
    pub expert: &'a str,
    /// Document number of the dispatch, where there is one.
    pub number: Option<&'a str>,
}

impl<'a> From<&'a VisitLine> for About<'a> {
    fn from(line: &'a VisitLine) -> Self {
        Self { theme: &line.theme, host: &line.applicant_name, expert: &line.expert_name, number: None }
    }
}

/// The entry of a visit; nothing while its day is to be arranged. The same visit always has the same `UID`, and a number that
/// rises with each change.
pub fn of(app: &App, visit: &VisitRow, about: About<'_>, written: UtcTime) -> Option<Event> {
    let starts_at = visit
        .day
        .zip(visit.start_minute.and_then(|minute| u16::try_from(minute).ok()))
        .map(|(day, minute)| jst_to_utc(day, minute).and_utc());
    let minutes = visit.actual_minutes.unwrap_or(visit.planned_minutes);
    let when = When::of(starts_at, u32::try_from(minutes).ok(), visit.day)?;
    let status = match visit.status {
        VisitStatus::Held => Status::Tentative,
        VisitStatus::Planned | VisitStatus::Done => Status::Confirmed,
        _ => Status::Cancelled,
    };
    let title = if about.theme.is_empty() { "専門家派遣" } else { about.theme };
    let mut lines = vec![format!("派遣先：{}", about.host), format!("専門家：{}", about.expert)];
    lines.extend(about.number.map(|number| format!("番号：{number}")));
    lines.push(format!("方法：{}", visit.mode.label_ja()));
    lines.extend(visit.day.map(|day| format!("日付：{}", wareki(day))));
    let path = match (visit.dispatch_id, visit.request_id) {
        (Some(dispatch), _) => Some(format!("/dispatches/{dispatch}")),
        (None, Some(request)) => Some(format!("/requests/{request}")),
        (None, None) => None,
    };
    let smtp = &app.config.smtp;
    Some(Event {
        uid: visit_uid(visit.id.0, domain(app)),
        sequence: u32::try_from(visit.version).unwrap_or(u32::MAX),
        dtstamp: written.instant(),
        when,
        summary: format!("{title}（{}）", about.host),
        description: lines.join("\n"),
        location: visit.place.clone(),
        url: path.map(|path| format!("{}{path}", app.config.base_url)),
        organizer: Person { name: smtp.from_name.clone(), address: smtp.from_address.clone() },
        attendees: Vec::new(),
        status,
        categories: vec![app.config.service_name.clone()],
    })
}

/// The file that goes with a mail to `to`: to be entered or changed, or to be taken out.
pub fn for_mail(
    app: &App,
    visit: &VisitRow,
    about: About<'_>,
    (method, to): (CalendarMethod, &Recipient),
    written: UtcTime,
) -> Option<CalendarEntry> {
    let mut event = of(app, visit, about, written)?;
    event.attendees = vec![Person { name: to.name.clone(), address: to.address.clone() }];
    Some(CalendarEntry { method, file_name: format!("visit-{}.ics", visit.id), text: invitation(&event, method) })
}
