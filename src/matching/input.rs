//! The facts the engine works on. The caller reads them from wherever they are kept and vouches for them: ids refer to
//! existing rows, periods run forwards, minutes of a day lie within 0..=1440.

use chrono::NaiveDate;

use super::distance::Place;
use super::weights::Weights;
use crate::calendar::FiscalYear;

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
    /// Required skills with the same number are alternatives: one of them is enough.
    pub alternative_group: Option<u8>,
    /// Whether a level that nobody but the expert has confirmed does not count.
    pub verified_only: bool,
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

/// Work of the same theme for the same body, of which the programme lets one expert do so much in a fiscal year.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SameTheme {
    /// The programme.
    pub programme_id: i64,
    /// Starting year of the fiscal year.
    pub fiscal_year: i32,
    /// The theme, in the form in which equal ones are equal.
    pub theme: String,
    /// Dispatches of one expert at most.
    pub most: u32,
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
    /// The body to which the applicant belongs, such as the municipality of a school.
    pub parent_id: Option<i64>,
    /// The applicant's prefecture.
    pub prefecture_id: i64,
    /// The experts the applicant named, the one wished for most first; none leaves the choice to the office (事務局一任).
    pub wished_experts: Vec<i64>,
    /// Organisations with an interest in the outcome, such as bidders in the procurement at hand.
    pub conflict_org_ids: Vec<i64>,
    /// Whether the place is on a remote island (離島).
    pub on_island: bool,
    /// Languages that the expert must speak; empty: none is asked for.
    pub languages: Vec<String>,
    /// How many experts are to go together, from 1.
    pub experts_needed: u32,
    /// Whether the members of the team take the visits in turn instead of all coming each time.
    pub rotation: bool,
    /// Minutes kept free before and after each visit on site.
    pub buffer_minutes: u32,
    /// What the parts of the score weigh.
    pub weights: Weights,
    /// How often one expert may do such work for the applicant; `None`: as often as you like.
    pub same_theme: Option<SameTheme>,
}

impl Need {
    /// Whether a body is the applicant or the one to which the applicant belongs.
    pub(super) fn is_applicant(&self, body: i64) -> bool {
        body == self.municipality_id || self.parent_id == Some(body)
    }
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

/// Minutes of dated visits, done and planned, in one week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeekLoad {
    /// The week's Monday.
    pub monday: NaiveDate,
    /// Minutes done and planned.
    pub minutes: u32,
}

/// Days with visits in one fiscal year, undated visits as a day each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearDays {
    /// The fiscal year.
    pub fiscal_year: FiscalYear,
    /// Days done and planned.
    pub days: u32,
}

/// Why an expert and an organisation must not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConflictKind {
    /// The expert has an interest: employer, client, kin, or the body the expert belongs to.
    Interest,
    /// The expert does not want to work for it.
    RefusedByExpert,
    /// It does not want the expert.
    RefusedByBody,
}

/// An organisation that an expert must not serve or judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// The organisation.
    pub organisation_id: i64,
    /// Why.
    pub kind: ConflictKind,
    /// From this day on.
    pub from: NaiveDate,
    /// Until and without this day; `None` is open.
    pub to: Option<NaiveDate>,
}

/// Whether the employer lets the expert work on the side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consent {
    /// Nobody has to be asked.
    #[default]
    NotNeeded,
    /// Asked for and not given yet.
    Pending,
    /// Given, up to and with this day; `None` is open.
    Given(Option<NaiveDate>),
}

/// How an expert has answered offers of late, those that were withdrawn not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answers {
    /// Offers that ended with an answer, whatever it was, or without one.
    pub asked: u32,
    /// Of these, answered in time.
    pub answered: u32,
}

/// How often the programme lets one expert serve this municipality in the fiscal year, and how often it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgrammeLimit {
    /// Dispatches that count, cancelled ones not among them.
    pub used: u32,
    /// The most the rule allows.
    pub limit: u32,
}

/// What is known of one expert. What lies beyond the request's days does no harm.
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
    /// Minutes by week; a week not listed has none.
    pub week_loads: Vec<WeekLoad>,
    /// Most minutes a week, Monday to Sunday, as permits for side jobs say; `None` is no limit.
    pub week_capacity_minutes: Option<u32>,
    /// Days by fiscal year; a year not listed has none.
    pub year_days: Vec<YearDays>,
    /// Most days a fiscal year; `None` is no limit agreed.
    pub year_capacity_days: Option<u32>,
    /// Languages spoken.
    pub languages: Vec<String>,
    /// Whether the expert travels to remote islands.
    pub serves_islands: bool,
    /// Whether the employer agrees.
    pub consent: Consent,
    /// The municipality of whose staff the expert is.
    pub own_body: Option<i64>,
    /// Organisations the expert must not serve or judge.
    pub conflicts: Vec<Conflict>,
    /// Visits done of late for requests that asked for one of the same skills; any visit where none is asked for.
    pub evidence_visits: u32,
    /// Answers to offers of late.
    pub answers: Answers,
    /// Visits done for this municipality so far.
    pub past_visits_with_municipality: u32,
    /// The programme's limit for this pair; `None` where it has none.
    pub programme_limit: Option<ProgrammeLimit>,
}

/// What is known of an expert's earlier work: it decides about no condition, only about points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Merits {
    /// Visits done of late for requests that asked for one of the same skills; any visit where none is asked for.
    pub evidence_visits: u32,
    /// Answers to offers of late.
    pub answers: Answers,
    /// Visits done for this municipality so far.
    pub past_visits_with_municipality: u32,
}

impl Candidate {
    /// Takes down what is known of the earlier work.
    pub fn learn(&mut self, merits: Merits) {
        self.evidence_visits = merits.evidence_visits;
        self.answers = merits.answers;
        self.past_visits_with_municipality = merits.past_visits_with_municipality;
    }
}
