//! An answer that was good, and the last one for a while.
//!
//! A provider that says "0 remaining" with a 200 will refuse the next request: asking it would only cost the time of a
//! refusal.

use std::time::Duration;

use super::{DAY, Evidence, Reading, ResetKind, rules};
use crate::domain::dialect::Dialect;
use crate::domain::hints;
use crate::domain::outcome::{Basis, Hint};
use crate::domain::time::Wall;

impl Evidence {
    /// How long the bucket that is spent, and recovers last, cannot serve even the smallest request. `None` when none
    /// is spent, or when nobody can tell for how long.
    #[must_use]
    pub fn spent(&self, dialect: Dialect, now: Wall) -> Option<Hint> {
        let waits = self.readings.iter().filter_map(|reading| reading.spent(dialect, now));
        waits.max_by_key(|hint| hint.wait).map(|hint| hints::bounded(hint, None))
    }
}

impl Reading {
    fn spent(&self, dialect: Dialect, now: Wall) -> Option<Hint> {
        // A limit of zero is no bucket, and no wait fills it.
        if self.remaining != Some(0) || self.limit == Some(0) {
            return None;
        }
        let told = self.reset.map(|reset| match (reset.kind, self.limit) {
            (ResetKind::Full, Some(limit)) => Hint { wait: one_of(reset.after, limit), basis: Basis::RefillRate },
            _ => Hint { wait: reset.after, basis: Basis::ResetHeader },
        });
        if let Some(hint) = told {
            // Zero says that the window is over.
            return (!hint.wait.is_zero()).then_some(hint);
        }
        let window = self.window?;
        Some(match rules::boundary(dialect, window, now) {
            Some(wait) => Hint { wait, basis: Basis::Calendar },
            // It may refill all the time, which nobody told; of a month a day is tried at a time.
            None => Hint { wait: window.min(DAY), basis: Basis::WindowLength },
        })
    }
}

/// How long until one of `limit` is back, when all are back after `full`.
fn one_of(full: Duration, limit: u64) -> Duration {
    let nanos = full.as_nanos().checked_div(u128::from(limit)).unwrap_or(0);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
