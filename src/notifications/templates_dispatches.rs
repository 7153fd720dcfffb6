//! The wording about decisions (派遣決定), their changes and cancellations, to every party.

use chrono::NaiveDate;

use super::templates_facts::{Both, CancelParty, Change, DecisionReader, DispatchRef, PlannedVisit};
use super::templates_letter::{Letter, day_text, instant_text, pick, visit_text};
use super::templates_wording::Pen;
use crate::error::Locale;

/// To each party: the decision.
pub(super) fn decided(
    pen: &Pen<'_>,
    reader: DecisionReader,
    dispatch: &DispatchRef,
    decided_on: NaiveDate,
    visits: &[PlannedVisit],
    report_within_days: Option<u32>,
) -> Letter {
    let (host, number) = (&dispatch.applicant, &dispatch.number);
    let happened = match (reader, pen.locale) {
        (DecisionReader::Applicant, Locale::Ja) => {
            format!("申請のあった専門家の派遣を決定しました（{number}）。")
        }
        (DecisionReader::Applicant, Locale::En) => {
            format!("The dispatch you asked for was decided ({number}).")
        }
        (DecisionReader::Expert, Locale::Ja) => {
            format!("{host}へのあなたの派遣が決定しました（{number}）。")
        }
        (DecisionReader::Expert, Locale::En) => {
            format!("Your dispatch to {host} was decided ({number}).")
        }
        (DecisionReader::ParticipatingBody, Locale::Ja) => {
            format!("貴団体が参加する専門家の派遣が決定しました（幹事団体：{host}、{number}）。")
        }
        (DecisionReader::ParticipatingBody, Locale::En) => {
            format!("A dispatch in which you take part was decided (lead: {host}, {number}).")
        }
    };
    let to_do = match reader {
        DecisionReader::Applicant => {
            pen.say("下の日程を確認し、受入れの準備をしてください。", "Check the visits below and prepare to receive the expert.")
        }
        DecisionReader::Expert => pen.say(
            "下の日程を確認してください。都合が悪くなったときは、早めに事務局へお知らせください。",
            "Check the visits below. If you cannot come, tell the office early.",
        ),
        DecisionReader::ParticipatingBody => pen.say(
            "下の日程を確認し、参加する部署にお知らせください。",
            "Check the visits below and tell the sections that take part.",
        ),
    };
    let report = report_within_days.map(|days| match reader {
        DecisionReader::Applicant => pick(
            pen.locale,
            format!("最後の訪問から{days}日以内に、実施報告書を提出してください。"),
            format!("Submit the activity report within {days} days of the last visit."),
        ),
        DecisionReader::Expert => pick(
            pen.locale,
            "実施報告書は派遣先の団体が提出します。".to_owned(),
            "The host submits the activity report.".to_owned(),
        ),
        DecisionReader::ParticipatingBody => pick(
            pen.locale,
            "実施報告書は幹事団体が提出します。".to_owned(),
            "The lead body submits the activity report.".to_owned(),
        ),
    });
    let letter = pen.letter(pen.say("派遣決定通知", "Dispatch decided"), &happened).subject_extra(number.as_str()).action(to_do);
    first_visit(letter, visits, pen.locale)
        .dispatch(dispatch)
        .fact("決定日", "Decided on", day_text(decided_on, pen.locale).as_str())
        .visits(visits)
        .note(report.as_deref().as_slice())
        .link(pen.brand, "派遣の画面", "The dispatch", pen.link)
}

/// To each party: the decision changed.
pub(super) fn amended(
    pen: &Pen<'_>,
    dispatch: &DispatchRef,
    amended_on: NaiveDate,
    changes: &[Change],
    reason: Option<&str>,
    visits: &[PlannedVisit],
) -> Letter {
    let happened = pick(
        pen.locale,
        format!("派遣決定の内容が変わりました（{}）。", dispatch.number),
        format!("The dispatch was changed ({}).", dispatch.number),
    );
    let changed: Vec<String> = changes.iter().map(|change| change_text(change, pen.locale)).collect();
    let letter = pen
        .letter(pen.say("派遣変更通知", "Dispatch changed"), &happened)
        .subject_extra(dispatch.number.as_str())
        .action(pen.say("下の変更点を確認してください。", "Check the changes below."));
    first_visit(letter, visits, pen.locale)
        .quote("変更点", "Changes", changed.join("\n").as_str())
        .quote("変更の理由", "Reason", reason)
        .dispatch(dispatch)
        .fact("変更決定日", "Changed on", day_text(amended_on, pen.locale).as_str())
        .visits(visits)
        .link(pen.brand, "派遣の画面", "The dispatch", pen.link)
}

/// To each party: called off.
pub(super) fn cancelled(
    pen: &Pen<'_>,
    dispatch: &DispatchRef,
    cancelled_on: NaiveDate,
    cancelled_by: Option<CancelParty>,
    reason: Option<&str>,
) -> Letter {
    let happened = pick(
        pen.locale,
        format!("{}への専門家の派遣は中止になりました（{}）。", dispatch.applicant, dispatch.number),
        format!("The dispatch to {} was cancelled ({}).", dispatch.applicant, dispatch.number),
    );
    pen.letter(pen.say("派遣中止のお知らせ", "Dispatch cancelled"), &happened)
        .subject_extra(dispatch.number.as_str())
        .action(pen.say(
            "この派遣の今後の日程をすべて予定から外してください。",
            "Take all coming visits of this dispatch off your calendar.",
        ))
        .dispatch(dispatch)
        .fact("中止日", "Cancelled on", day_text(cancelled_on, pen.locale).as_str())
        .fact("事由", "Cause", cancelled_by.map(|party| cause(party, pen.locale)))
        .quote("中止の理由", "Reason", reason)
        .link(pen.brand, "派遣の画面", "The dispatch", pen.link)
}

/// To each party: one visit called off.
pub(super) fn visit_cancelled(
    pen: &Pen<'_>,
    dispatch: &DispatchRef,
    visit: &PlannedVisit,
    cancelled_by: Option<CancelParty>,
    reason: Option<&str>,
) -> Letter {
    let when = visit.starts_at.map(|instant| instant_text(instant, pen.locale));
    let happened = match (when, pen.locale) {
        (Some(when), Locale::Ja) => format!("{when}からの派遣は中止になりました。"),
        (Some(when), Locale::En) => format!("The visit of {when} was cancelled."),
        (None, Locale::Ja) => "日時を調整中の派遣1回が中止になりました。".to_owned(),
        (None, Locale::En) => "A visit not yet dated was cancelled.".to_owned(),
    };
    pen.letter(pen.say("派遣日程の中止", "Visit cancelled"), &happened)
        .subject_extra(dispatch.number.as_str())
        .action(pen.say("この回を予定から外してください。", "Take this visit off your calendar."))
        .dispatch(dispatch)
        .fact("中止する回", "Visit", visit_text(visit, pen.locale).as_str())
        .fact("事由", "Cause", cancelled_by.map(|party| cause(party, pen.locale)))
        .quote("中止の理由", "Reason", reason)
        .link(pen.brand, "派遣の画面", "The dispatch", pen.link)
}

/// The third line of a decision: the first dated visit, since nothing else is due before it.
fn first_visit(letter: Letter, visits: &[PlannedVisit], locale: Locale) -> Letter {
    match visits.iter().filter_map(|visit| visit.starts_at).min() {
        Some(first) => letter.summary_line(pick(locale, "最初の日程", "First visit"), &instant_text(first, locale)),
        None => letter,
    }
}

/// One change on one line.
fn change_text(change: &Change, locale: Locale) -> String {
    let item = change.item.of(locale);
    let side = |side: &Option<Both>| side.as_ref().map(|text| text.of(locale).to_owned());
    match (side(&change.before), side(&change.after), locale) {
        (Some(before), Some(after), Locale::Ja) => format!("{item}：{before} → {after}"),
        (Some(before), Some(after), Locale::En) => format!("{item}: {before} → {after}"),
        (None, Some(after), Locale::Ja) => format!("{item}：{after}（追加）"),
        (None, Some(after), Locale::En) => format!("{item}: {after} (added)"),
        (Some(before), None, Locale::Ja) => format!("{item}：{before}（取りやめ）"),
        (Some(before), None, Locale::En) => format!("{item}: {before} (removed)"),
        (None, None, _) => item.to_owned(),
    }
}

/// For whose reasons, in words.
pub(super) fn cause(party: CancelParty, locale: Locale) -> &'static str {
    match party {
        CancelParty::Applicant => pick(locale, "派遣先の団体の都合", "the host's reasons"),
        CancelParty::Expert => pick(locale, "専門家の都合", "the expert's reasons"),
        CancelParty::Coordinator => pick(locale, "事務局の都合", "the office's reasons"),
        CancelParty::Circumstances => pick(locale, "天候・災害などやむを得ない事情", "circumstances beyond anyone's control"),
    }
}
