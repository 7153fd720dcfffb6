use chrono::{DateTime, Utc};

use super::*;
use crate::pools::presets;
use crate::pools::rules::IntakeWindow;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn jst(text: &str) -> UtcTime {
    let instant: DateTime<chrono::FixedOffset> = DateTime::parse_from_rfc3339(&format!("{text}+09:00")).unwrap();
    UtcTime::new(instant.with_timezone(&Utc))
}

fn rules() -> ProgrammeRules {
    let mut rules = presets::all().unwrap().remove(0).rules;
    rules.limits.clear();
    rules.windows.clear();
    rules
}

fn case(rules: &ProgrammeRules) -> Case<'_> {
    Case {
        rules,
        origin: Origin::Requested,
        applicant_kind: OrganisationKind::Town,
        membership: Membership::Member,
        participants: Vec::new(),
        activity_kind: ActivityKind::Visit,
        period_from: day("2026-05-01"),
        period_to: day("2026-07-31"),
        mix: Mix::asked(Mode::Onsite, 3, 120),
        arrives_at: jst("2026-04-10T10:00:00"),
        today: day("2026-04-10"),
        filed_by_owner: false,
        theme_key: "窓口".to_owned(),
        experts: vec![ExpertId(1), ExpertId(2)],
        others: Vec::new(),
    }
}

fn refused(case: &Case<'_>) -> Vec<(&'static str, String)> {
    ON_SUBMIT.iter().flat_map(|policy| policy(case)).map(|refusal| (refusal.rule, refusal.pointer)).collect()
}

fn rule(name: &'static str, pointer: &str) -> Vec<(&'static str, String)> {
    vec![(name, pointer.to_owned())]
}

#[test]
fn an_ordinary_request_is_refused_by_nothing() {
    assert_eq!(refused(&case(&rules())), []);
}

#[test]
fn kinds_that_the_programme_does_not_name_may_neither_apply_nor_take_part() {
    let rules = rules();
    let mut case = case(&rules);
    case.applicant_kind = OrganisationKind::Company;
    case.participants = vec![(OrganisationKind::City, Membership::Member), (OrganisationKind::Company, Membership::Member)];
    assert_eq!(
        refused(&case),
        [
            ("applicant_kind", "/applicant_organisation_id".to_owned()),
            ("applicant_kind", "/participant_organisation_ids/1".to_owned())
        ]
    );
    case.origin = Origin::Offered;
    assert_eq!(refused(&case), [], "the prefecture's own event invites whom it likes");
}

#[test]
fn bodies_outside_the_pool_are_refused_on_the_day() {
    let rules = rules();
    let mut case = case(&rules);
    case.membership = Membership::Outside;
    case.participants = vec![(OrganisationKind::City, Membership::Outside)];
    assert_eq!(
        refused(&case),
        [
            ("pool_membership", "/applicant_organisation_id".to_owned()),
            ("pool_membership", "/participant_organisation_ids/0".to_owned())
        ]
    );
}

#[test]
fn standing_follows_the_parent_body_and_for_free_bodies_the_prefecture() {
    let (prefecture, city, other) = (OrganisationId(1), OrganisationId(10), OrganisationId(2));
    let owner = Body { id: prefecture, kind: OrganisationKind::Prefecture, parent: None, prefecture: Some(prefecture) };
    let standing =
        |kind, id, parent, place| membership(&Body { id: OrganisationId(id), kind, parent, prefecture: place }, &owner, &[city]);
    use OrganisationKind as K;
    assert_eq!(membership(&owner, &owner, &[]), Membership::Owner);
    assert_eq!(standing(K::City, 10, None, Some(prefecture)), Membership::Member);
    assert_eq!(standing(K::Town, 11, None, Some(prefecture)), Membership::Outside);
    assert_eq!(standing(K::School, 20, Some(city), Some(prefecture)), Membership::ParentIsMember);
    assert_eq!(standing(K::BoardOfEducation, 20, Some(prefecture), Some(prefecture)), Membership::ParentIsMember);
    assert_eq!(standing(K::School, 20, Some(OrganisationId(11)), Some(prefecture)), Membership::Outside);
    assert_eq!(standing(K::Npo, 21, None, Some(prefecture)), Membership::SamePrefecture);
    assert_eq!(standing(K::Npo, 21, None, Some(other)), Membership::Outside);
    assert_eq!(standing(K::Npo, 21, None, None), Membership::Outside);
    assert_eq!(standing(K::Company, 22, None, Some(prefecture)), Membership::Outside);
    assert_eq!(standing(K::Town, 12, Some(city), Some(prefecture)), Membership::Outside, "a municipality stands for itself");
}

#[test]
fn an_activity_that_is_not_offered_is_refused() {
    let rules = rules();
    let mut case = case(&rules);
    case.activity_kind = ActivityKind::Community;
    assert_eq!(refused(&case), rule("activity_kind", "/activity_kind"));
}

#[test]
fn a_window_that_closes_at_three_takes_the_second_before_and_refuses_three() {
    let mut rules = rules();
    rules.windows = vec![
        IntakeWindow { opens_at: jst("2026-04-01T09:00:00"), closes_at: jst("2026-04-30T15:00:00") },
        IntakeWindow { opens_at: jst("2026-05-11T09:00:00"), closes_at: jst("2026-05-29T15:00:00") },
    ];
    let at = |instant: &str| {
        let mut case = case(&rules);
        case.arrives_at = jst(instant);
        case
    };
    assert_eq!(refused(&at("2026-04-30T14:59:59")), []);
    assert_eq!(refused(&at("2026-04-30T14:59:59.999999")), []);
    assert_eq!(refused(&at("2026-04-30T15:00:00")), rule("intake_window", "/submitted_at"));
    assert_eq!(refused(&at("2026-04-01T08:59:59")), rule("intake_window", "/submitted_at"));
    assert_eq!(refused(&at("2026-04-01T09:00:00")), []);
    let refusal = intake_window(&at("2026-04-30T15:00:00")).remove(0);
    assert!(
        refusal.ja.contains("2026-04-30 15:00に締め切り") && refusal.ja.contains("次の受付は2026-05-11 09:00"),
        "{}",
        refusal.ja
    );
    let mut offered = at("2026-04-30T15:00:00");
    offered.origin = Origin::Offered;
    assert_eq!(refused(&offered), []);
}

#[test]
fn a_period_across_the_first_of_april_is_to_be_filed_as_two() {
    let rules = rules();
    let mut case = case(&rules);
    (case.period_from, case.period_to) = (day("2027-02-01"), day("2027-03-31"));
    assert_eq!(refused(&case), []);
    case.period_to = day("2027-04-01");
    assert_eq!(refused(&case), rule("period_crosses_fiscal_year", "/period_to"));
    assert!(period(&case)[0].ja.contains("2件"));
}

#[test]
fn a_period_that_is_over_can_only_be_entered_by_the_office() {
    let rules = rules();
    let mut case = case(&rules);
    case.today = day("2026-07-31");
    assert_eq!(refused(&case), []);
    case.today = day("2026-08-01");
    assert_eq!(refused(&case), rule("period_is_over", "/period_to"));
    case.filed_by_owner = true;
    assert_eq!(refused(&case), []);
}

#[test]
fn days_on_site_count_mixed_visits_and_not_online_ones() {
    let mut rules = rules();
    rules.limits = vec![Limit::OnsiteDays { max: 3 }, Limit::OnlineMinutes { max: 600 }];
    let with = |mix| {
        let mut case = case(&rules);
        case.mix = mix;
        case
    };
    assert_eq!(refused(&with(Mix::asked(Mode::Onsite, 3, 480))), []);
    assert_eq!(refused(&with(Mix::asked(Mode::Onsite, 4, 60))), rule("onsite_days", "/visit_count"));
    assert_eq!(refused(&with(Mix::asked(Mode::Hybrid, 4, 60))), rule("onsite_days", "/visit_count"));
    assert_eq!(refused(&with(Mix::asked(Mode::Online, 10, 60))), []);
    assert_eq!(refused(&with(Mix::asked(Mode::Online, 11, 60))), rule("online_minutes", "/minutes_per_visit"));
}

#[test]
fn planned_visits_are_counted_as_they_are() {
    let (first, second) = (Some(day("2026-06-01")), Some(day("2026-06-02")));
    let mix = Mix::planned(&[
        (first, Mode::Onsite, 120),
        (first, Mode::Hybrid, 60),
        (second, Mode::Online, 700),
        (None, Mode::Onsite, 90),
        (None, Mode::Onsite, 90),
    ]);
    assert_eq!(mix, Mix { visits: 5, onsite_days: 3, online_only: false, minutes: 1060, longest: 700 });
    assert!(Mix::planned(&[(second, Mode::Online, 60)]).online_only);
}

#[test]
fn visits_and_their_length_have_their_own_limits() {
    let mut rules = rules();
    rules.limits = vec![Limit::Visits { max: 5 }, Limit::MinutesPerVisit { max: 180 }];
    let mut case = case(&rules);
    case.mix = Mix::asked(Mode::Online, 5, 180);
    assert_eq!(refused(&case), []);
    case.mix = Mix::asked(Mode::Online, 6, 181);
    assert_eq!(refused(&case), [("visits", "/visit_count".to_owned()), ("minutes_per_visit", "/minutes_per_visit".to_owned())]);
}

#[test]
fn a_body_has_so_many_requests_a_year() {
    let mut rules = rules();
    rules.limits = vec![Limit::RequestsPerYear { max: 2 }];
    let mut case = case(&rules);
    let other = Other { theme_key: "別".to_owned(), experts: Vec::new() };
    case.others = vec![other.clone()];
    assert_eq!(refused(&case), []);
    case.others = vec![other.clone(), other];
    assert_eq!(refused(&case), rule("requests_per_year", "/applicant_organisation_id"));
}

#[test]
fn the_same_expert_comes_for_the_same_theme_so_often_a_year() {
    let mut rules = rules();
    rules.limits = vec![Limit::SameThemeAndExpert { max_per_year: 1 }];
    let mut case = case(&rules);
    case.others = vec![
        Other { theme_key: "窓口".to_owned(), experts: vec![ExpertId(3)] },
        Other { theme_key: "別".to_owned(), experts: vec![ExpertId(1), ExpertId(2)] },
    ];
    assert_eq!(refused(&case), []);
    case.others.push(Other { theme_key: "窓口".to_owned(), experts: vec![ExpertId(2)] });
    assert_eq!(refused(&case), rule("same_theme_and_expert", "/preferred_expert_ids/1"));
}

#[test]
fn all_refusals_come_at_once() {
    let mut rules = rules();
    rules.limits = vec![Limit::Visits { max: 1 }];
    let mut case = case(&rules);
    case.applicant_kind = OrganisationKind::Company;
    case.membership = Membership::Outside;
    case.activity_kind = ActivityKind::Community;
    let error = check(ON_SUBMIT, &case).unwrap_err();
    assert_eq!(error.code, ErrorCode::RuleRefused);
    let codes: Vec<&str> = error.fields.iter().map(|field| field.code).collect();
    assert_eq!(codes, ["applicant_kind", "pool_membership", "activity_kind", "visits"]);
    assert!(check(ON_ACCEPT, &case).is_err());
}
