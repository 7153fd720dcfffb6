//! Organisations, their codes, populations, people and memberships. Owns `organisations`, `populations`, `users`,
//! `memberships`. Must not know pools.

pub mod bodies;
pub mod code_list;
pub mod lg_code;
pub mod model;
pub mod store;
