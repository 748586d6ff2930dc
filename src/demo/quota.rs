//! Groq's quota for one model: requests in a rolling window, requests per day, tokens per minute.
//!
//! As at the real host, the window that runs out first is the one that no header speaks of. A proxy learns of it only
//! from the 429, which is why this provider shows best what a chain is good for.

use std::time::Duration;

use super::bucket::Bucket;
use super::go_duration::go;
use super::rolling::Rolling;
use crate::domain::time::Mono;

/// Requests that fit into [`SPAN`].
const BURST: usize = 4;
const SPAN: Duration = Duration::from_secs(20);
/// The same rate as Groq words it.
const PER_MINUTE: u64 = 12;
const PER_DAY: u64 = 1_000;
const TOKENS_PER_MINUTE: u64 = 8_000;

/// Response headers, in order.
pub(crate) type Headers = Vec<(&'static str, String)>;

/// What one model may still take.
#[derive(Debug)]
pub(crate) struct Quota {
    burst: Rolling,
    day: Bucket,
    tokens: Bucket,
}

/// A request that does not fit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Limited {
    pub(crate) over: Over,
    pub(crate) limit: u64,
    pub(crate) used: u64,
    pub(crate) requested: u64,
    /// Until it would fit. For a request that never will: until the bucket is full, which helps nobody, but is sent.
    pub(crate) wait: Duration,
}

/// Which limit is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The rolling window.
    RequestsPerMinute,
    /// The day.
    RequestsPerDay,
    /// The minute's tokens.
    TokensPerMinute,
    /// One request with more tokens than a whole minute has.
    RequestSize,
}

impl Quota {
    /// Nothing used yet.
    pub(crate) fn new() -> Self {
        Self {
            burst: Rolling::new(BURST, SPAN),
            day: Bucket::new(PER_DAY, Duration::from_secs(86_400)),
            tokens: Bucket::new(TOKENS_PER_MINUTE, Duration::from_secs(60)),
        }
    }

    /// Lets a request through that asks for `requested` tokens and will use `used`; a refused one costs nothing.
    pub(crate) fn admit(&mut self, requested: u64, used: u64, now: Mono) -> Result<(), Limited> {
        if requested > TOKENS_PER_MINUTE {
            let wait = self.tokens.until_full(now);
            return Err(Limited { over: Over::RequestSize, limit: TOKENS_PER_MINUTE, used: 0, requested, wait });
        }
        let tokens_used = self.tokens.limit() - self.tokens.remaining(now);
        let hurdles = [
            (Over::TokensPerMinute, TOKENS_PER_MINUTE, tokens_used, requested, self.tokens.wait(requested, now)),
            (Over::RequestsPerMinute, PER_MINUTE, PER_MINUTE, 1, self.burst.wait(now)),
            (Over::RequestsPerDay, PER_DAY, PER_DAY, 1, self.day.wait(1, now)),
        ];
        for (over, limit, used, requested, wait) in hurdles {
            if !wait.is_zero() {
                return Err(Limited { over, limit, used, requested, wait });
            }
        }
        self.burst.take(now);
        self.day.take(1, now);
        self.tokens.take(used, now);
        Ok(())
    }

    /// What Groq tells on every answer: the day's requests and the minute's tokens.
    pub(crate) fn headers(&mut self, now: Mono) -> Headers {
        vec![
            ("x-ratelimit-limit-requests", self.day.limit().to_string()),
            ("x-ratelimit-remaining-requests", self.day.remaining(now).to_string()),
            ("x-ratelimit-reset-requests", go(self.day.until_full(now))),
            ("x-ratelimit-limit-tokens", self.tokens.limit().to_string()),
            ("x-ratelimit-remaining-tokens", self.tokens.remaining(now).to_string()),
            ("x-ratelimit-reset-tokens", go(self.tokens.until_full(now))),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(quota: &mut Quota, requested: u64, at: u64) -> (Over, Duration) {
        let limited = quota.admit(requested, requested, Mono(at)).unwrap_err();
        (limited.over, limited.wait)
    }

    #[test]
    fn the_fifth_request_in_twenty_seconds_waits_for_the_first_to_grow_old() {
        let mut quota = Quota::new();
        for at in [0, 1_000, 2_000, 3_000] {
            quota.admit(100, 100, Mono(at)).unwrap();
        }
        assert_eq!(refusal(&mut quota, 100, 7_500), (Over::RequestsPerMinute, Duration::from_millis(12_500)));
        quota.admit(100, 100, Mono(20_000)).unwrap();
        assert_eq!(refusal(&mut quota, 100, 20_000), (Over::RequestsPerMinute, Duration::from_secs(1)));
    }

    #[test]
    fn headers_speak_of_the_day_and_the_minute_and_never_of_the_window() {
        let mut quota = Quota::new();
        quota.admit(100, 73, Mono(0)).unwrap();
        let expected = ["1000", "999", "1m26.4s", "8000", "7927", "548ms"];
        let told: Vec<_> = quota.headers(Mono(0)).into_iter().map(|(_, value)| value).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn tokens_are_asked_for_by_budget_and_charged_by_use() {
        let mut quota = Quota::new();
        quota.admit(8_000, 2_000, Mono(0)).unwrap();
        let limited = quota.admit(7_000, 100, Mono(0)).unwrap_err();
        let wait = Duration::from_millis(7_500);
        let expected = Limited { over: Over::TokensPerMinute, limit: 8_000, used: 2_000, requested: 7_000, wait };
        assert_eq!(limited, expected);
        quota.admit(7_000, 100, Mono(7_500)).unwrap();
    }

    #[test]
    fn a_request_above_the_whole_minute_never_fits() {
        assert_eq!(refusal(&mut Quota::new(), 8_001, 0), (Over::RequestSize, Duration::ZERO));
    }

    #[test]
    fn a_refused_request_costs_nothing() {
        let mut quota = Quota::new();
        for _ in 0..4 {
            quota.admit(10, 10, Mono(0)).unwrap();
        }
        let before = quota.headers(Mono(0));
        for _ in 0..50 {
            quota.admit(10, 10, Mono(0)).unwrap_err();
        }
        assert_eq!(quota.headers(Mono(0)), before);
    }
}
