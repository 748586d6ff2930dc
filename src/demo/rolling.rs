//! A rolling window: at most so many requests in any stretch of so much time.
//!
//! This is the truth that the proxy's own estimate is held against, so it remembers every single request instead of
//! approximating them.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::time::Mono;

/// The requests of the last `span`.
#[derive(Debug)]
pub(crate) struct Rolling {
    limit: usize,
    span: Duration,
    taken: VecDeque<Mono>,
}

impl Rolling {
    /// An empty window of `limit` requests per `span`.
    pub(crate) fn new(limit: usize, span: Duration) -> Self {
        Self { limit, span, taken: VecDeque::with_capacity(limit) }
    }

    /// How long until one more request fits; zero when it fits now.
    pub(crate) fn wait(&mut self, now: Mono) -> Duration {
        while self.taken.front().is_some_and(|first| first.after(self.span) <= now) {
            self.taken.pop_front();
        }
        match self.taken.front() {
            Some(first) if self.taken.len() >= self.limit => first.after(self.span).from_now(now),
            _ => Duration::ZERO,
        }
    }

    /// Counts one request that was let through.
    pub(crate) fn take(&mut self, now: Mono) {
        self.taken.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_come_back_one_by_one_as_they_grow_old() {
        let mut window = Rolling::new(2, Duration::from_secs(20));
        for at in [0, 5_000] {
            assert_eq!(window.wait(Mono(at)), Duration::ZERO);
            window.take(Mono(at));
        }
        assert_eq!(window.wait(Mono(6_000)), Duration::from_secs(14));
        assert_eq!(window.wait(Mono(19_999)), Duration::from_millis(1));
        assert_eq!(window.wait(Mono(20_000)), Duration::ZERO);
        window.take(Mono(20_000));
        assert_eq!(window.wait(Mono(20_000)), Duration::from_secs(5));
    }
}
