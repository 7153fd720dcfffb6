//! The calendar entries that go with a mail.

use serde::{Deserialize, Serialize};

/// What a calendar entry asks of the reader's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CalendarMethod {
    /// To be entered, or changed.
    Request,
    /// To be taken out.
    Cancel,
}

impl CalendarMethod {
    /// As calendar files and mail headers name it (RFC 5546, 1.4).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

/// One entry as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarEntry {
    /// What it asks.
    pub method: CalendarMethod,
    /// Name of the attachment, such as `visit-12.ics`.
    pub file_name: String,
    /// The iCalendar text.
    pub text: String,
}
