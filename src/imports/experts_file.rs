//! Experts to register, as a table. Pure: given the bodies, skill items and addresses on record, it says which
//! registrations the file means and what is wrong with it.

use std::collections::{HashMap, HashSet};

use super::cells::{Cells, ColumnSpec, Located, entries};
use super::directory::Directory;
use super::model::{Checked, ImportPreviewRow, ImportPreviewValue, Problems};
use super::table::Table;
use crate::experts::model::{AffiliationKind, EmployerConsent};
use crate::experts::views::CreateExpertBody;
use crate::ids::{PoolId, SkillItemId};
use crate::requests::model::Mode;
use crate::text;

/// The columns of the file.
pub const COLUMNS: &[ColumnSpec] = &[
    ColumnSpec { key: "name", headings: &["氏名"], required: true },
    ColumnSpec { key: "kana", headings: &["フリガナ", "ふりがな"], required: false },
    ColumnSpec { key: "alternative_name", headings: &["代替表記", "氏名（代替文字）"], required: false },
    ColumnSpec { key: "email", headings: &["メール", "メールアドレス", "電子メール"], required: true },
    ColumnSpec { key: "phone", headings: &["電話", "電話番号"], required: false },
    ColumnSpec { key: "affiliation_kind", headings: &["所属区分"], required: true },
    ColumnSpec { key: "affiliation", headings: &["所属", "所属先"], required: false },
    ColumnSpec { key: "profile", headings: &["紹介", "経歴", "専門分野"], required: false },
    ColumnSpec { key: "skills", headings: &["スキル"], required: false },
    ColumnSpec { key: "mode", headings: &["現地/オンライン", "対応形態", "形態"], required: true },
    ColumnSpec {
        key: "base_lg_code", headings: &["活動拠点", "活動拠点（団体コード）", "拠点団体コード"], required: false
    },
    ColumnSpec { key: "base_place", headings: &["拠点の場所", "活動拠点（場所）"], required: false },
    ColumnSpec { key: "appointed_from", headings: &["委嘱開始", "委嘱開始日"], required: true },
    ColumnSpec { key: "appointed_to", headings: &["委嘱終了", "委嘱終了日"], required: false },
    ColumnSpec { key: "hours_week", headings: &["週上限時間"], required: false },
    ColumnSpec { key: "hours_month", headings: &["月上限時間"], required: false },
    ColumnSpec { key: "hours_year", headings: &["年上限時間", "年度上限時間"], required: false },
    ColumnSpec { key: "days_year", headings: &["年上限日数", "年度上限日数"], required: false },
    ColumnSpec { key: "simultaneous", headings: &["同時件数", "同時件数上限"], required: false },
];

/// An expert to register.
#[derive(Debug)]
pub struct NewExpert {
    /// The registration.
    pub body: CreateExpertBody,
    /// Skills with their levels; none of them confirmed by the office.
    pub skills: Vec<(SkillItemId, i32)>,
}

/// A skill that a file can name.
#[derive(Debug, Clone)]
pub struct KnownSkill {
    /// The item.
    pub id: SkillItemId,
    /// Code of its framework.
    pub framework: String,
    /// Code within the framework.
    pub code: String,
    /// Name.
    pub name: String,
    /// Highest level of the framework's scale.
    pub highest_level: i32,
}

/// What the check has to know.
pub struct ExpertsWorld<'a> {
    /// The pool.
    pub pool: PoolId,
    /// Bodies.
    pub directory: &'a Directory,
    /// Skill items, those of newer editions later.
    pub skills: &'a [KnownSkill],
    /// Addresses of the pool's experts who have not retired, lower case.
    pub taken: &'a HashSet<String>,
    /// Rows to show in the preview.
    pub preview_rows: usize,
}

/// Reads and checks every row.
pub fn check(table: &Table, world: &ExpertsWorld<'_>) -> Checked<NewExpert> {
    let mut problems = Problems::default();
    let located = Located::of(table, COLUMNS, &mut problems);
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut rows = Vec::new();
    let mut preview = Vec::new();
    for row in &table.rows {
        let mut cells = Cells::new(&located, row, &mut problems);
        let Some(expert) = read_row(&mut cells, world) else { continue };
        if let Some(earlier) = seen.get(&expert.body.email) {
            cells.wrong(
                "email",
                "repeated_row",
                format!("{earlier}行目と同じメールアドレスです。"),
                format!("The same address as in row {earlier}."),
            );
            continue;
        }
        seen.insert(expert.body.email.clone(), row.line);
        if preview.len() < world.preview_rows {
            preview.push(preview_row(row.line, &expert, world));
        }
        rows.push((row.line, expert));
    }
    Checked { row_count: table.rows.len(), rows, problems, preview, ignored_columns: located.ignored }
}

fn read_row(cells: &mut Cells<'_>, world: &ExpertsWorld<'_>) -> Option<NewExpert> {
    let before = cells.problems();
    let name = cells.name("name", 200);
    let kana = cells.line_or_empty("kana", 200);
    let alternative_name = cells.line_or_empty("alternative_name", 200);
    let email = cells
        .required("email")
        .map(str::to_ascii_lowercase)
        .filter(|email| cells.check("email", |fields| fields.email("", email)));
    if email.as_ref().is_some_and(|email| world.taken.contains(email)) {
        cells.wrong(
            "email",
            "already_registered",
            "このメールアドレスの専門家はすでに登録されています。",
            "An expert of the pool has this address already.",
        );
    }
    let phone = cells.line_or_empty("phone", 40);
    cells.required("affiliation_kind");
    let affiliation_kind = cells.word(
        "affiliation_kind",
        AffiliationKind::ALL,
        AffiliationKind::label_ja,
        &[
            ("会社員", AffiliationKind::CompanyEmployee),
            ("企業", AffiliationKind::CompanyEmployee),
            ("大学", AffiliationKind::UniversityStaff),
        ],
    );
    let affiliation = cells.line_or_empty("affiliation", 200);
    let profile = cells.text("profile").to_owned();
    cells.check("profile", |fields| fields.text("", &profile, 4000));
    let skills = skills(cells, world.skills);
    cells.required("mode");
    let mode = cells.word(
        "mode",
        Mode::ALL,
        Mode::label_ja,
        &[
            ("両方", Mode::Hybrid),
            ("現地・オンライン", Mode::Hybrid),
            ("現地/オンライン", Mode::Hybrid),
            ("どちらも可", Mode::Hybrid),
        ],
    );
    let base_place = cells.line_or_empty("base_place", 200);
    let appointed_from = cells.required_date("appointed_from");
    let last = cells.date("appointed_to");
    if let (Some(from), Some(last)) = (appointed_from, last)
        && last < from
    {
        cells.wrong("appointed_to", "before_start", "委嘱終了は委嘱開始以後にしてください。", "Must not be before the start.");
    }
    let minutes_week = cells.hours("hours_week", 168);
    let minutes_month = cells.hours("hours_month", 744);
    let minutes_year = cells.hours("hours_year", 8_784);
    let days_year = cells.integer("days_year", 0, 366, &["日"]);
    let simultaneous = cells.integer("simultaneous", 1, 100, &["件"]);
    let base = match (cells.text("base_lg_code"), appointed_from) {
        ("", _) | (_, None) => None,
        (code, Some(day)) => match world.directory.by_code(code, day) {
            Ok(row) => Some(row.id),
            Err((code, ja, en)) => {
                cells.wrong("base_lg_code", code, ja, en);
                None
            }
        },
    };
    if cells.problems() > before {
        return None;
    }
    let mode = mode?;
    Some(NewExpert {
        body: CreateExpertBody {
            pool_id: world.pool,
            name: name?,
            kana,
            alternative_name,
            affiliation_kind: affiliation_kind?,
            affiliation,
            profile,
            email: email?,
            phone,
            onsite: mode != Mode::Online,
            online: mode != Mode::Onsite,
            base_organisation_id: base,
            base_place,
            languages: vec!["ja".to_owned()],
            area_ids: Vec::new(),
            serves_islands: true,
            appointed_from: appointed_from?,
            // People write the last day of the term; the end that is stored is the day after.
            appointed_to: last.and_then(|day| day.succ_opt()),
            capacity_simultaneous: simultaneous,
            capacity_minutes_week: minutes_week,
            capacity_minutes_month: minutes_month,
            capacity_minutes_year: minutes_year,
            capacity_days_year: days_year,
            employer_consent: EmployerConsent::NotNeeded,
            employer_consent_until: None,
        },
        skills,
    })
}

/// Skills written as `code:level` or `framework/code:level`; the name may stand for the code.
fn skills(cells: &mut Cells<'_>, known: &[KnownSkill]) -> Vec<(SkillItemId, i32)> {
    let mut held: Vec<(SkillItemId, i32)> = Vec::new();
    for entry in entries(cells.text("skills")) {
        let (item, level) = entry.rsplit_once([':', '：']).unwrap_or((entry, ""));
        match one_skill(item, known) {
            Err((code, ja, en)) => cells.wrong("skills", code, ja, en),
            Ok(skill) => match text::fold(level).parse::<i32>() {
                Ok(level) if (1..=skill.highest_level).contains(&level) => {
                    if held.iter().any(|(id, _)| *id == skill.id) {
                        cells.wrong(
                            "skills",
                            "duplicate",
                            format!("「{item}」が2回書かれています。"),
                            format!("“{item}” is named twice."),
                        );
                    } else {
                        held.push((skill.id, level));
                    }
                }
                _ => cells.wrong(
                    "skills",
                    "wrong_level",
                    format!("「{item}」の後に:と1から{}までのレベルを書いてください（例：{item}:3）。", skill.highest_level),
                    format!("Write a level from 1 to {} after “{item}:”.", skill.highest_level),
                ),
            },
        }
    }
    held
}

/// The item that is meant: in its newest edition; a code that two frameworks have needs the framework before it.
fn one_skill<'k>(typed: &str, known: &'k [KnownSkill]) -> Result<&'k KnownSkill, super::directory::Unresolved> {
    let (framework, item) = match typed.split_once('/') {
        Some((framework, item)) => (Some(text::fold(framework)), text::fold(item)),
        None => (None, text::fold(typed)),
    };
    let found: Vec<&KnownSkill> = known
        .iter()
        .filter(|skill| framework.as_ref().is_none_or(|framework| text::fold(&skill.framework) == *framework))
        .filter(|skill| text::fold(&skill.code) == item || text::fold(&skill.name) == item)
        .collect();
    let Some(newest) = found.last() else {
        return Err(("unknown_skill", format!("「{typed}」というスキルはありません。"), format!("There is no skill “{typed}”.")));
    };
    if found.iter().any(|skill| skill.framework != newest.framework) {
        return Err((
            "ambiguous_skill",
            format!("「{typed}」は複数のスキル標準にあります。「標準のコード/スキルのコード」と書いてください。"),
            format!("Several frameworks have “{typed}”; write framework/code."),
        ));
    }
    Ok(newest)
}

fn preview_row(line: usize, expert: &NewExpert, world: &ExpertsWorld<'_>) -> ImportPreviewRow {
    let body = &expert.body;
    let minutes = |minutes: i32| if minutes % 60 == 0 { format!("{}時間", minutes / 60) } else { format!("{minutes}分") };
    let skills: Vec<String> = expert
        .skills
        .iter()
        .filter_map(|(id, level)| {
            world.skills.iter().find(|skill| skill.id == *id).map(|skill| format!("{}:{level}", skill.name))
        })
        .collect();
    let mode = match (body.onsite, body.online) {
        (true, true) => "現地・オンライン",
        (true, false) => "現地",
        _ => "オンライン",
    };
    let mut values = vec![
        ImportPreviewValue::new("氏名", &body.name),
        ImportPreviewValue::new("フリガナ", text::to_katakana(&body.kana)),
        ImportPreviewValue::new("メール", &body.email),
        ImportPreviewValue::new("所属区分", body.affiliation_kind.label_ja()),
        ImportPreviewValue::new("所属", &body.affiliation),
        ImportPreviewValue::new("スキル", skills.join("、")),
        ImportPreviewValue::new("現地/オンライン", mode),
        ImportPreviewValue::new("活動拠点", body.base_organisation_id.map(|id| world.directory.name(id)).unwrap_or_default()),
        ImportPreviewValue::new("委嘱開始", body.appointed_from.to_string()),
    ];
    let optional = [
        ("委嘱終了", body.appointed_to.and_then(|day| day.pred_opt()).map(|day| day.to_string())),
        ("週上限時間", body.capacity_minutes_week.map(minutes)),
        ("月上限時間", body.capacity_minutes_month.map(minutes)),
        ("年上限時間", body.capacity_minutes_year.map(minutes)),
        ("年上限日数", body.capacity_days_year.map(|days| format!("{days}日"))),
        ("同時件数", body.capacity_simultaneous.map(|count| format!("{count}件"))),
    ];
    values.extend(optional.into_iter().filter_map(|(column, value)| value.map(|value| ImportPreviewValue::new(column, value))));
    values.retain(|value| !value.value.is_empty());
    ImportPreviewRow { line: i64::try_from(line).unwrap_or(i64::MAX), values, notes: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::cells::tests::csv;
    use crate::imports::directory::tests::body;

    const HEAD: &str = "氏名,フリガナ,メール,所属区分,所属,スキル,現地/オンライン,活動拠点,委嘱開始,委嘱終了,月上限時間\n";

    fn read(rows: &str) -> Checked<NewExpert> {
        let directory = Directory::new(vec![body(1, "221309", "浜松市", 22)], None, &[]);
        let skill = |id, framework: &str, code: &str, name: &str, highest_level| KnownSkill {
            id: SkillItemId(id),
            framework: framework.into(),
            code: code.into(),
            name: name.into(),
            highest_level,
        };
        let skills = [
            skill(1, "mic", "pm", "プロジェクト管理", 5),
            skill(2, "mic", "pm", "プロジェクト管理", 5),
            skill(3, "iwaki", "network", "ネットワーク", 5),
            skill(4, "other", "network", "網", 3),
        ];
        let taken = HashSet::from(["taken@example.jp".to_owned()]);
        let world = ExpertsWorld { pool: PoolId(1), directory: &directory, skills: &skills, taken: &taken, preview_rows: 20 };
        check(&csv(&format!("{HEAD}{rows}")), &world)
    }

    fn problems(checked: Checked<NewExpert>) -> Vec<String> {
        checked.problems.into_list().into_iter().map(|p| format!("{} {} {}", p.line, p.column, p.code)).collect()
    }

    #[test]
    fn a_row_becomes_a_registration() {
        let checked =
            read("髙橋 花子,たかはし はなこ,Hanako@example.jp,個人,,pm:3；iwaki/network:2,両方,221309,R8.4.1,R9.3.31,7.5時間\n");
        assert_eq!(problems(read("髙橋 花子,,a@example.jp,個人,,,現地,,R8.4.1,,\n")), Vec::<String>::new());
        let (line, expert) = &checked.rows[0];
        let body = &expert.body;
        assert_eq!((*line, body.name.as_str(), body.email.as_str()), (2, "髙橋 花子", "hanako@example.jp"));
        assert_eq!(expert.skills, [(SkillItemId(2), 3), (SkillItemId(3), 2)], "the newest edition");
        assert_eq!((body.onsite, body.online, body.capacity_minutes_month), (true, true, Some(450)));
        assert_eq!(body.appointed_to.map(|d| d.to_string()).as_deref(), Some("2027-04-01"));
        assert_eq!(checked.preview[0].values.iter().find(|v| v.column == "活動拠点").map(|v| v.value.as_str()), Some("浜松市"));
    }

    #[test]
    fn what_cannot_be_registered_is_named() {
        assert_eq!(
            problems(read(
                "甲,,taken@example.jp,個人,,,現地,,R8.4.1,,\n乙,,b@example.jp,仙人,,network:2;pm:9;x:1;pm,空,999999,R8.4.1,R8.3.31,800\n,,c,,,,,,,,\n"
            )),
            [
                "2 メール already_registered",
                "3 所属区分 unknown_value",
                "3 スキル ambiguous_skill",
                "3 スキル wrong_level",
                "3 スキル unknown_skill",
                "3 スキル wrong_level",
                "3 現地/オンライン unknown_value",
                "3 委嘱終了 before_start",
                "3 月上限時間 out_of_range",
                "3 活動拠点 lg_code_unknown_prefecture",
                "4 氏名 required",
                "4 メール not_an_address",
                "4 所属区分 required",
                "4 現地/オンライン required",
                "4 委嘱開始 required",
            ]
        );
    }

    #[test]
    fn an_address_stands_once_in_a_file() {
        assert_eq!(
            problems(read("甲,,a@example.jp,個人,,,現地,,R8.4.1,,\n乙,,A@example.jp,個人,,,現地,,R8.4.1,,\n")),
            ["3 メール repeated_row"]
        );
    }
}
