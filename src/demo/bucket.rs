//! A bucket that refills continuously, as Groq's day and minute limits do.

use std::time::Duration;

use crate::domain::time::Mono;

/// `limit` units that come back evenly over `window`.
#[derive(Debug)]
pub(crate) struct Bucket {
    limit: u64,
    window_ms: u64,
    /// What is missing, in units x `window_ms`: in this measure exactly `limit` comes back per millisecond, so no
    /// rounding adds up over a long run.
    missing: u64,
    seen: Mono,
}

impl Bucket {
    /// A full bucket. Limits and windows are those of this module's callers, far from overflowing.
    pub(crate) fn new(limit: u64, window: Duration) -> Self {
        let window_ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX).max(1);
        Self { limit, window_ms, missing: 0, seen: Mono::default() }
    }

    /// Its size.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Whole units left.
    pub(crate) fn remaining(&mut self, now: Mono) -> u64 {
        self.refill(now);
        self.limit.saturating_sub(self.missing.div_ceil(self.window_ms))
    }

    /// How long until it is full again: what Groq calls `reset`.
    pub(crate) fn until_full(&mut self, now: Mono) -> Duration {
        self.refill(now);
        Duration::from_millis(self.missing.div_ceil(self.limit.max(1)))
    }

    /// How long until `units` are there; zero when they are. More than the limit never are: ask [`Self::limit`] first.
    pub(crate) fn wait(&mut self, units: u64, now: Mono) -> Duration {
        self.refill(now);
        let may_miss = self.limit.saturating_sub(units).saturating_mul(self.window_ms);
        Duration::from_millis(self.missing.saturating_sub(may_miss).div_ceil(self.limit.max(1)))
    }

    /// Takes `units`, down to an empty bucket and no further.
    pub(crate) fn take(&mut self, units: u64, now: Mono) {
        self.refill(now);
        let full = self.limit.saturating_mul(self.window_ms);
        self.missing = self.missing.saturating_add(units.saturating_mul(self.window_ms)).min(full);
    }

    fn refill(&mut self, now: Mono) {
        let passed = now.0.saturating_sub(self.seen.0);
        self.missing = self.missing.saturating_sub(passed.saturating_mul(self.limit));
        self.seen = self.seen.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn one_of_a_thousand_a_day_is_back_after_86_4_seconds() {
        let mut day = Bucket::new(1_000, DAY);
        day.take(1, Mono(0));
        assert_eq!(day.remaining(Mono(0)), 999);
        assert_eq!(day.until_full(Mono(0)), Duration::from_millis(86_400));
        assert_eq!(day.remaining(Mono(86_399)), 999);
        assert_eq!(day.remaining(Mono(86_400)), 1_000);
        assert_eq!(day.until_full(Mono(86_400)), Duration::ZERO);
    }

    #[test]
    fn a_wait_is_for_what_is_asked_and_not_for_a_full_bucket() {
        let mut minute = Bucket::new(6_000, MINUTE);
        minute.take(6_000, Mono(0));
        assert_eq!(minute.wait(100, Mono(0)), Duration::from_secs(1));
        assert_eq!(minute.wait(100, Mono(400)), Duration::from_millis(600));
        assert_eq!(minute.wait(100, Mono(1_000)), Duration::ZERO);
        assert_eq!(minute.until_full(Mono(1_000)), Duration::from_secs(59));
    }

    #[test]
    fn an_older_reading_of_the_clock_refills_nothing() {
        let mut minute = Bucket::new(60, MINUTE);
        minute.take(10, Mono(5_000));
        assert_eq!(minute.remaining(Mono(1_000)), 50);
        assert_eq!(minute.remaining(Mono(6_000)), 51);
    }
}
