//! The notices Tasuki sends, what each one states, and their wording in Japanese and English.
//!
//! A [`Notice`] is written into the outbox with everything its text needs; [`render`] is a pure function of it. This
//! room decides no recipient, reads no database and knows no present time: whoever enqueues a notice says the facts.
//! The wording lives beside it in one file per subject (`templates_wording` says which), the common form in
//! `templates_letter`, examples in `templates_samples`.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

pub use super::templates_accounts_changed::{AccountChange, AccountChanged};
pub use super::templates_deadlines::{AppointmentEnding, PauseEnding, PostingEnding, PostingReader, WindowClosing};
pub use super::templates_experts::{ExpertUnavailable, PostingNews, PostingStep, UnavailableCause, VisitInQuestion};
pub use super::templates_facts::{
    Addressee, Both, CancelParty, Change, DecisionReader, DispatchRef, OneTimeLink, PlannedVisit, RequestRef,
};
pub use super::templates_kinds::NoticeKind;
pub use super::templates_money::{AgreementConcluded, AgreementProposed, BilledKind, ClaimOverdue, Instalment, SettlementBilled};
pub use super::templates_people::{MembershipEnded, MembershipGiven};
pub use super::templates_samples::{sample, samples};
pub use super::templates_steps::{
    OfferExpiring, ReportSubmitted, RequestCancelled, RequestConsented, RequestUnanswered, SurveyDue,
};
pub use super::templates_system::{
    DIGEST_MAX_ITEMS, Digest, DigestGroup, DigestItem, MailUndeliverable, WebhookCause, WebhookDisabled,
};
use super::templates_wording::write;
pub use super::templates_workload::{LoadLimit, Workload};
pub use crate::error::Locale;

/// What the operator calls the service, as it appears in every mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brand {
    /// Name of the service, in sentences and at the foot.
    pub service_name: String,
    /// Short word at the head of subjects, without brackets; empty for none.
    pub subject_prefix: String,
    /// The office in whose name mail is sent, at the foot; empty for none.
    pub sender_organisation: String,
    /// Address under which the service is reached, for example `https://tasuki.pref.example.jp`.
    pub base_url: String,
}

/// A mail in words: subject and plain text with LF line ends; and, for the notice in the service, its title and page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// One line, at most 30 full-width characters where possible.
    pub subject: String,
    /// The whole message; needs neither HTML nor attachment to be understood.
    pub text: String,
    /// The subject without its prefix.
    pub title: String,
    /// The page under the service's own address that the message leads to; none for one-time links.
    pub path: Option<String>,
}

/// One mail to one recipient.
///
/// A link is a path under [`Brand::base_url`] (`/requests/12`) or a whole address. Serialised with its event name as
/// `event`, so an outbox row says by itself what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event")]
pub enum Notice {
    /// An account was prepared for the reader, who is to choose a password.
    #[serde(rename = "account.invited")]
    Invitation {
        /// The invited person.
        recipient: Addressee,
        /// The body for which the person will act.
        organisation: String,
        /// The role there, in the reader's language.
        role: Option<String>,
        /// Who invited.
        invited_by: Option<String>,
        /// Where the password is chosen.
        link: OneTimeLink,
        /// When the link ends.
        expires_at: DateTime<Utc>,
    },
    /// Somebody, hopefully the reader, asked for a new password.
    #[serde(rename = "account.password_reset_requested")]
    PasswordReset {
        /// The account's person.
        recipient: Addressee,
        /// Where the new password is chosen.
        link: OneTimeLink,
        /// When the link ends.
        expires_at: DateTime<Utc>,
    },
    /// To the coordinator: a request arrived or came back corrected.
    #[serde(rename = "request.submitted")]
    RequestSubmitted {
        /// The coordinator's section.
        recipient: Addressee,
        /// The request.
        request: RequestRef,
        /// Who filed it, if not the applicant.
        filed_by: Option<String>,
        /// It had been returned before.
        resubmitted: bool,
        /// The visits wished for.
        wished: Vec<PlannedVisit>,
        /// Until when it is to be reviewed, by rule.
        review_by: Option<DateTime<Utc>>,
        /// The request's page.
        link: String,
    },
    /// To the applicant: to be corrected and submitted again (差戻し).
    #[serde(rename = "request.returned")]
    RequestReturned {
        /// The applicant.
        recipient: Addressee,
        /// The request.
        request: RequestRef,
        /// What is to be corrected, as written by the coordinator.
        reason: Option<String>,
        /// Until when.
        correct_by: Option<DateTime<Utc>>,
        /// The request's page.
        link: String,
    },
    /// To the applicant: the request was accepted; an expert is being looked for.
    #[serde(rename = "request.accepted")]
    RequestAccepted {
        /// The applicant.
        recipient: Addressee,
        /// The request.
        request: RequestRef,
        /// A word of the coordinator.
        comment: Option<String>,
        /// The request's page.
        link: String,
    },
    /// To the applicant: the request was not accepted.
    #[serde(rename = "request.rejected")]
    RequestRejected {
        /// The applicant.
        recipient: Addressee,
        /// The request.
        request: RequestRef,
        /// The coded reason in the reader's language.
        reason_label: Option<String>,
        /// The reason as written by the coordinator.
        reason: Option<String>,
        /// The request's page.
        link: String,
    },
    /// To the coordinator: a share of the year's budget is bound (80 %, 100 %), once each.
    #[serde(rename = "budget.warning")]
    BudgetWarning {
        /// The coordinator's section.
        recipient: Addressee,
        /// The programme.
        programme: String,
        /// Starting year of the fiscal year.
        fiscal_year: i32,
        /// Percent that is reached: 80 or 100.
        percent: i32,
        /// The budget.
        budget_yen: i64,
        /// What is bound.
        bound_yen: i64,
        /// The budget's page.
        link: String,
    },
    /// To the coordinator: money is free again for a request on the waiting list.
    #[serde(rename = "budget.freed")]
    BudgetFreed {
        /// The coordinator's section.
        recipient: Addressee,
        /// The programme.
        programme: String,
        /// Starting year of the fiscal year.
        fiscal_year: i32,
        /// What is free.
        free_yen: i64,
        /// The body that waits first.
        applicant: String,
        /// Its theme.
        title: String,
        /// The request's page.
        link: String,
    },
    /// To the coordinator: a placed person worked more days in a month than agreed, once for the month.
    #[serde(rename = "posting.days_exceeded")]
    PostingDaysExceeded {
        /// The coordinator's section.
        recipient: Addressee,
        /// Who is placed.
        expert: String,
        /// With whom.
        host: String,
        /// First day of the month.
        month: NaiveDate,
        /// Days that are agreed.
        agreed_days: i32,
        /// The placement's page.
        link: String,
    },
    /// To the applicant: the request waits for a place.
    #[serde(rename = "request.waitlisted")]
    RequestWaitlisted {
        /// The applicant.
        recipient: Addressee,
        /// The request.
        request: RequestRef,
        /// Place in the queue, from 1.
        position: Option<u32>,
        /// Why, as written by the coordinator.
        reason: Option<String>,
        /// The request's page.
        link: String,
    },
    /// To the municipality's approver: the own staff's request waits for approval (団体内承認).
    #[serde(rename = "request.awaiting_approval")]
    RequestAwaitingApproval {
        /// The approver.
        recipient: Addressee,
        /// The request.
        request: RequestRef,
        /// Who wrote it.
        filed_by: Option<String>,
        /// The request's page.
        link: String,
    },
    /// To the bodies that take part in a joint request: their consent is wanted (共同申請の同意).
    #[serde(rename = "request.consent_wanted")]
    RequestConsentWanted {
        /// The body that is asked.
        recipient: Addressee,
        /// The request.
        request: RequestRef,
        /// The request's page.
        link: String,
    },
    /// To the coordinator: the applicant took the request back (取下げ).
    #[serde(rename = "request.withdrawn")]
    RequestWithdrawn {
        /// The coordinator's section.
        recipient: Addressee,
        /// The request.
        request: RequestRef,
        /// The coded reason in the reader's language.
        reason_label: Option<String>,
        /// The reason as written by the applicant.
        reason: Option<String>,
        /// The request's page.
        link: String,
    },
    /// To the other side of a request: somebody wrote to its thread.
    #[serde(rename = "request.message")]
    RequestMessage {
        /// The reader.
        recipient: Addressee,
        /// The request.
        request: RequestRef,
        /// Who wrote, with the body.
        author: String,
        /// What was written.
        message: String,
        /// The request's page.
        link: String,
    },
    /// To the expert: would you go? Answered by a link without an account.
    #[serde(rename = "offer.sent")]
    OfferSent {
        /// The expert.
        recipient: Addressee,
        /// The request behind the offer.
        request: RequestRef,
        /// The planned visits.
        visits: Vec<PlannedVisit>,
        /// A word of the coordinator.
        message: Option<String>,
        /// Where the expert answers; opening it answers nothing yet.
        answer_link: OneTimeLink,
        /// When the offer ends.
        expires_at: DateTime<Utc>,
    },
    /// To the coordinator: the expert accepted.
    #[serde(rename = "offer.accepted")]
    OfferAccepted {
        /// The coordinator's section.
        recipient: Addressee,
        /// The request behind the offer.
        request: RequestRef,
        /// Name of the expert.
        expert: String,
        /// The visits accepted.
        visits: Vec<PlannedVisit>,
        /// What the expert wrote.
        comment: Option<String>,
        /// The request's page.
        link: String,
    },
    /// To the coordinator: the expert declined (辞退).
    #[serde(rename = "offer.declined")]
    OfferDeclined {
        /// The coordinator's section.
        recipient: Addressee,
        /// The request behind the offer.
        request: RequestRef,
        /// Name of the expert.
        expert: String,
        /// What the expert wrote.
        reason: Option<String>,
        /// Name of the next candidate, if an offer went there by itself.
        next_expert: Option<String>,
        /// The request's page.
        link: String,
    },
    /// To the coordinator: the expert would go on other dates.
    #[serde(rename = "offer.dates_proposed")]
    OfferDatesProposed {
        /// The coordinator's section.
        recipient: Addressee,
        /// The request behind the offer.
        request: RequestRef,
        /// Name of the expert.
        expert: String,
        /// The dates proposed.
        proposed: Vec<PlannedVisit>,
        /// What the expert wrote.
        comment: Option<String>,
        /// Until when an answer is due.
        answer_by: Option<DateTime<Utc>>,
        /// The request's page.
        link: String,
    },
    /// To the coordinator: the expert did not answer in time.
    #[serde(rename = "offer.expired")]
    OfferExpired {
        /// The coordinator's section.
        recipient: Addressee,
        /// The request behind the offer.
        request: RequestRef,
        /// Name of the expert.
        expert: String,
        /// Name of the next candidate, if an offer went there by itself.
        next_expert: Option<String>,
        /// The request's page.
        link: String,
    },
    /// To the expert: the office took the offer back.
    #[serde(rename = "offer.withdrawn")]
    OfferWithdrawn {
        /// The expert.
        recipient: Addressee,
        /// The request behind the offer.
        request: RequestRef,
        /// The visits that were asked for.
        visits: Vec<PlannedVisit>,
        /// The expert had accepted, so time was being kept free.
        had_accepted: bool,
        /// The offer's page.
        link: String,
    },
    /// The decision (派遣決定通知), to each party in its own words.
    #[serde(rename = "dispatch.decided")]
    DecisionNotice {
        /// The party written to.
        recipient: Addressee,
        /// In which part the recipient reads it.
        reader: DecisionReader,
        /// The dispatch.
        dispatch: DispatchRef,
        /// Day of the decision.
        decided_on: NaiveDate,
        /// The visits decided.
        visits: Vec<PlannedVisit>,
        /// Days after each visit within which the applicant reports, by rule.
        report_within_days: Option<u32>,
        /// The dispatch's page.
        link: String,
    },
    /// The decision was changed (変更決定).
    #[serde(rename = "dispatch.amended")]
    DispatchAmended {
        /// A party of the dispatch.
        recipient: Addressee,
        /// The dispatch as it is now.
        dispatch: DispatchRef,
        /// Day of the amendment.
        amended_on: NaiveDate,
        /// What changed.
        changes: Vec<Change>,
        /// Why, as written by the coordinator.
        reason: Option<String>,
        /// All visits as they are now.
        visits: Vec<PlannedVisit>,
        /// The dispatch's page.
        link: String,
    },
    /// The whole dispatch was called off (中止).
    #[serde(rename = "dispatch.cancelled")]
    DispatchCancelled {
        /// A party of the dispatch.
        recipient: Addressee,
        /// The dispatch.
        dispatch: DispatchRef,
        /// Day it was called off.
        cancelled_on: NaiveDate,
        /// For whose reasons.
        cancelled_by: Option<CancelParty>,
        /// Why, as written.
        reason: Option<String>,
        /// The dispatch's page.
        link: String,
    },
    /// One visit was called off.
    #[serde(rename = "visit.cancelled")]
    VisitCancelled {
        /// A party of the dispatch.
        recipient: Addressee,
        /// The dispatch.
        dispatch: DispatchRef,
        /// The visit that does not take place.
        visit: PlannedVisit,
        /// For whose reasons.
        cancelled_by: Option<CancelParty>,
        /// Why, as written.
        reason: Option<String>,
        /// The dispatch's page.
        link: String,
    },
    /// To the applicant: a report (実施報告書) is due or overdue.
    #[serde(rename = "report.due")]
    ReportReminder {
        /// The applicant.
        recipient: Addressee,
        /// The dispatch.
        dispatch: DispatchRef,
        /// Day of the visit to report on.
        visit_on: Option<NaiveDate>,
        /// Last day for the report.
        due_on: NaiveDate,
        /// Days since `due_on` when the reminder was written; 0 while there is time.
        overdue_days: u32,
        /// Where the report is written.
        link: String,
    },
    /// To the applicant: the report is to be corrected (差戻し).
    #[serde(rename = "report.returned")]
    ReportReturned {
        /// The applicant.
        recipient: Addressee,
        /// The dispatch.
        dispatch: DispatchRef,
        /// Day of the visit reported on.
        visit_on: Option<NaiveDate>,
        /// What is to be corrected, as written by the coordinator.
        reason: Option<String>,
        /// Last day for the correction.
        correct_by: Option<NaiveDate>,
        /// Where the report is corrected.
        link: String,
    },
    /// To a person: password, second factor or address of the account was changed.
    #[serde(rename = "account.changed")]
    AccountChanged(AccountChanged),
    /// To a person: a membership was given.
    #[serde(rename = "membership.given")]
    MembershipGiven(MembershipGiven),
    /// To a person: a membership was ended, or its end was set.
    #[serde(rename = "membership.ended")]
    MembershipEnded(MembershipEnded),
    /// To the bodies that may apply, and to the office: a window closes soon.
    #[serde(rename = "window.closing")]
    WindowClosing(WindowClosing),
    /// To the lead and the office: a body agreed to take part in a joint request, or took that back.
    #[serde(rename = "request.consented")]
    RequestConsented(RequestConsented),
    /// To the office: nothing has happened to a request for some days.
    #[serde(rename = "request.unanswered")]
    RequestUnanswered(RequestUnanswered),
    /// To the other parties: a request was cancelled.
    #[serde(rename = "request.cancelled")]
    RequestCancelled(RequestCancelled),
    /// To the bodies whose consent is wanted: shares were proposed.
    #[serde(rename = "agreement.proposed")]
    AgreementProposed(AgreementProposed),
    /// To the bodies that share, and to the office: every body agreed.
    #[serde(rename = "agreement.concluded")]
    AgreementConcluded(AgreementConcluded),
    /// To the expert: an offer ends soon and is not answered.
    #[serde(rename = "offer.expiring")]
    OfferExpiring(OfferExpiring),
    /// To the office: a report arrived.
    #[serde(rename = "report.submitted")]
    ReportSubmitted(ReportSubmitted),
    /// To the body that received a dispatch: a survey in the year after (翌年度調査).
    #[serde(rename = "survey.due")]
    SurveyDue(SurveyDue),
    /// To the body that pays: a claim was issued.
    #[serde(rename = "settlement.billed")]
    SettlementBilled(SettlementBilled),
    /// To the body that pays and the one that is paid: a claim was not paid in time.
    #[serde(rename = "claim.overdue")]
    ClaimOverdue(ClaimOverdue),
    /// To the office and the expert: 80 % of the agreed load is reached.
    #[serde(rename = "workload.near_limit")]
    WorkloadNearLimit(Workload),
    /// To the office and the expert: the agreed load is reached.
    #[serde(rename = "workload.reached")]
    WorkloadReached(Workload),
    /// To the office and the expert: an appointment ends soon.
    #[serde(rename = "appointment.ending")]
    AppointmentEnding(AppointmentEnding),
    /// To the office and the expert: a pause ends soon.
    #[serde(rename = "pause.ending")]
    PauseEnding(PauseEnding),
    /// To the office: an expert cannot keep visits that are ahead.
    #[serde(rename = "expert.unavailable")]
    ExpertUnavailable(ExpertUnavailable),
    /// To the host and the person: a placement was decided.
    #[serde(rename = "posting.decided")]
    PostingDecided(PostingNews),
    /// To the host and the person: days or share of a placement were changed.
    #[serde(rename = "posting.changed")]
    PostingChanged(PostingNews),
    /// To the host and the person: a placement was cancelled.
    #[serde(rename = "posting.cancelled")]
    PostingCancelled(PostingNews),
    /// To the office, the host and the placed person: a placement ends soon.
    #[serde(rename = "posting.ending")]
    PostingEnding(PostingEnding),
    /// To those who manage the organisation's API clients: an endpoint was switched off.
    #[serde(rename = "webhook.disabled")]
    WebhookDisabled(WebhookDisabled),
    /// To the office: an address cannot be reached by mail.
    #[serde(rename = "mail.undeliverable")]
    MailUndeliverable(MailUndeliverable),
    /// To a person who chose it so: what happened since the day before.
    #[serde(rename = "digest.daily")]
    Digest(Digest),
    /// An operator tries whether mail arrives.
    #[serde(rename = "mail.tested")]
    TestMail {
        /// The operator.
        recipient: Addressee,
        /// When it was asked for.
        requested_at: DateTime<Utc>,
    },
}

/// Writes the mail of a notice.
///
/// The first lines say what happened, what to do and until when. Values may hold anything people type: line breaks
/// and control characters are made harmless, over-long ones cut. Unknown facts are left out.
pub fn render(notice: &Notice, locale: Locale, brand: &Brand) -> RenderedMail {
    write(notice, locale, brand).finish(brand)
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
