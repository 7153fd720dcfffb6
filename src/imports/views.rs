//! What the API sends and takes for imports.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{ImportKind, ImportPreviewRow, ImportRowError, ImportStatus, ImportVerb};
use super::store::ImportRow;
use crate::clock::UtcTime;
use crate::error::Error;
use crate::ids::{ImportId, PoolId, ProgrammeId};

/// A file to import.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "dispatch_ledger", "file_name": "派遣実績_R1-R6.csv", "programme_id": 1,
    "content_base64": "5bm05bqmLOaXpeS7mCzlm6PkvZPlkI0s5bCC6ZaA5a625rCP5ZCNLOaZgumWk++8iOWIhu+8iSzlvaLmhYsKUjYsUjYuNS4xMCzmtZzmnb7luIIs6KaL5pysIOWkqumDjiwxMjAs54++5ZywCg=="}))]
pub struct CreateImportBody {
    /// What the file holds.
    pub kind: ImportKind,
    /// Name of the file.
    #[schema(min_length = 1, max_length = 255)]
    pub file_name: String,
    /// The file, CSV (UTF-8 or Windows-31J) or xlsx, in Base64 (RFC 4648). At most 5 MiB before encoding.
    #[schema(min_length = 4, max_length = 6_990_508, pattern = "^[A-Za-z0-9+/]*={0,2}$")]
    pub content_base64: String,
    /// The pool that experts go to; for `experts` only.
    pub pool_id: Option<PoolId>,
    /// The programme that visits belong to; for `dispatch_ledger` only.
    pub programme_id: Option<ProgrammeId>,
}

/// What is kept beside the problems: JSON of the column `preview`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct StoredPreview {
    /// Headings that mean nothing here.
    #[serde(default)]
    pub ignored_columns: Vec<String>,
    /// What else the import will do.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The first rows as understood.
    #[serde(default)]
    pub rows: Vec<ImportPreviewRow>,
}

/// An uploaded file and what was found in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportView {
    /// Id.
    pub id: ImportId,
    /// What the file holds.
    pub kind: ImportKind,
    /// The pool that experts go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool_id: Option<PoolId>,
    /// The programme that visits belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub programme_id: Option<ProgrammeId>,
    /// Name of the file.
    #[schema(max_length = 255, example = "派遣実績_R1-R6.csv")]
    pub file_name: String,
    /// SHA-256 of the file, hexadecimal.
    #[schema(max_length = 64)]
    pub sha256: String,
    /// State.
    pub status: ImportStatus,
    /// What can be done now.
    #[schema(max_items = 2)]
    pub allowed: Vec<ImportVerb>,
    /// Rows of the file.
    #[schema(minimum = 0, example = 375)]
    pub row_count: i32,
    /// Problems found, also those beyond the list.
    #[schema(minimum = 0, example = 0)]
    pub error_count: i32,
    /// The first 200 problems in the order of the file.
    #[schema(max_items = 200)]
    pub errors: Vec<ImportRowError>,
    /// Headings that mean nothing here; their columns are left out.
    #[schema(max_items = 200)]
    pub ignored_columns: Vec<String>,
    /// What else applying the file will do, in Japanese.
    #[schema(max_items = 10)]
    pub notes: Vec<String>,
    /// The first 20 right rows as understood.
    #[schema(max_items = 20)]
    pub preview: Vec<ImportPreviewRow>,
    /// When it was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<UtcTime>,
    /// Uploaded.
    pub created_at: UtcTime,
    /// Version, as in `ETag`.
    pub version: i64,
}

impl ImportView {
    /// The view of a row.
    pub fn of(row: ImportRow) -> Result<Self, Error> {
        let errors = serde_json::from_str(&row.errors).map_err(Error::internal)?;
        let StoredPreview { ignored_columns, notes, rows } = serde_json::from_str(&row.preview).map_err(Error::internal)?;
        Ok(Self {
            id: row.id,
            kind: row.kind,
            pool_id: row.pool_id,
            programme_id: row.programme_id,
            file_name: row.file_name,
            sha256: row.sha256,
            allowed: row.status.verbs(row.error_count),
            status: row.status,
            row_count: row.row_count,
            error_count: row.error_count,
            errors,
            ignored_columns,
            notes,
            preview: rows,
            applied_at: row.applied_at,
            created_at: row.created_at,
            version: row.version,
        })
    }
}

/// An import in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportSummary {
    /// Id.
    pub id: ImportId,
    /// What the file holds.
    pub kind: ImportKind,
    /// Name of the file.
    #[schema(max_length = 255)]
    pub file_name: String,
    /// State.
    pub status: ImportStatus,
    /// Rows of the file.
    #[schema(minimum = 0)]
    pub row_count: i32,
    /// Problems found.
    #[schema(minimum = 0)]
    pub error_count: i32,
    /// When it was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<UtcTime>,
    /// Uploaded.
    pub created_at: UtcTime,
}

impl From<ImportRow> for ImportSummary {
    fn from(row: ImportRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            file_name: row.file_name,
            status: row.status,
            row_count: row.row_count,
            error_count: row.error_count,
            applied_at: row.applied_at,
            created_at: row.created_at,
        }
    }
}

/// A page of imports.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportPage {
    /// The imports.
    #[schema(max_items = 200)]
    pub items: Vec<ImportSummary>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}
