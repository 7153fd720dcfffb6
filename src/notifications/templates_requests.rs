//! The wording about requests (派遣申請), to the office and to the applicant.

use chrono::{DateTime, Utc};

use super::templates_facts::{PlannedVisit, RequestRef, Until};
use super::templates_letter::Letter;
use super::templates_wording::Pen;
use crate::error::Locale;

/// To the coordinator: a request arrived.
pub(super) fn submitted(
    pen: &Pen<'_>,
    request: &RequestRef,
    filed_by: Option<&str>,
    resubmitted: bool,
    wished: &[PlannedVisit],
    review_by: Option<DateTime<Utc>>,
) -> Letter {
    let applicant = &request.applicant;
    let (subject, happened) = match (resubmitted, pen.locale) {
        (false, Locale::Ja) => ("派遣申請が届きました", format!("{applicant}から派遣申請が届きました。")),
        (false, Locale::En) => ("New request", format!("{applicant} submitted a dispatch request.")),
        (true, Locale::Ja) => ("派遣申請が再提出されました", format!("{applicant}から派遣申請が再提出されました。")),
        (true, Locale::En) => ("Request resubmitted", format!("{applicant} resubmitted its request.")),
    };
    pen.letter(subject, &happened)
        .subject_extra(request.number.as_deref())
        .subject_extra(applicant.as_str())
        .action(pen.say(
            "内容を確認し、受理・差戻し・不採択などを決めてください。",
            "Review it: accept it, return it for correction or reject it.",
        ))
        .until(review_by.map(Until::At))
        .request(request)
        .fact("入力した人", "Filed by", filed_by)
        .visits(wished)
        .link(pen.brand, "申請の画面", "The request", pen.link)
}

/// To the applicant: to be corrected.
pub(super) fn returned(pen: &Pen<'_>, request: &RequestRef, reason: Option<&str>, correct_by: Option<DateTime<Utc>>) -> Letter {
    pen.letter(
        pen.say("派遣申請の差戻し", "Request returned"),
        pen.say("派遣申請が差し戻されました。", "Your dispatch request was returned for correction."),
    )
    .subject_extra(request.number.as_deref())
    .action(pen.correction(reason))
    .until(correct_by.map(Until::At))
    .quote("差戻しの理由", "Reason", reason)
    .request(request)
    .link(pen.brand, "申請を直す", "Correct the request", pen.link)
}

/// To the applicant: accepted.
pub(super) fn accepted(pen: &Pen<'_>, request: &RequestRef, comment: Option<&str>) -> Letter {
    pen.letter(
        pen.say("派遣申請を受理しました", "Request accepted"),
        pen.say(
            "派遣申請が受理されました。派遣する専門家を調整します。",
            "Your dispatch request was accepted. We are now looking for an expert.",
        ),
    )
    .subject_extra(request.number.as_deref())
    .action(pen.say(
        "今はありません。派遣が決まりましたらお知らせします。",
        "Nothing for now. You will hear from us when the dispatch is decided.",
    ))
    .request(request)
    .quote("事務局から", "From the office", comment)
    .link(pen.brand, "申請の画面", "The request", pen.link)
}

/// To the applicant: not accepted.
pub(super) fn rejected(pen: &Pen<'_>, request: &RequestRef, reason_label: Option<&str>, reason: Option<&str>) -> Letter {
    pen.letter(
        pen.say("派遣申請の結果：不採択", "Request not accepted"),
        pen.say("派遣申請は不採択となりました。", "Your dispatch request was not accepted."),
    )
    .subject_extra(request.number.as_deref())
    .action(pen.nothing_to_do())
    .group()
    .fact("理由", "Reason", reason_label)
    .quote("理由の説明", "Explanation", reason)
    .request(request)
    .link(pen.brand, "申請の画面", "The request", pen.link)
}

/// To the applicant: waits for a place.
pub(super) fn waitlisted(pen: &Pen<'_>, request: &RequestRef, position: Option<u32>, reason: Option<&str>) -> Letter {
    let place = position.map(|n| n.to_string());
    pen.letter(
        pen.say("派遣申請の結果：順番待ち", "Request on the waiting list"),
        pen.say("派遣申請は順番待ちとなりました。", "Your dispatch request is on the waiting list."),
    )
    .subject_extra(request.number.as_deref())
    .action(
        pen.say(
            "今はありません。空きが出ましたらお知らせします。",
            "Nothing for now. You will hear from us when there is a place.",
        ),
    )
    .group()
    .fact("待ち順", "Place in the queue", place.as_deref())
    .quote("理由", "Reason", reason)
    .request(request)
    .link(pen.brand, "申請の画面（取下げもここから）", "The request (also to withdraw it)", pen.link)
}

/// To the approver of the body that applies: the own staff's request waits.
pub(super) fn awaiting_approval(pen: &Pen<'_>, request: &RequestRef, filed_by: Option<&str>) -> Letter {
    pen.letter(
        pen.say("派遣申請の団体内承認のお願い", "A request to approve"),
        pen.say(
            "派遣申請が団体内の承認を待っています。承認するまで事務局には届きません。",
            "A dispatch request of your body waits for approval. The office receives it once it is approved.",
        ),
    )
    .action(
        pen.say("内容を確認し、承認するか、担当者へ戻してください。", "Review it, then approve it or send it back to the staff."),
    )
    .request(request)
    .fact("入力した人", "Filed by", filed_by)
    .link(pen.brand, "申請の画面", "The request", pen.link)
}

/// To a body that takes part in a joint request: its consent is wanted.
pub(super) fn consent_wanted(pen: &Pen<'_>, request: &RequestRef) -> Letter {
    pen.letter(
        pen.say("共同での派遣申請への同意のお願い", "Your consent to a joint request"),
        pen.say(
            "貴団体を共同申請団体とする派遣申請が提出されました。参加するすべての団体が同意するまで、事務局は受理できません。",
            "A dispatch request names your body as a joint applicant. The office cannot accept it until every body agrees.",
        ),
    )
    .action(pen.say(
        "内容を確認し、参加する場合は申請の画面で同意してください。参加しない場合は代表団体へご連絡ください。",
        "Review it and agree on its page if you take part; otherwise tell the leading body.",
    ))
    .request(request)
    .link(pen.brand, "申請の画面", "The request", pen.link)
}

/// To the coordinator: taken back.
pub(super) fn withdrawn(pen: &Pen<'_>, request: &RequestRef, reason_label: Option<&str>, reason: Option<&str>) -> Letter {
    pen.letter(
        pen.say("派遣申請の取下げ", "Request withdrawn"),
        pen.say(
            "派遣申請が取り下げられました。専門家への依頼中のものは取り消されています。",
            "A dispatch request was withdrawn. Open offers to experts have been taken back.",
        ),
    )
    .subject_extra(request.number.as_deref())
    .action(pen.nothing_to_do())
    .group()
    .fact("理由", "Reason", reason_label)
    .quote("理由の説明", "Explanation", reason)
    .request(request)
    .link(pen.brand, "申請の画面", "The request", pen.link)
}

/// To the other side: a message in the thread.
pub(super) fn message(pen: &Pen<'_>, request: &RequestRef, author: &str, message: &str) -> Letter {
    let happened = match pen.locale {
        Locale::Ja => format!("{author}から、派遣申請についてメッセージが届きました。"),
        Locale::En => format!("{author} wrote to the thread of a dispatch request."),
    };
    pen.letter(pen.say("派遣申請についてのメッセージ", "A message about a request"), &happened)
        .subject_extra(request.number.as_deref())
        .action(pen.say(
            "返信は申請の画面から書いてください（このメールへの返信は届きません）。",
            "Answer on the request's page; an answer to this mail reaches nobody.",
        ))
        .quote("メッセージ", "Message", message)
        .request(request)
        .link(pen.brand, "申請の画面", "The request", pen.link)
}
