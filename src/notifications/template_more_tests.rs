//! The notices that are structures of their own, and what holds of every notice whatever its values.

use chrono::DateTime;
use proptest::prelude::*;
use serde_json::Value;

use super::message::{OutgoingMail, build_message, message_id_for};
use super::template::*;
use super::templates_samples_more as more;

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

#[test]
fn a_claim_says_to_whom_how_much_and_until_when() {
    let mail = ja(&Notice::SettlementBilled(more::settlement_billed()));
    assert_eq!(mail.subject, "【専門家派遣】負担金のご請求（R8-C0012）");
    let expected = "\
伊予県へお支払いいただく負担金1,234,567円が確定しました。
【すること】下の支払予定のとおり、分けて支払いの手続きをしてください（期限は初回分です）。
【期限】令和8年5月31日（日）［2026-05-31］

伊予県松野木町 総務課 御中

番号：R8-C0012
支払先：伊予県
金額：1,234,567円
事業：高度デジタル人材シェアリング事業
内容：R8-0012 窓口業務の見直しとオンライン申請

■ 支払予定
  令和8年5月31日（日）［2026-05-31］ 617,284円
  令和8年11月27日（金）［2026-11-27］ 617,283円

▼ 精算の画面（内訳と書類）
https://tasuki.pref.example.jp/settlements/5

----------------------------------------
伊予県デジタル戦略課
このメールは伊予県デジタル人材シェアリングから自動で送信しています。
";
    assert_eq!(mail.text, expected);
    let english = render(&Notice::SettlementBilled(more::settlement_billed()), Locale::En, &brand());
    assert!(english.text.starts_with("Your share of 1,234,567 yen is to be paid to 伊予県.\n"), "{}", english.text);
}

#[test]
fn a_digest_lists_every_thing_with_its_address() {
    let mail = ja(&Notice::Digest(more::digest()));
    assert_eq!(mail.subject, "【専門家派遣】お知らせのまとめ（3件）");
    let expected = "\
令和8年4月1日（水）［2026-04-01］のお知らせは3件です。
【すること】下の一覧を見て、対応が要るものを進めてください。期限はそれぞれの画面にあります。

伊予県松野木町 佐藤 花子 様

■ 派遣申請（2件）

▼ 派遣申請を受理しました（R8-0012）
https://tasuki.pref.example.jp/requests/12

▼ 派遣申請の差戻し
https://tasuki.pref.example.jp/requests/13

■ 派遣決定と訪問（1件）

▼ 派遣決定通知（R8-0011）
https://tasuki.pref.example.jp/dispatches/6

▼ お知らせの一覧
https://tasuki.pref.example.jp/notices

▼ メールの受け取り方を変える
https://tasuki.pref.example.jp/account/notifications

----------------------------------------
伊予県デジタル戦略課
このメールは伊予県デジタル人材シェアリングから自動で送信しています。
";
    assert_eq!(mail.text, expected);
}

#[test]
fn a_long_digest_says_how_much_it_leaves_out() {
    let item = DigestItem { title: "派遣申請が届きました".to_owned(), link: None };
    let group = |label: &str, count| DigestGroup { label: label.to_owned(), items: vec![item.clone(); count] };
    let groups = vec![group("派遣申請", 40), group("打診と回答", 0), group("実施報告", 30), group("利用者と所属", 5)];
    let text = ja(&Notice::Digest(Digest { groups, ..more::digest() })).text;
    assert_eq!(text.lines().filter(|line| line.starts_with("▼ 派遣申請が届きました")).count(), DIGEST_MAX_ITEMS);
    assert!(
        text.contains("のお知らせは75件です。") && text.contains("\nほかに25件あります。下の画面で確認してください。\n"),
        "{text}"
    );
    assert!(text.contains("■ 実施報告（30件）") && !text.contains("■ 打診と回答") && !text.contains("■ 利用者と所属"), "{text}");
}

/// What must be done by a day says so in the third line, and what is over or without a limit does not.
#[test]
fn what_has_a_deadline_names_it_in_the_third_line() {
    let with_deadline = [
        NoticeKind::WindowClosing,
        NoticeKind::OfferExpiring,
        NoticeKind::RequestUnanswered,
        NoticeKind::AgreementProposed,
        NoticeKind::ReportSubmitted,
        NoticeKind::SurveyDue,
        NoticeKind::SettlementBilled,
        NoticeKind::AppointmentEnding,
        NoticeKind::PauseEnding,
        NoticeKind::PostingEnding,
    ];
    for kind in with_deadline {
        for (locale, label) in [(Locale::Ja, "【期限】"), (Locale::En, "Deadline: ")] {
            let text = render(&sample(kind), locale, &brand()).text;
            assert!(text.lines().nth(2).is_some_and(|line| line.starts_with(label)), "{kind:?}:\n{text}");
        }
    }
    for kind in [NoticeKind::MembershipGiven, NoticeKind::MembershipEnded] {
        assert!(ja(&sample(kind)).text.lines().nth(2).is_some_and(|line| line.starts_with("【最終日】")), "{kind:?}");
    }
    for kind in [NoticeKind::WorkloadReached, NoticeKind::RequestCancelled, NoticeKind::WebhookDisabled, NoticeKind::Digest] {
        assert_eq!(ja(&sample(kind)).text.lines().nth(2), Some(""), "{kind:?}");
    }
}

#[test]
fn expert_and_office_read_the_same_load_each_with_what_is_theirs_to_do() {
    let office = ja(&Notice::WorkloadNearLimit(more::workload(32))).text;
    assert!(
        office.starts_with("高﨑 太郎氏の2026年6月の稼働は、実績と予定を合わせて、取り決めた上限の80%になりました。\n"),
        "{office}"
    );
    assert!(office.contains("\n上限：40時間\n実績と予定：32時間\n残り：8時間\n"), "{office}");
    let over = Workload { own: true, limit: LoadLimit::YearDays(2026), used: 21, agreed: 20, ..more::workload(0) };
    let expert = ja(&Notice::WorkloadReached(over)).text;
    assert!(
        expert.starts_with("あなたの2026年度（R8）の稼働は、実績と予定を合わせて、取り決めた上限の105%になりました。\n"),
        "{expert}"
    );
    assert!(expert.contains("受けなくてかまいません") && expert.contains("\n残り：0日\n"), "{expert}");
    for (used, agreed) in [(i64::MAX, 1), (i64::MIN, i64::MIN), (5, 0), (i64::MAX, i64::MIN)] {
        assert!(!ja(&Notice::WorkloadReached(Workload { used, agreed, ..more::workload(0) })).text.is_empty());
    }
}

#[test]
fn a_joint_request_says_whose_consent_is_missing() {
    let told = |agrees, waiting: &[&str]| {
        let waiting = waiting.iter().map(|body| (*body).to_owned()).collect();
        ja(&Notice::RequestConsented(RequestConsented { agrees, waiting, ..more::request_consented() })).text
    };
    assert!(told(true, &[]).contains("すべての団体の同意がそろいました。") && !told(true, &[]).contains("同意待ちの団体"));
    assert!(told(true, &["愛南浜町", "宇和浦町"]).contains("\n同意待ちの団体：愛南浜町、宇和浦町\n"));
    assert!(told(false, &["鬼北谷町"]).starts_with("鬼北谷町が共同での派遣申請への同意を取り消しました。\n"));
}

/// Puts `words`, one after the other, in the place of every text that a person may have typed.
fn with_words(value: &mut Value, words: &mut impl Iterator<Item = String>) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| with_words(value, words)),
        Value::Object(fields) => {
            // A link is a path that the service wrote; only what stands beside it is anybody's.
            let fixed = [
                "event",
                "kind",
                "reader",
                "cancelled_by",
                "mode",
                "cause",
                "step",
                "change",
                "link",
                "answer_link",
                "settings_link",
            ];
            let dated = |value: &Value| value.as_str().is_some_and(|text| text.starts_with("20") && text.contains('-'));
            for (_, value) in fields.iter_mut().filter(|(name, value)| !fixed.contains(&name.as_str()) && !dated(value)) {
                if value.is_string() {
                    *value = Value::String(words.next().unwrap_or_default());
                } else {
                    with_words(value, words);
                }
            }
        }
        _ => {}
    }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter),
        Just("一行目\r\n【期限】今すぐ\nhttps://evil.example/\u{202E}\0".to_owned()),
        Just("長".repeat(5_000)),
        Just(String::new()),
    ]
}

proptest! {
    /// Whatever people typed, each notice becomes a mail that can be sent, keeps its form, and leads to no other service.
    #[test]
    fn every_notice_can_be_mailed_whatever_it_holds(index in any::<prop::sample::Index>(), words in prop::collection::vec(word(), 24)) {
        let samples = samples();
        let mut stored = serde_json::to_value(index.get(&samples)).unwrap();
        with_words(&mut stored, &mut words.into_iter().cycle());
        let notice: Notice = serde_json::from_value(stored).unwrap();
        for locale in [Locale::Ja, Locale::En] {
            let RenderedMail { subject, text, .. } = render(&notice, locale, &brand());
            let lines: Vec<&str> = text.lines().collect();
            let label = if locale == Locale::Ja { "【すること】" } else { "What to do: " };
            prop_assert!(lines.get(1).is_some_and(|line| line.starts_with(label)), "{}", text);
            for line in lines.iter().filter(|line| line.starts_with("http")) {
                prop_assert!(line.starts_with("https://tasuki.pref.example.jp/"), "{}", text);
            }
            let html = Some(super::html::html(&subject, &text, locale, &brand().base_url));
            let mail = OutgoingMail {
                message_id: message_id_for("k", "example.jp"),
                from_address: "a@example.jp".to_owned(),
                from_name: String::new(),
                envelope_from: None,
                to_address: "b@example.jp".to_owned(),
                to_name: None,
                subject,
                text,
                html,
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
