//! Notations of the dispatch ledger: fiscal years as offices write them, and the key by which a visit is known again.

use chrono::NaiveDate;
use unicode_normalization::UnicodeNormalization as _;

use crate::auth::secrets;
use crate::ids::{OrganisationId, ProgrammeId};
use crate::text;

/// The starting year of a fiscal year as written: `2024`, `2024年度`, `R6`, `令和6年度`, `令和元年度`, `H31`, `平成31年度`.
/// The year that began in April 2019 goes by 平成31年度 and 令和元年度 alike.
pub fn fiscal_year(typed: &str) -> Option<i32> {
    let folded: String = typed.nfkc().filter(|c| !c.is_whitespace()).collect();
    let plain = folded.strip_suffix("年度").or_else(|| folded.strip_suffix('年')).unwrap_or(&folded);
    for (name, letter, before) in [("令和", 'R', 2018), ("平成", 'H', 1988), ("昭和", 'S', 1925)] {
        let rest = plain.strip_prefix(name).or_else(|| plain.strip_prefix([letter, letter.to_ascii_lowercase()]));
        if let Some(rest) = rest {
            let year = if rest == "元" { 1 } else { digits(rest, 2)? };
            return (year > 0).then_some(before + year);
        }
    }
    (plain.len() == 4).then(|| digits(plain, 4)).flatten()
}

fn digits(text: &str, most: usize) -> Option<i32> {
    (text.len() <= most && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// What makes a ledger row the same visit as another: programme, day, expert, participants and the office's own number.
/// Minutes, mode and state are left out, so that a corrected row is not taken for a second visit.
pub fn ledger_key(programme: ProgrammeId, day: NaiveDate, expert: &str, participants: &[OrganisationId], number: &str) -> String {
    let mut ids: Vec<i64> = participants.iter().map(|id| id.0).collect();
    ids.sort_unstable();
    let ids = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    secrets::sha256(format!("{programme}\n{day}\n{}\n{ids}\n{}", text::fold(expert), text::fold(number)).as_bytes())
}

/// The address registered for an expert whose own is not known. The domain is reserved never to exist (RFC 2606).
pub fn placeholder_address(name: &str) -> String {
    let mark: String = secrets::sha256(text::fold(name).as_bytes()).chars().take(16).collect();
    format!("ledger-{mark}@expert.invalid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fiscal_years_are_read_in_every_notation() {
        for (typed, year) in [
            ("2024", 2024),
            ("2024年度", 2024),
            ("２０２４", 2024),
            ("R6", 2024),
            ("r06", 2024),
            ("令和6年度", 2024),
            ("令和６", 2024),
            ("令和元年度", 2019),
            ("R1", 2019),
            ("平成31年度", 2019),
            ("H30", 2018),
            ("昭和63年度", 1988),
        ] {
            assert_eq!(fiscal_year(typed), Some(year), "{typed}");
        }
        for refused in ["", "24", "R", "R0", "R100", "令和", "二〇二四", "20245", "R6.4.1"] {
            assert_eq!(fiscal_year(refused), None, "{refused}");
        }
    }

    #[test]
    fn the_key_knows_a_visit_again_whatever_the_order_and_width() {
        let day = NaiveDate::from_ymd_opt(2024, 5, 10).unwrap();
        let key = |expert: &str, ids: &[i64], number: &str| {
            let ids: Vec<OrganisationId> = ids.iter().copied().map(OrganisationId).collect();
            ledger_key(ProgrammeId(1), day, expert, &ids, number)
        };
        assert_eq!(key("見本 ﾀﾛｳ", &[2, 1], ""), key("見本　タロウ", &[1, 2], ""));
        assert_ne!(key("見本", &[1], ""), key("見本", &[1, 2], ""));
        assert_ne!(key("見本", &[1], "1"), key("見本", &[1], "2"));
    }

    #[test]
    fn a_placeholder_is_an_address_that_cannot_exist() {
        let address = placeholder_address("見本 太郎");
        assert_eq!(address, placeholder_address("見本太郎"));
        assert!(address.ends_with("@expert.invalid") && address.is_ascii());
    }
}
