//! The built-in table of prefectures and municipalities.
//!
//! All 47 prefectures, every municipality of Ehime, Hiroshima, Shizuoka and Osaka, and the other
//! bodies whose schemes ship as presets or examples. Facts only: code, kind, name, reading, the
//! place of the office, and a population where a published figure exists. Everything else about
//! an organisation, and every body not listed here, comes from the ministry's code list by import.
//! A population nobody published stays empty; it is never estimated here.

use super::lg_code::{LgCode, LgCodeProblem};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::OnceLock;

const TABLE: &str = include_str!("bodies.csv");

/// What kind of local public body the Local Autonomy Act (地方自治法) makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyKind {
    /// 都道府県.
    Prefecture,
    /// 市, the designated cities included.
    City,
    /// 特別区, the 23 wards of Tokyo.
    SpecialWard,
    /// 町.
    Town,
    /// 村.
    Village,
}

impl BodyKind {
    /// The stable machine code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Prefecture => "prefecture",
            Self::City => "city",
            Self::SpecialWard => "special_ward",
            Self::Town => "town",
            Self::Village => "village",
        }
    }

    /// The kind of a machine code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Prefecture, Self::City, Self::SpecialWard, Self::Town, Self::Village].into_iter().find(|kind| kind.code() == code)
    }

    /// The kind a municipality's name says it is: 市, 区, 町 or 村 at its end.
    ///
    /// Meaningful for municipalities only; a prefecture is known by its code.
    #[must_use]
    pub fn of_municipality_name(name: &str) -> Option<Self> {
        match name.chars().next_back()? {
            '市' => Some(Self::City),
            '区' => Some(Self::SpecialWard),
            '町' => Some(Self::Town),
            '村' => Some(Self::Village),
            _ => None,
        }
    }
}

/// A published population and how far it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PopulationFigure {
    /// Inhabitants.
    pub value: u32,
    /// The day the figure describes.
    pub as_of: NaiveDate,
    /// The figure was published rounded to this many inhabitants; 1 means exact.
    pub rounding: u32,
    /// Where the figure was published, as a code. `published_case_collection`: the profile lines
    /// of the published collection of municipal digital-talent cases.
    pub source: &'static str,
}

/// One prefecture or municipality of the built-in table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Body {
    /// Six-digit code, check digit verified.
    pub code: LgCode,
    /// What kind of body it is.
    pub kind: BodyKind,
    /// Code of the prefecture it lies in; a prefecture names itself.
    pub prefecture_code: LgCode,
    /// Official name, as written by the body.
    pub name: &'static str,
    /// Reading in hiragana.
    pub kana: &'static str,
    /// Latitude of the main office in degrees north, four decimals (about 11 m).
    pub latitude: f64,
    /// Longitude of the main office in degrees east, four decimals (about 9 m).
    pub longitude: f64,
    /// Population, where a published figure is at hand.
    pub population: Option<PopulationFigure>,
}

impl Body {
    /// The size class of a municipality with a known population. Prefectures have none: the
    /// classes compare municipalities.
    #[must_use]
    pub fn band(&self) -> Option<PopulationBand> {
        match self.kind {
            BodyKind::Prefecture => None,
            _ => self.population.map(|p| PopulationBand::of(p.value)),
        }
    }
}

/// The five size classes in which municipal schemes are published; each includes its lower bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum PopulationBand {
    /// Fewer than 10,000 inhabitants.
    #[serde(rename = "under_10k")]
    Under10k,
    /// 10,000 to 49,999.
    #[serde(rename = "from_10k")]
    From10k,
    /// 50,000 to 99,999.
    #[serde(rename = "from_50k")]
    From50k,
    /// 100,000 to 299,999.
    #[serde(rename = "from_100k")]
    From100k,
    /// 300,000 and more.
    #[serde(rename = "from_300k")]
    From300k,
}

impl PopulationBand {
    /// All bands, smallest first.
    pub const ALL: [Self; 5] = [Self::Under10k, Self::From10k, Self::From50k, Self::From100k, Self::From300k];

    /// The band of a number of inhabitants.
    #[must_use]
    pub fn of(population: u32) -> Self {
        match population {
            0..10_000 => Self::Under10k,
            10_000..50_000 => Self::From10k,
            50_000..100_000 => Self::From50k,
            100_000..300_000 => Self::From100k,
            300_000.. => Self::From300k,
        }
    }

    /// The stable machine code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Under10k => "under_10k",
            Self::From10k => "from_10k",
            Self::From50k => "from_50k",
            Self::From100k => "from_100k",
            Self::From300k => "from_300k",
        }
    }

    /// The label people know, in Japanese.
    #[must_use]
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Under10k => "1万人未満",
            Self::From10k => "1万人以上5万人未満",
            Self::From50k => "5万人以上10万人未満",
            Self::From100k => "10万人以上30万人未満",
            Self::From300k => "30万人以上",
        }
    }

    /// The label in English.
    #[must_use]
    pub fn label_en(self) -> &'static str {
        match self {
            Self::Under10k => "under 10,000",
            Self::From10k => "10,000 to 49,999",
            Self::From50k => "50,000 to 99,999",
            Self::From100k => "100,000 to 299,999",
            Self::From300k => "300,000 and over",
        }
    }
}

/// A fault in the built-in table: the program was built from a broken file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyTableProblem {
    /// Line of the table, the heading being line 1.
    pub line: usize,
    /// What is wrong there.
    pub fault: BodyTableFault,
}

/// What can be wrong with a line of the built-in table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyTableFault {
    /// A line with too few or too many fields.
    Fields,
    /// A code that does not verify, or a prefecture code that is not the body's.
    Code(Option<LgCodeProblem>),
    /// A kind that does not exist, or does not fit the name or code.
    Kind,
    /// A coordinate that is no number.
    Coordinate,
    /// A population without its day, rounding or source, or no number.
    Population,
    /// Codes out of order or twice.
    Order,
}

impl fmt::Display for BodyTableProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "built-in table of bodies, line {}: {:?}", self.line, self.fault)
    }
}

impl std::error::Error for BodyTableProblem {}

/// Every body of the built-in table, ordered by code.
///
/// # Errors
/// [`BodyTableProblem`] when the table the program was built from is broken; a released build
/// never returns it.
pub fn all() -> Result<&'static [Body], BodyTableProblem> {
    static BODIES: OnceLock<Result<Vec<Body>, BodyTableProblem>> = OnceLock::new();
    match BODIES.get_or_init(|| parse(TABLE)) {
        Ok(bodies) => Ok(bodies),
        Err(problem) => Err(*problem),
    }
}

/// The body of the built-in table with this code, if it is listed.
#[must_use]
pub fn find_body(code: LgCode) -> Option<&'static Body> {
    let bodies = all().ok()?;
    let index = bodies.binary_search_by_key(&code, |body| body.code).ok()?;
    bodies.get(index)
}

fn parse(table: &'static str) -> Result<Vec<Body>, BodyTableProblem> {
    let mut bodies: Vec<Body> = Vec::new();
    for (index, line) in table.lines().enumerate().skip(1) {
        let at = |fault| BodyTableProblem { line: index + 1, fault };
        let body = parse_line(line).map_err(at)?;
        if bodies.last().is_some_and(|before| before.code >= body.code) {
            return Err(at(BodyTableFault::Order));
        }
        bodies.push(body);
    }
    Ok(bodies)
}

/// One line. The table is ours and holds neither quotes nor commas within fields, so splitting
/// borrows every name from the program itself.
fn parse_line(line: &'static str) -> Result<Body, BodyTableFault> {
    let mut fields = line.split(',');
    let mut next = || fields.next().ok_or(BodyTableFault::Fields);
    let code = parse_code(next()?)?;
    let kind = BodyKind::from_code(next()?).ok_or(BodyTableFault::Kind)?;
    let prefecture_code = parse_code(next()?)?;
    let name = next()?;
    let kana = next()?;
    let latitude = parse_coordinate(next()?)?;
    let longitude = parse_coordinate(next()?)?;
    let population = parse_population([next()?, next()?, next()?, next()?])?;
    if fields.next().is_some() || name.is_empty() || kana.is_empty() {
        return Err(BodyTableFault::Fields);
    }
    if prefecture_code != code.prefecture() {
        return Err(BodyTableFault::Code(None));
    }
    let expected_kind = if code.is_prefecture() { Some(BodyKind::Prefecture) } else { BodyKind::of_municipality_name(name) };
    if expected_kind != Some(kind) || code.is_ward_of_designated_city() {
        return Err(BodyTableFault::Kind);
    }
    Ok(Body { code, kind, prefecture_code, name, kana, latitude, longitude, population })
}

fn parse_code(text: &str) -> Result<LgCode, BodyTableFault> {
    text.parse().map_err(|problem| BodyTableFault::Code(Some(problem)))
}

fn parse_coordinate(text: &str) -> Result<f64, BodyTableFault> {
    text.parse().map_err(|_| BodyTableFault::Coordinate)
}

fn parse_population(fields: [&'static str; 4]) -> Result<Option<PopulationFigure>, BodyTableFault> {
    let [value, as_of, rounding, source] = fields;
    if fields.iter().all(|field| field.is_empty()) {
        return Ok(None);
    }
    if source.is_empty() {
        return Err(BodyTableFault::Population);
    }
    let number = |text: &str| text.parse().map_err(|_| BodyTableFault::Population);
    Ok(Some(PopulationFigure {
        value: number(value)?,
        as_of: as_of.parse().map_err(|_| BodyTableFault::Population)?,
        rounding: number(rounding)?,
        source,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn municipalities(prefecture: &str) -> usize {
        let code: LgCode = prefecture.parse().unwrap();
        all().unwrap().iter().filter(|b| b.prefecture_code == code && b.kind != BodyKind::Prefecture).count()
    }

    #[test]
    fn the_table_is_whole() {
        let bodies = all().unwrap();
        let prefectures = bodies.iter().filter(|b| b.kind == BodyKind::Prefecture).count();
        assert_eq!(prefectures, 47);
        assert_eq!(municipalities("380008"), 20, "愛媛県");
        assert_eq!(municipalities("340006"), 23, "広島県");
        assert_eq!(municipalities("220001"), 35, "静岡県");
        assert_eq!(municipalities("270008"), 43, "大阪府");
        assert_eq!(bodies.len(), 182);
    }

    #[test]
    fn codes_and_full_names_are_unique_and_facts_plausible() {
        let bodies = all().unwrap();
        let codes: BTreeSet<_> = bodies.iter().map(|b| b.code).collect();
        let names: BTreeSet<_> = bodies.iter().map(|b| (b.prefecture_code, b.name)).collect();
        assert_eq!(codes.len(), bodies.len());
        assert_eq!(names.len(), bodies.len());
        for body in bodies {
            assert!((24.0..46.0).contains(&body.latitude), "{}", body.name);
            assert!((122.0..146.0).contains(&body.longitude), "{}", body.name);
            assert!(body.kana.chars().all(|c| ('ぁ'..='ゖ').contains(&c) || c == 'ー'), "{}", body.kana);
            if let Some(population) = body.population {
                assert_eq!(population.value % population.rounding, 0, "{}", body.name);
            }
        }
    }

    #[test]
    fn bodies_are_found_by_code() {
        let miyake = find_body("293628".parse().unwrap()).unwrap();
        assert_eq!((miyake.name, miyake.kana), ("三宅町", "みやけちょう"));
        assert_eq!(miyake.band(), Some(PopulationBand::Under10k));
        let aichi = find_body("230006".parse().unwrap()).unwrap();
        assert_eq!(aichi.population.unwrap().as_of.to_string(), "2024-12-01");
        assert_eq!(aichi.band(), None);
        let matsuyama = find_body("382019".parse().unwrap()).unwrap();
        assert_eq!((matsuyama.population, matsuyama.band()), (None, None));
        assert_eq!(find_body("011002".parse().unwrap()), None);
    }

    #[test]
    fn bands_include_their_lower_bound() {
        for (population, code) in [
            (0, "under_10k"),
            (9_999, "under_10k"),
            (10_000, "from_10k"),
            (49_999, "from_10k"),
            (50_000, "from_50k"),
            (99_999, "from_50k"),
            (100_000, "from_100k"),
            (299_999, "from_100k"),
            (300_000, "from_300k"),
            (u32::MAX, "from_300k"),
        ] {
            assert_eq!(PopulationBand::of(population).code(), code);
        }
        assert_eq!(PopulationBand::From50k.label_ja(), "5万人以上10万人未満");
    }

    #[test]
    fn a_broken_table_is_refused_with_its_line() {
        let fault = |table: &'static str| parse(table).unwrap_err().fault;
        assert_eq!(fault("h\n232114,city"), BodyTableFault::Fields);
        assert_eq!(
            fault("h\n232115,city,230006,豊田市,とよたし,35.0,137.1,,,,"),
            BodyTableFault::Code(Some(LgCodeProblem::CheckDigit { expected: 4 }))
        );
        assert_eq!(fault("h\n232114,town,230006,豊田市,とよたし,35.0,137.1,,,,"), BodyTableFault::Kind);
        assert_eq!(fault("h\n232114,city,230006,豊田市,とよたし,35.0,137.1,416000,,,"), BodyTableFault::Population);
        let twice = "h\n230006,prefecture,230006,愛知県,あいちけん,35.0,137.1,,,,\n230006,prefecture,230006,愛知県,あいちけん,35.0,137.1,,,,";
        assert_eq!(parse(twice).unwrap_err().line, 3);
    }
}
