//! Calendar files (RFC 5545): the invitation that goes with a mail, and the feed that a calendar program subscribes to.
//!
//! An [`Event`] says the facts; [`invitation`] and [`feed`] are pure functions of them, so that the same event gives the
//! same bytes at every try. Times are written in UTC with `Z`: a `TZID` would have to come with a `VTIMEZONE` (RFC 5545,
//! 3.2.19), and Japan has had no summer time since 1951, so nothing is lost. A visit of which the day is known but not the
//! hour is an all-day event; one without a day makes none ([`When::of`]).
//!
//! Why not a library: of the crates, `icalendar` 0.17.17 was tried. It writes parameters as they are given, so that a
//! quotation mark or line break in a person's name adds parameters and properties of its author's choice (`CN="x";ROLE=…`);
//! the same holds for `URL`; it passes a bare carriage return through in texts; and its last folded line can have 76 octets.
//! Everything would have to be cleaned and encoded before it, which is most of what is written here.
//!
//! A calendar is a convenience: gateways of municipalities remove attachments. The mail's text says everything.

mod line;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Days, NaiveDate, SubsecRound, TimeDelta, Utc};

use self::line::{Lines, block, date, one_line, stamp, web_address};
use super::calendars::CalendarMethod;
use super::message::domain_name;

/// The program that wrote the file (RFC 5545, 3.7.3); without a version, so that a release changes no file.
const PRODUCT: &str = "-//Tasuki//Tasuki//JA";

/// When an event takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// From an instant on. Seconds count, their fractions do not.
    At {
        /// Its beginning.
        starts_at: DateTime<Utc>,
        /// Its end; one that is not after the beginning, or is not known, is left out.
        ends_at: Option<DateTime<Utc>>,
    },
    /// All of a day in Japan.
    Day(NaiveDate),
}

impl When {
    /// When a visit takes place of which perhaps not everything is settled: at its hour, else all of its day, else not at
    /// all (`None`): a visit whose day is still to be arranged belongs into no calendar. `minutes` is how long it lasts.
    pub fn of(starts_at: Option<DateTime<Utc>>, minutes: Option<u32>, day: Option<NaiveDate>) -> Option<Self> {
        match (starts_at, day) {
            (Some(starts_at), _) => {
                let ends_at = minutes.and_then(|minutes| starts_at.checked_add_signed(TimeDelta::minutes(minutes.into())));
                Some(Self::At { starts_at, ends_at })
            }
            (None, Some(day)) => Some(Self::Day(day)),
            (None, None) => None,
        }
    }
}

/// How firm an event is (RFC 5545, 3.8.1.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Planned, not decided.
    Tentative,
    /// Decided.
    Confirmed,
    /// Called off.
    Cancelled,
}

impl Status {
    const fn word(self) -> &'static str {
        match self {
            Self::Tentative => "TENTATIVE",
            Self::Confirmed => "CONFIRMED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// Somebody who organises or attends. Without an address (nothing visible in it) the person is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name as shown; may be empty.
    pub name: String,
    /// The mail address.
    pub address: String,
}

/// One entry of a calendar. Texts may hold anything people type: [`invitation`] and [`feed`] make it harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What makes it the same entry for ever; see [`visit_uid`].
    pub uid: String,
    /// Rises with each change (RFC 5545, 3.8.7.4): a calendar program ignores what is older than what it has.
    pub sequence: u32,
    /// When this state of the entry was written.
    pub dtstamp: DateTime<Utc>,
    /// When it takes place.
    pub when: When,
    /// Its title.
    pub summary: String,
    /// More about it, on several lines; empty for nothing.
    pub description: String,
    /// Where; empty for nothing.
    pub location: String,
    /// The whole address of its page. Anything that is not `https://` or `http://` is left out.
    pub url: Option<String>,
    /// The office that invites. Programs take only a [`CalendarMethod`] with an organiser seriously (RFC 5546, 3.2).
    pub organizer: Person,
    /// Who is invited; the feed does not name them.
    pub attendees: Vec<Person>,
    /// How firm it is; a cancellation is always [`Status::Cancelled`].
    pub status: Status,
    /// Words to group it by, such as the programme.
    pub categories: Vec<String>,
}

/// The `UID` of a visit, `visit-12@pref.example.jp`: the same for each mail about it, so that a change and a cancellation
/// find the entry. Of `domain` only letters, digits, dots and hyphens are used; an empty one becomes `localhost`.
pub fn visit_uid(visit_id: i64, domain: &str) -> String {
    format!("visit-{visit_id}@{}", domain_name(domain))
}

/// A file that asks the reader's calendar to enter or change one event, or to take it out (RFC 5546, 3.2.2 and 3.2.5).
///
/// It holds one event, because the rules allow one `UID` in a request. Attendees are asked for no answer: whoever is invited
/// has agreed already, and answers would reach a mailbox that nobody reads.
pub fn invitation(event: &Event, method: CalendarMethod) -> String {
    let status = match method {
        CalendarMethod::Request => event.status,
        CalendarMethod::Cancel => Status::Cancelled,
    };
    let mut lines = begin(method.word());
    event_lines(&mut lines, event, status, &event.attendees);
    end(lines)
}

/// A calendar of many events to subscribe to: a whole state, which replaces what the program has. `refresh_minutes` is how
/// often it is to be fetched again (0 counts as 1). Attendees are left out: a feed's address is passed on more easily than
/// a mail, and published events must not have any (RFC 5546, 3.2.1).
pub fn feed(name: &str, events: &[Event], refresh_minutes: u32) -> String {
    let mut lines = begin("PUBLISH");
    let name = one_line(name);
    // The name in two ways: RFC 7986 (5.1), and what programs have read since before it. The same for the interval.
    lines.text("NAME", &name);
    lines.text("X-WR-CALNAME", &name);
    let interval = format!("PT{}M", refresh_minutes.max(1));
    lines.raw("REFRESH-INTERVAL;VALUE=DURATION", &interval);
    lines.raw("X-PUBLISHED-TTL", &interval);
    for event in events {
        event_lines(&mut lines, event, event.status, &[]);
    }
    end(lines)
}

fn begin(method: &str) -> Lines {
    let mut lines = Lines::default();
    lines.raw("BEGIN", "VCALENDAR");
    lines.raw("VERSION", "2.0");
    lines.raw("PRODID", PRODUCT);
    lines.raw("CALSCALE", "GREGORIAN");
    lines.raw("METHOD", method);
    lines
}

fn end(mut lines: Lines) -> String {
    lines.raw("END", "VCALENDAR");
    lines.finish()
}

fn event_lines(lines: &mut Lines, event: &Event, status: Status, attendees: &[Person]) {
    lines.raw("BEGIN", "VEVENT");
    lines.text("UID", &one_line(&event.uid));
    // The number is an INTEGER of 31 bits (RFC 5545, 3.3.8).
    lines.raw("SEQUENCE", &event.sequence.min(i32::MAX.unsigned_abs()).to_string());
    lines.raw("DTSTAMP", &stamp(event.dtstamp));
    match event.when {
        When::At { starts_at, ends_at } => {
            lines.raw("DTSTART", &stamp(starts_at));
            if let Some(ends_at) = ends_at.filter(|ends_at| ends_at.trunc_subsecs(0) > starts_at.trunc_subsecs(0)) {
                lines.raw("DTEND", &stamp(ends_at));
            }
        }
        When::Day(day) => {
            lines.raw("DTSTART;VALUE=DATE", &date(day));
            // The end is the first day that is not part of it (RFC 5545, 3.6.1).
            if let Some(next) = day.checked_add_days(Days::new(1)) {
                lines.raw("DTEND;VALUE=DATE", &date(next));
            }
        }
    }
    lines.text("SUMMARY", &one_line(&event.summary));
    lines.known_text("DESCRIPTION", &block(&event.description));
    lines.known_text("LOCATION", &one_line(&event.location));
    if let Some(url) = event.url.as_deref().and_then(web_address) {
        lines.raw("URL", &url);
    }
    lines.list("CATEGORIES", &event.categories);
    lines.raw("STATUS", status.word());
    lines.person("ORGANIZER", "", &event.organizer);
    for person in attendees {
        lines.person("ATTENDEE", ";CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=FALSE", person);
    }
    lines.raw("END", "VEVENT");
}
