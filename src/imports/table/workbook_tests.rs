use super::super::{Table, read_table};
use super::*;
use rust_xlsxwriter::{ExcelDateTime as Moment, Format, Workbook};
use std::io::Write;
use zip::write::SimpleFileOptions;

fn xlsx(bytes: &[u8]) -> Result<Table, TableProblem> {
    read_table(bytes, "名簿.xlsx", &TableLimits::default())
}

/// A workbook built by hand, so that it can be built wrongly.
fn container(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const RELATIONSHIP: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

fn workbook_with(sheet: &str, strings: &str) -> Vec<u8> {
    let package = format!(
        "<Relationships><Relationship Id=\"r\" Type=\"{RELATIONSHIP}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
    );
    let book = "<workbook><sheets><sheet name=\"s\" r:id=\"r1\"/></sheets></workbook>";
    let relations = format!(
        "<Relationships><Relationship Id=\"r1\" Type=\"{RELATIONSHIP}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
    );
    container(&[
        ("_rels/.rels", package.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ("xl/sharedStrings.xml", strings.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

fn sheet_of(rows: &str) -> String {
    format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")
}

#[test]
fn cells_come_out_as_people_mean_them() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let date = Format::new().set_num_format("yyyy/m/d");
    let moment = Format::new().set_num_format("yyyy/m/d h:mm");
    let clock = Format::new().set_num_format("h:mm");
    let span = Format::new().set_num_format("[h]:mm");
    for c in 0..9 {
        sheet.write_string(1, c, format!("列{c}")).unwrap();
    }
    sheet.write_number(2, 0, 10_006).unwrap();
    sheet.write_string(2, 1, "010006").unwrap();
    sheet.write_number(2, 2, 1.5).unwrap();
    let day = Moment::from_ymd(2025, 3, 31).unwrap();
    sheet.write_with_format(2, 3, &day, &date).unwrap();
    let time = Moment::from_ymd(2025, 3, 31).unwrap().and_hms(9, 30, 0).unwrap();
    sheet.write_with_format(2, 4, &time, &moment).unwrap();
    sheet.write_with_format(2, 5, 0.5625, &clock).unwrap();
    sheet.write_with_format(2, 6, 26.5 / 24.0, &span).unwrap();
    sheet.write_boolean(2, 7, true).unwrap();
    sheet.write_number(2, 8, 123_456_789_012_345.0).unwrap();
    sheet.write_string(5, 2, "髙﨑").unwrap();
    let table = xlsx(&book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(table.header_line, 2);
    assert_eq!(
        table.rows[0].cells,
        ["10006", "010006", "1.5", "2025-03-31", "2025-03-31T09:30:00", "13:30", "26:30", "TRUE", "123456789012345"]
    );
    assert_eq!((table.rows[1].line, table.rows[1].cell(2)), (6, "髙﨑"));
    assert_eq!(table.rows[1].cell(0), "");
}

#[test]
fn the_first_visible_sheet_is_read() {
    let mut book = Workbook::new();
    let hidden = book.add_worksheet();
    hidden.write_string(0, 0, "隠し").unwrap();
    hidden.set_hidden(true);
    let shown = book.add_worksheet();
    shown.write_string(0, 0, "見出し").unwrap();
    shown.set_active(true);
    let table = xlsx(&book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(table.headers, ["見出し"]);
}

#[test]
fn containers_that_are_no_workbook_are_refused() {
    let other = container(&[("readme.txt", b"hello")]);
    let nested = container(&[("inner.xlsx", &other)]);
    for bytes in [b"PK\x03\x04".to_vec(), other.clone(), nested] {
        assert_eq!(xlsx(&bytes), Err(DAMAGED));
    }
    let sound = workbook_with(&sheet_of("<row><c t=\"str\"><v>a</v></c></row>"), "<sst/>");
    assert_eq!(xlsx(&sound).unwrap().headers, ["a"]);
    for cut in [sound.len() / 3, sound.len() / 2, sound.len() - 5] {
        assert!(xlsx(&sound[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn damage_anywhere_never_panics() {
    let sound = workbook_with(
        &sheet_of("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row>"),
        "<sst uniqueCount=\"1\"><si><t>a</t></si></sst>",
    );
    for at in 0..sound.len() {
        for value in [0x00, 0x3C, 0xFF] {
            let mut damaged = sound.clone();
            damaged[at] = value;
            let _ = xlsx(&damaged);
        }
    }
}

#[test]
fn a_bomb_is_refused_while_it_inflates() {
    let zeros = vec![b' '; 65 << 20];
    let bomb = container(&[("xl/worksheets/sheet1.xml", &zeros)]);
    assert!(bomb.len() < 1 << 20);
    let limit = TableLimits::default().inflated_bytes;
    assert_eq!(xlsx(&bomb), Err(TableProblem::TooLarge(SizeLimit::InflatedBytes(limit))));
}

#[test]
fn a_container_of_very_many_parts_is_refused() {
    let names: Vec<String> = (0..2_001).map(|n| format!("p{n}")).collect();
    let parts: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &b""[..])).collect();
    assert_eq!(xlsx(&container(&parts)), Err(TableProblem::TooLarge(SizeLimit::Entries(2_000))));
}

#[test]
fn declared_sizes_cost_nothing() {
    // One cell in the last corner of the sheet.
    let corner = sheet_of("<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>");
    assert_eq!(xlsx(&workbook_with(&corner, "<sst/>")), Err(TableProblem::TooManyColumns { max: 200, line: 1_048_576 }));
    // A string table that announces a hundred billion strings.
    let announced = "<sst uniqueCount=\"100000000000\"><si><t>a</t></si></sst>";
    assert!(matches!(xlsx(&workbook_with(&sheet_of(""), announced)), Err(TableProblem::TooLarge(SizeLimit::Cells(_)))));
    // One long string, referred to from many cells.
    let long = format!("<sst><si><t>{}</t></si></sst>", "あ".repeat(30_000));
    let many = "<row><c t=\"s\"><v>0</v></c></row>".repeat(1_000);
    assert!(matches!(xlsx(&workbook_with(&sheet_of(&many), &long)), Err(TableProblem::TooLarge(SizeLimit::TextBytes(_)))));
}

#[test]
fn rows_out_of_order_and_hidden_nul_are_refused() {
    let backwards = sheet_of("<row r=\"2\"><c r=\"A2\"><v>1</v></c></row><row r=\"1\"><c r=\"A1\"><v>1</v></c></row>");
    assert_eq!(xlsx(&workbook_with(&backwards, "<sst/>")), Err(DAMAGED));
    let nul = sheet_of("<row><c t=\"str\"><v>a_x0000_b</v></c></row>");
    assert!(xlsx(&workbook_with(&nul, "<sst/>")).is_err());
}
