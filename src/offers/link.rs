//! The one-time link of the mail: an expert without account sees what is asked and answers. Opening it changes nothing, so a
//! mail scanner that follows links cannot accept. Only the token's hash is stored; an unknown token is not found.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{self, Answer};
use super::model::{AnsweredVia, DeclineReason, OfferStatus, OfferVerb};
use super::store::{self, OfferRecord};
use super::views::{OfferVisitBody, OfferVisitView};
use crate::auth::secrets;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::public::{Call, Done};
use crate::http::{Ctx, Fields};

/// Attempts a minute for one link; its holder needs two or three.
pub const ATTEMPTS_A_MINUTE: u32 = 30;

/// What the holder of a link is asked. Once the time is over, or the offer is declined or withdrawn, the link tells no more
/// than that.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkOfferView {
    /// Where the offer stands now.
    pub status: OfferStatus,
    /// What the holder can answer now; empty when nothing is left to answer.
    #[schema(max_items = 3)]
    pub allowed: Vec<OfferVerb>,
    /// First instant that is too late for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_at: Option<UtcTime>,
    /// When it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub answered_at: Option<UtcTime>,
    /// What is asked, as long as it concerns the holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub offer: Option<LinkOfferDetails>,
}

/// What an offer asks, for the holder of its link.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkOfferDetails {
    /// Name of the expert who is asked.
    #[schema(max_length = 200, example = "山田 太郎")]
    pub expert_name: String,
    /// Who applied.
    #[schema(max_length = 200, example = "浜松市")]
    pub applicant_name: String,
    /// Theme of the request.
    #[schema(max_length = 200, example = "自治体DX推進計画の見直し")]
    pub theme: String,
    /// A word of the coordinator.
    #[schema(max_length = 2000)]
    pub message: String,
    /// The visits asked for.
    #[schema(min_items = 1, max_items = 100)]
    pub visits: Vec<OfferVisitView>,
    /// The visits the expert proposed instead; empty when there is no such proposal.
    #[schema(max_items = 100)]
    pub proposed_visits: Vec<OfferVisitView>,
}

/// The kinds of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkAnswer {
    /// Goes.
    Accept,
    /// Does not go.
    Decline,
    /// Would go on other dates.
    ProposeDates,
}

/// An answer by the one-time link.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"answer": "decline", "reason_code": "schedule", "note": "6月は出張が続くため"}))]
pub struct LinkAnswerBody {
    /// The answer.
    pub answer: LinkAnswer,
    /// Why the expert does not go; needed for `decline` only.
    pub reason_code: Option<DeclineReason>,
    /// A word to the office.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: String,
    /// All visits as the expert could make them; needed for `propose_dates` only.
    #[schema(min_items = 1, max_items = 100)]
    pub visits: Option<Vec<OfferVisitBody>>,
}

impl LinkAnswerBody {
    /// The answer with what belongs to it; 422 when something is missing or does not belong.
    fn given(self) -> Result<(Answer, String), Error> {
        let mut fields = Fields::new();
        let (declines, proposes) = (self.answer == LinkAnswer::Decline, self.answer == LinkAnswer::ProposeDates);
        fields.check(
            declines == self.reason_code.is_some(),
            "/reason_code",
            "only_for_decline",
            "辞退の場合にのみ理由を指定してください",
            "Give a reason for decline, and only then",
        );
        fields.check(
            proposes == self.visits.is_some(),
            "/visits",
            "only_for_propose_dates",
            "別の日程を提案する場合にのみ指定してください",
            "Give visits for propose_dates, and only then",
        );
        fields.finish()?;
        let given = match (self.answer, self.reason_code, self.visits) {
            (LinkAnswer::Decline, Some(reason), _) => Answer::Decline(reason),
            (LinkAnswer::ProposeDates, _, Some(visits)) => Answer::ProposeDates(visits.into_iter().map(Into::into).collect()),
            _ => Answer::Accept,
        };
        Ok((given, self.note))
    }
}

/// The offer of a token, or 404.
pub fn find(conn: &mut Conn, token: &str) -> Result<OfferRecord, Error> {
    let formed = token.len() == secrets::LENGTH && token.chars().all(|c| c.is_ascii_hexdigit());
    if !formed {
        return Err(Error::not_found());
    }
    store::by_token(conn, &secrets::sha256(token.as_bytes()))?.ok_or_else(Error::not_found)
}

/// What the holder of a token is shown. Changes nothing.
pub fn view(conn: &mut Conn, token: &str, now: UtcTime) -> Result<LinkOfferView, Error> {
    let record = find(conn, token)?;
    view_of(conn, record, now)
}

fn view_of(conn: &mut Conn, record: OfferRecord, now: UtcTime) -> Result<LinkOfferView, Error> {
    let offer = &record.offer;
    let status = offer.status.at(offer.expires_at, now);
    let concerns = matches!(status, OfferStatus::Sent | OfferStatus::DatesProposed | OfferStatus::Accepted)
        && offer.expires_at.is_some_and(|end| now < end);
    let visits = if concerns { store::visits_of_many(conn, &[offer.id])? } else { Vec::new() };
    let of = |proposed: bool| visits.iter().filter(|visit| visit.proposed == proposed).map(OfferVisitView::from).collect();
    let allowed = if status == OfferStatus::Sent {
        vec![OfferVerb::Accept, OfferVerb::Decline, OfferVerb::ProposeDates]
    } else {
        Vec::new()
    };
    Ok(LinkOfferView {
        status,
        allowed,
        expires_at: offer.expires_at,
        answered_at: offer.answered_at,
        offer: concerns.then(|| LinkOfferDetails {
            expert_name: record.expert_name.clone(),
            applicant_name: record.applicant_name.clone(),
            theme: record.theme.clone(),
            message: offer.message.clone(),
            visits: of(false),
            proposed_visits: of(true),
        }),
    })
}

/// 409 that says what became of a link that is spent.
fn spent(status: OfferStatus) -> Error {
    let (ja, en) = match status {
        OfferStatus::Withdrawn => ("この依頼は事務局が取り消しました", "The office has withdrawn this offer"),
        _ => ("このリンクからはすでに回答済みです", "This link has already been used to answer"),
    };
    Error::transition(status.as_str(), Vec::new()).detail(ja, en)
}

/// Answers by link; the audit event names a link as the actor. A spent or expired link is refused with 409. Each answer
/// spends it: after other dates were proposed, only the mail that asks again carries a new one.
pub fn answer(conn: &mut Conn, call: &Call, token: &str, body: LinkAnswerBody) -> Result<Done<LinkOfferView>, Error> {
    let seen = find(conn, token)?;
    let ctx: Ctx = call.by_link(seen.owner_organisation_id);
    match seen.offer.status.at(seen.offer.expires_at, ctx.now) {
        OfferStatus::Sent => {}
        OfferStatus::Expired => return Err(super::service::expired()),
        other => return Err(spent(other)),
    }
    let (given, note) = body.given()?;
    let (answered, audit) = answer::answer(conn, &ctx, &seen, AnsweredVia::Link, given, &note).map_err(|error| {
        // The office was faster: this link belongs to an offer that is no more.
        if error.code == ErrorCode::StaleVersion { spent(OfferStatus::Withdrawn) } else { error }
    })?;
    let view = view_of(conn, OfferRecord { offer: answered, ..seen }, ctx.now)?;
    Ok(Done::with(view, ctx, audit))
}
