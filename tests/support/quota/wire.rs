//! HTTP/1.1 messages on a socket, from either end: as much of the protocol as the proxy and the fakes speak.

use std::io;

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection.
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A request or an answer. The body of a chunked one still has its chunk sizes.
#[derive(Debug, Default)]
pub struct Message {
    pub head: String,
    pub body: Vec<u8>,
}

impl Message {
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Of an answer; 0 when there is none.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }
}

impl Wire {
    pub fn over(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4_096) })
    }

    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next message; `None` when the other side closes before it is complete.
    pub async fn message(&mut self) -> io::Result<Option<Message>> {
        let end = loop {
            if let Some(at) = memmem::find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            if self.more().await? == 0 {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..end - 4]).into_owned();
        let message = Message { head, body: Vec::new() };
        let chunked = message.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let length = message.header("content-length").and_then(|value| value.parse::<usize>().ok()).unwrap_or(0);
        while if chunked {
            !self.buffer[end - 2..].ends_with(b"\r\n0\r\n\r\n")
        } else {
            self.buffer.len() < end + length
        } {
            if self.more().await? == 0 {
                return Ok(None);
            }
        }
        // Nobody here sends a second message before the first is answered.
        let body = self.buffer.split_off(end);
        self.buffer.clear();
        Ok(Some(Message { body, ..message }))
    }

    /// Ends when the other side has closed.
    pub async fn closed(&self) {
        let mut byte = [0];
        if let Ok(1..) = self.stream.peek(&mut byte).await {
            // The other side has sent something ahead of its turn, and has not closed.
            std::future::pending::<()>().await;
        }
    }

    async fn more(&mut self) -> io::Result<usize> {
        self.stream.read_buf(&mut self.buffer).await
    }
}

/// One chunk of a chunked body.
#[must_use]
pub fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}
