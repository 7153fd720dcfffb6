//! Steps of requests and reports of which their other side is told: consent, cancellation, standing still, a report that
//! arrived, an offer about to end, a survey.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::template::Brand;
use super::templates_dispatches::cause;
use super::templates_facts::{Addressee, CancelParty, DispatchRef, PlannedVisit, RequestRef, Until};
use super::templates_letter::{Letter, day_text};
use super::templates_wording::pen;
use crate::error::Locale;

/// An offer ends soon and is not answered: to the expert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferExpiring {
    /// The expert.
    pub recipient: Addressee,
    /// The request behind the offer.
    pub request: RequestRef,
    /// The planned visits.
    pub visits: Vec<PlannedVisit>,
    /// When the offer ends.
    pub expires_at: DateTime<Utc>,
    /// The offer's page. The link without an account is in the mail before: only its hash is kept.
    pub link: String,
}

impl OfferExpiring {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let applicant = &self.request.applicant;
        let happened = match locale {
            Locale::Ja => format!("{applicant}への派遣の依頼に、まだお答えをいただいていません。"),
            Locale::En => format!("The offer to go to {applicant} still waits for your answer."),
        };
        pen.letter(pen.say("派遣依頼の回答期限間近", "Your answer is due soon"), &happened)
            .subject_extra(applicant.as_str())
            .action(
                pen.say(
                    "承諾・辞退・別の日程の提案のいずれかをお答えください。",
                    "Please accept, decline or propose other dates.",
                ),
            )
            .until(Until::At(self.expires_at))
            .request(&self.request)
            .visits(&self.visits)
            .link(brand, "依頼の画面（サインインが要ります）", "The offer (sign in)", &self.link)
            .note(&[
                pen.say(
                    "アカウントのない方は、先にお送りした依頼のメールにあるアドレスからお答えください。",
                    "Without an account, answer at the address in the mail that brought the offer.",
                ),
                pen.say(
                    "期限までにお答えがないときは、この依頼は終わります。",
                    "Without an answer by the deadline this offer ends.",
                ),
            ])
    }
}

/// A body agreed to take part in a joint request, or took that back: to the lead and the office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestConsented {
    /// The reader.
    pub recipient: Addressee,
    /// The request.
    pub request: RequestRef,
    /// The body that answered.
    pub body: String,
    /// It agrees; otherwise it took its consent back.
    pub agrees: bool,
    /// The bodies whose consent is still missing.
    pub waiting: Vec<String>,
    /// The request's page.
    pub link: String,
}

impl RequestConsented {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let body = &self.body;
        let (subject, happened) = match (self.agrees, locale) {
            (true, Locale::Ja) => ("共同申請への同意", format!("{body}が共同での派遣申請に同意しました。")),
            (true, Locale::En) => ("Consent to a joint request", format!("{body} agreed to the joint request.")),
            (false, Locale::Ja) => ("共同申請の同意の取消し", format!("{body}が共同での派遣申請への同意を取り消しました。")),
            (false, Locale::En) => ("Consent taken back", format!("{body} took back its consent to the joint request.")),
        };
        let to_do = match (self.agrees, self.waiting.is_empty()) {
            (true, true) => pen.say(
                "すべての団体の同意がそろいました。事務局の確認に進めます。",
                "Every body has agreed; the office can go on with the review.",
            ),
            (true, false) => pen.say(
                "今はありません。残る団体の同意を待っています。",
                "Nothing for now; the consent of the other bodies is awaited.",
            ),
            (false, _) => pen.say(
                "代表団体は、この団体と相談し、参加団体を見直すか、もう一度同意を得てください。",
                "The leading body is to speak with it: go on without it, or obtain its consent again.",
            ),
        };
        pen.letter(subject, &happened)
            .subject_extra(self.request.number.as_deref())
            .subject_extra(body.as_str())
            .action(to_do)
            .request(&self.request)
            .fact("同意待ちの団体", "Consent awaited from", self.waiting.join(pen.say("、", ", ")).as_str())
            .link(brand, "申請の画面", "The request", &self.link)
    }
}

/// A request was cancelled after it had been accepted or decided: to the other parties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCancelled {
    /// The reader.
    pub recipient: Addressee,
    /// The request.
    pub request: RequestRef,
    /// For whose reasons.
    pub cancelled_by: Option<CancelParty>,
    /// Why, as written.
    pub reason: Option<String>,
    /// The request's page.
    pub link: String,
}

impl RequestCancelled {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let applicant = &self.request.applicant;
        let happened = match locale {
            Locale::Ja => format!("{applicant}の派遣申請は取り消されました。"),
            Locale::En => format!("The request of {applicant} was cancelled."),
        };
        pen.letter(pen.say("派遣申請の取消し", "Request cancelled"), &happened)
            .subject_extra(self.request.number.as_deref())
            .subject_extra(applicant.as_str())
            .action(pen.say(
                "この申請のために空けていた日程や準備があれば、取りやめてください。",
                "Give up the dates and preparations you had made for it, if any.",
            ))
            .quote("取消しの理由", "Reason", self.reason.as_deref())
            .request(&self.request)
            .fact("事由", "Cause", self.cancelled_by.map(|party| cause(party, locale)))
            .link(brand, "申請の画面", "The request", &self.link)
    }
}

/// Nothing has happened to a request for some days: to the office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestUnanswered {
    /// The coordinator's section.
    pub recipient: Addressee,
    /// The request.
    pub request: RequestRef,
    /// Its state, in the reader's language.
    pub state: Option<String>,
    /// Days since the last step.
    pub idle_days: u32,
    /// Until when it is to be reviewed, by rule.
    pub review_by: Option<DateTime<Utc>>,
    /// The request's page.
    pub link: String,
}

impl RequestUnanswered {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let (applicant, days) = (&self.request.applicant, self.idle_days);
        let happened = match locale {
            Locale::Ja => format!("{applicant}の派遣申請は、{days}日間手続きが進んでいません。"),
            Locale::En => format!("Nothing has happened to the request of {applicant} for {days} day(s)."),
        };
        pen.letter(pen.say("対応待ちの派遣申請", "A request waits"), &happened)
            .subject_extra(self.request.number.as_deref())
            .subject_extra(applicant.as_str())
            .action(pen.say(
                "受理・差戻しなどを決めてください。時間がかかるときは、申請団体に見通しを伝えてください。",
                "Decide on it; if that takes time, tell the applicant what to expect.",
            ))
            .until(self.review_by.map(Until::At))
            .request(&self.request)
            .fact("状態", "State", self.state.as_deref())
            .link(brand, "申請の画面", "The request", &self.link)
    }
}

/// A report (実施報告書) arrived: to the office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportSubmitted {
    /// The coordinator's section.
    pub recipient: Addressee,
    /// The dispatch.
    pub dispatch: DispatchRef,
    /// Day of the visit reported on.
    pub visit_on: Option<NaiveDate>,
    /// It had been returned before.
    pub resubmitted: bool,
    /// Until when it is to be checked, by rule.
    pub check_by: Option<NaiveDate>,
    /// Where the report is read.
    pub link: String,
}

impl ReportSubmitted {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let host = &self.dispatch.applicant;
        let (subject, happened) = match (self.resubmitted, locale) {
            (false, Locale::Ja) => ("実施報告書の提出", format!("{host}から実施報告書が提出されました。")),
            (false, Locale::En) => ("Report submitted", format!("{host} submitted its activity report.")),
            (true, Locale::Ja) => ("実施報告書の再提出", format!("{host}から実施報告書が再提出されました。")),
            (true, Locale::En) => ("Report resubmitted", format!("{host} resubmitted its activity report.")),
        };
        pen.letter(subject, &happened)
            .subject_extra(self.dispatch.number.as_str())
            .subject_extra(host.as_str())
            .action(
                pen.say("内容を確認し、承認するか差し戻してください。", "Read it, then approve it or return it for correction."),
            )
            .until(self.check_by.map(Until::On))
            .dispatch(&self.dispatch)
            .fact("実施日", "Visit on", self.visit_on.map(|day| day_text(day, locale)).as_deref())
            .link(brand, "報告書の画面", "The report", &self.link)
    }
}

/// A survey in the fiscal year after the dispatch (翌年度調査): to the body that received it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyDue {
    /// The body.
    pub recipient: Addressee,
    /// The dispatch.
    pub dispatch: DispatchRef,
    /// Last day for the answer, where the rules name one.
    pub answer_by: Option<NaiveDate>,
    /// What the programme asks, as written in its rules.
    pub instructions: Option<String>,
    /// Where it is answered.
    pub link: String,
}

impl SurveyDue {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        pen.letter(
            pen.say("派遣後の状況調査のお願い", "A survey about last year's dispatch"),
            pen.say(
                "昨年度に受け入れた派遣について、その後の状況をおたずねします。",
                "You are asked what became of the dispatch you received last fiscal year.",
            ),
        )
        .subject_extra(self.dispatch.number.as_str())
        .action(pen.say("下のアドレスから、今の状況をお答えください。", "Answer at the address below."))
        .until(self.answer_by.map(Until::On))
        .quote("おたずねすること", "What is asked", self.instructions.as_deref())
        .dispatch(&self.dispatch)
        .link(brand, "回答する", "Answer", &self.link)
    }
}
