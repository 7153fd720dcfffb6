//! Looks at a result, whoever made it. Nothing it claims is taken as given.

use std::collections::BTreeSet;

use serde::Serialize;

use super::ledger::Ledger;
use super::{
    AllocationReport, LevelFigure, ReportChange, ReportGap, ReportLevel, ReportTaker, differences, figures, gap, levels, shown,
};
use crate::matching::allocation::check::{Verdict, check};
use crate::matching::allocation::instance::{Conversion, Instance, problem_sha256};
use crate::matching::allocation::network::Model;
use crate::matching::allocation::problem::{LEVELS, Problem};
use crate::matching::allocation::search::{Planned, greedy};

/// Where the bound comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// From the certificate of the result, recomputed.
    Certificate,
    /// The result proves nothing. The bound is that of the best plan without the limits that requests share, worked out here
    /// and recomputed from its potentials.
    Circulation,
    /// The result proves nothing, and figures are too large for a bound.
    Nothing,
}

/// What a result is, as it was found here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Requests served.
    pub served: usize,
    /// What it comes to, with the bound.
    pub levels: Vec<ReportLevel>,
    /// How many levels, from the first, are proved to be the best there is.
    pub proved_levels: usize,
    /// Whether all of them are.
    pub optimal: bool,
    /// How far the first level that is not proved may be from the best.
    pub gap: Option<ReportGap>,
    /// Where the bound comes from.
    pub basis: Basis,
    /// Whether the result claims more than is proved: it may be true, and it is not shown.
    pub claims_more: bool,
    /// What taking one request after another comes to.
    pub greedy: Vec<LevelFigure>,
}

/// Looks at a result: whether every assignment is possible and all of them together keep every limit, whether it comes to what
/// is claimed, and what is proved.
///
/// Assignments must name edges of the instance; with a certificate, bounds and what is called proved must be just what it
/// gives; changes that would serve a request must be possible and cost what is said. Not looked at: engine, work, `stopped`,
/// `reproducible`, `greedy`, `impossible_edges`, the reasons of requests that nobody takes, and whether a change is the
/// cheapest.
///
/// # Errors
/// Everything that is wrong with it, in Japanese and English.
pub fn check_report(instance: &Instance, report: &AllocationReport) -> Result<Verified, Vec<String>> {
    let conversion = match instance.convert() {
        Ok(conversion) => conversion,
        Err(mistakes) => return Err(mistakes.iter().map(ToString::to_string).collect()),
    };
    let problem = &conversion.problem;
    let mut wrong = Wrong::default();
    if let Some(claimed) = &report.instance_sha256
        && *claimed != problem_sha256(problem)
    {
        wrong.add("instance_sha256がこの入力のものと違います", "instance_sha256 is not that of this instance");
    }
    let mut plan = assigned(&conversion, report, &mut wrong);
    plan.sort_unstable();
    if let Some(broken) = problem.broken(&plan) {
        wrong.add(
            format!("割当が条件を満たしません（{}）", broken_in_japanese(broken)),
            format!("the assignments are not possible together: {broken}"),
        );
    }
    if !wrong.0.is_empty() {
        return Err(wrong.0);
    }
    let (verdict, basis) = match proof(problem, &plan, report) {
        Ok(found) => found,
        Err(broken) => {
            wrong.add("証明書が正しくありません", format!("the certificate does not hold: {broken}"));
            return Err(wrong.0);
        }
    };
    let verified = Verified {
        served: report.assignments.len(),
        levels: levels(problem, &verdict),
        proved_levels: verdict.proved,
        optimal: verdict.is_optimal(),
        gap: gap(problem, &verdict),
        basis,
        claims_more: false,
        greedy: figures(problem, &problem.objective(&greedy(problem))),
    };
    claims(&verified, report, &mut wrong);
    unserved(problem, report, &plan, &mut wrong);
    let claims_more = claims_more(problem, &verified, report);
    if wrong.0.is_empty() { Ok(Verified { claims_more, ..verified }) } else { Err(wrong.0) }
}

#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn add(&mut self, ja: impl AsRef<str>, en: impl AsRef<str>) {
        self.0.push(format!("{} / {}", ja.as_ref(), en.as_ref()));
    }
}

/// The places of the pairs that are assigned.
fn assigned(conversion: &Conversion, report: &AllocationReport, wrong: &mut Wrong) -> Vec<usize> {
    let problem = &conversion.problem;
    let mut plan = Vec::with_capacity(report.assignments.len());
    let mut served = BTreeSet::new();
    for (at, one) in report.assignments.iter().enumerate() {
        let key = (one.request, one.expert, one.team);
        if !served.insert(one.request) {
            wrong.add(format!("/assignments/{at}: 依頼{}が2回あります", one.request), format!("request {} twice", one.request));
            continue;
        }
        let Some(place) = problem.pair(key) else {
            let dropped = conversion.dropped.binary_search_by_key(&key, |edge| (edge.request, edge.expert, edge.team));
            let (request, expert, team) = key;
            let (ja, en) = match dropped {
                Ok(at) => {
                    ("日程・時間・予算が合わない組です", format!("can never be chosen: {:?}", conversion.dropped[at].reason))
                }
                Err(_) => ("入力にない組です", "is not an edge of the instance".to_owned()),
            };
            wrong.add(
                format!("/assignments/{at}: 依頼{request}、専門家{expert}、チーム{team}は{ja}"),
                format!("request {request}, expert {expert}, team {team} {en}"),
            );
            continue;
        };
        let mut others = one.others.clone();
        others.sort_unstable();
        if !others.is_empty() && others != problem.pairs[place].others {
            let expected = &problem.pairs[place].others;
            wrong.add(format!("/assignments/{at}/others: {expected:?}のはずです"), format!("should be {expected:?}"));
        }
        plan.push(place);
    }
    plan
}

fn broken_in_japanese(broken: &str) -> &'static str {
    match broken {
        "a request is served twice" => "同じ依頼が2回",
        "an expert has more requests than places" => "受入枠を超える専門家がいます",
        "a limit is exceeded" => "時間・日程・予算の上限を超えています",
        _ => "組の指定が正しくありません",
    }
}

/// What is proved of a plan: by the certificate, or else by a circulation worked out here.
fn proof(problem: &Problem, plan: &[usize], report: &AllocationReport) -> Result<(Verdict, Basis), &'static str> {
    if let Some(certificate) = &report.certificate {
        let planned = Planned { plan: plan.to_vec(), cases: certificate.cases.clone(), closed: None, solves: 0, stopped: false };
        return check(problem, &planned).map(|verdict| (verdict, Basis::Certificate));
    }
    let value = problem.objective(plan);
    let model = Model::new(problem, &[]);
    // The bound is recomputed from the potentials: a circulation that is not the best would show as a lower bound.
    let bound = model.solve().ok().and_then(|(_, solution)| solution.proof.bound(&model.network));
    let Some(bound) = bound else {
        return Ok((Verdict { value, bound: [i64::MIN; LEVELS], proved: 0, within: 0 }, Basis::Nothing));
    };
    let bound = bound.min(value);
    let proved = value.iter().zip(&bound).take_while(|(value, bound)| value == bound).count();
    Ok((Verdict { value, bound, proved, within: proved }, Basis::Circulation))
}

/// Compares what is claimed of the whole with what was found.
fn claims(verified: &Verified, report: &AllocationReport, wrong: &mut Wrong) {
    if !report.levels.is_empty() {
        let figures = |levels: &[ReportLevel]| -> Vec<_> { levels.iter().map(|one| (one.level, one.value)).collect() };
        if figures(&report.levels) != figures(&verified.levels) {
            let found: Vec<String> = verified.levels.iter().map(|one| format!("{:?} {}", one.level, one.value)).collect();
            let found = found.join(", ");
            wrong.add(format!("levelsの値は次のはずです: {found}"), format!("the values of levels should be: {found}"));
        }
    }
    if verified.basis != Basis::Certificate {
        return;
    }
    let proved = |levels: &[ReportLevel]| -> Vec<_> { levels.iter().map(|one| (one.bound, one.proved)).collect() };
    let within = report.levels.iter().zip(&verified.levels).any(|(claimed, found)| claims_more_within(claimed, found));
    let differs = within
        || (!report.levels.is_empty() && proved(&report.levels) != proved(&verified.levels))
        || report.optimal.is_some_and(|optimal| optimal != verified.optimal)
        || report.proved_levels.is_some_and(|levels| levels as usize != verified.proved_levels)
        || report.gap.is_some_and(|gap| Some(gap) != verified.gap);
    if differs {
        wrong.add(
            format!("証明書が示すのは最初の{}段までの最適性です（限界・差も確かめてください）", verified.proved_levels),
            format!("the certificate proves {} levels; bounds, gap and optimal do not say the same", verified.proved_levels),
        );
    }
}

fn claims_more_within(claimed: &ReportLevel, found: &ReportLevel) -> bool {
    claimed.proved_within_counts && !found.proved_within_counts
}

/// Whether more is called proved than was found: only where there is no certificate to hold it against.
fn claims_more(problem: &Problem, verified: &Verified, report: &AllocationReport) -> bool {
    let nearer = report.levels.iter().zip(&verified.levels).any(|(claimed, found)| match (claimed.bound, found.bound) {
        // Bounds are compared as what is to be small.
        (Some(claim), Some(bound)) => shown(claimed.level, claim) > shown(found.level, bound),
        (Some(_), None) => true,
        (None, _) => false,
    });
    let proved = report.levels.iter().take(problem.levels().len()).filter(|level| level.proved).count();
    let gap = match (report.gap, verified.gap) {
        (Some(claimed), Some(found)) => claimed.level != found.level || claimed.permille < found.permille,
        _ => false,
    };
    nearer
        || gap
        || report.levels.iter().zip(&verified.levels).any(|(claimed, found)| claims_more_within(claimed, found))
        || proved > verified.proved_levels
        || report.proved_levels.is_some_and(|levels| levels as usize > verified.proved_levels)
        || report.optimal == Some(true) && !verified.optimal
}

/// Looks at what is said of requests that nobody takes: that they are those, and that their changes are possible and cost what
/// is said.
fn unserved(problem: &Problem, report: &AllocationReport, plan: &[usize], wrong: &mut Wrong) {
    if report.unserved.is_empty() {
        return;
    }
    let taken: BTreeSet<i64> = report.assignments.iter().map(|one| one.request).collect();
    let open: BTreeSet<i64> =
        problem.requests.iter().map(|request| request.id).filter(|request| !taken.contains(request)).collect();
    let named: BTreeSet<i64> = report.unserved.iter().map(|one| one.request).collect();
    if named != open || report.unserved.len() != open.len() {
        wrong.add("unservedが割当のない依頼と一致しません", "unserved does not name the requests that nobody takes");
    }
    let ledger = Ledger::new(problem, plan);
    let value = problem.objective(plan);
    for (at, one) in report.unserved.iter().enumerate() {
        let Some(change) = &one.change else { continue };
        if !is_right(&ledger, problem, &value, one.request, change) {
            wrong.add(
                format!("/unserved/{at}/change: この変更はできないか、値が違います"),
                "the change is not possible or does not come to that",
            );
        }
    }
}

fn is_right(ledger: &Ledger<'_>, problem: &Problem, value: &[i64; LEVELS], request: i64, change: &ReportChange) -> bool {
    let mut moved = BTreeSet::new();
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for one in &change.moves {
        let place = |taker: &ReportTaker| problem.pair((one.request, taker.expert, taker.team));
        for (taker, places) in [(&one.from, &mut removed), (&one.to, &mut added)] {
            match taker.as_ref().map(place) {
                Some(Some(place)) => places.push(place),
                Some(None) => return false,
                None => {}
            }
        }
        if !moved.insert(one.request) {
            return false;
        }
    }
    let serves = added.iter().any(|place| problem.pairs[*place].request == request);
    let after = ledger.after(&added, &removed);
    serves
        && after.is_some_and(|plan| {
            let after = problem.objective(&plan);
            let by = std::array::from_fn(|level| after[level].saturating_sub(value[level]));
            differences(problem, &by) == change.levels
        })
}
