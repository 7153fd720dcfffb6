//! The facts the engine works on. The caller reads them from wherever they are kept and vouches for them: ids refer to
//! existing rows, periods run forwards, minutes of a day lie within 0..=1440.

use chrono::NaiveDate;

use crate::calendar::FiscalYear;

/// A place on the globe in millionths of a degree, latitude north and longitude east positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Latitude, −90,000,000..=90,000,000; what lies beyond is taken as the pole.
    pub latitude_micro: i32,
    /// Longitude, −180,000,000..=180,000,000; what lies beyond goes round the globe.
    pub longitude_micro: i32,
}

/// How the expert is to take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeedMode {
    /// At the applicant's place.
    Onsite,
    /// By video or telephone.
    Online,
    /// Partly the one, partly the other: the expert must offer both.
    Hybrid,
}

/// A skill the request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillNeed {
    /// The item of a skill framework.
    pub skill_item_id: i64,
    /// Its name as the framework has it, for explanations.
    pub name: String,
    /// The level from which on it is met, on the framework's scale, 1 the lowest.
    pub min_level: u8,
    /// Whether it excludes those who lack it; otherwise it is welcome and only scores.
    pub must: bool,
}

/// A visit the applicant would like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedVisit {
    /// The Japanese day; `None` is to be arranged within the period.
    pub day: Option<NaiveDate>,
    /// When it starts, in minutes of the day; `None` is any time of that day.
    pub start_minute: Option<u16>,
    /// How long it lasts, in minutes.
    pub minutes: u32,
}

/// What one request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The request.
    pub request_id: i64,
    /// The skills asked for; none is allowed.
    pub required: Vec<SkillNeed>,
    /// How the expert is to take part.
    pub mode: NeedMode,
    /// The visits wished for; none is allowed.
    pub visits: Vec<PlannedVisit>,
    /// First day of the requested period.
    pub period_from: NaiveDate,
    /// Last day of the requested period.
    pub period_to: NaiveDate,
    /// Where the work takes place; `None` is unknown.
    pub site: Option<Place>,
    /// The applicant, with joint applicants the lead body.
    pub municipality_id: i64,
    /// The applicant's prefecture.
    pub prefecture_id: i64,
    /// The experts the applicant named, the one wished for most first; none leaves the choice to the office (事務局一任).
    pub wished_experts: Vec<i64>,
    /// Organisations with an interest in the outcome, such as bidders in the procurement at hand.
    pub conflict_org_ids: Vec<i64>,
}

/// A skill an expert holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CandidateSkill {
    /// The item of a skill framework.
    pub skill_item_id: i64,
    /// The level held, on the framework's scale.
    pub level: u8,
    /// Whether somebody other than the expert has confirmed it.
    pub verified: bool,
}

/// Where an expert stands in the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateStatus {
    /// May be offered work.
    Registered,
    /// Not yet or no longer registered: applied, screened, expired, retired.
    NotRegistered,
    /// Registered, but suspended.
    Suspended,
}

/// A time in every week at which an expert can work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeeklyWindow {
    /// 1 Monday to 7 Sunday, as in ISO 8601.
    pub iso_weekday: u8,
    /// Its beginning in minutes of the day.
    pub start_minute: u16,
    /// Its end in minutes of the day, at most 1440.
    pub end_minute: u16,
}

/// A day on which an expert's week does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvailabilityException {
    /// The Japanese day.
    pub day: NaiveDate,
    /// Whether the time is added to the week (`true`) or taken out of it. Taking out wins where both are given.
    pub available: bool,
    /// Its beginning in minutes of the day.
    pub start_minute: u16,
    /// Its end in minutes of the day, at most 1440.
    pub end_minute: u16,
}

/// Time already held, the travel buffer before and after included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusySlot {
    /// The Japanese day.
    pub day: NaiveDate,
    /// Its beginning in minutes of the day.
    pub start_minute: u16,
    /// Its end in minutes of the day, at most 1440.
    pub end_minute: u16,
}

/// Minutes done and planned in one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthLoad {
    /// Calendar year.
    pub year: i32,
    /// 1..=12.
    pub month: u32,
    /// Minutes done and planned.
    pub minutes: u32,
}

/// Minutes done and planned in one fiscal year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearLoad {
    /// The fiscal year.
    pub fiscal_year: FiscalYear,
    /// Minutes done and planned.
    pub minutes: u32,
}

/// How often the programme lets one expert serve this municipality in the fiscal year, and how often it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgrammeLimit {
    /// Dispatches that count, cancelled ones not among them.
    pub used: u32,
    /// The most the rule allows.
    pub limit: u32,
}

/// What is known of one expert, as far as it bears on one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The expert.
    pub expert_id: i64,
    /// Standing in the pool.
    pub status: CandidateStatus,
    /// Skills held.
    pub skills: Vec<CandidateSkill>,
    /// Whether the expert works on site.
    pub onsite: bool,
    /// Whether the expert works online.
    pub online: bool,
    /// Prefectures and municipalities to which the expert travels; empty is anywhere.
    pub areas: Vec<i64>,
    /// From where the expert travels; `None` is unknown.
    pub base: Option<Place>,
    /// First day of the appointment (委嘱); `None` is open.
    pub appointed_from: Option<NaiveDate>,
    /// Last day of the appointment; `None` is open.
    pub appointed_to: Option<NaiveDate>,
    /// Periods of leave, both days inclusive.
    pub leaves: Vec<(NaiveDate, NaiveDate)>,
    /// The ordinary week; empty is by arrangement at any time.
    pub weekly: Vec<WeeklyWindow>,
    /// Where the week does not hold.
    pub exceptions: Vec<AvailabilityException>,
    /// Time already held.
    pub busy: Vec<BusySlot>,
    /// Load by month; a month not listed has none.
    pub month_loads: Vec<MonthLoad>,
    /// Most minutes a month; `None` is no limit agreed.
    pub month_capacity_minutes: Option<u32>,
    /// Load by fiscal year; a year not listed has none.
    pub year_loads: Vec<YearLoad>,
    /// Most minutes a fiscal year; `None` is no limit agreed.
    pub year_capacity_minutes: Option<u32>,
    /// Dispatches going on now.
    pub simultaneous: u32,
    /// Most dispatches at a time; `None` is no limit agreed.
    pub simultaneous_capacity: Option<u32>,
    /// Organisations the expert must not serve or judge: employer, clients, declared conflicts.
    pub conflict_org_ids: Vec<i64>,
    /// Visits done for this municipality so far.
    pub past_visits_with_municipality: u32,
    /// The programme's limit for this pair; `None` where it has none.
    pub programme_limit: Option<ProgrammeLimit>,
}
