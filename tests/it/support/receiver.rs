//! A receiver of webhooks on loopback that can behave badly, a certificate for it, a proxy, and a DNS that lies.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver as Inbox};
use std::sync::{Arc, OnceLock};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The name the certificate bears, besides `127.0.0.1` and `127.0.0.2`.
pub const NAME: &str = "hooks.example.jp";

/// An own certificate authority and a server's setting with a certificate of it.
pub struct Authority {
    /// The authority's certificate in PEM.
    pub pem: String,
    /// The server's side.
    pub server: Arc<ServerConfig>,
}

/// Made once: keys take their time.
pub fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let own = KeyPair::generate().unwrap();
        let names = [NAME, "127.0.0.1", "127.0.0.2"].map(str::to_owned);
        let certificate = CertificateParams::new(names).unwrap().signed_by(&own, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.serialize_der())))
            .unwrap();
        Authority { pem, server: Arc::new(server) }
    })
}

/// How the receiver treats one connection.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Reads the request and answers with these bytes.
    Bytes(String),
    /// Reads the request, says `200`, promises 1 GiB and sends until nobody takes it; then tells how much it was.
    Endless,
    /// Reads the request, says `200` with a body to come, and falls silent.
    SilentBody,
    /// Takes the connection and falls silent.
    Silent,
    /// Takes the connection and closes it.
    HangUp,
}

/// An answer with a status, more head lines (each ending with CRLF) and no body.
pub fn answer(status: u16, head: &str) -> Reply {
    Reply::Bytes(format!("HTTP/1.1 {status} Whatever\r\n{head}Content-Length: 0\r\nConnection: close\r\n\r\n"))
}

/// A request as it came over the wire.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The request line.
    pub line: String,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// What [`Reply::Endless`] could send, in bytes.
    pub sent: usize,
}

impl Request {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A receiver that treats each connection as told, in order, and then accepts no more.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    /// What came, one entry for each connection whose request was read.
    pub inbox: Inbox<Request>,
}

impl Receiver {
    /// Listens on a free port of `ip`, with TLS or without.
    pub fn start(ip: &str, tls: bool, replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (outbox, inbox) = mpsc::channel();
        std::thread::spawn(move || {
            for reply in replies {
                let Ok((stream, _)) = listener.accept() else { return };
                match reply {
                    Reply::HangUp => drop(stream),
                    // Until the client hangs up.
                    Reply::Silent => drop(std::io::copy(&mut { stream }, &mut std::io::sink())),
                    reply if tls => {
                        let connection = ServerConnection::new(Arc::clone(&authority().server)).unwrap();
                        treat(StreamOwned::new(connection, stream), &reply, &outbox);
                    }
                    reply => treat(stream, &reply, &outbox),
                }
            }
        });
        Self { address, inbox }
    }

    /// An address below this receiver.
    pub fn url(&self, scheme: &str, host: &str) -> String {
        format!("{scheme}://{host}:{}/in?key=1", self.address.port())
    }
}

fn treat<S: Read + Write>(stream: S, reply: &Reply, outbox: &mpsc::Sender<Request>) {
    let mut stream = BufReader::new(stream);
    // A client that does not trust us hangs up in the middle of the handshake.
    let Ok(mut request) = read_request(&mut stream) else { return };
    let stream = stream.get_mut();
    match reply {
        Reply::Bytes(text) => drop(stream.write_all(text.as_bytes()).and_then(|()| stream.flush())),
        Reply::Endless => request.sent = pour(stream),
        Reply::SilentBody => {
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n").and_then(|()| stream.flush()));
            // Until the client hangs up.
            drop(stream.read(&mut [0]));
        }
        Reply::Silent | Reply::HangUp => {}
    }
    drop(outbox.send(request));
}

fn pour<S: Write>(stream: &mut S) -> usize {
    let mut sent = 0;
    if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n").is_ok() {
        while sent < 1 << 30 && stream.write_all(&[b'x'; 65_536]).is_ok() {
            sent += 65_536;
        }
    }
    sent
}

fn read_request<R: Read>(stream: &mut BufReader<R>) -> std::io::Result<Request> {
    let mut request = Request::default();
    stream.read_line(&mut request.line)?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        request.headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    stream.read_exact(&mut request.body)?;
    if request.line.is_empty() { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(request) }
}

/// A port on which nothing may ever arrive.
pub struct Trap(TcpListener);

impl Trap {
    /// Listens on a free port of `127.0.0.1`.
    pub fn set() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap()).unwrap()
    }

    /// Listens there, if the port is free.
    pub fn at(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Whether nobody ever connected: the system would have kept the connection for us.
    pub fn is_untouched(&self) -> bool {
        self.0.accept().is_err()
    }
}

/// A proxy that reads one `CONNECT`, then connects to `to` (or refuses, if there is none) and passes bytes on.
pub fn proxy(to: Option<SocketAddr>) -> (SocketAddr, Inbox<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (outbox, inbox) = mpsc::channel();
    std::thread::spawn(move || {
        let Ok((client, _)) = listener.accept() else { return };
        let mut reader = BufReader::new(client.try_clone().unwrap());
        let Ok(request) = read_request(&mut reader) else { return };
        drop(outbox.send(request));
        let mut client = client;
        let Some(to) = to else {
            drop(client.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n"));
            return;
        };
        let server = TcpStream::connect(to).unwrap();
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let (mut up, mut down) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let upwards = std::thread::spawn(move || drop(std::io::copy(&mut reader, &mut up)));
        drop(std::io::copy(&mut { server }, &mut down));
        drop(client.shutdown(std::net::Shutdown::Both));
        drop(upwards.join());
    });
    (address, inbox)
}

/// Answers of a DNS, one after the other; the last one stays.
#[derive(Debug, Default)]
pub struct Script(VecDeque<Vec<IpAddr>>);

impl Script {
    /// Each entry is one answer: addresses separated by spaces; an empty one means that the name is unknown.
    pub fn new(answers: &[&str]) -> Self {
        Self(answers.iter().map(|answer| answer.split_whitespace().map(|ip| ip.parse().unwrap()).collect()).collect())
    }

    /// The next answer.
    pub fn next(&mut self) -> Vec<IpAddr> {
        if self.0.len() > 1 { self.0.pop_front().unwrap() } else { self.0.front().cloned().unwrap_or_default() }
    }
}
