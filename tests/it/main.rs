//! Integration tests: one binary, a tree like the API, each test on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

mod allocation_limits;
mod allocations;
mod api_clients;
mod audit;
mod auth;
mod budgets;
mod calendars;
mod commands;
mod costs;
mod crashes;
mod crawl;
mod delivery;
mod dispatches;
mod experts;
mod forms;
mod frame;
mod imports;
mod mail;
mod mail_tls;
mod matching;
mod matching_fields;
mod money;
mod money_corrections;
mod news;
mod notices;
mod offers;
mod openapi;
mod oracle;
mod organisations;
mod page_budgets;
mod pages;
mod papers;
mod permissions;
mod postings;
mod remembered;
mod reminders;
mod reports;
mod request_rules;
mod requests;
mod scenario;
mod second_factor;
mod statistics;
mod telling;
mod threads;
mod today;
mod users;
mod visits;
mod webhooks;
