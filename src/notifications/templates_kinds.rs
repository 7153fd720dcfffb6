//! The kinds of notices and the names of their events.

use super::template::Notice;

macro_rules! kinds {
    ($($kind:ident = $event:literal;)*) => {
        /// The kinds of notices, one per variant of [`Notice`]: for previews, preferences and tests.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each is described at the Notice variant of the same name")]
        pub enum NoticeKind { $($kind),* }

        impl NoticeKind {
            /// Every kind, in the order of a request's life.
            pub const ALL: [Self; [$($event),*].len()] = [$(Self::$kind),*];

            /// The event's stable name, as in the outbox, in webhooks and preferences.
            pub const fn event(self) -> &'static str {
                match self { $(Self::$kind => $event),* }
            }
        }

        impl Notice {
            /// Which kind of notice this is.
            pub const fn kind(&self) -> NoticeKind {
                match self { $(Self::$kind { .. } => NoticeKind::$kind),* }
            }

            /// The event's stable name; see [`NoticeKind::event`].
            pub const fn event(&self) -> &'static str {
                self.kind().event()
            }
        }
    };
}

kinds! {
    Invitation = "account.invited";
    PasswordReset = "account.password_reset_requested";
    AccountChanged = "account.changed";
    MembershipGiven = "membership.given";
    MembershipEnded = "membership.ended";
    WindowClosing = "window.closing";
    RequestSubmitted = "request.submitted";
    RequestReturned = "request.returned";
    RequestAccepted = "request.accepted";
    RequestRejected = "request.rejected";
    BudgetWarning = "budget.warning";
    BudgetFreed = "budget.freed";
    PostingDaysExceeded = "posting.days_exceeded";
    RequestWaitlisted = "request.waitlisted";
    RequestAwaitingApproval = "request.awaiting_approval";
    RequestConsentWanted = "request.consent_wanted";
    RequestConsented = "request.consented";
    RequestUnanswered = "request.unanswered";
    RequestWithdrawn = "request.withdrawn";
    RequestCancelled = "request.cancelled";
    RequestMessage = "request.message";
    AgreementProposed = "agreement.proposed";
    AgreementConcluded = "agreement.concluded";
    OfferSent = "offer.sent";
    OfferExpiring = "offer.expiring";
    OfferAccepted = "offer.accepted";
    OfferDeclined = "offer.declined";
    OfferDatesProposed = "offer.dates_proposed";
    OfferExpired = "offer.expired";
    OfferWithdrawn = "offer.withdrawn";
    DecisionNotice = "dispatch.decided";
    DispatchAmended = "dispatch.amended";
    DispatchCancelled = "dispatch.cancelled";
    VisitCancelled = "visit.cancelled";
    ReportReminder = "report.due";
    ReportSubmitted = "report.submitted";
    ReportReturned = "report.returned";
    SurveyDue = "survey.due";
    SettlementBilled = "settlement.billed";
    ClaimOverdue = "claim.overdue";
    WorkloadNearLimit = "workload.near_limit";
    WorkloadReached = "workload.reached";
    AppointmentEnding = "appointment.ending";
    PauseEnding = "pause.ending";
    ExpertUnavailable = "expert.unavailable";
    PostingDecided = "posting.decided";
    PostingChanged = "posting.changed";
    PostingCancelled = "posting.cancelled";
    PostingEnding = "posting.ending";
    WebhookDisabled = "webhook.disabled";
    MailUndeliverable = "mail.undeliverable";
    Digest = "digest.daily";
    TestMail = "mail.tested";
}
