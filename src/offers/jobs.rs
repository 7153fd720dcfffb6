//! What the clock does to offers.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{event, followed_by};
use super::mails::{self, News};
use super::model::OfferStatus;
use super::store::OfferRow;
use super::{service, store};
use crate::auth::principal::Actor;
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::RequestId;
use crate::notifications::catalogue::EventKind;
use crate::notifications::service::{publish, untold};
use crate::requests::store::RequestRow;

/// The name under which expiry stands in the audit log.
pub const EXPIRE_JOB: &str = "job expire-offers";
/// Most offers one transaction ends; the job comes back for the rest.
const BATCH: i64 = 100;

/// Ends the sent offers whose time is over, asks the next in each queue and tells the offices. One audit event for each
/// offer. Returns how many ended. Requests are locked one after the other by id; offers answered meanwhile are left alone.
pub fn expire_due(conn: &mut Conn, ctx: &Ctx) -> Result<usize, Error> {
    let due = store::due(conn, ctx.now, BATCH)?;
    let requests: BTreeSet<_> = due.iter().map(|(_, request)| *request).collect();
    let mut ended = 0;
    for id in requests {
        let request = service::locked_request(conn, id)?;
        let own = Ctx { now: ctx.now, ..Ctx::internal(&ctx.app, Actor::System, request.owner_organisation_id, &ctx.request_id) };
        for offer in store::of_request(conn, id)? {
            if offer.status != OfferStatus::Sent || offer.status.at(offer.expires_at, ctx.now) != OfferStatus::Expired {
                continue;
            }
            let after = store::mark_ended(conn, &offer, OfferStatus::Expired, ctx.now)?;
            let next = service::send_next(conn, &own, &request)?;
            let expert = service::expert_of(conn, &offer)?;
            let news = News::Expired { next_expert: next.sent.as_ref().map(|(_, name)| name.clone()) };
            mails::to_office(conn, &own, &request, &after, &expert.name, &news)?;
            crate::audit::service::record(conn, &own, EXPIRE_JOB, &event(&request, &offer, &after, followed_by(&next)))?;
            ended += 1;
        }
    }
    Ok(ended)
}

/// Reminds experts of offers that end soon and are not answered; each once. An offer that is open for less than twice the
/// configured hours is reminded of when half its time is over. Returns how many, at most `most`.
pub fn remind_expiring(conn: &mut Conn, ctx: &Ctx, most: usize) -> Result<usize, Error> {
    let hours = chrono::Duration::hours(i64::from(ctx.app.config.reminders.offer_hours));
    let open: Vec<OfferRow> = store::unanswered_until(conn, ctx.now, ctx.now.plus(hours))?
        .into_iter()
        .filter(|offer| {
            let (Some(sent), Some(expires)) = (offer.sent_at, offer.expires_at) else { return false };
            let half = (expires.instant() - sent.instant()) / 2;
            ctx.now >= expires.plus(-hours.min(half))
        })
        .collect();
    let ids: Vec<RequestId> = open.iter().map(|offer| offer.request_id).collect();
    let requests: BTreeMap<RequestId, RequestRow> =
        crate::requests::store::find_many(conn, &ids)?.into_iter().map(|row| (row.id, row)).collect();
    let due = open
        .into_iter()
        .filter_map(|offer| {
            let request = requests.get(&offer.request_id)?.clone();
            Some((mails::event(EventKind::OfferExpiring, &request, &offer), (request, offer)))
        })
        .collect();
    let due = untold(conn, due, most)?;
    let told = due.len();
    for (event, (request, offer)) in due {
        let expert = service::expert_of(conn, &offer)?;
        let visits: Vec<_> = store::visits_of(conn, offer.id)?.iter().map(Into::into).collect();
        let letter = mails::expiring(conn, &request, &offer, &expert, &visits)?;
        publish(conn, ctx, &event, vec![letter])?;
    }
    Ok(told)
}
