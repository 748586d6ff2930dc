//! The only place that reads clocks. Everything else is given a [`Clock`] or a time.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::domain::time::{Mono, Now, Wall};

/// What the monotonic clock shows at the start of the process: charges of the month before have a time, too.
pub const EPOCH: u64 = 100 * 86_400_000;

/// Ends when its clock shows a certain time.
pub type Alarm = Pin<Box<dyn Future<Output = ()>>>;

/// A source of time, cheap to clone. Tests put a steerable one in its place.
#[derive(Clone)]
pub struct Clock {
    both: Arc<dyn Fn() -> Now + Send + Sync>,
    /// Reads one clock in place of two: this is asked for several times per request.
    mono: Arc<dyn Fn() -> Mono + Send + Sync>,
    alarm: Arc<dyn Fn(Mono) -> Alarm + Send + Sync>,
}

impl Clock {
    /// The machine's clocks; the monotonic one starts now, at [`EPOCH`].
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the place that reads clocks")]
    pub fn system() -> Self {
        let start = awake_or_asleep();
        let mono =
            move || Mono(EPOCH.saturating_add(whole_millis(awake_or_asleep().saturating_sub(start).as_millis())));
        let wall = || Wall(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| whole_millis(age.as_millis())));
        Self {
            both: Arc::new(move || Now { mono: mono(), wall: wall() }),
            mono: Arc::new(mono),
            alarm: Arc::new(move |at| Box::pin(sleep_until(at, mono))),
        }
    }

    /// A clock that reads `source`, which goes as fast as real time or stands still.
    pub fn from_fn(source: impl Fn() -> Now + Send + Sync + 'static) -> Self {
        let both = Arc::new(source);
        let (mono, reading) = (Arc::clone(&both), Arc::clone(&both));
        let alarm = move |at| -> Alarm {
            let reading = Arc::clone(&reading);
            Box::pin(sleep_until(at, move || reading().mono))
        };
        Self { both, mono: Arc::new(move || mono().mono), alarm: Arc::new(alarm) }
    }

    /// The same clock with another way to wait for a time: for time that is not real.
    #[must_use]
    pub fn with_alarm(mut self, alarm: impl Fn(Mono) -> Alarm + Send + Sync + 'static) -> Self {
        self.alarm = Arc::new(alarm);
        self
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

    /// Waits until the monotonic clock shows `at`.
    #[must_use]
    pub fn until(&self, at: Mono) -> Alarm {
        (self.alarm)(at)
    }
}

/// Time that also passes while the machine sleeps: quota comes back meanwhile, and a laptop that wakes up must not wait
/// for hours that are over.
#[cfg(target_os = "linux")]
fn awake_or_asleep() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

/// Elsewhere the standard library's clock has to do.
#[cfg(not(target_os = "linux"))]
#[allow(clippy::disallowed_methods, reason = "this is the place that reads clocks")]
fn awake_or_asleep() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

/// How long processors have worked for this process; `None` where the system does not say.
#[must_use]
pub fn processor_time() -> Option<Duration> {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// A timer may fire early on another clock than its own.
async fn sleep_until(at: Mono, now: impl Fn() -> Mono) {
    loop {
        let left = at.from_now(now());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left).await;
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
