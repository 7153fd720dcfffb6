//! Webhooks after Standard Webhooks 1.0.0: the addresses at which an organisation's programs are told of events. Owns
//! `webhook_endpoints`, `webhook_deliveries` and `webhook_attempts`. A delivery is a row of the transaction of its event;
//! what was checked of an address is what is dialled.

pub mod api;
pub mod delivery;
pub mod dial;
pub mod gate;
pub mod hooks;
pub mod lookup;
pub mod model;
pub mod payload;
pub mod ranges;
pub mod schedule;
pub mod service;
pub mod sign;
pub mod store;
pub mod target;
mod told;
pub mod vault;
pub mod views;
