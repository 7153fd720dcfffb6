//! Taking over the ministry's code list: what is new is added, what is renamed is renamed, what is absent is told and
//! never closed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use super::bodies::{BodyKind, find_body};
use super::code_list::{CodeListEntry, RowError, parse_code_list};
use super::lg_code::LgCode;
use super::store::{self, NewOrganisation, OrganisationRow};
use crate::app::App;
use crate::auth::principal::Actor;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::Error;
use crate::http::{Audit, Ctx};
use crate::ids::OrganisationId;
use crate::imports::table::Table;

/// What a code list changes, or would change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether the changes were written: never in a dry run, and never when a row is wrong.
    pub applied: bool,
    /// Bodies that are new.
    pub added: Vec<ListedBody>,
    /// Bodies with another name or reading than before.
    pub changed: Vec<ChangedBody>,
    /// Number of bodies that are as listed.
    pub unchanged: usize,
    /// Bodies of the same prefectures that the list does not name. They stay open: whether they merged, and into what,
    /// the list does not say.
    pub missing: Vec<ListedBody>,
    /// Rows that are passed over, with the reason.
    pub skipped: Vec<SkippedRow>,
    /// What is wrong, by row.
    pub errors: Vec<WrongRow>,
}

impl fmt::Display for Report {
    /// For people at a terminal: what changes, what to look at, what is wrong.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: 追加 {}　変更 {}　変更なし {}　一覧にない団体 {}　対象外 {}　誤り {}",
            if self.applied { "登録しました / applied" } else { "登録していません / nothing written" },
            self.added.len(),
            self.changed.len(),
            self.unchanged,
            self.missing.len(),
            self.skipped.len(),
            self.errors.len(),
        )?;
        for body in &self.added {
            writeln!(f, "追加 {} {}", body.lg_code, body.name)?;
        }
        for body in &self.changed {
            writeln!(f, "変更 {} {}（{}）→ {}（{}）", body.lg_code, body.old_name, body.old_kana, body.new_name, body.new_kana)?;
        }
        for body in &self.missing {
            writeln!(f, "一覧にない {} {}", body.lg_code, body.name)?;
        }
        for row in self.skipped.iter().filter(|row| row.reason == "closed") {
            writeln!(f, "{}行目: 廃止済み {} {}", row.line, row.lg_code, row.name)?;
        }
        for row in &self.errors {
            writeln!(f, "{}行目 {}: {} / {}", row.line, row.column, row.message_ja, row.message_en)?;
        }
        Ok(())
    }
}

/// A body by code and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedBody {
    /// Six-digit code.
    pub lg_code: String,
    /// Name.
    pub name: String,
}

/// A body whose name or reading changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedBody {
    /// Six-digit code.
    pub lg_code: String,
    /// Name before.
    pub old_name: String,
    /// Name after.
    pub new_name: String,
    /// Reading before.
    pub old_kana: String,
    /// Reading after.
    pub new_kana: String,
}

/// A row that is passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkippedRow {
    /// Line or row of the source.
    pub line: usize,
    /// Six-digit code.
    pub lg_code: String,
    /// Name.
    pub name: String,
    /// `ward_of_designated_city`: no body of its own; `closed`: recorded here as no longer existing.
    pub reason: &'static str,
}

/// A row that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrongRow {
    /// Line or row of the source.
    pub line: usize,
    /// Heading of the column.
    pub column: String,
    /// Stable code.
    pub code: &'static str,
    /// In Japanese.
    pub message_ja: String,
    /// In English.
    pub message_en: String,
}

impl From<RowError> for WrongRow {
    fn from(error: RowError) -> Self {
        Self {
            line: error.line,
            column: error.column,
            code: error.code,
            message_ja: error.message_ja,
            message_en: error.message_en,
        }
    }
}

/// Compares a code list with what is stored and, unless `dry_run` or a row is wrong, writes the differences.
pub fn import_organisations(conn: &mut Conn, now: UtcTime, table: &Table, dry_run: bool) -> Result<Report, Error> {
    let list = parse_code_list(table);
    let mut report = Report {
        errors: list.errors.into_iter().map(WrongRow::from).collect(),
        skipped: list
            .skipped_wards
            .into_iter()
            .map(|ward| SkippedRow {
                line: ward.line,
                lg_code: ward.code.as_str().to_owned(),
                name: ward.name,
                reason: "ward_of_designated_city",
            })
            .collect(),
        ..Report::default()
    };
    let stored: HashMap<String, OrganisationRow> =
        store::all_that_had_code(conn)?.into_iter().filter_map(|row| Some((row.lg_code.clone()?, row))).collect();
    let (new, renamed) = compare(&mut report, &list.entries, &stored, now);
    report.applied = !dry_run && report.errors.is_empty();
    if report.applied {
        write(conn, &new, &renamed, &stored, now)?;
    }
    Ok(report)
}

/// [`import_organisations`] for the operator's command, with its audit event when anything was written.
pub fn run_command(conn: &mut Conn, app: &Arc<App>, table: &Table, file_name: &str, dry_run: bool) -> Result<Report, Error> {
    let report = import_organisations(conn, app.clock.now(), table, dry_run)?;
    let (added, changed): (Vec<&str>, Vec<&str>) = (
        report.added.iter().map(|body| body.lg_code.as_str()).collect(),
        report.changed.iter().map(|body| body.lg_code.as_str()).collect(),
    );
    let first = added.first().or(changed.first()).and_then(|code| code.parse::<LgCode>().ok());
    if report.applied
        && let Some(code) = first
    {
        let body =
            store::find_by_code(conn, code.prefecture().as_str())?.ok_or_else(|| Error::internal("a body without prefecture"))?;
        let ctx = Ctx::internal(app, Actor::Command, body.id, "command");
        let audit = Audit {
            entity_id: None,
            owner: None,
            ..Audit::new("organisation_list", 0, body.id).created(json!({"file": file_name, "added": added, "changed": changed}))
        };
        crate::audit::service::record(conn, &ctx, "import organisations", &audit)?;
    }
    Ok(report)
}

/// Sorts the entries into the report and returns what is to be written.
fn compare<'a>(
    report: &mut Report,
    entries: &'a [CodeListEntry],
    stored: &HashMap<String, OrganisationRow>,
    now: UtcTime,
) -> (Vec<&'a CodeListEntry>, Vec<OrganisationRow>) {
    let today = now.jst_day();
    let listed: HashSet<&str> = entries.iter().map(|entry| entry.code.as_str()).collect();
    let (mut new, mut renamed) = (Vec::new(), Vec::new());
    for entry in entries {
        let lg_code = entry.code.as_str().to_owned();
        let prefecture = entry.code.prefecture();
        match stored.get(&lg_code) {
            None if !listed.contains(prefecture.as_str()) && !stored.contains_key(prefecture.as_str()) => {
                report.errors.push(WrongRow {
                    line: entry.line,
                    column: "団体コード".to_owned(),
                    code: "unknown_prefecture",
                    message_ja: format!("都道府県（{prefecture}）が登録されておらず、この一覧にもありません。"),
                    message_en: format!("Its prefecture ({prefecture}) is neither registered nor in this list."),
                });
            }
            None => {
                report.added.push(ListedBody { lg_code, name: entry.name.clone() });
                new.push(entry);
            }
            Some(row) if row.valid_to.is_some_and(|to| to <= today) => {
                report.skipped.push(SkippedRow { line: entry.line, lg_code, name: entry.name.clone(), reason: "closed" })
            }
            Some(row) if row.name == entry.name && row.kana == entry.kana => report.unchanged += 1,
            Some(row) => {
                report.changed.push(ChangedBody {
                    lg_code,
                    old_name: row.name.clone(),
                    new_name: entry.name.clone(),
                    old_kana: row.kana.clone(),
                    new_kana: entry.kana.clone(),
                });
                renamed.push(OrganisationRow { name: entry.name.clone(), kana: entry.kana.clone(), ..row.clone() });
            }
        }
    }
    let prefectures: BTreeSet<&str> = listed.iter().filter_map(|code| code.get(..2)).collect();
    report.missing = stored
        .iter()
        .filter(|(code, row)| {
            row.valid_to.is_none()
                && code.get(..2).is_some_and(|prefecture| prefectures.contains(prefecture))
                && !listed.contains(code.as_str())
        })
        .map(|(code, row)| ListedBody { lg_code: code.clone(), name: row.name.clone() })
        .collect();
    report.missing.sort_by(|a, b| a.lg_code.cmp(&b.lg_code));
    (new, renamed)
}

fn write(
    conn: &mut Conn,
    new: &[&CodeListEntry],
    renamed: &[OrganisationRow],
    stored: &HashMap<String, OrganisationRow>,
    now: UtcTime,
) -> Result<(), Error> {
    let mut prefectures: HashMap<String, OrganisationId> = stored.iter().map(|(code, row)| (code.clone(), row.id)).collect();
    let mut ordered = new.to_vec();
    // A new prefecture must be there before its municipalities.
    ordered.sort_by_key(|entry| entry.code);
    for entry in ordered {
        let prefecture_id = match entry.kind {
            BodyKind::Prefecture => None,
            _ => prefectures.get(entry.code.prefecture().as_str()).copied(),
        };
        let place =
            find_body(entry.code).map(|body| (super::seed::millionths(body.latitude), super::seed::millionths(body.longitude)));
        let id = store::insert_only(
            conn,
            &NewOrganisation {
                kind: entry.kind.into(),
                lg_code: Some(entry.code.as_str().to_owned()),
                prefecture_id,
                parent_id: None,
                name: entry.name.clone(),
                kana: entry.kana.clone(),
                place,
                contact_email: None,
            },
            now,
        )?;
        prefectures.insert(entry.code.as_str().to_owned(), id);
    }
    for row in renamed {
        store::update(conn, row, now)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organisations::model::OrganisationKind;
    use chrono::NaiveDate;

    fn stored(id: i64, code: &str, name: &str, kana: &str, valid_to: Option<NaiveDate>) -> (String, OrganisationRow) {
        let row = OrganisationRow {
            id: OrganisationId(id),
            kind: OrganisationKind::City,
            lg_code: Some(code.to_owned()),
            prefecture_id: None,
            parent_id: None,
            name: name.to_owned(),
            kana: kana.to_owned(),
            latitude_e6: None,
            longitude_e6: None,
            contact_email: None,
            requires_approval: false,
            requires_second_factor: false,
            valid_from: None,
            valid_to,
            successor_id: None,
            version: 1,
        };
        (code.to_owned(), row)
    }

    fn listed(line: usize, code: &str, name: &str, kana: &str) -> CodeListEntry {
        let kind = if code.ends_with("0001") { BodyKind::Prefecture } else { BodyKind::City };
        CodeListEntry {
            line,
            code: code.parse().unwrap(),
            kind,
            prefecture_name: "静岡県".to_owned(),
            name: name.to_owned(),
            kana: kana.to_owned(),
        }
    }

    #[test]
    fn new_renamed_missing_and_closed_bodies_are_told_apart() {
        let day = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap();
        let now = UtcTime::from_naive(day.and_hms_opt(0, 0, 0).unwrap());
        let stored: HashMap<String, OrganisationRow> = [
            stored(1, "220001", "静岡県", "しずおかけん", None),
            stored(2, "221007", "静岡市", "しづおかし", None),
            stored(3, "221309", "浜松市", "はままつし", None),
            stored(4, "222038", "沼津市", "ぬまづし", Some(day)),
        ]
        .into();
        let entries = [
            listed(2, "220001", "静岡県", "しずおかけん"),
            listed(3, "221007", "静岡市", "しずおかし"),
            listed(4, "222038", "沼津市", "ぬまづし"),
            listed(5, "222054", "熱海市", "あたみし"),
            listed(6, "382019", "松山市", "まつやまし"),
        ];
        let mut report = Report::default();
        let (new, renamed) = compare(&mut report, &entries, &stored, now);
        assert_eq!(new.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["熱海市"]);
        assert_eq!(renamed.iter().map(|row| row.kana.as_str()).collect::<Vec<_>>(), ["しずおかし"]);
        assert_eq!(report.unchanged, 1);
        assert_eq!(report.missing.iter().map(|body| body.name.as_str()).collect::<Vec<_>>(), ["浜松市"]);
        assert_eq!(report.skipped.iter().map(|row| (row.line, row.reason)).collect::<Vec<_>>(), [(4, "closed")]);
        assert_eq!(report.errors.iter().map(|row| (row.line, row.code)).collect::<Vec<_>>(), [(6, "unknown_prefecture")]);
    }
}
