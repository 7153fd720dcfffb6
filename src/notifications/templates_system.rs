//! What the service tells of itself: a webhook switched off, an address that mail does not reach, the day in one mail.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::template::Brand;
use super::templates_facts::Addressee;
use super::templates_letter::{Letter, day_text, instant_text, pick};
use super::templates_wording::pen;
use crate::error::Locale;

/// Most items of a digest that stand in the mail; the page shows all.
pub const DIGEST_MAX_ITEMS: usize = 50;

/// Why a webhook endpoint was switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookCause {
    /// It answered 410: it wants nothing more.
    Gone,
    /// It did nothing but fail for so many days.
    Failing(u32),
}

/// A webhook endpoint was switched off: to those who manage the organisation's API clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookDisabled {
    /// The reader.
    pub recipient: Addressee,
    /// Name of the endpoint.
    pub name: String,
    /// Its host name; the whole address may hold secrets and is not written.
    pub host: String,
    /// Why.
    pub cause: WebhookCause,
    /// When.
    pub disabled_at: DateTime<Utc>,
    /// What was answered last: a status or an error.
    pub last_answer: Option<String>,
    /// Deliveries that did not arrive and can be sent again.
    pub undelivered: u32,
    /// The endpoint's page.
    pub link: String,
}

impl WebhookDisabled {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let name = &self.name;
        let happened = match (self.cause, locale) {
            (WebhookCause::Gone, Locale::Ja) => {
                format!("送信先が受取りの終了（410）を返したため、Webhook「{name}」を停止しました。")
            }
            (WebhookCause::Gone, Locale::En) => format!("The receiver answered 410 (gone); webhook \"{name}\" was switched off."),
            (WebhookCause::Failing(days), Locale::Ja) => {
                format!("送信の失敗が{days}日間続いたため、Webhook「{name}」を停止しました。")
            }
            (WebhookCause::Failing(days), Locale::En) => {
                format!("Webhook \"{name}\" failed for {days} days and was switched off.")
            }
        };
        let undelivered =
            (self.undelivered > 0).then(|| pick(locale, format!("{}件", self.undelivered), self.undelivered.to_string()));
        pen.letter(pen.say("Webhookの停止", "Webhook switched off"), &happened)
            .subject_extra(name.as_str())
            .action(pen.say(
                "受信側を直してから、下の画面で有効に戻してください。使わないときは、そのままでかまいません。",
                "Mend the receiver, then enable it on the page below; leave it if it is not needed.",
            ))
            .group()
            .fact("送信先", "Host", self.host.as_str())
            .fact("停止した時刻", "Switched off at", instant_text(self.disabled_at, locale).as_str())
            .fact("最後の応答", "Last answer", self.last_answer.as_deref())
            .fact("届いていない通知", "Not delivered", undelivered.as_deref())
            .link(brand, "Webhookの画面（再送もここから）", "The webhook (also to send again)", &self.link)
            .note(&[pen.say("停止している間は、新しい通知を送りません。", "Nothing new is sent while it is switched off.")])
    }
}

/// A mail was given up: to the coordinators of the organisation in whose name it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailUndeliverable {
    /// The coordinator's section.
    pub recipient: Addressee,
    /// Who was to get it; empty when unknown.
    pub name: String,
    /// The address.
    pub address: String,
    /// Subject of the mail that did not arrive.
    pub subject: String,
    /// What the relay answered.
    pub answer: Option<String>,
    /// The mail's page in the outbox.
    pub link: String,
}

impl MailUndeliverable {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let address = &self.address;
        let happened = match locale {
            Locale::Ja => format!("{address} へのメールを届けられませんでした。"),
            Locale::En => format!("A mail to {address} could not be delivered."),
        };
        pen.letter(pen.say("届かないメール", "A mail was not delivered"), &happened)
            .subject_extra(self.name.as_str())
            .action(pen.say(
                "アドレスを確かめて直し、もう一度送ってください。急ぐ用件は、電話など別の方法で伝えてください。",
                "Check and correct the address and send it again; if it is urgent, call.",
            ))
            .group()
            .fact("宛先", "Recipient", self.name.as_str())
            .fact("アドレス", "Address", address.as_str())
            .fact("件名", "Subject", self.subject.as_str())
            .fact("中継サーバーの回答", "Relay's answer", self.answer.as_deref())
            .link(brand, "送信の記録", "The outbox", &self.link)
    }
}

/// One thing that happened, on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestItem {
    /// The notice's title.
    pub title: String,
    /// Its page, if it has one.
    pub link: Option<String>,
}

/// Things of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestGroup {
    /// What they are about, in the reader's language.
    pub label: String,
    /// The things, in their order.
    pub items: Vec<DigestItem>,
}

/// What happened since the day before, in one mail: to a person who chose it so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The person.
    pub recipient: Addressee,
    /// The day it tells of.
    pub day: NaiveDate,
    /// What happened, by kind; at most [`DIGEST_MAX_ITEMS`] are written, the rest is counted.
    pub groups: Vec<DigestGroup>,
    /// The page with all notices.
    pub link: String,
    /// Where the person chooses how to be told.
    pub settings_link: String,
}

impl Digest {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let total: usize = self.groups.iter().map(|group| group.items.len()).sum();
        let day = day_text(self.day, locale);
        let (count, happened) = match locale {
            Locale::Ja => (format!("{total}件"), format!("{day}のお知らせは{total}件です。")),
            Locale::En => (total.to_string(), format!("{total} notice(s) of {day}.")),
        };
        let mut letter = pen
            .letter(pen.say("お知らせのまとめ", "Your notices of the day"), &happened)
            .subject_extra(count.as_str())
            .action(pen.say(
                "下の一覧を見て、対応が要るものを進めてください。期限はそれぞれの画面にあります。",
                "Go through the list and do what is yours; deadlines stand on each page.",
            ));
        let mut left = DIGEST_MAX_ITEMS;
        for group in self.groups.iter().filter(|group| !group.items.is_empty()) {
            if left == 0 {
                break;
            }
            let (label, number) = (&group.label, group.items.len());
            letter = letter.heading(&pick(locale, format!("{label}（{number}件）"), format!("{label} ({number})")));
            for item in group.items.iter().take(left) {
                letter = letter.item(brand, &item.title, item.link.as_deref());
            }
            left = left.saturating_sub(number);
        }
        if let Some(more) = total.checked_sub(DIGEST_MAX_ITEMS).filter(|more| *more > 0) {
            letter = letter.note(&[&pick(
                locale,
                format!("ほかに{more}件あります。下の画面で確認してください。"),
                format!("There are {more} more; see the page below."),
            )]);
        }
        letter.link(brand, "お知らせの一覧", "All notices", &self.link).link(
            brand,
            "メールの受け取り方を変える",
            "Change how you are told",
            &self.settings_link,
        )
    }
}
