//! Query parameters of the expert list: what they may say, and the filter they make.

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::IntoParams;

use super::model::ExpertStatus;
use super::search::{ExpertFilter, ExpertSort, SkillTerm};
use crate::error::{Error, ErrorCode};
use crate::ids::{OrganisationId, PoolId, SkillItemId};
use crate::requests::model::Mode;
use crate::statistics::export::ExportFormat;
use crate::text;

/// Most words of a free-text search.
const MOST_WORDS: usize = 5;
/// Most skills of one parameter.
const MOST_SKILLS: usize = 20;

/// Filters of the expert list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExpertListParams {
    /// Only of this pool.
    pub pool_id: Option<PoolId>,
    /// Words that all stand in the name, reading, affiliation, place or profile; kana and width do not matter.
    #[param(max_length = 100, example = "クラウド")]
    pub q: Option<String>,
    /// Skills that are all held: skill items with the lowest level, comma-separated (`12:3,15`).
    #[param(max_length = 500, pattern = "^[0-9]+(:[0-9]+)?(,[0-9]+(:[0-9]+)?)*$", example = "12:3,15:2")]
    pub skills_all: Option<String>,
    /// Skills of which one is held, written like `skills_all`.
    #[param(max_length = 500, pattern = "^[0-9]+(:[0-9]+)?(,[0-9]+(:[0-9]+)?)*$", example = "12:3,15:2")]
    pub skills_any: Option<String>,
    /// Works in this mode; `hybrid` asks for both.
    pub mode: Option<Mode>,
    /// States, comma-separated.
    #[param(max_length = 100, example = "registered,suspended")]
    pub status: Option<String>,
    /// Travels to this body: it or its prefecture is among the areas, or there are none.
    pub area: Option<OrganisationId>,
    /// First day of a period in which the expert is appointed, not away throughout and has time that no visit takes.
    pub available_from: Option<NaiveDate>,
    /// Last day of that period; the first day when absent.
    pub available_to: Option<NaiveDate>,
    /// Minutes that must be left of the agreed load, in `month` and in its fiscal year.
    #[param(minimum = 0, maximum = 44_640)]
    pub min_remaining_minutes: Option<i64>,
    /// The month for `min_remaining_minutes`; the present one when absent.
    #[param(pattern = "^[0-9]{4}-[0-9]{2}$", max_length = 7, example = "2026-05")]
    pub month: Option<String>,
    /// Order: `kana` (default), `-kana`, `id`, `-updated_at`.
    #[param(max_length = 20, example = "kana")]
    pub sort: Option<String>,
    /// Whether to count all matches.
    pub total: Option<bool>,
    /// JSON, or a file with everything the filters leave (at most 10,000 rows).
    #[param(inline)]
    pub format: Option<ExportFormat>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    pub cursor: Option<String>,
}

fn wrong(parameter: &'static str, ja: &'static str, en: &'static str) -> Error {
    Error::new(ErrorCode::UnknownParameter).field(parameter, "unknown_or_malformed", ja, en)
}

impl ExpertListParams {
    /// The filter, or 400 naming the parameter.
    pub fn filter(&self, today: NaiveDate) -> Result<ExpertFilter, Error> {
        let terms: Vec<String> =
            self.q.as_deref().unwrap_or_default().split_whitespace().map(text::fold).filter(|word| !word.is_empty()).collect();
        if terms.len() > MOST_WORDS || self.q.as_ref().is_some_and(|q| q.chars().count() > 100) {
            return Err(wrong("q", "5語、100文字以内にしてください", "At most 5 words and 100 characters"));
        }
        Ok(ExpertFilter {
            pool_id: self.pool_id,
            terms,
            skills_all: skills("skills_all", self.skills_all.as_deref())?,
            skills_any: skills("skills_any", self.skills_any.as_deref())?,
            mode: self.mode,
            statuses: statuses(self.status.as_deref())?,
            area: self.area,
            available: period(self.available_from, self.available_to)?,
            remaining: self.remaining(today)?,
            sort: match self.sort.as_deref() {
                None => ExpertSort::Kana,
                Some(text) => text.parse().map_err(|_| {
                    wrong("sort", "kana、-kana、id、-updated_atのいずれかにしてください", "Use kana, -kana, id or -updated_at")
                })?,
            },
        })
    }

    fn remaining(&self, today: NaiveDate) -> Result<Option<(i64, NaiveDate)>, Error> {
        let month = match &self.month {
            None => crate::calendar::month_range(today).0,
            Some(text) => parse_month(text).ok_or_else(|| wrong("month", "YYYY-MMの形にしてください", "Use the form YYYY-MM"))?,
        };
        match self.min_remaining_minutes {
            Some(minutes) if !(0..=44_640).contains(&minutes) => {
                Err(wrong("min_remaining_minutes", "0から44640までの値にしてください", "Must be from 0 to 44640"))
            }
            Some(minutes) => Ok(Some((minutes, month))),
            None if self.month.is_some() => {
                Err(wrong("month", "min_remaining_minutesと一緒に指定してください", "Use it together with min_remaining_minutes"))
            }
            None => Ok(None),
        }
    }
}

/// The first day of a month written `2026-05`.
pub fn parse_month(text: &str) -> Option<NaiveDate> {
    if text.len() != 7 || !text.is_ascii() {
        return None;
    }
    let (year, month) = text.split_once('-')?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(year) || !digits(month) {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1)
}

fn period(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<Option<(NaiveDate, NaiveDate)>, Error> {
    match (from, to) {
        (None, None) => Ok(None),
        (Some(from), to) if to.is_none_or(|to| to >= from) => Ok(Some((from, to.unwrap_or(from)))),
        (Some(_), _) => Err(wrong("available_to", "終了日は開始日以後にしてください", "The end must not be before the start")),
        (None, Some(_)) => Err(wrong("available_from", "開始日も指定してください", "Give the first day too")),
    }
}

fn statuses(text: Option<&str>) -> Result<Vec<ExpertStatus>, Error> {
    let mut found: Vec<ExpertStatus> = Vec::new();
    for part in text.map(|text| text.split(',')).into_iter().flatten() {
        let status = part.parse().map_err(|_| {
            wrong("status", "registered、suspended、retiredから選んでください", "Choose from registered, suspended, retired")
        })?;
        if !found.contains(&status) {
            found.push(status);
        }
    }
    Ok(found)
}

fn skills(parameter: &'static str, text: Option<&str>) -> Result<Vec<SkillTerm>, Error> {
    let mut terms: Vec<SkillTerm> = Vec::new();
    for part in text.map(|text| text.split(',')).into_iter().flatten() {
        terms.push(skill(part).ok_or_else(|| {
            wrong(
                parameter,
                "「スキル項目の番号:レベル」をカンマ区切りで指定してください",
                "Use skill item ids with levels, such as 12:3,15:2",
            )
        })?);
    }
    if terms.len() > MOST_SKILLS {
        return Err(wrong(parameter, "20件以内にしてください", "At most 20 skills"));
    }
    Ok(terms)
}

fn skill(text: &str) -> Option<SkillTerm> {
    let (item, level) = text.split_once(':').unwrap_or((text, "1"));
    let item: i64 = item.parse().ok().filter(|item| *item > 0)?;
    let level: i32 = level.parse().ok().filter(|level| (1..=10).contains(level))?;
    Some(SkillTerm { item: SkillItemId(item), level })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 5, 20).unwrap()
    }

    fn parse(query: &str) -> Result<ExpertFilter, Error> {
        crate::http::read::parse_query::<ExpertListParams>(query)?.filter(today())
    }

    #[test]
    fn skills_have_an_item_and_a_level_that_may_be_left_out() {
        let filter = parse("skills_all=12:3,15").unwrap();
        let term = |item, level| SkillTerm { item: SkillItemId(item), level };
        assert_eq!(filter.skills_all, [term(12, 3), term(15, 1)]);
        for bad in ["", "12:", "12:0", "12:11", "x", "12:3,", "-1:2", "12:3:4"] {
            assert!(parse(&format!("skills_any={bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_are_folded_one_by_one() {
        assert_eq!(parse("q=%EF%BD%B6%EF%BE%9E%E3%80%80Dx").unwrap().terms, ["が", "dx"]);
        assert!(parse("q=a+b+c+d+e+f").is_err());
    }

    #[test]
    fn periods_and_months_are_checked() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 5, d).unwrap();
        assert_eq!(parse("available_from=2026-05-07").unwrap().available, Some((day(7), day(7))));
        assert!(parse("available_from=2026-05-07&available_to=2026-05-06").is_err());
        assert!(parse("available_to=2026-05-06").is_err());
        assert_eq!(parse("min_remaining_minutes=60").unwrap().remaining, Some((60, day(1))));
        assert!(parse("month=2026-05").is_err());
        for bad in ["2026-13", "2026-5", "26-05", "+026-05", "2026-05-01"] {
            assert!(parse(&format!("min_remaining_minutes=1&month={bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_not_allowed_is_named() {
        let name = |query: &str| parse(query).unwrap_err().fields[0].pointer.clone();
        assert_eq!(name("sort=name"), "sort");
        assert_eq!(name("status=registered,gone"), "status");
        assert_eq!(name("colour=red"), "colour");
    }
}
