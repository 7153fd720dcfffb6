//! The dispatch ledger: last years' visits as the office kept them until now. Pure: given the bodies and experts on
//! record, it says what each row means and what is wrong with it.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::cells::{Cells, ColumnSpec, Located, entries};
use super::directory::{Directory, Unresolved};
use super::ledger_words::{fiscal_year, ledger_key, placeholder_address};
use super::model::{Checked, ImportPreviewRow, ImportPreviewValue, Problems};
use super::table::Table;
use crate::calendar::FiscalYear;
use crate::ids::{ExpertId, OrganisationId, ProgrammeId};
use crate::requests::model::{ActivityKind, Mode};
use crate::text;

/// The columns of a ledger.
pub const COLUMNS: &[ColumnSpec] = &[
    ColumnSpec { key: "fiscal_year", headings: &["年度"], required: true },
    ColumnSpec { key: "day", headings: &["日付", "実施日", "訪問日"], required: true },
    ColumnSpec { key: "lg_code", headings: &["団体コード"], required: false },
    ColumnSpec { key: "organisation", headings: &["団体名", "団体", "派遣先"], required: false },
    ColumnSpec { key: "expert", headings: &["専門家氏名", "専門家", "専門家名", "氏名"], required: true },
    ColumnSpec { key: "expert_email", headings: &["専門家メール", "専門家メールアドレス"], required: false },
    ColumnSpec { key: "minutes", headings: &["時間（分）", "所要時間（分）", "分"], required: true },
    ColumnSpec { key: "mode", headings: &["形態", "実施形態"], required: true },
    ColumnSpec { key: "activity", headings: &["区分", "活動区分"], required: false },
    ColumnSpec { key: "status", headings: &["状態", "実施状況"], required: false },
    ColumnSpec { key: "number", headings: &["番号", "管理番号"], required: false },
    ColumnSpec { key: "place", headings: &["場所", "会場"], required: false },
    ColumnSpec { key: "attendees", headings: &["参加者数", "参加人数"], required: false },
    ColumnSpec { key: "note", headings: &["備考"], required: false },
];

crate::text_enum! {
    /// Whether a visit of the ledger has taken place.
    pub enum LedgerStatus {
        /// It has.
        Done = "done", "実施";
        /// It lies ahead.
        Planned = "planned", "予定";
    }
}

/// An expert of the pool, as far as matching names needs it.
#[derive(Debug, Clone)]
pub struct RosterExpert {
    /// Id.
    pub id: ExpertId,
    /// Name.
    pub name: String,
    /// The name in characters every system shows.
    pub alternative_name: String,
    /// Address, lower case.
    pub email: String,
    /// Whether the registration has ended.
    pub retired: bool,
}

/// Who did the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerExpert {
    /// An expert on record.
    Known(ExpertId),
    /// One that is no longer in the pool: the position in [`Ledger::new_experts`].
    New(usize),
}

/// An expert that only the ledger knows; registered as retired, so that the visit has its person and nobody is offered
/// work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewExpert {
    /// Name as typed.
    pub name: String,
    /// Address, where the ledger has it.
    pub email: Option<String>,
    /// First day worked.
    pub first_day: NaiveDate,
    /// Last day worked.
    pub last_day: NaiveDate,
}

impl NewExpert {
    /// The address to register: the ledger's, or one that cannot exist.
    pub fn address(&self) -> String {
        self.email.clone().unwrap_or_else(|| placeholder_address(&self.name))
    }
}

/// A visit of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerVisit {
    /// Day of the visit.
    pub day: NaiveDate,
    /// Who took part; more than one in a joint visit.
    pub organisations: Vec<OrganisationId>,
    /// Who did the work.
    pub expert: LedgerExpert,
    /// Minutes, done or planned.
    pub minutes: i32,
    /// Mode.
    pub mode: Mode,
    /// Kind of activity.
    pub activity: ActivityKind,
    /// Whether it has taken place.
    pub status: LedgerStatus,
    /// Place.
    pub place: String,
    /// People who attended.
    pub attendees: Option<i32>,
    /// Remark.
    pub note: String,
    /// Knows the visit again, see [`ledger_key`].
    pub key: String,
}

/// A ledger after its check.
#[derive(Debug)]
pub struct Ledger {
    /// Rows, problems, preview.
    pub checked: Checked<LedgerVisit>,
    /// Experts to register as retired.
    pub new_experts: Vec<NewExpert>,
}

/// What the check has to know.
pub struct LedgerWorld<'a> {
    /// The programme.
    pub programme: ProgrammeId,
    /// Bodies.
    pub directory: &'a Directory,
    /// Experts of the pool.
    pub experts: &'a [RosterExpert],
    /// Today in Japan.
    pub today: NaiveDate,
    /// Rows to show in the preview.
    pub preview_rows: usize,
}

/// Reads and checks every row.
pub fn check(table: &Table, world: &LedgerWorld<'_>) -> Ledger {
    let mut problems = Problems::default();
    let located = Located::of(table, COLUMNS, &mut problems);
    if !located.has("lg_code") && !located.has("organisation") {
        problems.wrong(
            table.header_line,
            "団体名",
            "missing_column",
            "「団体コード」か「団体名」の列が必要です。",
            "Either a column “団体コード” (lg_code) or “団体名” (organisation) is needed.",
        );
    }
    let mut roster = Roster::new(world.experts);
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut rows = Vec::new();
    let mut preview = Vec::new();
    for row in &table.rows {
        let mut cells = Cells::new(&located, row, &mut problems);
        let Some(visit) = read_row(&mut cells, world, &mut roster) else { continue };
        if let Some(earlier) = seen.get(&visit.key) {
            cells.wrong(
                "day", "repeated_row",
                format!("{earlier}行目と同じ訪問です。同じ日に2回訪問した場合は「番号」の列で区別してください。"),
                format!("The same visit as in row {earlier}; if there were two that day, tell them apart in the column “番号” (number)."),
            );
            continue;
        }
        seen.insert(visit.key.clone(), row.line);
        if preview.len() < world.preview_rows {
            preview.push(preview_row(row.line, &visit, world, &roster));
        }
        rows.push((row.line, visit));
    }
    let new_experts = roster.new;
    for row in &mut preview {
        note_new_expert(row, &rows, &new_experts);
    }
    let checked = Checked { row_count: table.rows.len(), rows, problems, preview, ignored_columns: located.ignored };
    Ledger { checked, new_experts }
}

fn read_row(cells: &mut Cells<'_>, world: &LedgerWorld<'_>, roster: &mut Roster<'_>) -> Option<LedgerVisit> {
    let year_typed = cells.required("fiscal_year");
    let year = year_typed.and_then(fiscal_year);
    if year_typed.is_some() && year.is_none() {
        cells.wrong(
            "fiscal_year",
            "not_a_fiscal_year",
            "年度として読めません（例：R6、令和6年度、2024）。",
            "Not a fiscal year; write R6, 令和6年度 or 2024.",
        );
    }
    let day = cells.required_date("day");
    if let (Some(year), Some(day)) = (year, day) {
        let actual = FiscalYear::of(day);
        if actual.starting_year() != year {
            cells.wrong(
                "fiscal_year",
                "fiscal_year_mismatch",
                format!("日付は{}です。年度と日付のどちらかが違います。", actual.label_ja()),
                format!("The date lies in fiscal year {}; either the year or the date is wrong.", actual.starting_year()),
            );
        } else if FiscalYear::new(year).is_err() {
            cells.wrong("fiscal_year", "out_of_range", "2000年度から2100年度までです。", "Must be from 2000 to 2100.");
        }
    }
    let organisations = day.map(|day| participants(cells, world.directory, day)).unwrap_or_default();
    let minutes = cells.required("minutes").and_then(|_| cells.integer("minutes", 1, 1440, &["分"]));
    let mode = cells.required("mode").and_then(|_| {
        cells.word(
            "mode",
            Mode::ALL,
            Mode::label_ja,
            &[("ハイブリッド", Mode::Hybrid), ("対面", Mode::Onsite), ("リモート", Mode::Online)],
        )
    });
    let activity = cells.word("activity", ActivityKind::ALL, ActivityKind::label_ja, &[("訪問", ActivityKind::Visit)]);
    let activity_right = activity.is_some() || cells.text("activity").is_empty();
    let status = cells.word(
        "status",
        LedgerStatus::ALL,
        LedgerStatus::label_ja,
        &[("済", LedgerStatus::Done), ("実施済", LedgerStatus::Done), ("完了", LedgerStatus::Done)],
    );
    let status_right = status.is_some() || cells.text("status").is_empty();
    let status = status.unwrap_or(LedgerStatus::Done);
    if status == LedgerStatus::Done && day.is_some_and(|day| day > world.today) {
        cells.wrong(
            "status",
            "not_yet",
            "先の日付の訪問は「予定」としてください。",
            "A visit that lies ahead is “予定” (planned).",
        );
        return None;
    }
    let attendees = cells.integer("attendees", 0, 100_000, &["人", "名"]);
    let place = cells.line_or_empty("place", 200);
    let note = cells.line_or_empty("note", 1000);
    let number = cells.line_or_empty("number", 100);
    let expert_name = cells.name("expert", 200);
    let email = address(cells);
    let (Some(day), Some(minutes), Some(mode), Some(expert_name)) = (day, minutes, mode, expert_name) else { return None };
    if organisations.is_empty() || !activity_right || !status_right {
        return None;
    }
    let expert = roster.find(cells, &expert_name, email, day)?;
    let key = ledger_key(world.programme, day, &expert_name, &organisations, &number);
    let activity = activity.unwrap_or(ActivityKind::Visit);
    Some(LedgerVisit { day, organisations, expert, minutes, mode, activity, status, place, attendees, note, key })
}

/// The address in a row, checked.
fn address(cells: &mut Cells<'_>) -> Option<String> {
    let typed = cells.text("expert_email").to_ascii_lowercase();
    (!typed.is_empty() && cells.check("expert_email", |fields| fields.email("", &typed))).then_some(typed)
}

/// The bodies of a row; where codes and names are given, both must mean the same.
fn participants(cells: &mut Cells<'_>, directory: &Directory, day: NaiveDate) -> Vec<OrganisationId> {
    let (codes, names) = (entries(cells.text("lg_code")), entries(cells.text("organisation")));
    if codes.is_empty() && names.is_empty() {
        // Where both columns are missing, that was noted once.
        if cells.has("lg_code") || cells.has("organisation") {
            cells.wrong(
                "organisation",
                "required",
                "団体コードか団体名を入力してください。",
                "Give the code or the name of the body.",
            );
        }
        return Vec::new();
    }
    if !codes.is_empty() {
        let found = resolve(cells, "lg_code", &codes, |typed| directory.by_code(typed, day).map(|row| row.id));
        let Some(by_code) = found else { return Vec::new() };
        // A name beside a code only has to agree with it: spelling and old names are forgiven, another body is not.
        let disagrees = names.len() == by_code.len()
            && by_code
                .iter()
                .zip(&names)
                .any(|(id, name)| directory.by_name(name, day).is_ok_and(|row| row.id != *id && !by_code.contains(&row.id)));
        if disagrees || (!names.is_empty() && names.len() != by_code.len()) {
            cells.wrong(
                "organisation",
                "code_and_name_differ",
                "団体コードと団体名が一致しません。",
                "Code and name mean different bodies.",
            );
            return Vec::new();
        }
        return by_code;
    }
    resolve(cells, "organisation", &names, |typed| directory.by_name(typed, day).map(|row| row.id)).unwrap_or_default()
}

/// The bodies that the entries of a cell mean; nothing unless all of them are found, once each.
fn resolve(
    cells: &mut Cells<'_>,
    key: &str,
    typed: &[&str],
    find: impl Fn(&str) -> Result<OrganisationId, Unresolved>,
) -> Option<Vec<OrganisationId>> {
    let mut found = Vec::new();
    for entry in typed {
        match find(entry) {
            Ok(id) if found.contains(&id) => {
                cells.wrong(key, "duplicate", "同じ団体が2回書かれています。", "The same body is named twice.")
            }
            Ok(id) => found.push(id),
            Err((code, ja, en)) => cells.wrong(key, code, ja, en),
        }
    }
    (found.len() == typed.len()).then_some(found)
}

/// Experts by folded name, and those the ledger brings.
struct Roster<'a> {
    known: HashMap<String, Vec<&'a RosterExpert>>,
    new: Vec<NewExpert>,
    new_by_name: HashMap<String, usize>,
}

impl<'a> Roster<'a> {
    fn new(experts: &'a [RosterExpert]) -> Self {
        let mut known: HashMap<String, Vec<&RosterExpert>> = HashMap::new();
        for expert in experts {
            let names: HashSet<String> = [&expert.name, &expert.alternative_name]
                .into_iter()
                .map(|name| text::fold(name))
                .filter(|name| !name.is_empty())
                .collect();
            for name in names {
                known.entry(name).or_default().push(expert);
            }
        }
        Self { known, new: Vec::new(), new_by_name: HashMap::new() }
    }

    /// The expert a row means. Namesakes are told apart by address, then by being registered still.
    fn find(&mut self, cells: &mut Cells<'_>, name: &str, email: Option<String>, day: NaiveDate) -> Option<LedgerExpert> {
        let folded = text::fold(name);
        if let Some(namesakes) = self.known.get(&folded) {
            let mut found = namesakes.clone();
            if let Some(email) = &email {
                found.retain(|expert| expert.email == *email || expert.email == placeholder_address(name));
                if found.is_empty() {
                    cells.wrong(
                        "expert_email",
                        "address_differs",
                        "同じ氏名の専門家が別のメールアドレスで登録されています。",
                        "An expert of this name is on record under another address.",
                    );
                    return None;
                }
            }
            if found.len() > 1 && found.iter().any(|expert| !expert.retired) {
                found.retain(|expert| !expert.retired);
            }
            return match found.as_slice() {
                [expert] => Some(LedgerExpert::Known(expert.id)),
                _ => {
                    cells.wrong(
                        "expert",
                        "ambiguous_expert",
                        "同じ氏名の専門家が複数います。専門家メールで区別してください。",
                        "Several experts have this name; tell them apart by address.",
                    );
                    None
                }
            };
        }
        let position = match self.new_by_name.get(&folded) {
            Some(position) => *position,
            None => {
                self.new.push(NewExpert { name: name.to_owned(), email: None, first_day: day, last_day: day });
                self.new_by_name.insert(folded, self.new.len() - 1);
                self.new.len() - 1
            }
        };
        let expert = self.new.get_mut(position)?;
        expert.first_day = expert.first_day.min(day);
        expert.last_day = expert.last_day.max(day);
        match (&expert.email, email) {
            (Some(known), Some(given)) if *known != given => {
                cells.wrong(
                    "expert_email",
                    "address_differs",
                    "同じ氏名の専門家に別のメールアドレスが書かれています。",
                    "The same name stands with another address in an earlier row.",
                );
                return None;
            }
            (None, Some(given)) => expert.email = Some(given),
            _ => {}
        }
        Some(LedgerExpert::New(position))
    }
}

fn preview_row(line: usize, visit: &LedgerVisit, world: &LedgerWorld<'_>, roster: &Roster<'_>) -> ImportPreviewRow {
    let organisations: Vec<&str> = visit.organisations.iter().map(|id| world.directory.name(*id)).collect();
    let expert = match visit.expert {
        LedgerExpert::Known(id) => world.experts.iter().find(|expert| expert.id == id).map(|expert| expert.name.clone()),
        LedgerExpert::New(position) => roster.new.get(position).map(|expert| expert.name.clone()),
    };
    let mut values = vec![
        ImportPreviewValue::new("年度", FiscalYear::of(visit.day).short()),
        ImportPreviewValue::new("日付", visit.day.to_string()),
        ImportPreviewValue::new("団体名", organisations.join("、")),
        ImportPreviewValue::new("専門家氏名", expert.unwrap_or_default()),
        ImportPreviewValue::new("時間（分）", visit.minutes.to_string()),
        ImportPreviewValue::new("形態", visit.mode.label_ja()),
        ImportPreviewValue::new("区分", visit.activity.label_ja()),
        ImportPreviewValue::new("状態", visit.status.label_ja()),
    ];
    for (column, value) in [("場所", visit.place.clone()), ("備考", visit.note.clone())] {
        if !value.is_empty() {
            values.push(ImportPreviewValue::new(column, value));
        }
    }
    if let Some(attendees) = visit.attendees {
        values.push(ImportPreviewValue::new("参加者数", attendees.to_string()));
    }
    ImportPreviewRow { line: i64::try_from(line).unwrap_or(i64::MAX), values, notes: Vec::new() }
}

/// Says in a preview row that its expert will be registered, and with which address.
fn note_new_expert(row: &mut ImportPreviewRow, rows: &[(usize, LedgerVisit)], new_experts: &[NewExpert]) {
    let visit = rows.iter().find(|(line, _)| i64::try_from(*line).is_ok_and(|line| line == row.line));
    let Some((_, LedgerVisit { expert: LedgerExpert::New(position), .. })) = visit else { return };
    let Some(expert) = new_experts.get(*position) else { return };
    row.notes.push("人材プールにない専門家です。登録終了の専門家として登録します。".to_owned());
    if expert.email.is_none() {
        row.notes.push(format!("メールアドレスが不明なため、届かない仮のアドレス（{}）を登録します。", expert.address()));
    }
}

/// Takes out the rows whose visits are on record already: of an earlier ledger (`keys`, and whether it is only planned there),
/// or entered through the service
/// itself for the same day, expert and body (`recorded`).
pub fn refuse_recorded(
    ledger: &mut Ledger,
    keys: &HashMap<String, bool>,
    recorded: &HashSet<(NaiveDate, ExpertId, OrganisationId)>,
) {
    let problems = &mut ledger.checked.problems;
    let mut refused: HashSet<usize> = HashSet::new();
    for (line, visit) in &ledger.checked.rows {
        let known = keys.get(&visit.key);
        // Last year's plan comes true: the same row, now as done, takes its place.
        if known == Some(&true) && visit.status == LedgerStatus::Done {
            continue;
        }
        if known.is_some() {
            problems.wrong(
                *line,
                "日付",
                "already_imported",
                "この訪問はすでに取り込まれています。",
                "This visit has been imported already.",
            );
            refused.insert(*line);
        } else if let LedgerExpert::Known(expert) = visit.expert
            && visit.organisations.iter().any(|body| recorded.contains(&(visit.day, expert, *body)))
        {
            problems.wrong(
                *line,
                "日付",
                "already_recorded",
                "同じ日・専門家・団体の訪問がすでに登録されています。",
                "A visit of this expert to this body on this day is on record already.",
            );
            refused.insert(*line);
        }
    }
    ledger.checked.rows.retain(|(line, _)| !refused.contains(line));
    ledger.checked.preview.retain(|row| usize::try_from(row.line).is_ok_and(|line| !refused.contains(&line)));
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
