//! What bodies are told of shares and claims: an agreement proposed or concluded, a claim issued.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::template::Brand;
use super::templates_budgets::yen;
use super::templates_facts::{Addressee, RequestRef, Until};
use super::templates_letter::{Letter, day_text};
use super::templates_wording::pen;
use crate::error::Locale;

/// A version of the shares was proposed (費用分担案): to each body whose consent is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementProposed {
    /// The body.
    pub recipient: Addressee,
    /// The request whose cost is shared.
    pub request: RequestRef,
    /// Which version, from 1.
    pub number: i32,
    /// Who proposed it.
    pub proposed_by: String,
    /// The bodies that share.
    pub bodies: Vec<String>,
    /// The reader's part in words, such as `3分の1`, where it is known beforehand.
    pub own_share: Option<String>,
    /// Why the shares change, as written; after the decision only.
    pub reason: Option<String>,
    /// Until when an answer is hoped for.
    pub answer_by: Option<DateTime<Utc>>,
    /// Where it is agreed to.
    pub link: String,
}

impl AgreementProposed {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let (by, number) = (&self.proposed_by, self.number.to_string());
        let happened = match locale {
            Locale::Ja => format!("{by}が、共同で受ける派遣の費用分担案を示しました。"),
            Locale::En => format!("{by} proposed how the cost of a joint dispatch is shared."),
        };
        pen.letter(pen.say("費用分担案への同意のお願い", "Your consent to cost shares"), &happened)
            .subject_extra(self.request.number.as_deref())
            .action(pen.say(
                "案を確認し、よければ下の画面で同意してください。異議があるときは、提案した団体へご連絡ください。",
                "Read the proposal and agree on the page below; otherwise speak with whoever proposed it.",
            ))
            .until(self.answer_by.map(Until::At))
            .quote("変更の理由", "Reason", self.reason.as_deref())
            .request(&self.request)
            .fact("費用分担案", "Version", number.as_str())
            .fact("分担する団体", "Bodies that share", self.bodies.join(pen.say("、", ", ")).as_str())
            .fact("貴団体の分担", "Your share", self.own_share.as_deref())
            .link(brand, "費用分担案の画面", "The proposal", &self.link)
            .note(&[pen.say(
                "すべての団体が同意したときに効力を持ちます。それまでは前の取決めのままです。",
                "It comes into force once every body has agreed; until then nothing changes.",
            )])
    }
}

/// Every body agreed to the shares: to all of them and the office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementConcluded {
    /// The reader.
    pub recipient: Addressee,
    /// The request whose cost is shared.
    pub request: RequestRef,
    /// Which version, from 1.
    pub number: i32,
    /// The bodies that share.
    pub bodies: Vec<String>,
    /// The reader's part in words, where it is known beforehand.
    pub own_share: Option<String>,
    /// Day from which it is in force.
    pub agreed_on: NaiveDate,
    /// Its page.
    pub link: String,
}

impl AgreementConcluded {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let number = self.number.to_string();
        pen.letter(
            pen.say("費用分担の合意", "Cost shares agreed"),
            pen.say(
                "すべての団体が費用分担に同意し、取決めが効力を持ちました。",
                "Every body agreed on the cost shares, which are now in force.",
            ),
        )
        .subject_extra(self.request.number.as_deref())
        .action(pen.nothing_to_do())
        .request(&self.request)
        .fact("費用分担案", "Version", number.as_str())
        .fact("合意日", "Agreed on", day_text(self.agreed_on, locale).as_str())
        .fact("分担する団体", "Bodies that share", self.bodies.join(pen.say("、", ", ")).as_str())
        .fact("貴団体の分担", "Your share", self.own_share.as_deref())
        .link(brand, "費用分担の画面", "The agreement", &self.link)
    }
}

/// What a claim is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BilledKind {
    /// The body's share (負担金).
    Contribution,
    /// More than was billed before.
    Additional,
    /// What the reader received too much and pays back.
    Repayment,
}

/// One date on which a part is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instalment {
    /// Last day.
    pub due_on: NaiveDate,
    /// Yen.
    pub amount_yen: i64,
}

/// A claim was issued: to the body that pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementBilled {
    /// The body that pays.
    pub recipient: Addressee,
    /// Number of the claim, such as `R8-C0012`.
    pub number: String,
    /// What it is for.
    pub kind: BilledKind,
    /// The body that is paid.
    pub creditor: String,
    /// Yen in all.
    pub amount_yen: i64,
    /// When which part is due, the first first.
    pub instalments: Vec<Instalment>,
    /// The programme.
    pub programme: Option<String>,
    /// What the cost arose from: a dispatch's number and theme, a placement.
    pub subject: Option<String>,
    /// The settlement's page.
    pub link: String,
}

impl SettlementBilled {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let (creditor, amount) = (&self.creditor, yen(&pen, self.amount_yen));
        let (subject, happened) = match (self.kind, locale) {
            (BilledKind::Contribution, Locale::Ja) => {
                ("負担金のご請求", format!("{creditor}へお支払いいただく負担金{amount}が確定しました。"))
            }
            (BilledKind::Contribution, Locale::En) => {
                ("Your share is due", format!("Your share of {amount} is to be paid to {creditor}."))
            }
            (BilledKind::Additional, Locale::Ja) => (
                "負担金の追加のご請求",
                format!("精算の修正により、{creditor}へ追加でお支払いいただく負担金{amount}が確定しました。"),
            ),
            (BilledKind::Additional, Locale::En) => {
                ("A further share is due", format!("After a correction, a further {amount} is to be paid to {creditor}."))
            }
            (BilledKind::Repayment, Locale::Ja) => {
                ("負担金の返還のお願い", format!("精算の修正により、{creditor}へ返還していただく負担金{amount}が確定しました。"))
            }
            (BilledKind::Repayment, Locale::En) => {
                ("A repayment is due", format!("After a correction, {amount} is to be paid back to {creditor}."))
            }
        };
        let lines: Vec<String> = match self.instalments.as_slice() {
            [] | [_] => Vec::new(),
            parts => {
                parts.iter().map(|part| format!("{} {}", day_text(part.due_on, locale), yen(&pen, part.amount_yen))).collect()
            }
        };
        let to_do = if lines.is_empty() {
            pen.say("期限までに支払いの手続きをしてください。", "Please see to the payment in time.")
        } else {
            pen.say(
                "下の支払予定のとおり、分けて支払いの手続きをしてください（期限は初回分です）。",
                "Please pay in the parts listed below; the deadline is that of the first.",
            )
        };
        pen.letter(subject, &happened)
            .subject_extra(self.number.as_str())
            .action(to_do)
            .until(self.instalments.iter().map(|part| part.due_on).min().map(Until::On))
            .group()
            .fact("番号", "Number", self.number.as_str())
            .fact("支払先", "Pay to", creditor.as_str())
            .fact("金額", "Amount", amount.as_str())
            .fact("事業", "Programme", self.programme.as_deref())
            .fact("内容", "For", self.subject.as_deref())
            .quote("支払予定", "Payments", lines.join("\n").as_str())
            .link(brand, "精算の画面（内訳と書類）", "The settlement (details and papers)", &self.link)
    }
}

/// A claim was not paid in time: to the body that pays, and to the one that is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimOverdue {
    /// The reader.
    pub recipient: Addressee,
    /// Whether the reader is the body that pays.
    pub own: bool,
    /// What it is for.
    pub kind: BilledKind,
    /// Number of the claim.
    pub number: String,
    /// The body that pays.
    pub debtor: String,
    /// The body that is paid.
    pub creditor: String,
    /// Yen due by now and not recorded as paid.
    pub unpaid_yen: i64,
    /// The day on which the oldest unpaid part was due.
    pub due_on: NaiveDate,
    /// The claim's page.
    pub link: String,
}

impl ClaimOverdue {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let (debtor, creditor, unpaid) = (&self.debtor, &self.creditor, yen(&pen, self.unpaid_yen));
        let (what, subject, back) = match self.kind {
            BilledKind::Repayment => ("返還金", "返還金の支払期限の超過", " to be paid back"),
            BilledKind::Contribution | BilledKind::Additional => ("負担金", "負担金の支払期限の超過", ""),
        };
        let happened = match (self.own, locale) {
            (true, Locale::Ja) => format!("{creditor}への{what}{unpaid}が、期限を過ぎても入金済みになっていません。"),
            (true, Locale::En) => format!("{unpaid}{back} due to {creditor} is not recorded as paid."),
            (false, Locale::Ja) => format!("{debtor}からの{what}{unpaid}が、期限を過ぎても入金済みになっていません。"),
            (false, Locale::En) => format!("{unpaid}{back} due from {debtor} is not recorded as paid."),
        };
        let to_do = if self.own {
            pen.say(
                "支払いの手続きをしてください。すでに支払った場合は、支払先へ支払日をお知らせください。",
                "Please pay; if you have, tell the creditor on which day.",
            )
        } else {
            pen.say(
                "入金を確かめ、届いていれば記録し、届いていなければ相手の団体へ確かめてください。",
                "See whether it has arrived and record it; if not, ask the body that owes it.",
            )
        };
        pen.letter(pen.say(subject, "A payment is overdue"), &happened)
            .subject_extra(self.number.as_str())
            .action(to_do)
            .group()
            .fact("番号", "Number", self.number.as_str())
            .fact("支払元", "Paid by", debtor.as_str())
            .fact("支払先", "Pay to", creditor.as_str())
            .fact("未入金額", "Unpaid", unpaid.as_str())
            .fact("支払期限", "Was due on", day_text(self.due_on, locale).as_str())
            .link(brand, "請求の画面", "The claim", &self.link)
    }
}
