//! The hash chain: a job orders the events that are not yet sealed and links each to the one before. Changing,
//! deleting, reordering or cutting sealed events breaks the chain; events newer than the last seal are the unsealed tail.

use diesel::prelude::*;
use serde::Serialize;

use crate::auth::secrets;
use crate::clock::UtcTime;
use crate::db::schema::{audit_events, audit_seals};
use crate::db::{Conn, dialect};
use crate::error::Error;

/// The previous hash of the first event.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Events sealed in one transaction.
const BATCH: i64 = 1_000;

/// Everything that an event says, in the order it is hashed.
#[derive(Debug, Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = audit_events)]
pub struct AuditRow {
    /// Id.
    pub id: i64,
    /// When.
    pub occurred_at: UtcTime,
    /// Route or job.
    pub operation: String,
    /// Kind of actor.
    pub actor_kind: String,
    /// Person.
    pub actor_user_id: Option<i64>,
    /// Program.
    pub actor_api_client_id: Option<i64>,
    /// Active membership.
    pub membership_id: Option<i64>,
    /// Organisation acted for.
    pub organisation_id: Option<i64>,
    /// Body it was done for.
    pub filed_for_organisation_id: Option<i64>,
    /// Kind of object.
    pub entity_kind: String,
    /// Object.
    pub entity_id: Option<i64>,
    /// Whose auditors see it.
    pub owner_organisation_id: Option<i64>,
    /// Before.
    pub old_value: Option<String>,
    /// After.
    pub new_value: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Request id.
    pub request_id: String,
}

/// The hash that links an event to the one before.
fn link(previous: &str, sequence: i64, row: &AuditRow) -> Result<String, Error> {
    let text = serde_json::to_string(row).map_err(Error::internal)?;
    Ok(secrets::sha256(format!("{previous}\n{sequence}\n{text}").as_bytes()))
}

/// Seals what is not yet sealed, oldest first; returns how many.
pub fn seal(conn: &mut Conn) -> Result<usize, Error> {
    dialect::claim(conn, "audit-seal")?;
    let last: Option<(i64, String)> = audit_seals::table
        .order(audit_seals::sequence.desc())
        .select((audit_seals::sequence, audit_seals::hash))
        .first(conn)
        .optional()?;
    let (mut sequence, mut previous) = last.unwrap_or((0, GENESIS.to_owned()));
    let rows: Vec<AuditRow> = audit_events::table
        .left_join(audit_seals::table.on(audit_seals::event_id.eq(audit_events::id)))
        .filter(audit_seals::sequence.is_null())
        .order(audit_events::id)
        .limit(BATCH)
        .select(AuditRow::as_select())
        .load(conn)?;
    for row in &rows {
        sequence += 1;
        let hash = link(&previous, sequence, row)?;
        diesel::insert_into(audit_seals::table)
            .values((
                audit_seals::sequence.eq(sequence),
                audit_seals::event_id.eq(row.id),
                audit_seals::previous_hash.eq(&previous),
                audit_seals::hash.eq(&hash),
            ))
            .execute(conn)?;
        previous = hash;
    }
    Ok(rows.len())
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Sealed events whose chain holds.
    pub verified: i64,
    /// Events not yet sealed.
    pub unsealed: i64,
    /// The head of the chain: keep it elsewhere to notice a cut tail.
    pub head: Option<String>,
    /// What is broken, in order of the chain.
    pub findings: Vec<Finding>,
}

/// One broken place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Place in the chain.
    pub sequence: i64,
    /// The event meant to be there.
    pub event_id: i64,
    /// `changed`, `deleted`, `reordered`, `cut`, `seal_changed`.
    pub kind: &'static str,
}

/// Walks the whole chain. `expected_head`, noted earlier elsewhere, also finds a tail cut off cleanly.
pub fn verify(conn: &mut Conn, expected_head: Option<&str>) -> Result<Verification, Error> {
    let mut findings = Vec::new();
    let (mut previous, mut expected, mut verified) = (GENESIS.to_owned(), 1_i64, 0_i64);
    let mut head_seen = expected_head.is_none();
    loop {
        type Seal = (i64, i64, String, String);
        let seals: Vec<(Seal, Option<AuditRow>)> = audit_seals::table
            .left_join(audit_events::table.on(audit_events::id.eq(audit_seals::event_id)))
            .filter(audit_seals::sequence.ge(expected))
            .order(audit_seals::sequence)
            .limit(BATCH)
            .select((
                (audit_seals::sequence, audit_seals::event_id, audit_seals::previous_hash, audit_seals::hash),
                Option::<AuditRow>::as_select(),
            ))
            .load(conn)?;
        if seals.is_empty() {
            break;
        }
        for ((sequence, event_id, previous_hash, hash), row) in seals {
            let mut found = |kind| findings.push(Finding { sequence, event_id, kind });
            if sequence != expected {
                found("cut");
            } else if previous_hash != previous {
                found("reordered");
            }
            match row {
                None => found("deleted"),
                Some(row) => {
                    let right = link(&previous_hash, sequence, &row)?;
                    if right != hash {
                        found("changed");
                    } else {
                        verified += 1;
                    }
                }
            }
            head_seen |= expected_head == Some(hash.as_str());
            previous = hash;
            expected = sequence + 1;
        }
    }
    if !head_seen {
        findings.push(Finding { sequence: expected, event_id: 0, kind: "cut" });
    }
    let unsealed: i64 = audit_events::table
        .left_join(audit_seals::table.on(audit_seals::event_id.eq(audit_events::id)))
        .filter(audit_seals::sequence.is_null())
        .count()
        .get_result(conn)?;
    let head = (expected > 1).then_some(previous);
    Ok(Verification { verified, unsealed, head, findings })
}
