//! Today: what an office has to do, put together from the lists of the areas. Owns no table and no rule: each part is the
//! first lines of a list that stands elsewhere, with the same filter, so that the numbers agree.

pub mod api;
pub mod pages;
pub mod service;
pub mod views;
