//! What the clock does to offers.

use std::collections::BTreeSet;

use super::answer::{event, followed_by};
use super::mails::{self, News};
use super::model::OfferStatus;
use super::{service, store};
use crate::auth::principal::Actor;
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;

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
