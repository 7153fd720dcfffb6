//! Every figure that a preset's source publishes, recomputed by the engine from the preset itself.

use super::*;
use crate::costs::{FeeInput, PayerSplit, fee};
use crate::http::Fields;

fn preset(code: &str) -> Preset {
    all().unwrap().into_iter().find(|preset| preset.code == code).unwrap()
}

fn fee_of(code: &str, minutes: u32) -> i64 {
    fee(&preset(code).rules.fee_table, &FeeInput::of_minutes(minutes)).unwrap().amount.get()
}

fn split(code: &str, component: Component, total: i64) -> Vec<(Payer, i64)> {
    let split = PayerSplit::divide(yen(total).unwrap(), &preset(code).rules.payer_rule(component)).unwrap();
    split.parts().iter().map(|(payer, part)| (*payer, part.get())).collect()
}

fn figure(code: &str, label: &str) -> PublishedFigure {
    preset(code).figures.into_iter().find(|figure| figure.label == label).unwrap()
}

/// Who bears all of a component.
fn bears(code: &str, component: Component) -> Payer {
    let [(payer, 10_001)] = split(code, component, 10_001)[..] else { panic!("{code}: more than one pays {component}") };
    payer
}

#[test]
fn every_preset_is_a_sound_document() {
    let presets = all().unwrap();
    assert_eq!(presets.len(), 15);
    for preset in &presets {
        let mut fields = Fields::new();
        preset.rules.validate("/rules", &mut fields);
        assert!(fields.finish().is_ok(), "{}", preset.code);
        let again: ProgrammeRules = serde_json::from_value(serde_json::to_value(&preset.rules).unwrap()).unwrap();
        assert_eq!(again, preset.rules, "{}", preset.code);
        assert!(presets.iter().filter(|other| other.code == preset.code).count() == 1);
    }
}

/// P-A. Shizuoka: four hours or more 20,000 yen a visit, less 5,000 yen an hour; the prefecture pays all.
#[test]
fn shizuoka_pays_by_the_table() {
    let found = [0, 60, 180, 240, 480].map(|minutes| fee_of("shizuoka_ict_expert", minutes));
    assert_eq!(found, [0, 5_000, 15_000, 20_000, 20_000]);
    assert_eq!(bears("shizuoka_ict_expert", Component::Honorarium), Payer::Prefecture);
    assert_eq!(bears("shizuoka_ict_expert", Component::Lodging), Payer::Prefecture, "a part of travel");
}

/// P-B. Osaka: 23 menus of about 1,091 thousand yen make about 25,088, with the advisor's 9,000 about 34,088; half is
/// subsidised. The figures are rounded: 23 × 1,091 is 25,093, and 25,088 lies within what the rounding allows.
#[test]
fn osaka_s_approximate_figures_stay_approximate() {
    let one = figure("osaka_menu_sharing", "支援メニュー1件");
    let all = figure("osaka_menu_sharing", "運営費（支援メニュー23件）");
    let total = figure("osaka_menu_sharing", "運営費の合計（アドバイザー9,000千円を含む）");
    let advisor = figure("osaka_dx_advisor", "運営費（DX推進アドバイザー）");
    assert!(one.approximate && all.approximate && total.approximate && !advisor.approximate);
    assert!((23 * (one.yen - 500)..23 * (one.yen + 500)).contains(&all.yen));
    assert_ne!(23 * one.yen, all.yen);
    assert_eq!(advisor.yen + all.yen, total.yen);
    assert_eq!(
        split("osaka_menu_sharing", Component::VendorFee, one.yen),
        [(Payer::Prefecture, 545_500), (Payer::Host, 545_500)]
    );
    let menu = &preset("osaka_menu_sharing").rules.menus[0];
    assert_eq!((menu.unit_price_yen.unwrap().get(), menu.approximate, menu.tax_excluded), (one.yen, true, true));
    assert_eq!(bears("osaka_menu_sharing", Component::Recruiting), Payer::Prefecture);
    assert_eq!(bears("osaka_dx_advisor", Component::VendorFee), Payer::Prefecture);
}

/// P-C. Hiroshima: the prefecture pays salaries and the hosts reimburse them; retirement stays with the sender.
#[test]
fn hiroshima_s_hosts_reimburse_salaries() {
    for component in [Component::Salary, Component::Allowance, Component::SocialInsurance] {
        assert_eq!(bears("hiroshima_posting", component), Payer::Host);
        let rule = preset("hiroshima_posting").rules.payer_rule(component);
        assert_eq!(rule.first_paid_by, Some(Payer::Prefecture));
    }
    assert_eq!(bears("hiroshima_posting", Component::RetirementAllowance), Payer::SendingBody);
    assert_eq!(bears("hiroshima_posting", Component::Travel), Payer::Host);
    let allowance = figure("hiroshima_posting", "初任給調整手当（月額）").yen;
    assert_eq!(split("hiroshima_posting", Component::Allowance, 12 * allowance), [(Payer::Host, 600_000)]);
    assert!(figure("hiroshima_posting", "採用経費（1回）").approximate);
}

/// P-D. Nagai: the company pays the salary, the city the travel; four days a month, 24 months; half of both totals is a
/// grant, kept as a memo and never as a payer.
#[test]
fn nagai_s_grants_are_halves_of_the_sums_and_no_payer() {
    let yen_of = |label: &str| figure("nagai_company_placement", label).yen;
    assert_eq!(yen_of("事業費の内訳1") + yen_of("事業費の内訳2") + yen_of("事業費の内訳3"), yen_of("事業費"));
    assert_eq!(yen_of("運用費の内訳1") + yen_of("運用費の内訳2"), yen_of("運用費"));
    assert_eq!((2 * yen_of("事業費への交付金"), 2 * yen_of("運用費への交付金")), (yen_of("事業費"), yen_of("運用費")));
    assert_eq!(bears("nagai_company_placement", Component::Salary), Payer::Company);
    assert_eq!(bears("nagai_company_placement", Component::Travel), Payer::Host);
    let postings = preset("nagai_company_placement").rules.postings.unwrap();
    assert_eq!((postings.days_a_month, postings.longest_months), (Some(4), Some(24)));
    assert!(preset("nagai_company_placement").rules.payers.iter().all(|rule| rule.rest != Payer::NationalBody));
}

/// P-E. Ehime: amounts are kept from everybody but the owner, and none is ever reckoned.
#[test]
fn ehime_computes_nothing() {
    let ehime = preset("ehime_council_pool").rules;
    assert!(ehime.amounts_undisclosed && ehime.fee_table.must_be_entered());
}

/// P-F. The ministry's advisors and those of the finance body cost the host nothing but the venue; 3 days, 600 minutes.
#[test]
fn national_schemes_pay_fee_and_travel() {
    for code in ["mic_regional_advisor", "management_finance_advisor"] {
        assert_eq!(bears(code, Component::Honorarium), Payer::NationalBody);
        assert_eq!(bears(code, Component::Travel), Payer::NationalBody);
        assert_eq!(bears(code, Component::Venue), Payer::Host);
        assert!(preset(code).rules.fee_table.must_be_entered(), "{code}: unpublished");
    }
    assert_eq!(preset("mic_regional_advisor").rules.report_due_days, 7);
}

/// P-G. Aichi: the prefecture pays the training, each municipality its own way there.
#[test]
fn aichi_s_municipalities_pay_their_own_travel() {
    assert_eq!(bears("aichi_joint_training", Component::Travel), Payer::Requester);
    for component in [Component::VendorFee, Component::Honorarium, Component::Venue, Component::Materials] {
        assert_eq!(bears("aichi_joint_training", component), Payer::Prefecture);
    }
    assert_eq!(figure("aichi_joint_training", "初期費用").yen, 10_354_000);
}

#[test]
fn oita_pays_half_up_to_four_hundred_thousand_and_seventy_percent_is_a_memo() {
    assert_eq!(
        split("oita_vendor_subsidy", Component::VendorFee, 600_000),
        [(Payer::Prefecture, 300_000), (Payer::Host, 300_000)]
    );
    assert_eq!(
        split("oita_vendor_subsidy", Component::VendorFee, 1_000_000),
        [(Payer::Prefecture, 400_000), (Payer::Host, 600_000)]
    );
    let memo = &preset("oita_vendor_subsidy").rules.allocation_tax[0];
    assert_eq!(memo.estimate(yen(600_000).unwrap()).unwrap().get(), 420_000);
}

#[test]
fn miyake_can_pay_nothing_and_counts_outcomes() {
    assert_eq!(fee_of("side_job_advisors", 120), 0);
    let rules = preset("side_job_advisors").rules;
    let codes: Vec<&str> = rules.outcome_counters.iter().map(|counter| counter.code.as_str()).collect();
    assert_eq!(codes, ["meetings", "issues", "ideas"]);
}

#[test]
fn fukushima_s_fee_is_agreed_up_to_fifty_thousand() {
    assert_eq!(preset("fukushima_area_advisor").rules.fee_table, FeeTable::Agreed { cap: Some(yen(50_000).unwrap()) });
    assert_eq!(bears("fukushima_area_advisor", Component::Honorarium), Payer::Prefecture);
}

/// Placed people of companies: the host's contribution up to 5.6 million a year is what the memo looks at.
#[test]
fn the_memo_of_a_placed_person_is_capped() {
    let rules = preset("regional_revitalizer").rules;
    let of = |i: usize, cost: i64| rules.allocation_tax[i].estimate(yen(cost).unwrap()).unwrap().get();
    assert_eq!((of(0, 5_000_000), of(0, 8_000_000)), (5_000_000, 5_600_000));
    assert_eq!((of(1, 1_500_000), of(2, 800_000)), (500_000, 400_000));
    assert_eq!(rules.payer_rule(Component::Salary).first_paid_by, Some(Payer::Company));
    assert_eq!(rules.postings.unwrap().longest_months, Some(36));
    let power = preset("regional_power_advisor");
    assert_eq!(power.rules.allocation_tax[0].estimate(yen(6_000_000).unwrap()).unwrap().get(), 5_600_000);
    assert_eq!(preset("regional_creation_staff").rules.postings.unwrap().longest_months, Some(24));
}
