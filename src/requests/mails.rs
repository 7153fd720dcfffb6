//! The mails of a request: to its office, to the municipality's approvers, to the applicant and the bodies that take part.

use super::model::ReasonCode;
use super::store::{self, RequestRow};
use crate::calendar;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::{Error, Locale};
use crate::http::Ctx;
use crate::ids::OrganisationId;
use crate::notifications::catalogue::EventKind;
use crate::notifications::recipient::Recipient;
use crate::notifications::service::{Event, Told, publish};
use crate::notifications::template::{Addressee, Notice, PlannedVisit, RequestConsented, RequestRef, RequestUnanswered};
use crate::organisations::people;
use crate::organisations::store::{self as bodies, OrganisationRow};

/// The bodies of a request and what mails say of it.
struct Parties {
    applicant: OrganisationRow,
    others: Vec<OrganisationRow>,
    about: RequestRef,
}

fn parties(conn: &mut Conn, row: &RequestRow) -> Result<Parties, Error> {
    let lead = row.applicant_organisation_id;
    let mut ids = vec![lead];
    ids.extend(store::participants(conn, row.id)?.into_iter().map(|body| body.organisation_id).filter(|id| *id != lead));
    let (mut applicants, others): (Vec<_>, Vec<_>) = bodies::find_many(conn, &ids)?.into_iter().partition(|body| body.id == lead);
    let applicant = applicants.pop().ok_or_else(Error::not_found)?;
    let about = RequestRef {
        number: None,
        document_number: None,
        programme: Some(crate::pools::store::programme(conn, row.programme_id)?.name),
        applicant: applicant.name.clone(),
        joint_applicants: others.iter().map(|body| body.name.clone()).collect(),
        title: row.theme.clone(),
    };
    Ok(Parties { applicant, others, about })
}

/// What mails say of a request.
pub fn about(conn: &mut Conn, row: &RequestRow) -> Result<RequestRef, Error> {
    Ok(parties(conn, row)?.about)
}

fn link(row: &RequestRow) -> String {
    format!("/requests/{}", row.id)
}

fn said(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// Tells each recipient; `mark` tells the event from others of its kind about the request.
fn send(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &RequestRow,
    (kind, mark): (EventKind, String),
    recipients: Vec<Recipient>,
    notice: impl Fn(Addressee, Locale) -> Notice,
) -> Result<(), Error> {
    let event = Event::new(kind, row.owner_organisation_id, ("request", row.id.0), mark)
        .of_request(row.id)
        .concerning([row.applicant_organisation_id]);
    let told = recipients
        .into_iter()
        .map(|to| {
            let notice = notice(to.addressee(), to.locale);
            Told::new(to, notice)
        })
        .collect();
    publish(conn, ctx, &event, told).map(drop)
}

/// An event that happens once to each version of a request.
fn now(row: &RequestRow, kind: EventKind) -> (EventKind, String) {
    (kind, row.version.to_string())
}

/// Tells the office that a request arrived or came back corrected.
pub fn submitted(conn: &mut Conn, ctx: &Ctx, row: &RequestRow, resubmitted: bool) -> Result<(), Error> {
    let parties = parties(conn, row)?;
    let wished = wished(conn, row)?;
    let filed_by =
        (row.filed_by_organisation_id != row.applicant_organisation_id).then(|| ctx.principal.organisation_name.clone());
    let recipients = people::coordinators_of(conn, row.owner_organisation_id, ctx.today())?;
    send(conn, ctx, row, now(row, EventKind::RequestSubmitted), recipients, |recipient, _| Notice::RequestSubmitted {
        recipient,
        request: parties.about.clone(),
        filed_by: filed_by.clone(),
        resubmitted,
        wished: wished.clone(),
        review_by: None,
        link: link(row),
    })
}

/// The wishes that name a time; a wish for some time of a day is not a visit with a beginning.
fn wished(conn: &mut Conn, row: &RequestRow) -> Result<Vec<PlannedVisit>, Error> {
    let dates = store::wished_dates(conn, row.id)?;
    Ok(dates
        .into_iter()
        .filter_map(|wish| {
            let minute = u16::try_from(wish.start_minute?).ok()?;
            Some(PlannedVisit {
                starts_at: Some(UtcTime::from_naive(calendar::jst_to_utc(wish.day, minute)).instant()),
                minutes: u32::try_from(row.minutes_per_visit).ok(),
                mode: Some(row.mode),
                place: said(&row.place),
            })
        })
        .collect())
}

/// Asks the bodies that take part and have not agreed yet.
pub fn consent_wanted(conn: &mut Conn, ctx: &Ctx, row: &RequestRow) -> Result<(), Error> {
    let asked: Vec<OrganisationId> = store::participants(conn, row.id)?
        .into_iter()
        .filter(|body| !body.is_lead && body.consented_at.is_none())
        .map(|body| body.organisation_id)
        .collect();
    if asked.is_empty() {
        return Ok(());
    }
    let parties = parties(conn, row)?;
    let mut recipients = Vec::new();
    for body in asked {
        recipients.extend(people::staff_of(conn, body, ctx.today())?);
    }
    send(conn, ctx, row, now(row, EventKind::RequestConsentWanted), recipients, |recipient, _| Notice::RequestConsentWanted {
        recipient,
        request: parties.about.clone(),
        link: link(row),
    })
}

/// Asks the applicant's own approvers.
pub fn awaiting_approval(conn: &mut Conn, ctx: &Ctx, row: &RequestRow) -> Result<(), Error> {
    let parties = parties(conn, row)?;
    let recipients = people::approvers_of(conn, row.applicant_organisation_id, ctx.today())?;
    send(conn, ctx, row, now(row, EventKind::RequestAwaitingApproval), recipients, |recipient, _| {
        Notice::RequestAwaitingApproval {
            recipient,
            request: parties.about.clone(),
            filed_by: said(&ctx.principal.name),
            link: link(row),
        }
    })
}

/// Tells the applicant's staff that the own approver sent the request back.
pub fn sent_back(conn: &mut Conn, ctx: &Ctx, row: &RequestRow, reason: &str) -> Result<(), Error> {
    let parties = parties(conn, row)?;
    let recipients = people::staff_of(conn, row.applicant_organisation_id, ctx.today())?;
    send(conn, ctx, row, (EventKind::RequestReturned, format!("own-{}", row.version)), recipients, |recipient, _| {
        Notice::RequestReturned {
            recipient,
            request: parties.about.clone(),
            reason: said(reason),
            correct_by: None,
            link: link(row),
        }
    })
}

/// What the office tells the applicants.
#[derive(Debug, Clone, Copy)]
pub enum News<'a> {
    /// To be corrected, because.
    Returned(&'a str),
    /// Accepted, with a word.
    Accepted(&'a str),
    /// On the waiting list at a place, because.
    Waitlisted(i64, &'a str),
    /// Refused, for a coded reason and in words.
    Rejected(ReasonCode, &'a str),
}

/// Tells the applicant's staff and the person in charge, and the staff of the other bodies.
pub fn to_applicants(conn: &mut Conn, ctx: &Ctx, row: &RequestRow, news: News<'_>) -> Result<(), Error> {
    let parties = parties(conn, row)?;
    let mut recipients = people::staff_of(conn, parties.applicant.id, ctx.today())?;
    recipients.extend(contact(row, &parties.applicant));
    for body in &parties.others {
        recipients.extend(people::staff_of(conn, body.id, ctx.today())?);
    }
    let event = match news {
        News::Returned(_) => EventKind::RequestReturned,
        News::Accepted(_) => EventKind::RequestAccepted,
        News::Waitlisted(..) => EventKind::RequestWaitlisted,
        News::Rejected(..) => EventKind::RequestRejected,
    };
    send(conn, ctx, row, now(row, event), recipients, |recipient, locale| {
        let (request, link) = (parties.about.clone(), link(row));
        match news {
            News::Returned(reason) => {
                Notice::RequestReturned { recipient, request, reason: said(reason), correct_by: None, link }
            }
            News::Accepted(comment) => Notice::RequestAccepted { recipient, request, comment: said(comment), link },
            News::Waitlisted(position, reason) => Notice::RequestWaitlisted {
                recipient,
                request,
                position: u32::try_from(position).ok(),
                reason: said(reason),
                link,
            },
            News::Rejected(code, reason) => Notice::RequestRejected {
                recipient,
                request,
                reason_label: Some(label(code, locale)),
                reason: said(reason),
                link,
            },
        }
    })
}

fn label(code: ReasonCode, locale: Locale) -> String {
    match locale {
        Locale::Ja => code.label_ja().to_owned(),
        Locale::En => code.as_str().replace('_', " "),
    }
}

/// The person in charge, as the applicant wrote down.
fn contact(row: &RequestRow, applicant: &OrganisationRow) -> Option<Recipient> {
    if row.contact_email.is_empty() {
        return None;
    }
    let name = if row.contact_name.is_empty() { &applicant.name } else { &row.contact_name };
    Some(Recipient::person(row.contact_email.clone(), name.clone(), applicant.name.clone(), Locale::Ja))
}

/// Tells the office that the applicant took the request back.
pub fn withdrawn(conn: &mut Conn, ctx: &Ctx, row: &RequestRow, code: ReasonCode, reason: &str) -> Result<(), Error> {
    let parties = parties(conn, row)?;
    let recipients = people::coordinators_of(conn, row.owner_organisation_id, ctx.today())?;
    send(conn, ctx, row, now(row, EventKind::RequestWithdrawn), recipients, |recipient, locale| Notice::RequestWithdrawn {
        recipient,
        request: parties.about.clone(),
        reason_label: Some(label(code, locale)),
        reason: said(reason),
        link: link(row),
    })
}

/// Tells the other side of a message: the office when somebody of the applicants wrote, the applicants when the office did.
pub fn message(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &RequestRow,
    author: OrganisationId,
    message_id: i64,
    text: &str,
) -> Result<(), Error> {
    let parties = parties(conn, row)?;
    let recipients = if author == row.owner_organisation_id {
        let mut recipients = people::staff_of(conn, parties.applicant.id, ctx.today())?;
        recipients.extend(contact(row, &parties.applicant));
        for body in &parties.others {
            recipients.extend(people::staff_of(conn, body.id, ctx.today())?);
        }
        recipients
    } else {
        people::coordinators_of(conn, row.owner_organisation_id, ctx.today())?
    };
    let author = format!("{} {}", ctx.principal.organisation_name, ctx.principal.name);
    send(conn, ctx, row, (EventKind::RequestMessage, format!("message{message_id}")), recipients, |recipient, _| {
        Notice::RequestMessage {
            recipient,
            request: parties.about.clone(),
            author: author.clone(),
            message: text.to_owned(),
            link: link(row),
        }
    })
}

/// What the office is told of a request that has waited for review since its last step.
pub fn unanswered(to: Recipient, row: &RequestRow, about: RequestRef, now: UtcTime) -> Told {
    let idle = (now.instant() - row.updated_at.instant()).num_days();
    let notice = Notice::RequestUnanswered(RequestUnanswered {
        recipient: to.addressee(),
        request: about,
        state: Some(row.status.label_ja().to_owned()).filter(|_| to.locale == Locale::Ja),
        idle_days: u32::try_from(idle).unwrap_or(0),
        review_by: None,
        link: link(row),
    });
    Told::new(to, notice)
}

/// Tells the office and the lead body that another body agreed to take part, or no longer does.
pub fn consented(conn: &mut Conn, ctx: &Ctx, row: &RequestRow, who: OrganisationId, agrees: bool) -> Result<(), Error> {
    let parties = parties(conn, row)?;
    let waiting: Vec<OrganisationId> = store::participants(conn, row.id)?
        .into_iter()
        .filter(|body| !body.is_lead && body.consented_at.is_none())
        .map(|body| body.organisation_id)
        .collect();
    let name = |id: OrganisationId| parties.others.iter().find(|body| body.id == id).map(|body| body.name.clone());
    let body = name(who).unwrap_or_default();
    let waiting: Vec<String> = waiting.into_iter().filter_map(name).collect();
    let mut recipients = people::staff_of(conn, parties.applicant.id, ctx.today())?;
    recipients.extend(contact(row, &parties.applicant));
    if row.has_reached_office() {
        recipients.extend(people::coordinators_of(conn, row.owner_organisation_id, ctx.today())?);
    }
    send(conn, ctx, row, now(row, EventKind::RequestConsented), recipients, |recipient, _| {
        Notice::RequestConsented(RequestConsented {
            recipient,
            request: parties.about.clone(),
            body: body.clone(),
            agrees,
            waiting: waiting.clone(),
            link: link(row),
        })
    })
}
