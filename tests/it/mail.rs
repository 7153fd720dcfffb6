//! Mail through a real SMTP server: nothing is lost, nothing is sent twice that can be avoided, nothing goes out
//! unprotected.

use diesel::prelude::*;
use serde_json::json;
use tasuki::auth::policy::Role;
use tasuki::db::schema::users;
use tasuki::jobs::worker::run_due;
use tasuki::notifications::transport::SmtpSecurity;

use crate::on_both_with_relay;
use crate::support::database::{self, Fresh};
use crate::support::relay::{addresses, invite, outbox, relayed, resend};
use crate::support::smtp::{Reaction, ReceivedMail, SmtpSink};
use crate::support::world::{body, member, user};

on_both_with_relay! {
    fn a_refusal_for_now_is_tried_again_by_the_clock(app, sink, coordinator) {
        invite(app, coordinator, "a@example.jp");
        sink.script([Reaction::RefuseRecipient("451 4.7.1 <{to}> greylisted"), Reaction::KeepAndHangUp]);
        app.run_jobs();
        assert!(sink.messages().is_empty());
        let waiting = &outbox(coordinator, "queued")[0];
        assert_eq!((&waiting["attempts"], &waiting["next_attempt_at"]), (&json!(1), &json!("2026-04-06T01:01:00Z")), "{waiting:#}");
        let told = waiting["last_error"].as_str().unwrap();
        assert!(told.contains("451") && !told.contains("a@example.jp"), "{told}");
        app.advance(chrono::Duration::seconds(59));
        app.run_jobs();
        assert_eq!(sink.commands().iter().filter(|line| line.starts_with("RCPT")).count(), 1, "not before its time");
        // The second time the relay takes the mail and hangs up without a word: it is sent once more, as the same mail.
        app.advance(chrono::Duration::seconds(1));
        app.run_jobs();
        assert_eq!(outbox(coordinator, "queued")[0]["next_attempt_at"], "2026-04-06T01:03:00Z", "the wait doubles");
        app.advance(chrono::Duration::minutes(2));
        app.run_jobs();
        let mails = sink.wait_for(2);
        assert_eq!(mails.len(), 2);
        assert_eq!(mails[0].raw, mails[1].raw, "byte for byte, so that the receiver knows it again");
        assert!(mails[0].header("Message-ID").ends_with("@pref.example.jp>"));
        assert_eq!(mails[0].header("Date"), mails[1].header("Date"));
        assert_eq!((outbox(coordinator, "queued").len(), outbox(coordinator, "sent").len()), (0, 1));
        app.advance(chrono::Duration::days(1));
        app.run_jobs();
        assert_eq!(sink.messages().len(), 2, "sent is sent");
    }
}

on_both_with_relay! {
    fn a_mail_refused_for_good_is_parked_and_can_be_tried_again(app, sink, coordinator) {
        let person = invite(app, coordinator, "gone@example.jp");
        invite(app, coordinator, "b@example.jp");
        sink.script([Reaction::RefuseRecipient("550 5.1.1 <{to}> unknown")]);
        app.run_jobs();
        assert_eq!(addresses(&sink.wait_for(1)), ["b@example.jp"], "the others go out");
        let parked = outbox(coordinator, "parked");
        assert_eq!(parked.len(), 1);
        assert_eq!(parked[0]["recipient_address"], "gone@example.jp");
        let told = parked[0]["last_error"].as_str().unwrap();
        assert!(told.contains("550") && !told.contains("gone@"), "{told}");
        let ready = app.anonymous().call("GET", "/readyz").send().ok(200);
        assert_eq!(ready["outbox_parked"], 1);
        assert!(ready.get("outbox_age_seconds").is_none());
        app.advance(chrono::Duration::days(3));
        app.run_jobs();
        assert_eq!(addresses(&sink.wait_for(2)), ["b@example.jp", "coordinator@pref.example.jp"], "never by itself; the office is told");
        // A later mail to the same person does not wait for the parked one.
        resend(coordinator, &person).ok(200);
        app.run_jobs();
        assert_eq!(addresses(&sink.wait_for(3))[2], "gone@example.jp");
        let path = format!("/notifications/{}", parked[0]["id"]);
        let stranger = member(app, "coordinator@ehime.example.jp", "愛媛 四郎", body(app, "380008"), Role::PrefecturalCoordinator);
        assert_eq!(stranger.get(&path).problem(404), "not_found");
        assert_eq!(stranger.post(&format!("{path}/retry"), &json!({})).problem(404), "not_found");
        let again = coordinator.post(&format!("{path}/retry"), &json!({})).ok(200);
        assert_eq!((&again["status"], &again["attempts"]), (&json!("queued"), &json!(0)));
        assert_eq!(coordinator.post(&format!("{path}/retry"), &json!({})).problem(409), "invalid_transition");
        app.run_jobs();
        assert_eq!(sink.wait_for(4).len(), 4);
        assert_eq!(coordinator.get(&path).ok(200)["status"], "sent");
        assert_eq!(coordinator.post(&format!("{path}/retry"), &json!({})).problem(409), "invalid_transition");
    }
}

on_both_with_relay! {
    fn a_relay_that_is_down_for_days_loses_nothing(app, sink, coordinator) {
        sink.set_down(true);
        let people: Vec<String> = (0..5).map(|n| invite(app, coordinator, &format!("p{n}@example.jp"))).collect();
        for hour in 1..=72 {
            app.run_jobs();
            if hour == 24 {
                resend(coordinator, &people[0]).ok(200);
            }
            app.advance(chrono::Duration::hours(1));
        }
        assert!(sink.messages().is_empty());
        assert_eq!((outbox(coordinator, "queued").len(), outbox(coordinator, "parked").len()), (6, 0));
        let ready = app.anonymous().call("GET", "/readyz").send().ok(200);
        assert_eq!(ready["outbox_age_seconds"], 72 * 3600);
        sink.set_down(false);
        // Everything leaves within minutes. What the relay then puts off is not given up because of the days before.
        invite(app, coordinator, "late@example.jp");
        sink.script([Reaction::RefuseContent("451 4.3.0 busy")]);
        app.run_jobs();
        assert_eq!(sink.messages().len(), 5, "all but the first and what waits behind it");
        app.advance(chrono::Duration::minutes(5));
        app.run_jobs();
        let mails = sink.wait_for(7);
        let mut got = addresses(&mails);
        got.sort_unstable();
        assert_eq!(got, ["late@example.jp", "p0@example.jp", "p0@example.jp", "p1@example.jp", "p2@example.jp", "p3@example.jp", "p4@example.jp"]);
        assert_eq!((outbox(coordinator, "queued").len(), outbox(coordinator, "parked").len()), (0, 0));
    }
}

on_both_with_relay! {
    fn mails_to_one_person_keep_their_order(app, sink, coordinator) {
        let person = invite(app, coordinator, "a@example.jp");
        resend(coordinator, &person).ok(200);
        resend(coordinator, &person).ok(200);
        invite(app, coordinator, "b@example.jp");
        sink.script([Reaction::RefuseContent("452 4.3.1 full")]);
        app.run_jobs();
        assert_eq!(addresses(&sink.messages()), ["b@example.jp"], "later mails wait behind the first, other people do not");
        app.advance(chrono::Duration::minutes(1));
        app.run_jobs();
        let mails = sink.wait_for(4);
        assert_eq!(addresses(&mails), ["b@example.jp", "a@example.jp", "a@example.jp", "a@example.jp"]);
        let links: Vec<&str> = mails[1..].iter().map(ReceivedMail::link).collect();
        let last = app.anonymous().post("/auth/invitation/accept", &json!({
            "token": links[2].split_once("token=").unwrap().1, "password": "よく眠る猫は三匹いる、庭の縁側",
        }));
        assert_eq!(last.status, 200, "the newest link came last: {}", last.text());
        let ids: std::collections::BTreeSet<&str> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
        assert_eq!(ids.len(), 4, "each mail has an identifier of its own");
    }
}

on_both_with_relay! {
    fn two_workers_send_each_mail_once(app, sink, coordinator) {
        for n in 0..30 {
            invite(app, coordinator, &format!("p{n}@example.jp"));
        }
        let handled: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = ["one", "two", "three"]
                .map(|name| scope.spawn(move || run_due(&app.app, name).unwrap().mails))
                .into_iter()
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        app.run_jobs();
        assert_eq!(handled, 30);
        let mails = sink.messages();
        let mut got = addresses(&mails);
        got.sort_unstable();
        got.dedup();
        assert_eq!((mails.len(), got.len()), (30, 30));
        assert_eq!(outbox(coordinator, "sent").len(), 30);
    }
}

on_both_with_relay! {
    fn a_worker_that_died_leaves_its_mail_to_the_next(app, sink, coordinator) {
        use tasuki::notifications::delivery_store as store;
        invite(app, coordinator, "a@example.jp");
        let now = app.app.clock.now();
        let until = now.plus(chrono::Duration::minutes(10));
        let claimed = app.app.db.write_blocking(|conn| store::claim(conn, "dead", now, until, 20, None)).unwrap();
        assert_eq!(claimed.len(), 1);
        app.advance(chrono::Duration::minutes(10));
        app.run_jobs();
        assert!(sink.messages().is_empty(), "the lease still runs");
        app.advance(chrono::Duration::seconds(1));
        app.run_jobs();
        assert_eq!(sink.wait_for(1).len(), 1);
        // What the dead worker may have done is in the log of deliveries.
        let mail = &outbox(coordinator, "sent")[0];
        assert_eq!(mail["attempts"], 2);
        let log = coordinator.get(&format!("/notifications/{}/attempts", mail["id"])).ok(200);
        let seen: Vec<_> = log["items"].as_array().unwrap().iter().map(|item| (&item["outcome"], &item["worker"])).collect();
        assert_eq!(seen, [(&json!("sent"), &json!("test-worker")), (&json!("unknown"), &json!("dead"))]);
    }
}

on_both_with_relay! {
    fn a_name_cannot_write_headers(app, sink, coordinator) {
        let (id, _) = user(app, "evil@example.jp", "鈴木", body(app, "221309"), Role::MunicipalStaff);
        // Past the checks of the API, as an old import might have left it.
        app.app
            .db
            .write_blocking(|conn| {
                diesel::update(users::table.find(id)).set(users::name.eq("鈴木\r\nBcc: victim@example.jp\r\n\r\nbody")).execute(conn)?;
                Ok(())
            })
            .unwrap();
        app.anonymous().post("/auth/password-reset", &json!({"email": "evil@example.jp"}));
        app.run_jobs();
        assert!(sink.commands().iter().all(|line| !line.contains("victim")));
        for mail in sink.messages() {
            assert!(mail.headers.iter().all(|(name, value)| !name.eq_ignore_ascii_case("bcc") && !value.contains('\n')), "{:?}", mail.headers);
            assert_eq!(mail.envelope_to, ["evil@example.jp"]);
        }
        // Either it left without harm or it is parked for somebody to look at; it is not tried for ever.
        assert_eq!(sink.messages().len() + outbox(coordinator, "parked").len(), 1);
    }
}

fn without_tls(fresh: Fresh, extensions: &[&'static str]) {
    let sink = SmtpSink::offering(extensions);
    let app =
        relayed(fresh, sink.port(), SmtpSecurity::StartTls, |settings, _| settings.timeout = std::time::Duration::from_secs(2));
    let coordinator =
        member(&app, "coordinator@pref.example.jp", "静岡 花子", body(&app, "220001"), Role::PrefecturalCoordinator);
    invite(&app, &coordinator, "a@example.jp");
    for _ in 0..3 {
        app.run_jobs();
        app.advance(chrono::Duration::hours(6));
    }
    assert!(sink.messages().is_empty());
    assert!(
        !sink.commands().iter().any(|line| line.starts_with("MAIL") || line.starts_with("RCPT") || line.starts_with("AUTH")),
        "{:?}",
        sink.commands()
    );
    let waiting = outbox(&coordinator, "queued");
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0]["last_error"].as_str().unwrap().contains("no session with the relay"), "{waiting:?}");
    assert!(outbox(&coordinator, "parked").is_empty());
}

#[test]
fn no_mail_leaves_without_the_protection_that_is_configured() {
    without_tls(database::sqlite(), &["8BITMIME"]);
    without_tls(database::sqlite(), &["STARTTLS"]);
}

#[test]
fn unprotected_mail_is_told_by_readiness() {
    let sink = SmtpSink::start();
    let app = relayed(database::sqlite(), sink.port(), SmtpSecurity::None, |_, _| {});
    let ready = app.anonymous().call("GET", "/readyz").send().ok(200);
    assert_eq!(ready["status"], "ready");
    // The test server's configuration names no relay; a server with `security = "none"` names it in its warning.
    let mut config = app.app.config.clone();
    config.smtp.host = "relay.pref.example.jp".to_owned();
    config.smtp.port = 25;
    config.smtp.security = tasuki::config::SmtpSecurity::None;
    assert!(config.warnings().iter().any(|warning| warning.contains("relay.pref.example.jp:25")), "{:?}", config.warnings());
}
