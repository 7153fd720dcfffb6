//! From a row of the outbox to the mail that goes over the wire.

use super::html::html;
use super::message::{OutgoingMail, Unsubscribe};
use super::store::DueMessage;
use crate::app::App;
use crate::clock::UtcTime;
use crate::error::Locale;

/// The page on which people choose how they are told.
pub const PREFERENCES_PATH: &str = "/notification-preferences";

/// The mail of a message: the same bytes at every attempt.
pub fn outgoing(app: &App, message: &DueMessage) -> OutgoingMail {
    let smtp = &app.config.smtp;
    let locale = if message.locale == "en" { Locale::En } else { Locale::Ja };
    // What cannot be read was not written by this release: the mail's text says everything without it.
    let calendars = message.calendars.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    OutgoingMail {
        message_id: message.message_id.clone(),
        from_address: smtp.from_address.clone(),
        from_name: smtp.from_name.clone(),
        envelope_from: None,
        to_address: message.recipient_address.clone(),
        to_name: Some(message.recipient_name.clone()).filter(|name| !name.is_empty()),
        subject: message.subject.clone(),
        html: Some(html(&message.subject, &message.body, locale, &app.config.base_url)),
        text: message.body.clone(),
        calendars,
        unsubscribe: message
            .is_digest
            .then(|| Unsubscribe { url: format!("{}{PREFERENCES_PATH}", app.config.base_url), one_click: false }),
        in_reply_to: None,
        references: message.thread_id.clone(),
        date: UtcTime::instant(message.created_at),
    }
}
