//! Time that begins at noon, when it is told to, and runs some times faster than real time.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chain429::clock::Clock;
use chain429::domain::time::{Mono, Now, Wall};
use tokio::time::Instant;

/// 2026-11-24T12:00:00Z
const NOON: u64 = 1_795_521_600_000;

/// The monotonic clock starts as late as this, so that nothing lies before its beginning.
const START: u64 = 1_000_000;

/// The source of the time of one run.
#[derive(Clone)]
pub(crate) struct Tempo(Arc<Inner>);

struct Inner {
    offset: u64,
    pace: u32,
    began: OnceLock<Instant>,
}

impl Tempo {
    /// Time stands at `offset` after noon.
    pub(crate) fn new(offset: Duration, pace: u32) -> Self {
        Self(Arc::new(Inner { offset: millis(offset), pace, began: OnceLock::new() }))
    }

    /// Time begins to run.
    pub(crate) fn go(&self) {
        self.0.began.get_or_init(Instant::now);
    }

    /// Virtual time in real time.
    pub(crate) fn pace(&self) -> u32 {
        self.0.pace
    }

    /// For proxy and providers.
    pub(crate) fn clock(&self) -> Clock {
        let (reading, waiting) = (self.clone(), self.clone());
        Clock::from_fn(move || reading.now()).with_alarm(move |at| {
            let tempo = waiting.clone();
            Box::pin(async move { tempo.sleep(|now| at.from_now(now.mono)).await })
        })
    }

    /// Waits for a time on the wall.
    pub(crate) async fn until(&self, at: Wall) {
        self.sleep(|now| Duration::from_millis(at.0.saturating_sub(now.wall.0))).await;
    }

    async fn sleep(&self, left: impl Fn(Now) -> Duration) {
        loop {
            let left = left(self.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left / self.0.pace).await;
        }
    }

    fn now(&self) -> Now {
        let passed = self.0.began.get().map_or(0, |began| millis(began.elapsed() * self.0.pace)) + self.0.offset;
        Now { mono: Mono(START + passed), wall: Wall(NOON + passed) }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
