//! How often the same body may have the same expert for the same theme.

use std::collections::HashMap;

use super::queries;
use crate::db::Conn;
use crate::error::Error;
use crate::ids::{OrganisationId, ProgrammeId};
use crate::matching::{Need, ProgrammeLimit};

/// How often each expert has been sent already, for each request that has a limit; dispatches for the request itself not counted.
#[derive(Debug, Default)]
pub(super) struct Limits(HashMap<i64, HashMap<i64, u32>>);

impl Limits {
    pub(super) fn load(conn: &mut Conn, needs: &[Need]) -> Result<Self, Error> {
        let limited: Vec<_> = needs.iter().filter_map(|need| Some((need, need.same_theme.as_ref()?))).collect();
        if limited.is_empty() {
            return Ok(Self::default());
        }
        let years: Vec<(ProgrammeId, i32)> =
            limited.iter().map(|(_, same)| (ProgrammeId(same.programme_id), same.fiscal_year)).collect();
        let sent = queries::sent(conn, &years, limited.iter().map(|(need, _)| OrganisationId(need.municipality_id)))?;
        let mut found: HashMap<i64, HashMap<i64, u32>> = HashMap::new();
        for (need, same) in limited {
            let used = found.entry(need.request_id).or_default();
            let alike = sent.iter().filter(|other| {
                (other.programme.0, other.year, other.applicant.0) == (same.programme_id, same.fiscal_year, need.municipality_id)
                    && other.theme_key == same.theme
                    && other.request.0 != need.request_id
            });
            for other in alike {
                *used.entry(other.expert.0).or_insert(0) += 1;
            }
        }
        Ok(Self(found))
    }

    /// That for one expert and the body of one request.
    pub(super) fn of(&self, need: &Need, expert: i64) -> Option<ProgrammeLimit> {
        let same = need.same_theme.as_ref()?;
        let used = self.0.get(&need.request_id).and_then(|used| used.get(&expert)).copied().unwrap_or(0);
        Some(ProgrammeLimit { used, limit: same.most })
    }
}
