//! The one place that reads the time. Everything else is given an instant, so that tests and the demo decide what
//! "now" is. Instants are UTC, cut to microseconds (PostgreSQL keeps no more, and both databases must agree).

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, SecondsFormat, SubsecRound, Utc};
use diesel::backend::Backend;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// An instant in UTC at microsecond precision; JSON carries it as RFC 3339 with `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamp)]
pub struct UtcTime(NaiveDateTime);

impl UtcTime {
    /// Cuts an instant to the precision that is kept.
    pub fn new(instant: DateTime<Utc>) -> Self {
        Self(instant.naive_utc().trunc_subsecs(6))
    }

    /// Takes a date and time that is already in UTC.
    pub fn from_naive(utc: NaiveDateTime) -> Self {
        Self(utc.trunc_subsecs(6))
    }

    /// The date and time in UTC, without its zone.
    pub fn naive(self) -> NaiveDateTime {
        self.0
    }

    /// The instant with its zone.
    pub fn instant(self) -> DateTime<Utc> {
        self.0.and_utc()
    }

    /// The day it is in Japan (UTC+9, no summer time).
    pub fn jst_day(self) -> NaiveDate {
        (self.0 + Duration::hours(9)).date()
    }

    /// The date and time it is in Japan.
    pub fn jst(self) -> NaiveDateTime {
        self.0 + Duration::hours(9)
    }

    /// A later (or, with a negative duration, earlier) instant; stays where it is if the calendar ends.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.checked_add_signed(duration).unwrap_or(self.0))
    }
}

impl<DB: Backend> ToSql<Timestamp, DB> for UtcTime
where
    NaiveDateTime: ToSql<Timestamp, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl std::fmt::Display for UtcTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.instant().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Serialize for UtcTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text)
            .map(|instant| Self::new(instant.with_timezone(&Utc)))
            .map_err(|_| D::Error::custom("expected an RFC 3339 date and time such as 2026-04-01T10:00:00+09:00"))
    }
}

impl utoipa::PartialSchema for UtcTime {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .max_length(Some(40))
            .examples([serde_json::json!("2026-04-01T01:00:00Z")])
            .into()
    }
}

impl utoipa::ToSchema for UtcTime {}

/// Where instants come from: the machine, the machine shifted by a constant (demo), or a hand that tests move.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock plus a constant.
    System {
        /// What is added to the machine's time; zero in production.
        shift: Duration,
    },
    /// A clock that stands still until it is set.
    Fixed(Arc<Mutex<UtcTime>>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::System { shift: Duration::zero() }
    }

    /// The machine's clock moved so that today is `day` in Japan.
    pub fn shifted_to(day: NaiveDate) -> Self {
        let today = Self::system().now().jst_day();
        Self::System { shift: day - today }
    }

    /// A clock that stands at `instant`.
    pub fn fixed(instant: UtcTime) -> Self {
        Self::Fixed(Arc::new(Mutex::new(instant)))
    }

    /// What time it is.
    #[expect(clippy::disallowed_methods, reason = "this is the one caller")]
    pub fn now(&self) -> UtcTime {
        match self {
            Self::System { shift } => UtcTime::new(Utc::now() + *shift),
            Self::Fixed(instant) => *instant.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a fixed clock; the machine's clock is left alone.
    pub fn set(&self, instant: UtcTime) {
        if let Self::Fixed(hand) = self {
            *hand.lock().unwrap_or_else(PoisonError::into_inner) = instant;
        }
    }
}
