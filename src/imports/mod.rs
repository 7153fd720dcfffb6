//! Imports: reading uploaded tables, previewing and applying them as a whole or not at all. Owns `imports`; what a file
//! holds is written through the areas it belongs to, except visits of past years (the ledger), which come from nowhere
//! else and are written here with `origin = ledger`.

pub mod api;
pub mod cells;
pub mod directory;
pub mod experts_file;
pub mod ledger_file;
pub mod ledger_words;
pub mod model;
pub mod service;
pub mod store;
pub mod table;
pub mod users_file;
pub mod views;
