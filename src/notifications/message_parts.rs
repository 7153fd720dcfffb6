//! The parts a mail consists of and the headers that the mail library does not know. Values are checked before they come here
//! (`message`).

use lettre::message::header::{ContentDisposition, ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{MultiPart, SinglePart};
use sha2::{Digest, Sha256};

use super::calendars::CalendarEntry;
use super::message::{BuildProblem, OutgoingMail};

type Unparsed = Box<dyn std::error::Error + Send + Sync>;

/// Marks mail written by a program, so that holiday answers stay away (RFC 3834, section 5).
#[derive(Clone)]
pub(super) struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Unparsed> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// The web address at which this kind of mail is ended (RFC 2369, 3.2).
#[derive(Clone)]
pub(super) struct ListUnsubscribe(pub(super) String);

impl Header for ListUnsubscribe {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(value: &str) -> Result<Self, Unparsed> {
        Ok(Self(value.trim_matches(['<', '>']).to_owned()))
    }

    fn display(&self) -> HeaderValue {
        // As it is: an address is one word, and an encoded one would not be understood.
        let value = format!("<{}>", self.0);
        HeaderValue::dangerous_new_pre_encoded(Self::name(), value.clone(), value)
    }
}

/// Says that a POST to that address ends it at once (RFC 8058, 3.1).
#[derive(Clone)]
pub(super) struct ListUnsubscribePost;

impl Header for ListUnsubscribePost {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_: &str) -> Result<Self, Unparsed> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "List-Unsubscribe=One-Click".to_owned())
    }
}

/// What stands below the headers.
pub(super) enum Body {
    /// The text alone.
    Single(SinglePart),
    /// The text and more.
    Multi(MultiPart),
}

/// The parts of a mail: the text; or alternatives from the plainest to the richest, as the order is read (RFC 2046, 5.1.4);
/// and, around either, the calendar files.
pub(super) fn body(mail: &OutgoingMail) -> Result<Body, BuildProblem> {
    let invitation = match mail.calendars.as_slice() {
        [calendar] => Some(calendar),
        _ => None,
    };
    let inner = if mail.html.is_some() || invitation.is_some() {
        let mut parts = MultiPart::alternative().boundary(boundary("alternative", mail)).singlepart(text(mail));
        if let Some(html) = &mail.html {
            parts = parts.singlepart(encoded(ContentType::TEXT_HTML, html));
        }
        if let Some(calendar) = invitation {
            let method = calendar.method.word();
            parts = parts
                .singlepart(encoded(content_type(&format!("text/calendar; method={method}; charset=utf-8"))?, &calendar.text));
        }
        Body::Multi(parts)
    } else if mail.calendars.is_empty() {
        Body::Single(SinglePart::plain(mail.text.clone()))
    } else {
        Body::Single(text(mail))
    };
    if mail.calendars.is_empty() {
        return Ok(inner);
    }
    let mixed = MultiPart::mixed().boundary(boundary("mixed", mail));
    let mixed = match inner {
        Body::Single(part) => mixed.singlepart(part),
        Body::Multi(parts) => mixed.multipart(parts),
    };
    mail.calendars.iter().try_fold(mixed, |mixed, calendar| Ok(mixed.singlepart(attachment(calendar)?))).map(Body::Multi)
}

fn text(mail: &OutgoingMail) -> SinglePart {
    encoded(ContentType::TEXT_PLAIN, &mail.text)
}

/// A file to open by hand. Its type is not that of the alternative, so that no program takes the same invitation twice.
fn attachment(calendar: &CalendarEntry) -> Result<SinglePart, BuildProblem> {
    let part = SinglePart::builder()
        .header(content_type(&format!("application/ics; name=\"{}\"", calendar.file_name))?)
        .header(ContentDisposition::attachment(&calendar.file_name))
        .header(ContentTransferEncoding::Base64);
    Ok(part.body(calendar.text.clone()))
}

/// A part in base64, whatever it holds: what people type can then never look like a boundary, which anybody could work out.
fn encoded(content_type: ContentType, text: &str) -> SinglePart {
    SinglePart::builder().header(content_type).header(ContentTransferEncoding::Base64).body(text.to_owned())
}

fn content_type(text: &str) -> Result<ContentType, BuildProblem> {
    ContentType::parse(text).map_err(|_| BuildProblem::Library)
}

/// What separates the parts: the same at every try, and another one for each mail and level.
fn boundary(level: &str, mail: &OutgoingMail) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("boundary/v1\0{level}\0"));
    hash.update(mail.message_id.as_bytes());
    let hash: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{level}-{hash}")
}
