//! Audit: one append-only event for each write, chained by hashes afterwards. Owns `audit_events` and `audit_seals`;
//! nobody else writes them, nobody changes them.

pub mod api;
pub mod seal;
pub mod service;
pub mod store;
pub mod views;
