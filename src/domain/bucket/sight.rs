//! Merging what an answer says about a bucket with what was counted here.
//!
//! An answer shows the bucket as the provider saw it at some moment between the grant and the arrival. Calls that were
//! under way beside it may be in that number or not. So an answer is no value but two bounds: no more is left than it
//! says, and no less than that minus everything that it may not know of. What was counted here is believed between the
//! bounds. With no other call under way they meet, and the answer is taken at its word; with sixty under way they are
//! wide, and the count stands.
//!
//! Within a window that ends at a known time what remains only falls. So the lowest number told in it knows of every
//! call whose answer told a number, in whatever order they arrive, and only the other calls are in doubt.
//!
//! An answer that is older than the last one merged is left out.

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
    /// Charges of calls that have no answer yet, or had one that told nothing.
    pub unheard: u64,
    /// What is held for calls under way, beyond what has been charged.
    pub held: u64,
    /// How much of that the provider counts when a call arrives, at least. The rest is a guess, and comes back when the
    /// call ends without the provider's giving anything back.
    pub counted: u64,
}

/// When a window ends, as far as one answer tells.
#[derive(Clone, Copy, Debug)]
struct End {
    granted: Mono,
    from: Mono,
    to: Mono,
}

impl End {
    /// The answer says how long after it was written, which was between the grant and now. Whole seconds are rounded up.
    fn told(after: Duration, granted: Mono, now: Mono) -> Self {
        let rounded = if after.subsec_nanos() == 0 { Duration::from_secs(1) } else { Duration::ZERO };
        Self { granted, from: granted.after(after.saturating_sub(rounded)), to: now.after(after) }
    }
}

impl Bucket {
    /// Merges a reading of this bucket. Resets lie behind `now`, when the answer arrived.
    pub fn observe(&mut self, reading: &Reading, source: Source, sight: Sight, now: Mono) {
        if let (Refill::Ending(_), Some(remaining)) = (&self.refill, reading.remaining) {
            // Also of answers that are left out: of the calls that they speak for the lowest number must know.
            self.lowest_told = self.lowest_told.map(|lowest| lowest.min(remaining));
        }
        let limit = reading.limit.filter(|limit| *limit > 0);
        if self.merged.is_some_and(|merged| sight.granted < merged) {
            // A limit stays the same for longer than what is left of it.
            if let Some(limit) = limit.filter(|_| !self.limit_told) {
                self.change_limit(limit);
            }
            return;
        }
        let first = self.merged.is_none();
        self.merged = Some(sight.granted);
        self.told = now;
        self.source = source;
        if let Some(limit) = limit {
            self.change_limit(limit);
        }
        if let Some(reset) = reading.reset {
            self.follow(reset, reading, sight.granted, now);
        }
        if let Some(remaining) = reading.remaining {
            // How much has come back since it was written is not known: after the first answer the count tells.
            let written = if first { now } else { sight.granted };
            self.bound(remaining, reading.reset, Sight { granted: written, ..sight }, now);
        }
        if let Some(Reset { after, kind: ResetKind::Next }) = reading.reset {
            self.promise(now.after(after), now);
        }
    }

    /// The limit is said to be this now. What has been used stays used.
    fn change_limit(&mut self, limit: u64) {
        if let Refill::Steady(rate) = &mut self.refill {
            self.level += as_level(limit) - as_level(self.limit);
            *rate *= as_level(limit) / as_level(self.limit.max(1));
        }
        if limit != self.limit {
            self.lowest_told = None;
        }
        self.limit = limit;
        self.limit_told = true;
    }

    fn follow(&mut self, reset: Reset, reading: &Reading, granted: Mono, now: Mono) {
        match reset.kind {
            ResetKind::Full => {
                let missing =
                    reading.limit.zip(reading.remaining).map_or(0, |(limit, left)| limit.saturating_sub(left));
                let wait = reset.after.as_millis() as f64;
                let told = (missing > 0 && wait > 0.0).then(|| rate(self.limit, missing, wait));
                let known = match &self.refill {
                    Refill::Steady(rate) if self.rate_told => Some(*rate),
                    _ => self.window.map(|_| as_level(self.limit) / as_level(self.span)),
                };
                let whole = as_level(self.limit) / as_level(self.span);
                // One missing unit of one or two may be any part of a unit: nothing tells a rate above the usual.
                let coarse = (missing <= 1 && self.limit <= 2).then_some(whole);
                let rate = told.into_iter().chain(known).chain(coarse).reduce(f64::min);
                let rate = rate.unwrap_or(whole);
                self.rate_told |= told.is_some();
                if !matches!(self.refill, Refill::Steady(_)) {
                    self.level = as_level(self.left());
                    self.level_at = now;
                }
                self.refill = Refill::Steady(rate);
            }
            ResetKind::WindowEnd if reset.after.is_zero() => {}
            ResetKind::WindowEnd => self.end_at(End::told(reset.after, granted, now), now),
            ResetKind::Next => {}
        }
    }

    /// The window ends within `told`. Of several answers of one window each narrows that down.
    fn end_at(&mut self, told: End, now: Mono) {
        let End { from, to, .. } = told;
        // Calls under way may be counted in the new window. Where its length is a guess, all before the call go.
        let begin = Mono(from.0.saturating_sub(self.span.saturating_add(self.slack())));
        let before = begin.min(Mono(told.granted.0.saturating_sub(1)));
        match &mut self.refill {
            Refill::Calendar(_) | Refill::Steady(_) => {}
            Refill::Ending(old) if now < *old => {
                if from.0 > old.0.saturating_add(1_000) {
                    // The provider has begun a new window already.
                    self.log.drop_until(before);
                    (self.refill, self.ends_after) = (Refill::Ending(to), from);
                    self.lowest_told = None;
                } else if to < self.ends_after {
                    (self.refill, self.ends_after) = (Refill::Ending(to), from);
                    self.lowest_told = None;
                } else {
                    *old = to.min(*old);
                    self.ends_after = from.max(self.ends_after).min(*old);
                }
            }
            refill => {
                (*refill, self.ends_after) = (Refill::Ending(to), from);
                self.lowest_told = None;
                self.log.drop_until(before);
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
    fn bound(&mut self, remaining: u64, reset: Option<Reset>, sight: Sight, now: Mono) {
        if !self.limit_told {
            self.limit = self.limit.max(self.log.sum().saturating_add(remaining)).max(1);
        }
        let remaining = remaining.min(self.limit);
        if let Refill::Steady(rate) = self.refill {
            return self.bound_level(rate, remaining, reset, sight, now);
        }
        let left = signed(self.limit) - signed(self.log.sum());
        let (left, could) = (left - signed(sight.held), left - signed(sight.counted));
        let mut unseen = sight.unseen;
        if matches!(self.refill, Refill::Ending(_)) && self.lowest_told.is_none_or(|lowest| remaining <= lowest) {
            self.lowest_told = Some(remaining);
            unseen = unseen.min(sight.unheard);
        }
        let (most, least) = (signed(remaining), signed(remaining) - signed(unseen));
        if could > most {
            self.charge(could.abs_diff(most), self.before_the_end(now));
        } else if left < least {
            // The provider has counted less than was charged here: what is oldest has left its window.
            self.log.drop_oldest(left.abs_diff(least));
        }
    }

    /// The same where a little comes back all the time. What is left is told in whole units, but the time until all of
    /// it is back tells the rest.
    fn bound_level(&mut self, rate: f64, remaining: u64, reset: Option<Reset>, sight: Sight, now: Mono) {
        let (held, counted, whole) = (as_level(sight.held), as_level(sight.counted), as_level(remaining));
        let left = match reset {
            Some(Reset { after, kind: ResetKind::Full }) => {
                (as_level(self.limit) - rate * after.as_millis() as f64).clamp(whole, whole + 1.0)
            }
            // A part of a unit more than is told may be there, and is believed if it was counted so.
            _ if self.level - held < whole + 1.0 => whole.max(self.level - held),
            _ => whole,
        };
        let back = rate * as_level(now.0.saturating_sub(sight.granted.0));
        let least = left - as_level(sight.unseen) + held;
        self.level = self.level.min(left + back + counted).max(least);
    }

    /// When something was used that an answer tells of: before the end that it tells, too, with which it comes back.
    fn before_the_end(&self, now: Mono) -> Mono {
        match self.refill {
            Refill::Ending(end) if end.0.saturating_sub(self.ends_after.0) < self.span / 2 => {
                Mono(self.ends_after.0.saturating_sub(self.slack())).min(now)
            }
            _ => now,
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

    /// The same bucket, to which calls that were granted before have not been charged.
    #[must_use]
    pub fn made_late(mut self) -> Self {
        self.spared = u64::MAX;
        self
    }

    /// Says that nobody has told the limit.
    #[must_use]
    pub fn without_limit(mut self) -> Self {
        self.limit_told = false;
        self
    }
}

/// The rate of a bucket that is full again after `wait` milliseconds, with `missing` of its `limit` used.
///
/// What is left is told in whole units, rounded down, so that only bounds of the rate are known. Windows are round: the
/// shortest round one between the bounds it is.
fn rate(limit: u64, missing: u64, wait: f64) -> f64 {
    const ROUND: [u32; 24] = [
        1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 18_000, 21_600,
        43_200, 86_400, 604_800, 2_592_000,
    ];
    let shortest = as_level(limit) * wait / as_level(missing);
    let longest = if missing > 1 { as_level(limit) * wait / as_level(missing - 1) } else { f64::INFINITY };
    // Waits are rounded, too.
    let between = |window: &f64| (0.999 * shortest..longest).contains(window);
    let round = ROUND.iter().map(|seconds| f64::from(*seconds) * 1_000.0).find(between);
    as_level(limit) / round.unwrap_or(shortest)
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}
