//! From bytes to an instance.

use chrono::NaiveDate;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize as _, Deserializer};
use serde_json::Value;

use super::Instance;
use super::errors::{InstanceError, Mistakes};
use crate::matching::allocation::schema;

impl Instance {
    /// Reads an instance from JSON. It is sound by itself only once [`Instance::convert`] has looked at it.
    ///
    /// # Errors
    /// Everything that does not have the documented form.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Vec<InstanceError>> {
        read(bytes, schema::instance)
    }
}

/// Reads a document; where that fails, its schema tells all mistakes, while serde stops at the first.
///
/// # Errors
/// Everything that does not have the documented form.
pub fn read<T: DeserializeOwned>(bytes: &[u8], schema: fn() -> Value) -> Result<T, Vec<InstanceError>> {
    let failure = match serde_json::from_slice(bytes) {
        Ok(read) => return Ok(read),
        Err(failure) => failure,
    };
    let mut mistakes = Mistakes::default();
    if !failure.is_data() {
        let (line, column) = (failure.line(), failure.column());
        let ja = format!("JSONとして正しく書いてください（{line}行{column}字付近）");
        mistakes.add("", "not_json", ja, format!("JSON: {failure}"));
        return Err(mistakes.into_vec());
    }
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        schema::mistakes(&schema(), &value, &mut mistakes);
    }
    if mistakes.is_empty() {
        // What a schema cannot see, such as a member that is named twice.
        mistakes.add("", "form", "文書の形式どおりに書いてください", failure.to_string());
    }
    Err(mistakes.into_vec())
}

/// A day as it is written, and in no other way: four digits, two, two.
pub fn strict_day(text: &str) -> Option<NaiveDate> {
    text.parse::<NaiveDate>().ok().filter(|day| day.to_string() == text)
}

/// Reads a day.
pub fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    let text = String::deserialize(deserializer)?;
    strict_day(&text).ok_or_else(|| D::Error::custom("a day is written like 2026-04-01"))
}

/// Reads a day that may be absent.
pub fn optional_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let day = |text: String| strict_day(&text).ok_or_else(|| D::Error::custom("a day is written like 2026-04-01"));
    text.map(day).transpose()
}
