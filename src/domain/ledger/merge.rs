//! Merging what answers say about quota into the buckets of a ledger.

use std::time::Duration;

use super::{Ledger, Mark};
use crate::domain::bucket::refill::Refill;
use crate::domain::bucket::{Bucket, Sight, Source};
use crate::domain::evidence::{DAY, Dimension, Reading, Stated};
use crate::domain::time::{Mono, Now};

/// The call whose answer is merged.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// What this ledger knew when it granted the call.
    pub mark: Mark,
    /// When that was.
    pub granted: Mono,
    /// Tokens of the call itself that the provider may not have counted when it wrote the answer's head.
    pub own: u64,
    /// Whether the provider's buckets refill all the time.
    pub steady: bool,
}

impl Ledger {
    /// Merges the reading of one bucket.
    pub fn observe(&mut self, reading: &Reading, source: Source, answered: &Answered, now: Now) {
        let Reading { dimension, window, limit, remaining, .. } = *reading;
        let place = self.told_bucket(dimension, window);
        let says_something = limit.is_some_and(|limit| limit > 0) || (limit, remaining) == (None, Some(0));
        if dimension == Dimension::Neurons || (place.is_none() && !says_something) {
            return;
        }
        let sight = self.sight(dimension, answered);
        let mut bucket = match place {
            Some(place) => self.buckets.swap_remove(place),
            None => {
                let bucket = told(dimension, window, limit.unwrap_or(1), source, answered.steady, now.mono);
                if limit.is_some() { bucket } else { bucket.without_limit() }
            }
        };
        bucket.advance(now);
        bucket.observe(reading, source, sight, now.mono);
        if place.is_none() {
            // Calls that the bucket has not seen, because it was not there.
            let unseen = match dimension {
                Dimension::Requests => sight.unseen,
                // Those of calls under way are held.
                _ => sight.unseen.saturating_sub(sight.held),
            };
            bucket.charge_earlier(unseen, now.mono);
        }
        self.buckets.push(bucket);
        self.changed = true;
    }

    /// Takes up a limit that a refusal states.
    pub fn learn(&mut self, stated: Stated, steady: bool, now: Now) {
        self.changed = true;
        match stated {
            Stated::Context(limit) => self.stated_context = Some((limit, now.mono)),
            Stated::Window { dimension: Dimension::Neurons, .. } | Stated::Window { limit: 0, .. } => {}
            Stated::Window { dimension, window, limit } => {
                match self.told_bucket(dimension, Some(window)).and_then(|place| self.buckets.get_mut(place)) {
                    Some(bucket) => bucket.restate(limit, now.mono),
                    None => {
                        self.buckets.push(told(dimension, Some(window), limit, Source::Learnt, steady, now.mono));
                    }
                }
            }
        }
    }

    /// Forgets a stated context that is a day old: models are replaced behind their names.
    pub(super) fn forget_context(&mut self, now: Mono) {
        self.stated_context = self.stated_context.filter(|(_, told)| now.since(*told) <= DAY);
    }

    /// The bucket that answers speak of; configured ones are nobody's but the user's.
    fn told_bucket(&self, dimension: Dimension, window: Option<Duration>) -> Option<usize> {
        let is_meant = |bucket: &Bucket| {
            bucket.source() != Source::Configured && bucket.dimension() == dimension && bucket.window() == window
        };
        self.buckets.iter().position(is_meant)
    }

    /// What the provider may not have known of when it answered.
    fn sight(&mut self, dimension: Dimension, answered: &Answered) -> Sight {
        let Answered { mark, granted, own, .. } = *answered;
        match dimension {
            Dimension::Tokens => {
                let later = self.tokens.saturating_sub(mark.tokens);
                let unseen = later.saturating_add(mark.held).saturating_add(own);
                Sight { granted, unseen, unheard: unseen, held: self.held, counted: self.counted }
            }
            _ => {
                let later = self.requests.saturating_sub(mark.requests);
                let unseen = later.saturating_add(mark.unheard.into());
                if granted >= self.mute_at {
                    self.mute = 0;
                }
                let unheard = self.unheard.saturating_add(self.mute).into();
                Sight { granted, unseen, unheard, held: 0, counted: 0 }
            }
        }
    }
}

fn told(dimension: Dimension, window: Option<Duration>, limit: u64, source: Source, steady: bool, now: Mono) -> Bucket {
    let bucket = Bucket::new(dimension, window, limit, Refill::Rolling, source, now).made_late();
    if steady { bucket.refilling_steadily() } else { bucket }
}
