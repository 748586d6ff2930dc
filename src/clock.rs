//! The only place that reads clocks. Everything else is given a [`Clock`] or a time.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::{Mono, Now, Wall};

/// A source of time, cheap to clone. Tests put a steerable one in its place.
#[derive(Clone)]
pub struct Clock {
    both: Arc<dyn Fn() -> Now + Send + Sync>,
    /// Reads one clock in place of two: this is asked for several times per request.
    mono: Arc<dyn Fn() -> Mono + Send + Sync>,
}

impl Clock {
    /// The machine's clocks; the monotonic one starts now.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the place that reads clocks")]
    pub fn system() -> Self {
        let start = Instant::now();
        let mono = move || Mono(whole_millis(start.elapsed().as_millis()));
        let wall = || Wall(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| whole_millis(age.as_millis())));
        Self { both: Arc::new(move || Now { mono: mono(), wall: wall() }), mono: Arc::new(mono) }
    }

    /// A clock that reads `source`.
    pub fn from_fn(source: impl Fn() -> Now + Send + Sync + 'static) -> Self {
        let both = Arc::new(source);
        let mono = Arc::clone(&both);
        Self { both, mono: Arc::new(move || mono().mono) }
    }

    /// Both clocks, read once.
    #[must_use]
    pub fn now(&self) -> Now {
        (self.both)()
    }

    /// The monotonic clock.
    #[must_use]
    pub fn mono(&self) -> Mono {
        (self.mono)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

fn whole_millis(millis: u128) -> u64 {
    u64::try_from(millis).unwrap_or(u64::MAX)
}
