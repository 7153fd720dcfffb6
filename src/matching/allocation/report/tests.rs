//! Whatever is changed in a result, checking refuses it or proves no more than is true.

use serde_json::json;

use super::*;
use crate::matching::allocation::instance::tests::{Dice, random};
use crate::matching::allocation::instance::{Conversion, Instance};
use crate::matching::allocation::schema;
use crate::matching::allocation::search::plan;

const MAKING: Making<'_> = Making { engine: "test", by_clock: false, with_certificate: true };

fn made(instance: &Instance, work: u32) -> (Conversion, AllocationReport) {
    let conversion = instance.convert().unwrap();
    let planned = plan(&conversion.problem, work).unwrap();
    let report = report(instance, &conversion, &planned, MAKING).unwrap();
    (conversion, report)
}

/// A level's value as what is to be small.
fn raw(levels: &[ReportLevel], value: impl Fn(&ReportLevel) -> Option<i64>) -> Vec<i64> {
    levels.iter().map_while(|one| value(one).map(|value| shown(one.level, value))).collect()
}

/// What is proved is true: no plan is better than the bound, and levels that are called proved are those of the best plan.
fn is_true(verified: &Verified, best: &[i64], what: &str) {
    let values = raw(&verified.levels, |one| Some(one.value));
    assert!(values.as_slice() >= best, "{what}: better than the best");
    assert_eq!(values[..verified.proved_levels], best[..verified.proved_levels], "{what}");
    assert!(!verified.optimal || values == best, "{what}");
    let bounds = raw(&verified.levels, |one| one.bound);
    assert!(bounds.as_slice() <= &best[..bounds.len()], "{what}: a bound above the best: {bounds:?} {best:?}");
}

#[test]
fn an_honest_report_holds_and_reads_back() {
    let mut dice = Dice(1);
    let (mut changes, mut gaps) = (0, 0);
    for case in 0..1_000 {
        let instance = random(&mut dice);
        let work = if case % 3 == 0 { 1 } else { 5_000 };
        let (_, report) = made(&instance, work);
        let text = serde_json::to_vec(&report).unwrap();
        assert_eq!(AllocationReport::from_json(&text).unwrap(), report);
        let verified = check_report(&instance, &report).unwrap_or_else(|wrong| panic!("{case} {wrong:?} {report:?}"));
        assert_eq!((verified.basis, verified.claims_more), (Basis::Certificate, false));
        assert_eq!((&verified.levels, Some(verified.optimal)), (&report.levels, report.optimal));
        assert_eq!(verified.greedy, report.greedy);
        changes += report.unserved.iter().filter(|one| one.change.is_some()).count();
        gaps += usize::from(report.gap.is_some());
        // The same without a certificate proves nothing but what the circulation does, and is told so.
        let bare = AllocationReport { certificate: None, ..report.clone() };
        let (_, exact) = made(&instance, 100_000);
        let best = raw(&exact.levels, |one| Some(one.value));
        assert_eq!(exact.optimal, Some(true));
        let alone = check_report(&instance, &bare).unwrap();
        assert_eq!(alone.basis, Basis::Circulation);
        is_true(&alone, &best, "bare");
        assert!(alone.claims_more || alone.proved_levels >= verified.proved_levels);
        // Names and assignments alone are enough.
        let least = json!({"format": "tasuki-allocation-report/1", "assignments": report.assignments});
        let least = AllocationReport::from_json(least.to_string().as_bytes()).unwrap();
        assert_eq!(check_report(&instance, &least).unwrap().levels, alone.levels);
    }
    assert!(changes > 20 && gaps > 5, "{changes} {gaps}");
}

fn nudge(dice: &mut Dice, number: &mut i64) {
    *number += if dice.roll(2) == 0 { 1 + i64::from(dice.small(50)) } else { -1 - i64::from(dice.small(50)) };
}

/// Changes one thing; what it was.
fn mutate(dice: &mut Dice, instance: &Instance, report: &mut AllocationReport) -> &'static str {
    let some = |dice: &mut Dice, length: usize| usize::try_from(dice.roll(length.max(1) as u64)).unwrap();
    match dice.roll(12) {
        0 if !report.assignments.is_empty() => {
            report.assignments.remove(some(dice, report.assignments.len()));
            "an assignment less"
        }
        1 if !report.assignments.is_empty() => {
            let at = some(dice, report.assignments.len());
            report.assignments.push(report.assignments[at].clone());
            "an assignment twice"
        }
        2 | 3 if !instance.edges.is_empty() => {
            let edge = &instance.edges[some(dice, instance.edges.len())];
            report.assignments.retain(|one| one.request != edge.request);
            report.assignments.push(ReportAssignment {
                request: edge.request,
                expert: edge.expert,
                team: edge.team,
                others: Vec::new(),
            });
            "another assignment"
        }
        4 => {
            let at = some(dice, report.levels.len());
            nudge(dice, &mut report.levels[at].value);
            "another value"
        }
        5 => {
            let at = some(dice, report.levels.len());
            if let Some(bound) = &mut report.levels[at].bound {
                nudge(dice, bound);
            } else {
                report.levels[at].proved = true;
            }
            "another bound"
        }
        6 => {
            report.optimal = report.optimal.map(|optimal| !optimal);
            "optimal or not"
        }
        7 => {
            report.proved_levels = report.proved_levels.map(|levels| (levels + 1 + dice.small(9)) % 10);
            "other levels proved"
        }
        8 => {
            report.levels.swap(0, 3);
            "levels swapped"
        }
        9 if !report.unserved.is_empty() => {
            let at = some(dice, report.unserved.len());
            match &mut report.unserved[at].change {
                Some(change) if dice.roll(2) == 0 => drop(change.moves.pop()),
                Some(change) if !change.levels.is_empty() => nudge(dice, &mut change.levels[0].value),
                _ => drop(report.unserved.remove(at)),
            }
            "an unserved request"
        }
        _ => {
            // Anywhere in the certificate: a number is another, or something is missing.
            let mut cases = serde_json::to_value(&report.certificate.as_ref().unwrap().cases).unwrap();
            disturb(dice, &mut cases);
            if let Ok(cases) = serde_json::from_value(cases) {
                report.certificate = Some(ReportCertificate { cases });
            }
            "another certificate"
        }
    }
}

fn disturb(dice: &mut Dice, value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Array(items) if !items.is_empty() => {
            let at = usize::try_from(dice.roll(items.len() as u64)).unwrap();
            if dice.roll(12) == 0 {
                items.remove(at);
            } else {
                disturb(dice, &mut items[at]);
            }
        }
        serde_json::Value::Object(members) => {
            let at = usize::try_from(dice.roll(members.len().max(1) as u64)).unwrap();
            if let Some((_, member)) = members.iter_mut().nth(at) {
                disturb(dice, member);
            }
        }
        serde_json::Value::Number(_) => {
            let mut number = value.as_i64().unwrap_or(0);
            nudge(dice, &mut number);
            *value = json!(number);
        }
        _ => {}
    }
}

#[test]
fn a_report_that_was_changed_is_refused_or_proves_no_more_than_is_true() {
    let mut dice = Dice(2);
    let mut refused = std::collections::BTreeMap::new();
    let mut accepted = 0;
    for case in 0..4_000 {
        let instance = random(&mut dice);
        let (_, honest) = made(&instance, 100_000);
        let best = raw(&honest.levels, |one| Some(one.value));
        let mut other = honest.clone();
        let what = mutate(&mut dice, &instance, &mut other);
        if other == honest {
            continue;
        }
        match check_report(&instance, &other) {
            Err(wrong) => {
                assert!(!wrong.is_empty());
                *refused.entry(what).or_insert(0) += 1;
            }
            Ok(verified) => {
                accepted += 1;
                assert!(
                    !matches!(what, "another value" | "other levels proved" | "optimal or not" | "levels swapped"),
                    "{case} {what}"
                );
                is_true(&verified, &best, what);
                let claimed = AllocationReport { certificate: None, ..other };
                assert!(claimed.optimal != Some(true) || verified.optimal, "{case} {what}");
            }
        }
    }
    assert!(refused.len() >= 9 && refused.values().all(|count| *count > 20) && accepted > 20, "{refused:?} {accepted}");
}

#[test]
fn the_example_is_explained() {
    let instance = Instance::from_json(schema::EXAMPLE.as_bytes()).unwrap();
    let (_, report) = made(&instance, 1_000);
    assert_eq!(report.optimal, Some(true));
    let reasons: Vec<(i64, ReportReason)> = report.unserved.iter().map(|one| (one.request, one.reason)).collect();
    assert!(
        reasons.contains(&(104, ReportReason::ImpossibleEdges)) && reasons.contains(&(105, ReportReason::NoEdge)),
        "{reasons:?}"
    );
    let strange = AllocationReport {
        assignments: vec![ReportAssignment { request: 104, expert: 11, team: 0, others: Vec::new() }],
        ..report.clone()
    };
    let wrong = check_report(&instance, &strange).unwrap_err();
    assert!(wrong.iter().any(|line| line.contains("Busy")), "{wrong:?}");
    let other = AllocationReport { instance_sha256: Some("0".repeat(64)), ..report };
    assert!(check_report(&instance, &other).unwrap_err()[0].contains("instance_sha256"));
}

#[test]
fn a_gap_is_rounded_up_and_bounds_end_where_nothing_is_proved() {
    let instance = Instance::from_json(schema::EXAMPLE.as_bytes()).unwrap();
    let problem = instance.problem().unwrap();
    let mut verdict = Verdict { value: [-3, 0, 0, 0, 0, 0, 0, 0, 0], bound: [-4, -9, 0, 0, 0, 0, 0, 0, 0], proved: 0, within: 0 };
    assert_eq!(gap(&problem, &verdict), Some(ReportGap { level: Level::Kept, permille: 334 }));
    let shown: Vec<Option<i64>> = levels(&problem, &verdict).iter().map(|one| one.bound).collect();
    assert_eq!(shown[..3], [Some(4), None, None]);
    verdict.value[0] = 0;
    assert_eq!(gap(&problem, &verdict).unwrap().permille, 4_000);
    verdict.bound = [i64::MIN; LEVELS];
    assert_eq!(gap(&problem, &verdict).unwrap().permille, i64::MAX);
    verdict.proved = LEVELS;
    assert_eq!(gap(&problem, &verdict), None);
}
