//! Dispatches (派遣): the decision and its amendments, visits, activity reports, evaluations. Owns `dispatches`,
//! `dispatch_experts`, `dispatch_amendments`, `visits` from the decision on, `visit_participants`, `reports`,
//! `report_outcomes` and `evaluations`. Must not compute money; `settlements` does.
//!
//! `model` holds the state tables and day rules; `decide`, `amend`, `service`, `visits`, `reports` and `evaluations` are the
//! use cases in the order of a dispatch's life; `notices` tells the parties.

pub mod amend;
pub mod api;
pub mod decide;
pub mod evaluations;
pub mod model;
pub mod notices;
pub mod page_calendar;
pub mod page_dispatch;
pub mod page_parts;
pub mod page_report;
pub mod page_trip;
pub mod page_visit;
pub mod pages;
pub mod records;
pub mod replace;
pub mod report_api;
pub mod report_store;
pub mod report_views;
pub mod reports;
pub mod service;
pub mod store;
pub mod surveys;
pub mod views;
pub mod visit_api;
pub mod visit_store;
pub mod visit_views;
pub mod visits;
