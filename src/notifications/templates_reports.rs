//! The wording about activity reports (実施報告書), to the applicant.

use chrono::NaiveDate;

use super::templates_facts::{DispatchRef, Until};
use super::templates_letter::{Letter, day_text};
use super::templates_wording::Pen;
use crate::error::Locale;

/// To the applicant: a report is due.
pub(super) fn due(
    pen: &Pen<'_>,
    dispatch: &DispatchRef,
    visit_on: Option<NaiveDate>,
    due_on: NaiveDate,
    overdue_days: u32,
) -> Letter {
    let (subject, happened) = match (overdue_days, pen.locale) {
        (0, Locale::Ja) => ("実施報告書の提出のお願い", "実施報告書がまだ提出されていません。".to_owned()),
        (0, Locale::En) => ("Report due", "The activity report has not arrived yet.".to_owned()),
        (days, Locale::Ja) => ("実施報告書の提出期限の超過", format!("実施報告書の提出期限を{days}日過ぎています。")),
        (days, Locale::En) => ("Report overdue", format!("The activity report is {days} day(s) overdue.")),
    };
    pen.letter(subject, &happened)
        .subject_extra(dispatch.number.as_str())
        .action(pen.say("下のアドレスから実施報告書を提出してください。", "Submit the activity report at the address below."))
        .until(Until::On(due_on))
        .dispatch(dispatch)
        .fact("実施日", "Visit on", visit_on.map(|day| day_text(day, pen.locale)).as_deref())
        .link(pen.brand, "報告書を書く", "Write the report", pen.link)
}

/// To the applicant: the report is to be corrected.
pub(super) fn returned(
    pen: &Pen<'_>,
    dispatch: &DispatchRef,
    visit_on: Option<NaiveDate>,
    reason: Option<&str>,
    correct_by: Option<NaiveDate>,
) -> Letter {
    pen.letter(
        pen.say("実施報告書の差戻し", "Report returned"),
        pen.say("実施報告書が差し戻されました。", "Your activity report was returned for correction."),
    )
    .subject_extra(dispatch.number.as_str())
    .action(pen.correction(reason))
    .until(correct_by.map(Until::On))
    .quote("差戻しの理由", "Reason", reason)
    .dispatch(dispatch)
    .fact("実施日", "Visit on", visit_on.map(|day| day_text(day, pen.locale)).as_deref())
    .link(pen.brand, "報告書を直す", "Correct the report", pen.link)
}
