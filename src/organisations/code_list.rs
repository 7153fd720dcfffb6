//! The ministry's list of codes (全国地方公共団体コード一覧), as an uploaded table.
//!
//! Reads what the list says and checks every row; whether a body is new, renamed or missing is
//! decided by whoever compares the result with what is stored. A body missing from a list is never
//! a reason to close it. Columns: 団体コード, 都道府県名（漢字）, 市区町村名（漢字）,
//! 都道府県名（カナ） and 市区町村名（カナ）, the readings in half-width katakana. A row
//! without municipality is the prefecture itself.

use super::bodies::{BodyKind, find_body};
use super::lg_code::LgCode;
use crate::imports::table::{Row, Table};
use crate::text;
use std::collections::HashMap;

/// Longest name a body may have, in characters. The longest in use has far fewer.
const LONGEST_NAME: usize = 100;

const CODE: [&str; 4] = ["団体コード", "全国地方公共団体コード", "lg_code", "code"];
const PREFECTURE: [&str; 3] = ["都道府県名（漢字）", "都道府県名", "prefecture_name"];
const MUNICIPALITY: [&str; 3] = ["市区町村名（漢字）", "市区町村名", "municipality_name"];
const PREFECTURE_KANA: [&str; 2] = ["都道府県名（カナ）", "prefecture_kana"];
const MUNICIPALITY_KANA: [&str; 2] = ["市区町村名（カナ）", "municipality_kana"];

/// What a code list says: its bodies, what was passed over and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeList {
    /// The prefectures and municipalities, in the order of the list.
    pub entries: Vec<CodeListEntry>,
    /// Wards of designated cities: they have codes but are no bodies.
    pub skipped_wards: Vec<SkippedWard>,
    /// Everything wrong with the list. Rows named here have no entry.
    pub errors: Vec<RowError>,
}

/// One body of a code list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeListEntry {
    /// Line or row of the source.
    pub line: usize,
    /// Verified code, a dropped leading zero restored.
    pub code: LgCode,
    /// Prefecture by its code, otherwise by the last character of the name.
    pub kind: BodyKind,
    /// Name of the prefecture, as written.
    pub prefecture_name: String,
    /// Name of the body, as written; of a prefecture, the prefecture's name.
    pub name: String,
    /// Reading in hiragana.
    pub kana: String,
}

/// A ward of a designated city that a list contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedWard {
    /// Line or row of the source.
    pub line: usize,
    /// Code of the ward.
    pub code: LgCode,
    /// Name of the ward, as written.
    pub name: String,
}

/// What is wrong with one cell of an uploaded table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Line or row of the source, counted from 1; the heading's own for a missing column.
    pub line: usize,
    /// Heading of the column.
    pub column: String,
    /// Stable machine code.
    pub code: &'static str,
    /// The sentence shown to people, in Japanese.
    pub message_ja: String,
    /// The sentence shown to people, in English.
    pub message_en: String,
}

/// Reads a code list. Every faulty row is reported; sound rows are read all the same, so that a
/// preview can show both.
#[must_use]
pub fn parse_code_list(table: &Table) -> CodeList {
    let mut list = CodeList::default();
    let Some(columns) = Columns::find(table, &mut list.errors) else {
        return list;
    };
    let mut seen: HashMap<LgCode, usize> = HashMap::new();
    for row in &table.rows {
        match columns.read(row) {
            Ok(Found::Ward(ward)) => list.skipped_wards.push(ward),
            Ok(Found::Body(entry)) => match seen.insert(entry.code, entry.line) {
                None => list.entries.push(entry),
                Some(first) => {
                    list.errors.push(columns.error(
                        row,
                        Field::Code,
                        "duplicate_code",
                        format!("団体コード{}は{first}行目にもあります。", entry.code),
                        format!("Code {} is also on line {first}.", entry.code),
                    ));
                    seen.insert(entry.code, first);
                }
            },
            Err(error) => list.errors.push(error),
        }
    }
    list
}

enum Found {
    Body(CodeListEntry),
    Ward(SkippedWard),
}

#[derive(Clone, Copy)]
enum Field {
    Code,
    Prefecture,
    Municipality,
    PrefectureKana,
    MunicipalityKana,
}

/// Where the five columns stand, and their headings on one line for messages.
struct Columns {
    positions: [usize; 5],
    headings: [String; 5],
}

impl Columns {
    fn find(table: &Table, errors: &mut Vec<RowError>) -> Option<Self> {
        let mut positions = [0; 5];
        let mut headings: [String; 5] = Default::default();
        let wanted: [&[&str]; 5] = [&CODE, &PREFECTURE, &MUNICIPALITY, &PREFECTURE_KANA, &MUNICIPALITY_KANA];
        let before = errors.len();
        for ((aliases, position), heading) in wanted.iter().zip(&mut positions).zip(&mut headings) {
            let official = aliases.first().copied().unwrap_or_default();
            if let Some(found) = table.column(aliases) {
                *position = found;
                *heading = table.headers.get(found).map(|h| h.split_whitespace().collect()).unwrap_or_default();
            } else {
                errors.push(RowError {
                    line: table.header_line,
                    column: official.to_owned(),
                    code: "missing_column",
                    message_ja: format!("「{official}」の列がありません。"),
                    message_en: format!("The column “{official}” is missing."),
                });
            }
        }
        (errors.len() == before).then_some(Self { positions, headings })
    }

    fn text<'r>(&self, row: &'r Row, field: Field) -> &'r str {
        let [code, prefecture, municipality, prefecture_kana, municipality_kana] = self.positions;
        row.cell(match field {
            Field::Code => code,
            Field::Prefecture => prefecture,
            Field::Municipality => municipality,
            Field::PrefectureKana => prefecture_kana,
            Field::MunicipalityKana => municipality_kana,
        })
        .trim()
    }

    fn error(&self, row: &Row, field: Field, code: &'static str, message_ja: String, message_en: String) -> RowError {
        let [c, p, m, pk, mk] = &self.headings;
        let column = match field {
            Field::Code => c,
            Field::Prefecture => p,
            Field::Municipality => m,
            Field::PrefectureKana => pk,
            Field::MunicipalityKana => mk,
        };
        RowError { line: row.line, column: column.clone(), code, message_ja, message_en }
    }

    fn read(&self, row: &Row) -> Result<Found, RowError> {
        let code = LgCode::repair(self.text(row, Field::Code))
            .map_err(|problem| self.error(row, Field::Code, problem.code(), problem.message_ja(), problem.message_en()))?;
        let prefecture_name = self.name(row, Field::Prefecture)?;
        self.check_prefecture(row, code, &prefecture_name)?;
        if code.is_prefecture() {
            return self.prefecture(row, code, prefecture_name);
        }
        let name = self.name(row, Field::Municipality)?;
        if code.is_ward_of_designated_city() {
            return Ok(Found::Ward(SkippedWard { line: row.line, code, name }));
        }
        let kind = BodyKind::of_municipality_name(&name).ok_or_else(|| {
            self.error(
                row,
                Field::Municipality,
                "unknown_kind",
                format!("「{name}」は市・区・町・村のいずれでもありません。"),
                format!("“{name}” is no city, ward, town or village."),
            )
        })?;
        Ok(Found::Body(CodeListEntry {
            line: row.line,
            code,
            kind,
            prefecture_name,
            kana: self.kana(row, Field::MunicipalityKana)?,
            name,
        }))
    }

    fn prefecture(&self, row: &Row, code: LgCode, prefecture_name: String) -> Result<Found, RowError> {
        if !self.text(row, Field::Municipality).is_empty() {
            return Err(self.error(
                row,
                Field::Municipality,
                "municipality_with_prefecture_code",
                "都道府県のコードの行に市区町村名があります。".into(),
                "A row with a prefecture's code names a municipality.".into(),
            ));
        }
        Ok(Found::Body(CodeListEntry {
            line: row.line,
            code,
            kind: BodyKind::Prefecture,
            name: prefecture_name.clone(),
            prefecture_name,
            kana: self.kana(row, Field::PrefectureKana)?,
        }))
    }

    /// A shifted column would otherwise put a town under the wrong prefecture, code and all.
    fn check_prefecture(&self, row: &Row, code: LgCode, name: &str) -> Result<(), RowError> {
        match find_body(code.prefecture()) {
            Some(prefecture) if prefecture.name != name => Err(self.error(
                row,
                Field::Prefecture,
                "prefecture_mismatch",
                format!("コード{code}は{}のものですが、「{name}」とあります。", prefecture.name),
                format!("Code {code} belongs to {}, but the row says “{name}”.", prefecture.name),
            )),
            _ => Ok(()),
        }
    }

    fn name(&self, row: &Row, field: Field) -> Result<String, RowError> {
        let name = self.text(row, field);
        text::check_name(name, LONGEST_NAME)
            .map(|()| name.to_owned())
            .map_err(|problem| self.error(row, field, problem.code(), problem.message_ja(), problem.message_en()))
    }

    /// The reading as hiragana, from kana of any width.
    fn kana(&self, row: &Row, field: Field) -> Result<String, RowError> {
        let typed = self.name(row, field)?;
        let kana = text::fold(&typed);
        if kana.chars().all(|c| matches!(c, 'ぁ'..='ゖ' | 'ー')) {
            Ok(kana)
        } else {
            Err(self.error(
                row,
                field,
                "not_kana",
                format!("読み「{typed}」に仮名以外の文字があります。"),
                format!("The reading “{typed}” holds something other than kana."),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::table::{TableLimits, read_table};

    const HEADINGS: &str =
        "団体コード,\"都道府県名\n（漢字）\",\"市区町村名\n（漢字）\",\"都道府県名\n（ｶﾅ）\",\"市区町村名\n（ｶﾅ）\"";

    fn list(rows: &str) -> CodeList {
        let file = format!("{HEADINGS}\n{rows}");
        let table = read_table(file.as_bytes(), "codes.csv", &TableLimits::default()).unwrap();
        parse_code_list(&table)
    }

    #[test]
    fn bodies_are_read_and_wards_of_designated_cities_passed_over() {
        let list = list(
            "10006,北海道,,ﾎｯｶｲﾄﾞｳ,\n11002,北海道,札幌市,ﾎｯｶｲﾄﾞｳ,ｻｯﾎﾟﾛｼ\n11011,北海道,札幌市中央区,ﾎｯｶｲﾄﾞｳ,ｻｯﾎﾟﾛｼﾁｭｳｵｳｸ\n131148,東京都,中野区,ﾄｳｷｮｳﾄ,ﾅｶﾉｸ\n403814,福岡県,芦屋町,ﾌｸｵｶｹﾝ,ｱｼﾔﾏﾁ\n",
        );
        assert_eq!(list.errors, []);
        let read: Vec<_> =
            list.entries.iter().map(|e| (e.line, e.code.as_str(), e.kind, e.name.as_str(), e.kana.as_str())).collect();
        assert_eq!(
            read,
            [
                (6, "010006", BodyKind::Prefecture, "北海道", "ほっかいどう"),
                (7, "011002", BodyKind::City, "札幌市", "さっぽろし"),
                (9, "131148", BodyKind::SpecialWard, "中野区", "なかのく"),
                (10, "403814", BodyKind::Town, "芦屋町", "あしやまち"),
            ]
        );
        assert_eq!(list.skipped_wards.len(), 1);
        assert_eq!(list.skipped_wards[0].name, "札幌市中央区");
        assert_eq!(list.entries[1].prefecture_name, "北海道");
    }

    #[test]
    fn every_fault_is_reported_with_its_line_and_column() {
        let list = list(
            "232115,愛知県,豊田市,ｱｲﾁｹﾝ,ﾄﾖﾀｼ\n232114,岐阜県,豊田市,ｱｲﾁｹﾝ,ﾄﾖﾀｼ\n232114,愛知県,,ｱｲﾁｹﾝ,\n232114,愛知県,豊田,ｱｲﾁｹﾝ,ﾄﾖﾀ\n230006,愛知県,豊田市,ｱｲﾁｹﾝ,ﾄﾖﾀｼ\n232114,愛知県,豊田市,ｱｲﾁｹﾝ,Toyota\n232114,愛知県,豊\u{E000}市,ｱｲﾁｹﾝ,ﾄﾖﾀｼ\n232114,愛知県,豊田市,ｱｲﾁｹﾝ,ﾄﾖﾀｼ\n232114,愛知県,豊田市,ｱｲﾁｹﾝ,ﾄﾖﾀｼ\n",
        );
        let errors: Vec<_> = list.errors.iter().map(|e| (e.line, e.column.as_str(), e.code)).collect();
        assert_eq!(
            errors,
            [
                (6, "団体コード", "lg_code_check_digit"),
                (7, "都道府県名（漢字）", "prefecture_mismatch"),
                (8, "市区町村名（漢字）", "empty"),
                (9, "市区町村名（漢字）", "unknown_kind"),
                (10, "市区町村名（漢字）", "municipality_with_prefecture_code"),
                (11, "市区町村名（ｶﾅ）", "not_kana"),
                (12, "市区町村名（漢字）", "private_use_character"),
                (14, "団体コード", "duplicate_code"),
            ]
        );
        assert_eq!(list.entries.len(), 1);
        assert!(list.errors[7].message_ja.contains("13行目"));
    }

    #[test]
    fn a_missing_column_is_one_error_and_no_rows() {
        let file = "団体コード,都道府県名（漢字）\n010006,北海道\n";
        let table = read_table(file.as_bytes(), "codes.csv", &TableLimits::default()).unwrap();
        let list = parse_code_list(&table);
        assert_eq!(list.entries, []);
        let missing: Vec<_> = list.errors.iter().map(|e| e.column.as_str()).collect();
        assert_eq!(missing, ["市区町村名（漢字）", "都道府県名（カナ）", "市区町村名（カナ）"]);
    }
}
