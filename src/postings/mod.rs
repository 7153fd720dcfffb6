//! Long placements (配属) of experts with hosts, by share of their time. Owns `postings`. The money of a placement is no
//! matter of this room.

pub mod api;
pub mod days;
pub mod model;
mod news;
pub mod reminders;
pub mod service;
pub mod store;
pub mod views;
