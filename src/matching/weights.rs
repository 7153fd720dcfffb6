//! What the parts of a score weigh: a programme's choice within bounds that are published.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The sum of all weights, and so the highest score.
pub const MAX_SCORE: u32 = 1000;

/// The most points of each part of a score. They add up to 1000, and each stays within its bounds, so that no programme can
/// switch the workload off or let a single part decide alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MatchingWeights)]
pub struct Weights {
    /// Skills held, their depth and verification.
    #[schema(minimum = 200, maximum = 600, example = 350)]
    pub skill: u32,
    /// Visits done with the skills asked for.
    #[schema(minimum = 0, maximum = 150, example = 50)]
    pub evidence: u32,
    /// The applicant's own order.
    #[schema(minimum = 0, maximum = 200, example = 100)]
    pub wish: u32,
    /// Wished dates that are possible.
    #[schema(minimum = 0, maximum = 300, example = 140)]
    pub date: u32,
    /// The way between base and place.
    #[schema(minimum = 0, maximum = 300, example = 140)]
    pub travel: u32,
    /// Capacity left, and evenness among the eligible.
    #[schema(minimum = 50, maximum = 300, example = 140)]
    pub load: u32,
    /// Earlier work for the municipality.
    #[schema(minimum = 0, maximum = 100, example = 40)]
    pub continuity: u32,
    /// Offers answered in time.
    #[schema(minimum = 0, maximum = 100, example = 40)]
    pub response: u32,
}

impl Default for Weights {
    fn default() -> Self {
        Self { skill: 350, evidence: 50, wish: 100, date: 140, travel: 140, load: 140, continuity: 40, response: 40 }
    }
}

/// A weight outside its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfBounds {
    /// The part.
    pub part: &'static str,
    /// Least.
    pub least: u32,
    /// Most.
    pub most: u32,
}

impl Weights {
    /// The weights that leave their bounds.
    pub fn out_of_bounds(&self) -> Vec<OutOfBounds> {
        [
            ("skill", self.skill, 200, 600),
            ("evidence", self.evidence, 0, 150),
            ("wish", self.wish, 0, 200),
            ("date", self.date, 0, 300),
            ("travel", self.travel, 0, 300),
            ("load", self.load, 50, 300),
            ("continuity", self.continuity, 0, 100),
            ("response", self.response, 0, 100),
        ]
        .into_iter()
        .filter(|(_, weight, least, most)| !(*least..=*most).contains(weight))
        .map(|(part, _, least, most)| OutOfBounds { part, least, most })
        .collect()
    }

    /// The sum, to be [`MAX_SCORE`].
    pub fn sum(&self) -> u32 {
        [self.skill, self.evidence, self.wish, self.date, self.travel, self.load, self.continuity, self.response]
            .into_iter()
            .fold(0, u32::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_keeps_its_own_bounds() {
        assert_eq!((Weights::default().sum(), Weights::default().out_of_bounds()), (MAX_SCORE, Vec::new()));
        let lopsided = Weights { skill: 610, load: 0, ..Weights::default() };
        let parts: Vec<&str> = lopsided.out_of_bounds().iter().map(|wrong| wrong.part).collect();
        assert_eq!(parts, ["skill", "load"]);
    }
}
