//! The language of a page and how it writes days, times, money and lengths. People read 令和 and fiscal years; forms and
//! addresses carry ISO days.

use actix_web::HttpRequest;
use chrono::{Datelike as _, NaiveDate, Weekday};

use crate::calendar::{FiscalYear, wareki};
use crate::clock::UtcTime;
use crate::error::{Locale, Words};

/// The cookie that keeps the choice of a browser.
pub const COOKIE: &str = "tasuki_language";

/// A language with its ways of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tongue(pub Locale);

impl Tongue {
    /// What the browser has chosen; Japanese unless it chose.
    pub fn of(request: &HttpRequest) -> Self {
        let english = request.cookie(COOKIE).is_some_and(|cookie| cookie.value() == "en");
        Self(if english { Locale::En } else { Locale::Ja })
    }

    /// Whether this is English.
    pub fn english(self) -> bool {
        self.0 == Locale::En
    }

    /// The value of `lang`.
    pub fn code(self) -> &'static str {
        self.t("ja", "en")
    }

    /// One of two texts.
    pub fn t<'a>(self, ja: &'a str, en: &'a str) -> &'a str {
        if self.english() { en } else { ja }
    }

    /// A sentence of the error table.
    pub fn words(self, words: &Words) -> &str {
        words.in_locale(self.0)
    }

    /// A day: 令和8年4月1日, or 1 April 2026.
    pub fn day(self, day: NaiveDate) -> String {
        if self.english() { day.format("%-d %B %Y").to_string() } else { wareki(day) }
    }

    /// A day with its weekday.
    pub fn day_of_week(self, day: NaiveDate) -> String {
        if self.english() {
            format!("{}, {}", self.weekday(day.weekday()), self.day(day))
        } else {
            format!("{}（{}）", self.day(day), self.weekday(day.weekday()))
        }
    }

    /// 4/1（水）, for lists in which the year is clear.
    pub fn short_day(self, day: NaiveDate) -> String {
        if self.english() {
            day.format("%-d %b").to_string()
        } else {
            format!("{}/{}（{}）", day.month(), day.day(), self.weekday(day.weekday()))
        }
    }

    /// The name of a weekday.
    pub fn weekday(self, day: Weekday) -> &'static str {
        match day {
            Weekday::Mon => self.t("月", "Mon"),
            Weekday::Tue => self.t("火", "Tue"),
            Weekday::Wed => self.t("水", "Wed"),
            Weekday::Thu => self.t("木", "Thu"),
            Weekday::Fri => self.t("金", "Fri"),
            Weekday::Sat => self.t("土", "Sat"),
            Weekday::Sun => self.t("日", "Sun"),
        }
    }

    /// An instant by the clocks of Japan.
    pub fn instant(self, at: UtcTime) -> String {
        format!("{} {}", self.day(at.jst_day()), at.jst().format("%-H:%M"))
    }

    /// Two days as a period.
    pub fn period(self, from: NaiveDate, to: NaiveDate) -> String {
        format!("{}{}{}", self.day(from), self.t("〜", " to "), self.day(to))
    }

    /// 午前9時 is 9:00.
    pub fn time(self, minute_of_day: i32) -> String {
        format!("{}:{:02}", minute_of_day / 60, minute_of_day % 60)
    }

    /// A length: 2時間30分.
    pub fn minutes(self, minutes: i64) -> String {
        let (hours, rest) = (minutes / 60, minutes % 60);
        match (hours, rest, self.english()) {
            (0, rest, false) => format!("{rest}分"),
            (hours, 0, false) => format!("{hours}時間"),
            (hours, rest, false) => format!("{hours}時間{rest}分"),
            (0, rest, true) => format!("{rest} min"),
            (hours, 0, true) => format!("{hours} h"),
            (hours, rest, true) => format!("{hours} h {rest} min"),
        }
    }

    /// 12,345円.
    pub fn yen(self, yen: i64) -> String {
        if self.english() { format!("¥{}", grouped(yen)) } else { format!("{}円", grouped(yen)) }
    }

    /// 令和8年度.
    pub fn fiscal_year(self, starting_year: i32) -> String {
        if self.english() {
            return format!("FY{starting_year}");
        }
        FiscalYear::new(starting_year).map_or_else(|_| starting_year.to_string(), FiscalYear::label_ja)
    }

    /// ○ or –, with words for those who do not see the sign.
    pub fn yes_no(self, yes: bool) -> &'static str {
        if yes { self.t("はい", "Yes") } else { self.t("いいえ", "No") }
    }
}

/// A number with a comma at each thousand.
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        out.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Text as HTML.
pub fn esc(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_numbers_lengths_and_days() {
        let (ja, en) = (Tongue(Locale::Ja), Tongue(Locale::En));
        assert_eq!(grouped(-1_234_567), "-1,234,567");
        assert_eq!(grouped(999), "999");
        assert_eq!((ja.yen(12_000), en.yen(12_000)), ("12,000円".to_owned(), "¥12,000".to_owned()));
        assert_eq!((ja.minutes(150), en.minutes(120)), ("2時間30分".to_owned(), "2 h".to_owned()));
        let day = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap();
        assert_eq!(ja.day_of_week(day), "令和8年4月1日（水）");
        assert_eq!(en.day(day), "1 April 2026");
        assert_eq!(ja.fiscal_year(2026), "令和8年度");
        assert_eq!(esc("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    }
}
