//! Random secrets and their hashes: links, keys and tokens are stored only as SHA-256 of at least 160 random bits.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::error::Error;

/// Length of a secret in characters.
pub const LENGTH: usize = 48;

/// A new secret: 192 random bits as 48 hexadecimal digits. No character of it ends a double-click's selection, falls off
/// the end of a link in a mail, or separates the parts of a key.
pub fn generate() -> Result<String, Error> {
    let mut bytes = [0_u8; LENGTH / 2];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(hex(&bytes))
}

/// A short random name (not a secret): 12 hexadecimal digits.
pub fn short_name() -> Result<String, Error> {
    let mut bytes = [0_u8; 6];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(hex(&bytes))
}

/// SHA-256 as lower-case hexadecimal.
pub fn sha256(data: &[u8]) -> String {
    hex(&Sha256::digest(data))
}

/// Bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Compares without telling by its time how much was right.
pub fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}
