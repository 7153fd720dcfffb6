//! Signing a delivery after Standard Webhooks 1.0.0, section "Signature scheme": HMAC-SHA256 over
//! `id.timestamp.body`, one `v1,…` for each secret that is alive, so that a receiver can change its secret without a gap.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

/// What the specification puts before a symmetric secret.
const PREFIX: &str = "whsec_";
/// Bytes of a new secret; the specification wants 24 to 64.
const NEW_BYTES: usize = 32;
/// Fewest and most bytes of a secret.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Most characters of a message id; it travels in a header.
const ID_MAX: usize = 64;
/// Most secrets that sign one delivery: the new one and the one it replaces.
pub const MOST_SECRETS: usize = 2;

/// Why something cannot sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignProblem {
    /// The operating system gave no random bytes.
    NoRandomness,
    /// Not `whsec_` followed by base64 with padding.
    NotASecret,
    /// Fewer than 24 or more than 64 bytes.
    SecretLength,
    /// Not 1 to 64 characters of `A-Z a-z 0-9 _ -`; above all a full stop would let two messages share one signature.
    MessageId,
    /// No secret, or more than [`MOST_SECRETS`].
    SecretCount,
}

impl fmt::Display for SignProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRandomness => "the operating system gave no random bytes",
            Self::NotASecret => "a signing secret is whsec_ followed by base64",
            Self::SecretLength => "a signing secret has 24 to 64 bytes",
            Self::MessageId => "a message id has 1 to 64 letters, digits, underscores or hyphens",
            Self::SecretCount => "one or two secrets sign a delivery",
        })
    }
}

impl std::error::Error for SignProblem {}

/// A signing secret of one endpoint. Printing it shows nothing; its bytes are wiped when it is dropped.
#[derive(Debug, Clone)]
pub struct Secret(SecretSlice<u8>);

impl Secret {
    /// A new secret of 256 random bits.
    ///
    /// # Errors
    /// [`SignProblem::NoRandomness`].
    pub fn generate() -> Result<Self, SignProblem> {
        let mut bytes = vec![0_u8; NEW_BYTES];
        getrandom::fill(&mut bytes).map_err(|_| SignProblem::NoRandomness)?;
        Ok(Self(SecretSlice::from(bytes)))
    }

    /// Takes the bytes that a vault gave back.
    ///
    /// # Errors
    /// [`SignProblem::SecretLength`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SignProblem> {
        let secret = SecretSlice::from(bytes);
        if BYTES.contains(&secret.expose_secret().len()) { Ok(Self(secret)) } else { Err(SignProblem::SecretLength) }
    }

    /// Reads the form that people and receivers see.
    ///
    /// # Errors
    /// [`SignProblem::NotASecret`], [`SignProblem::SecretLength`].
    pub fn parse(text: &SecretString) -> Result<Self, SignProblem> {
        let base64 = text.expose_secret().strip_prefix(PREFIX).ok_or(SignProblem::NotASecret)?;
        Self::from_bytes(BASE64.decode(base64).map_err(|_| SignProblem::NotASecret)?)
    }

    /// `whsec_…`, for the one answer that shows it.
    pub fn reveal(&self) -> SecretString {
        SecretString::from(format!("{PREFIX}{}", BASE64.encode(self.bytes())))
    }

    /// The raw key, for the vault.
    pub fn bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

/// What identifies a message to its receiver: the same for every attempt and every replay, so that a receiver can drop
/// what it already has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// A new id: `msg_` and 128 random bits in hexadecimal.
    ///
    /// # Errors
    /// [`SignProblem::NoRandomness`].
    pub fn generate() -> Result<Self, SignProblem> {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes).map_err(|_| SignProblem::NoRandomness)?;
        Ok(Self(format!("msg_{:032x}", u128::from_be_bytes(bytes))))
    }

    /// Reads an id that was kept.
    ///
    /// # Errors
    /// [`SignProblem::MessageId`].
    pub fn parse(text: &str) -> Result<Self, SignProblem> {
        let fits = (1..=ID_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(SignProblem::MessageId)
        }
    }

    /// The id as it travels.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The headers of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHeaders {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`: seconds since 1970 of this attempt, not of the event; receivers refuse what is older than
    /// about five minutes.
    pub timestamp: String,
    /// `webhook-signature`: `v1,…`, separated by spaces, newest secret first.
    pub signature: String,
}

impl SignedHeaders {
    /// Name and value of each header.
    pub fn pairs(&self) -> [(&'static str, &str); 3] {
        [("webhook-id", &self.id), ("webhook-timestamp", &self.timestamp), ("webhook-signature", &self.signature)]
    }
}

/// Signs one attempt with every secret that is alive, newest first. `body` must be the very bytes that are sent.
///
/// # Errors
/// [`SignProblem::SecretCount`].
pub fn sign(id: &MessageId, unix_seconds: i64, body: &[u8], secrets: &[Secret]) -> Result<SignedHeaders, SignProblem> {
    if !(1..=MOST_SECRETS).contains(&secrets.len()) {
        return Err(SignProblem::SecretCount);
    }
    let timestamp = unix_seconds.to_string();
    let signatures: Vec<String> = secrets.iter().map(|secret| signature(id, &timestamp, body, secret)).collect();
    Ok(SignedHeaders { id: id.0.clone(), timestamp, signature: signatures.join(" ") })
}

fn signature(id: &MessageId, timestamp: &str, body: &[u8], secret: &Secret) -> String {
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.bytes()));
    for part in [id.0.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    format!("v1,{}", BASE64.encode(mac.sign()))
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
