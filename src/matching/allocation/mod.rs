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
//!
//! # Proof
//! Potentials of the circulations and the cases of the search are the certificate. [`check`] reads nothing else: it looks at
//! the plan against every rule and recomputes the bound. Levels are called proved on its word alone.
//!
//! # Limits
//! A request is served as a whole by one pair; a team or a rotation is a pair of its own. Up to five million pairs. Where many
//! limits bind at once the search may stop early: the plan is then at least as good as that of taking one request after
//! another, with a bound for every level.

pub mod check;
pub mod flow;
pub mod network;
pub mod problem;
pub mod search;

#[cfg(test)]
mod tests;
