//! Consumption tax and income tax withheld at source. Rates are dated facts with their source; the date that the rule itself
//! names chooses the row.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::money::{MoneyError, Yen};

/// A rate that holds from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatedRate {
    /// First day, as (year, month, day).
    pub valid_from: (i32, u32, u32),
    /// The rate in hundredths of a percent.
    pub basis_points: i64,
    /// Where it stands.
    pub source: &'static str,
}

/// The standard rate of consumption tax, local part included, by the day of the supply.
pub const CONSUMPTION_TAX: &[DatedRate] = &[
    DatedRate { valid_from: (1989, 4, 1), basis_points: 300, source: "消費税法（昭和63年法律第108号）" },
    DatedRate { valid_from: (1997, 4, 1), basis_points: 500, source: "平成6年法律第109号" },
    DatedRate { valid_from: (2014, 4, 1), basis_points: 800, source: "平成24年法律第68号" },
    DatedRate { valid_from: (2019, 10, 1), basis_points: 1_000, source: "平成28年法律第85号" },
];

/// Withholding on fees of individuals up to one million yen a payment, the special income tax for reconstruction included,
/// by the day of the payment; above one million twice the rate (所得税法205条, 復興財源確保法28条).
pub const WITHHOLDING: &[DatedRate] = &[
    DatedRate { valid_from: (1989, 1, 1), basis_points: 1_000, source: "所得税法205条" },
    DatedRate { valid_from: (2013, 1, 1), basis_points: 1_021, source: "所得税法205条、復興財源確保法28条" },
];

/// Where the second band begins, in yen a payment.
const SECOND_BAND: i64 = 1_000_000;

/// The row of a table that holds on a day; `None` before the first.
pub fn rate_on(table: &'static [DatedRate], day: NaiveDate) -> Option<&'static DatedRate> {
    let starts = |row: &DatedRate| NaiveDate::from_ymd_opt(row.valid_from.0, row.valid_from.1, row.valid_from.2);
    table.iter().rev().find(|row| starts(row).is_some_and(|first| first <= day))
}

/// What becomes of a fraction of a yen of tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaxRounding {
    /// 切捨て
    Floor,
    /// 四捨五入
    HalfUp,
    /// 切上げ
    Ceil,
}

/// An amount with its consumption tax: net + tax = gross.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Taxed {
    /// Without tax (税抜).
    #[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_i64, example = 1_091_000)]
    pub net: Yen,
    /// The tax.
    #[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_i64, example = 109_100)]
    pub tax: Yen,
    /// With tax (税込).
    #[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_i64, example = 1_200_100)]
    pub gross: Yen,
    /// The rate in hundredths of a percent.
    #[schema(minimum = 0, maximum = 10_000, example = 1_000)]
    pub rate_basis_points: i64,
}

fn rounded(above: i128, below: i128, rounding: TaxRounding) -> i128 {
    match rounding {
        TaxRounding::Floor => above.div_euclid(below),
        TaxRounding::HalfUp => (2 * above + below).div_euclid(2 * below),
        TaxRounding::Ceil => -(-above).div_euclid(below),
    }
}

/// Tax on top of a net amount.
///
/// # Errors
/// [`MoneyError::OutOfRange`], also for a negative amount or rate.
pub fn add_tax(net: Yen, basis_points: i64, rounding: TaxRounding) -> Result<Taxed, MoneyError> {
    if net.is_negative() || !(0..=10_000).contains(&basis_points) {
        return Err(MoneyError::OutOfRange);
    }
    let tax = Yen::from_wide(rounded(i128::from(net.get()) * i128::from(basis_points), 10_000, rounding))?;
    Ok(Taxed { net, tax, gross: net.checked_add(tax)?, rate_basis_points: basis_points })
}

/// The tax within a gross amount.
///
/// # Errors
/// [`MoneyError::OutOfRange`], also for a negative amount or rate.
pub fn extract_tax(gross: Yen, basis_points: i64, rounding: TaxRounding) -> Result<Taxed, MoneyError> {
    if gross.is_negative() || !(0..=10_000).contains(&basis_points) {
        return Err(MoneyError::OutOfRange);
    }
    let points = i128::from(basis_points);
    let tax = Yen::from_wide(rounded(i128::from(gross.get()) * points, 10_000 + points, rounding))?;
    Ok(Taxed { net: gross.checked_sub(tax)?, tax, gross, rate_basis_points: basis_points })
}

crate::text_enum! {
    /// Under what a payment to a person is withheld from. A person chooses it; it is never inferred, because the list of
    /// 所得税法204条 is exhaustive and much technical work is not on it.
    pub enum WithholdingCategory {
        /// Not subject to withholding.
        None = "none", "源泉徴収の対象外";
        /// Lectures and manuscripts (204条1項1号).
        Lecture = "lecture", "講演・原稿料等（1号）";
        /// Listed professions such as management consultants (204条1項2号).
        Professional = "professional", "士業・企業診断員等（2号）";
        /// Salary tables apply (委員報酬 and the like); the amount is entered by the office.
        Salary = "salary", "給与所得（税額表による）";
    }
}

/// Income tax withheld from one payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withheld {
    /// What the tax is reckoned on.
    pub base: Yen,
    /// The tax.
    pub tax: Yen,
    /// What is paid out.
    pub paid: Yen,
}

/// Withholding on one payment to an individual: `base` holds everything paid to the person, travel included, unless the
/// payer pays the carrier or hotel directly (国税庁 No.2795). Up to one million yen the rate, above it twice the rate;
/// fractions are cut. A company is paid in full: the caller does not ask.
///
/// # Errors
/// [`MoneyError::OutOfRange`] for a negative base, or a day before the first rate.
pub fn withhold(base: Yen, category: WithholdingCategory, paid_on: NaiveDate) -> Result<Withheld, MoneyError> {
    if base.is_negative() {
        return Err(MoneyError::OutOfRange);
    }
    let tax = match category {
        WithholdingCategory::None | WithholdingCategory::Salary => Yen::ZERO,
        WithholdingCategory::Lecture | WithholdingCategory::Professional => {
            let rate = i128::from(rate_on(WITHHOLDING, paid_on).ok_or(MoneyError::OutOfRange)?.basis_points);
            let first = i128::from(base.get().min(SECOND_BAND));
            let second = i128::from((base.get() - SECOND_BAND).max(0));
            // The first band of a larger payment is one whole million, whose tax has no fraction.
            Yen::from_wide((first * rate + second * rate * 2) / 10_000)?
        }
    };
    Ok(Withheld { base, tax, paid: base.checked_sub(tax)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn yen(amount: i64) -> Yen {
        Yen::new(amount).unwrap()
    }

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    #[test]
    fn a_fee_of_twenty_thousand_yen_loses_2042() {
        let withheld = withhold(yen(20_000), WithholdingCategory::Lecture, day(2026, 5, 20)).unwrap();
        assert_eq!((withheld.tax.get(), withheld.paid.get()), (2_042, 17_958));
    }

    #[test]
    fn above_a_million_the_second_band_holds() {
        let tax = |amount| withhold(yen(amount), WithholdingCategory::Professional, day(2026, 5, 20)).unwrap().tax.get();
        assert_eq!(tax(1_000_000), 102_100);
        assert_eq!(tax(1_000_001), 102_100);
        assert_eq!(tax(1_000_005), 102_101);
        assert_eq!(tax(1_500_000), 204_200);
        assert_eq!(tax(9), 0);
    }

    #[test]
    fn the_day_of_the_payment_chooses_the_rate() {
        let tax = |paid_on| withhold(yen(20_000), WithholdingCategory::Lecture, paid_on).unwrap().tax.get();
        assert_eq!((tax(day(2012, 12, 31)), tax(day(2013, 1, 1))), (2_000, 2_042));
        assert_eq!(rate_on(CONSUMPTION_TAX, day(2019, 9, 30)).unwrap().basis_points, 800);
        assert_eq!(rate_on(CONSUMPTION_TAX, day(2019, 10, 1)).unwrap().basis_points, 1_000);
        assert_eq!(rate_on(CONSUMPTION_TAX, day(1989, 3, 31)), None);
    }

    #[test]
    fn who_is_not_on_the_list_is_paid_in_full() {
        assert_eq!(withhold(yen(20_000), WithholdingCategory::None, day(2026, 5, 20)).unwrap().paid, yen(20_000));
        assert!(withhold(yen(-1), WithholdingCategory::None, day(2026, 5, 20)).is_err());
    }

    #[test]
    fn tax_is_rounded_as_asked() {
        let tax = |rounding| add_tax(yen(1_005), 1_000, rounding).unwrap().tax.get();
        assert_eq!([TaxRounding::Floor, TaxRounding::HalfUp, TaxRounding::Ceil].map(tax), [100, 101, 101]);
        let tax = |rounding| add_tax(yen(1_004), 1_000, rounding).unwrap().tax.get();
        assert_eq!([TaxRounding::Floor, TaxRounding::HalfUp, TaxRounding::Ceil].map(tax), [100, 100, 101]);
        assert_eq!(extract_tax(yen(5_150), 1_000, TaxRounding::Floor).unwrap().tax, yen(468));
        assert!(add_tax(yen(-1), 1_000, TaxRounding::Floor).is_err());
        assert!(add_tax(yen(1), -1, TaxRounding::Floor).is_err());
    }

    proptest! {
        #[test]
        fn net_and_tax_are_the_gross(amount in 0i64..100_000_000_000, points in 0i64..=10_000) {
            for rounding in [TaxRounding::Floor, TaxRounding::HalfUp, TaxRounding::Ceil] {
                for taxed in [add_tax(yen(amount), points, rounding), extract_tax(yen(amount), points, rounding)] {
                    let taxed = taxed.unwrap();
                    prop_assert_eq!(taxed.net.checked_add(taxed.tax), Ok(taxed.gross));
                    prop_assert!(!taxed.tax.is_negative() && !taxed.net.is_negative());
                }
            }
        }

        #[test]
        fn withholding_never_exceeds_its_rate_and_more_pay_is_never_less(base in 0i64..10_000_000) {
            let on = day(2026, 5, 20);
            let one = withhold(yen(base), WithholdingCategory::Lecture, on).unwrap();
            let more = withhold(yen(base + 1), WithholdingCategory::Lecture, on).unwrap();
            prop_assert_eq!(one.tax.checked_add(one.paid), Ok(one.base));
            prop_assert!(one.paid <= more.paid && one.tax <= more.tax);
            prop_assert!(one.tax.get() * 10_000 <= base * 2_042);
        }
    }
}
