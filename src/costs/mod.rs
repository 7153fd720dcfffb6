//! What a visit costs and who pays it: a pure engine.
//!
//! The room owns money in whole yen ([`Yen`]), exact fractions ([`Ratio`]), a programme's fee table and its evaluation
//! ([`FeeTable`], [`fee()`]), and the division of an amount among those who pay ([`Shares`], [`split`]).
//!
//! It knows neither database nor HTTP nor clock, and it never infers an amount that nobody published: where the table
//! is undisclosed it asks for the figure. No floating-point number occurs in it. Every result says how it came about,
//! step by step, in Japanese and English.
//!
//! Fractions of a yen are cut, as the Act on the Handling of Fractions in National and Local Claims and Debts
//! (国等の債権債務等の金額の端数計算に関する法律, articles 2 and 3) has it, and only once: on the finished amount.

mod fee;
mod money;
mod share;

pub use fee::{
    FeeCalculation, FeeError, FeeStep, FeeStepCode, FeeTable, FeeTableProblem, FlatFee, MAX_VISIT_MINUTES, PartUnitRounding, fee,
};
pub use money::{MoneyError, Ratio, Yen};
pub use share::{Component, MAX_PARTIES, PartyShare, PayerParts, PayerRatio, RemainderRule, ShareError, Shares, Split, split};
