//! xlsx: what the container really unpacks to, then the cells of its first visible sheet.

use super::part_scan::{PartKind, PartScan};
use super::{SizeLimit, TableBuilder, TableLimits, TableProblem, WorkbookFault};
use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx};
use chrono::{NaiveDateTime, NaiveTime};
use std::borrow::Cow;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Signature of an entry in the directory at the end of a zip container.
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";
/// Most bytes of images and other parts that are no XML, all together.
const LARGEST_BINARY: usize = 16 << 20;

const DAMAGED: TableProblem = TableProblem::BadXlsx(WorkbookFault::Damaged);

/// Reads the first visible sheet of a workbook into the builder.
pub(super) fn read(bytes: &[u8], limits: &TableLimits, builder: &mut TableBuilder<'_>) -> Result<(), TableProblem> {
    inspect(bytes, limits)?;
    // The library is careful but large; a panic in it must cost one upload, not the process.
    catch_unwind(AssertUnwindSafe(|| read_first_sheet(bytes, builder))).unwrap_or(Err(DAMAGED))
}

/// Inflates every part once, counting, and keeps nothing. The sizes a container declares are
/// never believed.
fn inspect(bytes: &[u8], limits: &TableLimits) -> Result<(), TableProblem> {
    let too_many_entries = || TableProblem::TooLarge(SizeLimit::Entries(limits.entries));
    // Counted before the container is opened, since opening it already builds the directory.
    let announced = bytes.windows(DIRECTORY_ENTRY.len()).filter(|window| *window == DIRECTORY_ENTRY).count();
    if announced > limits.entries {
        return Err(too_many_entries());
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| DAMAGED)?;
    if archive.len() > limits.entries {
        return Err(too_many_entries());
    }
    let mut inflated: usize = 0;
    let mut binary: usize = 0;
    let mut buffer = vec![0; 64 << 10];
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|_| DAMAGED)?;
        let name = part.name().map_err(|_| DAMAGED)?.into_owned();
        let mut scan = PartScan::new(&name);
        let before = inflated;
        loop {
            let read = part.read(&mut buffer).map_err(|_| DAMAGED)?;
            if read == 0 {
                break;
            }
            inflated = inflated.saturating_add(read);
            if inflated > limits.inflated_bytes {
                return Err(TableProblem::TooLarge(SizeLimit::InflatedBytes(limits.inflated_bytes)));
            }
            scan.feed(buffer.get(..read).unwrap_or_default())?;
        }
        if scan.finish()? == PartKind::Binary {
            binary += inflated - before;
            if binary > LARGEST_BINARY {
                return Err(TableProblem::TooLarge(SizeLimit::InflatedBytes(LARGEST_BINARY)));
            }
        }
    }
    Ok(())
}

/// Streams the cells: a grid of the sheet's declared size is never built, so one cell in the last
/// corner costs nothing.
fn read_first_sheet(bytes: &[u8], builder: &mut TableBuilder<'_>) -> Result<(), TableProblem> {
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(refused)?;
    let name = workbook
        .sheets_metadata()
        .iter()
        .find(|s| s.typ == SheetType::WorkSheet && s.visible == SheetVisible::Visible)
        .map(|s| s.name.clone())
        .ok_or(TableProblem::BadXlsx(WorkbookFault::NoSheet))?;
    let mut cells = workbook.worksheet_cells_reader(&name).map_err(refused)?;
    let mut row = 0;
    while let Some(cell) = cells.next_cell().map_err(refused)? {
        let (r, c) = cell.get_position();
        let line = usize::try_from(r).map_or(usize::MAX, |r| r.saturating_add(1));
        if line < row {
            return Err(DAMAGED);
        }
        let text = cell_text(cell.get_value());
        if text.is_empty() {
            continue;
        }
        if line > row {
            builder.begin_row(line)?;
            row = line;
        }
        builder.set(usize::try_from(c).unwrap_or(usize::MAX), &text)?;
    }
    Ok(())
}

fn refused(error: calamine::XlsxError) -> TableProblem {
    TableProblem::BadXlsx(match error {
        calamine::XlsxError::Password => WorkbookFault::OldOrProtected,
        _ => WorkbookFault::Damaged,
    })
}

/// What the cell shows, in a form that does not depend on how it is formatted.
fn cell_text<'c>(value: &'c DataRef<'_>) -> Cow<'c, str> {
    match value {
        DataRef::Empty => Cow::Borrowed(""),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cow::Borrowed(text),
        DataRef::SharedString(text) => Cow::Borrowed(text),
        DataRef::Int(n) => Cow::Owned(n.to_string()),
        DataRef::Float(n) => Cow::Owned(number_text(*n)),
        DataRef::Bool(true) => Cow::Borrowed("TRUE"),
        DataRef::Bool(false) => Cow::Borrowed("FALSE"),
        DataRef::DateTime(moment) => Cow::Owned(moment_text(*moment)),
        // `#N/A` and the like: the importer sees that the cell holds no usable value.
        DataRef::Error(error) => Cow::Owned(error.to_string()),
    }
}

/// Spreadsheets hold every number as a float; whole ones are meant as integers. Codes and
/// identifiers typed as numbers come out with all their digits, never as `10006.0` or `1e6`.
fn number_text(n: f64) -> String {
    // Display of a float never uses an exponent and is exact for whole numbers.
    if n == 0.0 {
        "0".to_owned()
    } else if n.abs() < 1e15 {
        format!("{n}")
    } else {
        format!("{n:e}")
    }
}

fn moment_text(moment: ExcelDateTime) -> String {
    if moment.is_duration() {
        return duration_text(moment.as_f64());
    }
    match moment.as_datetime() {
        Some(at) if (0.0..1.0).contains(&moment.as_f64()) => clock_text(at.time()),
        Some(at) => datetime_text(at),
        None => number_text(moment.as_f64()),
    }
}

fn datetime_text(at: NaiveDateTime) -> String {
    if at.time() == NaiveTime::MIN { at.format("%Y-%m-%d").to_string() } else { at.format("%Y-%m-%dT%H:%M:%S").to_string() }
}

fn clock_text(time: NaiveTime) -> String {
    let text = time.format("%H:%M:%S").to_string();
    text.strip_suffix(":00").unwrap_or(&text).to_owned()
}

/// Hours beyond a day stay hours: 1.104166… days are `26:30`.
fn duration_text(days: f64) -> String {
    let seconds = (days * 86_400.0).round();
    if !(0.0..1e12).contains(&seconds) {
        return number_text(days);
    }
    let (hours, rest) = ((seconds / 3_600.0).floor(), seconds % 3_600.0);
    let (minutes, seconds) = ((rest / 60.0).floor(), rest % 60.0);
    if seconds == 0.0 { format!("{hours}:{minutes:02}") } else { format!("{hours}:{minutes:02}:{seconds:02}") }
}

#[cfg(test)]
#[path = "workbook_tests.rs"]
mod tests;
