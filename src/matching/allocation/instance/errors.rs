//! What is wrong with an instance, where, and what would be right.

use std::fmt;

use serde::Serialize;

/// Most mistakes that are named one by one.
pub const MOST_MISTAKES: usize = 10_000;

/// A mistake in an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstanceError {
    /// Where, as JSON Pointer (RFC 6901); empty: the whole.
    pub pointer: String,
    /// Stable code.
    pub code: &'static str,
    /// What would be right, in Japanese.
    pub ja: String,
    /// What would be right, in English.
    pub en: String,
}

impl fmt::Display for InstanceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{pointer}: {}: {} / {}", self.code, self.ja, self.en)
    }
}

impl std::error::Error for InstanceError {}

/// Gathers mistakes; beyond ten thousand it only counts them.
#[derive(Debug, Default)]
pub struct Mistakes {
    found: Vec<InstanceError>,
    more: usize,
}

impl Mistakes {
    /// Notes one.
    pub fn add(&mut self, pointer: impl Into<String>, code: &'static str, ja: impl Into<String>, en: impl Into<String>) {
        if self.found.len() < MOST_MISTAKES {
            self.found.push(InstanceError { pointer: pointer.into(), code, ja: ja.into(), en: en.into() });
        } else {
            self.more += 1;
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them in the order in which they were found, at the end how many there are beyond those named.
    pub fn into_vec(mut self) -> Vec<InstanceError> {
        if self.more > 0 {
            let more = self.more;
            let (ja, en) = (format!("ほかに{more}件の誤りがあります"), format!("there are {more} more mistakes"));
            self.found.push(InstanceError { pointer: String::new(), code: "more", ja, en });
        }
        self.found
    }
}
