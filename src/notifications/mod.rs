//! Notifications: the catalogue of events, notices in the service, the outbox, mail templates, transport and delivery. Owns
//! `events`, `event_tellings`, `notices`, `notification_preferences`, `outbox_messages`, `delivery_attempts`, `undeliverable_addresses` and
//! `mail_relay`. What is told is a row of the transaction it belongs to; nothing is sent from a request.

pub mod api;
pub mod calendars;
pub mod catalogue;
pub mod deadlines;
pub mod delivery_store;
mod desk;
pub mod digest;
pub mod html;
pub mod ics;
pub mod log_api;
pub mod log_store;
pub mod message;
mod message_checks;
mod message_parts;
#[cfg(test)]
mod message_parts_tests;
pub mod notice_api;
pub mod notice_pages;
pub mod notice_store;
pub mod notice_views;
pub mod outcome;
pub mod outgoing;
pub mod pace;
pub mod pages;
pub mod recipient;
pub mod replies;
pub mod resend;
pub mod service;
mod session;
pub mod store;
pub mod telling;
pub mod telling_store;
pub mod template;
pub mod template_api;
#[cfg(test)]
mod template_more_tests;
mod templates_accounts;
mod templates_accounts_changed;
mod templates_budgets;
mod templates_deadlines;
mod templates_dispatches;
mod templates_experts;
mod templates_facts;
mod templates_kinds;
mod templates_letter;
mod templates_money;
mod templates_offers;
mod templates_people;
mod templates_reports;
mod templates_requests;
mod templates_samples;
mod templates_samples_more;
mod templates_steps;
mod templates_system;
mod templates_wording;
mod templates_workload;
pub mod transport;
pub mod undeliverable;
pub mod views;
pub mod worker;
