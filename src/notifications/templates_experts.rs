//! What is told of experts and their placements: a placement made, changed or cancelled; visits that an expert can no longer keep.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::template::{Brand, PostingReader};
use super::templates_facts::Addressee;
use super::templates_letter::{Letter, day_text};
use super::templates_wording::pen;
use crate::error::Locale;

/// What became of a placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingStep {
    /// It was decided.
    Decided,
    /// Its days or its share were changed.
    Changed,
    /// It was cancelled.
    Cancelled,
}

/// A placement (配属) was decided, changed or cancelled: to the host and the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostingNews {
    /// The reader.
    pub recipient: Addressee,
    /// In which part the recipient reads it.
    pub reader: PostingReader,
    /// What became of it.
    pub step: PostingStep,
    /// Who is placed.
    pub expert: String,
    /// With whom.
    pub host: String,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub last_day: NaiveDate,
    /// Percent of the person's working time.
    pub share_percent: i32,
    /// The placement's page.
    pub link: String,
}

impl PostingNews {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let (expert, host, own) = (&self.expert, &self.host, self.reader == PostingReader::Expert);
        let (whom, placed) = match locale {
            Locale::Ja if own => ("あなたの".to_owned(), String::new()),
            Locale::Ja => (format!("{expert}氏の"), String::new()),
            Locale::En if own => (String::new(), "Your placement".to_owned()),
            Locale::En => (String::new(), format!("{expert}'s placement")),
        };
        let (subject, happened) = match (self.step, locale) {
            (PostingStep::Decided, Locale::Ja) => ("配属の決定", format!("{whom}{host}への配属が決まりました。")),
            (PostingStep::Decided, Locale::En) => ("A placement", format!("{placed} with {host} has been decided.")),
            (PostingStep::Changed, Locale::Ja) => ("配属の変更", format!("{whom}{host}への配属が変更されました。")),
            (PostingStep::Changed, Locale::En) => ("A placement is changed", format!("{placed} with {host} has been changed.")),
            (PostingStep::Cancelled, Locale::Ja) => ("配属の取消し", format!("{whom}{host}への配属は取り消されました。")),
            (PostingStep::Cancelled, Locale::En) => {
                ("A placement is cancelled", format!("{placed} with {host} has been cancelled."))
            }
        };
        let to_do = match (self.step, own) {
            (PostingStep::Cancelled, _) => pen.nothing_to_do(),
            (_, true) => pen.say(
                "期間と割合を確かめ、都合の悪いときは事務局へご連絡ください。",
                "Check the period and the share; tell the office if they do not suit you.",
            ),
            (_, false) => {
                pen.say("期間と割合を確かめ、受入れの準備をしてください。", "Check the period and the share, and prepare for it.")
            }
        };
        let (from, to) = (day_text(self.from, locale), day_text(self.last_day, locale));
        let share = format!("{}%", self.share_percent);
        pen.letter(subject, &happened)
            .subject_extra(host.as_str())
            .action(to_do)
            .group()
            .fact("受入団体", "Host", host.as_str())
            .fact("配属された人", "Placed person", expert.as_str())
            .fact("最初の日", "First day", from.as_str())
            .fact("最終日", "Last day", to.as_str())
            .fact("割合", "Share", share.as_str())
            .link(brand, "配属の画面", "The placement", &self.link)
    }
}

/// Why an expert cannot keep visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnavailableCause {
    /// Absence or other work was entered for those days.
    Calendar,
    /// The registration was suspended.
    Suspended,
}

/// A visit ahead that is in question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitInQuestion {
    /// The day, where one is fixed.
    pub day: Option<NaiveDate>,
    /// The body that would be visited.
    pub applicant: String,
}

/// An expert cannot keep visits that are ahead: to the office, which finds another day or another expert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpertUnavailable {
    /// The office.
    pub recipient: Addressee,
    /// The expert.
    pub expert: String,
    /// Why.
    pub cause: UnavailableCause,
    /// The visits, the next first.
    pub visits: Vec<VisitInQuestion>,
    /// The page of the expert's visits.
    pub link: String,
}

impl ExpertUnavailable {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let (expert, count) = (&self.expert, self.visits.len());
        let happened = match (self.cause, locale) {
            (UnavailableCause::Calendar, Locale::Ja) => {
                format!("{expert}氏が都合のつかない日を登録し、予定された訪問{count}回と重なりました。")
            }
            (UnavailableCause::Calendar, Locale::En) => {
                format!("{expert} entered days of absence on which {count} planned visits fall.")
            }
            (UnavailableCause::Suspended, Locale::Ja) => {
                format!("{expert}氏の登録が一時停止となりました。予定された訪問が{count}回あります。")
            }
            (UnavailableCause::Suspended, Locale::En) => {
                format!("The registration of {expert} was suspended, with {count} visits ahead.")
            }
        };
        let lines: Vec<String> = self
            .visits
            .iter()
            .map(|visit| match visit.day {
                Some(day) => format!("{} {}", day_text(day, locale), visit.applicant),
                None => format!("{} {}", pen.say("日程調整中", "Day open"), visit.applicant),
            })
            .collect();
        pen.letter(pen.say("専門家の都合と訪問予定の重なり", "An expert cannot keep visits"), &happened)
            .subject_extra(expert.as_str())
            .action(pen.say(
                "専門家と市町に確かめ、日程の変更か専門家の交代を決めてください。予定はまだ変わっていません。",
                "Ask the expert and the municipality, and move the visits or find another expert. Nothing has been changed yet.",
            ))
            .group()
            .fact("専門家", "Expert", expert.as_str())
            .quote("重なる訪問", "The visits", lines.join("\n").as_str())
            .link(brand, "専門家の画面", "The expert", &self.link)
    }
}
