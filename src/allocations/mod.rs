//! Plan-wide runs: they gather a pool's open requests and experts for [`crate::matching::allocation`], keep its plan with the
//! certificate, let a person put somebody else in a place with a reason, and turn assignments into offers. Owns the tables of
//! migration 9. A run never decides: what it leads to is an offer, looked at again under lock like any other.

pub mod api;
pub mod apply;
pub mod asking;
pub mod change;
pub mod facts;
mod fairness;
pub mod model;
pub mod page_report;
pub mod page_today;
pub mod page_words;
pub mod pages;
pub mod results;
pub mod run;
pub mod service;
pub mod store;
mod teams;
pub mod views;
