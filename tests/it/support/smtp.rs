//! A real SMTP server for tests: it listens on a loopback port, keeps what it takes over, and can be told to refuse
//! or to hang up. Blocking threads only; nothing here sleeps or polls.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine as _;

/// How long [`SmtpSink::wait_for`] waits before it fails the test: far beyond any honest delay.
const DEADLINE: Duration = Duration::from_secs(60);

/// How the sink treats a client that comes along. Without a script it accepts everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// Takes the mail over.
    Accept,
    /// Answers the next connection's greeting with this line, for example `421 4.3.2 down`, and hangs up.
    RefuseSession(&'static str),
    /// Answers `RCPT TO` with this line, for example `550 5.1.1 <{to}> unknown`; `{to}` becomes the address.
    RefuseRecipient(&'static str),
    /// Reads the whole mail, then answers with this line.
    RefuseContent(&'static str),
    /// Reads and keeps the whole mail, then hangs up without an answer: the client cannot know what became of it.
    KeepAndHangUp,
}

/// A mail as the sink received it.
#[derive(Debug, Clone)]
pub struct ReceivedMail {
    /// Address in `MAIL FROM`.
    pub envelope_from: String,
    /// Addresses in `RCPT TO`.
    pub envelope_to: Vec<String>,
    /// The message as sent, dot-stuffing removed.
    pub raw: Vec<u8>,
    /// Header names and values, unfolded and decoded (RFC 2047), in order.
    pub headers: Vec<(String, String)>,
    /// The text, decoded, with LF line ends and none after the last line: how many stand there says nothing.
    pub text: String,
}

impl ReceivedMail {
    /// The value of a header that must occur once.
    pub fn header(&self, name: &str) -> &str {
        let mut found = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => value,
            _ => panic!("header {name} must occur once in {:?}", self.headers),
        }
    }

    /// The first line of the text that is an address of the web and nothing else, as people click it.
    pub fn link(&self) -> &str {
        let mut lines = self.text.lines();
        lines
            .find(|line| line.starts_with("http://") || line.starts_with("https://"))
            .unwrap_or_else(|| panic!("no link in:\n{}", self.text))
    }
}

#[derive(Default)]
struct State {
    messages: Vec<ReceivedMail>,
    commands: Vec<String>,
    script: VecDeque<Reaction>,
    streams: Vec<TcpStream>,
    down: bool,
    stopping: bool,
}

struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
    /// Lines after `250` in the answer to EHLO.
    extensions: Vec<&'static str>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The scripted reaction, if it is due at this step.
    fn due(&self, step: impl Fn(&Reaction) -> bool) -> Option<Reaction> {
        let mut state = self.lock();
        if state.script.front().is_some_and(step) { state.script.pop_front() } else { None }
    }
}

/// The server. Dropping it closes its port and every connection.
pub struct SmtpSink {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

impl SmtpSink {
    /// Starts on a free loopback port, offering neither STARTTLS nor AUTH.
    pub fn start() -> Self {
        Self::offering(&["8BITMIME"])
    }

    /// Starts with other EHLO keywords. It only claims them: after `STARTTLS` it speaks no TLS, as a broken or hostile
    /// relay would; every `AUTH` is refused.
    pub fn offering(extensions: &[&'static str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free loopback port");
        let address = listener.local_addr().expect("the address just bound");
        let shared = Arc::new(Shared { state: Mutex::default(), arrived: Condvar::new(), extensions: extensions.to_vec() });
        let served = Arc::clone(&shared);
        let accept = move || {
            for stream in listener.incoming().flatten() {
                let mut state = served.lock();
                if state.stopping {
                    return;
                }
                state.streams.extend(stream.try_clone());
                drop(state);
                let shared = Arc::clone(&served);
                std::thread::spawn(move || {
                    // A client that hangs up ends this with an error, which is none of the test's business.
                    let _ = serve(&stream, &shared);
                    // Dropping is not enough: `streams` holds the connection open for the sink's own end.
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        };
        Self { address, shared, listener: Some(std::thread::spawn(accept)) }
    }

    /// The port to configure as `smtp.port`, with host `127.0.0.1`.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Queues reactions: each is used up by one mail (or one connection), in order; then everything is accepted again.
    pub fn script(&self, reactions: impl IntoIterator<Item = Reaction>) {
        self.shared.lock().script.extend(reactions);
    }

    /// Takes no session until it is up again: every greeting is `421`.
    pub fn set_down(&self, down: bool) {
        self.shared.lock().down = down;
    }

    /// What arrived so far, in order of arrival.
    pub fn messages(&self) -> Vec<ReceivedMail> {
        self.shared.lock().messages.clone()
    }

    /// Waits until at least `n` mails have arrived and returns all of them; fails the test after a minute.
    pub fn wait_for(&self, n: usize) -> Vec<ReceivedMail> {
        let (state, timeout) = self
            .shared
            .arrived
            .wait_timeout_while(self.shared.lock(), DEADLINE, |state| state.messages.len() < n)
            .expect("the sink's threads do not panic");
        let subjects: Vec<_> = state.messages.iter().map(|mail| mail.header("Subject").to_owned()).collect();
        assert!(!timeout.timed_out(), "{n} mails expected, {} came: {subjects:?}", subjects.len());
        state.messages.clone()
    }

    /// Every line clients sent outside a mail's content: what a listener on the wire would have read.
    pub fn commands(&self) -> Vec<String> {
        self.shared.lock().commands.clone()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        let streams = {
            let mut state = self.shared.lock();
            state.stopping = true;
            std::mem::take(&mut state.streams)
        };
        for stream in streams {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // The listener looks at `stopping` only when somebody comes.
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

/// One connection, from greeting to QUIT.
fn serve(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut out = stream;
    let mut input = BufReader::new(stream);
    let mut say = |line: &str| out.write_all(format!("{line}\r\n").as_bytes());

    if shared.lock().down {
        return say("421 4.3.2 down");
    }
    if let Some(Reaction::RefuseSession(line)) = shared.due(|r| matches!(r, Reaction::RefuseSession(_))) {
        return say(line);
    }
    say("220 sink.example.jp ESMTP")?;
    let (mut from, mut to) = (String::new(), Vec::new());
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(());
        }
        // A TLS hello is no text; it must show up in `commands` without ending the thread.
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        shared.lock().commands.push(line.clone());
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" | "HELO" => {
                let mut lines = vec!["sink.example.jp"];
                lines.extend(&shared.extensions);
                let last = lines.len() - 1;
                for (i, line) in lines.iter().enumerate() {
                    say(&format!("250{}{line}", if i == last { ' ' } else { '-' }))?;
                }
            }
            "STARTTLS" if shared.extensions.contains(&"STARTTLS") => say("220 go ahead")?,
            "AUTH" => say("535 5.7.8 authentication failed")?,
            "MAIL" => {
                (from, to) = (bracketed(&line), Vec::new());
                say("250 2.1.0 ok")?;
            }
            "RCPT" => match shared.due(|r| matches!(r, Reaction::RefuseRecipient(_))) {
                Some(Reaction::RefuseRecipient(answer)) => say(&answer.replace("{to}", &bracketed(&line)))?,
                _ => {
                    to.push(bracketed(&line));
                    say("250 2.1.5 ok")?;
                }
            },
            "DATA" => {
                say("354 end with a dot")?;
                let Some(raw) = read_content(&mut input)? else {
                    return Ok(());
                };
                let mail = received(std::mem::take(&mut from), std::mem::take(&mut to), raw);
                let due = |r: &Reaction| matches!(r, Reaction::Accept | Reaction::RefuseContent(_) | Reaction::KeepAndHangUp);
                let reaction = shared.due(due).unwrap_or(Reaction::Accept);
                if let Reaction::RefuseContent(answer) = reaction {
                    say(answer)?;
                    continue;
                }
                shared.lock().messages.push(mail);
                shared.arrived.notify_all();
                if reaction == Reaction::KeepAndHangUp {
                    return Ok(());
                }
                say("250 2.0.0 taken over as 4711")?;
            }
            "RSET" | "NOOP" => say("250 2.0.0 ok")?,
            "QUIT" => return say("221 2.0.0 bye"),
            _ => say("500 5.5.1 unknown command")?,
        }
    }
}

/// What stands between angle brackets in `MAIL FROM:<…>`.
fn bracketed(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map(|(address, _)| address.to_owned()).unwrap_or_default()
}

/// The content up to the lone dot; `None` when the client left in the middle.
fn read_content(input: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut raw = Vec::new();
    loop {
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line == b".\r\n" {
            return Ok(Some(raw));
        }
        raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

fn received(envelope_from: String, envelope_to: Vec<String>, raw: Vec<u8>) -> ReceivedMail {
    let message = String::from_utf8_lossy(&raw).into_owned();
    let (head, body) = message.split_once("\r\n\r\n").unwrap_or((&message, ""));
    let headers: Vec<(String, String)> = head
        .replace("\r\n ", " ")
        .replace("\r\n\t", " ")
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), decode_words(value.trim())))
        .collect();
    let encoding = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Content-Transfer-Encoding"));
    let text = match encoding.map(|(_, value)| value.to_ascii_lowercase()).as_deref() {
        Some("base64") => decode_base64(&body.replace(['\r', '\n'], "")),
        Some("quoted-printable") => decode_quoted(&body.replace("=\r\n", "")),
        _ => body.as_bytes().to_vec(),
    };
    let text = String::from_utf8_lossy(&text).replace("\r\n", "\n").trim_end_matches('\n').to_owned();
    ReceivedMail { envelope_from, envelope_to, raw, headers, text }
}

/// Decodes RFC 2047 words, dropping the space between two neighbouring ones.
fn decode_words(value: &str) -> String {
    let (mut decoded, mut after_word) = (String::new(), false);
    let mut rest = value;
    while let Some(start) = rest.find("=?") {
        let (before, word) = rest.split_at(start);
        if !(after_word && before.trim().is_empty()) {
            decoded.push_str(before);
        }
        let parts: Vec<&str> = word[2..].splitn(4, '?').collect();
        let &[charset, coding, data, tail] = parts.as_slice() else {
            return decoded + word;
        };
        assert!(charset.eq_ignore_ascii_case("utf-8"), "mail is written in UTF-8, not {charset}");
        let bytes = match coding {
            "b" | "B" => decode_base64(data),
            _ => decode_quoted(&data.replace('_', " ")),
        };
        decoded.push_str(&String::from_utf8(bytes).expect("each encoded word is whole UTF-8"));
        after_word = true;
        rest = tail.strip_prefix('=').unwrap_or(tail);
    }
    decoded + rest
}

fn decode_base64(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).expect("valid base64")
}

fn decode_quoted(text: &str) -> Vec<u8> {
    let (bytes, mut decoded, mut i) = (text.as_bytes(), Vec::new(), 0);
    while let Some(&byte) = bytes.get(i) {
        let hex = text.get(i + 1..i + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(value) if byte == b'=' => {
                decoded.push(value);
                i += 3;
            }
            _ => {
                decoded.push(byte);
                i += 1;
            }
        }
    }
    decoded
}

/// The sink itself: spoken to byte by byte, so that its own mistakes are not taken for the product's.
#[test]
fn the_sink_speaks_smtp_and_decodes_what_it_takes() {
    let sink = SmtpSink::start();
    sink.script([
        Reaction::RefuseSession("421 4.3.2 later"),
        Reaction::RefuseRecipient("550 5.1.1 <{to}> unknown"),
        Reaction::RefuseContent("452 4.3.1 full"),
        Reaction::Accept,
        Reaction::KeepAndHangUp,
    ]);
    let talk = |lines: &[&str]| -> Vec<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", sink.port())).expect("the sink listens");
        // A reset after the hang-up is as good as an end.
        let _ = stream.write_all((lines.join("\r\n") + "\r\n").as_bytes());
        BufReader::new(stream).lines().map_while(Result::ok).collect()
    };
    assert_eq!(talk(&[]), ["421 4.3.2 later"]);
    let mail = [
        "EHLO client",
        "MAIL FROM:<a@example.jp>",
        "RCPT TO:<b@example.jp>",
        "RCPT TO:<c@example.jp>",
        "DATA",
        "Subject: =?utf-8?b?5rS+6YGj?=",
        " =?utf-8?q?=E6=B1=BA_?= OK",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "..=E6=B4=BE=",
        "=E9=81=A3",
        "https://example.jp/x",
        ".",
        "NOOP",
        "HUH",
        "QUIT",
    ];
    let answers = talk(&mail);
    assert!(answers.contains(&"550 5.1.1 <b@example.jp> unknown".to_owned()), "{answers:?}");
    assert!(answers.contains(&"452 4.3.1 full".to_owned()), "{answers:?}");
    assert!(sink.messages().is_empty(), "a refused mail is not kept");
    assert!(talk(&mail).contains(&"250 2.0.0 taken over as 4711".to_owned()));
    let last = talk(&mail[..13]);
    assert_eq!(last.last().map(String::as_str), Some("354 end with a dot"), "hung up without an answer");

    let kept = sink.wait_for(2);
    let first = kept.first().expect("two mails");
    assert_eq!((first.envelope_from.as_str(), first.envelope_to.len()), ("a@example.jp", 2));
    assert_eq!(first.header("subject"), "派遣決  OK");
    assert_eq!((first.text.as_str(), first.link()), (".派遣\nhttps://example.jp/x", "https://example.jp/x"));
    assert!(first.raw.starts_with(b"Subject: =?utf-8"));
    assert!(sink.commands().contains(&"HUH".to_owned()));
    drop(SmtpSink::offering(&["STARTTLS"]));
}
