//! Charts as SVG text, drawn on the server: bars side by side, bars on top of each other, lines. Pure functions of numbers
//! and words. A chart never stands alone: the page shows the same numbers in a table, and its parts differ by pattern and
//! by words as well as by colour.

use std::fmt::Write as _;

use crate::web::tongue::{esc, grouped};

/// Width of a chart, in its own units.
const WIDTH: i64 = 480;
/// Width at which it is shown where there is room.
const SHOWN: i64 = 620;
/// Height of a chart without its legend.
const HEIGHT: i64 = 220;
/// Room left of the axis, where its numbers stand.
const LEFT: i64 = 58;
/// Room right of the last bar.
const RIGHT: i64 = 8;
/// Room above the highest bar, where its number stands.
const TOP: i64 = 32;
/// Room below the axis, where the names stand.
const BOTTOM: i64 = 26;
/// Height of a line of the legend.
const LEGEND: i64 = 20;
/// Steps of the scale.
const STEPS: i64 = 4;
/// Most characters of a name under the axis.
const LONGEST: usize = 8;
/// Ink of text.
const INK: &str = "#1a1a1c";
/// Ink of the lines of the scale.
const SCALE: &str = "#c9ccd3";
/// Inks of the series, in order.
const INKS: [&str; 6] = ["#17407a", "#b45309", "#14532d", "#767676", "#a8071a", "#5b3f8c"];
/// Dashes of the lines, in order.
const DASHES: [&str; 6] = ["", "6 4", "2 3", "10 3 2 3", "1 4", "8 2"];

/// One row of numbers.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// What it is called.
    pub name: String,
    /// A number for each name of the axis; missing ones are zero.
    pub values: Vec<i64>,
}

impl Series {
    /// A row of numbers.
    pub fn new(name: impl Into<String>, values: Vec<i64>) -> Self {
        Self { name: name.into(), values }
    }

    fn at(&self, place: usize) -> i64 {
        self.values.get(place).copied().unwrap_or(0)
    }
}

/// What is drawn.
#[derive(Debug, Clone, Default)]
pub struct Chart {
    /// Name of the chart, unique on its page: letters, digits, hyphens.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// What there is to see in it, for those who do not see it; the numbers follow by themselves.
    pub about: String,
    /// The unit of the numbers, above the axis.
    pub unit: String,
    /// Names along the axis.
    pub labels: Vec<String>,
    /// The numbers.
    pub series: Vec<Series>,
}

impl Chart {
    /// Bars of one name stand side by side.
    pub fn grouped(&self) -> String {
        let most = self.series.iter().flat_map(|series| series.values.iter().copied()).max().unwrap_or(0);
        let mut body = Body::new(self, most);
        let count = i64::try_from(self.series.len()).unwrap_or(1).max(1);
        let width = (body.slot() * 8 / 10 / count).clamp(1, 40);
        for (place, _) in self.labels.iter().enumerate() {
            let left = body.middle(place) - width * count / 2;
            for (number, series) in self.series.iter().enumerate() {
                let value = series.at(place).max(0);
                let x = left + width * i64::try_from(number).unwrap_or(0);
                body.bar(number, (x, width), (0, value));
                // Numbers that would run into each other are left to the table.
                if value > 0 && body.fits(value, if count == 1 { body.slot() } else { width }) {
                    body.number(x + width / 2, value);
                }
            }
        }
        body.finish(self, false)
    }

    /// Bars of one name stand on top of each other; the number above is their sum.
    pub fn stacked(&self) -> String {
        let sum = |place: usize| self.series.iter().map(|series| series.at(place).max(0)).fold(0_i64, i64::saturating_add);
        let most = (0..self.labels.len()).map(sum).max().unwrap_or(0);
        let mut body = Body::new(self, most);
        let width = (body.slot() * 7 / 10).clamp(1, 48);
        for (place, _) in self.labels.iter().enumerate() {
            let x = body.middle(place) - width / 2;
            let mut below = 0_i64;
            for (number, series) in self.series.iter().enumerate() {
                let value = series.at(place).max(0);
                body.bar(number, (x, width), (below, value));
                below = below.saturating_add(value);
            }
            if below > 0 && body.fits(below, body.slot()) {
                body.number(x + width / 2, below);
            }
        }
        body.finish(self, false)
    }

    /// A line for each series.
    pub fn lines(&self) -> String {
        let most = self.series.iter().flat_map(|series| series.values.iter().copied()).max().unwrap_or(0);
        let mut body = Body::new(self, most);
        for (number, series) in self.series.iter().enumerate() {
            body.line(number, series, self.labels.len());
        }
        body.finish(self, true)
    }

    /// The numbers in words, so that the picture can be read aloud.
    fn words(&self) -> String {
        let mut out = self.about.clone();
        for series in &self.series {
            let _ = write!(out, "{}{}: ", if out.is_empty() { "" } else { " " }, series.name);
            let each: Vec<String> =
                self.labels.iter().enumerate().map(|(place, label)| format!("{label} {}", grouped(series.at(place)))).collect();
            out.push_str(&each.join(", "));
            out.push('.');
        }
        out
    }
}

/// A chart on its way.
struct Body {
    id: String,
    shapes: String,
    numbers: String,
    top: i64,
    slots: i64,
}

impl Body {
    fn new(chart: &Chart, most: i64) -> Self {
        let id = chart.id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let slots = i64::try_from(chart.labels.len()).unwrap_or(1).max(1);
        Self { id, shapes: String::new(), numbers: String::new(), top: ceiling(most), slots }
    }

    /// Room of one name.
    fn slot(&self) -> i64 {
        ((WIDTH - LEFT - RIGHT) / self.slots).max(1)
    }

    fn middle(&self, place: usize) -> i64 {
        let place = i64::try_from(place).unwrap_or(0);
        LEFT + (WIDTH - LEFT - RIGHT) * (2 * place + 1) / (2 * self.slots)
    }

    fn y(&self, value: i64) -> i64 {
        let room = i128::from(HEIGHT - TOP - BOTTOM);
        let up = i128::from(value) * room / i128::from(self.top);
        HEIGHT - BOTTOM - i64::try_from(up).unwrap_or(0).clamp(0, HEIGHT - TOP - BOTTOM)
    }

    /// Whether a number can stand over a bar without touching the next.
    fn fits(&self, value: i64, room: i64) -> bool {
        i64::try_from(grouped(value).len()).unwrap_or(i64::MAX).saturating_mul(7) <= room + 6
    }

    fn bar(&mut self, number: usize, (x, width): (i64, i64), (from, value): (i64, i64)) {
        if value == 0 {
            return;
        }
        let (low, high) = (self.y(from), self.y(from.saturating_add(value)));
        let height = (low - high).max(1);
        let _ = write!(
            self.shapes,
            r#"<rect x="{x}" y="{}" width="{width}" height="{height}" fill="{}" stroke="{}"/>"#,
            low - height,
            self.fill(number),
            ink(number)
        );
    }

    /// The first series is full, the others have a pattern each.
    fn fill(&self, number: usize) -> String {
        if number == 0 { ink(0).to_owned() } else { format!("url(#{}-p{})", self.id, number % INKS.len()) }
    }

    fn number(&mut self, x: i64, value: i64) {
        let _ = write!(self.numbers, r#"<text x="{x}" y="{}" text-anchor="middle">{}</text>"#, self.y(value) - 4, grouped(value));
    }

    fn line(&mut self, number: usize, series: &Series, count: usize) {
        let points: Vec<(i64, i64, i64)> = (0..count)
            .map(|place| {
                let value = series.at(place).max(0);
                (self.middle(place), self.y(value), value)
            })
            .collect();
        let path: Vec<String> = points.iter().map(|(x, y, _)| format!("{x},{y}")).collect();
        let dash = DASHES[number % DASHES.len()];
        let dash = if dash.is_empty() { String::new() } else { format!(r#" stroke-dasharray="{dash}""#) };
        let _ = write!(
            self.shapes,
            r#"<polyline points="{}" fill="none" stroke="{}" stroke-width="2"{dash}/>"#,
            path.join(" "),
            ink(number)
        );
        for (x, y, value) in points {
            let _ = write!(
                self.shapes,
                r##"<circle cx="{x}" cy="{y}" r="3.5" fill="#fff" stroke="{}" stroke-width="2"/>"##,
                ink(number)
            );
            if self.fits(value, self.slot()) && number == 0 {
                let _ = write!(self.numbers, r#"<text x="{x}" y="{}" text-anchor="middle">{}</text>"#, y - 8, grouped(value));
            }
        }
    }

    fn finish(self, chart: &Chart, lines: bool) -> String {
        let id = &self.id;
        let several = chart.series.len() > 1;
        let rows = if several { i64::try_from(chart.series.len().div_ceil(2)).unwrap_or(1) } else { 0 };
        let height = HEIGHT + rows * LEGEND;
        let mut out = format!(
            r#"<svg class="chart" role="img" aria-labelledby="{id}-t {id}-d" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{SHOWN}" height="{}" font-size="13" fill="{INK}"><title id="{id}-t">{}</title><desc id="{id}-d">{}</desc>"#,
            height * SHOWN / WIDTH,
            esc(&chart.title),
            esc(&chart.words())
        );
        if !lines && several {
            out.push_str(&patterns(id, chart.series.len()));
        }
        for step in 0..=STEPS {
            let value = self.top / STEPS * step;
            let y = self.y(value);
            let _ = write!(
                out,
                r#"<line x1="{LEFT}" y1="{y}" x2="{}" y2="{y}" stroke="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>"#,
                WIDTH - RIGHT,
                if step == 0 { INK } else { SCALE },
                LEFT - 6,
                y + 4,
                grouped(value)
            );
        }
        let _ = write!(out, r#"<text x="{}" y="12" text-anchor="end">{}</text>"#, LEFT - 6, esc(&chart.unit));
        out.push_str(&self.shapes);
        out.push_str(&self.numbers);
        // Where names do not fit side by side, every second or third is written.
        let longest = chart.labels.iter().map(|label| width_of(&cut(label))).max().unwrap_or(0);
        let every = usize::try_from((longest + 4).div_euclid(self.slot()) + 1).unwrap_or(1).max(1);
        for (place, label) in chart.labels.iter().enumerate().filter(|(place, _)| place % every == 0) {
            let (x, y) = (self.middle(place), HEIGHT - BOTTOM + 17);
            let _ = write!(out, r#"<text x="{x}" y="{y}" text-anchor="middle">{}</text>"#, esc(&cut(label)));
        }
        if several {
            for (number, series) in chart.series.iter().enumerate() {
                out.push_str(&self.legend(number, series, lines));
            }
        }
        out.push_str("</svg>");
        out
    }

    fn legend(&self, number: usize, series: &Series, lines: bool) -> String {
        let place = i64::try_from(number).unwrap_or(0);
        let (x, y) = (LEFT + (place % 2) * 210, HEIGHT + 4 + place / 2 * LEGEND);
        let sign = if lines {
            let dash = DASHES[number % DASHES.len()];
            format!(
                r#"<line x1="{x}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="2" stroke-dasharray="{}"/>"#,
                y + 6,
                x + 24,
                y + 6,
                ink(number),
                if dash.is_empty() { "none" } else { dash }
            )
        } else {
            format!(r#"<rect x="{x}" y="{y}" width="24" height="12" fill="{}" stroke="{}"/>"#, self.fill(number), ink(number))
        };
        format!(r#"{sign}<text x="{}" y="{}">{}</text>"#, x + 30, y + 11, esc(&series.name))
    }
}

fn ink(number: usize) -> &'static str {
    INKS[number % INKS.len()]
}

/// A pattern for each series after the first.
fn patterns(id: &str, series: usize) -> String {
    let mut out = String::from("<defs>");
    for number in 1..series.min(INKS.len()) {
        let colour = ink(number);
        let marks = match number {
            1 => format!(r#"<path d="M0 6L6 0" stroke="{colour}" stroke-width="1.5"/>"#),
            2 => format!(r#"<circle cx="3" cy="3" r="1.4" fill="{colour}"/>"#),
            3 => format!(r#"<path d="M0 3H6" stroke="{colour}" stroke-width="1.5"/>"#),
            4 => format!(r#"<path d="M0 0L6 6M0 6L6 0" stroke="{colour}"/>"#),
            _ => format!(r#"<path d="M3 0V6" stroke="{colour}" stroke-width="1.5"/>"#),
        };
        let _ = write!(
            out,
            r##"<pattern id="{id}-p{number}" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#fff"/>{marks}</pattern>"##
        );
    }
    out.push_str("</defs>");
    out
}

/// The end of the scale: the next round number that steps divide.
fn ceiling(most: i64) -> i64 {
    let mut unit = 1_i64;
    loop {
        for times in [1, 2, 3, 5] {
            let top = unit.saturating_mul(times).saturating_mul(STEPS);
            if top >= most || top == i64::MAX {
                return top - top % STEPS;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// A name as it fits under an axis.
fn cut(label: &str) -> String {
    if label.chars().count() <= LONGEST {
        return label.to_owned();
    }
    label.chars().take(LONGEST - 1).chain(std::iter::once('…')).collect()
}

/// About how wide a text is.
fn width_of(text: &str) -> i64 {
    text.chars().map(|c| if c.is_ascii() { 7 } else { 12 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(labels: &[&str], series: &[(&str, &[i64])]) -> Chart {
        Chart {
            id: "c1".to_owned(),
            title: "月別の回数".to_owned(),
            about: String::new(),
            unit: "回".to_owned(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            series: series.iter().map(|(name, values)| Series::new(*name, values.to_vec())).collect(),
        }
    }

    #[test]
    fn what_people_typed_is_text() {
        let mut hostile = chart(&["<script>\"'&"], &[("</desc><script>alert(1)</script>", &[3]), ("\" onload=\"x", &[4])]);
        hostile.title = "</title><b>".to_owned();
        hostile.unit = "<i>".to_owned();
        hostile.id = "a\" onload=\"x".to_owned();
        for svg in [hostile.grouped(), hostile.stacked(), hostile.lines()] {
            assert!(
                !svg.contains("<script") && !svg.contains("<b>") && !svg.contains("<i>") && !svg.contains("\" onload"),
                "{svg}"
            );
            assert!(svg.contains("&lt;script&gt;") && !svg.contains("style="));
        }
    }

    #[test]
    fn nothing_to_draw_is_an_empty_scale() {
        for empty in [chart(&[], &[]), chart(&["4月"], &[("回数", &[])]), chart(&["4月", "5月"], &[("回数", &[0, 0])])] {
            for svg in [empty.grouped(), empty.stacked(), empty.lines()] {
                assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>") && !svg.contains("<rect x"));
            }
        }
    }

    #[test]
    fn large_and_negative_numbers_stay_inside() {
        let svg = chart(&["a", "b"], &[("x", &[i64::MAX, -5]), ("y", &[i64::MAX, 1])]).stacked();
        for part in svg.split(" y=\"").skip(1) {
            let y: i64 = part.split('"').next().unwrap().parse().unwrap();
            assert!((0..=HEIGHT + 2 * LEGEND).contains(&y), "{y}");
        }
    }

    #[test]
    fn the_scale_ends_on_a_round_number() {
        assert_eq!([0, 1, 4, 5, 9, 13, 100, 121, 201].map(ceiling), [4, 4, 4, 8, 12, 20, 120, 200, 400]);
        assert!(ceiling(i64::MAX) > i64::MAX / 2);
    }

    #[test]
    fn numbers_are_told_in_words() {
        let svg = chart(&["4月", "5月"], &[("実施", &[1_200, 3])]).grouped();
        assert!(
            svg.contains("実施: 4月 1,200, 5月 3.")
                && svg.contains("role=\"img\"")
                && svg.contains("aria-labelledby=\"c1-t c1-d\"")
        );
    }
}
