//! Every notice, in both languages: complete as bare text, safe whatever people type, silent about the unknown.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::super::message::{OutgoingMail, build_message, message_id_for};
use super::super::templates_letter::columns;
use super::*;
use crate::requests::model::Mode;

fn brand() -> Brand {
    Brand {
        service_name: "伊予県デジタル人材シェアリング".to_owned(),
        subject_prefix: "専門家派遣".to_owned(),
        sender_organisation: "伊予県デジタル戦略課".to_owned(),
        base_url: "https://tasuki.pref.example.jp/".to_owned(),
    }
}

fn ja(notice: &Notice) -> RenderedMail {
    render(notice, Locale::Ja, &brand())
}

fn first_three(mail: &RenderedMail) -> Vec<&str> {
    mail.text.lines().take(3).collect()
}

#[test]
fn every_kind_has_a_sample_of_its_kind_and_a_name_of_its_own() {
    let mut events: Vec<_> = NoticeKind::ALL.into_iter().map(NoticeKind::event).collect();
    for kind in NoticeKind::ALL {
        assert_eq!(sample(kind).kind(), kind);
    }
    events.sort_unstable();
    events.dedup();
    assert_eq!(events.len(), NoticeKind::ALL.len());
}

#[test]
fn a_notice_comes_back_from_the_outbox_under_its_event_name() {
    for notice in samples() {
        let stored = serde_json::to_value(&notice).unwrap();
        assert_eq!(stored.get("event").and_then(|event| event.as_str()), Some(notice.event()));
        assert_eq!(serde_json::from_value::<Notice>(stored).unwrap(), notice);
    }
}

#[test]
fn the_offer_as_the_expert_reads_it() {
    let mail = ja(&sample(NoticeKind::OfferSent));
    assert_eq!(mail.subject, "【専門家派遣】派遣のご依頼（松野木町）");
    let expected = "\
松野木町への派遣をお願いする依頼です。
【すること】下のアドレスを開き、承諾・辞退・別の日程の提案のいずれかをお答えください。
【期限】令和8年4月8日（水）17:00［2026-04-08 17:00］

高﨑 太郎 様

番号：R8-0012
文書番号：8伊デ第34号
事業：高度デジタル人材シェアリング事業
申請団体：松野木町
共同申請の団体：鬼北谷町
テーマ：窓口業務の見直しとオンライン申請

■ 日程
  1回目：令和8年4月21日（火）10:00［2026-04-21 10:00］から、4時間（現地、松野木町役場）
  2回目：日時はこれから調整、1時間30分（オンライン）

■ 事務局から
  昨年度に続いてのお願いです。

▼ 回答する（アカウントは要りません）
https://tasuki.pref.example.jp/offers/answer?token=Zm9vYmFyYmF6

開いただけでは回答になりません。開いた画面で選んでください。
このアドレスはあなた専用です。転送しないでください。
期限までにお答えがないときは、この依頼は終わります。

----------------------------------------
伊予県デジタル戦略課
このメールは伊予県デジタル人材シェアリングから自動で送信しています。
";
    assert_eq!(mail.text, expected);
}

#[test]
fn the_same_offer_in_english() {
    let mail = render(&sample(NoticeKind::OfferSent), Locale::En, &brand());
    assert_eq!(mail.subject, "[専門家派遣] Would you go? (松野木町)");
    assert_eq!(
        first_three(&mail),
        [
            "You are asked to go to 松野木町.",
            "What to do: Open the address below and accept, decline or propose other dates.",
            "Deadline: 2026-04-08 (Wed) 17:00 JST",
        ]
    );
    assert!(mail.text.contains("\n  Visit 1: from 2026-04-21 (Tue) 10:00 JST, 4 h (on site, 松野木町役場)\n"));
    assert!(mail.text.contains("\nTo: 高﨑 太郎\n"));
}

#[test]
fn a_decision_tells_each_reader_what_is_theirs_to_do() {
    let read = |wanted: DecisionReader| {
        let notice =
            samples().into_iter().find(|notice| matches!(notice, Notice::DecisionNotice { reader, .. } if *reader == wanted));
        ja(&notice.unwrap()).text
    };
    let applicant = read(DecisionReader::Applicant);
    assert!(applicant.contains("受入れの準備") && applicant.contains("最後の訪問から7日以内に、実施報告書を提出"));
    let expert = read(DecisionReader::Expert);
    assert!(expert.starts_with("松野木町へのあなたの派遣が決定しました（R8-0012）。"));
    assert!(expert.contains("実施報告書は派遣先の団体が提出します。") && !expert.contains("7日以内"));
    let body = read(DecisionReader::ParticipatingBody);
    assert!(body.contains("幹事団体：松野木町") && body.contains("実施報告書は幹事団体が提出します。"));
    for text in [applicant, expert, body] {
        assert!(text.contains("文書番号：8伊デ第34号"));
        assert_eq!(text.lines().nth(2), Some("【最初の日程】令和8年4月21日（火）10:00［2026-04-21 10:00］"));
    }
}

#[test]
fn a_declined_offer_says_whether_somebody_has_to_act() {
    let Notice::OfferDeclined { recipient, request, expert, reason, link, .. } = sample(NoticeKind::OfferDeclined) else {
        panic!("another kind")
    };
    let declined = |next_expert| {
        let (recipient, request) = (recipient.clone(), request.clone());
        let (expert, reason, link) = (expert.clone(), reason.clone(), link.clone());
        ja(&Notice::OfferDeclined { recipient, request, expert, reason, next_expert, link }).text
    };
    assert!(declined(None).contains("【すること】別の候補者に依頼してください。"));
    assert!(declined(Some("𠮷野 美咲".to_owned())).contains("次の候補の𠮷野 美咲氏に依頼を送りました。"));
}

#[test]
fn a_reminder_counts_the_days_once_the_date_has_passed() {
    let all: Vec<_> = samples().iter().filter(|n| n.kind() == NoticeKind::ReportReminder).map(ja).collect();
    let [due, overdue] = all.as_slice() else { panic!("two samples") };
    assert_eq!(first_three(due)[0], "実施報告書がまだ提出されていません。");
    assert_eq!(first_three(overdue)[0], "実施報告書の提出期限を3日過ぎています。");
    assert_eq!(first_three(due)[2], "【期限】令和8年4月28日（火）［2026-04-28］");
}

#[test]
fn every_mail_stands_alone_as_bare_text() {
    for notice in samples() {
        for locale in [Locale::Ja, Locale::En] {
            let mail = render(&notice, locale, &brand());
            let event = notice.event();
            let (to_do, prefix) = if locale == Locale::Ja {
                ("【すること】", "【専門家派遣】")
            } else {
                ("What to do: ", "[専門家派遣] ")
            };
            assert!(mail.subject.starts_with(prefix), "{event}: {}", mail.subject);
            assert!(columns(&mail.subject) <= 60, "{event}: {}", mail.subject);
            assert!(first_three(&mail)[1].starts_with(to_do), "{event}:\n{}", mail.text);
            assert!(mail.text.ends_with('\n') && !mail.text.contains('\r'), "{event}");
            assert!(!mail.text.contains("\n\n\n"), "{event}: no gaps where facts are missing");
            for line in mail.text.lines() {
                assert_eq!(line, line.trim_end(), "{event}");
                if line.contains("https://") {
                    assert!(line.starts_with("https://tasuki.pref.example.jp/") && line.is_ascii(), "{event}: {line}");
                    assert!(!line.trim_start_matches("https://").contains("//"), "{event}: {line}");
                }
            }
            let has_link = notice.kind() == NoticeKind::TestMail || mail.text.contains("\nhttps://");
            assert!(has_link, "{event}");
        }
    }
}

#[test]
fn dates_in_japanese_mail_stand_in_both_calendars() {
    for notice in samples() {
        let text = ja(&notice).text;
        assert_eq!(text.matches("令和").count(), text.matches("［2026-").count(), "{}:\n{text}", notice.event());
    }
    // The last minute of the last 平成 day in Japan is still the day before in UTC.
    let late = DateTime::from_timestamp(1_556_636_399, 0).unwrap();
    for (instant, expected) in [
        (late, "平成31年4月30日（火）23:59［2019-04-30 23:59］"),
        (late + TimeDelta::seconds(1), "令和元年5月1日（水）0:00［2019-05-01 00:00］"),
    ] {
        let notice = Notice::TestMail { recipient: nobody(), requested_at: instant };
        assert!(ja(&notice).text.contains(expected), "{}", ja(&notice).text);
    }
}

fn nobody() -> Addressee {
    Addressee::Section { organisation: "伊予県".to_owned(), section: None }
}

#[test]
fn unknown_facts_leave_no_trace() {
    let request = RequestRef {
        number: None,
        document_number: Some("  ".to_owned()),
        programme: None,
        applicant: "松野木町".to_owned(),
        joint_applicants: Vec::new(),
        title: String::new(),
    };
    let notice = Notice::RequestReturned { recipient: nobody(), request, reason: None, correct_by: None, link: String::new() };
    let bare = Brand { subject_prefix: String::new(), sender_organisation: String::new(), ..brand() };
    let mail = render(&notice, Locale::Ja, &bare);
    assert_eq!(mail.subject, "派遣申請の差戻し");
    assert_eq!(
        mail.text,
        "派遣申請が差し戻されました。\n【すること】内容を直してもう一度提出してください。\n\n伊予県 御中\n\n\
         申請団体：松野木町\n\n----------------------------------------\n\
         このメールは伊予県デジタル人材シェアリングから自動で送信しています。\n"
    );
}

#[test]
fn the_subject_sheds_what_does_not_fit_but_never_what_happened() {
    let mut notice = sample(NoticeKind::OfferAccepted);
    if let Notice::OfferAccepted { request, .. } = &mut notice {
        request.applicant = "愛媛県後期高齢者医療広域連合事務局".to_owned();
    }
    assert_eq!(ja(&notice).subject, "【専門家派遣】派遣の承諾（R8-0012）");
    let long =
        Brand { subject_prefix: "【とても長い名前のついたサービスの通知です】".to_owned(), ..brand() };
    assert_eq!(render(&notice, Locale::Ja, &long).subject, "【とても長い名前のついたサービスの通知です】派遣の承諾");
}

#[test]
fn what_people_wrote_cannot_pose_as_the_mail_itself() {
    let notice = Notice::RequestReturned {
        recipient: nobody(),
        request: RequestRef {
            number: Some("R8-0001\r\nBcc: all@example.jp".to_owned()),
            document_number: None,
            programme: None,
            applicant: "松野木町\n【期限】今すぐ".to_owned(),
            joint_applicants: Vec::new(),
            title: "a\u{202E}b\u{2028}c\0d".to_owned(),
        },
        reason: Some("一行目\r\n\r\n【すること】https://evil.example/ を開く\u{202E}\u{7}\n\n".to_owned()),
        correct_by: None,
        link: "/requests/1\r\nhttps://evil.example/".to_owned(),
    };
    let mail = ja(&notice);
    assert_eq!(mail.subject, "【専門家派遣】派遣申請の差戻し");
    assert!(mail.text.contains("\n申請団体：松野木町 【期限】今すぐ\n"));
    assert!(mail.text.contains("\nテーマ：ab c d\n"), "{}", mail.text);
    assert!(mail.text.contains("\n  一行目\n\n  【すること】https://evil.example/ を開く\n\n番号"), "{}", mail.text);
    assert_eq!(mail.text.lines().filter(|line| line.starts_with("https://")).count(), 1);
}

#[test]
fn a_flood_of_text_is_cut() {
    let mut notice = sample(NoticeKind::RequestReturned);
    if let Notice::RequestReturned { reason, request, .. } = &mut notice {
        *reason = Some("長".repeat(1_000_000));
        request.title = "題".repeat(1_000_000);
    }
    let mail = ja(&notice);
    assert!(mail.text.chars().count() < 3_000);
    assert!(mail.text.contains("題…\n") && mail.text.contains("長…\n"));
}

#[test]
fn durations_and_places_read_naturally() {
    let line = |visit: PlannedVisit, locale| {
        let mut notice = sample(NoticeKind::OfferAccepted);
        if let Notice::OfferAccepted { visits, .. } = &mut notice {
            *visits = vec![visit];
        }
        let text = render(&notice, locale, &brand()).text;
        let mut lines = text.lines().skip_while(|line| !line.starts_with("■ 日程") && !line.starts_with("■ Visits"));
        lines.nth(1).unwrap().to_owned()
    };
    let visit = |minutes, mode| PlannedVisit { minutes, mode, ..PlannedVisit::default() };
    assert_eq!(line(visit(None, None), Locale::Ja), "  日時はこれから調整");
    assert_eq!(line(visit(Some(45), None), Locale::Ja), "  日時はこれから調整、45分");
    assert_eq!(line(visit(Some(120), Some(Mode::Hybrid)), Locale::Ja), "  日時はこれから調整、2時間（現地とオンラインの併用）");
    assert_eq!(line(visit(Some(90), Some(Mode::Online)), Locale::En), "  date to be arranged, 1 h 30 min (online)");
}

#[test]
fn one_time_links_do_not_show_in_debug_output() {
    for kind in [NoticeKind::Invitation, NoticeKind::PasswordReset, NoticeKind::OfferSent] {
        let notice = sample(kind);
        assert!(ja(&notice).text.contains("token="));
        assert!(!format!("{notice:?}").contains("token="), "{kind:?}");
    }
}

proptest! {
    /// Whatever people typed, the notice becomes a mail that can be sent.
    #[test]
    fn every_notice_can_be_mailed(name in any::<String>(), title in any::<String>(), reason in any::<String>(), link in any::<String>()) {
        let request = RequestRef {
            number: Some(name.clone()),
            document_number: Some(title.clone()),
            programme: Some(name.clone()),
            applicant: name.clone(),
            joint_applicants: vec![title.clone(), name.clone()],
            title,
        };
        let recipient = Addressee::Person { organisation: Some(name.clone()), name };
        let notice = Notice::RequestReturned { recipient, request, reason: Some(reason), correct_by: None, link };
        for locale in [Locale::Ja, Locale::En] {
            let RenderedMail { subject, text, .. } = render(&notice, locale, &brand());
            let mail = OutgoingMail {
                message_id: message_id_for("k", "example.jp"),
                from_address: "a@example.jp".to_owned(),
                from_name: String::new(),
                envelope_from: None,
                to_address: "b@example.jp".to_owned(),
                to_name: None,
                subject,
                text,
                html: None,
                calendars: Vec::new(),
                unsubscribe: None,
                in_reply_to: None,
                references: None,
                date: DateTime::UNIX_EPOCH,
            };
            prop_assert_eq!(build_message(&mail).err(), None);
        }
    }
}
