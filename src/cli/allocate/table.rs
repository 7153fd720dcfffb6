//! What people read on a terminal.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::matching::allocation::instance::Instance;
use crate::matching::allocation::problem::Level;
use crate::matching::allocation::report::{
    AllocationReport, Basis, LevelFigure, ReportAssignment, ReportChange, ReportGap, ReportLevel, ReportReason, ReportTaker,
    Verified,
};

/// Most lines of a kind; the report has all of them.
const MOST_LINES: usize = 200;

/// A line without what would steer a terminal.
pub fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

/// Names by id.
struct Names<'a> {
    requests: BTreeMap<i64, &'a str>,
    experts: BTreeMap<i64, &'a str>,
}

impl<'a> Names<'a> {
    fn new(instance: &'a Instance) -> Self {
        let requests = instance.requests.iter().filter_map(|one| Some((one.id, one.name.as_deref()?)));
        let experts = instance.experts.iter().filter_map(|one| Some((one.id, one.name.as_deref()?)));
        Self { requests: requests.collect(), experts: experts.collect() }
    }

    fn request(&self, id: i64) -> String {
        named(&self.requests, id)
    }

    fn expert(&self, id: i64) -> String {
        named(&self.experts, id)
    }

    fn taker(&self, taker: ReportTaker) -> String {
        let team = if taker.team == 0 { String::new() } else { format!("（チーム{}）", taker.team) };
        self.expert(taker.expert) + &team
    }
}

fn named(names: &BTreeMap<i64, &str>, id: i64) -> String {
    names.get(&id).map_or_else(|| id.to_string(), |name| format!("{id} {}", printable(name)))
}

/// The code of a level, as in JSON.
fn code(level: Level) -> &'static str {
    match level {
        Level::Kept => "kept",
        Level::NeverServed => "never_served",
        Level::Small => "small",
        Level::Served => "served",
        Level::Spread => "spread",
        Level::Fit => "fit",
        Level::Load => "load",
        Level::Score => "score",
        Level::Travel => "travel",
    }
}

fn in_japanese(level: Level) -> &'static str {
    match level {
        Level::Kept => "維持すべき割当",
        Level::NeverServed => "初めて支援を受ける団体",
        Level::Small => "小規模団体",
        Level::Served => "対応する依頼",
        Level::Spread => "団体間の偏り（二乗和の増分）",
        Level::Fit => "適合度（帯）",
        Level::Load => "専門家間の偏り（二乗和の増分）",
        Level::Score => "適合度（点）",
        Level::Travel => "移動距離（km）",
    }
}

fn reason(reason: ReportReason) -> &'static str {
    match reason {
        ReportReason::NoEdge => "候補の専門家がいません (no_edge)",
        ReportReason::ImpossibleEdges => "候補の専門家はいずれも日程・時間・予算が合いません (impossible_edges)",
        ReportReason::NoPlaces => "候補の専門家に受入枠がありません (no_places)",
        ReportReason::CapacityTaken => "候補の専門家はほかの依頼に充てられています (capacity_taken)",
        ReportReason::Limited => "共有する時間・日程・予算の上限に達しています (limited)",
    }
}

fn levels(out: &mut dyn Write, levels: &[ReportLevel], gap: Option<ReportGap>) -> io::Result<()> {
    writeln!(out, "{:<14}{:>14}{:>14}  証明", "level", "value", "bound")?;
    for one in levels {
        let bound = one.bound.map_or_else(|| "-".to_owned(), |bound| bound.to_string());
        let proof = match gap {
            _ if one.proved => "証明済".to_owned(),
            Some(gap) if gap.level == one.level && one.proved_within_counts => {
                format!("差 {}‰（団体ごとの件数を同じとすれば証明済）", gap.permille)
            }
            Some(gap) if gap.level == one.level => format!("差 {}‰", gap.permille),
            _ if one.proved_within_counts => "件数を同じとすれば証明済".to_owned(),
            _ => "未証明".to_owned(),
        };
        writeln!(out, "{:<14}{:>14}{bound:>14}  {proof}  {}", code(one.level), one.value, in_japanese(one.level))?;
    }
    Ok(())
}

fn figures(figures: &[LevelFigure]) -> String {
    if figures.is_empty() {
        return "値の変化なし".to_owned();
    }
    figures.iter().map(|one| format!("{} {:+}", code(one.level), one.value)).collect::<Vec<_>>().join("、")
}

fn greedy(out: &mut dyn Write, figures: &[LevelFigure]) -> io::Result<()> {
    let values: Vec<String> = figures.iter().map(|one| format!("{} {}", code(one.level), one.value)).collect();
    writeln!(out, "先着順（比較用）: {}", values.join("、"))
}

fn more(out: &mut dyn Write, all: usize) -> io::Result<()> {
    if all > MOST_LINES { writeln!(out, "  ほか{}件（--jsonまたは--outputで全件）", all - MOST_LINES) } else { Ok(()) }
}

fn assignment(names: &Names<'_>, one: &ReportAssignment) -> String {
    let taker = names.taker(ReportTaker { expert: one.expert, team: one.team });
    let others: Vec<String> = one.others.iter().map(|id| names.expert(*id)).collect();
    let with = if others.is_empty() { String::new() } else { format!(" ＋ {}", others.join("、")) };
    format!("{} ← {taker}{with}", names.request(one.request))
}

fn change(names: &Names<'_>, one: &ReportChange) -> String {
    let taker = |taker: Option<ReportTaker>| taker.map_or_else(|| "なし".to_owned(), |taker| names.taker(taker));
    let moves: Vec<String> =
        one.moves.iter().map(|one| format!("{}: {} → {}", names.request(one.request), taker(one.from), taker(one.to))).collect();
    let what = if one.cheapest { "最小の変更" } else { "変更の例" };
    format!("{what}: {}（{}）", moves.join("; "), figures(&one.levels))
}

/// A report.
pub fn report(out: &mut dyn Write, instance: &Instance, report: &AllocationReport, cases: usize) -> io::Result<()> {
    let names = Names::new(instance);
    writeln!(out, "依頼{}件のうち{}件を割り当てました", instance.requests.len(), report.assignments.len())?;
    writeln!(out)?;
    levels(out, &report.levels, report.gap)?;
    greedy(out, &report.greedy)?;
    writeln!(out)?;
    writeln!(out, "割当 {}件", report.assignments.len())?;
    for one in report.assignments.iter().take(MOST_LINES) {
        writeln!(out, "  {}", assignment(&names, one))?;
    }
    more(out, report.assignments.len())?;
    if !report.unserved.is_empty() {
        writeln!(out)?;
        writeln!(out, "割当のない依頼 {}件", report.unserved.len())?;
        for one in report.unserved.iter().take(MOST_LINES) {
            writeln!(out, "  {}: {}", names.request(one.request), reason(one.reason))?;
            if let Some(one) = &one.change {
                writeln!(out, "    {}", change(&names, one))?;
            }
        }
        more(out, report.unserved.len())?;
    }
    writeln!(out)?;
    if !report.impossible_edges.is_empty() {
        writeln!(out, "単独でも成り立たない組 {}件を除きました", report.impossible_edges.len())?;
    }
    let proved = match (report.optimal, report.proved_levels) {
        (Some(true), _) => "全段で最適と証明".to_owned(),
        (_, Some(levels)) => format!("最初の{levels}段まで最適と証明"),
        _ => "証明なし".to_owned(),
    };
    let solves = report.solves.unwrap_or(0);
    writeln!(out, "証明書: {proved}、場合分け{cases}件、循環流の計算{solves}回")?;
    if report.reproducible == Some(false) {
        writeln!(out, "時間制限で打ち切ったため、別の計算機では結果が変わることがあります")?;
    } else if report.stopped == Some(true) {
        writeln!(out, "計算量の上限（--work）で打ち切りました。同じ入力からは常に同じ結果になります")?;
    }
    if let Some(sha256) = &report.instance_sha256 {
        writeln!(out, "入力 sha256: {sha256}")?;
    }
    Ok(())
}

/// What was found of a result.
pub fn verified(out: &mut dyn Write, instance: &Instance, verified: &Verified, impossible: usize) -> io::Result<()> {
    writeln!(out, "有効な割当です: 依頼{}件のうち{}件", instance.requests.len(), verified.served)?;
    if impossible > 0 {
        writeln!(out, "（単独でも成り立たない組が入力に{impossible}件あります）")?;
    }
    writeln!(out)?;
    levels(out, &verified.levels, verified.gap)?;
    greedy(out, &verified.greedy)?;
    writeln!(out)?;
    match verified.basis {
        Basis::Certificate => writeln!(out, "証明書を計算し直しました")?,
        Basis::Circulation => {
            writeln!(out, "証明書がないため、結果そのものは何も証明しません")?;
            writeln!(out, "限界は、共有の上限を除いた最良の循環流をここで計算したものです")?;
        }
        Basis::Nothing => writeln!(out, "証明書がなく、数値が大きすぎるため限界も計算できません")?,
    }
    if verified.optimal {
        writeln!(out, "全段で最適です")?;
    } else {
        writeln!(out, "最初の{}段まで最適です", verified.proved_levels)?;
    }
    if verified.claims_more {
        writeln!(out, "結果にはこれより強い主張がありますが、示されていません")?;
    }
    Ok(())
}
