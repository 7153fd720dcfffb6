//! The problem says what the instance says: every set of edges is judged by both.

use chrono::{Datelike as _, Days};
use serde_json::{Value, json};

use super::*;
use crate::matching::allocation::schema;

/// Numbers that are the same on every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    pub fn small(&mut self, sides: u64) -> u32 {
        u32::try_from(self.roll(sides)).unwrap()
    }

    fn id(&mut self, first: i64, sides: u64) -> i64 {
        first + i64::try_from(self.roll(sides)).unwrap()
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, usize::try_from(self.roll(at as u64 + 1)).unwrap());
        }
    }
}

fn june(day: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, 9).unwrap() + Days::new(day)
}

fn visit(dice: &mut Dice) -> InstanceVisit {
    let hours = 60 * (1 + dice.small(4));
    match dice.roll(6) {
        0 => InstanceVisit { day: None, start_minute: None, minutes: hours },
        1 => InstanceVisit { day: Some(june(dice.roll(3))), start_minute: None, minutes: hours * 5 },
        2 => InstanceVisit { day: Some(june(dice.roll(3))), start_minute: Some(1380), minutes: 60 },
        3 => InstanceVisit { day: Some(june(dice.roll(3))), start_minute: Some(60 * dice.small(3)), minutes: dice.small(2) * 60 },
        _ => InstanceVisit { day: Some(june(dice.roll(3))), start_minute: Some(60 * dice.small(18)), minutes: hours },
    }
}

/// A small instance in which everything occurs.
pub fn random(dice: &mut Dice) -> Instance {
    let (experts, requests) = (1 + dice.roll(3), 2 + dice.roll(5));
    let span = |dice: &mut Dice| {
        let (a, b) = (dice.roll(4), dice.roll(4));
        (june(a.min(b)), june(a.max(b)))
    };
    let mut instance = Instance {
        format: InstanceFormat::V1,
        objective: InstanceObjective { band_points: 1 + dice.small(100), order: Vec::new() },
        bodies: (1..=2)
            .map(|id| InstanceBody {
                id,
                served: dice.small(3),
                never_served: dice.roll(2) == 0,
                small: dice.roll(2) == 0,
                name: None,
            })
            .collect(),
        experts: Vec::new(),
        requests: Vec::new(),
        edges: Vec::new(),
        budgets: vec![InstanceBudget { id: 1, yen: 100 * (3 + dice.roll(8)) }],
        series: (1..=2).map(|id| InstanceSeries { id, most: 1 + dice.small(3) }).collect(),
    };
    for id in (11..).take(usize::try_from(experts).unwrap()) {
        let mut expert = InstanceExpert {
            id,
            name: None,
            load: dice.small(3),
            places: dice.small(6),
            capacities: vec![],
            days: vec![],
            busy: vec![],
            taken: (1..=2)
                .map(|series| (dice.roll(3), TakenBefore { series, requests: dice.small(2) }))
                .filter_map(|(roll, taken)| (roll == 0).then_some(taken))
                .collect(),
        };
        for _ in 0..dice.roll(3) {
            let (from, to) = span(dice);
            expert.capacities.push(CapacityLeft { from, to, minutes: 60 * (3 + dice.small(18)) });
        }
        for _ in 0..dice.roll(2) {
            let (from, to) = span(dice);
            expert.days.push(DaysLeft { from, to, days: 1 + dice.small(4) });
        }
        for _ in 0..dice.roll(2) {
            let start_minute = 60 * dice.small(24);
            let end_minute = (start_minute + 60 * (1 + dice.small(3))).min(DAY);
            expert.busy.push(BusyTime { day: june(dice.roll(3)), start_minute, end_minute });
        }
        instance.experts.push(expert);
    }
    for id in (101..).take(usize::try_from(requests).unwrap()) {
        let visits: Vec<InstanceVisit> = (0..dice.roll(3)).map(|_| visit(dice)).collect();
        let undated = visits.iter().all(|visit| visit.day.is_none());
        let (period_from, period_to) = if undated { span(dice) } else { (june(0), june(2 + dice.roll(2))) };
        let buffer_minutes = 30 * dice.small(4);
        instance.requests.push(InstanceRequest {
            id,
            body: dice.id(1, 2),
            name: None,
            visits,
            period_from,
            period_to,
            buffer_minutes,
            series: (dice.roll(3) == 0).then(|| dice.id(1, 2)),
        });
    }
    for at in 0..7 {
        let request = dice.id(101, requests);
        let lead = dice.id(11, experts);
        let mut others: Vec<i64> =
            (11..11 + i64::try_from(experts).unwrap()).filter(|id| *id != lead && dice.roll(3) > 0).collect();
        dice.shuffle(&mut others);
        if dice.roll(2) == 0 {
            others.clear();
        }
        let visits = instance.requests[usize::try_from(request - 101).unwrap()].visits.len();
        let costs = dice.roll(3) == 0;
        let edge = InstanceEdge {
            request,
            expert: lead,
            score: dice.small(1001),
            kilometres: dice.small(300),
            kept: dice.roll(8) == 0,
            team: if others.is_empty() { 0 } else { 1 + at },
            rotation: !others.is_empty() && dice.roll(2) == 0,
            others,
            visits: (dice.roll(4) == 0).then(|| {
                let own = instance.requests[usize::try_from(request - 101).unwrap()].visits.iter();
                own.map(
                    |visit| if dice.roll(2) == 0 { InstanceVisit { day: None, start_minute: None, ..*visit } } else { *visit },
                )
                .collect()
            }),
            minutes: (dice.roll(4) == 0).then(|| (0..visits).map(|_| 30 * dice.small(12)).collect()),
            cost_yen: costs.then(|| 100 * dice.roll(6)),
            budgets: if costs { vec![1] } else { Vec::new() },
        };
        if !instance.edges.iter().any(|other| other.key() == edge.key()) {
            instance.edges.push(edge);
        }
    }
    instance
}

/// Whether a set of edges may be chosen, from the definition alone.
fn allowed(instance: &Instance, set: &[&InstanceEdge]) -> bool {
    let request = |id: i64| instance.requests.iter().find(|request| request.id == id).unwrap();
    if set.iter().enumerate().any(|(at, edge)| set[..at].iter().any(|other| other.request == edge.request)) {
        return false;
    }
    for budget in &instance.budgets {
        let spent: u64 = set.iter().filter(|edge| edge.budgets.contains(&budget.id)).map(|edge| edge.cost_yen.unwrap()).sum();
        if spent > budget.yen {
            return false;
        }
    }
    for expert in &instance.experts {
        let mut visits: Vec<(&InstanceRequest, &InstanceVisit, u32)> = Vec::new();
        let mut taken = 0;
        for edge in set {
            let mut members = vec![edge.expert];
            members.extend(&edge.others);
            let Some(place) = members.iter().position(|member| *member == expert.id) else { continue };
            taken += 1;
            let request = request(edge.request);
            for (at, visit) in edge.visits.as_ref().unwrap_or(&request.visits).iter().enumerate() {
                if !edge.rotation || at % members.len() == place {
                    visits.push((request, visit, edge.minutes.as_ref().map_or(visit.minutes, |minutes| minutes[at])));
                }
            }
        }
        if taken > expert.places {
            return false;
        }
        for series in &instance.series {
            let before = expert.taken.iter().find(|before| before.series == series.id).map_or(0, |before| before.requests);
            let comes = |edge: &&&InstanceEdge| edge.expert == expert.id || edge.others.contains(&expert.id);
            let now = set.iter().filter(comes).filter(|edge| request(edge.request).series == Some(series.id)).count();
            if now > 0 && now + before as usize > series.most as usize {
                return false;
            }
        }
        for left in &expert.capacities {
            let within = |day: NaiveDate| left.from <= day && day <= left.to;
            let sum: u32 = visits
                .iter()
                .filter(|(request, visit, _)| match visit.day {
                    Some(day) => within(day),
                    None => within(request.period_from) && within(request.period_to),
                })
                .map(|(_, _, minutes)| minutes)
                .sum();
            if sum > left.minutes {
                return false;
            }
        }
        for left in &expert.days {
            let mut days: Vec<(i64, NaiveDate)> =
                visits.iter().filter_map(|(request, visit, _)| Some((request.id, visit.day?))).collect();
            days.retain(|(_, day)| left.from <= *day && *day <= left.to);
            days.sort_unstable();
            days.dedup();
            let within = |day: NaiveDate| left.from <= day && day <= left.to;
            let undated = visits
                .iter()
                .filter(|(request, visit, _)| visit.day.is_none() && within(request.period_from) && within(request.period_to));
            if days.len() + undated.count() > left.days as usize {
                return false;
            }
        }
        // Minute by minute, from the midnight before the first day on.
        let zero = june(0).num_days_from_ce() - 1;
        let minute = |day: NaiveDate, minute: u32| i64::from(day.num_days_from_ce() - zero) * 1440 + i64::from(minute);
        let timed: Vec<(i64, i64, i64, i64)> = visits
            .iter()
            .filter(|(_, visit, _)| visit.minutes > 0)
            .filter_map(|(request, visit, _)| {
                let start = minute(visit.day?, visit.start_minute?);
                Some((request.id, start, start + i64::from(visit.minutes), i64::from(request.buffer_minutes)))
            })
            .collect();
        for (at, one) in timed.iter().enumerate() {
            for other in &timed[..at] {
                let apart = if one.0 == other.0 { 0 } else { one.3.max(other.3) };
                if (one.1..one.2).any(|minute| other.1 - apart <= minute && minute < other.2 + apart) {
                    return false;
                }
            }
            for busy in &expert.busy {
                let held = minute(busy.day, busy.start_minute)..minute(busy.day, busy.end_minute);
                if (one.1 - one.3..one.2 + one.3).any(|minute| held.contains(&minute)) {
                    return false;
                }
            }
        }
        for day in (0..4).map(june) {
            let mut held = [false; 1440];
            for busy in expert.busy.iter().filter(|busy| busy.day == day) {
                (busy.start_minute..busy.end_minute).for_each(|minute| held[minute as usize] = true);
            }
            let work: u32 = visits.iter().filter(|(_, visit, _)| visit.day == Some(day)).map(|(_, visit, _)| visit.minutes).sum();
            if held.iter().filter(|held| **held).count() + work as usize > 1440 {
                return false;
            }
        }
    }
    true
}

#[test]
fn a_set_is_allowed_by_the_problem_just_where_the_definition_allows_it() {
    let mut dice = Dice(20_261_126);
    let (mut yes, mut no, mut dropped, mut limited) = (0, 0, 0, 0);
    let mut reasons = std::collections::BTreeSet::new();
    for case in 0..3_000 {
        let instance = random(&mut dice);
        let conversion = instance.convert().unwrap_or_else(|wrong| panic!("{case} {wrong:?}"));
        let problem = &conversion.problem;
        for one in &conversion.dropped {
            let edge = instance.edges.iter().find(|edge| edge.key() == (one.request, one.expert, one.team)).unwrap();
            assert!(!allowed(&instance, &[edge]), "{case} {one:?}");
            reasons.insert(one.reason);
        }
        dropped += conversion.dropped.len();
        for set in 0..1_u32 << instance.edges.len() {
            let chosen: Vec<&InstanceEdge> =
                instance.edges.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1).map(|(_, edge)| edge).collect();
            let places: Option<Vec<usize>> = chosen.iter().map(|edge| problem.pair(edge.key())).collect();
            let by_problem = places.is_some_and(|mut places| {
                places.sort_unstable();
                let broken = problem.broken(&places);
                limited += usize::from(broken == Some("a limit is exceeded"));
                broken.is_none()
            });
            assert_eq!(by_problem, allowed(&instance, &chosen), "{case} {instance:#?} {chosen:#?} {conversion:#?}");
            if by_problem { yes += 1 } else { no += 1 }
        }
    }
    assert!(yes > 10_000 && no > 10_000 && dropped > 1_000 && limited > 2_000, "{yes} {no} {dropped} {limited}");
    assert_eq!(reasons.len(), 7, "{reasons:?}");
}

#[test]
fn the_order_of_the_lists_means_nothing() {
    let mut dice = Dice(3);
    for case in 0..1_000 {
        let instance = random(&mut dice);
        let mut turned = instance.clone();
        dice.shuffle(&mut turned.bodies);
        dice.shuffle(&mut turned.experts);
        dice.shuffle(&mut turned.budgets);
        dice.shuffle(&mut turned.series);
        for expert in &mut turned.experts {
            dice.shuffle(&mut expert.capacities);
            dice.shuffle(&mut expert.days);
            dice.shuffle(&mut expert.busy);
            dice.shuffle(&mut expert.taken);
        }
        for request in &mut turned.requests {
            let edges: Vec<usize> = (0..turned.edges.len()).filter(|at| turned.edges[*at].request == request.id).collect();
            if edges.iter().any(|at| turned.edges[*at].rotation) || request.visits.len() < 2 {
                continue;
            }
            request.visits.reverse();
            for at in edges {
                turned.edges[at].minutes.iter_mut().for_each(|minutes| minutes.reverse());
                turned.edges[at].visits.iter_mut().for_each(|visits| visits.reverse());
            }
        }
        for edge in turned.edges.iter_mut().filter(|edge| !edge.rotation) {
            dice.shuffle(&mut edge.others);
        }
        dice.shuffle(&mut turned.requests);
        dice.shuffle(&mut turned.edges);
        let (one, other) = (instance.convert().unwrap(), turned.convert().unwrap());
        assert_eq!(one, other, "{case}");
        assert_eq!(problem_sha256(&one.problem), problem_sha256(&other.problem));
    }
}

#[test]
fn json_reads_back() {
    let mut dice = Dice(4);
    for _ in 0..300 {
        let instance = random(&mut dice);
        assert_eq!(Instance::from_json(&serde_json::to_vec(&instance).unwrap()).unwrap(), instance);
    }
}

#[test]
fn the_example_has_what_it_says() {
    let instance = Instance::from_json(schema::EXAMPLE.as_bytes()).unwrap();
    let conversion = instance.convert().unwrap();
    let busy = DroppedEdge { request: 104, expert: 11, team: 0, reason: DropReason::Busy, member: Some(11) };
    assert_eq!(conversion.dropped, vec![busy]);
    let limits: Vec<(i64, usize)> = conversion.problem.limits.iter().map(|limit| (limit.capacity, limit.uses.len())).collect();
    // Times of the tenth, the budget, minutes of June; places of either expert since both are in a team.
    assert!(limits.contains(&(1, 2)) && limits.contains(&(140_000, 4)) && limits.contains(&(600, 4)), "{limits:?}");
}

#[test]
fn all_mistakes_are_named_at_once_and_where_they_are() {
    let mut document: Value = serde_json::from_str(schema::EXAMPLE).unwrap();
    document["bodies"][1]["id"] = json!(1);
    document["objective"]["order"] = json!(["fit"]);
    document["experts"][0]["busy"][0]["end_minute"] = json!(540);
    document["experts"][1]["name"] = json!("a\u{1b}[2J");
    document["requests"][0]["visits"][0]["minutes"] = json!(700);
    document["requests"][1]["visits"][0]["day"] = json!("2026-07-01");
    document["requests"][2]["visits"][2]["start_minute"] = json!(60);
    document["requests"][3]["period_to"] = json!("2026-06-09");
    document["edges"][0]["score"] = json!(1001);
    document["edges"][1]["cost_yen"] = Value::Null;
    document["edges"][2]["team"] = json!(1);
    document["edges"][3]["minutes"] = json!([1]);
    document["edges"][4]["others"] = json!([12, 12, 99]);
    document["edges"][5]["rotation"] = json!(true);
    document["budgets"][0]["id"] = json!(0);
    document["series"] = json!([{"id": 1, "most": 1_000_001}]);
    document["requests"][0]["series"] = json!(2);
    document["experts"][0]["taken"] = json!([{"series": 1, "requests": 0}, {"series": 1, "requests": 1}]);
    let instance = Instance::from_json(document.to_string().as_bytes()).unwrap();
    let wrong = instance.convert().unwrap_err();
    let found: Vec<(&str, &str)> = wrong.iter().map(|one| (one.pointer.as_str(), one.code)).collect();
    for expected in [
        ("/objective/order", "order"),
        ("/bodies/1/id", "id_twice"),
        ("/requests/1/body", "unknown_id"),
        ("/experts/0/busy/0/end_minute", "backwards"),
        ("/experts/1/name", "name"),
        ("/requests/0/visits/0/minutes", "beyond_day"),
        ("/requests/1/visits/0/day", "outside_period"),
        ("/requests/2/visits/2/start_minute", "start_without_day"),
        ("/requests/3/period_to", "backwards"),
        ("/edges/0/score", "out_of_range"),
        ("/edges/1/cost_yen", "cost_missing"),
        ("/edges/2/team", "team_number"),
        ("/edges/3/minutes", "minutes_of_visits"),
        ("/edges/4/others/1", "member_twice"),
        ("/edges/4/others/2", "unknown_id"),
        ("/edges/5/rotation", "rotation_alone"),
        ("/budgets/0/id", "out_of_range"),
        ("/edges/0/budgets/0", "unknown_id"),
        ("/series/0/most", "out_of_range"),
        ("/requests/0/series", "unknown_id"),
        ("/experts/0/taken/1/series", "duplicate"),
    ] {
        assert!(found.contains(&expected), "{expected:?} is not in {found:?}");
    }
}

#[test]
fn what_does_not_have_the_form_is_named_at_once_too() {
    let codes = |document: &Value| -> Vec<(String, &'static str)> {
        let wrong = Instance::from_json(document.to_string().as_bytes()).unwrap_err();
        wrong.into_iter().map(|one| (one.pointer, one.code)).collect()
    };
    let mut document: Value = serde_json::from_str(schema::EXAMPLE).unwrap();
    document["format"] = json!("tasuki-allocation/9");
    document["bodies"][0]["a/b~"] = json!(1);
    document["requests"][0]["period_from"] = json!("2026-6-1");
    document["edges"][0]["score"] = json!(1.5);
    document["edges"][1].as_object_mut().unwrap().remove("expert");
    let found = codes(&document);
    for expected in [
        ("/format", "not_allowed"),
        ("/bodies/0/a~1b~0", "unknown_member"),
        ("/requests/0/period_from", "day"),
        ("/edges/0/score", "type"),
        ("/edges/1/expert", "missing"),
    ] {
        assert!(found.contains(&(expected.0.to_owned(), expected.1)), "{expected:?} is not in {found:?}");
    }
    assert_eq!(found.len(), 5, "{found:?}");
    assert_eq!(Instance::from_json(b"{").unwrap_err()[0].code, "not_json");
    let twice = schema::EXAMPLE.replacen("\"bodies\"", "\"format\": \"tasuki-allocation/1\", \"bodies\"", 1);
    assert_eq!(Instance::from_json(twice.as_bytes()).unwrap_err()[0].code, "form");
}
