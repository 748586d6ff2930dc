//! An HTTP answer of the proxy, read as it comes.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// What a slow reader takes at once.
const SIP: usize = 8_192;

/// And how long it then waits.
const BETWEEN_SIPS: Duration = Duration::from_millis(50);

/// A connection to the proxy.
#[derive(Debug)]
pub(crate) struct Line {
    stream: TcpStream,
    buffer: BytesMut,
    slow: bool,
}

/// The head of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// HTTP status.
    pub(crate) status: u16,
    text: String,
}

/// What is still to come of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rest {
    /// So many bytes.
    Length(usize),
    /// Chunks.
    Chunks,
    /// Nothing.
    None,
}

impl Line {
    /// A new connection; a slow reader has little room for what it has not read.
    pub(crate) async fn open(address: SocketAddr, slow: bool) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        if slow {
            socket.set_recv_buffer_size(SIP as u32)?;
        }
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: BytesMut::new(), slow })
    }

    /// Sends all of it.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Leaves; the hard way if so wished.
    pub(crate) fn leave(self, reset: bool) {
        if reset {
            // If it fails, the connection is gone already.
            let _ = self.stream.set_zero_linger();
        }
    }

    /// Reads a head, and tells what follows.
    pub(crate) async fn head(&mut self) -> io::Result<(Head, Rest)> {
        let end = loop {
            if let Some(at) = memmem::find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let text = String::from_utf8_lossy(&self.buffer.split_to(end)).into_owned();
        let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
        let head = Head { status: status.ok_or_else(|| odd("a head without a status"))?, text };
        let rest = match (head.line("transfer-encoding"), head.line("content-length")) {
            (Some("chunked"), None) => Rest::Chunks,
            (None, Some(length)) => Rest::Length(length.parse().map_err(|_| odd("a length that is no number"))?),
            _ => return Err(odd("neither a length nor chunks")),
        };
        Ok((head, rest))
    }

    /// The next part of a body; nothing at its end.
    pub(crate) async fn part(&mut self, rest: &mut Rest) -> io::Result<Option<Bytes>> {
        match *rest {
            Rest::None | Rest::Length(0) => Ok(None),
            Rest::Length(left) => {
                if self.buffer.is_empty() {
                    self.more().await?;
                }
                let part = self.buffer.split_to(left.min(self.buffer.len())).freeze();
                *rest = Rest::Length(left - part.len());
                Ok(Some(part))
            }
            Rest::Chunks => {
                let line = loop {
                    if let Some(at) = memmem::find(&self.buffer, b"\r\n") {
                        break self.buffer.split_to(at + 2);
                    }
                    self.more().await?;
                };
                let size = std::str::from_utf8(&line).ok().and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
                let size = size.ok_or_else(|| odd("a chunk without a size"))?;
                while self.buffer.len() < size + 2 {
                    self.more().await?;
                }
                let mut part = self.buffer.split_to(size + 2).freeze();
                if !part.split_off(size).eq(&b"\r\n"[..]) {
                    return Err(odd("a chunk of another size"));
                }
                if size == 0 {
                    *rest = Rest::None;
                    return Ok(None);
                }
                Ok(Some(part))
            }
        }
    }

    /// Whether something has come that nobody asked for.
    pub(crate) fn is_clean(&self) -> bool {
        self.buffer.is_empty()
    }

    async fn more(&mut self) -> io::Result<()> {
        let count = if self.slow {
            tokio::time::sleep(BETWEEN_SIPS).await;
            let mut sip = [0; SIP];
            let count = self.stream.read(&mut sip).await?;
            self.buffer.extend_from_slice(sip.get(..count).unwrap_or_default());
            count
        } else {
            self.stream.read_buf(&mut self.buffer).await?
        };
        if count == 0 { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

impl Head {
    /// The value of a header.
    pub(crate) fn line(&self, name: &str) -> Option<&str> {
        self.text.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

fn odd(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}
