//! Against a real SMTP server on loopback: what each answer means for the mail, and that nothing leaks in clear.

use std::net::TcpListener;

use chrono::{DateTime, Utc};

use super::super::message::message_id_for;
use super::*;
use sink::{Reaction, SmtpSink};

#[expect(dead_code, reason = "the integration tests use more of it")]
#[path = "../../tests/it/support/smtp.rs"]
mod sink;

fn settings(port: u16) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        security: SmtpSecurity::None,
        username: None,
        password: None,
        ca_file: None,
        timeout: Duration::from_secs(20),
        bounce_address: None,
        max_per_connection: 0,
    }
}

fn signed_in(port: u16, security: SmtpSecurity) -> SmtpSettings {
    SmtpSettings {
        security,
        username: Some("relay-user".to_owned()),
        password: Some(SecretString::from("correct horse")),
        ..settings(port)
    }
}

fn mailer(sink: &SmtpSink) -> Mailer {
    Mailer::smtp(settings(sink.port())).unwrap()
}

fn mail(n: u32) -> OutgoingMail {
    OutgoingMail {
        message_id: message_id_for(&n.to_string(), "pref.example.jp"),
        from_address: "haken@pref.example.jp".to_owned(),
        from_name: "伊予県 デジタル戦略課".to_owned(),
        to_address: "hanako.sato@town.example.jp".to_owned(),
        to_name: Some("松前町 佐藤 花子".to_owned()),
        subject: format!("【専門家派遣】派遣の依頼が届きました（{n}）"),
        text: ".点で始まる行\n..\n\nhttps://tasuki.example.jp/answer?token=abc\n".to_owned(),
        envelope_from: None,
        html: None,
        calendars: Vec::new(),
        unsubscribe: None,
        in_reply_to: None,
        references: None,
        date: DateTime::<Utc>::from_timestamp(1_775_005_200, 0).unwrap(),
    }
}

#[test]
fn an_accepted_mail_arrives_whole() {
    let sink = SmtpSink::start();
    let receipt = mailer(&sink).send(&mail(1)).unwrap();
    assert_eq!((receipt.code, receipt.detail.as_str()), (250, "2.0.0 taken over as 4711"));
    let arrived = sink.wait_for(1).remove(0);
    assert_eq!(arrived.envelope_from, "haken@pref.example.jp");
    assert_eq!(arrived.envelope_to, ["hanako.sato@town.example.jp"]);
    assert_eq!(arrived.header("Subject"), mail(1).subject);
    assert_eq!(arrived.header("To"), "松前町 佐藤 花子 <hanako.sato@town.example.jp>");
    assert_eq!(arrived.header("Message-ID"), mail(1).message_id);
    assert_eq!(arrived.header("Auto-Submitted"), "auto-generated");
    assert_eq!(arrived.text, mail(1).text.trim_end());
    assert_eq!(arrived.link(), "https://tasuki.example.jp/answer?token=abc");
}

#[test]
fn mails_share_a_connection_and_a_dropped_one_is_replaced() {
    let sink = SmtpSink::start();
    let mailer = mailer(&sink);
    mailer.check().unwrap();
    for n in 0..3 {
        mailer.send(&mail(n)).unwrap();
    }
    let hellos = |sink: &SmtpSink| sink.commands().iter().filter(|line| line.starts_with("EHLO")).count();
    assert_eq!(hellos(&sink), 1);
    sink.script([Reaction::KeepAndHangUp]);
    assert!(mailer.send(&mail(3)).is_err());
    mailer.send(&mail(4)).unwrap();
    assert_eq!(hellos(&sink), 2);
    assert_eq!(sink.wait_for(5).len(), 5);
}

#[test]
fn a_4xx_waits_and_a_5xx_is_final_wherever_it_comes() {
    let sink = SmtpSink::start();
    let mailer = mailer(&sink);
    let cases = [
        (Reaction::RefuseRecipient("450 4.2.0 greylisted"), FailureKind::Transient, 450),
        (Reaction::RefuseContent("452 4.3.1 disk full"), FailureKind::Transient, 452),
        (Reaction::RefuseRecipient("550 5.1.1 no such user"), FailureKind::Permanent, 550),
        (Reaction::RefuseContent("554 5.7.1 looks like spam"), FailureKind::Permanent, 554),
        (Reaction::RefuseRecipient("421 4.3.2 shutting down"), FailureKind::Unreachable, 421),
        (Reaction::RefuseRecipient("530 5.7.0 sign in first"), FailureKind::Unreachable, 530),
    ];
    for (reaction, kind, code) in cases {
        sink.script([reaction.clone()]);
        let failure = mailer.send(&mail(1)).unwrap_err();
        assert_eq!((failure.kind, failure.code, failure.outcome_unknown), (kind, Some(code), false), "{reaction:?}");
    }
    assert!(sink.messages().is_empty());
    mailer.send(&mail(1)).unwrap();
}

#[test]
fn the_relays_words_are_kept_without_what_they_quote_of_the_mail() {
    let sink = SmtpSink::start();
    sink.script([Reaction::RefuseRecipient("550 5.1.1 <{to}>: mailbox hanako.sato of 松前町 佐藤 花子 is full")]);
    let failure = mailer(&sink).send(&mail(1)).unwrap_err();
    assert_eq!(failure.detail, "refused by the relay: permanent error (550): 5.1.1 <*>: mailbox * of * is full");
}

#[test]
fn a_hang_up_after_the_content_is_told_apart_as_unknown() {
    let sink = SmtpSink::start();
    sink.script([Reaction::KeepAndHangUp]);
    let mailer = mailer(&sink);
    let failure = mailer.send(&mail(1)).unwrap_err();
    assert_eq!((failure.kind, failure.code, failure.outcome_unknown), (FailureKind::Transient, None, true));
    mailer.send(&mail(1)).unwrap();
    let ids: Vec<_> = sink.wait_for(2).iter().map(|mail| mail.header("Message-ID").to_owned()).collect();
    assert_eq!(ids[0], ids[1], "the receiving side can tell that both are one mail");
}

#[test]
fn a_relay_that_is_down_or_refuses_the_session_costs_no_mail() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let failure = Mailer::smtp(settings(free)).unwrap().send(&mail(1)).unwrap_err();
    assert_eq!((failure.kind, failure.outcome_unknown), (FailureKind::Unreachable, false));

    let sink = SmtpSink::start();
    let mailer = mailer(&sink);
    for (line, code) in [("421 4.3.2 maintenance", 421), ("554 5.3.2 you are blocked", 554)] {
        sink.script([Reaction::RefuseSession(line)]);
        let failure = mailer.send(&mail(1)).unwrap_err();
        assert_eq!((failure.kind, failure.code), (FailureKind::Unreachable, Some(code)));
    }
    sink.script([Reaction::RefuseSession("421 4.3.2 maintenance")]);
    assert_eq!(mailer.check().unwrap_err().kind, FailureKind::Unreachable);
    mailer.check().unwrap();
}

#[test]
fn without_starttls_neither_password_nor_mail_leaves() {
    let sink = SmtpSink::offering(&["8BITMIME", "AUTH PLAIN LOGIN"]);
    let mailer = Mailer::smtp(signed_in(sink.port(), SmtpSecurity::StartTls)).unwrap();
    assert_eq!(mailer.send(&mail(1)).unwrap_err().kind, FailureKind::Unreachable);
    drop(mailer);
    assert!(sink.messages().is_empty());
    let commands = sink.commands();
    assert!(commands.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{commands:?}");
}

#[test]
fn a_failed_handshake_ends_the_session_instead_of_going_on_in_clear() {
    // Claims STARTTLS, says `220 go ahead`, then answers the handshake with text.
    let sink = SmtpSink::offering(&["STARTTLS", "AUTH PLAIN LOGIN"]);
    for security in [SmtpSecurity::StartTls, SmtpSecurity::Tls] {
        let short = SmtpSettings { timeout: Duration::from_secs(2), ..signed_in(sink.port(), security) };
        let failure = Mailer::smtp(short).unwrap().send(&mail(1)).unwrap_err();
        assert_eq!((failure.kind, failure.code), (FailureKind::Unreachable, None), "{security:?}");
    }
    assert!(sink.messages().is_empty());
    let leaked = |line: &String| ["AUTH", "MAIL", "RCPT", "DATA"].iter().any(|verb| line.starts_with(verb));
    assert!(!sink.commands().iter().any(leaked), "{:?}", sink.commands());
}

#[test]
fn an_unbuildable_mail_never_reaches_the_relay() {
    let sink = SmtpSink::start();
    let mailer = mailer(&sink);
    let poison = OutgoingMail { to_name: Some("佐藤\r\nBcc: all@example.jp".to_owned()), ..mail(1) };
    let failure = mailer.send(&poison).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unbuildable);
    assert_eq!(failure.detail, "forbidden character U+000D in the recipient name");
    assert!(sink.commands().is_empty());
    mailer.send(&mail(2)).unwrap();
}

#[test]
fn settings_that_promise_less_than_they_seem_are_refused() {
    let tls = |ca_file| SmtpSettings { security: SmtpSecurity::Tls, ca_file, ..settings(465) };
    let problem = |settings| Mailer::smtp(settings).unwrap_err();
    assert_eq!(problem(SmtpSettings { host: " ".to_owned(), ..settings(25) }), SettingsProblem::HostMissing);
    assert_eq!(problem(signed_in(25, SmtpSecurity::None)), SettingsProblem::PasswordWithoutTls);
    assert_eq!(
        problem(SmtpSettings { password: None, ..signed_in(25, SmtpSecurity::StartTls) }),
        SettingsProblem::IncompleteCredentials
    );
    assert_eq!(problem(SmtpSettings { timeout: Duration::ZERO, ..settings(25) }), SettingsProblem::NoTimeout);
    let bounces = Some("nobody".to_owned());
    assert_eq!(problem(SmtpSettings { bounce_address: bounces, ..settings(25) }), SettingsProblem::BounceAddress);
    let nowhere = Some(PathBuf::from("/nonexistent/ca.pem"));
    assert_eq!(problem(SmtpSettings { ca_file: nowhere.clone(), ..settings(25) }), SettingsProblem::CaFileWithoutTls);
    assert!(matches!(problem(tls(nowhere)), SettingsProblem::CaFile { .. }));
    let empty = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(problem(tls(Some(empty.path().to_owned()))), SettingsProblem::CaFile { .. }));
}

#[test]
fn nothing_secret_shows_in_debug_output() {
    let mailer = Mailer::smtp(signed_in(587, SmtpSecurity::StartTls)).unwrap();
    assert!(!format!("{mailer:?}").contains("correct horse"));
}

#[test]
fn the_memory_mailbox_keeps_the_latest_and_refuses_the_same() {
    let (mailer, sent) = Mailer::memory();
    mailer.check().unwrap();
    for n in 0..=u32::try_from(MEMORY_MAX).unwrap() {
        mailer.send(&mail(n)).unwrap();
    }
    let poison = OutgoingMail { subject: "a\nb".to_owned(), ..mail(1) };
    assert_eq!(mailer.send(&poison).unwrap_err().kind, FailureKind::Unbuildable);
    let sent = sent.lock().unwrap();
    assert_eq!((sent.len(), sent[0].mail.subject.as_str()), (MEMORY_MAX, mail(1).subject.as_str()));
    assert!(sent[0].raw.starts_with(b"Message-ID: "));
}
