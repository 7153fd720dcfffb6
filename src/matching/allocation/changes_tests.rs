//! Changes against brute force.

use super::changes::Changer;
use super::network::Change;
use super::parts::Parts;
use super::problem::Problem;
use super::report::ledger::Ledger;
use super::search::plan;
use super::tests::{Dice, brute_among, random};

/// A change holds: the plan after it keeps everything, and comes to what the change says.
fn holds(problem: &Problem, before: &[usize], change: &Change) -> Vec<usize> {
    let after = Ledger::new(problem, before).after(&change.added, &change.removed).expect("a change that keeps every limit");
    assert_eq!(problem.broken(&after), None);
    let (old, new) = (problem.objective(before), problem.objective(&after));
    assert_eq!(std::array::from_fn(|level| new[level] - old[level]), change.levels);
    after
}

#[test]
fn changes_keep_all_limits_and_are_mostly_the_cheapest() {
    let mut dice = Dice(77);
    let (mut served, mut instead, mut best, mut none) = (0, 0, 0, 0);
    for case in 0..400 {
        let (requests, experts, limits) = (2 + dice.roll(4), 1 + dice.roll(3), dice.roll(4));
        let problem = random(&mut dice, requests, experts, 2, limits, 70);
        let planned = plan(&problem, 2_000).unwrap();
        let parts = Parts::new(&problem);
        let mut changer = Changer::new(&parts, &planned.plan);
        for request in &problem.requests {
            let own = planned.plan.iter().copied().find(|pair| problem.pairs[*pair].request == request.id);
            let change = match own {
                Some(pair) => changer.instead(pair),
                None => changer.to_serve(request.id),
            };
            let wanted = |plan: &[usize]| {
                plan.iter().any(|pair| problem.pairs[*pair].request == request.id) && own.is_none_or(|own| !plan.contains(&own))
            };
            let possible = (0..problem.pairs.len())
                .any(|pair| problem.pairs[pair].request == request.id && Some(pair) != own && problem.broken(&[pair]).is_none());
            let Some(change) = change else {
                none += usize::from(possible);
                continue;
            };
            let after = holds(&problem, &planned.plan, &change);
            assert!(possible && wanted(&after), "{case} {change:?}");
            let cheapest = brute_among(&problem, &wanted);
            assert!(problem.objective(&after) >= cheapest, "{case}");
            best += usize::from(problem.objective(&after) == cheapest);
            *(if own.is_some() { &mut instead } else { &mut served }) += 1;
        }
    }
    println!("{served} served, {instead} instead, {best} cheapest, {none} not found");
    assert!(served > 150 && instead > 250 && none * 100 <= served + instead, "{served} {instead} {none}");
    assert!(best * 100 >= (served + instead) * 97, "{best} of {served} and {instead} are the cheapest");
}
