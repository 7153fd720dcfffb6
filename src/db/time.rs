//! Reading instants and days. SQLite keeps them as text, of which a page of a list has hundreds: the one form that is written
//! here is read without looking for its format.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Date, Text, Timestamp};
use diesel::sqlite::Sqlite;

use super::Conn;
use crate::clock::UtcTime;

type Either = <Conn as Connection>::Backend;

impl FromSql<Timestamp, Either> for UtcTime {
    fn from_sql(value: <Either as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, Timestamp>()
    }
}

impl FromSql<Timestamp, Pg> for UtcTime {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <NaiveDateTime as FromSql<Timestamp, Pg>>::from_sql(value).map(Self::from_naive)
    }
}

impl FromSql<Timestamp, Sqlite> for UtcTime {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        parse(&text).map(Self::from_naive).ok_or_else(|| format!("not an instant: {text}").into())
    }
}

/// A day of a row that lists read many of: `#[diesel(deserialize_as = Day)]` beside a [`NaiveDate`].
#[derive(Debug, Clone, Copy, FromSqlRow)]
pub struct Day(NaiveDate);

impl From<Day> for NaiveDate {
    fn from(day: Day) -> Self {
        day.0
    }
}

impl FromSql<Date, Either> for Day {
    fn from_sql(value: <Either as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, Date>()
    }
}

impl FromSql<Date, Pg> for Day {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <NaiveDate as FromSql<Date, Pg>>::from_sql(value).map(Self)
    }
}

impl FromSql<Date, Sqlite> for Day {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        let day = if text.len() == 10 { parse_day(text.as_bytes()) } else { None };
        day.map(Self).ok_or_else(|| format!("not a day: {text}").into())
    }
}

/// The digits from one position to another as a number.
fn number(bytes: &[u8], from: usize, to: usize) -> Option<u32> {
    bytes.get(from..to)?.iter().try_fold(0_u32, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
}

/// Whether one of the characters stands at a position.
fn at(bytes: &[u8], position: usize, allowed: &[u8]) -> bool {
    bytes.get(position).is_some_and(|byte| allowed.contains(byte))
}

/// The `2026-04-06` that a text begins with.
fn parse_day(bytes: &[u8]) -> Option<NaiveDate> {
    if !(at(bytes, 4, b"-") && at(bytes, 7, b"-")) {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(number(bytes, 0, 4)?).ok()?, number(bytes, 5, 7)?, number(bytes, 8, 10)?)
}

/// `2026-04-06 01:00:00`, with or without a fraction of at most nine digits, and with `T` in place of the space.
fn parse(text: &str) -> Option<NaiveDateTime> {
    let bytes = text.as_bytes();
    if !(at(bytes, 10, b" T") && at(bytes, 13, b":") && at(bytes, 16, b":")) {
        return None;
    }
    let nanoseconds = match bytes.len() {
        19 => 0,
        21..=29 if at(bytes, 19, b".") => {
            let digits = u32::try_from(bytes.len() - 20).ok()?;
            number(bytes, 20, bytes.len())? * 10_u32.pow(9 - digits)
        }
        _ => return None,
    };
    parse_day(bytes)?.and_hms_nano_opt(number(bytes, 11, 13)?, number(bytes, 14, 16)?, number(bytes, 17, 19)?, nanoseconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in -2_000_000_000_i64..8_000_000_000, micros in 0_u32..1_000_000) {
            let instant = chrono::DateTime::from_timestamp(seconds, micros * 1000).unwrap().naive_utc();
            prop_assert_eq!(parse(&instant.format("%F %T%.f").to_string()), Some(instant));
        }

        #[test]
        fn days_that_are_written_are_read(days in 0_i64..150_000) {
            let day = NaiveDate::from_ymd_opt(1700, 1, 1).unwrap() + chrono::Duration::days(days);
            prop_assert_eq!(parse_day(day.to_string().as_bytes()), Some(day));
        }

        #[test]
        fn nothing_else_is_read_and_nothing_panics(text in "\\PC{0,32}|[0-9 T:.-]{15,32}") {
            let read = parse(&text);
            let known = ["%F %T%.f", "%FT%T%.f"].iter().find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok());
            prop_assert!(read.is_none() || read == known, "{}: {:?}, {:?}", text, read, known);
        }
    }

    #[test]
    fn forms_that_are_not_written_here_are_refused() {
        for text in [
            "",
            "2026-04-06",
            "2026-04-06 01:00",
            "2026-02-30 00:00:00",
            "2026-04-06 24:00:00",
            "2026-04-06 01:00:00.",
            "2026-04-06 01:00:00.1234567890",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(parse("2026-04-06T01:00:00").is_some());
    }
}
