//! A configured limit that has changed while calls are counted under it.

use super::Bucket;
use super::refill::Refill;
use crate::domain::time::Now;

impl Bucket {
    /// Whether both are the same line of the configuration: what they count, over which window.
    #[must_use]
    pub fn is_namesake(&self, other: &Self) -> bool {
        (self.dimension, self.window, self.source) == (other.dimension, other.window, other.source)
    }

    /// Takes over the limit of its namesake, and how that recovers. What was used stays used, so that a raised limit gives
    /// room at once and a lowered one holds at once.
    pub fn retune(&mut self, new: Self, now: Now) {
        self.limit = new.limit;
        let same_days = match (&self.refill, &new.refill) {
            (Refill::Calendar(own), Refill::Calendar(new)) => own.is_like(new),
            (own, new) => own == new,
        };
        if !same_days {
            if let Refill::Calendar(calendar) = &new.refill {
                self.log.drop_until(now.mono_at(calendar.begin_wall()));
            }
            self.refill = new.refill;
        }
        self.advance(now);
    }
}
