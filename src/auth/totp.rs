//! One-time codes by time (RFC 6238): six digits of HMAC-SHA-1 over the number of 30-second steps since 1970. Pure: no
//! database, the time is passed in. SHA-1 is what authenticators know; HMAC does not need it to resist collisions.

use aws_lc_rs::hmac;

use super::secrets;
use crate::clock::UtcTime;
use crate::error::Error;

/// Seconds for which a code is shown.
const STEP_SECONDS: i64 = 30;
/// Steps that clocks may differ either way.
const TOLERANCE: i64 = 1;
/// Bytes of a secret: what RFC 4226 recommends.
const SECRET_BYTES: usize = 20;
/// Letters of base 32 (RFC 4648).
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new secret.
pub fn generate() -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0_u8; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}

/// The step of an instant.
pub fn step_of(now: UtcTime) -> i64 {
    now.instant().timestamp().div_euclid(STEP_SECONDS)
}

/// The code of a step.
pub fn code(secret: &[u8], step: i64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or_default() & 0x0f);
    let four: [u8; 4] = bytes.get(offset..offset + 4).and_then(|four| four.try_into().ok()).unwrap_or_default();
    (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000
}

/// The step whose code was typed, if it is one of those that count now and later than the last one used: each code counts
/// once (RFC 6238, 5.2). Spaces and full-width digits do not matter.
pub fn matching_step(secret: &[u8], typed: &str, now: UtcTime, last_used: i64) -> Option<i64> {
    let digits: String = typed
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| if ('０'..='９').contains(&c) { char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c) } else { c })
        .collect();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let here = step_of(now);
    (here - TOLERANCE..=here + TOLERANCE)
        .filter(|step| *step > last_used)
        .find(|step| secrets::same(&format!("{:06}", code(secret, *step)), &digits))
}

/// Bytes in base 32 without padding, as people type a secret into an authenticator.
pub fn base32(bytes: &[u8]) -> String {
    let (mut out, mut buffer, mut bits) = (String::new(), 0_u32, 0);
    let letter = |value: u32| char::from(ALPHABET.get((value & 31) as usize).copied().unwrap_or(b'A'));
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(letter(buffer >> bits));
        }
    }
    if bits > 0 {
        out.push(letter(buffer << (5 - bits)));
    }
    out
}

/// The address that an authenticator reads from a QR code.
pub fn address(secret: &[u8], issuer: &str, account: &str) -> String {
    let plain = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    format!("otpauth://totp/{0}:{1}?secret={2}&issuer={0}", plain(issuer), plain(account), base32(secret))
}

/// A new recovery code: 80 random bits in four groups.
pub fn recovery_code() -> Result<String, Error> {
    let mut bytes = [0_u8; 10];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    let text = base32(&bytes).to_ascii_lowercase();
    let groups: Vec<&str> = (0..4).filter_map(|n| text.get(n * 4..n * 4 + 4)).collect();
    Ok(groups.join("-"))
}

/// A recovery code as it is hashed: case, hyphens and spaces do not matter.
pub fn plain_recovery_code(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> UtcTime {
        UtcTime::new(DateTime::from_timestamp(seconds, 0).unwrap())
    }

    #[test]
    fn gives_the_codes_of_the_standard() {
        // RFC 6238, appendix B, SHA-1; six of its eight digits.
        for (seconds, expected) in
            [(59, 287_082), (1_111_111_109, 81_804), (1_111_111_111, 50_471), (1_234_567_890, 5_924), (20_000_000_000, 353_130)]
        {
            assert_eq!(code(SECRET, step_of(at(seconds))), expected);
        }
        // RFC 4648, section 10.
        assert_eq!((base32(b"foobar"), base32(b"fo")), ("MZXW6YTBOI".to_owned(), "MZXQ".to_owned()));
    }

    #[test]
    fn a_code_counts_once_and_near_its_time() {
        let now = at(1_111_111_111);
        let step = matching_step(SECRET, "０５０ 471", now, 0).unwrap();
        assert_eq!(step, step_of(now));
        assert_eq!(matching_step(SECRET, "050471", now, step), None, "used before");
        assert!(matching_step(SECRET, "050471", at(1_111_111_111 + 30), 0).is_some());
        assert_eq!(matching_step(SECRET, "050471", at(1_111_111_111 + 90), 0), None);
        for wrong in ["", "50471", "0504711", "abcdef", "050472"] {
            assert_eq!(matching_step(SECRET, wrong, now, 0), None);
        }
    }

    #[test]
    fn recovery_codes_are_long_and_read_leniently() {
        let code = recovery_code().unwrap();
        assert_eq!(code.len(), 19);
        assert_eq!(plain_recovery_code(&code.to_uppercase()), code.replace('-', ""));
        assert_ne!(code, recovery_code().unwrap());
    }
}
