//! A table of results on its way out: the one shape every list and statistic is exported from.
//!
//! A [`Sheet`] is filled by the query object that also fills the screen, so that an export cannot
//! disagree with it. This room turns it into CSV or xlsx and owns what makes such files safe and
//! readable: byte order mark, quoting, the guard against formulas, text cells for codes, real
//! dates. It knows nothing of what the columns mean.

mod csv_out;
mod xlsx_out;

pub use csv_out::{Unmappable, to_csv, to_csv_english, to_csv_windows31j};
pub use xlsx_out::{XlsxProblem, to_xlsx};

use chrono::NaiveDate;

/// What a column holds, which decides how a spreadsheet shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Names and other text.
    Text,
    /// Digits that are no number: codes, telephone numbers, document numbers. Always text cells.
    Code,
    /// A count or another whole number.
    Integer,
    /// Whole yen, shown with thousands separators.
    Yen,
    /// A calendar day.
    Date,
    /// A share, shown as a percentage with one decimal.
    Percent,
}

/// A column of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Stable machine key, snake_case.
    pub key: &'static str,
    /// Heading in Japanese.
    pub label_ja: &'static str,
    /// Heading in English.
    pub label_en: &'static str,
    /// What the column holds.
    pub kind: ColumnKind,
}

/// A value in a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Text, codes included. May come from anyone, so it is guarded on the way out.
    Text(String),
    /// A whole number; yen too.
    Int(i64),
    /// A calendar day.
    Date(NaiveDate),
    /// A share in hundredths of a percent: 10,000 is the whole.
    Percent(i64),
    /// No value. Never the same as zero.
    Empty,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<NaiveDate> for Cell {
    fn from(day: NaiveDate) -> Self {
        Self::Date(day)
    }
}

/// A table to be exported: headings and rows of equal length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// What the table shows; names the worksheet of an xlsx.
    pub title: String,
    /// The columns, left to right. Their order is part of the export's contract.
    pub columns: Vec<Column>,
    /// The rows; each has one cell for every column.
    pub rows: Vec<Vec<Cell>>,
}

/// A share as text, exactly: 1,234 hundredths of a percent are `12.34%`.
fn percent_text(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let size = hundredths.unsigned_abs();
    match (size / 100, size % 100) {
        (whole, 0) => format!("{sign}{whole}%"),
        (whole, part) if part % 10 == 0 => format!("{sign}{whole}.{}%", part / 10),
        (whole, part) => format!("{sign}{whole}.{part:02}%"),
    }
}

#[cfg(test)]
pub(crate) fn sample() -> Sheet {
    let column = |key, label_ja, label_en, kind| Column { key, label_ja, label_en, kind };
    Sheet {
        title: "派遣実績：R6/団体別".into(),
        columns: vec![
            column("lg_code", "団体コード", "Code", ColumnKind::Code),
            column("name", "団体名", "Body", ColumnKind::Text),
            column("visits", "回数", "Visits", ColumnKind::Integer),
            column("fee_yen", "謝金（円）", "Fee (yen)", ColumnKind::Yen),
            column("first_day", "初回", "First", ColumnKind::Date),
            column("share", "割合", "Share", ColumnKind::Percent),
        ],
        rows: vec![
            vec![
                "010006".into(),
                "北海道".into(),
                Cell::Int(3),
                Cell::Int(-20_000),
                Cell::Date(NaiveDate::from_ymd_opt(2025, 3, 31).unwrap_or_default()),
                Cell::Percent(3_333),
            ],
            vec![
                "022055".into(),
                "=HYPERLINK(\"http://x\")".into(),
                Cell::Int(0),
                Cell::Empty,
                Cell::Empty,
                Cell::Percent(10_000),
            ],
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_written_exactly() {
        for (hundredths, text) in [
            (0, "0%"),
            (10_000, "100%"),
            (3_333, "33.33%"),
            (3_350, "33.5%"),
            (5, "0.05%"),
            (-50, "-0.5%"),
            (i64::MIN, "-92233720368547758.08%"),
        ] {
            assert_eq!(percent_text(hundredths), text);
        }
    }

    #[test]
    fn a_missing_value_is_empty_not_zero() {
        assert_eq!(Cell::from(None::<i64>), Cell::Empty);
        assert_eq!(Cell::from(Some(0)), Cell::Int(0));
    }
}
