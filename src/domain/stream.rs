//! One upstream stream, watched: what may be sent on, whether content has come, how it ended.
//!
//! Whole events are sent on as the provider's own bytes. An event that has only partly arrived is held back: a client
//! cannot act on it, and if the stream breaks there the client gets a clean error event instead of half a line.

mod closing;
mod cuts;

use bytes::{Bytes, BytesMut};

use super::chunk::{self, Finish};
use super::demand::{Demand, Estimate};
use super::normalize::Normalizer;
use super::sse::{Event, MAX_EVENT, Scanner};
use super::usage::Usage;
use closing::Closing;
use cuts::Cuts;

/// What a client is to see of a stream, and what is known about the request.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Whether it has asked for a usage chunk: then it sees exactly one, else none.
    pub usage: bool,
    /// Whether reasoning is shown as content.
    pub normalize: bool,
    /// Longest stream in bytes.
    pub most: u64,
    /// What the entry has learnt about costs, for providers that do not report them.
    pub estimate: Estimate,
    /// The size of the request.
    pub demand: Demand,
}

/// The watcher of one stream.
#[derive(Debug)]
pub struct Watch {
    view: View,
    scanner: Scanner,
    normalizer: Normalizer,
    /// The event in progress, as it arrived.
    tail: BytesMut,
    /// Part of the event in progress was sent on already, because it is too large to be held.
    tail_sent: bool,
    committed: bool,
    finish: Option<Finish>,
    /// One bit for each choice that has said something, and not why it stopped.
    open: u64,
    usage: Option<Usage>,
    /// Bytes of the answer's texts.
    text: u64,
    /// Bytes of everything.
    seen: u64,
    closing: Closing,
    over: bool,
}

/// What a chunk brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// Whole events to send on; may be empty.
    pub ready: Bytes,
    /// The stream has failed. The event that says so is not part of `ready`, and nothing follows.
    pub failed: Option<Failure>,
    /// The stream is complete; nothing follows.
    pub done: bool,
    /// What ended in it.
    pub progress: Progress,
}

/// What a provider has shown of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// No event has ended.
    #[default]
    None,
    /// Only such as hold nothing: it is there.
    Alive,
    /// It goes on.
    Data,
}

/// Why a stream cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The provider says so: the data of that event.
    Reported(Vec<u8>),
    /// An event that belongs to the answer cannot be read: part of it is lost.
    Garbled,
    /// It is longer than it may be.
    TooLong,
}

/// An event with this data.
fn event_of(data: &[u8]) -> Vec<u8> {
    let mut event = Vec::with_capacity(data.len() + 8);
    for line in data.split(|byte| *byte == b'\n') {
        event.extend_from_slice(b"data: ");
        event.extend_from_slice(line);
        event.push(b'\n');
    }
    event.push(b'\n');
    event
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

impl View {
    /// Everything that the provider sends, but the usage of which nobody has asked.
    pub const PLAIN: Self = Self {
        usage: false,
        normalize: false,
        most: u64::MAX,
        estimate: Estimate::NOTHING,
        demand: Demand { prompt_bytes: 0, most_output: None, generates: true, batch: false, attachments: false },
    };
}

impl Watch {
    /// A watcher of a stream that has not begun.
    #[must_use]
    pub fn new(view: View) -> Self {
        Self {
            view,
            scanner: Scanner::default(),
            normalizer: Normalizer::default(),
            tail: BytesMut::new(),
            tail_sent: false,
            committed: false,
            finish: None,
            open: 0,
            usage: None,
            text: 0,
            seen: 0,
            closing: Closing::default(),
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

    /// What the stream has cost so far: as reported, or else as estimated.
    #[must_use]
    pub fn cost(&self) -> Usage {
        self.usage.unwrap_or_else(|| self.view.estimate.usage(self.view.demand, self.text))
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
        self.seen = self.seen.saturating_add(chunk.len() as u64);
        if self.seen > self.view.most {
            self.over = true;
            return Fed { failed: Some(Failure::TooLong), ..Fed::default() };
        }
        let mut scanner = std::mem::take(&mut self.scanner);
        let mut cuts = Cuts::default();
        let mut progress = Progress::None;
        scanner.feed(&chunk, |event| {
            let data = event.oversized || !event.data.is_empty();
            progress = progress.max(if data { Progress::Data } else { Progress::Alive });
            if !self.over {
                self.judge(&event, &mut cuts);
            }
        });
        self.scanner = scanner;
        let ready = self.cut(chunk, &cuts);
        Fed { ready, failed: cuts.failed, done: cuts.done, progress }
    }

    /// The provider has closed the stream.
    pub fn end(&mut self) -> (Fed, Option<End>) {
        let mut scanner = std::mem::take(&mut self.scanner);
        let mut cuts = Cuts::default();
        // What breaks off is no event, and a client would choke on it.
        let mut whole = false;
        scanner.finish(|event| {
            whole = event.named_error || chunk::is_done(event.data) || chunk::read(event.data).readable;
            if whole || event.oversized {
                self.judge(&event, &mut cuts);
            }
        });
        let mut tail = self.tail.split();
        if cuts.failed.is_some() {
            return (Fed { failed: cuts.failed, ..Fed::default() }, None);
        }
        if whole {
            tail.truncate(tail.trim_ascii_end().len());
            tail.extend_from_slice(b"\n\n");
        } else {
            tail.clear();
        }
        let rest = cuts.apply(tail, &[]);
        if cuts.done {
            return (Fed { ready: rest.freeze(), done: true, ..Fed::default() }, None);
        }
        if self.finish.is_some() && self.open == 0 && !self.tail_sent {
            let usage = self.usage_event();
            return (Fed::default(), Some(End::Complete([&rest, usage.as_slice(), DONE].concat().into())));
        }
        (Fed::default(), Some(End::Truncated))
    }

    fn judge(&mut self, event: &Event<'_>, cuts: &mut Cuts) {
        let (data, end) = (event.data, event.end);
        let start = std::mem::replace(&mut cuts.last, end);
        if event.oversized {
            // Nothing but content is that large.
            self.committed = true;
            return;
        }
        if data.is_empty() && !event.named_error {
            return;
        }
        if chunk::is_done(data) {
            self.over = true;
            cuts.done = true;
            let usage = self.usage_event();
            self.edit(start, start, usage, cuts);
            return;
        }
        let read = chunk::read(data);
        let failure = match read.readable {
            _ if event.named_error || read.failed => Some(Failure::Reported(data.to_vec())),
            false if chunk::is_noise(data) => {
                return self.edit(start, end, Vec::new(), cuts);
            }
            false => Some(Failure::Garbled),
            true => None,
        };
        if failure.is_some() {
            self.over = true;
            cuts.failed = failure;
            cuts.last = start;
            return;
        }
        self.committed |= read.content || matches!(read.finish, Some(Finish::Length | Finish::ContentFilter));
        self.text = self.text.saturating_add(read.text);
        self.finish = read.finish.or(self.finish);
        // Of several choices one may end while another goes on.
        self.open = (self.open | read.begun) & !read.ended;
        self.usage = read.usage.or(self.usage);
        if self.view.usage {
            self.closing.note(data, &read);
        }
        if read.usage_only {
            // Whoever has asked for it gets one at the end, also of a provider that sends several.
            self.edit(start, end, Vec::new(), cuts);
        } else if self.view.normalize
            && let Some(new) = self.normalizer.chunk(data)
        {
            self.edit(start, end, event_of(&new), cuts);
        }
    }

    /// Sends something else in place of an event, unless its beginning has gone out already.
    fn edit(&self, start: usize, end: usize, with: Vec<u8>, cuts: &mut Cuts) {
        if start > 0 || !self.tail_sent {
            cuts.replace(start, end, with);
        }
    }

    /// The usage chunk that belongs before the end.
    fn usage_event(&mut self) -> Vec<u8> {
        let cost = self.cost();
        if self.view.usage { self.closing.event(&cost) } else { Vec::new() }
    }

    /// The bytes to send on: the tail and the chunk up to the last event that ended, changed as the cuts say.
    fn cut(&mut self, mut chunk: Bytes, cuts: &Cuts) -> Bytes {
        if cuts.last == 0 {
            if cuts.failed.is_some() {
                self.tail.clear();
                return Bytes::new();
            }
            return self.hold(&chunk);
        }
        let whole = chunk.split_to(cuts.last.min(chunk.len()));
        let ready = match self.tail.is_empty() && cuts.is_plain() {
            true => whole,
            false => cuts.apply(self.tail.split(), &whole).freeze(),
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
            // Nothing but content is that large.
            self.committed = true;
            self.tail_sent = true;
            return self.tail.split().freeze();
        }
        Bytes::new()
    }
}

#[cfg(test)]
mod tests;
