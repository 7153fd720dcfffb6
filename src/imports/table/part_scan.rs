//! A first pass over each XML part of a workbook, before the spreadsheet library sees it.
//!
//! The library trusts declared counts and holds texts, styles and sheet names in memory. A part of
//! a few hundred kilobytes can make it reserve gigabytes, which ends the process and cannot be
//! caught. This scan keeps no more than one tag in memory, insists on well-formed nesting, and
//! refuses what no spreadsheet program writes. It judges shape only and reads no values.

use super::{SizeLimit, TableProblem, WorkbookFault};

/// Longest tag, comment or run of text. Excel allows 32,767 characters in a cell.
const LONGEST_TOKEN: usize = 1 << 20;
/// Deepest nesting of elements.
const DEEPEST: usize = 256;
/// Largest part that lists sheets or defined names; the library keeps several copies of it.
const LARGEST_WORKBOOK_PART: usize = 4 << 20;
/// Largest part that lists relationships, and the longest single one: its target is repeated for
/// every sheet.
const LARGEST_RELATIONSHIPS: usize = 8 << 20;
const LONGEST_RELATIONSHIP: usize = 4 << 10;
/// Most sheets of a workbook.
const MOST_SHEETS: usize = 1_000;
/// Largest style part, and bounds on what it expands to: every cell format holds its own copy of
/// the names it refers to.
const LARGEST_STYLES: usize = 8 << 20;
const MOST_STYLE_ELEMENTS: usize = 200_000;
const LARGEST_EXPANDED_STYLES: usize = 48 << 20;
const SMALLEST_FORMAT: usize = 512;
/// Largest table of shared strings, and the most strings in it.
const LARGEST_STRINGS: usize = 24 << 20;
const MOST_STRINGS: usize = 300_000;
/// Elements whose whole content the library gathers into one text.
const GATHERED: [&[u8]; 7] = [b"c", b"si", b"is", b"t", b"v", b"f", b"definedName"];

const SUSPICIOUS: TableProblem = TableProblem::BadXlsx(WorkbookFault::Suspicious);
const DAMAGED: TableProblem = TableProblem::BadXlsx(WorkbookFault::Damaged);

/// What a part turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartKind {
    /// Well-formed XML within the bounds.
    Xml,
    /// Something else, such as an image. The caller bounds how much of it there may be.
    Binary,
}

/// The scan of one part, fed piece by piece.
pub(super) struct PartScan {
    is_styles: bool,
    offset: usize,
    kind: Option<PartKind>,
    in_tag: bool,
    quote: Option<u8>,
    tag: Vec<u8>,
    run: usize,
    open: Vec<(Vec<u8>, usize)>,
    longest_tag: usize,
    elements: usize,
    strings: usize,
    sheets: usize,
    names: usize,
    relationships: usize,
    formats: usize,
}

impl PartScan {
    /// Starts the scan of the part of this name. The library takes its style part by file name.
    /// Old drawings (`.vml`) are often no well-formed XML and are never read, so they are only
    /// bounded as images are.
    pub(super) fn new(part_name: &str) -> Self {
        let file = part_name.rsplit(['/', '\\']).next().unwrap_or_default();
        let old_drawing = file.to_ascii_lowercase().ends_with(".vml");
        Self {
            is_styles: file.eq_ignore_ascii_case("styles.xml"),
            offset: 0,
            kind: old_drawing.then_some(PartKind::Binary),
            in_tag: false,
            quote: None,
            tag: Vec::new(),
            run: 0,
            open: Vec::new(),
            longest_tag: 0,
            elements: 0,
            strings: 0,
            sheets: 0,
            names: 0,
            relationships: 0,
            formats: 0,
        }
    }

    /// Takes the next piece of the part, in order.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<(), TableProblem> {
        for &byte in piece {
            self.offset += 1;
            match self.kind {
                None => self.first_bytes(byte)?,
                Some(PartKind::Binary) => self.binary(byte)?,
                Some(PartKind::Xml) => self.xml(byte)?,
            }
        }
        Ok(())
    }

    /// Ends the part and judges what it held.
    pub(super) fn finish(self) -> Result<PartKind, TableProblem> {
        let Some(PartKind::Xml) = self.kind else {
            return Ok(PartKind::Binary);
        };
        if self.in_tag || !self.open.is_empty() {
            return Err(DAMAGED);
        }
        if self.strings > 0 && self.offset > LARGEST_STRINGS {
            return Err(TableProblem::TooLarge(SizeLimit::TextBytes(LARGEST_STRINGS)));
        }
        let lists_sheets = self.sheets + self.names > 0;
        let expanded = self.formats.saturating_mul(self.longest_tag.max(SMALLEST_FORMAT));
        if lists_sheets && self.offset > LARGEST_WORKBOOK_PART
            || self.relationships > 0 && self.offset > LARGEST_RELATIONSHIPS
            || self.is_styles
                && (self.offset > LARGEST_STYLES || self.elements > MOST_STYLE_ELEMENTS || expanded > LARGEST_EXPANDED_STYLES)
        {
            return Err(SUSPICIOUS);
        }
        Ok(PartKind::Xml)
    }

    /// XML begins with `<`, after a UTF-8 mark and blanks at most.
    fn first_bytes(&mut self, byte: u8) -> Result<(), TableProblem> {
        match byte {
            b'<' => {
                self.kind = Some(PartKind::Xml);
                self.xml(byte)
            }
            b' ' | b'\t' | b'\r' | b'\n' => Ok(()),
            0xEF | 0xBB | 0xBF if self.offset <= 3 => Ok(()),
            // UTF-16 would slip past a scan of bytes, and no spreadsheet program writes it.
            0xFE | 0xFF | 0x00 if self.offset == 1 => {
                self.kind = Some(PartKind::Binary);
                self.tag.push(byte);
                Ok(())
            }
            _ => {
                self.kind = Some(PartKind::Binary);
                Ok(())
            }
        }
    }

    /// Images hold stray `<`; only what could pass for much markup is refused.
    fn binary(&mut self, byte: u8) -> Result<(), TableProblem> {
        if self.offset == 2 && matches!((self.tag.first(), byte), (Some(0xFE), 0xFF) | (Some(0xFF), 0xFE) | (Some(0x00), b'<')) {
            return Err(SUSPICIOUS);
        }
        if byte == b'<' {
            self.elements += 1;
            self.run = 0;
            if self.elements > MOST_STYLE_ELEMENTS {
                return Err(SUSPICIOUS);
            }
        }
        self.grow_run()
    }

    fn grow_run(&mut self) -> Result<(), TableProblem> {
        self.run += 1;
        if self.run > LONGEST_TOKEN {
            return Err(SUSPICIOUS);
        }
        Ok(())
    }

    fn xml(&mut self, byte: u8) -> Result<(), TableProblem> {
        if !self.in_tag {
            if byte == b'<' {
                self.in_tag = true;
                self.tag.clear();
                self.quote = None;
                return Ok(());
            }
            return self.grow_run();
        }
        if byte == b'>' && self.tag_is_complete() {
            self.in_tag = false;
            self.run = 0;
            let tag = std::mem::take(&mut self.tag);
            let judged = self.markup(&tag);
            self.tag = tag;
            return judged;
        }
        if !matches!(self.tag.first(), Some(b'!' | b'?')) {
            match (self.quote, byte) {
                (None, b'"' | b'\'') => self.quote = Some(byte),
                (Some(open), _) if open == byte => self.quote = None,
                _ => {}
            }
        }
        if self.tag.len() >= LONGEST_TOKEN || byte == 0 {
            return Err(SUSPICIOUS);
        }
        self.tag.push(byte);
        Ok(())
    }

    /// Whether a `>` now ends the markup: not inside quotes, and for comments, CDATA and
    /// instructions only after their own closing characters.
    fn tag_is_complete(&self) -> bool {
        let tag = self.tag.as_slice();
        if tag.starts_with(b"!--") {
            tag.len() >= 5 && tag.ends_with(b"--")
        } else if tag.starts_with(b"![CDATA[") {
            tag.len() >= 10 && tag.ends_with(b"]]")
        } else if tag.starts_with(b"?") {
            tag.len() >= 2 && tag.ends_with(b"?")
        } else {
            self.quote.is_none()
        }
    }

    fn markup(&mut self, tag: &[u8]) -> Result<(), TableProblem> {
        match tag.first() {
            Some(b'?') => return check_declared_encoding(tag),
            Some(b'!') if tag.starts_with(b"!--") || tag.starts_with(b"![CDATA[") => {
                return Ok(());
            }
            // Document type definitions are forbidden in workbooks (ISO/IEC 29500-2).
            None | Some(b'!') => return Err(SUSPICIOUS),
            Some(b'/') => return self.close(tag.get(1..).unwrap_or_default()),
            Some(_) => {}
        }
        self.longest_tag = self.longest_tag.max(tag.len());
        let name_end = tag.iter().position(|b| b.is_ascii_whitespace() || *b == b'/').unwrap_or(tag.len());
        let (name, attributes) = tag.split_at(name_end);
        self.count(local_name(name), attributes)?;
        if tag.last() != Some(&b'/') {
            if self.open.len() >= DEEPEST {
                return Err(SUSPICIOUS);
            }
            self.open.push((name.to_vec(), self.offset));
        }
        Ok(())
    }

    fn close(&mut self, name: &[u8]) -> Result<(), TableProblem> {
        let (opened, start) = self.open.pop().ok_or(DAMAGED)?;
        if opened != name.trim_ascii_end() {
            return Err(DAMAGED);
        }
        let gathered = GATHERED.contains(&local_name(&opened));
        if gathered && self.offset - start > LONGEST_TOKEN {
            return Err(SUSPICIOUS);
        }
        Ok(())
    }

    fn count(&mut self, local: &[u8], attributes: &[u8]) -> Result<(), TableProblem> {
        self.elements += 1;
        match local {
            b"sst" if declares_more_strings_than(attributes, MOST_STRINGS) => {
                return Err(TableProblem::TooLarge(SizeLimit::Cells(MOST_STRINGS)));
            }
            b"si" => self.strings += 1,
            b"sheet" => self.sheets += 1,
            b"definedName" => self.names += 1,
            b"Relationship" => {
                self.relationships += 1;
                if attributes.len() > LONGEST_RELATIONSHIP {
                    return Err(SUSPICIOUS);
                }
            }
            b"xf" => self.formats += 1,
            _ => {}
        }
        if self.strings > MOST_STRINGS {
            return Err(TableProblem::TooLarge(SizeLimit::Cells(MOST_STRINGS)));
        }
        if self.sheets > MOST_SHEETS {
            return Err(SUSPICIOUS);
        }
        Ok(())
    }
}

fn local_name(name: &[u8]) -> &[u8] {
    name.rsplit(|b| *b == b':').next().unwrap_or(name)
}

/// Anything but UTF-8 could hide markup from a scan of bytes.
fn check_declared_encoding(instruction: &[u8]) -> Result<(), TableProblem> {
    let text = String::from_utf8_lossy(instruction).to_ascii_lowercase();
    match text.split_once("encoding") {
        Some((_, value)) if text.starts_with("?xml") && !value.contains("utf-8") => Err(SUSPICIOUS),
        _ => Ok(()),
    }
}

/// Whether the start tag of the string table announces more than `most` strings. The library
/// reserves memory for as many as are announced.
fn declares_more_strings_than(attributes: &[u8], most: usize) -> bool {
    const KEY: &[u8] = b"uniqueCount";
    attributes.windows(KEY.len()).enumerate().filter(|(_, window)| *window == KEY).any(|(at, _)| {
        let digits: Vec<u8> = attributes
            .iter()
            .skip(at + KEY.len())
            .skip_while(|b| !b.is_ascii_digit())
            .take_while(|b| b.is_ascii_digit())
            .copied()
            .collect();
        let announced = digits.iter().fold(0_usize, |n, d| n.saturating_mul(10).saturating_add(usize::from(d - b'0')));
        announced > most
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(name: &str, part: &[u8]) -> Result<PartKind, TableProblem> {
        let mut scan = PartScan::new(name);
        // Small pieces, so that every boundary is crossed.
        for piece in part.chunks(7) {
            scan.feed(piece)?;
        }
        scan.finish()
    }

    #[test]
    fn sound_parts_pass() {
        for part in [
            "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<a:x b=\"a>b\" c='\"'><y/><!-- <z> --><t>1 > 0</t><![CDATA[<q>]]></a:x>",
            "<sst count=\"9\" uniqueCount=\"3\"><si><t>a</t></si></sst >",
            "<x ></x\n>",
        ] {
            assert_eq!(scan("xl/a.xml", part.as_bytes()), Ok(PartKind::Xml), "{part}");
        }
        assert_eq!(scan("a.png", b"\x89PNG<<><"), Ok(PartKind::Binary));
        assert_eq!(scan("empty", b""), Ok(PartKind::Binary));
        let drawing = b"<xml><font>a<br></font></xml>";
        assert_eq!(scan("xl/vmlDrawing1.vml", drawing), Ok(PartKind::Binary));
        assert_eq!(scan("xl/drawing1.xml", drawing), Err(DAMAGED));
    }

    #[test]
    fn broken_nesting_is_damage() {
        for part in ["<a><b></a></b>", "<a>", "</a>", "<a", "<a><!-- </a>"] {
            assert_eq!(scan("a.xml", part.as_bytes()), Err(DAMAGED), "{part}");
        }
    }

    #[test]
    fn what_no_spreadsheet_program_writes_is_refused() {
        let long = "x".repeat(LONGEST_TOKEN + 1);
        let pieces = format!("<t>{}</t>", format!("{}<b/>", "x".repeat(1_000)).repeat(1_100));
        for part in [
            "<!DOCTYPE a><a/>".to_owned(),
            "<?xml version=\"1.0\" encoding=\"Shift_JIS\"?><a/>".to_owned(),
            format!("<a>{long}</a>"),
            format!("<a b=\"{long}\"/>"),
            format!("<c>{pieces}</c>"),
            "<a>".repeat(DEEPEST + 1),
            "<sheet/>".repeat(MOST_SHEETS + 1),
            format!("<Relationship Target=\"{}\"/>", "x".repeat(5_000)),
        ] {
            let shown: String = part.chars().take(40).collect();
            assert_eq!(scan("a.xml", part.as_bytes()), Err(SUSPICIOUS), "{shown}");
        }
        for utf16 in [b"\xFF\xFE<\0a\0".as_slice(), b"\0<\0a", b"<\0a\0>\0"] {
            assert_eq!(scan("a.xml", utf16), Err(SUSPICIOUS));
        }
    }

    #[test]
    fn announced_and_real_strings_are_bounded() {
        let too_many = Err(TableProblem::TooLarge(SizeLimit::Cells(MOST_STRINGS)));
        for part in [
            "<sst uniqueCount=\"99999999999\"/>".to_owned(),
            "<x:sst count='1' uniqueCount = '0000300001'/>".to_owned(),
            "<sst uniqueCount=\"99999999999999999999999999999\"/>".to_owned(),
            format!("<sst>{}</sst>", "<si/>".repeat(MOST_STRINGS + 1)),
        ] {
            assert_eq!(scan("s.xml", part.as_bytes()), too_many);
        }
    }

    #[test]
    fn styles_may_not_multiply() {
        let formats =
            format!("<styleSheet><numFmt formatCode=\"{}\"/>{}</styleSheet>", "0".repeat(100_000), "<xf/>".repeat(1_000));
        assert_eq!(scan("xl/Styles.xml", formats.as_bytes()), Err(SUSPICIOUS));
        assert_eq!(scan("xl/other.xml", formats.as_bytes()), Ok(PartKind::Xml));
    }
}
