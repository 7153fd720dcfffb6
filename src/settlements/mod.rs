//! Money of programmes: costs of visits, placements and orders and who bears them, agreements between hosts, budgets,
//! settlements with their claims, payments and corrections, papers. Owns the tables of migration 7. The arithmetic is that
//! of [`crate::costs`]; here it is fed, kept and shown.
//!
//! What is calculated is fixed: a correction is another record, never an edit. `model`, `store`, `service`, `api` and `views`
//! hold cost items; the other files are named by what they hold.

pub mod adjustments;
pub mod agreement_api;
pub mod agreement_store;
pub mod agreement_views;
pub mod agreements;
pub mod api;
pub mod billing;
pub mod budget;
pub mod budget_api;
pub mod budget_store;
pub mod document_api;
pub mod document_store;
pub mod documents;
pub mod lifecycle;
mod mails;
pub mod menu_store;
pub mod menus;
pub mod model;
pub mod overdue;
pub mod page_claims;
pub mod pages;
pub mod papers;
pub mod parties;
pub mod period_store;
pub mod periods;
pub mod placements;
pub mod profile_api;
pub mod profile_store;
pub mod service;
pub mod settlement_api;
pub mod settlement_store;
pub mod settlement_views;
pub mod simulate;
pub mod store;
pub mod views;
