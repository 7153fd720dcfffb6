//! A small keep-alive HTTP/1.1 client that measures.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What a measurement found.
#[derive(Debug, Clone)]
pub struct Figures {
    pub per_second: f64,
    pub p50: f64,
    pub p99: f64,
    pub errors: usize,
    micros: Vec<u32>,
    seconds: f64,
}

impl Figures {
    fn new(mut micros: Vec<u32>, seconds: f64, errors: usize) -> Self {
        micros.sort_unstable();
        let at = |share: f64| f64::from(micros.get(((micros.len() as f64) * share) as usize).copied().unwrap_or(0)) / 1000.0;
        Self { per_second: micros.len() as f64 / seconds, p50: at(0.50), p99: at(0.99), errors, seconds, micros }
    }

    /// Several runs as one.
    pub fn merge(runs: Vec<Self>) -> Self {
        let seconds = runs.iter().map(|run| run.seconds).sum();
        let errors = runs.iter().map(|run| run.errors).sum();
        Self::new(runs.into_iter().flat_map(|run| run.micros).collect(), seconds, errors)
    }
}

fn request(path: &str, token: Option<&str>) -> Vec<u8> {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}\r\n").into_bytes()
}

fn connect(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(stream)
}

/// The whole answer to one GET.
pub fn get(port: u16, path: &str, token: Option<&str>) -> std::io::Result<Vec<u8>> {
    let mut stream = connect(port)?;
    stream.write_all(&request(path, token))?;
    let mut buffer = Vec::new();
    read_answer(&mut stream, &mut buffer)?;
    Ok(buffer)
}

/// The body of an answer.
pub fn body(answer: &[u8]) -> &[u8] {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    &answer[head + 4..]
}

fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    buffer.clear();
    let mut chunk = [0_u8; 65_536];
    loop {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        buffer.extend_from_slice(&chunk[..read]);
        if let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
            let length: usize = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map_or(0, |value| value.trim().parse().unwrap_or(0));
            if buffer.len() >= head + 4 + length {
                return Ok(());
            }
        }
    }
}

/// So many connections, each asking again as soon as it is answered, for a time.
pub fn load(port: u16, path: &str, token: Option<&str>, connections: usize, time: Duration) -> Figures {
    let started = Instant::now();
    let results: Vec<(Vec<u32>, usize)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(move || {
                    let request = request(path, token);
                    let (mut micros, mut errors, mut buffer) = (Vec::new(), 0, Vec::new());
                    let mut stream = connect(port).unwrap();
                    while started.elapsed() < time {
                        let sent = Instant::now();
                        let answered = stream.write_all(&request).and_then(|()| read_answer(&mut stream, &mut buffer));
                        if answered.is_ok() && buffer.starts_with(b"HTTP/1.1 200") {
                            micros.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
                        } else {
                            errors += 1;
                            stream = connect(port).unwrap();
                        }
                    }
                    (micros, errors)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let seconds = started.elapsed().as_secs_f64();
    let errors = results.iter().map(|(_, errors)| errors).sum();
    Figures::new(results.into_iter().flat_map(|(micros, _)| micros).collect(), seconds, errors)
}
