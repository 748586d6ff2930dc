//! Begins traces, and keeps the spans of what has ended until somebody sends them. Nobody here waits for anything: spans
//! that find no room are lost, and counted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{Notify, watch};

use super::span::Span;
use crate::config::traces::Traces;
use crate::domain::trace::{Parent, SpanId, Trace, TraceId};

/// Shared by all threads.
#[derive(Debug)]
pub struct Tracer {
    /// What is wanted.
    pub traces: Traces,
    random: SystemRandom,
    waiting: Mutex<VecDeque<Span>>,
    /// A batch is full.
    full: Notify,
    closing: watch::Sender<bool>,
    lost: AtomicU64,
}

impl Tracer {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(traces: Traces) -> Self {
        Self {
            traces,
            random: SystemRandom::new(),
            waiting: Mutex::default(),
            full: Notify::new(),
            closing: watch::Sender::new(false),
            lost: AtomicU64::new(0),
        }
    }

    /// The trace of a request that comes with this context. `None` when the system has no random numbers.
    #[must_use]
    pub fn begin(&self, parent: Option<Parent>) -> Option<Trace> {
        Some(Trace::begin(parent, TraceId::new(self.fresh()?)?, self.span_id()?, self.traces.sampler))
    }

    /// An id for a span. `None` when the system has no random numbers.
    #[must_use]
    pub fn span_id(&self) -> Option<SpanId> {
        SpanId::new(self.fresh()?)
    }

    fn fresh<const N: usize>(&self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes).ok().map(|()| bytes)
    }

    /// Takes the spans of a request that has ended: all, or none where they find no room.
    pub fn add(&self, spans: Vec<Span>) {
        let mut waiting = self.waiting();
        if spans.len() > self.traces.queue.saturating_sub(waiting.len()) {
            return self.lose(spans.len());
        }
        waiting.extend(spans);
        let full = waiting.len() >= self.traces.batch;
        drop(waiting);
        if full {
            self.full.notify_one();
        }
    }

    /// Takes out as many spans as go into one batch; none when none are left.
    #[must_use]
    pub fn take(&self) -> Vec<Span> {
        let mut waiting = self.waiting();
        let count = waiting.len().min(self.traces.batch);
        waiting.drain(..count).collect()
    }

    /// Waits until a batch is full.
    pub async fn filled(&self) {
        self.full.notified().await;
    }

    /// Nothing comes any more: what there is has to be sent now.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Whether the end has come.
    #[must_use]
    pub fn closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Waits until the end has come.
    pub async fn closed(&self) {
        // The sender lives as long as this does.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// Counts spans that nobody will ever see.
    pub fn lose(&self, count: usize) {
        self.lost.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// How many were lost so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Span>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::traces::Encoding;
    use crate::domain::time::Wall;
    use crate::domain::trace::Sampler;
    use crate::telemetry::span::Kind;

    fn tracer(queue: usize, batch: usize) -> Tracer {
        Tracer::new(Traces {
            endpoint: "http://localhost:4318/v1/traces".to_owned(),
            headers: vec![],
            encoding: Encoding::Protobuf,
            timeout: std::time::Duration::ZERO,
            resource: vec![],
            sampler: Sampler { heeds_parent: true, share: Sampler::ALL },
            propagates: true,
            queue,
            batch,
            delay: std::time::Duration::ZERO,
            patience: std::time::Duration::ZERO,
        })
    }

    fn spans(count: u8) -> Vec<Span> {
        let span = |id| Span {
            trace: TraceId([1; 16]),
            id: SpanId([id; 8]),
            parent: None,
            parent_is_remote: false,
            flags: 1,
            state: None,
            name: String::new(),
            kind: Kind::Client,
            began: Wall(0),
            ended: Wall(0),
            attributes: vec![],
            error: None,
        };
        (1..=count).map(span).collect()
    }

    #[test]
    fn a_request_finds_room_for_all_of_its_spans_or_none() {
        let tracer = tracer(5, 3);
        for (count, lost) in [(4, 0), (2, 2), (1, 2), (1, 3)] {
            tracer.add(spans(count));
            assert_eq!(tracer.lost(), lost);
        }
        assert_eq!([3, 2, 0].map(|_| tracer.take().len()), [3, 2, 0]);
        tracer.add(spans(5));
        assert_eq!((tracer.take(), tracer.lost()), (spans(3), 3));
    }

    #[actix_rt::test]
    async fn who_sends_is_woken_by_a_full_batch_and_by_the_end() {
        let tracer = tracer(10, 3);
        tracer.add(spans(2));
        tokio::select! {
            biased;
            () = tracer.filled() => panic!("two are no batch"),
            () = tokio::task::yield_now() => {}
        }
        tracer.add(spans(1));
        tracer.filled().await;
        assert!(!tracer.closing());
        tracer.close();
        tracer.closed().await;
        assert!(tracer.closing());
    }

    #[test]
    fn ids_are_never_the_same() {
        let tracer = tracer(1, 1);
        let (one, other) = (tracer.begin(None).unwrap(), tracer.begin(None).unwrap());
        assert!(one.id != other.id && one.span != other.span && one.sampled);
    }
}
