//! Collecting every wrong field of a body before refusing it once.

use chrono::NaiveDate;

use crate::error::{Error, ErrorCode, FieldError, Words};
use crate::text::{self, TextProblem};

/// The wrong fields found so far.
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// Nothing wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a wrong field.
    pub fn wrong(
        &mut self,
        pointer: impl Into<String>,
        code: &'static str,
        ja: impl Into<std::borrow::Cow<'static, str>>,
        en: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        let pointer = pointer.into();
        // Two checks of one field may find the same fault; it is told once.
        if !self.0.iter().any(|known| known.pointer == pointer && known.code == code) {
            self.0.push(FieldError { pointer, code, detail: Words::new(ja, en) });
        }
    }

    /// Notes a wrong field unless `right`.
    pub fn check(&mut self, right: bool, pointer: impl Into<String>, code: &'static str, ja: &'static str, en: &'static str) {
        if !right {
            self.wrong(pointer, code, ja, en);
        }
    }

    /// One line of text that people typed: no control characters, not empty, at most `max` characters. Kept as typed.
    pub fn line(&mut self, pointer: &str, value: &str, max: usize) {
        if let Err(problem) = text::check_name(value, max) {
            self.text_problem(pointer, problem);
        }
    }

    /// Like [`Fields::line`], but may be empty.
    pub fn optional_line(&mut self, pointer: &str, value: &str, max: usize) {
        if !value.is_empty() {
            self.line(pointer, value, max);
        }
    }

    /// Several lines of text, possibly empty.
    pub fn text(&mut self, pointer: &str, value: &str, max: usize) {
        if value.is_empty() {
            return;
        }
        if let Err(problem) = text::check_text(value, max) {
            self.text_problem(pointer, problem);
        }
    }

    fn text_problem(&mut self, pointer: &str, problem: TextProblem) {
        match problem {
            TextProblem::Empty => self.wrong(pointer, "required", "入力してください", "Must not be empty"),
            TextProblem::TooLong { max } => {
                self.wrong(pointer, "too_long", format!("{max}文字以内にしてください"), format!("At most {max} characters"));
            }
            TextProblem::ControlCharacter => {
                self.wrong(pointer, "control_character", "改行などの制御文字は使えません", "Control characters are not allowed");
            }
            TextProblem::BidiControl => {
                self.wrong(
                    pointer,
                    "bidi_control",
                    "文字の向きを変える制御文字は使えません",
                    "Bidirectional controls are not allowed",
                );
            }
            TextProblem::PrivateUse(c) => self.wrong(
                pointer,
                "private_use_character",
                format!("外字（U+{:04X}）は使えません。代わりの文字で入力してください", u32::from(c)),
                format!("The private-use character U+{:04X} is not allowed; use a substitute", u32::from(c)),
            ),
        }
    }

    /// A mail address: one `@`, no spaces or control characters, at most 254 bytes.
    pub fn email(&mut self, pointer: &str, value: &str) {
        let parts: Vec<&str> = value.split('@').collect();
        let right = matches!(parts.as_slice(), [local, domain] if !local.is_empty() && domain.contains('.')
                && !domain.starts_with('.') && !domain.ends_with('.'))
            && value.len() <= 254
            && value.is_ascii()
            && value.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',' | ';' | '"' | '(' | ')' | '\\'));
        self.check(right, pointer, "not_an_address", "メールアドレスの形式で入力してください", "Must be a mail address");
    }

    /// A number within bounds.
    pub fn within(&mut self, pointer: &str, value: i64, min: i64, max: i64) {
        if value < min || value > max {
            self.wrong(
                pointer,
                "out_of_range",
                format!("{min}から{max}までの値にしてください"),
                format!("Must be from {min} to {max}"),
            );
        }
    }

    /// A list with at most `max` entries.
    pub fn at_most(&mut self, pointer: &str, length: usize, max: usize) {
        if length > max {
            self.wrong(pointer, "too_many", format!("{max}件以内にしてください"), format!("At most {max} entries"));
        }
    }

    /// A period whose end is not before its start (both inclusive).
    pub fn period(&mut self, pointer_to: &str, from: NaiveDate, to: NaiveDate) {
        self.check(
            to >= from,
            pointer_to,
            "before_start",
            "終了日は開始日以後にしてください",
            "The end must not be before the start",
        );
    }

    /// A validity whose exclusive end is after its start.
    pub fn validity(&mut self, pointer_to: &str, from: NaiveDate, to: Option<NaiveDate>) {
        self.check(
            to.is_none_or(|to| to > from),
            pointer_to,
            "before_start",
            "終了日は開始日より後にしてください",
            "The end must be after the start",
        );
    }

    /// Whether nothing is wrong so far.
    pub fn is_right(&self) -> bool {
        self.0.is_empty()
    }

    /// 422 with every wrong field, or nothing.
    pub fn finish(self) -> Result<(), Error> {
        self.finish_as(ErrorCode::ValidationFailed)
    }

    /// Like [`Fields::finish`] for refusals by a programme's rules.
    pub fn finish_as(self, code: ErrorCode) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut error = Error::new(code);
        error.fields = self.0;
        Err(error)
    }
}
