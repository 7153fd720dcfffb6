//! Reading instants. SQLite keeps them as text, of which a page of a list has a hundred: the one form that is written here is
//! read without looking for its format.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamp};
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

/// `2026-04-06 01:00:00`, with or without a fraction of at most nine digits, and with `T` in place of the space.
fn parse(text: &str) -> Option<NaiveDateTime> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| {
        bytes
            .get(from..to)?
            .iter()
            .try_fold(0_u32, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
    };
    let at = |position: usize, allowed: &[u8]| bytes.get(position).is_some_and(|byte| allowed.contains(byte));
    if !(at(4, b"-") && at(7, b"-") && at(10, b" T") && at(13, b":") && at(16, b":")) {
        return None;
    }
    let nanoseconds = match bytes.len() {
        19 => 0,
        21..=29 if at(19, b".") => {
            let digits = u32::try_from(bytes.len() - 20).ok()?;
            number(20, bytes.len())? * 10_u32.pow(9 - digits)
        }
        _ => return None,
    };
    let day = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)?;
    day.and_hms_nano_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?, nanoseconds)
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
