//! Looks at an instance as a whole: ranges, references and what contradicts itself, all mistakes at once.

use std::collections::BTreeSet;
use std::fmt::Display;

use chrono::{Datelike as _, NaiveDate};

use super::errors::Mistakes;
use super::{
    DAY, Instance, InstanceEdge, InstanceExpert, InstanceRequest, InstanceVisit, MOST_BUDGETS, MOST_BUSY, MOST_CAPACITY,
    MOST_COUNT, MOST_EDGES, MOST_ENTRIES, MOST_ID, MOST_NAME, MOST_PARTS, MOST_TAKEN, MOST_YEN,
};
use crate::matching::allocation::problem::Level;

/// What the entries are called by, to look references up.
struct Known {
    bodies: BTreeSet<i64>,
    experts: BTreeSet<i64>,
    requests: std::collections::BTreeMap<i64, usize>,
    budgets: BTreeSet<i64>,
    series: BTreeSet<i64>,
}

/// Notes every mistake.
pub fn look(instance: &Instance, mistakes: &mut Mistakes) {
    objective(instance, mistakes);
    for (list, length, most) in [
        ("bodies", instance.bodies.len(), MOST_ENTRIES),
        ("experts", instance.experts.len(), MOST_ENTRIES),
        ("requests", instance.requests.len(), MOST_ENTRIES),
        ("budgets", instance.budgets.len(), MOST_ENTRIES),
        ("series", instance.series.len(), MOST_ENTRIES),
        ("edges", instance.edges.len(), MOST_EDGES),
    ] {
        items(mistakes, &format!("/{list}"), length, most);
    }
    let known = Known {
        bodies: ids(mistakes, "bodies", instance.bodies.iter().map(|body| body.id)),
        experts: ids(mistakes, "experts", instance.experts.iter().map(|expert| expert.id)),
        requests: {
            let _ = ids(mistakes, "requests", instance.requests.iter().map(|request| request.id));
            instance.requests.iter().enumerate().map(|(at, request)| (request.id, at)).collect()
        },
        budgets: ids(mistakes, "budgets", instance.budgets.iter().map(|budget| budget.id)),
        series: ids(mistakes, "series", instance.series.iter().map(|series| series.id)),
    };
    for (at, body) in instance.bodies.iter().enumerate() {
        count(mistakes, &format!("/bodies/{at}/served"), u64::from(body.served), u64::from(MOST_COUNT));
        name(mistakes, &format!("/bodies/{at}/name"), body.name.as_deref());
    }
    for (at, one) in instance.experts.iter().enumerate() {
        let pointer = format!("/experts/{at}");
        expert(mistakes, &pointer, one);
        taken(mistakes, &pointer, one, &known.series);
    }
    for (at, one) in instance.requests.iter().enumerate() {
        request(mistakes, &format!("/requests/{at}"), one);
        exists(mistakes, &format!("/requests/{at}/body"), "bodies", one.body, known.bodies.contains(&one.body));
        if let Some(series) = one.series {
            exists(mistakes, &format!("/requests/{at}/series"), "series", series, known.series.contains(&series));
        }
    }
    for (at, budget) in instance.budgets.iter().enumerate() {
        count(mistakes, &format!("/budgets/{at}/yen"), budget.yen, MOST_YEN);
    }
    for (at, series) in instance.series.iter().enumerate() {
        count(mistakes, &format!("/series/{at}/most"), u64::from(series.most), u64::from(MOST_COUNT));
    }
    let mut keys = BTreeSet::new();
    for (at, one) in instance.edges.iter().enumerate() {
        let pointer = format!("/edges/{at}");
        if !keys.insert(one.key()) {
            let (request, expert, team) = one.key();
            mistakes.add(
                &pointer,
                "edge_twice",
                format!("依頼{request}、専門家{expert}、チーム{team}の組は1回だけ書いてください"),
                format!("name request {request}, expert {expert}, team {team} only once"),
            );
        }
        edge(mistakes, &pointer, one, &known, instance);
    }
}

fn objective(instance: &Instance, mistakes: &mut Mistakes) {
    between(mistakes, "/objective/band_points", u64::from(instance.objective.band_points), 1, 1000);
    let mut order = instance.objective.order.clone();
    order.sort_unstable();
    let mut chosen = Level::CHOSEN.to_vec();
    chosen.sort_unstable();
    if !order.is_empty() && order != chosen {
        mistakes.add(
            "/objective/order",
            "order",
            "spread、fit、load、score、travelを1回ずつ書くか、空にしてください",
            "name each of spread, fit, load, score and travel once, or leave it empty",
        );
    }
}

fn items(mistakes: &mut Mistakes, pointer: &str, length: usize, most: usize) {
    if length > most {
        mistakes.add(pointer, "too_many", format!("{most}件までにしてください"), format!("at most {most} entries"));
    }
}

fn between(mistakes: &mut Mistakes, pointer: &str, number: impl Display + Copy + PartialOrd<u64>, least: u64, most: u64) {
    if number < least || number > most {
        mistakes.add(
            pointer,
            "out_of_range",
            format!("{least}以上{most}以下の整数にしてください（{number}）"),
            format!("an integer from {least} to {most}, not {number}"),
        );
    }
}

fn count(mistakes: &mut Mistakes, pointer: &str, number: u64, most: u64) {
    between(mistakes, pointer, number, 0, most);
}

fn id_range(mistakes: &mut Mistakes, pointer: &str, id: i64) {
    if !(1..=MOST_ID).contains(&id) {
        mistakes.add(
            pointer,
            "out_of_range",
            format!("識別子は1以上{MOST_ID}以下の整数にしてください（{id}）"),
            format!("an id is an integer from 1 to {MOST_ID}, not {id}"),
        );
    }
}

fn ids(mistakes: &mut Mistakes, list: &str, all: impl Iterator<Item = i64>) -> BTreeSet<i64> {
    let mut seen = BTreeSet::new();
    for (at, id) in all.enumerate() {
        let pointer = format!("/{list}/{at}/id");
        id_range(mistakes, &pointer, id);
        if !seen.insert(id) {
            mistakes.add(
                pointer,
                "id_twice",
                format!("{list}の中で重ならない識別子にしてください（{id}）"),
                format!("an id that no other of {list} has, not {id}"),
            );
        }
    }
    seen
}

fn exists(mistakes: &mut Mistakes, pointer: &str, list: &str, id: i64, known: bool) {
    if !known {
        mistakes.add(
            pointer,
            "unknown_id",
            format!("{list}にある識別子にしてください（{id}）"),
            format!("an id that is in {list}, not {id}"),
        );
    }
}

fn name(mistakes: &mut Mistakes, pointer: &str, name: Option<&str>) {
    let Some(name) = name else { return };
    if name.chars().count() > MOST_NAME || name.chars().any(char::is_control) {
        mistakes.add(
            pointer,
            "name",
            format!("制御文字のない{MOST_NAME}字以内の名前にしてください"),
            format!("a name of at most {MOST_NAME} characters without control characters"),
        );
    }
}

fn day(mistakes: &mut Mistakes, pointer: &str, day: NaiveDate) {
    if !(1900..=2199).contains(&day.year()) {
        mistakes.add(pointer, "day", "1900年から2199年までの日にしてください", "a day from 1900 to 2199");
    }
}

fn span(mistakes: &mut Mistakes, (from_at, to_at): (&str, &str), from: NaiveDate, to: NaiveDate) {
    day(mistakes, from_at, from);
    day(mistakes, to_at, to);
    if from > to {
        mistakes.add(to_at, "backwards", format!("{from}以後の日にしてください"), format!("a day not before {from}"));
    }
}

fn expert(mistakes: &mut Mistakes, pointer: &str, one: &InstanceExpert) {
    name(mistakes, &format!("{pointer}/name"), one.name.as_deref());
    count(mistakes, &format!("{pointer}/load"), u64::from(one.load), u64::from(MOST_COUNT));
    count(mistakes, &format!("{pointer}/places"), u64::from(one.places), u64::from(MOST_COUNT));
    items(mistakes, &format!("{pointer}/capacities"), one.capacities.len(), MOST_PARTS);
    for (at, left) in one.capacities.iter().enumerate() {
        let here = format!("{pointer}/capacities/{at}");
        span(mistakes, (&format!("{here}/from"), &format!("{here}/to")), left.from, left.to);
        count(mistakes, &format!("{here}/minutes"), u64::from(left.minutes), u64::from(MOST_CAPACITY));
    }
    items(mistakes, &format!("{pointer}/days"), one.days.len(), MOST_PARTS);
    for (at, left) in one.days.iter().enumerate() {
        let here = format!("{pointer}/days/{at}");
        span(mistakes, (&format!("{here}/from"), &format!("{here}/to")), left.from, left.to);
        count(mistakes, &format!("{here}/days"), u64::from(left.days), u64::from(MOST_COUNT));
    }
    items(mistakes, &format!("{pointer}/busy"), one.busy.len(), MOST_BUSY);
    for (at, busy) in one.busy.iter().enumerate() {
        let here = format!("{pointer}/busy/{at}");
        day(mistakes, &format!("{here}/day"), busy.day);
        count(mistakes, &format!("{here}/start_minute"), u64::from(busy.start_minute), u64::from(DAY) - 1);
        between(mistakes, &format!("{here}/end_minute"), u64::from(busy.end_minute), 1, u64::from(DAY));
        if busy.end_minute <= busy.start_minute {
            mistakes.add(
                format!("{here}/end_minute"),
                "backwards",
                format!("開始（{}分）より後にしてください", busy.start_minute),
                format!("after the beginning at minute {}", busy.start_minute),
            );
        }
    }
}

fn taken(mistakes: &mut Mistakes, pointer: &str, one: &InstanceExpert, series: &BTreeSet<i64>) {
    items(mistakes, &format!("{pointer}/taken"), one.taken.len(), MOST_TAKEN);
    let mut seen = BTreeSet::new();
    for (at, before) in one.taken.iter().enumerate() {
        let here = format!("{pointer}/taken/{at}");
        exists(mistakes, &format!("{here}/series"), "series", before.series, series.contains(&before.series));
        count(mistakes, &format!("{here}/requests"), u64::from(before.requests), u64::from(MOST_COUNT));
        if !seen.insert(before.series) {
            mistakes.add(format!("{here}/series"), "duplicate", "同じ系列が重なっています", "the series is named twice");
        }
    }
}

fn request(mistakes: &mut Mistakes, pointer: &str, one: &InstanceRequest) {
    name(mistakes, &format!("{pointer}/name"), one.name.as_deref());
    let (from, to) = (one.period_from, one.period_to);
    span(mistakes, (&format!("{pointer}/period_from"), &format!("{pointer}/period_to")), from, to);
    count(mistakes, &format!("{pointer}/buffer_minutes"), u64::from(one.buffer_minutes), u64::from(DAY));
    visits(mistakes, pointer, &one.visits, (from, to));
}

fn visits(mistakes: &mut Mistakes, pointer: &str, all: &[InstanceVisit], (from, to): (NaiveDate, NaiveDate)) {
    items(mistakes, &format!("{pointer}/visits"), all.len(), MOST_PARTS);
    for (at, visit) in all.iter().enumerate() {
        let here = format!("{pointer}/visits/{at}");
        count(mistakes, &format!("{here}/minutes"), u64::from(visit.minutes), u64::from(MOST_COUNT));
        if let Some(start) = visit.start_minute {
            count(mistakes, &format!("{here}/start_minute"), u64::from(start), u64::from(DAY) - 1);
        }
        match visit.day {
            None if visit.start_minute.is_some() => mistakes.add(
                format!("{here}/start_minute"),
                "start_without_day",
                "日を決めてから開始時刻を書いてください",
                "a start only together with a day",
            ),
            None => {}
            Some(on) => {
                if from <= to && !(from..=to).contains(&on) {
                    mistakes.add(
                        format!("{here}/day"),
                        "outside_period",
                        format!("依頼の期間（{from}から{to}まで）の中の日にしてください"),
                        format!("a day within the period of the request, {from} to {to}"),
                    );
                }
                let most = u64::from(DAY).saturating_sub(u64::from(visit.start_minute.unwrap_or(0)));
                if u64::from(visit.minutes) > most && visit.minutes <= MOST_COUNT && most > 0 {
                    mistakes.add(
                        format!("{here}/minutes"),
                        "beyond_day",
                        format!("その日のうちに終わるように{most}分以内にし、日をまたぐ訪問は2つに分けてください"),
                        format!("at most {most} so that it ends with its day; give a visit over midnight as two"),
                    );
                }
            }
        }
    }
}

fn edge(mistakes: &mut Mistakes, pointer: &str, one: &InstanceEdge, known: &Known, instance: &Instance) {
    let request = known.requests.get(&one.request);
    exists(mistakes, &format!("{pointer}/request"), "requests", one.request, request.is_some());
    exists(mistakes, &format!("{pointer}/expert"), "experts", one.expert, known.experts.contains(&one.expert));
    count(mistakes, &format!("{pointer}/score"), u64::from(one.score), 1000);
    count(mistakes, &format!("{pointer}/kilometres"), u64::from(one.kilometres), u64::from(MOST_COUNT));
    items(mistakes, &format!("{pointer}/others"), one.others.len(), MOST_PARTS);
    if let (Some(own), Some(request)) = (&one.visits, request.and_then(|at| instance.requests.get(*at))) {
        visits(mistakes, pointer, own, (request.period_from, request.period_to));
        if own.len() != request.visits.len() {
            mistakes.add(
                format!("{pointer}/visits"),
                "visits_of_request",
                format!("依頼の訪問と同じ{}個の数にしてください", request.visits.len()),
                format!("as many visits as the request has: {}", request.visits.len()),
            );
        }
    }
    let mut members = BTreeSet::from([one.expert]);
    for (at, other) in one.others.iter().enumerate() {
        let here = format!("{pointer}/others/{at}");
        exists(mistakes, &here, "experts", *other, known.experts.contains(other));
        if !members.insert(*other) {
            mistakes.add(
                here,
                "member_twice",
                format!("チームの中で重ならない専門家にしてください（{other}）"),
                format!("an expert who is not in the team already, not {other}"),
            );
        }
    }
    if (one.team == 0) != one.others.is_empty() {
        mistakes.add(
            format!("{pointer}/team"),
            "team_number",
            "チームには1以上の番号とothersを、1人のときは0とothersなしを書いてください",
            "a team has a number from 1 and others, an expert alone has 0 and no others",
        );
    }
    if one.rotation && one.others.is_empty() {
        mistakes.add(
            format!("{pointer}/rotation"),
            "rotation_alone",
            "交代で訪問するにはothersを書いてください",
            "taking turns needs others",
        );
    }
    if let Some(minutes) = &one.minutes {
        for (at, minutes) in minutes.iter().enumerate() {
            count(mistakes, &format!("{pointer}/minutes/{at}"), u64::from(*minutes), u64::from(MOST_COUNT));
        }
        let visits = request.and_then(|at| instance.requests.get(*at)).map(|request| request.visits.len());
        if let Some(visits) = visits.filter(|visits| *visits != minutes.len()) {
            mistakes.add(
                format!("{pointer}/minutes"),
                "minutes_of_visits",
                format!("依頼の訪問と同じ{visits}個の数にしてください"),
                format!("as many numbers as the request has visits: {visits}"),
            );
        }
    }
    if let Some(cost) = one.cost_yen {
        count(mistakes, &format!("{pointer}/cost_yen"), cost, MOST_YEN);
    }
    items(mistakes, &format!("{pointer}/budgets"), one.budgets.len(), MOST_BUDGETS);
    for (place, budget) in one.budgets.iter().enumerate() {
        let pointer_of = format!("{pointer}/budgets/{place}");
        exists(mistakes, &pointer_of, "budgets", *budget, known.budgets.contains(budget));
        if one.budgets[..place].contains(budget) {
            mistakes.add(pointer_of, "duplicate", "同じ予算が重なっています", "the budget is named twice");
        }
        if place == 0 && one.cost_yen.is_none() {
            mistakes.add(
                format!("{pointer}/cost_yen"),
                "cost_missing",
                "予算を使う場合は費用を書いてください",
                "an edge that draws on a budget says what it costs",
            );
        }
    }
}
