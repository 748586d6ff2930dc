//! A bucket as it is kept over a restart. Times are on the wall clock: the monotonic one starts anew with the process.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::log::Log;
use super::refill::Refill;
use super::{Bucket, Source, as_level};
use crate::domain::evidence::Dimension;
use crate::domain::time::{Mono, Now, Wall};

/// What is kept of a bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    dimension: Dimension,
    window_ms: Option<u64>,
    source: Source,
    limit: u64,
    limit_told: bool,
    told: u64,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Charges, and when the window ends if that was announced: at the earliest, at the latest.
    Window {
        charges: Vec<(u64, u64)>,
        #[serde(default)]
        ends_after: Option<u64>,
        ends: Option<u64>,
    },
    /// What was left at the time, and what comes back per millisecond.
    Steady { level: f64, at: u64, rate: f64 },
}

impl Bucket {
    /// What is to be kept. Calls under way have `held` so much: whether they will be used is not known, so they are.
    #[must_use]
    pub fn remember(&self, held: u64, now: Now) -> Memory {
        let wall = |at: Mono| now.wall_of(at).0;
        let state = match &self.refill {
            Refill::Steady(rate) => {
                State::Steady { level: self.level - as_level(held), at: wall(self.level_at), rate: *rate }
            }
            refill => {
                let mut charges: Vec<_> = self.log.cells().map(|cell| (wall(cell.last), cell.amount)).collect();
                if held > 0 {
                    charges.push((now.wall.0, held));
                }
                let ends = if let Refill::Ending(end) = refill { Some(wall(*end)) } else { None };
                let ends_after = ends.map(|_| wall(self.ends_after));
                State::Window { charges, ends_after, ends }
            }
        };
        Memory {
            dimension: self.dimension,
            window_ms: self.window.and_then(|window| u64::try_from(window.as_millis()).ok()),
            source: self.source,
            limit: self.limit,
            limit_told: self.limit_told,
            told: wall(self.told),
            state,
        }
    }
}

impl Memory {
    /// Puts what was kept into a configured bucket, if it is that bucket's; true if so.
    pub fn restore_into(&self, bucket: &mut Bucket, now: Now) -> bool {
        let same = self.source == Source::Configured
            && (self.dimension, self.window(), self.limit) == (bucket.dimension, bucket.window, bucket.limit);
        if let State::Window { charges, .. } = &self.state
            && same
        {
            self.refill_log(&mut bucket.log, charges, now);
            if let Refill::Calendar(calendar) = &bucket.refill {
                bucket.log.drop_until(now.mono_at(calendar.begin_wall()));
            }
            bucket.advance(now);
        }
        same
    }

    /// The bucket that answers had told of; `None` for a configured one, which only the configuration brings back.
    #[must_use]
    pub fn revive(&self, now: Now) -> Option<Bucket> {
        if self.source == Source::Configured {
            return None;
        }
        let mut bucket = Bucket::new(self.dimension, self.window(), self.limit, Refill::Rolling, self.source, now.mono);
        bucket.limit_told = self.limit_told;
        bucket.told = now.mono_at(Wall(self.told));
        match &self.state {
            State::Window { charges, ends_after, ends } => {
                self.refill_log(&mut bucket.log, charges, now);
                if let Some(end) = ends {
                    bucket.refill = Refill::Ending(now.mono_at(Wall(*end)));
                    bucket.ends_after = now.mono_at(Wall(ends_after.unwrap_or(*end)));
                }
            }
            State::Steady { level, at, rate } if level.is_finite() && rate.is_finite() => {
                (bucket.refill, bucket.rate_told) = (Refill::Steady(*rate), true);
                bucket.level = *level + rate * as_level(now.wall.0.saturating_sub(*at));
                bucket.level = bucket.level.min(as_level(self.limit));
                bucket.level_at = now.mono;
            }
            State::Steady { .. } => return None,
        }
        bucket.advance(now);
        Some(bucket)
    }

    /// The monotonic clock knows no time before its start: what was charged long before has left the window already.
    fn refill_log(&self, log: &mut Log, charges: &[(u64, u64)], now: Now) {
        for (at, amount) in charges {
            // A clock that went back must not bring charges from the future.
            log.add(now.mono_at(Wall(*at)).min(now.mono), *amount);
        }
    }

    fn window(&self) -> Option<Duration> {
        self.window_ms.map(Duration::from_millis)
    }
}
