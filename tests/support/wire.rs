//! A connection on which a test writes bytes as no client library would.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::app::{App, CLIENT};

/// Longer than anything takes that goes well, on a machine with other things to do.
const GUARD: Duration = Duration::from_secs(30);

/// The connection.
pub struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answered {
    pub head: String,
    pub body: Vec<u8>,
}

impl Answered {
    pub fn status(&self) -> u16 {
        self.head[9..12].parse().unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The error in it, which must be as OpenAI's are.
    pub fn error(&self) -> serde_json::Value {
        let json: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        let error = json["error"].clone();
        assert!(error["message"].is_string() && error["type"].is_string() && error["code"].is_string(), "{json}");
        assert!(error.as_object().unwrap().contains_key("param"), "{json}");
        error
    }
}

/// A `POST /v1/chat/completions` with the client's key, more lines in its head, and this body.
pub fn post(more: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = head(&format!("{more}content-length: {}\r\n", body.len()));
    bytes.extend_from_slice(body);
    bytes
}

/// The head of a `POST /v1/chat/completions` with the client's key and these lines.
pub fn head(more: &str) -> Vec<u8> {
    format!("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {CLIENT}\r\n{more}\r\n")
        .into_bytes()
}

/// A `GET` with the client's key.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {CLIENT}\r\n\r\n").into_bytes()
}

impl Wire {
    pub async fn to(app: &App) -> Self {
        Self::at(app.proxy.addresses()[0]).await
    }

    pub async fn at(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    /// Writes; whether the proxy still takes it.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let (mut reading, mut writing) = self.stream.split();
        // Whoever only writes would wait for ever for a peer that waits for its answers to be fetched.
        let both = async {
            tokio::pin! { let write = writing.write_all(bytes.as_ref()); }
            loop {
                tokio::select! {
                    written = &mut write => return written.is_ok(),
                    more = reading.read_buf(&mut self.read) => if !matches!(more, Ok(1..)) { return false },
                }
            }
        };
        timeout(GUARD, both).await.expect("the proxy reads no more")
    }

    /// The next answer; `None` when the connection ends before it.
    pub async fn answer(&mut self) -> Option<Answered> {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.read.drain(..end + 4).collect()).unwrap();
        let mut answered = Answered { head, body: Vec::new() };
        match answered.header("content-length").map(|length| length.parse::<usize>().unwrap()) {
            Some(length) => {
                while self.read.len() < length {
                    self.more().await?;
                }
                answered.body = self.read.drain(..length).collect();
            }
            None => while self.chunk(&mut answered.body).await? {},
        }
        Some(answered)
    }

    /// Reads until the connection ends; what still came.
    pub async fn rest(&mut self) -> String {
        while self.more().await.is_some() {}
        String::from_utf8_lossy(&std::mem::take(&mut self.read)).into_owned()
    }

    /// Whether a chunk came that was not the last one.
    async fn chunk(&mut self, body: &mut Vec<u8>) -> Option<bool> {
        loop {
            if let Some(end) = self.read.windows(2).position(|window| window == b"\r\n") {
                let length = usize::from_str_radix(std::str::from_utf8(&self.read[..end]).unwrap(), 16).unwrap();
                if self.read.len() >= end + length + 4 {
                    let chunk: Vec<u8> = self.read.drain(..end + length + 4).collect();
                    body.extend_from_slice(&chunk[end + 2..end + 2 + length]);
                    return Some(length > 0);
                }
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Option<()> {
        let read =
            timeout(GUARD, self.stream.read_buf(&mut self.read)).await.expect("the proxy neither answers nor closes");
        matches!(read, Ok(1..)).then_some(())
    }
}
