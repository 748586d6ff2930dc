//! What a ledger can give until a time to come.

use super::Ledger;
use crate::domain::cooldown::Deadline;
use crate::domain::demand::Need;
use crate::domain::evidence::Dimension;
use crate::domain::time::Mono;

/// A slot that is taken is taken for about so many milliseconds, before anything is known.
const HOLD: u64 = 1_000;

impl Ledger {
    /// How many calls of this size could be made until the time `at`, all of them together.
    #[must_use]
    pub fn slots_by(&self, need: Need, now: Mono, at: Mono) -> u64 {
        let Some(begin) = self.begins(now).filter(|begin| *begin <= at) else { return 0 };
        if self.too_large(need).is_some() {
            return 0;
        }
        let buckets = self.buckets.iter().map(|bucket| {
            let (amount, held) = self.share(bucket, need);
            bucket.released_by(held, now, at) / amount.max(1)
        });
        let slots = self.slots.map(|limit| {
            let turns = at.0.saturating_sub(begin.0) / self.hold.unwrap_or(HOLD).max(1);
            let free = u64::from(limit.saturating_sub(self.in_flight));
            free.saturating_add(turns.saturating_mul(limit.into()))
        });
        buckets.chain(slots).min().unwrap_or(u64::MAX)
    }

    /// When its cooldown is over, which is now if there is none; `None`: not by waiting.
    #[must_use]
    pub fn begins(&self, now: Mono) -> Option<Mono> {
        match self.cooldowns.active(now).map(|cooldown| cooldown.until) {
            Some(Deadline::Never) => None,
            Some(Deadline::At(end)) => Some(end),
            None => Some(now),
        }
    }

    /// How many requests, or tokens, can be had from `begin` on and until `at`; `None` when no limit of them is known.
    #[must_use]
    pub fn left_by(&self, dimension: Dimension, now: Mono, begin: Mono, at: Mono) -> Option<u64> {
        let held = if dimension == Dimension::Tokens { self.held } else { 0 };
        let buckets = self.buckets.iter().filter(|bucket| bucket.dimension() == dimension);
        let left = buckets.map(|bucket| bucket.left_by(held, now, begin, at));
        // Of several limits one that is not known may be the least, but what is known bounds it.
        left.flatten().min()
    }
}
