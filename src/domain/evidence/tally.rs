//! Buckets in the making: several lines and a text speak of the same one.

use std::time::Duration;

use super::{DAY, Dimension, MINUTE, MONTH, Reading, Reset, ResetKind, rules};
use crate::domain::dialect::Dialect;
use crate::domain::hints::FLOOR;
use crate::domain::outcome::{Basis, Reason, Verdict};
use crate::domain::time::Wall;

/// More buckets than any provider has; an answer that names more is not believed further.
const MAX_BUCKETS: usize = 16;

/// Everything an answer has said so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    buckets: Vec<Bucket>,
    /// What is thrown away, once there are too many.
    surplus: Bucket,
    /// Windows that the answer tells apart from the names, of requests and of tokens.
    periods: [Option<Duration>; 2],
    renewal: Option<Duration>,
}

/// One bucket.
#[derive(Clone, Debug, Default)]
pub(super) struct Bucket {
    dimension: Option<Dimension>,
    window: Option<Duration>,
    limit: Option<u64>,
    remaining: Option<u64>,
    /// What is left is less than nothing, which means "unlimited" without a limit.
    below_zero: bool,
    reset: Option<Reset>,
    /// This is the one that refused the request.
    refused: bool,
}

impl Bucket {
    /// A limit; of several the smallest counts.
    pub(super) fn limited(&mut self, limit: u64) {
        self.limit = Some(self.limit.map_or(limit, |other| other.min(limit)));
    }

    /// What is left; of several numbers the smallest counts.
    pub(super) fn left(&mut self, remaining: u64, below_zero: bool) {
        self.remaining = Some(self.remaining.map_or(remaining, |other| other.min(remaining)));
        self.below_zero |= below_zero;
    }

    /// When it recovers; of several times the latest counts, and of equal ones the end of the window.
    pub(super) fn resets(&mut self, reset: Reset) {
        let rank = |reset: Reset| (reset.after, reset.kind == ResetKind::WindowEnd);
        if self.reset.is_none_or(|other| rank(other) < rank(reset)) {
            self.reset = Some(reset);
        }
    }

    /// It has refused the request.
    pub(super) fn refused(&mut self) {
        self.refused = true;
    }

    fn merge(&mut self, other: &Self) {
        if let Some(limit) = other.limit {
            self.limited(limit);
        }
        if let Some(remaining) = other.remaining {
            self.left(remaining, other.below_zero);
        }
        if let Some(reset) = other.reset {
            self.resets(reset);
        }
        self.refused |= other.refused;
    }

    fn is_spent(&self) -> bool {
        self.remaining == Some(0) && self.limit != Some(0)
    }

    fn reading(&self) -> Option<Reading> {
        // `-1` beside a limit is nothing left, without one it is no limit.
        let remaining = self.remaining.filter(|_| !self.below_zero || self.limit.is_some());
        if self.limit.is_none() && remaining.is_none() {
            return None;
        }
        // A bad line must not cost more than a day, unless the window itself is longer.
        let clamp = self.window.unwrap_or(DAY).clamp(DAY, MONTH);
        Some(Reading {
            dimension: self.dimension?,
            window: self.window,
            limit: self.limit,
            remaining: remaining.map(|left| self.limit.map_or(left, |limit| left.min(limit))),
            reset: self.reset.map(|reset| Reset { after: reset.after.min(clamp), ..reset }),
        })
    }
}

impl Tally {
    /// The bucket of this kind and window, or of a window that is still to be found out.
    pub(super) fn bucket(&mut self, dimension: Dimension, window: Option<Duration>) -> &mut Bucket {
        let is_it = |bucket: &Bucket| bucket.dimension == Some(dimension) && bucket.window == window;
        if !self.buckets.iter().any(is_it) {
            if self.buckets.len() >= MAX_BUCKETS {
                return &mut self.surplus;
            }
            self.buckets.push(Bucket { dimension: Some(dimension), window, ..Bucket::default() });
        }
        self.buckets.iter_mut().find(|bucket| is_it(bucket)).unwrap_or(&mut self.surplus)
    }

    /// A window that the value of a header names, for the bucket of that header; of several the shortest counts.
    pub(super) fn has_period(&mut self, dimension: Dimension, window: Duration) {
        let [requests, tokens] = &mut self.periods;
        let period = match dimension {
            Dimension::Requests => requests,
            Dimension::Tokens => tokens,
            Dimension::Neurons => return,
        };
        *period = Some(period.map_or(window, |other| other.min(window)));
    }

    /// A window that a header of its own names. Azure sends it once, for all buckets.
    pub(super) fn renews(&mut self, dimension: Dimension, window: Duration) {
        self.has_period(dimension, window);
        self.renewal = Some(self.renewal.map_or(window, |other| other.min(window)));
    }

    /// The readings: each dimension and window once, in the order in which they were named.
    pub(super) fn finish(self, dialect: Dialect, verdict: &Verdict, now: Wall) -> Vec<Reading> {
        if self.buckets.is_empty() {
            return Vec::new();
        }
        let mut merged: Vec<Bucket> = Vec::with_capacity(self.buckets.len());
        for mut bucket in self.buckets {
            if bucket.window.is_none() {
                let [requests, tokens] = self.periods;
                let told = if bucket.dimension == Some(Dimension::Tokens) { tokens } else { requests };
                let assumed = bucket.dimension.and_then(|dimension| rules::unnamed(dialect, dimension));
                bucket.window = told.or(self.renewal).or(assumed);
            }
            let same = |other: &&mut Bucket| other.dimension == bucket.dimension && other.window == bucket.window;
            match merged.iter_mut().find(same) {
                Some(other) => other.merge(&bucket),
                None => merged.push(bucket),
            }
        }
        // The wait of an overload is not that of a bucket.
        if matches!(verdict.reason, Some(Reason::RateLimit | Reason::Quota)) {
            told(&mut merged, dialect, verdict, now);
        }
        merged.iter().filter_map(Bucket::reading).collect()
    }
}

/// Gives the wait of a refusal to the bucket that refused.
fn told(buckets: &mut [Bucket], dialect: Dialect, verdict: &Verdict, now: Wall) {
    let Some(hint) = verdict.hint else { return };
    let reset = Some(Reset { after: hint.wait, kind: rules::hint_kind(dialect, hint) });
    let minute = rules::boundary(dialect, MINUTE, now).map(|wait| wait.max(FLOOR));
    if hint.basis == Basis::Calendar && minute == Some(hint.wait) {
        // The wall clock's minute ends for every bucket that is counted by it, spent or not.
        let reset = Some(Reset { after: hint.wait, kind: ResetKind::WindowEnd });
        buckets.iter_mut().filter(|bucket| bucket.window == Some(MINUTE)).for_each(|bucket| {
            bucket.reset = bucket.reset.or(reset);
        });
        return;
    }
    let named = buckets.iter().any(|bucket| bucket.refused);
    let is_hit = |bucket: &Bucket| if named { bucket.refused } else { bucket.is_spent() };
    // Of several the longest was waited for, and of the others nothing is known.
    let longest = buckets.iter().filter(|bucket| is_hit(bucket)).map(|bucket| bucket.window).max();
    let hit = buckets.iter_mut().filter(|bucket| is_hit(bucket) && Some(bucket.window) == longest);
    hit.for_each(|bucket| bucket.reset = bucket.reset.or(reset));
}
