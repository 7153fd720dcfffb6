//! The HTML part of a mail: its text once more, for programs that prefer HTML.
//!
//! It is made from the finished text alone, so that nothing can stand in it that does not stand in the text, in another order
//! or under another heading. The form is that of `templates_letter`: summary lines, addressee, sections, rule and foot. What
//! does not have that form becomes plain paragraphs.
//!
//! Text is escaped, whatever it is; the one attribute with a value from outside is the address of a link, and only addresses
//! of the service itself become links. There are no scripts, images, forms, style sheets or other requests, and no colours
//! but those of the reader's program, which is what keeps it readable on dark ground. Sizes are relative and nothing has a
//! fixed width, so that it flows at any magnification.

use super::message::{is_bidi_control, is_line_separator};
use super::templates_letter::{RULE, pick};
use crate::error::Locale;

/// Around everything: a readable measure and the system's Japanese fonts.
const PAGE: &str = "max-width:42em;margin:0 auto;padding:1em;font-family:'Hiragino Sans','Hiragino Kaku Gothic ProN',\
    'Yu Gothic UI',Meiryo,'Noto Sans JP','Noto Sans CJK JP',sans-serif;font-size:1em;line-height:1.7;overflow-wrap:anywhere";
const HAPPENED: &str = "margin:0 0 .5em;font-size:1.2em;line-height:1.5";
const SUMMARY: &str = "margin:0 0 .3em";
const PARAGRAPH: &str = "margin:1em 0";
const HEADING: &str = "margin:1.5em 0 .5em;font-size:1.05em";
/// Half transparent, so that it shows on any ground.
const QUOTE: &str = "margin:.5em 0;padding:0 0 0 1em;border-left:.25em solid rgba(128,128,128,.5)";
const TABLE: &str = "margin:1em 0;width:100%;border-collapse:collapse";
const LABEL: &str = "width:30%;padding:.4em .8em .4em 0;border-bottom:1px solid rgba(128,128,128,.4);\
    text-align:left;vertical-align:top;font-weight:bold";
const VALUE: &str = "padding:.4em 0;border-bottom:1px solid rgba(128,128,128,.4);text-align:left;vertical-align:top";
const LINE: &str = "margin:2em 0 1em;border:0;border-top:1px solid rgba(128,128,128,.5)";
const FOOT: &str = "margin:0;font-size:.875em";

/// Longest label of a fact, in characters: longer ones are sentences with a colon.
const LABEL_MAX_CHARS: usize = 30;

/// The document for a text as `template::render` makes it.
///
/// `title` names the document (the subject of the mail); `base_url` is the service's own address, below which links may lead.
pub fn html(title: &str, text: &str, locale: Locale, base_url: &str) -> String {
    let lang = pick(locale, "ja", "en");
    let mut page = Page { out: String::with_capacity(text.len() * 2 + 2_000), locale, base_url };
    page.out.push_str(&format!("<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n"));
    page.out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.out.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n");
    page.out.push_str(&format!("<title>{}</title>\n</head>\n<body style=\"margin:0\">\n", escaped(title)));
    // The language once more: web mail keeps what is in the body only.
    page.out.push_str(&format!("<div lang=\"{lang}\" style=\"{PAGE}\">\n"));
    page.letter(text);
    page.out.push_str("</div>\n</body>\n</html>\n");
    page.out
}

struct Page<'a> {
    out: String,
    locale: Locale,
    base_url: &'a str,
}

impl Page<'_> {
    /// Blocks of the text, which empty lines separate: the first is the summary, what follows the rule is the foot.
    fn letter(&mut self, text: &str) {
        let lines: Vec<&str> = text.split(['\n', '\r']).map(str::trim_end).collect();
        let (letter, foot) = match lines.iter().rposition(|line| *line == RULE) {
            Some(rule) => (lines.get(..rule).unwrap_or_default(), lines.get(rule + 1..)),
            None => (lines.as_slice(), None),
        };
        for (index, block) in letter.split(|line| line.is_empty()).filter(|block| !block.is_empty()).enumerate() {
            match index {
                0 => self.summary(block),
                // Who is written to; `To: …` is no fact.
                1 => self.lines(block),
                _ => self.section(block),
            }
        }
        if let Some(foot) = foot {
            self.out.push_str(&format!("<hr style=\"{LINE}\">\n"));
            for line in foot.iter().filter(|line| !line.is_empty()) {
                self.element("p", FOOT, &escaped(line));
            }
        }
    }

    /// What happened, as the one heading of the document; what to do and until when, each with its label in bold.
    fn summary(&mut self, block: &[&str]) {
        for (index, line) in block.iter().enumerate() {
            if index == 0 {
                self.element("h1", HAPPENED, &escaped(line));
                continue;
            }
            let label = match self.locale {
                Locale::Ja => line.starts_with('【').then(|| line.find('】').map(|end| end + '】'.len_utf8())).flatten(),
                Locale::En => self.label_end(line),
            };
            let (label, rest) = line.split_at_checked(label.unwrap_or(0)).unwrap_or(("", line));
            let label = if label.is_empty() { String::new() } else { format!("<strong>{}</strong>", escaped(label)) };
            self.element("p", SUMMARY, &format!("{label}{}", escaped(rest)));
        }
    }

    fn section(&mut self, block: &[&str]) {
        let Some((first, rest)) = block.split_first() else { return };
        if let Some(heading) = first.strip_prefix("■ ") {
            self.element("h2", HEADING, &format!("<span aria-hidden=\"true\">■</span> {}", escaped(heading)));
            self.lines(rest);
        } else if first.starts_with("▼ ") {
            let address = |line: &&str| self.link(line).unwrap_or_else(|| escaped(line));
            let lines: Vec<String> = [escaped(first)].into_iter().chain(rest.iter().map(address)).collect();
            self.element("p", PARAGRAPH, &lines.join("<br>\n"));
        } else if block.iter().all(|line| self.label_end(line).is_some()) {
            self.facts(block);
        } else {
            self.lines(block);
        }
    }

    /// A table of facts, one row each; the colon stays with the label.
    fn facts(&mut self, block: &[&str]) {
        self.out.push_str(&format!("<table style=\"{TABLE}\">\n<tbody>\n"));
        for line in block {
            let end = self.label_end(line).unwrap_or(0);
            let (label, value) = line.split_at_checked(end).unwrap_or(("", line));
            let (label, value) = (escaped(label), escaped(value.trim_start()));
            self.out.push_str(&format!(
                "<tr>\n<th scope=\"row\" style=\"{LABEL}\">{label}</th>\n<td style=\"{VALUE}\">{value}</td>\n</tr>\n"
            ));
        }
        self.out.push_str("</tbody>\n</table>\n");
    }

    /// Lines as they are; indented ones, which hold what a person wrote or the visits, are set off by a bar.
    fn lines(&mut self, block: &[&str]) {
        for run in block.chunk_by(|a, b| a.starts_with(' ') == b.starts_with(' ')) {
            let style = if run.iter().any(|line| line.starts_with(' ')) { QUOTE } else { PARAGRAPH };
            let lines: Vec<String> = run.iter().map(|line| escaped(line.trim_start())).collect();
            self.element("p", style, &lines.join("<br>\n"));
        }
    }

    /// Where the label of a fact ends, its colon included; nothing when the line is no fact.
    fn label_end(&self, line: &str) -> Option<usize> {
        let colon = pick(self.locale, "：", ": ");
        let (label, _) = line.split_once(colon)?;
        let named = !label.is_empty() && !label.starts_with([' ', '■', '▼']) && label.chars().count() <= LABEL_MAX_CHARS;
        named.then_some(label.len() + colon.trim_end().len())
    }

    /// A line that is an address of the service, as a link; nothing for any other line.
    ///
    /// `https://tasuki.example.jp.evil.example/` begins with the service's address too, so what follows it must begin a path.
    fn link(&self, line: &str) -> Option<String> {
        let base = self.base_url.trim_end_matches('/');
        let whole = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"))?;
        let rest = line.strip_prefix(base)?;
        let own = !whole.is_empty() && (rest.is_empty() || rest.starts_with(['/', '?', '#']));
        let plain = line.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"' | b'\'' | b'`' | b'\\'));
        let address = escaped(line);
        (own && plain).then(|| format!("<a href=\"{address}\">{address}</a>"))
    }

    /// An element with content that is escaped already.
    fn element(&mut self, name: &str, style: &str, content: &str) {
        self.out.push_str(&format!("<{name} style=\"{style}\">{content}</{name}>\n"));
    }
}

/// The text with the characters written out that have a meaning in HTML; controls are spaces, and marks that reorder text,
/// which no notice holds, are dropped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars().filter(|&c| !is_bidi_control(c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || is_line_separator(c) => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
#[path = "html_tests.rs"]
mod tests;
