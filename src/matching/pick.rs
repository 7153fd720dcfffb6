//! The best for one request where earlier work is dear to look up: it is asked for only of those who could still be among them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::asked::Asked;
use super::dates::DayFit;
use super::explain::Ranked;
use super::input::{Candidate, Merits, Need};
use super::{Ranking, score};

/// How many experts are looked up at first at least; each further time so many times as many.
const FIRST: usize = if cfg!(test) { 1 } else { 64 };
const TIMES: usize = 3;

/// Ranks the candidates at some places as [`super::rank`] does and leaves off after the best `most`. What the candidates know of
/// their own earlier work does not matter; `merits` is given ids and says what these have done, who has done nothing left out.
///
/// # Errors
/// Those of `merits`.
pub fn pick<E>(
    need: &Need,
    candidates: &mut [Candidate],
    places: &[usize],
    most: usize,
    mut merits: impl FnMut(&[i64]) -> Result<HashMap<i64, Merits>, E>,
) -> Result<Ranking, E> {
    let asked = Asked::of(need);
    for place in places {
        if let Some(candidate) = candidates.get_mut(*place) {
            candidate.learn(Merits::default());
        }
    }
    let (eligible, excluded) = super::split(&asked, candidates, places.iter().copied());
    let eligible_count = eligible.len();
    let mut field = score::Field::default();
    for candidate in eligible.iter().filter_map(|(place, _)| candidates.get(*place)) {
        field.take(score::minutes_of_the_years(&asked, candidate));
    }
    // Who is not known to have been asked loses nothing, so that only evidence and continuity can add to what is known.
    let unknown = need.weights.evidence + need.weights.continuity;
    let measured = |candidate: &Candidate, days: &DayFit| score::measure(&asked, candidate, days, &field);
    let mut open: BinaryHeap<(u32, Reverse<i64>, usize)> = eligible
        .iter()
        .enumerate()
        .filter_map(|(number, (place, days))| {
            let candidate = candidates.get(*place)?;
            Some((score::total(&measured(candidate, days)) + unknown, Reverse(candidate.expert_id), number))
        })
        .collect();
    // The best so far, the worst of them on top.
    let mut best: BinaryHeap<(Reverse<u32>, i64, usize)> = BinaryHeap::new();
    let mut at_once = if most == 0 { 0 } else { most.max(FIRST) };
    loop {
        let worst = if best.len() < most { 0 } else { best.peek().map_or(0, |(Reverse(score), ..)| *score) };
        let mut numbers = Vec::new();
        while numbers.len() < at_once && open.peek().is_some_and(|(bound, ..)| *bound >= worst) {
            numbers.extend(open.pop().map(|(_, _, number)| number));
        }
        if numbers.is_empty() {
            break;
        }
        at_once = at_once.saturating_mul(TIMES);
        let looked_at: Vec<(usize, (usize, DayFit))> =
            numbers.into_iter().filter_map(|number| eligible.get(number).map(|one| (number, *one))).collect();
        let ids: Vec<i64> =
            looked_at.iter().filter_map(|(_, (place, _))| candidates.get(*place)).map(|candidate| candidate.expert_id).collect();
        let known = merits(&ids)?;
        for (number, (place, days)) in looked_at {
            let Some(candidate) = candidates.get_mut(place) else { continue };
            candidate.learn(known.get(&candidate.expert_id).copied().unwrap_or_default());
            best.push((Reverse(score::total(&measured(candidate, &days))), candidate.expert_id, number));
            if best.len() > most {
                best.pop();
            }
        }
    }
    let ranked = best.into_sorted_vec().into_iter().filter_map(|(Reverse(score), expert_id, number)| {
        let (place, days) = eligible.get(number)?;
        Some((score, expert_id, measured(candidates.get(*place)?, days)))
    });
    let candidates =
        (1..).zip(ranked).map(|(rank, (score, expert_id, measured))| Ranked { rank, expert_id, score, measured }).collect();
    Ok(Ranking { candidates, eligible_count, excluded })
}
