//! Shared experts: registration, skills and skill frameworks, availability, capacity, conflicts, load. Owns `experts` and
//! its child tables, `skill_frameworks`, `skill_items`. Reads visits to know an expert's load, but never writes them.

pub mod api;
pub mod availability;
pub mod candidates;
pub mod framework_api;
pub mod frameworks;
pub mod limits;
pub mod load;
pub mod model;
pub mod page_availability;
pub mod page_expert;
pub mod page_own;
pub mod page_parts;
pub mod pages;
pub mod params;
pub mod reminders;
pub mod search;
pub mod service;
pub mod store;
mod unavailable;
pub mod views;
pub mod workload;
