//! Statistics: counts, workload, coverage, and their exports. Owns no table; reads through its own queries only.

pub mod sheet;
