//! An expert's load has come near or reached what is agreed: to the office and to the expert.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::template::Brand;
use super::templates_budgets::year;
use super::templates_deadlines::whose;
use super::templates_facts::Addressee;
use super::templates_letter::{Letter, duration_text, pick};
use super::templates_wording::{Pen, pen};
use crate::error::Locale;

/// What is agreed with an expert as the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadLimit {
    /// Minutes of a month, named by its first day.
    MonthMinutes(NaiveDate),
    /// Minutes of a fiscal year, named by its starting year.
    YearMinutes(i32),
    /// Days of a fiscal year, named by its starting year.
    YearDays(i32),
}

/// The load of an expert against one limit, done and ahead together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// The reader.
    pub recipient: Addressee,
    /// Name of the expert.
    pub expert: String,
    /// The reader is the expert.
    pub own: bool,
    /// Which limit.
    pub limit: LoadLimit,
    /// Minutes or days done and ahead.
    pub used: i64,
    /// Minutes or days agreed.
    pub agreed: i64,
    /// The expert's page.
    pub link: String,
}

impl Workload {
    /// The letter of 80 %, or that of the limit itself.
    pub(super) fn letter(&self, locale: Locale, brand: &Brand, reached: bool) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let whose = whose(locale, self.own, &self.expert);
        let (when, percent) = (when(&pen, self.limit), percent(self.used, self.agreed));
        let happened = match locale {
            Locale::Ja => format!("{whose}{when}の稼働は、実績と予定を合わせて、取り決めた上限の{percent}%になりました。"),
            Locale::En => format!("{whose} load of {when}, done and planned, is at {percent} % of the agreed limit."),
        };
        let subject = if reached {
            pen.say("稼働の上限到達", "Load at its limit")
        } else {
            pen.say("稼働の上限接近", "Load near its limit")
        };
        let amount = |amount| amount_text(locale, self.limit, amount);
        pen.letter(subject, &happened)
            .subject_extra((!self.own).then_some(self.expert.as_str()))
            .action(self.to_do(&pen, reached))
            .group()
            .fact("専門家", "Expert", self.expert.as_str())
            .fact("対象", "Period", when.as_str())
            .fact("上限", "Limit", amount(self.agreed).as_str())
            .fact("実績と予定", "Done and planned", amount(self.used).as_str())
            .fact("残り", "Left", amount(self.agreed.saturating_sub(self.used).max(0)).as_str())
            .link(brand, "専門家の画面", "The expert", &self.link)
    }

    fn to_do(&self, pen: &Pen<'_>, reached: bool) -> &'static str {
        match (self.own, reached) {
            (true, false) => pen.say(
                "今はありません。予定に無理があるときは、早めに事務局へお知らせください。",
                "Nothing for now. If the plan is too much, tell the office early.",
            ),
            (true, true) => pen.say(
                "これ以上の依頼は受けなくてかまいません。予定を減らしたいときは、早めに事務局へお知らせください。",
                "You need not take more. If you wish for less, tell the office early.",
            ),
            (false, false) => pen.say(
                "次の派遣では、ほかの専門家も候補に入れて検討してください。",
                "For the next dispatch, consider other experts too.",
            ),
            (false, true) => pen.say(
                "新しい派遣はほかの専門家に依頼してください。続けて頼みたいときは、先に本人と上限を見直してください。",
                "Ask other experts from now on, or agree on another limit with the expert first.",
            ),
        }
    }
}

/// The period of a limit in words.
fn when(pen: &Pen<'_>, limit: LoadLimit) -> String {
    match limit {
        LoadLimit::MonthMinutes(first) => {
            pick(pen.locale, format!("{}年{}月", first.year(), first.month()), format!("{}-{:02}", first.year(), first.month()))
        }
        LoadLimit::YearMinutes(of) | LoadLimit::YearDays(of) => year(pen, of),
    }
}

fn amount_text(locale: Locale, limit: LoadLimit, amount: i64) -> String {
    match limit {
        LoadLimit::YearDays(_) => pick(locale, format!("{amount}日"), format!("{amount} days")),
        LoadLimit::MonthMinutes(_) | LoadLimit::YearMinutes(_) => {
            duration_text(u32::try_from(amount.max(0)).unwrap_or(u32::MAX), locale)
        }
    }
}

/// The share in percent, cut; nothing agreed counts as reached.
fn percent(used: i64, agreed: i64) -> i128 {
    match agreed {
        ..=0 => 100,
        agreed => i128::from(used) * 100 / i128::from(agreed),
    }
}
