//! Merging what an answer says about a bucket with what was counted here.
//!
//! An answer shows the bucket as the provider saw it at some moment between the grant and the arrival. Calls that were
//! under way beside it may be in that number or not. So an answer is no value but two bounds: no more is left than it
//! says, and no less than that minus everything that it may not know of. What was counted here is believed between the
//! bounds. With no other call under way they meet, and the answer is taken at its word; with sixty under way they are
//! wide, and the count stands.
//!
//! Within a window that ends at a known time what remains only falls. So the lowest number told in it knows of every
//! call that has been answered, in whatever order the answers arrive, and only calls without an answer are in doubt.
//!
//! An answer that is older than the last one merged is left out.

use std::time::Duration;

use super::refill::Refill;
use super::{Bucket, Source, as_level};
use crate::domain::evidence::{Dimension, Reading, Reset, ResetKind};
use crate::domain::time::Mono;

/// From where an answer looks at a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// When its call was granted.
    pub granted: Mono,
    /// What the provider saw it saw no earlier than this.
    pub since: Mono,
    /// Charges that the provider may not have known of when it answered.
    pub unseen: u64,
    /// Charges of calls that have no answer yet.
    pub unheard: u64,
    /// What is held for calls under way, beyond what has been charged.
    pub held: u64,
}

impl Bucket {
    /// Merges a reading of this bucket. Resets lie behind `now`, when the answer arrived.
    pub fn observe(&mut self, reading: &Reading, source: Source, sight: Sight, now: Mono) {
        if self.merged.is_some_and(|merged| sight.granted < merged) {
            return;
        }
        self.merged = Some(sight.granted);
        self.told = now;
        self.source = source;
        if let Some(limit) = reading.limit.filter(|limit| *limit > 0) {
            self.change_limit(limit);
        }
        if let Some(reset) = reading.reset {
            self.follow(reset, reading, now);
        }
        if let Some(remaining) = reading.remaining {
            self.bound(reading, remaining, sight, now);
        }
        if let Some(Reset { after, kind: ResetKind::Next }) = reading.reset {
            self.promise(now.after(after), now);
        }
    }

    /// The limit is said to be this now. What has been used stays used.
    fn change_limit(&mut self, limit: u64) {
        if let Refill::Steady(rate) = &mut self.refill
            && limit != self.limit
        {
            self.level += as_level(limit) - as_level(self.limit);
            *rate *= as_level(limit) / as_level(self.limit);
        }
        if limit != self.limit {
            self.lowest_told = None;
        }
        self.limit = limit;
        self.limit_told = true;
    }

    fn follow(&mut self, reset: Reset, reading: &Reading, now: Mono) {
        let end = now.after(reset.after);
        match reset.kind {
            ResetKind::Full => {
                let rate = self.rate_told(reset, reading);
                if !matches!(self.refill, Refill::Steady(_)) {
                    self.level = as_level(self.left());
                    self.level_at = now;
                }
                self.refill = Refill::Steady(rate);
            }
            ResetKind::WindowEnd if reset.after.is_zero() => {}
            ResetKind::WindowEnd => self.end_at(end, now),
            ResetKind::Next => {}
        }
    }

    /// How much comes back per millisecond. A window of known length says so by itself. Else the time until the bucket
    /// is full does: what is missing is a whole number, so each answer tells a slowest and a fastest rate. The slowest
    /// that all agree upon counts.
    fn rate_told(&mut self, reset: Reset, reading: &Reading) -> f64 {
        let by_window = as_level(self.limit) / as_level(self.span);
        if self.window.is_some() {
            return by_window;
        }
        let missing = reading.limit.zip(reading.remaining).map_or(0, |(limit, left)| limit.saturating_sub(left));
        let wait = reset.after.as_secs_f64() * 1_000.0;
        if missing > 0 && wait > 0.0 {
            let slowest = as_level(missing - 1) / (wait + 1.0);
            let fastest = as_level(missing) / (wait - 1.0).max(0.1);
            let (low, high) = (slowest.max(self.rates.0), fastest.min(self.rates.1));
            // An answer that does not agree with those before: the limit has changed.
            self.rates = if low <= high { (low, high) } else { (slowest, fastest) };
        }
        match self.rates {
            (low, _) if low > 0.0 => low,
            (_, high) if high.is_finite() => high / 2.0,
            _ => by_window,
        }
    }

    /// The window ends at `end`. Resets are told in whole seconds, rounded up, and answers take their time: of several
    /// ends that are told of one window the first is nearest to the truth.
    fn end_at(&mut self, end: Mono, now: Mono) {
        match &mut self.refill {
            Refill::Calendar(_) | Refill::Steady(_) => {}
            Refill::Ending(old) if now < *old => {
                let moved = Duration::from_millis(end.0.abs_diff(old.0));
                let same = moved < Duration::from_millis((self.span / 4).clamp(1_000, 5_000));
                if same {
                    *old = end.min(*old);
                } else {
                    if end > *old {
                        // The provider has begun a new window already.
                        self.log.drop_until(Mono(now.0.saturating_sub(1)));
                    }
                    self.lowest_told = None;
                    self.refill = Refill::Ending(end);
                }
            }
            refill => {
                *refill = Refill::Ending(end);
                self.lowest_told = None;
                let begin = end.0.saturating_sub(self.span.saturating_add(self.slack()));
                self.log.drop_until(Mono(begin));
            }
        }
    }

    /// One more fits at `at`, the provider says.
    fn promise(&mut self, at: Mono, now: Mono) {
        match self.refill {
            Refill::Rolling => {
                let window = self.span + self.slack();
                self.log.age(1, Mono(at.0.saturating_sub(window)));
            }
            Refill::Steady(rate) => {
                let wait = as_level(at.0.saturating_sub(now.0));
                self.level = self.level.max(1.0 - rate * wait);
            }
            Refill::Ending(_) | Refill::Calendar(_) => {}
        }
    }

    /// No more than `remaining` is left, and no less than that without what the answer may not know of.
    fn bound(&mut self, reading: &Reading, remaining: u64, sight: Sight, now: Mono) {
        if !self.limit_told {
            self.limit = self.limit.max(self.log.sum().saturating_add(remaining)).max(1);
        }
        let remaining = remaining.min(self.limit);
        if let Refill::Steady(rate) = self.refill {
            return self.bound_level(rate, self.level_told(rate, reading, remaining), sight, now);
        }
        let mut unseen = sight.unseen;
        if let Refill::Ending(_) = self.refill {
            let lowest = self.lowest_told.is_none_or(|lowest| remaining <= lowest);
            if lowest {
                self.lowest_told = Some(remaining);
                unseen = unseen.min(sight.unheard);
            }
        }
        let left = signed(self.limit) - signed(self.log.sum()) - signed(sight.held);
        let (most, least) = (signed(remaining), signed(remaining) - signed(unseen));
        if left > most {
            self.log.add(now, left.abs_diff(most));
        } else if left < least {
            // The provider has counted less than was charged here: what is oldest has left its window.
            self.log.drop_oldest(left.abs_diff(least));
        }
    }

    /// What is left of a bucket that refills steadily, to a fraction: the time until it is full tells it better than a
    /// whole number.
    fn level_told(&self, rate: f64, reading: &Reading, remaining: u64) -> f64 {
        let whole = as_level(remaining);
        match reading.reset {
            Some(Reset { after, kind: ResetKind::Full }) => {
                // Where the rate is not known exactly, the fastest that it can be says the least.
                let fastest = if self.window.is_none() && self.rates.1.is_finite() { self.rates.1 } else { rate };
                let level = as_level(self.limit) - fastest * after.as_secs_f64() * 1_000.0;
                level.clamp(whole, whole + 1.0)
            }
            _ => whole,
        }
    }

    fn bound_level(&mut self, rate: f64, told: f64, sight: Sight, now: Mono) {
        // Some of it came back on the way.
        let back = rate * as_level(now.0.saturating_sub(sight.since.0));
        let most = (told + back).min(as_level(self.limit)) + as_level(sight.held);
        let least = told - as_level(sight.unseen) + as_level(sight.held);
        self.level = self.level.min(most).max(least).min(as_level(self.limit));
    }

    /// The same when this bucket is met for the first time, by the answer to a call that has cost `cost`: calls may have
    /// been under way that nobody has charged. They are charged as far as the answer cannot have counted them, if nobody
    /// else uses the key.
    pub fn meet(&mut self, reading: &Reading, source: Source, sight: Sight, cost: u64, now: Mono) {
        // A bucket that was full has not become fuller on the way.
        self.observe(reading, source, Sight { since: now, ..sight }, now);
        match self.refill {
            Refill::Steady(_) => {
                let others = if self.dimension == Dimension::Tokens { 0 } else { sight.unheard };
                self.level = self.level.min(as_level(self.limit.saturating_sub(cost.saturating_add(others))));
            }
            _ if self.dimension == Dimension::Requests => self.charge_unseen(reading.remaining, sight.unheard, now),
            _ => {}
        }
    }

    fn charge_unseen(&mut self, remaining: Option<u64>, others: u64, now: Mono) {
        let Some(remaining) = remaining else { return };
        let counted = self.limit.saturating_sub(remaining).saturating_sub(1);
        let missing = if self.limit_told { others.saturating_sub(counted) } else { others };
        self.charge(missing.min(self.left()), now);
    }

    /// A refusal states the limit.
    pub fn restate(&mut self, limit: u64, now: Mono) {
        self.change_limit(limit);
        self.told = now;
    }

    /// The same bucket, of a provider whose buckets refill all the time.
    #[must_use]
    pub fn refilling_steadily(mut self) -> Self {
        self.refill = Refill::Steady(as_level(self.limit) / as_level(self.span));
        self
    }

    /// Says that nobody has told the limit.
    #[must_use]
    pub fn without_limit(mut self) -> Self {
        self.limit_told = false;
        self
    }
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}
