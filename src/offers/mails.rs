//! Mails about offers: to the expert who is asked, and to the office about the answers. Facts only; the wording is that of
//! the notifications.

use super::model::OfferedVisit;
use super::store::OfferRow;
use crate::db::Conn;
use crate::error::Error;
use crate::experts::store::ExpertRow;
use crate::http::Ctx;
use crate::ids::OrganisationId;
use crate::notifications::catalogue::EventKind;
use crate::notifications::service::{Event, Told, publish};
use crate::notifications::template::{Addressee, Notice, OfferExpiring, OneTimeLink, PlannedVisit, RequestRef};
use crate::organisations::people;
use crate::requests::store::RequestRow;

/// The path of the page on which a one-time link is answered.
pub const ANSWER_PATH: &str = "/offers/answer?token=";

/// A visit as mails state it.
pub fn planned(visit: &OfferedVisit) -> PlannedVisit {
    PlannedVisit {
        starts_at: visit.starts_at().map(crate::clock::UtcTime::instant),
        minutes: u32::try_from(visit.minutes).ok(),
        mode: Some(visit.mode),
        place: Some(visit.place.clone()).filter(|place| !place.is_empty()),
    }
}

fn all_planned(visits: &[OfferedVisit]) -> Vec<PlannedVisit> {
    visits.iter().map(planned).collect()
}

fn said(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// What mails say of a request: programme, applicant and joint applicants, theme.
pub fn request_ref(conn: &mut Conn, request: &RequestRow) -> Result<RequestRef, Error> {
    let programme = crate::pools::store::programme(conn, request.programme_id)?;
    let lead = request.applicant_organisation_id;
    let mut ids = vec![lead];
    let others = crate::requests::store::participants(conn, request.id)?;
    ids.extend(others.iter().map(|body| body.organisation_id).filter(|id| *id != lead));
    let found = crate::organisations::store::find_many(conn, &ids)?;
    let name = |id: &OrganisationId| found.iter().find(|row| row.id == *id).map(|row| row.name.clone());
    Ok(RequestRef {
        number: None,
        document_number: None,
        programme: Some(programme.name),
        applicant: name(&lead).unwrap_or_default(),
        joint_applicants: ids.iter().skip(1).filter_map(name).collect(),
        title: request.theme.clone(),
    })
}

/// An event of an offer; it happens once to each version.
pub fn event(kind: EventKind, request: &RequestRow, offer: &OfferRow) -> Event {
    Event::new(kind, request.owner_organisation_id, ("offer", offer.id.0), offer.version).of_request(request.id)
}

/// Asks the expert, with the one-time link. The token is in this mail and nowhere else.
pub fn to_expert(
    conn: &mut Conn,
    ctx: &Ctx,
    request: &RequestRow,
    offer: &OfferRow,
    expert: &ExpertRow,
    visits: &[OfferedVisit],
    token: &str,
) -> Result<(), Error> {
    let expires_at = offer.expires_at.ok_or_else(|| Error::internal("a sent offer has no end"))?;
    let to = expert.recipient();
    let notice = Notice::OfferSent {
        recipient: to.addressee(),
        request: request_ref(conn, request)?,
        visits: all_planned(visits),
        message: said(&offer.message),
        answer_link: OneTimeLink::new(format!("{ANSWER_PATH}{token}")),
        expires_at: expires_at.instant(),
    };
    publish(conn, ctx, &event(EventKind::OfferSent, request, offer), vec![Told::new(to, notice)]).map(drop)
}

/// Tells an expert that an offer is no longer open, or that accepted visits are released.
pub fn withdrawn_to_expert(
    conn: &mut Conn,
    ctx: &Ctx,
    request: &RequestRow,
    offer: &OfferRow,
    expert: &ExpertRow,
    visits: &[OfferedVisit],
    had_accepted: bool,
) -> Result<(), Error> {
    let to = expert.recipient();
    let notice = Notice::OfferWithdrawn {
        recipient: to.addressee(),
        request: request_ref(conn, request)?,
        visits: all_planned(visits),
        had_accepted,
        link: format!("/offers/{}", offer.id),
    };
    publish(conn, ctx, &event(EventKind::OfferWithdrawn, request, offer), vec![Told::new(to, notice)]).map(drop)
}

/// Something the office is told about an offer.
#[derive(Debug)]
pub enum News<'a> {
    /// The expert goes.
    Accepted {
        /// The visits accepted.
        visits: &'a [OfferedVisit],
    },
    /// The expert does not go.
    Declined {
        /// The coded reason and what the expert wrote.
        reason: Option<String>,
        /// Who was asked next, if anybody.
        next_expert: Option<String>,
    },
    /// The expert would go on other dates.
    DatesProposed {
        /// The dates proposed.
        visits: &'a [OfferedVisit],
    },
    /// No answer in time.
    Expired {
        /// Who was asked next, if anybody.
        next_expert: Option<String>,
    },
}

/// Tells the owner's coordinators and their section mailbox.
pub fn to_office(
    conn: &mut Conn,
    ctx: &Ctx,
    request: &RequestRow,
    offer: &OfferRow,
    expert_name: &str,
    news: &News<'_>,
) -> Result<(), Error> {
    let about = request_ref(conn, request)?;
    let told = people::coordinators_of(conn, request.owner_organisation_id, ctx.today())?
        .into_iter()
        .map(|to| {
            let notice = notice(to.addressee(), about.clone(), request, offer, expert_name, news);
            Told::new(to, notice)
        })
        .collect();
    let kind = match news {
        News::Accepted { .. } => EventKind::OfferAccepted,
        News::Declined { .. } => EventKind::OfferDeclined,
        News::DatesProposed { .. } => EventKind::OfferDatesProposed,
        News::Expired { .. } => EventKind::OfferExpired,
    };
    publish(conn, ctx, &event(kind, request, offer), told).map(drop)
}

fn notice(
    recipient: Addressee,
    about: RequestRef,
    request: &RequestRow,
    offer: &OfferRow,
    expert_name: &str,
    news: &News<'_>,
) -> Notice {
    let expert = expert_name.to_owned();
    let link = format!("/requests/{}", request.id);
    match news {
        News::Accepted { visits } => Notice::OfferAccepted {
            recipient,
            request: about,
            expert,
            visits: all_planned(visits),
            comment: said(&offer.answer_note),
            link,
        },
        News::Declined { reason, next_expert } => Notice::OfferDeclined {
            recipient,
            request: about,
            expert,
            reason: reason.clone(),
            next_expert: next_expert.clone(),
            link,
        },
        News::DatesProposed { visits } => Notice::OfferDatesProposed {
            recipient,
            request: about,
            expert,
            proposed: all_planned(visits),
            comment: said(&offer.answer_note),
            answer_by: None,
            link,
        },
        News::Expired { next_expert } => {
            Notice::OfferExpired { recipient, request: about, expert, next_expert: next_expert.clone(), link }
        }
    }
}

/// What the expert is told of an offer that ends soon. The one-time link is in the mail that asked, in the same thread; it
/// is kept nowhere else.
pub fn expiring(
    conn: &mut Conn,
    request: &RequestRow,
    offer: &OfferRow,
    expert: &ExpertRow,
    visits: &[OfferedVisit],
) -> Result<Told, Error> {
    let expires_at = offer.expires_at.ok_or_else(|| Error::internal("a sent offer has no end"))?;
    let to = expert.recipient();
    let notice = Notice::OfferExpiring(OfferExpiring {
        recipient: to.addressee(),
        request: request_ref(conn, request)?,
        visits: all_planned(visits),
        expires_at: expires_at.instant(),
        link: format!("/offers/{}", offer.id),
    });
    Ok(Told::new(to, notice))
}
