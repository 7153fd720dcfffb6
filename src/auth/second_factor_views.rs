//! What the operations of the second factor take and answer.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where the own second factor stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecondFactorView {
    /// Whether signing in asks for a code.
    pub set_up: bool,
    /// Whether a secret was made whose first code has not been confirmed yet.
    pub started: bool,
    /// Whether the organisation acted for demands it of its people.
    pub demanded: bool,
    /// Recovery codes that were not used yet.
    #[schema(minimum = 0, maximum = 10)]
    pub recovery_codes_left: i64,
}

/// The own password once more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"password": "よく眠る猫は三匹いる、庭の縁側"}))]
pub struct SecondFactorPasswordBody {
    /// The own password.
    #[schema(value_type = String, max_length = 256)]
    pub password: SecretString,
}

/// A code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "287082"}))]
pub struct SecondFactorCodeBody {
    /// Six digits of the authenticator (or, where the factor is set up, a recovery code).
    #[schema(min_length = 6, max_length = 40)]
    pub code: String,
}

/// What an authenticator is given; shown once.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecondFactorSecretView {
    /// The secret in base 32, to be typed.
    #[schema(max_length = 100)]
    pub secret: String,
    /// The address for a QR code (`otpauth://`).
    #[schema(max_length = 1000)]
    pub address: String,
}

/// Codes that each sign in once when the authenticator is lost; shown once.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecoveryCodesView {
    /// The codes.
    #[schema(max_items = 10, max_length = 40)]
    pub codes: Vec<String>,
}
