//! What the API sends and takes for people and memberships.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{Language, UserStatus};
use super::people::{HeldMembership, Person};
use crate::auth::policy::Role;
use crate::clock::UtcTime;
use crate::ids::{MembershipId, OrganisationId, UserId};

/// A person's role in an organisation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MembershipView {
    /// Id.
    pub id: MembershipId,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// Its name.
    #[schema(max_length = 200, example = "浜松市")]
    pub organisation_name: String,
    /// The role.
    pub role: Role,
    /// First day (from 00:00 in Japan).
    pub valid_from: NaiveDate,
    /// First day on which it no longer counts (from 00:00 in Japan).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
}

impl From<HeldMembership> for MembershipView {
    fn from(row: HeldMembership) -> Self {
        Self {
            id: row.id,
            organisation_id: row.organisation_id,
            organisation_name: row.organisation_name,
            role: row.role,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
        }
    }
}

/// A person who signs in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserView {
    /// Id.
    pub id: UserId,
    /// Mail address, also the name for sign-in.
    #[schema(max_length = 254, example = "suzuki@city.hamamatsu.example.jp")]
    pub email: String,
    /// Name.
    #[schema(max_length = 200, example = "鈴木 花子")]
    pub name: String,
    /// Reading.
    #[schema(max_length = 200, example = "すずき はなこ")]
    pub kana: String,
    /// Language of mails.
    pub locale: Language,
    /// How far the account is.
    pub status: UserStatus,
    /// Memberships within the asking party's reach, past and future ones included.
    #[schema(max_items = 1000)]
    pub memberships: Vec<MembershipView>,
    /// Version, as in `ETag`.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

impl From<Person> for UserView {
    fn from(person: Person) -> Self {
        let Person { user, memberships } = person;
        Self {
            id: user.id,
            email: user.email,
            name: user.name,
            kana: user.kana,
            locale: user.locale,
            status: user.status,
            memberships: memberships.into_iter().map(Into::into).collect(),
            version: user.version,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// A page of people.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserPage {
    /// The people.
    #[schema(max_items = 200)]
    pub items: Vec<UserView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// A membership to give.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"organisation_id": 12, "role": "municipal_staff", "valid_from": "2026-04-01"}))]
pub struct NewMembershipBody {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The role.
    pub role: Role,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day on which it no longer counts; absent: without end.
    pub valid_to: Option<NaiveDate>,
}

/// A person to invite. The mail carries a link under which the person chooses a password within 7 days.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "suzuki@city.hamamatsu.example.jp", "name": "鈴木 花子", "kana": "すずき はなこ",
    "memberships": [{"organisation_id": 12, "role": "municipal_staff", "valid_from": "2026-04-01"}]}))]
pub struct InviteUserBody {
    /// Mail address; nobody else may have it.
    #[schema(min_length = 3, max_length = 254)]
    pub email: String,
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Reading.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub kana: String,
    /// Language of mails; Japanese when absent.
    pub locale: Option<Language>,
    /// At least one membership.
    #[schema(min_items = 1, max_items = 20)]
    pub memberships: Vec<NewMembershipBody>,
}

/// Changes to a person; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "鈴木 花子", "kana": "すずき はなこ"}))]
pub struct UpdateUserBody {
    /// Mail address. Links mailed to the address before stop working.
    #[schema(min_length = 3, max_length = 254)]
    pub email: Option<String>,
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Reading.
    #[schema(max_length = 200)]
    pub kana: Option<String>,
    /// Language of mails.
    pub locale: Option<Language>,
}

/// The end of a membership.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"valid_to": "2027-04-01"}))]
pub struct EndMembershipBody {
    /// First day on which it no longer counts; null: without end.
    pub valid_to: Option<NaiveDate>,
}
