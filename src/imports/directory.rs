//! Finding the organisations that a file names, by code or by name. Names are not unique in Japan (府中市 lies in two
//! prefectures), so those near the importing body are looked at first, and what stays ambiguous is refused.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use crate::db::Conn;
use crate::error::Error;
use crate::ids::OrganisationId;
use crate::organisations::lg_code::LgCode;
use crate::organisations::store::{self, OrganisationFilter, OrganisationRow};
use crate::statistics::export;
use crate::text;

/// Why an organisation was not found: code, Japanese, English.
pub type Unresolved = (&'static str, String, String);

/// The organisations a file can name.
#[derive(Debug, Default)]
pub struct Directory {
    all: Vec<OrganisationRow>,
    near: HashSet<OrganisationId>,
    by_code: HashMap<String, Vec<usize>>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Directory {
    /// Loads all organisations in one query. `prefecture` and `members` are near: their names win over the same names
    /// elsewhere.
    pub fn load(conn: &mut Conn, prefecture: Option<OrganisationId>, members: &[OrganisationId]) -> Result<Self, Error> {
        let mut whole = export::whole_list(&"directory")?;
        whole.limit = 1_000_000;
        Ok(Self::new(store::list(conn, &OrganisationFilter::default(), &whole)?, prefecture, members))
    }

    /// Sorts organisations by code and name.
    pub fn new(all: Vec<OrganisationRow>, prefecture: Option<OrganisationId>, members: &[OrganisationId]) -> Self {
        let mut near: HashSet<OrganisationId> = members.iter().copied().collect();
        let (mut by_code, mut by_name): (HashMap<String, Vec<usize>>, HashMap<String, Vec<usize>>) = Default::default();
        for (i, row) in all.iter().enumerate() {
            if prefecture.is_some() && (row.prefecture_id == prefecture || Some(row.id) == prefecture) {
                near.insert(row.id);
            }
            if let Some(code) = &row.lg_code {
                by_code.entry(code.clone()).or_default().push(i);
            }
            by_name.entry(text::fold(&row.name)).or_default().push(i);
        }
        Self { all, near, by_code, by_name }
    }

    /// The body with a code, preferring the one that exists on the day; a dropped leading zero is repaired.
    ///
    /// # Errors
    /// What is wrong with the code, or that no body on record has it.
    pub fn by_code(&self, typed: &str, day: NaiveDate) -> Result<&OrganisationRow, Unresolved> {
        let code = LgCode::repair(typed).map_err(|problem| (problem.code(), problem.message_ja(), problem.message_en()))?;
        let found = self.rows(self.by_code.get(code.as_str()));
        found.iter().find(|row| row.exists_on(day)).or(found.first()).copied().ok_or_else(|| {
            (
                "unknown_organisation",
                format!("団体コード{}の団体は登録されていません。", code.as_str()),
                format!("No organisation with code {} is on record.", code.as_str()),
            )
        })
    }

    /// The body with a name, kana and width folded.
    ///
    /// # Errors
    /// That no body or more than one has the name.
    pub fn by_name(&self, typed: &str, day: NaiveDate) -> Result<&OrganisationRow, Unresolved> {
        let mut found = self.rows(self.by_name.get(&text::fold(typed)));
        prefer(&mut found, |row| self.near.contains(&row.id));
        prefer(&mut found, |row| row.exists_on(day));
        match found.as_slice() {
            [] => Err((
                "unknown_organisation",
                format!("「{}」という団体は登録されていません。", short(typed)),
                format!("No organisation is named “{}”.", short(typed)),
            )),
            [row] => Ok(row),
            _ => Err((
                "ambiguous_organisation",
                format!("「{}」という団体が複数あります。団体コードで指定してください。", short(typed)),
                format!("Several organisations are named “{}”; give the code.", short(typed)),
            )),
        }
    }

    /// The name of an organisation.
    pub fn name(&self, id: OrganisationId) -> &str {
        self.all.iter().find(|row| row.id == id).map_or("", |row| row.name.as_str())
    }

    fn rows(&self, positions: Option<&Vec<usize>>) -> Vec<&OrganisationRow> {
        positions.into_iter().flatten().filter_map(|i| self.all.get(*i)).collect()
    }
}

/// Keeps the rows that fit, unless none does.
fn prefer(rows: &mut Vec<&OrganisationRow>, fits: impl Fn(&OrganisationRow) -> bool) {
    if rows.iter().any(|row| fits(row)) {
        rows.retain(|row| fits(row));
    }
}

/// What was typed, short enough for a sentence.
fn short(typed: &str) -> String {
    typed.chars().take(60).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::organisations::model::OrganisationKind;

    pub(crate) fn body(id: i64, code: &str, name: &str, prefecture: i64) -> OrganisationRow {
        OrganisationRow {
            id: OrganisationId(id),
            kind: OrganisationKind::City,
            lg_code: Some(code.to_owned()),
            prefecture_id: Some(OrganisationId(prefecture)),
            parent_id: None,
            name: name.to_owned(),
            kana: String::new(),
            latitude_e6: None,
            longitude_e6: None,
            contact_email: None,
            requires_approval: false,
            requires_second_factor: false,
            valid_from: None,
            valid_to: None,
            successor_id: None,
            version: 1,
        }
    }

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2024, 5, 1).unwrap()
    }

    #[test]
    fn a_near_body_wins_over_its_namesake() {
        let rows = || vec![body(1, "132063", "府中市", 13), body(2, "342084", "府中市", 34), body(3, "342076", "福山市", 34)];
        let hiroshima = Directory::new(rows(), Some(OrganisationId(34)), &[]);
        assert_eq!(hiroshima.by_name("府中市", day()).unwrap().id, OrganisationId(2));
        let elsewhere = Directory::new(rows(), Some(OrganisationId(22)), &[]);
        assert_eq!(elsewhere.by_name("府中市", day()).unwrap_err().0, "ambiguous_organisation");
        assert_eq!(elsewhere.by_name("福 山 市", day()).unwrap().id, OrganisationId(3));
        assert_eq!(elsewhere.by_name("無市", day()).unwrap_err().0, "unknown_organisation");
    }

    #[test]
    fn a_body_is_the_one_that_existed_on_the_day() {
        let mut old = body(1, "342084", "府中市", 34);
        old.valid_to = NaiveDate::from_ymd_opt(2023, 4, 1);
        let directory = Directory::new(vec![old, body(2, "342084", "府中市", 34)], None, &[]);
        assert_eq!(directory.by_code("342084", day()).unwrap().id, OrganisationId(2));
        assert_eq!(directory.by_name("府中市", day()).unwrap().id, OrganisationId(2));
    }

    #[test]
    fn codes_are_repaired_and_verified() {
        let directory = Directory::new(vec![body(1, "010006", "北海道", 1)], None, &[]);
        assert_eq!(directory.by_code("10006", day()).unwrap().id, OrganisationId(1));
        assert_eq!(directory.by_code("010007", day()).unwrap_err().0, "lg_code_check_digit");
        assert_eq!(directory.by_code("221309", day()).unwrap_err().0, "unknown_organisation");
    }
}
