//! A real SMTP server for tests: it listens on a loopback port, keeps what it takes over, and can be told to misbehave at every
//! step. Blocking threads only; nothing here sleeps or polls.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

#[path = "smtp_decode.rs"]
mod decode;

pub use decode::ReceivedMail;

/// How long [`SmtpSink::wait_for`] waits before it fails the test: far beyond any honest delay.
const DEADLINE: Duration = Duration::from_secs(60);

/// How the sink treats a client that comes along. Without a script it accepts everything. An answer of 421 is followed by the
/// end of the connection; `{to}` in an answer becomes the recipient's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// Takes the mail over.
    Accept,
    /// Answers the next connection's greeting with this line, for example `421 4.3.2 down`, and hangs up.
    RefuseSession(&'static str),
    /// Answers `MAIL FROM` with this line.
    RefuseSender(&'static str),
    /// Answers `RCPT TO` with this line, for example `550 5.1.1 <{to}> unknown`.
    RefuseRecipient(&'static str),
    /// Hangs up instead of answering `RCPT TO`.
    HangUpAtRecipient,
    /// Answers `DATA` with this line.
    RefuseData(&'static str),
    /// Hangs up after the first line of the content; the mail is not kept.
    HangUpInContent,
    /// Reads the whole mail, then answers with this line.
    RefuseContent(&'static str),
    /// Reads and keeps the whole mail, then hangs up without an answer: the client cannot know what became of it.
    KeepAndHangUp,
    /// Reads and keeps the whole mail, and answers only when [`SmtpSink::release`] says so.
    Hold,
}

/// How the sink speaks TLS.
#[derive(Clone)]
pub enum Tls {
    /// From the first byte.
    Implicit(Arc<ServerConfig>),
    /// After STARTTLS, which it offers.
    Start(Arc<ServerConfig>),
}

#[derive(Default)]
struct State {
    messages: Vec<ReceivedMail>,
    commands: Vec<String>,
    script: VecDeque<Reaction>,
    streams: Vec<TcpStream>,
    /// Connections being served, and how many of them are borne.
    open: usize,
    most: Option<usize>,
    /// Mails held back.
    held: usize,
    released: bool,
    down: bool,
    stopping: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Lines after `250` in the answer to EHLO.
    extensions: Vec<&'static str>,
    tls: Option<Tls>,
    /// Told of every command before it is answered and after.
    watcher: Option<Box<dyn Fn() + Send + Sync>>,
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

    fn watched(&self) {
        if let Some(watcher) = &self.watcher {
            watcher();
        }
    }

    fn hold(&self) {
        let mut state = self.lock();
        state.held += 1;
        self.changed.notify_all();
        let released = self.changed.wait_timeout_while(state, DEADLINE, |state| !state.released && !state.stopping);
        let (mut state, _) = released.expect("the sink's threads do not panic");
        state.held -= 1;
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
        Self::with(extensions, None, None)
    }

    /// Starts with TLS; every `AUTH` over it is accepted.
    pub fn protected(tls: Tls) -> Self {
        Self::with(&["8BITMIME", "AUTH PLAIN LOGIN"], Some(tls), None)
    }

    /// Starts with somebody who is told of every step.
    pub fn watched(watcher: impl Fn() + Send + Sync + 'static) -> Self {
        Self::with(&["8BITMIME"], None, Some(Box::new(watcher)))
    }

    fn with(extensions: &[&'static str], tls: Option<Tls>, watcher: Option<Box<dyn Fn() + Send + Sync>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free loopback port");
        let address = listener.local_addr().expect("the address just bound");
        let extensions = extensions.to_vec();
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), extensions, tls, watcher });
        let served = Arc::clone(&shared);
        let accept = move || {
            for stream in listener.incoming().flatten() {
                let mut state = served.lock();
                if state.stopping {
                    return;
                }
                state.streams.extend(stream.try_clone());
                state.open += 1;
                // Looked at here: when several come at once, one of them is the first.
                let crowded = state.most.is_some_and(|most| state.open > most);
                drop(state);
                let shared = Arc::clone(&served);
                std::thread::spawn(move || {
                    if let Ok(own) = stream.try_clone() {
                        // A client that hangs up ends this with an error, which is none of the test's business.
                        let _ = serve(own, &shared, crowded);
                    }
                    shared.lock().open -= 1;
                    shared.changed.notify_all();
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

    /// Greets only so many connections at once; the others get `421`.
    pub fn bear(&self, connections: usize) {
        self.shared.lock().most = Some(connections);
    }

    /// Waits until everybody has left and all they said has been read.
    pub fn wait_until_alone(&self) {
        let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), DEADLINE, |state| state.open > 0);
        assert!(!waited.expect("the sink's threads do not panic").1.timed_out(), "somebody is still there");
    }

    /// Waits until so many mails are held back.
    pub fn wait_for_held(&self, n: usize) {
        let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), DEADLINE, |state| state.held < n);
        assert!(!waited.expect("the sink's threads do not panic").1.timed_out(), "{n} held mails expected");
    }

    /// Answers every mail held back, and holds none from now on.
    pub fn release(&self) {
        self.shared.lock().released = true;
        self.shared.changed.notify_all();
    }

    /// What arrived so far, in order of arrival.
    pub fn messages(&self) -> Vec<ReceivedMail> {
        self.shared.lock().messages.clone()
    }

    /// Waits until at least `n` mails have arrived and returns all of them; fails the test after a minute.
    pub fn wait_for(&self, n: usize) -> Vec<ReceivedMail> {
        let (state, timeout) = self
            .shared
            .changed
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

    /// How many sessions began.
    pub fn sessions(&self) -> usize {
        self.commands().iter().filter(|line| line.starts_with("EHLO")).count()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        let streams = {
            let mut state = self.shared.lock();
            state.stopping = true;
            self.shared.changed.notify_all();
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

/// A connection, in clear or not.
enum Wire {
    Clear(TcpStream),
    Protected(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Wire {
    fn protect(self, config: &Arc<ServerConfig>) -> std::io::Result<Self> {
        let Self::Clear(stream) = self else { return Ok(self) };
        let session = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
        Ok(Self::Protected(Box::new(StreamOwned::new(session, stream))))
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(buffer),
            Self::Protected(stream) => stream.read(buffer),
        }
    }
}

/// One peer: lines in, answers out.
struct Peer<'a> {
    input: BufReader<Wire>,
    shared: &'a Shared,
}

impl Peer<'_> {
    fn say(&mut self, line: &str) -> std::io::Result<()> {
        let text = format!("{line}\r\n");
        let written = match self.input.get_mut() {
            Wire::Clear(stream) => stream.write_all(text.as_bytes()),
            Wire::Protected(stream) => stream.write_all(text.as_bytes()).and_then(|()| stream.flush()),
        };
        self.shared.watched();
        written
    }

    /// Says a refusal; `false`: the connection ends with it.
    fn refuse(&mut self, line: &str) -> std::io::Result<bool> {
        self.say(line)?;
        Ok(!line.starts_with("421"))
    }

    /// The content up to the lone dot; `None` when the client left in the middle.
    fn content(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut raw = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.input.read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            if line == b".\r\n" {
                return Ok(Some(raw));
            }
            raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }
}

/// One connection, from greeting to QUIT.
fn serve(stream: TcpStream, shared: &Shared, crowded: bool) -> std::io::Result<()> {
    // Answers are single small packets; gathering them would only delay them.
    stream.set_nodelay(true)?;
    let mut wire = Wire::Clear(stream);
    if let Some(Tls::Implicit(config)) = &shared.tls {
        wire = wire.protect(config)?;
    }
    let mut peer = Peer { input: BufReader::new(wire), shared };
    if shared.lock().down {
        return peer.say("421 4.3.2 down");
    }
    if crowded {
        return peer.say("421 4.7.0 too many connections");
    }
    if let Some(Reaction::RefuseSession(line)) = shared.due(|r| matches!(r, Reaction::RefuseSession(_))) {
        return peer.say(line);
    }
    peer.say("220 sink.example.jp ESMTP")?;
    let (mut from, mut to) = (String::new(), Vec::new());
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if peer.input.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(());
        }
        // A TLS hello is no text; it must show up in `commands` without ending the thread.
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        shared.lock().commands.push(line.clone());
        shared.watched();
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let clear = matches!(peer.input.get_ref(), Wire::Clear(_));
        match verb.as_str() {
            "EHLO" | "HELO" => {
                let mut lines = vec!["sink.example.jp"];
                lines.extend(&shared.extensions);
                if clear && matches!(shared.tls, Some(Tls::Start(_))) {
                    lines.push("STARTTLS");
                }
                let last = lines.len() - 1;
                for (i, line) in lines.iter().enumerate() {
                    peer.say(&format!("250{}{line}", if i == last { ' ' } else { '-' }))?;
                }
            }
            "STARTTLS" => match &shared.tls {
                Some(Tls::Start(config)) if clear => {
                    peer.say("220 go ahead")?;
                    peer.input = BufReader::new(peer.input.into_inner().protect(config)?);
                }
                _ if shared.extensions.contains(&"STARTTLS") => peer.say("220 go ahead")?,
                _ => peer.say("500 5.5.1 unknown command")?,
            },
            "AUTH" if !clear => peer.say("235 2.7.0 welcome")?,
            "AUTH" => peer.say("535 5.7.8 authentication failed")?,
            "MAIL" => match shared.due(|r| matches!(r, Reaction::RefuseSender(_))) {
                Some(Reaction::RefuseSender(answer)) if peer.refuse(answer)? => {}
                Some(_) => return Ok(()),
                None => {
                    (from, to) = (bracketed(&line), Vec::new());
                    peer.say("250 2.1.0 ok")?;
                }
            },
            "RCPT" => match shared.due(|r| matches!(r, Reaction::RefuseRecipient(_) | Reaction::HangUpAtRecipient)) {
                Some(Reaction::RefuseRecipient(answer)) if peer.refuse(&answer.replace("{to}", &bracketed(&line)))? => {}
                Some(_) => return Ok(()),
                None => {
                    to.push(bracketed(&line));
                    peer.say("250 2.1.5 ok")?;
                }
            },
            "DATA" => match shared.due(|r| matches!(r, Reaction::RefuseData(_) | Reaction::HangUpInContent)) {
                Some(Reaction::RefuseData(answer)) if peer.refuse(answer)? => {}
                Some(Reaction::HangUpInContent) => {
                    peer.say("354 end with a dot")?;
                    peer.input.read_until(b'\n', &mut bytes)?;
                    return Ok(());
                }
                Some(_) => return Ok(()),
                None => {
                    if !take_over(&mut peer, std::mem::take(&mut from), std::mem::take(&mut to))? {
                        return Ok(());
                    }
                }
            },
            "RSET" | "NOOP" => peer.say("250 2.0.0 ok")?,
            "QUIT" => return peer.say("221 2.0.0 bye"),
            _ => peer.say("500 5.5.1 unknown command")?,
        }
    }
}

/// Reads a mail and answers; `false`: the connection ends.
fn take_over(peer: &mut Peer<'_>, from: String, to: Vec<String>) -> std::io::Result<bool> {
    peer.say("354 end with a dot")?;
    let Some(raw) = peer.content()? else { return Ok(false) };
    let (mail, shared) = (ReceivedMail::of(from, to, raw), peer.shared);
    let whole =
        |r: &Reaction| matches!(r, Reaction::Accept | Reaction::RefuseContent(_) | Reaction::KeepAndHangUp | Reaction::Hold);
    let reaction = shared.due(whole).unwrap_or(Reaction::Accept);
    if let Reaction::RefuseContent(answer) = reaction {
        return peer.refuse(answer);
    }
    shared.lock().messages.push(mail);
    shared.changed.notify_all();
    shared.watched();
    match reaction {
        Reaction::KeepAndHangUp => return Ok(false),
        Reaction::Hold => shared.hold(),
        _ => {}
    }
    peer.say("250 2.0.0 taken over as 4711")?;
    Ok(true)
}

/// What stands between angle brackets in `MAIL FROM:<…>`.
fn bracketed(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map(|(address, _)| address.to_owned()).unwrap_or_default()
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
