//! Passwords: argon2id with OWASP's minimum (19 MiB, 2 passes), at least 15 characters, no composition rules (ASVS 6.2).

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};

use crate::error::{Error, Words};

/// Fewest characters of a password that is the only factor.
pub const SHORTEST: usize = 15;
/// Most characters accepted.
pub const LONGEST: usize = 256;

/// What is wrong with a new password, if anything.
pub fn problem(password: &str, context: &[&str]) -> Option<(&'static str, Words)> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Some(("too_short", Words::new("15文字以上にしてください", "Use at least 15 characters")));
    }
    if length > LONGEST {
        return Some(("too_long", Words::new("256文字以内にしてください", "Use at most 256 characters")));
    }
    let folded = password.to_lowercase();
    let common = ["password", "passw0rd", "123456", "qwerty", "tasuki", "たすき", "あああああ", "aaaaa"];
    let mut rest = folded.clone();
    for word in common.iter().copied().chain(context.iter().copied()).filter(|word| !word.is_empty()) {
        rest = rest.replace(&word.to_lowercase(), "");
    }
    if rest.chars().count() < 8 {
        return Some(("too_common", Words::new("推測されやすい語のくり返しは使えません", "Too easy to guess")));
    }
    None
}

/// The PHC string to store. Costs about 20 ms and 19 MiB: call off the event loop.
pub fn hash(password: &str) -> Result<String, Error> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(Error::internal)
}

/// Whether a password is right. With no stored hash the same work is done, so that time does not tell who exists.
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$1nWz1VSRyH4xU+Fnm2B2iH3Nlw3hVqnsW0u/X8xV5dM";
    let Ok(parsed) = PasswordHash::new(stored.unwrap_or(NOBODY)) else { return false };
    let right = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    right && stored.is_some()
}
