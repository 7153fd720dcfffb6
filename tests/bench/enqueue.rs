//! What telling adds to the write it belongs to: requests are submitted over the service, half of them to a programme whose
//! office has people and a mailbox, half to one whose office has nobody.
//!
//! `cargo bench --bench enqueue` on SQLite; `TASUKI_BENCH_POSTGRES_URL=…` on PostgreSQL. The two kinds are measured in turn,
//! so that a machine that slows down slows both.
