//! Integration tests: one binary, a tree like the API, each test on SQLite and on PostgreSQL.

mod support;

mod frame;
