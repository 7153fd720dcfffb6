//! Reading a table out of an uploaded file: CSV or xlsx, told apart by content.
//!
//! This room turns bytes of unknown origin into headings and rows of text, and nothing more: what
//! a column means, and whether a row may be imported, is decided by the areas. It never panics and
//! never lets a small file grow large in memory: every size is counted while reading, not believed
//! from what the file declares.
//!
//! CSV is UTF-8 (with or without byte order mark) or Windows-31J, as municipal desks still send
//! it. Of an xlsx workbook the first visible sheet is read. Blank rows are skipped; the first row
//! that is not blank holds the headings.

mod csv_text;
mod part_scan;
mod problem;
mod workbook;

pub use problem::{SizeLimit, TableProblem, WorkbookFault};

use unicode_normalization::UnicodeNormalization;

/// First bytes of every zip container, hence of every xlsx workbook.
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";
/// First bytes of a compound file: an old .xls, or an xlsx protected by a password.
const COMPOUND_FILE_MAGIC: &[u8] = b"\xD0\xCF\x11\xE0";

/// How large an uploaded table may be. The bounds on cells and text keep what is held in memory
/// below about 64 MiB whatever the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableLimits {
    /// Bytes of the uploaded file.
    pub upload_bytes: usize,
    /// Bytes of all parts of a workbook together after decompression.
    pub inflated_bytes: usize,
    /// Parts (zip entries) of a workbook.
    pub entries: usize,
    /// Rows below the heading.
    pub rows: usize,
    /// Columns of a row.
    pub columns: usize,
    /// Cells of all rows, counting blanks before a filled cell.
    pub cells: usize,
    /// Bytes of text in all cells, as UTF-8.
    pub text_bytes: usize,
}

impl Default for TableLimits {
    fn default() -> Self {
        Self {
            upload_bytes: 10 << 20,
            inflated_bytes: 64 << 20,
            entries: 2_000,
            rows: 100_000,
            columns: 200,
            cells: 600_000,
            text_bytes: 16 << 20,
        }
    }
}

/// A table as read: headings and rows of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The headings as written in the file, trailing blank ones left off.
    pub headers: Vec<String>,
    /// Line (CSV) or row (xlsx) of the headings in the source, counted from 1.
    pub header_line: usize,
    /// The rows below the headings in their order, blank ones left out. May be none.
    pub rows: Vec<Row>,
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Line (CSV: where the record starts) or row (xlsx) in the source, counted from 1.
    pub line: usize,
    /// The cells as text, trailing blank ones left off: read them through [`Row::cell`].
    pub cells: Vec<String>,
}

impl Row {
    /// The text of a column (counted from 0); empty where the row ends earlier.
    #[must_use]
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

impl Table {
    /// The position (from 0) of the first column whose heading is one of `aliases`.
    ///
    /// Headings are compared after NFKC, without any blanks and line breaks and in lower case, so
    /// that `都道府県名\n（ｶﾅ）` is found as `都道府県名（カナ）`.
    #[must_use]
    pub fn column(&self, aliases: &[&str]) -> Option<usize> {
        let headers: Vec<String> = self.headers.iter().map(|h| fold_header(h)).collect();
        aliases.iter().find_map(|alias| {
            let wanted = fold_header(alias);
            headers.iter().position(|header| *header == wanted)
        })
    }
}

fn fold_header(header: &str) -> String {
    header.nfkc().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// Reads a CSV or xlsx file into a [`Table`].
///
/// The content decides the format; `file_name` only serves to refuse a file that calls itself a
/// workbook and is none. In an xlsx, whole numbers come out as plain digits (`10006`), dates as
/// ISO 8601 (`2025-04-01`, with `T09:30:00` when they carry a time), clock times as `09:30` and
/// durations as hours and minutes (`26:30`).
///
/// # Errors
/// A [`TableProblem`]; nothing of a refused file is returned.
pub fn read_table(bytes: &[u8], file_name: &str, limits: &TableLimits) -> Result<Table, TableProblem> {
    if bytes.len() > limits.upload_bytes {
        return Err(TableProblem::TooLarge(SizeLimit::UploadBytes(limits.upload_bytes)));
    }
    let mut builder = TableBuilder::new(limits);
    if bytes.starts_with(ZIP_MAGIC) {
        workbook::read(bytes, limits, &mut builder)?;
    } else if bytes.starts_with(COMPOUND_FILE_MAGIC) {
        return Err(TableProblem::BadXlsx(WorkbookFault::OldOrProtected));
    } else if claims_to_be_a_workbook(file_name) && !bytes.is_empty() {
        return Err(TableProblem::BadXlsx(WorkbookFault::NotAWorkbook));
    } else {
        csv_text::read(bytes, limits, &mut builder)?;
    }
    builder.finish()
}

fn claims_to_be_a_workbook(file_name: &str) -> bool {
    std::path::Path::new(file_name)
        .extension()
        .and_then(std::ffi::OsStr::to_str)
        .is_some_and(|e| ["xlsx", "xlsm", "xls"].iter().any(|x| e.eq_ignore_ascii_case(x)))
}

/// Collects cells in reading order and enforces the bounds before it copies any text.
struct TableBuilder<'l> {
    limits: &'l TableLimits,
    header: Option<Row>,
    rows: Vec<Row>,
    current: Row,
    cells: usize,
    text_bytes: usize,
}

impl<'l> TableBuilder<'l> {
    fn new(limits: &'l TableLimits) -> Self {
        Self { limits, header: None, rows: Vec::new(), current: Row { line: 0, cells: Vec::new() }, cells: 0, text_bytes: 0 }
    }

    /// Starts the row at `line`, ending the one before.
    fn begin_row(&mut self, line: usize) -> Result<(), TableProblem> {
        let finished = std::mem::replace(&mut self.current, Row { line, cells: Vec::new() });
        self.keep(finished)
    }

    /// Sets a cell of the current row. Empty text leaves the cell unset.
    fn set(&mut self, column: usize, text: &str) -> Result<(), TableProblem> {
        if text.is_empty() {
            return Ok(());
        }
        if column >= self.limits.columns {
            return Err(TableProblem::TooManyColumns { max: self.limits.columns, line: self.current.line });
        }
        if text.contains('\0') {
            return Err(TableProblem::NulByte);
        }
        self.text_bytes = self.text_bytes.saturating_add(text.len());
        if self.text_bytes > self.limits.text_bytes {
            return Err(TableProblem::TooLarge(SizeLimit::TextBytes(self.limits.text_bytes)));
        }
        if column >= self.current.cells.len() {
            self.cells += column + 1 - self.current.cells.len();
            if self.cells > self.limits.cells {
                return Err(TableProblem::TooLarge(SizeLimit::Cells(self.limits.cells)));
            }
            self.current.cells.resize(column + 1, String::new());
        }
        if let Some(cell) = self.current.cells.get_mut(column) {
            text.clone_into(cell);
        }
        Ok(())
    }

    fn keep(&mut self, mut row: Row) -> Result<(), TableProblem> {
        while row.cells.last().is_some_and(|c| c.trim().is_empty()) {
            row.cells.pop();
        }
        if row.cells.is_empty() {
            return Ok(());
        }
        row.cells.shrink_to_fit();
        if self.header.is_none() {
            refuse_duplicate_headings(&row.cells)?;
            self.header = Some(row);
        } else if self.rows.len() >= self.limits.rows {
            return Err(TableProblem::TooManyRows { max: self.limits.rows });
        } else {
            self.rows.push(row);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Table, TableProblem> {
        self.begin_row(0)?;
        let header = self.header.ok_or(TableProblem::Empty)?;
        Ok(Table { headers: header.cells, header_line: header.line, rows: self.rows })
    }
}

/// Two columns of the same heading leave open which one counts, so the file is refused.
fn refuse_duplicate_headings(headings: &[String]) -> Result<(), TableProblem> {
    let mut seen = std::collections::HashSet::new();
    for heading in headings {
        let folded = fold_header(heading);
        if !folded.is_empty() && !seen.insert(folded) {
            return Err(TableProblem::DuplicateHeader { name: heading.chars().take(100).collect() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(bytes: &[u8]) -> Result<Table, TableProblem> {
        read_table(bytes, "名簿.csv", &TableLimits::default())
    }

    #[test]
    fn headings_are_found_whatever_their_width_and_line_breaks() {
        let table = csv("団体コード,\"都道府県名\n（ｶﾅ）\",Name EN\n010006,ﾎｯｶｲﾄﾞｳ\n".as_bytes()).unwrap();
        assert_eq!(table.column(&["団体コード"]), Some(0));
        assert_eq!(table.column(&["nothing", "都道府県名(カナ)"]), Some(1));
        assert_eq!(table.column(&["name　en"]), Some(2));
        assert_eq!(table.column(&["市区町村名"]), None);
        assert_eq!(table.rows[0].line, 3);
        assert_eq!(table.rows[0].cell(1), "ﾎｯｶｲﾄﾞｳ");
        assert_eq!(table.rows[0].cell(2), "");
    }

    #[test]
    fn blank_rows_and_trailing_blank_cells_are_left_out() {
        let table = csv("\n\na,b,,\n,,\n1,,,\n , \n,2\n".as_bytes()).unwrap();
        assert_eq!(table.headers, ["a", "b"]);
        assert_eq!(table.header_line, 3);
        let rows: Vec<_> = table.rows.iter().map(|r| (r.line, r.cells.len())).collect();
        assert_eq!(rows, [(5, 1), (7, 2)]);
    }

    #[test]
    fn files_without_a_table_are_refused() {
        for empty in ["", "\n\n", ",,,\n", "\u{FEFF}"] {
            assert_eq!(csv(empty.as_bytes()), Err(TableProblem::Empty), "{empty:?}");
        }
        assert_eq!(csv(b"\xD0\xCF\x11\xE0rest"), Err(TableProblem::BadXlsx(WorkbookFault::OldOrProtected)));
        assert_eq!(
            read_table(b"a,b\n1,2\n", "list.XLSX", &TableLimits::default()),
            Err(TableProblem::BadXlsx(WorkbookFault::NotAWorkbook))
        );
    }

    #[test]
    fn a_heading_may_stand_only_once() {
        let problem = csv("氏名,メール,氏 名\n".as_bytes()).unwrap_err();
        assert_eq!(problem, TableProblem::DuplicateHeader { name: "氏 名".into() });
        assert!(csv("a,,,b\n1,2,3,4\n".as_bytes()).is_ok());
    }

    #[test]
    fn every_bound_is_enforced() {
        let limits = TableLimits { upload_bytes: 60, rows: 2, columns: 3, cells: 8, text_bytes: 20, ..TableLimits::default() };
        let read = |text: &str| read_table(text.as_bytes(), "a.csv", &limits);
        assert!(read("a,b,c\n1,2\n3,4\n").is_ok());
        assert_eq!(read(&"x".repeat(61)), Err(TableProblem::TooLarge(SizeLimit::UploadBytes(60))));
        assert_eq!(read("a\n1\n2\n3\n"), Err(TableProblem::TooManyRows { max: 2 }));
        assert_eq!(read("a,b\n1,2,3,4\n"), Err(TableProblem::TooManyColumns { max: 3, line: 2 }));
        assert_eq!(read("a,b,c\n1,2,3\n,,3\n"), Err(TableProblem::TooLarge(SizeLimit::Cells(8))));
        assert_eq!(read(&format!("a\n{}\n", "x".repeat(30))), Err(TableProblem::TooLarge(SizeLimit::TextBytes(20))));
    }
}
