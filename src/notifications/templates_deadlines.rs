//! What the clock reminds of before something ends: windows, appointments, pauses, placements.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::template::Brand;
use super::templates_budgets::year;
use super::templates_facts::{Addressee, Until};
use super::templates_letter::{Letter, day_text};
use super::templates_wording::pen;
use crate::error::Locale;

/// A window in which requests are taken closes soon: to the bodies that may apply, and to the office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowClosing {
    /// The reader.
    pub recipient: Addressee,
    /// The reader is the office, which has nothing to apply for.
    pub office: bool,
    /// The programme.
    pub programme: String,
    /// Starting year of the fiscal year.
    pub fiscal_year: i32,
    /// When the window closes.
    pub closes_at: DateTime<Utc>,
    /// Where a request is begun, or the list of requests.
    pub link: String,
}

impl WindowClosing {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let (programme, year) = (&self.programme, year(&pen, self.fiscal_year));
        let happened = match locale {
            Locale::Ja => format!("「{programme}」{year}の募集期間がまもなく終わります。"),
            Locale::En => format!("The window for requests to \"{programme}\", {year}, closes soon."),
        };
        let (to_do, ja, en) = if self.office {
            let ja = "まだ申請のない団体に声をかけ、届いた申請の確認を進めてください。";
            let en = "Remind the bodies that have not applied, and review what has arrived.";
            (pen.say(ja, en), "申請の一覧", "The requests")
        } else {
            let ja = "派遣を希望する場合は、期限までに申請を提出してください（下書きのままでは届きません）。";
            let en = "If you wish for an expert, submit your request in time; a draft does not count.";
            (pen.say(ja, en), "申請する", "Apply")
        };
        pen.letter(pen.say("募集期間の終了間近", "The window closes soon"), &happened)
            .subject_extra(programme.as_str())
            .action(to_do)
            .until(Until::At(self.closes_at))
            .link(brand, ja, en, &self.link)
    }
}

/// An expert's appointment (委嘱) ends soon: to the office and to the expert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentEnding {
    /// The reader.
    pub recipient: Addressee,
    /// Name of the expert.
    pub expert: String,
    /// The reader is the expert.
    pub own: bool,
    /// Last day of the appointment.
    pub last_day: NaiveDate,
    /// Days that are left, the last one and today included.
    pub days_left: u32,
    /// The expert's page.
    pub link: String,
}

impl AppointmentEnding {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let (whose, left) = (whose(locale, self.own, &self.expert), left(locale, self.days_left));
        let happened = match locale {
            Locale::Ja => format!("{whose}委嘱期間は、{left}終わります。"),
            Locale::En => format!("{whose} appointment ends {left}."),
        };
        let to_do = if self.own {
            pen.say(
                "続けていただけるかどうか、事務局へお知らせください。",
                "Please tell the office whether you would like to go on.",
            )
        } else {
            pen.say(
                "続ける場合は本人の意向を確かめ、期間が終わるまでに委嘱を更新してください。",
                "To go on, ask the expert and renew the appointment before it ends.",
            )
        };
        pen.letter(pen.say("委嘱期間の終了間近", "Appointment ends soon"), &happened)
            .subject_extra((!self.own).then_some(self.expert.as_str()))
            .action(to_do)
            .until(Until::On(self.last_day))
            .link(brand, "専門家の画面", "The expert", &self.link)
            .note(&[pen.say(
                "更新しないまま期間が過ぎると、新しい派遣の候補に入りません。決まっている派遣は自動では取り消されません。",
                "Without renewal no new dispatch is proposed. Dispatches already decided are not called off by this.",
            )])
    }
}

/// An expert's pause (休止) ends soon: to the office and to the expert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseEnding {
    /// The reader.
    pub recipient: Addressee,
    /// Name of the expert.
    pub expert: String,
    /// The reader is the expert.
    pub own: bool,
    /// Last day of the pause.
    pub last_day: NaiveDate,
    /// Where the pause can be made longer.
    pub link: String,
}

impl PauseEnding {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let whose = whose(locale, self.own, &self.expert);
        let happened = match locale {
            Locale::Ja => format!("{whose}休止期間がまもなく終わり、翌日から派遣の候補に入ります。"),
            Locale::En => format!("{whose} pause ends soon; from the day after, dispatches are proposed again."),
        };
        let to_do = if self.own {
            pen.say(
                "休止を続ける場合は、期限までに下の画面で期間を延ばしてください。",
                "To stay away longer, extend the pause on the page below in time.",
            )
        } else {
            pen.say(
                "休止が続くと聞いている場合は、期限までに期間を延ばしてください。ほかにすることはありません。",
                "If you know that the pause goes on, extend it in time; there is nothing else to do.",
            )
        };
        pen.letter(pen.say("休止期間の終了間近", "Pause ends soon"), &happened)
            .subject_extra((!self.own).then_some(self.expert.as_str()))
            .action(to_do)
            .until(Until::On(self.last_day))
            .link(brand, "休止期間の画面", "The pause", &self.link)
    }
}

/// For whom the end of a placement is told; each reader has other things to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingReader {
    /// The office that runs the programme.
    Office,
    /// The body with which the person is placed.
    Host,
    /// The person who is placed.
    Expert,
}

/// A placement (配属) ends soon: to the office, the host and the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostingEnding {
    /// The reader.
    pub recipient: Addressee,
    /// In which part the recipient reads it.
    pub reader: PostingReader,
    /// Who is placed.
    pub expert: String,
    /// With whom.
    pub host: String,
    /// Last day of the placement.
    pub last_day: NaiveDate,
    /// Days that are left, the last one and today included.
    pub days_left: u32,
    /// The placement's page.
    pub link: String,
}

impl PostingEnding {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let (expert, host, left) = (&self.expert, &self.host, left(locale, self.days_left));
        let happened = match (self.reader, locale) {
            (PostingReader::Expert, Locale::Ja) => format!("あなたの{host}への配属は、{left}終わります。"),
            (PostingReader::Expert, Locale::En) => format!("Your placement with {host} ends {left}."),
            (_, Locale::Ja) => format!("{expert}氏の{host}への配属は、{left}終わります。"),
            (_, Locale::En) => format!("{expert}'s placement with {host} ends {left}."),
        };
        let to_do = match self.reader {
            PostingReader::Office => pen.say(
                "延長するかどうかを決め、延長しない場合は引継ぎの予定を確かめてください。",
                "Decide whether to extend it; if not, see to the handing over.",
            ),
            PostingReader::Host => pen.say(
                "延長を希望する場合は期限までに事務局へ連絡し、終える場合は引継ぎを済ませてください。",
                "To extend it, tell the office in time; otherwise have the work handed over.",
            ),
            PostingReader::Expert => pen.say(
                "引継ぎの準備をしてください。延長の予定は事務局へお問い合わせください。",
                "Prepare to hand over; ask the office whether it will be extended.",
            ),
        };
        pen.letter(pen.say("配属期間の終了間近", "Placement ends soon"), &happened)
            .subject_extra(host.as_str())
            .action(to_do)
            .until(Until::On(self.last_day))
            .group()
            .fact("受入団体", "Host", host.as_str())
            .fact("配属された人", "Placed person", expert.as_str())
            .fact("最終日", "Last day", day_text(self.last_day, locale).as_str())
            .link(brand, "配属の画面", "The placement", &self.link)
    }
}

/// `あなたの`, `高﨑 太郎氏の`; `Your`, `高﨑 太郎's`.
pub(super) fn whose(locale: Locale, own: bool, expert: &str) -> String {
    match (own, locale) {
        (true, Locale::Ja) => "あなたの".to_owned(),
        (true, Locale::En) => "Your".to_owned(),
        (false, Locale::Ja) => format!("{expert}氏の"),
        (false, Locale::En) => format!("{expert}'s"),
    }
}

/// `あと3日で`, on the last day `本日で`; `in 3 days`.
fn left(locale: Locale, days: u32) -> String {
    match (days, locale) {
        (0 | 1, Locale::Ja) => "本日で".to_owned(),
        (0 | 1, Locale::En) => "today".to_owned(),
        (days, Locale::Ja) => format!("あと{days}日で"),
        (days, Locale::En) => format!("in {days} days"),
    }
}
