//! Plan-wide allocation: which expert takes which of many requests, all at once.
//!
//! # Objective
//! Levels in order ([`problem::Level`]): a level counts only among plans that are equal in all levels before it, so nothing is ever
//! traded for something less important, and there are no weights. The first four are fixed: assignments that must be kept,
//! bodies served for the first time, small bodies, requests served. The order of the others is a programme's choice.
//! Partial plans are plans: what cannot be served stays unserved, and everything else is as good as it can be.
//!
//! # Method
//! Without limits that several pairs share, the plan is a circulation of least cost ([`flow`]), solved exactly in integers.
//! Squares on parallel arcs make evenness exact (Frank and Murota, Math. Prog. 2021: on these sets the least sum of squares is
//! leximin). Minutes of a month or year, overlapping times and budgets are limits: a search over which pair gives way
//! ([`search`]) uses the circulation as its bound. It stops on counted work, never on a clock, and then says what is proved.
//! Where so many limits bind that the search does not end, requests get prices and every expert's own choice is solved exactly
//! within all limits of that expert ([`pricing`], [`choice`]): bounds level by level, plans along what prices want ([`closing`],
//! [`improve`]), pairs closed by the bound, and a search over the rest. Where experts lead few requests each, the prices are
//! those of a linear program of what they could lead ([`master`], [`program`]), and what it wants guides plans, cases and their
//! order ([`branch`]); otherwise, and where the program would be too large, they are found by steps ([`ascent`]). Plans get better
//! part by part: some experts are freed, and their part is solved by itself ([`around`], [`portion`]).
//!
//! # Proof
//! Potentials of the circulations and the cases of the search are the certificate. [`check`] reads nothing else: it looks at
//! the plan against every rule and recomputes the bound. Levels are called proved on its word alone. What is proved only among
//! plans that serve each body as often as this one ([`check::Verdict::within`]) is told apart from what is proved outright.
//!
//! # Limits
//! A request is served as a whole by one pair; a team or a rotation is a pair of its own. Up to five million pairs. Where many
//! limits bind at once the search may stop early: the plan is then at least as good as that of taking one request after
//! another, with a bound for every level.

pub mod around;
pub mod ascent;
pub mod branch;
pub mod changes;
pub mod check;
pub mod choice;
pub mod closing;
pub mod flow;
pub mod improve;
pub mod instance;
pub mod master;
pub mod network;
pub mod parts;
pub mod portion;
pub mod pricing;
pub mod problem;
pub mod program;
pub mod report;
pub mod schema;
pub mod search;
pub mod tree;

#[cfg(test)]
mod changes_tests;
#[cfg(test)]
mod hours_tests;
#[cfg(test)]
mod program_tests;
#[cfg(test)]
mod tests;
