//! The catalogue of events: everything of which the service tells somebody, by mail, in its own pages or by webhook. Each
//! stands here once, with the name that programs see, what it is called, what it means, its topic and whom it reaches.
//!
//! Owns the names. When an event happens, and who is told, is said where it happens.

use crate::error::Locale;

crate::text_enum! {
    /// What an event is about; each person chooses by topic how to be told.
    pub enum Topic {
        /// Requests and their review.
        Requests = "requests", "派遣申請";
        /// Messages on requests.
        Messages = "messages", "申請のメッセージ";
        /// Offers to experts and their answers.
        Offers = "offers", "打診と回答";
        /// Decisions, visits, changes.
        Dispatches = "dispatches", "派遣決定と訪問";
        /// Reports.
        Reports = "reports", "実施報告";
        /// What the clock reminds of.
        Deadlines = "deadlines", "期限のお知らせ";
        /// Experts' load.
        Workload = "workload", "専門家の負荷";
        /// Budgets, agreements, claims, settlements.
        Money = "money", "予算と費用";
        /// Accounts and memberships.
        People = "people", "利用者と所属";
        /// The installation's own connections: mail addresses, webhooks.
        System = "system", "配信と接続";
    }
}

impl Topic {
    /// What it is called.
    pub fn label(self, locale: Locale) -> &'static str {
        match (locale, self) {
            (Locale::Ja, _) => self.label_ja(),
            (Locale::En, Self::Requests) => "Requests",
            (Locale::En, Self::Messages) => "Messages on requests",
            (Locale::En, Self::Offers) => "Offers and answers",
            (Locale::En, Self::Dispatches) => "Decisions and visits",
            (Locale::En, Self::Reports) => "Reports",
            (Locale::En, Self::Deadlines) => "Deadlines",
            (Locale::En, Self::Workload) => "Experts' load",
            (Locale::En, Self::Money) => "Budgets and costs",
            (Locale::En, Self::People) => "Accounts and memberships",
            (Locale::En, Self::System) => "Delivery and connections",
        }
    }
}

crate::text_enum! {
    /// How mail about a topic comes.
    pub enum MailChoice {
        /// One mail at once for each event.
        Immediate = "immediate", "すぐに送る";
        /// One mail a day with everything.
        Digest = "digest", "1日1通にまとめる";
        /// No mail; the notice stands in the service.
        None = "none", "メールでは送らない";
    }
}

/// Whom an event reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One person's own affair: a mail, always; nobody and nothing else learns of it.
    Personal,
    /// Something to be done by a link or by a day that nobody may miss: a mail at once whatever was chosen, a notice, webhooks.
    Always,
    /// Mail as each person chose, a notice, webhooks.
    AsChosen,
    /// Webhooks only.
    Programs,
}

macro_rules! catalogue {
    ($($(#[doc = $doc:literal])* $variant:ident = $text:literal, $ja:literal, $topic:ident, $reach:ident;)*) => {
        crate::text_enum! {
            /// An event, by the name that mail, notices and webhooks share.
            pub enum EventKind { $($(#[doc = $doc])* $variant = $text, $ja;)* }
        }

        impl EventKind {
            /// What it is about.
            pub fn topic(self) -> Topic {
                match self { $(Self::$variant => Topic::$topic),* }
            }

            /// Whom it reaches.
            pub fn reach(self) -> Reach {
                match self { $(Self::$variant => Reach::$reach),* }
            }

            /// What it means, in English.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*)),* }
            }
        }
    };
}

catalogue! {
    /// An account was prepared for somebody, who is to choose a password.
    AccountInvited = "account.invited", "招待", People, Personal;
    /// Somebody asked for a new password.
    PasswordResetRequested = "account.password_reset_requested", "パスワード再設定の依頼", People, Personal;
    /// The password, the second factor or the mail address of an account was changed.
    AccountChanged = "account.changed", "アカウントの変更", People, Personal;
    /// A membership was given.
    MembershipGiven = "membership.given", "所属の付与", People, AsChosen;
    /// A membership was ended.
    MembershipEnded = "membership.ended", "所属の終了", People, AsChosen;
    /// A request waits for the approval of the own body.
    RequestAwaitingApproval = "request.awaiting_approval", "団体内承認待ち", Requests, AsChosen;
    /// The consent of a body to a joint request is wanted.
    RequestConsentWanted = "request.consent_wanted", "共同申請の同意依頼", Requests, AsChosen;
    /// A body agreed to take part in a joint request.
    RequestConsented = "request.consented", "共同申請への同意", Requests, AsChosen;
    /// A request arrived, or came back corrected.
    RequestSubmitted = "request.submitted", "申請の受付", Requests, AsChosen;
    /// A request is to be corrected.
    RequestReturned = "request.returned", "申請の差戻し", Requests, AsChosen;
    /// A request was accepted; an expert is being looked for.
    RequestAccepted = "request.accepted", "申請の受理", Requests, AsChosen;
    /// A request waits for a place.
    RequestWaitlisted = "request.waitlisted", "申請の補欠登録", Requests, AsChosen;
    /// A request was not accepted.
    RequestRejected = "request.rejected", "申請の不採択", Requests, AsChosen;
    /// A request was taken back by the applicant.
    RequestWithdrawn = "request.withdrawn", "申請の取下げ", Requests, AsChosen;
    /// A decided request was cancelled.
    RequestCancelled = "request.cancelled", "申請の取消し", Requests, AsChosen;
    /// Nothing has happened to a request for some days.
    RequestUnanswered = "request.unanswered", "申請の対応待ち", Deadlines, AsChosen;
    /// Somebody wrote to the thread of a request.
    RequestMessage = "request.message", "申請へのメッセージ", Messages, AsChosen;
    /// A programme's window for requests is about to close.
    WindowClosing = "window.closing", "募集期間の終了間近", Deadlines, AsChosen;
    /// An expert was asked.
    OfferSent = "offer.sent", "打診の送信", Offers, Always;
    /// An offer ends soon and is not answered.
    OfferExpiring = "offer.expiring", "打診の回答期限間近", Deadlines, Always;
    /// The expert accepted.
    OfferAccepted = "offer.accepted", "打診の承諾", Offers, AsChosen;
    /// The expert declined.
    OfferDeclined = "offer.declined", "打診の辞退", Offers, AsChosen;
    /// The expert would go on other dates.
    OfferDatesProposed = "offer.dates_proposed", "打診への別日程の提案", Offers, AsChosen;
    /// The expert did not answer in time.
    OfferExpired = "offer.expired", "打診の期限切れ", Offers, AsChosen;
    /// The office took an offer back.
    OfferWithdrawn = "offer.withdrawn", "打診の取下げ", Offers, AsChosen;
    /// A dispatch was decided.
    DispatchDecided = "dispatch.decided", "派遣決定", Dispatches, AsChosen;
    /// A dispatch was changed: dates, period, expert.
    DispatchAmended = "dispatch.amended", "派遣の変更決定", Dispatches, AsChosen;
    /// A dispatch was called off.
    DispatchCancelled = "dispatch.cancelled", "派遣の中止", Dispatches, AsChosen;
    /// A visit was called off.
    VisitCancelled = "visit.cancelled", "訪問の中止", Dispatches, AsChosen;
    /// What happened at a visit was recorded.
    VisitRecorded = "visit.recorded", "訪問の実績記録", Dispatches, Programs;
    /// A report is due soon.
    ReportDue = "report.due", "実施報告の期限間近", Deadlines, AsChosen;
    /// A report is overdue.
    ReportOverdue = "report.overdue", "実施報告の期限超過", Deadlines, AsChosen;
    /// A report was submitted.
    ReportSubmitted = "report.submitted", "実施報告の提出", Reports, AsChosen;
    /// A report is to be corrected.
    ReportReturned = "report.returned", "実施報告の差戻し", Reports, AsChosen;
    /// A report was approved.
    ReportApproved = "report.approved", "実施報告の確認", Reports, Programs;
    /// A survey about the work of the year before is wanted.
    SurveyDue = "survey.due", "翌年度調査の依頼", Deadlines, AsChosen;
    /// A placed person worked more days in a month than agreed.
    PostingDaysExceeded = "posting.days_exceeded", "配属日数の超過", Workload, AsChosen;
    /// A placement was decided.
    PostingDecided = "posting.decided", "配属の決定", Dispatches, AsChosen;
    /// Days or share of a placement were changed.
    PostingChanged = "posting.changed", "配属の変更", Dispatches, AsChosen;
    /// A placement was cancelled.
    PostingCancelled = "posting.cancelled", "配属の取消し", Dispatches, AsChosen;
    /// A placement ends soon.
    PostingEnding = "posting.ending", "配属の終了間近", Deadlines, AsChosen;
    /// An expert cannot keep visits that are ahead.
    ExpertUnavailable = "expert.unavailable", "専門家の都合と訪問予定の重なり", Dispatches, AsChosen;
    /// An expert's appointment ends soon.
    AppointmentEnding = "appointment.ending", "委嘱の終了間近", Deadlines, AsChosen;
    /// An expert's pause ends soon.
    PauseEnding = "pause.ending", "休止の終了間近", Deadlines, AsChosen;
    /// An expert's load has reached 80 % of what is agreed.
    WorkloadNearLimit = "workload.near_limit", "負荷80％到達", Workload, AsChosen;
    /// An expert's load has reached what is agreed.
    WorkloadReached = "workload.reached", "負荷100％到達", Workload, AsChosen;
    /// 80 % or all of a year's budget is bound.
    BudgetWarning = "budget.warning", "予算の80％・100％到達", Money, AsChosen;
    /// Money is free again for a request that waits.
    BudgetFreed = "budget.freed", "予算の空き", Money, AsChosen;
    /// An agreement on shares was proposed.
    AgreementProposed = "agreement.proposed", "費用分担案の提示", Money, AsChosen;
    /// All bodies agreed on their shares.
    AgreementConcluded = "agreement.concluded", "費用分担の合意", Money, AsChosen;
    /// A body was billed for its share.
    SettlementBilled = "settlement.billed", "負担金の請求", Money, AsChosen;
    /// A body's share was not paid in time.
    ClaimOverdue = "claim.overdue", "負担金の支払期限超過", Deadlines, AsChosen;
    /// A settlement was closed.
    SettlementClosed = "settlement.closed", "精算の完了", Money, Programs;
    /// An address cannot be reached by mail.
    MailUndeliverable = "mail.undeliverable", "メール不達", System, AsChosen;
    /// A webhook endpoint was switched off.
    WebhookDisabled = "webhook.disabled", "Webhookの停止", System, AsChosen;
    /// Somebody tries whether a webhook arrives.
    WebhookTest = "webhook.test", "Webhookのテスト", System, Programs;
    /// An operator tries whether mail arrives.
    MailTested = "mail.tested", "メールのテスト", System, Personal;
    /// What happened since the day before, in one mail.
    Digest = "digest.daily", "1日のまとめ", System, Personal;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dotted_and_told_once() {
        let mut names: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert!(
            names
                .iter()
                .all(|name| name.split('.').count() == 2 && name.chars().all(|c| c == '.' || c == '_' || c.is_ascii_lowercase()))
        );
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), EventKind::ALL.len());
    }
}
