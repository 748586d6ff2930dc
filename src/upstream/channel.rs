//! A connection to a provider that answers as awc expects it.
//!
//! HTTP/1.1 allows more than awc copes with. What it does not cope with is taken out of its sight here, above TLS:
//! - interim answers (100, 103), which it takes for the final one, are left out;
//! - an answer whose body ends with the connection, which it takes for an empty one, is shown as HTTP/1.0, whose bodies
//!   it reads to the end;
//! - an answer that comes before the request has been sent (a 413, say), which it loses with the broken connection, ends
//!   the sending and is read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_rt::net::{ActixStream, Ready};
use bytes::{Buf, BytesMut};
use memchr::memchr;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::head::{self, Head};

/// A longer head is passed on as it comes; awc refuses it.
const MAX_HEAD: usize = 128 << 10;

/// What is read at a time while a head has to be looked at.
const PIECE: usize = 8 << 10;

/// The connection.
#[derive(Debug)]
pub struct Channel<Io> {
    io: Io,
    state: State,
    /// Read, and not passed on yet.
    pending: BytesMut,
    /// Nothing more is sent: the provider has answered already, or does not listen any more.
    deaf: bool,
}

/// What is read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The head of an answer.
    Head,
    /// Its body; or nothing, when no request is under way.
    Body,
}

impl<Io> Channel<Io> {
    /// A connection on which nothing has been sent yet.
    pub fn new(io: Io) -> Self {
        Self { io, state: State::Body, pending: BytesMut::new(), deaf: false }
    }

    /// Looks at the head as far as it is there. True when it can be passed on.
    fn settle_head(&mut self) -> bool {
        loop {
            match head::look(&self.pending) {
                Head::Interim(length) => self.pending.advance(length),
                Head::Partial => return self.pending.len() > MAX_HEAD,
                Head::Plain if self.deaf && memchr(b'\n', &self.pending).is_none() => {
                    return self.pending.len() > MAX_HEAD;
                }
                Head::Plain if self.deaf => {
                    // What is left of the request was not sent: the connection is of no further use.
                    head::close(&mut self.pending);
                    return true;
                }
                Head::Plain => return true,
                Head::Endless => {
                    head::downgrade(&mut self.pending);
                    return true;
                }
            }
        }
    }
}

impl<Io: AsyncRead + Unpin> Channel<Io> {
    /// Reads on until a whole head is there, or the end.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut piece = [0; PIECE];
        loop {
            let mut buf = ReadBuf::new(&mut piece);
            let read = ready!(Pin::new(&mut self.io).poll_read(cx, &mut buf));
            let ended = buf.filled().is_empty();
            if ended && !self.pending.is_empty() {
                // The request was heard and worked on: whoever tries again has to know.
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "inside the head of the answer")));
            }
            read?;
            self.pending.extend_from_slice(buf.filled());
            if self.settle_head() || ended {
                self.state = State::Body;
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// The usual head comes in one piece, and is not copied.
    fn poll_plain_head(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let read = buf.filled().get(before..).unwrap_or_default();
        if read.is_empty() || (!self.deaf && head::look(read) == Head::Plain) {
            self.state = State::Body;
            return Poll::Ready(Ok(()));
        }
        self.pending.extend_from_slice(read);
        buf.set_filled(before);
        if self.settle_head() {
            self.state = State::Body;
        } else {
            ready!(self.poll_head(cx))?;
        }
        self.give(buf);
        Poll::Ready(Ok(()))
    }

    /// A connection on which something has come that nobody asked for is of no use: its answers might be those to other
    /// requests. One that has ended is none either.
    fn check_silence(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let mut byte = [0; 1];
        let mut buf = ReadBuf::new(&mut byte);
        if self.pending.is_empty() && Pin::new(&mut self.io).poll_read(cx, &mut buf).is_pending() {
            return Ok(());
        }
        let what =
            if buf.filled().is_empty() { "the provider has closed it" } else { "an answer came before the request" };
        Err(io::Error::new(io::ErrorKind::ConnectionAborted, what))
    }

    /// Whoever does not take the request may have answered it. True when nothing more is to be sent.
    fn stops_listening(&mut self, cx: &mut Context<'_>) -> bool {
        self.deaf = true;
        self.deaf = self.poll_head(cx).is_ready();
        self.deaf
    }

    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        let part = self.pending.split_to(self.pending.len().min(buf.remaining()));
        buf.put_slice(&part);
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Channel<Io> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let channel = self.get_mut();
        if channel.state == State::Head {
            if channel.pending.is_empty() {
                return channel.poll_plain_head(cx, buf);
            }
            ready!(channel.poll_head(cx))?;
        }
        if channel.pending.is_empty() {
            return Pin::new(&mut channel.io).poll_read(cx, buf);
        }
        channel.give(buf);
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Channel<Io> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, part: &[u8]) -> Poll<io::Result<usize>> {
        let channel = self.get_mut();
        if channel.deaf {
            return Poll::Ready(Ok(part.len()));
        }
        // awc reads nothing before it has written everything, so this begins a request or goes on with it.
        if std::mem::replace(&mut channel.state, State::Head) == State::Body {
            channel.check_silence(cx)?;
        }
        match Pin::new(&mut channel.io).poll_write(cx, part) {
            Poll::Ready(Ok(sent)) => return Poll::Ready(Ok(sent)),
            // What the provider has said before it closed can still be read.
            Poll::Ready(Err(_)) => channel.deaf = true,
            Poll::Pending if !channel.stops_listening(cx) => return Poll::Pending,
            Poll::Pending => {}
        }
        Poll::Ready(Ok(part.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let channel = self.get_mut();
        if channel.deaf {
            return Poll::Ready(Ok(()));
        }
        match Pin::new(&mut channel.io).poll_flush(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => channel.deaf = true,
            // TLS keeps the last of a request to itself for a while.
            Poll::Pending if channel.state == State::Head && channel.stops_listening(cx) => {}
            Poll::Pending => return Poll::Pending,
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

impl<Io: ActixStream> ActixStream for Channel<Io> {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.io.poll_read_ready(cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.io.poll_write_ready(cx)
    }
}

#[cfg(test)]
mod tests;
