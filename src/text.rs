//! Names, long texts and search keys as people in Japan type them.
//!
//! This room owns two separate things that must never be mixed up: the *check* that a typed
//! text may be stored, and the *key* it is searched by. Stored text is kept exactly as typed:
//! Unicode normalisation turns some name characters into others (the compatibility ideograph
//! U+FA19 becomes U+795E), and variation selectors carry the very shape a person insists on.
//! So nothing here rewrites a name; only [`fold`] does, and its result is for comparison alone.

use std::fmt;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, is_combining_mark};

/// How many code points a text may hold for each character it is allowed to have.
///
/// A character people see may be several code points (base, voicing mark, variation selector);
/// without this bound one visible character could carry unlimited marks.
const CODE_POINTS_PER_CHARACTER: usize = 4;

/// Why a typed text cannot be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextProblem {
    /// Nothing but blanks was typed.
    Empty,
    /// More than `max` characters as people count them.
    TooLong {
        /// The largest number of characters allowed.
        max: usize,
    },
    /// A control character, a Unicode line or paragraph separator, or a code point that is no
    /// character. In single-line text this includes CR, LF and NUL, which would otherwise reach
    /// mail headers.
    ControlCharacter,
    /// A character that changes the writing direction and can make a name read as another.
    BidiControl,
    /// A private-use character (外字). It has no meaning outside the machine it was made on, so
    /// it is refused and shown by its code.
    PrivateUse(char),
}

impl TextProblem {
    /// The stable machine code of the problem.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::ControlCharacter => "control_character",
            Self::BidiControl => "bidi_control",
            Self::PrivateUse(_) => "private_use_character",
        }
    }

    /// The sentence shown to people, in Japanese.
    #[must_use]
    pub fn message_ja(self) -> String {
        match self {
            Self::Empty => "入力してください。".into(),
            Self::TooLong { max } => format!("{max}文字以内で入力してください。"),
            Self::ControlCharacter => "改行などの制御文字は使えません。".into(),
            Self::BidiControl => "文字の向きを変える制御文字は使えません。".into(),
            Self::PrivateUse(c) => format!("外字（U+{:04X}）は使えません。代わりの文字を入力してください。", u32::from(c)),
        }
    }

    /// The sentence shown to people, in English.
    #[must_use]
    pub fn message_en(self) -> String {
        match self {
            Self::Empty => "Must not be empty.".into(),
            Self::TooLong { max } => format!("Must be at most {max} characters long."),
            Self::ControlCharacter => "Must not contain line breaks or other control characters.".into(),
            Self::BidiControl => "Must not contain text-direction control characters.".into(),
            Self::PrivateUse(c) => {
                format!("Contains the private-use character U+{:04X}; use a standard character instead.", u32::from(c))
            }
        }
    }
}

impl fmt::Display for TextProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message_en())
    }
}

impl std::error::Error for TextProblem {}

/// Checks a one-line text (a name, a title, a document number) before it is stored as typed.
///
/// Length is counted in characters as people see them: combining marks, variation selectors and
/// joiners belong to the character before them. The number of code points may not exceed four
/// times `max` either.
///
/// # Errors
/// The first [`TextProblem`] found, length before content.
pub fn check_name(text: &str, max: usize) -> Result<(), TextProblem> {
    check(text, max, false)
}

/// Checks a text of several lines (a background, a goal, a message) before it is stored as typed.
///
/// As [`check_name`], but a tab and a line break (LF or CR LF) are allowed. A CR that stands
/// alone is not.
///
/// # Errors
/// The first [`TextProblem`] found, length before content.
pub fn check_text(text: &str, max: usize) -> Result<(), TextProblem> {
    check(text, max, true)
}

fn check(text: &str, max: usize, multi_line: bool) -> Result<(), TextProblem> {
    // Bytes bound code points, so a huge text is refused without being walked.
    let most_code_points = max.saturating_mul(CODE_POINTS_PER_CHARACTER);
    if text.len() > most_code_points.saturating_mul(4) {
        return Err(TextProblem::TooLong { max });
    }
    if text.trim().is_empty() && !text.chars().any(is_forbidden_blank) {
        return Err(TextProblem::Empty);
    }
    let code_points = text.chars().count();
    let characters = text.chars().filter(|&c| !extends_previous(c)).count();
    if characters > max || code_points > most_code_points {
        return Err(TextProblem::TooLong { max });
    }
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let line_break = c == '\n' || (c == '\r' && chars.peek() == Some(&'\n'));
        if multi_line && (c == '\t' || line_break) {
            continue;
        }
        if is_private_use(c) {
            return Err(TextProblem::PrivateUse(c));
        }
        if is_bidi_control(c) {
            return Err(TextProblem::BidiControl);
        }
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_noncharacter(c) {
            return Err(TextProblem::ControlCharacter);
        }
    }
    Ok(())
}

/// Blanks that are wrong rather than empty: a "name" of one line break is a control character.
fn is_forbidden_blank(c: char) -> bool {
    !matches!(c, '\t' | '\n' | '\r') && c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether a code point only modifies the character before it.
fn extends_previous(c: char) -> bool {
    is_combining_mark(c) || is_variation_selector(c) || c == '\u{200D}'
}

fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' | '\u{180B}'..='\u{180D}' | '\u{180F}')
}

fn is_private_use(c: char) -> bool {
    matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}') && !is_noncharacter(c)
}

fn is_noncharacter(c: char) -> bool {
    let code = u32::from(c);
    (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}

fn is_bidi_control(c: char) -> bool {
    matches!(
        c,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    )
}

/// The key two texts are compared by when people search: width, kana, case and blanks no longer
/// matter, and neither does the variant shape of a name character.
///
/// NFKC (which joins half-width kana with their voicing marks), katakana to hiragana, lower case,
/// all blanks and invisible joiners removed, variation selectors dropped. The key is stored beside
/// the text or compared at once; it is never shown and never replaces what was typed.
#[must_use]
pub fn fold(text: &str) -> String {
    // Dropped first, since a selector or a blank between a kana and its voicing mark would keep
    // NFKC from joining them; and once more at the end, since NFKC makes blanks of its own.
    let visible = |c: &char| !is_dropped_from_key(*c);
    text.chars()
        .filter(visible)
        .nfkc()
        .filter(visible)
        .flat_map(char::to_lowercase)
        .map(hiragana)
        .nfkc()
        .filter(visible)
        .collect()
}

fn is_dropped_from_key(c: char) -> bool {
    c.is_whitespace() || is_variation_selector(c) || matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}')
}

fn hiragana(c: char) -> char {
    match c {
        // ワ, ヰ, ヱ and ヲ with voicing marks (U+30F7–30FA) have no hiragana and stay.
        'ァ'..='ヶ' | 'ヽ' | 'ヾ' => shifted(c, -0x60),
        _ => c,
    }
}

fn katakana(c: char) -> char {
    match c {
        'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => shifted(c, 0x60),
        _ => c,
    }
}

/// Hiragana and katakana lie 0x60 apart in Unicode, in the same order.
fn shifted(c: char, by: i32) -> char {
    u32::from(c).checked_add_signed(by).and_then(char::from_u32).unwrap_or(c)
}

/// Makes text safe inside a `LIKE` pattern that uses `\\` as escape character.
pub fn like_pattern(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// The reading of a name (フリガナ) in full-width katakana, from hiragana, half-width or mixed
/// kana.
///
/// Only kana change: ー and ヴ stay, voicing marks typed apart are joined, and everything that is
/// not kana is left exactly as it was.
#[must_use]
pub fn to_katakana(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut pending: Option<char> = None;
    for typed in text.chars() {
        let full_width = match typed {
            '\u{FF61}'..='\u{FF9F}' => std::iter::once(typed).nfkc().next().unwrap_or(typed),
            _ => typed,
        };
        let c = katakana(full_width);
        if let (Some(base), '\u{3099}' | '\u{309A}') = (pending, c)
            && let Some(joined) = compose(base, c)
        {
            pending = Some(joined);
            continue;
        }
        out.extend(pending.replace(c));
    }
    out.extend(pending);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_ignores_width_kana_case_blanks_and_variants() {
        for (typed, key) in [
            ("ｶﾞｷﾞ ﾊﾟｰﾄ", "がぎぱーと"),
            ("ガギ　パート", "がぎぱーと"),
            ("ＤＸ推進 Ｌａｂ", "dx推進lab"),
            ("ヴィーナス", "ゔぃーなす"),
            ("か\u{3099}", "が"),
            ("か\u{3000}\u{3099}", "が"),
            ("葛\u{E0100}城市", "葛城市"),
            ("\u{FA19}戸", "神戸"),
            ("①㈱", "1(株)"),
            ("\u{FEFF}松\u{200B}山", "松山"),
            ("ヷヸ", "ヷヸ"),
            ("ミスヾ", "みすゞ"),
        ] {
            assert_eq!(fold(typed), key, "{typed}");
            assert_eq!(fold(&fold(typed)), key, "{typed} twice");
        }
    }

    #[test]
    fn names_are_checked_but_never_changed() {
        for good in ["髙﨑 花子", "葛\u{E0100}城", "\u{FA19}谷", "𠮷田", "O'Brien"] {
            assert_eq!(check_name(good, 20), Ok(()), "{good}");
        }
        for (bad, problem) in [
            ("", TextProblem::Empty),
            (" 　", TextProblem::Empty),
            ("山田\r\nBcc: x", TextProblem::ControlCharacter),
            ("山田\0", TextProblem::ControlCharacter),
            ("山\t田", TextProblem::ControlCharacter),
            ("山\u{85}田", TextProblem::ControlCharacter),
            ("山\u{2028}田", TextProblem::ControlCharacter),
            ("山\u{FFFE}田", TextProblem::ControlCharacter),
            ("山\u{202E}田", TextProblem::BidiControl),
            ("山\u{2066}田", TextProblem::BidiControl),
            ("山\u{E000}田", TextProblem::PrivateUse('\u{E000}')),
            ("山\u{F0001}田", TextProblem::PrivateUse('\u{F0001}')),
            ("山\u{10FFFD}", TextProblem::PrivateUse('\u{10FFFD}')),
        ] {
            assert_eq!(check_name(bad, 20), Err(problem), "{bad:?}");
        }
        assert!(TextProblem::PrivateUse('\u{E000}').message_ja().contains("U+E000"));
    }

    #[test]
    fn length_counts_what_people_see() {
        let five = "葛\u{E0100}".repeat(5);
        assert_eq!(check_name(&five, 5), Ok(()));
        assert_eq!(check_name(&five, 4), Err(TextProblem::TooLong { max: 4 }));
        let stacked = format!("a{}", "\u{0301}".repeat(50));
        assert_eq!(check_name(&stacked, 5), Err(TextProblem::TooLong { max: 5 }));
        let huge = "あ".repeat(1_000_000);
        assert_eq!(check_text(&huge, 4_000), Err(TextProblem::TooLong { max: 4_000 }));
    }

    #[test]
    fn long_texts_may_have_lines() {
        assert_eq!(check_text("一行目\r\n\t二行目\n", 100), Ok(()));
        assert_eq!(check_text("一\r二", 100), Err(TextProblem::ControlCharacter));
        assert_eq!(check_text("\n\n", 100), Err(TextProblem::Empty));
        assert_eq!(check_text("一\u{b}二", 100), Err(TextProblem::ControlCharacter));
    }

    #[test]
    fn readings_become_full_width_katakana() {
        for (typed, reading) in [
            ("やまだ　はなこ", "ヤマダ　ハナコ"),
            ("ﾔﾏﾀﾞ ﾊﾅｺ", "ヤマダ ハナコ"),
            ("ヴァンサン・リー", "ヴァンサン・リー"),
            ("ｳﾞｧﾝ", "ヴァン"),
            ("ゔ", "ヴ"),
            ("か\u{3099}", "ガ"),
            ("ｱｷﾗｰ", "アキラー"),
            ("Ａｂｃ山", "Ａｂｃ山"),
            ("ｱﾞ", "ア\u{3099}"),
        ] {
            assert_eq!(to_katakana(typed), reading, "{typed}");
        }
    }
}
