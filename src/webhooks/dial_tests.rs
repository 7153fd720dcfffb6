//! Against real sockets on loopback. Nothing here leaves the machine: where a test needs an address that may be dialled,
//! `127.0.0.2` is allow-listed and stands for the internet, while `127.0.0.1` is as forbidden as ever.

use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;

use receiver::{NAME, Receiver, Reply, Request, Script, Trap, answer, authority};

use super::super::lookup::LookupProblem;
use super::super::ranges::{AllowList, Range};
use super::super::sign::{MessageId, Secret, sign};
use super::*;

#[path = "../../tests/it/support/receiver.rs"]
mod receiver;

/// A DNS that says what the test wants and counts how often it was asked.
#[derive(Debug)]
struct Dns(Mutex<(Script, usize)>);

impl Dns {
    fn saying(answers: &[&str]) -> Arc<Self> {
        Arc::new(Self(Mutex::new((Script::new(answers), 0))))
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

impl Lookup for Dns {
    fn addresses(&self, _: &str, _: Duration) -> Result<Vec<IpAddr>, LookupProblem> {
        let mut state = self.0.lock().unwrap();
        state.1 += 1;
        let addresses = state.0.next();
        if addresses.is_empty() { Err(LookupProblem::NotFound) } else { Ok(addresses) }
    }
}

fn settings(port: u16) -> DialSettings {
    let rules = TargetRules { allow: AllowList::parse(&["127.0.0.2"]).unwrap(), http_inside: true, ports: vec![port] };
    DialSettings { rules, timeout: Duration::from_secs(20), user_agent: "Test".to_owned(), ca_file: None, proxy: None }
}

/// Settings that trust the receiver's certificate.
fn trusting(port: u16) -> (tempfile::TempDir, DialSettings) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    std::fs::write(&path, &authority().pem).unwrap();
    (directory, DialSettings { ca_file: Some(path), ..settings(port) })
}

fn post(dialler: &Dialler, url: &str) -> Result<Answer, DialFailure> {
    let rules = TargetRules { ports: dialler.gate.rules.ports.clone(), ..settings(0).rules };
    let target = Target::parse(url, &rules).unwrap();
    let headers = sign(&MessageId::parse("msg_1").unwrap(), 1_700_000_000, BODY, &[Secret::from_bytes(vec![7; 32]).unwrap()]);
    dialler.post(&target, &headers.unwrap(), BODY)
}

const BODY: &[u8] = br#"{"type":"ping","timestamp":"2026-01-05T12:00:00Z","data":{}}"#;

/// One attempt over plain http at a receiver that treats the connection as told.
fn one(reply: Reply, timeout: Duration) -> (Result<Answer, DialFailure>, Receiver) {
    let receiver = Receiver::start("127.0.0.2", false, vec![reply]);
    let settings = DialSettings { timeout, ..settings(receiver.address.port()) };
    let dialler = Dialler::new(&settings, Dns::saying(&[""])).unwrap();
    (post(&dialler, &receiver.url("http", "127.0.0.2")), receiver)
}

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);

fn refused(range: Range) -> Result<Answer, DialFailure> {
    Err(DialFailure::Refused(Refusal::Address(range)))
}

#[test]
fn a_delivery_arrives_over_https_with_its_signature_and_its_bytes() {
    let receiver = Receiver::start("127.0.0.2", true, vec![answer(204, "")]);
    let (_directory, settings) = trusting(receiver.address.port());
    let dialler = Dialler::new(&settings, Dns::saying(&["127.0.0.2"])).unwrap();
    assert!(dialler.authorities() >= 1);
    let got = post(&dialler, &receiver.url("https", NAME)).unwrap();
    assert_eq!(got, Answer { status: 204, retry_after: None, body: BodySeen::Empty });
    let request = receiver.inbox.recv().unwrap();
    assert_eq!(request.line, "POST /in?key=1 HTTP/1.1\r\n");
    assert_eq!(request.body, BODY);
    let host = format!("{NAME}:{}", receiver.address.port());
    for (name, value) in [
        ("host", host.as_str()),
        ("content-type", "application/json"),
        ("user-agent", "Test"),
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1700000000"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert!(request.header("webhook-signature").unwrap().starts_with("v1,"));
}

#[test]
fn an_ip_address_as_host_works_too_and_asks_no_dns() {
    let receiver = Receiver::start("127.0.0.2", true, vec![answer(200, "")]);
    let (_directory, settings) = trusting(receiver.address.port());
    let dns = Dns::saying(&["127.0.0.1"]);
    let dialler = Dialler::new(&settings, Arc::clone(&dns) as Arc<dyn Lookup>).unwrap();
    assert_eq!(post(&dialler, &receiver.url("https", "127.0.0.2")).unwrap().status, 200);
    assert_eq!(dns.asked(), 0);
}

#[test]
fn a_certificate_that_is_unknown_or_for_another_name_is_no_connection() {
    let receiver = Receiver::start("127.0.0.2", true, vec![answer(200, ""), answer(200, "")]);
    let stranger = Dialler::new(&settings(receiver.address.port()), Dns::saying(&["127.0.0.2"])).unwrap();
    assert_eq!(post(&stranger, &receiver.url("https", NAME)), Err(DialFailure::Tls));
    let (_directory, settings) = trusting(receiver.address.port());
    let dialler = Dialler::new(&settings, Dns::saying(&["127.0.0.2"])).unwrap();
    assert_eq!(post(&dialler, &receiver.url("https", "other.example.jp")), Err(DialFailure::Tls));
    assert!(receiver.inbox.recv().is_err(), "no request was sent");
}

/// A receiver on 127.0.0.2 and a trap on the same port of 127.0.0.1.
fn receiver_and_trap(replies: Vec<Reply>) -> (Receiver, Trap) {
    loop {
        let receiver = Receiver::start("127.0.0.2", false, replies.clone());
        let address = SocketAddr::from(([127, 0, 0, 1], receiver.address.port()));
        if let Ok(trap) = Trap::at(address) {
            return (receiver, trap);
        }
    }
}

#[test]
fn a_name_that_flips_to_a_forbidden_address_is_never_dialled_there() {
    let (receiver, trap) = receiver_and_trap(vec![answer(200, "")]);
    let dns = Dns::saying(&["127.0.0.2", "127.0.0.1"]);
    let dialler = Dialler::new(&settings(receiver.address.port()), Arc::clone(&dns) as Arc<dyn Lookup>).unwrap();
    let url = receiver.url("http", NAME);
    assert_eq!(post(&dialler, &url).unwrap().status, 200);
    assert_eq!(dns.asked(), 1, "one answer is both checked and dialled: there is no second one to flip to");
    for _ in 0..3 {
        assert_eq!(post(&dialler, &url), refused(Range::Loopback));
    }
    assert!(trap.is_untouched());
}

#[test]
fn one_forbidden_address_among_good_ones_refuses_the_host() {
    let trap = Trap::set();
    for (answers, range) in [
        ("127.0.0.1", Range::Loopback),
        ("::1", Range::Loopback),
        ("::ffff:127.0.0.1", Range::Loopback),
        ("0.0.0.0", Range::Unspecified),
        ("127.0.0.2 127.0.0.1", Range::Loopback),
        ("127.0.0.2 169.254.169.254", Range::LinkLocal),
        ("64:ff9b::7f00:1", Range::Embedded),
    ] {
        let dialler = Dialler::new(&settings(trap.port()), Dns::saying(&[answers])).unwrap();
        assert_eq!(post(&dialler, &format!("https://{NAME}:{}/", trap.port())), refused(range), "{answers}");
    }
    assert!(trap.is_untouched());
}

#[test]
fn a_redirect_is_an_answer_and_is_never_followed() {
    let trap = Trap::set();
    for (status, location) in [
        (302, "http://169.254.169.254/latest/meta-data/".to_owned()),
        (301, format!("http://127.0.0.1:{}/", trap.port())),
        (307, format!("http://127.0.0.1:{}/", trap.port())),
        (308, format!("//127.0.0.1:{}/", trap.port())),
        (303, "::not a place::".to_owned()),
    ] {
        let (got, receiver) = one(answer(status, &format!("Location: {location}\r\n")), LONG);
        assert_eq!(got.unwrap().status, status);
        assert_eq!(receiver.inbox.recv().unwrap().body, BODY);
    }
    assert!(trap.is_untouched());
}

#[test]
fn plain_http_stays_inside_and_needs_the_operators_word() {
    let (receiver, trap) = receiver_and_trap(vec![answer(200, "")]);
    let mut settings = settings(receiver.address.port());
    settings.rules.http_inside = false;
    let url = receiver.url("http", NAME);
    let dialler = Dialler::new(&settings, Dns::saying(&["127.0.0.2"])).unwrap();
    assert_eq!(post(&dialler, &url), Err(DialFailure::Refused(Refusal::PlainHttp)));
    settings.rules.http_inside = true;
    let outside = Dialler::new(&settings, Dns::saying(&["127.0.0.2 8.8.8.8"])).unwrap();
    assert_eq!(post(&outside, &url), Err(DialFailure::Refused(Refusal::PlainHttp)), "one address outside is enough");
    let dialler = Dialler::new(&settings, Dns::saying(&["127.0.0.2"])).unwrap();
    assert_eq!(post(&dialler, &url).unwrap().status, 200);
    assert!(trap.is_untouched());
}

#[test]
fn a_port_that_is_no_longer_allowed_is_not_dialled() {
    let trap = Trap::set();
    let target = Target::parse(&format!("http://127.0.0.2:{}/", trap.port()), &settings(trap.port()).rules).unwrap();
    let dialler = Dialler::new(&settings(443), Dns::saying(&[""])).unwrap();
    let headers = sign(&MessageId::generate().unwrap(), 0, b"", &[Secret::generate().unwrap()]).unwrap();
    assert_eq!(dialler.post(&target, &headers, b""), Err(DialFailure::Refused(Refusal::Port)));
    assert!(trap.is_untouched());
}

#[test]
fn what_the_receiver_says_is_handed_on_and_nothing_more() {
    for (reply, status, retry_after, body) in [
        (answer(410, ""), 410, None, BodySeen::Empty),
        (answer(429, "Retry-After: 120\r\n"), 429, Some("120"), BodySeen::Empty),
        (answer(503, &format!("Retry-After: {}\r\n", "9".repeat(65))), 503, None, BodySeen::Empty),
        (answer(500, "Retry-After: \u{e9}\r\n"), 500, None, BodySeen::Empty),
        (Reply::Bytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".to_owned()), 200, None, BodySeen::Whole),
        (Reply::Bytes("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello".to_owned()), 200, None, BodySeen::Cut),
        (Reply::Bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned()), 200, None, BodySeen::Cut),
        (Reply::Bytes("HTTP/1.0 200 OK\r\n\r\nuntil the end".to_owned()), 200, None, BodySeen::Whole),
        (
            Reply::Bytes("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n".to_owned()),
            201,
            None,
            BodySeen::Empty,
        ),
    ] {
        let (got, _receiver) = one(reply.clone(), LONG);
        let want = Answer { status, retry_after: retry_after.map(str::to_owned), body };
        assert_eq!(got, Ok(want), "{reply:?}");
    }
}

#[test]
fn a_huge_body_is_left_where_it_is() {
    let (got, receiver) = one(Reply::Endless, LONG);
    assert_eq!(got, Ok(Answer { status: 200, retry_after: None, body: BodySeen::Cut }));
    let sent = receiver.inbox.recv().unwrap().sent;
    assert!(sent < 64 << 20, "the receiver could push {sent} bytes of 1 GiB, mostly into the buffers of the system");
}

#[test]
fn a_silent_receiver_ends_in_a_time_out() {
    assert_eq!(one(Reply::Silent, SHORT).0, Err(DialFailure::Timeout));
    let late = one(Reply::SilentBody, SHORT).0;
    assert_eq!(late.map(|answer| (answer.status, answer.body)), Ok((200, BodySeen::Cut)), "its answer was there in time");
    let receiver = Receiver::start("127.0.0.2", true, vec![Reply::Silent]);
    let (_directory, settings) = trusting(receiver.address.port());
    let dialler = Dialler::new(&DialSettings { timeout: SHORT, ..settings }, Dns::saying(&["127.0.0.2"])).unwrap();
    assert_eq!(post(&dialler, &receiver.url("https", NAME)), Err(DialFailure::Timeout), "also within the handshake");
}

#[test]
fn what_is_no_answer_says_why() {
    assert_eq!(one(Reply::HangUp, LONG).0, Err(DialFailure::Broken));
    for garbage in ["SSH-2.0-OpenSSH_9.9\r\n\r\n", "HTTP/1.1 99999 no\r\n\r\n"] {
        assert_eq!(one(Reply::Bytes(garbage.to_owned()), LONG).0, Err(DialFailure::Protocol), "{garbage}");
    }
    let long_head = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(HEAD_MAX));
    assert_eq!(one(Reply::Bytes(long_head), LONG).0, Err(DialFailure::Protocol));
    let free = Trap::set().port();
    let dialler = Dialler::new(&settings(free), Dns::saying(&[""])).unwrap();
    assert_eq!(post(&dialler, &format!("http://127.0.0.2:{free}/")), Err(DialFailure::Connect));
    assert_eq!(post(&dialler, &format!("https://{NAME}:{free}/")), Err(DialFailure::NameNotFound));
}

/// Through a proxy that leads to `to`; also what arrived at the proxy, if anything.
fn through_proxy(dns: &str, to: Option<SocketAddr>, url: &str, port: u16) -> (Result<Answer, DialFailure>, Option<Request>) {
    let (address, inbox) = receiver::proxy(to);
    let (_directory, settings) = trusting(port);
    let proxy = Some(SecretString::from(format!("http://who:p%40ss@{address}")));
    let dialler = Dialler::new(&DialSettings { proxy, ..settings }, Dns::saying(&[dns])).unwrap();
    let got = post(&dialler, url);
    drop(dialler);
    (got, inbox.try_recv().ok())
}

#[test]
fn through_the_proxy_goes_what_is_outside_by_its_name() {
    for dns in ["8.8.8.8", ""] {
        let receiver = Receiver::start("127.0.0.2", true, vec![answer(200, "")]);
        let port = receiver.address.port();
        let (got, request) = through_proxy(dns, Some(receiver.address), &receiver.url("https", NAME), port);
        assert_eq!(got.unwrap().status, 200);
        let request = request.unwrap();
        assert_eq!(request.line, format!("CONNECT {NAME}:{port} HTTP/1.1\r\n"));
        assert_eq!(request.header("proxy-authorization"), Some("Basic d2hvOnBAc3M="));
        assert_eq!(request.header("webhook-id"), None, "the proxy sees nothing of the message");
        assert_eq!(receiver.inbox.recv().unwrap().body, BODY);
    }
    let (got, _) = through_proxy("8.8.8.8", None, &format!("https://{NAME}:8443/"), 8443);
    assert_eq!(got, Err(DialFailure::Proxy), "it says no");
}

#[test]
fn the_proxy_is_no_way_round_the_gate() {
    for dns in ["127.0.0.1", "169.254.169.254", "8.8.8.8 10.0.0.1"] {
        let (got, request) = through_proxy(dns, None, &format!("https://{NAME}:8443/"), 8443);
        assert!(matches!(got, Err(DialFailure::Refused(Refusal::Address(_)))), "{dns}: {got:?}");
        assert!(request.is_none());
    }
    let (got, request) = through_proxy("8.8.8.8", None, &format!("http://{NAME}:8443/"), 8443);
    assert_eq!(got, Err(DialFailure::Refused(Refusal::PlainHttp)));
    assert!(request.is_none());
    let receiver = Receiver::start("127.0.0.2", true, vec![answer(200, "")]);
    let (got, request) = through_proxy("127.0.0.2", None, &receiver.url("https", NAME), receiver.address.port());
    assert_eq!(got.unwrap().status, 200, "what is inside is called directly");
    assert!(request.is_none());
}

#[test]
fn settings_that_cannot_work_are_found_at_once() {
    let made = |settings: DialSettings| Dialler::new(&settings, Dns::saying(&[""])).map(drop);
    assert_eq!(made(DialSettings { timeout: Duration::ZERO, ..settings(443) }), Err(DialSettingsProblem::NoTimeout));
    for proxy in ["", "proxy:8080", "https://proxy:8080", "socks5://proxy", "http://"] {
        let proxy = Some(SecretString::from(proxy));
        assert_eq!(made(DialSettings { proxy, ..settings(443) }), Err(DialSettingsProblem::Proxy));
    }
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in [("absent.pem", None), ("empty.pem", Some("")), ("odd.pem", Some("-----BEGIN CERTIFICATE-----\n*\n"))]
    {
        let path = directory.path().join(name);
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let problem = made(DialSettings { ca_file: Some(path), ..settings(443) });
        assert!(matches!(problem, Err(DialSettingsProblem::CaFile { .. })), "{name}: {problem:?}");
    }
    let dialler = Dialler::new(&settings(443), Dns::saying(&[""])).unwrap();
    assert!(dialler.direct.config().proxy().is_none(), "not even one that the environment names");
    assert_eq!(dialler.direct.config().max_redirects(), 0);
    let timeouts = dialler.direct.config().timeouts();
    assert_eq!((timeouts.global, timeouts.recv_body), (Some(LONG), Some(BODY_LIMIT)));
}
