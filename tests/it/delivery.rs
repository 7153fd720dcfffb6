//! What becomes of a mail: its log, who learns of it, what stops it and what it must not stop.

use std::collections::BTreeSet;

use chrono::Duration;
use serde_json::{Value, json};
use tasuki::auth::policy::Role;
use tasuki::clock::UtcTime;
use tasuki::notifications::worker::send_due;

use crate::on_both_with_relay;
use crate::support::client::Client;
use crate::support::relay::{addresses, enqueue, invite, outbox};
use crate::support::server::TestApp;
use crate::support::smtp::{Reaction, ReceivedMail, SmtpSink};
use crate::support::world::{body, member};

fn send(app: &TestApp, worker: &str) -> usize {
    send_due(&app.app, worker, &|| true).unwrap()
}

fn log(coordinator: &Client, message: &Value) -> Vec<Value> {
    coordinator.get(&format!("/notifications/{}/attempts", message["id"])).ok(200)["items"].as_array().unwrap().clone()
}

fn outcomes(coordinator: &Client, message: &Value) -> Vec<String> {
    log(coordinator, message).iter().map(|row| row["outcome"].as_str().unwrap().to_owned()).collect()
}

fn listed(coordinator: &Client, query: &str) -> usize {
    coordinator.get(&format!("/notifications?{query}")).ok(200)["items"].as_array().unwrap().len()
}

/// Subjects in the order in which one person got them.
fn read_by<'a>(mails: &'a [ReceivedMail], address: &str) -> Vec<&'a str> {
    mails.iter().filter(|mail| mail.envelope_to == [address]).map(|mail| mail.header("Subject")).collect()
}

on_both_with_relay! {
    fn a_dead_address_is_marked_until_a_mail_gets_through(app, sink, coordinator) {
        invite(app, coordinator, "gone@example.jp");
        sink.script([Reaction::RefuseRecipient("450 4.2.0 <{to}> busy"), Reaction::RefuseRecipient("550 5.1.1 <{to}> unknown")]);
        app.run_jobs();
        assert_eq!(listed(coordinator, "permanent=true"), 0);
        app.advance(Duration::minutes(1));
        app.run_jobs();
        let parked = outbox(coordinator, "parked").remove(0);
        assert_eq!((&parked["permanent"], &parked["attempts"]), (&json!(true), &json!(2)));
        for (query, found) in [
            ("permanent=true&status=parked", 1),
            ("recipient=gone%40example.jp", 1),
            ("recipient=other%40example.jp", 0),
            ("recipient=gone%40example.jp&permanent=false", 0),
        ] {
            assert_eq!(listed(coordinator, query), found, "{query}");
        }
        let rows = log(coordinator, &parked);
        let told: Vec<_> = rows.iter().map(|row| (row["outcome"].as_str().unwrap(), row["code"].as_i64().unwrap())).collect();
        assert_eq!(told, [("recipient_refused", 550), ("deferred", 450)]);
        assert!(rows.iter().all(|row| row["worker"] == "test-worker" && !row["detail"].as_str().unwrap().contains("gone@")));

        let marked = |client: &Client| client.get("/undeliverable-addresses").ok(200)["items"].as_array().unwrap().clone();
        let mark = marked(coordinator).remove(0);
        assert_eq!((&mark["address"], &mark["code"], &mark["refusals"]), (&json!("gone@example.jp"), &json!(550), &json!(1)));
        assert_eq!((&mark["since"], &mark["last_refused_at"]), (&json!("2026-04-06T01:01:00Z"), &json!("2026-04-06T01:01:00Z")));
        // Whom others write to is their business.
        let stranger = member(app, "coordinator@ehime.example.jp", "愛媛 四郎", body(app, "380008"), Role::PrefecturalCoordinator);
        assert!(marked(&stranger).is_empty());
        let clear = format!("/undeliverable-addresses/{}/clear", mark["id"]);
        assert_eq!(stranger.post(&clear, &json!({})).problem(404), "not_found");
        assert_eq!(stranger.get(&format!("/notifications/{}/attempts", parked["id"])).problem(404), "not_found");

        // Refused once more, it is counted; cleared by hand, it is gone; a mail that gets through clears it too.
        let retry = format!("/notifications/{}/retry", parked["id"]);
        let again = |answer: Option<&'static str>| {
            coordinator.post(&retry, &json!({})).ok(200);
            sink.script(answer.map(Reaction::RefuseRecipient));
            app.run_jobs();
        };
        again(Some("550 5.1.1 unknown"));
        assert_eq!(marked(coordinator)[0]["refusals"], 2);
        coordinator.post(&clear, &json!({})).ok(200);
        assert!(marked(coordinator).is_empty());
        assert_eq!(coordinator.post(&clear, &json!({})).problem(404), "not_found");
        again(Some("550 no such user"));
        assert_eq!(marked(coordinator)[0]["refusals"], 1);
        again(Some("554 5.7.1 relay access denied"));
        assert_eq!(marked(coordinator)[0]["refusals"], 1, "a policy of the relay says nothing about the address");
        assert_eq!(outcomes(coordinator, &parked)[0], "refused");
        again(None);
        assert_eq!(coordinator.get(&format!("/notifications/{}", parked["id"])).ok(200)["permanent"], false);
        assert!(marked(coordinator).is_empty());
    }
}

on_both_with_relay! {
    fn a_mail_can_be_sent_again_as_one_that_says_so(app, sink, coordinator) {
        invite(app, coordinator, "a@example.jp");
        enqueue(app, [("b@example.jp", "【たすき】依頼")]);
        let verb = |message: &Value| format!("/notifications/{}/resend", message["id"]);
        let plain = outbox(coordinator, "queued").remove(0);
        assert_eq!(coordinator.post(&verb(&plain), &json!({})).problem(409), "invalid_transition", "it is on its way");
        app.run_jobs();
        let sent = outbox(coordinator, "sent");
        // The one-time link of the invitation is gone from the record, and a repeat would lead nowhere.
        assert_eq!(coordinator.post(&verb(&sent[1]), &json!({})).problem(409), "link_struck_out");
        for n in 1..=2 {
            let answer = coordinator.post(&verb(&sent[0]), &json!({}));
            let repeat = answer.ok(201);
            assert_eq!(answer.header("location"), Some(format!("/api/v1/notifications/{}", repeat["id"]).as_str()));
            assert_eq!((&repeat["resend_of"], &repeat["status"]), (&plain["id"], &json!("queued")));
            assert_eq!(repeat["subject"], "【再送】【たすき】依頼");
            app.run_jobs();
            let mails = sink.wait_for(2 + n);
            let last = mails.last().unwrap();
            assert_eq!(last.header("Subject"), "【再送】【たすき】依頼");
            assert!(last.text.starts_with("（2026年4月6日に作成したメールの再送です。"), "{}", last.text);
            let ids: BTreeSet<&str> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
            assert_eq!(ids.len(), mails.len(), "a mail of its own each time");
            assert_eq!(last.header("References"), mails[1].header("References"), "in the same thread");
        }
        // A mail that never left still has its link.
        sink.script([Reaction::RefuseContent("554 5.7.1 spam")]);
        invite(app, coordinator, "c@example.jp");
        app.run_jobs();
        let parked = outbox(coordinator, "parked").remove(0);
        coordinator.post(&verb(&parked), &json!({})).ok(201);
        app.run_jobs();
        assert!(sink.wait_for(5)[4].link().contains("token="));
        let stranger = member(app, "coordinator@ehime.example.jp", "愛媛 四郎", body(app, "380008"), Role::PrefecturalCoordinator);
        assert_eq!(stranger.post(&verb(&sent[0]), &json!({})).problem(404), "not_found");
    }
}

/// What arrived, but for what tells the office that a mail did not.
fn beside_the_office(sink: &SmtpSink) -> Vec<ReceivedMail> {
    sink.messages().into_iter().filter(|mail| mail.envelope_to[0] != "coordinator@pref.example.jp").collect()
}

on_both_with_relay! {
    fn a_poison_mail_is_parked_and_stops_nobody(app, sink, coordinator) {
        // One that cannot be composed, one at which the relay always hangs up, and one that kills the relay's filter.
        enqueue(app, [("a@example.jp", "改\n行"), ("b@example.jp", "落ちる"), ("c@example.jp", "止まる"), ("d@example.jp", "届く")]);
        sink.script([Reaction::HangUpAtRecipient, Reaction::RefuseContent("421 4.3.0 filter died")]);
        app.run_jobs();
        assert_eq!(addresses(&sink.messages()), [""; 0], "a 421 stops everything for a moment");
        app.advance(Duration::seconds(59));
        app.run_jobs();
        assert_eq!(sink.messages().len(), 0);
        app.advance(Duration::hours(1));
        // The one that has not been tried yet goes first.
        app.run_jobs();
        assert_eq!(sink.wait_for(3)[0].envelope_to, ["d@example.jp"]);
        let parked = outbox(coordinator, "parked").remove(0);
        assert_eq!((&parked["recipient_address"], &parked["permanent"]), (&json!("a@example.jp"), &json!(true)));
        assert_eq!(outcomes(coordinator, &parked), ["unbuildable"]);

        enqueue(app, [("e@example.jp", "毒"), ("f@example.jp", "薬")]);
        for attempt in 1..=20 {
            sink.script([Reaction::RefuseContent("421 4.3.0 filter died")]);
            app.run_jobs();
            app.advance(Duration::hours(7));
            if attempt == 2 {
                assert_eq!(beside_the_office(sink).len(), 3, "each of both has met the filter");
            }
        }
        assert_eq!(addresses(&beside_the_office(sink))[3..], [""; 0]);
        let waits: Vec<Value> =
            outbox(coordinator, "queued").into_iter().filter(|mail| mail["event"] != "mail.undeliverable").collect();
        assert!(waits.iter().all(|mail| mail["attempts"] == 10), "they take turns, none is given up before its time: {waits:#?}");
        for _ in 1..=10 {
            sink.script([Reaction::HangUpAtRecipient, Reaction::HangUpAtRecipient]);
            app.run_jobs();
            app.advance(Duration::hours(7));
        }
        let parked = outbox(coordinator, "parked");
        assert_eq!(parked.len(), 3);
        assert_eq!((&parked[0]["permanent"], &parked[0]["attempts"]), (&json!(false), &json!(20)));
    }
}

on_both_with_relay! {
    fn a_421_stops_all_mail_until_the_pause_is_over(app, sink, coordinator) {
        enqueue(app, [("a@example.jp", "一"), ("b@example.jp", "二"), ("c@example.jp", "三")]);
        sink.script([Reaction::RefuseRecipient("421 4.3.2 shutting down")]);
        app.run_jobs();
        app.advance(Duration::seconds(59));
        app.run_jobs();
        assert_eq!((sink.sessions(), sink.messages().len()), (1, 0), "nobody knocks while it waits");
        app.advance(Duration::seconds(1));
        app.run_jobs();
        assert_eq!(sink.wait_for(3).len(), 3);
        // What the relay says of our sender it says of every mail: none is given up for it.
        enqueue(app, [("a@example.jp", "四"), ("b@example.jp", "五")]);
        sink.script([Reaction::RefuseSender("553 5.7.1 not your address")]);
        app.run_jobs();
        assert_eq!((outbox(coordinator, "queued").len(), outbox(coordinator, "parked").len()), (2, 0));
        assert!(outbox(coordinator, "queued").iter().all(|mail| mail["attempts"] == 0));
        app.advance(Duration::minutes(1));
        app.run_jobs();
        assert_eq!(sink.wait_for(5).len(), 5);
    }
}

on_both_with_relay! {
    fn a_relay_that_ends_a_used_session_is_asked_for_another(app, sink, coordinator) {
        enqueue(app, [("a@example.jp", "一"), ("b@example.jp", "二"), ("c@example.jp", "三")]);
        sink.script([Reaction::Accept, Reaction::RefuseSender("421 4.4.2 that was enough")]);
        app.run_jobs();
        assert_eq!((sink.sessions(), sink.wait_for(3).len()), (2, 3), "no reason to wait");
        assert!(outbox(coordinator, "queued").is_empty());
    }
}

on_both_with_relay! {
    fn a_connection_that_breaks_in_the_content_leaves_the_outcome_open(app, sink, coordinator) {
        enqueue(app, [("a@example.jp", "一")]);
        sink.script([Reaction::HangUpInContent, Reaction::RefuseData("451 4.3.0 later")]);
        for minutes in [0, 1, 2] {
            app.advance(Duration::minutes(minutes));
            app.run_jobs();
        }
        assert_eq!(sink.wait_for(1).len(), 1);
        assert_eq!(outcomes(coordinator, &outbox(coordinator, "sent")[0]), ["sent", "deferred", "unknown"]);
    }
}

on_both_with_relay! {
    |settings, _| {
        settings.max_per_connection = 2;
        settings.bounce_address = Some("bounces@pref.example.jp".to_owned());
    },
    fn a_provider_gets_as_many_mails_per_connection_as_it_bears(app, sink, coordinator) {
        let people: Vec<String> = (0..5).map(|n| format!("p{n}@example.jp")).collect();
        enqueue(app, people.iter().map(|to| (to.as_str(), "通知")));
        app.run_jobs();
        let mails = sink.wait_for(5);
        assert_eq!((mails.len(), sink.sessions()), (5, 3));
        assert!(mails.iter().all(|mail| mail.envelope_from == "bounces@pref.example.jp"), "where bounces go");
        assert!(mails.iter().all(|mail| mail.header("From").contains("tasuki@pref.example.jp")));
        assert!(outbox(coordinator, "queued").is_empty());
    }
}

on_both_with_relay! {
    |_, config| config.smtp.max_per_minute = 60,
    fn a_provider_gets_as_many_mails_per_minute_as_it_bears(app, sink, _coordinator) {
        let people: Vec<String> = (0..150).map(|n| format!("p{n}@example.jp")).collect();
        enqueue(app, people.iter().map(|to| (to.as_str(), "通知")));
        let mut sent: Vec<(UtcTime, usize)> = Vec::new();
        while sent.iter().map(|(_, count)| count).sum::<usize>() < 150 {
            // Two processes: what they send together counts.
            sent.push((app.app.clock.now(), send(app, "one") + send(app, "two")));
            app.advance(Duration::seconds(5));
        }
        for (position, (from, _)) in sent.iter().enumerate() {
            let end = from.plus(Duration::minutes(1));
            let within: usize = sent[position..].iter().filter(|(at, _)| *at < end).map(|(_, count)| count).sum();
            assert!(within <= 60, "{within} in the minute from {from}");
        }
        assert!(sent.len() <= 40, "nearly the whole limit is used: {sent:?}");
        assert_eq!(sink.messages().len(), 150);
    }
}

on_both_with_relay! {
    |_, config| config.worker.mail_connections = 3,
    fn several_mails_are_under_way_at_once_but_one_for_each_person(app, sink, coordinator) {
        enqueue(app, [("a@example.jp", "一"), ("a@example.jp", "二"), ("b@example.jp", "一"), ("c@example.jp", "一")]);
        sink.script([Reaction::Hold, Reaction::Hold, Reaction::Hold]);
        std::thread::scope(|scope| {
            let sending = scope.spawn(|| send(app, "one"));
            sink.wait_for_held(3);
            assert_eq!(outbox(coordinator, "sending").len(), 3);
            assert_eq!(outbox(coordinator, "queued")[0]["subject"], "二", "it waits for the first");
            sink.release();
            assert_eq!(sending.join().unwrap(), 4);
        });
        assert_eq!(sink.sessions(), 3);
        assert_eq!(read_by(&sink.messages(), "a@example.jp"), ["一", "二"]);
    }
}

on_both_with_relay! {
    |_, config| config.worker.mail_connections = 3,
    fn a_relay_that_bears_one_connection_still_gets_everything(app, sink, coordinator) {
        let people: Vec<String> = (0..20).map(|n| format!("p{n}@example.jp")).collect();
        enqueue(app, people.iter().map(|to| (to.as_str(), "通知")));
        sink.bear(1);
        assert_eq!(send(app, "one"), 20);
        assert_eq!(sink.wait_for(20).len(), 20);
        assert_eq!(listed(coordinator, "status=sent"), 20);
    }
}

on_both_with_relay! {
    |_, config| config.worker.mail_connections = 2,
    fn several_workers_send_each_mail_once_and_in_order(app, sink, coordinator) {
        let people: Vec<String> = (0..15).map(|n| format!("p{n}@example.jp")).collect();
        let subjects: Vec<String> = (0..10).map(|n| format!("第{n}報")).collect();
        let mails: Vec<(&str, &str)> =
            subjects.iter().flat_map(|subject| people.iter().map(move |to| (to.as_str(), subject.as_str()))).collect();
        enqueue(app, mails);
        let handled: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = ["one", "two", "three"].map(|name| scope.spawn(move || send(app, name))).into_iter().collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        assert_eq!(handled + send(app, "last"), 150);
        let mails = sink.messages();
        assert_eq!(mails.len(), 150);
        for person in &people {
            assert_eq!(read_by(&mails, person), subjects, "{person}");
        }
        assert!(outbox(coordinator, "queued").is_empty());
    }
}

on_both_with_relay! {
    |_, config| config.worker.mail_connections = 2,
    fn a_relay_that_is_down_for_a_day_loses_nothing_and_drains_afterwards(app, sink, coordinator) {
        let people: Vec<String> = (0..40).map(|n| format!("p{n}@example.jp")).collect();
        let subjects: Vec<String> = (0..5).map(|n| format!("第{n}報")).collect();
        sink.set_down(true);
        for step in 0..288 {
            // New mails come in all day.
            if step % 60 == 0 {
                let subject = subjects[step / 60].as_str();
                enqueue(app, people.iter().map(|to| (to.as_str(), subject)).collect::<Vec<_>>());
            }
            assert_eq!(send(app, "one"), 0);
            app.advance(Duration::minutes(5));
        }
        assert_eq!((send(app, "one"), sink.messages().len()), (0, 0));
        assert_eq!(listed(coordinator, "status=queued&limit=200"), 200);
        assert!(outbox(coordinator, "queued").iter().all(|mail| mail["attempts"] == 0), "no attempt of theirs");
        let ready = app.anonymous().call("GET", "/readyz").send().ok(200);
        assert_eq!(ready["outbox_age_seconds"], 24 * 3600);
        assert!(ready["outbox_paused_until"].is_string(), "{ready}");
        sink.set_down(false);
        assert_eq!(send(app, "one"), 0, "nobody knocks before the pause is over");
        app.advance(Duration::minutes(5));
        assert_eq!(send(app, "one"), 200, "then everything leaves at once");
        let mails = sink.messages();
        for person in &people {
            assert_eq!(read_by(&mails, person), subjects, "{person}");
        }
        let ready = app.anonymous().call("GET", "/readyz").send().ok(200);
        assert!(ready.get("outbox_paused_until").is_none() && ready.get("outbox_age_seconds").is_none(), "{ready}");
    }
}
