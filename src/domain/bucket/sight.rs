//! Merging what an answer says about a bucket with what was counted here.
//!
//! An answer shows the bucket as the provider saw it at some moment between the grant and the arrival. Calls that were
//! under way beside it may be in that number or not. So an answer is no value but two bounds: no more is left than it
//! says, and no less than that minus everything that it may not know of. What was counted here is believed between the
//! bounds. With no other call under way they meet, and the answer is taken at its word; with sixty under way they are
//! wide, and the count stands. The order in which answers arrive makes no difference that matters: one that is older
//! than the last one merged is left out.

use std::time::Duration;

use super::refill::Refill;
use super::{Bucket, Source, as_level};
use crate::domain::evidence::{Reading, Reset, ResetKind};
use crate::domain::time::Mono;

/// From where an answer looks at a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// When its call was granted.
    pub granted: Mono,
    /// Charges that the provider may not have known of when it answered.
    pub unseen: u64,
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
            self.bound(remaining, sight, now);
        }
        if let Some(Reset { after, kind: ResetKind::Next }) = reading.reset {
            self.promise(now.after(after), now);
        }
    }

    /// The limit is said to be this now. What has been used stays used.
    fn change_limit(&mut self, limit: u64) {
        if let Refill::Steady(rate) = &mut self.refill {
            self.level += as_level(limit) - as_level(self.limit);
            *rate = as_level(limit) / as_level(self.span);
        }
        self.limit = limit;
        self.limit_told = true;
    }

    fn follow(&mut self, reset: Reset, reading: &Reading, now: Mono) {
        let end = now.after(reset.after);
        match reset.kind {
            ResetKind::Full => {
                let missing = reading.limit.zip(reading.remaining).map_or(0, |(limit, left)| limit.saturating_sub(left));
                let wait = reset.after.as_millis() as f64;
                let rate = match missing > 0 && wait > 0.0 {
                    true => as_level(missing) / wait,
                    false => as_level(self.limit) / as_level(self.span),
                };
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
                    self.refill = Refill::Ending(end);
                }
            }
            refill => {
                *refill = Refill::Ending(end);
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
    fn bound(&mut self, remaining: u64, sight: Sight, now: Mono) {
        let back = match self.refill {
            // Some of it came back on the way.
            Refill::Steady(rate) => (rate * as_level(now.0.saturating_sub(sight.granted.0))) as u64,
            _ => 0,
        };
        if !self.limit_told {
            self.limit = self.limit.max(self.log.sum().saturating_add(remaining)).max(1);
        }
        let remaining = remaining.min(self.limit);
        let left = match self.refill {
            Refill::Steady(_) => self.level as i64,
            _ => signed(self.limit) - signed(self.log.sum()),
        };
        let left = left - signed(sight.held);
        let most = signed(remaining.saturating_add(back).min(self.limit));
        let least = signed(remaining) - signed(sight.unseen);
        if left > most {
            self.charge(left.abs_diff(most), now);
        } else if left < least {
            self.forgive(left.abs_diff(least));
        }
    }

    /// The provider has counted less than was charged here: what is oldest has left its window.
    fn forgive(&mut self, amount: u64) {
        match self.refill {
            Refill::Steady(_) => self.level = (self.level + as_level(amount)).min(as_level(self.limit)),
            _ => self.log.drop_oldest(amount),
        }
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
