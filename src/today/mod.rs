//! Today: what an office has to do, put together from the lists of the areas. Owns no rule: each part is the first lines of a
//! list that stands elsewhere, with the same filter, so that the numbers agree. Its one table holds the filters of lists that
//! people keep for themselves.

pub mod api;
pub mod filter_pages;
pub mod filter_store;
pub mod filters;
pub mod pages;
pub mod service;
pub mod views;
