//! The best for one request where earlier work is dear to sum up: that is done only for those who could still be among them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::asked::Asked;
use super::dates::DayFit;
use super::explain::Ranked;
use super::input::{Candidate, Merits, Need};
use super::{Ranking, score};

/// Ranks the candidates at some places as [`super::rank`] does and leaves off after the best `most`. What the candidates know of
/// their own earlier work does not matter; `merits` says what the one at a place has done.
pub fn pick(
    need: &Need,
    candidates: &mut [Candidate],
    places: &[usize],
    most: usize,
    mut merits: impl FnMut(usize) -> Merits,
) -> Ranking {
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
    let bounds = eligible.iter().enumerate().filter_map(|(number, (place, days))| {
        let candidate = candidates.get(*place)?;
        Some((score::total(&measured(candidate, days)) + unknown, Reverse(candidate.expert_id), number))
    });
    let mut open: BinaryHeap<(u32, Reverse<i64>, usize)> = if most == 0 { BinaryHeap::new() } else { bounds.collect() };
    // The best so far, the worst of them on top.
    let mut best: BinaryHeap<(Reverse<u32>, i64, usize)> = BinaryHeap::new();
    while let Some((bound, _, number)) = open.pop() {
        if best.len() >= most && best.peek().is_some_and(|(Reverse(worst), ..)| bound < *worst) {
            break;
        }
        let Some((place, days)) = eligible.get(number) else { continue };
        let Some(candidate) = candidates.get_mut(*place) else { continue };
        candidate.learn(merits(*place));
        best.push((Reverse(score::total(&measured(candidate, days))), candidate.expert_id, number));
        if best.len() > most {
            best.pop();
        }
    }
    let ranked = best.into_sorted_vec().into_iter().filter_map(|(Reverse(score), expert_id, number)| {
        let (place, days) = eligible.get(number)?;
        Some((score, expert_id, measured(candidates.get(*place)?, days)))
    });
    let candidates =
        (1..).zip(ranked).map(|(rank, (score, expert_id, measured))| Ranked { rank, expert_id, score, measured }).collect();
    Ranking { candidates, eligible_count, excluded }
}
