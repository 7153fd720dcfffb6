//! The wording of every notice: one arm per mail, Japanese beside English.
//!
//! Only sentences and the order of facts stand here. How they are laid out and made harmless is `templates_letter`'s
//! business, which also leaves out what is not known.

use super::template::{Brand, Notice};
use super::templates_facts::{CancelParty, Change, DecisionReader, PlannedVisit, Until};
use super::templates_letter::{Letter, day_text, instant_text, pick, visit_text};
use crate::error::Locale;

const NOTHING_JA: &str = "ありません（お知らせです）。";
const NOTHING_EN: &str = "Nothing; this is for your information.";
const FIX_JA: &str = "下の理由を確認し、直してもう一度提出してください。";
const FIX_EN: &str = "Read the reason below, correct it and submit it again.";

/// Writes the letter of a notice.
pub(super) fn write(notice: &Notice, locale: Locale, brand: &Brand) -> Letter {
    let say = |ja: &'static str, en: &'static str| pick(locale, ja, en);
    match notice {
        Notice::Invitation { recipient, organisation, role, invited_by, link, expires_at } => {
            let service = &brand.service_name;
            let happened = pick(
                locale,
                format!("「{service}」の利用者として登録されました（{organisation}）。"),
                format!("You have been registered as a user of {service} ({organisation})."),
            );
            Letter::new(locale, recipient, say("利用登録のご案内", "Your account"), &happened)
                .to_do(say(
                    "下のアドレスを開き、パスワードを決めてください。",
                    "Open the address below and choose a password.",
                ))
                .until(Until::At(*expires_at))
                .group()
                .fact("団体", "Organisation", organisation.as_str())
                .fact("役割", "Role", role.as_deref())
                .fact("登録した人", "Invited by", invited_by.as_deref())
                .link(brand, "パスワードを決める", "Choose a password", link.expose())
                .note(&[
                    say(
                        "このアドレスはあなた専用で、一度だけ使えます。転送しないでください。",
                        "This address is yours alone and works once. Please do not forward it.",
                    ),
                    say(
                        "心当たりのないときは、何もせずにこのメールを削除してください。",
                        "If you did not expect this, delete this mail; nothing will happen.",
                    ),
                ])
        }
        Notice::PasswordReset { recipient, link, expires_at } => Letter::new(
            locale,
            recipient,
            say("パスワードの再設定", "Password reset"),
            say("パスワードの再設定の申込みがありました。", "A new password was asked for your account."),
        )
        .to_do(say(
            "申し込んだ方は、下のアドレスを開いて新しいパスワードを決めてください。",
            "If it was you, open the address below and choose a new password.",
        ))
        .until(Until::At(*expires_at))
        .link(brand, "新しいパスワードを決める", "Choose a new password", link.expose())
        .note(&[
            say(
                "このアドレスはあなた専用で、一度だけ使えます。転送しないでください。",
                "This address is yours alone and works once. Please do not forward it.",
            ),
            say(
                "心当たりのないときは、何もする必要はありません。今のパスワードはそのままです。",
                "If it was not you, there is nothing to do. Your password stays as it is.",
            ),
        ]),
        Notice::RequestSubmitted { recipient, request, filed_by, resubmitted, wished, review_by, link } => {
            let applicant = &request.applicant;
            let (subject, happened) = match (resubmitted, locale) {
                (false, Locale::Ja) => {
                    ("派遣申請が届きました", format!("{applicant}から派遣申請が届きました。"))
                }
                (false, Locale::En) => ("New request", format!("{applicant} submitted a dispatch request.")),
                (true, Locale::Ja) => {
                    ("派遣申請が再提出されました", format!("{applicant}から派遣申請が再提出されました。"))
                }
                (true, Locale::En) => ("Request resubmitted", format!("{applicant} resubmitted its request.")),
            };
            Letter::new(locale, recipient, subject, &happened)
                .subject_extra(request.number.as_deref())
                .subject_extra(applicant.as_str())
                .to_do(say(
                    "内容を確認し、受理・差戻し・不採択などを決めてください。",
                    "Review it: accept it, return it for correction or reject it.",
                ))
                .until(review_by.map(Until::At))
                .request(request)
                .fact("入力した人", "Filed by", filed_by.as_deref())
                .visits(wished)
                .link(brand, "申請の画面", "The request", link)
        }
        Notice::RequestReturned { recipient, request, reason, correct_by, link } => Letter::new(
            locale,
            recipient,
            say("派遣申請の差戻し", "Request returned"),
            say("派遣申請が差し戻されました。", "Your dispatch request was returned for correction."),
        )
        .subject_extra(request.number.as_deref())
        .to_do(say(FIX_JA, FIX_EN))
        .until(correct_by.map(Until::At))
        .quote("差戻しの理由", "Reason", reason.as_deref())
        .request(request)
        .link(brand, "申請を直す", "Correct the request", link),
        Notice::RequestAccepted { recipient, request, comment, link } => Letter::new(
            locale,
            recipient,
            say("派遣申請を受理しました", "Request accepted"),
            say(
                "派遣申請が受理されました。派遣する専門家を調整します。",
                "Your dispatch request was accepted. We are now looking for an expert.",
            ),
        )
        .subject_extra(request.number.as_deref())
        .to_do(say(
            "今はありません。派遣が決まりましたらお知らせします。",
            "Nothing for now. You will hear from us when the dispatch is decided.",
        ))
        .request(request)
        .quote("事務局から", "From the office", comment.as_deref())
        .link(brand, "申請の画面", "The request", link),
        Notice::RequestRejected { recipient, request, reason_label, reason, link } => Letter::new(
            locale,
            recipient,
            say("派遣申請の結果（不採択）", "Request not accepted"),
            say("派遣申請は不採択となりました。", "Your dispatch request was not accepted."),
        )
        .subject_extra(request.number.as_deref())
        .to_do(say(NOTHING_JA, NOTHING_EN))
        .group()
        .fact("理由", "Reason", reason_label.as_deref())
        .quote("理由の説明", "Explanation", reason.as_deref())
        .request(request)
        .link(brand, "申請の画面", "The request", link),
        Notice::RequestWaitlisted { recipient, request, position, reason, link } => {
            let place = position.map(|n| n.to_string());
            Letter::new(
                locale,
                recipient,
                say("派遣申請の結果（順番待ち）", "Request on the waiting list"),
                say("派遣申請は順番待ちとなりました。", "Your dispatch request is on the waiting list."),
            )
            .subject_extra(request.number.as_deref())
            .to_do(say(
                "今はありません。空きが出ましたらお知らせします。",
                "Nothing for now. You will hear from us when there is a place.",
            ))
            .group()
            .fact("待ち順", "Place in the queue", place.as_deref())
            .quote("理由", "Reason", reason.as_deref())
            .request(request)
            .link(brand, "申請の画面（取下げもここから）", "The request (also to withdraw it)", link)
        }
        Notice::OfferSent { recipient, request, visits, message, answer_link, expires_at } => {
            let happened = pick(
                locale,
                format!("{}への派遣をお願いする依頼です。", request.applicant),
                format!("You are asked to go to {}.", request.applicant),
            );
            Letter::new(locale, recipient, say("派遣のご依頼", "Would you go?"), &happened)
                .subject_extra(request.applicant.as_str())
                .to_do(say(
                    "下のアドレスを開き、承諾・辞退・別の日程の提案のいずれかをお答えください。",
                    "Open the address below and accept, decline or propose other dates.",
                ))
                .until(Until::At(*expires_at))
                .request(request)
                .visits(visits)
                .quote("事務局から", "From the office", message.as_deref())
                .link(brand, "回答する（アカウントは要りません）", "Answer (no account needed)", answer_link.expose())
                .note(&[
                    say(
                        "開いただけでは回答になりません。開いた画面で選んでください。",
                        "Opening it answers nothing yet; choose on the page.",
                    ),
                    say(
                        "このアドレスはあなた専用です。転送しないでください。",
                        "This address is yours alone. Please do not forward it.",
                    ),
                    say(
                        "期限までにお答えがないときは、この依頼は終わります。",
                        "Without an answer by the deadline this offer ends.",
                    ),
                ])
        }
        Notice::OfferAccepted { recipient, request, expert, visits, comment, link } => {
            let happened = pick(
                locale,
                format!("{expert}氏が{}への派遣を承諾しました。", request.applicant),
                format!("{expert} accepted the dispatch to {}.", request.applicant),
            );
            Letter::new(locale, recipient, say("派遣の承諾", "Offer accepted"), &happened)
                .subject_extra(request.number.as_deref())
                .subject_extra(request.applicant.as_str())
                .to_do(say("派遣決定の手続きを進めてください。", "Go on to the dispatch decision."))
                .request(request)
                .fact("専門家", "Expert", expert.as_str())
                .visits(visits)
                .quote("専門家から", "From the expert", comment.as_deref())
                .link(brand, "申請の画面", "The request", link)
        }
        Notice::OfferDeclined { recipient, request, expert, reason, next_expert, link } => {
            let happened = pick(
                locale,
                format!("{expert}氏が{}への派遣を辞退しました。", request.applicant),
                format!("{expert} declined the dispatch to {}.", request.applicant),
            );
            let to_do = match (next_expert, locale) {
                (None, Locale::Ja) => "別の候補者に依頼してください。".to_owned(),
                (None, Locale::En) => "Ask another candidate.".to_owned(),
                (Some(next), Locale::Ja) => {
                    format!("今はありません。次の候補の{next}氏に依頼を送りました。")
                }
                (Some(next), Locale::En) => {
                    format!("Nothing for now. An offer went to the next candidate, {next}.")
                }
            };
            Letter::new(locale, recipient, say("派遣の辞退", "Offer declined"), &happened)
                .subject_extra(request.number.as_deref())
                .subject_extra(request.applicant.as_str())
                .to_do(&to_do)
                .request(request)
                .fact("専門家", "Expert", expert.as_str())
                .quote("専門家から", "From the expert", reason.as_deref())
                .link(brand, "候補者を見る", "The candidates", link)
        }
        Notice::OfferDatesProposed { recipient, request, expert, proposed, comment, answer_by, link } => {
            let happened = pick(
                locale,
                format!("{expert}氏が別の日程を提案しました（{}）。", request.applicant),
                format!("{expert} proposed other dates ({}).", request.applicant),
            );
            Letter::new(locale, recipient, say("別の日程の提案", "Other dates proposed"), &happened)
                .subject_extra(request.number.as_deref())
                .subject_extra(request.applicant.as_str())
                .to_do(say(
                    "提案された日程を申請団体と確認し、応じるかどうかを決めてください。",
                    "Check the dates with the applicant and decide whether to take them.",
                ))
                .until(answer_by.map(Until::At))
                .request(request)
                .fact("専門家", "Expert", expert.as_str())
                .visits(proposed)
                .quote("専門家から", "From the expert", comment.as_deref())
                .link(brand, "申請の画面", "The request", link)
        }
        Notice::DecisionNotice { recipient, reader, dispatch, decided_on, visits, report_within_days, link } => {
            let (host, number) = (&dispatch.applicant, &dispatch.number);
            let happened = match (reader, locale) {
                (DecisionReader::Applicant, Locale::Ja) => format!("申請のあった専門家の派遣を決定しました（{number}）。"),
                (DecisionReader::Applicant, Locale::En) => format!("The dispatch you asked for was decided ({number})."),
                (DecisionReader::Expert, Locale::Ja) => format!("{host}へのあなたの派遣が決定しました（{number}）。"),
                (DecisionReader::Expert, Locale::En) => format!("Your dispatch to {host} was decided ({number})."),
                (DecisionReader::ParticipatingBody, Locale::Ja) => {
                    format!("貴団体が参加する専門家の派遣が決定しました（幹事団体：{host}、{number}）。")
                }
                (DecisionReader::ParticipatingBody, Locale::En) => {
                    format!("A dispatch in which you take part was decided (lead: {host}, {number}).")
                }
            };
            let to_do = match reader {
                DecisionReader::Applicant => say(
                    "下の日程を確認し、受入れの準備をしてください。",
                    "Check the visits below and prepare to receive the expert.",
                ),
                DecisionReader::Expert => say(
                    "下の日程を確認してください。都合が悪くなったときは、早めに事務局へお知らせください。",
                    "Check the visits below. If you cannot come, tell the office early.",
                ),
                DecisionReader::ParticipatingBody => say(
                    "下の日程を確認し、参加する部署にお知らせください。",
                    "Check the visits below and tell the sections that take part.",
                ),
            };
            let report = report_within_days.map(|days| match reader {
                DecisionReader::Applicant => pick(
                    locale,
                    format!("各回の実施後{days}日以内に、実施報告書を提出してください。"),
                    format!("Submit the activity report within {days} days of each visit."),
                ),
                DecisionReader::Expert => pick(
                    locale,
                    "実施報告書は派遣先の団体が提出します。".to_owned(),
                    "The host submits the activity report.".to_owned(),
                ),
                DecisionReader::ParticipatingBody => pick(
                    locale,
                    "実施報告書は幹事団体が提出します。".to_owned(),
                    "The lead body submits the activity report.".to_owned(),
                ),
            });
            let letter = Letter::new(locale, recipient, say("派遣決定通知", "Dispatch decided"), &happened)
                .subject_extra(number.as_str())
                .to_do(to_do);
            first_visit(letter, visits, locale)
                .dispatch(dispatch)
                .fact("決定日", "Decided on", day_text(*decided_on, locale).as_str())
                .visits(visits)
                .note(report.as_deref().as_slice())
                .link(brand, "派遣の画面", "The dispatch", link)
        }
        Notice::DispatchAmended { recipient, dispatch, amended_on, changes, reason, visits, link } => {
            let happened = pick(
                locale,
                format!("派遣決定の内容が変わりました（{}）。", dispatch.number),
                format!("The dispatch was changed ({}).", dispatch.number),
            );
            let changed: Vec<String> = changes.iter().map(|change| change_text(change, locale)).collect();
            let letter = Letter::new(locale, recipient, say("派遣変更通知", "Dispatch changed"), &happened)
                .subject_extra(dispatch.number.as_str())
                .to_do(say("下の変更点を確認してください。", "Check the changes below."));
            first_visit(letter, visits, locale)
                .quote("変更点", "Changes", changed.join("\n").as_str())
                .quote("変更の理由", "Reason", reason.as_deref())
                .dispatch(dispatch)
                .fact("変更決定日", "Changed on", day_text(*amended_on, locale).as_str())
                .visits(visits)
                .link(brand, "派遣の画面", "The dispatch", link)
        }
        Notice::DispatchCancelled { recipient, dispatch, cancelled_on, cancelled_by, reason, link } => {
            let happened = pick(
                locale,
                format!("{}への専門家の派遣は中止になりました（{}）。", dispatch.applicant, dispatch.number),
                format!("The dispatch to {} was cancelled ({}).", dispatch.applicant, dispatch.number),
            );
            Letter::new(locale, recipient, say("派遣中止のお知らせ", "Dispatch cancelled"), &happened)
                .subject_extra(dispatch.number.as_str())
                .to_do(say(
                    "この派遣の今後の日程をすべて予定から外してください。",
                    "Take all coming visits of this dispatch off your calendar.",
                ))
                .dispatch(dispatch)
                .fact("中止日", "Cancelled on", day_text(*cancelled_on, locale).as_str())
                .fact("事由", "Cause", cancelled_by.map(|party| cause(party, locale)))
                .quote("中止の理由", "Reason", reason.as_deref())
                .link(brand, "派遣の画面", "The dispatch", link)
        }
        Notice::VisitCancelled { recipient, dispatch, visit, cancelled_by, reason, link } => {
            let when = visit.starts_at.map(|instant| instant_text(instant, locale));
            let happened = match (when, locale) {
                (Some(when), Locale::Ja) => format!("{when}からの派遣は中止になりました。"),
                (Some(when), Locale::En) => format!("The visit of {when} was cancelled."),
                (None, Locale::Ja) => "日時を調整中の派遣1回が中止になりました。".to_owned(),
                (None, Locale::En) => "A visit not yet dated was cancelled.".to_owned(),
            };
            Letter::new(locale, recipient, say("派遣1回の中止", "Visit cancelled"), &happened)
                .subject_extra(dispatch.number.as_str())
                .to_do(say("この回を予定から外してください。", "Take this visit off your calendar."))
                .dispatch(dispatch)
                .fact("中止する回", "Visit", visit_text(visit, locale).as_str())
                .fact("事由", "Cause", cancelled_by.map(|party| cause(party, locale)))
                .quote("中止の理由", "Reason", reason.as_deref())
                .link(brand, "派遣の画面", "The dispatch", link)
        }
        Notice::ReportReminder { recipient, dispatch, visit_on, due_on, overdue_days, link } => {
            let (subject, happened) = match (*overdue_days, locale) {
                (0, Locale::Ja) => ("実施報告書の提出のお願い", "実施報告書がまだ提出されていません。".to_owned()),
                (0, Locale::En) => ("Report due", "The activity report has not arrived yet.".to_owned()),
                (days, Locale::Ja) => {
                    ("実施報告書の提出期限の超過", format!("実施報告書の提出期限を{days}日過ぎています。"))
                }
                (days, Locale::En) => ("Report overdue", format!("The activity report is {days} day(s) overdue.")),
            };
            Letter::new(locale, recipient, subject, &happened)
                .subject_extra(dispatch.number.as_str())
                .to_do(say(
                    "下のアドレスから実施報告書を提出してください。",
                    "Submit the activity report at the address below.",
                ))
                .until(Until::On(*due_on))
                .dispatch(dispatch)
                .fact("実施日", "Visit on", visit_on.map(|day| day_text(day, locale)).as_deref())
                .link(brand, "報告書を書く", "Write the report", link)
        }
        Notice::ReportReturned { recipient, dispatch, visit_on, reason, correct_by, link } => Letter::new(
            locale,
            recipient,
            say("実施報告書の差戻し", "Report returned"),
            say("実施報告書が差し戻されました。", "Your activity report was returned for correction."),
        )
        .subject_extra(dispatch.number.as_str())
        .to_do(say(FIX_JA, FIX_EN))
        .until(correct_by.map(Until::On))
        .quote("差戻しの理由", "Reason", reason.as_deref())
        .dispatch(dispatch)
        .fact("実施日", "Visit on", visit_on.map(|day| day_text(day, locale)).as_deref())
        .link(brand, "報告書を直す", "Correct the report", link),
        Notice::TestMail { recipient, requested_at } => Letter::new(
            locale,
            recipient,
            say("送信試験", "Test mail"),
            say("メールの送信試験です。届いていれば、設定は働いています。", "A test mail. If it arrived, the settings work."),
        )
        .to_do(say(NOTHING_JA, NOTHING_EN))
        .group()
        .fact("試験を行った時刻", "Asked for at", instant_text(*requested_at, locale).as_str()),
    }
}

/// The third line of a decision: the first dated visit, since nothing else is due before it.
fn first_visit(letter: Letter, visits: &[PlannedVisit], locale: Locale) -> Letter {
    match visits.iter().filter_map(|visit| visit.starts_at).min() {
        Some(first) => letter.summary_line(pick(locale, "最初の日程", "First visit"), &instant_text(first, locale)),
        None => letter,
    }
}

fn change_text(change: &Change, locale: Locale) -> String {
    let Change { item, before, after } = change;
    match (before, after, locale) {
        (Some(before), Some(after), Locale::Ja) => format!("{item}：{before} → {after}"),
        (Some(before), Some(after), Locale::En) => format!("{item}: {before} → {after}"),
        (None, Some(after), Locale::Ja) => format!("{item}：{after}（追加）"),
        (None, Some(after), Locale::En) => format!("{item}: {after} (added)"),
        (Some(before), None, Locale::Ja) => format!("{item}：{before}（取りやめ）"),
        (Some(before), None, Locale::En) => format!("{item}: {before} (removed)"),
        (None, None, _) => item.clone(),
    }
}

fn cause(party: CancelParty, locale: Locale) -> &'static str {
    match party {
        CancelParty::Applicant => pick(locale, "派遣先の団体の都合", "the host's reasons"),
        CancelParty::Expert => pick(locale, "専門家の都合", "the expert's reasons"),
        CancelParty::Coordinator => pick(locale, "事務局の都合", "the office's reasons"),
        CancelParty::Circumstances => pick(locale, "天候・災害などやむを得ない事情", "circumstances beyond anyone's control"),
    }
}
