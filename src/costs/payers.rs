//! Who pays which kind of cost (負担区分): the payer matrix of a programme's year, and its evaluation for one amount.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::component::{Component, Payer};
use super::money::{MoneyError, Yen, grouped};

/// Most portions of one rule.
const MAX_PORTIONS: usize = 6;
/// Largest denominator of a portion; with six of them every product stays exact within 128 bits.
const MAX_DENOMINATOR: u32 = 10_000;

/// Who pays one kind of cost: portions of the amount, and who pays all that they leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"component": "vendor_fee", "portions": [
    {"kind": "ratio", "payer": "prefecture", "numerator": 1, "denominator": 2, "cap": 400_000}], "rest": "host"}))]
pub struct PayerRule {
    /// The kind of cost.
    pub component: Component,
    /// What single payers bear, in this order; none: everything is borne by `rest`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 6)]
    pub portions: Vec<Portion>,
    /// Who bears everything else, the fractions of a yen included.
    pub rest: Payer,
    /// Who pays the whole at first; the others then reimburse their part as a contribution (負担金). Absent: each pays its
    /// part by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub first_paid_by: Option<Payer>,
}

/// A part of an amount that one payer bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Portion {
    /// A fraction of the whole, up to a cap where there is one.
    #[schema(title = "PortionRatio")]
    Ratio {
        /// Who bears it.
        payer: Payer,
        /// Above the line.
        #[schema(minimum = 1, maximum = 10_000, example = 1)]
        numerator: u32,
        /// Below the line.
        #[schema(minimum = 1, maximum = 10_000, example = 2)]
        denominator: u32,
        /// Most yen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000_000_000_i64, nullable = false, example = 400_000)]
        cap: Option<Yen>,
    },
    /// A fixed amount, or the whole where that is less.
    #[schema(title = "PortionFixed")]
    Fixed {
        /// Who bears it.
        payer: Payer,
        /// Yen.
        #[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_i64, example = 10_000)]
        amount: Yen,
    },
    /// A fraction of what lies between two amounts.
    #[schema(title = "PortionTier")]
    Tier {
        /// Who bears it.
        payer: Payer,
        /// Yen from which on it counts.
        #[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_i64, example = 100_000)]
        from: Yen,
        /// Yen up to which it counts; absent: all above.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000_000_000_i64, nullable = false, example = 500_000)]
        to: Option<Yen>,
        /// Above the line.
        #[schema(minimum = 1, maximum = 10_000, example = 2)]
        numerator: u32,
        /// Below the line.
        #[schema(minimum = 1, maximum = 10_000, example = 3)]
        denominator: u32,
    },
}

impl Portion {
    /// Who bears it.
    pub fn payer(&self) -> Payer {
        match self {
            Self::Ratio { payer, .. } | Self::Fixed { payer, .. } | Self::Tier { payer, .. } => *payer,
        }
    }
}

/// A parameter of a rule that is not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayerProblem {
    /// JSON pointer within the rule.
    pub pointer: String,
    /// Stable machine code.
    pub code: &'static str,
    /// What is wrong, in Japanese.
    pub detail_ja: String,
    /// What is wrong, in English.
    pub detail_en: String,
}

/// Why an amount was not divided among payers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayerError {
    /// Below zero; a correction divides both its amounts and takes the difference.
    NegativeTotal,
    /// The rule is not sound.
    Unsound,
    /// An amount leaves its range.
    Money(MoneyError),
}

impl fmt::Display for PayerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NegativeTotal => f.write_str("負の金額は按分できません。"),
            Self::Unsound => f.write_str("負担区分の設定が正しくありません。"),
            Self::Money(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PayerError {}

impl From<MoneyError> for PayerError {
    fn from(error: MoneyError) -> Self {
        Self::Money(error)
    }
}

impl PayerRule {
    /// One payer bears everything.
    pub fn all(component: Component, payer: Payer) -> Self {
        Self { component, portions: Vec::new(), rest: payer, first_paid_by: None }
    }

    /// One payer bears a fraction, another the rest.
    pub fn ratio(component: Component, payer: Payer, numerator: u32, denominator: u32, rest: Payer) -> Self {
        let portions = vec![Portion::Ratio { payer, numerator, denominator, cap: None }];
        Self { component, portions, rest, first_paid_by: None }
    }

    /// Everything that is wrong, all at once.
    pub fn validate(&self) -> Vec<PayerProblem> {
        let mut problems = Vec::new();
        let mut push = |pointer: String, code: &'static str, ja: String, en: String| {
            problems.push(PayerProblem { pointer, code, detail_ja: ja, detail_en: en });
        };
        if self.portions.len() > MAX_PORTIONS {
            push(
                "/portions".to_owned(),
                "too_many",
                format!("{MAX_PORTIONS}件以内にしてください。"),
                format!("At most {MAX_PORTIONS}."),
            );
        }
        // What the plain fractions take together, over the product of their denominators.
        let (mut above, mut below) = (0_u128, 1_u128);
        for (i, portion) in self.portions.iter().take(MAX_PORTIONS).enumerate() {
            let at = |member: &str| format!("/portions/{i}/{member}");
            if let Portion::Ratio { numerator, denominator, .. } | Portion::Tier { numerator, denominator, .. } = portion {
                let sound = (1..=MAX_DENOMINATOR).contains(denominator) && (1..=*denominator).contains(numerator);
                if !sound {
                    push(
                        at("numerator"),
                        "not_a_part",
                        format!("分母は1～{MAX_DENOMINATOR}、分子は1以上分母以下にしてください。"),
                        format!("The denominator must be 1 to {MAX_DENOMINATOR}, the numerator 1 to the denominator."),
                    );
                } else if let Portion::Ratio { cap: None, .. } = portion {
                    above = above * u128::from(*denominator) + below * u128::from(*numerator);
                    below *= u128::from(*denominator);
                }
            }
            let amounts: Vec<(&str, Yen)> = match portion {
                Portion::Ratio { cap, .. } => cap.iter().map(|cap| ("cap", *cap)).collect(),
                Portion::Fixed { amount, .. } => vec![("amount", *amount)],
                Portion::Tier { from, to, .. } => {
                    std::iter::once(("from", *from)).chain(to.iter().map(|to| ("to", *to))).collect()
                }
            };
            for (member, amount) in amounts {
                if amount.is_negative() {
                    push(at(member), "negative", "0円以上にしてください。".to_owned(), "Must not be negative.".to_owned());
                }
            }
            if let Portion::Tier { from, to: Some(to), .. } = portion
                && to <= from
            {
                push(
                    at("to"),
                    "cap_below_floor",
                    format!("{}円より大きくしてください。", grouped(from.get())),
                    format!("Must exceed {} yen.", grouped(from.get())),
                );
            }
        }
        if above > below {
            push(
                "/portions".to_owned(),
                "exceeds_whole",
                "負担割合の合計が100%を超えています。".to_owned(),
                "The portions exceed the whole.".to_owned(),
            );
        }
        problems
    }
}

/// An amount divided among payers; the parts always sum to the total and none is negative.
// The fields are private and `divide` is the only constructor: that is what makes the first sentence true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayerSplit {
    component: Component,
    total: Yen,
    parts: Vec<(Payer, Yen)>,
    first_paid_by: Option<Payer>,
}

impl PayerSplit {
    /// Divides a total. A payer's exact parts are added up and cut to whole yen once; fractions go to the rest. Where the
    /// portions together exceed the total, the later ones get what is left.
    ///
    /// # Errors
    /// [`PayerError`].
    pub fn divide(total: Yen, rule: &PayerRule) -> Result<Self, PayerError> {
        if total.is_negative() {
            return Err(PayerError::NegativeTotal);
        }
        if !rule.validate().is_empty() {
            return Err(PayerError::Unsound);
        }
        let mut exact: Vec<(Payer, Fraction)> = Vec::new();
        for portion in &rule.portions {
            let part = Fraction::of(portion, total);
            match exact.iter_mut().find(|(payer, _)| *payer == portion.payer()) {
                Some((_, sum)) => *sum = sum.plus(part),
                None => exact.push((portion.payer(), part)),
            }
        }
        let mut left = total;
        let mut parts: Vec<(Payer, Yen)> = Vec::new();
        for (payer, part) in exact {
            let amount = part.at_most(left)?;
            left = left.checked_sub(amount)?;
            parts.push((payer, amount));
        }
        match parts.iter_mut().find(|(payer, _)| *payer == rule.rest) {
            Some((_, amount)) => *amount = amount.checked_add(left)?,
            None => parts.push((rule.rest, left)),
        }
        parts.retain(|(_, amount)| *amount > Yen::ZERO);
        parts.sort_unstable();
        Ok(Self { component: rule.component, total, parts, first_paid_by: rule.first_paid_by })
    }

    /// The kind of cost.
    pub fn component(&self) -> Component {
        self.component
    }

    /// The whole.
    pub fn total(&self) -> Yen {
        self.total
    }

    /// Who bears how much, in the order of [`Payer`]; who bears nothing is left out.
    pub fn parts(&self) -> &[(Payer, Yen)] {
        &self.parts
    }

    /// What one payer bears.
    pub fn of(&self, payer: Payer) -> Yen {
        self.parts.iter().find(|(other, _)| *other == payer).map_or(Yen::ZERO, |(_, amount)| *amount)
    }

    /// Who pays the whole at first.
    pub fn first_paid_by(&self) -> Option<Payer> {
        self.first_paid_by
    }
}

/// A non-negative number of yen, exact. Six denominators of at most 10^4 and a total of at most 10^12 keep the parts
/// below 2^127.
#[derive(Debug, Clone, Copy)]
struct Fraction {
    above: i128,
    below: i128,
}

impl Fraction {
    fn whole(yen: Yen) -> Self {
        Self { above: i128::from(yen.get()), below: 1 }
    }

    fn part_of(yen: Yen, numerator: u32, denominator: u32) -> Self {
        Self { above: i128::from(yen.get()) * i128::from(numerator), below: i128::from(denominator) }
    }

    fn of(portion: &Portion, total: Yen) -> Self {
        match *portion {
            Portion::Ratio { numerator, denominator, cap, .. } => {
                let part = Self::part_of(total, numerator, denominator);
                match cap {
                    Some(cap) if part.above > i128::from(cap.get()) * part.below => Self::whole(cap),
                    _ => part,
                }
            }
            Portion::Fixed { amount, .. } => Self::whole(amount.min(total)),
            Portion::Tier { from, to, numerator, denominator, .. } => {
                let upper = to.map_or(total, |to| to.min(total));
                let within = upper.checked_sub(from).unwrap_or(Yen::ZERO).max(Yen::ZERO);
                Self::part_of(within, numerator, denominator)
            }
        }
    }

    fn plus(self, other: Self) -> Self {
        Self { above: self.above * other.below + other.above * self.below, below: self.below * other.below }
    }

    /// Cut to whole yen, or `most` where that is less.
    fn at_most(self, most: Yen) -> Result<Yen, MoneyError> {
        Yen::from_wide((self.above / self.below).min(i128::from(most.get())))
    }
}
