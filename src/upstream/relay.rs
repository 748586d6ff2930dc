//! The body of a streamed answer: forwards the provider's bytes as they come and ends honestly.
//!
//! Up to here nothing was sent to the client; from here on nothing can be taken back. A stream that breaks off, stalls
//! or reports an error ends with one error event, which official SDKs raise, and without `[DONE]`: a part of an answer
//! is never shown as the whole.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use awc::ClientResponse;
use bytes::Bytes;
use futures_core::Stream;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_stream::StreamExt;

use super::attempt::Opened;
use super::error::CallError;
use crate::actors::journal::Note;
use crate::actors::lease::{Lease, Outcome};
use crate::actors::route::Entry;
use crate::clock::Clock;
use crate::domain::chunk::classify_in_band;
use crate::domain::evidence::Evidence;
use crate::domain::outcome::{Reason, Verdict};
use crate::domain::stream::{End, Watch};

/// After `[DONE]` a provider has this long to end its answer, so that the connection can be used again.
const TIDY_UP: Duration = Duration::from_secs(1);

/// The body.
pub struct Relay {
    rest: Option<ClientResponse>,
    watch: Watch,
    /// To be sent before anything else is read.
    ready: Bytes,
    idle: Idle,
    entry: Arc<Entry>,
    clock: Clock,
    /// Both are settled when the stream ends, on whatever path.
    lease: Option<Lease>,
    note: Note,
}

impl Relay {
    /// Takes over a stream that has begun. `idle_limit` is the longest silence of the provider.
    #[must_use]
    pub fn new(
        opened: Opened,
        idle_limit: Duration,
        entry: Arc<Entry>,
        clock: Clock,
        lease: Lease,
        mut note: Note,
    ) -> Self {
        let Opened { rest, watch, head, .. } = opened;
        // Until its end has been seen, the stream counts as left by the client.
        note.answered(200, Some("client_closed"));
        let idle = Idle::new(idle_limit);
        let mut relay = Self { rest, watch, ready: head, idle, entry, clock, lease: Some(lease), note };
        if relay.rest.is_none() || relay.watch.over() {
            relay.complete();
        }
        relay
    }

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

    /// The provider itself says, inside the stream, that it failed.
    fn give_up(&mut self, data: &[u8]) -> Bytes {
        let verdict = classify_in_band(self.entry.provider.dialect, data, self.clock.now().wall);
        self.fail(verdict, verdict.reason.unwrap_or(Reason::InBandError).words())
    }

    fn fail(&mut self, verdict: Verdict, detail: &str) -> Bytes {
        self.rest = None;
        self.note.answered(200, Some("stream_interrupted"));
        let usage = self.watch.usage().copied();
        self.settle(Outcome::Broken { verdict, usage });
        let lead = if self.watch.mid_event() { "\n\n" } else { "" };
        let message = format!("{} broke off in the middle of its answer: {detail}", self.entry.id);
        let error = serde_json::json!({
            "error": { "message": message, "type": "upstream_error", "param": null, "code": "stream_interrupted" }
        });
        format!("{lead}data: {error}\n\n").into()
    }

    fn settle(&mut self, outcome: Outcome) {
        self.note.row.usage = self.watch.usage().copied();
        if let Some(lease) = self.lease.take() {
            lease.settle(outcome);
        }
    }

    /// What the end of the provider's stream means.
    fn close(&mut self) -> Bytes {
        let (fed, end) = self.watch.end();
        match end {
            None if fed.failed.is_some() => self.give_up(&fed.failed.unwrap_or_default()),
            None => {
                self.rest = None;
                self.complete();
                fed.ready
            }
            Some(End::Complete(closing)) => {
                self.rest = None;
                self.complete();
                closing
            }
            Some(End::Truncated) => self.break_off(&CallError::Cut("the connection was closed early".into())),
        }
    }

    fn take(&mut self, chunk: Bytes) -> Bytes {
        let fed = self.watch.feed(chunk);
        if let Some(data) = fed.failed {
            let error = self.give_up(&data);
            return if fed.ready.is_empty() { error } else { [fed.ready, error].concat().into() };
        }
        if fed.done {
            self.complete();
        }
        fed.ready
    }
}

impl MessageBody for Relay {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let relay = self.get_mut();
        loop {
            if !relay.ready.is_empty() {
                return Poll::Ready(Some(Ok(std::mem::take(&mut relay.ready))));
            }
            let Some(rest) = relay.rest.as_mut() else { return Poll::Ready(None) };
            relay.ready = match Pin::new(rest).poll_next(cx) {
                Poll::Ready(Some(Ok(chunk))) => {
                    relay.idle.reset();
                    relay.take(chunk)
                }
                Poll::Ready(Some(Err(fault))) => relay.break_off(&fault.into()),
                Poll::Ready(None) => relay.close(),
                Poll::Pending => {
                    ready!(relay.idle.poll(cx));
                    let limit = relay.idle.limit;
                    relay.break_off(&CallError::Timeout { what: "more of the answer", limit })
                }
            };
        }
    }
}

impl Drop for Relay {
    /// The client has left before the end: what the stream has cost until then is all that is known.
    fn drop(&mut self) {
        if let Some(mut lease) = self.lease.take() {
            self.note.row.usage = self.watch.usage().copied();
            lease.costs(self.note.row.usage);
        }
    }
}

/// Lets a provider finish what it has to say after `[DONE]`; the connection is then free for the next call.
async fn drain(mut rest: ClientResponse) {
    let read_on = async { while rest.next().await.is_some_and(|chunk| chunk.is_ok()) {} };
    let _ = tokio::time::timeout(TIDY_UP, read_on).await;
}

/// Measures the silence of the provider, and only while the client is waiting for it: a slow client must not make a
/// provider look idle. One timer per stream, moved only when it fires too early.
struct Idle {
    limit: Duration,
    waiting_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Idle {
    fn new(limit: Duration) -> Self {
        Self { limit, waiting_since: None, timer: None }
    }

    fn reset(&mut self) {
        self.waiting_since = None;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = *self.waiting_since.get_or_insert_with(Instant::now) + self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        loop {
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
    }
}
