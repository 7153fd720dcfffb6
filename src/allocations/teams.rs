//! Teams for requests that several experts take together: fixed bundles for the engine to choose from.

use std::collections::BTreeSet;

use super::facts::{edge, visits_of, way};
use crate::matching::allocation::instance::InstanceEdge;
use crate::matching::{Asked, Candidate, Need, Ranking, covers, meets};

/// Of how many candidates teams are made.
const FROM: usize = 16;
/// Holders of each required skill who are among them, however low they rank.
const OF_EACH_SKILL: usize = 2;
/// Teams handed to the engine for one request, the best by score.
const MOST_TEAMS: usize = 60;

/// The teams that could take a request: of some candidates all groups of the size asked for who hold the required skills
/// together, no more than sixty, the best first. The candidates are those who are pinned, the best holders of each required skill,
/// and the best of all, sixteen together. The member of the best rank leads. The score of a team is the mean of its members', cut;
/// its way the sum of theirs.
pub(super) fn edges(
    need: &Need,
    ranking: &Ranking,
    candidates: &[Candidate],
    forbidden: impl Fn(i64) -> bool,
    pinned: impl Fn(i64) -> bool,
) -> Vec<InstanceEdge> {
    let asked = Asked::of(need);
    let size = usize::try_from(need.experts_needed).unwrap_or(usize::MAX);
    let all: Vec<(u32, &Candidate)> = ranking
        .candidates
        .iter()
        .filter(|ranked| !forbidden(ranked.expert_id))
        .filter_map(|ranked| {
            let place = candidates.binary_search_by_key(&ranked.expert_id, |candidate| candidate.expert_id).ok()?;
            Some((ranked.score, &candidates[place]))
        })
        .collect();
    let mut chosen: BTreeSet<usize> = (0..all.len()).filter(|place| pinned(all[*place].1.expert_id)).take(FROM).collect();
    for requirement in 0..asked.requirement_count() {
        let holders = (0..all.len()).filter(|place| meets(&asked, all[*place].1, requirement));
        chosen.extend(holders.take(OF_EACH_SKILL));
    }
    let rest: Vec<usize> = (0..all.len()).filter(|place| !chosen.contains(place)).collect();
    chosen.extend(rest.into_iter().take(FROM.saturating_sub(chosen.len())));
    let best: Vec<(u32, &Candidate)> = chosen.into_iter().take(FROM).map(|place| all[place]).collect();
    let mut teams: Vec<(u32, Vec<usize>)> = groups(best.len(), size)
        .into_iter()
        .filter(|group| covers(&asked, &group.iter().map(|place| best[*place].1).collect::<Vec<_>>()))
        .map(|group| {
            let sum: u32 = group.iter().map(|place| best[*place].0).sum();
            (sum / u32::try_from(size).unwrap_or(1).max(1), group)
        })
        .collect();
    // Groups come in the order of their members' ranks, which decides between equal scores; what is pinned is never cut.
    let is_pinned = |group: &[usize]| group.iter().any(|place| pinned(best[*place].1.expert_id));
    teams.sort_by_key(|(score, group)| (!is_pinned(group), std::cmp::Reverse(*score)));
    teams.truncate(MOST_TEAMS);
    (1..)
        .zip(teams)
        .filter_map(|(team, (score, group))| {
            let (lead, others) = group.split_first()?;
            let lead = best[*lead].1;
            let mut others: Vec<&Candidate> = others.iter().map(|place| best[*place].1).collect();
            // Turns go by this order everywhere: in the engine, and when offers are made.
            others.sort_by_key(|other| other.expert_id);
            let members: Vec<&Candidate> = std::iter::once(lead).chain(others.iter().copied()).collect();
            let kilometres = members.iter().map(|member| way(need, member)).sum();
            let ids = others.iter().map(|other| other.expert_id).collect();
            let visits = Some(visits_of(&asked, &members));
            Some(InstanceEdge {
                team,
                others: ids,
                rotation: need.rotation,
                visits,
                ..edge(need, lead.expert_id, score, kilometres)
            })
        })
        .collect()
}

/// All groups of a size out of so many, each in rising order, in lexicographic order.
fn groups(of: usize, size: usize) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    let mut group: Vec<usize> = (0..size).collect();
    if size == 0 || size > of {
        return found;
    }
    loop {
        found.push(group.clone());
        let Some(place) = (0..size).rev().find(|place| group[*place] < of - size + place) else { return found };
        let first = group[place] + 1;
        for (value, slot) in (first..).zip(&mut group[place..]) {
            *slot = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_groups_of_a_size() {
        assert_eq!(groups(4, 2), [vec![0, 1], vec![0, 2], vec![0, 3], vec![1, 2], vec![1, 3], vec![2, 3]]);
        assert_eq!(groups(3, 3), [vec![0, 1, 2]]);
        assert!(groups(2, 3).is_empty() && groups(2, 0).is_empty());
        assert_eq!(groups(12, 5).len(), 792);
    }
}
