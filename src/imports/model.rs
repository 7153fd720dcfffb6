//! Kinds and states of an import, and what is found wrong in a file.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Error, FieldError, Words};

crate::text_enum! {
    /// What a file holds.
    pub enum ImportKind {
        /// Experts to register in a pool.
        Experts = "experts", "専門家名簿";
        /// People to invite.
        Users = "users", "利用者名簿";
        /// Visits of past years, from the table kept until now.
        DispatchLedger = "dispatch_ledger", "派遣実績台帳";
    }
}

crate::text_enum! {
    /// How far an import is.
    pub enum ImportStatus {
        /// Read and checked; nothing written yet.
        Previewed = "previewed", "確認待ち";
        /// Written, all of it.
        Applied = "applied", "取込み済み";
        /// Given up; the file is forgotten.
        Discarded = "discarded", "破棄";
    }
}

crate::text_enum! {
    /// What can be done to an import.
    pub enum ImportVerb {
        /// Write all of it.
        Apply = "apply", "取り込む";
        /// Give it up.
        Discard = "discard", "破棄する";
    }
}

impl ImportStatus {
    /// The verbs allowed: a file with errors can only be given up, for its corrected form is another file.
    pub fn verbs(self, errors: i32) -> Vec<ImportVerb> {
        match self {
            Self::Previewed if errors == 0 => vec![ImportVerb::Apply, ImportVerb::Discard],
            Self::Previewed => vec![ImportVerb::Discard],
            Self::Applied | Self::Discarded => Vec::new(),
        }
    }

    /// The state after a verb, or 409 with the verbs that are allowed.
    pub fn after(self, verb: ImportVerb, errors: i32) -> Result<Self, Error> {
        let allowed = self.verbs(errors);
        if !allowed.contains(&verb) {
            return Err(Error::transition(self.as_str(), allowed.iter().map(|verb| verb.as_str()).collect()));
        }
        Ok(match verb {
            ImportVerb::Apply => Self::Applied,
            ImportVerb::Discard => Self::Discarded,
        })
    }
}

/// Something wrong in a file, at a line and, where it belongs to one, a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"line": 3, "column": "日付", "code": "no_such_day", "detail": "存在しない日付です。", "detail_en": "There is no such day."}))]
pub struct ImportRowError {
    /// Line (CSV) or row (xlsx) of the file, counted from 1; the headings are the first.
    #[schema(minimum = 0)]
    pub line: i64,
    /// Heading of the column; empty when the whole row is meant.
    #[schema(max_length = 200)]
    pub column: String,
    /// Stable code.
    #[schema(max_length = 60)]
    pub code: String,
    /// What would be right, in Japanese.
    #[schema(max_length = 500)]
    pub detail: String,
    /// The same in English.
    #[schema(max_length = 500)]
    pub detail_en: String,
}

/// A row as it was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportPreviewRow {
    /// Line (CSV) or row (xlsx) of the file.
    #[schema(minimum = 1)]
    pub line: i64,
    /// What will be written, column by column.
    #[schema(max_items = 40)]
    pub values: Vec<ImportPreviewValue>,
    /// What else will happen because of the row, in Japanese.
    #[schema(max_items = 10)]
    pub notes: Vec<String>,
}

/// A value as it was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportPreviewValue {
    /// Heading of the column.
    #[schema(max_length = 200, example = "日付")]
    pub column: String,
    /// The value.
    #[schema(max_length = 2000, example = "2024-05-10")]
    pub value: String,
}

impl ImportPreviewValue {
    /// A value under its heading.
    pub fn new(column: &str, value: impl Into<String>) -> Self {
        Self { column: column.to_owned(), value: value.into() }
    }
}

/// Everything found wrong in a file.
#[derive(Debug, Default)]
pub struct Problems(Vec<ImportRowError>);

impl Problems {
    /// Notes a problem.
    pub fn wrong(&mut self, line: usize, column: &str, code: &str, ja: impl Into<String>, en: impl Into<String>) {
        self.0.push(ImportRowError {
            line: i64::try_from(line).unwrap_or(i64::MAX),
            column: column.to_owned(),
            code: code.to_owned(),
            detail: ja.into(),
            detail_en: en.into(),
        });
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many problems there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The problems in the order of the file.
    pub fn into_list(mut self) -> Vec<ImportRowError> {
        self.0.sort_by_key(|problem| problem.line);
        self.0
    }
}

/// A file after its check.
#[derive(Debug)]
pub struct Checked<R> {
    /// The rows that are right, with their lines.
    pub rows: Vec<(usize, R)>,
    /// All that is wrong.
    pub problems: Problems,
    /// The rows as understood, for people to look at before they apply the file.
    pub preview: Vec<ImportPreviewRow>,
    /// Rows of the file.
    pub row_count: usize,
    /// Headings that mean nothing here; their columns are left out.
    pub ignored_columns: Vec<String>,
}

/// 422 with the problems as fields, at most `most`: what a file that was right at its preview says when it no longer is.
pub fn refused(problems: Problems, most: usize) -> Error {
    let mut error = Error::new(crate::error::ErrorCode::ValidationFailed).detail(
        "確認後に状況が変わったため取り込めません。何も登録していません",
        "The file can no longer be applied because something has changed since its preview; nothing was written",
    );
    error.fields = problems
        .into_list()
        .into_iter()
        .take(most)
        .map(|problem| FieldError {
            pointer: format!("/rows/{}/{}", problem.line, problem.column),
            code: "row",
            detail: Words::new(problem.detail, problem.detail_en),
        })
        .collect();
    error
}

/// An error of a row's use case, told by its line.
pub fn at_line(line: usize, mut error: Error) -> Error {
    for field in &mut error.fields {
        field.pointer = format!("/rows/{line}{}", field.pointer);
    }
    if error.fields.is_empty() && error.code.status().is_client_error() {
        let title = error.code.title();
        error.fields.push(FieldError { pointer: format!("/rows/{line}"), code: "row", detail: title });
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_without_errors_can_be_applied_and_only_once() {
        use ImportStatus::{Applied, Discarded, Previewed};
        assert_eq!(Previewed.after(ImportVerb::Apply, 0).unwrap(), Applied);
        assert_eq!(Previewed.after(ImportVerb::Discard, 3).unwrap(), Discarded);
        let refused = Previewed.after(ImportVerb::Apply, 1).unwrap_err();
        assert_eq!(refused.failure().state.unwrap().allowed, ["discard"]);
        assert_eq!(Applied.after(ImportVerb::Apply, 0).unwrap_err().failure().state.unwrap().allowed, Vec::<&str>::new());
        assert!(Discarded.after(ImportVerb::Apply, 0).is_err());
    }

    #[test]
    fn problems_come_in_the_order_of_the_file() {
        let mut problems = Problems::default();
        problems.wrong(5, "日付", "a", "あ", "a");
        problems.wrong(2, "", "b", "い", "b");
        let error = refused(problems, 1);
        assert_eq!(error.fields.len(), 1);
        assert_eq!(error.fields[0].pointer, "/rows/2/");
    }
}
