//! xlsx: one worksheet with a frozen heading, text cells for text, real dates and fitting widths.

use super::{Cell, ColumnKind, Sheet, percent_text};
use chrono::{Datelike, NaiveDate};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};
use std::fmt;

/// Rows of an xlsx worksheet below the heading.
const MOST_ROWS: usize = 1_048_575;
/// Columns of an xlsx worksheet.
const MOST_COLUMNS: usize = 16_384;
/// Characters of an xlsx cell, counted as UTF-16.
const LONGEST_TEXT: usize = 32_767;
/// Beyond 15 digits a spreadsheet loses the last ones, so such numbers are written as text.
const LARGEST_EXACT: u64 = 999_999_999_999_999;
/// Width of a column, in digits of the standard font.
const NARROWEST: usize = 6;
const WIDEST: usize = 60;
/// Rows looked at to find a fitting width.
const ROWS_MEASURED: usize = 1_000;

/// Why a sheet cannot be written as xlsx.
#[derive(Debug)]
pub enum XlsxProblem {
    /// More rows or columns than a worksheet has.
    TooLarge,
    /// A text longer than the 32,767 characters a cell holds.
    TextTooLong {
        /// Row of the worksheet, the heading being 1.
        row: usize,
        /// Key of the column.
        column: &'static str,
    },
    /// The library failed, which for valid input means a defect.
    Writer(XlsxError),
}

impl fmt::Display for XlsxProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("more rows or columns than a worksheet has"),
            Self::TextTooLong { row, column } => {
                write!(f, "text in row {row}, column {column} is too long for a cell")
            }
            Self::Writer(error) => write!(f, "writing the workbook failed: {error}"),
        }
    }
}

impl std::error::Error for XlsxProblem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Writer(error) => Some(error),
            _ => None,
        }
    }
}

impl From<XlsxError> for XlsxProblem {
    fn from(error: XlsxError) -> Self {
        Self::Writer(error)
    }
}

/// The sheet as an xlsx workbook with Japanese headings.
///
/// Text is written as text, so nothing in it is ever a formula, a link or a number. The same sheet
/// always gives the same bytes.
///
/// # Errors
/// [`XlsxProblem`] when the sheet does not fit a worksheet.
pub fn to_xlsx(sheet: &Sheet) -> Result<Vec<u8>, XlsxProblem> {
    if sheet.rows.len() > MOST_ROWS || sheet.columns.len() > MOST_COLUMNS {
        return Err(XlsxProblem::TooLarge);
    }
    let mut book = Workbook::new();
    // Without a fixed day the library would stamp the file with the machine's clock.
    book.set_properties(
        &DocProperties::new().set_title(&sheet.title).set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?),
    );
    let page = book.add_worksheet();
    page.set_name(worksheet_name(&sheet.title))?;
    page.set_freeze_panes(1, 0)?;

    let heading = Format::new().set_bold().set_align(FormatAlign::Center);
    let formats: Vec<Format> = sheet.columns.iter().map(|c| format_of(c.kind)).collect();
    for (index, column) in (0_u16..).zip(&sheet.columns) {
        page.write_string_with_format(0, index, column.label_ja, &heading)?;
        page.set_column_width(index, f64::from(width(sheet, usize::from(index))))?;
    }
    for (row, cells) in (1_u32..).zip(&sheet.rows) {
        for ((column, cell), (described, format)) in (0_u16..).zip(cells).zip(sheet.columns.iter().zip(&formats)) {
            if let Cell::Text(text) = cell
                && text.encode_utf16().count() > LONGEST_TEXT
            {
                return Err(XlsxProblem::TextTooLong { row: row as usize + 1, column: described.key });
            }
            write_cell(page, row, column, cell, format)?;
        }
    }
    Ok(book.save_to_buffer()?)
}

fn write_cell(page: &mut Worksheet, row: u32, column: u16, cell: &Cell, format: &Format) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => {}
        Cell::Text(text) => {
            page.write_string_with_format(row, column, text, format)?;
        }
        Cell::Int(number) if number.unsigned_abs() <= LARGEST_EXACT => {
            #[expect(clippy::cast_precision_loss, reason = "at most 15 digits, which a float holds exactly")]
            page.write_number_with_format(row, column, *number as f64, format)?;
        }
        Cell::Int(number) => {
            page.write_string(row, column, number.to_string())?;
        }
        Cell::Date(day) => match excel_day(*day) {
            Some(day) => {
                page.write_datetime_with_format(row, column, &day, format)?;
            }
            None => {
                page.write_string(row, column, day.to_string())?;
            }
        },
        Cell::Percent(hundredths) if hundredths.unsigned_abs() <= LARGEST_EXACT => {
            #[expect(clippy::cast_precision_loss, reason = "a share for display; at most 15 digits")]
            page.write_number_with_format(row, column, *hundredths as f64 / 10_000.0, format)?;
        }
        Cell::Percent(hundredths) => {
            page.write_string(row, column, percent_text(*hundredths))?;
        }
    }
    Ok(())
}

/// The day as spreadsheets count it; they know only the years 1900 to 9999, and count the first
/// two months of 1900 wrongly.
fn excel_day(day: NaiveDate) -> Option<ExcelDateTime> {
    let year = u16::try_from(day.year()).ok().filter(|y| *y > 1900)?;
    let month = u8::try_from(day.month()).ok()?;
    let of_month = u8::try_from(day.day()).ok()?;
    ExcelDateTime::from_ymd(year, month, of_month).ok()
}

fn format_of(kind: ColumnKind) -> Format {
    let format = Format::new();
    match kind {
        ColumnKind::Text => format,
        // `@` keeps a code a code when somebody edits the cell.
        ColumnKind::Code => format.set_num_format("@"),
        ColumnKind::Integer => format.set_num_format("0"),
        ColumnKind::Yen => format.set_num_format("#,##0"),
        ColumnKind::Date => format.set_num_format("yyyy-mm-dd"),
        ColumnKind::Percent => format.set_num_format("0.0%"),
    }
}

/// A worksheet name Excel accepts: at most 31 characters as UTF-16, none of `[]:*?/\`, no
/// apostrophe at either end, not blank and not its reserved word.
fn worksheet_name(title: &str) -> String {
    let mut name = String::new();
    let mut length = 0;
    for c in title.chars().filter(|c| !c.is_control()) {
        let c = if "[]:*?/\\".contains(c) { '_' } else { c };
        length += c.len_utf16();
        if length > 31 {
            break;
        }
        name.push(c);
    }
    let name = name.trim().trim_matches('\'').trim();
    if name.is_empty() || name.eq_ignore_ascii_case("history") { "Sheet1".to_owned() } else { name.to_owned() }
}

fn width(sheet: &Sheet, column: usize) -> u8 {
    let heading = sheet.columns.get(column).map_or(0, |c| shown_width(c.label_ja));
    let widest = sheet
        .rows
        .iter()
        .take(ROWS_MEASURED)
        .filter_map(|row| row.get(column))
        .map(|cell| match cell {
            Cell::Text(text) => text.lines().map(shown_width).max().unwrap_or(0),
            // A sign and thousands separators may come on top of the digits.
            Cell::Int(number) => number.to_string().len() * 4 / 3 + 1,
            Cell::Date(_) => 10,
            Cell::Percent(hundredths) => percent_text(*hundredths).len(),
            Cell::Empty => 0,
        })
        .fold(heading, usize::max);
    u8::try_from((widest + 2).clamp(NARROWEST, WIDEST)).unwrap_or(u8::MAX)
}

/// Width in half-width characters. Half-width kana are the only narrow ones beyond Latin.
fn shown_width(text: &str) -> usize {
    text.chars()
        .take(WIDEST)
        .map(|c| match c {
            '\u{0}'..='\u{2FF}' | '\u{FF61}'..='\u{FF9F}' => 1,
            _ => 2,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::super::{Column, sample};
    use super::*;
    use calamine::{Data, Reader, Xlsx};
    use std::io::{Cursor, Read};

    fn open(bytes: &[u8]) -> Xlsx<Cursor<Vec<u8>>> {
        Xlsx::new(Cursor::new(bytes.to_vec())).unwrap()
    }

    fn part(bytes: &[u8], name: &str) -> String {
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut text = String::new();
        zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn types_are_kept() {
        let bytes = to_xlsx(&sample()).unwrap();
        let mut book = open(&bytes);
        assert_eq!(book.sheet_names(), ["派遣実績：R6_団体別"]);
        let range = book.worksheet_range("派遣実績：R6_団体別").unwrap();
        let at = |r, c| range.get_value((r, c)).unwrap().clone();
        assert_eq!(at(0, 0), Data::String("団体コード".into()));
        assert_eq!(at(1, 0), Data::String("010006".into()));
        assert_eq!(at(1, 2), Data::Float(3.0));
        assert_eq!(at(1, 3), Data::Float(-20_000.0));
        let Data::DateTime(day) = at(1, 4) else { unreachable!("a real date, not text") };
        assert_eq!(day.as_datetime().unwrap().date(), NaiveDate::from_ymd_opt(2025, 3, 31).unwrap());
        assert_eq!(at(1, 5), Data::Float(0.3333));
        assert_eq!(at(2, 1), Data::String("=HYPERLINK(\"http://x\")".into()));
        assert_eq!(at(2, 3), Data::Empty);
        let formulas = book.worksheet_formula("派遣実績：R6_団体別").unwrap();
        assert!(formulas.used_cells().next().is_none());
    }

    #[test]
    fn the_heading_stays_and_columns_fit() {
        let bytes = to_xlsx(&sample()).unwrap();
        let page = part(&bytes, "xl/worksheets/sheet1.xml");
        assert!(page.contains("<pane ySplit=\"1\" topLeftCell=\"A2\""));
        assert!(page.contains("<col min=\"1\" max=\"1\""));
        assert_eq!(width(&sample(), 0), 12);
        assert_eq!(to_xlsx(&sample()).unwrap(), bytes);
    }

    #[test]
    fn numbers_and_days_a_spreadsheet_would_spoil_become_text() {
        let mut sheet = sample();
        sheet.rows = vec![vec![
            Cell::Empty,
            Cell::Empty,
            Cell::Int(9_007_199_254_740_993),
            Cell::Int(999_999_999_999_999),
            Cell::Date(NaiveDate::from_ymd_opt(1868, 10, 23).unwrap()),
            Cell::Empty,
        ]];
        let mut book = open(&to_xlsx(&sheet).unwrap());
        let range = book.worksheet_range_at(0).unwrap().unwrap();
        let text = |c| range.get_value((1, c)).unwrap().clone();
        assert_eq!(text(2), Data::String("9007199254740993".into()));
        assert_eq!(text(3), Data::Float(999_999_999_999_999.0));
        assert_eq!(text(4), Data::String("1868-10-23".into()));
    }

    #[test]
    fn what_does_not_fit_is_refused_not_cut() {
        let mut sheet = sample();
        sheet.rows[1][1] = Cell::Text("あ".repeat(LONGEST_TEXT + 1));
        let problem = to_xlsx(&sheet).unwrap_err();
        assert!(matches!(problem, XlsxProblem::TextTooLong { row: 3, column: "name" }));
        sheet.columns =
            (0..=MOST_COLUMNS).map(|_| Column { key: "k", label_ja: "列", label_en: "c", kind: ColumnKind::Text }).collect();
        assert!(matches!(to_xlsx(&sheet), Err(XlsxProblem::TooLarge)));
    }

    #[test]
    fn every_title_gives_a_name_excel_accepts() {
        for (title, name) in [
            ("", "Sheet1"),
            ("  ", "Sheet1"),
            ("'''", "Sheet1"),
            ("History", "Sheet1"),
            ("a/b:c*d?[e]\\", "a_b_c_d__e__"),
            ("'x'", "x"),
        ] {
            assert_eq!(worksheet_name(title), name, "{title}");
        }
        let long = worksheet_name(&"𠮷".repeat(40));
        assert_eq!(long.encode_utf16().count(), 30);
        let mut sheet = sample();
        sheet.title = long;
        assert!(to_xlsx(&sheet).is_ok());
    }
}
