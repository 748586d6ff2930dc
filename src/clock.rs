//! The only place that reads clocks. Everything else is given a [`Clock`] or a time.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::{Mono, Now, Wall};

/// A source of time, cheap to clone. Tests put a steerable one in its place.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Now + Send + Sync>);

impl Clock {
    /// The machine's clocks; the monotonic one starts now.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the place that reads clocks")]
    pub fn system() -> Self {
        let start = Instant::now();
        Self::from_fn(move || Now {
            mono: Mono(whole_millis(start.elapsed().as_millis())),
            wall: Wall(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| whole_millis(age.as_millis()))),
        })
    }

    /// A clock that reads `source`.
    pub fn from_fn(source: impl Fn() -> Now + Send + Sync + 'static) -> Self {
        Self(Arc::new(source))
    }

    /// Both clocks, read once.
    #[must_use]
    pub fn now(&self) -> Now {
        (self.0)()
    }

    /// The monotonic clock.
    #[must_use]
    pub fn mono(&self) -> Mono {
        self.now().mono
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
