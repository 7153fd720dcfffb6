//! How often the same body may have the same expert for the same theme.

use std::collections::HashMap;

use super::{cut, queries};
use crate::db::Conn;
use crate::error::Error;
use crate::ids::{ProgrammeId, RequestId};
use crate::matching::{Need, ProgrammeLimit};

/// The programmes' limits for one expert and one body, where they have one; by request.
#[derive(Debug, Default)]
pub(super) struct Limits(HashMap<i64, Limit>);

/// The programme's limit for a request: how often the same body may have the same expert for the same theme in the year, and how
/// often each expert has been sent already.
#[derive(Debug)]
struct Limit {
    most: u32,
    used: HashMap<i64, u32>,
}

impl Limits {
    pub(super) fn load(conn: &mut Conn, needs: &[Need]) -> Result<Self, Error> {
        let ids: Vec<RequestId> = needs.iter().map(|need| RequestId(need.request_id)).collect();
        let requests = queries::themes(conn, &ids)?;
        let mut wanted: Vec<(ProgrammeId, i32)> = requests.iter().map(|request| (request.programme, request.year)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut most: HashMap<(ProgrammeId, i32), u32> = HashMap::new();
        for year in crate::pools::store::years_of(conn, &wanted)? {
            let limit = year.rules.limits.iter().find_map(|limit| match limit {
                crate::pools::rules::Limit::SameThemeAndExpert { max_per_year } => Some(*max_per_year),
                _ => None,
            });
            if let Some(limit) = limit {
                most.insert((year.programme_id, year.fiscal_year), cut(i64::from(limit)));
            }
        }
        let mut found = HashMap::new();
        if most.is_empty() {
            return Ok(Self(found));
        }
        let keys: Vec<(ProgrammeId, i32)> = most.keys().copied().collect();
        let sent = queries::sent(conn, &keys, requests.iter().map(|request| request.applicant))?;
        for request in requests {
            let Some(most) = most.get(&(request.programme, request.year)) else { continue };
            let mut used: HashMap<i64, u32> = HashMap::new();
            let alike = sent.iter().filter(|other| {
                (other.programme, other.year, other.applicant) == (request.programme, request.year, request.applicant)
                    && other.theme_key == request.theme_key
                    && other.request != request.request
            });
            for other in alike {
                *used.entry(other.expert.0).or_insert(0) += 1;
            }
            found.insert(request.request.0, Limit { most: *most, used });
        }
        Ok(Self(found))
    }

    /// That for one expert and the body of one request.
    pub(super) fn of(&self, need: &Need, expert: i64) -> Option<ProgrammeLimit> {
        let limit = self.0.get(&need.request_id)?;
        Some(ProgrammeLimit { used: limit.used.get(&expert).copied().unwrap_or(0), limit: limit.most })
    }
}
