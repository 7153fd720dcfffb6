//! Keeping signing secrets in the database so that a copy of the database signs nothing: AES-256-GCM under a key that
//! only the configuration holds, bound to the endpoint it belongs to.
//!
//! Secrets cannot be hashed as passwords are, because each attempt signs with them.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret as _, SecretString};

use super::sign::Secret;

/// Which form a sealed secret has; leaves room for another.
const FORM: &str = "a1.";
/// Bytes of the key.
const KEY_BYTES: usize = 32;

/// Why a vault cannot do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultProblem {
    /// The key is not 32 bytes in base64 (`openssl rand -base64 32`).
    Key,
    /// Sealing failed: no random bytes.
    Seal,
    /// No key opens it: another key sealed it, it belongs to another endpoint, or it was changed.
    Open,
}

impl fmt::Display for VaultProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "the key must be 32 bytes in base64, as `openssl rand -base64 32` writes them",
            Self::Seal => "the secret could not be sealed",
            Self::Open => "no key opens this secret",
        })
    }
}

impl std::error::Error for VaultProblem {}

/// The key that seals, and the one before it while keys are exchanged.
pub struct Vault {
    keys: Vec<RandomizedNonceKey>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("keys", &self.keys.len()).finish()
    }
}

impl Vault {
    /// `key` seals and opens; `previous` only opens and may be empty.
    ///
    /// # Errors
    /// [`VaultProblem::Key`].
    pub fn new(key: &SecretString, previous: &SecretString) -> Result<Self, VaultProblem> {
        let mut keys = vec![read_key(key)?];
        if !previous.expose_secret().is_empty() {
            keys.push(read_key(previous)?);
        }
        Ok(Self { keys })
    }

    /// Seals a secret of the endpoint.
    ///
    /// # Errors
    /// [`VaultProblem::Seal`].
    pub fn seal(&self, endpoint: i64, secret: &Secret) -> Result<String, VaultProblem> {
        let key = self.keys.first().ok_or(VaultProblem::Seal)?;
        let mut bytes = secret.bytes().to_vec();
        let nonce = key.seal_in_place_append_tag(bound_to(endpoint), &mut bytes).map_err(|_| VaultProblem::Seal)?;
        let sealed = [nonce.as_ref().as_slice(), &bytes].concat();
        Ok(format!("{FORM}{}", BASE64.encode(sealed)))
    }

    /// Opens a secret of the endpoint.
    ///
    /// # Errors
    /// [`VaultProblem::Open`].
    pub fn open(&self, endpoint: i64, sealed: &str) -> Result<Secret, VaultProblem> {
        let text = sealed.strip_prefix(FORM).ok_or(VaultProblem::Open)?;
        let sealed = BASE64.decode(text).map_err(|_| VaultProblem::Open)?;
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(VaultProblem::Open)?;
        self.keys
            .iter()
            .find_map(|key| {
                let mut bytes = body.to_vec();
                let nonce = Nonce::assume_unique_for_key(*nonce);
                let opened = key.open_in_place(nonce, bound_to(endpoint), &mut bytes).ok()?;
                Secret::from_bytes(opened.to_vec()).ok()
            })
            .ok_or(VaultProblem::Open)
    }
}

/// A row copied to another endpoint does not open there.
fn bound_to(endpoint: i64) -> Aad<[u8; 8]> {
    Aad::from(endpoint.to_be_bytes())
}

fn read_key(text: &SecretString) -> Result<RandomizedNonceKey, VaultProblem> {
    let bytes = BASE64.decode(text.expose_secret().trim()).map_err(|_| VaultProblem::Key)?;
    if bytes.len() != KEY_BYTES {
        return Err(VaultProblem::Key);
    }
    RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| VaultProblem::Key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretString {
        SecretString::from(BASE64.encode([byte; KEY_BYTES]))
    }

    fn none() -> SecretString {
        SecretString::from("")
    }

    #[test]
    fn what_is_sealed_opens_for_its_endpoint_only() {
        let vault = Vault::new(&key(1), &none()).unwrap();
        let secret = Secret::generate().unwrap();
        let sealed = vault.seal(7, &secret).unwrap();
        assert_ne!(sealed, vault.seal(7, &secret).unwrap(), "no two sealings are alike");
        assert!(!sealed.contains(&BASE64.encode(secret.bytes())));
        assert_eq!(vault.open(7, &sealed).unwrap().bytes(), secret.bytes());
        assert_eq!(vault.open(8, &sealed).map(drop), Err(VaultProblem::Open));
    }

    #[test]
    fn keys_can_be_exchanged() {
        let secret = Secret::generate().unwrap();
        let sealed = Vault::new(&key(1), &none()).unwrap().seal(7, &secret).unwrap();
        let exchanged = Vault::new(&key(2), &key(1)).unwrap();
        assert_eq!(exchanged.open(7, &sealed).unwrap().bytes(), secret.bytes());
        let again = exchanged.seal(7, &secret).unwrap();
        let later = Vault::new(&key(2), &none()).unwrap();
        assert_eq!(later.open(7, &again).unwrap().bytes(), secret.bytes());
        assert_eq!(later.open(7, &sealed).map(drop), Err(VaultProblem::Open));
    }

    #[test]
    fn what_was_changed_or_is_no_key_is_refused() {
        let vault = Vault::new(&key(1), &none()).unwrap();
        let sealed = vault.seal(7, &Secret::generate().unwrap()).unwrap();
        for text in ["", "a1.", "a1.AAAA", "whsec_AAAA", &sealed[..sealed.len() - 8], &sealed.replacen("a1.", "a1.AAAA", 1)] {
            assert_eq!(vault.open(7, text).map(drop), Err(VaultProblem::Open), "{text:?}");
        }
        for text in ["", "short", &BASE64.encode([1_u8; 31])] {
            assert_eq!(Vault::new(&SecretString::from(text), &none()).map(drop).unwrap_err(), VaultProblem::Key);
        }
        assert_eq!(format!("{vault:?}"), "Vault { keys: 1 }");
    }
}
