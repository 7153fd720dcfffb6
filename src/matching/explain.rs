//! What the engine says: the reasons and score parts as the API returns them, and their wording.
//!
//! Codes and parameters are for programs, the details for people; the wording may improve, the codes stay.

use serde::Serialize;
use utoipa::ToSchema;

use super::score::{Facts, Measured, PARTS, TravelFact, WishFact};

/// Why an expert is excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExclusionCode {
    /// Not registered, or no longer.
    NotRegistered,
    /// The registration is suspended.
    Suspended,
    /// The appointment starts after the period or after every wished date.
    AppointmentNotStarted,
    /// The appointment ends before the period or before every wished date.
    AppointmentEnded,
    /// A conflict of interest with the applicant or with somebody interested in the outcome.
    ConflictOfInterest,
    /// The expert or the applicant refuses the other.
    Refused,
    /// The programme's limit for this expert and this municipality is used up.
    ProgrammeLimit,
    /// On-site or online work is asked for and not offered.
    ModeNotOffered,
    /// The place is outside the areas to which the expert travels.
    OutsideArea,
    /// The place is on a remote island, and the expert does not go there.
    IslandNotServed,
    /// A language that is asked for is not spoken.
    LanguageMissing,
    /// Required skills are missing or below the level.
    SkillsMissing,
    /// The employer has not consented to work on the side, or not for the period.
    EmployerConsent,
    /// On leave for the whole period or on every wished date.
    OnLeave,
    /// Every wished date is outside the week's hours or in an exception to them.
    OutsideAvailability,
    /// Every wished date overlaps time already held.
    CalendarBusy,
    /// Several things together leave no wished date.
    NoDatePossible,
    /// The weeks have too few minutes left.
    WeekCapacity,
    /// The months have too few minutes left.
    MonthCapacity,
    /// The fiscal year has too few minutes left.
    FiscalYearCapacity,
    /// The fiscal year has too few days left.
    FiscalYearDays,
    /// As many dispatches are going on as were agreed.
    SimultaneousCapacity,
}

impl ExclusionCode {
    /// The code as the API and screens' message keys spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotRegistered => "not_registered",
            Self::Suspended => "suspended",
            Self::AppointmentNotStarted => "appointment_not_started",
            Self::AppointmentEnded => "appointment_ended",
            Self::ConflictOfInterest => "conflict_of_interest",
            Self::Refused => "refused",
            Self::ProgrammeLimit => "programme_limit",
            Self::ModeNotOffered => "mode_not_offered",
            Self::OutsideArea => "outside_area",
            Self::IslandNotServed => "island_not_served",
            Self::LanguageMissing => "language_missing",
            Self::SkillsMissing => "skills_missing",
            Self::EmployerConsent => "employer_consent",
            Self::OnLeave => "on_leave",
            Self::OutsideAvailability => "outside_availability",
            Self::CalendarBusy => "calendar_busy",
            Self::NoDatePossible => "no_date_possible",
            Self::WeekCapacity => "week_capacity",
            Self::MonthCapacity => "month_capacity",
            Self::FiscalYearCapacity => "fiscal_year_capacity",
            Self::FiscalYearDays => "fiscal_year_days",
            Self::SimultaneousCapacity => "simultaneous_capacity",
        }
    }
}

/// A parameter of a reason. Days are ISO dates, several values are separated by commas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReasonParam {
    /// What the value is.
    #[schema(value_type = String, min_length = 1, max_length = 50, example = "skill_item_ids")]
    pub name: &'static str,
    /// The value.
    #[schema(max_length = 2000, example = "3,5")]
    pub value: String,
}

/// One reason why an expert is excluded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Exclusion {
    /// Which reason it is.
    pub code: ExclusionCode,
    /// Its parameters, in a fixed order for each code.
    #[schema(max_items = 5)]
    pub params: Vec<ReasonParam>,
    /// The reason in Japanese.
    #[schema(min_length = 1, max_length = 2000, example = "必須スキルを満たしていません：データ利活用（レベル3以上）")]
    pub detail_ja: String,
    /// The reason in English.
    #[schema(min_length = 1, max_length = 2000, example = "Required skills are missing: データ利活用 (level 3 or above)")]
    pub detail_en: String,
}

impl Exclusion {
    pub(super) fn new(code: ExclusionCode, detail_ja: impl Into<String>, detail_en: impl Into<String>) -> Self {
        Self { code, params: Vec::new(), detail_ja: detail_ja.into(), detail_en: detail_en.into() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.params.push(ReasonParam { name, value: value.to_string() });
        self
    }
}

/// How many experts one reason excludes; those with several reasons count under each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExclusionCount {
    /// The reason.
    pub code: ExclusionCode,
    /// How many experts.
    #[schema(minimum = 1, maximum = 1_000_000, example = 7)]
    pub count: u32,
}

/// What a part of the score is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScorePartCode {
    /// Skills held, their depth and their verification.
    Skill,
    /// Visits done with the skills asked for.
    Evidence,
    /// The applicant's wish for a certain expert.
    Wish,
    /// Wished dates that are possible.
    Date,
    /// The way between base and place.
    Travel,
    /// Capacity left, and evenness among the eligible.
    Load,
    /// Earlier work for the municipality.
    Continuity,
    /// Offers answered in time.
    Response,
}

/// One part of a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScorePart {
    /// What it is about.
    pub code: ScorePartCode,
    /// Points given.
    #[schema(minimum = 0, maximum = 600, example = 130)]
    pub points: u32,
    /// Most points this part can give.
    #[schema(minimum = 0, maximum = 600, example = 150)]
    pub max: u32,
    /// Why, in Japanese.
    #[schema(min_length = 1, max_length = 200, example = "拠点から約68km")]
    pub detail_ja: String,
    /// Why, in English.
    #[schema(min_length = 1, max_length = 200, example = "About 68 km from the base")]
    pub detail_en: String,
}

/// An expert who can take the request, with place, score and the score's parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// Place in the order, 1 the best; no two share one.
    pub rank: u32,
    /// The expert.
    pub expert_id: i64,
    /// The sum of the parts' points.
    pub score: u32,
    pub(super) measured: [Measured; PARTS],
}

impl Ranked {
    /// The parts in words, always all of them in the same order.
    pub fn parts(&self) -> Vec<ScorePart> {
        self.measured.iter().map(part).collect()
    }
}

/// How long the way takes one way, in minutes, cut to ten and at least ten: a road is about 1.3 times as long as the straight
/// line, and 40 km of it take an hour. A rough figure to compare by; timetables know better.
pub(super) fn travel_minutes(km: u32) -> u32 {
    (km.saturating_mul(13).saturating_mul(60) / 400 / 10 * 10).max(10)
}

/// Puts a measured part into words.
fn part(measured: &Measured) -> ScorePart {
    let (code, detail_ja, detail_en) = match measured.facts {
        Facts::Skill { asked: 0, .. } => {
            (ScorePartCode::Skill, "スキルの指定なし".to_owned(), "No skill was asked for".to_owned())
        }
        Facts::Skill { asked, met, deeper, verified } => (
            ScorePartCode::Skill,
            format!("スキル{asked}件中{met}件を満たす（求めるより高いレベル{deeper}件、確認済み{verified}件）"),
            format!("{met} of {asked} skills met ({deeper} above the level asked, {verified} verified)"),
        ),
        Facts::Evidence { visits: 0 } => {
            (ScorePartCode::Evidence, "同じ分野での派遣実績なし".to_owned(), "No visit with these skills yet".to_owned())
        }
        Facts::Evidence { visits } => (
            ScorePartCode::Evidence,
            format!("同じ分野での派遣実績{visits}回（過去3年度）"),
            format!("{visits} visit(s) with these skills within three fiscal years"),
        ),
        Facts::Response { asked: 0, .. } => {
            (ScorePartCode::Response, "依頼への回答実績なし".to_owned(), "Not asked before".to_owned())
        }
        Facts::Response { asked, answered } => (
            ScorePartCode::Response,
            format!("依頼{asked}件中{answered}件に期限内に回答（過去3年度）"),
            format!("{answered} of {asked} offers answered in time within three fiscal years"),
        ),
        Facts::Wish(wish) => {
            let (ja, en) = match wish {
                WishFact::LeftToOffice => ("人選は事務局一任".to_owned(), "The choice is left to the office".to_owned()),
                WishFact::Wished(place) => {
                    (format!("申請者の第{place}希望"), format!("Number {place} of the experts the applicant wished for"))
                }
                WishFact::OtherWished => {
                    ("申請者は別の専門人材を希望".to_owned(), "The applicant wished for another expert".to_owned())
                }
            };
            (ScorePartCode::Wish, ja, en)
        }
        Facts::Date { dated: 0, .. } => (
            ScorePartCode::Date,
            "希望日の指定なし（期間内で調整）".to_owned(),
            "No date was asked for; to be arranged within the period".to_owned(),
        ),
        Facts::Date { dated, possible } => (
            ScorePartCode::Date,
            format!("希望日時{dated}件中{possible}件に対応可能"),
            format!("{possible} of {dated} wished dates possible"),
        ),
        Facts::Travel(travel) => {
            let (ja, en) = match travel {
                TravelFact::Online => ("オンラインのため移動なし".to_owned(), "Online, no travel".to_owned()),
                TravelFact::Unknown => {
                    ("拠点または会場の位置が未登録".to_owned(), "The base or the place is not on record".to_owned())
                }
                TravelFact::Kilometres(km) => {
                    let (hours, minutes) = (travel_minutes(km) / 60, travel_minutes(km) % 60);
                    let time = match hours {
                        0 => format!("{minutes}分"),
                        _ => format!("{hours}時間{minutes}分"),
                    };
                    (
                        format!("拠点から約{km}km（片道およそ{time}）"),
                        format!("About {km} km from the base, some {hours} h {minutes} min one way"),
                    )
                }
            };
            (ScorePartCode::Travel, ja, en)
        }
        Facts::Load { free_permille, own_minutes, most_minutes } => {
            let (free_ja, free_en) = match free_permille {
                Some(permille) => {
                    (format!("稼働枠の残り{}%", permille / 10), format!("{}% of the agreed capacity free", permille / 10))
                }
                None => ("稼働枠の定めなし".to_owned(), "No capacity limit agreed".to_owned()),
            };
            (
                ScorePartCode::Load,
                format!("{free_ja}、年度内の従事{own_minutes}分（候補者の最多{most_minutes}分）"),
                format!("{free_en}; {own_minutes} minutes this fiscal year (most among the eligible: {most_minutes})"),
            )
        }
        Facts::Continuity { visits: 0 } => {
            (ScorePartCode::Continuity, "この団体への派遣実績なし".to_owned(), "No earlier visit to this municipality".to_owned())
        }
        Facts::Continuity { visits } => (
            ScorePartCode::Continuity,
            format!("この団体への派遣実績{visits}回"),
            format!("{visits} earlier visit(s) to this municipality"),
        ),
    };
    ScorePart { code, points: measured.points, max: measured.max, detail_ja, detail_en }
}
