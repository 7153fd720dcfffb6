//! Small pieces that the pages of dispatches share: tags of states, when and how a visit takes place, addresses.

use chrono::NaiveDate;

use crate::auth::policy::{ReadExperts, Role};
use crate::db::Conn;
use crate::dispatches::model::{DispatchStatus, ReportStatus, VisitStatus};
use crate::dispatches::visit_views::VisitView;
use crate::error::{Error, ErrorCode};
use crate::ids::{ExpertId, ProgrammeId};
use crate::pools::store as pools;
use crate::requests::model::ActivityKind;
use crate::web::choices::Choice;
use crate::web::page::View;
use crate::web::tongue::{Tongue, esc};

/// What was looked for, or nothing where it is not for these eyes.
pub fn seen<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Those of a programme's experts whose pages open to the person: to an expert the own, to others where they see the pool.
pub fn readable(
    conn: &mut Conn,
    view: &View,
    programme: ProgrammeId,
    experts: impl Iterator<Item = ExpertId>,
) -> Result<Vec<ExpertId>, Error> {
    let who = &view.ctx.principal;
    if !view.may::<ReadExperts>() {
        return Ok(Vec::new());
    }
    if who.acts_as == Role::Expert {
        return Ok(experts.filter(|id| who.expert_ids.contains(id)).collect());
    }
    let pool = seen(pools::visible_programme(conn, &view.ctx, programme))?;
    Ok(if pool.is_some() { experts.collect() } else { Vec::new() })
}

/// A state as a tag.
#[derive(Debug, Clone)]
pub struct Tag {
    /// `good`, `bad`, `warn` or nothing.
    pub class: &'static str,
    /// The state in words.
    pub text: String,
}

impl Tag {
    /// As HTML.
    pub fn html(&self) -> String {
        let space = if self.class.is_empty() { "" } else { " " };
        format!(r#"<span class="tag{space}{}">{}</span>"#, self.class, esc(&self.text))
    }
}

/// A value of an enum in words.
pub fn word(ja: &str, text: &str, tongue: Tongue) -> String {
    if tongue.english() { text.trim_start_matches('-').replace('_', " ") } else { ja.to_owned() }
}

/// The number of a dispatch; a consultation has none.
pub fn number(number: Option<&str>, kind: ActivityKind, tongue: Tongue) -> String {
    number.map_or_else(|| format!("（{}）", word(kind.label_ja(), kind.as_str(), tongue)), str::to_owned)
}

/// Two days without their year where that is clear: 令和8年6月1日〜9月30日.
pub fn short_period(from: NaiveDate, to: NaiveDate, tongue: Tongue) -> String {
    let whole = |day: NaiveDate| tongue.day(day);
    if tongue.english() {
        return format!("{} – {}", from.format("%-d %b %Y"), to.format("%-d %b %Y"));
    }
    let (from, to) = (whole(from), whole(to));
    let year = from.split_once('年').map(|(year, _)| year);
    match (year, to.split_once('年')) {
        (Some(year), Some((other, rest))) if year == other => format!("{from}〜{rest}"),
        _ => format!("{from}〜{to}"),
    }
}

/// The state of a dispatch.
pub fn dispatch_tag(status: DispatchStatus, tongue: Tongue) -> Tag {
    let class = match status {
        DispatchStatus::Decided => "",
        DispatchStatus::Completed => "good",
        DispatchStatus::Cancelled => "bad",
    };
    Tag { class, text: word(status.label_ja(), status.as_str(), tongue) }
}

/// The state of a report.
pub fn report_tag(status: ReportStatus, overdue: bool, tongue: Tongue) -> Tag {
    let text = word(status.label_ja(), status.as_str(), tongue);
    if overdue {
        return Tag { class: "bad", text: format!("{text}・{}", tongue.t("期限超過", "overdue")) };
    }
    let class = match status {
        ReportStatus::Due => "",
        ReportStatus::Submitted | ReportStatus::Returned => "warn",
        ReportStatus::Approved => "good",
    };
    Tag { class, text }
}

/// The state of a visit.
pub fn visit_tag(visit: &VisitView, tongue: Tongue) -> Tag {
    if visit.to_be_arranged {
        return Tag { class: "warn", text: tongue.t("日程調整中", "to be arranged").to_owned() };
    }
    let class = match visit.status {
        VisitStatus::Held => "warn",
        VisitStatus::Done => "good",
        VisitStatus::Cancelled | VisitStatus::NoShow => "bad",
        VisitStatus::Planned | VisitStatus::Rescheduled => "",
    };
    Tag { class, text: word(visit.status.label_ja(), visit.status.as_str(), tongue) }
}

/// From when to when: 10:00〜14:00.
pub fn hours(visit: &VisitView, tongue: Tongue) -> Option<String> {
    let start = visit.start_minute?;
    let minutes = visit.actual_minutes.unwrap_or(visit.planned_minutes);
    Some(format!("{}〜{}", tongue.time(start), tongue.time(start + minutes)))
}

/// Day and hour of a visit; the words for one that has none yet.
pub fn when(visit: &VisitView, tongue: Tongue) -> String {
    match visit.day {
        Some(day) => format!("{} {}", tongue.day_of_week(day), hours(visit, tongue).unwrap_or_default()).trim_end().to_owned(),
        None => tongue.t("日程調整中", "to be arranged").to_owned(),
    }
}

/// Day and hour where the year is clear.
pub fn short_when(visit: &VisitView, tongue: Tongue) -> String {
    match visit.day {
        Some(day) => format!("{} {}", tongue.short_day(day), hours(visit, tongue).unwrap_or_default()).trim_end().to_owned(),
        None => tongue.t("日程調整中", "to be arranged").to_owned(),
    }
}

/// How long a visit was, or is meant to be.
pub fn length(visit: &VisitView, tongue: Tongue) -> String {
    let planned = tongue.minutes(i64::from(visit.planned_minutes));
    match visit.actual_minutes {
        Some(actual) if actual != visit.planned_minutes => {
            format!("{}（{}{planned}）", tongue.minutes(i64::from(actual)), tongue.t("予定 ", "planned "))
        }
        _ => planned,
    }
}

/// How and where a visit takes place.
pub fn how(visit: &VisitView, tongue: Tongue) -> String {
    let mode = word(visit.mode.label_ja(), visit.mode.as_str(), tongue);
    if visit.place.is_empty() { mode } else { format!("{mode}　{}", visit.place) }
}

/// An address with parameters.
pub fn address(path: &str, kept: &[(&str, String)], more: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in kept {
        query.append_pair(name, value);
    }
    for (name, value) in more {
        query.append_pair(name, value);
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// A field that offers something; `blank` is what the empty value is called.
pub fn select(id: &str, name: &str, blank: &str, options: &[Choice], value: &str) -> String {
    let mut list = format!(r#"<option value="">{}</option>"#, esc(blank));
    for (known, words) in options {
        let selected = if known == value { " selected" } else { "" };
        list.push_str(&format!(r#"<option value="{}"{selected}>{}</option>"#, esc(known), esc(words)));
    }
    format!(r#"<select id="{id}" name="{name}">{list}</select>"#)
}

/// The id of a field that a page draws itself, where the summary of what was wrong looks for it.
pub fn field_id(operation: &str, path: &str, pointer: &str) -> String {
    let path: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let tail: String = pointer.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    format!("{operation}{path}{tail}")
}
