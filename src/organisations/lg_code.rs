//! The nationwide code of a local public body (全国地方公共団体コード).
//!
//! Six digits: two for the prefecture, three for the body, one check digit. The code is text:
//! nine prefectures begin with a zero, which spreadsheets like to drop. This file owns the check
//! digit, the repair of dropped zeros and the distinction between bodies and mere wards; which
//! code belongs to whom on which day is not its concern.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization;

/// Weights of the first five digits in the check sum, as the ministry's code table defines them.
const WEIGHTS: [u32; 5] = [6, 5, 4, 3, 2];

/// First five digits of the twenty designated cities (政令指定都市).
///
/// Needed because their wards share the block 100–199 with the cities themselves and no digit
/// tells one from the other (浜松市天竜区 is 22140). A newly designated city must be added here.
const DESIGNATED_CITIES: [&[u8; 5]; 20] = [
    b"01100", b"04100", b"11100", b"12100", b"14100", b"14130", b"14150", b"15100", b"22100", b"22130", b"23100", b"26100",
    b"27100", b"27140", b"28100", b"33100", b"34100", b"40100", b"40130", b"43100",
];

/// A verified six-digit code of a local public body, leading zeros kept.
///
/// Values exist only with a prefecture from 01 to 47 and a right check digit. Whether a body of
/// that code exists is another question.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LgCode([u8; 6]);

/// Why a text is no code of a local public body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LgCodeProblem {
    /// Not six digits long (five for [`LgCode::from_five`], five or six for [`LgCode::repair`]).
    Length,
    /// Something other than the digits 0–9.
    NotDigits,
    /// The first two digits are no prefecture (01–47).
    UnknownPrefecture,
    /// The last digit does not follow from the first five: a mistyped code.
    CheckDigit {
        /// The digit the first five call for.
        expected: u8,
    },
}

impl LgCodeProblem {
    /// The stable machine code of the problem.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Length => "lg_code_length",
            Self::NotDigits => "lg_code_not_digits",
            Self::UnknownPrefecture => "lg_code_unknown_prefecture",
            Self::CheckDigit { .. } => "lg_code_check_digit",
        }
    }

    /// The sentence shown to people, in Japanese.
    #[must_use]
    pub fn message_ja(self) -> String {
        match self {
            Self::Length => "団体コードは6桁の数字です。".into(),
            Self::NotDigits => "団体コードに数字以外の文字があります。".into(),
            Self::UnknownPrefecture => "団体コードの先頭2桁が都道府県コード（01～47）ではありません。".into(),
            Self::CheckDigit { expected } => {
                format!("団体コードの検査数字が違います（正しくは{expected}）。")
            }
        }
    }

    /// The sentence shown to people, in English.
    #[must_use]
    pub fn message_en(self) -> String {
        match self {
            Self::Length => "A local government code has six digits.".into(),
            Self::NotDigits => "A local government code holds digits only.".into(),
            Self::UnknownPrefecture => "The first two digits of the code are no prefecture (01–47).".into(),
            Self::CheckDigit { expected } => {
                format!("The check digit of the code is wrong (it should be {expected}).")
            }
        }
    }
}

impl fmt::Display for LgCodeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message_en())
    }
}

impl std::error::Error for LgCodeProblem {}

/// The ASCII check digit of five ASCII digits: the last digit of 11 − (weighted sum mod 11).
fn check_digit(five: [u8; 5]) -> u8 {
    let sum: u32 = five.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit.saturating_sub(b'0')) * weight).sum();
    let digit = (11 - sum % 11) % 10;
    b'0' + u8::try_from(digit).unwrap_or(0)
}

impl LgCode {
    /// Completes a five-digit code (prefecture and body) with its check digit.
    ///
    /// # Errors
    /// [`LgCodeProblem`] when the text is not five digits or names no prefecture.
    pub fn from_five(five: &str) -> Result<Self, LgCodeProblem> {
        let digits: [u8; 5] = digits(five)?;
        let [a, b, c, d, e] = digits;
        Self([a, b, c, d, e, check_digit(digits)]).in_a_prefecture()
    }

    /// Reads a code as it comes out of a spreadsheet: blanks around it, full-width digits, and a
    /// dropped leading zero (`10006` for 北海道 010006).
    ///
    /// Five digits are always read as a six-digit code that lost its zero, never as a code
    /// without check digit; the check digit then decides, so a wrong guess is refused.
    ///
    /// # Errors
    /// [`LgCodeProblem`] when the repaired text is no valid code.
    pub fn repair(text: &str) -> Result<Self, LgCodeProblem> {
        // NFKC can lengthen text; a code is short, so whatever is long is no code.
        if text.len() > 64 {
            return Err(LgCodeProblem::Length);
        }
        let plain: String = text.trim().nfkc().collect();
        if plain.chars().count() == 5 { format!("0{plain}").parse() } else { plain.parse() }
    }

    fn in_a_prefecture(self) -> Result<Self, LgCodeProblem> {
        match self.prefecture_number() {
            1..=47 => Ok(self),
            _ => Err(LgCodeProblem::UnknownPrefecture),
        }
    }

    /// The number of the prefecture, 1 (北海道) to 47 (沖縄県), as in JIS X 0401.
    #[must_use]
    pub fn prefecture_number(self) -> u8 {
        let [tens, units, ..] = self.0;
        (tens - b'0') * 10 + (units - b'0')
    }

    /// The code of the prefecture this body lies in; of a prefecture, the code itself.
    #[must_use]
    pub fn prefecture(self) -> Self {
        let [a, b, ..] = self.0;
        let five = [a, b, b'0', b'0', b'0'];
        Self([a, b, b'0', b'0', b'0', check_digit(five)])
    }

    /// Whether this is the code of a prefecture.
    #[must_use]
    pub fn is_prefecture(self) -> bool {
        self == self.prefecture()
    }

    /// Whether this is the code of a ward of a designated city (行政区, such as 札幌市中央区).
    ///
    /// Those have codes but are not bodies: they apply for nothing and pay nothing. The special
    /// wards of Tokyo (特別区, 131016 and following) are bodies and are not meant here.
    #[must_use]
    pub fn is_ward_of_designated_city(self) -> bool {
        let [a, b, block, d, e, _] = self.0;
        let tokyo = self.prefecture_number() == 13;
        block == b'1' && !tokyo && !DESIGNATED_CITIES.contains(&&[a, b, block, d, e])
    }

    /// The six digits as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Digits by construction; the fallback only avoids a panic path.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn digits<const N: usize>(text: &str) -> Result<[u8; N], LgCodeProblem> {
    if text.chars().count() != N {
        return Err(LgCodeProblem::Length);
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(LgCodeProblem::NotDigits);
    }
    text.as_bytes().try_into().map_err(|_| LgCodeProblem::Length)
}

impl FromStr for LgCode {
    type Err = LgCodeProblem;

    /// Reads exactly six ASCII digits and verifies the check digit.
    fn from_str(text: &str) -> Result<Self, LgCodeProblem> {
        let all: [u8; 6] = digits(text)?;
        let [a, b, c, d, e, last] = all;
        let code = Self(all).in_a_prefecture()?;
        let expected = check_digit([a, b, c, d, e]);
        if last == expected { Ok(code) } else { Err(LgCodeProblem::CheckDigit { expected: expected - b'0' }) }
    }
}

impl fmt::Display for LgCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for LgCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LgCode({})", self.as_str())
    }
}

impl Serialize for LgCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for LgCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> LgCode {
        text.parse().unwrap()
    }

    #[test]
    fn the_check_digit_follows_the_first_five() {
        for (five, six) in [
            ("01100", "011002"), // 札幌市, sum below 11
            ("23211", "232114"), // 豊田市
            ("28100", "281000"), // 神戸市, remainder 1
            ("11000", "110001"), // 埼玉県, remainder 0
            ("22344", "223441"), // 小山町, remainder 10
        ] {
            assert_eq!(LgCode::from_five(five).unwrap().to_string(), six);
            assert_eq!(code(six).as_str(), six);
        }
    }

    #[test]
    fn wrong_codes_say_what_is_wrong() {
        let problem = |text: &str| text.parse::<LgCode>().unwrap_err();
        assert_eq!(problem("232115"), LgCodeProblem::CheckDigit { expected: 4 });
        assert_eq!(problem("23211"), LgCodeProblem::Length);
        assert_eq!(problem(""), LgCodeProblem::Length);
        assert_eq!(problem("23211a"), LgCodeProblem::NotDigits);
        assert_eq!(problem("２３２１１４"), LgCodeProblem::NotDigits);
        assert_eq!(problem("000000"), LgCodeProblem::UnknownPrefecture);
        assert_eq!(problem("480002"), LgCodeProblem::UnknownPrefecture);
        assert_eq!(LgCode::from_five("232114"), Err(LgCodeProblem::Length));
    }

    #[test]
    fn dropped_zeros_come_back_and_are_verified() {
        assert_eq!(LgCode::repair("10006").unwrap().as_str(), "010006");
        assert_eq!(LgCode::repair(" ０１０００６ ").unwrap().as_str(), "010006");
        assert_eq!(LgCode::repair("232114").unwrap().as_str(), "232114");
        assert_eq!(LgCode::repair("10007"), Err(LgCodeProblem::CheckDigit { expected: 6 }));
        // 豊田市 without check digit is not silently taken for a code of prefecture 02.
        assert!(LgCode::repair("23211").is_err());
        assert_eq!(LgCode::repair("1100"), Err(LgCodeProblem::Length));
        assert_eq!(LgCode::repair(&"1".repeat(1000)), Err(LgCodeProblem::Length));
    }

    #[test]
    fn wards_of_designated_cities_are_told_from_bodies() {
        for ward in ["01101", "14131", "22140", "27141", "40101", "43105"] {
            assert!(LgCode::from_five(ward).unwrap().is_ward_of_designated_city(), "{ward}");
        }
        for body in ["01100", "27140", "13101", "13123", "38201", "38000", "01202"] {
            assert!(!LgCode::from_five(body).unwrap().is_ward_of_designated_city(), "{body}");
        }
    }

    #[test]
    fn every_body_knows_its_prefecture() {
        assert_eq!(code("232114").prefecture(), code("230006"));
        assert_eq!(code("011002").prefecture(), code("010006"));
        assert!(code("010006").is_prefecture());
        assert!(!code("011002").is_prefecture());
        assert_eq!(code("470007").prefecture_number(), 47);
    }
}
