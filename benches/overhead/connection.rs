//! One HTTP/1.1 connection, from either end: just enough of the protocol, at as little cost as possible, because
//! the generator shares the processors with what it measures.

use std::io::ErrorKind;
use std::net::SocketAddr;

use memchr::memmem;
use tokio::net::TcpStream;

use crate::Result;

/// Every message here is smaller than that.
const ROOM: usize = 8_192;

/// A connection and the message that is being read from it.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    /// A connection to `address`.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        Self::over(TcpStream::connect(address).await?)
    }

    /// Takes a connection over.
    pub(crate) fn over(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; ROOM], filled: 0 })
    }

    /// Sends `request` and reads the answer, which must be a 200 with a length. Returns the head of the answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<&str> {
        self.send(request).await?;
        let head = self.message().await?.ok_or("the connection was closed")?.len();
        if !self.seen().starts_with(b"HTTP/1.1 200 ") {
            return Err(format!("not a 200:\n{}", String::from_utf8_lossy(self.seen())).into());
        }
        Ok(std::str::from_utf8(self.buffer.get(..head).unwrap_or_default())?)
    }

    /// Reads one message, head and body; returns its head, or nothing when the other side has closed before it.
    pub(crate) async fn message(&mut self) -> Result<Option<&str>> {
        self.filled = 0;
        let head = loop {
            if let Some(at) = memmem::find(self.seen(), b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await? {
                return if self.filled == 0 { Ok(None) } else { Err("closed within a head".into()) };
            }
        };
        let whole = head + length(self.seen());
        while self.filled < whole {
            if !self.more().await? {
                return Err("closed within a body".into());
            }
        }
        Ok(Some(std::str::from_utf8(self.buffer.get(..head).unwrap_or_default())?))
    }

    /// Reads on until `needle` has come.
    pub(crate) async fn until(&mut self, needle: &[u8]) -> Result<()> {
        while memmem::find(self.seen(), needle).is_none() {
            if !self.more().await? {
                let said = String::from_utf8_lossy(self.seen());
                return Err(format!("closed before {:?}:\n{said}", String::from_utf8_lossy(needle)).into());
            }
        }
        Ok(())
    }

    /// Sends all of `bytes`, and forgets what was read before.
    pub(crate) async fn send(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.filled = 0;
        while !bytes.is_empty() {
            match self.stream.try_write(bytes) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => self.stream.writable().await?,
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(())
    }

    fn seen(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Reads what has come; false when the other side has closed.
    async fn more(&mut self) -> Result<bool> {
        let room = self.buffer.get_mut(self.filled..).filter(|room| !room.is_empty()).ok_or("message too large")?;
        loop {
            match self.stream.try_read(room) {
                Ok(count) => {
                    self.filled += count;
                    return Ok(count > 0);
                }
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => self.stream.readable().await?,
                Err(fault) => return Err(fault.into()),
            }
        }
    }
}

/// The announced length of the body behind a head.
fn length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"content-length:";
    let value = head
        .split(|byte| *byte == b'\n')
        .find_map(|line| line.split_at_checked(NAME.len()).filter(|(name, _)| name.eq_ignore_ascii_case(NAME)))
        .and_then(|(_, value)| std::str::from_utf8(value).ok()?.trim().parse().ok());
    value.unwrap_or(0)
}

/// A chat completion request of about 1 KB for `model`, sent to `path`.
pub(crate) fn request(path: &str, model: &str, stream: bool) -> Vec<u8> {
    let text = "The quick brown fox jumps over the lazy dog, and nobody asked it to. ".repeat(12);
    let messages = format!(
        r#"[{{"role":"system","content":"Answer briefly."}},{{"role":"user","content":"{}"}}]"#,
        text.trim_end()
    );
    let body =
        format!(r#"{{"model":"{model}","messages":{messages},"temperature":0.7,"max_tokens":256,"stream":{stream}}}"#);
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench.localhost\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\naccept: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        crate::proxy::KEY,
        body.len()
    )
    .into_bytes()
}
