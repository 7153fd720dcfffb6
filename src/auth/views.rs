//! What the API sends and takes for sign-in and the own account.

use chrono::NaiveDate;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::policy::Role;
use super::sessions::{MembershipRow, SessionRow};
use crate::clock::UtcTime;
use crate::ids::{ApiClientId, ExpertId, MembershipId, OrganisationId, SessionId, UserId};
use crate::organisations::model::{Language, OrganisationKind};

/// Sign-in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "suzuki@city.hamamatsu.example.jp", "password": "よく眠る猫は三匹いる、庭の縁側"}))]
pub struct CreateTokenBody {
    /// Mail address.
    #[schema(max_length = 254)]
    pub email: String,
    /// Password.
    #[schema(value_type = String, max_length = 256)]
    pub password: SecretString,
    /// Where the person has set up a second factor: six digits of the authenticator, or a recovery code.
    #[schema(max_length = 40)]
    pub code: Option<String>,
    /// The membership to act in; the oldest one that counts today when absent.
    pub membership_id: Option<MembershipId>,
}

/// Renewal of a session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"refresh_token": "b2xkLXJlZnJlc2gtdG9rZW4tb2YtNDMtY2hhcmFjdGVycw"}))]
pub struct RefreshTokenBody {
    /// The refresh token received last. It works once; using it twice ends the session.
    #[schema(value_type = String, max_length = 256)]
    pub refresh_token: SecretString,
}

/// The tokens of a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    /// For `Authorization: Bearer …`.
    #[schema(max_length = 4096)]
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(max_length = 10, example = "Bearer")]
    pub token_type: String,
    /// Seconds for which the access token works.
    #[schema(minimum = 60, maximum = 900, example = 900)]
    pub expires_in: i64,
    /// For `POST /auth/refresh`, once.
    #[schema(max_length = 256)]
    pub refresh_token: String,
    /// Until when the session can be renewed.
    pub session_expires_at: UtcTime,
    /// The session.
    pub session_id: SessionId,
    /// The organisation acted for.
    pub organisation_id: OrganisationId,
    /// The role in it.
    pub role: Role,
}

/// Another membership to act in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchMembershipBody {
    /// One of the own memberships that count today.
    pub membership_id: MembershipId,
}

/// One of the own memberships.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnMembershipView {
    /// Id.
    pub id: MembershipId,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// Its name.
    #[schema(max_length = 200, example = "浜松市")]
    pub organisation_name: String,
    /// The role.
    pub role: Role,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day on which it no longer counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
    /// Whether it is the one acted in.
    pub is_active: bool,
}

impl OwnMembershipView {
    /// The view; `active` is the membership acted in.
    pub fn new(row: MembershipRow, active: Option<MembershipId>) -> Self {
        Self {
            is_active: Some(row.id) == active,
            id: row.id,
            organisation_id: row.organisation_id,
            organisation_name: row.organisation_name,
            role: row.role,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
        }
    }
}

/// Who is asking and what they may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeView {
    /// The person; absent for API clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The API client; absent for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_client_id: Option<ApiClientId>,
    /// Name of the person or client.
    #[schema(max_length = 200, example = "鈴木 花子")]
    pub name: String,
    /// The person's mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254)]
    pub email: Option<String>,
    /// The person's language of mails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<Language>,
    /// The organisation acted for.
    pub organisation_id: OrganisationId,
    /// Its name.
    #[schema(max_length = 200, example = "浜松市")]
    pub organisation_name: String,
    /// Its kind.
    pub organisation_kind: OrganisationKind,
    /// The prefecture it lies in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefecture_id: Option<OrganisationId>,
    /// The role; `api_client` for API clients.
    pub role: Role,
    /// The role whose rights count.
    pub acts_as: Role,
    /// The membership acted in; absent for API clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership_id: Option<MembershipId>,
    /// The session; absent for API clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// All memberships that count today.
    #[schema(max_items = 1000)]
    pub memberships: Vec<OwnMembershipView>,
    /// For experts: the own registrations.
    #[schema(max_items = 1000)]
    pub expert_ids: Vec<ExpertId>,
    /// What may be done, as named by `x-permission` in this document.
    #[schema(max_items = 200, example = json!(["read_requests", "file_requests"]))]
    pub permissions: Vec<String>,
}

/// An open session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// Id.
    pub id: SessionId,
    /// `token` (API) or `web` (pages).
    #[schema(max_length = 10, example = "token")]
    pub kind: String,
    /// What the client called itself.
    #[schema(max_length = 200, example = "Mozilla/5.0")]
    pub user_agent: String,
    /// Opened.
    pub created_at: UtcTime,
    /// Last renewed.
    pub last_used_at: UtcTime,
    /// Until when it can be renewed.
    pub expires_at: UtcTime,
    /// Whether this request came in it.
    pub is_current: bool,
}

impl SessionView {
    /// The view; `current` is the session of the request.
    pub fn new(row: SessionRow, current: Option<SessionId>) -> Self {
        Self {
            is_current: Some(row.id) == current,
            id: row.id,
            kind: row.kind,
            user_agent: row.user_agent,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
        }
    }
}

/// The own open sessions.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionList {
    /// Newest first.
    #[schema(max_items = 200)]
    pub items: Vec<SessionView>,
}

/// How many sessions ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedSessionsView {
    /// Number of sessions.
    #[schema(minimum = 0, example = 1)]
    pub ended_sessions: i64,
}

/// Whose password is forgotten.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "suzuki@city.hamamatsu.example.jp"}))]
pub struct RequestPasswordResetBody {
    /// Mail address.
    #[schema(min_length = 3, max_length = 254)]
    pub email: String,
}

/// A new password with the token of the mailed link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "dG9rZW4tZnJvbS10aGUtbWFpbC1saW5rLTQzLWNoYXJz", "new_password": "よく眠る猫は三匹いる、庭の縁側"}))]
pub struct ResetPasswordBody {
    /// The `token` of the link; works once, for 60 minutes.
    #[schema(value_type = String, max_length = 256)]
    pub token: SecretString,
    /// At least 15 characters; no rules on their kinds.
    #[schema(value_type = String, min_length = 15, max_length = 256)]
    pub new_password: SecretString,
}

/// The first password with the token of the mailed invitation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "dG9rZW4tZnJvbS10aGUtbWFpbC1saW5rLTQzLWNoYXJz", "password": "よく眠る猫は三匹いる、庭の縁側"}))]
pub struct AcceptInvitationBody {
    /// The `token` of the link; works once, for 7 days.
    #[schema(value_type = String, max_length = 256)]
    pub token: SecretString,
    /// At least 15 characters; no rules on their kinds.
    #[schema(value_type = String, min_length = 15, max_length = 256)]
    pub password: SecretString,
}

/// A password was set; sign in with it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PasswordSetView {
    /// The address to sign in with.
    #[schema(max_length = 254, example = "suzuki@city.hamamatsu.example.jp")]
    pub email: String,
}

/// A new password for the own account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "いままで使った長い合い言葉です。", "new_password": "よく眠る猫は三匹いる、庭の縁側"}))]
pub struct ChangePasswordBody {
    /// The password now.
    #[schema(value_type = String, max_length = 256)]
    pub current_password: SecretString,
    /// At least 15 characters; no rules on their kinds.
    #[schema(value_type = String, min_length = 15, max_length = 256)]
    pub new_password: SecretString,
}
