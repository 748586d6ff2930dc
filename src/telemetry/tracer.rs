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
