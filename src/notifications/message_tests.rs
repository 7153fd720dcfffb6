//! What may and may not become a mail, and what it looks like on the wire.

use base64::Engine as _;
use chrono::TimeZone as _;
use proptest::prelude::*;

use super::*;

fn mail() -> OutgoingMail {
    OutgoingMail {
        message_id: message_id_for("request.submitted:1", "pref.example.jp"),
        from_address: "haken@pref.example.jp".to_owned(),
        from_name: "伊予県 デジタル戦略課".to_owned(),
        envelope_from: None,
        to_address: "joho@town.example.jp".to_owned(),
        to_name: Some("松前町 総務課".to_owned()),
        subject: "【専門家派遣】派遣申請が届きました".to_owned(),
        text: "派遣申請が届きました。\n\nhttps://tasuki.example.jp/requests/1\n".to_owned(),
        html: None,
        calendars: Vec::new(),
        unsubscribe: None,
        in_reply_to: None,
        references: None,
        date: Utc.with_ymd_and_hms(2026, 4, 1, 1, 0, 0).unwrap(),
    }
}

/// Header lines as sent, unfolded.
fn headers(message: &Message) -> Vec<(String, String)> {
    let raw = String::from_utf8(message.formatted()).unwrap();
    let (head, _) = raw.split_once("\r\n\r\n").unwrap();
    head.replace("\r\n ", " ")
        .replace("\r\n\t", " ")
        .split("\r\n")
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    let found: Vec<_> = headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).collect();
    assert_eq!(found.len(), 1, "{name} once in {headers:?}");
    &found[0].1
}

#[test]
fn a_mail_is_marked_as_automatic_with_its_own_id_and_date() {
    let message = build_message(&mail()).unwrap();
    let headers = headers(&message);
    assert_eq!(header(&headers, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(&headers, "Message-ID"), mail().message_id);
    assert_eq!(header(&headers, "Date"), "Wed, 01 Apr 2026 01:00:00 +0000");
    assert_eq!(header(&headers, "MIME-Version"), "1.0");
    assert_eq!(header(&headers, "Content-Type"), "text/plain; charset=utf-8");
    assert!(header(&headers, "From").ends_with("<haken@pref.example.jp>"));
    assert!(header(&headers, "To").ends_with("<joho@town.example.jp>"));
    let raw = message.formatted();
    assert!(raw.is_ascii(), "relays without 8BITMIME can take it");
    assert!(raw.split(|&b| b == b'\n').all(|line| line.len() <= 998), "RFC 5322 line length");
}

#[test]
fn the_text_survives_encoding_character_by_character() {
    let mut mail = mail();
    // Beyond JIS X 0208: supplementary plane, variation sequence, vendor-specific and compatibility ideographs.
    mail.text = "𠮷野 葛\u{E0100}城 髙﨑 神\u{FA19} 〜—①\r\n二行目\n".to_owned();
    let raw = String::from_utf8(build_message(&mail).unwrap().formatted()).unwrap();
    let (_, body) = raw.split_once("\r\n\r\n").unwrap();
    let bytes = base64::engine::general_purpose::STANDARD.decode(body.replace("\r\n", "")).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), mail.text.replace("\r\n", "\n").replace('\n', "\r\n"));
}

#[test]
fn building_twice_gives_the_same_bytes() {
    assert_eq!(build_message(&mail()).unwrap().formatted(), build_message(&mail()).unwrap().formatted());
}

#[test]
fn a_thread_is_carried_in_the_headers() {
    let first = message_id_for("a", "pref.example.jp");
    let second = message_id_for("b", "pref.example.jp");
    let mail = OutgoingMail { in_reply_to: Some(second.clone()), references: Some(format!("{first} {second}")), ..mail() };
    let headers = headers(&build_message(&mail).unwrap());
    assert_eq!(header(&headers, "In-Reply-To"), second);
    assert_eq!(header(&headers, "References"), format!("{first} {second}"));
}

#[test]
fn line_breaks_controls_and_bidi_marks_are_refused_in_every_header_value() {
    for bad in ['\r', '\n', '\0', '\u{7}', '\u{85}', '\u{2028}', '\u{202E}', '\u{2066}', '\u{200F}'] {
        let poison = format!("松前町{bad}Bcc: all@example.jp");
        let address = format!("a{bad}b@example.jp");
        let cases = [
            (MailPart::FromName, OutgoingMail { from_name: poison.clone(), ..mail() }),
            (MailPart::ToName, OutgoingMail { to_name: Some(poison.clone()), ..mail() }),
            (MailPart::Subject, OutgoingMail { subject: poison.clone(), ..mail() }),
            (MailPart::FromAddress, OutgoingMail { from_address: address.clone(), ..mail() }),
            (MailPart::ToAddress, OutgoingMail { to_address: address.clone(), ..mail() }),
            (MailPart::MessageId, OutgoingMail { message_id: format!("<a{bad}@b>"), ..mail() }),
            (MailPart::InReplyTo, OutgoingMail { in_reply_to: Some(format!("<a{bad}@b>")), ..mail() }),
            (MailPart::References, OutgoingMail { references: Some(format!("<a{bad}@b>")), ..mail() }),
        ];
        for (part, mail) in cases {
            assert_eq!(
                build_message(&mail).err(),
                Some(BuildProblem::ForbiddenCharacter { part, character: bad }),
                "{part} with {bad:?}"
            );
        }
    }
    let text = OutgoingMail { text: "a\0b".to_owned(), ..mail() };
    assert_eq!(build_message(&text).err(), Some(BuildProblem::ForbiddenCharacter { part: MailPart::Text, character: '\0' }));
}

#[test]
fn a_refusal_never_repeats_the_value() {
    let mail = OutgoingMail { to_name: Some("秘密\r\n".to_owned()), ..mail() };
    let problem = build_message(&mail).unwrap_err();
    assert_eq!(problem.to_string(), "forbidden character U+000D in the recipient name");
    assert!(!format!("{mail:?}").contains("joho@town.example.jp"), "Debug output stays free of addresses");
}

#[test]
fn addresses_that_no_relay_would_take_are_refused() {
    for bad in [
        "",
        "a",
        "@example.jp",
        "a@",
        "a b@example.jp",
        "a@b@example.jp",
        "<a@example.jp>",
        "\"a,b\"@example.jp",
        "a@example.jp,b@example.jp",
        "役場@example.jp",
        "a@役場.jp",
    ] {
        let mail = OutgoingMail { to_address: bad.to_owned(), ..mail() };
        assert_eq!(build_message(&mail).err(), Some(BuildProblem::InvalidAddress { part: MailPart::ToAddress }), "{bad:?}");
    }
}

#[test]
fn values_without_bounds_are_refused() {
    let long = "長".repeat(500_000);
    let cases = [
        (MailPart::Subject, OutgoingMail { subject: long.clone(), ..mail() }),
        (MailPart::ToName, OutgoingMail { to_name: Some(long.clone()), ..mail() }),
        (MailPart::FromName, OutgoingMail { from_name: long.clone(), ..mail() }),
        (MailPart::Text, OutgoingMail { text: long.clone(), ..mail() }),
        (MailPart::ToAddress, OutgoingMail { to_address: format!("{}@example.jp", "a".repeat(1_000)), ..mail() }),
        (MailPart::MessageId, OutgoingMail { message_id: format!("<{}@b>", "a".repeat(1_000)), ..mail() }),
    ];
    for (expected, mail) in cases {
        match build_message(&mail) {
            Err(BuildProblem::TooLong { part, .. }) => assert_eq!(part, expected),
            other => panic!("{expected}: {:?}", other.map(|_| ())),
        }
    }
    let longest = OutgoingMail { subject: "長".repeat(MAX_SUBJECT_CHARS), ..mail() };
    assert!(build_message(&longest).is_ok());
}

#[test]
fn dates_the_header_cannot_express_are_refused_instead_of_a_panic() {
    for date in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        let mail = OutgoingMail { date, ..mail() };
        assert_eq!(build_message(&mail).err(), Some(BuildProblem::InvalidDate));
    }
}

#[test]
fn a_blank_name_leaves_the_bare_address() {
    let mail = OutgoingMail { to_name: Some("　 ".to_owned()), from_name: String::new(), ..mail() };
    let headers = headers(&build_message(&mail).unwrap());
    assert_eq!(header(&headers, "To"), "joho@town.example.jp");
    assert_eq!(header(&headers, "From"), "haken@pref.example.jp");
}

#[test]
fn a_message_id_depends_on_key_and_domain_only() {
    let id = message_id_for("offer.sent:7:person:3", "Pref.Example.JP");
    assert_eq!(id, message_id_for("offer.sent:7:person:3", "pref.example.jp"));
    assert_ne!(id, message_id_for("offer.sent:7:person:4", "pref.example.jp"));
    assert!(id.ends_with("@pref.example.jp>") && !id.contains("offer"), "{id}");
    for domain in ["", "県.jp\r\nX: y", "...", "a@b"] {
        let mail = OutgoingMail { message_id: message_id_for("k", domain), ..mail() };
        assert!(build_message(&mail).is_ok(), "{domain:?}");
    }
}

proptest! {
    /// Whatever people type, building answers instead of panicking, and adds no header beyond its own.
    #[test]
    fn no_input_adds_a_header(name in any::<String>(), subject in any::<String>(), text in any::<String>(), to in any::<String>()) {
        let expected: Vec<String> = headers(&build_message(&mail()).unwrap()).into_iter().map(|(n, _)| n).collect();
        for mail in [
            OutgoingMail { to_name: Some(name.clone()), ..mail() },
            OutgoingMail { from_name: name.clone(), subject: subject.clone(), ..mail() },
            OutgoingMail { text: text.clone(), ..mail() },
            OutgoingMail { to_address: to.clone(), ..mail() },
        ] {
            if let Ok(message) = build_message(&mail) {
                let names: Vec<String> = headers(&message).into_iter().map(|(n, _)| n).collect();
                prop_assert_eq!(&names, &expected);
            }
        }
    }
}
