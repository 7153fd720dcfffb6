//! Handing out an answer as JSON or as a file: what every list and statistic shares when it is exported.

use serde::Serialize;
use utoipa::ToSchema;

use super::sheet::{self, Sheet, XlsxProblem};
use crate::error::{Error, ErrorCode};
use crate::http::ListQuery;
use crate::http::read::Answer;

/// Most rows of one exported list. Whoever needs more exports in parts, by filter.
pub const LARGEST_EXPORT: i64 = 10_000;

crate::text_enum! {
    /// In which form an answer is wanted.
    pub enum ExportFormat {
        /// The JSON view; the default.
        Json = "json", "JSON";
        /// CSV in UTF-8 with byte order mark.
        Csv = "csv", "CSV";
        /// An Excel workbook.
        Xlsx = "xlsx", "Excel";
    }
}

/// A file to keep: CSV in UTF-8 with byte order mark, or xlsx. Its name is in `Content-Disposition`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = String, format = Binary, max_length = 104_857_600)]
pub struct ExportFile(pub String);

/// Answers with the view, or with the file that `table` makes of the same view. `name` is the file's name without its
/// ending; any characters are allowed.
pub fn answer<V: Serialize>(
    format: Option<ExportFormat>,
    view: V,
    name: &str,
    table: impl FnOnce(&V) -> Sheet,
) -> Result<Answer<V>, Error> {
    match format.unwrap_or(ExportFormat::Json) {
        ExportFormat::Json => Ok(Answer::Json(view)),
        file => file_answer(&table(&view), file, name),
    }
}

/// The sheet as a file. [`ExportFormat::Json`] stands for CSV here, since a sheet has no JSON form of its own.
pub fn file_answer<V>(sheet: &Sheet, format: ExportFormat, name: &str) -> Result<Answer<V>, Error> {
    let (ending, media_type, content) = match format {
        ExportFormat::Json | ExportFormat::Csv => ("csv", "text/csv; charset=utf-8", sheet::to_csv(sheet)),
        ExportFormat::Xlsx => {
            ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", sheet::to_xlsx(sheet).map_err(refused)?)
        }
    };
    Ok(Answer::File { media_type: media_type.to_owned(), name: format!("{name}.{ending}"), content })
}

fn refused(problem: XlsxProblem) -> Error {
    match problem {
        XlsxProblem::TooLarge => too_large(),
        other => Error::internal(other),
    }
}

/// Paging of a list that can also be handed out as a file: a page for JSON, everything the filters leave for a file.
///
/// # Errors
/// 400 as [`ListQuery::new`], and for `limit` or `cursor` together with a file, which is always whole.
pub fn list_query(
    format: Option<ExportFormat>,
    limit: Option<i64>,
    cursor: Option<&str>,
    filters: &impl std::fmt::Debug,
) -> Result<ListQuery, Error> {
    match format {
        None | Some(ExportFormat::Json) => ListQuery::new(limit, cursor, filters),
        Some(_) if limit.is_some() || cursor.is_some() => Err(Error::new(ErrorCode::UnknownParameter).field(
            "format",
            "not_paged",
            "ファイルは全件を書き出すため、limitとcursorは指定できません",
            "A file holds everything; limit and cursor do not go with it",
        )),
        Some(_) => whole_list(filters),
    }
}

/// Answers with a page, or with the file that `table` makes of the same view.
///
/// # Errors
/// 422 when a file would be cut off: `next` says that more than [`LARGEST_EXPORT`] rows were found.
pub fn list_answer<V: Serialize>(
    format: Option<ExportFormat>,
    page: V,
    next: Option<String>,
    name: &str,
    table: impl FnOnce(&V) -> Sheet,
) -> Result<Answer<V>, Error> {
    match format {
        None | Some(ExportFormat::Json) => Ok(Answer::List(page, next)),
        Some(_) if next.is_some() => Err(too_large()),
        Some(file) => file_answer(&table(&page), file, name),
    }
}

/// Paging for an export: everything the filters leave, up to [`LARGEST_EXPORT`] rows.
pub fn whole_list(filters: &impl std::fmt::Debug) -> Result<ListQuery, Error> {
    let mut list = ListQuery::new(None, None, filters)?;
    list.limit = LARGEST_EXPORT;
    Ok(list)
}

/// Refuses an export that would be cut off.
///
/// # Errors
/// 422 that asks to narrow the filters, when more than [`LARGEST_EXPORT`] rows were found.
pub fn complete<R>(rows: Vec<R>) -> Result<Vec<R>, Error> {
    if i64::try_from(rows.len()).is_ok_and(|found| found <= LARGEST_EXPORT) { Ok(rows) } else { Err(too_large()) }
}

fn too_large() -> Error {
    Error::new(ErrorCode::ValidationFailed).field(
        "format",
        "too_many_rows",
        format!("{LARGEST_EXPORT}行を超えるため書き出せません。条件で絞り込んでください"),
        format!("More than {LARGEST_EXPORT} rows; narrow the filters"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_carries_its_ending_and_type() {
        let sheet = super::super::sheet::sample();
        let Ok(Answer::<()>::File { media_type, name, content }) = file_answer(&sheet, ExportFormat::Csv, "派遣実績_R6")
        else {
            panic!("no file")
        };
        assert_eq!((media_type.as_str(), name.as_str()), ("text/csv; charset=utf-8", "派遣実績_R6.csv"));
        assert!(content.starts_with("\u{FEFF}団体コード".as_bytes()));
        let Ok(Answer::<()>::File { name, content, .. }) = file_answer(&sheet, ExportFormat::Xlsx, "派遣実績_R6") else {
            panic!("no file")
        };
        assert_eq!(name, "派遣実績_R6.xlsx");
        assert!(content.starts_with(b"PK"));
    }

    #[test]
    fn an_export_is_never_cut_off_silently() {
        assert!(complete(vec![(); 10_000]).is_ok());
        let refused = complete(vec![(); 10_001]).map(drop);
        assert_eq!(refused.map_err(|e| (e.code, e.fields[0].code)), Err((ErrorCode::ValidationFailed, "too_many_rows")));
    }

    #[test]
    fn a_list_is_paged_as_json_and_whole_as_a_file() {
        assert_eq!(list_query(None, Some(20), None, &"x").map(|q| q.limit).ok(), Some(20));
        assert_eq!(list_query(Some(ExportFormat::Csv), None, None, &"x").map(|q| q.limit).ok(), Some(LARGEST_EXPORT));
        assert!(list_query(Some(ExportFormat::Xlsx), Some(20), None, &"x").is_err());
        let sheet = |_: &i32| super::super::sheet::sample();
        assert!(matches!(list_answer(None, 3, Some("c".into()), "x", sheet), Ok(Answer::List(3, Some(_)))));
        assert!(matches!(list_answer(Some(ExportFormat::Csv), 3, None, "x", sheet), Ok(Answer::File { .. })));
        assert!(list_answer(Some(ExportFormat::Csv), 3, Some("c".into()), "x", sheet).is_err());
    }

    #[test]
    fn json_is_the_default() {
        let made = answer(None, 3, "x", |_| super::super::sheet::sample());
        assert!(matches!(made, Ok(Answer::Json(3))));
    }
}
