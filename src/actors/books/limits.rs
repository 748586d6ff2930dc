//! Configured limits as buckets.

use std::num::NonZeroU64;
use std::time::Duration;

use crate::domain::bucket::refill::{Calendar, Period, Refill};
use crate::domain::bucket::{Bucket, Source};
use crate::domain::evidence::{DAY, Dimension, HOUR, MINUTE, MONTH};
use crate::domain::ledger::Ledger;
use crate::domain::limits::Limits;
use crate::domain::time::Now;

/// A ledger that holds calls within `limits`.
pub(super) fn ledger(limits: &Limits, now: Now) -> Ledger {
    use Dimension::{Requests, Tokens};

    let table: [(Dimension, Duration, Option<NonZeroU64>); 8] = [
        (Requests, MINUTE, limits.requests_per_minute),
        (Requests, HOUR, limits.requests_per_hour),
        (Requests, DAY, limits.requests_per_day),
        (Requests, MONTH, limits.requests_per_month),
        (Tokens, MINUTE, limits.tokens_per_minute),
        (Tokens, HOUR, limits.tokens_per_hour),
        (Tokens, DAY, limits.tokens_per_day),
        (Tokens, MONTH, limits.tokens_per_month),
    ];
    let buckets = table.into_iter().filter_map(|(dimension, window, limit)| {
        let period = match window {
            DAY => Some(Period::Day),
            MONTH => Some(Period::Month),
            _ => None,
        };
        let calendar = period.and_then(|period| Calendar::new(period, &limits.day_resets_at, now));
        let refill = calendar.map_or(Refill::Rolling, Refill::Calendar);
        Some(Bucket::new(dimension, Some(window), limit?.get(), refill, Source::Configured, now.mono))
    });
    let slots = limits.concurrent_requests.map(|limit| u32::try_from(limit.get()).unwrap_or(u32::MAX));
    Ledger::new(slots, buckets.collect())
}
