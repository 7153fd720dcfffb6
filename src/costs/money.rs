//! Whole yen and exact fractions, both with checked arithmetic only.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a computation with money was refused. None of these can be rounded away, so none is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyError {
    /// The amount would lie outside ±1,000,000,000,000 yen.
    OutOfRange,
    /// A fraction with denominator 0.
    ZeroDenominator,
    /// A fraction whose reduced parts exceed 2^53 − 1.
    RatioTooLarge,
}

impl MoneyError {
    /// Stable machine code for error documents.
    pub fn code(self) -> &'static str {
        match self {
            Self::OutOfRange => "amount_out_of_range",
            Self::ZeroDenominator => "zero_denominator",
            Self::RatioTooLarge => "ratio_too_large",
        }
    }

    /// The explanation in English; `Display` gives the Japanese one.
    pub fn detail_en(self) -> &'static str {
        match self {
            Self::OutOfRange => "The amount is outside ±1,000,000,000,000 yen.",
            Self::ZeroDenominator => "The denominator of a ratio must not be 0.",
            Self::RatioTooLarge => "The ratio has too many digits to be kept exactly.",
        }
    }
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "金額は±1兆円の範囲でなければなりません。",
            Self::ZeroDenominator => "割合の分母を0にすることはできません。",
            Self::RatioTooLarge => "割合の桁数が大きすぎ、正確に保持できません。",
        })
    }
}

impl std::error::Error for MoneyError {}

/// An amount in whole yen between −1,000,000,000,000 and 1,000,000,000,000, on the wire a plain integer.
///
/// The bound is far above any programme's budget and keeps every intermediate product within 128 bits and every JSON
/// number exact in any client. Negative amounts occur in corrections (返納).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schema(value_type = i64, minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, example = 20_000)]
pub struct Yen(i64);

impl Yen {
    /// The largest amount, 1兆円.
    pub const MAX: Self = Self(1_000_000_000_000);
    /// The smallest amount.
    pub const MIN: Self = Self(-1_000_000_000_000);
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] outside [`Yen::MIN`]..=[`Yen::MAX`].
    pub fn new(amount: i64) -> Result<Self, MoneyError> {
        if (Self::MIN.0..=Self::MAX.0).contains(&amount) { Ok(Self(amount)) } else { Err(MoneyError::OutOfRange) }
    }

    /// The number of yen, as stored.
    pub fn get(self) -> i64 {
        self.0
    }

    /// Whether the amount is below zero.
    pub fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        // Both operands are within ±10^12, so i64 cannot overflow here.
        Self::new(self.0 + other.0)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        Self::new(self.0 - other.0)
    }

    /// The amount `times` over.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn checked_mul(self, times: i64) -> Result<Self, MoneyError> {
        Self::from_wide(i128::from(self.0) * i128::from(times))
    }

    /// The sum of many amounts; nothing sums to zero.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] if the final sum is; partial sums may pass the bound.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        Self::from_wide(amounts.into_iter().map(|yen| i128::from(yen.0)).sum())
    }

    pub(super) fn from_wide(amount: i128) -> Result<Self, MoneyError> {
        i64::try_from(amount).map_err(|_| MoneyError::OutOfRange).and_then(Self::new)
    }
}

impl TryFrom<i64> for Yen {
    type Error = MoneyError;

    fn try_from(amount: i64) -> Result<Self, MoneyError> {
        Self::new(amount)
    }
}

impl From<Yen> for i64 {
    fn from(yen: Yen) -> i64 {
        yen.0
    }
}

/// As on Japanese papers: `12,345円`, negative `-12,345円`.
impl fmt::Display for Yen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&grouped(self.0))?;
        f.write_str("円")
    }
}

/// A number with thousands separated by commas.
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An exact non-negative fraction in lowest terms, as a share or a rate. It is never rounded until
/// it is applied to an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
pub struct Ratio {
    /// What is above the line.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_u64, example = 2)]
    numerator: u64,
    /// What is below the line, at least 1.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_u64, example = 3)]
    denominator: u64,
}

impl Ratio {
    /// 0/1.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    /// 1/1, the whole.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };
    /// Largest numerator or denominator after reduction: the largest integer every JSON reader keeps exactly.
    pub const MAX_PART: u64 = (1 << 53) - 1;

    /// The fraction, reduced.
    ///
    /// # Errors
    /// [`MoneyError::ZeroDenominator`]; [`MoneyError::RatioTooLarge`] if a reduced part exceeds [`Ratio::MAX_PART`].
    pub fn new(numerator: u64, denominator: u64) -> Result<Self, MoneyError> {
        Self::reduce(u128::from(numerator), u128::from(denominator))
    }

    fn reduce(numerator: u128, denominator: u128) -> Result<Self, MoneyError> {
        if denominator == 0 {
            return Err(MoneyError::ZeroDenominator);
        }
        let divisor = gcd(numerator, denominator);
        let part = |value: u128| {
            u64::try_from(value / divisor).ok().filter(|part| *part <= Self::MAX_PART).ok_or(MoneyError::RatioTooLarge)
        };
        Ok(Self { numerator: part(numerator)?, denominator: part(denominator)? })
    }

    /// What is above the line, in lowest terms.
    pub fn numerator(self) -> u64 {
        self.numerator
    }

    /// What is below the line, in lowest terms.
    pub fn denominator(self) -> u64 {
        self.denominator
    }

    /// The exact sum.
    ///
    /// # Errors
    /// [`MoneyError::RatioTooLarge`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        let [a, b, c, d] = self.crossed(other);
        Self::reduce(a * d + c * b, b * d)
    }

    /// The exact product.
    ///
    /// # Errors
    /// [`MoneyError::RatioTooLarge`].
    pub fn checked_mul(self, other: Self) -> Result<Self, MoneyError> {
        let [a, b, c, d] = self.crossed(other);
        Self::reduce(a * c, b * d)
    }

    /// The exact difference; nothing below 0.
    ///
    /// # Errors
    /// [`MoneyError::RatioTooLarge`]; [`MoneyError::OutOfRange`] if the other is larger.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        let [a, b, c, d] = self.crossed(other);
        let difference = (a * d).checked_sub(c * b).ok_or(MoneyError::OutOfRange)?;
        Self::reduce(difference, b * d)
    }

    /// This fraction of an amount, cut to whole yen towards the lower number.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn floor_of(self, amount: Yen) -> Result<Yen, MoneyError> {
        let exact = i128::from(amount.get()) * i128::from(self.numerator);
        Yen::from_wide(exact.div_euclid(i128::from(self.denominator)))
    }

    /// Both fractions' parts, wide enough for products: 53 + 53 bits, and one more for a sum, stay below 128.
    fn crossed(self, other: Self) -> [u128; 4] {
        [self.numerator, self.denominator, other.numerator, other.denominator].map(u128::from)
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        let [a, b, c, d] = self.crossed(*other);
        (a * d).cmp(&(c * b))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn yen(amount: i64) -> Yen {
        Yen::new(amount).unwrap()
    }

    #[test]
    fn amounts_are_written_as_on_papers() {
        assert_eq!(yen(0).to_string(), "0円");
        assert_eq!(yen(999).to_string(), "999円");
        assert_eq!(yen(12_345).to_string(), "12,345円");
        assert_eq!(yen(-1_234_567).to_string(), "-1,234,567円");
        assert_eq!(Yen::MAX.to_string(), "1,000,000,000,000円");
    }

    #[test]
    fn an_amount_is_a_bounded_integer_in_json() {
        assert_eq!(serde_json::to_string(&yen(20_000)).unwrap(), "20000");
        assert_eq!(serde_json::from_str::<Yen>("-5000").unwrap(), yen(-5_000));
        for refused in ["1000000000001", "-1000000000001", "1.0", "\"5\"", "1e3"] {
            assert!(serde_json::from_str::<Yen>(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn leaving_the_bounds_is_an_error_never_a_wrap() {
        assert_eq!(Yen::MAX.checked_add(yen(1)), Err(MoneyError::OutOfRange));
        assert_eq!(Yen::MIN.checked_sub(yen(1)), Err(MoneyError::OutOfRange));
        assert_eq!(yen(2).checked_mul(i64::MAX), Err(MoneyError::OutOfRange));
        assert_eq!(Yen::MIN.checked_mul(i64::MIN), Err(MoneyError::OutOfRange));
        assert_eq!(Yen::sum([Yen::MAX, Yen::MAX, Yen::MIN]), Ok(Yen::MAX), "only the final sum must be within bounds");
    }

    #[test]
    fn fractions_are_exact_and_reduced() {
        let third = Ratio::new(2, 6).unwrap();
        assert_eq!(third.to_string(), "1/3");
        let sum = third.checked_add(third).unwrap().checked_add(third).unwrap();
        assert_eq!(sum, Ratio::ONE);
        assert_eq!(third.floor_of(yen(20_000)), Ok(yen(6_666)));
        assert_eq!(third.floor_of(yen(-20_000)), Ok(yen(-6_667)));
        assert_eq!(Ratio::new(1, 0), Err(MoneyError::ZeroDenominator));
        assert_eq!(Ratio::new(1, Ratio::MAX_PART + 1), Err(MoneyError::RatioTooLarge));
        assert!(Ratio::new(1, 3).unwrap() < Ratio::new(34, 100).unwrap());
    }

    proptest! {
        #[test]
        fn floor_is_the_largest_yen_not_above_the_exact_value(
            amount in -1_000_000_000_000i64..=1_000_000_000_000,
            (numerator, denominator) in (1u64..1_000_000).prop_flat_map(|denominator| (0..=denominator, Just(denominator))),
        ) {
            let ratio = Ratio::new(numerator, denominator).unwrap();
            let floor = i128::from(ratio.floor_of(yen(amount)).unwrap().get());
            let exact = i128::from(amount) * i128::from(numerator);
            prop_assert!(floor * i128::from(denominator) <= exact);
            prop_assert!(exact < (floor + 1) * i128::from(denominator));
        }

        #[test]
        fn grouping_keeps_the_digits(amount in -1_000_000_000_000i64..=1_000_000_000_000) {
            let text: String = grouped(amount).chars().filter(|c| *c != ',').collect();
            prop_assert_eq!(text, amount.to_string());
        }
    }
}
