//! Tests of the payer matrix: the published patterns, and that nothing is lost.

use proptest::prelude::*;

use super::component::*;
use super::money::*;
use super::payers::*;

fn yen(amount: i64) -> Yen {
    Yen::new(amount).unwrap()
}

fn parts(total: i64, rule: &PayerRule) -> Vec<(Payer, i64)> {
    PayerSplit::divide(yen(total), rule).unwrap().parts().iter().map(|(payer, part)| (*payer, part.get())).collect()
}

/// Oita: the prefecture pays half of a vendor's fee, at most 400,000 yen; Osaka: half, without a cap.
#[test]
fn half_with_and_without_a_cap() {
    let osaka = PayerRule::ratio(Component::VendorFee, Payer::Prefecture, 1, 2, Payer::Host);
    assert_eq!(parts(1_091_001, &osaka), [(Payer::Prefecture, 545_500), (Payer::Host, 545_501)]);
    let oita: PayerRule = serde_json::from_str(
        r#"{"component":"vendor_fee","portions":[{"kind":"ratio","payer":"prefecture","numerator":1,"denominator":2,"cap":400000}],
            "rest":"host"}"#,
    )
    .unwrap();
    assert_eq!(parts(700_000, &oita), [(Payer::Prefecture, 350_000), (Payer::Host, 350_000)]);
    assert_eq!(parts(1_000_000, &oita), [(Payer::Prefecture, 400_000), (Payer::Host, 600_000)]);
}

#[test]
fn fixed_amounts_and_tiers() {
    let rule: PayerRule = serde_json::from_str(
        r#"{"component":"venue","portions":[{"kind":"fixed","payer":"requester","amount":10000},
            {"kind":"tier","payer":"prefecture","from":10000,"to":110000,"numerator":2,"denominator":3}],"rest":"host"}"#,
    )
    .unwrap();
    assert_eq!(parts(8_000, &rule), [(Payer::Requester, 8_000)]);
    assert_eq!(parts(40_000, &rule), [(Payer::Prefecture, 20_000), (Payer::Host, 10_000), (Payer::Requester, 10_000)]);
    assert_eq!(parts(210_000, &rule), [(Payer::Prefecture, 66_666), (Payer::Host, 133_334), (Payer::Requester, 10_000)]);
}

#[test]
fn who_pays_at_first_is_kept() {
    let rule = PayerRule { first_paid_by: Some(Payer::Prefecture), ..PayerRule::all(Component::Salary, Payer::Host) };
    let split = PayerSplit::divide(yen(300_000), &rule).unwrap();
    assert_eq!((split.of(Payer::Host), split.first_paid_by()), (yen(300_000), Some(Payer::Prefecture)));
}

#[test]
fn unsound_rules_are_named_and_never_applied() {
    let rule: PayerRule = serde_json::from_str(
        r#"{"component":"venue","portions":[{"kind":"ratio","payer":"prefecture","numerator":2,"denominator":1},
            {"kind":"ratio","payer":"prefecture","numerator":2,"denominator":3},{"kind":"ratio","payer":"host","numerator":1,"denominator":2,"cap":-1},
            {"kind":"ratio","payer":"company","numerator":1,"denominator":2},
            {"kind":"tier","payer":"host","from":100,"to":100,"numerator":1,"denominator":2}],"rest":"host"}"#,
    )
    .unwrap();
    let found: Vec<(String, &str)> = rule.validate().into_iter().map(|p| (p.pointer, p.code)).collect();
    for expected in [
        ("/portions/0/numerator", "not_a_part"),
        ("/portions/2/cap", "negative"),
        ("/portions/4/to", "cap_below_floor"),
        ("/portions", "exceeds_whole"),
    ] {
        assert!(found.iter().any(|(pointer, code)| (pointer.as_str(), *code) == expected), "{expected:?} in {found:?}");
    }
    assert_eq!(PayerSplit::divide(yen(1), &rule), Err(PayerError::Unsound));
    assert_eq!(PayerSplit::divide(yen(-1), &PayerRule::all(Component::Venue, Payer::Host)), Err(PayerError::NegativeTotal));
    assert!(serde_json::from_str::<PayerRule>(r#"{"component":"venue","rest":"host","share":1}"#).is_err());
}

proptest! {
    #[test]
    fn parts_sum_to_the_total_and_none_is_negative(
        total in 0i64..=1_000_000_000_000, a in 1u32..=10_000, b in 1u32..=10_000, fixed in 0i64..1_000_000, from in 0i64..1_000_000,
    ) {
        let rule = PayerRule {
            component: Component::Venue,
            portions: vec![
                Portion::Fixed { payer: Payer::Requester, amount: yen(fixed) },
                Portion::Ratio { payer: Payer::Prefecture, numerator: a.min(b), denominator: a.max(b), cap: None },
                Portion::Tier { payer: Payer::Prefecture, from: yen(from), to: None, numerator: a.min(b), denominator: a.max(b) },
            ],
            rest: Payer::Host,
            first_paid_by: None,
        };
        let split = PayerSplit::divide(yen(total), &rule).unwrap();
        prop_assert_eq!(Yen::sum(split.parts().iter().map(|(_, part)| *part)), Ok(yen(total)));
        prop_assert!(split.parts().iter().all(|(_, part)| part.get() > 0));
    }
}
