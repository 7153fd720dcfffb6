//! Integration tests: one binary, a tree like the API, each test on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

mod auth;
mod experts;
mod frame;
mod permissions;
mod scenario;
