//! Tests of sharing between bodies: published formulas, and the properties every division has.

use proptest::prelude::*;

use super::money::*;
use super::sharing::*;
use chrono::NaiveDate;

fn yen(amount: i64) -> Yen {
    Yen::new(amount).unwrap()
}

fn terms(text: &str) -> SharingTerms {
    serde_json::from_str(text).unwrap()
}

fn body(id: i64, population: u64) -> SharingBody {
    SharingBody { id, code: Some(format!("{id:06}")), is_lead: id == 1, population: Some(population), ..SharingBody::default() }
}

fn shares(split: &BodySplit) -> Vec<i64> {
    split.shares().iter().map(|(_, share)| share.get()).collect()
}

/// 南会津: 均等割20 %, 人口割80 %. One exact sum cut once: by parts, body 3 would get 20,000 + 26,666 = 46,666 as well, but
/// body 2 one yen less.
#[test]
fn equal_twenty_population_eighty() {
    let terms = terms(
        r#"{"parts":[{"percent":20,"basis":{"kind":"equal"}},
            {"percent":80,"basis":{"kind":"population","source":"census","as_of":"2020-10-01"}}],"remainder":"lead"}"#,
    );
    let sharing = Sharing::prepare(&terms, &[body(1, 5_000), body(2, 4_000), body(3, 3_000)]).unwrap();
    let split = sharing.split(yen(100_000)).unwrap();
    assert_eq!(shares(&split), [40_001, 33_333, 26_666]);
    assert_eq!(split.remainder(), yen(1));
}

/// 新潟県市町村総合事務組合, training: 均等割35 %, 職員数割35 %, 参加者数割30 %.
#[test]
fn training_by_three_bases() {
    let terms = terms(
        r#"{"parts":[{"percent":35,"basis":{"kind":"equal"}},{"percent":35,"basis":{"kind":"staff"}},
            {"percent":30,"basis":{"kind":"participants"}}],"remainder":"largest_remainder"}"#,
    );
    let with = |id, staff, participants| SharingBody { staff: Some(staff), participants: Some(participants), ..body(id, 1) };
    let sharing = Sharing::prepare(&terms, &[with(1, 300, 10), with(2, 100, 0)]).unwrap();
    let split = sharing.split(yen(1_000_000)).unwrap();
    // 175,000 + 262,500 + 300,000 and 175,000 + 87,500 + 0.
    assert_eq!(shares(&split), [737_500, 262_500]);
}

/// 幡多 10/45/45 by 均等, 人口, 基準財政需要額; 渋川 6/94 by 均等 and use, three bodies.
#[test]
fn other_published_formulas() {
    let hata = terms(
        r#"{"parts":[{"percent":10,"basis":{"kind":"equal"}},
            {"percent":45,"basis":{"kind":"population","source":"resident_register","as_of":"2026-03-31"}},
            {"percent":45,"basis":{"kind":"fiscal_need"}}],"remainder":"prefecture"}"#,
    );
    let with = |id, population, need| SharingBody { fiscal_need: Some(need), ..body(id, population) };
    let split =
        Sharing::prepare(&hata, &[with(1, 30_000, 9_000_000), with(2, 10_000, 3_000_000)]).unwrap().split(yen(1_001)).unwrap();
    // 0.725 and 0.275 of the whole: 725.725 and 275.275.
    assert_eq!((shares(&split), split.to_prefecture()), (vec![725, 275], yen(1)));

    let shibukawa = terms(
        r#"{"parts":[{"percent":6,"basis":{"kind":"equal"}},{"percent":94,"basis":{"kind":"usage_visits"}}],"remainder":"lead"}"#,
    );
    let with = |id, visits| SharingBody { usage_visits: Some(visits), ..body(id, 1) };
    let split = Sharing::prepare(&shibukawa, &[with(1, 70), with(2, 20), with(3, 10)]).unwrap().split(yen(1_000_000)).unwrap();
    assert_eq!(shares(&split), [678_000, 208_000, 114_000]);
}

/// 日野郡: three towns 76,000 each and the prefecture 41,000 make 269,000: fixed proportions, with the prefecture as a body.
#[test]
fn fixed_proportions() {
    let terms = terms(r#"{"parts":[{"percent":100,"basis":{"kind":"fixed"}}],"remainder":"lead"}"#);
    let with = |id, fixed| SharingBody { fixed: Some(fixed), ..body(id, 1) };
    let bodies = [with(1, 76), with(2, 76), with(3, 76), with(4, 41)];
    let split = Sharing::prepare(&terms, &bodies).unwrap().split(yen(269_000)).unwrap();
    assert_eq!(shares(&split), [76_000, 76_000, 76_000, 41_000]);
}

#[test]
fn a_group_stands_as_one_and_divides_by_its_own_parts() {
    let terms = terms(
        r#"{"parts":[{"percent":100,"basis":{"kind":"equal"}}],"remainder":"largest_remainder","groups":[{"name":"西部3町",
            "bodies":[2,3,4],"parts":[{"percent":100,"basis":{"kind":"population","source":"census","as_of":"2020-10-01"}}]}]}"#,
    );
    let sharing = Sharing::prepare(&terms, &[body(1, 90_000), body(2, 3_000), body(3, 2_000), body(4, 1_000)]).unwrap();
    assert_eq!(shares(&sharing.split(yen(120_000)).unwrap()), [60_000, 30_000, 20_000, 10_000]);
}

#[test]
fn the_remainder_goes_where_the_agreement_says() {
    let of = |remainder: &str, total: i64| {
        let terms = terms(&format!(r#"{{"parts":[{{"percent":100,"basis":{{"kind":"equal"}}}}],"remainder":"{remainder}"}}"#));
        Sharing::prepare(&terms, &[body(3, 1), body(1, 1), body(2, 1)]).unwrap().split(yen(total)).unwrap()
    };
    assert_eq!(shares(&of("lead", 20_000)), [6_668, 6_666, 6_666]);
    assert_eq!(shares(&of("largest_remainder", 20_000)), [6_667, 6_667, 6_666]);
    let prefecture = of("prefecture", 20_000);
    assert_eq!((shares(&prefecture), prefecture.to_prefecture()), (vec![6_666, 6_666, 6_666], yen(2)));
    let first = of("first_instalment", 20_000);
    assert_eq!((shares(&first), first.first_instalment()), (vec![6_668, 6_666, 6_666], yen(2)));
}

#[test]
fn what_cannot_be_divided_is_refused_with_its_place() {
    let code = |terms: &SharingTerms, bodies: &[SharingBody]| {
        let error = Sharing::prepare(terms, bodies).unwrap_err();
        (error.code(), error.pointer().to_owned(), error.body())
    };
    let equal = SharingTerms::equal(SharingRemainder::Lead);
    let by_population = terms(
        r#"{"parts":[{"percent":50,"basis":{"kind":"equal"}},
            {"percent":50,"basis":{"kind":"population","source":"census","as_of":"2020-10-01"}}],"remainder":"prefecture"}"#,
    );
    let mut short = by_population.clone();
    short.parts[0].percent = 49;
    assert_eq!(code(&short, &[body(1, 1)]), ("percent_sum", "/parts".to_owned(), None));
    let unknown = SharingBody { population: None, ..body(2, 1) };
    assert_eq!(code(&by_population, &[body(1, 1), unknown]), ("missing_weight", "/parts/1".to_owned(), Some(2)));
    assert_eq!(code(&by_population, &[body(1, 0), body(2, 0)]), ("no_weight", "/parts/1".to_owned(), None));
    assert_eq!(code(&equal, &[]), ("body_count", String::new(), None));
    assert_eq!(code(&equal, &[body(2, 1)]), ("one_lead", String::new(), None));
    assert_eq!(code(&equal, &[body(1, 1), body(1, 1)]), ("duplicate", String::new(), Some(1)));
    let mut grouped = equal.clone();
    grouped.groups = vec![SharingGroup { name: "西部".to_owned(), bodies: vec![9], parts: equal.parts.clone() }];
    assert_eq!(code(&grouped, &[body(1, 1)]), ("not_a_body", "/groups/0/bodies/0".to_owned(), Some(9)));
    grouped.groups.push(grouped.groups[0].clone());
    assert_eq!(code(&grouped, &[body(1, 1), body(9, 1)]), ("duplicate", "/groups/1/bodies/0".to_owned(), Some(9)));
    let sharing = Sharing::prepare(&equal, &[body(1, 1)]).unwrap();
    assert_eq!(sharing.split(yen(-1)), Err(SharingError::NegativeTotal));
}

/// Weights of nine digits for all prefectures' worth of bodies stay exact, by the slow path of the product where need be.
#[test]
fn many_bodies_with_large_figures_stay_exact() {
    let by_population = terms(
        r#"{"parts":[{"percent":100,"basis":{"kind":"population","source":"census","as_of":"2020-10-01"}}],"remainder":"lead"}"#,
    );
    let bodies: Vec<SharingBody> = (1..=500).map(|id| body(id, 13_000_000 + u64::try_from(id).unwrap() * 7_919)).collect();
    let split = Sharing::prepare(&by_population, &bodies).unwrap().split(Yen::MAX).unwrap();
    assert_eq!(Yen::sum(split.shares().iter().map(|(_, share)| *share)), Ok(Yen::MAX));
    let denominator = (1_u128 << 126) - 1;
    assert_eq!(product_quotient(1_000_000_000_000, denominator, denominator), (1_000_000_000_000, 0));
    assert_eq!(product_quotient(3, denominator / 2, denominator), (1, (denominator / 2) * 3 - denominator));
}

fn arbitrary() -> impl Strategy<Value = (SharingTerms, Vec<SharingBody>)> {
    let remainder = prop::sample::select(vec![
        SharingRemainder::Lead,
        SharingRemainder::Prefecture,
        SharingRemainder::LargestRemainder,
        SharingRemainder::FirstInstalment,
    ]);
    (1u32..100, remainder, prop::collection::vec((1u64..400_000, 0u64..50, 0u64..5_000), 1..9)).prop_map(
        |(percent, remainder, figures)| {
            let parts = vec![
                SharingPart { percent, basis: SharingBasis::Equal {} },
                SharingPart {
                    percent: 100 - percent,
                    basis: SharingBasis::Population {
                        source: PopulationSource::Census,
                        as_of: NaiveDate::from_ymd_opt(2020, 10, 1).unwrap(),
                    },
                },
            ];
            let bodies = (1_i64..)
                .zip(figures)
                .map(|(id, (population, staff, minutes))| SharingBody {
                    staff: Some(staff),
                    usage_minutes: Some(minutes),
                    ..body(id, population)
                })
                .collect();
            (SharingTerms { parts, remainder, groups: Vec::new() }, bodies)
        },
    )
}

proptest! {
    #[test]
    fn shares_sum_to_the_total_and_none_is_negative((terms, bodies) in arbitrary(), total in 0i64..=1_000_000_000_000) {
        let split = Sharing::prepare(&terms, &bodies).unwrap().split(yen(total)).unwrap();
        let all = split.shares().iter().map(|(_, share)| *share).chain([split.to_prefecture()]);
        prop_assert_eq!(Yen::sum(all), Ok(yen(total)));
        prop_assert!(split.shares().iter().all(|(_, share)| !share.is_negative()));
        prop_assert!(split.remainder().get() < i64::try_from(bodies.len()).unwrap());
    }

    #[test]
    fn the_order_in_which_bodies_are_given_changes_nothing((terms, bodies) in arbitrary(), total in 0i64..=10_000_000, seed in 0usize..100) {
        let mut turned = bodies.clone();
        turned.rotate_left(seed % bodies.len());
        turned.reverse();
        let split = |bodies: &[SharingBody]| Sharing::prepare(&terms, bodies).unwrap().split(yen(total)).unwrap();
        prop_assert_eq!(split(&bodies), split(&turned));
    }

    /// Another lead moves the remainder and nothing else.
    #[test]
    fn another_lead_changes_only_the_remainder((terms, bodies) in arbitrary(), total in 0i64..=10_000_000) {
        let mut terms = terms;
        terms.remainder = SharingRemainder::Lead;
        let last = bodies.len();
        let mut other = bodies.clone();
        for (i, body) in other.iter_mut().enumerate() {
            body.is_lead = i + 1 == last;
        }
        let split = |bodies: &[SharingBody]| Sharing::prepare(&terms, bodies).unwrap().split(yen(total)).unwrap();
        let (one, two) = (split(&bodies), split(&other));
        for (id, share) in one.shares() {
            let difference = two.share_of(*id).unwrap().get() - share.get();
            let expected = i64::from(*id == bodies[last - 1].id) * one.remainder().get() - i64::from(*id == 1) * one.remainder().get();
            prop_assert_eq!(difference, expected);
        }
    }

    /// Splitting then adding equals adding then splitting but for one yen a body and amount, and the remainder.
    #[test]
    fn splitting_and_adding_differ_by_the_remainder_only((terms, bodies) in arbitrary(), a in 0i64..=10_000_000, b in 0i64..=10_000_000) {
        let sharing = Sharing::prepare(&terms, &bodies).unwrap();
        let of = |total| sharing.split(yen(total)).unwrap();
        let (one, two, both) = (of(a), of(b), of(a + b));
        let most = one.remainder().get() + two.remainder().get() + both.remainder().get() + 2;
        for ((x, y), z) in one.shares().iter().zip(two.shares()).zip(both.shares()) {
            prop_assert!((x.1.get() + y.1.get() - z.1.get()).abs() <= most);
        }
    }
}
