//! Which visits of one expert exclude each other, in groups so that few limits say it all.

use std::collections::{BTreeMap, BTreeSet};

/// A visit with a start that one expert would come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timed {
    /// The edge it belongs to.
    pub edge: usize,
    /// The request it belongs to.
    pub request: i64,
    /// First minute, counted over all days.
    pub start: i64,
    /// The minute after the last one, after the first.
    pub end: i64,
    /// Minutes kept free before and after.
    pub buffer: i64,
}

/// Whether two stretches of time lie closer than so many minutes.
pub fn close((start, end): (i64, i64), (other_start, other_end): (i64, i64), buffer: i64) -> bool {
    start < other_end + buffer && other_start < end + buffer
}

impl Timed {
    /// Whether one expert cannot come to both.
    pub fn excludes(&self, other: &Self) -> bool {
        close((self.start, self.end), (other.start, other.end), self.buffer.max(other.buffer))
    }
}

/// Groups of edges of which an expert can take one at most: every two edges of different requests that exclude each other are
/// in a group together, and no others but those of one request, of which only one is taken anyway.
///
/// With one buffer for all, visits that are lengthened by it exclude each other just where they overlap, and those around the
/// same minute are a group. With several, each buffer is looked at in turn: the visits that ask for it form a group around a
/// minute, joined by those of smaller buffers in parts that exclude each other among themselves.
pub fn groups(visits: &[Timed]) -> Vec<Vec<usize>> {
    let buffers: BTreeSet<i64> = visits.iter().map(|visit| visit.buffer).collect();
    let mut groups = BTreeSet::new();
    for buffer in buffers {
        around_each_minute(visits, buffer, &mut |around| {
            let (asking, smaller): (Vec<usize>, Vec<usize>) = around.iter().partition(|at| visits[**at].buffer == buffer);
            if asking.is_empty() {
                return;
            }
            let mut parts: Vec<Vec<usize>> = Vec::new();
            for at in smaller {
                let fits = |part: &Vec<usize>| {
                    part.iter().all(|other| visits[at].request == visits[*other].request || visits[at].excludes(&visits[*other]))
                };
                match parts.iter_mut().find(|part| fits(part)) {
                    Some(part) => part.push(at),
                    None => parts.push(vec![at]),
                }
            }
            if parts.is_empty() {
                parts.push(Vec::new());
            }
            for part in parts {
                let all = || asking.iter().chain(&part).map(|at| &visits[*at]);
                let requests: BTreeSet<i64> = all().map(|visit| visit.request).collect();
                if requests.len() > 1 {
                    let edges: BTreeSet<usize> = all().map(|visit| visit.edge).collect();
                    groups.insert(edges.into_iter().collect::<Vec<usize>>());
                }
            }
        });
    }
    largest(groups)
}

/// Calls with every largest set of visits, of those with at most this buffer, that share a minute once lengthened by it.
fn around_each_minute(visits: &[Timed], buffer: i64, found: &mut dyn FnMut(&BTreeSet<usize>)) {
    // At the same minute what ends comes before what starts: they only touch.
    let mut events: Vec<(i64, bool, usize)> = Vec::new();
    for (at, visit) in visits.iter().enumerate().filter(|(_, visit)| visit.buffer <= buffer) {
        events.push((visit.start, true, at));
        events.push((visit.end + buffer, false, at));
    }
    events.sort_unstable();
    let mut around = BTreeSet::new();
    let mut grown = false;
    for (_, starts, at) in events {
        if starts {
            around.insert(at);
        } else {
            if grown {
                found(&around);
            }
            around.remove(&at);
        }
        grown = starts;
    }
}

/// Leaves out groups that lie within others: they say nothing more.
fn largest(groups: BTreeSet<Vec<usize>>) -> Vec<Vec<usize>> {
    let mut by_size: Vec<Vec<usize>> = groups.into_iter().collect();
    by_size.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let mut kept: Vec<Vec<usize>> = Vec::with_capacity(by_size.len());
    let mut with: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for group in by_size {
        // The edge that is in the fewest groups so far has the fewest to compare with.
        let rarest = group.iter().min_by_key(|edge| with.get(edge).map_or(0, Vec::len));
        let candidates = rarest.and_then(|edge| with.get(edge)).map_or(&[][..], Vec::as_slice);
        let within = |larger: &Vec<usize>| group.iter().all(|edge| larger.binary_search(edge).is_ok());
        if candidates.iter().any(|at| within(&kept[*at])) {
            continue;
        }
        for edge in &group {
            with.entry(*edge).or_default().push(kept.len());
        }
        kept.push(group);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(edge: usize, start: i64, end: i64, buffer: i64) -> Timed {
        Timed { edge, request: i64::try_from(edge).unwrap(), start, end, buffer }
    }

    #[test]
    fn visits_around_one_minute_are_one_group() {
        let visits: Vec<Timed> = (0..5).map(|at| timed(at, 10 * i64::try_from(at).unwrap(), 100, 0)).collect();
        assert_eq!(groups(&visits), vec![vec![0, 1, 2, 3, 4]]);
        let chain = [timed(0, 0, 10, 0), timed(1, 5, 15, 0), timed(2, 10, 20, 0)];
        assert_eq!(groups(&chain), vec![vec![0, 1], vec![1, 2]]);
        let touching = [timed(0, 0, 10, 5), timed(1, 15, 20, 5), timed(2, 24, 30, 5)];
        assert_eq!(groups(&touching), vec![vec![1, 2]]);
    }

    #[test]
    fn the_larger_buffer_decides_for_each_two() {
        // 0 and 1 are 5 minutes apart and ask for none; 2 asks for 30 and excludes both.
        let visits = [timed(0, 0, 10, 0), timed(1, 15, 25, 0), timed(2, 30, 40, 30)];
        assert_eq!(groups(&visits), vec![vec![0, 2], vec![1, 2]]);
    }

    proptest::proptest! {
        #[test]
        fn groups_say_what_each_two_say(
            drawn in proptest::collection::vec((0_usize..6, 0_i64..40, 1_i64..12, 0_i64..4), 1..14)
        ) {
            let visits: Vec<Timed> =
                drawn.iter().map(|(edge, start, length, buffer)| timed(*edge, *start, start + length, buffer * 3)).collect();
            let groups = groups(&visits);
            for one in 0..6 {
                for other in one + 1..6 {
                    let of = |edge: usize| visits.iter().filter(move |visit| visit.edge == edge);
                    let excluded = of(one).any(|a| of(other).any(|b| a.excludes(b)));
                    let grouped = groups.iter().any(|group| group.contains(&one) && group.contains(&other));
                    proptest::prop_assert_eq!(excluded, grouped, "{} {} {:?}", one, other, groups);
                }
            }
        }
    }
}
