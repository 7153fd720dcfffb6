//! What a programme decides about matching: what the parts of the score weigh, and whom a plan for many requests puts first.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Fields;
use crate::matching::allocation::problem::Level;
use crate::matching::{MAX_SCORE, Weights};

/// How experts are found for the requests of a programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchingRules {
    /// What the parts of a score weigh, 1000 in all.
    #[serde(default)]
    pub weights: Weights,
    /// The order of the levels of a plan after must-keep, never served, small, and served: each of spread, fit, load, score and
    /// travel once; empty: in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 5)]
    pub level_order: Vec<Level>,
    /// Points of a band of fit: scores within a band count as equal until the load has been evened out.
    #[serde(default = "band_points")]
    #[schema(minimum = 1, maximum = 1000, default = 50)]
    pub band_points: u32,
    /// Bodies with fewer people go before others in a plan; absent: size does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100_000_000, nullable = false)]
    pub small_population: Option<i64>,
}

fn band_points() -> u32 {
    50
}

impl Default for MatchingRules {
    fn default() -> Self {
        Self { weights: Weights::default(), level_order: Vec::new(), band_points: band_points(), small_population: None }
    }
}

/// Whether an order of levels names each that can be chosen once.
pub fn is_order(levels: &[Level]) -> bool {
    let sorted = |levels: &[Level]| {
        let mut levels = levels.to_vec();
        levels.sort_unstable();
        levels
    };
    sorted(levels) == sorted(&Level::CHOSEN)
}

impl MatchingRules {
    /// Notes every value that breaks a rule, under `base`.
    pub fn validate(&self, base: &str, fields: &mut Fields) {
        for wrong in self.weights.out_of_bounds() {
            fields.wrong(
                format!("{base}/weights/{}", wrong.part),
                "out_of_range",
                format!("{}以上{}以下にしてください", wrong.least, wrong.most),
                format!("Must be {} to {}", wrong.least, wrong.most),
            );
        }
        let sum = self.weights.sum();
        if sum != MAX_SCORE {
            fields.wrong(
                format!("{base}/weights"),
                "not_a_thousand",
                format!("配点の合計を{MAX_SCORE}にしてください（現在{sum}）"),
                format!("The weights must add up to {MAX_SCORE}; they are {sum}"),
            );
        }
        fields.check(
            self.level_order.is_empty() || is_order(&self.level_order),
            format!("{base}/level_order"),
            "not_an_order",
            "spread・fit・load・score・travelを1回ずつ並べてください",
            "Name each of spread, fit, load, score and travel once",
        );
        fields.within(&format!("{base}/band_points"), i64::from(self.band_points), 1, i64::from(MAX_SCORE));
        if let Some(people) = self.small_population {
            fields.within(&format!("{base}/small_population"), people, 1, 100_000_000);
        }
    }
}
