//! Tests of travel rules: the national rule before and after 2025-04-01, cancelled trips, and what is refused.

use super::component::*;
use super::money::*;
use super::travel::*;
use chrono::NaiveDate;

fn yen(amount: i64) -> Yen {
    Yen::new(amount).unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn cap(prefecture: &str, amount: i64) -> PrefectureCap {
    PrefectureCap { prefecture: prefecture.to_owned(), amount: yen(amount) }
}

/// National law: 37 yen a kilometre and a day allowance until 2025-03-31; from 2025-04-01 actual costs, lodging up to caps
/// (東京 19,000, 大阪 13,000, 愛知 11,000) and 2,400 yen a night; 東京 21,000 from 2026-04-01.
fn national() -> Vec<TravelRule> {
    let rule = |from: &str, car: Option<i64>, tokyo: i64| TravelRule {
        organisation_id: None,
        valid_from: day(from),
        valid_to: None,
        source: "国家公務員等の旅費に関する法律".to_owned(),
        car_yen_per_km: car.map(yen),
        lodging: LodgingRule::Actual { caps: vec![cap("13", tokyo), cap("27", 13_000), cap("23", 11_000)], other_cap: None },
        overnight_allowance: car.is_none().then(|| yen(2_400)),
        day_allowance: car.map(|_| yen(2_200)),
        package: car.is_none(),
    };
    vec![rule("2000-04-01", Some(37), 10_900), rule("2025-04-01", None, 19_000), rule("2026-04-01", None, 21_000)]
}

fn expense(amount: i64) -> Expense {
    Expense { yen: yen(amount), not_refunded: None, paid_directly: false }
}

fn trip(departs_on: &str, nights: u32) -> Trip {
    Trip {
        departs_on: day(departs_on),
        days: nights + 1,
        nights,
        stays_in: Some("13".to_owned()),
        legs: Vec::new(),
        lodging: (nights > 0).then(|| expense(20_000)),
        package: None,
        cancelled: false,
        paid_by_employer: false,
    }
}

fn paid(trip: &Trip) -> Vec<(Component, i64)> {
    travel(&national(), None, trip).unwrap().into_iter().map(|item| (item.component, item.amount.get())).collect()
}

#[test]
fn the_day_of_departure_chooses_the_rule() {
    assert_eq!(paid(&trip("2025-03-31", 1)), [(Component::Lodging, 10_900), (Component::DayAllowance, 4_400)]);
    assert_eq!(paid(&trip("2025-04-01", 1)), [(Component::Lodging, 19_000), (Component::OvernightAllowance, 2_400)]);
    assert_eq!(paid(&trip("2026-04-01", 1)), [(Component::Lodging, 20_000), (Component::OvernightAllowance, 2_400)]);
}

#[test]
fn own_car_by_kilometre_then_by_actual_cost() {
    let leg = TripLeg { mode: LegMode::Car, km: Some(68), expense: Some(expense(1_500)) };
    let old = Trip { legs: vec![leg.clone(), leg.clone()], ..trip("2025-03-31", 0) };
    assert_eq!(paid(&old)[0], (Component::Travel, 2 * 68 * 37));
    let new = Trip { legs: vec![leg], ..trip("2025-04-01", 0) };
    assert_eq!(paid(&new), [(Component::Travel, 1_500)]);
}

#[test]
fn a_body_follows_its_own_ordinance_once_it_has_one() {
    let mut rules = national();
    rules.push(TravelRule {
        organisation_id: Some(7),
        valid_from: day("2025-07-01"),
        overnight_allowance: None,
        ..rules[1].clone()
    });
    let of = |organisation, departs_on: &str| rule_for(&rules, organisation, day(departs_on)).unwrap().overnight_allowance;
    assert_eq!(of(Some(7), "2025-06-30"), Some(yen(2_400)));
    assert_eq!(of(Some(7), "2025-07-01"), None);
    assert_eq!(of(Some(8), "2025-07-01"), Some(yen(2_400)));
    assert_eq!(rule_for(&rules, None, day("1999-12-31")), None);
    assert!(matches!(travel(&rules, None, &trip("1999-12-31", 0)), Err(TravelError::NoRule(_))));
}

/// E1 of the domain's stories: the expert cancels the day before, a room of 9,800 yen is not refunded.
#[test]
fn a_cancelled_trip_pays_the_lesser_of_rule_and_loss() {
    let lost = |amount: i64, kept: i64| Some(Expense { yen: yen(amount), not_refunded: Some(yen(kept)), paid_directly: false });
    let room = Trip { cancelled: true, lodging: lost(9_800, 9_800), ..trip("2026-05-20", 1) };
    assert_eq!(paid(&room), [(Component::Lodging, 9_800)], "no allowance for a night that was not spent");
    let dear = Trip { cancelled: true, lodging: lost(30_000, 30_000), ..trip("2026-05-20", 1) };
    assert_eq!(paid(&dear), [(Component::Lodging, 21_000)]);
    let refunded = Trip { cancelled: true, lodging: lost(9_800, 0), ..trip("2026-05-20", 1) };
    assert_eq!(paid(&refunded), []);
    let unknown = Trip { cancelled: true, ..trip("2026-05-20", 1) };
    let Err(TravelError::Trip(problems)) = travel(&national(), None, &unknown) else { panic!("the loss must be entered") };
    assert_eq!((problems[0].pointer.as_str(), problems[0].code), ("/lodging/not_refunded", "required"));
}

#[test]
fn what_the_payer_bought_directly_is_told_apart() {
    let direct = Expense { yen: yen(14_000), not_refunded: None, paid_directly: true };
    let trip = Trip { legs: vec![TripLeg { mode: LegMode::Rail, km: None, expense: Some(direct) }], ..trip("2026-05-20", 0) };
    let items = travel(&national(), None, &trip).unwrap();
    assert_eq!((items[0].amount, items[0].paid_directly), (yen(14_000), yen(14_000)));
}

#[test]
fn travel_is_not_paid_twice() {
    let employer = Trip { paid_by_employer: true, ..trip("2026-05-20", 1) };
    assert_eq!(travel(&national(), None, &employer), Err(TravelError::PaidTwice));
    let both = Trip { package: Some(expense(30_000)), ..trip("2026-05-20", 1) };
    assert!(matches!(travel(&national(), None, &both), Err(TravelError::Trip(found)) if found[0].code == "paid_twice"));
    let package = Trip { package: Some(expense(30_000)), lodging: None, ..trip("2026-05-20", 1) };
    assert_eq!(paid(&package), [(Component::TravelPackage, 30_000), (Component::OvernightAllowance, 2_400)]);
    let before = Trip { departs_on: day("2025-03-31"), ..package };
    assert!(matches!(travel(&national(), None, &before), Err(TravelError::Trip(found)) if found[0].code == "not_in_rule"));
}

#[test]
fn a_fixed_amount_a_night_asks_for_no_receipt() {
    let mut rules = national();
    rules[2].lodging = LodgingRule::Fixed { caps: vec![cap("13", 10_900)], amount: yen(9_800) };
    let stay = |prefecture: &str| {
        let trip = Trip { lodging: None, stays_in: Some(prefecture.to_owned()), ..trip("2026-05-20", 2) };
        travel(&rules, None, &trip).unwrap()[0].amount.get()
    };
    assert_eq!((stay("13"), stay("22")), (21_800, 19_600));
}

#[test]
fn rules_that_contradict_each_other_are_named() {
    let mut rules = national();
    rules[1].valid_to = Some(day("2026-06-01"));
    rules[2].lodging =
        LodgingRule::Actual { caps: vec![cap("48", 1), cap("13", -1), cap("13", 2)], other_cap: Some(yen(2_000_000)) };
    rules[2].source = " ".to_owned();
    rules[0].valid_to = Some(day("2000-04-01"));
    let found: Vec<(String, &str)> = validate_rules(&rules).into_iter().map(|p| (p.pointer, p.code)).collect();
    for expected in [
        ("/0/valid_to", "before_start"),
        ("/2/valid_from", "overlapping_validity"),
        ("/2/lodging/caps/0/prefecture", "malformed"),
        ("/2/lodging/caps/1/amount", "amount_out_of_range"),
        ("/2/lodging/caps/2/prefecture", "duplicate"),
        ("/2/lodging/other_cap", "amount_out_of_range"),
        ("/2/source", "required"),
    ] {
        assert!(found.iter().any(|(pointer, code)| (pointer.as_str(), *code) == expected), "{expected:?} in {found:?}");
    }
    assert_eq!(validate_rules(&national()), []);
}
