//! People to invite, as a table. Pure: given the bodies on record and the addresses taken, it says which invitations the
//! file means and what is wrong with it. Several rows of one address are one person with several memberships.

use std::collections::{HashMap, HashSet};

use super::cells::{Cells, ColumnSpec, Located};
use super::directory::Directory;
use super::model::{Checked, ImportPreviewRow, ImportPreviewValue, Problems};
use super::table::Table;
use crate::auth::policy::Role;
use crate::auth::sessions::normal_address;
use crate::organisations::people_views::{InviteUserBody, NewMembershipBody};
use crate::organisations::reach::Reach;

/// The columns of the file.
pub const COLUMNS: &[ColumnSpec] = &[
    ColumnSpec { key: "email", headings: &["メール", "メールアドレス", "電子メール"], required: true },
    ColumnSpec { key: "name", headings: &["氏名"], required: true },
    ColumnSpec { key: "kana", headings: &["フリガナ", "ふりがな"], required: false },
    ColumnSpec { key: "lg_code", headings: &["団体コード"], required: false },
    ColumnSpec { key: "organisation", headings: &["団体名", "団体"], required: false },
    ColumnSpec { key: "role", headings: &["役割"], required: true },
    ColumnSpec { key: "valid_from", headings: &["開始日"], required: true },
    ColumnSpec { key: "valid_to", headings: &["終了日"], required: false },
];

/// What the check has to know.
pub struct UsersWorld<'a> {
    /// Bodies.
    pub directory: &'a Directory,
    /// Whose people the importer may administer.
    pub reach: Reach,
    /// Addresses that accounts have already, lower case.
    pub taken: &'a HashSet<String>,
    /// Rows to show in the preview.
    pub preview_rows: usize,
}

/// The addresses a file names, lower case, to look up before its check.
pub fn addresses(table: &Table) -> Vec<String> {
    let located = Located::of(table, COLUMNS, &mut Problems::default());
    let mut ignored = Problems::default();
    let mut found: Vec<String> =
        table.rows.iter().map(|row| normal_address(Cells::new(&located, row, &mut ignored).text("email"))).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Reads and checks every row. Each person stands at the line of the first row.
pub fn check(table: &Table, world: &UsersWorld<'_>) -> Checked<InviteUserBody> {
    let mut problems = Problems::default();
    let located = Located::of(table, COLUMNS, &mut problems);
    if !located.has("lg_code") && !located.has("organisation") {
        problems.wrong(
            table.header_line,
            "団体コード",
            "missing_column",
            "「団体コード」か「団体名」の列が必要です。",
            "Either a column “団体コード” (lg_code) or “団体名” (organisation) is needed.",
        );
    }
    let mut people: Vec<(usize, InviteUserBody)> = Vec::new();
    let mut by_address: HashMap<String, usize> = HashMap::new();
    let mut preview = Vec::new();
    for row in &table.rows {
        let mut cells = Cells::new(&located, row, &mut problems);
        let Some(person) = read_row(&mut cells, world) else { continue };
        if preview.len() < world.preview_rows {
            preview.push(preview_row(row.line, &person, world));
        }
        match by_address.get(&person.email).copied() {
            None => {
                by_address.insert(person.email.clone(), people.len());
                people.push((row.line, person));
            }
            Some(position) => join(&mut cells, &mut people, position, person),
        }
    }
    Checked { row_count: table.rows.len(), rows: people, problems, preview, ignored_columns: located.ignored }
}

/// Adds the membership of a further row to its person.
fn join(cells: &mut Cells<'_>, people: &mut [(usize, InviteUserBody)], position: usize, more: InviteUserBody) {
    let Some((line, person)) = people.get_mut(position) else { return };
    if person.name != more.name {
        cells.wrong(
            "name",
            "name_differs",
            format!("同じメールアドレスの{line}行目と氏名が異なります。"),
            format!("Row {line} has the same address and another name."),
        );
        return;
    }
    for new in more.memberships {
        let overlaps = person.memberships.iter().any(|held| {
            (held.organisation_id, held.role) == (new.organisation_id, new.role)
                && held.valid_to.is_none_or(|to| to > new.valid_from)
                && new.valid_to.is_none_or(|to| to > held.valid_from)
        });
        if overlaps {
            cells.wrong(
                "role",
                "already_member",
                format!("{line}行目からと同じ所属が重なっています。"),
                format!("The same membership as from row {line} on."),
            );
        } else if person.memberships.len() >= 20 {
            cells.wrong("email", "too_many", "一人の所属は20件までです。", "At most 20 memberships of one person.");
        } else {
            person.memberships.push(new);
        }
    }
}

fn read_row(cells: &mut Cells<'_>, world: &UsersWorld<'_>) -> Option<InviteUserBody> {
    let email =
        cells.required("email").map(normal_address).filter(|email| cells.check("email", |fields| fields.email("", email)));
    if let Some(email) = &email
        && world.taken.contains(email)
    {
        cells.wrong(
            "email",
            "already_registered",
            "このメールアドレスの利用者はすでに登録されています。所属は利用者の画面で追加してください。",
            "Somebody has this address already; add the membership to that person.",
        );
        return None;
    }
    let name = cells.name("name", 200);
    let kana = cells.line_or_empty("kana", 200);
    cells.required("role");
    let role = cells.word("role", Role::ALL, Role::label_ja, &[]);
    let from = cells.required_date("valid_from");
    let last = cells.date("valid_to");
    let last_right = last.is_some() || cells.text("valid_to").is_empty();
    if let (Some(from), Some(last)) = (from, last)
        && last < from
    {
        cells.wrong("valid_to", "before_start", "終了日は開始日以後にしてください。", "Must not be before the start.");
        return None;
    }
    let (code, typed) = (cells.text("lg_code"), cells.text("organisation"));
    if code.is_empty() && typed.is_empty() {
        if cells.has("lg_code") || cells.has("organisation") {
            cells.wrong(
                "lg_code",
                "required",
                "団体コードか団体名を入力してください。",
                "Give the code or the name of the body.",
            );
        }
        return None;
    }
    let from = from?;
    let (key, found) = if code.is_empty() {
        ("organisation", world.directory.by_name(typed, from))
    } else {
        ("lg_code", world.directory.by_code(code, from))
    };
    let body = match found {
        Ok(body) => body,
        Err((code, ja, en)) => {
            cells.wrong(key, code, ja, en);
            return None;
        }
    };
    if !world.reach.covers(body.place()) {
        cells.wrong(key, "not_yours", "管理できる団体を指定してください。", "Must be an organisation within your reach.");
        return None;
    }
    if !body.exists_on(from) {
        cells.wrong(key, "closed", "開始日には存在しない団体です。", "The organisation does not exist on the first day.");
        return None;
    }
    let role = role?;
    if !body.kind.admits(role) || role == Role::SystemAdmin {
        cells.wrong(
            "role",
            "role_not_for_kind",
            "この団体の利用者には与えられない役割です。",
            "This role cannot be given in this organisation.",
        );
        return None;
    }
    if !last_right {
        return None;
    }
    Some(InviteUserBody {
        email: email?,
        name: name?,
        kana,
        locale: None,
        // People write the last day; the end that is stored is the day after.
        memberships: vec![NewMembershipBody {
            organisation_id: body.id,
            role,
            valid_from: from,
            valid_to: last.and_then(|day| day.succ_opt()),
        }],
    })
}

fn preview_row(line: usize, person: &InviteUserBody, world: &UsersWorld<'_>) -> ImportPreviewRow {
    let mut values = vec![
        ImportPreviewValue::new("メール", &person.email),
        ImportPreviewValue::new("氏名", &person.name),
        ImportPreviewValue::new("フリガナ", &person.kana),
    ];
    if let Some(membership) = person.memberships.first() {
        values.extend([
            ImportPreviewValue::new("団体名", world.directory.name(membership.organisation_id)),
            ImportPreviewValue::new("役割", membership.role.label_ja()),
            ImportPreviewValue::new("開始日", membership.valid_from.to_string()),
        ]);
        if let Some(last) = membership.valid_to.and_then(|day| day.pred_opt()) {
            values.push(ImportPreviewValue::new("終了日", last.to_string()));
        }
    }
    values.retain(|value| !value.value.is_empty());
    ImportPreviewRow {
        line: i64::try_from(line).unwrap_or(i64::MAX), values, notes: vec!["招待メールを送ります。".to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OrganisationId;
    use crate::imports::cells::tests::csv;
    use crate::imports::directory::tests::body;

    fn read(rows: &str) -> Checked<InviteUserBody> {
        let directory = Directory::new(
            vec![body(1, "221309", "浜松市", 22), body(2, "222119", "磐田市", 22), body(3, "232114", "豊田市", 23)],
            Some(OrganisationId(22)),
            &[],
        );
        let own = OrganisationId(22);
        let reach = Reach::Within { own, run_by: Some(own), prefecture: Some(own) };
        let taken = HashSet::from(["taken@example.jp".to_owned()]);
        let table = csv(&format!("メール,氏名,フリガナ,団体コード,役割,開始日,終了日\n{rows}"));
        check(&table, &UsersWorld { directory: &directory, reach, taken: &taken, preview_rows: 20 })
    }

    fn problems(checked: Checked<InviteUserBody>) -> Vec<String> {
        checked.problems.into_list().into_iter().map(|p| format!("{} {} {}", p.line, p.column, p.code)).collect()
    }

    #[test]
    fn rows_of_one_address_are_one_person() {
        let checked = read(
            "A@example.jp,鈴木 花子,スズキ,221309,市町村担当者,R8.4.1,R9.3.31\na@example.jp,鈴木 花子,スズキ,222119,municipal_approver,2026-04-01,\n",
        );
        assert!(checked.problems.is_empty());
        assert_eq!((checked.rows.len(), checked.preview.len()), (1, 2));
        let (line, person) = &checked.rows[0];
        assert_eq!((*line, person.email.as_str(), person.memberships.len()), (2, "a@example.jp", 2));
        assert_eq!(
            person.memberships[0].valid_to.map(|d| d.to_string()).as_deref(),
            Some("2027-04-01"),
            "the last day still counts"
        );
    }

    #[test]
    fn what_cannot_be_invited_is_named() {
        assert_eq!(
            problems(read(
                "taken@example.jp,甲,,221309,市町村担当者,R8.4.1,\nb@example.jp,乙,,232114,市町村担当者,R8.4.1,\n\
                 c@example.jp,丙,,221309,都道府県コーディネーター,R8.4.1,\nd@example.jp,丁,,221309,システム管理者,R8.4.1,\n\
                 e@example.jp,戊,,221309,課長,R8.4.1,R8.3.1\nbad,,,221309,市町村担当者,,\n"
            )),
            [
                "2 メール already_registered",
                "3 団体コード not_yours",
                "4 役割 role_not_for_kind",
                "5 役割 role_not_for_kind",
                "6 役割 unknown_value",
                "6 終了日 before_start",
                "7 メール not_an_address",
                "7 氏名 required",
                "7 開始日 required",
            ]
        );
    }

    #[test]
    fn the_same_membership_or_another_name_is_refused() {
        let row = "a@example.jp,鈴木,,221309,市町村担当者,R8.4.1,";
        assert_eq!(problems(read(&format!("{row}\n{row}\n"))), ["3 役割 already_member"]);
        assert_eq!(problems(read(&format!("{row}\na@example.jp,佐藤,,222119,市町村担当者,R8.4.1,\n"))), ["3 氏名 name_differs"]);
    }

    #[test]
    fn addresses_are_collected_for_the_lookup() {
        let table = csv("メール,氏名\nB@example.jp,x\na@example.jp,y\nb@example.jp,z\n");
        assert_eq!(addresses(&table), ["a@example.jp", "b@example.jp"]);
    }
}
