//! Tests of fee tables: the published ones, the properties every table has, and what is refused.

use proptest::prelude::*;

use super::*;

const ROUNDINGS: [PartUnitRounding; 4] =
    [PartUnitRounding::FloorToUnit, PartUnitRounding::CeilToUnit, PartUnitRounding::HalfUp, PartUnitRounding::ExactByMinute];

fn yen(amount: i64) -> Yen {
    Yen::new(amount).unwrap()
}

/// The table Shizuoka publishes; how it rounds part hours is not published.
fn shizuoka(part_unit: PartUnitRounding) -> FeeTable {
    FeeTable::timed(60, yen(5_000), part_unit, Some(FlatFee { from_minutes: 240, amount: yen(20_000) }))
}

fn read(text: &str) -> FeeTable {
    let table: FeeTable = serde_json::from_str(text).unwrap();
    assert_eq!(table.validate(), []);
    table
}

fn amount(table: &FeeTable, minutes: u32) -> i64 {
    fee(table, &FeeInput::of_minutes(minutes)).unwrap().amount.get()
}

#[test]
fn the_published_table_holds_under_every_rounding() {
    for rounding in ROUNDINGS {
        let table = shizuoka(rounding);
        let expected = [(0, 0), (60, 5_000), (180, 15_000), (240, 20_000), (480, 20_000)];
        for (minutes, fee) in expected {
            assert_eq!(amount(&table, minutes), fee, "{minutes} min, {rounding:?}");
        }
    }
}

#[test]
fn part_hours_follow_the_setting() {
    let fees = |minutes| ROUNDINGS.map(|rounding| amount(&shizuoka(rounding), minutes));
    assert_eq!(fees(1), [0, 5_000, 0, 83]);
    assert_eq!(fees(29), [0, 5_000, 0, 2_416]);
    assert_eq!(fees(30), [0, 5_000, 5_000, 2_500]);
    assert_eq!(fees(89), [5_000, 10_000, 5_000, 7_416]);
    assert_eq!(fees(90), [5_000, 10_000, 10_000, 7_500]);
    assert_eq!(fees(200), [15_000, 20_000, 15_000, 16_666]);
    assert_eq!(fees(239), [15_000, 20_000, 20_000, 19_916]);
}

/// Shizuoka's flat amount equals four hours at its rate, so the threshold shows only where the two differ.
#[test]
fn the_flat_amount_starts_at_its_minute() {
    let flat = Some(FlatFee { from_minutes: 200, amount: yen(18_000) });
    let table = FeeTable::timed(60, yen(5_000), PartUnitRounding::CeilToUnit, flat);
    assert_eq!((amount(&table, 199), amount(&table, 200)), (20_000, 18_000));
}

/// 倶知安町: less than 30 minutes cut, 30 and more up, at least 1 hour, at most 3 hours a day, travel and waiting not paid.
#[test]
fn least_most_and_time_that_does_not_count() {
    let table = read(
        r#"{"kind":"timed","unit_minutes":60,"rate":10000,"part_unit":"half_up","minimum_minutes":60,
            "maximum_minutes":180,"excluded":["travel","waiting"]}"#,
    );
    let found = [10, 60, 89, 90, 149, 150, 180, 300].map(|minutes| amount(&table, minutes));
    assert_eq!(found, [10_000, 10_000, 10_000, 20_000, 20_000, 30_000, 30_000, 30_000]);
    let input = FeeInput { minutes: 240, travel_minutes: 90, waiting_minutes: 30, break_minutes: 60, ..FeeInput::default() };
    assert_eq!(fee(&table, &input).unwrap().paid_minutes, 120, "breaks count here");
    let second = FeeInput { minutes: 120, earlier_minutes: 120, earlier_amount: yen(20_000), ..FeeInput::default() };
    assert_eq!(fee(&table, &second).unwrap().amount, yen(10_000), "one hour of the day is left");
    let all_travel = FeeInput { minutes: 60, travel_minutes: 60, ..FeeInput::default() };
    assert_eq!(fee(&table, &all_travel).unwrap().amount, Yen::ZERO);
}

/// まんのう町: 30 minutes and more up, less at half the rate; professors 10,000, associate professors 7,000, lecturers 5,000.
#[test]
fn grades_and_half_rates() {
    let table = read(
        r#"{"kind":"timed","unit_minutes":60,"rate":5000,"part_unit":"half_up_else_half","grades":[
            {"code":"professor","label":"教授","rate":10000},{"code":"associate_professor","label":"准教授","rate":7000},
            {"code":"lecturer","label":"講師","rate":5000}]}"#,
    );
    let of = |grade: &str, minutes| {
        let input = FeeInput { minutes, grade: Some(grade.to_owned()), ..FeeInput::default() };
        fee(&table, &input).map(|found| found.amount.get())
    };
    assert_eq!(of("professor", 60), Ok(10_000));
    assert_eq!(of("associate_professor", 60), Ok(7_000));
    assert_eq!(
        [of("lecturer", 60), of("lecturer", 90), of("lecturer", 89), of("lecturer", 1)],
        [Ok(5_000), Ok(10_000), Ok(7_500), Ok(2_500)]
    );
    assert_eq!(of("assistant", 60), Err(FeeError::UnknownGrade("assistant".to_owned())));
    assert_eq!(fee(&table, &FeeInput::of_minutes(60)), Err(FeeError::UnknownGrade(String::new())));
}

/// ミラサポ: 5,150 yen an hour, tax included, less than 30 minutes cut, at most 30,900 yen a day.
#[test]
fn a_daily_cap() {
    let table = read(r#"{"kind":"timed","unit_minutes":60,"rate":5150,"part_unit":"half_up","daily_cap":30900}"#);
    assert_eq!([29, 30, 60, 360, 420, 1440].map(|minutes| amount(&table, minutes)), [0, 5_150, 5_150, 30_900, 30_900, 30_900]);
    let later = FeeInput { minutes: 120, earlier_minutes: 300, earlier_amount: yen(25_750), ..FeeInput::default() };
    assert_eq!(fee(&table, &later).unwrap().amount, yen(5_150));
}

/// 与那国町: the first four hours in full, then half, two hours more at most; lecturers from outside 11,000 an hour.
#[test]
fn a_rate_that_falls_with_length() {
    let table = read(
        r#"{"kind":"timed","unit_minutes":60,"rate":11000,"part_unit":"ceil_to_unit",
            "tiers":[{"from_minutes":240,"rate_percent":50}],"maximum_minutes":360}"#,
    );
    assert_eq!([60, 240, 300, 360, 600].map(|minutes| amount(&table, minutes)), [11_000, 44_000, 49_500, 55_000, 55_000]);
}

/// 羽村市: 8,000 to 15,000 yen an hour; from 50, 100 and 200 km on one, two and three hours on top.
#[test]
fn a_surcharge_by_distance() {
    let table = read(
        r#"{"kind":"timed","unit_minutes":60,"rate":8000,"part_unit":"ceil_to_unit","distance_surcharges":[
            {"from_km":50,"units":1},{"from_km":100,"units":2},{"from_km":200,"units":3}]}"#,
    );
    let at = |distance_km| fee(&table, &FeeInput { minutes: 120, distance_km, ..FeeInput::default() }).unwrap().amount.get();
    let found = [None, Some(49), Some(50), Some(99), Some(100), Some(199), Some(200), Some(900)].map(at);
    assert_eq!(found, [16_000, 16_000, 24_000, 24_000, 32_000, 32_000, 40_000, 40_000]);
}

#[test]
fn half_of_an_odd_unit_is_not_rounded_early() {
    let table = FeeTable::timed(45, yen(1_000), PartUnitRounding::HalfUp, None);
    assert_eq!((amount(&table, 22), amount(&table, 23)), (0, 1_000));
}

#[test]
fn no_fee_is_zero_and_an_undisclosed_or_agreed_one_has_to_be_entered() {
    assert_eq!(amount(&FeeTable::None {}, 240), 0);
    for table in [FeeTable::Undisclosed {}, FeeTable::Agreed { cap: Some(yen(50_000)) }] {
        assert!(table.must_be_entered());
        assert_eq!(fee(&table, &FeeInput::of_minutes(240)), Err(FeeError::AmountMustBeEntered));
        assert_eq!(fee(&table, &FeeInput::of_minutes(0)), Err(FeeError::AmountMustBeEntered));
    }
    let each = FeeTable::PerVisit { amount: yen(30_000) };
    assert_eq!((amount(&each, 0), amount(&each, 1), amount(&each, 1440)), (0, 30_000, 30_000));
}

#[test]
fn absurd_minutes_and_unsound_tables_are_refused() {
    let table = shizuoka(PartUnitRounding::HalfUp);
    assert_eq!(amount(&table, MAX_VISIT_MINUTES), 20_000);
    for minutes in [1_441, u32::MAX] {
        assert_eq!(fee(&table, &FeeInput::of_minutes(minutes)), Err(FeeError::TooLong(minutes)));
    }
    let flat = Some(FlatFee { from_minutes: 1_441, amount: yen(10_000_001) });
    let unsound = FeeTable::timed(0, yen(-1), PartUnitRounding::FloorToUnit, flat);
    let pointers: Vec<_> = unsound.validate().into_iter().map(|p| p.pointer).collect();
    assert_eq!(pointers, ["/unit_minutes", "/rate", "/flat_from/from_minutes", "/flat_from/amount"]);
    assert!(matches!(fee(&unsound, &FeeInput::of_minutes(60)), Err(FeeError::InvalidTable(found)) if found.len() == 4));
}

#[test]
fn what_contradicts_itself_is_named() {
    let table: FeeTable = serde_json::from_str(
        r#"{"kind":"timed","unit_minutes":60,"rate":5000,"part_unit":"half_up","minimum_minutes":120,"maximum_minutes":60,
            "flat_from":{"from_minutes":240,"amount":20000},"daily_cap":10000,
            "tiers":[{"from_minutes":90,"rate_percent":50},{"from_minutes":60,"rate_percent":900}],
            "distance_surcharges":[{"from_km":100,"units":0},{"from_km":50,"units":1}],
            "grades":[{"code":"A","label":"","rate":-1},{"code":"b","label":"B","rate":1},{"code":"b","label":"B","rate":1}]}"#,
    )
    .unwrap();
    let found: Vec<(String, &str)> = table.validate().into_iter().map(|p| (p.pointer, p.code)).collect();
    let has =
        |pointer: &str, code: &str| assert!(found.iter().any(|(p, c)| p == pointer && *c == code), "{pointer} {code}: {found:?}");
    has("/maximum_minutes", "cap_below_floor");
    has("/daily_cap", "cap_below_floor");
    has("/tiers/1/rate_percent", "out_of_range");
    has("/distance_surcharges/0/units", "out_of_range");
    has("/grades/0/rate", "amount_out_of_range");
    has("/grades/0/code", "malformed");
    has("/grades/0/label", "required");
    has("/grades/2/code", "duplicate");
    for list in ["/tiers/1", "/distance_surcharges/1"] {
        assert!(found.iter().any(|(pointer, _)| pointer.starts_with(list)), "{list} does not rise: {found:?}");
    }
}

#[test]
fn a_table_is_read_strictly() {
    let text = r#"{"kind":"timed","unit_minutes":60,"rate":5000,"part_unit":"half_up",
        "flat_from":{"from_minutes":240,"amount":20000}}"#;
    let table: FeeTable = serde_json::from_str(text).unwrap();
    assert_eq!(table, shizuoka(PartUnitRounding::HalfUp));
    let again = serde_json::to_string(&table).unwrap();
    assert_eq!(serde_json::from_str::<FeeTable>(&again).unwrap(), table);
    for refused in [
        r#"{"kind":"none","rate":5000}"#,
        r#"{"kind":"undisclosed","amount":1}"#,
        r#"{"kind":"hourly"}"#,
        r#"{"kind":"timed","unit_minutes":60,"rate":5000}"#,
        r#"{"kind":"timed","unit_minutes":60,"rate":5000,"part_unit":"half_up","cap":1}"#,
        r#"{"kind":"timed","unit_minutes":60,"rate":0.5,"part_unit":"half_up"}"#,
        r#"{"kind":"timed","unit_minutes":60,"rate":5000,"part_unit":"half_up",
            "flat_from":{"from_minutes":240,"amount":20000,"note":""}}"#,
    ] {
        assert!(serde_json::from_str::<FeeTable>(refused).is_err(), "{refused}");
    }
}

#[test]
fn a_calculation_explains_itself() {
    let found = fee(&shizuoka(PartUnitRounding::FloorToUnit), &FeeInput::of_minutes(200)).unwrap();
    let texts: Vec<_> = found.steps.iter().map(|s| s.detail_ja.as_str()).collect();
    assert_eq!(texts, ["実績200分 ÷ 1単位60分 → 3単位（切捨て）", "5,000円 × 3単位 ＝ 15,000円"]);
    let flat = fee(&shizuoka(PartUnitRounding::FloorToUnit), &FeeInput::of_minutes(480)).unwrap();
    assert_eq!(flat.steps[0].detail_ja, "実績480分は240分以上のため1回20,000円");
}

proptest! {
    #[test]
    fn longer_visits_never_earn_less_by_the_rate(
        unit in 1u32..=1440, rate in 0i64..=10_000_000, kind in 0usize..4, minutes in 0u32..1440,
    ) {
        let table = FeeTable::timed(unit, yen(rate), ROUNDINGS[kind], None);
        prop_assert!(amount(&table, minutes) <= amount(&table, minutes + 1));
    }

    #[test]
    fn roundings_bracket_the_exact_fee(unit in 1u32..=1440, rate in 0i64..=10_000_000, minutes in 0u32..=1440) {
        let [floor, ceil, half, exact] = ROUNDINGS.map(|part_unit| amount(&FeeTable::timed(unit, yen(rate), part_unit, None), minutes));
        prop_assert!(floor <= exact && exact <= ceil);
        prop_assert!(half == floor || half == ceil);
    }

    /// A day split over two visits never pays more than the daily cap, nor more minutes than the day allows.
    #[test]
    fn two_visits_of_a_day_keep_to_the_cap(first in 1u32..700, second in 1u32..700, cap in 0i64..100_000, most in 1u32..600) {
        let table: FeeTable = serde_json::from_value(serde_json::json!({
            "kind": "timed", "unit_minutes": 60, "rate": 5_000, "part_unit": "ceil_to_unit", "daily_cap": cap, "maximum_minutes": most,
        })).unwrap();
        let one = fee(&table, &FeeInput::of_minutes(first)).unwrap();
        let input = FeeInput { minutes: second, earlier_minutes: one.paid_minutes, earlier_amount: one.amount, ..FeeInput::default() };
        let two = fee(&table, &input).unwrap();
        prop_assert!(one.amount.get() + two.amount.get() <= cap.max(0));
        prop_assert!(one.paid_minutes + two.paid_minutes <= most);
    }
}
