//! Operation: health, readiness, logs, backup. Knows no business rule.

pub mod backup;
pub mod health;
pub mod telemetry;
