//! Costs of visits and who pays them, first step: the honorarium by the fee table a dispatch was decided under, actual
//! costs entered by the office, and the shares of prefecture and municipality. Owns `cost_items` and `cost_shares`. The
//! arithmetic is that of [`crate::costs`]; here it is fed, kept and shown.
//!
//! The municipality's share is that of all bodies of a joint request together; it stands in the name of the lead body
//! (幹事団体), which settles with the others. A calculated item is fixed: a correction is another record, never an edit.

pub mod api;
pub mod model;
pub mod service;
pub mod store;
pub mod views;
