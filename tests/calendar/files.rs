//! Writes calendar files, one JSON line for each story of a visit (invitation, change, cancellation, feed) with the facts they
//! were made of: to be read by another program (`check.py`).
//!
//! `cargo run --example calendar_files -- 50 | python3 tests/calendar/check.py`

#![expect(clippy::unwrap_used, reason = "a test program that cannot go on stops")]

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};
use tasuki::notifications::calendars::CalendarMethod;
use tasuki::notifications::ics::{Event, Person, Status, When, feed, invitation, visit_uid};

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    /// A text of up to eight pieces, some as people type them, some as nobody should.
    fn text(&mut self) -> String {
        const PIECES: [&str; 12] = [
            "窓口業務の見直しとオンライン申請の段階的な導入に向けた職員研修",
            "高﨑 太郎",
            "𠮷野 葛\u{E0100}城 神\u{FA19} 〜—①",
            "松野木町役場; 3階, 会議室",
            "\\n \\N \\, \\; \\\\ C:\\new",
            "\"引用\" 'x' ^n ^' ^^",
            "\r\nATTACH:https://evil.example/",
            "\nEND:VEVENT\rBEGIN:VALARM",
            "\u{85}\u{2028}\u{2029}\u{B}\u{C}\u{1C}\t",
            "\u{0}\u{7F}\u{202E}\u{2066}\u{200F}",
            "mailto:a@b;CN=x:y",
            "   ",
        ];
        (0..self.roll(9)).map(|_| PIECES[self.roll(PIECES.len())]).collect()
    }

    fn person(&mut self, address: &str) -> Person {
        Person { name: self.text(), address: address.to_owned() }
    }
}

fn event(dice: &mut Dice, id: i64) -> Event {
    let starts_at =
        DateTime::from_timestamp(1_774_969_200, 0).unwrap() + TimeDelta::minutes(i64::try_from(dice.roll(500_000)).unwrap());
    let day = NaiveDate::from_ymd_opt(2026, 12, 31);
    let when = if dice.roll(3) == 0 { When::of(None, Some(60), day) } else { When::of(Some(starts_at), Some(90), day) };
    Event {
        uid: visit_uid(id, "pref.example.jp"),
        sequence: u32::try_from(dice.roll(9)).unwrap(),
        dtstamp: DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_500),
        when: when.unwrap(),
        summary: format!("派遣{}", dice.text()),
        description: dice.text(),
        location: dice.text(),
        url: Some(format!("https://tasuki.pref.example.jp/visits/{id}")),
        organizer: dice.person("haken@pref.example.jp"),
        attendees: vec![dice.person("joho@town.example.jp"), dice.person("taro@example.jp")],
        status: Status::Confirmed,
        categories: vec![format!("事業{}", dice.text()), "専門家派遣".to_owned()],
    }
}

fn facts(event: &Event) -> Value {
    let (starts, ends) = match event.when {
        When::At { starts_at, ends_at } => (json!(starts_at.timestamp()), json!(ends_at.unwrap().timestamp())),
        When::Day(day) => (json!(day.to_string()), json!((day + TimeDelta::days(1)).to_string())),
    };
    let person = |person: &Person| json!([person.name, person.address]);
    json!({
        "uid": event.uid, "sequence": event.sequence, "starts": starts, "ends": ends, "summary": event.summary,
        "description": event.description, "location": event.location, "url": event.url,
        "organizer": person(&event.organizer), "attendees": event.attendees.iter().map(person).collect::<Vec<_>>(),
        "categories": event.categories,
    })
}

fn main() {
    let count: i64 = std::env::args().nth(1).map_or(50, |count| count.parse().unwrap());
    let mut dice = Dice(7);
    for id in 1..=count {
        let first = event(&mut dice, id);
        let sequence = first.sequence + 1;
        let changed = Event { sequence, uid: first.uid.clone(), ..event(&mut dice, id) };
        let called_off = Event { sequence: sequence + 1, ..changed.clone() };
        let name = format!("予定{}", dice.text());
        let all = [first.clone(), event(&mut dice, count + id)];
        let story = json!({
            "files": [
                {"method": "REQUEST", "status": "CONFIRMED", "text": invitation(&first, CalendarMethod::Request), "events": [facts(&first)]},
                {"method": "REQUEST", "status": "CONFIRMED", "text": invitation(&changed, CalendarMethod::Request), "events": [facts(&changed)]},
                {"method": "CANCEL", "status": "CANCELLED", "text": invitation(&called_off, CalendarMethod::Cancel), "events": [facts(&called_off)]},
                {"method": "PUBLISH", "status": "CONFIRMED", "text": feed(&name, &all, 60), "name": name,
                    "events": all.iter().map(facts).collect::<Vec<_>>()},
            ],
        });
        println!("{story}");
    }
}
