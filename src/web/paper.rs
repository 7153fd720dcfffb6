//! The print sheet: one A4 paper of a local government, complete in itself. It is stored as it was issued, so it refers to
//! nothing outside: no style sheet, font or picture that could change later.

use askama::Template;

use crate::costs::grouped;
use crate::error::Error;

/// A paper to be printed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r##"<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} {{ number }}</title>
<style>
@page { size: A4; margin: 20mm 18mm; }
body { font-family: "Noto Serif CJK JP", "Yu Mincho", "Hiragino Mincho ProN", serif; font-size: 11pt; line-height: 1.7; color: #000; background: #fff; max-width: 174mm; margin: 10mm auto; padding: 0 6mm; }
.right { text-align: right; margin: 0; }
.to { margin: 6mm 0; }
h1 { font-size: 15pt; font-weight: 600; text-align: center; margin: 8mm 0 6mm; }
h2 { font-size: 11.5pt; font-weight: 600; margin: 6mm 0 1mm; }
table { border-collapse: collapse; width: 100%; margin: 1mm 0 4mm; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th, td { border: 0.3mm solid #444; padding: 1mm 2mm; vertical-align: top; text-align: left; font-weight: normal; overflow-wrap: anywhere; }
thead th { background: #eee; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.total td, tr.total th { border-top: 0.6mm solid #000; font-weight: 600; }
ol.notes { font-size: 9.5pt; padding-left: 6mm; }
@media print { body { margin: 0; padding: 0; max-width: none; } }
</style>
</head>
<body>
<p class="right">{{ number }}</p>
<p class="right">{{ date }}</p>
{% if !to.is_empty() %}<p class="to">{{ to }}</p>{% endif %}
<p class="right">{{ from }}</p>
<h1>{{ title }}</h1>
{% for line in lead %}<p>{{ line }}</p>
{% endfor %}{% for table in tables %}<h2>{{ table.caption }}</h2>
<table>
<thead><tr>{% for column in table.columns %}<th scope="col">{{ column }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in table.rows %}<tr{% if row.total %} class="total"{% endif %}>{% for cell in row.cells %}{% if loop.first %}<th scope="row">{{ cell.text }}</th>{% else %}<td{% if cell.number %} class="number"{% endif %}>{{ cell.text }}</td>{% endif %}{% endfor %}</tr>
{% endfor %}</tbody>
</table>
{% endfor %}{% if !notes.is_empty() %}<ol class="notes">
{% for note in notes %}<li>{{ note }}</li>
{% endfor %}</ol>{% endif %}
</body>
</html>
"##
)]
pub struct Paper {
    /// Its number.
    pub number: String,
    /// Its date, as official papers write it.
    pub date: String,
    /// To whom; empty: to nobody in particular.
    pub to: String,
    /// From whom.
    pub from: String,
    /// Heading.
    pub title: String,
    /// What it says before the figures.
    pub lead: Vec<String>,
    /// The figures.
    pub tables: Vec<PaperTable>,
    /// Rules, sources and reservations below.
    pub notes: Vec<String>,
}

/// A table of a paper.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaperTable {
    /// What it shows.
    pub caption: String,
    /// Headings.
    pub columns: Vec<String>,
    /// Rows; the first cell names the row.
    pub rows: Vec<PaperRow>,
}

/// A row of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaperRow {
    /// Whether it sums the others.
    pub total: bool,
    /// Its cells.
    pub cells: Vec<PaperCell>,
}

/// A cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaperCell {
    /// What stands in it.
    pub text: String,
    /// Whether it is a number, set to the right.
    pub number: bool,
}

impl From<&str> for PaperCell {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), number: false }
    }
}

impl From<String> for PaperCell {
    fn from(text: String) -> Self {
        Self { text, number: false }
    }
}

impl PaperCell {
    /// An amount as papers write it.
    pub fn yen(amount: i64) -> Self {
        // 公文書 write negative amounts with a triangle.
        let sign = if amount < 0 { "△" } else { "" };
        Self { text: format!("{sign}{}円", grouped(amount.saturating_abs())), number: true }
    }
}

impl PaperTable {
    /// A table without rows.
    pub fn new(caption: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { caption: caption.to_owned(), columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<PaperCell>) {
        self.rows.push(PaperRow { total: false, cells });
    }

    /// Adds the row of sums.
    pub fn total(&mut self, cells: Vec<PaperCell>) {
        self.rows.push(PaperRow { total: true, cells });
    }
}

impl Paper {
    /// The paper as HTML.
    pub fn html(&self) -> Result<String, Error> {
        self.render().map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paper_is_complete_in_itself_and_escapes_what_people_typed() {
        let mut table = PaperTable::new("内訳", &["費目", "金額"]);
        table.row(vec!["謝金".into(), PaperCell::yen(20_000)]);
        table.total(vec!["合計".into(), PaperCell::yen(-1_234_567)]);
        let paper =
            Paper { to: "<script>様".to_owned(), title: "計算書".to_owned(), tables: vec![table], ..Paper::default() };
        let html = paper.html().unwrap();
        assert!(!html.contains("<script>") && html.contains("20,000円") && html.contains("△1,234,567円"));
        assert!(!html.contains("http") && !html.contains("src="), "refers to nothing outside");
        assert_eq!(html, paper.html().unwrap());
    }
}
