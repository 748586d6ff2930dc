//! How long nothing useful has come or gone.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// So much of one event counts as progress: a large one may take its time, but not for ever.
const PIECE: usize = 16 << 10;

/// Measures the silence of the provider, and only while the client is waiting for it: a slow client must not make a
/// provider look idle. One timer per stream, moved only when it fires too early.
pub(super) struct Idle {
    pub(super) limit: Duration,
    waiting_since: Option<Instant>,
    /// Bytes of an event that has not ended.
    begun: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Idle {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, waiting_since: None, begun: 0, timer: None }
    }

    /// So many bytes have come; `progress` says that an event ended in them. A byte now and then is no sign of life.
    pub(super) fn heard(&mut self, bytes: usize, progress: bool) {
        self.begun = if progress { 0 } else { self.begun + bytes };
        if self.begun == 0 || self.begun >= PIECE {
            self.begun = 0;
            self.waiting_since = None;
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
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
