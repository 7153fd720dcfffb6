//! What the API sends and takes for experts.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{AffiliationKind, ConflictKind, EmployerConsent, ExpertStatus, ExpertVerb, languages_in};
use super::search::SummaryRow;
use super::store::{ExpertRow, SkillRow};
use crate::clock::UtcTime;
use crate::ids::{ExpertId, OrganisationId, PoolId, SkillItemId, UserId};

/// How much of a registration is shown to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Everything: the pool's owner.
    Full,
    /// Everything, but what the owner can do: the expert.
    Own,
    /// With contact data: a member to which the expert has been dispatched.
    Contact,
    /// Without: any other member.
    Profile,
}

/// An expert.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpertView {
    /// Id.
    pub id: ExpertId,
    /// The pool.
    pub pool_id: PoolId,
    /// The account with which the expert signs in; for the pool's owner and the expert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Name exactly as typed.
    #[schema(max_length = 200, example = "髙橋 花子")]
    pub name: String,
    /// Reading in full-width katakana.
    #[schema(max_length = 200, example = "タカハシ ハナコ")]
    pub kana: String,
    /// The name in characters that every system shows (代替文字), where it differs.
    #[schema(max_length = 200, example = "高橋 花子")]
    pub alternative_name: String,
    /// Standing of the person.
    pub affiliation_kind: AffiliationKind,
    /// Employer or office.
    #[schema(max_length = 200, example = "株式会社みかんテック")]
    pub affiliation: String,
    /// What the expert does.
    #[schema(max_length = 4000, example = "窓口業務の改善とクラウド移行を支援します。")]
    pub profile: String,
    /// Address; for the owner, the expert, and members to which the expert has been dispatched.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254, example = "hanako@example.jp")]
    pub email: Option<String>,
    /// Telephone; shown like the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40, example = "089-000-0000")]
    pub phone: Option<String>,
    /// Works on site.
    pub onsite: bool,
    /// Works online.
    pub online: bool,
    /// The body whose office stands for the place from which the expert travels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_organisation_id: Option<OrganisationId>,
    /// That place in words.
    #[schema(max_length = 200, example = "松山市")]
    pub base_place: String,
    /// Languages the expert works in.
    #[schema(max_items = 10, example = json!(["ja", "en"]))]
    pub languages: Vec<String>,
    /// Prefectures and municipalities to which the expert travels; none is anywhere.
    #[schema(max_items = 2000)]
    pub area_ids: Vec<OrganisationId>,
    /// Goes to remote islands (離島); online work is not meant.
    pub serves_islands: bool,
    /// Skills.
    #[schema(max_items = 200)]
    pub skills: Vec<ExpertSkillView>,
    /// State.
    pub status: ExpertStatus,
    /// What the pool's owner can do now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 3)]
    pub verbs: Option<Vec<ExpertVerb>>,
    /// First day of the appointment (委嘱).
    pub appointed_from: NaiveDate,
    /// First day on which the appointment no longer counts; absent: without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointed_to: Option<NaiveDate>,
    /// Most engagements at a time; absent: not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    pub capacity_simultaneous: Option<i32>,
    /// Most minutes a calendar week, Monday to Sunday, as the permit of a side job says; visits whose day is yet to be
    /// arranged do not count. Absent: not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 10_080)]
    pub capacity_minutes_week: Option<i32>,
    /// Most minutes a month; absent: not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 44_640)]
    pub capacity_minutes_month: Option<i32>,
    /// Most minutes a fiscal year; absent: not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 527_040)]
    pub capacity_minutes_year: Option<i32>,
    /// Most days a fiscal year; absent: not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 366)]
    pub capacity_days_year: Option<i32>,
    /// Whether the employer permits the work (兼業・副業の許可); for the pool's owner and the expert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_consent: Option<EmployerConsent>,
    /// Last day on which the permit counts; absent: without end, or no permit. Shown like the permit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_consent_until: Option<NaiveDate>,
    /// Version, as in `ETag`.
    pub version: i64,
    /// Changed.
    pub updated_at: UtcTime,
}

impl ExpertView {
    /// A registration as far as it may be seen.
    pub fn new(row: ExpertRow, sight: Sight, area_ids: Vec<OrganisationId>, skills: Vec<(SkillRow, String)>) -> Self {
        let contact = sight != Sight::Profile;
        let full = matches!(sight, Sight::Full | Sight::Own);
        Self {
            id: row.id,
            pool_id: row.pool_id,
            user_id: row.user_id.filter(|_| full),
            name: row.name,
            kana: row.kana,
            alternative_name: row.alternative_name,
            affiliation_kind: row.affiliation_kind,
            affiliation: row.affiliation,
            profile: row.profile,
            email: contact.then_some(row.email),
            phone: contact.then_some(row.phone),
            onsite: row.onsite,
            online: row.online,
            base_organisation_id: row.base_organisation_id,
            base_place: row.base_place,
            languages: languages_in(&row.languages),
            area_ids,
            serves_islands: row.serves_islands,
            skills: skills
                .into_iter()
                .map(|(skill, name)| ExpertSkillView {
                    skill_item_id: skill.skill_item_id,
                    name,
                    level: skill.level,
                    verified: skill.verified,
                })
                .collect(),
            verbs: (sight == Sight::Full).then(|| row.status.verbs()),
            status: row.status,
            appointed_from: row.appointed_from,
            appointed_to: row.appointed_to,
            capacity_simultaneous: row.capacity_simultaneous,
            capacity_minutes_week: row.capacity_minutes_week,
            capacity_minutes_month: row.capacity_minutes_month,
            capacity_minutes_year: row.capacity_minutes_year,
            capacity_days_year: row.capacity_days_year,
            employer_consent: full.then_some(row.employer_consent),
            employer_consent_until: row.employer_consent_until.filter(|_| full),
            version: row.version,
            updated_at: row.updated_at,
        }
    }
}

/// A skill that an expert holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpertSkillView {
    /// The item of a skill framework.
    pub skill_item_id: SkillItemId,
    /// Its name.
    #[schema(max_length = 200, example = "サービスデザイナー")]
    pub name: String,
    /// Level on the framework's scale, 1 the lowest.
    #[schema(minimum = 1, maximum = 10, example = 3)]
    pub level: i32,
    /// Whether somebody other than the expert has confirmed it.
    pub verified: bool,
}

/// An expert as lists show one; skills by number, their names are in the skill frameworks.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpertSummaryView {
    /// Id.
    pub id: ExpertId,
    /// The pool.
    pub pool_id: PoolId,
    /// Name exactly as typed.
    #[schema(max_length = 200, example = "髙橋 花子")]
    pub name: String,
    /// Reading in full-width katakana.
    #[schema(max_length = 200, example = "タカハシ ハナコ")]
    pub kana: String,
    /// The name in characters that every system shows.
    #[schema(max_length = 200, example = "高橋 花子")]
    pub alternative_name: String,
    /// Standing of the person.
    pub affiliation_kind: AffiliationKind,
    /// Employer or office.
    #[schema(max_length = 200)]
    pub affiliation: String,
    /// Works on site.
    pub onsite: bool,
    /// Works online.
    pub online: bool,
    /// The body whose office stands for the place from which the expert travels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_organisation_id: Option<OrganisationId>,
    /// That place in words.
    #[schema(max_length = 200)]
    pub base_place: String,
    /// Skills.
    #[schema(max_items = 200)]
    pub skills: Vec<ExpertSkillLevel>,
    /// State.
    pub status: ExpertStatus,
    /// First day of the appointment.
    pub appointed_from: NaiveDate,
    /// First day on which the appointment no longer counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointed_to: Option<NaiveDate>,
    /// Changed.
    pub updated_at: UtcTime,
}

impl From<SummaryRow> for ExpertSummaryView {
    fn from(row: SummaryRow) -> Self {
        Self {
            id: row.id,
            pool_id: row.pool_id,
            name: row.name,
            kana: row.kana,
            alternative_name: row.alternative_name,
            affiliation_kind: row.affiliation_kind,
            affiliation: row.affiliation,
            onsite: row.onsite,
            online: row.online,
            base_organisation_id: row.base_organisation_id,
            base_place: row.base_place,
            skills: Vec::new(),
            status: row.status,
            appointed_from: row.appointed_from,
            appointed_to: row.appointed_to,
            updated_at: row.updated_at,
        }
    }
}

/// A skill with its level.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpertSkillLevel {
    /// The item of a skill framework.
    pub skill_item_id: SkillItemId,
    /// Level on the framework's scale.
    #[schema(minimum = 1, maximum = 10, example = 3)]
    pub level: i32,
    /// Whether somebody other than the expert has confirmed it.
    pub verified: bool,
}

/// A page of experts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpertPage {
    /// The experts.
    #[schema(max_items = 200)]
    pub items: Vec<ExpertSummaryView>,
    /// Matches over all pages, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub total: Option<i64>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

fn japanese() -> Vec<String> {
    vec!["ja".to_owned()]
}

fn everywhere() -> bool {
    true
}

fn not_needed() -> EmployerConsent {
    EmployerConsent::NotNeeded
}

fn interest() -> ConflictKind {
    ConflictKind::Interest
}

/// A new expert.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"pool_id": 1, "name": "髙橋 花子", "kana": "たかはし はなこ", "alternative_name": "高橋 花子",
    "affiliation_kind": "individual", "email": "hanako@example.jp", "onsite": true, "online": true, "appointed_from": "2026-04-01",
    "appointed_to": "2027-04-01", "capacity_minutes_month": 1200}))]
pub struct CreateExpertBody {
    /// The pool, one of the own organisation.
    pub pool_id: PoolId,
    /// Name exactly as it is to be shown.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Reading in any kana; kept as full-width katakana.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub kana: String,
    /// The name in characters that every system shows.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub alternative_name: String,
    /// Standing of the person.
    pub affiliation_kind: AffiliationKind,
    /// Employer or office.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub affiliation: String,
    /// What the expert does, for members to read.
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub profile: String,
    /// Address for offers, once in a pool.
    #[schema(min_length = 3, max_length = 254)]
    pub email: String,
    /// Telephone.
    #[serde(default)]
    #[schema(max_length = 40)]
    pub phone: String,
    /// Works on site.
    pub onsite: bool,
    /// Works online.
    pub online: bool,
    /// The body whose office stands for the place from which the expert travels.
    pub base_organisation_id: Option<OrganisationId>,
    /// That place in words.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub base_place: String,
    /// Languages the expert works in.
    #[serde(default = "japanese")]
    #[schema(min_items = 1, max_items = 10)]
    pub languages: Vec<String>,
    /// Prefectures and municipalities to which the expert travels; none is anywhere.
    #[serde(default)]
    #[schema(max_items = 2000)]
    pub area_ids: Vec<OrganisationId>,
    /// Goes to remote islands (離島); so unless said otherwise.
    #[serde(default = "everywhere")]
    pub serves_islands: bool,
    /// First day of the appointment (委嘱).
    pub appointed_from: NaiveDate,
    /// First day on which the appointment no longer counts.
    pub appointed_to: Option<NaiveDate>,
    /// Most engagements at a time.
    #[schema(minimum = 1, maximum = 100)]
    pub capacity_simultaneous: Option<i32>,
    /// Most minutes a calendar week, Monday to Sunday, as the permit of a side job says; visits whose day is yet to be
    /// arranged do not count.
    #[schema(minimum = 0, maximum = 10_080)]
    pub capacity_minutes_week: Option<i32>,
    /// Most minutes a month.
    #[schema(minimum = 0, maximum = 44_640)]
    pub capacity_minutes_month: Option<i32>,
    /// Most minutes a fiscal year.
    #[schema(minimum = 0, maximum = 527_040)]
    pub capacity_minutes_year: Option<i32>,
    /// Most days a fiscal year.
    #[schema(minimum = 0, maximum = 366)]
    pub capacity_days_year: Option<i32>,
    /// Whether the employer permits the work (兼業・副業の許可); not needed unless said otherwise.
    #[serde(default = "not_needed")]
    pub employer_consent: EmployerConsent,
    /// Last day on which the permit counts; only with a permit that is given, absent: without end.
    pub employer_consent_until: Option<NaiveDate>,
}

/// Changes to an expert; what is absent stays, null clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"affiliation": "愛媛大学", "affiliation_kind": "university_staff", "capacity_minutes_month": 960}))]
pub struct UpdateExpertBody {
    /// The account: a person who is an expert of the own organisation; null unlinks.
    #[serde(default, deserialize_with = "crate::http::nullable")]
    #[schema(value_type = Option<UserId>)]
    pub user_id: Option<Option<UserId>>,
    /// Name exactly as it is to be shown.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Reading in any kana.
    #[schema(max_length = 200)]
    pub kana: Option<String>,
    /// The name in characters that every system shows.
    #[schema(max_length = 200)]
    pub alternative_name: Option<String>,
    /// Standing of the person.
    pub affiliation_kind: Option<AffiliationKind>,
    /// Employer or office.
    #[schema(max_length = 200)]
    pub affiliation: Option<String>,
    /// What the expert does.
    #[schema(max_length = 4000)]
    pub profile: Option<String>,
    /// Address for offers.
    #[schema(min_length = 3, max_length = 254)]
    pub email: Option<String>,
    /// Telephone.
    #[schema(max_length = 40)]
    pub phone: Option<String>,
    /// Works on site.
    pub onsite: Option<bool>,
    /// Works online.
    pub online: Option<bool>,
    /// The body whose office stands for the place from which the expert travels; null clears.
    #[serde(default, deserialize_with = "crate::http::nullable")]
    #[schema(value_type = Option<OrganisationId>)]
    pub base_organisation_id: Option<Option<OrganisationId>>,
    /// That place in words.
    #[schema(max_length = 200)]
    pub base_place: Option<String>,
    /// Languages the expert works in.
    #[schema(min_items = 1, max_items = 10)]
    pub languages: Option<Vec<String>>,
    /// Prefectures and municipalities to which the expert travels; replaces all.
    #[schema(max_items = 2000)]
    pub area_ids: Option<Vec<OrganisationId>>,
    /// Goes to remote islands (離島).
    pub serves_islands: Option<bool>,
    /// First day of the appointment.
    pub appointed_from: Option<NaiveDate>,
    /// First day on which the appointment no longer counts; null clears.
    #[serde(default, deserialize_with = "crate::http::nullable")]
    #[schema(value_type = Option<NaiveDate>)]
    pub appointed_to: Option<Option<NaiveDate>>,
    /// Most engagements at a time; null clears.
    #[serde(default, deserialize_with = "crate::http::nullable")]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 100)]
    pub capacity_simultaneous: Option<Option<i32>>,
    /// Most minutes a calendar week, Monday to Sunday; null clears.
    #[serde(default, deserialize_with = "crate::http::nullable")]
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 10_080)]
    pub capacity_minutes_week: Option<Option<i32>>,
    /// Most minutes a month; null clears.
    #[serde(default, deserialize_with = "crate::http::nullable")]
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 44_640)]
    pub capacity_minutes_month: Option<Option<i32>>,
    /// Most minutes a fiscal year; null clears.
    #[serde(default, deserialize_with = "crate::http::nullable")]
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 527_040)]
    pub capacity_minutes_year: Option<Option<i32>>,
    /// Most days a fiscal year; null clears.
    #[serde(default, deserialize_with = "crate::http::nullable")]
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 366)]
    pub capacity_days_year: Option<Option<i32>>,
    /// Whether the employer permits the work (兼業・副業の許可).
    pub employer_consent: Option<EmployerConsent>,
    /// Last day on which the permit counts, only with a permit that is given; null clears.
    #[serde(default, deserialize_with = "crate::http::nullable")]
    #[schema(value_type = Option<NaiveDate>)]
    pub employer_consent_until: Option<Option<NaiveDate>>,
}

/// Why a registration changes state.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "本人の申出による"}))]
pub struct ExpertStateBody {
    /// Kept in the audit trail.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub reason: String,
}

/// All skills of an expert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"skills": [{"skill_item_id": 3, "level": 4, "verified": true}]}))]
pub struct ReplaceExpertSkillsBody {
    /// The skills; what is not listed is removed.
    #[schema(max_items = 200)]
    pub skills: Vec<ExpertSkillBody>,
}

/// A skill to be held.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpertSkillBody {
    /// The item of a skill framework.
    pub skill_item_id: SkillItemId,
    /// Level on the framework's scale.
    #[schema(minimum = 1, maximum = 10)]
    pub level: i32,
    /// Whether the office has confirmed it.
    #[serde(default)]
    pub verified: bool,
}

/// The conflicts of an expert.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpertConflictList {
    /// The expert.
    pub expert_id: ExpertId,
    /// The bodies.
    #[schema(max_items = 500)]
    pub items: Vec<ExpertConflict>,
    /// Version of the expert, as in `ETag`.
    pub version: i64,
}

/// All conflicts of an expert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"items": [{"organisation_id": 12, "reason": "基幹系システムの受託者", "valid_from": "2026-04-01"}]}))]
pub struct ReplaceExpertConflictsBody {
    /// The bodies; what is not listed is removed.
    #[schema(max_items = 500)]
    pub items: Vec<ExpertConflict>,
}

/// A body that an expert must not serve or judge, or one of the two does not want to work with the other.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpertConflict {
    /// The body: employer, client, bidder.
    pub organisation_id: OrganisationId,
    /// Of which kind it is; a conflict of interest unless said otherwise.
    #[serde(default = "interest")]
    pub kind: ConflictKind,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day on which it no longer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub valid_to: Option<NaiveDate>,
}
