//! Time that moves only when a test says so.

use std::sync::Arc;
use std::time::Duration;

use chain429::clock::{Clock, EPOCH};
use chain429::domain::time::{Mono, Now, Wall};
use tokio::sync::watch;

/// 2026-11-24T12:00:00Z
pub const NOON: u64 = 1_795_521_600_000;

/// What the monotonic clock shows at noon.
const START: u64 = EPOCH + 1_000_000;

/// A clock that starts at noon, unless said otherwise.
#[derive(Clone)]
pub struct TestClock {
    passed: Arc<watch::Sender<u64>>,
    /// What the wall clock showed at the start.
    start: u64,
}

impl Default for TestClock {
    fn default() -> Self {
        Self::showing(NOON)
    }
}

impl TestClock {
    /// The clock of a process that starts when the wall clock shows `wall`. Its monotonic clock starts as every one does.
    pub fn showing(wall: u64) -> Self {
        Self { passed: Arc::new(watch::Sender::new(0)), start: wall }
    }

    /// The clock for the proxy, and for providers that keep time of their own.
    pub fn clock(&self) -> Clock {
        let passed = Arc::clone(&self.passed);
        let waiting = Arc::clone(&self.passed);
        let start = self.start;
        Clock::from_fn(move || {
            let passed = *passed.borrow();
            Now { mono: Mono(START + passed), wall: Wall(start + passed) }
        })
        .with_alarm(move |at| {
            let mut time = waiting.subscribe();
            Box::pin(async move {
                let _ = time.wait_for(|passed| START + *passed >= at.0).await;
            })
        })
    }

    /// Milliseconds since the start.
    pub fn passed(&self) -> u64 {
        *self.passed.borrow()
    }

    /// Lets time pass.
    pub fn advance(&self, span: Duration) {
        self.passed.send_modify(|passed| *passed += u64::try_from(span.as_millis()).unwrap());
    }
}
