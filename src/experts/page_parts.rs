//! Small pieces that the pages of experts share: tags of states, bars, the ordinary week, addresses.

pub use crate::dispatches::page_parts::{address, field_id, select, word};
use crate::experts::availability::ExpertAvailabilityView;
use crate::experts::model::{ExceptionKind, ExpertStatus};
use crate::web::tongue::{Tongue, esc};

/// The state of a registration in a word: being suspended is called otherwise than suspending, which is a verb.
pub fn status_word(status: ExpertStatus, tongue: Tongue) -> String {
    match status {
        ExpertStatus::Suspended => tongue.t("一時停止中", "suspended").to_owned(),
        _ => word(status.label_ja(), status.as_str(), tongue),
    }
}

/// The state of a registration as a tag.
pub fn status_tag(status: ExpertStatus, tongue: Tongue) -> String {
    let class = match status {
        ExpertStatus::Registered => " good",
        ExpertStatus::Suspended => " warn",
        ExpertStatus::Retired => " bad",
    };
    format!(r#"<span class="tag{class}">{}</span>"#, esc(&status_word(status, tongue)))
}

/// Used out of agreed, as a bar with its figures in words.
pub fn meter(used: i64, limit: i64, words: &str) -> String {
    let high = limit * 8 / 10;
    format!(
        r#"<meter min="0" max="{0}" low="{high}" high="{high}" optimum="0" value="{1}">{2}</meter> {2}"#,
        limit.max(1),
        used.clamp(0, limit.max(1)),
        esc(words)
    )
}

/// The share of what was agreed, as a bar.
pub fn share(used: i64, limit: i64) -> String {
    meter(used, limit, &format!("{}%", percent(used, limit)))
}

fn percent(used: i64, limit: i64) -> i64 {
    crate::experts::model::share_percent(used, limit)
}

/// Used and agreed minutes with the share.
pub fn minutes_of(used: i64, limit: Option<i32>, tongue: Tongue) -> String {
    let Some(limit) = limit.map(i64::from) else {
        return format!("{}{}", tongue.minutes(used), tongue.t("（上限なし）", " (no limit)"));
    };
    let words = format!("{} / {}（{}%）", tongue.minutes(used), tongue.minutes(limit), percent(used, limit));
    meter(used, limit, &words)
}

/// The name of a weekday by its number, 1 Monday to 7 Sunday.
pub fn weekday(number: i32, tongue: Tongue) -> &'static str {
    use chrono::Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    let index = usize::try_from(number - 1).unwrap_or(0);
    tongue.weekday([Mon, Tue, Wed, Thu, Fri, Sat, Sun].get(index).copied().unwrap_or(Mon))
}

/// The ordinary week as a table, the exceptions that are not over as a list below.
pub fn week(view: &ExpertAvailabilityView, today: chrono::NaiveDate, tongue: Tongue) -> String {
    let t = tongue;
    let mut out = String::new();
    if view.weekly.is_empty() {
        out.push_str(&format!(
            "<p>{}</p>",
            t.t("曜日や時間の決まりはありません。そのつど調整します。", "No fixed week: by arrangement at any time.")
        ));
    } else {
        let mut rows = String::new();
        for number in 1..=7 {
            let mut slots: Vec<_> = view.weekly.iter().filter(|slot| slot.weekday == number).collect();
            slots.sort_by_key(|slot| slot.start_minute);
            let hours: Vec<String> =
                slots.iter().map(|slot| format!("{}〜{}", t.time(slot.start_minute), t.time(slot.end_minute))).collect();
            let hours = if hours.is_empty() { t.t("–", "–").to_owned() } else { hours.join("、") };
            rows.push_str(&format!(r#"<tr><th scope="row">{}</th><td>{hours}</td></tr>"#, weekday(number, t)));
        }
        out.push_str(&format!(
            r#"<table><thead><tr><th scope="col">{}</th><th scope="col">{}</th></tr></thead><tbody>{rows}</tbody></table>"#,
            t.t("曜日", "Weekday"),
            t.t("対応できる時間", "Hours")
        ));
    }
    let ahead: Vec<_> = view.exceptions.iter().filter(|one| one.last_day >= today).collect();
    if !ahead.is_empty() {
        out.push_str(&format!("<h3>{}</h3><ul>", t.t("これからの例外", "Exceptions ahead")));
        for one in ahead {
            let hours = one.start_minute.zip(one.end_minute);
            let hours = hours.map(|(from, to)| format!("　{}〜{}", t.time(from), t.time(to))).unwrap_or_default();
            let days = if one.first_day == one.last_day { t.day(one.first_day) } else { t.period(one.first_day, one.last_day) };
            let class = if one.kind == ExceptionKind::Available { " good" } else { " warn" };
            let note = if one.note.is_empty() { String::new() } else { format!("　{}", esc(&one.note)) };
            out.push_str(&format!(
                r#"<li><span class="tag{class}">{}</span> {days}{hours}{note}</li>"#,
                esc(&word(one.kind.label_ja(), one.kind.as_str(), t))
            ));
        }
        out.push_str("</ul>");
    }
    out
}
