//! How long ranking one request among 10,000 experts in memory takes: `cargo bench --bench rank`.
//!
//! Figures: the time of the best twenty with their parts (`Index::top`), the request's own preparation included, over requests
//! that ask for one to three skills on dated visits; and for comparison the time of ranking everybody (`rank`).

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]

use std::hint::black_box;
use std::time::Instant;

use chrono::NaiveDate;
use tasuki::calendar::FiscalYear;
use tasuki::matching::{
    Answers, Asked, BusySlot, Candidate, CandidateSkill, CandidateStatus, Consent, Index, MonthLoad, Need, NeedMode, Place,
    PlannedVisit, SkillNeed, Weights, YearLoad, rank,
};

const EXPERTS: usize = 10_000;
const SKILLS: u64 = 60;
const REQUESTS: usize = 200;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn small(&mut self, sides: u64) -> u32 {
        u32::try_from(self.roll(sides)).unwrap()
    }

    fn place(&mut self) -> Place {
        let (north, east) = (self.small(8_000_000), self.small(9_000_000));
        Place::new(32_000_000 + i32::try_from(north).unwrap(), 131_000_000 + i32::try_from(east).unwrap())
    }

    fn day(&mut self) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 6, 1 + self.small(30)).unwrap()
    }
}

fn expert(dice: &mut Dice, expert_id: i64) -> Candidate {
    let mut skills: Vec<CandidateSkill> = (0..2 + dice.roll(6))
        .map(|_| CandidateSkill {
            skill_item_id: i64::try_from(dice.roll(SKILLS)).unwrap(),
            level: u8::try_from(1 + dice.roll(5)).unwrap(),
            verified: dice.roll(2) == 0,
        })
        .collect();
    skills.sort_by_key(|skill| skill.skill_item_id);
    skills.dedup_by_key(|skill| skill.skill_item_id);
    let limited = dice.roll(2) == 0;
    let minutes = dice.small(6_000);
    Candidate {
        expert_id,
        status: if dice.roll(20) == 0 { CandidateStatus::Suspended } else { CandidateStatus::Registered },
        skills,
        onsite: dice.roll(10) > 0,
        online: dice.roll(10) > 0,
        areas: if dice.roll(3) == 0 { vec![1 + i64::from(dice.small(3))] } else { Vec::new() },
        base: Some(dice.place()),
        appointed_from: NaiveDate::from_ymd_opt(2026, 4, 1),
        appointed_to: None,
        leaves: if dice.roll(30) == 0 { vec![(dice.day(), NaiveDate::from_ymd_opt(2026, 7, 15).unwrap())] } else { Vec::new() },
        weekly: Vec::new(),
        exceptions: Vec::new(),
        busy: (0..dice.roll(3)).map(|_| BusySlot { day: dice.day(), start_minute: 540, end_minute: 780 }).collect(),
        month_loads: vec![MonthLoad { year: 2026, month: 6, minutes: minutes / 6 }],
        month_capacity_minutes: limited.then_some(1_200),
        year_loads: vec![YearLoad { fiscal_year: FiscalYear::new(2026).unwrap(), minutes }],
        year_capacity_minutes: limited.then_some(9_000),
        simultaneous: dice.small(4),
        simultaneous_capacity: limited.then_some(5),
        week_loads: Vec::new(),
        week_capacity_minutes: None,
        year_days: Vec::new(),
        year_capacity_days: None,
        languages: vec!["ja".to_owned()],
        serves_islands: true,
        consent: Consent::NotNeeded,
        own_body: None,
        conflicts: Vec::new(),
        evidence_visits: dice.small(6),
        answers: Answers { asked: 4, answered: dice.small(5) },
        past_visits_with_municipality: 0,
        programme_limit: None,
    }
}

fn request(dice: &mut Dice, request_id: i64) -> Need {
    let skill = |dice: &mut Dice, must| SkillNeed {
        skill_item_id: i64::try_from(dice.roll(SKILLS)).unwrap(),
        name: String::from("スキル"),
        min_level: u8::try_from(1 + dice.roll(3)).unwrap(),
        must,
        alternative_group: None,
        verified_only: false,
    };
    let visits =
        (0..1 + dice.roll(2)).map(|_| PlannedVisit { day: Some(dice.day()), start_minute: Some(600), minutes: 180 }).collect();
    Need {
        request_id,
        required: (0..1 + dice.roll(3)).map(|number| skill(dice, number < 1)).collect(),
        mode: NeedMode::Onsite,
        visits,
        period_from: NaiveDate::from_ymd_opt(2026, 6, 1).unwrap(),
        period_to: NaiveDate::from_ymd_opt(2026, 6, 30).unwrap(),
        site: Some(dice.place()),
        municipality_id: 1 + i64::from(dice.small(3)),
        parent_id: None,
        prefecture_id: 1,
        wished_experts: Vec::new(),
        conflict_org_ids: Vec::new(),
        on_island: false,
        languages: Vec::new(),
        experts_needed: 1,
        rotation: false,
        buffer_minutes: 60,
        same_theme: None,
        weights: Weights::default(),
    }
}

fn main() {
    let mut dice = Dice(20_261_126);
    let experts: Vec<Candidate> = (1..).take(EXPERTS).map(|id| expert(&mut dice, id)).collect();
    let index = Index::of(&experts);
    let needs: Vec<Need> = (1..).take(REQUESTS).map(|id| request(&mut dice, id)).collect();
    let mut micros: Vec<f64> = Vec::new();
    let mut found = 0;
    for round in 0..6 {
        for need in &needs {
            let start = Instant::now();
            let top = black_box(index.top(&Asked::of(need), &experts, 20));
            // The first round warms up.
            if round > 0 {
                micros.push(start.elapsed().as_secs_f64() * 1e6);
                found += top.len();
            }
        }
    }
    let start = Instant::now();
    for need in needs.iter().take(20) {
        black_box(rank(need, &experts));
    }
    let everybody = start.elapsed().as_secs_f64() * 1e6 / 20.0;
    micros.sort_by(f64::total_cmp);
    let mean = micros.iter().sum::<f64>() / micros.len() as f64;
    let at = |part: usize| micros[(micros.len() - 1) * part / 100];
    println!("{EXPERTS} experts, {REQUESTS} requests, {:.1} found of 20", found as f64 / micros.len() as f64);
    println!("best twenty with parts: mean {mean:.1} µs, median {:.1} µs, 99 % below {:.1} µs", at(50), at(99));
    println!("everybody ranked, the excluded with their reasons: {everybody:.0} µs");
}
