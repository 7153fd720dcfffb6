//! Notifications: the outbox, mail templates and transport. Owns `outbox_messages`, `delivery_attempts`,
//! `undeliverable_addresses` and `mail_relay`. Mail is a row of the transaction it belongs to; nothing is sent from a
//! request.

pub mod api;
pub mod delivery_store;
mod desk;
pub mod log_api;
pub mod log_store;
pub mod message;
pub mod outcome;
pub mod pace;
pub mod pages;
pub mod recipient;
pub mod replies;
pub mod resend;
pub mod service;
mod session;
pub mod store;
pub mod template;
mod templates_accounts;
mod templates_budgets;
mod templates_dispatches;
mod templates_facts;
mod templates_letter;
mod templates_offers;
mod templates_reports;
mod templates_requests;
mod templates_samples;
mod templates_wording;
pub mod transport;
pub mod views;
pub mod worker;
