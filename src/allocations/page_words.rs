//! The words of plans: what levels, limits and reasons are called, and changes, prices and loads in sentences.

use std::collections::BTreeMap;

use crate::allocations::store;
use crate::allocations::views::{
    AllocationChange, AllocationMove, AllocationResult, Blocker, LevelChange, LoadRange, PopulationBand,
};
use crate::db::Conn;
use crate::error::Error;
use crate::ids::{ExpertId, OrganisationId, RequestId};
use crate::matching::allocation::problem::{Level, LimitKind};
use crate::web::tongue::{Tongue, grouped};

/// The names of what a plan names by number.
#[derive(Debug, Default)]
pub struct Names {
    requests: BTreeMap<i64, (String, String)>,
    experts: BTreeMap<i64, String>,
}

impl Names {
    /// Reads the names of requests to an owner and of experts of its pools. Others, whoever wrote their number into an address
    /// or an option, stay numbers.
    pub fn load(conn: &mut Conn, owner: OrganisationId, requests: &[RequestId], experts: &[ExpertId]) -> Result<Self, Error> {
        let mut rows = crate::requests::store::find_many(conn, requests)?;
        rows.retain(|row| row.owner_organisation_id == owner && row.has_reached_office());
        let bodies: Vec<OrganisationId> = rows.iter().map(|row| row.applicant_organisation_id).collect();
        let bodies: BTreeMap<i64, String> =
            crate::organisations::store::find_many(conn, &bodies)?.into_iter().map(|row| (row.id.0, row.name)).collect();
        let requests = rows
            .into_iter()
            .map(|row| (row.id.0, (bodies.get(&row.applicant_organisation_id.0).cloned().unwrap_or_default(), row.theme)))
            .collect();
        let experts = store::owned_experts(conn, owner, experts)?.into_iter().map(|(id, _, name)| (id.0, name)).collect();
        Ok(Self { requests, experts })
    }

    /// Body and theme of a request.
    pub fn request(&self, id: RequestId) -> String {
        self.requests.get(&id.0).map_or_else(|| format!("#{id}"), |(body, theme)| format!("{body}「{theme}」"))
    }

    /// The body of a request.
    pub fn body(&self, id: RequestId) -> String {
        self.requests.get(&id.0).map_or_else(|| format!("#{id}"), |(body, _)| body.clone())
    }

    /// The theme of a request.
    pub fn theme(&self, id: RequestId) -> String {
        self.requests.get(&id.0).map(|(_, theme)| theme.clone()).unwrap_or_default()
    }

    /// The name of an expert.
    pub fn expert(&self, id: ExpertId) -> String {
        self.experts.get(&id.0).cloned().unwrap_or_else(|| format!("#{id}"))
    }

    /// A team, or that it is nobody.
    pub fn team(&self, t: Tongue, lead: Option<ExpertId>, others: &[ExpertId]) -> String {
        let Some(lead) = lead else { return t.t("割当てなし", "nobody").to_owned() };
        let all: Vec<String> = std::iter::once(lead).chain(others.iter().copied()).map(|id| self.expert(id)).collect();
        all.join(t.t("、", ", "))
    }

    /// A move in words.
    pub fn step(&self, t: Tongue, step: &AllocationMove) -> String {
        let from = self.team(t, step.from_expert_id, &step.from_other_ids);
        let to = self.team(t, step.to_expert_id, &step.to_other_ids);
        format!("{}{}{from} → {to}", self.request(step.request_id), t.t("：", ": "))
    }
}

/// What a level is called.
pub fn level_label(t: Tongue, level: Level) -> &'static str {
    match level {
        Level::Kept => t.t("固定した割当てを守る", "Pinned assignments kept"),
        Level::NeverServed => t.t("未利用の団体に届く", "Bodies served for the first time"),
        Level::Small => t.t("小規模の団体に届く", "Small bodies served"),
        Level::Served => t.t("割り当てた申請の数", "Requests served"),
        Level::Spread => t.t("団体間の偏り（小さいほどよい）", "Unevenness between bodies (less is better)"),
        Level::Fit => t.t("適合度（段階）", "Fit in bands"),
        Level::Load => t.t("専門家の負荷の偏り（小さいほどよい）", "Unevenness of loads (less is better)"),
        Level::Score => t.t("適合度（点）", "Fit to the point"),
        Level::Travel => t.t("移動距離（短いほどよい）", "Kilometres (less is better)"),
    }
}

/// A value of a level with its unit.
pub fn level_value(t: Tongue, level: Level, value: i64) -> String {
    let unit = match level {
        Level::Kept | Level::Served => t.t("件", ""),
        Level::NeverServed | Level::Small => t.t("団体", ""),
        Level::Fit => t.t("段", " bands"),
        Level::Score => t.t("点", " points"),
        Level::Travel => " km",
        Level::Spread | Level::Load => "",
    };
    format!("{}{unit}", grouped(value))
}

fn limit_label(t: Tongue, kind: LimitKind) -> &'static str {
    match kind {
        LimitKind::Places => t.t("受入件数の上限", "places"),
        LimitKind::Minutes => t.t("稼働時間の上限（分）", "minutes"),
        LimitKind::Days => t.t("稼働日数の上限", "days"),
        LimitKind::Time => t.t("日時の重なり", "time"),
        LimitKind::Series => t.t("同じ取組に同じ専門家を派遣できる回数", "same expert for the same theme"),
        LimitKind::Budget => t.t("予算（円）", "budget (yen)"),
        LimitKind::Other => t.t("上限", "a limit"),
    }
}

/// Why experts are excluded, by the code of the reason.
pub fn exclusion_label(t: Tongue, code: &str) -> String {
    let (impossible, bare) = code.strip_prefix("impossible_").map_or((false, code), |bare| (true, bare));
    let words = match bare {
        "not_registered" => t.t("登録されていない", "not registered"),
        "suspended" => t.t("一時停止中", "suspended"),
        "appointment_not_started" => t.t("委嘱期間の開始前", "appointment not started"),
        "appointment_ended" => t.t("委嘱期間の終了後", "appointment ended"),
        "conflict_of_interest" => t.t("利害関係がある", "conflict of interest"),
        "refused" => t.t("本人または団体が希望しない", "one side refuses the other"),
        "programme_limit" => t.t("事業の上限に達した", "programme's limit used up"),
        "mode_not_offered" => t.t("現地・オンラインの希望に合わない", "mode not offered"),
        "outside_area" => t.t("活動区域の外", "outside the area"),
        "island_not_served" => t.t("離島に行けない", "island not served"),
        "language_missing" => t.t("言語に対応できない", "language missing"),
        "skills_missing" => t.t("必須スキルを満たさない", "skills missing"),
        "employer_consent" => t.t("所属先の承諾がない", "no consent of the employer"),
        "on_leave" => t.t("休み", "on leave"),
        "outside_availability" => t.t("対応できる曜日・時間の外", "outside availability"),
        "calendar_busy" => t.t("予定が入っている", "calendar busy"),
        "no_date_possible" => t.t("合う日がない", "no date possible"),
        "week_capacity" => t.t("週の上限に達した", "week's capacity used up"),
        "month_capacity" => t.t("月の上限に達した", "month's capacity used up"),
        "fiscal_year_capacity" => t.t("年度の上限に達した", "year's capacity used up"),
        "fiscal_year_days" => t.t("年度の日数の上限に達した", "year's days used up"),
        "simultaneous_capacity" => t.t("同時に受けられる件数に達した", "as many dispatches as agreed"),
        "already_declined" => t.t("すでに辞退・期限切れ", "has declined already"),
        "own_visits_overlap" => t.t("申請の訪問どうしが重なる", "the request's own visits overlap"),
        "busy" => t.t("予定と重なる", "time held already"),
        "day_full" => t.t("1日に収まらない", "the day is full"),
        "capacity" => t.t("稼働時間", "minutes"),
        "days" => t.t("稼働日数", "days"),
        "series" => t.t("同じ取組に同じ専門家を派遣できる回数", "same expert for the same theme"),
        "budget" => t.t("予算", "budget"),
        other => other,
    };
    if impossible {
        format!("{}{words}", t.t("単独でも収まらない：", "could not even alone: "))
    } else {
        words.to_owned()
    }
}

/// The experts a move names.
pub fn experts_of(step: &AllocationMove) -> Vec<ExpertId> {
    let leads = [step.from_expert_id, step.to_expert_id].into_iter().flatten();
    leads.chain(step.from_other_ids.iter().copied()).chain(step.to_other_ids.iter().copied()).collect()
}

/// A change of a level in words: +3 団体.
pub fn by(t: Tongue, change: &LevelChange) -> String {
    let sign = if change.by > 0 { "+" } else { "" };
    format!("{sign}{}", level_value(t, change.level, change.by))
}

/// A change in words: who instead, what else moves, what it costs.
pub fn change_lines(t: Tongue, change: &AllocationChange, names: &Names, own: Option<RequestId>) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &change.moves {
        if Some(step.request_id) == own {
            lines.push(format!("→ {}", names.team(t, step.to_expert_id, &step.to_other_ids)));
        } else {
            lines.push(names.step(t, step));
        }
    }
    let costs: Vec<String> =
        change.levels.iter().map(|level| format!("{} {}", level_label(t, level.level), by(t, level))).collect();
    lines.push(if costs.is_empty() {
        t.t("どの目標も変わりません", "no level changes").to_owned()
    } else {
        costs.join(t.t("、", ", "))
    });
    if !change.exact {
        lines.push(t.t("（より小さな変更がありうる）", "(a cheaper change may exist)").to_owned());
    }
    lines
}

/// What keeps experts from a request; those with the same reason share a line.
pub fn blocker_lines(t: Tongue, blockers: &[Blocker], names: &Names) -> Vec<String> {
    let comma = t.t("、", ", ");
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for blocker in blockers {
        let by: Vec<String> = blocker.taken_by.iter().map(|id| names.body(*id)).collect();
        let by = match (by.is_empty(), t.english()) {
            (true, _) => String::new(),
            (false, false) => format!("（{}に割当て）", by.join(comma)),
            (false, true) => format!(" (taken by {})", by.join(comma)),
        };
        let (left, needed) = (grouped(blocker.left), grouped(blocker.needed));
        let (left, needed) = (format!("{}{left}", t.t("残り", "left ")), format!("{}{needed}", t.t("必要", "needed ")));
        let why = format!("{} {left}{comma}{needed}{by}", limit_label(t, blocker.kind));
        let who = blocker.expert_id.map(|id| names.expert(id));
        match groups.iter_mut().find(|(known, _)| *known == why) {
            Some((_, experts)) => experts.extend(who),
            None => groups.push((why, who.into_iter().collect())),
        }
    }
    let line = |(why, experts): (String, Vec<String>)| {
        if experts.is_empty() { why } else { format!("{}{}{why}", experts.join(comma), t.t("：", ": ")) }
    };
    groups.into_iter().map(line).collect()
}

/// What each level costs the next, in sentences.
pub fn prices(t: Tongue, result: &AllocationResult) -> Vec<String> {
    result
        .prices
        .iter()
        .map(|price| {
            let (level, next) = (level_label(t, price.level), level_label(t, price.next));
            let by = level_value(t, price.next, price.by);
            let sign = if price.by > 0 { "+" } else { "" };
            let about = if price.exact { "" } else { t.t("（共通の上限を除いた目安）", " (without shared limits)") };
            if t.english() {
                format!("If “{level}” did not count: {next} {sign}{by}{about}")
            } else {
                format!("「{level}」を考えなければ：{next} {sign}{by}{about}")
            }
        })
        .collect()
}

/// A band of population.
pub fn band_label(t: Tongue, band: &PopulationBand) -> String {
    match (band.least, band.below) {
        (None, None) => t.t("人口未登録", "not on record").to_owned(),
        (None | Some(0), Some(below)) => format!("{}{}", grouped(below), t.t("人未満", " and fewer")),
        (Some(least), Some(below)) => format!("{}{}{}{}", grouped(least), t.t("〜", "–"), grouped(below - 1), t.t("人", "")),
        (Some(least), None) => format!("{}{}", grouped(least), t.t("人以上", " and more")),
    }
}

/// The loads of experts before and after, in rows.
pub fn loads(t: Tongue, before: &LoadRange, after: &LoadRange) -> Vec<(&'static str, String, String)> {
    let gini = |range: &LoadRange| format!("0.{:03}", range.gini_permille);
    vec![
        (t.t("最も少ない人", "Least"), before.least.to_string(), after.least.to_string()),
        (t.t("最も多い人", "Most"), before.most.to_string(), after.most.to_string()),
        (t.t("ジニ係数（0が均等）", "Gini (0 is even)"), gini(before), gini(after)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_has_words_and_a_unit() {
        let ja = Tongue::default();
        assert_eq!(level_value(ja, Level::Travel, 1_200), "1,200 km");
        assert_eq!(level_value(ja, Level::NeverServed, 3), "3団体");
        assert_eq!(exclusion_label(ja, "impossible_budget"), "単独でも収まらない：予算");
        assert_eq!(exclusion_label(ja, "new_code"), "new_code");
        use crate::matching::allocation::instance::DropReason::*;
        for reason in [OwnVisitsOverlap, Busy, DayFull, Capacity, Days, Series, Budget] {
            let label = exclusion_label(ja, &format!("impossible_{}", reason.as_str()));
            assert!(label.starts_with("単独でも収まらない：") && label.chars().all(|c| !c.is_ascii_alphabetic()), "{label}");
        }
    }
}
