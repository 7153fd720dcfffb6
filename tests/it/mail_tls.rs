//! The relay's certificate: a good one is trusted, nothing else gets a password or a mail, and the mail stays queued.

use secrecy::SecretString;
use tasuki::notifications::transport::SmtpSecurity;

use crate::support::certificates::{Authority, self_signed_server};
use crate::support::database;
use crate::support::relay::{coordinator, enqueue, outbox, relayed};
use crate::support::server::TestApp;
use crate::support::smtp::{SmtpSink, Tls};

/// A server that signs in at a relay on 127.0.0.1 and trusts the authority alone.
fn trusting(authority: &Authority, sink: &SmtpSink, security: SmtpSecurity) -> TestApp {
    relayed(database::sqlite(), sink.port(), security, |settings, _| {
        settings.ca_file = Some(authority.file());
        settings.username = Some("relay-user".to_owned());
        settings.password = Some(SecretString::from("correct horse"));
    })
}

#[test]
fn a_relay_with_a_certificate_of_the_own_authority_is_trusted() {
    let authority = Authority::new();
    let server = authority.server("127.0.0.1");
    for (tls, security) in [(Tls::Implicit(server.clone()), SmtpSecurity::Tls), (Tls::Start(server), SmtpSecurity::StartTls)] {
        let sink = SmtpSink::protected(tls);
        let app = trusting(&authority, &sink, security);
        enqueue(&app, [("a@example.jp", "一"), ("b@example.jp", "二")]);
        app.run_jobs();
        assert_eq!(sink.wait_for(2).len(), 2, "{security:?}");
        let commands = sink.commands();
        let first = |verb: &str| commands.iter().position(|line| line.starts_with(verb));
        assert!(first("AUTH") < first("MAIL") && first("AUTH") > first("STARTTLS"), "{security:?}: {commands:?}");
    }
}

#[test]
fn any_other_certificate_is_refused_and_the_mail_stays_queued() {
    let (authority, other) = (Authority::new(), Authority::new());
    for (what, server) in [
        ("expired", authority.expired_server("127.0.0.1")),
        ("of another name", authority.server("relay.example.jp")),
        ("of another address", authority.server("127.0.0.2")),
        ("of another authority", other.server("127.0.0.1")),
        ("self-signed", self_signed_server("127.0.0.1")),
    ] {
        for (tls, security) in
            [(Tls::Implicit(server.clone()), SmtpSecurity::Tls), (Tls::Start(server.clone()), SmtpSecurity::StartTls)]
        {
            let sink = SmtpSink::protected(tls);
            let app = trusting(&authority, &sink, security);
            let coordinator = coordinator(&app);
            enqueue(&app, [("a@example.jp", "一")]);
            for _ in 0..3 {
                app.run_jobs();
                app.advance(chrono::Duration::hours(1));
            }
            assert!(sink.messages().is_empty(), "{what}, {security:?}");
            let leaked = |line: &String| ["AUTH", "MAIL", "RCPT", "DATA"].iter().any(|verb| line.starts_with(verb));
            assert!(!sink.commands().iter().any(leaked), "{what}, {security:?}: {:?}", sink.commands());
            let waiting = outbox(&coordinator, "queued").remove(0);
            let told = waiting["last_error"].as_str().unwrap();
            assert!(told.starts_with("no session with the relay"), "{what}, {security:?}: {told}");
            assert_eq!((&waiting["attempts"], &waiting["permanent"]), (&0.into(), &false.into()), "{what}, {security:?}");
        }
    }
}
