//! What a programme's rules allow a request to ask for. Each policy is a small pure function that looks at one thing and
//! gives its refusals, each naming the rule; all are evaluated, so that the applicant hears everything at once.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::model::{ActivityKind, Mode, Origin};
use crate::calendar::FiscalYear;
use crate::clock::UtcTime;
use crate::error::{Error, ErrorCode};
use crate::http::Fields;
use crate::ids::{ExpertId, OrganisationId};
use crate::organisations::model::OrganisationKind;
use crate::pools::rules::{Limit, ProgrammeRules};

/// Why a rule refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rule's stable name.
    pub rule: &'static str,
    /// The member of the request it is about.
    pub pointer: String,
    /// What would be right, in Japanese.
    pub ja: String,
    /// What would be right, in English.
    pub en: String,
}

impl Refusal {
    fn new(rule: &'static str, pointer: impl Into<String>, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { rule, pointer: pointer.into(), ja: ja.into(), en: en.into() }
    }
}

/// How a body stands to the pool on the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// Owns it.
    Owner,
    /// Belongs to it.
    Member,
    /// Is a school, board, NPO or the like of a body that belongs to it.
    ParentIsMember,
    /// Is a school, university or NPO without a parent body, in the owner's prefecture.
    SamePrefecture,
    /// None of these.
    Outside,
}

/// What decides a body's standing.
#[derive(Debug, Clone, Copy)]
pub struct Body {
    /// The body.
    pub id: OrganisationId,
    /// Its kind.
    pub kind: OrganisationKind,
    /// The body it belongs to.
    pub parent: Option<OrganisationId>,
    /// The prefecture it lies in; itself for a prefecture.
    pub prefecture: Option<OrganisationId>,
}

/// How a body stands to a pool with this owner and, on the day, these members.
pub fn membership(body: &Body, owner: &Body, members: &[OrganisationId]) -> Membership {
    let belongs = |id: OrganisationId| id == owner.id || members.contains(&id);
    if body.id == owner.id {
        return Membership::Owner;
    }
    if belongs(body.id) {
        return Membership::Member;
    }
    match body.parent {
        Some(parent) if !body.kind.has_code() && belongs(parent) => Membership::ParentIsMember,
        None if matches!(body.kind, OrganisationKind::School | OrganisationKind::University | OrganisationKind::Npo)
            && body.prefecture.is_some()
            && body.prefecture == owner.prefecture =>
        {
            Membership::SamePrefecture
        }
        _ => Membership::Outside,
    }
}

/// How much of which kind of work is asked for or planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    /// Visits.
    pub visits: i64,
    /// Days on which somebody is at the place.
    pub onsite_days: i64,
    /// Whether nobody ever travels.
    pub online_only: bool,
    /// Minutes of all visits.
    pub minutes: i64,
    /// Minutes of the longest visit.
    pub longest: i64,
}

impl Mix {
    /// What a request asks for. Nobody knows yet which visits of a mixed request will be online, so each counts as a day
    /// on site.
    pub fn asked(mode: Mode, visit_count: i32, minutes_per_visit: i32) -> Self {
        let (visits, minutes) = (i64::from(visit_count), i64::from(minutes_per_visit));
        let online_only = mode == Mode::Online;
        Self {
            visits,
            onsite_days: if online_only { 0 } else { visits },
            online_only,
            minutes: visits * minutes,
            longest: minutes,
        }
    }

    /// What the planned visits really are: day (absent: to be arranged), mode, minutes. Two visits on one day are one day
    /// on site.
    pub fn planned(visits: &[(Option<NaiveDate>, Mode, i32)]) -> Self {
        let onsite = || visits.iter().filter(|(_, mode, _)| *mode != Mode::Online);
        let days: BTreeSet<NaiveDate> = onsite().filter_map(|(day, ..)| *day).collect();
        let undated = onsite().filter(|(day, ..)| day.is_none()).count();
        let minutes = || visits.iter().map(|(.., minutes)| i64::from(*minutes));
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            visits: number(visits.len()),
            onsite_days: number(days.len() + undated),
            online_only: onsite().next().is_none(),
            minutes: minutes().sum(),
            longest: minutes().max().unwrap_or(0),
        }
    }
}

/// Another request of the same applicant, programme and fiscal year that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its theme, folded.
    pub theme_key: String,
    /// Who goes or, while nobody has accepted, who is wished for.
    pub experts: Vec<ExpertId>,
}

/// Everything the policies look at.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    /// The rules of the request's fiscal year.
    pub rules: &'a ProgrammeRules,
    /// Who began.
    pub origin: Origin,
    /// The applicant's kind.
    pub applicant_kind: OrganisationKind,
    /// The applicant's standing.
    pub membership: Membership,
    /// Kind and standing of the other bodies that take part.
    pub participants: Vec<(OrganisationKind, Membership)>,
    /// Kind of activity.
    pub activity_kind: ActivityKind,
    /// First day of the period.
    pub period_from: NaiveDate,
    /// Last day of the period.
    pub period_to: NaiveDate,
    /// How much of which work.
    pub mix: Mix,
    /// When the request reached the office.
    pub arrives_at: UtcTime,
    /// Today in Japan.
    pub today: NaiveDate,
    /// The office itself writes it, perhaps after the event.
    pub filed_by_owner: bool,
    /// The theme, folded.
    pub theme_key: String,
    /// Who is wished for, or goes.
    pub experts: Vec<ExpertId>,
    /// The other requests that count.
    pub others: Vec<Other>,
}

/// A rule and its evaluator.
pub type Policy = fn(&Case<'_>) -> Vec<Refusal>;

/// What a request must meet to be submitted.
pub const ON_SUBMIT: &[Policy] = &[applicant_kind, pool_membership, activity_kind, intake_window, period, limits, yearly_limits];

/// What is looked at again before a request is accepted and before the dispatch is decided.
pub const ON_ACCEPT: &[Policy] = &[activity_kind, limits, yearly_limits];

/// 422 with every refusal, or nothing.
pub fn check(policies: &[Policy], case: &Case<'_>) -> Result<(), Error> {
    let mut fields = Fields::new();
    for refusal in policies.iter().flat_map(|policy| policy(case)) {
        fields.wrong(refusal.pointer, refusal.rule, refusal.ja, refusal.en);
    }
    fields.finish_as(ErrorCode::RuleRefused)
}

/// Only bodies of the kinds the programme names may apply or take part. What the prefecture opens itself is not an
/// application.
fn applicant_kind(case: &Case<'_>) -> Vec<Refusal> {
    if case.origin == Origin::Offered {
        return Vec::new();
    }
    let refused = |kind: OrganisationKind, pointer: String| {
        (!case.rules.applicant_kinds.contains(&kind)).then(|| {
            Refusal::new(
                "applicant_kind",
                pointer,
                format!("この事業は{}からの申請を受け付けていません", kind.label_ja()),
                format!("The programme takes no applications from bodies of the kind {kind}"),
            )
        })
    };
    let others = case.participants.iter().enumerate().filter_map(|(i, (kind, _))| refused(*kind, participant(i)));
    refused(case.applicant_kind, "/applicant_organisation_id".to_owned()).into_iter().chain(others).collect()
}

/// The bodies must belong to the pool on the day.
fn pool_membership(case: &Case<'_>) -> Vec<Refusal> {
    let refused = |membership: Membership, pointer: String| {
        (membership == Membership::Outside).then(|| {
            Refusal::new(
                "pool_membership",
                pointer,
                "この日に人材プールの会員ではありません（学校・NPO等は所属する団体が会員であること）",
                "Not a member of the pool on this day (for schools, NPOs and the like: the body they belong to)",
            )
        })
    };
    let others = case.participants.iter().enumerate().filter_map(|(i, (_, membership))| refused(*membership, participant(i)));
    refused(case.membership, "/applicant_organisation_id".to_owned()).into_iter().chain(others).collect()
}

fn participant(i: usize) -> String {
    format!("/participant_organisation_ids/{i}")
}

/// The programme must offer this kind of activity.
fn activity_kind(case: &Case<'_>) -> Vec<Refusal> {
    if case.rules.activity_kinds.contains(&case.activity_kind) {
        return Vec::new();
    }
    vec![Refusal::new(
        "activity_kind",
        "/activity_kind",
        format!("この事業は「{}」を扱っていません", case.activity_kind.label_ja()),
        format!("The programme does not offer {}", case.activity_kind),
    )]
}

/// The request must arrive inside a window, `opens_at <= t < closes_at`: "until 15:00" refuses 15:00:00. The prefecture's
/// own events need no window.
fn intake_window(case: &Case<'_>) -> Vec<Refusal> {
    if case.origin == Origin::Offered || case.rules.is_open_at(case.arrives_at) {
        return Vec::new();
    }
    let shown = |instant: UtcTime| instant.jst().format("%Y-%m-%d %H:%M").to_string();
    let next = case.rules.windows.iter().filter(|window| window.opens_at > case.arrives_at).min_by_key(|window| window.opens_at);
    let last =
        case.rules.windows.iter().filter(|window| window.closes_at <= case.arrives_at).max_by_key(|window| window.closes_at);
    let (mut ja, mut en) = ("受付期間外です".to_owned(), "Requests are not taken at this time".to_owned());
    if let Some(window) = last {
        ja.push_str(&format!("。直近の受付は{}に締め切りました", shown(window.closes_at)));
        en.push_str(&format!("; the last window closed at {} JST", shown(window.closes_at)));
    }
    if let Some(window) = next {
        ja.push_str(&format!("。次の受付は{}からです", shown(window.opens_at)));
        en.push_str(&format!("; the next opens at {} JST", shown(window.opens_at)));
    }
    vec![Refusal::new("intake_window", "/submitted_at", ja, en)]
}

/// The period must lie in one fiscal year, because a decision binds one year's money; and it must not be over, unless the
/// office enters afterwards what took place.
fn period(case: &Case<'_>) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let year = FiscalYear::of(case.period_from);
    if !year.contains(case.period_to) {
        refusals.push(Refusal::new(
            "period_crosses_fiscal_year",
            "/period_to",
            format!("期間が{}を越えています。3月31日までの分と4月1日からの分の2件に分けて申請してください", year.label_ja()),
            format!(
                "The period leaves fiscal year {}: file two requests, one until 31 March and one from 1 April",
                year.starting_year()
            ),
        ));
    }
    if case.period_to < case.today && !case.filed_by_owner {
        refusals.push(Refusal::new(
            "period_is_over",
            "/period_to",
            "希望期間がすでに終わっています",
            "The period is already over",
        ));
    }
    refusals
}

/// What one request may ask for at most.
fn limits(case: &Case<'_>) -> Vec<Refusal> {
    case.rules.limits.iter().filter_map(|limit| limit_of_request(limit, case.mix)).collect()
}

fn limit_of_request(limit: &Limit, mix: Mix) -> Option<Refusal> {
    let over = |value: i64, max: i32| value > i64::from(max);
    match limit {
        Limit::OnsiteDays { max } if over(mix.onsite_days, *max) => Some(Refusal::new(
            "onsite_days",
            "/visit_count",
            format!("現地での支援は1件{max}日までです（申請は{}日。併用の訪問は現地として数えます）", mix.onsite_days),
            format!("At most {max} days on site for a request ({} asked; mixed visits count as on site)", mix.onsite_days),
        )),
        Limit::OnlineMinutes { max } if mix.online_only && over(mix.minutes, *max) => Some(Refusal::new(
            "online_minutes",
            "/minutes_per_visit",
            format!("オンラインのみの支援は1件合計{max}分までです（申請は{}分）", mix.minutes),
            format!("At most {max} minutes in all for a request that is online only ({} asked)", mix.minutes),
        )),
        Limit::Visits { max } if over(mix.visits, *max) => Some(Refusal::new(
            "visits",
            "/visit_count",
            format!("1件{max}回までです（申請は{}回）", mix.visits),
            format!("At most {max} visits for a request ({} asked)", mix.visits),
        )),
        Limit::MinutesPerVisit { max } if over(mix.longest, *max) => Some(Refusal::new(
            "minutes_per_visit",
            "/minutes_per_visit",
            format!("1回{max}分までです（申請は{}分）", mix.longest),
            format!("At most {max} minutes a visit ({} asked)", mix.longest),
        )),
        _ => None,
    }
}

/// What one body may have in a fiscal year. Requests that were refused, taken back or cancelled do not count.
fn yearly_limits(case: &Case<'_>) -> Vec<Refusal> {
    let reached = |count: usize, max: i32| i64::try_from(count).unwrap_or(i64::MAX) >= i64::from(max);
    let mut refusals = Vec::new();
    for (i, expert) in case.experts.iter().enumerate() {
        let pointer = format!("/preferred_expert_ids/{i}");
        refusals.extend(same_theme_and_expert(case.rules, &case.theme_key, *expert, &case.others, &pointer));
    }
    for limit in &case.rules.limits {
        if let Limit::RequestsPerYear { max } = limit
            && reached(case.others.len(), *max)
        {
            refusals.push(Refusal::new(
                "requests_per_year",
                "/applicant_organisation_id",
                format!("1団体あたり年度内{max}件までです（すでに{}件）", case.others.len()),
                format!("At most {max} requests of one body in a fiscal year ({} already)", case.others.len()),
            ));
        }
    }
    refusals
}

/// The same expert for the same theme only so often in a fiscal year (地域情報化アドバイザー: once).
pub fn same_theme_and_expert(
    rules: &ProgrammeRules,
    theme_key: &str,
    expert: ExpertId,
    others: &[Other],
    pointer: &str,
) -> Option<Refusal> {
    let most = rules.limits.iter().find_map(|limit| match limit {
        Limit::SameThemeAndExpert { max_per_year } => Some(*max_per_year),
        _ => None,
    })?;
    let earlier = others.iter().filter(|other| other.theme_key == theme_key && other.experts.contains(&expert)).count();
    (i64::try_from(earlier).unwrap_or(i64::MAX) >= i64::from(most)).then(|| {
        Refusal::new(
            "same_theme_and_expert",
            pointer,
            format!("同じ取組に同じ専門家を派遣できるのは年度内{most}件までです"),
            format!("The same expert for the same theme at most {most} time(s) in a fiscal year"),
        )
    })
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
