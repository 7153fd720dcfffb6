//! The wording about offers: to the expert, and the answers to the office.

use chrono::{DateTime, Utc};

use super::templates_facts::{PlannedVisit, RequestRef, Until};
use super::templates_letter::{Letter, pick};
use super::templates_wording::Pen;
use crate::error::Locale;

/// To the expert: would you go?
pub(super) fn sent(
    pen: &Pen<'_>,
    request: &RequestRef,
    visits: &[PlannedVisit],
    message: Option<&str>,
    expires_at: DateTime<Utc>,
) -> Letter {
    let happened = pick(
        pen.locale,
        format!("{}への派遣をお願いする依頼です。", request.applicant),
        format!("You are asked to go to {}.", request.applicant),
    );
    pen.letter(pen.say("派遣のご依頼", "Would you go?"), &happened)
        .subject_extra(request.applicant.as_str())
        .action(pen.say(
            "下のアドレスを開き、承諾・辞退・別の日程の提案のいずれかをお答えください。",
            "Open the address below and accept, decline or propose other dates.",
        ))
        .until(Until::At(expires_at))
        .request(request)
        .visits(visits)
        .quote("事務局から", "From the office", message)
        .link(pen.brand, "回答する（アカウントは要りません）", "Answer (no account needed)", pen.link)
        .note(&[
            pen.say(
                "開いただけでは回答になりません。開いた画面で選んでください。",
                "Opening it answers nothing yet; choose on the page.",
            ),
            pen.say(
                "このアドレスはあなた専用です。転送しないでください。",
                "This address is yours alone. Please do not forward it.",
            ),
            pen.say("期限までにお答えがないときは、この依頼は終わります。", "Without an answer by the deadline this offer ends."),
        ])
}

/// To the coordinator: the expert goes.
pub(super) fn accepted(
    pen: &Pen<'_>,
    request: &RequestRef,
    expert: &str,
    visits: &[PlannedVisit],
    comment: Option<&str>,
) -> Letter {
    let happened = pick(
        pen.locale,
        format!("{expert}氏が{}への派遣を承諾しました。", request.applicant),
        format!("{expert} accepted the dispatch to {}.", request.applicant),
    );
    pen.letter(pen.say("派遣の承諾", "Offer accepted"), &happened)
        .subject_extra(request.number.as_deref())
        .subject_extra(request.applicant.as_str())
        .action(pen.say("派遣決定の手続きを進めてください。", "Go on to the dispatch decision."))
        .request(request)
        .fact("専門家", "Expert", expert)
        .visits(visits)
        .quote("専門家から", "From the expert", comment)
        .link(pen.brand, "申請の画面", "The request", pen.link)
}

/// To the coordinator: the expert does not go.
pub(super) fn declined(
    pen: &Pen<'_>,
    request: &RequestRef,
    expert: &str,
    reason: Option<&str>,
    next_expert: Option<&str>,
) -> Letter {
    let happened = pick(
        pen.locale,
        format!("{expert}氏が{}への派遣を辞退しました。", request.applicant),
        format!("{expert} declined the dispatch to {}.", request.applicant),
    );
    let to_do = who_is_next(pen, next_expert);
    pen.letter(pen.say("派遣の辞退", "Offer declined"), &happened)
        .subject_extra(request.number.as_deref())
        .subject_extra(request.applicant.as_str())
        .action(&to_do)
        .request(request)
        .fact("専門家", "Expert", expert)
        .quote("専門家から", "From the expert", reason)
        .link(pen.brand, "候補者を見る", "The candidates", pen.link)
}

/// Whether somebody has to act, or the next candidate was asked already.
fn who_is_next(pen: &Pen<'_>, next_expert: Option<&str>) -> String {
    match (next_expert, pen.locale) {
        (None, Locale::Ja) => "別の候補者に依頼してください。".to_owned(),
        (None, Locale::En) => "Ask another candidate.".to_owned(),
        (Some(next), Locale::Ja) => {
            format!("今はありません。次の候補の{next}氏に依頼を送りました。")
        }
        (Some(next), Locale::En) => {
            format!("Nothing for now. An offer went to the next candidate, {next}.")
        }
    }
}

/// To the coordinator: no answer in time.
pub(super) fn expired(pen: &Pen<'_>, request: &RequestRef, expert: &str, next_expert: Option<&str>) -> Letter {
    let happened = pick(
        pen.locale,
        format!("{expert}氏から{}への派遣について期限までに回答がありませんでした。", request.applicant),
        format!("{expert} did not answer in time about the dispatch to {}.", request.applicant),
    );
    pen.letter(pen.say("回答期限の経過", "Offer expired"), &happened)
        .subject_extra(request.number.as_deref())
        .subject_extra(request.applicant.as_str())
        .action(&who_is_next(pen, next_expert))
        .request(request)
        .fact("専門家", "Expert", expert)
        .link(pen.brand, "候補者を見る", "The candidates", pen.link)
}

/// To the expert: the office took the offer back.
pub(super) fn withdrawn(pen: &Pen<'_>, request: &RequestRef, visits: &[PlannedVisit], had_accepted: bool) -> Letter {
    let happened = pick(
        pen.locale,
        format!("{}への派遣の依頼を事務局が取り消しました。", request.applicant),
        format!("The office has withdrawn the offer to go to {}.", request.applicant),
    );
    let to_do = if had_accepted {
        pen.say("下の日時を空けておく必要はなくなりました。", "You no longer need to keep the times below free.")
    } else {
        pen.nothing_to_do()
    };
    pen.letter(pen.say("派遣依頼の取消し", "Offer withdrawn"), &happened)
        .subject_extra(request.applicant.as_str())
        .action(to_do)
        .request(request)
        .visits(visits)
        .link(pen.brand, "依頼の画面", "The offer", pen.link)
}

/// To the coordinator: other dates.
pub(super) fn dates_proposed(
    pen: &Pen<'_>,
    request: &RequestRef,
    expert: &str,
    proposed: &[PlannedVisit],
    comment: Option<&str>,
    answer_by: Option<DateTime<Utc>>,
) -> Letter {
    let happened = pick(
        pen.locale,
        format!("{expert}氏が別の日程を提案しました（{}）。", request.applicant),
        format!("{expert} proposed other dates ({}).", request.applicant),
    );
    pen.letter(pen.say("別の日程の提案", "Other dates proposed"), &happened)
        .subject_extra(request.number.as_deref())
        .subject_extra(request.applicant.as_str())
        .action(pen.say(
            "提案された日程を申請団体と確認し、応じるかどうかを決めてください。",
            "Check the dates with the applicant and decide whether to take them.",
        ))
        .until(answer_by.map(Until::At))
        .request(request)
        .fact("専門家", "Expert", expert)
        .visits(proposed)
        .quote("専門家から", "From the expert", comment)
        .link(pen.brand, "申請の画面", "The request", pen.link)
}
