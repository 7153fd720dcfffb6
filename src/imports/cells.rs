//! Columns and cells of an uploaded table: headings found by any of their names, values read as people type them, and
//! every wrong one noted with its line and column. Knows nothing of what the rows are for.

use std::str::FromStr;

use chrono::NaiveDate;
use unicode_normalization::UnicodeNormalization as _;

use super::model::Problems;
use super::table::{Row, Table};
use crate::calendar;
use crate::http::Fields;
use crate::text;

/// A column that a kind of file may have.
#[derive(Debug, Clone, Copy)]
pub struct ColumnSpec {
    /// Machine key, itself accepted as a heading.
    pub key: &'static str,
    /// Accepted headings; the first one names the column to people.
    pub headings: &'static [&'static str],
    /// Whether the file is refused without it.
    pub required: bool,
}

impl ColumnSpec {
    /// The heading shown to people.
    pub fn label(&self) -> &'static str {
        self.headings.first().copied().unwrap_or(self.key)
    }
}

/// Where the columns of a table are.
#[derive(Debug)]
pub struct Located {
    columns: Vec<(&'static ColumnSpec, Option<usize>)>,
    /// Headings that no column claims.
    pub ignored: Vec<String>,
}

impl Located {
    /// Finds the columns; a required one that is missing is a problem of the heading line.
    pub fn of(table: &Table, specs: &'static [ColumnSpec], problems: &mut Problems) -> Self {
        let mut columns = Vec::new();
        for spec in specs {
            let mut names = spec.headings.to_vec();
            names.push(spec.key);
            let found = table.column(&names);
            if found.is_none() && spec.required {
                problems.wrong(
                    table.header_line,
                    spec.label(),
                    "missing_column",
                    format!("「{}」の列がありません。", spec.label()),
                    format!("There is no column “{}” ({}).", spec.label(), spec.key),
                );
            }
            columns.push((spec, found));
        }
        let ignored = table
            .headers
            .iter()
            .enumerate()
            .filter(|(i, header)| !header.trim().is_empty() && !columns.iter().any(|(_, found)| *found == Some(*i)))
            .map(|(_, header)| header.chars().take(100).collect())
            .collect();
        Self { columns, ignored }
    }

    /// Whether the file has a column.
    pub fn has(&self, key: &str) -> bool {
        self.columns.iter().any(|(spec, found)| spec.key == key && found.is_some())
    }

    fn get(&self, key: &str) -> Option<(&'static ColumnSpec, Option<usize>)> {
        self.columns.iter().find(|(spec, _)| spec.key == key).copied()
    }
}

/// Reads the cells of one row and notes what is wrong with them.
pub struct Cells<'a> {
    located: &'a Located,
    row: &'a Row,
    problems: &'a mut Problems,
}

impl<'a> Cells<'a> {
    /// The cells of a row.
    pub fn new(located: &'a Located, row: &'a Row, problems: &'a mut Problems) -> Self {
        Self { located, row, problems }
    }

    /// The row's line in the file.
    pub fn line(&self) -> usize {
        self.row.line
    }

    /// How many problems have been noted in the file so far.
    pub fn problems(&self) -> usize {
        self.problems.len()
    }

    /// Whether the file has a column.
    pub fn has(&self, key: &str) -> bool {
        self.located.has(key)
    }

    /// The text of a cell without blanks around it; empty where the column or the cell is missing.
    pub fn text(&self, key: &str) -> &'a str {
        self.located.get(key).and_then(|(_, column)| column).map_or("", |column| self.row.cell(column).trim())
    }

    /// Notes a problem of a cell.
    pub fn wrong(&mut self, key: &str, code: &str, ja: impl Into<String>, en: impl Into<String>) {
        let label = self.located.get(key).map_or(key, |(spec, _)| spec.label());
        self.problems.wrong(self.row.line, label, code, ja, en);
    }

    /// The text of a cell that must not be empty.
    pub fn required(&mut self, key: &str) -> Option<&'a str> {
        let text = self.text(key);
        if text.is_empty() {
            // A missing column was noted once, at the heading.
            if self.located.has(key) {
                self.wrong(key, "required", "入力してください。", "Must not be empty.");
            }
            return None;
        }
        Some(text)
    }

    /// Notes what the checks of a field in the API say about a cell.
    pub fn check(&mut self, key: &str, check: impl FnOnce(&mut Fields)) -> bool {
        let mut fields = Fields::new();
        check(&mut fields);
        let Err(refused) = fields.finish() else { return true };
        for field in refused.failure().fields {
            self.wrong(key, field.code, field.detail.ja, field.detail.en);
        }
        false
    }

    /// One line of text of at most `max` characters that must not be empty.
    pub fn name(&mut self, key: &str, max: usize) -> Option<String> {
        let text = self.required(key)?;
        self.check(key, |fields| fields.line("", text, max)).then(|| text.to_owned())
    }

    /// One line of text of at most `max` characters, possibly empty.
    pub fn line_or_empty(&mut self, key: &str, max: usize) -> String {
        let text = self.text(key);
        self.check(key, |fields| fields.optional_line("", text, max));
        text.to_owned()
    }

    /// A day in any of the usual notations, of either calendar; nothing for an empty cell.
    pub fn date(&mut self, key: &str) -> Option<NaiveDate> {
        let text = self.text(key);
        if text.is_empty() {
            return None;
        }
        // A date cell of a workbook may carry a time of day that nobody typed.
        let text = text.split_once('T').filter(|(day, _)| day.len() == 10).map_or(text, |(day, _)| day);
        match calendar::parse_japanese_date(text) {
            Ok(day) => Some(day),
            Err(error) => {
                self.wrong(key, error.code(), error.to_string(), error.detail_en());
                None
            }
        }
    }

    /// A day that must be given.
    pub fn required_date(&mut self, key: &str) -> Option<NaiveDate> {
        self.required(key)?;
        self.date(key)
    }

    /// A whole number within bounds; nothing for an empty cell. Full-width digits and thousands separators are read,
    /// and one of `units` may follow.
    pub fn integer(&mut self, key: &str, min: i32, max: i32, units: &[&str]) -> Option<i32> {
        let text = plain_number(self.text(key), units);
        if text.is_empty() {
            return None;
        }
        match text.parse::<i32>() {
            Ok(number) if (min..=max).contains(&number) => Some(number),
            Ok(_) => {
                self.wrong(
                    key,
                    "out_of_range",
                    format!("{min}から{max}までの値にしてください。"),
                    format!("Must be from {min} to {max}."),
                );
                None
            }
            Err(_) => {
                self.wrong(key, "not_a_number", "整数で入力してください。", "Must be a whole number.");
                None
            }
        }
    }

    /// Hours, possibly with decimals, as minutes; nothing for an empty cell.
    pub fn hours(&mut self, key: &str, max_hours: i32) -> Option<i32> {
        let text = plain_number(self.text(key), &["時間", "h"]);
        if text.is_empty() {
            return None;
        }
        match minutes_of_hours(&text) {
            Some(minutes) if minutes <= max_hours * 60 => Some(minutes),
            Some(_) => {
                self.wrong(
                    key,
                    "out_of_range",
                    format!("{max_hours}時間以内にしてください。"),
                    format!("At most {max_hours} hours."),
                );
                None
            }
            None => {
                self.wrong(
                    key,
                    "not_hours",
                    "時間数で入力してください（例：10、7.5）。分に直せない端数は使えません。",
                    "Must be hours such as 10 or 7.5 that make whole minutes.",
                );
                None
            }
        }
    }

    /// One of the words of an enum, by its stable text or its Japanese label; nothing for an empty cell. `also` gives
    /// further words people use.
    pub fn word<T: Copy + FromStr>(
        &mut self,
        key: &str,
        all: &[T],
        label: fn(T) -> &'static str,
        also: &[(&str, T)],
    ) -> Option<T> {
        let typed = self.text(key);
        if typed.is_empty() {
            return None;
        }
        let folded = text::fold(typed);
        let found = folded
            .parse::<T>()
            .ok()
            .or_else(|| all.iter().copied().find(|value| text::fold(label(*value)) == folded))
            .or_else(|| also.iter().find(|(word, _)| text::fold(word) == folded).map(|(_, value)| *value));
        if found.is_none() {
            let known: Vec<&str> = all.iter().map(|value| label(*value)).collect();
            let known = known.join("、");
            self.wrong(
                key,
                "unknown_value",
                format!("次のいずれかにしてください: {known}。"),
                format!("Must be one of: {known}."),
            );
        }
        found
    }
}

/// A number as typed, in half-width characters, without separators and unit.
fn plain_number(typed: &str, units: &[&str]) -> String {
    let folded: String = typed.nfkc().filter(|c| !c.is_whitespace() && *c != ',').collect();
    units.iter().find_map(|unit| folded.strip_suffix(unit)).unwrap_or(&folded).to_owned()
}

/// `7.5` → 450; nothing when it is no number of hours or makes no whole minutes.
fn minutes_of_hours(text: &str) -> Option<i32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 5 || fraction.len() > 4 || !digits(whole) || !digits(fraction) {
        return None;
    }
    if text.contains('.') && fraction.is_empty() {
        return None;
    }
    let scale = 10_i32.pow(u32::try_from(fraction.len()).ok()?);
    let part = if fraction.is_empty() { 0 } else { fraction.parse::<i32>().ok()? * 60 };
    (part % scale == 0).then_some(())?;
    whole.parse::<i32>().ok()?.checked_mul(60)?.checked_add(part / scale)
}

/// The entries of a cell that lists several, separated as people do.
pub fn entries(text: &str) -> Vec<&str> {
    text.split(['、', '，', ',', ';', '；', '\n']).map(str::trim).filter(|entry| !entry.is_empty()).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::imports::table::{TableLimits, read_table};
    use crate::requests::model::Mode;

    /// A CSV file as a table.
    pub(crate) fn csv(text: &str) -> Table {
        read_table(text.as_bytes(), "t.csv", &TableLimits::default()).unwrap()
    }

    const SPECS: &[ColumnSpec] = &[
        ColumnSpec { key: "day", headings: &["日付"], required: true },
        ColumnSpec { key: "minutes", headings: &["時間（分）", "分"], required: true },
        ColumnSpec { key: "hours", headings: &["時間数"], required: false },
        ColumnSpec { key: "mode", headings: &["形態"], required: false },
    ];

    fn read<T>(text: &str, with: impl FnOnce(&mut Cells<'_>) -> T) -> (T, Vec<String>) {
        let table = csv(text);
        let mut problems = Problems::default();
        let located = Located::of(&table, SPECS, &mut problems);
        let value = with(&mut Cells::new(&located, &table.rows[0], &mut problems));
        (value, problems.into_list().into_iter().map(|p| format!("{} {}", p.column, p.code)).collect())
    }

    #[test]
    fn columns_are_found_by_any_heading_and_missing_ones_are_named() {
        let table = csv("日付,分,ひとこと\nR6.5.10,120,x\n");
        let mut problems = Problems::default();
        let located = Located::of(&table, SPECS, &mut problems);
        assert!(problems.is_empty() && located.has("minutes") && !located.has("mode"));
        assert_eq!(located.ignored, ["ひとこと"]);
        let table = csv("day,形態\nx,y\n");
        Located::of(&table, SPECS, &mut problems);
        let missing = problems.into_list();
        assert_eq!((missing.len(), missing[0].code.as_str(), missing[0].column.as_str()), (1, "missing_column", "時間（分）"));
    }

    #[test]
    fn values_are_read_as_people_type_them() {
        let (values, wrong) =
            read("日付,分,時間数,形態\n令和６年５月10日,１２０分,7.5時間,ハイブリッド\n", |cells| {
                (
                    cells.required_date("day"),
                    cells.integer("minutes", 1, 1440, &["分"]),
                    cells.hours("hours", 744),
                    cells.word("mode", Mode::ALL, Mode::label_ja, &[("ハイブリッド", Mode::Hybrid)]),
                )
            });
        assert_eq!(values, (NaiveDate::from_ymd_opt(2024, 5, 10), Some(120), Some(450), Some(Mode::Hybrid)));
        assert!(wrong.is_empty());
        let (values, wrong) = read("日付,分,形態\n2024-05-10T00:00:00,90,online\n", |cells| {
            (cells.date("day"), cells.word("mode", Mode::ALL, Mode::label_ja, &[]))
        });
        assert_eq!((values, wrong.len()), ((NaiveDate::from_ymd_opt(2024, 5, 10), Some(Mode::Online)), 0));
    }

    #[test]
    fn what_is_wrong_is_told_by_column() {
        let ((), wrong) = read("日付,分,時間数,形態\nR6.4.31,-3,1.01,電話\n", |cells| {
            cells.required_date("day");
            cells.integer("minutes", 1, 1440, &["分"]);
            cells.hours("hours", 744);
            cells.word("mode", Mode::ALL, Mode::label_ja, &[]);
        });
        assert_eq!(wrong, ["日付 no_such_day", "時間（分） out_of_range", "時間数 not_hours", "形態 unknown_value"]);
        let (value, wrong) =
            read("日付,分\n,abc\n", |cells| (cells.required_date("day"), cells.integer("minutes", 1, 9, &[])));
        assert_eq!((value, wrong), ((None, None), vec!["日付 required".to_owned(), "時間（分） not_a_number".to_owned()]));
    }

    #[test]
    fn hours_become_whole_minutes_exactly() {
        for (text, minutes) in [("10", Some(600)), ("0.25", Some(15)), ("7.5", Some(450)), ("1.1", Some(66))] {
            assert_eq!(minutes_of_hours(text), minutes, "{text}");
        }
        for refused in ["", ".", "1.", ".5", "-1", "1e3", "0.01", "123456"] {
            assert_eq!(minutes_of_hours(refused), None, "{refused}");
        }
    }

    #[test]
    fn several_bodies_stand_in_one_cell() {
        assert_eq!(entries("浜松市、 湖西市；磐田市"), ["浜松市", "湖西市", "磐田市"]);
        assert!(entries(" 、").is_empty());
    }
}
