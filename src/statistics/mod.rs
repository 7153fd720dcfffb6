//! Statistics: counts, workload, coverage, costs, and the exports of every list. Owns no table: it reads through its own
//! queries and writes nothing. Every figure is derived from visits, their participants and their cost items; nothing is
//! stored, and table, total, CSV and xlsx come from one answer, so that they cannot disagree.

pub mod api;
pub mod export;
pub mod list_tables;
pub mod model;
pub mod office_tables;
pub mod page_workload;
pub mod page_year_end;
pub mod pages;
pub mod queries;
pub mod queries_money;
pub mod service;
pub mod sheet;
pub mod tables;
pub mod views;
