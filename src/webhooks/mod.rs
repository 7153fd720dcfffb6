//! Webhooks: the addresses at which an organisation's programs are told of events.

pub mod service;
