//! Which wording belongs to which notice: one arm per mail. Newer notices are structures that bring their wording along. The sentences stand in the files by subject, Japanese beside
//! English; how they are laid out and made harmless is `templates_letter`'s business.

use super::template::{Brand, Notice};
use super::templates_facts::Addressee;
use super::templates_letter::{Letter, pick};
use super::{
    templates_accounts, templates_budgets, templates_dispatches, templates_offers, templates_reports, templates_requests,
};
use crate::error::Locale;

/// What every wording needs: the language, the service's names, the reader and the one address the mail leads to.
pub(super) struct Pen<'a> {
    pub(super) locale: Locale,
    pub(super) brand: &'a Brand,
    pub(super) recipient: &'a Addressee,
    pub(super) link: &'a str,
}

impl Pen<'_> {
    /// The sentence in the reader's language.
    pub(super) fn say(&self, ja: &'static str, en: &'static str) -> &'static str {
        pick(self.locale, ja, en)
    }

    /// Begins the letter to the reader.
    pub(super) fn letter(&self, subject: &str, happened: &str) -> Letter {
        Letter::new(self.locale, self.recipient, subject, happened)
    }

    /// The sentence that says there is nothing to do.
    pub(super) fn nothing_to_do(&self) -> &'static str {
        self.say("ありません（お知らせです）。", "Nothing; this is for your information.")
    }

    /// What to do with something returned; the mail points to a reason only when it holds one.
    pub(super) fn correction(&self, reason: Option<&str>) -> &'static str {
        if reason.is_some_and(|reason| !reason.trim().is_empty()) {
            self.say(
                "下の理由を確認し、直してもう一度提出してください。",
                "Read the reason below, correct it and submit it again.",
            )
        } else {
            self.say("内容を直してもう一度提出してください。", "Correct it and submit it again.")
        }
    }
}

/// Writes the letter of a notice.
pub(super) fn write(notice: &Notice, locale: Locale, brand: &Brand) -> Letter {
    match notice {
        Notice::Invitation { recipient, organisation, role, invited_by, link, expires_at } => templates_accounts::invited(
            &pen(locale, brand, recipient, link.expose()),
            organisation,
            role.as_deref(),
            invited_by.as_deref(),
            *expires_at,
        ),
        Notice::PasswordReset { recipient, link, expires_at } => {
            templates_accounts::password_reset(&pen(locale, brand, recipient, link.expose()), *expires_at)
        }
        Notice::RequestSubmitted { recipient, request, filed_by, resubmitted, wished, review_by, link } => {
            templates_requests::submitted(
                &pen(locale, brand, recipient, link),
                request,
                filed_by.as_deref(),
                *resubmitted,
                wished,
                *review_by,
            )
        }
        Notice::RequestReturned { recipient, request, reason, correct_by, link } => {
            templates_requests::returned(&pen(locale, brand, recipient, link), request, reason.as_deref(), *correct_by)
        }
        Notice::RequestAccepted { recipient, request, comment, link } => {
            templates_requests::accepted(&pen(locale, brand, recipient, link), request, comment.as_deref())
        }
        Notice::RequestRejected { recipient, request, reason_label, reason, link } => templates_requests::rejected(
            &pen(locale, brand, recipient, link),
            request,
            reason_label.as_deref(),
            reason.as_deref(),
        ),
        Notice::BudgetWarning { recipient, programme, fiscal_year, percent, budget_yen, bound_yen, link } => {
            templates_budgets::warning(
                &pen(locale, brand, recipient, link),
                (programme, *fiscal_year),
                *percent,
                *budget_yen,
                *bound_yen,
            )
        }
        Notice::BudgetFreed { recipient, programme, fiscal_year, free_yen, applicant, title, link } => {
            templates_budgets::freed(&pen(locale, brand, recipient, link), (programme, *fiscal_year), *free_yen, applicant, title)
        }
        Notice::PostingDaysExceeded { recipient, expert, host, month, agreed_days, link } => {
            templates_budgets::days_exceeded(&pen(locale, brand, recipient, link), expert, host, *month, *agreed_days)
        }
        Notice::RequestWaitlisted { recipient, request, position, reason, link } => {
            templates_requests::waitlisted(&pen(locale, brand, recipient, link), request, *position, reason.as_deref())
        }
        Notice::RequestAwaitingApproval { recipient, request, filed_by, link } => {
            templates_requests::awaiting_approval(&pen(locale, brand, recipient, link), request, filed_by.as_deref())
        }
        Notice::RequestConsentWanted { recipient, request, link } => {
            templates_requests::consent_wanted(&pen(locale, brand, recipient, link), request)
        }
        Notice::RequestWithdrawn { recipient, request, reason_label, reason, link } => templates_requests::withdrawn(
            &pen(locale, brand, recipient, link),
            request,
            reason_label.as_deref(),
            reason.as_deref(),
        ),
        Notice::RequestMessage { recipient, request, author, message, link } => {
            templates_requests::message(&pen(locale, brand, recipient, link), request, author, message)
        }
        Notice::OfferSent { recipient, request, visits, message, answer_link, expires_at } => templates_offers::sent(
            &pen(locale, brand, recipient, answer_link.expose()),
            request,
            visits,
            message.as_deref(),
            *expires_at,
        ),
        Notice::OfferAccepted { recipient, request, expert, visits, comment, link } => {
            templates_offers::accepted(&pen(locale, brand, recipient, link), request, expert, visits, comment.as_deref())
        }
        Notice::OfferDeclined { recipient, request, expert, reason, next_expert, link } => templates_offers::declined(
            &pen(locale, brand, recipient, link),
            request,
            expert,
            reason.as_deref(),
            next_expert.as_deref(),
        ),
        Notice::OfferDatesProposed { recipient, request, expert, proposed, comment, answer_by, link } => {
            templates_offers::dates_proposed(
                &pen(locale, brand, recipient, link),
                request,
                expert,
                proposed,
                comment.as_deref(),
                *answer_by,
            )
        }
        Notice::OfferExpired { recipient, request, expert, next_expert, link } => {
            templates_offers::expired(&pen(locale, brand, recipient, link), request, expert, next_expert.as_deref())
        }
        Notice::OfferWithdrawn { recipient, request, visits, had_accepted, link } => {
            templates_offers::withdrawn(&pen(locale, brand, recipient, link), request, visits, *had_accepted)
        }
        Notice::DecisionNotice { recipient, reader, dispatch, decided_on, visits, report_within_days, link } => {
            templates_dispatches::decided(
                &pen(locale, brand, recipient, link),
                *reader,
                dispatch,
                *decided_on,
                visits,
                *report_within_days,
            )
        }
        Notice::DispatchAmended { recipient, dispatch, amended_on, changes, reason, visits, link } => {
            templates_dispatches::amended(
                &pen(locale, brand, recipient, link),
                dispatch,
                *amended_on,
                changes,
                reason.as_deref(),
                visits,
            )
        }
        Notice::DispatchCancelled { recipient, dispatch, cancelled_on, cancelled_by, reason, link } => {
            templates_dispatches::cancelled(
                &pen(locale, brand, recipient, link),
                dispatch,
                *cancelled_on,
                *cancelled_by,
                reason.as_deref(),
            )
        }
        Notice::VisitCancelled { recipient, dispatch, visit, cancelled_by, reason, link } => {
            templates_dispatches::visit_cancelled(
                &pen(locale, brand, recipient, link),
                dispatch,
                visit,
                *cancelled_by,
                reason.as_deref(),
            )
        }
        Notice::ReportReminder { recipient, dispatch, visit_on, due_on, overdue_days, link } => {
            templates_reports::due(&pen(locale, brand, recipient, link), dispatch, *visit_on, *due_on, *overdue_days)
        }
        Notice::ReportReturned { recipient, dispatch, visit_on, reason, correct_by, link } => {
            templates_reports::returned(&pen(locale, brand, recipient, link), dispatch, *visit_on, reason.as_deref(), *correct_by)
        }
        Notice::AccountChanged(facts) => facts.letter(locale, brand),
        Notice::MembershipGiven(facts) => facts.letter(locale, brand),
        Notice::MembershipEnded(facts) => facts.letter(locale, brand),
        Notice::WindowClosing(facts) => facts.letter(locale, brand),
        Notice::RequestConsented(facts) => facts.letter(locale, brand),
        Notice::RequestUnanswered(facts) => facts.letter(locale, brand),
        Notice::RequestCancelled(facts) => facts.letter(locale, brand),
        Notice::AgreementProposed(facts) => facts.letter(locale, brand),
        Notice::AgreementConcluded(facts) => facts.letter(locale, brand),
        Notice::OfferExpiring(facts) => facts.letter(locale, brand),
        Notice::ReportSubmitted(facts) => facts.letter(locale, brand),
        Notice::SurveyDue(facts) => facts.letter(locale, brand),
        Notice::SettlementBilled(facts) => facts.letter(locale, brand),
        Notice::ClaimOverdue(facts) => facts.letter(locale, brand),
        Notice::WorkloadNearLimit(facts) => facts.letter(locale, brand, false),
        Notice::WorkloadReached(facts) => facts.letter(locale, brand, true),
        Notice::AppointmentEnding(facts) => facts.letter(locale, brand),
        Notice::PauseEnding(facts) => facts.letter(locale, brand),
        Notice::ExpertUnavailable(facts) => facts.letter(locale, brand),
        Notice::PostingDecided(facts) | Notice::PostingChanged(facts) | Notice::PostingCancelled(facts) => {
            facts.letter(locale, brand)
        }
        Notice::PostingEnding(facts) => facts.letter(locale, brand),
        Notice::WebhookDisabled(facts) => facts.letter(locale, brand),
        Notice::MailUndeliverable(facts) => facts.letter(locale, brand),
        Notice::Digest(facts) => facts.letter(locale, brand),
        Notice::TestMail { recipient, requested_at } => {
            templates_accounts::test_mail(&pen(locale, brand, recipient, ""), *requested_at)
        }
    }
}

/// What a wording needs, put together.
pub(super) fn pen<'a>(locale: Locale, brand: &'a Brand, recipient: &'a Addressee, link: &'a str) -> Pen<'a> {
    Pen { locale, brand, recipient, link }
}
