//! One mail as it goes over the wire: headers, encoding and the refusals that come before both.
//!
//! This room turns an [`OutgoingMail`] into an RFC 5322 message and nothing else: it does not know why a mail is
//! sent, keeps no queue and opens no connection. Every value that reaches a header is checked here first, because a
//! line break smuggled into a name or subject would let its author write headers of his own, and because the mail
//! library answers a line break in a display name with a panic instead of an error.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, Datelike, Utc};
use lettre::Address;
use lettre::Message;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use sha2::{Digest, Sha256};

/// Longest display name accepted, in characters.
pub const MAX_NAME_CHARS: usize = 200;
/// Longest subject accepted, in characters; what templates compose stays far below.
pub const MAX_SUBJECT_CHARS: usize = 300;
/// Longest text accepted, in bytes of UTF-8 (256 KiB): no notice comes near it, a runaway value does.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;
/// Longest mail address, in bytes (RFC 5321, section 4.5.3.1.3, less the angle brackets).
pub const MAX_ADDRESS_BYTES: usize = 254;
/// Longest message identifier, in bytes, angle brackets included; a header line ends at 998 bytes (RFC 5322, 2.1.1).
pub const MAX_MESSAGE_ID_BYTES: usize = 250;

/// A mail ready to be built: one recipient, one text part.
///
/// Every retry of the same mail carries the same `message_id` and `date`, so that a mail delivered twice after a crash
/// is recognised as one by the receiving side.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// `Message-ID` in angle brackets, fixed for the life of the mail; see [`message_id_for`].
    pub message_id: String,
    /// Sender address, also the envelope sender to which bounces return.
    pub from_address: String,
    /// Name shown for the sender; empty shows the bare address.
    pub from_name: String,
    /// Address of the one recipient.
    pub to_address: String,
    /// Name shown for the recipient, where known.
    pub to_name: Option<String>,
    /// Subject in plain characters; encoding is done here.
    pub subject: String,
    /// The whole text; line ends may be LF or CRLF.
    pub text: String,
    /// `Message-ID` (in angle brackets) of the mail this one follows, so that mail readers show one thread.
    pub in_reply_to: Option<String>,
    /// The thread so far: message identifiers in angle brackets, separated by spaces.
    pub references: Option<String>,
    /// Value of the `Date` header: when the mail was written, not when it is tried.
    pub date: DateTime<Utc>,
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
    let right: String = domain
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        .take(200)
        .collect::<String>()
        .to_ascii_lowercase();
    let right = right.trim_matches(['.', '-']);
    format!("<{left}@{}>", if right.is_empty() { "localhost" } else { right })
}

/// Marks mail written by a program, so that holiday answers stay away (RFC 3834, section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Builds the message: UTF-8 `text/plain`, `Auto-Submitted: auto-generated`, the given `Message-ID` and `Date`.
///
/// # Errors
/// [`BuildProblem`] when a value may not stand in a mail. Such a mail never becomes sendable by waiting.
pub fn build_message(mail: &OutgoingMail) -> Result<Message, BuildProblem> {
    let from = mailbox(&mail.from_address, MailPart::FromAddress, Some(&mail.from_name), MailPart::FromName)?;
    let to = mailbox(&mail.to_address, MailPart::ToAddress, mail.to_name.as_deref(), MailPart::ToName)?;
    check_line(&mail.subject, MailPart::Subject, MAX_SUBJECT_CHARS)?;
    check_text(&mail.text)?;
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
        let mut builder = Message::builder()
            .message_id(Some(mail.message_id.clone()))
            .date(mail.date.into())
            .from(from)
            .to(to)
            .subject(mail.subject.clone())
            .header(AutoSubmitted);
        if let Some(id) = &mail.in_reply_to {
            builder = builder.in_reply_to(id.clone());
        }
        if let Some(ids) = &mail.references {
            builder = builder.references(ids.clone());
        }
        let message = builder.singlepart(SinglePart::builder().header(ContentType::TEXT_PLAIN).body(mail.text.clone()));
        // Formatting is where the library has panicked, so it is tried here, where a panic is caught.
        message.inspect(|message| drop(message.formatted()))
    };
    match catch_unwind(AssertUnwindSafe(compose)) {
        Ok(Ok(message)) => Ok(message),
        Ok(Err(_)) | Err(_) => Err(BuildProblem::Library),
    }
}

fn mailbox(address: &str, address_part: MailPart, name: Option<&str>, name_part: MailPart) -> Result<Mailbox, BuildProblem> {
    if let Some(name) = name {
        check_line(name, name_part, MAX_NAME_CHARS)?;
    }
    if let Some(character) = forbidden_character(address) {
        return Err(BuildProblem::ForbiddenCharacter { part: address_part, character });
    }
    if address.len() > MAX_ADDRESS_BYTES {
        return Err(BuildProblem::TooLong { part: address_part, max: MAX_ADDRESS_BYTES });
    }
    // Quoted local parts may hold spaces, commas and brackets; nobody has such an address, and relays disagree on them.
    if !address.is_ascii() || address.contains([' ', '"', '<', '>', ',', ';', ':', '(', ')', '\\']) {
        return Err(BuildProblem::InvalidAddress { part: address_part });
    }
    let address: Address = address.parse().map_err(|_| BuildProblem::InvalidAddress { part: address_part })?;
    let name = name.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(Mailbox::new(name, address))
}

fn check_line(value: &str, part: MailPart, max: usize) -> Result<(), BuildProblem> {
    if let Some(character) = forbidden_character(value) {
        return Err(BuildProblem::ForbiddenCharacter { part, character });
    }
    if value.chars().count() > max {
        return Err(BuildProblem::TooLong { part, max });
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), BuildProblem> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(BuildProblem::TooLong { part: MailPart::Text, max: MAX_TEXT_BYTES });
    }
    match text.chars().find(|&c| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || is_bidi_control(c)) {
        Some(character) => Err(BuildProblem::ForbiddenCharacter { part: MailPart::Text, character }),
        None => Ok(()),
    }
}

fn check_message_ids(ids: &str, part: MailPart, max_ids: usize) -> Result<(), BuildProblem> {
    if let Some(character) = forbidden_character(ids) {
        return Err(BuildProblem::ForbiddenCharacter { part, character });
    }
    let mut count = 0;
    for id in ids.split(' ') {
        count += 1;
        if id.len() > MAX_MESSAGE_ID_BYTES {
            return Err(BuildProblem::TooLong { part, max: MAX_MESSAGE_ID_BYTES });
        }
        let inner = id.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
        let well_formed = inner.and_then(|inner| inner.split_once('@')).is_some_and(|(left, right)| {
            let plain =
                |side: &str| !side.is_empty() && side.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'@'));
            plain(left) && plain(right)
        });
        if !well_formed || count > max_ids {
            return Err(BuildProblem::InvalidMessageId { part });
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
