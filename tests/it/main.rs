//! Integration tests: one binary, a tree like the API, each test on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

mod api_clients;
mod auth;
mod experts;
mod frame;
mod organisations;
mod pages;
mod permissions;
mod request_rules;
mod requests;
mod scenario;
mod users;
