//! CSV after RFC 4180, in UTF-8 with byte order mark or in Windows-31J.

use super::{Cell, Sheet, percent_text};
use encoding_rs::SHIFT_JIS;
use std::borrow::Cow;

const BOM: &str = "\u{FEFF}";

/// A character that Windows-31J does not have, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmappable {
    /// Line of records in the export, the headings being 1.
    pub row: usize,
    /// Key of the column.
    pub column: &'static str,
    /// The character.
    pub character: char,
}

impl Unmappable {
    /// The character's code as `U+20BB7`, since it may not be visible on its own.
    #[must_use]
    pub fn code_point(&self) -> String {
        format!("U+{:04X}", u32::from(self.character))
    }
}

/// The sheet as CSV in UTF-8 with byte order mark, CRLF and Japanese headings.
///
/// The mark makes spreadsheets open the file in the right encoding. Text that a spreadsheet would
/// take for a formula gets a leading apostrophe ([OWASP CSV injection]); numbers do not.
///
/// [OWASP CSV injection]: https://owasp.org/www-community/attacks/CSV_Injection
#[must_use]
pub fn to_csv(sheet: &Sheet) -> Vec<u8> {
    format!("{BOM}{}", csv_text(sheet, |column| column.label_ja)).into_bytes()
}

/// As [`to_csv`], with English headings.
#[must_use]
pub fn to_csv_english(sheet: &Sheet) -> Vec<u8> {
    format!("{BOM}{}", csv_text(sheet, |column| column.label_en)).into_bytes()
}

/// The sheet as CSV in Windows-31J with CRLF and Japanese headings, for desks whose tools know
/// nothing else.
///
/// Characters that differ between the two standards only in form are replaced by the one
/// Windows-31J has (〜 by ～, — by ―, ¥ by ￥ and the like).
///
/// # Errors
/// Every character that cannot be written, with its place, each once per cell. Nothing is ever
/// left out or replaced by a substitute.
pub fn to_csv_windows31j(sheet: &Sheet) -> Result<Vec<u8>, Vec<Unmappable>> {
    let mut unmappable = Vec::new();
    for (index, column) in sheet.columns.iter().enumerate() {
        report(&mut unmappable, 1, column.key, column.label_ja);
        for (row, cells) in sheet.rows.iter().enumerate() {
            if let Some(Cell::Text(text)) = cells.get(index) {
                report(&mut unmappable, row + 2, column.key, text);
            }
        }
    }
    if !unmappable.is_empty() {
        unmappable.sort_by_key(|u| u.row);
        return Err(unmappable);
    }
    let text: String = csv_text(sheet, |column| column.label_ja).chars().map(windows_31j_form).collect();
    let (bytes, _, _) = SHIFT_JIS.encode(&text);
    Ok(bytes.into_owned())
}

fn report(found: &mut Vec<Unmappable>, row: usize, column: &'static str, text: &str) {
    let mut of_cell: Vec<char> = Vec::new();
    for character in text.chars() {
        if !survives_windows_31j(windows_31j_form(character)) && !of_cell.contains(&character) {
            of_cell.push(character);
            found.push(Unmappable { row, column, character });
        }
    }
}

/// Whether a character written in Windows-31J is read back as itself. Asked by round trip, since
/// the encoder quietly turns some characters (¥, ‾) into others.
fn survives_windows_31j(character: char) -> bool {
    if character.is_ascii() {
        return true;
    }
    let mut buffer = [0; 4];
    let text: &str = character.encode_utf8(&mut buffer);
    let (bytes, _, lossy) = SHIFT_JIS.encode(text);
    !lossy && SHIFT_JIS.decode_without_bom_handling_and_without_replacement(&bytes).is_some_and(|back| back == text)
}

/// JIS X 0208 and Windows-31J assign different Unicode characters to the same signs.
fn windows_31j_form(character: char) -> char {
    match character {
        '\u{301C}' => '\u{FF5E}', // 〜 ～
        '\u{2014}' => '\u{2015}', // — ―
        '\u{2016}' => '\u{2225}', // ‖ ∥
        '\u{2212}' => '\u{FF0D}', // − －
        '\u{00A5}' => '\u{FFE5}', // ¥ ￥
        '\u{203E}' => '\u{FFE3}', // ‾ ￣
        '\u{00A2}' => '\u{FFE0}', // ¢ ￠
        '\u{00A3}' => '\u{FFE1}', // £ ￡
        '\u{00AC}' => '\u{FFE2}', // ¬ ￢
        other => other,
    }
}

fn csv_text(sheet: &Sheet, label: impl Fn(&super::Column) -> &'static str) -> String {
    let mut out = String::new();
    let labels = sheet.columns.iter().map(|c| Cow::Borrowed(label(c)));
    push_record(&mut out, labels);
    for row in &sheet.rows {
        push_record(&mut out, row.iter().map(field));
    }
    out
}

fn field(cell: &Cell) -> Cow<'_, str> {
    match cell {
        Cell::Text(text) if needs_guard(text) => Cow::Owned(format!("'{text}")),
        Cell::Text(text) => Cow::Borrowed(text),
        Cell::Int(number) => Cow::Owned(number.to_string()),
        Cell::Date(day) => Cow::Owned(day.format("%Y-%m-%d").to_string()),
        Cell::Percent(hundredths) => Cow::Owned(percent_text(*hundredths)),
        Cell::Empty => Cow::Borrowed(""),
    }
}

/// Whether a spreadsheet may take the text for a formula. The full-width signs count too: Japanese
/// input methods and some spreadsheets turn them into the plain ones.
fn needs_guard(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\0', '＝', '＋', '－', '＠'])
}

/// One record, quoted where RFC 4180 asks for it and ended by CRLF. Written out here because
/// writing into memory cannot fail, and a writer's error nobody can meet helps no caller.
fn push_record<'c>(out: &mut String, fields: impl Iterator<Item = Cow<'c, str>>) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            out.push(',');
        }
        if field.contains([',', '"', '\r', '\n']) || field != field.trim() {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&field);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::super::{Column, ColumnKind, sample};
    use super::*;

    fn one_cell(text: &str) -> Sheet {
        Sheet {
            title: String::new(),
            columns: vec![Column { key: "name", label_ja: "氏名", label_en: "Name", kind: ColumnKind::Text }],
            rows: vec![vec![text.into()]],
        }
    }

    #[test]
    fn the_file_is_what_spreadsheets_expect() {
        let expected = "\u{FEFF}団体コード,団体名,回数,謝金（円）,初回,割合\r\n\
            010006,北海道,3,-20000,2025-03-31,33.33%\r\n\
            022055,\"'=HYPERLINK(\"\"http://x\"\")\",0,,,100%\r\n";
        assert_eq!(String::from_utf8(to_csv(&sample())).unwrap(), expected);
        let english = String::from_utf8(to_csv_english(&sample())).unwrap();
        assert!(english.starts_with("\u{FEFF}Code,Body,Visits,Fee (yen),First,Share\r\n"));
    }

    #[test]
    fn text_never_becomes_a_formula() {
        for text in ["=1+1", "+81-3", "-1", "@cmd", "\tx", "\rx", "\0x", "＝1", "＋1", "－1", "＠x"] {
            let csv = to_csv(&one_cell(text));
            let mut reader = csv::Reader::from_reader(&csv[..]);
            let record = reader.records().next().unwrap().unwrap();
            assert_eq!(record.get(0), Some(format!("'{text}").as_str()), "{text:?}");
        }
        for text in ["1-1", "a=b", "'=x", "山田"] {
            let csv = String::from_utf8(to_csv(&one_cell(text))).unwrap();
            assert!(csv.ends_with(&format!("\r\n{text}\r\n")), "{text}");
        }
    }

    #[test]
    fn any_text_survives_a_round_trip() {
        for text in ["a,b", "say \"x\"", "一\r\n二", "一\n二", " 空白 ", "", "010006"] {
            let csv = to_csv(&one_cell(text));
            let mut reader = csv::ReaderBuilder::new().from_reader(&csv[..]);
            let record = reader.records().next().map(|r| r.unwrap());
            // A record of one empty field is a blank line, which readers skip.
            assert_eq!(record.as_ref().and_then(|r| r.get(0)).unwrap_or_default(), text);
        }
    }

    #[test]
    fn windows_31j_keeps_what_it_can() {
        let csv = to_csv_windows31j(&one_cell("〜—−‖¥ 髙﨑①㈱ｶﾅ")).unwrap();
        let (text, _, lossy) = SHIFT_JIS.decode(&csv);
        assert!(!lossy);
        assert_eq!(text, "氏名\r\n～―－∥￥ 髙﨑①㈱ｶﾅ\r\n");
        assert!(to_csv_windows31j(&sample()).is_ok());
    }

    #[test]
    fn windows_31j_names_what_it_cannot() {
        let found = to_csv_windows31j(&one_cell("𠮷野\u{E0100}𠮷é")).unwrap_err();
        let shown: Vec<_> = found.iter().map(|u| (u.row, u.column, u.code_point())).collect();
        assert_eq!(
            shown,
            [(2, "name", "U+20BB7".to_owned()), (2, "name", "U+E0100".to_owned()), (2, "name", "U+00E9".to_owned()),]
        );
    }
}
