//! The body of a streamed answer: forwards the provider's bytes as they come and ends honestly.
//!
//! Up to here nothing was sent to the client; from here on nothing can be taken back. A stream that breaks off, stalls
//! or reports an error ends with one error event, which official SDKs raise, and without `[DONE]`: a part of an answer
//! is never shown as the whole.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use awc::ClientResponse;
use bytes::Bytes;
use futures_core::Stream;
use tokio::time::{Instant, sleep_until};
use tokio_stream::StreamExt;

use super::apart::{Apart, apart};
use super::attempt::Opened;
use super::error::CallError;
use super::idle::Idle;
use crate::actors::journal::Note;
use crate::actors::lease::{Lease, Outcome};
use crate::actors::route::Entry;
use crate::clock::Clock;
use crate::config::model::Settings;
use crate::domain::chunk::classify_in_band;
use crate::domain::evidence::Evidence;
use crate::domain::outcome::{Reason, Verdict};
use crate::domain::stream::{End, Failure, Watch};
use crate::domain::trail::Span;

/// After `[DONE]` a provider has this long to end its answer, so that the connection can be used again.
const TIDY_UP: Duration = Duration::from_secs(1);

/// The body.
pub struct Relay {
    passage: Rc<RefCell<Passage>>,
    /// Ends with the body.
    _watchman: Apart<()>,
}

/// A stream on its way from the provider to the client.
struct Passage {
    rest: Option<ClientResponse>,
    watch: Watch,
    /// To be sent before anything else is read.
    ready: Bytes,
    /// Since when the client has had something to read, and has asked for no more.
    handed: Option<Instant>,
    idle: Idle,
    max_answer: usize,
    entry: Arc<Entry>,
    clock: Clock,
    /// Both are settled when the stream ends, on whatever path.
    lease: Option<Lease>,
    note: Note,
}

impl Relay {
    /// Takes over a stream that has begun.
    #[must_use]
    pub fn new(
        opened: Opened,
        settings: &Settings,
        entry: Arc<Entry>,
        clock: Clock,
        lease: Lease,
        mut note: Note,
    ) -> Self {
        let Opened { rest, watch, head, .. } = opened;
        // Until its end has been seen, the stream counts as left by the client.
        note.answered(200, Some("client_closed"));
        let idle = Idle::new(settings.stream_idle_timeout);
        let max_answer = settings.max_answer_bytes;
        let lease = Some(lease);
        let mut passage =
            Passage { rest, watch, ready: head, handed: None, idle, max_answer, entry, clock, lease, note };
        if passage.rest.is_none() || passage.watch.over() {
            passage.complete();
        }
        let passage = Rc::new(RefCell::new(passage));
        let watchman = apart(watch_client(Rc::downgrade(&passage), settings.client_stall_timeout));
        Self { passage, _watchman: watchman }
    }
}

/// Ends a stream whose client takes nothing of it for so long: it would hold the entry for ever. While the provider has
/// nothing to say, the client is not to blame.
async fn watch_client(passage: Weak<RefCell<Passage>>, limit: Duration) {
    let mut next = Instant::now() + limit;
    loop {
        sleep_until(next).await;
        let Some(passage) = passage.upgrade() else { return };
        let mut passage = passage.borrow_mut();
        next = Instant::now() + limit;
        match passage.handed.map(|since| since + limit) {
            Some(end) if end <= Instant::now() => return passage.stall(limit),
            Some(end) => next = end,
            None => {}
        }
    }
}

impl Passage {
    /// The whole answer has come.
    fn complete(&mut self) {
        self.note.answered(200, None);
        let usage = self.watch.usage().copied();
        self.settle(Outcome::Served { usage, evidence: Evidence::default() });
        if let Some(rest) = self.rest.take() {
            actix_rt::spawn(drain(rest));
        }
    }

    /// The answer will never be complete: closes the stream with an error event.
    fn break_off(&mut self, fault: &CallError) -> Bytes {
        let verdict = fault.verdict(self.entry.provider.dialect);
        self.fail(verdict, &fault.to_string())
    }

    fn give_up(&mut self, failure: Failure) -> Bytes {
        match failure {
            // The provider itself says, inside the stream, that it failed.
            Failure::Reported(data) => {
                let verdict = classify_in_band(self.entry.provider.dialect, &data, self.clock.now().wall);
                self.fail(verdict, verdict.reason.unwrap_or(Reason::InBandError).words())
            }
            Failure::Garbled => self.break_off(&CallError::GARBLED),
            Failure::TooLong => self.break_off(&CallError::TooLarge(self.max_answer)),
        }
    }

    fn fail(&mut self, verdict: Verdict, detail: &str) -> Bytes {
        self.rest = None;
        self.note.answered(200, Some("stream_interrupted"));
        self.note.broke(verdict.reason);
        let usage = self.watch.usage().copied();
        self.settle(Outcome::Broken { verdict, usage });
        let message = format!("{} broke off in the middle of its answer: {detail}", self.entry.id);
        self.error_event(&message, "upstream_error", "stream_interrupted")
    }

    /// The client has taken nothing for so long.
    fn stall(&mut self, limit: Duration) {
        if self.rest.take().is_none() {
            return;
        }
        self.note.answered(200, Some("client_stalled"));
        let usage = self.watch.usage().copied();
        self.settle(Outcome::Abandoned { usage });
        let message = format!("The stream was given up: nothing of it was read for {}", Span(limit));
        self.ready = self.error_event(&message, "invalid_request_error", "client_stalled");
    }

    fn error_event(&self, message: &str, kind: &str, code: &str) -> Bytes {
        let lead = if self.watch.mid_event() { "\n\n" } else { "" };
        let error = serde_json::json!({ "error": { "message": message, "type": kind, "param": null, "code": code } });
        format!("{lead}data: {error}\n\n").into()
    }

    fn settle(&mut self, outcome: Outcome) {
        self.note.row.usage = Some(self.watch.cost());
        if let Some(lease) = self.lease.take() {
            lease.settle(outcome);
        }
    }

    /// What the end of the provider's stream means. With a `fault` it was not a proper one; what is complete by then is
    /// complete all the same.
    fn close(&mut self, fault: Option<CallError>) -> Bytes {
        let (fed, end) = self.watch.end();
        match (fed.failed, end) {
            (Some(failure), _) => self.give_up(failure),
            (None, None) => {
                self.rest = None;
                self.complete();
                fed.ready
            }
            (None, Some(End::Complete(closing))) => {
                self.rest = None;
                self.complete();
                closing
            }
            (None, Some(End::Truncated)) => {
                self.break_off(&fault.unwrap_or_else(|| CallError::Cut("the connection was closed early".into())))
            }
        }
    }

    fn take(&mut self, chunk: Bytes) -> Bytes {
        let length = chunk.len();
        let fed = self.watch.feed(chunk);
        self.idle.heard(length, fed.progress);
        if let Some(failure) = fed.failed {
            let error = self.give_up(failure);
            return if fed.ready.is_empty() { error } else { [fed.ready, error].concat().into() };
        }
        if fed.done {
            self.complete();
        }
        fed.ready
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(since) = self.handed.take() {
            self.idle.forgive(since.elapsed());
        }
        loop {
            if !self.ready.is_empty() {
                self.handed = Some(Instant::now());
                self.note.row.bytes_out += self.ready.len() as u64;
                return Poll::Ready(Some(std::mem::take(&mut self.ready)));
            }
            let Some(rest) = self.rest.as_mut() else { return Poll::Ready(None) };
            self.ready = match Pin::new(rest).poll_next(cx) {
                Poll::Ready(Some(Ok(chunk))) => self.take(chunk),
                Poll::Ready(Some(Err(fault))) => self.close(Some(fault.into())),
                Poll::Ready(None) => self.close(None),
                Poll::Pending => {
                    ready!(self.idle.poll(cx));
                    let limit = self.idle.limit;
                    self.break_off(&CallError::Timeout { what: "more of the answer", limit })
                }
            };
        }
    }
}

impl MessageBody for Relay {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.passage.borrow_mut().poll(cx).map(|piece| piece.map(Ok))
    }
}

impl Drop for Passage {
    /// The client has left before the end: what the stream has cost until then is all that is known.
    fn drop(&mut self) {
        if let Some(mut lease) = self.lease.take() {
            self.note.row.usage = Some(self.watch.cost());
            lease.costs(self.watch.usage().copied());
        }
    }
}

/// Lets a provider finish what it has to say after `[DONE]`; the connection is then free for the next call.
async fn drain(mut rest: ClientResponse) {
    let read_on = async { while rest.next().await.is_some_and(|chunk| chunk.is_ok()) {} };
    let _ = tokio::time::timeout(TIDY_UP, read_on).await;
}
