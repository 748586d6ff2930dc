//! How long nothing useful has come.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::domain::stream::Progress;

/// So much of one event counts as progress: a large one may take its time, but not for ever.
const PIECE: usize = 16 << 10;

/// So many times the limit a provider may go on with signs of life alone.
const ALIVE_FOR: u32 = 10;

/// Measures the silence of the provider, and only while the client is waiting for it: a slow client must not make a
/// provider look idle. One timer per stream, moved only when it fires too early.
pub(super) struct Idle {
    pub(super) limit: Duration,
    /// Since the last sign of life, and since the last that was data.
    waiting: Option<Waiting>,
    /// Bytes of an event that has not ended.
    begun: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy)]
struct Waiting {
    for_life: Instant,
    for_data: Instant,
}

impl Idle {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, waiting: None, begun: 0, timer: None }
    }

    /// So many bytes have come, and what ended in them. A byte now and then is no sign of life.
    pub(super) fn heard(&mut self, bytes: usize, progress: Progress) {
        self.begun = if progress == Progress::None { self.begun + bytes } else { 0 };
        if progress == Progress::Data || self.begun >= PIECE {
            self.begun = 0;
            self.waiting = None;
        } else if let (Progress::Alive, Some(waiting)) = (progress, &mut self.waiting) {
            waiting.for_life = Instant::now();
        }
    }

    /// The client has asked for nothing for so long: that time is its own.
    pub(super) fn forgive(&mut self, span: Duration) {
        if let Some(waiting) = &mut self.waiting {
            waiting.for_life += span;
            waiting.for_data += span;
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let waiting = *self.waiting.get_or_insert_with(|| {
            let now = Instant::now();
            Waiting { for_life: now, for_data: now }
        });
        let deadline = (waiting.for_life + self.limit).min(waiting.for_data + self.limit * ALIVE_FOR);
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::timeout;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    /// How long a provider may go on that shows this every 20 s.
    async fn endures(bytes: usize, progress: Progress) -> Option<u64> {
        let (mut idle, began) = (Idle::new(LIMIT), Instant::now());
        while began.elapsed() < LIMIT * 100 {
            if timeout(Duration::from_secs(20), poll_fn(|cx| idle.poll(cx))).await.is_ok() {
                return Some(began.elapsed().as_secs());
            }
            idle.heard(bytes, progress);
        }
        None
    }

    #[tokio::test(start_paused = true)]
    async fn data_is_progress_and_signs_of_life_are_for_a_while() {
        assert_eq!(endures(100, Progress::Data).await, None);
        assert_eq!(endures(100, Progress::Alive).await, Some(300));
        assert_eq!(endures(1, Progress::None).await, Some(30), "a byte now and then");
        assert_eq!(endures(PIECE, Progress::None).await, None, "a large event that arrives");
    }

    #[tokio::test(start_paused = true)]
    async fn the_clients_time_is_not_the_providers() {
        let mut idle = Idle::new(LIMIT);
        assert!(timeout(Duration::from_secs(20), poll_fn(|cx| idle.poll(cx))).await.is_err());
        tokio::time::advance(Duration::from_secs(500)).await;
        idle.forgive(Duration::from_secs(500));
        assert!(timeout(Duration::from_secs(9), poll_fn(|cx| idle.poll(cx))).await.is_err());
        assert!(timeout(Duration::from_secs(2), poll_fn(|cx| idle.poll(cx))).await.is_ok());
    }
}
