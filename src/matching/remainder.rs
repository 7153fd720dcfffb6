//! What a request still needs where a part of its team is there already.

use super::asked::Asked;
use super::eligibility::meets;
use super::input::{Candidate, Need, PlannedVisit, SkillNeed};

/// A member who is there already: asked and not declined, or agreed.
#[derive(Debug, Clone, Copy)]
pub struct Present<'a> {
    /// Who; `None`: not in the pool any more.
    pub candidate: Option<&'a Candidate>,
    /// The visits that fall to the member.
    pub visits: &'a [PlannedVisit],
}

/// What is still needed beside those who are there: fewer experts, the skills that none of them holds, and the visits as they have
/// been arranged or, where a team takes turns, those that fall to nobody yet. `None`: nobody more is needed.
///
/// Those who are there first say how much is left: of two who both hold everything, the second only has to hold one of the
/// skills, as any member of a team has to.
pub fn remainder(need: &Need, present: &[Present<'_>]) -> Option<Need> {
    let missing = need.experts_needed.saturating_sub(u32::try_from(present.len()).unwrap_or(u32::MAX));
    let visits = if need.rotation { left_over(need, present) } else { arranged(need, present) };
    if missing == 0 || (need.rotation && visits.iter().all(|visit| visit.minutes == 0)) {
        return None;
    }
    Some(Need {
        experts_needed: missing,
        rotation: need.rotation && missing > 1,
        required: still_required(need, present),
        visits,
        ..need.clone()
    })
}

/// Who comes together comes on the days that were arranged first.
fn arranged(need: &Need, present: &[Present<'_>]) -> Vec<PlannedVisit> {
    let first = present.iter().find(|member| !member.visits.is_empty());
    first.map_or_else(|| need.visits.clone(), |member| member.visits.to_vec())
}

/// The visits that fall to nobody who is there: as many as are missing, on the wished days that are left.
fn left_over(need: &Need, present: &[Present<'_>]) -> Vec<PlannedVisit> {
    let taken: Vec<&PlannedVisit> = present.iter().flat_map(|member| member.visits).collect();
    let lengths: Vec<u32> = need.visits.iter().map(|visit| visit.minutes).filter(|minutes| *minutes > 0).collect();
    let mut lengths = lengths.into_iter().skip(taken.len());
    let is_free = |visit: &&PlannedVisit| !taken.iter().any(|other| other.day == visit.day);
    let mut visits: Vec<PlannedVisit> = need
        .visits
        .iter()
        .filter(|visit| visit.day.is_some())
        .filter(is_free)
        .map(|visit| PlannedVisit { minutes: lengths.next().unwrap_or(0), ..*visit })
        .collect();
    visits.extend(lengths.map(|minutes| PlannedVisit { day: None, start_minute: None, minutes }));
    visits
}

fn still_required(need: &Need, present: &[Present<'_>]) -> Vec<SkillNeed> {
    let asked = Asked::of(need);
    let is_met =
        |requirement: usize| present.iter().filter_map(|member| member.candidate).any(|one| meets(&asked, one, requirement));
    let open: Vec<usize> = (0..asked.requirement_count()).filter(|requirement| !is_met(*requirement)).collect();
    let among = |place: usize| open.iter().any(|requirement| asked.requirements[*requirement].contains(&place));
    if open.is_empty() {
        // All is there; whoever comes beside holds one of the skills at least.
        let one_of = |skill: &SkillNeed| if skill.must { Some(u8::MAX) } else { skill.alternative_group };
        return need.required.iter().map(|skill| SkillNeed { alternative_group: one_of(skill), ..skill.clone() }).collect();
    }
    let skills = need.required.iter().enumerate();
    skills.filter(|(place, skill)| !skill.must || among(*place)).map(|(_, skill)| skill.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::is_eligible;
    use crate::matching::tests::{candidate, held, june, need, skill};

    fn on(day: u32) -> PlannedVisit {
        PlannedVisit { day: Some(june(day)), start_minute: Some(600), minutes: 180 }
    }

    fn open() -> PlannedVisit {
        PlannedVisit { day: None, start_minute: None, minutes: 180 }
    }

    #[test]
    fn those_who_are_there_leave_the_skills_they_do_not_hold() {
        let mut need = need();
        need.experts_needed = 2;
        need.required = vec![skill(1, 2, true), skill(2, 2, true), skill(3, 1, false)];
        let (mut there, mut other) = (candidate(1), candidate(2));
        there.skills = vec![held(1, 3, true)];
        let left = remainder(&need, &[Present { candidate: Some(&there), visits: &[on(8)] }]).unwrap();
        assert_eq!(
            (left.experts_needed, left.rotation, left.visits.as_slice()),
            (1, false, [on(8)].as_slice()),
            "on the arranged day"
        );
        assert_eq!(left.required, [skill(2, 2, true), skill(3, 1, false)]);
        other.skills = vec![held(1, 3, true)];
        assert!(!is_eligible(&Asked::of(&left), &other), "the first skill is there twice, the second not at all");
        other.skills = vec![held(2, 2, true)];
        assert!(is_eligible(&Asked::of(&left), &other));
        // Whoever comes beside somebody who holds all of it holds one at least.
        there.skills = vec![held(1, 3, true), held(2, 3, true)];
        let left = remainder(&need, &[Present { candidate: Some(&there), visits: &[] }]).unwrap();
        assert!(is_eligible(&Asked::of(&left), &other) && !is_eligible(&Asked::of(&left), &candidate(3)));
        // Nobody more is needed; somebody who left the pool leaves everything to the others.
        let gone = Present { candidate: None, visits: &[] };
        assert_eq!(remainder(&need, &[gone, gone]), None);
        assert_eq!(remainder(&need, &[gone]).unwrap().required, need.required);
    }

    #[test]
    fn of_visits_in_turns_those_are_left_that_fall_to_nobody() {
        let mut need = need();
        (need.experts_needed, need.rotation) = (3, true);
        // Four visits on the first of five wished days.
        need.visits = vec![on(1), on(2), on(3), on(4), PlannedVisit { minutes: 0, ..on(5) }];
        let mine = [on(2), open()];
        let left = remainder(&need, &[Present { candidate: None, visits: &mine }]).unwrap();
        let none = |day: u32| PlannedVisit { minutes: 0, ..on(day) };
        assert_eq!((left.experts_needed, left.rotation), (2, true));
        assert_eq!(left.visits, [on(1), on(3), none(4), none(5)], "two are left, the other days are only wished for");
        let two = [on(1), on(3)];
        assert_eq!(
            remainder(&need, &[Present { candidate: None, visits: &mine }, Present { candidate: None, visits: &two }]),
            None
        );
        need.visits = vec![open(); 3];
        let left = remainder(&need, &[Present { candidate: None, visits: &[open()] }]).unwrap();
        assert_eq!(left.visits, [open(), open()]);
    }
}
