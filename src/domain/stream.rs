//! One upstream stream, watched: what may be sent on, whether content has come, how it ended.
//!
//! Whole events are sent on as the provider's own bytes. An event that has only partly arrived is held back: a client
//! cannot act on it, and if the stream breaks there the client gets a clean error event instead of half a line.

use bytes::{Bytes, BytesMut};

use super::chunk::{self, Finish};
use super::sse::{MAX_EVENT, Scanner};
use super::usage::Usage;

/// The watcher of one stream.
#[derive(Debug)]
pub struct Watch {
    scanner: Scanner,
    /// Leave out the usage chunk that only the proxy asked for.
    strip_usage: bool,
    /// The event in progress, as it arrived.
    tail: BytesMut,
    /// Part of the event in progress was sent on already, because it is too large to be held.
    tail_sent: bool,
    committed: bool,
    finish: Option<Finish>,
    usage: Option<Usage>,
    over: bool,
}

/// What a chunk brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// Whole events to send on; may be empty.
    pub ready: Bytes,
    /// The stream has failed: the data of the event that says so. It is not part of `ready`, and nothing follows.
    pub failed: Option<Vec<u8>>,
    /// The stream is complete; nothing follows.
    pub done: bool,
}

/// How a stream ended that said neither `[DONE]` nor that it failed.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// A `finish_reason` had come: complete. These bytes close it.
    Complete(Bytes),
    /// It breaks off.
    Truncated,
}

const DONE: &[u8] = b"data: [DONE]\n\n";

impl Watch {
    /// A watcher; with `strip_usage` the extra usage chunk is left out.
    #[must_use]
    pub fn new(strip_usage: bool) -> Self {
        Self {
            scanner: Scanner::default(),
            strip_usage,
            tail: BytesMut::new(),
            tail_sent: false,
            committed: false,
            finish: None,
            usage: None,
            over: false,
        }
    }

    /// Whether something has come that a client can use: from here on another entry cannot take over unseen.
    ///
    /// An answer that ends without content because of its length or a filter is an answer all the same.
    #[must_use]
    pub fn committed(&self) -> bool {
        self.committed
    }

    /// The last usage that was reported.
    #[must_use]
    pub fn usage(&self) -> Option<&Usage> {
        self.usage.as_ref()
    }

    /// Whether the client has part of an event whose end it does not have.
    #[must_use]
    pub fn mid_event(&self) -> bool {
        self.tail_sent
    }

    /// Whether the stream has said that it is complete, or that it has failed.
    #[must_use]
    pub fn over(&self) -> bool {
        self.over
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, chunk: Bytes) -> Fed {
        let mut scanner = std::mem::take(&mut self.scanner);
        let mut cuts = Cuts::default();
        scanner.feed(&chunk, |event| {
            if !self.over {
                self.judge(event.data, event.named_error, event.oversized, event.end, &mut cuts);
            }
        });
        self.scanner = scanner;
        let ready = self.cut(chunk, &cuts);
        Fed { ready, failed: cuts.failed, done: cuts.done }
    }

    /// The provider has closed the stream.
    pub fn end(&mut self) -> (Fed, Option<End>) {
        let mut scanner = std::mem::take(&mut self.scanner);
        let mut cuts = Cuts::default();
        // What breaks off is no event, and a client would choke on it.
        let mut whole = false;
        scanner.finish(|event| {
            whole = chunk::is_done(event.data) || chunk::read(event.data).readable;
            self.judge(event.data, event.named_error, event.oversized, 0, &mut cuts);
        });
        let tail = self.tail.split().freeze();
        if cuts.failed.is_some() {
            return (Fed { failed: cuts.failed, ..Fed::default() }, None);
        }
        let mut closing = BytesMut::new();
        if whole && cuts.dropped.is_empty() {
            closing.extend_from_slice(&tail);
            closing.extend_from_slice(b"\n\n");
        }
        if cuts.done {
            return (Fed { ready: closing.freeze(), done: true, ..Fed::default() }, None);
        }
        if self.finish.is_some() && !self.tail_sent {
            closing.extend_from_slice(DONE);
            return (Fed::default(), Some(End::Complete(closing.freeze())));
        }
        (Fed::default(), Some(End::Truncated))
    }

    fn judge(&mut self, data: &[u8], named_error: bool, oversized: bool, end: usize, cuts: &mut Cuts) {
        let start = std::mem::replace(&mut cuts.last, end);
        if oversized {
            // Nothing but content is that large.
            self.committed = true;
            return;
        }
        if data.is_empty() && !named_error {
            return;
        }
        if chunk::is_done(data) {
            self.over = true;
            cuts.done = true;
            return;
        }
        let read = chunk::read(data);
        if named_error || read.failed {
            self.over = true;
            cuts.failed = Some(data.to_vec());
            cuts.last = start;
            return;
        }
        self.committed |= read.content || matches!(read.finish, Some(Finish::Length | Finish::ContentFilter));
        // Of several choices one may end while another goes on.
        self.finish = if read.content { read.finish } else { read.finish.or(self.finish) };
        if read.usage.is_some() {
            self.usage = read.usage;
        }
        if read.usage_only && self.strip_usage {
            cuts.dropped.push((start, end));
        }
    }

    /// The bytes to send on: the tail and the chunk up to the last event that ended, without what is to be dropped.
    fn cut(&mut self, mut chunk: Bytes, cuts: &Cuts) -> Bytes {
        if cuts.last == 0 {
            if cuts.failed.is_some() {
                self.tail.clear();
                return Bytes::new();
            }
            return self.hold(&chunk);
        }
        let whole = chunk.split_to(cuts.last.min(chunk.len()));
        let ready = if self.tail.is_empty() && cuts.dropped.is_empty() {
            whole
        } else {
            let mut out = self.tail.split();
            let mut copied = 0;
            for (start, end) in &cuts.dropped {
                // The first event of a chunk began in the tail.
                if *start == 0 {
                    out.clear();
                } else {
                    out.extend_from_slice(whole.get(copied..*start).unwrap_or_default());
                }
                copied = *end;
            }
            out.extend_from_slice(whole.get(copied..).unwrap_or_default());
            out.freeze()
        };
        self.tail_sent = false;
        if self.over {
            return ready;
        }
        let early = self.hold(&chunk);
        if early.is_empty() { ready } else { [ready, early].concat().into() }
    }

    /// Keeps the start of an event, unless it has grown too large to be kept.
    fn hold(&mut self, part: &[u8]) -> Bytes {
        self.tail.extend_from_slice(part);
        if self.tail.len() > MAX_EVENT || (self.tail_sent && !self.tail.is_empty()) {
            self.tail_sent = true;
            return self.tail.split().freeze();
        }
        Bytes::new()
    }
}

/// Where the events of one chunk end, and what is to be done with them.
#[derive(Debug, Default)]
struct Cuts {
    /// End of the last event that may be sent on.
    last: usize,
    dropped: Vec<(usize, usize)>,
    failed: Option<Vec<u8>>,
    done: bool,
}

#[cfg(test)]
mod tests;
