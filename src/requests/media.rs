//! Which files may be attached, recognised by their content: what is named a PDF has to be one. Files are only ever given
//! back for download; nothing of them is shown or run.

use std::io::Cursor;

/// Largest attachment in bytes (5 MiB).
pub const LARGEST: usize = 5 * 1024 * 1024;

/// A kind of file that may be attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Media type, as declared and as sent back.
    pub media_type: &'static str,
    /// Endings a file of this kind may have.
    pub endings: &'static [&'static str],
    content: Content,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Begins with these bytes.
    Magic(&'static [u8]),
    /// An Office document: a ZIP archive with this folder, without macros.
    Office(&'static str),
    /// Text in UTF-8 or Windows-31J.
    Text,
}

/// Every kind that may be attached.
pub const KINDS: &[Kind] = &[
    Kind { media_type: "application/pdf", endings: &["pdf"], content: Content::Magic(b"%PDF-") },
    Kind {
        media_type: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        endings: &["docx"],
        content: Content::Office("word/"),
    },
    Kind {
        media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        endings: &["xlsx"],
        content: Content::Office("xl/"),
    },
    Kind {
        media_type: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        endings: &["pptx"],
        content: Content::Office("ppt/"),
    },
    Kind { media_type: "image/png", endings: &["png"], content: Content::Magic(b"\x89PNG\r\n\x1a\n") },
    Kind { media_type: "image/jpeg", endings: &["jpg", "jpeg"], content: Content::Magic(b"\xff\xd8\xff") },
    Kind { media_type: "text/plain", endings: &["txt"], content: Content::Text },
    Kind { media_type: "text/csv", endings: &["csv"], content: Content::Text },
];

/// The kind that a declared media type names; parameters such as a character set are ignored.
pub fn declared(media_type: &str) -> Option<&'static Kind> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    KINDS.iter().find(|kind| kind.media_type.eq_ignore_ascii_case(essence))
}

impl Kind {
    /// Whether a file's name ends as files of this kind do.
    pub fn is_named_by(&self, file_name: &str) -> bool {
        file_name
            .rsplit_once('.')
            .is_some_and(|(stem, ending)| !stem.is_empty() && self.endings.iter().any(|known| known.eq_ignore_ascii_case(ending)))
    }

    /// Whether the bytes are a file of this kind.
    pub fn is_content(&self, bytes: &[u8]) -> bool {
        match self.content {
            Content::Magic(magic) => bytes.starts_with(magic),
            Content::Office(folder) => is_office(bytes, folder),
            Content::Text => is_text(bytes),
        }
    }
}

/// Looks at the archive's directory only; nothing is unpacked, so a bomb stays packed.
fn is_office(bytes: &[u8], folder: &str) -> bool {
    let Ok(archive) = zip::ZipArchive::new(Cursor::new(bytes)) else { return false };
    let has = |wanted: &dyn Fn(&str) -> bool| archive.file_names().flatten().any(|name| wanted(&name));
    // A name that cannot be read could hide what is looked for here.
    archive.file_names().all(|name| name.is_ok())
        && has(&|name| name == "[Content_Types].xml")
        && has(&|name| name.starts_with(folder))
        && !has(&|name| name.to_ascii_lowercase().ends_with("vbaproject.bin"))
}

fn is_text(bytes: &[u8]) -> bool {
    let control = |text: &str| text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}'));
    match std::str::from_utf8(bytes) {
        Ok(text) => !control(text),
        Err(_) => {
            let (text, _, malformed) = encoding_rs::SHIFT_JIS.decode(bytes);
            !malformed && !control(&text)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn archive(names: &[&str]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(b"<x/>").unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn is(media_type: &str, bytes: &[u8]) -> bool {
        declared(media_type).unwrap().is_content(bytes)
    }

    #[test]
    fn a_file_is_what_its_content_says() {
        assert!(is("application/pdf", b"%PDF-1.7\n"));
        assert!(!is("application/pdf", b"<html>"));
        assert!(is("image/png", b"\x89PNG\r\n\x1a\n\0\0"));
        assert!(is("image/jpeg", b"\xff\xd8\xff\xe0"));
        assert!(!is("image/png", b"\xff\xd8\xff\xe0"));
        assert!(declared("image/svg+xml").is_none() && declared("text/html").is_none());
        assert_eq!(declared("text/csv; charset=utf-8").map(|kind| kind.media_type), Some("text/csv"));
    }

    #[test]
    fn office_documents_are_told_apart_and_macros_refused() {
        let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        let xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        let document = archive(&["[Content_Types].xml", "word/document.xml"]);
        assert!(is(docx, &document));
        assert!(!is(xlsx, &document));
        assert!(!is(docx, &archive(&["[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"])));
        assert!(!is(docx, &archive(&["word/document.xml"])));
        assert!(!is(docx, b"PK\x03\x04 and nothing else"));
    }

    #[test]
    fn text_is_utf_8_or_windows_31j_without_control_characters() {
        assert!(is("text/plain", "一行目\r\n二行目".as_bytes()));
        assert!(is("text/csv", b"\x93\xfa\x96{,1\r\n"));
        assert!(!is("text/plain", b"MZ\0\0"));
        assert!(!is("text/plain", b"\xff\xfe\xfd"));
    }

    #[test]
    fn the_name_ends_as_the_kind_says() {
        let pdf = declared("application/pdf").unwrap();
        assert!(pdf.is_named_by("要望書.PDF"));
        assert!(!pdf.is_named_by("要望書.pdf.exe"));
        assert!(!pdf.is_named_by(".pdf"));
    }
}
