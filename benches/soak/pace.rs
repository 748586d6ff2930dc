//! The common pace of all clients: a soak, and no stress test.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Hands out turns.
#[derive(Debug)]
pub(crate) struct Pace {
    began: Instant,
    lasting: Duration,
    rate: u32,
    most: u64,
    next: AtomicU64,
}

impl Pace {
    /// `rate` turns a second, `most` in all, for as long as that.
    pub(crate) fn new(rate: u32, most: u64, lasting: Duration) -> Self {
        Self { began: Instant::now(), lasting, rate, most, next: AtomicU64::new(0) }
    }

    /// Waits for the next turn; nothing when there is none.
    pub(crate) async fn turn(&self) -> Option<()> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let due = Duration::from_secs(turn) / self.rate;
        if turn >= self.most || due.max(self.began.elapsed()) >= self.lasting {
            return None;
        }
        sleep_until(self.began + due).await;
        Some(())
    }
}
