//! Imports: reading uploaded tables, previewing and applying them as a whole. Owns `imports`.

pub mod table;
