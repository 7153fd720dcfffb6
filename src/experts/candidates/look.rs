//! Candidates for one request: what the database can see leaves few, and of these only what decides whether they can come is
//! read. What they have done before is looked up for those who could be among the best.

use std::collections::HashMap;

use super::merits::Record;
use super::queries::{self, Query};
use super::screen::{Passed, Screened, screen};
use super::{Engagements, Limits, agreed, base, restrain, unhindered};
use crate::db::{Conn, Ids};
use crate::error::Error;
use crate::ids::{ExpertId, PoolId};
use crate::matching::{self, Asked, Candidate, Merits, Need, NeedMode};

/// Those who meet what the database can see, by id, with all that decides whether they can come; of their earlier work nothing.
///
/// # Errors
/// The database's.
pub fn look(conn: &mut Conn, pool: PoolId, need: &Need) -> Result<(Screened, Vec<Candidate>), Error> {
    let screened = screen(conn, pool, &Asked::of(need))?;
    if screened.passed.is_empty() {
        return Ok((screened, Vec::new()));
    }
    let query = Query { pool, only: Some(Ids::new(conn, screened.passed.iter().map(|one| one.id.0))) };
    let mut candidates = registrations(conn, pool, need, &screened.passed)?;
    let known = screened.passed.iter().all(|one| one.skill.is_some());
    if !need.required.is_empty() && !known {
        let asked = need.required.iter().map(|skill| skill.skill_item_id).collect();
        for (id, skill) in query.skills(conn, &asked)? {
            super::with(&mut candidates, id, |candidate| candidate.skills.push(skill));
        }
    }
    restrain(conn, &query, std::slice::from_ref(need), &mut candidates)?;
    if candidates.iter().any(|candidate| candidate.simultaneous_capacity.is_some()) {
        Engagements::load(conn, &query)?.put(need, &mut candidates);
    }
    Limits::load(conn, std::slice::from_ref(need))?.put(need, &mut candidates);
    Ok((screened, candidates))
}

/// What the registrations say, where it bears on the request.
fn registrations(conn: &mut Conn, pool: PoolId, need: &Need, passed: &[Passed]) -> Result<Vec<Candidate>, Error> {
    let others: Vec<i64> = passed.iter().filter(|one| !one.plain).map(|one| one.id.0).collect();
    let mut others =
        if others.is_empty() { Vec::new() } else { Query { pool, only: Some(Ids::new(conn, others)) }.experts(conn, &[])? }
            .into_iter()
            .peekable();
    // Who works online travels nowhere.
    let bases = passed.iter().filter(|_| need.mode != NeedMode::Online).filter_map(|one| one.base);
    let places = queries::places(conn, &bases.collect())?;
    let mut candidates = Vec::with_capacity(passed.len());
    for one in passed {
        let mut candidate = if one.plain {
            unhindered(one.id)
        } else {
            // Both are in the order of ids; who has retired meanwhile is gone.
            while others.next_if(|row| row.id < one.id).is_some() {}
            let Some(row) = others.next_if(|row| row.id == one.id) else { continue };
            base(&row, &places)
        };
        candidate.base = one.base.and_then(|body| places.get(&body)).copied();
        candidate.month_capacity_minutes = agreed(one.month_minutes);
        candidate.skills.extend(one.skill);
        candidates.push(candidate);
    }
    Ok(candidates)
}

/// Who of a pool can take a request, by id.
///
/// # Errors
/// The database's.
pub fn eligible(conn: &mut Conn, pool: PoolId, need: &Need) -> Result<Vec<ExpertId>, Error> {
    let (_, candidates) = look(conn, pool, need)?;
    let asked = Asked::of(need);
    let eligible = candidates.iter().filter(|candidate| matching::is_eligible(&asked, candidate));
    Ok(eligible.map(|candidate| ExpertId(candidate.expert_id)).collect())
}

/// The earlier work of some experts of a pool, as it counts for a request; who is not there has done nothing.
///
/// # Errors
/// The database's.
pub fn merits(conn: &mut Conn, pool: PoolId, need: &Need, experts: &[i64]) -> Result<HashMap<i64, Merits>, Error> {
    let query = Query { pool, only: Some(Ids::new(conn, experts.iter().copied())) };
    Ok(Record::load(conn, &query, std::slice::from_ref(need))?.of(need))
}
