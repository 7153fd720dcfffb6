//! Tests of the conditions, the score and the properties every ranking has.

use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;
use crate::calendar::FiscalYear;

const TOWN: i64 = 100;
const PREFECTURE: i64 = 22;

/// A day of June 2026; 1 June is a Monday.
pub(super) fn june(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, day).unwrap()
}

fn visit(day: u32, start_hour: u16, minutes: u32) -> PlannedVisit {
    PlannedVisit { day: Some(june(day)), start_minute: Some(start_hour * 60), minutes }
}

pub(super) fn skill(skill_item_id: i64, min_level: u8, must: bool) -> SkillNeed {
    SkillNeed {
        skill_item_id,
        name: format!("スキル{skill_item_id}"),
        min_level,
        must,
        alternative_group: None,
        verified_only: false,
    }
}

pub(super) fn held(skill_item_id: i64, level: u8, verified: bool) -> CandidateSkill {
    CandidateSkill { skill_item_id, level, verified }
}

/// One visit of three hours somewhere in June, on site, nothing else asked.
pub(super) fn need() -> Need {
    Need {
        request_id: 1,
        required: Vec::new(),
        mode: NeedMode::Onsite,
        visits: vec![PlannedVisit { day: None, start_minute: None, minutes: 180 }],
        period_from: june(1),
        period_to: june(30),
        site: None,
        municipality_id: TOWN,
        parent_id: None,
        prefecture_id: PREFECTURE,
        wished_experts: Vec::new(),
        conflict_org_ids: Vec::new(),
        on_island: false,
        languages: Vec::new(),
        experts_needed: 1,
        rotation: false,
        buffer_minutes: 0,
        same_theme: None,
        weights: Weights::default(),
    }
}

/// An expert whom nothing excludes.
pub(super) fn candidate(expert_id: i64) -> Candidate {
    Candidate {
        expert_id,
        status: CandidateStatus::Registered,
        skills: Vec::new(),
        onsite: true,
        online: true,
        areas: Vec::new(),
        base: None,
        appointed_from: None,
        appointed_to: None,
        leaves: Vec::new(),
        weekly: Vec::new(),
        exceptions: Vec::new(),
        busy: Vec::new(),
        month_loads: Vec::new(),
        month_capacity_minutes: None,
        year_loads: Vec::new(),
        year_capacity_minutes: None,
        simultaneous: 0,
        simultaneous_capacity: None,
        week_loads: Vec::new(),
        week_capacity_minutes: None,
        year_days: Vec::new(),
        year_capacity_days: None,
        languages: vec!["ja".to_owned()],
        serves_islands: true,
        consent: Consent::NotNeeded,
        own_body: None,
        conflicts: Vec::new(),
        evidence_visits: 0,
        answers: Answers::default(),
        past_visits_with_municipality: 0,
        programme_limit: None,
    }
}

fn exclusions(need: &Need, candidate: &Candidate) -> Vec<Exclusion> {
    super::exclusions(&Asked::of(need), candidate)
}

fn codes(need: &Need, candidate: &Candidate) -> Vec<ExclusionCode> {
    exclusions(need, candidate).iter().map(|e| e.code).collect()
}

fn conflict(organisation_id: i64, kind: ConflictKind) -> Conflict {
    Conflict { organisation_id, kind, from: june(1), to: None }
}

fn points(need: &Need, candidate: &Candidate, code: ScorePartCode) -> u32 {
    let ranking = rank(need, std::slice::from_ref(candidate));
    let found = ranking.candidates[0].parts().into_iter().find(|p| p.code == code);
    found.unwrap().points
}

#[test]
fn an_expert_without_ties_is_eligible() {
    assert_eq!(codes(&need(), &candidate(1)), []);
}

#[test]
fn standing_and_appointment() {
    let with = |change: fn(&mut Candidate)| {
        let mut expert = candidate(1);
        change(&mut expert);
        codes(&need(), &expert)
    };
    use ExclusionCode::*;
    assert_eq!(with(|e| e.status = CandidateStatus::Suspended), [Suspended]);
    assert_eq!(with(|e| e.status = CandidateStatus::NotRegistered), [NotRegistered]);
    assert_eq!(with(|e| e.appointed_from = june(30).succ_opt()), [AppointmentNotStarted]);
    assert_eq!(with(|e| e.appointed_from = Some(june(30))), []);
    assert_eq!(with(|e| e.appointed_to = june(1).pred_opt()), [AppointmentEnded]);
    assert_eq!(with(|e| e.appointed_to = Some(june(1))), []);
    assert_eq!(with(|e| e.leaves = vec![(june(1), june(30))]), [OnLeave]);
    let split = |e: &mut Candidate| e.leaves = vec![(june(15), june(30)), (june(1), june(14))];
    assert_eq!(with(split), [OnLeave], "two leaves that meet cover the period");
    let gap = |e: &mut Candidate| e.leaves = vec![(june(1), june(13)), (june(15), june(30))];
    assert_eq!(with(gap), [], "a day between leaves is enough");
}

#[test]
fn skills_mode_area_and_conflict() {
    use ExclusionCode::*;
    let mut need = need();
    need.required = vec![skill(1, 3, true), skill(2, 1, false)];
    let mut expert = candidate(1);
    assert_eq!(codes(&need, &expert), [SkillsMissing], "the welcome skill does not exclude");
    expert.skills = vec![held(1, 2, true)];
    let found = exclusions(&need, &expert);
    assert_eq!(found[0].detail_ja, "必須スキルを満たしていません：スキル1（レベル3以上）");
    assert_eq!((found[0].params[0].name, found[0].params[0].value.as_str()), ("skill_item_ids", "1"));
    expert.skills = vec![held(1, 3, false)];
    assert_eq!(codes(&need, &expert), []);

    expert.onsite = false;
    expert.areas = vec![PREFECTURE + 1];
    assert_eq!(codes(&need, &expert), [ModeNotOffered, OutsideArea]);
    need.mode = NeedMode::Online;
    assert_eq!(codes(&need, &expert), [], "areas do not bind online work");
    need.mode = NeedMode::Hybrid;
    expert.areas = vec![TOWN];
    assert_eq!(codes(&need, &expert), [ModeNotOffered], "hybrid needs both");
    expert.onsite = true;
    expert.areas = vec![PREFECTURE];
    assert_eq!(codes(&need, &expert), [], "the prefecture contains the town");

    need.conflict_org_ids = vec![7, 8];
    expert.conflicts = vec![conflict(8, ConflictKind::Interest), conflict(9, ConflictKind::Interest)];
    assert_eq!(codes(&need, &expert), [ConflictOfInterest]);
    expert.conflicts = vec![conflict(TOWN, ConflictKind::Interest)];
    assert_eq!(codes(&need, &expert), [ConflictOfInterest]);
    expert.conflicts = vec![conflict(9, ConflictKind::Interest)];
    assert_eq!(codes(&need, &expert), []);
    expert.own_body = Some(TOWN);
    assert_eq!(codes(&need, &expert), [ConflictOfInterest], "nobody advises the own municipality");
    expert.own_body = Some(TOWN + 1);
    // A refusal binds between the two alone, an interest also where somebody else takes part.
    expert.conflicts = vec![conflict(7, ConflictKind::RefusedByExpert)];
    assert_eq!(codes(&need, &expert), []);
    for (kind, by) in [(ConflictKind::RefusedByExpert, "expert"), (ConflictKind::RefusedByBody, "body")] {
        expert.conflicts = vec![conflict(TOWN, kind)];
        let found = exclusions(&need, &expert);
        assert_eq!((found[0].code, found[0].params[0].value.as_str()), (Refused, by));
    }
    expert.conflicts[0].from = june(30).succ_opt().unwrap();
    assert_eq!(codes(&need, &expert), [], "not yet");
    expert.conflicts[0] = Conflict { to: Some(june(1)), ..conflict(TOWN, ConflictKind::Interest) };
    assert_eq!(codes(&need, &expert), [], "no longer: the end is the first day without it");
}

#[test]
fn a_date_excludes_only_when_none_is_possible() {
    use ExclusionCode::*;
    let mut need = need();
    // Wednesday 3 June at 10 and Thursday 4 June at 13, three hours each.
    need.visits = vec![visit(3, 10, 180), visit(4, 13, 180)];
    let busy = |day, start_minute, end_minute| BusySlot { day: june(day), start_minute, end_minute };
    let mut expert = candidate(1);
    expert.busy = vec![busy(3, 540, 601)];
    assert_eq!(codes(&need, &expert), []);
    assert_eq!(points(&need, &expert, ScorePartCode::Date), 70);
    expert.busy = vec![busy(3, 540, 600), busy(4, 960, 1000)];
    assert_eq!(points(&need, &expert, ScorePartCode::Date), 140, "touching is not overlapping");
    expert.busy = vec![busy(3, 540, 601), busy(4, 959, 1000)];
    assert_eq!(codes(&need, &expert), [CalendarBusy]);

    expert.busy = vec![busy(3, 540, 601)];
    expert.leaves = vec![(june(4), june(5))];
    assert_eq!(codes(&need, &expert), [NoDatePossible]);
    expert.leaves = vec![(june(3), june(4))];
    assert_eq!(codes(&need, &expert), [OnLeave]);
}

#[test]
fn weekly_hours_and_exceptions() {
    use ExclusionCode::*;
    let mut need = need();
    need.visits = vec![visit(3, 10, 180)];
    let mut expert = candidate(1);
    let window = |iso_weekday, start_minute, end_minute| WeeklyWindow { iso_weekday, start_minute, end_minute };
    expert.weekly = vec![window(3, 540, 720), window(3, 720, 780)];
    assert_eq!(codes(&need, &expert), [], "windows that touch are one");
    expert.weekly = vec![window(3, 540, 779)];
    assert_eq!(codes(&need, &expert), [OutsideAvailability]);
    expert.weekly = vec![window(2, 0, 1440)];
    assert_eq!(codes(&need, &expert), [OutsideAvailability]);
    let exception =
        |available, start_minute, end_minute| AvailabilityException { day: june(3), available, start_minute, end_minute };
    expert.exceptions = vec![exception(true, 600, 780)];
    assert_eq!(codes(&need, &expert), []);
    expert.exceptions.push(exception(false, 700, 701));
    assert_eq!(codes(&need, &expert), [OutsideAvailability], "taking out wins");

    need.visits[0].start_minute = None;
    expert.weekly = vec![window(3, 540, 1020)];
    expert.exceptions.clear();
    let busy = |start_minute, end_minute| BusySlot { day: june(3), start_minute, end_minute };
    expert.busy = vec![busy(600, 780)];
    assert_eq!(codes(&need, &expert), [], "13:00 to 17:00 is free");
    expert.busy = vec![busy(600, 900)];
    assert_eq!(codes(&need, &expert), [CalendarBusy], "no three hours are left in a row");
    need.visits[0].minutes = 481;
    assert_eq!(codes(&need, &expert), [OutsideAvailability]);
}

#[test]
fn capacities_and_the_programme_limit() {
    use ExclusionCode::*;
    let need = need();
    let mut expert = candidate(1);
    expert.month_capacity_minutes = Some(600);
    let month = |minutes| MonthLoad { year: 2026, month: 6, minutes };
    expert.month_loads = vec![month(420)];
    assert_eq!(codes(&need, &expert), [], "exactly three hours are left");
    expert.month_loads = vec![month(421)];
    assert_eq!(codes(&need, &expert), [MonthCapacity]);
    let mut longer = need.clone();
    longer.period_to = NaiveDate::from_ymd_opt(2026, 7, 31).unwrap();
    assert_eq!(codes(&longer, &expert), [], "July is empty");
    longer.visits = vec![visit(3, 10, 180)];
    assert_eq!(codes(&longer, &expert), [MonthCapacity], "but the date is in June");

    expert.month_capacity_minutes = None;
    expert.year_capacity_minutes = Some(1_000);
    let year = |minutes| YearLoad { fiscal_year: FiscalYear::new(2026).unwrap(), minutes };
    expert.year_loads = vec![year(820)];
    assert_eq!(codes(&need, &expert), []);
    expert.year_loads = vec![year(821)];
    assert_eq!(codes(&need, &expert), [FiscalYearCapacity]);

    let mut expert = candidate(1);
    (expert.simultaneous, expert.simultaneous_capacity) = (2, Some(2));
    assert_eq!(codes(&need, &expert), [SimultaneousCapacity]);
    expert.simultaneous_capacity = Some(3);
    expert.programme_limit = Some(super::ProgrammeLimit { used: 1, limit: 1 });
    assert_eq!(codes(&need, &expert), [ProgrammeLimit]);

    let mut idle = need.clone();
    idle.visits.clear();
    let mut full = candidate(1);
    full.month_capacity_minutes = Some(0);
    assert_eq!(codes(&idle, &full), [MonthCapacity], "no capacity is none, whatever is asked");
}

#[test]
fn skill_points_follow_the_documented_formula() {
    let mut need = need();
    need.required = vec![skill(1, 2, true), skill(2, 4, false)];
    let mut expert = candidate(1);
    let mut given = |skills: Vec<CandidateSkill>| {
        expert.skills = skills;
        points(&need, &expert, ScorePartCode::Skill)
    };
    assert_eq!(given(vec![held(1, 2, false)]), 350 * (2 * 70) / 300);
    assert_eq!(given(vec![held(1, 3, false)]), 350 * (2 * 80) / 300);
    assert_eq!(given(vec![held(1, 5, true)]), 350 * (2 * 100) / 300);
    assert_eq!(given(vec![held(1, 2, false), held(2, 2, true)]), 350 * (140 + 17) / 300);
    assert_eq!(given(vec![held(1, 4, true), held(2, 6, true)]), 350);
}

#[test]
fn travel_points_fall_from_twenty_to_four_hundred_kilometres() {
    let mut need = need();
    let place = |latitude_micro| Place::new(latitude_micro, 138_000_000);
    need.site = Some(place(35_000_000));
    // A degree of latitude is 111.195 km on the sphere used.
    let at_km = |km: i32| {
        let mut expert = candidate(1);
        expert.base = Some(place(35_000_000 + km * 8_993));
        points(&need, &expert, ScorePartCode::Travel)
    };
    assert_eq!((at_km(0), at_km(20), at_km(210), at_km(400), at_km(900)), (140, 140, 70, 0, 0));
    assert_eq!(at_km(21), 139);
    assert_eq!(points(&need, &candidate(1), ScorePartCode::Travel), 70, "unknown base");
    need.mode = NeedMode::Online;
    assert_eq!(points(&need, &candidate(1), ScorePartCode::Travel), 140);
}

#[test]
fn who_has_done_less_gets_more() {
    let need = need();
    let loaded = |expert_id, minutes| {
        let mut expert = candidate(expert_id);
        expert.year_capacity_minutes = Some(6_000);
        expert.year_loads = vec![YearLoad { fiscal_year: FiscalYear::new(2026).unwrap(), minutes }];
        expert
    };
    let ranking = rank(&need, &[loaded(1, 3_000), loaded(2, 600), loaded(3, 5_900)]);
    let found: Vec<_> = ranking.candidates.iter().map(|c| (c.expert_id, c.parts()[5].points)).collect();
    // Expert 3 has too little left and is no measure of evenness either.
    assert_eq!(found, [(2, 63 + 56), (1, 35)]);
    assert_eq!(ranking.excluded[0].0, 3);
    assert_eq!(ranking.candidates[0].parts()[5].detail_ja, "稼働枠の残り90%、年度内の従事600分（候補者の最多3000分）");
}

#[test]
fn the_wished_expert_comes_first_among_equals_and_ids_decide_ties() {
    let mut need = need();
    let order = |need: &Need| -> Vec<i64> {
        let experts = [candidate(3), candidate(1), candidate(2)];
        rank(need, &experts).candidates.iter().map(|c| c.expert_id).collect()
    };
    assert_eq!(order(&need), [1, 2, 3]);
    need.wished_experts = vec![3];
    assert_eq!(order(&need), [3, 1, 2]);
}

/// 100 for the first wish, 20 less for each further one, never under 20; nothing for those not wished for.
#[test]
fn every_place_in_the_list_of_wishes_counts() {
    let mut need = need();
    need.wished_experts = (1..=7).collect();
    let points = |id| points(&need, &candidate(id), ScorePartCode::Wish);
    assert_eq!([1, 2, 3, 4, 5, 6, 7, 8].map(points), [100, 80, 60, 40, 20, 20, 20, 0]);
}

#[test]
fn a_perfect_match_scores_a_thousand() {
    let mut need = need();
    need.required = vec![skill(1, 1, true)];
    need.visits = vec![visit(3, 10, 180)];
    need.wished_experts = vec![1];
    let here = Some(Place::new(34_976_944, 138_383_056));
    need.site = here;
    let mut expert = candidate(1);
    expert.base = here;
    expert.skills = vec![held(1, 3, true)];
    (expert.past_visits_with_municipality, expert.evidence_visits) = (9, 5);
    let ranking = rank(&need, &[expert]);
    assert_eq!(ranking.candidates[0].score, MAX_SCORE);
    assert_eq!(MAX_SCORE, 1000);
}

#[test]
fn alternatives_confirmed_skills_languages_and_islands() {
    use ExclusionCode::*;
    let mut need = need();
    let one_of = |id| SkillNeed { alternative_group: Some(1), ..skill(id, 2, true) };
    need.required = vec![one_of(1), one_of(2), skill(3, 1, true)];
    let mut expert = candidate(1);
    expert.skills = vec![held(2, 2, false), held(3, 1, false)];
    assert_eq!(codes(&need, &expert), [], "one of the alternatives is enough");
    expert.skills = vec![held(3, 1, false)];
    let found = exclusions(&need, &expert);
    assert_eq!(found[0].detail_ja, "必須スキルを満たしていません：スキル1（レベル2以上）またはスキル2（レベル2以上）");
    need.required = vec![SkillNeed { verified_only: true, ..skill(3, 1, true) }];
    assert_eq!(codes(&need, &expert), [SkillsMissing], "claimed is not enough");
    expert.skills = vec![held(3, 1, true)];
    assert_eq!(codes(&need, &expert), []);
    need.languages = vec!["en".to_owned()];
    need.on_island = true;
    expert.serves_islands = false;
    assert_eq!(codes(&need, &expert), [IslandNotServed, LanguageMissing]);
    need.mode = NeedMode::Online;
    expert.languages.push("en".to_owned());
    assert_eq!(codes(&need, &expert), [], "nobody travels for online work");
    // Of a team each must hold one of the skills.
    let mut team = need.clone();
    (team.experts_needed, team.required) = (2, vec![skill(3, 1, true), skill(4, 1, true)]);
    assert_eq!(codes(&team, &expert), []);
    expert.skills.clear();
    assert_eq!(codes(&team, &expert), [SkillsMissing]);
}

#[test]
fn work_on_the_side_needs_consent_and_keeps_within_the_week() {
    use ExclusionCode::*;
    let mut need = need();
    let mut expert = candidate(1);
    for (consent, expected) in [
        (Consent::Pending, Some(EmployerConsent)),
        (Consent::Given(None), None),
        (Consent::Given(Some(june(1))), None),
        (Consent::Given(june(1).pred_opt()), Some(EmployerConsent)),
    ] {
        expert.consent = consent;
        assert_eq!(codes(&need, &expert).first().copied(), expected, "{consent:?}");
    }
    need.visits = vec![visit(10, 10, 180)];
    expert.consent = Consent::Given(Some(june(9)));
    assert_eq!(codes(&need, &expert), [EmployerConsent], "not on the wished day any more");
    expert.consent = Consent::NotNeeded;
    expert.week_capacity_minutes = Some(480);
    let week = |minutes| vec![WeekLoad { monday: june(8), minutes }];
    expert.week_loads = week(300);
    assert_eq!(codes(&need, &expert), [], "exactly three hours are left in the week of 8 June");
    expert.week_loads = week(301);
    assert_eq!(codes(&need, &expert), [WeekCapacity]);
    need.visits.push(visit(15, 10, 180));
    assert_eq!(codes(&need, &expert), [], "the next week is empty");
    expert.week_capacity_minutes = Some(179);
    assert_eq!(codes(&need, &expert), [WeekCapacity], "no week holds the visit");
    expert.week_capacity_minutes = None;
    expert.year_capacity_days = Some(3);
    expert.year_days = vec![YearDays { fiscal_year: FiscalYear::new(2026).unwrap(), days: 1 }];
    assert_eq!(codes(&need, &expert), []);
    expert.year_days[0].days = 2;
    assert_eq!(codes(&need, &expert), [FiscalYearDays]);
    (need.experts_needed, need.rotation) = (2, true);
    assert_eq!(codes(&need, &expert), [], "taking turns, each comes once");
}

#[test]
fn the_way_there_and_back_is_kept_free_as_well() {
    let mut need = need();
    need.visits = vec![visit(3, 10, 120)];
    let mut expert = candidate(1);
    // Held until 9:30, its own way back included.
    expert.busy = vec![BusySlot { day: june(3), start_minute: 480, end_minute: 570 }];
    need.buffer_minutes = 30;
    assert_eq!(codes(&need, &expert), []);
    need.buffer_minutes = 31;
    assert_eq!(codes(&need, &expert), [ExclusionCode::CalendarBusy]);
    need.mode = NeedMode::Online;
    assert_eq!(codes(&need, &expert), [], "nobody travels");
}

#[test]
fn experience_and_answers_count_and_newcomers_lose_nothing_by_silence() {
    let need = need();
    let mut expert = candidate(1);
    assert_eq!(points(&need, &expert, ScorePartCode::Response), 40);
    expert.answers = Answers { asked: 3, answered: 2 };
    assert_eq!(points(&need, &expert, ScorePartCode::Response), 40 * 2 / 3);
    (expert.evidence_visits, expert.past_visits_with_municipality) = (2, 3);
    assert_eq!(points(&need, &expert, ScorePartCode::Evidence), 50 * 2 / 5);
    assert_eq!(points(&need, &expert, ScorePartCode::Continuity), 40 * 3 / 5);
    let heavier = Need { weights: Weights { evidence: 0, load: 190, ..Weights::default() }, ..need };
    assert_eq!(points(&heavier, &expert, ScorePartCode::Evidence), 0);
    assert_eq!(points(&heavier, &expert, ScorePartCode::Load), 190, "an even field and no limit");
}

#[test]
fn near_misses_name_the_smallest_changes() {
    let mut need = need();
    need.required = vec![skill(1, 3, true), skill(2, 1, true)];
    need.visits = vec![visit(3, 10, 180)];
    let mut experts: Vec<Candidate> = (1..=6).map(candidate).collect();
    let away = vec![(june(3), june(3))];
    // 1 and 2 lack skill 2; 3 is away; 4 lacks a level of skill 1; 5 has a conflict; 6 lacks skill 2 and is away.
    for expert in &mut experts {
        expert.skills = vec![held(1, 3, false), held(2, 1, false)];
    }
    for place in [0, 1, 5] {
        experts[place].skills.truncate(1);
    }
    experts[2].leaves = away.clone();
    experts[5].leaves = away;
    experts[3].skills[0].level = 2;
    experts[4].conflicts = vec![conflict(TOWN, ConflictKind::Interest)];
    let found: Vec<(Vec<Relaxation>, Vec<i64>)> =
        near_misses(&need, &experts, 10).into_iter().map(|miss| (miss.relaxations, miss.expert_ids)).collect();
    let welcome = |id| Relaxation::SkillWelcome { skill_item_ids: vec![id] };
    assert_eq!(
        found,
        [
            (vec![welcome(2)], vec![1, 2]),
            (vec![Relaxation::LevelLower { skill_item_ids: vec![1] }], vec![4]),
            (vec![Relaxation::OtherDates], vec![3]),
            (vec![welcome(2), Relaxation::OtherDates], vec![1, 2, 3, 6]),
        ]
    );
    assert!(near_misses(&need, &[candidate(7)], 0).is_empty());
}

#[test]
fn codes_are_spelt_alike_everywhere() {
    let mut experts = vec![candidate(1), candidate(2)];
    experts[0].status = CandidateStatus::Suspended;
    experts[1].status = CandidateStatus::NotRegistered;
    experts[1].onsite = false;
    let ranking = rank(&need(), &experts);
    for (code, count) in &ranking.exclusion_counts() {
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        assert_eq!(*count, 1);
    }
    for policy in POLICIES {
        assert_eq!(serde_json::to_value(policy.code).unwrap(), policy.code.as_str());
        assert!(Reasons::default().with(policy.code).contains(policy.code));
        assert_eq!(POLICIES.iter().filter(|other| other.code == policy.code).count(), 1);
    }
    assert_eq!(ranking.exclusion_count_rows().len(), 3);
}

fn skills() -> impl Strategy<Value = Vec<CandidateSkill>> {
    prop::collection::vec((1i64..5, 1u8..6, any::<bool>()).prop_map(|(id, level, verified)| held(id, level, verified)), 0..5)
}

prop_compose! {
    fn any_candidate()(
        skills in skills(),
        (onsite, online) in (prop::bool::weighted(0.9), prop::bool::weighted(0.9)),
        areas in prop::collection::vec(99i64..102, 0..2),
        base in prop::option::of((33_000_000i32..43_000_000, 130_000_000i32..142_000_000)),
        (from, to) in (prop::option::of(1u32..=30), prop::option::of(1u32..=30)),
        leaves in prop::collection::vec((1u32..=30, 0u32..10), 0..2),
        weekly in prop::collection::vec((1u8..=7, 0u16..720, 720u16..=1440), 0..6),
        busy in prop::collection::vec((1u32..=30, 0u16..1000, 1u16..400), 0..6),
        (month, year) in (0u32..1_500, 0u32..9_000),
        (month_capacity, year_capacity) in (prop::option::of(0u32..3_000), prop::option::of(0u32..20_000)),
        (simultaneous, at_most, past) in (0u32..3, prop::option::of(0u32..4), 0u32..9),
        (suspended, islands, english) in (prop::bool::weighted(0.05), prop::bool::weighted(0.8), any::<bool>()),
        (week, days, consent) in (prop::option::of(0u32..900), prop::option::of(0u32..5), 0u32..8),
    ) -> Candidate {
        let mut expert = candidate(0);
        expert.skills = skills;
        (expert.onsite, expert.online, expert.areas) = (onsite, online, areas);
        expert.base = base.map(|(latitude, longitude)| Place::new(latitude, longitude));
        (expert.appointed_from, expert.appointed_to) = (from.map(june), to.map(june));
        expert.leaves = leaves.into_iter().map(|(day, days)| (june(day), june((day + days).min(30)))).collect();
        expert.weekly = weekly
            .into_iter()
            .map(|(iso_weekday, start_minute, end_minute)| WeeklyWindow { iso_weekday, start_minute, end_minute })
            .collect();
        expert.busy = busy
            .into_iter()
            .map(|(day, start, long)| BusySlot { day: june(day), start_minute: start, end_minute: start + long })
            .collect();
        expert.month_loads = vec![MonthLoad { year: 2026, month: 6, minutes: month }];
        expert.year_loads = vec![YearLoad { fiscal_year: FiscalYear::new(2026).unwrap(), minutes: year }];
        (expert.month_capacity_minutes, expert.year_capacity_minutes) = (month_capacity, year_capacity);
        (expert.simultaneous, expert.simultaneous_capacity) = (simultaneous, at_most);
        expert.past_visits_with_municipality = past;
        if suspended {
            expert.status = CandidateStatus::Suspended;
        }
        expert.serves_islands = islands;
        if english {
            expert.languages.push("en".to_owned());
        }
        expert.week_capacity_minutes = week;
        expert.week_loads = vec![WeekLoad { monday: june(8), minutes: 300 }];
        expert.year_capacity_days = days;
        expert.year_days = vec![YearDays { fiscal_year: FiscalYear::new(2026).unwrap(), days: 2 }];
        expert.consent = match consent {
            0 => Consent::Pending,
            1 => Consent::Given(Some(june(10))),
            2 => Consent::Given(None),
            _ => Consent::NotNeeded,
        };
        (expert.answers, expert.evidence_visits) = (Answers { asked: past, answered: past / 2 }, simultaneous);
        expert
    }
}

/// Experts of whom some are alike but for the id, so that ties occur.
fn any_candidates() -> impl Strategy<Value = Vec<Candidate>> {
    prop::collection::vec((any_candidate(), 1usize..=3), 0..12).prop_map(|kinds| {
        let mut experts: Vec<Candidate> = kinds.into_iter().flat_map(|(expert, copies)| vec![expert; copies]).collect();
        for (expert_id, expert) in (1..).zip(&mut experts) {
            expert.expert_id = expert_id;
        }
        experts
    })
}

prop_compose! {
    fn any_need()(
        required in prop::collection::vec(
            (1i64..5, 1u8..4, prop::bool::weighted(0.3), prop::option::weighted(0.2, 1u8..3), prop::bool::weighted(0.2)), 0..3),
        (on_island, english, experts_needed, buffer_minutes) in
            (prop::bool::weighted(0.2), prop::bool::weighted(0.2), 1u32..3, prop::sample::select(vec![0u32, 60])),
        mode in prop::sample::select(vec![NeedMode::Onsite, NeedMode::Online, NeedMode::Hybrid]),
        visits in prop::collection::vec(
            (prop::option::of(1u32..=30), prop::option::of(480u16..1000), 1u32..400), 0..4),
        site in prop::option::of((33_000_000i32..43_000_000, 130_000_000i32..142_000_000)),
        wished_experts in prop::collection::vec(1i64..25, 0..4),
    ) -> Need {
        let mut need = need();
        need.required = required
            .into_iter()
            .map(|(id, level, must, alternative_group, verified_only)| SkillNeed {
                alternative_group,
                verified_only,
                ..skill(id, level, must)
            })
            .collect();
        (need.on_island, need.experts_needed, need.buffer_minutes) = (on_island, experts_needed, buffer_minutes);
        if english {
            need.languages.push("en".to_owned());
        }
        need.mode = mode;
        need.visits = visits
            .into_iter()
            .map(|(day, start_minute, minutes)| PlannedVisit { day: day.map(june), start_minute, minutes })
            .collect();
        need.site = site.map(|(latitude, longitude)| Place::new(latitude, longitude));
        need.wished_experts = wished_experts;
        need
    }
}

fn ids(ranking: &Ranking) -> Vec<i64> {
    let mut ids: Vec<i64> = ranking.candidates.iter().map(|c| c.expert_id).collect();
    ids.sort_unstable();
    ids
}

proptest! {
    #[test]
    fn the_order_of_the_candidates_does_not_matter(
        need in any_need(),
        (experts, shuffled) in any_candidates()
            .prop_flat_map(|experts| (Just(experts.clone()), Just(experts).prop_shuffle())),
    ) {
        prop_assert_eq!(rank(&need, &experts), rank(&need, &shuffled));
    }

    #[test]
    fn a_score_is_the_sum_of_its_parts_within_their_bounds(need in any_need(), experts in any_candidates()) {
        let ranking = rank(&need, &experts);
        for (place, ranked) in (1..).zip(&ranking.candidates) {
            prop_assert_eq!(ranked.rank, place);
            prop_assert_eq!(ranked.score, ranked.parts().iter().map(|p| p.points).sum::<u32>());
            prop_assert!(ranked.parts().iter().all(|p| p.points <= p.max));
            prop_assert_eq!(ranked.parts().iter().map(|p| p.max).sum::<u32>(), MAX_SCORE);
        }
        prop_assert!(ranking.candidates.is_sorted_by_key(|c| (std::cmp::Reverse(c.score), c.expert_id)));
    }

    #[test]
    fn everybody_is_either_ranked_or_excluded_with_reasons(need in any_need(), experts in any_candidates()) {
        let ranking = rank(&need, &experts);
        let mut seen = ids(&ranking);
        seen.extend(ranking.excluded.iter().map(|e| e.0));
        seen.sort_unstable();
        prop_assert_eq!(seen, (1..).take(experts.len()).collect::<Vec<i64>>());
        prop_assert!(ranking.excluded.iter().all(|(_, reasons)| !reasons.is_empty()));
        prop_assert_eq!(ranking.eligible_count, ranking.candidates.len());
        let asked = Asked::of(&need);
        for expert in &experts {
            let words = super::exclusions(&asked, expert);
            let reasons = reasons(&asked, expert);
            prop_assert!(words.iter().map(|exclusion| exclusion.code).eq(reasons.codes()));
            prop_assert_eq!(is_eligible(&asked, expert), reasons.is_empty());
        }
        let counted: u32 = ranking.exclusion_counts().values().sum();
        let listed: usize = ranking.excluded.iter().map(|e| e.1.codes().count()).sum();
        prop_assert_eq!(usize::try_from(counted).unwrap(), listed);
    }

    #[test]
    fn a_further_required_skill_never_adds_a_candidate(
        need in any_need(), experts in any_candidates(), id in 1i64..5, level in 1u8..6,
    ) {
        // Of a team only one skill is asked of each: a further one may let somebody in.
        let need = Need { experts_needed: 1, ..need };
        let before = ids(&rank(&need, &experts));
        let mut stricter = need.clone();
        stricter.required.push(skill(id, level, true));
        let after = ids(&rank(&stricter, &experts));
        prop_assert!(after.iter().all(|expert| before.contains(expert)));
    }

    #[test]
    fn more_held_time_never_adds_a_candidate(
        need in any_need(), expert in any_candidate(), day in 1u32..=30, start in 0u16..1000, long in 1u16..400,
    ) {
        let mut busier = expert.clone();
        busier.busy.push(BusySlot { day: june(day), start_minute: start, end_minute: start + long });
        prop_assert!(!exclusions(&need, &busier).is_empty() || exclusions(&need, &expert).is_empty());
    }

    #[test]
    fn an_eligible_expert_can_make_a_wished_date_if_there_is_one(need in any_need(), expert in any_candidate()) {
        if let [ranked] = &rank(&need, std::slice::from_ref(&expert)).candidates[..] {
            let dated = need.visits.iter().any(|visit| visit.day.is_some());
            prop_assert!(!dated || ranked.parts()[3].points > 0);
        }
    }

    #[test]
    fn the_best_by_index_are_the_best_of_all(need in any_need(), experts in any_candidates(), most in 0usize..6) {
        let mut all = rank(&need, &experts).candidates;
        all.truncate(most);
        prop_assert_eq!(Index::of(&experts).top(&Asked::of(&need), &experts, most), all);
    }

    /// Of some, as if there were no others.
    #[test]
    fn the_best_of_some_are_ranked_as_if_they_were_all(need in any_need(), experts in any_candidates(), most in 0usize..6) {
        let some: Vec<Candidate> = experts.iter().step_by(2).cloned().collect();
        let mut ranking = rank(&need, &some);
        ranking.candidates.truncate(most);
        prop_assert_eq!(best(&need, &experts, (0..experts.len()).step_by(2), most), ranking);
    }

    /// Whoever a near miss names cannot come as it is, and could with the changes; no part of the changes would do as well.
    #[test]
    fn near_misses_hold_what_they_promise(need in any_need(), experts in any_candidates()) {
        let eligible = ids(&rank(&need, &experts));
        let misses = near_misses(&need, &experts, 50);
        for miss in &misses {
            prop_assert!(!miss.expert_ids.is_empty() && (1..=3).contains(&miss.relaxations.len()));
            prop_assert!(miss.expert_ids.iter().all(|id| !eligible.contains(id)));
            let subset = |other: &NearMiss| other.relaxations.iter().all(|one| miss.relaxations.contains(one));
            let smaller = misses.iter().filter(|other| *other != miss && subset(other));
            for other in smaller {
                prop_assert!(miss.expert_ids.iter().any(|id| !other.expert_ids.contains(id)));
            }
            if let [Relaxation::OtherDates] = miss.relaxations[..] {
                let mut open = need.clone();
                open.visits.retain(|visit| visit.minutes > 0);
                open.visits.iter_mut().for_each(|visit| (visit.day, visit.start_minute) = (None, None));
                let then = ids(&rank(&open, &experts));
                let new: Vec<i64> = then.into_iter().filter(|id| !eligible.contains(id)).collect();
                prop_assert_eq!(&miss.expert_ids, &new);
            }
        }
    }
}
