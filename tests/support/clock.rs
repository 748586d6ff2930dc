//! Time that moves only when a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chain429::clock::Clock;
use chain429::domain::time::{Mono, Now, Wall};

/// 2026-11-24T12:00:00Z
pub const NOON: u64 = 1_795_521_600_000;

/// A clock that starts at noon.
#[derive(Clone, Default)]
pub struct TestClock(Arc<AtomicU64>);

impl TestClock {
    /// The clock for the proxy.
    pub fn clock(&self) -> Clock {
        let passed = Arc::clone(&self.0);
        Clock::from_fn(move || {
            let passed = passed.load(Ordering::SeqCst);
            Now { mono: Mono(1_000_000 + passed), wall: Wall(NOON + passed) }
        })
    }

    /// Lets time pass.
    pub fn advance(&self, span: Duration) {
        self.0.fetch_add(u64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }
}
