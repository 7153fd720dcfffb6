//! Calendar files, read back by rules written down here a second time.

use chrono::TimeZone as _;
use proptest::prelude::*;

use super::*;

fn visit() -> Event {
    let starts_at = Utc.with_ymd_and_hms(2026, 4, 21, 1, 0, 0).unwrap();
    Event {
        uid: visit_uid(12, "pref.example.jp"),
        sequence: 3,
        dtstamp: Utc.with_ymd_and_hms(2026, 4, 1, 0, 30, 15).unwrap(),
        when: When::of(Some(starts_at), Some(240), None).unwrap(),
        summary: "専門家派遣：松野木町（窓口業務の見直しとオンライン申請）".to_owned(),
        description: "番号：R8-0012\n専門家：高﨑 太郎".to_owned(),
        location: "松野木町役場; 3階, 会議室".to_owned(),
        url: Some("https://tasuki.pref.example.jp/dispatches/7".to_owned()),
        organizer: Person {
            name: "伊予県 \"デジタル\" 戦略課".to_owned(), address: "haken@pref.example.jp".to_owned()
        },
        attendees: vec![Person { name: String::new(), address: "joho@town.example.jp".to_owned() }],
        status: Status::Confirmed,
        categories: vec!["専門家派遣".to_owned(), "a,b".to_owned()],
    }
}

/// Unfolded lines; checks on the way that the file is made of lines of at most 75 octets, each valid by itself.
fn lines(file: &str) -> Vec<String> {
    let body = file.strip_suffix("\r\n").unwrap();
    let mut unfolded: Vec<String> = Vec::new();
    for line in body.split("\r\n") {
        assert!(line.len() <= 75, "{} octets: {line}", line.len());
        assert!(!line.contains(['\r', '\n']), "{line:?}");
        match line.strip_prefix(' ') {
            Some(rest) => unfolded.last_mut().unwrap().push_str(rest),
            None => unfolded.push(line.to_owned()),
        }
    }
    unfolded
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next().unwrap() {
                'n' => out.push('\n'),
                c @ ('\\' | ';' | ',') => out.push(c),
                other => panic!("\\{other}"),
            },
            ';' | ',' => panic!("{c} bare in {text}"),
            c => out.push(c),
        }
    }
    out
}

fn caret_decoded(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '^' => out.push(if chars.next().unwrap() == '^' { '^' } else { '"' }),
            c => out.push(c),
        }
    }
    out
}

/// The value of the one line of that name (parameters included in the name).
fn value<'a>(lines: &'a [String], name: &str) -> &'a str {
    let found: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':')).collect();
    assert_eq!(found.len(), 1, "{name} once in {lines:#?}");
    found[0]
}

#[test]
fn an_invitation_as_the_calendar_gets_it() {
    let expected = "\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Tasuki//Tasuki//JA
CALSCALE:GREGORIAN
METHOD:REQUEST
BEGIN:VEVENT
UID:visit-12@pref.example.jp
SEQUENCE:3
DTSTAMP:20260401T003015Z
DTSTART:20260421T010000Z
DTEND:20260421T050000Z
SUMMARY:専門家派遣：松野木町（窓口業務の見直しとオン
 ライン申請）
DESCRIPTION:番号：R8-0012\\n専門家：高﨑 太郎
LOCATION:松野木町役場\\; 3階\\, 会議室
URL:https://tasuki.pref.example.jp/dispatches/7
CATEGORIES:専門家派遣,a\\,b
STATUS:CONFIRMED
ORGANIZER;CN=\"伊予県 ^'デジタル^' 戦略課\":mailto:haken@pref.examp
 le.jp
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=
 FALSE:mailto:joho@town.example.jp
END:VEVENT
END:VCALENDAR
";
    assert_eq!(invitation(&visit(), CalendarMethod::Request), expected.replace('\n', "\r\n"));
}

#[test]
fn a_cancellation_names_the_same_entry_and_calls_it_off() {
    let request = lines(&invitation(&visit(), CalendarMethod::Request));
    let cancel = lines(&invitation(&Event { sequence: 4, ..visit() }, CalendarMethod::Cancel));
    assert_eq!(value(&cancel, "UID"), value(&request, "UID"));
    assert_eq!((value(&cancel, "METHOD"), value(&cancel, "STATUS"), value(&cancel, "SEQUENCE")), ("CANCEL", "CANCELLED", "4"));
}

#[test]
fn a_visit_without_an_hour_takes_its_day_and_one_without_a_day_makes_no_event() {
    let day = NaiveDate::from_ymd_opt(2026, 12, 31).unwrap();
    assert_eq!(When::of(None, Some(90), None), None);
    let file =
        lines(&invitation(&Event { when: When::of(None, Some(90), Some(day)).unwrap(), ..visit() }, CalendarMethod::Request));
    assert_eq!((value(&file, "DTSTART;VALUE=DATE"), value(&file, "DTEND;VALUE=DATE")), ("20261231", "20270101"));
    // An end that is not later than the beginning may not stand in a file.
    let starts_at = Utc.with_ymd_and_hms(2026, 4, 21, 1, 0, 0).unwrap();
    for ends_at in [None, Some(starts_at), Some(starts_at + TimeDelta::milliseconds(400)), Some(starts_at - TimeDelta::hours(1))]
    {
        let file = invitation(&Event { when: When::At { starts_at, ends_at }, ..visit() }, CalendarMethod::Request);
        assert!(file.contains("DTSTART:20260421T010000Z\r\n") && !file.contains("DTEND"), "{ends_at:?}");
    }
}

#[test]
fn a_feed_has_a_name_an_interval_and_names_nobody_who_attends() {
    let other = Event { uid: visit_uid(13, "pref.example.jp"), ..visit() };
    let file = lines(&feed("伊予県, 派遣\r\nの予定", &[visit(), other], 60));
    assert_eq!(value(&file, "METHOD"), "PUBLISH");
    assert_eq!(unescaped(value(&file, "X-WR-CALNAME")), "伊予県, 派遣 の予定");
    assert_eq!((value(&file, "REFRESH-INTERVAL;VALUE=DURATION"), value(&file, "X-PUBLISHED-TTL")), ("PT60M", "PT60M"));
    assert_eq!(file.iter().filter(|line| *line == "BEGIN:VEVENT").count(), 2);
    assert!(!file.iter().any(|line| line.starts_with("ATTENDEE")));
    assert!(feed("", &[], 0).contains("X-PUBLISHED-TTL:PT1M\r\n"));
}

#[test]
fn a_uid_depends_on_visit_and_domain_only() {
    assert_eq!(visit_uid(12, "Pref.Example.JP"), "visit-12@pref.example.jp");
    assert_eq!(visit_uid(12, "県\r\nX:y"), "visit-12@xy");
    assert_eq!(visit_uid(-1, "."), "visit--1@localhost");
}

#[test]
fn what_is_no_web_address_is_left_out() {
    for url in ["javascript:alert(1)", "", "file:///etc/passwd", "\r\nhttps://evil.example/"] {
        let file = lines(&invitation(&Event { url: Some(url.to_owned()), ..visit() }, CalendarMethod::Request));
        let urls: Vec<_> = file.iter().filter(|line| line.starts_with("URL")).collect();
        assert!(urls.is_empty() || urls == ["URL:https://evil.example/"], "{urls:?}");
    }
    let file =
        lines(&invitation(&Event { url: Some("https://x.jp/あ\r\n?a=1\"b".to_owned()), ..visit() }, CalendarMethod::Request));
    assert_eq!(value(&file, "URL"), "https://x.jp/%E3%81%82?a=1%22b");
}

#[test]
fn times_that_the_form_cannot_express_end_at_its_bounds() {
    let event = Event {
        dtstamp: DateTime::<Utc>::MIN_UTC,
        when: When::At { starts_at: DateTime::<Utc>::MAX_UTC, ends_at: Some(DateTime::<Utc>::MAX_UTC) },
        ..visit()
    };
    let file = lines(&invitation(&event, CalendarMethod::Request));
    assert_eq!(value(&file, "DTSTAMP"), "00010101T000000Z");
    let file = lines(&invitation(&Event { when: When::Day(NaiveDate::MAX), ..visit() }, CalendarMethod::Request));
    assert_eq!(value(&file, "DTSTART;VALUE=DATE"), "99991231");
}

/// Texts as bad as they come: characters with a meaning, breaks, marks, kanji, and whatever else there is.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\nATTACH:https://evil.example/".to_owned()),
        Just("\nEND:VEVENT\r".to_owned()),
        Just("\\n\\,;,:\"^^'^n".to_owned()),
        Just("\u{85}\u{2028}\u{202E}\u{0}\u{7F}\t ".to_owned()),
        Just("窓口業務の見直しとオンライン申請の段階的な導入に向けた職員研修".to_owned()),
        Just("𠮷野 葛\u{E0100}城".to_owned()),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Every text comes back, cleaned, from exactly the line it belongs to; and there is no other line.
    #[test]
    fn whatever_people_type_stays_in_its_line(texts in prop::array::uniform7(nasty()), address in nasty(), sequence in any::<u32>(),
            seconds in any::<i64>(), minutes in any::<Option<u32>>()) {
        let [uid, summary, description, location, url, name, category] = texts;
        let start = DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let event = Event {
            uid, sequence, dtstamp: start, when: When::of(Some(start), minutes, None).unwrap(), summary, description, location,
            url: Some(format!("https://{url}")),
            organizer: Person { name: name.clone(), address: format!("a{address}") },
            attendees: vec![Person { name, address }],
            status: Status::Tentative,
            categories: vec![category.clone(), category],
        };
        let cleaned = |text: &str| {
            let kept = |c: char| !(c.is_control() || ('\u{2028}'..='\u{202E}').contains(&c)
                || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2066}'..='\u{2069}'));
            let broken = text.replace("\r\n", "\n").replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
            broken.chars().filter(|&c| c == '\n' || c == '\t' || kept(c)).collect::<String>().trim().to_owned()
        };
        let on_one_line = |text: &str| cleaned(text).replace(['\n', '\t'], " ").trim().to_owned();
        for file in [invitation(&event, CalendarMethod::Request), feed(&event.summary, std::slice::from_ref(&event), 5)] {
            let is_feed = file.contains("PUBLISH");
            let lines = lines(&file);
            prop_assert_eq!(unescaped(value(&lines, "UID")), on_one_line(&event.uid));
            prop_assert_eq!(unescaped(value(&lines, "SUMMARY")), on_one_line(&event.summary));
            for (name, text) in [("DESCRIPTION", cleaned(&event.description)), ("LOCATION", on_one_line(&event.location))] {
                let found: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':')).collect();
                prop_assert_eq!(found.len(), usize::from(!text.is_empty()));
                prop_assert_eq!(found.first().map(|found| unescaped(found)).unwrap_or_default(), text);
            }
            let known = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:", "CALSCALE:GREGORIAN", "METHOD:", "BEGIN:VEVENT", "UID:",
                "SEQUENCE:", "DTSTAMP:", "DTSTART:", "DTEND:", "SUMMARY:", "DESCRIPTION:", "LOCATION:", "URL:https://", "CATEGORIES:",
                "STATUS:TENTATIVE", "ORGANIZER", "ATTENDEE", "END:VEVENT", "END:VCALENDAR"];
            let of_feeds = ["NAME:", "X-WR-CALNAME:", "REFRESH-INTERVAL;", "X-PUBLISHED-TTL:"];
            let names = known.into_iter().filter(|name| !(is_feed && *name == "ATTENDEE"));
            let names: Vec<_> = names.chain(of_feeds.into_iter().filter(|_| is_feed)).collect();
            for line in &lines {
                prop_assert_eq!(names.iter().filter(|name| line.starts_with(*name)).count(), 1, "{}", line);
            }
            for line in lines.iter().filter(|line| line.starts_with("ORGANIZER") || line.starts_with("ATTENDEE")) {
                let (head, address) = line.rsplit_once(":mailto:").unwrap();
                prop_assert!(address.bytes().all(|b| b.is_ascii_graphic() && !b"\",:;<>\\".contains(&b)), "{}", address);
                let name = head.split_once("CN=\"").map(|(_, rest)| rest.split_once('"').unwrap().0).unwrap_or_default();
                prop_assert_eq!(caret_decoded(name), on_one_line(&event.organizer.name));
                let parameters = head.replacen(&format!(";CN=\"{name}\""), "", 1);
                prop_assert!(["ORGANIZER", "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=FALSE"]
                    .contains(&parameters.as_str()), "{}", parameters);
            }
        }
    }
}
