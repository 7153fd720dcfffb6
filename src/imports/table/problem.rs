//! Why a file could not be read as a table, in words for the person who uploaded it.

use std::fmt;

/// Why an uploaded file cannot be read as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableProblem {
    /// The file, or what it unpacks to, exceeds a bound.
    TooLarge(SizeLimit),
    /// More rows below the heading than allowed.
    TooManyRows {
        /// The largest number of rows allowed.
        max: usize,
    },
    /// More columns than allowed.
    TooManyColumns {
        /// The largest number of columns allowed.
        max: usize,
        /// Line or row of the source that has too many.
        line: usize,
    },
    /// A text file in an unknown or mixed character encoding.
    NotUtf8NorWindows31J,
    /// A workbook that cannot be read.
    BadXlsx(WorkbookFault),
    /// A CSV whose quoting is broken.
    BadCsv {
        /// Line of the source at which the broken field begins.
        line: usize,
    },
    /// No row that is not blank.
    Empty,
    /// Two columns have the same heading, so it is unclear which one counts.
    DuplicateHeader {
        /// The heading, as written the second time.
        name: String,
    },
    /// A NUL byte: not a text file, or damaged.
    NulByte,
}

/// The bound that was exceeded, with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeLimit {
    /// Bytes of the uploaded file.
    UploadBytes(usize),
    /// Bytes of a workbook after decompression.
    InflatedBytes(usize),
    /// Parts of a workbook.
    Entries(usize),
    /// Filled cells.
    Cells(usize),
    /// Bytes of text in all cells.
    TextBytes(usize),
}

/// What is wrong with a workbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkbookFault {
    /// The name says workbook, the content does not.
    NotAWorkbook,
    /// An old .xls file, or one protected by a password.
    OldOrProtected,
    /// The zip container or an XML part in it is damaged.
    Damaged,
    /// Well formed, but built as no spreadsheet program builds a workbook: refused because
    /// reading it could exhaust the memory.
    Suspicious,
    /// The workbook has no visible worksheet.
    NoSheet,
}

impl TableProblem {
    /// The stable machine code of the problem.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "file_too_large",
            Self::TooManyRows { .. } => "too_many_rows",
            Self::TooManyColumns { .. } => "too_many_columns",
            Self::NotUtf8NorWindows31J => "unknown_encoding",
            Self::BadXlsx(_) => "bad_xlsx",
            Self::BadCsv { .. } => "bad_csv",
            Self::Empty => "empty_file",
            Self::DuplicateHeader { .. } => "duplicate_header",
            Self::NulByte => "nul_byte",
        }
    }

    /// The line or row of the source the problem was found at, if it has one.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::TooManyColumns { line, .. } | Self::BadCsv { line } => Some(*line),
            _ => None,
        }
    }

    /// The sentence shown to people, in Japanese.
    #[must_use]
    pub fn message_ja(&self) -> String {
        match self {
            Self::TooLarge(limit) => format!("ファイルが大きすぎます（上限：{}）。", limit.ja()),
            Self::TooManyRows { max } => format!("行が多すぎます（上限：{max}行）。"),
            Self::TooManyColumns { max, line } => {
                format!("{line}行目の列が多すぎます（上限：{max}列）。")
            }
            Self::NotUtf8NorWindows31J => {
                "文字コードを判別できません。UTF-8またはShift_JIS（Windows-31J）で保存してください。".into()
            }
            Self::BadXlsx(fault) => fault.ja().into(),
            Self::BadCsv { line } => {
                format!("CSVの{line}行目から始まる項目の引用符（\"）が正しく閉じられていません。")
            }
            Self::Empty => "ファイルにデータがありません。".into(),
            Self::DuplicateHeader { name } => format!("見出し「{name}」の列が2つ以上あります。"),
            Self::NulByte => "ファイルに使えない文字（NUL）が含まれています。".into(),
        }
    }

    /// The sentence shown to people, in English.
    #[must_use]
    pub fn message_en(&self) -> String {
        match self {
            Self::TooLarge(limit) => format!("The file is too large (at most {}).", limit.en()),
            Self::TooManyRows { max } => format!("Too many rows (at most {max})."),
            Self::TooManyColumns { max, line } => {
                format!("Line {line} has too many columns (at most {max}).")
            }
            Self::NotUtf8NorWindows31J => "Unknown character encoding; save the file as UTF-8 or Shift_JIS (Windows-31J).".into(),
            Self::BadXlsx(fault) => fault.en().into(),
            Self::BadCsv { line } => {
                format!("The quotation marks of the field starting on line {line} do not match.")
            }
            Self::Empty => "The file holds no data.".into(),
            Self::DuplicateHeader { name } => {
                format!("More than one column has the heading “{name}”.")
            }
            Self::NulByte => "The file contains a NUL character.".into(),
        }
    }
}

impl SizeLimit {
    fn ja(self) -> String {
        match self {
            Self::UploadBytes(n) => format!("{}MiB", n >> 20),
            Self::InflatedBytes(n) => format!("展開後{}MiB", n >> 20),
            Self::Entries(n) => format!("内部ファイル{n}個"),
            Self::Cells(n) => format!("{n}セル"),
            Self::TextBytes(n) => format!("文字データ{}MiB", n >> 20),
        }
    }

    fn en(self) -> String {
        match self {
            Self::UploadBytes(n) => format!("{} MiB", n >> 20),
            Self::InflatedBytes(n) => format!("{} MiB uncompressed", n >> 20),
            Self::Entries(n) => format!("{n} inner files"),
            Self::Cells(n) => format!("{n} cells"),
            Self::TextBytes(n) => format!("{} MiB of text", n >> 20),
        }
    }
}

impl WorkbookFault {
    fn ja(self) -> &'static str {
        match self {
            Self::NotAWorkbook => "Excelブック（.xlsx）ではありません。",
            Self::OldOrProtected => {
                "古い形式（.xls）またはパスワード付きのファイルは読み込めません。パスワードのない.xlsxで保存してください。"
            }
            Self::Damaged => "Excelブックが壊れているため読み込めません。",
            Self::Suspicious => {
                "Excelブックの構造が通常と異なるため読み込めません。新しいブックに値を貼り付けて保存してください。"
            }
            Self::NoSheet => "Excelブックに表示されているシートがありません。",
        }
    }

    fn en(self) -> &'static str {
        match self {
            Self::NotAWorkbook => "The file is no Excel workbook (.xlsx).",
            Self::OldOrProtected => "Old .xls files and files with a password cannot be read; save as .xlsx without a password.",
            Self::Damaged => "The Excel workbook is damaged.",
            Self::Suspicious => "The Excel workbook is built in an unusual way; paste the values into a new workbook.",
            Self::NoSheet => "The Excel workbook has no visible sheet.",
        }
    }
}

impl fmt::Display for TableProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message_en())
    }
}

impl std::error::Error for TableProblem {}
