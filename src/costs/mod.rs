//! What shared people cost and who pays it: a pure engine.
//!
//! The room owns money in whole yen ([`Yen`]), exact fractions ([`Ratio`]), kinds of cost and of payers ([`Component`],
//! [`Payer`]), fee tables ([`FeeTable`], [`fee()`]), travel rules ([`TravelRule`], [`travel()`]), consumption tax and
//! withholding, the payer matrix ([`PayerRule`], [`PayerSplit`]), sharing between bodies ([`SharingTerms`], [`Sharing`]),
//! proration by days and instalments.
//!
//! It knows neither database nor HTTP nor clock, and it never infers an amount that nobody published: where the table
//! names none it asks for the figure. No floating-point number occurs in it. Every result says how it came about.
//!
//! Fractions of a yen are cut, as the Act on the Handling of Fractions in National and Local Claims and Debts
//! (国等の債権債務等の金額の端数計算に関する法律, articles 2 and 3) has it, and only once: on the finished amount.

mod component;
mod fee;
mod money;
mod payers;
#[cfg(test)]
mod payers_tests;
mod placing;
mod sharing;
#[cfg(test)]
mod sharing_tests;
mod tax;
mod travel;
#[cfg(test)]
mod travel_tests;

pub use component::{BudgetItem, CONTRIBUTIONS, Component, Payer};
pub use fee::{
    DistanceSurcharge, ExcludedTime, FeeCalculation, FeeError, FeeGrade, FeeInput, FeeStep, FeeStepCode, FeeTable,
    FeeTableProblem, FeeTier, FlatFee, MAX_VISIT_MINUTES, PartUnitRounding, fee,
};
pub use money::{MoneyError, Ratio, Yen, grouped};
pub use payers::{PayerError, PayerProblem, PayerRule, PayerSplit, Portion};
pub use placing::{Prorated, Stay, instalments, prorate};
pub use sharing::{
    BodySplit, MAX_BODIES, PopulationSource, Sharing, SharingBasis, SharingBody, SharingError, SharingGroup, SharingPart,
    SharingRemainder, SharingTerms,
};
pub use tax::{
    CONSUMPTION_TAX, DatedRate, TaxRounding, Taxed, WITHHOLDING, Withheld, WithholdingCategory, add_tax, extract_tax, rate_on,
    withhold,
};
pub use travel::{
    Expense, LegMode, LodgingRule, PrefectureCap, TravelError, TravelItem, TravelProblem, TravelRule, Trip, TripLeg, rule_for,
    travel, validate_rules,
};
