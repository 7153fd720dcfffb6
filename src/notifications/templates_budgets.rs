//! The wording about a programme's money and agreed days, to the office.

use chrono::{Datelike, NaiveDate};

use super::templates_letter::Letter;
use super::templates_wording::Pen;
use crate::calendar::FiscalYear;
use crate::costs::Yen;
use crate::error::Locale;

/// An amount in the reader's language.
pub(super) fn yen(pen: &Pen<'_>, amount: i64) -> String {
    match (Yen::new(amount), pen.locale) {
        (Ok(amount), Locale::Ja) => amount.to_string(),
        (Ok(amount), Locale::En) => format!("{} yen", amount.to_string().trim_end_matches('円')),
        (Err(_), _) => amount.to_string(),
    }
}

/// A fiscal year by its starting year.
pub(super) fn year(pen: &Pen<'_>, year: i32) -> String {
    match (FiscalYear::new(year), pen.locale) {
        (Ok(year), Locale::Ja) => format!("{}年度（{}）", year.starting_year(), year.short()),
        _ => format!("fiscal year {year}"),
    }
}

/// To the coordinator: a share of the budget is bound.
pub(super) fn warning(pen: &Pen<'_>, (programme, fiscal_year): (&str, i32), percent: i32, budget: i64, bound: i64) -> Letter {
    let year = year(pen, fiscal_year);
    let (subject, happened) = match pen.locale {
        Locale::Ja => (
            format!("予算の{percent}%に達しました"),
            format!("「{programme}」{year}の予算のうち、見込みと実績を合わせて{percent}%以上が使われる予定になりました。"),
        ),
        Locale::En => (
            format!("{percent} % of the budget is bound"),
            format!("Estimates and actual costs of \"{programme}\", {year}, now come to {percent} % of the budget or more."),
        ),
    };
    pen.letter(&subject, &happened)
        .subject_extra(programme)
        .action(pen.say(
            "残額を超える申請は受理できません。補欠とするか、予算の見直しを検討してください。",
            "Requests beyond what is left cannot be accepted: put them on the waiting list, or look at the budget.",
        ))
        .group()
        .fact("予算", "Budget", Some(yen(pen, budget).as_str()))
        .fact("使用予定額", "Bound", Some(yen(pen, bound).as_str()))
        .fact("残額", "Left", Some(yen(pen, budget - bound).as_str()))
        .link(pen.brand, "予算の状況", "The budget", pen.link)
}

/// To the coordinator: money is free again.
pub(super) fn freed(pen: &Pen<'_>, (programme, fiscal_year): (&str, i32), free: i64, applicant: &str, title: &str) -> Letter {
    let year = year(pen, fiscal_year);
    let happened = match pen.locale {
        Locale::Ja => format!("「{programme}」{year}の予算に空きができ、補欠の先頭の申請を受理できるようになりました。"),
        Locale::En => format!("Money of \"{programme}\", {year}, is free again and reaches for the request that waits first."),
    };
    pen.letter(pen.say("補欠の申請を受理できます", "A waiting request can be accepted"), &happened)
        .subject_extra(applicant)
        .action(
            pen.say("申請を確認し、受理するかどうかを決めてください。", "Look at the request and decide whether to accept it."),
        )
        .group()
        .fact("申請団体", "Applicant", Some(applicant))
        .fact("件名", "Title", Some(title))
        .fact("予算の残額", "Money left", Some(yen(pen, free).as_str()))
        .link(pen.brand, "申請の画面", "The request", pen.link)
}

/// To the coordinator: more days than agreed.
pub(super) fn days_exceeded(pen: &Pen<'_>, expert: &str, host: &str, month: NaiveDate, agreed: i32) -> Letter {
    let when = format!("{}-{:02}", month.year(), month.month());
    let happened = match pen.locale {
        Locale::Ja => format!("{host}に配属中の{expert}さんの勤務日が、{when}に目安の月{agreed}日を超えました。"),
        Locale::En => format!("{expert}, placed with {host}, has worked more than the agreed {agreed} days in {when}."),
    };
    pen.letter(pen.say("勤務日が目安を超えました", "More days than agreed"), &happened)
        .subject_extra(host)
        .action(pen.say(
            "勤務の予定を確認し、必要なら受入団体・所属先と調整してください。",
            "Look at the plan and, where need be, settle it with host and employer.",
        ))
        .group()
        .fact("受入団体", "Host", Some(host))
        .fact("対象月", "Month", Some(when.as_str()))
        .link(pen.brand, "配属の画面", "The placement", pen.link)
}
