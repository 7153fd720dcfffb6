//! Organisations, their codes, populations, people and memberships. Owns `organisations`, `populations`, `users`,
//! `memberships`. Must not know pools.

pub mod api;
pub mod bodies;
pub mod code_list;
pub mod hand_over;
pub mod import;
pub mod lg_code;
pub mod model;
pub mod people;
pub mod people_api;
pub mod people_service;
pub mod people_views;
pub mod reach;
pub mod seed;
pub mod service;
pub mod store;
pub mod views;
