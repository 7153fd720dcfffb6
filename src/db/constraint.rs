//! Which rule of the database was broken, in words: the two databases report it differently, the client sees the same.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::LOST_RACE;
use crate::error::{Error, ErrorCode};

/// Rules whose breach means more than "duplicate" or "refers to something unknown".
const NAMED: &[(&str, ErrorCode)] =
    &[("visits_no_overlap", ErrorCode::VisitOverlap), ("postings_share_sum", ErrorCode::PostingShareExceeded)];

/// Turns a database error into an error of the table. A missing row is "not found"; a broken rule names the field;
/// anything else is internal.
pub fn explain(error: DieselError) -> Error {
    let (kind, info) = match error {
        DieselError::NotFound => return Error::not_found(),
        DieselError::DatabaseError(kind, info) => (kind, info),
        other => return Error::internal(other),
    };
    let message = info.message().to_owned();
    let rule = info.constraint_name().map(str::to_owned).unwrap_or_else(|| rule_in_sqlite_message(&message));
    if let Some((_, code)) = NAMED.iter().find(|(name, _)| *name == rule) {
        return Error::new(*code).caused_by(message);
    }
    match kind {
        DatabaseErrorKind::SerializationFailure => Error::internal(LOST_RACE),
        _ if message.contains("deadlock detected") => Error::internal(LOST_RACE),
        DatabaseErrorKind::UniqueViolation => Error::new(ErrorCode::Duplicate)
            .field(pointer(&rule), "duplicate", "同じ値がすでに登録されています", "This value is already taken")
            .caused_by(message),
        DatabaseErrorKind::ForeignKeyViolation => Error::new(ErrorCode::ValidationFailed)
            .field(
                pointer(&rule),
                "unknown_reference",
                "存在しないものを参照しています",
                "Refers to something that does not exist",
            )
            .caused_by(message),
        DatabaseErrorKind::CheckViolation | DatabaseErrorKind::NotNullViolation => Error::new(ErrorCode::ValidationFailed)
            .field(pointer(&rule), "not_allowed", "この値は登録できません", "This value is not allowed")
            .caused_by(format!("{rule}: {message}")),
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
            let mut unavailable = Error::new(ErrorCode::Unavailable).caused_by(message);
            unavailable.retry_after = Some(5);
            unavailable
        }
        _ if message.contains("database is locked")
            || message.contains("database or disk is full")
            || message.contains("timeout") =>
        {
            let mut unavailable = Error::new(ErrorCode::Unavailable).caused_by(message);
            unavailable.retry_after = Some(5);
            unavailable
        }
        _ => Error::internal(message),
    }
}

/// SQLite names the rule only in its message: `CHECK constraint failed: name`, `UNIQUE constraint failed: table.column, …`.
fn rule_in_sqlite_message(message: &str) -> String {
    let Some((_, rest)) = message.split_once("constraint failed: ") else { return String::new() };
    if let Some(index) = rest.strip_prefix("index ") {
        return index.trim_matches('\'').to_owned();
    }
    let columns: Vec<&str> = rest.split(", ").collect();
    match columns.as_slice() {
        [single] if !single.contains('.') => (*single).to_owned(),
        _ => {
            let table = columns.first().and_then(|c| c.split('.').next()).unwrap_or_default();
            let names: Vec<&str> = columns.iter().filter_map(|c| c.split('.').nth(1)).collect();
            format!("{table}_{}_key", names.join("_"))
        }
    }
}

/// `users_email_key` → `/email`; rules over several columns point at the whole body.
fn pointer(rule: &str) -> String {
    const TABLES: &[&str] = &[
        "organisations",
        "users",
        "pools",
        "programmes",
        "experts",
        "requests",
        "offers",
        "dispatches",
        "visits",
        "postings",
        "imports",
    ];
    for table in TABLES {
        if let Some(rest) = rule.strip_prefix(table).and_then(|rest| rest.strip_prefix('_')) {
            for suffix in ["_key", "_check", "_fkey"] {
                if let Some(field) = rest.strip_suffix(suffix) {
                    return format!("/{field}");
                }
            }
        }
    }
    "/".to_owned()
}
