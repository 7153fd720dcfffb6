//! The lines of a calendar file: values made harmless, encoded, folded (RFC 5545, 3.1 and 3.3.11; RFC 6868).
//!
//! Whatever the value, it stays in its line: no line break reaches the file but those written by [`Lines::raw`].

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::Person;
use crate::notifications::message::{is_bidi_control, is_line_separator};

/// Longest line, in octets without its line break (RFC 5545, 3.1).
const LINE_OCTETS: usize = 75;

/// A file that is being written, line by line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    out: String,
}

impl Lines {
    /// A line whose value is fit to stand as it is. `name` may carry parameters.
    pub(super) fn raw(&mut self, name: &str, value: &str) {
        let mut octets = 0;
        for c in name.chars().chain([':']).chain(value.chars()) {
            if octets + c.len_utf8() > LINE_OCTETS {
                self.out.push_str("\r\n ");
                octets = 1;
            }
            self.out.push(c);
            octets += c.len_utf8();
        }
        self.out.push_str("\r\n");
    }

    /// A line with a text.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.raw(name, &escaped(text));
    }

    /// A line with a text, if there is any.
    pub(super) fn known_text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.text(name, text);
        }
    }

    /// A line with the texts of a list that are not empty, if there are any.
    pub(super) fn list(&mut self, name: &str, texts: &[String]) {
        let texts: Vec<String> =
            texts.iter().map(|text| one_line(text)).filter(|text| !text.is_empty()).map(|text| escaped(&text)).collect();
        if !texts.is_empty() {
            self.raw(name, &texts.join(","));
        }
    }

    /// A line with a person, who has an address. `parameters` begin with `;`.
    pub(super) fn person(&mut self, name: &str, parameters: &str, person: &Person) {
        let address = mail_address(&person.address);
        if address.is_empty() {
            return;
        }
        let shown = one_line(&person.name);
        let shown = if shown.is_empty() { String::new() } else { format!(";CN=\"{}\"", caret_encoded(&shown)) };
        self.raw(&format!("{name}{shown}{parameters}"), &format!("mailto:{address}"));
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}

/// A value on one line: trimmed, breaks and tabs are spaces, other controls and the marks that reorder text are dropped.
pub(super) fn one_line(text: &str) -> String {
    visible(text).replace(['\n', '\t'], " ").trim().to_owned()
}

/// A value on several lines, trimmed; every kind of line break is `\n`, other controls and the marks that reorder text are
/// dropped.
pub(super) fn block(text: &str) -> String {
    visible(text).trim().to_owned()
}

/// The characters that may stand in a file, every line break as `\n`.
fn visible(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| if matches!(c, '\r' | '\u{85}') || is_line_separator(c) { '\n' } else { c })
        .filter(|&c| matches!(c, '\n' | '\t') || !(c.is_control() || is_bidi_control(c)))
        .collect()
}

/// A text with the characters encoded that have a meaning in a file (RFC 5545, 3.3.11).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            _ => out.push(c),
        }
    }
    out
}

/// A parameter's value, to stand between quotation marks, none of which it may hold (RFC 6868).
fn caret_encoded(text: &str) -> String {
    text.replace('^', "^^").replace('"', "^'")
}

/// A mail address as part of a `mailto:` address: what is not plainly part of one is percent-encoded.
fn mail_address(address: &str) -> String {
    let address: String = address.chars().filter(|&c| !c.is_control() && !c.is_whitespace() && !is_bidi_control(c)).collect();
    percent_encoded(&address, b"@.-_~!$'*+=")
}

/// A web address that may stand in a file; nothing for one of another scheme.
pub(super) fn web_address(url: &str) -> Option<String> {
    let url: String = url.chars().filter(|&c| !c.is_control() && !c.is_whitespace() && !is_bidi_control(c)).collect();
    let known = url.starts_with("https://") || url.starts_with("http://");
    known.then(|| percent_encoded(&url, b"-._~:/?#[]@!$&'()*+,;=%"))
}

/// Letters, digits and the characters in `plain` as they are, every other byte as `%XX` (RFC 3986, 2.1).
fn percent_encoded(text: &str, plain: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// An instant in UTC, `20260401T010000Z`. Years outside 1 to 9999, which the form cannot express, are moved to its bounds.
pub(super) fn stamp(instant: DateTime<Utc>) -> String {
    format!("{}T{}Z", date(instant.date_naive()), instant.format("%H%M%S"))
}

/// A day, `20260401`; bounds as for [`stamp`].
pub(super) fn date(day: NaiveDate) -> String {
    match day.year() {
        ..1 => "00010101".to_owned(),
        1..=9999 => day.format("%Y%m%d").to_string(),
        10_000.. => "99991231".to_owned(),
    }
}
