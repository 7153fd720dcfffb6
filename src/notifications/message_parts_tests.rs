//! Whole mails, read back by a parser that shares nothing with the library that wrote them.

use chrono::DateTime;
use lettre::message::Message;
use mail_parser::{MessageParser, MimeHeaders as _, PartType};
use proptest::prelude::*;

use super::calendars::{CalendarEntry, CalendarMethod};
use super::message::{BuildProblem, MailPart, OutgoingMail, Unsubscribe, build_message, forbidden_character, message_id_for};

fn mail() -> OutgoingMail {
    OutgoingMail {
        message_id: message_id_for("dispatch.decided:7", "pref.example.jp"),
        from_address: "haken@pref.example.jp".to_owned(),
        from_name: "伊予県 デジタル戦略課".to_owned(),
        envelope_from: None,
        to_address: "joho@town.example.jp".to_owned(),
        to_name: Some("松前町 総務課".to_owned()),
        subject: "【専門家派遣】派遣決定通知（R8-0012）".to_owned(),
        text: "派遣を決定しました。\n\nhttps://tasuki.example.jp/dispatches/7\n".to_owned(),
        html: None,
        calendars: Vec::new(),
        unsubscribe: None,
        in_reply_to: None,
        references: None,
        date: DateTime::UNIX_EPOCH,
    }
}

fn calendar(method: CalendarMethod, file_name: &str) -> CalendarEntry {
    let word = method.word();
    let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:{word}\r\nX-NAME:派遣\r\nEND:VCALENDAR\r\n");
    CalendarEntry { method, file_name: file_name.to_owned(), text }
}

fn html() -> Option<String> {
    Some("<!doctype html><p>派遣を決定しました。</p>".to_owned())
}

/// Kind of a part, its file name, what it holds.
type Part = (String, Option<String>, String);

/// The parts from the outside in and from the first to the last; multiparts hold nothing by themselves.
fn parts(message: &Message) -> Vec<Part> {
    let raw = message.formatted();
    let parsed = MessageParser::default().parse(&raw).unwrap();
    let kind = |part: &mail_parser::MessagePart<'_>| {
        let kind = part.content_type().unwrap();
        let method = kind.attribute("method").map(|method| format!("; method={method}")).unwrap_or_default();
        format!("{}/{}{method}", kind.ctype(), kind.subtype().unwrap())
    };
    let held = |part: &mail_parser::MessagePart<'_>| match &part.body {
        PartType::Text(text) | PartType::Html(text) => text.to_string(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        PartType::Multipart(_) => String::new(),
        PartType::Message(_) => panic!("a message in a message"),
    };
    parsed.parts.iter().map(|part| (kind(part), part.attachment_name().map(str::to_owned), held(part))).collect()
}

fn kinds(message: &Message) -> Vec<String> {
    parts(message).into_iter().map(|(kind, ..)| kind).collect()
}

fn header<'a>(raw: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = raw.split_once("\r\n\r\n").unwrap();
    head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn the_text_comes_first_and_the_calendar_both_as_alternative_and_as_file() {
    let invitation = calendar(CalendarMethod::Request, "visit-12.ics");
    let message = build_message(&OutgoingMail { html: html(), calendars: vec![invitation.clone()], ..mail() }).unwrap();
    let expected = [
        ("multipart/mixed", None, String::new()),
        ("multipart/alternative", None, String::new()),
        ("text/plain", None, mail().text.replace('\n', "\r\n")),
        ("text/html", None, html().unwrap()),
        ("text/calendar; method=REQUEST", None, invitation.text.clone()),
        ("application/ics", Some("visit-12.ics".to_owned()), invitation.text.clone()),
    ];
    assert_eq!(parts(&message), expected.map(|(kind, name, held)| (kind.to_owned(), name, held)));
    let raw = String::from_utf8(message.formatted()).unwrap();
    assert!(raw.contains("Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n"), "{raw}");
    assert!(raw.contains("Content-Disposition: attachment; filename=\"visit-12.ics\"\r\n"), "{raw}");
}

#[test]
fn a_mail_has_no_more_parts_than_it_needs() {
    let one = vec![calendar(CalendarMethod::Cancel, "visit-12.ics")];
    let two = vec![calendar(CalendarMethod::Request, "visit-12.ics"), calendar(CalendarMethod::Cancel, "visit-13.ics")];
    let cases: [(OutgoingMail, &[&str]); 5] = [
        (mail(), &["text/plain"]),
        (OutgoingMail { html: html(), ..mail() }, &["multipart/alternative", "text/plain", "text/html"]),
        (
            OutgoingMail { calendars: one, ..mail() },
            &["multipart/mixed", "multipart/alternative", "text/plain", "text/calendar; method=CANCEL", "application/ics"],
        ),
        (
            OutgoingMail { calendars: two.clone(), ..mail() },
            &["multipart/mixed", "text/plain", "application/ics", "application/ics"],
        ),
        (
            OutgoingMail { html: html(), calendars: two, ..mail() },
            &["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/ics", "application/ics"],
        ),
    ];
    for (mail, expected) in cases {
        assert_eq!(kinds(&build_message(&mail).unwrap()), expected);
    }
}

#[test]
fn the_same_mail_is_the_same_bytes_and_another_has_other_boundaries() {
    let calendars = vec![calendar(CalendarMethod::Request, "visit-12.ics")];
    let mail = OutgoingMail { html: html(), calendars, ..mail() };
    let raw = build_message(&mail).unwrap().formatted();
    assert_eq!(build_message(&mail).unwrap().formatted(), raw);
    let other = OutgoingMail { message_id: message_id_for("dispatch.decided:8", "pref.example.jp"), ..mail };
    let boundary = |raw: Vec<u8>| String::from_utf8(raw).unwrap().split("boundary=").nth(1).unwrap()[..50].to_owned();
    assert_ne!(boundary(build_message(&other).unwrap().formatted()), boundary(raw));
}

#[test]
fn a_text_that_holds_the_boundary_stays_a_text() {
    let mail = OutgoingMail { html: html(), ..mail() };
    let raw = String::from_utf8(build_message(&mail).unwrap().formatted()).unwrap();
    let boundary = raw.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    let forged = format!("a\r\n--{boundary}\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n--{boundary}--\r\n");
    let message = build_message(&OutgoingMail { text: forged.clone(), ..mail }).unwrap();
    assert_eq!(kinds(&message), ["multipart/alternative", "text/plain", "text/html"]);
    assert_eq!(parts(&message)[1].2, forged);
}

#[test]
fn bounces_go_to_the_envelope_sender() {
    let message = build_message(&OutgoingMail { envelope_from: Some("bounce@pref.example.jp".to_owned()), ..mail() }).unwrap();
    assert_eq!(message.envelope().from().unwrap().to_string(), "bounce@pref.example.jp");
    assert_eq!(message.envelope().to().iter().map(ToString::to_string).collect::<Vec<_>>(), ["joho@town.example.jp"]);
    assert!(!String::from_utf8(message.formatted()).unwrap().contains("bounce@"), "the relay writes the Return-Path");
    assert_eq!(build_message(&mail()).unwrap().envelope().from().unwrap().to_string(), "haken@pref.example.jp");
    let bad = OutgoingMail { envelope_from: Some("a b@example.jp".to_owned()), ..mail() };
    assert_eq!(build_message(&bad).err(), Some(BuildProblem::InvalidAddress { part: MailPart::EnvelopeFrom }));
}

#[test]
fn only_what_can_be_unsubscribed_says_so() {
    let url = format!("https://tasuki.example.jp/digest/stop?token={}", "x".repeat(300));
    let built = |url: &str, one_click| {
        let unsubscribe = Some(Unsubscribe { url: url.to_owned(), one_click });
        build_message(&OutgoingMail { unsubscribe, ..mail() }).map(|message| String::from_utf8(message.formatted()).unwrap())
    };
    let raw = built(&url, true).unwrap();
    assert_eq!(header(&raw, "List-Unsubscribe"), Some(format!("<{url}>").as_str()));
    assert_eq!(header(&raw, "List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    assert_eq!(header(&built(&url, false).unwrap(), "List-Unsubscribe-Post"), None);
    assert_eq!(header(&built("http://127.0.0.1/stop", true).unwrap(), "List-Unsubscribe-Post"), None);
    assert_eq!(header(&String::from_utf8(build_message(&mail()).unwrap().formatted()).unwrap(), "List-Unsubscribe"), None);
    for bad in [
        "",
        "https://",
        "mailto:a@b",
        "https://x.jp/a b",
        "https://x.jp/>,<mailto:a@b",
        "https://x.jp/\r\nBcc: a@b",
        "https://県.jp",
    ] {
        assert_eq!(built(bad, false).err(), Some(BuildProblem::InvalidUrl { part: MailPart::Unsubscribe }), "{bad:?}");
    }
}

#[test]
fn a_calendar_that_is_none_is_refused() {
    let good = calendar(CalendarMethod::Request, "visit-12.ics");
    let named = |name: &str| CalendarEntry { file_name: name.to_owned(), ..good.clone() };
    let cases = [
        CalendarEntry { method: CalendarMethod::Cancel, ..good.clone() },
        CalendarEntry { text: "hello".to_owned(), ..good.clone() },
        CalendarEntry { text: good.text.replace("\r\n", "\n"), ..good.clone() },
        named("visit\".ics"),
        named("../visit.ics"),
        named("訪問.ics"),
        named("visit.ics.exe"),
        named("a.ics\r\nBcc: all@example.jp\r\n.ics"),
    ];
    for entry in cases {
        let name = entry.file_name.clone();
        let problem = build_message(&OutgoingMail { calendars: vec![entry], ..mail() }).err();
        assert_eq!(problem, Some(BuildProblem::InvalidCalendar), "{name:?}");
    }
    let poisoned = CalendarEntry { text: format!("{}\0", good.text), ..good };
    let problem = build_message(&OutgoingMail { calendars: vec![poisoned], ..mail() }).err();
    assert_eq!(problem, Some(BuildProblem::ForbiddenCharacter { part: MailPart::Calendar, character: '\0' }));
}

#[test]
fn an_encoded_word_that_somebody_typed_is_shown_as_it_was_typed() {
    // `evil` and a mark that reorders text.
    let typed = "=?UTF-8?B?ZXZpbOKArg==?=";
    let message = build_message(&OutgoingMail { subject: typed.to_owned(), to_name: Some(typed.to_owned()), ..mail() }).unwrap();
    let raw = message.formatted();
    let parsed = MessageParser::default().parse(&raw).unwrap();
    assert_eq!(parsed.subject(), Some("= ?UTF-8?B?ZXZpbOKArg== ?="));
    assert_eq!(parsed.to().unwrap().first().unwrap().name(), Some("= ?UTF-8?B?ZXZpbOKArg== ?="));
}

/// Characters without any order: `any::<String>()` has no controls.
fn chaos() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..20).prop_map(String::from_iter)
}

/// Mostly what may stand in a line, sometimes anything.
fn line() -> impl Strategy<Value = String> {
    let allowed = prop_oneof![chaos(), any::<String>()]
        .prop_map(|text| text.chars().filter(|c| forbidden_character(&c.to_string()).is_none()).collect());
    let japanese = "[ぁ-んァ-ヶ一-龠（）\" ,<>@=?a-z]{0,80}";
    prop_oneof![20 => allowed, 20 => japanese, 1 => chaos(), 1 => Just("a\r\nBcc: all@example.jp".to_owned())]
}

/// Mostly what may stand in a text, sometimes anything.
fn block() -> impl Strategy<Value = String> {
    let lines = prop::collection::vec(line(), 0..6);
    let breaks = prop_oneof![Just("\n"), Just("\r\n"), Just("\n\n.\n"), Just("\r"), Just("\nFrom "), Just("\n--")];
    prop_oneof![30 => (lines, breaks).prop_map(|(lines, end)| lines.join(end)), 1 => chaos()]
}

fn address() -> impl Strategy<Value = String> {
    prop_oneof![30 => "[a-z][a-z0-9+_-]{0,12}(\\.[a-z]+)?@[a-z]{1,9}\\.example\\.jp", 1 => chaos()]
}

fn identifier() -> impl Strategy<Value = String> {
    prop_oneof![30 => any::<u64>().prop_map(|key| message_id_for(&key.to_string(), "pref.example.jp")), 1 => chaos()]
}

fn calendars() -> impl Strategy<Value = Vec<CalendarEntry>> {
    let entry = (any::<bool>(), prop_oneof![30 => "[a-z0-9-]{1,20}\\.ics", 1 => chaos()], block()).prop_map(
        |(cancel, file_name, text)| {
            let method = if cancel { CalendarMethod::Cancel } else { CalendarMethod::Request };
            let text = format!("{}X-TEXT:{text}", calendar(method, "").text);
            CalendarEntry { method, file_name, text }
        },
    );
    prop::collection::vec(entry, 0..4)
}

fn any_mail() -> impl Strategy<Value = OutgoingMail> {
    let addresses = (address(), address(), prop::option::of(address()));
    let words = (line(), prop::option::of(line()), line(), block(), prop::option::of(block()));
    let url = prop_oneof![30 => "https://[a-z]{1,9}\\.example\\.jp/[!#-;?-~]{0,200}", 1 => chaos()];
    let unsubscribe = prop::option::of((url, any::<bool>()).prop_map(|(url, one_click)| Unsubscribe { url, one_click }));
    let thread = (identifier(), prop::option::of(identifier()), prop::option::of(prop::collection::vec(identifier(), 1..20)));
    (addresses, words, calendars(), unsubscribe, thread, 0_i64..4_000_000_000).prop_map(
        |(
            (from_address, to_address, envelope_from),
            (from_name, to_name, subject, text, html),
            calendars,
            unsubscribe,
            (message_id, in_reply_to, references),
            seconds,
        )| {
            let references = references.map(|ids| ids.join(" "));
            let date = DateTime::from_timestamp(seconds, 0).unwrap();
            OutgoingMail {
                message_id,
                from_address,
                from_name,
                envelope_from,
                to_address,
                to_name,
                subject,
                text,
                html,
                calendars,
                unsubscribe,
                in_reply_to,
                references,
                date,
            }
        },
    )
}

/// With CRLF line ends, as they travel.
fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// Without regard to white space, which folding may change, and with what `=?` becomes.
fn words(text: &str) -> String {
    text.replace("=?", "= ?").split_whitespace().collect()
}

proptest! {
    /// Whatever stands in its fields, a mail is refused or has exactly its own headers and parts, which hold what they were given.
    #[test]
    fn every_mail_is_refused_or_read_back_as_it_was(mail in any_mail()) {
        let built = build_message(&mail);
        prop_assert_ne!(built.as_ref().err(), Some(&BuildProblem::Library), "what the library cannot write is refused before");
        let Ok(message) = built else { return Ok(()) };
        let raw = message.formatted();
        prop_assert_eq!(&raw, &build_message(&mail).unwrap().formatted());
        prop_assert!(raw.is_ascii() && raw.split(|&b| b == b'\n').all(|line| line.len() <= 998));
        let parsed = MessageParser::default().parse(&raw).unwrap();

        let mut found: Vec<String> = parsed.headers().iter().map(|header| header.name.as_str().to_ascii_lowercase()).collect();
        found.sort_unstable();
        let multipart = mail.html.is_some() || !mail.calendars.is_empty();
        let one_click = mail.unsubscribe.as_ref().is_some_and(|unsubscribe| unsubscribe.one_click);
        let mut expected = vec!["auto-submitted", "content-type", "date", "from", "message-id", "mime-version", "subject", "to"];
        expected.extend((!multipart).then_some("content-transfer-encoding"));
        expected.extend(mail.in_reply_to.as_ref().map(|_| "in-reply-to"));
        expected.extend(mail.references.as_ref().map(|_| "references"));
        expected.extend(mail.unsubscribe.as_ref().map(|_| "list-unsubscribe"));
        expected.extend(one_click.then_some("list-unsubscribe-post"));
        expected.sort_unstable();
        prop_assert_eq!(found, expected);

        prop_assert_eq!(words(parsed.subject().unwrap_or_default()), words(&mail.subject));
        let (from, to) = (parsed.from().unwrap().first().unwrap(), parsed.to().unwrap().first().unwrap());
        prop_assert_eq!((parsed.from().unwrap().iter().count(), parsed.to().unwrap().iter().count()), (1, 1));
        prop_assert_eq!((from.address(), to.address()), (Some(mail.from_address.as_str()), Some(mail.to_address.as_str())));
        prop_assert_eq!(words(from.name().unwrap_or_default()), words(&mail.from_name));
        prop_assert_eq!(words(to.name().unwrap_or_default()), words(mail.to_name.as_deref().unwrap_or_default()));
        let sender = message.envelope().from().map(ToString::to_string);
        prop_assert_eq!(sender.as_ref(), mail.envelope_from.as_ref().or(Some(&mail.from_address)));

        let mut expected: Vec<Part> = Vec::new();
        let mut expect = |kind: &str, name: Option<&str>, held: &str| expected.push((kind.to_owned(), name.map(str::to_owned), crlf(held)));
        if !mail.calendars.is_empty() {
            expect("multipart/mixed", None, "");
        }
        if mail.html.is_some() || mail.calendars.len() == 1 {
            expect("multipart/alternative", None, "");
        }
        expect("text/plain", None, &mail.text);
        if let Some(html) = &mail.html {
            expect("text/html", None, html);
        }
        if let [calendar] = mail.calendars.as_slice() {
            expect(&format!("text/calendar; method={}", calendar.method.word()), None, &calendar.text);
        }
        for calendar in &mail.calendars {
            expect("application/ics", Some(&calendar.file_name), &calendar.text);
        }
        let mut found = parts(&message);
        if !multipart && let [(_, _, held)] = found.as_mut_slice() && let Some(text) = held.strip_suffix("\r\n") && *held != expected[0].2 {
            // A mail of one part that is not encoded ends with a line end of its own.
            *held = text.to_owned();
        }
        prop_assert_eq!(found, expected);
    }
}
