//! How even a plan is: between bodies, by size and by whether they were ever served, and between experts.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use super::views::{AllocationFairness, LoadRange, PopulationBand};

/// Least population of each band; the last band has no upper end.
const BANDS: [i64; 5] = [0, 10_000, 50_000, 100_000, 300_000];

/// How even a plan is, before and with it.
pub(super) fn fairness(facts: &Facts, plan: &[usize]) -> AllocationFairness {
    let problem = &facts.conversion.problem;
    let served: BTreeSet<i64> = plan.iter().map(|pair| problem.pairs[*pair].request).collect();
    let reached: BTreeSet<i64> =
        problem.requests.iter().filter(|request| served.contains(&request.id)).map(|request| request.body).collect();
    let never = || problem.bodies.iter().filter(|body| body.never_served);
    let before: BTreeMap<i64, u32> = problem.experts.iter().map(|expert| (expert.id, expert.load)).collect();
    let mut after = before.clone();
    for member in plan.iter().flat_map(|pair| problem.pairs[*pair].members()) {
        if let Some(load) = after.get_mut(&member) {
            *load = load.saturating_add(1);
        }
    }
    AllocationFairness {
        requests: count(problem.requests.len()),
        served: count(plan.len()),
        never_served_bodies: count(never().count()),
        never_served_reached: count(never().filter(|body| reached.contains(&body.id)).count()),
        by_population: bands(facts, &served, &reached),
        load_before: range(before.into_values().collect()),
        load_after: range(after.into_values().collect()),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn bands(facts: &Facts, served: &BTreeSet<i64>, reached: &BTreeSet<i64>) -> Vec<PopulationBand> {
    let problem = &facts.conversion.problem;
    // Bodies without a figure come last.
    let band_of = |body: i64| {
        facts.populations.get(&body).map_or(BANDS.len(), |people| BANDS.partition_point(|least| least <= people).max(1) - 1)
    };
    (0..=BANDS.len())
        .filter_map(|band| {
            let bodies: Vec<_> = problem.bodies.iter().filter(|body| band_of(body.id) == band).collect();
            let requests: Vec<_> = problem.requests.iter().filter(|request| band_of(request.body) == band).collect();
            (!bodies.is_empty()).then(|| PopulationBand {
                least: BANDS.get(band).copied(),
                below: BANDS.get(band + 1).copied(),
                bodies: count(bodies.len()),
                served_before: count(bodies.iter().filter(|body| body.served > 0).count()),
                served_after: count(bodies.iter().filter(|body| body.served > 0 || reached.contains(&body.id)).count()),
                requests: count(requests.len()),
                requests_served: count(requests.iter().filter(|request| served.contains(&request.id)).count()),
            })
        })
        .collect()
}

/// Least, most and Gini coefficient: Σ (2i − n − 1) x_i ÷ (n Σ x), for loads x in rising order.
fn range(mut loads: Vec<u32>) -> LoadRange {
    loads.sort_unstable();
    let count = i128::try_from(loads.len()).unwrap_or(0);
    let sum: i128 = loads.iter().map(|load| i128::from(*load)).sum();
    let weighted: i128 = (1_i128..).zip(&loads).map(|(place, load)| (2 * place - count - 1) * i128::from(*load)).sum();
    let gini = if sum == 0 { 0 } else { 1000 * weighted / (count * sum) };
    LoadRange {
        least: loads.first().copied().unwrap_or(0),
        most: loads.last().copied().unwrap_or(0),
        gini_permille: u32::try_from(gini).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gini_is_nothing_for_equal_loads_and_grows_with_what_one_alone_bears() {
        assert_eq!(range(vec![3, 3, 3]), LoadRange { least: 3, most: 3, gini_permille: 0 });
        assert_eq!(range(vec![0, 0, 0, 4]), LoadRange { least: 0, most: 4, gini_permille: 750 });
        assert_eq!(range(vec![1, 3]).gini_permille, 250);
        assert_eq!(range(Vec::new()).gini_permille, 0);
    }
}
