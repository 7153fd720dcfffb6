//! Linear programs, parts of problems, and what they prove, against brute force.

use super::check::check;
use super::hours_tests::by_prices;
use super::master::Master;
use super::parts::Parts;
use super::portion::Portion;
use super::pricing::{Goal, Held, Pricer};
use super::problem::LEVELS;
use super::program::{Program, Row};
use super::search::greedy;
use super::tests::{Dice, brute, random};

/// A program is solved where its prices say as much as its solution costs and nothing is worth it any more, also after columns
/// have come in and others must not be used.
#[test]
fn programs_are_solved_and_their_prices_say_so() {
    let mut dice = Dice(5);
    let cases = if std::env::var_os("TEST_FULL").is_some() { 3_000 } else { 300 };
    for case in 0..cases {
        let many = 1 + dice.small(8) as usize;
        let rights: Vec<f64> = (0..many).map(|_| f64::from(dice.small(7)) - 2.0).collect();
        let rows = rights.iter().map(|right| Row { right: *right, less: dice.roll(2) == 0, penalty: 100.0 }).collect();
        let mut program = Program::new(rows);
        let mut columns: Vec<(u32, f64, Vec<(u32, f64)>)> = Vec::new();
        for round in 0..4 {
            for _ in 0..1 + dice.roll(6) {
                let cost = f64::from(dice.small(21)) - 5.0;
                let mut rows: Vec<(u32, f64)> = Vec::new();
                for row in 0..u32::try_from(many).unwrap() {
                    if dice.roll(2) == 0 {
                        rows.push((row, f64::from(1 + dice.small(3))));
                    }
                }
                if !rows.is_empty() {
                    columns.push((program.add(cost, rows.clone()), cost, rows));
                }
            }
            let barred: Vec<bool> = columns.iter().map(|_| round > 0 && dice.roll(4) == 0).collect();
            columns.iter().zip(&barred).for_each(|((column, ..), barred)| program.bar(*column, *barred));
            assert!(program.solve(1_000), "{case}");
            let worth: f64 = program.prices().iter().zip(&rights).map(|(price, right)| price * right).sum();
            assert!((worth - program.cost()).abs() < 1e-3, "{case} {worth} {}", program.cost());
            for ((column, cost, rows), barred) in columns.iter().zip(&barred) {
                let reduced = rows.iter().fold(*cost, |sum, (row, by)| sum - program.prices()[*row as usize] * by);
                assert!(*barred || reduced > -1e-5, "{case} {reduced}");
                assert!(!barred || program.amount(*column) < 1e-5, "{case}");
            }
        }
    }
}

/// Whatever the program says, what its prices prove is true at every level.
#[test]
fn prices_of_programs_never_say_more_than_is_true() {
    let mut dice = Dice(6);
    let (mut tight, mut all) = (0, 0);
    let cases = if std::env::var_os("TEST_FULL").is_some() { 3_000 } else { 100 };
    for case in 0..cases {
        let (requests, experts, bodies, limits) = (1 + dice.roll(5), 1 + dice.roll(3), 1 + dice.roll(3), dice.roll(4));
        let problem = random(&mut dice, requests, experts, bodies, limits, 70);
        let best = brute(&problem);
        let parts = Parts::new(&problem);
        let (mut pricer, held) = (Pricer::new(&parts), Held::new(&parts));
        for level in 0..LEVELS {
            let goal = Goal { level, values: best };
            let mut master = Master::new(&parts, goal);
            let found = master.run(&mut pricer, &held, None, (50, u64::MAX, true), (&|_| false, &|| false)).unwrap();
            let bound = goal.rounded(found.bound, parts.step(level));
            assert!(bound <= best[level], "{case} {level} {bound} {best:?} {problem:?}");
            tight += usize::from(bound == best[level]);
            all += 1;
        }
    }
    assert!(tight * 100 > all * 90, "{tight} of {all}");
}

/// With limits of all kinds, what a small problem comes to is found and proved on all nine levels.
#[test]
fn small_problems_are_proved_on_all_levels() {
    let mut dice = Dice(7);
    let (mut optimal, cases) = (0, if std::env::var_os("TEST_FULL").is_some() { 3_000 } else { 100 });
    for case in 0..cases {
        let (requests, experts, bodies, limits) = (1 + dice.roll(5), 1 + dice.roll(3), 1 + dice.roll(3), 1 + dice.roll(4));
        let problem = random(&mut dice, requests, experts, bodies, limits, 70);
        let planned = by_prices(&problem, 200);
        let verdict = check(&problem, &planned).unwrap();
        assert_eq!(verdict.value[..verdict.proved], brute(&problem)[..verdict.proved], "{case} {problem:?}");
        optimal += usize::from(verdict.is_optimal());
    }
    assert!(optimal * 100 >= cases * 97, "{optimal} of {cases}");
}

/// Plans of a part are plans of the whole, and differ by the same.
#[test]
fn a_part_says_what_the_whole_says() {
    let mut dice = Dice(8);
    for _ in 0..200 {
        let limits = dice.roll(5);
        let problem = random(&mut dice, 8, 4, 4, limits, 60);
        let parts = Parts::new(&problem);
        let plan = greedy(&problem);
        let held = Held::new(&parts);
        let free: Vec<u32> = (0..4).filter(|_| dice.roll(2) == 0).collect();
        let portion = Portion::new(&parts, &plan, &free, &held);
        let inside = portion.within(&plan);
        assert_eq!(portion.beyond(&inside), plan);
        let other = greedy(&portion.problem);
        assert_eq!(portion.problem.broken(&other), None);
        let whole = portion.beyond(&other);
        assert_eq!(problem.broken(&whole), None);
        let (a, b) = (problem.objective(&plan), problem.objective(&whole));
        let (c, d) = (portion.problem.objective(&inside), portion.problem.objective(&other));
        for level in 0..LEVELS {
            assert_eq!(b[level] - a[level], d[level] - c[level], "{level} {problem:?} {plan:?} {whole:?}");
        }
    }
}
