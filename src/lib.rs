//! Tasuki (襷): the service through which Japanese municipalities share experts.
//!
//! How a request flows: [`http`] authenticates it, loads the object, checks the permission and the preconditions and
//! opens one transaction; an area's `service` decides with the rules of its `model` and writes through its `store`;
//! the answer, one audit event and any mail are rows of that same transaction. [`jobs`] does the rest: it sends mail,
//! reminds, expires, seals the audit chain.
//!
//! Every area has the same rooms: `model` (rules, no database, no HTTP), `store` (all SQL), `service` (use cases),
//! `api` (REST), `pages` (HTML). `matching` and `costs` are pure engines.

#[macro_use]
pub mod enums;

pub mod allocations;
pub mod app;
pub mod audit;
pub mod auth;
pub mod calendar;
pub mod calendars;
pub mod cli;
pub mod clock;
pub mod config;
pub mod costs;
pub mod db;
pub mod demo;
pub mod dispatches;
pub mod error;
pub mod experts;
pub mod holidays;
pub mod http;
pub mod ids;
pub mod imports;
pub mod jobs;
pub mod matching;
pub mod notifications;
pub mod offers;
pub mod ops;
pub mod organisations;
pub mod pools;
pub mod postings;
pub mod requests;
pub mod settlements;
pub mod statistics;
pub mod text;
pub mod today;
pub mod web;
pub mod webhooks;
