//! The form every notice has, and the only place where values enter a mail's subject or text.
//!
//! The first three lines say what happened, what to do and until when; below stand the facts, what people wrote, and
//! each address alone on its line. Municipal gateways turn mail into bare text and disable links, so the text must be
//! enough by itself and an address must survive being copied.
//!
//! Values are made harmless here: controls, line breaks and bidirectional marks in one-line values, markup in none
//! (there is none). Templates hand over facts and never assemble lines themselves.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::message::{is_bidi_control, is_line_separator};
use super::template::{Brand, RenderedMail};
use super::templates_facts::{Addressee, DispatchRef, PlannedVisit, RequestRef, Until};
use crate::calendar::{jst_day, jst_minute, wareki};
use crate::error::Locale;
use crate::requests::model::Mode;

/// Subjects end here where possible: 30 full-width characters, counted in half-width columns. Mail lists cut the rest.
const SUBJECT_COLUMNS: usize = 60;
/// Longest one-line value, in characters.
const LINE_MAX_CHARS: usize = 200;
/// Longest text of a person, in characters; the screens show the whole.
const TEXT_MAX_CHARS: usize = 2_000;
pub(super) const RULE: &str = "----------------------------------------";

/// The text in the reader's language.
pub(super) fn pick<T>(locale: Locale, ja: T, en: T) -> T {
    match locale {
        Locale::Ja => ja,
        Locale::En => en,
    }
}

/// A notice being written.
pub(super) struct Letter {
    locale: Locale,
    subject: String,
    subject_extras: Vec<String>,
    summary: Vec<String>,
    addressee: String,
    sections: Vec<Vec<String>>,
    path: Option<String>,
}

impl Letter {
    /// Begins with the subject's short text and the first line: what happened.
    pub(super) fn new(locale: Locale, to: &Addressee, subject: &str, happened: &str) -> Self {
        Self {
            locale,
            subject: one_line(subject),
            subject_extras: Vec::new(),
            summary: vec![one_line(happened)],
            addressee: addressed(to, locale),
            sections: Vec::new(),
            path: None,
        }
    }

    /// Appends to the subject, in brackets, if the value is known and the whole still fits.
    pub(super) fn subject_extra<'a>(mut self, value: impl Into<Option<&'a str>>) -> Self {
        self.subject_extras.extend(known(value.into()));
        self
    }

    /// The second line: what to do.
    pub(super) fn action(self, text: &str) -> Self {
        let label = pick(self.locale, "すること", "What to do");
        self.summary_line(label, text)
    }

    /// The third line: until when, if there is a limit.
    pub(super) fn until(self, until: impl Into<Option<Until>>) -> Self {
        let label = pick(self.locale, "期限", "Deadline");
        match until.into() {
            Some(Until::At(instant)) => {
                let text = instant_text(instant, self.locale);
                self.summary_line(label, &text)
            }
            Some(Until::On(day)) => {
                let text = day_text(day, self.locale);
                self.summary_line(label, &text)
            }
            None => self,
        }
    }

    /// A summary line of another kind, such as the date of the first visit.
    pub(super) fn summary_line(mut self, label: &str, text: &str) -> Self {
        let text = one_line(text);
        self.summary.push(pick(self.locale, format!("【{label}】{text}"), format!("{label}: {text}")));
        self
    }

    /// Begins a group of facts, set apart by an empty line.
    pub(super) fn group(mut self) -> Self {
        self.sections.push(Vec::new());
        self
    }

    /// A fact with its label, if it is known.
    pub(super) fn fact<'a>(mut self, ja: &str, en: &str, value: impl Into<Option<&'a str>>) -> Self {
        if let Some(value) = known(value.into()) {
            let line = pick(self.locale, format!("{ja}：{value}"), format!("{en}: {value}"));
            match self.sections.last_mut() {
                Some(section) => section.push(line),
                None => self.sections.push(vec![line]),
            }
        }
        self
    }

    /// Sentences of our own, one per line.
    pub(super) fn note(mut self, lines: &[&str]) -> Self {
        self.sections.push(lines.iter().map(|line| one_line(line)).collect());
        self
    }

    /// What a person wrote, under a heading and indented, if anything.
    pub(super) fn quote<'a>(mut self, ja: &str, en: &str, text: impl Into<Option<&'a str>>) -> Self {
        let lines = text.into().map(many_lines).unwrap_or_default();
        if !lines.is_empty() {
            let mut section = vec![format!("■ {}", pick(self.locale, ja, en))];
            section.extend(lines.iter().map(|line| format!("  {line}").trim_end().to_owned()));
            self.sections.push(section);
        }
        self
    }

    /// An address alone on its line, under what it is for.
    pub(super) fn link(mut self, brand: &Brand, ja: &str, en: &str, path: &str) -> Self {
        if let Some(address) = web_address(&brand.base_url, path) {
            self.sections.push(vec![format!("▼ {}", pick(self.locale, ja, en)), address]);
            if self.path.is_none() && path.starts_with('/') && !path.contains("token=") {
                self.path = Some(path.to_owned());
            }
        }
        self
    }

    /// A heading above what follows.
    pub(super) fn heading(mut self, text: &str) -> Self {
        self.sections.push(vec![format!("■ {}", one_line(text))]);
        self
    }

    /// One thing of a list, with its address under it, if it has one.
    pub(super) fn item(mut self, brand: &Brand, text: &str, path: Option<&str>) -> Self {
        let address = path.and_then(|path| web_address(&brand.base_url, path));
        self.sections.push([format!("▼ {}", one_line(text))].into_iter().chain(address).collect());
        self
    }

    /// The facts by which everybody recognises a request.
    pub(super) fn request(mut self, request: &RequestRef) -> Self {
        let joint = request.joint_applicants.join(pick(self.locale, "、", ", "));
        self = self.group();
        self.fact("番号", "Number", request.number.as_deref())
            .fact("文書番号", "Reference", request.document_number.as_deref())
            .fact("事業", "Programme", request.programme.as_deref())
            .fact("申請団体", "Applicant", request.applicant.as_str())
            .fact("共同申請の団体", "Joint applicants", joint.as_str())
            .fact("テーマ", "Theme", request.title.as_str())
    }

    /// The facts by which everybody recognises a dispatch.
    pub(super) fn dispatch(mut self, dispatch: &DispatchRef) -> Self {
        let experts = dispatch.experts.join(pick(self.locale, "、", ", "));
        self = self.group();
        self.fact("番号", "Number", dispatch.number.as_str())
            .fact("文書番号", "Reference", dispatch.document_number.as_deref())
            .fact("事業", "Programme", dispatch.programme.as_deref())
            .fact("派遣先", "Host", dispatch.applicant.as_str())
            .fact("テーマ", "Theme", dispatch.title.as_str())
            .fact("専門家", "Expert", experts.as_str())
    }

    /// The planned visits, one per line, numbered when there are several.
    pub(super) fn visits(mut self, visits: &[PlannedVisit]) -> Self {
        if visits.is_empty() {
            return self;
        }
        let mut section = vec![format!("■ {}", pick(self.locale, "日程", "Visits"))];
        for (index, visit) in visits.iter().enumerate() {
            let text = visit_text(visit, self.locale);
            let number = index + 1;
            section.push(match visits.len() {
                1 => format!("  {text}"),
                _ => pick(self.locale, format!("  {number}回目：{text}"), format!("  Visit {number}: {text}")),
            });
        }
        self.sections.push(section);
        self
    }

    /// The finished mail.
    pub(super) fn finish(self, brand: &Brand) -> RenderedMail {
        let sender = one_line(&brand.sender_organisation);
        let service = one_line(&brand.service_name);
        let mut text = self.summary.join("\n");
        text.push_str("\n\n");
        text.push_str(&self.addressee);
        for section in self.sections.iter().filter(|section| !section.is_empty()) {
            text.push_str("\n\n");
            text.push_str(&section.join("\n"));
        }
        let automatic = pick(
            self.locale,
            format!("このメールは{service}から自動で送信しています。"),
            format!("This mail was sent automatically by {service}."),
        );
        text.push_str(&format!("\n\n{RULE}\n"));
        if !sender.is_empty() {
            text.push_str(&format!("{sender}\n"));
        }
        text.push_str(&format!("{automatic}\n"));
        let (subject, title) = self.compose_subject(brand);
        RenderedMail { subject, text, title, path: self.path }
    }

    /// The subject with its prefix, and the same without.
    fn compose_subject(&self, brand: &Brand) -> (String, String) {
        let prefix = one_line(&brand.subject_prefix);
        let prefix = match (prefix.trim_matches(['【', '】', '[', ']', ' ']), self.locale) {
            ("", _) => String::new(),
            (prefix, Locale::Ja) => format!("【{prefix}】"),
            (prefix, Locale::En) => format!("[{prefix}] "),
        };
        let mut title = self.subject.clone();
        for extra in &self.subject_extras {
            let longer = pick(self.locale, format!("{title}（{extra}）"), format!("{title} ({extra})"));
            if columns(&prefix) + columns(&longer) <= SUBJECT_COLUMNS {
                title = longer;
            }
        }
        (format!("{prefix}{title}"), title)
    }
}

/// `掛川市 情報政策課 御中`, `掛川市 佐藤 花子 様`.
fn addressed(to: &Addressee, locale: Locale) -> String {
    let (body, name, honorific) = match to {
        Addressee::Section { organisation, section } => (Some(organisation.as_str()), section.as_deref(), "御中"),
        Addressee::Person { organisation, name } => (organisation.as_deref(), Some(name.as_str()), "様"),
    };
    let names: Vec<String> = [known(body), known(name)].into_iter().flatten().collect();
    pick(locale, format!("{} {honorific}", names.join(" ")), format!("To: {}", names.join(", ")))
}

/// `令和8年4月1日（水）10:00［2026-04-01 10:00］`; `2026-04-01 (Wed) 10:00 JST`.
pub(super) fn instant_text(instant: DateTime<Utc>, locale: Locale) -> String {
    let utc = instant.naive_utc();
    let (day, minute_of_day) = (jst_day(utc), jst_minute(utc));
    let (hour, minute) = (minute_of_day / 60, minute_of_day % 60);
    pick(
        locale,
        format!("{}{hour}:{minute:02}［{} {hour:02}:{minute:02}］", era_day(day), day.format("%Y-%m-%d")),
        format!("{} {hour:02}:{minute:02} JST", day.format("%Y-%m-%d (%a)")),
    )
}

/// `令和8年4月1日（水）［2026-04-01］`; `2026-04-01 (Wed)`.
pub(super) fn day_text(day: NaiveDate, locale: Locale) -> String {
    pick(locale, format!("{}［{}］", era_day(day), day.format("%Y-%m-%d")), day.format("%Y-%m-%d (%a)").to_string())
}

/// A day by the Japanese calendar with its weekday.
fn era_day(day: NaiveDate) -> String {
    let weekday = ["月", "火", "水", "木", "金", "土", "日"];
    let weekday = weekday.get(day.weekday().num_days_from_monday() as usize).copied().unwrap_or_default();
    format!("{}（{weekday}）", wareki(day))
}

/// `2時間`, `1時間30分`, `45分`.
pub(super) fn duration_text(minutes: u32, locale: Locale) -> String {
    match (minutes / 60, minutes % 60) {
        (0, m) => pick(locale, format!("{m}分"), format!("{m} min")),
        (h, 0) => pick(locale, format!("{h}時間"), format!("{h} h")),
        (h, m) => pick(locale, format!("{h}時間{m}分"), format!("{h} h {m} min")),
    }
}

/// One visit on one line: when, how long, how and where.
pub(super) fn visit_text(visit: &PlannedVisit, locale: Locale) -> String {
    let mut text = match visit.starts_at {
        Some(instant) => {
            pick(locale, format!("{}から", instant_text(instant, locale)), format!("from {}", instant_text(instant, locale)))
        }
        None => pick(locale, "日時はこれから調整", "date to be arranged").to_owned(),
    };
    if let Some(minutes) = visit.minutes {
        text.push_str(&pick(
            locale,
            format!("、{}", duration_text(minutes, locale)),
            format!(", {}", duration_text(minutes, locale)),
        ));
    }
    let mode = visit.mode.map(|mode| match mode {
        Mode::Onsite => pick(locale, mode.label_ja(), "on site"),
        Mode::Online => pick(locale, mode.label_ja(), "online"),
        Mode::Hybrid => pick(locale, "現地とオンラインの併用", "on site and online"),
    });
    let how: Vec<String> = [mode.map(str::to_owned), known(visit.place.as_deref())].into_iter().flatten().collect();
    if !how.is_empty() {
        text.push_str(&pick(locale, format!("（{}）", how.join("、")), format!(" ({})", how.join(", "))));
    }
    text
}

/// A value made fit for one line; nothing when it is missing or blank.
fn known(value: Option<&str>) -> Option<String> {
    value.map(one_line).filter(|value| !value.is_empty())
}

/// On one line, without marks that reorder it, and of bounded length.
fn one_line(text: &str) -> String {
    let line: String = text
        .chars()
        .filter(|&c| !is_bidi_control(c))
        .map(|c| if c.is_control() || is_line_separator(c) { ' ' } else { c })
        .collect();
    shortened(line.trim(), LINE_MAX_CHARS)
}

/// A person's text line by line, without leading and trailing empty lines, and of bounded length.
fn many_lines(text: &str) -> Vec<String> {
    let text = shortened(text.trim(), TEXT_MAX_CHARS).replace("\r\n", "\n");
    let clean = |line: &str| {
        line.chars()
            .filter(|&c| !is_bidi_control(c))
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect::<String>()
            .trim_end()
            .to_owned()
    };
    text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).map(clean).skip_while(String::is_empty).collect()
}

fn shortened(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The whole address of a path under the service's own, or of an address that is whole already.
fn web_address(base_url: &str, path: &str) -> Option<String> {
    let clean = |text: &str| text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect::<String>();
    let (base, path) = (clean(base_url), clean(path));
    if path.is_empty() {
        None
    } else if path.starts_with("https://") || path.starts_with("http://") {
        Some(path)
    } else {
        Some(format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/')))
    }
}

/// Width in half-width columns, as mail lists show it.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() || ('\u{FF61}'..='\u{FF9F}').contains(&c) { 1 } else { 2 }).sum()
}
