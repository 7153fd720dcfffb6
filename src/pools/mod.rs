//! Talent pools, their members, programmes (事業) and the rules of each fiscal year. Owns `pools`, `pool_members`,
//! `programmes`, `programme_years`. Here is decided who sees a pool; a scheme's name appears in the presets alone.

pub mod api;
pub mod matching;
pub mod pages;
pub mod presets;
pub mod reminders;
pub mod rules;
pub mod service;
pub mod store;
pub mod surveys;
pub mod views;
