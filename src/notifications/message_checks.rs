//! What is refused before a mail is built. Each check names the part and, where there is one, the character, never the value.

use lettre::address::Address;
use lettre::message::Mailbox;

use super::calendars::CalendarEntry;
use super::message::{
    BuildProblem, MAX_ADDRESS_BYTES, MAX_CALENDAR_BYTES, MAX_CALENDARS, MAX_MESSAGE_ID_BYTES, MAX_NAME_CHARS, MAX_URL_BYTES,
    MailPart, forbidden_character, is_bidi_control,
};

/// An address with the name shown for it, if any.
pub(super) fn mailbox(
    address: &str,
    address_part: MailPart,
    name: Option<&str>,
    name_part: MailPart,
) -> Result<Mailbox, BuildProblem> {
    if let Some(name) = name {
        check_line(name, name_part, MAX_NAME_CHARS)?;
    }
    let name = name.map(without_encoded_words).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    Ok(Mailbox::new(name, check_address(address, address_part)?))
}

/// An address that relays agree on.
pub(super) fn check_address(address: &str, part: MailPart) -> Result<Address, BuildProblem> {
    if let Some(character) = forbidden_character(address) {
        return Err(BuildProblem::ForbiddenCharacter { part, character });
    }
    if address.len() > MAX_ADDRESS_BYTES {
        return Err(BuildProblem::TooLong { part, max: MAX_ADDRESS_BYTES });
    }
    // Quoted local parts may hold spaces, commas and brackets; nobody has such an address, and relays disagree on them.
    if !address.is_ascii() || address.contains([' ', '"', '<', '>', ',', ';', ':', '(', ')', '\\']) {
        return Err(BuildProblem::InvalidAddress { part });
    }
    address.parse().map_err(|_| BuildProblem::InvalidAddress { part })
}

/// The text with a space in every `=?`. What a person typed as an encoded word (RFC 2047) would pass the checks as it is
/// written, and the reader's program would show what it encodes: line breaks and marks that reorder text among it.
pub(super) fn without_encoded_words(text: &str) -> String {
    text.replace("=?", "= ?")
}

/// A value of one line, at most `max` characters.
pub(super) fn check_line(value: &str, part: MailPart, max: usize) -> Result<(), BuildProblem> {
    if let Some(character) = forbidden_character(value) {
        return Err(BuildProblem::ForbiddenCharacter { part, character });
    }
    if value.chars().count() > max {
        return Err(BuildProblem::TooLong { part, max });
    }
    Ok(())
}

/// A part of several lines, at most `max` bytes.
pub(super) fn check_text(text: &str, part: MailPart, max: usize) -> Result<(), BuildProblem> {
    if text.len() > max {
        return Err(BuildProblem::TooLong { part, max });
    }
    match text.chars().find(|&c| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || is_bidi_control(c)) {
        Some(character) => Err(BuildProblem::ForbiddenCharacter { part, character }),
        None => Ok(()),
    }
}

/// Calendar files and their names.
pub(super) fn check_calendars(calendars: &[CalendarEntry]) -> Result<(), BuildProblem> {
    if calendars.len() > MAX_CALENDARS {
        return Err(BuildProblem::TooLong { part: MailPart::Calendar, max: MAX_CALENDARS });
    }
    for CalendarEntry { method, file_name, text } in calendars {
        check_text(text, MailPart::Calendar, MAX_CALENDAR_BYTES)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let named = file_name.len() <= 100 && file_name.ends_with(".ics") && file_name.bytes().all(plain);
        // A program that reads one method outside and another inside may do either (RFC 6047, 2.4).
        let of_method = text.split("\r\n").any(|line| line.strip_prefix("METHOD:") == Some(method.word()));
        if !(named && of_method && text.starts_with("BEGIN:VCALENDAR\r\n")) {
            return Err(BuildProblem::InvalidCalendar);
        }
    }
    Ok(())
}

/// A web address that may stand in a header.
pub(super) fn check_url(url: &str, part: MailPart) -> Result<(), BuildProblem> {
    if url.len() > MAX_URL_BYTES {
        return Err(BuildProblem::TooLong { part, max: MAX_URL_BYTES });
    }
    let whole = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).is_some_and(|rest| !rest.is_empty());
    if whole && url.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"')) {
        Ok(())
    } else {
        Err(BuildProblem::InvalidUrl { part })
    }
}

/// At most `max_ids` message identifiers, separated by single spaces.
pub(super) fn check_message_ids(ids: &str, part: MailPart, max_ids: usize) -> Result<(), BuildProblem> {
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
