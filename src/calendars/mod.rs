//! Calendars: visits as calendar programs read them, in mails, as downloads and as feeds. Owns `calendar_feeds`. What an
//! entry says of a visit is decided here and nowhere else; the form of the file is the notifications' (`ics`).

pub mod api;
pub mod entries;
pub mod service;
pub mod store;
pub mod views;
