//! CSV: which encoding, whether the quoting is sound, and on which line each record starts.

use super::{TableBuilder, TableLimits, TableProblem};
use encoding_rs::SHIFT_JIS;
use std::borrow::Cow;

const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";
const UTF16_BOMS: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// Reads CSV text into the builder.
pub(super) fn read(bytes: &[u8], limits: &TableLimits, builder: &mut TableBuilder<'_>) -> Result<(), TableProblem> {
    let text = decode(bytes)?;
    let text = unify_line_breaks(&text);
    check_shape(&text, limits)?;

    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut lines = LineCounter::new(&text);
    let mut record = csv::StringRecord::new();
    loop {
        let start = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(_) => {
                return Err(TableProblem::BadCsv { line: lines.line_of_record(start) });
            }
        }
        builder.begin_row(lines.line_of_record(start))?;
        for (column, field) in record.iter().enumerate() {
            builder.set(column, field)?;
        }
    }
}

/// UTF-8 if it is valid UTF-8, else Windows-31J if it is valid Windows-31J.
///
/// `SHIFT_JIS` of the Encoding Standard is Windows-31J (code page 932), NEC and IBM extensions
/// included.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, TableProblem> {
    if UTF16_BOMS.iter().any(|bom| bytes.starts_with(bom)) {
        return Err(TableProblem::NotUtf8NorWindows31J);
    }
    if bytes.contains(&0) {
        return Err(TableProblem::NulByte);
    }
    if let Some(rest) = bytes.strip_prefix(UTF8_BOM) {
        // A file that says it is UTF-8 is held to it.
        return std::str::from_utf8(rest).map(Cow::Borrowed).map_err(|_| TableProblem::NotUtf8NorWindows31J);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    SHIFT_JIS
        .decode_without_bom_handling_and_without_replacement(bytes)
        .filter(|_| !is_mostly_utf8(bytes))
        .ok_or(TableProblem::NotUtf8NorWindows31J)
}

/// Whether bytes that are not valid UTF-8 are all the same UTF-8 with a flaw, or two encodings
/// pasted together.
///
/// Most UTF-8 Japanese also decodes as Windows-31J, into rubbish nobody typed. Kana tell the two
/// apart: E3 81–83 and a continuation byte in UTF-8, 82 9F–F1 or 83 40–96 in Windows-31J.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let utf8 = bytes.windows(3).filter(|w| matches!(w, [0xE3, 0x81..=0x83, 0x80..=0xBF])).count();
    let windows_31j = bytes.windows(2).filter(|w| matches!(w, [0x82, 0x9F..=0xF1] | [0x83, 0x40..=0x96])).count();
    // In UTF-8 kana the second and third byte can look like Windows-31J kana, once per kana.
    utf8 >= 2 && utf8 * 2 > windows_31j
}

/// Old Macintosh files break lines with CR alone. If a file has no LF at all, its CRs are breaks.
fn unify_line_breaks(text: &str) -> Cow<'_, str> {
    if text.contains('\r') && !text.contains('\n') { Cow::Owned(text.replace('\r', "\n")) } else { Cow::Borrowed(text) }
}

/// Refuses broken quoting and unreasonable width before the parser sees the text.
///
/// The parser reads a quotation mark that is never closed as one field to the end of the file,
/// and keeps an index of every field of a record, so that ten megabytes of commas would cost a
/// hundred. A quotation mark inside an unquoted field is taken literally, as the parser does.
fn check_shape(text: &str, limits: &TableLimits) -> Result<(), TableProblem> {
    enum State {
        FieldStart,
        Unquoted,
        Quoted,
        AfterQuote,
    }
    let mut state = State::FieldStart;
    let (mut line, mut field_line, mut record_line) = (1, 1, 1);
    let mut columns = 1;
    for byte in text.bytes() {
        let ends_record = byte == b'\n' || byte == b'\r';
        state = match (state, byte) {
            (State::Quoted, b'"') => State::AfterQuote,
            (State::Quoted, _) => State::Quoted,
            (State::FieldStart, b'"') => {
                field_line = line;
                State::Quoted
            }
            (State::AfterQuote, b'"') => State::Quoted,
            (_, b',') => {
                columns += 1;
                State::FieldStart
            }
            _ if ends_record => State::FieldStart,
            (State::AfterQuote, _) => return Err(TableProblem::BadCsv { line: field_line }),
            (State::FieldStart | State::Unquoted, _) => State::Unquoted,
        };
        if columns > limits.columns {
            return Err(TableProblem::TooManyColumns { max: limits.columns, line: record_line });
        }
        line += usize::from(byte == b'\n');
        if ends_record && !matches!(state, State::Quoted) {
            columns = 1;
            record_line = line;
        }
    }
    if matches!(state, State::Quoted) {
        return Err(TableProblem::BadCsv { line: field_line });
    }
    Ok(())
}

/// Turns byte offsets, asked for in rising order, into line numbers.
struct LineCounter<'t> {
    bytes: &'t [u8],
    counted: usize,
    line: usize,
}

impl<'t> LineCounter<'t> {
    fn new(text: &'t str) -> Self {
        Self { bytes: text.as_bytes(), counted: 0, line: 1 }
    }

    /// The line of the record that starts at `offset` or after the line breaks found there: the
    /// parser's own position stands before the blank lines it skips.
    fn line_of_record(&mut self, offset: usize) -> usize {
        while let Some(&byte) = self.bytes.get(self.counted) {
            if self.counted >= offset && byte != b'\n' && byte != b'\r' {
                break;
            }
            self.line += usize::from(byte == b'\n');
            self.counted += 1;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Table, read_table};
    use super::*;

    fn csv(bytes: &[u8]) -> Result<Table, TableProblem> {
        read_table(bytes, "a.csv", &TableLimits::default())
    }

    fn windows_31j(text: &str) -> Vec<u8> {
        let (bytes, _, lossy) = SHIFT_JIS.encode(text);
        assert!(!lossy);
        bytes.into_owned()
    }

    #[test]
    fn both_encodings_read_the_same() {
        let text = "氏名,会社\r\n髙﨑 ﾊﾅｺ,㈱ソフト①\r\n";
        let plain = csv(text.as_bytes()).unwrap();
        assert_eq!(plain.rows[0].cells, ["髙﨑 ﾊﾅｺ", "㈱ソフト①"]);
        assert_eq!(csv(format!("\u{FEFF}{text}").as_bytes()).unwrap(), plain);
        assert_eq!(csv(&windows_31j(text)).unwrap(), plain);
    }

    #[test]
    fn unknown_and_mixed_encodings_are_refused() {
        let mut broken = "氏名\nやまだはなこ\n".as_bytes().to_vec();
        broken.push(0xFF);
        let mut mixed = "氏名,かな\n山田,やまだ\nさとう,佐藤\n".as_bytes().to_vec();
        mixed.extend(windows_31j("鈴木,スズキ\n"));
        let utf16: Vec<u8> = std::iter::once(0xFEFF).chain("氏名".encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let bom_then_windows = [UTF8_BOM, &windows_31j("氏名\nはなこ\n")].concat();
        for bytes in [broken, mixed, utf16, bom_then_windows, vec![b'a', 0xFD]] {
            assert_eq!(csv(&bytes), Err(TableProblem::NotUtf8NorWindows31J), "{bytes:x?}");
        }
        assert_eq!(csv(b"a,b\n1\0,2\n"), Err(TableProblem::NulByte));
    }

    #[test]
    fn quoted_fields_keep_commas_breaks_and_quotes() {
        let table = csv(b"a,b\r\n\"1,\r\n\"\"x\"\"\",2\r\n3,\"\"\r\n").unwrap();
        assert_eq!(table.rows[0].cells, ["1,\r\n\"x\"", "2"]);
        assert_eq!((table.rows[0].line, table.rows[1].line), (2, 4));
        let literal = csv(b"a,b\n5\" disk,2\n").unwrap();
        assert_eq!(literal.rows[0].cells, ["5\" disk", "2"]);
    }

    #[test]
    fn broken_quoting_names_the_line_it_begins_on() {
        assert_eq!(csv(b"a,b\n1,2\n3,\"4\n5,6\n"), Err(TableProblem::BadCsv { line: 3 }));
        assert_eq!(csv(b"a\n\"x\"y\n"), Err(TableProblem::BadCsv { line: 2 }));
    }

    #[test]
    fn lines_are_those_of_the_source() {
        let table = csv(b"\n\na\n\n\r\nx\n\"y\nz\"\n\nw").unwrap();
        assert_eq!(table.header_line, 3);
        let lines: Vec<_> = table.rows.iter().map(|r| r.line).collect();
        assert_eq!(lines, [6, 7, 10]);
        let old_mac = csv(b"a,b\r1,2\r3,4\r").unwrap();
        assert_eq!(old_mac.rows[1].line, 3);
        assert_eq!(old_mac.rows[1].cells, ["3", "4"]);
    }

    #[test]
    fn a_line_of_millions_of_commas_is_refused_early() {
        let commas = format!("a\n\n{}", ",".repeat(9 << 20));
        assert_eq!(csv(commas.as_bytes()), Err(TableProblem::TooManyColumns { max: 200, line: 3 }));
    }
}
