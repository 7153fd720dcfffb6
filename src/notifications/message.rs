//! One mail as it goes over the wire: headers, encoding and the refusals that come before both.
//!
//! This room turns an [`OutgoingMail`] into an RFC 5322 message and nothing else: it does not know why a mail is
//! sent, keeps no queue and opens no connection. Every value that reaches a header is checked here first, because a
//! line break smuggled into a name or subject would let its author write headers of his own, and because the mail
//! library answers a line break in a display name with a panic instead of an error.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, Datelike, Utc};
use lettre::address::Envelope;
use lettre::message::Message;
use sha2::{Digest, Sha256};

use super::calendars::CalendarEntry;
use super::message_checks::{
    check_address, check_calendars, check_line, check_message_ids, check_text, check_url, mailbox, without_encoded_words,
};
use super::message_parts::{AutoSubmitted, Body, ListUnsubscribe, ListUnsubscribePost, body};

/// Longest display name accepted, in characters.
pub const MAX_NAME_CHARS: usize = 200;
/// Longest subject accepted, in characters; what templates compose stays far below.
pub const MAX_SUBJECT_CHARS: usize = 300;
/// Longest text accepted, in bytes of UTF-8 (256 KiB): no notice comes near it, a runaway value does.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;
/// Longest HTML part, in bytes of UTF-8 (1 MiB): room for the markup of the longest text.
pub const MAX_HTML_BYTES: usize = 1024 * 1024;
/// Longest calendar file, in bytes of UTF-8 (64 KiB).
pub const MAX_CALENDAR_BYTES: usize = 64 * 1024;
/// Most calendar files in one mail.
pub const MAX_CALENDARS: usize = 50;
/// Longest web address in a header, in bytes; a header line ends at 998 bytes (RFC 5322, 2.1.1).
pub const MAX_URL_BYTES: usize = 900;
/// Longest mail address, in bytes (RFC 5321, section 4.5.3.1.3, less the angle brackets).
pub const MAX_ADDRESS_BYTES: usize = 254;
/// Longest message identifier, in bytes, angle brackets included; a header line ends at 998 bytes (RFC 5322, 2.1.1).
pub const MAX_MESSAGE_ID_BYTES: usize = 250;

/// A mail ready to be built: one recipient, the text, and what some mails add to it.
///
/// The text is the message; all else repeats it for programs that can show more. Every retry of the same mail carries the same `message_id` and `date`, so that a mail delivered twice after a crash
/// is recognised as one by the receiving side.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// `Message-ID` in angle brackets, fixed for the life of the mail; see [`message_id_for`].
    pub message_id: String,
    /// Sender address.
    pub from_address: String,
    /// Name shown for the sender; empty shows the bare address.
    pub from_name: String,
    /// Where relays send what they cannot deliver, if not to the sender address.
    pub envelope_from: Option<String>,
    /// Address of the one recipient.
    pub to_address: String,
    /// Name shown for the recipient, where known.
    pub to_name: Option<String>,
    /// Subject in plain characters; encoding is done here.
    pub subject: String,
    /// The whole text; line ends may be LF or CRLF.
    pub text: String,
    /// The same as an HTML document, for programs that prefer it.
    pub html: Option<String>,
    /// Calendar files. A single one is also offered to the reader's calendar directly (RFC 6047, 2.4); several are
    /// attachments only, for a program shows one alternative of a mail, not many.
    pub calendars: Vec<CalendarEntry>,
    /// How this kind of mail is ended; for digests alone, never for what somebody has to act on.
    pub unsubscribe: Option<Unsubscribe>,
    /// `Message-ID` (in angle brackets) of the mail this one follows, so that mail readers show one thread.
    pub in_reply_to: Option<String>,
    /// The thread so far: message identifiers in angle brackets, separated by spaces.
    pub references: Option<String>,
    /// Value of the `Date` header: when the mail was written, not when it is tried.
    pub date: DateTime<Utc>,
}

/// How mail of a kind is ended by its reader (RFC 2369, 3.2; RFC 8058).
#[derive(Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// The whole address of a page, at most [`MAX_URL_BYTES`].
    pub url: String,
    /// A POST to the address ends it at once, without signing in: mail programs then offer a button. Taken back when the
    /// address is not `https://`, which the standard demands.
    pub one_click: bool,
}

/// The address holds a token of its reader, which must not reach a log.
impl fmt::Debug for Unsubscribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsubscribe").field("one_click", &self.one_click).finish_non_exhaustive()
    }
}

/// Shows the identifier alone: names, addresses and one-time links must not reach a log through `{:?}`.
impl fmt::Debug for OutgoingMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingMail").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

/// The part of a mail a [`BuildProblem`] speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailPart {
    /// `Message-ID`.
    MessageId,
    /// Sender address.
    FromAddress,
    /// Sender name.
    FromName,
    /// Recipient address.
    ToAddress,
    /// Recipient name.
    ToName,
    /// Subject.
    Subject,
    /// The text.
    Text,
    /// The HTML part.
    Html,
    /// A calendar file, its name included.
    Calendar,
    /// Envelope sender.
    EnvelopeFrom,
    /// Address at which mail is ended.
    Unsubscribe,
    /// `In-Reply-To`.
    InReplyTo,
    /// `References`.
    References,
    /// `Date`.
    Date,
}

impl fmt::Display for MailPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MessageId => "message id",
            Self::FromAddress => "sender address",
            Self::FromName => "sender name",
            Self::ToAddress => "recipient address",
            Self::ToName => "recipient name",
            Self::Subject => "subject",
            Self::Text => "text",
            Self::Html => "html part",
            Self::Calendar => "calendar",
            Self::EnvelopeFrom => "envelope sender",
            Self::Unsubscribe => "unsubscribe address",
            Self::InReplyTo => "in-reply-to",
            Self::References => "references",
            Self::Date => "date",
        })
    }
}

/// Why a mail cannot be built. It never will be by trying again: the row is parked and a person looks at it.
///
/// The texts name the part and the offending character, never the value, so they may be logged and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildProblem {
    /// A line break, control or bidirectional control character where none may stand.
    ForbiddenCharacter {
        /// Where it stands.
        part: MailPart,
        /// The character.
        character: char,
    },
    /// Longer than the bound of that part.
    TooLong {
        /// The part.
        part: MailPart,
        /// The bound, in the unit of the `MAX_…` constant of that part.
        max: usize,
    },
    /// Not an address a mail can be sent to. Addresses are ASCII: relays without SMTPUTF8 would refuse others.
    InvalidAddress {
        /// Sender or recipient address.
        part: MailPart,
    },
    /// Not a list of `<left@right>` identifiers.
    InvalidMessageId {
        /// Which header.
        part: MailPart,
    },
    /// Not a whole `https://` or `http://` address of visible ASCII characters.
    InvalidUrl {
        /// Which header.
        part: MailPart,
    },
    /// Not a calendar file of the method it is said to have, or not a plain name that ends in `.ics`.
    InvalidCalendar,
    /// A date outside the years 1970 to 9999, which the header cannot express.
    InvalidDate,
    /// The mail library refused the message or gave up in a panic; the process goes on.
    Library,
}

impl fmt::Display for BuildProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForbiddenCharacter { part, character } => {
                write!(f, "forbidden character U+{:04X} in the {part}", u32::from(*character))
            }
            Self::TooLong { part, max } => write!(f, "the {part} is longer than {max}"),
            Self::InvalidAddress { part } => write!(f, "the {part} is not a usable mail address"),
            Self::InvalidMessageId { part } => write!(f, "the {part} is not of the form <left@right>"),
            Self::InvalidUrl { part } => write!(f, "the {part} is not a whole web address in ASCII"),
            Self::InvalidCalendar => f.write_str("a calendar is not a file of its method, or its name is not plain"),
            Self::InvalidDate => f.write_str("the date lies outside the years 1970 to 9999"),
            Self::Library => f.write_str("the message could not be composed"),
        }
    }
}

impl std::error::Error for BuildProblem {}

/// The first character of `text` that must not stand in a name, subject or address, if any.
///
/// Refused are control characters (CR, LF and NUL among them), the Unicode line and paragraph separators, and the
/// bidirectional controls, with which a name can be made to read differently from what it is (OWASP ASVS 5.0,
/// requirement 1.3.11). Input forms use the same function, so that what is accepted there can also be mailed.
pub fn forbidden_character(text: &str) -> Option<char> {
    text.chars().find(|&c| c.is_control() || is_line_separator(c) || is_bidi_control(c))
}

pub(super) fn is_line_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

pub(super) fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The `Message-ID` of the mail with this key: always the same for the same key and domain.
///
/// The key (event, recipient, kind) is hashed, since it may name people and the identifier travels in clear. Of
/// `domain` only letters, digits, dots and hyphens are used, in lower case; an empty one becomes `localhost`.
pub fn message_id_for(dedupe_key: &str, domain: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"mail/v1\0");
    hash.update(dedupe_key.as_bytes());
    // 128 bits: two different mails never share one, and the identifier stays readable in a relay's log.
    let left: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("<{left}@{}>", domain_name(domain))
}

/// A domain as the right side of an identifier: its letters, digits, dots and hyphens in lower case, at most 200 of them;
/// `localhost` when none is left.
pub(super) fn domain_name(domain: &str) -> String {
    let name: String = domain
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        .take(200)
        .collect::<String>()
        .to_ascii_lowercase();
    match name.trim_matches(['.', '-']) {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

/// Builds the message: `Auto-Submitted: auto-generated`, the given `Message-ID` and `Date`; the text alone as `text/plain`,
/// or first among alternatives (text, HTML, calendar) and followed by the calendar files as attachments.
///
/// The same mail always gives the same bytes.
///
/// # Errors
/// [`BuildProblem`] when a value may not stand in a mail. Such a mail never becomes sendable by waiting.
pub fn build_message(mail: &OutgoingMail) -> Result<Message, BuildProblem> {
    let from = mailbox(&mail.from_address, MailPart::FromAddress, Some(&mail.from_name), MailPart::FromName)?;
    let to = mailbox(&mail.to_address, MailPart::ToAddress, mail.to_name.as_deref(), MailPart::ToName)?;
    let envelope_from = match &mail.envelope_from {
        Some(envelope_from) => check_address(envelope_from, MailPart::EnvelopeFrom)?,
        None => from.email.clone(),
    };
    check_line(&mail.subject, MailPart::Subject, MAX_SUBJECT_CHARS)?;
    check_text(&mail.text, MailPart::Text, MAX_TEXT_BYTES)?;
    if let Some(html) = &mail.html {
        check_text(html, MailPart::Html, MAX_HTML_BYTES)?;
    }
    check_calendars(&mail.calendars)?;
    if let Some(unsubscribe) = &mail.unsubscribe {
        check_url(&unsubscribe.url, MailPart::Unsubscribe)?;
    }
    check_message_ids(&mail.message_id, MailPart::MessageId, 1)?;
    if let Some(id) = &mail.in_reply_to {
        check_message_ids(id, MailPart::InReplyTo, 1)?;
    }
    if let Some(ids) = &mail.references {
        check_message_ids(ids, MailPart::References, 20)?;
    }
    if !(1970..=9999).contains(&mail.date.year()) {
        return Err(BuildProblem::InvalidDate);
    }

    let compose = || {
        let envelope = Envelope::new(Some(envelope_from), vec![to.email.clone()]).map_err(|_| BuildProblem::Library)?;
        let mut builder = Message::builder()
            .envelope(envelope)
            .message_id(Some(mail.message_id.clone()))
            .date(mail.date.into())
            .from(from)
            .to(to)
            .subject(without_encoded_words(&mail.subject))
            .header(AutoSubmitted);
        if let Some(id) = &mail.in_reply_to {
            builder = builder.in_reply_to(id.clone());
        }
        if let Some(ids) = &mail.references {
            builder = builder.references(ids.clone());
        }
        if let Some(unsubscribe) = &mail.unsubscribe {
            builder = builder.header(ListUnsubscribe(unsubscribe.url.clone()));
            if unsubscribe.one_click && unsubscribe.url.starts_with("https://") {
                builder = builder.header(ListUnsubscribePost);
            }
        }
        let message = match body(mail)? {
            Body::Single(part) => builder.singlepart(part),
            Body::Multi(parts) => builder.multipart(parts),
        };
        // Formatting is where the library has panicked, so it is tried here, where a panic is caught.
        message.inspect(|message| drop(message.formatted())).map_err(|_| BuildProblem::Library)
    };
    catch_unwind(AssertUnwindSafe(compose)).unwrap_or(Err(BuildProblem::Library))
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
